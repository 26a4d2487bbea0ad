/* Names and what they stand for. Keys are interned, so they are compared as pointers. */
#ifndef NETC_GRAPH_SCOPE_H
#define NETC_GRAPH_SCOPE_H

#include "graph/datum.h"

/* A hash map from interned names. All-zero is empty. */
typedef struct NameMap {
    const char **keys;
    void **values;
    size_t capacity; /* a power of two, or 0 before first use */
    size_t count;
} NameMap;

/* The value of `name`, NULL if it has none. */
void *name_map_find(const NameMap *map, const char *name);
/* `name` must not be in the map yet. */
void name_map_add(Arena *arena, NameMap *map, const char *name, void *value);

/* A name that stands for a value: a `let`, a named value, an input. */
typedef struct Binding {
    Name name;
    Datum datum;
    bool used;
} Binding;

typedef struct Scope Scope;
struct Scope {
    const Scope *parent; /* NULL: the file's */
    NameMap map;
    VEC(Binding *) bindings; /* in the order of the text */
};

/* The innermost binding of `name`, NULL without one. */
Binding *scope_find(const Scope *scope, const char *name);
/* The binding of `name` in this scope alone. */
Binding *scope_find_here(const Scope *scope, const char *name);
/* Binds a name that this scope does not have yet. */
Binding *scope_add(Arena *arena, Scope *scope, Name name, Datum datum);

#endif
