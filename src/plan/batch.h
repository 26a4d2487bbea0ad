/* Buffers of a plan for several samples a call. Internal to src/plan. */
#ifndef NETC_PLAN_BATCH_H
#define NETC_PLAN_BATCH_H

#include "plan/plan.h"

/* Once lifetimes are known: which buffers hold all samples, and until when those do. They are the
 * caller's, and those of the arena that more than one run needs. What only one run needs holds the
 * sample that the run is at. */
void batch_widen(Plan *plan);

#endif
