/* Normalisation of slices: (x - mean) / sqrt(variance + epsilon) * weight + bias, or without the
 * mean x / sqrt(mean of squares + epsilon) * weight.
 *
 * Mean and variance come from the corrected two-pass algorithm (Chan, Golub, LeVeque 1983,
 * "Algorithms for Computing the Sample Variance", equation 1.7). The first pass gives m, close to
 * the mean; the second, of d = x - m,
 *     offset c = (sum of d) / n,  variance = (sum of d^2) / n - c^2,
 * and the result is made of d - c. What m is off by cancels, so that a mean that is large beside
 * the deviations costs no accuracy. */
#include "kernels/epilogue.h"
#include "kernels/slices.h"

typedef struct Normalise {
    IrValue mean[BUNDLE];     /* m; across slices of vector k of the bundle, else the same in all */
    IrValue offset[BUNDLE];   /* c */
    IrValue factor[BUNDLE];   /* 1 / sqrt(variance + epsilon) */
    IrValue sums[2 * BUNDLE]; /* of d, then of its squares */
} Normalise;

static IrValue constant(const Slice *slice, double value) {
    return ir_f32_vector(slice->emitter->ir, value, slice->emitter->lanes);
}

static bool is_centred(const Slice *slice) {
    return slice->emitter->step->normalise.centred;
}

static void clear(const Slice *slice, IrValue *sums, int count) {
    for (int k = 0; k < count; k++)
        sums[k] = constant(slice, 0);
}

/* ---- passes -------------------------------------------------------------------------------- */

static void sum_bundle(const Slice *slice, const Bundle *bundle, void *context) {
    Normalise *normalise = context;
    for (int k = 0; k < bundle->vectors; k++)
        normalise->mean[k] =
            ir_fadd(slice->emitter->ir, normalise->mean[k], bundle_load(slice, bundle, k, 0));
}

static void mean_emit(const Slice *slice, Normalise *normalise) {
    Ir *ir = slice->emitter->ir;
    clear(slice, normalise->mean, BUNDLE);
    slice_pass(slice, sum_bundle, normalise, normalise->mean, BUNDLE);
    slice_fold_add(slice, normalise->mean);
    for (int k = 0; k < BUNDLE; k++)
        normalise->mean[k] =
            ir_fdiv(ir, normalise->mean[k], constant(slice, (double)slice->slices->length));
}

static void deviate_bundle(const Slice *slice, const Bundle *bundle, void *context) {
    Normalise *normalise = context;
    Ir *ir = slice->emitter->ir;
    for (int k = 0; k < bundle->vectors; k++) {
        IrValue d = bundle_load(slice, bundle, k, 0);
        if (is_centred(slice)) {
            d = bundle_masked(slice, bundle, ir_fsub(ir, d, normalise->mean[k]), 0);
            normalise->sums[k] = ir_fadd(ir, normalise->sums[k], d);
        }
        IrValue *squares = &normalise->sums[BUNDLE + k];
        *squares = ir_fma(ir, d, d, *squares);
    }
}

/* The variance is no less than 0, whatever was rounded; NaN stays. */
static void factor_emit(const Slice *slice, Normalise *normalise) {
    Ir *ir = slice->emitter->ir;
    IrValue length = constant(slice, (double)slice->slices->length);
    IrValue epsilon = constant(slice, slice->emitter->step->normalise.epsilon);
    clear(slice, normalise->sums, 2 * BUNDLE);
    slice_pass(slice, deviate_bundle, normalise, normalise->sums, 2 * BUNDLE);
    slice_fold_add(slice, normalise->sums);
    slice_fold_add(slice, normalise->sums + BUNDLE);
    for (int k = 0; k < BUNDLE; k++) {
        IrValue variance = ir_fdiv(ir, normalise->sums[BUNDLE + k], length);
        if (is_centred(slice)) {
            IrValue c = normalise->offset[k] = ir_fdiv(ir, normalise->sums[k], length);
            variance = ir_fma(ir, ir_fneg(ir, c), c, variance);
            variance = ir_fmax(ir, variance, constant(slice, 0));
        }
        IrValue deviation = ir_fsqrt(ir, ir_fadd(ir, variance, epsilon));
        normalise->factor[k] = ir_fdiv(ir, constant(slice, 1), deviation);
    }
}

/* The parameters of vector `k`. */
static IrValue parameter_load(const Slice *slice, const Bundle *bundle, IrValue vector, int k) {
    const Slices *slices = slice->slices;
    Ir *ir = slice->emitter->ir;
    int lanes = slice->emitter->lanes;
    const SliceLoop *innermost = slices->across ? &slices->kept[slices->kept_count - 1]
                                                : &slices->along[slices->along_count - 1];
    IrValue pointer = ir_at(ir, vector, ir_add(ir, slice->first.beside, bundle->beside));
    if (innermost->beside == 0)
        return ir_splat(ir, ir_load(ir, pointer, 1), lanes);
    return ir_load_part(ir, ir_at_const(ir, pointer, (int64_t)k * lanes), lanes, bundle->count);
}

static void finish_bundle(const Slice *slice, const Bundle *bundle, void *context) {
    const Normalise *normalise = context;
    const Emitter *emitter = slice->emitter;
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    for (int k = 0; k < bundle->vectors; k++) {
        IrValue y = bundle_load(slice, bundle, k, 0);
        if (is_centred(slice))
            y = ir_fsub(ir, ir_fsub(ir, y, normalise->mean[k]), normalise->offset[k]);
        y = ir_fmul(ir, y, normalise->factor[k]);
        IrValue weight =
            step->weights ? parameter_load(slice, bundle, emitter_weights(emitter), k) : NULL;
        if (step->bias)
            y = ir_fma(ir, y, weight, parameter_load(slice, bundle, emitter_bias(emitter), k));
        else if (weight)
            y = ir_fmul(ir, y, weight);
        Spot spot =
            spot_in_order(emitter, ir_add_const(ir, bundle->at, (int64_t)k * emitter->lanes));
        spot_finish(emitter, &spot, y, bundle->count);
    }
}

/* ---- the whole tensor ---------------------------------------------------------------------- */

static void slice_emit(const Slice *slice) {
    Normalise normalise;
    if (is_centred(slice))
        mean_emit(slice, &normalise);
    factor_emit(slice, &normalise);
    slice_pass(slice, finish_bundle, &normalise, NULL, 0);
}

void normalise_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    Slices slices =
        slices_make(&step->normalise.shape, step->normalise.axes, step->normalise.parameter_axes);
    slices_emit(emitter, &slices, slice_emit);
}
