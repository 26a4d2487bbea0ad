/* Memory: offsets of buffers in the arena and of packed tensors in their blob.
 *
 * A buffer is needed from the first to the last step that has a view of it (if that is one of a
 * band, of the whole band), or of a plan that keeps
 * its values, from the first step to the last. One that holds several samples is needed in the
 * whole of the first and the last run of steps that need it (batch.h). */
#include "plan/memory.h"

#include <assert.h>
#include <string.h>

#include "plan/batch.h"
#include "plan/placement.h"
#include "support/checked.h"

/* What is spread for threads takes at most 1 / this of the second cache, if it takes more memory.
 */
#define SPREAD_SHARE 2

/* ---- lifetimes ---------------------------------------------------------------------------- */

static void extend_lifetime(Buffer *buffer, int step) {
    if (buffer->place != PLACE_ARENA)
        return;
    if (buffer->first_step < 0)
        buffer->first_step = step;
    buffer->last_step = step;
}

/* The steps of a band go through all their rows together. */
static void extend_over_bands(Plan *plan) {
    size_t *begin = ARENA_ARRAY(plan->arena, plan->steps.count, size_t); /* of each step's band */
    for (size_t i = 0, end; i < plan->steps.count; i = end) {
        end = plan_band_end(plan, i);
        for (size_t k = i; k < end; k++)
            begin[k] = i;
    }
    for (size_t i = 0; i < plan->buffers.count; i++) {
        Buffer *buffer = plan->buffers.data[i];
        if (buffer->first_step < 0)
            continue;
        buffer->first_step = (int)begin[buffer->first_step];
        buffer->last_step = (int)plan_band_end(plan, (size_t)buffer->last_step) - 1;
    }
}

void memory_find_lifetimes(Plan *plan) {
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
    extend_over_bands(plan);
}

static void keep_all(Plan *plan) {
    for (size_t i = 0; i < plan->steps.count; i++)
        extend_lifetime(plan->steps.data[i]->output.buffer, (int)plan->steps.count - 1);
}

/* ---- in place ----------------------------------------------------------------------------- */

/* Lets steps write over an operand that nothing needs afterwards. */
typedef struct Reuse {
    Plan *plan;
    Buffer **instead; /* by place of a buffer: the one that took its place, or NULL */
    Step **zeros;     /* by place of a buffer: the step that zeroed its halo, or NULL */
} Reuse;

static bool same_halo(const Step *a, const Step *b) {
    return a && b && views_coincide(&a->output, &b->output) &&
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
    bool reads_none =
        (step->kind == STEP_TABLE && !step->table.numbered) || step->kind == STEP_WINDOW_BIAS;
    return step->kind == STEP_MAP || step->kind == STEP_NORMALISE || reads_none ? 0 : 1;
}

