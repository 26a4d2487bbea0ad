/* Normalisation in float64, with a bound of what f32 may make of it.
 *
 * Of a slice of n numbers x_i, each known within e_i, let X_i be what f32 has in their place, and
 *     t_i = x_i - mean(x),  v = mean(t^2),  w = v + epsilon,  y_i = t_i / sqrt(w).
 * The kernel (kernels/normalise.c) uses the corrected two-pass algorithm of Chan, Golub and LeVeque
 * (1983, "Algorithms for Computing the Sample Variance"). With u = 2^-24 and gamma_n as in
 * layers/evaluate.h, what it computes is off as follows.
 *
 *   m, the first mean        |m - mean(X)| <= M = gamma_(n+1) mean|X|
 *   d_i = X_i - m            a relative u each. m drops out: d_i - mean(d) = X_i - mean(X) exactly.
 *   c = mean(d)              off by at most C = gamma_(n+2) mean|X - m|, where
 *                            mean|X - m| <= mean|X - mean(X)| + M
 *   t_i = d_i - c            off by at most C + gamma_3 (|X_i - mean(X)| + 2 M)
 *   S / n = mean(d^2)        a relative gamma_(n+4) of q = mean((X - m)^2) = v(X) + (m - mean(X))^2
 *   v = S / n - c^2          c is -(m - mean(X)) but for C <= gamma_(n+2) sqrt(q), so c^2 is off by
 *                            2 M C + C^2, and in all v by at most
 *                            V = gamma_(n+8) (q + 2 M sqrt(q) + gamma_(n+8) q)
 *   1 / sqrt(v + epsilon)    two roundings and that of epsilon inside, two outside
 *
 * M stands only beside u or gamma again: a mean that is large beside the deviations costs nothing.
 * The inputs' own errors move t_i by s_i = e_i + mean(e) and v by mean(2 |t_i| s_i + s_i^2).
 * With r = V' / w, V' all that v + epsilon is off by, 1 / sqrt grows by at most 1 / sqrt(1 - r);
 * for r >= 1 nothing is claimed.
 *
 * Without centring t_i = x_i, M = C = 0, and S / n is all there is. */
#include "layers/normalisation.h"

#include <math.h>

#include "layers/slice.h"

/* A slice being evaluated. */
typedef struct Slice {
    const Normalisation *normalisation;
    const Real *input;
    int64_t number;
    int64_t length;

    double mean;    /* 0 where nothing is centred */
    double factor;  /* 1 / sqrt(w) */
    double slack;   /* mean(e) */
    double drift;   /* M */
    double offset;  /* C */
    double growth;  /* relative error of the factor; INFINITY: nothing is known */
    double reach;   /* no number on the way is larger */
    bool undefined; /* a number of it is NaN or infinite for certain */
    bool unbounded; /* a number of it may be anything */
} Slice;

static int64_t position_of(const Slice *slice, int64_t k) {
    return slice_position(&slice->normalisation->shape, slice->normalisation->axes, slice->number,
                          k);
}

/* s_i: what the inputs' errors move t_i by. */
static double shift_of(const Slice *slice, Real x) {
    return x.error + slice->slack;
}

static double deviation_of(const Slice *slice, Real x) {
    return x.value - slice->mean;
}

/* Sets the mean and what belongs to it. */
static void find_mean(Slice *slice) {
    double n = (double)slice->length;
    double sum = 0;
    double magnitude = 0;
    double error = 0;
    for (int64_t k = 0; k < slice->length; k++) {
        Real x = slice->input[position_of(slice, k)];
        slice->unbounded = slice->unbounded || !(x.error < INFINITY);
        slice->undefined = slice->undefined || (x.error < INFINITY && !isfinite(x.value));
        sum += x.value;
        magnitude += fabs(x.value) + x.error;
        error += x.error;
    }
    slice->reach = magnitude;
    if (!slice->normalisation->centred)
        return;
    slice->mean = sum / n;
    slice->slack = error / n;
    slice->drift = real_gamma(n + 2) * magnitude / n + F32_TINY;
}

