/* Code in this process: the object that would be written to a file, handed to LLVM's loader. */
#include "codegen/module.h"

#include <stdlib.h>

#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <pthreadpool.h>

#include "codegen/codegen_internal.h"

struct LoadedCode {
    LLVMOrcLLJITRef jit;
};

static void check(LLVMErrorRef error, const char *what) {
    if (error)
        internal_error(what, LLVMGetErrorMessage(error));
}

static LLVMOrcCSymbolMapPair function_at(LLVMOrcLLJITRef jit, const char *name, uintptr_t address) {
    return (LLVMOrcCSymbolMapPair){
        LLVMOrcLLJITMangleAndIntern(jit, name),
        {.Address = address,
         .Flags = {LLVMJITSymbolGenericFlagsExported | LLVMJITSymbolGenericFlagsCallable, 0}}};
}

/* All that code may call: of the pool of threads. Its addresses are given rather than looked up,
 * since the symbols of a library that was opened by another need not be seen in the process. */
static void define_pool(LLVMOrcLLJITRef jit, LLVMOrcJITDylibRef library) {
    LLVMOrcCSymbolMapPair functions[] = {
        function_at(jit, "pthreadpool_get_threads_count", (uintptr_t)pthreadpool_get_threads_count),
        function_at(jit, "pthreadpool_parallelize_1d", (uintptr_t)pthreadpool_parallelize_1d),
    };
    size_t count = sizeof functions / sizeof functions[0];
    check(LLVMOrcJITDylibDefine(library, LLVMOrcAbsoluteSymbols(functions, count)),
          "no pool of threads");
}

LoadedCode *module_load(Ir *module) {
    LoadedCode *code = calloc(1, sizeof *code);
    if (!code)
        out_of_memory();
    LLVMMemoryBufferRef object = module_emit(module, LLVMObjectFile);
    check(LLVMOrcCreateLLJIT(&code->jit, NULL), "no loader");
    LLVMOrcJITDylibRef library = LLVMOrcLLJITGetMainJITDylib(code->jit);
    define_pool(code->jit, library);
    check(LLVMOrcLLJITAddObjectFile(code->jit, library, object), "loading");
    return code;
}

void *loaded_address(LoadedCode *code, const char *name) {
    LLVMOrcExecutorAddress address = 0;
    LLVMErrorRef error = LLVMOrcLLJITLookup(code->jit, &address, name);
    if (error) {
        LLVMConsumeError(error);
        return NULL;
    }
    return (void *)(uintptr_t)address;
}

void loaded_free(LoadedCode *code) {
    if (!code)
        return;
    check(LLVMOrcDisposeLLJIT(code->jit), "unloading");
    free(code);
}

CompiledNetwork codegen_load(Codegen *codegen) {
    if (!codegen->loaded)
        codegen->loaded = module_load(codegen->ir);
    const char *name = codegen->variants->symbol;
    return (CompiledNetwork)(uintptr_t)loaded_address(codegen->loaded, name);
}

CompiledPack codegen_load_pack(Codegen *codegen) {
    Ir *ir = codegen_build_pack(codegen);
    loaded_free(codegen->loaded_pack);
    codegen->loaded_pack = module_load(ir);
    const char *name = arena_format(&ir->arena, "%s_pack", codegen->variants->symbol);
    void *address = loaded_address(codegen->loaded_pack, name);
    module_free(ir);
    return (CompiledPack)(uintptr_t)address;
}
