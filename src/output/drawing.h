/* Pictures of a network: an SVG of our own, and text for Graphviz's dot. */
#ifndef NETC_OUTPUT_DRAWING_H
#define NETC_OUTPUT_DRAWING_H

#include "graph/count.h"

typedef struct DrawingOptions {
    uint64_t depth; /* parts of a label path that are shown: a deeper group is one box; 0: all */
} DrawingOptions;

/* A whole SVG file. Needs nothing but a viewer: no fonts, scripts or other files; light or dark as
 * the viewer prefers. The same bytes every time. */
void drawing_svg(const Graph *graph, const GraphCount *count, const DrawingOptions *options,
                 StrBuf *out);
/* The same boxes, groups and wires as a `digraph`, to be laid out by dot. */
void drawing_dot(const Graph *graph, const GraphCount *count, const DrawingOptions *options,
                 StrBuf *out);

#endif
