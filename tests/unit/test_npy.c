/* .npy: hostile files, each refused by one diagnostic; what the rules allow; writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "weights_fixture.h"

/* ---- .npy helpers --------------------------------------------------------------------------- */

/* Reads a copy of exactly `size` bytes, so that a read behind them is seen. */
static float *npy_read_copy(Fixture *fixture, const char *data, size_t size, Shape *shape) {
    char *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, data, size);
    float *numbers =
        npy_read_bytes(&fixture->arena, &fixture->diagnostics, "a.npy", copy, size, shape);
    free(copy);
    return numbers;
}

static void assert_npy_refused_bytes(const char *data, size_t size, const char *code,
                                     const char *expected) {
    Fixture fixture;
    fixture_begin(&fixture);
    Shape shape;
    assert_null(npy_read_copy(&fixture, data, size, &shape));
    assert_int_equal(fixture.diagnostics.list.count, 1);
    const Diagnostic *d = fixture.diagnostics.list.data[0];
    assert_string_equal(diag_code_name(d->code), code);
    if (!strstr(d->message, expected))
        fail_msg("expected `%s` in: %s", expected, d->message);
    fixture_end(&fixture);
}

static void assert_npy_refused(const char *dictionary, size_t data_bytes, const char *code,
                               const char *expected) {
    StrBuf bytes = {0};
    npy_build(&bytes, dictionary, NULL, 0);
    strbuf_fill(&bytes, '\0', data_bytes);
    assert_npy_refused_bytes(bytes.data, bytes.length, code, expected);
    strbuf_free(&bytes);
}

static void assert_npy_read(const char *dictionary, const void *data, size_t size,
                            const float *expected, Shape expected_shape) {
    Fixture fixture;
    fixture_begin(&fixture);
    StrBuf bytes = {0};
    npy_build(&bytes, dictionary, data, size);
    Shape shape;
    float *numbers = npy_read_copy(&fixture, bytes.data, bytes.length, &shape);
    if (!numbers)
        fail_msg("refused: %s", fixture.diagnostics.list.data[0]->message);
    assert_true(shape_equal(&shape, &expected_shape));
    assert_memory_equal(numbers, expected, (size_t)shape_elements(&shape) * sizeof(float));
    strbuf_free(&bytes);
    fixture_end(&fixture);
}

typedef struct Hostile {
    const char *dictionary;
    size_t data_bytes;
    const char *code;
    const char *expected;
} Hostile;

/* ---- .npy ----------------------------------------------------------------------------------- */

static void npy_prefix(void **state) {
    (void)state;
    const char valid[] = "\x93NUMPY\1\0\x3D\0" NPY_DICTIONARY("<f4", "False", "(1,)") "\0\0\0";
    assert_npy_refused_bytes("", 0, "E0401", "0 bytes are too few");
    assert_npy_refused_bytes(valid, 11, "E0401", "11 bytes are too few");
    assert_npy_refused_bytes("\x93NUMPX\1\0\0\0\0\0", 12, "E0401", "does not begin with the bytes");
    assert_npy_refused_bytes("\x93NUMPY\0\0\0\0\0\0", 12, "E0401", "version at byte 6 is 0.0");
    assert_npy_refused_bytes("\x93NUMPY\4\0\0\0\0\0", 12, "E0401", "version at byte 6 is 4.0");
    assert_npy_refused_bytes("\x93NUMPY\1\1\0\0\0\0", 12, "E0401", "version at byte 6 is 1.1");
    assert_npy_refused_bytes("\x93NUMPY\1\0\3\0{}", 12, "E0401", "but only 2 bytes follow");
    assert_npy_refused_bytes("\x93NUMPY\1\0\x11\x27{}", 12, "E0401",
                             "is 10001; the limit is 10000");
    assert_npy_refused_bytes("\x93NUMPY\2\0\xFF\xFF\xFF\xFF", 12, "E0401", "4294967295; the limit");
    assert_npy_refused_bytes("\x93NUMPY\1\0\0\0\0\0", 12, "E0401", "byte 10 of the header is not");
}

