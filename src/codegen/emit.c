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

bool codegen_make_object(Codegen *codegen, Diagnostics *diagnostics, ObjectCode *object) {
    if (!fits_in_object(codegen, diagnostics))
        return false;
    embedded_define(codegen, EMBEDDED_PLACEHOLDER_BYTES);
    LLVMMemoryBufferRef made = module_emit(codegen->ir, LLVMObjectFile);
    size_t size = LLVMGetBufferSize(made);
    object->size = codegen->section ? (size + 63) / 64 * 64 : size;
    object->bytes = calloc(object->size, 1);
    if (!object->bytes)
        out_of_memory();
    memcpy(object->bytes, LLVMGetBufferStart(made), size);
    LLVMDisposeMemoryBuffer(made);
    if (codegen->section)
        embedded_place(codegen, object);
    object->hash_at = embedded_hash(codegen, object);
    return true;
}
