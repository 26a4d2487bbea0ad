/* Convolution with a kernel of 1 x 1 by Strassen's method (plan/strassen.h): before the products
 * what two pixels have in both halves of the channels becomes seven vectors. A register tile then
 * goes through the products one after the other; its sums, which some outputs share, are kept
 * meanwhile, as A to D:
 *
 *     product 0                 A
 *     product 1 added           half 0, pixel 0
 *     A and product 2           B
 *     product 3                 C
 *     B added, and product 4    half 0, pixel 1
 *     B and product 5           D
 *     product 6 added           half 1, pixel 0
 *     C and D                   half 1, pixel 1 */
#include <assert.h>

#include "kernels/epilogue.h"
#include "kernels/products.h"
#include "plan/strassen.h"

typedef struct Pixel {
    IrValue row, column;
} Pixel;

static int64_t pixels_of(const Products *work) {
    const View *output = &work->emitter->step->output;
    return output->height * output->width;
}

static IrValue number_of(const Products *work, IrValue tile, int pixel) {
    Ir *ir = work->emitter->ir;
    IrValue number = ir_mul_const(ir, ir_add(ir, work->first, tile), STRASSEN_PIXELS);
    return ir_add_const(ir, number, pixel);
}

static Pixel pixel_at(const Products *work, IrValue number) {
    Ir *ir = work->emitter->ir;
    int64_t width = work->emitter->step->output.width;
    return (Pixel){ir_div_const(ir, number, width), ir_rem_const(ir, number, width)};
}

/* Vector number `block` of pixel number `pixel` of a tile, in both halves of the channels. The
 * second pixel of a tile that has but one is the first again. */
static void pixel_load(const Products *work, IrValue block, IrValue tile, int pixel, IrValue *x) {
    const Emitter *emitter = work->emitter;
    const View *view = &emitter->step->inputs[0];
    const int64_t *stride = emitter->step->conv.window.stride;
    Ir *ir = emitter->ir;
    IrValue number = ir_min(ir, number_of(work, tile, pixel), ir_i64(ir, pixels_of(work) - 1));
    Pixel at = pixel_at(work, number);
    IrValue index = ir_add(ir, ir_mul_const(ir, block, view->block_stride),
                           view_pixel_index(ir, view, ir_mul_const(ir, at.row, stride[0]),
                                            ir_mul_const(ir, at.column, stride[1])));
    IrValue from = ir_at(ir, emitter_input(emitter, 0), index);
    int64_t half = work->channels / emitter->lanes * view->block_stride;
    x[0] = ir_load(ir, from, emitter->lanes);
    x[1] = ir_load(ir, ir_at_const(ir, from, half), emitter->lanes);
}

static void input_emit(const Products *work, IrValue block, IrValue tile) {
    Ir *ir = work->emitter->ir;
    IrValue x[STRASSEN_PIXELS][2];
    for (int pixel = 0; pixel < STRASSEN_PIXELS; pixel++)
        pixel_load(work, block, tile, pixel, x[pixel]);
    IrValue more = ir_fsub(ir, x[1][0], x[0][0]), rest = ir_fsub(ir, x[1][1], more);
    const IrValue y[STRASSEN_PRODUCTS] = {x[0][0],
                                          x[0][1],
                                          rest,
                                          more,
                                          x[1][1],
                                          ir_fsub(ir, x[1][1], x[1][0]),
                                          ir_fsub(ir, rest, x[0][1])};
    IrValue to = ir_at(ir, work->inputs, products_index(work, block, tile));
    for (int p = 0; p < STRASSEN_PRODUCTS; p++)
        ir_store(ir, ir_at_const(ir, to, p * work->input_stride), y[p], work->emitter->lanes);
}

/* ---- a register tile ------------------------------------------------------------------------- */

/* Tiles of pixels by vectors of filters in each half. */
typedef struct Sums {
    const Products *work;
    ProductTile tile;
    IrValue first;                  /* tile of the group */
    IrValue channel;                /* the first one's, in the first half */
    int second;                     /* columns that have a second pixel: all, or all but the last */
    IrValue sums[PRODUCT_MAX_SUMS]; /* [columns][vectors] */
} Sums;

