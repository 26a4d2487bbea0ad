/* Places in source texts: lines, columns, several files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/source.h"

typedef struct Fixture {
    Arena arena;
    SourceMap map;
} Fixture;

static int begin(void **state) {
    Fixture *fixture = calloc(1, sizeof *fixture);
    fixture->map.arena = &fixture->arena;
    *state = fixture;
    return 0;
}

static int end(void **state) {
    Fixture *fixture = *state;
    arena_free(&fixture->arena);
    free(fixture);
    return 0;
}

static Source *add(Fixture *fixture, const char *text) {
    return source_add(&fixture->map, "a.net", text, strlen(text));
}

static void assert_place(Fixture *fixture, const Source *source, uint32_t offset, uint32_t line,
                         uint32_t column) {
    uint32_t at = source->base + offset;
    Location location = source_locate(&fixture->map, (Span){at, at});
    assert_ptr_equal(location.source, source);
    assert_int_equal(location.line, line);
    assert_int_equal(location.column, column);
}

static void assert_line(const Source *source, uint32_t line, const char *expected) {
    size_t length;
    const char *text = source_line(source, line, &length);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(text, expected, length);
}

static void lines_and_columns(void **state) {
    Fixture *fixture = *state;
    const Source *source = add(fixture, "let a = 1\n\n  b\n");
    assert_int_equal(source->line_count, 4);
    assert_place(fixture, source, 0, 1, 1);
    assert_place(fixture, source, 4, 1, 5);
    assert_place(fixture, source, 9, 1, 10); /* the newline itself */
    assert_place(fixture, source, 10, 2, 1);
    assert_place(fixture, source, 13, 3, 3);
    assert_place(fixture, source, 15, 4, 1); /* the end of the file */
    assert_line(source, 1, "let a = 1");
    assert_line(source, 2, "");
    assert_line(source, 3, "  b");
    assert_line(source, 4, "");
}

static void columns_count_scalar_values(void **state) {
    Fixture *fixture = *state;
    /* e, combining acute, CJK, emoji, a broken byte, x */
    const Source *source = add(fixture, "e\xCC\x81\xE6\xBC\xA2\xF0\x9F\x98\x80\xFFx");
    assert_place(fixture, source, 1, 1, 2);
    assert_place(fixture, source, 3, 1, 3);
    assert_place(fixture, source, 6, 1, 4);
    assert_place(fixture, source, 8, 1, 4); /* inside the emoji */
    assert_place(fixture, source, 10, 1, 5);
    assert_place(fixture, source, 11, 1, 6);
}

static void every_line_end_counts_once(void **state) {
    Fixture *fixture = *state;
    const Source *source = add(fixture, "a\r\nb\rc\n\r\n\n\rd\r");
    assert_int_equal(source->line_count, 8);
    assert_line(source, 1, "a");
    assert_line(source, 2, "b");
    assert_line(source, 3, "c");
    assert_line(source, 4, "");
    assert_line(source, 5, "");
    assert_line(source, 6, "");
    assert_line(source, 7, "d");
    assert_line(source, 8, "");
    assert_place(fixture, source, 2, 1, 3); /* between CR and LF */
    assert_place(fixture, source, 3, 2, 1);
    assert_place(fixture, source, 5, 3, 1);
    assert_place(fixture, source, 11, 7, 1);
    assert_place(fixture, source, 13, 8, 1);
}

static void byte_order_mark_is_skipped(void **state) {
    Fixture *fixture = *state;
    const Source *source = add(fixture, "\xEF\xBB\xBFnet");
    assert_int_equal(source->length, 3);
    assert_string_equal(source->text, "net");
    assert_place(fixture, source, 0, 1, 1);
}

static void empty_text_has_one_line(void **state) {
    Fixture *fixture = *state;
    const Source *source = add(fixture, "");
    assert_int_equal(source->line_count, 1);
    assert_line(source, 1, "");
    assert_place(fixture, source, 0, 1, 1);
}

static void zero_bytes_are_kept(void **state) {
    Fixture *fixture = *state;
    const Source *source = source_add(&fixture->map, "z", "a\0b\nc", 5);
    assert_int_equal(source->length, 5);
    assert_int_equal(source->line_count, 2);
    assert_place(fixture, source, 4, 2, 1);
}

static void spans_say_which_file(void **state) {
    Fixture *fixture = *state;
    const Source *first = add(fixture, "one");
    const Source *empty = add(fixture, "");
    const Source *last = add(fixture, "last");
    assert_int_equal(first->base, 1);
    assert_null(source_of(&fixture->map, SPAN_NONE));
    assert_ptr_equal(source_of(&fixture->map, (Span){first->base, first->base + 1}), first);
    assert_ptr_equal(source_of(&fixture->map, (Span){first->base + 3, first->base + 3}), first);
    assert_ptr_equal(source_of(&fixture->map, (Span){empty->base, empty->base}), empty);
    assert_ptr_equal(source_of(&fixture->map, (Span){last->base + 4, last->base + 4}), last);
}

static void address_space_ends(void **state) {
    Fixture *fixture = *state;
    add(fixture, "one");
    fixture->map.next_base = UINT32_MAX - 3;
    assert_null(source_add(&fixture->map, "b", "abc", 3));
    assert_non_null(source_add(&fixture->map, "b", "ab", 2));
    assert_null(source_add(&fixture->map, "c", "", 0));
}

static void spans_join(void **state) {
    (void)state;
    Span joined = span_join((Span){5, 7}, (Span){2, 3});
    assert_int_equal(joined.begin, 2);
    assert_int_equal(joined.end, 7);
    joined = span_join(SPAN_NONE, (Span){2, 3});
    assert_int_equal(joined.begin, 2);
    joined = span_join((Span){2, 3}, SPAN_NONE);
    assert_int_equal(joined.end, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_and_columns, begin, end),
        cmocka_unit_test_setup_teardown(columns_count_scalar_values, begin, end),
        cmocka_unit_test_setup_teardown(every_line_end_counts_once, begin, end),
        cmocka_unit_test_setup_teardown(byte_order_mark_is_skipped, begin, end),
        cmocka_unit_test_setup_teardown(empty_text_has_one_line, begin, end),
        cmocka_unit_test_setup_teardown(zero_bytes_are_kept, begin, end),
        cmocka_unit_test_setup_teardown(spans_say_which_file, begin, end),
        cmocka_unit_test_setup_teardown(address_space_ends, begin, end),
        cmocka_unit_test_setup_teardown(spans_join, begin, end),
    };
    return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
