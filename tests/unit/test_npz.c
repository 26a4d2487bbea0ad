/* .npz: hostile archives, each refused by one diagnostic; and what the rules allow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "weights_fixture.h"

/* ---- .npz helpers --------------------------------------------------------------------------- */

static TensorFile *npz_open_copy(Fixture *fixture, const StrBuf *bytes, size_t size, void **copy) {
    *copy = malloc(size > 0 ? size : 1);
    assert_non_null(*copy);
    if (size > 0)
        memcpy(*copy, bytes->data, size);
    return tensor_file_open_bytes(&fixture->arena, &fixture->diagnostics, SPAN_NONE, "a.npz", *copy,
                                  size);
}

static void assert_npz_refused_part(const ZipBuilder *zip, size_t size, const char *expected) {
    Fixture fixture;
    fixture_begin(&fixture);
    void *copy;
    assert_null(npz_open_copy(&fixture, &zip->out, size, &copy));
    assert_int_equal(fixture.diagnostics.list.count, 1);
    const Diagnostic *d = fixture.diagnostics.list.data[0];
    assert_string_equal(diag_code_name(d->code), "E0401");
    if (!strstr(d->message, expected))
        fail_msg("expected `%s` in: %s", expected, d->message);
    free(copy);
    fixture_end(&fixture);
}

static void assert_npz_refused(ZipBuilder *zip, const char *expected) {
    assert_npz_refused_part(zip, zip->out.length, expected);
    zip_free(zip);
}

static const float numbers[6] = {1, 2, 3, 4, 5, 6};

/* Two stored members, a [6] and b [2, 3]. */
static ZipBuilder two_members(unsigned method) {
    ZipBuilder zip = {0};
    zip_add_array(&zip, "a.npy", method, numbers, shape_make(1, 6));
    zip_add_array(&zip, "b.npy", method, numbers, shape_make(2, 2, 3));
    zip_finish(&zip);
    return zip;
}

/* Overwrites `count` bytes, least first. */
static void patch(ZipBuilder *zip, size_t at, uint64_t value, int count) {
    for (int i = 0; i < count; i++)
        zip->out.data[at + (size_t)i] = (char)(value >> 8 * i & 255);
}

/* ---- .npz: the archive ---------------------------------------------------------------------- */

static void npz_accepted(void **state) {
    (void)state;
    for (unsigned method = 0; method <= 8; method += 8) {
        Fixture fixture;
        fixture_begin(&fixture);
        ZipBuilder zip = two_members(method);
        void *copy;
        TensorFile *file = npz_open_copy(&fixture, &zip.out, zip.out.length, &copy);
        if (!file)
            fail_msg("refused: %s", fixture.diagnostics.list.data[0]->message);
        assert_int_equal(file->tensors.count, 2);
        const FileTensor *b = &file->tensors.data[1];
        assert_string_equal(b->name, "b");
        assert_string_equal(b->type, "<f4");
        assert_int_equal(b->bytes, sizeof numbers);
        for (int i = 0; i < 2; i++)
            assert_memory_equal(file_tensor_floats(file, b), numbers, sizeof numbers);
        tensor_file_close(file);
        free(copy);
        zip_free(&zip);
        fixture_end(&fixture);
    }
}

static void npz_without_members(void **state) {
    (void)state;
    Fixture fixture;
    fixture_begin(&fixture);
    ZipBuilder zip = {0};
    zip_finish(&zip);
    void *copy;
    TensorFile *file = npz_open_copy(&fixture, &zip.out, zip.out.length, &copy);
    assert_non_null(file);
    assert_int_equal(file->tensors.count, 0);
    tensor_file_close(file);
    free(copy);
    zip_free(&zip);
    fixture_end(&fixture);
}

static void npz_fortran_member(void **state) {
    (void)state;
    Fixture fixture;
    fixture_begin(&fixture);
    const float columns[] = {1, 4, 2, 5, 3, 6};
    StrBuf array = {0};
    npy_build(&array, NPY_DICTIONARY("<f4", "True", "(2, 3)"), columns, sizeof columns);
    ZipBuilder zip = {0};
    zip_add_member(&zip, "a.npy", 8, array.data, array.length);
    zip_finish(&zip);
    void *copy;
    TensorFile *file = npz_open_copy(&fixture, &zip.out, zip.out.length, &copy);
    assert_non_null(file);
    assert_true(file->tensors.data[0].fortran);
    assert_memory_equal(file_tensor_floats(file, &file->tensors.data[0]), numbers, sizeof numbers);
    tensor_file_close(file);
    free(copy);
    strbuf_free(&array);
    zip_free(&zip);
    fixture_end(&fixture);
}

