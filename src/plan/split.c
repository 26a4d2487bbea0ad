/* Split: which steps the threads of a call do together, and where they wait for each other.
 *
 * All threads go through all steps. A step is cut into one part for each thread, or the first does
 * it alone: a wait costs what ten thousand multiply-adds do. Between two steps there is a wait
 * unless no thread touches a byte that another writes (meet.h), or the first thread does both. A
 * band (band.h) is cut by its turns, and there is no wait within. Of several samples a call
 * (batch.h), runs of steps are not cut: each thread does samples of its own. Where the whole call
 * would gain little by it, the other threads are never woken, and the plan is made for one
 * (plan.c). Costs are estimates (cost.h). */
#include <assert.h>

#include "plan/cost.h"
#include "plan/meet.h"
#include "plan/memory.h"
#include "plan/tile_cost.h"
#include "support/checked.h"

/* Cycles that it costs a thread to find its part of a step, and parts being not quite equal. */
#define PART_CYCLES 200
/* A call is shared if it then takes less than this part of the time. */
#define WORTH_SHARING 0.9
/* Rows are as good a cut as any if the largest part has at most this much more than the average. */
#define EVEN_ROWS 1.05
/* What a tile whose rows divide each part may cost, as a multiple of the best. */
#define EVEN_TILE 1.05

/* A band is cut as a whole, by its turns. */
static int parts_of(const Step *step) {
    return step->band.band ? step->band.band->parts : step->parts;
}

static void set_parts(Step *step, int parts) {
    if (step->band.band)
        step->band.band->parts = parts;
    else
        step->parts = parts;
}

/* ---- how a step is cut --------------------------------------------------------------------- */

/* Parts that step `index` can have, or the band that it is in: of a recurrence, which goes from one
 * time to the next, the directions that it goes in. */
static int most_parts(const Plan *plan, size_t index) {
    const Step *step = plan->steps.data[index];
    const Band *band = step->band.band;
    int threads = plan->threads;
    if (band)
        return band->turns % threads == 0 ? threads : 1;
    if (plan_repeats(plan, index))
        return 1;
    switch (step->kind) {
    case STEP_CONV:
    case STEP_WINOGRAD:
    case STEP_STRASSEN:
    case STEP_DEPTHWISE:
    case STEP_CONV_GENERAL:
    case STEP_DENSE:
    case STEP_WINDOW:
    case STEP_ADAPTIVE:
    case STEP_GLOBAL:
    case STEP_GEMM:
    case STEP_TABLE:
    case STEP_SOFTMAX:
    case STEP_NORMALISE:
    case STEP_LRN:
    case STEP_REDUCE:
    case STEP_REARRANGE:
    case STEP_RESIZE:
    case STEP_MAP:
    case STEP_COPY:
    case STEP_ZERO:
    case STEP_WINDOW_BIAS: return threads;
    case STEP_RECURRENT: return smaller(threads, step->recurrent.directions);
    case STEP_VIEW:
    case STEP_CONCAT: break;
    }
    return 1;
}

/* Whether parts of whole tiles of rows are about equal. */
static bool rows_are_even(const Step *step, int parts) {
    int64_t largest = 0, begin = 0;
    for (int part = 0; part < parts; part++) {
        int64_t end = part_end_row(step, part, parts);
        largest = end - begin > largest ? end - begin : largest;
        begin = end;
    }
    return (double)largest * parts <= EVEN_ROWS * (double)step->output.height;
}

/* Gives the step a tile whose rows divide each part, if there is one at hardly more cost. */
static bool make_rows_even(const Plan *plan, Step *step, int parts) {
    if (!tile_is_free(step) || step->output.height % parts != 0)
        return false;
    Tile before = step->tile;
    int64_t rows = step->output.height / parts;
    step->tile = tile_dividing(plan->machine, step, rows, rows);
    if (tile_slots(plan->machine, step, &step->tile) <=
        EVEN_TILE * tile_slots(plan->machine, step, &before))
        return true;
    step->tile = before;
    return false;
}

/* By rows a thread finds most of what it reads in its own cache, as the steps before and behind
 * are cut so too; by channels it shares no weights with the others. The larger of the two counts.
 */
static Split choose_split(const Plan *plan, Step *step, int parts) {
    double weights = step->weights ? (double)step->weights->floats : 0;
    double images = (double)view_elements(&step->inputs[0]) + (double)view_elements(&step->output);
    bool by_rows =
        weights < images && (rows_are_even(step, parts) || make_rows_even(plan, step, parts));
    return by_rows ? SPLIT_ROWS : SPLIT_CHANNELS;
}

/* Whether the kernel can be cut by rows as well. */
static bool has_split(const Step *step, int parts) {
    switch (step->kind) {
    case STEP_CONV:
    case STEP_DEPTHWISE:
    case STEP_CONV_GENERAL:
    case STEP_WINDOW:
    case STEP_ADAPTIVE:
    case STEP_RESIZE: return true;
    case STEP_MAP: /* shares pixels, which end where rows do */
        return step->output.block > 1 && step->output.height % parts == 0;
    default: return false;
    }
}

/* ---- waiting ------------------------------------------------------------------------------ */

/* Whether the first thread does all of it. */
static bool is_whole(const Plan *plan, size_t index) {
    return parts_of(plan->steps.data[index]) == 1 && !plan_repeats(plan, index);
}

/* Whether step `index` must not begin before step `before` is done. */
static bool depends(const Plan *plan, size_t index, size_t before) {
    const Step *later = plan->steps.data[index], *earlier = plan->steps.data[before];
    if (is_whole(plan, index) && is_whole(plan, before))
        return false; /* the same thread does both, in this order */
    return steps_meet(later, earlier);
}

