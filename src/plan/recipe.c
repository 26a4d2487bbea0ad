#include "plan/recipe.h"

#include <assert.h>

#include "plan/strassen.h"
#include "support/checked.h"

/* A packed tensor that is being made. */
typedef struct Packing {
    Plan *plan;
    Packed *packed;
    bool fits; /* no size was out of bounds so far */
} Packing;

static Packing packing_begin(Plan *plan) {
    return (Packing){.plan = plan, .packed = ARENA_NEW(plan->arena, Packed), .fits = true};
}

static Packed *packing_end(Packing *packing) {
    int64_t bytes;
    if (!packing->fits || !checked_mul(packing->packed->floats, (int64_t)sizeof(float), &bytes))
        return NULL;
    VEC_PUSH(packing->plan->arena, &packing->plan->packed, packing->packed);
    return packing->packed;
}

static void add_axis(PackRecipe *recipe, int64_t extent, int64_t stride, int64_t base) {
    assert(recipe->axis_count < PACK_MAX_AXES);
    recipe->axes[recipe->axis_count].extent = extent;
    recipe->axes[recipe->axis_count].stride = stride;
    recipe->axes[recipe->axis_count].base = base;
    recipe->axis_count++;
}

static void add_loop(PackRecipe *recipe, int64_t count, int axis, int64_t step) {
    if (count == 1)
        return;
    assert(recipe->loop_count < PACK_MAX_LOOPS);
    recipe->loops[recipe->loop_count++] = (PackLoop){.count = count, .axis = axis, .step = step};
}

/* Appends a finished recipe; one without any floats counts as absent. */
static void add_recipe(Packing *packing, PackRecipe *recipe) {
    if (recipe->loop_count == 0)
        recipe->loops[recipe->loop_count++] = (PackLoop){.count = 1};
    recipe->floats = 1;
    for (int i = 0; i < recipe->loop_count; i++)
        if (!checked_mul(recipe->floats, recipe->loops[i].count, &recipe->floats))
            packing->fits = false;
    if (recipe->floats == 0)
        return;
    if (!checked_add(packing->packed->floats, recipe->floats, &packing->packed->floats))
        packing->fits = false;
    VEC_PUSH(packing->plan->arena, &packing->packed->recipes, *recipe);
}

static int64_t round_up(Packing *packing, int64_t value, int64_t unit) {
    int64_t result = 0;
    if (!checked_round_up(value, unit, &result))
        packing->fits = false;
    return result;
}

/* A recipe for a convolution's weights [filters, channels / groups, KH, KW], whose axes are these
 * four; `first` is the first filter. */
static PackRecipe conv_recipe(const Step *step, int64_t first) {
    const Weight *weight = step->conv.weight;
    const Window *window = &step->conv.window;
    int64_t taps = window->kernel[0] * window->kernel[1];
    int64_t filters = weight->shape.dims[0];
    int64_t channels = weight->shape.dims[1];
    assert(weight->elements == filters * channels * taps);
    PackRecipe recipe = {.kind = PACK_TENSOR,
                         .source = weight,
                         .channel_axis = 0,
                         .affines = step->affines,
                         .affine_count = step->affine_count};
    add_axis(&recipe, filters, channels * taps, first);
    add_axis(&recipe, channels, taps, 0);
    add_axis(&recipe, window->kernel[0], window->kernel[1], 0);
    add_axis(&recipe, window->kernel[1], 1, 0);
    return recipe;
}

/* The loops within a block of `width` filters: [Cg][KH][KW][width]. */
static void add_conv_loops(PackRecipe *recipe, int64_t width) {
    add_loop(recipe, recipe->axes[1].extent, 1, 1);
    add_loop(recipe, recipe->axes[2].extent, 2, 1);
    add_loop(recipe, recipe->axes[3].extent, 3, 1);
    add_loop(recipe, width, 0, 1);
}

