/* Loops over the slices of a flat tensor. */
#include "kernels/slices.h"

#include <assert.h>

/* ---- the loops ----------------------------------------------------------------------------- */

/* Puts a loop inside those of `loops`, innermost first, or makes it one with the last of them. */
static void add_loop(SliceLoop *loops, int *count, SliceLoop loop) {
    SliceLoop *inner = *count > 0 ? &loops[*count - 1] : NULL;
    if (inner && loop.stride == inner->stride * inner->count &&
        loop.beside == inner->beside * inner->count)
        inner->count *= loop.count;
    else
        loops[(*count)++] = loop;
}

static void reverse(SliceLoop *loops, int count) {
    for (int k = 0; k < count / 2; k++) {
        SliceLoop swapped = loops[k];
        loops[k] = loops[count - 1 - k];
        loops[count - 1 - k] = swapped;
    }
}

Slices slices_make(const Shape *shape, AxisSet axes, AxisSet beside_axes) {
    Slices slices = {.length = 1};
    int64_t stride = 1, beside = 1;
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        bool is_beside = beside_axes >> axis & 1, is_along = axes >> axis & 1;
        SliceLoop loop = {shape->dims[axis], stride, is_beside ? beside : 0};
        if (loop.count > 1 && is_along)
            add_loop(slices.along, &slices.along_count, loop);
        if (loop.count > 1 && !is_along)
            add_loop(slices.kept, &slices.kept_count, loop);
        slices.length *= is_along ? loop.count : 1;
        stride *= loop.count;
        beside *= is_beside ? loop.count : 1;
    }
    slices.across = slices.kept_count > 0 && slices.kept[0].stride == 1;
    if (slices.along_count == 0)
        slices.along[slices.along_count++] = (SliceLoop){.count = 1, .stride = 1};
    reverse(slices.kept, slices.kept_count);
    reverse(slices.along, slices.along_count);
    return slices;
}

/* Begins the first `count` of `loops`, of the outermost the turns of `portion` (NULL: all), and
 * moves `place` to where they stand. */
static void loops_begin(Ir *ir, const SliceLoop *loops, int count, const Portion *portion,
                        IrLoop *begun, Bundle *place, IrValue *carried, int carried_count) {
    for (int k = 0; k < count; k++) {
        Portion turns = {ir_i64(ir, 0), ir_i64(ir, loops[k].count)};
        if (k == 0 && portion)
            turns = *portion;
        begun[k] = ir_loop_begin(ir, turns.begin, turns.end, 1, carried, carried_count);
        IrValue turn = begun[k].index;
        place->at = ir_add(ir, place->at, ir_mul_const(ir, turn, loops[k].stride));
        place->beside = ir_add(ir, place->beside, ir_mul_const(ir, turn, loops[k].beside));
    }
}

static void loops_end(Ir *ir, IrLoop *begun, int count) {
    for (int k = count - 1; k >= 0; k--)
        ir_loop_end(ir, &begun[k]);
}

/* ---- neighbours ---------------------------------------------------------------------------- */

/* A run of neighbours that is cut into bundles, and what each bundle is for. */
typedef struct NeighbourRun {
    const SliceLoop *loop; /* of stride 1 */
    Bundle first;
    const Slice *slice;
    SliceEmitter each_slice;
    BundleEmitter each_bundle; /* or this */
    void *context;
} NeighbourRun;

static void bundle_emit(const NeighbourRun *run, IrValue index, int vectors, int count) {
    Ir *ir = run->slice->emitter->ir;
    Bundle bundle = {.at = ir_add(ir, run->first.at, index),
                     .beside =
                         ir_add(ir, run->first.beside, ir_mul_const(ir, index, run->loop->beside)),
                     .vectors = vectors,
                     .count = count};
    if (run->each_bundle) {
        run->each_bundle(run->slice, &bundle, run->context);
        return;
    }
    Slice slice = *run->slice;
    slice.first = bundle;
    run->each_slice(&slice);
}

/* Whole bundles, then whole vectors, then what is left. */
static void neighbours_emit(const NeighbourRun *run, IrValue *carried, int carried_count) {
    Ir *ir = run->slice->emitter->ir;
    int lanes = run->slice->emitter->lanes;
    int64_t extent = run->loop->count, width = (int64_t)BUNDLE * lanes;
    int64_t whole = extent / width * width;
    assert(run->loop->stride == 1);
    if (whole > 0) {
        IrLoop loop =
            ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, whole), width, carried, carried_count);
        bundle_emit(run, loop.index, BUNDLE, lanes);
        ir_loop_end(ir, &loop);
    }
    for (int64_t at = whole; at < extent; at += lanes)
        bundle_emit(run, ir_i64(ir, at), 1, extent - at < lanes ? (int)(extent - at) : lanes);
}

