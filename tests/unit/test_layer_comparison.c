/* What `netc run --compare-layers` says of the layers it compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "driver/layer_comparison.h"

static void says_which_layer_is_wrong(void **state) {
    (void)state;
    Arena arena = {0};
    SourceMap sources = {.arena = &arena};
    Diagnostics diagnostics = {.arena = &arena, .sources = &sources};
    const Value conv = {.name = "conv1", .type.shape = shape_make(2, 3, 4)};
    LayerComparison comparison = {.results = 2, .worst = &conv, .worst_element = 6};
    layer_comparison_report(&comparison, &diagnostics);
    assert_int_equal(diagnostics.error_count, 0);

    comparison.wrong = &conv;
    comparison.mismatched = 5;
    layer_comparison_report(&comparison, &diagnostics);
    assert_int_equal(diagnostics.error_count, 1);
    assert_int_equal(diagnostics.list.data[0]->code, DIAG_E0603);
    assert_non_null(strstr(diagnostics.list.data[0]->message, "the first in `conv1`"));
    arena_free(&arena);
}

static void says_where_the_error_is(void **state) {
    (void)state;
    const Value conv = {.name = "conv1", .type.shape = shape_make(2, 3, 4)};
    LayerComparison comparison = {
        .results = 2, .worst = &conv, .worst_ratio = 0.25, .worst_element = 6, .worst_sample = 7};
    StrBuf text = {0};
    layer_comparison_print(&comparison, true, &text);
    assert_string_equal(
        strbuf_text(&text),
        "2 results of layers, each beside the reference of those before it: at most "
        "0.25 of the bound, at conv1[1, 2] of sample 7\n");
    strbuf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_which_layer_is_wrong),
        cmocka_unit_test(says_where_the_error_is),
    };
    return cmocka_run_group_tests_name("layer_comparison", tests, NULL, NULL);
}
