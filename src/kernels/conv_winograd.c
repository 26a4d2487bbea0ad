/* Convolution by Winograd's method (plan/winograd.h): before the products each tile is transformed,
 * B' d B, and after them back, A' m A. */
#include "kernels/epilogue.h"
#include "kernels/products.h"

static const Winograd *winograd_of(const Products *work) {
    return work->emitter->step->conv.winograd;
}

/* ---- transforms of a line ------------------------------------------------------------------- */

static IrValue scaled(const Products *work, double factor, IrValue x) {
    Ir *ir = work->emitter->ir;
    return factor == 1 ? x : ir_fmul(ir, ir_f32_vector(ir, factor, work->emitter->lanes), x);
}

/* sum + factor * x; `sum` may be NULL. */
static IrValue accumulate(const Products *work, IrValue sum, double factor, IrValue x) {
    Ir *ir = work->emitter->ir;
    if (factor == 0)
        return sum;
    if (!sum)
        return scaled(work, factor, x);
    if (factor == 1)
        return ir_fadd(ir, sum, x);
    if (factor == -1)
        return ir_fsub(ir, sum, x);
    return ir_fma(ir, ir_f32_vector(ir, factor, work->emitter->lanes), x, sum);
}

/* The sum of the factors of even (parity 0) or odd powers times their numbers, from the highest
 * power down, whose factor is 1. */
static IrValue sum_of_parity(const Products *work, const double *factors, const IrValue *x,
                             int parity) {
    IrValue sum = NULL;
    for (int k = winograd_of(work)->size - 1; k >= 0; k--)
        if (k % 2 == parity)
            sum = accumulate(work, sum, factors[k], x[k]);
    return sum;
}

/* B' x: rows of points p and -p have the same even and opposite odd factors. */
static void transform_input(const Products *work, const IrValue *x, IrValue *result) {
    const Winograd *winograd = winograd_of(work);
    Ir *ir = work->emitter->ir;
    int last = winograd->size - 1;
    result[0] = sum_of_parity(work, winograd->input[0], x, 0);
    for (int row = 1; row < last; row += 2) {
        IrValue even = sum_of_parity(work, winograd->input[row], x, 0);
        IrValue odd = sum_of_parity(work, winograd->input[row], x, 1);
        result[row] = ir_fadd(ir, even, odd);
        result[row + 1] = ir_fsub(ir, even, odd);
    }
    result[last] = sum_of_parity(work, winograd->input[last], x, 1);
}

/* A' x: points p and -p count as their sum in even powers, as their difference in odd ones. */
static void transform_output(const Products *work, const IrValue *x, IrValue *result) {
    const Winograd *winograd = winograd_of(work);
    Ir *ir = work->emitter->ir;
    int last = winograd->size - 1;
    IrValue sums[2][WINOGRAD_MAX_SIZE];
    for (int k = 1; k < last; k += 2) {
        sums[0][k] = ir_fadd(ir, x[k], x[k + 1]);
        sums[1][k] = ir_fsub(ir, x[k], x[k + 1]);
    }
    for (int row = 0; row < winograd->outputs; row++) {
        const double *factors = winograd->output[row];
        IrValue sum = NULL;
        for (int k = 1; k < last; k += 2)
            sum = accumulate(work, sum, factors[k], sums[row % 2][k]);
        sum = accumulate(work, sum, factors[0], x[0]);
        result[row] = accumulate(work, sum, factors[last], x[last]);
    }
}

/* Numbers `stride` apart. */
static void line_load(const Products *work, IrValue pointer, int64_t stride, IrValue *x) {
    for (int k = 0; k < winograd_of(work)->size; k++)
        x[k] = ir_load(work->emitter->ir, ir_at_const(work->emitter->ir, pointer, k * stride),
                       work->emitter->lanes);
}

static void line_store(const Products *work, IrValue pointer, int64_t stride, const IrValue *x,
                       int count) {
    for (int k = 0; k < count; k++)
        ir_store(work->emitter->ir, ir_at_const(work->emitter->ir, pointer, k * stride), x[k],
                 work->emitter->lanes);
}

/* ---- tiles ---------------------------------------------------------------------------------- */

/* The pixel at which a tile's output begins. */
static Pixel corner_of(const Products *work, IrValue tile) {
    Ir *ir = work->emitter->ir;
    int64_t columns = work->emitter->step->conv.tiles[1];
    IrValue number = ir_add(ir, work->first, tile);
    return (Pixel){ir_mul_const(ir, ir_div_const(ir, number, columns), winograd_of(work)->outputs),
                   ir_mul_const(ir, ir_rem_const(ir, number, columns), winograd_of(work)->outputs)};
}

