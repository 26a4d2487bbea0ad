/* Which algorithm each convolution uses, and each product (product.c): the one with the fewest
 * cycles, as predicted from its shape and the machine table.
 *
 *   direct     its multiply-adds by register tiles (tile_cost.h), or reading its weights once if
 *              that takes longer
 *   Winograd   s * s matrix products of [tiles x channels] by [channels x filters] by the same
 *              tiles, or reading the transformed weights; and the transforms before and after
 *   Strassen   the same, of seven products of half the pixels, channels and filters
 *
 * A method whose error would be too large is left out (WINOGRAD_ERROR).
 *
 * In one group, kernels of 3 x 3 and 5 x 5 with stride 1 can go by Winograd's method, those of
 * 1 x 1 by Strassen's, and so can products with a weight. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "plan/cost.h"
#include "plan/product.h"
#include "plan/storage.h"
#include "plan/strassen.h"
#include "plan/tile_cost.h"
#include "support/checked.h"

/* Instructions of one transform of s numbers, and what a vector that is loaded, worked on and
 * stored by it takes beside them, in slots; fitted to measurements of whole layers. */
#define TRANSFORM_LINE(size) (3.4 * (size))
#define TRANSFORM_VECTOR     2.5
#define GROUP_TILES          24 /* fewer tiles at a time leave the weights' reading unhidden */
#define GROUP_CACHE_SHARE    2  /* the transformed tiles of a group take 1 / this of the cache */
#define BLOCK_CACHE_SHARE    4  /* Strassen's weights of a block of filters, at most */
#define PRODUCT_UNROLL       4  /* channels per turn, where they divide */
/* Cycles that the vectors of both pixels and halves take in a tile of Strassen's, before the
 * products and after, most of them stores; fitted in the same way. */
#define STRASSEN_TILE     34
#define STRASSEN_UNHIDDEN 0.2  /* of the time to read its weights from the last cache */
#define UNEVEN            0.9  /* of the cycles, for which threads share work the dearer way */
#define STRASSEN_SHARE    0.98 /* of the direct method's cycles that are worth its memory */

/* A convolution by products of transformed tiles. */
typedef struct Candidate {
    const Machine *machine;
    StepKind kind;
    const Winograd *winograd;              /* WINOGRAD */
    int64_t positions;                     /* products */
    int64_t channels, filters;             /* of each */
    int64_t channel_blocks, filter_blocks; /* vectors of them */
    int64_t tiles[2];
    int64_t tile_count;
    double before, after; /* slots of the transforms of a tile and block */
    int64_t kept_blocks;  /* vectors of a tile and position that are kept between transforms */
    double error;         /* that is expected, as a share of the largest result */
    bool far;             /* the network's weights are too many for the last cache */
    int parts;            /* threads that share the work */
    Split split;
    double share;  /* of the cycles of the best so far that it may take */
    double cycles; /* of one thread; set by candidate_cycles, as the next ones */
    Tile tile;
    int64_t group;  /* tiles that are transformed together */
    int64_t run;    /* STRASSEN: of those, tiles that go through the products together */
    int64_t floats; /* of scratch memory */
} Candidate;

static bool is_square(const int64_t pair[2], int64_t value) {
    return pair[0] == value && pair[1] == value;
}

/* A transform of s lines one way and `lines` the other. */
static double transform_slots(const Winograd *winograd, int lines) {
    double size = winograd->size;
    return (size + lines) * (TRANSFORM_LINE(size) + 2 * TRANSFORM_VECTOR * size);
}

static Candidate candidate_begin(const Plan *plan, const Weight *weight, StepKind kind) {
    return (Candidate){.machine = plan->machine,
                       .kind = kind,
                       .channels = weight->shape.dims[1],
                       .filters = weight->shape.dims[0],
                       .share = kind == STEP_STRASSEN ? STRASSEN_SHARE : 1,
                       .far = plan->weight_bytes > (double)plan->machine->shared_cache_bytes,
                       .parts = plan_parts(plan)};
}

