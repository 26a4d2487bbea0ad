/* Memory, texts, names and the hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/hash.h"
#include "support/intern.h"
#include "support/strbuf.h"
#include "support/suggest.h"
#include "support/unicode.h"
#include "support/vec.h"

/* ---- arena -------------------------------------------------------------------------------- */

static void arena_memory_is_zeroed_aligned_and_apart(void **state) {
    (void)state;
    Arena arena = {0};
    unsigned char *last = NULL;
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *bytes = arena_alloc(&arena, size);
        assert_int_equal((uintptr_t)bytes % 16, 0);
        assert_ptr_not_equal(bytes, last);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, 0xFF, size); /* would be seen by a later object that overlaps */
        last = bytes;
    }
    arena_free(&arena);
    assert_null(arena.chunks);
}

/* Through chunks of all sizes, in memory that was used before. */
static void arena_grows(void **state) {
    (void)state;
    enum { OBJECTS = 800, SIZE = 10000 };
    for (int again = 0; again < 2; again++) {
        Arena arena = {0};
        unsigned char *objects[OBJECTS];
        for (int i = 0; i < OBJECTS; i++) {
            objects[i] = arena_alloc(&arena, SIZE);
            for (int k = 0; k < SIZE; k++)
                assert_int_equal(objects[i][k], 0);
            memset(objects[i], i % 251 + 1, SIZE);
        }
        for (int i = 0; i < OBJECTS; i++)
            assert_true(objects[i][0] == i % 251 + 1 && objects[i][SIZE - 1] == i % 251 + 1);
        arena_free(&arena);
    }
}

static void arena_keeps_objects_beside_large_ones(void **state) {
    (void)state;
    Arena arena = {0};
    char *large_first = arena_alloc(&arena, 3 << 20);
    char *small = arena_copy_text(&arena, "small", 5);
    char *large = arena_alloc(&arena, 3 << 20);
    char *next = arena_alloc(&arena, 1);
    memset(large_first, 1, 3 << 20);
    memset(large, 1, 3 << 20);
    assert_string_equal(small, "small");
    assert_ptr_equal(next, small + 16); /* the small chunk is still used */
    arena_free(&arena);
}

static void arena_texts(void **state) {
    (void)state;
    Arena arena = {0};
    assert_string_equal(arena_copy_text(&arena, "abcdef", 3), "abc");
    assert_string_equal(arena_copy_text(&arena, NULL, 0), "");
    assert_string_equal(arena_format(&arena, "%d x %s", 3, "conv"), "3 x conv");
    char *wide = arena_format(&arena, "%100000d", 7);
    assert_int_equal(strlen(wide), 100000);
    arena_free(&arena);
}

/* ---- vec ---------------------------------------------------------------------------------- */

static void vec_keeps_what_was_pushed(void **state) {
    (void)state;
    Arena arena = {0};
    VEC(int) numbers = {0};
    for (int i = 0; i < 1000; i++)
        VEC_PUSH(&arena, &numbers, i * i);
    assert_int_equal(numbers.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers.data[i], i * i);
    arena_free(&arena);
}

/* ---- intern ------------------------------------------------------------------------------- */

static void intern_gives_one_pointer_a_text(void **state) {
    (void)state;
    Arena arena = {0};
    Intern intern = {.arena = &arena};
    const char *conv = intern_text(&intern, "conv");
    assert_string_equal(conv, "conv");
    assert_ptr_equal(intern_bytes(&intern, "conv1", 4), conv);
    assert_ptr_not_equal(intern_text(&intern, "conv1"), conv);
    assert_ptr_not_equal(intern_text(&intern, "con"), conv);
    assert_ptr_equal(intern_bytes(&intern, "x", 0), intern_text(&intern, ""));
    arena_free(&arena);
}

static void intern_survives_growth(void **state) {
    (void)state;
    Arena arena = {0};
    Intern intern = {.arena = &arena};
    const char *names[1000];
    for (int i = 0; i < 1000; i++)
        names[i] = intern_text(&intern, arena_format(&arena, "name%d", i));
    for (int i = 0; i < 1000; i++)
        assert_ptr_equal(intern_text(&intern, arena_format(&arena, "name%d", i)), names[i]);
    assert_int_equal(intern.count, 1000);
    arena_free(&arena);
}

