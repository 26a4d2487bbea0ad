/* What pieces of the text came to stand for: names and steps with their values, noted while a file
 * is elaborated, for who shows it beside the text (lsp/). The text of a block or a repetition has a
 * meaning for each of its expansions. */
#ifndef NETC_GRAPH_MEANING_H
#define NETC_GRAPH_MEANING_H

#include "graph/datum.h"

typedef enum MeaningKind {
    MEANING_NAME,     /* where a name is given, or stands for its value */
    MEANING_CALL,     /* a layer or a block, `conv(60, 7x7)` */
    MEANING_OPERATOR, /* the sign of an operator on tensors */
    MEANING_STEPS,    /* what has steps in it: a chain, a label, `if`, `repeat`; and types */
} MeaningKind;

typedef struct Meaning {
    MeaningKind kind;
    Span span;
    size_t order;       /* position among all: expansions of one text are in their order */
    Datum incoming;     /* what a step gets; DATUM_NOTHING for a name */
    Datum datum;        /* what it gives, or the name stands for */
    const Graph *graph; /* NULL: outside of a network */
    size_t node_begin;  /* in graph->nodes: the layers that a step made */
    size_t node_end;
} Meaning;

/* Few lines can ask for more steps than anybody looks at: what comes later has no meaning. */
#define MEANINGS_MAX ((size_t)1 << 18)

typedef struct Meanings {
    VEC(Meaning) list;
} Meanings;

/* By place, the wider first, then by order. */
void meanings_sort(Meanings *meanings);

/* The first expansion of the narrowest text around an offset; NULL: none. They are sorted. */
const Meaning *meanings_find(const Meanings *meanings, uint32_t offset);

/* How many meanings, from this one on, are of the same text. */
size_t meanings_of_text(const Meanings *meanings, const Meaning *first);

#endif
