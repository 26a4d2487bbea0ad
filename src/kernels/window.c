/* Maximum, average and sums over windows, vectors along the channels, in blocked views.
 *
 * Padding is not read: each window is cut to what lies inside the input. Slices and rows are cut by
 * loop bounds. Columns whose windows lie inside altogether are computed in tiles with straight code
 * for the taps of a row; those at the left and right edge one by one, with loop bounds as well. */
#include <assert.h>
#include <math.h>

#include "kernels/epilogue.h"

#define MAX_COLUMNS   32
#define STRAIGHT_TAPS 8 /* widest kernel row whose taps are straight code */

typedef struct Pool {
    const Emitter *emitter;
    IrValue channel; /* i64, first of the block */
    IrValue input;   /* pointer to pixel (0, 0) of the block */
} Pool;

/* Taps begin <= k < end of the window at one output row or column, and the padded area's end. */
typedef struct Taps {
    IrValue origin; /* i64: where tap 0 reads */
    IrValue begin, end;
    IrValue counted; /* how many the average divides by */
} Taps;

/* The rows of a window: those of each of its slices. */
typedef struct Rows {
    Taps slices, rows;
    IrValue counted; /* of all slices */
} Rows;

/* The loops over them. */
typedef struct RowLoops {
    IrLoop slices, rows;
} RowLoops;

static const Window *window_of(const Pool *pool) {
    return &pool->emitter->step->window.window;
}

/* (distance + unit - 1) / unit, or 0 if the distance is negative */
static IrValue steps_to(Ir *ir, IrValue distance, int64_t unit) {
    IrValue raised = ir_add_const(ir, distance, unit - 1);
    return ir_div_const(ir, ir_max(ir, raised, ir_i64(ir, 0)), unit);
}

/* Elements of the input along an axis. */
static int64_t extent_of(const Pool *pool, enum WindowAxis axis) {
    const View *view = &pool->emitter->step->inputs[0];
    int64_t slices = window_of(pool)->input_slices;
    switch (axis) {
    case WINDOW_HEIGHT: return view->height / slices;
    case WINDOW_WIDTH: return view->width;
    case WINDOW_DEPTH: return slices;
    }
    assert(0 && "no such axis");
    return 0;
}

/* The taps inside the input for output `at` along an axis: 0 <= origin + k * dilation < extent. */
static Taps taps_inside(const Pool *pool, enum WindowAxis axis, IrValue at) {
    const Step *step = pool->emitter->step;
    const Window *window = window_of(pool);
    Ir *ir = pool->emitter->ir;
    int64_t dilation = window->dilation[axis];
    int64_t extent = extent_of(pool, axis);
    IrValue kernel = ir_i64(ir, window->kernel[axis]), zero = ir_i64(ir, 0);
    Taps taps;
    taps.origin =
        ir_add_const(ir, ir_mul_const(ir, at, window->stride[axis]), -window->pad_begin[axis]);
    taps.begin = steps_to(ir, ir_sub(ir, zero, taps.origin), dilation);
    taps.end =
        ir_min(ir, kernel, steps_to(ir, ir_sub(ir, ir_i64(ir, extent), taps.origin), dilation));
    taps.counted = ir_max(ir, ir_sub(ir, taps.end, taps.begin), zero);
    if (step->window.count_padding) {
        IrValue edge = ir_i64(ir, extent + window->pad_end[axis]);
        taps.counted = ir_min(ir, kernel, steps_to(ir, ir_sub(ir, edge, taps.origin), dilation));
    }
    return taps;
}

IrValue window_combine(const Emitter *emitter, IrValue result, IrValue vector) {
    Ir *ir = emitter->ir;
    switch (emitter->step->window.op) {
    case WINDOW_MAXIMUM: return ir_fmax(ir, vector, result);
    case WINDOW_AVERAGE: return ir_fadd(ir, result, vector);
    case WINDOW_SUM_OF_SIZES: return ir_fadd(ir, result, ir_fabs(ir, vector));
    case WINDOW_SUM_OF_SQUARES: return ir_fma(ir, vector, vector, result);
    }
    assert(0 && "no such operation");
    return result;
}

IrValue window_neutral(const Emitter *emitter) {
    double value = emitter->step->window.op == WINDOW_MAXIMUM ? -INFINITY : 0;
    return ir_f32_vector(emitter->ir, value, emitter->lanes);
}

/* Divides sums by how many were counted. Nothing counted gives 0. */
static IrValue averaged(const Pool *pool, IrValue sum, IrValue rows, IrValue columns) {
    Ir *ir = pool->emitter->ir;
    IrValue count = ir_max(ir, ir_mul(ir, rows, columns), ir_i64(ir, 1));
    return ir_fdiv(ir, sum, ir_splat(ir, ir_i32_to_f32(ir, count), pool->emitter->lanes));
}

