/* The command line as data: one table row an option, from which parsing and help come. */
#ifndef NETC_DRIVER_OPTIONS_H
#define NETC_DRIVER_OPTIONS_H

#include "compilation/compilation.h"
#include "output/report.h"

typedef enum Verb {
    VERB_COMPILE, /* netc digits.net -o digits.o */
    VERB_CHECK,   /* netc check digits.net */
    VERB_REPORT,  /* netc report digits.net */
    VERB_RUN,     /* netc run digits.net --input x.npy */
    VERB_BENCH,   /* netc bench digits.net */
    VERB_INIT,    /* netc init digits.net -o digits.safetensors */
    VERB_DRAW,    /* netc draw digits.net -o digits.svg */
    VERB_DIFF,    /* netc diff old.net new.net */
    VERB_SOLVE,   /* netc solve digits.net 'params <= 50k' --for=width */
    VERB_FORMAT,  /* netc format digits.net */
    VERB_LAYERS,  /* netc layers [NAME] */
    VERB_EXPLAIN, /* netc explain [CODE] */
    VERB_LSP,     /* netc lsp */
} Verb;

/* Stages that --emit can stop after. */
typedef enum Stage {
    STAGE_TOKENS,
    STAGE_AST,
    STAGE_GRAPH,
    STAGE_PLAN,
    STAGE_LLVM,
    STAGE_ASM,
    STAGE_OBJECT,
} Stage;

/* What --format can ask for; each verb has some of them, and the first it has is its default. */
typedef enum Format {
    FORMAT_TEXT,
    FORMAT_JSON,
    FORMAT_CSV,
    FORMAT_MARKDOWN,
    FORMAT_HTML,
    FORMAT_SVG,
    FORMAT_DOT,
} Format;

/* How messages are written to standard error. */
typedef enum Messages {
    MESSAGES_TEXT,
    MESSAGES_SHORT,
    MESSAGES_JSON,
    MESSAGES_GITHUB,
    MESSAGES_SARIF,
} Messages;

typedef enum ColourWhen {
    COLOUR_AUTO, /* on a terminal */
    COLOUR_NEVER,
    COLOUR_ALWAYS,
} ColourWhen;

/* In which form --help shows the table. */
typedef enum HelpForm {
    HELP_TEXT,
    HELP_MAN,
    HELP_BASH,
    HELP_ZSH,
    HELP_FISH,
    HELP_FORMS,
} HelpForm;

/* In which form --version is shown. */
typedef enum VersionForm {
    VERSION_TEXT,
    VERSION_JSON,
    VERSION_FORMS,
} VersionForm;

typedef VEC(const char *) TextList;

typedef struct Options {
    Verb verb;
    const char *source;     /* the .net file, `-` for standard input; layers: a layer's name;
                               explain: a code */
    const char *other;      /* diff: the second file; solve: the condition, NULL for none */
    const char *constant;   /* solve: the name of the constant */
    const char *stdin_name; /* NULL: `<stdin>` */
    DiagCode code;          /* explain: what `source` names; DIAG_CODE_COUNT: all codes */
    TextList sources;       /* format, and check of several: the files */
    TextList outputs;       /* one at most but for run */
    const char *header;     /* NULL: the output with .h */
    const char *depfile;    /* NULL: none */
    bool write_if_changed;
    const char *packed;     /* NULL: the output with .weights */
    CompileOptions compile; /* what the library takes as well */
    Stage emit;
    Format format;
    const char *explain; /* report: the path of a layer or group, "" for all; NULL: no formulas */
    const char *columns; /* report: as written; NULL: the format's own */
    ColumnList column_list; /* what `columns` says */
    uint64_t depth;         /* parts of a label path that are shown apart; 0: all */
    TextList inputs;        /* run: one a network input, in order */
    bool reference;
    bool compare;
    bool compare_layers;
    uint64_t seed;
    const char *fix;   /* check: "" to apply fixes, else to show what they would change; NULL: no */
    bool check;        /* format: say which files would change */
    bool in_place;     /* format: rewrite the files */
    TextList warnings; /* as written: `error`, `error=CODE`, `no-CODE` */
    DiagLevel levels[DIAG_CODE_COUNT]; /* what `warnings` says */
    Messages messages;
    const char *sarif; /* file for a SARIF log of them; NULL: none */
    ColourWhen colour;
    uint64_t error_limit;
    const char *crash_dir; /* NULL: none */
    const char *revision;  /* of the program's source, set by main; "" if it is not known */
    char **arguments;      /* all of them, those of response files among them */
    int argument_count;
    HelpForm help;       /* HELP_FORMS: not asked for */
    VersionForm version; /* VERSION_FORMS: not asked for */
    bool verbose;        /* of the version */
} Options;

/* Reads argv, and the files that it names as @FILE, into *options. Returns 0, or the exit status
 * after saying on standard error what is wrong. With --help or --version nothing else is required.
 * What is read stays in the arena, to which *options points. */
int options_parse(Arena *arena, int argc, char **argv, Options *options);

/* Sets one of options->compile by its long name, as on the command line; without a value, or with
 * `on` or `off`, if it takes none there. Texts are kept as they are given. NULL, or what is wrong,
 * as a phrase in `arena`. */
const char *options_set(Arena *arena, Options *options, const char *name, const char *value);

/* Whether help or the version is asked for, and nothing else counts. */
static inline bool options_only_show(const Options *options) {
    return options->help != HELP_FORMS || options->version != VERSION_FORMS;
}

/* What --help prints, made from the table. */
void options_help(HelpForm form, StrBuf *out);

#endif