Packed *recipe_conv(Plan *plan, const Step *step) {
    Packing packing = packing_begin(plan);
    int64_t lanes = plan->machine->lanes;
    int64_t filters = step->conv.weight->shape.dims[0];
    int64_t groups = step->conv.groups;
    int64_t group_filters = filters / groups;
    if (step->output.block == 1) {
        PackRecipe all = conv_recipe(step, 0);
        add_conv_loops(&all, filters);
        add_recipe(&packing, &all);
        return packing_end(&packing);
    }
    if (groups > 1 && group_filters % lanes != 0) {
        PackRecipe mixed = conv_recipe(step, 0);
        add_loop(&mixed, round_up(&packing, filters, lanes) / lanes, 0, lanes);
        add_conv_loops(&mixed, lanes);
        add_recipe(&packing, &mixed);
        return packing_end(&packing);
    }
    int64_t width = step->tile.vectors * lanes;
    PackRecipe whole = conv_recipe(step, 0);
    add_loop(&whole, groups, 0, group_filters);
    add_loop(&whole, group_filters / width, 0, width);
    add_conv_loops(&whole, width);
    add_recipe(&packing, &whole);

    int64_t rest = round_up(&packing, group_filters % width, lanes);
    PackRecipe part = conv_recipe(step, group_filters / width * width);
    add_loop(&part, groups, 0, group_filters);
    add_conv_loops(&part, rest);
    add_recipe(&packing, &part);
    return packing_end(&packing);
}

/* `blocks` blocks of `width` filters from filter `first` on: [positions][blocks][channels][width].
 */
static void add_winograd(Packing *packing, const Step *step, int64_t first, int64_t blocks,
                         int64_t width) {
    const Weight *weight = step->conv.weight;
    const Winograd *winograd = step->conv.winograd;
    int64_t taps = winograd->taps * winograd->taps, channels = weight->shape.dims[1];
    int64_t positions = winograd->size * winograd->size;
    PackRecipe recipe = {.kind = PACK_WINOGRAD,
                         .source = weight,
                         .winograd = winograd,
                         .channel_axis = 0,
                         .affines = step->affines,
                         .affine_count = step->affine_count};
    add_axis(&recipe, weight->shape.dims[0], channels * taps, first);
    add_axis(&recipe, channels, taps, 0);
    add_axis(&recipe, positions, 0, 0);
    add_loop(&recipe, positions, 2, 1);
    add_loop(&recipe, blocks, 0, width);
    add_loop(&recipe, channels, 1, 1);
    add_loop(&recipe, width, 0, 1);
    add_recipe(packing, &recipe);
}

Packed *recipe_winograd(Plan *plan, const Step *step) {
    Packing packing = packing_begin(plan);
    int64_t lanes = plan->machine->lanes, filters = step->conv.weight->shape.dims[0];
    int64_t width = step->tile.vectors * lanes, blocks = filters / width;
    add_winograd(&packing, step, 0, blocks, width);
    add_winograd(&packing, step, blocks * width, 1, round_up(&packing, filters % width, lanes));
    return packing_end(&packing);
}

/* `blocks` blocks of `width` filters from filter `first` on: [blocks][products][channels][width].
 */
static void add_strassen(Packing *packing, const Step *step, int64_t first, int64_t blocks,
                         int64_t width) {
    const Weight *weight = step->conv.weight;
    int64_t channels = weight->shape.dims[1];
    PackRecipe recipe = {.kind = PACK_STRASSEN,
                         .source = weight,
                         .channel_axis = 0,
                         .affines = step->affines,
                         .affine_count = step->affine_count};
    add_axis(&recipe, weight->shape.dims[0], channels, first);
    add_axis(&recipe, channels, 1, 0);
    add_axis(&recipe, STRASSEN_PRODUCTS, 0, 0);
    add_loop(&recipe, blocks, 0, width);
    add_loop(&recipe, STRASSEN_PRODUCTS, 2, 1);
    add_loop(&recipe, channels / 2, 1, 1);
    add_loop(&recipe, width, 0, 1);
    add_recipe(packing, &recipe);
}

Packed *recipe_strassen(Plan *plan, const Step *step) {
    Packing packing = packing_begin(plan);
    int64_t filters = step->conv.weight->shape.dims[0] / 2;
    int64_t width = step->tile.vectors * plan->machine->lanes, blocks = filters / width;
    add_strassen(&packing, step, 0, blocks, width);
    add_strassen(&packing, step, blocks * width, 1, filters % width);
    return packing_end(&packing);
}

