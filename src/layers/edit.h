/* Edits of the source that a layer's diagnostics propose. Where the text around a call does not
 * show how to make the edit, the advice is given in words alone. */
#ifndef NETC_LAYERS_EDIT_H
#define NETC_LAYERS_EDIT_H

#include "graph/infer.h"

/* Proposes `name=value` for the layer's attribute: in place of the value written, or as one more
 * argument. */
void edit_argument(Inference *inference, Diagnostic *diagnostic, int attribute, const char *value,
                   bool applicable, const char *message);

/* The same for the layer that made one of its inputs, or an input of that. */
void edit_argument_of(Inference *inference, Diagnostic *diagnostic, const Node *node, int attribute,
                      const char *value, bool applicable, const char *message);

/* Proposes the step `step ->` before the node's own, which must stand after a `->`. */
void edit_step_before(Inference *inference, Diagnostic *diagnostic, const char *step,
                      bool applicable, const char *message);

/* "50,828,751" in the arena, for advice. */
const char *edit_count(Inference *inference, int64_t number);

/* Where `value` has fewer rows or columns than `like`, because of windows on the way from where it
 * had as many: proposes what makes them keep the size. */
bool edit_keep_size(Inference *inference, Diagnostic *diagnostic, const Value *value,
                    const Shape *like);

/* Proposes that the last layer whose width decides dim 0 of `value` has a width of `width`. */
void edit_width(Inference *inference, Diagnostic *diagnostic, const Value *value, int64_t width);

/* The divisor of `number` that is nearest to `wanted`. */
int64_t edit_nearest_divisor(int64_t number, int64_t wanted);

/* "1, 2, 4, 8, and more" in the arena: the smallest divisors. */
const char *edit_divisors(Inference *inference, int64_t number);

#endif
