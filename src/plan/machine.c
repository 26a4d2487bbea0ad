#include "plan/machine.h"

#include <stddef.h>

/* 4 cycles of latency times 2 units is what every core of the last ten years has, or less. */
static const Machine machines[] = {
    {.kind = MACHINE_GENERIC,
     .name = "generic",
     .lanes = 4,
     .registers = 16,
     .fma_latency = 8,
     .cache_bytes = 512 * 1024,
     .memory_bytes_per_cycle = 6},
    {.kind = MACHINE_AVX2,
     .name = "avx2",
     .lanes = 8,
     .registers = 16,
     .fused = true,
     .fma_latency = 8,
     .cache_bytes = 512 * 1024,
     .memory_bytes_per_cycle = 6},
    {.kind = MACHINE_AVX512,
     .name = "avx512",
     .lanes = 16,
     .registers = 32,
     .fused = true,
     .broadcast_operand = true,
     .fma_latency = 8,
     .cache_bytes = 1024 * 1024,
     .memory_bytes_per_cycle = 8},
    {.kind = MACHINE_NEON,
     .name = "neon",
     .lanes = 4,
     .registers = 32,
     .fused = true,
     .fma_latency = 8,
     .cache_bytes = 512 * 1024,
     .memory_bytes_per_cycle = 6},
};

const Machine *machine_of_kind(MachineKind kind) {
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++)
        if (machines[i].kind == kind)
            return &machines[i];
    return &machines[0];
}
