/* Packed weights as data: in which order a kernel reads its numbers, and how they come from the
 * tensors of the graph (plan/recipe.h makes them, plan/pack.c runs them). */
#ifndef NETC_PLAN_PACKED_H
#define NETC_PLAN_PACKED_H

#include "graph/graph.h"
#include "plan/winograd.h"
#include "support/vec.h"

/* y = (x - mean) * gamma / sqrt(variance + epsilon) + beta, a channel each; NULL parts count as
 * mean 0, gamma 1, variance 1 (epsilon then unused), beta 0. Computed in double when packing, the
 * weights widened, no operation fused with another, each result rounded to f32 once at the end:
 *     scale of one affine   s = gamma / sqrt(variance + epsilon);  s = gamma without variance
 *     scale of several      1 * s of the first * s of the second ...
 *     shift                 x = bias or 0; then for each affine  x = (x - mean) * s + beta */
typedef struct Affine {
    const Weight *gamma;
    const Weight *beta;
    const Weight *mean;
    const Weight *variance;
    double epsilon;
} Affine;

typedef enum PackKind {
    PACK_TENSOR,   /* elements of `source`, each times the affines' scale of its channel (in double,
                      rounded once); without affines the very bits */
    PACK_WINOGRAD, /* (G g G') at a position, of the kernel g of a filter and channel, times the
                      scale */
    PACK_STRASSEN, /* for a product of Strassen's method, the sum over halves i of the filters and k
                      of the channels of strassen_weights[product][i][k] times the number in them,
                      each times the scale of its filter */
    PACK_SCALE,    /* the affines' scale of each channel */
    PACK_SHIFT,    /* bias (`source` or 0) of each channel, sent through the affines */
} PackKind;

#define PACK_MAX_LOOPS 8
#define PACK_MAX_AXES  4

/* One loop of a packing, outermost first: `count` times, each adding `step` to the index along
 * source axis `axis`; a negative step begins at the base and does not go below 0. Loops of count 1
 * are left out, but for one at least. */
typedef struct PackLoop {
    int64_t count;
    int axis;
    int64_t step;
} PackLoop;

/* How one run of packed floats comes from one source tensor. The loops write `product of counts`
 * consecutive floats. An axis index is its `base` plus what the loops add; where any index is not
 * below its extent the float is 0. For PACK_SCALE and PACK_SHIFT the only axis is the channel;
 * `source` of PACK_SHIFT is the bias (NULL: 0). */
typedef struct PackRecipe {
    PackKind kind;
    const Weight *source;     /* PACK_TENSOR, PACK_WINOGRAD, PACK_STRASSEN: required */
    const Winograd *winograd; /* PACK_WINOGRAD: axes are filter, channel, position in the tile; of
                                 PACK_STRASSEN filter, channel, product, and the loops go through
                                 the first half of filters and of channels */
    int axis_count;
    struct {
        int64_t extent;
        int64_t stride; /* in source elements */
        int64_t base;
    } axes[PACK_MAX_AXES];
    int channel_axis; /* the axis whose index is the affines' channel */
    int loop_count;
    PackLoop loops[PACK_MAX_LOOPS];
    const Affine *affines; /* applied in order */
    int affine_count;
    int64_t floats; /* product of the counts */
} PackRecipe;

/* A packed tensor: recipes one after the other. */
typedef struct Packed {
    VEC(PackRecipe) recipes;
    int64_t floats;
    int64_t
        offset; /* bytes from the start of the packed weights, a multiple of 64; set by memory */
} Packed;

/* Packed orders, outermost first. V = lanes, F = filters, Fg = F / groups, Cg = channels / groups,
 * T = tile.vectors * V; "part 1" is left out where it is empty, "part 2" where nothing remains.
 *
 *   CONV with a plain result: [C][KH][KW][F]
 *   CONV, groups = 1 or Fg % V = 0:
 *     part 1: [groups][Fg / T][Cg][KH][KW][T]
 *     part 2: [groups][Cg][KH][KW][Fg % T rounded up to V]
 *   CONV, other groups (lane f of a vector reads input channel f / Fg * Cg + c; lanes past the last
 *   filter read what the last one reads; tile.vectors is 1):
 *     [F rounded up to V, / V][Cg][KH][KW][V]
 *   GEMM, K = depth, N = columns:
 *     part 1: [N / T][K][T]
 *     part 2: [K][N % T rounded up to V]
 *   TABLE: [rows][width]
 *   WINDOW_BIAS: [heads][rows], the last row first
 *   RECURRENT, H = hidden, G gates: [directions][H rounded up to V, / V][H][G][V], and the bias
 *     [directions][G][H rounded up to V]
 *   WINOGRAD, positions of the tile in row-major order:
 *     part 1: [positions][F / T][C][T]
 *     part 2: [positions][C][F % T rounded up to V]
 *   STRASSEN, 7 products, F and C half of what they are:
 *     part 1: [F / T][7][C][T]
 *     part 2: [7][C][F % T]
 *   DEPTHWISE: [F rounded up to V, / V][KH][KW][V]
 *   CONV_GENERAL, K taps of the kernel, KD * KH * KW in row-major order:
 *     groups = channels = filters: [F rounded up to V, / V][K][V]
 *     groups = 1 or Fg % V = 0: part 1 [groups][Fg / T][K][Cg][T], part 2 as for CONV
 *     other groups (tile.vectors is 1): [groups][K][Cg][Fg]
 *   DENSE, N outputs, input view with block b, C channels, height x width = P pixels:
 *     for outputs in part 1 ([N / T] blocks of T), then part 2 (one of N % T rounded up to V):
 *       for channels in segment 1 (whole blocks), then segment 2 (the last C % b channels):
 *         [output blocks][channel blocks][P][channels in the block][T or the rest]
 *     where channel c, pixel p (= h * width + w) is the weight's column c * P + p;
 *     so at most 4 recipes; with b = 1 only segment 1 exists, and it is in row-major order.
 *     Part 2 begins where all of part 1 ends, segment 2 of a part where all its segment 1 ends.
 *   NORMALISE: weight and bias as they are, zeros up to a multiple of V.
 *   bias, scale, shift: one float a channel, zeros up to a multiple of V. */

#endif
