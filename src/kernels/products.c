#include "kernels/products.h"

#include <assert.h>

static int64_t group_of(const Products *work) {
    return work->emitter->step->conv.group;
}

IrValue products_index(const Products *work, IrValue block, IrValue tile) {
    Ir *ir = work->emitter->ir;
    int lanes = work->emitter->lanes;
    return ir_add(ir, ir_mul_const(ir, block, group_of(work) * lanes),
                  ir_mul_const(ir, tile, lanes));
}

/* Calls `transform` for each tile of the group in each of `blocks`, vectors of channels. */
static void tiles_transform(const Products *work, const Portion *blocks, TileTransform transform) {
    Ir *ir = work->emitter->ir;
    IrLoop block = ir_loop_begin(ir, blocks->begin, blocks->end, 1, NULL, 0);
    IrLoop tile = ir_loop_begin(ir, ir_i64(ir, 0), work->count, 1, NULL, 0);
    transform(work, block.index, tile.index);
    ir_loop_end(ir, &tile);
    ir_loop_end(ir, &block);
}

/* Multiply-adds of a register tile for one channel: `inputs` is that of the first of the tiles. */
static void channel_emit(const Products *work, const ProductTile *tile, IrValue inputs,
                         IrValue weights, IrValue *sums) {
    Ir *ir = work->emitter->ir;
    int lanes = work->emitter->lanes;
    IrValue weight[PRODUCT_MAX_VECTORS];
    for (int v = 0; v < tile->vectors; v++)
        weight[v] = ir_load(ir, ir_at_const(ir, weights, (int64_t)v * lanes), lanes);
    prefetch_stream(work->emitter, weights, tile->vectors);
    for (int c = 0; c < tile->columns; c++) {
        IrValue number = ir_load(ir, ir_at_const(ir, inputs, (int64_t)c * lanes), 1);
        IrValue everywhere = ir_splat(ir, number, lanes);
        for (int v = 0; v < tile->vectors; v++, sums++)
            *sums = ir_fma(ir, weight[v], everywhere, *sums);
    }
}

void product_add(const Products *work, const ProductTile *tile, IrValue *sums) {
    Ir *ir = work->emitter->ir;
    int lanes = work->emitter->lanes, unroll = work->emitter->step->tile.unroll;
    int64_t channel_weights = (int64_t)tile->vectors * lanes;
    assert(tile->columns * tile->vectors <= PRODUCT_MAX_SUMS);
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, work->channels), unroll, sums,
                                tile->columns * tile->vectors);
    IrValue block = ir_mul_const(ir, ir_div_const(ir, loop.index, lanes), group_of(work) * lanes);
    IrValue lane = ir_rem_const(ir, loop.index, lanes);
    IrValue from = ir_at(ir, tile->inputs, ir_add(ir, block, lane));
    IrValue read = ir_mul_const(ir, loop.index, channel_weights);
    IrValue by = ir_at(ir, tile->weights, read);
    next_block_prefetch(&tile->next, ir_add(ir, read, tile->read), unroll * channel_weights);
    for (int k = 0; k < unroll; k++)
        channel_emit(work, tile, ir_at_const(ir, from, k), ir_at_const(ir, by, k * channel_weights),
                     sums);
    ir_loop_end(ir, &loop);
}

/* A register tile: the tiles from number `first` of the group on by `vectors` vectors of filters;
 * `inputs` and `products` are those of number 0. */
static void tile_emit(const Products *work, int vectors, IrValue first, IrValue inputs,
                      IrValue weights, IrValue next_weights, IrValue products) {
    Ir *ir = work->emitter->ir;
    int lanes = work->emitter->lanes, columns = work->emitter->step->tile.columns;
    IrValue sums[PRODUCT_MAX_SUMS];
    for (int k = 0; k < columns * vectors; k++)
        sums[k] = ir_f32_vector(ir, 0, lanes);
    IrValue at = ir_mul_const(ir, first, lanes);
    ProductTile tile = {.columns = columns,
                        .vectors = vectors,
                        .inputs = ir_at(ir, inputs, at),
                        .weights = weights,
                        .read = ir_i64(ir, 0),
                        .next = next_block_begin(work->emitter, next_weights,
                                                 work->channels * vectors * lanes, first, columns,
                                                 group_of(work))};
    products = ir_at(ir, products, at);
    product_add(work, &tile, sums);
    const IrValue *sum = sums;
    for (int c = 0; c < columns; c++)
        for (int v = 0; v < vectors; v++, sum++)
            ir_store(ir, ir_at_const(ir, products, (v * group_of(work) + c) * lanes), *sum, lanes);
}

/* Where the weights are of the block that this part does after whole block number `index`, whose
 * own are at `weights`: the next, or its first of the next position. */
static IrValue weights_after(const Products *work, IrValue index, IrValue weights) {
    const Step *step = work->emitter->step;
    Ir *ir = work->emitter->ir;
    int64_t width = (int64_t)step->tile.vectors * work->emitter->lanes;
    int64_t floats = width * work->channels, blocks = work->filters / width;
    IrValue next = ir_at_const(ir, weights, floats);
    if (step->parts < 2)
        return next;
    IrValue end = ir_min(ir, work->blocks.end, ir_i64(ir, blocks));
    IrValue others = ir_sub(ir, ir_i64(ir, blocks), ir_sub(ir, end, work->blocks.begin));
    IrValue is_last = ir_less(ir, end, ir_add_const(ir, index, 2));
    return ir_select(ir, is_last, ir_at(ir, next, ir_mul_const(ir, others, floats)), next);
}

