#include "reference/reference.h"

#include <assert.h>
#include <math.h>

#include "layers/layer.h"

static Real *exact_values(Arena *arena, const Value *value, const float *elements) {
    int64_t count = shape_elements(&value->type.shape);
    Real *result = ARENA_ARRAY(arena, (size_t)count, Real);
    for (int64_t i = 0; i < count; i++)
        result[i].value = elements[i];
    return result;
}

/* Adds `share` of the largest finite number to the error of each. */
static void loosen(Real *elements, int64_t count, double share) {
    double largest = 0;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(elements[i].value))
            largest = fmax(largest, fabs(elements[i].value));
    for (int64_t i = 0; i < count; i++)
        elements[i].error += share * largest;
}

/* A run of the reference. */
typedef struct Reference {
    Arena *arena;
    const double *shares;
    Real **values; /* by Value.id */
    pthreadpool_t pool;
} Reference;

static Reference reference_begin(Arena *arena, const Graph *graph, const double *shares) {
    return (Reference){.arena = arena,
                       .shares = shares,
                       .values = ARENA_ARRAY(arena, graph->values.count, Real *)};
}

static void evaluate_node(Reference *run, const Node *node) {
    const Real **inputs = ARENA_ARRAY(run->arena, node->input_count, const Real *);
    for (size_t i = 0; i < node->input_count; i++)
        inputs[i] = run->values[node->inputs[i]->id];
    Real **outputs = ARENA_ARRAY(run->arena, node->output_count, Real *);
    for (size_t i = 0; i < node->output_count; i++) {
        size_t count = (size_t)shape_elements(&node->outputs[i]->type.shape);
        outputs[i] = run->values[node->outputs[i]->id] = ARENA_ARRAY(run->arena, count, Real);
    }
    Evaluation evaluation = {.node = node,
                             .inputs = inputs,
                             .output = outputs[0],
                             .outputs = outputs,
                             .pool = &run->pool};
    node->layer->evaluate(&evaluation);
    if (run->shares && run->shares[node->id] > 0)
        loosen(outputs[0], shape_elements(&node->outputs[0]->type.shape), run->shares[node->id]);
}

static void reference_end(Reference *run) {
    if (run->pool)
        pthreadpool_destroy(run->pool);
}

Real **reference_run(Arena *arena, const Graph *graph, const float *const *inputs,
                     const double *shares) {
    Reference run = reference_begin(arena, graph, shares);
    for (size_t i = 0; i < graph->inputs.count; i++) {
        const Value *input = graph->inputs.data[i];
        run.values[input->id] = exact_values(arena, input, inputs[i]);
    }
    for (size_t i = 0; i < graph->nodes.count; i++)
        evaluate_node(&run, graph->nodes.data[i]);
    reference_end(&run);
    return run.values;
}

/* The absolute error; infinite if the two are of different classes. */
static double error_of(Real reference, double actual) {
    if (isnan(reference.value))
        return isnan(actual) ? 0 : INFINITY;
    if (isfinite(reference.value) && isfinite(actual))
        return fabs(actual - reference.value);
    return reference.value == actual ? 0 : INFINITY;
}

Comparison reference_compare(const Real *reference, const float *actual, int64_t count) {
    Comparison comparison = {0};
    for (int64_t i = 0; i < count; i++) {
        double error = error_of(reference[i], actual[i]);
        bool bounded = reference[i].error < INFINITY;
        double ratio = error == 0 || !bounded ? 0 : error / reference[i].error;
        comparison.unbounded += !bounded;
        if (isfinite(reference[i].value))
            comparison.largest_value = fmax(comparison.largest_value, fabs(reference[i].value));
        if (bounded && error > reference[i].error)
            comparison.mismatched++;
        if (ratio > comparison.worst_ratio) {
            comparison.worst = i;
            comparison.worst_ratio = ratio;
        }
        if (error > comparison.largest_error && (bounded || isfinite(error))) {
            comparison.largest = i;
            comparison.largest_error = error;
        }
    }
    return comparison;
}

void reference_compare_layers(Arena *arena, const Graph *graph, const float *const *made,
                              const double *shares, Comparison *results) {
    Reference run = reference_begin(arena, graph, shares);
    for (size_t i = 0; i < graph->inputs.count; i++) {
        const Value *input = graph->inputs.data[i];
        run.values[input->id] = exact_values(arena, input, made[input->id]);
    }
    for (size_t i = 0; i < graph->nodes.count; i++) {
        const Node *node = graph->nodes.data[i];
        evaluate_node(&run, node);
        for (size_t k = 0; k < node->output_count; k++) {
            const Value *output = node->outputs[k];
            const float *actual = made[output->id];
            if (!actual)
                continue;
            results[output->id] = reference_compare(run.values[output->id], actual,
                                                    shape_elements(&output->type.shape));
            run.values[output->id] = exact_values(arena, output, actual);
        }
    }
    reference_end(&run);
}
