/* relu, relu6, leakyrelu, sigmoid, tanh, softmax. All keep NaN.
 *
 * An input off by e moves f(x) by at most e times the largest |f'| between x - e and x + e (mean
 * value theorem); the f32 function itself is within FUNCTION_ULPS of exact. */
#include <math.h>

#include "kernels/kernel.h"
#include "layers/evaluate.h"
#include "layers/layer.h"

#define FUNCTION_ULPS 4.0
#define PRODUCT_ULPS  1.001 /* two roundings, and their product */

static bool same_shape_infer(Inference *inference) {
    return infer_result(inference, *infer_input(inference, 0));
}

typedef Real Activation(Real x, const Node *node);

static void each_element(Evaluation *evaluation, Activation *activation) {
    int64_t elements = shape_elements(&evaluation->node->outputs[0]->type.shape);
    for (int64_t i = 0; i < elements; i++)
        evaluation->output[i] = activation(evaluation->inputs[0][i], evaluation->node);
}

/* The smallest |t| with |t - x| <= error: where sigmoid and tanh are steepest. */
static double nearest_to_zero(Real x) {
    return fmax(fabs(x.value) - x.error, 0);
}

/* ---- relu, relu6, leakyrelu --------------------------------------------------------------- */

static Real relu(Real x, const Node *node) {
    (void)node;
    bool off = x.value + x.error <= 0; /* whatever the error was */
    return (Real){x.value < 0 ? 0 : x.value, off ? 0 : x.error};
}

static void relu_evaluate(Evaluation *evaluation) {
    each_element(evaluation, relu);
}

static void relu_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, MAP_RELU, 0);
}

const LayerInfo layer_relu = {
    .name = "relu",
    .summary = "max(x, 0)",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> relu\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = relu_evaluate,
    .lower = relu_lower,
};

static Real relu6(Real x, const Node *node) {
    (void)node;
    bool off = x.value + x.error <= 0 || x.value - x.error >= 6;
    double value = x.value < 0 ? 0 : x.value > 6 ? 6 : x.value;
    return (Real){value, off ? 0 : x.error};
}

static void relu6_evaluate(Evaluation *evaluation) {
    each_element(evaluation, relu6);
}

static void relu6_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, MAP_RELU6, 0);
}

const LayerInfo layer_relu6 = {
    .name = "relu6",
    .summary = "min(max(x, 0), 6)",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> relu6\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = relu6_evaluate,
    .lower = relu6_lower,
};

/* The slope lies between 0 and 1, so |f'| <= 1; below 0 the slope and the product are rounded. */
static Real leaky_relu(Real x, const Node *node) {
    double slope = node->attributes[0].number;
    double steepest = x.value + x.error <= 0 ? slope : 1;
    double value = x.value < 0 ? slope * x.value : x.value;
    bool exact = x.value - x.error >= 0;
    return real_rounded(value, x.error > 0 ? steepest * x.error : 0, exact ? 0 : PRODUCT_ULPS);
}

static void leaky_relu_evaluate(Evaluation *evaluation) {
    each_element(evaluation, leaky_relu);
}

static void leaky_relu_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, MAP_LEAKY_RELU, node->attributes[0].number);
}

const LayerInfo layer_leakyrelu = {
    .name = "leakyrelu",
    .summary = "x above 0, slope * x below",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 1,
    .attributes = {{"slope", ATTRIBUTE_NUMBER, NULL, 0, 1,
                    "factor below 0 (0.01 in PyTorch, 0.3 in Keras: no default)"}},
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> leakyrelu(0.01)\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = leaky_relu_evaluate,
    .lower = leaky_relu_lower,
};

/* ---- sigmoid, tanh ------------------------------------------------------------------------ */

/* Steepest at t: f'(t) = e^-t / (1 + e^-t)^2. */
static Real sigmoid(Real x, const Node *node) {
    (void)node;
    double steep = exp(-nearest_to_zero(x));
    double slope = steep / ((1 + steep) * (1 + steep));
    return real_rounded(1 / (1 + exp(-x.value)), x.error > 0 ? slope * x.error : 0, FUNCTION_ULPS);
}

static void sigmoid_evaluate(Evaluation *evaluation) {
    each_element(evaluation, sigmoid);
}

static void sigmoid_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, MAP_SIGMOID, 0);
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

/* Steepest at t: f'(t) = 1 / cosh(t)^2. */
static Real hyperbolic_tangent(Real x, const Node *node) {
    (void)node;
    double cosine = cosh(nearest_to_zero(x));
    double inherited = x.error > 0 ? x.error / (cosine * cosine) : 0;
    return real_rounded(tanh(x.value), inherited, FUNCTION_ULPS);
}

static void tanh_evaluate(Evaluation *evaluation) {
    each_element(evaluation, hyperbolic_tangent);
}

