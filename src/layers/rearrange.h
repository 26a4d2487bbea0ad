/* What layers that move elements share: loops over the input for kernel_rearrange, and the float64
 * reference, which asks for each element of the result where in the input it comes from. */
#ifndef NETC_LAYERS_REARRANGE_H
#define NETC_LAYERS_REARRANGE_H

#include "layers/evaluate.h"
#include "layers/layer.h"
#include "plan/plan.h"

/* Product of the dims from `begin` to before `end`. */
int64_t shape_product(const Shape *shape, int begin, int end);

/* Whether input 0 has channels and 1 to MAX_SPATIAL spatial axes; reports E0212 if not. */
bool rearrange_has_axes(Inference *inference);

/* Elements from one index along `axis` to the next, row-major. */
int64_t shape_stride(const Shape *shape, int axis);

/* Adds a loop inside of those there are: `count` places of the input, `stride` floats apart. */
void rearrange_add(Rearrange *rearrange, int64_t count, int64_t stride);

/* Adds a loop for each axis from `begin` to before `end`: all the places there are. */
void rearrange_add_axes(Rearrange *rearrange, const Shape *shape, int begin, int end);

/* Sets `from` to the place in input 0 that element `at` of output `output` is; false if it is
 * past the edge. */
typedef bool SourceOf(const Node *node, size_t output, const int64_t *at, int64_t *from);

/* Evaluates every output of the node; `edge` stands past the edge. */
void rearrange_evaluate(Evaluation *evaluation, SourceOf *source, double edge);

#endif
