#include "support/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/arena.h"

#define STRBUF_FIRST_CAPACITY ((size_t)64)

/* Makes room for `added` more bytes and the NUL. */
static void strbuf_reserve(StrBuf *text, size_t added) {
    size_t needed;
    if (__builtin_add_overflow(text->length, added, &needed) || needed >= SIZE_MAX / 2)
        out_of_memory();
    needed++;
    if (needed <= text->capacity)
        return;
    size_t capacity = text->capacity ? text->capacity * 2 : STRBUF_FIRST_CAPACITY;
    if (capacity < needed)
        capacity = needed;
    char *data = realloc(text->data, capacity);
    if (!data)
        out_of_memory();
    text->data = data;
    text->capacity = capacity;
}

void strbuf_free(StrBuf *text) {
    free(text->data);
    *text = (StrBuf){0};
}

void strbuf_add(StrBuf *text, const char *added) {
    strbuf_add_bytes(text, added, strlen(added));
}

void strbuf_add_bytes(StrBuf *text, const char *bytes, size_t length) {
    strbuf_reserve(text, length);
    if (length > 0)
        memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void strbuf_add_char(StrBuf *text, char c) {
    strbuf_add_bytes(text, &c, 1);
}

void strbuf_fill(StrBuf *text, char c, size_t count) {
    strbuf_reserve(text, count);
    memset(text->data + text->length, c, count);
    text->length += count;
    text->data[text->length] = '\0';
}

void strbuf_format(StrBuf *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    strbuf_format_list(text, format, arguments);
    va_end(arguments);
}

void strbuf_format_list(StrBuf *text, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    strbuf_reserve(text, 0);
    size_t room = text->capacity - text->length;
    int length = vsnprintf(text->data + text->length, room, format, arguments);
    if (length < 0)
        out_of_memory();
    if ((size_t)length >= room) {
        strbuf_reserve(text, (size_t)length);
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
    }
    va_end(again);
    text->length += (size_t)length;
}

void strbuf_add_count(StrBuf *text, int64_t number, char separator) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)number);
    for (int i = 0; i < length; i++) {
        if (i > 0 && digits[i - 1] != '-' && (length - i) % 3 == 0)
            strbuf_add_char(text, separator);
        strbuf_add_char(text, digits[i]);
    }
}

const char *strbuf_text(const StrBuf *text) {
    return text->data ? text->data : "";
}
