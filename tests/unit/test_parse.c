/* The syntax stage: trees beside the text they come from, errors by code and place, and what is
 * hard to write into a file: limits, long inputs, exact counts of errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "syntax/parse.h"

/* One text that was parsed. */
typedef struct Parsed {
    Arena arena;
    SourceMap sources;
    Intern intern;
    Diagnostics diagnostics;
    const Source *source;
    File *file;
} Parsed;

static void parse_bytes(Parsed *parsed, const char *text, size_t length) {
    *parsed = (Parsed){0};
    parsed->sources.arena = &parsed->arena;
    parsed->intern.arena = &parsed->arena;
    parsed->diagnostics.arena = &parsed->arena;
    parsed->diagnostics.sources = &parsed->sources;
    parsed->source = source_add(&parsed->sources, "test.net", text, length);
    assert_non_null(parsed->source);
    parsed->file =
        parse_file(&parsed->arena, &parsed->intern, &parsed->diagnostics, parsed->source);
    assert_non_null(parsed->file);
}

static void parse(Parsed *parsed, const char *text) {
    parse_bytes(parsed, text, strlen(text));
}

static void release(Parsed *parsed) {
    arena_free(&parsed->arena);
}

/* The first error, for a test that expected none. */
static void assert_no_errors(const Parsed *parsed) {
    if (parsed->diagnostics.list.count > 0)
        fail_msg("unexpected: %s", parsed->diagnostics.list.data[0]->message);
}

static void expect_tree(const char *text, const char *tree) {
    Parsed parsed;
    parse(&parsed, text);
    assert_no_errors(&parsed);
    StrBuf out = {0};
    ast_print(parsed.file, &out);
    assert_string_equal(strbuf_text(&out), tree);
    strbuf_free(&out);
    release(&parsed);
}

/* `expected` lists the errors in the order of their report: "E0104@2:5 E0108@3:1". */
static void expect_errors(const char *text, const char *expected) {
    Parsed parsed;
    parse(&parsed, text);
    StrBuf out = {0};
    for (size_t i = 0; i < parsed.diagnostics.list.count; i++) {
        const Diagnostic *diagnostic = parsed.diagnostics.list.data[i];
        Location place = source_locate(&parsed.sources, diagnostic->span);
        strbuf_format(&out, "%s%s@%u:%u", i == 0 ? "" : " ", diag_code_name(diagnostic->code),
                      (unsigned)place.line, (unsigned)place.column);
    }
    assert_string_equal(strbuf_text(&out), expected);
    strbuf_free(&out);
    release(&parsed);
}

static const Expr *only_value(const Parsed *parsed) {
    assert_int_equal(parsed->file->items.count, 1);
    assert_int_equal(parsed->file->items.data[0].kind, ITEM_LET);
    return parsed->file->items.data[0].value;
}

/* --- Numbers -------------------------------------------------------------------------------- */

static void expect_number(const char *number, ExprKind kind, int64_t integer, double value) {
    char text[200];
    snprintf(text, sizeof text, "let a = %s", number);
    Parsed parsed;
    parse(&parsed, text);
    assert_no_errors(&parsed);
    const Expr *expr = only_value(&parsed);
    assert_int_equal(expr->kind, kind);
    if (kind == EXPR_INTEGER)
        assert_true(expr->integer == integer);
    else
        assert_true(expr->number == value);
    release(&parsed);
}

static void test_integers(void **state) {
    (void)state;
    expect_number("0", EXPR_INTEGER, 0, 0);
    expect_number("007", EXPR_INTEGER, 7, 0);
    expect_number("50_828_751", EXPR_INTEGER, 50828751, 0);
    expect_number("9223372036854775807", EXPR_INTEGER, INT64_MAX, 0);
    expect_number("60k", EXPR_INTEGER, 60000, 0);
    expect_number("3M", EXPR_INTEGER, 3000000, 0);
    expect_number("2G", EXPR_INTEGER, 2000000000, 0);
    expect_number("256KiB", EXPR_INTEGER, 262144, 0);
    expect_number("8MiB", EXPR_INTEGER, 8388608, 0);
    expect_number("8GiB", EXPR_INTEGER, 8589934592, 0);
    expect_number("9223372036G", EXPR_INTEGER, 9223372036000000000, 0);
}

