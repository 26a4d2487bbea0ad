/* What the emitters of all kernels share: the step and the parameters of its function, addresses in
 * views, and nests of loops over them. Private to kernels/. */
#ifndef NETC_KERNELS_EMITTER_H
#define NETC_KERNELS_EMITTER_H

#include "codegen/ir.h"
#include "kernels/kernel.h"
#include "support/checked.h"

/* A step whose function is being made. */
typedef struct Emitter {
    Ir *ir;
    const Step *step;
    const Machine *machine;
    int lanes;       /* f32 in a vector of the machine, V below */
    IrValue part;    /* i64: which of the step's parts is to be done */
    IrValue rows[2]; /* i64: first and end of the rows to be done, of a step that takes them */
} Emitter;

/* ---- parameters of the function, in kernel_emit's order ---------------------------------- */

IrValue emitter_input(const Emitter *emitter, int index);
IrValue emitter_output(const Emitter *emitter);
IrValue emitter_scratch(const Emitter *emitter);
IrValue emitter_weights(const Emitter *emitter);
IrValue emitter_bias(const Emitter *emitter); /* NULL: the step has none */
/* The `index`-th of the packed vectors that the stages of the epilogue read. */
IrValue emitter_vector(const Emitter *emitter, int index);

/* ---- addresses in a view, in elements from (0, 0, 0) -------------------------------------- */

/* Axes of a view as its strides see them: a blocked view has blocks where a plain one has
 * channels, and the channels of a block beside each other in each pixel. */
typedef enum Axis {
    AXIS_CHANNEL,
    AXIS_ROW,
    AXIS_COLUMN,
} Axis;

#define AXIS_COUNT 3

/* Channels (blocks of them if blocked), rows or columns. */
int64_t view_extent(const View *view, Axis axis);
int64_t view_stride(const View *view, Axis axis);

/* Elements between a channel and the next one in the same block, or between neighbours on another
 * axis: the stride of lanes that lie along `axis`. */
int64_t view_lane_stride(const View *view, Axis axis);

/* c / block * block_stride + c % block */
IrValue view_channel_index(Ir *ir, const View *view, IrValue channel);
int64_t view_channel_offset(const View *view, int64_t channel);

/* row * row_stride + column * pixel_stride */
IrValue view_pixel_index(Ir *ir, const View *view, IrValue row, IrValue column);
int64_t view_pixel_offset(const View *view, int64_t row, int64_t column);

/* ---- elements of a view, f32 or bytes ------------------------------------------------------ */

/* The pointer `index` elements of the view behind `base`. */
IrValue view_at(Ir *ir, const View *view, IrValue base, IrValue index);
IrValue view_at_const(Ir *ir, const View *view, IrValue base, int64_t index);
/* Lane i, i < count, from the pointer + i * stride, as f32; the other lanes are 0. */
IrValue view_load(Ir *ir, const View *view, IrValue pointer, int lanes, int count, int64_t stride);

/* ---- parts --------------------------------------------------------------------------------- */

/* Turns begin <= i < end of a loop: all of them, or those that one of the step's parts does. The
 * parts of a step are disjoint, and together they are the whole. A step of one part has constant
 * bounds, and so the same code as if there were no parts. */
typedef struct Portion {
    IrValue begin, end;
} Portion;

/* An even share of 0 <= i < count. */
Portion portion_of(const Emitter *emitter, int64_t count);
/* The same where a turn does `step` at once: `begin` is a multiple of it. */
Portion portion_by(const Emitter *emitter, int64_t count, int64_t step);
/* What a portion of some amount of work has of a loop of `count` turns, of `weight` units each, the
 * first of which is unit number `start`. A turn belongs where it begins. */
Portion portion_inside(const Emitter *emitter, const Portion *work, IrValue start, int64_t weight,
                       int64_t count);
/* Rows of the output, those that the caller asks for where a step takes them, for `vectors` vectors
 * of its channels from `channel` on, a multiple of V: by Step.split either a share of all rows, or
 * what a share of all vectors' rows has of these. */
Portion portion_rows(const Emitter *emitter, IrValue channel, int64_t vectors);

/* The loop over the turns of a portion that lie below `whole`, a multiple of `step`, and the one
 * over the last, shorter turn that begins there. Where `whole` is 0, or all there is, the
 * respective loop has no turn and may not be begun with constant bounds. */
