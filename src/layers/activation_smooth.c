/* Activations with exponentials, and the pieces of straight lines that stand in for them: sigmoid,
 * tanh, hardsigmoid, softsign, softplus, elu, selu, exp, sqrt. All keep NaN.
 *
 * An input off by e moves f(x) by at most e times the largest |f'| between x - e and x + e (mean
 * value theorem); the f32 function itself is within FUNCTION_ULPS of exact. */
#include <float.h>
#include <math.h>

#include "kernels/kernel.h"
#include "layers/elementwise.h"

/* ---- sigmoid, tanh ------------------------------------------------------------------------ */

static Real sigmoid(Real x, const Node *node) {
    (void)node;
    return real_sigmoid(x);
}

static void sigmoid_evaluate(Evaluation *evaluation) {
    each_element(evaluation, sigmoid);
}

static void sigmoid_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_SIGMOID});
}

const LayerInfo layer_sigmoid = {
    .name = "sigmoid",
    .summary = "1 / (1 + e^-x)",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [1] {\n"
               "    return features -> dense(1) -> sigmoid\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = sigmoid_evaluate,
    .lower = sigmoid_lower,
};

static Real hyperbolic_tangent(Real x, const Node *node) {
    (void)node;
    return real_tanh(x);
}

static void tanh_evaluate(Evaluation *evaluation) {
    each_element(evaluation, hyperbolic_tangent);
}

static void tanh_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_TANH});
}

const LayerInfo layer_tanh = {
    .name = "tanh",
    .summary = "hyperbolic tangent",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> tanh\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = tanh_evaluate,
    .lower = tanh_lower,
};

/* ---- hardsigmoid, softsign ---------------------------------------------------------------- */

/* x + 3 is rounded, by at most 6 u; then the factor 1/6 and the product. */
static Real hard_sigmoid(Real x, const Node *node) {
    (void)node;
    double value = fmin(fmax(x.value + 3, 0), 6) / 6;
    if (isnan(x.value))
        return x;
    if (x.value + x.error <= -3 || x.value - x.error >= 3)
        return (Real){value, 0};
    return real_rounded(value, x.error / 6 + UNIT_ROUNDOFF, 2 * ROUNDING_ULPS);
}

static void hard_sigmoid_evaluate(Evaluation *evaluation) {
    each_element(evaluation, hard_sigmoid);
}

static void hard_sigmoid_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_HARD_SIGMOID});
}

const LayerInfo layer_hardsigmoid = {
    .name = "hardsigmoid",
    .summary = "min(max(x + 3, 0), 6) / 6",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> hardsigmoid\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = hard_sigmoid_evaluate,
    .lower = hard_sigmoid_lower,
};

/* Steepest at t: f'(t) = 1 / (1 + |t|)^2. The sum and the quotient are rounded. */
static Real softsign(Real x, const Node *node) {
    (void)node;
    double root = 1 + nearest_to_zero(x);
    double inherited = x.error > 0 ? x.error / (root * root) : 0;
    return real_rounded(x.value / (1 + fabs(x.value)), inherited, 2 * ROUNDING_ULPS);
}

static void softsign_evaluate(Evaluation *evaluation) {
    each_element(evaluation, softsign);
}

static void softsign_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_SOFTSIGN});
}

const LayerInfo layer_softsign = {
    .name = "softsign",
    .summary = "x / (1 + |x|)",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> softsign\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = softsign_evaluate,
    .lower = softsign_lower,
};

/* ---- softplus, elu, selu ------------------------------------------------------------------ */

/* f'(x) = sigmoid(x), which grows. */
static Real softplus(Real x, const Node *node) {
    (void)node;
    double value = fmax(x.value, 0) + log1p(exp(-fabs(x.value)));
    double slope = 1 / (1 + exp(-(x.value + x.error)));
    return real_rounded(isnan(x.value) ? x.value : value, x.error > 0 ? slope * x.error : 0,
                        FUNCTION_ULPS);
}

static void softplus_evaluate(Evaluation *evaluation) {
    each_element(evaluation, softplus);
}

static void softplus_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_SOFTPLUS});
}

const LayerInfo layer_softplus = {
    .name = "softplus",
    .summary = "log(1 + e^x)",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> softplus\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = softplus_evaluate,
    .lower = softplus_lower,
};

