/* Convolution in groups that do not fill whole vectors of filters: the lanes of a vector belong to
 * different groups, so each reads its own input channel, lane f channel f / Fg * Cg + c. Numbers
 * are gathered one by one; each serves all the lanes of a vector that want it where that is known
 * when the code is made. */
#include <assert.h>

#include "kernels/epilogue.h"

#define MAX_COLUMNS 4
#define MAX_LANES   64

typedef struct Gather {
    const Emitter *emitter;
    int64_t group_channels;        /* Cg */
    int64_t group_filters;         /* Fg */
    int share;                     /* neighbouring lanes that read the same channel */
    IrValue filter;                /* i64, of lane 0 */
    IrValue weights;               /* pointer to [Cg][KH][KW][V] of the vector */
    IrValue lane_input[MAX_LANES]; /* where each lane reads; filled for each input channel */
} Gather;

/* Points each lane at its input channel of group channel `channel`, at tap (0, 0). */
static void lanes_point(Gather *gather, IrValue input, IrValue channel) {
    const Emitter *emitter = gather->emitter;
    const View *view = &emitter->step->inputs[0];
    Ir *ir = emitter->ir;
    IrValue last = ir_i64(ir, emitter->step->output.channels - 1);
    for (int lane = 0; lane < emitter->lanes; lane += gather->share) {
        IrValue filter = ir_min(ir, ir_add_const(ir, gather->filter, lane), last);
        IrValue group = ir_div_const(ir, filter, gather->group_filters);
        IrValue at = ir_add(ir, ir_mul_const(ir, group, gather->group_channels), channel);
        IrValue pointer = ir_at(ir, input, view_channel_index(ir, view, at));
        for (int k = lane; k < lane + gather->share; k++)
            gather->lane_input[k] = pointer;
    }
}

/* One number for each lane, `index` floats from where the lane points. */
static IrValue lanes_gather(const Gather *gather, IrValue index) {
    Ir *ir = gather->emitter->ir;
    int lanes = gather->emitter->lanes;
    IrValue vector = ir_f32_vector(ir, 0, lanes);
    for (int lane = 0; lane < lanes; lane += gather->share) {
        IrValue number = ir_load(ir, ir_at(ir, gather->lane_input[lane], index), 1);
        for (int k = lane; k < lane + gather->share; k++)
            vector = ir_insert(ir, vector, number, k);
    }
    return vector;
}

/* All taps of one group channel for `columns` pixels beside each other. */
static void taps_emit(const Gather *gather, IrValue channel, IrValue *sums, int columns) {
    const Emitter *emitter = gather->emitter;
    const View *view = &emitter->step->inputs[0];
    const Window *window = &emitter->step->conv.window;
    Ir *ir = emitter->ir;
    int64_t taps[2] = {window->kernel[0], window->kernel[1]};
    IrValue zero = ir_i64(ir, 0);
    IrLoop rows = ir_loop_begin(ir, zero, ir_i64(ir, taps[0]), 1, sums, columns);
    IrLoop row = ir_loop_begin(ir, zero, ir_i64(ir, taps[1]), 1, sums, columns);
    IrValue tap = ir_add(ir, ir_mul_const(ir, channel, taps[0]), rows.index);
    tap = ir_add(ir, ir_mul_const(ir, tap, taps[1]), row.index);
    IrValue at = ir_at(ir, gather->weights, ir_mul_const(ir, tap, emitter->lanes));
    IrValue weight = ir_load(ir, at, emitter->lanes);
    IrValue index = view_pixel_index(ir, view, ir_mul_const(ir, rows.index, window->dilation[0]),
                                     ir_mul_const(ir, row.index, window->dilation[1]));
    for (int c = 0; c < columns; c++) {
        int64_t offset = view_pixel_offset(view, 0, c * window->stride[1]);
        IrValue numbers = lanes_gather(gather, ir_add_const(ir, index, offset));
        sums[c] = ir_fma(ir, weight, numbers, sums[c]);
    }
    ir_loop_end(ir, &row);
    ir_loop_end(ir, &rows);
}

/* A TileEmitter of one row. */
static void tile_emit(void *context, IrValue row, IrValue column, int rows, int columns) {
    Gather *gather = context;
    const Emitter *emitter = gather->emitter;
    const View *view = &emitter->step->inputs[0];
    const Window *window = &emitter->step->conv.window;
    Ir *ir = emitter->ir;
    assert(rows == 1 && columns <= MAX_COLUMNS);
    (void)rows;
    IrValue pixel = view_pixel_index(ir, view, ir_mul_const(ir, row, window->stride[0]),
                                     ir_mul_const(ir, column, window->stride[1]));
    int64_t padding = view_pixel_offset(view, window->pad_begin[0], window->pad_begin[1]);
    IrValue input = ir_at(ir, emitter_input(emitter, 0), ir_add_const(ir, pixel, -padding));

    IrValue bias = emitter_bias(emitter), sums[MAX_COLUMNS];
    IrValue first = bias ? ir_load(ir, ir_at(ir, bias, gather->filter), emitter->lanes)
                         : ir_f32_vector(ir, 0, emitter->lanes);
    for (int c = 0; c < columns; c++)
        sums[c] = first;
    IrLoop loop =
        ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, gather->group_channels), 1, sums, columns);
    lanes_point(gather, input, loop.index);
    taps_emit(gather, loop.index, sums, columns);
    ir_loop_end(ir, &loop);

    Spot corner = spot_at(emitter, gather->filter, row, column);
    for (int c = 0; c < columns; c++) {
        Spot spot = spot_moved(emitter, &corner, 0, 0, c);
        spot_finish(emitter, &spot, sums[c], emitter->lanes);
    }
}

void conv_gather_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    const View *output = &step->output;
    const Window *window = &step->conv.window;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    Gather gather = {.emitter = emitter,
                     .group_channels = step->inputs[0].channels / step->conv.groups,
                     .group_filters = output->channels / step->conv.groups};
    assert(lanes <= MAX_LANES);
    bool aligned = lanes % gather.group_filters == 0 && output->channels % lanes == 0;
    gather.share = aligned ? (int)gather.group_filters : 1;
    int64_t vector_weights = gather.group_channels * window->kernel[0] * window->kernel[1] * lanes;

    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, divide_up(output->channels, lanes)),
                                1, NULL, 0);
    gather.filter = ir_mul_const(ir, loop.index, lanes);
    gather.weights =
        ir_at(ir, emitter_weights(emitter), ir_mul_const(ir, loop.index, vector_weights));
    int columns = output->width < MAX_COLUMNS ? (int)output->width : MAX_COLUMNS;
    Portion rows = portion_rows(emitter, gather.filter, 1);
    tiles_emit(ir, output->height, output->width, 1, columns, &rows, tile_emit, &gather);
    ir_loop_end(ir, &loop);
}
