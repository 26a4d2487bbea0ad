/* Bands: convolutions and pools that are done together, some rows at a time.
 *
 * The value between two of them may be larger than the second cache: then it is written to the
 * third one and read from there. So such steps take turns: each does as many rows as fit, and the
 * next goes on with them at once. Of the value between them there is never more than a
 * window of rows, which moves down the image: a small buffer instead of a large one. (Alwani, Chen,
 * Ferdman and Milder: Fused-Layer CNN Accelerators, 2016; rows that the next turn needs too are
 * kept, not computed again.)
 *
 * In turn t the last step does `rows` rows of its output, from t * rows on; a step before it does
 * as many for each of the rows that its reader then needs. Where the reader's windows reach further
 * down, it is `lead` rows ahead. Of its output's buffer, which begins with the halo above
 * (or, before a pool, which asks for no halo, with as many rows):
 *
 *     row 0                     row t * rows - above of the value, above being the reader's padding
 *     row above + lead          the first that turn t > 0 computes; those before it, which the
 *                               reader needs again, a COPY has brought there from the end
 *     row above + lead + rows   the end, and the halo below, which may be higher up in the last
 *                               turn: a ZERO makes it there before the reader comes to it
 *
 * Threads share the turns, and each has windows of its own. What is above its first turn it
 * computes again, instead of waiting for who did it: `above` is then all that takes, in whole
 * tiles. Where waiting costs more than that, small values are handed on in a band too, in one turn
 * for each thread.
 *
 * The register tile's rows divide `rows`, so that each turn begins where a tile does; the last turn
 * may have fewer rows. */
#include "plan/cost.h"
#include "plan/halo.h"
#include "plan/memory.h"
#include "plan/tile_cost.h"
#include "support/checked.h"

#define MAX_STEPS 16 /* of a band */
#define MAX_TURNS 1024

/* What threads lose where one needs what another made: as much as so many waits, for they do not
 * come at once; and cycles for each line that comes from the other's cache. Measured on networks of
 * examples/ with two threads. */
#define SEAM_WAITS  4
#define LINE_CYCLES 30.0

/* A step of a band in the making, and the window that its output becomes. */
typedef struct Link {
    Step *step;
    Step *zero;   /* makes the halo of its output; NULL: there is none */
    Halo halo;    /* around its output, not yet a window */
    size_t index; /* of the step */
    Tile tile;
    int64_t rows;
    int64_t lead;
    int64_t above;
} Link;

typedef struct Banding {
    Plan *plan;
    int parts; /* that may share a band */
    int least_turns;
    int64_t most_bytes; /* between two steps, and in windows: most of the second cache; 0: any, and
                           as many steps as can be, whether it is worth it or not */
    VEC(Step *) steps;  /* as they will run */
    Link links[MAX_STEPS];
    int count;
} Banding;

/* ---- which steps -------------------------------------------------------------------------- */

/* How many rows above its own the step reads, which may be a halo. */
static int64_t pad_above(const Step *step) {
    return step_window(step)->pad_begin[0];
}

static Halo halo_made_by(const Step *zero) {
    Halo halo = {0};
    for (int i = 0; zero && i < 2; i++) {
        halo.begin[i] = zero->zero.begin[i];
        halo.end[i] = zero->zero.end[i];
    }
    return halo;
}

/* Whether the step's output with its halo is all that its buffer holds. */
static bool fills_buffer(const Link *link) {
    const View *view = &link->step->output;
    const int64_t *begin = link->halo.begin, *end = link->halo.end;
    int64_t blocks = divide_up(view->channels, view->block);
    return view->offset == begin[0] * view->row_stride + begin[1] * view->pixel_stride &&
           view->row_stride == (begin[1] + view->width + end[1]) * view->pixel_stride &&
           view->block_stride == (begin[0] + view->height + end[0]) * view->row_stride &&
           view->buffer->elements == blocks * view->block_stride;
}

/* Whether the halo above is as the reader's windows need it: a pool reads none. */
static bool has_halo_for(const Link *link, const Step *reader) {
    return reader->kind == STEP_WINDOW ? !link->zero : link->halo.begin[0] == pad_above(reader);
}

