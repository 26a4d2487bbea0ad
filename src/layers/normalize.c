/* normalize: (x - mean) / std by numbers that stand in the text, as images are prepared for
 * networks that were trained so. Two roundings, as in PyTorch: nothing is folded into a scale and a
 * shift. */
#include "kernels/kernel.h"
#include "layers/elementwise.h"

enum NormalizeAttribute {
    NORMALIZE_MEAN,
    NORMALIZE_STD,
    NORMALIZE_ATTRIBUTES,
};

/* ---- shapes -------------------------------------------------------------------------------- */

/* One number for all channels, or one for each. */
static bool check_numbers(Inference *inference, int attribute) {
    const Node *node = inference->node;
    const Shape *input = infer_input(inference, 0);
    size_t count = node->attributes[attribute].numbers.count;
    if (count == 1 || count == (size_t)input->dims[0])
        return true;
    Diagnostic *diagnostic = infer_error(
        inference, DIAG_E0201, attribute, "`%s` of `normalize` has %zu numbers, but %s has %lld %s",
        node->layer->attributes[attribute].name, count, infer_shape_text(inference, input),
        (long long)input->dims[0], input->dims[0] == 1 ? "channel" : "channels");
    if (input->rank == 3 && count == (size_t)input->dims[2])
        diag_help(inference->diagnostics, diagnostic,
                  "channels come first; of an image that has them last, "
                  "`-> transpose((2, 0, 1)) -> normalize(...)`");
    else
        diag_help(inference->diagnostics, diagnostic,
                  "give one number for each channel, or one for all");
    return false;
}

static bool normalize_infer(Inference *inference) {
    Shape channels;
    return channels_infer(inference, &channels) && check_numbers(inference, NORMALIZE_MEAN) &&
           check_numbers(inference, NORMALIZE_STD) && same_shape_infer(inference);
}

static void normalize_operations(const Node *node, Factors *factors) {
    factors_add_elements(factors, node, 2);
}

/* ---- reference ----------------------------------------------------------------------------- */

static Real number_of(const Attribute *attribute, int64_t channel) {
    size_t index = attribute->numbers.count == 1 ? 0 : (size_t)channel;
    return (Real){real_constant(attribute->numbers.items[index]), 0};
}

static void normalize_evaluate(Evaluation *evaluation) {
    const Attribute *attributes = evaluation->node->attributes;
    const Shape *shape = &evaluation->node->outputs[0]->type.shape;
    int64_t elements = shape_elements(shape), places = elements / shape->dims[0];
    for (int64_t i = 0; i < elements; i++) {
        RealSum difference = {0};
        real_sum_product(&difference, 1, evaluation->inputs[0][i]);
        real_sum_product(&difference, -1, number_of(&attributes[NORMALIZE_MEAN], i / places));
        evaluation->output[i] = real_quotient(real_sum_finish(&difference, 0),
                                              number_of(&attributes[NORMALIZE_STD], i / places));
    }
}

/* ---- lowering ------------------------------------------------------------------------------ */

static MapStage numbers_stage(MapOp op, const Attribute *attribute) {
    if (attribute->numbers.count == 1)
        return (MapStage){
            .op = op, .kind = OPERAND_NUMBER, .constants = {attribute->numbers.items[0]}};
    return (MapStage){.op = op, .kind = OPERAND_NUMBERS, .numbers = attribute->numbers.items};
}

static void normalize_lower(Lowering *lowering, const Node *node) {
    kernel_then(lowering, node, numbers_stage(MAP_SUBTRACT, &node->attributes[NORMALIZE_MEAN]));
    kernel_then(lowering, node, numbers_stage(MAP_DIVIDE, &node->attributes[NORMALIZE_STD]));
}

const LayerInfo layer_normalize = {
    .name = "normalize",
    .summary = "(x - mean) / std with given numbers for each channel, as images are prepared",
    .family = FAMILY_NORMALISATION,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = NORMALIZE_ATTRIBUTES,
    .attributes =
        {
            [NORMALIZE_MEAN] = {"mean", ATTRIBUTE_NUMBERS, NULL, -1e9, 1e9,
                                "subtracted: one number for each channel, or one for all"},
            [NORMALIZE_STD] = {"std", ATTRIBUTE_NUMBERS, NULL, 1e-9, 1e9,
                               "divided by: one number for each channel, or one for all"},
        },
    .shape_doc = "[C, ...] -> the same shape",
    .operations_doc = "2 for each element: difference, quotient",
    .example = "network example(image: u8[3, 32, 32]) -> [8, 32, 32] {\n"
               "    return image / 255\n"
               "        -> normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))\n"
               "        -> conv(8, 3x3, pad=1)\n"
               "}\n",
    .infer = normalize_infer,
    .operations = normalize_operations,
    .evaluate = normalize_evaluate,
    .lower = normalize_lower,
};
