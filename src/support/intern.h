/* Names as pointers: equal texts give the same pointer, so names are compared with ==. */
#ifndef NETC_SUPPORT_INTERN_H
#define NETC_SUPPORT_INTERN_H

#include "support/arena.h"

typedef struct Intern {
    Arena *arena; /* where the texts live */
    const char **slots;
    size_t capacity; /* a power of two, or 0 before first use */
    size_t count;
} Intern;

/* The one NUL-terminated copy of these bytes. They contain no NUL. */
const char *intern_bytes(Intern *intern, const char *text, size_t length);
const char *intern_text(Intern *intern, const char *text);

#endif
