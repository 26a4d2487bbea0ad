/* The target: triple, processor, and which machine row it is. Hides LLVM's target machine. */
#ifndef NETC_CODEGEN_TARGET_H
#define NETC_CODEGEN_TARGET_H

#include "plan/machine.h"
#include "support/diag.h"

typedef struct Target {
    const char *triple;   /* normalised, "x86_64-pc-linux-gnu" */
    const char *cpu;      /* LLVM's name, "x86-64-v3"; the host's for `native` */
    const char *features; /* "" or "+avx2,..." */
    const Machine *machine;
    int optimisation; /* 0 to 3 */
    void *llvm;       /* LLVMTargetMachineRef */
} Target;

/* Opens a target. `triple` NULL: this machine's; `cpu` NULL: the baseline of the triple; "native":
 * this machine's. Unknown names are E0601 with the nearest one, object formats other than ELF
 * E0602; returns NULL then. The machine row is what LLVM itself compiles vectors to for that cpu,
 * so every cpu LLVM knows works. */
Target *target_open(Arena *arena, Diagnostics *diagnostics, const char *triple, const char *cpu,
                    int optimisation);
void target_close(Target *target);

#endif
