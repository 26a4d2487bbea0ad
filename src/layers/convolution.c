/* conv, depthwise, separable: cross-correlation (the kernel is not flipped), as in every framework.
 *
 * With C input channels and F filters in G groups, output channel f reads the C / G input channels
 * from first = f / (F / G) * (C / G) on:
 *     y[f][o] = bias[f] + sum of weight[f][c][k] * x[first + c][o * stride - pad + k * dilation]
 * over c and k, where o and k run over the spatial axes and x is 0 in the padding. separable is two
 * of them: one with as many groups as channels and no bias, then one whose kernel has a single tap
 * (Chollet 2017, Xception). */
#include "kernels/kernel.h"
#include "layers/filters.h"
#include "layers/lanes.h"
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

enum SeparableAttribute {
    SEPARABLE_FILTERS,
    SEPARABLE_KERNEL,
    SEPARABLE_STRIDE,
    SEPARABLE_PAD,
    SEPARABLE_DILATION,
    SEPARABLE_MULTIPLIER,
    SEPARABLE_BIAS,
    SEPARABLE_ATTRIBUTES,
};

enum SeparableWeight {
    SEPARABLE_DEPTHWISE,
    SEPARABLE_POINTWISE,
    SEPARABLE_POINTWISE_BIAS,
};

/* ---- shape -------------------------------------------------------------------------------- */

/* [filters, channels of a group, kernel...] over `axes` axes; a sum of it has `fan_in` products. */
static Shape weight_shape(int axes, int64_t filters, int64_t group_channels,
                          const Attribute *kernel, int64_t *fan_in) {
    Shape weight = {.rank = axes + 2, .dims = {filters, group_channels}};
    *fan_in = group_channels;
    for (int i = 0; i < axes; i++) {
        weight.dims[i + 2] = kernel->size[i];
        if (!checked_mul(*fan_in, kernel->size[i], fan_in))
            *fan_in = INT64_MAX; /* the weight is then out of bounds too, and refused */
    }
    return weight;
}

/* The result's type and the weights [filters, channels of a group, kernel...] and [filters]. */
static bool declare(Inference *inference, int64_t filters, int64_t group_channels,
                    const Attribute *kernel) {
    Shape result = {.dims = {filters}};
    if (!window_infer(inference, false, &result) || !infer_result(inference, result))
        return false;
    int64_t fan_in;
    Shape weight = weight_shape(result.rank - 1, filters, group_channels, kernel, &fan_in);
    return filters_declare(inference, weight, filters, fan_in);
}

static bool conv_infer(Inference *inference) {
    const Attribute *attributes = inference->node->attributes;
    const Shape *input = infer_input(inference, 0);
    int64_t groups = attributes[CONV_GROUPS].integer;
    int64_t filters = attributes[CONV_FILTERS].integer;
    if (!window_check_rank(inference) || !filters_check_groups(inference, input->dims[0], filters))
        return false;
    return declare(inference, filters, input->dims[0] / groups, &attributes[CONV_KERNEL]);
}

static bool depthwise_infer(Inference *inference) {
    const Attribute *attributes = inference->node->attributes;
    int64_t filters;
    if (!checked_mul(infer_input(inference, 0)->dims[0], attributes[DEPTHWISE_MULTIPLIER].integer,
                     &filters))
        filters = INT64_MAX; /* refused by infer_result */
    return declare(inference, filters, 1, &attributes[DEPTHWISE_KERNEL]);
}

static bool separable_infer(Inference *inference) {
    const Attribute *attributes = inference->node->attributes;
    int64_t filters = attributes[SEPARABLE_FILTERS].integer, middle, fan_in;
    Shape result = {.dims = {filters}};
    if (!window_infer(inference, false, &result) || !infer_result(inference, result))
        return false;
    if (!checked_mul(infer_input(inference, 0)->dims[0], attributes[SEPARABLE_MULTIPLIER].integer,
                     &middle))
        middle = INT64_MAX; /* the weight is refused */
    Shape depthwise =
        weight_shape(result.rank - 1, middle, 1, &attributes[SEPARABLE_KERNEL], &fan_in);
    if (infer_weight(inference, "depthwise.weight", depthwise, WEIGHT_KERNEL, fan_in, true) == NULL)
        return false;
    Shape pointwise = {.rank = result.rank + 1, .dims = {filters, middle}};
    for (int i = 2; i < pointwise.rank; i++)
        pointwise.dims[i] = 1;
    if (infer_weight(inference, "pointwise.weight", pointwise, WEIGHT_KERNEL, middle, true) == NULL)
        return false;
    return !attributes[SEPARABLE_BIAS].boolean ||
           infer_weight(inference, "pointwise.bias", shape_make(1, filters), WEIGHT_BIAS, middle,
                        true) != NULL;
}

