/* Convolution of volumes, and transposed convolution of any rank: whatever the planar kernels, with
 * their halo all around and one set of taps for all pixels, do not do.
 *
 * Along each axis an output element has an arithmetic sequence of taps j = 0, 1, ...: tap j is
 * number tap + j * tap_step of the kernel and reads the input at position + j * position_step. Of a
 * convolution it is every tap; of a transposed one, those of its phase: output o reads input i by
 * tap k where
 *     o + pad = i * stride + k * dilation.
 * With g = gcd(stride, dilation), s = stride / g, d = dilation / g this has solutions where g
 * divides o + pad: k runs over the residue class of ((o + pad) / g) / d modulo s, and i falls by d
 * where k grows by s. (Dumoulin, Visin: A guide to convolution arithmetic for deep learning, 2016;
 * in phases: Shi et al., Is the deconvolution layer the same as a convolutional layer?, 2016.)
 *
 * Depth and height are cut to the input by loop bounds, once a row. To the left and right there is
 * a halo, so that the taps of a row of pixels, which all are of one phase, need no test. */
#include <assert.h>

#include "kernels/epilogue.h"
#include "support/checked.h"

#define MAX_SUMS  128
#define MAX_LANES 64

typedef struct General {
    const Emitter *emitter;
    ConvLanes lanes;
    int64_t group_channels; /* Cg */
    int64_t group_filters;  /* Fg */
    int64_t input_height;   /* rows of a slice */
    int64_t output_height;
    int vectors;           /* of filters in a tile */
    IrValue first_filter;  /* i64, of the vectors */
    IrValue first_channel; /* i64, that the first filter reads */
    IrValue weights;       /* pointer to [K][Cg][vectors * V] of the block; MIXED: to all */
    IrValue lane_channel[MAX_LANES]; /* MIXED: i64, first channel of each lane's group */
    IrValue lane_weights[MAX_LANES]; /* MIXED: pointer to [K][Cg] of each lane, Fg apart */
} General;

/* The taps begin <= j < end of an output element along one axis. */
typedef struct Taps {
    IrValue begin, end;
    IrValue tap;
    IrValue position;
    int64_t tap_step;
    int64_t position_step;
} Taps;

/* `columns` pixels of a row, `apart` from each other, and their sums, [columns][vectors]. */
typedef struct Row {
    const General *general;
    IrValue row, column;
    Taps slices, rows, taps;
    int columns;
    int64_t apart;
    IrValue sums[MAX_SUMS];
} Row;

static const Window *window_of(const General *general) {
    return &general->emitter->step->conv.window;
}

/* ---- taps ---------------------------------------------------------------------------------- */

/* x with x * a = 1 modulo m, for a and m without a common divisor. */
static int64_t inverse_modulo(int64_t a, int64_t m) {
    int64_t rest = m, next_rest = a % m, inverse = 0, next_inverse = 1;
    while (next_rest != 0) {
        int64_t quotient = rest / next_rest;
        int64_t later_rest = rest - quotient * next_rest;
        int64_t later_inverse = inverse - quotient * next_inverse;
        rest = next_rest;
        inverse = next_inverse;
        next_rest = later_rest;
        next_inverse = later_inverse;
    }
    return (inverse % m + m) % m;
}

/* (distance + unit - 1) / unit, or 0 if the distance is negative */
static IrValue steps_to(Ir *ir, IrValue distance, int64_t unit) {
    IrValue raised = ir_add_const(ir, distance, unit - 1);
    return ir_div_const(ir, ir_max(ir, raised, ir_i64(ir, 0)), unit);
}

/* i = o * stride - pad + k * dilation */
static Taps taps_forward(Ir *ir, const Window *window, enum WindowAxis axis, IrValue at) {
    IrValue start = ir_mul_const(ir, at, window->stride[axis]);
    return (Taps){.begin = ir_i64(ir, 0),
                  .end = ir_i64(ir, window->kernel[axis]),
                  .tap = ir_i64(ir, 0),
                  .position = ir_add_const(ir, start, -window->pad_begin[axis]),
                  .tap_step = 1,
                  .position_step = window->dilation[axis]};
}

/* The smallest tap k of the phase, and i = ((o + pad) / g - k * d) / s, which is exact. The
 * dividend may be negative, so that s * d is added to it, of which k * d < s * d takes a part. */
