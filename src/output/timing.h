/* How long a network and each of its steps take, beside what the plan predicted: what `netc bench`
 * shows. */
#ifndef NETC_OUTPUT_TIMING_H
#define NETC_OUTPUT_TIMING_H

#include "graph/count.h"
#include "plan/plan.h"

/* Medians over the calls. */
typedef struct Timing {
    const Plan *plan;
    const GraphCount *count;
    const char *cpu; /* that the code is for */
    int64_t calls;
    double seconds; /* of a call */
    double fastest; /* of the fastest one, far from the median where the machine has more to do */
    const double *step_seconds; /* by place in Plan.steps; measured in other calls */
} Timing;

void timing_text(const Timing *timing, StrBuf *out);
void timing_json(const Timing *timing, StrBuf *out);

#endif
