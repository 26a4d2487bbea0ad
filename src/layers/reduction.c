/* mean, sum, amax, argmax: one number for all those along an axis or several.
 *
 * The largest along axes goes by the name it has in NumPy and PyTorch, amax: `max` is the larger of
 * several tensors, element by element, and takes neither an axis nor `keep`. */
#include <math.h>

#include "kernels/kernel.h"
#include "layers/evaluate.h"
#include "layers/layer.h"
#include "layers/slice.h"

enum ReductionAttribute {
    REDUCTION_AXIS,
    REDUCTION_KEEP,
    REDUCTION_ATTRIBUTES,
};

static AxisSet axes_of(const Node *node) {
    const Attribute *axis = &node->attributes[REDUCTION_AXIS];
    return axis->kind == ATTRIBUTE_AXIS ? 1U << axis->integer : slice_axes(axis);
}

/* Without the axes, or with each as 1; what has no axis left is [1]. */
static bool reduction_infer(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    AxisSet axes = axes_of(inference->node);
    bool keep = inference->node->attributes[REDUCTION_KEEP].boolean;
    Shape result = {0};
    for (int axis = 0; axis < input->rank; axis++) {
        bool reduced = axes >> axis & 1;
        if (!reduced || keep)
            result.dims[result.rank++] = reduced ? 1 : input->dims[axis];
    }
    return infer_result(inference, result.rank > 0 ? result : shape_make(1, 1));
}

/* One addition or comparison for each number that goes in. */
static void reduction_operations(const Node *node, Factors *factors) {
    factors_add_shape(factors, &node->inputs[0]->type.shape);
}

static void mean_operations(const Node *node, Factors *factors) {
    reduction_operations(node, factors);
    factors_add_elements(factors, node, 1); /* the division */
}

/* ---- sum, mean, largest ------------------------------------------------------------------- */

static RealSum slice_sum(const Evaluation *evaluation, int64_t slice, int64_t length) {
    const Shape *shape = &evaluation->node->inputs[0]->type.shape;
    AxisSet axes = axes_of(evaluation->node);
    RealSum sum = {0};
    for (int64_t k = 0; k < length; k++)
        real_sum_product(&sum, 1, evaluation->inputs[0][slice_position(shape, axes, slice, k)]);
    return sum;
}

static Real slice_max(const Evaluation *evaluation, int64_t slice, int64_t length) {
    const Shape *shape = &evaluation->node->inputs[0]->type.shape;
    AxisSet axes = axes_of(evaluation->node);
    RealMax max = REAL_MAX_NONE;
    for (int64_t k = 0; k < length; k++)
        real_max_add(&max, evaluation->inputs[0][slice_position(shape, axes, slice, k)]);
    return real_max_finish(&max);
}

/* Whether X, known as x, may take first place from the largest, known as `best`. */
static bool may_win(Real x, Real best, bool stands_before) {
    double most = x.value + x.error;
    double least = best.value - best.error;
    return most > least || (stands_before && most == least);
}

/* The result is one of the places that may hold the largest, so its error is the way to the
 * furthest of them. NaN counts as the largest, and the first of equals is taken. */
static Real slice_argmax(const Evaluation *evaluation, int64_t slice, int64_t length) {
    const Shape *shape = &evaluation->node->inputs[0]->type.shape;
    AxisSet axes = axes_of(evaluation->node);
    const Real *input = evaluation->inputs[0];
    int64_t place = 0;
    bool unbounded = false;
    for (int64_t k = 0; k < length; k++) {
        Real x = input[slice_position(shape, axes, slice, k)];
        Real best = input[slice_position(shape, axes, slice, place)];
        unbounded = unbounded || !(x.error < INFINITY);
        if (!isnan(best.value) && (isnan(x.value) || x.value > best.value))
            place = k;
    }
    Real best = input[slice_position(shape, axes, slice, place)];
    int64_t furthest = 0;
    for (int64_t k = 0; k < length; k++) {
        Real x = input[slice_position(shape, axes, slice, k)];
        int64_t distance = k < place ? place - k : k - place;
        bool candidate = unbounded || (!isnan(best.value) && may_win(x, best, k < place));
        if (candidate && distance > furthest)
            furthest = distance;
    }
    return (Real){(double)place, (double)furthest};
}

static void reduction_evaluate(Evaluation *evaluation, ReduceOp op) {
    int64_t results = shape_elements(&evaluation->node->outputs[0]->type.shape);
    int64_t length = shape_elements(&evaluation->node->inputs[0]->type.shape) / results;
    for (int64_t i = 0; i < results; i++) {
        Real *result = &evaluation->output[i];
        RealSum sum;
        switch (op) {
        case REDUCE_SUM:
            sum = slice_sum(evaluation, i, length);
            *result = real_sum_finish(&sum, 0);
            break;
        case REDUCE_MEAN:
            sum = slice_sum(evaluation, i, length);
            *result = real_sum_mean(&sum, length);
            break;
        case REDUCE_MAX: *result = slice_max(evaluation, i, length); break;
        case REDUCE_ARGMAX: *result = slice_argmax(evaluation, i, length); break;
        }
    }
}

/* All places of each channel of an image or a volume, which convolutions lay out in blocks of
 * channels, are reduced there, as the global pooling layers do. */
static void reduction_lower(Lowering *lowering, const Node *node, ReduceOp op) {
    int rank = node->inputs[0]->type.shape.rank;
    AxisSet axes = axes_of(node);
    AxisSet spatial = ((1U << rank) - 1) & ~1U;
    if (rank >= 3 && axes == spatial && op != REDUCE_ARGMAX)
        kernel_global(lowering, node, op);
    else
        kernel_reduce(lowering, node, op, axes);
}