static Taps taps_transposed(Ir *ir, const Window *window, enum WindowAxis axis, IrValue at) {
    int64_t divisor = common_divisor(window->stride[axis], window->dilation[axis]);
    int64_t s = window->stride[axis] / divisor, d = window->dilation[axis] / divisor;
    IrValue sum = ir_add_const(ir, at, window->pad_begin[axis]);
    IrValue whole = ir_div_const(ir, sum, divisor);
    IrValue phase = ir_mul_const(ir, ir_rem_const(ir, whole, s), inverse_modulo(d, s));
    Taps taps = {.begin = ir_i64(ir, 0), .tap_step = s, .position_step = -d};
    taps.tap = ir_rem_const(ir, phase, s);
    IrValue scaled = ir_sub(ir, ir_add_const(ir, whole, s * d), ir_mul_const(ir, taps.tap, d));
    taps.position = ir_add_const(ir, ir_div_const(ir, scaled, s), -d);
    taps.end = steps_to(ir, ir_sub(ir, ir_i64(ir, window->kernel[axis]), taps.tap), s);
    if (divisor > 1) {
        IrValue divides = ir_less(ir, ir_rem_const(ir, sum, divisor), ir_i64(ir, 1));
        taps.end = ir_select(ir, divides, taps.end, ir_i64(ir, 0));
    }
    return taps;
}

static Taps taps_of(const General *general, enum WindowAxis axis, IrValue at) {
    const Emitter *emitter = general->emitter;
    bool transposed = emitter->step->conv.transposed;
    return (transposed ? taps_transposed : taps_forward)(emitter->ir, window_of(general), axis, at);
}

/* Those for which 0 <= position + j * position_step < extent. */
static void taps_cut(Ir *ir, Taps *taps, int64_t extent) {
    IrValue behind = ir_add_const(ir, taps->position, 1 - extent); /* 1 - extent ... 0: inside */
    if (taps->position_step > 0) {
        IrValue before = ir_sub(ir, ir_i64(ir, 0), taps->position);
        IrValue ahead = ir_sub(ir, ir_i64(ir, 1), behind);
        taps->begin = steps_to(ir, before, taps->position_step);
        taps->end = ir_min(ir, taps->end, steps_to(ir, ahead, taps->position_step));
    } else {
        IrValue from_start = ir_add_const(ir, taps->position, 1);
        taps->begin = steps_to(ir, behind, -taps->position_step);
        taps->end = ir_min(ir, taps->end, steps_to(ir, from_start, -taps->position_step));
    }
}

/* Number in the kernel, and position in the input, of tap j. */
static IrValue tap_number(Ir *ir, const Taps *taps, IrValue j) {
    return ir_add(ir, taps->tap, ir_mul_const(ir, j, taps->tap_step));
}

static IrValue tap_position(Ir *ir, const Taps *taps, IrValue j) {
    return ir_add(ir, taps->position, ir_mul_const(ir, j, taps->position_step));
}

/* ---- operands ------------------------------------------------------------------------------ */

/* Lane f belongs to group f / Fg; lanes past the last filter do as the last one does. */
static void lanes_point(General *general) {
    const Emitter *emitter = general->emitter;
    Ir *ir = emitter->ir;
    IrValue last = ir_i64(ir, emitter->step->output.channels - 1);
    int64_t filter_weights = emitter->step->weights->floats / emitter->step->output.channels;
    assert(emitter->lanes <= MAX_LANES);
    for (int lane = 0; lane < emitter->lanes; lane++) {
        IrValue filter = ir_min(ir, ir_add_const(ir, general->first_filter, lane), last);
        IrValue group = ir_div_const(ir, filter, general->group_filters);
        IrValue within = ir_rem_const(ir, filter, general->group_filters);
        IrValue start = ir_mul_const(ir, group, filter_weights * general->group_filters);
        general->lane_channel[lane] = ir_mul_const(ir, group, general->group_channels);
        general->lane_weights[lane] = ir_at(ir, general->weights, ir_add(ir, start, within));
    }
}

