/* What the elementwise operations of plan.h give, in double. */
#ifndef NETC_TESTS_APPLY_OPERATION_H
#define NETC_TESTS_APPLY_OPERATION_H

#include <math.h>

#include "plan/plan.h"

static inline double apply_lines(const Lines *lines, double x) {
    const Line *piece = &lines->pieces[x < lines->corners[0] ? 0 : x > lines->corners[1] ? 2 : 1];
    return piece->slope == 0 && !isnan(x) ? piece->offset : piece->slope * x + piece->offset;
}

/* y is the stage's operand. */
static inline double apply_operation(const MapStage *stage, double x, double y) {
    const double *k = stage->constants;
    switch (stage->op) {
    case MAP_RELU: return x < 0 ? 0 : x;
    case MAP_CLIP: return x < k[0] ? k[0] : x > k[1] ? k[1] : x;
    case MAP_LINES: return apply_lines(&stage->lines, x);
    case MAP_ELU: return k[1] * (x < 0 ? k[0] * expm1(x) : x);
    case MAP_SIGMOID: return 1 / (1 + exp(-x));
    case MAP_HARD_SIGMOID: return x < -3 ? 0 : x > 3 ? 1 : (x + 3) / 6;
    case MAP_TANH: return tanh(x);
    case MAP_GELU: return x / 2 * (1 + erf(x / sqrt(2)));
    case MAP_GELU_TANH: return x / 2 * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    case MAP_SILU: return x / (1 + exp(-x));
    case MAP_HARD_SWISH: return x < -3 ? 0 : x > 3 ? x : x * (x + 3) / 6;
    case MAP_MISH: return x * tanh(log1p(exp(x)));
    case MAP_SOFTPLUS: return log1p(exp(x));
    case MAP_SOFTSIGN: return x / (1 + fabs(x));
    case MAP_EXP: return exp(x);
    case MAP_SQRT: return sqrt(x);
    case MAP_ABS: return fabs(x);
    case MAP_NEGATE: return -x;
    case MAP_ADD: return x + y;
    case MAP_SUBTRACT: return stage->reversed ? y - x : x - y;
    case MAP_MULTIPLY: return x * y;
    case MAP_DIVIDE: return stage->reversed ? y / x : x / y;
    case MAP_MINIMUM: return isnan(x) || x < y ? x : y;
    case MAP_MAXIMUM: return isnan(x) || x > y ? x : y;
    case MAP_LEAKY_RELU: return x < 0 ? y * x : x;
    case MAP_AFFINE: break; /* has two vectors instead */
    }
    return NAN;
}

#endif
