/* Diagnostics in texts that are hard to show: tabs, wide and broken characters, long lines. */
#include "diag_fixture.h"

/* ---- difficult texts ---------------------------------------------------------------------- */

/* The two rows of a source line with `words` marked. */
static void assert_marked(Fixture *fixture, const char *text, const char *words, uint32_t column,
                          const char *expected) {
    const Source *source = add(fixture, "d.net", text);
    diag_report(&fixture->diagnostics, DIAG_E0101, place(source, words), "m");
    diag_sort(&fixture->diagnostics);
    diag_render_text(&fixture->diagnostics, 0, false, &fixture->out);
    const char *head = arena_format(&fixture->arena, "error[E0101]: m\n  --> d.net:1:%u\n   |\n",
                                    (unsigned)column);
    assert_memory_equal(strbuf_text(&fixture->out), head, strlen(head));
    assert_string_equal(strbuf_text(&fixture->out) + strlen(head), expected);
}

static void tabs_take_four_cells(void **state) {
    assert_marked(*state, "\ta\tb\n", "b", 4,
                  " 1 |     a    b\n"
                  "   |          ^\n");
}

static void wide_characters_take_two_cells(void **state) {
    /* two CJK characters, an emoji */
    assert_marked(*state, "\xE6\xBC\xA2\xE5\xAD\x97 \xF0\x9F\x98\x80 x\n", "\xF0\x9F\x98\x80", 4,
                  " 1 | \xE6\xBC\xA2\xE5\xAD\x97 \xF0\x9F\x98\x80 x\n"
                  "   |      ^^\n");
}

static void combining_marks_take_no_cell(void **state) {
    assert_marked(*state, "e\xCC\x81 x\n", "x", 4,
                  " 1 | e\xCC\x81 x\n"
                  "   |   ^\n");
}

static void combining_mark_alone_is_marked_on_its_base(void **state) {
    assert_marked(*state, "ae\xCC\x81 x\n", "\xCC\x81", 3,
                  " 1 | ae\xCC\x81 x\n"
                  "   |  ^\n");
}

static void control_and_bidi_characters_are_escaped(void **state) {
    assert_marked(*state, "a\x1B[31m\xE2\x80\xAE x\n", "\xE2\x80\xAE", 7,
                  " 1 | a\\u{1B}[31m\\u{202E} x\n"
                  "   |            ^^^^^^^^\n");
}

static void broken_bytes_are_escaped(void **state) {
    assert_marked(*state,
                  "a\xFF"
                  "b x\n",
                  "\xFF", 2,
                  " 1 | a\\xFFb x\n"
                  "   |  ^^^^\n");
}

static void windows_line_end_and_byte_order_mark(void **state) {
    assert_marked(*state,
                  "\xEF\xBB\xBF"
                  "ab\r\nc\r\n",
                  "b", 2,
                  " 1 | ab\n"
                  "   |  ^\n");
}

static void lone_carriage_return_ends_a_line(void **state) {
    Fixture *fixture = *state;
    const Source *source = add(fixture, "old.net", "a\rb c\rd");
    Diagnostic *error = diag_report(&fixture->diagnostics, DIAG_E0101, place(source, "b"), "m");
    diag_fix(&fixture->diagnostics, error, place(source, "c"), "x", true, "h");
    assert_rendered(fixture, 0, false,
                    "error[E0101]: m\n"
                    "  --> old.net:2:1\n"
                    "   |\n"
                    " 2 | b c\n"
                    "   | ^\n"
                    "   |\n"
                    "help: h\n"
                    "   |\n"
                    " 2 | b x\n"
                    "   |   ~\n");
}

static void span_of_several_lines_shows_the_first(void **state) {
    assert_marked(*state, "ab {\n  c\n}\n", "b {\n  c\n}", 2,
                  " 1 | ab {\n"
                  "   |  ^^^\n");
}

static void end_of_a_line_is_marked_behind_it(void **state) {
    assert_marked(*state, "ab\nc\n", "\n", 3,
                  " 1 | ab\n"
                  "   |   ^\n");
}

static void empty_file(void **state) {
    assert_marked(*state, "", "", 1,
                  " 1 |\n"
                  "   | ^\n");
}

