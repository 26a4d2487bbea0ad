#include "driver/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suggest.h"

typedef enum OptionKind {
    OPTION_FLAG,   /* sets a bool */
    OPTION_TEXT,   /* sets a const char * */
    OPTION_MAYBE,  /* the same; without a value to "" */
    OPTION_LIST,   /* appends to a VEC(const char *) */
    OPTION_NUMBER, /* sets a uint64_t */
    OPTION_CHOICE, /* sets an int-sized enum to the index of the word in `choices` */
    OPTION_DEFINE, /* appends NAME=VALUE to the defines */
} OptionKind;

#define VERB_BIT(verb) (1u << (verb))
#define ALL_VERBS      (VERB_BIT(VERB_LAYERS + 1) - 1)
#define WITH_PLAN                                                                                  \
    (VERB_BIT(VERB_COMPILE) | VERB_BIT(VERB_CHECK) | VERB_BIT(VERB_REPORT) | VERB_BIT(VERB_RUN))
#define WITH_FORMAT                                                                                \
    (VERB_BIT(VERB_REPORT) | VERB_BIT(VERB_DRAW) | VERB_BIT(VERB_DIFF) | VERB_BIT(VERB_LAYERS))
#define WITH_SOURCE  (WITH_PLAN | VERB_BIT(VERB_INIT) | VERB_BIT(VERB_DRAW) | VERB_BIT(VERB_DIFF))
#define READS_SOURCE (WITH_SOURCE | VERB_BIT(VERB_FORMAT))
#define MAX_CHOICES  8

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

#define FIELD(name) offsetof(Options, name)

