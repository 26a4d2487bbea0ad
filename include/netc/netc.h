/* netc as a library: networks compiled from memory or files, to objects or into this process.
 *
 *     netc_compiler *compiler = netc_compiler_new();
 *     netc_add_file(compiler, "tiny.net", text, strlen(text));
 *     netc_network *network = netc_compile(compiler, "tiny.net");
 *     if (netc_result_of(network) == NETC_DONE)
 *         object = netc_bytes(network, NETC_OBJECT, &size);
 *     netc_network_free(network);
 *     netc_compiler_free(compiler);
 *
 * Ownership: what a `new` or a stage (plan, check, compile, load) gives is the caller's and goes
 * back to its `free`, which ignores NULL. Everything a network shows belongs to it and stays until
 * it is freed; it needs the compiler, and files in memory, only while the call lasts that makes it.
 * Texts are UTF-8, but for the names of files, which may be any bytes, and end with a NUL.
 *
 * Threads: handles share nothing. Several threads may use handles of their own at the same time,
 * and one compiler too as long as none of them changes it; a network, but for netc_run, is used by
 * one thread at a time.
 *
 * Failure: nothing is printed, no function exits, no signal or locale of the process is touched,
 * and no file is written. Where memory runs out in netc the result says so; where it runs out in
 * LLVM, which is part of the library, LLVM aborts. After NETC_NO_MEMORY and NETC_INTERNAL some
 * memory may be lost. A broken assertion, a mistake of netc's, aborts. A weights file is mapped:
 * one that is made shorter meanwhile ends the process by SIGBUS; files in memory cannot.
 *
 * Stack: a stage needs up to 1 MiB of it. */
#ifndef NETC_NETC_H
#define NETC_NETC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __GNUC__
#define NETC_API __attribute__((visibility("default")))
#else
#define NETC_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0". Until 1.0 structures may change with the second number: a program is compiled with the
 * header of the library that it finds at run time. */
NETC_API const char *netc_version(void);

typedef enum netc_result {
    NETC_DONE = 0,
    NETC_MISTAKE = 1,    /* in the source, the weights or a budget: netc_diagnostics tells */
    NETC_MISUSE = 2,     /* of an option or a function */
    NETC_UNREADABLE = 3, /* a file: netc_diagnostics tells */
    NETC_NO_MEMORY = 4,
    NETC_INTERNAL = 70 /* a mistake of netc's own: netc_message tells */
} netc_result;

/* ---- what to compile ------------------------------------------------------------------------ */

/* Options, and files in memory. */
typedef struct netc_compiler netc_compiler;

/* NULL: no memory. */
NETC_API netc_compiler *netc_compiler_new(void);
NETC_API void netc_compiler_free(netc_compiler *compiler);

/* Sets an option of `netc compile`, by the name and with the values it has there (`netc --help`):
 *   network, define, budgets, weights, weights-order, allow-weights-outside, weights-mode,
 *   symbol-prefix, namespace, target, cpu, threads, batch, optimize, exact, debug,
 *   file-prefix-map
 * "define" and "file-prefix-map" add to those there are. A flag takes "on", "off", or NULL for
 * "on". NETC_MISUSE for an unknown name or value. */
NETC_API netc_result netc_set(netc_compiler *compiler, const char *option, const char *value);

/* What was wrong with the last call of netc_set; "" if nothing. Until the next one. */
NETC_API const char *netc_set_message(const netc_compiler *compiler);

/* Puts a file into memory: it is taken wherever a path of this very text leads, be it the source, a
 * file that it uses, or its weights. A path written in a source counts from the folder of that
 * source. The bytes are not copied: they stay as they are until the compiler is freed, or the name
 * is given again. */
NETC_API netc_result netc_add_file(netc_compiler *compiler, const char *name, const void *bytes,
                                   size_t size);

/* Whether a file that is not in memory is looked for in the file system (nonzero, as at first), or
 * is not there. Sources of strangers should not get to read files. */
NETC_API void netc_read_files(netc_compiler *compiler, int allowed);

/* ---- the stages ----------------------------------------------------------------------------- */

/* A network as far as it was made, with its diagnostics. */
typedef struct netc_network netc_network;

/* The stages read `source`, a file in memory or a path (`-`: standard input), and each gives a
 * network, whatever is wrong with it; NULL if there is no memory even for that. */

/* Shapes, counts and memory: diagnostics and report. No weights are read. */
NETC_API netc_network *netc_plan(const netc_compiler *compiler, const char *source);

/* The same, and the weights are checked. */
NETC_API netc_network *netc_check(const netc_compiler *compiler, const char *source);

/* The same, and the object, its C header, and what weights-mode says. */
NETC_API netc_network *netc_compile(const netc_compiler *compiler, const char *source);

/* What netc_check does, and code in this process, to be run by netc_run, one sample a call. It
 * needs weights, and is for this machine's processor unless option cpu names another: code for one
 * that has more than this one ends by an illegal instruction. */
NETC_API netc_network *netc_load(const netc_compiler *compiler, const char *source);

NETC_API void netc_network_free(netc_network *network);

NETC_API netc_result netc_result_of(const netc_network *network);

/* One line that says why the result is not NETC_DONE, "" if it is. */
NETC_API const char *netc_message(const netc_network *network);

