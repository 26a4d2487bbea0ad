/* Images at another size, vectors along the channels, in blocked views.
 *
 * Where an output place lies in the input is a fraction of whole numbers, worked out as one: its
 * floor and remainder are exact, and so is the choice of neighbours. */
#include <assert.h>

#include "kernels/epilogue.h"

/* Where an output place lies along one axis: between `low` and `high`, which is weighted by
 * `weight` and `low` by `rest`. */
typedef struct Between {
    IrValue low, high;    /* places */
    IrValue weight, rest; /* vectors that add up to 1; NULL: low alone */
} Between;

static const Resize *resize_of(const Emitter *emitter) {
    return &emitter->step->resize;
}

/* numerator / denominator, both whole. */
static Between between_fraction(const Emitter *emitter, IrValue numerator, int64_t denominator,
                                int64_t extent) {
    Ir *ir = emitter->ir;
    IrValue low = ir_div_const(ir, numerator, denominator);
    IrValue remainder = ir_i32_to_f32(ir, ir_rem_const(ir, numerator, denominator));
    IrValue weight = ir_fdiv(ir, remainder, ir_f32(ir, (double)denominator));
    IrValue rest = ir_fsub(ir, ir_f32(ir, 1), weight);
    return (Between){.low = low,
                     .high = ir_min(ir, ir_add_const(ir, low, 1), ir_i64(ir, extent - 1)),
                     .weight = ir_splat(ir, weight, emitter->lanes),
                     .rest = ir_splat(ir, rest, emitter->lanes)};
}

/* See Resize for the formulas. */
static Between between_places(const Emitter *emitter, int axis, IrValue index) {
    const Resize *resize = resize_of(emitter);
    Ir *ir = emitter->ir;
    int64_t from = resize->input[axis], to = resize->output[axis];
    if (from == to)
        return (Between){.low = index};
    if (!resize->linear)
        return (Between){.low = ir_div_const(ir, ir_mul_const(ir, index, from), to)};
    if (!resize->corners) {
        IrValue middle = ir_add_const(ir, ir_mul_const(ir, index, 2 * from), from - to);
        return between_fraction(emitter, ir_max(ir, middle, ir_i64(ir, 0)), 2 * to, from);
    }
    if (to == 1)
        return (Between){.low = ir_i64(ir, 0)};
    return between_fraction(emitter, ir_mul_const(ir, index, from - 1), to - 1, from);
}

/* The pixel between `places` along `axis` and those after it, of an image whose places along each
 * axis are strides[axis] floats apart. */
static IrValue pixel_between(const Emitter *emitter, const Between *places, const int64_t *strides,
                             int axis, IrValue image) {
    Ir *ir = emitter->ir;
    if (axis == resize_of(emitter)->axes)
        return ir_load(ir, image, emitter->lanes);
    const Between *between = &places[axis];
    IrValue at = ir_at(ir, image, ir_mul_const(ir, between->low, strides[axis]));
    IrValue low = pixel_between(emitter, places, strides, axis + 1, at);
    if (!between->weight)
        return low;
    at = ir_at(ir, image, ir_mul_const(ir, between->high, strides[axis]));
    IrValue high = pixel_between(emitter, places, strides, axis + 1, at);
    return ir_fma(ir, high, between->weight, ir_fmul(ir, low, between->rest));
}

/* Places of a row of the output along all axes but the last. */
static void row_places(const Emitter *emitter, IrValue row, Between *places) {
    const Resize *resize = resize_of(emitter);
    for (int axis = resize->axes - 2; axis >= 0; axis--) {
        int64_t extent = resize->output[axis];
        IrValue index = axis > 0 ? ir_rem_const(emitter->ir, row, extent) : row;
        places[axis] = between_places(emitter, axis, index);
        if (axis > 0)
            row = ir_div_const(emitter->ir, row, extent);
    }
}

static void row_emit(const Emitter *emitter, IrValue channel, IrValue image, IrValue row) {
    const Step *step = emitter->step;
    const Resize *resize = &step->resize;
    Ir *ir = emitter->ir;
    int last = resize->axes - 1;
    int64_t strides[MAX_SPATIAL];
    strides[last] = step->inputs[0].pixel_stride;
    for (int axis = last - 1; axis >= 0; axis--)
        strides[axis] = axis == last - 1 ? step->inputs[0].row_stride
                                         : strides[axis + 1] * resize->input[axis + 1];
    Between places[MAX_SPATIAL];
    row_places(emitter, row, places);
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, step->output.width), 1, NULL, 0);
    places[last] = between_places(emitter, last, loop.index);
    IrValue pixel = pixel_between(emitter, places, strides, 0, image);
    Spot spot = spot_at(emitter, channel, row, loop.index);
    spot_finish(emitter, &spot, pixel, emitter->lanes);
    ir_loop_end(ir, &loop);
}

void resize_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    assert(step->resize.axes >= 1 && step->resize.axes <= MAX_SPATIAL);
    int64_t count = divide_up(step->output.channels, emitter->lanes);
    IrLoop blocks = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, count), 1, NULL, 0);
    IrValue channel = ir_mul_const(ir, blocks.index, emitter->lanes);
    IrValue image = ir_at(ir, emitter_input(emitter, 0),
                          ir_mul_const(ir, blocks.index, step->inputs[0].block_stride));
    Portion portion = portion_rows(emitter, channel, 1);
    IrLoop rows = ir_loop_begin(ir, portion.begin, portion.end, 1, NULL, 0);
    row_emit(emitter, channel, image, rows.index);
    ir_loop_end(ir, &rows);
    ir_loop_end(ir, &blocks);
}