/* Each beginning of a valid archive, and the archive with bytes around it. */
static void npz_cut_or_extended(void **state) {
    (void)state;
    ZipBuilder zip = two_members(0);
    for (size_t size = 0; size < zip.out.length; size++)
        assert_npz_refused_part(&zip, size, "is not a valid .npz file");
    strbuf_add_char(&zip.out, 'x');
    assert_npz_refused(&zip, "does not end with an end record");

    zip = (ZipBuilder){0};
    strbuf_add(&zip.out, "prefix");
    zip_add_array(&zip, "a.npy", 0, numbers, shape_make(1, 6));
    zip_finish(&zip);
    assert_npz_refused(&zip, "6 bytes stand before its first member, `a.npy`");

    zip = two_members(0);
    patch(&zip, zip.end + 20, 1, 2); /* a comment */
    strbuf_add_char(&zip.out, 'x');
    assert_npz_refused(&zip, "does not end with an end record");
}

static void npz_directory(void **state) {
    (void)state;
    ZipBuilder zip = two_members(0);
    patch(&zip, zip.end + 10, 3, 2);
    assert_npz_refused(&zip, "has no room for 3 members");
    zip = two_members(0);
    patch(&zip, zip.end + 10, 1, 2);
    assert_npz_refused(&zip, "belong to no directory entry");
    zip = two_members(0);
    patch(&zip, zip.end + 12, 9, 4);
    assert_npz_refused(&zip, "places the directory wrongly");
    zip = two_members(0);
    patch(&zip, zip.end + 16, 0xFFFFFFF0, 4);
    assert_npz_refused(&zip, "places the directory wrongly");
    zip = two_members(0);
    patch(&zip, zip.end + 16, 0xFFFFFFFF, 4);
    assert_npz_refused(&zip, "the zip64 record expected at byte");
    zip = (ZipBuilder){0};
    zip_finish(&zip);
    patch(&zip, zip.end + 16, 0xFFFFFFFF, 4);
    assert_npz_refused(&zip, "there is no room for the zip64 record");
    zip = two_members(0);
    patch(&zip, zip.members[1].central + 16, 0, 4);
    patch(&zip, zip.members[1].local + 14, 0, 4);
    assert_npz_refused(&zip, "member `b.npy`: CRC error");
    zip = two_members(0);
    patch(&zip, zip.members[1].central + 12, 0, 4); /* another time than the local header has */
    assert_npz_refused(&zip, "libzip says: Zip archive inconsistent");
    zip = two_members(0);
    patch(&zip, zip.members[1].central, 0, 4);
    assert_npz_refused(&zip, "no directory entry at byte");
    zip = two_members(0);
    patch(&zip, zip.members[1].central + 28, 6, 2);
    assert_npz_refused(&zip, "is cut off");
    zip = two_members(0);
    patch(&zip, zip.members[1].central + 20, 0xFFFFFFFF, 4);
    assert_npz_refused(&zip, "lacks its zip64 sizes");
    zip = two_members(0);
    patch(&zip, zip.members[1].central + 42, 0xFFFFFFF0, 4);
    assert_npz_refused(&zip, "member `b.npy`: no local header at byte 4294967280");
}

static void npz_local_headers(void **state) {
    (void)state;
    const struct {
        size_t at; /* in the local header */
        uint64_t value;
        int bytes;
    } differences[] = {
        {6, 2, 2},    /* flags */
        {8, 8, 2},    /* method */
        {14, 1, 4},   /* CRC */
        {18, 1, 4},   /* compressed bytes */
        {22, 1, 4},   /* bytes */
        {30, 'x', 1}, /* name */
    };
    for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++) {
        ZipBuilder zip = two_members(0);
        patch(&zip, zip.members[1].local + differences[i].at, differences[i].value,
              differences[i].bytes);
        assert_npz_refused(&zip, "member `b.npy`: the local header at byte");
    }
    ZipBuilder zip = two_members(0);
    patch(&zip, zip.members[1].local, 0, 4);
    assert_npz_refused(&zip, "member `b.npy`: no local header at byte");
    zip = two_members(0);
    patch(&zip, zip.members[1].local + 28, 0xFFF0, 2); /* extra field */
    assert_npz_refused(&zip, "member `b.npy`: no local header at byte");
    zip = two_members(0);
    patch(&zip, zip.members[1].local + 18, 200, 4);
    patch(&zip, zip.members[1].local + 22, 200, 4);
    patch(&zip, zip.members[1].central + 20, 200, 4);
    patch(&zip, zip.members[1].central + 24, 200, 4);
    assert_npz_refused(&zip, "reach into the directory");
}

