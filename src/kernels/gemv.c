/* Matrix-vector product: a block of outputs at a time, its weights read once and in order.
 *
 * Each input number is broadcast and multiplied with a run of weights, one for each output of the
 * block; `unroll` consecutive inputs go to as many independent chains of sums, which hide the
 * latency of the multiply-adds and are added at the end. */
#include <assert.h>

#include "kernels/epilogue.h"

#define MAX_SUMS  64
#define MAX_LOOPS 4

/* Consecutive inputs of the product in the order of the packed weights, as loops over the input
 * view, outermost first; the last is the run that is unrolled. */
typedef struct Walk {
    int64_t offset; /* of the first input in the view */
    int loop_count;
    struct {
        int64_t count, stride;
    } loops[MAX_LOOPS];
    int64_t inputs; /* product of the counts */
} Walk;

/* The outputs computed together. */
typedef struct Gemv {
    const Emitter *emitter;
    int vectors, chains;
    IrValue sums[MAX_SUMS]; /* [chains][vectors] */
} Gemv;

static void walk_add(Walk *walk, int64_t count, int64_t stride) {
    walk->inputs *= count;
    if (count == 1 && walk->loop_count > 0)
        return;
    if (walk->loop_count > 0) {
        int last = walk->loop_count - 1;
        if (walk->loops[last].stride == count * stride || walk->loops[last].count == 1) {
            walk->loops[last].count *= count;
            walk->loops[last].stride = stride;
            return;
        }
    }
    walk->loops[walk->loop_count].count = count;
    walk->loops[walk->loop_count].stride = stride;
    walk->loop_count++;
}

/* `blocks` blocks of `channels` channels each from channel `first` on: [blocks][pixels][channels].
 */
static Walk walk_over(const View *view, int64_t first, int64_t blocks, int64_t channels) {
    Walk walk = {.offset = view_channel_offset(view, first), .inputs = 1};
    if (blocks == 0 || channels == 0) {
        walk.inputs = 0;
        return walk;
    }
    walk_add(&walk, blocks, view->block_stride);
    walk_add(&walk, view->height, view->row_stride);
    walk_add(&walk, view->width, view->pixel_stride);
    walk_add(&walk, channels, 1);
    return walk;
}

/* ---- sums ---------------------------------------------------------------------------------- */

/* One input number into chain `chain`. */
static void input_emit(Gemv *gemv, IrValue input, IrValue weights, int chain) {
    const Emitter *emitter = gemv->emitter;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    IrValue number = ir_splat(ir, ir_load(ir, input, 1), lanes);
    for (int64_t v = 0; v < gemv->vectors; v++) {
        IrValue weight = ir_load(ir, ir_at_const(ir, weights, v * lanes), lanes);
        IrValue *sum = &gemv->sums[chain * gemv->vectors + v];
        *sum = ir_fma(ir, weight, number, *sum);
    }
}

/* `count` consecutive inputs, `stride` apart, one for each chain. */
static void turn_emit(Gemv *gemv, IrValue input, int64_t stride, IrValue weights, int count) {
    Ir *ir = gemv->emitter->ir;
    int64_t width = (int64_t)gemv->vectors * gemv->emitter->lanes;
    for (int k = 0; k < count; k++)
        input_emit(gemv, ir_at_const(ir, input, k * stride), ir_at_const(ir, weights, k * width),
                   k);
}

/* The innermost loop of a walk. */
static void run_emit(Gemv *gemv, int64_t count, int64_t stride, IrValue input, IrValue weights) {
    Ir *ir = gemv->emitter->ir;
    int64_t width = (int64_t)gemv->vectors * gemv->emitter->lanes;
    int64_t whole = count / gemv->chains * gemv->chains;
    if (whole > 0) {
        IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, whole), gemv->chains, gemv->sums,
                                    gemv->chains * gemv->vectors);
        turn_emit(gemv, ir_at(ir, input, ir_mul_const(ir, loop.index, stride)), stride,
                  ir_at(ir, weights, ir_mul_const(ir, loop.index, width)), gemv->chains);
        ir_loop_end(ir, &loop);
    }
    turn_emit(gemv, ir_at_const(ir, input, whole * stride), stride,
              ir_at_const(ir, weights, whole * width), (int)(count - whole));
}

/* All inputs of a walk, their weights beginning at `weights`. */
static void walk_emit(Gemv *gemv, const Walk *walk, IrValue weights) {
    const Emitter *emitter = gemv->emitter;
    Ir *ir = emitter->ir;
    if (walk->inputs == 0)
        return;
    IrLoop loops[MAX_LOOPS];
    int outer = walk->loop_count - 1;
    IrValue position = ir_i64(ir, 0), index = ir_i64(ir, walk->offset);
    for (int k = 0; k < outer; k++) {
        int64_t count = walk->loops[k].count;
        loops[k] = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, count), 1, gemv->sums,
                                 gemv->chains * gemv->vectors);
        position = ir_add(ir, ir_mul_const(ir, position, count), loops[k].index);
        index = ir_add(ir, index, ir_mul_const(ir, loops[k].index, walk->loops[k].stride));
    }
    int64_t run = walk->loops[outer].count;
    position = ir_mul_const(ir, position, run * gemv->vectors * emitter->lanes);
    run_emit(gemv, run, walk->loops[outer].stride, ir_at(ir, emitter_input(emitter, 0), index),
             ir_at(ir, weights, position));
    for (int k = outer - 1; k >= 0; k--)
        ir_loop_end(ir, &loops[k]);
}

