/* Constants, index arithmetic and control flow. */
#include "codegen/ir_internal.h"

#include <assert.h>
#include <string.h>

LLVMTypeRef ir_type_like(LLVMTypeRef element, LLVMTypeRef like) {
    bool vector = LLVMGetTypeKind(like) == LLVMVectorTypeKind;
    return vector ? LLVMVectorType(element, LLVMGetVectorSize(like)) : element;
}

IrValue ir_intrinsic(Ir *ir, const char *name, LLVMTypeRef *types, int type_count,
                     LLVMValueRef *arguments, int argument_count) {
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    assert(id != 0);
    LLVMValueRef callee = LLVMGetIntrinsicDeclaration(ir->module, id, types, (size_t)type_count);
    LLVMTypeRef type = LLVMIntrinsicGetType(ir->context, id, types, (size_t)type_count);
    return ir_value(
        LLVMBuildCall2(ir->builder, type, callee, arguments, (unsigned)argument_count, ""));
}

IrValue ir_parameter(Ir *ir, int index) {
    assert(index >= 0 && (unsigned)index < LLVMCountParams(ir->function));
    return ir_value(LLVMGetParam(ir->function, (unsigned)index));
}

/* ---- constants ---------------------------------------------------------------------------- */

static IrValue constant_vector(LLVMValueRef element, int lanes) {
    assert(lanes >= 1 && lanes <= IR_MAX_LANES);
    if (lanes == 1)
        return ir_value(element);
    LLVMValueRef elements[IR_MAX_LANES];
    for (int i = 0; i < lanes; i++)
        elements[i] = element;
    return ir_value(LLVMConstVector(elements, (unsigned)lanes));
}

IrValue ir_i64(Ir *ir, int64_t value) {
    return ir_value(LLVMConstInt(ir->i64, (unsigned long long)value, true));
}

IrValue ir_f32(Ir *ir, double value) {
    return ir_value(LLVMConstReal(ir->f32, (double)(float)value));
}

IrValue ir_f64(Ir *ir, double value) {
    return ir_value(LLVMConstReal(ir->f64, value));
}

IrValue ir_f32_vector(Ir *ir, double value, int lanes) {
    return constant_vector(ir_llvm(ir_f32(ir, value)), lanes);
}

IrValue ir_i32_vector(Ir *ir, int32_t value, int lanes) {
    LLVMValueRef element = LLVMConstInt(ir->i32, (unsigned long long)value, true);
    return constant_vector(element, lanes);
}

/* ---- i64 arithmetic ----------------------------------------------------------------------- */

/* Indices stay far below 2^63 (sizes are checked when the plan is made): overflow need not wrap. */
IrValue ir_add(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildNSWAdd(ir->builder, ir_llvm(a), ir_llvm(b), ""));
}

IrValue ir_sub(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildNSWSub(ir->builder, ir_llvm(a), ir_llvm(b), ""));
}

IrValue ir_mul(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildNSWMul(ir->builder, ir_llvm(a), ir_llvm(b), ""));
}

IrValue ir_mul_const(Ir *ir, IrValue a, int64_t factor) {
    if (factor == 0)
        return ir_i64(ir, 0);
    return factor == 1 ? a : ir_mul(ir, a, ir_i64(ir, factor));
}

IrValue ir_add_const(Ir *ir, IrValue a, int64_t term) {
    return term == 0 ? a : ir_add(ir, a, ir_i64(ir, term));
}

/* Nothing negative is divided, and unsigned division by a constant is the cheaper. */
IrValue ir_div_const(Ir *ir, IrValue a, int64_t divisor) {
    assert(divisor > 0);
    if (divisor == 1)
        return a;
    return ir_value(LLVMBuildUDiv(ir->builder, ir_llvm(a), ir_llvm(ir_i64(ir, divisor)), ""));
}

IrValue ir_rem_const(Ir *ir, IrValue a, int64_t divisor) {
    assert(divisor > 0);
    return ir_value(LLVMBuildURem(ir->builder, ir_llvm(a), ir_llvm(ir_i64(ir, divisor)), ""));
}

static bool is_constant(IrValue value) {
    return LLVMIsAConstantInt(ir_llvm(value)) != NULL;
}

static int64_t constant_of(IrValue value) {
    return LLVMConstIntGetSExtValue(ir_llvm(value));
}

static IrValue smaller_or_larger(Ir *ir, const char *intrinsic, IrValue a, IrValue b) {
    LLVMTypeRef type = ir->i64;
    LLVMValueRef arguments[] = {ir_llvm(a), ir_llvm(b)};
    return ir_intrinsic(ir, intrinsic, &type, 1, arguments, 2);
}

IrValue ir_min(Ir *ir, IrValue a, IrValue b) {
    if (is_constant(a) && is_constant(b))
        return constant_of(a) < constant_of(b) ? a : b;
    return smaller_or_larger(ir, "llvm.smin", a, b);
}

IrValue ir_max(Ir *ir, IrValue a, IrValue b) {
    if (is_constant(a) && is_constant(b))
        return constant_of(a) > constant_of(b) ? a : b;
    return smaller_or_larger(ir, "llvm.smax", a, b);
}

IrValue ir_less(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildICmp(ir->builder, LLVMIntSLT, ir_llvm(a), ir_llvm(b), ""));
}

