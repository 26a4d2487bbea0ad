/* Diagnostics as text: whole renderings beside what they were made from. */
#include "diag_fixture.h"

static const char tiny_text[] = "network tiny(x: [3, 8, 8]) -> [10] {\n"
                                "    return x\n"
                                "        -> conv(16, 3x3)\n"
                                "        -> maxpool(2x2)\n"
                                "        -> conv(32, 5x5)\n"
                                "}\n";

/* ---- one diagnostic ----------------------------------------------------------------------- */

static void single_place(void **state) {
    Fixture *fixture = *state;
    const Source *source = add(fixture, "nets/tiny.net", tiny_text);
    diag_report(&fixture->diagnostics, DIAG_E0302, place(source, "x\n"), "there is no `%s` here",
                "x");
    assert_rendered(fixture, 0, false,
                    "error[E0302]: there is no `x` here\n"
                    "  --> nets/tiny.net:2:12\n"
                    "   |\n"
                    " 2 |     return x\n"
                    "   |            ^\n");
}

static void chain_of_shapes_with_fixes(void **state) {
    Fixture *fixture = *state;
    Diagnostics *diagnostics = &fixture->diagnostics;
    const Source *source = add(fixture, "nets/tiny.net", tiny_text);
    Diagnostic *error = diag_report(diagnostics, DIAG_E0211, place(source, "5x5"),
                                    "a 5x5 kernel does not fit a 3x3 input");
    diag_here(diagnostics, error, "needs a height and width of at least 5, got 3");
    diag_label(diagnostics, error, place(source, "maxpool(2x2)"), "[16, 6, 6] -> [16, 3, 3]");
    diag_label(diagnostics, error, place(source, "conv(16, 3x3)"), "[3, 8, 8] -> [16, 6, 6]");
    diag_label(diagnostics, error, place(source, "conv(16, 3x3)"), "[3, 8, 8] -> [16, 6, 6]");
    diag_label(diagnostics, error, SPAN_NONE, "no place");
    diag_label(diagnostics, error, place(source, "[3, 8, 8]"), "starts as [3, 8, 8]");
    diag_note(diagnostics, error, "output size = floor((3 + 0 - 5) / 1) + 1 = -1");
    diag_fix(diagnostics, error, behind(source, "5x5"), ", pad=same", true,
             "pad the edges with zeros");
    diag_fix(diagnostics, error, place(source, "8, 8"), "12, 12", false,
             "or use an input of at least %s", "[3, 12, 12]");
    diag_help(diagnostics, error, "or leave the layer out");
    assert_rendered(fixture, 0, false,
                    "error[E0211]: a 5x5 kernel does not fit a 3x3 input\n"
                    "  --> nets/tiny.net:5:21\n"
                    "   |\n"
                    " 1 | network tiny(x: [3, 8, 8]) -> [10] {\n"
                    "   |                 --------- starts as [3, 8, 8]\n"
                    " 2 |     return x\n"
                    " 3 |         -> conv(16, 3x3)\n"
                    "   |            ------------- [3, 8, 8] -> [16, 6, 6]\n"
                    " 4 |         -> maxpool(2x2)\n"
                    "   |            ------------ [16, 6, 6] -> [16, 3, 3]\n"
                    " 5 |         -> conv(32, 5x5)\n"
                    "   |                     ^^^ needs a height and width of at least 5, got 3\n"
                    "   |\n"
                    "   = note: output size = floor((3 + 0 - 5) / 1) + 1 = -1\n"
                    "help: pad the edges with zeros\n"
                    "   |\n"
                    " 5 |         -> conv(32, 5x5, pad=same)\n"
                    "   |                        ++++++++++\n"
                    "help: or use an input of at least [3, 12, 12]\n"
                    "   |\n"
                    " 1 | network tiny(x: [3, 12, 12]) -> [10] {\n"
                    "   |                     ~~~~~~\n"
                    "help: or leave the layer out\n");
}

