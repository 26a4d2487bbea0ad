/* globalmaxpool, globalavgpool: one number for all of a channel; adaptiveavgpool: as many as are
 * asked for. */
#include <math.h>

#include "kernels/kernel.h"
#include "layers/coefficients.h"
#include "layers/window.h"
#include "support/checked.h"

/* ---- the whole channel -------------------------------------------------------------------- */

static bool global_infer(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    if (input->rank < 2) {
        Diagnostic *diagnostic =
            infer_error(inference, DIAG_E0212, -1, "`%s` takes channels and spatial axes, got %s",
                        inference->node->layer->name, infer_shape_text(inference, input));
        diag_here(inference->diagnostics, diagnostic, "needs two dims or more, found %d",
                  input->rank);
        return false;
    }
    return infer_result(inference, shape_make(1, input->dims[0])) &&
           coefficients_declare(inference);
}

static void globalavgpool_operations(const Node *node, Factors *factors) {
    factors_add_shape(factors, &node->inputs[0]->type.shape);
    factors_add_elements(factors, node, 1); /* the division */
    coefficients_operations(node, factors);
}

static void globalavgpool_evaluate(Evaluation *evaluation) {
    const Shape *input = &evaluation->node->inputs[0]->type.shape;
    int64_t pixels = shape_elements(input) / input->dims[0];
    for (int64_t c = 0; c < input->dims[0]; c++) {
        RealSum sum = {0};
        for (int64_t i = c * pixels; i < (c + 1) * pixels; i++)
            real_sum_product(&sum, 1, evaluation->inputs[0][i]);
        evaluation->output[c] = real_sum_mean(&sum, pixels);
    }
    coefficients_apply(evaluation);
}

static void globalmaxpool_operations(const Node *node, Factors *factors) {
    factors_add_shape(factors, &node->inputs[0]->type.shape);
    coefficients_operations(node, factors);
}

static void globalmaxpool_evaluate(Evaluation *evaluation) {
    const Shape *input = &evaluation->node->inputs[0]->type.shape;
    int64_t pixels = shape_elements(input) / input->dims[0];
    for (int64_t c = 0; c < input->dims[0]; c++) {
        RealMax max = REAL_MAX_NONE;
        for (int64_t i = c * pixels; i < (c + 1) * pixels; i++)
            real_max_add(&max, evaluation->inputs[0][i]);
        evaluation->output[c] = real_max_finish(&max);
    }
    coefficients_apply(evaluation);
}

static void globalmaxpool_lower(Lowering *lowering, const Node *node) {
    kernel_global(lowering, node, REDUCE_MAX);
    coefficients_lower(lowering, node);
}

static void globalavgpool_lower(Lowering *lowering, const Node *node) {
    kernel_global(lowering, node, REDUCE_MEAN);
    coefficients_lower(lowering, node);
}

/* ---- even shares -------------------------------------------------------------------------- */

/* PyTorch's rule: of n inputs and m outputs along an axis, output i averages the inputs
 * floor(i n / m) <= k < ceil((i + 1) n / m). Windows share an input where m does not divide i n. */
static int64_t share_begin(int64_t inputs, int64_t outputs, int64_t output) {
    return output * inputs / outputs;
}

static int64_t share_end(int64_t inputs, int64_t outputs, int64_t output) {
    return ((output + 1) * inputs + outputs - 1) / outputs;
}

static bool adaptive_infer(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    if (input->rank != 2 && input->rank != 3) {
        infer_error(
            inference, DIAG_E0212, -1,
            "`adaptiveavgpool` takes [channels, length] or [channels, height, width], got %s",
            infer_shape_text(inference, input));
        return false;
    }
    Shape result = *input;
    for (int i = 1; i < input->rank; i++) {
        int64_t past; /* no larger index is worked out */
        result.dims[i] = inference->node->attributes[0].size[i - 1];
        if (!checked_add(input->dims[i], 1, &past) || !checked_mul(past, result.dims[i], &past))
            result.dims[i] = INT64_MAX; /* refused by infer_result */
    }
    return infer_result(inference, result) && coefficients_declare(inference);
}

/* An addition for each input of each window. Of the m - 1 places between windows all but those at
 * a whole input, gcd(n, m) - 1, lie within an input that both windows have. */
static void adaptive_operations(const Node *node, Factors *factors) {
    const Shape *input = &node->inputs[0]->type.shape;
    const Shape *output = &node->outputs[0]->type.shape;
    factors_add(factors, input->dims[0]);
    for (int i = 1; i < input->rank; i++)
        factors_add(factors, input->dims[i] + output->dims[i] -
                                 common_divisor(input->dims[i], output->dims[i]));
    factors_add_elements(factors, node, 1); /* the division */
    coefficients_operations(node, factors);
}

