/* Which elements of two sequences correspond: a longest common subsequence, after Myers, An O(ND)
 * Difference Algorithm and Its Variations, Algorithmica 1 (1986). Knows nothing of layers. */
#ifndef NETC_OUTPUT_ALIGNMENT_H
#define NETC_OUTPUT_ALIGNMENT_H

#include <stdint.h>

#include "support/arena.h"

#define UNMATCHED SIZE_MAX

/* Sets old_match[i] to the index of the element of `new` that element i of `old` corresponds to,
 * UNMATCHED without one; both indexes only increase from one pair to the next. Time and memory grow
 * with the square of the number of differences, so past ALIGNMENT_MAX_EDITS of them only the best
 * way so far is kept, and what is behind it corresponds to nothing. */
#define ALIGNMENT_MAX_EDITS 2000
void align(Arena *arena, const size_t *old, size_t old_count, const size_t *new, size_t new_count,
           size_t *old_match);

/* For each of `new` the index of the same text in `old`, UNMATCHED without one. Texts of one side
 * are different from each other. Sorts: no order is asked for. */
size_t *match_texts(Arena *arena, const char *const *old, size_t old_count, const char *const *new,
                    size_t new_count);

/* Numbers that are equal where texts are, from 0 in the order of the sorted texts. */
size_t *number_texts(Arena *arena, const char *const *texts, size_t count);

#endif
