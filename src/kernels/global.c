/* One number for each channel, the average, sum or largest of its pixels: blocks of V channels at
 * once, pixels in independent chains. */
#include <assert.h>
#include <math.h>

#include "kernels/epilogue.h"

#define CHAINS 8

static IrValue combine(const Emitter *emitter, IrValue result, IrValue vector) {
    if (emitter->step->reduce.op == REDUCE_MAX)
        return ir_fmax(emitter->ir, vector, result);
    return ir_fadd(emitter->ir, result, vector);
}

/* Results of the block of channels that begins at `channel`, of which `count` exist. */
static void block_emit(const Emitter *emitter, const Nest *pixels, IrValue channel, int count) {
    const View *view = &emitter->step->inputs[0];
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    const NestLoop *inner = &pixels->loops[pixels->count - 1];
    int64_t stride = view_stride(view, inner->axis), whole = inner->count / CHAINS * CHAINS;
    double neutral = emitter->step->reduce.op == REDUCE_MAX ? -INFINITY : 0;
    IrValue results[CHAINS];
    for (int k = 0; k < CHAINS; k++)
        results[k] = ir_f32_vector(ir, neutral, lanes);

    IrValue block = ir_at(ir, emitter_input(emitter, 0), view_channel_index(ir, view, channel));
    NestWalk walk = nest_begin(ir, pixels, pixels->count - 1, NULL, results, CHAINS);
    IrValue run = ir_at(ir, block, nest_index(ir, &walk, view));
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, whole), CHAINS, results, CHAINS);
    IrValue from = ir_at(ir, run, ir_mul_const(ir, loop.index, stride));
    for (int k = 0; k < CHAINS; k++)
        results[k] =
            combine(emitter, results[k], ir_load(ir, ir_at_const(ir, from, k * stride), lanes));
    ir_loop_end(ir, &loop);
    for (int k = 0; k < inner->count - whole; k++)
        results[k] = combine(emitter, results[k],
                             ir_load(ir, ir_at_const(ir, run, (whole + k) * stride), lanes));
    nest_end(ir, &walk);

    for (int half = CHAINS / 2; half >= 1; half /= 2)
        for (int k = 0; k < half; k++)
            results[k] = combine(emitter, results[k], results[k + half]);
    double pixel_count = (double)(view->height * view->width);
    if (emitter->step->reduce.op == REDUCE_MEAN)
        results[0] = ir_fdiv(ir, results[0], ir_f32_vector(ir, pixel_count, lanes));
    Spot spot = spot_at(emitter, channel, ir_i64(ir, 0), ir_i64(ir, 0));
    spot_finish(emitter, &spot, results[0], count);
}

void global_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    assert(step->reduce.op != REDUCE_ARGMAX);
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    View block = step->inputs[0]; /* one block: the nest goes over its pixels */
    block.channels = block.block;
    Nest pixels = nest_over((const View *const[]){&block}, 1, false);
    int64_t whole = step->inputs[0].channels / lanes * lanes;
    int rest = (int)(step->inputs[0].channels - whole);
    Portion channels = portion_by(emitter, step->inputs[0].channels, lanes);
    if (whole > 0) {
        IrLoop loop = portion_whole_begin(ir, &channels, whole, lanes);
        block_emit(emitter, &pixels, loop.index, lanes);
        ir_loop_end(ir, &loop);
    }
    if (rest > 0) {
        IrLoop loop = portion_rest_begin(ir, &channels, whole, lanes);
        block_emit(emitter, &pixels, ir_i64(ir, whole), rest);
        ir_loop_end(ir, &loop);
    }
}
