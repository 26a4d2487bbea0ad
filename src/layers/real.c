#include <float.h>
#include <math.h>

#include "layers/evaluate.h"

double real_gamma(double n) {
    double nu = n * UNIT_ROUNDOFF;
    return nu < 1 ? nu / (1 - nu) : INFINITY;
}

/* The finite numbers in an infinite sum must be this much below the largest: a scale that is folded
 * into the weights multiplies them before they are added. Scales beyond it claim nothing. */
#define FOLD_HEADROOM 0x1p64

/* The conventions of Real. `reach` bounds every finite number met on the way, in exact arithmetic.
 */
static Real real_make(double value, double error, double reach) {
    if (isnan(value))
        return (Real){value, 0};
    if (isinf(value))
        return (Real){value, reach <= FLT_MAX / FOLD_HEADROOM ? 0 : INFINITY};
    if (!(reach + error <= FLT_MAX))
        error = INFINITY;
    return (Real){value, error};
}

/* With x_i off by e_i, any order of the n = terms roundings of products and additions gives
 *     |computed - sum w_i x_i| <= sum |w_i| e_i + gamma_n sum |w_i| (|x_i| + e_i),
 * and each product that underflows adds up to half of F32_TINY; additions are exact there. One more
 * rounding stands for the reference's own, n * 2^-53 <= u. */
Real real_sum_finish(const RealSum *sum, int64_t extra) {
    if (!(sum->error < INFINITY))
        return (Real){sum->value, INFINITY};
    double reach = sum->magnitude + sum->error;
    double error = sum->error + real_gamma((double)(sum->terms + extra + 1)) * reach +
                   (double)sum->terms * F32_TINY;
    return real_make(sum->value, error, reach);
}

/* A reciprocal, a product, and the division here: three roundings more. */
Real real_sum_mean(const RealSum *sum, int64_t count) {
    Real total = real_sum_finish(sum, 3);
    if (!isfinite(total.value))
        return total;
    double underflow = (double)(sum->terms + 1) * F32_TINY;
    return (Real){total.value / (double)count, total.error / (double)count + underflow};
}

void real_max_add(RealMax *max, Real x) {
    max->unbounded = max->unbounded || !(x.error < INFINITY);
    if (isnan(x.value) || x.value > max->largest)
        max->largest = isnan(max->largest) ? max->largest : x.value;
    max->lower = fmax(max->lower, x.value - x.error);
    max->upper = fmax(max->upper, x.value + x.error);
}

/* The largest of numbers that are each between x - e and x + e lies between the largest of the
 * lower and the largest of the upper ends. */
Real real_max_finish(const RealMax *max) {
    if (max->unbounded)
        return (Real){max->largest, INFINITY};
    double error = fmax(max->upper - max->largest, max->largest - max->lower);
    return (Real){max->largest, isfinite(max->largest) ? error : 0};
}

/* On its own: scale, product and sum are rounded, the shift and the sum: gamma_3 and gamma_2.
 * Folded into a sum of `terms` products w_i x_i + b, computed as (scale w_i) x_i + shift': the
 * rounding of each scale * w_i is one of the extra roundings in the sum's own bound, which comes
 * here with |scale|; but shift' is part of every partial sum, so its share is gamma_(terms + 2).
 * `scale` and `shift` were computed in double: 2 roundings more. A scale * w_i below the smallest
 * normal f32 is not covered.
 *
 * Overflow: the sum's magnitude is at most its error / u, and scaled it must stay below FLT_MAX. */
Real real_affine(Real x, double scale, double shift, int64_t terms) {
    double value = x.value * scale + shift;
    double size = fabs(scale);
    if (!isfinite(scale) || !isfinite(shift) || !(x.error < INFINITY) ||
        (isinf(value) && size > FOLD_HEADROOM))
        return (Real){value, INFINITY};
    if (!isfinite(value))
        return real_make(value, 0, fabs(shift));
    double reach = size * (fabs(x.value) + x.error) + fabs(shift);
    double error = size * x.error + real_gamma(5) * size * (fabs(x.value) + x.error) +
                   real_gamma((double)terms + 4) * fabs(shift) +
                   (fabs(x.value) + (double)terms + 4) * F32_TINY;
    return real_make(value, error, fmax(reach, size * x.error / UNIT_ROUNDOFF));
}

