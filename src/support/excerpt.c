#include "support/excerpt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/arena.h"
#include "support/unicode.h"

#define TAB_CELLS     4
#define WINDOW_CELLS  120 /* most cells of a source line that are shown */
#define WINDOW_MARGIN 20  /* cells shown before the first mark of a clipped line */
#define CLIPPED       "..."
#define CLIPPED_CELLS 3

/* ---- characters --------------------------------------------------------------------------- */

/* A character as it is shown. */
typedef struct Glyph {
    char text[16];
    size_t text_length;
    size_t cells;
} Glyph;

/* Reads one character of `length` >= 1 bytes; returns how many bytes it took. */
static size_t glyph_read(const char *text, size_t length, Glyph *glyph) {
    uint32_t scalar;
    size_t taken = unicode_decode(text, length, &scalar);
    int written;
    if (scalar == '\t') {
        written = snprintf(glyph->text, sizeof glyph->text, "%*s", TAB_CELLS, "");
    } else if (scalar == UNICODE_INVALID) {
        written = snprintf(glyph->text, sizeof glyph->text, "\\x%02X", (unsigned char)text[0]);
    } else if (unicode_is_deceptive(scalar)) {
        written = snprintf(glyph->text, sizeof glyph->text, "\\u{%X}", (unsigned)scalar);
    } else {
        memcpy(glyph->text, text, taken);
        glyph->text_length = taken;
        glyph->cells = (size_t)unicode_cells(scalar);
        return taken;
    }
    glyph->text_length = (size_t)written;
    glyph->cells = (size_t)written;
    return taken;
}

/* The cell, from 0, where the byte at `offset` of a line begins. */
static size_t cell_of(const char *text, size_t length, size_t offset) {
    size_t cell = 0;
    for (size_t at = 0; at < length && at < offset;) {
        Glyph glyph;
        size_t taken = glyph_read(text + at, length - at, &glyph);
        if (at + taken > offset)
            break;
        at += taken;
        cell += glyph.cells;
    }
    return cell;
}

static const char *style_code(Style style) {
    switch (style) {
    case STYLE_PLAIN: return "";
    case STYLE_BOLD: return "\033[1m";
    case STYLE_ERROR: return "\033[1;31m";
    case STYLE_WARNING: return "\033[1;33m";
    case STYLE_SECONDARY: return "\033[1;34m";
    case STYLE_ADDED: return "\033[32m";
    case STYLE_CHANGED: return "\033[33m";
    case STYLE_REMOVED: return "\033[31m";
    }
    return "";
}

static void style_begin(const Painter *painter, Style style) {
    if (painter->colour)
        strbuf_add(painter->out, style_code(style));
}

static void style_end(const Painter *painter, Style style) {
    if (painter->colour && style != STYLE_PLAIN)
        strbuf_add(painter->out, "\033[0m");
}

void paint_text(const Painter *painter, Style style, const char *text, size_t length) {
    style_begin(painter, style);
    for (size_t at = 0; at < length;) {
        Glyph glyph;
        at += glyph_read(text + at, length - at, &glyph);
        strbuf_add_bytes(painter->out, glyph.text, glyph.text_length);
    }
    style_end(painter, style);
}

bool text_next_line(const char **at, const char **line, size_t *length) {
    if (!*at)
        return false;
    const char *end = strchr(*at, '\n');
    *line = *at;
    *length = end ? (size_t)(end - *at) : strlen(*at);
    *at = end ? end + 1 : NULL;
    return true;
}

/* ---- rows --------------------------------------------------------------------------------- */

void paint_gutter(const Painter *painter) {
    style_begin(painter, STYLE_SECONDARY);
    strbuf_format(painter->out, "%*s |", painter->number_width, "");
    style_end(painter, STYLE_SECONDARY);
}

/* A row below the gutter that is written from left to right. */
typedef struct Row {
    const Painter *painter;
    size_t cell; /* first cell not written yet */
} Row;

static Row row_begin(const Painter *painter) {
    paint_gutter(painter);
    strbuf_add_char(painter->out, ' ');
    return (Row){.painter = painter};
}

/* Pads the row up to `cell`. */
static void row_move(Row *row, size_t cell) {
    if (cell > row->cell) {
        strbuf_fill(row->painter->out, ' ', cell - row->cell);
        row->cell = cell;
    }
}

/* A mark in the cells of the row it stands in. */
typedef struct PlacedMark {
    const Mark *mark;
    size_t begin;
    size_t end;
} PlacedMark;

