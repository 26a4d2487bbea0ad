/* Shapes: equality, sizes, limits, text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "graph/tensor.h"

static void test_make(void **state) {
    (void)state;
    Shape shape = shape_make(3, 64, 56, INT64_C(1) << 40);
    assert_int_equal(shape.rank, 3);
    assert_int_equal(shape.dims[0], 64);
    assert_int_equal(shape.dims[1], 56);
    assert_int_equal(shape.dims[2], INT64_C(1) << 40);
    for (int i = 3; i < TENSOR_MAX_RANK; i++)
        assert_int_equal(shape.dims[i], 0);
}

static void test_equal(void **state) {
    (void)state;
    Shape a = shape_make(2, 3, 4);
    Shape same = shape_make(2, 3, 4);
    Shape other = shape_make(2, 3, 5);
    Shape first = shape_make(2, 2, 4);
    Shape longer = shape_make(3, 3, 4, 1);
    Shape shorter = shape_make(1, 3);
    assert_true(shape_equal(&a, &same));
    assert_false(shape_equal(&a, &other));
    assert_false(shape_equal(&a, &first));
    assert_false(shape_equal(&a, &longer));
    assert_false(shape_equal(&a, &shorter));
}

static void test_elements(void **state) {
    (void)state;
    Shape scalar = {0};
    Shape image = shape_make(3, 3, 224, 224);
    Shape large = shape_make(2, INT64_C(1) << 31, INT64_C(1) << 28);
    assert_int_equal(shape_elements(&scalar), 1);
    assert_int_equal(shape_elements(&image), 150528);
    assert_int_equal(shape_elements(&large), INT64_C(1) << 59);
}

/* 8 bytes an element must fit: 2^60 elements are too many, 2^60 - 1 are not. */
static void test_valid(void **state) {
    (void)state;
    Shape scalar = {0};
    Shape fits = shape_make(1, (INT64_C(1) << 60) - 1);
    Shape too_large = shape_make(1, INT64_C(1) << 60);
    Shape product = shape_make(3, INT64_C(1) << 30, INT64_C(1) << 29, 2);
    Shape wraps = shape_make(4, INT64_C(1) << 32, INT64_C(1) << 32, 1, 1);
    Shape zero = shape_make(3, 3, 0, 4);
    Shape hidden = shape_make(3, INT64_MAX, INT64_MAX, 0);
    Shape negative = shape_make(2, -3, -4);
    assert_true(shape_is_valid(&scalar));
    assert_true(shape_is_valid(&fits));
    assert_false(shape_is_valid(&too_large));
    assert_false(shape_is_valid(&product));
    assert_false(shape_is_valid(&wraps));
    assert_false(shape_is_valid(&zero));
    assert_false(shape_is_valid(&hidden));
    assert_false(shape_is_valid(&negative));
}

static void test_text(void **state) {
    (void)state;
    Arena arena = {0};
    Shape scalar = {0};
    Shape vector = shape_make(1, 10);
    Shape image = shape_make(3, 64, 56, 202500);
    assert_string_equal(shape_text(&arena, &scalar), "[]");
    assert_string_equal(shape_text(&arena, &vector), "[10]");
    assert_string_equal(shape_text(&arena, &image), "[64, 56, 202500]");
    StrBuf text = {0};
    strbuf_add(&text, "is ");
    shape_print(&image, &text);
    assert_string_equal(strbuf_text(&text), "is [64, 56, 202500]");
    strbuf_free(&text);
    arena_free(&arena);
}

static void test_elements_types(void **state) {
    (void)state;
    assert_string_equal(element_name(ELEMENT_F32), "f32");
    assert_int_equal(element_size(ELEMENT_F32), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make),     cmocka_unit_test(test_equal),
        cmocka_unit_test(test_elements), cmocka_unit_test(test_valid),
        cmocka_unit_test(test_text),     cmocka_unit_test(test_elements_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
