/* Elementary functions.
 *
 * The argument reduction of e^x is Cody and Waite's (Software Manual for the Elementary Functions,
 * 1980): ln 2 in two parts, the first with so few bits that its product with n is exact. That
 * split, and the coefficients of log, are those of the Cephes library's single precision expf and
 * logf (Moshier, https://www.netlib.org/cephes/), a minimax fit for sqrt(1/2) <= x < sqrt(2). The
 * other coefficients were fitted for netc by Lawson's weighted least squares, or where it is said
 * by Remez exchange. With AVX-512 a table of sixteen numbers is a vector, and a lookup an
 * instruction: coefficients that go by the argument then take the place of longer polynomials. */
#include "kernels/math.h"

#include <float.h>

#define LOG2_E   1.44269504088896341
#define LN2_HIGH 0.693359375
#define LN2_LOW  -2.12194440e-4

/* The polynomial with these coefficients, the highest first, by Horner's rule. */
static IrValue polynomial(Ir *ir, IrValue x, const double *coefficients, int count, int lanes) {
    IrValue sum = ir_f32_vector(ir, coefficients[0], lanes);
    for (int i = 1; i < count; i++)
        sum = ir_fma(ir, sum, x, ir_f32_vector(ir, coefficients[i], lanes));
    return sum;
}

/* x < least ? least : x; NaN stays. */
static IrValue at_least(Ir *ir, IrValue x, double least, int lanes) {
    IrValue low = ir_f32_vector(ir, least, lanes);
    return ir_select(ir, ir_fcompare(ir, IR_LESS, x, low), low, x);
}

/* x > most ? most : x; NaN stays. */
static IrValue at_most(Ir *ir, IrValue x, double most, int lanes) {
    IrValue high = ir_f32_vector(ir, most, lanes);
    return ir_select(ir, ir_fcompare(ir, IR_GREATER, x, high), high, x);
}

static IrValue clamped(Ir *ir, IrValue x, double least, double most, int lanes) {
    return at_most(ir, at_least(ir, x, least, lanes), most, lanes);
}

/* 2^n as bits, -126 <= n <= 127. */
static IrValue power_of_two(Ir *ir, IrValue n, int lanes) {
    IrValue biased = ir_iadd(ir, n, ir_i32_vector(ir, 127, lanes));
    return ir_as_f32(ir, ir_ishift_left(ir, biased, 23));
}

/* The sign bit of each lane of x. */
static IrValue sign_of(Ir *ir, IrValue x, int lanes) {
    return ir_iand(ir, ir_as_i32(ir, x), ir_i32_vector(ir, INT32_MIN, lanes));
}

/* A magnitude with a sign from sign_of. */
static IrValue with_sign(Ir *ir, IrValue magnitude, IrValue sign) {
    return ir_as_f32(ir, ir_ior(ir, ir_as_i32(ir, magnitude), sign));
}

/* NaN where x is. */
static IrValue keep_nan(Ir *ir, IrValue x, IrValue result) {
    return ir_select(ir, ir_fcompare(ir, IR_NOT_NUMBER, x, x), x, result);
}

/* ---- exponentials -------------------------------------------------------------------------- */

/* e^x = 2^n e^r with n = x / ln 2, rounded, and r = x - n ln 2. */
typedef struct Reduced {
    IrValue shifted; /* n + the shift, as i32 */
    IrValue n;       /* as f32, within +-150 */
    IrValue r;
} Reduced;

/* `shift` says by its size to what n is rounded. */
static Reduced reduced(Ir *ir, IrValue x, IrValue shift, int lanes) {
    IrValue shifted = ir_fma(ir, x, ir_f32_vector(ir, LOG2_E, lanes), shift);
    IrValue n = ir_fsub(ir, shifted, shift);
    IrValue r = ir_fma(ir, n, ir_f32_vector(ir, -LN2_HIGH, lanes), x);
    r = ir_fma(ir, n, ir_f32_vector(ir, -LN2_LOW, lanes), r);
    return (Reduced){ir_as_i32(ir, shifted), n, r};
}

typedef struct Power {
    IrValue shifted; /* its last bits, as i32, are n + bias, n a whole number */
    IrValue above;   /* e^r - 1 = r + r^2 p(r), |r| <= ln 2 / 2 */
} Power;

/* f32 around it are the whole numbers: the addition rounds, to nearest even. */
static IrValue shifter(Ir *ir, int bias, int lanes) {
    return ir_f32_vector(ir, 3 * 0x1p22 + bias, lanes);
}

