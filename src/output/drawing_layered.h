/* Layered layout of one acyclic graph, all wires downwards: pure geometry, knows no networks.
 *
 * After Sugiyama, Tagawa and Toda, Methods for Visual Understanding of Hierarchical System
 * Structures, IEEE Transactions on Systems, Man, and Cybernetics 11 (1981):
 *   1. ranks by longest path;
 *   2. wires that pass ranks get a waypoint in each, so that they keep clear of the vertices there;
 *   3. the order within ranks by barycentres, the order with the fewest crossings is kept;
 *   4. x by isotonic regression, y by the heights of the ranks.
 * Time is linear in vertices and wires but for sorting: a wire that passes more than
 * LAYERED_MAX_SPAN ranks runs in a lane of its own right of everything instead.
 *
 * Lengths are in pixels, y grows downwards. The same input gives the same output on every machine.
 */
#ifndef NETC_OUTPUT_DRAWING_LAYERED_H
#define NETC_OUTPUT_DRAWING_LAYERED_H

#include <stdbool.h>

#include "support/arena.h"

#define LAYERED_MAX_SPAN 24 /* ranks between the ends of a wire that gets waypoints */

typedef enum LayeredPin {
    PIN_NONE,
    PIN_FIRST, /* alone with its like in the first rank: where wires enter the picture */
    PIN_LAST,  /* the same for the last rank */
} LayeredPin;

typedef struct LayeredVertex {
    double width;
    double height;
    LayeredPin pin;
    size_t rank; /* set: 0 is the uppermost */
    double x;    /* set: its centre; all of the picture lies between 0 and Layered.width */
    double y;    /* set: its upper edge */
} LayeredVertex;

/* A vertical piece of a wire, from one rank's upper edge to another's lower one. */
typedef struct LayeredWaypoint {
    double x;
    double top;
    double bottom;
} LayeredWaypoint;

typedef struct LayeredTarget {
    size_t vertex;
    double offset;           /* of the wire's end from the vertex's centre */
    size_t branch;           /* set: the waypoint it leaves the wire from */
    double leave_y;          /* set: how far down it follows that waypoint */
    LayeredWaypoint arrival; /* set: from the top of the vertex's rank to the vertex */
} LayeredTarget;

/* A source and what it leads to. The way is shared: waypoint 0 is the end at the source. */
typedef struct LayeredWire {
    size_t source;
    double offset; /* of the wire's end from the source's centre */
    LayeredTarget *targets;
    size_t target_count;
    LayeredWaypoint *waypoints; /* set */
    size_t waypoint_count;      /* set */
} LayeredWire;

typedef struct Layered {
    Arena *arena;
    LayeredVertex *vertices; /* sources before targets */
    size_t vertex_count;
    LayeredWire *wires; /* in the order of their sources */
    size_t wire_count;
    double width;  /* set */
    double height; /* set */
} Layered;

/* Sets everything marked so. */
void layered_place(Layered *layered);

#endif
