/* Runs packing recipes: plain tensors in, packed weights out.
 *
 * Loops that run through consecutive source elements and whose axes never leave their extents are
 * joined, after which nearly every recipe is [blocks][long run][filters]: a transposition, done in
 * strips so that each cache line read is used whole. What is packed is handed on in pieces that are
 * still in the second cache: weights may be half of the memory there is. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "plan/strassen.h"

#define STRIP 16                 /* floats of a cache line */
#define PIECE ((int64_t)1 << 16) /* floats handed on together */

/* Packed floats in their order. */
typedef struct Output {
    float *floats;
    int64_t used;
    int64_t room;
    int64_t block; /* most floats asked for at once */
    PackTake take; /* gets what is in `floats` when it is full; NULL: it never is */
    void *context;
    bool failed;   /* `take` wants no more */
    float *tensor; /* of pack_winograd; made when it is needed */
    int64_t tensor_room;
} Output;

/* A loop with what it means for the source. */
typedef struct Level {
    int64_t count;
    int64_t stride; /* source elements that a turn moves */
    int axis;       /* -1: joined, no bounds to test */
    int64_t step;   /* indices along `axis` that a turn moves */
} Level;

typedef struct Packer {
    Output *out;
    const PackRecipe *recipe;
    const double *scale; /* of each channel; NULL without affines */
    int level_count;
    Level levels[PACK_MAX_LOOPS];
    int64_t index[PACK_MAX_AXES]; /* where the loops outside stand */
} Packer;

/* ---- output ------------------------------------------------------------------------------- */

/* Hands on all whole cache lines, or at the end all there is. */
static void output_flush(Output *out, bool end) {
    int64_t floats = end ? out->used : out->used / STRIP * STRIP;
    if (!out->failed)
        out->failed = !out->take(out->context, out->floats, (size_t)floats * sizeof(float));
    out->used -= floats;
    memmove(out->floats, out->floats + floats, (size_t)out->used * sizeof(float));
}

/* Where the next `floats` go, at most out->block. */
static float *output_next(Output *out, int64_t floats) {
    assert(floats <= out->block);
    if (floats > out->room - out->used)
        output_flush(out, false);
    float *next = out->floats + out->used;
    out->used += floats;
    return next;
}

/* The next `floats`, from memory or, if it is NULL, zeros. */
static void output_add(Output *out, const float *from, int64_t floats) {
    while (floats > 0) {
        int64_t count = floats < out->block ? floats : out->block;
        float *next = output_next(out, count);
        if (from) {
            memcpy(next, from, (size_t)count * sizeof *next);
            from += count;
        } else {
            memset(next, 0, (size_t)count * sizeof *next);
        }
        floats -= count;
    }
}

/* ---- affines ------------------------------------------------------------------------------ */

static double affine_scale(const Affine *affine, int64_t channel) {
    double scale = affine->gamma ? (double)affine->gamma->data[channel] : 1.0;
    if (affine->variance)
        scale /= sqrt((double)affine->variance->data[channel] + affine->epsilon);
    return scale;
}

static double channel_scale(const PackRecipe *recipe, int64_t channel) {
    double scale = 1.0;
    for (int i = 0; i < recipe->affine_count; i++)
        scale *= affine_scale(&recipe->affines[i], channel);
    return scale;
}

static double channel_shift(const PackRecipe *recipe, int64_t channel) {
    double x = recipe->source ? (double)recipe->source->data[channel] : 0.0;
    for (int i = 0; i < recipe->affine_count; i++) {
        const Affine *affine = &recipe->affines[i];
        if (affine->mean)
            x -= (double)affine->mean->data[channel];
        x *= affine_scale(affine, channel);
        if (affine->beta)
            x += (double)affine->beta->data[channel];
    }
    return x;
}

static void pack_channels(Output *out, const PackRecipe *recipe) {
    assert(recipe->loop_count == 1 && recipe->loops[0].axis == 0);
    int64_t channel = recipe->axes[0].base;
    for (int64_t i = 0; i < recipe->floats; i++, channel += recipe->loops[0].step) {
        double x = 0;
        if (channel < recipe->axes[0].extent)
            x = (recipe->kind == PACK_SCALE ? channel_scale : channel_shift)(recipe, channel);
        *output_next(out, 1) = (float)x;
    }
}

