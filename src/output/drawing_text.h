/* The texts of a drawing, for every format, and how wide they may come out. */
#ifndef NETC_OUTPUT_DRAWING_TEXT_H
#define NETC_OUTPUT_DRAWING_TEXT_H

#include "output/drawing_diagram.h"

/* Pixels that a text takes at most at a font size, in any common sans-serif: DejaVu Sans, which is
 * wider than Arial, Helvetica, Liberation, Noto and Roboto, rounded up. */
double text_width(const char *text, double size, bool bold);

/* The first line of an item's box: "conv(64, 3x3, pad=1)", "image", "layer1.0". */
const char *item_title(const Diagram *diagram, const Item *item);
/* What a layer of a stack says beside its call: "bn1 · 128 parameters"; may be "". */
const char *node_detail(const Diagram *diagram, const Item *stack, const Node *node);
/* What a group says at its upper edge, left and right: "layer1.0", "75,008 parameters". */
const char *group_name(const Diagram *diagram, const Item *group);
const char *group_count(const Diagram *diagram, const Item *group);
/* The second line of a collapsed group: "9 layers · 75,008 parameters". */
const char *collapsed_detail(const Diagram *diagram, const Item *group);
/* "25,557,032 parameters (53,120 of them frozen) · 4,089,184,256 macs" */
const char *totals_text(const Diagram *diagram);
/* All about a layer, one line a fact: call, path, shape, formulas. */
void node_facts(const Node *node, StrBuf *out);

#endif
