/* windowattention: multi-head attention within windows of an image (Liu et al., Swin Transformer:
 * hierarchical vision transformer using shifted windows, 2021), with the weights of torchvision's
 * ShiftedWindowAttention. Of each head
 *     p = softmax(q k' / sqrt(C / heads) + table[place of the query - place of the key] + mask)
 *     context = p v
 * The image is padded with zeros to whole windows, and with a shift it is rolled up and to the left
 * before it is divided: the last windows then hold places from both ends of an axis, which a mask
 * of -100 keeps apart. An axis of one window is not shifted. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernels/kernel.h"
#include "layers/attention.h"
#include "layers/edit.h"
#include "layers/layer.h"
#include "layers/rearrange.h"
#include "support/checked.h"

enum WindowAttentionAttribute {
    WINDOWATTENTION_HEADS,
    WINDOWATTENTION_WINDOW,
    WINDOWATTENTION_SHIFT,
    WINDOWATTENTION_ATTRIBUTES,
};

/* What a node's arguments and shapes say. */
typedef struct WindowAttention {
    WindowGrid grid;
    int64_t image[2];   /* H, W */
    int64_t padded[2];  /* whole windows along each axis */
    int64_t pixels;     /* of the padded image */
    int64_t windows;    /* in it */
    int64_t places;     /* of a window */
    int64_t positions;  /* of a key beside a query, rows of the table */
    int64_t width;      /* C */
    int64_t head_width; /* C / heads */
} WindowAttention;

/* False if a number leaves 64 bits. */
static bool measure(const Node *node, WindowAttention *a) {
    const Shape *input = &node->inputs[0]->type.shape;
    const Attribute *attributes = node->attributes;
    *a = (WindowAttention){.grid.heads = attributes[WINDOWATTENTION_HEADS].integer,
                           .pixels = 1,
                           .windows = 1,
                           .places = 1,
                           .positions = 1,
                           .width = input->dims[2]};
    a->head_width = a->width / a->grid.heads;
    for (int i = 0; i < 2; i++) {
        int64_t places = attributes[WINDOWATTENTION_WINDOW].size[i];
        a->image[i] = input->dims[i];
        a->grid.places[i] = places;
        if (!checked_round_up(a->image[i], places, &a->padded[i]) ||
            !checked_mul(a->pixels, a->padded[i], &a->pixels) ||
            !checked_mul(a->places, places, &a->places) ||
            !checked_mul(a->positions, 2 * places - 1, &a->positions))
            return false;
        a->grid.windows[i] = a->padded[i] / places;
        a->grid.shift[i] = a->grid.windows[i] > 1 ? attributes[WINDOWATTENTION_SHIFT].size[i] : 0;
        a->windows *= a->grid.windows[i]; /* at most a->pixels */
    }
    return true;
}

static WindowAttention attention_of(const Node *node) {
    WindowAttention attention;
    bool fits = measure(node, &attention);
    assert(fits && "checked by .infer");
    (void)fits;
    return attention;
}

static bool is_shifted(const WindowAttention *a) {
    return a->grid.shift[0] > 0 || a->grid.shift[1] > 0;
}

static bool is_padded(const WindowAttention *a) {
    return a->padded[0] > a->image[0] || a->padded[1] > a->image[1];
}

typedef struct WindowAttentionWeights {
    const Weight *table;          /* [positions, heads] */
    const Weight *in, *in_bias;   /* [3 C, C], [3 C] */
    const Weight *out, *out_bias; /* [C, C], [C] */
} WindowAttentionWeights;

static WindowAttentionWeights weights_of(const Node *node) {
    Weight *const *weights = node->weights.data;
    return (WindowAttentionWeights){weights[0], weights[1], weights[2], weights[3], weights[4]};
}

/* ---- shapes, weights, counts -------------------------------------------------------------- */

static bool check_input(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    if (input->rank == 3)
        return true;
    infer_error(inference, DIAG_E0212, -1, "`windowattention` takes an image [H, W, C], got %s",
                infer_shape_text(inference, input));
    return false;
}

