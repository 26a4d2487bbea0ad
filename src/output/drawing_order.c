/* The order of the points within ranks: barycentre sweeps, down and up in turn (Sugiyama 1981). A
 * point goes to the mean place of what it is linked to in the rank before. Whether a sweep was
 * any good is told by counting crossings (Barth, Juenger and Mutzel, Simple and efficient bilayer
 * cross counting, 2002: the inversions of the lower ends, links sorted by their upper ones). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "output/drawing_layered_internal.h"

#define SWEEPS 12

static void number_slots(Ranks *ranks, size_t rank) {
    for (size_t i = ranks->begin[rank]; i < ranks->begin[rank + 1]; i++)
        ranks->points[ranks->members[i]].slot = i - ranks->begin[rank];
}

/* Where a link ends in its rank; ends on one point are told apart by where on it they are. */
static double end_place(const Point *point, double offset) {
    return (double)point->slot + offset / (2 * point->width + 2);
}

/* ---- crossings ------------------------------------------------------------------------------ */

typedef struct Ends {
    double from;
    double to;
} Ends;

static int ends_compare(const void *left, const void *right) {
    const Ends *a = left;
    const Ends *b = right;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    return a->to < b->to ? -1 : a->to > b->to;
}

/* Merge sort by `to`; returns how many pairs were in the wrong order. */
static uint64_t inversions(Ends *ends, Ends *spare, size_t count) {
    if (count < 2)
        return 0;
    size_t half = count / 2;
    uint64_t found = inversions(ends, spare, half) + inversions(ends + half, spare, count - half);
    size_t left = 0;
    size_t right = half;
    for (size_t i = 0; i < count; i++)
        if (right == count || (left < half && ends[left].to <= ends[right].to)) {
            spare[i] = ends[left++];
        } else {
            found += half - left;
            spare[i] = ends[right++];
        }
    memcpy(ends, spare, count * sizeof *ends);
    return found;
}

/* Of the links below each rank; `ends` and `spare` have room for all links. */
static uint64_t count_crossings(const Ranks *ranks, Ends *ends, Ends *spare) {
    uint64_t crossings = 0;
    for (size_t r = 0; r + 1 < ranks->rank_count; r++) {
        size_t count = 0;
        for (size_t m = ranks->begin[r]; m < ranks->begin[r + 1]; m++) {
            size_t point = ranks->members[m];
            for (size_t i = ranks->down_begin[point]; i < ranks->down_begin[point + 1]; i++) {
                const Link *link = &ranks->links[ranks->downs[i]];
                ends[count++] = (Ends){end_place(&ranks->points[point], link->from_offset),
                                       end_place(&ranks->points[link->to], link->to_offset)};
            }
        }
        qsort(ends, count, sizeof *ends, ends_compare);
        crossings += inversions(ends, spare, count);
    }
    return crossings;
}

/* ---- barycentres ---------------------------------------------------------------------------- */

typedef struct Candidate {
    double place;
    size_t slot; /* before: equal places keep their order */
    size_t point;
} Candidate;

static int candidate_compare(const void *left, const void *right) {
    const Candidate *a = left;
    const Candidate *b = right;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return a->slot < b->slot ? -1 : a->slot > b->slot;
}

/* The mean of the places that a point is linked to above (or below); where it is if there are none.
 */
static double barycentre(const Ranks *ranks, size_t point, bool above) {
    const size_t *begin = above ? ranks->up_begin : ranks->down_begin;
    const size_t *links = above ? ranks->ups : ranks->downs;
    double sum = 0;
    for (size_t i = begin[point]; i < begin[point + 1]; i++) {
        const Link *link = &ranks->links[links[i]];
        sum += above ? end_place(&ranks->points[link->from], link->from_offset)
                     : end_place(&ranks->points[link->to], link->to_offset);
    }
    size_t count = begin[point + 1] - begin[point];
    return count == 0 ? (double)ranks->points[point].slot : sum / (double)count;
}

static void sort_rank(Ranks *ranks, size_t rank, bool above, Candidate *candidates) {
    size_t begin = ranks->begin[rank];
    size_t count = ranks->begin[rank + 1] - begin;
    if (count < 2)
        return;
    for (size_t i = 0; i < count; i++) {
        size_t point = ranks->members[begin + i];
        candidates[i] = (Candidate){barycentre(ranks, point, above), i, point};
    }
    qsort(candidates, count, sizeof *candidates, candidate_compare);
    for (size_t i = 0; i < count; i++)
        ranks->members[begin + i] = candidates[i].point;
    number_slots(ranks, rank);
}

static void sweep(Ranks *ranks, bool down, Candidate *candidates) {
    for (size_t i = 0; i < ranks->rank_count; i++)
        sort_rank(ranks, down ? i : ranks->rank_count - 1 - i, down, candidates);
}

void ranks_order(Ranks *ranks) {
    Ends *ends = ARENA_ARRAY(ranks->arena, ranks->link_count, Ends);
    Ends *spare = ARENA_ARRAY(ranks->arena, ranks->link_count, Ends);
    Candidate *candidates = ARENA_ARRAY(ranks->arena, ranks->point_count, Candidate);
    size_t *best = ARENA_ARRAY(ranks->arena, ranks->point_count, size_t);
    for (size_t r = 0; r < ranks->rank_count; r++)
        number_slots(ranks, r);
    uint64_t fewest = UINT64_MAX;
    for (int i = 0; i <= SWEEPS && fewest > 0; i++) {
        if (i > 0)
            sweep(ranks, i % 2 == 1, candidates);
        uint64_t crossings = count_crossings(ranks, ends, spare);
        if (crossings >= fewest)
            continue;
        fewest = crossings;
        memcpy(best, ranks->members, ranks->point_count * sizeof *best);
    }
    memcpy(ranks->members, best, ranks->point_count * sizeof *best);
    for (size_t r = 0; r < ranks->rank_count; r++)
        number_slots(ranks, r);
}
