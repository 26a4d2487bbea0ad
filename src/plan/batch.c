/* Several samples a call: which steps see all of them together.
 *
 * Most steps have enough to do for one sample, and are best done for one after the other, in the
 * same few buffers, which then stay in the caches. But a dense layer reads each of its weights for
 * one multiply-add: of all samples together, it reads them once. What the steps before it made, and
 * whatever else is needed after it, must then be kept for all samples; where that is more than the
 * second cache holds it is written and read again, which is weighed against the weights. */
#include "plan/batch.h"

#include <math.h>

#include "plan/cost.h"
#include "plan/memory.h"
#include "plan/placement.h"
#include "support/checked.h"

bool plan_repeats(const Plan *plan, size_t index) {
    return plan->batch > 1 && !plan->steps.data[index]->together;
}

size_t plan_run_end(const Plan *plan, size_t first) {
    size_t end = first + 1;
    if (!plan->steps.data[first]->together)
        while (end < plan->steps.count && !plan->steps.data[end]->together)
            end++;
    return end;
}

/* ---- sizes -------------------------------------------------------------------------------- */

/* Where the next sample begins: the caller's follow each other, those in the arena begin on cache
 * lines, and not all at the same place of the first cache. False if all of them do not fit 64 bits.
 */
static bool set_stride(const Plan *plan, Buffer *buffer) {
    const int64_t line = PLACE_ALIGNMENT / (int64_t)sizeof(float);
    int64_t *stride = &buffer->sample_stride, bytes;
    *stride = buffer->elements;
    if (buffer->place == PLACE_ARENA) {
        if (!checked_round_up(*stride, line, stride) ||
            !checked_mul(*stride, (int64_t)sizeof(float), &bytes))
            return false;
        if (bytes % plan->machine->way_bytes == 0 && !checked_add(*stride, line, stride))
            return false;
    }
    return checked_mul(*stride, element_size(buffer->element), &bytes) &&
           checked_mul(bytes, plan->batch, &bytes);
}

/* ---- together or not ---------------------------------------------------------------------- */

/* By step, the bytes of one sample that the steps around it have in the arena. */
static double *live_bytes(const Plan *plan) {
    double *live = ARENA_ARRAY(plan->arena, plan->steps.count + 1, double);
    for (size_t i = 0; i < plan->buffers.count; i++) {
        const Buffer *buffer = plan->buffers.data[i];
        if (buffer->place != PLACE_ARENA)
            continue;
        live[buffer->first_step] += (double)buffer_bytes(buffer);
        live[buffer->last_step + 1] -= (double)buffer_bytes(buffer);
    }
    for (size_t i = 1; i < plan->steps.count; i++)
        live[i] += live[i - 1];
    return live;
}

/* Predicts a dense layer's time by both ways; `live` bytes of a sample are needed around it. */
static void weigh(const Plan *plan, Step *step, double live) {
    const Machine *machine = plan->machine;
    double samples = (double)plan->batch, weights = (double)step->dense.weight->elements;
    double arithmetic = cycles_of_slots(machine, weights / machine->lanes);
    double reading = moving_cycles(machine, weights * sizeof(float), plan->weight_bytes);
    double kept = samples * live; /* written, and read again */
    double keeping =
        kept > (double)machine->cache_bytes ? moving_cycles(machine, 2 * kept, kept) : 0;
    step->dense.apart_cycles = samples * fmax(arithmetic, reading);
    step->dense.together_cycles = fmax(samples * arithmetic, reading) + keeping;
    step->together = step->dense.together_cycles < step->dense.apart_cycles;
}

bool plan_batch(Plan *plan, Diagnostics *diagnostics) {
    if (plan->batch < 2)
        return true;
    for (size_t i = 0; i < plan->buffers.count; i++) {
        Buffer *buffer = plan->buffers.data[i];
        if (!set_stride(plan, buffer)) {
            diag_report(diagnostics, DIAG_E0802, plan->graph->name_span,
                        "the memory for `%s` of %lld samples does not fit 64 bits", buffer->name,
                        (long long)plan->batch);
            return false;
        }
    }
    memory_find_lifetimes(plan);
    const double *live = live_bytes(plan);
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.data[i]->kind == STEP_DENSE)
            weigh(plan, plan->steps.data[i], live[i]);
    return true;
}

/* ---- buffers ------------------------------------------------------------------------------ */

typedef struct Run {
    int begin;
    int end; /* the step after its last */
} Run;

/* By step, the run it is in. */
static const Run *find_runs(const Plan *plan) {
    Run *runs = ARENA_ARRAY(plan->arena, plan->steps.count, Run);
    for (size_t begin = 0, end; begin < plan->steps.count; begin = end) {
        end = plan_run_end(plan, begin);
        for (size_t i = begin; i < end; i++)
            runs[i] = (Run){(int)begin, (int)end};
    }
    return runs;
}

void batch_widen(Plan *plan) {
    if (plan->batch < 2)
        return;
    const Run *runs = find_runs(plan);
    for (size_t i = 0; i < plan->buffers.count; i++) {
        Buffer *buffer = plan->buffers.data[i];
        if (buffer->place != PLACE_ARENA) {
            buffer->samples = plan->batch;
            continue;
        }
        const Run *first = &runs[buffer->first_step], *last = &runs[buffer->last_step];
        if (first->begin == last->begin && plan_repeats(plan, (size_t)first->begin))
            continue;
        buffer->samples = plan->batch;
        /* A run goes through all its steps again for the next sample. */
        buffer->first_step = first->begin;
        buffer->last_step = last->end - 1;
    }
}
