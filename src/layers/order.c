/* transpose, channelshuffle, depthtospace, spacetodepth: all elements, in another order. */
#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/layer.h"
#include "layers/rearrange.h"
#include "support/checked.h"

/* ---- transpose ---------------------------------------------------------------------------- */

static const int *order_of(const Node *node) {
    return node->attributes[0].axes.axis;
}

static bool transpose_infer(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    int count = inference->node->attributes[0].axes.count;
    if (count != input->rank) {
        Diagnostic *diagnostic =
            infer_error(inference, DIAG_E0230, 0,
                        "`transpose` needs the new order of all %d axes of %s, got %d", input->rank,
                        infer_shape_text(inference, input), count);
        if (input->rank == 3)
            diag_help(inference->diagnostics, diagnostic,
                      "`transpose((h, w, c))` makes channels the last axis");
        return false;
    }
    Shape result = {.rank = input->rank};
    for (int i = 0; i < result.rank; i++)
        result.dims[i] = input->dims[order_of(inference->node)[i]];
    return infer_result(inference, result);
}

static bool transpose_source(const Node *node, size_t output, const int64_t *at, int64_t *from) {
    (void)output;
    for (int i = 0; i < node->inputs[0]->type.shape.rank; i++)
        from[order_of(node)[i]] = at[i];
    return true;
}

static void transpose_evaluate(Evaluation *evaluation) {
    rearrange_evaluate(evaluation, transpose_source, 0);
}

static void transpose_lower(Lowering *lowering, const Node *node) {
    const Shape *input = &node->inputs[0]->type.shape;
    Rearrange rearrange = {0};
    for (int i = 0; i < input->rank; i++) {
        int axis = order_of(node)[i];
        rearrange_add(&rearrange, input->dims[axis], shape_stride(input, axis));
    }
    kernel_rearrange(lowering, node, &rearrange, node->inputs[0], node->outputs[0]);
}

const LayerInfo layer_transpose = {
    .name = "transpose",
    .summary = "puts the axes in another order",
    .family = FAMILY_SHAPE,
    .traits = LAYER_MOVES_AXES,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 1,
    .attributes = {{"axes", ATTRIBUTE_AXES, NULL, 0, 0,
                    "the input's axes in their new order, as PyTorch's permute takes them"}},
    .shape_doc = "dim i of the result is the input's dim axes[i]",
    .example = "network example(image: [3, 8, 10]) -> [8, 10, 3] {\n"
               "    return image -> transpose((h, w, c))\n"
               "}\n",
    .infer = transpose_infer,
    .footprint = footprint_everything,
    .evaluate = transpose_evaluate,
    .lower = transpose_lower,
};

/* ---- division of dims --------------------------------------------------------------------- */

/* Reports a dim that `divisor` does not divide. */
static bool divides(Inference *inference, int axis, int64_t divisor, const char *what) {
    const Shape *input = infer_input(inference, 0);
    if (input->dims[axis] % divisor == 0)
        return true;
    Diagnostic *diagnostic = infer_error(
        inference, DIAG_E0232, 0, "%s of %s is not a multiple of %lld",
        axis == 0 ? "the number of channels" : arena_format(inference->arena, "axis %d", axis),
        infer_shape_text(inference, input), (long long)divisor);
    diag_here(inference->diagnostics, diagnostic, "%s, but dim %d is %lld", what, axis,
              (long long)input->dims[axis]);
    return false;
}

/* ---- channelshuffle ----------------------------------------------------------------------- */

static bool channelshuffle_infer(Inference *inference) {
    int64_t groups = inference->node->attributes[0].integer;
    return divides(inference, 0, groups,
                   arena_format(inference->arena, "%lld groups", (long long)groups)) &&
           infer_result(inference, *infer_input(inference, 0));
}

/* Channel i of group g goes to the g-th place of the i-th run of `groups` channels. */
static bool channelshuffle_source(const Node *node, size_t output, const int64_t *at,
                                  int64_t *from) {
    (void)output;
    const Shape *shape = &node->inputs[0]->type.shape;
    int64_t groups = node->attributes[0].integer;
    for (int i = 0; i < shape->rank; i++)
        from[i] = at[i];
    from[0] = at[0] % groups * (shape->dims[0] / groups) + at[0] / groups;
    return true;
}

static void channelshuffle_evaluate(Evaluation *evaluation) {
    rearrange_evaluate(evaluation, channelshuffle_source, 0);
}

static void channelshuffle_lower(Lowering *lowering, const Node *node) {
    const Shape *shape = &node->inputs[0]->type.shape;
    int64_t groups = node->attributes[0].integer;
    int64_t run = shape->dims[0] / groups, pixels = shape_stride(shape, 0);
    Rearrange rearrange = {0};
    rearrange_add(&rearrange, run, pixels);
    rearrange_add(&rearrange, groups, run * pixels);
    rearrange_add(&rearrange, pixels, 1);
    kernel_rearrange(lowering, node, &rearrange, node->inputs[0], node->outputs[0]);
}