static void candidate_end(Candidate *candidate) {
    int lanes = candidate->machine->lanes;
    candidate->channel_blocks = divide_up(candidate->channels, lanes);
    candidate->filter_blocks = divide_up(candidate->filters, lanes);
    candidate->kept_blocks = candidate->channel_blocks;
    candidate->kept_blocks += candidate->kind == STEP_WINOGRAD ? candidate->filter_blocks : 0;
    candidate->tile_count = candidate->tiles[0] * candidate->tiles[1];
}

static Candidate candidate_of_winograd(const Plan *plan, const Step *step, int outputs, int taps) {
    const Winograd *winograd = winograd_make(plan->arena, outputs, taps);
    Box output = box_of_shape(&step->output_value->type.shape);
    Candidate candidate = candidate_begin(plan, step->conv.weight, STEP_WINOGRAD);
    candidate.winograd = winograd;
    candidate.positions = (int64_t)winograd->size * winograd->size;
    candidate.tiles[0] = divide_up(output.height, outputs);
    candidate.tiles[1] = divide_up(output.width, outputs);
    candidate.before = transform_slots(winograd, winograd->size);
    candidate.after = transform_slots(winograd, outputs);
    candidate.error = winograd_error(winograd, candidate.channels, plan->machine->fused);
    candidate_end(&candidate);
    return candidate;
}

static Candidate candidate_of_strassen(const Plan *plan, const Weight *weight, int64_t pixels) {
    Candidate candidate = candidate_begin(plan, weight, STEP_STRASSEN);
    candidate.error = strassen_error(candidate.channels, plan->machine->fused);
    candidate.positions = STRASSEN_PRODUCTS;
    candidate.channels /= 2;
    candidate.filters /= 2;
    candidate.tiles[0] = 1;
    candidate.tiles[1] = divide_up(pixels, STRASSEN_PIXELS);
    candidate.before = candidate.after = STRASSEN_TILE * plan->machine->fma_per_cycle;
    candidate_end(&candidate);
    return candidate;
}

/* Of the multiply-adds, in slots, or of reading the weights once. */
static double direct_cycles(const Machine *machine, double slots, const Weight *weight) {
    double bytes = (double)weight->elements * sizeof(float);
    return fmax(cycles_of_slots(machine, slots), memory_cycles(machine, bytes));
}

static double conv_cycles(const Machine *machine, const Step *step) {
    Box output = box_of_shape(&step->output_value->type.shape);
    TileProblem problem = tile_problem_of_conv(machine, step->conv.weight, step->conv.groups,
                                               output.height, output.width);
    Tile tile = tile_choose(&problem);
    return direct_cycles(machine, tile_cost(&problem, &tile) * (double)problem.repeats,
                         step->conv.weight);
}

/* ---- products of transformed tiles ---------------------------------------------------------- */

/* One product of all tiles. */
static TileProblem product_problem(const Candidate *candidate) {
    return tile_problem_of_sums(candidate->machine, 1, candidate->tile_count,
                                candidate->filter_blocks, candidate->channels);
}

/* Tiles of the thread that has most of them, of `parts` that share them, `columns` at a time;
 * Winograd's method makes all register tiles of the same number of columns. */
static int64_t tiles_of_part(const Candidate *candidate, int64_t columns, int parts) {
    int64_t turns = divide_up(candidate->tile_count, columns);
    return parts > 1 || candidate->kind == STEP_WINOGRAD ? divide_up(turns, parts) * columns
                                                         : candidate->tile_count;
}

/* Makes `best` the cheapest register tile of `vectors` vectors if it is cheaper than `cycles`. */
static void choose_columns(const Candidate *candidate, int vectors, int parts, Tile *best,
                           double *cycles) {
    TileProblem problem = product_problem(candidate);
    int fitting = (problem.registers - vectors) / vectors;
    for (int columns = 1; columns <= smaller(candidate->tile_count, fitting); columns++) {
        problem.width = tiles_of_part(candidate, columns, parts);
        Tile tile = {1, columns, vectors, 1};
        double cost = cycles_of_slots(candidate->machine, tile_cost(&problem, &tile));
        if (cost < *cycles) {
            *best = tile;
            *cycles = cost;
        }
    }
}