/* Whether some step from `begin` to before `end` depends on one from `since` to before `begin`. */
static bool any_depends(const Plan *plan, size_t begin, size_t end, size_t since) {
    for (size_t i = begin; i < end; i++)
        for (size_t k = begin; k > since; k--)
            if (depends(plan, i, k - 1))
                return true;
    return false;
}

/* The end of the steps that wait together: of a band, or of samples that the threads share, the
 * first of a run for all. */
static size_t wait_end(const Plan *plan, size_t first) {
    return plan_repeats(plan, first) ? plan_run_end(plan, first) : plan_band_end(plan, first);
}

/* Places the waits from step `first` on, where steps begin that wait together; those before are
 * placed. Unless `all` may be others than they were, only the parts of these steps have changed:
 * then the rest stays from where there is a wait as before. Returns how many more there are. */
static int place_waits(Plan *plan, size_t first, bool all) {
    int more = 0;
    size_t since = first > 0 ? first - 1 : 0; /* the first step after the last wait */
    while (since > 0 && !plan->steps.data[since]->waits)
        since--;
    for (size_t i = first, end; i < plan->steps.count; i = end) {
        end = wait_end(plan, i);
        Step *step = plan->steps.data[i];
        bool before = step->waits;
        step->waits = any_depends(plan, i, end, since);
        more += step->waits - before;
        if (!step->waits)
            continue;
        since = i;
        if (before && i > first && !all)
            break;
    }
    return more;
}

/* ---- cutting ------------------------------------------------------------------------------ */

/* Cycles that step `index` takes as it is cut. */
static double cycles_of(const Plan *plan, const double *cycles, size_t index) {
    int parts = parts_of(plan->steps.data[index]);
    if (plan_repeats(plan, index))
        return cycles[index] * (double)divide_up(plan_samples(plan), plan->threads) /
               (double)plan_samples(plan);
    return parts > 1 ? cycles[index] / parts + PART_CYCLES : cycles[index];
}

/* Of a call, the waits being placed. */
static double plan_cycles(const Plan *plan, const double *cycles) {
    double sum = 0;
    for (size_t i = 0; i < plan->steps.count; i++) {
        sum += cycles_of(plan, cycles, i);
        if (plan->steps.data[i]->waits)
            sum += plan->machine->wait_cycles;
    }
    return sum;
}

/* Makes step `index` whole, or the band that begins with it, if that makes the call no slower; the
 * waits are placed, before and after. */
static void try_whole(Plan *plan, size_t index, const double *cycles) {
    Step *step = plan->steps.data[index];
    const Band *band = step->band.band;
    bool begins = !band || index == 0 || plan->steps.data[index - 1]->band.band != band;
    int parts = parts_of(step);
    if (parts == 1 || !begins)
        return;
    size_t end = plan_band_end(plan, index);
    double more = 0;
    for (size_t i = index; i < end; i++)
        more -= cycles_of(plan, cycles, i);
    set_parts(step, 1);
    for (size_t i = index; i < end; i++)
        more += cycles_of(plan, cycles, i);
    more += place_waits(plan, index, false) * plan->machine->wait_cycles;
    if (more <= 0)
        return;
    set_parts(step, parts);
    place_waits(plan, index, false);
}

/* A small step among steps that are cut is best cut too: the waits around it are there anyway. So
 * all begin as cut, and those at the ends of runs of small ones, where a wait goes away with them,
 * become whole again. */
static double cut_steps(Plan *plan, const double *cycles) {
    size_t count = plan->steps.count;
    for (size_t i = 0; i < count; i++) {
        Step *step = plan->steps.data[i];
        step->parts = 1;
        set_parts(step, most_parts(plan, i));
        if (step->parts > 1 && has_split(step, plan->threads))
            step->split = choose_split(plan, step, plan->threads);
    }
    place_waits(plan, 0, true);
    for (size_t i = 0; i < count; i++)
        try_whole(plan, i, cycles);
    for (size_t i = count; i > 0; i--)
        try_whole(plan, i - 1, cycles);
    return plan_cycles(plan, cycles);
}

/* Whether the buffers' lifetimes are those of their steps' views. */
static bool can_spread(const Plan *plan) {
    return !plan->keeps && !plan_shares_samples(plan);
}

/* Cuts the steps, and spreads the arena's buffers where that saves waits. Returns the cycles. */
static double cut_in_memory(Plan *plan, const double *cycles) {
    if (can_spread(plan)) {
        memory_set_apart(plan);
        double best = cut_steps(plan, cycles);
        if (memory_spread(plan)) {
            place_waits(plan, 0, true);
            return best;
        }
    }
    return cut_steps(plan, cycles);
}

void plan_split(Plan *plan) {
    if (plan->threads < 2)
        return;
    double alone = 0, *cycles = ARENA_ARRAY(plan->arena, plan->steps.count, double);
    Tile *tiles = ARENA_ARRAY(plan->arena, plan->steps.count, Tile); /* of steps that stay whole */
    for (size_t i = 0; i < plan->steps.count; i++) {
        cycles[i] = step_cost(plan, plan->steps.data[i]).cycles;
        tiles[i] = plan->steps.data[i]->tile;
        alone += cycles[i];
    }
    double shared = cut_in_memory(plan, cycles) + plan->machine->wake_cycles;
    plan->shared = shared < WORTH_SHARING * alone;
    if (!plan->shared)
        return;
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.data[i]->parts == 1)
            plan->steps.data[i]->tile = tiles[i];
}
