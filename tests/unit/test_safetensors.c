/* .safetensors: one hostile file for each rule of docs/weights.md, each refused by one E0401 that
 * names the place; and what the rules allow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "weights_fixture.h"

/* ---- helpers -------------------------------------------------------------------------------- */

/* Opens a copy of exactly `size` bytes, so that a read behind them is seen. */
static TensorFile *open_copy(Fixture *fixture, const char *data, size_t size, void **copy) {
    *copy = malloc(size > 0 ? size : 1);
    assert_non_null(*copy);
    if (size > 0)
        memcpy(*copy, data, size);
    return tensor_file_open_bytes(&fixture->arena, &fixture->diagnostics, SPAN_NONE,
                                  "a.safetensors", *copy, size);
}

static void assert_refused_bytes(const char *data, size_t size, const char *expected) {
    Fixture fixture;
    fixture_begin(&fixture);
    void *copy;
    TensorFile *file = open_copy(&fixture, data, size, &copy);
    assert_null(file);
    assert_int_equal(fixture.diagnostics.list.count, 1);
    const Diagnostic *d = fixture.diagnostics.list.data[0];
    assert_string_equal(diag_code_name(d->code), "E0401");
    if (!strstr(d->message, expected))
        fail_msg("expected `%s` in: %s", expected, d->message);
    free(copy);
    fixture_end(&fixture);
}

static void assert_refused(const char *header, size_t data_bytes, const char *expected) {
    StrBuf bytes = {0};
    safetensors_build(&bytes, header, data_bytes);
    assert_refused_bytes(bytes.data, bytes.length, expected);
    strbuf_free(&bytes);
}

/* The number of tensors in a file that must be accepted. */
static size_t count_accepted(const char *header, size_t data_bytes) {
    Fixture fixture;
    fixture_begin(&fixture);
    StrBuf bytes = {0};
    safetensors_build(&bytes, header, data_bytes);
    void *copy;
    TensorFile *file = open_copy(&fixture, bytes.data, bytes.length, &copy);
    if (!file)
        fail_msg("refused: %s", fixture.diagnostics.list.data[0]->message);
    assert_int_equal(fixture.diagnostics.list.count, 0);
    size_t count = file->tensors.count;
    tensor_file_close(file);
    free(copy);
    strbuf_free(&bytes);
    fixture_end(&fixture);
    return count;
}

#define ENTRY(dtype, shape, offsets)                                                               \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define ONE(dtype, shape, offsets) "{\"a\":" ENTRY(dtype, shape, offsets) "}"

typedef struct Hostile {
    const char *header;
    size_t data_bytes;
    const char *expected;
} Hostile;

static void assert_all_refused(const Hostile *files, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_refused(files[i].header, files[i].data_bytes, files[i].expected);
}

#define ASSERT_ALL_REFUSED(files) assert_all_refused(files, sizeof(files) / sizeof(files)[0])

/* ---- rules 1 to 6: the frame ---------------------------------------------------------------- */

static void header_length(void **state) {
    (void)state;
    assert_refused_bytes("", 0, "0 bytes are less than the 8");
    assert_refused_bytes("\2\0\0\0\0\0\0", 7, "7 bytes are less than the 8");
    assert_refused_bytes("\3\0\0\0\0\0\0\0{}", 10,
                         "length at byte 0 is 3, but only 2 bytes follow");
    assert_refused_bytes("\1\0\0\1\0\0\0\0{}", 10, "length at byte 0 is 16777217; the limit");
    assert_refused_bytes("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10,
                         "18446744073709551615; the limit");
    assert_refused_bytes("\xF8\xFF\xFF\xFF\xFF\xFF\xFF\x7F{}", 10, "the limit");
    assert_refused_bytes("\0\0\0\0\0\0\0\0", 8, "does not begin with `{`");
}