/* ---- levels ------------------------------------------------------------------------------- */

/* Whether the loops can move the index along `axis` past its extent. */
static bool axis_leaves(const PackRecipe *recipe, int axis) {
    int64_t last = recipe->axes[axis].base;
    for (int i = 0; i < recipe->loop_count; i++)
        if (recipe->loops[i].axis == axis)
            last += (recipe->loops[i].count - 1) * recipe->loops[i].step;
    return last >= recipe->axes[axis].extent;
}

/* Sets the levels: the recipe's loops, joined where the outer one goes on where the inner ends. */
static void make_levels(Packer *packer) {
    const PackRecipe *recipe = packer->recipe;
    for (int i = 0; i < recipe->loop_count; i++) {
        const PackLoop *loop = &recipe->loops[i];
        bool is_channel = packer->scale && loop->axis == recipe->channel_axis;
        Level level = {.count = loop->count,
                       .stride = loop->step * recipe->axes[loop->axis].stride,
                       .axis = is_channel || axis_leaves(recipe, loop->axis) ? loop->axis : -1,
                       .step = loop->step};
        Level *outer = packer->level_count > 0 ? &packer->levels[packer->level_count - 1] : NULL;
        if (outer && outer->axis < 0 && level.axis < 0 &&
            outer->stride == level.stride * level.count) {
            outer->count *= level.count;
            outer->stride = level.stride;
        } else {
            packer->levels[packer->level_count++] = level;
        }
    }
}

/* ---- copying ------------------------------------------------------------------------------ */

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Turns of a level that stay inside its axis. */
static int64_t turns_inside(const Packer *packer, const Level *level) {
    if (level->axis < 0)
        return level->count;
    int64_t room = packer->recipe->axes[level->axis].extent - packer->index[level->axis];
    return least(room <= 0 ? 0 : (room - 1) / level->step + 1, level->count);
}

/* Whether an axis that neither of the two levels moves is past its extent. */
static bool is_outside(const Packer *packer, const Level *rows, const Level *columns) {
    const PackRecipe *recipe = packer->recipe;
    for (int axis = 0; axis < recipe->axis_count; axis++)
        if (axis != rows->axis && axis != columns->axis &&
            packer->index[axis] >= recipe->axes[axis].extent)
            return true;
    return false;
}

typedef float Quad __attribute__((vector_size(16), aligned(4), may_alias));

/* out[r][c] = from[c][r] of four rows and columns, the rows of each so many floats apart. */
static void transpose_4x4(float *out, int64_t out_stride, const float *from, int64_t from_stride) {
    Quad a = *(const Quad *)from, b = *(const Quad *)(from + from_stride);
    Quad c = *(const Quad *)(from + 2 * from_stride), d = *(const Quad *)(from + 3 * from_stride);
    Quad ab = __builtin_shufflevector(a, b, 0, 4, 1, 5),
         ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    Quad cd = __builtin_shufflevector(c, d, 0, 4, 1, 5),
         cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(Quad *)out = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    *(Quad *)(out + out_stride) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    *(Quad *)(out + 2 * out_stride) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
    *(Quad *)(out + 3 * out_stride) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
}

/* A matrix of packed floats and where it comes from: out[r * pitch + c] = from[r * row_stride + c *
 * column_stride], times scale[r * row_scale + c * column_scale]. */
typedef struct Matrix {
    int64_t rows;
    int64_t columns;
    float *out;
    int64_t pitch;
    const float *from;
    int64_t row_stride;
    int64_t column_stride;
    const double *scale; /* NULL: 1 */
    int64_t row_scale;
    int64_t column_scale;
} Matrix;

