/* Usage: PROGRAM wide.weights. The sums of softmax are 1 where all came to the right place. */
#include "first.h"
#include "narrow.h"
#include "netc_runtime.h"
#include "wide.h"

#include <math.h>
#include <stdio.h>

static float input[WIDE_X_SIZE], output[WIDE_OUTPUT_SIZE];
static _Alignas(64) char arena[WIDE_ARENA_BYTES + NARROW_ARENA_BYTES + 1];

static int is_one(const float *numbers, int count) {
    float sum = 0;
    for (int i = 0; i < count; i++)
        sum += numbers[i];
    return fabsf(sum - 1) < 1e-6f;
}

int main(int argc, char **argv) {
    struct netc_weights weights;
    float negative[] = {-1, 2}, positive[2];
    first(negative, positive, NULL, NULL);
    if (argc < 2 || netc_weights_map(argv[1], &wide_info, 0, &weights) != NETC_OK)
        return 1;
    pthreadpool_t pool = pthreadpool_create(WIDE_THREADS);
    wide(input, output, weights.data, arena, pool);
    pthreadpool_destroy(pool);
    netc_weights_free(&weights);
    if (!is_one(output, WIDE_OUTPUT_SIZE) || positive[0] != 0 || positive[1] != 2)
        return 2;
    if (netc_weights_map(argv[1], &narrow_info, 0, &weights) == NETC_OK)
        return 3;
    printf("wide %d and narrow %d are as they should be\n", WIDE_X_SIZE, NARROW_X_SIZE);
    return 0;
}
