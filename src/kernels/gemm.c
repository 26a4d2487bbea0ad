/* Products of matrices in row-major order.
 *
 * A tile is a few rows of the result by a few vectors of its columns. Its sums stay in registers
 * while the depth passes: for each k, vectors from row k of the right matrix, and one broadcast
 * number of each row of the left. A panel, the columns of the right matrix that are as wide as a
 * tile, is read in order by one tile after the other (plan/product.c).
 *
 * The rows of a transposed right matrix lie along the depth, as those of the left do. Each panel is
 * then transposed before its tiles read it; or each sum is a vector of partial sums along the
 * depth, folded at the end. */
#include <assert.h>

#include "kernels/epilogue.h"
#include "kernels/prefetch.h"

#define MAX_SUMS 128

/* The matrices that the code in the making multiplies. */
typedef struct Gemm {
    const Emitter *emitter;
    const Product *product;
    IrValue left;   /* pointer to the left matrix */
    IrValue right;  /* pointer to the right matrix, or to the packed panel of columns */
    IrValue result; /* i64, element of the output where the result begins */
    IrValue batch;  /* i64 */
    /* A panel of columns: */
    IrValue first_column; /* i64 */
    int64_t right_stride; /* floats from what the panel has for one k to the next */
    int vectors;
    int last_count; /* columns that exist of the last vector */
    NextBlock next; /* panel, where the right matrix is weights */
    IrValue sums[MAX_SUMS];
} Gemm;

static IrValue row_pointer(const Gemm *gemm, IrValue base, const Matrices *matrices, IrValue row) {
    return ir_at(gemm->emitter->ir, base,
                 ir_mul_const(gemm->emitter->ir, row, matrices->row_stride));
}

/* Sends `count` neighbours in a row of the result through the epilogue. */
static void result_finish(const Gemm *gemm, IrValue row, IrValue column, IrValue value, int count) {
    Ir *ir = gemm->emitter->ir;
    IrValue begin = ir_mul_const(ir, row, gemm->product->result.row_stride);
    IrValue element = ir_add(ir, gemm->result, ir_add(ir, begin, column));
    if (gemm->product->factor != 0)
        value = ir_fmul(ir, value, ir_f32_vector(ir, gemm->product->factor, gemm->emitter->lanes));
    Spot spot = spot_in_order(gemm->emitter, element);
    spot_finish(gemm->emitter, &spot, value, count);
}

/* ---- vectors of columns -------------------------------------------------------------------- */

static int vector_count(const Gemm *gemm, int v) {
    return v == gemm->vectors - 1 ? gemm->last_count : gemm->emitter->lanes;
}

/* Whether a panel of the right matrix is whole vectors, zeros at the end. */
static bool is_padded(const Gemm *gemm) {
    return gemm->emitter->step->weights || gemm->emitter->step->gemm.transposes;
}

/* One k for the sums of a tile, [rows][vectors], from row `first` on: `left` points to it in row 0.
 */
static void term_emit(Gemm *gemm, IrValue left, IrValue right, int first, int rows) {
    Ir *ir = gemm->emitter->ir;
    int lanes = gemm->emitter->lanes;
    bool whole = is_padded(gemm);
    IrValue columns[MAX_SUMS];
    for (int v = 0; v < gemm->vectors; v++)
        columns[v] = ir_load_part(ir, ir_at_const(ir, right, (int64_t)v * lanes), lanes,
                                  whole ? lanes : vector_count(gemm, v));
    if (gemm->emitter->step->weights)
        prefetch_stream(gemm->emitter, right, gemm->vectors);
    IrValue *sum = gemm->sums + first * gemm->vectors;
    for (int r = first; r < rows; r++) {
        IrValue number = ir_load(ir, ir_at_const(ir, left, r * gemm->product->left.row_stride), 1);
        IrValue everywhere = ir_splat(ir, number, lanes);
        for (int v = 0; v < gemm->vectors; v++, sum++)
            *sum = ir_fma(ir, columns[v], everywhere, *sum);
    }
}

/* `count` consecutive k from the pointers on. */
static void terms_emit(Gemm *gemm, IrValue left, IrValue right, int first, int rows,
                       int64_t count) {
    Ir *ir = gemm->emitter->ir;
    for (int64_t k = 0; k < count; k++)
        term_emit(gemm, ir_at_const(ir, left, k), ir_at_const(ir, right, k * gemm->right_stride),
                  first, rows);
}

