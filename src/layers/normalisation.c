/* layernorm, rmsnorm, groupnorm, instancenorm: the mean and the variance of a sample's own numbers
 * are taken out of it, each over other axes:
 *
 *   layernorm     the axes written (Ba, Kiros, Hinton 2016)
 *   rmsnorm       the same without the mean (Zhang, Sennrich 2019)
 *   groupnorm     all places of a group of channels (Wu, He 2018)
 *   instancenorm  all places of one channel (Ulyanov, Vedaldi, Lempitsky 2016)
 *
 * The variance divides by n, not n - 1, as in every framework. */
#include <assert.h>

#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/layer.h"
#include "layers/normalisation.h"
#include "layers/slice.h"
#include "layers/window.h"

/* ---- what all of them have ---------------------------------------------------------------- */

static const Weight *weight_or_null(const Node *node, size_t index) {
    return index < node->weights.count ? node->weights.data[index] : NULL;
}

static double epsilon_of(const Node *node) {
    return node->attributes[node_attribute(node, "eps")].number;
}

/* Declares a weight, and a bias where `bias` says so, unless affine=off. */
static bool declare_affine(Inference *inference, Shape shape, bool bias) {
    if (!node_switch(inference->node, "affine"))
        return true;
    return infer_weight(inference, "weight", shape, WEIGHT_SCALE, 1, true) != NULL &&
           (!bias || infer_weight(inference, "bias", shape, WEIGHT_BIAS, 1, true) != NULL);
}

/* `each` for every element and for every weight it meets, `slice` for every slice. */
static void count_operations(const Node *node, Factors *factors, int64_t slices, int64_t each,
                             int64_t slice) {
    factors_add_elements(factors, node, each + (int64_t)node->weights.count);
    FACTORS_PRODUCT(factors, slices, slice);
}

#define CENTRED_EACH  5 /* sum, difference, square, sum, product */
#define CENTRED_SLICE 4 /* two averages, epsilon, reciprocal root */
#define PLAIN_EACH    3 /* square, sum, product */
#define PLAIN_SLICE   3

#define EPS_ATTRIBUTE(fallback, help)    {"eps", ATTRIBUTE_NUMBER, fallback, 0, 1, help}
#define AFFINE_ATTRIBUTE(fallback, help) {"affine", ATTRIBUTE_BOOLEAN, fallback, 0, 0, help}

/* ---- layernorm, rmsnorm ------------------------------------------------------------------- */

enum LayernormAttribute {
    LAYERNORM_AXIS,
    LAYERNORM_EPS,
    LAYERNORM_AFFINE,
    LAYERNORM_BIAS,
    LAYERNORM_ATTRIBUTES,
};

enum RmsnormAttribute {
    RMSNORM_AXIS,
    RMSNORM_EPS,
    RMSNORM_AFFINE,
    RMSNORM_ATTRIBUTES,
};

/* Of an image the last axis is hardly ever meant. */
static bool check_axis_written(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    if (input->rank <= 2 || inference->node->attributes[LAYERNORM_AXIS].given)
        return true;
    Diagnostic *diagnostic =
        infer_error(inference, DIAG_E0202, -1, "`%s` of %s needs `axis`",
                    inference->node->layer->name, infer_shape_text(inference, input));
    diag_here(inference->diagnostics, diagnostic, "normalises along which of the %d axes?",
              input->rank);
    edit_argument(inference, diagnostic, LAYERNORM_AXIS, "c", false,
                  "normalise each place over its channels");
    edit_argument(inference, diagnostic, LAYERNORM_AXIS, "-1", false,
                  "normalise along the last axis");
    if (input->rank == 3)
        edit_argument(inference, diagnostic, LAYERNORM_AXIS, "(c, h, w)", false,
                      "normalise the whole sample");
    return false;
}

static bool layernorm_infer(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    if (!check_axis_written(inference) || !infer_result(inference, *input))
        return false;
    AxisSet axes = slice_axes(&inference->node->attributes[LAYERNORM_AXIS]);
    Shape weight = {0};
    for (int axis = 0; axis < input->rank; axis++)
        if (axes >> axis & 1)
            weight.dims[weight.rank++] = input->dims[axis];
    return declare_affine(inference, weight, node_switch(inference->node, "bias"));
}

