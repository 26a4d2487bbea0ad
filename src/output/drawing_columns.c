/* The x of the points, sweep by sweep, down and up in turn. Each point wants to stand straight
 * under (or over) the weighted median of what it is linked to; within a rank the wishes are granted
 * as far as order and distances allow, in the sense of least squares. With s the least distance of
 * a point from the first of its rank, that is to find the non-decreasing y closest to wish - s, the
 * isotonic regression, which pooling adjacent violators solves exactly and in linear time (Barlow,
 * Bartholomew, Bremner and Brunk, Statistical Inference under Order Restrictions, 1972).
 *
 * Vertices outweigh waypoints: a wire runs round a vertex and never pushes it from under the one
 * that leads to it. What is on a longest way through the graph outweighs all else: where branches
 * part, the main one goes straight on. In the end each wire is pulled straight between what stands
 * left and right of it. */
#include <math.h>
#include <stdlib.h>

#include "output/drawing_layered_internal.h"

#define SWEEPS          8
#define VERTEX_GAP      26.0
#define WAYPOINT_GAP    14.0 /* between wires, and between a wire and a vertex */
#define MAIN_WEIGHT     1e8  /* of a vertex on a longest way */
#define VERTEX_WEIGHT   1e4
#define WAYPOINT_WEIGHT 1.0

/* Neighbouring points of a rank whose wishes conflict: they stand as close as they can. */
typedef struct Pool {
    double mean; /* of wish - s, by weight */
    double weight;
    size_t count;
} Pool;

typedef struct Wish {
    double x;
    double weight;
} Wish;

static int wish_compare(const void *left, const void *right) {
    const Wish *a = left;
    const Wish *b = right;
    return a->x < b->x ? -1 : a->x > b->x;
}

/* The x at which half of the weight is on either side; between two if both are the middle. */
static double weighted_median(Wish *wishes, size_t count) {
    double total = 0;
    for (size_t i = 0; i < count; i++)
        total += wishes[i].weight;
    qsort(wishes, count, sizeof *wishes, wish_compare);
    double sum = 0;
    size_t i = 0;
    while (i + 1 < count && sum + wishes[i].weight < total / 2)
        sum += wishes[i++].weight;
    bool between = sum + wishes[i].weight == total / 2 && i + 1 < count;
    return between ? (wishes[i].x + wishes[i + 1].x) / 2 : wishes[i].x;
}

/* Vertices on the longest way from the top to each point, and from it to the bottom. */
typedef struct Longest {
    size_t *above;
    size_t *below;
    size_t all; /* on the longest of all */
} Longest;

typedef struct Scratch {
    Wish *wishes; /* room for as many as there are links */
    Pool *pools;
    double *least; /* s */
    Longest longest;
} Scratch;

static Longest longest_ways(const Ranks *ranks) {
    Longest longest = {ARENA_ARRAY(ranks->arena, ranks->point_count, size_t),
                       ARENA_ARRAY(ranks->arena, ranks->point_count, size_t), 0};
    for (size_t m = 0; m < ranks->point_count; m++) {
        size_t point = ranks->members[m];
        size_t *above = &longest.above[point];
        for (size_t i = ranks->up_begin[point]; i < ranks->up_begin[point + 1]; i++) {
            size_t other = longest.above[ranks->links[ranks->ups[i]].from];
            *above = other > *above ? other : *above;
        }
        *above += !ranks->points[point].waypoint;
        longest.all = *above > longest.all ? *above : longest.all;
    }
    for (size_t m = ranks->point_count; m-- > 0;) {
        size_t point = ranks->members[m];
        size_t *below = &longest.below[point];
        for (size_t i = ranks->down_begin[point]; i < ranks->down_begin[point + 1]; i++) {
            size_t other = longest.below[ranks->links[ranks->downs[i]].to];
            *below = other > *below ? other : *below;
        }
        *below += !ranks->points[point].waypoint;
    }
    return longest;
}

/* Two waypoints of one wire weigh most, then two vertices; those on a longest way decide a tie. */
static double link_weight(const Ranks *ranks, const Link *link, const Longest *longest) {
    int waypoints = ranks->points[link->from].waypoint + ranks->points[link->to].waypoint;
    double weight = waypoints == 2 ? 8 : 2 - waypoints;
    bool main = longest->above[link->from] + longest->below[link->to] == longest->all;
    return main ? weight + 0.5 : weight;
}

static double point_weight(const Point *point, size_t index, const Longest *longest) {
    if (point->waypoint)
        return WAYPOINT_WEIGHT;
    /* the vertex itself is counted in both directions */
    bool main = longest->above[index] + longest->below[index] == longest->all + 1;
    return main ? MAIN_WEIGHT : VERTEX_WEIGHT;
}