/* The cheapest register tile of one thread, and its cycles of one product. */
static Tile choose_tile(const Candidate *candidate, double *cycles) {
    TileProblem problem = product_problem(candidate);
    Tile best = {0};
    *cycles = INFINITY;
    for (int vectors = 1; vectors <= smaller(problem.vectors, problem.max_vectors); vectors++)
        choose_columns(candidate, vectors, 1, &best, cycles);
    return best;
}

/* Whether the weights of a block of filters, of all seven products, stay in the second cache while
 * one register tile after the other goes through them. */
static bool keeps_block(const Candidate *candidate) {
    int64_t vectors = candidate->tile.vectors * candidate->machine->lanes;
    int64_t bytes = candidate->positions * candidate->channels * vectors * (int64_t)sizeof(float);
    return bytes <= candidate->machine->cache_bytes / BLOCK_CACHE_SHARE;
}

/* Vectors of a tile that are to stay in the second cache. */
static int64_t vectors_of_tile(const Candidate *candidate, bool by_product) {
    return by_product ? candidate->channel_blocks + STRASSEN_KEPT * candidate->tile.vectors
                      : candidate->positions * candidate->kept_blocks;
}

/* Tiles that are transformed together: as many as the second cache holds, but enough to be worth
 * reading all weights for them; then as even groups as there can be. */
static void choose_group(Candidate *candidate) {
    const Machine *machine = candidate->machine;
    int columns = candidate->tile.columns;
    bool by_product = candidate->kind == STEP_STRASSEN && !keeps_block(candidate);
    int64_t bytes =
        vectors_of_tile(candidate, by_product) * machine->lanes * (int64_t)sizeof(float);
    int64_t group = machine->cache_bytes / GROUP_CACHE_SHARE / bytes;
    if (group < GROUP_TILES)
        group = GROUP_TILES;
    int parts = candidate->split == SPLIT_ROWS ? candidate->parts : 1;
    int64_t tiles = tiles_of_part(candidate, columns, parts);
    int64_t groups = divide_up(tiles, group < tiles ? group : tiles);
    candidate->group = divide_up(divide_up(tiles, groups), columns) * columns;
    candidate->run = by_product ? candidate->group : columns;
}

/* Of the transforms of all tiles in `blocks` blocks. */
static double transform_cycles(const Candidate *candidate, int64_t blocks, double slots) {
    return cycles_of_slots(candidate->machine,
                           (double)candidate->tile_count * (double)blocks * slots);
}

/* Cycles that Strassen's products wait for weights that take `reading` cycles to come from memory
 * meanwhile. */
static double waiting_cycles(const Candidate *candidate, double products, double reading) {
    bool waits = candidate->far && reading < products;
    return waits ? candidate->machine->memory_wait * reading * (reading / products) : 0;
}

/* The part of the filters that the thread has which has most of them: whole blocks. */
static double share_of_filters(const Candidate *candidate) {
    int64_t vectors = candidate->tile.vectors;
    int64_t blocks = divide_up(candidate->filter_blocks, vectors);
    int64_t most = divide_up(blocks, candidate->parts) * vectors;
    return fmin(1, (double)most / (double)candidate->filter_blocks);
}

/* How threads share the work, whose parts take so many cycles of one thread. Those that share the
 * filters all transform the whole input; those that share the tiles all read all weights, and may
 * want another number of columns. What costs less decides, unless the parts are so uneven that the
 * other way is faster for the thread that has most. All have the vectors of one thread's register
 * tile, and so the same weights. */
static void choose_split(Candidate *candidate, double before, double products, double reading,
                         double after) {
    double filters = share_of_filters(candidate);
    double by_filters = before + (products + reading + after) * filters;
    Tile tile;
    double product = INFINITY;
    choose_columns(candidate, candidate->tile.vectors, candidate->parts, &tile, &product);
    double tiles = (double)tiles_of_part(candidate, tile.columns, candidate->parts) /
                   (double)candidate->tile_count;
    double by_tiles = (before + after) * tiles + (double)candidate->positions * product + reading;
    double handicap = before < reading ? UNEVEN : 1 / UNEVEN;
    candidate->split = by_filters * handicap < by_tiles ? SPLIT_CHANNELS : SPLIT_ROWS;
    if (candidate->split == SPLIT_ROWS)
        candidate->tile = tile;
}

