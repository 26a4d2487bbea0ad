#include "codegen/dispatch.h"

#include <string.h>

#include "codegen/x86_features.h"

#define OSXSAVE_BIT 27 /* of X86_LEAF_1_ECX: XGETBV may be used */

static LLVMValueRef word(const Ir *ir, uint32_t value) {
    return LLVMConstInt(ir->i32, value, false);
}

static const Graph *graph_of(const Variants *variants) {
    return variants->list[0].plan->graph;
}

static const char *name_of(Ir *ir, const Variants *variants, const char *suffix) {
    return arena_format(&ir->arena, "%s.%s", variants->symbol, suffix);
}

static void function_begin(Ir *ir, DebugInfo *debug, const Variants *variants, const char *suffix,
                           int pointers, FunctionVisibility visibility) {
    const char *name = name_of(ir, variants, suffix);
    module_function_begin(ir, name, pointers, visibility);
    debug_function(debug, name, graph_of(variants)->name_span);
}

static LLVMValueRef word_place(Ir *ir, LLVMValueRef words, X86Word index) {
    LLVMValueRef position = word(ir, index);
    return LLVMBuildGEP2(ir->builder, ir->i32, words, &position, 1, "");
}

/* ---- asking the processor ------------------------------------------------------------------- */

/* An instruction that takes `count` words and gives several. */
static LLVMValueRef instruction(Ir *ir, const char *text, const char *constraints, unsigned results,
                                LLVMValueRef *arguments, unsigned count) {
    LLVMTypeRef words[] = {ir->i32, ir->i32, ir->i32, ir->i32};
    LLVMTypeRef result = LLVMStructTypeInContext(ir->context, words, results, false);
    LLVMTypeRef type = LLVMFunctionType(result, words, count, false);
    LLVMValueRef code = LLVMGetInlineAsm(type, text, strlen(text), constraints, strlen(constraints),
                                         true, false, LLVMInlineAsmDialectATT, false);
    return LLVMBuildCall2(ir->builder, type, code, arguments, count, "");
}

typedef enum CpuidRegister { EAX, EBX, ECX, EDX } CpuidRegister;

static LLVMValueRef cpuid(Ir *ir, uint32_t leaf, uint32_t part) {
    LLVMValueRef arguments[] = {word(ir, leaf), word(ir, part)};
    return instruction(ir, "cpuid", "={ax},={bx},={cx},={dx},{ax},{cx}", 4, arguments, 2);
}

static LLVMValueRef result(Ir *ir, LLVMValueRef results, CpuidRegister index) {
    return LLVMBuildExtractValue(ir->builder, results, index, "");
}

static void store(Ir *ir, LLVMValueRef words, X86Word index, LLVMValueRef value) {
    LLVMBuildStore(ir->builder, value, word_place(ir, words, index));
}

static IrIf if_at_least(Ir *ir, LLVMValueRef value, uint32_t least) {
    return ir_if_begin(
        ir, ir_value(LLVMBuildICmp(ir->builder, LLVMIntUGE, value, word(ir, least), "")));
}

/* A leaf past the last is not 0 everywhere, so each is read only where it is said to be. */
static void emit_words(Ir *ir, LLVMValueRef words) {
    for (int i = 0; i < X86_WORDS; i++)
        store(ir, words, (X86Word)i, word(ir, 0));
    LLVMValueRef last = result(ir, cpuid(ir, 0, 0), EAX);
    LLVMValueRef leaf_1 = result(ir, cpuid(ir, 1, 0), ECX);
    store(ir, words, X86_LEAF_1_ECX, leaf_1);
    store(ir, words, X86_EXTENDED_1_ECX, result(ir, cpuid(ir, 0x80000001u, 0), ECX));

    IrIf has_leaf_7 = if_at_least(ir, last, 7);
    LLVMValueRef leaf_7 = cpuid(ir, 7, 0);
    store(ir, words, X86_LEAF_7_EBX, result(ir, leaf_7, EBX));
    store(ir, words, X86_LEAF_7_ECX, result(ir, leaf_7, ECX));
    store(ir, words, X86_LEAF_7_EDX, result(ir, leaf_7, EDX));
    IrIf has_part_1 = if_at_least(ir, result(ir, leaf_7, EAX), 1);
    store(ir, words, X86_LEAF_7_1_EAX, result(ir, cpuid(ir, 7, 1), EAX));
    ir_if_end(ir, &has_part_1);
    ir_if_end(ir, &has_leaf_7);

    LLVMValueRef saves = LLVMBuildAnd(ir->builder, leaf_1, word(ir, 1u << OSXSAVE_BIT), "");
    IrIf has_state = if_at_least(ir, saves, 1);
    LLVMValueRef register_0 = word(ir, 0);
    LLVMValueRef state = instruction(ir, "xgetbv", "={ax},={dx},{cx}", 2, &register_0, 1);
    store(ir, words, X86_STATE, result(ir, state, EAX));
    ir_if_end(ir, &has_state);
}