/* Sets the factor and the errors of both passes. */
static void find_factor(Slice *slice) {
    double n = (double)slice->length;
    double squares = 0;  /* of t_i */
    double moved = 0;    /* sum of 2 |t_i| s_i + s_i^2 */
    double distance = 0; /* sum of |t_i| + s_i */
    double spread = 0;   /* sum of their squares */
    for (int64_t k = 0; k < slice->length; k++) {
        Real x = slice->input[position_of(slice, k)];
        double t = deviation_of(slice, x);
        double shift = shift_of(slice, x);
        squares += t * t;
        moved += (2 * fabs(t) + shift) * shift;
        distance += fabs(t) + shift;
        spread += (fabs(t) + shift) * (fabs(t) + shift);
    }
    double drift = slice->drift;
    double gamma = real_gamma(n + 8);
    double q = spread / n + drift * drift;
    double w = squares / n + slice->normalisation->epsilon;
    double off = moved / n + gamma * (q + 2 * drift * sqrt(q) + gamma * q) + 2 * F32_TINY;
    double ratio = (off + real_gamma(3) * (w + off)) / w;
    slice->factor = 1 / sqrt(w);
    slice->growth = ratio < 1 ? (1 + real_gamma(3)) / sqrt(1 - ratio) - 1 : INFINITY;
    slice->offset = slice->normalisation->centred ? gamma * (distance / n + drift) + F32_TINY : 0;
    slice->reach = fmax(slice->reach, n * q * (1 + gamma));
}

/* t_i / sqrt(w) times the weight, plus the bias. */
static Real normalised(const Slice *slice, Real x, double weight, double bias) {
    double t = deviation_of(slice, x);
    double y = t * slice->factor;
    double value = y * weight + bias;
    bool centred = slice->normalisation->centred;
    if (slice->undefined && (centred || !slice->unbounded))
        return (Real){value, 0}; /* all NaN, but 0 without centring where others are infinite */
    double shift = shift_of(slice, x);
    double rounding = real_gamma(3) * (fabs(t) + shift + 2 * slice->drift);
    double off = shift + slice->offset + (centred ? rounding : 0);
    double grown = slice->factor * (1 + slice->growth);
    double size = (fabs(t) + off) * grown;
    double error = off * grown + fabs(y) * slice->growth + UNIT_ROUNDOFF * size + F32_TINY;
    double product = fabs(weight) * (size + F32_TINY);
    if (slice->unbounded || !(fmax(product, slice->reach) <= FLT_MAX))
        return (Real){value, INFINITY};
    if (!isfinite(value)) /* as the bias is */
        return (Real){value, 0};
    error = fabs(weight) * error + real_gamma(3) * (product + fabs(bias)) + F32_TINY;
    return (Real){value, product + fabs(bias) + error <= FLT_MAX ? error : INFINITY};
}

static void evaluate_slice(Evaluation *evaluation, Slice *slice) {
    const Normalisation *normalisation = slice->normalisation;
    find_mean(slice);
    find_factor(slice);
    for (int64_t k = 0; k < slice->length; k++) {
        int64_t at = position_of(slice, k);
        int64_t place = slice_index(&normalisation->shape, normalisation->parameter_axes, at);
        const Weight *weight = normalisation->weight;
        const Weight *bias = normalisation->bias;
        evaluation->output[at] =
            normalised(slice, slice->input[at], weight != NULL ? weight->data[place] : 1,
                       bias != NULL ? bias->data[place] : 0);
    }
}

void normalisation_evaluate(Evaluation *evaluation, const Normalisation *normalisation) {
    int64_t elements = shape_elements(&normalisation->shape);
    int64_t length = slice_length(&normalisation->shape, normalisation->axes);
    for (int64_t i = 0; i < elements / length; i++) {
        Slice slice = {.normalisation = normalisation,
                       .input = evaluation->inputs[0],
                       .number = i,
                       .length = length};
        evaluate_slice(evaluation, &slice);
    }
}