/* k from `begin` to before `end`, `step` at a time. */
static void range_emit(Gemm *gemm, IrValue left, int rows, IrValue begin, IrValue end, int step) {
    Ir *ir = gemm->emitter->ir;
    IrLoop loop = ir_loop_begin(ir, begin, end, step, gemm->sums, rows * gemm->vectors);
    IrValue read = ir_mul_const(ir, loop.index, gemm->right_stride);
    next_block_prefetch(&gemm->next, read, step * gemm->right_stride);
    terms_emit(gemm, ir_at(ir, left, loop.index), ir_at(ir, gemm->right, read), 0, rows, step);
    ir_loop_end(ir, &loop);
}

/* Of row number r of the tile only k <= row + r: what all rows have, then a triangle. */
static void triangle_emit(Gemm *gemm, IrValue left, IrValue row, int rows) {
    Ir *ir = gemm->emitter->ir;
    int unroll = gemm->emitter->step->tile.unroll;
    IrValue whole = ir_mul_const(ir, ir_div_const(ir, row, unroll), unroll);
    range_emit(gemm, left, rows, ir_i64(ir, 0), whole, unroll);
    range_emit(gemm, left, rows, whole, row, 1);
    left = ir_at(ir, left, row);
    IrValue right = ir_at(ir, gemm->right, ir_mul_const(ir, row, gemm->right_stride));
    for (int r = 0; r < rows; r++)
        terms_emit(gemm, ir_at_const(ir, left, r), ir_at_const(ir, right, r * gemm->right_stride),
                   r, rows, 1);
}

static void sums_emit(Gemm *gemm, IrValue left, int rows) {
    Ir *ir = gemm->emitter->ir;
    int64_t depth = gemm->product->depth;
    int unroll = gemm->emitter->step->tile.unroll;
    int64_t whole = depth / unroll * unroll;
    range_emit(gemm, left, rows, ir_i64(ir, 0), ir_i64(ir, whole), unroll);
    terms_emit(gemm, ir_at_const(ir, left, whole),
               ir_at_const(ir, gemm->right, whole * gemm->right_stride), 0, rows, depth - whole);
}

/* The sums begin with the bias, or with 0. */
static void sums_begin(Gemm *gemm, int rows) {
    Ir *ir = gemm->emitter->ir;
    int lanes = gemm->emitter->lanes;
    IrValue bias = emitter_bias(gemm->emitter);
    for (int v = 0; v < gemm->vectors; v++) {
        IrValue first = ir_f32_vector(ir, 0, lanes);
        if (bias) {
            IrValue at = ir_add_const(ir, gemm->first_column, (int64_t)v * lanes);
            first = ir_load(ir, ir_at(ir, bias, at), lanes);
        }
        for (int r = 0; r < rows; r++)
            gemm->sums[r * gemm->vectors + v] = first;
    }
}

/* A TileEmitter over the rows of a panel. */
static void tile_emit(void *context, IrValue row, IrValue column, int rows, int columns) {
    (void)column;
    (void)columns;
    Gemm *gemm = context;
    Ir *ir = gemm->emitter->ir;
    assert(rows * gemm->vectors <= MAX_SUMS);
    sums_begin(gemm, rows);
    int64_t floats = gemm->product->depth * gemm->right_stride;
    if (gemm->emitter->step->weights)
        gemm->next = next_block_begin(gemm->emitter, ir_at_const(ir, gemm->right, floats), floats,
                                      row, rows, gemm->product->rows);
    IrValue left = row_pointer(gemm, gemm->left, &gemm->product->left, row);
    if (gemm->product->triangle == TRIANGLE_LEFT)
        triangle_emit(gemm, left, row, rows);
    else
        sums_emit(gemm, left, rows);
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < gemm->vectors; v++) {
            IrValue first = ir_add_const(ir, gemm->first_column, (int64_t)v * gemm->emitter->lanes);
            result_finish(gemm, ir_add_const(ir, row, r), first, gemm->sums[r * gemm->vectors + v],
                          vector_count(gemm, v));
        }
}

/* ---- panels -------------------------------------------------------------------------------- */

