/* Offsets of the arena's buffers. Those that are needed at the same step must not overlap.
 *
 * Placing them by falling size, each at the lowest offset where no neighbour placed before overlaps
 * it, is Pisarchyk & Lee 2020 (arXiv:2001.03288), "greedy by size"; where that misses the lower
 * bound, the bytes of the busiest step, other orders are tried, and each again with the buffer
 * first that reached highest. This takes time in proportion to the pairs of neighbours, which is
 * the number of buffers for a network that flows, but its square for one that keeps everything.
 * With too many pairs they are placed in the order of their first steps, each in the first hole
 * that is large enough. */
#include "plan/placement.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "support/checked.h"

#define MAX_PAIRS ((int64_t)1 << 20)
#define MAX_MOVES 32 /* of buffers to the front of an order; fewer where there are many pairs */

typedef struct Item Item;
struct Item {
    Buffer *buffer;
    int64_t bytes;     /* a multiple of PLACE_ALIGNMENT */
    double key;        /* placed by falling key */
    int64_t begin;     /* of the placement being tried */
    bool placed;       /* in it */
    Item **neighbours; /* that share a step with it */
    size_t neighbour_count;
};

typedef struct Placement {
    Arena *arena;
    Item *items; /* by first step */
    size_t item_count;
    size_t step_count;
    int64_t bound; /* bytes of the busiest step: no arena can be smaller */
    int64_t limit; /* bytes of all items together: no arena is larger */
} Placement;

static int compare_first_steps(const void *a, const void *b) {
    const Item *left = a, *right = b;
    if (left->buffer->first_step != right->buffer->first_step)
        return left->buffer->first_step < right->buffer->first_step ? -1 : 1;
    return left->buffer->index - right->buffer->index;
}

/* Fills the items with buffers of the arena. False if their sizes do not fit 64 bits together. */
static bool collect_items(Placement *placement, const Plan *plan,
                          bool (*chosen)(const Buffer *buffer)) {
    placement->items = ARENA_ARRAY(plan->arena, plan->buffers.count, Item);
    for (size_t i = 0; i < plan->buffers.count; i++) {
        Buffer *buffer = plan->buffers.data[i];
        if (buffer->place != PLACE_ARENA || !chosen(buffer))
            continue;
        assert(buffer->first_step >= 0);
        Item *item = &placement->items[placement->item_count++];
        item->buffer = buffer;
        if (!checked_mul(buffer_elements(buffer), element_size(buffer->element), &item->bytes) ||
            !checked_round_up(item->bytes, PLACE_ALIGNMENT, &item->bytes) ||
            !checked_add(placement->limit, item->bytes, &placement->limit))
            return false;
    }
    qsort(placement->items, placement->item_count, sizeof *placement->items, compare_first_steps);
    return placement->limit < INT64_MAX;
}

/* ---- neighbours --------------------------------------------------------------------------- */

/* The items needed at the step that is looked at. */
typedef struct Live {
    Item **items;
    size_t count;
} Live;

static void drop_dead(Live *live, int step) {
    size_t kept = 0;
    for (size_t i = 0; i < live->count; i++)
        if (live->items[i]->buffer->last_step >= step)
            live->items[kept++] = live->items[i];
    live->count = kept;
}

static int64_t count_pairs(const Placement *placement) {
    int64_t *ends = ARENA_ARRAY(placement->arena, placement->step_count, int64_t);
    for (size_t i = 0; i < placement->item_count; i++)
        ends[placement->items[i].buffer->last_step]++;
    int64_t pairs = 0;
    int64_t live = 0;
    int step = 0;
    for (size_t i = 0; i < placement->item_count; i++) {
        for (; step < placement->items[i].buffer->first_step; step++)
            live -= ends[step];
        pairs += live++;
    }
    return pairs;
}

/* Counts the neighbours of each item, then (`keep`) writes them down. */
static void visit_pairs(const Placement *placement, Live *live, bool keep) {
    live->count = 0;
    for (size_t i = 0; i < placement->item_count; i++) {
        Item *item = &placement->items[i];
        drop_dead(live, item->buffer->first_step);
        for (size_t k = 0; k < live->count; k++) {
            Item *other = live->items[k];
            if (keep) {
                item->neighbours[item->neighbour_count] = other;
                other->neighbours[other->neighbour_count] = item;
            }
            item->neighbour_count++;
            other->neighbour_count++;
        }
        live->items[live->count++] = item;
    }
}

static void find_neighbours(const Placement *placement) {
    Live live = {.items = ARENA_ARRAY(placement->arena, placement->item_count, Item *)};
    visit_pairs(placement, &live, false);
    for (size_t i = 0; i < placement->item_count; i++) {
        Item *item = &placement->items[i];
        item->neighbours = ARENA_ARRAY(placement->arena, item->neighbour_count, Item *);
        item->neighbour_count = 0;
    }
    visit_pairs(placement, &live, true);
}

