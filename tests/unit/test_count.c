/* Counts and their formulas, of networks worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "elaborate_fixture.h"

static const Node *find_node(const Elaborated *e, const char *path) {
    const Graph *graph = e->graphs.data[0];
    for (size_t i = 0; i < graph->nodes.count; i++)
        if (strcmp(graph->nodes.data[i]->path, path) == 0)
            return graph->nodes.data[i];
    fail_msg("no node %s", path);
    return NULL;
}

static void expect_text(const Node *node, void (*formula)(const Node *, StrBuf *),
                        const char *expected) {
    StrBuf text = {0};
    formula(node, &text);
    assert_string_equal(strbuf_text(&text), expected);
    strbuf_free(&text);
}

static void expect_formulas(const Elaborated *e, const char *path, const char *parameters,
                            const char *macs) {
    const Node *node = find_node(e, path);
    expect_text(node, count_parameter_formula, parameters);
    expect_text(node, count_mac_formula, macs);
}

/* The network that the project grew from; every number by hand. */
static void test_question(void **state) {
    (void)state;
    Elaborated e = {0};
    elaborated_make(&e, "network question(image: [1, 100, 100]) -> [1] {\n"
                        "  return image -> conv(60, 7x7) -> relu -> conv(100, 5x5) -> relu\n"
                        "    -> maxpool(2x2) -> flatten -> dense(250) -> relu -> dense(200)\n"
                        "    -> relu -> dense(1) -> sigmoid\n"
                        "}\n");
    assert_false(diag_has_errors(&e.diagnostics));
    assert_int_equal(e.count.trainable, 50828751);
    assert_int_equal(e.count.frozen, 0);
    assert_int_equal(e.count.weight_bytes, 4 * INT64_C(50828751));
    /* 94*94*60*49 + 90*90*100*1500 + 202500*250 + 250*200 + 200 */
    assert_int_equal(e.count.macs, 25977840 + 1215000000 + 50625000 + 50000 + 200);
    expect_formulas(&e, "conv1", "60 * (1 * 7 * 7) + 60 = 3_000",
                    "(94 * 94) * 60 * (1 * 7 * 7) = 25_977_840");
    expect_formulas(&e, "conv2", "100 * (60 * 5 * 5) + 100 = 150_100",
                    "(90 * 90) * 100 * (60 * 5 * 5) = 1_215_000_000");
    expect_formulas(&e, "dense1", "250 * 202_500 + 250 = 50_625_250", "250 * 202_500 = 50_625_000");
    expect_formulas(&e, "relu1", "", "");
    elaborated_free(&e);
}

static void test_frozen(void **state) {
    (void)state;
    Elaborated e = {0};
    elaborated_make(&e, "network frozen(x: [3, 20]) {\n"
                        "  return x -> conv(8, 5, bias=off) -> batchnorm -> add(x -> conv(8, 5))\n"
                        "}\n");
    assert_false(diag_has_errors(&e.diagnostics));
    assert_int_equal(e.count.trainable, 120 + 16 + 128);
    assert_int_equal(e.count.frozen, 16);
    assert_int_equal(e.count.macs, 2 * 16 * 120);
    assert_int_equal(e.count.weight_bytes, 4 * 280);
    const Node *norm = find_node(&e, "batchnorm1");
    assert_int_equal(e.count.nodes[norm->id].trainable, 16);
    assert_int_equal(e.count.nodes[norm->id].frozen, 16);
    assert_int_equal(e.count.nodes[norm->id].macs, 0);
    expect_formulas(&e, "batchnorm1", "8 + 8 + 8 + 8 = 32", "");
    expect_formulas(&e, "conv1", "8 * (3 * 5) = 120", "16 * 8 * (3 * 5) = 1_920");
    elaborated_free(&e);
}

static void expect_arithmetic(const Elaborated *e, const char *path, const char *operations,
                              const char *flops) {
    const Node *node = find_node(e, path);
    expect_text(node, count_operation_formula, operations);
    expect_text(node, count_flop_formula, flops);
}

