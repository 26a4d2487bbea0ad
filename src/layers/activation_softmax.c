/* softmax and logsoftmax. An element that is NaN or +Inf makes all of its row NaN. */
#include <math.h>

#include "kernels/kernel.h"
#include "layers/elementwise.h"

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

/* The logarithm of computed / exact of the denominator: the part of softmax_element's bound that is
 * the same for a whole row. */
static double denominator_error(const SoftmaxRow *row, int64_t count) {
    return row->error +
           UNIT_ROUNDOFF *
               (row->distance * exp(2 * row->error) + 2 * row->error + 2 * FUNCTION_ULPS) +
           real_gamma((double)count + 1);
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
    double rounding = UNIT_ROUNDOFF * (fabs(t) + 2 * row->error + 2 * FUNCTION_ULPS) +
                      real_gamma(2); /* of the numerator and the quotient */
    double exponent = x.error + rounding + denominator_error(row, count);
    double error = exponent < 1 ? value * expm1(exponent) : exp(t + exponent) / row->sum;
    return (Real){value, fmin(error, 1 + real_gamma((double)count + 3)) + underflow};
}

void real_softmax(const Real *x, Real *y, int64_t count, int64_t stride) {
    SoftmaxRow row = softmax_row(x, count, stride);
    for (int64_t i = 0; i < count; i++)
        y[i * stride] = softmax_element(&row, x[i * stride], count);
}

typedef Real SoftmaxElement(const SoftmaxRow *row, Real x, int64_t count);

static void each_row(Evaluation *evaluation, SoftmaxElement *element) {
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
            evaluation->output[first + i * stride] = element(&row, x[i * stride], count);
    }
}

static void softmax_evaluate(Evaluation *evaluation) {
    each_row(evaluation, softmax_element);
}

static void softmax_lower(Lowering *lowering, const Node *node) {
    kernel_softmax(lowering, node, (int)node->attributes[0].integer, false);
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

/* t - log(sum), where t is rounded and off by e_i + E, the logarithm of the sum is off by what the
 * sum's own logarithmic error is and by FUNCTION_ULPS, and their difference is rounded. */
static Real log_softmax_element(const SoftmaxRow *row, Real x, int64_t count) {
    double t = x.value - row->largest;
    double logarithm = log(row->sum);
    double value = t - logarithm;
    if (!(row->error < INFINITY))
        return (Real){value, INFINITY};
    double denominator = denominator_error(row, count) + ((double)count + 2) * F32_TINY +
                         FUNCTION_ULPS * fmax(logarithm * 0x1p-23, F32_TINY);
    double inherited = x.error + UNIT_ROUNDOFF * (fabs(t) + 2 * row->error) + denominator;
    if (!isfinite(value))
        return (Real){value, 0};
    return real_limited(real_rounded(value, inherited, ROUNDING_ULPS));
}

static void log_softmax_evaluate(Evaluation *evaluation) {
    each_row(evaluation, log_softmax_element);
}

static void log_softmax_lower(Lowering *lowering, const Node *node) {
    kernel_softmax(lowering, node, (int)node->attributes[0].integer, true);
}

const LayerInfo layer_logsoftmax = {
    .name = "logsoftmax",
    .summary = "natural logarithm of softmax, without the loss of taking it afterwards",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 1,
    .attributes = {{"axis", ATTRIBUTE_AXIS, "0", 0, 0,
                    "the axis along which the shares add up to 1"}},
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "5 for each element: maximum, difference, exponential, sum, difference",
    .example = "network example(image: [1, 28, 28]) -> [10] {\n"
               "    return image -> flatten -> dense(10) -> logsoftmax\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = softmax_operations,
    .footprint = softmax_footprint,
    .evaluate = log_softmax_evaluate,
    .lower = log_softmax_lower,
};