static void npz_members(void **state) {
    (void)state;
    ZipBuilder zip = {0};
    zip_add_array(&zip, "a.npy", 0, numbers, shape_make(1, 6));
    zip_add_array(&zip, "a.npy", 0, numbers, shape_make(1, 6));
    zip_finish(&zip);
    assert_npz_refused(&zip, "there are two members called `a.npy`");

    const char *const names[] = {"a.txt", ".npy", "npy", "a.npy/", "a.NPY"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        zip = (ZipBuilder){0};
        zip_add_array(&zip, names[i], 0, numbers, shape_make(1, 6));
        zip_finish(&zip);
        assert_npz_refused(&zip, "is not called NAME.npy");
    }
    StrBuf name = {0};
    strbuf_add(&name, "\xFF\x1B");
    strbuf_fill(&name, 'n', 4091);
    strbuf_add(&name, ".npy");
    zip = (ZipBuilder){0};
    zip_add_array(&zip, strbuf_text(&name), 0, numbers, shape_make(1, 6));
    zip_finish(&zip);
    assert_npz_refused(&zip, "...` has a name of 4097 bytes; the limit is 4096");
    strbuf_free(&name);
    zip = (ZipBuilder){0};
    zip_add_array(&zip, "\xFF\x1B\xE2\x80\xAE", 0, numbers, shape_make(1, 6));
    zip_finish(&zip);
    assert_npz_refused(&zip, "member `\\xFF\\u{1B}\\u{202E}` is not called NAME.npy");

    zip = two_members(0);
    zip.out.data[zip.members[1].local + 30] = '\0';
    zip.out.data[zip.members[1].central + 46] = '\0';
    assert_npz_refused(&zip, "has a NUL in its name");

    zip = two_members(0);
    patch(&zip, zip.members[1].local + 6, 1, 2);
    patch(&zip, zip.members[1].central + 8, 1, 2);
    assert_npz_refused(&zip, "member `b.npy` is encrypted");

    zip = two_members(0);
    patch(&zip, zip.members[1].local + 8, 12, 2); /* bzip2 */
    patch(&zip, zip.members[1].central + 10, 12, 2);
    assert_npz_refused(&zip, "member `b.npy` has compression method 12");

    zip = two_members(0);
    patch(&zip, zip.members[1].local + 22, 1, 4);
    patch(&zip, zip.members[1].central + 24, 1, 4);
    assert_npz_refused(&zip, "member `b.npy` is stored, but in another size");
}

/* Two directory entries whose data share bytes: the start of Fifield's bomb. */
static void npz_overlap(void **state) {
    (void)state;
    ZipBuilder inner = {0};
    zip_add_array(&inner, "b.npy", 0, numbers, shape_make(1, 6));
    ZipBuilder zip = {0};
    StrBuf quoted = {0};
    strbuf_add_bytes(&quoted, inner.out.data, inner.out.length);
    zip_add_packed(&zip, "a.npy", 0, &quoted, quoted.length, zip_crc(quoted.data, quoted.length));
    zip.count = 2;
    zip.members[1] = zip.members[0];
    zip.members[1].name = "b.npy";
    zip.members[1].local = zip.members[0].data;
    zip.members[1].packed_bytes = inner.members[0].packed_bytes;
    zip.members[1].bytes = inner.members[0].bytes;
    zip.members[1].crc = inner.members[0].crc;
    zip_finish(&zip);
    assert_npz_refused(&zip, "overlaps member `a.npy`");
    strbuf_free(&quoted);
    zip_free(&inner);

    zip = two_members(0); /* the same entry twice, under two names */
    patch(&zip, zip.members[1].central + 42, 0, 4);
    assert_npz_refused(&zip, "member `b.npy`: the local header at byte 0 differs");
}

/* ---- .npz: the members' contents ------------------------------------------------------------ */

