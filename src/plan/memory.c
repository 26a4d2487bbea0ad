/* Memory: offsets of buffers in the arena and of packed tensors in their blob.
 *
 * A buffer is needed from the first to the last step that has a view of it. Buffers that are needed
 * at the same time must not overlap. Placing them by falling size, each at the lowest offset where
 * nothing placed before overlaps it, is Pisarchyk & Lee 2020 (arXiv:2001.03288), "greedy by size";
 * where that misses the lower bound, the bytes of the busiest step, other orders are tried. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "support/checked.h"

#define ALIGNMENT 64 /* bytes: a cache line, and the widest vector */

/* ---- lifetimes ---------------------------------------------------------------------------- */

static void extend_lifetime(Buffer *buffer, int step) {
    if (buffer->place != PLACE_ARENA)
        return;
    if (buffer->first_step < 0)
        buffer->first_step = step;
    buffer->last_step = step;
}

static void find_lifetimes(Plan *plan) {
    for (size_t i = 0; i < plan->buffers.count; i++) {
        Buffer *buffer = plan->buffers.data[i];
        buffer->first_step = buffer->last_step = -1;
        if (buffer->place == PLACE_ARENA)
            buffer->index = (int)i;
    }
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.data[i];
        for (int k = 0; k < step->input_count; k++)
            extend_lifetime(step->inputs[k].buffer, (int)i);
        extend_lifetime(step->output.buffer, (int)i);
        if (step->scratch)
            extend_lifetime(step->scratch, (int)i);
    }
}

/* ---- in place ----------------------------------------------------------------------------- */

/* Lets steps write over an operand that nothing needs afterwards. */
typedef struct Reuse {
    Plan *plan;
    Buffer **instead; /* by place of a buffer: the one that took its place, or NULL */
    Step **zeros;     /* by place of a buffer: the step that zeroed its halo, or NULL */
} Reuse;

static bool same_place(const View *a, const View *b) {
    return a->offset == b->offset && a->channels == b->channels && a->height == b->height &&
           a->width == b->width && a->block == b->block && a->block_stride == b->block_stride &&
           a->row_stride == b->row_stride && a->pixel_stride == b->pixel_stride;
}

static bool same_halo(const Step *a, const Step *b) {
    return a && b && same_place(&a->output, &b->output) &&
           memcmp(&a->zero, &b->zero, sizeof a->zero) == 0;
}

/* Whether step `index` is the first to touch its output, apart from a ZERO just before it. */
static bool begins_output(const Reuse *reuse, int index) {
    const Step *const *steps = (const Step *const *)reuse->plan->steps.data;
    const Buffer *output = steps[index]->output.buffer;
    if (output->place != PLACE_ARENA)
        return false;
    return output->first_step == index ||
           (output->first_step == index - 1 && steps[index - 1]->kind == STEP_ZERO);
}

/* The first input that is read element by element beside the output; all after it are too. */
static int first_elementwise(const Step *step) {
    if (step->kind == STEP_GEMM && !step->gemm.weight)
        return 2;
    if (step->kind == STEP_RECURRENT)
        return step->input_count;
    bool reads_none = step->kind == STEP_TABLE && !step->table.numbered;
    return step->kind == STEP_MAP || step->kind == STEP_NORMALISE || reads_none ? 0 : 1;
}

/* Whether all that the step reads of `buffer` are elements it then writes, one by one. */
static bool reads_what_it_writes(const Step *step, const Buffer *buffer) {
    for (int k = 0; k < step->input_count; k++) {
        bool elementwise = k >= first_elementwise(step);
        if (step->inputs[k].buffer == buffer &&
            !(elementwise && same_place(&step->inputs[k], &step->output)))
            return false;
    }
    return true;
}

/* The buffer of an input that dies at step `index` and can take its output, or NULL. */
static Buffer *buffer_to_reuse(const Reuse *reuse, int index) {
    const Step *step = reuse->plan->steps.data[index];
    const Buffer *output = step->output.buffer;
    if (!begins_output(reuse, index) || step->kind == STEP_COPY || step->kind == STEP_ZERO)
        return NULL;
    const Step *zero = reuse->zeros[output->index];
    for (int k = 0; k < step->input_count; k++) {
        Buffer *input = step->inputs[k].buffer;
        if (input->place == PLACE_ARENA && input->last_step == index && input != output &&
            input->floats == output->floats && reads_what_it_writes(step, input) &&
            (!zero || same_halo(zero, reuse->zeros[input->index])))
            return input;
    }
    return NULL;
}

