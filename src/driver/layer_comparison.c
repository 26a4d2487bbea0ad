#include "driver/layer_comparison.h"

#include "reference/reference.h"

static void add_result(LayerComparison *comparison, const Value *value, const Comparison *result,
                       int64_t sample) {
    comparison->unbounded += result->unbounded;
    comparison->mismatched += result->mismatched;
    if (result->mismatched > 0 && !comparison->wrong)
        comparison->wrong = value;
    if (result->worst_ratio > comparison->worst_ratio) {
        comparison->worst = value;
        comparison->worst_ratio = result->worst_ratio;
        comparison->worst_element = result->worst;
        comparison->worst_sample = sample;
    }
}

void layer_comparison_add(LayerComparison *comparison, const Plan *plan, const float *const *inputs,
                          float *const *outputs, const void *memory, int64_t sample) {
    Arena scratch = {0};
    const Graph *graph = plan->graph;
    const float **made = plan_read_kept(plan, &scratch, inputs, outputs, memory);
    Comparison *results = ARENA_ARRAY(&scratch, graph->values.count, Comparison);
    reference_compare_layers(&scratch, graph, made, plan_error_shares(plan, &scratch), results);
    comparison->results = 0;
    for (size_t i = 0; i < graph->values.count; i++) {
        const Value *value = graph->values.data[i];
        if (!made[i] || !value->producer)
            continue;
        comparison->results++;
        add_result(comparison, value, &results[i], sample);
    }
    arena_free(&scratch);
}

void layer_comparison_print(const LayerComparison *comparison, bool batched, StrBuf *out) {
    strbuf_format(out, "%lld results of layers, each beside the reference of those before it: ",
                  (long long)comparison->results);
    if (comparison->worst) {
        strbuf_format(out, "at most %.3g of the bound, at %s", comparison->worst_ratio,
                      comparison->worst->name);
        shape_print_place(&comparison->worst->type.shape, comparison->worst_element, out);
        if (batched)
            strbuf_format(out, " of sample %lld", (long long)comparison->worst_sample);
    } else {
        strbuf_add(out, "no error");
    }
    strbuf_add(out, "\n");
    if (comparison->unbounded > 0)
        strbuf_format(out,
                      "%lld of their values have no bound: in the worst case a number overflows\n",
                      (long long)comparison->unbounded);
}

void layer_comparison_report(const LayerComparison *comparison, Diagnostics *diagnostics) {
    if (comparison->wrong)
        diag_report(diagnostics, DIAG_E0603, comparison->wrong->span,
                    "%lld values of the compiled layers differ from the reference by more than the "
                    "bound, the first in `%s`",
                    (long long)comparison->mismatched, comparison->wrong->name);
}