static void input_emit(const Products *work, IrValue block, IrValue tile) {
    const Emitter *emitter = work->emitter;
    const View *view = &emitter->step->inputs[0];
    const Window *window = &emitter->step->conv.window;
    Ir *ir = emitter->ir;
    int size = winograd_of(work)->size, lanes = emitter->lanes;
    Pixel corner = corner_of(work, tile);
    int64_t padding = view_pixel_offset(view, window->pad_begin[0], window->pad_begin[1]);
    IrValue index = ir_add(ir, ir_mul_const(ir, block, view->block_stride),
                           view_pixel_index(ir, view, corner.row, corner.column));
    IrValue input = ir_at(ir, emitter_input(emitter, 0), ir_add_const(ir, index, -padding));
    IrValue result = ir_at(ir, work->inputs, products_index(work, block, tile));
    IrValue x[WINOGRAD_MAX_SIZE], y[WINOGRAD_MAX_SIZE];

    IrLoop columns = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, size), 1, NULL, 0);
    line_load(work, ir_at(ir, input, ir_mul_const(ir, columns.index, view->pixel_stride)),
              view->row_stride, x);
    transform_input(work, x, y);
    line_store(work, ir_at(ir, work->own, ir_mul_const(ir, columns.index, lanes)),
               (int64_t)size * lanes, y, size);
    ir_loop_end(ir, &columns);

    IrLoop rows = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, size), 1, NULL, 0);
    line_load(work, ir_at(ir, work->own, ir_mul_const(ir, rows.index, (int64_t)size * lanes)),
              lanes, x);
    transform_input(work, x, y);
    line_store(work, ir_at(ir, result, ir_mul_const(ir, rows.index, size * work->input_stride)),
               work->input_stride, y, size);
    ir_loop_end(ir, &rows);
}

/* Finishes the first `count` pixels of a row of a tile's output. */
static void pixels_finish(const Products *work, const Spot *first, const IrValue *y,
                          int64_t count) {
    for (int k = 0; k < count; k++) {
        Spot spot = spot_moved(work->emitter, first, 0, 0, k);
        spot_finish(work->emitter, &spot, y[k], work->emitter->lanes);
    }
}

/* One row of a tile's output from the lines at `lines`; the tile may reach past the right edge. */
static void output_row_emit(const Products *work, const Pixel *corner, IrValue channel, IrValue row,
                            IrValue lines) {
    const Emitter *emitter = work->emitter;
    Ir *ir = emitter->ir;
    int outputs = winograd_of(work)->outputs, lanes = emitter->lanes;
    int64_t width = emitter->step->output.width, left = width % outputs;
    IrValue bias = emitter_bias(emitter), x[WINOGRAD_MAX_SIZE], y[WINOGRAD_MAX_SIZE];
    line_load(work, lines, lanes, x);
    transform_output(work, x, y);
    if (bias) {
        bias = ir_load(ir, ir_at(ir, bias, channel), lanes);
        for (int k = 0; k < outputs; k++)
            y[k] = ir_fadd(ir, y[k], bias);
    }
    Spot first = spot_at(emitter, channel, row, corner->column);
    if (left == 0) {
        pixels_finish(work, &first, y, outputs);
        return;
    }
    IrValue last = ir_i64(ir, width - left); /* column where the tiles that are cut begin */
    IrIf whole = ir_if_begin(ir, ir_less(ir, corner->column, last));
    pixels_finish(work, &first, y, outputs);
    ir_if_end(ir, &whole);
    IrIf cut = ir_if_begin(ir, ir_less(ir, ir_add_const(ir, last, -1), corner->column));
    pixels_finish(work, &first, y, left);
    ir_if_end(ir, &cut);
}

static void output_emit(const Products *work, IrValue block, IrValue tile) {
    const Emitter *emitter = work->emitter;
    Ir *ir = emitter->ir;
    int size = winograd_of(work)->size, outputs = winograd_of(work)->outputs,
        lanes = emitter->lanes;
    Pixel corner = corner_of(work, tile);
    IrValue products = ir_at(ir, work->products, products_index(work, block, tile));
    IrValue x[WINOGRAD_MAX_SIZE], y[WINOGRAD_MAX_SIZE];

    IrLoop columns = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, size), 1, NULL, 0);
    line_load(work, ir_at(ir, products, ir_mul_const(ir, columns.index, work->product_stride)),
              size * work->product_stride, x);
    transform_output(work, x, y);
    line_store(work, ir_at(ir, work->own, ir_mul_const(ir, columns.index, lanes)),
               (int64_t)size * lanes, y, outputs);
    ir_loop_end(ir, &columns);

    IrValue below = ir_sub(ir, ir_i64(ir, emitter->step->output.height), corner.row);
    IrValue end = ir_min(ir, ir_i64(ir, outputs), below);
    IrLoop rows = ir_loop_begin(ir, ir_i64(ir, 0), end, 1, NULL, 0);
    output_row_emit(work, &corner, ir_mul_const(ir, block, lanes),
                    ir_add(ir, corner.row, rows.index),
                    ir_at(ir, work->own, ir_mul_const(ir, rows.index, (int64_t)size * lanes)));
    ir_loop_end(ir, &rows);
}

void conv_winograd_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    int64_t positions = (int64_t)step->conv.winograd->size * step->conv.winograd->size;
    Products work = {.emitter = emitter,
                     .positions = positions,
                     .channels = step->inputs[0].channels,
                     .filters = step->output.channels,
                     .tiles = step->conv.tiles[0] * step->conv.tiles[1],
                     .own_floats = positions * emitter->lanes, /* lines, [size][size][V] */
                     .before = input_emit,
                     .after = output_emit,
                     .multiply = products_by_position};
    products_emit(&work);
}
