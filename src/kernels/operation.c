/* Elementwise operations. All comparisons are false for NaN, and so written that NaN goes on. */
#include "kernels/operation.h"

#include <assert.h>
#include <math.h>

#include "kernels/math.h"

/* An operation in the making. */
typedef struct Operation {
    Ir *ir;
    int lanes;
} Operation;

static IrValue number(const Operation *o, double value) {
    return ir_f32_vector(o->ir, value, o->lanes);
}

/* x < 0 ? negative : x */
static IrValue rectified(const Operation *o, IrValue x, IrValue negative) {
    IrValue below = ir_fcompare(o->ir, IR_LESS, x, number(o, 0));
    return ir_select(o->ir, below, negative, x);
}

/* x < least ? least : x > most ? most : x */
static IrValue clipped(const Operation *o, IrValue x, double least, double most) {
    IrValue low = number(o, least), high = number(o, most);
    x = ir_select(o->ir, ir_fcompare(o->ir, IR_LESS, x, low), low, x);
    return ir_select(o->ir, ir_fcompare(o->ir, IR_GREATER, x, high), high, x);
}

static IrValue on_line(const Operation *o, const Line *line, IrValue x) {
    if (line->slope == 1)
        return line->offset == 0 ? x : ir_fadd(o->ir, x, number(o, line->offset));
    if (line->slope != 0 && line->offset == 0)
        return ir_fmul(o->ir, x, number(o, line->slope));
    return ir_fma(o->ir, x, number(o, line->slope), number(o, line->offset));
}

/* There x may be infinite, which times 0 would be NaN, but is not NaN itself. */
static IrValue past_corner(const Operation *o, const Line *line, IrValue x) {
    return line->slope == 0 ? number(o, line->offset) : on_line(o, line, x);
}

static IrValue on_lines(const Operation *o, const Lines *lines, IrValue x) {
    double low = lines->corners[0], high = lines->corners[1];
    IrValue y = on_line(o, &lines->pieces[1], x);
    if (high < INFINITY) {
        IrValue above = ir_fcompare(o->ir, IR_GREATER, x, number(o, high));
        y = ir_select(o->ir, above, past_corner(o, &lines->pieces[2], x), y);
    }
    if (low > -INFINITY) {
        IrValue below = ir_fcompare(o->ir, IR_LESS, x, number(o, low));
        y = ir_select(o->ir, below, past_corner(o, &lines->pieces[0], x), y);
    }
    return y;
}

static IrValue elu(const Operation *o, IrValue x, double alpha, double scale) {
    IrValue below = ir_fmul(o->ir, number(o, alpha), math_expm1(o->ir, x, o->lanes));
    return ir_fmul(o->ir, rectified(o, x, below), number(o, scale));
}

static IrValue hard_sigmoid(const Operation *o, IrValue x) {
    IrValue bounded = clipped(o, ir_fadd(o->ir, x, number(o, 3)), 0, 6);
    return ir_fmul(o->ir, bounded, number(o, 1.0 / 6));
}

/* x / 2 * (1 + tanh(z)) with z = sqrt(2 / pi) * (x + 0.044715 x^3) = x * (b + a x^2), both
 * constants multiplied out. */
static IrValue gelu_tanh(const Operation *o, IrValue x) {
    const double b = 0.79788456080286536, a = b * 0.044715;
    IrValue factor = ir_fma(o->ir, ir_fmul(o->ir, x, x), number(o, a), number(o, b));
    IrValue f = math_tanh(o->ir, ir_fmul(o->ir, x, factor), o->lanes);
    IrValue half = ir_fmul(o->ir, x, number(o, 0.5));
    return ir_fmul(o->ir, half, ir_fadd(o->ir, f, number(o, 1)));
}

static IrValue softsign(const Operation *o, IrValue x) {
    return ir_fdiv(o->ir, x, ir_fadd(o->ir, number(o, 1), ir_fabs(o->ir, x)));
}

/* a - b, a / b in the order that the stage says. */
static IrValue ordered(const Operation *o, const MapStage *stage, IrValue x, IrValue y) {
    IrValue a = stage->reversed ? y : x, b = stage->reversed ? x : y;
    return stage->op == MAP_SUBTRACT ? ir_fsub(o->ir, a, b) : ir_fdiv(o->ir, a, b);
}

IrValue operation_emit(Ir *ir, const MapStage *stage, IrValue x, IrValue y, int lanes) {
    const Operation o = {ir, lanes};
    const double *constants = stage->constants;
    switch (stage->op) {
    case MAP_RELU: return rectified(&o, x, number(&o, 0));
    case MAP_CLIP: return clipped(&o, x, constants[0], constants[1]);
    case MAP_LINES: return on_lines(&o, &stage->lines, x);
    case MAP_ELU: return elu(&o, x, constants[0], constants[1]);
    case MAP_SIGMOID: return math_sigmoid(ir, x, lanes);
    case MAP_HARD_SIGMOID: return hard_sigmoid(&o, x);
    case MAP_TANH: return math_tanh(ir, x, lanes);
    case MAP_GELU: return ir_fmul(ir, x, math_normal_cdf(ir, x, lanes));
    case MAP_GELU_TANH: return gelu_tanh(&o, x);
    case MAP_SILU: return ir_fmul(ir, x, math_sigmoid(ir, x, lanes));
    case MAP_HARD_SWISH: return ir_fmul(ir, x, hard_sigmoid(&o, x));
    case MAP_MISH: return ir_fmul(ir, x, math_tanh_softplus(ir, x, lanes));
    case MAP_SOFTPLUS: return math_softplus(ir, x, lanes);
    case MAP_SOFTSIGN: return softsign(&o, x);
    case MAP_EXP: return math_exp(ir, x, lanes);
    case MAP_SQRT: return ir_fsqrt(ir, x);
    case MAP_ABS: return ir_fabs(ir, x);
    case MAP_NEGATE: return ir_fneg(ir, x);
    case MAP_ADD: return ir_fadd(ir, x, y);
    case MAP_SUBTRACT:
    case MAP_DIVIDE: return ordered(&o, stage, x, y);
    case MAP_MULTIPLY: return ir_fmul(ir, x, y);
    case MAP_MINIMUM: return ir_fmin(ir, x, y);
    case MAP_MAXIMUM: return ir_fmax(ir, x, y);
    case MAP_LEAKY_RELU: return rectified(&o, x, ir_fmul(ir, x, y));
    case MAP_AFFINE: break;
    }
    assert(0 && "no such operation");
    return x;
}
