/* A network for several processors: the call finds out which of its variants the machine can run.
 *
 *   NAME(..)        goes on to NAME.CPU(..), the variant that NAME.chosen says
 *   NAME.chosen     0 at first, then 1 + the number of the variant: the object's only variable
 *   NAME.choose()   asks the processor, which may take as long as a small network, hence once
 *   NAME.pick(words, chosen)   chooses by the words of x86_features.h
 *
 * Threads that call for the first time at once all find the same and store it whole. The lowest
 * variant is taken where no other can be run, without asking: it is what the object is for. */
#ifndef NETC_CODEGEN_DISPATCH_H
#define NETC_CODEGEN_DISPATCH_H

#include "codegen/debug_info.h"
#include "codegen/module.h"
#include "codegen/variants.h"

/* Emits all of it, NAME with the type of `functions`, one a variant. */
void dispatch_emit(Ir *ir, DebugInfo *debug, const Variants *variants,
                   const LLVMValueRef *functions);

/* Emits NAME.pick. */
void dispatch_emit_pick(Ir *ir, DebugInfo *debug, const Variants *variants,
                        FunctionVisibility visibility);

#endif
