/* Tensor types: see tensor.h. */
#include "graph/tensor.h"

#include <assert.h>
#include <inttypes.h>

#include "support/checked.h"

Shape shape_of(int rank, const int64_t *dims) {
    assert(rank >= 0 && rank <= TENSOR_MAX_RANK);
    Shape shape = {.rank = rank};
    for (int i = 0; i < rank; i++)
        shape.dims[i] = dims[i];
    return shape;
}

bool shape_equal(const Shape *a, const Shape *b) {
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return true;
}

int64_t shape_elements(const Shape *shape) {
    int64_t elements = 1;
    for (int i = 0; i < shape->rank; i++) {
        bool fits = checked_mul(elements, shape->dims[i], &elements);
        assert(fits);
        (void)fits;
    }
    return elements;
}

bool shape_is_valid(const Shape *shape) {
    int64_t bytes = 8;
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 1 || !checked_mul(bytes, shape->dims[i], &bytes))
            return false;
    return true;
}

void shape_print(const Shape *shape, StrBuf *out) {
    strbuf_add_char(out, '[');
    for (int i = 0; i < shape->rank; i++)
        strbuf_format(out, i ? ", %" PRId64 : "%" PRId64, shape->dims[i]);
    strbuf_add_char(out, ']');
}

const char *shape_text(Arena *arena, const Shape *shape) {
    StrBuf text = {0};
    shape_print(shape, &text);
    const char *copy = arena_copy_text(arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return copy;
}

const char *element_name(ElementType element) {
    switch (element) {
    case ELEMENT_F32: return "f32";
    }
    assert(false);
    return "";
}

int64_t element_size(ElementType element) {
    switch (element) {
    case ELEMENT_F32: return 4;
    }
    assert(false);
    return 0;
}
