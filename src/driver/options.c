#include "driver/option_table.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/header.h"
#include "support/suggest.h"

int usage_error(const char *format, ...) {
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

/* The setters give NULL, or what is wrong, as a phrase in `arena`. */

static const char *set_choice(Arena *arena, const OptionRow *row, const char *value, int *field) {
    size_t count = 0;
    while (count < MAX_CHOICES && row->choices[count]) {
        if (strcmp(row->choices[count], value) == 0) {
            *field = (int)count;
            return NULL;
        }
        count++;
    }
    return arena_format(arena, "%s takes %s, not `%s`%s", row->name,
                        list_choices(arena, row, (1u << count) - 1), value,
                        did_you_mean(arena, "", suggest_name(value, row->choices, count)));
}

/* How many characters of `text` are an identifier of C; 0: it begins with none. */
static size_t identifier_length(const char *text) {
    if (*text >= '0' && *text <= '9')
        return 0;
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

static const char *set_identifier(Arena *arena, const OptionRow *row, const char *value,
                                  const char **field) {
    size_t length = identifier_length(value);
    if (length == 0 || value[length] != '\0')
        return arena_format(arena, "%s takes what an identifier of C can begin with, not `%s`",
                            row->name, value);
    *field = value;
    return NULL;
}

static const char *set_namespace(Arena *arena, const OptionRow *row, const char *value,
                                 const char **field) {
    for (const char *at = value;; at += 2) {
        size_t length = identifier_length(at);
        const char *name = arena_copy_text(arena, at, length);
        at += length;
        bool goes_on = strncmp(at, "::", 2) == 0;
        if (length == 0 || header_reserves(name) || (*at != '\0' && !goes_on))
            return arena_format(arena, "%s takes names of C++ with `::` between, not `%s`",
                                row->name, value);
        if (!goes_on)
            break;
    }
    *field = value;
    return NULL;
}

static const char *set_number(Arena *arena, const OptionRow *row, const char *value,
                              uint64_t *field) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (errno != 0 || *end != '\0' || value[0] < '0' || value[0] > '9')
        return arena_format(arena, "%s takes a whole number, not `%s`", row->name, value);
    *field = number;
    return NULL;
}

static const char *add_define(Arena *arena, const char *value, DefineList *field) {
    const char *equals = strchr(value, '=');
    if (!equals || equals == value)
        return arena_format(arena, "define takes NAME=VALUE, not `%s`", value);
    Define define = {arena_copy_text(arena, value, (size_t)(equals - value)), equals + 1};
    VEC_PUSH(arena, field, define);
    return NULL;
}

static const char *add_prefix_map(Arena *arena, const OptionRow *row, const char *value,
                                  PrefixMapList *field) {
    const char *equals = strchr(value, '=');
    if (!equals || equals == value)
        return arena_format(arena, "%s takes %s, not `%s`", row->name, row->argument, value);
    PrefixMap map = {arena_copy_text(arena, value, (size_t)(equals - value)), equals + 1};
    VEC_PUSH(arena, field, map);
    return NULL;
}

static const char *set_option(Arena *arena, const OptionRow *row, const char *value,
                              Options *options) {
    void *field = (char *)options + row->offset;
    switch (row->kind) {
    case OPTION_FLAG: *(bool *)field = true; return NULL;
    case OPTION_TEXT: *(const char **)field = value; return NULL;
    case OPTION_MAYBE: *(const char **)field = value ? value : ""; return NULL;
    case OPTION_IDENTIFIER: return set_identifier(arena, row, value, field);
    case OPTION_NAMESPACE: return set_namespace(arena, row, value, field);
    case OPTION_LIST: VEC_PUSH(arena, (TextList *)field, value); return NULL;
    case OPTION_NUMBER: return set_number(arena, row, value, field);
    case OPTION_CHOICE: return set_choice(arena, row, value, field);
    case OPTION_MAYBE_CHOICE: return set_choice(arena, row, value ? value : row->choices[0], field);
    case OPTION_DEFINE: return add_define(arena, value, field);
    case OPTION_PREFIX_MAP: return add_prefix_map(arena, row, value, field);
    }
    return NULL;
}

/* The verb that `word` names, or verb_count. */
static size_t find_verb(const char *word) {
    size_t verb = 0;
    while (verb < verb_count && strcmp(verb_table[verb].name, word) != 0)
        verb++;
    return verb;
}

static int unknown_option(Arena *arena, const char *word) {
    const char *names[MAX_OPTIONS];
    for (size_t i = 0; i < option_count; i++)
        names[i] = option_table[i].name;
    const char *name = word + strspn(word, "-");
    name = arena_copy_text(arena, name, strcspn(name, "="));
    const char *nearest = word[1] == '-' ? suggest_name(name, names, option_count) : NULL;
    return usage_error("unknown option `%s`%s", word, did_you_mean(arena, "--", nearest));
}

/* What getopt_long needs, made from the table. An option's code is its index + 256. */
static void getopt_tables(struct option *long_options, char *letters) {
    char *letter = letters;
    *letter++ = ':'; /* tell a missing argument from an unknown option */
    for (size_t i = 0; i < option_count; i++) {
        const OptionRow *row = &option_table[i];
        int argument = value_is_optional(row)   ? optional_argument
                       : value_is_required(row) ? required_argument
                                                : no_argument;
        long_options[i] = (struct option){row->name, argument, NULL, (int)i + 256};
        if (row->letter) {
            *letter++ = row->letter;
            for (int colons = argument; colons > 0; colons--) /* the constants count them */
                *letter++ = ':';
        }
    }
    *letter = '\0';
    long_options[option_count] = (struct option){NULL, 0, NULL, 0};
}

static const OptionRow *row_of_code(int code) {
    if (code >= 256)
        return &option_table[code - 256];
    for (size_t i = 0; i < option_count; i++)
        if (option_table[i].letter == code)
            return &option_table[i];
    return NULL;
}

/* `-ffile-prefix-map=OLD=NEW` is how compilers spell it, and so do the flags of a build. */
static void respell_prefix_maps(Arena *arena, int argc, char **argv) {
    static const char spelling[] = "-ffile-prefix-map=";
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strncmp(argv[i], spelling, sizeof spelling - 1) == 0)
            argv[i] = arena_format(arena, "--%s", argv[i] + 2);
}

