/* Maps the weights of the question's network, runs it on a picture of rings, and prints what comes
 * out and how long it takes. Usage: question question.weights */
#include "netc_runtime.h"
#include "question.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static float image[QUESTION_IMAGE_SIZE];

static double seconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int argc, char **argv) {
    struct netc_weights weights;
    enum netc_status status =
        netc_weights_map(argc > 1 ? argv[1] : "question.weights", &question_info, 0, &weights);
    if (status != NETC_OK) {
        fprintf(stderr, "question: %s\n", netc_status_text(status));
        return 1;
    }
    for (int i = 0; i < QUESTION_IMAGE_SIZE; i++)
        image[i] = sinf(hypotf((float)(i / 100 - 50), (float)(i % 100 - 50)) / 3);
    void *arena = netc_arena_new(&question_info);
    float output[QUESTION_OUTPUT_SIZE];
    double start = seconds();
    question(image, output, weights.data, arena);
    printf("question: %.6f in %.1f milliseconds, %d parameters\n", (double)output[0],
           (seconds() - start) * 1e3, QUESTION_PARAMETERS);
    netc_arena_free(arena);
    netc_weights_free(&weights);
    return 0;
}
