/* Weights, and values, that are asked for before they are read. Private to kernels/.
 *
 * A kernel reads the weights of a block of outputs once for each of its tiles. Those of the tile in
 * hand are asked for some KB ahead in their own stream, and come from the second cache. The next
 * block's come from memory, or the last cache, and would all come with its first tile, which then
 * waits for them: instead each tile of this block asks for its share of them, evenly, so that they
 * take all the time that there is. */
#ifndef NETC_KERNELS_PREFETCH_H
#define NETC_KERNELS_PREFETCH_H

#include "kernels/emitter.h"

/* Whether the second cache does not hold all that the view shows: nor its buffer, which may be a
 * window that moves down the image. */
bool view_is_far(const Emitter *emitter, const View *view);

/* Asks for the lines of `floats` floats, the first `begin` behind `pointer`. */
void prefetch_lines(const Emitter *emitter, IrValue pointer, int64_t begin, int64_t floats);

/* Where `vectors` vectors of weights are read: asks for those that come machine.prefetch_bytes
 * behind them, which may be past the end. For weights that do not stay in the first cache. */
void prefetch_stream(const Emitter *emitter, IrValue weights, int64_t vectors);

/* The same where weights are read once a call: if they fill the second cache, else they are still
 * there from the call before. (Past the caches, with prefetchnta, they would leave room for others,
 * but Intel's servers then read memory at 6 GB/s instead of 10.) */
void prefetch_once(const Emitter *emitter, IrValue weights, int64_t vectors);

/* What a tile asks for of the next block. */
typedef struct NextBlock {
    const Emitter *emitter;
    IrValue share; /* pointer to where the tile's share begins, maybe past the end; NULL: nothing
                      is asked for */
    int64_t tiles; /* so many shares is a block, about */
} NextBlock;

/* A block of `floats` weights that begins at `next`, for a tile that has `done` (i64) of `all`
 * outputs behind it, of which it does `each`. Nothing is asked for on machines without
 * prefetch_bytes. */
NextBlock next_block_begin(const Emitter *emitter, IrValue next, int64_t floats, IrValue done,
                           int64_t each, int64_t all);

/* Where the tile, having read `read` (i64) of its own block's weights, reads `run` more. */
void next_block_prefetch(const NextBlock *next, IrValue read, int64_t run);

#endif
