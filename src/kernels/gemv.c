/* Matrix-vector product: a block of outputs at a time, its weights read once and in order. Where
 * several samples are together, a block is done for a tile of them after the other: the first reads
 * the weights from memory, the others from a cache.
 *
 * Each input number is broadcast and multiplied with a run of weights, one for each output of the
 * block; `unroll` consecutive inputs go to as many independent chains of sums, which hide the
 * latency of the multiply-adds and are added at the end. */
#include <assert.h>

#include "kernels/epilogue.h"
#include "kernels/prefetch.h"

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
    const Walk *walks;      /* two: of whole blocks of channels, and of what is left */
    IrValue input;          /* pointer to the first sample's */
    int samples;            /* 1, or as many of a tile */
    int vectors, chains;    /* of a block of outputs */
    int64_t count;          /* outputs of the block that exist */
    IrValue output;         /* the first of them */
    const IrValue *weights; /* pointers to the block's, one for each walk */
    IrValue sums[MAX_SUMS]; /* [chains][samples][vectors] */
} Gemv;

static int sum_count(const Gemv *gemv) {
    return gemv->chains * gemv->samples * gemv->vectors;
}

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

/* One input number of each sample into chain `chain`. */
static void input_emit(Gemv *gemv, IrValue input, IrValue weights, int chain) {
    const Emitter *emitter = gemv->emitter;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    int64_t apart = emitter->step->inputs[0].buffer->sample_stride;
    IrValue *sum = &gemv->sums[chain * gemv->samples * gemv->vectors];
    IrValue weight[MAX_SUMS];
    for (int s = 0; s < gemv->samples; s++) {
        IrValue number = ir_splat(ir, ir_load(ir, ir_at_const(ir, input, s * apart), 1), lanes);
        for (int64_t v = 0; v < gemv->vectors; v++, sum++) {
            if (s == 0)
                weight[v] = ir_load(ir, ir_at_const(ir, weights, v * lanes), lanes);
            *sum = ir_fma(ir, weight[v], number, *sum);
        }
    }
    prefetch_once(emitter, weights, gemv->vectors);
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
                                    sum_count(gemv));
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
        loops[k] =
            ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, count), 1, gemv->sums, sum_count(gemv));
        position = ir_add(ir, ir_mul_const(ir, position, count), loops[k].index);
        index = ir_add(ir, index, ir_mul_const(ir, loops[k].index, walk->loops[k].stride));
    }
    int64_t run = walk->loops[outer].count;
    position = ir_mul_const(ir, position, run * gemv->vectors * emitter->lanes);
    run_emit(gemv, run, walk->loops[outer].stride, ir_at(ir, gemv->input, index),
             ir_at(ir, weights, position));
    for (int k = outer - 1; k >= 0; k--)
        ir_loop_end(ir, &loops[k]);
}

/* Sum of the chains of vector `v` of sample `s`, pairwise. */
static IrValue chains_add(Gemv *gemv, int s, int v) {
    int sums = gemv->samples * gemv->vectors; /* of a chain */
    IrValue *first = &gemv->sums[s * gemv->vectors + v];
    for (int half = gemv->chains / 2; half >= 1; half /= 2)
        for (int k = 0; k < half; k++)
            first[k * sums] = ir_fadd(gemv->emitter->ir, first[k * sums], first[(k + half) * sums]);
    return *first;
}

/* ---- outputs ------------------------------------------------------------------------------- */

/* Sends the block's outputs of sample `s` through the epilogue; `first` is the first of them. */
static void outputs_finish(Gemv *gemv, int s, const Spot *first) {
    const Emitter *emitter = gemv->emitter;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    IrValue bias = emitter_bias(emitter);
    for (int v = 0; v < gemv->vectors; v++) {
        IrValue sum = chains_add(gemv, s, v);
        int64_t lane = (int64_t)v * lanes; /* the vector's first */
        if (bias)
            sum = ir_fadd(ir, sum,
                          ir_load(ir, ir_at_const(ir, ir_at(ir, bias, gemv->output), lane), lanes));
        int64_t left = gemv->count - lane;
        Spot spot = spot_moved(emitter, first, lane, 0, 0);
        spot_finish(emitter, &spot, sum, left < lanes ? (int)left : lanes);
    }
}

