/* conv, depthwise: cross-correlation (the kernel is not flipped), as in every framework.
 *
 * With C input channels and F filters in G groups, output channel f reads the C / G input channels
 * from first = f / (F / G) * (C / G) on:
 *     y[f][o] = bias[f] + sum of weight[f][c][k] * x[first + c][o * stride - pad + k * dilation]
 * over c and k, where o and k run over the spatial axes and x is 0 in the padding. */
#include <math.h>

#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/evaluate.h"
#include "layers/layer.h"
#include "layers/window.h"
#include "support/checked.h"

enum ConvAttribute {
    CONV_FILTERS,
    CONV_KERNEL,
    CONV_STRIDE,
    CONV_PAD,
    CONV_DILATION,
    CONV_GROUPS,
    CONV_BIAS,
    CONV_ATTRIBUTES,
};

enum DepthwiseAttribute {
    DEPTHWISE_KERNEL,
    DEPTHWISE_STRIDE,
    DEPTHWISE_PAD,
    DEPTHWISE_DILATION,
    DEPTHWISE_MULTIPLIER,
    DEPTHWISE_BIAS,
    DEPTHWISE_ATTRIBUTES,
};

/* ---- shape -------------------------------------------------------------------------------- */

/* The result's type and the weights [filters, channels of a group, kernel...] and [filters]. */
static bool declare(Inference *inference, int64_t filters, int64_t group_channels,
                    const Attribute *kernel) {
    Shape result = {.dims = {filters}};
    if (!window_infer(inference, false, &result) || !infer_result(inference, result))
        return false;
    Shape weight = {.rank = result.rank + 1, .dims = {filters, group_channels}};
    int64_t fan_in = group_channels;
    for (int i = 0; i < result.rank - 1; i++) {
        weight.dims[i + 2] = kernel->size[i];
        if (!checked_mul(fan_in, kernel->size[i], &fan_in))
            fan_in = INT64_MAX; /* the weight is then out of bounds too, and refused below */
    }
    if (infer_weight(inference, "weight", weight, WEIGHT_KERNEL, fan_in, true) == NULL)
        return false;
    return !node_switch(inference->node, "bias") ||
           infer_weight(inference, "bias", shape_make(1, filters), WEIGHT_BIAS, fan_in, true) !=
               NULL;
}

static bool check_groups(Inference *inference, int64_t channels) {
    const Attribute *attributes = inference->node->attributes;
    int64_t groups = attributes[CONV_GROUPS].integer;
    int64_t filters = attributes[CONV_FILTERS].integer;
    bool divides_channels = channels % groups == 0;
    bool divides_filters = filters % groups == 0;
    if (divides_channels && divides_filters)
        return true;
    Diagnostics *diagnostics = inference->diagnostics;
    Diagnostic *diagnostic = divides_channels
                                 ? infer_error(inference, DIAG_E0215, CONV_GROUPS,
                                               "%lld groups do not divide %lld filters",
                                               (long long)groups, (long long)filters)
                                 : infer_error(inference, DIAG_E0215, CONV_GROUPS,
                                               "%lld groups do not divide %lld input channels",
                                               (long long)groups, (long long)channels);
    diag_here(diagnostics, diagnostic, "%lld / %lld leaves %lld over",
              (long long)(divides_channels ? filters : channels), (long long)groups,
              (long long)((divides_channels ? filters : channels) % groups));
    if (!divides_channels && !divides_filters)
        diag_note(diagnostics, diagnostic, "nor do they divide the %lld filters",
                  (long long)filters);
    diag_help(diagnostics, diagnostic, "groups that divide both %lld channels and %lld filters: %s",
              (long long)channels, (long long)filters,
              edit_divisors(inference, common_divisor(channels, filters)));
    return false;
}

static bool conv_infer(Inference *inference) {
    const Attribute *attributes = inference->node->attributes;
    const Shape *input = infer_input(inference, 0);
    int64_t groups = attributes[CONV_GROUPS].integer;
    if ((input->rank == 2 || input->rank == 3) && !check_groups(inference, input->dims[0]))
        return false;
    return declare(inference, attributes[CONV_FILTERS].integer, input->dims[0] / groups,
                   &attributes[CONV_KERNEL]);
}