static void npz_contents(void **state) {
    (void)state;
    ZipBuilder zip = {0};
    zip_add_member(&zip, "a.npy", 0, "", 0);
    zip_finish(&zip);
    assert_npz_refused(&zip, "member `a.npy`: its 0 bytes are too few for a header");

    StrBuf array = {0};
    npy_build(&array, NPY_DICTIONARY("<f4", "False", "(6,)"), numbers, sizeof numbers);
    strbuf_add_char(&array, 'x');
    zip = (ZipBuilder){0};
    zip_add_member(&zip, "a.npy", 8, array.data, array.length);
    zip_finish(&zip);
    assert_npz_refused(&zip, "[6] of type `<f4` takes 24 bytes behind the header of 68, but the "
                             "member has 93 in all");
    zip = (ZipBuilder){0};
    zip_add_member(&zip, "a.npy", 8, array.data, array.length - 2);
    zip_finish(&zip);
    assert_npz_refused(&zip, "the member has 91 in all");
    strbuf_free(&array);

    StrBuf packed = {0};
    strbuf_add(&packed, "\xFF"); /* a last block of the kind that does not exist */
    zip = (ZipBuilder){0};
    zip_add_packed(&zip, "a.npy", 8, &packed, 100, 0);
    zip_finish(&zip);
    assert_npz_refused(&zip, "member `a.npy`: Zlib error: data error");
    strbuf_free(&packed);

    npy_build(&array, NPY_DICTIONARY("|O", "False", "(1,)"), numbers, 8);
    zip = (ZipBuilder){0};
    zip_add_member(&zip, "a.npy", 0, array.data, array.length);
    zip_finish(&zip);
    assert_npz_refused(&zip, "member `a.npy`: `descr` is `|O`");
    strbuf_free(&array);
}

/* What is only seen when a tensor is read: the CRC at the member's end, and a deflate stream that
 * holds less or more than the directory claims. */
static void assert_read_fails(ZipBuilder *zip, const char *expected) {
    Fixture fixture;
    fixture_begin(&fixture);
    void *copy;
    TensorFile *file = npz_open_copy(&fixture, &zip->out, zip->out.length, &copy);
    if (!file)
        fail_msg("refused: %s", fixture.diagnostics.list.data[0]->message);
    assert_null(file_tensor_floats(file, &file->tensors.data[0]));
    assert_int_equal(fixture.diagnostics.list.count, 1);
    const Diagnostic *d = fixture.diagnostics.list.data[0];
    assert_string_equal(diag_code_name(d->code), "E0401");
    if (!strstr(d->message, expected))
        fail_msg("expected `%s` in: %s", expected, d->message);
    tensor_file_close(file);
    free(copy);
    zip_free(zip);
    fixture_end(&fixture);
}

/* A large tensor, so that libzip does not reach its end while the header is read. */
#define LARGE 20000

static void npz_bad_data(void **state) {
    (void)state;
    float *large = calloc(LARGE, sizeof *large);
    StrBuf array = {0};
    Shape shape = shape_make(1, LARGE);
    npy_write(large, &shape, &array);
    free(large);

    for (unsigned method = 0; method <= 8; method += 8) {
        ZipBuilder zip = {0};
        zip_add_member(&zip, "a.npy", method, array.data, array.length);
        zip_finish(&zip);
        zip.out.data[zip.members[0].data + zip.members[0].packed_bytes - 1] ^= 1;
        assert_read_fails(&zip, "CRC");
    }
    for (int longer = 0; longer < 2; longer++) {
        StrBuf packed = {0};
        StrBuf changed = {0};
        strbuf_add_bytes(&changed, array.data, array.length - 1);
        if (longer)
            strbuf_add(&changed, "xx");
        deflate_store(&packed, changed.data, changed.length);
        ZipBuilder zip = {0};
        zip_add_packed(&zip, "a.npy", 8, &packed, array.length,
                       zip_crc(changed.data, changed.length));
        zip_finish(&zip);
        assert_read_fails(&zip, "member `a.npy`:");
        strbuf_free(&packed);
        strbuf_free(&changed);
    }
    strbuf_free(&array);
}

/* A member of some kilobytes that inflates to 100 MB of zeros behind an honest header. It opens,
 * since nothing but the header is inflated; the network, which needs 4 numbers, refuses it by its
 * shape. */