/* One number for each lane: that of channel `channel` of its group, at `pixel` floats. */
static IrValue numbers_load(const General *general, IrValue channel, IrValue pixel) {
    const Emitter *emitter = general->emitter;
    const View *view = &emitter->step->inputs[0];
    Ir *ir = emitter->ir;
    IrValue from = ir_at(ir, emitter_input(emitter, 0), pixel);
    if (general->lanes != CONV_LANES_MIXED) {
        IrValue first = view_channel_index(ir, view, ir_add(ir, general->first_channel, channel));
        from = ir_at(ir, from, first);
        return general->lanes == CONV_LANES_OWN
                   ? ir_load(ir, from, emitter->lanes)
                   : ir_splat(ir, ir_load(ir, from, 1), emitter->lanes);
    }
    IrValue numbers = ir_f32_vector(ir, 0, emitter->lanes);
    for (int lane = 0; lane < emitter->lanes; lane++) {
        IrValue at = view_channel_index(ir, view, ir_add(ir, general->lane_channel[lane], channel));
        numbers = ir_insert(ir, numbers, ir_load(ir, ir_at(ir, from, at), 1), lane);
    }
    return numbers;
}

/* The weights of vector `vector` of filters for tap * Cg + channel. */
static IrValue weights_load(const General *general, IrValue tap_channel, int64_t vector) {
    const Emitter *emitter = general->emitter;
    Ir *ir = emitter->ir;
    if (general->lanes != CONV_LANES_MIXED) {
        int64_t width = (int64_t)general->vectors * emitter->lanes;
        IrValue at = ir_at(ir, general->weights, ir_mul_const(ir, tap_channel, width));
        return ir_load(ir, ir_at_const(ir, at, vector * emitter->lanes), emitter->lanes);
    }
    IrValue weights = ir_f32_vector(ir, 0, emitter->lanes);
    IrValue index = ir_mul_const(ir, tap_channel, general->group_filters);
    for (int lane = 0; lane < emitter->lanes; lane++) {
        IrValue weight = ir_load(ir, ir_at(ir, general->lane_weights[lane], index), 1);
        weights = ir_insert(ir, weights, weight, lane);
    }
    return weights;
}

/* ---- a row of pixels ----------------------------------------------------------------------- */

/* Adds one channel of one tap: `pixel` is what the first pixel reads, in floats from where the
 * channel begins. */
static void channel_emit(Row *row, IrValue tap_channel, IrValue channel, IrValue pixel) {
    const General *general = row->general;
    const Step *step = general->emitter->step;
    Ir *ir = general->emitter->ir;
    int vectors = general->vectors;
    int64_t stride = step->conv.transposed ? 1 : step->conv.window.stride[WINDOW_WIDTH];
    IrValue weights[MAX_SUMS];
    for (int v = 0; v < vectors; v++)
        weights[v] = weights_load(general, tap_channel, v);
    for (int c = 0; c < row->columns; c++) {
        int64_t offset = c * stride * step->inputs[0].pixel_stride;
        IrValue numbers = numbers_load(general, channel, ir_add_const(ir, pixel, offset));
        for (int v = 0; v < vectors; v++) {
            IrValue *sum = &row->sums[c * vectors + v];
            *sum = ir_fma(ir, weights[v], numbers, *sum);
        }
    }
}

/* Adds all channels of tap number `tap`. */
static void tap_emit(Row *row, IrValue tap, IrValue pixel) {
    const General *general = row->general;
    const Step *step = general->emitter->step;
    Ir *ir = general->emitter->ir;
    int unroll = step->tile.unroll;
    IrValue first = ir_mul_const(ir, tap, general->group_channels);
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, general->group_channels), unroll,
                                row->sums, row->columns * general->vectors);
    IrValue tap_channel = ir_add(ir, first, loop.index);
    for (int k = 0; k < unroll; k++) { /* of one block: the plan's unroll divides it */
        int64_t offset = view_channel_offset(&step->inputs[0], k);
        channel_emit(row, ir_add_const(ir, tap_channel, k), loop.index,
                     ir_add_const(ir, pixel, offset));
    }
    ir_loop_end(ir, &loop);
}

