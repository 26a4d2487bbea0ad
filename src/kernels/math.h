/* Elementary functions on vectors (or scalars) of f32, in a few dozen instructions without tables
 * or calls. All are within 4 units in the last place over all f32, denormal results included, and
 * NaN stays NaN, in the rounding mode that C starts with. */
#ifndef NETC_KERNELS_MATH_H
#define NETC_KERNELS_MATH_H

#include "codegen/ir.h"

/* e^x: 0 below about -104, infinity above about 88.72. */
IrValue math_exp(Ir *ir, IrValue x, int lanes);
/* The same for x <= 0. */
IrValue math_exp_below(Ir *ir, IrValue x, int lanes);
/* e^x - 1, of the sign of x: -1 below about -17. */
IrValue math_expm1(Ir *ir, IrValue x, int lanes);
/* Natural logarithm of normal positive x or infinity. */
IrValue math_log(Ir *ir, IrValue x, int lanes);
/* log(1 + e^x) */
IrValue math_softplus(Ir *ir, IrValue x, int lanes);
/* x^exponent for normal positive x, infinity and NaN: within 24 units of 2^-24 where 4 * exponent
 * is an integer of at most 4 in size, else within 10 * |exponent * log(x)| + 8 of them. */
IrValue math_power(Ir *ir, IrValue x, double exponent, int lanes);
/* 1 / (1 + e^-x) */
IrValue math_sigmoid(Ir *ir, IrValue x, int lanes);
/* Odd, and +-1 from about 9 on. */
IrValue math_tanh(Ir *ir, IrValue x, int lanes);
/* (1 + erf(x / sqrt(2))) / 2, below 1/4 within 4 units in the last place of 1/4; 0 from about -12
 * down. */
IrValue math_normal_cdf(Ir *ir, IrValue x, int lanes);
/* tanh(softplus(x)), the factor of mish. */
IrValue math_tanh_softplus(Ir *ir, IrValue x, int lanes);

#endif
