/* The module: LLVM's context, functions with their attributes, and the passes over them. */
#include "codegen/module.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/ErrorHandling.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "codegen/ir_internal.h"

/* ---- LLVM's own errors ---------------------------------------------------------------------- */

static void on_fatal_error(const char *reason) {
    internal_error("LLVM", reason);
}

static void install_error_handler(void) {
    LLVMInstallFatalErrorHandler(on_fatal_error);
}

/* Remarks and warnings of LLVM are about code that netc made: nothing a user can act on. */
static void on_diagnostic(LLVMDiagnosticInfoRef info, void *context) {
    (void)context;
    if (LLVMGetDiagInfoSeverity(info) == LLVMDSError) {
        char *text = LLVMGetDiagInfoDescription(info);
        internal_error("LLVM", text);
    }
}

/* ---- modules --------------------------------------------------------------------------------- */

void ir_module_flag(Ir *ir, const char *name, unsigned value) {
    LLVMMetadataRef number = LLVMValueAsMetadata(LLVMConstInt(ir->i32, value, false));
    LLVMAddModuleFlag(ir->module, LLVMModuleFlagBehaviorWarning, name, strlen(name), number);
}

Ir *module_new(const Target *target, const char *name) {
    static once_flag installed = ONCE_FLAG_INIT; /* the handler is the process's */
    call_once(&installed, install_error_handler);
    Ir *ir = calloc(1, sizeof *ir);
    if (!ir)
        out_of_memory();
    module_retarget(ir, target);
    ir->context = LLVMContextCreate();
    LLVMContextSetDiagnosticHandler(ir->context, on_diagnostic, NULL);
    ir->module = LLVMModuleCreateWithNameInContext(name, ir->context);
    ir->builder = LLVMCreateBuilderInContext(ir->context);
    ir->layout = LLVMCreateTargetDataLayout(target->llvm);
    LLVMSetModuleDataLayout(ir->module, ir->layout);
    LLVMSetTarget(ir->module, target->triple);

    ir->f32 = LLVMFloatTypeInContext(ir->context);
    ir->f64 = LLVMDoubleTypeInContext(ir->context);
    ir->i1 = LLVMInt1TypeInContext(ir->context);
    ir->i32 = LLVMInt32TypeInContext(ir->context);
    ir->i64 = LLVMInt64TypeInContext(ir->context);
    ir->pointer = LLVMPointerTypeInContext(ir->context, 0);
    ir->nothing = LLVMVoidTypeInContext(ir->context);
    ir_module_flag(ir, "PIC Level", 2);
    return ir;
}

void module_retarget(Ir *module, const Target *target) {
    module->target = target;
    module->machine = target->machine;
}

void module_free(Ir *module) {
    if (!module)
        return;
    LLVMDisposeBuilder(module->builder);
    LLVMDisposeModule(module->module);
    LLVMDisposeTargetData(module->layout);
    LLVMContextDispose(module->context);
    arena_free(&module->arena);
    free(module);
}

/* ---- functions ------------------------------------------------------------------------------- */

void ir_attribute(Ir *ir, LLVMValueRef function, unsigned place, const char *name, uint64_t value) {
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    assert(kind != 0);
    LLVMAddAttributeAtIndex(function, place, LLVMCreateEnumAttribute(ir->context, kind, value));
}

void ir_text_attribute(Ir *ir, LLVMValueRef function, const char *name, const char *value) {
    LLVMAttributeRef attribute = LLVMCreateStringAttribute(
        ir->context, name, (unsigned)strlen(name), value, (unsigned)strlen(value));
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, attribute);
}

#define STACK_ALIGNMENT 16 /* that every platform's calls keep, bytes */

/* `no-builtins` keeps LLVM from making calls of memset and the like: the object needs no library.
 * Without the width attributes LLVM prefers 256-bit vectors on many processors that have more. */
