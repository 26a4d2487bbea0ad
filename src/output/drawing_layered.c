/* Ranks, waypoints, rows: see drawing_layered.h. */
#include "output/drawing_layered.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>

#include "output/drawing_layered_internal.h"

#define WIRE_WIDTH 2.0
#define LANE_WIDTH 10.0
#define ROW_GAP    30.0 /* between ranks; more where wires bend far */
#define PIN_GAP    22.0 /* below a first rank of pins: room for a title beside them */
#define MAX_BEND   44.0

/* ---- ranks ---------------------------------------------------------------------------------- */

/* The longest way to each vertex, in one pass: sources stand before targets. */
static void push_down(Layered *layered, const size_t *wire_of) {
    size_t first = 0;
    for (size_t v = 0; v < layered->vertex_count; v++)
        if (layered->vertices[v].pin == PIN_FIRST)
            first = 1;
    for (size_t v = 0; v < layered->vertex_count; v++) {
        LayeredVertex *vertex = &layered->vertices[v];
        if (vertex->pin != PIN_FIRST && vertex->rank < first)
            vertex->rank = first;
        for (size_t w = wire_of[v]; w < wire_of[v + 1]; w++)
            for (size_t t = 0; t < layered->wires[w].target_count; t++) {
                size_t to = layered->wires[w].targets[t].vertex;
                assert(to > v);
                if (layered->vertices[to].rank <= vertex->rank)
                    layered->vertices[to].rank = vertex->rank + 1;
            }
    }
}

/* What nothing leads to goes down to just above what it is needed for. */
static void sink_sources(Layered *layered, const size_t *wire_of) {
    bool *led_to = ARENA_ARRAY(layered->arena, layered->vertex_count, bool);
    for (size_t w = 0; w < layered->wire_count; w++)
        for (size_t t = 0; t < layered->wires[w].target_count; t++)
            led_to[layered->wires[w].targets[t].vertex] = true;
    for (size_t v = 0; v < layered->vertex_count; v++) {
        size_t nearest = SIZE_MAX;
        for (size_t w = wire_of[v]; w < wire_of[v + 1]; w++)
            for (size_t t = 0; t < layered->wires[w].target_count; t++) {
                size_t rank = layered->vertices[layered->wires[w].targets[t].vertex].rank;
                nearest = rank < nearest ? rank : nearest;
            }
        if (!led_to[v] && nearest != SIZE_MAX && layered->vertices[v].pin == PIN_NONE)
            layered->vertices[v].rank = nearest - 1;
    }
}

/* The last pins share a rank of their own. Returns the number of ranks. */
static size_t rank_vertices(Layered *layered) {
    size_t *wire_of = ARENA_ARRAY(layered->arena, layered->vertex_count + 1, size_t);
    for (size_t w = 0; w < layered->wire_count; w++)
        wire_of[layered->wires[w].source + 1]++;
    for (size_t v = 0; v < layered->vertex_count; v++)
        wire_of[v + 1] += wire_of[v];
    for (size_t v = 0; v < layered->vertex_count; v++)
        layered->vertices[v].rank = 0;
    push_down(layered, wire_of);
    sink_sources(layered, wire_of);
    size_t count = 0;
    bool pinned = false;
    for (size_t v = 0; v < layered->vertex_count; v++) {
        const LayeredVertex *vertex = &layered->vertices[v];
        if (vertex->pin == PIN_LAST)
            pinned = true;
        else if (vertex->rank >= count)
            count = vertex->rank + 1;
    }
    for (size_t v = 0; v < layered->vertex_count; v++)
        if (layered->vertices[v].pin == PIN_LAST)
            layered->vertices[v].rank = count;
    return count + pinned;
}

/* ---- waypoints ------------------------------------------------------------------------------ */

/* How a wire runs: through waypoints of ranks, then, if it is long, in a lane. */
typedef struct Course {
    size_t first_point; /* its waypoints, one a rank from the one below the source */
    size_t point_count;
    size_t lane_end; /* rank of the last target that is reached by the lane; 0: none */
    size_t lane;     /* from the left */
} Course;

static size_t target_rank(const Layered *layered, const LayeredTarget *target) {
    return layered->vertices[target->vertex].rank;
}

