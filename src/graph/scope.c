/* Names and what they stand for: see scope.h. */
#include "graph/scope.h"

#include <assert.h>

/* Names are 16-byte aligned or packed texts in an arena: Fibonacci hashing (Knuth, volume 3, 6.4)
 * spreads such addresses. */
static size_t slot_of(const NameMap *map, const char *name) {
    uint64_t hash = (uint64_t)(uintptr_t)name * UINT64_C(0x9e3779b97f4a7c15);
    size_t slot = (size_t)(hash >> 32) & (map->capacity - 1);
    while (map->keys[slot] && map->keys[slot] != name)
        slot = (slot + 1) & (map->capacity - 1);
    return slot;
}

void *name_map_find(const NameMap *map, const char *name) {
    if (map->capacity == 0)
        return NULL;
    size_t slot = slot_of(map, name);
    return map->keys[slot] ? map->values[slot] : NULL;
}

static void grow(Arena *arena, NameMap *map) {
    NameMap old = *map;
    map->capacity = old.capacity ? old.capacity * 2 : 16;
    map->keys = ARENA_ARRAY(arena, map->capacity, const char *);
    map->values = ARENA_ARRAY(arena, map->capacity, void *);
    for (size_t i = 0; i < old.capacity; i++) {
        if (!old.keys[i])
            continue;
        size_t slot = slot_of(map, old.keys[i]);
        map->keys[slot] = old.keys[i];
        map->values[slot] = old.values[i];
    }
}

void name_map_add(Arena *arena, NameMap *map, const char *name, void *value) {
    if (map->count * 2 >= map->capacity)
        grow(arena, map);
    size_t slot = slot_of(map, name);
    assert(!map->keys[slot]);
    map->keys[slot] = name;
    map->values[slot] = value;
    map->count++;
}

Binding *scope_find_here(const Scope *scope, const char *name) {
    return name_map_find(&scope->map, name);
}

Binding *scope_find(const Scope *scope, const char *name) {
    for (; scope; scope = scope->parent) {
        Binding *binding = scope_find_here(scope, name);
        if (binding)
            return binding;
    }
    return NULL;
}

Binding *scope_add(Arena *arena, Scope *scope, Name name, Datum datum) {
    Binding *binding = ARENA_NEW(arena, Binding);
    *binding = (Binding){.name = name, .datum = datum};
    name_map_add(arena, &scope->map, name.text, binding);
    VEC_PUSH(arena, &scope->bindings, binding);
    return binding;
}