static void taps_emit(Row *row) {
    const General *general = row->general;
    const Window *window = window_of(general);
    const View *view = &general->emitter->step->inputs[0];
    Ir *ir = general->emitter->ir;
    int count = row->columns * general->vectors;
    const Taps *d = &row->slices, *h = &row->rows, *w = &row->taps;
    IrLoop over_slices = ir_loop_begin(ir, d->begin, d->end, 1, row->sums, count);
    IrLoop over_rows = ir_loop_begin(ir, h->begin, h->end, 1, row->sums, count);
    IrLoop over_taps = ir_loop_begin(ir, w->begin, w->end, 1, row->sums, count);
    IrValue tap =
        ir_mul_const(ir, tap_number(ir, d, over_slices.index), window->kernel[WINDOW_HEIGHT]);
    tap = ir_add(ir, tap, tap_number(ir, h, over_rows.index));
    tap = ir_mul_const(ir, tap, window->kernel[WINDOW_WIDTH]);
    tap = ir_add(ir, tap, tap_number(ir, w, over_taps.index));
    IrValue line = ir_mul_const(ir, tap_position(ir, d, over_slices.index), general->input_height);
    line = ir_add(ir, line, tap_position(ir, h, over_rows.index));
    tap_emit(row, tap, view_pixel_index(ir, view, line, tap_position(ir, w, over_taps.index)));
    ir_loop_end(ir, &over_taps);
    ir_loop_end(ir, &over_rows);
    ir_loop_end(ir, &over_slices);
}

/* `columns` pixels from `column` on. */
static void pixels_emit(Row *row, IrValue column, int columns) {
    const General *general = row->general;
    const Emitter *emitter = general->emitter;
    Ir *ir = emitter->ir;
    IrValue bias = emitter_bias(emitter);
    row->columns = columns;
    row->taps = taps_of(general, WINDOW_WIDTH, column);
    assert(columns * general->vectors <= MAX_SUMS);
    for (int64_t v = 0; v < general->vectors; v++) {
        IrValue first = ir_f32_vector(ir, 0, emitter->lanes);
        if (bias)
            first = ir_load(
                ir, ir_at_const(ir, ir_at(ir, bias, general->first_filter), v * emitter->lanes),
                emitter->lanes);
        for (int c = 0; c < columns; c++)
            row->sums[c * general->vectors + v] = first;
    }
    taps_emit(row);
    Spot corner = spot_at(emitter, general->first_filter, row->row, column);
    for (int c = 0; c < columns; c++) {
        for (int64_t v = 0; v < general->vectors; v++) {
            Spot spot = spot_moved(emitter, &corner, v * emitter->lanes, 0, c * row->apart);
            spot_finish(emitter, &spot, row->sums[c * general->vectors + v], emitter->lanes);
        }
    }
}

/* The `count` pixels of each phase first <= p < end: columns p, p + apart, ... */
static void phases_emit(Row *row, int64_t first, int64_t end, int64_t count) {
    Ir *ir = row->general->emitter->ir;
    int columns = row->general->emitter->step->tile.columns;
    int64_t whole = count / columns * columns;
    if (first >= end || count == 0)
        return;
    IrLoop phases = ir_loop_begin(ir, ir_i64(ir, first), ir_i64(ir, end), 1, NULL, 0);
    if (whole > 0) {
        IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, whole), columns, NULL, 0);
        IrValue moved = ir_mul_const(ir, loop.index, row->apart);
        pixels_emit(row, ir_add(ir, phases.index, moved), columns);
        ir_loop_end(ir, &loop);
    }
    if (whole < count)
        pixels_emit(row, ir_add_const(ir, phases.index, whole * row->apart), (int)(count - whole));
    ir_loop_end(ir, &phases);
}

/* All rows of all slices. */
static void rows_emit(const General *general) {
    const Emitter *emitter = general->emitter;
    const Step *step = emitter->step;
    const Window *window = &step->conv.window;
    Ir *ir = emitter->ir;
    Row row = {.general = general,
               .apart = step->conv.transposed ? window->stride[WINDOW_WIDTH] : 1};
    int64_t width = step->output.width, height = general->output_height;
    Portion share = portion_rows(emitter, general->first_filter, general->vectors);
    IrLoop slices = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, window->output_slices), 1, NULL, 0);
    row.slices = taps_of(general, WINDOW_DEPTH, slices.index);
    taps_cut(ir, &row.slices, window->input_slices);
    IrValue first = ir_mul_const(ir, slices.index, height);
    Portion here = portion_inside(emitter, &share, first, 1, height);
    IrLoop rows = ir_loop_begin(ir, here.begin, here.end, 1, NULL, 0);
    row.rows = taps_of(general, WINDOW_HEIGHT, rows.index);
    taps_cut(ir, &row.rows, general->input_height);
    row.row = ir_add(ir, first, rows.index);
    phases_emit(&row, 0, width % row.apart, width / row.apart + 1);
    phases_emit(&row, width % row.apart, row.apart, width / row.apart);
    ir_loop_end(ir, &rows);
    ir_loop_end(ir, &slices);
}

