/* The float64 reference of layers that normalise slices of a value. */
#ifndef NETC_LAYERS_NORMALISATION_H
#define NETC_LAYERS_NORMALISATION_H

#include "layers/evaluate.h"
#include "layers/layer.h"
#include "plan/plan.h"

/* Evaluates what `normalisation` describes (plan/plan.h). */
void normalisation_evaluate(Evaluation *evaluation, const Normalisation *normalisation);

#endif
