/* Convolution by Winograd's method (plan/winograd.h), a group of tiles at a time:
 *
 *   input     each tile of each block of channels is transformed, B' d B
 *   products  for each position of the tile [tiles x channels] by [channels x filters], by register
 *             tiles as in conv_direct.c: a few tiles by a few vectors of filters
 *   output    each tile of each block of filters is transformed back, A' m A, and finished
 *
 * What lies between the three stays in the caches if the group is small (Lavin, Gray 2015, section
 * 4.2; Jia et al., Optimizing N-dimensional, Winograd-based convolution for manycore CPUs, 2018).
 * Scratch memory, T tiles in a group and V lanes:
 *
 *     lines                [size][size][V]
 *     transformed inputs   [positions][channel blocks][T][V], and V floats more for each position
 *     products             [positions][filter blocks][T][V], the same
 *
 * The V floats more keep the positions, which are written and read in turn, from all falling into
 * the same few places of a cache. */
#include <assert.h>

#include "kernels/epilogue.h"
#include "kernels/prefetch.h"

#define MAX_SUMS    128
#define MAX_VECTORS 8

/* The convolution and where its parts are. */
typedef struct Conv {
    const Emitter *emitter;
    const Winograd *winograd;
    int64_t channel_blocks, filter_blocks;
    int64_t input_stride;   /* floats from a position of the transformed inputs to the next */
    int64_t product_stride; /* the same of the products */
    IrValue lines, inputs, products;
    Portion blocks; /* of filters as wide as the register tile, the last maybe less */
    IrValue first;  /* tile of the group */
    IrValue count;  /* tiles in it */
} Conv;

/* ---- transforms of a line ------------------------------------------------------------------- */

static IrValue scaled(const Conv *conv, double factor, IrValue x) {
    Ir *ir = conv->emitter->ir;
    return factor == 1 ? x : ir_fmul(ir, ir_f32_vector(ir, factor, conv->emitter->lanes), x);
}

/* sum + factor * x; `sum` may be NULL. */
static IrValue accumulate(const Conv *conv, IrValue sum, double factor, IrValue x) {
    Ir *ir = conv->emitter->ir;
    if (factor == 0)
        return sum;
    if (!sum)
        return scaled(conv, factor, x);
    if (factor == 1)
        return ir_fadd(ir, sum, x);
    if (factor == -1)
        return ir_fsub(ir, sum, x);
    return ir_fma(ir, ir_f32_vector(ir, factor, conv->emitter->lanes), x, sum);
}

/* The sum of the factors of even (parity 0) or odd powers times their numbers, from the highest
 * power down, whose factor is 1. */
static IrValue sum_of_parity(const Conv *conv, const double *factors, const IrValue *x,
                             int parity) {
    IrValue sum = NULL;
    for (int k = conv->winograd->size - 1; k >= 0; k--)
        if (k % 2 == parity)
            sum = accumulate(conv, sum, factors[k], x[k]);
    return sum;
}

/* B' x: rows of points p and -p have the same even and opposite odd factors. */
static void transform_input(const Conv *conv, const IrValue *x, IrValue *result) {
    const Winograd *winograd = conv->winograd;
    Ir *ir = conv->emitter->ir;
    int last = winograd->size - 1;
    result[0] = sum_of_parity(conv, winograd->input[0], x, 0);
    for (int row = 1; row < last; row += 2) {
        IrValue even = sum_of_parity(conv, winograd->input[row], x, 0);
        IrValue odd = sum_of_parity(conv, winograd->input[row], x, 1);
        result[row] = ir_fadd(ir, even, odd);
        result[row + 1] = ir_fsub(ir, even, odd);
    }
    result[last] = sum_of_parity(conv, winograd->input[last], x, 1);
}

/* A' x: points p and -p count as their sum in even powers, as their difference in odd ones. */
static void transform_output(const Conv *conv, const IrValue *x, IrValue *result) {
    const Winograd *winograd = conv->winograd;
    Ir *ir = conv->emitter->ir;
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
            sum = accumulate(conv, sum, factors[k], sums[row % 2][k]);
        sum = accumulate(conv, sum, factors[0], x[0]);
        result[row] = accumulate(conv, sum, factors[last], x[last]);
    }
}

