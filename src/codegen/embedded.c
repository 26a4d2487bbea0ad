/* Packed weights in the object without LLVM ever holding them (they may be half a gigabyte).
 *
 * The assembler is given a section with a placeholder. ELF does not care where in the file the
 * bytes of a section stand, so once the object is made its section header is pointed behind the end
 * of the object, and the weights are written there. */
#include "codegen/codegen_internal.h"

#include <assert.h>
#include <elf.h>
#include <string.h>

#include "netc_runtime.h"

/* The section and the symbol cannot clash with a user's: C names have no dot. */
LLVMValueRef embedded_declare(Codegen *codegen) {
    Ir *ir = codegen->ir;
    int64_t bytes = codegen->variants->packed_bytes;
    if (bytes == 0)
        return LLVMConstNull(ir->pointer);
    const char *name = codegen->variants->symbol;
    codegen->section = arena_format(&ir->arena, ".rodata.%s", name);
    LLVMTypeRef type = LLVMArrayType2(LLVMInt8TypeInContext(ir->context), (uint64_t)bytes);
    const char *symbol = arena_format(&ir->arena, "%s.weights", name);
    LLVMValueRef weights = LLVMAddGlobal(ir->module, type, symbol);
    LLVMSetGlobalConstant(weights, true);
    LLVMSetAlignment(weights, 64);
    LLVMSetVisibility(weights, LLVMHiddenVisibility); /* addressed directly, not through the GOT */
    return weights;
}

void embedded_define(Codegen *codegen, int64_t bytes) {
    if (!codegen->section)
        return;
    const char *name = codegen->variants->symbol;
    const char *text =
        arena_format(&codegen->ir->arena,
                     "\t.section %s,\"a\",%%progbits\n"
                     "\t.balign 64\n"
                     "\t.type %s.weights,%%object\n"
                     "\t.size %s.weights,%lld\n"
                     "%s.weights:\n"
                     "\t.zero %lld\n",
                     codegen->section, name, name, (long long)codegen->variants->packed_bytes, name,
                     (long long)bytes);
    LLVMSetModuleInlineAsm2(codegen->ir->module, text, strlen(text));
}

/* Our own object, little-endian ELF of 64 bits by target_open; headers may be unaligned in it. */
static Elf64_Ehdr file_header(const ObjectCode *object) {
    Elf64_Ehdr file;
    assert(object->size >= sizeof file);
    memcpy(&file, object->bytes, sizeof file);
    assert(memcmp(file.e_ident, ELFMAG, SELFMAG) == 0);
    assert(file.e_ident[EI_CLASS] == ELFCLASS64 && file.e_ident[EI_DATA] == ELFDATA2LSB);
    assert(file.e_shoff + file.e_shnum * sizeof(Elf64_Shdr) <= object->size);
    return file;
}

static Elf64_Shdr section_header(const ObjectCode *object, const Elf64_Ehdr *file, size_t index) {
    Elf64_Shdr header;
    memcpy(&header, object->bytes + file->e_shoff + index * sizeof header, sizeof header);
    return header;
}

/* A text of the section of texts `index`. */
static const char *text_at(const ObjectCode *object, const Elf64_Ehdr *file, size_t index,
                           size_t at) {
    return (const char *)object->bytes + section_header(object, file, index).sh_offset + at;
}

void embedded_place(const Codegen *codegen, ObjectCode *object) {
    Elf64_Ehdr file = file_header(object);
    for (size_t i = 1; i < file.e_shnum; i++) {
        Elf64_Shdr header = section_header(object, &file, i);
        if (strcmp(text_at(object, &file, file.e_shstrndx, header.sh_name), codegen->section) != 0)
            continue;
        assert(header.sh_size == EMBEDDED_PLACEHOLDER_BYTES);
        header.sh_offset = object->size;
        header.sh_size = (Elf64_Xword)codegen->variants->packed_bytes;
        memcpy(object->bytes + file.e_shoff + i * sizeof header, &header, sizeof header);
        return;
    }
    internal_error("the object has no section for the weights", codegen->section);
}

size_t embedded_hash(const Codegen *codegen, const ObjectCode *object) {
    const char *name = arena_format(&codegen->ir->arena, "%s_info", codegen->variants->symbol);
    Elf64_Ehdr file = file_header(object);
    for (size_t i = 1; i < file.e_shnum; i++) {
        Elf64_Shdr table = section_header(object, &file, i);
        for (size_t at = 0; table.sh_type == SHT_SYMTAB && at < table.sh_size;
             at += sizeof(Elf64_Sym)) {
            Elf64_Sym symbol;
            memcpy(&symbol, object->bytes + table.sh_offset + at, sizeof symbol);
            if (strcmp(text_at(object, &file, table.sh_link, symbol.st_name), name) == 0)
                return section_header(object, &file, symbol.st_shndx).sh_offset + symbol.st_value +
                       offsetof(struct netc_info, weights_hash);
        }
    }
    return 0;
}
