/* The float64 reference of elementwise layers against numbers of torch.nn.functional in double, and
 * what it claims of numbers at the ends. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "layer_fixture.h"

#define LENGTH(array) ((int64_t)(sizeof(array) / sizeof *(array)))

static void assert_near(const Real *actual, const double *expected, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        double size = fabs(expected[i]) + 1;
        if (!(fabs(actual[i].value - expected[i]) <= 1e-7 * size))
            fail_msg("element %d is %.17g, not %.17g", (int)i, actual[i].value, expected[i]);
        if (!(actual[i].error >= 0 && actual[i].error <= 1e-5 * size))
            fail_msg("element %d has an error of %g", (int)i, actual[i].error);
    }
}

/* ---- activations --------------------------------------------------------------------------- */

static void activations(void **state) {
    Fixture *fixture = *state;
    const float x[] = {-20, -2.5F, -0.5F, 0, 0.75F, 4};
    Value *input = make_input(fixture, shape_make(1, 6), x);
    const struct {
        const char *layer;
        double y[6];
    } cases[] = {
        {"abs", {20, 2.5, 0.5, 0, 0.75, 4}},
        {"hardsigmoid", {0, 0.08333333333333333, 0.4166666666666667, 0.5, 0.625, 1}},
        {"softsign", {-0.9523809523809523, -0.7142857142857143, -1 / 3.0, 0, 3 / 7.0, 0.8}},
        {"softplus",
         {2.061153620314381e-09, 0.07888973429254963, 0.4740769841801067, 0.6931471805599453,
          1.1368710061148999, 4.0181499279178094}},
        {"selu",
         {-1.758099337223664, -1.6137857588732425, -0.6917581878028713, 0, 0.7880257405166103,
          4.202803949421922}},
        {"exp",
         {2.061153622438558e-09, 0.0820849986238988, 0.6065306597126334, 1, 2.117000016612675,
          54.598150033144236}},
        {"silu",
         {-4.122307236380407e-08, -0.18964545005310887, -0.1887703343990727, 0, 0.5093840243815447,
          3.928055160151634}},
        {"mish",
         {-4.122307240628762e-08, -0.19681620390653337, -0.22074377465173, 0, 0.6100183352182934,
          3.9974128069762385}},
        {"gelu",
         {-0.0, -0.015524163314440398, -0.15426876936299344, 0, 0.5800294857173489,
          3.9998733150326675}},
        {"hardswish", {-0.0, -0.20833333333333334, -0.20833333333333334, 0, 0.46875, 4}},
    };
    for (int64_t i = 0; i < LENGTH(cases); i++) {
        make_node(fixture, cases[i].layer, input, input->type.shape);
        assert_near(run(fixture), cases[i].y, 6);
    }
}

static void activations_with_arguments(void **state) {
    Fixture *fixture = *state;
    const float x[] = {-20, -2.5F, -0.5F, 0, 0.75F, 4};
    Value *input = make_input(fixture, shape_make(1, 6), x);
    Node *gelu = make_node(fixture, "gelu", input, input->type.shape);
    attribute_of(gelu, "approximate")->boolean = true;
    const double by_tanh[] = {-0.0, -0.015084266089998577, -0.15428599017485606,
                              0,    0.5799605551656203,    3.9999297540518075};
    assert_near(run(fixture), by_tanh, 6);
    Node *elu = make_node(fixture, "elu", input, input->type.shape);
    attribute_of(elu, "alpha")->number = 0.5;
    const double half[] = {
        -0.4999999989694232, -0.45895750068805063, -0.1967346701436833, 0, 0.75, 4};
    assert_near(run(fixture), half, 6);
    Node *clip = make_node(fixture, "clip", input, input->type.shape);
    attribute_of(clip, "min")->number = -1;
    attribute_of(clip, "max")->number = 0.5;
    const double clipped[] = {-1, -1, -0.5, 0, 0.5, 0.5};
    assert_near(run(fixture), clipped, 6);
}

static void prelu_has_a_slope_for_each_channel(void **state) {
    Fixture *fixture = *state;
    const float x[] = {-2, 3, -4, -0.5F};
    Value *input = make_input(fixture, shape_make(2, 2, 2), x);
    Node *each = make_node(fixture, "prelu", input, input->type.shape);
    add_weight(fixture, each, shape_make(1, 2), (const float[]){0.5F, -2});
    assert_near(run(fixture), (const double[]){-1, 3, 8, 1}, 4);
    Node *shared = make_node(fixture, "prelu", input, input->type.shape);
    add_weight(fixture, shared, shape_make(1, 1), (const float[]){0.25F});
    assert_near(run(fixture), (const double[]){-0.5, 3, -1, -0.125}, 4);
}

static void log_softmax_of_three(void **state) {
    Fixture *fixture = *state;
    Value *input = make_input(fixture, shape_make(1, 3), (const float[]){1, 2, 4});
    make_node(fixture, "logsoftmax", input, input->type.shape);
    const double y[] = {-3.1698460195562856, -2.1698460195562856, -0.16984601955628567};
    assert_near(run(fixture), y, 3);
}

