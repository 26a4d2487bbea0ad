/* Reading one argument of a call: what attributes.c (which argument is for which attribute) and
 * the files that read and judge its value share. Private to these. */
#ifndef NETC_GRAPH_ATTRIBUTE_READER_H
#define NETC_GRAPH_ATTRIBUTE_READER_H

#include "graph/elaborator.h"

/* One argument being read. */
typedef struct AttributeReader {
    Elaborator *e;
    const AttributeCall *call;
    const AttributeInfo *info;
    const Datum *datum;
    const Expr *value; /* as written; NULL for a default */
    Span span;         /* of the value */
    bool placed;       /* by its position, not by name */
} AttributeReader;

/* ---- attribute_read.c --------------------------------------------------------------------- */

/* Sets what the argument says; false after a mistake or for poison. */
bool attribute_read(const AttributeReader *reader, Attribute *attribute);

/* ---- attribute_words.c -------------------------------------------------------------------- */

/* The axis called `word` of a tensor of `rank`; -1 if there is none. */
int axis_of_word(const char *word, int rank);
/* Which of the attribute's choices `word` is; -1 if it is none. */
int choice_of_word(const AttributeInfo *info, const char *word);
/* Reports a word that means nothing to the attribute. */
bool wrong_word(const AttributeReader *reader, Name word);

/* ---- attribute_mistakes.c ----------------------------------------------------------------- */

/* "an integer", "one of `a` and `b`": what the attribute takes. */
const char *attribute_kind_text(Arena *arena, const AttributeInfo *info);
/* Adds how the layer is called: "the arguments are conv(filters, kernel, stride=1, pad=0)". */
void note_arguments(Elaborator *e, Diagnostic *diagnostic, const LayerInfo *layer);
/* Each reports and returns false: the value is of another kind; it has a number of factors other
 * than the input has spatial axes; the input has no such axis. */
bool wrong_kind(const AttributeReader *reader);
bool wrong_rank(const AttributeReader *reader, int factors, int axes);
bool wrong_axis(const AttributeReader *reader, int64_t axis);

#endif