/* ---- counting, reference, lowering -------------------------------------------------------- */

/* output pixels * filters * (channels of a group * kernel), padding taps included */
static void convolution_macs(const Node *node, Factors *factors) {
    const Shape *output = &node->outputs[0]->type.shape;
    const Shape *weight = &filters_weight(node)->shape;
    for (int i = 1; i < output->rank; i++)
        factors_add(factors, output->dims[i]);
    for (int i = 0; i < weight->rank; i++)
        factors_add(factors, weight->dims[i]);
}

/* output pixels * channels between the two * (kernel + filters) */
static void separable_macs(const Node *node, Factors *factors) {
    const Shape *output = &node->outputs[0]->type.shape;
    const Shape *depthwise = &node->weights.data[SEPARABLE_DEPTHWISE]->shape;
    for (int i = 1; i < output->rank; i++)
        factors_add(factors, output->dims[i]);
    factors_add(factors, depthwise->dims[0]);
    factors_add(factors, shape_elements(depthwise) / depthwise->dims[0] + output->dims[0]);
}

/* The numbers i, begin <= i < end. */
typedef struct Range {
    int64_t begin;
    int64_t end;
} Range;

/* Those of 0 ... count - 1 for which 0 <= start + i * step < limit: the taps of a window that are
 * inside the input. */
static Range range_inside(int64_t start, int64_t step, int64_t count, int64_t limit) {
    int64_t begin = start < 0 ? (step - 1 - start) / step : 0;
    int64_t end = start < limit ? (step - 1 + limit - start) / step : 0;
    end = end < count ? end : count;
    return (Range){begin < end ? begin : end, end};
}

/* One convolution; extents by WindowAxis. */
typedef struct Convolution {
    Window window;
    int64_t group_channels;
    int64_t input[MAX_SPATIAL];
    int64_t output[MAX_SPATIAL];
} Convolution;

static int64_t places(const int64_t extents[MAX_SPATIAL]) {
    int64_t product = 1;
    for (int i = 0; i < MAX_SPATIAL; i++)
        product *= extents[i];
    return product;
}

/* Taps along an axis that are inside the input for output `place`, and where tap 0 reads. */
static Range taps_inside(const Convolution *convolution, enum WindowAxis axis, int64_t place,
                         int64_t *origin) {
    const Window *window = &convolution->window;
    *origin = place * window->stride[axis] - window->pad_begin[axis];
    return range_inside(*origin, window->dilation[axis], window->kernel[axis],
                        convolution->input[axis]);
}

/* The sum of the pixel at `place`; `input` is the group's, its channels beside each other in each
 * pixel. */
static LaneSum pixel_collect(const Convolution *convolution, const int64_t place[MAX_SPATIAL],
                             const Real *input, const Tap *taps) {
    const Window *window = &convolution->window;
    const int64_t *kernel = window->kernel, *extents = convolution->input;
    int64_t channels = convolution->group_channels, front, top, left;
    Range slices = taps_inside(convolution, WINDOW_DEPTH, place[WINDOW_DEPTH], &front);
    Range rows = taps_inside(convolution, WINDOW_HEIGHT, place[WINDOW_HEIGHT], &top);
    Range columns = taps_inside(convolution, WINDOW_WIDTH, place[WINDOW_WIDTH], &left);
    LaneSum sum = {.terms = channels * (slices.end - slices.begin) * (rows.end - rows.begin) *
                            (columns.end - columns.begin)};
    for (int64_t kz = slices.begin; kz < slices.end; kz++) {
        int64_t z = front + kz * window->dilation[WINDOW_DEPTH];
        for (int64_t ky = rows.begin; ky < rows.end; ky++) {
            int64_t y = z * extents[WINDOW_HEIGHT] + top + ky * window->dilation[WINDOW_HEIGHT];
            int64_t line = (kz * kernel[WINDOW_HEIGHT] + ky) * kernel[WINDOW_WIDTH];
            for (int64_t kx = columns.begin; kx < columns.end; kx++) {
                int64_t x = y * extents[WINDOW_WIDTH] + left + kx * window->dilation[WINDOW_WIDTH];
                for (int64_t c = 0; c < channels; c++)
                    lane_sum_product(&sum, &taps[(line + kx) * channels + c],
                                     input[x * channels + c]);
            }
        }
    }
    return sum;
}