/* Rows from `begin` to `end`. */
static void copy_rows(const Matrix *m, int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
        const float *from = m->from + r * m->row_stride;
        float *out = m->out + r * m->pitch;
        if (m->column_stride == 1)
            memcpy(out, from, (size_t)m->columns * sizeof *out);
        else
            for (int64_t c = 0; c < m->columns; c++)
                out[c] = from[c * m->column_stride];
    }
}

/* The same where the numbers of a column are neighbours in the source. */
static void transpose_rows(const Matrix *m, int64_t begin, int64_t end) {
    int64_t c = 0;
    for (; c + 4 <= m->columns; c += 4) {
        const float *from = m->from + c * m->column_stride;
        int64_t r = begin;
        for (; r + 4 <= end; r += 4)
            transpose_4x4(m->out + r * m->pitch + c, m->pitch, from + r, m->column_stride);
        for (; r < end; r++)
            for (int k = 0; k < 4; k++)
                m->out[r * m->pitch + c + k] = from[k * m->column_stride + r];
    }
    for (; c < m->columns; c++)
        for (int64_t r = begin; r < end; r++)
            m->out[r * m->pitch + c] = m->from[c * m->column_stride + r];
}

static void scale_rows(const Matrix *m, int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
        const double *scale = m->scale + r * m->row_scale;
        float *out = m->out + r * m->pitch;
        for (int64_t c = 0; c < m->columns; c++)
            out[c] = (float)((double)out[c] * scale[c * m->column_scale]);
    }
}

static void fill_matrix(const Matrix *matrix) {
    bool across = matrix->row_stride == 1 && matrix->column_stride != 1;
    for (int64_t begin = 0; begin < matrix->rows; begin += STRIP) {
        int64_t end = least(begin + STRIP, matrix->rows);
        (across ? transpose_rows : copy_rows)(matrix, begin, end);
        if (matrix->scale)
            scale_rows(matrix, begin, end);
    }
}

/* Rows from `row` and columns from `column` on, as many as the matrix has, which gets zeros where
 * an axis is left. `at` is where the source stands at the first row and column. */
static void pack_part(const Packer *packer, int64_t at, const Level *rows, int64_t row,
                      const Level *columns, int64_t column, Matrix matrix) {
    bool outside = is_outside(packer, rows, columns);
    int64_t row_count = outside ? 0 : least(turns_inside(packer, rows) - row, matrix.rows);
    int64_t column_count =
        outside ? 0 : least(turns_inside(packer, columns) - column, matrix.columns);
    if (row_count < matrix.rows || column_count < matrix.columns)
        for (int64_t r = 0; r < matrix.rows; r++)
            memset(matrix.out + r * matrix.pitch, 0, (size_t)matrix.columns * sizeof(float));
    if (row_count <= 0 || column_count <= 0)
        return;
    int channel_axis = packer->recipe->channel_axis;
    matrix.rows = row_count;
    matrix.columns = column_count;
    matrix.row_stride = rows->stride;
    matrix.column_stride = columns->stride;
    matrix.from = packer->recipe->source->data + at + row * rows->stride + column * columns->stride;
    matrix.row_scale = rows->axis == channel_axis ? rows->step : 0;
    matrix.column_scale = columns->axis == channel_axis ? columns->step : 0;
    if (packer->scale)
        matrix.scale = packer->scale + packer->index[channel_axis] + row * matrix.row_scale +
                       column * matrix.column_scale;
    fill_matrix(&matrix);
}

/* Goes on by `turns` of a level. */
static void move(Packer *packer, const Level *level, int64_t turns) {
    if (level->axis >= 0)
        packer->index[level->axis] += turns * level->step;
}

/* The next floats, all of three levels, no two of which move along the same axis: as a matrix for
 * each turn of the middle one. */
