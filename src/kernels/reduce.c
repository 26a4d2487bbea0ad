/* Reduction of slices: sum, mean, largest number or its place.
 *
 * The place of the largest is carried in f32 beside it, exact up to 2^24: each lane
 * keeps the first of its own numbers, and where lanes of one slice meet, the earlier of equals
 * wins. NaN is larger than every number. */
#include <assert.h>
#include <math.h>

#include "kernels/epilogue.h"
#include "kernels/slices.h"

static IrValue constant(const Slice *slice, double value) {
    return ir_f32_vector(slice->emitter->ir, value, slice->emitter->lanes);
}

static void fill(const Slice *slice, IrValue *vectors, int count, double value) {
    for (int k = 0; k < count; k++)
        vectors[k] = constant(slice, value);
}

/* One result a slice: of all lanes across slices, of any lane along one. */
static void store_results(const Slice *slice, const IrValue vectors[BUNDLE]) {
    const Emitter *emitter = slice->emitter;
    for (int k = 0; k < slice->first.vectors; k++) {
        Spot spot = spot_in_order(
            emitter, ir_add_const(emitter->ir, slice->first.beside, (int64_t)k * emitter->lanes));
        spot_finish(emitter, &spot, vectors[k], slice->first.count);
    }
}

/* ---- sum, mean, largest -------------------------------------------------------------------- */

static void sum_bundle(const Slice *slice, const Bundle *bundle, void *context) {
    IrValue *sums = context;
    for (int k = 0; k < bundle->vectors; k++)
        sums[k] = ir_fadd(slice->emitter->ir, sums[k], bundle_load(slice, bundle, k, 0));
}

static void sum_slice(const Slice *slice) {
    IrValue sums[BUNDLE];
    fill(slice, sums, BUNDLE, 0);
    slice_pass(slice, sum_bundle, sums, sums, BUNDLE);
    slice_fold_add(slice, sums);
    if (slice->emitter->step->reduce.op == REDUCE_MEAN)
        for (int k = 0; k < BUNDLE; k++)
            sums[k] = ir_fdiv(slice->emitter->ir, sums[k],
                              constant(slice, (double)slice->slices->length));
    store_results(slice, sums);
}

static void max_bundle(const Slice *slice, const Bundle *bundle, void *context) {
    IrValue *largest = context;
    for (int k = 0; k < bundle->vectors; k++)
        largest[k] =
            ir_fmax(slice->emitter->ir, bundle_load(slice, bundle, k, -INFINITY), largest[k]);
}

static void max_slice(const Slice *slice) {
    IrValue largest[BUNDLE];
    fill(slice, largest, BUNDLE, -INFINITY);
    slice_pass(slice, max_bundle, largest, largest, BUNDLE);
    slice_fold_max(slice, largest);
    store_results(slice, largest);
}

/* ---- place of the largest ------------------------------------------------------------------ */

/* Carried through the loops in this order. Each lane begins with -Inf at the first place it will
 * see; a lane that is past the end of its slice keeps that and loses to place 0. */
typedef enum PlaceVector {
    LARGEST = 0,       /* of each vector of a bundle */
    PLACE = BUNDLE,    /* where it stands in its slice */
    NEXT = 2 * BUNDLE, /* place of each lane of vector 0 of the next bundle */
    PLACE_VECTORS,
} PlaceVector;

/* `a` or `b`: i1 of a condition on either. */
static IrValue either(Ir *ir, IrValue a, IrValue b) {
    return ir_select(ir, a, a, b);
}

static IrValue both(Ir *ir, IrValue a, IrValue b) {
    return ir_select(ir, a, b, a);
}

/* Whether x is larger than `than`: a larger number, or NaN where there was none. */
static IrValue is_larger(Ir *ir, IrValue x, IrValue than) {
    IrValue number = ir_fcompare(ir, IR_LESS_EQUAL, than, than); /* not NaN */
    IrValue joins = both(ir, ir_fcompare(ir, IR_NOT_NUMBER, x, x), number);
    return either(ir, ir_fcompare(ir, IR_GREATER, x, than), joins);
}

/* Places from vector 0 of a bundle to vector `k`. */
static double vector_place(const Slice *slice, int k) {
    return slice->slices->across ? 0 : (double)k * slice->emitter->lanes;
}