static void tanh_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, MAP_TANH, 0);
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

/* ---- softmax ------------------------------------------------------------------------------ */

/* What the bound of one row needs. With m the largest element, t_i = x_i - m, y = softmax(x). */
typedef struct SoftmaxRow {
    double largest;  /* m; NaN if any element is */
    double sum;      /* of e^t_i */
    double error;    /* E, the largest error of an element */
    double distance; /* sum of y_i |t_i| */
} SoftmaxRow;

static SoftmaxRow softmax_row(const Real *x, int64_t count, int64_t stride) {
    SoftmaxRow row = {.largest = -INFINITY};
    for (int64_t i = 0; i < count; i++) {
        row.error = fmax(row.error, x[i * stride].error);
        if (!(x[i * stride].value <= row.largest)) /* a NaN is taken, and then kept: */
            row.largest = isnan(row.largest) ? row.largest : x[i * stride].value;
    }
    for (int64_t i = 0; i < count; i++) {
        double t = x[i * stride].value - row.largest;
        row.sum += exp(t);
        if (t > -INFINITY)
            row.distance -= t * exp(t);
    }
    row.distance /= row.sum;
    return row;
}

/* The logarithm of computed / exact, with every effect to its first order and one spare rounding
 * for the higher ones:
 *   inputs off by at most E:      numerator by e_i, the weighted mean in the denominator by E
 *   t_i rounded:                  u (|t_i| + 2E) in the numerator, u (sum of y_j |t_j| + 2E)
 *                                 in the denominator, its weights y_j themselves off by e^2E
 *   e^t within FUNCTION_ULPS:     2 u FUNCTION_ULPS in both
 *   sum of n, reciprocal, product: gamma_(n + 2)
 * Numerators that underflow are off by FUNCTION_ULPS * F32_TINY in a sum that is at least 1, and so
 * is the result. It is at most 1 and not negative, so neither is the error much more than 1. */
static Real softmax_element(const SoftmaxRow *row, Real x, int64_t count) {
    double t = x.value - row->largest;
    double value = exp(t) / row->sum;
    double underflow = ((double)count + 2) * (FUNCTION_ULPS + 1) * F32_TINY;
    if (!(row->error < INFINITY))
        return (Real){value, INFINITY};
    if (isnan(value))
        return (Real){value, 0};
    if (t == -INFINITY)
        return (Real){0, underflow};
    double rounding = UNIT_ROUNDOFF * (fabs(t) + row->distance * exp(2 * row->error) +
                                       4 * row->error + 4 * FUNCTION_ULPS) +
                      real_gamma((double)count + 3);
    double exponent = x.error + row->error + rounding;
    double error = exponent < 1 ? value * expm1(exponent) : exp(t + exponent) / row->sum;
    return (Real){value, fmin(error, 1 + real_gamma((double)count + 3)) + underflow};
}

static void softmax_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    const Shape *shape = &node->outputs[0]->type.shape;
    int axis = (int)node->attributes[0].integer;
    int64_t count = shape->dims[axis];
    int64_t stride = 1; /* elements from one of the axis to the next */
    for (int i = axis + 1; i < shape->rank; i++)
        stride *= shape->dims[i];
    int64_t rows = shape_elements(shape) / count;
    for (int64_t r = 0; r < rows; r++) {
        int64_t first = r / stride * stride * count + r % stride;
        const Real *x = evaluation->inputs[0] + first;
        SoftmaxRow row = softmax_row(x, count, stride);
        for (int64_t i = 0; i < count; i++)
            evaluation->output[first + i * stride] = softmax_element(&row, x[i * stride], count);
    }
}

static void softmax_lower(Lowering *lowering, const Node *node) {
    kernel_softmax(lowering, node, (int)node->attributes[0].integer);
}

static void softmax_operations(const Node *node, Factors *factors) {
    factors_add_elements(factors, node, 5);
}

/* Shares of the channels at one place depend on that place alone. */
static bool softmax_footprint(const Node *node, Footprint axes[MAX_SPATIAL]) {
    (void)axes;
    return node->attributes[0].integer == 0;
}

const LayerInfo layer_softmax = {
    .name = "softmax",
    .summary = "e^x over the sum of e^x along one axis: shares that add up to 1",
    .family = FAMILY_ACTIVATION,
    .traits = LAYER_GIVES_DISTRIBUTION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 1,
    .attributes = {{"axis", ATTRIBUTE_AXIS, "0", 0, 0, "the axis along which shares add up to 1"}},
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "5 for each element: maximum, difference, exponential, sum, quotient",
    .example = "network example(image: [1, 28, 28]) -> [10] {\n"
               "    return image -> flatten -> dense(10) -> softmax\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = softmax_operations,
    .footprint = softmax_footprint,
    .evaluate = softmax_evaluate,
    .lower = softmax_lower,
};
