/* `netc run`: executes a network in this process, or its float64 reference, or both, and shows the
 * results. An input file may have one more leading axis than the network's input: then each of its
 * slices is one sample, and the results are stacked the same way. With --batch a call does as many
 * samples; the last call is filled up with the last of them. */
#include <stdlib.h>
#include <string.h>

#include "compilation/execution.h"
#include "driver/layer_comparison.h"
#include "driver/verbs.h"
#include "layers/layer.h"
#include "reference/reference.h"
#include "support/checked.h"
#include "weights/tensor_file.h"

#define SHOWN_SAMPLES 10 /* results printed of a long batch */
#define SHOWN_VALUES  10 /* numbers printed of a result */
#define TOP_CLASSES   5

typedef struct Run {
    Compilation *compilation;
    const Options *options;
    const Graph *graph;
    const Plan *plan;
    int64_t samples;
    bool batched;         /* the files have a sample axis */
    const float **inputs; /* of all samples, one a network input */
    float **outputs;      /* same, one a network output */
    Comparison worst;     /* --compare: of all samples and outputs; `largest` is of: */
    int64_t largest_sample;
    size_t largest_output;
    LayerComparison layers; /* --compare-layers */
} Run;

static int64_t value_elements(const Value *value) {
    return shape_elements(&value->type.shape);
}

/* ---- inputs --------------------------------------------------------------------------------- */

/* Whether a file's shape is the input's, alone or behind a sample axis. */
static bool input_fits(const Shape *file, const Shape *input, int64_t *samples, bool *batched) {
    *batched = file->rank == input->rank + 1;
    *samples = *batched ? file->dims[0] : 1;
    Shape sample = {.rank = file->rank - *batched};
    for (int i = 0; i < sample.rank; i++)
        sample.dims[i] = file->dims[i + *batched];
    return shape_equal(&sample, input);
}

/* Whether the numbers of a file of `shape` can be elements of the input. */
static bool elements_hold(const Run *run, size_t index, const Shape *shape) {
    Compilation *c = run->compilation;
    const Value *input = run->graph->inputs.data[index];
    const float *numbers = run->inputs[index];
    int64_t count = shape_elements(shape), at = 0;
    while (at < count && element_holds(input->type.element, numbers[at]))
        at++;
    if (at == count)
        return true;
    StrBuf place = {0};
    shape_print_place(shape, at, &place);
    Diagnostic *diagnostic = diag_report(
        &c->diagnostics, DIAG_E0704, input->span,
        "`%s` holds %.9g at %s, but input `%s` is of `u8`, whole numbers from 0 to 255",
        run->options->inputs.data[index], (double)numbers[at], strbuf_text(&place), input->name);
    strbuf_free(&place);
    diag_help(&c->diagnostics, diagnostic, "in Python: array.astype(\"u1\"), if that is meant");
    return false;
}

static bool read_input(Run *run, size_t index) {
    Compilation *c = run->compilation;
    const Value *input = run->graph->inputs.data[index];
    const char *path = run->options->inputs.data[index];
    Shape shape;
    run->inputs[index] = npy_read(&c->arena, &c->diagnostics, path, &shape);
    if (!run->inputs[index])
        return false;
    int64_t samples;
    bool batched;
    bool fits = input_fits(&shape, &input->type.shape, &samples, &batched);
    if (!fits || (index > 0 && (samples != run->samples || batched != run->batched))) {
        diag_report(&c->diagnostics, DIAG_E0704, input->span,
                    "`%s` holds %s, but input `%s` is %s%s", path, shape_text(&c->arena, &shape),
                    input->name, type_text(&c->arena, &input->type),
                    fits ? " and the inputs differ in their number of samples"
                         : " (or that behind a sample axis)");
        return false;
    }
    run->samples = samples;
    run->batched = batched;
    return elements_hold(run, index, &shape);
}

