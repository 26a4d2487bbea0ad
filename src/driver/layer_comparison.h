/* `netc run --compare-layers`: each result that a step stores beside what the reference makes of
 * those before it. The bound of one layer is narrow, however deep the network. */
#ifndef NETC_DRIVER_LAYER_COMPARISON_H
#define NETC_DRIVER_LAYER_COMPARISON_H

#include "plan/plan.h"

/* Of all samples. Start from {0}. */
typedef struct LayerComparison {
    int64_t results; /* compared, of each sample */
    int64_t unbounded;
    int64_t mismatched;
    const Value *wrong; /* the first that has mismatched numbers; NULL: none */
    const Value *worst; /* has the largest error as a share of its bound; NULL: all are exact */
    double worst_ratio;
    int64_t worst_element;
    int64_t worst_sample;
} LayerComparison;

/* Adds a call of a plan that keeps its values: what it was given, gave, and left in the arena. */
void layer_comparison_add(LayerComparison *comparison, const Plan *plan, const float *const *inputs,
                          float *const *outputs, const void *memory, int64_t sample);

/* Appends the summary; `batched`: and says of which sample. */
void layer_comparison_print(const LayerComparison *comparison, bool batched, StrBuf *out);

/* E0603 at the first layer that is wrong, if there is one. */
void layer_comparison_report(const LayerComparison *comparison, Diagnostics *diagnostics);

#endif
