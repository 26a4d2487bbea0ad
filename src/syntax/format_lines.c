/* Where every piece stands, line by line. A line beyond FORMAT_MAX_COLUMNS is broken at the
 * loosest places of its outermost brackets, as often as it takes. */
#include <limits.h>

#include "syntax/formatter.h"

/* ---- blanks --------------------------------------------------------------------------------- */

static bool is_round(const Piece *piece) {
    return piece->kind == TOKEN_LEFT_PAREN || piece->kind == TOKEN_LEFT_BRACKET;
}

/* Between a piece and the one before it on the same line. */
static uint32_t blanks_before(const Piece *piece) {
    const Piece *before = piece - 1;
    if (piece->kind == PIECE_COMMENT)
        return 2;
    if (is_round(before) || before->kind == TOKEN_DOT || before->kind == TOKEN_RANGE ||
        before->unary || before->named)
        return 0;
    if (is_round(piece))
        return before->kind != TOKEN_NAME;
    if (piece_opens(before) && piece_closes(piece)) /* {} */
        return 0;
    switch (piece->kind) {
    case TOKEN_RIGHT_PAREN:
    case TOKEN_RIGHT_BRACKET:
    case TOKEN_COMMA:
    case TOKEN_COLON:
    case TOKEN_DOT:
    case TOKEN_RANGE: return 0;
    default: return !piece->named;
    }
}

/* ---- columns -------------------------------------------------------------------------------- */

/* Of a piece that begins a line. A comment stands where the token after it does. */
static uint32_t indentation(const Formatter *formatter, uint32_t at) {
    const Piece *pieces = formatter->pieces.data;
    uint32_t parent = pieces[at].parent;
    uint32_t next = pieces[at].token;
    const Piece *token = next == NO_PIECE ? NULL : &pieces[next];
    bool closes = token && piece_closes(token);
    if (closes && next == at)
        return pieces[token->partner].home;
    if (token && token->kind == TOKEN_ELSE)
        return pieces[token->head].column;
    uint32_t base = parent == NO_PIECE ? 0 : pieces[parent].content;
    bool arrow = token && token->kind == TOKEN_ARROW;
    bool goes_on;
    if (parent == NO_PIECE || pieces[parent].body)
        goes_on = token && !token->begins && !closes;
    else if (pieces[parent].kind == TOKEN_LEFT_BRACE)
        goes_on = !arrow && !closes && !pieces[at].first;
    else
        goes_on = arrow;
    return goes_on ? base + FORMAT_INDENT : base;
}

/* Gives the pieces of a line their columns; the width of its code. */
static uint32_t place_line(Formatter *formatter, const Line *line) {
    Piece *pieces = formatter->pieces.data;
    uint32_t indent = indentation(formatter, line->begin);
    uint32_t home = indent + (pieces[line->begin].kind == TOKEN_ARROW ? 3 : 0); /* "-> " */
    uint32_t column = indent;
    for (uint32_t i = line->begin; i < line->end; i++) {
        Piece *piece = &pieces[i];
        column += i > line->begin ? blanks_before(piece) : 0;
        piece->column = column;
        column += piece->width;
        if (piece_closes(piece) && piece->partner < line->begin)
            home = pieces[piece->partner].home;
        if (!piece_opens(piece))
            continue;
        bool aligned = piece->kind != TOKEN_LEFT_BRACE && !piece_hangs(formatter, i);
        piece->home = home;
        piece->content = aligned ? column : home + FORMAT_INDENT;
    }
    return line_width(formatter, line);
}

static Line line_at(const Formatter *formatter, uint32_t begin) {
    const Piece *pieces = formatter->pieces.data;
    Line line = {.begin = begin, .end = begin + 1};
    while (line.end < formatter->pieces.count && pieces[line.end].lines == 0)
        line.end++;
    line.code_end = line.end - (pieces[line.end - 1].kind == PIECE_COMMENT);
    return line;
}

/* ---- breaking ------------------------------------------------------------------------------- */

enum {
    RANK_COMMA,
    RANK_STEP,
    RANK_BRACE,
    RANK_OR,
    RANK_AND,
    RANK_COMPARE,
    RANK_ADD,
    RANK_MULTIPLY
};

/* Places of one rank in one bracket. All of them are broken, or none; each brace is by itself. */
typedef struct Place {
    int rank; /* RANK_..., INT_MAX: no place to break at */
    int depth;
    bool round;
    uint32_t width;   /* of what stands in the bracket in this line */
    uint32_t bracket; /* NO_PIECE: outside of all */
    uint32_t brace;   /* RANK_BRACE: it, else NO_PIECE */
} Place;

static int operator_rank(const Piece *piece) {
    if (!piece_is_operator(piece))
        return INT_MAX;
    switch (piece->kind) {
    case TOKEN_OR: return RANK_OR;
    case TOKEN_AND: return RANK_AND;
    case TOKEN_PLUS:
    case TOKEN_MINUS: return RANK_ADD;
    case TOKEN_STAR:
    case TOKEN_SLASH:
    case TOKEN_PERCENT: return RANK_MULTIPLY;
    default: return RANK_COMPARE;
    }
}

