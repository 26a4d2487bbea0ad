#include "output/edited_source.h"

#include <stdlib.h>
#include <string.h>

#define CONTEXT_LINES 3

/* ---- which fixes ---------------------------------------------------------------------------- */

static int compare_fixes(const void *a, const void *b) {
    const DiagFix *left = *(const DiagFix *const *)a;
    const DiagFix *right = *(const DiagFix *const *)b;
    if (left->span.begin != right->span.begin)
        return left->span.begin < right->span.begin ? -1 : 1;
    if (left->span.end != right->span.end)
        return left->span.end < right->span.end ? -1 : 1;
    return strcmp(left->replacement, right->replacement);
}

/* Of each diagnostic the first that is applicable, in the order of their places. */
static FixList applicable_fixes(const Diagnostics *diagnostics) {
    FixList fixes = {0};
    for (size_t i = 0; i < diagnostics->list.count; i++) {
        const Diagnostic *diagnostic = diagnostics->list.data[i];
        size_t k = 0;
        while (k < diagnostic->fixes.count && !diagnostic->fixes.data[k].applicable)
            k++;
        if (k < diagnostic->fixes.count)
            VEC_PUSH(diagnostics->arena, &fixes, &diagnostic->fixes.data[k]);
    }
    if (fixes.count > 0)
        qsort(fixes.data, fixes.count, sizeof *fixes.data, compare_fixes);
    return fixes;
}

/* Insertions in one place are one over the other too: which comes first is not said. */
static bool is_behind(const DiagFix *fix, const DiagFix *earlier) {
    return fix->span.begin >= earlier->span.end && fix->span.begin > earlier->span.begin;
}

SourceEditsList edits_of_diagnostics(const Diagnostics *diagnostics, size_t *waiting) {
    SourceEditsList list = {0};
    FixList fixes = applicable_fixes(diagnostics);
    const DiagFix *last = NULL;
    *waiting = 0;
    for (size_t i = 0; i < fixes.count; i++) {
        const DiagFix *fix = fixes.data[i];
        if (last && !is_behind(fix, last)) {
            *waiting += compare_fixes(&fix, &last) != 0; /* two diagnostics may want the same */
            continue;
        }
        const Source *source = source_of(diagnostics->sources, fix->span);
        if (list.count == 0 || list.data[list.count - 1].source != source)
            VEC_PUSH(diagnostics->arena, &list, (SourceEdits){.source = source});
        VEC_PUSH(diagnostics->arena, &list.data[list.count - 1].fixes, fix);
        last = fix;
    }
    return list;
}

/* ---- the text ------------------------------------------------------------------------------- */

static uint32_t begin_of(const SourceEdits *edits, size_t index) {
    return edits->fixes.data[index]->span.begin - edits->source->base;
}

static uint32_t end_of(const SourceEdits *edits, size_t index) {
    return edits->fixes.data[index]->span.end - edits->source->base;
}

/* The bytes from `begin` to `end` with the edits from `first` to before `last`, all within. */
static void add_edited(const SourceEdits *edits, size_t first, size_t last, uint32_t begin,
                       uint32_t end, StrBuf *out) {
    for (size_t i = first; i < last; i++) {
        strbuf_add_bytes(out, edits->source->text + begin, begin_of(edits, i) - begin);
        strbuf_add(out, edits->fixes.data[i]->replacement);
        begin = end_of(edits, i);
    }
    strbuf_add_bytes(out, edits->source->text + begin, end - begin);
}

void edited_text(const SourceEdits *edits, StrBuf *out) {
    if (edits->source->has_mark)
        strbuf_add(out, "\xEF\xBB\xBF");
    add_edited(edits, 0, edits->fixes.count, 0, edits->source->length, out);
}

/* ---- the diff ------------------------------------------------------------------------------- */

/* patch(1) knows one line end, \n: lines here are its lines. */
static uint32_t line_begin(const Source *source, uint32_t at) {
    while (at > 0 && source->text[at - 1] != '\n')
        at--;
    return at;
}

/* Behind the line end. */
static uint32_t line_end(const Source *source, uint32_t at) {
    const char *end = memchr(source->text + at, '\n', source->length - at);
    return end ? (uint32_t)(end - source->text) + 1 : source->length;
}