/* Reads all options into *options and remembers in `used` which rows appeared. */
static int parse_options(Arena *arena, int argc, char **argv, Options *options, bool *used) {
    struct option long_options[MAX_OPTIONS + 1];
    char letters[3 * MAX_OPTIONS + 2];
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
        const char *wrong = set_option(arena, row, optarg, options);
        if (wrong)
            return usage_error("--%s", wrong);
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

static int check_solve(int count, char **operands, Options *options) {
    if (count == 0)
        return usage_error("which file?");
    if (count > 2)
        return usage_error("one condition at a time: `a and b` is one");
    if (!options->constant)
        return usage_error("which constant? netc solve FILE.net --for=NAME");
    if (options->outputs.count > 1)
        return usage_error("--output is given twice");
    options->source = operands[0];
    options->other = count == 2 ? operands[1] : NULL;
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

static int take_files_to_check(Arena *arena, int count, char **operands, Options *options) {
    if (options->sarif || options->messages == MESSAGES_SARIF)
        return usage_error("a SARIF log is of one file, not of %d", count);
    for (int i = 0; i < count; i++) {
        if (strcmp(operands[i], "-") == 0)
            return usage_error("standard input is checked by itself");
        VEC_PUSH(arena, &options->sources, operands[i]);
    }
    options->source = operands[0];
    return 0;
}

static bool needs_file(Verb verb) {
    return !(VERB_BIT(verb) & WITHOUT_FILE);
}

static int check_operands(Arena *arena, int argc, char **argv, Options *options) {
    int count = argc - optind;
    char **operands = argv + optind;
    if (count > 0 && find_verb(operands[0]) < verb_count) {
        options->verb = (Verb)find_verb(operands[0]);
        operands++;
        count--;
    } else if (count > 1) {
        const char *names[MAX_VERBS];
        for (size_t i = 0; i < verb_count; i++)
            names[i] = verb_table[i].name;
        const char *nearest = suggest_name(operands[0], names, verb_count);
        return usage_error("`%s` is not a verb of netc%s", operands[0],
                           did_you_mean(arena, "", nearest));
    }
    if (options->verb == VERB_LSP && count > 0)
        return usage_error("`netc lsp` takes no file: an editor gives it texts");
    if (options->verb == VERB_DIFF)
        return check_two_files(count, operands, options);
    if (options->verb == VERB_SOLVE)
        return check_solve(count, operands, options);
    if (options->verb == VERB_FORMAT)
        return check_files_to_format(arena, count, operands, options);
    if (options->verb == VERB_CHECK && count > 1)
        return take_files_to_check(arena, count, operands, options);
    if (count > 1 && options->explain && !options->explain[0])
        return usage_error("one file at a time, got `%s` and `%s`; to explain one layer, write "
                           "--explain=%s",
                           operands[0], operands[1], operands[0]);
    if (count > 1)
        return usage_error("one file at a time, got `%s` and `%s`", operands[0], operands[1]);
    options->source = count == 1 ? operands[0] : NULL;
    if (!options->source && needs_file(options->verb))
        return usage_error("which file?");
    if (options->outputs.count > 1 && options->verb != VERB_RUN)
        return usage_error("--output is given twice");
    return 0;
}

static int unknown_code(Arena *arena, const char *name) {
    const char *names[DIAG_CODE_COUNT];
    for (DiagCode code = 0; code < DIAG_CODE_COUNT; code++)
        names[code] = diag_code_name(code);
    const char *nearest = suggest_name(name, names, DIAG_CODE_COUNT);
    return usage_error("no message has the code `%s`%s", name,
                       nearest ? did_you_mean(arena, "", nearest) : "; `netc explain` lists all");
}

static int check_code(Arena *arena, Options *options) {
    bool asked = options->verb == VERB_EXPLAIN && options->source;
    options->code = asked ? diag_code_find(options->source) : DIAG_CODE_COUNT;
    return asked && options->code == DIAG_CODE_COUNT ? unknown_code(arena, options->source) : 0;
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

/* A rule says what files are made from. */
static int check_depfile(const Options *options) {
    bool to_screen = options->outputs.count > 0 ? strcmp(options->outputs.data[0], "-") == 0
                                                : options->emit != STAGE_OBJECT;
    if (options->depfile && to_screen)
        return usage_error("--depfile needs an output file: --output=FILE");
    return 0;
}

static int check_budgets(const Options *options) {
    const char *budgets = options->compile.budgets;
    return budgets && strcmp(budgets, "-") == 0
               ? usage_error("--budgets takes a file, not standard input")
               : 0;
}

static int check_fix(const Options *options) {
    if (options->fix && options->fix[0] && strcmp(options->fix, FIX_DRY_RUN) != 0)
        return usage_error("--fix takes `" FIX_DRY_RUN "` or nothing, not `%s`", options->fix);
    if (options->fix && !options->fix[0] && strcmp(options->source, "-") == 0)
        return usage_error("standard input cannot be fixed in place; --fix=" FIX_DRY_RUN
                           " shows what would change");
    return 0;
}

/* One -W with a code: what it makes of its warnings. */
static int set_level(Arena *arena, const char *name, DiagLevel level, Options *options) {
    DiagCode code = diag_code_find(name);
    if (code == DIAG_CODE_COUNT)
        return unknown_code(arena, name);
    if (diag_code_is_error(code))
        return usage_error("-W is for warnings, and %s is an error", diag_code_name(code));
    options->levels[code] = level;
    return 0;
}

/* A code that is named has its own way; of several the last counts. */
static int check_warnings(Arena *arena, Options *options) {
    bool all = false;
    int status = 0;
    for (size_t i = 0; i < options->warnings.count && status == 0; i++) {
        const char *what = options->warnings.data[i];
        if (strcmp(what, "error") == 0)
            all = true;
        else if (strncmp(what, "error=", 6) == 0)
            status = set_level(arena, what + 6, DIAG_LEVEL_ERROR, options);
        else if (strncmp(what, "no-", 3) == 0)
            status = set_level(arena, what + 3, DIAG_LEVEL_OFF, options);
        else
            status = usage_error("-W takes `error`, `error=CODE` or `no-CODE`, not `%s`", what);
    }
    for (DiagCode code = 0; all && code < DIAG_CODE_COUNT; code++)
        if (options->levels[code] == DIAG_LEVEL_WARNING)
            options->levels[code] = DIAG_LEVEL_ERROR;
    return status;
}

/* What is wrong with a number of threads that was given; NULL: nothing. */
static const char *wrong_threads(Arena *arena, uint64_t threads) {
    if (threads >= 2 && threads <= PLAN_MAX_THREADS)
        return NULL;
    return arena_format(
        arena,
        "threads takes a number from 2 to %d, not %llu (one thread is what there is "
        "without it)",
        PLAN_MAX_THREADS, (unsigned long long)threads);
}

static int check_threads(Arena *arena, const Options *options, bool used) {
    const char *wrong = used ? wrong_threads(arena, options->compile.threads) : NULL;
    return wrong ? usage_error("--%s", wrong) : 0;
}

/* The same of samples of a call. */
static const char *wrong_batch(Arena *arena, uint64_t batch) {
    if (batch >= 1 && batch <= PLAN_MAX_BATCH)
        return NULL;
    return arena_format(arena, "batch takes a number from 1 to %d, not %llu", PLAN_MAX_BATCH,
                        (unsigned long long)batch);
}

static int check_batch(Arena *arena, const Options *options) {
    const char *wrong = wrong_batch(arena, options->compile.batch);
    if (wrong)
        return usage_error("--%s", wrong);
    if (options->compile.batch > 1 && options->compare_layers)
        return usage_error("--compare-layers looks at one sample a call, so --batch cannot be "
                           "asked for too");
    return 0;
}

/* Code that is run here is for here. */
static int check_cpu(Options *options) {
    bool here = options->verb == VERB_RUN || options->verb == VERB_BENCH;
    const char *cpu = options->compile.cpu;
    if (here && cpu && strchr(cpu, ','))
        return usage_error("--cpu of `netc %s` is one processor, not `%s`: it is this machine's "
                           "that runs the network",
                           verb_table[options->verb].name, cpu);
    if (options->verb == VERB_BENCH && !cpu)
        options->compile.cpu = "native";
    return 0;
}

int options_parse(Arena *arena, int argc, char **argv, Options *options) {
    *options = (Options){.emit = STAGE_OBJECT,
                         .compile = COMPILE_OPTIONS_DEFAULT,
                         .help = HELP_FORMS,
                         .version = VERSION_FORMS,
                         .error_limit = 20};
    bool used[MAX_OPTIONS] = {false};
    int status = response_files_expand(arena, &argc, &argv);
    if (status != 0)
        return status;
    respell_prefix_maps(arena, argc, argv);
    options->arguments = argv;
    options->argument_count = argc;
    status = parse_options(arena, argc, argv, options, used);
    if (status != 0 || options_only_show(options))
        return status;
    status = options->verbose ? usage_error("--verbose is for --version")
                              : check_operands(arena, argc, argv, options);
    for (size_t i = 0; i < option_count && status == 0; i++)
        if (used[i] && !(option_table[i].verbs & VERB_BIT(options->verb)))
            status = usage_error("--%s is not an option of `netc %s`", option_table[i].name,
                                 verb_table[options->verb].name);
    for (size_t i = 0; i < option_count && status == 0; i++)
        if (option_table[i].offset == offsetof(Options, format))
            status = check_format(arena, &option_table[i], used[i], options);
        else if (option_table[i].offset == offsetof(Options, compile.threads))
            status = check_threads(arena, options, used[i]);
        else if (option_table[i].offset == offsetof(Options, compile.cpu))
            status = check_cpu(options);
    if (status == 0)
        status = check_code(arena, options);
    if (status == 0)
        status = check_fix(options);
    if (status == 0)
        status = check_warnings(arena, options);
    if (status == 0)
        status = check_batch(arena, options);
    if (status == 0)
        status = check_depfile(options);
    if (status == 0)
        status = check_budgets(options);
    return status == 0 ? check_report(arena, options) : status;
}

/* Whether an option is one of options->compile. */
static bool is_of_compilation(const OptionRow *row) {
    size_t begin = offsetof(Options, compile);
    return row->offset >= begin && row->offset < begin + sizeof(CompileOptions);
}

static const char *no_such_option(Arena *arena, const char *name) {
    const char *names[MAX_OPTIONS];
    size_t count = 0;
    for (size_t i = 0; i < option_count; i++)
        if (is_of_compilation(&option_table[i]))
            names[count++] = option_table[i].name;
    return arena_format(arena, "there is no option `%s`%s", name,
                        did_you_mean(arena, "", suggest_name(name, names, count)));
}

/* A flag is not given by itself here, so that it can be taken back. */
static const char *set_flag(Arena *arena, const OptionRow *row, const char *value, bool *field) {
    bool on = !value || strcmp(value, "on") == 0;
    if (!on && strcmp(value, "off") != 0)
        return arena_format(arena, "%s takes `on` or `off`, not `%s`", row->name, value);
    *field = on;
    return NULL;
}

const char *options_set(Arena *arena, Options *options, const char *name, const char *value) {
    const OptionRow *row = option_table, *end = option_table + option_count;
    while (row < end && !(is_of_compilation(row) && strcmp(row->name, name) == 0))
        row++;
    if (row == end)
        return no_such_option(arena, name);
    if (row->kind == OPTION_FLAG)
        return set_flag(arena, row, value, (bool *)((char *)options + row->offset));
    if (!value)
        return arena_format(arena, "%s needs a value", name);
    if (row->kind != OPTION_NUMBER)
        return set_option(arena, row, value, options);
    uint64_t number;
    const char *wrong = set_number(arena, row, value, &number);
    if (!wrong)
        wrong = row->offset == offsetof(Options, compile.threads) ? wrong_threads(arena, number)
                                                                  : wrong_batch(arena, number);
    if (!wrong)
        *(uint64_t *)((char *)options + row->offset) = number;
    return wrong;
}