/* Everything beside the multiply-accumulates, by hand. */
static void test_operations(void **state) {
    (void)state;
    Elaborated e = {0};
    elaborated_make(&e, "network operations(x: [3, 8, 9]) {\n"
                        "  a = x -> conv(4, 3x3) -> batchnorm -> relu\n"
                        "  b = x -> conv(4, 3x3, bias=off)\n"
                        "  return add(a, b, a) -> maxpool(2x3, stride=1x2, scale=on, bias=on)\n"
                        "    -> avgpool(2x2, stride=1, pad=1) -> dropout -> softmax\n"
                        "    -> globalavgpool -> dense(10) -> flatten\n"
                        "}\n");
    assert_false(diag_has_errors(&e.diagnostics));
    expect_arithmetic(&e, "conv1", "4 * 6 * 7 = 168",
                      "2 * ((6 * 7) * 4 * (3 * 3 * 3)) + 4 * 6 * 7 = 9_240");
    expect_arithmetic(&e, "conv2", "", "2 * ((6 * 7) * 4 * (3 * 3 * 3)) = 9_072");
    expect_arithmetic(&e, "batchnorm1", "(4 * 6 * 7) * 2 = 336", "(4 * 6 * 7) * 2 = 336");
    expect_arithmetic(&e, "relu1", "4 * 6 * 7 = 168", "4 * 6 * 7 = 168");
    expect_arithmetic(&e, "add1", "(4 * 6 * 7) * 2 = 336", "(4 * 6 * 7) * 2 = 336");
    const char *maxpool = "(4 * 5 * 3) * (2 * 3) + 4 * 5 * 3 + 4 * 5 * 3 = 480";
    expect_arithmetic(&e, "maxpool1", maxpool, maxpool);
    const char *avgpool = "(4 * 6 * 4) * (2 * 2) + 4 * 6 * 4 = 480";
    expect_arithmetic(&e, "avgpool1", avgpool, avgpool);
    expect_arithmetic(&e, "dropout1", "", "");
    expect_arithmetic(&e, "softmax1", "(4 * 6 * 4) * 5 = 480", "(4 * 6 * 4) * 5 = 480");
    expect_arithmetic(&e, "globalavgpool1", "4 * (6 * 4) + 4 = 100", "4 * (6 * 4) + 4 = 100");
    expect_arithmetic(&e, "dense1", "10", "2 * (10 * 4) + 10 = 90");
    expect_arithmetic(&e, "flatten1", "", "");
    const int64_t operations = 168 + 336 + 168 + 336 + 480 + 480 + 480 + 100 + 10;
    assert_int_equal(e.count.operations, operations);
    assert_int_equal(e.count.flops, 2 * e.count.macs + operations);
    elaborated_free(&e);
}

/* One number is no formula. */
static void test_single_number(void **state) {
    (void)state;
    Weight weight = {.shape = shape_make(1, 1500), .elements = 1500};
    Weight *weights[] = {&weight};
    Node node = {0};
    weight.owner = &node;
    node.weights.data = weights;
    node.weights.count = 1;
    StrBuf text = {0};
    count_parameter_formula(&node, &text);
    assert_string_equal(strbuf_text(&text), "1_500");
    strbuf_free(&text);
}

/* Each layer fits, their sum does not: a diagnostic at the layer where it leaves 64 bits. */
static void test_overflow(void **state) {
    (void)state;
    Elaborated e = {0};
    elaborated_make(&e, "network large(x: [1_000_000_000]) {\n"
                        "  return x -> dense(1_000_000_000) -> dense(1_000_000_000)\n"
                        "    -> dense(1_000_000_000)\n"
                        "}\n");
    assert_int_equal(e.diagnostics.error_count, 1);
    assert_int_equal(e.diagnostics.list.data[0]->code, DIAG_E0802);
    assert_non_null(strstr(e.diagnostics.list.data[0]->message, "`dense3`"));
    elaborated_free(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_question),   cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_operations), cmocka_unit_test(test_single_number),
        cmocka_unit_test(test_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
