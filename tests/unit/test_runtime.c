/* The packed weights file: what packed_write_file makes is what the runtime maps and reads, and
 * every way to be wrong has its status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <unistd.h>

#include "../runtime/netc_runtime.h"
#include "output/packed_file.h"
#include "support/hash.h"

#define PACKED_BYTES 192
#define FLOATS       (PACKED_BYTES / 4)
#define FILE_BYTES   (64 + PACKED_BYTES)
#define LAYOUT_HASH  UINT64_C(0x0123456789abcdef)

typedef struct Fixture {
    char path[64];
    _Alignas(float) unsigned char packed[PACKED_BYTES];
    unsigned char file[FILE_BYTES]; /* as packed_write_file made it */
    struct netc_info info;
    struct netc_weights weights;
} Fixture;

static void write_file(Fixture *fixture, const void *bytes, size_t size) {
    FILE *file = fopen(fixture->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Packs 192 bytes into a file and reads it back as plain bytes. */
static void make_file(Fixture *fixture) {
    Arena arena = {0};
    Diagnostics diagnostics = {.arena = &arena};
    FileSet files = {.arena = &arena, .diagnostics = &diagnostics};
    Plan plan = {.arena = &arena, .packed_bytes = PACKED_BYTES};
    Weight weight = {.path = "w", .data = (const float *)(const void *)fixture->packed};
    PackRecipe recipe = {.source = &weight, .axis_count = 1, .loop_count = 1, .floats = FLOATS};
    recipe.axes[0].extent = recipe.loops[0].count = FLOATS;
    recipe.axes[0].stride = recipe.loops[0].step = 1;
    Packed packed = {.floats = FLOATS};
    VEC_PUSH(&arena, &packed.recipes, recipe);
    VEC_PUSH(&arena, &plan.packed, &packed);
    Variants variants = {.packed_bytes = PACKED_BYTES, .layout_hash = LAYOUT_HASH, .count = 1};
    variants.list[0] = (Variant){.plan = &plan, .packs = true};
    unsigned char object_hash[8];
    ObjectCode object = {.bytes = object_hash, .size = sizeof object_hash};
    uint64_t hash;
    int index = file_set_open(&files, fixture->path);
    assert_true(index >= 0);
    assert_true(packed_write_file(&variants, &object, &files, index, &hash));
    assert_true(file_set_commit(&files));
    assert_true(hash == hash_bytes(fixture->packed, PACKED_BYTES));
    assert_memory_equal(object_hash, &hash, sizeof hash); /* little-endian, as all targets are */
    FileBytes bytes;
    assert_true(file_read(&diagnostics, SPAN_NONE, fixture->path, SIZE_MAX, &bytes));
    assert_int_equal(bytes.size, FILE_BYTES);
    memcpy(fixture->file, bytes.data, FILE_BYTES);
    file_release(&bytes);
    arena_free(&arena);
    fixture->info.layout_hash[0] = (unsigned)LAYOUT_HASH;
    fixture->info.layout_hash[1] = (unsigned)(LAYOUT_HASH >> 32);
    fixture->info.weights_hash[0] = (unsigned)hash;
    fixture->info.weights_hash[1] = (unsigned)(hash >> 32);
}

static int begin(void **state) {
    Fixture *fixture = calloc(1, sizeof *fixture);
    strcpy(fixture->path, "/tmp/netc-test-runtime-XXXXXX");
    int descriptor = mkstemp(fixture->path);
    if (descriptor < 0)
        return -1;
    close(descriptor);
    for (int i = 0; i < PACKED_BYTES; i++)
        fixture->packed[i] = (unsigned char)(i * 7);
    fixture->info.abi_version = NETC_ABI_VERSION;
    fixture->info.alignment = 64;
    fixture->info.arena_bytes = 1000;
    fixture->info.weights_bytes = PACKED_BYTES;
    make_file(fixture);
    *state = fixture;
    return 0;
}

static int end(void **state) {
    Fixture *fixture = *state;
    netc_weights_free(&fixture->weights);
    unlink(fixture->path);
    free(fixture);
    return 0;
}

typedef enum netc_status Open(const char *path, const struct netc_info *info, int trust,
                              struct netc_weights *weights);

/* Opens the file; on any failure *weights must be all zero. */
static enum netc_status open_by(Open *opens, Fixture *fixture, int trust) {
    const struct netc_weights zero = {0};
    struct netc_weights *weights = &fixture->weights;
    netc_weights_free(weights);
    memset(weights, 0xFF, sizeof *weights);
    enum netc_status status = opens(fixture->path, &fixture->info, trust, weights);
    if (status != NETC_OK)
        assert_memory_equal(weights, &zero, sizeof zero);
    return status;
}

/* Reads the file and maps it, which must come to the same. */
static enum netc_status map(Fixture *fixture, int trust) {
    enum netc_status status = open_by(netc_weights_load, fixture, trust);
    struct netc_weights read = fixture->weights;
    memset(&fixture->weights, 0, sizeof fixture->weights);
    assert_int_equal(open_by(netc_weights_map, fixture, trust), status);
    if (status == NETC_OK) {
        assert_int_equal((uintptr_t)read.data % 64, 0);
        assert_memory_equal(read.data, fixture->weights.data, fixture->info.weights_bytes);
    }
    netc_weights_free(&read);
    return status;
}

/* Status of the file with one byte changed. */
static enum netc_status map_changed(Fixture *fixture, size_t at, int change, int trust) {
    unsigned char bytes[FILE_BYTES];
    memcpy(bytes, fixture->file, sizeof bytes);
    bytes[at] = (unsigned char)(bytes[at] ^ change);
    write_file(fixture, bytes, sizeof bytes);
    return map(fixture, trust);
}

/* Status of the first `size` bytes of the file, padded with zeros. */
static enum netc_status map_resized(Fixture *fixture, size_t size) {
    unsigned char bytes[FILE_BYTES + 64] = {0};
    memcpy(bytes, fixture->file, size < FILE_BYTES ? size : FILE_BYTES);
    write_file(fixture, bytes, size);
    return map(fixture, 0);
}

/* ---- weights ------------------------------------------------------------------------------ */

static void file_has_the_documented_layout(void **state) {
    Fixture *fixture = *state;
    const unsigned char *file = fixture->file;
    const unsigned char fixed[24] = {'N', 'E', 'T', 'C', 'W', 'T', 'S', '\n', 1, 0, 0, 0,
                                     64,  0,   0,   0,   192, 0,   0,   0,    0, 0, 0, 0};
    assert_memory_equal(file, fixed, sizeof fixed);
    uint64_t hash = hash_bytes(fixture->packed, PACKED_BYTES);
    for (int i = 0; i < 8; i++)
        assert_int_equal(file[24 + i], (hash >> (8 * i)) & 0xFF);
    for (int i = 0; i < 8; i++)
        assert_int_equal(file[32 + i], (LAYOUT_HASH >> (8 * i)) & 0xFF);
    for (int i = 40; i < 64; i++)
        assert_int_equal(file[i], 0);
    assert_memory_equal(file + 64, fixture->packed, PACKED_BYTES);
}

static void good_file_is_mapped(void **state) {
    Fixture *fixture = *state;
    for (int trust = 0; trust < 2; trust++) {
        assert_int_equal(map(fixture, trust), NETC_OK);
        assert_int_equal((uintptr_t)fixture->weights.data % 64, 0);
        assert_memory_equal(fixture->weights.data, fixture->packed, PACKED_BYTES);
        netc_weights_free(&fixture->weights);
        assert_null(fixture->weights.data);
        netc_weights_free(&fixture->weights); /* twice does no harm */
    }
}

static void missing_file(void **state) {
    Fixture *fixture = *state;
    unlink(fixture->path);
    assert_int_equal(map(fixture, 0), NETC_CANNOT_OPEN);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(netc_weights_map("/", &fixture->info, 0, &fixture->weights), NETC_CANNOT_OPEN);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(netc_weights_load("/", &fixture->info, 0, &fixture->weights),
                     NETC_CANNOT_OPEN);
}

static void other_files_are_not_weights(void **state) {
    Fixture *fixture = *state;
    for (size_t at = 0; at < 8; at++)
        assert_int_equal(map_changed(fixture, at, 0x20, 1), NETC_NOT_WEIGHTS);
    assert_int_equal(map_resized(fixture, 0), NETC_NOT_WEIGHTS);
    assert_int_equal(map_resized(fixture, 7), NETC_NOT_WEIGHTS);
}

static void other_versions_are_refused(void **state) {
    Fixture *fixture = *state;
    for (size_t at = 8; at < 12; at++)
        assert_int_equal(map_changed(fixture, at, 2, 1), NETC_WRONG_VERSION);
    write_file(fixture, fixture->file, FILE_BYTES);
    fixture->info.abi_version = NETC_ABI_VERSION + 1;
    assert_int_equal(map(fixture, 1), NETC_WRONG_VERSION);
}

static void every_other_size_is_refused(void **state) {
    Fixture *fixture = *state;
    for (size_t size = 8; size < FILE_BYTES + 64; size++)
        assert_int_equal(map_resized(fixture, size),
                         size == FILE_BYTES ? NETC_OK : NETC_WRONG_SIZE);
}

static void sizes_in_the_header_must_agree(void **state) {
    Fixture *fixture = *state;
    for (size_t at = 16; at < 24; at++) /* up to more than any memory */
        assert_int_equal(map_changed(fixture, at, 0x40, 1), NETC_WRONG_SIZE);
    for (size_t at = 12; at < 16; at++) /* offset too small, too large, beyond the file */
        assert_int_equal(map_changed(fixture, at, 0xC0, 1), NETC_WRONG_SIZE);
    write_file(fixture, fixture->file, FILE_BYTES);
    fixture->info.weights_bytes = PACKED_BYTES + 64;
    assert_int_equal(map(fixture, 1), NETC_WRONG_SIZE);
}

static void crooked_offset_is_refused(void **state) {
    Fixture *fixture = *state;
    unsigned char bytes[FILE_BYTES];
    memcpy(bytes, fixture->file, 32);
    bytes[12] = 32; /* agrees with the size of the file, but is no multiple of 64 */
    memcpy(bytes + 32, fixture->packed, PACKED_BYTES);
    write_file(fixture, bytes, 32 + PACKED_BYTES);
    assert_int_equal(map(fixture, 1), NETC_CORRUPT);
    bytes[12] = 0; /* the weights would overlap the header */
    bytes[16] = 64;
    fixture->info.weights_bytes = 64;
    write_file(fixture, bytes, 64);
    assert_int_equal(map(fixture, 1), NETC_CORRUPT);
}

static void offset_must_suit_the_network(void **state) {
    Fixture *fixture = *state;
    fixture->info.alignment = 128;
    assert_int_equal(map(fixture, 1), NETC_CORRUPT);
    fixture->info.alignment = 0;
    assert_int_equal(map(fixture, 1), NETC_CORRUPT);
}

static void padding_must_be_zero(void **state) {
    Fixture *fixture = *state;
    for (size_t at = 40; at < 64; at++)
        assert_int_equal(map_changed(fixture, at, 1, 1), NETC_CORRUPT);
}

static void weights_of_another_network(void **state) {
    Fixture *fixture = *state;
    for (size_t at = 24; at < 40; at++)
        assert_int_equal(map_changed(fixture, at, 1, 1), NETC_WRONG_NETWORK);
    write_file(fixture, fixture->file, FILE_BYTES);
    fixture->info.weights_hash[1] ^= 1;
    assert_int_equal(map(fixture, 0), NETC_WRONG_NETWORK);
}

static void damaged_weights_are_found_unless_trusted(void **state) {
    Fixture *fixture = *state;
    for (size_t at = 64; at < FILE_BYTES; at++)
        assert_int_equal(map_changed(fixture, at, 0x80, 0), NETC_CORRUPT);
    assert_int_equal(map_changed(fixture, 64, 0x80, 1), NETC_OK);
}

/* Without a baked hash any weights in the right layout will do. */
static void weights_packed_at_run_time(void **state) {
    Fixture *fixture = *state;
    fixture->info.weights_hash[0] = fixture->info.weights_hash[1] = 0;
    fixture->packed[5] ^= 1;
    assert_int_equal(netc_weights_save(fixture->path, &fixture->info, fixture->packed), NETC_OK);
    assert_int_equal(map(fixture, 0), NETC_OK);
    assert_memory_equal(fixture->weights.data, fixture->packed, PACKED_BYTES);
    fixture->info.layout_hash[0] ^= 1;
    assert_int_equal(map(fixture, 0), NETC_WRONG_NETWORK);
    assert_int_equal(netc_weights_save("/missing/folder/w", &fixture->info, fixture->packed),
                     NETC_CANNOT_OPEN);
}

/* So large that huge pages are asked for, and no multiple of one. */
static void large_weights(void **state) {
    Fixture *fixture = *state;
    size_t bytes = 5000000;
    unsigned char *packed = malloc(bytes);
    assert_non_null(packed);
    for (size_t i = 0; i < bytes; i++)
        packed[i] = (unsigned char)(i % 251);
    fixture->info.weights_bytes = bytes;
    fixture->info.weights_hash[0] = fixture->info.weights_hash[1] = 0;
    assert_int_equal(netc_weights_save(fixture->path, &fixture->info, packed), NETC_OK);
    assert_int_equal(map(fixture, 0), NETC_OK);
    assert_memory_equal(fixture->weights.data, packed, bytes);
    free(packed);
}

/* ---- the rest ----------------------------------------------------------------------------- */

static void every_status_has_a_text(void **state) {
    (void)state;
    for (int status = NETC_OK; status <= NETC_CORRUPT; status++)
        for (int other = NETC_OK; other < status; other++)
            assert_string_not_equal(netc_status_text((enum netc_status)status),
                                    netc_status_text((enum netc_status)other));
    assert_string_equal(netc_status_text(NETC_NOT_WEIGHTS),
                        "the file is not a packed weights file");
    assert_string_equal(netc_status_text((enum netc_status)99), "unknown status");
}

static void arenas_are_aligned_and_apart(void **state) {
    Fixture *fixture = *state;
    for (unsigned alignment = 1; alignment <= 4096; alignment *= 2) {
        fixture->info.alignment = alignment;
        void *one = netc_arena_new(&fixture->info);
        void *other = netc_arena_new(&fixture->info);
        assert_non_null(one);
        assert_int_equal((uintptr_t)one % alignment, 0);
        memset(one, 1, 1000);
        memset(other, 2, 1000);
        assert_int_equal(*(unsigned char *)one, 1);
        netc_arena_free(one);
        netc_arena_free(other);
    }
    fixture->info.alignment = 64;
    fixture->info.arena_bytes = 5000000;
    void *large = netc_arena_new(&fixture->info);
    assert_non_null(large);
    assert_int_equal((uintptr_t)large % 64, 0);
    memset(large, 1, fixture->info.arena_bytes);
    netc_arena_free(large);
    fixture->info.arena_bytes = 0;
    void *empty = netc_arena_new(&fixture->info);
    assert_non_null(empty);
    netc_arena_free(empty);
    netc_arena_free(NULL);
}

static void impossible_arenas_are_null(void **state) {
    Fixture *fixture = *state;
    fixture->info.arena_bytes = SIZE_MAX - 8;
    assert_null(netc_arena_new(&fixture->info));
    fixture->info.arena_bytes = 8;
    fixture->info.alignment = 0;
    assert_null(netc_arena_new(&fixture->info));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(file_has_the_documented_layout),
        TEST(good_file_is_mapped),
        TEST(missing_file),
        TEST(other_files_are_not_weights),
        TEST(other_versions_are_refused),
        TEST(every_other_size_is_refused),
        TEST(sizes_in_the_header_must_agree),
        TEST(crooked_offset_is_refused),
        TEST(offset_must_suit_the_network),
        TEST(padding_must_be_zero),
        TEST(weights_of_another_network),
        TEST(damaged_weights_are_found_unless_trusted),
        TEST(weights_packed_at_run_time),
        TEST(large_weights),
        TEST(every_status_has_a_text),
        TEST(arenas_are_aligned_and_apart),
        TEST(impossible_arenas_are_null),
    };
    return cmocka_run_group_tests_name("runtime", tests, NULL, NULL);
}