/* Windows of one size are as far apart as they are large; others depend on where they are. */
static bool adaptive_footprint(const Node *node, Footprint axes[MAX_SPATIAL]) {
    const Shape *input = &node->inputs[0]->type.shape;
    const Shape *output = &node->outputs[0]->type.shape;
    for (int i = 1; i < input->rank; i++) {
        if (input->dims[i] % output->dims[i] != 0)
            return false;
        axes[i - 1].reach = axes[i - 1].step = input->dims[i] / output->dims[i];
    }
    return true;
}

static void adaptive_evaluate(Evaluation *evaluation) {
    const Shape *input = &evaluation->node->inputs[0]->type.shape;
    const Shape *output = &evaluation->node->outputs[0]->type.shape;
    int last = input->rank - 1;
    int64_t height = last == 2 ? input->dims[1] : 1, width = input->dims[last];
    int64_t rows = last == 2 ? output->dims[1] : 1, columns = output->dims[last];
    for (int64_t i = 0; i < shape_elements(output); i++) {
        const Real *channel = evaluation->inputs[0] + i / (rows * columns) * height * width;
        int64_t row = i / columns % rows;
        int64_t column = i % columns;
        RealSum sum = {0};
        for (int64_t y = share_begin(height, rows, row); y < share_end(height, rows, row); y++)
            for (int64_t x = share_begin(width, columns, column);
                 x < share_end(width, columns, column); x++)
                real_sum_product(&sum, 1, channel[y * width + x]);
        evaluation->output[i] = real_sum_mean(&sum, sum.terms);
    }
    coefficients_apply(evaluation);
}

static void adaptive_lower(Lowering *lowering, const Node *node) {
    const Shape *output = &node->outputs[0]->type.shape;
    if (shape_elements(output) == output->dims[0])
        kernel_global(lowering, node, REDUCE_MEAN);
    else
        kernel_adaptive(lowering, node);
    coefficients_lower(lowering, node);
}

/* ---- the layers --------------------------------------------------------------------------- */

const LayerInfo layer_globalavgpool = {
    .name = "globalavgpool",
    .summary = "average of each channel over all its spatial axes",
    .family = FAMILY_POOLING,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 2,
    .attributes = {SCALE_ATTRIBUTE, BIAS_ATTRIBUTE},
    .shape_doc = "[C, ...] -> [C]",
    .weights_doc = COEFFICIENTS,
    .operations_doc =
        "1 for each element of the input and 1 for each channel" COEFFICIENT_OPERATIONS,
    .example = "network example(image: [64, 7, 7]) -> [10] {\n"
               "    return image -> globalavgpool -> dense(10)\n"
               "}\n",
    .infer = global_infer,
    .operations = globalavgpool_operations,
    .evaluate = globalavgpool_evaluate,
    .lower = globalavgpool_lower,
};

const LayerInfo layer_globalmaxpool = {
    .name = "globalmaxpool",
    .summary = "largest number of each channel over all its spatial axes",
    .family = FAMILY_POOLING,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 2,
    .attributes = {SCALE_ATTRIBUTE, BIAS_ATTRIBUTE},
    .shape_doc = "[C, ...] -> [C]",
    .weights_doc = COEFFICIENTS,
    .operations_doc = "1 for each element of the input" COEFFICIENT_OPERATIONS,
    .example = "network example(image: [64, 7, 7]) -> [10] {\n"
               "    return image -> globalmaxpool -> dense(10)\n"
               "}\n",
    .infer = global_infer,
    .operations = globalmaxpool_operations,
    .evaluate = globalmaxpool_evaluate,
    .lower = globalmaxpool_lower,
};

const LayerInfo layer_adaptiveavgpool = {
    .name = "adaptiveavgpool",
    .summary = "averages over as many windows as are asked for, whatever the size of the input",
    .family = FAMILY_POOLING,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = 3,
    .attributes = {{"size", ATTRIBUTE_SIZE, NULL, 1, INT32_MAX, "results along each spatial axis"},
                   SCALE_ATTRIBUTE,
                   BIAS_ATTRIBUTE},
    .shape_doc =
        "[C, L] -> [C, size], [C, H, W] -> [C, size]: of n inputs along an axis that become "
        "m, window i has floor(i n / m) to ceil((i + 1) n / m), that one excluded",
    .weights_doc = COEFFICIENTS,
    .operations_doc = "1 for each input of each window and 1 for each element of the "
                      "result" COEFFICIENT_OPERATIONS,
    .example = "network example(image: [64, 13, 13]) -> [64, 6, 6] {\n"
               "    return image -> adaptiveavgpool(6x6)\n"
               "}\n",
    .infer = adaptive_infer,
    .operations = adaptive_operations,
    .footprint = adaptive_footprint,
    .evaluate = adaptive_evaluate,
    .lower = adaptive_lower,
};
