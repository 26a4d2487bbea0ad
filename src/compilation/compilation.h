/* One compilation: everything the stages hand to each other, in their order, and the stages. The
 * program (driver/pipeline.c) and the library (api/) are two users of them.
 *
 * A stage that returns a bool returns false where the work cannot go on. Mistakes are in
 * `diagnostics` then; they may be there as well after a stage that returned true. */
#ifndef NETC_COMPILATION_COMPILATION_H
#define NETC_COMPILATION_COMPILATION_H

#include "codegen/codegen.h"
#include "graph/elaborate.h"
#include "plan/plan.h"
#include "support/file.h"
#include "support/intern.h"
#include "syntax/ast.h"
#include "weights/tensor_file.h"

typedef VEC(Define) DefineList;

/* A file that is in memory: read in the place of what a path of this very text leads to. */
typedef struct MemoryFile {
    const char *name;
    const void *bytes;
    size_t size;
} MemoryFile;

typedef VEC(MemoryFile) MemoryFileList;

/* What may be chosen about a compilation. */
typedef struct CompileOptions {
    const char *network; /* NULL: the last of the file */
    DefineList defines;
    const char *budgets;        /* a file of conditions that are asserted too; NULL: none */
    const char *weights;        /* NULL: what the network says */
    WeightsOrder weights_order; /* WEIGHTS_ORDERS: what the network says */
    WeightsMode weights_mode;
    bool allow_weights_outside;
    const char *symbol_prefix; /* of all symbols and macros; NULL: none */
    const char *namespace;     /* of C++, in the header; NULL: none */
    const char *target;
    const char *cpu;
    int optimisation;
    uint64_t threads; /* 0: one, and no pool */
    uint64_t batch;   /* samples of a call */
    PrefixMapList prefix_maps;
    bool debug;
    bool exact; /* every convolution by the direct method */
    MemoryFileList files;
    bool only_memory; /* nothing is read but `files` */
} CompileOptions;

/* What the options are before anything is chosen. */
#define COMPILE_OPTIONS_DEFAULT                                                                    \
    (CompileOptions){.weights_order = WEIGHTS_ORDERS, .optimisation = 2, .batch = 1}

/* A source file and what tells whether another path leads to it. */
typedef struct UsedFile {
    File *file;
    const MemoryFile *memory; /* NULL: it is in the file system */
    uint64_t device;
    uint64_t inode; /* 0: it cannot be told */
} UsedFile;

typedef struct Compilation {
    const CompileOptions *options;
    Arena arena; /* of everything below */
    Intern intern;
    SourceMap sources;
    Diagnostics diagnostics;
    FileSet files; /* outputs, renamed into place only when all is done */

    const char *path;        /* of the source file, `-` for standard input */
    const Source *source;    /* compilation_read_source */
    File *file;              /* compilation_parse */
    VEC(UsedFile *) used;    /* it, and what it uses */
    Elaboration elaboration; /* compilation_make_graph */
    Meanings *meanings;      /* takes what the text stands for; NULL: nobody asks */
    GraphList graphs;
    Graph *graph; /* the one asked for */
    GraphCount count;
    TensorFile *weights_file; /* Weight.data may point into it; NULL without a file */
    bool weights_bound;       /* Weight.data is set, or there is none */
    bool keep_values;         /* every step's result stays in the arena */
    TargetList targets;       /* one for each processor */
    Variants variants;        /* with a plan for each */
    CodegenOptions codegen_options;
    Codegen *codegen;
} Compilation;

/* Begins one, all of whose fields are zero. The options must outlive it. */
void compilation_begin(Compilation *compilation, const CompileOptions *options);
/* Releases everything that is left. */
void compilation_end(Compilation *compilation);

/* No error was reported. */
bool compilation_is_fine(const Compilation *compilation);

/* ---- the stages, in their order ------------------------------------------------------------- */

/* Puts the source text into the source map; `name` is what messages call it. */
bool compilation_read_source(Compilation *compilation, const char *path, const char *name);

/* Source text to syntax tree, with the budgets that the options name. */
bool compilation_parse(Compilation *compilation);

/* Adds a text of conditions (parse_conditions) to the network that is asked for, as if they stood
 * at its end. How many there are; where there is no such network, nothing is added. */
size_t compilation_add_conditions(Compilation *compilation, const Source *source);

/* Reads what the file uses; syntax trees to graphs, and the one network that is asked for. */
bool compilation_make_graph(Compilation *compilation);

/* Counts every network of the file and checks the asserts that need no plan. */
bool compilation_count(Compilation *compilation);

/* Reads the weights file, if the network or the options name one. */
bool compilation_bind_weights(Compilation *compilation);

/* E0408 where no weights were bound. */
bool compilation_require_weights(Compilation *compilation);

/* For each processor a target and a plan; and the asserts that need them. */
bool compilation_make_plans(Compilation *compilation);

/* Plans to LLVM module. With `hashed` the hash of the packed weights is worked out for it; an
 * object gets it when it is written. */
void compilation_generate(Compilation *compilation, bool hashed);

/* Where an object goes: indices in `files`. `packed`: of the packed weights in extern mode,
 * negative without any. */
typedef struct ObjectOutputs {
    int object;
    int header;
    int packed;
} ObjectOutputs;

/* Whether there are packed weights beside the object. */
bool compilation_packs_beside(const Compilation *compilation);

/* Makes machine code of the module and writes all that belongs to it. */
bool compilation_write_object(Compilation *compilation, const ObjectOutputs *outputs);

/* Whether all that was read is still what it was: to be asked before outputs are committed. */
bool compilation_inputs_unchanged(const Compilation *compilation);

/* ---- files (use.c) -------------------------------------------------------------------------- */

/* Reads a source file into the map; NULL after reporting why not. Only the first guards it against
 * being overwritten by an output. */
const Source *compilation_read(Compilation *compilation, const char *path, const char *name,
                               Span span);
const Source *compilation_read_unguarded(Compilation *compilation, const char *path,
                                         const char *name, Span span);

/* The file in memory that stands for a path; NULL: none. */
const MemoryFile *compilation_memory_file(const Compilation *compilation, const char *path);

/* False after E0701 if `path`, which is not in memory, may not be read. */
bool compilation_may_read(Compilation *compilation, const char *path, Span span);

/* Parses the files that compilation->file uses, and those that they use. */
bool compilation_read_used(Compilation *compilation);

#endif
