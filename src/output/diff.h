/* What changed between two networks: interface, layers, counts, weights.
 *
 * Layers correspond by label path if the path is a label of the author's; names like conv2 and
 * numbers only say where a layer stands, so layers that have them correspond by the longest common
 * subsequence of what they do (alignment.h), and what is left between two that do by path, then by
 * kind and place. */
#ifndef NETC_OUTPUT_DIFF_H
#define NETC_OUTPUT_DIFF_H

#include "graph/count.h"

typedef struct DiffSide {
    const char *file; /* the source's name */
    const Graph *graph;
    const GraphCount *count;
} DiffSide;

/* An input or output; of one that is only on one side the other name is NULL. */
typedef struct TensorChange {
    bool output;
    const char *old_name;
    const char *new_name;
    const Value *old;
    const Value *new;
    bool moved;   /* it is before or behind another that it was behind or before */
    bool rewired; /* an output: another layer makes it */
} TensorChange;

/* What is not the same in a layer that is on both sides. */
typedef enum LayerFact {
    FACT_PATH = 1 << 0,   /* its name, where it has weights or a label of the author's */
    FACT_CALL = 1 << 1,   /* its kind or arguments */
    FACT_INPUTS = 1 << 2, /* what it takes, layers put between or taken out aside */
    FACT_SHAPE = 1 << 3,  /* of a result */
    FACT_COUNT = 1 << 4,  /* parameters or macs */
} LayerFact;

#define FACTS_OWN (FACT_PATH | FACT_CALL | FACT_INPUTS) /* the others follow from these */

typedef struct LayerChange {
    const Node *old; /* NULL: added */
    const Node *new; /* NULL: removed */
    unsigned facts;  /* LayerFact bits */
} LayerChange;

/* A tensor of the weights file: added, removed, reshaped (one path, two shapes), renamed (two
 * paths, one shape), or mistaken: the same path and shape, but another layer's. */
typedef struct WeightChange {
    const Weight *old;
    const Weight *new;
    bool mistaken;
} WeightChange;

typedef struct Diff {
    Arena *arena;
    DiffSide old;
    DiffSide new;
    VEC(TensorChange) tensors;
    VEC(LayerChange) layers; /* in the order of the new network, removed ones where they were */
    VEC(WeightChange) weights;
} Diff;

Diff diff_make(Arena *arena, const DiffSide *old, const DiffSide *new);

/* Nothing changed but perhaps the text: comments, names of values, the order of statements. */
bool diff_is_same(const Diff *diff);
/* Whether the old network's weights file can be read as the new one's. */
bool diff_weights_bind(const Diff *diff);

/* Appends "conv(8, 3x3)", and whose weights it reads if not its own. */
void diff_call(const Node *node, StrBuf *out);

void diff_text(const Diff *diff, StrBuf *out);
void diff_json(const Diff *diff, StrBuf *out);

#endif
