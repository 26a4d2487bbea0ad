/* What the layers of the convolution family share: a kernel for each filter, in groups, and a bias.
 */
#ifndef NETC_LAYERS_FILTERS_H
#define NETC_LAYERS_FILTERS_H

#include "graph/count.h"
#include "graph/infer.h"

/* Declares `weight` and, with `bias` on, a number for each filter; false after reporting a size out
 * of bounds. */
bool filters_declare(Inference *inference, Shape weight, int64_t filters, int64_t fan_in);

/* What filters_declare declared. */
const Weight *filters_weight(const Node *node);
const Weight *filters_bias(const Node *node); /* NULL: bias=off */

/* `.operations` of the family: the bias is added once to each element. */
void filters_operations(const Node *node, Factors *factors);
#define FILTERS_OPERATIONS "1 for each element of the result; none with bias=off"

/* Whether the argument `groups` divides the input channels and the filters; reports E0215. */
bool filters_check_groups(Inference *inference, int64_t channels, int64_t filters);

#endif