static bool depthwise_infer(Inference *inference) {
    const Attribute *attributes = inference->node->attributes;
    int64_t filters;
    if (!checked_mul(infer_input(inference, 0)->dims[0], attributes[DEPTHWISE_MULTIPLIER].integer,
                     &filters))
        filters = INT64_MAX; /* refused by infer_result */
    return declare(inference, filters, 1, &attributes[DEPTHWISE_KERNEL]);
}

/* ---- counting, reference, lowering -------------------------------------------------------- */

static const Weight *weight_of(const Node *node) {
    return node->weights.data[0];
}

static const Weight *bias_of(const Node *node) {
    return node->weights.count > 1 ? node->weights.data[1] : NULL;
}

/* output pixels * filters * (channels of a group * kernel), padding taps included */
static void convolution_macs(const Node *node, Factors *factors) {
    const Shape *output = &node->outputs[0]->type.shape;
    const Shape *weight = &weight_of(node)->shape;
    for (int i = 1; i < output->rank; i++)
        factors_add(factors, output->dims[i]);
    for (int i = 0; i < weight->rank; i++)
        factors_add(factors, weight->dims[i]);
}

/* The bias is added once to each element. */
static void convolution_operations(const Node *node, Factors *factors) {
    if (bias_of(node) != NULL)
        factors_add_elements(factors, node, 1);
}

/* The numbers i, begin <= i < end. */
typedef struct Range {
    int64_t begin;
    int64_t end;
} Range;

/* Those of 0 ... count - 1 for which 0 <= start + i * step < limit: the taps of a window, or the
 * windows of a tap, that are inside the input. */
static Range range_inside(int64_t start, int64_t step, int64_t count, int64_t limit) {
    int64_t begin = start < 0 ? (step - 1 - start) / step : 0;
    int64_t end = start < limit ? (step - 1 + limit - start) / step : 0;
    end = end < count ? end : count;
    return (Range){begin < end ? begin : end, end};
}

/* One convolution, a 1-D one seen as of height 1. Index 0 = height, 1 = width. */
typedef struct Convolution {
    Window window;
    int64_t group_channels;
    int64_t input[2];
    int64_t output[2];
    Range *columns; /* by tap kx: the output columns for which it is inside the input */
} Convolution;

/* A row of output pixels being collected: for each what RealSum has for one. */
typedef struct RowSum {
    double *value;
    double *magnitude;
    double *error;
    int64_t rows; /* of the window that are inside the input */
} RowSum;

/* Adds weight * x[first + i * step] to pixel i of `columns`, as real_sum_product does. All the time
 * of the reference goes into this loop: what does not depend on i stays out of it. */
static void row_add_products(RowSum *sum, Range columns, double weight, const Real *x,
                             int64_t first, int64_t step) {
    double *restrict value = sum->value;
    double *restrict magnitude = sum->magnitude;
    double *restrict error = sum->error;
    double absolute = fabs(weight);
    for (int64_t i = columns.begin; i < columns.end; i++) {
        Real factor = x[first + i * step];
        double product = weight * factor.value;
        value[i] += product;
        magnitude[i] += fabs(product);
        error[i] += factor.error > 0 ? absolute * factor.error : 0;
    }
}

/* Collects row `row` of the output. `input` is the first channel of the group, `weight` the
 * filter. */
static void row_collect(RowSum *sum, const Convolution *convolution, int64_t row, const Real *input,
                        const float *weight) {
    const Window *window = &convolution->window;
    int64_t height = convolution->input[0], width = convolution->input[1];
    int64_t top = row * window->stride[0] - window->pad_begin[0];
    Range rows = range_inside(top, window->dilation[0], window->kernel[0], height);
    for (int64_t column = 0; column < convolution->output[1]; column++)
        sum->value[column] = sum->magnitude[column] = sum->error[column] = 0;
    for (int64_t c = 0; c < convolution->group_channels; c++) {
        for (int64_t ky = rows.begin; ky < rows.end; ky++) {
            const Real *line = input + (c * height + top + ky * window->dilation[0]) * width;
            const float *taps = weight + (c * window->kernel[0] + ky) * window->kernel[1];
            for (int64_t kx = 0; kx < window->kernel[1]; kx++)
                row_add_products(sum, convolution->columns[kx], taps[kx], line,
                                 kx * window->dilation[1] - window->pad_begin[1],
                                 window->stride[1]);
        }
    }
    sum->rows = rows.end - rows.begin;
}