/* Whether `reader`, step number `index`, alone needs what the link makes, and as an image. */
static bool hands_on(const Banding *banding, const Link *link, const Step *reader, size_t index) {
    const Buffer *buffer = link->step->output.buffer;
    if (!tile_is_free(reader) || buffer->place != PLACE_ARENA ||
        reader->inputs[0].buffer != buffer || buffer->last_step != (int)index ||
        !fills_buffer(link) || !has_halo_for(link, reader))
        return false;
    for (int k = 1; k < reader->input_count; k++)
        if (reader->inputs[k].buffer == buffer)
            return false;
    return banding->parts > 1 || buffer_bytes(buffer) > banding->most_bytes;
}

/* A step that may as well be done before the links: a ZERO, or a COPY of what none of them makes.
 */
static bool is_apart(const Banding *banding, const Step *step) {
    if (step->kind != STEP_COPY)
        return step->kind == STEP_ZERO;
    for (int k = 0; k < banding->count; k++)
        if (banding->links[k].step->output.buffer == step->inputs[0].buffer)
            return false;
    return true;
}

/* The step after number `index` that is not apart; the number of steps if there is none. */
static size_t next_step(const Banding *banding, size_t index) {
    const Plan *plan = banding->plan;
    do
        index++;
    while (index < plan->steps.count && is_apart(banding, plan->steps.data[index]));
    return index;
}

static void add_link(Banding *banding, size_t index) {
    Step *const *steps = banding->plan->steps.data;
    Step *step = steps[index];
    const Buffer *buffer = step->output.buffer;
    Step *first = buffer->place == PLACE_ARENA ? steps[buffer->first_step] : step;
    Step *zero = first->kind == STEP_ZERO ? first : NULL;
    banding->links[banding->count++] =
        (Link){.step = step, .zero = zero, .halo = halo_made_by(zero), .index = index};
}

/* Links the steps from number `first` on that hand on to each other. None begin with a pool: what
 * it reads is more than what it makes, and would pass through the caches in more pieces (measured).
 */
static void link_steps(Banding *banding, size_t first) {
    const Plan *plan = banding->plan;
    banding->count = 0;
    const Step *step = plan->steps.data[first];
    if (tile_is_free(step) && step->kind != STEP_WINDOW)
        add_link(banding, first);
    while (banding->count > 0 && banding->count < MAX_STEPS) {
        const Link *last = &banding->links[banding->count - 1];
        size_t next = next_step(banding, last->index);
        if (next == plan->steps.count || !hands_on(banding, last, plan->steps.data[next], next))
            return;
        add_link(banding, next);
    }
}

/* ---- how many rows ------------------------------------------------------------------------- */

/* Rows of its input, from the first on, that the first `rows` rows of a step take. */
static int64_t rows_taken(const Step *step, int64_t rows) {
    const Window *window = step_window(step);
    int64_t reach = (window->kernel[0] - 1) * window->dilation[0];
    return window->stride[0] * (rows - 1) + reach + 1 - window->pad_begin[0];
}

/* How far the link must be ahead, if it does `stride` rows for each of its reader's. */
static int64_t rows_ahead(const Link *reader) {
    int64_t ahead = rows_taken(reader->step, reader->lead);
    return ahead > 0 ? ahead : 0;
}

/* How many rows above those of the turn its reader needs in a part's first turn. */
static int64_t rows_above(const Link *reader) {
    const Window *window = step_window(reader->step);
    return window->stride[0] * reader->above + window->pad_begin[0];
}

static int64_t whole_tiles(const Link *link, int64_t rows) {
    return divide_up(rows, link->tile.rows) * link->tile.rows;
}

/* Sets the tile of a link, whose rows divide `multiple`, and what follows from it. */
static void set_tile(const Banding *banding, Link *link, const Link *reader, int64_t multiple) {
    link->tile = tile_dividing(banding->plan->machine, link->step, link->rows, multiple);
    link->lead = link->above = 0;
    if (!reader)
        return;
    link->lead = whole_tiles(link, rows_ahead(reader));
    link->above =
        banding->parts > 1 ? whole_tiles(link, rows_above(reader)) : pad_above(reader->step);
}

/* Slots that the link takes for a part that has one turn. */
static double slots_of_link(const Banding *banding, const Link *link) {
    double rows = (double)(link->rows + (banding->parts > 1 ? link->lead + link->above : 0));
    return tile_slots(banding->plan->machine, link->step, &link->tile) * rows;
}

