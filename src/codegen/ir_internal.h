/* What the files of codegen/ share: the module being built, LLVM's objects behind it, and the few
 * casts between IrValue and LLVMValueRef. Never included outside this folder. */
#ifndef NETC_CODEGEN_IR_INTERNAL_H
#define NETC_CODEGEN_IR_INTERNAL_H

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "codegen/ir.h"
#include "codegen/target.h"
#include "support/arena.h"

#define IR_MAX_LANES 64 /* of a vector: more than any machine or pattern here has */

/* One module under construction. */
struct Ir {
    Arena arena; /* loop and branch states, names */
    const Target *target;
    const Machine *machine;
    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMBuilderRef builder;
    LLVMTargetDataRef layout;
    LLVMValueRef function; /* being built, NULL between functions */
    bool emitted;          /* machine code was made, which changes the module: only once */

    LLVMTypeRef f32, f64, i1, i32, i64, pointer, nothing;
};

static inline LLVMValueRef ir_llvm(IrValue value) {
    return (LLVMValueRef)value;
}

static inline IrValue ir_value(LLVMValueRef value) {
    return (IrValue)value;
}

static inline LLVMTypeRef ir_type(IrValue value) {
    return LLVMTypeOf(ir_llvm(value));
}

/* `element`, or a vector of `lanes` of it. */
static inline LLVMTypeRef ir_vector_type(LLVMTypeRef element, int lanes) {
    return lanes == 1 ? element : LLVMVectorType(element, (unsigned)lanes);
}

/* `element` in as many lanes as `like` has. */
LLVMTypeRef ir_type_like(LLVMTypeRef element, LLVMTypeRef like);

/* Calls an intrinsic that is overloaded on `types`. */
IrValue ir_intrinsic(Ir *ir, const char *name, LLVMTypeRef *types, int type_count,
                     LLVMValueRef *arguments, int argument_count);

/* An attribute of a function (LLVMAttributeFunctionIndex), its result or a parameter (from 1);
 * `value` as LLVM wants it, 0 for none. */
void ir_attribute(Ir *ir, LLVMValueRef function, unsigned place, const char *name, uint64_t value);

void ir_text_attribute(Ir *ir, LLVMValueRef function, const char *name, const char *value);

/* Runs LLVM's passes of these names, in the notation of `opt -passes`. */
void module_run_passes(Ir *module, const char *passes);

/* Begins a function of the module as module_function_begin does, with parameters of `types`. */
void module_function_of(Ir *module, const char *name, LLVMTypeRef *types, unsigned type_count,
                        bool internal);

/* A fact about the whole module, which linking warns of where another module has it otherwise. */
void ir_module_flag(Ir *ir, const char *name, unsigned value);

/* Machine code of the whole module, as an object or as assembly. The module is used up by it. */
LLVMMemoryBufferRef module_emit(Ir *module, LLVMCodeGenFileType kind);

#endif
