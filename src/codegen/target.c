/* Opens LLVM's target machine, and finds the machine row: from the name of the processor, or for
 * the one at hand by looking at what LLVM makes of a product of two vectors. */
#include "codegen/target.h"

#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>

#include "codegen/ir_internal.h"
#include "codegen/module.h"
#include "codegen/x86_features.h"
#include "support/suggest.h"

typedef enum Architecture {
    ARCHITECTURE_X86_64,
    ARCHITECTURE_AARCH64,
    ARCHITECTURE_NONE,
} Architecture;

typedef struct Cpu {
    const char *name;
    MachineKind kind;
} Cpu;

static const Cpu x86_64_cpus[] = {
#define CPU_X86_64(name, kind) {name, MACHINE_##kind},
#define CPU_AARCH64(name)
#include "codegen/cpu_names.def"
#undef CPU_X86_64
#undef CPU_AARCH64
};

static const Cpu aarch64_cpus[] = {
#define CPU_X86_64(name, kind)
#define CPU_AARCH64(name) {name, MACHINE_NEON},
#include "codegen/cpu_names.def"
#undef CPU_X86_64
#undef CPU_AARCH64
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The list of targets is the process's. Two threads must not add to it at once, nor one look while
 * another adds: all are in it before any is looked for. */
static void list_targets(void) {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeAArch64TargetInfo();
}

static void initialise_x86_64(void) {
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
}

static void initialise_aarch64(void) {
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeAArch64AsmParser();
}

/* What netc knows of an architecture; the order is that of the enumeration. */
static const struct {
    const char *name; /* as LLVM begins a normalised triple with */
    const char *baseline;
    const Cpu *cpus;
    size_t cpu_count;
    void (*initialise)(void); /* what LLVM has of it, once it is in the list */
} architectures[] = {
    {"x86_64", "x86-64", x86_64_cpus, COUNT(x86_64_cpus), initialise_x86_64},
    {"aarch64", "generic", aarch64_cpus, COUNT(aarch64_cpus), initialise_aarch64},
};

/* The part of a triple before its first dash. */
static Architecture architecture_of(const char *triple) {
    size_t length = strcspn(triple, "-");
    for (int i = 0; i < ARCHITECTURE_NONE; i++) {
        const char *name = architectures[i].name;
        if (strlen(name) == length && memcmp(name, triple, length) == 0)
            return (Architecture)i;
    }
    return ARCHITECTURE_NONE;
}

/* A copy in the arena of a text that LLVM owns. */
static const char *take_text(Arena *arena, char *text) {
    const char *copy = arena_copy_text(arena, text, strlen(text));
    LLVMDisposeMessage(text);
    return copy;
}

const char *target_default_triple(Arena *arena) {
    return take_text(arena, LLVMGetDefaultTargetTriple());
}

static const char *normalised_triple(Arena *arena, const char *triple) {
    if (!triple)
        return target_default_triple(arena);
    return take_text(arena, LLVMNormalizeTargetTriple(triple));
}

static void report_architecture(Diagnostics *diagnostics, const char *triple) {
    size_t length = strcspn(triple, "-");
    Diagnostic *error = diag_report(diagnostics, DIAG_E0601, SPAN_NONE,
                                    "unknown target architecture `%.*s`", (int)length, triple);
    const char *names[ARCHITECTURE_NONE];
    for (int i = 0; i < ARCHITECTURE_NONE; i++)
        names[i] = architectures[i].name;
    char *written = arena_copy_text(diagnostics->arena, triple, length);
    const char *nearest = suggest_name(written, names, COUNT(names));
    if (nearest)
        diag_help(diagnostics, error, "did you mean `%s`?", nearest);
    diag_note(diagnostics, error,
              "a target is written like `x86_64-linux-gnu` or "
              "`aarch64-linux-gnu`");
}

static const Cpu *find_cpu(Architecture architecture, const char *cpu) {
    for (size_t i = 0; i < architectures[architecture].cpu_count; i++)
        if (strcmp(cpu, architectures[architecture].cpus[i].name) == 0)
            return &architectures[architecture].cpus[i];
    return NULL;
}

static void report_cpu(Diagnostics *diagnostics, Architecture architecture, const char *cpu) {
    const char *family = architectures[architecture].name;
    Diagnostic *error = diag_report(diagnostics, DIAG_E0601, SPAN_NONE,
                                    "unknown processor `%s` for %s", cpu, family);
    size_t count = architectures[architecture].cpu_count;
    const char **names = ARENA_ARRAY(diagnostics->arena, count, const char *);
    StrBuf list = {0};
    for (size_t i = 0; i < count; i++) {
        names[i] = architectures[architecture].cpus[i].name;
        strbuf_add(&list, i == 0 ? "" : ", ");
        strbuf_add(&list, names[i]);
    }
    const char *nearest = suggest_name(cpu, names, count);
    if (nearest)
        diag_help(diagnostics, error, "did you mean `%s`?", nearest);
    for (int i = 0; i < ARCHITECTURE_NONE; i++)
        if (find_cpu((Architecture)i, cpu))
            diag_note(diagnostics, error, "it is one of %s: choose that with --target",
                      architectures[i].name);
    diag_note(diagnostics, error, "%s processors: native, %s", family, strbuf_text(&list));
    strbuf_free(&list);
}

/* Sets target->cpu and ->features, and ->machine but for `native`; false after a diagnostic. */
static bool choose_cpu(Arena *arena, Diagnostics *diagnostics, Target *target, const char *cpu,
                       Architecture architecture) {
    target->features = "";
    target->baseline = architectures[architecture].baseline;
    if (!cpu)
        cpu = architectures[architecture].baseline;
    if (strcmp(cpu, "native") == 0) {
        const char *host = normalised_triple(arena, NULL);
        if (architecture_of(host) != architecture) {
            diag_report(diagnostics, DIAG_E0601, SPAN_NONE,
                        "`native` is a processor of this machine, but the target is %s",
                        target->triple);
            return false;
        }
        target->cpu = take_text(arena, LLVMGetHostCPUName());
        target->features = take_text(arena, LLVMGetHostCPUFeatures());
        return true;
    }
    const Cpu *known = find_cpu(architecture, cpu);
    if (known) {
        target->cpu = known->name;
        target->machine = machine_of_kind(known->kind);
        return true;
    }
    report_cpu(diagnostics, architecture, cpu);
    return false;
}

/* ELF with 64-bit pointers? The mangling part of the data layout, `m:e`, is that of ELF. */
static bool makes_elf64(LLVMTargetMachineRef machine) {
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
    char *text = LLVMCopyStringRepOfTargetData(layout);
    bool elf = strstr(text, "-m:e") != NULL && LLVMPointerSize(layout) == 8;
    LLVMDisposeMessage(text);
    LLVMDisposeTargetData(layout);
    return elf;
}

static LLVMTargetMachineRef open_machine(const Target *target) {
    LLVMTargetRef row = NULL;
    char *message = NULL;
    if (LLVMGetTargetFromTriple(target->triple, &row, &message))
        internal_error("no such target", message);
    static const LLVMCodeGenOptLevel levels[] = {LLVMCodeGenLevelNone, LLVMCodeGenLevelLess,
                                                 LLVMCodeGenLevelDefault,
                                                 LLVMCodeGenLevelAggressive};
    return LLVMCreateTargetMachine(row, target->triple, target->cpu, target->features,
                                   levels[target->optimisation], LLVMRelocPIC,
                                   LLVMCodeModelDefault);
}

/* How many units of 512 bits there are shows in no instruction: only the name says it. */
static MachineKind avx512_kind(const Target *target) {
    const Cpu *known = find_cpu(ARCHITECTURE_X86_64, target->cpu);
    return known && machine_is_avx512(machine_of_kind(known->kind)) ? known->kind : MACHINE_AVX512;
}

/* The widest product that LLVM makes of 16 lanes for this processor, in its own assembly: with
 * 512-bit registers (zmm), fused in 256 bits (vfmadd), by NEON (fmla v), or else. */
MachineKind target_probe(Target *target) {
    target->machine = machine_of_kind(MACHINE_AVX512); /* asks for fused and the widest vectors */
    Ir *ir = module_new(target, "probe");
    module_function_begin(ir, "probe", 1, FUNCTION_GLOBAL);
    IrValue place = ir_parameter(ir, 0);
    IrValue a = ir_load(ir, place, 16);
    ir_store(ir, place, ir_fma(ir, a, a, a), 16);
    module_function_end(ir);

    LLVMMemoryBufferRef text = module_emit(ir, LLVMAssemblyFile);
    const char *assembly = LLVMGetBufferStart(text); /* NUL-terminated */
    MachineKind kind = MACHINE_GENERIC;
    if (strstr(assembly, "zmm"))
        kind = avx512_kind(target);
    else if (strstr(assembly, "vfmadd") && strstr(assembly, "ymm"))
        kind = MACHINE_AVX2;
    else if (strstr(assembly, "fmla\tv"))
        kind = MACHINE_NEON;
    LLVMDisposeMemoryBuffer(text);
    module_free(ir);
    return kind;
}

Target *target_open(Arena *arena, Diagnostics *diagnostics, const char *triple, const char *cpu,
                    int optimisation) {
    Target *target = ARENA_NEW(arena, Target);
    target->triple = normalised_triple(arena, triple);
    target->optimisation = optimisation;
    Architecture architecture = architecture_of(target->triple);
    if (architecture == ARCHITECTURE_NONE) {
        report_architecture(diagnostics, triple ? triple : target->triple);
        return NULL;
    }
    if (!choose_cpu(arena, diagnostics, target, cpu, architecture))
        return NULL;
    static once_flag listed = ONCE_FLAG_INIT;
    static once_flag initialised[ARCHITECTURE_NONE] = {ONCE_FLAG_INIT, ONCE_FLAG_INIT};
    call_once(&listed, list_targets);
    call_once(&initialised[architecture], architectures[architecture].initialise);
    target->llvm = open_machine(target);
    if (!makes_elf64(target->llvm)) {
        Diagnostic *error =
            diag_report(diagnostics, DIAG_E0602, SPAN_NONE,
                        "objects of target `%s` are not 64-bit ELF files", target->triple);
        diag_note(diagnostics, error, "no other object format is written so far");
        target_close(target);
        return NULL;
    }
    if (!target->machine)
        target->machine = machine_of_kind(target_probe(target));
    return target;
}

void target_restrict(Arena *arena, Target *target, uint64_t features) {
    StrBuf text = {0};
    x86_features_print(features, "+", &text);
    target->features = arena_copy_text(arena, strbuf_text(&text), text.length);
    target->looked_for = true;
    target->x86 = features;
    target->machine = machine_of_kind(target_probe(target));
    strbuf_free(&text);
}

void target_close(Target *target) {
    LLVMDisposeTargetMachine(target->llvm);
    target->llvm = NULL;
}