/* Bars under the hanging marks left of `limit`. `marks` go from right to left. */
static void row_bars(Row *row, const PlacedMark *marks, size_t count, size_t limit) {
    for (size_t i = count; i > 0; i--) {
        const PlacedMark *placed = &marks[i - 1];
        if (placed->begin >= limit || placed->begin < row->cell)
            continue;
        row_move(row, placed->begin);
        paint_text(row->painter, placed->mark->style, "|", 1);
        row->cell++;
    }
}

/* ---- the part of a line that is shown ----------------------------------------------------- */

typedef struct Window {
    size_t begin; /* cells of the line: [begin, end) */
    size_t end;
    size_t total; /* cells of the whole line */
} Window;

static Window window_choose(size_t total, const PlacedMark *marks, size_t count) {
    Window window = {.begin = 0, .end = total, .total = total};
    if (total <= WINDOW_CELLS)
        return window;
    size_t leftmost = count ? marks[0].begin : 0;
    size_t rightmost = count ? marks[0].end : 0;
    for (size_t i = 0; i < count; i++) {
        leftmost = marks[i].begin < leftmost ? marks[i].begin : leftmost;
        rightmost = marks[i].end > rightmost ? marks[i].end : rightmost;
    }
    if (rightmost - leftmost > WINDOW_CELLS - WINDOW_MARGIN)
        leftmost = marks[0].begin;
    window.begin = leftmost > WINDOW_MARGIN ? leftmost - WINDOW_MARGIN : 0;
    if (window.begin > total - WINDOW_CELLS)
        window.begin = total - WINDOW_CELLS;
    if (window.begin <= CLIPPED_CELLS)
        window.begin = 0;
    window.end = window.begin + WINDOW_CELLS;
    return window;
}

/* The row cell where cell `cell` of the line is shown. */
static size_t window_place(const Window *window, size_t cell) {
    size_t shift = window->begin > 0 ? CLIPPED_CELLS : 0;
    if (cell < window->begin)
        return 0;
    /* A mark may stand one cell behind the end of the line, or on the dots of a clipped one. */
    size_t last = window->end + (window->end < window->total ? CLIPPED_CELLS : 1);
    return (cell < last ? cell : last) - window->begin + shift;
}

static void paint_window(const Painter *painter, const Window *window, const char *text,
                         size_t length) {
    StrBuf *out = painter->out;
    if (window->begin > 0)
        strbuf_add(out, CLIPPED);
    size_t cell = 0;
    for (size_t at = 0; at < length && cell <= window->end;) {
        Glyph glyph;
        at += glyph_read(text + at, length - at, &glyph);
        size_t next = cell + glyph.cells;
        bool is_orphan = glyph.cells == 0 && cell == window->begin && cell > 0; /* a mark cut off */
        bool starts_inside = cell >= window->begin && !is_orphan;
        if (starts_inside && next <= window->end)
            strbuf_add_bytes(out, glyph.text, glyph.text_length);
        else if (next > window->begin && cell < window->end) /* cut by an edge */
            strbuf_fill(out, ' ',
                        (next < window->end ? next : window->end) -
                            (cell > window->begin ? cell : window->begin));
        cell = next;
    }
    if (window->end < window->total)
        strbuf_add(out, CLIPPED);
}

/* ---- marks and labels --------------------------------------------------------------------- */

static PlacedMark mark_place(const Mark *mark, const char *text, size_t length) {
    PlacedMark placed = {.mark = mark, .begin = cell_of(text, length, mark->begin)};
    placed.end = cell_of(text, length, mark->end);
    if (placed.end <= placed.begin) {
        /* A combining mark stands in the cell of the character before it. */
        if (mark->end > mark->begin && placed.begin > 0)
            placed.begin--;
        placed.end = placed.begin + 1;
    }
    return placed;
}

/* Longest first, so that what is inside another mark is drawn over it. */
static int compare_width(const void *a, const void *b) {
    const PlacedMark *left = a;
    const PlacedMark *right = b;
    size_t left_width = left->end - left->begin;
    size_t right_width = right->end - right->begin;
    if (left_width != right_width)
        return left_width > right_width ? -1 : 1;
    return (left->mark->sign == '^') - (right->mark->sign == '^');
}

/* From right to left; marks of one place in the order given. */
static int compare_begin(const void *a, const void *b) {
    const PlacedMark *left = a;
    const PlacedMark *right = b;
    if (left->begin != right->begin)
        return left->begin > right->begin ? -1 : 1;
    return left->mark < right->mark ? -1 : left->mark > right->mark;
}

