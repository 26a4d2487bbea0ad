/* Activations that are x times a gate between 0 and 1: silu, mish, gelu, hardswish. All keep NaN,
 * and give NaN for -Inf, whose gate is 0, as in PyTorch. */
#include <math.h>

#include "kernels/kernel.h"
#include "layers/elementwise.h"

/* x * gate, the gate within FUNCTION_ULPS; `steepest` is the largest |f'| anywhere. A gate that
 * underflows is off by FUNCTION_ULPS * F32_TINY, and x times that. */
static Real gated(Real x, double gate, double steepest) {
    double value = x.value * gate;
    if (!isfinite(value))
        return real_rounded(value, x.error, 0);
    double inherited = steepest * x.error + fabs(x.value) * FUNCTION_ULPS * F32_TINY;
    return real_rounded(value, inherited, FUNCTION_ULPS + 1);
}

/* ---- silu, mish --------------------------------------------------------------------------- */

/* f' is largest near 2.4: 1.0998. */
static Real silu(Real x, const Node *node) {
    (void)node;
    return gated(x, 1 / (1 + exp(-x.value)), 1.1);
}

static void silu_evaluate(Evaluation *evaluation) {
    each_element(evaluation, silu);
}

static void silu_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_SILU});
}

const LayerInfo layer_silu = {
    .name = "silu",
    .summary = "x * sigmoid(x); also called swish",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> silu\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = silu_evaluate,
    .lower = silu_lower,
};

/* f' is largest near 1.5: 1.0885. */
static Real mish(Real x, const Node *node) {
    (void)node;
    return gated(x, tanh(log1p(exp(x.value))), 1.09);
}

static void mish_evaluate(Evaluation *evaluation) {
    each_element(evaluation, mish);
}

static void mish_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_MISH});
}

const LayerInfo layer_mish = {
    .name = "mish",
    .summary = "x * tanh(log(1 + e^x))",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> mish\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = mish_evaluate,
    .lower = mish_lower,
};

/* ---- gelu --------------------------------------------------------------------------------- */

/* x / 2 * (1 + f(z)). Where f is near -1 the sum cancels, so the bound is absolute, |x| / 2 times
 *   FUNCTION_ULPS u    f, whose ulp is at most u
 *   |z f'(z)| roundings u   those of z; |z f'(z)| <= 0.49 for erf and tanh
 *   u                  the sum
 * and half of an x that underflows. f' of the whole is at most 1.129 either way. What netc makes of
 * erf, x times a (1 + erf) / 2 that is within 2 u, is within that. */
static Real gelu_of(Real x, double value, int roundings) {
    if (!isfinite(value))
        return real_rounded(value, x.error, 0);
    double gate = UNIT_ROUNDOFF * (FUNCTION_ULPS + 0.49 * roundings + 1.1);
    double inherited = 1.13 * x.error + fabs(x.value) / 2 * gate + F32_TINY;
    return real_rounded(value, inherited, ROUNDING_ULPS);
}

/* z = x / sqrt(2): the constant and the product are rounded. */
static Real gelu_exact(Real x) {
    return gelu_of(x, x.value / 2 * erfc(-x.value / sqrt(2)), 2);
}

/* z = x * (b + a x^2): two constants, x^2, a product, a sum of positive terms, a product. */
static Real gelu_approximate(Real x) {
    double z = x.value * 0.79788456080286536 * (1 + 0.044715 * x.value * x.value);
    return gelu_of(x, x.value / 2 * (1 + tanh(z)), 6);
}

enum GeluAttribute {
    GELU_APPROXIMATE,
    GELU_ATTRIBUTES,
};

static Real gelu(Real x, const Node *node) {
    return node->attributes[GELU_APPROXIMATE].boolean ? gelu_approximate(x) : gelu_exact(x);
}

static void gelu_evaluate(Evaluation *evaluation) {
    each_element(evaluation, gelu);
}

static void gelu_lower(Lowering *lowering, const Node *node) {
    bool approximate = node->attributes[GELU_APPROXIMATE].boolean;
    kernel_map(lowering, node, (MapStage){.op = approximate ? MAP_GELU_TANH : MAP_GELU});
}

const LayerInfo layer_gelu = {
    .name = "gelu",
    .summary = "x times the probability that a standard normal number is below x",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = GELU_ATTRIBUTES,
    .attributes =
        {[GELU_APPROXIMATE] = {"approximate", ATTRIBUTE_BOOLEAN, "off", 0, 0,
                               "x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))"}},
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> gelu\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = gelu_evaluate,
    .lower = gelu_lower,
};

/* ---- hardswish ---------------------------------------------------------------------------- */

/* f' is (2x + 3) / 6 between -3 and 3, at most 1.5 in size. The gate is off by u, for x + 3, and by
 * two roundings; the product is rounded. */
static Real hard_swish(Real x, const Node *node) {
    (void)node;
    double gate = fmin(fmax(x.value + 3, 0), 6) / 6;
    double value = isnan(x.value) ? x.value : x.value * gate;
    if (!isfinite(value))
        return real_rounded(value, x.error, 0);
    if (x.value + x.error <= -3)
        return (Real){value, 0};
    if (x.value - x.error >= 3)
        return x;
    double inherited = 1.5 * x.error + fabs(x.value) * UNIT_ROUNDOFF;
    return real_rounded(value, inherited, 3 * ROUNDING_ULPS);
}

static void hard_swish_evaluate(Evaluation *evaluation) {
    each_element(evaluation, hard_swish);
}

static void hard_swish_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_HARD_SWISH});
}

const LayerInfo layer_hardswish = {
    .name = "hardswish",
    .summary = "x * min(max(x + 3, 0), 6) / 6",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> hardswish\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = hard_swish_evaluate,
    .lower = hard_swish_lower,
};
