/* Receptive fields: how much of the network's input one element of a value depends on along each
 * spatial axis, and how far apart in the input two neighbouring elements look. With field f and
 * stride s before a window of `reach` elements that moves by `step`,
 *     f' = f + (reach - 1) * s,    s' = s * step
 * (Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks, Distill 2019).
 * The field is not cut at the edges of the input: it may be larger than the image. */
#ifndef NETC_GRAPH_RECEPTIVE_H
#define NETC_GRAPH_RECEPTIVE_H

#include "graph/graph.h"

/* What a layer's `.footprint` says of one spatial axis: an element of the result depends on `reach`
 * neighbours of the input, the next element on those `step / parts` further on. `parts` is 1 but
 * for layers that enlarge. */
typedef struct Footprint {
    int64_t reach; /* each >= 1, and 1 unless the layer says otherwise */
    int64_t step;
    int64_t parts;
} Footprint;

/* `.footprint` of a layer whose every element depends on all places of the input. */
bool footprint_everything(const Node *node, Footprint axes[MAX_SPATIAL]);

/* In lowest terms; a layer that enlarges makes strides below 1. */
typedef struct Fraction {
    int64_t numerator;
    int64_t denominator; /* >= 1 */
} Fraction;

typedef struct Receptive {
    int axes;        /* spatial axes of the value, at most MAX_SPATIAL */
    bool everything; /* depends on all places of the input; the rest is then not set */
    Fraction field[MAX_SPATIAL];
    Fraction stride[MAX_SPATIAL];
} Receptive;

/* Appends "11" or "3/4". */
void fraction_print(Fraction fraction, StrBuf *out);

/* Of every value, by Value.id. Where paths of different fields meet, the largest. */
Receptive *receptive_fields(Arena *arena, const Graph *graph);

/* Appends how the field of the node's result comes from that of its inputs along one axis, "7 + (5
 * - 1) * 2 = 15"; nothing where the field is everything. */
void receptive_field_formula(const Node *node, const Receptive *fields, int axis, StrBuf *out);
/* The same of the stride: "2 * 2 = 4". */
void receptive_stride_formula(const Node *node, const Receptive *fields, int axis, StrBuf *out);

#endif
