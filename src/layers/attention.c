/* attention: multi-head attention (Vaswani et al., Attention Is All You Need, 2017), with the
 * weights of torch.nn.MultiheadAttention: q = query Wq' + bq, k = key Wk' + bk, v = value Wv' + bv
 * (rows of in_proj: Wq, Wk, Wv) of each head, which has D / heads of their columns: p = softmax(q
 * k' / sqrt(D / heads)),   context = p v result = context Wout' + bout A head is a matter of
 * strides: nothing is moved to split the heads or to join them. */
#include "layers/attention.h"

#include <math.h>

#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/lanes.h"
#include "layers/layer.h"
#include "support/checked.h"

enum AttentionAttribute {
    ATTENTION_HEADS,
    ATTENTION_CAUSAL,
    ATTENTION_BIAS,
    ATTENTION_ATTRIBUTES,
};

/* What a node's arguments and shapes say. */
typedef struct Attention {
    int64_t heads;
    int64_t width;      /* D */
    int64_t head_width; /* D / heads */
    int64_t queries;    /* T */
    int64_t keys;       /* S */
    bool causal;
} Attention;

/* The inputs: query, key and value; what is left out is the one before. */
static size_t key_input(const Node *node) {
    return node->input_count > 1 ? 1 : 0;
}

static size_t value_input(const Node *node) {
    return node->input_count - 1;
}

static Attention attention_of(const Node *node) {
    const Shape *query = &node->inputs[0]->type.shape;
    int64_t heads = node->attributes[ATTENTION_HEADS].integer;
    return (Attention){.heads = heads,
                       .width = query->dims[1],
                       .head_width = query->dims[1] / heads,
                       .queries = query->dims[0],
                       .keys = node->inputs[key_input(node)]->type.shape.dims[0],
                       .causal = node->attributes[ATTENTION_CAUSAL].boolean};
}

typedef struct AttentionWeights {
    const Weight *in;       /* [3 D, D] */
    const Weight *in_bias;  /* [3 D] or NULL */
    const Weight *out;      /* [D, D] */
    const Weight *out_bias; /* [D] or NULL */
} AttentionWeights;

static AttentionWeights weights_of(const Node *node) {
    Weight *const *weights = node->weights.data;
    if (!node->attributes[ATTENTION_BIAS].boolean)
        return (AttentionWeights){.in = weights[0], .out = weights[1]};
    return (AttentionWeights){weights[0], weights[1], weights[2], weights[3]};
}

/* ---- shapes, weights, counts -------------------------------------------------------------- */

static bool check_inputs(Inference *inference) {
    const Node *node = inference->node;
    const Shape *query = infer_input(inference, 0);
    for (size_t i = 0; i < node->input_count; i++) {
        const Shape *shape = infer_input(inference, i);
        if (shape->rank != 2) {
            infer_error(inference, DIAG_E0212, -1, "`attention` takes sequences [T, D], got %s",
                        infer_shape_text(inference, shape));
            return false;
        }
        if (shape->dims[1] != query->dims[1]) {
            infer_error(inference, DIAG_E0262, -1,
                        "`attention` needs sequences of one width, got %s and %s",
                        infer_shape_text(inference, query), infer_shape_text(inference, shape));
            return false;
        }
    }
    const Shape *key = infer_input(inference, key_input(node));
    const Shape *value = infer_input(inference, value_input(node));
    if (key->dims[0] == value->dims[0])
        return true;
    infer_error(inference, DIAG_E0262, -1,
                "`attention` needs as many values as keys, got %s and %s",
                infer_shape_text(inference, key), infer_shape_text(inference, value));
    return false;
}

bool attention_check_heads(Inference *inference, int attribute, int64_t width) {
    int64_t heads = inference->node->attributes[attribute].integer;
    if (width % heads == 0)
        return true;
    Diagnostic *diagnostic =
        infer_error(inference, DIAG_E0262, attribute, "%s heads do not divide the width of %s",
                    edit_count(inference, heads), edit_count(inference, width));
    heads = edit_nearest_divisor(width, heads);
    edit_argument(inference, diagnostic, attribute,
                  arena_format(inference->arena, "%lld", (long long)heads), false,
                  arena_format(inference->arena, "%s heads of %s each",
                               edit_count(inference, heads), edit_count(inference, width / heads)));
    return false;
}

