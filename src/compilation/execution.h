/* The compiled network in this process: its code, packed weights and memory, and a pool of threads
 * where the plan has use for one. */
#ifndef NETC_COMPILATION_EXECUTION_H
#define NETC_COMPILATION_EXECUTION_H

#include <pthreadpool.h>

#include "compilation/compilation.h"

typedef struct Execution {
    Codegen *codegen;
    CompiledNetwork network;
    void *packed;
    void *arena;
    void **inputs; /* memory for those of a call's samples, to be filled before it */
    pthreadpool_t pool;
} Execution;

/* Compiles the planned network and packs its weights, which are bound. Where that fails
 * (support/failure.h), execution_end releases what there is. */
void execution_begin(Execution *execution, Compilation *compilation, StepMark mark);

/* Draws the network's inputs for all samples of a call, in the compilation's arena: any numbers, or
 * tokens where tables are read by them. */
void execution_draw_inputs(Compilation *compilation, uint64_t seed, const float **inputs);

/* Puts the inputs of sample number `sample` of a call, as f32, where the call finds them. */
void execution_store_inputs(const Execution *execution, const Compilation *compilation,
                            int64_t sample, const float *const *inputs);

void execution_call(const Execution *execution, float *const *outputs);

void execution_end(Execution *execution);

#endif
