/* Receptive fields and effective strides, of networks worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "elaborate_fixture.h"
#include "graph/receptive.h"
#include "layers/layer.h"

static const Receptive *field_of(const Elaborated *e, const Receptive *fields, const char *path) {
    const Graph *graph = e->graphs.data[0];
    for (size_t i = 0; i < graph->nodes.count; i++)
        if (strcmp(graph->nodes.data[i]->path, path) == 0)
            return &fields[graph->nodes.data[i]->outputs[0]->id];
    fail_msg("no node %s", path);
    return NULL;
}

static void expect_axis(const Receptive *receptive, int axis, int64_t field, int64_t stride) {
    assert_false(receptive->everything);
    assert_true(axis < receptive->axes);
    assert_int_equal(receptive->field[axis].numerator, field);
    assert_int_equal(receptive->field[axis].denominator, 1);
    assert_int_equal(receptive->stride[axis].numerator, stride);
    assert_int_equal(receptive->stride[axis].denominator, 1);
}

/* The first layers of ResNet-18, whose fields the article cited in receptive.h lists. */
static void test_chain(void **state) {
    (void)state;
    Elaborated e = {0};
    elaborated_make(&e, "network chain(x: [3, 64, 96]) {\n"
                        "  return x -> conv(8, 7x7, stride=2, pad=3) -> batchnorm -> relu\n"
                        "    -> maxpool(3x3, stride=2, pad=1)\n"
                        "    -> conv(8, 3x3, pad=1) -> conv(8, 1x3, stride=2, dilation=4)\n"
                        "    -> softmax -> globalavgpool -> dense(4)\n"
                        "}\n");
    assert_false(diag_has_errors(&e.diagnostics));
    Receptive *fields = receptive_fields(&e.arena, e.graphs.data[0]);
    expect_axis(field_of(&e, fields, "conv1"), 0, 7, 2);
    expect_axis(field_of(&e, fields, "relu1"), 1, 7, 2);
    expect_axis(field_of(&e, fields, "maxpool1"), 0, 11, 4);
    expect_axis(field_of(&e, fields, "conv2"), 1, 19, 4);
    expect_axis(field_of(&e, fields, "conv3"), 0, 19, 8);         /* one tap */
    expect_axis(field_of(&e, fields, "conv3"), 1, 19 + 8 * 4, 8); /* reach 9 */
    expect_axis(field_of(&e, fields, "softmax1"), 0, 19, 8);
    assert_true(field_of(&e, fields, "globalavgpool1")->everything);
    assert_true(field_of(&e, fields, "dense1")->everything);
    assert_int_equal(field_of(&e, fields, "dense1")->axes, 0);
    elaborated_free(&e);
}

static void test_merges(void **state) {
    (void)state;
    Elaborated e = {0};
    elaborated_make(&e, "network merges(x: [4, 16, 16]) {\n"
                        "  narrow = x -> conv(4, 1x1)\n"
                        "  wide = x -> conv(4, 5x5, pad=2) -> conv(4, 1x3, pad=same)\n"
                        "  joined = (narrow, wide) -> concat\n"
                        "  all = wide -> softmax(axis=h)\n"
                        "  below = (x, x) -> concat(axis=h)\n"
                        "  return (joined, all + x, below)\n"
                        "}\n");
    assert_false(diag_has_errors(&e.diagnostics));
    Receptive *fields = receptive_fields(&e.arena, e.graphs.data[0]);
    expect_axis(field_of(&e, fields, "concat1"), 0, 5, 1);
    expect_axis(field_of(&e, fields, "concat1"), 1, 7, 1);
    assert_true(field_of(&e, fields, "softmax1")->everything);
    assert_true(field_of(&e, fields, "add1")->everything);
    assert_true(field_of(&e, fields, "concat2")->everything); /* places have moved */
    elaborated_free(&e);
}

/* Vectors have no places; a field that leaves 64 bits is everything. */
static void test_edges(void **state) {
    (void)state;
    Elaborated e = {0};
    elaborated_make(&e, "network edges(x: [2, 4_000_000_000_000], v: [8]) {\n"
                        "  a = x -> maxpool(2, stride=2_000_000_000)\n"
                        "    -> maxpool(2000, stride=2_000_000_000, pad=same)\n"
                        "    -> maxpool(2_000_000_000, stride=1, pad=same)\n"
                        "  return (a, v -> dense(4) -> relu)\n"
                        "}\n");
    assert_false(diag_has_errors(&e.diagnostics));
    Receptive *fields = receptive_fields(&e.arena, e.graphs.data[0]);
    expect_axis(field_of(&e, fields, "maxpool2"), 0, 2 + INT64_C(1999) * 2000000000,
                INT64_C(4000000000000000000));
    assert_true(field_of(&e, fields, "maxpool3")->everything);
    assert_int_equal(field_of(&e, fields, "relu1")->axes, 0);
    assert_false(field_of(&e, fields, "relu1")->everything);
    elaborated_free(&e);
}

/* A layer that looks between the elements of its input, as one that enlarges does. */
static bool halving_footprint(const Node *node, Footprint axes[MAX_SPATIAL]) {
    (void)node;
    axes[0] = (Footprint){2, 1, 2};
    return true;
}

static void test_enlarging(void **state) {
    (void)state;
    Elaborated e = {0};
    elaborated_make(&e, "network enlarging(x: [2, 16]) {\n"
                        "  return x -> conv(2, 3, stride=3) -> relu -> relu -> conv(2, 3)\n"
                        "}\n");
    assert_false(diag_has_errors(&e.diagnostics));
    const Graph *graph = e.graphs.data[0];
    LayerInfo halving = *graph->nodes.data[1]->layer;
    halving.footprint = halving_footprint;
    graph->nodes.data[1]->layer = graph->nodes.data[2]->layer = &halving;
    Receptive *fields = receptive_fields(&e.arena, graph);
    const Receptive *second = field_of(&e, fields, "relu2"); /* 3 + 3, then + 3 / 2 */
    assert_int_equal(second->field[0].numerator, 15);
    assert_int_equal(second->field[0].denominator, 2);
    assert_int_equal(second->stride[0].numerator, 3);
    assert_int_equal(second->stride[0].denominator, 4);
    expect_axis(field_of(&e, fields, "conv1"), 0, 3, 3);
    assert_int_equal(field_of(&e, fields, "conv2")->field[0].numerator, 9); /* + 2 * 3 / 4 */
    elaborated_free(&e);
}

/* Of the kernel's taps, an element of the result has every stride-th. */
static void test_transposed(void **state) {
    (void)state;
    Elaborated e = {0};
    elaborated_make(&e, "network transposed(x: [2, 5, 6, 7]) {\n"
                        "  return x -> deconv(2, 1x4x5, stride=1x2x3, dilation=1x1x2)\n"
                        "}\n");
    assert_false(diag_has_errors(&e.diagnostics));
    Receptive *fields = receptive_fields(&e.arena, e.graphs.data[0]);
    const Receptive *field = field_of(&e, fields, "deconv1");
    expect_axis(field, 0, 1, 1);
    assert_int_equal(field->field[1].numerator, 2);
    assert_int_equal(field->field[2].numerator, 3); /* a reach of 9 */
    assert_int_equal(field->stride[1].denominator, 2);
    assert_int_equal(field->stride[2].denominator, 3);
    elaborated_free(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),     cmocka_unit_test(test_merges),
        cmocka_unit_test(test_edges),     cmocka_unit_test(test_transposed),
        cmocka_unit_test(test_enlarging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