static void npz_bomb(void **state) {
    (void)state;
    const size_t repeats = 400000;
    const size_t zeros = 1 + 258 * repeats;
    StrBuf header = {0};
    npy_build(&header, NPY_DICTIONARY("|i1", "False", "(103200001,)"), NULL, 0);
    assert_int_equal(zeros, 103200001);
    StrBuf packed = {0};
    strbuf_add_char(&packed, 0); /* a stored block, not the last */
    zip_number(&packed, header.length, 2);
    zip_number(&packed, ~header.length, 2);
    strbuf_add_bytes(&packed, header.data, header.length);
    deflate_zeros(&packed, repeats);
    ZipBuilder zip = {0};
    zip_add_packed(&zip, "fc.bias.npy", 8, &packed, header.length + zeros, 0);
    zip_finish(&zip);

    Fixture fixture;
    fixture_begin(&fixture);
    void *copy;
    TensorFile *file = npz_open_copy(&fixture, &zip.out, zip.out.length, &copy);
    assert_non_null(file);
    assert_int_equal(file->tensors.data[0].bytes, zeros);
    Graph *graph = tiny_graph(&fixture);
    assert_false(weights_bind_file(graph, file, WEIGHTS_PYTORCH));
    assert_int_equal(fixture.diagnostics.list.count, 4); /* three missing, one of another shape */
    assert_null(graph->weights.data[3]->data);
    tensor_file_close(file);
    free(copy);

    /* The same zeros behind a header that asks for 3 numbers, as the directory does too. */
    zip_free(&zip);
    zip = (ZipBuilder){0};
    StrBuf small = {0};
    npy_build(&small, NPY_DICTIONARY("<f4", "False", "(3,)"), NULL, 0);
    StrBuf bomb = {0};
    strbuf_add_char(&bomb, 0);
    zip_number(&bomb, small.length, 2);
    zip_number(&bomb, ~small.length, 2);
    strbuf_add_bytes(&bomb, small.data, small.length);
    deflate_zeros(&bomb, repeats);
    zip_add_packed(&zip, "fc.bias.npy", 8, &bomb, small.length + 12, 0);
    zip_finish(&zip);
    file = npz_open_copy(&fixture, &zip.out, zip.out.length, &copy);
    if (file) /* libzip may notice while the header is read, or later */
        assert_null(file_tensor_floats(file, &file->tensors.data[0]));
    assert_int_equal(fixture.diagnostics.list.count, 5);
    tensor_file_close(file);
    free(copy);
    strbuf_free(&bomb);
    strbuf_free(&small);
    strbuf_free(&packed);
    strbuf_free(&header);
    zip_free(&zip);
    fixture_end(&fixture);
}

/* numpy.savez(file, a=numpy.float32([1])): sizes of 64 bits in the local header, plain ones in the
 * directory. */
static void npz_of_numpy(void **state) {
    (void)state;
    StrBuf array = {0};
    Shape shape = shape_make(1, 1);
    npy_write(numbers, &shape, &array);
    ZipBuilder zip = {0};
    zip.count = 1;
    zip.members[0].name = "a.npy";
    zip.members[0].bytes = array.length;
    zip.members[0].packed_bytes = array.length;
    zip.members[0].crc = zip_crc(array.data, array.length);
    zip_number(&zip.out, ZIP_LOCAL_MAGIC, 4);
    zip_number(&zip.out, 20, 2);
    zip_number(&zip.out, 0, 4); /* flags, method */
    zip_number(&zip.out, 0x00210000, 4);
    zip_number(&zip.out, zip.members[0].crc, 4);
    zip_number(&zip.out, UINT64_MAX, 8);
    zip_number(&zip.out, 5, 2);
    zip_number(&zip.out, 20, 2);
    strbuf_add(&zip.out, "a.npy");
    zip_number(&zip.out, 1, 2); /* the zip64 field */
    zip_number(&zip.out, 16, 2);
    zip_number(&zip.out, array.length, 8);
    size_t packed_field = zip.out.length;
    zip_number(&zip.out, array.length, 8);
    strbuf_add_bytes(&zip.out, array.data, array.length);
    zip_finish(&zip);

    Fixture fixture;
    fixture_begin(&fixture);
    void *copy;
    TensorFile *file = npz_open_copy(&fixture, &zip.out, zip.out.length, &copy);
    if (!file)
        fail_msg("refused: %s", fixture.diagnostics.list.data[0]->message);
    const float *one = file_tensor_floats(file, &file->tensors.data[0]);
    assert_non_null(one);
    assert_true(*one == 1);
    tensor_file_close(file);
    free(copy);
    fixture_end(&fixture);

    patch(&zip, packed_field, array.length + 1, 8);
    assert_npz_refused(&zip, "member `a.npy`: the local header at byte 0 differs");
    strbuf_free(&array);
}

