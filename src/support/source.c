#include "support/source.h"

#include <assert.h>
#include <string.h>

#include "support/unicode.h"

#define MARK "\xEF\xBB\xBF" /* the byte order mark, of no use in UTF-8 */

/* Bytes of the line end at `at`, as in grammar/net.l: CR LF, LF or CR; 0 if there is none. */
static size_t line_end_length(const char *at, const char *end) {
    if (at == end || (*at != '\n' && *at != '\r'))
        return 0;
    return *at == '\r' && at + 1 < end && at[1] == '\n' ? 2 : 1;
}

/* Where the line after the one at `at` begins; NULL behind the last. */
static const char *line_next(const char *at, const char *end) {
    for (; at < end; at++) {
        size_t length = line_end_length(at, end);
        if (length > 0)
            return at + length;
    }
    return NULL;
}

/* Fills line_begin: line 1 begins at 0, every other one after a line end. */
static void source_find_lines(Arena *arena, Source *source) {
    const char *end = source->text + source->length;
    uint32_t count = 1;
    for (const char *at = source->text; (at = line_next(at, end));)
        count++;
    source->line_begin = ARENA_ARRAY(arena, count, uint32_t);
    source->line_count = count;
    uint32_t line = 1;
    for (const char *at = source->text; (at = line_next(at, end));)
        source->line_begin[line++] = (uint32_t)(at - source->text);
}

Source *source_add(SourceMap *map, const char *name, const char *text, size_t length) {
    size_t mark = sizeof MARK - 1;
    bool has_mark = length >= mark && memcmp(text, MARK, mark) == 0;
    if (has_mark) {
        text += mark;
        length -= mark;
    }
    uint32_t base = map->next_base ? map->next_base : 1;
    /* A file takes one offset more than it has bytes: its end is a place too. */
    if (length >= UINT32_MAX - base)
        return NULL;
    Source *source = ARENA_NEW(map->arena, Source);
    source->name = arena_copy_text(map->arena, name, strlen(name));
    source->text = arena_copy_text(map->arena, text, length);
    source->length = (uint32_t)length;
    source->has_mark = has_mark;
    source->base = base;
    source_find_lines(map->arena, source);
    map->next_base = base + source->length + 1;
    VEC_PUSH(map->arena, &map->sources, source);
    return source;
}

const Source *source_of(const SourceMap *map, Span span) {
    for (size_t i = map->sources.count; i > 0; i--) {
        const Source *source = map->sources.data[i - 1];
        if (span.begin >= source->base) {
            assert(span.begin - source->base <= source->length);
            return source;
        }
    }
    return NULL;
}

/* The line (from 1) that has the byte at `offset` of the text. */
static uint32_t source_line_at(const Source *source, uint32_t offset) {
    uint32_t low = 0;
    uint32_t high = source->line_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (source->line_begin[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low + 1;
}

Location source_locate(const SourceMap *map, Span span) {
    const Source *source = source_of(map, span);
    assert(source);
    uint32_t offset = span.begin - source->base;
    Location location = {.source = source,
                         .line = source_line_at(source, offset),
                         .column = 1,
                         .byte = offset + (source->has_mark ? sizeof MARK - 1 : 0)};
    uint32_t at = source->line_begin[location.line - 1];
    while (at < offset) {
        uint32_t scalar;
        at += (uint32_t)unicode_decode(source->text + at, source->length - at, &scalar);
        if (at <= offset)
            location.column++;
    }
    return location;
}

const char *source_text(const SourceMap *map, Span span, size_t *length) {
    const Source *source = source_of(map, span);
    *length = source ? span.end - span.begin : 0;
    return source ? source->text + (span.begin - source->base) : NULL;
}

const char *source_line(const Source *source, uint32_t line, size_t *length) {
    assert(line >= 1 && line <= source->line_count);
    const char *begin = source->text + source->line_begin[line - 1];
    const char *end = source->text + source->length;
    const char *at = begin;
    while (at < end && line_end_length(at, end) == 0)
        at++;
    *length = (size_t)(at - begin);
    return begin;
}

Span span_join(Span a, Span b) {
    if (a.begin == 0)
        return b;
    if (b.begin == 0)
        return a;
    return (Span){
        .begin = a.begin < b.begin ? a.begin : b.begin,
        .end = a.end > b.end ? a.end : b.end,
    };
}
