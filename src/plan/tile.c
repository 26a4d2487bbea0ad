/* Tiles: how much a kernel computes at once in registers (tile_cost.h says which is cheapest), and
 * the packed tensors that follow from it. */
#include <assert.h>

#include "plan/product.h"
#include "plan/recipe.h"
#include "plan/tile_cost.h"
#include "support/checked.h"

#define CONV_UNROLL   4 /* input channels per turn, where they divide */
#define COLUMNS_ROWS  8 /* most rows of a tile that goes by columns */
#define MIXED_COLUMNS 4 /* pixels that are gathered together */

/* The largest number of channels up to CONV_UNROLL that divides a group's channels and, if blocked,
 * a block. */
static int conv_unroll(const View *input, int64_t group_channels) {
    for (int unroll = CONV_UNROLL; unroll > 1; unroll--)
        if (group_channels % unroll == 0 && (input->block == 1 || input->block % unroll == 0))
            return unroll;
    return 1;
}

/* Rows of one vector of columns for all filters, whose weights stay in registers through a tap. */
static Tile columns_tile(const Machine *machine, const Step *step) {
    int filters = (int)step->output.channels;
    int rows = (machine->registers - 2 - filters) / filters;
    rows = rows < 1 ? 1 : smaller(step->output.height, rows > COLUMNS_ROWS ? COLUMNS_ROWS : rows);
    return (Tile){rows, 1, filters, 1};
}

/* Of a CONV whose output is blocked. */
static TileProblem conv_problem(const Machine *machine, const Step *step) {
    const Weight *weight = step->conv.weight;
    TileProblem problem = tile_problem_of_conv(machine, weight, step->conv.groups,
                                               step->output.height, step->output.width);
    if (conv_shuffles(step, machine))
        problem.registers -= 2 * (int)weight->shape.dims[1]; /* weights and patterns */
    return problem;
}

static Tile conv_tile(const Machine *machine, const Step *step) {
    if (step->output.block == 1)
        return columns_tile(machine, step);
    TileProblem problem = conv_problem(machine, step);
    Tile tile = tile_choose(&problem);
    tile.unroll = conv_unroll(&step->inputs[0], step->conv.weight->shape.dims[1]);
    return tile;
}

/* Of each channel by itself. */
static TileProblem channel_problem(const Machine *machine, const View *output, int64_t taps) {
    return (TileProblem){
        .machine = machine,
        .height = output->height,
        .width = output->width,
        .vectors = 1,
        .taps = taps,
        .max_vectors = 1,
        .max_pixels = machine->registers,
        .registers = machine->registers,
    };
}

/* The weights of a vector of channels stay in registers if they leave half of them free. */
static TileProblem depthwise_problem(const Machine *machine, const Step *step) {
    int64_t taps = step->conv.window.kernel[0] * step->conv.window.kernel[1];
    int kept = taps <= machine->registers / 2 ? (int)taps : 1;
    TileProblem problem = channel_problem(machine, &step->output, taps);
    problem.registers += !machine->fused - kept - 1;
    return problem;
}

static Tile depthwise_tile(const Machine *machine, const Step *step) {
    TileProblem problem = depthwise_problem(machine, step);
    return tile_choose(&problem);
}

/* Windows test their bounds row by row; a row of a few pixels is enough to hide the latency. */
static TileProblem window_problem(const Machine *machine, const Step *step) {
    const int64_t *kernel = step->window.window.kernel;
    TileProblem problem =
        channel_problem(machine, &step->output, kernel[0] * kernel[1] * kernel[WINDOW_DEPTH]);
    problem.max_pixels = machine->fma_latency;
    problem.registers -= 2;
    problem.row_multiple = 1;
    return problem;
}

static Tile window_tile(const Machine *machine, const Step *step) {
    if (step->output.block == 1)
        return (Tile){1, 1, 1, 1};
    TileProblem problem = window_problem(machine, step);
    return tile_choose(&problem);
}

static TileProblem problem_of(const Machine *machine, const Step *step) {
    switch (step->kind) {
    case STEP_DEPTHWISE: return depthwise_problem(machine, step);
    case STEP_WINDOW: return window_problem(machine, step);
    default: return conv_problem(machine, step);
    }
}

