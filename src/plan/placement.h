/* Offsets of the arena's buffers, once their lifetimes are known. Internal to src/plan. */
#ifndef NETC_PLAN_PLACEMENT_H
#define NETC_PLAN_PLACEMENT_H

#include "plan/plan.h"

#define PLACE_ALIGNMENT 64 /* bytes: a cache line, and the widest vector */

/* Sets the offset of those of the arena's buffers that are `chosen`, and how many bytes they take,
 * a multiple of PLACE_ALIGNMENT. Buffers that are needed at the same step do not overlap. False if
 * their sizes do not fit 64 bits together. */
bool placement_make(const Plan *plan, bool (*chosen)(const Buffer *buffer), int64_t *bytes);

#endif
