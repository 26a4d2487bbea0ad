/* A graph as a drawing shows it, without any geometry: boxes of layers in nested groups.
 *
 * - A stack is a layer with the activations and normalisations that follow it and nothing else: one
 *   box of several strips.
 * - A group is what has a label path in common: `layer1`, in it `layer1.0`. It is a run of stacks
 *   in the order of the program, so every wire leads to a later item at each level, whatever the
 *   labels are; a path that is left and comes back makes a second group of the same name. A group
 *   of one item is not shown. Groups `depth` parts deep are collapsed to one box.
 * - A wire is a value's way through one group: from the item that makes it, or from the group's
 *   upper edge, to the items that take it and, perhaps, to the lower edge. */
#ifndef NETC_OUTPUT_DRAWING_DIAGRAM_H
#define NETC_OUTPUT_DRAWING_DIAGRAM_H

#include "graph/count.h"

typedef struct Item Item;
typedef struct Wire Wire;

typedef enum ItemKind {
    ITEM_INPUT,
    ITEM_OUTPUT,
    ITEM_STACK,
    ITEM_COLLAPSED, /* a group whose inside is not shown */
    ITEM_GROUP,
} ItemKind;

struct Item {
    ItemKind kind;
    size_t index;       /* position in Diagram.items; greater than that of its group */
    Item *parent;       /* the group it is in; NULL: the whole network */
    Item *shown;        /* itself, or the collapsed group that it is in */
    size_t depth;       /* number of groups it is in */
    const char *path;   /* label path of a stack's first layer or of a group; name of a tensor */
    const Value *value; /* INPUT, OUTPUT */
    VEC(const Node *) nodes; /* STACK: its strips; COLLAPSED, GROUP: all layers in it */
    NodeCount count;         /* of all its layers */
    VEC(Item *) children;    /* GROUP, in the order of the program */
    VEC(Wire *) wires;       /* GROUP: in it, in the order of the program */
    const Value *wired;      /* GROUP: the value that wires are made for just now, */
    Wire *wire;              /* and its wire in this group */
};

typedef struct WireTarget {
    Item *item;
    Wire *inner; /* GROUP: the way on in it */
} WireTarget;

struct Wire {
    size_t index; /* below Diagram.wire_count */
    const Value *value;
    Item *source; /* NULL: from the upper edge of the group */
    Wire *inner;  /* the way in `source` if that is a group */
    VEC(WireTarget) targets;
    bool leaves; /* goes on from the group's lower edge */
};

typedef struct Diagram {
    Arena *arena;
    const Graph *graph;
    const GraphCount *count;
    Item *root; /* the network */
    VEC(Item *) items;
    size_t wire_count;
} Diagram;

#define DIAGRAM_MAX_DEPTH 32 /* groups in each other; what is deeper has the rest in its name */

/* The graph with groups of `depth` parts collapsed; 0: none. */
Diagram diagram_make(Arena *arena, const Graph *graph, const GraphCount *count, uint64_t depth);

/* A path as it is called inside `group`: without what the group's own path says, unless only a
 * number is left. */
const char *diagram_path_in(const Item *group, const char *path);

#endif