double tile_slots(const Machine *machine, const Step *step, const Tile *tile) {
    TileProblem problem = problem_of(machine, step);
    return tile_cost(&problem, tile);
}

Tile tile_dividing(const Machine *machine, const Step *step, int64_t rows, int64_t multiple) {
    TileProblem problem = problem_of(machine, step);
    problem.height = rows;
    if (problem.row_multiple == 0)
        problem.row_multiple = multiple;
    problem.fixed_vectors = step->tile.vectors; /* weights are packed for them */
    Tile tile = tile_choose(&problem);
    tile.unroll = step->tile.unroll;
    return tile;
}

/* Columns of one row, of a transposed convolution those that are a stride apart: they share their
 * taps. */
static Tile conv_general_tile(const Machine *machine, const Step *step) {
    const Weight *weight = step->conv.weight;
    int64_t filters = step->output.channels, groups = step->conv.groups;
    int64_t apart = step->conv.transposed ? step->conv.window.stride[WINDOW_WIDTH] : 1;
    ConvLanes lanes = conv_lanes(step, machine);
    bool share = lanes == CONV_LANES_SHARE;
    if (share)
        filters /= groups;
    TileProblem problem = tile_problem_of_sums(machine, 1, divide_up(step->output.width, apart),
                                               divide_up(filters, machine->lanes),
                                               weight->elements / (filters * (share ? groups : 1)));
    if (!share)
        problem.max_vectors = 1;
    if (lanes == CONV_LANES_MIXED)
        problem.max_pixels = MIXED_COLUMNS;
    Tile tile = tile_choose(&problem);
    if (share)
        tile.unroll = conv_unroll(&step->inputs[0], step->inputs[0].channels / groups);
    return tile;
}

/* As many chains as the latency needs. */
static void add_chains(const Machine *machine, const View *input, Tile *tile) {
    int64_t limit =
        input->block > 1 ? input->block : input->channels * input->height * input->width;
    int sums = tile->rows * tile->vectors;
    while (sums * tile->unroll < machine->fma_latency && tile->unroll <= limit / 2 &&
           sums * tile->unroll * 2 + 2 + !machine->fused <= machine->registers)
        tile->unroll *= 2;
}

/* As many vectors as keep all blocks about equal. */
static Tile dense_tile(const Machine *machine, const Step *step) {
    int64_t vectors = divide_up(step->output.channels, machine->lanes);
    int64_t blocks = divide_up(vectors, TILE_MAX_VECTORS);
    Tile tile = {1, 1, (int)divide_up(vectors, blocks), 1};
    add_chains(machine, &step->inputs[0], &tile);
    return tile;
}

/* Samples by vectors of outputs: a product of matrices, whose rows are the samples. */
static Tile dense_tile_together(const Plan *plan, const Step *step) {
    const View *input = &step->inputs[0];
    const Product product = {.rows = plan->batch,
                             .depth = view_elements(input),
                             .columns = step->output.channels,
                             .left.row_stride = input->buffer->sample_stride};
    TileProblem problem = product_tiles(plan->machine, &product);
    Tile tile = tile_choose(&problem);
    add_chains(plan->machine, input, &tile);
    return tile;
}

static bool pack_bias(Plan *plan, Step *step, const Weight *bias, int64_t channels) {
    if (!bias && step->affine_count == 0)
        return true;
    step->bias =
        recipe_channels(plan, PACK_SHIFT, channels, bias, step->affines, step->affine_count);
    return step->bias != NULL;
}

static bool tile_gemm(Plan *plan, Step *step) {
    const Weight *bias = step->gemm.bias;
    if (!step->gemm.weight)
        return true;
    step->weights = recipe_gemm(plan, step);
    if (bias)
        step->bias = recipe_part(plan, bias, step->gemm.first, step->gemm.product.columns);
    return step->weights && (step->bias || !bias);
}

static bool pack_parameters(Plan *plan, Step *step) {
    const Weight *weight = step->normalise.weight, *bias = step->normalise.bias;
    step->weights = weight ? recipe_vector(plan, weight) : NULL;
    step->bias = bias ? recipe_vector(plan, bias) : NULL;
    return (step->weights || !weight) && (step->bias || !bias);
}

