/* What is said of a mistake of netc's own, and with --crash-dir what it takes to see it again, in a
 * new folder:
 *   report.txt   what happened, and how to see it again
 *   arguments    those of netc, for `netc @arguments` in the folder
 *   source/...   the sources as they were read, each where it stood as seen from the others */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver/verbs.h"

#define NEW_WEIGHTS "weights.safetensors"

/* A source that is copied. */
typedef struct Copy {
    const Source *source;
    const char *path; /* absolute */
    const char *name; /* in the folder */
} Copy;

typedef struct Crash {
    Arena arena; /* that of the compilation stays as it was left */
    const Compilation *c;
    const Options *options;
    const char *folder;
    VEC(Copy) copies;
    VEC(const char *) arguments;
} Crash;

/* ---- sources -------------------------------------------------------------------------------- */

/* From the root, without `.` and `..`. */
static const char *absolute_path(Arena *arena, const char *path) {
    char *current = path[0] == '/' ? NULL : get_current_dir_name();
    const char *at = arena_format(arena, "%s/%s", current ? current : "", path);
    free(current);
    char *result = arena_alloc(arena, strlen(at) + 1);
    size_t length = 0;
    while (*at) {
        at += strspn(at, "/");
        size_t part = strcspn(at, "/");
        if (part == 2 && strncmp(at, "..", part) == 0) {
            while (length > 0 && result[length - 1] != '/')
                length--;
            length -= length > 0; /* its slash */
        } else if (part > 0 && !(part == 1 && at[0] == '.')) {
            result[length++] = '/';
            memcpy(result + length, at, part);
            length += part;
        }
        at += part;
    }
    result[length] = '\0';
    return result;
}

/* How much of all paths is one folder, its slash included. */
static size_t common_folder(const Crash *crash) {
    const char *first = crash->copies.data[0].path;
    size_t length = (size_t)(strrchr(first, '/') + 1 - first);
    for (size_t i = 1; i < crash->copies.count; i++)
        while (strncmp(first, crash->copies.data[i].path, length) != 0)
            do
                length--;
            while (first[length - 1] != '/');
    return length;
}

static bool is_standard_input(const Crash *crash, const Source *source) {
    return source == crash->c->source && strcmp(crash->c->path, "-") == 0;
}

static void list_sources(Crash *crash) {
    const SourceMap *sources = &crash->c->sources;
    for (size_t i = 0; i < sources->sources.count; i++) {
        const Source *source = sources->sources.data[i];
        bool unnamed = is_standard_input(crash, source) && !crash->options->stdin_name;
        const char *path = absolute_path(&crash->arena, unnamed ? "stdin.net" : source->name);
        VEC_PUSH(&crash->arena, &crash->copies, ((Copy){source, path, NULL}));
    }
    size_t folder = crash->copies.count > 0 ? common_folder(crash) : 0;
    for (size_t i = 0; i < crash->copies.count; i++) {
        Copy *copy = &crash->copies.data[i];
        copy->name = arena_format(&crash->arena, "source/%s", copy->path + folder);
    }
}

/* The copy of a file that the command line names; NULL: none. */
static const char *copy_of(const Crash *crash, const char *path) {
    for (size_t i = 0; i < crash->copies.count; i++) {
        const Copy *copy = &crash->copies.data[i];
        if (strcmp(path, "-") == 0 ? is_standard_input(crash, copy->source)
                                   : strcmp(path, copy->source->name) == 0)
            return copy->name;
    }
    return NULL;
}

/* ---- arguments ------------------------------------------------------------------------------ */

/* Whether `value` is the argument or the end of it: options are parts of the arguments. */
static bool holds(const char *argument, const char *value) {
    return value && value >= argument && value <= argument + strlen(argument);
}

/* A file that is read, as it is called in the folder; NULL: there is none in the argument. */
static const char *input_in(const Crash *crash, const char *argument, const char **value) {
    const Options *options = crash->options;
    const char *inputs[] = {options->source, options->other, options->compile.budgets};
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++)
        if (holds(argument, inputs[i])) {
            *value = inputs[i];
            return copy_of(crash, inputs[i]);
        }
    return NULL;
}

/* The same of one that is written: into the folder itself. */
static const char *output_in(const Crash *crash, const char *argument, const char **value) {
    const Options *options = crash->options;
    const char *outputs[] = {options->header, options->depfile, options->packed, options->sarif,
                             options->outputs.count > 0 ? options->outputs.data[0] : NULL};
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++)
        if (holds(argument, outputs[i])) {
            const char *slash = strrchr(outputs[i], '/');
            *value = outputs[i];
            return slash ? slash + 1 : outputs[i];
        }
    return NULL;
}

/* Of several files that are checked, one that was not being checked. */
static bool is_other_file(const Options *options, const char *argument) {
    for (size_t i = 0; i < options->sources.count; i++)
        if (argument == options->sources.data[i])
            return argument != options->source;
    return false;
}