/* Below 0 at most alpha e^t steep, which grows, above 0 it is 1; then all of it times scale. The
 * products are rounded, and alpha and scale take an e^x - 1 that underflows with its error. */
static Real exponential_unit(Real x, double alpha, double scale) {
    double value = scale * (x.value < 0 ? alpha * expm1(x.value) : x.value);
    double below = fabs(alpha) * exp(fmin(x.value + x.error, 0));
    double steepest = x.value + x.error <= 0   ? below
                      : x.value - x.error >= 0 ? 1
                                               : fmax(1, fabs(alpha));
    bool straight = x.value - x.error >= 0;
    double inherited = x.error > 0 ? scale * steepest * x.error : 0;
    if (!straight)
        inherited += scale * fabs(alpha) * FUNCTION_ULPS * F32_TINY;
    double ulps = (straight ? 0 : FUNCTION_ULPS + 1) + (scale == 1 ? 0 : 1);
    return real_limited(real_rounded(value, isnan(x.value) ? 0 : inherited, ulps));
}

static Real elu(Real x, const Node *node) {
    return exponential_unit(x, real_constant(node->attributes[0].number), 1);
}

static void elu_evaluate(Evaluation *evaluation) {
    each_element(evaluation, elu);
}

static void elu_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node,
               (MapStage){.op = MAP_ELU, .constants = {node->attributes[0].number, 1}});
}

const LayerInfo layer_elu = {
    .name = "elu",
    .summary = "x above 0, alpha * (e^x - 1) below",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 1,
    .attributes = {{"alpha", ATTRIBUTE_NUMBER, "1", 0, FLT_MAX, "minus the limit far below 0"}},
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> elu\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = elu_evaluate,
    .lower = elu_lower,
};

/* Klambauer et al. 2017: the constants for which mean 0 and variance 1 go through unchanged. */
#define SELU_ALPHA 1.6732632423543772
#define SELU_SCALE 1.0507009873554805

static Real selu(Real x, const Node *node) {
    (void)node;
    return exponential_unit(x, real_constant(SELU_ALPHA), real_constant(SELU_SCALE));
}

static void selu_evaluate(Evaluation *evaluation) {
    each_element(evaluation, selu);
}

static void selu_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_ELU, .constants = {SELU_ALPHA, SELU_SCALE}});
}

const LayerInfo layer_selu = {
    .name = "selu",
    .summary = "1.0507 * elu(x, 1.6733): keeps mean 0 and variance 1",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> selu\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = selu_evaluate,
    .lower = selu_lower,
};

/* ---- exp, sqrt ---------------------------------------------------------------------------- */

/* e^(x + e) - e^x = e^x (e^e - 1) */
static Real exponential(Real x, const Node *node) {
    (void)node;
    double value = exp(x.value);
    double inherited = x.error > 0 ? value * expm1(x.error) : 0;
    if (!(x.error < INFINITY) || isnan(inherited))
        return (Real){value, INFINITY};
    return real_limited(real_rounded(value, inherited, FUNCTION_ULPS));
}

static void exponential_evaluate(Evaluation *evaluation) {
    each_element(evaluation, exponential);
}

static void exponential_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_EXP});
}

const LayerInfo layer_exp = {
    .name = "exp",
    .summary = "e^x",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> exp\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = exponential_evaluate,
    .lower = exponential_lower,
};

/* Steepest at the lower end: sqrt(x) - sqrt(x - e). What may be negative may be NaN. */
static Real square_root(Real x, const Node *node) {
    (void)node;
    double value = sqrt(x.value);
    if (!(x.error > 0) || x.value + x.error < 0)
        return real_rounded(value, 0, ROUNDING_ULPS);
    if (!(x.value - x.error >= 0))
        return (Real){value, INFINITY};
    return real_rounded(value, value - sqrt(x.value - x.error), 2 * ROUNDING_ULPS);
}

static void square_root_evaluate(Evaluation *evaluation) {
    each_element(evaluation, square_root);
}

static void square_root_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_SQRT});
}

const LayerInfo layer_sqrt = {
    .name = "sqrt",
    .summary = "square root; NaN below 0",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> abs -> sqrt\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = square_root_evaluate,
    .lower = square_root_lower,
};
