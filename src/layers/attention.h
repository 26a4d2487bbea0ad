/* What the layers of attention share: the check of their heads and the float64 reference's parts.
 */
#ifndef NETC_LAYERS_ATTENTION_H
#define NETC_LAYERS_ATTENTION_H

#include "graph/infer.h"
#include "layers/evaluate.h"

/* Whether the integer attribute `attribute` divides `width`; reports E0262 if not. */
bool attention_check_heads(Inference *inference, int attribute, int64_t width);

/* `rows` rows of x times the transposed of the weight's rows from `first` on, and the bias (NULL:
 * none). Rows of x and y are as long as those of the weight [.., width]. */
void attention_project(const Evaluation *evaluation, const Weight *weight, const Weight *bias,
                       int64_t first, int64_t rows, const Real *x, Real *y);

/* q k' / sqrt(width) of two vectors: the root is rounded, and so is the product with its
 * reciprocal. */
Real attention_score(const Real *q, const Real *k, int64_t width);

#endif