/* The rows that are to be done for a panel. */
static Portion panel_rows(const Gemm *gemm) {
    const Emitter *emitter = gemm->emitter;
    const Product *product = gemm->product;
    Ir *ir = emitter->ir;
    int64_t vectors = divide_up(product->columns, emitter->lanes);
    Portion work = portion_of(emitter, product->batches * vectors * product->rows);
    IrValue vector = ir_add(ir, ir_mul_const(ir, gemm->batch, vectors),
                            ir_div_const(ir, gemm->first_column, emitter->lanes));
    Portion rows = portion_inside(emitter, &work, ir_mul_const(ir, vector, product->rows),
                                  gemm->vectors, product->rows);
    if (product->triangle ==
        TRIANGLE_RESULT) { /* from the tile on that has the first column's row */
        int tile = emitter->step->tile.rows;
        IrValue first = ir_mul_const(ir, ir_div_const(ir, gemm->first_column, tile), tile);
        rows.begin = ir_max(ir, rows.begin, first);
    }
    return rows;
}

/* Writes what the panel has for `count` terms, which in its first column begin at `from`, to `to`:
 * for each k whole vectors of columns. */
static void terms_transpose(const Gemm *gemm, IrValue from, IrValue to, int count) {
    Ir *ir = gemm->emitter->ir;
    int lanes = gemm->emitter->lanes;
    int64_t stride = gemm->product->right.row_stride;
    for (int v = 0; v < gemm->vectors; v++) {
        const Strips columns = {ir_at_const(ir, from, v * lanes * stride), stride,
                                vector_count(gemm, v), count};
        const Strips terms = {ir_at_const(ir, to, (int64_t)v * lanes), gemm->right_stride, count,
                              lanes};
        transpose_emit(ir, lanes, &columns, &terms);
    }
}

/* The panel whose first column begins at `from`. */
static void panel_transpose(const Gemm *gemm, IrValue from) {
    Ir *ir = gemm->emitter->ir;
    int lanes = gemm->emitter->lanes;
    int64_t whole = gemm->product->depth / lanes * lanes;
    if (whole > 0) {
        IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, whole), lanes, NULL, 0);
        IrValue to = ir_at(ir, gemm->right, ir_mul_const(ir, loop.index, gemm->right_stride));
        terms_transpose(gemm, ir_at(ir, from, loop.index), to, lanes);
        ir_loop_end(ir, &loop);
    }
    if (whole < gemm->product->depth)
        terms_transpose(gemm, ir_at_const(ir, from, whole),
                        ir_at_const(ir, gemm->right, whole * gemm->right_stride),
                        (int)(gemm->product->depth - whole));
}

/* `count` columns from `column` on. */
static void panel_emit(const Gemm *gemm, IrValue column, int64_t count) {
    const Emitter *emitter = gemm->emitter;
    const Step *step = emitter->step;
    const Product *product = gemm->product;
    Ir *ir = emitter->ir;
    Gemm panel = *gemm;
    panel.vectors = (int)divide_up(count, emitter->lanes);
    panel.last_count = (int)(count - (int64_t)(panel.vectors - 1) * emitter->lanes);
    panel.first_column = column;
    panel.right_stride =
        is_padded(gemm) ? (int64_t)panel.vectors * emitter->lanes : product->right.row_stride;
    int64_t column_stride = step->weights         ? product->depth
                            : product->transposed ? product->right.row_stride
                                                  : 1;
    panel.right = ir_at(ir, gemm->right, ir_mul_const(ir, column, column_stride));
    Portion rows = panel_rows(&panel);
    IrIf any = ir_if_begin(ir, ir_less(ir, rows.begin, rows.end));
    if (step->gemm.transposes) { /* into this part's own memory */
        int64_t floats = product->depth * step->tile.vectors * emitter->lanes;
        IrValue from = panel.right;
        panel.right = ir_at(ir, emitter_scratch(emitter), ir_mul_const(ir, emitter->part, floats));
        panel_transpose(&panel, from);
    }
    tiles_emit(ir, product->rows, 1, step->tile.rows, 1, &rows, tile_emit, &panel);
    ir_if_end(ir, &any);
}

/* All panels: those of the tile's width, and what is left. */
static void panels_emit(const Gemm *gemm) {
    Ir *ir = gemm->emitter->ir;
    int64_t columns = gemm->product->columns;
    int64_t width = (int64_t)gemm->emitter->step->tile.vectors * gemm->emitter->lanes; /* T */
    int64_t whole = columns / width * width;
    if (whole > 0) {
        IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, whole), width, NULL, 0);
        panel_emit(gemm, loop.index, width);
        ir_loop_end(ir, &loop);
    }
    if (whole < columns)
        panel_emit(gemm, ir_i64(ir, whole), columns - whole);
}

/* ---- partial sums along the depth ---------------------------------------------------------- */

/* `count` consecutive k for all sums of a tile, [rows][columns]; the pointers are to the first of
 * them in the first row of each matrix. */
