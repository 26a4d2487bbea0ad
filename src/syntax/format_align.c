/* What stands under one another in neighbouring lines: arrows after or before steps of the
 * same layer, and the comments behind the code. Only whole lines of steps are moved, from which no
 * bracket reaches into the next one, so nothing else depends on where their pieces stand. */
#include <string.h>

#include "syntax/formatter.h"

/* Moves a piece and all behind it to the right. */
static void shift(Formatter *formatter, const Line *line, uint32_t from, uint32_t by) {
    for (uint32_t i = from; i < line->end; i++)
        formatter->pieces.data[i].column += by;
}

/* ---- arrows --------------------------------------------------------------------------------- */

/* Is every bracket that is opened in a line closed in it, and the reverse? */
static bool is_balanced(const Formatter *formatter, const Line *line) {
    for (uint32_t i = line->begin; i < line->code_end; i++) {
        uint32_t partner = formatter->pieces.data[i].partner;
        if (partner != NO_PIECE && (partner < line->begin || partner >= line->code_end))
            return false;
    }
    return true;
}

/* A line of steps, or of an element in a parenthesis that hangs, that may be moved. */
static bool is_row(const Formatter *formatter, size_t at) {
    const Piece *pieces = formatter->pieces.data;
    const Line *line = &formatter->lines.data[at];
    const Piece *first = &pieces[line->begin];
    if (line->code_end == line->begin || first->kind == TOKEN_ELSE)
        return false;
    bool more = at + 1 < formatter->lines.count;
    if (more && pieces[formatter->lines.data[at + 1].begin].kind == TOKEN_ELSE)
        return false;
    bool apart = first->parent != NO_PIECE && !pieces[first->parent].body &&
                 piece_hangs(formatter, first->parent);
    return (first->kind == TOKEN_ARROW || apart) && is_balanced(formatter, line);
}

static bool rows_join(const Formatter *formatter, size_t at) {
    const Piece *first = &formatter->pieces.data[formatter->lines.data[at].begin];
    const Piece *next = &formatter->pieces.data[formatter->lines.data[at + 1].begin];
    return first->parent == next->parent && next->lines == 1 && is_row(formatter, at + 1);
}

/* Behind a parenthesis if a piece opens one, else the next piece. */
static uint32_t skip_round(const Formatter *formatter, uint32_t at) {
    const Piece *piece = &formatter->pieces.data[at];
    return piece_opens(piece) && piece->kind != TOKEN_LEFT_BRACE ? piece->partner + 1 : at + 1;
}

/* The next arrow of a line that is in no parenthesis, from a piece on; NO_PIECE: none. */
static uint32_t next_arrow(const Formatter *formatter, const Line *line, uint32_t at) {
    while (at < line->code_end && formatter->pieces.data[at].kind != TOKEN_ARROW)
        at = skip_round(formatter, at);
    return at < line->code_end ? at : NO_PIECE;
}

/* Is a piece the label of a step? */
static bool is_label(const Piece *piece) {
    return (piece->kind == TOKEN_NAME || piece->kind == TOKEN_TEXT) && piece[1].kind == TOKEN_COLON;
}

static bool pieces_match(const Piece *a, const Piece *b) {
    if (a->kind != b->kind || is_label(a) != is_label(b))
        return false;
    return a->kind != TOKEN_NAME || is_label(a) ||
           (a->length == b->length && memcmp(a->text, b->text, a->length) == 0);
}

/* Do two steps, up to the arrows behind them, differ in labels and arguments only? */
static bool steps_match(const Formatter *formatter, uint32_t a, uint32_t a_end, uint32_t b,
                        uint32_t b_end) {
    const Piece *pieces = formatter->pieces.data;
    while (a < a_end || b < b_end) {
        bool round_a = a < a_end && piece_opens(&pieces[a]) && pieces[a].kind != TOKEN_LEFT_BRACE;
        bool round_b = b < b_end && piece_opens(&pieces[b]) && pieces[b].kind != TOKEN_LEFT_BRACE;
        if (round_a || round_b) {
            a = round_a ? pieces[a].partner + 1 : a;
            b = round_b ? pieces[b].partner + 1 : b;
            continue;
        }
        if (a == a_end || b == b_end || !pieces_match(&pieces[a++], &pieces[b++]))
            return false;
    }
    return true;
}

/* Rows, and where in each the step begins whose arrow is aligned next. */
typedef struct Column {
    const Line *lines;
    uint32_t *steps;
} Column;

static uint32_t arrow_of(const Formatter *formatter, const Column *column, size_t row) {
    return next_arrow(formatter, &column->lines[row], column->steps[row]);
}

/* How far the arrow of a row is from a column. */
static uint32_t distance(const Formatter *formatter, const Column *column, size_t row,
                         uint32_t target) {
    return target - formatter->pieces.data[arrow_of(formatter, column, row)].column;
}