/* The block's outputs of the tile's samples; `sample` is the first, NULL if there is but one. */
static void block_emit(Gemv *gemv, IrValue sample) {
    const Emitter *emitter = gemv->emitter;
    Ir *ir = emitter->ir;
    IrValue zero = ir_f32_vector(ir, 0, emitter->lanes);
    for (int k = 0; k < sum_count(gemv); k++)
        gemv->sums[k] = zero;
    for (int w = 0; w < 2; w++)
        walk_emit(gemv, &gemv->walks[w], gemv->weights[w]);

    Spot first = spot_at(emitter, gemv->output, ir_i64(ir, 0), ir_i64(ir, 0));
    for (int s = 0; s < gemv->samples; s++) {
        Spot spot = sample ? spot_of_sample(emitter, &first, ir_add_const(ir, sample, s)) : first;
        outputs_finish(gemv, s, &spot);
    }
}

/* A TileEmitter over the samples, whose number is the row. */
static void tile_emit(void *context, IrValue row, IrValue column, int rows, int columns) {
    (void)column;
    (void)columns;
    Gemv *gemv = context;
    const Emitter *emitter = gemv->emitter;
    Ir *ir = emitter->ir;
    int64_t stride = emitter->step->inputs[0].buffer->sample_stride;
    assert(rows * gemv->vectors * gemv->chains <= MAX_SUMS);
    gemv->samples = rows;
    gemv->input = ir_at(ir, emitter_input(emitter, 0), ir_mul_const(ir, row, stride));
    block_emit(gemv, row);
}

/* Turns of a loop over `blocks` blocks from vector `start` of the outputs on: those that a part of
 * the work has or, where parts have samples of a block, all. */
static Portion share_of_blocks(const Gemv *gemv, const Portion *work, int64_t start,
                               int64_t blocks) {
    Ir *ir = gemv->emitter->ir;
    if (gemv->emitter->step->together)
        return (Portion){ir_i64(ir, 0), ir_i64(ir, blocks)};
    return portion_inside(gemv->emitter, work, ir_i64(ir, start), gemv->vectors, blocks);
}

/* A block, whose first vector of outputs is number `vector`. */
static void samples_emit(Gemv *gemv, const Portion *work, IrValue vector) {
    const Emitter *emitter = gemv->emitter;
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    if (!step->together) {
        gemv->samples = 1;
        gemv->input = emitter_input(emitter, 0);
        block_emit(gemv, NULL);
        return;
    }
    int64_t samples = step->output.buffer->samples;
    IrValue start = ir_mul_const(ir, vector, samples);
    Portion rows = portion_inside(emitter, work, start, gemv->vectors, samples);
    tiles_emit(ir, samples, 1, step->tile.rows, 1, &rows, tile_emit, gemv);
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
    Gemv gemv = {.emitter = emitter,
                 .walks = walks,
                 .vectors = step->tile.vectors,
                 .chains = step->tile.unroll};
    assert(gemv.chains >= 1 && (gemv.chains & (gemv.chains - 1)) == 0);
    assert(step->tile.rows * gemv.chains * gemv.vectors <= MAX_SUMS);

    int64_t block_vectors = blocks * step->tile.vectors;
    int64_t rest_vectors = divide_up(rest, emitter->lanes);
    int64_t samples = step->together ? step->output.buffer->samples : 1;
    Portion work = portion_of(emitter, (block_vectors + rest_vectors) * samples);
    IrValue weights = emitter_weights(emitter);
    if (blocks > 0) {
        Portion share = share_of_blocks(&gemv, &work, 0, blocks);
        IrLoop loop = ir_loop_begin(ir, share.begin, share.end, 1, NULL, 0);
        IrValue first = ir_mul_const(ir, loop.index, walks[0].inputs * width);
        IrValue second = ir_mul_const(ir, loop.index, walks[1].inputs * width);
        second = ir_add_const(ir, second, blocks * walks[0].inputs * width);
        const IrValue at[2] = {ir_at(ir, weights, first), ir_at(ir, weights, second)};
        gemv.weights = at;
        gemv.output = ir_mul_const(ir, loop.index, width);
        gemv.count = width;
        samples_emit(&gemv, &work, ir_mul_const(ir, loop.index, gemv.vectors));
        ir_loop_end(ir, &loop);
    }
    if (rest > 0) {
        gemv.vectors = (int)rest_vectors;
        Portion share = share_of_blocks(&gemv, &work, block_vectors, 1);
        IrLoop loop = ir_loop_begin(ir, share.begin, share.end, 1, NULL, 0);
        int64_t first = blocks * (walks[0].inputs + walks[1].inputs) * width;
        int64_t second = first + walks[0].inputs * gemv.vectors * emitter->lanes;
        const IrValue at[2] = {ir_at_const(ir, weights, first), ir_at_const(ir, weights, second)};
        gemv.weights = at;
        gemv.output = ir_i64(ir, blocks * width);
        gemv.count = rest;
        samples_emit(&gemv, &work, ir_i64(ir, block_vectors));
        ir_loop_end(ir, &loop);
    }
}
