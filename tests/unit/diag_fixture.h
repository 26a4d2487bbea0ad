/* Diagnostics and their renderings, for the unit tests of both. */
#ifndef NETC_TESTS_DIAG_FIXTURE_H
#define NETC_TESTS_DIAG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diag_begin.h"

/* One compilation that went wrong. */
typedef struct Fixture {
    Arena arena;
    SourceMap sources;
    Diagnostics diagnostics;
    StrBuf out;
} Fixture;

static inline int begin(void **state) {
    Fixture *fixture = calloc(1, sizeof *fixture);
    diag_begin(&fixture->arena, &fixture->sources, &fixture->diagnostics);
    *state = fixture;
    return 0;
}

static inline int end(void **state) {
    Fixture *fixture = *state;
    strbuf_free(&fixture->out);
    arena_free(&fixture->arena);
    free(fixture);
    return 0;
}

static inline const Source *add(Fixture *fixture, const char *name, const char *text) {
    return source_add(&fixture->sources, name, text, strlen(text));
}

/* The place of the first `words` in a text. */
static inline Span place(const Source *source, const char *words) {
    const char *found = strstr(source->text, words);
    assert_non_null(found);
    uint32_t at = source->base + (uint32_t)(found - source->text);
    return (Span){at, at + (uint32_t)strlen(words)};
}

/* The empty place behind the first `words`. */
static inline Span behind(const Source *source, const char *words) {
    uint32_t at = place(source, words).end;
    return (Span){at, at};
}

static inline void assert_rendered(Fixture *fixture, size_t limit, bool colour,
                                   const char *expected) {
    diag_sort(&fixture->diagnostics);
    diag_render_text(&fixture->diagnostics, limit, colour, &fixture->out);
    assert_string_equal(strbuf_text(&fixture->out), expected);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