/* Sum of the chains of vector `v`, pairwise. */
static IrValue chains_add(Gemv *gemv, int v) {
    for (int half = gemv->chains / 2; half >= 1; half /= 2) {
        for (int k = 0; k < half; k++) {
            IrValue *low = &gemv->sums[k * gemv->vectors + v];
            IrValue high = gemv->sums[(k + half) * gemv->vectors + v];
            *low = ir_fadd(gemv->emitter->ir, *low, high);
        }
    }
    return gemv->sums[v];
}

/* ---- outputs ------------------------------------------------------------------------------- */

/* One block of outputs from `output` on; `count` of them exist. */
static void block_emit(Gemv *gemv, const Walk walks[2], const IrValue weights[2], IrValue output,
                       int64_t count) {
    const Emitter *emitter = gemv->emitter;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    IrValue bias = emitter_bias(emitter), zero = ir_f32_vector(ir, 0, lanes);
    for (int k = 0; k < gemv->chains * gemv->vectors; k++)
        gemv->sums[k] = zero;
    walk_emit(gemv, &walks[0], weights[0]);
    walk_emit(gemv, &walks[1], weights[1]);

    Spot first = spot_at(emitter, output, ir_i64(ir, 0), ir_i64(ir, 0));
    for (int v = 0; v < gemv->vectors; v++) {
        IrValue sum = chains_add(gemv, v);
        int64_t lane = (int64_t)v * lanes; /* the vector's first */
        if (bias)
            sum = ir_fadd(ir, sum,
                          ir_load(ir, ir_at_const(ir, ir_at(ir, bias, output), lane), lanes));
        int64_t left = count - lane;
        Spot spot = spot_moved(emitter, &first, lane, 0, 0);
        spot_finish(emitter, &spot, sum, left < lanes ? (int)left : lanes);
    }
}

void gemv_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    const View *view = &step->inputs[0];
    Ir *ir = emitter->ir;
    int64_t outputs = step->output.channels;
    int64_t width = (int64_t)step->tile.vectors * emitter->lanes; /* T */
    int64_t blocks = outputs / width, rest = outputs % width;
    int64_t whole = view->channels / view->block * view->block;
    const Walk walks[2] = {walk_over(view, 0, whole / view->block, view->block),
                           walk_over(view, whole, 1, view->channels % view->block)};
    Gemv gemv = {.emitter = emitter, .vectors = step->tile.vectors, .chains = step->tile.unroll};
    assert(gemv.chains >= 1 && (gemv.chains & (gemv.chains - 1)) == 0);
    assert(gemv.chains * gemv.vectors <= MAX_SUMS);

    int64_t block_vectors = blocks * step->tile.vectors;
    int64_t rest_vectors = divide_up(rest, emitter->lanes);
    Portion vectors = portion_of(emitter, block_vectors + rest_vectors);
    IrValue weights = emitter_weights(emitter);
    if (blocks > 0) {
        Portion share =
            portion_inside(emitter, &vectors, ir_i64(ir, 0), step->tile.vectors, blocks);
        IrLoop loop = ir_loop_begin(ir, share.begin, share.end, 1, NULL, 0);
        IrValue first = ir_mul_const(ir, loop.index, walks[0].inputs * width);
        IrValue second = ir_mul_const(ir, loop.index, walks[1].inputs * width);
        second = ir_add_const(ir, second, blocks * walks[0].inputs * width);
        const IrValue at[2] = {ir_at(ir, weights, first), ir_at(ir, weights, second)};
        block_emit(&gemv, walks, at, ir_mul_const(ir, loop.index, width), width);
        ir_loop_end(ir, &loop);
    }
    if (rest > 0) {
        Portion share =
            portion_inside(emitter, &vectors, ir_i64(ir, block_vectors), rest_vectors, 1);
        IrLoop loop = ir_loop_begin(ir, share.begin, share.end, 1, NULL, 0);
        int64_t first = blocks * (walks[0].inputs + walks[1].inputs) * width;
        gemv.vectors = (int)rest_vectors;
        int64_t second = first + walks[0].inputs * gemv.vectors * emitter->lanes;
        const IrValue at[2] = {ir_at_const(ir, weights, first), ir_at_const(ir, weights, second)};
        block_emit(&gemv, walks, at, ir_i64(ir, blocks * width), rest);
        ir_loop_end(ir, &loop);
    }
}
