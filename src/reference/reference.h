/* The float64 reference: runs a graph with each layer's own plain loops and bounds the error that a
 * f32 evaluation may have. The oracle of every numeric test, and `netc run --reference`. */
#ifndef NETC_REFERENCE_REFERENCE_H
#define NETC_REFERENCE_REFERENCE_H

#include "graph/graph.h"
#include "layers/evaluate.h"

/* Evaluates all nodes. Weights are bound; `inputs` has the f32 elements of each network input.
 * `shares`, by Node.id, says by what share of its largest number a node's result may be off beside
 * the bound (plan_error_shares); NULL: none. Returns the elements of every value by Value.id, in
 * the arena. */
Real **reference_run(Arena *arena, const Graph *graph, const float *const *inputs,
                     const double *shares);

/* Where an f32 result differs most from the reference, relative to its bound. */
typedef struct Comparison {
    int64_t worst;      /* element with the largest error / bound */
    double worst_ratio; /* that ratio; <= 1 is within the bound */
    int64_t largest;    /* element with the largest absolute error */
    double largest_error;
    double largest_value; /* magnitude of the largest finite reference value */
    int64_t unbounded;    /* elements for which nothing is claimed: the worst case may overflow */
    int64_t mismatched;   /* elements beyond their bound, or of another class (NaN, +Inf, -Inf) */
} Comparison;

Comparison reference_compare(const Real *reference, const float *actual, int64_t count);

/* Compares layer by layer. `made` has by Value.id the elements that compiled code made, NULL where
 * it kept none; of the inputs it has all. Each of these values is compared with what the reference
 * makes of those before it, taken as exact, so that a bound covers the few layers in between and
 * not the whole network. `results` is by Value.id, for those in `made` that a node gives. */
void reference_compare_layers(Arena *arena, const Graph *graph, const float *const *made,
                              const double *shares, Comparison *results);

#endif