static Course course_of(const Layered *layered, const LayeredWire *wire) {
    Course course = {0};
    size_t from = layered->vertices[wire->source].rank;
    for (size_t t = 0; t < wire->target_count; t++) {
        size_t rank = target_rank(layered, &wire->targets[t]);
        size_t passed = rank - from - 1;
        if (passed > LAYERED_MAX_SPAN)
            course.lane_end = rank > course.lane_end ? rank : course.lane_end;
        else if (passed > course.point_count)
            course.point_count = passed;
    }
    return course;
}

/* Wires are numbered by source, so they come in the order of where they begin. Each takes the first
 * lane that is free there (the left-edge algorithm: Hashimoto and Stevens, Wire routing by
 * optimizing channel assignment within large apertures, DAC 1971); free lanes wait in a heap by the
 * rank they end at. */
typedef struct Lane {
    size_t end;
    size_t number;
} Lane;

static void heap_push(Lane *heap, size_t count, Lane lane) {
    size_t at = count;
    for (; at > 0 && heap[(at - 1) / 2].end > lane.end; at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = lane;
}

static void heap_replace_first(Lane *heap, size_t count, Lane lane) {
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < count && heap[child + 1].end < heap[child].end)
            child++;
        if (child >= count || heap[child].end >= lane.end)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = lane;
}

/* Returns the number of lanes. `by_rank`: indexes of wires by the rank of their source. */
static size_t assign_lanes(const Layered *layered, Course *courses, const size_t *by_rank) {
    Lane *heap = ARENA_ARRAY(layered->arena, layered->wire_count, Lane);
    size_t count = 0;
    for (size_t i = 0; i < layered->wire_count; i++) {
        Course *course = &courses[by_rank[i]];
        if (course->lane_end == 0)
            continue;
        size_t begin = layered->vertices[layered->wires[by_rank[i]].source].rank;
        if (count > 0 && heap[0].end <= begin) {
            course->lane = heap[0].number;
            heap_replace_first(heap, count, (Lane){course->lane_end, course->lane});
        } else {
            course->lane = count;
            heap_push(heap, count, (Lane){course->lane_end, course->lane});
            count++;
        }
    }
    return count;
}

/* Indexes of wires, stably sorted by the rank of their source. */
static size_t *wires_by_rank(const Layered *layered, size_t rank_count) {
    size_t *begin = ARENA_ARRAY(layered->arena, rank_count + 1, size_t);
    size_t *sorted = ARENA_ARRAY(layered->arena, layered->wire_count, size_t);
    for (size_t w = 0; w < layered->wire_count; w++)
        begin[layered->vertices[layered->wires[w].source].rank + 1]++;
    for (size_t r = 0; r < rank_count; r++)
        begin[r + 1] += begin[r];
    for (size_t w = 0; w < layered->wire_count; w++)
        sorted[begin[layered->vertices[layered->wires[w].source].rank]++] = w;
    return sorted;
}

/* ---- points and links ----------------------------------------------------------------------- */

static void add_link(Ranks *ranks, size_t from, double from_offset, size_t to, double to_offset) {
    ranks->links[ranks->link_count++] = (Link){from, to, from_offset, to_offset};
}

static void link_wire(const Layered *layered, const LayeredWire *wire, const Course *course,
                      Ranks *ranks) {
    size_t from = layered->vertices[wire->source].rank;
    for (size_t i = 0; i < course->point_count; i++) {
        size_t point = course->first_point + i;
        ranks->points[point] = (Point){
            .rank = from + 1 + i, .width = WIRE_WIDTH, .waypoint = true, .continues = i > 0};
        add_link(ranks, i == 0 ? wire->source : point - 1, i == 0 ? wire->offset : 0, point, 0);
    }
    for (size_t t = 0; t < wire->target_count; t++) {
        const LayeredTarget *target = &wire->targets[t];
        size_t passed = target_rank(layered, target) - from - 1;
        if (passed == 0)
            add_link(ranks, wire->source, wire->offset, target->vertex, target->offset);
        else if (passed <= LAYERED_MAX_SPAN)
            add_link(ranks, course->first_point + passed - 1, 0, target->vertex, target->offset);
    }
}