Packed *recipe_depthwise(Plan *plan, const Step *step) {
    Packing packing = packing_begin(plan);
    int64_t lanes = plan->machine->lanes;
    PackRecipe recipe = conv_recipe(step, 0);
    add_loop(&recipe, round_up(&packing, recipe.axes[0].extent, lanes) / lanes, 0, lanes);
    add_conv_loops(&recipe, lanes);
    add_recipe(&packing, &recipe);
    return packing_end(&packing);
}

/* Weights of a CONV_GENERAL as a recipe's axes: 0 and 1 as the tensor has them, then the taps. */
typedef struct GeneralAxes {
    int64_t groups;
    int64_t group_filters;
    int64_t group_channels;
    int64_t taps;
    int filter; /* axis of the filters; of those in a group, if transposed */
    int channel;
    int64_t group_step; /* along axis 0, to the next group */
} GeneralAxes;

static GeneralAxes general_axes(const Step *step) {
    const Weight *weight = step->conv.weight;
    const int64_t *dims = weight->shape.dims;
    int64_t groups = step->conv.groups;
    bool transposed = step->conv.transposed;
    return (GeneralAxes){.groups = groups,
                         .group_filters = transposed ? dims[1] : dims[0] / groups,
                         .group_channels = transposed ? dims[0] / groups : dims[1],
                         .taps = weight->elements / (dims[0] * dims[1]),
                         .filter = transposed,
                         .channel = !transposed,
                         .group_step = dims[0] / groups};
}

/* Without loops; `first` is the first filter of each group. */
static PackRecipe general_recipe(const Step *step, const GeneralAxes *axes, int64_t first) {
    const Weight *weight = step->conv.weight;
    const int64_t *dims = weight->shape.dims;
    PackRecipe recipe = {.kind = PACK_TENSOR,
                         .source = weight,
                         .channel_axis = axes->filter,
                         .affines = step->affines,
                         .affine_count = step->affine_count};
    assert(step->affine_count == 0 || !step->conv.transposed || axes->groups == 1);
    add_axis(&recipe, dims[0], dims[1] * axes->taps, axes->filter == 0 ? first : 0);
    add_axis(&recipe, dims[1], axes->taps, axes->filter == 1 ? first : 0);
    add_axis(&recipe, axes->taps, 1, 0);
    return recipe;
}

/* [groups][blocks][taps][channels of a group][width] */
static void add_general(Packing *packing, const Step *step, const GeneralAxes *axes, int64_t first,
                        int64_t blocks, int64_t width) {
    PackRecipe recipe = general_recipe(step, axes, first);
    add_loop(&recipe, axes->groups, 0, axes->group_step);
    add_loop(&recipe, blocks, axes->filter, width);
    add_loop(&recipe, axes->taps, 2, 1);
    add_loop(&recipe, axes->group_channels, axes->channel, 1);
    add_loop(&recipe, width, axes->filter, 1);
    add_recipe(packing, &recipe);
}

/* [filters / lanes][taps][lanes] of one filter for each channel: both are axis 0. */
static void add_general_depthwise(Packing *packing, const Step *step, const GeneralAxes *axes,
                                  int64_t lanes) {
    PackRecipe recipe = general_recipe(step, axes, 0);
    add_loop(&recipe, round_up(packing, axes->groups, lanes) / lanes, 0, lanes);
    add_loop(&recipe, axes->taps, 2, 1);
    add_loop(&recipe, lanes, 0, 1);
    add_recipe(packing, &recipe);
}

Packed *recipe_conv_general(Plan *plan, const Step *step) {
    Packing packing = packing_begin(plan);
    GeneralAxes axes = general_axes(step);
    int64_t lanes = plan->machine->lanes;
    int64_t width = step->tile.vectors * lanes;
    int64_t blocks = axes.group_filters / width;
    switch (conv_lanes(step, plan->machine)) {
    case CONV_LANES_SHARE:
        add_general(&packing, step, &axes, 0, blocks, width);
        add_general(&packing, step, &axes, blocks * width, 1,
                    round_up(&packing, axes.group_filters % width, lanes));
        break;
    case CONV_LANES_OWN: add_general_depthwise(&packing, step, &axes, lanes); break;
    case CONV_LANES_MIXED: add_general(&packing, step, &axes, 0, 1, axes.group_filters); break;
    }
    return packing_end(&packing);
}

