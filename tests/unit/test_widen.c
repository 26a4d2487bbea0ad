/* f16 and bf16 tensors: every one of their 65,536 numbers is widened exactly, whatever the
 * container and the alignment. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "weights_fixture.h"

#define ALL 65536

/* What the bits mean by IEEE 754: (-1)^sign * 2^(exponent - 15) * 1.fraction, and so on. */
static double half_value(unsigned bits) {
    double sign = bits >> 15 ? -1 : 1;
    int exponent = (int)(bits >> 10 & 31);
    double fraction = bits & 1023;
    if (exponent == 31)
        return fraction != 0 ? (double)NAN : sign * INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, -24);
    return sign * ldexp(1024 + fraction, exponent - 25);
}

static double bfloat_value(unsigned bits) {
    double sign = bits >> 15 ? -1 : 1;
    int exponent = (int)(bits >> 7 & 255);
    double fraction = bits & 127;
    if (exponent == 255)
        return fraction != 0 ? (double)NAN : sign * INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, -133);
    return sign * ldexp(128 + fraction, exponent - 134);
}

static void add_all(StrBuf *out) {
    for (unsigned bits = 0; bits < ALL; bits++) {
        strbuf_add_char(out, (char)(bits & 255));
        strbuf_add_char(out, (char)(bits >> 8));
    }
}

static void assert_widened(TensorFile *file, double (*value)(unsigned)) {
    assert_non_null(file);
    const FileTensor *tensor = &file->tensors.data[0];
    const float *numbers = file_tensor_floats(file, tensor);
    assert_non_null(numbers);
    for (unsigned bits = 0; bits < ALL; bits++) {
        double expected = value(bits);
        bool same = isnan(expected) ? isnan(numbers[bits])
                                    : (double)numbers[bits] == expected &&
                                          !signbit(numbers[bits]) == !signbit(expected);
        if (!same)
            fail_msg("%04x is %g, not %g", bits, (double)numbers[bits], expected);
    }
}

/* `pad` blanks in front of the closing brace move the data. */
static void check_safetensors(const char *type, const char *pad, double (*value)(unsigned)) {
    Fixture fixture;
    fixture_begin(&fixture);
    StrBuf bytes = {0};
    const char *header = arena_format(
        &fixture.arena, "{\"w\":{\"dtype\":\"%s\",\"shape\":[256,256],\"data_offsets\":[0,%d]}}%s",
        type, 2 * ALL, pad);
    safetensors_build(&bytes, header, 0);
    add_all(&bytes);
    TensorFile *file = tensor_file_open_bytes(&fixture.arena, &fixture.diagnostics, SPAN_NONE,
                                              "w.safetensors", strbuf_text(&bytes), bytes.length);
    assert_widened(file, value);
    tensor_file_close(file);
    strbuf_free(&bytes);
    fixture_end(&fixture);
}

static void safetensors_halves(void **state) {
    (void)state;
    check_safetensors("F16", "", half_value);
    check_safetensors("F16", " ", half_value);
    check_safetensors("BF16", "", bfloat_value);
    check_safetensors("BF16", " ", bfloat_value);
}

static void npz_halves(void **state) {
    (void)state;
    Fixture fixture;
    fixture_begin(&fixture);
    StrBuf data = {0}, array = {0};
    add_all(&data);
    npy_build(&array, NPY_DICTIONARY("<f2", "False", "(65536,)"), strbuf_text(&data), data.length);
    ZipBuilder zip = {0};
    zip_add_member(&zip, "w.npy", 0, strbuf_text(&array), array.length);
    zip_finish(&zip);
    TensorFile *file = tensor_file_open_bytes(&fixture.arena, &fixture.diagnostics, SPAN_NONE,
                                              "w.npz", strbuf_text(&zip.out), zip.out.length);
    assert_widened(file, half_value);
    tensor_file_close(file);
    strbuf_free(&data);
    strbuf_free(&array);
    zip_free(&zip);
    fixture_end(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(safetensors_halves),
        cmocka_unit_test(npz_halves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