/* ---- choosing ------------------------------------------------------------------------------- */

static void atomic(LLVMValueRef access) {
    LLVMSetOrdering(access, LLVMAtomicOrderingMonotonic);
    LLVMSetAlignment(access, 4);
}

/* Whether all features are there. */
static LLVMValueRef emit_fits(Ir *ir, const LLVMValueRef *words, uint64_t features) {
    uint32_t masks[X86_WORDS];
    x86_feature_masks(features, masks);
    LLVMValueRef fits = LLVMConstInt(ir->i1, 1, false);
    for (int i = 0; i < X86_WORDS; i++) {
        LLVMValueRef there = LLVMBuildAnd(ir->builder, words[i], word(ir, masks[i]), "");
        LLVMValueRef all = LLVMBuildICmp(ir->builder, LLVMIntEQ, there, word(ir, masks[i]), "");
        fits = LLVMBuildAnd(ir->builder, fits, all, "");
    }
    return fits;
}

void dispatch_emit_pick(Ir *ir, DebugInfo *debug, const Variants *variants,
                        FunctionVisibility visibility) {
    function_begin(ir, debug, variants, "pick", 2, visibility);
    LLVMValueRef words[X86_WORDS];
    for (int i = 0; i < X86_WORDS; i++) {
        LLVMValueRef place = word_place(ir, LLVMGetParam(ir->function, 0), (X86Word)i);
        words[i] = LLVMBuildLoad2(ir->builder, ir->i32, place, "");
    }
    LLVMValueRef best = word(ir, 1);
    for (size_t i = 1; i < variants->count; i++)
        best = LLVMBuildSelect(ir->builder, emit_fits(ir, words, variants->list[i].target->x86),
                               word(ir, (uint32_t)i + 1), best, "");
    atomic(LLVMBuildStore(ir->builder, best, LLVMGetParam(ir->function, 1)));
    module_function_end(ir);
}

static LLVMValueRef emit_choose(Ir *ir, DebugInfo *debug, const Variants *variants,
                                LLVMValueRef chosen) {
    dispatch_emit_pick(ir, debug, variants, FUNCTION_INTERNAL);
    LLVMValueRef pick = LLVMGetNamedFunction(ir->module, name_of(ir, variants, "pick"));
    function_begin(ir, debug, variants, "choose", 0, FUNCTION_INTERNAL);
    LLVMValueRef choose = ir->function;
    LLVMTypeRef type = LLVMArrayType2(ir->i32, X86_WORDS);
    LLVMValueRef words = LLVMBuildAlloca(ir->builder, type, "words");
    emit_words(ir, words);
    LLVMValueRef arguments[] = {words, chosen};
    LLVMBuildCall2(ir->builder, LLVMGlobalGetValueType(pick), pick, arguments, 2, "");
    module_function_end(ir);
    return choose;
}

/* ---- the call ------------------------------------------------------------------------------- */

