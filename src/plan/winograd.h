/* Winograd's minimal filtering F(m x m, r x r): m x m outputs of a convolution with an r x r kernel
 * from a tile of s x s inputs, s = m + r - 1, by s * s multiplications for each pair of channels
 * instead of m * m * r * r (Winograd 1980; Lavin, Gray, Fast Algorithms for Convolutional Neural
 * Networks, 2015):
 *
 *     Y = A' [(G g G') * (B' d B)] A          * is elementwise, ' transposes
 *
 * The three matrices come from the points at which polynomials are evaluated: 0, pairs p and -p,
 * and infinity. All their numbers but those of G are exact in f32. */
#ifndef NETC_PLAN_WINOGRAD_H
#define NETC_PLAN_WINOGRAD_H

#include <stdbool.h>
#include <stdint.h>

#include "support/arena.h"

#define WINOGRAD_MAX_SIZE 8
#define WINOGRAD_MAX_TAPS 5

/* By what share of the largest number of its result Winograd's method, or Strassen's, may be off. A
 * bound of the worst case would be of no use, since the transforms add and subtract numbers far
 * larger than what they come to: methods are only used where the expected error is below this
 * (docs/numerics.md). */
#define WINOGRAD_ERROR 1e-5

typedef struct Winograd {
    int outputs; /* m */
    int taps;    /* r */
    int size;    /* s, even: point 0, pairs of points p and -p, infinity */
    double input[WINOGRAD_MAX_SIZE][WINOGRAD_MAX_SIZE];  /* B', [s][s] */
    double weight[WINOGRAD_MAX_SIZE][WINOGRAD_MAX_TAPS]; /* G, [s][r] */
    double output[WINOGRAD_MAX_SIZE][WINOGRAD_MAX_SIZE]; /* A', [m][s] */
} Winograd;

/* The expected largest error of a sum over `channels`, as a share of the largest result, for normal
 * inputs; `fused`: the machine has fused multiply-add. */
double winograd_error(const Winograd *winograd, int64_t channels, bool fused);

/* The same of any method that amplifies so much the roundings of its transforms and of a plain sum.
 */
double amplified_error(double amplification, int64_t channels, bool fused);

/* F(outputs, taps), whose size is 4, 6 or 8. */
Winograd *winograd_make(Arena *arena, int outputs, int taps);

#endif
