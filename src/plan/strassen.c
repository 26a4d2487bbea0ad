#include "plan/strassen.h"

#include <math.h>

const int8_t strassen_weights[STRASSEN_PRODUCTS][2][2] = {
    {{1, 0}, {0, 0}},   {{0, 1}, {0, 0}},  {{-1, 0}, {1, 1}}, {{0, 0}, {1, 1}},
    {{1, 1}, {-1, -1}}, {{1, 0}, {-1, 0}}, {{0, 0}, {0, -1}}};

const int8_t strassen_input[STRASSEN_PRODUCTS][2][STRASSEN_PIXELS] = {
    {{1, 0}, {0, 0}}, {{0, 0}, {1, 0}},  {{1, -1}, {0, 1}}, {{-1, 1}, {0, 0}},
    {{0, 0}, {0, 1}}, {{0, -1}, {0, 1}}, {{1, -1}, {-1, 1}}};

const int8_t strassen_output[2][STRASSEN_PIXELS][STRASSEN_PRODUCTS] = {
    {{1, 1, 0, 0, 0, 0, 0}, {1, 0, 1, 1, 1, 0, 0}}, {{1, 0, 1, 0, 0, 1, 1}, {1, 0, 1, 1, 0, 1, 0}}};

/* As of winograd_error: roundings of a sum of half the channels and of the additions, amplified by
 * a factor fitted to measurements (docs/numerics.md). */
double strassen_error(int64_t channels, bool fused) {
    return 0.15e-6 * sqrt(25 + (double)channels / 2) * (fused ? 1 : 1.3);
}
