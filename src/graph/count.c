/* Parameters and multiply-accumulates: see count.h. */
#include "graph/count.h"

#include <assert.h>

#include "layers/layer.h"
#include "support/checked.h"

void factors_add(Factors *factors, int64_t factor) {
    assert(factors->count < MAX_FACTORS);
    factors->factor[factors->count++] = factor;
}

static bool factors_product(const Factors *factors, int64_t *product) {
    int64_t result = factors->count ? 1 : 0;
    for (int i = 0; i < factors->count; i++)
        if (!checked_mul(result, factors->factor[i], &result))
            return false;
    *product = result;
    return true;
}

static Factors node_factors(const Node *node) {
    Factors factors = {0};
    if (node->layer->macs)
        node->layer->macs(node, &factors);
    return factors;
}

static bool node_count(const Node *node, NodeCount *count) {
    for (size_t i = 0; i < node->weights.count; i++) {
        const Weight *weight = node->weights.data[i];
        int64_t *kind = weight->trainable ? &count->trainable : &count->frozen;
        if (!checked_add(*kind, weight->elements, kind))
            return false;
    }
    Factors factors = node_factors(node);
    return factors_product(&factors, &count->macs);
}

static bool total_add(GraphCount *total, const NodeCount *node) {
    int64_t parameters;
    return checked_add(total->trainable, node->trainable, &total->trainable) &&
           checked_add(total->frozen, node->frozen, &total->frozen) &&
           checked_add(total->macs, node->macs, &total->macs) &&
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

/* "a * b * c" of `count` numbers, in parentheses if there are several. */
static void formula_group(StrBuf *out, const int64_t *numbers, int count) {
    if (count > 1)
        strbuf_add_char(out, '(');
    for (int i = 0; i < count; i++) {
        if (i > 0)
            strbuf_add(out, " * ");
        strbuf_add_count(out, numbers[i], '_');
    }
    if (count > 1)
        strbuf_add_char(out, ')');
}

/* "a * (b * c)": one number, then what each of its units costs. */
static void formula_per_unit(StrBuf *out, const int64_t *numbers, int count) {
    formula_group(out, numbers, 1);
    if (count > 1) {
        strbuf_add(out, " * ");
        formula_group(out, numbers + 1, count - 1);
    }
}

void count_parameter_formula(const Node *node, StrBuf *out) {
    int64_t total = 0;
    bool computed = node->weights.count > 1; /* a single number is its own formula */
    for (size_t i = 0; i < node->weights.count; i++) {
        const Weight *weight = node->weights.data[i];
        const int64_t one = 1;
        if (i > 0)
            strbuf_add(out, " + ");
        if (weight->shape.rank == 0)
            formula_per_unit(out, &one, 1);
        else
            formula_per_unit(out, weight->shape.dims, weight->shape.rank);
        computed = computed || weight->shape.rank > 1;
        bool fits = checked_add(total, weight->elements, &total);
        assert(fits); /* graph_count has added the same numbers */
        (void)fits;
    }
    if (computed) {
        strbuf_add(out, " = ");
        strbuf_add_count(out, total, '_');
    }
}

/* How many of the first factors are the places of the output: its dims but for the channels. */
static int leading_places(const Node *node, const Factors *factors) {
    const Shape *shape = &node->outputs[0]->type.shape;
    int places = shape->rank - 1;
    if (places < 1 || places >= factors->count)
        return 0;
    for (int i = 0; i < places; i++)
        if (factors->factor[i] != shape->dims[i + 1])
            return 0;
    return places;
}

void count_mac_formula(const Node *node, StrBuf *out) {
    Factors factors = node_factors(node);
    int64_t product;
    if (factors.count == 0 || !factors_product(&factors, &product))
        return;
    int places = leading_places(node, &factors);
    if (places > 0) {
        formula_group(out, factors.factor, places);
        strbuf_add(out, " * ");
    }
    formula_per_unit(out, factors.factor + places, factors.count - places);
    strbuf_add(out, " = ");
    strbuf_add_count(out, product, '_');
}
