/* Parameters, addresses and loop nests of kernels. */
#include "kernels/emitter.h"

#include <assert.h>

/* ---- parameters ---------------------------------------------------------------------------- */

IrValue emitter_input(const Emitter *emitter, int index) {
    assert(index < emitter->step->input_count);
    return ir_parameter(emitter->ir, index);
}

IrValue emitter_output(const Emitter *emitter) {
    return ir_parameter(emitter->ir, emitter->step->input_count);
}

IrValue emitter_scratch(const Emitter *emitter) {
    assert(emitter->step->scratch);
    return ir_parameter(emitter->ir, emitter->step->input_count + 1);
}

static int first_packed(const Step *step) {
    return step->input_count + 1 + (step->scratch ? 1 : 0);
}

IrValue emitter_weights(const Emitter *emitter) {
    assert(emitter->step->weights);
    return ir_parameter(emitter->ir, first_packed(emitter->step));
}

IrValue emitter_bias(const Emitter *emitter) {
    if (!emitter->step->bias)
        return NULL;
    return ir_parameter(emitter->ir, first_packed(emitter->step) + 1);
}

IrValue emitter_vector(const Emitter *emitter, int index) {
    const Step *step = emitter->step;
    int first = first_packed(step) + (step->weights ? 1 : 0) + (step->bias ? 1 : 0);
    return ir_parameter(emitter->ir, first + index);
}

/* ---- addresses ----------------------------------------------------------------------------- */

int64_t view_extent(const View *view, Axis axis) {
    switch (axis) {
    case AXIS_CHANNEL: return divide_up(view->channels, view->block);
    case AXIS_ROW: return view->height;
    case AXIS_COLUMN: return view->width;
    }
    assert(0 && "no such axis");
    return 0;
}

int64_t view_stride(const View *view, Axis axis) {
    switch (axis) {
    case AXIS_CHANNEL: return view->block_stride;
    case AXIS_ROW: return view->row_stride;
    case AXIS_COLUMN: return view->pixel_stride;
    }
    assert(0 && "no such axis");
    return 0;
}

int64_t view_lane_stride(const View *view, Axis axis) {
    return axis == AXIS_CHANNEL && view->block > 1 ? 1 : view_stride(view, axis);
}

IrValue view_channel_index(Ir *ir, const View *view, IrValue channel) {
    if (view->block == 1)
        return ir_mul_const(ir, channel, view->block_stride);
    IrValue block = ir_div_const(ir, channel, view->block);
    IrValue within = ir_rem_const(ir, channel, view->block);
    return ir_add(ir, ir_mul_const(ir, block, view->block_stride), within);
}

int64_t view_channel_offset(const View *view, int64_t channel) {
    return channel / view->block * view->block_stride + channel % view->block;
}

IrValue view_pixel_index(Ir *ir, const View *view, IrValue row, IrValue column) {
    return ir_add(ir, ir_mul_const(ir, row, view->row_stride),
                  ir_mul_const(ir, column, view->pixel_stride));
}

int64_t view_pixel_offset(const View *view, int64_t row, int64_t column) {
    return row * view->row_stride + column * view->pixel_stride;
}

/* ---- elements ------------------------------------------------------------------------------ */

IrValue view_at(Ir *ir, const View *view, IrValue base, IrValue index) {
    return view_is_bytes(view) ? ir_byte_at(ir, base, index) : ir_at(ir, base, index);
}

IrValue view_at_const(Ir *ir, const View *view, IrValue base, int64_t index) {
    return index == 0 ? base : view_at(ir, view, base, ir_i64(ir, index));
}

IrValue view_load(Ir *ir, const View *view, IrValue pointer, int lanes, int count, int64_t stride) {
    return view_is_bytes(view) ? ir_load_bytes(ir, pointer, lanes, count, stride)
                               : ir_load_strided(ir, pointer, lanes, count, stride);
}

/* ---- parts --------------------------------------------------------------------------------- */

static bool is_shared(const Emitter *emitter) {
    return emitter->step->parts > 1;
}

/* count * part / parts */
static IrValue share_begin(const Emitter *emitter, int64_t count, IrValue part) {
    Ir *ir = emitter->ir;
    return ir_div_const(ir, ir_mul_const(ir, part, count), emitter->step->parts);
}

Portion portion_of(const Emitter *emitter, int64_t count) {
    Ir *ir = emitter->ir;
    if (!is_shared(emitter))
        return (Portion){ir_i64(ir, 0), ir_i64(ir, count)};
    IrValue next = ir_add_const(ir, emitter->part, 1);
    return (Portion){share_begin(emitter, count, emitter->part), share_begin(emitter, count, next)};
}

Portion portion_by(const Emitter *emitter, int64_t count, int64_t step) {
    Ir *ir = emitter->ir;
    Portion turns = portion_of(emitter, divide_up(count, step));
    return (Portion){ir_mul_const(ir, turns.begin, step),
                     ir_min(ir, ir_mul_const(ir, turns.end, step), ir_i64(ir, count))};
}

/* The first turn that begins at or after unit `unit`: 0 to `count`. */
static IrValue turn_from(Ir *ir, IrValue unit, IrValue start, int64_t weight, int64_t count) {
    IrValue distance = ir_max(ir, ir_sub(ir, unit, start), ir_i64(ir, 0));
    IrValue turn = ir_div_const(ir, ir_add_const(ir, distance, weight - 1), weight);
    return ir_min(ir, turn, ir_i64(ir, count));
}

