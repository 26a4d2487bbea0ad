/* Diagnostics as text for people: the model is in docs/diagnostics.md. */
#include <stdlib.h>
#include <string.h>

#include "support/diag.h"
#include "support/excerpt.h"

#define MIN_NUMBER_WIDTH 2

typedef struct Renderer {
    Painter painter;
    Arena *arena;
    const SourceMap *sources;
} Renderer;

/* A mark and the line it stands on. */
typedef struct Place {
    const Source *source;
    uint32_t file_order; /* place of the file among those of the diagnostic */
    uint32_t line;
    size_t order; /* in which it was reported; the primary place has 0 */
    Mark mark;
} Place;

typedef VEC(Place) PlaceList;

/* ---- pieces ------------------------------------------------------------------------------- */

static void add_newline(const Renderer *renderer) {
    strbuf_add_char(renderer->painter.out, '\n');
}

static void paint_word(const Renderer *renderer, Style style, const char *text) {
    paint_text(&renderer->painter, style, text, strlen(text));
}

static void paint_empty_gutter(const Renderer *renderer) {
    paint_gutter(&renderer->painter);
    add_newline(renderer);
}

/* A text of several lines, those after the first set in by `indent` cells. */
static void paint_lines(const Renderer *renderer, const char *text, size_t indent) {
    const char *at = text;
    const char *line;
    size_t length;
    while (text_next_line(&at, &line, &length)) {
        if (line != text && length > 0)
            strbuf_fill(renderer->painter.out, ' ', indent);
        paint_text(&renderer->painter, STYLE_PLAIN, line, length);
        add_newline(renderer);
    }
}

static void paint_header(const Renderer *renderer, const Diagnostic *diagnostic) {
    bool is_error = diagnostic->is_error;
    Style style = is_error ? STYLE_ERROR : STYLE_WARNING;
    paint_word(renderer, style, is_error ? "error[" : "warning[");
    paint_word(renderer, style, diag_code_name(diagnostic->code));
    paint_word(renderer, style, "]");
    paint_word(renderer, STYLE_BOLD, ": ");
    paint_word(renderer, STYLE_BOLD, diagnostic->message);
    add_newline(renderer);
}

/* "  --> nets/tiny.net:7:11" */
static void paint_arrow(const Renderer *renderer, const char *arrow, Location location) {
    StrBuf *out = renderer->painter.out;
    strbuf_fill(out, ' ', (size_t)renderer->painter.number_width);
    paint_word(renderer, STYLE_SECONDARY, arrow);
    strbuf_add_char(out, ' ');
    paint_word(renderer, STYLE_PLAIN, location.source->name);
    strbuf_format(out, ":%u:%u\n", (unsigned)location.line, (unsigned)location.column);
}

/* ---- the source with its marks ------------------------------------------------------------ */

/* The part of `span` that is on its first line. */
static Place place_make(const Renderer *renderer, Span span, char sign, Style style,
                        const char *text) {
    Location location = source_locate(renderer->sources, span);
    const Source *source = location.source;
    size_t length;
    const char *line = source_line(source, location.line, &length);
    size_t begin = (size_t)(source->text + (span.begin - source->base) - line);
    size_t end = begin + (span.end > span.begin ? span.end - span.begin : 0);
    Mark mark = {
        .begin = begin < length ? begin : length,
        .end = end < length ? end : length,
        .sign = sign,
        .style = style,
        .text = text ? text : "",
    };
    return (Place){.source = source, .line = location.line, .mark = mark};
}

static void place_push(const Renderer *renderer, PlaceList *places, Place place) {
    place.order = places->count;
    place.file_order = (uint32_t)places->count;
    for (size_t i = places->count; i > 0; i--)
        if (places->data[i - 1].source == place.source)
            place.file_order = places->data[i - 1].file_order;
    VEC_PUSH(renderer->arena, places, place);
}

