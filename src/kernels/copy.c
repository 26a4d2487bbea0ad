/* COPY between plain and blocked views, and ZERO around a view. */
#include "kernels/epilogue.h"

/* ---- copy ---------------------------------------------------------------------------------- */

/* Where in a view the copy of a block of channels stands: at pixel `column` of the innermost loop.
 */
static IrValue copy_at(const Emitter *emitter, const View *view, IrValue base, IrValue channel,
                       const NestWalk *walk, IrValue column) {
    Ir *ir = emitter->ir;
    IrValue index = ir_add(ir, view_channel_index(ir, view, channel), nest_index(ir, walk, view));
    Axis axis = walk->nest->loops[walk->nest->count - 1].axis;
    index = ir_add(ir, index, ir_mul_const(ir, column, view_stride(view, axis)));
    return view_at(ir, view, base, index);
}

/* One pixel of `count` channels. Lanes along them, so one view is read or written vector by vector
 * and the other number by number. The other lanes of a last block become 0. */
static void pixel_copy(const Emitter *emitter, IrValue from, IrValue to, int count) {
    const View *input = &emitter->step->inputs[0], *output = &emitter->step->output;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    IrValue vector =
        view_load(ir, input, from, lanes, count, view_lane_stride(input, AXIS_CHANNEL));
    ir_store_strided(ir, to, vector, lanes, output->block > 1 ? lanes : count,
                     view_lane_stride(output, AXIS_CHANNEL));
}

/* The same of as many pixels as a vector has lanes: transposed, where they are neighbours. */
static void pixels_copy(const Emitter *emitter, IrValue from, IrValue to, int count) {
    const View *input = &emitter->step->inputs[0], *output = &emitter->step->output;
    int lanes = emitter->lanes;
    if (output->block > 1)
        transpose_emit(emitter->ir, lanes, &(Strips){from, input->block_stride, count, lanes},
                       &(Strips){to, output->pixel_stride, lanes, lanes});
    else
        transpose_emit(emitter->ir, lanes, &(Strips){from, input->pixel_stride, lanes, count},
                       &(Strips){to, output->block_stride, count, lanes});
}

/* All pixels of the block of channels that begins at `channel`, `count` of which exist. */
static void block_copy(const Emitter *emitter, const Nest *pixels, IrValue channel, int count) {
    const View *from = &emitter->step->inputs[0], *to = &emitter->step->output;
    const View *plain = from->block > 1 ? to : from;
    Ir *ir = emitter->ir;
    NestLoop inner = pixels->loops[pixels->count - 1];
    bool transposes = inner.axis == AXIS_COLUMN && plain->pixel_stride == 1 && !view_is_bytes(from);
    int64_t whole = transposes ? inner.count / emitter->lanes * emitter->lanes : 0;
    Portion outer = portion_of(emitter, pixels->loops[0].count);
    Portion columns = {ir_i64(ir, 0), ir_i64(ir, inner.count)};
    if (pixels->count == 1)
        columns = portion_by(emitter, inner.count, emitter->lanes);
    NestWalk walk = nest_begin(ir, pixels, pixels->count - 1, &outer, NULL, 0);
    if (whole > 0) {
        IrLoop loop = portion_whole_begin(ir, &columns, whole, emitter->lanes);
        pixels_copy(
            emitter, copy_at(emitter, from, emitter_input(emitter, 0), channel, &walk, loop.index),
            copy_at(emitter, to, emitter_output(emitter), channel, &walk, loop.index), count);
        ir_loop_end(ir, &loop);
    }
    if (whole < inner.count) {
        IrLoop loop = portion_rest_begin(ir, &columns, whole, 1);
        pixel_copy(
            emitter, copy_at(emitter, from, emitter_input(emitter, 0), channel, &walk, loop.index),
            copy_at(emitter, to, emitter_output(emitter), channel, &walk, loop.index), count);
        ir_loop_end(ir, &loop);
    }
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
