/* The float64 reference: layers against numbers worked out by hand, and results that differ. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "layer_fixture.h"
#include "layers/lanes.h"

#define LENGTH(array) ((int64_t)(sizeof(array) / sizeof *(array)))

/* Values are those numbers, up to rounding in double; errors are small and, where the layer
 * rounds, there. */
static void assert_values(const Real *actual, const double *expected, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        double size = fabs(expected[i]) + 1;
        if (!(fabs(actual[i].value - expected[i]) <= 1e-14 * size))
            fail_msg("element %d is %.17g, not %.17g", (int)i, actual[i].value, expected[i]);
        if (!(actual[i].error >= 0 && actual[i].error <= 1e-4 * size))
            fail_msg("element %d has an error of %g", (int)i, actual[i].error);
    }
}

#define ASSERT_VALUES(actual, ...)                                                                 \
    assert_values((actual), (const double[]){__VA_ARGS__}, LENGTH(((const double[]){__VA_ARGS__})))

/* ---- convolution, dense ------------------------------------------------------------------- */

static void conv_pads_and_strides(void **state) {
    Fixture *fixture = *state;
    const float image[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    const float ones[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    Value *input = make_input(fixture, shape_make(3, 1, 4, 4), image);
    Node *conv = make_node(fixture, "conv", input, shape_make(3, 1, 2, 2));
    set_size(conv, "kernel", 3, 3);
    set_size(conv, "stride", 2, 2);
    set_padding(conv, 1);
    add_weight(fixture, conv, shape_make(4, 1, 1, 3, 3), ones);
    add_weight(fixture, conv, shape_make(1, 1), (const float[]){0.5F});
    const Real *result = run(fixture);
    ASSERT_VALUES(result, 1 + 2 + 5 + 6 + 0.5, 2 + 3 + 4 + 6 + 7 + 8 + 0.5,
                  5 + 6 + 9 + 10 + 13 + 14 + 0.5, 6 + 7 + 8 + 10 + 11 + 12 + 14 + 15 + 16 + 0.5);
    assert_true(result[0].error > 0);
}

static void conv_does_not_flip(void **state) {
    Fixture *fixture = *state;
    Value *input = make_input(fixture, shape_make(2, 1, 3), (const float[]){1, 2, 3});
    Node *conv = make_node(fixture, "conv", input, shape_make(2, 1, 2));
    set_size(conv, "kernel", 2, 1);
    add_weight(fixture, conv, shape_make(3, 1, 1, 2), (const float[]){1, 10});
    ASSERT_VALUES(run(fixture), 21, 32);
}

static void conv_dilates(void **state) {
    Fixture *fixture = *state;
    Value *input = make_input(fixture, shape_make(2, 1, 5), (const float[]){1, 2, 3, 4, 5});
    Node *conv = make_node(fixture, "conv", input, shape_make(2, 1, 2));
    set_size(conv, "kernel", 2, 1);
    set_size(conv, "dilation", 3, 1);
    add_weight(fixture, conv, shape_make(3, 1, 1, 2), (const float[]){1, 10});
    ASSERT_VALUES(run(fixture), 41, 52);
}

static void conv_rows_and_columns_differ(void **state) {
    Fixture *fixture = *state;
    const float image[] = {1, 2, 3, 4, 5, 6}; /* 2 rows of 3 */
    Value *input = make_input(fixture, shape_make(3, 1, 2, 3), image);
    Node *conv = make_node(fixture, "conv", input, shape_make(3, 1, 2, 2));
    set_size(conv, "kernel", 1, 2);
    add_weight(fixture, conv, shape_make(4, 1, 1, 1, 2), (const float[]){1, 10});
    ASSERT_VALUES(run(fixture), 21, 32, 54, 65);
}

static void conv_groups_see_their_own_channels(void **state) {
    Fixture *fixture = *state;
    Value *input = make_input(fixture, shape_make(2, 4, 1), (const float[]){1, 10, 100, 1000});
    Node *conv = make_node(fixture, "conv", input, shape_make(2, 2, 1));
    attribute_of(conv, "groups")->integer = 2;
    add_weight(fixture, conv, shape_make(3, 2, 2, 1), (const float[]){1, 2, 3, 4});
    ASSERT_VALUES(run(fixture), 21, 4300);
}

static void depthwise_multiplies_channels(void **state) {
    Fixture *fixture = *state;
    Value *input = make_input(fixture, shape_make(2, 2, 1), (const float[]){10, 100});
    Node *conv = make_node(fixture, "depthwise", input, shape_make(2, 4, 1));
    attribute_of(conv, "multiplier")->integer = 2;
    add_weight(fixture, conv, shape_make(3, 4, 1, 1), (const float[]){1, 2, 3, 4});
    ASSERT_VALUES(run(fixture), 10, 20, 300, 400);
}

static void dense_is_weight_times_input(void **state) {
    Fixture *fixture = *state;
    Value *input = make_input(fixture, shape_make(1, 3), (const float[]){1, 2, 3});
    Node *dense = make_node(fixture, "dense", input, shape_make(1, 2));
    add_weight(fixture, dense, shape_make(2, 2, 3), (const float[]){1, 10, 100, -1, 0, 1});
    add_weight(fixture, dense, shape_make(1, 2), (const float[]){0.5F, -0.5F});
    ASSERT_VALUES(run(fixture), 321.5, 1.5);
}

/* More units than lanes: each has its own, and what an infinite input makes of it. */
static void dense_keeps_units_apart(void **state) {
    enum { UNITS = 2 * LANES + 1 };
    Fixture *fixture = *state;
    Value *input = make_input(fixture, shape_make(1, 2), (const float[]){INFINITY, 3});
    Node *dense = make_node(fixture, "dense", input, shape_make(1, UNITS));
    float weights[2 * UNITS];
    for (int i = 0; i < UNITS; i++) {
        weights[2 * i] = i < LANES ? -1 : 1;
        weights[2 * i + 1] = 1;
    }
    add_weight(fixture, dense, shape_make(2, UNITS, 2), weights);
    const Real *result = run(fixture);
    for (int i = 0; i < UNITS; i++) {
        assert_true(result[i].value == (i < LANES ? -INFINITY : INFINITY));
        assert_true(result[i].error == 0);
    }
}

/* Small whole numbers, so that every sum is exact. */
static int whole(int i, int modulus) {
    return i % modulus - modulus / 2;
}

/* So much that all processors share it. */
static void conv_is_shared(void **state) {
    enum { CHANNELS = 40, FILTERS = 30, SIZE = 32, TAPS = 9 };
    Fixture *fixture = *state;
    static float image[CHANNELS * SIZE * SIZE], weights[FILTERS * CHANNELS * TAPS];
    for (int i = 0; i < LENGTH(image); i++)
        image[i] = (float)whole(i, 7);
    for (int i = 0; i < LENGTH(weights); i++)
        weights[i] = (float)whole(i, 5);
    Value *input = make_input(fixture, shape_make(3, CHANNELS, SIZE, SIZE), image);
    Node *conv = make_node(fixture, "conv", input, shape_make(3, FILTERS, SIZE, SIZE));
    set_size(conv, "kernel", 3, 3);
    set_padding(conv, 1);
    add_weight(fixture, conv, shape_make(4, FILTERS, CHANNELS, 3, 3), weights);
    const Real *result = run(fixture);
    for (int i = 0; i < FILTERS * SIZE * SIZE; i++) {
        int filter = i / (SIZE * SIZE), sum = 0;
        for (int k = 0; k < CHANNELS * TAPS; k++) {
            int y = i / SIZE % SIZE + k % TAPS / 3 - 1, x = i % SIZE + k % 3 - 1;
            if (y >= 0 && y < SIZE && x >= 0 && x < SIZE)
                sum += whole(filter * CHANNELS * TAPS + k, 5) *
                       whole((k / TAPS * SIZE + y) * SIZE + x, 7);
        }
        assert_true(result[i].value == sum);
    }
}

static void macs_count_padding_taps(void **state) {
    Fixture *fixture = *state;
    Value *input = make_input(fixture, shape_make(3, 6, 5, 7), NULL);
    Node *conv = make_node(fixture, "conv", input, shape_make(3, 8, 5, 7));
    add_weight(fixture, conv, shape_make(4, 8, 3, 3, 3), NULL);
    Node *dense = make_node(fixture, "dense", input, shape_make(1, 10));
    add_weight(fixture, dense, shape_make(2, 10, 20), NULL);
    const struct {
        const Node *node;
        int64_t macs;
    } cases[] = {{conv, 5 * 7 * 8 * 3 * 3 * 3}, {dense, 200}};
    for (int64_t i = 0; i < LENGTH(cases); i++) {
        Factors factors = {0};
        cases[i].node->layer->macs(cases[i].node, &factors);
        int64_t product = 1;
        for (int k = 0; k < factors.count; k++)
            product *= factors.factor[k];
        assert_int_equal(product, cases[i].macs);
    }
}

/* ---- pooling ------------------------------------------------------------------------------ */

/* A pooling of one row of `length` numbers. */
static Node *make_pool(Fixture *fixture, const char *layer, const float *row, int64_t length,
                       int64_t output, int64_t size, int64_t stride) {
    Value *input = make_input(fixture, shape_make(2, 1, length), row);
    Node *pool = make_node(fixture, layer, input, shape_make(2, 1, output));
    set_size(pool, "size", size, 1);
    set_size(pool, "stride", stride, 1);
    return pool;
}

static void maxpool_never_takes_padding(void **state) {
    Fixture *fixture = *state;
    Node *pool = make_pool(fixture, "maxpool", (const float[]){-3, -5}, 2, 3, 2, 1);
    set_padding(pool, 1);
    const Real *result = run(fixture);
    ASSERT_VALUES(result, -3, -3, -5);
    assert_true(result[0].error == 0);
}

static void maxpool_dilates(void **state) {
    Fixture *fixture = *state;
    Node *pool = make_pool(fixture, "maxpool", (const float[]){1, 9, 2, 3}, 4, 2, 2, 1);
    set_size(pool, "dilation", 2, 1);
    ASSERT_VALUES(run(fixture), 2, 9);
}

static void maxpool_keeps_nan(void **state) {
    Fixture *fixture = *state;
    const float row[] = {1, NAN, 2, -INFINITY, -INFINITY, INFINITY, 0, NAN};
    make_pool(fixture, "maxpool", row, 8, 4, 2, 2);
    const Real *result = run(fixture);
    assert_true(isnan(result[0].value));
    assert_true(result[1].value == 2);
    assert_true(result[2].value == (double)INFINITY);
    assert_true(isnan(result[3].value));
}

static void maxpool_in_two_dims(void **state) {
    Fixture *fixture = *state;
    const float image[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0, -1, -2, 0, -3, -4};
    Value *input = make_input(fixture, shape_make(3, 2, 3, 3), image);
    Node *pool = make_node(fixture, "maxpool", input, shape_make(3, 2, 2, 2));
    set_size(pool, "size", 2, 2);
    ASSERT_VALUES(run(fixture), 5, 6, 8, 9, 0, 0, 0, -1);
}

static void avgpool_leaves_padding_out(void **state) {
    Fixture *fixture = *state;
    Node *pool = make_pool(fixture, "avgpool", (const float[]){2, 4}, 2, 3, 2, 1);
    set_padding(pool, 1);
    ASSERT_VALUES(run(fixture), 2, 3, 4);
}

static void avgpool_counts_padding(void **state) {
    Fixture *fixture = *state;
    Node *pool = make_pool(fixture, "avgpool", (const float[]){2, 4}, 2, 3, 2, 1);
    set_padding(pool, 1);
    attribute_of(pool, "countpad")->boolean = true;
    ASSERT_VALUES(run(fixture), 1, 3, 2);
}

/* torch.nn.functional.avg_pool1d([1, 2, 3, 4], 3, 2, 1, ceil_mode=True): what lies past the padding
 * is in no divisor. */
static void avgpool_rounded_up_cuts_the_divisor(void **state) {
    Fixture *fixture = *state;
    Node *pool = make_pool(fixture, "avgpool", (const float[]){1, 2, 3, 4}, 4, 3, 3, 2);
    set_padding(pool, 1);
    attribute_of(pool, "ceil")->boolean = true;
    attribute_of(pool, "countpad")->boolean = true;
    ASSERT_VALUES(run(fixture), 1, 3, 2);
    attribute_of(pool, "countpad")->boolean = false;
    ASSERT_VALUES(run(fixture), 1.5, 3, 4);
}

static void avgpool_in_two_dims(void **state) {
    Fixture *fixture = *state;
    const float image[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    Value *input = make_input(fixture, shape_make(3, 1, 3, 3), image);
    Node *pool = make_node(fixture, "avgpool", input, shape_make(3, 1, 2, 2));
    set_size(pool, "size", 2, 2);
    set_size(pool, "stride", 2, 2);
    attribute_of(pool, "ceil")->boolean = true;
    ASSERT_VALUES(run(fixture), 3, 4.5, 7.5, 9);
}

static void avgpool_has_coefficients(void **state) {
    Fixture *fixture = *state;
    const float rows[] = {1, 3, 10, 30};
    Value *input = make_input(fixture, shape_make(2, 2, 2), rows);
    Node *pool = make_node(fixture, "avgpool", input, shape_make(2, 2, 1));
    set_size(pool, "size", 2, 1);
    attribute_of(pool, "scale")->boolean = true;
    attribute_of(pool, "bias")->boolean = true;
    add_weight(fixture, pool, shape_make(1, 2), (const float[]){2, 3});
    add_weight(fixture, pool, shape_make(1, 2), (const float[]){0.5F, -0.5F});
    ASSERT_VALUES(run(fixture), 4.5, 59.5);
}

static void maxpool_has_a_bias_alone(void **state) {
    Fixture *fixture = *state;
    Node *pool = make_pool(fixture, "maxpool", (const float[]){1, 3}, 2, 1, 2, 2);
    attribute_of(pool, "bias")->boolean = true;
    add_weight(fixture, pool, shape_make(1, 1), (const float[]){0.25F});
    ASSERT_VALUES(run(fixture), 3.25);
}

static void globalavgpool_averages_channels(void **state) {
    Fixture *fixture = *state;
    const float image[] = {1, 2, 3, 6, -1, -1, -1, -5};
    Value *input = make_input(fixture, shape_make(3, 2, 2, 2), image);
    Node *pool = make_node(fixture, "globalavgpool", input, shape_make(1, 2));
    attribute_of(pool, "scale")->boolean = true;
    add_weight(fixture, pool, shape_make(1, 2), (const float[]){10, 1});
    ASSERT_VALUES(run(fixture), 30, -2);
}

/* ---- the others --------------------------------------------------------------------------- */

static void batchnorm_uses_eps(void **state) {
    Fixture *fixture = *state;
    Value *input = make_input(fixture, shape_make(2, 2, 2), (const float[]){1, 2, 3, 4});
    Node *norm = make_node(fixture, "batchnorm", input, shape_make(2, 2, 2));
    attribute_of(norm, "eps")->number = 0.0625;
    attribute_of(norm, "affine")->boolean = true;
    add_weight(fixture, norm, shape_make(1, 2), (const float[]){2, 1});
    add_weight(fixture, norm, shape_make(1, 2), (const float[]){10, 0});
    add_weight(fixture, norm, shape_make(1, 2), (const float[]){1, 0});
    add_weight(fixture, norm, shape_make(1, 2), (const float[]){0.1875F, 15.9375F});
    ASSERT_VALUES(run(fixture), 10, 14, 0.75, 1); /* deviations 0.5 and 4 */
}

static void batchnorm_without_coefficients(void **state) {
    Fixture *fixture = *state;
    Value *input = make_input(fixture, shape_make(1, 2), (const float[]){3, 4});
    Node *norm = make_node(fixture, "batchnorm", input, shape_make(1, 2));
    add_weight(fixture, norm, shape_make(1, 2), (const float[]){1, 0});
    add_weight(fixture, norm, shape_make(1, 2), (const float[]){4, 0.25F});
    ASSERT_VALUES(run(fixture), 1, 8);
}

static void activations(void **state) {
    Fixture *fixture = *state;
    const float x[] = {-2, 0, 1, 8};
    Value *input = make_input(fixture, shape_make(1, 4), x);
    Shape shape = input->type.shape;
    make_node(fixture, "relu", input, shape);
    ASSERT_VALUES(run(fixture), 0, 0, 1, 8);
    make_node(fixture, "relu6", input, shape);
    ASSERT_VALUES(run(fixture), 0, 0, 1, 6);
    Node *leaky = make_node(fixture, "leakyrelu", input, shape);
    attribute_of(leaky, "slope")->number = 0.01;
    ASSERT_VALUES(run(fixture), -0.02, 0, 1, 8);
    make_node(fixture, "sigmoid", input, shape);
    ASSERT_VALUES(run(fixture), 0.11920292202211755, 0.5, 0.7310585786300049, 0.9996646498695336);
    make_node(fixture, "tanh", input, shape);
    ASSERT_VALUES(run(fixture), -0.9640275800758169, 0, 0.7615941559557649, 0.999999774929676);
}

static void activations_at_the_ends(void **state) {
    Fixture *fixture = *state;
    const float x[] = {-INFINITY, INFINITY, NAN, -200};
    Value *input = make_input(fixture, shape_make(1, 4), x);
    const struct {
        const char *layer;
        double low, high, far;
    } cases[] = {{"relu", 0, (double)INFINITY, 0},
                 {"relu6", 0, 6, 0},
                 {"leakyrelu", -(double)INFINITY, (double)INFINITY, -100},
                 {"sigmoid", 0, 1, 1.3838965267367376e-87},
                 {"tanh", -1, 1, -1}};
    for (int64_t i = 0; i < LENGTH(cases); i++) {
        Node *node = make_node(fixture, cases[i].layer, input, input->type.shape);
        if (node->layer->attribute_count > 0)
            attribute_of(node, "slope")->number = 0.5;
        const Real *result = run(fixture);
        assert_true(result[0].value == cases[i].low && result[1].value == cases[i].high);
        assert_true(isnan(result[2].value) && result[2].error == 0);
        assert_true(fabs(result[3].value - cases[i].far) <= 1e-14 * fabs(cases[i].far));
    }
}

static void softmax_along_an_axis(void **state) {
    Fixture *fixture = *state;
    const float ln2 = 0.6931472F, ln4 = 1.3862944F;
    const float x[] = {0, 5, ln2, 5, ln2, 5 + ln4};
    Value *input = make_input(fixture, shape_make(2, 3, 2), x);
    Node *softmax = make_node(fixture, "softmax", input, shape_make(2, 3, 2));
    const Real *result = run(fixture);
    const double expected[] = {0.2, 1 / 6.0, 0.4, 1 / 6.0, 0.4, 4 / 6.0};
    for (int i = 0; i < 6; i++)
        assert_true(fabs(result[i].value - expected[i]) < 1e-6 && result[i].error < 1e-5);
    attribute_of(softmax, "axis")->integer = 1;
    result = run(fixture);
    double second = 1 / (1 + exp(5 - (double)ln2));
    assert_true(fabs(result[2].value - second) < 1e-12);
    assert_true(fabs(result[3].value - (1 - second)) < 1e-12);
}

/* ---- reductions --------------------------------------------------------------------------- */

static void reductions_along_axes(void **state) {
    Fixture *fixture = *state;
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 9, 8, 10, 12, 11}; /* [2, 3, 2] */
    Value *input = make_input(fixture, shape_make(3, 2, 3, 2), x);
    Node *sum = make_node(fixture, "sum", input, shape_make(1, 3));
    attribute_of(sum, "axis")->axes.count = 2;
    attribute_of(sum, "axis")->axes.axis[0] = 2;
    ASSERT_VALUES(run(fixture), 1 + 2 + 7 + 9, 3 + 4 + 8 + 10, 5 + 6 + 12 + 11);
    Node *mean = make_node(fixture, "mean", input, shape_make(2, 2, 2));
    attribute_of(mean, "axis")->axes.count = 1;
    attribute_of(mean, "axis")->axes.axis[0] = 1;
    ASSERT_VALUES(run(fixture), 3, 4, 9, 10);
    Node *largest = make_node(fixture, "amax", input, shape_make(2, 2, 3));
    attribute_of(largest, "axis")->axes.count = 1;
    attribute_of(largest, "axis")->axes.axis[0] = 2;
    ASSERT_VALUES(run(fixture), 2, 4, 6, 9, 10, 12);
    make_node(fixture, "argmax", input, shape_make(2, 3, 2));
    ASSERT_VALUES(run(fixture), 1, 1, 1, 1, 1, 1);
}

/* A number that may be larger than the largest makes its place one of the possible results. */
static void argmax_of_uncertain_numbers(void **state) {
    (void)state;
    static const struct {
        Real x[4];
        double place, error;
    } cases[] = {
        {{{1, 0}, {3, 0}, {3, 0}, {2, 0}}, 1, 0},
        {{{1, 0}, {3, 0.1}, {2.95, 0}, {2, 0}}, 1, 1},
        {{{1, 0}, {3, 0}, {3, 0.1}, {2, 1.1}}, 1, 2},
        {{{1, 0}, {3, 0}, {3, 0}, {2, 1}}, 1, 0}, /* it can be as large, but stands behind */
        {{{2, 1}, {3, 0}, {3, 0}, {2, 0}}, 1, 1}, /* or before */
        {{{1, 0}, {NAN, 0}, {3, 9}, {NAN, 0}}, 1, 0},
        {{{1, 0}, {3, 0}, {0, INFINITY}, {2, 0}}, 1, 2},
        {{{-INFINITY, 0}, {-INFINITY, 0}, {-INFINITY, 0}, {-INFINITY, 0}}, 0, 0},
    };
    Value value = {.type.shape = shape_make(1, 4)}, result = {.type.shape = shape_make(1, 1)};
    Value *values[] = {&value}, *results[] = {&result};
    Attribute attributes[] = {{.kind = ATTRIBUTE_AXIS}, {.kind = ATTRIBUTE_BOOLEAN}};
    Node node = {.layer = layer_find("argmax"),
                 .inputs = values,
                 .input_count = 1,
                 .outputs = results,
                 .output_count = 1,
                 .attributes = attributes};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Real *inputs[] = {cases[i].x};
        Real output;
        Evaluation evaluation = {.node = &node, .inputs = inputs, .output = &output};
        node.layer->evaluate(&evaluation);
        assert_true(output.value == cases[i].place && output.error == cases[i].error);
    }
}

static void softmax_of_extremes(void **state) {
    Fixture *fixture = *state;
    const float x[] = {1e30F, 0, -INFINITY, 3, -INFINITY, -INFINITY, INFINITY, 0, NAN, 0};
    Value *input = make_input(fixture, shape_make(2, 5, 2), x);
    Node *softmax = make_node(fixture, "softmax", input, shape_make(2, 5, 2));
    attribute_of(softmax, "axis")->integer = 1;
    const Real *result = run(fixture);
    ASSERT_VALUES(result, 1, 0, 0, 1);
    for (int i = 4; i < 10; i++)
        assert_true(isnan(result[i].value) && result[i].error == 0);
}

static void concat_along_an_axis(void **state) {
    Fixture *fixture = *state;
    const float left[] = {1, 2, 3, 4}, right[] = {5, 6};
    Value *first = make_input(fixture, shape_make(2, 2, 2), left);
    Value *second = make_input(fixture, shape_make(2, 2, 1), right);
    Node *concat = make_node(fixture, "concat", first, shape_make(2, 2, 3));
    concat->inputs[concat->input_count++] = second;
    attribute_of(concat, "axis")->integer = 1;
    ASSERT_VALUES(run(fixture), 1, 2, 5, 3, 4, 6);
}

static void views_keep_the_order(void **state) {
    Fixture *fixture = *state;
    const char *const layers[] = {"flatten", "reshape", "dropout"};
    Value *input = make_input(fixture, shape_make(2, 2, 2), (const float[]){1, 2, 3, 4});
    for (int64_t i = 0; i < LENGTH(layers); i++) {
        make_node(fixture, layers[i], input, shape_make(1, 4));
        const Real *result = run(fixture);
        ASSERT_VALUES(result, 1, 2, 3, 4);
        assert_true(result[0].error == 0);
    }
}

static void add_sums_all_inputs(void **state) {
    Fixture *fixture = *state;
    Value *first = make_input(fixture, shape_make(1, 2), (const float[]){1, 2});
    Value *second = make_input(fixture, shape_make(1, 2), (const float[]){10, 20});
    Node *add = make_node(fixture, "add", first, shape_make(1, 2));
    add->inputs[add->input_count++] = second;
    add->inputs[add->input_count++] = second;
    ASSERT_VALUES(run(fixture), 21, 42);
}

/* ---- comparing ---------------------------------------------------------------------------- */

static void comparison_finds_the_worst(void **state) {
    (void)state;
    const Real reference[] = {{1, 0.5}, {2, 1}, {100, 50}, {4, 0}};
    const float actual[] = {1.25F, 2.75F, 110, 4};
    Comparison comparison = reference_compare(reference, actual, 4);
    assert_int_equal(comparison.worst, 1);
    assert_true(comparison.worst_ratio == 0.75);
    assert_int_equal(comparison.largest, 2);
    assert_true(comparison.largest_error == 10);
    assert_int_equal(comparison.mismatched, 0);
}

static void comparison_counts_what_is_beyond(void **state) {
    (void)state;
    const Real reference[] = {{1, 0.5}, {2, 1}, {3, 0}};
    const float actual[] = {1.75F, 2, 3.5F};
    Comparison comparison = reference_compare(reference, actual, 3);
    assert_int_equal(comparison.mismatched, 2);
    assert_int_equal(comparison.worst, 2);
    assert_true(isinf(comparison.worst_ratio));
}

static void comparison_knows_classes(void **state) {
    (void)state;
    const float values[] = {NAN, INFINITY, -INFINITY, 1};
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++) {
            Real reference = {values[i], 0};
            Comparison comparison = reference_compare(&reference, &values[k], 1);
            assert_int_equal(comparison.mismatched, i != k);
            assert_true(isinf(comparison.worst_ratio) == (i != k));
        }
}

