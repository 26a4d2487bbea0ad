#include "codegen/parallel.h"

#include <string.h>

#include "codegen/module.h"

/* Bytes of the frame before the pointers: two cache lines, which some processors fetch together. */
#define ARRIVALS_BYTES 128
/* A thread that has looked so often lets others run: it may be their processor it keeps busy. */
#define LOOKS_BEFORE_YIELD 2000

static LLVMValueRef number(const Ir *ir, int64_t value) {
    return LLVMConstInt(ir->i64, (unsigned long long)value, true);
}

/* Begins `NAME.suffix` with parameters of `types`. */
static LLVMValueRef function_begin(const Parallel *parallel, const char *suffix, LLVMTypeRef *types,
                                   unsigned type_count) {
    Ir *ir = parallel->ir;
    const char *name = arena_format(&ir->arena, "%s.%s", parallel->name, suffix);
    module_function_of(ir, name, types, type_count, true);
    debug_function(parallel->debug, name, parallel->span);
    return ir->function;
}

static LLVMValueRef call(const Parallel *parallel, LLVMValueRef function, LLVMValueRef *arguments,
                         unsigned count) {
    return LLVMBuildCall2(parallel->ir->builder, LLVMGlobalGetValueType(function), function,
                          arguments, count, "");
}

/* A function of a library. */
static LLVMValueRef external(const Ir *ir, const char *name, LLVMTypeRef result, LLVMTypeRef *types,
                             unsigned count) {
    LLVMValueRef declared = LLVMGetNamedFunction(ir->module, name);
    if (declared)
        return declared;
    LLVMTypeRef type = LLVMFunctionType(result, types, count, false);
    return LLVMAddFunction(ir->module, name, type);
}

static LLVMValueRef frame_of(const Parallel *parallel) {
    return LLVMGetParam(parallel->ir->function, 0);
}

static LLVMValueRef pointer_place(const Parallel *parallel, LLVMValueRef frame, int index) {
    Ir *ir = parallel->ir;
    LLVMValueRef bytes = number(ir, ARRIVALS_BYTES + (int64_t)sizeof(void *) * index);
    return LLVMBuildGEP2(ir->builder, LLVMInt8TypeInContext(ir->context), frame, &bytes, 1, "");
}

/* ---- waiting ------------------------------------------------------------------------------ */

/* Tells the processor that this is a loop that waits. */
static void emit_pause(Ir *ir) {
    if (strncmp(ir->target->triple, "x86_64", 6) == 0) {
        ir_intrinsic(ir, "llvm.x86.sse2.pause", NULL, 0, NULL, 0);
    } else if (strncmp(ir->target->triple, "aarch64", 7) == 0) {
        LLVMValueRef yield = LLVMConstInt(ir->i32, 1, false);
        ir_intrinsic(ir, "llvm.aarch64.hint", NULL, 0, &yield, 1);
    }
}

/* NAME.wait. What a thread wrote before it arrived is seen by all that have waited: arriving
 * releases it, the look that ends the wait acquires it. */