static void labels_of_one_line_are_stacked(void **state) {
    Fixture *fixture = *state;
    Diagnostics *diagnostics = &fixture->diagnostics;
    const Source *source = add(fixture, "res.net",
                               "\n\n\n\n\n\n\n\n\n"
                               "  a = conv(128, 3x3, stride=2)\n"
                               "\n\n\n"
                               "  return a + skip\n");
    Diagnostic *error =
        diag_report(diagnostics, DIAG_E0214, place(source, "a + skip"), "`+` needs equal shapes");
    diag_here(diagnostics, error, "left:  [128,  8,  8]\nright: [ 64, 16, 16]");
    diag_label(diagnostics, error, place(source, "128"), "64 channels become 128");
    diag_label(diagnostics, error, place(source, "stride=2"), "halves 16x16 to 8x8");
    diag_label(diagnostics, error, place(source, "3x3"), "the kernel,\nin two lines");
    diag_label(diagnostics, error, place(source, "skip"), "[64, 16, 16]");
    diag_label(diagnostics, error, place(source, "return"), "%s", "");
    assert_rendered(fixture, 0, false,
                    "error[E0214]: `+` needs equal shapes\n"
                    "  --> res.net:14:10\n"
                    "   |\n"
                    "10 |   a = conv(128, 3x3, stride=2)\n"
                    "   |            ---  ---  -------- halves 16x16 to 8x8\n"
                    "   |            |    |\n"
                    "   |            |    the kernel,\n"
                    "   |            |    in two lines\n"
                    "   |            64 channels become 128\n"
                    "...\n"
                    "14 |   return a + skip\n"
                    "   |   ------ ^^^^---- [64, 16, 16]\n"
                    "   |          |\n"
                    "   |          left:  [128,  8,  8]\n"
                    "   |          right: [ 64, 16, 16]\n");
}

static void label_beside_of_several_lines(void **state) {
    Fixture *fixture = *state;
    Diagnostics *diagnostics = &fixture->diagnostics;
    const Source *source = add(fixture, "a.net", "one two\n");
    Diagnostic *error =
        diag_report(diagnostics, DIAG_W0305, place(source, "two"), "`two` is never used");
    diag_here(diagnostics, error, "left\nright");
    diag_label(diagnostics, error, place(source, "one"), "hangs");
    diag_note(diagnostics, error, "first\nsecond");
    assert_rendered(fixture, 0, false,
                    "warning[W0305]: `two` is never used\n"
                    "  --> a.net:1:5\n"
                    "   |\n"
                    " 1 | one two\n"
                    "   | --- ^^^ left\n"
                    "   | |       right\n"
                    "   | |\n"
                    "   | hangs\n"
                    "   |\n"
                    "   = note: first\n"
                    "           second\n");
}

static void without_a_place(void **state) {
    Fixture *fixture = *state;
    Diagnostics *diagnostics = &fixture->diagnostics;
    Diagnostic *error = diag_report(diagnostics, DIAG_E0701, SPAN_NONE,
                                    "cannot read `%s`: No such file or directory", "a.net");
    diag_note(diagnostics, error, "looked in the current folder");
    diag_help(diagnostics, error, "name another file");
    assert_rendered(fixture, 0, false,
                    "error[E0701]: cannot read `a.net`: No such file or directory\n"
                    "   = note: looked in the current folder\n"
                    "help: name another file\n");
    assert_int_equal(diag_exit_status(diagnostics), 3);
}

static void several_files(void **state) {
    Fixture *fixture = *state;
    Diagnostics *diagnostics = &fixture->diagnostics;
    const Source *blocks = add(fixture, "blocks.net", "\nblock basic(x) {}\n");
    const Source *source = add(fixture, "main.net", "use \"blocks.net\"\nx -> basic(1, 2)\n");
    Diagnostic *error =
        diag_report(diagnostics, DIAG_E0204, place(source, "2"), "one argument too many");
    diag_label(diagnostics, error, place(blocks, "basic"), "takes one");
    diag_fix(diagnostics, error, behind(blocks, "(x"), ", y", false, "take another");
    assert_rendered(fixture, 0, false,
                    "error[E0204]: one argument too many\n"
                    "  --> main.net:2:15\n"
                    "   |\n"
                    " 2 | x -> basic(1, 2)\n"
                    "   |               ^\n"
                    "  ::: blocks.net:2:7\n"
                    "   |\n"
                    " 2 | block basic(x) {}\n"
                    "   |       ----- takes one\n"
                    "   |\n"
                    "help: take another\n"
                    "  --> blocks.net:2:14\n"
                    "   |\n"
                    " 2 | block basic(x, y) {}\n"
                    "   |              +++\n");
}

