/* `netc bench`: how long a call takes on this machine, and each of its steps.
 *
 * The network is compiled twice: as it would be written to a file, and with a mark after each step
 * (CodegenOptions.mark), which takes some ten nanoseconds. Calls are repeated for a second, or a
 * few times if one takes longer. */
#include <stdlib.h>

#include "compilation/execution.h"
#include "driver/verbs.h"
#include "output/timing.h"
#include "support/checked.h"
#include "support/clock.h"

#define BENCH_SECONDS 1.0
#define LEAST_CALLS   5
#define MOST_CALLS    2000
#define WARM_CALLS    2

/* When the marks of a call were passed. */
typedef struct Marks {
    double *seconds;
    size_t count;
} Marks;

static void pass_mark(void *context) {
    Marks *marks = context;
    marks->seconds[marks->count++] = clock_seconds();
}

static int compare_doubles(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *numbers, size_t count) {
    qsort(numbers, count, sizeof *numbers, compare_doubles);
    return count % 2 ? numbers[count / 2] : (numbers[count / 2 - 1] + numbers[count / 2]) / 2;
}

static void fill_inputs(Compilation *c, const Options *options, const Execution *execution) {
    const float **inputs = ARENA_ARRAY(&c->arena, c->graph->inputs.count, const float *);
    execution_draw_inputs(c, options->seed, inputs);
    for (int64_t sample = 0; sample < (int64_t)c->options->batch; sample++) {
        execution_store_inputs(execution, c, sample, inputs);
        for (size_t i = 0; i < c->graph->inputs.count; i++)
            inputs[i] += shape_elements(&c->graph->inputs.data[i]->type.shape);
    }
}

static float **output_memory(Compilation *c) {
    float **outputs = ARENA_ARRAY(&c->arena, c->graph->outputs.count, float *);
    for (size_t i = 0; i < c->graph->outputs.count; i++) {
        int64_t elements = shape_elements(&c->graph->outputs.data[i]->type.shape);
        outputs[i] = ARENA_ARRAY(&c->arena, (size_t)elements * c->options->batch, float);
    }
    return outputs;
}

/* Whether to call once more after `calls` of them. */
static bool go_on(size_t calls, double begin) {
    return calls < LEAST_CALLS || (calls < MOST_CALLS && clock_seconds() - begin < BENCH_SECONDS);
}

static void time_calls(Compilation *c, const Options *options, Timing *timing) {
    Execution execution;
    execution_begin(&execution, c, (StepMark){0});
    fill_inputs(c, options, &execution);
    float **outputs = output_memory(c);
    for (int i = 0; i < WARM_CALLS; i++)
        execution_call(&execution, outputs);
    double *seconds = ARENA_ARRAY(&c->arena, MOST_CALLS, double);
    size_t calls = 0;
    for (double begin = clock_seconds(); go_on(calls, begin); calls++) {
        double start = clock_seconds();
        execution_call(&execution, outputs);
        seconds[calls] = clock_seconds() - start;
    }
    timing->calls = (int64_t)calls;
    timing->seconds = median(seconds, calls); /* which sorts them */
    timing->fastest = seconds[0];
    execution_end(&execution);
}

/* Samples that the first thread does, which passes the marks. */
static int64_t first_share(const Plan *plan) {
    return divide_up(plan->batch, plan->shared ? plan->threads : 1);
}

/* How often the first thread comes to step `index` for a sample. */
static int64_t turns_of(const Plan *plan, size_t index) {
    const Band *band = plan->steps.data[index]->band.band;
    return band ? band->turns / band->parts : 1;
}

/* Adds to each step's seconds, in its own row of them, what passed from mark to mark of call number
 * `call`. */
static void add_steps(const Plan *plan, const Marks *marks, size_t call, double *seconds) {
    const double *mark = marks->seconds;
    for (size_t begin = 0, end; begin < plan->steps.count; begin = end) {
        end = plan_run_end(plan, begin);
        int64_t times = plan_repeats(plan, begin) ? first_share(plan) : 1;
        for (int64_t k = 0; k < times; k++)
            for (size_t i = begin, next; i < end; i = next) {
                next = plan_band_end(plan, i);
                for (int64_t turn = 0; turn < turns_of(plan, i); turn++)
                    for (size_t step = i; step < next; step++, mark++)
                        seconds[step * MOST_CALLS + call] += mark[1] - mark[0];
            }
    }
}

/* Most marks of a call. */
static size_t mark_count(const Plan *plan) {
    size_t count = 0;
    for (size_t i = 0; i < plan->steps.count; i++)
        count += (size_t)(turns_of(plan, i) * plan_samples(plan));
    return count + 1;
}

static void time_steps(Compilation *c, const Options *options, Timing *timing) {
    const Plan *plan = c->variants.list[0].plan;
    size_t steps = plan->steps.count;
    Marks marks = {.seconds = ARENA_ARRAY(&c->arena, mark_count(plan), double)};
    Execution execution;
    execution_begin(&execution, c, (StepMark){.function = pass_mark, .context = &marks});
    fill_inputs(c, options, &execution);
    float **outputs = output_memory(c);
    double *seconds = ARENA_ARRAY(&c->arena, steps * MOST_CALLS, double); /* by step */
    size_t calls = 0;
    for (int i = 0; i < WARM_CALLS; i++, marks.count = 0)
        execution_call(&execution, outputs);
    for (double begin = clock_seconds(); go_on(calls, begin); calls++, marks.count = 0) {
        execution_call(&execution, outputs);
        add_steps(plan, &marks, calls, seconds);
    }
    double *medians = ARENA_ARRAY(&c->arena, steps, double);
    for (size_t i = 0; i < steps; i++)
        medians[i] = median(seconds + i * MOST_CALLS, calls);
    timing->step_seconds = medians;
    execution_end(&execution);
}

bool bench_network(Compilation *c, const Options *options) {
    const Variant *only = &c->variants.list[0];
    Timing timing = {.plan = only->plan, .count = &c->count, .cpu = only->target->cpu};
    time_calls(c, options, &timing);
    time_steps(c, options, &timing);
    StrBuf text = {0};
    (options->format == FORMAT_JSON ? timing_json : timing_text)(&timing, &text);
    bool done = outputs_write_text(c, options, &text);
    strbuf_free(&text);
    return done;
}
