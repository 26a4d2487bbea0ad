/* Halos: how far the windows of a step reach past the edges of its input, where its kernel does not
 * test bounds. Internal to src/plan/. */
#ifndef NETC_PLAN_HALO_H
#define NETC_PLAN_HALO_H

#include "plan/plan.h"

typedef struct Halo {
    int64_t begin[2]; /* rows above, columns to the left */
    int64_t end[2];   /* rows below, columns to the right */
} Halo;

/* Of a CONV, WINOGRAD, STRASSEN, DEPTHWISE or CONV_GENERAL; of all other steps none. Rows and
 * columns that no window reaches are not counted. */
Halo halo_of_step(const Step *step);

bool halo_exists(const Halo *halo);

/* Whether the windows of a WINDOW lie inside its input everywhere, which is no volume. */
bool halo_is_none(const Step *step);

#endif
