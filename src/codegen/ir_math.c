/* Floating point and bits. No flag ever allows reassociation; `contract` is set only where a
 * product and a sum stand in for a fused multiply-add, `nsz` only on maxima. */
#include "codegen/ir_internal.h"

#include <assert.h>

IrValue ir_fadd(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildFAdd(ir->builder, ir_llvm(a), ir_llvm(b), ""));
}

IrValue ir_fsub(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildFSub(ir->builder, ir_llvm(a), ir_llvm(b), ""));
}

IrValue ir_fmul(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildFMul(ir->builder, ir_llvm(a), ir_llvm(b), ""));
}

IrValue ir_fdiv(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildFDiv(ir->builder, ir_llvm(a), ir_llvm(b), ""));
}

IrValue ir_fneg(Ir *ir, IrValue a) {
    return ir_value(LLVMBuildFNeg(ir->builder, ir_llvm(a), ""));
}

static IrValue unary(Ir *ir, const char *intrinsic, IrValue a) {
    LLVMTypeRef type = ir_type(a);
    LLVMValueRef argument = ir_llvm(a);
    return ir_intrinsic(ir, intrinsic, &type, 1, &argument, 1);
}

IrValue ir_fabs(Ir *ir, IrValue a) {
    return unary(ir, "llvm.fabs", a);
}

IrValue ir_fsqrt(Ir *ir, IrValue a) {
    return unary(ir, "llvm.sqrt", a);
}

static void allow(IrValue value, LLVMFastMathFlags flags) {
    if (LLVMIsAInstruction(ir_llvm(value)) && LLVMCanValueUseFastMathFlags(ir_llvm(value)))
        LLVMSetFastMathFlags(ir_llvm(value), flags);
}

IrValue ir_fma(Ir *ir, IrValue a, IrValue b, IrValue c) {
    if (ir->machine->fused) {
        LLVMTypeRef type = ir_type(a);
        LLVMValueRef arguments[] = {ir_llvm(a), ir_llvm(b), ir_llvm(c)};
        return ir_intrinsic(ir, "llvm.fma", &type, 1, arguments, 3);
    }
    IrValue product = ir_fmul(ir, a, b);
    IrValue sum = ir_fadd(ir, product, c);
    allow(product, LLVMFastMathAllowContract);
    allow(sum, LLVMFastMathAllowContract);
    return sum;
}

/* Which zero is the larger does not matter: to tell takes x86 two more instructions. */
static IrValue extreme(Ir *ir, const char *intrinsic, IrValue a, IrValue b) {
    LLVMTypeRef type = ir_type(a);
    LLVMValueRef arguments[] = {ir_llvm(a), ir_llvm(b)};
    IrValue result = ir_intrinsic(ir, intrinsic, &type, 1, arguments, 2);
    allow(result, LLVMFastMathNoSignedZeros);
    return result;
}

IrValue ir_fmax(Ir *ir, IrValue a, IrValue b) {
    return extreme(ir, "llvm.maximum", a, b);
}

IrValue ir_fmin(Ir *ir, IrValue a, IrValue b) {
    return extreme(ir, "llvm.minimum", a, b);
}

static LLVMRealPredicate predicate_of(IrCompare compare) {
    switch (compare) {
    case IR_LESS: return LLVMRealOLT;
    case IR_GREATER: return LLVMRealOGT;
    case IR_LESS_EQUAL: return LLVMRealOLE;
    case IR_NOT_NUMBER: return LLVMRealUNO;
    }
    assert(0 && "no such comparison");
    return LLVMRealPredicateFalse;
}

IrValue ir_fcompare(Ir *ir, IrCompare compare, IrValue a, IrValue b) {
    return ir_value(LLVMBuildFCmp(ir->builder, predicate_of(compare), ir_llvm(a), ir_llvm(b), ""));
}

IrValue ir_select(Ir *ir, IrValue condition, IrValue a, IrValue b) {
    return ir_value(LLVMBuildSelect(ir->builder, ir_llvm(condition), ir_llvm(a), ir_llvm(b), ""));
}

/* ---- bits ------------------------------------------------------------------------------------ */

/* The constant `value` as f32 or i32 in the lanes of `like`. */
static LLVMValueRef constant_like(LLVMTypeRef like, LLVMValueRef value) {
    if (LLVMGetTypeKind(like) != LLVMVectorTypeKind)
        return value;
    LLVMValueRef elements[IR_MAX_LANES];
    unsigned lanes = LLVMGetVectorSize(like);
    assert(lanes <= IR_MAX_LANES);
    for (unsigned i = 0; i < lanes; i++)
        elements[i] = value;
    return LLVMConstVector(elements, lanes);
}

#define AVX512_LANES 16

