/* The trained coefficients of pooling layers: with scale=on and bias=on the result y of channel c
 * becomes y * weight[c] + bias[c], as in the subsampling layers of LeNet-5 (LeCun et al. 1998). */
#ifndef NETC_LAYERS_COEFFICIENTS_H
#define NETC_LAYERS_COEFFICIENTS_H

#include "layers/evaluate.h"
#include "layers/layer.h"

#define COEFFICIENT_OPERATIONS "; 1 more each with scale=on and with bias=on"

#define COEFFICIENTS "with scale=on weight [C], with bias=on bias [C]"

#define SCALE_ATTRIBUTE                                                                            \
    {"scale", ATTRIBUTE_BOOLEAN, "off", 0, 0, "multiply each channel by a trained number"}
#define BIAS_ATTRIBUTE                                                                             \
    {"bias", ATTRIBUTE_BOOLEAN, "off", 0, 0, "add a trained number to each channel"}

/* Declares what the node's `scale` and `bias` ask for. */
bool coefficients_declare(Inference *inference);
void coefficients_operations(const Node *node, Factors *factors);
/* Sends the results of the node through them. */
void coefficients_apply(Evaluation *evaluation);
void coefficients_lower(Lowering *lowering, const Node *node);

#endif