/* Puts the next arrows of rows [begin, end) under one another, if all of the rows still fit. */
static bool align_arrows(Formatter *formatter, const Column *column, size_t begin, size_t end) {
    uint32_t target = 0;
    for (size_t i = begin; i < end; i++) {
        uint32_t at = formatter->pieces.data[arrow_of(formatter, column, i)].column;
        target = at > target ? at : target;
    }
    for (size_t i = begin; i < end; i++)
        if (line_width(formatter, &column->lines[i]) + distance(formatter, column, i, target) >
            FORMAT_MAX_COLUMNS)
            return false;
    for (size_t i = begin; i < end; i++) {
        uint32_t arrow = arrow_of(formatter, column, i);
        shift(formatter, &column->lines[i], arrow, distance(formatter, column, i, target));
        column->steps[i] = arrow + 1;
    }
    return true;
}

/* Do the steps before two arrows of neighbouring rows match, or those behind them? */
static bool arrows_match(const Formatter *formatter, const Column *column, size_t row,
                         uint32_t arrow, uint32_t other) {
    const Line *lines = &column->lines[row];
    const uint32_t *steps = &column->steps[row];
    if (steps_match(formatter, steps[0], arrow, steps[1], other))
        return true;
    uint32_t arrow_end = next_arrow(formatter, &lines[0], arrow + 1);
    uint32_t other_end = next_arrow(formatter, &lines[1], other + 1);
    return steps_match(formatter, arrow + 1, arrow_end == NO_PIECE ? lines[0].code_end : arrow_end,
                       other + 1, other_end == NO_PIECE ? lines[1].code_end : other_end);
}

/* The row after those from `begin` on whose next arrows belong under one another. */
static size_t matching_rows(const Formatter *formatter, const Column *column, size_t begin,
                            size_t end) {
    uint32_t arrow = arrow_of(formatter, column, begin);
    size_t stop = begin + 1;
    for (; arrow != NO_PIECE && stop < end; stop++) {
        uint32_t other = arrow_of(formatter, column, stop);
        if (other == NO_PIECE || !arrows_match(formatter, column, stop - 1, arrow, other))
            break;
        arrow = other;
    }
    return stop;
}

/* Aligns the first arrows of rows that match, then the arrows behind those. */
static void align_column(Formatter *formatter, const Column *column, size_t begin, size_t end) {
    while (begin < end) {
        size_t stop = matching_rows(formatter, column, begin, end);
        if (stop - begin > 1 && align_arrows(formatter, column, begin, stop))
            align_column(formatter, column, begin, stop);
        begin = stop;
    }
}

static void align_rows(Formatter *formatter, size_t begin, size_t end) {
    size_t count = end - begin;
    Column column = {.lines = formatter->lines.data + begin,
                     .steps = ARENA_ARRAY(formatter->arena, count, uint32_t)};
    for (size_t i = 0; i < count; i++) {
        uint32_t first = column.lines[i].begin;
        column.steps[i] = first + (formatter->pieces.data[first].kind == TOKEN_ARROW);
    }
    align_column(formatter, &column, 0, count);
}

/* ---- comments ------------------------------------------------------------------------------- */

static bool has_comment(const Line *line) {
    return line->code_end > line->begin && line->end > line->code_end;
}

/* Aligns the comments of as many neighbouring lines as fit; the line after them. */
static size_t align_comments(Formatter *formatter, size_t begin) {
    const Line *lines = formatter->lines.data;
    const Piece *pieces = formatter->pieces.data;
    uint32_t code = 0;
    uint32_t comment = 0;
    size_t end = begin;
    for (; end < formatter->lines.count && has_comment(&lines[end]); end++) {
        uint32_t width = line_width(formatter, &lines[end]);
        uint32_t behind = pieces[lines[end].code_end].width;
        uint32_t most_code = width > code ? width : code;
        uint32_t most_comment = behind > comment ? behind : comment;
        bool fits = most_code + 2 + most_comment <= FORMAT_MAX_COLUMNS;
        if (end > begin && (pieces[lines[end].begin].lines > 1 || !fits))
            break;
        code = most_code;
        comment = most_comment;
    }
    for (size_t i = begin; i < end; i++)
        shift(formatter, &lines[i], lines[i].code_end, code - line_width(formatter, &lines[i]));
    return end > begin ? end : begin + 1;
}

void format_align(Formatter *formatter) {
    for (size_t begin = 0; begin < formatter->lines.count;) {
        size_t end = begin + 1;
        while (is_row(formatter, begin) && end < formatter->lines.count &&
               rows_join(formatter, end - 1))
            end++;
        if (end - begin > 1)
            align_rows(formatter, begin, end);
        begin = end;
    }
    for (size_t begin = 0; begin < formatter->lines.count;)
        begin = align_comments(formatter, begin);
}
