#include "support/vec.h"

#include <stdint.h>
#include <string.h>

#define VEC_FIRST_CAPACITY ((size_t)8)

void *vec_grow(Arena *arena, const void *data, size_t *capacity, size_t element_size) {
    if (*capacity > SIZE_MAX / 2)
        out_of_memory();
    size_t grown = *capacity ? *capacity * 2 : VEC_FIRST_CAPACITY;
    void *block = arena_array(arena, grown, element_size);
    if (*capacity)
        memcpy(block, data, *capacity * element_size);
    *capacity = grown;
    return block;
}