static bool read_inputs(Run *run) {
    Compilation *c = run->compilation;
    size_t count = run->graph->inputs.count;
    run->inputs = ARENA_ARRAY(&c->arena, count, const float *);
    run->samples = (int64_t)c->options->batch;
    run->batched = run->samples > 1;
    if (run->options->inputs.count == 0) {
        execution_draw_inputs(c, run->options->seed, run->inputs);
        return true;
    }
    if (run->options->inputs.count != count) {
        diag_report(&c->diagnostics, DIAG_E0704, run->graph->name_span,
                    "`%s` has %zu inputs, got %zu --input files", run->graph->name, count,
                    run->options->inputs.count);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        if (!read_input(run, i))
            return false;
    return true;
}

/* ---- execution ------------------------------------------------------------------------------ */

static void sample_inputs(const Run *run, int64_t sample, const float **inputs) {
    for (size_t i = 0; i < run->graph->inputs.count; i++)
        inputs[i] = run->inputs[i] + sample * value_elements(run->graph->inputs.data[i]);
}

static void sample_outputs(const Run *run, int64_t sample, float **outputs) {
    for (size_t i = 0; i < run->graph->outputs.count; i++)
        outputs[i] = run->outputs[i] + sample * value_elements(run->graph->outputs.data[i]);
}

static void run_compiled(Run *run) {
    Compilation *c = run->compilation;
    Execution execution;
    execution_begin(&execution, c, (StepMark){0});
    float **outputs = ARENA_ARRAY(&c->arena, run->graph->outputs.count, float *);
    const float **inputs = ARENA_ARRAY(&c->arena, run->graph->inputs.count, const float *);
    int64_t batch = (int64_t)c->options->batch, last = run->samples - 1;
    for (int64_t sample = 0; sample < run->samples; sample += batch) {
        for (int64_t i = 0; i < batch; i++) {
            sample_inputs(run, sample + i < last ? sample + i : last, inputs);
            execution_store_inputs(&execution, c, i, inputs);
        }
        sample_outputs(run, sample, outputs);
        execution_call(&execution, outputs);
        if (run->options->compare_layers)
            layer_comparison_add(&run->layers, run->plan, inputs, outputs, execution.arena, sample);
    }
    execution_end(&execution);
}

static void note_comparison(Run *run, const Comparison *result, int64_t sample, size_t output) {
    Comparison *worst = &run->worst;
    worst->mismatched += result->mismatched;
    worst->unbounded += result->unbounded;
    if (result->largest_value > worst->largest_value)
        worst->largest_value = result->largest_value;
    if (result->worst_ratio > worst->worst_ratio)
        worst->worst_ratio = result->worst_ratio;
    if (result->largest_error > worst->largest_error) {
        worst->largest_error = result->largest_error;
        worst->largest = result->largest;
        run->largest_sample = sample;
        run->largest_output = output;
    }
}

/* Runs the reference for each sample; keeps its results, or compares those there are with it. */
static void run_reference(Run *run, bool compare) {
    Compilation *c = run->compilation;
    const float **inputs = ARENA_ARRAY(&c->arena, run->graph->inputs.count, const float *);
    float **outputs = ARENA_ARRAY(&c->arena, run->graph->outputs.count, float *);
    const double *shares = plan_error_shares(run->plan, &c->arena);
    for (int64_t sample = 0; sample < run->samples; sample++) {
        Arena scratch = {0};
        sample_inputs(run, sample, inputs);
        sample_outputs(run, sample, outputs);
        Real **values = reference_run(&scratch, run->graph, inputs, shares);
        for (size_t i = 0; i < run->graph->outputs.count; i++) {
            const Value *output = run->graph->outputs.data[i];
            const Real *reference = values[output->id];
            int64_t elements = value_elements(output);
            if (!compare) {
                for (int64_t k = 0; k < elements; k++)
                    outputs[i][k] = (float)reference[k].value;
                continue;
            }
            Comparison result = reference_compare(reference, outputs[i], elements);
            note_comparison(run, &result, sample, i);
        }
        arena_free(&scratch);
    }
}

/* ---- results -------------------------------------------------------------------------------- */

/* Indices of the `count` largest numbers, largest first. */
static void top_indices(const float *data, int64_t elements, int count, int64_t *top) {
    int found = 0;
    for (int64_t k = 0; k < elements; k++) {
        int place = found;
        while (place > 0 && data[k] > data[top[place - 1]])
            place--;
        if (place == count)
            continue;
        found = found < count ? found + 1 : count;
        memmove(top + place + 1, top + place, (size_t)(found - place - 1) * sizeof *top);
        top[place] = k;
    }
}

static bool is_distribution(const Value *output) {
    return output->producer && (output->producer->layer->traits & LAYER_GIVES_DISTRIBUTION) &&
           output->type.shape.rank == 1;
}

static void show_result(const Run *run, size_t index, int64_t sample, StrBuf *out) {
    const Value *output = run->graph->outputs.data[index];
    int64_t elements = value_elements(output);
    const float *data = run->outputs[index] + sample * elements;
    if (run->batched)
        strbuf_format(out, "sample %lld, ", (long long)sample);
    strbuf_format(out, "%s ", run->graph->output_names.data[index]);
    shape_print(&output->type.shape, out);
    strbuf_add(out, ":");
    if (is_distribution(output)) {
        int64_t top[TOP_CLASSES];
        int count = elements < TOP_CLASSES ? (int)elements : TOP_CLASSES;
        top_indices(data, elements, count, top);
        for (int i = 0; i < count; i++)
            strbuf_format(out, "\n  class %-6lld %6.2f %%", (long long)top[i],
                          100.0 * (double)data[top[i]]);
    } else {
        for (int64_t k = 0; k < elements && k < SHOWN_VALUES; k++)
            strbuf_format(out, " %g", (double)data[k]);
        if (elements > SHOWN_VALUES)
            strbuf_format(out, " ... (%lld more)", (long long)(elements - SHOWN_VALUES));
    }
    strbuf_add(out, "\n");
}

static void show_comparison(const Run *run, StrBuf *out) {
    const Value *output = run->graph->outputs.data[run->largest_output];
    const Comparison *worst = &run->worst;
    strbuf_format(out, "largest error %.3g at %s", worst->largest_error,
                  run->graph->output_names.data[run->largest_output]);
    shape_print_place(&output->type.shape, worst->largest, out);
    if (run->batched)
        strbuf_format(out, " of sample %lld", (long long)run->largest_sample);
    strbuf_format(out, "; at most %.3g of the bound\n", worst->worst_ratio);
    strbuf_format(out, "largest value %.3g, so the error is %.2g of the range\n",
                  worst->largest_value,
                  worst->largest_value > 0 ? worst->largest_error / worst->largest_value : 0);
    if (worst->unbounded > 0)
        strbuf_format(out, "%lld values have no bound: in the worst case a number overflows\n",
                      (long long)worst->unbounded);
    if (worst->mismatched > 0)
        strbuf_format(out, "%lld values are beyond the bound\n", (long long)worst->mismatched);
}

static bool write_result(Run *run, size_t index) {
    Compilation *c = run->compilation;
    const Value *output = run->graph->outputs.data[index];
    Shape shape = output->type.shape;
    if (run->batched && shape.rank == TENSOR_MAX_RANK) {
        diag_report(&c->diagnostics, DIAG_E0704, output->span,
                    "`%s` has %d dimensions, so that it cannot be written with a sample axis",
                    run->graph->output_names.data[index], TENSOR_MAX_RANK);
        return false;
    }
    if (run->batched) {
        memmove(shape.dims + 1, shape.dims, (size_t)shape.rank * sizeof shape.dims[0]);
        shape.dims[0] = run->samples;
        shape.rank++;
    }
    StrBuf text = {0};
    npy_write(run->outputs[index], &shape, &text);
    int file = file_set_open(&c->files, run->options->outputs.data[index]);
    bool done = file >= 0 && file_set_write(&c->files, file, text.data, text.length);
    strbuf_free(&text);
    return done;
}

static bool show_and_write(Run *run) {
    Compilation *c = run->compilation;
    StrBuf text = {0};
    int64_t shown = run->samples < SHOWN_SAMPLES ? run->samples : SHOWN_SAMPLES;
    for (int64_t sample = 0; sample < shown; sample++)
        for (size_t i = 0; i < run->graph->outputs.count; i++)
            show_result(run, i, sample, &text);
    if (shown < run->samples)
        strbuf_format(&text, "... %lld more samples\n", (long long)(run->samples - shown));
    if (run->options->compare)
        show_comparison(run, &text);
    if (run->options->compare_layers)
        layer_comparison_print(&run->layers, run->batched, &text);
    int screen = file_set_open(&c->files, "-");
    bool done = screen >= 0 && file_set_write(&c->files, screen, text.data, text.length);
    strbuf_free(&text);
    for (size_t i = 0; i < run->options->outputs.count && done; i++)
        done = write_result(run, i);
    return done;
}

bool run_network(Compilation *c, const Options *options) {
    Run run = {
        .compilation = c, .options = options, .graph = c->graph, .plan = c->variants.list[0].plan};
    if (options->outputs.count > c->graph->outputs.count) {
        diag_report(&c->diagnostics, DIAG_E0704, c->graph->name_span,
                    "`%s` has %zu results, got %zu --output files", c->graph->name,
                    c->graph->outputs.count, options->outputs.count);
        return false;
    }
    if (!read_inputs(&run))
        return false;
    run.outputs = ARENA_ARRAY(&c->arena, c->graph->outputs.count, float *);
    for (size_t i = 0; i < c->graph->outputs.count; i++) {
        int64_t floats, samples; /* of whole calls */
        if (!checked_round_up(run.samples, (int64_t)c->options->batch, &samples) ||
            !checked_mul(value_elements(c->graph->outputs.data[i]), samples, &floats)) {
            diag_report(&c->diagnostics, DIAG_E0802, SPAN_NONE, "the results are too large");
            return false;
        }
        run.outputs[i] = ARENA_ARRAY(&c->arena, (size_t)floats, float);
    }
    if (!options->reference || options->compare || options->compare_layers)
        run_compiled(&run);
    if (options->reference || options->compare)
        run_reference(&run, options->compare);
    if (run.worst.mismatched > 0)
        diag_report(&c->diagnostics, DIAG_E0603, c->graph->name_span,
                    "%lld values of the compiled code differ from the reference by more than the "
                    "bound",
                    (long long)run.worst.mismatched);
    layer_comparison_report(&run.layers, &c->diagnostics);
    return show_and_write(&run);
}
