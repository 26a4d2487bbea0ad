/* upsample, resize: each channel's image at another size. See Resize (plan/plan.h) for where the
 * places of the result lie in the input. */
#include <inttypes.h>
#include <math.h>

#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/layer.h"
#include "layers/rearrange.h"
#include "support/checked.h"

/* ---- reference ---------------------------------------------------------------------------- */

static Resize resize_between(const Node *node, bool linear, bool corners) {
    const Shape *input = &node->inputs[0]->type.shape;
    Resize resize = {.linear = linear, .corners = corners, .axes = input->rank - 1};
    for (int i = 0; i < resize.axes; i++) {
        resize.input[i] = input->dims[i + 1];
        resize.output[i] = node->outputs[0]->type.shape.dims[i + 1];
    }
    return resize;
}

/* Place `index` of the result along `axis` lies `*weight` on from place `*low` of the input. */
static void place_between(const Resize *resize, int axis, int64_t index, int64_t *low,
                          double *weight) {
    int64_t from = resize->input[axis], to = resize->output[axis];
    int64_t numerator = index * from, denominator = to;
    if (resize->linear && resize->corners) {
        numerator = to > 1 ? index * (from - 1) : 0;
        denominator = to > 1 ? to - 1 : 1;
    } else if (resize->linear) {
        numerator = (2 * index + 1) * from - to;
        denominator = 2 * to;
        if (numerator < 0)
            numerator = 0;
    }
    bool exact = !resize->linear || from == to;
    *low = from == to ? index : numerator / denominator;
    *weight = exact ? 0 : (double)(numerator % denominator) / (double)denominator;
}

/* The result at `at`, of the part of a channel that begins at `image` and has the axes from `axis`
 * on: `stride` elements are one place of the axis before. */
static Real evaluate_place(const Resize *resize, const Real *image, const int64_t *at, int axis,
                           int64_t stride) {
    if (axis == resize->axes)
        return *image;
    int64_t low;
    double weight;
    place_between(resize, axis, at[axis], &low, &weight);
    stride /= resize->input[axis];
    Real near = evaluate_place(resize, image + low * stride, at, axis + 1, stride);
    bool mixed = resize->linear && resize->input[axis] != resize->output[axis] &&
                 !(resize->corners && resize->output[axis] == 1);
    if (!mixed)
        return near;
    int64_t high = low + 1 < resize->input[axis] ? low + 1 : low;
    return real_mix(near, evaluate_place(resize, image + high * stride, at, axis + 1, stride),
                    weight);
}

static void evaluate_resize(Evaluation *evaluation, const Resize *resize) {
    const Shape *shape = &evaluation->node->outputs[0]->type.shape;
    int64_t pixels = shape_stride(&evaluation->node->inputs[0]->type.shape, 0);
    Real *result = evaluation->output;
    for (int64_t c = 0; c < shape->dims[0]; c++) {
        for (int64_t p = 0; p < shape_stride(shape, 0); p++) {
            int64_t at[MAX_SPATIAL], rest = p;
            for (int i = resize->axes - 1; i >= 0; i--) {
                at[i] = rest % resize->output[i];
                rest /= resize->output[i];
            }
            *result++ = evaluate_place(resize, evaluation->inputs[0] + c * pixels, at, 0, pixels);
        }
    }
}

/* ---- shapes ------------------------------------------------------------------------------- */

/* Places are computed as fractions up to 2 * input * output, in 64 bits. */
static bool infer_resized(Inference *inference, const Shape *result) {
    if (!infer_result(inference, *result))
        return false;
    const Shape *input = infer_input(inference, 0);
    for (int i = 1; i < result->rank; i++) {
        int64_t product;
        if (checked_mul(input->dims[i], result->dims[i], &product) &&
            checked_mul(product, 4, &product))
            continue;
        infer_error(inference, DIAG_E0802, -1,
                    "places of dim %d between %s and %s do not fit 64 bits", i,
                    infer_shape_text(inference, input), infer_shape_text(inference, result));
        return false;
    }
    return true;
}

