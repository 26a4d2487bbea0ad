/* Direct convolution by register tiles.
 *
 * A tile is rows x columns output pixels of a few vectors of filters. Its sums stay in registers
 * while all input channels and kernel taps pass: a tap loads one vector of weights for each vector
 * of filters, and one broadcast input number for each pixel serves them all. Around it are loops
 * over tiles, over blocks of filters and over groups; nothing is transformed or copied. (Georganas
 * et al., Anatomy of High-Performance Deep Learning Convolutions on SIMD Architectures, 2018.) */
#include <assert.h>

#include "kernels/epilogue.h"
#include "kernels/prefetch.h"
#include "plan/tile_cost.h"

/* Most multiply-adds in a straight run of code: enough to hide the loops around it, little enough
 * to stay in the instruction cache. */
#define STRAIGHT_FMAS 448
/* The same in tiles at the edges, which run less often. */
#define STRAIGHT_EDGE_FMAS 128

/* Floats of weights that stay in the first cache beside the input. */
#define CACHED_WEIGHTS 4096

#define MAX_SUMS 128

/* The filters that the code in the making computes together, and where their operands are. */
typedef struct Conv {
    const Emitter *emitter;
    int64_t group_channels; /* input channels of a group, Cg */
    int vectors;            /* of filters in a tile */
    bool ends_in_half;      /* the last of them has half the lanes */
    IrValue first_channel;  /* i64, input channel where the group begins */
    IrValue first_filter;   /* i64, of the block of filters */
    IrValue weights;        /* pointer to [Cg][KH][KW][vectors * V] of the block */
    Portion rows;           /* of the output, that this part does */
} Conv;

/* One tile, its pointers and its sums, [rows][columns][vectors]. */
typedef struct ConvTile {
    const Conv *conv;
    int rows, columns;
    int channels;       /* input channels in a straight run */
    bool straight_rows; /* kernel rows in a straight run, else a loop */
    bool straight_taps; /* taps of a kernel row in a straight run, else a loop */
    IrValue input;      /* where tap (0, 0) of output pixel (0, 0) reads channel 0 of the view */
    IrValue sums[MAX_SUMS];
} ConvTile;

static const Window *window_of(const Conv *conv) {
    return &conv->emitter->step->conv.window;
}

/* Of vector number `v` of a tile. */
static int lanes_of(const Conv *conv, int64_t v) {
    int lanes = conv->emitter->lanes;
    return conv->ends_in_half && v == conv->vectors - 1 ? lanes / 2 : lanes;
}

static int tile_width(const Conv *conv) {
    return conv->vectors * conv->emitter->lanes;
}

/* Weights of an input channel for a block of filters. */
static int64_t channel_weights(const Conv *conv) {
    const Window *window = window_of(conv);
    return window->kernel[0] * window->kernel[1] * tile_width(conv);
}

/* Whether the weights of a block of filters stay in the first cache beside the input. */
static bool first_cache_holds(const Conv *conv) {
    return conv->group_channels * channel_weights(conv) <= CACHED_WEIGHTS;
}

/* ---- taps ---------------------------------------------------------------------------------- */

/* One tap of one channel: `input` is what it reads for output pixel (0, 0), `weights` its T
 * weights. */
static void tap_emit(ConvTile *tile, IrValue input, IrValue weights) {
    const Emitter *emitter = tile->conv->emitter;
    const View *view = &emitter->step->inputs[0];
    const Window *window = window_of(tile->conv);
    int vectors = tile->conv->vectors, lanes = emitter->lanes;
    Ir *ir = emitter->ir;
    IrValue weight[MAX_SUMS];
    for (int64_t v = 0; v < vectors; v++)
        weight[v] = ir_load(ir, ir_at_const(ir, weights, v * lanes), lanes_of(tile->conv, v));
    if (!first_cache_holds(tile->conv))
        prefetch_stream(emitter, weights, vectors);
    IrValue *sum = tile->sums;
    for (int r = 0; r < tile->rows; r++) {
        for (int c = 0; c < tile->columns; c++) {
            int64_t offset = view_pixel_offset(view, r * window->stride[0], c * window->stride[1]);
            IrValue number = ir_load(ir, ir_at_const(ir, input, offset), 1);
            IrValue everywhere = ir_splat(ir, number, lanes), last = everywhere;
            if (tile->conv->ends_in_half)
                last = ir_splat(ir, number, lanes / 2);
            for (int v = 0; v < vectors; v++, sum++)
                *sum = ir_fma(ir, weight[v], v < vectors - 1 ? everywhere : last, *sum);
        }
    }
}