/* -Inf, +Inf, NaN: as torch has it, but for gelu(+Inf), where it says NaN. */
static void activations_at_the_ends(void **state) {
    Fixture *fixture = *state;
    const double inf = (double)INFINITY, nan = (double)NAN;
    Value *input = make_input(fixture, shape_make(1, 3), (const float[]){-INFINITY, INFINITY, NAN});
    const struct {
        const char *layer;
        double low, high;
    } cases[] = {
        {"abs", inf, inf},
        {"hardsigmoid", 0, 1},
        {"softsign", nan, nan},
        {"softplus", 0, inf},
        {"exp", 0, inf},
        {"silu", nan, inf},
        {"mish", nan, inf},
        {"gelu", nan, inf},
        {"hardswish", nan, inf},
        {"sqrt", nan, inf},
        {"selu", -1.75809932, inf},
    };
    for (int64_t i = 0; i < LENGTH(cases); i++) {
        make_node(fixture, cases[i].layer, input, input->type.shape);
        const Real *y = run(fixture);
        const double expected[] = {cases[i].low, cases[i].high, nan};
        for (int k = 0; k < 3; k++) {
            bool same = isnan(expected[k])   ? isnan(y[k].value)
                        : isinf(expected[k]) ? y[k].value == expected[k]
                                             : fabs(y[k].value - expected[k]) < 1e-6;
            if (!same || !(y[k].error < 1e-5))
                fail_msg("%s of special %d is %g within %g", cases[i].layer, k, y[k].value,
                         y[k].error);
        }
    }
}

/* ---- merging ------------------------------------------------------------------------------- */

static Node *make_pair(Fixture *fixture, const char *layer, Value *a, Value *b) {
    Node *node = make_node(fixture, layer, a, a->type.shape);
    node->inputs[node->input_count++] = b;
    return node;
}

static void two_inputs(void **state) {
    Fixture *fixture = *state;
    Shape shape = shape_make(1, 4);
    Value *a = make_input(fixture, shape, (const float[]){3, -2, 0.5F, 8});
    Value *b = make_input(fixture, shape, (const float[]){2, 4, -1, 0.5F});
    const struct {
        const char *layer;
        double y[4];
    } cases[] = {{"sub", {1, -6, 1.5, 7.5}},
                 {"mul", {6, -8, -0.5, 4}},
                 {"div", {1.5, -0.5, -0.5, 16}},
                 {"min", {2, -2, -1, 0.5}},
                 {"max", {3, 4, 0.5, 8}}};
    for (int64_t i = 0; i < LENGTH(cases); i++) {
        make_pair(fixture, cases[i].layer, a, b);
        assert_near(run(fixture), cases[i].y, 4);
    }
    attribute_of(make_pair(fixture, "sub", a, b), "reversed")->boolean = true;
    assert_near(run(fixture), (const double[]){-1, 6, -1.5, -7.5}, 4);
}

static void an_input_and_a_number(void **state) {
    Fixture *fixture = *state;
    Value *x = make_input(fixture, shape_make(1, 3), (const float[]){3, -2, 0.5F});
    const struct {
        const char *layer;
        bool reversed;
        double y[3];
    } cases[] = {{"add", false, {7, 2, 4.5}},         {"sub", false, {-1, -6, -3.5}},
                 {"sub", true, {1, 6, 3.5}},          {"mul", false, {12, -8, 2}},
                 {"div", false, {0.75, -0.5, 0.125}}, {"div", true, {4 / 3.0, -2, 8}},
                 {"min", false, {3, -2, 0.5}},        {"max", false, {4, 4, 4}}};
    for (int64_t i = 0; i < LENGTH(cases); i++) {
        Node *node = make_node(fixture, cases[i].layer, x, x->type.shape);
        *attribute_of(node, "number") =
            (Attribute){.kind = ATTRIBUTE_NUMBER, .given = true, .number = 4};
        if (cases[i].reversed)
            attribute_of(node, "reversed")->boolean = true;
        assert_near(run(fixture), cases[i].y, 3);
    }
}

static void numbers_by_channel(void **state) {
    Fixture *fixture = *state;
    Value *x = make_input(fixture, shape_make(2, 2, 2), (const float[]){1, 2, 3, 4});
    Value *y = make_input(fixture, shape_make(2, 2, 1), (const float[]){10, -1});
    make_pair(fixture, "scale", x, y);
    assert_near(run(fixture), (const double[]){10, 20, -3, -4}, 4);
    make_pair(fixture, "bias", x, y);
    assert_near(run(fixture), (const double[]){11, 12, 2, 3}, 4);
    Node *scale = make_node(fixture, "scale", x, x->type.shape);
    add_weight(fixture, scale, shape_make(1, 2), (const float[]){0.5F, 2});
    assert_near(run(fixture), (const double[]){0.5, 1, 6, 8}, 4);
    Node *bias = make_node(fixture, "bias", x, x->type.shape);
    add_weight(fixture, bias, shape_make(1, 2), (const float[]){0.5F, -2});
    assert_near(run(fixture), (const double[]){1.5, 2.5, 1, 2}, 4);
}

