/* What a step is predicted to cost. Estimates from its shapes and the machine table: they choose
 * between algorithms and tell work that is worth sharing between threads from work that is not.
 * --emit=plan shows them; `netc bench` shows what was measured beside them. */
#ifndef NETC_PLAN_COST_H
#define NETC_PLAN_COST_H

#include "plan/plan.h"

/* Of one call with all its samples, by one thread. */
typedef struct StepCost {
    double macs;       /* multiply-adds that the layer asks for, or none */
    double bytes;      /* of weights, inputs and output, each once a sample; the weights once in all
                          if the samples are together */
    double arithmetic; /* cycles */
    double memory;     /* cycles to read and write; they go on at once, and the longer counts */
    double cycles;
} StepCost;

/* Of a step that layout, tile and memory are done with. */
StepCost step_cost(const Plan *plan, const Step *step);

/* Cycles to read or write that many bytes, of `all` that are in use: in the shared cache if it has
 * room for those, else in memory. */
double moving_cycles(const Machine *machine, double bytes, double all);

/* Cycles to read that many bytes from memory, in order. */
double memory_cycles(const Machine *machine, double bytes);

/* Cycles of slots of the multiply-add units. */
double cycles_of_slots(const Machine *machine, double slots);

#endif
