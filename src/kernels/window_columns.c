/* Windows over plain images of few channels, none of which reach past the edge: lanes along the
 * columns of the result. */
#include <assert.h>

#include "kernels/epilogue.h"

/* `count` columns from `column` on. */
static void columns_emit(const Emitter *emitter, IrValue channel, IrValue row, int64_t column,
                         int count) {
    const Step *step = emitter->step;
    const View *view = &step->inputs[0];
    const Window *window = &step->window.window;
    Ir *ir = emitter->ir;
    IrValue index = ir_add(ir, ir_mul_const(ir, channel, view->block_stride),
                           ir_mul_const(ir, row, window->stride[0] * view->row_stride));
    IrValue input =
        ir_at(ir, emitter_input(emitter, 0), ir_add_const(ir, index, column * window->stride[1]));
    IrValue result = window_neutral(emitter);
    for (int64_t kh = 0; kh < window->kernel[0]; kh++)
        for (int64_t kw = 0; kw < window->kernel[1]; kw++) {
            int64_t offset =
                view_pixel_offset(view, kh * window->dilation[0], kw * window->dilation[1]);
            IrValue vector = ir_load_strided(ir, ir_at_const(ir, input, offset), emitter->lanes,
                                             count, window->stride[1]);
            result = window_combine(emitter, result, vector);
        }
    if (step->window.op == WINDOW_AVERAGE) {
        double taps = (double)(window->kernel[0] * window->kernel[1]);
        result = ir_fdiv(ir, result, ir_f32_vector(ir, taps, emitter->lanes));
    }
    Spot spot = spot_at(emitter, channel, row, ir_i64(ir, column));
    spot.lane_axis = AXIS_COLUMN;
    spot_finish(emitter, &spot, result, count);
}

void window_columns_emit(const Emitter *emitter) {
    const View *output = &emitter->step->output;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    assert(output->block == 1 && emitter->step->inputs[0].pixel_stride == 1);
    Portion portion = portion_of(emitter, output->height);
    IrLoop channels = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, output->channels), 1, NULL, 0);
    IrLoop rows = ir_loop_begin(ir, portion.begin, portion.end, 1, NULL, 0);
    for (int64_t column = 0; column < output->width; column += lanes) {
        int64_t left = output->width - column;
        columns_emit(emitter, channels.index, rows.index, column, left < lanes ? (int)left : lanes);
    }
    ir_loop_end(ir, &rows);
    ir_loop_end(ir, &channels);
}