static void names_and_messages_are_escaped(void **state) {
    Fixture *fixture = *state;
    Diagnostics *diagnostics = &fixture->diagnostics;
    const Source *source = add(fixture, "a\nb.net", "x\n");
    Diagnostic *error = diag_report(diagnostics, DIAG_E0302, place(source, "x"), "bad\n\x1B");
    diag_here(diagnostics, error, "\xE2\x80\xAE");
    diag_note(diagnostics, error, "\x07");
    assert_rendered(fixture, 0, false,
                    "error[E0302]: bad\\u{A}\\u{1B}\n"
                    "  --> a\\u{A}b.net:1:1\n"
                    "   |\n"
                    " 1 | x\n"
                    "   | ^ \\u{202E}\n"
                    "   |\n"
                    "   = note: \\u{7}\n");
}

/* ---- long lines --------------------------------------------------------------------------- */

static void long_line_is_clipped_on_both_sides(void **state) {
    Fixture *fixture = *state;
    char text[10001];
    memset(text, '.', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[5000] = '!';
    char row[201] = {0};
    memset(row, '.', 3 + 120 + 3);
    row[3 + 20] = '!';
    const char *expected = arena_format(&fixture->arena, " 1 | %s\n   | %*s^\n", row, 23, "");
    assert_marked(fixture, text, "!", 5001, expected);
}

static void long_line_is_clipped_on_the_right(void **state) {
    Fixture *fixture = *state;
    char text[301];
    memset(text, '-', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[2] = '!';
    char row[121] = {0};
    memcpy(row, text, 120);
    const char *expected = arena_format(&fixture->arena, " 1 | %s...\n   |   ^\n", row);
    assert_marked(fixture, text, "!", 3, expected);
}

static void long_line_is_clipped_on_the_left(void **state) {
    Fixture *fixture = *state;
    char text[301];
    memset(text, '-', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[299] = '!';
    char row[121] = {0};
    memcpy(row, text + 180, 120);
    const char *expected =
        arena_format(&fixture->arena, " 1 | ...%s\n   | %*s^\n", row, 3 + 119, "");
    assert_marked(fixture, text, "!", 300, expected);
}

static void span_longer_than_the_window_is_clipped(void **state) {
    Fixture *fixture = *state;
    char text[301];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    char row[121] = {0};
    memset(row, 'x', 120);
    char carets[124] = {0};
    memset(carets, '^', 123);
    const char *expected = arena_format(&fixture->arena, " 1 | %s...\n   | %s\n", row, carets);
    assert_marked(fixture, text, text, 1, expected);
}

static void wide_character_cut_by_the_edge_keeps_the_cells(void **state) {
    Fixture *fixture = *state;
    /* 203 cells; the last 120 begin at cell 83, the right half of a character */
    StrBuf text = {0};
    for (int i = 0; i < 100; i++)
        strbuf_add(&text, "\xE6\xBC\xA2");
    strbuf_add(&text, "y!z");
    StrBuf row = {0};
    strbuf_add(&row, " 1 | ... ");
    for (int i = 0; i < 58; i++)
        strbuf_add(&row, "\xE6\xBC\xA2");
    strbuf_format(&row, "y!z\n   | %*s^\n", 3 + 118, "");
    assert_marked(fixture, text.data, "!", 102, row.data);
    strbuf_free(&row);
    strbuf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(tabs_take_four_cells),
        TEST(wide_characters_take_two_cells),
        TEST(combining_marks_take_no_cell),
        TEST(combining_mark_alone_is_marked_on_its_base),
        TEST(control_and_bidi_characters_are_escaped),
        TEST(broken_bytes_are_escaped),
        TEST(windows_line_end_and_byte_order_mark),
        TEST(lone_carriage_return_ends_a_line),
        TEST(span_of_several_lines_shows_the_first),
        TEST(end_of_a_line_is_marked_behind_it),
        TEST(empty_file),
        TEST(names_and_messages_are_escaped),
        TEST(long_line_is_clipped_on_both_sides),
        TEST(long_line_is_clipped_on_the_right),
        TEST(long_line_is_clipped_on_the_left),
        TEST(span_longer_than_the_window_is_clipped),
        TEST(wide_character_cut_by_the_edge_keeps_the_cells),
    };
    return cmocka_run_group_tests_name("diag_text", tests, NULL, NULL);
}
