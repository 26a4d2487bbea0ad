/* Softmax over one axis of a plain tensor: e^(x - max) / sum, three passes over each slice, or its
 * logarithm, (x - max) - log(sum).
 *
 * The tensor is [outer][axis][inner]. With inner > 1 lanes lie along inner, each with a slice of
 * its own; with inner = 1 they lie along the axis and are folded at the end. A slice with +Inf or
 * NaN, or all -Inf, is NaN throughout. */
#include <math.h>

#include "kernels/emitter.h"
#include "kernels/math.h"

/* The slices that the code in the making works on. */
typedef struct Softmax {
    const Emitter *emitter;
    int64_t extent; /* of the axis */
    int64_t stride; /* between neighbours along the axis */
    IrValue input;  /* pointer to the first element */
    IrValue output;
    int count;    /* ACROSS: lanes that exist */
    IrValue seen; /* ALONG: i64, how many numbers of the slice count; NULL: all */
} Softmax;

static bool is_logarithm(const Softmax *softmax) {
    return softmax->emitter->step->softmax.logarithm;
}

/* e^(x - largest), or 0 where it is dropped. */
static IrValue power_of(const Softmax *softmax, IrValue x, IrValue largest) {
    Ir *ir = softmax->emitter->ir;
    int lanes = softmax->emitter->lanes;
    IrValue below = ir_fsub(ir, x, largest);
    if (!softmax->emitter->step->softmax.drops)
        return math_exp_below(ir, below, lanes);
    IrValue zero = ir_f32_vector(ir, 0, lanes), least = ir_f32_vector(ir, SOFTMAX_DROPPED, lanes);
    IrValue dropped = ir_fcompare(ir, IR_LESS, below, least);
    IrValue power = math_exp_below(ir, ir_select(ir, dropped, zero, below), lanes);
    return ir_select(ir, dropped, zero, power);
}

/* The results of `count` lanes at `index`: their powers, which the output holds, over the sum, or,
 * of the elements themselves, what `denominator` = log(sum) leaves. */
static void result_emit(const Softmax *softmax, IrValue index, int count, IrValue largest,
                        IrValue denominator) {
    Ir *ir = softmax->emitter->ir;
    int lanes = softmax->emitter->lanes;
    IrValue output = ir_at(ir, softmax->output, index);
    IrValue from = is_logarithm(softmax) ? ir_at(ir, softmax->input, index) : output;
    IrValue value = ir_load_part(ir, from, lanes, count);
    IrValue result = is_logarithm(softmax) ? ir_fsub(ir, ir_fsub(ir, value, largest), denominator)
                                           : ir_fdiv(ir, value, denominator);
    ir_store_part(ir, output, result, lanes, count);
}

/* ---- lanes across slices ------------------------------------------------------------------- */

static IrValue lanes_load(const Softmax *softmax, IrValue pointer) {
    return ir_load_part(softmax->emitter->ir, pointer, softmax->emitter->lanes, softmax->count);
}

static void lanes_store(const Softmax *softmax, IrValue pointer, IrValue value) {
    ir_store_part(softmax->emitter->ir, pointer, value, softmax->emitter->lanes, softmax->count);
}

/* `count` slices beside each other. Lanes past them see zeros, which harm nobody. */
static void slices_emit(const Softmax *softmax) {
    Ir *ir = softmax->emitter->ir;
    int lanes = softmax->emitter->lanes;
    IrValue zero = ir_i64(ir, 0), extent = ir_i64(ir, softmax->extent);
    IrValue largest = ir_f32_vector(ir, -INFINITY, lanes), sum = ir_f32_vector(ir, 0, lanes);

    IrLoop loop = ir_loop_begin(ir, zero, extent, 1, &largest, 1);
    IrValue at = ir_mul_const(ir, loop.index, softmax->stride);
    largest = ir_fmax(ir, lanes_load(softmax, ir_at(ir, softmax->input, at)), largest);
    ir_loop_end(ir, &loop);

    loop = ir_loop_begin(ir, zero, extent, 1, &sum, 1);
    at = ir_mul_const(ir, loop.index, softmax->stride);
    IrValue x = lanes_load(softmax, ir_at(ir, softmax->input, at));
    IrValue power = power_of(softmax, x, largest);
    if (!is_logarithm(softmax))
        lanes_store(softmax, ir_at(ir, softmax->output, at), power);
    sum = ir_fadd(ir, sum, power);
    ir_loop_end(ir, &loop);

    IrValue denominator = is_logarithm(softmax) ? math_log(ir, sum, lanes) : sum;
    loop = ir_loop_begin(ir, zero, extent, 1, NULL, 0);
    result_emit(softmax, ir_mul_const(ir, loop.index, softmax->stride), softmax->count, largest,
                denominator);
    ir_loop_end(ir, &loop);
}

static void across_emit(Softmax *softmax, int64_t inner) {
    Ir *ir = softmax->emitter->ir;
    int lanes = softmax->emitter->lanes;
    int64_t whole = inner / lanes * lanes;
    IrValue input = softmax->input, output = softmax->output;
    if (whole > 0) {
        softmax->count = lanes;
        IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, whole), lanes, NULL, 0);
        softmax->input = ir_at(ir, input, loop.index);
        softmax->output = ir_at(ir, output, loop.index);
        slices_emit(softmax);
        ir_loop_end(ir, &loop);
    }
    if (whole < inner) {
        softmax->count = (int)(inner - whole);
        softmax->input = ir_at_const(ir, input, whole);
        softmax->output = ir_at_const(ir, output, whole);
        slices_emit(softmax);
    }
}