static const OptionRow option_table[] = {
    {"output",
     'o',
     OPTION_LIST,
     (READS_SOURCE & ~VERB_BIT(VERB_CHECK)) | VERB_BIT(VERB_LAYERS),
     FIELD(outputs),
     "FILE",
     {0},
     "write the main output to FILE, `-` is standard output; run: a .npy, once for each result"},
    {"header",
     0,
     OPTION_TEXT,
     VERB_BIT(VERB_COMPILE),
     FIELD(header),
     "FILE",
     {0},
     "write the C header to FILE (default: the output's name with .h)"},
    {"emit",
     0,
     OPTION_CHOICE,
     VERB_BIT(VERB_COMPILE),
     FIELD(emit),
     "STAGE",
     {"tokens", "ast", "graph", "plan", "llvm", "asm", "obj"},
     "stop after a stage and print what it made"},
    {"network",
     0,
     OPTION_TEXT,
     WITH_SOURCE,
     FIELD(network),
     "NAME",
     {0},
     "which network of the file (default: the last)"},
    {"define",
     'D',
     OPTION_DEFINE,
     WITH_SOURCE,
     FIELD(defines),
     "NAME=VALUE",
     {0},
     "set a file-level `let`"},
    {"weights",
     0,
     OPTION_TEXT,
     WITH_PLAN,
     FIELD(weights),
     "FILE",
     {0},
     "read the weights from FILE, not from the one the network names"},
    {"weights-order",
     0,
     OPTION_CHOICE,
     WITH_PLAN,
     FIELD(weights_order),
     "ORDER",
     {"pytorch", "keras"},
     "how the weights file orders its numbers (default: what the network says, or pytorch)"},
    {"allow-weights-outside",
     0,
     OPTION_FLAG,
     WITH_PLAN,
     FIELD(allow_weights_outside),
     NULL,
     {0},
     "let the network name a weights file outside its own folder"},
    {"weights-mode",
     0,
     OPTION_CHOICE,
     VERB_BIT(VERB_COMPILE),
     FIELD(weights_mode),
     "MODE",
     {"embed", "extern", "none"},
     "weights in the object, in a packed file that the program maps, or passed by the caller"},
    {"packed",
     0,
     OPTION_TEXT,
     VERB_BIT(VERB_COMPILE),
     FIELD(packed),
     "FILE",
     {0},
     "extern: write the packed weights to FILE (default: the output's name with .weights)"},
    {"target",
     0,
     OPTION_TEXT,
     WITH_PLAN,
     FIELD(target),
     "TRIPLE",
     {0},
     "compile for this triple (default: this machine's)"},
    {"cpu",
     0,
     OPTION_TEXT,
     WITH_PLAN,
     FIELD(cpu),
     "NAME",
     {0},
     "compile for this processor (default: the baseline of the triple; `native`: this one)"},
    {"optimize",
     'O',
     OPTION_CHOICE,
     WITH_PLAN,
     FIELD(optimisation),
     "LEVEL",
     {"0", "1", "2", "3"},
     "how hard LLVM works on the code (default: 2)"},
    {"debug",
     'g',
     OPTION_FLAG,
     VERB_BIT(VERB_COMPILE),
     FIELD(debug),
     NULL,
     {0},
     "add line tables that lead debuggers and profilers to the .net file"},
    {"format",
     0,
     OPTION_CHOICE,
     WITH_FORMAT,
     FIELD(format),
     "FORMAT",
     {"text", "json", "csv", "markdown", "html", "svg", "dot"},
     "of the output; report: text (default), json, csv, markdown or html; draw: svg (default) or "
     "dot; diff: text (default) or json; layers: text (default) or markdown"},
    {"columns",
     0,
     OPTION_TEXT,
     VERB_BIT(VERB_REPORT),
     FIELD(columns),
     "NAME,...",
     {0},
     "what a report shows (default: " REPORT_COLUMNS "): any of " REPORT_ALL_COLUMNS
     ", and after a figure its share of the network"},
    {"depth",
     0,
     OPTION_NUMBER,
     VERB_BIT(VERB_REPORT) | VERB_BIT(VERB_DRAW),
     FIELD(depth),
     "NUMBER",
     {0},
     "show groups of so many parts (`layer1.0` has two) as one; 0 shows all (default: 0)"},
    {"explain",
     0,
     OPTION_MAYBE,
     VERB_BIT(VERB_REPORT),
     FIELD(explain),
     "PATH",
     {0},
     "show the formula behind every figure; with a PATH, of that layer or group alone"},
    {"input",
     0,
     OPTION_LIST,
     VERB_BIT(VERB_RUN),
     FIELD(inputs),
     "FILE.npy",
     {0},
     "an input of the network; once for each, in order (default: random, by --seed)"},
    {"reference",
     0,
     OPTION_FLAG,
     VERB_BIT(VERB_RUN),
     FIELD(reference),
     NULL,
     {0},
     "run the float64 reference, not the compiled code"},
    {"compare",
     0,
     OPTION_FLAG,
     VERB_BIT(VERB_RUN),
     FIELD(compare),
     NULL,
     {0},
     "run both and show the largest error and its place"},
    {"seed",
     0,
     OPTION_NUMBER,
     VERB_BIT(VERB_RUN) | VERB_BIT(VERB_INIT),
     FIELD(seed),
     "NUMBER",
     {0},
     "of random weights and inputs (default: 0)"},
    {"check",
     0,
     OPTION_FLAG,
     VERB_BIT(VERB_FORMAT),
     FIELD(check),
     NULL,
     {0},
     "write nothing; fail where a file is not in the canonical layout"},
    {"in-place",
     'i',
     OPTION_FLAG,
     VERB_BIT(VERB_FORMAT),
     FIELD(in_place),
     NULL,
     {0},
     "rewrite the files; all of them, or none if one has a mistake"},
    {"stdin-name",
     0,
     OPTION_TEXT,
     READS_SOURCE,
     FIELD(stdin_name),
     "NAME",
     {0},
     "what messages call the source read from standard input"},
    {"color",
     0,
     OPTION_CHOICE,
     ALL_VERBS,
     FIELD(colour),
     "WHEN",
     {"auto", "never", "always"},
     "colour messages (default: auto, on a terminal)"},
    {"error-limit",
     0,
     OPTION_NUMBER,
     READS_SOURCE,
     FIELD(error_limit),
     "NUMBER",
     {0},
     "show at most so many errors; 0 shows all (default: 20)"},
    {"help", 'h', OPTION_FLAG, ALL_VERBS, FIELD(help), NULL, {0}, "show this and exit"},
    {"version", 0, OPTION_FLAG, ALL_VERBS, FIELD(version), NULL, {0}, "show the version and exit"},
};

#define OPTION_COUNT (sizeof option_table / sizeof option_table[0])

typedef struct VerbRow {
    const char *name;
    const char *operand;
    unsigned formats; /* FORMAT_BITs that --format takes */
    const char *help;
} VerbRow;

#define FORMAT_BIT(format) (1u << (format))

#define REPORT_FORMATS                                                                             \
    (FORMAT_BIT(FORMAT_TEXT) | FORMAT_BIT(FORMAT_JSON) | FORMAT_BIT(FORMAT_CSV) |                  \
     FORMAT_BIT(FORMAT_MARKDOWN) | FORMAT_BIT(FORMAT_HTML))

