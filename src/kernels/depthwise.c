/* Depthwise convolution: each channel with its own kernel, vectors along the channels.
 *
 * Within a tile each input vector is loaded once and used by every output pixel that it is a tap
 * of. */
#include <assert.h>

#include "kernels/epilogue.h"

#define MAX_SUMS 64
#define MAX_TAPS 64

/* Most multiply-adds in a straight run of code. */
#define STRAIGHT_FMAS 640

typedef struct Depthwise {
    const Emitter *emitter;
    IrValue channel;        /* i64, first of the block */
    IrValue input;          /* pointer to pixel (0, 0) of the block */
    IrValue weights;        /* pointer to [KH][KW][V] of the block */
    IrValue kept[MAX_TAPS]; /* the weights in registers, if they fit beside the sums */
    bool keep;
} Depthwise;

/* A part of the kernel, rows x columns taps, whose code is straight. */
typedef struct TapBox {
    int64_t rows, columns;
    IrValue input;   /* what its first tap reads for output pixel (0, 0) */
    IrValue weights; /* of its first tap */
} TapBox;

static const Window *window_of(const Depthwise *depthwise) {
    return &depthwise->emitter->step->conv.window;
}

static IrValue weight_load(const Depthwise *depthwise, const TapBox *box, int64_t kh, int64_t kw) {
    const Emitter *emitter = depthwise->emitter;
    int64_t tap = kh * window_of(depthwise)->kernel[1] + kw;
    if (depthwise->keep)
        return depthwise->kept[tap];
    return ir_load(emitter->ir, ir_at_const(emitter->ir, box->weights, tap * emitter->lanes),
                   emitter->lanes);
}

/* Is input position `position` tap `*tap` of output `output`, out of `taps` of them? */
static bool is_tap(const Window *window, int axis, int64_t position, int64_t output, int64_t taps,
                   int64_t *tap) {
    int64_t distance = position - output * window->stride[axis];
    *tap = distance / window->dilation[axis];
    return distance >= 0 && distance % window->dilation[axis] == 0 && *tap < taps;
}

/* Adds what the input vector at (y, x) of the box's input is a tap of. */
static void vector_use(const Depthwise *depthwise, const TapBox *box, int64_t y, int64_t x,
                       IrValue *sums, int rows, int columns) {
    const Emitter *emitter = depthwise->emitter;
    const Window *window = window_of(depthwise);
    const View *view = &emitter->step->inputs[0];
    Ir *ir = emitter->ir;
    IrValue vector = NULL;
    int64_t kh, kw;
    for (int r = 0; r < rows; r++) {
        if (!is_tap(window, 0, y, r, box->rows, &kh))
            continue;
        for (int c = 0; c < columns; c++) {
            if (!is_tap(window, 1, x, c, box->columns, &kw))
                continue;
            if (!vector)
                vector = ir_load(ir, ir_at_const(ir, box->input, view_pixel_offset(view, y, x)),
                                 emitter->lanes);
            IrValue *sum = &sums[r * columns + c];
            *sum = ir_fma(ir, vector, weight_load(depthwise, box, kh, kw), *sum);
        }
    }
}

static void box_emit(const Depthwise *depthwise, const TapBox *box, IrValue *sums, int rows,
                     int columns) {
    const Window *window = window_of(depthwise);
    int64_t height = (rows - 1) * window->stride[0] + (box->rows - 1) * window->dilation[0] + 1;
    int64_t width =
        (columns - 1) * window->stride[1] + (box->columns - 1) * window->dilation[1] + 1;
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            vector_use(depthwise, box, y, x, sums, rows, columns);
}

