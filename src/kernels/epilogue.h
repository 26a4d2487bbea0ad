/* The end of a kernel: a vector of results goes through Step.epilogue in registers and is stored.
 *
 * A Spot says where the first lane of a vector stands, in the output and in every view whose
 * elements are read beside it, and along which axis the other lanes follow. Kernels make one for
 * the corner of a tile and move it by constants. */
#ifndef NETC_KERNELS_EPILOGUE_H
#define NETC_KERNELS_EPILOGUE_H

#include "kernels/emitter.h"

typedef struct Spot {
    IrValue output;                    /* pointer to lane 0 */
    IrValue operands[STEP_MAX_INPUTS]; /* the same in each input read by ELEMENT, else NULL */
    IrValue channel;                   /* i64, of lane 0: for what goes by channel */
    IrValue sample;                    /* i64, of several that are together; NULL: the first */
    Axis lane_axis;                    /* along channels, each lane is another channel */
} Spot;

/* Element (channel, row, column) with lanes along the channels, `channel` a multiple of V. */
Spot spot_at(const Emitter *emitter, IrValue channel, IrValue row, IrValue column);

/* Where the loops of a nest over the output stand, lanes along its innermost loop's axis, or along
 * the channels of the block if the output is blocked. */
Spot spot_in_nest(const Emitter *emitter, const NestWalk *walk);

/* Element number `element` in row-major order, lanes along the last axis: for views without gaps.
 */
Spot spot_in_order(const Emitter *emitter, IrValue element);

/* `spot` moved by constants; `channels` a multiple of V. */
Spot spot_moved(const Emitter *emitter, const Spot *spot, int64_t channels, int64_t rows,
                int64_t columns);
/* The same place of sample number `sample`, `spot` being of the first. */
Spot spot_of_sample(const Emitter *emitter, const Spot *spot, IrValue sample);
/* `spot` moved by `lanes` lanes along its lane axis. */
Spot spot_advanced(const Emitter *emitter, const Spot *spot, IrValue lanes);

/* Sends `value` through the epilogue and stores its first `count` lanes (all in a blocked view). */
void spot_finish(const Emitter *emitter, const Spot *spot, IrValue value, int count);

/* Asks for what finishing the tile's sums will read beside them, of blocked inputs that do not stay
 * in the second cache; on machines with prefetch_operands. */
void tile_prefetch(const Emitter *emitter, IrValue channel, IrValue row, IrValue column, int rows,
                   int columns, int vectors);

/* Finishes the sums of a tile, [rows][columns][vectors], lanes along the channels, whose corner is
 * at `channel`, a multiple of V, `row` and `column`. */
void tile_finish(const Emitter *emitter, IrValue channel, IrValue row, IrValue column,
                 const IrValue *sums, int rows, int columns, int vectors);

#endif
