#include "plan/tile_cost.h"

#include "support/checked.h"

#define TILE_OVERHEAD    24   /* slots to begin and end a tile */
#define STORE_OVERHEAD   2    /* slots to initialise and store an accumulator */
#define NEAR_BYTES       16   /* of the second cache's that a slot loads */
#define WEIGHTS_SHARE    0.75 /* of the second cache, that weights may fill */
#define VARIANT_OVERHEAD 64   /* slots that each further size of tile is held to cost in code */

/* Slots to load a vector of weights. A block of filters of so many vectors passes by once for each
 * tile; if it does not stay in the second cache beside the input, it comes from the next. */
static double weight_slots(const TileProblem *problem, int64_t vectors) {
    const Machine *machine = problem->machine;
    if (!problem->loads_weights)
        return 0;
    double bytes = (double)machine->lanes * sizeof(float);
    double near = bytes / NEAR_BYTES;
    double far = bytes / machine->bytes_per_cycle * machine->fma_per_cycle;
    bool stays = bytes * (double)vectors * (double)problem->taps <=
                 WEIGHTS_SHARE * (double)machine->cache_bytes;
    return stays || far < near ? near : far;
}

/* Slots of one tap of a tile; the last of the vectors may be a half. */
static double tap_slots(const TileProblem *problem, int64_t pixels, int64_t vectors, bool half) {
    const Machine *machine = problem->machine;
    double slots = (double)pixels * ((double)vectors - (half ? 0.5 : 0));
    double loads = (double)pixels + weight_slots(problem, vectors) * (double)vectors;
    double issued = (double)(pixels * vectors + pixels + vectors) * machine->fma_per_cycle /
                    machine->issue_per_cycle;
    if (slots < loads)
        slots = loads;
    if (slots < issued)
        slots = issued;
    if (slots < machine->fma_latency)
        slots = machine->fma_latency;
    return slots;
}

/* `extent` is cut into pieces of `size`: the number of whole ones, and the rest as one more. */
typedef struct Cut {
    int64_t size[2];
    int64_t count[2];
} Cut;

static Cut cut(int64_t extent, int size) {
    int64_t rest = extent % size;
    return (Cut){.size = {size, rest}, .count = {extent / size, rest > 0}};
}

double tile_cost(const TileProblem *problem, const Tile *tile) {
    Cut rows = cut(problem->height, tile->rows);
    Cut columns = cut(problem->width, tile->columns);
    Cut vectors = cut(problem->vectors, tile->vectors);
    if (problem->ends_in_half && vectors.count[1] == 0) /* no whole block of filters is the last */
        vectors = (Cut){{tile->vectors, tile->vectors}, {vectors.count[0] - 1, 1}};
    double cost = 0;
    for (int i = 0; i < 8; i++) {
        int r = i & 1, c = i >> 1 & 1, v = i >> 2 & 1;
        double count = (double)rows.count[r] * (double)columns.count[c] * (double)vectors.count[v];
        if (count == 0)
            continue;
        int64_t pixels = rows.size[r] * columns.size[c];
        bool half = problem->ends_in_half && v == 1;
        double one = tap_slots(problem, pixels, vectors.size[v], half) * (double)problem->taps +
                     TILE_OVERHEAD + STORE_OVERHEAD * (double)(pixels * vectors.size[v]);
        cost += count * one + VARIANT_OVERHEAD;
    }
    return cost;
}

static bool is_asked_for(const TileProblem *problem, int rows, int vectors) {
    return (problem->row_multiple == 0 || problem->row_multiple % rows == 0) &&
           (problem->fixed_vectors == 0 || problem->fixed_vectors == vectors);
}

Tile tile_choose(const TileProblem *problem) {
    Tile best = {1, 1, problem->fixed_vectors > 0 ? problem->fixed_vectors : 1, 1};
    double best_cost = tile_cost(problem, &best);
    for (int vectors = 1; vectors <= smaller(problem->vectors, problem->max_vectors); vectors++) {
        for (int rows = 1; rows <= smaller(problem->height, problem->max_pixels); rows++) {
            if (!is_asked_for(problem, rows, vectors))
                continue;
            int fitting = (problem->registers - vectors) / (vectors * rows);
            if (fitting > problem->max_pixels / rows)
                fitting = problem->max_pixels / rows;
            for (int columns = 1; columns <= smaller(problem->width, fitting); columns++) {
                Tile tile = {rows, columns, vectors, 1};
                double cost = tile_cost(problem, &tile);
                if (cost < best_cost) {
                    best = tile;
                    best_cost = cost;
                }
            }
        }
    }
    return best;
}

/* Registers beside accumulators and weights: an input that is no operand from memory, a product
 * that is not fused, and one to spare where there are many. */
static int spare_registers(const Machine *machine) {
    return !machine->broadcast_operand + !machine->fused + (machine->registers > 16);
}

bool conv_ends_in_half(const Machine *machine, int64_t filters, int64_t groups) {
    int64_t last = filters % machine->lanes;
    return machine->quick_halves && groups == 1 && last > 0 && last <= machine->lanes / 2;
}

TileProblem tile_problem_of_sums(const Machine *machine, int64_t height, int64_t width,
                                 int64_t vectors, int64_t taps) {
    return (TileProblem){
        .machine = machine,
        .height = height,
        .width = width,
        .vectors = vectors,
        .taps = taps,
        .max_vectors = TILE_MAX_VECTORS,
        .max_pixels = machine->registers,
        .loads_weights = true,
        .registers = machine->registers - spare_registers(machine),
    };
}

TileProblem tile_problem_of_conv(const Machine *machine, const Weight *weight, int64_t groups,
                                 int64_t height, int64_t width) {
    int64_t lanes = machine->lanes, filters = weight->shape.dims[0];
    bool mixed = groups > 1 && filters / groups % lanes != 0; /* lanes of several groups */
    if (!mixed)
        filters /= groups;
    TileProblem problem = tile_problem_of_sums(machine, height, width, divide_up(filters, lanes),
                                               weight->elements / weight->shape.dims[0]);
    problem.ends_in_half = conv_ends_in_half(machine, weight->shape.dims[0], groups);
    problem.repeats = mixed ? 1 : groups;
    if (mixed)
        problem.max_vectors = 1;
    return problem;
}
