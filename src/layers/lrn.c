/* lrn: local response normalisation (Krizhevsky, Sutskever, Hinton 2012, section 3.3), as PyTorch's
 * LocalResponseNorm defines it: with n = size, of channel c at each place
 *     y_c = x_c / (k + alpha / n * sum of x_j^2) ^ beta,   c - floor(n / 2) <= j < c + ceil(n / 2),
 * channels outside counting as 0. The paper does not divide alpha by n; its 1e-4 of 5 channels is
 * 5e-4 here. ONNX takes the larger half of an even size above the channel, this the one below. */
#include <math.h>

#include "kernels/kernel.h"
#include "layers/evaluate.h"
#include "layers/layer.h"

enum LrnAttribute {
    LRN_SIZE,
    LRN_ALPHA,
    LRN_BETA,
    LRN_K,
    LRN_ATTRIBUTES,
};

static ResponseNorm response_norm(const Node *node) {
    int64_t size = node->attributes[LRN_SIZE].integer;
    return (ResponseNorm){.before = size / 2,
                          .after = (size - 1) / 2,
                          .factor = node->attributes[LRN_ALPHA].number / (double)size,
                          .offset = node->attributes[LRN_K].number,
                          .exponent = node->attributes[LRN_BETA].number};
}

static bool lrn_infer(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    if (input->rank < 1) {
        infer_error(inference, DIAG_E0212, -1, "`lrn` needs a channel axis, got %s",
                    infer_shape_text(inference, input));
        return false;
    }
    return infer_result(inference, *input);
}

/* Square and sum of each neighbour; then scale, shift, power and product. */
static void lrn_operations(const Node *node, Factors *factors) {
    factors_add_shape(factors, &node->outputs[0]->type.shape);
    factors_add(factors, node->attributes[LRN_SIZE].integer);
    factors_add(factors, 2);
    factors_add_elements(factors, node, 4);
}

/* ---- reference ---------------------------------------------------------------------------- */

/* A power x^b in f32, b a constant, is a few roots and products where 4 b is a small integer, else
 * e^(b log x). The logarithm is within 4 ulp, so off by 8 u |log x|; b and the product are rounded:
 * 10 u |b log x| in the exponent, and 8 u for e^x. Roots and products are within 24 u
 * (kernels/math.c). */
#define POWER_ROUNDINGS 24
#define LOG_ROUNDINGS   10

/* Sums over the neighbours of a number. */
typedef struct Neighbours {
    double squares; /* of x */
    double largest; /* sum of (|x| + e)^2 */
    double moved;   /* sum of 2 |x| e + e^2 */
    int64_t terms;
    bool undefined; /* one is NaN or infinite for certain */
    bool unbounded; /* one may be anything */
} Neighbours;

static void add_neighbour(Neighbours *sum, Real x) {
    double most = fabs(x.value) + x.error;
    sum->squares += x.value * x.value;
    sum->largest += most * most;
    sum->moved += (2 * fabs(x.value) + x.error) * x.error;
    sum->terms++;
    sum->unbounded = sum->unbounded || !(x.error < INFINITY);
    sum->undefined = sum->undefined || (x.error < INFINITY && !isfinite(x.value));
}

/* With d = k + factor * S off by at most D, and r = D / d < 1, d^-beta grows by at most
 * (1 - r)^-beta. S is a sum of squares: gamma_n of its largest value, and what the inputs move. */
static Real normalised(const ResponseNorm *norm, const Neighbours *sum, Real x) {
    double base = norm->offset + norm->factor * sum->squares;
    double power = pow(base, -norm->exponent);
    double value = x.value * power;
    if (sum->unbounded)
        return (Real){value, INFINITY};
    if (sum->undefined)
        return (Real){value, 0}; /* NaN, or 0 beside infinite neighbours */
    double most = norm->offset + norm->factor * sum->largest;
    double off = norm->factor * (sum->moved + real_gamma((double)sum->terms + 4) * sum->largest) +
                 real_gamma(3) * most + (double)(sum->terms + 2) * F32_TINY * (1 + norm->factor);
    double ratio = off / base;
    double spread =
        UNIT_ROUNDOFF * (LOG_ROUNDINGS * norm->exponent * fabs(log(base)) + POWER_ROUNDINGS + 2);
    double growth = ratio < 1 ? pow(1 - ratio, -norm->exponent) * (1 + spread) - 1 : INFINITY;
    double grown = power * (1 + growth);
    double error = fabs(value) * growth + x.error * grown + 8 * F32_TINY * (1 + fabs(x.value));
    bool fits = sum->largest * 1.01 <= FLT_MAX && most * 1.01 <= FLT_MAX &&
                grown * (fabs(x.value) + x.error) <= FLT_MAX && grown <= FLT_MAX;
    return (Real){value, fits ? error : INFINITY};
}

static void lrn_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    const Shape *shape = &node->outputs[0]->type.shape;
    const Real *input = evaluation->inputs[0];
    ResponseNorm norm = response_norm(node);
    int64_t channels = shape->dims[0];
    int64_t places = shape_elements(shape) / channels;
    for (int64_t i = 0; i < channels * places; i++) {
        int64_t channel = i / places;
        Neighbours sum = {0};
        for (int64_t c = channel - norm.before; c <= channel + norm.after; c++)
            if (c >= 0 && c < channels)
                add_neighbour(&sum, input[c * places + i % places]);
        evaluation->output[i] = normalised(&norm, &sum, input[i]);
    }
}

static void lrn_lower(Lowering *lowering, const Node *node) {
    ResponseNorm norm = response_norm(node);
    kernel_lrn(lowering, node, &norm);
}

const LayerInfo layer_lrn = {
    .name = "lrn",
    .summary = "divides each number by a power of what neighbouring channels hold at its place",
    .family = FAMILY_NORMALISATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = LRN_ATTRIBUTES,
    .attributes =
        {
            [LRN_SIZE] = {"size", ATTRIBUTE_INTEGER, NULL, 1, INT32_MAX,
                          "neighbouring channels, its own among them"},
            [LRN_ALPHA] = {"alpha", ATTRIBUTE_NUMBER, "1e-4", 0, 1e6,
                           "factor of the mean of their squares (of the sum, in the paper)"},
            [LRN_BETA] = {"beta", ATTRIBUTE_NUMBER, "0.75", 0, 16, "exponent"},
            [LRN_K] = {"k", ATTRIBUTE_NUMBER, "1", 1e-6, 1e6, "added before the power is taken"},
        },
    .shape_doc = "[C, ...] -> the same shape",
    .operations_doc = "2 for each neighbour of each element: square, sum; 4 more for each element: "
                      "scale, shift, power, product",
    .example = "network example(image: [96, 27, 27]) -> [96, 27, 27] {\n"
               "    return image -> lrn(5, alpha=5e-4, k=2)\n"
               "}\n",
    .infer = lrn_infer,
    .operations = lrn_operations,
    .evaluate = lrn_evaluate,
    .lower = lrn_lower,
};