/* Whether all that the step reads of `buffer` are elements it then writes, one by one. */
static bool reads_what_it_writes(const Step *step, const Buffer *buffer) {
    for (int k = 0; k < step->input_count; k++) {
        bool elementwise = k >= first_elementwise(step);
        if (step->inputs[k].buffer == buffer &&
            !(elementwise && views_coincide(&step->inputs[k], &step->output)))
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
            input->elements == output->elements && reads_what_it_writes(step, input) &&
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
    memory_find_lifetimes(plan);
}

/* ---- the arena ----------------------------------------------------------------------------- */

static bool is_any(const Buffer *buffer) {
    (void)buffer;
    return true;
}

static bool holds_one_sample(const Buffer *buffer) {
    return !holds_samples(buffer);
}

/* Where threads share the samples, the memory of each for the sample that it is at comes last. */
static bool place_arena(Plan *plan) {
    if (!plan_shares_samples(plan))
        return placement_make(plan, is_any, &plan->arena_bytes);
    int64_t all, own;
    if (!placement_make(plan, holds_samples, &all) ||
        !placement_make(plan, holds_one_sample, &plan->thread_bytes) ||
        !checked_mul(plan->thread_bytes, plan->threads, &own) ||
        !checked_add(all, own, &plan->arena_bytes))
        return false;
    for (size_t i = 0; i < plan->buffers.count; i++)
        if (plan->buffers.data[i]->place == PLACE_ARENA && holds_one_sample(plan->buffers.data[i]))
            plan->buffers.data[i]->offset += all;
    return true;
}

void memory_set_apart(Plan *plan) {
    int64_t end = 0; /* fits 64 bits: placement_make has added all sizes up */
    for (size_t i = 0; i < plan->buffers.count; i++) {
        Buffer *buffer = plan->buffers.data[i];
        if (buffer->place != PLACE_ARENA)
            continue;
        buffer->offset = end;
        end += buffer_bytes(buffer);
    }
}

/* Places the buffers as at first. */
static void gather(Plan *plan) {
    memory_find_lifetimes(plan);
    bool fits = place_arena(plan);
    assert(fits && "it was placed before");
    (void)fits;
}

bool memory_spread(Plan *plan) {
    int64_t most = plan->machine->cache_bytes / SPREAD_SHARE;
    most = plan->arena_bytes > most ? plan->arena_bytes : most;
    for (size_t i = 0; i < plan->buffers.count; i++) {
        Buffer *buffer = plan->buffers.data[i];
        if (buffer->place != PLACE_ARENA)
            continue;
        size_t last = (size_t)buffer->last_step;
        while (last + 1 < plan->steps.count && !plan->steps.data[last + 1]->waits)
            last++;
        buffer->last_step = (int)last;
    }
    if (place_arena(plan) && plan->arena_bytes <= most)
        return true;
    gather(plan);
    return false;
}

/* ---- packed weights ----------------------------------------------------------------------- */

static bool place_packed(Plan *plan) {
    for (size_t i = 0; i < plan->packed.count; i++) {
        Packed *packed = plan->packed.data[i];
        packed->offset = plan->packed_bytes;
        int64_t bytes;
        if (!checked_mul(packed->floats, (int64_t)sizeof(float), &bytes) ||
            !checked_round_up(bytes, PLACE_ALIGNMENT, &bytes) ||
            !checked_add(plan->packed_bytes, bytes, &plan->packed_bytes))
            return false;
    }
    return true;
}

bool plan_memory(Plan *plan, Diagnostics *diagnostics) {
    memory_find_lifetimes(plan);
    if (plan->keeps)
        keep_all(plan);
    else
        reuse_in_place(plan);
    batch_widen(plan);
    const char *what = !place_arena(plan) ? "arena" : !place_packed(plan) ? "packed weights" : NULL;
    if (what)
        diag_report(diagnostics, DIAG_E0802, plan->graph->name_span,
                    "the %s of `%s` would not fit 64 bits", what, plan->graph->name);
    return what == NULL;
}

/* ---- what fills it ------------------------------------------------------------------------- */

/* The first of the steps around which most bytes are in the arena at once. */
static int fullest_step(const Plan *plan) {
    int64_t *change = ARENA_ARRAY(plan->arena, plan->steps.count + 1, int64_t);
    for (size_t i = 0; i < plan->buffers.count; i++) {
        const Buffer *buffer = plan->buffers.data[i];
        if (buffer->place != PLACE_ARENA)
            continue;
        change[buffer->first_step] += buffer_bytes(buffer);
        change[buffer->last_step + 1] -= buffer_bytes(buffer);
    }
    int fullest = 0;
    int64_t most = 0, bytes = 0; /* of what the arena has room for */
    for (size_t i = 0; i < plan->steps.count; i++) {
        bytes += change[i];
        if (bytes > most) {
            most = bytes;
            fullest = (int)i;
        }
    }
    return fullest;
}

int plan_fullest(const Plan *plan, const Buffer **largest, int most) {
    int fullest = fullest_step(plan), found = 0;
    for (size_t i = 0; i < plan->buffers.count; i++) {
        const Buffer *buffer = plan->buffers.data[i];
        if (buffer->place != PLACE_ARENA || buffer->first_step > fullest ||
            buffer->last_step < fullest)
            continue;
        int place = found < most ? found++ : most;
        while (place > 0 && buffer_bytes(buffer) > buffer_bytes(largest[place - 1])) {
            if (place < most)
                largest[place] = largest[place - 1];
            place--;
        }
        if (place < most)
            largest[place] = buffer;
    }
    return found;
}
