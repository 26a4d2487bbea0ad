/* Slices of a value, for the float64 reference: the numbers along a set of axes, one slice for each
 * place on all other axes. Both are counted row-major. */
#ifndef NETC_LAYERS_SLICE_H
#define NETC_LAYERS_SLICE_H

#include "plan/plan.h"

/* The axes of an ATTRIBUTE_AXES. */
AxisSet slice_axes(const Attribute *attribute);

/* Numbers in a slice. */
int64_t slice_length(const Shape *shape, AxisSet axes);

/* Index in the value of number `k` of slice `slice`. */
int64_t slice_position(const Shape *shape, AxisSet axes, int64_t slice, int64_t k);

/* Row-major index, over the axes in `axes` alone, of the element at `position` in the value. */
int64_t slice_index(const Shape *shape, AxisSet axes, int64_t position);

#endif
