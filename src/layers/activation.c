/* Activations that are straight lines between corners: relu, relu6, clip, hardtanh, leakyrelu,
 * prelu, abs, neg, softshrink, hardshrink. All keep NaN. */
#include <float.h>
#include <math.h>

#include "kernels/kernel.h"
#include "layers/elementwise.h"

#define PRODUCT_ULPS 1.001 /* two roundings, and their product */

/* ---- relu, relu6, clip, hardtanh ---------------------------------------------------------- */

static Real relu(Real x, const Node *node) {
    (void)node;
    bool off = x.value + x.error <= 0; /* whatever the error was */
    return (Real){x.value < 0 ? 0 : x.value, off ? 0 : x.error};
}

static void relu_evaluate(Evaluation *evaluation) {
    each_element(evaluation, relu);
}

static void relu_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_RELU});
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

/* Where x is beyond a limit whatever its error, the limit is exact. */
static Real clipped(Real x, double least, double most) {
    bool off = x.value + x.error <= least || x.value - x.error >= most;
    double value = x.value < least ? least : x.value > most ? most : x.value;
    return (Real){value, off ? 0 : x.error};
}

static Real relu6(Real x, const Node *node) {
    (void)node;
    return clipped(x, 0, 6);
}

static void relu6_evaluate(Evaluation *evaluation) {
    each_element(evaluation, relu6);
}

static void relu6_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_CLIP, .constants = {0, 6}});
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

enum ClipAttribute {
    CLIP_MIN,
    CLIP_MAX,
    CLIP_ATTRIBUTES,
};

static bool clip_infer(Inference *inference) {
    const Attribute *attributes = inference->node->attributes;
    if (attributes[CLIP_MIN].number > attributes[CLIP_MAX].number) {
        int written = attributes[CLIP_MAX].given ? CLIP_MAX : CLIP_MIN; /* one is */
        infer_error(inference, DIAG_E0205, written, "`min` of `%s` is %.15g, above `max`, %.15g",
                    inference->node->layer->name, attributes[CLIP_MIN].number,
                    attributes[CLIP_MAX].number);
        return false;
    }
    return same_shape_infer(inference);
}

static Real clip(Real x, const Node *node) {
    return clipped(x, real_constant(node->attributes[CLIP_MIN].number),
                   real_constant(node->attributes[CLIP_MAX].number));
}

static void clip_evaluate(Evaluation *evaluation) {
    each_element(evaluation, clip);
}

static void clip_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node,
               (MapStage){.op = MAP_CLIP,
                          .constants = {node->attributes[CLIP_MIN].number,
                                        node->attributes[CLIP_MAX].number}});
}

const LayerInfo layer_clip = {
    .name = "clip",
    .summary = "min(max(x, least), most)",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = CLIP_ATTRIBUTES,
    .attributes =
        {
            [CLIP_MIN] = {"min", ATTRIBUTE_NUMBER, NULL, -FLT_MAX, FLT_MAX, "the least result"},
            [CLIP_MAX] = {"max", ATTRIBUTE_NUMBER, NULL, -FLT_MAX, FLT_MAX, "the largest result"},
        },
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> clip(0, 1)\n"
               "}\n",
    .infer = clip_infer,
    .operations = one_operation_each,
    .evaluate = clip_evaluate,
    .lower = clip_lower,
};

const LayerInfo layer_hardtanh = {
    .name = "hardtanh",
    .summary = "min(max(x, -1), 1): clip with limits that need not be written",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = CLIP_ATTRIBUTES,
    .attributes =
        {
            [CLIP_MIN] = {"min", ATTRIBUTE_NUMBER, "-1", -FLT_MAX, FLT_MAX, "the least result"},
            [CLIP_MAX] = {"max", ATTRIBUTE_NUMBER, "1", -FLT_MAX, FLT_MAX, "the largest result"},
        },
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> hardtanh\n"
               "}\n",
    .infer = clip_infer,
    .operations = one_operation_each,
    .evaluate = clip_evaluate,
    .lower = clip_lower,
};

/* ---- leakyrelu, prelu --------------------------------------------------------------------- */

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
    kernel_map(lowering, node,
               (MapStage){.op = MAP_LEAKY_RELU,
                          .kind = OPERAND_NUMBER,
                          .constants = {node->attributes[0].number}});
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

enum PreluAttribute {
    PRELU_SHARED,
    PRELU_ATTRIBUTES,
};

static bool prelu_infer(Inference *inference) {
    Shape channels;
    if (!channels_infer(inference, &channels) || !same_shape_infer(inference))
        return false;
    if (inference->node->attributes[PRELU_SHARED].boolean)
        channels = shape_make(1, 1);
    return infer_weight(inference, "weight", channels, WEIGHT_BIAS, 1, true) != NULL;
}

/* A slope may be anything. Where x may be of either sign it is max(1, |slope|) steep at most. */
static Real prelu(Real x, double slope) {
    if (x.value - x.error >= 0)
        return x;
    if (x.value + x.error <= 0)
        return real_product(x, (Real){slope, 0});
    double value = x.value < 0 ? slope * x.value : x.value;
    if (isnan(x.value) || !(x.error < INFINITY) || !isfinite(slope))
        return (Real){value, x.error == 0 ? 0 : INFINITY};
    return real_limited(real_rounded(value, fmax(1, fabs(slope)) * x.error, ROUNDING_ULPS));
}