static void emit_wait(Parallel *parallel) {
    Ir *ir = parallel->ir;
    LLVMTypeRef types[] = {ir->pointer, ir->i64, ir->i64};
    parallel->wait = function_begin(parallel, "wait", types, 3);
    ir_attribute(ir, parallel->wait, (unsigned)LLVMAttributeFunctionIndex, "noinline", 0);
    LLVMBasicBlockRef entry = LLVMGetInsertBlock(ir->builder);
    LLVMBasicBlockRef look = LLVMAppendBasicBlockInContext(ir->context, ir->function, "look");
    LLVMBasicBlockRef pause = LLVMAppendBasicBlockInContext(ir->context, ir->function, "pause");
    LLVMBasicBlockRef yield = LLVMAppendBasicBlockInContext(ir->context, ir->function, "yield");
    LLVMBasicBlockRef done = LLVMAppendBasicBlockInContext(ir->context, ir->function, "done");

    LLVMBuildAtomicRMW(ir->builder, LLVMAtomicRMWBinOpAdd, frame_of(parallel),
                       LLVMGetParam(ir->function, 1), LLVMAtomicOrderingAcquireRelease, false);
    LLVMBuildBr(ir->builder, look);

    LLVMPositionBuilderAtEnd(ir->builder, look);
    LLVMValueRef looks = LLVMBuildPhi(ir->builder, ir->i64, "");
    LLVMValueRef arrivals = LLVMBuildLoad2(ir->builder, ir->i64, frame_of(parallel), "");
    LLVMSetOrdering(arrivals, LLVMAtomicOrderingAcquire);
    LLVMSetAlignment(arrivals, 8);
    LLVMValueRef all =
        LLVMBuildICmp(ir->builder, LLVMIntUGE, arrivals, LLVMGetParam(ir->function, 2), "");
    LLVMBuildCondBr(ir->builder, all, done, pause);

    LLVMPositionBuilderAtEnd(ir->builder, pause);
    emit_pause(ir);
    LLVMValueRef more = LLVMBuildAdd(ir->builder, looks, number(ir, 1), "");
    LLVMValueRef many =
        LLVMBuildICmp(ir->builder, LLVMIntUGE, more, number(ir, LOOKS_BEFORE_YIELD), "");
    LLVMBuildCondBr(ir->builder, many, yield, look);

    LLVMPositionBuilderAtEnd(ir->builder, yield);
    call(parallel, external(ir, "sched_yield", ir->i32, NULL, 0), NULL, 0);
    LLVMBuildBr(ir->builder, look);

    LLVMValueRef values[] = {number(ir, 0), more, more};
    LLVMBasicBlockRef blocks[] = {entry, pause, yield};
    LLVMAddIncoming(looks, values, blocks, 3);
    LLVMPositionBuilderAtEnd(ir->builder, done);
    module_function_end(ir);
}

void parallel_wait(Parallel *parallel) {
    Ir *ir = parallel->ir;
    LLVMValueRef begin = LLVMGetParam(ir->function, 1), end = LLVMGetParam(ir->function, 2);
    int64_t total = (int64_t)++parallel->waits * parallel->threads;
    LLVMValueRef arguments[] = {frame_of(parallel), LLVMBuildSub(ir->builder, end, begin, ""),
                                number(ir, total)};
    call(parallel, parallel->wait, arguments, 3);
}

/* ---- steps and parts ---------------------------------------------------------------------- */

void parallel_begin(Parallel *parallel) {
    emit_wait(parallel);
    LLVMTypeRef types[] = {parallel->ir->pointer, parallel->ir->i64, parallel->ir->i64};
    parallel->steps = function_begin(parallel, "steps", types, 3);
}

LLVMValueRef parallel_pointer(const Parallel *parallel, int index) {
    LLVMValueRef place = pointer_place(parallel, frame_of(parallel), index);
    return LLVMBuildLoad2(parallel->ir->builder, parallel->ir->pointer, place, "");
}

IrValue parallel_does_part(const Parallel *parallel, int part) {
    Ir *ir = parallel->ir;
    IrValue begin = ir_max(ir, ir_parameter(ir, 1), ir_i64(ir, part));
    IrValue end = ir_min(ir, ir_parameter(ir, 2), ir_i64(ir, part + 1));
    return ir_less(ir, begin, end);
}

IrLoop parallel_parts_begin(const Parallel *parallel, int parts) {
    Ir *ir = parallel->ir;
    IrValue begin = ir_parameter(ir, 1), end = ir_parameter(ir, 2);
    return ir_loop_begin(ir, begin, ir_min(ir, end, ir_i64(ir, parts)), 1, NULL, 0);
}

/* part * count / threads, rounded up */
static IrValue share_begin(const Parallel *parallel, IrValue part, int64_t count) {
    Ir *ir = parallel->ir;
    IrValue raised = ir_add_const(ir, ir_mul_const(ir, part, count), parallel->threads - 1);
    return ir_div_const(ir, raised, parallel->threads);
}