static Normalisation layernorm_normalisation(const Node *node, bool centred) {
    AxisSet axes = slice_axes(&node->attributes[LAYERNORM_AXIS]);
    return (Normalisation){.shape = node->outputs[0]->type.shape,
                           .axes = axes,
                           .parameter_axes = axes,
                           .centred = centred,
                           .epsilon = epsilon_of(node),
                           .weight = weight_or_null(node, 0),
                           .bias = weight_or_null(node, 1)};
}

static int64_t layernorm_slices(const Node *node) {
    const Shape *shape = &node->outputs[0]->type.shape;
    return shape_elements(shape) /
           slice_length(shape, slice_axes(&node->attributes[LAYERNORM_AXIS]));
}

static void layernorm_operations(const Node *node, Factors *factors) {
    count_operations(node, factors, layernorm_slices(node), CENTRED_EACH, CENTRED_SLICE);
}

/* Channels at one place depend on that place alone. */
static bool layernorm_footprint(const Node *node, Footprint axes[MAX_SPATIAL]) {
    (void)axes;
    return slice_axes(&node->attributes[LAYERNORM_AXIS]) == 1;
}

static void layernorm_evaluate(Evaluation *evaluation) {
    Normalisation normalisation = layernorm_normalisation(evaluation->node, true);
    normalisation_evaluate(evaluation, &normalisation);
}

static void layernorm_lower(Lowering *lowering, const Node *node) {
    Normalisation normalisation = layernorm_normalisation(node, true);
    kernel_normalise(lowering, node, &normalisation);
}

#define AXIS_ATTRIBUTE                                                                             \
    {"axis", ATTRIBUTE_AXES, "-1", 0, 0, "one axis or several; of three or more it must be written"}

const LayerInfo layer_layernorm = {
    .name = "layernorm",
    .summary = "normalises along axes: mean 0 and variance 1, then a trained scale and shift",
    .family = FAMILY_NORMALISATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = LAYERNORM_ATTRIBUTES,
    .attributes =
        {
            [LAYERNORM_AXIS] = AXIS_ATTRIBUTE,
            [LAYERNORM_EPS] = EPS_ATTRIBUTE("1e-5", "added to the variance"),
            [LAYERNORM_AFFINE] =
                AFFINE_ATTRIBUTE("on", "scale each place along the axes afterwards"),
            [LAYERNORM_BIAS] = {"bias", ATTRIBUTE_BOOLEAN, "on", 0, 0,
                                "shift it too, where affine=on"},
        },
    .shape_doc = "any shape -> the same shape",
    .weights_doc = "weight and bias, each of the extents of the axes",
    .operations_doc = "5 for each element: sum, difference, square, sum, product; 1 more each for "
                      "weight and bias; 4 for each mean and variance",
    .example = "network example(tokens: [16, 64]) -> [16, 64] {\n"
               "    return tokens -> layernorm\n"
               "}\n",
    .infer = layernorm_infer,
    .operations = layernorm_operations,
    .footprint = layernorm_footprint,
    .evaluate = layernorm_evaluate,
    .lower = layernorm_lower,
};

static void rmsnorm_operations(const Node *node, Factors *factors) {
    count_operations(node, factors, layernorm_slices(node), PLAIN_EACH, PLAIN_SLICE);
}

static void rmsnorm_evaluate(Evaluation *evaluation) {
    Normalisation normalisation = layernorm_normalisation(evaluation->node, false);
    normalisation_evaluate(evaluation, &normalisation);
}

static void rmsnorm_lower(Lowering *lowering, const Node *node) {
    Normalisation normalisation = layernorm_normalisation(node, false);
    kernel_normalise(lowering, node, &normalisation);
}

