/* maxpool, avgpool, globalmaxpool, globalavgpool, adaptiveavgpool: one number for each window, or
 * for all of a channel.
 *
 * With scale=on and bias=on the result of channel c is then y * weight[c] + bias[c], both trained,
 * as in the subsampling layers of LeNet-5 (LeCun et al. 1998). */
#include <math.h>

#include "kernels/kernel.h"
#include "layers/evaluate.h"
#include "layers/layer.h"
#include "layers/window.h"
#include "support/checked.h"

enum MaxpoolAttribute {
    MAXPOOL_SIZE,
    MAXPOOL_STRIDE,
    MAXPOOL_PAD,
    MAXPOOL_DILATION,
    MAXPOOL_CEIL,
    MAXPOOL_SCALE,
    MAXPOOL_BIAS,
    MAXPOOL_ATTRIBUTES,
};

enum AvgpoolAttribute {
    AVGPOOL_SIZE,
    AVGPOOL_STRIDE,
    AVGPOOL_PAD,
    AVGPOOL_CEIL,
    AVGPOOL_COUNTPAD,
    AVGPOOL_SCALE,
    AVGPOOL_BIAS,
    AVGPOOL_ATTRIBUTES,
};

/* ---- coefficients of a channel ------------------------------------------------------------ */

static bool declare_coefficients(Inference *inference) {
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

static void coefficient_operations(const Node *node, Factors *factors) {
    if (node_switch(node, "scale"))
        factors_add_elements(factors, node, 1);
    if (node_switch(node, "bias"))
        factors_add_elements(factors, node, 1);
}

static void apply_coefficients(Evaluation *evaluation) {
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

static void lower_coefficients(Lowering *lowering, const Node *node) {
    Affine affine = coefficients_of(node);
    if (affine.gamma != NULL || affine.beta != NULL)
        kernel_affine(lowering, node, &affine);
}

/* ---- windows ------------------------------------------------------------------------------ */

static bool pool_infer(Inference *inference) {
    Shape result = {.dims = {infer_input(inference, 0)->dims[0]}};
    return window_infer(inference, true, &result) && infer_result(inference, result) &&
           declare_coefficients(inference);
}

/* One channel of a pooling, and the output place whose window is looked at; by WindowAxis. */
typedef struct Pool {
    Window window;
    int64_t input[MAX_SPATIAL];
    int64_t place[MAX_SPATIAL];
    const Real *channel;
} Pool;

typedef Real PoolWindow(const Pool *pool, const Node *node);

/* Taps of a window. */
static int64_t pool_taps(const Pool *pool) {
    const int64_t *kernel = pool->window.kernel;
    return kernel[WINDOW_DEPTH] * kernel[WINDOW_HEIGHT] * kernel[WINDOW_WIDTH];
}

/* The input at tap number `tap` of the window, in row-major order; NULL in the padding. */
static const Real *pool_tap(const Pool *pool, int64_t tap) {
    const Window *window = &pool->window;
    const int64_t *kernel = window->kernel;
    int64_t taps[MAX_SPATIAL];
    taps[WINDOW_WIDTH] = tap % kernel[WINDOW_WIDTH];
    taps[WINDOW_HEIGHT] = tap / kernel[WINDOW_WIDTH] % kernel[WINDOW_HEIGHT];
    taps[WINDOW_DEPTH] = tap / kernel[WINDOW_WIDTH] / kernel[WINDOW_HEIGHT];
    int64_t at[MAX_SPATIAL];
    for (int i = 0; i < MAX_SPATIAL; i++) {
        at[i] = pool->place[i] * window->stride[i] - window->pad_begin[i] +
                taps[i] * window->dilation[i];
        if (at[i] < 0 || at[i] >= pool->input[i])
            return NULL;
    }
    int64_t line = at[WINDOW_DEPTH] * pool->input[WINDOW_HEIGHT] + at[WINDOW_HEIGHT];
    return &pool->channel[line * pool->input[WINDOW_WIDTH] + at[WINDOW_WIDTH]];
}

static void pool_evaluate(Evaluation *evaluation, PoolWindow *pool_window) {
    const Node *node = evaluation->node;
    const Shape *input = &node->inputs[0]->type.shape;
    const Shape *output = &node->outputs[0]->type.shape;
    Pool pool = {.window = window_of(node)};
    int64_t extents[MAX_SPATIAL];
    window_extents(input, pool.input);
    window_extents(output, extents);
    int64_t channels = input->dims[0], elements = shape_elements(output);
    for (int64_t i = 0; i < elements; i++) {
        int64_t line = i / extents[WINDOW_WIDTH];
        pool.place[WINDOW_WIDTH] = i % extents[WINDOW_WIDTH];
        pool.place[WINDOW_HEIGHT] = line % extents[WINDOW_HEIGHT];
        pool.place[WINDOW_DEPTH] = line / extents[WINDOW_HEIGHT] % extents[WINDOW_DEPTH];
        int64_t channel = i / (elements / channels);
        pool.channel = evaluation->inputs[0] + channel * (shape_elements(input) / channels);
        evaluation->output[i] = pool_window(&pool, node);
    }
    apply_coefficients(evaluation);
}

/* Padding is -Inf. */
static Real largest_in_window(const Pool *pool, const Node *node) {
    (void)node;
    RealMax max = REAL_MAX_NONE;
    for (int64_t tap = 0; tap < pool_taps(pool); tap++) {
        const Real *x = pool_tap(pool, tap);
        if (x != NULL)
            real_max_add(&max, *x);
    }
    return real_max_finish(&max);
}

/* One comparison or addition for each tap of each window. */
static void window_operations(const Node *node, Factors *factors) {
    Slide slides[MAX_SPATIAL];
    int axes = window_slides(node, slides);
    factors_add_shape(factors, &node->outputs[0]->type.shape);
    for (int i = 0; i < axes; i++)
        factors_add(factors, slides[i].kernel);
}

static void maxpool_operations(const Node *node, Factors *factors) {
    window_operations(node, factors);
    coefficient_operations(node, factors);
}

static void avgpool_operations(const Node *node, Factors *factors) {
    window_operations(node, factors);
    factors_add_elements(factors, node, 1); /* the division */
    coefficient_operations(node, factors);
}

static void maxpool_evaluate(Evaluation *evaluation) {
    pool_evaluate(evaluation, largest_in_window);
}

/* Elements that the window covers, padding included, as PyTorch counts them: a window that was
 * added by rounding up ends with the padding. */
static int64_t padded_count(const Pool *pool) {
    const Window *window = &pool->window;
    int64_t count = 1;
    for (int i = 0; i < MAX_SPATIAL; i++) {
        int64_t begin = pool->place[i] * window->stride[i];
        int64_t padded = window->pad_begin[i] + pool->input[i] + window->pad_end[i];
        int64_t end = begin + window->kernel[i];
        count *= (end < padded ? end : padded) - begin;
    }
    return count;
}

static Real average_of_window(const Pool *pool, const Node *node) {
    RealSum sum = {0};
    for (int64_t tap = 0; tap < pool_taps(pool); tap++) {
        const Real *x = pool_tap(pool, tap);
        if (x != NULL)
            real_sum_product(&sum, 1, *x);
    }
    bool count_padding = node->attributes[AVGPOOL_COUNTPAD].boolean;
    return real_sum_mean(&sum, count_padding ? padded_count(pool) : sum.terms);
}

static void avgpool_evaluate(Evaluation *evaluation) {
    pool_evaluate(evaluation, average_of_window);
}

static void maxpool_lower(Lowering *lowering, const Node *node) {
    Window window = window_of(node);
    kernel_window(lowering, node, &window, false, false);
    lower_coefficients(lowering, node);
}

static void avgpool_lower(Lowering *lowering, const Node *node) {
    Window window = window_of(node);
    kernel_window(lowering, node, &window, true, node->attributes[AVGPOOL_COUNTPAD].boolean);
    lower_coefficients(lowering, node);
}

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
           declare_coefficients(inference);
}

static void globalavgpool_operations(const Node *node, Factors *factors) {
    factors_add_shape(factors, &node->inputs[0]->type.shape);
    factors_add_elements(factors, node, 1); /* the division */
    coefficient_operations(node, factors);
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
    apply_coefficients(evaluation);
}

static void globalmaxpool_operations(const Node *node, Factors *factors) {
    factors_add_shape(factors, &node->inputs[0]->type.shape);
    coefficient_operations(node, factors);
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
    apply_coefficients(evaluation);
}

static void globalmaxpool_lower(Lowering *lowering, const Node *node) {
    kernel_global(lowering, node, REDUCE_MAX);
    lower_coefficients(lowering, node);
}

static void globalavgpool_lower(Lowering *lowering, const Node *node) {
    kernel_global(lowering, node, REDUCE_MEAN);
    lower_coefficients(lowering, node);
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
    return infer_result(inference, result) && declare_coefficients(inference);
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
    coefficient_operations(node, factors);
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
    apply_coefficients(evaluation);
}

static void adaptive_lower(Lowering *lowering, const Node *node) {
    const Shape *output = &node->outputs[0]->type.shape;
    if (shape_elements(output) == output->dims[0])
        kernel_global(lowering, node, REDUCE_MEAN);
    else
        kernel_adaptive(lowering, node);
    lower_coefficients(lowering, node);
}

/* ---- the layers --------------------------------------------------------------------------- */

#define SHAPE_RULE                                                                                 \
    "[C, L] -> [C, L'], [C, H, W] -> [C, H', W'], [C, D, H, W] -> [C, D', H', W']: each spatial "  \
    "axis n becomes floor((n + padding - reach) / stride) + 1; with ceil=on it is rounded up, "    \
    "but the last window starts inside "                                                           \
    "the input or the padding before it; with pad=same it becomes ceil(n / stride)"

#define COEFFICIENT_OPERATIONS "; 1 more each with scale=on and with bias=on"

#define COEFFICIENTS "with scale=on weight [C], with bias=on bias [C]"

#define SCALE_ATTRIBUTE                                                                            \
    {"scale", ATTRIBUTE_BOOLEAN, "off", 0, 0, "multiply each channel by a trained number"}
#define BIAS_ATTRIBUTE                                                                             \
    {"bias", ATTRIBUTE_BOOLEAN, "off", 0, 0, "add a trained number to each channel"}
#define SIZE_ATTRIBUTE {"size", ATTRIBUTE_SIZE, NULL, 1, INT32_MAX, "taps along each spatial axis"}
#define STRIDE_ATTRIBUTE                                                                           \
    {"stride", ATTRIBUTE_SIZE, "size", 1, INT32_MAX, "step from one window to the next"}
#define CEIL_ATTRIBUTE                                                                             \
    {"ceil", ATTRIBUTE_BOOLEAN,                                                                    \
     "off",  0,                                                                                    \
     0,      "round the output size up, so that nothing is left out"}

const LayerInfo layer_maxpool = {
    .name = "maxpool",
    .summary = "largest number of each window",
    .family = FAMILY_POOLING,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = MAXPOOL_ATTRIBUTES,
    .attributes =
        {
            [MAXPOOL_SIZE] = SIZE_ATTRIBUTE,
            [MAXPOOL_STRIDE] = STRIDE_ATTRIBUTE,
            [MAXPOOL_PAD] = {"pad", ATTRIBUTE_PADDING, "0", 0, INT32_MAX,
                             "padding around the input, never the largest, or `same`"},
            [MAXPOOL_DILATION] = {"dilation", ATTRIBUTE_SIZE, "1", 1, INT32_MAX,
                                  "step from one tap to the next"},
            [MAXPOOL_CEIL] = CEIL_ATTRIBUTE,
            [MAXPOOL_SCALE] = SCALE_ATTRIBUTE,
            [MAXPOOL_BIAS] = BIAS_ATTRIBUTE,
        },
    .shape_doc = SHAPE_RULE,
    .weights_doc = COEFFICIENTS,
    .operations_doc = "taps of the window for each element of the result" COEFFICIENT_OPERATIONS,
    .example = "network example(image: [8, 32, 32]) -> [8, 16, 16] {\n"
               "    return image -> maxpool(2x2)\n"
               "}\n",
    .infer = pool_infer,
    .operations = maxpool_operations,
    .footprint = window_footprint,
    .evaluate = maxpool_evaluate,
    .lower = maxpool_lower,
};

const LayerInfo layer_avgpool = {
    .name = "avgpool",
    .summary = "average of each window",
    .family = FAMILY_POOLING,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = AVGPOOL_ATTRIBUTES,
    .attributes =
        {
            [AVGPOOL_SIZE] = SIZE_ATTRIBUTE,
            [AVGPOOL_STRIDE] = STRIDE_ATTRIBUTE,
            [AVGPOOL_PAD] = {"pad", ATTRIBUTE_PADDING, "0", 0, INT32_MAX,
                             "padding around the input, or `same`"},
            [AVGPOOL_CEIL] = CEIL_ATTRIBUTE,
            [AVGPOOL_COUNTPAD] = {"countpad", ATTRIBUTE_BOOLEAN, "off", 0, 0,
                                  "count the padding as zeros (PyTorch's default) instead of "
                                  "leaving it out"},
            [AVGPOOL_SCALE] = SCALE_ATTRIBUTE,
            [AVGPOOL_BIAS] = BIAS_ATTRIBUTE,
        },
    .shape_doc = SHAPE_RULE,
    .weights_doc = COEFFICIENTS,
    .operations_doc =
        "taps of the window and a division for each element of the result" COEFFICIENT_OPERATIONS,
    .example = "network example(image: [6, 28, 28]) -> [6, 14, 14] {\n"
               "    return image -> avgpool(2x2, scale=on, bias=on) -> sigmoid\n"
               "}\n",
    .infer = pool_infer,
    .operations = avgpool_operations,
    .footprint = window_footprint,
    .evaluate = avgpool_evaluate,
    .lower = avgpool_lower,
};

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
