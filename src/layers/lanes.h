/* Sums of products with several rows of a weight at once, a lane each: nearly all the time of the
 * reference goes into these. Each lane has the very numbers that RealSum would have.
 *
 * A row is what one filter or unit has: all of a weight's dims but the first. */
#ifndef NETC_LAYERS_LANES_H
#define NETC_LAYERS_LANES_H

#include "layers/evaluate.h"

/* GCC's and Clang's vectors, as long as all processors have them (SSE2, NEON). */
#define LANES 4
#define PAIRS (LANES / 2)
typedef double Pair __attribute__((vector_size(2 * sizeof(double))));
typedef int64_t PairMask __attribute__((vector_size(2 * sizeof(int64_t))));

/* A number for each lane. */
typedef union Lanes {
    Pair pairs[PAIRS];
    double of[LANES];
} Lanes;

/* A place in LANES rows of a weight. */
typedef struct Tap {
    Lanes weight;
    Lanes absolute;
} Tap;

typedef struct LaneSum {
    Lanes value;
    Lanes magnitude;
    Lanes error;
    int64_t terms;
} LaneSum;

/* Adds weight * x, as real_sum_product does; `terms` is for the caller to count. */
static inline void lane_sum_product(LaneSum *sum, const Tap *tap, Real x) {
    for (int i = 0; i < PAIRS; i++) {
        Pair size = tap->absolute.pairs[i] * fabs(x.value);
        PairMask finite = size <= DBL_MAX;
        sum->value.pairs[i] += tap->weight.pairs[i] * x.value;
        sum->magnitude.pairs[i] += (Pair)((PairMask)size & finite);
    }
    if (x.error > 0)
        for (int i = 0; i < PAIRS; i++)
            sum->error.pairs[i] += tap->absolute.pairs[i] * x.error;
}

/* The taps of `count` <= LANES rows from row `first` on, in the arena; other lanes are 0. A row
 * that is [.., places] in the weight is [places, ..] there. */
Tap *lanes_taps(Arena *arena, const Weight *weight, int64_t first, int64_t count, int64_t places);

/* The sum of the lane that has row `row`, and that row's bias, NULL: none; `extra` as for
 * real_sum_finish. */
Real lane_sum_finish(const LaneSum *sum, int lane, const Weight *bias, int64_t row, int64_t extra);

/* [rows, units]: of each row of `input` the products with rows of the weight, from `first` on. */
typedef struct RowProducts {
    const Weight *weight;
    const Weight *bias; /* NULL: none */
    int64_t first;
    int64_t units;
    const Real *input;
    int64_t rows;
    Real *result;
    int64_t extra; /* as for real_sum_finish */
} RowProducts;

void evaluate_rows(const Evaluation *evaluation, RowProducts *products);

#endif