static void replace_buffer(const Reuse *reuse, View *view) {
    if (view->buffer->place == PLACE_ARENA && reuse->instead[view->buffer->index])
        view->buffer = reuse->instead[view->buffer->index];
}

/* Drops replaced buffers, and the ZERO of a halo that is zero already. */
static void remove_replaced(const Reuse *reuse) {
    Plan *plan = reuse->plan;
    size_t kept = 0;
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Buffer *output = plan->steps.data[i]->output.buffer;
        if (plan->steps.data[i]->kind == STEP_ZERO && reuse->instead[output->index])
            continue;
        plan->steps.data[kept++] = plan->steps.data[i];
    }
    plan->steps.count = kept;
    kept = 0;
    for (size_t i = 0; i < plan->buffers.count; i++) {
        const Buffer *buffer = plan->buffers.data[i];
        if (buffer->place != PLACE_ARENA || !reuse->instead[i])
            plan->buffers.data[kept++] = plan->buffers.data[i];
    }
    plan->buffers.count = kept;
}

static void reuse_in_place(Plan *plan) {
    Reuse reuse = {.plan = plan};
    reuse.instead = ARENA_ARRAY(plan->arena, plan->buffers.count, Buffer *);
    reuse.zeros = ARENA_ARRAY(plan->arena, plan->buffers.count, Step *);
    for (size_t i = 0; i < plan->steps.count; i++) {
        Step *step = plan->steps.data[i];
        for (int k = 0; k < step->input_count; k++)
            replace_buffer(&reuse, &step->inputs[k]);
        if (step->kind == STEP_ZERO) { /* stays with its buffer until remove_replaced */
            reuse.zeros[step->output.buffer->index] = step;
            continue;
        }
        replace_buffer(&reuse, &step->output);
        Buffer *input = buffer_to_reuse(&reuse, (int)i);
        if (!input)
            continue;
        input->last_step = step->output.buffer->last_step;
        reuse.instead[step->output.buffer->index] = input;
        step->output.buffer = input;
    }
    remove_replaced(&reuse);
    find_lifetimes(plan);
}

/* ---- offsets ------------------------------------------------------------------------------ */

typedef struct Item {
    Buffer *buffer;
    int64_t bytes; /* a multiple of ALIGNMENT */
    double key;    /* placed by falling key */
    int64_t begin; /* of the placement being tried */
} Item;

typedef VEC(Item *) ItemList;

typedef struct Placement {
    Arena *arena;
    Item *items;
    size_t item_count;
    size_t step_count;
    ItemList *live; /* by step: the items placed so far that it needs */
    int64_t bound;  /* bytes of the busiest step: no arena can be smaller */
    int64_t limit;  /* bytes of all items together: no arena is larger */
} Placement;

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

static double item_key(const Item *item, Order order, const int64_t *pressure) {
    double bytes = (double)item->bytes;
    int steps = item->buffer->last_step - item->buffer->first_step + 1;
    int64_t most = 0;
    switch (order) {
    case ORDER_SIZE: return bytes;
    case ORDER_AREA: return bytes * steps;
    case ORDER_PRESSURE:
        for (int i = item->buffer->first_step; i <= item->buffer->last_step; i++)
            if (pressure[i] > most)
                most = pressure[i];
        return (double)most;
    case ORDER_COUNT: break;
    }
    return 0;
}

/* Collects the placed items that share a step with `item`, each once, by rising offset. */
static void collect_neighbours(const Placement *placement, const Item *item, bool *seen,
                               ItemList *neighbours) {
    neighbours->count = 0;
    for (int i = item->buffer->first_step; i <= item->buffer->last_step; i++) {
        const ItemList *live = &placement->live[i];
        for (size_t k = 0; k < live->count; k++) {
            ptrdiff_t index = live->data[k] - placement->items;
            if (!seen[index])
                VEC_PUSH(placement->arena, neighbours, live->data[k]);
            seen[index] = true;
        }
    }
    for (size_t i = 0; i < neighbours->count; i++)
        seen[neighbours->data[i] - placement->items] = false;
    if (neighbours->count > 1)
        qsort(neighbours->data, neighbours->count, sizeof(Item *), compare_begins);
}

