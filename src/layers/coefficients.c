/* Coefficients of channels: see coefficients.h. */
#include "layers/coefficients.h"

#include "kernels/kernel.h"
#include "layers/window.h"

bool coefficients_declare(Inference *inference) {
    Shape channels = shape_make(1, infer_input(inference, 0)->dims[0]);
    if (node_switch(inference->node, "scale") &&
        infer_weight(inference, "weight", channels, WEIGHT_SCALE, 1, true) == NULL)
        return false;
    return !node_switch(inference->node, "bias") ||
           infer_weight(inference, "bias", channels, WEIGHT_BIAS, 1, true) != NULL;
}

static Affine coefficients_of(const Node *node) {
    Affine affine = {0};
    size_t next = 0;
    if (node_switch(node, "scale"))
        affine.gamma = node->weights.data[next++];
    if (node_switch(node, "bias"))
        affine.beta = node->weights.data[next];
    return affine;
}

void coefficients_operations(const Node *node, Factors *factors) {
    if (node_switch(node, "scale"))
        factors_add_elements(factors, node, 1);
    if (node_switch(node, "bias"))
        factors_add_elements(factors, node, 1);
}

void coefficients_apply(Evaluation *evaluation) {
    const Shape *shape = &evaluation->node->outputs[0]->type.shape;
    Affine affine = coefficients_of(evaluation->node);
    if (affine.gamma == NULL && affine.beta == NULL)
        return;
    int64_t pixels = shape_elements(shape) / shape->dims[0];
    for (int64_t c = 0; c < shape->dims[0]; c++) {
        double scale = affine.gamma != NULL ? affine.gamma->data[c] : 1;
        double shift = affine.beta != NULL ? affine.beta->data[c] : 0;
        for (int64_t i = c * pixels; i < (c + 1) * pixels; i++)
            evaluation->output[i] = real_affine(evaluation->output[i], scale, shift, 0);
    }
}

void coefficients_lower(Lowering *lowering, const Node *node) {
    Affine affine = coefficients_of(node);
    if (affine.gamma != NULL || affine.beta != NULL)
        kernel_affine(lowering, node, &affine);
}