static void pool_finish(const Pool *pool, const Spot *spot, IrValue result, const Rows *rows,
                        IrValue columns) {
    if (pool->emitter->step->window.op == WINDOW_AVERAGE)
        result = averaged(pool, result, rows->counted, columns);
    spot_finish(pool->emitter, spot, result, pool->emitter->lanes);
}

/* `results` are carried through the loops. */
static RowLoops rows_begin(const Pool *pool, const Rows *rows, IrValue *results, int count) {
    Ir *ir = pool->emitter->ir;
    RowLoops loops;
    loops.slices = ir_loop_begin(ir, rows->slices.begin, rows->slices.end, 1, results, count);
    loops.rows = ir_loop_begin(ir, rows->rows.begin, rows->rows.end, 1, results, count);
    return loops;
}

static void rows_end(const Pool *pool, RowLoops *loops) {
    ir_loop_end(pool->emitter->ir, &loops->rows);
    ir_loop_end(pool->emitter->ir, &loops->slices);
}

/* Where tap `k` reads along an axis. */
static IrValue tap_position(const Pool *pool, const Taps *taps, enum WindowAxis axis, IrValue k) {
    Ir *ir = pool->emitter->ir;
    return ir_add(ir, taps->origin, ir_mul_const(ir, k, window_of(pool)->dilation[axis]));
}

/* Pointer to the input row where the loops stand, at column `column`. */
static IrValue input_row(const Pool *pool, const Rows *rows, const RowLoops *loops,
                         IrValue column) {
    Ir *ir = pool->emitter->ir;
    IrValue slice = tap_position(pool, &rows->slices, WINDOW_DEPTH, loops->slices.index);
    IrValue row = tap_position(pool, &rows->rows, WINDOW_HEIGHT, loops->rows.index);
    row = ir_add(ir, row, ir_mul_const(ir, slice, extent_of(pool, WINDOW_HEIGHT)));
    const View *view = &pool->emitter->step->inputs[0];
    return ir_at(ir, pool->input, view_pixel_index(ir, view, row, column));
}

/* ---- columns ------------------------------------------------------------------------------- */

/* One output pixel whose window may reach over the left or right edge. */
static void edge_emit(const Pool *pool, const Rows *rows, IrValue row, IrValue column) {
    const Emitter *emitter = pool->emitter;
    const View *view = &emitter->step->inputs[0];
    const Window *window = window_of(pool);
    Ir *ir = emitter->ir;
    Taps taps = taps_inside(pool, WINDOW_WIDTH, column);
    IrValue result = window_neutral(pool->emitter);
    RowLoops over_rows = rows_begin(pool, rows, &result, 1);
    IrValue from = input_row(pool, rows, &over_rows, taps.origin);
    IrLoop over_taps = ir_loop_begin(ir, taps.begin, taps.end, 1, &result, 1);
    int64_t stride = window->dilation[1] * view->pixel_stride;
    IrValue at = ir_at(ir, from, ir_mul_const(ir, over_taps.index, stride));
    result = window_combine(pool->emitter, result, ir_load(ir, at, emitter->lanes));
    ir_loop_end(ir, &over_taps);
    rows_end(pool, &over_rows);
    Spot spot = spot_at(emitter, pool->channel, row, column);
    pool_finish(pool, &spot, result, rows, taps.counted);
}

static void edges_emit(const Pool *pool, const Rows *rows, IrValue row, int64_t begin,
                       int64_t end) {
    Ir *ir = pool->emitter->ir;
    if (begin >= end)
        return;
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, begin), ir_i64(ir, end), 1, NULL, 0);
    edge_emit(pool, rows, row, loop.index);
    ir_loop_end(ir, &loop);
}

/* One tap of `columns` windows beside each other. */
static void tap_emit(const Pool *pool, IrValue from, IrValue *results, int columns) {
    const Emitter *emitter = pool->emitter;
    const View *view = &emitter->step->inputs[0];
    for (int c = 0; c < columns; c++) {
        int64_t offset = view_pixel_offset(view, 0, c * window_of(pool)->stride[1]);
        IrValue vector =
            ir_load(emitter->ir, ir_at_const(emitter->ir, from, offset), emitter->lanes);
        results[c] = window_combine(pool->emitter, results[c], vector);
    }
}

