/* The reference's error bounds against f32 arithmetic: sums in several orders, with and without
 * fused multiply-adds, with batch norms folded into weights or not, must all lie within them. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "layer_fixture.h"

#define INPUTS  300
#define UNITS   20
#define ROUNDS  40
#define EPSILON 1e-5

/* How f32 code may go about a sum of products. */
typedef struct Order {
    bool backward;
    bool fused;
    bool bias_first;
    bool folded; /* the batch norm goes into weights and bias */
    int chains;  /* partial sums, added up at the end */
} Order;

static const Order ORDERS[] = {
    {.chains = 1},
    {.chains = 1, .backward = true, .bias_first = true},
    {.chains = 8, .fused = true},
    {.chains = 1, .fused = true, .folded = true},
    {.chains = 1, .bias_first = true, .folded = true},
    {.chains = 16, .backward = true, .folded = true},
};
#define ORDER_COUNT ((int)(sizeof ORDERS / sizeof *ORDERS))

/* A dense layer and a batch norm behind it. */
typedef struct Numbers {
    float x[INPUTS];
    float weight[UNITS * INPUTS];
    float bias[UNITS];
    float gamma[UNITS], beta[UNITS], mean[UNITS], variance[UNITS];
} Numbers;

/* Uniform in -1 ... 1, the same on every machine (Marsaglia's xorshift64). */
static float next_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (float)(int64_t)*seed * 0x1p-63F;
}

static void fill(float *numbers, int count, float scale, uint64_t *seed) {
    for (int i = 0; i < count; i++)
        numbers[i] = scale * next_random(seed);
}

/* Weights of size `scale`: with a small one all of them together hardly move a shift of 1. */
static void fill_numbers(Numbers *numbers, float scale, uint64_t *seed) {
    fill(numbers->x, INPUTS, 1, seed);
    fill(numbers->weight, UNITS * INPUTS, scale, seed);
    fill(numbers->bias, UNITS, scale, seed);
    fill(numbers->gamma, UNITS, 1, seed);
    fill(numbers->beta, UNITS, 1, seed);
    fill(numbers->mean, UNITS, 1, seed);
    fill(numbers->variance, UNITS, 1, seed);
    for (int i = 0; i < UNITS; i++)
        numbers->variance[i] = fabsf(numbers->variance[i]);
}

static float sum_products(const float *weight, const float *x, int count, float bias,
                          const Order *order) {
    float sums[16] = {order->bias_first ? bias : 0};
    for (int i = 0; i < count; i++) {
        int k = order->backward ? count - 1 - i : i;
        float *sum = &sums[i % order->chains];
        *sum = order->fused ? fmaf(weight[k], x[k], *sum) : *sum + weight[k] * x[k];
    }
    for (int i = 1; i < order->chains; i++)
        sums[0] += sums[i];
    return order->bias_first ? sums[0] : sums[0] + bias;
}

/* Unit `u` of dense and batch norm in f32. */
static float unit_in_float(const Numbers *numbers, int u, const Order *order) {
    double scale = numbers->gamma[u] / sqrt(numbers->variance[u] + EPSILON);
    double shift = numbers->beta[u] - numbers->mean[u] * scale;
    const float *weight = numbers->weight + u * INPUTS;
    if (!order->folded) {
        float y = sum_products(weight, numbers->x, INPUTS, numbers->bias[u], order);
        float product = y * (float)scale;
        return product + (float)shift;
    }
    float folded[INPUTS];
    for (int i = 0; i < INPUTS; i++)
        folded[i] = (float)(weight[i] * scale);
    float bias = (float)(numbers->bias[u] * scale + shift);
    return sum_products(folded, numbers->x, INPUTS, bias, order);
}

/* dense -> batchnorm; returns the batch norm's result. */
static Value *make_dense_batchnorm(Fixture *fixture, const Numbers *numbers) {
    Value *input = make_input(fixture, shape_make(1, INPUTS), numbers->x);
    Node *dense = make_node(fixture, "dense", input, shape_make(1, UNITS));
    add_weight(fixture, dense, shape_make(2, UNITS, INPUTS), numbers->weight);
    add_weight(fixture, dense, shape_make(1, UNITS), numbers->bias);
    Node *norm = make_node(fixture, "batchnorm", dense->outputs[0], shape_make(1, UNITS));
    attribute_of(norm, "eps")->number = EPSILON;
    attribute_of(norm, "affine")->boolean = true;
    add_weight(fixture, norm, shape_make(1, UNITS), numbers->gamma);
    add_weight(fixture, norm, shape_make(1, UNITS), numbers->beta);
    add_weight(fixture, norm, shape_make(1, UNITS), numbers->mean);
    add_weight(fixture, norm, shape_make(1, UNITS), numbers->variance);
    return norm->outputs[0];
}

