/* What a layer's `.evaluate` works with: float64 values, each with a bound of the error that any
 * f32 evaluation within netc's rules may have there (docs/numerics.md derives the rules).
 *
 * Bounds follow Higham, Accuracy and Stability of Numerical Algorithms, chapter 3: a sum of n
 * products in any order, with or without fused multiply-adds, is off by at most gamma_n times the
 * sum of the absolute products, gamma_n = n u / (1 - n u), u = 2^-24. */
#ifndef NETC_LAYERS_EVALUATE_H
#define NETC_LAYERS_EVALUATE_H

#include <float.h>
#include <math.h>
#include <pthreadpool.h>

#include "graph/graph.h"

/* A number and how far an f32 result may be from it.
 *
 * A value that is not finite comes from inputs or weights that are not; an f32 result is of the
 * same class (NaN, +Inf, -Inf) and the error is 0. An error of INFINITY claims nothing: an f32
 * evaluation may overflow there or before, where the double did not. That goes for an infinite
 * value too, if finite numbers added to it may overflow to the other infinity: the sum is NaN. */
typedef struct Real {
    double value;
    double error; /* >= 0, never NaN */
} Real;

typedef struct Evaluation {
    const Node *node;
    const Real *const *inputs; /* elements of each input, row-major */
    Real *output;              /* elements of output 0, to be filled */
    Real *const *outputs;      /* the same of every output */
    pthreadpool_t *pool;       /* the run's, made when a layer first shares its work; NULL: none */
} Evaluation;

/* Calls task(context, i) for all 0 <= i < count: on all processors, in any order, if it is worth it
 * for so many products in all. Where memory runs out in another thread the process ends. */
void evaluation_share(const Evaluation *evaluation, double products, pthreadpool_task_1d_t task,
                      void *context, int64_t count);

#define UNIT_ROUNDOFF 0x1p-24  /* of f32 */
#define F32_TINY      0x1p-149 /* absolute error of one operation that underflows */

/* gamma_n */
double real_gamma(double n);

/* A sum of products being collected. Start from {0}. */
typedef struct RealSum {
    double value;
    double magnitude; /* sum of the |products| that are finite */
    double error;     /* inherited from the factors */
    int64_t terms;
} RealSum;

/* Adds weight * x, where `weight` is exact. */
static inline void real_sum_product(RealSum *sum, double weight, Real x) {
    double product = weight * x.value, size = fabs(product);
    sum->value += product;
    if (size <= DBL_MAX)
        sum->magnitude += size;
    if (x.error > 0) /* an infinite weight times an exact x claims its class */
        sum->error += fabs(weight) * x.error;
    sum->terms++;
}

/* Adds x * y, where both may be off: |(x + d)(y + e) - xy| <= |x| |e| + |d| |y| + |d| |e|. */
static inline void real_sum_pair(RealSum *sum, Real x, Real y) {
    if (x.error > 0)
        sum->error += x.error * (fabs(y.value) + y.error);
    real_sum_product(sum, x.value, y);
}

/* Roundings of a convolution or dense layer beyond those of the sum itself: a scale folded into the
 * weights rounds each of them once more (real_affine); the rest is for partial sums. */
#define FOLD_ROUNDINGS 4

/* The sum with its rounding bound; `extra` counts further roundings (folding, bias). */
Real real_sum_finish(const RealSum *sum, int64_t extra);

/* The sum divided by `count`, whether by a division or by a rounded reciprocal. */
Real real_sum_mean(const RealSum *sum, int64_t count);

/* The largest of some numbers, being collected. Start from REAL_MAX_NONE. */
typedef struct RealMax {
    double largest; /* NaN if any is */
    double lower;   /* largest of the lower ends x - error */
    double upper;   /* and of the upper ends */
    bool unbounded; /* some error is infinite */
} RealMax;

#define REAL_MAX_NONE {.largest = -INFINITY, .lower = -INFINITY, .upper = -INFINITY}

void real_max_add(RealMax *max, Real x);
Real real_max_finish(const RealMax *max);

/* x * scale + shift, whose f32 evaluation may round scale and shift first or take both into the
 * weights and the bias of the sum that makes x, of at most `terms` products (0: it is none). */
Real real_affine(Real x, double scale, double shift, int64_t terms);

/* A constant as the generated code has it. */
static inline double real_constant(double number) {
    return (double)(float)number;
}

/* a * b and a / b, rounded once. Of a divisor that may be 0, whose sign is not known then, nothing
 * is claimed. */
Real real_product(Real a, Real b);
Real real_quotient(Real a, Real b);

/* Claims nothing of a finite result if that or what is within its error may overflow. */
Real real_limited(Real x);

#define ROUNDING_ULPS 0.501 /* one rounding to nearest, and the reference's own */

/* (1 - weight) * a + weight * b for an exact weight of 0 to 1 that f32 rounds as a quotient of two
 * rounded whole numbers. */
Real real_mix(Real a, Real b, double weight);

/* A result of an elementary operation: `value` with an inherited error and one of `ulps` units in
 * the last place (|value| * 2^-23 each, at least F32_TINY). No overflow is looked for: the function
 * is bounded, or no larger than its argument. */
Real real_rounded(double value, double inherited, double ulps);

#define FUNCTION_ULPS 4.0 /* of each function of kernels/math.h */

/* The smallest |t| with |t - x| <= error. */
double nearest_to_zero(Real x);

Real real_sigmoid(Real x);
Real real_tanh(Real x);

/* Softmax of `count` numbers, `stride` apart in both; y may be x. */
void real_softmax(const Real *x, Real *y, int64_t count, int64_t stride);

#endif