static bool check_arguments(Inference *inference) {
    Attention attention = attention_of(inference->node);
    if (!attention_check_heads(inference, ATTENTION_HEADS, attention.width))
        return false;
    if (!attention.causal || attention.queries == attention.keys)
        return true;
    infer_error(inference, DIAG_E0262, ATTENTION_CAUSAL,
                "causal attention needs as many keys as queries, got %s and %s",
                edit_count(inference, attention.keys), edit_count(inference, attention.queries));
    return false;
}

/* The values between the steps. */
static bool check_sizes(Inference *inference) {
    Attention attention = attention_of(inference->node);
    int64_t longest = attention.queries > attention.keys ? attention.queries : attention.keys;
    int64_t columns;
    if (!checked_mul(attention.width, 3, &columns))
        columns = INT64_MAX;
    const Shape shapes[] = {shape_make(3, attention.heads, attention.queries, attention.keys),
                            shape_make(2, longest, columns)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (shape_is_valid(&shapes[i]))
            continue;
        infer_error(inference, DIAG_E0802, -1,
                    "the %s of `attention` would be %s, which is too large",
                    i == 0 ? "scores" : "projections", infer_shape_text(inference, &shapes[i]));
        return false;
    }
    return true;
}

static bool attention_infer(Inference *inference) {
    if (!check_inputs(inference) || !check_arguments(inference) || !check_sizes(inference) ||
        !infer_result(inference, *infer_input(inference, 0)))
        return false;
    int64_t width = attention_of(inference->node).width;
    bool bias = inference->node->attributes[ATTENTION_BIAS].boolean;
    const Shape vector = shape_make(1, width), matrix = shape_make(2, width, width);
    return infer_weight(inference, "in_proj_weight", shape_make(2, 3 * width, width), WEIGHT_KERNEL,
                        width, true) != NULL &&
           (!bias || infer_weight(inference, "in_proj_bias", shape_make(1, 3 * width), WEIGHT_BIAS,
                                  width, true) != NULL) &&
           infer_weight(inference, "out_proj.weight", matrix, WEIGHT_KERNEL, width, true) != NULL &&
           (!bias ||
            infer_weight(inference, "out_proj.bias", vector, WEIGHT_BIAS, width, true) != NULL);
}

static void attention_macs(const Node *node, Factors *factors) {
    Attention a = attention_of(node);
    FACTORS_PRODUCT(factors, a.queries, 2, a.width, a.width); /* queries and result */
    FACTORS_PRODUCT(factors, a.keys, 2, a.width, a.width);    /* keys and values */
    FACTORS_PRODUCT(factors, a.queries, 2, a.keys, a.width);  /* scores and context */
}

/* A score is scaled and goes through softmax. */
static void attention_operations(const Node *node, Factors *factors) {
    Attention a = attention_of(node);
    FACTORS_PRODUCT(factors, a.heads, a.queries, a.keys, 1 + 5);
    if (!node->attributes[ATTENTION_BIAS].boolean)
        return;
    FACTORS_PRODUCT(factors, a.queries, 2, a.width);
    FACTORS_PRODUCT(factors, a.keys, 2, a.width);
}

/* ---- reference ---------------------------------------------------------------------------- */

void attention_project(const Evaluation *evaluation, const Weight *weight, const Weight *bias,
                       int64_t first, int64_t rows, const Real *x, Real *y) {
    evaluate_rows(evaluation, &(RowProducts){.weight = weight,
                                             .bias = bias,
                                             .first = first,
                                             .units = weight->shape.dims[1],
                                             .input = x,
                                             .rows = rows,
                                             .result = y});
}

