/* A STRASSEN step for the interpreter of plans: one result at a time, by the definition in
 * plan/strassen.h, from the packed weights. */
#ifndef NETC_TESTS_PLAN_STRASSEN_H
#define NETC_TESTS_PLAN_STRASSEN_H

/* Included by plan_interpreter.h, after packed_at and element_at. */
#include "plan/strassen.h"

/* Weight of filter f and channel c of product `p`, both of half as many as the layer has. */
static inline double strassen_weight(const Run *run, const Step *step, int64_t p, int64_t f,
                                     int64_t c) {
    int64_t F = step->conv.weight->shape.dims[0] / 2, C = step->conv.weight->shape.dims[1] / 2;
    int64_t T = step->tile.vectors * run->plan->machine->lanes, begin = f / T * T;
    int64_t width = F - begin < T ? F - begin : T;
    return packed_at(run, step->weights,
                     begin * STRASSEN_PRODUCTS * C + (p * C + c) * width + f - begin);
}

/* The input of pixel or row `pixel` of the output. */
static inline double strassen_input_of(const Run *run, const Step *step, int64_t channel,
                                       int64_t pixel) {
    const int64_t *stride = step->conv.window.stride;
    int64_t width = step->output.width;
    if (step->conv.rows > 0)
        return element_at(run, &step->inputs[0], 0, 0,
                          0)[pixel * step->conv.weight->shape.dims[1] + channel];
    return *element_at(run, &step->inputs[0], channel, pixel / width * stride[0],
                       pixel % width * stride[1]);
}

/* Input of product `p` in channel c of a half: pixels past the last one count for nothing. */
static inline double strassen_number(const Run *run, const Step *step, int p, int64_t tile,
                                     int64_t c) {
    int64_t channels = step->conv.weight->shape.dims[1];
    int64_t pixels =
        step->conv.rows > 0 ? step->conv.rows : step->output.height * step->output.width;
    double sum = 0;
    for (int k = 0; k < 2; k++)
        for (int n = 0; n < STRASSEN_PIXELS; n++) {
            int64_t pixel = STRASSEN_PIXELS * tile + n;
            int64_t channel = c + k * channels / 2;
            if (pixel < pixels)
                sum += strassen_input[p][k][n] * strassen_input_of(run, step, channel, pixel);
        }
    return sum;
}

static inline double run_strassen(const Run *run, const Step *step, int64_t f, int64_t h,
                                  int64_t w) {
    int64_t F = step->conv.weight->shape.dims[0] / 2, C = step->conv.weight->shape.dims[1] / 2;
    int64_t pixel = h * step->output.width + w;
    if (step->conv.rows > 0) { /* in row-major order */
        int64_t at = f * step->output.height * step->output.width + pixel;
        pixel = at / (2 * F);
        f = at % (2 * F);
    }
    int64_t tile = pixel / STRASSEN_PIXELS;
    assert(step->conv.tiles[0] == 1 && tile < step->conv.tiles[1]);
    double sum = step->bias ? packed_at(run, step->bias, f) : 0;
    for (int p = 0; p < STRASSEN_PRODUCTS; p++) {
        double factor = strassen_output[f / F][pixel % STRASSEN_PIXELS][p];
        for (int64_t c = 0; factor != 0 && c < C; c++)
            sum += factor * strassen_weight(run, step, p, f % F, c) *
                   strassen_number(run, step, p, tile, c);
    }
    return sum;
}

#endif
