/* Operations on each element, as steps and their epilogues apply them. */
#ifndef NETC_PLAN_ELEMENTWISE_H
#define NETC_PLAN_ELEMENTWISE_H

#include <stdbool.h>

/* Elementwise operations, alone or in the epilogue of another step: of x alone, then of x and an
 * operand y. All keep NaN. a and b are MapStage.constants, rounded once to f32. */
typedef enum MapOp {
    MAP_RELU,         /* x < 0 ? 0 : x */
    MAP_CLIP,         /* x < a ? a : x > b ? b : x */
    MAP_LINES,        /* x < a corner ? on piece 0 : x > the other ? on piece 2 : on piece 1 */
    MAP_ELU,          /* (x < 0 ? a * (e^x - 1) : x) * b */
    MAP_SIGMOID,      /* 1 / (1 + e^-x) */
    MAP_HARD_SIGMOID, /* clip(x + 3, 0, 6) / 6 */
    MAP_TANH,
    MAP_GELU,       /* x / 2 * (1 + erf(x / sqrt(2))) */
    MAP_GELU_TANH,  /* x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) */
    MAP_SILU,       /* x * sigmoid(x) */
    MAP_HARD_SWISH, /* x * hard sigmoid(x) */
    MAP_MISH,       /* x * tanh(softplus(x)) */
    MAP_SOFTPLUS,   /* log(1 + e^x) */
    MAP_SOFTSIGN,   /* x / (1 + |x|) */
    MAP_EXP,
    MAP_SQRT,
    MAP_ABS,
    MAP_NEGATE,
    MAP_ADD,        /* x + y */
    MAP_SUBTRACT,   /* x - y */
    MAP_MULTIPLY,   /* x * y */
    MAP_DIVIDE,     /* x / y */
    MAP_MINIMUM,    /* the smaller */
    MAP_MAXIMUM,    /* the larger */
    MAP_LEAKY_RELU, /* x < 0 ? x * y : x */
    MAP_AFFINE,     /* x * scale[channel] + shift[channel] */
} MapOp;

/* Whether it takes an exponential or the like: tens of operations, and as many constants. */
static inline bool map_op_is_elementary(MapOp op) {
    switch (op) {
    case MAP_ELU:
    case MAP_SIGMOID:
    case MAP_TANH:
    case MAP_GELU:
    case MAP_GELU_TANH:
    case MAP_SILU:
    case MAP_MISH:
    case MAP_SOFTPLUS:
    case MAP_EXP: return true;
    default: return false;
    }
}

/* slope * x + offset: two roundings or, with a fused multiply-add, one; a slope of 1 and an offset
 * of 0 save one each, and a slope of 0 past a corner gives the offset, for infinities too. */
typedef struct Line {
    double slope;
    double offset;
} Line;

/* A function that is straight but for two corners, where it may jump. A corner itself is on the
 * piece between, and so is NaN, which stays; an infinite corner is none. A piece between of slope 0
 * has finite corners. All numbers are rounded once to f32. */
typedef struct Lines {
    double corners[2]; /* ascending */
    Line pieces[3];
} Lines;

#endif
