/* COPY between plain and blocked views, and ZERO around a view. */
#include "kernels/epilogue.h"

/* ---- copy ---------------------------------------------------------------------------------- */

/* All pixels of the block of channels that begins at `channel`, `count` of which exist: lanes along
 * the channels, so one view is read or written vector by vector and the other number by number. The
 * other lanes of a last block become 0. */
static void block_copy(const Emitter *emitter, const Nest *pixels, IrValue channel, int count) {
    const View *from = &emitter->step->inputs[0], *to = &emitter->step->output;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    Portion outer = portion_of(emitter, pixels->loops[0].count);
    NestWalk walk = nest_begin(ir, pixels, pixels->count, &outer, NULL, 0);
    IrValue read = ir_add(ir, view_channel_index(ir, from, channel), nest_index(ir, &walk, from));
    IrValue written = ir_add(ir, view_channel_index(ir, to, channel), nest_index(ir, &walk, to));
    IrValue vector = view_load(ir, from, view_at(ir, from, emitter_input(emitter, 0), read), lanes,
                               count, view_lane_stride(from, AXIS_CHANNEL));
    ir_store_strided(ir, ir_at(ir, emitter_output(emitter), written), vector, lanes,
                     to->block > 1 ? lanes : count, view_lane_stride(to, AXIS_CHANNEL));
    nest_end(ir, &walk);
}

void copy_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    if (step->inputs[0].block == step->output.block) {
        map_emit(emitter);
        return;
    }
    View from = step->inputs[0], to = step->output; /* one block: the nest goes over its pixels */
    from.channels = from.block;
    to.channels = to.block;
    Nest pixels = nest_over((const View *const[]){&from, &to}, 2, false);
    int64_t whole = step->output.channels / emitter->lanes * emitter->lanes;
    int rest = (int)(step->output.channels - whole);
    if (whole > 0) {
        IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, whole), emitter->lanes, NULL, 0);
        block_copy(emitter, &pixels, loop.index, emitter->lanes);
        ir_loop_end(ir, &loop);
    }
    if (rest > 0)
        block_copy(emitter, &pixels, ir_i64(ir, whole), rest);
}

/* ---- zero ---------------------------------------------------------------------------------- */

/* Runs up to this many vectors are straight code. */
#define STRAIGHT_STORES 8

static void run_zero(const Emitter *emitter, IrValue pointer, int64_t floats) {
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    if (floats > (int64_t)lanes * STRAIGHT_STORES) {
        ir_fill_zero(ir, pointer, ir_i64(ir, floats));
        return;
    }
    IrValue zero = ir_f32_vector(ir, 0, lanes);
    for (int64_t at = 0; at < floats; at += lanes) {
        int64_t left = floats - at;
        ir_store_part(ir, ir_at_const(ir, pointer, at), zero, lanes,
                      left < lanes ? (int)left : lanes);
    }
}

/* The halo of each block is contiguous but for the rows of the view itself: a run before the first
 * row, one between any two rows, one after the last. */
void zero_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    const View *view = &step->output;
    Ir *ir = emitter->ir;
    int64_t before = view_pixel_offset(view, step->zero.begin[0], step->zero.begin[1]);
    int64_t between = (step->zero.end[1] + step->zero.begin[1]) * view->pixel_stride;
    int64_t after = view_pixel_offset(view, step->zero.end[0], step->zero.end[1]);
    int64_t row = view->width * view->pixel_stride; /* floats of the view in each row */
    Portion portion = portion_of(emitter, view_extent(view, AXIS_CHANNEL));
    IrLoop blocks = ir_loop_begin(ir, portion.begin, portion.end, 1, NULL, 0);
    IrValue block =
        ir_at(ir, emitter_output(emitter), ir_mul_const(ir, blocks.index, view->block_stride));
    run_zero(emitter, ir_at_const(ir, block, -before), before);
    if (between > 0) {
        IrLoop rows = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, view->height - 1), 1, NULL, 0);
        IrValue at = ir_add_const(ir, ir_mul_const(ir, rows.index, view->row_stride), row);
        run_zero(emitter, ir_at(ir, block, at), between);
        ir_loop_end(ir, &rows);
    }
    int64_t last = (view->height - 1) * view->row_stride + row;
    run_zero(emitter, ir_at_const(ir, block, last), after);
    ir_loop_end(ir, &blocks);
}