/* ---- upsample ----------------------------------------------------------------------------- */

static bool upsample_infer(Inference *inference) {
    if (!rearrange_has_axes(inference))
        return false;
    Shape result = *infer_input(inference, 0);
    for (int i = 1; i < result.rank; i++)
        if (!checked_mul(result.dims[i], inference->node->attributes[0].size[i - 1],
                         &result.dims[i]))
            result.dims[i] = INT64_MAX; /* refused by infer_result */
    return infer_resized(inference, &result);
}

static void upsample_evaluate(Evaluation *evaluation) {
    Resize resize = resize_between(evaluation->node, false, false);
    evaluate_resize(evaluation, &resize);
}

static void upsample_lower(Lowering *lowering, const Node *node) {
    Resize resize = resize_between(node, false, false);
    kernel_resize(lowering, node, &resize);
}

static bool upsample_footprint(const Node *node, Footprint axes[MAX_SPATIAL]) {
    for (int i = 0; i < node->inputs[0]->type.shape.rank - 1; i++)
        axes[i].parts = node->attributes[0].size[i];
    return true;
}

const LayerInfo layer_upsample = {
    .name = "upsample",
    .summary = "repeats each place along every spatial axis",
    .family = FAMILY_SHAPE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 1,
    .attributes = {{"factor", ATTRIBUTE_SIZE, NULL, 1, INT32_MAX,
                    "how often, the same for all spatial axes or for each: 2x1"}},
    .shape_doc = "[C, H, W] -> [C, H * factor, W * factor]; also with 1 or 3 spatial axes",
    .example = "network example(image: [8, 7, 7]) -> [8, 14, 14] {\n"
               "    return image -> upsample(2)\n"
               "}\n",
    .infer = upsample_infer,
    .footprint = upsample_footprint,
    .evaluate = upsample_evaluate,
    .lower = upsample_lower,
};

/* ---- resize ------------------------------------------------------------------------------- */

enum { RESIZE_SIZE, RESIZE_SCALE, RESIZE_MODE, RESIZE_CORNERS, RESIZE_ATTRIBUTES };

enum { MODE_BILINEAR, MODE_NEAREST };

static Resize resize_of(const Node *node) {
    return resize_between(node, node->attributes[RESIZE_MODE].integer == MODE_BILINEAR,
                          node->attributes[RESIZE_CORNERS].boolean);
}

static bool check_resize_arguments(Inference *inference) {
    const Attribute *attributes = inference->node->attributes;
    bool size = attributes[RESIZE_SIZE].given, scale = attributes[RESIZE_SCALE].given;
    Diagnostics *diagnostics = inference->diagnostics;
    if (!size && !scale) {
        Diagnostic *diagnostic =
            infer_error(inference, DIAG_E0202, -1, "`resize` needs `size` or `scale`");
        diag_help(diagnostics, diagnostic, "write `resize(64x64)` or `resize(scale=2)`");
        return false;
    }
    if (size && scale) {
        Diagnostic *diagnostic = infer_error(inference, DIAG_E0233, RESIZE_SCALE,
                                             "`resize` takes `size` or `scale`, not both");
        diag_label(diagnostics, diagnostic, attributes[RESIZE_SIZE].span, "the size is given here");
        return false;
    }
    if (attributes[RESIZE_CORNERS].boolean && attributes[RESIZE_MODE].integer == MODE_NEAREST) {
        Diagnostic *diagnostic = infer_error(inference, DIAG_E0233, RESIZE_CORNERS,
                                             "`corners` means something with mode=bilinear only");
        diag_label(diagnostics, diagnostic, attributes[RESIZE_MODE].span,
                   "nothing lies between places here");
        return false;
    }
    return true;
}