const LayerInfo layer_channelshuffle = {
    .name = "channelshuffle",
    .summary = "deals the channels of each group out in turn (ShuffleNet, Zhang et al. 2018)",
    .family = FAMILY_SHAPE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 1,
    .attributes = {{"groups", ATTRIBUTE_INTEGER, NULL, 1, INT32_MAX,
                    "groups of channels; a divisor of their number"}},
    .shape_doc = "the input's shape; channel i of group g becomes channel i * groups + g",
    .example = "network example(image: [12, 8, 8]) -> [12, 8, 8] {\n"
               "    return image -> conv(12, 1x1, groups=3) -> channelshuffle(3)\n"
               "}\n",
    .infer = channelshuffle_infer,
    .evaluate = channelshuffle_evaluate,
    .lower = channelshuffle_lower,
};

/* ---- depthtospace, spacetodepth ----------------------------------------------------------- */

enum { SHUFFLE_FACTOR, SHUFFLE_ORDER, SHUFFLE_ATTRIBUTES };

/* Which of the channels of a pixel are its parts: with `c` a channel of the enlarged image, d its
 * place among the factor^axes parts, P their number and C the enlarged channels. */
enum { ORDER_CRD, /* c * P + d: PyTorch's pixel_shuffle, ONNX's CRD */ ORDER_DCR /* d * C + c */ };

static int64_t factor_of(const Node *node) {
    return node->attributes[SHUFFLE_FACTOR].integer;
}

/* factor^axes; false if it leaves 64 bits. */
static bool shuffle_parts(const Node *node, int axes, int64_t *parts) {
    *parts = 1;
    for (int i = 0; i < axes; i++)
        if (!checked_mul(*parts, factor_of(node), parts))
            return false;
    return true;
}

/* Channels of the smaller image from one channel, and from one part, to the next. */
static void shuffle_strides(const Node *node, int64_t channels, int64_t parts, int64_t *channel,
                            int64_t *part) {
    bool crd = node->attributes[SHUFFLE_ORDER].integer == ORDER_CRD;
    *channel = crd ? parts : 1;
    *part = crd ? 1 : channels;
}

static bool depthtospace_infer(Inference *inference) {
    if (!rearrange_has_axes(inference))
        return false;
    Shape result = *infer_input(inference, 0);
    int64_t parts;
    if (!shuffle_parts(inference->node, result.rank - 1, &parts))
        parts = INT64_MAX; /* more than there are channels */
    if (!divides(inference, 0, parts,
                 arena_format(inference->arena, "each pixel becomes %lld", (long long)parts)))
        return false;
    result.dims[0] /= parts;
    for (int i = 1; i < result.rank; i++)
        if (!checked_mul(result.dims[i], factor_of(inference->node), &result.dims[i]))
            result.dims[i] = INT64_MAX; /* refused by infer_result */
    return infer_result(inference, result);
}

static bool spacetodepth_infer(Inference *inference) {
    if (!rearrange_has_axes(inference))
        return false;
    Shape result = *infer_input(inference, 0);
    int64_t factor = factor_of(inference->node), parts;
    for (int i = 1; i < result.rank; i++) {
        if (!divides(inference, i, factor,
                     arena_format(inference->arena, "a factor of %lld", (long long)factor)))
            return false;
        result.dims[i] /= factor;
    }
    if (!shuffle_parts(inference->node, result.rank - 1, &parts) ||
        !checked_mul(result.dims[0], parts, &result.dims[0]))
        result.dims[0] = INT64_MAX;
    return infer_result(inference, result);
}

/* From a place in the enlarged image to the place in the smaller one. */
static void place_in_depth(const Node *node, const Shape *large, const int64_t *place,
                           int64_t *small) {
    int64_t factor = factor_of(node), parts = 1, part = 0, channel_stride, part_stride;
    for (int i = 1; i < large->rank; i++) {
        small[i] = place[i] / factor;
        part = part * factor + place[i] % factor;
        parts *= factor;
    }
    shuffle_strides(node, large->dims[0], parts, &channel_stride, &part_stride);
    small[0] = place[0] * channel_stride + part * part_stride;
}

static bool depthtospace_source(const Node *node, size_t output, const int64_t *at, int64_t *from) {
    place_in_depth(node, &node->outputs[output]->type.shape, at, from);
    return true;
}

static void depthtospace_evaluate(Evaluation *evaluation) {
    rearrange_evaluate(evaluation, depthtospace_source, 0);
}

static bool spacetodepth_source(const Node *node, size_t output, const int64_t *at, int64_t *from) {
    (void)output;
    const Shape *large = &node->inputs[0]->type.shape;
    int64_t factor = factor_of(node), parts, channel_stride, part_stride;
    shuffle_parts(node, large->rank - 1, &parts);
    shuffle_strides(node, large->dims[0], parts, &channel_stride, &part_stride);
    from[0] = at[0] / channel_stride % large->dims[0];
    int64_t part = at[0] / part_stride % parts;
    for (int i = large->rank - 1; i >= 1; i--) {
        from[i] = at[i] * factor + part % factor;
        part /= factor;
    }
    return true;
}

