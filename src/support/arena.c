#include "support/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ARENA_ALIGNMENT ((size_t)16)
#define FIRST_CHUNK     ((size_t)64 * 1024) /* those after it are huge pages */
#define LARGE           (FIRST_CHUNK / 4)   /* objects that get a chunk of their own */

struct ArenaChunk {
    ArenaChunk *next;
    size_t used;
    size_t capacity;
    _Alignas(16) unsigned char bytes[];
};

void arena_free(Arena *arena) {
    ArenaChunk *chunk = arena->chunks;
    while (chunk) {
        ArenaChunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    arena->chunks = NULL;
}

/* A chunk of so many bytes, its own fields among them. */
static ArenaChunk *chunk_new(size_t bytes) {
    ArenaChunk *chunk = bytes == HUGE_PAGE ? aligned_alloc(HUGE_PAGE, bytes) : calloc(1, bytes);
    if (!chunk)
        out_of_memory();
    if (bytes == HUGE_PAGE) { /* one page fault in the place of 512 */
        madvise(chunk, bytes, MADV_HUGEPAGE);
        memset(chunk, 0, bytes);
    }
    chunk->capacity = bytes - sizeof(ArenaChunk);
    return chunk;
}

/* A chunk of its own, put behind the newest so that what is left of that one is still used. */
static void *alloc_large(Arena *arena, size_t size) {
    if (size > SIZE_MAX - sizeof(ArenaChunk))
        out_of_memory();
    ArenaChunk *chunk = chunk_new(sizeof(ArenaChunk) + size);
    chunk->used = size;
    if (arena->chunks) {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
    } else {
        arena->chunks = chunk;
    }
    return chunk->bytes;
}

void *arena_alloc(Arena *arena, size_t size) {
    if (size > SIZE_MAX - ARENA_ALIGNMENT)
        out_of_memory();
    size_t rounded = (size + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
    if (rounded == 0)
        rounded = ARENA_ALIGNMENT;
    ArenaChunk *chunk = arena->chunks;
    if (!chunk || chunk->capacity - chunk->used < rounded) {
        if (rounded > LARGE)
            return alloc_large(arena, rounded);
        chunk = chunk_new(arena->chunks ? HUGE_PAGE : FIRST_CHUNK);
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    void *object = chunk->bytes + chunk->used;
    chunk->used += rounded;
    return object;
}

void *arena_array(Arena *arena, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory();
    return arena_alloc(arena, bytes);
}

char *arena_copy_text(Arena *arena, const char *text, size_t length) {
    if (length == SIZE_MAX)
        out_of_memory();
    char *copy = arena_alloc(arena, length + 1);
    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

char *arena_format(Arena *arena, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = arena_format_list(arena, format, arguments);
    va_end(arguments);
    return text;
}

/* Nearly all texts are short, so that to format them once is enough. */
char *arena_format_list(Arena *arena, const char *format, va_list arguments) {
    char first[256];
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(first, sizeof first, format, arguments);
    if (length < 0)
        out_of_memory();
    char *text = arena_alloc(arena, (size_t)length + 1);
    if ((size_t)length < sizeof first)
        memcpy(text, first, (size_t)length);
    else
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
