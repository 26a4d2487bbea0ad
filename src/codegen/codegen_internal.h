/* The state behind codegen.h, and packed weights inside the object. */
#ifndef NETC_CODEGEN_CODEGEN_INTERNAL_H
#define NETC_CODEGEN_CODEGEN_INTERNAL_H

#include "codegen/codegen.h"
#include "codegen/debug_info.h"
#include "codegen/ir_internal.h"
#include "codegen/module.h"

/* Alignment of arena and packed weights, bytes: a cache line, and the widest vector. */
#define BASE_ALIGNMENT 64

struct Codegen {
    Ir *ir;
    const Variants *variants;
    const Graph *graph;
    const char *section; /* of the embedded weights, NULL for none */
    LoadedCode *loaded;  /* codegen_load, codegen_load_pack */
    LoadedCode *loaded_pack;
};

/* The pointer so many bytes behind `base`. */
LLVMValueRef bytes_from(Ir *ir, LLVMValueRef base, int64_t bytes);

/* facts.c: NAME_info, what netc_runtime.h reads of the object; and NAME_pack. */
void emit_info(const Codegen *codegen, const CodegenOptions *options);
void emit_pack(Ir *ir, DebugInfo *debug, const Variants *variants);

/* A module of its own with nothing but NAME_pack: few who run a network in this process need it,
 * and it takes longer to compile than the network. */
Ir *codegen_build_pack(const Codegen *codegen);

/* Declares the packed weights, which LLVM never sees, as a symbol of the module: the pointer to
 * them. Null for a network without weights. */
LLVMValueRef embedded_declare(Codegen *codegen);

/* Defines the symbol in a section of its own, with `bytes` zeros in the place of the weights. */
void embedded_define(Codegen *codegen, int64_t bytes);

/* The bytes that embedded_define reserves in an object, to be replaced by embedded_place. */
#define EMBEDDED_PLACEHOLDER_BYTES 64

/* Makes the weights' section of the object be the packed weights, which will follow it in the file.
 */
void embedded_place(const Codegen *codegen, ObjectCode *object);

/* Where the weights' hash of NAME_info is in the object; 0 if it has none. */
size_t embedded_hash(const Codegen *codegen, const ObjectCode *object);

#endif