const LayerInfo layer_rmsnorm = {
    .name = "rmsnorm",
    .summary = "divides by the root of the mean square along axes, then a trained scale",
    .family = FAMILY_NORMALISATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = RMSNORM_ATTRIBUTES,
    .attributes =
        {
            [RMSNORM_AXIS] = AXIS_ATTRIBUTE,
            [RMSNORM_EPS] =
                EPS_ATTRIBUTE("1.1920929e-7", "added to the mean square (PyTorch's 2^-23)"),
            [RMSNORM_AFFINE] = AFFINE_ATTRIBUTE("on", "scale each place along the axes afterwards"),
        },
    .shape_doc = "any shape -> the same shape",
    .weights_doc = "weight, of the extents of the axes",
    .operations_doc = "3 for each element: square, sum, product; 1 more for the weight; 3 for each "
                      "mean square",
    .example = "network example(tokens: [16, 64]) -> [16, 64] {\n"
               "    return tokens -> rmsnorm(eps=1e-6)\n"
               "}\n",
    .infer = layernorm_infer,
    .operations = rmsnorm_operations,
    .footprint = layernorm_footprint,
    .evaluate = rmsnorm_evaluate,
    .lower = rmsnorm_lower,
};

/* ---- groupnorm, instancenorm -------------------------------------------------------------- */

enum GroupnormAttribute {
    GROUPNORM_GROUPS,
    GROUPNORM_EPS,
    GROUPNORM_AFFINE,
    GROUPNORM_ATTRIBUTES,
};

enum InstancenormAttribute {
    INSTANCENORM_EPS,
    INSTANCENORM_AFFINE,
    INSTANCENORM_ATTRIBUTES,
};

/* Axes of a value seen as groups x channels of a group x places. */
enum GroupAxis {
    GROUP_AXIS,
    CHANNEL_AXIS,
    PLACE_AXIS,
};

static Normalisation group_normalisation(const Node *node, int64_t groups) {
    const Shape *shape = &node->outputs[0]->type.shape;
    int64_t channels = shape->dims[0];
    return (Normalisation){
        .shape = shape_make(3, groups, channels / groups, shape_elements(shape) / channels),
        .axes = 1U << CHANNEL_AXIS | 1U << PLACE_AXIS,
        .parameter_axes = 1U << GROUP_AXIS | 1U << CHANNEL_AXIS,
        .centred = true,
        .epsilon = epsilon_of(node),
        .weight = weight_or_null(node, 0),
        .bias = weight_or_null(node, 1)};
}

static int64_t groups_of(const Node *node) {
    return node->attributes[GROUPNORM_GROUPS].integer;
}

static bool check_groups(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    if (input->rank < 1) {
        infer_error(inference, DIAG_E0212, -1, "`groupnorm` needs a channel axis, got %s",
                    infer_shape_text(inference, input));
        return false;
    }
    int64_t channels = input->dims[0];
    int64_t groups = groups_of(inference->node);
    if (channels % groups == 0)
        return true;
    Diagnostic *diagnostic = infer_error(inference, DIAG_E0215, GROUPNORM_GROUPS,
                                         "%lld groups do not divide %lld channels",
                                         (long long)groups, (long long)channels);
    diag_here(inference->diagnostics, diagnostic, "%lld / %lld leaves %lld over",
              (long long)channels, (long long)groups, (long long)(channels % groups));
    edit_argument(
        inference, diagnostic, GROUPNORM_GROUPS,
        arena_format(inference->arena, "%lld", (long long)edit_nearest_divisor(channels, groups)),
        false,
        arena_format(inference->arena, "groups that divide %lld channels: %s", (long long)channels,
                     edit_divisors(inference, channels)));
    return false;
}

static bool groupnorm_infer(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    return check_groups(inference) && infer_result(inference, *input) &&
           declare_affine(inference, shape_make(1, input->dims[0]), true);
}

static void groupnorm_operations(const Node *node, Factors *factors) {
    count_operations(node, factors, groups_of(node), CENTRED_EACH, CENTRED_SLICE);
}

static void groupnorm_evaluate(Evaluation *evaluation) {
    Normalisation normalisation =
        group_normalisation(evaluation->node, groups_of(evaluation->node));
    normalisation_evaluate(evaluation, &normalisation);
}