/* Sets a link: a tile of several rows may have more of them computed twice than it saves. */
static void set_link(const Banding *banding, Link *link, const Link *reader, int64_t rows) {
    link->rows = rows;
    set_tile(banding, link, reader, 1);
    Link low = *link;
    set_tile(banding, link, reader, rows);
    if (slots_of_link(banding, &low) < slots_of_link(banding, link))
        *link = low;
}

static int64_t window_rows(const Link *link) {
    return link->above + link->lead + link->rows + link->halo.end[0];
}

/* Whether the halo below the image is needed in the last turn only, and there is room for it. */
static bool ends_in_last(const Link *link, const Link *reader, int64_t turns) {
    int64_t height = link->step->output.height, left = height - link->rows * (turns - 1);
    int64_t done = reader->rows * (turns - 1) + reader->lead; /* rows of the reader, before it */
    return left <= link->rows + link->lead && rows_taken(reader->step, done) <= height;
}

/* Whether the link's window is no larger than the image with its halo, there is something left for
 * the last turn, and the rows that stay are apart from where they go. */
static bool window_serves(const Link *link, const Link *reader, int64_t turns) {
    int64_t height = link->step->output.height;
    return window_rows(link) <= link->halo.begin[0] + height + link->halo.end[0] &&
           height > link->rows * (turns - 1) &&
           link->lead + pad_above(reader->step) <= link->rows &&
           (link->halo.end[0] == 0 || ends_in_last(link, reader, turns));
}

/* Sets all links, if the last does `rows` rows in each of `turns` turns. */
static bool set_links(Banding *banding, int64_t rows, int64_t turns) {
    Link *link = &banding->links[banding->count - 1];
    set_link(banding, link, NULL, rows);
    while (link > banding->links) {
        const Link *reader = link--;
        set_link(banding, link, reader, step_window(reader->step)->stride[0] * reader->rows);
        if (!window_serves(link, reader, turns))
            return false;
    }
    return true;
}

/* Of a link's window, with all rows of all blocks. */
static int64_t window_elements(const Link *link) {
    const View *view = &link->step->output;
    return divide_up(view->channels, view->block) * window_rows(link) * view->row_stride;
}

/* Of the windows of all values between the steps. */
static double window_bytes(const Banding *banding) {
    double elements = 0;
    for (int k = 0; k + 1 < banding->count; k++)
        elements += (double)window_elements(&banding->links[k]);
    return elements * sizeof(float);
}

/* The fewest turns, as many for each part, whose windows have room in the second cache beside all
 * else; 0: none have. */
static int64_t turns_of_links(Banding *banding) {
    int64_t height = banding->links[banding->count - 1].step->output.height;
    for (int64_t turns = banding->least_turns; turns <= height && turns <= MAX_TURNS; turns++) {
        int64_t rows = divide_up(height, turns);
        bool is_enough = divide_up(height, rows) == turns; /* else fewer turns have as many rows */
        if (is_enough && turns % banding->parts == 0 && set_links(banding, rows, turns) &&
            (banding->most_bytes == 0 || window_bytes(banding) <= (double)banding->most_bytes))
            return turns;
    }
    return 0;
}

/* ---- whether it is worth it ---------------------------------------------------------------- */

/* The share of a link's rows that the busiest part computes. */
static double most_rows(const Banding *banding, const Link *link, int64_t turns) {
    int64_t height = link->step->output.height, most = 0;
    for (int part = 0; part < banding->parts; part++) {
        int64_t first = turns * part / banding->parts * link->rows - (part > 0 ? link->above : 0);
        int64_t end = turns * (part + 1) / banding->parts * link->rows + link->lead;
        first = first > 0 ? first : 0;
        end = end < height ? end : height;
        most = end - first > most ? end - first : most;
    }
    return (double)most / (double)height;
}

/* Cycles that a link takes longer in the band, for the rows that two parts compute. */
static double cycles_lost(const Banding *banding, const Link *link, int64_t turns) {
    const Machine *machine = banding->plan->machine;
    const Step *step = link->step;
    double slots = tile_slots(machine, step, &link->tile) / tile_slots(machine, step, &step->tile);
    double share = most_rows(banding, link, turns) * slots - 1.0 / banding->parts;
    return step_cost(banding->plan, step).cycles * share;
}