/* As many chains as the latency needs and the state has numbers for. */
static bool tile_recurrent(Plan *plan, Step *step) {
    int gates = recurrent_gates(step->recurrent.cell);
    step->tile = (Tile){1, 1, 1, 1};
    while (step->tile.unroll * gates < plan->machine->fma_latency &&
           step->tile.unroll * 2 <= step->recurrent.hidden)
        step->tile.unroll *= 2;
    step->weights = recipe_recurrent(plan, step);
    if (!step->weights || !step->recurrent.biases[0])
        return step->weights != NULL;
    step->bias = recipe_recurrent_bias(plan, step);
    return step->bias != NULL;
}

static bool tile_step(Plan *plan, Step *step) {
    const Machine *machine = plan->machine;
    switch (step->kind) {
    case STEP_CONV:
        step->tile = conv_tile(machine, step);
        step->weights = recipe_conv(plan, step);
        return step->weights && pack_bias(plan, step, step->conv.bias, step->output.channels);
    case STEP_WINOGRAD:
        step->weights = recipe_winograd(plan, step);
        return step->weights && pack_bias(plan, step, step->conv.bias, step->output.channels);
    case STEP_STRASSEN:
        step->weights = recipe_strassen(plan, step);
        return step->weights &&
               pack_bias(plan, step, step->conv.bias, step->conv.weight->shape.dims[0]);
    case STEP_DEPTHWISE:
        step->tile = depthwise_tile(machine, step);
        step->weights = recipe_depthwise(plan, step);
        return step->weights && pack_bias(plan, step, step->conv.bias, step->output.channels);
    case STEP_CONV_GENERAL:
        step->tile = conv_general_tile(machine, step);
        step->weights = recipe_conv_general(plan, step);
        return step->weights && pack_bias(plan, step, step->conv.bias, step->output.channels);
    case STEP_DENSE:
        step->tile = step->together ? dense_tile_together(plan, step) : dense_tile(machine, step);
        step->weights = recipe_dense(plan, step);
        return step->weights && pack_bias(plan, step, step->dense.bias, step->output.channels);
    case STEP_GEMM: return tile_gemm(plan, step);
    case STEP_RECURRENT: return tile_recurrent(plan, step);
    case STEP_TABLE: step->weights = recipe_table(plan, step); return step->weights != NULL;
    case STEP_WINDOW_BIAS:
        step->weights = recipe_window_bias(plan, step);
        return step->weights != NULL;
    case STEP_WINDOW: step->tile = window_tile(machine, step); return true;
    case STEP_NORMALISE: return pack_parameters(plan, step);
    case STEP_ADAPTIVE:
    case STEP_GLOBAL:
    case STEP_SOFTMAX:
    case STEP_LRN:
    case STEP_REDUCE:
    case STEP_REARRANGE:
    case STEP_RESIZE:
    case STEP_MAP:
    case STEP_COPY:
    case STEP_ZERO: return true;
    case STEP_VIEW:
    case STEP_CONCAT: break;
    }
    assert(false && "removed by layout");
    return false;
}

static bool pack_stage(Plan *plan, MapStage *stage, int64_t channels) {
    if (stage->kind == OPERAND_WEIGHT) {
        stage->vectors[0] = recipe_spread(plan, channels, stage->weight);
        return stage->vectors[0] != NULL;
    }
    if (stage->op != MAP_AFFINE)
        return true;
    Affine *affine = ARENA_NEW(plan->arena, Affine); /* stages move when their list grows */
    *affine = stage->affine;
    stage->vectors[0] = recipe_channels(plan, PACK_SCALE, channels, NULL, affine, 1);
    stage->vectors[1] = recipe_channels(plan, PACK_SHIFT, channels, NULL, affine, 1);
    return stage->vectors[0] && stage->vectors[1];
}

static bool pack_stages(Plan *plan, Step *step) {
    for (size_t i = 0; i < step->epilogue.count; i++)
        if (!pack_stage(plan, &step->epilogue.data[i], step->output.channels))
            return false;
    return true;
}

bool plan_tile(Plan *plan, Diagnostics *diagnostics) {
    for (size_t i = 0; i < plan->steps.count; i++) {
        Step *step = plan->steps.data[i];
        if (!tile_step(plan, step) || !pack_stages(plan, step)) {
            diag_report(diagnostics, DIAG_E0802, step->node->span,
                        "the packed weights of `%s` do not fit 64 bits", step->name);
            return false;
        }
    }
    return true;
}
