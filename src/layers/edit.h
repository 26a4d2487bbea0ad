/* Edits of the source that a layer's diagnostics propose. Where the text around a call does not
 * show how to make the edit, the advice is given in words alone. */
#ifndef NETC_LAYERS_EDIT_H
#define NETC_LAYERS_EDIT_H

#include "graph/infer.h"

/* Proposes `name=value` for the layer's attribute: in place of the value written, or as one more
 * argument. */
void edit_argument(Inference *inference, Diagnostic *diagnostic, int attribute, const char *value,
                   bool applicable, const char *message);

/* Proposes the step `step ->` before the node's own, which must stand after a `->`. */
void edit_step_before(Inference *inference, Diagnostic *diagnostic, const char *step,
                      bool applicable, const char *message);

/* "50,828,751" in the arena, for advice. */
const char *edit_count(Inference *inference, int64_t number);

/* "1, 2, 4, 8, and more" in the arena: the smallest divisors. */
const char *edit_divisors(Inference *inference, int64_t number);

#endif