static void dot_term_emit(Gemm *gemm, IrValue left, IrValue right, int rows, int columns,
                          int count) {
    Ir *ir = gemm->emitter->ir;
    int lanes = gemm->emitter->lanes;
    IrValue row[MAX_SUMS];
    for (int c = 0; c < columns; c++)
        row[c] = ir_load_part(ir, ir_at_const(ir, right, c * gemm->product->right.row_stride),
                              lanes, count);
    IrValue *sum = gemm->sums;
    for (int r = 0; r < rows; r++) {
        IrValue number = ir_load_part(ir, ir_at_const(ir, left, r * gemm->product->left.row_stride),
                                      lanes, count);
        for (int c = 0; c < columns; c++, sum++)
            *sum = ir_fma(ir, row[c], number, *sum);
    }
}

static void dots_emit(Gemm *gemm, IrValue row, IrValue column, int rows, int columns) {
    Ir *ir = gemm->emitter->ir;
    int lanes = gemm->emitter->lanes;
    int64_t depth = gemm->product->depth, whole = depth / lanes * lanes;
    IrValue left = row_pointer(gemm, gemm->left, &gemm->product->left, row);
    IrValue right = row_pointer(gemm, gemm->right, &gemm->product->right, column);
    assert(rows * columns <= MAX_SUMS && columns <= lanes);
    for (int s = 0; s < rows * columns; s++)
        gemm->sums[s] = ir_f32_vector(ir, 0, lanes);
    IrLoop loop =
        ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, whole), lanes, gemm->sums, rows * columns);
    dot_term_emit(gemm, ir_at(ir, left, loop.index), ir_at(ir, right, loop.index), rows, columns,
                  lanes);
    ir_loop_end(ir, &loop);
    if (whole < depth)
        dot_term_emit(gemm, ir_at_const(ir, left, whole), ir_at_const(ir, right, whole), rows,
                      columns, (int)(depth - whole));
    for (int r = 0; r < rows; r++) {
        IrValue results = ir_f32_vector(ir, 0, lanes);
        for (int c = 0; c < columns; c++)
            results =
                ir_insert(ir, results, ir_reduce_add(ir, gemm->sums[r * columns + c], lanes), c);
        result_finish(gemm, ir_add_const(ir, row, r), column, results, columns);
    }
}

/* A TileEmitter over the result, or over the tiles of it that reach into its lower triangle. */
static void dot_tile_emit(void *context, IrValue row, IrValue column, int rows, int columns) {
    Gemm *gemm = context;
    Ir *ir = gemm->emitter->ir;
    if (gemm->product->triangle != TRIANGLE_RESULT) {
        dots_emit(gemm, row, column, rows, columns);
        return;
    }
    IrIf below = ir_if_begin(ir, ir_less(ir, column, ir_add_const(ir, row, rows)));
    dots_emit(gemm, row, column, rows, columns);
    ir_if_end(ir, &below);
}

/* ---- all of it ----------------------------------------------------------------------------- */

/* Pointer to matrix number `batch`. */
static IrValue matrix_pointer(Ir *ir, IrValue tensor, const Matrices *matrices, IrValue batch) {
    IrValue at = ir_mul_const(ir, batch, matrices->batch_stride);
    return ir_at(ir, tensor, ir_add_const(ir, at, matrices->offset));
}

void gemm_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    const Product *product = &step->gemm.product;
    Ir *ir = emitter->ir;
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, product->batches), 1, NULL, 0);
    Gemm gemm = {.emitter = emitter, .product = product};
    gemm.left = matrix_pointer(ir, emitter_input(emitter, 0), &product->left, loop.index);
    gemm.right = step->weights
                     ? emitter_weights(emitter)
                     : matrix_pointer(ir, emitter_input(emitter, 1), &product->right, loop.index);
    gemm.result = ir_add_const(ir, ir_mul_const(ir, loop.index, product->result.batch_stride),
                               product->result.offset);
    gemm.batch = loop.index;
    if (product->transposed && !step->gemm.transposes) {
        Portion work = portion_of(emitter, product->batches * product->rows);
        IrValue first = ir_mul_const(ir, loop.index, product->rows);
        Portion rows = portion_inside(emitter, &work, first, 1, product->rows);
        tiles_emit(ir, product->rows, product->columns, step->tile.rows, step->tile.columns, &rows,
                   dot_tile_emit, &gemm);
    } else {
        panels_emit(&gemm);
    }
    ir_loop_end(ir, &loop);
}
