/* deconv: transposed convolution, PyTorch's ConvTranspose (Zeiler et al. 2010; Dumoulin, Visin
 * 2016). Each input element adds the kernel, multiplied by it, to the output: with F filters and C
 * channels in G groups, channel c of group g adds for filter f of that group
 *     y[f][i * stride - pad + k * dilation] += weight[c][f][k] * x[c][i]
 * over i and k along the spatial axes; what falls outside the output is left out. */
#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/evaluate.h"
#include "layers/filters.h"
#include "layers/layer.h"
#include "layers/window.h"
#include "support/checked.h"

enum DeconvAttribute {
    DECONV_FILTERS,
    DECONV_KERNEL,
    DECONV_STRIDE,
    DECONV_PAD,
    DECONV_OUTPUTPAD,
    DECONV_DILATION,
    DECONV_GROUPS,
    DECONV_BIAS,
    DECONV_ATTRIBUTES,
};

/* ---- shape -------------------------------------------------------------------------------- */

static int deconv_slides(const Node *node, Slide slides[MAX_SPATIAL]) {
    int axes = window_slides(node, slides);
    for (int i = 0; i < axes; i++)
        if (slides[i].same)
            slide_crop_same(&slides[i]);
    return axes;
}

/* With stride s, inputs of s different sizes have the same number of windows: `outputpad` says how
 * much larger than the smallest the result is, and more would be rows of nothing but bias. As in
 * PyTorch, the dilation counts as well as the stride. */
static bool check_output_pad(Inference *inference, const Slide *slides, int axes) {
    const int64_t *output_pad = inference->node->attributes[DECONV_OUTPUTPAD].size;
    for (int i = 0; i < axes; i++) {
        const Slide *slide = &slides[i];
        int64_t limit = slide->stride > slide->dilation ? slide->stride : slide->dilation;
        if (output_pad[i] < limit && (output_pad[i] == 0 || !slide->same))
            continue;
        Diagnostic *diagnostic =
            slide->same
                ? infer_error(inference, DIAG_E0205, DECONV_OUTPUTPAD,
                              "`outputpad` has no place beside `pad=same`")
                : infer_error(inference, DIAG_E0205, DECONV_OUTPUTPAD,
                              "an output padding of %lld is not smaller than the %s of %lld",
                              (long long)output_pad[i],
                              slide->stride >= slide->dilation ? "stride" : "dilation",
                              (long long)limit);
        if (slide->same)
            diag_here(inference->diagnostics, diagnostic, "the result is input * stride");
        else
            diag_here(inference->diagnostics, diagnostic, "at most %lld along the %s",
                      (long long)(limit - 1), window_axis_name(i, axes));
        return false;
    }
    return true;
}

/* The padding takes away all that there is. */
static void report_nothing_left(Inference *inference, const Slide *slide, int64_t output_pad,
                                int64_t output, const char *axis) {
    Diagnostics *diagnostics = inference->diagnostics;
    long long reach = (long long)(slide->dilation * (slide->kernel - 1) + 1);
    long long padding = (long long)(slide->pad_begin + slide->pad_end);
    Diagnostic *diagnostic = infer_error(
        inference, DIAG_E0211, DECONV_PAD, "a padding of %lld and %lld leaves nothing of the %s",
        (long long)slide->pad_begin, (long long)slide->pad_end, axis);
    diag_here(diagnostics, diagnostic, "cuts off %lld of %lld", padding,
              padding + (long long)output);
    diag_note(
        diagnostics, diagnostic,
        "output %s = (input - 1) * stride + reach + outputpad - padding = (%lld - 1) * %lld + "
        "%lld + %lld - %lld = %lld",
        axis, (long long)slide->input, (long long)slide->stride, reach, (long long)output_pad,
        padding, (long long)output);
    diag_note(diagnostics, diagnostic, "the padding of `deconv` is cut off the result, not added");
    edit_argument(inference, diagnostic, DECONV_PAD, "0", false, "cut nothing off");
}

static bool deconv_shape(Inference *inference, Shape *result) {
    Slide slides[MAX_SPATIAL];
    int axes = deconv_slides(inference->node, slides);
    if (!check_output_pad(inference, slides, axes))
        return false;
    result->rank = axes + 1;
    for (int i = 0; i < axes; i++) {
        int64_t *output = &result->dims[i + 1];
        int64_t output_pad = inference->node->attributes[DECONV_OUTPUTPAD].size[i];
        if (!slide_transposed_output(&slides[i], output_pad, output))
            *output = INT64_MAX; /* refused as out of bounds by infer_result */
        if (*output >= 1)
            continue;
        report_nothing_left(inference, &slides[i], output_pad, *output, window_axis_name(i, axes));
        return false;
    }
    return infer_result(inference, *result);
}

