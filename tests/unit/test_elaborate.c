/* Elaboration as a whole: one message for one mistake, fixes that hold what they promise, and work
 * that grows no faster than the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "elaborate_fixture.h"

/* ---- fixes -------------------------------------------------------------------------------- */

/* A network with one mistake that has a fix to be applied as it is. */
typedef struct Faulty {
    DiagCode code;
    const char *body; /* of a network of image: [3, 12, 12] and line: [3, 12] */
} Faulty;

static const Faulty faulty[] = {
    {DIAG_E0201, "return image -> conv(8, (3, 5))"},
    {DIAG_E0201, "return image -> conv(8, 3x3x3)"},
    {DIAG_E0201, "return line -> conv(8, 3x3)"},
    {DIAG_E0201, "return image -> conv(8, 3, bias=True)"},
    {DIAG_E0201, "return image -> conv(8, 3, bias=0)"},
    {DIAG_E0201, "return image -> conv(8, 3, pad=valid)"},
    {DIAG_E0201, "return image -> conv(8, 3, pad=\"same\")"},
    {DIAG_E0201, "return image -> reshape(12x36)"},
    {DIAG_E0203, "return image -> conv(8, 3x3, strid=2)"},
    {DIAG_E0203, "return image -> conv(8, kernel_size=3)"},
    {DIAG_E0203, "return image -> conv(out_channels=8, kernel=3)"},
    {DIAG_E0203, "return image -> conv(8, 3, padding=same)"},
    {DIAG_E0203, "return image -> maxpool(kernel_size=2)"},
    {DIAG_E0203, "return line -> flatten -> dense(out_features=10)"},
    {DIAG_E0203, "return line -> leakyrelu(negative_slope=0.1)"},
    {DIAG_E0203, "return line -> softmax(dim=-1)"},
    {DIAG_E0206, "let x = image -> relu; return x"},
    {DIAG_E0206, "n = 3; return line -> [n, 12]"},
    {DIAG_E0211, "return image -> maxpool(6x6) -> conv(8, 3x3)"},
    {DIAG_E0301, "return image -> MaxPooling2D(2)"},
    {DIAG_E0301, "return image -> max_pool2d(2)"},
    {DIAG_E0301, "return image -> Conv2D(8, 3)"},
    {DIAG_E0301, "return image -> ReLU"},
    {DIAG_E0301, "return image -> Flatten -> dense(3)"},
    {DIAG_E0301, "return image -> flatten -> fc(3)"},
    {DIAG_E0301, "return image -> flatten -> Linear(3)"},
    {DIAG_E0301, "return image -> gap"},
    {DIAG_E0301, "return image -> BatchNorm2d"},
    {DIAG_E0301, "return image -> batchnrom"},
    {DIAG_E0301, "return (image, image) -> concatenate"},
    {DIAG_E0302, "return imgae -> relu"},
    {DIAG_E0302, "return image -> conv(8, 3, pad=sane)"},
    {DIAG_E0302, "assert parms > 0; return image -> flatten -> dense(3)"},
    {DIAG_E0302, "assert params.trainble > 0; return image -> flatten -> dense(3)"},
};

static char *faulty_text(Arena *arena, const Faulty *f) {
    return arena_format(arena, "network faulty(image: [3, 12, 12], line: [3, 12]) {\n  %s\n}\n",
                        f->body);
}

static const DiagFix *applicable_fix(const Diagnostics *diagnostics) {
    for (size_t i = 0; i < diagnostics->list.count; i++) {
        const Diagnostic *diagnostic = diagnostics->list.data[i];
        for (size_t k = 0; k < diagnostic->fixes.count; k++)
            if (diagnostic->fixes.data[k].applicable && diagnostic->fixes.data[k].replacement)
                return &diagnostic->fixes.data[k];
    }
    return NULL;
}

static char *apply(Arena *arena, const char *text, const Source *source, const DiagFix *fix) {
    int begin = (int)(fix->span.begin - source->base);
    int end = (int)(fix->span.end - source->base);
    return arena_format(arena, "%.*s%s%s", begin, text, fix->replacement, text + end);
}

static void test_fixes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++) {
        Arena arena = {0};
        Elaborated before = {0};
        Elaborated after = {0};
        const char *text = faulty_text(&arena, &faulty[i]);
        elaborated_make(&before, text);
        if (before.diagnostics.error_count != 1)
            fail_msg("%zu errors: %s", before.diagnostics.error_count, faulty[i].body);
        assert_int_equal(before.diagnostics.list.data[0]->code, faulty[i].code);
        const DiagFix *fix = applicable_fix(&before.diagnostics);
        if (!fix)
            fail_msg("no fix: %s", faulty[i].body);
        const char *fixed = apply(&arena, text, before.source, fix);
        elaborated_make(&after, fixed);
        if (after.diagnostics.error_count != 0)
            fail_msg("%s: %s", after.diagnostics.list.data[0]->message, fixed);
        elaborated_free(&after);
        elaborated_free(&before);
        arena_free(&arena);
    }
}

/* ---- one mistake, one message ------------------------------------------------------------- */