static int count_of(const Sums *sums) {
    return sums->tile.columns * sums->tile.vectors;
}

static IrValue kept_at(const Sums *sums, int kept, int index) {
    const Emitter *emitter = sums->work->emitter;
    int64_t number = (int64_t)kept * emitter->step->tile.columns * emitter->step->tile.vectors;
    return ir_at_const(emitter->ir, sums->work->own, (number + index) * emitter->lanes);
}

static void sums_clear(Sums *sums) {
    const Emitter *emitter = sums->work->emitter;
    for (int k = 0; k < count_of(sums); k++)
        sums->sums[k] = ir_f32_vector(emitter->ir, 0, emitter->lanes);
}

static void sums_keep(const Sums *sums, int kept) {
    const Emitter *emitter = sums->work->emitter;
    for (int k = 0; k < count_of(sums); k++)
        ir_store(emitter->ir, kept_at(sums, kept, k), sums->sums[k], emitter->lanes);
}

static void sums_load(Sums *sums, int kept) {
    const Emitter *emitter = sums->work->emitter;
    for (int k = 0; k < count_of(sums); k++)
        sums->sums[k] = ir_load(emitter->ir, kept_at(sums, kept, k), emitter->lanes);
}

static void sums_add(Sums *sums, int kept) {
    const Emitter *emitter = sums->work->emitter;
    Ir *ir = emitter->ir;
    for (int k = 0; k < count_of(sums); k++) {
        IrValue other = ir_load(ir, kept_at(sums, kept, k), emitter->lanes);
        sums->sums[k] = ir_fadd(ir, sums->sums[k], other);
    }
}

static void sums_multiply(Sums *sums, int product) {
    const Products *work = sums->work;
    Ir *ir = work->emitter->ir;
    ProductTile tile = sums->tile;
    tile.read = product * work->channels * tile.vectors * work->emitter->lanes;
    tile.inputs = ir_at_const(ir, tile.inputs, product * work->input_stride);
    tile.weights = ir_at_const(ir, tile.weights, tile.read);
    product_add(work, &tile, sums->sums);
}

/* The sums are what the tile has in a half of the filters and a pixel of each tile of pixels. */
static void sums_finish(const Sums *sums, int half, int pixel) {
    const Products *work = sums->work;
    const Emitter *emitter = work->emitter;
    Ir *ir = emitter->ir;
    int vectors = sums->tile.vectors, lanes = emitter->lanes;
    int columns = pixel == 0 ? sums->tile.columns : sums->second;
    IrValue channel = ir_add_const(ir, sums->channel, half * work->filters);
    IrValue bias[PRODUCT_MAX_VECTORS] = {NULL}, biases = emitter_bias(emitter);
    for (int v = 0; v < vectors && biases; v++) {
        IrValue from = ir_at(ir, biases, ir_add_const(ir, channel, (int64_t)v * lanes));
        bias[v] = ir_load(ir, from, lanes);
    }
    for (int c = 0; c < columns; c++) {
        Pixel at = pixel_at(work, number_of(work, ir_add_const(ir, sums->first, c), pixel));
        Spot first = spot_at(emitter, channel, at.row, at.column);
        for (int v = 0; v < vectors; v++) {
            Spot spot = spot_moved(emitter, &first, (int64_t)v * lanes, 0, 0);
            IrValue sum = sums->sums[c * vectors + v];
            spot_finish(emitter, &spot, bias[v] ? ir_fadd(ir, sum, bias[v]) : sum, lanes);
        }
    }
}

