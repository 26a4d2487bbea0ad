/* Syntax tree to typed graphs: looks names up, works compile-time values out, calls each layer's
 * shape rule, and checks everything that can be checked before a plan exists. */
#ifndef NETC_GRAPH_ELABORATE_H
#define NETC_GRAPH_ELABORATE_H

#include "graph/count.h"
#include "graph/meaning.h"
#include "support/diag.h"
#include "support/intern.h"
#include "syntax/ast.h"

/* `-D name=value`: overrides a file-level `let`. */
typedef struct Define {
    const char *name;
    const char *value; /* a number, on, off, or text */
} Define;

typedef struct Elaboration {
    Arena *arena;
    Intern *intern;
    Diagnostics *diagnostics;
    const Define *defines;
    size_t define_count;
    Meanings *meanings; /* takes what the text stands for; NULL: nobody asks */
} Elaboration;

typedef VEC(Graph *) GraphList;

/* Every network of the file. Mistakes are reported; a value behind one is poisoned and nothing
 * that follows from it is reported. Use the graphs only if no error was reported. */
GraphList elaborate(const Elaboration *elaboration, const File *file);

/* A value that is in the arena where most is at once. */
typedef struct ArenaShare {
    const char *value; /* its name */
    int64_t bytes;
} ArenaShare;

#define ARENA_MAX_SHARES 3

/* Figures an assert can name. */
typedef struct Metrics {
    const GraphCount *count;
    int64_t arena_bytes;                 /* -1 while no plan exists */
    ArenaShare shares[ARENA_MAX_SHARES]; /* of the arena, about the largest first */
    int share_count;
} Metrics;

/* Reports every assert that does not hold. Without arena_bytes, those that name `arena` wait; with
 * it, only those are looked at. */
void elaborate_check_asserts(const Elaboration *elaboration, const Graph *graph,
                             const Metrics *metrics);

#endif