static bool check_shift(Inference *inference) {
    const Attribute *attributes = inference->node->attributes;
    for (int i = 0; i < 2; i++) {
        int64_t places = attributes[WINDOWATTENTION_WINDOW].size[i];
        int64_t shift = attributes[WINDOWATTENTION_SHIFT].size[i];
        if (shift < places)
            continue;
        Diagnostic *diagnostic =
            infer_error(inference, DIAG_E0262, WINDOWATTENTION_SHIFT,
                        "a shift of %lld is no less than the window's %lld places %s",
                        (long long)shift, (long long)places, i == 0 ? "down" : "across");
        diag_note(inference->diagnostics, diagnostic, "half a window, rounded down, is usual");
        return false;
    }
    return true;
}

/* The values between the steps. */
static bool check_sizes(Inference *inference) {
    WindowAttention a;
    int64_t columns, matrices;
    bool fits = measure(inference->node, &a) && checked_mul(a.width, 3, &columns) &&
                checked_mul(a.windows, a.grid.heads, &matrices);
    const Shape projections = fits ? shape_make(2, a.pixels, columns) : (Shape){0};
    const Shape scores = fits ? shape_make(3, matrices, a.places, a.places) : (Shape){0};
    if (fits && shape_is_valid(&projections) && shape_is_valid(&scores))
        return true;
    infer_error(inference, DIAG_E0802, WINDOWATTENTION_WINDOW,
                "windows of %lld x %lld make the scores of `windowattention` too large",
                (long long)a.grid.places[0],
                (long long)inference->node->attributes[WINDOWATTENTION_WINDOW].size[1]);
    return false;
}

static bool windowattention_infer(Inference *inference) {
    if (!check_input(inference))
        return false;
    const Shape *input = infer_input(inference, 0);
    int64_t width = input->dims[2];
    if (!attention_check_heads(inference, WINDOWATTENTION_HEADS, width) ||
        !check_shift(inference) || !check_sizes(inference) || !infer_result(inference, *input))
        return false;
    WindowAttention a = attention_of(inference->node);
    const Shape table = shape_make(2, a.positions, a.grid.heads);
    return infer_weight(inference, "relative_position_bias_table", table, WEIGHT_BIAS, 1, true) &&
           infer_weight(inference, "qkv.weight", shape_make(2, 3 * width, width), WEIGHT_KERNEL,
                        width, true) &&
           infer_weight(inference, "qkv.bias", shape_make(1, 3 * width), WEIGHT_BIAS, width,
                        true) &&
           infer_weight(inference, "proj.weight", shape_make(2, width, width), WEIGHT_KERNEL, width,
                        true) &&
           infer_weight(inference, "proj.bias", shape_make(1, width), WEIGHT_BIAS, width, true);
}

static void windowattention_macs(const Node *node, Factors *factors) {
    WindowAttention a = attention_of(node);
    FACTORS_PRODUCT(factors, a.pixels, 3, a.width, a.width);             /* projections */
    FACTORS_PRODUCT(factors, a.windows, 2, a.places, a.places, a.width); /* scores and context */
    FACTORS_PRODUCT(factors, a.image[0] * a.image[1], a.width, a.width); /* result */
}

/* A score is scaled, gets its number of the table and its mask, and goes through softmax. */
static void windowattention_operations(const Node *node, Factors *factors) {
    WindowAttention a = attention_of(node);
    int64_t score = 1 + 1 + (is_shifted(&a) ? 1 : 0) + 5;
    FACTORS_PRODUCT(factors, a.windows, a.grid.heads, a.places, a.places, score);
    FACTORS_PRODUCT(factors, a.pixels, 3, a.width);
    FACTORS_PRODUCT(factors, a.image[0] * a.image[1], a.width);
}

/* ---- reference ---------------------------------------------------------------------------- */

/* The projections of one window's pixels, one below the other; only one head is looked at. */
typedef struct Head {
    const WindowAttention *attention;
    const Weight *table;
    int64_t head;
    int64_t window[2];
    const Real *q, *k, *v; /* [places, C] */
} Head;

/* The padded image's pixel that is place `place` of a window. */
static int64_t pixel_of(const WindowAttention *a, const int64_t window[2], int64_t place) {
    const int64_t at[] = {place / a->grid.places[1], place % a->grid.places[1]};
    int64_t pixel = 0;
    for (int i = 0; i < 2; i++) {
        int64_t rolled = window[i] * a->grid.places[i] + at[i];
        pixel = pixel * a->padded[i] + (rolled + a->grid.shift[i]) % a->padded[i];
    }
    return pixel;
}

