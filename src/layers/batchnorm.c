/* batchnorm with the statistics of training (Ioffe, Szegedy 2015): an affine function per channel,
 *     y = (x - running_mean) * weight / sqrt(running_var + eps) + bias,
 * which plan/fuse takes into the weights of a convolution or dense layer before it. */
#include <math.h>

#include "kernels/kernel.h"
#include "layers/elementwise.h"

enum BatchnormAttribute {
    BATCHNORM_EPS,
    BATCHNORM_AFFINE,
    BATCHNORM_ATTRIBUTES,
};

static bool batchnorm_infer(Inference *inference) {
    Shape channels;
    if (!channels_infer(inference, &channels) || !same_shape_infer(inference))
        return false;
    if (inference->node->attributes[BATCHNORM_AFFINE].boolean &&
        (infer_weight(inference, "weight", channels, WEIGHT_SCALE, 1, true) == NULL ||
         infer_weight(inference, "bias", channels, WEIGHT_BIAS, 1, true) == NULL))
        return false;
    return infer_weight(inference, "running_mean", channels, WEIGHT_MEAN, 1, false) != NULL &&
           infer_weight(inference, "running_var", channels, WEIGHT_VARIANCE, 1, false) != NULL;
}

static Affine batchnorm_affine(const Node *node) {
    Weight *const *weights = node->weights.data;
    bool affine = node->attributes[BATCHNORM_AFFINE].boolean;
    return (Affine){.gamma = affine ? weights[0] : NULL,
                    .beta = affine ? weights[1] : NULL,
                    .mean = weights[affine ? 2 : 0],
                    .variance = weights[affine ? 3 : 1],
                    .epsilon = node->attributes[BATCHNORM_EPS].number};
}

/* Once running, a scale and a shift, whether or not they are trained. */
static void batchnorm_operations(const Node *node, Factors *factors) {
    factors_add_elements(factors, node, 2);
}

static void batchnorm_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    const Shape *shape = &node->outputs[0]->type.shape;
    Affine affine = batchnorm_affine(node);
    int64_t terms = folded_terms(node);
    int64_t pixels = shape_elements(shape) / shape->dims[0];
    for (int64_t c = 0; c < shape->dims[0]; c++) {
        double gamma = affine.gamma != NULL ? affine.gamma->data[c] : 1;
        double beta = affine.beta != NULL ? affine.beta->data[c] : 0;
        double scale = gamma / sqrt(affine.variance->data[c] + affine.epsilon);
        double shift = beta - affine.mean->data[c] * scale;
        for (int64_t i = c * pixels; i < (c + 1) * pixels; i++)
            evaluation->output[i] = real_affine(evaluation->inputs[0][i], scale, shift, terms);
    }
}

static void batchnorm_lower(Lowering *lowering, const Node *node) {
    Affine affine = batchnorm_affine(node);
    kernel_affine(lowering, node, &affine);
}

const LayerInfo layer_batchnorm = {
    .name = "batchnorm",
    .summary = "normalises each channel with the mean and variance found in training",
    .family = FAMILY_NORMALISATION,
    .traits = LAYER_CHANNEL_AFFINE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = BATCHNORM_ATTRIBUTES,
    .attributes =
        {
            [BATCHNORM_EPS] = {"eps", ATTRIBUTE_NUMBER, "1e-5", 0, 1, "added to the variance"},
            [BATCHNORM_AFFINE] = {"affine", ATTRIBUTE_BOOLEAN, "on", 0, 0,
                                  "scale and shift each channel afterwards"},
        },
    .shape_doc = "[C, ...] -> the same shape",
    .weights_doc = "weight [C], bias [C]; frozen: running_mean [C], running_var [C]",
    .operations_doc = "2 for each element: a scale and a shift",
    .example = "network example(image: [3, 32, 32]) -> [8, 32, 32] {\n"
               "    return image -> conv(8, 3x3, pad=1, bias=off) -> batchnorm -> relu\n"
               "}\n",
    .infer = batchnorm_infer,
    .operations = batchnorm_operations,
    .evaluate = batchnorm_evaluate,
    .lower = batchnorm_lower,
};
