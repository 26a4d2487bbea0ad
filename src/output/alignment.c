#include "output/alignment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- longest common subsequence --------------------------------------------------------------
 *
 * In the edit graph, x elements of `old` and y of `new` are behind; diagonal k is x - y. After d
 * edits the furthest x on each diagonal from -d to d, d apart by 2, is known from those of d - 1.
 * All rounds are kept, round d in d + 1 numbers, so that the way can be followed back. */

typedef struct Search {
    const size_t *old;
    const size_t *new;
    size_t old_count;
    size_t new_count;
    size_t **rounds; /* rounds[d][i]: the furthest x on diagonal 2 * i - d */
} Search;

static size_t slide(const Search *search, size_t x, ptrdiff_t k) {
    size_t y = (size_t)((ptrdiff_t)x - k);
    while (x < search->old_count && y < search->new_count && search->old[x] == search->new[y]) {
        x++;
        y++;
    }
    return x;
}

/* Whether diagonal i of round d is reached by a new element (down, x stays) and not by leaving an
 * old one (right, x + 1): whichever came further in the round before. */
static bool comes_down(const size_t *before, size_t d, size_t i) {
    return i == 0 || (i < d && before[i - 1] < before[i]);
}

static size_t step(const size_t *before, size_t d, size_t i) {
    return comes_down(before, d, i) ? before[i] : before[i - 1] + 1;
}

/* One round; returns the diagonal that reached the end, UNMATCHED if none did. Ways may run on past
 * the borders, where nothing is equal: one that does is longer than the one along the border. */
static size_t search_round(Search *search, size_t d) {
    for (size_t i = 0; i <= d; i++) {
        ptrdiff_t k = 2 * (ptrdiff_t)i - (ptrdiff_t)d;
        size_t x = slide(search, d == 0 ? 0 : step(search->rounds[d - 1], d, i), k);
        search->rounds[d][i] = x;
        if (x == search->old_count && (size_t)((ptrdiff_t)x - k) == search->new_count)
            return i;
    }
    return UNMATCHED;
}

/* Of the ways of round d that are within the graph the one that got furthest. */
static size_t best_of_round(const Search *search, size_t d) {
    size_t best = 0;
    size_t furthest = 0;
    for (size_t i = 0; i <= d; i++) {
        size_t x = search->rounds[d][i];
        size_t y = (size_t)((ptrdiff_t)x - (2 * (ptrdiff_t)i - (ptrdiff_t)d));
        if (x <= search->old_count && y <= search->new_count && x + y >= furthest) {
            furthest = x + y;
            best = i;
        }
    }
    return best;
}

/* Notes the equal elements on the way that ends on diagonal i of round d. */
static void follow_back(const Search *search, size_t d, size_t i, size_t *old_match) {
    for (;; d--) {
        ptrdiff_t k = 2 * (ptrdiff_t)i - (ptrdiff_t)d;
        size_t begin = d == 0 ? 0 : step(search->rounds[d - 1], d, i);
        for (size_t x = begin; x < search->rounds[d][i]; x++)
            old_match[x] = (size_t)((ptrdiff_t)x - k);
        if (d == 0)
            return;
        if (!comes_down(search->rounds[d - 1], d, i))
            i--;
    }
}

void align(Arena *arena, const size_t *old, size_t old_count, const size_t *new, size_t new_count,
           size_t *old_match) {
    for (size_t i = 0; i < old_count; i++)
        old_match[i] = UNMATCHED;
    while (old_count > 0 && new_count > 0 && old[old_count - 1] == new[new_count - 1])
        old_match[--old_count] = --new_count;
    Search search = {old, new, old_count, new_count,
                     ARENA_ARRAY(arena, ALIGNMENT_MAX_EDITS + 1, size_t *)};
    for (size_t d = 0; d <= ALIGNMENT_MAX_EDITS; d++) {
        search.rounds[d] = ARENA_ARRAY(arena, d + 1, size_t);
        size_t end = search_round(&search, d);
        if (end == UNMATCHED && d == ALIGNMENT_MAX_EDITS)
            end = best_of_round(&search, d);
        if (end == UNMATCHED)
            continue;
        follow_back(&search, d, end, old_match);
        return;
    }
}

/* ---- texts ---------------------------------------------------------------------------------- */

typedef struct Entry {
    const char *text;
    size_t index;
} Entry;

static int entry_compare(const void *left, const void *right) {
    const Entry *a = left;
    const Entry *b = right;
    return strcmp(a->text, b->text);
}

static Entry *sorted_entries(Arena *arena, const char *const *texts, size_t count) {
    Entry *entries = ARENA_ARRAY(arena, count, Entry);
    for (size_t i = 0; i < count; i++)
        entries[i] = (Entry){texts[i], i};
    qsort(entries, count, sizeof *entries, entry_compare);
    return entries;
}

size_t *match_texts(Arena *arena, const char *const *old, size_t old_count, const char *const *new,
                    size_t new_count) {
    const Entry *entries = sorted_entries(arena, old, old_count);
    size_t *match = ARENA_ARRAY(arena, new_count, size_t);
    for (size_t i = 0; i < new_count; i++) {
        Entry wanted = {new[i], 0};
        const Entry *found = bsearch(&wanted, entries, old_count, sizeof *entries, entry_compare);
        match[i] = found ? found->index : UNMATCHED;
    }
    return match;
}

size_t *number_texts(Arena *arena, const char *const *texts, size_t count) {
    const Entry *entries = sorted_entries(arena, texts, count);
    size_t *numbers = ARENA_ARRAY(arena, count, size_t);
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        next += i > 0 && strcmp(entries[i].text, entries[i - 1].text) != 0;
        numbers[entries[i].index] = next;
    }
    return numbers;
}