/* Most taps that one element of the result has along an axis: of a kernel whose taps take turns
 * among stride / gcd(stride, dilation) phases. */
static int64_t taps_of_phase(const Slide *slide) {
    int64_t phases = slide->stride / common_divisor(slide->stride, slide->dilation);
    return (slide->kernel - 1) / phases + 1;
}

static bool deconv_infer(Inference *inference) {
    const Node *node = inference->node;
    const Shape *input = infer_input(inference, 0);
    int64_t filters = node->attributes[DECONV_FILTERS].integer;
    int64_t groups = node->attributes[DECONV_GROUPS].integer;
    Shape result = {.dims = {filters}};
    if (!window_check_rank(inference) ||
        !filters_check_groups(inference, input->dims[0], filters) ||
        !deconv_shape(inference, &result))
        return false;
    Slide slides[MAX_SPATIAL];
    int axes = deconv_slides(node, slides);
    Shape weight = {.rank = axes + 2, .dims = {input->dims[0], filters / groups}};
    int64_t fan_in = input->dims[0] / groups;
    for (int i = 0; i < axes; i++) {
        weight.dims[i + 2] = slides[i].kernel;
        if (!checked_mul(fan_in, taps_of_phase(&slides[i]), &fan_in))
            fan_in = INT64_MAX; /* the weight is then out of bounds too, and refused */
    }
    return filters_declare(inference, weight, filters, fan_in);
}

/* An element of the result sees the inputs whose windows reach it: every stride-th of the reach. */
static bool deconv_footprint(const Node *node, Footprint footprint[MAX_SPATIAL]) {
    Slide slides[MAX_SPATIAL];
    int axes = deconv_slides(node, slides);
    for (int i = 0; i < axes; i++) {
        int64_t reach;
        if (!slide_reach(&slides[i], &reach))
            return false;
        footprint[i] = (Footprint){
            .reach = (reach - 1) / slides[i].stride + 1, .step = 1, .parts = slides[i].stride};
    }
    return true;
}

/* ---- counting, reference, lowering -------------------------------------------------------- */

/* places of the input * C * F / groups * kernel: each input element with each tap it is multiplied
 * by, whether or not the product is then cut off */
static void deconv_macs(const Node *node, Factors *factors) {
    const Shape *input = &node->inputs[0]->type.shape;
    for (int i = 1; i < input->rank; i++)
        factors_add(factors, input->dims[i]);
    factors_add_shape(factors, &filters_weight(node)->shape);
}

/* The sums of one filter's output while they are collected; extents by WindowAxis. */
typedef struct Scatter {
    Window window;
    int64_t input[MAX_SPATIAL];
    int64_t output[MAX_SPATIAL];
    RealSum *sums;
} Scatter;

/* Where tap `k` of input `i` lands along an axis; false outside the output. */
static bool tap_lands(const Scatter *scatter, enum WindowAxis axis, int64_t i, int64_t k,
                      int64_t *place) {
    const Window *window = &scatter->window;
    *place = i * window->stride[axis] - window->pad_begin[axis] + k * window->dilation[axis];
    return *place >= 0 && *place < scatter->output[axis];
}

/* Adds the kernel times x, which stands at (d, h, w). */
static void scatter_element(const Scatter *scatter, int64_t d, int64_t h, int64_t w, Real x,
                            const float *taps) {
    const int64_t *kernel = scatter->window.kernel, *output = scatter->output;
    for (int64_t kd = 0; kd < kernel[WINDOW_DEPTH]; kd++) {
        for (int64_t kh = 0; kh < kernel[WINDOW_HEIGHT]; kh++) {
            const float *row = taps + (kd * kernel[WINDOW_HEIGHT] + kh) * kernel[WINDOW_WIDTH];
            int64_t z, y, column;
            if (!tap_lands(scatter, WINDOW_DEPTH, d, kd, &z) ||
                !tap_lands(scatter, WINDOW_HEIGHT, h, kh, &y))
                continue;
            RealSum *line = scatter->sums + (z * output[WINDOW_HEIGHT] + y) * output[WINDOW_WIDTH];
            for (int64_t kw = 0; kw < kernel[WINDOW_WIDTH]; kw++)
                if (tap_lands(scatter, WINDOW_WIDTH, w, kw, &column))
                    real_sum_product(&line[column], (double)row[kw], x);
        }
    }
}

static void scatter_channel(const Scatter *scatter, const Real *channel, const float *taps) {
    for (int64_t d = 0; d < scatter->input[WINDOW_DEPTH]; d++)
        for (int64_t h = 0; h < scatter->input[WINDOW_HEIGHT]; h++)
            for (int64_t w = 0; w < scatter->input[WINDOW_WIDTH]; w++)
                scatter_element(scatter, d, h, w, *channel++, taps);
}

