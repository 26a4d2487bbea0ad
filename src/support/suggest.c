#include "support/suggest.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Longer names are compared but for case only: the work grows with the product of the lengths. */
#define SUGGEST_MAX_LENGTH 96

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours,
 * no byte edited twice. rows[k][j] is the distance of the first i - k bytes of a to the first j of
 * b. Both lengths are at most SUGGEST_MAX_LENGTH. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    size_t rows[3][SUGGEST_MAX_LENGTH + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        memcpy(rows[2], rows[1], sizeof rows[0]);
        memcpy(rows[1], rows[0], sizeof rows[0]);
        rows[0][0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = rows[1][j - 1] + (a[i - 1] != b[j - 1]);
            size_t best = smaller(replaced, smaller(rows[1][j], rows[0][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = smaller(best, rows[2][j - 2] + 1);
            rows[0][j] = best;
        }
    }
    return rows[0][b_length];
}

const char *suggest_name(const char *name, const char *const *candidates, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(name, candidates[i]) == 0)
            return candidates[i];
    size_t length = strlen(name);
    if (length > SUGGEST_MAX_LENGTH)
        return NULL;
    const char *nearest = NULL;
    size_t limit = length / 3 > 1 ? length / 3 : 1;
    for (size_t i = 0; i < count; i++) {
        size_t candidate_length = strlen(candidates[i]);
        if (candidate_length > SUGGEST_MAX_LENGTH || candidate_length > length + limit)
            continue;
        size_t distance = edit_distance(name, length, candidates[i], candidate_length);
        if (distance < limit + (nearest == NULL)) {
            limit = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