/* The weight is off by gamma_3 of itself, 1 - weight by that and u; two products and a sum round
 * twice more: with M the larger of |a| and |b|,
 *     M (2 gamma_3 + u) + gamma_2 M <= gamma_9 M,
 * and one more rounding stands for the second-order terms and the reference's own. */
Real real_mix(Real a, Real b, double weight) {
    double value = (1 - weight) * a.value + weight * b.value;
    double inherited = (1 - weight) * a.error + weight * b.error;
    if (!(a.error < INFINITY) || !(b.error < INFINITY))
        return (Real){value, INFINITY};
    double reach = fmax(isfinite(a.value) ? fabs(a.value) + a.error : 0,
                        isfinite(b.value) ? fabs(b.value) + b.error : 0);
    return real_make(value, inherited + real_gamma(10) * reach + 2 * F32_TINY, reach);
}

Real real_rounded(double value, double inherited, double ulps) {
    if (!(inherited < INFINITY))
        return (Real){value, INFINITY};
    if (!isfinite(value))
        return (Real){value, 0};
    double unit = fmax((fabs(value) + inherited) * 0x1p-23, F32_TINY);
    return (Real){value, inherited + ulps * unit};
}

Real real_limited(Real x) {
    if (isfinite(x.value) && !(fabs(x.value) + x.error <= FLT_MAX))
        x.error = INFINITY;
    return x;
}

/* An infinity times what may be of either sign, or zero: nothing is known. */
static Real infinite_product(Real infinite, Real other) {
    bool known = !isfinite(other.value) || other.error == 0 || fabs(other.value) > other.error;
    return (Real){infinite.value * other.value, known ? 0 : INFINITY};
}

Real real_product(Real a, Real b) {
    double value = a.value * b.value;
    if (!(a.error < INFINITY) || !(b.error < INFINITY))
        return (Real){value, INFINITY};
    if (isinf(a.value))
        return infinite_product(a, b);
    if (isinf(b.value))
        return infinite_product(b, a);
    double inherited = fabs(a.value) * b.error + fabs(b.value) * a.error + a.error * b.error;
    return real_limited(real_rounded(value, isnan(value) ? 0 : inherited, ROUNDING_ULPS));
}

/* |a' / b' - a / b| <= (e_a + |a / b| e_b) / (|b| - e_b) */
Real real_quotient(Real a, Real b) {
    double value = a.value / b.value;
    if (!(a.error < INFINITY) || !(b.error < INFINITY))
        return (Real){value, INFINITY};
    if (isnan(a.value) || !isfinite(b.value))
        return (Real){value, 0};
    if (!(fabs(b.value) > b.error))
        return (Real){value, INFINITY};
    if (isinf(a.value))
        return (Real){value, 0};
    double inherited = (a.error + fabs(value) * b.error) / (fabs(b.value) - b.error);
    return real_limited(real_rounded(value, inherited, ROUNDING_ULPS));
}

/* An input off by e moves f(x) by at most e times the largest |f'| between x - e and x + e (mean
 * value theorem). Both functions are steepest at the t of those that is nearest to zero. */
double nearest_to_zero(Real x) {
    return fmax(fabs(x.value) - x.error, 0);
}

/* f'(t) = e^-t / (1 + e^-t)^2 */
Real real_sigmoid(Real x) {
    double steep = exp(-nearest_to_zero(x));
    double slope = steep / ((1 + steep) * (1 + steep));
    return real_rounded(1 / (1 + exp(-x.value)), x.error > 0 ? slope * x.error : 0, FUNCTION_ULPS);
}

/* f'(t) = 1 / cosh(t)^2 */
Real real_tanh(Real x) {
    double cosine = cosh(nearest_to_zero(x));
    double inherited = x.error > 0 ? x.error / (cosine * cosine) : 0;
    return real_rounded(tanh(x.value), inherited, FUNCTION_ULPS);
}
