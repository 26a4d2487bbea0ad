#include "layers/elementwise.h"

#include <math.h>

bool same_shape_infer(Inference *inference) {
    return infer_result(inference, *infer_input(inference, 0));
}

bool channels_infer(Inference *inference, Shape *channels) {
    const Shape *input = infer_input(inference, 0);
    if (input->rank < 1) {
        infer_error(inference, DIAG_E0212, -1, "`%s` needs a channel axis, got %s",
                    inference->node->layer->name, infer_shape_text(inference, input));
        return false;
    }
    *channels = shape_make(1, input->dims[0]);
    return true;
}

bool is_one_a_channel(const Shape *numbers, const Shape *shape) {
    return numbers->rank >= 1 && shape->rank >= 1 && numbers->dims[0] == shape->dims[0] &&
           shape_elements(numbers) == numbers->dims[0];
}

/* What plan/fuse.c sees through, too, on its way to a producer with weights. */
static bool is_seen_through(const Node *node) {
    unsigned traits = node->layer->traits;
    return (traits & (LAYER_TRAINING_ONLY | LAYER_REORDERS_NOTHING)) != 0 ||
           ((traits & LAYER_CHANNEL_AFFINE) != 0 && node->input_count == 1);
}

int64_t folded_terms(const Node *node) {
    const Node *producer = node->inputs[0]->producer;
    while (producer != NULL && is_seen_through(producer))
        producer = producer->inputs[0]->producer;
    int64_t terms = 0;
    for (size_t i = 0; producer != NULL && i < producer->weights.count; i++)
        if (producer->weights.data[i]->fan_in > terms)
            terms = producer->weights.data[i]->fan_in;
    return terms;
}

void each_element(Evaluation *evaluation, Activation *activation) {
    int64_t elements = shape_elements(&evaluation->node->outputs[0]->type.shape);
    for (int64_t i = 0; i < elements; i++)
        evaluation->output[i] = activation(evaluation->inputs[0][i], evaluation->node);
}
