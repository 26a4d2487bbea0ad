#include "lsp/position.h"

#include <string.h>

#include "support/unicode.h"

#define BYTE_ORDER_MARK 0xFEFF

static const char *const encoding_names[] = {
    [POSITION_UTF16] = "utf-16",
    [POSITION_UTF8] = "utf-8",
    [POSITION_UTF32] = "utf-32",
};
#define ENCODINGS (sizeof encoding_names / sizeof *encoding_names)

const char *position_encoding_name(PositionEncoding encoding) {
    return encoding_names[encoding];
}

PositionEncoding position_encoding_choose(const json_t *offered) {
    size_t index;
    json_t *name;
    json_array_foreach(offered, index, name) {
        for (size_t i = 0; i < ENCODINGS; i++)
            if (json_is_string(name) && strcmp(json_string_value(name), encoding_names[i]) == 0)
                return (PositionEncoding)i;
    }
    return POSITION_UTF16;
}

static uint32_t units_of(PositionEncoding encoding, uint32_t scalar) {
    switch (encoding) {
    case POSITION_UTF16: return scalar > 0xFFFF && scalar != UNICODE_INVALID ? 2 : 1;
    case POSITION_UTF8:
        if (scalar == UNICODE_INVALID)
            return 1;
        return scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4;
    case POSITION_UTF32: break;
    }
    return 1;
}

/* Of a byte order mark, which the client counts and the source's text does not have. */
static uint32_t units_before(PositionEncoding encoding, const Source *source, uint32_t line) {
    return source->has_mark && line == 0 ? units_of(encoding, BYTE_ORDER_MARK) : 0;
}

static json_t *position_of(PositionEncoding encoding, const SourceMap *sources, uint32_t place) {
    Location at = source_locate(sources, (Span){place, place});
    const Source *source = at.source;
    uint32_t line = at.line - 1;
    uint32_t units = units_before(encoding, source, line);
    uint32_t end = place - source->base;
    for (uint32_t byte = source->line_begin[line]; byte < end;) {
        uint32_t scalar;
        byte += (uint32_t)unicode_decode(source->text + byte, source->length - byte, &scalar);
        units += units_of(encoding, scalar);
    }
    return json_pack("{s:I, s:I}", "line", (json_int_t)line, "character", (json_int_t)units);
}

json_t *position_range(PositionEncoding encoding, const SourceMap *sources, Span span) {
    if (span.begin == 0)
        return json_pack("{s:{s:i, s:i}, s:{s:i, s:i}}", "start", "line", 0, "character", 0, "end",
                         "line", 0, "character", 0);
    return json_pack("{s:o, s:o}", "start", position_of(encoding, sources, span.begin), "end",
                     position_of(encoding, sources, span.end));
}

json_t *position_end(PositionEncoding encoding, const SourceMap *sources, Span span) {
    return position_of(encoding, sources, span.end);
}

bool position_read(PositionEncoding encoding, const Source *source, const json_t *position,
                   uint32_t *offset) {
    const json_t *line = json_object_get(position, "line");
    const json_t *character = json_object_get(position, "character");
    if (!json_is_integer(line) || !json_is_integer(character) || json_integer_value(line) < 0 ||
        json_integer_value(character) < 0)
        return false;
    *offset = source->base + source->length;
    if (json_integer_value(line) >= source->line_count)
        return true;
    uint32_t number = (uint32_t)json_integer_value(line);
    size_t length;
    const char *text = source_line(source, number + 1, &length);
    json_int_t units = units_before(encoding, source, number);
    size_t at = 0;
    while (at < length && units < json_integer_value(character)) {
        uint32_t scalar;
        at += unicode_decode(text + at, length - at, &scalar);
        units += units_of(encoding, scalar);
    }
    *offset = source->base + source->line_begin[number] + (uint32_t)at;
    return true;
}