static void header_frame(void **state) {
    (void)state;
    const Hostile files[] = {
        {" {}", 0, "byte 8, does not begin with `{`"},
        {"[]", 0, "byte 8, does not begin with `{`"},
        {"\xEF\xBB\xBF{}", 0, "byte 8, does not begin with `{`"},
        {"{}\n", 0, "byte 10, behind the header's `}`, is 0x0a"},
        {"{}  \t", 0, "byte 12, behind the header's `}`, is 0x09"},
        {"{}{}", 0, "byte 10, behind the header's `}`, is 0x7b"},
        {"{\"\xFF\":1}", 0, "text that is not UTF-8"},
        {"{\"\xC0\xAF\":1}", 0, "text that is not UTF-8"},     /* overlong */
        {"{\"\xED\xA0\x80\":1}", 0, "text that is not UTF-8"}, /* surrogate */
        {"{\xC3\xA4:1}", 0, "a mistake in the JSON, at or before byte"},
        {"{\"a\"", 0, "an early end, at or before byte 12"},
        {"{\"a", 0, "an early end"},
        {"{\"a\\", 0, "at or before byte"},
        {"{", 0, "an early end"},
        {"{\"a\":}", 0, "a mistake in the JSON"},
        {"{\"a\":[}", 0, "a mistake in the JSON"},
        {"{]", 0, "a mistake in the JSON"},
        {"{\"\\ud800\":1}", 0, "at or before byte"},
        {"{\"\\u0000\":1}", 0, "a NUL character in a text"},
    };
    ASSERT_ALL_REFUSED(files);
    StrBuf nul = {0};
    safetensors_build(&nul, "{  }", 0);
    nul.data[9] = '\0';
    assert_refused_bytes(nul.data, nul.length, "an early end, at or before byte 10");
    strbuf_free(&nul);
}

/* ---- rules 7 to 10: entries ----------------------------------------------------------------- */

static void entry_fields(void **state) {
    (void)state;
    const Hostile files[] = {
        {"{\"a\":1}", 0, "tensor `a` is not an object"},
        {"{\"a\":[]}", 0, "tensor `a` is not an object"},
        {"{\"a\":{}}", 0, "tensor `a` has no `dtype`"},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "tensor `a` has no `shape`"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "tensor `a` has no `data_offsets`"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":0}}", 4,
         "tensor `a` has the unknown field `x`"},
        {"{\"a\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "tensor `a`: `dtype` is not a text"},
        {ONE("F33", "[1]", "[0,4]"), 4, "`dtype` is `F33`, which the format does not have"},
        {ONE("f32", "[1]", "[0,4]"), 4, "`dtype` is `f32`"},
        {ONE("", "[1]", "[0,4]"), 4, "`dtype` is ``"},
    };
    ASSERT_ALL_REFUSED(files);
}

static void duplicate_names(void **state) {
    (void)state;
    const Hostile files[] = {
        {"{\"a\":" ENTRY("F32", "[0]", "[0,0]") ",\"a\":" ENTRY("F32", "[0]", "[0,0]") "}", 0,
         "a name for the second time"},
        {"{\"a\":" ENTRY("F32", "[1]", "[0,4]") ",\"\\u0061\":" ENTRY("F32", "[1]", "[4,8]") "}", 8,
         "a name for the second time"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "a name for the second time"},
        {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}}", 0, "a name for the second time"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "a name for the second time"},
    };
    ASSERT_ALL_REFUSED(files);
}

static void metadata(void **state) {
    (void)state;
    const Hostile files[] = {
        {"{\"__metadata__\":\"pt\"}", 0, "`__metadata__` is not an object"},
        {"{\"__metadata__\":{\"epoch\":3}}", 0, "`epoch` in `__metadata__` is not a text"},
        {"{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", 0, "`a` in `__metadata__` is not a text"},
    };
    ASSERT_ALL_REFUSED(files);
    assert_int_equal(count_accepted("{\"__metadata__\":{\"format\":\"pt\"}}", 0), 0);
}

/* ---- rules 11 to 14: numbers ---------------------------------------------------------------- */