/* The sum of pixel `column` of the row. */
static RealSum row_pixel(const RowSum *sum, const Convolution *convolution, int64_t column) {
    const Window *window = &convolution->window;
    Range taps = range_inside(column * window->stride[1] - window->pad_begin[1],
                              window->dilation[1], window->kernel[1], convolution->input[1]);
    return (RealSum){.value = sum->value[column],
                     .magnitude = sum->magnitude[column],
                     .error = sum->error[column],
                     .terms = convolution->group_channels * sum->rows * (taps.end - taps.begin)};
}

static Convolution convolution_of(const Node *node, Arena *scratch) {
    const Shape *input = &node->inputs[0]->type.shape;
    const Shape *output = &node->outputs[0]->type.shape;
    bool plane = input->rank == 3;
    Convolution convolution = {
        .window = window_of(node),
        .group_channels = weight_of(node)->shape.dims[1],
        .input = {plane ? input->dims[1] : 1, input->dims[input->rank - 1]},
        .output = {plane ? output->dims[1] : 1, output->dims[output->rank - 1]},
    };
    const Window *window = &convolution.window;
    convolution.columns = ARENA_ARRAY(scratch, (size_t)window->kernel[1], Range);
    for (int64_t kx = 0; kx < window->kernel[1]; kx++)
        convolution.columns[kx] =
            range_inside(kx * window->dilation[1] - window->pad_begin[1], window->stride[1],
                         convolution.output[1], convolution.input[1]);
    return convolution;
}

static void convolution_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    const Weight *weight = weight_of(node);
    const Weight *bias = bias_of(node);
    Arena scratch = {0};
    Convolution convolution = convolution_of(node, &scratch);
    size_t width = (size_t)convolution.output[1];
    RowSum row_sum = {.value = ARENA_ARRAY(&scratch, width, double),
                      .magnitude = ARENA_ARRAY(&scratch, width, double),
                      .error = ARENA_ARRAY(&scratch, width, double)};
    int64_t filters = weight->shape.dims[0];
    int64_t groups = node->inputs[0]->type.shape.dims[0] / convolution.group_channels;
    int64_t group_size = convolution.group_channels * convolution.input[0] * convolution.input[1];
    Real *result = evaluation->output;
    for (int64_t filter = 0; filter < filters; filter++) {
        const Real *group = evaluation->inputs[0] + filter / (filters / groups) * group_size;
        const float *taps = weight->data + filter * (weight->elements / filters);
        for (int64_t row = 0; row < convolution.output[0]; row++) {
            row_collect(&row_sum, &convolution, row, group, taps);
            for (int64_t column = 0; column < convolution.output[1]; column++) {
                RealSum sum = row_pixel(&row_sum, &convolution, column);
                if (bias != NULL)
                    real_sum_product(&sum, bias->data[filter], (Real){.value = 1});
                *result++ = real_sum_finish(&sum, FOLD_ROUNDINGS);
            }
        }
    }
    arena_free(&scratch);
}

static void convolution_lower(Lowering *lowering, const Node *node) {
    Window window = window_of(node);
    int64_t groups = node->inputs[0]->type.shape.dims[0] / weight_of(node)->shape.dims[1];
    kernel_conv(lowering, node, &window, groups, weight_of(node), bias_of(node));
}

/* ---- the layers --------------------------------------------------------------------------- */

#define SHAPE_RULE                                                                                 \
    "each spatial axis n becomes floor((n + padding - (dilation * (kernel - 1) + 1)) / stride) + " \
    "1; with pad=same it becomes ceil(n / stride), an odd row or column of padding going to the "  \
    "end"

#define BIAS_OPERATIONS "1 for each element of the result; none with bias=off"

