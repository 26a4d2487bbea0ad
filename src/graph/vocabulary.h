/* Inputs that are tokens: whole numbers that layers look up in tables, not any numbers. A layer
 * says so of its input (LayerInfo.vocabulary), and it holds before layers that only move elements.
 */
#ifndef NETC_GRAPH_VOCABULARY_H
#define NETC_GRAPH_VOCABULARY_H

#include "graph/graph.h"

/* Of every value, by Value.id: how many tokens its elements number from 0, the fewest where several
 * layers look them up; 0: they are any numbers. */
const int64_t *graph_vocabularies(Arena *arena, const Graph *graph);

#endif