IrValue ir_equal(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildICmp(ir->builder, LLVMIntEQ, ir_llvm(a), ir_llvm(b), ""));
}

/* ---- control ------------------------------------------------------------------------------ */

/* A loop is made in the shape that LLVM's loop passes would give it, with the test at the bottom:
 *
 *     before:  if (begin < end) goto body else goto after
 *     body:    index = phi [begin, before], [next, latch]; carried = phi ...
 *     latch:   next = index + step; if (next < end) goto body else goto after
 *     after:   carried = phi [first values, before], [last values, latch]
 *
 * With constant bounds the first test goes away, and for a single turn the whole loop does. */
typedef struct LoopState {
    bool once;                /* no loop: the body is straight code */
    LLVMBasicBlockRef before; /* where the first test stands; NULL: always entered */
    LLVMBasicBlockRef body;
    LLVMBasicBlockRef after;
    LLVMValueRef index; /* the phi */
    LLVMValueRef end;
    int64_t step;
    LLVMValueRef *first; /* carried values before the loop */
    LLVMValueRef *phis;
} LoopState;

static LLVMBasicBlockRef block_new(Ir *ir) {
    return LLVMAppendBasicBlockInContext(ir->context, ir->function, "");
}

static LLVMBasicBlockRef block_here(Ir *ir) {
    return LLVMGetInsertBlock(ir->builder);
}

static LLVMValueRef phi_new(Ir *ir, LLVMValueRef value, LLVMBasicBlockRef from) {
    LLVMValueRef phi = LLVMBuildPhi(ir->builder, LLVMTypeOf(value), "");
    LLVMAddIncoming(phi, &value, &from, 1);
    return phi;
}

/* Is `a` + `step` >= `b` known, with constant bounds? */
static bool ends_before(IrValue a, int64_t step, IrValue b) {
    return is_constant(a) && is_constant(b) && constant_of(a) + step >= constant_of(b);
}

IrLoop ir_loop_begin(Ir *ir, IrValue begin, IrValue end, int64_t step, IrValue *carried,
                     int carried_count) {
    assert(step > 0 && carried_count >= 0);
    LoopState *state = ARENA_NEW(&ir->arena, LoopState);
    bool bounded = is_constant(begin) && is_constant(end);
    bool entered = bounded && constant_of(begin) < constant_of(end);
    state->once = entered && ends_before(begin, step, end);
    if (state->once)
        return (IrLoop){begin, carried, carried_count, state};

    LLVMBasicBlockRef before = block_here(ir);
    state->body = block_new(ir);
    state->after = block_new(ir);
    state->end = ir_llvm(end);
    state->step = step;
    if (entered) {
        LLVMBuildBr(ir->builder, state->body);
    } else {
        state->before = before;
        LLVMValueRef enter = ir_llvm(ir_less(ir, begin, end));
        LLVMBuildCondBr(ir->builder, enter, state->body, state->after);
    }

    LLVMPositionBuilderAtEnd(ir->builder, state->body);
    state->index = phi_new(ir, ir_llvm(begin), before);
    state->first = ARENA_ARRAY(&ir->arena, (size_t)carried_count, LLVMValueRef);
    state->phis = ARENA_ARRAY(&ir->arena, (size_t)carried_count, LLVMValueRef);
    for (int i = 0; i < carried_count; i++) {
        state->first[i] = ir_llvm(carried[i]);
        state->phis[i] = phi_new(ir, state->first[i], before);
        carried[i] = ir_value(state->phis[i]);
    }
    return (IrLoop){ir_value(state->index), carried, carried_count, state};
}

void ir_loop_end(Ir *ir, IrLoop *loop) {
    LoopState *state = loop->state;
    if (state->once)
        return;
    LLVMBasicBlockRef latch = block_here(ir);
    LLVMValueRef next = ir_llvm(ir_add_const(ir, ir_value(state->index), state->step));
    LLVMValueRef again = LLVMBuildICmp(ir->builder, LLVMIntSLT, next, state->end, "");
    LLVMBuildCondBr(ir->builder, again, state->body, state->after);
    LLVMAddIncoming(state->index, &next, &latch, 1);

    LLVMMoveBasicBlockAfter(state->after, latch);
    LLVMPositionBuilderAtEnd(ir->builder, state->after);
    for (int i = 0; i < loop->carried_count; i++) {
        LLVMValueRef last = ir_llvm(loop->carried[i]);
        LLVMAddIncoming(state->phis[i], &last, &latch, 1);
        LLVMValueRef result = phi_new(ir, last, latch);
        if (state->before)
            LLVMAddIncoming(result, &state->first[i], &state->before, 1);
        loop->carried[i] = ir_value(result);
    }
}

/* The state of a branch is the block after it. */
IrIf ir_if_begin(Ir *ir, IrValue condition) {
    LLVMBasicBlockRef then = block_new(ir);
    LLVMBasicBlockRef after = block_new(ir);
    LLVMBuildCondBr(ir->builder, ir_llvm(condition), then, after);
    LLVMPositionBuilderAtEnd(ir->builder, then);
    return (IrIf){after};
}

void ir_if_end(Ir *ir, IrIf *branch) {
    LLVMBasicBlockRef after = branch->state;
    LLVMBuildBr(ir->builder, after);
    LLVMMoveBasicBlockAfter(after, block_here(ir));
    LLVMPositionBuilderAtEnd(ir->builder, after);
}
