/* Strassen's method in Winograd's form: a product of matrices of two halves by two is seven
 * products of quarters instead of eight (Strassen, Gaussian Elimination is not Optimal, 1969;
 * with fifteen additions Winograd 1971, see Higham, Accuracy and Stability of Numerical Algorithms,
 * section 23.1). Of a convolution with a kernel of 1 x 1 a tile is two pixels:
 *
 *     output (i, n) = sum over p of strassen_output[i][n][p] * (weights p * inputs p)
 *     weights p     = sum over i, k of strassen_weights[p][i][k] * weights of (i, k)
 *     inputs p      = sum over k, n of strassen_input[p][k][n] * inputs of (k, n)
 *
 * where i is the half of the filters, k that of the channels, and n the pixel of the tile. */
#ifndef NETC_PLAN_STRASSEN_H
#define NETC_PLAN_STRASSEN_H

#include <stdbool.h>
#include <stdint.h>

#define STRASSEN_PRODUCTS 7
#define STRASSEN_PIXELS   2
#define STRASSEN_KEPT     8 /* sums that a kernel keeps while it goes through the products */

extern const double strassen_weights[STRASSEN_PRODUCTS][2][2];
extern const double strassen_input[STRASSEN_PRODUCTS][2][STRASSEN_PIXELS];
extern const double strassen_output[2][STRASSEN_PIXELS][STRASSEN_PRODUCTS];

/* The expected largest error of a sum over `channels`, as a share of the largest result, for normal
 * inputs; `fused`: the machine has fused multiply-add. */
double strassen_error(int64_t channels, bool fused);

#endif