static double wish_of(const Ranks *ranks, size_t point, bool above, Scratch *scratch) {
    const size_t *begin = above ? ranks->up_begin : ranks->down_begin;
    const size_t *links = above ? ranks->ups : ranks->downs;
    size_t count = 0;
    for (size_t i = begin[point]; i < begin[point + 1]; i++) {
        const Link *link = &ranks->links[links[i]];
        double straight = link->from_offset - link->to_offset;
        const Point *other = &ranks->points[above ? link->from : link->to];
        scratch->wishes[count++] = (Wish){above ? other->x + straight : other->x - straight,
                                          link_weight(ranks, link, &scratch->longest)};
    }
    return count == 0 ? ranks->points[point].x : weighted_median(scratch->wishes, count);
}

static double least_distance(const Point *a, const Point *b) {
    return (a->width + b->width) / 2 + (a->waypoint || b->waypoint ? WAYPOINT_GAP : VERTEX_GAP);
}

/* Adds a point's wish at the right end, and pools while means decrease. */
static size_t pool_add(Pool *pools, size_t count, Pool added) {
    while (count > 0 && pools[count - 1].mean >= added.mean) {
        const Pool *left = &pools[--count];
        double weight = left->weight + added.weight;
        added.mean = (left->mean * left->weight + added.mean * added.weight) / weight;
        added.weight = weight;
        added.count += left->count;
    }
    pools[count] = added;
    return count + 1;
}

static void place_rank(Ranks *ranks, size_t rank, bool above, Scratch *scratch) {
    const size_t *members = ranks->members + ranks->begin[rank];
    size_t count = ranks->begin[rank + 1] - ranks->begin[rank];
    size_t pools = 0;
    double least = 0;
    for (size_t i = 0; i < count; i++) {
        const Point *point = &ranks->points[members[i]];
        if (i > 0)
            least += least_distance(&ranks->points[members[i - 1]], point);
        scratch->least[i] = least;
        double wish = wish_of(ranks, members[i], above, scratch);
        double weight = point_weight(point, members[i], &scratch->longest);
        pools = pool_add(scratch->pools, pools, (Pool){wish - least, weight, 1});
    }
    size_t i = 0;
    for (size_t p = 0; p < pools; p++)
        for (size_t k = 0; k < scratch->pools[p].count; k++, i++)
            ranks->points[members[i]].x = scratch->pools[p].mean + scratch->least[i];
}

/* ---- wires ---------------------------------------------------------------------------------- */

/* The x that a waypoint may have between its neighbours. */
typedef struct Room {
    double left;
    double right;
} Room;

static Room room_of(const Ranks *ranks, const Point *point) {
    const size_t *members = ranks->members + ranks->begin[point->rank];
    size_t count = ranks->begin[point->rank + 1] - ranks->begin[point->rank];
    Room room = {-INFINITY, INFINITY};
    if (point->slot > 0) {
        const Point *left = &ranks->points[members[point->slot - 1]];
        room.left = left->x + least_distance(left, point);
    }
    if (point->slot + 1 < count) {
        const Point *right = &ranks->points[members[point->slot + 1]];
        room.right = right->x - least_distance(point, right);
    }
    return room;
}

/* From waypoint `begin` on, as far as the wire can be one straight line; returns where it ends. The
 * line is as near as can be to where most of its points are. */
static size_t straighten(Ranks *ranks, size_t begin) {
    Room room = room_of(ranks, &ranks->points[begin]);
    double sum = ranks->points[begin].x;
    size_t end = begin + 1;
    for (; end < ranks->point_count && ranks->points[end].continues; end++) {
        Room next = room_of(ranks, &ranks->points[end]);
        Room both = {fmax(room.left, next.left), fmin(room.right, next.right)};
        if (both.left > both.right)
            break;
        room = both;
        sum += ranks->points[end].x;
    }
    double x = fmin(fmax(sum / (double)(end - begin), room.left), room.right);
    for (size_t p = begin; p < end; p++)
        ranks->points[p].x = x;
    return end;
}

static void straighten_wires(Ranks *ranks) {
    size_t point = 0;
    while (point < ranks->point_count)
        point = ranks->points[point].waypoint ? straighten(ranks, point) : point + 1;
}

void ranks_set_x(Ranks *ranks) {
    Scratch scratch = {ARENA_ARRAY(ranks->arena, ranks->link_count, Wish),
                       ARENA_ARRAY(ranks->arena, ranks->point_count, Pool),
                       ARENA_ARRAY(ranks->arena, ranks->point_count, double), longest_ways(ranks)};
    for (int sweep = 0; sweep <= SWEEPS; sweep++) {
        bool down = sweep % 2 == 0; /* the last one, too: what follows stands under what leads */
        for (size_t i = 0; i < ranks->rank_count; i++)
            place_rank(ranks, down ? i : ranks->rank_count - 1 - i, down, &scratch);
    }
    straighten_wires(ranks);
}