/* Of an x from -104 to 89, beyond which e^x is 0 and infinity; NaN stays. */
static Power power_of_e(Ir *ir, IrValue x, int bias, int lanes) {
    static const double coefficients[] = {1.3882516429e-3, 8.3665471305e-3, 4.1667200712e-2,
                                          1.6666543424e-1, 4.9999998150e-1};
    Reduced x_reduced = reduced(ir, x, shifter(ir, bias, lanes), lanes);
    IrValue r = x_reduced.r, p = polynomial(ir, r, coefficients, 5, lanes);
    return (Power){x_reduced.shifted, ir_fma(ir, p, ir_fmul(ir, r, r), r)};
}

/* n as i32. */
static IrValue power_exponent(Ir *ir, const Power *power, int bias, int lanes) {
    return ir_isub(ir, power->shifted, ir_as_i32(ir, shifter(ir, bias, lanes)));
}

/* e^x of such an x, where there are lookups: n goes by sixteenths, so that |r| <= ln 2 / 32, and
 * 2^n is that of its whole part times one of sixteen. */
static IrValue exp_by_table(Ir *ir, IrValue x, int lanes) {
    static const double sixteenths[16] = {
        1,
        1.0442737824274138,
        1.0905077326652577,
        1.1387886347566916,
        1.1892071150027211,
        1.2418578120734840,
        1.2968395546510096,
        1.3542555469368927,
        1.4142135623730951,
        1.4768261459394993,
        1.5422108254079407,
        1.6104903319492543,
        1.6817928305074290,
        1.7562521603732995,
        1.8340080864093424,
        1.9152065613971474,
    };
    static const double coefficients[] = {1.6667046543e-1, 5.0001622129e-1, 1};
    Reduced x_reduced = reduced(ir, x, ir_f32_vector(ir, 3 * 0x1p22 / 16, lanes), lanes);
    IrValue r = x_reduced.r, p = polynomial(ir, r, coefficients, 3, lanes);
    IrValue power = ir_lookup(ir, sixteenths, x_reduced.shifted);
    return ir_scale(ir, ir_fma(ir, ir_fmul(ir, power, r), p, power), x_reduced.n);
}

/* 2^n is applied as two factors, so that a denormal result is rounded once and the largest need no
 * 2^128. */
IrValue math_exp(Ir *ir, IrValue x, int lanes) {
    x = clamped(ir, x, -104, 89, lanes);
    if (ir_has_lookup(ir, lanes))
        return exp_by_table(ir, x, lanes);
    Power power = power_of_e(ir, x, 0, lanes);
    IrValue factor = ir_fadd(ir, power.above, ir_f32_vector(ir, 1, lanes));
    IrValue n = power_exponent(ir, &power, 0, lanes);
    IrValue half = ir_ishift_right(ir, n, 1);
    IrValue scaled = ir_fmul(ir, factor, power_of_two(ir, half, lanes));
    return ir_fmul(ir, scaled, power_of_two(ir, ir_isub(ir, n, half), lanes));
}

/* 2^n is applied as 2^(n + 24) and 2^-24; the bits of the first are those of n + 24 + 127, moved.
 */
IrValue math_exp_below(Ir *ir, IrValue x, int lanes) {
    const int up = 24;
    x = at_least(ir, x, -104, lanes);
    if (ir_has_lookup(ir, lanes))
        return exp_by_table(ir, x, lanes);
    Power power = power_of_e(ir, x, up + 127, lanes);
    IrValue factor = ir_fadd(ir, power.above, ir_f32_vector(ir, 1, lanes));
    IrValue scale = ir_as_f32(ir, ir_ishift_left(ir, power.shifted, 23));
    return ir_fmul(ir, ir_fmul(ir, factor, scale), ir_f32_vector(ir, 0x1p-24, lanes));
}

/* 2^n (e^r - 1) + (2^n - 1), with n = 0 about 0, where nothing cancels, and n <= 126 by halves: all
 * of it is taken times 1/2, which is exact, and doubled. Below n = -30 it is -1. */
IrValue math_expm1(Ir *ir, IrValue x, int lanes) {
    Power power = power_of_e(ir, clamped(ir, x, -104, 89, lanes), 0, lanes);
    IrValue least = ir_i32_vector(ir, -30, lanes);
    IrValue n = power_exponent(ir, &power, 0, lanes);
    n = ir_select(ir, ir_iless(ir, n, least), least, n);
    IrValue scale = power_of_two(ir, ir_isub(ir, n, ir_i32_vector(ir, 1, lanes)), lanes);
    IrValue shift = ir_fsub(ir, scale, ir_f32_vector(ir, 0.5, lanes));
    IrValue half = ir_fma(ir, scale, power.above, shift);
    IrValue result = ir_fmul(ir, half, ir_f32_vector(ir, 2, lanes));
    return keep_nan(ir, x, with_sign(ir, result, sign_of(ir, x, lanes)));
}