Real attention_score(const Real *q, const Real *k, int64_t width) {
    RealSum sum = {0}, scaled = {0};
    for (int64_t i = 0; i < width; i++)
        real_sum_pair(&sum, q[i], k[i]);
    real_sum_product(&scaled, 1 / sqrt((double)width), real_sum_finish(&sum, 0));
    return real_sum_finish(&scaled, 1);
}

/* One query of one head; q, k, v and context point to the head's columns of row 0. */
static void attend(const Attention *a, int64_t query, const Real *q, const Real *k, const Real *v,
                   Real *shares, Real *context) {
    int64_t seen = a->causal ? query + 1 : a->keys;
    for (int64_t s = 0; s < seen; s++)
        shares[s] = attention_score(q + query * a->width, k + s * a->width, a->head_width);
    real_softmax(shares, shares, seen, 1);
    for (int64_t i = 0; i < a->head_width; i++) {
        RealSum sum = {0};
        for (int64_t s = 0; s < seen; s++)
            real_sum_pair(&sum, shares[s], v[s * a->width + i]);
        context[query * a->width + i] = real_sum_finish(&sum, 0);
    }
}

static void attention_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    Attention a = attention_of(node);
    AttentionWeights w = weights_of(node);
    Arena arena = {0};
    Real *q = ARENA_ARRAY(&arena, (size_t)(a.queries * a.width), Real);
    Real *k = ARENA_ARRAY(&arena, (size_t)(a.keys * a.width), Real);
    Real *v = ARENA_ARRAY(&arena, (size_t)(a.keys * a.width), Real);
    Real *context = ARENA_ARRAY(&arena, (size_t)(a.queries * a.width), Real);
    Real *shares = ARENA_ARRAY(&arena, (size_t)a.keys, Real);
    attention_project(evaluation, w.in, w.in_bias, 0, a.queries, evaluation->inputs[0], q);
    attention_project(evaluation, w.in, w.in_bias, a.width, a.keys,
                      evaluation->inputs[key_input(node)], k);
    attention_project(evaluation, w.in, w.in_bias, 2 * a.width, a.keys,
                      evaluation->inputs[value_input(node)], v);
    for (int64_t head = 0; head < a.heads; head++) {
        int64_t column = head * a.head_width;
        for (int64_t query = 0; query < a.queries; query++)
            attend(&a, query, q + column, k + column, v + column, shares, context + column);
    }
    attention_project(evaluation, w.out, w.out_bias, 0, a.queries, context, evaluation->output);
    arena_free(&arena);
}

/* ---- lowering ----------------------------------------------------------------------------- */

/* Where the columns of all heads' queries, keys or values are. */
typedef struct Projected {
    Value *value;
    int64_t offset;
    int64_t row_stride;
} Projected;

/* `count` projections of one input, from number `first` on, beside each other. */
static Value *lower_projections(Lowering *lowering, const Node *node, Value *input, int first,
                                int count) {
    static const char *const parts[] = {"queries", "keys", "values"};
    AttentionWeights w = weights_of(node);
    const Shape *shape = &input->type.shape;
    int64_t width = shape->dims[1], columns = count * width;
    Value *result =
        kernel_value(lowering, node, parts[first], shape_make(2, shape->dims[0], columns));
    Product product = {.batches = 1,
                       .rows = shape->dims[0],
                       .depth = width,
                       .columns = columns,
                       .left = {.row_stride = width},
                       .result = {.row_stride = columns}};
    kernel_gemm_weight(lowering, node, &product, input, w.in, w.in_bias, first * width, result);
    return result;
}

/* Queries, keys and values; those of one input by one product. */
static void lower_inputs(Lowering *lowering, const Node *node, Projected parts[3]) {
    Value *const inputs[] = {node->inputs[0], node->inputs[key_input(node)],
                             node->inputs[value_input(node)]};
    int64_t width = attention_of(node).width;
    for (int first = 0, end; first < 3; first = end) {
        for (end = first + 1; end < 3 && inputs[end] == inputs[first];)
            end++;
        Value *value = lower_projections(lowering, node, inputs[first], first, end - first);
        for (int i = first; i < end; i++)
            parts[i] = (Projected){value, (i - first) * width, (end - first) * width};
    }
}

