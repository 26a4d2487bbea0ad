/* Which steps need a buffer. Internal to src/plan. */
#ifndef NETC_PLAN_MEMORY_H
#define NETC_PLAN_MEMORY_H

#include "plan/plan.h"

/* Sets the first and the last step that has a view of each buffer of the arena; and their places in
 * Plan.buffers. */
void memory_find_lifetimes(Plan *plan);

#endif