/* Where the worst case overflows there is no bound, but the error is known all the same. */
static void comparison_tells_what_has_no_bound(void **state) {
    (void)state;
    const Real reference[] = {{-8, INFINITY}, {2, 1}};
    const float actual[] = {-8.5F, 2.25F};
    Comparison comparison = reference_compare(reference, actual, 2);
    assert_int_equal(comparison.unbounded, 1);
    assert_int_equal(comparison.mismatched, 0);
    assert_int_equal(comparison.largest, 0);
    assert_true(comparison.largest_error == 0.5 && comparison.largest_value == 8);
    assert_true(comparison.worst_ratio == 0.25);
}

static void comparison_claims_nothing_after_overflow(void **state) {
    (void)state;
    const Real reference[] = {{1e39, INFINITY}, {0, INFINITY}};
    const float actual[] = {INFINITY, NAN};
    Comparison comparison = reference_compare(reference, actual, 2);
    assert_int_equal(comparison.mismatched, 0);
    assert_true(comparison.worst_ratio == 0);
}

/* Each layer is judged by what it was given: where one is wrong, the next is not. */
static void layers_are_compared_alone(void **state) {
    Fixture *fixture = *state;
    Value *input = make_input(fixture, shape_make(1, 2), (const float[]){-1, 2});
    Node *relu = make_node(fixture, "relu", input, shape_make(1, 2));
    Node *second = make_node(fixture, "relu", relu->outputs[0], shape_make(1, 2));
    Node *last = make_node(fixture, "relu", second->outputs[0], shape_make(1, 2));
    const float *made[4] = {0};
    made[input->id] = (const float[]){-1, 2};
    made[relu->outputs[0]->id] = (const float[]){0, 2.5F}; /* wrong; the next is not kept */
    made[last->outputs[0]->id] = (const float[]){0, 2.5F};
    Comparison results[4] = {0};
    reference_compare_layers(&fixture->arena, &fixture->graph, made, NULL, results);
    assert_int_equal(results[relu->outputs[0]->id].mismatched, 1);
    assert_int_equal(results[relu->outputs[0]->id].worst, 1);
    assert_int_equal(results[last->outputs[0]->id].mismatched, 0);
    assert_true(results[last->outputs[0]->id].largest_value == 2.5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(conv_pads_and_strides),
        TEST(conv_does_not_flip),
        TEST(conv_dilates),
        TEST(conv_rows_and_columns_differ),
        TEST(conv_groups_see_their_own_channels),
        TEST(depthwise_multiplies_channels),
        TEST(dense_is_weight_times_input),
        TEST(dense_keeps_units_apart),
        TEST(conv_is_shared),
        TEST(macs_count_padding_taps),
        TEST(maxpool_never_takes_padding),
        TEST(maxpool_dilates),
        TEST(maxpool_keeps_nan),
        TEST(maxpool_in_two_dims),
        TEST(avgpool_leaves_padding_out),
        TEST(avgpool_counts_padding),
        TEST(avgpool_rounded_up_cuts_the_divisor),
        TEST(avgpool_in_two_dims),
        TEST(avgpool_has_coefficients),
        TEST(maxpool_has_a_bias_alone),
        TEST(globalavgpool_averages_channels),
        TEST(batchnorm_uses_eps),
        TEST(batchnorm_without_coefficients),
        TEST(activations),
        TEST(activations_at_the_ends),
        TEST(softmax_along_an_axis),
        TEST(softmax_of_extremes),
        TEST(reductions_along_axes),
        TEST(argmax_of_uncertain_numbers),
        TEST(concat_along_an_axis),
        TEST(views_keep_the_order),
        TEST(add_sums_all_inputs),
        TEST(comparison_finds_the_worst),
        TEST(comparison_counts_what_is_beyond),
        TEST(comparison_knows_classes),
        TEST(comparison_tells_what_has_no_bound),
        TEST(comparison_claims_nothing_after_overflow),
        TEST(layers_are_compared_alone),
    };
    return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}