/* ---- lanes along a slice ------------------------------------------------------------------- */

/* The numbers of a vector that are seen, -Inf for the others. */
static IrValue slice_mask(const Softmax *softmax, IrValue index, IrValue vector) {
    Ir *ir = softmax->emitter->ir;
    int lanes = softmax->emitter->lanes;
    IrValue places = ir_f32_vector(ir, 0, lanes);
    for (int lane = 0; lane < lanes; lane++)
        places = ir_insert(ir, places, ir_f32(ir, lane), lane);
    IrValue left = ir_i32_to_f32(ir, ir_sub(ir, softmax->seen, index));
    IrValue seen = ir_fcompare(ir, IR_LESS, places, ir_splat(ir, left, lanes));
    return ir_select(ir, seen, vector, ir_f32_vector(ir, -INFINITY, lanes));
}

/* `count` elements from `index` on, -Inf in the lanes past them: e^-Inf = 0 adds nothing to the
 * sum. */
static IrValue slice_load(const Softmax *softmax, IrValue index, int count) {
    Ir *ir = softmax->emitter->ir;
    int lanes = softmax->emitter->lanes;
    IrValue vector = ir_load_part(ir, ir_at(ir, softmax->input, index), lanes, count);
    for (int lane = count; lane < lanes; lane++)
        vector = ir_insert(ir, vector, ir_f32(ir, -INFINITY), lane);
    return softmax->seen ? slice_mask(softmax, index, vector) : vector;
}

/* Adds e^(x - largest) of `count` elements at `index` to the sum, and stores them for a softmax. */
static IrValue powers_emit(const Softmax *softmax, IrValue index, int count, IrValue largest,
                           IrValue sum) {
    Ir *ir = softmax->emitter->ir;
    int lanes = softmax->emitter->lanes;
    IrValue x = slice_load(softmax, index, count);
    IrValue power = power_of(softmax, x, largest);
    if (!is_logarithm(softmax))
        ir_store_part(ir, ir_at(ir, softmax->output, index), power, lanes, count);
    return ir_fadd(ir, sum, power);
}

static void along_emit(const Softmax *softmax) {
    Ir *ir = softmax->emitter->ir;
    int lanes = softmax->emitter->lanes;
    int64_t whole = softmax->extent / lanes * lanes;
    int rest = (int)(softmax->extent - whole);
    IrValue zero = ir_i64(ir, 0), last = ir_i64(ir, whole);
    IrValue end = softmax->seen ? ir_min(ir, last, softmax->seen) : last;
    IrValue largest = ir_f32_vector(ir, -INFINITY, lanes), sum = ir_f32_vector(ir, 0, lanes);

    IrLoop loop = ir_loop_begin(ir, zero, end, lanes, &largest, 1);
    IrValue x = slice_load(softmax, loop.index, lanes);
    largest = ir_fmax(ir, x, largest);
    ir_loop_end(ir, &loop);
    if (rest > 0) {
        x = slice_load(softmax, last, rest);
        largest = ir_fmax(ir, x, largest);
    }
    largest = ir_splat(ir, ir_reduce_max(ir, largest, lanes), lanes);

    loop = ir_loop_begin(ir, zero, end, lanes, &sum, 1);
    sum = powers_emit(softmax, loop.index, lanes, largest, sum);
    ir_loop_end(ir, &loop);
    if (rest > 0)
        sum = powers_emit(softmax, last, rest, largest, sum);
    sum = ir_splat(ir, ir_reduce_add(ir, sum, lanes), lanes);

    IrValue denominator = is_logarithm(softmax) ? math_log(ir, sum, lanes) : sum;
    loop = ir_loop_begin(ir, zero, end, lanes, NULL, 0);
    result_emit(softmax, loop.index, lanes, largest, denominator);
    ir_loop_end(ir, &loop);
    if (rest > 0)
        result_emit(softmax, last, rest, largest, denominator);
}

/* ---- the whole tensor ---------------------------------------------------------------------- */

void softmax_emit(const Emitter *emitter) {
    const Shape *shape = &emitter->step->output_value->type.shape;
    Ir *ir = emitter->ir;
    int axis = emitter->step->softmax.axis;
    int64_t outer = 1, inner = 1, extent = shape->dims[axis];
    for (int k = 0; k < axis; k++)
        outer *= shape->dims[k];
    for (int k = axis + 1; k < shape->rank; k++)
        inner *= shape->dims[k];

    Portion portion = portion_of(emitter, outer);
    IrLoop loop = ir_loop_begin(ir, portion.begin, portion.end, 1, NULL, 0);
    IrValue first = ir_mul_const(ir, loop.index, extent * inner);
    Softmax softmax = {.emitter = emitter,
                       .extent = extent,
                       .stride = inner,
                       .input = ir_at(ir, emitter_input(emitter, 0), first),
                       .output = ir_at(ir, emitter_output(emitter), first)};
    if (emitter->step->softmax.causal)
        softmax.seen = ir_add_const(ir, ir_rem_const(ir, loop.index, shape->dims[axis - 1]), 1);
    if (inner > 1)
        across_emit(&softmax, inner);
    else
        along_emit(&softmax);
    ir_loop_end(ir, &loop);
}
