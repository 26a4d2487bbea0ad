/* Convolution with a kernel of 1 x 1, or a product of matrices, by Strassen's method
 * (plan/strassen.h): before the products what two pixels, or rows, have in both halves of the
 * channels becomes seven vectors. Register tiles then go through the products one after the other.
 * Each begins with sums that are kept, adds its terms, and keeps what that makes:
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
    const View *output = &work->emitter->step->output;
    int64_t width = output->width;
    if (output->height == 1)
        return (Pixel){ir_i64(ir, 0), number};
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

/* ---- a block of filters ---------------------------------------------------------------------- */

/* Sums that are kept, numbered as above. */
enum { ZEROS, BEGUN, FIRST_0, SHARED, BOTH, SECOND_0, OTHER, FIRST_1 };

/* A block of vectors of filters in each half, and the tiles that go through the products together.
 */
typedef struct Block {
    const Products *work;
    int vectors;
    IrValue weights; /* [products][channels][vectors][V] */
    IrValue channel; /* the first filter's, in the first half */
    IrValue begin;   /* the first tile in the group */
    IrValue end;
} Block;

/* Whether each register tile goes through all products by itself; else all of the group go through
 * one product after the other. */
static bool by_itself(const Emitter *emitter) {
    return emitter->step->conv.run == emitter->step->tile.columns;
}

/* Floats of the sums of a run. */
static int64_t kept_floats(const Emitter *emitter) {
    return emitter->step->conv.run * emitter->step->tile.vectors * emitter->lanes;
}

/* Of tile `tile` of the group. */
static IrValue kept_at(const Block *block, IrValue kept, IrValue tile) {
    const Products *work = block->work;
    Ir *ir = work->emitter->ir;
    IrValue column = ir_mul_const(ir, ir_sub(ir, tile, block->begin),
                                  (int64_t)block->vectors * work->emitter->lanes);
    IrValue first = ir_mul_const(ir, kept, kept_floats(work->emitter));
    return ir_at(ir, work->own, ir_add(ir, first, column));
}

/* What comes after the weights of a product, or of all, to the register tile whose first tile is
 * `first`. */
static NextBlock next_of(const Block *block, IrValue weights, IrValue first, int columns) {
    const Products *work = block->work;
    const Emitter *emitter = work->emitter;
    int64_t floats = work->channels * block->vectors * emitter->lanes;
    if (by_itself(emitter))
        floats *= STRASSEN_PRODUCTS;
    return next_block_begin(emitter, ir_at_const(emitter->ir, weights, floats), floats, first,
                            columns, emitter->step->conv.group);
}

/* A register tile of `columns` tiles from number `first` of the group on, in one product: what is
 * kept is [columns][vectors]. */
static void product_emit(const Block *block, IrValue product, IrValue first, int columns) {
    const Products *work = block->work;
    Ir *ir = work->emitter->ir;
    int lanes = work->emitter->lanes, count = columns * block->vectors;
    IrValue is_2 = ir_equal(ir, product, ir_i64(ir, 2));
    IrValue is_5 = ir_equal(ir, product, ir_i64(ir, 5));
    IrValue from = ir_select(ir, is_2, ir_i64(ir, BEGUN), product);
    IrValue begin = kept_at(block, ir_select(ir, is_5, ir_i64(ir, SHARED), from), first);
    IrValue end = kept_at(block, ir_add_const(ir, product, 1), first), values[PRODUCT_MAX_SUMS];
    for (int k = 0; k < count; k++)
        values[k] = ir_load(ir, ir_at_const(ir, begin, (int64_t)k * lanes), lanes);
    IrValue inputs = ir_at(ir, work->inputs, products_index(work, ir_i64(ir, 0), first));
    IrValue read = ir_mul_const(ir, product, work->channels * block->vectors * lanes);
    ProductTile tile = {
        .columns = columns,
        .vectors = block->vectors,
        .inputs = ir_at(ir, inputs, ir_mul_const(ir, product, work->input_stride)),
        .weights = ir_at(ir, block->weights, read),
    };
    bool whole = by_itself(work->emitter);
    tile.read = whole ? read : ir_i64(ir, 0);
    tile.next = next_of(block, whole ? block->weights : tile.weights, first, columns);
    product_add(work, &tile, values);
    for (int k = 0; k < count; k++)
        ir_store(ir, ir_at_const(ir, end, (int64_t)k * lanes), values[k], lanes);
}

/* All register tiles of the run in one product. */
static void run_emit(const Block *block, IrValue product) {
    const Products *work = block->work;
    Ir *ir = work->emitter->ir;
    int columns = work->emitter->step->tile.columns, rest = (int)(work->tiles % columns);
    IrValue whole = ir_sub(ir, ir_i64(ir, work->tiles - rest), work->first);
    IrValue end = rest > 0 ? ir_min(ir, block->end, whole) : block->end;
    IrLoop tile = ir_loop_begin(ir, block->begin, end, columns, NULL, 0);
    product_emit(block, product, tile.index, columns);
    ir_loop_end(ir, &tile);
    if (rest > 0) {
        IrIf is_last = ir_if_begin(ir, ir_less(ir, whole, block->end));
        product_emit(block, product, whole, rest);
        ir_if_end(ir, &is_last);
    }
}