/* In the order of Verb. */
static const VerbRow verb_table[] = {
    {"compile", "FILE.net", 0, "write an object file and its C header (the verb may be left out)"},
    {"check", "FILE.net", 0, "check everything, write nothing"},
    {"report", "FILE.net", REPORT_FORMATS,
     "show every layer's shape, parameters and multiply-accumulates"},
    {"run", "FILE.net", 0, "compile in memory, run, and show the result"},
    {"init", "FILE.net", 0, "write random weights of the right shapes as .safetensors"},
    {"draw", "FILE.net", FORMAT_BIT(FORMAT_SVG) | FORMAT_BIT(FORMAT_DOT),
     "draw the network as a picture"},
    {"diff", "OLD.net NEW.net", FORMAT_BIT(FORMAT_TEXT) | FORMAT_BIT(FORMAT_JSON),
     "say what changed in interface, layers, counts and weights"},
    {"format", "FILE.net...", 0, "show a file in the canonical layout, or rewrite files"},
    {"layers", "[NAME]", FORMAT_BIT(FORMAT_TEXT) | FORMAT_BIT(FORMAT_MARKDOWN),
     "list the layers, or show all about one"},
};

#define VERB_COUNT (sizeof verb_table / sizeof verb_table[0])

void options_help(StrBuf *out) {
    strbuf_add(out, "netc compiles neural networks to native code.\n\n"
                    "usage: netc [VERB] [OPTIONS] FILE.net\n\nverbs:\n");
    for (size_t i = 0; i < VERB_COUNT; i++)
        strbuf_format(out, "  %-8s %-16s %s\n", verb_table[i].name, verb_table[i].operand,
                      verb_table[i].help);
    strbuf_add(out, "\noptions:\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const OptionRow *row = &option_table[i];
        size_t start = out->length;
        if (row->letter)
            strbuf_format(out, "  -%c, --%s", row->letter, row->name);
        else
            strbuf_format(out, "      --%s", row->name);
        if (row->kind == OPTION_CHOICE) {
            for (int c = 0; c < MAX_CHOICES && row->choices[c]; c++)
                strbuf_format(out, "%s%s", c ? "|" : "=", row->choices[c]);
        } else if (row->argument) {
            strbuf_format(out, row->kind == OPTION_MAYBE ? "[=%s]" : "=%s", row->argument);
        }
        size_t width = out->length - start;
        if (width < 30)
            strbuf_fill(out, ' ', 30 - width);
        else
            strbuf_format(out, "\n%*s", 30, "");
        strbuf_format(out, " %s\n", row->help);
    }
    strbuf_add(out,
               "\nexit status: 0 done, 1 a mistake in source, weights or budgets, 2 wrong usage,\n"
               "3 input or output failed, 4 diff: the networks differ, 70 internal error\n");
}

static int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int usage_error(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("netc: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\ntry `netc --help`\n", stderr);
    va_end(arguments);
    return 2;
}

/* "; did you mean `--emit`?" or "". */
static const char *did_you_mean(Arena *arena, const char *prefix, const char *nearest) {
    return nearest ? arena_format(arena, "; did you mean `%s%s`?", prefix, nearest) : "";
}

/* "`text`, `json` or `svg`": the choices of a row whose bits are set. */
static const char *list_choices(Arena *arena, const OptionRow *row, unsigned bits) {
    StrBuf words = {0};
    unsigned last = 1;
    while (last <= bits / 2)
        last *= 2;
    for (unsigned i = 0; i < MAX_CHOICES; i++)
        if (bits & 1u << i)
            strbuf_format(&words, "%s`%s`",
                          words.length == 0 ? ""
                          : 1u << i == last ? " or "
                                            : ", ",
                          row->choices[i]);
    const char *list = arena_copy_text(arena, strbuf_text(&words), words.length);
    strbuf_free(&words);
    return list;
}

static int set_choice(Arena *arena, const OptionRow *row, const char *value, int *field) {
    size_t count = 0;
    while (count < MAX_CHOICES && row->choices[count]) {
        if (strcmp(row->choices[count], value) == 0) {
            *field = (int)count;
            return 0;
        }
        count++;
    }
    return usage_error("--%s takes %s, not `%s`%s", row->name,
                       list_choices(arena, row, (1u << count) - 1), value,
                       did_you_mean(arena, "", suggest_name(value, row->choices, count)));
}

static int set_number(const OptionRow *row, const char *value, uint64_t *field) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (errno != 0 || *end != '\0' || value[0] < '0' || value[0] > '9')
        return usage_error("--%s takes a whole number, not `%s`", row->name, value);
    *field = number;
    return 0;
}