/* A unit makes an integer of a fraction where that is exact. */
static void test_fractions_with_units(void **state) {
    (void)state;
    expect_number("1.9G", EXPR_INTEGER, 1900000000, 0);
    expect_number("0.000000001G", EXPR_INTEGER, 1, 0);
    expect_number("1.50k", EXPR_INTEGER, 1500, 0);
    expect_number("1.0_0k", EXPR_INTEGER, 1000, 0);
    expect_number("0.5KiB", EXPR_INTEGER, 512, 0);
    expect_number("1.5MiB", EXPR_INTEGER, 1572864, 0);
    expect_number("0.0009765625KiB", EXPR_INTEGER, 1, 0);
    expect_number("9.223372036854775807G", EXPR_FLOAT, 0, 9.223372036854775807e9);
    expect_number("1.2345k", EXPR_FLOAT, 0, 1234.5);
    expect_number("0.1KiB", EXPR_FLOAT, 0, 0.1 * 1024);
    expect_number("0.0000000000000000000001k", EXPR_FLOAT, 0, 1e-19);
    expect_number("99999999999999999999.5k", EXPR_FLOAT, 0, 99999999999999999999.5e3);
}

static void test_floats(void **state) {
    (void)state;
    expect_number("1.0", EXPR_FLOAT, 0, 1.0);
    expect_number("0.1", EXPR_FLOAT, 0, 0.1);
    expect_number("1e-5", EXPR_FLOAT, 0, 1e-5);
    expect_number("1E+5", EXPR_FLOAT, 0, 1e5);
    expect_number("1_0.2_5e1", EXPR_FLOAT, 0, 102.5);
    expect_number("1.7976931348623157e308", EXPR_FLOAT, 0, 1.7976931348623157e308);
    expect_number("1e-999", EXPR_FLOAT, 0, 0.0);
}

static void test_numbers_that_are_none(void **state) {
    (void)state;
    expect_errors("let a = 9223372036854775808", "E0802@1:9");
    expect_errors("let a = 9223372037G", "E0802@1:9");
    expect_errors("let a = 1e309", "E0802@1:9");
    expect_errors("let a = 3x3x", "E0103@1:9");
    expect_errors("let a = 1__0", "E0103@1:9");
    expect_errors("let a = 1e5k", "E0103@1:9");
    expect_errors("let a = 0x1F", "E0103@1:9");
    expect_errors("let a = 5.", "E0104@1:10");
}

/* A number that is no number still binds its name, and the message has all of it. */
static void test_overflow_message(void **state) {
    (void)state;
    Parsed parsed;
    parse(&parsed, "let a = 1000000000000000000000000000000");
    assert_int_equal(parsed.diagnostics.error_count, 1);
    assert_string_equal(parsed.diagnostics.list.data[0]->message,
                        "the number 1000000000000000000000000000000 does not fit 64 bits");
    assert_int_equal(only_value(&parsed)->kind, EXPR_ERROR);
    release(&parsed);
}

/* --- Texts ---------------------------------------------------------------------------------- */

