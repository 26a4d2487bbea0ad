#include "plan/machine.h"

#include <stddef.h>

/* 4 cycles of latency times 2 units is what every core of the last ten years has, or less. A wait
 * is a few cache lines going from core to core, and the threads not coming at once. */
#define WAIT_CYCLES 1500
#define WAKE_CYCLES 15000

static const Machine machines[] = {
    {.kind = MACHINE_GENERIC,
     .name = "generic",
     .lanes = 4,
     .registers = 16,
     .fma_per_cycle = 1,
     .fma_latency = 8,
     .way_bytes = 4096,
     .ways = 8,
     .cache_bytes = 512 * 1024,
     .shared_cache_bytes = 8 << 20,
     .memory_bytes_per_cycle = 6,
     .bytes_per_cycle = 12,
     .wait_cycles = WAIT_CYCLES,
     .wake_cycles = WAKE_CYCLES},
    {.kind = MACHINE_AVX2,
     .name = "avx2",
     .lanes = 8,
     .registers = 16,
     .fused = true,
     .fma_per_cycle = 2,
     .fma_latency = 8,
     .way_bytes = 4096,
     .ways = 8,
     .cache_bytes = 512 * 1024,
     .shared_cache_bytes = 8 << 20,
     .memory_bytes_per_cycle = 8,
     .bytes_per_cycle = 16,
     .wait_cycles = WAIT_CYCLES,
     .wake_cycles = WAKE_CYCLES},
    {.kind = MACHINE_AVX512,
     .name = "avx512",
     .lanes = 16,
     .registers = 32,
     .fused = true,
     .broadcast_operand = true,
     .fma_per_cycle = 1,
     .fma_latency = 8,
     .way_bytes = 4096,
     .ways = 8,
     .cache_bytes = 1024 * 1024,
     .shared_cache_bytes = 32 << 20,
     .memory_bytes_per_cycle = 8,
     .bytes_per_cycle = 16,
     .wait_cycles = WAIT_CYCLES,
     .wake_cycles = WAKE_CYCLES},
    {.kind = MACHINE_NEON,
     .name = "neon",
     .lanes = 4,
     .registers = 32,
     .fused = true,
     .fma_per_cycle = 2,
     .fma_latency = 8,
     .way_bytes = 16384,
     .ways = 4,
     .cache_bytes = 512 * 1024,
     .shared_cache_bytes = 8 << 20,
     .memory_bytes_per_cycle = 8,
     .bytes_per_cycle = 16,
     .wait_cycles = WAIT_CYCLES,
     .wake_cycles = WAKE_CYCLES},
};

const Machine *machine_of_kind(MachineKind kind) {
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++)
        if (machines[i].kind == kind)
            return &machines[i];
    return &machines[0];
}