static void pack_slab(Packer *packer, int64_t at, const Level *rows, const Level *middle,
                      const Level *columns) {
    int64_t block = packer->out->block, width = least(columns->count, block / middle->count);
    int64_t height = block / (middle->count * width);
    for (int64_t row = 0; row < rows->count; row += height)
        for (int64_t column = 0; column < columns->count; column += width) {
            Matrix matrix = {.rows = least(height, rows->count - row),
                             .columns = least(width, columns->count - column)};
            matrix.pitch = middle->count * matrix.columns;
            matrix.out = output_next(packer->out, matrix.rows * matrix.pitch);
            for (int64_t m = 0; m < middle->count; m++, matrix.out += matrix.columns) {
                pack_part(packer, at + m * middle->stride, rows, row, columns, column, matrix);
                move(packer, middle, 1);
            }
            move(packer, middle, -middle->count);
        }
}

/* ---- loops -------------------------------------------------------------------------------- */

static const Level once = {.count = 1, .axis = -1};

static bool are_apart(const Level *a, const Level *b) {
    return a->axis < 0 || a->axis != b->axis;
}

/* Whether a loop of three runs through the source and the two in it do not: then whole cache lines
 * are used only if the three are packed together. */
static bool is_slab(const Packer *packer, const Level *level) {
    return level->stride == 1 && level[1].stride != 1 && level[2].stride != 1 &&
           are_apart(level, level + 1) && are_apart(level, level + 2) &&
           are_apart(level + 1, level + 2) && level[1].count <= packer->out->block / level[2].count;
}

/* Runs the levels from `depth` on, the last of them together; `at` is where the source stands. */
static void pack_level(Packer *packer, int64_t at, int depth) {
    int left = packer->level_count - depth;
    const Level *level = &packer->levels[depth];
    if (left == 1) {
        pack_slab(packer, at, &once, &once, level);
    } else if (left == 2 && are_apart(level, level + 1)) {
        pack_slab(packer, at, level, &once, level + 1);
    } else if (left == 3 && is_slab(packer, level)) {
        pack_slab(packer, at, level, level + 1, level + 2);
    } else {
        for (int64_t i = 0; i < level->count; i++) {
            pack_level(packer, at + i * level->stride, depth + 1);
            move(packer, level, 1);
        }
        move(packer, level, -level->count);
    }
}

/* The scale of each channel; NULL without affines. */
static const double *channel_scales(Arena *arena, const PackRecipe *recipe) {
    if (recipe->affine_count == 0)
        return NULL;
    int64_t channels = recipe->axes[recipe->channel_axis].extent;
    double *scale = ARENA_ARRAY(arena, (size_t)channels, double);
    for (int64_t i = 0; i < channels; i++)
        scale[i] = channel_scale(recipe, i);
    return scale;
}

static void pack_tensor(Output *out, Arena *arena, const PackRecipe *recipe) {
    Packer packer = {.out = out, .recipe = recipe, .scale = channel_scales(arena, recipe)};
    make_levels(&packer);
    int64_t start = 0;
    for (int axis = 0; axis < recipe->axis_count; axis++) {
        packer.index[axis] = recipe->axes[axis].base;
        start += recipe->axes[axis].base * recipe->axes[axis].stride;
    }
    pack_level(&packer, start, 0);
}

/* ---- Winograd ------------------------------------------------------------------------------ */

#define LANES 4  /* kernels transformed side by side */
#define RUN   64 /* kernels whose numbers at a position are written together */

typedef double Lanes[LANES];

static void lanes_scale(Lanes result, double factor, const Lanes x) {
    for (int lane = 0; lane < LANES; lane++)
        result[lane] = factor * x[lane];
}

static void lanes_add(Lanes sum, double factor, const Lanes x) {
    for (int lane = 0; lane < LANES; lane++)
        sum[lane] += factor * x[lane];
}

/* G g G' of LANES kernels g, times the scale of each; RUN floats from a position to the next. */
static void transform_kernels(const Winograd *winograd, const Lanes *g, const Lanes scale,
                              float *out) {
    int taps = winograd->taps, size = winograd->size;
    Lanes lines[WINOGRAD_MAX_SIZE][WINOGRAD_MAX_TAPS]; /* G g' */
    for (int column = 0; column < size; column++)
        for (int i = 0; i < taps; i++) {
            lanes_scale(lines[column][i], winograd->weight[column][0], g[i * taps]);
            for (int j = 1; j < taps; j++)
                lanes_add(lines[column][i], winograd->weight[column][j], g[i * taps + j]);
        }
    for (int row = 0; row < size; row++)
        for (int column = 0; column < size; column++, out += RUN) {
            Lanes sum;
            lanes_scale(sum, winograd->weight[row][0], lines[column][0]);
            for (int i = 1; i < taps; i++)
                lanes_add(sum, winograd->weight[row][i], lines[column][i]);
            for (int lane = 0; lane < LANES; lane++)
                out[lane] = (float)(sum[lane] * scale[lane]);
        }
}

