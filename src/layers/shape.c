/* flatten, reshape, squeeze, concat, stack: where elements stand, not what they are. */
#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/evaluate.h"
#include "layers/layer.h"
#include "layers/majority.h"
#include "layers/rearrange.h"
#include "support/checked.h"

/* ---- flatten, reshape, squeeze: the same elements in the same row-major order ---------------- */

static void view_evaluate(Evaluation *evaluation) {
    int64_t elements = shape_elements(&evaluation->node->outputs[0]->type.shape);
    for (int64_t i = 0; i < elements; i++)
        evaluation->output[i] = evaluation->inputs[0][i];
}

static bool flatten_infer(Inference *inference) {
    return infer_result(inference, shape_make(1, shape_elements(infer_input(inference, 0))));
}

const LayerInfo layer_flatten = {
    .name = "flatten",
    .summary = "makes a vector of all elements, in the order channel, row, column",
    .family = FAMILY_SHAPE,
    .traits = LAYER_REORDERS_NOTHING,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape_doc = "any shape -> [product of its dims]",
    .example = "network example(image: [3, 8, 8]) -> [192] {\n"
               "    return image -> flatten\n"
               "}\n",
    .infer = flatten_infer,
    .evaluate = view_evaluate,
    .lower = kernel_view,
};

/* The one dim of `shape` that would have to change for `elements` in all, and to what; -1 if there
 * is none or a choice. */
static int dim_to_change(const Shape *shape, int64_t elements, int64_t *dim) {
    int found = -1;
    for (int i = 0; i < shape->rank; i++) {
        int64_t others = 1;
        for (int k = 0; k < shape->rank; k++)
            if (k != i && !checked_mul(others, shape->dims[k], &others))
                return -1;
        if (elements % others != 0)
            continue;
        found = i;
        *dim = elements / others;
    }
    return found;
}

static bool reshape_infer(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    const Shape *result = &inference->node->attributes[0].shape;
    if (!infer_result(inference, *result))
        return false;
    int64_t has = shape_elements(input);
    int64_t needs = shape_elements(result);
    if (has == needs)
        return true;
    Diagnostic *diagnostic =
        infer_error(inference, DIAG_E0216, 0, "%s has %s elements, but %s has %s",
                    infer_shape_text(inference, result), edit_count(inference, needs),
                    infer_shape_text(inference, input), edit_count(inference, has));
    diag_here(inference->diagnostics, diagnostic, "%s elements, %s too %s",
              edit_count(inference, needs),
              edit_count(inference, needs > has ? needs - has : has - needs),
              needs > has ? "many" : "few");
    Shape changed = *result;
    int64_t dim = 0;
    int axis = dim_to_change(result, has, &dim);
    if (axis >= 0) {
        changed.dims[axis] = dim;
        const char *text = infer_shape_text(inference, &changed);
        edit_argument(inference, diagnostic, 0, text, false,
                      arena_format(inference->arena, "%s has as many elements as the input", text));
    }
    return false;
}

const LayerInfo layer_reshape = {
    .name = "reshape",
    .summary = "gives the same elements, in the same order, another shape",
    .family = FAMILY_SHAPE,
    .traits = LAYER_REORDERS_NOTHING,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 1,
    .attributes = {{"shape", ATTRIBUTE_SHAPE, NULL, 1, (double)INT64_MAX, "the new shape"}},
    .shape_doc = "any shape -> the shape given, of as many elements",
    .example = "network example(features: [784]) -> [16, 7, 7] {\n"
               "    return features -> reshape([16, 7, 7])\n"
               "}\n",
    .infer = reshape_infer,
    .evaluate = view_evaluate,
    .lower = kernel_view,
};

/* The axes that a squeeze drops: those named, or all of size 1. False after reporting one that is
 * larger. */
static bool squeeze_drops(Inference *inference, bool drops[TENSOR_MAX_RANK]) {
    const Attribute *axes = &inference->node->attributes[0];
    const Shape *input = infer_input(inference, 0);
    for (int i = 0; i < input->rank; i++)
        drops[i] = !axes->given && input->dims[i] == 1;
    for (int i = 0; i < axes->axes.count; i++) {
        int axis = axes->axes.axis[i];
        drops[axis] = true;
        if (input->dims[axis] == 1)
            continue;
        Diagnostic *diagnostic =
            infer_error(inference, DIAG_E0230, 0,
                        "`squeeze` drops axes of size 1, but axis %d of "
                        "%s is %lld",
                        axis, infer_shape_text(inference, input), (long long)input->dims[axis]);
        diag_here(inference->diagnostics, diagnostic, "axis %d", axis);
        return false;
    }
    return true;
}

