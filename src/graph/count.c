/* Parameters, multiply-accumulates and other operations: see count.h. */
#include "graph/count.h"

#include <assert.h>

#include "layers/layer.h"
#include "support/checked.h"

/* ---- sums of products --------------------------------------------------------------------- */

void factors_next(Factors *factors) {
    assert(factors->terms < MAX_TERMS);
    factors->end[factors->terms++] = factors->count;
}

void factors_add(Factors *factors, int64_t factor) {
    assert(factors->count < MAX_FACTORS);
    if (factors->terms == 0)
        factors_next(factors);
    factors->factor[factors->count++] = factor;
    factors->end[factors->terms - 1] = factors->count;
}

void factors_add_product(Factors *factors, const int64_t *numbers, size_t count) {
    factors_next(factors);
    for (size_t i = 0; i < count; i++)
        factors_add(factors, numbers[i]);
}

void factors_add_shape(Factors *factors, const Shape *shape) {
    for (int i = 0; i < shape->rank; i++)
        factors_add(factors, shape->dims[i]);
    if (shape->rank == 0)
        factors_add(factors, 1);
}

void factors_add_elements(Factors *factors, const Node *node, int64_t each) {
    if (factors->terms > 0)
        factors_next(factors);
    factors_add_shape(factors, &node->outputs[0]->type.shape);
    if (each != 1)
        factors_add(factors, each);
}

void one_operation_each(const Node *node, Factors *factors) {
    factors_add_elements(factors, node, 1);
}

/* The numbers of one product. */
typedef struct Product {
    const int64_t *numbers;
    int count;
} Product;

static Product factors_term(const Factors *factors, int term) {
    int begin = term == 0 ? 0 : factors->end[term - 1];
    return (Product){factors->factor + begin, factors->end[term] - begin};
}

static bool factors_value(const Factors *factors, int64_t *value) {
    int64_t sum = 0;
    for (int term = 0; term < factors->terms; term++) {
        Product product = factors_term(factors, term);
        assert(product.count > 0);
        int64_t result = 1;
        for (int i = 0; i < product.count; i++)
            if (!checked_mul(result, product.numbers[i], &result))
                return false;
        if (!checked_add(sum, result, &sum))
            return false;
    }
    *value = sum;
    return true;
}

static Factors mac_factors(const Node *node) {
    Factors factors = {0};
    if (node->layer->macs)
        node->layer->macs(node, &factors);
    return factors;
}

static Factors operation_factors(const Node *node) {
    Factors factors = {0};
    if (node->layer->operations)
        node->layer->operations(node, &factors);
    return factors;
}

/* ---- counts ------------------------------------------------------------------------------- */

static bool arithmetic_count(const Node *node, NodeCount *count) {
    Factors macs = mac_factors(node);
    Factors operations = operation_factors(node);
    return factors_value(&macs, &count->macs) && factors_value(&operations, &count->operations) &&
           checked_mul(2, count->macs, &count->flops) &&
           checked_add(count->flops, count->operations, &count->flops);
}

static bool activation_count(const Node *node, NodeCount *count) {
    for (size_t i = 0; i < node->output_count; i++) {
        const TensorType *type = &node->outputs[i]->type;
        int64_t bytes;
        if (!checked_mul(shape_elements(&type->shape), element_size(type->element), &bytes) ||
            !checked_add(count->activation_bytes, bytes, &count->activation_bytes))
            return false;
    }
    return true;
}

static bool node_count(const Node *node, NodeCount *count) {
    for (size_t i = 0; i < node->weights.count; i++) {
        const Weight *weight = node->weights.data[i];
        if (weight->owner != node)
            continue; /* shared: counted where it was made */
        int64_t *kind = weight->trainable ? &count->trainable : &count->frozen;
        if (!checked_add(*kind, weight->elements, kind))
            return false;
    }
    return arithmetic_count(node, count) && activation_count(node, count);
}

