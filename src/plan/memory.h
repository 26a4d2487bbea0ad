/* Which steps need a buffer. Internal to src/plan. */
#ifndef NETC_PLAN_MEMORY_H
#define NETC_PLAN_MEMORY_H

#include "plan/plan.h"

/* Sets the first and the last step that has a view of each buffer of the arena; and their places in
 * Plan.buffers. */
void memory_find_lifetimes(Plan *plan);

/* Two ways to place the arena's buffers again, for threads that should not wait because one of
 * them is still at what was in the same place before:
 *
 * apart, for asking which waits there are besides; the arena is not used so. */
void memory_set_apart(Plan *plan);
/* Or with each buffer needed until the first step that waits after the last that has a view of it.
 * False, and as at first, if the arena then were larger than before and than a part of the second
 * cache. */
bool memory_spread(Plan *plan);

#endif