/* Cycles to read the weights of all links again in each turn of a part but the first: from the
 * third cache, unless the second has room for them beside the windows. */
static double cycles_again(const Banding *banding, int64_t turns) {
    const Machine *machine = banding->plan->machine;
    double bytes = 0;
    for (int k = 0; k < banding->count; k++) {
        const Step *step = banding->links[k].step;
        if (step->kind != STEP_WINDOW)
            bytes += (double)step->conv.weight->elements * sizeof(float);
    }
    if (bytes <= (double)(machine->cache_bytes - banding->most_bytes))
        return 0;
    return bytes * (double)(turns / banding->parts - 1) / machine->bytes_per_cycle;
}

/* Cycles that are saved where a link hands on to `reader`: with threads, to wait before windows
 * reach into the rows of another part, and until those have come from the other's cache; and to
 * write to the third cache, and read from there, what the second has no room for. */
static double cycles_won(const Banding *banding, const Link *link, const Link *reader) {
    const View *view = &link->step->output;
    const Window *window = step_window(reader->step);
    const Machine *machine = banding->plan->machine;
    double won = 0;
    if (banding->parts > 1 && window->kernel[0] > 1) {
        int64_t blocks = divide_up(view->channels, view->block);
        int64_t lines = divide_up(view->row_stride, MACHINE_LINE_FLOATS);
        won += SEAM_WAITS * machine->wait_cycles +
               LINE_CYCLES * (double)(window->pad_begin[0] * blocks * lines);
    }
    double bytes = (double)buffer_bytes(view->buffer) / banding->parts;
    if (bytes > (double)banding->most_bytes)
        won += 2 * bytes / machine->bytes_per_cycle;
    return won;
}

static double gain_of_links(const Banding *banding, int64_t turns) {
    double gain = -cycles_again(banding, turns);
    for (int k = 0; k < banding->count; k++) {
        const Link *link = &banding->links[k];
        gain -= cycles_lost(banding, link, turns);
        if (k + 1 < banding->count)
            gain += cycles_won(banding, link, link + 1);
    }
    return gain;
}

/* Keeps as many of the links, from the first on, as are best done together, maybe none; in how
 * many turns. */
static int64_t choose_links(Banding *banding) {
    int best = 0;
    double most = 0;
    for (; banding->count > 1; banding->count--) {
        int64_t turns = turns_of_links(banding);
        if (turns == 0)
            continue;
        if (banding->most_bytes == 0)
            return turns;
        double gain = gain_of_links(banding, turns);
        if (gain > most) {
            most = gain;
            best = banding->count;
        }
    }
    banding->count = best;
    return best > 1 ? turns_of_links(banding) : 0;
}

/* ---- the steps ----------------------------------------------------------------------------- */

static void push(Banding *banding, Step *step) {
    VEC_PUSH(banding->plan->arena, &banding->steps, step);
}

static Step *push_helper(Banding *banding, StepKind kind, const Link *link, Turns when) {
    Step *step = ARENA_NEW(banding->plan->arena, Step);
    *step = (Step){.kind = kind,
                   .node = link->step->node,
                   .path = link->step->path,
                   .name = link->step->output_value->name,
                   .output_value = link->step->output_value,
                   .output = link->step->output};
    step->output.turn_stride = 0;
    step->band = link->step->band;
    step->band.when = when;
    push(banding, step);
    return step;
}

/* Before the first turn of a part: all of the window that no step writes. */
static void push_halo(Banding *banding, const Link *link) {
    if (!link->zero)
        return;
    Step *zero = push_helper(banding, STEP_ZERO, link, TURNS_FIRST);
    zero->output.height = link->lead + link->rows;
    zero->zero = link->zero->zero;
    zero->zero.begin[0] = link->above;
}

/* Brings the rows that the reader needs again to the beginning of the window. */
static void push_copy(Banding *banding, const Link *link, const Step *reader) {
    int64_t rows = link->lead + pad_above(reader);
    if (rows == 0)
        return;
    Step *copy = push_helper(banding, STEP_COPY, link, TURNS_BUT_FIRST);
    copy->output.offset = (link->above - pad_above(reader)) * copy->output.row_stride;
    copy->output.height = rows;
    copy->output.width += link->halo.begin[1] + link->halo.end[1];
    copy->input_count = 1;
    copy->input_values = ARENA_NEW(banding->plan->arena, Value *);
    copy->input_values[0] = link->step->output_value;
    copy->inputs = ARENA_NEW(banding->plan->arena, View);
    copy->inputs[0] = copy->output;
    copy->inputs[0].offset += link->rows * copy->output.row_stride;
}

