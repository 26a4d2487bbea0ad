/* How a product of matrices is made. Internal to src/plan/. */
#ifndef NETC_PLAN_PRODUCT_H
#define NETC_PLAN_PRODUCT_H

#include "plan/plan.h"

/* Sets the tile of a GEMM, and whether it transposes. */
void product_choose(const Plan *plan, Step *step);

#endif