static void add_function_attributes(Ir *ir, LLVMValueRef function, bool internal) {
    const unsigned place = (unsigned)LLVMAttributeFunctionIndex;
    ir_attribute(ir, function, place, "nounwind", 0);
    ir_attribute(ir, function, place, "norecurse", 0);
    ir_attribute(ir, function, place, "willreturn", 0);
    ir_attribute(ir, function, place, "uwtable", 2); /* backtraces work at every instruction */
    ir_text_attribute(ir, function, "no-builtins", "");
    const char *cpu = ir->target->looked_for ? ir->target->baseline : ir->target->cpu;
    ir_text_attribute(ir, function, "target-cpu", cpu);
    if (strcmp(cpu, ir->target->cpu) != 0)
        ir_text_attribute(ir, function, "tune-cpu", ir->target->cpu);
    if (ir->target->features[0] != '\0')
        ir_text_attribute(ir, function, "target-features", ir->target->features);
    if (machine_is_avx512(ir->machine)) {
        ir_text_attribute(ir, function, "prefer-vector-width", "512");
        ir_text_attribute(ir, function, "min-legal-vector-width", "512");
    }
    /* LLVM finds too late that vectors must be spilled to align the stack for them itself, and
     * where it happens to lie badly each spill crosses a cache line. */
    uint64_t vector_bytes = (uint64_t)ir->machine->lanes * sizeof(float);
    if (internal && vector_bytes > STACK_ALIGNMENT)
        ir_attribute(ir, function, place, "alignstack", vector_bytes);
}

void module_function_of(Ir *module, const char *name, LLVMTypeRef *types, unsigned type_count,
                        bool internal) {
    assert(!module->function);
    LLVMTypeRef type = LLVMFunctionType(module->nothing, types, type_count, false);
    module->function = LLVMAddFunction(module->module, name, type);
    if (internal)
        LLVMSetLinkage(module->function, LLVMInternalLinkage);
    add_function_attributes(module, module->function, internal);
    LLVMBasicBlockRef entry =
        LLVMAppendBasicBlockInContext(module->context, module->function, "entry");
    LLVMPositionBuilderAtEnd(module->builder, entry);
}

void module_function_begin(Ir *module, const char *name, int pointer_count,
                           FunctionVisibility visibility) {
    assert(pointer_count >= 0);
    LLVMTypeRef *types = ARENA_ARRAY(&module->arena, (size_t)pointer_count, LLVMTypeRef);
    for (int i = 0; i < pointer_count; i++)
        types[i] = module->pointer;
    module_function_of(module, name, types, (unsigned)pointer_count,
                       visibility == FUNCTION_INTERNAL);
}

void module_function_end(Ir *module) {
    LLVMBuildRetVoid(module->builder);
    module->function = NULL;
}

/* ---- passes ---------------------------------------------------------------------------------- */

/* The kernels arrive in the shape that the code generator likes: tiles unrolled, loops with their
 * test at the bottom, values in phis. What is left to do is to share index arithmetic, move it out
 * of loops and fold it; more passes (gvn, loop-rotate) took as long again and gained nothing.
 * Nothing here may turn a loop into a call (loop-idiom) or vectorise again. */
#define PASSES                                                                                     \
    "function(early-cse<memssa>,simplifycfg,loop-mssa(licm<allowspeculation>),"                    \
    "instcombine<no-verify-fixpoint>)"

void module_run_passes(Ir *module, const char *passes) {
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(module->module, passes, module->target->llvm, options);
    LLVMDisposePassBuilderOptions(options);
    if (error)
        internal_error("passes", LLVMGetErrorMessage(error));
}

void module_optimise(Ir *module) {
#ifndef NDEBUG
    char *message = NULL;
    if (LLVMVerifyModule(module->module, LLVMReturnStatusAction, &message))
        internal_error("the module is not valid", message);
    LLVMDisposeMessage(message);
#endif
    if (module->target->optimisation > 0)
        module_run_passes(module, PASSES);
}