/* ---- slices -------------------------------------------------------------------------------- */

void slices_emit(const Emitter *emitter, const Slices *slices, SliceEmitter each) {
    Ir *ir = emitter->ir;
    IrLoop begun[TENSOR_MAX_RANK];
    IrValue zero = ir_i64(ir, 0);
    Slice slice = {emitter, slices, {.at = zero, .beside = zero, .vectors = 1, .count = 1}};
    int outer = slices->kept_count - slices->across;
    /* Where there is no loop, one of the parts does all. */
    Portion portion = portion_of(emitter, outer > 0 ? slices->kept[0].count : 1);
    IrLoop alone;
    if (outer == 0)
        alone = ir_loop_begin(ir, portion.begin, portion.end, 1, NULL, 0);
    loops_begin(ir, slices->kept, outer, &portion, begun, &slice.first, NULL, 0);
    if (slices->across) {
        NeighbourRun run = {.loop = &slices->kept[outer],
                            .first = slice.first,
                            .slice = &slice,
                            .each_slice = each};
        neighbours_emit(&run, NULL, 0);
    } else {
        each(&slice);
    }
    loops_end(ir, begun, outer);
    if (outer == 0)
        ir_loop_end(ir, &alone);
}

void slice_pass(const Slice *slice, BundleEmitter each, void *context, IrValue *carried,
                int carried_count) {
    const Slices *slices = slice->slices;
    Ir *ir = slice->emitter->ir;
    IrLoop begun[TENSOR_MAX_RANK];
    Bundle bundle = slice->first;
    bundle.beside = ir_i64(ir, 0);
    int outer = slices->along_count - !slices->across;
    loops_begin(ir, slices->along, outer, NULL, begun, &bundle, carried, carried_count);
    if (slices->across) {
        each(slice, &bundle, context);
    } else {
        NeighbourRun run = {.loop = &slices->along[outer],
                            .first = bundle,
                            .slice = slice,
                            .each_bundle = each,
                            .context = context};
        neighbours_emit(&run, carried, carried_count);
    }
    loops_end(ir, begun, outer);
}

/* ---- vectors ------------------------------------------------------------------------------- */

IrValue bundle_masked(const Slice *slice, const Bundle *bundle, IrValue vector, double neutral) {
    Ir *ir = slice->emitter->ir;
    for (int lane = bundle->count; lane < slice->emitter->lanes && !slice->slices->across; lane++)
        vector = ir_insert(ir, vector, ir_f32(ir, neutral), lane);
    return vector;
}

IrValue bundle_load(const Slice *slice, const Bundle *bundle, int k, double neutral) {
    Ir *ir = slice->emitter->ir;
    int lanes = slice->emitter->lanes;
    IrValue pointer = ir_at(ir, emitter_input(slice->emitter, 0), bundle->at);
    IrValue vector =
        ir_load_part(ir, ir_at_const(ir, pointer, (int64_t)k * lanes), lanes, bundle->count);
    return neutral == 0 ? vector : bundle_masked(slice, bundle, vector, neutral);
}

typedef IrValue (*Combination)(Ir *ir, IrValue a, IrValue b);

/* Folds pairwise; number 0 has the result. */
static void bundle_fold(const Slice *slice, IrValue vectors[BUNDLE], Combination combine) {
    for (int half = BUNDLE / 2; half >= 1; half /= 2)
        for (int k = 0; k < half; k++)
            vectors[k] = combine(slice->emitter->ir, vectors[k], vectors[k + half]);
}

static void spread(const Slice *slice, IrValue vectors[BUNDLE], IrValue scalar) {
    for (int k = 0; k < BUNDLE; k++)
        vectors[k] = ir_splat(slice->emitter->ir, scalar, slice->emitter->lanes);
}

void slice_fold_add(const Slice *slice, IrValue vectors[BUNDLE]) {
    if (slice->slices->across)
        return;
    bundle_fold(slice, vectors, ir_fadd);
    spread(slice, vectors, ir_reduce_add(slice->emitter->ir, vectors[0], slice->emitter->lanes));
}

void slice_fold_max(const Slice *slice, IrValue vectors[BUNDLE]) {
    if (slice->slices->across)
        return;
    bundle_fold(slice, vectors, ir_fmax);
    spread(slice, vectors, ir_reduce_max(slice->emitter->ir, vectors[0], slice->emitter->lanes));
}