static void prelu_evaluate(Evaluation *evaluation) {
    const Shape *shape = &evaluation->node->outputs[0]->type.shape;
    const Weight *slopes = evaluation->node->weights.data[0];
    int64_t pixels = shape_elements(shape) / shape->dims[0];
    for (int64_t i = 0; i < shape_elements(shape); i++)
        evaluation->output[i] =
            prelu(evaluation->inputs[0][i], slopes->data[slopes->elements == 1 ? 0 : i / pixels]);
}

static void prelu_lower(Lowering *lowering, const Node *node) {
    kernel_map(
        lowering, node,
        (MapStage){.op = MAP_LEAKY_RELU, .kind = OPERAND_WEIGHT, .weight = node->weights.data[0]});
}

const LayerInfo layer_prelu = {
    .name = "prelu",
    .summary = "x above 0, slope * x below, with a trained slope for each channel",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = PRELU_ATTRIBUTES,
    .attributes = {[PRELU_SHARED] = {"shared", ATTRIBUTE_BOOLEAN, "off", 0, 0,
                                     "one slope for all channels (PyTorch's default)"}},
    .shape_doc = "[C, ...] -> the same shape",
    .weights_doc = "weight [C]; [1] if shared",
    .operations_doc = "1 for each element",
    .example = "network example(image: [3, 32, 32]) -> [8, 32, 32] {\n"
               "    return image -> conv(8, 3x3, pad=1) -> prelu\n"
               "}\n",
    .infer = prelu_infer,
    .operations = one_operation_each,
    .evaluate = prelu_evaluate,
    .lower = prelu_lower,
};

/* ---- abs, neg ----------------------------------------------------------------------------- */

static Real absolute(Real x, const Node *node) {
    (void)node;
    return (Real){fabs(x.value), x.error};
}

static void absolute_evaluate(Evaluation *evaluation) {
    each_element(evaluation, absolute);
}

static void absolute_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_ABS});
}

const LayerInfo layer_abs = {
    .name = "abs",
    .summary = "|x|",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> abs\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = absolute_evaluate,
    .lower = absolute_lower,
};

static Real negative(Real x, const Node *node) {
    (void)node;
    return (Real){-x.value, x.error};
}

static void negative_evaluate(Evaluation *evaluation) {
    each_element(evaluation, negative);
}

static void negative_lower(Lowering *lowering, const Node *node) {
    kernel_map(lowering, node, (MapStage){.op = MAP_NEGATE});
}

const LayerInfo layer_neg = {
    .name = "neg",
    .summary = "-x; also written so",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [128] {\n"
               "    return (features, -features) -> concat -> relu\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = negative_evaluate,
    .lower = negative_lower,
};

/* ---- softshrink, hardshrink --------------------------------------------------------------- */

/* No steeper than 1; one rounding unless x is surely in the middle. */
static Real soft_shrink(Real x, const Node *node) {
    double corner = real_constant(node->attributes[0].number);
    bool inside = fabs(x.value) + x.error <= corner;
    double value = x.value > corner    ? x.value - corner
                   : x.value < -corner ? x.value + corner
                                       : x.value * 0;
    return inside ? (Real){0, 0} : real_rounded(value, x.error, ROUNDING_ULPS);
}

static void soft_shrink_evaluate(Evaluation *evaluation) {
    each_element(evaluation, soft_shrink);
}

static void soft_shrink_lower(Lowering *lowering, const Node *node) {
    double corner = node->attributes[0].number;
    kernel_map(lowering, node,
               (MapStage){.op = MAP_LINES,
                          .lines = {{-corner, corner}, {{1, corner}, {0, 0}, {1, -corner}}}});
}

const LayerInfo layer_softshrink = {
    .name = "softshrink",
    .summary = "x - lambda above lambda, x + lambda below -lambda, 0 between",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 1,
    .attributes = {{"lambda", ATTRIBUTE_NUMBER, "0.5", 0, FLT_MAX,
                    "what is taken off the absolute value"}},
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> softshrink\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = soft_shrink_evaluate,
    .lower = soft_shrink_lower,
};

/* It jumps by lambda: where x may be on either side of a corner, x and 0 are both right. */
static Real hard_shrink(Real x, const Node *node) {
    double corner = real_constant(node->attributes[0].number);
    if (isnan(x.value) || fabs(x.value) - x.error > corner)
        return x;
    if (fabs(x.value) + x.error <= corner)
        return (Real){0, 0};
    return (Real){fabs(x.value) > corner ? x.value : 0, fabs(x.value) + x.error};
}

static void hard_shrink_evaluate(Evaluation *evaluation) {
    each_element(evaluation, hard_shrink);
}

static void hard_shrink_lower(Lowering *lowering, const Node *node) {
    double corner = node->attributes[0].number;
    kernel_map(lowering, node,
               (MapStage){.op = MAP_LINES, .lines = {{-corner, corner}, {{1, 0}, {0, 0}, {1, 0}}}});
}

const LayerInfo layer_hardshrink = {
    .name = "hardshrink",
    .summary = "x where |x| is above lambda, else 0",
    .family = FAMILY_ACTIVATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 1,
    .attributes = {{"lambda", ATTRIBUTE_NUMBER, "0.5", 0, FLT_MAX,
                    "the largest absolute value that becomes 0"}},
    .shape_doc = "any shape -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> hardshrink\n"
               "}\n",
    .infer = same_shape_infer,
    .operations = one_operation_each,
    .evaluate = hard_shrink_evaluate,
    .lower = hard_shrink_lower,
};