/* The halo below the last row. */
static void push_zero(Banding *banding, const Link *link, int64_t turns) {
    if (link->halo.end[0] == 0)
        return;
    Step *zero = push_helper(banding, STEP_ZERO, link, TURNS_LAST);
    zero->output.height -= link->rows * (turns - 1);
    zero->zero.begin[1] = link->halo.begin[1];
    zero->zero.end[0] = link->halo.end[0];
    zero->zero.end[1] = link->halo.end[1];
}

/* Makes the link's output, which is the reader's input, a window that moves. */
static void make_window(const Banding *banding, const Link *link, Step *reader) {
    View *view = &link->step->output;
    int64_t elements = window_elements(link), parts = banding->parts;
    view->offset += (link->above - link->halo.begin[0]) * view->row_stride;
    view->block_stride = window_rows(link) * view->row_stride;
    view->turn_stride = link->rows * view->row_stride;
    view->part_stride =
        parts > 1 ? divide_up(elements, MACHINE_LINE_FLOATS) * MACHINE_LINE_FLOATS : 0;
    view->buffer->elements = elements + (parts - 1) * view->part_stride;
    reader->inputs[0] = *view;
}

/* Takes out a step that was pushed a few steps ago. */
static void take_back(Banding *banding, const Step *step) {
    Step **data = banding->steps.data;
    size_t at = banding->steps.count - 1;
    while (data[at] != step)
        at--;
    for (banding->steps.count--; at < banding->steps.count; at++)
        data[at] = data[at + 1];
}

/* The linked steps in `turns` turns. */
static void push_band(Banding *banding, int64_t turns) {
    const Plan *plan = banding->plan;
    const Link *next = &banding->links[0];
    for (size_t i = next->index; i < banding->links[banding->count - 1].index; i++) {
        if (i == next->index)
            next++;
        else /* it is apart */
            push(banding, plan->steps.data[i]);
    }
    Band *band = ARENA_NEW(plan->arena, Band);
    *band = (Band){.turns = turns, .parts = 1};
    for (int k = 0; k < banding->count; k++) {
        Link *link = &banding->links[k];
        Step *step = link->step, *reader = k + 1 < banding->count ? link[1].step : NULL;
        step->tile = link->tile;
        step->band = (BandPart){band, TURNS_ALL, link->rows, link->lead, link->above};
        if (reader) {
            if (link->zero)
                take_back(banding, link->zero);
            make_window(banding, link, reader);
            push_halo(banding, link);
            push_copy(banding, link, reader);
        }
        push(banding, step);
        if (reader)
            push_zero(banding, link, turns);
    }
}

/* Pushes the steps from number `first` on that are done together, or that one; where they end. */
static size_t push_from(Banding *banding, size_t first) {
    link_steps(banding, first);
    int64_t turns = choose_links(banding);
    if (turns > 0) {
        push_band(banding, turns);
        return banding->links[banding->count - 1].index + 1;
    }
    push(banding, banding->plan->steps.data[first]);
    return first + 1;
}

void plan_band(Plan *plan, const PlanOptions *options) {
    if (plan->keeps || plan_shares_samples(plan))
        return;
    memory_find_lifetimes(plan);
    Banding banding = {.plan = plan,
                       .parts = plan_parts(plan),
                       .least_turns = 2,
                       .most_bytes = plan->machine->cache_bytes / 4 * 3};
    if (options->band_turns > 0) {
        banding.least_turns = options->band_turns;
        banding.most_bytes = 0;
    }
    for (size_t i = 0; i < plan->steps.count;)
        i = push_from(&banding, i);
    plan->steps.data = banding.steps.data;
    plan->steps.count = banding.steps.count;
    plan->steps.capacity = banding.steps.capacity;
}

size_t plan_band_end(const Plan *plan, size_t index) {
    const Band *band = plan->steps.data[index]->band.band;
    size_t end = index + 1;
    while (band && end < plan->steps.count && plan->steps.data[end]->band.band == band)
        end++;
    return end;
}
