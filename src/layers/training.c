/* dropout: accepted so that networks can be copied as they are; it does nothing at inference. */
#include "kernels/kernel.h"
#include "layers/evaluate.h"
#include "layers/layer.h"

static bool dropout_infer(Inference *inference) {
    return infer_result(inference, *infer_input(inference, 0));
}

static void dropout_evaluate(Evaluation *evaluation) {
    int64_t elements = shape_elements(&evaluation->node->outputs[0]->type.shape);
    for (int64_t i = 0; i < elements; i++)
        evaluation->output[i] = evaluation->inputs[0][i];
}

const LayerInfo layer_dropout = {
    .name = "dropout",
    .summary = "drops values at random in training; does nothing here",
    .family = FAMILY_TRAINING,
    .traits = LAYER_TRAINING_ONLY | LAYER_REORDERS_NOTHING,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 1,
    .attributes = {{"rate", ATTRIBUTE_NUMBER, "0.5", 0, 1, "part that training drops; not used"}},
    .shape_doc = "any shape -> the same shape",
    .example = "network example(features: [128]) -> [10] {\n"
               "    return features -> dropout(0.2) -> dense(10)\n"
               "}\n",
    .infer = dropout_infer,
    .evaluate = dropout_evaluate,
    .lower = kernel_view,
};