/* ---- fixes -------------------------------------------------------------------------------- */

/* The rendering of a fix alone, behind the header and the primary place. */
static void assert_fix(Fixture *fixture, const char *text, uint32_t from, uint32_t to,
                       const char *replacement, const char *expected) {
    const Source *source = add(fixture, "f.net", text);
    Span span = {source->base + from, source->base + to};
    Diagnostic *error = diag_report(&fixture->diagnostics, DIAG_E0217, SPAN_NONE, "m");
    diag_fix(&fixture->diagnostics, error, span, replacement, true, "h");
    diag_sort(&fixture->diagnostics);
    diag_render_text(&fixture->diagnostics, 0, false, &fixture->out);
    const char *head = "error[E0217]: m\nhelp: h\n  --> f.net:";
    assert_memory_equal(strbuf_text(&fixture->out), head, strlen(head));
    assert_string_equal(strchr(strbuf_text(&fixture->out) + strlen(head), '\n') + 1, expected);
}

static void fix_adds_a_line_before(void **state) {
    assert_fix(*state, "x\n  -> dense(10)\n", 2, 2, "  -> flatten\n",
               "   |\n"
               " 2 +   -> flatten\n"
               "   |\n");
}

static void fix_adds_a_line_behind(void **state) {
    assert_fix(*state, "x\r\n  -> dense(10)\r\n", 1, 1, "\n  -> flatten",
               "   |\n"
               " 2 +   -> flatten\n"
               "   |\n");
}

static void fix_deletes_a_line(void **state) {
    assert_fix(*state, "a\nb\nc\n", 2, 4, "",
               "   |\n"
               " 2 - b\n"
               "   |\n");
}

static void fix_deletes_words(void **state) {
    assert_fix(*state, "conv(3, bias=off)\n", 6, 16, "",
               "   |\n"
               " 1 - conv(3, bias=off)\n"
               " 1 + conv(3)\n"
               "   |\n");
}

static void fix_splits_a_line(void **state) {
    assert_fix(*state, "a b\n", 1, 2, "\n\n",
               "   |\n"
               " 1 - a b\n"
               " 1 + a\n"
               " 2 +\n"
               " 3 + b\n"
               "   |\n");
}

static void fix_puts_words_in_front(void **state) {
    assert_fix(*state, "pool(2x2)\n", 0, 4, "maxpool",
               "   |\n"
               " 1 | maxpool(2x2)\n"
               "   | +++\n");
}

static void fix_at_the_end_of_the_file(void **state) {
    assert_fix(*state, "a {", 3, 3, " }",
               "   |\n"
               " 1 | a { }\n"
               "   |    ++\n");
}

/* ---- several diagnostics ------------------------------------------------------------------ */

static void sorted_by_place_and_stable(void **state) {
    Fixture *fixture = *state;
    Diagnostics *diagnostics = &fixture->diagnostics;
    const Source *source = add(fixture, "a.net", "a\nb\n");
    diag_report(diagnostics, DIAG_E0302, place(source, "b"), "second");
    diag_report(diagnostics, DIAG_W0305, place(source, "a"), "first");
    diag_report(diagnostics, DIAG_E0302, place(source, "b"), "third");
    diag_report(diagnostics, DIAG_E0408, SPAN_NONE, "before all");
    assert_rendered(fixture, 0, false,
                    "error[E0408]: before all\n"
                    "\n"
                    "warning[W0305]: first\n"
                    "  --> a.net:1:1\n"
                    "   |\n"
                    " 1 | a\n"
                    "   | ^\n"
                    "\n"
                    "error[E0302]: second\n"
                    "  --> a.net:2:1\n"
                    "   |\n"
                    " 2 | b\n"
                    "   | ^\n"
                    "\n"
                    "error[E0302]: third\n"
                    "  --> a.net:2:1\n"
                    "   |\n"
                    " 2 | b\n"
                    "   | ^\n");
}

