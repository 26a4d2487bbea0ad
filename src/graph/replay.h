/* Works a finished graph out again with one integer changed: what an edit of the source would give.
 * The graph itself is left alone. */
#ifndef NETC_GRAPH_REPLAY_H
#define NETC_GRAPH_REPLAY_H

#include "graph/count.h"

typedef struct Replay {
    const Graph *graph;
    const Node *node; /* the one that is changed */
    int attribute;    /* an ATTRIBUTE_INTEGER of it */
} Replay;

/* Counts the graph as it would be with `value` in that place. `count->nodes` is NULL. False if some
 * layer would refuse its input, or a result of the network would have another shape. */
bool replay_count(const Replay *replay, int64_t value, GraphCount *count);

#endif
