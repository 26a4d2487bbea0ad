/* What a register tile costs, and the cheapest one for a problem.
 *
 * The cost is in slots of the multiply-add units, which are cycles where nothing else is short:
 *
 *   per tap (one channel of one kernel pixel) a tile of A accumulators takes A slots, but not
 *   fewer than the chains that hide the latency, nor than its loads: one for each pixel, and for
 *   each vector of weights, which may come from the second cache, one for every 16 bytes, or what
 *   it takes to come from the last if the weights of all taps leave no room in the second;
 *   nor than it takes to issue all its instructions;
 *   per tile it also takes time to start and to store.
 *
 * Tiles at the edges are smaller and cost what a tile of their size does, so that a choice which
 * divides the image evenly wins by itself. */
#ifndef NETC_PLAN_TILE_COST_H
#define NETC_PLAN_TILE_COST_H

#include "plan/plan.h"

#define TILE_MAX_VECTORS 8 /* of a tile */

/* What the cost of a tile depends on. */
typedef struct TileProblem {
    const Machine *machine;
    int64_t height; /* output pixels */
    int64_t width;
    int64_t vectors;   /* of output channels, in each group */
    bool ends_in_half; /* the last vector's multiply-adds take half as long (conv_ends_in_half) */
    int64_t taps;      /* multiply-adds of one output */
    int64_t repeats;   /* groups that are tiled like this, one after the other; not in tile_cost */
    int max_vectors;
    int max_pixels;
    bool loads_weights;   /* for each tap, or they stay in registers */
    int registers;        /* for accumulators, and one for each vector of weights */
    int64_t row_multiple; /* of which the tile's rows are a divisor; 0: any number will do */
    int fixed_vectors;    /* that the tile has; 0: any number */
} TileProblem;

static inline int smaller(int64_t a, int b) {
    return a < b ? (int)a : b;
}

/* Slots of all tiles. */
double tile_cost(const TileProblem *problem, const Tile *tile);

/* The cheapest tile that fits the registers; of equals the first, with few rows and vectors. */
Tile tile_choose(const TileProblem *problem);

/* Whether the step's tile can be another one of as many vectors: of an image, blocked, a CONV,
 * DEPTHWISE or WINDOW. Its kernel does any whole tiles of rows that it is asked for. */
static inline bool tile_is_free(const Step *step) {
    const Window *window = step_window(step);
    bool is_flat =
        step->kind == STEP_CONV || step->kind == STEP_DEPTHWISE ||
        (step->kind == STEP_WINDOW && window->input_slices == 1 && window->output_slices == 1);
    return is_flat && step->output.block > 1;
}

/* Slots that a group of such a step would take with the tile. */
double tile_slots(const Machine *machine, const Step *step, const Tile *tile);

/* The cheapest tile of such a step for images of `rows` rows, whose own rows divide `multiple`. */
Tile tile_dividing(const Machine *machine, const Step *step, int64_t rows, int64_t multiple);

/* Whether the last vector of a direct convolution's filters has no more than half its lanes, on a
 * machine for which vectors of half as many are half the work. */
bool conv_ends_in_half(const Machine *machine, int64_t filters, int64_t groups);

/* Sums of `taps` products, each of an input that is the same for all lanes and a vector of weights
 * that is loaded for it. */
TileProblem tile_problem_of_sums(const Machine *machine, int64_t height, int64_t width,
                                 int64_t vectors, int64_t taps);

/* A direct convolution of an image in groups, by shapes only. */
TileProblem tile_problem_of_conv(const Machine *machine, const Weight *weight, int64_t groups,
                                 int64_t height, int64_t width);

#endif