/* After each of these comes much that would be wrong too if the mistake were passed on. */
static const Faulty causes[] = {
    {DIAG_E0201, "x = image -> conv(1.5, 3)"},
    {DIAG_E0202, "x = image -> conv(8)"},
    {DIAG_E0203, "x = image -> conv(8, k=3)"},
    {DIAG_E0204, "x = image -> relu(1)"},
    {DIAG_E0205, "x = image -> conv(0, 3)"},
    {DIAG_E0206, "x = image + on"},
    {DIAG_E0206, "x = 3"},
    {DIAG_E0207, "let w = 1 / 0; x = image -> conv(w, w)"},
    {DIAG_E0210, "x = image -> [3, 12, 13]"},
    {DIAG_E0211, "x = image -> conv(8, 13)"},
    {DIAG_E0213, "x = image -> add"},
    {DIAG_E0214, "x = image + line"},
    {DIAG_E0218, "x = image -> softmax(3)"},
    {DIAG_E0301, "x = image -> unheard_of"},
    {DIAG_E0302, "x = nowhere -> relu"},
    {DIAG_E0302, "x = image -> conv(nowhere, 3)"},
    {DIAG_E0802, "x = image -> reshape([9_223_372_036_854_775_807])"},
};

static void test_no_cascades(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        Arena arena = {0};
        Elaborated e = {0};
        elaborated_make(&e, arena_format(&arena,
                                         "network cause(image: [3, 12, 12], line: [3, 12])"
                                         " -> (a: [7], b: [3, 12]) {\n"
                                         "  %s\n"
                                         "  y = x + image -> conv(8, 99x99) -> dense(7)\n"
                                         "  (p, q) = (x, y) -> concat(axis=2) -> flatten -> relu\n"
                                         "  z = (x, p, q) -> concat -> softmax(axis=w) -> [5]\n"
                                         "  assert params == 3\n"
                                         "  return x -> depthwise(50) -> tanh\n"
                                         "}\n",
                                         causes[i].body));
        /* `[5]` is what is known of z, no more is made of it */
        if (e.diagnostics.error_count != 1)
            fail_msg("%zu errors: %s", e.diagnostics.error_count, causes[i].body);
        assert_int_equal(e.diagnostics.list.data[0]->code, causes[i].code);
        elaborated_free(&e);
        arena_free(&arena);
    }
}

/* ---- sizes -------------------------------------------------------------------------------- */

static void test_many_nodes(void **state) {
    (void)state;
    enum { LAYERS = 100000 };
    StrBuf text = {0};
    strbuf_add(&text, "network many(x: [4]) {\n  y0 = x\n");
    for (int i = 0; i < LAYERS; i++)
        strbuf_format(&text, "  y%d = y%d -> %s\n", i + 1, i, i % 2 ? "relu" : "dense(4)");
    strbuf_format(&text, "  return y%d -> tanh -> tanh\n}\n", LAYERS);
    Elaborated e = {0};
    elaborated_make(&e, strbuf_text(&text));
    assert_int_equal(e.diagnostics.error_count, 0);
    const Graph *graph = e.graphs.data[0];
    assert_int_equal(graph->nodes.count, LAYERS + 2);
    assert_string_equal(graph->nodes.data[LAYERS - 1]->path, "relu50000");
    assert_int_equal(e.count.trainable, LAYERS / 2 * 20);
    elaborated_free(&e);
    strbuf_free(&text);
}

/* A mistake in each of many lines: messages about long chains and many names stay bounded. */
static void test_many_mistakes(void **state) {
    (void)state;
    enum { LINES = 20000 };
    StrBuf text = {0};
    strbuf_add(&text, "network many(x: [4, 8, 8]) {\n  y = x");
    for (int i = 0; i < LINES; i++)
        strbuf_add(&text, " -> relu");
    for (int i = 0; i < LINES; i++)
        strbuf_format(&text, "\n  a%d = y -> conv(4, 9x9)\n  b%d = zz%d -> relu", i, i, i);
    strbuf_add(&text, "\n  return x\n}\n");
    Elaborated e = {0};
    elaborated_make(&e, strbuf_text(&text));
    assert_int_equal(e.diagnostics.error_count, 2 * LINES);
    elaborated_free(&e);
    strbuf_free(&text);
}

/* ---- the graph ---------------------------------------------------------------------------- */

static void test_values(void **state) {
    (void)state;
    Elaborated e = {0};
    elaborated_make(&e, "network values(image: [1, 4, 4]) -> (a: [3], [16]) {\n"
                        "  flat = image -> flatten\n"
                        "  alias = flat\n"
                        "  weights \"w.npz\"\n"
                        "  return (alias -> fc: dense(3), flat)\n"
                        "}\n");
    assert_int_equal(e.diagnostics.error_count, 0);
    const Graph *graph = e.graphs.data[0];
    assert_string_equal(graph->name, "values");
    assert_string_equal(graph->weights_path, "w.npz");
    assert_int_equal(graph->values.count, 3);
    assert_string_equal(graph->values.data[0]->name, "image");
    assert_null(graph->values.data[0]->producer);
    assert_string_equal(graph->values.data[1]->name, "flat");
    assert_string_equal(graph->values.data[2]->name, "fc");
    assert_int_equal(graph->weights.count, 2);
    assert_string_equal(graph->weights.data[0]->path, "fc.weight");
    assert_string_equal(graph->weights.data[1]->path, "fc.bias");
    assert_ptr_equal(graph->weights.data[1]->owner, graph->nodes.data[1]);
    assert_int_equal(graph->outputs.count, 2);
    assert_ptr_equal(graph->outputs.data[0], graph->values.data[2]);
    assert_ptr_equal(graph->outputs.data[1], graph->values.data[1]);
    assert_string_equal(graph->output_names.data[0], "a");
    assert_string_equal(graph->output_names.data[1], "output1");
    elaborated_free(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixes),      cmocka_unit_test(test_no_cascades),
        cmocka_unit_test(test_many_nodes), cmocka_unit_test(test_many_mistakes),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
