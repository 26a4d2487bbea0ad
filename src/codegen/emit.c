/* What comes out of a module: IR text, assembly, an object. */
#include "codegen/codegen_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

LLVMMemoryBufferRef module_emit(Ir *module, LLVMCodeGenFileType kind) {
    assert(!module->emitted);
    module->emitted = true;
    char *message = NULL;
    LLVMMemoryBufferRef result = NULL;
    if (LLVMTargetMachineEmitToMemoryBuffer(module->target->llvm, module->module, kind, &message,
                                            &result))
        internal_error("no machine code", message);
    return result;
}

void module_print_llvm(Ir *module, StrBuf *out) {
    char *text = LLVMPrintModuleToString(module->module);
    strbuf_add(out, text);
    LLVMDisposeMessage(text);
}

void module_print_asm(Ir *module, StrBuf *out) {
    LLVMMemoryBufferRef text = module_emit(module, LLVMAssemblyFile);
    strbuf_add_bytes(out, LLVMGetBufferStart(text), LLVMGetBufferSize(text));
    LLVMDisposeMemoryBuffer(text);
}

/* Texts show the weights as the zeros that an assembler would make of them. */
void codegen_print_llvm(Codegen *codegen, StrBuf *out) {
    embedded_define(codegen, codegen->variants->packed_bytes);
    module_print_llvm(codegen->ir, out);
}

void codegen_print_asm(Codegen *codegen, StrBuf *out) {
    embedded_define(codegen, codegen->variants->packed_bytes);
    module_print_asm(codegen->ir, out);
}

/* Code reaches embedded weights by 32-bit offsets; the rest is left to the program around them. */
#define MAX_EMBEDDED_BYTES (INT64_C(0x80000000) - INT64_C(0x8000000))

static bool fits_in_object(const Codegen *codegen, Diagnostics *diagnostics) {
    const Variants *variants = codegen->variants;
    if (!codegen->section || variants->packed_bytes <= MAX_EMBEDDED_BYTES)
        return true;
    Diagnostic *error =
        diag_report(diagnostics, DIAG_E0802, codegen->graph->name_span,
                    "the weights of `%s` are %lld bytes, too many to embed in an object",
                    codegen->graph->name, (long long)variants->packed_bytes);
    if (variants->count > 1)
        diag_note(diagnostics, error, "they are packed once for each kind of processor in --cpu");
    diag_help(diagnostics, error, "keep them in a file of their own with --weights-mode=extern");
    return false;
}

/* The object with its section header changed, then the weights behind it. */
static bool write_with_weights(const Codegen *codegen, const void *packed,
                               LLVMMemoryBufferRef object, FileSet *files, int index) {
    static const unsigned char zeros[64];
    size_t size = LLVMGetBufferSize(object);
    size_t bytes = (size_t)codegen->variants->packed_bytes;
    unsigned char *copy = malloc(size);
    if (!copy)
        out_of_memory();
    memcpy(copy, LLVMGetBufferStart(object), size);
    size_t padding = 0;
    embedded_place(codegen, copy, size, codegen->variants->packed_bytes, &padding);
    bool done = file_set_write(files, index, copy, size) &&
                file_set_write(files, index, zeros, padding) &&
                file_set_write(files, index, packed, bytes);
    free(copy);
    return done;
}

bool codegen_write_object(Codegen *codegen, const void *packed, FileSet *files, int index) {
    if (!fits_in_object(codegen, files->diagnostics))
        return false;
    embedded_define(codegen, EMBEDDED_PLACEHOLDER_BYTES);
    LLVMMemoryBufferRef object = module_emit(codegen->ir, LLVMObjectFile);
    bool done = codegen->section ? write_with_weights(codegen, packed, object, files, index)
                                 : file_set_write(files, index, LLVMGetBufferStart(object),
                                                  LLVMGetBufferSize(object));
    LLVMDisposeMemoryBuffer(object);
    return done;
}
