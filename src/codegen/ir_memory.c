/* Loads, stores and lanes. */
#include "codegen/ir_internal.h"

#include <assert.h>

/* Not `inbounds`: a kernel may step to a padded place that it never reads. */
IrValue ir_at(Ir *ir, IrValue base, IrValue index) {
    LLVMValueRef indices[] = {ir_llvm(index)};
    return ir_value(LLVMBuildGEP2(ir->builder, ir->f32, ir_llvm(base), indices, 1, ""));
}

IrValue ir_at_const(Ir *ir, IrValue base, int64_t index) {
    return index == 0 ? base : ir_at(ir, base, ir_i64(ir, index));
}

IrValue ir_load(Ir *ir, IrValue pointer, int lanes) {
    LLVMValueRef load =
        LLVMBuildLoad2(ir->builder, ir_vector_type(ir->f32, lanes), ir_llvm(pointer), "");
    LLVMSetAlignment(load, 4);
    return ir_value(load);
}

void ir_prefetch(Ir *ir, IrValue pointer, IrCache cache) {
    static const unsigned localities[] = {[IR_FIRST_CACHE] = 3, [IR_SECOND_CACHE] = 2};
    LLVMValueRef reading = LLVMConstInt(ir->i32, 0, false);
    LLVMValueRef keep = LLVMConstInt(ir->i32, localities[cache], false);
    LLVMValueRef data = LLVMConstInt(ir->i32, 1, false);
    LLVMValueRef arguments[] = {ir_llvm(pointer), reading, keep, data};
    ir_intrinsic(ir, "llvm.prefetch", &ir->pointer, 1, arguments, 4);
}

void ir_store(Ir *ir, IrValue pointer, IrValue value, int lanes) {
    assert(ir_type(value) == ir_vector_type(ir->f32, lanes));
    (void)lanes;
    LLVMValueRef store = LLVMBuildStore(ir->builder, ir_llvm(value), ir_llvm(pointer));
    LLVMSetAlignment(store, 4);
}

IrValue ir_stack(Ir *ir, int64_t floats) {
    LLVMBasicBlockRef here = LLVMGetInsertBlock(ir->builder);
    LLVMBasicBlockRef entry = LLVMGetEntryBasicBlock(ir->function);
    LLVMValueRef first = LLVMGetFirstInstruction(entry);
    if (first)
        LLVMPositionBuilderBefore(ir->builder, first);
    LLVMValueRef memory =
        LLVMBuildAlloca(ir->builder, LLVMArrayType2(ir->f32, (uint64_t)floats), "");
    LLVMSetAlignment(memory, 64);
    LLVMPositionBuilderAtEnd(ir->builder, here);
    return ir_value(memory);
}

/* ---- parts of vectors ---------------------------------------------------------------------- */

/* <1, 1, ..., 0, 0>: the first `count` lanes. */
static LLVMValueRef lane_mask(Ir *ir, int lanes, int count) {
    assert(lanes <= IR_MAX_LANES && count >= 0 && count <= lanes);
    LLVMValueRef bits[IR_MAX_LANES];
    for (int i = 0; i < lanes; i++)
        bits[i] = LLVMConstInt(ir->i1, i < count, false);
    return LLVMConstVector(bits, (unsigned)lanes);
}

IrValue ir_load_part(Ir *ir, IrValue pointer, int lanes, int count) {
    assert(count > 0 && count <= lanes);
    if (count == lanes)
        return ir_load(ir, pointer, lanes);
    LLVMTypeRef vector = ir_vector_type(ir->f32, lanes);
    if (count == 1)
        return ir_insert(ir, ir_value(LLVMConstNull(vector)), ir_load(ir, pointer, 1), 0);
    LLVMTypeRef types[] = {vector, ir->pointer};
    LLVMValueRef arguments[] = {ir_llvm(pointer), LLVMConstInt(ir->i32, 4, false),
                                lane_mask(ir, lanes, count), LLVMConstNull(vector)};
    return ir_intrinsic(ir, "llvm.masked.load", types, 2, arguments, 4);
}

