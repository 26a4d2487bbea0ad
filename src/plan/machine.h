/* The machine as data: what the plan needs to know of a processor. One row a kind; which row a
 * --cpu means is asked of LLVM (codegen/target.h). */
#ifndef NETC_PLAN_MACHINE_H
#define NETC_PLAN_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum MachineKind {
    MACHINE_GENERIC,     /* 4 lanes, no fused multiply-add assumed: SSE2 and anything unknown */
    MACHINE_AVX2,        /* 8 lanes, FMA */
    MACHINE_AVX512,      /* 16 lanes, 32 registers, FMA */
    MACHINE_AVX512_DUAL, /* the same with two units of 512 bits: Intel's servers */
    MACHINE_AVX512_ZEN5, /* and AMD's since Zen 5; the last with AVX-512 */
    MACHINE_NEON,        /* 4 lanes, 32 registers, FMA by element */
} MachineKind;

/* f32 in a cache line, which has 64 bytes in every row. */
#define MACHINE_LINE_FLOATS 16

typedef struct Machine {
    MachineKind kind;
    const char *name;            /* "avx512" */
    int lanes;                   /* f32 in a vector; a power of two */
    int registers;               /* vector registers */
    bool fused;                  /* has fused multiply-add */
    bool broadcast_operand;      /* arithmetic can broadcast a scalar from memory for free */
    int64_t way_bytes;           /* numbers so far apart want the same place of the first cache, */
    int ways;                    /* of which there are so many */
    int64_t prefetch_bytes;      /* how far ahead of being read weights are asked for; 0: the
                                    processor sees by itself what comes. Measured; of ResNet-50
                                    on a Xeon 8192 costs 2 % more than 2048, none 3 % */
    int64_t prefetch_once_bytes; /* the same of weights that are read once a call: they come
                                    faster than others. Measured; 768 cost Zen 4 half as much again
                                    as 512, and Zen 5 wants 1536 */
    bool prefetch_operands;      /* so is what is added to a tile's sums, before they are made:
                                    2 to 4 % of Xception on a Zen 3, nothing on a Zen 5 */
    int64_t cache_bytes;         /* of the second cache, a core's own */
    int64_t shared_cache_bytes;  /* of the last cache, all cores' */
    double memory_bytes_per_cycle; /* that one core reads in order */
    double memory_wait;            /* of the time in which weights come from memory while others
                                      are multiplied, so many times the share that memory is busy
                                      is waited for. Measured on a Xeon; 0: they come in time */
    bool strassen;                 /* Strassen's method is weighed. Not with AVX2: a Zen 4 gained
                                      2 % at most, and a Zen 3, whose second cache does not hold
                                      what the products read, lost 7 to 13 of ViT and Swin */
    double fma_per_cycle;          /* multiply-adds of vectors that begin in a cycle */
    bool quick_halves;      /* twice as many of half the lanes: 512 bits by two units of 256 */
    double issue_per_cycle; /* instructions of any kind that do; half of what the core can,
                               if another thread may run on it */
    int fma_latency;        /* cycles times FMA units: independent chains that hide the latency */
    /* Rough figures, to tell work that is worth sharing between threads from work that is not: */
    double bytes_per_cycle; /* that a core reads or writes, cached or not */
    double wait_cycles;     /* until threads have waited for each other */
    double wake_cycles;     /* until the threads of a pool are at work, and asleep again */
} Machine;

const Machine *machine_of_kind(MachineKind kind);

static inline bool machine_is_avx512(const Machine *machine) {
    return machine->kind >= MACHINE_AVX512 && machine->kind <= MACHINE_AVX512_ZEN5;
}

#endif