/* ---- strbuf ------------------------------------------------------------------------------- */

static void strbuf_grows_at_its_end(void **state) {
    (void)state;
    StrBuf text = {0};
    assert_string_equal(strbuf_text(&text), "");
    strbuf_add(&text, "conv");
    strbuf_add_char(&text, '(');
    strbuf_format(&text, "%d, %dx%d", 60, 7, 7);
    strbuf_add_bytes(&text, ")]", 1);
    strbuf_fill(&text, '.', 3);
    assert_string_equal(strbuf_text(&text), "conv(60, 7x7)...");
    assert_int_equal(text.length, 16);
    strbuf_format(&text, "%1000d", 1);
    assert_int_equal(text.length, 1016);
    assert_int_equal(strlen(text.data), 1016);
    strbuf_free(&text);
    assert_null(text.data);
}

static void assert_count(int64_t number, char separator, const char *expected) {
    StrBuf text = {0};
    strbuf_add_count(&text, number, separator);
    assert_string_equal(strbuf_text(&text), expected);
    strbuf_free(&text);
}

static void strbuf_groups_digits(void **state) {
    (void)state;
    assert_count(0, ',', "0");
    assert_count(999, ',', "999");
    assert_count(1000, ',', "1,000");
    assert_count(50828751, '_', "50_828_751");
    assert_count(-999, ',', "-999");
    assert_count(-123456, ',', "-123,456");
    assert_count(INT64_MAX, ',', "9,223,372,036,854,775,807");
    assert_count(INT64_MIN, ',', "-9,223,372,036,854,775,808");
}

/* ---- suggest ------------------------------------------------------------------------------ */

static const char *const layers[] = {"conv", "dense", "maxpool", "avgpool", "relu", "relu6"};

static const char *nearest_layer(const char *name) {
    return suggest_name(name, layers, sizeof layers / sizeof layers[0]);
}

static void suggest_finds_the_nearest(void **state) {
    (void)state;
    assert_string_equal(nearest_layer("cnov"), "conv");       /* neighbours swapped: 1 */
    assert_string_equal(nearest_layer("con"), "conv");        /* one missing */
    assert_string_equal(nearest_layer("MaxPool"), "maxpool"); /* case only */
    assert_string_equal(nearest_layer("maxpol"), "maxpool");
    assert_string_equal(nearest_layer("relu7"), "relu");     /* the first of equals */
    assert_string_equal(nearest_layer("mxapol"), "maxpool"); /* 2 of 6 */
}

static void suggest_stays_silent_when_far(void **state) {
    (void)state;
    assert_null(nearest_layer("attention"));
    assert_null(nearest_layer("cxny")); /* 2 of 4: at most 1 */
    assert_null(nearest_layer(""));
    assert_null(suggest_name("conv", NULL, 0));
    char endless[5000];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(nearest_layer(endless));
}

/* ---- hash --------------------------------------------------------------------------------- */

/* From the documentation of the reference implementation and of its Python binding. */
static void hash_is_xxh64(void **state) {
    (void)state;
    const char *spam = "Nobody inspects the spammish repetition";
    assert_true(hash_bytes("", 0) == 0xEF46DB3751D8E999);
    assert_true(hash_bytes("a", 1) == 0xD24EC4F1A98C6E5B);
    assert_true(hash_bytes("abc", 3) == 0x44BC2CF5AD770999);
    assert_true(hash_bytes("xxhash", 6) == 0x32DD38952C4BC720);
    assert_true(hash_bytes(spam, strlen(spam)) == 0xFBCEA83C8A378BF1);
}