/* An archive as writers make it beyond 4 GiB: all sizes and the directory's place in zip64 fields.
 */
static void npz_wide(void **state) {
    (void)state;
    ZipBuilder zip = {0};
    zip_add_array(&zip, "a.npy", 0, numbers, shape_make(1, 6));
    size_t bytes = zip.members[0].bytes;
    size_t directory = zip.out.length;
    zip_number(&zip.out, ZIP_CENTRAL_MAGIC, 4);
    zip_number(&zip.out, 20 | 20 << 16, 4); /* versions */
    zip_number(&zip.out, 0, 4);             /* flags, method */
    zip_number(&zip.out, 0x00210000, 4);
    zip_number(&zip.out, zip.members[0].crc, 4);
    zip_number(&zip.out, UINT64_MAX, 8); /* sizes */
    zip_number(&zip.out, 5, 2);
    zip_number(&zip.out, 4 + 2 + 4 + 24, 2); /* extra */
    strbuf_fill(&zip.out, '\0', 6 + 4);      /* comment, disk, attributes */
    zip_number(&zip.out, UINT32_MAX, 4);     /* local header */
    strbuf_add(&zip.out, "a.npy");
    zip_number(&zip.out, 0x5455 | 2 << 16, 4); /* another field before it */
    zip_number(&zip.out, 0, 2);
    zip_number(&zip.out, 1 | 24 << 16, 4);
    zip_number(&zip.out, bytes, 8);
    zip_number(&zip.out, bytes, 8);
    zip_number(&zip.out, 0, 8);
    size_t record = zip.out.length;
    zip_number(&zip.out, 0x06064B50, 4);
    zip_number(&zip.out, 44, 8);
    zip_number(&zip.out, 45 | 45 << 16, 4);
    zip_number(&zip.out, 0, 8); /* disks */
    zip_number(&zip.out, 1, 8);
    zip_number(&zip.out, 1, 8);
    zip_number(&zip.out, record - directory, 8); /* at 40 */
    zip_number(&zip.out, directory, 8);
    zip_number(&zip.out, 0x07064B50, 4);
    zip_number(&zip.out, 0, 4);
    zip_number(&zip.out, record, 8);
    zip_number(&zip.out, 1, 4);
    zip_number(&zip.out, ZIP_END_MAGIC, 4);
    zip_number(&zip.out, 0, 4);
    zip_number(&zip.out, UINT32_MAX, 4);
    zip_number(&zip.out, UINT64_MAX, 8);
    zip_number(&zip.out, 0, 2);

    Fixture fixture;
    fixture_begin(&fixture);
    void *copy;
    TensorFile *file = npz_open_copy(&fixture, &zip.out, zip.out.length, &copy);
    if (!file)
        fail_msg("refused: %s", fixture.diagnostics.list.data[0]->message);
    assert_memory_equal(file_tensor_floats(file, &file->tensors.data[0]), numbers, sizeof numbers);
    tensor_file_close(file);
    free(copy);
    fixture_end(&fixture);

    patch(&zip, record + 40, record - directory + 1, 8);
    assert_npz_refused_part(&zip, zip.out.length, "places the directory wrongly");
    patch(&zip, record + 40, record - directory, 8);
    patch(&zip, record - 16, UINT64_MAX - 8, 8); /* compressed bytes */
    assert_npz_refused(&zip, "is stored, but in another size than its own");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npz_accepted),       cmocka_unit_test(npz_without_members),
        cmocka_unit_test(npz_fortran_member), cmocka_unit_test(npz_cut_or_extended),
        cmocka_unit_test(npz_directory),      cmocka_unit_test(npz_local_headers),
        cmocka_unit_test(npz_members),        cmocka_unit_test(npz_overlap),
        cmocka_unit_test(npz_contents),       cmocka_unit_test(npz_bad_data),
        cmocka_unit_test(npz_bomb),           cmocka_unit_test(npz_of_numpy),
        cmocka_unit_test(npz_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