/* Numbers `stride` apart. */
static void line_load(const Conv *conv, IrValue pointer, int64_t stride, IrValue *x) {
    for (int k = 0; k < conv->winograd->size; k++)
        x[k] = ir_load(conv->emitter->ir, ir_at_const(conv->emitter->ir, pointer, k * stride),
                       conv->emitter->lanes);
}

static void line_store(const Conv *conv, IrValue pointer, int64_t stride, const IrValue *x,
                       int count) {
    for (int k = 0; k < count; k++)
        ir_store(conv->emitter->ir, ir_at_const(conv->emitter->ir, pointer, k * stride), x[k],
                 conv->emitter->lanes);
}

/* ---- tiles ---------------------------------------------------------------------------------- */

/* The pixel at which a tile's output begins. */
typedef struct Corner {
    IrValue row, column;
} Corner;

static Corner corner_of(const Conv *conv, IrValue tile) {
    Ir *ir = conv->emitter->ir;
    int64_t columns = conv->emitter->step->conv.tiles[1];
    IrValue number = ir_add(ir, conv->first, tile);
    return (Corner){ir_mul_const(ir, ir_div_const(ir, number, columns), conv->winograd->outputs),
                    ir_mul_const(ir, ir_rem_const(ir, number, columns), conv->winograd->outputs)};
}

/* The float of the transformed inputs or products where a tile in a block has position 0. */
static IrValue transformed_index(const Conv *conv, IrValue block, IrValue tile) {
    const Step *step = conv->emitter->step;
    Ir *ir = conv->emitter->ir;
    int lanes = conv->emitter->lanes;
    return ir_add(ir, ir_mul_const(ir, block, step->conv.group * lanes),
                  ir_mul_const(ir, tile, lanes));
}

static void input_emit(const Conv *conv, IrValue block, IrValue tile) {
    const Emitter *emitter = conv->emitter;
    const View *view = &emitter->step->inputs[0];
    const Window *window = &emitter->step->conv.window;
    Ir *ir = emitter->ir;
    int size = conv->winograd->size, lanes = emitter->lanes;
    Corner corner = corner_of(conv, tile);
    int64_t padding = view_pixel_offset(view, window->pad_begin[0], window->pad_begin[1]);
    IrValue index = ir_add(ir, ir_mul_const(ir, block, view->block_stride),
                           view_pixel_index(ir, view, corner.row, corner.column));
    IrValue input = ir_at(ir, emitter_input(emitter, 0), ir_add_const(ir, index, -padding));
    IrValue result = ir_at(ir, conv->inputs, transformed_index(conv, block, tile));
    IrValue x[WINOGRAD_MAX_SIZE], y[WINOGRAD_MAX_SIZE];

    IrLoop columns = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, size), 1, NULL, 0);
    line_load(conv, ir_at(ir, input, ir_mul_const(ir, columns.index, view->pixel_stride)),
              view->row_stride, x);
    transform_input(conv, x, y);
    line_store(conv, ir_at(ir, conv->lines, ir_mul_const(ir, columns.index, lanes)),
               (int64_t)size * lanes, y, size);
    ir_loop_end(ir, &columns);

    IrLoop rows = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, size), 1, NULL, 0);
    line_load(conv, ir_at(ir, conv->lines, ir_mul_const(ir, rows.index, (int64_t)size * lanes)),
              lanes, x);
    transform_input(conv, x, y);
    line_store(conv, ir_at(ir, result, ir_mul_const(ir, rows.index, size * conv->input_stride)),
               conv->input_stride, y, size);
    ir_loop_end(ir, &rows);
}

/* Finishes the first `count` pixels of a row of a tile's output. */
static void pixels_finish(const Conv *conv, const Spot *first, const IrValue *y, int64_t count) {
    for (int k = 0; k < count; k++) {
        Spot spot = spot_moved(conv->emitter, first, 0, 0, k);
        spot_finish(conv->emitter, &spot, y[k], conv->emitter->lanes);
    }
}