/* The self-check of the reference implementation: its buffer, seed 0. */
static void hash_passes_the_sanity_check(void **state) {
    (void)state;
    unsigned char buffer[223];
    uint64_t generator = 2654435761;
    for (size_t i = 0; i < sizeof buffer; i++) {
        buffer[i] = (unsigned char)(generator >> 56);
        generator *= 11400714785074694797u;
    }
    assert_true(hash_bytes(buffer, 1) == 0xE934A84ADB052768);
    assert_true(hash_bytes(buffer, 4) == 0x9136A0DCA57457EE);
    assert_true(hash_bytes(buffer, 14) == 0x8282DCC4994E35C8);
    assert_true(hash_bytes(buffer, 222) == 0xB641AE8CB691C174);
    unsigned char shifted[223];
    memcpy(shifted + 1, buffer, 222);
    assert_true(hash_bytes(shifted + 1, 222) == 0xB641AE8CB691C174); /* any address */
    for (size_t piece = 1; piece <= 222; piece++) {
        Hash hash = hash_start();
        for (size_t at = 0; at < 222; at += piece)
            hash_add(&hash, buffer + at, at + piece < 222 ? piece : 222 - at);
        assert_true(hash_end(&hash) == 0xB641AE8CB691C174);
    }
}

/* ---- unicode ------------------------------------------------------------------------------ */

static void assert_decodes(const char *bytes, size_t length, uint32_t scalar, size_t taken) {
    uint32_t decoded;
    assert_int_equal(unicode_decode(bytes, length, &decoded), taken);
    assert_int_equal(decoded, scalar);
}

static void unicode_reads_well_formed_text_only(void **state) {
    (void)state;
    assert_decodes("a", 1, 'a', 1);
    assert_decodes("\xC3\xA4", 2, 0xE4, 2);
    assert_decodes("\xE2\x82\xAC", 3, 0x20AC, 3);
    assert_decodes("\xF0\x9F\x98\x80", 4, 0x1F600, 4);
    assert_decodes("\xF4\x8F\xBF\xBF", 4, 0x10FFFF, 4);
    assert_decodes("\xC0\x80", 2, UNICODE_INVALID, 1);         /* overlong NUL */
    assert_decodes("\xE0\x80\xAF", 3, UNICODE_INVALID, 1);     /* overlong / */
    assert_decodes("\xF0\x8F\xBF\xBF", 4, UNICODE_INVALID, 1); /* overlong U+FFFF */
    assert_decodes("\xED\xA0\x80", 3, UNICODE_INVALID, 1);     /* surrogate */
    assert_decodes("\xF4\x90\x80\x80", 4, UNICODE_INVALID, 1); /* above U+10FFFF */
    assert_decodes("\x80", 1, UNICODE_INVALID, 1);
    assert_decodes("\xE2\x82", 2, UNICODE_INVALID, 1); /* cut off */
    assert_decodes("\xE2\x41\x42", 3, UNICODE_INVALID, 1);
}

static void unicode_knows_widths(void **state) {
    (void)state;
    assert_int_equal(unicode_cells('a'), 1);
    assert_int_equal(unicode_cells(0x0301), 0);  /* combining acute */
    assert_int_equal(unicode_cells(0x6F22), 2);  /* CJK */
    assert_int_equal(unicode_cells(0xAC00), 2);  /* Hangul */
    assert_int_equal(unicode_cells(0x1F600), 2); /* emoji */
    assert_int_equal(unicode_cells(0x20AC), 1);  /* euro */
    assert_true(unicode_is_deceptive(0x202E));
    assert_true(unicode_is_deceptive(0x1B));
    assert_true(unicode_is_deceptive(0x9B));
    assert_false(unicode_is_deceptive('a'));
    assert_false(unicode_is_deceptive(0x6F22));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(arena_grows),
        cmocka_unit_test(arena_keeps_objects_beside_large_ones),
        cmocka_unit_test(arena_texts),
        cmocka_unit_test(vec_keeps_what_was_pushed),
        cmocka_unit_test(intern_gives_one_pointer_a_text),
        cmocka_unit_test(intern_survives_growth),
        cmocka_unit_test(strbuf_grows_at_its_end),
        cmocka_unit_test(strbuf_groups_digits),
        cmocka_unit_test(suggest_finds_the_nearest),
        cmocka_unit_test(suggest_stays_silent_when_far),
        cmocka_unit_test(hash_is_xxh64),
        cmocka_unit_test(hash_passes_the_sanity_check),
        cmocka_unit_test(unicode_reads_well_formed_text_only),
        cmocka_unit_test(unicode_knows_widths),
    };
    return cmocka_run_group_tests_name("support", tests, NULL, NULL);
}