const LayerInfo layer_conv = {
    .name = "conv",
    .summary = "convolution over the spatial axes",
    .family = FAMILY_CONVOLUTION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = CONV_ATTRIBUTES,
    .attributes =
        {
            [CONV_FILTERS] = {"filters", ATTRIBUTE_INTEGER, NULL, 1, INT32_MAX, "output channels"},
            [CONV_KERNEL] = {"kernel", ATTRIBUTE_SIZE, NULL, 1, INT32_MAX,
                             "taps along each spatial axis"},
            [CONV_STRIDE] = {"stride", ATTRIBUTE_SIZE, "1", 1, INT32_MAX,
                             "step from one output pixel to the next"},
            [CONV_PAD] = {"pad", ATTRIBUTE_PADDING, "0", 0, INT32_MAX,
                          "zeros around the input, or `same`"},
            [CONV_DILATION] = {"dilation", ATTRIBUTE_SIZE, "1", 1, INT32_MAX,
                               "step from one tap to the next"},
            [CONV_GROUPS] = {"groups", ATTRIBUTE_INTEGER, "1", 1, INT32_MAX,
                             "parts that channels and filters are split into, each seeing only "
                             "its own"},
            [CONV_BIAS] = {"bias", ATTRIBUTE_BOOLEAN, "on", 0, 0, "add one number per filter"},
        },
    .shape_doc = "[C, L] -> [filters, L'], [C, H, W] -> [filters, H', W']: " SHAPE_RULE,
    .weights_doc = "weight [filters, C / groups, kernel...], bias [filters]",
    .macs_doc = "places of the result * filters * (C / groups * taps of the kernel)",
    .operations_doc = BIAS_OPERATIONS,
    .example = "network example(image: [3, 32, 32]) -> [8, 16, 16] {\n"
               "    return image -> conv(8, 3x3, stride=2, pad=1)\n"
               "}\n",
    .infer = conv_infer,
    .macs = convolution_macs,
    .operations = convolution_operations,
    .footprint = window_footprint,
    .evaluate = convolution_evaluate,
    .lower = convolution_lower,
};

const LayerInfo layer_depthwise = {
    .name = "depthwise",
    .summary = "convolution of each channel by itself",
    .family = FAMILY_CONVOLUTION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = DEPTHWISE_ATTRIBUTES,
    .attributes =
        {
            [DEPTHWISE_KERNEL] = {"kernel", ATTRIBUTE_SIZE, NULL, 1, INT32_MAX,
                                  "taps along each spatial axis"},
            [DEPTHWISE_STRIDE] = {"stride", ATTRIBUTE_SIZE, "1", 1, INT32_MAX,
                                  "step from one output pixel to the next"},
            [DEPTHWISE_PAD] = {"pad", ATTRIBUTE_PADDING, "0", 0, INT32_MAX,
                               "zeros around the input, or `same`"},
            [DEPTHWISE_DILATION] = {"dilation", ATTRIBUTE_SIZE, "1", 1, INT32_MAX,
                                    "step from one tap to the next"},
            [DEPTHWISE_MULTIPLIER] = {"multiplier", ATTRIBUTE_INTEGER, "1", 1, INT32_MAX,
                                      "output channels made from each input channel"},
            [DEPTHWISE_BIAS] = {"bias", ATTRIBUTE_BOOLEAN, "on", 0, 0,
                                "add one number per output channel"},
        },
    .shape_doc = "[C, L] -> [C * multiplier, L'], [C, H, W] -> [C * multiplier, H', W'], channel c "
                 "giving channels c * multiplier and on: " SHAPE_RULE,
    .weights_doc = "weight [C * multiplier, 1, kernel...], bias [C * multiplier]",
    .macs_doc = "elements of the result * taps of the kernel",
    .operations_doc = BIAS_OPERATIONS,
    .example = "network example(image: [16, 32, 32]) -> [16, 32, 32] {\n"
               "    return image -> depthwise(3x3, pad=same)\n"
               "}\n",
    .infer = depthwise_infer,
    .macs = convolution_macs,
    .operations = convolution_operations,
    .footprint = window_footprint,
    .evaluate = convolution_evaluate,
    .lower = convolution_lower,
};