static uint32_t count_lines(const char *text, size_t length) {
    uint32_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += text[i] == '\n' || i + 1 == length;
    return count;
}

/* The lines of a text, each behind `sign`. */
static void add_lines(const char *text, size_t length, char sign, StrBuf *out) {
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t next = end ? (size_t)(end - text) + 1 : length;
        strbuf_add_char(out, sign);
        strbuf_add_bytes(out, text + at, next - at);
        if (!end)
            strbuf_add(out, "\n\\ No newline at end of file\n");
        at = next;
    }
}

/* Whole lines that change: [begin, end) becomes what the edits from `first` to before `last` make
 * of it. */
typedef struct Change {
    size_t first;
    size_t last;
    uint32_t begin;
    uint32_t end;
} Change;

/* The change that edit `first` begins, with all others in its lines and in those next to them. */
static Change change_at(const SourceEdits *edits, size_t first) {
    const Source *source = edits->source;
    Change change = {first, first + 1, line_begin(source, begin_of(edits, first)), 0};
    change.end = line_end(source, end_of(edits, first));
    while (change.last < edits->fixes.count &&
           line_begin(source, begin_of(edits, change.last)) <= change.end) {
        change.end = line_end(source, end_of(edits, change.last));
        change.last++;
    }
    return change;
}

static uint32_t lines_back(const Source *source, uint32_t at, int lines) {
    for (int i = 0; i < lines && at > 0; i++)
        at = line_begin(source, at - 1);
    return at;
}

static uint32_t lines_on(const Source *source, uint32_t at, int lines) {
    for (int i = 0; i < lines && at < source->length; i++)
        at = line_end(source, at);
    return at;
}

/* One hunk from edit `first` on: changes that are so near that their context touches. Adds its
 * lines to `body` and returns the edit behind it; *begin and *end are the bytes it covers, *after
 * how many lines they become. */
static size_t add_hunk(const SourceEdits *edits, size_t first, uint32_t *begin, uint32_t *end,
                       uint32_t *after, StrBuf *body) {
    const Source *source = edits->source;
    Change change = change_at(edits, first);
    uint32_t at = *begin = lines_back(source, change.begin, CONTEXT_LINES);
    *after = 0;
    for (;;) {
        StrBuf made = {0};
        add_edited(edits, change.first, change.last, change.begin, change.end, &made);
        add_lines(source->text + at, change.begin - at, ' ', body);
        add_lines(source->text + change.begin, change.end - change.begin, '-', body);
        add_lines(strbuf_text(&made), made.length, '+', body);
        *after += count_lines(source->text + at, change.begin - at) +
                  count_lines(strbuf_text(&made), made.length);
        strbuf_free(&made);
        at = change.end;
        *end = lines_on(source, at, CONTEXT_LINES);
        if (change.last == edits->fixes.count)
            break;
        Change next = change_at(edits, change.last);
        if (lines_back(source, next.begin, CONTEXT_LINES) > *end)
            break;
        change = next;
    }
    add_lines(source->text + at, *end - at, ' ', body);
    *after += count_lines(source->text + at, *end - at);
    return change.last;
}

void edited_diff(const SourceEdits *edits, StrBuf *out) {
    const Source *source = edits->source;
    strbuf_format(out, "--- %s\n+++ %s\n", source->name, source->name);
    uint32_t counted = 0, line = 1; /* lines before the byte `counted` of the source, and one */
    int64_t shift = 0;              /* lines that the hunks before have added */
    for (size_t i = 0; i < edits->fixes.count;) {
        StrBuf body = {0};
        uint32_t begin, end, after;
        i = add_hunk(edits, i, &begin, &end, &after, &body);
        line += count_lines(source->text + counted, begin - counted);
        uint32_t before = count_lines(source->text + begin, end - begin);
        strbuf_format(out, "@@ -%u,%u +%u,%u @@\n%s", line, before, (unsigned)(line + shift), after,
                      strbuf_text(&body));
        shift += (int64_t)after - before;
        line += before;
        counted = end;
        strbuf_free(&body);
    }
}
