/* Which algorithm each convolution uses, and each product (product.c): the one with the fewest
 * cycles, as predicted from its shape and the machine table.
 *
 *   direct     its multiply-adds by register tiles (tile_cost.h), or reading its weights once if
 *              that takes longer
 *   Winograd   s * s matrix products of [tiles x channels] by [channels x filters] by the same
 *              tiles, or reading the transformed weights; and the transforms before and after
 *
 * A method whose error would be too large is left out (WINOGRAD_ERROR).
 *
 * Kernels of 3 x 3 and 5 x 5 with stride 1 in one group can be either. */
#include <assert.h>
#include <math.h>

#include "plan/cost.h"
#include "plan/product.h"
#include "plan/storage.h"
#include "plan/tile_cost.h"
#include "support/checked.h"

/* Instructions of one transform of s numbers, and what a vector that is loaded, worked on and
 * stored by it takes beside them, in slots; fitted to measurements of whole layers. */
#define TRANSFORM_LINE(size) (3.4 * (size))
#define TRANSFORM_VECTOR     2.5
#define GROUP_TILES          24 /* fewer tiles at a time leave the weights' reading unhidden */
#define GROUP_CACHE_SHARE    2  /* the transformed tiles of a group take 1 / this of the cache */
#define WINOGRAD_UNROLL      4  /* channels per turn, where they divide */

/* A convolution that Winograd's method could do. */
typedef struct Candidate {
    const Machine *machine;
    const Winograd *winograd;
    int64_t channels, filters;             /* numbers of them */
    int64_t channel_blocks, filter_blocks; /* vectors of them */
    int64_t tiles[2];
    int64_t tile_count;
    int parts; /* threads that share the work */
    Split split;
} Candidate;

static bool is_square(const int64_t pair[2], int64_t value) {
    return pair[0] == value && pair[1] == value;
}

static bool can_transform(const Step *step) {
    const Window *window = &step->conv.window;
    return step->kind == STEP_CONV && step->conv.groups == 1 && is_square(window->stride, 1) &&
           is_square(window->dilation, 1) &&
           (is_square(window->kernel, 3) || is_square(window->kernel, 5));
}

static Candidate candidate_of(const Machine *machine, const Step *step, const Winograd *winograd) {
    Box input = box_of_shape(&step->input_values[0]->type.shape);
    Box output = box_of_shape(&step->output_value->type.shape);
    int64_t filters = step->conv.weight->shape.dims[0];
    Candidate candidate = {
        .machine = machine,
        .winograd = winograd,
        .channels = input.channels,
        .filters = filters,
        .channel_blocks = divide_up(input.channels, machine->lanes),
        .filter_blocks = divide_up(filters, machine->lanes),
        .tiles = {divide_up(output.height, winograd->outputs),
                  divide_up(output.width, winograd->outputs)},
    };
    candidate.tile_count = candidate.tiles[0] * candidate.tiles[1];
    return candidate;
}

static double direct_cycles(const Machine *machine, const Step *step) {
    Box output = box_of_shape(&step->output_value->type.shape);
    TileProblem problem = tile_problem_of_conv(machine, step->conv.weight, step->conv.groups,
                                               output.height, output.width);
    Tile tile = tile_choose(&problem);
    double bytes = (double)step->conv.weight->elements * sizeof(float);
    double slots = tile_cost(&problem, &tile) * (double)problem.repeats;
    return fmax(cycles_of_slots(machine, slots), memory_cycles(machine, bytes));
}

/* ---- Winograd ------------------------------------------------------------------------------ */

/* One product of all tiles, `columns` of them at a time; the last time as well. */
static TileProblem product_problem(const Candidate *candidate) {
    return (TileProblem){
        .machine = candidate->machine,
        .height = 1,
        .width = candidate->tile_count,
        .vectors = candidate->filter_blocks,
        .taps = candidate->channels,
        .max_vectors = TILE_MAX_VECTORS,
        .max_pixels = candidate->machine->registers,
        .weight_slots = candidate->machine->lanes / 4,
        .registers = candidate->machine->registers - tile_spare_registers(candidate->machine),
    };
}

/* The cheapest register tile, if every one has the same number of columns. */
static Tile choose_columns(const Candidate *candidate, double *cycles) {
    TileProblem problem = product_problem(candidate);
    Tile best = {0};
    *cycles = 0;
    for (int vectors = 1; vectors <= smaller(problem.vectors, problem.max_vectors); vectors++) {
        int fitting = (problem.registers - vectors) / vectors;
        for (int columns = 1; columns <= smaller(candidate->tile_count, fitting); columns++) {
            problem.width = divide_up(candidate->tile_count, columns) * columns;
            Tile tile = {1, columns, vectors, 1};
            double cost = cycles_of_slots(candidate->machine, tile_cost(&problem, &tile));
            if (best.columns == 0 || cost < *cycles) {
                best = tile;
                *cycles = cost;
            }
        }
    }
    best.unroll = WINOGRAD_UNROLL;
    while (candidate->channels % best.unroll != 0)
        best.unroll /= 2; /* a divisor of the lanes as well: a turn stays in a block */
    return best;
}

/* Tiles that are transformed together: as many as the second cache holds, but enough to be worth
 * reading all weights for them; then as even groups as there can be. */