/* ---- logarithms ---------------------------------------------------------------------------- */

/* x = 2^n (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2): log(1 + f) = f - f^2 / 2 + f^3 p(f). n is read
 * off the bits, counted from those of sqrt(1/2). */
IrValue math_log(Ir *ir, IrValue x, int lanes) {
    static const double coefficients[] = {7.0376836292e-2,  -1.1514610310e-1, 1.1676998740e-1,
                                          -1.2420140846e-1, 1.4249322787e-1,  -1.6668057665e-1,
                                          2.0000714765e-1,  -2.4999993993e-1, 3.3333331174e-1};
    const int32_t root_half = 0x3f3504f3; /* the bits of sqrt(1/2) */
    IrValue bits = ir_as_i32(ir, x);
    IrValue above = ir_isub(ir, bits, ir_i32_vector(ir, root_half, lanes));
    IrValue n = ir_ishift_right(ir, above, 23);
    IrValue mantissa = ir_as_f32(ir, ir_isub(ir, bits, ir_ishift_left(ir, n, 23)));
    IrValue f = ir_fsub(ir, mantissa, ir_f32_vector(ir, 1, lanes));
    IrValue whole = ir_i32_to_f32(ir, n);

    IrValue square = ir_fmul(ir, f, f);
    IrValue p = polynomial(ir, f, coefficients, 9, lanes);
    IrValue rest = ir_fmul(ir, whole, ir_f32_vector(ir, LN2_LOW, lanes));
    rest = ir_fma(ir, ir_fmul(ir, f, square), p, rest);
    rest = ir_fma(ir, square, ir_f32_vector(ir, -0.5, lanes), rest);
    IrValue result = ir_fma(ir, whole, ir_f32_vector(ir, LN2_HIGH, lanes), ir_fadd(ir, f, rest));
    IrValue infinite = ir_fcompare(ir, IR_GREATER, x, ir_f32_vector(ir, FLT_MAX, lanes));
    return keep_nan(ir, x, ir_select(ir, infinite, x, result));
}

/* Of a = e^-|x| <= 1: log(1 + a) = a + a^2 q(a), then max(x, 0) more. Both are positive: nothing
 * cancels, and a small result keeps its digits. q was fitted for this by Remez exchange, with a
 * relative error of 2^-30. */
IrValue math_softplus(Ir *ir, IrValue x, int lanes) {
    static const double coefficients[] = {
        0.0020729486575, -0.013631484635, 0.041981367488, -0.083074071679, 0.12467122134,
        -0.16129335356,  0.19897931853,   -0.24988578986, 0.33332689774,   -0.49999987291};
    IrValue zero = ir_f32_vector(ir, 0, lanes);
    IrValue a = math_exp_below(ir, ir_fneg(ir, ir_fabs(ir, x)), lanes);
    IrValue q = polynomial(ir, a, coefficients, 10, lanes);
    IrValue logarithm = ir_fma(ir, ir_fmul(ir, a, a), q, a);
    IrValue positive = ir_select(ir, ir_fcompare(ir, IR_LESS, x, zero), zero, x);
    return ir_fadd(ir, positive, logarithm);
}

/* ---- sigmoids ------------------------------------------------------------------------------ */

/* With e = e^-|x| <= 1 nothing overflows, and for x < 0, where e / (1 + e) is small, no digits are
 * lost. */
IrValue math_sigmoid(Ir *ir, IrValue x, int lanes) {
    IrValue one = ir_f32_vector(ir, 1, lanes);
    IrValue e = math_exp_below(ir, ir_fneg(ir, ir_fabs(ir, x)), lanes);
    IrValue negative = ir_fcompare(ir, IR_LESS, x, ir_f32_vector(ir, 0, lanes));
    return ir_quotient(ir, ir_select(ir, negative, e, one), ir_fadd(ir, one, e), lanes);
}

/* Of a = |x|: m / (m + 2) with m = e^2a - 1 = 2^n (e^2s - 1) + (2^n - 1), n being 0 about 0, where
 * nothing cancels; then the sign of x. Cut at 10, where it has long been 1, nothing overflows, and
 * n is so small that ln 2 in one part will do: the larger m, the less of its error is the
 * quotient's. e^2s - 1 = 2 s + s^2 q(s), |s| <= ln 2 / 4. */