/* One row of a tile's output from the lines at `lines`; the tile may reach past the right edge. */
static void output_row_emit(const Conv *conv, const Corner *corner, IrValue channel, IrValue row,
                            IrValue lines) {
    const Emitter *emitter = conv->emitter;
    Ir *ir = emitter->ir;
    int outputs = conv->winograd->outputs, lanes = emitter->lanes;
    int64_t width = emitter->step->output.width, left = width % outputs;
    IrValue bias = emitter_bias(emitter), x[WINOGRAD_MAX_SIZE], y[WINOGRAD_MAX_SIZE];
    line_load(conv, lines, lanes, x);
    transform_output(conv, x, y);
    if (bias) {
        bias = ir_load(ir, ir_at(ir, bias, channel), lanes);
        for (int k = 0; k < outputs; k++)
            y[k] = ir_fadd(ir, y[k], bias);
    }
    Spot first = spot_at(emitter, channel, row, corner->column);
    if (left == 0) {
        pixels_finish(conv, &first, y, outputs);
        return;
    }
    IrValue last = ir_i64(ir, width - left); /* column where the tiles that are cut begin */
    IrIf whole = ir_if_begin(ir, ir_less(ir, corner->column, last));
    pixels_finish(conv, &first, y, outputs);
    ir_if_end(ir, &whole);
    IrIf cut = ir_if_begin(ir, ir_less(ir, ir_add_const(ir, last, -1), corner->column));
    pixels_finish(conv, &first, y, left);
    ir_if_end(ir, &cut);
}

static void output_emit(const Conv *conv, IrValue block, IrValue tile) {
    const Emitter *emitter = conv->emitter;
    Ir *ir = emitter->ir;
    int size = conv->winograd->size, outputs = conv->winograd->outputs, lanes = emitter->lanes;
    Corner corner = corner_of(conv, tile);
    IrValue products = ir_at(ir, conv->products, transformed_index(conv, block, tile));
    IrValue x[WINOGRAD_MAX_SIZE], y[WINOGRAD_MAX_SIZE];

    IrLoop columns = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, size), 1, NULL, 0);
    line_load(conv, ir_at(ir, products, ir_mul_const(ir, columns.index, conv->product_stride)),
              size * conv->product_stride, x);
    transform_output(conv, x, y);
    line_store(conv, ir_at(ir, conv->lines, ir_mul_const(ir, columns.index, lanes)),
               (int64_t)size * lanes, y, outputs);
    ir_loop_end(ir, &columns);

    IrValue below = ir_sub(ir, ir_i64(ir, emitter->step->output.height), corner.row);
    IrValue end = ir_min(ir, ir_i64(ir, outputs), below);
    IrLoop rows = ir_loop_begin(ir, ir_i64(ir, 0), end, 1, NULL, 0);
    output_row_emit(conv, &corner, ir_mul_const(ir, block, lanes),
                    ir_add(ir, corner.row, rows.index),
                    ir_at(ir, conv->lines, ir_mul_const(ir, rows.index, (int64_t)size * lanes)));
    ir_loop_end(ir, &rows);
}

/* Calls `emit` for each tile of the group in each of `blocks`, vectors of channels. */
static void tiles_transform(const Conv *conv, const Portion *blocks,
                            void (*emit)(const Conv *, IrValue block, IrValue tile)) {
    Ir *ir = conv->emitter->ir;
    IrLoop block = ir_loop_begin(ir, blocks->begin, blocks->end, 1, NULL, 0);
    IrLoop tile = ir_loop_begin(ir, ir_i64(ir, 0), conv->count, 1, NULL, 0);
    emit(conv, block.index, tile.index);
    ir_loop_end(ir, &tile);
    ir_loop_end(ir, &block);
}

/* ---- products ------------------------------------------------------------------------------- */

/* Multiply-adds of a register tile for one channel: `inputs` is that of the first of the tiles. */
static void channel_emit(const Conv *conv, int vectors, IrValue inputs, IrValue weights,
                         IrValue *sums) {
    Ir *ir = conv->emitter->ir;
    int lanes = conv->emitter->lanes, columns = conv->emitter->step->tile.columns;
    IrValue weight[MAX_VECTORS];
    for (int v = 0; v < vectors; v++)
        weight[v] = ir_load(ir, ir_at_const(ir, weights, (int64_t)v * lanes), lanes);
    prefetch_stream(conv->emitter, weights, vectors);
    for (int c = 0; c < columns; c++) {
        IrValue number = ir_load(ir, ir_at_const(ir, inputs, (int64_t)c * lanes), 1);
        IrValue everywhere = ir_splat(ir, number, lanes);
        for (int v = 0; v < vectors; v++, sums++)
            *sums = ir_fma(ir, weight[v], everywhere, *sums);
    }
}