/* A convolution's tensors. Its filters are done LANES at a time, those of each group by themselves:
 * each group has so many `blocks`. */
typedef struct Filters {
    const Weight *weight;
    const Weight *bias; /* NULL: none */
    const Real *input;  /* [groups, places, channels of a group] */
    Real *result;
    int64_t groups;
    int64_t blocks;
    const Convolution *convolution;
} Filters;

/* Block number `index` of a group's filters: all pixels of their channels. */
static void block_evaluate(void *context, size_t index) {
    const Filters *filters = context;
    const Convolution *convolution = filters->convolution;
    const int64_t *output = convolution->output;
    int64_t pixels = places(output);
    int64_t group_filters = filters->weight->shape.dims[0] / filters->groups;
    int64_t group = (int64_t)index / filters->blocks;
    int64_t begin = (int64_t)index % filters->blocks * LANES;
    int64_t first = group * group_filters + begin;
    int64_t count = group_filters - begin < LANES ? group_filters - begin : LANES;
    const Real *input =
        filters->input + group * convolution->group_channels * places(convolution->input);
    Arena scratch = {0};
    const Tap *taps =
        lanes_taps(&scratch, filters->weight, first, count, places(convolution->window.kernel));
    for (int64_t pixel = 0; pixel < pixels; pixel++) {
        int64_t line = pixel / output[WINDOW_WIDTH];
        int64_t place[MAX_SPATIAL] = {[WINDOW_DEPTH] = line / output[WINDOW_HEIGHT],
                                      [WINDOW_HEIGHT] = line % output[WINDOW_HEIGHT],
                                      [WINDOW_WIDTH] = pixel % output[WINDOW_WIDTH]};
        LaneSum sum = pixel_collect(convolution, place, input, taps);
        for (int lane = 0; lane < count; lane++)
            filters->result[(first + lane) * pixels + pixel] =
                lane_sum_finish(&sum, lane, filters->bias, first + lane, FOLD_ROUNDINGS);
    }
    arena_free(&scratch);
}

/* The input [groups, channels, places] as [groups, places, channels]. */
static Real *channels_last(const Filters *filters, Arena *scratch) {
    int64_t channels = filters->convolution->group_channels;
    int64_t pixels = places(filters->convolution->input);
    Real *last = ARENA_ARRAY(scratch, (size_t)(filters->groups * channels * pixels), Real);
    for (int64_t i = 0; i < filters->groups * channels; i++) {
        Real *to = last + i / channels * channels * pixels + i % channels;
        for (int64_t pixel = 0; pixel < pixels; pixel++)
            to[pixel * channels] = filters->input[i * pixels + pixel];
    }
    return last;
}

/* All filters; of the convolution the window and both extents are given, of the filters all up to
 * the groups, the input as [groups, channels, places]. */
static void convolve(const Evaluation *evaluation, Convolution convolution, Filters filters) {
    const Shape *shape = &filters.weight->shape;
    Arena scratch = {0};
    convolution.group_channels = shape->dims[1];
    filters.convolution = &convolution;
    filters.blocks = divide_up(shape->dims[0] / filters.groups, LANES);
    filters.input = channels_last(&filters, &scratch);
    double products = (double)places(convolution.output) * (double)filters.weight->elements;
    evaluation_share(evaluation, products, block_evaluate, &filters,
                     filters.groups * filters.blocks);
    arena_free(&scratch);
}

