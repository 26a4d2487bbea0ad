/* Normalisation and reduction: the kernels against the reference, within its bounds, on numbers
 * that ordinary inputs do not show: a variance of the size of epsilon beside a large mean, ties,
 * NaN. And that the bounds stay useful there. */
#include "kernel_run.h"
#include "layers/layer.h"
#include "layers/normalisation.h"
#include "reference/reference.h"

/* ---- normalisation ------------------------------------------------------------------------- */

typedef struct NormaliseCase {
    Shape shape;
    AxisSet axes;
    AxisSet parameter_axes;
    bool centred;
    double mean, deviation;
    double largest_error; /* that the bound may claim */
} NormaliseCase;

static Weight parameters(int64_t count, float mean) {
    float *numbers = random_floats(count);
    for (int64_t i = 0; i < count; i++)
        numbers[i] += mean;
    return (Weight){.shape = shape_make(1, count), .elements = count, .data = numbers};
}

static int64_t extent_over(const Shape *shape, AxisSet axes) {
    int64_t extent = 1;
    for (int axis = 0; axis < shape->rank; axis++)
        extent *= axes >> axis & 1 ? shape->dims[axis] : 1;
    return extent;
}

static void check_normalise(const char *cpu, const void *what) {
    const NormaliseCase *c = what;
    Run run;
    run_open(&run, cpu);
    int64_t count = shape_elements(&c->shape);
    Tensor input = tensor_new(1, 1, count, 1, 0);
    tensor_fill(&input, 0);
    float *x = element(&input, 0, 0, 0);
    Real *exact = ARENA_ARRAY(&run.arena, (size_t)count, Real);
    for (int64_t i = 0; i < count; i++) {
        x[i] = (float)(c->mean + c->deviation * (double)x[i]);
        exact[i].value = (double)x[i];
    }
    int64_t parameter_count = extent_over(&c->shape, c->parameter_axes);
    Weight weight = parameters(parameter_count, 1), bias = parameters(parameter_count, 0);
    run_input(&run, input);
    run_output(&run, tensor_new(1, 1, count, 1, 0));
    run.step.kind = STEP_NORMALISE;
    run.step.normalise = (Normalisation){.shape = c->shape,
                                         .axes = c->axes,
                                         .parameter_axes = c->parameter_axes,
                                         .centred = c->centred,
                                         .epsilon = 1e-5,
                                         .weight = &weight,
                                         .bias = &bias};
    run.step.weights = run.step.bias = &run.present;
    run_packed(&run, weight.data);
    run_packed(&run, bias.data);
    run_step(&run);

    Real *expected = ARENA_ARRAY(&run.arena, (size_t)count, Real);
    const Real *inputs[] = {exact};
    Evaluation evaluation = {.inputs = inputs, .output = expected};
    normalisation_evaluate(&evaluation, &run.step.normalise);
    Comparison comparison = reference_compare(expected, element(&run.output, 0, 0, 0), count);
    assert_int_equal(comparison.mismatched, 0);
    for (int64_t i = 0; i < count; i++)
        assert_true(expected[i].error <= c->largest_error);
    run_close(&run);
}