/* floor(extent * scale), as PyTorch; false after reporting that there is nothing left. */
static bool scaled_extent(Inference *inference, int axis, int64_t *extent) {
    double scale = inference->node->attributes[RESIZE_SCALE].number;
    double scaled = floor((double)*extent * scale);
    if (scaled < 1) {
        Diagnostic *diagnostic = infer_error(
            inference, DIAG_E0231, RESIZE_SCALE, "nothing would be left of dim %d of %s", axis,
            infer_shape_text(inference, infer_input(inference, 0)));
        diag_here(inference->diagnostics, diagnostic, "floor(%" PRId64 " * %g) = 0", *extent,
                  scale);
        return false;
    }
    *extent = scaled < 0x1p62 ? (int64_t)scaled : INT64_MAX; /* refused by infer_result */
    return true;
}

static bool resize_infer(Inference *inference) {
    if (!rearrange_has_axes(inference) || !check_resize_arguments(inference))
        return false;
    const Attribute *attributes = inference->node->attributes;
    Shape result = *infer_input(inference, 0);
    for (int i = 1; i < result.rank; i++) {
        if (attributes[RESIZE_SIZE].given)
            result.dims[i] = attributes[RESIZE_SIZE].size[i - 1];
        else if (!scaled_extent(inference, i, &result.dims[i]))
            return false;
    }
    return infer_resized(inference, &result);
}

static void resize_evaluate(Evaluation *evaluation) {
    Resize resize = resize_of(evaluation->node);
    evaluate_resize(evaluation, &resize);
}

static void resize_lower(Lowering *lowering, const Node *node) {
    Resize resize = resize_of(node);
    kernel_resize(lowering, node, &resize);
}

/* A product and an addition for each neighbour, of which every axis that changes doubles the
 * number. */
static void resize_operations(const Node *node, Factors *factors) {
    Resize resize = resize_of(node);
    if (!resize.linear)
        return;
    int64_t neighbours = 1;
    for (int i = 0; i < resize.axes; i++)
        if (resize.input[i] != resize.output[i])
            neighbours *= 2;
    if (neighbours == 1)
        return;
    factors_add_elements(factors, node, 2);
    factors_add(factors, neighbours);
}

static bool resize_footprint(const Node *node, Footprint axes[MAX_SPATIAL]) {
    Resize resize = resize_of(node);
    for (int i = 0; i < resize.axes; i++) {
        bool changes = resize.input[i] != resize.output[i];
        axes[i].reach = resize.linear && changes ? 2 : 1;
        axes[i].step = resize.input[i];
        axes[i].parts = resize.output[i];
    }
    return true;
}

const LayerInfo layer_resize = {
    .name = "resize",
    .summary = "each channel's image at another size, by linear interpolation or nearest place",
    .family = FAMILY_SHAPE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = RESIZE_ATTRIBUTES,
    .attributes =
        {
            [RESIZE_SIZE] = {"size", ATTRIBUTE_SIZE, "", 1, (double)INT64_MAX,
                             "the new size, 64x64; or else"},
            [RESIZE_SCALE] = {"scale", ATTRIBUTE_NUMBER, "", 0, 0x1p62,
                              "how many times as large, rounded down"},
            [RESIZE_MODE] = {"mode", ATTRIBUTE_WORD, "bilinear|nearest", 0, 0,
                             "linear along each spatial axis (also of 1 or 3), or the place at or "
                             "before"},
            [RESIZE_CORNERS] = {"corners", ATTRIBUTE_BOOLEAN, "off", 0, 0,
                                "let the middles of the corner pixels fall together (PyTorch's "
                                "align_corners) instead of their outer edges"},
        },
    .shape_doc =
        "[C, H, W] -> [C, the size], or [C, floor(H * scale), floor(W * scale)]; also with "
        "1 or 3 spatial axes",
    .operations_doc = "2 for each neighbour of each element: 2^axes of them, counting axes that "
                      "change; none with mode=nearest",
    .example = "network example(image: [3, 24, 32]) -> [3, 60, 80] {\n"
               "    return image -> resize(60x80)\n"
               "}\n",
    .infer = resize_infer,
    .operations = resize_operations,
    .footprint = resize_footprint,
    .evaluate = resize_evaluate,
    .lower = resize_lower,
};