static void batchnorm_in_any_order(void **state) {
    Fixture *fixture = *state;
    Numbers *numbers = ARENA_NEW(&fixture->arena, Numbers);
    make_dense_batchnorm(fixture, numbers);
    uint64_t seed = 1;
    const float scales[] = {1, 1e-3F, 0x1p-25F};
    for (int round = 0; round < ROUNDS; round++) {
        fill_numbers(numbers, scales[round % 3], &seed);
        const Real *reference = run(fixture);
        for (int i = 0; i < ORDER_COUNT; i++) {
            float actual[UNITS];
            for (int u = 0; u < UNITS; u++)
                actual[u] = unit_in_float(numbers, u, &ORDERS[i]);
            Comparison comparison = reference_compare(reference, actual, UNITS);
            if (comparison.mismatched != 0)
                fail_msg("round %d order %d: %g bounds off", round, i, comparison.worst_ratio);
        }
    }
}

/* A shift of 1 and 300 products of 2^-26 or less: nothing moves while each is added to the shift,
 * and the bound must know how many there were. */
static void small_products_vanish_in_a_shift(void **state) {
    Fixture *fixture = *state;
    Numbers *numbers = ARENA_NEW(&fixture->arena, Numbers);
    for (int i = 0; i < INPUTS; i++)
        numbers->x[i] = 1;
    for (int i = 0; i < UNITS * INPUTS; i++)
        numbers->weight[i] = 0x1p-25F;
    for (int u = 0; u < UNITS; u++)
        numbers->gamma[u] = numbers->beta[u] = numbers->variance[u] = 1;
    make_dense_batchnorm(fixture, numbers);
    const Real *reference = run(fixture);
    const Order order = {.chains = 1, .bias_first = true, .folded = true};
    float actual = unit_in_float(numbers, 0, &order);
    assert_true(actual == 1);
    assert_true(fabs(reference[0].value - 1) > 140 * UNIT_ROUNDOFF);
    assert_int_equal(reference_compare(reference, &actual, 1).mismatched, 0);
    actual = 1 + 0x1p-13F;
    assert_int_equal(reference_compare(reference, &actual, 1).mismatched, 1);
}

static void activations_of_inexact_inputs(void **state) {
    Fixture *fixture = *state;
    Numbers *numbers = ARENA_NEW(&fixture->arena, Numbers);
    Value *y = make_dense_batchnorm(fixture, numbers);
    const char *const layers[] = {"relu",    "relu6",      "sigmoid",  "tanh",
                                  "softmax", "logsoftmax", "softplus", "silu",
                                  "gelu",    "hardswish",  "selu",     "softsign"};
    const int kinds = sizeof layers / sizeof *layers;
    uint64_t seed = 2;
    for (int round = 0; round < ROUNDS; round++) {
        int kind = round % kinds;
        fill_numbers(numbers, 0.5F, &seed);
        make_node(fixture, layers[kind], y, y->type.shape);
        const Real *reference = run(fixture);
        for (int i = 0; i < ORDER_COUNT; i++) {
            float actual[UNITS];
            float largest = -INFINITY, sum = 0;
            for (int u = 0; u < UNITS; u++) {
                actual[u] = unit_in_float(numbers, u, &ORDERS[i]);
                largest = fmaxf(largest, actual[u]);
            }
            for (int u = 0; u < UNITS; u++)
                sum += expf(actual[u] - largest);
            for (int u = 0; u < UNITS; u++) {
                float x = actual[u];
                const float results[] = {fmaxf(x, 0),
                                         fminf(fmaxf(x, 0), 6),
                                         1 / (1 + expf(-x)),
                                         tanhf(x),
                                         expf(x - largest) / sum,
                                         x - largest - logf(sum),
                                         fmaxf(x, 0) + log1pf(expf(-fabsf(x))),
                                         x / (1 + expf(-x)),
                                         x / 2 * (1 + erff(x * 0.70710678F)),
                                         x * fminf(fmaxf(x + 3, 0), 6) / 6,
                                         1.05070099F * (x < 0 ? 1.67326324F * expm1f(x) : x),
                                         x / (1 + fabsf(x))};
                actual[u] = results[kind];
            }
            Comparison comparison = reference_compare(reference, actual, UNITS);
            if (comparison.mismatched != 0)
                fail_msg("%s, order %d: %g bounds off", layers[kind], i, comparison.worst_ratio);
        }
    }
}

