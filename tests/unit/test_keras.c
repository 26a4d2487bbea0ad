/* Weights in Keras's order: shapes, the place of every number, names, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "elaborate_fixture.h"
#include "weights/keras.h"

/* ---- helpers -------------------------------------------------------------------------------- */

static Graph *graph_of(Elaborated *e, const char *text) {
    *e = (Elaborated){0};
    elaborated_make(e, text);
    assert_int_equal(e->diagnostics.list.count, 0);
    return e->graphs.data[0];
}

static Weight *find_weight(const Graph *graph, const char *path) {
    for (size_t i = 0; i < graph->weights.count; i++)
        if (strcmp(graph->weights.data[i]->path, path) == 0)
            return graph->weights.data[i];
    fail_msg("no weight %s", path);
    return NULL;
}

#define MOST_ELEMENTS 64

/* Each number of the tensor is its place in Keras's order; another's zeros are 0. */
static void expect_order(Elaborated *e, const Graph *graph, const char *path, const int *expected) {
    Weight *weight = find_weight(graph, path);
    const KerasAxes *axes = keras_follow(&e->arena, &e->diagnostics, graph);
    assert_non_null(axes);
    float data[MOST_ELEMENTS];
    assert_true(weight->elements <= MOST_ELEMENTS);
    for (int i = 0; i < MOST_ELEMENTS; i++)
        data[i] = (float)i;
    const float *result = keras_permute(&e->arena, axes, weight, data);
    for (int64_t i = 0; i < weight->elements; i++)
        assert_int_equal((int)result[i], expected[i]);
}

static void expect_shape(const Graph *graph, const char *path, Shape expected) {
    Shape shape = keras_shape(find_weight(graph, path));
    assert_true(shape_equal(&shape, &expected));
    assert_true(keras_fits(find_weight(graph, path), &expected));
}

/* ---- kernels -------------------------------------------------------------------------------- */

static void conv_kernel(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph = graph_of(&e, "network n(x: [2, 4, 4]) {\n return x -> c: conv(3, 1x2)\n}\n");
    expect_shape(graph, "c.weight", shape_make(4, 1, 2, 2, 3));
    const int expected[] = {0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11};
    expect_order(&e, graph, "c.weight", expected);
    const int as_it_is[] = {0, 1, 2};
    expect_order(&e, graph, "c.bias", as_it_is);
    elaborated_free(&e);
}

static void grouped_kernel(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph =
        graph_of(&e, "network n(x: [4, 4]) {\n return x -> c: conv(2, 2, groups=2)\n}\n");
    expect_shape(graph, "c.weight", shape_make(3, 2, 2, 2));
    const int expected[] = {0, 4, 2, 6, 1, 5, 3, 7};
    expect_order(&e, graph, "c.weight", expected);
    elaborated_free(&e);
}

static void depthwise_kernel(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph = graph_of(
        &e, "network n(x: [3, 4, 4]) {\n return x -> d: depthwise(1x2, multiplier=2)\n}\n");
    expect_shape(graph, "d.weight", shape_make(4, 1, 2, 3, 2));
    const Shape plain = shape_make(4, 1, 2, 1, 6);
    assert_true(keras_fits(find_weight(graph, "d.weight"), &plain));
    const Shape swapped = shape_make(4, 1, 2, 2, 3);
    assert_false(keras_fits(find_weight(graph, "d.weight"), &swapped));
    const int expected[] = {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11};
    expect_order(&e, graph, "d.weight", expected);
    elaborated_free(&e);
}

static void separable_kernels(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph = graph_of(
        &e, "network n(x: [2, 4, 4]) {\n return x -> s: separable(3, 1x2, multiplier=2)\n}\n");
    expect_shape(graph, "s.depthwise.weight", shape_make(4, 1, 2, 2, 2));
    const int depthwise[] = {0, 4, 1, 5, 2, 6, 3, 7};
    expect_order(&e, graph, "s.depthwise.weight", depthwise);
    expect_shape(graph, "s.pointwise.weight", shape_make(4, 1, 1, 4, 3));
    const int pointwise[] = {0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11};
    expect_order(&e, graph, "s.pointwise.weight", pointwise);
    elaborated_free(&e);
}

/* Also of one filter, and of one channel. */
static void separable_shape(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph = graph_of(&e, "network n(x: [3, 4, 4], y: [1, 4, 4]) {\n"
                                " return (x -> s: separable(1, 3x3), y -> t: separable(2, 3x3))\n"
                                "}\n");
    expect_shape(graph, "s.depthwise.weight", shape_make(4, 3, 3, 3, 1));
    expect_shape(graph, "s.pointwise.weight", shape_make(4, 1, 1, 3, 1));
    expect_shape(graph, "t.depthwise.weight", shape_make(4, 3, 3, 1, 1));
    expect_shape(graph, "t.pointwise.weight", shape_make(4, 1, 1, 1, 2));
    elaborated_free(&e);
}