static bool squeeze_infer(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    bool drops[TENSOR_MAX_RANK];
    if (!squeeze_drops(inference, drops))
        return false;
    Shape result = {0};
    for (int i = 0; i < input->rank; i++)
        if (!drops[i])
            result.dims[result.rank++] = input->dims[i];
    if (result.rank > 0)
        return infer_result(inference, result);
    Diagnostic *diagnostic =
        infer_error(inference, DIAG_E0230, 0, "`squeeze` would leave %s no axis",
                    infer_shape_text(inference, input));
    diag_help(inference->diagnostics, diagnostic, "`flatten` gives [1]");
    return false;
}

const LayerInfo layer_squeeze = {
    .name = "squeeze",
    .summary = "drops axes of size 1",
    .family = FAMILY_SHAPE,
    .traits = LAYER_REORDERS_NOTHING,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 1,
    .attributes = {{"axis", ATTRIBUTE_AXES, "", 0, 0,
                    "the axes to drop; all of size 1 unless written"}},
    .shape_doc = "the input's shape without these axes",
    .example = "network example(line: [8, 1, 32]) -> [8, 32] {\n"
               "    return line -> squeeze(h)\n"
               "}\n",
    .infer = squeeze_infer,
    .evaluate = view_evaluate,
    .lower = kernel_view,
};

/* ---- concat ------------------------------------------------------------------------------- */

static int concat_axis(const Node *node) {
    return (int)node->attributes[0].integer;
}

static bool same_off_axis(const Shape *a, const Shape *b, int axis) {
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (i != axis && a->dims[i] != b->dims[i])
            return false;
    return true;
}

/* "joins channels, so height and width must agree" */
static const char *concat_rule(Inference *inference, const Shape *shape, int axis) {
    static const char *const plane[] = {"channels", "rows", "columns"};
    static const char *const others[] = {"height and width", "channels and width",
                                         "channels and height"};
    if (shape->rank == 3 && axis < 3)
        return arena_format(inference->arena, "joins %s, so %s must agree", plane[axis],
                            others[axis]);
    return arena_format(inference->arena, "joins along axis %d, so the other dims must agree",
                        axis);
}

/* One message for all inputs that are not like the most. */
static void report_odd_inputs(Inference *inference, int axis, size_t model, size_t first_odd) {
    const Node *node = inference->node;
    const Shape *usual = infer_input(inference, model);
    Diagnostic *diagnostic =
        infer_error(inference, DIAG_E0219, -1, "`concat` %s", concat_rule(inference, usual, axis));
    diag_here(inference->diagnostics, diagnostic, "input %zu is %s, input %zu is %s", model + 1,
              infer_shape_text(inference, usual), first_odd + 1,
              infer_shape_text(inference, infer_input(inference, first_odd)));
    for (size_t i = 0; i < node->input_count; i++) {
        const Shape *shape = infer_input(inference, i);
        if (!same_off_axis(usual, shape, axis))
            diag_label(inference->diagnostics, diagnostic, node->inputs[i]->span,
                       "input %zu is %s, unlike %s", i + 1, infer_shape_text(inference, shape),
                       infer_shape_text(inference, usual));
    }
    if (axis == 0)
        edit_keep_size(inference, diagnostic, node->inputs[first_odd], usual);
}

static bool concat_infer(Inference *inference) {
    const Node *node = inference->node;
    int axis = concat_axis(node);
    size_t model = majority_input(node, same_off_axis, axis);
    const Shape *usual = infer_input(inference, model);
    Shape result = *usual;
    result.dims[axis] = 0;
    for (size_t i = 0; i < node->input_count; i++) {
        const Shape *input = infer_input(inference, i);
        if (!same_off_axis(usual, input, axis)) {
            report_odd_inputs(inference, axis, model, i);
            return false;
        }
        if (!checked_add(result.dims[axis], input->dims[axis], &result.dims[axis]))
            result.dims[axis] = INT64_MAX; /* refused by infer_result */
    }
    return infer_result(inference, result);
}

/* Each input is a run of elements after every one of the dims before `axis`. */
static void evaluate_beside(Evaluation *evaluation, int axis) {
    const Node *node = evaluation->node;
    int64_t outer = shape_product(&node->outputs[0]->type.shape, 0, axis);
    Real *output = evaluation->output;
    for (int64_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < node->input_count; i++) {
            int64_t run = shape_elements(&node->inputs[i]->type.shape) / outer;
            for (int64_t k = 0; k < run; k++)
                *output++ = evaluation->inputs[i][o * run + k];
        }
    }
}