/* A register tile: the tiles from number `first` of the group on by `vectors` vectors of filters;
 * `inputs` and `products` are those of number 0. */
static void product_emit(const Conv *conv, int vectors, IrValue first, IrValue inputs,
                         IrValue weights, IrValue next_weights, IrValue products) {
    const Step *step = conv->emitter->step;
    Ir *ir = conv->emitter->ir;
    int lanes = conv->emitter->lanes, columns = step->tile.columns, unroll = step->tile.unroll;
    int64_t block_stride = step->conv.group * lanes;
    IrValue sums[MAX_SUMS];
    assert(columns * vectors <= MAX_SUMS);
    for (int k = 0; k < columns * vectors; k++)
        sums[k] = ir_f32_vector(ir, 0, lanes);
    IrValue at = ir_mul_const(ir, first, lanes);
    inputs = ir_at(ir, inputs, at);
    products = ir_at(ir, products, at);
    int64_t channel_weights = (int64_t)vectors * lanes;
    NextBlock next =
        next_block_begin(conv->emitter, next_weights, step->inputs[0].channels * channel_weights,
                         first, columns, step->conv.group);
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, step->inputs[0].channels), unroll,
                                sums, columns * vectors);
    IrValue block = ir_mul_const(ir, ir_div_const(ir, loop.index, lanes), block_stride);
    IrValue lane = ir_rem_const(ir, loop.index, lanes);
    IrValue from = ir_at(ir, inputs, ir_add(ir, block, lane));
    IrValue read = ir_mul_const(ir, loop.index, channel_weights);
    IrValue by = ir_at(ir, weights, read);
    next_block_prefetch(&next, read, unroll * channel_weights);
    for (int k = 0; k < unroll; k++)
        channel_emit(conv, vectors, ir_at_const(ir, from, k),
                     ir_at_const(ir, by, k * channel_weights), sums);
    ir_loop_end(ir, &loop);
    const IrValue *sum = sums;
    for (int c = 0; c < columns; c++)
        for (int v = 0; v < vectors; v++, sum++)
            ir_store(ir, ir_at_const(ir, products, v * block_stride + (int64_t)c * lanes), *sum,
                     lanes);
}

/* Where the weights are of the block that this part does after whole block number `index`, whose
 * own are at `weights`: the next, or its first of the next position. */
static IrValue weights_after(const Conv *conv, IrValue index, IrValue weights) {
    const Step *step = conv->emitter->step;
    Ir *ir = conv->emitter->ir;
    int64_t width = (int64_t)step->tile.vectors * conv->emitter->lanes;
    int64_t floats = width * step->inputs[0].channels, blocks = step->output.channels / width;
    IrValue next = ir_at_const(ir, weights, floats);
    if (step->parts < 2)
        return next;
    IrValue end = ir_min(ir, conv->blocks.end, ir_i64(ir, blocks));
    IrValue others = ir_sub(ir, ir_i64(ir, blocks), ir_sub(ir, end, conv->blocks.begin));
    IrValue is_last = ir_less(ir, end, ir_add_const(ir, index, 2));
    return ir_select(ir, is_last, ir_at(ir, next, ir_mul_const(ir, others, floats)), next);
}

/* Blocks of `vectors` vectors of filters, at all tiles of the group: the weights of number 0 begin
 * at `weights`, its products at `products`. */
static void blocks_emit(const Conv *conv, IrLoop block, int vectors, IrValue inputs,
                        IrValue weights, IrValue products) {
    const Step *step = conv->emitter->step;
    Ir *ir = conv->emitter->ir;
    int64_t width = (int64_t)vectors * conv->emitter->lanes;
    int64_t floats = width * step->inputs[0].channels;
    IrValue by = ir_at(ir, weights, ir_mul_const(ir, block.index, floats));
    bool whole = vectors == step->tile.vectors;
    IrValue after = whole ? weights_after(conv, block.index, by) : ir_at_const(ir, by, floats);
    IrValue to = ir_at(ir, products, ir_mul_const(ir, block.index, width * step->conv.group));
    IrLoop tile = ir_loop_begin(ir, ir_i64(ir, 0), conv->count, step->tile.columns, NULL, 0);
    product_emit(conv, vectors, tile.index, inputs, by, after, to);
    ir_loop_end(ir, &tile);
    ir_loop_end(ir, &block);
}