static Convolution convolution_of(const Node *node) {
    Convolution convolution = {.window = window_of(node)};
    window_extents(&node->inputs[0]->type.shape, convolution.input);
    window_extents(&node->outputs[0]->type.shape, convolution.output);
    return convolution;
}

static int64_t groups_of(const Node *node) {
    return node->inputs[0]->type.shape.dims[0] / filters_weight(node)->shape.dims[1];
}

static void convolution_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    convolve(evaluation, convolution_of(node),
             (Filters){.weight = filters_weight(node),
                       .bias = filters_bias(node),
                       .input = evaluation->inputs[0],
                       .result = evaluation->output,
                       .groups = groups_of(node)});
}

static void convolution_lower(Lowering *lowering, const Node *node) {
    Window window = window_of(node);
    kernel_conv(lowering, node, &window, groups_of(node), filters_weight(node), filters_bias(node),
                node->inputs[0], node->outputs[0]);
}

/* The second of a separable's windows: one tap at each place of the result. */
static Window point_window(const Node *node) {
    int64_t extents[MAX_SPATIAL];
    window_extents(&node->outputs[0]->type.shape, extents);
    Window window = WINDOW_OF_PIXEL;
    window.input_slices = window.output_slices = extents[WINDOW_DEPTH];
    return window;
}

static const Weight *pointwise_bias(const Node *node) {
    bool biased = node->attributes[SEPARABLE_BIAS].boolean;
    return biased ? node->weights.data[SEPARABLE_POINTWISE_BIAS] : NULL;
}

static void separable_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    const Weight *depthwise = node->weights.data[SEPARABLE_DEPTHWISE];
    Convolution first = convolution_of(node), second = {.window = point_window(node)};
    window_extents(&node->outputs[0]->type.shape, second.input);
    window_extents(&node->outputs[0]->type.shape, second.output);
    Arena scratch = {0};
    size_t elements = (size_t)(depthwise->shape.dims[0] * places(first.output));
    Real *middle = ARENA_ARRAY(&scratch, elements, Real);
    convolve(evaluation, first,
             (Filters){.weight = depthwise,
                       .input = evaluation->inputs[0],
                       .result = middle,
                       .groups = node->inputs[0]->type.shape.dims[0]});
    convolve(evaluation, second,
             (Filters){.weight = node->weights.data[SEPARABLE_POINTWISE],
                       .bias = pointwise_bias(node),
                       .input = middle,
                       .result = evaluation->output,
                       .groups = 1});
    arena_free(&scratch);
}

static void separable_lower(Lowering *lowering, const Node *node) {
    const Weight *depthwise = node->weights.data[SEPARABLE_DEPTHWISE];
    Window window = window_of(node), point = point_window(node);
    Shape shape = node->outputs[0]->type.shape;
    shape.dims[0] = depthwise->shape.dims[0];
    Value *middle = kernel_value(lowering, node, "depthwise", shape);
    kernel_conv(lowering, node, &window, node->inputs[0]->type.shape.dims[0], depthwise, NULL,
                node->inputs[0], middle);
    kernel_conv(lowering, node, &point, 1, node->weights.data[SEPARABLE_POINTWISE],
                pointwise_bias(node), middle, node->outputs[0]);
}

/* ---- the layers --------------------------------------------------------------------------- */

#define SHAPE_RULE                                                                                 \
    "each spatial axis n becomes floor((n + padding - (dilation * (kernel - 1) + 1)) / stride) + " \
    "1; with pad=same it becomes ceil(n / stride), an odd row or column of padding going to the "  \
    "end"

