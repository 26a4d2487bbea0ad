/* What the machine can do, for the benchmarks: machine THREADS prints two numbers, the GFLOP/s of
 * f32 fused multiply-adds in registers and the GB/s of reading memory, best of a few runs. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
#define CHAINS 12
#define RUNS   5
#define BYTES  ((size_t)256 << 20)
#define MAX_THREADS 64

typedef float Vector __attribute__((vector_size(LANES * sizeof(float))));

static pthread_barrier_t barrier;
static double rates[MAX_THREADS], bandwidths[MAX_THREADS];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float multiply_add(long turns) {
    Vector sums[CHAINS], factor = {0}, term = {0};
    factor += 0.999999f;
    term += 1e-7f;
    for (int i = 0; i < CHAINS; i++)
        sums[i] = (Vector){0} + (float)(i + 1);
    for (long turn = 0; turn < turns; turn++) {
        for (int i = 0; i < CHAINS; i++)
            sums[i] = sums[i] * factor + term;
#if defined(__x86_64__) /* nothing is known of the sums from turn to turn */
        for (int i = 0; i < CHAINS; i++)
            __asm__ volatile("" : "+v"(sums[i]));
#else
        for (int i = 0; i < CHAINS; i++)
            __asm__ volatile("" : "+w"(sums[i]));
#endif
    }
    for (int i = 1; i < CHAINS; i++)
        sums[0] += sums[i];
    return sums[0][0];
}

static float read_all(const Vector *data, size_t count) {
    Vector sums[8] = {{0}};
    for (size_t i = 0; i < count; i += 8)
        for (size_t k = 0; k < 8; k++)
            sums[k] += data[i + k];
    for (int k = 1; k < 8; k++)
        sums[0] += sums[k];
    return sums[0][0];
}

static void *measure(void *argument) {
    long id = (long)argument;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((int)id, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    volatile float sink = 0;
    pthread_barrier_wait(&barrier);
    for (int run = 0; run < RUNS; run++) {
        const long turns = 2000000;
        double begin = now();
        sink += multiply_add(turns);
        double rate = (double)turns * CHAINS * LANES * 2 / (now() - begin) / 1e9;
        rates[id] = rate > rates[id] ? rate : rates[id];
    }
    char *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        exit(3);
    madvise(memory, BYTES, MADV_HUGEPAGE);
    memset(memory, 1, BYTES);
    pthread_barrier_wait(&barrier);
    for (int run = 0; run < RUNS; run++) {
        double begin = now();
        sink += read_all((const Vector *)(const void *)memory, BYTES / sizeof(Vector));
        double bandwidth = (double)BYTES / (now() - begin) / 1e9;
        bandwidths[id] = bandwidth > bandwidths[id] ? bandwidth : bandwidths[id];
    }
    munmap(memory, BYTES);
    return NULL;
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 1;
    if (count < 1 || count > MAX_THREADS)
        return 2;
    pthread_t threads[MAX_THREADS];
    pthread_barrier_init(&barrier, NULL, (unsigned)count);
    for (long i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, measure, (void *)i);
    double rate = 0, bandwidth = 0;
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        rate += rates[i];
        bandwidth += bandwidths[i];
    }
    printf("%.1f %.1f\n", rate, bandwidth);
    return 0;
}
