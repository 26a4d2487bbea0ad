/* Code generation: plans become an LLVM module, and that an object, assembly, IR text, or code in
 * this process.
 *
 * The module has one internal function for each distinct kernel, and these global symbols, all
 * beginning with Variants.symbol and described by the generated header:
 *   NAME        the forward pass: inputs, outputs, [packed weights,] arena[, thread pool]
 *   NAME_info   read-only facts (runtime/netc_runtime.h: struct netc_info)
 *   NAME_pack   plain tensors -> packed weights, without embedded weights only
 * With embedded weights, they stand in the object's read-only data under a local symbol.
 * Of several variants NAME chooses one when it is called (dispatch.h). */
#ifndef NETC_CODEGEN_CODEGEN_H
#define NETC_CODEGEN_CODEGEN_H

#include "codegen/variants.h"
#include "support/diag.h"

typedef enum WeightsMode {
    WEIGHTS_EMBED,  /* in the object */
    WEIGHTS_EXTERN, /* in a packed file the program maps */
    WEIGHTS_NONE,   /* the caller passes packed weights, made by NAME_pack */
} WeightsMode;

/* A function to be called by one of the threads. */
typedef struct StepMark {
    void (*function)(void *context); /* NULL: none */
    void *context;
    int thread;  /* that does the part of this number */
    bool begins; /* called before each step, having waited, instead of after it */
} StepMark;

/* Paths that begin with `from` begin with `to` in debug information. */
typedef struct PrefixMap {
    const char *from;
    const char *to;
} PrefixMap;

typedef VEC(PrefixMap) PrefixMapList; /* of several that fit the last counts */

typedef struct CodegenOptions {
    WeightsMode weights_mode;
    bool in_process; /* for codegen_load: WEIGHTS_NONE, nothing else emitted */
    StepMark mark;   /* in_process: called as a call begins and with each of its steps */
    bool debug;      /* line tables with .net lines */
    PrefixMapList prefix_maps;
    uint64_t source_hash;  /* of the .net text */
    uint64_t weights_hash; /* of the packed weights; 0 for WEIGHTS_NONE */
} CodegenOptions;

typedef struct Codegen Codegen;

/* Builds and optimises the module; `variants` must outlive it. An LLVM failure here is our bug:
 * internal error, status 70. */
Codegen *codegen_build(const Variants *variants, const SourceMap *sources,
                       const CodegenOptions *options);
void codegen_free(Codegen *codegen);

/* Appends LLVM IR / assembly as text. Making machine code uses the module up: of codegen_print_asm,
 * codegen_make_object and codegen_load only one may be called, and only once. */
void codegen_print_llvm(Codegen *codegen, StrBuf *out);
void codegen_print_asm(Codegen *codegen, StrBuf *out);

/* An object file. With WEIGHTS_EMBED it ends where the packed weights go, which never go through
 * LLVM. */
typedef struct ObjectCode {
    unsigned char *bytes; /* freed by the caller */
    size_t size;
    size_t hash_at; /* where NAME_info has the weights' hash, 8 bytes; 0 if in_process */
} ObjectCode;

/* False after E0802: embedded weights are more than code can address. */
bool codegen_make_object(Codegen *codegen, Diagnostics *diagnostics, ObjectCode *object);

/* The forward pass in this process (built with in_process): inputs, outputs, packed weights,
 * arena, all as the generated header describes, and a pool (a pthreadpool_t), which may be NULL and
 * is not looked at unless the plan is for several threads. Valid until codegen_free. */
typedef void (*CompiledNetwork)(const void *const *inputs, float *const *outputs,
                                const void *packed, void *arena, void *pool);
CompiledNetwork codegen_load(Codegen *codegen);
/* NAME_pack in this process: sources in the order of Graph.weights. */
typedef void (*CompiledPack)(const float *const *sources, void *packed);
CompiledPack codegen_load_pack(Codegen *codegen);

#endif
