#include "plan/winograd.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* The finite points for each size: of those that need few bits the ones with the smallest errors
 * (docs/numerics.md). */
static const double points_4[] = {0, 1, -1};
static const double points_6[] = {0, 0.75, -0.75, 1.5, -1.5};
static const double points_8[] = {0, 1, -1, 2, -2, 0.5, -0.5};

static const double *points_of(int size) {
    return size == 4 ? points_4 : size == 6 ? points_6 : points_8;
}

/* Coefficients of the product of (x - p) over `count` points but number `left_out` (-1: all), from
 * that of x^0 on. */
static void product_of_roots(const double *points, int count, int left_out, double *coefficients) {
    memset(coefficients, 0, WINOGRAD_MAX_SIZE * sizeof *coefficients);
    coefficients[0] = 1;
    int degree = 0;
    for (int k = 0; k < count; k++) {
        if (k == left_out)
            continue;
        degree++;
        for (int i = degree; i > 0; i--)
            coefficients[i] = coefficients[i - 1] - points[k] * coefficients[i];
        coefficients[0] *= -points[k];
    }
}

static double power(double base, int exponent) {
    double result = 1;
    for (int i = 0; i < exponent; i++)
        result *= base;
    return result;
}

/* The Toom-Cook algorithm, transposed: evaluating a polynomial of the outputs' degree becomes A',
 * one of the taps' degree G, and interpolating their product becomes B'. The denominators of
 * Lagrange's polynomials go into G, so that B' has none. */
Winograd *winograd_make(Arena *arena, int outputs, int taps) {
    Winograd *winograd = ARENA_NEW(arena, Winograd);
    int size = outputs + taps - 1, finite = size - 1;
    const double *points = points_of(size);
    assert(size % 2 == 0 && size <= WINOGRAD_MAX_SIZE && taps <= WINOGRAD_MAX_TAPS);
    winograd->outputs = outputs;
    winograd->taps = taps;
    winograd->size = size;
    for (int k = 0; k < finite; k++) {
        double denominator = 1;
        for (int other = 0; other < finite; other++)
            if (other != k)
                denominator *= points[k] - points[other];
        for (int i = 0; i < outputs; i++)
            winograd->output[i][k] = power(points[k], i);
        for (int i = 0; i < taps; i++)
            winograd->weight[k][i] = power(points[k], i) / denominator;
        product_of_roots(points, finite, k, winograd->input[k]);
    }
    winograd->output[outputs - 1][finite] = 1;
    winograd->weight[finite][taps - 1] = 1;
    product_of_roots(points, finite, -1, winograd->input[finite]);
    return winograd;
}

/* Of a sum of `channels` terms one after the other the error grows with the root (Higham, Accuracy
 * and Stability of Numerical Algorithms, section 4.2). */
double amplified_error(double amplification, int64_t channels, bool fused) {
    double roundings = sqrt(25 + (double)channels / 2) * (fused ? 1 : 1.3);
    return amplification * roundings;
}

/* What the points make of roundings: factors fitted to measurements, see docs/numerics.md. */
double winograd_error(const Winograd *winograd, int64_t channels, bool fused) {
    static const struct {
        int outputs, taps;
        double amplification;
    } methods[] = {
        {2, 3, 0.06e-6}, {4, 3, 0.27e-6}, {6, 3, 1.7e-6}, {2, 5, 0.27e-6}, {4, 5, 1.1e-6}};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (methods[i].outputs == winograd->outputs && methods[i].taps == winograd->taps)
            return amplified_error(methods[i].amplification, channels, fused);
    assert(false && "no such method");
    return 1;
}