/* Finishes the vectors of filters of a pixel of tile number `tile` of the group, in both halves. */
static void pixel_finish(const Block *block, IrValue tile, int pixel) {
    const Products *work = block->work;
    const Emitter *emitter = work->emitter;
    Ir *ir = emitter->ir;
    const int outputs[2][2] = {{FIRST_0, SECOND_0}, {FIRST_1, BOTH}};
    int lanes = emitter->lanes;
    int64_t floats = kept_floats(emitter);
    Pixel at = pixel_at(work, number_of(work, tile, pixel));
    Spot first = spot_at(emitter, block->channel, at.row, at.column);
    IrValue kept = kept_at(block, ir_i64(ir, 0), tile);
    IrValue bias = emitter_bias(emitter);
    for (int half = 0; half < 2; half++)
        for (int v = 0; v < block->vectors; v++) {
            int64_t moved = half * work->filters + v * lanes;
            IrValue place = ir_at_const(ir, kept, (int64_t)v * lanes);
            IrValue sum = ir_load(ir, ir_at_const(ir, place, outputs[half][pixel] * floats), lanes);
            if (half == 1 && pixel == 1) {
                IrValue other = ir_load(ir, ir_at_const(ir, place, OTHER * floats), lanes);
                IrValue shared = ir_load(ir, ir_at_const(ir, place, SHARED * floats), lanes);
                sum = ir_fadd(ir, sum, ir_fsub(ir, other, shared));
            }
            if (bias) {
                IrValue from = ir_at(ir, bias, ir_add_const(ir, block->channel, moved));
                sum = ir_fadd(ir, sum, ir_load(ir, from, lanes));
            }
            Spot spot = spot_moved(emitter, &first, moved, 0, 0);
            spot_finish(emitter, &spot, sum, lanes);
        }
}

static void tile_finish_both(const Block *block, IrValue tile) {
    const Products *work = block->work;
    Ir *ir = work->emitter->ir;
    pixel_finish(block, tile, 0);
    if (pixels_of(work) % STRASSEN_PIXELS == 0) {
        pixel_finish(block, tile, 1);
        return;
    }
    IrValue last = ir_i64(ir, work->tiles - 1);
    IrIf is_pair = ir_if_begin(ir, ir_less(ir, ir_add(ir, work->first, tile), last));
    pixel_finish(block, tile, 1);
    ir_if_end(ir, &is_pair);
}

/* Blocks of `vectors` vectors, of which number 0 would have its weights at `weights` and begin with
 * filter `filter`. */
static void blocks_emit(const Products *work, IrLoop index, int vectors, int64_t filter,
                        IrValue weights) {
    const Emitter *emitter = work->emitter;
    Ir *ir = emitter->ir;
    IrValue zero = ir_i64(ir, 0);
    int64_t width = (int64_t)vectors * emitter->lanes;
    IrValue read = ir_mul_const(ir, index.index, STRASSEN_PRODUCTS * work->channels * width);
    Block block = {.work = work, .vectors = vectors, .weights = ir_at(ir, weights, read)};
    block.channel = ir_add_const(ir, ir_mul_const(ir, index.index, width), filter);
    int64_t run = emitter->step->conv.run;
    IrLoop runs = ir_loop_begin(ir, zero, work->count, run, NULL, 0);
    block.begin = runs.index;
    block.end = ir_min(ir, work->count, ir_add_const(ir, block.begin, run));
    IrLoop product = ir_loop_begin(ir, zero, ir_i64(ir, STRASSEN_PRODUCTS), 1, NULL, 0);
    run_emit(&block, product.index);
    ir_loop_end(ir, &product);
    IrLoop tile = ir_loop_begin(ir, block.begin, block.end, 1, NULL, 0);
    tile_finish_both(&block, tile.index);
    ir_loop_end(ir, &tile);
    ir_loop_end(ir, &runs);
    ir_loop_end(ir, &index);
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

static void image_emit(const Emitter *emitter) {
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

/* A matrix of so many rows as an image of one line: the rows are pixels, the columns channels. */
static View view_of_rows(const View *matrix, int64_t rows, int lanes) {
    int64_t columns = view_elements(matrix) / rows;
    View image = *matrix;
    image.channels = columns;
    image.height = 1;
    image.width = rows;
    image.block = image.block_stride = lanes;
    image.row_stride = rows * columns;
    image.pixel_stride = columns;
    return image;
}

void conv_strassen_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    int64_t rows = step->conv.rows;
    if (rows == 0) {
        image_emit(emitter);
        return;
    }
    View inputs[STEP_MAX_INPUTS];
    for (int k = 0; k < step->input_count; k++)
        inputs[k] = view_of_rows(&step->inputs[k], rows, emitter->lanes);
    Step image = *step;
    image.inputs = inputs;
    image.output = view_of_rows(&step->output, rows, emitter->lanes);
    Emitter inner = *emitter;
    inner.step = &image;
    image_emit(&inner);
}
