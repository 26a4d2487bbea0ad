/* Steps: what a plan is made of. Each is the work of one kernel, with all it needs: what it reads
 * and writes, with which numbers, how much at once, and which threads share it.
 *
 * Shapes are seen as channels x height x width here: [N] is N x 1 x 1, [C, L] is C x 1 x L, and of
 * a higher rank all axes between the first and the last count as height. */
#ifndef NETC_PLAN_STEP_H
#define NETC_PLAN_STEP_H

#include "graph/graph.h"
#include "plan/band.h"
#include "plan/elementwise.h"
#include "plan/packed.h"
#include "plan/view.h"
#include "plan/window_grid.h"

/* Where a stage's operand y comes from. */
typedef enum OperandKind {
    OPERAND_NONE,    /* the operation has none */
    OPERAND_NUMBER,  /* the constant a */
    OPERAND_NUMBERS, /* a constant for each channel, rounded once to f32 */
    OPERAND_ELEMENT, /* the same element of inputs[operand] */
    OPERAND_CHANNEL, /* element (channel, 0, 0) of inputs[operand], which has no other pixels */
    OPERAND_WEIGHT,  /* a trained number for each channel, or one for all */
} OperandKind;

/* An elementwise operation (plan/elementwise.h) with all it needs. */
typedef struct MapStage {
    MapOp op;
    OperandKind kind;
    bool reversed; /* y op x: SUBTRACT, DIVIDE */
    double constants[2];
    const double *numbers; /* NUMBERS: as many as the output has channels */
    Lines lines;           /* LINES */
    int operand;           /* ELEMENT, CHANNEL: index into Step.inputs */
    const Weight *weight;  /* WEIGHT: [channels] or [1] */
    Affine affine;         /* AFFINE */
    Packed *vectors[2];    /* AFFINE: scale and shift; WEIGHT: the numbers; set by tile */
    const Node *node;      /* who asked for it */
} MapStage;

/* How many packed vectors a stage reads. */
static inline int stage_vectors(const MapStage *stage) {
    return stage->op == MAP_AFFINE ? 2 : stage->kind == OPERAND_WEIGHT ? 1 : 0;
}

/* Whether it must know the channel of each element. */
static inline bool stage_needs_channel(const MapStage *stage) {
    return stage_vectors(stage) > 0 || stage->kind == OPERAND_CHANNEL ||
           stage->kind == OPERAND_NUMBERS;
}

static inline bool stage_reads_input(const MapStage *stage) {
    return stage->kind == OPERAND_ELEMENT || stage->kind == OPERAND_CHANNEL;
}

typedef enum StepKind {
    STEP_CONV,         /* direct convolution, any groups; input 0 any block, output blocked; or both
                          plain: one group, columns side by side, few filters */
    STEP_WINOGRAD,     /* convolution by Winograd's method, one group; blocked */
    STEP_STRASSEN,     /* kernel of 1 x 1 by Strassen's method, one group; or a product of matrices,
                          views as for SOFTMAX; halves of whole blocks */
    STEP_DEPTHWISE,    /* groups = channels = filters; blocked */
    STEP_CONV_GENERAL, /* convolution of a volume, or transposed; input 0 any block (blocked if
                          groups = channels = filters), output blocked; tests its rows' bounds */
    STEP_DENSE,        /* matrix-vector product; input 0 any view, output a plain vector */
    STEP_WINDOW,       /* one number from each window; blocked, tests its bounds; or both plain: a
                          plane, no window reaches past its edges, few channels */
    STEP_ADAPTIVE,     /* average over even shares of the input's rows and columns; blocked */
    STEP_GLOBAL,       /* reduces each channel; input blocked, output a plain vector */
    STEP_GEMM,         /* matrix products; views as for SOFTMAX */
    STEP_TABLE,        /* rows of a weight; views as for SOFTMAX */
    STEP_WINDOW_BIAS,  /* what attention adds to scores within windows; views as for SOFTMAX */
    STEP_RECURRENT,    /* the recurrence of lstm, gru, rnn; views as for SOFTMAX */
    STEP_SOFTMAX,   /* over one axis, or its logarithm; both views plain, no gaps: the value's own
                       row-major order */
    STEP_NORMALISE, /* over a set of axes; views as for SOFTMAX */
    STEP_LRN,       /* local response normalisation; views as for SOFTMAX */
    STEP_REDUCE,    /* over a set of axes; views as for SOFTMAX */
    STEP_REARRANGE, /* the same elements in another order, some left out, repeated or made up; both
                    views as of SOFTMAX */
    STEP_RESIZE,    /* each channel's image at another size; blocked, output of input's channels */
    STEP_MAP,       /* nothing but its epilogue; all views of one block and, but for CHANNEL
                       operands, of one shape */
    STEP_COPY,      /* same elements into another layout; both views of one shape, any blocks */
    STEP_ZERO,      /* zeros the halo around its output; no inputs */
    STEP_VIEW,      /* lowering only: same elements, another shape */
    STEP_CONCAT,    /* lowering only: inputs side by side along `concat.axis` */
} StepKind;

