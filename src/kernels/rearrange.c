/* Rearrangements: copies of runs by a nest of loops, and what stands past the edges of the input.
 *
 * The output is written from its first to its last element. A loop that reaches past the edges is
 * two or three ranges of indices, one after the other, in each of which places go up or down by a
 * constant or the output is constant: nothing is tested as it runs. */
#include <assert.h>

#include "kernels/emitter.h"

/* A nest whose code is being made. */
typedef struct Filling {
    const Emitter *emitter;
    const Rearrange *rearrange;
    int64_t runs[REARRANGE_MAX_LOOPS]; /* floats of output in one turn of each loop */
} Filling;

/* Indices of a loop, from `begin` on, for which places are equally far apart. */
typedef struct Range {
    int64_t begin;
    int64_t count;
    bool constant;  /* past the edge: nothing is read */
    int64_t first;  /* element of the input at the first of them */
    int64_t stride; /* elements from each to the next */
} Range;

#define MAX_RANGES 3

static int ranges_of(const Rearrange *rearrange, const RearrangeLoop *loop,
                     Range ranges[MAX_RANGES]) {
    int64_t end = loop->begin + loop->extent, last = (loop->extent - 1) * loop->stride;
    Range before = {.begin = 0, .count = loop->begin};
    Range inside = {.begin = loop->begin, .count = loop->extent, .stride = loop->stride};
    Range after = {.begin = end, .count = loop->count - end};
    switch (rearrange->edge) {
    case REARRANGE_CONSTANT: before.constant = after.constant = true; break;
    case REARRANGE_REFLECT:
        before.first = loop->begin * loop->stride;
        before.stride = -loop->stride;
        after.first = last - loop->stride;
        after.stride = -loop->stride;
        break;
    case REARRANGE_REPLICATE: after.first = last; break;
    case REARRANGE_WRAP:
        before.count = loop->count < loop->begin ? loop->count : loop->begin;
        before.first = (loop->extent - loop->begin) * loop->stride;
        before.stride = after.stride = loop->stride;
        if (loop->count < end)
            inside.count = loop->count - loop->begin;
        break;
    }
    int count = 0;
    if (before.count > 0)
        ranges[count++] = before;
    if (inside.count > 0)
        ranges[count++] = inside;
    if (after.count > 0)
        ranges[count++] = after;
    return count;
}

/* ---- runs of output ------------------------------------------------------------------------ */

/* Writes `count` floats from `output` on: `constant`, or if that is NULL those that are `stride`
 * elements apart from `input` on. Of what no loop is around the parts have shares. */
static void run_emit(const Filling *work, int level, IrValue output, int64_t count,
                     IrValue constant, IrValue input, int64_t stride) {
    Ir *ir = work->emitter->ir;
    const View *view = &work->emitter->step->inputs[0];
    int lanes = work->emitter->lanes;
    int64_t whole = count / lanes * lanes;
    int rest = (int)(count - whole);
    Portion portion = {ir_i64(ir, 0), ir_i64(ir, count)};
    if (level == 0)
        portion = portion_by(work->emitter, count, lanes);
    if (whole > 0) {
        IrLoop loop = portion_whole_begin(ir, &portion, whole, lanes);
        IrValue vector = constant;
        if (!constant) {
            IrValue from = view_at(ir, view, input, ir_mul_const(ir, loop.index, stride));
            vector = view_load(ir, view, from, lanes, lanes, stride);
        }
        ir_store(ir, ir_at(ir, output, loop.index), vector, lanes);
        ir_loop_end(ir, &loop);
    }
    if (rest > 0) {
        IrLoop loop = portion_rest_begin(ir, &portion, whole, lanes);
        IrValue vector = constant;
        if (!constant)
            vector = view_load(ir, view, view_at_const(ir, view, input, whole * stride), lanes,
                               rest, stride);
        ir_store_part(ir, ir_at_const(ir, output, whole), vector, lanes, rest);
        ir_loop_end(ir, &loop);
    }
}

static void constant_emit(const Filling *work, int level, IrValue output, int64_t count) {
    IrValue constant =
        ir_f32_vector(work->emitter->ir, work->rearrange->value, work->emitter->lanes);
    run_emit(work, level, output, count, constant, NULL, 0);
}

/* ---- transpositions ------------------------------------------------------------------------ */

