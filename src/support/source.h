/* Source texts and places in them.
 *
 * Every file read gets a range of one common address space of byte offsets, so a Span is two
 * numbers and says by itself which file it is in. Lines and columns are worked out only when
 * something is printed. CR LF, LF and a lone CR end a line. */
#ifndef NETC_SUPPORT_SOURCE_H
#define NETC_SUPPORT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "support/vec.h"

/* Half-open range of byte offsets [begin, end). {0, 0} is "no place": files start at offset 1. */
typedef struct Span {
    uint32_t begin;
    uint32_t end;
} Span;

#define SPAN_NONE ((Span){0, 0})

typedef struct Source {
    const char *name; /* as shown in messages: the path given, or `<stdin>` */
    const char
        *text;       /* `length` bytes and a NUL; CRLF kept as it is; a leading UTF-8 BOM skipped */
    uint32_t length; /* bytes */
    bool has_mark;   /* that BOM was there */
    uint32_t base;   /* offset of the first byte in the common address space */
    uint32_t *line_begin; /* offset in `text` of each line's first byte */
    uint32_t line_count;
} Source;

typedef struct SourceMap {
    Arena *arena;
    VEC(Source *) sources;
    uint32_t next_base; /* 0 before the first file */
} SourceMap;

/* A place as people read it: line and column count from 1, columns in Unicode scalar values. */
typedef struct Location {
    const Source *source;
    uint32_t line;
    uint32_t column;
    size_t byte; /* from 0, in the file: with its byte order mark */
} Location;

/* Adds a text (copied). NULL when the address space (4 GiB over all files) is used up. */
Source *source_add(SourceMap *map, const char *name, const char *text, size_t length);

/* The file an offset is in; NULL for SPAN_NONE. */
const Source *source_of(const SourceMap *map, Span span);

/* Where span.begin stands. `span` is not SPAN_NONE. */
Location source_locate(const SourceMap *map, Span span);

/* The text of a span, not ended by a NUL, and its length; NULL and 0 for SPAN_NONE. */
const char *source_text(const SourceMap *map, Span span, size_t *length);

/* The text of line `line` (from 1) without its line end. */
const char *source_line(const Source *source, uint32_t line, size_t *length);

/* The smallest span over both; SPAN_NONE counts as nothing. */
Span span_join(Span a, Span b);

#endif