static int add_define(Arena *arena, const char *value, DefineList *field) {
    const char *equals = strchr(value, '=');
    if (!equals || equals == value)
        return usage_error("--define takes NAME=VALUE, not `%s`", value);
    Define define = {arena_copy_text(arena, value, (size_t)(equals - value)), equals + 1};
    VEC_PUSH(arena, field, define);
    return 0;
}

static int set_option(Arena *arena, const OptionRow *row, const char *value, Options *options) {
    void *field = (char *)options + row->offset;
    switch (row->kind) {
    case OPTION_FLAG: *(bool *)field = true; return 0;
    case OPTION_TEXT: *(const char **)field = value; return 0;
    case OPTION_MAYBE: *(const char **)field = value ? value : ""; return 0;
    case OPTION_LIST: VEC_PUSH(arena, (TextList *)field, value); return 0;
    case OPTION_NUMBER: return set_number(row, value, field);
    case OPTION_CHOICE: return set_choice(arena, row, value, field);
    case OPTION_DEFINE: return add_define(arena, value, field);
    }
    return 0;
}

/* The verb that `word` names, or VERB_COUNT. */
static size_t find_verb(const char *word) {
    size_t verb = 0;
    while (verb < VERB_COUNT && strcmp(verb_table[verb].name, word) != 0)
        verb++;
    return verb;
}

static int unknown_option(Arena *arena, const char *word) {
    const char *names[OPTION_COUNT];
    for (size_t i = 0; i < OPTION_COUNT; i++)
        names[i] = option_table[i].name;
    const char *name = word + strspn(word, "-");
    name = arena_copy_text(arena, name, strcspn(name, "="));
    const char *nearest = word[1] == '-' ? suggest_name(name, names, OPTION_COUNT) : NULL;
    return usage_error("unknown option `%s`%s", word, did_you_mean(arena, "--", nearest));
}

/* What getopt_long needs, made from the table. An option's code is its index + 256. */
static void getopt_tables(struct option *long_options, char *letters) {
    char *letter = letters;
    *letter++ = ':'; /* tell a missing argument from an unknown option */
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        OptionKind kind = option_table[i].kind;
        bool takes = kind != OPTION_FLAG;
        int argument = kind == OPTION_MAYBE ? optional_argument
                       : takes              ? required_argument
                                            : no_argument;
        long_options[i] = (struct option){option_table[i].name, argument, NULL, (int)i + 256};
        if (option_table[i].letter) {
            *letter++ = option_table[i].letter;
            if (takes)
                *letter++ = ':';
        }
    }
    *letter = '\0';
    long_options[OPTION_COUNT] = (struct option){NULL, 0, NULL, 0};
}

static const OptionRow *row_of_code(int code) {
    if (code >= 256)
        return &option_table[code - 256];
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (option_table[i].letter == code)
            return &option_table[i];
    return NULL;
}

/* Reads all options into *options and remembers in `used` which rows appeared. */
static int parse_options(Arena *arena, int argc, char **argv, Options *options, bool *used) {
    struct option long_options[OPTION_COUNT + 1];
    char letters[2 * OPTION_COUNT + 2];
    getopt_tables(long_options, letters);
    opterr = 0;
    optind = 0; /* start anew, also in a process that parsed before */
    for (;;) {
        int at = optind == 0 ? 1 : optind;
        int code = getopt_long(argc, argv, letters, long_options, NULL);
        if (code == -1)
            return 0;
        if (code == '?')
            return unknown_option(arena,
                                  argv[at] && argv[at][0] == '-' ? argv[at] : argv[optind - 1]);
        const OptionRow *row = row_of_code(code == ':' ? optopt : code);
        if (code == ':')
            return usage_error("--%s needs a value: --%s=%s", row->name, row->name, row->argument);
        int status = set_option(arena, row, optarg, options);
        if (status != 0)
            return status;
        used[row - option_table] = true;
    }
}

static int check_two_files(int count, char **operands, Options *options) {
    if (count != 2)
        return usage_error("which two files? netc diff OLD.net NEW.net");
    if (strcmp(operands[0], "-") == 0 && strcmp(operands[1], "-") == 0)
        return usage_error("standard input can be one of the two files, not both");
    if (options->outputs.count > 1)
        return usage_error("--output is given twice");
    options->source = operands[0];
    options->other = operands[1];
    return 0;
}

