/* embedding, positional, prepend: tables with a row for each token, one for each position, and rows
 * of their own. */
#include <math.h>

#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/evaluate.h"
#include "layers/layer.h"
#include "support/checked.h"

/* ---- embedding ---------------------------------------------------------------------------- */

enum EmbeddingAttribute {
    EMBEDDING_VOCABULARY,
    EMBEDDING_WIDTH,
    EMBEDDING_ATTRIBUTES,
};

/* The largest number up to which f32 has every integer. */
#define LARGEST_VOCABULARY 0x1p24

static bool embedding_infer(Inference *inference) {
    const Attribute *attributes = inference->node->attributes;
    int64_t vocabulary = attributes[EMBEDDING_VOCABULARY].integer;
    int64_t width = attributes[EMBEDDING_WIDTH].integer;
    Shape result = *infer_input(inference, 0);
    if (result.rank == TENSOR_MAX_RANK) {
        infer_error(inference, DIAG_E0212, -1,
                    "`embedding` adds an axis, and %s has no room for it",
                    infer_shape_text(inference, &result));
        return false;
    }
    result.dims[result.rank++] = width;
    return infer_result(inference, result) &&
           infer_weight(inference, "weight", shape_make(2, vocabulary, width), WEIGHT_BIAS, 1,
                        true) != NULL;
}

static int64_t embedding_vocabulary(const Node *node) {
    return node->attributes[EMBEDDING_VOCABULARY].integer;
}

/* The row that a number means, as in kernels/table.c; -1: none. */
static int64_t row_of(double number, int64_t rows) {
    return number > -1 && number < (double)rows ? (int64_t)number : -1;
}

static void embedding_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    const Weight *table = node->weights.data[0];
    int64_t rows = table->shape.dims[0], width = table->shape.dims[1];
    int64_t places = shape_elements(&node->inputs[0]->type.shape);
    for (int64_t t = 0; t < places; t++) {
        Real number = evaluation->inputs[0][t];
        int64_t row = row_of(number.value, rows);
        bool sure = row_of(number.value - number.error, rows) == row &&
                    row_of(number.value + number.error, rows) == row;
        for (int64_t i = 0; i < width; i++)
            evaluation->output[t * width + i] =
                (Real){.value = row < 0 ? NAN : table->data[row * width + i],
                       .error = sure ? 0 : INFINITY};
    }
}

static void embedding_lower(Lowering *lowering, const Node *node) {
    kernel_table(lowering, node, node->weights.data[0], true);
}

const LayerInfo layer_embedding = {
    .name = "embedding",
    .summary = "the row of a table for each token",
    .family = FAMILY_SEQUENCE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = EMBEDDING_ATTRIBUTES,
    .attributes =
        {
            [EMBEDDING_VOCABULARY] = {"vocabulary", ATTRIBUTE_INTEGER, NULL, 1, LARGEST_VOCABULARY,
                                      "tokens, numbered from 0"},
            [EMBEDDING_WIDTH] = {"width", ATTRIBUTE_INTEGER, NULL, 1, INT32_MAX,
                                 "features of each token"},
        },
    .shape_doc =
        "[T] -> [T, width]; the elements are token numbers, rounded towards zero. One that "
        "is no row of the table gives a row of NaN",
    .weights_doc = "weight [vocabulary, width]",
    .example = "network example(tokens: [16]) -> [16, 64] {\n"
               "    return tokens -> embedding(1000, 64)\n"
               "}\n",
    .infer = embedding_infer,
    .footprint = footprint_everything,
    .vocabulary = embedding_vocabulary,
    .evaluate = embedding_evaluate,
    .lower = embedding_lower,
};

/* ---- positional --------------------------------------------------------------------------- */

enum PositionalAttribute {
    POSITIONAL_LENGTH,
    POSITIONAL_ATTRIBUTES,
};

