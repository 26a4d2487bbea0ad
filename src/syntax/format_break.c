/* Which pieces begin a line. The author's line ends stay between steps, after commas, operators and
 * opening brackets; elsewhere a line goes on. Statements and what follows a comment always begin
 * one, and braces that hold a line end are opened up. */
#include "syntax/formatter.h"

/* The line ends before a piece that stay, whatever becomes of the brackets around it. */
static int kept_lines(const Formatter *formatter, uint32_t at) {
    const Piece *piece = &formatter->pieces.data[at];
    const Piece *before = piece - 1;
    if (at == 0)
        return 0;
    if (before->kind == PIECE_COMMENT || (piece->begins && !before->body))
        return piece->lines > 1 ? piece->lines : 1;
    if (piece->kind == PIECE_COMMENT || piece->begins)
        return piece->lines;
    if (piece->kind == TOKEN_ARROW)
        return piece->header ? 0 : piece->lines;
    bool may_begin = piece->kind == TOKEN_ELSE ||
                     (!piece_closes(piece) && (piece_opens(before) || before->kind == TOKEN_COMMA ||
                                               piece_is_operator(before)));
    return may_begin && piece->lines > 0 ? 1 : 0;
}

/* No blank line after an opening bracket or before a closing one, nor within an expression. */
static bool may_be_apart(const Formatter *formatter, uint32_t at) {
    const Piece *piece = &formatter->pieces.data[at];
    return !piece_opens(piece - 1) &&
           (piece->begins || piece->kind == PIECE_COMMENT || piece->kind == TOKEN_ARROW);
}

/* Notes a line end in all the brackets around. */
static void note_broken(Formatter *formatter, uint32_t opening) {
    while (opening != NO_PIECE && !formatter->pieces.data[opening].broken) {
        formatter->pieces.data[opening].broken = true;
        opening = formatter->pieces.data[opening].parent;
    }
}

static void settle(Formatter *formatter, uint32_t at) {
    Piece *piece = &formatter->pieces.data[at];
    bool closes_brace = piece->kind == TOKEN_RIGHT_BRACE && piece->partner + 1 != at;
    if (closes_brace && piece->lines > 0)
        note_broken(formatter, piece->partner);
    piece->lines = kept_lines(formatter, at);
    if (piece->lines > 1 && !may_be_apart(formatter, at))
        piece->lines = 1;
    if (piece->lines > 0 || piece->kind == PIECE_COMMENT)
        note_broken(formatter, piece->parent);
}

/* What depends on whether a bracket has a line end in it. */
static void settle_bracket(Formatter *formatter, uint32_t opening) {
    Piece *pieces = formatter->pieces.data;
    uint32_t closing = pieces[opening].partner;
    if (closing == opening + 1)
        return;
    bool brace = pieces[opening].kind == TOKEN_LEFT_BRACE;
    Piece *first = &pieces[opening + 1];
    if (brace && pieces[opening].broken && first->kind != PIECE_COMMENT)
        first->lines = 1;
    bool apart = brace ? pieces[opening].broken : piece_hangs(formatter, opening);
    if (apart)
        pieces[closing].lines = 1;
    if (brace && apart && closing + 1 < formatter->pieces.count &&
        pieces[closing + 1].kind == TOKEN_ELSE)
        pieces[closing + 1].lines = 0;
}

void format_break(Formatter *formatter) {
    for (uint32_t i = 0; i < formatter->pieces.count; i++)
        settle(formatter, i);
    for (uint32_t i = 0; i < formatter->pieces.count; i++)
        if (piece_opens(&formatter->pieces.data[i]))
            settle_bracket(formatter, i);
}