/* The taps of one kernel row for the channels of a straight run. */
static void kernel_row_emit(ConvTile *tile, IrValue input, IrValue weights) {
    const Emitter *emitter = tile->conv->emitter;
    const View *view = &emitter->step->inputs[0];
    const Window *window = window_of(tile->conv);
    Ir *ir = emitter->ir;
    int64_t taps = window->kernel[1], width = tile_width(tile->conv);
    int64_t tap_stride = window->dilation[1] * view->pixel_stride;
    int sum_count = tile->rows * tile->columns * tile->conv->vectors;
    for (int k = 0; k < tile->channels; k++) {
        IrValue from = ir_at_const(ir, input, view_channel_offset(view, k));
        IrValue by = ir_at_const(ir, weights, k * channel_weights(tile->conv));
        if (tile->straight_taps) {
            for (int64_t kw = 0; kw < taps; kw++)
                tap_emit(tile, ir_at_const(ir, from, kw * tap_stride),
                         ir_at_const(ir, by, kw * width));
        } else {
            IrLoop loop =
                ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, taps), 1, tile->sums, sum_count);
            tap_emit(tile, ir_at(ir, from, ir_mul_const(ir, loop.index, tap_stride)),
                     ir_at(ir, by, ir_mul_const(ir, loop.index, width)));
            ir_loop_end(ir, &loop);
        }
    }
}

/* All taps of the channels of a straight run. */
static void kernel_emit_taps(ConvTile *tile, IrValue input, IrValue weights) {
    const Emitter *emitter = tile->conv->emitter;
    const Window *window = window_of(tile->conv);
    Ir *ir = emitter->ir;
    int64_t input_stride = window->dilation[0] * emitter->step->inputs[0].row_stride;
    int64_t weight_stride = window->kernel[1] * tile_width(tile->conv);
    if (tile->straight_rows) {
        for (int64_t kh = 0; kh < window->kernel[0]; kh++)
            kernel_row_emit(tile, ir_at_const(ir, input, kh * input_stride),
                            ir_at_const(ir, weights, kh * weight_stride));
        return;
    }
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, window->kernel[0]), 1, tile->sums,
                                tile->rows * tile->columns * tile->conv->vectors);
    kernel_row_emit(tile, ir_at(ir, input, ir_mul_const(ir, loop.index, input_stride)),
                    ir_at(ir, weights, ir_mul_const(ir, loop.index, weight_stride)));
    ir_loop_end(ir, &loop);
}

/* ---- a tile -------------------------------------------------------------------------------- */

/* May the taps along an axis be straight code? Different taps of neighbouring pixels read the same
 * numbers, and LLVM keeps what is read twice in a register, where loading it again would be free:
 * either they do not, or registers are left for all numbers that one tap leaves to the next. */
static bool taps_are_apart(const ConvTile *tile, int axis) {
    const Emitter *emitter = tile->conv->emitter;
    const Window *window = window_of(tile->conv);
    int outputs = axis == 0 ? tile->rows : tile->columns;
    int64_t reach = (window->kernel[axis] - 1) * window->dilation[axis];
    int64_t pixels = (int64_t)tile->rows * tile->columns, vectors = tile->conv->vectors;
    int64_t numbers = pixels / outputs * ((outputs - 1) * window->stride[axis] + reach + 1);
    return outputs == 1 || reach < window->stride[axis] ||
           pixels * vectors + vectors + numbers <= emitter->machine->registers;
}

/* Input channels in a straight run: what the plan asks for, as far as code stays short. Channels
 * beside each other have weights far apart if there are several taps; weights that do not stay in
 * the first cache are then read in their order instead, one channel at a time. */
static int channels_together(const ConvTile *tile, int64_t taps) {
    const Window *window = window_of(tile->conv);
    int64_t kernel = window->kernel[0] * window->kernel[1];
    int channels = tile->conv->emitter->step->tile.unroll;
    if (kernel > 1 && !first_cache_holds(tile->conv))
        return 1;
    while (channels > 1 && channels > taps)
        channels = channels % 2 == 0 ? channels / 2 : 1;
    return channels;
}