/* ---- greedy ------------------------------------------------------------------------------- */

/* How the items are ordered. */
typedef enum Order {
    ORDER_SIZE,     /* large ones first */
    ORDER_AREA,     /* bytes times steps */
    ORDER_PRESSURE, /* those of the busiest steps first */
    ORDER_COUNT,
} Order;

static int compare_items(const void *a, const void *b) {
    const Item *left = *(Item *const *)a, *right = *(Item *const *)b;
    if (left->key != right->key)
        return left->key > right->key ? -1 : 1;
    if (left->bytes != right->bytes)
        return left->bytes > right->bytes ? -1 : 1;
    return left->buffer->index - right->buffer->index;
}

static int compare_begins(const void *a, const void *b) {
    const Item *left = *(Item *const *)a, *right = *(Item *const *)b;
    return (left->begin > right->begin) - (left->begin < right->begin);
}

/* Bytes needed at each step. The sum over all items has been checked. */
static int64_t *step_pressure(const Placement *placement) {
    int64_t *pressure = ARENA_ARRAY(placement->arena, placement->step_count + 1, int64_t);
    for (size_t i = 0; i < placement->item_count; i++) {
        const Item *item = &placement->items[i];
        pressure[item->buffer->first_step] += item->bytes;
        pressure[item->buffer->last_step + 1] -= item->bytes;
    }
    for (size_t i = 1; i < placement->step_count; i++)
        pressure[i] += pressure[i - 1];
    return pressure;
}

/* The bytes of the busiest step of the item: pressure rises only where an item begins, so it is the
 * item's own first step or that of a neighbour. */
static int64_t item_pressure(const Item *item, const int64_t *pressure) {
    int64_t most = pressure[item->buffer->first_step];
    for (size_t i = 0; i < item->neighbour_count; i++) {
        int step = item->neighbours[i]->buffer->first_step;
        if (step > item->buffer->first_step && pressure[step] > most)
            most = pressure[step];
    }
    return most;
}

static double item_key(const Item *item, Order order, const int64_t *pressure) {
    int steps = item->buffer->last_step - item->buffer->first_step + 1;
    switch (order) {
    case ORDER_SIZE: return (double)item->bytes;
    case ORDER_AREA: return (double)item->bytes * steps;
    case ORDER_PRESSURE: return (double)item_pressure(item, pressure);
    case ORDER_COUNT: break;
    }
    return 0;
}

/* The lowest offset at which no placed neighbour overlaps the item. `neighbours` has room for all
 * items. */
static int64_t lowest_offset(const Item *item, Item **neighbours) {
    size_t count = 0;
    for (size_t i = 0; i < item->neighbour_count; i++)
        if (item->neighbours[i]->placed)
            neighbours[count++] = item->neighbours[i];
    if (count > 1)
        qsort(neighbours, count, sizeof *neighbours, compare_begins);
    int64_t begin = 0;
    for (size_t i = 0; i < count; i++) {
        if (begin + item->bytes <= neighbours[i]->begin)
            break;
        if (begin < neighbours[i]->begin + neighbours[i]->bytes)
            begin = neighbours[i]->begin + neighbours[i]->bytes;
    }
    return begin;
}

/* Places all items in one order; the bytes it takes. */
static int64_t place_items(const Placement *placement, Item *const *order, Item **neighbours) {
    int64_t total = 0;
    for (size_t i = 0; i < placement->item_count; i++)
        order[i]->placed = false;
    for (size_t i = 0; i < placement->item_count; i++) {
        Item *item = order[i];
        item->begin = lowest_offset(item, neighbours);
        item->placed = true;
        if (total < item->begin + item->bytes)
            total = item->begin + item->bytes;
    }
    return total;
}

/* The place in the order of the item that ends last. */
static size_t highest_item(const Placement *placement, Item *const *order) {
    size_t highest = 0;
    for (size_t i = 1; i < placement->item_count; i++)
        if (order[i]->begin + order[i]->bytes > order[highest]->begin + order[highest]->bytes)
            highest = i;
    return highest;
}

static void move_to_front(Item **order, size_t index) {
    Item *item = order[index];
    memmove(order + 1, order, index * sizeof *order);
    order[0] = item;
}

/* Places all items in this order and in those that follow from it; `best` bytes are to be beaten.
 */
static int64_t place_and_improve(const Placement *placement, Item **order, Item **neighbours,
                                 int64_t pairs, int64_t best) {
    int64_t moves = MAX_PAIRS / (pairs + 1);
    if (moves > MAX_MOVES)
        moves = MAX_MOVES;
    for (int64_t move = 0; move <= moves && best > placement->bound; move++) {
        if (move > 0)
            move_to_front(order, highest_item(placement, order));
        int64_t total = place_items(placement, order, neighbours);
        if (total >= best)
            continue;
        best = total;
        for (size_t i = 0; i < placement->item_count; i++)
            placement->items[i].buffer->offset = placement->items[i].begin;
    }
    return best;
}