/* How much of a line is in a bracket. */
static uint32_t width_within(const Formatter *formatter, const Line *line, uint32_t bracket) {
    const Piece *pieces = formatter->pieces.data;
    uint32_t begin = line->begin;
    uint32_t end = line->code_end - 1;
    if (bracket != NO_PIECE && bracket > begin)
        begin = bracket;
    if (bracket != NO_PIECE && pieces[bracket].partner < end)
        end = pieces[bracket].partner;
    return pieces[end].column - pieces[begin].column;
}

static int rank_before(const Piece *piece) {
    const Piece *before = piece - 1;
    if (piece_closes(piece))
        return INT_MAX;
    if (before->kind == TOKEN_COMMA)
        return RANK_COMMA;
    if (piece->kind == TOKEN_ELSE) /* not between `}` and `else` where `}` begins the line */
        return before->lines > 0 ? INT_MAX : RANK_STEP;
    if (piece->kind == TOKEN_ARROW && !piece->header)
        return RANK_STEP;
    return before->kind == TOKEN_LEFT_BRACE ? RANK_BRACE : operator_rank(before);
}

/* The place before a piece that does not begin a line. What a brace holds is as far out as the
 * brace. */
static Place place_before(const Formatter *formatter, const Line *line, uint32_t at) {
    const Piece *pieces = formatter->pieces.data;
    Place place = {
        .rank = rank_before(&pieces[at]), .bracket = pieces[at].parent, .brace = NO_PIECE};
    if (place.rank == INT_MAX)
        return place;
    place.depth = pieces[at].depth;
    if (place.rank == RANK_BRACE) {
        place.brace = at - 1;
        place.bracket = pieces[at - 1].parent;
        place.depth--;
    }
    place.round = place.bracket != NO_PIECE && is_round(&pieces[place.bracket]);
    place.width = width_within(formatter, line, place.bracket);
    return place;
}

/* Outer before inner, braces before parentheses, wide before narrow, loose before tight. */
static bool is_better(const Place *a, const Place *b) {
    if (a->rank == INT_MAX || b->rank == INT_MAX)
        return a->rank < b->rank;
    if (a->depth != b->depth)
        return a->depth < b->depth;
    if (a->round != b->round)
        return b->round;
    if (a->bracket != b->bracket)
        return a->width > b->width;
    return a->rank < b->rank;
}

static bool is_same(const Place *a, const Place *b) {
    return a->rank == b->rank && a->bracket == b->bracket && a->brace == b->brace;
}

/* Puts the content of a brace or parenthesis on lines of its own. */
static void open_up(Formatter *formatter, uint32_t opening) {
    Piece *pieces = formatter->pieces.data;
    uint32_t after = pieces[opening].partner + 1;
    pieces[opening + 1].lines = 1;
    pieces[after - 1].lines = 1;
    if (after < formatter->pieces.count && pieces[after].kind == TOKEN_ELSE)
        pieces[after].lines = 0;
}

/* The widest of the elements of a parenthesis that begin in a line. */
static uint32_t widest_element(const Formatter *formatter, const Line *line, uint32_t opening) {
    const Piece *pieces = formatter->pieces.data;
    uint32_t widest = 0;
    uint32_t from = pieces[opening + 1].column;
    for (uint32_t i = opening + 1; i < line->code_end && i < pieces[opening].partner; i++) {
        if (pieces[i - 1].kind == TOKEN_COMMA && pieces[i].parent == opening)
            from = pieces[i].column;
        uint32_t width = pieces[i].column + pieces[i].width - from;
        widest = width > widest ? width : widest;
    }
    return widest;
}

/* Would the elements be too wide where their parenthesis begins? */
static bool must_hang(const Formatter *formatter, const Line *line, const Place *place) {
    if (place->rank != RANK_COMMA || place->bracket < line->begin)
        return false;
    const Piece *opening = &formatter->pieces.data[place->bracket];
    return opening->content + widest_element(formatter, line, place->bracket) >
               FORMAT_MAX_COLUMNS &&
           opening->home + FORMAT_INDENT < opening->content;
}

/* Ends a line earlier; false where there is no place to. */
static bool break_line(Formatter *formatter, const Line *line) {
    Place best = {.rank = INT_MAX};
    for (uint32_t i = line->begin + 1; i < line->code_end; i++) {
        Place place = place_before(formatter, line, i);
        if (is_better(&place, &best))
            best = place;
    }
    if (best.rank == INT_MAX)
        return false;
    if (best.rank == RANK_BRACE)
        open_up(formatter, best.brace);
    if (must_hang(formatter, line, &best))
        open_up(formatter, best.bracket);
    for (uint32_t i = line->begin + 1; i < line->code_end; i++) {
        Place place = place_before(formatter, line, i);
        if (is_same(&place, &best))
            formatter->pieces.data[i].lines = 1;
    }
    return true;
}

void format_lines(Formatter *formatter) {
    for (uint32_t begin = 0; begin < formatter->pieces.count;) {
        Line line = line_at(formatter, begin);
        while (place_line(formatter, &line) > FORMAT_MAX_COLUMNS && break_line(formatter, &line))
            line = line_at(formatter, begin);
        VEC_PUSH(formatter->arena, &formatter->lines, line);
        begin = line.end;
    }
}
