/* Random weights for a fresh network: the right size and scale to run, not trained. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "support/hash.h"
#include "support/random.h"
#include "weights/bind.h"

#define SMALL_DEVIATION 0.1 /* of biases, means, and of scales around 1 */

static double number_draw(Random *random, const Weight *weight) {
    switch (weight->role) {
    case WEIGHT_KERNEL: { /* He et al. 2015, "Delving Deep into Rectifiers", equation 10 */
        double fan_in = weight->fan_in > 0 ? (double)weight->fan_in : 1;
        return random_normal(random) * sqrt(2 / fan_in);
    }
    case WEIGHT_BIAS:
    case WEIGHT_MEAN: return random_normal(random) * SMALL_DEVIATION;
    case WEIGHT_SCALE: return 1 + random_normal(random) * SMALL_DEVIATION;
    case WEIGHT_VARIANCE: return 0.5 + random_uniform(random); /* [0.5, 1.5) */
    }
    assert(false);
    return 0;
}

void weights_random(Arena *arena, Graph *graph, uint64_t seed) {
    for (size_t i = 0; i < graph->weights.count; i++) {
        Weight *weight = graph->weights.data[i];
        /* A sequence a tensor, so that a change of one layer leaves the others' numbers alone. */
        Random random = random_start(seed ^ hash_bytes(weight->path, strlen(weight->path)));
        float *numbers = ARENA_ARRAY(arena, (size_t)weight->elements, float);
        for (int64_t k = 0; k < weight->elements; k++)
            numbers[k] = (float)number_draw(&random, weight);
        weight->data = numbers;
    }
}
