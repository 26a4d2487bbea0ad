/* What layers that work element by element share. */
#ifndef NETC_LAYERS_ELEMENTWISE_H
#define NETC_LAYERS_ELEMENTWISE_H

#include "layers/evaluate.h"
#include "layers/layer.h"

/* `.infer` of a layer that changes no shape and owns nothing. */
bool same_shape_infer(Inference *inference);

/* Sets `channels` to [C] for an input [C, ...]. Reports E0212 and returns false if it has no axis.
 */
bool channels_infer(Inference *inference, Shape *channels);

/* Whether `numbers`, [C] or [C, 1, ...], has one number for each channel of `shape`. */
bool is_one_a_channel(const Shape *numbers, const Shape *shape);

/* Products in the sum that an affine function of each channel may be folded into: those of the
 * nearest layer with a kernel, seen through other such functions and layers that do nothing. */
int64_t folded_terms(const Node *node);

/* Fills the output: each element from the same element of input 0. */
typedef Real Activation(Real x, const Node *node);
void each_element(Evaluation *evaluation, Activation *activation);

#endif