static bool positional_infer(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    const Attribute *length = &inference->node->attributes[POSITIONAL_LENGTH];
    if (input->rank != 2) {
        infer_error(inference, DIAG_E0212, -1, "`positional` takes a sequence [T, D], got %s",
                    infer_shape_text(inference, input));
        return false;
    }
    int64_t positions = length->given ? length->integer : input->dims[0];
    if (positions < input->dims[0]) {
        Diagnostic *diagnostic =
            infer_error(inference, DIAG_E0261, POSITIONAL_LENGTH,
                        "the table has %s positions, but the sequence has %s",
                        edit_count(inference, positions), edit_count(inference, input->dims[0]));
        edit_argument(inference, diagnostic, POSITIONAL_LENGTH,
                      arena_format(inference->arena, "%lld", (long long)input->dims[0]), false,
                      "as many as the sequence has");
        return false;
    }
    return infer_result(inference, *input) &&
           infer_weight(inference, "weight", shape_make(2, positions, input->dims[1]), WEIGHT_BIAS,
                        1, true) != NULL;
}

static void positional_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    const Weight *table = node->weights.data[0];
    int64_t elements = shape_elements(&node->outputs[0]->type.shape);
    for (int64_t i = 0; i < elements; i++) {
        RealSum sum = {0};
        real_sum_product(&sum, 1, evaluation->inputs[0][i]);
        real_sum_product(&sum, 1, (Real){.value = table->data[i]});
        evaluation->output[i] = real_sum_finish(&sum, 0);
    }
}

static void positional_lower(Lowering *lowering, const Node *node) {
    kernel_table(lowering, node, node->weights.data[0], false);
}

const LayerInfo layer_positional = {
    .name = "positional",
    .summary = "adds a learned vector to each position of a sequence",
    .family = FAMILY_SEQUENCE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = POSITIONAL_ATTRIBUTES,
    .attributes =
        {[POSITIONAL_LENGTH] = {"length", ATTRIBUTE_INTEGER, "", 1, INT32_MAX,
                                "positions in the table; unless written, those of the input"}},
    .shape_doc = "[T, D] -> [T, D], with the first T rows of the table",
    .weights_doc = "weight [length, D]",
    .operations_doc = "1 for each element",
    .example = "network example(tokens: [16]) -> [16, 64] {\n"
               "    return tokens -> embedding(1000, 64) -> positional(length=512)\n"
               "}\n",
    .infer = positional_infer,
    .operations = one_operation_each,
    .evaluate = positional_evaluate,
    .lower = positional_lower,
};

/* ---- prepend ------------------------------------------------------------------------------ */

static bool prepend_infer(Inference *inference) {
    Shape result = *infer_input(inference, 0);
    int64_t count = inference->node->attributes[0].integer;
    if (result.rank != 2) {
        infer_error(inference, DIAG_E0212, -1, "`prepend` takes a sequence [T, D], got %s",
                    infer_shape_text(inference, &result));
        return false;
    }
    Shape table = shape_make(2, count, result.dims[1]);
    if (!checked_add(result.dims[0], count, &result.dims[0]))
        result.dims[0] = INT64_MAX; /* refused by infer_result */
    return infer_result(inference, result) &&
           infer_weight(inference, "weight", table, WEIGHT_BIAS, 1, true) != NULL;
}

static void prepend_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    const Weight *table = node->weights.data[0];
    int64_t elements = shape_elements(&node->inputs[0]->type.shape);
    for (int64_t i = 0; i < table->elements; i++)
        evaluation->output[i] = (Real){.value = table->data[i]};
    for (int64_t i = 0; i < elements; i++)
        evaluation->output[table->elements + i] = evaluation->inputs[0][i];
}

static void prepend_lower(Lowering *lowering, const Node *node) {
    const Weight *table = node->weights.data[0];
    Value *rows = kernel_value(lowering, node, "rows", table->shape);
    kernel_rows(lowering, node, table, rows);
    kernel_join(lowering, node, (Value *[]){rows, node->inputs[0]}, 2, 0);
}

const LayerInfo layer_prepend = {
    .name = "prepend",
    .summary = "puts learned rows before a sequence: class tokens (Dosovitskiy et al. 2021)",
    .family = FAMILY_SEQUENCE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 1,
    .attributes = {{"count", ATTRIBUTE_INTEGER, "1", 1, INT32_MAX, "rows"}},
    .shape_doc = "[T, D] -> [count + T, D]",
    .weights_doc = "weight [count, D]",
    .example = "network example(patches: [49, 64]) -> [50, 64] {\n"
               "    return patches -> prepend -> positional\n"
               "}\n",
    .infer = prepend_infer,
    .footprint = footprint_everything,
    .evaluate = prepend_evaluate,
    .lower = prepend_lower,
};