/* The bounds are those of a mean of 0, but for a few second-order terms. */
static void large_means_cost_nothing(void **state) {
    (void)state;
    static const NormaliseCase cases[] = {
        {{2, {5, 70}}, 2, 2, true, 0, 0.017, 1e-4},
        {{2, {5, 70}}, 2, 2, true, 1000, 0.017, 1e-4}, /* variance 1e-4 */
        {{2, {70, 37}}, 1, 1, true, -1000, 0.017, 1e-4},
        {{3, {4, 3, 50}}, 6, 3, true, 300, 0.01, 3e-4}, /* groups of 3 channels */
        {{3, {17, 1, 21}}, 6, 3, true, 300, 0.01, 1e-4},
        {{3, {7, 9, 11}}, 5, 5, true, 1000, 0.1, 1e-4}, /* the middle axis is kept */
        {{1, {4096}}, 1, 1, true, 10, 1, 1e-2},
        {{2, {5, 70}}, 2, 2, false, 1000, 0.01, 1e-4},
        {{2, {70, 37}}, 1, 1, false, 0, 1e-3, 1e-4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for_each_cpu(check_normalise, &cases[i]);
}

/* ---- reduction ----------------------------------------------------------------------------- */

typedef struct ReduceCase {
    Shape shape;
    AxisSet axes;
    float special; /* put here and there */
} ReduceCase;

static bool is_larger(float x, float than) {
    return isnan(x) ? !isnan(than) : x > than;
}

/* What argmax should give for each result, from the definition. */
static void expected_places(const ReduceCase *c, const float *x, float *places) {
    int64_t count = shape_elements(&c->shape), length = extent_over(&c->shape, c->axes);
    float *largest = calloc((size_t)(count / length), sizeof *largest);
    int64_t *seen = calloc((size_t)(count / length), sizeof *seen);
    assert_true(largest && seen);
    for (int64_t i = 0; i < count; i++) {
        int64_t result = 0;
        int64_t stride = 1;
        int64_t rest = i;
        for (int axis = c->shape.rank - 1; axis >= 0; axis--) {
            if (!(c->axes >> axis & 1)) {
                result += rest % c->shape.dims[axis] * stride;
                stride *= c->shape.dims[axis];
            }
            rest /= c->shape.dims[axis];
        }
        if (seen[result] == 0 || is_larger(x[i], largest[result])) {
            largest[result] = x[i];
            places[result] = (float)seen[result];
        }
        seen[result]++;
    }
    free(largest);
    free(seen);
}

static void check_places(const char *cpu, const void *what) {
    const ReduceCase *c = what;
    Run run;
    run_open(&run, cpu);
    int64_t count = shape_elements(&c->shape), results = count / extent_over(&c->shape, c->axes);
    Tensor input = tensor_new(1, 1, count, 1, 0);
    tensor_fill(&input, 0);
    float *x = element(&input, 0, 0, 0);
    for (int64_t i = 0; i < count; i++) /* many ties */
        x[i] = i % 3 == 2 ? c->special : floorf(4 * x[i]);
    run_input(&run, input);
    run_output(&run, tensor_new(1, 1, results, 1, 0));
    Value value = {.type.shape = c->shape}, *values[] = {&value};
    run.step.input_values = values;
    run.step.kind = STEP_REDUCE;
    run.step.reduce.op = REDUCE_ARGMAX;
    run.step.reduce.axes = c->axes;
    run_step(&run);

    float *expected = floats_new(results);
    expected_places(c, x, expected);
    assert_memory_equal(element(&run.output, 0, 0, 0), expected,
                        (size_t)results * sizeof *expected);
    run_close(&run);
}

static void argmax_takes_the_first(void **state) {
    (void)state;
    static const float specials[] = {2, NAN, INFINITY, -INFINITY};
    ReduceCase cases[] = {{{1, {1}}, 1, 0},       {{1, {5}}, 1, 0},     {{1, {300}}, 1, 0},
                          {{2, {9, 37}}, 2, 0},   {{2, {37, 9}}, 1, 0}, {{2, {20, 70}}, 1, 0},
                          {{3, {3, 11, 6}}, 2, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t k = 0; k < sizeof specials / sizeof specials[0]; k++) {
            cases[i].special = specials[k];
            for_each_cpu(check_places, &cases[i]);
        }
}

static void argmax_of_minus_infinity_is_0(void **state) {
    (void)state;
    static const Shape shapes[] = {{1, {3}}, {1, {70}}, {2, {70, 5}}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        Run run;
        run_open(&run, "native");
        int64_t count = shape_elements(&shapes[i]);
        Tensor input = tensor_new(1, 1, count, 1, 0);
        for (int64_t k = 0; k < count; k++)
            element(&input, 0, 0, 0)[k] = -INFINITY;
        run_input(&run, input);
        run_output(&run, tensor_new(1, 1, count / shapes[i].dims[0], 1, 0));
        Value value = {.type.shape = shapes[i]}, *values[] = {&value};
        run.step.input_values = values;
        run.step.kind = STEP_REDUCE;
        run.step.reduce.op = REDUCE_ARGMAX;
        run.step.reduce.axes = 1;
        run_step(&run);
        for (int64_t k = 0; k < count / shapes[i].dims[0]; k++)
            assert_true(element(&run.output, 0, 0, 0)[k] == 0);
        run_close(&run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_means_cost_nothing),
        cmocka_unit_test(argmax_takes_the_first),
        cmocka_unit_test(argmax_of_minus_infinity_is_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