IrValue math_tanh(Ir *ir, IrValue x, int lanes) {
    static const double coefficients[] = {8.8848105152e-2, 2.6772950818e-1, 6.6667521139e-1,
                                          1.3333234739, 1.9999999260};
    const double half_ln2 = 0.34657359027997264;
    IrValue a = at_most(ir, ir_fabs(ir, x), 10, lanes);
    IrValue shift = shifter(ir, 127, lanes);
    IrValue shifted = ir_fma(ir, a, ir_f32_vector(ir, 2 * LOG2_E, lanes), shift);
    IrValue n = ir_fsub(ir, shifted, shift);
    IrValue s = ir_fma(ir, n, ir_f32_vector(ir, -half_ln2, lanes), a);
    IrValue scale = ir_as_f32(ir, ir_ishift_left(ir, ir_as_i32(ir, shifted), 23));
    IrValue q = polynomial(ir, s, coefficients, 5, lanes);
    IrValue above = ir_fma(ir, q, ir_fmul(ir, s, s), ir_fadd(ir, s, s));
    IrValue m = ir_fma(ir, scale, above, ir_fsub(ir, scale, ir_f32_vector(ir, 1, lanes)));
    IrValue magnitude = ir_quotient(ir, m, ir_fadd(ir, m, ir_f32_vector(ir, 2, lanes)), lanes);
    return with_sign(ir, magnitude, sign_of(ir, x, lanes));
}

/* The area under the normal distribution's tail beyond a, 0 <= a: a polynomial in what a is beyond
 * the nearest multiple of 7/16, the coefficients by lookup, the highest first. Beyond 6.34 it is
 * taken as 0. */
static IrValue tail_by_table(Ir *ir, IrValue a, int lanes) {
    static const double coefficients[6][16] = {
        {-9.6448619271e-3, -5.5815980437e-3, 2.3157776688e-3, 6.0740509768e-3, 4.2262325483e-3,
         8.1147340317e-4, -9.6785367104e-4, -1.0425995482e-3, -5.6456604379e-4, -2.0819883966e-4,
         -5.6796456813e-5, -1.1886624552e-5, -1.9467993687e-6, -2.5260634509e-7, -2.6181997899e-8,
         0},
        {-1.0955819398e-4, -1.8355397629e-2, -2.1975358469e-2, -1.1760372677e-2, 3.0142269961e-4,
         5.8551471156e-3, 5.3935173360e-3, 2.9944417815e-3, 1.1894827779e-3, 3.5819540153e-4,
         8.4052172589e-5, 1.5610093050e-5, 2.3170921225e-6, 2.7671757752e-7, 2.6713445948e-8, 0},
        {6.6504650468e-2, 4.8851035322e-2, 1.0623468489e-2, -2.0304354153e-2, -2.9653333135e-2,
         -2.2998364439e-2, -1.2491614511e-2, -5.1216960364e-3, -1.6371666970e-3, -4.1505494722e-4,
         -8.4322545656e-5, -1.3821393161e-5, -1.8364525417e-6, -1.9848161232e-7, -1.7494440760e-8,
         0},
        {-8.0176271596e-7, 7.9300281990e-2, 1.1902074126e-1, 1.1063897905e-1, 7.5494248672e-2,
         3.9880375238e-2, 1.6700853339e-2, 5.6148788750e-3, 1.5269942087e-3, 3.3755038756e-4,
         6.0853037487e-5, 8.9679496608e-6, 1.0822505381e-6, 1.0709306606e-7, 8.6984612341e-9, 0},
        {-3.9894226416e-1, -3.6253225289e-1, -2.7205494724e-1, -1.6859319275e-1, -8.6277369841e-2,
         -3.6460874880e-2, -1.2724191491e-2, -3.6669533719e-3, -8.7267225396e-4, -1.7150044320e-4,
         -2.7831993246e-5, -3.7297855544e-6, -4.1274143833e-7, -3.7715483088e-8, -2.8457707067e-9,
         0},
        {4.9999999995e-1, 3.3087439764e-1, 1.9078696153e-1, 9.4675743801e-2, 4.0059152889e-2,
         1.4353018311e-2, 4.3324474692e-3, 1.0974827199e-3, 2.3262951271e-4, 4.1167677567e-5,
         6.0716901072e-6, 7.4528413335e-7, 7.6052053414e-8, 6.4459371231e-9, 4.5344729467e-10, 0},
    };
    const double width = 0.4375;
    IrValue shift = ir_f32_vector(ir, 3 * 0x1p22, lanes);
    a = at_most(ir, a, 15 * width, lanes);
    IrValue shifted = ir_fma(ir, a, ir_f32_vector(ir, 1 / width, lanes), shift);
    IrValue index = ir_as_i32(ir, shifted);
    IrValue f = ir_fma(ir, ir_fsub(ir, shifted, shift), ir_f32_vector(ir, -width, lanes), a);
    IrValue tail = ir_lookup(ir, coefficients[0], index);
    for (int k = 1; k < 6; k++)
        tail = ir_fma(ir, tail, f, ir_lookup(ir, coefficients[k], index));
    return tail;
}