static int unroll_of(const Candidate *candidate) {
    int unroll = PRODUCT_UNROLL;
    while (candidate->channels % unroll != 0)
        unroll /= 2; /* a divisor of the lanes as well: a turn stays in a block */
    return unroll;
}

/* Sets the cycles of one thread, the tile, the group, and how threads share the work. */
static void candidate_cycles(Candidate *candidate) {
    double positions = (double)candidate->positions;
    double bytes = positions * (double)candidate->channels * (double)candidate->filters * 4;
    double reading = memory_cycles(candidate->machine, bytes);
    double before = transform_cycles(candidate, candidate->channel_blocks, candidate->before);
    double after = transform_cycles(candidate, candidate->filter_blocks, candidate->after);
    double product;
    bool is_strassen = candidate->kind == STEP_STRASSEN;
    double near = is_strassen ? STRASSEN_UNHIDDEN * bytes / candidate->machine->bytes_per_cycle : 0;
    candidate->tile = choose_tile(candidate, &product);
    double products = positions * product;
    if (candidate->parts > 1)
        choose_split(candidate, before, products, is_strassen ? near : reading, after);
    candidate->tile.unroll = unroll_of(candidate);
    choose_group(candidate);
    double waiting = is_strassen ? waiting_cycles(candidate, products, reading) : 0;
    candidate->cycles = before + fmax(products, reading) + waiting + after + near;
}

/* Floats for what lies between transforms and products (kernels/products.h), for each thread. False
 * if they do not fit 64 bits. */
static bool set_floats(Candidate *candidate) {
    int64_t lanes = candidate->machine->lanes;
    int64_t sums = STRASSEN_KEPT * candidate->run * candidate->tile.vectors;
    bool is_winograd = candidate->kind == STEP_WINOGRAD; /* keeps its products, and lines */
    int64_t vectors;
    return checked_mul(candidate->kept_blocks, candidate->group, &vectors) &&
           checked_add(vectors, is_winograd ? 3 : 1, &vectors) &&
           checked_mul(vectors, candidate->positions, &vectors) &&
           checked_add(vectors, is_winograd ? 0 : sums, &vectors) &&
           checked_mul(vectors, lanes * candidate->parts, &candidate->floats);
}

static void note_choice(Step *step, StepKind kind, int outputs, double cycles) {
    assert(step->choice_count < STEP_MAX_CHOICES);
    step->choices[step->choice_count++] = (Choice){kind, outputs, cycles};
}

/* Whether a method for the step takes less than the cycles of the best so far. */
static bool is_better(Step *step, Candidate *candidate, double best) {
    if (candidate->error > WINOGRAD_ERROR)
        return false;
    candidate_cycles(candidate);
    note_choice(step, candidate->kind, candidate->winograd ? candidate->winograd->outputs : 0,
                candidate->cycles);
    return candidate->cycles < candidate->share * best && set_floats(candidate);
}

static void apply(Step *step, const Candidate *candidate) {
    step->kind = candidate->kind;
    step->tile = candidate->tile;
    step->scratch_floats = candidate->floats;
    step->split = candidate->split;
    step->conv.winograd = candidate->winograd;
    step->conv.cycles = candidate->cycles;
    step->conv.group = candidate->group;
    step->conv.run = candidate->run;
    step->conv.tiles[0] = candidate->tiles[0];
    step->conv.tiles[1] = candidate->tiles[1];
}

/* ---- the choice ----------------------------------------------------------------------------- */

static int64_t pixels_of(const Step *step) {
    Box output = box_of_shape(&step->output_value->type.shape);
    return output.height * output.width;
}

static bool is_winograd(const Step *step) {
    const Window *window = &step->conv.window;
    return is_square(window->stride, 1) && is_square(window->dilation, 1) &&
           (is_square(window->kernel, 3) || is_square(window->kernel, 5));
}

/* Whether Strassen's method is weighed: on this machine or because a test asks for it, and of
 * halves of whole blocks, with pixels enough for two. */
