/* The question's network made with --threads=N: the same result, from a pool of N threads and from
 * the calling thread alone, and how long each takes. Usage: threads question.weights */
#include "netc_runtime.h"
#include "question_threads.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define TURNS 20

static float image[QUESTION_IMAGE_SIZE];

static double seconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Returns what comes out; prints the time of the fastest of a few runs. */
static float run(const char *what, const void *weights, void *arena, pthreadpool_t pool) {
    float output[QUESTION_OUTPUT_SIZE];
    double best = INFINITY;
    for (int i = 0; i < TURNS; i++) {
        double start = seconds();
        question(image, output, weights, arena, pool);
        best = fmin(best, seconds() - start);
    }
    printf("%s: %.6f in %.1f milliseconds\n", what, (double)output[0], best * 1e3);
    return output[0];
}

int main(int argc, char **argv) {
    struct netc_weights weights;
    enum netc_status status =
        netc_weights_map(argc > 1 ? argv[1] : "question.weights", &question_info, 0, &weights);
    if (status != NETC_OK) {
        fprintf(stderr, "threads: %s\n", netc_status_text(status));
        return 1;
    }
    for (int i = 0; i < QUESTION_IMAGE_SIZE; i++)
        image[i] = sinf(hypotf((float)(i / 100 - 50), (float)(i % 100 - 50)) / 3);
    void *arena = netc_arena_new(&question_info);
    pthreadpool_t pool = pthreadpool_create(QUESTION_THREADS);
    float shared = run("a pool of threads", weights.data, arena, pool);
    float alone = run("one thread", weights.data, arena, NULL);
    pthreadpool_destroy(pool);
    netc_arena_free(arena);
    netc_weights_free(&weights);
    return shared == alone ? 0 : 1;
}
