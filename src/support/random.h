/* Reproducible random numbers: PCG32 (O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient
 * Statistically Good Algorithms"), normal deviates by Box and Muller (1958) in double. The same
 * seed gives the same numbers on every machine. */
#ifndef NETC_SUPPORT_RANDOM_H
#define NETC_SUPPORT_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Random {
    uint64_t state;
    uint64_t increment; /* odd */
    double spare;       /* of the last pair of normal deviates, the one not yet given out */
    bool has_spare;
} Random;

Random random_start(uint64_t seed);
uint32_t random_bits(Random *random);
/* In [0, 1), a multiple of 2^-32. */
double random_uniform(Random *random);
/* Mean 0, variance 1. They are made in pairs: every other call draws no bits. */
double random_normal(Random *random);

#endif
