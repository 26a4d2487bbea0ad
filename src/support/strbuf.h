/* A text that grows at its end. All-zero is the empty text; free with strbuf_free. */
#ifndef NETC_SUPPORT_STRBUF_H
#define NETC_SUPPORT_STRBUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct StrBuf {
    char *data; /* NUL-terminated once anything was added; NULL before */
    size_t length;
    size_t capacity;
} StrBuf;

void strbuf_free(StrBuf *text);
void strbuf_add(StrBuf *text, const char *added);
void strbuf_add_bytes(StrBuf *text, const char *bytes, size_t length);
void strbuf_add_char(StrBuf *text, char c);
void strbuf_fill(StrBuf *text, char c, size_t count);
void strbuf_format(StrBuf *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strbuf_format_list(StrBuf *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* Appends a number with `separator` between groups of three digits: 50828751 -> 50,828,751. */
void strbuf_add_count(StrBuf *text, int64_t number, char separator);

/* The text as a C string, never NULL. Valid until the next change. */
const char *strbuf_text(const StrBuf *text);

#endif
