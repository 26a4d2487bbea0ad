/* UTF-8 and how wide characters stand on a terminal. Independent of the locale. */
#ifndef NETC_SUPPORT_UNICODE_H
#define NETC_SUPPORT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNICODE_INVALID UINT32_MAX /* a byte that begins no well-formed sequence */

/* Reads one scalar value from `length` >= 1 bytes and returns how many it took. An ill-formed byte
 * (also of an overlong form or a surrogate) gives UNICODE_INVALID and takes one. */
size_t unicode_decode(const char *text, size_t length, uint32_t *scalar);

/* Terminal cells: 2 for wide East Asian characters and emoji, 0 for combining marks, else 1. */
int unicode_cells(uint32_t scalar);

/* Control, bidirectional and invisible characters, which could make a text look like another: they
 * are shown as \u{202E}. */
bool unicode_is_deceptive(uint32_t scalar);

/* What names consist of. */
static inline bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

#endif