/* The kernels of up to LANES filters from `filter` on and one channel; RUN floats from a position
 * to the next, zeros where there is no filter. */
static void pack_kernels(const PackRecipe *recipe, const double *scale, int64_t filter,
                         int64_t channel, float *out) {
    Lanes g[WINOGRAD_MAX_TAPS * WINOGRAD_MAX_TAPS] = {0}, scales = {0};
    int64_t count = least(recipe->axes[0].extent - filter, LANES);
    int64_t taps = recipe->axes[1].stride;
    for (int lane = 0; lane < count; lane++) {
        const float *kernel =
            recipe->source->data + (filter + lane) * recipe->axes[0].stride + channel * taps;
        for (int tap = 0; tap < taps; tap++)
            g[tap][lane] = (double)kernel[tap];
        scales[lane] = scale ? scale[filter + lane] : 1;
    }
    transform_kernels(recipe->winograd, g, scales, out);
    for (int64_t lane = count < 0 ? 0 : count; lane < LANES; lane++)
        for (int64_t position = 0; position < recipe->axes[2].extent; position++)
            out[position * RUN + lane] = 0; /* not -0 */
}

/* [positions][blocks][channels][width]; a kernel gives numbers at all positions at once, which lie
 * so far apart, often by a power of two, that they are written in runs. */
static void pack_positions(const PackRecipe *recipe, const double *scale, float *out) {
    int64_t channels = recipe->axes[1].extent, positions = recipe->axes[2].extent;
    int64_t stride = recipe->floats / positions;
    const PackLoop *innermost = &recipe->loops[recipe->loop_count - 1];
    int64_t width = innermost->count;
    assert(innermost->axis == 0 && innermost->step == 1 && width % LANES == 0);
    float run[WINOGRAD_MAX_SIZE * WINOGRAD_MAX_SIZE * RUN];
    for (int64_t begin = 0; begin < stride; begin += RUN) {
        int64_t end = least(begin + RUN, stride);
        for (int64_t i = begin; i < end; i += LANES) {
            int64_t filter = recipe->axes[0].base + i / (channels * width) * width + i % width;
            pack_kernels(recipe, scale, filter, i / width % channels, run + (i - begin));
        }
        for (int64_t position = 0; position < positions; position++)
            memcpy(out + position * stride + begin, run + position * RUN,
                   (size_t)(end - begin) * sizeof *out);
    }
}

/* Memory for a tensor that must be there as a whole. */
static float *output_tensor(Output *out, int64_t floats) {
    if (floats > out->tensor_room) {
        free(out->tensor);
        out->tensor = malloc((size_t)floats * sizeof(float));
        if (!out->tensor)
            out_of_memory();
        out->tensor_room = floats;
    }
    return out->tensor;
}

static void pack_winograd(Output *out, Arena *arena, const PackRecipe *recipe) {
    const double *scale = channel_scales(arena, recipe);
    if (recipe->floats <= out->block) {
        pack_positions(recipe, scale, output_next(out, recipe->floats));
        return;
    }
    float *tensor = output_tensor(out, recipe->floats);
    pack_positions(recipe, scale, tensor);
    output_add(out, tensor, recipe->floats);
}

/* ---- Strassen ------------------------------------------------------------------------------- */

/* Filters that are packed side by side at most: as wide as a register tile. */
#define STRASSEN_WIDTH 128

/* Adds to `sums` what a quarter of the weights has for `width` filters from `filter` on and `depth`
 * channels from `channel` on, times a sign. */
