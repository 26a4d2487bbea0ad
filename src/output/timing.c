#include "output/timing.h"

#include "output/json_value.h"
#include "plan/cost.h"

/* "12.3 us", with three digits that count. */
static void print_seconds(double seconds, int width, StrBuf *out) {
    static const char *const units[] = {"ns", "us", "ms", "s"};
    double value = seconds * 1e9;
    int unit = 0;
    while (value >= 999.5 && unit < 3) {
        value /= 1000;
        unit++;
    }
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    strbuf_format(out, "%*.*f %s", width, decimals, value, units[unit]);
}

/* A step's time and what was predicted for it, or the same of several. */
typedef struct Row {
    double seconds;
    StepCost cost;
    int steps;
} Row;

static void row_add(Row *sum, const Row *row) {
    sum->seconds += row->seconds;
    sum->cost.cycles += row->cost.cycles;
    sum->cost.macs += row->cost.macs;
    sum->cost.bytes += row->cost.bytes;
    sum->steps += row->steps;
}

/* A rate in thousands of millions a second; blank where there is nothing to count. */
static void print_rate(double amount, double seconds, StrBuf *out) {
    if (amount > 0)
        strbuf_format(out, "  %7.1f", amount / seconds / 1e9);
    else
        strbuf_format(out, "  %7s", "");
}

/* All but the name. */
static void print_row(const Row *row, const Row *all, StepKind kind, StrBuf *out) {
    print_seconds(row->seconds, 7, out);
    strbuf_format(out, "  %4.1f %%  %7.1f %%", 100 * row->seconds / all->seconds,
                  100 * row->cost.cycles / all->cost.cycles);
    print_rate(2 * row->cost.macs, row->seconds, out);
    print_rate(row->cost.bytes, row->seconds, out);
    strbuf_format(out, "  %-12s  ", step_kind_name(kind));
}

static void print_heading(const char *last, StrBuf *out) {
    strbuf_format(out, "\n%10s  %6s  %9s  %7s  %7s  %-12s  %s\n", "time", "share", "predicted",
                  "GFLOP/s", "GB/s", "kind", last);
}

/* The kind that takes longest; none if there is none. */
static const Row *longest_of(const Row kinds[STEP_KINDS]) {
    const Row *longest = NULL;
    for (const Row *row = kinds; row < kinds + STEP_KINDS; row++)
        if (row->steps > 0 && (!longest || row->seconds > longest->seconds))
            longest = row;
    return longest;
}

/* Those that take longest first; takes them out of `kinds`. */
static void print_kinds(Row kinds[STEP_KINDS], const Row *all, StrBuf *out) {
    print_heading("steps", out);
    for (const Row *row; (row = longest_of(kinds)) != NULL; kinds[row - kinds].steps = 0) {
        print_row(row, all, (StepKind)(row - kinds), out);
        strbuf_format(out, "%d\n", row->steps);
    }
}

/* Names come last, as those of fused layers are long. */
static void print_steps(const Timing *timing, StrBuf *out) {
    const Plan *plan = timing->plan;
    Arena scratch = {0};
    Row *rows = ARENA_ARRAY(&scratch, plan->steps.count, Row), all = {0}, kinds[STEP_KINDS] = {0};
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.data[i];
        rows[i] = (Row){timing->step_seconds[i], step_cost(plan, step), 1};
        row_add(&all, &rows[i]);
        row_add(&kinds[step->kind], &rows[i]);
    }
    print_heading("step", out);
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.data[i];
        print_row(&rows[i], &all, step->kind, out);
        strbuf_format(out, "%s\n", step->name);
    }
    print_kinds(kinds, &all, out);
    arena_free(&scratch);
}

void timing_text(const Timing *timing, StrBuf *out) {
    const Plan *plan = timing->plan;
    int64_t samples = plan_samples(plan);
    strbuf_format(out, "%s for %s, %d thread%s: ", plan->graph->name, timing->cpu,
                  plan->shared ? plan->threads : 1, plan->shared ? "s" : "");
    print_seconds(timing->seconds, 0, out);
    strbuf_format(out, " a call (median of %lld, fastest ", (long long)timing->calls);
    print_seconds(timing->fastest, 0, out);
    strbuf_add(out, ")");
    if (samples > 1) {
        strbuf_format(out, " of %lld samples, ", (long long)samples);
        print_seconds(timing->seconds / (double)samples, 0, out);
        strbuf_add(out, " a sample");
    }
    if (timing->count->macs > 0)
        strbuf_format(out, ", %.1f GFLOP/s",
                      2 * (double)timing->count->macs * (double)samples / timing->seconds / 1e9);
    strbuf_add(out, "\n");
    print_steps(timing, out);
}

void timing_json(const Timing *timing, StrBuf *out) {
    const Plan *plan = timing->plan;
    json_t *steps = json_array();
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.data[i];
        StepCost cost = step_cost(plan, step);
        json_array_append_new(steps,
                              json_pack("{s:s, s:s, s:f, s:f, s:f, s:f}", "name", step->name,
                                        "kind", step_kind_name(step->kind), "seconds",
                                        timing->step_seconds[i], "predicted_cycles", cost.cycles,
                                        "macs", cost.macs, "bytes", cost.bytes));
    }
    json_t *root =
        json_pack("{s:s, s:s, s:i, s:I, s:I, s:f, s:f, s:o, s:o}", "network", plan->graph->name,
                  "cpu", timing->cpu, "threads", plan->shared ? plan->threads : 1, "batch",
                  (json_int_t)plan_samples(plan), "calls", (json_int_t)timing->calls, "seconds",
                  timing->seconds, "fastest_seconds", timing->fastest, "macs",
                  json_whole_number(timing->count->macs), "steps", steps);
    json_print(root, JSON_INDENT(2), out);
    strbuf_add(out, "\n");
}