/* Two loops of which the inner goes along the rows of the input and the outer along its columns. */
typedef struct Transposition {
    const Filling *work;
    int64_t stride; /* of the inner loop in the input */
    int64_t run;    /* floats of output in one turn of the outer */
    IrValue output, input;
} Transposition;

/* Whether the loops from `level` on are that, and go nowhere past an edge. */
static bool is_transposition(const Filling *work, int level) {
    const Rearrange *rearrange = work->rearrange;
    const RearrangeLoop *outer = &rearrange->loops[level], *inner = outer + 1;
    return level == rearrange->loop_count - 2 && outer->stride == 1 && inner->stride > 1 &&
           outer->begin == 0 && outer->count <= outer->extent && inner->begin == 0 &&
           inner->count <= inner->extent && !view_is_bytes(&work->emitter->step->inputs[0]);
}

/* A TileEmitter: `row` is a turn of the outer loop, `column` one of the inner. */
static void square_emit(void *context, IrValue row, IrValue column, int rows, int columns) {
    const Transposition *t = context;
    const Emitter *emitter = t->work->emitter;
    Ir *ir = emitter->ir;
    IrValue from = ir_at(ir, t->input, ir_add(ir, row, ir_mul_const(ir, column, t->stride)));
    IrValue to = ir_at(ir, t->output, ir_add(ir, ir_mul_const(ir, row, t->run), column));
    transpose_emit(ir, emitter->lanes, &(Strips){from, t->stride, columns, rows},
                   &(Strips){to, t->run, rows, columns});
}

static void transposition_emit(const Filling *work, int level, IrValue output, IrValue input) {
    const RearrangeLoop *outer = &work->rearrange->loops[level], *inner = outer + 1;
    const Emitter *emitter = work->emitter;
    Transposition transposition = {work, inner->stride, work->runs[level], output, input};
    Portion rows = {ir_i64(emitter->ir, 0), ir_i64(emitter->ir, outer->count)};
    if (level == 0)
        rows = portion_by(emitter, outer->count, emitter->lanes);
    tiles_emit(emitter->ir, outer->count, inner->count, emitter->lanes, emitter->lanes, &rows,
               square_emit, &transposition);
}

/* ---- the nest ------------------------------------------------------------------------------ */

static void level_emit(const Filling *work, int level, IrValue output, IrValue input);

static void range_emit(const Filling *work, int level, const Range *range, IrValue output,
                       IrValue input) {
    Ir *ir = work->emitter->ir;
    int64_t run = work->runs[level];
    IrValue to = ir_at_const(ir, output, range->begin * run);
    if (range->constant) {
        constant_emit(work, level, to, range->count * run);
        return;
    }
    const View *view = &work->emitter->step->inputs[0];
    IrValue from = view_at_const(ir, view, input, range->first);
    if (level == work->rearrange->loop_count - 1) {
        run_emit(work, level, to, range->count, NULL, from, range->stride);
        return;
    }
    Portion turns = {ir_i64(ir, 0), ir_i64(ir, range->count)};
    if (level == 0)
        turns = portion_of(work->emitter, range->count);
    IrLoop loop = ir_loop_begin(ir, turns.begin, turns.end, 1, NULL, 0);
    level_emit(work, level + 1, ir_at(ir, to, ir_mul_const(ir, loop.index, run)),
               view_at(ir, view, from, ir_mul_const(ir, loop.index, range->stride)));
    ir_loop_end(ir, &loop);
}

static void level_emit(const Filling *work, int level, IrValue output, IrValue input) {
    if (is_transposition(work, level)) {
        transposition_emit(work, level, output, input);
        return;
    }
    Range ranges[MAX_RANGES];
    int count = ranges_of(work->rearrange, &work->rearrange->loops[level], ranges);
    for (int i = 0; i < count; i++)
        range_emit(work, level, &ranges[i], output, input);
}

void rearrange_emit(const Emitter *emitter) {
    const Rearrange *rearrange = &emitter->step->rearrange;
    Filling work = {.emitter = emitter, .rearrange = rearrange};
    int64_t run = 1;
    for (int i = rearrange->loop_count - 1; i >= 0; i--) {
        work.runs[i] = run;
        run *= rearrange->loops[i].count;
    }
    Ir *ir = emitter->ir;
    level_emit(
        &work, 0, emitter_output(emitter),
        view_at_const(ir, &emitter->step->inputs[0], emitter_input(emitter, 0), rearrange->first));
}
