/* The target: triple, processor, and which machine row it is. Hides LLVM's target machine. */
#ifndef NETC_CODEGEN_TARGET_H
#define NETC_CODEGEN_TARGET_H

#include "plan/machine.h"
#include "support/diag.h"
#include "support/vec.h"

typedef struct Target {
    const char *triple;   /* normalised, "x86_64-pc-linux-gnu" */
    const char *cpu;      /* LLVM's name, "x86-64-v3"; the host's for `native` */
    const char *baseline; /* the processor whose code every other of the triple runs */
    const char *features; /* "" or "+avx2,..." */
    bool looked_for;      /* one of several: code uses the baseline and `features`, nothing else */
    uint64_t x86;         /* looked_for: the features as x86_features.h has them */
    const Machine *machine;
    int optimisation; /* 0 to 3 */
    void *llvm;       /* LLVMTargetMachineRef */
} Target;

/* The triple of this machine. */
const char *target_default_triple(Arena *arena);

/* Opens a target. `triple` NULL: this machine's; `cpu` NULL: the baseline of the triple; "native":
 * this machine's. Unknown names are E0601 with the nearest one, object formats other than ELF
 * E0602; returns NULL then. The machine row is what LLVM itself compiles vectors to for that cpu,
 * so every cpu LLVM knows works; to ask takes longer than a report, so the names have theirs in a
 * table, and only the host is asked for. */
Target *target_open(Arena *arena, Diagnostics *diagnostics, const char *triple, const char *cpu,
                    int optimisation);
void target_close(Target *target);

#define TARGETS_MAX 8 /* of one object */

typedef VEC(Target *) TargetList;

/* Opens a target for each of `cpus`, names with commas between them, and puts them in the order of
 * rising ability, whatever the order of the names; NULL or one name is target_open's. Each of
 * several has all features of the first. E0601 and false if they cannot stand in one object. */
bool targets_open(Arena *arena, Diagnostics *diagnostics, const char *triple, const char *cpus,
                  int optimisation, TargetList *targets);
void targets_close(TargetList *targets);

/* Lets code for the target use none but these features beside the baseline (x86_features.h). */
void target_restrict(Arena *arena, Target *target, uint64_t features);

/* What LLVM compiles vectors to; leaves target->machine changed. */
MachineKind target_probe(Target *target);

#endif
