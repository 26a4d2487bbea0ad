#include "plan/strassen.h"

#include "plan/winograd.h"

const double strassen_weights[STRASSEN_PRODUCTS][2][2] = {
    {{1, 0}, {0, 0}},   {{0, 1}, {0, 0}},  {{-1, 0}, {1, 1}}, {{0, 0}, {1, 1}},
    {{1, 1}, {-1, -1}}, {{1, 0}, {-1, 0}}, {{0, 0}, {0, -1}}};

const double strassen_input[STRASSEN_PRODUCTS][2][STRASSEN_PIXELS] = {
    {{1, 0}, {0, 0}}, {{0, 0}, {1, 0}},  {{1, -1}, {0, 1}}, {{-1, 1}, {0, 0}},
    {{0, 0}, {0, 1}}, {{0, -1}, {0, 1}}, {{1, -1}, {-1, 1}}};

const double strassen_output[2][STRASSEN_PIXELS][STRASSEN_PRODUCTS] = {
    {{1, 1, 0, 0, 0, 0, 0}, {1, 0, 1, 1, 1, 0, 0}}, {{1, 0, 1, 0, 0, 1, 1}, {1, 0, 1, 1, 0, 1, 0}}};

/* The factor is fitted to measurements (docs/numerics.md). */
double strassen_error(int64_t channels, bool fused) {
    return amplified_error(0.15e-6, channels, fused);
}