static void extremes_keep_nan(void **state) {
    Fixture *fixture = *state;
    const float inf = INFINITY;
    Value *a = make_input(fixture, shape_make(1, 3), (const float[]){NAN, 1, -inf});
    Value *b = make_input(fixture, shape_make(1, 3), (const float[]){1, NAN, inf});
    for (int i = 0; i < 2; i++) {
        make_pair(fixture, i == 0 ? "min" : "max", a, b);
        const Real *y = run(fixture);
        assert_true(isnan(y[0].value) && isnan(y[1].value));
        assert_true(y[2].value == (double)(i == 0 ? -inf : inf));
        assert_true(y[0].error == 0 && y[1].error == 0 && y[2].error == 0);
    }
}

/* ---- arithmetic of bounds ------------------------------------------------------------------ */

static void assert_claims_nothing(Real x) {
    assert_true(x.error == (double)INFINITY);
}

static void products_bound_their_errors(void **state) {
    (void)state;
    Real a = {3, 0x1p-10}, b = {-5, 0x1p-12};
    Real product = real_product(a, b);
    assert_true(product.value == -15);
    assert_true(product.error >= 5 * 0x1p-10 + 3 * 0x1p-12 + 0x1p-22);
    assert_true(product.error <= 1.01 * (5 * 0x1p-10 + 3 * 0x1p-12) + 2e-6);
    const Real infinite = {(double)INFINITY, 0}, near_zero = {0x1p-30, 0x1p-20}, zero = {0, 0};
    assert_claims_nothing(real_product(infinite, near_zero));
    assert_claims_nothing(real_product(near_zero, infinite));
    assert_true(isnan(real_product(infinite, zero).value));
    assert_true(real_product(infinite, zero).error == 0);
    assert_true(real_product(infinite, b).value == -(double)INFINITY);
    assert_true(real_product(infinite, b).error == 0);
    assert_claims_nothing(real_product((Real){FLT_MAX, 0}, (Real){2, 0}));
    assert_claims_nothing(real_product((Real){1, (double)INFINITY}, b));
}

static void quotients_bound_their_errors(void **state) {
    (void)state;
    Real a = {3, 0x1p-10}, b = {-5, 0x1p-12};
    Real quotient = real_quotient(a, b);
    for (int k = 0; k < 4; k++) { /* the corners */
        double x = (k & 1 ? 3 + 0x1p-10 : 3 - 0x1p-10) / (k & 2 ? -5 - 0x1p-12 : -5 + 0x1p-12);
        assert_true(fabs(x - quotient.value) <= quotient.error);
    }
    assert_true(quotient.error <= 0x1p-11);
    const Real infinite = {(double)INFINITY, 0}, zero = {0, 0}, nan = {(double)NAN, 0};
    assert_claims_nothing(real_quotient(a, zero));
    assert_claims_nothing(real_quotient(a, (Real){0x1p-30, 0x1p-20}));
    assert_true(real_quotient(a, infinite).value == 0 && real_quotient(a, infinite).error == 0);
    assert_true(isnan(real_quotient(infinite, infinite).value));
    assert_true(isnan(real_quotient(nan, b).value) && real_quotient(nan, b).error == 0);
    assert_claims_nothing(real_quotient((Real){FLT_MAX, 0}, (Real){0.5, 0}));
}

/* An f32 input at either end of what its error allows stays within the bound of the result. */
static void inexact_inputs_stay_within_the_bound(void **state) {
    Fixture *fixture = *state;
    const char *const layers[] = {"hardsigmoid", "softsign", "softplus", "selu", "exp",      "abs",
                                  "sqrt",        "silu",     "mish",     "gelu", "hardswish"};
    const Evaluation empty = {0};
    Shape one = shape_make(1, 1);
    for (int64_t i = 0; i < LENGTH(layers); i++) {
        Node *node = make_node(fixture, layers[i], make_value(fixture, one), one);
        for (double x = -12; x < 12; x += 0.0625) {
            const double error = 0x1p-6;
            Real given = {x, error}, bound, ends[2];
            const Real *input = &given;
            Evaluation evaluation = empty;
            evaluation.node = node;
            evaluation.inputs = &input;
            evaluation.output = &bound;
            node->layer->evaluate(&evaluation);
            for (int k = 0; k < 2; k++) {
                Real end = {k == 0 ? x - error : x + error, 0};
                input = &end;
                evaluation.output = &ends[k];
                node->layer->evaluate(&evaluation);
                double difference = fabs(ends[k].value - bound.value);
                bool unknown = bound.error == (double)INFINITY || isnan(bound.value);
                if (!unknown && !(difference <= bound.error))
                    fail_msg("%s at %g: %g off, bound %g", layers[i], x, difference, bound.error);
            }
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(activations),
        TEST(activations_with_arguments),
        TEST(prelu_has_a_slope_for_each_channel),
        TEST(log_softmax_of_three),
        TEST(activations_at_the_ends),
        TEST(two_inputs),
        TEST(an_input_and_a_number),
        TEST(numbers_by_channel),
        TEST(extremes_keep_nan),
        TEST(products_bound_their_errors),
        TEST(quotients_bound_their_errors),
        TEST(inexact_inputs_stay_within_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