#define STEP_KINDS (STEP_CONCAT + 1)

/* What steps may read and write.
 *
 * MAP, COPY and REARRANGE read f32 or bytes, which become the same numbers as f32; all others f32.
 *
 * CONV and DEPTHWISE read input pixel (h * stride[0] - pad_begin[0] + kh * dilation[0], the same
 * for w) for output pixel (h, w) without testing bounds: where that lies outside the view there is
 * a halo, which a STEP_ZERO has filled with zeros (all lanes of all blocks). `inputs[0]` is the
 * view without the halo.
 *
 * WINOGRAD reads the whole of each tile, whose output begins at pixel (i * m, j * m) for 0 <= i <
 * tiles[0], 0 <= j < tiles[1] of F(m x m, r x r): its halo may reach further at the end. It writes
 * only the pixels of its output.
 *
 * STRASSEN reads as CONV does; two pixels, or rows of a product, in order, are a tile; tiles[0] 1.
 *
 * CONV_GENERAL tests its bounds along depth and height, but has a halo to the left and right. Along
 * each axis input i and output o are tap k of each other where
 *     i = o * stride - pad_begin + k * dilation
 * or, transposed, o = i * stride - pad_begin + k * dilation.
 *
 * STEP_ZERO zeros the pixels -begin[0] <= h < height + end[0], -begin[1] <= w < width + end[1] that
 * are outside its output view, in all blocks, whole blocks. Around such a view
 *     row_stride   = (begin[1] + width + end[1]) * pixel_stride
 *     block_stride = (begin[0] + height + end[0]) * row_stride
 * so that in each block they are: one run of begin[0] rows and begin[1] pixels, after each row but
 * the last a run of end[1] + begin[1] pixels, and one run of end[1] pixels and end[0] rows. It runs
 * before any pixel of the view is written.
 *
 * A step writes every element of its output once, and nothing else but lanes past the last channel.
 * Its output may be exactly the view of an ELEMENT operand, or of input 0 of a MAP or NORMALISE: it
 * then writes an element only after it has read that same element (in place), NORMALISE only after
 * all else that the element's statistics are made of. Otherwise nothing that a step writes is read
 * by it. */

/* The spatial axes of a window. The planar ones come first: most kernels know no other. */
enum WindowAxis { WINDOW_HEIGHT, WINDOW_WIDTH, WINDOW_DEPTH };

/* Spatial facts of a window that slides over an input, by WindowAxis. Along an axis that the input
 * does not have there is one tap. Of a volume [C, D, H, W] a view's rows are the D * H lines; the
 * slices say how many belong together. */
typedef struct Window {
    int64_t kernel[MAX_SPATIAL];
    int64_t stride[MAX_SPATIAL];
    int64_t dilation[MAX_SPATIAL];
    int64_t pad_begin[MAX_SPATIAL];
    int64_t pad_end[MAX_SPATIAL];
    int64_t input_slices; /* depth of the input and of the output; 1 but for volumes */
    int64_t output_slices;
} Window;

/* Initialises the window of a step that reads of each image only the pixel that it makes. */
#define WINDOW_OF_PIXEL                                                                            \
    {.kernel = {1, 1, 1},                                                                          \
     .stride = {1, 1, 1},                                                                          \
     .dilation = {1, 1, 1},                                                                        \
     .input_slices = 1,                                                                            \
     .output_slices = 1}

/* Matrices within a tensor in row-major order: element (i, k) of matrix number b is the tensor's
 * element number  offset + b * batch_stride + i * row_stride + k. */
typedef struct Matrices {
    int64_t offset;
    int64_t batch_stride;
    int64_t row_stride;
} Matrices;

/* Work of a square product that causal attention has no need of. */
typedef enum Triangle {
    TRIANGLE_NONE,
    TRIANGLE_RESULT, /* result[i][j] is needed for j <= i only, the others may be anything; the
                        right matrix is transposed */
    TRIANGLE_LEFT,   /* left[i][k] counts for k <= i only, the others may be anything; the right
                        matrix is that of a tensor, not transposed */
} Triangle;