/* ---- the layers --------------------------------------------------------------------------- */

#define AXIS_ATTRIBUTE {"axis", ATTRIBUTE_AXES, NULL, 0, 0, "the axis or axes that go"}
#define KEEP_ATTRIBUTE                                                                             \
    {"keep", ATTRIBUTE_BOOLEAN, "off", 0, 0, "leave them in the shape, with extent 1"}
#define SHAPE_RULE                                                                                 \
    "any shape -> the same without the axes, [1] where none is left; with keep=on each of them "   \
    "becomes 1"

static void sum_evaluate(Evaluation *evaluation) {
    reduction_evaluate(evaluation, REDUCE_SUM);
}

static void sum_lower(Lowering *lowering, const Node *node) {
    reduction_lower(lowering, node, REDUCE_SUM);
}

const LayerInfo layer_sum = {
    .name = "sum",
    .summary = "sum along one axis or several",
    .family = FAMILY_REDUCTION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = REDUCTION_ATTRIBUTES,
    .attributes = {[REDUCTION_AXIS] = AXIS_ATTRIBUTE, [REDUCTION_KEEP] = KEEP_ATTRIBUTE},
    .shape_doc = SHAPE_RULE,
    .operations_doc = "1 for each element of the input",
    .example = "network example(scores: [16, 64]) -> [64] {\n"
               "    return scores -> sum(axis=0)\n"
               "}\n",
    .infer = reduction_infer,
    .operations = reduction_operations,
    .evaluate = sum_evaluate,
    .lower = sum_lower,
};

static void mean_evaluate(Evaluation *evaluation) {
    reduction_evaluate(evaluation, REDUCE_MEAN);
}

static void mean_lower(Lowering *lowering, const Node *node) {
    reduction_lower(lowering, node, REDUCE_MEAN);
}

const LayerInfo layer_mean = {
    .name = "mean",
    .summary = "average along one axis or several",
    .family = FAMILY_REDUCTION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = REDUCTION_ATTRIBUTES,
    .attributes = {[REDUCTION_AXIS] = AXIS_ATTRIBUTE, [REDUCTION_KEEP] = KEEP_ATTRIBUTE},
    .shape_doc = SHAPE_RULE,
    .operations_doc = "1 for each element of the input and 1 for each of the result",
    .example = "network example(image: [32, 7, 7]) -> [32, 1, 1] {\n"
               "    return image -> mean(axis=(h, w), keep=on)\n"
               "}\n",
    .infer = reduction_infer,
    .operations = mean_operations,
    .evaluate = mean_evaluate,
    .lower = mean_lower,
};

static void amax_evaluate(Evaluation *evaluation) {
    reduction_evaluate(evaluation, REDUCE_MAX);
}

static void amax_lower(Lowering *lowering, const Node *node) {
    reduction_lower(lowering, node, REDUCE_MAX);
}

const LayerInfo layer_amax = {
    .name = "amax",
    .summary = "largest number along one axis or several",
    .family = FAMILY_REDUCTION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = REDUCTION_ATTRIBUTES,
    .attributes = {[REDUCTION_AXIS] = AXIS_ATTRIBUTE, [REDUCTION_KEEP] = KEEP_ATTRIBUTE},
    .shape_doc = SHAPE_RULE,
    .operations_doc = "1 for each element of the input",
    .example = "network example(signal: [8, 100]) -> [8] {\n"
               "    return signal -> amax(axis=l)\n"
               "}\n",
    .infer = reduction_infer,
    .operations = reduction_operations,
    .evaluate = amax_evaluate,
    .lower = amax_lower,
};

/* ---- argmax ------------------------------------------------------------------------------- */

#define MAX_PLACES (INT64_C(1) << 24) /* up to it every integer is an f32 */

static bool argmax_infer(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    int axis = (int)inference->node->attributes[REDUCTION_AXIS].integer;
    if (input->rank > 0 && input->dims[axis] > MAX_PLACES) {
        Diagnostic *diagnostic =
            infer_error(inference, DIAG_E0802, REDUCTION_AXIS,
                        "`argmax` along %lld places gives numbers that f32 does not have",
                        (long long)input->dims[axis]);
        diag_here(inference->diagnostics, diagnostic, "at most %lld places", (long long)MAX_PLACES);
        return false;
    }
    return reduction_infer(inference);
}

static void argmax_evaluate(Evaluation *evaluation) {
    reduction_evaluate(evaluation, REDUCE_ARGMAX);
}

static void argmax_lower(Lowering *lowering, const Node *node) {
    reduction_lower(lowering, node, REDUCE_ARGMAX);
}

const LayerInfo layer_argmax = {
    .name = "argmax",
    .summary = "place of the largest number along an axis, counted from 0, as an f32",
    .family = FAMILY_REDUCTION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = REDUCTION_ATTRIBUTES,
    .attributes = {[REDUCTION_AXIS] = {"axis", ATTRIBUTE_AXIS, "0", 0, 0, "the axis that goes"},
                   [REDUCTION_KEEP] = {"keep", ATTRIBUTE_BOOLEAN, "off", 0, 0,
                                       "leave it in the shape, with extent 1"}},
    .shape_doc = "any shape -> the same without the axis, [1] where none is left; with keep=on it "
                 "becomes 1",
    .operations_doc = "1 for each element of the input",
    .example = "network example(scores: [21, 32, 32]) -> [32, 32] {\n"
               "    return scores -> argmax(axis=c)\n"
               "}\n",
    .infer = argmax_infer,
    .operations = reduction_operations,
    .evaluate = argmax_evaluate,
    .lower = argmax_lower,
};