static bool weighs_strassen(const Plan *plan, const Weight *weight, int64_t pixels,
                            const PlanOptions *options) {
    const int64_t *dims = weight->shape.dims;
    int64_t unit = 2 * plan->machine->lanes;
    return (plan->machine->strassen || options->tile_size == STRASSEN_PIXELS) &&
           dims[0] % unit == 0 && dims[1] % unit == 0 && pixels >= STRASSEN_PIXELS;
}

static bool is_strassen(const Plan *plan, const Step *step, const PlanOptions *options) {
    const Window *window = &step->conv.window;
    return is_square(window->kernel, 1) && is_square(window->pad_begin, 0) &&
           weighs_strassen(plan, step->conv.weight, pixels_of(step), options);
}

static void choose_conv(Plan *plan, Step *step, const PlanOptions *options) {
    int taps = (int)step->conv.window.kernel[0], asked = options->tile_size;
    double best = conv_cycles(plan->machine, step);
    note_choice(step, STEP_CONV, 0, best);
    int first = taps == 1 ? STRASSEN_PIXELS : taps == 3 ? 4 : 6;
    int last = taps == 1 ? STRASSEN_PIXELS : WINOGRAD_MAX_SIZE;
    for (int size = first; size <= last; size += 2) {
        if (asked != 0 && asked != size)
            continue;
        if (asked == size)
            best = INFINITY;
        Candidate candidate = taps == 1
                                  ? candidate_of_strassen(plan, step->conv.weight, pixels_of(step))
                                  : candidate_of_winograd(plan, step, size - taps + 1, taps);
        if (!is_better(step, &candidate, best))
            continue;
        best = candidate.cycles;
        apply(step, &candidate);
    }
}

/* Whether a product has a whole weight, and its result is a layer's. An error in what lies between
 * the steps of a layer would be no share of the layer's result: attention's scores, say, go through
 * an exponential function. */
static bool is_strassen_product(const Plan *plan, const Step *step, const PlanOptions *options) {
    const Product *product = &step->gemm.product;
    const Weight *weight = step->gemm.weight;
    return weight && weight->elements == product->columns * product->depth &&
           step->output_value->id < (int64_t)plan->graph->values.count &&
           weighs_strassen(plan, weight, product->rows, options);
}

static void choose_product(Plan *plan, Step *step, const PlanOptions *options) {
    product_choose(plan, step);
    if (options->exact || !is_strassen_product(plan, step, options))
        return;
    int asked = options->tile_size;
    const Weight *weight = step->gemm.weight, *bias = step->gemm.bias;
    int64_t rows = step->gemm.product.rows;
    TileProblem problem = product_tiles(plan->machine, &step->gemm.product);
    double direct = direct_cycles(plan->machine, tile_cost(&problem, &step->tile), weight);
    note_choice(step, STEP_GEMM, 0, direct);
    Candidate candidate = candidate_of_strassen(plan, weight, rows);
    if ((asked != 0 && asked != STRASSEN_PIXELS) ||
        !is_better(step, &candidate, asked ? INFINITY : direct))
        return;
    memset(&step->conv, 0, sizeof step->conv);
    step->conv.window = (Window)WINDOW_OF_PIXEL;
    step->conv.groups = 1;
    step->conv.weight = weight;
    step->conv.bias = bias;
    step->conv.rows = rows;
    apply(step, &candidate);
}

void plan_choose(Plan *plan, const PlanOptions *options) {
    for (size_t i = 0; i < plan->steps.count; i++) {
        Step *step = plan->steps.data[i];
        if (step->kind == STEP_GEMM)
            choose_product(plan, step, options);
        else if (step->kind == STEP_CONV && step->conv.groups == 1 && !options->exact &&
                 (is_winograd(step) || is_strassen(plan, step, options)))
            choose_conv(plan, step, options);
    }
}

const double *plan_error_shares(const Plan *plan, Arena *arena) {
    double *shares = NULL;
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.data[i];
        if (step->kind != STEP_WINOGRAD && step->kind != STEP_STRASSEN)
            continue;
        if (!shares)
            shares = ARENA_ARRAY(arena, plan->graph->nodes.count, double);
        shares[step->node->id] = WINOGRAD_ERROR;
    }
    return shares;
}
