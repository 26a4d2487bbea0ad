/* Convolution with few filters, whose result is plain: lanes along the columns of the image instead
 * of the filters, most of which would stand empty.
 *
 * A tile is a few rows of one vector of columns for all filters. A tap loads one vector for each
 * row and one number for each filter. */
#include <assert.h>

#include "kernels/epilogue.h"

#define MAX_SUMS    64
#define MAX_FILTERS 64

typedef struct Conv {
    const Emitter *emitter;
    int filters;
    int64_t column; /* first of the vector */
    int count;      /* columns that exist in it */
} Conv;

/* One tap of one channel: `input` is what it reads for output pixel (0, 0) of the tile. */
static void tap_emit(const Conv *conv, IrValue input, IrValue weights, int rows, IrValue *sums) {
    const Emitter *emitter = conv->emitter;
    const View *view = &emitter->step->inputs[0];
    Ir *ir = emitter->ir;
    IrValue weight[MAX_FILTERS];
    for (int f = 0; f < conv->filters; f++)
        weight[f] = ir_splat(ir, ir_load(ir, ir_at_const(ir, weights, f), 1), emitter->lanes);
    for (int r = 0; r < rows; r++) {
        int64_t offset = r * emitter->step->conv.window.stride[0] * view->row_stride;
        IrValue numbers =
            ir_load_part(ir, ir_at_const(ir, input, offset), emitter->lanes, conv->count);
        for (int f = 0; f < conv->filters; f++, sums++)
            *sums = ir_fma(ir, weight[f], numbers, *sums);
    }
}

static void finish(const Conv *conv, IrValue row, int rows, const IrValue *sums) {
    const Emitter *emitter = conv->emitter;
    Ir *ir = emitter->ir;
    for (int r = 0; r < rows; r++)
        for (int f = 0; f < conv->filters; f++, sums++) {
            Spot spot =
                spot_at(emitter, ir_i64(ir, f), ir_add_const(ir, row, r), ir_i64(ir, conv->column));
            spot.lane_axis = AXIS_COLUMN;
            spot_finish(emitter, &spot, *sums, conv->count);
        }
}

/* `rows` rows from `row` on. */
static void rows_emit(const Conv *conv, IrValue row, int rows) {
    const Emitter *emitter = conv->emitter;
    const View *view = &emitter->step->inputs[0];
    const Window *window = &emitter->step->conv.window;
    Ir *ir = emitter->ir;
    int count = rows * conv->filters;
    IrValue bias = emitter_bias(emitter), sums[MAX_SUMS];
    assert(count <= MAX_SUMS);
    for (int i = 0; i < count; i++) {
        int f = i % conv->filters;
        sums[i] = bias ? ir_splat(ir, ir_load(ir, ir_at_const(ir, bias, f), 1), emitter->lanes)
                       : ir_f32_vector(ir, 0, emitter->lanes);
    }
    IrValue zero = ir_i64(ir, 0);
    IrLoop channels = ir_loop_begin(ir, zero, ir_i64(ir, view->channels), 1, sums, count);
    IrLoop down = ir_loop_begin(ir, zero, ir_i64(ir, window->kernel[0]), 1, sums, count);
    IrValue input_row = ir_add(ir, ir_mul_const(ir, row, window->stride[0]),
                               ir_mul_const(ir, down.index, window->dilation[0]));
    IrValue index = ir_add(ir, ir_mul_const(ir, channels.index, view->block_stride),
                           ir_mul_const(ir, input_row, view->row_stride));
    int64_t corner =
        conv->column - view_pixel_offset(view, window->pad_begin[0], window->pad_begin[1]);
    IrValue input = ir_at(ir, emitter_input(emitter, 0), ir_add_const(ir, index, corner));
    IrValue line = ir_add(ir, ir_mul_const(ir, channels.index, window->kernel[0]), down.index);
    IrValue weights = ir_at(ir, emitter_weights(emitter),
                            ir_mul_const(ir, line, window->kernel[1] * conv->filters));
    IrLoop across = ir_loop_begin(ir, zero, ir_i64(ir, window->kernel[1]), 1, sums, count);
    tap_emit(conv, ir_at(ir, input, ir_mul_const(ir, across.index, window->dilation[1])),
             ir_at(ir, weights, ir_mul_const(ir, across.index, conv->filters)), rows, sums);
    ir_loop_end(ir, &across);
    ir_loop_end(ir, &down);
    ir_loop_end(ir, &channels);
    finish(conv, row, rows, sums);
}

void conv_columns_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    int rows = step->tile.rows;
    int64_t height = step->output.height, width = step->output.width;
    int64_t whole = height / rows * rows;
    assert(step->inputs[0].block == 1 && step->inputs[0].pixel_stride == 1);
    Portion portion = portion_by(emitter, height, rows);
    Conv conv = {.emitter = emitter, .filters = (int)step->output.channels};
    for (conv.column = 0; conv.column < width; conv.column += emitter->lanes) {
        int64_t left = width - conv.column;
        conv.count = left < emitter->lanes ? (int)left : emitter->lanes;
        IrLoop loop = portion_whole_begin(ir, &portion, whole, rows);
        rows_emit(&conv, loop.index, rows);
        ir_loop_end(ir, &loop);
        if (whole < height) {
            IrLoop rest = portion_rest_begin(ir, &portion, whole, rows);
            rows_emit(&conv, ir_i64(ir, whole), (int)(height - whole));
            ir_loop_end(ir, &rest);
        }
    }
}
