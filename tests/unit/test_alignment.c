/* Longest common subsequences, against a table of all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "output/alignment.h"
#include "support/random.h"

#define MAX_LENGTH 40

/* How many elements a longest common subsequence has, by dynamic programming. */
static size_t longest(const size_t *old, size_t old_count, const size_t *new, size_t new_count) {
    static size_t table[MAX_LENGTH + 1][MAX_LENGTH + 1];
    for (size_t i = old_count + 1; i-- > 0;)
        for (size_t j = new_count + 1; j-- > 0;) {
            size_t *best = &table[i][j];
            *best = 0;
            if (i == old_count || j == new_count)
                continue;
            *best = old[i] == new[j]                    ? table[i + 1][j + 1] + 1
                    : table[i + 1][j] > table[i][j + 1] ? table[i + 1][j]
                                                        : table[i][j + 1];
        }
    return table[0][0];
}

/* Equal elements, in order; returns how many. */
static size_t check_pairs(const size_t *old, size_t old_count, const size_t *new, size_t new_count,
                          const size_t *match) {
    size_t count = 0;
    size_t next = 0; /* the first of `new` behind all pairs so far */
    for (size_t i = 0; i < old_count; i++) {
        if (match[i] == UNMATCHED)
            continue;
        assert_true(match[i] >= next && match[i] < new_count);
        assert_int_equal(old[i], new[match[i]]);
        next = match[i] + 1;
        count++;
    }
    return count;
}

static void test_longest(void **state) {
    (void)state;
    Random random = random_start(1);
    for (int i = 0; i < 5000; i++) {
        Arena arena = {0};
        size_t old[MAX_LENGTH];
        size_t new[MAX_LENGTH];
        size_t match[MAX_LENGTH];
        size_t old_count = random_bits(&random) % (MAX_LENGTH + 1);
        size_t new_count = random_bits(&random) % (MAX_LENGTH + 1);
        size_t letters = 1 + random_bits(&random) % 8;
        for (size_t k = 0; k < old_count; k++)
            old[k] = random_bits(&random) % letters;
        for (size_t k = 0; k < new_count; k++)
            new[k] = random_bits(&random) % letters;
        align(&arena, old, old_count, new, new_count, match);
        assert_int_equal(check_pairs(old, old_count, new, new_count, match),
                         longest(old, old_count, new, new_count));
        arena_free(&arena);
    }
}

/* Past the limit of edits the beginning and the end still correspond, and whatever does is right.
 */
static void test_too_many_edits(void **state) {
    (void)state;
    const size_t count = 4 * ALIGNMENT_MAX_EDITS;
    Arena arena = {0};
    size_t *old = ARENA_ARRAY(&arena, count, size_t);
    size_t *new = ARENA_ARRAY(&arena, count, size_t);
    size_t *match = ARENA_ARRAY(&arena, count, size_t);
    for (size_t i = 0; i < count; i++) {
        bool changed = i > 10 && i < count - 10;
        old[i] = i;
        new[i] = changed &&i % 3 != 0 ? count + i : i;
    }
    align(&arena, old, count, new, count, match);
    size_t pairs = check_pairs(old, count, new, count, match);
    assert_true(pairs > ALIGNMENT_MAX_EDITS / 4 && pairs < count / 3);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(match[i], i);
        assert_int_equal(match[count - 1 - i], count - 1 - i);
    }
    arena_free(&arena);
}

static void test_texts(void **state) {
    (void)state;
    Arena arena = {0};
    const char *old[] = {"conv", "relu", "", "fc"};
    const char *new[] = {"fc", "bn", "conv", ""};
    const size_t *match = match_texts(&arena, old, 4, new, 4);
    const size_t expected[] = {3, UNMATCHED, 0, 2};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(match[i], expected[i]);
    assert_int_equal(match_texts(&arena, old, 0, new, 1)[0], UNMATCHED);
    const char *texts[] = {"b", "a", "b", "c", "a"};
    const size_t *numbers = number_texts(&arena, texts, 5);
    const size_t numbered[] = {1, 0, 1, 2, 0};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(numbers[i], numbered[i]);
    arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_too_many_edits),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
