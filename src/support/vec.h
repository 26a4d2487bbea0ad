/* Growing arrays in an arena: `VEC(Node *) nodes;` then `VEC_PUSH(arena, &nodes, node)`.
 *
 * Growth copies into fresh arena memory (the old block stays behind, at most as large again), so
 * element pointers are not stable while a vector grows; `data` may be kept once it is complete. */
#ifndef NETC_SUPPORT_VEC_H
#define NETC_SUPPORT_VEC_H

#include "support/arena.h"

#define VEC(Type)                                                                                  \
    struct {                                                                                       \
        Type *data;                                                                                \
        size_t count;                                                                              \
        size_t capacity;                                                                           \
    }

/* Appends `value`. `vec` is evaluated more than once. */
#define VEC_PUSH(arena, vec, ...)                                                                  \
    ((vec)->count == (vec)->capacity                                                               \
         ? (void)((vec)->data =                                                                    \
                      vec_grow((arena), (vec)->data, &(vec)->capacity, sizeof *(vec)->data))       \
         : (void)0,                                                                                \
     (void)((vec)->data[(vec)->count++] = __VA_ARGS__))

/* A block of at least twice `*capacity` elements with the old contents; updates `*capacity`. */
void *vec_grow(Arena *arena, const void *data, size_t *capacity, size_t element_size);

#endif