static PlaceList collect_places(const Renderer *renderer, const Diagnostic *diagnostic) {
    PlaceList places = {0};
    Style style = diagnostic->is_error ? STYLE_ERROR : STYLE_WARNING;
    if (diagnostic->span.begin)
        place_push(renderer, &places,
                   place_make(renderer, diagnostic->span, '^', style, diagnostic->label));
    for (size_t i = 0; i < diagnostic->labels.count; i++) {
        const DiagLabel *label = &diagnostic->labels.data[i];
        place_push(renderer, &places,
                   place_make(renderer, label->span, '-', STYLE_SECONDARY, label->text));
    }
    return places;
}

static int compare_places(const void *a, const void *b) {
    const Place *left = a;
    const Place *right = b;
    if (left->file_order != right->file_order)
        return left->file_order < right->file_order ? -1 : 1;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

/* What stands between two marked lines: nothing, the one line between them, or dots. */
static void paint_gap(const Renderer *renderer, const Source *source, uint32_t from, uint32_t to) {
    if (to - from == 2) {
        size_t length;
        const char *text = source_line(source, from + 1, &length);
        paint_line(&renderer->painter, from + 1, '|', text, length, NULL, 0);
    } else if (to - from > 2) {
        paint_word(renderer, STYLE_SECONDARY, "...");
        add_newline(renderer);
    }
}

/* The arrow, then every line that has a mark. `first` is where the arrow points. */
static void paint_places(const Renderer *renderer, const PlaceList *places, Span first) {
    Location location = source_locate(renderer->sources, first);
    qsort(places->data, places->count, sizeof *places->data, compare_places);
    const Source *source = NULL;
    for (size_t i = 0; i < places->count;) {
        const Place *place = &places->data[i];
        Mark *marks = ARENA_ARRAY(renderer->arena, places->count - i, Mark);
        size_t count = 0;
        size_t next = i;
        while (next < places->count && places->data[next].source == place->source &&
               places->data[next].line == place->line)
            marks[count++] = places->data[next++].mark;
        size_t length;
        const char *text = source_line(place->source, place->line, &length);
        if (place->source == source) {
            paint_gap(renderer, source, places->data[i - 1].line, place->line);
        } else {
            if (source) {
                Span span = {0};
                span.begin = place->source->base + (uint32_t)(text - place->source->text) +
                             (uint32_t)marks[0].begin;
                location = source_locate(renderer->sources, span);
            }
            paint_arrow(renderer, source ? ":::" : "-->", location);
            paint_empty_gutter(renderer);
            source = place->source;
        }
        paint_line(&renderer->painter, place->line, '|', text, length, marks, count);
        i = next;
    }
}

/* ---- fixes -------------------------------------------------------------------------------- */

typedef struct TextLine {
    const char *text;
    size_t length;
} TextLine;

typedef VEC(TextLine) TextLines;

/* Whole lines of the source before and after a fix. */
typedef struct Edit {
    Location location; /* of the first line */
    TextLines before;
    TextLines after;
    size_t column_begin; /* bytes before the fix in its first line */
} Edit;

/* Number of the last line that the fix touches. */
static uint32_t fix_last_line(const Renderer *renderer, const DiagFix *fix) {
    Span end = {fix->span.end, fix->span.end};
    if (fix->span.end < fix->span.begin)
        end = fix->span;
    return source_locate(renderer->sources, end).line;
}

static void split_lines(const Renderer *renderer, const char *text, TextLines *lines) {
    TextLine line;
    while (text_next_line(&text, &line.text, &line.length)) {
        if (line.length > 0 && line.text[line.length - 1] == '\r')
            line.length--;
        VEC_PUSH(renderer->arena, lines, line);
    }
}

static Edit edit_make(const Renderer *renderer, const DiagFix *fix) {
    Edit edit = {.location = source_locate(renderer->sources, fix->span)};
    const Source *source = edit.location.source;
    uint32_t last_line = fix_last_line(renderer, fix);
    size_t length;
    const char *first = source_line(source, edit.location.line, &length);
    for (uint32_t line = edit.location.line; line <= last_line; line++) {
        TextLine old = {0};
        old.text = source_line(source, line, &old.length);
        VEC_PUSH(renderer->arena, &edit.before, old);
    }
    const TextLine *last = &edit.before.data[edit.before.count - 1];
    const char *cut = source->text + (fix->span.begin - source->base);
    const char *resume = source->text + (fix->span.end - source->base);
    const char *end = last->text + last->length;
    edit.column_begin = (size_t)(cut - first);
    StrBuf text = {0};
    strbuf_add_bytes(&text, first, edit.column_begin);
    strbuf_add(&text, fix->replacement);
    if (resume < end)
        strbuf_add_bytes(&text, resume, (size_t)(end - resume));
    split_lines(renderer, arena_copy_text(renderer->arena, text.data, text.length), &edit.after);
    strbuf_free(&text);
    return edit;
}

static bool line_equal(const TextLine *a, const TextLine *b) {
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

/* The line as edited, with + under what is new or ~ under what is changed. */
static void paint_edited_line(const Renderer *renderer, const Edit *edit, const DiagFix *fix) {
    const Source *source = edit->location.source;
    const char *old = source->text + (fix->span.begin - source->base);
    size_t old_length = fix->span.end - fix->span.begin;
    size_t new_length = strlen(fix->replacement);
    Mark mark = {.begin = edit->column_begin, .sign = '~', .style = STYLE_CHANGED, .text = ""};
    mark.end = mark.begin + new_length;
    if (new_length > old_length) {
        size_t added = new_length - old_length;
        bool keeps_begin = memcmp(fix->replacement, old, old_length) == 0;
        bool keeps_end = memcmp(fix->replacement + added, old, old_length) == 0;
        if (keeps_begin)
            mark.begin += old_length;
        else if (keeps_end)
            mark.end -= old_length;
        if (keeps_begin || keeps_end) {
            mark.sign = '+';
            mark.style = STYLE_ADDED;
        }
    }
    const TextLine *line = &edit->after.data[0];
    paint_line(&renderer->painter, edit->location.line, '|', line->text, line->length, &mark, 1);
}

/* Lines that go with -, lines that come with +; what both have at the ends is left out. */
static void paint_changed_lines(const Renderer *renderer, const Edit *edit) {
    const TextLine *before = edit->before.data;
    const TextLine *after = edit->after.data;
    size_t before_end = edit->before.count;
    size_t after_end = edit->after.count;
    size_t begin = 0;
    while (begin < before_end && begin < after_end && line_equal(&before[begin], &after[begin]))
        begin++;
    while (before_end > begin && after_end > begin &&
           line_equal(&before[before_end - 1], &after[after_end - 1])) {
        before_end--;
        after_end--;
    }
    uint32_t first = edit->location.line;
    for (size_t i = begin; i < before_end; i++)
        paint_line(&renderer->painter, first + (uint32_t)i, '-', before[i].text, before[i].length,
                   NULL, 0);
    for (size_t i = begin; i < after_end; i++)
        paint_line(&renderer->painter, first + (uint32_t)i, '+', after[i].text, after[i].length,
                   NULL, 0);
    paint_empty_gutter(renderer);
}

static void paint_fix(const Renderer *renderer, const DiagFix *fix, const Source *primary) {
    paint_word(renderer, STYLE_BOLD, "help");
    strbuf_add(renderer->painter.out, ": ");
    paint_lines(renderer, fix->message, strlen("help: "));
    if (!fix->replacement)
        return;
    Edit edit = edit_make(renderer, fix);
    if (edit.location.source != primary)
        paint_arrow(renderer, "-->", edit.location);
    paint_empty_gutter(renderer);
    if (edit.before.count == 1 && edit.after.count == 1 && fix->replacement[0])
        paint_edited_line(renderer, &edit, fix);
    else
        paint_changed_lines(renderer, &edit);
}

/* ---- whole diagnostics -------------------------------------------------------------------- */

/* Digits of the largest line number that will be printed. */
static int number_width(const Renderer *renderer, const Diagnostic *diagnostic,
                        const PlaceList *places) {
    uint64_t largest = 0;
    for (size_t i = 0; i < places->count; i++)
        if (places->data[i].line > largest)
            largest = places->data[i].line;
    for (size_t i = 0; i < diagnostic->fixes.count; i++) {
        const DiagFix *fix = &diagnostic->fixes.data[i];
        if (!fix->replacement)
            continue;
        uint64_t line = fix_last_line(renderer, fix);
        for (const char *at = fix->replacement; (at = strchr(at, '\n')); at++)
            line++;
        if (line > largest)
            largest = line;
    }
    int width = 0;
    for (; largest > 0; largest /= 10)
        width++;
    return width > MIN_NUMBER_WIDTH ? width : MIN_NUMBER_WIDTH;
}

static void render_diagnostic(Renderer *renderer, const Diagnostic *diagnostic) {
    PlaceList places = collect_places(renderer, diagnostic);
    renderer->painter.number_width = number_width(renderer, diagnostic, &places);
    paint_header(renderer, diagnostic);
    const Source *primary = NULL;
    if (places.count > 0) {
        Span first = diagnostic->span.begin ? diagnostic->span : diagnostic->labels.data[0].span;
        primary = source_of(renderer->sources, first);
        paint_places(renderer, &places, first);
        if (diagnostic->notes.count + diagnostic->fixes.count > 0)
            paint_empty_gutter(renderer);
    }
    size_t note_indent = (size_t)renderer->painter.number_width + 1;
    for (size_t i = 0; i < diagnostic->notes.count; i++) {
        strbuf_fill(renderer->painter.out, ' ', note_indent);
        paint_word(renderer, STYLE_SECONDARY, "= ");
        paint_word(renderer, STYLE_BOLD, "note");
        strbuf_add(renderer->painter.out, ": ");
        paint_lines(renderer, diagnostic->notes.data[i], note_indent + strlen("= note: "));
    }
    for (size_t i = 0; i < diagnostic->fixes.count; i++)
        paint_fix(renderer, &diagnostic->fixes.data[i], primary);
}

/* "error: 3 more errors not shown (use --error-limit=0)" */
static void render_hidden(const Renderer *renderer, Style style, const char *severity,
                          size_t hidden) {
    if (hidden == 0)
        return;
    add_newline(renderer);
    paint_word(renderer, style, severity);
    strbuf_format(renderer->painter.out, ": %zu more %s%s not shown (use --error-limit=0)\n",
                  hidden, severity, hidden == 1 ? "" : "s");
}

void diag_render_text(const Diagnostics *diagnostics, size_t limit, bool colour, StrBuf *out) {
    Renderer renderer = {
        .painter = {.out = out, .colour = colour, .number_width = MIN_NUMBER_WIDTH},
        .arena = diagnostics->arena,
        .sources = diagnostics->sources,
    };
    size_t errors = 0;
    size_t warnings = 0;
    bool is_first = true;
    for (size_t i = 0; i < diagnostics->list.count; i++) {
        const Diagnostic *diagnostic = diagnostics->list.data[i];
        size_t *shown = diagnostic->is_error ? &errors : &warnings;
        if (limit > 0 && *shown == limit)
            continue;
        ++*shown;
        if (!is_first)
            add_newline(&renderer);
        is_first = false;
        render_diagnostic(&renderer, diagnostic);
    }
    render_hidden(&renderer, STYLE_ERROR, "error", diagnostics->error_count - errors);
    render_hidden(&renderer, STYLE_WARNING, "warning", diagnostics->warning_count - warnings);
}
