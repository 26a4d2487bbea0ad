/* What the steps of the layered layout hand to each other: vertices and waypoints alike as points,
 * connected only from one rank to the next. */
#ifndef NETC_OUTPUT_DRAWING_LAYERED_INTERNAL_H
#define NETC_OUTPUT_DRAWING_LAYERED_INTERNAL_H

#include "output/drawing_layered.h"

/* A vertex, or a wire where it passes a rank. */
typedef struct Point {
    size_t rank;
    double width;
    bool waypoint;
    bool continues; /* a waypoint of the wire that the point before is of */
    double x;       /* centre */
    size_t slot;    /* place in its rank, from the left */
} Point;

/* From a point to one of the next rank. */
typedef struct Link {
    size_t from;
    size_t to;
    double from_offset; /* of its end from the point's centre */
    double to_offset;
} Link;

typedef struct Ranks {
    Arena *arena;
    Point *points; /* those of the vertices first, by the same index */
    size_t point_count;
    Link *links;
    size_t link_count;
    size_t *ups;   /* links sorted by `to`; those of point p from up_begin[p] to up_begin[p + 1] */
    size_t *downs; /* links sorted by `from`, by down_begin */
    size_t *up_begin;
    size_t *down_begin;
    size_t *members; /* points by rank, then slot; rank r from begin[r] to begin[r + 1] */
    size_t *begin;
    size_t rank_count;
} Ranks;

/* Reorders the members of all ranks so that few links cross. */
void ranks_order(Ranks *ranks);

/* Sets the x of all points, left to right in the order of each rank, links as straight as can be.
 */
void ranks_set_x(Ranks *ranks);

#endif