static void numbers_in_plain_digits(void **state) {
    (void)state;
    const Hostile files[] = {
        {ONE("F32", "[1e0]", "[0,4]"), 4, "the number at byte 37 is not written in plain digits"},
        {ONE("F32", "[1E0]", "[0,4]"), 4, "is not written in plain digits"},
        {ONE("F32", "[1.0]", "[0,4]"), 4, "is not written in plain digits"},
        {ONE("F32", "[-0]", "[0,0]"), 0, "is not written in plain digits"},
        {ONE("F32", "[-1]", "[0,4]"), 4, "is not written in plain digits"},
        {ONE("F32", "[+1]", "[0,4]"), 4, "is not written in plain digits"},
        {ONE("F32", "[.5]", "[0,4]"), 4, "is not written in plain digits"},
        {ONE("F32", "[1]", "[-0,4]"), 4, "is not written in plain digits"},
        {ONE("F32", "[1]", "[0,4.0]"), 4, "is not written in plain digits"},
        {ONE("F32", "[01]", "[0,4]"), 4, "a mistake in the JSON"},
        {ONE("F32", "[0x1]", "[0,4]"), 4, "a mistake in the JSON"},
        {ONE("F32", "[Infinity]", "[0,4]"), 4, "a mistake in the JSON"},
        {ONE("F32", "[99999999999999999999]", "[0,4]"), 4, "a number beyond 63 bits"},
        {ONE("F32", "[9007199254740993]", "[0,4]"), 4, "dimension 0 of `shape` is not a whole"},
        {ONE("F32", "[1,\"1\"]", "[0,4]"), 4, "dimension 1 of `shape` is not a whole"},
        {ONE("F32", "[true]", "[0,4]"), 4, "dimension 0 of `shape` is not a whole"},
        {ONE("F32", "[null]", "[0,4]"), 4, "dimension 0 of `shape` is not a whole"},
        {ONE("F32", "[[1]]", "[0,4]"), 4, "dimension 0 of `shape` is not a whole"},
        {ONE("F32", "1", "[0,4]"), 4, "`shape` is not an array"},
        {ONE("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "`shape` has 9 dimensions"},
        {ONE("F32", "[1]", "[0]"), 4, "`data_offsets` is not two whole numbers"},
        {ONE("F32", "[1]", "[0,4,8]"), 4, "`data_offsets` is not two whole numbers"},
        {ONE("F32", "[1]", "4"), 4, "`data_offsets` is not two whole numbers"},
        {ONE("F32", "[1]", "[0,9007199254740993]"), 4, "`data_offsets` is not two whole numbers"},
    };
    ASSERT_ALL_REFUSED(files);
}

static void sizes(void **state) {
    (void)state;
    const Hostile files[] = {
        {ONE("F32", "[4294967296,4294967296]", "[0,0]"), 0, "the size of `shape` leaves 63 bits"},
        {ONE("F32", "[0,4294967296,4294967296]", "[0,0]"), 0, "the size of `shape` leaves 63 bits"},
        {ONE("F32", "[4294967296,0,4294967296]", "[0,0]"), 0, "the size of `shape` leaves 63 bits"},
        {ONE("I64", "[9007199254740992,128]", "[0,0]"), 0, "the size of `shape` leaves 63 bits"},
        {ONE("F4", "[3]", "[0,2]"), 2, "12 bits of F4 do not fill whole bytes"},
        {ONE("F6_E2M3", "[2]", "[0,2]"), 2, "12 bits of F6_E2M3 do not fill whole bytes"},
        {ONE("F32", "[2]", "[8,0]"), 8, "`data_offsets` [8, 0] end before they begin"},
        {ONE("F32", "[2]", "[0,4]"), 4, "span 4 bytes, `shape` and `dtype` ask for 8"},
        {ONE("F32", "[1]", "[0,8]"), 8, "span 8 bytes, `shape` and `dtype` ask for 4"},
        {ONE("F32", "[]", "[0,0]"), 0, "span 0 bytes, `shape` and `dtype` ask for 4"},
        {ONE("F32", "[268435456]", "[0,1073741824]"), 4,
         "end at 1073741824, but the file has only 4"},
    };
    ASSERT_ALL_REFUSED(files);
}

/* ---- rules 15 and 16: layout ---------------------------------------------------------------- */

static void layout(void **state) {
    (void)state;
#define TWO(first, second)                                                                         \
    "{\"a\":" ENTRY("F32", "[2]", first) ",\"b\":" ENTRY("F32", "[2]", second) "}"
    const Hostile files[] = {
        {ONE("F32", "[1]", "[4,8]"), 8, "begin at 4 and leave a hole; they must begin at 0"},
        {TWO("[0,8]", "[12,20]"), 20, "tensor `b`: `data_offsets` begin at 12 and leave a hole"},
        {TWO("[0,8]", "[4,12]"), 12, "tensor `b`: `data_offsets` begin at 4 and overlap"},
        {TWO("[0,8]", "[0,8]"), 8, "tensor `b`: `data_offsets` begin at 0 and overlap"},
        {TWO("[0,8]", "[8,16]"), 12, "tensor `b`: `data_offsets` end at 16, but the file has only"},
        {TWO("[0,8]", "[8,16]"), 17, "1 bytes from byte 132 on belong to no tensor"},
        {"{}", 1, "1 bytes from byte 10 on belong to no tensor"},
    };
    ASSERT_ALL_REFUSED(files);
    assert_int_equal(count_accepted(TWO("[8,16]", "[0,8]"), 16), 2);
}

/* ---- rules 17 to 21 ------------------------------------------------------------------------- */

static void names_and_depth(void **state) {
    (void)state;
    StrBuf header = {0};
    strbuf_add(&header, "{\"");
    strbuf_fill(&header, 'n', 4097);
    strbuf_add(&header, "\":" ENTRY("F32", "[1]", "[0,4]") "}");
    assert_refused(strbuf_text(&header), 4, "nnn...` has a name of 4097 bytes; the limit is 4096");
    header.length = 0;
    strbuf_add(&header, "{\"a\":");
    strbuf_fill(&header, '[', 100000);
    assert_refused(strbuf_text(&header), 0, "nesting deeper than 4 at byte 16");
    header.length = 0;
    strbuf_add(&header, "{\"a\":{\"shape\":[0");
    for (int i = 0; i < 100; i++)
        strbuf_add(&header, ",0");
    strbuf_add(&header, "]}}");
    assert_refused(strbuf_text(&header), 0, "an array of more than 64 items");
    strbuf_free(&header);
    const Hostile files[] = {
        {"{\"\\u001b[31m\\u202e\":1}", 0, "tensor `\\u{1B}[31m\\u{202E}` is not an object"},
        {"{\"a\\nb\":1}", 0, "tensor `a\\u{A}b` is not an object"},
    };
    ASSERT_ALL_REFUSED(files);
}

static void what_is_allowed(void **state) {
    (void)state;
    assert_int_equal(count_accepted("{}", 0), 0);
    assert_int_equal(count_accepted("{}      ", 0), 0);
    assert_int_equal(count_accepted("{ \"a\" :\n\t" ENTRY("F32", "[ 1 ]", "[0, 4]") " }", 4), 1);
    assert_int_equal(count_accepted(ONE("F32", "[]", "[0,4]"), 4), 1);
    assert_int_equal(count_accepted(ONE("F32", "[3,0]", "[0,0]"), 0), 1);
    assert_int_equal(count_accepted(ONE("BF16", "[3]", "[0,6]"), 6), 1);
    assert_int_equal(count_accepted(ONE("F4", "[2]", "[0,1]"), 1), 1);
    assert_int_equal(count_accepted(ONE("F32", "[1,1,1,1,1,1,1,1]", "[0,4]"), 4), 1);
    assert_int_equal(count_accepted("{\"a{[\\\"1e5\":" ENTRY("F32", "[1]", "[0,4]") "}", 4), 1);
    assert_int_equal(
        count_accepted("{\"a\":" ENTRY("F32", "[0]", "[0,0]") ",\"b\":" ENTRY(
                           "F32", "[1]", "[0,4]") ",\"c\":" ENTRY("F32", "[0]", "[4,4]") "}",
                       4),
        3);
}

static void tensor_facts(void **state) {
    (void)state;
    Fixture fixture;
    fixture_begin(&fixture);
    StrBuf bytes = {0};
    safetensors_build(
        &bytes,
        "{\"b\":" ENTRY("F16", "[2]", "[12,16]") ",\"a\":" ENTRY("F32", "[3,1]", "[0,12]") "}", 16);
    float numbers[3] = {1, -2, 0.5f};
    memcpy(bytes.data + bytes.length - 16, numbers, sizeof numbers);
    void *copy;
    TensorFile *file = open_copy(&fixture, bytes.data, bytes.length, &copy);
    assert_non_null(file);
    const FileTensor *a = &file->tensors.data[0];
    const FileTensor *b = &file->tensors.data[1];
    assert_string_equal(a->name, "a");
    assert_int_equal(a->number, NUMBER_F32);
    assert_int_equal(a->bytes, 12);
    assert_int_equal(a->offset, bytes.length - 16);
    Shape expected = shape_make(2, 3, 1);
    assert_true(shape_equal(&a->shape, &expected));
    assert_memory_equal(file_tensor_floats(file, a), numbers, sizeof numbers);
    assert_string_equal(b->type, "F16");
    assert_int_equal(b->number, NUMBER_F16);
    tensor_file_close(file);
    free(copy);
    strbuf_free(&bytes);
    fixture_end(&fixture);
}

/* ---- files ---------------------------------------------------------------------------------- */

static void unknown_endings(void **state) {
    (void)state;
    Fixture fixture;
    fixture_begin(&fixture);
    const char *const names[] = {"a.pt", "a.npy", "a", "safetensors", ".safetensors", "a.h5"};
    size_t count = sizeof names / sizeof names[0];
    for (size_t i = 0; i < count; i++)
        assert_null(tensor_file_open(&fixture.arena, &fixture.diagnostics, SPAN_NONE, names[i]));
    assert_int_equal(fixture.diagnostics.list.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(fixture.diagnostics.list.data[i]->code, DIAG_E0409);
    assert_non_null(strstr(fixture.diagnostics.list.data[0]->fixes.data[0].message, "save_file"));
    assert_null(tensor_file_open(&fixture.arena, &fixture.diagnostics, SPAN_NONE,
                                 "no-such-file.safetensors"));
    assert_int_equal(fixture.diagnostics.list.data[count]->code, DIAG_E0701);
    fixture_end(&fixture);
}

static void write_file(const char *path, const StrBuf *bytes) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes->data, 1, bytes->length, file), bytes->length);
    assert_int_equal(fclose(file), 0);
}