/* The table's number for a query and a key, and the mask between them. */
static double bias_of(const Head *h, int64_t query, int64_t key) {
    const WindowGrid *grid = &h->attention->grid;
    const int64_t from[] = {query / grid->places[1], query % grid->places[1]};
    const int64_t to[] = {key / grid->places[1], key % grid->places[1]};
    int64_t row = 0;
    bool apart = false;
    for (int i = 0; i < 2; i++) {
        int64_t turn = grid->places[i] - grid->shift[i];
        row = row * (2 * grid->places[i] - 1) + from[i] - to[i] + grid->places[i] - 1;
        if (h->window[i] == grid->windows[i] - 1 && (from[i] < turn) != (to[i] < turn))
            apart = true;
    }
    return (double)h->table->data[row * grid->heads + h->head] + (apart ? WINDOW_MASK : 0);
}

/* Adds the bias to the score; the sum of table and mask is rounded too. */
static Real biased(Real score, double bias) {
    RealSum sum = {0};
    real_sum_product(&sum, 1, score);
    real_sum_product(&sum, 1, (Real){.value = bias});
    return real_sum_finish(&sum, 1);
}

static void attend(const Head *h, int64_t query, Real *shares, Real *context) {
    const WindowAttention *a = h->attention;
    int64_t column = h->head * a->head_width;
    for (int64_t key = 0; key < a->places; key++) {
        Real score = attention_score(h->q + query * a->width + column,
                                     h->k + key * a->width + column, a->head_width);
        shares[key] = biased(score, bias_of(h, query, key));
    }
    real_softmax(shares, shares, a->places, 1);
    for (int64_t i = column; i < column + a->head_width; i++) {
        RealSum sum = {0};
        for (int64_t key = 0; key < a->places; key++)
            real_sum_pair(&sum, shares[key], h->v[key * a->width + i]);
        context[i] = real_sum_finish(&sum, 0);
    }
}

/* One window: its pixels of the projections [pixels, C], what attention makes of them to `context`.
 */
static void attend_window(const WindowAttention *a, const Weight *table, const int64_t window[2],
                          Real *const projections[3], Real *context) {
    Arena arena = {0};
    Real *shares = ARENA_ARRAY(&arena, (size_t)a->places, Real), *parts[3];
    for (int i = 0; i < 3; i++) {
        parts[i] = ARENA_ARRAY(&arena, (size_t)(a->places * a->width), Real);
        for (int64_t place = 0; place < a->places; place++)
            memcpy(parts[i] + place * a->width,
                   projections[i] + pixel_of(a, window, place) * a->width,
                   (size_t)a->width * sizeof(Real));
    }
    Head head = {.attention = a,
                 .table = table,
                 .window = {window[0], window[1]},
                 .q = parts[0],
                 .k = parts[1],
                 .v = parts[2]};
    for (; head.head < a->grid.heads; head.head++)
        for (int64_t query = 0; query < a->places; query++)
            attend(&head, query, shares, context + pixel_of(a, window, query) * a->width);
    arena_free(&arena);
}

static void windowattention_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    WindowAttention a = attention_of(node);
    WindowAttentionWeights w = weights_of(node);
    Arena arena = {0};
    size_t size = (size_t)(a.pixels * a.width), row = (size_t)(a.image[1] * a.width);
    Real *padded = ARENA_ARRAY(&arena, size, Real); /* zeros */
    Real *context = ARENA_ARRAY(&arena, size, Real), *projections[3];
    for (int64_t y = 0; y < a.image[0]; y++)
        memcpy(padded + y * a.padded[1] * a.width, evaluation->inputs[0] + y * (int64_t)row,
               row * sizeof *padded);
    for (int i = 0; i < 3; i++) {
        projections[i] = ARENA_ARRAY(&arena, size, Real);
        attention_project(evaluation, w.in, w.in_bias, i * a.width, a.pixels, padded,
                          projections[i]);
    }
    for (int64_t i = 0; i < a.windows; i++)
        attend_window(&a, w.table, (int64_t[]){i / a.grid.windows[1], i % a.grid.windows[1]},
                      projections, context);
    for (int64_t y = 0; y < a.image[0]; y++)
        attention_project(evaluation, w.out, w.out_bias, 0, a.image[1],
                          context + y * a.padded[1] * a.width,
                          evaluation->output + y * (int64_t)row);
    arena_free(&arena);
}