IrLoop parallel_share_begin(const Parallel *parallel, int64_t count) {
    Ir *ir = parallel->ir;
    IrValue begin = share_begin(parallel, ir_parameter(ir, 1), count);
    return ir_loop_begin(ir, begin, share_begin(parallel, ir_parameter(ir, 2), count), 1, NULL, 0);
}

IrValue parallel_first_part(const Parallel *parallel) {
    return ir_parameter(parallel->ir, 1);
}

void parallel_end(Parallel *parallel) {
    Ir *ir = parallel->ir;
    module_function_end(ir);
    LLVMTypeRef types[] = {ir->pointer, ir->i64};
    parallel->part = function_begin(parallel, "part", types, 2);
    LLVMValueRef index = LLVMGetParam(ir->function, 1);
    LLVMValueRef next = LLVMBuildAdd(ir->builder, index, number(ir, 1), "");
    LLVMValueRef arguments[] = {frame_of(parallel), index, next};
    call(parallel, parallel->steps, arguments, 3);
    module_function_end(ir);
}

/* ---- the call ----------------------------------------------------------------------------- */

static LLVMValueRef make_frame(const Parallel *parallel, const LLVMValueRef *pointers, int count) {
    Ir *ir = parallel->ir;
    unsigned bytes = ARRIVALS_BYTES + (unsigned)count * (unsigned)sizeof(void *);
    LLVMTypeRef type = LLVMArrayType2(LLVMInt8TypeInContext(ir->context), bytes);
    LLVMValueRef frame = LLVMBuildAlloca(ir->builder, type, "frame");
    LLVMSetAlignment(frame, ARRIVALS_BYTES);
    LLVMBuildStore(ir->builder, number(ir, 0), frame);
    for (int i = 0; i < count; i++)
        LLVMBuildStore(ir->builder, pointers[i], pointer_place(parallel, frame, i));
    return frame;
}

void parallel_run(const Parallel *parallel, const LLVMValueRef *pointers, int count,
                  LLVMValueRef pool) {
    Ir *ir = parallel->ir;
    LLVMValueRef frame = make_frame(parallel, pointers, count);
    LLVMValueRef size = external(ir, "pthreadpool_get_threads_count", ir->i64, &ir->pointer, 1);
    LLVMTypeRef types[] = {ir->pointer, ir->pointer, ir->pointer, ir->i64, ir->i32};
    LLVMValueRef parallelize = external(ir, "pthreadpool_parallelize_1d", ir->nothing, types, 5);
    LLVMBasicBlockRef together =
        LLVMAppendBasicBlockInContext(ir->context, ir->function, "together");
    LLVMBasicBlockRef alone = LLVMAppendBasicBlockInContext(ir->context, ir->function, "alone");
    LLVMBasicBlockRef done = LLVMAppendBasicBlockInContext(ir->context, ir->function, "done");

    LLVMValueRef threads = number(ir, parallel->threads);
    LLVMValueRef enough = LLVMBuildICmp(ir->builder, LLVMIntUGE, call(parallel, size, &pool, 1),
                                        threads, ""); /* a NULL pool has one */
    LLVMBuildCondBr(ir->builder, enough, together, alone);

    LLVMPositionBuilderAtEnd(ir->builder, together);
    LLVMValueRef flags = LLVMConstInt(ir->i32, 0, false);
    LLVMValueRef arguments[] = {pool, parallel->part, frame, threads, flags};
    call(parallel, parallelize, arguments, 5);
    LLVMBuildBr(ir->builder, done);

    LLVMPositionBuilderAtEnd(ir->builder, alone);
    LLVMValueRef all[] = {frame, number(ir, 0), threads};
    call(parallel, parallel->steps, all, 3);
    LLVMBuildBr(ir->builder, done);
    LLVMPositionBuilderAtEnd(ir->builder, done);
}