/* Places all items in one order; the bytes it takes. */
static int64_t place_items(Placement *placement, Item **order) {
    int64_t total = 0;
    bool *seen = ARENA_ARRAY(placement->arena, placement->item_count, bool);
    ItemList neighbours = {0};
    for (size_t i = 0; i < placement->step_count; i++)
        placement->live[i].count = 0;
    for (size_t i = 0; i < placement->item_count; i++) {
        Item *item = order[i];
        collect_neighbours(placement, item, seen, &neighbours);
        item->begin = 0;
        for (size_t k = 0; k < neighbours.count; k++) {
            const Item *other = neighbours.data[k];
            if (item->begin + item->bytes <= other->begin)
                break;
            if (item->begin < other->begin + other->bytes)
                item->begin = other->begin + other->bytes;
        }
        for (int s = item->buffer->first_step; s <= item->buffer->last_step; s++)
            VEC_PUSH(placement->arena, &placement->live[s], item);
        if (total < item->begin + item->bytes)
            total = item->begin + item->bytes;
    }
    return total;
}

/* Keeps the best of all orders in the buffers' offsets; the bytes it takes. */
static int64_t place_best(Placement *placement) {
    const int64_t *pressure = step_pressure(placement);
    for (size_t i = 0; i < placement->step_count; i++)
        if (placement->bound < pressure[i])
            placement->bound = pressure[i];
    Item **order = ARENA_ARRAY(placement->arena, placement->item_count, Item *);
    int64_t best = placement->limit + 1;
    for (Order rule = 0; rule < ORDER_COUNT && best > placement->bound; rule++) {
        for (size_t i = 0; i < placement->item_count; i++) {
            order[i] = &placement->items[i];
            order[i]->key = item_key(order[i], rule, pressure);
        }
        qsort(order, placement->item_count, sizeof *order, compare_items);
        int64_t total = place_items(placement, order);
        if (total >= best)
            continue;
        best = total;
        for (size_t i = 0; i < placement->item_count; i++)
            placement->items[i].buffer->offset = placement->items[i].begin;
    }
    return best;
}

/* Fills the items with the arena's buffers. False if their sizes do not fit 64 bits together. */
static bool collect_items(Placement *placement, const Plan *plan) {
    placement->items = ARENA_ARRAY(plan->arena, plan->buffers.count, Item);
    for (size_t i = 0; i < plan->buffers.count; i++) {
        Buffer *buffer = plan->buffers.data[i];
        if (buffer->place != PLACE_ARENA)
            continue;
        assert(buffer->first_step >= 0);
        Item *item = &placement->items[placement->item_count++];
        item->buffer = buffer;
        if (!checked_mul(buffer->floats, (int64_t)sizeof(float), &item->bytes) ||
            !checked_round_up(item->bytes, ALIGNMENT, &item->bytes) ||
            !checked_add(placement->limit, item->bytes, &placement->limit))
            return false;
    }
    return placement->limit < INT64_MAX;
}

static bool place_arena(Plan *plan) {
    Placement placement = {.arena = plan->arena, .step_count = plan->steps.count};
    placement.live = ARENA_ARRAY(plan->arena, plan->steps.count, ItemList);
    if (!collect_items(&placement, plan))
        return false;
    plan->arena_bytes = placement.item_count > 0 ? place_best(&placement) : 0;
    return true;
}

static bool place_packed(Plan *plan) {
    for (size_t i = 0; i < plan->packed.count; i++) {
        Packed *packed = plan->packed.data[i];
        packed->offset = plan->packed_bytes;
        int64_t bytes;
        if (!checked_mul(packed->floats, (int64_t)sizeof(float), &bytes) ||
            !checked_round_up(bytes, ALIGNMENT, &bytes) ||
            !checked_add(plan->packed_bytes, bytes, &plan->packed_bytes))
            return false;
    }
    return true;
}

bool plan_memory(Plan *plan, Diagnostics *diagnostics) {
    find_lifetimes(plan);
    reuse_in_place(plan);
    const char *what = !place_arena(plan) ? "arena" : !place_packed(plan) ? "packed weights" : NULL;
    if (what)
        diag_report(diagnostics, DIAG_E0802, plan->graph->name_span,
                    "the %s of `%s` would not fit 64 bits", what, plan->graph->name);
    return what == NULL;
}
