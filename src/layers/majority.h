/* Which of a node's inputs to compare the others with, when some of them differ. */
#ifndef NETC_LAYERS_MAJORITY_H
#define NETC_LAYERS_MAJORITY_H

#include "graph/graph.h"

typedef bool ShapesAgree(const Shape *a, const Shape *b, int axis);

/* The first of the inputs whose shape agrees with the most others: 0 if all are alike. */
size_t majority_input(const Node *node, ShapesAgree *agree, int axis);

#endif