static int64_t choose_group(const Candidate *candidate, int columns) {
    const Machine *machine = candidate->machine;
    int64_t positions = candidate->winograd->size * candidate->winograd->size;
    int64_t bytes = positions * (candidate->channel_blocks + candidate->filter_blocks) *
                    machine->lanes * (int64_t)sizeof(float); /* of a tile */
    int64_t group = machine->cache_bytes / GROUP_CACHE_SHARE / bytes;
    if (group < GROUP_TILES)
        group = GROUP_TILES;
    if (group > candidate->tile_count)
        group = candidate->tile_count;
    int64_t groups = divide_up(candidate->tile_count, group);
    if (candidate->split == SPLIT_ROWS)
        groups = divide_up(groups, candidate->parts) * candidate->parts; /* as many for each */
    group = divide_up(candidate->tile_count, groups);
    return divide_up(group, columns) * columns;
}

/* Of a transform of all tiles in `blocks` blocks: s lines one way and `lines` the other. */
static double transform_cycles(const Candidate *candidate, int64_t blocks, int lines) {
    double size = candidate->winograd->size;
    double line = TRANSFORM_LINE(size) + 2 * TRANSFORM_VECTOR * size;
    return cycles_of_slots(candidate->machine,
                           (double)candidate->tile_count * (double)blocks * (size + lines) * line);
}

/* Of one thread; sets the tile, the group, and how threads share the work. Those that share the
 * filters all transform the whole input; those that share the tiles all read all weights. */
static double winograd_cycles(Candidate *candidate, Tile *tile, int64_t *group) {
    const Winograd *winograd = candidate->winograd;
    double positions = winograd->size * winograd->size;
    double product;
    *tile = choose_columns(candidate, &product);
    double bytes = positions * (double)candidate->channels * (double)candidate->filters * 4;
    double reading = memory_cycles(candidate->machine, bytes);
    double before = transform_cycles(candidate, candidate->channel_blocks, winograd->size);
    double after = transform_cycles(candidate, candidate->filter_blocks, winograd->outputs);
    candidate->split = before < reading ? SPLIT_CHANNELS : SPLIT_ROWS;
    *group = choose_group(candidate, tile->columns);
    return fmax(positions * product, reading) + before + after;
}

/* Floats for the lines between the two halves of a transform, and for a group of tiles before and
 * after the products, for each thread. False if they do not fit 64 bits. */
static bool scratch_floats(const Candidate *candidate, int64_t group, int64_t *floats) {
    int64_t lanes = candidate->machine->lanes;
    int64_t positions = candidate->winograd->size * candidate->winograd->size;
    int64_t blocks, tile;
    return checked_add(candidate->channel_blocks, candidate->filter_blocks, &blocks) &&
           checked_mul(blocks, group, &tile) && checked_add(tile, 3, &tile) &&
           checked_mul(tile, positions * lanes * candidate->parts, floats);
}

static void note_choice(Step *step, int outputs, double cycles) {
    assert(step->choice_count < STEP_MAX_CHOICES);
    step->choices[step->choice_count++] = (Choice){outputs, cycles};
}

/* Considers F(outputs, taps) for the step, which is still a CONV or already WINOGRAD. */
static void consider(Plan *plan, Step *step, int outputs, int taps, double *best) {
    Winograd *winograd = winograd_make(plan->arena, outputs, taps);
    Candidate candidate = candidate_of(plan->machine, step, winograd);
    candidate.parts = plan_parts(plan);
    Tile tile;
    int64_t group, floats;
    if (winograd_error(winograd, candidate.channels, plan->machine->fused) > WINOGRAD_ERROR)
        return;
    double cycles = winograd_cycles(&candidate, &tile, &group);
    note_choice(step, outputs, cycles);
    if (cycles >= *best || !scratch_floats(&candidate, group, &floats))
        return;
    *best = cycles;
    step->kind = STEP_WINOGRAD;
    step->tile = tile;
    step->scratch_floats = floats;
    step->split = candidate.split;
    step->conv.winograd = winograd;
    step->conv.cycles = cycles;
    step->conv.group = group;
    step->conv.tiles[0] = candidate.tiles[0];
    step->conv.tiles[1] = candidate.tiles[1];
}

static void choose_conv(Plan *plan, Step *step, const PlanOptions *options) {
    int taps = (int)step->conv.window.kernel[0];
    double best = direct_cycles(plan->machine, step);
    note_choice(step, 0, best);
    for (int size = taps == 3 ? 4 : 6; size <= WINOGRAD_MAX_SIZE; size += 2) {
        if (options->winograd_size == size)
            best = INFINITY;
        if (options->winograd_size == size || options->winograd_size == 0)
            consider(plan, step, size - taps + 1, taps, &best);
    }
}

void plan_choose(Plan *plan, const PlanOptions *options) {
    for (size_t i = 0; i < plan->steps.count; i++) {
        Step *step = plan->steps.data[i];
        if (step->kind == STEP_GEMM)
            product_choose(plan, step);
        else if (can_transform(step) && !options->exact)
            choose_conv(plan, step, options);
    }
}

const double *plan_error_shares(const Plan *plan, Arena *arena) {
    double *shares = NULL;
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.data[i];
        if (step->kind != STEP_WINOGRAD)
            continue;
        if (!shares)
            shares = ARENA_ARRAY(arena, plan->graph->nodes.count, double);
        shares[step->node->id] = WINOGRAD_ERROR;
    }
    return shares;
}