/* Products of matrices, for each b < batches
 *     result[i][j] = sum over k of left[i][k] * right[k][j],
 * i < rows, k < depth, j < columns. The right matrices are those of a tensor, or the transposed of
 * them (right[k][j] is then their element (j, k)), or a packed weight, the same for all b. */
typedef struct Product {
    int64_t batches;
    int64_t rows;
    int64_t depth;
    int64_t columns;
    Matrices left;
    Matrices right; /* of a tensor */
    Matrices result;
    bool transposed;
    double factor; /* each sum times this; 0: as it is. Not with a weight */
    Triangle triangle;
} Product;

/* A set of axes of a shape: axis k is bit 1 << k. */
typedef unsigned AxisSet;

typedef enum ReduceOp {
    REDUCE_SUM,
    REDUCE_MEAN,
    REDUCE_MAX,    /* NaN if any is */
    REDUCE_ARGMAX, /* place of the first of the largest, NaN being larger than any; not GLOBAL */
} ReduceOp;

/* Each number x of a slice (the numbers along `axes`, for each place on the other axes) becomes
 *     centred:  (x - mean) / sqrt(variance + epsilon) * weight + bias
 *     else      x / sqrt(mean of the squares + epsilon) * weight + bias
 * with mean and variance (of all numbers, not of one less) of its slice. */
typedef struct Normalisation {
    Shape shape; /* how the value is seen, in its own row-major order */
    AxisSet axes;
    AxisSet parameter_axes; /* weight and bias are indexed by these, row-major */
    bool centred;
    double epsilon;
    const Weight *weight; /* NULL: 1 */
    const Weight *bias;   /* NULL: 0; only with a weight */
} Normalisation;

/* What stands where a rearrangement reaches past the edge of its input. */
typedef enum RearrangeEdge {
    REARRANGE_CONSTANT, /* a number */
    REARRANGE_REFLECT,  /* place -i is place i, and so at the other end: the edge is not repeated */
    REARRANGE_REPLICATE, /* place -i is place 0 */
    REARRANGE_WRAP, /* place -i is place extent - i, place extent + i is place i; begin and what
                       follows the extent are at most one extent; the count may end before it */
} RearrangeEdge;

/* One loop of a rearrangement. Index 0 <= i < count of the output stands for place i - begin along
 * `stride` in the input; there are places 0 to extent - 1, all others are past the edge. */
typedef struct RearrangeLoop {
    int64_t count;
    int64_t stride; /* floats from a place to the next; 0: the same again and again */
    int64_t begin;  /* 0 and */
    int64_t extent; /* count, where there is no edge to reach past */
} RearrangeLoop;

/* The output, in row-major order, is written by a nest of loops, outermost first; their places
 * times strides add up to the float of the input (row-major too) that is read. */
#define REARRANGE_MAX_LOOPS 8
typedef struct Rearrange {
    int64_t first; /* float of the input at place 0 of all loops */
    int loop_count;
    RearrangeLoop loops[REARRANGE_MAX_LOOPS];
    RearrangeEdge edge;
    double value; /* CONSTANT */
} Rearrange;

/* What a MAP of one input does with it: element (c, h, w) of the output is made from the input's
 * element number  first + c * channel + h * row + w * column  in its own row-major order. */
typedef struct Reorder {
    bool wanted; /* false: from the same element */
    int64_t first;
    int64_t channel;
    int64_t row;
    int64_t column;
} Reorder;

/* How an image gets another size, along each spatial axis on its own. With n places in and m out,
 * place i of the output lies at x in the input, computed exactly:
 *     nearest             floor(i n / m)
 *     linear              ((2 i + 1) n - m) / (2 m), but not below 0
 *     linear, corners     i (n - 1) / (m - 1), 0 for m = 1
 * Linear is a mean of places floor(x) and the next (or the last), weighted by the distances. */
typedef struct Resize {
    bool linear;
    bool corners;
    int axes; /* spatial axes; all but the last are the view's height */
    int64_t input[MAX_SPATIAL];
    int64_t output[MAX_SPATIAL];
} Resize;

/* Each number x of channel c becomes x / (offset + factor * sum of squares) ^ exponent, the sum
 * over the numbers at its place in channels c - before to c + after, as far as they exist. */
typedef struct ResponseNorm {
    int64_t before;
    int64_t after;
    double factor;
    double offset; /* > 0 */
    double exponent;
} ResponseNorm;