/* All taps: straight, or in loops over kernel rows and, for the widest, over taps. */
static void taps_emit(const Depthwise *depthwise, IrValue input, IrValue *sums, int rows,
                      int columns) {
    const Emitter *emitter = depthwise->emitter;
    const Window *window = window_of(depthwise);
    const View *view = &emitter->step->inputs[0];
    Ir *ir = emitter->ir;
    int pixels = rows * columns;
    TapBox box = {window->kernel[0], window->kernel[1], input, depthwise->weights};
    if (box.rows * box.columns * pixels > STRAIGHT_FMAS)
        box.rows = 1;
    if (box.columns * pixels > STRAIGHT_FMAS)
        box.columns = 1;
    IrValue zero = ir_i64(ir, 0);
    IrLoop over_rows =
        ir_loop_begin(ir, zero, ir_i64(ir, window->kernel[0]), box.rows, sums, pixels);
    IrLoop over_columns =
        ir_loop_begin(ir, zero, ir_i64(ir, window->kernel[1]), box.columns, sums, pixels);
    IrValue y = ir_mul_const(ir, over_rows.index, window->dilation[0]);
    IrValue x = ir_mul_const(ir, over_columns.index, window->dilation[1]);
    IrValue tap = ir_mul_const(ir, over_rows.index, window->kernel[1]);
    tap = ir_mul_const(ir, ir_add(ir, tap, over_columns.index), emitter->lanes);
    box.input = ir_at(ir, input, view_pixel_index(ir, view, y, x));
    box.weights = ir_at(ir, depthwise->weights, tap);
    box_emit(depthwise, &box, sums, rows, columns);
    ir_loop_end(ir, &over_columns);
    ir_loop_end(ir, &over_rows);
}

/* A TileEmitter. */
static void tile_emit(void *context, IrValue row, IrValue column, int rows, int columns) {
    const Depthwise *depthwise = context;
    const Emitter *emitter = depthwise->emitter;
    const Window *window = window_of(depthwise);
    const View *view = &emitter->step->inputs[0];
    Ir *ir = emitter->ir;
    IrValue sums[MAX_SUMS], bias = emitter_bias(emitter);
    assert(rows * columns <= MAX_SUMS);
    IrValue first = bias ? ir_load(ir, ir_at(ir, bias, depthwise->channel), emitter->lanes)
                         : ir_f32_vector(ir, 0, emitter->lanes);
    for (int p = 0; p < rows * columns; p++)
        sums[p] = first;

    IrValue pixel = view_pixel_index(ir, view, ir_mul_const(ir, row, window->stride[0]),
                                     ir_mul_const(ir, column, window->stride[1]));
    int64_t padding = view_pixel_offset(view, window->pad_begin[0], window->pad_begin[1]);
    IrValue input = ir_at(ir, depthwise->input, ir_add_const(ir, pixel, -padding));
    taps_emit(depthwise, input, sums, rows, columns);
    tile_finish(emitter, depthwise->channel, row, column, sums, rows, columns, 1);
}

/* Keeps all weights of the block in registers if they fit beside the sums and an input vector. */
static void weights_keep(Depthwise *depthwise, int64_t taps, int pixels) {
    const Emitter *emitter = depthwise->emitter;
    Ir *ir = emitter->ir;
    depthwise->keep = taps <= MAX_TAPS && taps * pixels <= STRAIGHT_FMAS &&
                      taps + pixels + 2 <= emitter->machine->registers;
    for (int64_t tap = 0; depthwise->keep && tap < taps; tap++)
        depthwise->kept[tap] =
            ir_load(ir, ir_at_const(ir, depthwise->weights, tap * emitter->lanes), emitter->lanes);
}

void depthwise_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    int64_t taps = step->conv.window.kernel[0] * step->conv.window.kernel[1];
    int64_t blocks = divide_up(step->output.channels, lanes);
    Depthwise depthwise = {.emitter = emitter};

    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, blocks), 1, NULL, 0);
    depthwise.channel = ir_mul_const(ir, loop.index, lanes);
    depthwise.input = ir_at(ir, emitter_input(emitter, 0),
                            ir_mul_const(ir, loop.index, step->inputs[0].block_stride));
    depthwise.weights =
        ir_at(ir, emitter_weights(emitter), ir_mul_const(ir, loop.index, taps * lanes));
    weights_keep(&depthwise, taps, step->tile.rows * step->tile.columns);
    Portion rows = portion_rows(emitter, depthwise.channel, 1);
    tiles_emit(ir, step->output.height, step->output.width, step->tile.rows, step->tile.columns,
               &rows, tile_emit, &depthwise);
    ir_loop_end(ir, &loop);
}