static void products_emit(const Conv *conv) {
    const Emitter *emitter = conv->emitter;
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    int64_t positions = (int64_t)conv->winograd->size * conv->winograd->size;
    int64_t channels = step->inputs[0].channels, filters = step->output.channels;
    int64_t width = (int64_t)step->tile.vectors * lanes, blocks = filters / width;
    int rest = (int)divide_up(filters % width, lanes); /* vectors of part 2 */
    IrValue weights = emitter_weights(emitter);
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, positions), 1, NULL, 0);
    IrValue inputs = ir_at(ir, conv->inputs, ir_mul_const(ir, loop.index, conv->input_stride));
    IrValue products =
        ir_at(ir, conv->products, ir_mul_const(ir, loop.index, conv->product_stride));
    int64_t part_1 = blocks * channels * width; /* floats of a position */
    if (blocks > 0) {
        IrValue first = ir_at(ir, weights, ir_mul_const(ir, loop.index, part_1));
        IrLoop block = portion_whole_begin(ir, &conv->blocks, blocks, 1);
        blocks_emit(conv, block, step->tile.vectors, inputs, first, products);
    }
    if (rest > 0) { /* block number `blocks`: where number 0 would be */
        int64_t behind = blocks * rest * lanes;
        IrValue second = ir_mul_const(ir, loop.index, channels * rest * lanes);
        second = ir_add_const(ir, second, positions * part_1 - behind * channels);
        IrValue to = ir_at_const(ir, products, (blocks * width - behind) * step->conv.group);
        IrLoop block = portion_rest_begin(ir, &conv->blocks, blocks, 1);
        blocks_emit(conv, block, rest, inputs, ir_at(ir, weights, second), to);
    }
    ir_loop_end(ir, &loop);
}

/* ---- all of it ------------------------------------------------------------------------------ */

void conv_winograd_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    const Winograd *winograd = step->conv.winograd;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    int64_t positions = (int64_t)winograd->size * winograd->size, group = step->conv.group;
    Conv conv = {.emitter = emitter,
                 .winograd = winograd,
                 .channel_blocks = divide_up(step->inputs[0].channels, lanes),
                 .filter_blocks = divide_up(step->output.channels, lanes)};
    conv.input_stride = (conv.channel_blocks * group + 1) * lanes;
    conv.product_stride = (conv.filter_blocks * group + 1) * lanes;
    int64_t floats = positions * (lanes + conv.input_stride + conv.product_stride);
    conv.lines = emitter_scratch(emitter);
    if (step->parts > 1) /* each part has its own */
        conv.lines = ir_at(ir, conv.lines, ir_mul_const(ir, emitter->part, floats));
    conv.inputs = ir_at_const(ir, conv.lines, positions * lanes);
    conv.products = ir_at_const(ir, conv.inputs, positions * conv.input_stride);

    int64_t tiles = step->conv.tiles[0] * step->conv.tiles[1], groups = divide_up(tiles, group);
    int64_t blocks = divide_up(step->output.channels, (int64_t)step->tile.vectors * lanes);
    Portion all = {ir_i64(ir, 0), ir_i64(ir, groups)};
    conv.blocks = (Portion){ir_i64(ir, 0), ir_i64(ir, blocks)};
    if (step->split == SPLIT_ROWS)
        all = portion_of(emitter, groups);
    else
        conv.blocks = portion_of(emitter, blocks);
    const Portion before = {ir_i64(ir, 0), ir_i64(ir, conv.channel_blocks)};
    const Portion after = {ir_mul_const(ir, conv.blocks.begin, step->tile.vectors),
                           ir_min(ir, ir_mul_const(ir, conv.blocks.end, step->tile.vectors),
                                  ir_i64(ir, conv.filter_blocks))};

    IrLoop loop = ir_loop_begin(ir, all.begin, all.end, 1, NULL, 0);
    conv.first = ir_mul_const(ir, loop.index, group);
    conv.count = ir_min(ir, ir_i64(ir, group), ir_sub(ir, ir_i64(ir, tiles), conv.first));
    tiles_transform(&conv, &before, input_emit);
    products_emit(&conv);
    tiles_transform(&conv, &after, output_emit);
    ir_loop_end(ir, &loop);
}
