/* Elementary functions.
 *
 * The argument reduction of e^x is Cody and Waite's (Software Manual for the Elementary Functions,
 * 1980): ln 2 in two parts, the first with so few bits that its product with n is exact. The
 * coefficients of both polynomials and the split of ln 2 are those of the Cephes library's single
 * precision expf and tanhf (Moshier, https://www.netlib.org/cephes/), minimax fits for
 * |r| <= ln 2 / 2 and |x| <= 0.625. */
#include "kernels/math.h"

/* The polynomial with these coefficients, the highest first, by Horner's rule. */
static IrValue polynomial(Ir *ir, IrValue x, const double *coefficients, int count, int lanes) {
    IrValue sum = ir_f32_vector(ir, coefficients[0], lanes);
    for (int i = 1; i < count; i++)
        sum = ir_fma(ir, sum, x, ir_f32_vector(ir, coefficients[i], lanes));
    return sum;
}

/* x < least ? least : x > most ? most : x; NaN stays. */
static IrValue clamped(Ir *ir, IrValue x, double least, double most, int lanes) {
    IrValue low = ir_f32_vector(ir, least, lanes);
    IrValue high = ir_f32_vector(ir, most, lanes);
    x = ir_select(ir, ir_fcompare(ir, IR_LESS, x, low), low, x);
    return ir_select(ir, ir_fcompare(ir, IR_GREATER, x, high), high, x);
}

/* 2^n as bits, -126 <= n <= 127. */
static IrValue power_of_two(Ir *ir, IrValue n, int lanes) {
    IrValue biased = ir_iadd(ir, n, ir_i32_vector(ir, 127, lanes));
    return ir_as_f32(ir, ir_ishift_left(ir, biased, 23));
}

/* e^x = 2^n e^r with n = round(x / ln 2), r = x - n ln 2, e^r = 1 + r + r^2 p(r). 2^n is applied as
 * two factors, so that a denormal result is rounded once and the largest need no 2^128. Clamping
 * keeps n within +-150; the ends still give 0 and infinity. */
IrValue math_exp(Ir *ir, IrValue x, int lanes) {
    static const double coefficients[] = {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3,
                                          4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1};
    const double log2_e = 1.44269504088896341, ln2_high = 0.693359375, ln2_low = -2.12194440e-4;
    IrValue bounded = clamped(ir, x, -104, 89, lanes);
    IrValue turns = ir_fmul(ir, bounded, ir_f32_vector(ir, log2_e, lanes));
    IrValue n = ir_round_to_i32(ir, turns);
    IrValue whole = ir_i32_to_f32(ir, n);
    IrValue r = ir_fma(ir, whole, ir_f32_vector(ir, -ln2_high, lanes), bounded);
    r = ir_fma(ir, whole, ir_f32_vector(ir, -ln2_low, lanes), r);

    IrValue p = polynomial(ir, r, coefficients, 6, lanes);
    IrValue above = ir_fma(ir, p, ir_fmul(ir, r, r), r); /* e^r - 1 */
    IrValue power = ir_fadd(ir, above, ir_f32_vector(ir, 1, lanes));
    IrValue half = ir_ishift_right(ir, n, 1);
    IrValue scaled = ir_fmul(ir, power, power_of_two(ir, half, lanes));
    IrValue result = ir_fmul(ir, scaled, power_of_two(ir, ir_isub(ir, n, half), lanes));
    return ir_select(ir, ir_fcompare(ir, IR_NOT_NUMBER, x, x), x, result);
}

/* With e = e^-|x| <= 1 nothing overflows, and for x < 0, where e / (1 + e) is small, no digits are
 * lost. */
IrValue math_sigmoid(Ir *ir, IrValue x, int lanes) {
    IrValue one = ir_f32_vector(ir, 1, lanes);
    IrValue e = math_exp(ir, ir_fneg(ir, ir_fabs(ir, x)), lanes);
    IrValue negative = ir_fcompare(ir, IR_LESS, x, ir_f32_vector(ir, 0, lanes));
    return ir_fdiv(ir, ir_select(ir, negative, e, one), ir_fadd(ir, one, e));
}

/* Of a = |x|: near 0 a + a^3 q(a^2), else 1 - 2 / (e^2a + 1); then the sign of x. */
IrValue math_tanh(Ir *ir, IrValue x, int lanes) {
    static const double coefficients[] = {-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2,
                                          1.33314422036e-1, -3.33332819422e-1};
    const double near = 0.625;
    IrValue one = ir_f32_vector(ir, 1, lanes), two = ir_f32_vector(ir, 2, lanes);
    IrValue a = ir_fabs(ir, x);
    IrValue square = ir_fmul(ir, a, a);
    IrValue q = polynomial(ir, square, coefficients, 5, lanes);
    IrValue small = ir_fma(ir, ir_fmul(ir, q, square), a, a);

    IrValue e = math_exp(ir, ir_fadd(ir, a, a), lanes);
    IrValue large = ir_fsub(ir, one, ir_fdiv(ir, two, ir_fadd(ir, e, one)));
    IrValue is_small = ir_fcompare(ir, IR_LESS, a, ir_f32_vector(ir, near, lanes));
    IrValue magnitude = ir_select(ir, is_small, small, large);
    IrValue sign = ir_iand(ir, ir_as_i32(ir, x), ir_i32_vector(ir, INT32_MIN, lanes));
    return ir_as_f32(ir, ir_ior(ir, ir_as_i32(ir, magnitude), sign));
}
