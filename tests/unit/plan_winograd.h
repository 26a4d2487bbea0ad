/* A WINOGRAD step for the interpreter of plans: one result at a time, by the matrices as they are
 * defined, from the packed weights and the whole tile of inputs. */
#ifndef NETC_TESTS_PLAN_WINOGRAD_H
#define NETC_TESTS_PLAN_WINOGRAD_H

/* Included by plan_interpreter.h, after packed_at and element_at. */

static inline double winograd_weight(const Run *run, const Step *step, int64_t position, int64_t f,
                                     int64_t c) {
    int64_t V = run->plan->machine->lanes, T = step->tile.vectors * V;
    int64_t F = step->output.channels, C = step->inputs[0].channels, n = F / T;
    int64_t positions = step->conv.winograd->size * step->conv.winograd->size;
    if (f < n * T)
        return packed_at(run, step->weights, ((position * n + f / T) * C + c) * T + f % T);
    int64_t rest = rounded_up(F % T, V);
    return packed_at(run, step->weights,
                     positions * n * C * T + (position * C + c) * rest + f - n * T);
}

/* Row `i` column `j` of B' d B, the tile's inputs beginning at pixel (h, w) of channel c. */
static inline double winograd_input(const Run *run, const Step *step, int i, int j, int64_t c,
                                    int64_t h, int64_t w) {
    const Winograd *winograd = step->conv.winograd;
    double sum = 0;
    for (int k = 0; k < winograd->size; k++)
        for (int l = 0; l < winograd->size; l++)
            sum += winograd->input[i][k] * winograd->input[j][l] *
                   *element_at(run, &step->inputs[0], c, h + k, w + l);
    return sum;
}

static inline double run_winograd(const Run *run, const Step *step, int64_t f, int64_t h,
                                  int64_t w) {
    const Winograd *winograd = step->conv.winograd;
    int m = winograd->outputs;
    assert(h / m < step->conv.tiles[0] && w / m < step->conv.tiles[1]);
    double sum = step->bias ? packed_at(run, step->bias, f) : 0;
    for (int i = 0; i < winograd->size; i++)
        for (int j = 0; j < winograd->size; j++) {
            double factor = winograd->output[h % m][i] * winograd->output[w % m][j];
            for (int64_t c = 0; factor != 0 && c < step->inputs[0].channels; c++)
                sum +=
                    factor * winograd_weight(run, step, i * winograd->size + j, f, c) *
                    winograd_input(run, step, i, j, c, h / m * m - step->conv.window.pad_begin[0],
                                   w / m * m - step->conv.window.pad_begin[1]);
        }
    return sum;
}

#endif
