/* Epilogues. */
#include "kernels/epilogue.h"

#include <assert.h>

#include "kernels/operation.h"
#include "kernels/prefetch.h"

/* ---- spots --------------------------------------------------------------------------------- */

/* Calls `place` for each pointer of a spot with the view it points into. */
typedef IrValue (*Placement)(const Emitter *emitter, const View *view, IrValue base,
                             const void *context);

static void spot_place(const Emitter *emitter, Spot *spot, Placement place, const void *context) {
    const Step *step = emitter->step;
    spot->output = place(emitter, &step->output, spot->output, context);
    for (int i = 0; i < step->input_count; i++)
        if (spot->operands[i])
            spot->operands[i] = place(emitter, &step->inputs[i], spot->operands[i], context);
}

/* Element (0, 0, 0). */
static Spot spot_origin(const Emitter *emitter) {
    const Step *step = emitter->step;
    Spot spot = {.output = emitter_output(emitter), .lane_axis = AXIS_CHANNEL};
    for (size_t i = 0; i < step->epilogue.count; i++) {
        const MapStage *stage = &step->epilogue.data[i];
        if (stage->kind == OPERAND_ELEMENT)
            spot.operands[stage->operand] = emitter_input(emitter, stage->operand);
    }
    return spot;
}

typedef struct Coordinates {
    IrValue channel, row, column;
} Coordinates;

static IrValue place_at(const Emitter *emitter, const View *view, IrValue base,
                        const void *context) {
    const Coordinates *at = context;
    IrValue channel = view_channel_index(emitter->ir, view, at->channel);
    IrValue pixel = view_pixel_index(emitter->ir, view, at->row, at->column);
    return view_at(emitter->ir, view, base, ir_add(emitter->ir, channel, pixel));
}

Spot spot_at(const Emitter *emitter, IrValue channel, IrValue row, IrValue column) {
    Spot spot = spot_origin(emitter);
    spot.channel = channel;
    spot_place(emitter, &spot, place_at, &(Coordinates){channel, row, column});
    return spot;
}

static IrValue place_in_nest(const Emitter *emitter, const View *view, IrValue base,
                             const void *context) {
    return view_at(emitter->ir, view, base, nest_index(emitter->ir, context, view));
}

Spot spot_in_nest(const Emitter *emitter, const NestWalk *walk) {
    const View *output = &emitter->step->output;
    const Nest *nest = walk->nest;
    Spot spot = spot_origin(emitter);
    spot.channel = ir_mul_const(emitter->ir, nest_channel(emitter->ir, walk), output->block);
    spot.lane_axis = output->block > 1 ? AXIS_CHANNEL : nest->loops[nest->count - 1].axis;
    spot_place(emitter, &spot, place_in_nest, walk);
    return spot;
}

static IrValue place_in_order(const Emitter *emitter, const View *view, IrValue base,
                              const void *element) {
    assert(view->block == 1 && view->row_stride == view->width &&
           view->block_stride == view->height * view->width);
    return view_at(emitter->ir, view, base, *(const IrValue *)element);
}

Spot spot_in_order(const Emitter *emitter, IrValue element) {
    Spot spot = spot_origin(emitter);
    spot.channel = NULL; /* unknown: see step_needs_channel */
    spot.lane_axis = AXIS_COLUMN;
    assert(!step_needs_channel(emitter->step));
    spot_place(emitter, &spot, place_in_order, &element);
    return spot;
}

typedef struct Movement {
    int64_t channels, rows, columns;
} Movement;

static IrValue place_moved(const Emitter *emitter, const View *view, IrValue base,
                           const void *context) {
    const Movement *by = context;
    int64_t offset =
        view_channel_offset(view, by->channels) + view_pixel_offset(view, by->rows, by->columns);
    return view_at_const(emitter->ir, view, base, offset);
}

Spot spot_moved(const Emitter *emitter, const Spot *spot, int64_t channels, int64_t rows,
                int64_t columns) {
    assert(channels % emitter->lanes == 0);
    Spot moved = *spot;
    moved.channel = ir_add_const(emitter->ir, spot->channel, channels);
    spot_place(emitter, &moved, place_moved, &(Movement){channels, rows, columns});
    return moved;
}

static IrValue place_of_sample(const Emitter *emitter, const View *view, IrValue base,
                               const void *sample) {
    int64_t stride = view->buffer->sample_stride;
    return view_at(emitter->ir, view, base,
                   ir_mul_const(emitter->ir, *(const IrValue *)sample, stride));
}

