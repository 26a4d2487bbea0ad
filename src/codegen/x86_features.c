#include "codegen/x86_features.h"

#include <string.h>

#include "codegen/ir_internal.h"
#include "codegen/module.h"

static const struct {
    const char *name;
    X86Word word;
    int bit;
    uint32_t state;
} rows[] = {
#define X86_FEATURE(name, word, bit, state) {name, word, bit, state},
#include "codegen/x86_features.def"
#undef X86_FEATURE
};

#define ROWS (sizeof rows / sizeof *rows)
_Static_assert(ROWS <= 64, "a feature is a bit of a uint64_t");

/* LLVM's C interface does not list what a processor has, but its inliner asks: a function goes into
 * another only if that one's processor has all that it may use. So a function that may use one
 * feature is called from one for the processor, and the calls that are left tell what that lacks.
 */
uint64_t x86_features(const Target *target) {
    Ir *ir = module_new(target, "features");
    LLVMTypeRef type = LLVMFunctionType(ir->nothing, NULL, 0, false);
    LLVMValueRef functions[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        functions[i] = LLVMAddFunction(ir->module, rows[i].name, type);
        const char *feature = arena_format(&ir->arena, "+%s", rows[i].name);
        ir_text_attribute(ir, functions[i], "target-cpu", target->baseline);
        ir_text_attribute(ir, functions[i], "target-features", feature);
        LLVMBasicBlockRef entry = LLVMAppendBasicBlockInContext(ir->context, functions[i], "");
        LLVMPositionBuilderAtEnd(ir->builder, entry);
        LLVMBuildRetVoid(ir->builder);
    }
    module_function_begin(ir, "processor", 0, FUNCTION_GLOBAL);
    for (size_t i = 0; i < ROWS; i++)
        LLVMBuildCall2(ir->builder, type, functions[i], NULL, 0, "");
    module_function_end(ir);
    module_run_passes(ir, "inline");

    uint64_t features = 0;
    for (size_t i = 0; i < ROWS; i++)
        if (!LLVMGetFirstUse(functions[i]))
            features |= UINT64_C(1) << i;
    module_free(ir);
    return features;
}

void x86_features_print(uint64_t features, const char *prefix, StrBuf *out) {
    const char *separator = "";
    for (size_t i = 0; i < ROWS; i++) {
        if (!(features >> i & 1))
            continue;
        strbuf_format(out, "%s%s%s", separator, prefix, rows[i].name);
        separator = ",";
    }
}

void x86_feature_masks(uint64_t features, uint32_t masks[X86_WORDS]) {
    memset(masks, 0, X86_WORDS * sizeof *masks);
    for (size_t i = 0; i < ROWS; i++) {
        if (!(features >> i & 1))
            continue;
        masks[rows[i].word] |= UINT32_C(1) << rows[i].bit;
        masks[X86_STATE] |= rows[i].state;
    }
}
