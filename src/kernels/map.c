/* Elementwise steps: MAP, whose results are its input 0 sent through its epilogue, and COPY between
 * views of one layout, which is a MAP without an epilogue.
 *
 * Views without gaps are one long run of vectors, whatever their shape. */
#include <assert.h>

#include "kernels/epilogue.h"

/* Element under the lanes of `spot`, which is in step with `input`. */
static void vector_emit(const Emitter *emitter, const Spot *spot, IrValue input, int count) {
    const View *view = &emitter->step->inputs[0];
    int64_t stride = view_lane_stride(view, spot->lane_axis);
    IrValue value = view_load(emitter->ir, view, input, emitter->lanes, count, stride);
    spot_finish(emitter, spot, value, count);
}

/* Blocked: a vector for each pixel of each block. */
static void blocks_emit(const Emitter *emitter, const Nest *nest) {
    Ir *ir = emitter->ir;
    Portion turns = portion_of(emitter, nest->loops[nest->shared].count);
    NestWalk walk = nest_begin(ir, nest, nest->count, &turns, NULL, 0);
    Spot spot = spot_in_nest(emitter, &walk);
    IrValue index = nest_index(ir, &walk, &emitter->step->inputs[0]);
    vector_emit(emitter, &spot, ir_at(ir, emitter_input(emitter, 0), index), emitter->lanes);
    nest_end(ir, &walk);
}

/* Plain: vectors along the innermost loop, and what is left of it. */
static void runs_emit(const Emitter *emitter, const Nest *nest) {
    const View *view = &emitter->step->inputs[0];
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    Portion outer = portion_of(emitter, nest->loops[0].count);
    NestWalk walk = nest_begin(ir, nest, nest->count - 1, &outer, NULL, 0);
    Spot first = spot_in_nest(emitter, &walk);
    IrValue input = view_at(ir, view, emitter_input(emitter, 0), nest_index(ir, &walk, view));
    int64_t run = nest->loops[nest->count - 1].count, whole = run / lanes * lanes;
    int64_t stride = view_lane_stride(view, first.lane_axis);
    Portion here = {ir_i64(ir, 0), ir_i64(ir, run)};
    if (nest->count == 1)
        here = portion_by(emitter, run, lanes);
    if (whole > 0) {
        IrLoop loop = portion_whole_begin(ir, &here, whole, lanes);
        Spot spot = spot_advanced(emitter, &first, loop.index);
        IrValue from = view_at(ir, view, input, ir_mul_const(ir, loop.index, stride));
        vector_emit(emitter, &spot, from, lanes);
        ir_loop_end(ir, &loop);
    }
    if (whole < run) {
        IrLoop loop = portion_rest_begin(ir, &here, whole, lanes);
        Spot spot = spot_advanced(emitter, &first, ir_i64(ir, whole));
        IrValue from = view_at_const(ir, view, input, whole * stride);
        vector_emit(emitter, &spot, from, (int)(run - whole));
        ir_loop_end(ir, &loop);
    }
    nest_end(ir, &walk);
}

void map_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    const View *views[STEP_MAX_INPUTS + 1];
    int count = 0;
    views[count++] = &step->output;
    for (int i = 0; i < step->input_count; i++) {
        assert(step->inputs[i].block == step->output.block);
        if (!step_input_is_channels(step, i))
            views[count++] = &step->inputs[i];
    }
    bool by_rows = step->parts > 1 && step->split == SPLIT_ROWS;
    Nest nest = nest_over(views, count, by_rows || step_needs_channel(step));
    if (by_rows && nest.loops[0].axis == AXIS_CHANNEL && nest.count > 1)
        nest.shared = 1; /* rows, or pixels of all rows */
    if (step->output.block > 1)
        blocks_emit(emitter, &nest);
    else
        runs_emit(emitter, &nest);
}