/* ---- lowering ----------------------------------------------------------------------------- */

/* `size` places of [H, W, C] along each axis, place (y, x) from (y - begin[0], x - begin[1]). */
static Value *lower_image(Lowering *lowering, const Node *node, Value *input, RearrangeEdge edge,
                          const int64_t begin[2], const int64_t size[2], const char *part) {
    const Shape *shape = &input->type.shape;
    Value *result =
        kernel_value(lowering, node, part, shape_make(3, size[0], size[1], shape->dims[2]));
    Rearrange rearrange = {.edge = edge};
    rearrange_add_axes(&rearrange, shape, 0, 3);
    for (int i = 0; i < 2; i++) {
        rearrange.loops[i].begin = begin[i];
        rearrange.loops[i].count = size[i];
    }
    kernel_rearrange(lowering, node, &rearrange, input, result);
    return result;
}

/* Whole windows, those that the grid names. */
static Value *lower_padding(Lowering *lowering, const Node *node, const WindowAttention *a) {
    static const int64_t none[2] = {0, 0};
    Value *value = node->inputs[0];
    if (is_padded(a))
        value = lower_image(lowering, node, value, REARRANGE_CONSTANT, none, a->padded, "padded");
    if (!is_shifted(a))
        return value;
    const int64_t begin[] = {a->padded[0] - a->grid.shift[0], a->padded[1] - a->grid.shift[1]};
    return lower_image(lowering, node, value, REARRANGE_WRAP, begin, a->padded, "rolled");
}

/* Queries, keys and values of each pixel, [pixels, 3 C]; then of each head of each window,
 * [3 * windows * heads, places, C / heads]. */
static Value *lower_heads(Lowering *lowering, const Node *node, const WindowAttention *a,
                          Value *image) {
    WindowAttentionWeights w = weights_of(node);
    int64_t columns = 3 * a->width, line = a->padded[1] * columns;
    Value *pixels = kernel_value(lowering, node, "projections", shape_make(2, a->pixels, columns));
    const Product product = {.batches = 1,
                             .rows = a->pixels,
                             .depth = a->width,
                             .columns = columns,
                             .left = {.row_stride = a->width},
                             .result = {.row_stride = columns}};
    kernel_gemm_weight(lowering, node, &product, image, w.in, w.in_bias, 0, pixels);

    const WindowGrid *grid = &a->grid;
    Value *heads =
        kernel_value(lowering, node, "heads",
                     shape_make(3, 3 * a->windows * grid->heads, a->places, a->head_width));
    Rearrange rearrange = {0};
    rearrange_add(&rearrange, 3, a->width);
    rearrange_add(&rearrange, grid->windows[0], grid->places[0] * line);
    rearrange_add(&rearrange, grid->windows[1], grid->places[1] * columns);
    rearrange_add(&rearrange, grid->heads, a->head_width);
    rearrange_add(&rearrange, grid->places[0], line);
    rearrange_add(&rearrange, grid->places[1], columns);
    rearrange_add(&rearrange, a->head_width, 1);
    kernel_rearrange(lowering, node, &rearrange, pixels, heads);
    return heads;
}

/* What each head of each window makes of its queries, [windows * heads, places, C / heads]. */
static Value *lower_context(Lowering *lowering, const Node *node, const WindowAttention *a,
                            Value *heads) {
    int64_t matrices = a->windows * a->grid.heads, size = a->places * a->head_width;
    const Matrices pairs = {0, a->places * a->places, a->places};
    const Matrices queries = {0, size, a->head_width};
    const Matrices keys = {matrices * size, size, a->head_width};
    const Matrices values = {2 * matrices * size, size, a->head_width};
    const Shape square = shape_make(3, matrices, a->places, a->places);

    Value *scores = kernel_value(lowering, node, "scores", square);
    const Product scoring = {.batches = matrices,
                             .rows = a->places,
                             .depth = a->head_width,
                             .columns = a->places,
                             .left = queries,
                             .right = keys,
                             .result = pairs,
                             .transposed = true,
                             .factor = 1 / sqrt((double)a->head_width)};
    kernel_gemm(lowering, node, &scoring, heads, heads, scores);
    Value *biased = kernel_value(lowering, node, "biased", square);
    kernel_window_bias(lowering, node, weights_of(node).table, &a->grid, scores, biased);
    Value *shares = kernel_value(lowering, node, "shares", square);
    kernel_softmax_rows(lowering, node, false, biased, shares);

    Value *context =
        kernel_value(lowering, node, "context", shape_make(3, matrices, a->places, a->head_width));
    const Product mixing = {.batches = matrices,
                            .rows = a->places,
                            .depth = a->places,
                            .columns = a->head_width,
                            .left = pairs,
                            .right = values,
                            .result = queries};
    kernel_gemm(lowering, node, &mixing, shares, heads, context);
    return context;
}

