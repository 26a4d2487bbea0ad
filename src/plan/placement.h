/* Offsets of the arena's buffers, once their lifetimes are known. Internal to src/plan. */
#ifndef NETC_PLAN_PLACEMENT_H
#define NETC_PLAN_PLACEMENT_H

#include "plan/plan.h"

#define PLACE_ALIGNMENT 64 /* bytes: a cache line, and the widest vector */

/* Sets Buffer.offset and Plan.arena_bytes. Buffers that are needed at the same step do not overlap.
 * False if their sizes do not fit 64 bits together. */
bool placement_make(Plan *plan);

#endif
