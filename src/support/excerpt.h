/* One line of a source text as diagnostics show it: behind a gutter with its number, marks under
 * it, labels beside and below the marks. Knows cells and colours, nothing of diagnostics.
 *
 *    10 |   conv(128, 3x3, stride=2)
 *       |        ---  --- halves 16x16 to 8x8
 *       |        |
 *       |        64 channels become 128 */
#ifndef NETC_SUPPORT_EXCERPT_H
#define NETC_SUPPORT_EXCERPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/strbuf.h"

typedef enum Style {
    STYLE_PLAIN,
    STYLE_BOLD,
    STYLE_ERROR,
    STYLE_WARNING,
    STYLE_SECONDARY, /* labels of other places, gutter and arrow */
    STYLE_ADDED,     /* + */
    STYLE_CHANGED,   /* ~ */
    STYLE_REMOVED,   /* - */
} Style;

/* Where and how text is painted. */
typedef struct Painter {
    StrBuf *out;
    bool colour;      /* ANSI colours */
    int number_width; /* digits of the largest line number, at least 2 */
} Painter;

/* A range of bytes of the line to underline. */
typedef struct Mark {
    size_t begin;
    size_t end; /* begin: one cell is marked */
    char sign;  /* ^ - + ~ */
    Style style;
    const char *text; /* label, of several lines if it has \n; "" for none */
} Mark;

/* Appends `text` with deceptive characters escaped. */
void paint_text(const Painter *painter, Style style, const char *text, size_t length);

/* The next line of a text of several lines; false after the last. Begin with *at = text. */
bool text_next_line(const char **at, const char **line, size_t *length);

/* Appends the gutter without a line number, "   |", and no newline. */
void paint_gutter(const Painter *painter);

/* Appends line `number` after the gutter sign (| + -), its marks and their labels. The first mark
 * is the one to keep in sight if the line is too long to be shown whole. */
void paint_line(const Painter *painter, uint32_t number, char sign, const char *text, size_t length,
                const Mark *marks, size_t mark_count);

#endif
