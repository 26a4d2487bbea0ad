/* Every option and every verb, one row each: parsing, checking, --help, the man page and the
 * completions of shells come from these. Private to src/driver/option*.c. */
#ifndef NETC_DRIVER_OPTION_TABLE_H
#define NETC_DRIVER_OPTION_TABLE_H

#include <stddef.h>

#include "driver/options.h"

typedef enum OptionKind {
    OPTION_FLAG,         /* sets a bool */
    OPTION_TEXT,         /* sets a const char * */
    OPTION_MAYBE,        /* the same; without a value to "" */
    OPTION_IDENTIFIER,   /* the same; the value is one of C */
    OPTION_NAMESPACE,    /* the same; identifiers of C++ with `::` between */
    OPTION_LIST,         /* appends to a VEC(const char *) */
    OPTION_NUMBER,       /* sets a uint64_t */
    OPTION_CHOICE,       /* sets an int-sized enum to the index of the word in `choices` */
    OPTION_MAYBE_CHOICE, /* the same; without a value to the first */
    OPTION_DEFINE,       /* appends NAME=VALUE to the defines */
    OPTION_PREFIX_MAP,   /* appends OLD=NEW to the prefix maps */
} OptionKind;

#define VERB_BIT(verb) (1u << (verb))
#define ALL_VERBS      (VERB_BIT(VERB_LSP + 1) - 1)
#define ON_TERMINAL    (ALL_VERBS & ~VERB_BIT(VERB_LSP)) /* messages go to standard error */
#define WITH_PLAN                                                                                  \
    (VERB_BIT(VERB_COMPILE) | VERB_BIT(VERB_CHECK) | VERB_BIT(VERB_REPORT) | VERB_BIT(VERB_RUN) |  \
     VERB_BIT(VERB_BENCH))
#define MANUALS      (VERB_BIT(VERB_LAYERS) | VERB_BIT(VERB_EXPLAIN)) /* of what netc knows */
#define WITHOUT_FILE (MANUALS | VERB_BIT(VERB_LSP))
#define WITH_FORMAT                                                                                \
    (VERB_BIT(VERB_REPORT) | VERB_BIT(VERB_BENCH) | VERB_BIT(VERB_DRAW) | VERB_BIT(VERB_DIFF) |    \
     VERB_BIT(VERB_SOLVE) | MANUALS)
#define WITH_SOURCE                                                                                \
    (WITH_PLAN | VERB_BIT(VERB_INIT) | VERB_BIT(VERB_DRAW) | VERB_BIT(VERB_DIFF) |                 \
     VERB_BIT(VERB_SOLVE))
#define READS_SOURCE (WITH_SOURCE | VERB_BIT(VERB_FORMAT))
#define MAX_CHOICES  8
#define FIX_DRY_RUN  "dry-run" /* what --fix takes */

typedef struct OptionRow {
    const char *name; /* long form, without the dashes */
    char letter;      /* short form, 0 for none */
    OptionKind kind;
    unsigned verbs;       /* VERB_BITs of the verbs that take it */
    size_t offset;        /* of the field in Options */
    const char *argument; /* what --help calls the argument; NULL for flags */
    const char *choices[MAX_CHOICES];
    const char *help;
} OptionRow;

/* Whether the value may be left out, and whether there must be one. */
static inline bool value_is_optional(const OptionRow *row) {
    return row->kind == OPTION_MAYBE || row->kind == OPTION_MAYBE_CHOICE;
}

static inline bool value_is_required(const OptionRow *row) {
    return row->argument && !value_is_optional(row);
}

typedef struct VerbRow {
    const char *name;
    const char *operand;
    unsigned formats; /* FORMAT_BITs that --format takes */
    const char *help;
} VerbRow;

#define FORMAT_BIT(format) (1u << (format))

#define MAX_OPTIONS 64
#define MAX_VERBS   16

extern const OptionRow option_table[];
extern const size_t option_count; /* at most MAX_OPTIONS */

/* In the order of Verb. */
extern const VerbRow verb_table[];
extern const size_t verb_count; /* at most MAX_VERBS */

/* options.c: says on standard error what is wrong with the command line; 2, the status for it. */
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* option_response.c: puts what is in the file in place of each argument `@FILE`. If there is no
 * such file, the argument stays. Returns 0, or the exit status after saying what is wrong. */
int response_files_expand(Arena *arena, int *argc, char ***argv);

/* option_completion.c: what --help=bash and its like print. */
void completion_bash(StrBuf *out);
void completion_zsh(StrBuf *out);
void completion_fish(StrBuf *out);

#endif