/* The windows in their places again, [H, W, C] without the padding. */
static Value *lower_joining(Lowering *lowering, const Node *node, const WindowAttention *a,
                            Value *context) {
    const WindowGrid *grid = &a->grid;
    int64_t head = a->places * a->head_width, window = grid->heads * head;
    Value *image =
        kernel_value(lowering, node, "joined", shape_make(3, a->padded[0], a->padded[1], a->width));
    Rearrange rearrange = {0};
    rearrange_add(&rearrange, grid->windows[0], grid->windows[1] * window);
    rearrange_add(&rearrange, grid->places[0], grid->places[1] * a->head_width);
    rearrange_add(&rearrange, grid->windows[1], window);
    rearrange_add(&rearrange, grid->places[1], a->head_width);
    rearrange_add(&rearrange, grid->heads, head);
    rearrange_add(&rearrange, a->head_width, 1);
    kernel_rearrange(lowering, node, &rearrange, context, image);
    if (!is_shifted(a) && !is_padded(a))
        return image;
    return lower_image(lowering, node, image, REARRANGE_WRAP, grid->shift, a->image, "unrolled");
}

static void windowattention_lower(Lowering *lowering, const Node *node) {
    WindowAttention a = attention_of(node);
    WindowAttentionWeights w = weights_of(node);
    Value *image = lower_padding(lowering, node, &a);
    Value *context = lower_context(lowering, node, &a, lower_heads(lowering, node, &a, image));
    Value *joined = lower_joining(lowering, node, &a, context);
    const Product product = {.batches = 1,
                             .rows = a.image[0] * a.image[1],
                             .depth = a.width,
                             .columns = a.width,
                             .left = {.row_stride = a.width},
                             .result = {.row_stride = a.width}};
    kernel_gemm_weight(lowering, node, &product, joined, w.out, w.out_bias, 0, node->outputs[0]);
}

const LayerInfo layer_windowattention = {
    .name = "windowattention",
    .summary = "multi-head attention within windows of an image (Swin, Liu et al. 2021)",
    .family = FAMILY_SEQUENCE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = WINDOWATTENTION_ATTRIBUTES,
    .attributes =
        {
            [WINDOWATTENTION_HEADS] = {"heads", ATTRIBUTE_INTEGER, NULL, 1, INT32_MAX,
                                       "parts of the width that look by themselves; a divisor of "
                                       "it"},
            [WINDOWATTENTION_WINDOW] = {"window", ATTRIBUTE_SIZE, "7", 1, INT32_MAX,
                                        "places of a window along each axis"},
            [WINDOWATTENTION_SHIFT] = {"shift", ATTRIBUTE_SIZE, "0", 0, INT32_MAX,
                                       "places by which the image is rolled before it is divided; "
                                       "an axis of one window is not"},
        },
    .shape_doc = "[H, W, C] -> [H, W, C]; padded with zeros to whole windows of M x N places in "
                 "between",
    .weights_doc = "relative_position_bias_table [(2 * M - 1) * (2 * N - 1), heads], qkv.weight "
                   "[3 * C, C], qkv.bias [3 * C], proj.weight [C, C], proj.bias [C]",
    .macs_doc = "padded H * W * 3 * C * C + windows * 2 * (M * N) * (M * N) * C + H * W * C * C",
    .operations_doc = "7 for each head and pair of places in a window: scale, table and softmax, "
                      "with a shift 8; the biases",
    .example = "network example(patches: [14, 14, 96]) -> [14, 14, 96] {\n"
               "    return patches -> windowattention(3) -> windowattention(3, shift=3)\n"
               "}\n",
    .infer = windowattention_infer,
    .macs = windowattention_macs,
    .operations = windowattention_operations,
    .footprint = footprint_everything,
    .evaluate = windowattention_evaluate,
    .lower = windowattention_lower,
};
