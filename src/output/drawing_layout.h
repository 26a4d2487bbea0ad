/* Where everything of a diagram stands: each group is laid out on its own (drawing_layered.h), the
 * innermost first, and is then one vertex of the group around it. */
#ifndef NETC_OUTPUT_DRAWING_LAYOUT_H
#define NETC_OUTPUT_DRAWING_LAYOUT_H

#include "output/drawing_diagram.h"
#include "output/drawing_layered.h"

#define TITLE_SIZE   12.0 /* font sizes, in pixels */
#define DETAIL_SIZE  10.0
#define HEAD_HEIGHT  22.0 /* of the first line of a box */
#define LINE_HEIGHT  15.0 /* of a second line */
#define STRIP_HEIGHT 17.0 /* of each further layer of a stack */
#define BOX_PADDING  10.0 /* left and right of a box's text */

typedef struct Frame {
    double x; /* upper left corner, in the picture */
    double y;
    double width;
    double height;
} Frame;

typedef struct Route {
    LayeredWire way; /* in the picture */
    double entry;    /* where it crosses the upper edge of its group, from the left */
    double exit;     /* and the lower one */
} Route;

typedef struct Layout {
    Frame *frames; /* by Item.index */
    Route *routes; /* by Wire.index */
} Layout;

Layout layout_make(const Diagram *diagram);

#endif
