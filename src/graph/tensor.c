/* Tensor types: see tensor.h. */
#include "graph/tensor.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

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
    return type_text(arena, &(TensorType){ELEMENT_F32, *shape});
}

void type_print(const TensorType *type, StrBuf *out) {
    if (type->element != ELEMENT_F32)
        strbuf_add(out, element_name(type->element));
    shape_print(&type->shape, out);
}

const char *type_text(Arena *arena, const TensorType *type) {
    StrBuf text = {0};
    type_print(type, &text);
    const char *copy = arena_copy_text(arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return copy;
}

bool type_equal(const TensorType *a, const TensorType *b) {
    return a->element == b->element && shape_equal(&a->shape, &b->shape);
}

const char *element_name(ElementType element) {
    switch (element) {
    case ELEMENT_F32: return "f32";
    case ELEMENT_U8: return "u8";
    }
    assert(false);
    return "";
}

int64_t element_size(ElementType element) {
    switch (element) {
    case ELEMENT_F32: return 4;
    case ELEMENT_U8: return 1;
    }
    assert(false);
    return 0;
}

bool element_holds(ElementType element, float number) {
    switch (element) {
    case ELEMENT_F32: return true;
    case ELEMENT_U8: return number >= 0 && number <= UINT8_MAX && number == floorf(number);
    }
    assert(false);
    return false;
}

void elements_random(ElementType element, Random *random, int64_t count, float *numbers) {
    for (int64_t i = 0; i < count; i++)
        switch (element) {
        case ELEMENT_F32: numbers[i] = (float)random_normal(random); break;
        case ELEMENT_U8: numbers[i] = (float)(random_bits(random) >> 24); break;
        }
}

void tokens_random(ElementType element, int64_t vocabulary, Random *random, int64_t count,
                   float *numbers) {
    int64_t tokens = element_holds(element, (float)(vocabulary - 1)) ? vocabulary : UINT8_MAX + 1;
    for (int64_t i = 0; i < count; i++)
        numbers[i] = (float)floor(random_uniform(random) * (double)tokens);
}

void elements_store(ElementType element, const float *numbers, int64_t count, void *out) {
    switch (element) {
    case ELEMENT_F32: memcpy(out, numbers, (size_t)count * sizeof *numbers); return;
    case ELEMENT_U8:
        for (int64_t i = 0; i < count; i++)
            ((uint8_t *)out)[i] = (uint8_t)numbers[i];
        return;
    }
    assert(false);
}

void shape_print_place(const Shape *shape, int64_t index, StrBuf *out) {
    Shape place = {.rank = shape->rank};
    for (int i = shape->rank - 1; i >= 0; i--) {
        place.dims[i] = index % shape->dims[i];
        index /= shape->dims[i];
    }
    shape_print(&place, out);
}