/* Blocks of `vectors` vectors of filters, at all tiles of the group: the weights of number 0 begin
 * at `weights`, its products at `products`. */
static void blocks_emit(const Products *work, IrLoop block, int vectors, IrValue inputs,
                        IrValue weights, IrValue products) {
    const Step *step = work->emitter->step;
    Ir *ir = work->emitter->ir;
    int64_t width = (int64_t)vectors * work->emitter->lanes;
    int64_t floats = width * work->channels;
    IrValue by = ir_at(ir, weights, ir_mul_const(ir, block.index, floats));
    bool whole = vectors == step->tile.vectors;
    IrValue after = whole ? weights_after(work, block.index, by) : ir_at_const(ir, by, floats);
    IrValue to = ir_at(ir, products, ir_mul_const(ir, block.index, width * group_of(work)));
    IrLoop tile = ir_loop_begin(ir, ir_i64(ir, 0), work->count, step->tile.columns, NULL, 0);
    tile_emit(work, vectors, tile.index, inputs, by, after, to);
    ir_loop_end(ir, &tile);
    ir_loop_end(ir, &block);
}

void products_by_position(const Products *work) {
    const Emitter *emitter = work->emitter;
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    int64_t channels = work->channels, filters = work->filters;
    int64_t width = (int64_t)step->tile.vectors * lanes, blocks = filters / width;
    int rest = (int)divide_up(filters % width, lanes); /* vectors of part 2 */
    IrValue weights = emitter_weights(emitter);
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, work->positions), 1, NULL, 0);
    IrValue inputs = ir_at(ir, work->inputs, ir_mul_const(ir, loop.index, work->input_stride));
    IrValue products =
        ir_at(ir, work->products, ir_mul_const(ir, loop.index, work->product_stride));
    int64_t part_1 = blocks * channels * width; /* floats of a position */
    if (blocks > 0) {
        IrValue first = ir_at(ir, weights, ir_mul_const(ir, loop.index, part_1));
        IrLoop block = portion_whole_begin(ir, &work->blocks, blocks, 1);
        blocks_emit(work, block, step->tile.vectors, inputs, first, products);
    }
    if (rest > 0) { /* block number `blocks`: where number 0 would be */
        int64_t behind = blocks * rest * lanes;
        IrValue second = ir_mul_const(ir, loop.index, channels * rest * lanes);
        second = ir_add_const(ir, second, work->positions * part_1 - behind * channels);
        IrValue to = ir_at_const(ir, products, (blocks * width - behind) * group_of(work));
        IrLoop block = portion_rest_begin(ir, &work->blocks, blocks, 1);
        blocks_emit(work, block, rest, inputs, ir_at(ir, weights, second), to);
    }
    ir_loop_end(ir, &loop);
}

void products_emit(Products *work) {
    const Emitter *emitter = work->emitter;
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    int64_t channel_blocks = divide_up(work->channels, lanes);
    int64_t filter_blocks = divide_up(work->filters, lanes);
    work->input_stride = (channel_blocks * group_of(work) + 1) * lanes;
    work->product_stride = (filter_blocks * group_of(work) + 1) * lanes;
    int64_t input_floats = work->positions * work->input_stride;
    int64_t product_floats = work->after ? work->positions * work->product_stride : 0;
    int64_t floats = work->own_floats + input_floats + product_floats;
    work->own = emitter_scratch(emitter);
    if (step->parts > 1) /* each part has its own */
        work->own = ir_at(ir, work->own, ir_mul_const(ir, emitter->part, floats));
    work->inputs = ir_at_const(ir, work->own, work->own_floats);
    work->products = ir_at_const(ir, work->inputs, input_floats);

    int64_t blocks = divide_up(work->filters, (int64_t)step->tile.vectors * lanes);
    Portion tiles = {ir_i64(ir, 0), ir_i64(ir, work->tiles)};
    work->blocks = (Portion){ir_i64(ir, 0), ir_i64(ir, blocks)};
    if (step->split == SPLIT_ROWS)
        tiles = portion_by(emitter, work->tiles, step->tile.columns);
    else
        work->blocks = portion_of(emitter, blocks);
    const Portion before = {ir_i64(ir, 0), ir_i64(ir, channel_blocks)};
    const Portion after = {ir_mul_const(ir, work->blocks.begin, step->tile.vectors),
                           ir_min(ir, ir_mul_const(ir, work->blocks.end, step->tile.vectors),
                                  ir_i64(ir, filter_blocks))};

    IrLoop loop = ir_loop_begin(ir, tiles.begin, tiles.end, group_of(work), NULL, 0);
    work->first = loop.index;
    work->count = ir_min(ir, ir_i64(ir, group_of(work)), ir_sub(ir, tiles.end, work->first));
    tiles_transform(work, &before, work->before);
    work->multiply(work);
    if (work->after)
        tiles_transform(work, &after, work->after);
    ir_loop_end(ir, &loop);
}