static void averages_by_reciprocal(void **state) {
    Fixture *fixture = *state;
    Numbers *numbers = ARENA_NEW(&fixture->arena, Numbers);
    Value *input = make_input(fixture, shape_make(2, UNITS, INPUTS), numbers->weight);
    make_node(fixture, "globalavgpool", input, shape_make(1, UNITS));
    uint64_t seed = 3;
    float ones[INPUTS], parts[INPUTS];
    for (int i = 0; i < INPUTS; i++) {
        ones[i] = 1;
        parts[i] = 1.0F / INPUTS;
    }
    for (int round = 0; round < ROUNDS; round++) {
        fill(numbers->weight, UNITS * INPUTS, 1, &seed);
        const Real *reference = run(fixture);
        for (int i = 0; i < ORDER_COUNT; i++) {
            float divided[UNITS], multiplied[UNITS], weighted[UNITS];
            for (int u = 0; u < UNITS; u++) {
                const float *row = numbers->weight + u * INPUTS;
                float sum = sum_products(ones, row, INPUTS, 0, &ORDERS[i]);
                divided[u] = sum / INPUTS;
                multiplied[u] = sum * (1.0F / INPUTS);
                weighted[u] = sum_products(parts, row, INPUTS, 0, &ORDERS[i]);
            }
            assert_int_equal(reference_compare(reference, divided, UNITS).mismatched, 0);
            assert_int_equal(reference_compare(reference, multiplied, UNITS).mismatched, 0);
            assert_int_equal(reference_compare(reference, weighted, UNITS).mismatched, 0);
        }
    }
}

/* A bound is worth something only if a wrong tap is beyond it. */
static void a_missing_product_is_beyond_the_bound(void **state) {
    Fixture *fixture = *state;
    Numbers *numbers = ARENA_NEW(&fixture->arena, Numbers);
    make_dense_batchnorm(fixture, numbers);
    uint64_t seed = 4;
    fill_numbers(numbers, 1, &seed);
    numbers->x[INPUTS - 1] = 0.5F;
    for (int u = 0; u < UNITS; u++)
        numbers->weight[u * INPUTS + INPUTS - 1] = 0.5F;
    const Real *reference = run(fixture);
    numbers->x[INPUTS - 1] = 0;
    float actual[UNITS];
    for (int u = 0; u < UNITS; u++)
        actual[u] = unit_in_float(numbers, u, &ORDERS[0]);
    assert_int_equal(reference_compare(reference, actual, UNITS).mismatched, UNITS);
}

static void products_that_underflow(void **state) {
    Fixture *fixture = *state;
    const float x[] = {0x1.8p-75F, 0x1.8p-75F, 0x1.8p-75F};
    const float weight[] = {0x1p-75F, 0x1p-75F, 0x1p-75F};
    Value *input = make_input(fixture, shape_make(1, 3), x);
    Node *dense = make_node(fixture, "dense", input, shape_make(1, 1));
    add_weight(fixture, dense, shape_make(2, 1, 3), weight);
    const Real *reference = run(fixture);
    float actual = sum_products(weight, x, 3, 0, &ORDERS[0]);
    assert_true(actual == 3 * 0x1p-149F); /* three products of 0.75 units, each rounded up */
    assert_int_equal(reference_compare(reference, &actual, 1).mismatched, 0);
}

static void overflow_on_the_way_claims_nothing(void **state) {
    Fixture *fixture = *state;
    Value *input = make_input(fixture, shape_make(1, 3), (const float[]){1, 1, 1});
    Node *dense = make_node(fixture, "dense", input, shape_make(1, 1));
    add_weight(fixture, dense, shape_make(2, 1, 3), (const float[]){3e38F, 3e38F, -3e38F});
    const Real *reference = run(fixture); /* 3e38, but not if the first two come first */
    assert_true(isinf(reference[0].error));
    make_node(fixture, "tanh", dense->outputs[0], shape_make(1, 1));
    assert_true(isinf(run(fixture)[0].error));
}

static void infinite_factors_keep_their_class(void **state) {
    Fixture *fixture = *state;
    Value *input = make_input(fixture, shape_make(1, 2), (const float[]){INFINITY, 1});
    Node *dense = make_node(fixture, "dense", input, shape_make(1, 3));
    const float weight[] = {-2, 5, 0, 1, 1, -INFINITY};
    add_weight(fixture, dense, shape_make(2, 3, 2), weight);
    const Real *reference = run(fixture);
    assert_true(reference[0].value == -(double)INFINITY && reference[0].error == 0);
    assert_true(isnan(reference[1].value) && reference[1].error == 0);
    assert_true(isnan(reference[2].value) && reference[2].error == 0);
}

static void gamma_of_too_many_terms(void **state) {
    (void)state;
    assert_true(real_gamma(0) == 0);
    assert_true(fabs(real_gamma(1024) / (0x1p-14 / (1 - 0x1p-14)) - 1) < 1e-15);
    assert_true(isinf(real_gamma(0x1p24)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(batchnorm_in_any_order),
        TEST(small_products_vanish_in_a_shift),
        TEST(activations_of_inexact_inputs),
        TEST(averages_by_reciprocal),
        TEST(a_missing_product_is_beyond_the_bound),
        TEST(products_that_underflow),
        TEST(overflow_on_the_way_claims_nothing),
        TEST(infinite_factors_keep_their_class),
        TEST(gamma_of_too_many_terms),
    };
    return cmocka_run_group_tests_name("bounds", tests, NULL, NULL);
}
