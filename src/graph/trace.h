/* The chain of shapes in a message: where the shape of a value came from. */
#ifndef NETC_GRAPH_TRACE_H
#define NETC_GRAPH_TRACE_H

#include "graph/graph.h"
#include "support/diag.h"

/* Labels the last `steps` steps up to `value` that changed the shape, "[1, 8, 8] -> [16, 6, 6]",
 * and the input of the network that they go back to, "starts as [3, 8, 8]". */
void trace_shape(Diagnostics *diagnostics, Diagnostic *diagnostic, const Value *value, int steps);

#endif