static LLVMValueRef emit_chosen(Ir *ir, const Variants *variants) {
    LLVMValueRef chosen = LLVMAddGlobal(ir->module, ir->i32, name_of(ir, variants, "chosen"));
    LLVMSetLinkage(chosen, LLVMInternalLinkage);
    LLVMSetInitializer(chosen, word(ir, 0));
    LLVMSetAlignment(chosen, 4);
    return chosen;
}

static LLVMValueRef load_chosen(Ir *ir, LLVMValueRef chosen) {
    LLVMValueRef number = LLVMBuildLoad2(ir->builder, ir->i32, chosen, "");
    atomic(number);
    return number;
}

/* Leaves NAME for a variant with the same arguments. */
static void emit_jump(Ir *ir, LLVMValueRef function) {
    unsigned count = LLVMCountParams(ir->function);
    LLVMValueRef *arguments = ARENA_ARRAY(&ir->arena, count, LLVMValueRef);
    LLVMGetParams(ir->function, arguments);
    LLVMValueRef call = LLVMBuildCall2(ir->builder, LLVMGlobalGetValueType(function), function,
                                       arguments, count, "");
    LLVMSetTailCallKind(call, LLVMTailCallKindMustTail);
}

/* Of NAME, from the highest variant down; what is left is the lowest. */
static void emit_jumps(Ir *ir, LLVMValueRef number, const LLVMValueRef *functions, size_t count) {
    for (size_t i = count - 1; i > 0; i--) {
        LLVMBasicBlockRef jump = LLVMAppendBasicBlockInContext(ir->context, ir->function, "");
        LLVMBasicBlockRef lower = LLVMAppendBasicBlockInContext(ir->context, ir->function, "");
        LLVMValueRef is =
            LLVMBuildICmp(ir->builder, LLVMIntEQ, number, word(ir, (uint32_t)i + 1), "");
        LLVMBuildCondBr(ir->builder, is, jump, lower);
        LLVMPositionBuilderAtEnd(ir->builder, jump);
        emit_jump(ir, functions[i]);
        LLVMBuildRetVoid(ir->builder);
        LLVMPositionBuilderAtEnd(ir->builder, lower);
    }
    emit_jump(ir, functions[0]);
}

void dispatch_emit(Ir *ir, DebugInfo *debug, const Variants *variants,
                   const LLVMValueRef *functions) {
    LLVMValueRef chosen = emit_chosen(ir, variants);
    LLVMValueRef choose = emit_choose(ir, debug, variants, chosen);
    LLVMTypeRef type = LLVMGlobalGetValueType(functions[0]);
    unsigned count = LLVMCountParamTypes(type);
    LLVMTypeRef *types = ARENA_ARRAY(&ir->arena, count, LLVMTypeRef);
    LLVMGetParamTypes(type, types);
    module_function_of(ir, variants->symbol, types, count, false);
    debug_function(debug, variants->symbol, graph_of(variants)->name_span);

    LLVMValueRef known = load_chosen(ir, chosen);
    LLVMBasicBlockRef entry = LLVMGetInsertBlock(ir->builder);
    LLVMBasicBlockRef first = LLVMAppendBasicBlockInContext(ir->context, ir->function, "first");
    LLVMBasicBlockRef jumps = LLVMAppendBasicBlockInContext(ir->context, ir->function, "jumps");
    LLVMValueRef is_known = LLVMBuildICmp(ir->builder, LLVMIntNE, known, word(ir, 0), "");
    LLVMBuildCondBr(ir->builder, is_known, jumps, first);
    LLVMPositionBuilderAtEnd(ir->builder, first);
    LLVMBuildCall2(ir->builder, LLVMGlobalGetValueType(choose), choose, NULL, 0, "");
    LLVMValueRef found = load_chosen(ir, chosen);
    LLVMBuildBr(ir->builder, jumps);

    LLVMPositionBuilderAtEnd(ir->builder, jumps);
    LLVMValueRef number = LLVMBuildPhi(ir->builder, ir->i32, "");
    LLVMAddIncoming(number, (LLVMValueRef[]){known, found}, (LLVMBasicBlockRef[]){entry, first}, 2);
    emit_jumps(ir, number, functions, variants->count);
    module_function_end(ir);
}