/* ---- what was made -------------------------------------------------------------------------- */

typedef enum netc_artefact {
    NETC_OBJECT,          /* an ELF object */
    NETC_HEADER,          /* its C header */
    NETC_WEIGHTS_FILE,    /* weights-mode extern: the packed weights file */
    NETC_MESSAGES_TEXT,   /* the diagnostics as `netc` prints them, without colour */
    NETC_MESSAGES_COLOUR, /* the same with ANSI colours */
    NETC_MESSAGES_JSON,   /* an object on each line */
    NETC_REPORT_TEXT,     /* as `netc report` prints it */
    NETC_REPORT_JSON,     /* with all formulas */
    NETC_REPORT_CSV,
    NETC_REPORT_MARKDOWN,
    NETC_REPORT_HTML /* a page that needs nothing else */
} netc_artefact;

/* The bytes, behind which stands a NUL, and how many; `size` may be NULL. NULL where the network
 * did not get so far. Texts are written when they are asked for. */
NETC_API const void *netc_bytes(netc_network *network, netc_artefact artefact, size_t *size);

/* ---- diagnostics ---------------------------------------------------------------------------- */

typedef struct netc_place {
    size_t byte;   /* from 0, in the file */
    size_t line;   /* from 1 */
    size_t column; /* from 1, in Unicode scalar values */
} netc_place;

typedef struct netc_span {
    const char *file; /* NULL: no source text is concerned, and the rest is 0 */
    netc_place begin;
    netc_place end; /* after the last character */
} netc_span;

typedef struct netc_label {
    netc_span span;
    const char *text;
} netc_label;

typedef struct netc_fix {
    const char *message;
    const char *replacement; /* of the span; NULL: advice without an edit */
    netc_span span;
    int applicable; /* it compiles when applied, and is what most likely was meant */
} netc_fix;

typedef enum netc_severity { NETC_ERROR, NETC_WARNING } netc_severity;

typedef struct netc_diagnostic {
    netc_severity severity;
    const char *code;    /* "E0211": never used for anything else */
    const char *message; /* one line */
    netc_span span;
    const char *label; /* beside the span, or NULL */
    const netc_label *labels;
    size_t label_count;
    const char *const *notes;
    size_t note_count;
    const netc_fix *fixes;
    size_t fix_count;
} netc_diagnostic;

/* All of them, sorted by place. */
NETC_API const netc_diagnostic *netc_diagnostics(const netc_network *network, size_t *count);

/* ---- the report ----------------------------------------------------------------------------- */

#define NETC_MAX_RANK 8

typedef enum netc_element { NETC_F32, NETC_U8 } netc_element;

typedef struct netc_tensor {
    const char *name;
    netc_element element;
    int rank;
    int64_t dims[NETC_MAX_RANK]; /* of one sample, row-major */
    int64_t bytes;
} netc_tensor;

typedef struct netc_figures {
    int64_t trainable; /* parameters */
    int64_t frozen;    /* parameters */
    int64_t macs;
    int64_t operations; /* other than multiply-accumulates */
    int64_t flops;      /* 2 * macs + operations */
    int64_t activation_bytes;
} netc_figures;

/* "60 * (1 * 7 * 7) + 60 = 3_000"; "" where there is nothing to count. */
typedef struct netc_formulas {
    const char *parameters;
    const char *macs;
    const char *operations;
    const char *flops;
    const char *activation_bytes;
} netc_formulas;

typedef struct netc_layer {
    const char *path; /* "layer1.0.conv1" */
    const char *call; /* "conv(60, 7x7)" */
    const netc_tensor *outputs;
    size_t output_count;
    const netc_tensor *weights; /* as a weights file names them */
    size_t weight_count;
    netc_figures figures;
    netc_formulas formulas;
} netc_layer;

typedef struct netc_report {
    const char *name; /* of the network: the prefix of all symbols of the object */
    const netc_tensor *inputs;
    size_t input_count;
    const netc_tensor *outputs;
    size_t output_count;
    const netc_layer *layers; /* in the order of the program */
    size_t layer_count;
    netc_figures totals;
    int64_t arena_bytes;         /* that a call needs */
    int64_t packed_bytes;        /* of weights */
    const char *const *networks; /* names of all networks of the source, in its order */
    size_t network_count;
} netc_report;

/* NULL where mistakes kept the network from being counted or planned. */
NETC_API const netc_report *netc_report_of(const netc_network *network);

/* ---- running it in this process ------------------------------------------------------------- */

#define NETC_ARENA_ALIGNMENT 64

/* Computes one sample by a network of netc_load: reads the inputs and writes the outputs, each as
 * the report describes it, all numbers in row-major order; f32 are aligned to 4 bytes.
 *
 * `arena` is report->arena_bytes at an address that is a multiple of NETC_ARENA_ALIGNMENT; what is
 * in it does not matter. With NULL the network's own is used, and then one call at a time. Calls
 * with arenas of their own may run at once; those with option threads take turns at the pool.
 * NETC_MISUSE if the network was not loaded. */
NETC_API netc_result netc_run(const netc_network *network, const void *const *inputs,
                              float *const *outputs, void *arena);

#ifdef __cplusplus
}
#endif

#endif
