/* DWARF through LLVM's DIBuilder: one compile unit for the .net file, one subprogram a function. */
#include "codegen/debug_info.h"

#include <string.h>

#include <llvm-c/DebugInfo.h>

struct DebugInfo {
    Ir *ir;
    const SourceMap *sources;
    const PrefixMapList *maps;
    LLVMDIBuilderRef builder;
    const Source *main;         /* of the network */
    LLVMMetadataRef file;       /* the same */
    LLVMMetadataRef signature;  /* of every function: nothing known of its parameters */
    LLVMMetadataRef subprogram; /* of the function being built */
};

static LLVMMetadataRef file_of(const DebugInfo *debug, const Source *source) {
    const char *name = source->name;
    for (size_t i = debug->maps->count; i-- > 0;) {
        const PrefixMap *map = &debug->maps->data[i];
        size_t length = strlen(map->from);
        if (strncmp(name, map->from, length) == 0) {
            name = arena_format(&debug->ir->arena, "%s%s", map->to, name + length);
            break;
        }
    }
    return LLVMDIBuilderCreateFile(debug->builder, name, strlen(name), "", 0);
}

DebugInfo *debug_open(Ir *ir, const SourceMap *sources, const Source *file,
                      const PrefixMapList *maps) {
    DebugInfo *debug = ARENA_NEW(&ir->arena, DebugInfo);
    debug->ir = ir;
    debug->sources = sources;
    debug->maps = maps;
    debug->main = file;
    debug->builder = LLVMCreateDIBuilder(ir->module);
    ir_module_flag(ir, "Debug Info Version", LLVMDebugMetadataVersion());
    ir_module_flag(ir, "Dwarf Version", 5);
    debug->file = file_of(debug, file);
    const char *producer = "netc";
    LLVMDIBuilderCreateCompileUnit(debug->builder, LLVMDWARFSourceLanguageC11, debug->file,
                                   producer, strlen(producer), ir->target->optimisation > 0, "", 0,
                                   0, "", 0, LLVMDWARFEmissionFull, 0, false, false, "", 0, "", 0);
    debug->signature =
        LLVMDIBuilderCreateSubroutineType(debug->builder, debug->file, NULL, 0, LLVMDIFlagZero);
    return debug;
}

/* Line and column of a place; 0, "no line", where there is none. */
static Location locate(const DebugInfo *debug, Span span) {
    if (!source_of(debug->sources, span))
        return (Location){0};
    return source_locate(debug->sources, span);
}

void debug_function(DebugInfo *debug, const char *name, Span span) {
    if (!debug)
        return;
    size_t symbol_length = 0;
    const char *symbol = LLVMGetValueName2(debug->ir->function, &symbol_length);
    bool internal = LLVMGetLinkage(debug->ir->function) == LLVMInternalLinkage;
    Location place = locate(debug, span);
    unsigned line = place.line;
    debug->subprogram = LLVMDIBuilderCreateFunction(
        debug->builder, debug->file, name, strlen(name), symbol, symbol_length,
        place.source ? file_of(debug, place.source) : debug->file, line, debug->signature, internal,
        true, line, LLVMDIFlagZero, debug->ir->target->optimisation > 0);
    LLVMSetSubprogram(debug->ir->function, debug->subprogram);
    debug_locate(debug, span);
}

void debug_locate(DebugInfo *debug, Span span) {
    if (!debug)
        return;
    Location place = locate(debug, span);
    LLVMMetadataRef scope = debug->subprogram;
    if (place.source && place.source != debug->main) /* in a block of another file */
        scope = LLVMDIBuilderCreateLexicalBlockFile(debug->builder, scope,
                                                    file_of(debug, place.source), 0);
    LLVMMetadataRef location =
        LLVMDIBuilderCreateDebugLocation(debug->ir->context, place.line, place.column, scope, NULL);
    LLVMSetCurrentDebugLocation2(debug->ir->builder, location);
}

void debug_close(DebugInfo *debug) {
    if (!debug)
        return;
    LLVMDIBuilderFinalize(debug->builder);
    LLVMDisposeDIBuilder(debug->builder);
}