static void take_argument(Crash *crash, const char *argument) {
    const Options *options = crash->options;
    const char *const left[] = {options->crash_dir,
                                crash->c->weights_file ? options->compile.weights : NULL};
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
        if (holds(argument, left[i])) {
            crash->arguments.count -= argument == left[i]; /* the option before its value */
            return;
        }
    if (is_other_file(options, argument))
        return;
    const char *value;
    const char *name = input_in(crash, argument, &value);
    if (!name)
        name = output_in(crash, argument, &value);
    if (name)
        argument = arena_format(&crash->arena, "%.*s%s", (int)(value - argument), argument, name);
    VEC_PUSH(&crash->arena, &crash->arguments, argument);
}

static void list_arguments(Crash *crash) {
    if (crash->c->weights_file) /* first: options end at `--` */
        VEC_PUSH(&crash->arena, &crash->arguments, "--weights=" NEW_WEIGHTS);
    for (int i = 1; i < crash->options->argument_count; i++)
        take_argument(crash, crash->options->arguments[i]);
}

/* As response files have it. */
static void add_argument(const char *argument, StrBuf *out) {
    if (!*argument)
        strbuf_add(out, "''");
    for (; *argument; argument++) {
        if (isspace((unsigned char)*argument) || strchr("'\"\\", *argument))
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, *argument);
    }
    strbuf_add_char(out, '\n');
}

/* ---- files ---------------------------------------------------------------------------------- */

static bool tell_unwritten(const char *path) {
    fprintf(stderr, "netc: cannot write `%s`: %s\n", path, strerror(errno));
    return false;
}

static bool write_file(Crash *crash, const char *name, const char *mark, const char *bytes,
                       size_t size) {
    const char *path = arena_format(&crash->arena, "%s/%s", crash->folder, name);
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *folder =
            arena_format(&crash->arena, "%s/%.*s", crash->folder, (int)(slash - name), name);
        if (mkdir(folder, 0777) != 0 && errno != EEXIST)
            return tell_unwritten(folder);
    }
    FILE *file = fopen(path, "wb");
    if (!file)
        return tell_unwritten(path);
    bool done = fputs(mark, file) >= 0 && fwrite(bytes, 1, size, file) == size;
    return fclose(file) == 0 && done ? true : tell_unwritten(path);
}

static bool write_sources(Crash *crash) {
    for (size_t i = 0; i < crash->copies.count; i++) {
        const Source *source = crash->copies.data[i].source;
        if (!write_file(crash, crash->copies.data[i].name, source->has_mark ? "\xef\xbb\xbf" : "",
                        source->text, source->length))
            return false;
    }
    return true;
}

static bool write_arguments(Crash *crash) {
    StrBuf text = {0};
    for (size_t i = 0; i < crash->arguments.count; i++)
        add_argument(crash->arguments.data[i], &text);
    bool done = write_file(crash, "arguments", "", text.data, text.length);
    strbuf_free(&text);
    return done;
}

static bool write_report(Crash *crash, const Failure *failure) {
    const Compilation *c = crash->c;
    StrBuf text = {0};
    strbuf_format(&text, "%s\n\n", failure->message);
    Options verbose = *crash->options;
    verbose.verbose = true;
    version_text(&crash->arena, &verbose, &text);
    for (size_t i = 0; i < c->targets.count; i++)
        strbuf_format(&text, "compiled for %s, %s\n", c->targets.data[i]->triple,
                      c->targets.data[i]->cpu);
    strbuf_add(&text, "\nIn this folder `netc @arguments` shows it again.\n");
    if (c->weights_file)
        strbuf_format(&text,
                      "The weights are not here. `netc init --network=%s %s -o " NEW_WEIGHTS
                      "`,\nwith the -D that `arguments` has, makes random ones.\n",
                      c->graph->name, copy_of(crash, c->path));
    bool done = write_file(crash, "report.txt", "", text.data, text.length);
    strbuf_free(&text);
    return done;
}

/* The new folder; NULL after saying why there is none. */
static const char *make_folder(Crash *crash) {
    const char *parent = crash->options->crash_dir;
    char *folder = arena_format(&crash->arena, "%s/netc-XXXXXX", parent);
    if ((mkdir(parent, 0777) == 0 || errno == EEXIST) && mkdtemp(folder))
        return folder;
    tell_unwritten(parent);
    return NULL;
}

int crash_report(const Compilation *c, const Options *options, const Failure *failure) {
    fprintf(stderr, "netc: %s\n", failure->message);
    if (failure->kind == FAILURE_MEMORY)
        return 3;
    Crash crash = {.c = c, .options = options};
    if (!options->crash_dir) {
        fputs("netc: this is a mistake of netc's own, please report it; --crash-dir=FOLDER writes "
              "what that takes\n",
              stderr);
        return 70;
    }
    crash.folder = make_folder(&crash);
    if (crash.folder) {
        list_sources(&crash);
        list_arguments(&crash);
        if (write_sources(&crash) && write_arguments(&crash) && write_report(&crash, failure))
            fprintf(stderr,
                    "netc: this is a mistake of netc's own, please report it with what is in "
                    "`%s`\n",
                    crash.folder);
    }
    arena_free(&crash.arena);
    return 70;
}
