/* How a product of matrices is made. Internal to src/plan/. */
#ifndef NETC_PLAN_PRODUCT_H
#define NETC_PLAN_PRODUCT_H

#include "plan/tile_cost.h"

/* Tiles of rows by vectors of columns, for a right matrix whose panels are read in order. */
TileProblem product_tiles(const Machine *machine, const Product *product);

/* Sets the tile of a GEMM, and whether it transposes. */
void product_choose(const Plan *plan, Step *step);

#endif