/* How a recurrent layer makes its next state (kernels/recurrent.c), gates in PyTorch's order. */
typedef enum RecurrentCell {
    RECURRENT_LSTM, /* input, forget, cell, output */
    RECURRENT_GRU,  /* reset, update, new; the reset gate is applied after the product */
    RECURRENT_TANH,
    RECURRENT_RELU,
} RecurrentCell;

/* Gates of each unit: rows of its weights. */
int recurrent_gates(RecurrentCell cell);

/* What a window gives; padding has no part in it unless it is counted. */
typedef enum WindowOp {
    WINDOW_MAXIMUM,
    WINDOW_AVERAGE,
    WINDOW_SUM_OF_SIZES,   /* |x| + ... */
    WINDOW_SUM_OF_SQUARES, /* x x + ... */
} WindowOp;

/* What a tile computes at once in registers: rows x columns output pixels of `vectors` vectors of
 * output channels, by columns a vector of them in `rows` rows for `vectors` filters (conv,
 * depthwise, window; of a transposed convolution, columns that are a stride apart), or `vectors`
 * vectors of outputs in `unroll` independent chains (dense) for `rows` samples that are together,
 * or `rows` rows of a product by `vectors` vectors of its columns, or, if the right matrix is
 * transposed, by `columns` single columns (gemm). Tiles at the lower and right edge and the last
 * filters are cut to what is there; rows <= height and columns <= width. All 0 for other steps. */
typedef struct Tile {
    int rows;
    int columns;
    int vectors; /* depthwise, window: 1 */
    int unroll;  /* conv: input channels per loop turn, a divisor of channels / groups and, for a
                    blocked input, of V, so a turn never leaves a block; dense: inputs per loop turn,
                    a power of two, at most V for a blocked input; gemm: terms of each sum per loop
                    turn; recurrent: chains, a power of two; else 1 */
} Tile;

/* How the parts of a step share its work, where there is a choice. */
typedef enum Split {
    SPLIT_CHANNELS, /* each has channels of the output, all rows of most of them: reads fewer
                       weights */
    SPLIT_ROWS,     /* each has rows of the output, of all channels: reads less of the input */
} Split;

#define STEP_MAX_INPUTS  66
#define STEP_MAX_STAGES  64
#define STEP_MAX_VECTORS 48 /* packed vectors of the stages of one step */

/* An algorithm that a convolution could have used. */
#define STEP_MAX_CHOICES 4
typedef struct Choice {
    StepKind kind; /* CONV: direct; WINOGRAD, STRASSEN */
    int outputs;   /* m of Winograd's F(m x m, r x r) */
    double cycles; /* predicted */
} Choice;

/* Shares of an attention so small change no sum; as denormals, which a mask of -100 makes of them,
 * each would cost an Intel processor some 150 cycles wherever it is multiplied. */
#define SOFTMAX_DROPPED (-80.0)

