#include "support/random.h"

#include <math.h>

#define PCG_MULTIPLIER 6364136223846793005u
#define TWO_PI         6.283185307179586476925

Random random_start(uint64_t seed) {
    Random random = {.increment = 2891336453u}; /* 2 * stream + 1 */
    (void)random_bits(&random);
    random.state += seed;
    (void)random_bits(&random);
    return random;
}

uint32_t random_bits(Random *random) {
    uint64_t old = random->state;
    random->state = old * PCG_MULTIPLIER + random->increment;
    uint32_t shifted = (uint32_t)(((old >> 18) ^ old) >> 27);
    uint32_t turn = (uint32_t)(old >> 59);
    return (shifted >> turn) | (shifted << (-turn & 31));
}

double random_uniform(Random *random) {
    return random_bits(random) * 0x1p-32;
}

double random_normal(Random *random) {
    if (random->has_spare) {
        random->has_spare = false;
        return random->spare;
    }
    double radius = sqrt(-2 * log(1 - random_uniform(random)));
    double angle = TWO_PI * random_uniform(random);
    random->spare = radius * sin(angle);
    random->has_spare = true;
    return radius * cos(angle);
}
