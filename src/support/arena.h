/* Bump allocation: everything that lives as long as one compilation comes from one arena.
 *
 * Receives sizes, produces zeroed memory, never frees a single object. A pointer stays valid until
 * arena_free. Running out of memory ends the work (support/failure.h), so no caller tests for NULL.
 */
#ifndef NETC_SUPPORT_ARENA_H
#define NETC_SUPPORT_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "support/failure.h"

#define HUGE_PAGE ((size_t)2 * 1024 * 1024) /* of x86-64, and of aarch64 with pages of 4 KB */

typedef struct ArenaChunk ArenaChunk;

typedef struct Arena {
    ArenaChunk *chunks; /* newest first */
} Arena;

/* An all-zero Arena is empty and ready. Frees every object ever allocated from it. */
void arena_free(Arena *arena);

/* `size` zeroed bytes aligned to 16. A size of 0 gives a valid, distinct pointer. */
void *arena_alloc(Arena *arena, size_t size);

/* `count` zeroed elements of `size` bytes; the product is overflow-checked. */
void *arena_array(Arena *arena, size_t count, size_t size);

/* A NUL-terminated copy of `length` bytes. */
char *arena_copy_text(Arena *arena, const char *text, size_t length);

/* printf into the arena. */
char *arena_format(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_format_list(Arena *arena, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

#define ARENA_NEW(arena, Type)          ((Type *)arena_alloc((arena), sizeof(Type)))
#define ARENA_ARRAY(arena, count, Type) ((Type *)arena_array((arena), (count), sizeof(Type)))

#endif