/* Rows `first` on of a dense matrix, `blocks` blocks of `width`, against the input's channels
 * [begin, begin + channel_blocks * block): [blocks][channel_blocks][pixels][block][width]. */
static void add_dense(Packing *packing, const Step *step, int64_t first, int64_t blocks,
                      int64_t width, int64_t begin, int64_t channel_blocks, int64_t block) {
    const Weight *weight = step->dense.weight;
    const View *input = &step->inputs[0];
    int64_t pixels = input->height * input->width;
    assert(weight->elements == weight->shape.dims[0] * input->channels * pixels);
    PackRecipe recipe = {.kind = PACK_TENSOR,
                         .source = weight,
                         .channel_axis = 0,
                         .affines = step->affines,
                         .affine_count = step->affine_count};
    add_axis(&recipe, weight->shape.dims[0], input->channels * pixels, first);
    add_axis(&recipe, input->channels, pixels, begin);
    add_axis(&recipe, pixels, 1, 0);
    add_loop(&recipe, blocks, 0, width);
    add_loop(&recipe, channel_blocks, 1, block);
    add_loop(&recipe, pixels, 2, 1);
    add_loop(&recipe, block, 1, 1);
    add_loop(&recipe, width, 0, 1);
    add_recipe(packing, &recipe);
}

Packed *recipe_dense(Plan *plan, const Step *step) {
    Packing packing = packing_begin(plan);
    const View *input = &step->inputs[0];
    int64_t outputs = step->dense.weight->shape.dims[0];
    int64_t width = (int64_t)step->tile.vectors * plan->machine->lanes;
    int64_t block = input->block;
    int64_t whole = input->channels / block;
    for (int part = 1; part <= 2; part++) {
        int64_t first = part == 1 ? 0 : outputs / width * width;
        int64_t blocks = part == 1 ? outputs / width : 1;
        int64_t columns =
            part == 1 ? width : round_up(&packing, outputs % width, plan->machine->lanes);
        add_dense(&packing, step, first, blocks, columns, 0, whole, block);
        add_dense(&packing, step, first, blocks, columns, whole * block, 1,
                  input->channels % block);
    }
    return packing_end(&packing);
}

/* Columns `first` on of a product's right matrix, `blocks` blocks of `width`:
 * [blocks][depth][width]. */
static void add_gemm(Packing *packing, const Step *step, int64_t first, int64_t blocks,
                     int64_t width) {
    const Product *product = &step->gemm.product;
    PackRecipe recipe = {.kind = PACK_TENSOR, .source = step->gemm.weight};
    int64_t row = step->gemm.first; /* of the weight */
    add_axis(&recipe, row + product->columns, product->depth, row + first);
    add_axis(&recipe, product->depth, 1, 0);
    add_loop(&recipe, blocks, 0, width);
    add_loop(&recipe, product->depth, 1, 1);
    add_loop(&recipe, width, 0, 1);
    add_recipe(packing, &recipe);
}

Packed *recipe_gemm(Plan *plan, const Step *step) {
    Packing packing = packing_begin(plan);
    int64_t lanes = plan->machine->lanes;
    int64_t columns = step->gemm.product.columns;
    int64_t width = step->tile.vectors * lanes;
    int64_t blocks = columns / width;
    add_gemm(&packing, step, 0, blocks, width);
    add_gemm(&packing, step, blocks * width, 1, round_up(&packing, columns % width, lanes));
    return packing_end(&packing);
}

Packed *recipe_table(Plan *plan, const Step *step) {
    Packing packing = packing_begin(plan);
    PackRecipe recipe = {.kind = PACK_TENSOR, .source = step->table.weight};
    add_axis(&recipe, step->table.rows, step->table.width, 0);
    add_axis(&recipe, step->table.width, 1, 0);
    add_loop(&recipe, step->table.rows, 0, 1);
    add_loop(&recipe, step->table.width, 1, 1);
    add_recipe(&packing, &recipe);
    return packing_end(&packing);
}

