/* Shapes: equality, sizes, limits, text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

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
    assert_string_equal(element_name(ELEMENT_U8), "u8");
    assert_int_equal(element_size(ELEMENT_U8), 1);

    Arena arena = {0};
    TensorType floats = {ELEMENT_F32, shape_make(2, 3, 4)}, bytes = floats, more = bytes;
    bytes.element = ELEMENT_U8;
    more.shape.dims[0] = 5;
    assert_string_equal(type_text(&arena, &floats), "[3, 4]");
    assert_string_equal(type_text(&arena, &bytes), "u8[3, 4]");
    assert_true(type_equal(&bytes, &bytes));
    assert_false(type_equal(&bytes, &floats));
    assert_false(type_equal(&floats, &more));
    arena_free(&arena);
}

static void test_element_numbers(void **state) {
    (void)state;
    const float fit[] = {0, -0.0F, 1, 254, 255};
    const float misfit[] = {-1, -0x1p-149F, 0.5F, 254.5F, 256, 1e30F, INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof fit / sizeof *fit; i++)
        assert_true(element_holds(ELEMENT_U8, fit[i]));
    for (size_t i = 0; i < sizeof misfit / sizeof *misfit; i++) {
        assert_false(element_holds(ELEMENT_U8, misfit[i]));
        assert_true(element_holds(ELEMENT_F32, misfit[i]));
    }
    unsigned char bytes[5];
    float floats[5];
    elements_store(ELEMENT_U8, fit, 5, bytes);
    assert_memory_equal(bytes, ((unsigned char[]){0, 0, 1, 254, 255}), 5);
    elements_store(ELEMENT_F32, fit, 5, floats);
    assert_memory_equal(floats, fit, sizeof fit);
}

/* Every byte comes up, and nothing else. */
static void test_random_bytes(void **state) {
    (void)state;
    static float numbers[10000];
    bool seen[256] = {false};
    Random random = random_start(1);
    elements_random(ELEMENT_U8, &random, 10000, numbers);
    for (int i = 0; i < 10000; i++) {
        assert_true(element_holds(ELEMENT_U8, numbers[i]));
        seen[(int)numbers[i]] = true;
    }
    for (int i = 0; i < 256; i++)
        assert_true(seen[i]);
}

/* Every token comes up, and nothing else; bytes hold no more than 256. */
static void test_random_tokens(void **state) {
    (void)state;
    static float numbers[10000];
    static const struct {
        ElementType element;
        int vocabulary;
        int tokens;
    } cases[] = {{ELEMENT_F32, 300, 300},
                 {ELEMENT_F32, 1, 1},
                 {ELEMENT_U8, 256, 256},
                 {ELEMENT_U8, 300, 256},
                 {ELEMENT_U8, 7, 7}};
    Random random = random_start(2);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        bool seen[300] = {false};
        tokens_random(cases[c].element, cases[c].vocabulary, &random, 10000, numbers);
        for (int i = 0; i < 10000; i++) {
            assert_true(numbers[i] >= 0 && numbers[i] < (float)cases[c].tokens);
            assert_true(numbers[i] == (float)(int)numbers[i]);
            seen[(int)numbers[i]] = true;
        }
        for (int i = 0; i < cases[c].tokens; i++)
            assert_true(seen[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_elements_types),
        cmocka_unit_test(test_element_numbers),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_random_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