Spot spot_of_sample(const Emitter *emitter, const Spot *spot, IrValue sample) {
    Spot moved = *spot;
    moved.sample = sample;
    spot_place(emitter, &moved, place_of_sample, &sample);
    return moved;
}

typedef struct Advance {
    Axis axis;
    IrValue lanes;
} Advance;

static IrValue place_advanced(const Emitter *emitter, const View *view, IrValue base,
                              const void *context) {
    const Advance *by = context;
    int64_t stride = view_lane_stride(view, by->axis);
    return view_at(emitter->ir, view, base, ir_mul_const(emitter->ir, by->lanes, stride));
}

Spot spot_advanced(const Emitter *emitter, const Spot *spot, IrValue lanes) {
    Spot advanced = *spot;
    if (spot->lane_axis == AXIS_CHANNEL)
        advanced.channel = ir_add(emitter->ir, spot->channel, lanes);
    spot_place(emitter, &advanced, place_advanced, &(Advance){spot->lane_axis, lanes});
    return advanced;
}

/* ---- stages -------------------------------------------------------------------------------- */

/* The lanes of an input at the spot. A blocked operand has all lanes of its last block. */
static IrValue element_load(const Emitter *emitter, const Spot *spot, int operand, int count) {
    const View *view = &emitter->step->inputs[operand];
    bool whole = view->block > 1 && spot->lane_axis == AXIS_CHANNEL;
    return view_load(emitter->ir, view, spot->operands[operand], emitter->lanes,
                     whole ? emitter->lanes : count, view_lane_stride(view, spot->lane_axis));
}

/* A number for each lane from a vector by channel, which is padded to whole vectors. */
static IrValue vector_load(const Emitter *emitter, const Spot *spot, IrValue numbers) {
    Ir *ir = emitter->ir;
    IrValue pointer = ir_at(ir, numbers, spot->channel);
    if (spot->lane_axis == AXIS_CHANNEL)
        return ir_load(ir, pointer, emitter->lanes);
    return ir_splat(ir, ir_load(ir, pointer, 1), emitter->lanes);
}

/* A number for each lane from an input that has one for each channel. */
static IrValue channel_load(const Emitter *emitter, const Spot *spot, int operand, int count) {
    const View *view = &emitter->step->inputs[operand];
    Ir *ir = emitter->ir;
    IrValue index = view_channel_index(ir, view, spot->channel);
    IrValue base = emitter_input(emitter, operand);
    if (spot->sample)
        base = place_of_sample(emitter, view, base, &spot->sample);
    IrValue pointer = view_at(ir, view, base, index);
    if (spot->lane_axis != AXIS_CHANNEL)
        return ir_splat(ir, view_load(ir, view, pointer, 1, 1, 1), emitter->lanes);
    return view_load(ir, view, pointer, emitter->lanes, view->block > 1 ? emitter->lanes : count,
                     view_lane_stride(view, AXIS_CHANNEL));
}

/* The same of constants. */
static IrValue numbers_load(const Emitter *emitter, const Spot *spot, const MapStage *stage) {
    int64_t channels = emitter->step->output.channels;
    int64_t padded = divide_up(channels, emitter->lanes) * emitter->lanes;
    return vector_load(emitter, spot, ir_f32_table(emitter->ir, stage->numbers, channels, padded));
}

/* x through one stage; `vector` counts the packed vectors of the stages before it. */
static IrValue stage_apply(const Emitter *emitter, const Spot *spot, const MapStage *stage,
                           int vector, IrValue x, int count) {
    Ir *ir = emitter->ir;
    IrValue y = NULL;
    if (stage->op == MAP_AFFINE)
        return ir_fma(ir, x, vector_load(emitter, spot, emitter_vector(emitter, vector)),
                      vector_load(emitter, spot, emitter_vector(emitter, vector + 1)));
    switch (stage->kind) {
    case OPERAND_NONE: break;
    case OPERAND_NUMBER: y = ir_f32_vector(ir, stage->constants[0], emitter->lanes); break;
    case OPERAND_NUMBERS: y = numbers_load(emitter, spot, stage); break;
    case OPERAND_ELEMENT: y = element_load(emitter, spot, stage->operand, count); break;
    case OPERAND_CHANNEL: y = channel_load(emitter, spot, stage->operand, count); break;
    case OPERAND_WEIGHT: y = vector_load(emitter, spot, emitter_vector(emitter, vector)); break;
    }
    return operation_emit(ir, stage, x, y, emitter->lanes);
}