static void transposed_convolution_kernel(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph = graph_of(&e, "network n(x: [2, 4, 4]) {\n return x -> d: deconv(3, 1x2)\n}\n");
    expect_shape(graph, "d.weight", shape_make(4, 1, 2, 3, 2));
    const int expected[] = {0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11};
    expect_order(&e, graph, "d.weight", expected);
    elaborated_free(&e);
}

static void dense_kernel(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph = graph_of(&e, "network n(x: [3]) {\n return x -> f: dense(2)\n}\n");
    expect_shape(graph, "f.weight", shape_make(2, 3, 2));
    const int expected[] = {0, 2, 4, 1, 3, 5};
    expect_order(&e, graph, "f.weight", expected);
    elaborated_free(&e);
}

/* A PReLU that shares the spatial axes. */
static void shared_axes(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph = graph_of(&e, "network n(x: [3, 1, 2]) {\n return x -> p: prelu\n}\n");
    const Weight *weight = find_weight(graph, "p.weight");
    const Shape shared = shape_make(3, 1, 1, 3), swapped = shape_make(3, 3, 1, 1);
    assert_true(keras_fits(weight, &shared));
    assert_false(keras_fits(weight, &swapped));
    elaborated_free(&e);
}

/* ---- recurrent layers ----------------------------------------------------------------------- */

static void lstm_weights(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph = graph_of(&e, "network n(x: [3, 2]) {\n return x -> l: lstm(1)\n}\n");
    expect_shape(graph, "l.weight_ih_l0", shape_make(2, 2, 4));
    const int kernel[] = {0, 4, 1, 5, 2, 6, 3, 7};
    expect_order(&e, graph, "l.weight_ih_l0", kernel);
    const int bias[] = {0, 1, 2, 3}, zeros[] = {0, 0, 0, 0};
    expect_order(&e, graph, "l.bias_ih_l0", bias);
    expect_order(&e, graph, "l.bias_hh_l0", zeros);
    elaborated_free(&e);
}

/* Keras's gates are z, r, n. */
static void gru_weights(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph =
        graph_of(&e, "network n(x: [3, 1]) {\n return x -> g: gru(2, bidirectional=on)\n}\n");
    const int input[] = {2, 3, 0, 1, 4, 5};
    expect_order(&e, graph, "g.weight_ih_l0", input);
    expect_order(&e, graph, "g.bias_ih_l0_reverse", input);
    const int recurrent[] = {2, 8, 3, 9, 0, 6, 1, 7, 4, 10, 5, 11};
    expect_order(&e, graph, "g.weight_hh_l0", recurrent);
    expect_shape(graph, "g.bias_hh_l0", shape_make(2, 2, 6));
    const int second[] = {8, 9, 6, 7, 10, 11};
    expect_order(&e, graph, "g.bias_hh_l0", second);
    elaborated_free(&e);
}

/* A sequence whose axes are exchanged is the image of a Conv1D, and the other way round. */
static void sequence_and_image(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph = graph_of(&e, "network n(x: [4]) {\n"
                                " return x -> embedding(9, 2) -> transpose((1, 0)) -> conv(3, 2)\n"
                                "     -> transpose((1, 0)) -> l: lstm(1, sequence=off)\n}\n");
    const int kernel[] = {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11};
    expect_order(&e, graph, "l.weight_ih_l0", kernel);
    elaborated_free(&e);
}

/* ---- behind a flatten ----------------------------------------------------------------------- */

/* Number c * 2 + x of the vector is x * 3 + c in Keras. */
static const int flat_places[] = {0, 3, 1, 4, 2, 5};

static void dense_behind_flatten(void **state) {
    (void)state;
    static const char *const ways[] = {
        "flatten",
        "flatten -> dropout(0.5) -> relu",
        "relu -> flatten -> batchnorm -> softmax",
        "maxpool(1x1) -> reshape([6])",
        "conv(3, 1x1) -> flatten",
        "flatten -> scale -> bias",
    };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        Elaborated e;
        char text[160];
        snprintf(text, sizeof text,
                 "network n(x: [3, 1, 2]) {\n return x -> %s -> f: dense(1)\n}\n", ways[i]);
        Graph *graph = graph_of(&e, text);
        expect_order(&e, graph, "f.weight", flat_places);
        elaborated_free(&e);
    }
}

static void vector_behind_flatten(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph =
        graph_of(&e, "network n(x: [3, 1, 2]) {\n return x -> flatten -> bn: batchnorm\n}\n");
    expect_order(&e, graph, "bn.weight", flat_places);
    expect_order(&e, graph, "bn.running_var", flat_places);
    elaborated_free(&e);
}

/* Only the first of two dense layers reads the flattened image, and a bias has the order of what
 * the layer gives. */
