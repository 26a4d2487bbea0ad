/* Which inputs of a network are tokens, and how many there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "elaborate_fixture.h"
#include "graph/vocabulary.h"

static void expect_vocabularies(const char *text, const int64_t *expected) {
    Elaborated e = {0};
    elaborated_make(&e, text);
    assert_int_equal(e.diagnostics.list.count, 0);
    const Graph *graph = e.graphs.data[0];
    const int64_t *vocabularies = graph_vocabularies(&e.arena, graph);
    for (size_t i = 0; i < graph->inputs.count; i++)
        assert_int_equal(vocabularies[graph->inputs.data[i]->id], expected[i]);
    elaborated_free(&e);
}

static void test_read_directly(void **state) {
    (void)state;
    expect_vocabularies(
        "network n(words: [8], x: [8, 4], bytes: u8[8]) {\n"
        "    return (words -> embedding(1000, 4)) + x + (bytes -> embedding(9, 4))\n"
        "}\n",
        (const int64_t[]){1000, 0, 9});
}

static void test_moved(void **state) {
    (void)state;
    expect_vocabularies("network n(a: [2, 6], b: [12]) {\n"
                        "    (first, second) = a -> split(2)\n"
                        "    joined = concat(first -> flatten, second -> flatten -> dropout, b)\n"
                        "    return joined -> slice(3, 9) -> reshape([2, 3]) -> transpose((1, 0))\n"
                        "        -> embedding(20, 3)\n"
                        "}\n",
                        (const int64_t[]){20, 20});
}

/* The fewest of several tables; what is computed of tokens is none. */
static void test_several(void **state) {
    (void)state;
    expect_vocabularies(
        "network n(a: [5], b: [5]) {\n"
        "    few = (a -> embedding(30, 4)) + (a -> embedding(7, 4))\n"
        "    return few + (a -> embedding(50, 4)) + (b -> relu -> embedding(8, 4))\n"
        "}\n",
        (const int64_t[]){7, 0});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_directly),
        cmocka_unit_test(test_moved),
        cmocka_unit_test(test_several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
