/* Texts to graphs, for the tests of what stands between. */
#ifndef NETC_TESTS_ELABORATE_FIXTURE_H
#define NETC_TESTS_ELABORATE_FIXTURE_H

#include <string.h>

#include "graph/elaborate.h"
#include "syntax/parse.h"

typedef struct Elaborated {
    Arena arena;
    Intern intern;
    SourceMap sources;
    Diagnostics diagnostics;
    const Source *source;
    GraphList graphs;
    GraphCount count; /* of the first graph, if all is well */
} Elaborated;

/* All-zero before; stays where it is; ended by elaborated_free. Asserts are checked too. */
static inline void elaborated_make(Elaborated *e, const char *text) {
    e->intern.arena = &e->arena;
    e->sources.arena = &e->arena;
    e->diagnostics.arena = &e->arena;
    e->diagnostics.sources = &e->sources;
    e->source = source_add(&e->sources, "test.net", text, strlen(text));
    File *file = parse_file(&e->arena, &e->intern, &e->diagnostics, e->source);
    Elaboration elaboration = {
        .arena = &e->arena, .intern = &e->intern, .diagnostics = &e->diagnostics};
    if (diag_has_errors(&e->diagnostics))
        return;
    e->graphs = elaborate(&elaboration, file);
    if (diag_has_errors(&e->diagnostics) || e->graphs.count == 0 ||
        !graph_count(e->graphs.data[0], &e->diagnostics, &e->count))
        return;
    Metrics metrics = {.count = &e->count, .arena_bytes = -1};
    elaborate_check_asserts(&elaboration, e->graphs.data[0], &metrics);
}

static inline void elaborated_free(Elaborated *e) {
    arena_free(&e->arena);
}

#endif