/* One file is shown; any number of them is checked or rewritten. */
static int check_files_to_format(Arena *arena, int count, char **operands, Options *options) {
    if (options->check && options->in_place)
        return usage_error("--check writes nothing, so --in-place cannot be asked for too");
    bool several = options->check || options->in_place;
    if (count == 0)
        return usage_error("which file?");
    if (count > 1 && !several)
        return usage_error("one file at a time, got `%s` and `%s`; to rewrite or check several, "
                           "add --in-place or --check",
                           operands[0], operands[1]);
    if (several && options->outputs.count > 0)
        return usage_error("--output is for a file that is shown, not with --%s",
                           options->check ? "check" : "in-place");
    if (options->outputs.count > 1)
        return usage_error("--output is given twice");
    for (int i = 0; i < count; i++) {
        if (options->in_place && strcmp(operands[i], "-") == 0)
            return usage_error("standard input cannot be rewritten in place");
        VEC_PUSH(arena, &options->sources, operands[i]);
    }
    return 0;
}

static int check_operands(Arena *arena, int argc, char **argv, Options *options) {
    int count = argc - optind;
    char **operands = argv + optind;
    if (count > 0 && find_verb(operands[0]) < VERB_COUNT) {
        options->verb = (Verb)find_verb(operands[0]);
        operands++;
        count--;
    } else if (count > 1) {
        const char *names[VERB_COUNT];
        for (size_t i = 0; i < VERB_COUNT; i++)
            names[i] = verb_table[i].name;
        const char *nearest = suggest_name(operands[0], names, VERB_COUNT);
        return usage_error("`%s` is not a verb of netc%s", operands[0],
                           did_you_mean(arena, "", nearest));
    }
    if (options->verb == VERB_DIFF)
        return check_two_files(count, operands, options);
    if (options->verb == VERB_FORMAT)
        return check_files_to_format(arena, count, operands, options);
    if (count > 1 && options->explain && !options->explain[0])
        return usage_error("one file at a time, got `%s` and `%s`; to explain one layer, write "
                           "--explain=%s",
                           operands[0], operands[1], operands[0]);
    if (count > 1)
        return usage_error("one file at a time, got `%s` and `%s`", operands[0], operands[1]);
    options->source = count == 1 ? operands[0] : NULL;
    if (!options->source && options->verb != VERB_LAYERS)
        return usage_error("which file?");
    if (options->outputs.count > 1 && options->verb != VERB_RUN)
        return usage_error("--output is given twice");
    return 0;
}

/* Sets the verb's own default, or sees that what was asked for is one of the verb's formats. */
static int check_format(Arena *arena, const OptionRow *row, bool used, Options *options) {
    const VerbRow *verb = &verb_table[options->verb];
    for (unsigned i = 0; !used && i < MAX_CHOICES; i++)
        if (verb->formats & FORMAT_BIT(i)) {
            options->format = (Format)i;
            return 0;
        }
    if (!used || verb->formats & FORMAT_BIT(options->format))
        return 0;
    return usage_error("--%s of `netc %s` is %s, not `%s`", row->name, verb->name,
                       list_choices(arena, row, verb->formats), row->choices[options->format]);
}

static int check_report(Arena *arena, Options *options) {
    if (options->format == FORMAT_JSON && (options->columns || options->depth > 0))
        return usage_error("--%s is not for JSON, which always has everything",
                           options->columns ? "columns" : "depth");
    if (!options->columns)
        return 0;
    const char *wrong = report_columns_parse(arena, options->columns, &options->column_list);
    return wrong ? usage_error("--columns: %s", wrong) : 0;
}

int options_parse(Arena *arena, int argc, char **argv, Options *options) {
    *options = (Options){.emit = STAGE_OBJECT,
                         .optimisation = 2,
                         .weights_order = WEIGHTS_ORDERS,
                         .error_limit = 20};
    bool used[OPTION_COUNT] = {false};
    int status = parse_options(arena, argc, argv, options, used);
    if (status != 0 || options->help || options->version)
        return status;
    status = check_operands(arena, argc, argv, options);
    for (size_t i = 0; i < OPTION_COUNT && status == 0; i++)
        if (used[i] && !(option_table[i].verbs & VERB_BIT(options->verb)))
            status = usage_error("--%s is not an option of `netc %s`", option_table[i].name,
                                 verb_table[options->verb].name);
    for (size_t i = 0; i < OPTION_COUNT && status == 0; i++)
        if (option_table[i].offset == FIELD(format))
            status = check_format(arena, &option_table[i], used[i], options);
    return status == 0 ? check_report(arena, options) : status;
}