static void test_escapes(void **state) {
    (void)state;
    Parsed parsed;
    parse(&parsed, "let a = \"\\\"\\\\\\n\\t\\u{41}\\u{e9}\\u{20AC}\\u{1F600}\"");
    assert_no_errors(&parsed);
    assert_string_equal(only_value(&parsed)->string,
                        "\"\\\n\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    release(&parsed);
}

static void test_escapes_that_are_none(void **state) {
    (void)state;
    expect_errors("let a = \"\\u{0}\"", "E0107@1:10");
    expect_errors("let a = \"x\\u{110000}\"", "E0107@1:11");
    expect_errors("let a = \"\\u{dfff}\"", "E0107@1:10");
    expect_errors("let a = \"\\u{}\"", "E0107@1:10");
    expect_errors("let a = \"\\u{41\"", "E0107@1:10");
    expect_errors("let a = \"\\u{000000041}\"", "E0107@1:10");
    expect_errors("let a = \"\\u41\"", "E0107@1:10");
    expect_errors("let a = \"\\\xc3\xa9\"", "E0107@1:10");
    expect_errors("let a = \"\\\nlet b = 3", "E0102@1:9");
}

static void test_names_are_interned(void **state) {
    (void)state;
    Parsed parsed;
    parse(&parsed, "let a = \"same\"\nlet same = 3");
    assert_ptr_equal(parsed.file->items.data[0].value->string,
                     parsed.file->items.data[1].name.text);
    release(&parsed);
}

/* --- Bytes ---------------------------------------------------------------------------------- */

static void test_texts_without_items(void **state) {
    (void)state;
    expect_tree("", "");
    expect_tree("\n \t\r\n", "");
    expect_tree("# only a comment", "");
    expect_tree("\xef\xbb\xbf# after a mark\n;;\n", "");
}

static void test_line_ends(void **state) {
    (void)state;
    const char *tree = "let a\n  integer 1\nlet b\n  integer 2\n";
    expect_tree("let a = 1\nlet b = 2", tree);
    expect_tree("let a = 1\r\nlet b = 2\r\n", tree);
    expect_tree("let a = 1\rlet b = 2\r", tree);
    expect_tree("let a = 1;let b = 2;", tree);
    expect_tree("let a =\n\n# c\n1\n\nlet b = (\n2\n)", tree);
}

static void test_bytes_that_are_no_text(void **state) {
    (void)state;
    expect_errors("let a = \"\xc0\xaf\"", "E0105@1:10");     /* overlong */
    expect_errors("let a = 1 # \xed\xa0\x80", "E0105@1:13"); /* a surrogate */
    expect_errors("let a = 1\n\x80", "E0105@2:1");
    expect_errors("\xff\xfel", "E0105@1:1");
    expect_errors("let a = \x01", "E0101@1:9");
    expect_errors("let a = 1 # \xe2\x80\xae", "E0101@1:13");
    Parsed parsed;
    parse_bytes(&parsed, "let a\0= 1", 9);
    assert_int_equal(parsed.diagnostics.error_count, 1);
    assert_int_equal(parsed.diagnostics.list.data[0]->code, DIAG_E0101);
    release(&parsed);
}

/* --- Statements and their recovery ---------------------------------------------------------- */

static void test_statements(void **state) {
    (void)state;
    expect_tree("network f(x: [1]) -> [1] {\n"
                "  weights \"w\"; let k = off\n"
                "  (a, b) = x\n"
                "  assert weights < 3.5 and arena.peak == 1e-5\n"
                "  return (a, b)\n"
                "}",
                "network f\n"
                "  input x\n"
                "    type f32\n"
                "      integer 1\n"
                "  result\n"
                "    type f32\n"
                "      integer 1\n"
                "  weights\n"
                "    string \"w\"\n"
                "  let k\n"
                "    boolean off\n"
                "  bind a b\n"
                "    name x\n"
                "  assert\n"
                "    binary and\n"
                "      binary <\n"
                "        name weights\n"
                "        float 3.5\n"
                "      binary ==\n"
                "        member peak\n"
                "          name arena\n"
                "        float 1e-05\n"
                "  return\n"
                "    tuple\n"
                "      name a\n"
                "      name b\n");
}

static void test_spans(void **state) {
    (void)state;
    Parsed parsed;
    parse(&parsed, "network f(x: [1]) { return x -> conv(3, pad=1) -> relu }"
                   "\nlet a = f(b=(1 + 2)) * (3)");
    assert_no_errors(&parsed);
    uint32_t base = parsed.source->base;
    const Item *item = &parsed.file->items.data[0];
    assert_int_equal(item->span.begin, base);
    assert_int_equal(item->span.end, base + 56);
    assert_int_equal(item->body_end.begin, base + 55);
    assert_int_equal(item->body_end.end, base + 56);
    const Expr *pipe = item->body.data[0].value;
    assert_int_equal(pipe->span.begin, base + 27);
    assert_int_equal(pipe->span.end, base + 54);
    const Expr *call = pipe->pipe.steps.data[0];
    assert_int_equal(call->call.callee.span.begin, base + 32);
    assert_int_equal(call->call.callee.span.end, base + 36);
    assert_int_equal(call->call.arguments.data[1].span.begin, base + 40);
    assert_int_equal(call->call.arguments.data[1].span.end, base + 45);
    const Expr *product = parsed.file->items.data[1].value; /* parentheses included */
    assert_int_equal(product->span.begin, base + 57 + 8);
    assert_int_equal(product->span.end, base + 57 + 26);
    assert_int_equal(product->binary.operator_span.begin, base + 57 + 21);
    const Argument *argument = &product->binary.left->call.arguments.data[0];
    assert_int_equal(argument->span.begin, base + 57 + 10);
    assert_int_equal(argument->span.end, base + 57 + 19);
    release(&parsed);
}

/* A statement with a mistake in its value still names it. */
static void test_names_survive_mistakes(void **state) {
    (void)state;
    Parsed parsed;
    parse(&parsed, "network f(x: [1]) {\n a = = 3\n b = x -> conv(3\n return )\n}");
    assert_int_equal(parsed.diagnostics.error_count, 3);
    const StatementList *body = &parsed.file->items.data[0].body;
    assert_int_equal(body->count, 3);
    assert_string_equal(body->data[0].names.data[0].text, "a");
    assert_int_equal(body->data[0].value->kind, EXPR_ERROR);
    assert_string_equal(body->data[1].names.data[0].text, "b");
    assert_int_equal(body->data[1].value->kind, EXPR_PIPE);
    assert_int_equal(body->data[2].kind, STATEMENT_RETURN);
    release(&parsed);
}

static void test_one_error_in_a_statement(void **state) {
    (void)state;
    expect_errors("let a = = 3 3 ) $ \"\\q\" 12x", "E0104@1:9");
    expect_errors("let a = $ = 12x", "E0101@1:9");
    expect_errors("let a = 12x 12x", "E0103@1:9");
    expect_errors("let a = (1 2\n  , 3 4\n  )\nlet b = (", "E0104@1:12 E0108@4:9");
    expect_errors("let a = { relu 3 } 4", "E0104@1:9");
}

static void test_brackets(void **state) {
    (void)state;
    expect_errors("network f(x: [1]) {\n return x -> { relu } 3\n} }\nlet a = )",
                  "E0104@2:23 E0104@3:3 E0104@4:9");
    expect_errors("let a = f(1,\nlet b = (2\nlet c = 3", "E0108@1:10 E0108@2:9");
    expect_errors("network f(x: [1]) {\n a = = 3", "E0104@2:6 E0108@1:19");
    expect_errors("let a = [1, (2, 3]\n", "E0108@1:13");
    expect_errors("let a = f(b,\n  c = 3,\n  d = 4)", "");
    expect_errors("let a = f(x -> { relu })", "");
    expect_errors("network f(x: [1]) {\n a = f(3,\n return x\n}", "E0108@2:7");
    expect_errors("Network f(x: [1]) {\n Return x\n}", "E0104@1:1 E0104@2:2");
}

/* Lines with exactly one mistake, as they stand in a network. What is left open there is followed
 * by a line that plainly begins something. */
static const char *const faults[] = {
    "a = = 3",
    "a = x -> )",
    "a = conv(3 3)",
    "a = x -> conv(3\n    y = x",
    "a = x -> conv(3,\n    return x",
    "a = x -> conv(3,\n    weights \"w\"",
    "a = f(x, [1, 2)",
    "a = x -> { relu -> tanh\n    y = x",
    "a = x -> { relu tanh }",
    "a = x -> { relu } 3",
    "a = \"open",
    "a = \"\\q\"",
    "a = 12px -> relu",
    "a = 99999999999999999999 + 1",
    "a = x $ relu",
    "a = x && y",
    "a = if x { 3 }",
    "a = x -> repeat { relu } -> tanh",
    "repeat 3 { relu }",
    "a = 3 3 -> { x } + if y { { relu } }",
    "a = if x { 3 3 } else { 4 }",
    "let repeat = 3",
    "assert params = 3",
    "assert 1 < 2 < 3",
    "conv(3, 3)",
    "a = x ->\n    y = x",
    "a = x -> relu + 3",
    "weights file",
    "weights",
    "return a, b",
    "a = f(1; 2)",
    "a = -\n    assert on",
    "a = ((((3)))\n    y = x",
    "a = 3 // comment",
    "use \"x\"",
};

static const char *const correct_lines[] = {
    "b = x -> conv(3, 3x3,\n    pad=same) -> relu",
    "(c, d) = split(x,\n 2)",
    "# a comment ( [ {",
    "assert weights <= 1MiB; let e = 3",
    "",
    "h = if y == 3 { x }\n else if not z {\n x -> relu\n } else { (x -> repeat 2 { relu }) }",
    "h = x -> repeat i in 0..n - 1 {\n relu -> if i == 2 { tanh }\n else { relu }\n } -> tanh",
    "g = x\n\n # between\n -> relu ->\n tanh -> l: {\n relu\n -> \"0\": tanh\n }",
};

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* Any mixture of wrong and correct lines gives one error a wrong line. */
static void test_as_many_errors_as_faults(void **state) {
    (void)state;
    uint32_t random = 1;
    for (int round = 0; round < 2000; round++) {
        StrBuf text = {0};
        strbuf_add(&text, "network f(x: [1]) {\n");
        size_t planted = 0;
        for (uint32_t line = next_random(&random) % 8; line > 0; line--) {
            bool wrong = next_random(&random) % 2 == 0;
            size_t count = wrong ? sizeof faults / sizeof *faults
                                 : sizeof correct_lines / sizeof *correct_lines;
            size_t which = next_random(&random) % count;
            strbuf_format(&text, "    %s\n", wrong ? faults[which] : correct_lines[which]);
            planted += wrong;
        }
        strbuf_add(&text, "    return x\n}\nlet last = 3\n");
        Parsed parsed;
        parse(&parsed, strbuf_text(&text));
        if (parsed.diagnostics.error_count != planted)
            fail_msg("%zu errors for %zu faults in\n%s", parsed.diagnostics.error_count, planted,
                     strbuf_text(&text));
        const Item *last = &parsed.file->items.data[parsed.file->items.count - 1];
        assert_string_equal(last->name.text, "last");
        release(&parsed);
        strbuf_free(&text);
    }
}

/* --- Limits --------------------------------------------------------------------------------- */

static void add_repeated(StrBuf *text, const char *part, size_t count) {
    for (size_t i = 0; i < count; i++)
        strbuf_add(text, part);
}

/* `open` count times, "1", `close` count times. */
static size_t errors_of_nesting(const char *open, const char *close, size_t count, DiagCode *code) {
    StrBuf text = {0};
    strbuf_add(&text, "let a = ");
    add_repeated(&text, open, count);
    strbuf_add(&text, "1");
    add_repeated(&text, close, count);
    Parsed parsed;
    parse(&parsed, strbuf_text(&text));
    size_t errors = parsed.diagnostics.error_count;
    if (errors > 0)
        *code = parsed.diagnostics.list.data[0]->code;
    release(&parsed);
    strbuf_free(&text);
    return errors;
}

static void test_depth(void **state) {
    (void)state;
    DiagCode code = DIAG_CODE_COUNT;
    assert_int_equal(errors_of_nesting("(", ")", 256, &code), 0);
    assert_int_equal(errors_of_nesting("f(", ")", 255, &code), 0);
    assert_int_equal(errors_of_nesting("[", "]", 255, &code), 0);
    static const char *const nests[][2] = {{"(", ")"}, {"f(", ")"},         {"[", "]"},
                                           {"(", ""},  {"f(1 + a * ", ")"}, {"(1, [", "])"}};
    for (size_t i = 0; i < sizeof nests / sizeof *nests; i++) {
        size_t sizes[] = {257, 10000, 1000000};
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            assert_int_equal(errors_of_nesting(nests[i][0], nests[i][1], sizes[j], &code), 1);
            assert_int_equal(code, DIAG_E0801);
        }
    }
    assert_int_equal(errors_of_nesting("1 + ", "", 255, &code), 0);
    assert_int_equal(errors_of_nesting("1 + ", "", 256, &code), 1);
    assert_int_equal(code, DIAG_E0801);
    assert_int_equal(errors_of_nesting("-", "", 1000000, &code), 1);
    assert_int_equal(errors_of_nesting("not ", "", 1000000, &code), 1);
}

