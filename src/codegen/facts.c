/* What stands beside the network function: NAME_info and NAME_pack. */
#include "codegen/codegen_internal.h"
#include "kernels/kernel.h"
#include "netc_runtime.h"

LLVMValueRef bytes_from(Ir *ir, LLVMValueRef base, int64_t bytes) {
    if (bytes == 0)
        return base;
    LLVMValueRef index = LLVMConstInt(ir->i64, (unsigned long long)bytes, true);
    LLVMTypeRef byte = LLVMInt8TypeInContext(ir->context);
    return LLVMBuildGEP2(ir->builder, byte, base, &index, 1, "");
}

static LLVMValueRef word(Ir *ir, uint64_t value) {
    return LLVMConstInt(ir->i32, value & UINT32_MAX, false);
}

/* struct netc_info of runtime/netc_runtime.h. */
void emit_info(const Codegen *codegen, const CodegenOptions *options) {
    Ir *ir = codegen->ir;
    const Variants *variants = codegen->variants;
    LLVMTypeRef size = LLVMIntPtrTypeInContext(ir->context, ir->layout);
    LLVMValueRef source_words[] = {word(ir, options->source_hash),
                                   word(ir, options->source_hash >> 32)};
    LLVMValueRef layout_words[] = {word(ir, variants->layout_hash),
                                   word(ir, variants->layout_hash >> 32)};
    LLVMValueRef weights_words[] = {word(ir, options->weights_hash),
                                    word(ir, options->weights_hash >> 32)};
    LLVMValueRef fields[] = {
        word(ir, NETC_ABI_VERSION),
        word(ir, BASE_ALIGNMENT),
        LLVMConstArray2(ir->i32, source_words, 2),
        LLVMConstArray2(ir->i32, layout_words, 2),
        LLVMConstArray2(ir->i32, weights_words, 2),
        LLVMConstInt(size, (unsigned long long)variants->arena_bytes, false),
        LLVMConstInt(size, (unsigned long long)variants->packed_bytes, false),
    };
    LLVMValueRef info =
        LLVMConstStructInContext(ir->context, fields, sizeof fields / sizeof *fields, false);
    const char *name = arena_format(&ir->arena, "%s_info", codegen->variants->symbol);
    LLVMValueRef global = LLVMAddGlobal(ir->module, LLVMTypeOf(info), name);
    LLVMSetInitializer(global, info);
    LLVMSetGlobalConstant(global, true);
}

/* Packs the weights for one variant. */
static LLVMValueRef emit_pack_of(Ir *ir, DebugInfo *debug, const Plan *plan, const char *name,
                                 FunctionVisibility visibility) {
    module_function_begin(ir, name, 2, visibility);
    debug_function(debug, name, plan->graph->name_span);
    ir_attribute(ir, ir->function, 2, "align", BASE_ALIGNMENT);
    ir_attribute(ir, ir->function, 2, "noalias", 0);
    LLVMValueRef function = ir->function;
    kernel_emit_pack(ir, plan);
    module_function_end(ir);
    return function;
}

/* NAME_pack, of several variants a function that calls NAME.CPU.pack for each part. */
void emit_pack(Ir *ir, DebugInfo *debug, const Variants *variants) {
    const Graph *graph = variants->list[0].plan->graph;
    const char *name = arena_format(&ir->arena, "%s_pack", variants->symbol);
    if (variants->count == 1) {
        emit_pack_of(ir, debug, variants->list[0].plan, name, FUNCTION_GLOBAL);
        return;
    }
    LLVMValueRef functions[TARGETS_MAX];
    for (size_t i = 0; i < variants->count; i++) {
        const Variant *variant = &variants->list[i];
        const char *part =
            arena_format(&ir->arena, "%s.%s.pack", variants->symbol, variant->target->cpu);
        if (variant->packs)
            functions[i] = emit_pack_of(ir, debug, variant->plan, part, FUNCTION_INTERNAL);
    }
    module_function_begin(ir, name, 2, FUNCTION_GLOBAL);
    debug_function(debug, name, graph->name_span);
    for (size_t i = 0; i < variants->count; i++) {
        const Variant *variant = &variants->list[i];
        LLVMValueRef packed = LLVMGetParam(ir->function, 1);
        LLVMValueRef arguments[] = {LLVMGetParam(ir->function, 0),
                                    bytes_from(ir, packed, variant->packed_offset)};
        if (variant->packs)
            LLVMBuildCall2(ir->builder, LLVMGlobalGetValueType(functions[i]), functions[i],
                           arguments, 2, "");
    }
    module_function_end(ir);
}

Ir *codegen_build_pack(const Codegen *codegen) {
    Ir *ir = module_new(codegen->ir->target, "pack");
    emit_pack(ir, NULL, codegen->variants);
    module_optimise(ir);
    return ir;
}
