/* Convolution with a kernel of 1 x 1 by Strassen's method (plan/strassen.h): before the products
 * what two pixels have in both halves of the channels becomes seven vectors. A register tile then
 * goes through the products one after the other. Each begins with sums that are kept, adds its
 * terms, and keeps what that makes:
 *
 *     0  zeros
 *     1  0 and product 0
 *     2  1 and product 1    half 0, pixel 0
 *     3  1 and product 2
 *     4  3 and product 3
 *     5  4 and product 4    half 0, pixel 1
 *     6  3 and product 5
 *     7  6 and product 6    half 1, pixel 0
 *
 * What half 1 has in pixel 1 is 4 + 6 - 3. */
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

/* Sums that are kept, numbered as above. */
enum { ZEROS, BEGUN, FIRST_0, SHARED, BOTH, SECOND_0, OTHER, FIRST_1 };

/* Tiles of pixels by vectors of filters in each half. */
typedef struct Sums {
    const Products *work;
    ProductTile tile;
    IrValue first;   /* tile of the group */
    IrValue channel; /* the first one's, in the first half */
    int second;      /* columns that have a second pixel: all, or all but the last */
} Sums;

/* Floats of the sums of whole tiles. */
static int64_t kept_floats(const Emitter *emitter) {
    return (int64_t)emitter->step->tile.columns * emitter->step->tile.vectors * emitter->lanes;
}

static IrValue kept_at(const Products *work, IrValue kept) {
    Ir *ir = work->emitter->ir;
    return ir_at(ir, work->own, ir_mul_const(ir, kept, kept_floats(work->emitter)));
}

/* One product: [columns][vectors] of what is kept. */
static void product_emit(const Sums *sums, IrValue product) {
    const Products *work = sums->work;
    Ir *ir = work->emitter->ir;
    int lanes = work->emitter->lanes, count = sums->tile.columns * sums->tile.vectors;
    IrValue is_2 = ir_equal(ir, product, ir_i64(ir, 2));
    IrValue is_5 = ir_equal(ir, product, ir_i64(ir, 5));
    IrValue from = ir_select(ir, is_2, ir_i64(ir, BEGUN), product);
    IrValue begin = kept_at(work, ir_select(ir, is_5, ir_i64(ir, SHARED), from));
    IrValue end = kept_at(work, ir_add_const(ir, product, 1)), values[PRODUCT_MAX_SUMS];
    for (int k = 0; k < count; k++)
        values[k] = ir_load(ir, ir_at_const(ir, begin, (int64_t)k * lanes), lanes);
    ProductTile tile = sums->tile;
    tile.read = ir_mul_const(ir, product, work->channels * tile.vectors * lanes);
    tile.inputs = ir_at(ir, tile.inputs, ir_mul_const(ir, product, work->input_stride));
    tile.weights = ir_at(ir, tile.weights, tile.read);
    product_add(work, &tile, values);
    for (int k = 0; k < count; k++)
        ir_store(ir, ir_at_const(ir, end, (int64_t)k * lanes), values[k], lanes);
}

/* Finishes the vectors of filters of pixel `pixel` of the tile of pixels in a column, in both
 * halves. */
static void pixel_finish(const Sums *sums, IrValue column, int pixel) {
    const Products *work = sums->work;
    const Emitter *emitter = work->emitter;
    Ir *ir = emitter->ir;
    const int outputs[2][2] = {{FIRST_0, SECOND_0}, {FIRST_1, BOTH}};
    int vectors = sums->tile.vectors, lanes = emitter->lanes;
    int64_t floats = kept_floats(emitter);
    Pixel at = pixel_at(work, number_of(work, ir_add(ir, sums->first, column), pixel));
    Spot first = spot_at(emitter, sums->channel, at.row, at.column);
    IrValue kept = ir_at(ir, work->own, ir_mul_const(ir, column, (int64_t)vectors * lanes));
    IrValue bias = emitter_bias(emitter);
    for (int half = 0; half < 2; half++)
        for (int v = 0; v < vectors; v++) {
            int64_t moved = half * work->filters + v * lanes;
            IrValue place = ir_at_const(ir, kept, (int64_t)v * lanes);
            IrValue sum = ir_load(ir, ir_at_const(ir, place, outputs[half][pixel] * floats), lanes);
            if (half == 1 && pixel == 1) {
                IrValue other = ir_load(ir, ir_at_const(ir, place, OTHER * floats), lanes);
                IrValue shared = ir_load(ir, ir_at_const(ir, place, SHARED * floats), lanes);
                sum = ir_fadd(ir, sum, ir_fsub(ir, other, shared));
            }
            if (bias) {
                IrValue from = ir_at(ir, bias, ir_add_const(ir, sums->channel, moved));
                sum = ir_fadd(ir, sum, ir_load(ir, from, lanes));
            }
            Spot spot = spot_moved(emitter, &first, moved, 0, 0);
            spot_finish(emitter, &spot, sum, lanes);
        }
}