void spot_finish(const Emitter *emitter, const Spot *spot, IrValue value, int count) {
    const Step *step = emitter->step;
    int vector = 0;
    for (size_t i = 0; i < step->epilogue.count; i++) {
        const MapStage *stage = &step->epilogue.data[i];
        value = stage_apply(emitter, spot, stage, vector, value, count);
        vector += stage_vectors(stage);
    }
    bool whole = step->output.block > 1 && spot->lane_axis == AXIS_CHANNEL;
    ir_store_strided(emitter->ir, spot->output, value, emitter->lanes,
                     whole ? emitter->lanes : count,
                     view_lane_stride(&step->output, spot->lane_axis));
}

/* ---- tiles --------------------------------------------------------------------------------- */

/* Machines with fewer have no room for the constants of an elementary function beside a tile. */
#define ROOMY_REGISTERS 32
/* So few sums are finished in registers all the same. */
#define FEW_SUMS 2

/* Whether the sums of a tile are finished one after the other, in a loop. In a straight run LLVM
 * computes an elementary function of all of them at once, a step at a time, and for want of
 * registers moves them to memory and back between the steps. Measured on tiles of several vectors,
 * it does not. */
static bool goes_one_by_one(const Emitter *emitter, int sums, int vectors) {
    const Step *step = emitter->step;
    bool elementary = false;
    for (size_t i = 0; i < step->epilogue.count; i++)
        elementary = elementary || map_op_is_elementary(step->epilogue.data[i].op);
    return elementary && vectors == 1 && sums > FEW_SUMS &&
           emitter->machine->registers < ROOMY_REGISTERS;
}

/* By way of memory, in which the loop can count. */
static void finish_one_by_one(const Emitter *emitter, IrValue channel, IrValue row, IrValue column,
                              const IrValue *sums, int rows, int columns) {
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes, count = rows * columns;
    IrValue memory = ir_stack(ir, (int64_t)count * lanes);
    for (int k = 0; k < count; k++)
        ir_store(ir, ir_at_const(ir, memory, (int64_t)k * lanes), sums[k], lanes);
    IrLoop down = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, rows), 1, NULL, 0);
    IrLoop across = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, columns), 1, NULL, 0);
    IrValue pixel = ir_add(ir, ir_mul_const(ir, down.index, columns), across.index);
    IrValue sum = ir_load(ir, ir_at(ir, memory, ir_mul_const(ir, pixel, lanes)), lanes);
    Spot spot =
        spot_at(emitter, channel, ir_add(ir, row, down.index), ir_add(ir, column, across.index));
    spot_finish(emitter, &spot, sum, lanes);
    ir_loop_end(ir, &across);
    ir_loop_end(ir, &down);
}

/* Asks for the pixels of a tile in one input, of which `corner` is the first. */
static void operand_prefetch(const Emitter *emitter, const View *view, IrValue corner, int rows,
                             int columns, int vectors) {
    for (int v = 0; v < vectors; v++) {
        int64_t channel = view_channel_offset(view, (int64_t)v * emitter->lanes);
        for (int r = 0; r < rows; r++)
            prefetch_lines(emitter, corner, channel + view_pixel_offset(view, r, 0),
                           columns * view->pixel_stride);
    }
}

void tile_prefetch(const Emitter *emitter, IrValue channel, IrValue row, IrValue column, int rows,
                   int columns, int vectors) {
    if (!emitter->machine->prefetch_operands)
        return;
    Spot corner = spot_at(emitter, channel, row, column);
    for (int i = 0; i < emitter->step->input_count; i++) {
        const View *view = &emitter->step->inputs[i];
        if (corner.operands[i] && view->block > 1 && view_is_far(emitter, view))
            operand_prefetch(emitter, view, corner.operands[i], rows, columns, vectors);
    }
}

void tile_finish(const Emitter *emitter, IrValue channel, IrValue row, IrValue column,
                 const IrValue *sums, int rows, int columns, int vectors) {
    if (goes_one_by_one(emitter, rows * columns, vectors)) {
        finish_one_by_one(emitter, channel, row, column, sums, rows, columns);
        return;
    }
    Spot corner = spot_at(emitter, channel, row, column);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            for (int v = 0; v < vectors; v++) {
                Spot spot = spot_moved(emitter, &corner, (int64_t)v * emitter->lanes, r, c);
                spot_finish(emitter, &spot, *sums++, emitter->lanes);
            }
}
