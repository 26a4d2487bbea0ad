/* Convolution in small groups, as many filters as channels in each, that fill a vector together:
 * a block of input channels has just the channels that a vector of filters needs. It is loaded as
 * it is for each pixel and tap, and shuffled once for each channel of a group, so that each lane
 * gets that channel of its own group. */
#include <assert.h>

#include "kernels/epilogue.h"

#define MAX_SUMS  64
#define MAX_LANES 64

typedef struct Conv {
    const Emitter *emitter;
    int group_channels;   /* Cg */
    IrValue first_filter; /* i64, of the vector */
    IrValue weights;      /* pointer to [Cg][KH][KW][V] of the vector */
} Conv;

/* Channel `channel` of each lane's group. */
static IrValue lanes_shuffle(const Conv *conv, IrValue block, int channel) {
    int picks[MAX_LANES];
    for (int lane = 0; lane < conv->emitter->lanes; lane++)
        picks[lane] = lane / conv->group_channels * conv->group_channels + channel;
    return ir_shuffle(conv->emitter->ir, block, picks, conv->emitter->lanes);
}

/* All channels of one tap: `input` is what it reads for output pixel (0, 0), `weights` those of
 * channel 0. */
static void tap_emit(const Conv *conv, IrValue input, IrValue weights, int rows, int columns,
                     IrValue *sums) {
    const Emitter *emitter = conv->emitter;
    const View *view = &emitter->step->inputs[0];
    const Window *window = &emitter->step->conv.window;
    Ir *ir = emitter->ir;
    int64_t channel_weights = window->kernel[0] * window->kernel[1] * emitter->lanes;
    IrValue weight[MAX_LANES];
    for (int k = 0; k < conv->group_channels; k++)
        weight[k] = ir_load(ir, ir_at_const(ir, weights, k * channel_weights), emitter->lanes);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++, sums++) {
            int64_t offset = view_pixel_offset(view, r * window->stride[0], c * window->stride[1]);
            IrValue block = ir_load(ir, ir_at_const(ir, input, offset), emitter->lanes);
            for (int k = 0; k < conv->group_channels; k++)
                *sums = ir_fma(ir, weight[k], lanes_shuffle(conv, block, k), *sums);
        }
}

/* A TileEmitter. */
static void tile_emit(void *context, IrValue row, IrValue column, int rows, int columns) {
    const Conv *conv = context;
    const Emitter *emitter = conv->emitter;
    const View *view = &emitter->step->inputs[0];
    const Window *window = &emitter->step->conv.window;
    Ir *ir = emitter->ir;
    IrValue block = view_channel_index(ir, view, conv->first_filter); /* its channels are these */
    IrValue pixel = view_pixel_index(ir, view, ir_mul_const(ir, row, window->stride[0]),
                                     ir_mul_const(ir, column, window->stride[1]));
    int64_t padding = view_pixel_offset(view, window->pad_begin[0], window->pad_begin[1]);
    IrValue index = ir_add_const(ir, ir_add(ir, block, pixel), -padding);
    IrValue input = ir_at(ir, emitter_input(emitter, 0), index);

    IrValue bias = emitter_bias(emitter), sums[MAX_SUMS];
    IrValue first = bias ? ir_load(ir, ir_at(ir, bias, conv->first_filter), emitter->lanes)
                         : ir_f32_vector(ir, 0, emitter->lanes);
    int count = rows * columns;
    assert(count <= MAX_SUMS);
    for (int i = 0; i < count; i++)
        sums[i] = first;
    IrLoop down = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, window->kernel[0]), 1, sums, count);
    IrLoop across = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, window->kernel[1]), 1, sums, count);
    IrValue reach = view_pixel_index(ir, view, ir_mul_const(ir, down.index, window->dilation[0]),
                                     ir_mul_const(ir, across.index, window->dilation[1]));
    IrValue tap = ir_add(ir, ir_mul_const(ir, down.index, window->kernel[1]), across.index);
    tap_emit(conv, ir_at(ir, input, reach),
             ir_at(ir, conv->weights, ir_mul_const(ir, tap, emitter->lanes)), rows, columns, sums);
    ir_loop_end(ir, &across);
    ir_loop_end(ir, &down);
    tile_finish(emitter, conv->first_filter, row, column, sums, rows, columns, 1);
}

void conv_shuffle_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    const Window *window = &step->conv.window;
    Ir *ir = emitter->ir;
    Conv conv = {.emitter = emitter,
                 .group_channels = (int)(step->inputs[0].channels / step->conv.groups)};
    assert(emitter->lanes <= MAX_LANES && emitter->lanes % conv.group_channels == 0);
    int64_t vectors = divide_up(step->output.channels, emitter->lanes);
    int64_t vector_weights =
        conv.group_channels * window->kernel[0] * window->kernel[1] * emitter->lanes;
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, vectors), 1, NULL, 0);
    conv.first_filter = ir_mul_const(ir, loop.index, emitter->lanes);
    conv.weights =
        ir_at(ir, emitter_weights(emitter), ir_mul_const(ir, loop.index, vector_weights));
    Portion rows = portion_rows(emitter, conv.first_filter, 1);
    tiles_emit(ir, step->output.height, step->output.width, step->tile.rows, step->tile.columns,
               &rows, tile_emit, &conv);
    ir_loop_end(ir, &loop);
}