/* Header of 8-byte multiples: the numbers are used where the file is mapped. Another length: they
 * are copied. A file changed meanwhile is noticed. */
static void mapped_files(void **state) {
    (void)state;
    char folder[] = "/tmp/netc-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/a.SafeTensors", folder);
    for (int odd = 0; odd < 2; odd++) {
        Fixture fixture;
        fixture_begin(&fixture);
        StrBuf header = {0};
        strbuf_add(&header, ONE("F32", "[2]", "[0,8]"));
        strbuf_fill(&header, ' ', 8 - header.length % 8 + (size_t)odd);
        StrBuf bytes = {0};
        safetensors_build(&bytes, strbuf_text(&header), 8);
        write_file(path, &bytes);
        TensorFile *file = tensor_file_open(&fixture.arena, &fixture.diagnostics, SPAN_NONE, path);
        assert_non_null(file);
        const FileTensor *tensor = &file->tensors.data[0];
        const void *numbers = file_tensor_floats(file, tensor);
        assert_int_equal(numbers == tensor->data, !odd);
        assert_true(tensor_file_unchanged(file));
        strbuf_add_char(&bytes, 'x');
        write_file(path, &bytes);
        assert_false(tensor_file_unchanged(file));
        assert_int_equal(fixture.diagnostics.list.count, 1);
        assert_int_equal(fixture.diagnostics.list.data[0]->code, DIAG_E0701);
        tensor_file_close(file);
        strbuf_free(&bytes);
        strbuf_free(&header);
        fixture_end(&fixture);
    }
    Fixture fixture;
    fixture_begin(&fixture);
    StrBuf empty = {0};
    strbuf_add(&empty, "");
    write_file(path, &empty);
    assert_null(tensor_file_open(&fixture.arena, &fixture.diagnostics, SPAN_NONE, path));
    assert_int_equal(fixture.diagnostics.list.count, 1);
    assert_int_equal(fixture.diagnostics.list.data[0]->code, DIAG_E0401);
    strbuf_free(&empty);
    fixture_end(&fixture);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_length),   cmocka_unit_test(header_frame),
        cmocka_unit_test(entry_fields),    cmocka_unit_test(duplicate_names),
        cmocka_unit_test(metadata),        cmocka_unit_test(numbers_in_plain_digits),
        cmocka_unit_test(sizes),           cmocka_unit_test(layout),
        cmocka_unit_test(names_and_depth), cmocka_unit_test(what_is_allowed),
        cmocka_unit_test(tensor_facts),    cmocka_unit_test(unknown_endings),
        cmocka_unit_test(mapped_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
