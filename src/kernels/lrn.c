/* Local response normalisation across channels: each number is divided by a power of what its
 * channel and the neighbouring ones hold at its place. Lanes lie along the places; a sum of squares
 * is made anew for each channel, for one that slides would keep the rounding errors of all before
 * it. */
#include "kernels/epilogue.h"
#include "kernels/math.h"

/* The places that the code in the making works on, of all channels. */
typedef struct Places {
    const Emitter *emitter;
    int64_t stride; /* from a channel to the next */
    IrValue first;  /* index of the first place in channel 0 */
    int count;      /* lanes that exist */
} Places;

static IrValue constant(const Places *places, double value) {
    return ir_f32_vector(places->emitter->ir, value, places->emitter->lanes);
}

static IrValue index_in(const Places *places, IrValue channel) {
    Ir *ir = places->emitter->ir;
    return ir_add(ir, places->first, ir_mul_const(ir, channel, places->stride));
}

static IrValue channel_load(const Places *places, IrValue channel) {
    const Emitter *emitter = places->emitter;
    IrValue pointer = ir_at(emitter->ir, emitter_input(emitter, 0), index_in(places, channel));
    return ir_load_part(emitter->ir, pointer, emitter->lanes, places->count);
}

static void channel_emit(const Places *places, IrValue channel, int64_t channels) {
    const Emitter *emitter = places->emitter;
    const ResponseNorm *norm = &emitter->step->response;
    Ir *ir = emitter->ir;
    IrValue sum = constant(places, 0);
    IrValue begin = ir_max(ir, ir_add_const(ir, channel, -norm->before), ir_i64(ir, 0));
    IrValue end = ir_min(ir, ir_add_const(ir, channel, norm->after + 1), ir_i64(ir, channels));
    IrLoop loop = ir_loop_begin(ir, begin, end, 1, &sum, 1);
    IrValue x = channel_load(places, loop.index);
    sum = ir_fma(ir, x, x, sum);
    ir_loop_end(ir, &loop);
    IrValue base = ir_fma(ir, sum, constant(places, norm->factor), constant(places, norm->offset));
    IrValue power = math_power(ir, base, -norm->exponent, emitter->lanes);
    IrValue y = ir_fmul(ir, channel_load(places, channel), power);
    Spot spot = spot_in_order(emitter, index_in(places, channel));
    spot_finish(emitter, &spot, y, places->count);
}

static void places_emit(const Places *places, int64_t channels) {
    Ir *ir = places->emitter->ir;
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, channels), 1, NULL, 0);
    channel_emit(places, loop.index, channels);
    ir_loop_end(ir, &loop);
}

void lrn_emit(const Emitter *emitter) {
    const Shape *shape = &emitter->step->input_values[0]->type.shape;
    Ir *ir = emitter->ir;
    int64_t channels = shape->dims[0], count = shape_elements(shape) / channels;
    int64_t whole = count / emitter->lanes * emitter->lanes;
    Places places = {.emitter = emitter, .stride = count, .count = emitter->lanes};
    Portion portion = portion_by(emitter, count, emitter->lanes);
    if (whole > 0) {
        IrLoop loop = portion_whole_begin(ir, &portion, whole, emitter->lanes);
        places.first = loop.index;
        places_emit(&places, channels);
        ir_loop_end(ir, &loop);
    }
    if (whole < count) {
        IrLoop loop = portion_rest_begin(ir, &portion, whole, emitter->lanes);
        places.first = ir_i64(ir, whole);
        places.count = (int)(count - whole);
        places_emit(&places, channels);
        ir_loop_end(ir, &loop);
    }
}
