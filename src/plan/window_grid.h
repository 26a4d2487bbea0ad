/* Attention within windows of an image: how they lie, and what is added to their scores. */
#ifndef NETC_PLAN_WINDOW_GRID_H
#define NETC_PLAN_WINDOW_GRID_H

#include <stdint.h>

/* Windows that cover an image without gaps, rolled up and to the left by the shift: the last
 * windows of an axis then hold places from both of its ends, the last `shift` of each those from
 * its beginning. 0 is down, 1 across.
 *
 * To the score of a query at (i, j) of a window and a key at (k, l) is added, of a table
 * [(2 places[0] - 1) * (2 places[1] - 1), heads], the element
 *     [(i - k + places[0] - 1) * (2 places[1] - 1) + j - l + places[1] - 1, head]
 * and the mask, where only one of both is from an axis's beginning. */
typedef struct WindowGrid {
    int64_t heads;
    int64_t windows[2]; /* along each axis */
    int64_t places[2];  /* of a window along each axis, queries and keys in row-major order */
    int64_t shift[2];   /* less than `places`; 0 along an axis of one window */
} WindowGrid;

/* What is added to a score between places that the roll has brought together. */
#define WINDOW_MASK (-100.0)

#endif