const LayerInfo layer_conv = {
    .name = "conv",
    .summary = "convolution over the spatial axes",
    .family = FAMILY_CONVOLUTION,
    .traits = LAYER_HAS_KERNEL,
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
    .shape_doc =
        "[C, L] -> [filters, L'], [C, H, W] -> [filters, H', W'], [C, D, H, W] -> [filters, "
        "D', H', W']: " SHAPE_RULE,
    .weights_doc = "weight [filters, C / groups, kernel...], bias [filters]",
    .macs_doc = "places of the result * filters * (C / groups * taps of the kernel)",
    .operations_doc = FILTERS_OPERATIONS,
    .example = "network example(image: [3, 32, 32]) -> [8, 16, 16] {\n"
               "    return image -> conv(8, 3x3, stride=2, pad=1)\n"
               "}\n",
    .infer = conv_infer,
    .macs = convolution_macs,
    .operations = filters_operations,
    .footprint = window_footprint,
    .evaluate = convolution_evaluate,
    .lower = convolution_lower,
};

const LayerInfo layer_depthwise = {
    .name = "depthwise",
    .summary = "convolution of each channel by itself",
    .family = FAMILY_CONVOLUTION,
    .traits = LAYER_HAS_KERNEL,
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
    .shape_doc = "[C, L] -> [C * multiplier, L'], [C, H, W] -> [C * multiplier, H', W'], [C, D, H, "
                 "W] -> [C * multiplier, D', H', W'], channel c giving channels c * multiplier and "
                 "on: " SHAPE_RULE,
    .weights_doc = "weight [C * multiplier, 1, kernel...], bias [C * multiplier]",
    .macs_doc = "elements of the result * taps of the kernel",
    .operations_doc = FILTERS_OPERATIONS,
    .example = "network example(image: [16, 32, 32]) -> [16, 32, 32] {\n"
               "    return image -> depthwise(3x3, pad=same)\n"
               "}\n",
    .infer = depthwise_infer,
    .macs = convolution_macs,
    .operations = filters_operations,
    .footprint = window_footprint,
    .evaluate = convolution_evaluate,
    .lower = convolution_lower,
};

const LayerInfo layer_separable = {
    .name = "separable",
    .summary = "convolution of each channel by itself, then one of single pixels over all channels",
    .family = FAMILY_CONVOLUTION,
    .traits = LAYER_HAS_KERNEL,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = SEPARABLE_ATTRIBUTES,
    .attributes =
        {
            [SEPARABLE_FILTERS] = {"filters", ATTRIBUTE_INTEGER, NULL, 1, INT32_MAX,
                                   "output channels"},
            [SEPARABLE_KERNEL] = {"kernel", ATTRIBUTE_SIZE, NULL, 1, INT32_MAX,
                                  "taps along each spatial axis"},
            [SEPARABLE_STRIDE] = {"stride", ATTRIBUTE_SIZE, "1", 1, INT32_MAX,
                                  "step from one output pixel to the next"},
            [SEPARABLE_PAD] = {"pad", ATTRIBUTE_PADDING, "0", 0, INT32_MAX,
                               "zeros around the input, or `same`"},
            [SEPARABLE_DILATION] = {"dilation", ATTRIBUTE_SIZE, "1", 1, INT32_MAX,
                                    "step from one tap to the next"},
            [SEPARABLE_MULTIPLIER] = {"multiplier", ATTRIBUTE_INTEGER, "1", 1, INT32_MAX,
                                      "channels between the two, from each input channel"},
            [SEPARABLE_BIAS] = {"bias", ATTRIBUTE_BOOLEAN, "on", 0, 0,
                                "add one number per filter, at the end"},
        },
    .shape_doc =
        "[C, L] -> [filters, L'], [C, H, W] -> [filters, H', W'], [C, D, H, W] -> [filters, "
        "D', H', W']: " SHAPE_RULE,
    .weights_doc = "depthwise.weight [C * multiplier, 1, kernel...], pointwise.weight [filters, C "
                   "* multiplier, 1...], pointwise.bias [filters]",
    .macs_doc = "places of the result * C * multiplier * (taps of the kernel + filters)",
    .operations_doc = FILTERS_OPERATIONS,
    .example = "network example(image: [16, 32, 32]) -> [32, 16, 16] {\n"
               "    return image -> separable(32, 3x3, stride=2, pad=1)\n"
               "}\n",
    .infer = separable_infer,
    .macs = separable_macs,
    .operations = filters_operations,
    .footprint = window_footprint,
    .evaluate = separable_evaluate,
    .lower = separable_lower,
};