typedef struct Step {
    StepKind kind;
    const Node *node; /* the layer it is accounted to; its span is the debug location. NULL for a
                         COPY of a network input into an output. */
    const char *path; /* of the layer, and which of its steps it is where it has several */
    const char *name; /* paths of all layers in it, "conv1 + bn1 + relu1" */

    Value **input_values; /* from lowering; those of epilogue operands follow the step's own */
    Value *output_value;
    View *inputs; /* set by layout, as many as input_values */
    View output;
    int64_t scratch_floats; /* memory that the step alone uses, by lowering or choose; 0: none */
    Buffer *scratch;        /* set by layout */
    int input_count;

    union {
        struct {
            Window window;
            int64_t groups;
            bool transposed;          /* CONV_GENERAL */
            const Weight *weight;     /* [filters, channels / groups, kernel...]; transposed
                                         [channels, filters / groups, kernel...] */
            const Weight *bias;       /* NULL: none */
            const Winograd *winograd; /* WINOGRAD */
            int64_t tiles[2];         /* rows and columns of them; also STRASSEN, as the next */
            double cycles;            /* predicted, of one thread */
            int64_t group; /* tiles that are transformed together, a multiple of tile.columns */
            int64_t run;   /* STRASSEN: of those, tiles that go through the products together */
            int64_t rows;  /* STRASSEN of a product: its rows; else 0 */
        } conv;            /* CONV, WINOGRAD, STRASSEN, DEPTHWISE, CONV_GENERAL */
        struct {
            const Weight *weight; /* [outputs, inputs] */
            const Weight *bias;
            double together_cycles; /* predicted, of all samples of a call together */
            double apart_cycles;    /* and of one after the other; set by batch */
        } dense;
        struct {
            Product product;
            const Weight *weight; /* its rows, [.., depth], from `first` on are the right matrix's
                                     columns; NULL: it is that of input 1 */
            const Weight *bias;   /* with a weight: the same of it, added; NULL: none */
            int64_t first;
            bool transposes; /* a transposed right matrix, a panel of the tile's columns after the
                                other, into scratch memory; set by choose */
        } gemm;
        struct {
            const Weight *weight; /* [at least `rows`, width] */
            int64_t rows;
            int64_t width;
            bool numbered; /* the elements of input 0 say which; else the first rows, in order */
        } table;           /* row t of the output, seen as [.., width], is row t or row input[t] */
        struct {
            const Weight *weight; /* of relative positions, [rows, heads] */
            WindowGrid grid;
        } window_bias; /* output [windows[0], windows[1], heads, query, key] */
        struct {
            RecurrentCell cell;
            int64_t times;
            int64_t hidden;
            int directions; /* each has its own input, [times, gates * hidden]; the second runs
                               from the last time to the first */
            bool sequence;  /* output [times, directions * hidden]; else of the last time of each
                               direction only, [directions * hidden] */
            const Weight *weights[2]; /* of each direction, [gates * hidden, hidden] */
            const Weight *biases[2];  /* [gates * hidden]; NULL: none */
        } recurrent;
        struct {
            Window window;
            WindowOp op;
            bool count_padding; /* AVERAGE: padding counts as zeros */
        } window;
        struct {
            int axis;    /* of the value's shape */
            bool causal; /* over the last axis: only of the first i + 1 numbers in row i of the
                            axis before, the others are neither read nor written */
            bool logarithm;
            bool drops; /* what is less than e^SOFTMAX_DROPPED of the largest is 0 */
        } softmax;
        Normalisation normalise;
        ResponseNorm response; /* LRN */
        struct {
            ReduceOp op;
            AxisSet axes; /* REDUCE: of the input value's shape */
        } reduce;         /* GLOBAL, REDUCE */
        Rearrange rearrange;
        Reorder reorder; /* MAP */
        Resize resize;
        struct {
            int axis;
            bool stacked; /* `axis` is one that the inputs do not have */
        } concat;
        struct {
            int64_t begin[2]; /* rows above, columns to the left */
            int64_t end[2];   /* rows below, columns to the right */
        } zero;
    };

    Affine *affines; /* folded into the weights, in order */
    int affine_count;
    Packed *weights; /* CONV, DEPTHWISE, DENSE, NORMALISE, TABLE, WINDOW_BIAS, RECURRENT, GEMM with
                        a weight; set by tile */
    Packed *bias;    /* PACK_SHIFT; NULL when neither bias nor affine. NORMALISE: as it is */
    Tile tile;
    BandPart band; /* CONV, DEPTHWISE, WINDOW, COPY and ZERO between them; set by band */
    int parts;     /* threads that do it together; below 2: one alone */
    Split split;   /* CONV, WINOGRAD and STRASSEN (set by choose), DEPTHWISE, CONV_GENERAL, WINDOW,
                      ADAPTIVE, RESIZE */
    bool waits;    /* begins only when all parts of all steps before it are done */
    bool together; /* does all samples of a call at once: DENSE; set by batch */
    Choice choices[STEP_MAX_CHOICES]; /* what was weighed, direct first; set by choose */
    int choice_count;

    VEC(MapStage)
    epilogue; /* applied to each result, in order, before it is stored; at most STEP_MAX_STAGES;
                 none on SOFTMAX, COPY, ZERO; none that needs the channel on what is in its own
                 order: GEMM, NORMALISE, LRN, REDUCE */
} Step;

/* Whether a stage of the epilogue must know the channel of each element. */
static inline bool step_needs_channel(const Step *step) {
    for (size_t i = 0; i < step->epilogue.count; i++)
        if (stage_needs_channel(&step->epilogue.data[i]))
            return true;
    return false;
}

/* Whether input `k` has a number for each channel of the output, whatever the output's shape. */
static inline bool step_input_is_channels(const Step *step, int k) {
    for (size_t i = 0; i < step->epilogue.count; i++)
        if (step->epilogue.data[i].kind == OPERAND_CHANNEL && step->epilogue.data[i].operand == k)
            return true;
    return false;
}

/* The window of a CONV, DEPTHWISE or WINDOW. */
static inline const Window *step_window(const Step *step) {
    return step->kind == STEP_WINDOW ? &step->window.window : &step->conv.window;
}

/* Whether a step's kernel is told which rows to do. */
static inline bool step_takes_rows(const Step *step) {
    return step->band.band && step->band.when == TURNS_ALL;
}

/* "winograd" */
const char *step_kind_name(StepKind kind);

#endif