static void npy_dictionary(void **state) {
    (void)state;
    const Hostile files[] = {
        {"[]\n", 0, "E0401", "byte 10 of the header is not the `{`"},
        {"{}\n", 0, "E0401", "byte 11 of the header is not a quoted text"},
        {"{'descr': '<f4', 'fortran_order': False, }\n", 4, "E0401", "is not a quoted text"},
        {"{'descr': '<f4', 'descr': '<f4', 'shape': (1,), }\n", 4, "E0401",
         "byte 27 of the header is not one of the keys"},
        {"{'descr': '<f4', 'fortran_order': False, 'form': (1,), }\n", 4, "E0401",
         "is not one of the keys"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}\n", 4, "E0401",
         "is not the `}` behind the three keys"},
        {"{'descr' '<f4', 'fortran_order': False, 'shape': (1,), }\n", 4, "E0401",
         "is not the `:` behind a key"},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (1,), }\n", 4, "E0401",
         "is not the `,` behind a value"},
        {"{'descr': <f4, 'fortran_order': False, 'shape': (1,), }\n", 4, "E0401",
         "is not a quoted text"},
        {"{'descr': '<f4", 0, "E0401", "is not the end of a text"},
        {"{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (1,), }\n", 4, "E0401",
         "is not a plain character"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n", 4, "E0401",
         "is not a quoted text"},
        {NPY_DICTIONARY("<f4", "0", "(1,)"), 4, "E0401", "is not `True` or `False`"},
        {NPY_DICTIONARY("<f4", "false", "(1,)"), 4, "E0401", "is not `True` or `False`"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4, "E0401",
         "is not the line end"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n\n", 4, "E0401",
         "is not the line end"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\t\n", 4, "E0401",
         "is not the line end"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        assert_npy_refused(files[i].dictionary, files[i].data_bytes, files[i].code,
                           files[i].expected);
}