/* Keeps the best of all orders in the buffers' offsets; the bytes it takes. */
static int64_t place_best(Placement *placement, int64_t pairs) {
    const int64_t *pressure = step_pressure(placement);
    for (size_t i = 0; i < placement->step_count; i++)
        if (placement->bound < pressure[i])
            placement->bound = pressure[i];
    find_neighbours(placement);
    Item **order = ARENA_ARRAY(placement->arena, placement->item_count, Item *);
    Item **neighbours = ARENA_ARRAY(placement->arena, placement->item_count, Item *);
    int64_t best = placement->limit + 1;
    for (Order rule = 0; rule < ORDER_COUNT && best > placement->bound; rule++) {
        for (size_t i = 0; i < placement->item_count; i++) {
            order[i] = &placement->items[i];
            order[i]->key = item_key(order[i], rule, pressure);
        }
        qsort(order, placement->item_count, sizeof *order, compare_items);
        best = place_and_improve(placement, order, neighbours, pairs, best);
    }
    return best;
}

/* ---- in the order of time ----------------------------------------------------------------- */

typedef struct Hole {
    int64_t begin;
    int64_t end;
} Hole;

/* Holes by rising offset, no two of which touch; everything from `top` on is free too. */
typedef struct Holes {
    Hole *list;
    size_t count;
    int64_t top;
} Holes;

static void remove_hole(Holes *holes, size_t index) {
    holes->count--;
    memmove(&holes->list[index], &holes->list[index + 1],
            (holes->count - index) * sizeof *holes->list);
}

static int64_t take_hole(Holes *holes, int64_t bytes) {
    for (size_t i = 0; i < holes->count; i++) {
        Hole *hole = &holes->list[i];
        if (hole->end - hole->begin < bytes)
            continue;
        int64_t begin = hole->begin;
        hole->begin += bytes;
        if (hole->begin == hole->end)
            remove_hole(holes, i);
        return begin;
    }
    holes->top += bytes;
    return holes->top - bytes;
}

/* How many holes begin before `offset`. */
static size_t holes_before(const Holes *holes, int64_t offset) {
    size_t low = 0, high = holes->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (holes->list[middle].begin < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void give_hole(Holes *holes, Hole hole) {
    size_t at = holes_before(holes, hole.begin);
    if (at < holes->count && holes->list[at].begin == hole.end) {
        hole.end = holes->list[at].end;
        remove_hole(holes, at);
    }
    if (at > 0 && holes->list[at - 1].end == hole.begin) {
        hole.begin = holes->list[--at].begin;
        remove_hole(holes, at);
    }
    if (hole.end == holes->top) {
        holes->top = hole.begin;
        return;
    }
    memmove(&holes->list[at + 1], &holes->list[at], (holes->count - at) * sizeof hole);
    holes->list[at] = hole;
    holes->count++;
}

static int compare_last_steps(const void *a, const void *b) {
    const Buffer *left = (*(Item *const *)a)->buffer, *right = (*(Item *const *)b)->buffer;
    if (left->last_step != right->last_step)
        return left->last_step < right->last_step ? -1 : 1;
    return left->index - right->index;
}

static int64_t place_in_time(const Placement *placement) {
    Holes holes = {.list = ARENA_ARRAY(placement->arena, placement->item_count + 1, Hole)};
    Item **ends = ARENA_ARRAY(placement->arena, placement->item_count, Item *);
    for (size_t i = 0; i < placement->item_count; i++)
        ends[i] = &placement->items[i];
    qsort(ends, placement->item_count, sizeof *ends, compare_last_steps);
    int64_t total = 0;
    size_t ended = 0;
    for (size_t i = 0; i < placement->item_count; i++) {
        Item *item = &placement->items[i];
        for (; ends[ended]->buffer->last_step < item->buffer->first_step; ended++)
            give_hole(&holes, (Hole){ends[ended]->begin, ends[ended]->begin + ends[ended]->bytes});
        item->begin = item->buffer->offset = take_hole(&holes, item->bytes);
        if (total < holes.top)
            total = holes.top;
    }
    return total;
}

bool placement_make(const Plan *plan, bool (*chosen)(const Buffer *buffer), int64_t *bytes) {
    Placement placement = {.arena = plan->arena, .step_count = plan->steps.count};
    if (!collect_items(&placement, plan, chosen))
        return false;
    int64_t pairs = count_pairs(&placement);
    if (placement.item_count == 0)
        *bytes = 0;
    else
        *bytes = pairs > MAX_PAIRS ? place_in_time(&placement) : place_best(&placement, pairs);
    return true;
}
