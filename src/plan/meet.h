/* Whether threads that do parts of two steps at the same time may touch the same. Internal to
 * src/plan/. */
#ifndef NETC_PLAN_MEET_H
#define NETC_PLAN_MEET_H

#include "plan/plan.h"

/* Where the rows of part number `part` of `parts` end, which begin where those of the part before
 * end or a few rows above: whole tiles of rows of the output. */
int64_t part_end_row(const Step *step, int part, int parts);

/* Whether one of the steps, `earlier` and `later`, writes what the other reads or writes, done by
 * two threads. Where both are cut by rows, a thread does its part of each. */
bool steps_meet(const Step *later, const Step *earlier);

#endif