static void npy_shapes(void **state) {
    (void)state;
    const Hostile files[] = {
        {NPY_DICTIONARY("<f4", "False", "(-1,)"), 4, "E0401",
         "is not a whole number in plain digits"},
        {NPY_DICTIONARY("<f4", "False", "(True,)"), 4, "E0401",
         "is not a whole number in plain digits"},
        {NPY_DICTIONARY("<f4", "False", "(+1,)"), 4, "E0401",
         "is not a whole number in plain digits"},
        {NPY_DICTIONARY("<f4", "False", "(1.0,)"), 4, "E0401", "is not the `,` behind"},
        {NPY_DICTIONARY("<f4", "False", "(1L,)"), 4, "E0401", "is not the `,` behind"},
        {NPY_DICTIONARY("<f4", "False", "(1)"), 4, "E0401", "is not the `,` behind"},
        {NPY_DICTIONARY("<f4", "False", "(1, 1"), 4, "E0401", "is not a whole number"},
        {NPY_DICTIONARY("<f4", "False", "(,)"), 4, "E0401",
         "is not a whole number in plain digits"},
        {NPY_DICTIONARY("<f4", "False", "(1,,)"), 4, "E0401",
         "is not a whole number in plain digits"},
        {NPY_DICTIONARY("<f4", "False", "((1,),)"), 4, "E0401", "is not a whole number"},
        {NPY_DICTIONARY("<f4", "False", "1"), 4, "E0401", "is not the `(` of a shape"},
        {NPY_DICTIONARY("<f4", "False", "(9007199254740993,)"), 4, "E0401", "a number up to 2^53"},
        {NPY_DICTIONARY("<f4", "False", "(99999999999999999999999,)"), 4, "E0401", "up to 2^53"},
        {NPY_DICTIONARY("<f4", "False", "(1,1,1,1,1,1,1,1,1)"), 4, "E0401", "at most 8 dimensions"},
        {NPY_DICTIONARY("<f4", "False", "(4294967296, 4294967296)"), 4, "E0401", "leaves 63 bits"},
        {NPY_DICTIONARY("<f4", "False", "(0, 4294967296, 4294967296)"), 0, "E0401",
         "leaves 63 bits"},
        {NPY_DICTIONARY("<f4", "False", "(2,)"), 4, "E0401",
         "takes 8 bytes of data, but from byte 68 on "
         "there are 4"},
        {NPY_DICTIONARY("<f4", "False", "(2,)"), 9, "E0401", "takes 8 bytes of data"},
        {NPY_DICTIONARY("<f4", "False", "(2,)"), 0, "E0401", "takes 8 bytes of data"},
        {NPY_DICTIONARY("<f4", "False", "(1000000000000,)"), 8, "E0401",
         "takes 4000000000000 bytes"},
        {NPY_DICTIONARY("<f4", "False", "(2, 0)"), 0, "E0704", "[2, 0], an array without elements"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        assert_npy_refused(files[i].dictionary, files[i].data_bytes, files[i].code,
                           files[i].expected);
}

static void npy_types(void **state) {
    (void)state;
    const Hostile files[] = {
        {NPY_DICTIONARY(">f4", "False", "(1,)"), 4, "E0405", "`>f4`, which is big-endian"},
        {NPY_DICTIONARY("<f2", "False", "(1,)"), 2, "E0405", "elements of type `<f2`"},
        {NPY_DICTIONARY("|b1", "False", "(1,)"), 1, "E0405", "elements of type `|b1`"},
        {NPY_DICTIONARY("<c16", "False", "(1,)"), 16, "E0405", "elements of type `<c16`"},
        {NPY_DICTIONARY("|O", "False", "(1,)"), 8, "E0401",
         "`|O`, which is not a plain number type"},
        {NPY_DICTIONARY("<U4", "False", "(1,)"), 16, "E0401", "`<U4`, which is not"},
        {NPY_DICTIONARY("|V4", "False", "(1,)"), 4, "E0401", "`|V4`, which is not"},
        {NPY_DICTIONARY("=f4", "False", "(1,)"), 4, "E0401", "`=f4`, which is not"},
        {NPY_DICTIONARY("|f4", "False", "(1,)"), 4, "E0401", "`|f4`, which is not"},
        {NPY_DICTIONARY("f4", "False", "(1,)"), 4, "E0401", "`f4`, which is not"},
        {NPY_DICTIONARY("<f3", "False", "(1,)"), 3, "E0401", "`<f3`, which is not"},
        {NPY_DICTIONARY("<f44", "False", "(1,)"), 4, "E0401", "`<f44`, which is not"},
        {NPY_DICTIONARY("<", "False", "(1,)"), 4, "E0401", "`<`, which is not"},
        {NPY_DICTIONARY("", "False", "(1,)"), 4, "E0401", "``, which is not"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        assert_npy_refused(files[i].dictionary, files[i].data_bytes, files[i].code,
                           files[i].expected);
}

static void npy_arrays(void **state) {
    (void)state;
    const float numbers[] = {1, 2, 3, 4, 5, 6};
    const double wide[] = {1, 2, 3, 4, 5, 6};
    const unsigned char bytes[] = {1, 2, 3, 4, 5, 6};
    const float columns[] = {1, 4, 2, 5, 3, 6};
    const double wide_columns[] = {1, 4, 2, 5, 3, 6};
    Shape shape = shape_make(2, 2, 3);
    assert_npy_read(NPY_DICTIONARY("<f4", "False", "(2, 3)"), numbers, sizeof numbers, numbers,
                    shape);
    assert_npy_read(NPY_DICTIONARY("<f8", "False", "(2, 3)"), wide, sizeof wide, numbers, shape);
    assert_npy_read(NPY_DICTIONARY("|u1", "False", "(2, 3)"), bytes, sizeof bytes, numbers, shape);
    assert_npy_read(NPY_DICTIONARY("<u1", "False", "(2,3,)"), bytes, sizeof bytes, numbers, shape);
    assert_npy_read(NPY_DICTIONARY("<f4", "True", "(2, 3)"), columns, sizeof columns, numbers,
                    shape);
    assert_npy_read(NPY_DICTIONARY("<f8", "True", "(2, 3)"), wide_columns, sizeof wide_columns,
                    numbers, shape);
    assert_npy_read("{\"shape\":(6,),\"descr\":\"<f4\",\"fortran_order\":True}   \n", numbers,
                    sizeof numbers, numbers, shape_make(1, 6));
    assert_npy_read(NPY_DICTIONARY("<f4", "False", "()"), numbers, 4, numbers, shape_make(0, 0));
    /* 1e300 has no f32: it becomes infinite. */
    const double large = 1e300;
    const float infinite = (float)large;
    assert_npy_read(NPY_DICTIONARY("<f8", "False", "(1,)"), &large, 8, &infinite, shape_make(1, 1));
}

/* Element [i, j, k] of [2, 3, 4] stands at i + 2 * (j + 3 * k) in Fortran order. */
static void npy_fortran_order(void **state) {
    (void)state;
    float columns[24];
    float rows[24];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++) {
                float value = (float)(100 * i + 10 * j + k);
                columns[i + 2 * (j + 3 * k)] = value;
                rows[(i * 3 + j) * 4 + k] = value;
            }
    assert_npy_read(NPY_DICTIONARY("<f4", "True", "(2, 3, 4)"), columns, sizeof columns, rows,
                    shape_make(3, 2, 3, 4));
}

static void npy_versions(void **state) {
    (void)state;
    for (char version = 2; version <= 3; version++) {
        Fixture fixture;
        fixture_begin(&fixture);
        StrBuf bytes = {0};
        npy_build(&bytes, NPY_DICTIONARY("<f4", "False", "()"), "\0\0\x80\x3F", 4);
        StrBuf longer = {0};
        const char prefix[] = {'\x93', 'N', 'U', 'M', 'P', 'Y', version, 0, bytes.data[8], 0, 0, 0};
        strbuf_add_bytes(&longer, prefix, sizeof prefix);
        strbuf_add_bytes(&longer, bytes.data + 10, bytes.length - 10);
        Shape shape;
        float *number = npy_read_copy(&fixture, longer.data, longer.length, &shape);
        assert_non_null(number);
        assert_true(*number == 1);
        strbuf_free(&longer);
        strbuf_free(&bytes);
        fixture_end(&fixture);
    }
}

static void npy_written_and_read(void **state) {
    (void)state;
    const float numbers[] = {1, -2, 0.5f, 3e-40f, 5, 6};
    const Shape shapes[] = {shape_make(0, 0), shape_make(1, 6), shape_make(2, 2, 3),
                            shape_make(8, 1, 1, 2, 1, 1, 3, 1, 1)};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        Fixture fixture;
        fixture_begin(&fixture);
        StrBuf bytes = {0};
        npy_write(numbers, &shapes[i], &bytes);
        size_t data_bytes = (size_t)shape_elements(&shapes[i]) * 4;
        assert_int_equal((bytes.length - data_bytes) % 64, 0);
        Shape shape;
        float *back = npy_read_copy(&fixture, bytes.data, bytes.length, &shape);
        assert_non_null(back);
        assert_true(shape_equal(&shape, &shapes[i]));
        assert_memory_equal(back, numbers, data_bytes);
        strbuf_free(&bytes);
        fixture_end(&fixture);
    }
}

static void npy_files(void **state) {
    (void)state;
    Fixture fixture;
    fixture_begin(&fixture);
    char path[] = "/tmp/netc-test-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    const float written[] = {1, 2, 3};
    StrBuf bytes = {0};
    Shape shape = shape_make(1, 3);
    npy_write(written, &shape, &bytes);
    assert_int_equal(write(descriptor, bytes.data, bytes.length), bytes.length);
    assert_int_equal(close(descriptor), 0);
    float *back = npy_read(&fixture.arena, &fixture.diagnostics, path, &shape);
    assert_non_null(back);
    assert_memory_equal(back, written, sizeof written);
    assert_int_equal(unlink(path), 0);
    assert_null(npy_read(&fixture.arena, &fixture.diagnostics, path, &shape));
    assert_int_equal(fixture.diagnostics.list.count, 1);
    assert_int_equal(fixture.diagnostics.list.data[0]->code, DIAG_E0701);
    strbuf_free(&bytes);
    fixture_end(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy_prefix),   cmocka_unit_test(npy_dictionary),
        cmocka_unit_test(npy_shapes),   cmocka_unit_test(npy_types),
        cmocka_unit_test(npy_arrays),   cmocka_unit_test(npy_fortran_order),
        cmocka_unit_test(npy_versions), cmocka_unit_test(npy_written_and_read),
        cmocka_unit_test(npy_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