static void sums_emit(const Sums *sums) {
    Ir *ir = sums->work->emitter->ir;
    IrValue zero = ir_i64(ir, 0);
    IrLoop product = ir_loop_begin(ir, zero, ir_i64(ir, STRASSEN_PRODUCTS), 1, NULL, 0);
    product_emit(sums, product.index);
    ir_loop_end(ir, &product);
    IrLoop column = ir_loop_begin(ir, zero, ir_i64(ir, sums->second), 1, NULL, 0);
    pixel_finish(sums, column.index, 0);
    pixel_finish(sums, column.index, 1);
    ir_loop_end(ir, &column);
    if (sums->second < sums->tile.columns)
        pixel_finish(sums, ir_i64(ir, sums->second), 0);
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Floats of the weights of a block of `vectors` vectors. */
static int64_t block_floats(const Products *work, int vectors) {
    return STRASSEN_PRODUCTS * work->channels * vectors * work->emitter->lanes;
}

/* The `columns` tiles from `first` on, of which `second` have a second pixel, by a block of filters
 * that `sums` has. */
static void tile_emit(Sums sums, IrValue first, int columns, int second) {
    const Products *work = sums.work;
    const Emitter *emitter = work->emitter;
    Ir *ir = emitter->ir;
    int64_t floats = block_floats(work, sums.tile.vectors);
    IrValue next = ir_at_const(ir, sums.tile.weights, floats);
    sums.first = first;
    sums.second = second;
    sums.tile.columns = columns;
    sums.tile.inputs = ir_at(ir, work->inputs, products_index(work, ir_i64(ir, 0), first));
    sums.tile.next =
        next_block_begin(emitter, next, floats, first, columns, emitter->step->conv.group);
    sums_emit(&sums);
}

/* Blocks of `vectors` vectors, of which number 0 would have its weights at `weights` and begin with
 * filter `filter`. The tiles that are left of all, or the last if its second pixel is missing, are
 * by themselves. */
static void blocks_emit(const Products *work, IrLoop block, int vectors, int64_t filter,
                        IrValue weights) {
    const Emitter *emitter = work->emitter;
    Ir *ir = emitter->ir;
    int columns = emitter->step->tile.columns;
    bool is_odd = pixels_of(work) % STRASSEN_PIXELS != 0;
    int rest = (int)((work->tiles - is_odd) % columns) + is_odd;
    IrValue read = ir_mul_const(ir, block.index, block_floats(work, vectors));
    Sums sums = {.work = work, .tile = {.vectors = vectors, .weights = ir_at(ir, weights, read)}};
    IrValue moved = ir_mul_const(ir, block.index, (int64_t)vectors * emitter->lanes);
    sums.channel = ir_add_const(ir, moved, filter);
    IrValue whole = ir_sub(ir, ir_i64(ir, work->tiles - rest), work->first);
    IrValue end = ir_min(ir, work->count, whole);
    IrLoop tile = ir_loop_begin(ir, ir_i64(ir, 0), end, columns, NULL, 0);
    tile_emit(sums, tile.index, columns, columns);
    ir_loop_end(ir, &tile);
    if (rest > 0) {
        IrIf is_last = ir_if_begin(ir, ir_less(ir, whole, work->count));
        tile_emit(sums, whole, rest, rest - is_odd);
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
    ir_fill_zero(ir, work->own, ir_i64(ir, kept_floats(work->emitter)));
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
                     .own_floats = STRASSEN_KEPT * kept_floats(emitter),
                     .before = input_emit,
                     .multiply = multiply};
    products_emit(&work);
}