/* `columns` output pixels from `column` on whose windows lie between left and right edge. */
static void inside_emit(const Pool *pool, const Rows *rows, IrValue row, IrValue column,
                        int columns) {
    const Emitter *emitter = pool->emitter;
    const Window *window = window_of(pool);
    Ir *ir = emitter->ir;
    int64_t stride = window->dilation[1] * emitter->step->inputs[0].pixel_stride;
    int64_t straight = window->kernel[1] <= STRAIGHT_TAPS ? window->kernel[1] : 1;
    IrValue results[MAX_COLUMNS];
    for (int c = 0; c < columns; c++)
        results[c] = window_neutral(pool->emitter);
    RowLoops over_rows = rows_begin(pool, rows, results, columns);
    IrValue first =
        ir_add_const(ir, ir_mul_const(ir, column, window->stride[1]), -window->pad_begin[1]);
    IrValue from = input_row(pool, rows, &over_rows, first);
    IrLoop over_taps =
        ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, window->kernel[1]), straight, results, columns);
    IrValue at = ir_at(ir, from, ir_mul_const(ir, over_taps.index, stride));
    for (int64_t k = 0; k < straight; k++)
        tap_emit(pool, ir_at_const(ir, at, k * stride), results, columns);
    ir_loop_end(ir, &over_taps);
    rows_end(pool, &over_rows);
    Spot corner = spot_at(emitter, pool->channel, row, column);
    for (int c = 0; c < columns; c++) {
        Spot spot = spot_moved(emitter, &corner, 0, 0, c);
        pool_finish(pool, &spot, results[c], rows, ir_i64(ir, window->kernel[1]));
    }
}

/* ---- rows ---------------------------------------------------------------------------------- */

/* Output columns begin <= x < end whose windows lie between left and right edge of the input. */
static void inside_range(const Step *step, int64_t *begin, int64_t *end) {
    const Window *window = &step->window.window;
    int64_t span = (window->kernel[1] - 1) * window->dilation[1] + 1;
    int64_t last = step->inputs[0].width - span + window->pad_begin[1]; /* origin + padding */
    *begin = divide_up(window->pad_begin[1], window->stride[1]);
    *end = last < 0 ? 0 : last / window->stride[1] + 1;
    if (*end > step->output.width)
        *end = step->output.width;
    if (*begin >= *end)
        *begin = *end = 0;
}

/* Row `row` of slice `slice` of the output. */
static void row_emit(const Pool *pool, IrValue slice, IrValue row) {
    const Step *step = pool->emitter->step;
    Ir *ir = pool->emitter->ir;
    int columns = step->tile.columns;
    int64_t begin, end;
    inside_range(step, &begin, &end);
    Rows rows = {taps_inside(pool, WINDOW_DEPTH, slice), taps_inside(pool, WINDOW_HEIGHT, row),
                 NULL};
    rows.counted = ir_mul(ir, rows.slices.counted, rows.rows.counted);
    int64_t height = step->output.height / window_of(pool)->output_slices;
    row = ir_add(ir, ir_mul_const(ir, slice, height), row);
    edges_emit(pool, &rows, row, 0, begin);
    int64_t whole = begin + (end - begin) / columns * columns;
    if (begin < whole) {
        IrLoop loop = ir_loop_begin(ir, ir_i64(ir, begin), ir_i64(ir, whole), columns, NULL, 0);
        inside_emit(pool, &rows, row, loop.index, columns);
        ir_loop_end(ir, &loop);
    }
    if (whole < end)
        inside_emit(pool, &rows, row, ir_i64(ir, whole), (int)(end - whole));
    edges_emit(pool, &rows, row, end, step->output.width);
}

void window_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    const Window *window = &step->window.window;
    Ir *ir = emitter->ir;
    assert(step->tile.columns >= 1 && step->tile.columns <= MAX_COLUMNS);
    Pool pool = {.emitter = emitter};
    int64_t blocks = divide_up(step->output.channels, emitter->lanes);
    IrLoop over_blocks = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, blocks), 1, NULL, 0);
    pool.channel = ir_mul_const(ir, over_blocks.index, emitter->lanes);
    pool.input = ir_at(ir, emitter_input(emitter, 0),
                       ir_mul_const(ir, over_blocks.index, step->inputs[0].block_stride));
    Portion share = portion_rows(emitter, pool.channel, 1);
    IrLoop over_slices =
        ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, window->output_slices), 1, NULL, 0);
    int64_t height = step->output.height / window->output_slices;
    IrValue first = ir_mul_const(ir, over_slices.index, height);
    Portion rows = portion_inside(emitter, &share, first, 1, height);
    IrLoop over_rows = ir_loop_begin(ir, rows.begin, rows.end, 1, NULL, 0);
    row_emit(&pool, over_slices.index, over_rows.index);
    ir_loop_end(ir, &over_rows);
    ir_loop_end(ir, &over_slices);
    ir_loop_end(ir, &over_blocks);
}
