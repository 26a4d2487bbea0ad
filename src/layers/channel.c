/* scale, bias: a factor or an addend for each channel, trained, or made by the network itself, as
 * the gate of squeeze-and-excitation is (Hu et al. 2018). What is trained goes into the weights of
 * a convolution or dense layer before it (plan/fuse.c). */
#include <assert.h>

#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/elementwise.h"

/* ---- shapes -------------------------------------------------------------------------------- */

static bool report_operand(Inference *inference) {
    const Node *node = inference->node;
    const Shape *x = infer_input(inference, 0), *numbers = infer_input(inference, 1);
    Diagnostics *diagnostics = inference->diagnostics;
    bool product = (node->layer->traits & LAYER_CHANNEL_AFFINE) != 0 && node->layer->name[0] == 's';
    Diagnostic *diagnostic = infer_error(
        inference, DIAG_E0214, -1, "`%s` needs a number for each of the %lld channels, got %s",
        node->layer->name, (long long)x->dims[0], infer_shape_text(inference, numbers));
    diag_here(diagnostics, diagnostic, "%s by %s", infer_shape_text(inference, x),
              infer_shape_text(inference, numbers));
    if (is_one_a_channel(x, numbers))
        diag_help(diagnostics, diagnostic, "the numbers come second: `%s(x, numbers)`",
                  node->layer->name);
    else if (shape_equal(x, numbers))
        diag_help(diagnostics, diagnostic, "tensors of equal shape are written `x %s y`",
                  product ? "*" : "+");
    else if (shape_elements(numbers) == numbers->dims[0])
        edit_width(inference, diagnostic, node->inputs[1], x->dims[0]);
    return false;
}

/* With one input it owns a number a channel, `weight`. */
static bool channel_infer(Inference *inference, const char *weight, WeightRole role) {
    Shape channels;
    if (!channels_infer(inference, &channels) || !same_shape_infer(inference))
        return false;
    if (inference->node->input_count == 1)
        return infer_weight(inference, weight, channels, role, 1, true) != NULL;
    return is_one_a_channel(infer_input(inference, 1), infer_input(inference, 0)) ||
           report_operand(inference);
}

/* ---- both ways ----------------------------------------------------------------------------- */

typedef Real Combination(Real x, Real y);

/* With two inputs: y is element c of the second. */
static void evaluate_channels(Evaluation *evaluation, Combination *combine) {
    const Shape *shape = &evaluation->node->outputs[0]->type.shape;
    int64_t elements = shape_elements(shape), pixels = elements / shape->dims[0];
    for (int64_t i = 0; i < elements; i++)
        evaluation->output[i] =
            combine(evaluation->inputs[0][i], evaluation->inputs[1][i / pixels]);
}

/* With one: x * scale[c] + shift[c]. */
static void evaluate_trained(Evaluation *evaluation, const float *scale, const float *shift) {
    const Shape *shape = &evaluation->node->outputs[0]->type.shape;
    int64_t elements = shape_elements(shape), pixels = elements / shape->dims[0];
    int64_t terms = folded_terms(evaluation->node);
    for (int64_t i = 0; i < elements; i++) {
        int64_t c = i / pixels;
        evaluation->output[i] =
            real_affine(evaluation->inputs[0][i], scale != NULL ? (double)scale[c] : 1,
                        shift != NULL ? (double)shift[c] : 0, terms);
    }
}

static void lower_channels(Lowering *lowering, const Node *node, MapOp op) {
    assert(node->input_count == 2);
    bool equal = shape_equal(&node->inputs[0]->type.shape, &node->inputs[1]->type.shape);
    kernel_map(lowering, node,
               (MapStage){.op = op, .kind = equal ? OPERAND_ELEMENT : OPERAND_CHANNEL});
}

/* ---- scale --------------------------------------------------------------------------------- */

static bool scale_infer(Inference *inference) {
    return channel_infer(inference, "weight", WEIGHT_SCALE);
}

static void scale_evaluate(Evaluation *evaluation) {
    if (evaluation->node->input_count == 2)
        evaluate_channels(evaluation, real_product);
    else
        evaluate_trained(evaluation, evaluation->node->weights.data[0]->data, NULL);
}

static void scale_lower(Lowering *lowering, const Node *node) {
    if (node->input_count == 2)
        lower_channels(lowering, node, MAP_MULTIPLY);
    else
        kernel_affine(lowering, node, &(Affine){.gamma = node->weights.data[0]});
}

const LayerInfo layer_scale = {
    .name = "scale",
    .summary = "each channel times a number of its own: trained, or given by a second input",
    .family = FAMILY_MERGE,
    .traits = LAYER_CHANNEL_AFFINE,
    .min_inputs = 1,
    .max_inputs = 2,
    .shape_doc = "[C, ...] -> the same shape; with [C] or [C, 1, ...] as a second input",
    .weights_doc = "weight [C]; none with two inputs",
    .operations_doc = "1 for each element",
    .example = "network example(image: [16, 8, 8]) -> [16, 8, 8] {\n"
               "    gate = image -> globalavgpool -> dense(4) -> relu -> dense(16) -> hardsigmoid\n"
               "    return scale(image, gate)\n"
               "}\n",
    .infer = scale_infer,
    .operations = one_operation_each,
    .evaluate = scale_evaluate,
    .lower = scale_lower,
};

/* ---- bias ---------------------------------------------------------------------------------- */

static bool bias_infer(Inference *inference) {
    return channel_infer(inference, "bias", WEIGHT_BIAS);
}

static Real sum_of_two(Real x, Real y) {
    RealSum sum = {0};
    real_sum_product(&sum, 1, x);
    real_sum_product(&sum, 1, y);
    return real_sum_finish(&sum, 0);
}

static void bias_evaluate(Evaluation *evaluation) {
    if (evaluation->node->input_count == 2)
        evaluate_channels(evaluation, sum_of_two);
    else
        evaluate_trained(evaluation, NULL, evaluation->node->weights.data[0]->data);
}

static void bias_lower(Lowering *lowering, const Node *node) {
    if (node->input_count == 2)
        lower_channels(lowering, node, MAP_ADD);
    else
        kernel_affine(lowering, node, &(Affine){.beta = node->weights.data[0]});
}

const LayerInfo layer_bias = {
    .name = "bias",
    .summary = "each channel plus a number of its own: trained, or given by a second input",
    .family = FAMILY_MERGE,
    .traits = LAYER_CHANNEL_AFFINE,
    .min_inputs = 1,
    .max_inputs = 2,
    .shape_doc = "[C, ...] -> the same shape; with [C] or [C, 1, ...] as a second input",
    .weights_doc = "bias [C]; none with two inputs",
    .operations_doc = "1 for each element",
    .example = "network example(image: [3, 32, 32]) -> [3, 32, 32] {\n"
               "    return image -> scale -> bias\n"
               "}\n",
    .infer = bias_infer,
    .operations = one_operation_each,
    .evaluate = bias_evaluate,
    .lower = bias_lower,
};