/* Sorts link indexes by one of their ends (counting sort) into *sorted, with where each point's
 * begin in *begin. */
static void index_links(const Ranks *ranks, bool by_target, size_t **sorted, size_t **begin) {
    *sorted = ARENA_ARRAY(ranks->arena, ranks->link_count, size_t);
    *begin = ARENA_ARRAY(ranks->arena, ranks->point_count + 2, size_t);
    size_t *next = *begin + 1; /* next[p] ends as begin[p + 1] */
    for (size_t i = 0; i < ranks->link_count; i++)
        next[(by_target ? ranks->links[i].to : ranks->links[i].from) + 1]++;
    for (size_t p = 0; p < ranks->point_count; p++)
        next[p + 1] += next[p];
    for (size_t i = 0; i < ranks->link_count; i++)
        (*sorted)[next[by_target ? ranks->links[i].to : ranks->links[i].from]++] = i;
}

/* Members of each rank in the order of their points. */
static void fill_ranks(Ranks *ranks) {
    ranks->members = ARENA_ARRAY(ranks->arena, ranks->point_count, size_t);
    ranks->begin = ARENA_ARRAY(ranks->arena, ranks->rank_count + 2, size_t);
    size_t *next = ranks->begin + 1;
    for (size_t p = 0; p < ranks->point_count; p++)
        next[ranks->points[p].rank + 1]++;
    for (size_t r = 0; r < ranks->rank_count; r++)
        next[r + 1] += next[r];
    for (size_t p = 0; p < ranks->point_count; p++)
        ranks->members[next[ranks->points[p].rank]++] = p;
}

static void make_ranks(const Layered *layered, const Course *courses, Ranks *ranks) {
    size_t links = 0;
    for (size_t w = 0; w < layered->wire_count; w++)
        links += courses[w].point_count + layered->wires[w].target_count;
    ranks->points = ARENA_ARRAY(ranks->arena, ranks->point_count, Point);
    ranks->links = ARENA_ARRAY(ranks->arena, links, Link);
    for (size_t v = 0; v < layered->vertex_count; v++)
        ranks->points[v] =
            (Point){.rank = layered->vertices[v].rank, .width = layered->vertices[v].width};
    for (size_t w = 0; w < layered->wire_count; w++)
        link_wire(layered, &layered->wires[w], &courses[w], ranks);
    index_links(ranks, true, &ranks->ups, &ranks->up_begin);
    index_links(ranks, false, &ranks->downs, &ranks->down_begin);
    fill_ranks(ranks);
}

/* ---- geometry ------------------------------------------------------------------------------- */

/* Upper and lower edge of each rank. */
typedef struct Rows {
    double *top;
    double *bottom;
} Rows;

static double bend_of(const Ranks *ranks, const Link *link) {
    return fabs(ranks->points[link->from].x + link->from_offset - ranks->points[link->to].x -
                link->to_offset);
}

/* The gap below each rank grows with the widest bend in it. */
static Rows make_rows(Layered *layered, const Ranks *ranks) {
    Rows rows = {ARENA_ARRAY(ranks->arena, ranks->rank_count + 1, double),
                 ARENA_ARRAY(ranks->arena, ranks->rank_count + 1, double)};
    double *gap = ARENA_ARRAY(ranks->arena, ranks->rank_count + 1, double);
    for (size_t r = 0; r < ranks->rank_count; r++)
        gap[r] = ROW_GAP;
    for (size_t v = 0; v < layered->vertex_count; v++) {
        const LayeredVertex *vertex = &layered->vertices[v];
        if (vertex->height > rows.bottom[vertex->rank])
            rows.bottom[vertex->rank] = vertex->height;
        if (vertex->pin == PIN_FIRST)
            gap[0] = PIN_GAP;
    }
    for (size_t i = 0; i < ranks->link_count; i++) {
        double wanted = ROW_GAP - 14 + fmin(bend_of(ranks, &ranks->links[i]) / 5, MAX_BEND);
        size_t rank = ranks->points[ranks->links[i].from].rank;
        gap[rank] = fmax(gap[rank], floor(wanted));
    }
    for (size_t r = 0; r < ranks->rank_count; r++) {
        rows.top[r] = r == 0 ? 0 : rows.bottom[r - 1] + gap[r - 1];
        rows.bottom[r] += rows.top[r];
    }
    layered->height = ranks->rank_count == 0 ? 0 : rows.bottom[ranks->rank_count - 1];
    return rows;
}

