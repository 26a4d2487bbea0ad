/* What the text around a place says by itself: while one types there is seldom a syntax tree of it.
 */
#ifndef NETC_LSP_TEXT_H
#define NETC_LSP_TEXT_H

#include "layers/layer.h"
#include "lsp/document.h"

/* Letters, digits and `_` around a place, of the source's text. */
typedef struct Word {
    const char *text;
    size_t length; /* 0: there are none */
    Span span;
} Word;

Word word_at(const Source *source, uint32_t offset);

bool word_is(Word word, const char *text);

/* The layer that it names; NULL: none. */
const LayerInfo *word_layer(Word word);

typedef enum Situation {
    SITUATION_NONE,      /* in a comment or a text, or where a new name stands */
    SITUATION_STEP,      /* behind `->`, a label, or the brace of a chain */
    SITUATION_ARGUMENT,  /* in a call, where an argument begins */
    SITUATION_VALUE,     /* where a value begins, the arguments' own too */
    SITUATION_STATEMENT, /* at the start of a statement or of an item */
} Situation;

/* Where a word is that is being written. */
typedef struct Cursor {
    Situation situation;
    Word callee;   /* of the innermost open call; length 0: none */
    Word argument; /* whose value is being written: `pad` of `pad=`; length 0: none */
    bool in_body;  /* of a network or block */
} Cursor;

/* The situation before `offset`, where the word begins. */
Cursor cursor_at(const Source *source, uint32_t offset);

#endif
