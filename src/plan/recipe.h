/* Packed orders as recipes (plan.h, "Packed orders"): the one place that knows them.
 * Internal to src/plan/. */
#ifndef NETC_PLAN_RECIPE_H
#define NETC_PLAN_RECIPE_H

#include "plan/plan.h"

/* Each makes a packed tensor with its recipes, adds it to the plan, and returns it; NULL if its
 * size is out of bounds. The step's tile, views and folded affines are set. */
Packed *recipe_conv(Plan *plan, const Step *step);
Packed *recipe_winograd(Plan *plan, const Step *step);
Packed *recipe_strassen(Plan *plan, const Step *step);
Packed *recipe_depthwise(Plan *plan, const Step *step);
Packed *recipe_conv_general(Plan *plan, const Step *step);
Packed *recipe_dense(Plan *plan, const Step *step);
Packed *recipe_gemm(Plan *plan, const Step *step);
/* The first rows of a table, as they are. */
Packed *recipe_table(Plan *plan, const Step *step);
Packed *recipe_window_bias(Plan *plan, const Step *step);
/* The weights of a recurrence; its biases. */
Packed *recipe_recurrent(Plan *plan, const Step *step);
Packed *recipe_recurrent_bias(Plan *plan, const Step *step);
/* `count` floats of a vector from `first` on, and zeros up to whole lanes. */
Packed *recipe_part(Plan *plan, const Weight *vector, int64_t first, int64_t count);
/* One float a channel; `kind` is PACK_SCALE or PACK_SHIFT, `bias` may be NULL. */
Packed *recipe_channels(Plan *plan, PackKind kind, int64_t channels, const Weight *bias,
                        const Affine *affines, int affine_count);
/* `weight` of a number for each of `channels`, or of one for all, as one float a channel. */
Packed *recipe_spread(Plan *plan, int64_t channels, const Weight *weight);

/* The numbers of `weight` in their own order. */
Packed *recipe_vector(Plan *plan, const Weight *weight);

#endif
