/* Inside of the formatter. A file is a list of pieces, its tokens and comments in order; which of
 * them begin a line is the only decision, and the rest follows from it:
 *
 *   format_read    the pieces, with the author's line ends; what belongs together
 *   format_break   which of the author's line ends stay, and where there has to be one
 *   format_lines   columns; lines that are too long are broken
 *   format_align   arrows and comments of neighbouring lines under one another
 *
 * A second run reads the same line ends that the first one wrote, so it changes nothing. */
#ifndef NETC_SYNTAX_FORMATTER_H
#define NETC_SYNTAX_FORMATTER_H

#include "net_parser.h"

#define FORMAT_MAX_COLUMNS 100
#define FORMAT_INDENT      4
#define NO_PIECE           UINT32_MAX
#define PIECE_COMMENT      (-2) /* a kind beside those of tokens */

typedef struct Piece {
    int kind;         /* TOKEN_..., or PIECE_COMMENT */
    const char *text; /* in the source */
    uint32_t length;
    uint32_t width; /* in columns */
    int lines;      /* line ends before it: none, 1, or 2 for a blank line too */
    int depth;      /* brackets open around it */
    uint32_t column;
    uint32_t token;   /* it, or the next that is no comment; NO_PIECE at the end */
    uint32_t parent;  /* the bracket that is open around it */
    uint32_t partner; /* of a bracket: the other one */
    uint32_t head;    /* of `if` and `else`: the first `if` of `if ... else if ... else` */
    uint32_t home;    /* of an opening bracket: the column of its line's content, */
    uint32_t content; /* and that of the lines inside */
    bool begins;      /* an item or statement begins with it */
    bool first;       /* after an opening bracket, but for comments */
    bool body;        /* the opening brace of a network or block */
    bool header;      /* in the head of a network or block, outside of its brackets */
    bool unary;       /* a minus with one operand */
    bool named;       /* `=` of a named argument */
    bool broken;      /* an opening bracket: there is a line end before it is closed */
} Piece;

/* A line of output: pieces [begin, end); the last may be a comment behind the code. */
typedef struct Line {
    uint32_t begin;
    uint32_t end;
    uint32_t code_end;
} Line;

typedef struct Formatter {
    Arena *arena;
    VEC(Piece) pieces;
    VEC(Line) lines;
} Formatter;

void format_read(Formatter *formatter, Parse *parse);
void format_break(Formatter *formatter);
void format_lines(Formatter *formatter);
void format_align(Formatter *formatter);

static inline bool piece_opens(const Piece *piece) {
    return piece->kind == TOKEN_LEFT_PAREN || piece->kind == TOKEN_LEFT_BRACKET ||
           piece->kind == TOKEN_LEFT_BRACE;
}

static inline bool piece_closes(const Piece *piece) {
    return piece->kind == TOKEN_RIGHT_PAREN || piece->kind == TOKEN_RIGHT_BRACKET ||
           piece->kind == TOKEN_RIGHT_BRACE;
}

/* An operator between two operands, after which a line may end. */
static inline bool piece_is_operator(const Piece *piece) {
    return token_in(piece->kind, token_operators()) && !piece->unary;
}

/* A parenthesis or bracket whose content begins on a line of its own. */
static inline bool piece_hangs(const Formatter *formatter, uint32_t opening) {
    const Piece *first = &formatter->pieces.data[opening + 1];
    return first->lines > 0 || first->kind == PIECE_COMMENT;
}

/* Where the code of a line ends; 0 for a line of comment only. */
static inline uint32_t line_width(const Formatter *formatter, const Line *line) {
    if (line->code_end == line->begin)
        return 0;
    const Piece *last = &formatter->pieces.data[line->code_end - 1];
    return last->column + last->width;
}

#endif