/* Moves everything so that the leftmost edge is at 0; returns the width. */
static double align_left(Ranks *ranks) {
    double left = 0;
    double right = 0;
    for (size_t r = 0; r < ranks->rank_count; r++) {
        const Point *first = &ranks->points[ranks->members[ranks->begin[r]]];
        const Point *last = &ranks->points[ranks->members[ranks->begin[r + 1] - 1]];
        left = r == 0 ? first->x - first->width / 2 : fmin(left, first->x - first->width / 2);
        right = r == 0 ? last->x + last->width / 2 : fmax(right, last->x + last->width / 2);
    }
    for (size_t p = 0; p < ranks->point_count; p++)
        ranks->points[p].x -= left;
    return right - left;
}

/* Vertices stand in the middle of their rank's height. */
static void place_vertices(Layered *layered, const Ranks *ranks, const Rows *rows) {
    for (size_t v = 0; v < layered->vertex_count; v++) {
        LayeredVertex *vertex = &layered->vertices[v];
        double spare = rows->bottom[vertex->rank] - rows->top[vertex->rank] - vertex->height;
        vertex->x = ranks->points[v].x;
        vertex->y = rows->top[vertex->rank] + floor(spare / 2);
    }
}

static void route_wire(const Layered *layered, LayeredWire *wire, const Course *course,
                       const Ranks *ranks, const Rows *rows) {
    const LayeredVertex *source = &layered->vertices[wire->source];
    size_t from = source->rank;
    wire->waypoint_count = 1 + course->point_count + (course->lane_end > 0);
    wire->waypoints = ARENA_ARRAY(layered->arena, wire->waypoint_count, LayeredWaypoint);
    wire->waypoints[0] =
        (LayeredWaypoint){source->x + wire->offset, source->y + source->height, rows->bottom[from]};
    for (size_t i = 0; i < course->point_count; i++)
        wire->waypoints[1 + i] =
            (LayeredWaypoint){ranks->points[course->first_point + i].x, rows->top[from + 1 + i],
                              rows->bottom[from + 1 + i]};
    if (course->lane_end > 0)
        wire->waypoints[wire->waypoint_count - 1] =
            (LayeredWaypoint){layered->width + LANE_WIDTH * ((double)course->lane + 1),
                              rows->top[from + 1], rows->bottom[course->lane_end - 1]};
    for (size_t t = 0; t < wire->target_count; t++) {
        LayeredTarget *target = &wire->targets[t];
        const LayeredVertex *vertex = &layered->vertices[target->vertex];
        size_t passed = vertex->rank - from - 1;
        target->branch = passed > LAYERED_MAX_SPAN ? wire->waypoint_count - 1 : passed;
        target->leave_y = rows->bottom[vertex->rank - 1];
        target->arrival =
            (LayeredWaypoint){vertex->x + target->offset, rows->top[vertex->rank], vertex->y};
    }
}

void layered_place(Layered *layered) {
    Ranks ranks = {.arena = layered->arena, .rank_count = rank_vertices(layered)};
    Course *courses = ARENA_ARRAY(layered->arena, layered->wire_count, Course);
    ranks.point_count = layered->vertex_count;
    for (size_t w = 0; w < layered->wire_count; w++) {
        courses[w] = course_of(layered, &layered->wires[w]);
        courses[w].first_point = ranks.point_count;
        ranks.point_count += courses[w].point_count;
    }
    make_ranks(layered, courses, &ranks);
    ranks_order(&ranks);
    ranks_set_x(&ranks);
    layered->width = align_left(&ranks);
    Rows rows = make_rows(layered, &ranks);
    place_vertices(layered, &ranks, &rows);
    size_t lanes = assign_lanes(layered, courses, wires_by_rank(layered, ranks.rank_count));
    for (size_t w = 0; w < layered->wire_count; w++)
        route_wire(layered, &layered->wires[w], &courses[w], &ranks, &rows);
    layered->width += LANE_WIDTH * (double)lanes;
}
