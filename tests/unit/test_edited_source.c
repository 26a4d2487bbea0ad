/* Fixes chosen and applied: as text, and as a diff. */
#include "diag_fixture.h"

#include "output/edited_source.h"

/* A diagnostic with one fix: `words` of the source by `replacement`. */
static void offer(Fixture *fixture, Span span, const char *replacement, bool applicable) {
    Diagnostic *error = diag_report(&fixture->diagnostics, DIAG_E0201, span, "m");
    diag_fix(&fixture->diagnostics, error, span, replacement, applicable, "h");
}

/* What the only file with fixes becomes, and how many of them wait. */
static void assert_edited(Fixture *fixture, const char *text, const char *diff, size_t waiting) {
    size_t left;
    SourceEditsList files = edits_of_diagnostics(&fixture->diagnostics, &left);
    assert_int_equal(files.count, 1);
    assert_int_equal(left, waiting);
    edited_text(&files.data[0], &fixture->out);
    assert_string_equal(strbuf_text(&fixture->out), text);
    fixture->out.length = 0;
    edited_diff(&files.data[0], &fixture->out);
    assert_string_equal(strbuf_text(&fixture->out), diff);
}

static void fixes_are_applied_in_the_order_of_the_text(void **state) {
    Fixture *fixture = *state;
    const Source *source = add(fixture, "a.net", "one two three\n");
    offer(fixture, place(source, "three"), "3", true);
    offer(fixture, place(source, "two"), "", true);
    offer(fixture, place(source, "one"), "1", false);
    assert_edited(fixture, "one  3\n",
                  "--- a.net\n+++ a.net\n@@ -1,1 +1,1 @@\n-one two three\n+one  3\n", 0);
}

static void first_of_two_in_one_place(void **state) {
    Fixture *fixture = *state;
    const Source *source = add(fixture, "a.net", "one two\n");
    offer(fixture, place(source, "one two"), "1 2", true);
    offer(fixture, place(source, "two"), "II", true);      /* within the first */
    offer(fixture, place(source, "one two"), "1 2", true); /* the same again */
    assert_edited(fixture, "1 2\n", "--- a.net\n+++ a.net\n@@ -1,1 +1,1 @@\n-one two\n+1 2\n", 1);
}

static void insertions_in_one_place(void **state) {
    Fixture *fixture = *state;
    const Source *source = add(fixture, "a.net", "one\n");
    offer(fixture, behind(source, "one"), " a", true);
    offer(fixture, behind(source, "one"), " b", true);
    assert_edited(fixture, "one a\n", "--- a.net\n+++ a.net\n@@ -1,1 +1,1 @@\n-one\n+one a\n", 1);
}

static void one_fix_of_a_diagnostic(void **state) {
    Fixture *fixture = *state;
    const Source *source = add(fixture, "a.net", "one two\n");
    Diagnostic *error = diag_report(&fixture->diagnostics, DIAG_E0201, place(source, "one"), "m");
    diag_help(&fixture->diagnostics, error, "in words");
    diag_fix(&fixture->diagnostics, error, place(source, "one"), "1", true, "h");
    diag_fix(&fixture->diagnostics, error, place(source, "two"), "2", true, "or");
    assert_edited(fixture, "1 two\n", "--- a.net\n+++ a.net\n@@ -1,1 +1,1 @@\n-one two\n+1 two\n",
                  0);
}

static void byte_order_mark_and_missing_line_end_stay(void **state) {
    Fixture *fixture = *state;
    const Source *source = add(fixture, "a.net", "\xEF\xBB\xBFone\r\ntwo");
    offer(fixture, place(source, "two"), "2", true);
    offer(fixture, behind(source, "two"), "!", true);
    assert_edited(fixture, "\xEF\xBB\xBFone\r\n2!",
                  "--- a.net\n+++ a.net\n@@ -1,2 +1,2 @@\n one\r\n"
                  "-two\n\\ No newline at end of file\n"
                  "+2!\n\\ No newline at end of file\n",
                  0);
}

/* Lines around changes are shown once, and far ones not; numbers count what was added before. */
static void hunks(void **state) {
    Fixture *fixture = *state;
    const Source *source =
        add(fixture, "a.net", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nn\no\np\n");
    offer(fixture, place(source, "b"), "B\nbb", true);
    offer(fixture, place(source, "e"), "E", true);
    offer(fixture, place(source, "o\np"), "P", true);
    assert_edited(fixture, "a\nB\nbb\nc\nd\nE\nf\ng\nh\ni\nj\nk\nl\nm\nn\nP\n",
                  "--- a.net\n+++ a.net\n"
                  "@@ -1,8 +1,9 @@\n a\n-b\n+B\n+bb\n c\n d\n-e\n+E\n f\n g\n h\n"
                  "@@ -12,5 +13,4 @@\n l\n m\n n\n-o\n-p\n+P\n",
                  0);
}

static void each_file_by_itself(void **state) {
    Fixture *fixture = *state;
    const Source *one = add(fixture, "a.net", "one\n");
    const Source *two = add(fixture, "b.net", "two\n");
    add(fixture, "c.net", "three\n");
    offer(fixture, place(two, "two"), "2", true);
    offer(fixture, place(one, "one"), "1", true);
    size_t waiting;
    SourceEditsList files = edits_of_diagnostics(&fixture->diagnostics, &waiting);
    assert_int_equal(files.count, 2);
    assert_ptr_equal(files.data[0].source, one);
    assert_ptr_equal(files.data[1].source, two);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(fixes_are_applied_in_the_order_of_the_text),
        TEST(first_of_two_in_one_place),
        TEST(insertions_in_one_place),
        TEST(one_fix_of_a_diagnostic),
        TEST(byte_order_mark_and_missing_line_end_stay),
        TEST(hunks),
        TEST(each_file_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
