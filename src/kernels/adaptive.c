/* Averages over windows that share the input's rows and columns evenly, in blocked views: of n
 * inputs and m outputs along an axis, output i has the inputs floor(i n / m) to ceil((i + 1) n /
 * m), the last one excluded. Neighbouring windows may share an input. */
#include "kernels/epilogue.h"

/* The inputs of an output along an axis. */
typedef struct Share {
    IrValue begin, end;
} Share;

static Share share_of(Ir *ir, IrValue output, int64_t inputs, int64_t outputs) {
    IrValue begin = ir_mul_const(ir, output, inputs);
    IrValue end = ir_add_const(ir, begin, inputs + outputs - 1);
    return (Share){ir_div_const(ir, begin, outputs), ir_div_const(ir, end, outputs)};
}

/* The average at (row, column) of the block of channels that begins at `channel`. */
static void pixel_emit(const Emitter *emitter, IrValue channel, IrValue row, IrValue column) {
    const View *input = &emitter->step->inputs[0], *output = &emitter->step->output;
    Ir *ir = emitter->ir;
    Share rows = share_of(ir, row, input->height, output->height);
    Share columns = share_of(ir, column, input->width, output->width);
    IrValue block = ir_at(ir, emitter_input(emitter, 0), view_channel_index(ir, input, channel));
    IrValue sum = ir_f32_vector(ir, 0, emitter->lanes);
    IrLoop over_rows = ir_loop_begin(ir, rows.begin, rows.end, 1, &sum, 1);
    IrLoop over_columns = ir_loop_begin(ir, columns.begin, columns.end, 1, &sum, 1);
    IrValue at = view_pixel_index(ir, input, over_rows.index, over_columns.index);
    sum = ir_fadd(ir, sum, ir_load(ir, ir_at(ir, block, at), emitter->lanes));
    ir_loop_end(ir, &over_columns);
    ir_loop_end(ir, &over_rows);
    IrValue count =
        ir_mul(ir, ir_sub(ir, rows.end, rows.begin), ir_sub(ir, columns.end, columns.begin));
    sum = ir_fdiv(ir, sum, ir_splat(ir, ir_i32_to_f32(ir, count), emitter->lanes));
    Spot spot = spot_at(emitter, channel, row, column);
    spot_finish(emitter, &spot, sum, emitter->lanes);
}

void adaptive_emit(const Emitter *emitter) {
    const View *output = &emitter->step->output;
    Ir *ir = emitter->ir;
    IrValue zero = ir_i64(ir, 0);
    IrValue end = ir_i64(ir, divide_up(output->channels, emitter->lanes) * emitter->lanes);
    IrLoop channels = ir_loop_begin(ir, zero, end, emitter->lanes, NULL, 0);
    Portion portion = portion_rows(emitter, channels.index, 1);
    IrLoop rows = ir_loop_begin(ir, portion.begin, portion.end, 1, NULL, 0);
    IrLoop columns = ir_loop_begin(ir, zero, ir_i64(ir, output->width), 1, NULL, 0);
    pixel_emit(emitter, channels.index, rows.index, columns.index);
    ir_loop_end(ir, &columns);
    ir_loop_end(ir, &rows);
    ir_loop_end(ir, &channels);
}
