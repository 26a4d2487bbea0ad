/* Names of a file by its syntax tree alone: where each is given, where it is seen, and where it is
 * used. They are known behind mistakes too. */
#ifndef NETC_LSP_NAMES_H
#define NETC_LSP_NAMES_H

#include "lsp/document.h"

typedef enum DefinitionKind {
    DEFINE_CONSTANT, /* `let` */
    DEFINE_VALUE,    /* a tensor, or a value that a block takes */
    DEFINE_DIM,      /* in the type of a block's tensor */
    DEFINE_INDEX,    /* of `repeat` */
    DEFINE_BLOCK,
    DEFINE_NETWORK,
    DEFINE_RESULT, /* in a result type */
    DEFINE_LABEL,
    DEFINE_FILE, /* what `use` names; the definition is in the other file, at its start */
} DefinitionKind;

typedef struct Definition {
    DefinitionKind kind;
    Name name;        /* the text without quotes; the span with them */
    Span seen;        /* where the name means this; of what another file defines, in this one */
    const Item *item; /* of a BLOCK, and of a parameter, what has it */
} Definition;

/* The name at a place, as a definition or a use of one. */
typedef struct Occurrence {
    Span span;
    const Definition *definition;
} Occurrence;

typedef struct Names {
    Arena *arena;
    VEC(Definition *) definitions;
    VEC(Occurrence) occurrences; /* of names that are known; definitions too */
    VEC(const char *) words; /* names in expressions that no definition gives: `same`, `params` */
} Names;

/* All names of the file of an analysis, in `arena`. */
Names names_of(Arena *arena, const Analysis *analysis);

/* The occurrence at an offset; NULL: none. */
const Occurrence *names_find(const Names *names, uint32_t offset);

/* The definition that the name means at an offset; NULL: none. Interned names are compared. */
const Definition *names_resolve(const Names *names, const char *name, uint32_t offset);

#endif