void ir_store_part(Ir *ir, IrValue pointer, IrValue value, int lanes, int count) {
    assert(count > 0 && count <= lanes);
    if (count == lanes) {
        ir_store(ir, pointer, value, lanes);
    } else if (count == 1) {
        ir_store(ir, pointer, ir_lane(ir, value, 0), 1);
    } else {
        LLVMTypeRef types[] = {ir_vector_type(ir->f32, lanes), ir->pointer};
        LLVMValueRef arguments[] = {ir_llvm(value), ir_llvm(pointer),
                                    LLVMConstInt(ir->i32, 4, false), lane_mask(ir, lanes, count)};
        ir_intrinsic(ir, "llvm.masked.store", types, 2, arguments, 4);
    }
}

/* The first `count` of every second float: lanes of two loads that end at the last of them. */
static IrValue load_every_second(Ir *ir, IrValue pointer, int lanes, int count) {
    int floats = 2 * count - 1, first = floats < lanes ? floats : lanes;
    IrValue low = ir_load_part(ir, pointer, lanes, first), high = low;
    if (floats > lanes)
        high = ir_load_part(ir, ir_at_const(ir, pointer, lanes), lanes, floats - lanes);
    LLVMValueRef picks[IR_MAX_LANES];
    for (int i = 0; i < lanes; i++)
        picks[i] = LLVMConstInt(ir->i32, (unsigned)(2 * i), false);
    LLVMValueRef mask = LLVMConstVector(picks, (unsigned)lanes);
    return ir_value(LLVMBuildShuffleVector(ir->builder, ir_llvm(low), ir_llvm(high), mask, ""));
}

IrValue ir_load_strided(Ir *ir, IrValue pointer, int lanes, int count, int64_t stride) {
    assert(lanes <= IR_MAX_LANES && count > 0 && count <= lanes);
    if (stride == 1)
        return ir_load_part(ir, pointer, lanes, count);
    if (lanes == 1)
        return ir_load(ir, pointer, 1);
    if (stride == 0 && count == lanes)
        return ir_splat(ir, ir_load(ir, pointer, 1), lanes);
    if (stride == 2 && 2 * count > lanes)
        return load_every_second(ir, pointer, lanes, count);
    IrValue vector = ir_value(LLVMConstNull(ir_vector_type(ir->f32, lanes)));
    for (int i = 0; i < count; i++) {
        IrValue element = ir_load(ir, ir_at_const(ir, pointer, i * stride), 1);
        vector = ir_insert(ir, vector, element, i);
    }
    return vector;
}

void ir_store_strided(Ir *ir, IrValue pointer, IrValue value, int lanes, int count,
                      int64_t stride) {
    assert(count > 0 && count <= lanes);
    if (stride == 1) {
        ir_store_part(ir, pointer, value, lanes, count);
        return;
    }
    for (int i = 0; i < count; i++)
        ir_store(ir, ir_at_const(ir, pointer, i * stride), ir_lane(ir, value, i), 1);
}

/* ---- tables --------------------------------------------------------------------------------- */

/* A constant array in the object; arrays of equal numbers are one. */
static IrValue table_of(Ir *ir, LLVMTypeRef element, LLVMValueRef *numbers, uint64_t count) {
    LLVMValueRef array = LLVMConstArray2(element, numbers, count);
    for (LLVMValueRef known = LLVMGetFirstGlobal(ir->module); known;
         known = LLVMGetNextGlobal(known))
        if (LLVMGetInitializer(known) == array)
            return ir_value(known);
    LLVMValueRef global = LLVMAddGlobal(ir->module, LLVMTypeOf(array), "numbers");
    LLVMSetInitializer(global, array);
    LLVMSetGlobalConstant(global, true);
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    LLVMSetUnnamedAddress(global, LLVMGlobalUnnamedAddr);
    return ir_value(global);
}

IrValue ir_f32_table(Ir *ir, const double *numbers, int64_t count, int64_t padded) {
    assert(0 < count && count <= padded);
    LLVMValueRef *elements = ARENA_ARRAY(&ir->arena, (size_t)padded, LLVMValueRef);
    for (int64_t i = 0; i < padded; i++)
        elements[i] = ir_llvm(ir_f32(ir, i < count ? numbers[i] : 0));
    return table_of(ir, ir->f32, elements, (uint64_t)padded);
}