/* Draws the underlines; sorts `marks`. */
static void row_underlines(Row *row, PlacedMark *marks, size_t count) {
    enum { ROW_CELLS = WINDOW_CELLS + 2 * CLIPPED_CELLS + 2 };
    const Mark *drawn[ROW_CELLS] = {0};
    qsort(marks, count, sizeof *marks, compare_width);
    for (size_t i = 0; i < count; i++)
        for (size_t cell = marks[i].begin; cell < marks[i].end && cell < ROW_CELLS; cell++)
            drawn[cell] = marks[i].mark;
    for (size_t cell = 0; cell < ROW_CELLS;) {
        const Mark *mark = drawn[cell];
        size_t end = cell + 1;
        while (end < ROW_CELLS && drawn[end] == mark)
            end++;
        if (mark) {
            row_move(row, cell);
            style_begin(row->painter, mark->style);
            strbuf_fill(row->painter->out, mark->sign, end - cell);
            style_end(row->painter, mark->style);
            row->cell = end;
        }
        cell = end;
    }
}

/* The mark whose label stands beside the underlines: the one that ends last. */
static const Mark *choose_inline(const PlacedMark *marks, size_t count) {
    const PlacedMark *best = &marks[0];
    for (size_t i = 1; i < count; i++) {
        const PlacedMark *other = &marks[i];
        if (other->end > best->end || (other->end == best->end && other->begin > best->begin))
            best = other;
    }
    return best->mark->text[0] ? best->mark : NULL;
}

/* The first line of a label at `cell` of a row just begun, the others in rows of their own. Left
 * of it are bars of the labels still to come. */
static void paint_label(Row *row, size_t cell, const Mark *mark, const PlacedMark *hanging,
                        size_t count) {
    const char *at = mark->text;
    const char *line;
    size_t length;
    while (text_next_line(&at, &line, &length)) {
        row_bars(row, hanging, count, cell);
        row_move(row, cell);
        paint_text(row->painter, mark->style, line, length);
        strbuf_add_char(row->painter->out, '\n');
        if (at)
            *row = row_begin(row->painter);
    }
}

static void paint_marks(const Painter *painter, PlacedMark *marks, size_t count) {
    Row row = row_begin(painter);
    row_underlines(&row, marks, count);
    const Mark *beside = choose_inline(marks, count);
    qsort(marks, count, sizeof *marks, compare_begin);
    size_t hanging = 0;
    for (size_t i = 0; i < count; i++)
        if (marks[i].mark != beside && marks[i].mark->text[0])
            marks[hanging++] = marks[i];
    if (beside)
        paint_label(&row, row.cell + 1, beside, marks, hanging);
    else
        strbuf_add_char(painter->out, '\n');
    if (hanging == 0)
        return;
    row = row_begin(painter);
    row_bars(&row, marks, hanging, SIZE_MAX);
    strbuf_add_char(painter->out, '\n');
    for (size_t i = 0; i < hanging; i++) {
        row = row_begin(painter);
        paint_label(&row, marks[i].begin, marks[i].mark, marks + i + 1, hanging - i - 1);
    }
}

void paint_line(const Painter *painter, uint32_t number, char sign, const char *text, size_t length,
                const Mark *marks, size_t mark_count) {
    PlacedMark *placed = calloc(mark_count + 1, sizeof *placed);
    if (!placed)
        out_of_memory();
    for (size_t i = 0; i < mark_count; i++)
        placed[i] = mark_place(&marks[i], text, length);
    Window window = window_choose(cell_of(text, length, length), placed, mark_count);
    for (size_t i = 0; i < mark_count; i++) {
        placed[i].begin = window_place(&window, placed[i].begin);
        placed[i].end = window_place(&window, placed[i].end);
        if (placed[i].end <= placed[i].begin)
            placed[i].end = placed[i].begin + 1;
    }
    style_begin(painter, STYLE_SECONDARY);
    strbuf_format(painter->out, "%*u ", painter->number_width, (unsigned)number);
    style_end(painter, STYLE_SECONDARY);
    Style sign_style = sign == '+' ? STYLE_ADDED : sign == '-' ? STYLE_REMOVED : STYLE_SECONDARY;
    paint_text(painter, sign_style, &sign, 1);
    if (length > 0)
        strbuf_add_char(painter->out, ' ');
    paint_window(painter, &window, text, length);
    strbuf_add_char(painter->out, '\n');
    if (mark_count > 0)
        paint_marks(painter, placed, mark_count);
    free(placed);
}