static void order_ends_at_dense(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph = graph_of(&e, "network n(x: [3, 1, 2]) {\n"
                                " return x -> flatten -> dense(6) -> f: dense(1)\n}\n");
    const int same[] = {0, 1, 2, 3, 4, 5};
    expect_order(&e, graph, "f.weight", same);
    expect_order(&e, graph, "dense1.bias", same);
    elaborated_free(&e);
}

static void one_channel_or_one_place(void **state) {
    (void)state;
    static const char *const texts[] = {
        "network n(x: [1, 2, 3]) {\n return x -> flatten -> f: dense(1)\n}\n",
        "network n(x: [6, 1, 1]) {\n return x -> flatten -> f: dense(1)\n}\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        Elaborated e;
        Graph *graph = graph_of(&e, texts[i]);
        const int same[] = {0, 1, 2, 3, 4, 5};
        expect_order(&e, graph, "f.weight", same);
        elaborated_free(&e);
    }
}

/* ---- names ---------------------------------------------------------------------------------- */

static void names(void **state) {
    (void)state;
    Elaborated e;
    Graph *graph = graph_of(&e, "network n(x: [3]) {\n return x -> b: batchnorm\n}\n");
    assert_string_equal(keras_name(find_weight(graph, "b.weight"), 0), "kernel");
    assert_string_equal(keras_name(find_weight(graph, "b.bias"), 0), "beta");
    assert_string_equal(keras_name(find_weight(graph, "b.running_mean"), 0), "moving_mean");
    assert_string_equal(keras_name(find_weight(graph, "b.running_var"), 0), "moving_variance");
    assert_null(keras_name(find_weight(graph, "b.running_var"), 1));
    assert_true(keras_keeps_name(find_weight(graph, "b.bias")));
    elaborated_free(&e);
}

/* ---- refused -------------------------------------------------------------------------------- */

static void refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *layer;
    } cases[] = {
        {"network n(x: [3, 2, 2]) {\n f = x -> flatten\n return concat(f, f) -> dense(1)\n}\n",
         "`concat`"},
        {"network n(x: [3, 2, 2]) {\n return x -> flatten -> reshape([2, 6]) -> flatten\n}\n",
         "`reshape`"},
        {"network n(x: [8]) {\n return x -> dense(12) -> reshape([3, 2, 2]) -> conv(1, 1x1)\n}\n",
         "`reshape`"},
        {"network n(x: [3, 2]) {\n return x -> flatten -> dense(1)\n}\n", "`flatten`"},
        {"network n(x: [3, 2, 2]) {\n return x -> transpose((1, 2, 0)) -> flatten -> dense(1)\n}\n",
         "`transpose`"},
        {"network n(x: [3, 2, 2], y: [12]) {\n return (x -> flatten) + y -> dense(1)\n}\n",
         "`add`"},
        {"network n(x: [3, 2, 2]) {\n return x -> flatten -> groupnorm(2) -> dense(1)\n}\n",
         "`groupnorm`"},
        {"network n(x: [3, 2]) {\n return x -> lstm(4, layers=2)\n}\n", "`lstm`"},
        {"network n(x: [3, 2, 2]) {\n return x -> flatten -> reshape([4, 3]) -> gru(4)\n}\n",
         "`reshape`"},
        {"network n(x: [3, 2]) {\n return x -> conv(2, 1) -> lstm(4)\n}\n", "`lstm`"},
        {"network n(x: [3, 2]) {\n return x -> transpose((1, 0)) -> flatten -> dense(1)\n}\n",
         "`flatten`"},
        {"network n(x: [3, 4]) {\n return x -> attention(2)\n}\n", "`attention`"},
        {"network n(x: [3, 2, 2]) {\n return x -> layernorm(axis=(c, h, w))\n}\n", "`layernorm`"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Elaborated e;
        Graph *graph = graph_of(&e, cases[i].text);
        assert_null(keras_follow(&e.arena, &e.diagnostics, graph));
        const Diagnostic *first = e.diagnostics.list.data[0];
        assert_int_equal(first->code, DIAG_E0411);
        assert_non_null(strstr(first->message, cases[i].layer));
        elaborated_free(&e);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_kernel),
        cmocka_unit_test(grouped_kernel),
        cmocka_unit_test(depthwise_kernel),
        cmocka_unit_test(separable_kernels),
        cmocka_unit_test(separable_shape),
        cmocka_unit_test(transposed_convolution_kernel),
        cmocka_unit_test(dense_kernel),
        cmocka_unit_test(shared_axes),
        cmocka_unit_test(lstm_weights),
        cmocka_unit_test(gru_weights),
        cmocka_unit_test(sequence_and_image),
        cmocka_unit_test(dense_behind_flatten),
        cmocka_unit_test(vector_behind_flatten),
        cmocka_unit_test(order_ends_at_dense),
        cmocka_unit_test(one_channel_or_one_place),
        cmocka_unit_test(names),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