static bool total_add(GraphCount *total, const NodeCount *node) {
    int64_t parameters;
    return checked_add(total->trainable, node->trainable, &total->trainable) &&
           checked_add(total->frozen, node->frozen, &total->frozen) &&
           checked_add(total->macs, node->macs, &total->macs) &&
           checked_add(total->operations, node->operations, &total->operations) &&
           checked_add(total->flops, node->flops, &total->flops) &&
           checked_add(total->activation_bytes, node->activation_bytes, &total->activation_bytes) &&
           checked_add(total->trainable, total->frozen, &parameters) &&
           checked_mul(parameters, element_size(ELEMENT_F32), &total->weight_bytes);
}

bool graph_count(const Graph *graph, Diagnostics *diagnostics, GraphCount *count) {
    *count = (GraphCount){.nodes = ARENA_ARRAY(graph->arena, graph->nodes.count, NodeCount)};
    for (size_t i = 0; i < graph->nodes.count; i++) {
        const Node *node = graph->nodes.data[i];
        if (!node_count(node, &count->nodes[i]) || !total_add(count, &count->nodes[i])) {
            diag_report(diagnostics, DIAG_E0802, node->name_span,
                        "the counts up to `%s` need more than 64 bits", node->path);
            return false;
        }
    }
    return true;
}

/* ---- formulas ------------------------------------------------------------------------------ */

/* "a * b * c" of `count` numbers. */
static void formula_numbers(StrBuf *out, const int64_t *numbers, int count) {
    for (int i = 0; i < count; i++) {
        if (i > 0)
            strbuf_add(out, " * ");
        strbuf_add_count(out, numbers[i], '_');
    }
}

/* The same in parentheses if there are several. */
static void formula_group(StrBuf *out, const int64_t *numbers, int count) {
    strbuf_add(out, count > 1 ? "(" : "");
    formula_numbers(out, numbers, count);
    strbuf_add(out, count > 1 ? ")" : "");
}

static void formula_value(StrBuf *out, int64_t value) {
    strbuf_add(out, " = ");
    strbuf_add_count(out, value, '_');
}

/* "a * (b * c)": one number, then what each of its units costs. */
static void formula_per_unit(StrBuf *out, const int64_t *numbers, int count) {
    formula_group(out, numbers, 1);
    if (count > 1) {
        strbuf_add(out, " * ");
        formula_group(out, numbers + 1, count - 1);
    }
}

/* Weights that a formula is about. */
typedef enum WeightKind {
    WEIGHTS_TRAINABLE = 1 << 0,
    WEIGHTS_FROZEN = 1 << 1,
    WEIGHTS_ALL = WEIGHTS_TRAINABLE | WEIGHTS_FROZEN,
} WeightKind;

/* Shared weights count where they are made. */
static bool is_counted(const Node *node, const Weight *weight, WeightKind kind) {
    return weight->owner == node &&
           (kind & (weight->trainable ? WEIGHTS_TRAINABLE : WEIGHTS_FROZEN)) != 0;
}

/* Their elements; graph_count has added the same numbers. */
static int64_t weight_elements(const Node *node, WeightKind kind) {
    int64_t total = 0;
    for (size_t i = 0; i < node->weights.count; i++)
        if (is_counted(node, node->weights.data[i], kind))
            total += node->weights.data[i]->elements;
    return total;
}

static void parameter_formula(const Node *node, WeightKind kind, StrBuf *out) {
    int terms = 0;
    bool product = false;
    for (size_t i = 0; i < node->weights.count; i++) {
        const Weight *weight = node->weights.data[i];
        const int64_t one = 1;
        if (!is_counted(node, weight, kind))
            continue;
        if (terms++ > 0)
            strbuf_add(out, " + ");
        if (weight->shape.rank == 0)
            formula_per_unit(out, &one, 1);
        else
            formula_per_unit(out, weight->shape.dims, weight->shape.rank);
        product = product || weight->shape.rank > 1;
    }
    if (terms > 1 || product) /* a single number is its own formula */
        formula_value(out, weight_elements(node, kind));
}

void count_parameter_formula(const Node *node, StrBuf *out) {
    parameter_formula(node, WEIGHTS_ALL, out);
}

void count_trainable_formula(const Node *node, StrBuf *out) {
    parameter_formula(node, WEIGHTS_TRAINABLE, out);
}

