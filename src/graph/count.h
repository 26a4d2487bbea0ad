/* Counting: parameters and arithmetic of a node and of a graph, with their formulas.
 *
 * Parameters are the sum of the weights that the layer declared, so a count cannot disagree with
 * what is allocated. Multiply-accumulates ("macs") are those of convolution, dense, recurrent,
 * attention and matmul layers for one sample, padding taps included, biases not. "Operations" is
 * all arithmetic beside them, and flops = 2 * macs + operations (docs/language.md says what counts
 * as one). */
#ifndef NETC_GRAPH_COUNT_H
#define NETC_GRAPH_COUNT_H

#include "graph/graph.h"
#include "support/diag.h"

/* A sum of products of whole numbers, kept as factors so that the formula can be shown. Without a
 * factor it is 0. */
#define MAX_FACTORS 48
#define MAX_TERMS   8
typedef struct Factors {
    int64_t factor[MAX_FACTORS]; /* of all products, one after the other */
    int count;
    int end[MAX_TERMS]; /* how many factors the products up to this one have */
    int terms;
} Factors;

typedef struct NodeCount {
    int64_t trainable; /* parameters */
    int64_t frozen;
    int64_t macs;
    int64_t operations;       /* other than multiply-accumulates */
    int64_t flops;            /* 2 * macs + operations */
    int64_t activation_bytes; /* of the results */
} NodeCount;

typedef struct GraphCount {
    int64_t trainable;
    int64_t frozen;
    int64_t macs;
    int64_t operations;
    int64_t flops;
    int64_t activation_bytes; /* of the results of all nodes, whether or not they are kept */
    int64_t weight_bytes;     /* of all parameters as f32 */
    NodeCount *nodes;         /* by Node.id */
} GraphCount;

/* Multiplies the last product by `factor`. */
void factors_add(Factors *factors, int64_t factor);
/* The same by each dim: by the number of elements. */
void factors_add_shape(Factors *factors, const Shape *shape);
/* Begins another product, to which factors are then added; the first one begins by itself. */
void factors_next(Factors *factors);
/* A product of its own, of these numbers. */
void factors_add_product(Factors *factors, const int64_t *numbers, size_t count);
#define FACTORS_PRODUCT(factors, ...)                                                              \
    factors_add_product(factors, (const int64_t[]){__VA_ARGS__},                                   \
                        sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
/* A product of its own: `each` for every element of the node's first result. */
void factors_add_elements(Factors *factors, const Node *node, int64_t each);

/* `.operations` of a layer that takes one operation for each element of its result. */
void one_operation_each(const Node *node, Factors *factors);

/* Counts everything; reports E0802 and returns false if a total leaves 64 bits. */
bool graph_count(const Graph *graph, Diagnostics *diagnostics, GraphCount *count);

/* Appends "100 * (60 * 5 * 5) + 100 = 150_100"; nothing for a node without weights. */
void count_parameter_formula(const Node *node, StrBuf *out);
/* The same of its trainable and of its frozen weights alone. */
void count_trainable_formula(const Node *node, StrBuf *out);
void count_frozen_formula(const Node *node, StrBuf *out);
/* Appends "4 * 150_100 = 600_400"; nothing for a node without weights. */
void count_weight_formula(const Node *node, StrBuf *out);
/* Appends "4 * (100 * 90 * 90) = 3_240_000". */
void count_activation_formula(const Node *node, StrBuf *out);
/* Appends "(90 * 90) * 100 * (60 * 5 * 5) = 1_215_000_000"; nothing without macs. */
void count_mac_formula(const Node *node, StrBuf *out);
/* Appends "(100 * 45 * 45) * (2 * 2) = 810_000"; nothing without operations. */
void count_operation_formula(const Node *node, StrBuf *out);
/* Appends "2 * (250 * 202_500) + 250 = 101_250_250"; nothing where there is no arithmetic. */
void count_flop_formula(const Node *node, StrBuf *out);

#endif