/* Decides which loops become straight code: channels, taps of a kernel row, kernel rows. */
static void tile_unroll(ConvTile *tile, bool edge) {
    const Window *window = window_of(tile->conv);
    int fmas = tile->rows * tile->columns * tile->conv->vectors;
    int64_t taps = (edge ? STRAIGHT_EDGE_FMAS : STRAIGHT_FMAS) / fmas;
    tile->channels = channels_together(tile, taps);
    taps /= tile->channels;
    tile->straight_taps = window->kernel[1] <= taps && taps_are_apart(tile, 1);
    tile->straight_rows = tile->straight_taps && window->kernel[0] * window->kernel[1] <= taps &&
                          taps_are_apart(tile, 0);
}

/* The sums begin with the bias, or with 0. */
static void tile_begin_sums(ConvTile *tile) {
    const Conv *conv = tile->conv;
    Ir *ir = conv->emitter->ir;
    int lanes = conv->emitter->lanes, pixels = tile->rows * tile->columns;
    IrValue bias = emitter_bias(conv->emitter);
    for (int64_t v = 0; v < conv->vectors; v++) {
        IrValue first = ir_f32_vector(ir, 0, lanes_of(conv, v));
        if (bias)
            first = ir_load(ir, ir_at_const(ir, ir_at(ir, bias, conv->first_filter), v * lanes),
                            lanes_of(conv, v));
        for (int p = 0; p < pixels; p++)
            tile->sums[p * conv->vectors + v] = first;
    }
}

/* Asks for what the tile reads of the next block of channels, `input` being at channel `channel` of
 * this one: its pixels are so far apart that no processor sees by itself what comes. Each turn of
 * the block asks for its share of the columns, of which the last may be the next tile's. */
static void input_prefetch(const ConvTile *tile, IrValue input, IrValue channel) {
    const Emitter *emitter = tile->conv->emitter;
    const View *view = &emitter->step->inputs[0];
    const Window *window = window_of(tile->conv);
    Ir *ir = emitter->ir;
    if (emitter->machine->prefetch_bytes == 0 || view->block == 1)
        return;
    int turns = (int)(view->block / tile->channels);
    IrValue turn = ir_div_const(ir, ir_rem_const(ir, channel, view->block), tile->channels);
    int64_t row = view_pixel_offset(view, window->stride[0], 0);
    int64_t column = view_pixel_offset(view, 0, window->stride[1]);
    IrValue next = ir_at_const(ir, input, view->block_stride);
    IrValue share = ir_at(ir, next, ir_mul_const(ir, turn, column));
    for (int r = 0; r < tile->rows; r++)
        for (int c = 0; c < tile->columns; c += turns)
            ir_prefetch(ir, ir_at_const(ir, share, r * row + c * column), IR_FIRST_CACHE);
}

/* What the tile at `row` and `column` asks for of the next block's weights. */
static NextBlock tile_next_block(const ConvTile *tile, IrValue row, IrValue column) {
    const Conv *conv = tile->conv;
    const Step *step = conv->emitter->step;
    Ir *ir = conv->emitter->ir;
    int64_t sharing = step->parts > 1 && step->split == SPLIT_ROWS ? step->parts : 1;
    IrValue rows = ir_mul_const(ir, ir_sub(ir, row, conv->rows.begin), step->output.width);
    IrValue pixels = ir_add(ir, rows, ir_mul_const(ir, column, tile->rows));
    int64_t floats = conv->group_channels * channel_weights(conv);
    return next_block_begin(conv->emitter, ir_at_const(ir, conv->weights, floats), floats, pixels,
                            (int64_t)tile->rows * tile->columns,
                            divide_up(step->output.height * step->output.width, sharing));
}

/* Adds the taps of all channels of the group. */
static void tile_emit_channels(ConvTile *tile, const NextBlock *next) {
    const Conv *conv = tile->conv;
    const View *view = &conv->emitter->step->inputs[0];
    Ir *ir = conv->emitter->ir;
    assert(conv->group_channels % tile->channels == 0);
    assert(view->block == 1 || view->block % tile->channels == 0);
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, conv->group_channels), tile->channels,
                                tile->sums, tile->rows * tile->columns * conv->vectors);
    IrValue channel = ir_add(ir, conv->first_channel, loop.index);
    IrValue from = ir_at(ir, tile->input, view_channel_index(ir, view, channel));
    IrValue read = ir_mul_const(ir, loop.index, channel_weights(conv));
    if (!first_cache_holds(conv) || view_is_far(conv->emitter, view))
        input_prefetch(tile, from, channel);
    next_block_prefetch(next, read, tile->channels * channel_weights(conv));
    kernel_emit_taps(tile, from, ir_at(ir, conv->weights, read));
    ir_loop_end(ir, &loop);
}