/* Matrix number h is the columns of head h. */
static Matrices heads_of(const Attention *a, const Projected *part) {
    return (Matrices){part->offset, a->head_width, part->row_stride};
}

static void attention_lower(Lowering *lowering, const Node *node) {
    Attention a = attention_of(node);
    AttentionWeights w = weights_of(node);
    Projected parts[3];
    lower_inputs(lowering, node, parts);
    const Matrices pairs = {0, a.queries * a.keys, a.keys};
    Shape shape = shape_make(3, a.heads, a.queries, a.keys);

    Value *scores = kernel_value(lowering, node, "scores", shape);
    Product scoring = {.batches = a.heads,
                       .rows = a.queries,
                       .depth = a.head_width,
                       .columns = a.keys,
                       .left = heads_of(&a, &parts[0]),
                       .right = heads_of(&a, &parts[1]),
                       .result = pairs,
                       .transposed = true,
                       .factor = 1 / sqrt((double)a.head_width),
                       .triangle = a.causal ? TRIANGLE_RESULT : TRIANGLE_NONE};
    kernel_gemm(lowering, node, &scoring, parts[0].value, parts[1].value, scores);

    Value *shares = kernel_value(lowering, node, "shares", shape);
    kernel_softmax_rows(lowering, node, a.causal, scores, shares);

    Value *context = kernel_value(lowering, node, "context", shape_make(2, a.queries, a.width));
    Product mixing = {.batches = a.heads,
                      .rows = a.queries,
                      .depth = a.keys,
                      .columns = a.head_width,
                      .left = pairs,
                      .right = heads_of(&a, &parts[2]),
                      .result = {0, a.head_width, a.width},
                      .triangle = a.causal ? TRIANGLE_LEFT : TRIANGLE_NONE};
    kernel_gemm(lowering, node, &mixing, shares, parts[2].value, context);

    Product joining = {.batches = 1,
                       .rows = a.queries,
                       .depth = a.width,
                       .columns = a.width,
                       .left = {.row_stride = a.width},
                       .result = {.row_stride = a.width}};
    kernel_gemm_weight(lowering, node, &joining, context, w.out, w.out_bias, 0, node->outputs[0]);
}

const LayerInfo layer_attention = {
    .name = "attention",
    .summary = "multi-head attention: each row of a sequence looks at all rows of one",
    .family = FAMILY_SEQUENCE,
    .min_inputs = 1,
    .max_inputs = 3,
    .attribute_count = ATTENTION_ATTRIBUTES,
    .attributes =
        {
            [ATTENTION_HEADS] = {"heads", ATTRIBUTE_INTEGER, NULL, 1, INT32_MAX,
                                 "parts of the width that look by themselves; a divisor of it"},
            [ATTENTION_CAUSAL] = {"causal", ATTRIBUTE_BOOLEAN, "off", 0, 0,
                                  "row t sees rows 0 to t only"},
            [ATTENTION_BIAS] = {"bias", ATTRIBUTE_BOOLEAN, "on", 0, 0,
                                "add a vector to each projection"},
        },
    .shape_doc = "[T, D] -> [T, D]: a sequence that looks at itself; queries [T, D], others [S, D] "
                 "-> [T, D]; queries [T, D], keys [S, D], values [S, D] -> [T, D]",
    .weights_doc = "in_proj_weight [3 * D, D], in_proj_bias [3 * D], out_proj.weight [D, D], "
                   "out_proj.bias [D]",
    .macs_doc = "T * 2 * D * D + S * 2 * D * D + T * 2 * S * D, whether or not causal",
    .operations_doc = "6 for each head and pair of rows: scale and softmax; 4 biases of each row",
    .example = "network example(text: [40, 64]) -> [40, 64] {\n"
               "    return text + (text -> attention(8, causal=on))\n"
               "}\n",
    .infer = attention_infer,
    .macs = attention_macs,
    .operations = attention_operations,
    .footprint = footprint_everything,
    .evaluate = attention_evaluate,
    .lower = attention_lower,
};