IrValue ir_table_f64(Ir *ir, const double *numbers, size_t count) {
    LLVMValueRef *values = ARENA_ARRAY(&ir->arena, count, LLVMValueRef);
    for (size_t i = 0; i < count; i++)
        values[i] = LLVMConstReal(ir->f64, numbers[i]);
    return table_of(ir, ir->f64, values, count);
}

IrValue ir_table_number(Ir *ir, IrValue table, IrValue index) {
    LLVMValueRef indices[] = {ir_llvm(index)};
    LLVMValueRef place = LLVMBuildGEP2(ir->builder, ir->f64, ir_llvm(table), indices, 1, "");
    return ir_value(LLVMBuildLoad2(ir->builder, ir->f64, place, ""));
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static LLVMTypeRef byte_type(const Ir *ir) {
    return LLVMInt8TypeInContext(ir->context);
}

IrValue ir_byte_at(Ir *ir, IrValue base, IrValue index) {
    LLVMValueRef indices[] = {ir_llvm(index)};
    return ir_value(LLVMBuildGEP2(ir->builder, byte_type(ir), ir_llvm(base), indices, 1, ""));
}

static IrValue byte_load(Ir *ir, IrValue pointer, int lanes) {
    LLVMTypeRef type = ir_vector_type(byte_type(ir), lanes);
    LLVMValueRef load = LLVMBuildLoad2(ir->builder, type, ir_llvm(pointer), "");
    LLVMSetAlignment(load, 1);
    return ir_value(load);
}

IrValue ir_load_bytes(Ir *ir, IrValue pointer, int lanes, int count, int64_t stride) {
    assert(lanes <= IR_MAX_LANES && count > 0 && count <= lanes);
    IrValue bytes;
    if (stride == 1 && count == lanes) {
        bytes = byte_load(ir, pointer, lanes);
    } else {
        bytes = ir_value(LLVMConstNull(ir_vector_type(byte_type(ir), lanes)));
        for (int i = 0; i < count; i++) {
            IrValue at = i == 0 ? pointer : ir_byte_at(ir, pointer, ir_i64(ir, i * stride));
            bytes = ir_insert(ir, bytes, byte_load(ir, at, 1), i);
        }
    }
    LLVMTypeRef wide = ir_vector_type(ir->i32, lanes);
    return ir_i32_to_f32(ir, ir_value(LLVMBuildZExt(ir->builder, ir_llvm(bytes), wide, "")));
}

/* ---- lanes ---------------------------------------------------------------------------------- */

IrValue ir_splat(Ir *ir, IrValue scalar, int lanes) {
    assert(lanes <= IR_MAX_LANES);
    if (lanes == 1)
        return scalar;
    LLVMTypeRef vector = ir_vector_type(ir_type(scalar), lanes);
    IrValue first = ir_insert(ir, ir_value(LLVMGetPoison(vector)), scalar, 0);
    LLVMValueRef zeros = LLVMConstNull(ir_vector_type(ir->i32, lanes));
    return ir_value(
        LLVMBuildShuffleVector(ir->builder, ir_llvm(first), LLVMGetPoison(vector), zeros, ""));
}

static bool is_vector(IrValue value) {
    return LLVMGetTypeKind(ir_type(value)) == LLVMVectorTypeKind;
}

IrValue ir_lane(Ir *ir, IrValue vector, int lane) {
    if (!is_vector(vector))
        return vector;
    LLVMValueRef index = LLVMConstInt(ir->i32, (unsigned)lane, false);
    return ir_value(LLVMBuildExtractElement(ir->builder, ir_llvm(vector), index, ""));
}

IrValue ir_insert(Ir *ir, IrValue vector, IrValue scalar, int lane) {
    if (!is_vector(vector))
        return scalar;
    LLVMValueRef index = LLVMConstInt(ir->i32, (unsigned)lane, false);
    return ir_value(
        LLVMBuildInsertElement(ir->builder, ir_llvm(vector), ir_llvm(scalar), index, ""));
}

/* Lane picks[i] of a and b, those of b counted on from a's. */
static LLVMValueRef shuffle(Ir *ir, LLVMValueRef a, LLVMValueRef b, const int *picks, int lanes) {
    assert(lanes > 1 && lanes <= IR_MAX_LANES);
    LLVMValueRef mask[IR_MAX_LANES];
    for (int i = 0; i < lanes; i++)
        mask[i] = LLVMConstInt(ir->i32, (unsigned)picks[i], false);
    return LLVMBuildShuffleVector(ir->builder, a, b, LLVMConstVector(mask, (unsigned)lanes), "");
}

IrValue ir_widen(Ir *ir, IrValue vector, int from, int lanes) {
    int picks[IR_MAX_LANES];
    for (int i = 0; i < lanes; i++)
        picks[i] = i < from ? i : from;
    LLVMValueRef zeros = LLVMConstNull(ir_type(vector));
    return ir_value(shuffle(ir, ir_llvm(vector), zeros, picks, lanes));
}

IrValue ir_shuffle(Ir *ir, IrValue vector, const int *picks, int lanes) {
    LLVMValueRef none = LLVMGetPoison(ir_type(vector));
    return ir_value(shuffle(ir, ir_llvm(vector), none, picks, lanes));
}

IrValue ir_interleave(Ir *ir, IrValue a, IrValue b, int lanes, bool second) {
    int picks[IR_MAX_LANES];
    for (int i = 0; i < lanes; i++)
        picks[i] = (second ? lanes / 2 : 0) + i / 2 + (i % 2 ? lanes : 0);
    return ir_value(shuffle(ir, ir_llvm(a), ir_llvm(b), picks, lanes));
}

/* Lanes `first` to `first + lanes` of a vector. */
static IrValue lanes_from(Ir *ir, IrValue vector, int first, int lanes) {
    if (lanes == 1)
        return ir_lane(ir, vector, first);
    int picks[IR_MAX_LANES];
    for (int i = 0; i < lanes; i++)
        picks[i] = first + i;
    return ir_shuffle(ir, vector, picks, lanes);
}

/* Folds the upper half onto the lower until one lane is left. */
static IrValue reduce(Ir *ir, IrValue vector, int lanes,
                      IrValue (*combine)(Ir *, IrValue, IrValue)) {
    assert(lanes >= 1 && lanes <= IR_MAX_LANES && (lanes & (lanes - 1)) == 0);
    for (int half = lanes / 2; half >= 1; half /= 2) {
        IrValue low = lanes_from(ir, vector, 0, half);
        IrValue high = lanes_from(ir, vector, half, half);
        vector = combine(ir, low, high);
    }
    return vector;
}

IrValue ir_reduce_add(Ir *ir, IrValue vector, int lanes) {
    return reduce(ir, vector, lanes, ir_fadd);
}

IrValue ir_reduce_max(Ir *ir, IrValue vector, int lanes) {
    return reduce(ir, vector, lanes, ir_fmax);
}

/* ---- pointers, doubles, zeros ---------------------------------------------------------------- */

IrValue ir_load_pointer(Ir *ir, IrValue table, int64_t index) {
    LLVMValueRef indices[] = {ir_llvm(ir_i64(ir, index))};
    LLVMValueRef slot = LLVMBuildGEP2(ir->builder, ir->pointer, ir_llvm(table), indices, 1, "");
    return ir_value(LLVMBuildLoad2(ir->builder, ir->pointer, slot, ""));
}

IrValue ir_load_f64(Ir *ir, IrValue pointer) {
    IrValue single = ir_load(ir, pointer, 1);
    return ir_value(LLVMBuildFPExt(ir->builder, ir_llvm(single), ir->f64, ""));
}

void ir_store_f64(Ir *ir, IrValue pointer, IrValue value) {
    LLVMValueRef single = LLVMBuildFPTrunc(ir->builder, ir_llvm(value), ir->f32, "");
    ir_store(ir, pointer, ir_value(single), 1);
}

void ir_fill_zero(Ir *ir, IrValue pointer, IrValue count) {
    int lanes = ir->machine->lanes;
    IrValue whole = ir_mul_const(ir, ir_div_const(ir, count, lanes), lanes);
    IrLoop vectors = ir_loop_begin(ir, ir_i64(ir, 0), whole, lanes, NULL, 0);
    ir_store(ir, ir_at(ir, pointer, vectors.index), ir_f32_vector(ir, 0, lanes), lanes);
    ir_loop_end(ir, &vectors);
    IrLoop rest = ir_loop_begin(ir, whole, count, 1, NULL, 0);
    ir_store(ir, ir_at(ir, pointer, rest.index), ir_f32(ir, 0), 1);
    ir_loop_end(ir, &rest);
}
