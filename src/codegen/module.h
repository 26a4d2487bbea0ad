/* A module of functions in the making: the ground that both codegen_build and the tests of kernels
 * stand on. Functions are begun and ended one after the other, built through codegen/ir.h in
 * between, then the whole is optimised, and written out or loaded into this process. */
#ifndef NETC_CODEGEN_MODULE_H
#define NETC_CODEGEN_MODULE_H

#include "codegen/ir.h"
#include "codegen/target.h"

/* An empty module for a target, which must outlive it. */
Ir *module_new(const Target *target, const char *name);
void module_free(Ir *module);

/* Functions that are begun from here on are for another processor of the same architecture. */
void module_retarget(Ir *module, const Target *target);

typedef enum FunctionVisibility {
    FUNCTION_INTERNAL, /* seen by this module only; may be inlined */
    FUNCTION_GLOBAL,   /* a symbol of the object */
} FunctionVisibility;

/* Begins a function that returns nothing and takes `pointer_count` pointers. */
void module_function_begin(Ir *module, const char *name, int pointer_count,
                           FunctionVisibility visibility);
void module_function_end(Ir *module);

/* Verifies (a mistake of ours is an internal error) and, from level 1 on, optimises all functions.
 */
void module_optimise(Ir *module);

/* Appends LLVM IR / assembly as text. */
void module_print_llvm(Ir *module, StrBuf *out);
void module_print_asm(Ir *module, StrBuf *out);

/* Code in this process. `address` is of a global function, NULL if there is none of the name. */
typedef struct LoadedCode LoadedCode;
LoadedCode *module_load(Ir *module); /* after module_optimise */
void *loaded_address(LoadedCode *code, const char *name);
void loaded_free(LoadedCode *code);

#endif
