/* maxpool, avgpool, lppool: one number for each window. */
#include <math.h>

#include "kernels/kernel.h"
#include "layers/coefficients.h"
#include "layers/window.h"

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

enum LppoolAttribute {
    LPPOOL_SIZE,
    LPPOOL_P,
    LPPOOL_STRIDE,
    LPPOOL_PAD,
    LPPOOL_DILATION,
    LPPOOL_CEIL,
    LPPOOL_SCALE,
    LPPOOL_BIAS,
    LPPOOL_ATTRIBUTES,
};

/* ---- windows ------------------------------------------------------------------------------ */

static bool pool_infer(Inference *inference) {
    Shape result = {.dims = {infer_input(inference, 0)->dims[0]}};
    return window_infer(inference, true, &result) && infer_result(inference, result) &&
           coefficients_declare(inference);
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
    coefficients_apply(evaluation);
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
    coefficients_operations(node, factors);
}

static void avgpool_operations(const Node *node, Factors *factors) {
    window_operations(node, factors);
    factors_add_elements(factors, node, 1); /* the division */
    coefficients_operations(node, factors);
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

/* Every sum of squares is at least 0, also one that is off by its bound; the root is steepest at
 * the lowest. */
static Real root_of_sum(Real sum) {
    double value = sqrt(sum.value);
    if (!(sum.error < INFINITY))
        return (Real){value, INFINITY};
    double lowest = fmax(sum.value - sum.error, 0);
    double inherited = sum.error > 0 ? value - sqrt(lowest) : 0;
    return real_rounded(value, inherited, 2 * ROUNDING_ULPS);
}

static Real norm_of_window(const Pool *pool, const Node *node) {
    bool squares = node->attributes[LPPOOL_P].integer == 2;
    RealSum sum = {0};
    for (int64_t tap = 0; tap < pool_taps(pool); tap++) {
        const Real *x = pool_tap(pool, tap);
        if (x == NULL)
            continue;
        Real size = {fabs(x->value), x->error};
        if (squares)
            size = (Real){size.value * size.value, (2 * size.value + size.error) * size.error};
        if (isnan(size.error)) /* an infinite x that is exact */
            size.error = 0;
        real_sum_product(&sum, 1, size);
    }
    Real total = real_sum_finish(&sum, 0);
    return squares ? root_of_sum(total) : total;
}

static void lppool_evaluate(Evaluation *evaluation) {
    pool_evaluate(evaluation, norm_of_window);
}

/* A size or a square beside the addition, and the root. */
static void lppool_operations(const Node *node, Factors *factors) {
    window_operations(node, factors);
    window_operations(node, factors);
    if (node->attributes[LPPOOL_P].integer == 2)
        factors_add_elements(factors, node, 1);
    coefficients_operations(node, factors);
}

static void lppool_lower(Lowering *lowering, const Node *node) {
    Window window = window_of(node);
    bool squares = node->attributes[LPPOOL_P].integer == 2;
    kernel_window(lowering, node, &window, squares ? WINDOW_SUM_OF_SQUARES : WINDOW_SUM_OF_SIZES,
                  false);
    if (squares)
        kernel_then(lowering, node, (MapStage){.op = MAP_SQRT});
    coefficients_lower(lowering, node);
}

static void maxpool_lower(Lowering *lowering, const Node *node) {
    Window window = window_of(node);
    kernel_window(lowering, node, &window, WINDOW_MAXIMUM, false);
    coefficients_lower(lowering, node);
}

static void avgpool_lower(Lowering *lowering, const Node *node) {
    Window window = window_of(node);
    kernel_window(lowering, node, &window, WINDOW_AVERAGE,
                  node->attributes[AVGPOOL_COUNTPAD].boolean);
    coefficients_lower(lowering, node);
}

/* ---- the layers --------------------------------------------------------------------------- */

#define SHAPE_RULE                                                                                 \
    "[C, L] -> [C, L'], [C, H, W] -> [C, H', W'], [C, D, H, W] -> [C, D', H', W']: each spatial "  \
    "axis n becomes floor((n + padding - reach) / stride) + 1; with ceil=on it is rounded up, "    \
    "but the last window starts inside "                                                           \
    "the input or the padding before it; with pad=same it becomes ceil(n / stride)"

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

const LayerInfo layer_lppool = {
    .name = "lppool",
    .summary = "norm of each window: the sum of sizes, or the root of the sum of squares",
    .family = FAMILY_POOLING,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = LPPOOL_ATTRIBUTES,
    .attributes =
        {
            [LPPOOL_SIZE] = SIZE_ATTRIBUTE,
            [LPPOOL_P] = {"p", ATTRIBUTE_INTEGER, "2", 1, 2, "which norm: 1 or 2"},
            [LPPOOL_STRIDE] = STRIDE_ATTRIBUTE,
            [LPPOOL_PAD] = {"pad", ATTRIBUTE_PADDING, "0", 0, INT32_MAX,
                            "zeros around the input, or `same`"},
            [LPPOOL_DILATION] = {"dilation", ATTRIBUTE_SIZE, "1", 1, INT32_MAX,
                                 "step from one tap to the next"},
            [LPPOOL_CEIL] = CEIL_ATTRIBUTE,
            [LPPOOL_SCALE] = SCALE_ATTRIBUTE,
            [LPPOOL_BIAS] = BIAS_ATTRIBUTE,
        },
    .shape_doc = SHAPE_RULE,
    .weights_doc = COEFFICIENTS,
    .operations_doc = "twice the taps of the window for each element of the result; 1 more for a "
                      "root" COEFFICIENT_OPERATIONS,
    .example = "network example(image: [8, 32, 32]) -> [8, 16, 16] {\n"
               "    return image -> lppool(2x2)\n"
               "}\n",
    .infer = pool_infer,
    .operations = lppool_operations,
    .footprint = window_footprint,
    .evaluate = lppool_evaluate,
    .lower = lppool_lower,
};
