/* The kernel functions of a module: one for all steps that differ only in where their operands are.
 */
#ifndef NETC_CODEGEN_KERNEL_FUNCTIONS_H
#define NETC_CODEGEN_KERNEL_FUNCTIONS_H

#include "codegen/debug_info.h"
#include "codegen/ir_internal.h"
#include "kernels/kernel.h"
#include "support/intern.h"

#define KERNEL_MAX_PARAMETERS (STEP_MAX_INPUTS + 2 + KERNEL_MAX_PACKED)

/* What holds of a kernel's parameter in every call of it. */
typedef struct ParameterFacts {
    bool written;       /* the output, and scratch memory */
    bool apart;         /* shares no byte with the output (the output: with no input) */
    uint64_t alignment; /* bytes */
} ParameterFacts;

/* A kernel function; all steps of one signature share it. */
typedef struct KernelFunction {
    const char *signature; /* interned */
    const Step *step;      /* the first that needs it */
    int parameter_count;
    ParameterFacts parameters[KERNEL_MAX_PARAMETERS];
    LLVMValueRef function;
    LLVMTypeRef type;
} KernelFunction;

typedef struct KernelFunctions {
    Ir *ir;
    const Plan *plan;
    const char *name; /* of the network: theirs are NAME.LAYER */
    DebugInfo *debug;
    Arena *arena;
    Intern signatures;
    VEC(KernelFunction *) all;
    KernelFunction **of; /* each step */
} KernelFunctions;

/* Finds out which steps share a function, and emits the functions. The first five members are set.
 */
void kernel_functions_emit(KernelFunctions *functions);

/* Bytes from the base of its place to element (0, 0, 0). */
int64_t view_bytes(const View *view);

/* Where a step comes from. */
Span step_span(const Plan *plan, const Step *step);

#endif