void count_frozen_formula(const Node *node, StrBuf *out) {
    parameter_formula(node, WEIGHTS_FROZEN, out);
}

void count_weight_formula(const Node *node, StrBuf *out) {
    int64_t elements = weight_elements(node, WEIGHTS_ALL);
    int64_t size = element_size(ELEMENT_F32);
    if (elements == 0)
        return;
    formula_numbers(out, (const int64_t[]){size, elements}, 2);
    formula_value(out, size * elements);
}

void count_activation_formula(const Node *node, StrBuf *out) {
    int64_t total = 0;
    for (size_t i = 0; i < node->output_count; i++) {
        const TensorType *type = &node->outputs[i]->type;
        int64_t size = element_size(type->element);
        strbuf_add(out, i == 0 ? "" : " + ");
        formula_numbers(out, &size, 1);
        strbuf_add(out, type->shape.rank > 0 ? " * " : "");
        formula_group(out, type->shape.dims, type->shape.rank);
        total += size * shape_elements(&type->shape);
    }
    formula_value(out, total);
}

#define ALL_DIMS   0
#define PLACE_DIMS 1 /* those after the channels */

/* How many of the product's first numbers are the dims of `shape` from `axis` on; 0 unless all of
 * these stand there. */
static int leading_dims(const Product *product, const Shape *shape, int axis) {
    int dims = shape->rank - axis;
    if (dims < 1 || dims > product->count)
        return 0;
    for (int i = 0; i < dims; i++)
        if (product->numbers[i] != shape->dims[axis + i])
            return 0;
    return dims;
}

/* "(places) * a * (b * c)", "(all dims) * (a * b)", or without dims in front "a * (b * c)". */
static void formula_product(StrBuf *out, const Product *product, const Shape *shape, int axis) {
    int leading = leading_dims(product, shape, axis);
    const int64_t *rest = product->numbers + leading;
    int rest_count = product->count - leading;
    if (rest_count == 0) {
        formula_numbers(out, product->numbers, leading);
        return;
    }
    if (leading > 0) {
        formula_group(out, product->numbers, leading);
        strbuf_add(out, " * ");
    }
    if (leading > 0 && axis == ALL_DIMS)
        formula_group(out, rest, rest_count);
    else
        formula_per_unit(out, rest, rest_count);
}

/* The sum of products, those that begin with the dims of `shape` from `axis` on with these as one
 * group. */
static void formula_sum(StrBuf *out, const Factors *factors, const Shape *shape, int axis) {
    for (int term = 0; term < factors->terms; term++) {
        Product product = factors_term(factors, term);
        if (term > 0)
            strbuf_add(out, " + ");
        formula_product(out, &product, shape, axis);
    }
}

static void count_formula(const Node *node, const Factors *factors, int axis, StrBuf *out) {
    int64_t value;
    bool fits = factors_value(factors, &value);
    assert(fits); /* graph_count has computed the same */
    (void)fits;
    formula_sum(out, factors, &node->outputs[0]->type.shape, axis);
    if (factors->count > 1)
        formula_value(out, value);
}

void count_mac_formula(const Node *node, StrBuf *out) {
    Factors factors = mac_factors(node);
    count_formula(node, &factors, PLACE_DIMS, out);
}

void count_operation_formula(const Node *node, StrBuf *out) {
    Factors factors = operation_factors(node);
    count_formula(node, &factors, ALL_DIMS, out);
}

void count_flop_formula(const Node *node, StrBuf *out) {
    const Shape *shape = &node->outputs[0]->type.shape;
    Factors macs = mac_factors(node);
    if (macs.count == 0) {
        count_operation_formula(node, out);
        return;
    }
    Factors operations = operation_factors(node);
    NodeCount count;
    bool fits = arithmetic_count(node, &count);
    assert(fits); /* see above */
    (void)fits;
    strbuf_add(out, "2 * (");
    formula_sum(out, &macs, shape, PLACE_DIMS);
    strbuf_add(out, operations.count > 0 ? ") + " : ")");
    formula_sum(out, &operations, shape, ALL_DIMS);
    formula_value(out, count.flops);
}