/* The same as 2^q(a) / 2. q(a), the binary logarithm of erfc(a / sqrt(2)), need only be as good as
 * the tail is large; it falls for ever, so that the tail ends in 0. 2^q is 2^n 2^f with
 * n = round(q), which is read off the last bits of q + 3 * 2^22. */
static IrValue tail_by_power(Ir *ir, IrValue a, int lanes) {
    static const double logarithm[] = {-2.834913296e-6, 3.937769533e-5, -1.861802535e-4,
                                       -1.369363541e-4, 7.063420122e-3, -5.249617835e-2,
                                       -4.592081967e-1, -1.151105205};
    static const double power[] = {1.5353362363e-4,
                                   1.3398874677e-3,
                                   9.6184373582e-3,
                                   5.5503324705e-2,
                                   0.24022647914,
                                   0.69314720286,
                                   1};
    const int least = -126; /* the n for which 2^n / 2 is taken as 0 */
    IrValue whole_bits = ir_f32_vector(ir, 3 * 0x1p22 - least, lanes);
    IrValue q = ir_fmul(ir, polynomial(ir, a, logarithm, 8, lanes), a);
    q = at_least(ir, q, least, lanes);
    IrValue shifted = ir_fadd(ir, q, whole_bits);
    IrValue f = ir_fsub(ir, q, ir_fsub(ir, shifted, whole_bits));
    IrValue scale = ir_as_f32(ir, ir_ishift_left(ir, ir_as_i32(ir, shifted), 23));
    return ir_fmul(ir, polynomial(ir, f, power, 7, lanes), scale);
}

/* Of a = |x|: the tail, or 1 less it. */
IrValue math_normal_cdf(Ir *ir, IrValue x, int lanes) {
    IrValue a = ir_fabs(ir, x);
    IrValue tail =
        ir_has_lookup(ir, lanes) ? tail_by_table(ir, a, lanes) : tail_by_power(ir, a, lanes);
    IrValue rest = ir_fsub(ir, ir_f32_vector(ir, 1, lanes), tail);
    return ir_select(ir, ir_fcompare(ir, IR_LESS, x, ir_f32_vector(ir, 0, lanes)), tail, rest);
}

/* With e = e^x: tanh(log(1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2). Nothing cancels, 2 e is exact,
 * and cut at 20, where it has long been 1, nothing overflows. */
IrValue math_tanh_softplus(Ir *ir, IrValue x, int lanes) {
    IrValue two = ir_f32_vector(ir, 2, lanes);
    IrValue e = math_exp(ir, at_most(ir, x, 20, lanes), lanes);
    IrValue product = ir_fma(ir, e, e, ir_fadd(ir, e, e));
    return ir_fdiv(ir, product, ir_fadd(ir, product, two));
}

/* ---- powers -------------------------------------------------------------------------------- */

/* x^(quarters / 4), 0 <= quarters <= 4: a product of up to two roots, each correctly rounded. */
static IrValue quarter_power(Ir *ir, IrValue x, int quarters, int lanes) {
    IrValue root = ir_fsqrt(ir, x);
    switch (quarters) {
    case 0: return ir_f32_vector(ir, 1, lanes);
    case 1: return ir_fsqrt(ir, root);
    case 2: return root;
    case 3: return ir_fmul(ir, root, ir_fsqrt(ir, root));
    default: return x;
    }
}

IrValue math_power(Ir *ir, IrValue x, double exponent, int lanes) {
    double quarters = 4 * (exponent < 0 ? -exponent : exponent);
    if (quarters > 4 || quarters != (int)quarters) {
        IrValue logarithm = math_log(ir, x, lanes);
        return math_exp(ir, ir_fmul(ir, logarithm, ir_f32_vector(ir, exponent, lanes)), lanes);
    }
    IrValue power = quarter_power(ir, x, (int)quarters, lanes);
    return exponent < 0 ? ir_fdiv(ir, ir_f32_vector(ir, 1, lanes), power) : power;
}
