/* One compilation: everything the stages in pipeline.c hand to each other, in their order. */
#ifndef NETC_DRIVER_COMPILATION_H
#define NETC_DRIVER_COMPILATION_H

#include "codegen/codegen.h"
#include "driver/options.h"
#include "graph/elaborate.h"
#include "plan/plan.h"
#include "support/file.h"
#include "support/intern.h"
#include "syntax/ast.h"
#include "weights/tensor_file.h"

/* A source file and what tells whether another path leads to it. */
typedef struct UsedFile {
    File *file;
    uint64_t device;
    uint64_t inode; /* 0: not a file of the file system */
} UsedFile;

typedef struct Compilation {
    const Options *options;
    Arena arena; /* of everything below */
    Intern intern;
    SourceMap sources;
    Diagnostics diagnostics;
    FileSet files; /* outputs, renamed into place only when all is done */

    const char *path;        /* of the source file, `-` for standard input */
    const Source *source;    /* read_source */
    File *file;              /* parse */
    VEC(UsedFile *) used;    /* it, and what it uses */
    Elaboration elaboration; /* elaborate */
    GraphList graphs;
    Graph *graph; /* the one asked for */
    GraphCount count;
    TensorFile *weights_file; /* Weight.data may point into it; NULL without a file */
    bool weights_bound;       /* Weight.data is set, or there is none */
    TargetList targets;       /* one for each processor */
    Variants variants;        /* with a plan for each */
    CodegenOptions codegen_options;
    Codegen *codegen;
    bool differs; /* diff: the networks are not the same */
} Compilation;

/* use.c: reads a source file into the map; NULL after reporting why not. Only the first guards it
 * against being overwritten by an output. */
const Source *compilation_read(Compilation *compilation, const char *path, const char *name,
                               Span span);
const Source *compilation_read_unguarded(Compilation *compilation, const char *path,
                                         const char *name, Span span);
/* use.c: parses the files that compilation->file uses, and those that they use. */
bool compilation_read_used(Compilation *compilation);

/* outputs.c: the object, its header and, in extern mode, the packed weights; or a listing. */
bool outputs_write_object(Compilation *compilation);
/* The main output as text: -o FILE, or standard output. */
bool outputs_write_text(Compilation *compilation, const StrBuf *text);

/* fix.c: `netc check --fix`: true if a file was changed, so that what was found no longer holds. */
bool fixes_apply(Compilation *compilation);

/* messages.c: sorts the diagnostics and writes them to standard error, and to a file, as the
 * options say; when the outputs are committed or abandoned. */
void messages_show(Compilation *compilation);

/* run.c: `netc run`: executes the network and shows, writes or compares the results. */
bool run_network(Compilation *compilation);

/* bench.c: `netc bench`: times the network in this process. */
bool bench_network(Compilation *compilation);

/* format_files.c: `netc format`. */
bool format_files(Compilation *compilation);

#endif