/* No node is deeper than the limit, so recursion over a tree is safe. */
static void test_depth_is_told(void **state) {
    (void)state;
    Parsed parsed;
    parse(&parsed, "let a = f(1 + (2), [3, (4, -5)]) -> { relu -> l: g(6) }");
    assert_no_errors(&parsed);
    assert_int_equal(only_value(&parsed)->depth, 6);
    release(&parsed);
}

static const char *const long_parts[][3] = {
    {"network f(x: [1]) {\n", "a = x -> conv(3, 3x3) -> relu\n", "}\n"},
    {"network f(x: [1]) { return x", "\n -> conv(3, 3x3)", "\n}\n"},
    {"network f(x: [1]) { return x -> {relu", "\n -> conv(3, 3x3)", "\n}}\n"},
    {"", "network f(x: [1]) { return x }\n", ""},
    {"let a = f(1", ",\n 2", ")"},
    {"let a = \"", "\\n", "\""},
    {"", "\n# comment", ""},
};

static double seconds_of(size_t which, size_t count) {
    StrBuf text = {0};
    strbuf_add(&text, long_parts[which][0]);
    add_repeated(&text, long_parts[which][1], count);
    strbuf_add(&text, long_parts[which][2]);
    clock_t begin = clock();
    Parsed parsed;
    parse(&parsed, strbuf_text(&text));
    assert_no_errors(&parsed);
    release(&parsed);
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    strbuf_free(&text);
    return seconds;
}