Portion portion_inside(const Emitter *emitter, const Portion *work, IrValue start, int64_t weight,
                       int64_t count) {
    Ir *ir = emitter->ir;
    if (!is_shared(emitter) && !step_takes_rows(emitter->step))
        return (Portion){ir_i64(ir, 0), ir_i64(ir, count)};
    return (Portion){turn_from(ir, work->begin, start, weight, count),
                     turn_from(ir, work->end, start, weight, count)};
}

Portion portion_rows(const Emitter *emitter, IrValue channel, int64_t vectors) {
    const View *output = &emitter->step->output;
    Ir *ir = emitter->ir;
    if (step_takes_rows(emitter->step))
        return (Portion){emitter->rows[0], emitter->rows[1]};
    if (!is_shared(emitter) || emitter->step->split == SPLIT_ROWS)
        return portion_of(emitter, output->height);
    int64_t all = divide_up(output->channels, emitter->lanes);
    Portion work = portion_of(emitter, all * output->height);
    IrValue start = ir_mul_const(ir, ir_div_const(ir, channel, emitter->lanes), output->height);
    return portion_inside(emitter, &work, start, vectors, output->height);
}

IrLoop portion_whole_begin(Ir *ir, const Portion *portion, int64_t whole, int64_t step) {
    return ir_loop_begin(ir, portion->begin, ir_min(ir, portion->end, ir_i64(ir, whole)), step,
                         NULL, 0);
}

IrLoop portion_rest_begin(Ir *ir, const Portion *portion, int64_t whole, int64_t step) {
    return ir_loop_begin(ir, ir_max(ir, portion->begin, ir_i64(ir, whole)), portion->end, step,
                         NULL, 0);
}

/* ---- loops --------------------------------------------------------------------------------- */

/* Does `outer` go on where a whole run of `count` along `inner` ends, in every view? */
static bool joins(const View *const *views, int view_count, Axis outer, Axis inner, int64_t count) {
    for (int i = 0; i < view_count; i++)
        if (view_stride(views[i], outer) != count * view_stride(views[i], inner))
            return false;
    return true;
}

Nest nest_over(const View *const *views, int view_count, bool keep_channels) {
    NestLoop inward[AXIS_COUNT]; /* innermost first */
    int count = 0;
    for (int k = AXIS_COUNT - 1; k >= 0; k--) {
        Axis axis = (Axis)k;
        int64_t extent = view_extent(views[0], axis);
        if (extent == 1)
            continue;
        NestLoop *inner = count > 0 ? &inward[count - 1] : NULL;
        bool apart = keep_channels && axis == AXIS_CHANNEL;
        if (inner && !apart && joins(views, view_count, axis, inner->axis, inner->count))
            inner->count *= extent;
        else
            inward[count++] = (NestLoop){extent, axis};
    }
    if (count == 0)
        inward[count++] = (NestLoop){1, AXIS_COLUMN};
    Nest nest = {.count = count};
    for (int k = 0; k < count; k++)
        nest.loops[k] = inward[count - 1 - k];
    return nest;
}

NestWalk nest_begin(Ir *ir, const Nest *nest, int depth, const Portion *portion, IrValue *carried,
                    int carried_count) {
    assert(depth <= nest->count);
    NestWalk walk = {.nest = nest, .depth = depth};
    for (int k = 0; k < depth; k++) {
        Portion turns = {ir_i64(ir, 0), ir_i64(ir, nest->loops[k].count)};
        if (k == nest->shared && portion)
            turns = *portion;
        walk.loops[k] = ir_loop_begin(ir, turns.begin, turns.end, 1, carried, carried_count);
    }
    return walk;
}

void nest_end(Ir *ir, NestWalk *walk) {
    for (int k = walk->depth - 1; k >= 0; k--)
        ir_loop_end(ir, &walk->loops[k]);
}

IrValue nest_index(Ir *ir, const NestWalk *walk, const View *view) {
    IrValue index = ir_i64(ir, 0);
    for (int k = 0; k < walk->depth; k++) {
        int64_t stride = view_stride(view, walk->nest->loops[k].axis);
        index = ir_add(ir, index, ir_mul_const(ir, walk->loops[k].index, stride));
    }
    return index;
}

IrValue nest_channel(Ir *ir, const NestWalk *walk) {
    for (int k = 0; k < walk->depth; k++)
        if (walk->nest->loops[k].axis == AXIS_CHANNEL)
            return walk->loops[k].index;
    return ir_i64(ir, 0);
}

/* One row of tiles. */
static void tiles_emit_row(Ir *ir, int64_t width, int columns, IrValue row, int rows,
                           TileEmitter tile, void *context) {
    int64_t whole = width / columns * columns;
    if (whole > 0) {
        IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, whole), columns, NULL, 0);
        tile(context, row, loop.index, rows, columns);
        ir_loop_end(ir, &loop);
    }
    if (whole < width)
        tile(context, row, ir_i64(ir, whole), rows, (int)(width - whole));
}

void tiles_emit(Ir *ir, int64_t height, int64_t width, int rows, int columns,
                const Portion *portion, TileEmitter tile, void *context) {
    assert(rows >= 1 && columns >= 1);
    int64_t whole = height / rows * rows;
    IrValue first = ir_div_const(ir, ir_add_const(ir, portion->begin, rows - 1), rows);
    const Portion tiles = {ir_mul_const(ir, first, rows), portion->end};
    if (whole > 0) {
        IrLoop loop = portion_whole_begin(ir, &tiles, whole, rows);
        tiles_emit_row(ir, width, columns, loop.index, rows, tile, context);
        ir_loop_end(ir, &loop);
    }
    if (whole < height) {
        IrLoop loop = portion_rest_begin(ir, &tiles, whole, rows);
        tiles_emit_row(ir, width, columns, ir_i64(ir, whole), (int)(height - whole), tile, context);
        ir_loop_end(ir, &loop);
    }
}