static void add_quarter(const PackRecipe *recipe, const double *scale, double sign, int64_t filter,
                        int64_t width, int64_t channel, int64_t depth,
                        double sums[STRIP][STRASSEN_WIDTH]) {
    for (int64_t f = 0; f < width; f++) {
        const float *from = recipe->source->data + (filter + f) * recipe->axes[0].stride + channel;
        double factor = scale ? sign * scale[filter + f] : sign;
        for (int64_t k = 0; k < depth; k++)
            sums[k][f] += factor * (double)from[k];
    }
}

/* Half of the channels for a product and `width` filters from `filter` on, a strip at a time. */
static void pack_product(Output *out, const PackRecipe *recipe, const double *scale, int product,
                         int64_t filter, int64_t width) {
    const int64_t filters = recipe->axes[0].extent / 2, channels = recipe->axes[1].extent / 2;
    for (int64_t channel = 0; channel < channels; channel += STRIP) {
        double sums[STRIP][STRASSEN_WIDTH] = {0};
        int64_t depth = least(STRIP, channels - channel);
        for (int i = 0; i < 2; i++)
            for (int k = 0; k < 2; k++)
                if (strassen_weights[product][i][k] != 0)
                    add_quarter(recipe, scale, strassen_weights[product][i][k],
                                filter + i * filters, width, channel + k * channels, depth, sums);
        float *next = output_next(out, depth * width);
        for (int64_t k = 0; k < depth; k++)
            for (int64_t f = 0; f < width; f++)
                *next++ = (float)sums[k][f];
    }
}

/* [blocks][products][half of the channels][width] */
static void pack_strassen(Output *out, Arena *arena, const PackRecipe *recipe) {
    const double *scale = channel_scales(arena, recipe);
    const int64_t width = recipe->loops[recipe->loop_count - 1].count;
    const int64_t block = recipe->axes[1].extent / 2 * STRASSEN_PRODUCTS * width;
    assert(width <= STRASSEN_WIDTH);
    for (int64_t i = 0; i < recipe->floats / block; i++)
        for (int product = 0; product < STRASSEN_PRODUCTS; product++)
            pack_product(out, recipe, scale, product, recipe->axes[0].base + i * width, width);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void pack_recipe(Output *out, Arena *arena, const PackRecipe *recipe) {
    switch (recipe->kind) {
    case PACK_TENSOR: pack_tensor(out, arena, recipe); break;
    case PACK_WINOGRAD: pack_winograd(out, arena, recipe); break;
    case PACK_STRASSEN: pack_strassen(out, arena, recipe); break;
    case PACK_SCALE:
    case PACK_SHIFT: pack_channels(out, recipe); break;
    }
}

static void pack_all(const Plan *plan, Output *out) {
    int64_t end = 0; /* of what is packed, in bytes */
    for (size_t i = 0; i < plan->packed.count && !out->failed; i++) {
        const Packed *tensor = plan->packed.data[i];
        output_add(out, NULL, (tensor->offset - end) / (int64_t)sizeof(float));
        for (size_t k = 0; k < tensor->recipes.count; k++)
            pack_recipe(out, plan->arena, &tensor->recipes.data[k]);
        end = tensor->offset + tensor->floats * (int64_t)sizeof(float);
    }
    output_add(out, NULL, (plan->packed_bytes - end) / (int64_t)sizeof(float));
}

void plan_pack(const Plan *plan, void *packed) {
    int64_t floats = plan->packed_bytes / (int64_t)sizeof(float);
    Output out = {.floats = packed, .room = floats, .block = floats};
    pack_all(plan, &out);
    assert(out.used == floats);
}

bool plan_pack_in_pieces(const Plan *plan, PackTake take, void *context) {
    Output out = {.room = PIECE + STRIP, .block = PIECE, .take = take, .context = context};
    out.floats = aligned_alloc(64, (size_t)out.room * sizeof(float));
    if (!out.floats)
        out_of_memory();
    pack_all(plan, &out);
    output_flush(&out, true);
    free(out.floats);
    free(out.tensor);
    return !out.failed;
}