/* Eight times the text takes eight times as long, not 64 times; the clock is coarse and the
 * machine busy, so the bound is generous. */
static void test_long_texts_are_linear(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof long_parts / sizeof *long_parts; i++) {
        double small = seconds_of(i, 12500);
        double large = seconds_of(i, 100000);
        if (large > 32 * (small + 0.005))
            fail_msg("text %zu: %.3f s, and %.3f s for eight times as much", i, small, large);
    }
}

static void test_long_pipeline_is_a_list(void **state) {
    (void)state;
    StrBuf text = {0};
    strbuf_add(&text, "let a = x");
    add_repeated(&text, "\n-> relu", 100000);
    Parsed parsed;
    parse(&parsed, strbuf_text(&text));
    assert_no_errors(&parsed);
    assert_int_equal(only_value(&parsed)->pipe.steps.count, 100000);
    assert_int_equal(only_value(&parsed)->depth, 2);
    release(&parsed);
    strbuf_free(&text);
}

static void test_many_errors(void **state) {
    (void)state;
    StrBuf text = {0};
    add_repeated(&text, "let a = = 3\n", 100000);
    Parsed parsed;
    parse(&parsed, strbuf_text(&text));
    assert_int_equal(parsed.diagnostics.error_count, 100000);
    release(&parsed);
    strbuf_free(&text);
}