/* ---- filters and groups -------------------------------------------------------------------- */

/* SHARE: `blocks` blocks of `vectors` vectors of filters of one group, as in conv_direct.c. */
static void blocks_emit(General *general, int64_t blocks, int vectors, IrValue filter,
                        IrValue weights) {
    const Emitter *emitter = general->emitter;
    Ir *ir = emitter->ir;
    const Window *window = window_of(general);
    int64_t width = (int64_t)vectors * emitter->lanes;
    int64_t kernel =
        window->kernel[WINDOW_DEPTH] * window->kernel[WINDOW_HEIGHT] * window->kernel[WINDOW_WIDTH];
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, blocks), 1, NULL, 0);
    general->vectors = vectors;
    general->first_filter = ir_add(ir, filter, ir_mul_const(ir, loop.index, width));
    general->weights =
        ir_at(ir, weights, ir_mul_const(ir, loop.index, kernel * general->group_channels * width));
    rows_emit(general);
    ir_loop_end(ir, &loop);
}

static void groups_emit(General *general) {
    const Emitter *emitter = general->emitter;
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    int64_t filters = general->group_filters;
    int64_t block = (int64_t)step->tile.vectors * emitter->lanes, blocks = filters / block;
    int rest = (int)divide_up(filters % block, emitter->lanes);
    int64_t group_floats = step->weights->floats / step->conv.groups; /* of both parts */
    int64_t rest_floats =
        group_floats / (blocks * block + rest * emitter->lanes) * rest * emitter->lanes;
    int64_t part_2 = (group_floats - rest_floats) * step->conv.groups;
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, step->conv.groups), 1, NULL, 0);
    IrValue group = loop.index, weights = emitter_weights(emitter);
    IrValue filter = ir_mul_const(ir, group, filters);
    general->first_channel = ir_mul_const(ir, group, general->group_channels);
    if (blocks > 0)
        blocks_emit(general, blocks, step->tile.vectors, filter,
                    ir_at(ir, weights, ir_mul_const(ir, group, group_floats - rest_floats)));
    if (rest > 0) {
        IrValue at = ir_add_const(ir, ir_mul_const(ir, group, rest_floats), part_2);
        blocks_emit(general, 1, rest, ir_add_const(ir, filter, blocks * block),
                    ir_at(ir, weights, at));
    }
    ir_loop_end(ir, &loop);
}

/* OWN and MIXED: one vector of filters after the other. */
static void vectors_emit(General *general) {
    const Emitter *emitter = general->emitter;
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    int64_t vectors = divide_up(step->output.channels, emitter->lanes);
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, vectors), 1, NULL, 0);
    general->vectors = 1;
    general->first_filter = ir_mul_const(ir, loop.index, emitter->lanes);
    general->first_channel = general->first_filter;
    general->weights = emitter_weights(emitter);
    if (general->lanes == CONV_LANES_MIXED)
        lanes_point(general);
    else
        general->weights = ir_at(ir, general->weights,
                                 ir_mul_const(ir, loop.index, step->weights->floats / vectors));
    rows_emit(general);
    ir_loop_end(ir, &loop);
}

void conv_general_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    const Window *window = &step->conv.window;
    General general = {.emitter = emitter,
                       .lanes = conv_lanes(step, emitter->machine),
                       .group_channels = step->inputs[0].channels / step->conv.groups,
                       .group_filters = step->output.channels / step->conv.groups,
                       .input_height = step->inputs[0].height / window->input_slices,
                       .output_height = step->output.height / window->output_slices};
    if (general.lanes == CONV_LANES_SHARE)
        groups_emit(&general);
    else
        vectors_emit(&general);
}