static void concat_evaluate(Evaluation *evaluation) {
    evaluate_beside(evaluation, concat_axis(evaluation->node));
}

static void concat_lower(Lowering *lowering, const Node *node) {
    kernel_concat(lowering, node, concat_axis(node));
}

const LayerInfo layer_concat = {
    .name = "concat",
    .summary = "puts its inputs side by side along one axis",
    .family = FAMILY_SHAPE,
    .min_inputs = 2,
    .max_inputs = LAYER_ANY_INPUTS,
    .attribute_count = 1,
    .attributes = {{"axis", ATTRIBUTE_AXIS, "0", 0, 0, "the axis that grows"}},
    .shape_doc = "the dims along the axis add up; all others must be equal",
    .example = "network example(image: [3, 8, 8]) -> [20, 8, 8] {\n"
               "    narrow = image -> conv(12, 1x1)\n"
               "    wide = image -> conv(8, 3x3, pad=same)\n"
               "    return (narrow, wide) -> concat\n"
               "}\n",
    .infer = concat_infer,
    .evaluate = concat_evaluate,
    .lower = concat_lower,
};

/* ---- stack -------------------------------------------------------------------------------- */

/* Place of the new axis in the result. */
static int stack_axis(const Node *node) {
    int rank = node->inputs[0]->type.shape.rank + 1;
    int64_t axis = node->attributes[0].integer;
    return (int)(axis < 0 ? axis + rank : axis);
}

static bool check_stack_axis(Inference *inference) {
    const Node *node = inference->node;
    const Shape *input = infer_input(inference, 0);
    if (input->rank == TENSOR_MAX_RANK) {
        infer_error(inference, DIAG_E0802, -1,
                    "a tensor has at most %d dimensions, so %s cannot be "
                    "stacked",
                    TENSOR_MAX_RANK, infer_shape_text(inference, input));
        return false;
    }
    if (stack_axis(node) >= 0 && stack_axis(node) <= input->rank)
        return true;
    Diagnostic *diagnostic =
        infer_error(inference, DIAG_E0218, 0, "a stack of %s has no axis %lld",
                    infer_shape_text(inference, input), (long long)node->attributes[0].integer);
    diag_here(inference->diagnostics, diagnostic, "from 0 to %d, or -1 for the last", input->rank);
    return false;
}

static bool same_shapes(const Shape *a, const Shape *b, int axis) {
    (void)axis;
    return shape_equal(a, b);
}

static bool stack_infer(Inference *inference) {
    const Node *node = inference->node;
    const Shape *usual = infer_input(inference, majority_input(node, same_shapes, 0));
    for (size_t i = 0; i < node->input_count; i++) {
        const Shape *input = infer_input(inference, i);
        if (shape_equal(usual, input))
            continue;
        Diagnostic *diagnostic =
            infer_error(inference, DIAG_E0214, -1, "`stack` needs equal shapes, got %s and %s",
                        infer_shape_text(inference, usual), infer_shape_text(inference, input));
        diag_label(inference->diagnostics, diagnostic, node->inputs[i]->span, "input %zu is %s",
                   i + 1, infer_shape_text(inference, input));
        return false;
    }
    if (!check_stack_axis(inference))
        return false;
    int axis = stack_axis(node);
    Shape result = {.rank = usual->rank + 1};
    for (int i = 0; i < result.rank; i++)
        result.dims[i] = i < axis    ? usual->dims[i]
                         : i == axis ? (int64_t)node->input_count
                                     : usual->dims[i - 1];
    return infer_result(inference, result);
}

static void stack_evaluate(Evaluation *evaluation) {
    evaluate_beside(evaluation, stack_axis(evaluation->node));
}

static void stack_lower(Lowering *lowering, const Node *node) {
    kernel_stack(lowering, node, stack_axis(node));
}

const LayerInfo layer_stack = {
    .name = "stack",
    .summary = "puts inputs of one shape side by side along a new axis",
    .family = FAMILY_SHAPE,
    .min_inputs = 2,
    .max_inputs = LAYER_ANY_INPUTS,
    .attribute_count = 1,
    .attributes = {{"axis", ATTRIBUTE_INTEGER, "0", -TENSOR_MAX_RANK, TENSOR_MAX_RANK - 1,
                    "the place of the new axis in the result; -1: the last"}},
    .shape_doc = "inputs of equal shape -> that shape with the number of inputs put in at the axis",
    .example = "network example(left: [8, 8], right: [8, 8]) -> [2, 8, 8] {\n"
               "    return (left, right) -> stack\n"
               "}\n",
    .infer = stack_infer,
    .footprint = footprint_everything,
    .evaluate = stack_evaluate,
    .lower = stack_lower,
};
