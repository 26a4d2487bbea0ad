#include "support/intern.h"

#include <string.h>

#include "support/hash.h"

#define INTERN_FIRST_CAPACITY ((size_t)64)

/* The slot of a text: the one that has it, else the free one where it belongs. Linear probing. */
static const char **find_slot(const char **slots, size_t capacity, const char *text,
                              size_t length) {
    size_t at = (size_t)hash_bytes(text, length) & (capacity - 1);
    while (slots[at] && (strncmp(slots[at], text, length) != 0 || slots[at][length] != '\0'))
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

/* Doubles the table; it is never more than half full. */
static void intern_grow(Intern *intern) {
    size_t capacity = intern->capacity ? intern->capacity * 2 : INTERN_FIRST_CAPACITY;
    const char **slots = ARENA_ARRAY(intern->arena, capacity, const char *);
    for (size_t i = 0; i < intern->capacity; i++) {
        const char *text = intern->slots[i];
        if (text)
            *find_slot(slots, capacity, text, strlen(text)) = text;
    }
    intern->slots = slots;
    intern->capacity = capacity;
}

const char *intern_bytes(Intern *intern, const char *text, size_t length) {
    if (intern->count >= intern->capacity / 2)
        intern_grow(intern);
    const char **slot = find_slot(intern->slots, intern->capacity, text, length);
    if (!*slot) {
        *slot = arena_copy_text(intern->arena, text, length);
        intern->count++;
    }
    return *slot;
}

const char *intern_text(Intern *intern, const char *text) {
    return intern_bytes(intern, text, strlen(text));
}
