/* `netc solve FILE.net [CONDITION] --for=NAME`: the largest value of a constant of the file for
 * which all asserts hold, and the condition.
 *
 * Each value is tried by compiling the file with it up to the plan, as with -D NAME=VALUE; where
 * shapes do not fit it does not hold either. Doubling or halving finds a value that holds and one
 * that does not, and what is between is halved: what is found holds, and the next value does not.
 */
#include <inttypes.h>
#include <string.h>

#include "driver/verbs.h"
#include "output/json_value.h"

#define MOST ((int64_t)1 << 31)

/* What a value comes to. */
typedef struct Trial {
    bool holds;
    const char *message; /* the first error; NULL if it holds */
    int64_t parameters;
    int64_t macs;
} Trial;

typedef struct Search {
    Compilation *c; /* with the file read */
    const Options *options;
} Search;

/* ---- one value ------------------------------------------------------------------------------ */

/* Asserts the condition in the network. False after an error. */
static bool add_condition(Compilation *c, const char *condition) {
    if (!condition)
        return true;
    const Source *source = source_add(&c->sources, "<condition>", condition, strlen(condition));
    size_t count = compilation_add_conditions(c, source);
    if (compilation_is_fine(c) && count != 1)
        diag_report(&c->diagnostics, DIAG_E0502, SPAN_NONE, "`%s` is not one condition", condition);
    return compilation_is_fine(c);
}

/* All stages up to the plan. */
static bool check_all(Compilation *c, const Options *options) {
    return compilation_parse(c) && add_condition(c, options->other) && compilation_make_graph(c) &&
           compilation_count(c) && compilation_is_fine(c) && compilation_make_plans(c) &&
           compilation_is_fine(c);
}

/* The options of the command line with the constant set. */
static CompileOptions options_with(const Search *search, int64_t value) {
    Arena *arena = &search->c->arena;
    CompileOptions options = search->options->compile;
    options.defines = (DefineList){0};
    for (size_t i = 0; i < search->options->compile.defines.count; i++)
        VEC_PUSH(arena, &options.defines, search->options->compile.defines.data[i]);
    Define define = {search->options->constant, arena_format(arena, "%" PRId64, value)};
    VEC_PUSH(arena, &options.defines, define);
    /* What was read once, be it standard input, is what all values are tried with. */
    MemoryFile file = {search->c->path, search->c->source->text, search->c->source->length};
    VEC_PUSH(arena, &options.files, file);
    return options;
}

static Trial try_value(const Search *search, int64_t value) {
    CompileOptions options = options_with(search, value);
    Compilation trial = {0};
    compilation_begin(&trial, &options);
    Trial result = {.holds =
                        compilation_read_source(&trial, search->c->path, search->c->source->name) &&
                        check_all(&trial, search->options)};
    if (result.holds) {
        result.parameters = trial.count.trainable + trial.count.frozen;
        result.macs = trial.count.macs;
    } else {
        diag_sort(&trial.diagnostics);
        const char *message = diag_first(&trial.diagnostics)->message;
        result.message = arena_copy_text(&search->c->arena, message, strlen(message));
    }
    compilation_end(&trial);
    return result;
}

/* ---- the search ----------------------------------------------------------------------------- */

/* What the file gives the constant, if that is a whole number of 1 or more; else 1. */
static int64_t first_value(const Search *search) {
    const File *file = search->c->file;
    for (size_t i = 0; i < file->items.count; i++) {
        const Item *item = &file->items.data[i];
        if (item->kind == ITEM_LET && strcmp(item->name.text, search->options->constant) == 0 &&
            item->value->kind == EXPR_INTEGER && item->value->integer >= 1)
            return item->value->integer < MOST ? item->value->integer : MOST - 1;
    }
    return 1;
}

/* The largest value below MOST that holds; 0 if there is none. */
static int64_t search_largest(const Search *search, int64_t start) {
    int64_t good = 0, bad = start;
    while (good == 0 && bad >= 1) {
        if (try_value(search, bad).holds)
            good = bad;
        else
            bad /= 2;
    }
    for (bad = 2 * good; bad < MOST && good > 0 && try_value(search, bad).holds; bad *= 2)
        good = bad;
    if (bad > MOST)
        bad = MOST;
    while (bad - good > 1) {
        int64_t middle = good + (bad - good) / 2;
        if (try_value(search, middle).holds)
            good = middle;
        else
            bad = middle;
    }
    return good;
}

/* ---- what is shown -------------------------------------------------------------------------- */

static void print_text(const Search *search, int64_t value, const Trial *found, const Trial *next,
                       StrBuf *out) {
    strbuf_format(out, "%s = %" PRId64 "\n", search->options->constant, value);
    strbuf_add(out, "  params ");
    strbuf_add_count(out, found->parameters, ',');
    strbuf_add(out, ", macs ");
    strbuf_add_count(out, found->macs, ',');
    strbuf_format(out, "\n%s = %" PRId64 " does not hold\n  %s\n", search->options->constant,
                  value + 1, next->message);
}

static void print_json(const Search *search, int64_t value, const Trial *found, const Trial *next,
                       StrBuf *out) {
    json_t *object = json_object();
    json_object_set_new(object, "constant", json_text(search->options->constant));
    json_object_set_new(object, "value", json_whole_number(value));
    json_object_set_new(object, "parameters", json_whole_number(found->parameters));
    json_object_set_new(object, "macs", json_whole_number(found->macs));
    json_object_set_new(object, "next", json_text(next->message));
    json_print(object, JSON_INDENT(2), out);
    strbuf_add_char(out, '\n');
}

bool solve(Compilation *c, const Options *options) {
    Search search = {c, options};
    if (!compilation_parse(c))
        return false;
    int64_t value = search_largest(&search, first_value(&search));
    if (value == 0) { /* the messages for the smallest value say why */
        CompileOptions smallest = options_with(&search, 1);
        c->options = &smallest;
        bool fine = check_all(c, options);
        c->options = &options->compile;
        return fine;
    }
    if (value == MOST - 1) {
        diag_report(&c->diagnostics, DIAG_E0501, SPAN_NONE,
                    "nothing limits `%s`: %" PRId64 " still holds", options->constant, value);
        return false;
    }
    Trial found = try_value(&search, value), next = try_value(&search, value + 1);
    StrBuf text = {0};
    (options->format == FORMAT_JSON ? print_json : print_text)(&search, value, &found, &next,
                                                               &text);
    bool done = outputs_write_text(c, options, &text);
    strbuf_free(&text);
    return done;
}
