/* Runs packing recipes: plain tensors in, packed weights out.
 *
 * Loops that run through consecutive source elements and whose axes never leave their extents are
 * joined, after which nearly every recipe is [blocks][long run][filters]: a transposition, done in
 * strips so that each cache line read is used whole. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "plan/plan.h"

#define STRIP 16 /* floats of a cache line */

/* A loop with what it means for the source. */
typedef struct Level {
    int64_t count;
    int64_t stride; /* source elements that a turn moves */
    int axis;       /* -1: joined, no bounds to test */
    int64_t step;   /* indices along `axis` that a turn moves */
} Level;

typedef struct Packer {
    const PackRecipe *recipe;
    const double *scale; /* of each channel; NULL without affines */
    int level_count;
    Level levels[PACK_MAX_LOOPS];
    int64_t index[PACK_MAX_AXES]; /* where the loops outside stand */
    float *out;
} Packer;

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

static void pack_channels(const PackRecipe *recipe, float *out) {
    assert(recipe->loop_count == 1 && recipe->loops[0].axis == 0);
    int64_t channel = recipe->axes[0].base;
    for (int64_t i = 0; i < recipe->floats; i++, channel += recipe->loops[0].step) {
        if (channel >= recipe->axes[0].extent)
            out[i] = 0.0f;
        else if (recipe->kind == PACK_SCALE)
            out[i] = (float)channel_scale(recipe, channel);
        else
            out[i] = (float)channel_shift(recipe, channel);
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

/* Turns of a level that stay inside its axis. */
static int64_t turns_inside(const Packer *packer, const Level *level) {
    if (level->axis < 0)
        return level->count;
    int64_t room = packer->recipe->axes[level->axis].extent - packer->index[level->axis];
    int64_t turns = room <= 0 ? 0 : (room - 1) / level->step + 1;
    return turns < level->count ? turns : level->count;
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

/* out[r][c] = source[at + r * rows.stride + c * columns.stride], times its channel's scale; 0 where
 * an axis is left. Rows and columns do not move along the same axis. */
static void pack_matrix(Packer *packer, int64_t at, const Level *rows, const Level *columns) {
    int64_t width = columns->count;
    float *out = packer->out;
    packer->out += rows->count * width;
    bool outside = is_outside(packer, rows, columns);
    int64_t row_count = outside ? 0 : turns_inside(packer, rows);
    int64_t column_count = outside ? 0 : turns_inside(packer, columns);
    if (row_count < rows->count || column_count < width)
        memset(out, 0, (size_t)(rows->count * width) * sizeof *out);
    if (row_count == 0 || column_count == 0)
        return;

    const float *source = packer->recipe->source->data + at;
    int channel_axis = packer->recipe->channel_axis;
    const double *scale = packer->scale ? packer->scale + packer->index[channel_axis] : NULL;
    int64_t row_scale = rows->axis == channel_axis ? rows->step : 0;
    int64_t column_scale = columns->axis == channel_axis ? columns->step : 0;
    for (int64_t begin = 0; begin < row_count; begin += STRIP) {
        int64_t end = begin + STRIP < row_count ? begin + STRIP : row_count;
        for (int64_t c = 0; c < column_count; c++) {
            const float *from = source + c * columns->stride;
            for (int64_t r = begin; r < end; r++) {
                float x = from[r * rows->stride];
                if (scale)
                    x = (float)((double)x * scale[r * row_scale + c * column_scale]);
                out[r * width + c] = x;
            }
        }
    }
}

/* Runs the levels from `depth` on, the last two as a matrix; `at` is where the source stands. */
static void pack_level(Packer *packer, int64_t at, int depth) {
    static const Level once = {.count = 1, .axis = -1};
    int left = packer->level_count - depth;
    const Level *level = &packer->levels[depth];
    if (left == 1) {
        pack_matrix(packer, at, &once, level);
        return;
    }
    if (left == 2 && (level->axis < 0 || level->axis != level[1].axis)) {
        pack_matrix(packer, at, level, level + 1);
        return;
    }
    for (int64_t i = 0; i < level->count; i++) {
        pack_level(packer, at + i * level->stride, depth + 1);
        if (level->axis >= 0)
            packer->index[level->axis] += level->step;
    }
    if (level->axis >= 0)
        packer->index[level->axis] -= level->count * level->step;
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

static void pack_tensor(Arena *arena, const PackRecipe *recipe, float *out) {
    Packer packer = {.recipe = recipe, .out = out, .scale = channel_scales(arena, recipe)};
    make_levels(&packer);
    int64_t start = 0;
    for (int axis = 0; axis < recipe->axis_count; axis++) {
        packer.index[axis] = recipe->axes[axis].base;
        start += recipe->axes[axis].base * recipe->axes[axis].stride;
    }
    pack_level(&packer, start, 0);
    assert(packer.out == out + recipe->floats);
}

/* ---- Winograd ------------------------------------------------------------------------------ */

/* G g G' of one kernel g, times `scale`, `stride` floats from a position to the next. */
static void transform_kernel(const Winograd *winograd, const float *g, double scale, float *out,
                             int64_t stride) {
    int taps = winograd->taps, size = winograd->size;
    double lines[WINOGRAD_MAX_TAPS][WINOGRAD_MAX_SIZE]; /* g G' */
    for (int i = 0; i < taps; i++)
        for (int column = 0; column < size; column++) {
            double line = winograd->weight[column][0] * (double)g[i * taps];
            for (int j = 1; j < taps; j++)
                line += winograd->weight[column][j] * (double)g[i * taps + j];
            lines[i][column] = line;
        }
    for (int row = 0; row < size; row++)
        for (int column = 0; column < size; column++) {
            double sum = winograd->weight[row][0] * lines[0][column];
            for (int i = 1; i < taps; i++)
                sum += winograd->weight[row][i] * lines[i][column];
            out[(row * size + column) * stride] = (float)(sum * scale);
        }
}

/* [positions][blocks][channels][width]; all positions of a kernel at once. */
static void pack_winograd(Arena *arena, const PackRecipe *recipe, float *out) {
    const double *scale = channel_scales(arena, recipe);
    int64_t filters = recipe->axes[0].extent, channels = recipe->axes[1].extent;
    int64_t positions = recipe->axes[2].extent, stride = recipe->floats / positions;
    const PackLoop *innermost = &recipe->loops[recipe->loop_count - 1];
    assert(innermost->axis == 0 && innermost->step == 1);
    int64_t width = innermost->count;
    for (int64_t i = 0; i < stride; i++) {
        int64_t filter = recipe->axes[0].base + i / (channels * width) * width + i % width;
        int64_t channel = i / width % channels;
        if (filter < filters) {
            int64_t at = filter * recipe->axes[0].stride + channel * recipe->axes[1].stride;
            transform_kernel(recipe->winograd, recipe->source->data + at,
                             scale ? scale[filter] : 1.0, out + i, stride);
        } else {
            for (int64_t position = 0; position < positions; position++)
                out[position * stride + i] = 0.0f;
        }
    }
}

static void pack_recipe(Arena *arena, const PackRecipe *recipe, float *out) {
    switch (recipe->kind) {
    case PACK_TENSOR: pack_tensor(arena, recipe, out); break;
    case PACK_WINOGRAD: pack_winograd(arena, recipe, out); break;
    case PACK_SCALE:
    case PACK_SHIFT: pack_channels(recipe, out); break;
    }
}

void plan_pack(const Plan *plan, void *packed) {
    unsigned char *bytes = packed;
    int64_t end = 0; /* of what is written */
    for (size_t i = 0; i < plan->packed.count; i++) {
        const Packed *tensor = plan->packed.data[i];
        memset(bytes + end, 0, (size_t)(tensor->offset - end));
        float *out = (float *)(void *)(bytes + tensor->offset);
        for (size_t k = 0; k < tensor->recipes.count; k++) {
            pack_recipe(plan->arena, &tensor->recipes.data[k], out);
            out += tensor->recipes.data[k].floats;
        }
        end = tensor->offset + tensor->floats * (int64_t)sizeof(float);
    }
    memset(bytes + end, 0, (size_t)(plan->packed_bytes - end));
}