IrLoop portion_whole_begin(Ir *ir, const Portion *portion, int64_t whole, int64_t step);
IrLoop portion_rest_begin(Ir *ir, const Portion *portion, int64_t whole, int64_t step);

/* ---- loops --------------------------------------------------------------------------------- */

/* The loops over all elements (over all pixels of all blocks, where blocked) of views of equal
 * extents, outermost first: at least one. Neighbouring axes without a gap between them in any of
 * the views are one loop, named after the inner axis. */
typedef struct NestLoop {
    int64_t count;
    Axis axis;
} NestLoop;

typedef struct Nest {
    NestLoop loops[AXIS_COUNT];
    int count;
    int shared; /* the loop whose turns the step's parts share: the outermost, unless changed */
} Nest;

/* `keep_channels` keeps the loop over channels apart, for work that needs to know the channel. */
Nest nest_over(const View *const *views, int view_count, bool keep_channels);

/* A nest that code is being emitted into. */
typedef struct NestWalk {
    const Nest *nest;
    IrLoop loops[AXIS_COUNT];
    int depth;
} NestWalk;

/* Begins the outer `depth` loops of a nest; of the shared one only the turns of `portion`, all if
 * NULL. `carried` as for ir_loop_begin. */
NestWalk nest_begin(Ir *ir, const Nest *nest, int depth, const Portion *portion, IrValue *carried,
                    int carried_count);
void nest_end(Ir *ir, NestWalk *walk);

/* Where the loops stand in a view. */
IrValue nest_index(Ir *ir, const NestWalk *walk, const View *view);
/* Index of the loop over channels (blocks); 0 if there is none. */
IrValue nest_channel(Ir *ir, const NestWalk *walk);

/* Covers height x width pixels with tiles of rows x columns, cut to what is left at the lower and
 * right edge: calls `tile` once for each of the (at most four) sizes, inside the loops over its
 * places. Only tiles whose first row lies in `portion` are computed. */
typedef void (*TileEmitter)(void *context, IrValue row, IrValue column, int rows, int columns);
void tiles_emit(Ir *ir, int64_t height, int64_t width, int rows, int columns,
                const Portion *portion, TileEmitter tile, void *context);

/* Rows of numbers in memory, no more of them and no longer than a vector has lanes. */
typedef struct Strips {
    IrValue first; /* pointer to the first */
    int64_t stride;
    int count;
    int length; /* of each */
} Strips;

/* Element j of row i of `from` becomes element i of row j of `to`. What `from` does not have is 0.
 */
void transpose_emit(Ir *ir, int lanes, const Strips *from, const Strips *to);

/* A window's result so far with one more vector; what it begins with. */
IrValue window_combine(const Emitter *emitter, IrValue result, IrValue vector);
IrValue window_neutral(const Emitter *emitter);

/* ---- the kernels, one a file --------------------------------------------------------------- */

void conv_direct_emit(const Emitter *emitter); /* groups = 1, or whole vectors of filters a group */
void conv_columns_emit(const Emitter *emitter); /* of plain images, few filters */
void conv_winograd_emit(const Emitter *emitter);
void conv_strassen_emit(const Emitter *emitter);
void conv_shuffle_emit(const Emitter *emitter); /* conv_shuffles */
void conv_gather_emit(const Emitter *emitter);  /* any groups */
void depthwise_emit(const Emitter *emitter);
void conv_general_emit(const Emitter *emitter); /* of volumes, transposed; any groups */
void gemv_emit(const Emitter *emitter);
void gemm_emit(const Emitter *emitter);
void recurrent_emit(const Emitter *emitter);
void table_emit(const Emitter *emitter);
void window_bias_emit(const Emitter *emitter);
void window_emit(const Emitter *emitter);
void window_columns_emit(const Emitter *emitter); /* of plain images */
void adaptive_emit(const Emitter *emitter);
void global_emit(const Emitter *emitter);
void softmax_emit(const Emitter *emitter);
void normalise_emit(const Emitter *emitter);
void lrn_emit(const Emitter *emitter);
void reduce_emit(const Emitter *emitter);
void rearrange_emit(const Emitter *emitter);
void resize_emit(const Emitter *emitter);
void map_emit(const Emitter *emitter);
void copy_emit(const Emitter *emitter);
void zero_emit(const Emitter *emitter);

#endif
