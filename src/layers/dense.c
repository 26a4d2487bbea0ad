/* dense: y = weight x + bias, a matrix-vector product, or one for each row along the last axis. */
#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/lanes.h"
#include "layers/layer.h"
#include "support/checked.h"

enum DenseAttribute {
    DENSE_UNITS,
    DENSE_BIAS,
    DENSE_AXIS,
    DENSE_ATTRIBUTES,
};

/* "flatten first: 512 inputs, 5,130 parameters" */
static const char *advice(Inference *inference, const char *what, int64_t inputs) {
    const Attribute *attributes = inference->node->attributes;
    int64_t units = attributes[DENSE_UNITS].integer;
    int64_t parameters;
    if (!checked_mul(inputs, units, &parameters) ||
        !checked_add(parameters, attributes[DENSE_BIAS].boolean ? units : 0, &parameters))
        return arena_format(inference->arena, "%s: %s inputs", what, edit_count(inference, inputs));
    return arena_format(inference->arena, "%s: %s inputs, %s parameters", what,
                        edit_count(inference, inputs), edit_count(inference, parameters));
}

/* The axis is the last; by default it is axis 0, so that the input is a vector. */
static bool check_axis(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    const Attribute *axis = &inference->node->attributes[DENSE_AXIS];
    if (input->rank >= 1 && axis->integer == input->rank - 1)
        return true;
    if (axis->given) {
        Diagnostic *diagnostic =
            infer_error(inference, DIAG_E0218, DENSE_AXIS,
                        "`dense` works along the last axis, which is %d here", input->rank - 1);
        edit_argument(inference, diagnostic, DENSE_AXIS, "-1", false, "the last axis");
        return false;
    }
    Diagnostic *diagnostic =
        infer_error(inference, DIAG_E0217, -1, "`dense` takes a vector, but its input is %s",
                    infer_shape_text(inference, input));
    diag_here(inference->diagnostics, diagnostic, "expected one dim, found %d", input->rank);
    bool sequence = input->rank == 2;
    if (sequence)
        edit_argument(inference, diagnostic, DENSE_AXIS, "-1", true,
                      advice(inference, "take each row of a sequence by itself", input->dims[1]));
    edit_step_before(
        inference, diagnostic, "flatten", !sequence,
        advice(inference, sequence ? "or flatten" : "flatten first", shape_elements(input)));
    if (input->rank >= 2)
        edit_step_before(inference, diagnostic, "globalavgpool", false,
                         advice(inference, "or average each channel first", input->dims[0]));
    return false;
}

static bool dense_infer(Inference *inference) {
    if (!check_axis(inference))
        return false;
    const Attribute *attributes = inference->node->attributes;
    int64_t units = attributes[DENSE_UNITS].integer;
    Shape result = *infer_input(inference, 0);
    int64_t inputs = result.dims[result.rank - 1];
    result.dims[result.rank - 1] = units;
    if (!infer_result(inference, result))
        return false;
    if (infer_weight(inference, "weight", shape_make(2, units, inputs), WEIGHT_KERNEL, inputs,
                     true) == NULL)
        return false;
    return !attributes[DENSE_BIAS].boolean ||
           infer_weight(inference, "bias", shape_make(1, units), WEIGHT_BIAS, inputs, true) != NULL;
}

/* Vectors that go through the weights. */
static int64_t row_count(const Node *node) {
    return shape_elements(&node->outputs[0]->type.shape) / node->weights.data[0]->shape.dims[0];
}

static const Weight *bias_of(const Node *node) {
    return node->weights.count > 1 ? node->weights.data[1] : NULL;
}

static void dense_macs(const Node *node, Factors *factors) {
    const Shape *weight = &node->weights.data[0]->shape;
    if (node->outputs[0]->type.shape.rank > 1)
        factors_add(factors, row_count(node));
    factors_add(factors, weight->dims[0]);
    factors_add(factors, weight->dims[1]);
}

static void dense_operations(const Node *node, Factors *factors) {
    if (bias_of(node) != NULL)
        factors_add_elements(factors, node, 1);
}

/* The last axis is seen whole; a vector has no others. */
static bool dense_footprint(const Node *node, Footprint axes[MAX_SPATIAL]) {
    (void)axes;
    return node->outputs[0]->type.shape.rank == 1;
}

static void dense_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    const Weight *weight = node->weights.data[0];
    evaluate_rows(evaluation, &(RowProducts){.weight = weight,
                                             .bias = bias_of(node),
                                             .units = weight->shape.dims[0],
                                             .input = evaluation->inputs[0],
                                             .rows = row_count(node),
                                             .result = evaluation->output,
                                             .extra = FOLD_ROUNDINGS});
}

static void dense_lower(Lowering *lowering, const Node *node) {
    const Weight *weight = node->weights.data[0];
    if (node->outputs[0]->type.shape.rank == 1) {
        kernel_dense(lowering, node, weight, bias_of(node));
        return;
    }
    int64_t units = weight->shape.dims[0], inputs = weight->shape.dims[1];
    Product product = {.batches = 1,
                       .rows = row_count(node),
                       .depth = inputs,
                       .columns = units,
                       .left = {.row_stride = inputs},
                       .result = {.row_stride = units}};
    kernel_gemm_weight(lowering, node, &product, node->inputs[0], weight, bias_of(node), 0,
                       node->outputs[0]);
}

const LayerInfo layer_dense = {
    .name = "dense",
    .summary = "fully connected layer: every output sees every input",
    .family = FAMILY_DENSE,
    .traits = LAYER_HAS_KERNEL,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = DENSE_ATTRIBUTES,
    .attributes =
        {
            [DENSE_UNITS] = {"units", ATTRIBUTE_INTEGER, NULL, 1, INT32_MAX, "outputs"},
            [DENSE_BIAS] = {"bias", ATTRIBUTE_BOOLEAN, "on", 0, 0, "add one number per output"},
            [DENSE_AXIS] = {"axis", ATTRIBUTE_AXIS, "0", 0, 0,
                            "-1: each vector along the last axis by itself, as in a sequence"},
        },
    .shape_doc = "[N] -> [units]; with axis=-1 [.., N] -> [.., units]",
    .weights_doc = "weight [units, N], bias [units]",
    .macs_doc = "vectors * (units * N)",
    .operations_doc = "1 for each element of the result; none with bias=off",
    .example = "network example(image: [1, 28, 28]) -> [10] {\n"
               "    return image -> flatten -> dense(10)\n"
               "}\n",
    .infer = dense_infer,
    .macs = dense_macs,
    .operations = dense_operations,
    .footprint = dense_footprint,
    .evaluate = dense_evaluate,
    .lower = dense_lower,
};