static void groupnorm_lower(Lowering *lowering, const Node *node) {
    Normalisation normalisation = group_normalisation(node, groups_of(node));
    kernel_normalise(lowering, node, &normalisation);
}

const LayerInfo layer_groupnorm = {
    .name = "groupnorm",
    .summary = "normalises each group of channels over all its places",
    .family = FAMILY_NORMALISATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = GROUPNORM_ATTRIBUTES,
    .attributes =
        {
            [GROUPNORM_GROUPS] = {"groups", ATTRIBUTE_INTEGER, NULL, 1, INT32_MAX,
                                  "groups of neighbouring channels; must divide them"},
            [GROUPNORM_EPS] = EPS_ATTRIBUTE("1e-5", "added to the variance"),
            [GROUPNORM_AFFINE] = AFFINE_ATTRIBUTE("on", "scale and shift each channel afterwards"),
        },
    .shape_doc = "[C, ...] -> the same shape",
    .weights_doc = "weight [C], bias [C]",
    .operations_doc = "5 for each element: sum, difference, square, sum, product; 2 more with "
                      "affine=on; 4 for each group",
    .example = "network example(image: [3, 32, 32]) -> [32, 32, 32] {\n"
               "    return image -> conv(32, 3x3, pad=1) -> groupnorm(8) -> relu\n"
               "}\n",
    .infer = groupnorm_infer,
    .operations = groupnorm_operations,
    .footprint = footprint_everything,
    .evaluate = groupnorm_evaluate,
    .lower = groupnorm_lower,
};

static bool instancenorm_infer(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    if (input->rank < 2) {
        Diagnostic *diagnostic = infer_error(
            inference, DIAG_E0212, -1, "`instancenorm` takes channels and spatial axes, got %s",
            infer_shape_text(inference, input));
        diag_here(inference->diagnostics, diagnostic, "needs two dims or more, found %d",
                  input->rank);
        diag_help(inference->diagnostics, diagnostic, "`layernorm` normalises a vector");
        return false;
    }
    return infer_result(inference, *input) &&
           declare_affine(inference, shape_make(1, input->dims[0]), true);
}

static int64_t channels_of(const Node *node) {
    return node->outputs[0]->type.shape.dims[0];
}

static void instancenorm_operations(const Node *node, Factors *factors) {
    count_operations(node, factors, channels_of(node), CENTRED_EACH, CENTRED_SLICE);
}

static void instancenorm_evaluate(Evaluation *evaluation) {
    Normalisation normalisation =
        group_normalisation(evaluation->node, channels_of(evaluation->node));
    normalisation_evaluate(evaluation, &normalisation);
}

static void instancenorm_lower(Lowering *lowering, const Node *node) {
    Normalisation normalisation = group_normalisation(node, channels_of(node));
    kernel_normalise(lowering, node, &normalisation);
}

const LayerInfo layer_instancenorm = {
    .name = "instancenorm",
    .summary = "normalises each channel over all its places, with the sample's own statistics",
    .family = FAMILY_NORMALISATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = INSTANCENORM_ATTRIBUTES,
    .attributes =
        {
            [INSTANCENORM_EPS] = EPS_ATTRIBUTE("1e-5", "added to the variance"),
            [INSTANCENORM_AFFINE] =
                AFFINE_ATTRIBUTE("off", "scale and shift each channel afterwards"),
        },
    .shape_doc = "[C, ...] -> the same shape",
    .weights_doc = "with affine=on weight [C], bias [C]",
    .operations_doc = "5 for each element: sum, difference, square, sum, product; 2 more with "
                      "affine=on; 4 for each channel",
    .example = "network example(image: [3, 32, 32]) -> [16, 32, 32] {\n"
               "    return image -> conv(16, 3x3, pad=1) -> instancenorm -> relu\n"
               "}\n",
    .infer = instancenorm_infer,
    .operations = instancenorm_operations,
    .footprint = footprint_everything,
    .evaluate = instancenorm_evaluate,
    .lower = instancenorm_lower,
};