static void error_limit_says_how_many_are_hidden(void **state) {
    Fixture *fixture = *state;
    for (int i = 1; i <= 5; i++)
        diag_report(&fixture->diagnostics, DIAG_E0408, SPAN_NONE, "number %d", i);
    diag_report(&fixture->diagnostics, DIAG_W0406, SPAN_NONE, "a warning");
    assert_rendered(fixture, 2, false,
                    "error[E0408]: number 1\n"
                    "\n"
                    "error[E0408]: number 2\n"
                    "\n"
                    "warning[W0406]: a warning\n"
                    "\n"
                    "error: 3 more errors not shown (use --error-limit=0)\n");
}

static void one_hidden_warning(void **state) {
    Fixture *fixture = *state;
    diag_report(&fixture->diagnostics, DIAG_W0406, SPAN_NONE, "one");
    diag_report(&fixture->diagnostics, DIAG_W0406, SPAN_NONE, "two");
    assert_rendered(fixture, 1, false,
                    "warning[W0406]: one\n"
                    "\n"
                    "warning: 1 more warning not shown (use --error-limit=0)\n");
}

static void nothing_reported_renders_nothing(void **state) {
    assert_rendered(*state, 20, true, "");
}

static void colours_only_when_asked(void **state) {
    Fixture *fixture = *state;
    const Source *source = add(fixture, "a.net", "a\n");
    diag_report(&fixture->diagnostics, DIAG_E0302, place(source, "a"), "m");
    assert_rendered(fixture, 0, true,
                    "\033[1;31merror[\033[0m\033[1;31mE0302\033[0m\033[1;31m]\033[0m"
                    "\033[1m: \033[0m\033[1mm\033[0m\n"
                    "  \033[1;34m-->\033[0m a.net:1:1\n"
                    "\033[1;34m   |\033[0m\n"
                    "\033[1;34m 1 \033[0m\033[1;34m|\033[0m a\n"
                    "\033[1;34m   |\033[0m \033[1;31m^\033[0m\n");
}

static void wide_line_numbers_widen_the_gutter(void **state) {
    Fixture *fixture = *state;
    StrBuf text = {0};
    strbuf_fill(&text, '\n', 999);
    strbuf_add(&text, "x");
    const Source *source = add(fixture, "a.net", text.data);
    strbuf_free(&text);
    diag_report(&fixture->diagnostics, DIAG_E0302, place(source, "x"), "m");
    assert_rendered(fixture, 0, false,
                    "error[E0302]: m\n"
                    "    --> a.net:1000:1\n"
                    "     |\n"
                    "1000 | x\n"
                    "     | ^\n");
}

static void exit_status_goes_by_the_worst(void **state) {
    Diagnostics *diagnostics = &((Fixture *)*state)->diagnostics;
    assert_int_equal(diag_exit_status(diagnostics), 0);
    diag_report(diagnostics, DIAG_W0305, SPAN_NONE, "w");
    assert_int_equal(diag_exit_status(diagnostics), 0);
    assert_false(diag_has_errors(diagnostics));
    diag_report(diagnostics, DIAG_E0302, SPAN_NONE, "e");
    assert_int_equal(diag_exit_status(diagnostics), 1);
    assert_true(diag_has_errors(diagnostics));
    diag_report(diagnostics, DIAG_E0702, SPAN_NONE, "o");
    assert_int_equal(diag_exit_status(diagnostics), 3);
    assert_int_equal(diagnostics->error_count, 2);
    assert_int_equal(diagnostics->warning_count, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(single_place),
        TEST(chain_of_shapes_with_fixes),
        TEST(labels_of_one_line_are_stacked),
        TEST(label_beside_of_several_lines),
        TEST(without_a_place),
        TEST(several_files),
        TEST(fix_adds_a_line_before),
        TEST(fix_adds_a_line_behind),
        TEST(fix_deletes_a_line),
        TEST(fix_deletes_words),
        TEST(fix_splits_a_line),
        TEST(fix_puts_words_in_front),
        TEST(fix_at_the_end_of_the_file),
        TEST(sorted_by_place_and_stable),
        TEST(error_limit_says_how_many_are_hidden),
        TEST(one_hidden_warning),
        TEST(nothing_reported_renders_nothing),
        TEST(colours_only_when_asked),
        TEST(wide_line_numbers_widen_the_gutter),
        TEST(exit_status_goes_by_the_worst),
    };
    return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