static void place_bundle(const Slice *slice, const Bundle *bundle, void *context) {
    IrValue *carried = context;
    IrValue *largest = carried + LARGEST, *place = carried + PLACE, *next = carried + NEXT;
    Ir *ir = slice->emitter->ir;
    for (int k = 0; k < bundle->vectors; k++) {
        IrValue x = bundle_load(slice, bundle, k, -INFINITY);
        IrValue here = ir_fadd(ir, *next, constant(slice, vector_place(slice, k)));
        IrValue taken = is_larger(ir, x, largest[k]);
        largest[k] = ir_select(ir, taken, x, largest[k]);
        place[k] = ir_select(ir, taken, here, place[k]);
    }
    double turn = slice->slices->across ? 1 : vector_place(slice, bundle->vectors);
    *next = ir_fadd(ir, *next, constant(slice, turn));
}

typedef struct Candidate {
    IrValue number, place; /* scalars or vectors */
} Candidate;

/* The one with the larger number, of equals the one that stands first. */
static Candidate first_largest(Ir *ir, Candidate a, Candidate b) {
    IrValue tied = ir_fcompare(ir, IR_LESS_EQUAL, a.number, b.number);
    tied = both(ir, tied, ir_fcompare(ir, IR_LESS_EQUAL, b.number, a.number));
    tied = either(ir, tied,
                  both(ir, ir_fcompare(ir, IR_NOT_NUMBER, a.number, a.number),
                       ir_fcompare(ir, IR_NOT_NUMBER, b.number, b.number)));
    IrValue earlier = both(ir, tied, ir_fcompare(ir, IR_LESS, b.place, a.place));
    IrValue taken = either(ir, is_larger(ir, b.number, a.number), earlier);
    return (Candidate){ir_select(ir, taken, b.number, a.number),
                       ir_select(ir, taken, b.place, a.place)};
}

/* The place of the largest in all lanes of place[0]. */
static void fold_places(const Slice *slice, const IrValue largest[BUNDLE], IrValue place[BUNDLE]) {
    Ir *ir = slice->emitter->ir;
    int lanes = slice->emitter->lanes;
    Candidate vector = {largest[0], place[0]};
    for (int k = 1; k < BUNDLE; k++)
        vector = first_largest(ir, vector, (Candidate){largest[k], place[k]});
    Candidate best = {ir_lane(ir, vector.number, 0), ir_lane(ir, vector.place, 0)};
    for (int lane = 1; lane < lanes; lane++)
        best = first_largest(
            ir, best,
            (Candidate){ir_lane(ir, vector.number, lane), ir_lane(ir, vector.place, lane)});
    place[0] = ir_splat(ir, best.place, lanes);
}

static void place_slice(const Slice *slice) {
    Ir *ir = slice->emitter->ir;
    bool across = slice->slices->across;
    IrValue carried[PLACE_VECTORS], *place = carried + PLACE, next = constant(slice, 0);
    for (int lane = 1; lane < slice->emitter->lanes && !across; lane++)
        next = ir_insert(ir, next, ir_f32(ir, lane), lane);
    fill(slice, carried + LARGEST, BUNDLE, -INFINITY);
    for (int k = 0; k < BUNDLE; k++)
        place[k] = ir_fadd(ir, next, constant(slice, vector_place(slice, k)));
    carried[NEXT] = next;
    slice_pass(slice, place_bundle, carried, carried, PLACE_VECTORS);
    if (!across)
        fold_places(slice, carried + LARGEST, place);
    store_results(slice, place);
}

/* ---- the whole tensor ---------------------------------------------------------------------- */

void reduce_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    const Shape *shape = &step->input_values[0]->type.shape;
    Slices slices = slices_make(shape, step->reduce.axes, ~step->reduce.axes);
    switch (step->reduce.op) {
    case REDUCE_SUM:
    case REDUCE_MEAN: slices_emit(emitter, &slices, sum_slice); return;
    case REDUCE_MAX: slices_emit(emitter, &slices, max_slice); return;
    case REDUCE_ARGMAX: slices_emit(emitter, &slices, place_slice); return;
    }
    assert(0 && "no such reduction");
}