static Window deconv_window(const Node *node) {
    Slide slides[MAX_SPATIAL];
    int axes = deconv_slides(node, slides);
    return window_from_slides(node, slides, axes);
}

static void deconv_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    const Shape *input = &node->inputs[0]->type.shape;
    const Shape *output = &node->outputs[0]->type.shape;
    const Weight *weight = filters_weight(node), *bias = filters_bias(node);
    int64_t group_filters = weight->shape.dims[1];
    int64_t group_channels = input->dims[0] / (output->dims[0] / group_filters);
    int64_t taps = weight->elements / (input->dims[0] * group_filters);
    int64_t pixels = shape_elements(output) / output->dims[0];
    int64_t input_pixels = shape_elements(input) / input->dims[0];
    Arena scratch = {0};
    Scatter scatter = {.window = deconv_window(node),
                       .sums = ARENA_ARRAY(&scratch, (size_t)pixels, RealSum)};
    window_extents(input, scatter.input);
    window_extents(output, scatter.output);
    for (int64_t filter = 0; filter < output->dims[0]; filter++) {
        int64_t first = filter / group_filters * group_channels;
        for (int64_t i = 0; i < pixels; i++)
            scatter.sums[i] = (RealSum){0};
        for (int64_t c = first; c < first + group_channels; c++)
            scatter_channel(&scatter, evaluation->inputs[0] + c * input_pixels,
                            weight->data + (c * group_filters + filter % group_filters) * taps);
        for (int64_t i = 0; i < pixels; i++) {
            if (bias != NULL)
                real_sum_product(&scatter.sums[i], (double)bias->data[filter], (Real){.value = 1});
            evaluation->output[filter * pixels + i] =
                real_sum_finish(&scatter.sums[i], FOLD_ROUNDINGS);
        }
    }
    arena_free(&scratch);
}

static void deconv_lower(Lowering *lowering, const Node *node) {
    Window window = deconv_window(node);
    kernel_deconv(lowering, node, &window, node->attributes[DECONV_GROUPS].integer,
                  filters_weight(node), filters_bias(node));
}

/* ---- the layer ---------------------------------------------------------------------------- */

const LayerInfo layer_deconv = {
    .name = "deconv",
    .summary = "transposed convolution: makes the spatial axes larger",
    .family = FAMILY_CONVOLUTION,
    .traits = LAYER_HAS_KERNEL,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = DECONV_ATTRIBUTES,
    .attributes =
        {
            [DECONV_FILTERS] = {"filters", ATTRIBUTE_INTEGER, NULL, 1, INT32_MAX,
                                "output channels"},
            [DECONV_KERNEL] = {"kernel", ATTRIBUTE_SIZE, NULL, 1, INT32_MAX,
                               "taps along each spatial axis"},
            [DECONV_STRIDE] = {"stride", ATTRIBUTE_SIZE, "1", 1, INT32_MAX,
                               "step in the result from one input element to the next"},
            [DECONV_PAD] = {"pad", ATTRIBUTE_PADDING, "0", 0, INT32_MAX,
                            "elements cut off the edges of the result, or `same`"},
            [DECONV_OUTPUTPAD] = {"outputpad", ATTRIBUTE_SIZE, "0", 0, INT32_MAX,
                                  "elements more at the end of the result, less than the stride"},
            [DECONV_DILATION] = {"dilation", ATTRIBUTE_SIZE, "1", 1, INT32_MAX,
                                 "step from one tap to the next"},
            [DECONV_GROUPS] = {"groups", ATTRIBUTE_INTEGER, "1", 1, INT32_MAX,
                               "parts that channels and filters are split into, each seeing only "
                               "its own"},
            [DECONV_BIAS] = {"bias", ATTRIBUTE_BOOLEAN, "on", 0, 0, "add one number per filter"},
        },
    .shape_doc =
        "[C, L] -> [filters, L'], [C, H, W] -> [filters, H', W'], [C, D, H, W] -> [filters, "
        "D', H', W']: each spatial axis n becomes (n - 1) * stride - padding + dilation * "
        "(kernel - 1) + outputpad + 1; with pad=same it becomes n * stride, the odd row or "
        "column being cut off the end",
    .weights_doc = "weight [C, filters / groups, kernel...], bias [filters]",
    .macs_doc = "places of the input * C * filters / groups * taps of the kernel",
    .operations_doc = FILTERS_OPERATIONS,
    .example = "network example(image: [16, 8, 8]) -> [8, 16, 16] {\n"
               "    return image -> deconv(8, 4x4, stride=2, pad=1)\n"
               "}\n",
    .infer = deconv_infer,
    .macs = deconv_macs,
    .operations = filters_operations,
    .footprint = deconv_footprint,
    .evaluate = deconv_evaluate,
    .lower = deconv_lower,
};
