/* Counting: parameters and multiply-accumulates of a node and of a graph, with their formulas.
 *
 * Parameters are the sum of the weights that the layer declared, so a count cannot disagree with
 * what is allocated. Multiply-accumulates ("macs") are those of convolution, dense, recurrent,
 * attention and matmul layers for one sample, padding taps included, biases not. */
#ifndef NETC_GRAPH_COUNT_H
#define NETC_GRAPH_COUNT_H

#include "graph/graph.h"
#include "support/diag.h"

/* A product of whole numbers, kept as factors so that the formula can be shown. No factors: 0. */
#define MAX_FACTORS 8
typedef struct Factors {
    int64_t factor[MAX_FACTORS];
    int count;
} Factors;

typedef struct NodeCount {
    int64_t trainable; /* parameters */
    int64_t frozen;
    int64_t macs;
} NodeCount;

typedef struct GraphCount {
    int64_t trainable;
    int64_t frozen;
    int64_t macs;
    int64_t weight_bytes; /* of all parameters as f32 */
    NodeCount *nodes;     /* by Node.id */
} GraphCount;

void factors_add(Factors *factors, int64_t factor);

/* Counts everything; reports E0802 and returns false if a total leaves 64 bits. */
bool graph_count(const Graph *graph, Diagnostics *diagnostics, GraphCount *count);

/* Appends "100 * (60 * 5 * 5) + 100 = 150_100"; nothing for a node without weights. */
void count_parameter_formula(const Node *node, StrBuf *out);
/* Appends "(90 * 90) * 100 * (60 * 5 * 5) = 1_215_000_000"; nothing without macs. */
void count_mac_formula(const Node *node, StrBuf *out);

#endif
