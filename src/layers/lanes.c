#include "layers/lanes.h"

#include "support/checked.h"

static int64_t row_size(const Weight *weight) {
    return weight->elements / weight->shape.dims[0];
}

Tap *lanes_taps(Arena *arena, const Weight *weight, int64_t first, int64_t count, int64_t places) {
    int64_t size = row_size(weight), channels = size / places;
    Tap *taps = ARENA_ARRAY(arena, (size_t)size, Tap);
    for (int64_t lane = 0; lane < count; lane++) {
        const float *row = weight->data + (first + lane) * size;
        for (int64_t i = 0; i < size; i++) {
            Tap *tap = &taps[i % places * channels + i / places];
            tap->weight.of[lane] = row[i];
            tap->absolute.of[lane] = fabs((double)row[i]);
        }
    }
    return taps;
}

Real lane_sum_finish(const LaneSum *sum, int lane, const Weight *bias, int64_t row, int64_t extra) {
    RealSum one = {.value = sum->value.of[lane],
                   .magnitude = sum->magnitude.of[lane],
                   .error = sum->error.of[lane],
                   .terms = sum->terms};
    if (bias != NULL)
        real_sum_product(&one, bias->data[row], (Real){.value = 1});
    return real_sum_finish(&one, extra);
}

/* Units number index * LANES and those behind it, of all rows. */
static void units_evaluate(void *context, size_t index) {
    const RowProducts *products = context;
    int64_t begin = (int64_t)index * LANES, depth = row_size(products->weight);
    int64_t count = products->units - begin < LANES ? products->units - begin : LANES;
    int64_t first = products->first + begin;
    Arena scratch = {0};
    const Tap *taps = lanes_taps(&scratch, products->weight, first, count, 1);
    for (int64_t row = 0; row < products->rows; row++) {
        LaneSum sum = {.terms = depth};
        for (int64_t i = 0; i < depth; i++)
            lane_sum_product(&sum, &taps[i], products->input[row * depth + i]);
        for (int lane = 0; lane < count; lane++)
            products->result[row * products->units + begin + lane] =
                lane_sum_finish(&sum, lane, products->bias, first + lane, products->extra);
    }
    arena_free(&scratch);
}

void evaluate_rows(const Evaluation *evaluation, RowProducts *products) {
    double count = (double)products->rows * (double)products->units;
    evaluation_share(evaluation, count * (double)row_size(products->weight), units_evaluate,
                     products, divide_up(products->units, LANES));
}