bool ir_has_lookup(const Ir *ir, int lanes) {
    return machine_is_avx512(ir->machine) && lanes == AVX512_LANES;
}

IrValue ir_lookup(Ir *ir, const double numbers[16], IrValue index) {
    IrValue table =
        ir_load(ir, ir_f32_table(ir, numbers, AVX512_LANES, AVX512_LANES), AVX512_LANES);
    LLVMValueRef arguments[] = {ir_llvm(table), ir_llvm(index)};
    return ir_intrinsic(ir, "llvm.x86.avx512.permvar.sf.512", NULL, 0, arguments, 2);
}

/* All lanes, none of them taken from elsewhere. */
static LLVMValueRef all_lanes(const Ir *ir) {
    return LLVMConstAllOnes(LLVMIntTypeInContext(ir->context, AVX512_LANES));
}

IrValue ir_scale(Ir *ir, IrValue x, IrValue n) {
    const unsigned long long current_rounding = 4;
    LLVMValueRef arguments[] = {ir_llvm(x), ir_llvm(n), LLVMGetUndef(ir_type(x)), all_lanes(ir),
                                LLVMConstInt(ir->i32, current_rounding, false)};
    return ir_intrinsic(ir, "llvm.x86.avx512.mask.scalef.ps.512", NULL, 0, arguments, 5);
}

/* A reciprocal that is good to 2^-14, and one step of Newton's, takes a third of a division. */
IrValue ir_quotient(Ir *ir, IrValue a, IrValue b, int lanes) {
    if (!ir_has_lookup(ir, lanes))
        return ir_fdiv(ir, a, b);
    LLVMValueRef arguments[] = {ir_llvm(b), LLVMGetUndef(ir_type(b)), all_lanes(ir)};
    IrValue guess = ir_intrinsic(ir, "llvm.x86.avx512.rcp14.ps.512", NULL, 0, arguments, 3);
    IrValue one = ir_f32_vector(ir, 1, lanes);
    IrValue rest = ir_fma(ir, ir_fneg(ir, b), guess, one);
    return ir_fmul(ir, a, ir_fma(ir, guess, rest, guess));
}

IrValue ir_i32_to_f32(Ir *ir, IrValue a) {
    LLVMTypeRef type = ir_type_like(ir->f32, ir_type(a));
    return ir_value(LLVMBuildSIToFP(ir->builder, ir_llvm(a), type, ""));
}

/* By way of i32, for which every processor has an instruction. */
IrValue ir_f32_to_i64(Ir *ir, IrValue a) {
    LLVMValueRef number = LLVMBuildFPToSI(ir->builder, ir_llvm(a), ir->i32, "");
    return ir_value(LLVMBuildSExt(ir->builder, number, ir->i64, ""));
}

IrValue ir_as_i32(Ir *ir, IrValue a) {
    LLVMTypeRef type = ir_type_like(ir->i32, ir_type(a));
    return ir_value(LLVMBuildBitCast(ir->builder, ir_llvm(a), type, ""));
}

IrValue ir_as_f32(Ir *ir, IrValue a) {
    LLVMTypeRef type = ir_type_like(ir->f32, ir_type(a));
    return ir_value(LLVMBuildBitCast(ir->builder, ir_llvm(a), type, ""));
}

IrValue ir_iadd(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildAdd(ir->builder, ir_llvm(a), ir_llvm(b), ""));
}

IrValue ir_isub(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildSub(ir->builder, ir_llvm(a), ir_llvm(b), ""));
}

IrValue ir_iless(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildICmp(ir->builder, LLVMIntSLT, ir_llvm(a), ir_llvm(b), ""));
}

IrValue ir_iand(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildAnd(ir->builder, ir_llvm(a), ir_llvm(b), ""));
}

IrValue ir_ior(Ir *ir, IrValue a, IrValue b) {
    return ir_value(LLVMBuildOr(ir->builder, ir_llvm(a), ir_llvm(b), ""));
}

static IrValue shift_amount(Ir *ir, IrValue a, int bits) {
    assert(bits >= 0 && bits < 32);
    return ir_value(constant_like(ir_type(a), LLVMConstInt(ir->i32, (unsigned)bits, false)));
}

IrValue ir_ishift_left(Ir *ir, IrValue a, int bits) {
    LLVMValueRef amount = ir_llvm(shift_amount(ir, a, bits));
    return ir_value(LLVMBuildShl(ir->builder, ir_llvm(a), amount, ""));
}

IrValue ir_ishift_right(Ir *ir, IrValue a, int bits) {
    LLVMValueRef amount = ir_llvm(shift_amount(ir, a, bits));
    return ir_value(LLVMBuildAShr(ir->builder, ir_llvm(a), amount, ""));
}