/* Vectors of half the lanes become whole ones. */
static void tile_widen_sums(ConvTile *tile) {
    const Conv *conv = tile->conv;
    int last = conv->vectors - 1, lanes = conv->emitter->lanes;
    for (int p = 0; conv->ends_in_half && p < tile->rows * tile->columns; p++) {
        IrValue *sum = tile->sums + p * conv->vectors + last;
        *sum = ir_widen(conv->emitter->ir, *sum, lanes / 2, lanes);
    }
}

/* A TileEmitter. */
static void tile_emit(void *context, IrValue row, IrValue column, int rows, int columns) {
    const Conv *conv = context;
    const Emitter *emitter = conv->emitter;
    const View *view = &emitter->step->inputs[0];
    const Window *window = window_of(conv);
    Ir *ir = emitter->ir;
    ConvTile tile = {.conv = conv, .rows = rows, .columns = columns};
    assert(rows * columns * conv->vectors <= MAX_SUMS);
    tile_unroll(&tile, rows < emitter->step->tile.rows || columns < emitter->step->tile.columns);

    IrValue first_row = ir_mul_const(ir, row, window->stride[0]);
    IrValue first_column = ir_mul_const(ir, column, window->stride[1]);
    IrValue pixel = view_pixel_index(ir, view, first_row, first_column);
    int64_t padding = view_pixel_offset(view, window->pad_begin[0], window->pad_begin[1]);
    tile.input = ir_at(ir, emitter_input(emitter, 0), ir_add_const(ir, pixel, -padding));
    tile_begin_sums(&tile);
    NextBlock next = {0};
    if (!first_cache_holds(conv))
        next = tile_next_block(&tile, row, column);
    tile_prefetch(emitter, conv->first_filter, row, column, rows, columns, conv->vectors);
    tile_emit_channels(&tile, &next);
    tile_widen_sums(&tile);
    tile_finish(emitter, conv->first_filter, row, column, tile.sums, rows, columns, conv->vectors);
}

/* ---- filters and groups -------------------------------------------------------------------- */

/* `blocks` blocks of `vectors` vectors of filters for the group whose input begins at
 * conv->first_channel; their filters begin at `filter`, their weights at `weights`. */
static void filters_emit(Conv *conv, int64_t blocks, int vectors, IrValue filter, IrValue weights) {
    const Emitter *emitter = conv->emitter;
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    conv->vectors = vectors;
    int64_t floats = conv->group_channels * channel_weights(conv);
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, blocks), 1, NULL, 0);
    conv->first_filter =
        ir_add(ir, filter, ir_mul_const(ir, loop.index, (int64_t)vectors * emitter->lanes));
    conv->weights = ir_at(ir, weights, ir_mul_const(ir, loop.index, floats));
    conv->rows = portion_rows(emitter, conv->first_filter, vectors);
    tiles_emit(ir, step->output.height, step->output.width, step->tile.rows, step->tile.columns,
               &conv->rows, tile_emit, conv);
    ir_loop_end(ir, &loop);
}

void conv_direct_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    const Window *window = &step->conv.window;
    Ir *ir = emitter->ir;
    int64_t groups = step->conv.groups;
    int64_t filters = step->output.channels / groups; /* Fg */
    int64_t block = (int64_t)step->tile.vectors * emitter->lanes, blocks = filters / block;
    int rest = (int)divide_up(filters % block, emitter->lanes); /* vectors of part 2 */
    Conv conv = {.emitter = emitter, .group_channels = step->inputs[0].channels / groups};
    int64_t filter_weights = conv.group_channels * window->kernel[0] * window->kernel[1];
    int64_t part_2 = groups * blocks * filter_weights * block;

    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, groups), 1, NULL, 0);
    IrValue group = loop.index, weights = emitter_weights(emitter);
    IrValue filter = ir_mul_const(ir, group, filters);
    conv.first_channel = ir_mul_const(ir, group, conv.group_channels);
    if (blocks > 0) {
        IrValue at = ir_mul_const(ir, group, blocks * filter_weights * block);
        filters_emit(&conv, blocks, step->tile.vectors, filter, ir_at(ir, weights, at));
    }
    if (rest > 0) {
        conv.ends_in_half = conv_ends_in_half(emitter->machine, step->output.channels, groups);
        IrValue at = ir_mul_const(ir, group, filter_weights * rest * emitter->lanes);
        filters_emit(&conv, 1, rest, ir_add_const(ir, filter, blocks * block),
                     ir_at(ir, weights, ir_add_const(ir, at, part_2)));
    }
    ir_loop_end(ir, &loop);
}