static void spacetodepth_evaluate(Evaluation *evaluation) {
    rearrange_evaluate(evaluation, spacetodepth_source, 0);
}

static void depthtospace_lower(Lowering *lowering, const Node *node) {
    const Shape *input = &node->inputs[0]->type.shape;
    int64_t factor = factor_of(node), parts, channel_stride, part_stride;
    shuffle_parts(node, input->rank - 1, &parts);
    int64_t channels = input->dims[0] / parts, pixels = shape_stride(input, 0);
    shuffle_strides(node, channels, parts, &channel_stride, &part_stride);
    Rearrange rearrange = {0};
    rearrange_add(&rearrange, channels, channel_stride * pixels);
    for (int axis = 1; axis < input->rank; axis++) {
        parts /= factor; /* parts from one place along the axis to the next */
        rearrange_add(&rearrange, input->dims[axis], shape_stride(input, axis));
        rearrange_add(&rearrange, factor, parts * part_stride * pixels);
    }
    kernel_rearrange(lowering, node, &rearrange, node->inputs[0], node->outputs[0]);
}

static void spacetodepth_lower(Lowering *lowering, const Node *node) {
    const Shape *input = &node->inputs[0]->type.shape;
    int64_t factor = factor_of(node), pixels = shape_stride(input, 0);
    bool crd = node->attributes[SHUFFLE_ORDER].integer == ORDER_CRD;
    Rearrange rearrange = {0};
    if (crd)
        rearrange_add(&rearrange, input->dims[0], pixels);
    for (int axis = 1; axis < input->rank; axis++)
        rearrange_add(&rearrange, factor, shape_stride(input, axis));
    if (!crd)
        rearrange_add(&rearrange, input->dims[0], pixels);
    for (int axis = 1; axis < input->rank; axis++)
        rearrange_add(&rearrange, input->dims[axis] / factor, factor * shape_stride(input, axis));
    kernel_rearrange(lowering, node, &rearrange, node->inputs[0], node->outputs[0]);
}

static bool depthtospace_footprint(const Node *node, Footprint axes[MAX_SPATIAL]) {
    for (int i = 0; i < MAX_SPATIAL; i++)
        axes[i].parts = factor_of(node);
    return true;
}

static bool spacetodepth_footprint(const Node *node, Footprint axes[MAX_SPATIAL]) {
    for (int i = 0; i < MAX_SPATIAL; i++)
        axes[i].reach = axes[i].step = factor_of(node); /* all channels of a place together */
    return true;
}

#define ORDER_ATTRIBUTE                                                                            \
    {"order",                                                                                      \
     ATTRIBUTE_WORD,                                                                               \
     "crd|dcr",                                                                                    \
     0,                                                                                            \
     0,                                                                                            \
     "whether the parts of a pixel are neighbouring channels (crd: PyTorch, pixel shuffle) or "    \
     "the channels of a part are (dcr: TensorFlow)"}

const LayerInfo layer_depthtospace = {
    .name = "depthtospace",
    .summary = "makes each pixel's channels a square of pixels (pixel shuffle, Shi et al. 2016)",
    .family = FAMILY_SHAPE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = SHUFFLE_ATTRIBUTES,
    .attributes =
        {
            [SHUFFLE_FACTOR] = {"factor", ATTRIBUTE_INTEGER, NULL, 1, INT32_MAX,
                                "how much longer each spatial axis becomes"},
            [SHUFFLE_ORDER] = ORDER_ATTRIBUTE,
        },
    .shape_doc = "[C, H, W] -> [C / factor^2, H * factor, W * factor]; of 1 or 3 spatial axes "
                 "C / factor or C / factor^3",
    .example = "network example(image: [12, 8, 8]) -> [3, 16, 16] {\n"
               "    return image -> depthtospace(2)\n"
               "}\n",
    .infer = depthtospace_infer,
    .footprint = depthtospace_footprint,
    .evaluate = depthtospace_evaluate,
    .lower = depthtospace_lower,
};

const LayerInfo layer_spacetodepth = {
    .name = "spacetodepth",
    .summary = "makes each square of pixels the channels of one; undoes depthtospace",
    .family = FAMILY_SHAPE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = SHUFFLE_ATTRIBUTES,
    .attributes =
        {
            [SHUFFLE_FACTOR] = {"factor", ATTRIBUTE_INTEGER, NULL, 1, INT32_MAX,
                                "how much shorter each spatial axis becomes"},
            [SHUFFLE_ORDER] = ORDER_ATTRIBUTE,
        },
    .shape_doc = "[C, H, W] -> [C * factor^2, H / factor, W / factor]; of 1 or 3 spatial axes "
                 "C * factor or C * factor^3",
    .example = "network example(image: [3, 16, 16]) -> [12, 8, 8] {\n"
               "    return image -> spacetodepth(2)\n"
               "}\n",
    .infer = spacetodepth_infer,
    .footprint = spacetodepth_footprint,
    .evaluate = spacetodepth_evaluate,
    .lower = spacetodepth_lower,
};
