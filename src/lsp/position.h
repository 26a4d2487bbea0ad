/* Places of the protocol: a line from 0 and, in it, units of the encoding that both sides agreed
 * on. */
#ifndef NETC_LSP_POSITION_H
#define NETC_LSP_POSITION_H

#include <jansson.h>

#include "support/source.h"

typedef enum PositionEncoding {
    POSITION_UTF16, /* what every client knows */
    POSITION_UTF8,
    POSITION_UTF32,
} PositionEncoding;

/* "utf-16" */
const char *position_encoding_name(PositionEncoding encoding);

/* The first of the client's list that is one of them; NULL is no list. */
PositionEncoding position_encoding_choose(const json_t *offered);

/* The range of a span; of SPAN_NONE the start of a file. */
json_t *position_range(PositionEncoding encoding, const SourceMap *sources, Span span);

/* Where the span ends. */
json_t *position_end(PositionEncoding encoding, const SourceMap *sources, Span span);

/* The offset, in the common address space, of a position: behind the end of its line that end, and
 * behind the last line the end of the text. False if it is none. */
bool position_read(PositionEncoding encoding, const Source *source, const json_t *position,
                   uint32_t *offset);

#endif
