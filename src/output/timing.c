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

static double sum_seconds(const Timing *timing) {
    double sum = 0;
    for (size_t i = 0; i < timing->plan->steps.count; i++)
        sum += timing->step_seconds[i];
    return sum;
}

static double sum_cycles(const Plan *plan) {
    double sum = 0;
    for (size_t i = 0; i < plan->steps.count; i++)
        sum += step_cost(plan, plan->steps.data[i]).cycles;
    return sum;
}

/* A rate in thousands of millions a second; blank where there is nothing to count. */
static void print_rate(double amount, double seconds, StrBuf *out) {
    if (amount > 0)
        strbuf_format(out, "  %7.1f", amount / seconds / 1e9);
    else
        strbuf_format(out, "  %7s", "");
}

/* Names come last, as those of fused layers are long. */
static void print_steps(const Timing *timing, StrBuf *out) {
    const Plan *plan = timing->plan;
    double seconds = sum_seconds(timing), cycles = sum_cycles(plan);
    strbuf_format(out, "%10s  %6s  %9s  %7s  %7s  %-12s  %s\n", "time", "share", "predicted",
                  "GFLOP/s", "GB/s", "kind", "step");
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.data[i];
        StepCost cost = step_cost(plan, step);
        print_seconds(timing->step_seconds[i], 7, out);
        strbuf_format(out, "  %4.1f %%  %7.1f %%", 100 * timing->step_seconds[i] / seconds,
                      100 * cost.cycles / cycles);
        print_rate(2 * cost.macs, timing->step_seconds[i], out);
        print_rate(cost.bytes, timing->step_seconds[i], out);
        strbuf_format(out, "  %-12s  %s\n", step_kind_name(step->kind), step->name);
    }
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
    strbuf_add(out, "\n\n");
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