static void sums_emit(Sums *sums) {
    enum { A, B, C, D };
    sums_clear(sums);
    sums_multiply(sums, 0);
    sums_keep(sums, A);
    sums_multiply(sums, 1);
    sums_finish(sums, 0, 0);
    sums_load(sums, A);
    sums_multiply(sums, 2);
    sums_keep(sums, B);
    sums_clear(sums);
    sums_multiply(sums, 3);
    sums_keep(sums, C);
    sums_add(sums, B);
    sums_multiply(sums, 4);
    sums_finish(sums, 0, 1);
    sums_load(sums, B);
    sums_multiply(sums, 5);
    sums_keep(sums, D);
    sums_multiply(sums, 6);
    sums_finish(sums, 1, 0);
    sums_load(sums, C);
    sums_add(sums, D);
    sums_finish(sums, 1, 1);
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* A block of `vectors` vectors of filters in each half, `channel` the first, by `columns` tiles
 * from `first` on; `is_last`: they end with the last of all. */
static void tile_emit(const Products *work, int vectors, IrValue channel, IrValue weights,
                      IrValue first, int columns, bool is_last) {
    Ir *ir = work->emitter->ir;
    int64_t floats = STRASSEN_PRODUCTS * work->channels * vectors * work->emitter->lanes;
    int64_t group = work->emitter->step->conv.group;
    bool is_odd = pixels_of(work) % STRASSEN_PIXELS != 0;
    Sums sums = {
        .work = work,
        .tile = {.columns = columns,
                 .vectors = vectors,
                 .inputs = ir_at(ir, work->inputs, products_index(work, ir_i64(ir, 0), first)),
                 .weights = weights,
                 .next = next_block_begin(work->emitter, ir_at_const(ir, weights, floats), floats,
                                          first, columns, group)},
        .first = first,
        .channel = channel,
        .second = columns - (is_last && is_odd)};
    sums_emit(&sums);
}

/* Blocks of `vectors` vectors, number 0 of which has its weights at `weights` and its first filter
 * would be `filter`. The tiles that are left
 * of all, or the last if its second pixel is missing, are by themselves. */
static void blocks_emit(const Products *work, IrLoop block, int vectors, int64_t filter,
                        IrValue weights) {
    const Emitter *emitter = work->emitter;
    Ir *ir = emitter->ir;
    int columns = emitter->step->tile.columns;
    int64_t width = (int64_t)vectors * emitter->lanes;
    int64_t floats = STRASSEN_PRODUCTS * work->channels * width;
    bool is_odd = pixels_of(work) % STRASSEN_PIXELS != 0;
    int rest = (int)((work->tiles - is_odd) % columns) + is_odd;
    IrValue by = ir_at(ir, weights, ir_mul_const(ir, block.index, floats));
    IrValue channel = ir_add_const(ir, ir_mul_const(ir, block.index, width), filter);
    IrValue whole = ir_sub(ir, ir_i64(ir, work->tiles - rest), work->first);
    IrValue end = ir_min(ir, work->count, whole);
    IrLoop tile = ir_loop_begin(ir, ir_i64(ir, 0), end, columns, NULL, 0);
    tile_emit(work, vectors, channel, by, tile.index, columns, false);
    ir_loop_end(ir, &tile);
    if (rest > 0) {
        IrIf is_last = ir_if_begin(ir, ir_less(ir, whole, work->count));
        tile_emit(work, vectors, channel, by, whole, rest, true);
        ir_if_end(ir, &is_last);
    }
    ir_loop_end(ir, &block);
}

static void multiply(const Products *work) {
    const Step *step = work->emitter->step;
    Ir *ir = work->emitter->ir;
    int64_t lanes = work->emitter->lanes, width = step->tile.vectors * lanes;
    int64_t blocks = work->filters / width, rest = work->filters % width;
    IrValue weights = emitter_weights(work->emitter);
    if (blocks > 0) {
        IrLoop block = portion_whole_begin(ir, &work->blocks, blocks, 1);
        blocks_emit(work, block, step->tile.vectors, 0, weights);
    }
    if (rest > 0) { /* block number `blocks`, of another width: where number 0 would be */
        int64_t filter = blocks * (width - rest);
        IrLoop block = portion_rest_begin(ir, &work->blocks, blocks, 1);
        blocks_emit(work, block, (int)(rest / lanes), filter,
                    ir_at_const(ir, weights, STRASSEN_PRODUCTS * work->channels * filter));
    }
}

void conv_strassen_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    Products work = {.emitter = emitter,
                     .positions = STRASSEN_PRODUCTS,
                     .channels = step->inputs[0].channels / 2,
                     .filters = step->output.channels / 2,
                     .tiles = step->conv.tiles[1],
                     .own_floats = (int64_t)STRASSEN_KEPT * step->tile.columns *
                                   step->tile.vectors * emitter->lanes,
                     .before = input_emit,
                     .multiply = multiply};
    products_emit(&work);
}