Packed *recipe_window_bias(Plan *plan, const Step *step) {
    Packing packing = packing_begin(plan);
    const Weight *table = step->window_bias.weight;
    int64_t rows = table->shape.dims[0], heads = table->shape.dims[1];
    PackRecipe recipe = {.kind = PACK_TENSOR, .source = table};
    add_axis(&recipe, rows, heads, rows - 1);
    add_axis(&recipe, heads, 1, 0);
    add_loop(&recipe, heads, 1, 1);
    add_loop(&recipe, rows, 0, -1);
    add_recipe(&packing, &recipe);
    return packing_end(&packing);
}

Packed *recipe_recurrent(Plan *plan, const Step *step) {
    Packing packing = packing_begin(plan);
    int64_t lanes = plan->machine->lanes, hidden = step->recurrent.hidden;
    int gates = recurrent_gates(step->recurrent.cell);
    for (int d = 0; d < step->recurrent.directions; d++) {
        PackRecipe recipe = {.kind = PACK_TENSOR, .source = step->recurrent.weights[d]};
        add_axis(&recipe, gates, hidden * hidden, 0);
        add_axis(&recipe, hidden, hidden, 0); /* units */
        add_axis(&recipe, hidden, 1, 0);      /* the state before */
        add_loop(&recipe, round_up(&packing, hidden, lanes) / lanes, 1, lanes);
        add_loop(&recipe, hidden, 2, 1);
        add_loop(&recipe, gates, 0, 1);
        add_loop(&recipe, lanes, 1, 1);
        add_recipe(&packing, &recipe);
    }
    return packing_end(&packing);
}

Packed *recipe_recurrent_bias(Plan *plan, const Step *step) {
    Packing packing = packing_begin(plan);
    int64_t hidden = step->recurrent.hidden;
    int gates = recurrent_gates(step->recurrent.cell);
    for (int d = 0; d < step->recurrent.directions; d++) {
        PackRecipe recipe = {.kind = PACK_TENSOR, .source = step->recurrent.biases[d]};
        add_axis(&recipe, gates, hidden, 0);
        add_axis(&recipe, hidden, 1, 0);
        add_loop(&recipe, gates, 0, 1);
        add_loop(&recipe, round_up(&packing, hidden, plan->machine->lanes), 1, 1);
        add_recipe(&packing, &recipe);
    }
    return packing_end(&packing);
}

Packed *recipe_part(Plan *plan, const Weight *vector, int64_t first, int64_t count) {
    Packing packing = packing_begin(plan);
    PackRecipe recipe = {.kind = PACK_TENSOR, .source = vector};
    add_axis(&recipe, first + count, 1, first);
    add_loop(&recipe, round_up(&packing, count, plan->machine->lanes), 0, 1);
    add_recipe(&packing, &recipe);
    return packing_end(&packing);
}

Packed *recipe_channels(Plan *plan, PackKind kind, int64_t channels, const Weight *bias,
                        const Affine *affines, int affine_count) {
    Packing packing = packing_begin(plan);
    PackRecipe recipe = {
        .kind = kind, .source = bias, .affines = affines, .affine_count = affine_count};
    add_axis(&recipe, channels, 1, 0);
    add_loop(&recipe, round_up(&packing, channels, plan->machine->lanes), 0, 1);
    add_recipe(&packing, &recipe);
    return packing_end(&packing);
}

Packed *recipe_vector(Plan *plan, const Weight *weight) {
    Packing packing = packing_begin(plan);
    PackRecipe recipe = {.kind = PACK_TENSOR, .source = weight};
    add_axis(&recipe, weight->elements, 1, 0);
    add_loop(&recipe, round_up(&packing, weight->elements, plan->machine->lanes), 0, 1);
    add_recipe(&packing, &recipe);
    return packing_end(&packing);
}

Packed *recipe_spread(Plan *plan, int64_t channels, const Weight *weight) {
    Packing packing = packing_begin(plan);
    bool shared = weight->elements == 1;
    assert(shared || weight->elements == channels);
    PackRecipe recipe = {.kind = PACK_TENSOR, .source = weight};
    add_axis(&recipe, weight->elements, 1, 0);
    add_loop(&recipe, round_up(&packing, channels, plan->machine->lanes), 0, shared ? 0 : 1);
    add_recipe(&packing, &recipe);
    return packing_end(&packing);
}
