/* What a layer's `.infer` works with: reads the node's inputs and attributes, sets the result's
 * shape, declares the weights, reports mistakes. It prints nothing and keeps nothing. */
#ifndef NETC_GRAPH_INFER_H
#define NETC_GRAPH_INFER_H

#include "graph/graph.h"
#include "support/diag.h"

typedef struct Inference {
    Arena *arena;
    Diagnostics *diagnostics;
    Graph *graph;
    Node *node;
} Inference;

/* Sets the type of output 0. Reports E0802 and returns false if the shape is out of bounds. */
bool infer_result(Inference *inference, Shape shape);

/* The same for a node of `count` results, which get names of their own: "split1.0", ... */
bool infer_results(Inference *inference, const Shape *shapes, size_t count);

/* Declares a weight of the node: path = node path + "." + name; or finds it where the node shares
 * the weights of another. `fan_in` is for random weights.
 * Reports E0802 and returns NULL if its size is out of bounds. */
Weight *infer_weight(Inference *inference, const char *name, Shape shape, WeightRole role,
                     int64_t fan_in, bool trainable);

/* Reports a mistake at the text of attribute `attribute` (an index into the layer's table), or at
 * the layer's name for -1 or for an attribute left at its default. Adds where each input's shape
 * came from: the chain of steps back to the network's input. Add notes and fixes to the result. */
Diagnostic *infer_error(Inference *inference, DiagCode code, int attribute, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Shape of input `index`. */
const Shape *infer_input(const Inference *inference, size_t index);

/* "[64, 56, 56]" in the arena. */
const char *infer_shape_text(Inference *inference, const Shape *shape);

#endif