/* --- Tokens --------------------------------------------------------------------------------- */

static void test_tokens(void **state) {
    (void)state;
    Parsed parsed;
    parse(&parsed, "# \xc3\xa9\nlet a = \"\xc3\xa9\" -> b # c\n  -> 3x3\n");
    StrBuf out = {0};
    parse_print_tokens(&parsed.arena, &parsed.intern, &parsed.diagnostics, parsed.source, &out);
    assert_string_equal(strbuf_text(&out), "2:1  LET  let\n"
                                           "2:5  NAME  a\n"
                                           "2:7  ASSIGN  =\n"
                                           "2:9  TEXT  \"\xc3\xa9\"\n"
                                           "2:13  ARROW  ->\n"
                                           "2:16  NAME  b\n"
                                           "3:3  ARROW  ->\n"
                                           "3:6  SIZE  3x3\n"
                                           "3:9  NEWLINE\n"
                                           "4:1  END_OF_FILE\n");
    strbuf_free(&out);
    release(&parsed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_fractions_with_units),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_numbers_that_are_none),
        cmocka_unit_test(test_overflow_message),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_escapes_that_are_none),
        cmocka_unit_test(test_names_are_interned),
        cmocka_unit_test(test_texts_without_items),
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_bytes_that_are_no_text),
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_names_survive_mistakes),
        cmocka_unit_test(test_one_error_in_a_statement),
        cmocka_unit_test(test_brackets),
        cmocka_unit_test(test_as_many_errors_as_faults),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_depth_is_told),
        cmocka_unit_test(test_long_texts_are_linear),
        cmocka_unit_test(test_long_pipeline_is_a_list),
        cmocka_unit_test(test_many_errors),
        cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
