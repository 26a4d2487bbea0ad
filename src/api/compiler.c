/* The handle of options and files in memory; and what every call of the library runs in. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "api/network.h"

const char *netc_version(void) {
    return NETC_VERSION;
}

bool api_guard(void (*work)(void *context), void *context, Failure *failure) {
    locale_t plain = newlocale(LC_ALL_MASK, "C", NULL);
    if (!plain) {
        *failure = (Failure){FAILURE_MEMORY, "out of memory"};
        return false;
    }
    locale_t before = uselocale(plain);
    bool done = failure_catch(work, context, failure);
    uselocale(before);
    freelocale(plain);
    return done;
}

netc_compiler *netc_compiler_new(void) {
    netc_compiler *compiler = calloc(1, sizeof *compiler);
    if (!compiler)
        return NULL;
    compiler->options.compile = COMPILE_OPTIONS_DEFAULT;
    compiler->message = "";
    return compiler;
}

void netc_compiler_free(netc_compiler *compiler) {
    if (!compiler)
        return;
    arena_free(&compiler->arena);
    free(compiler);
}

/* ---- options -------------------------------------------------------------------------------- */

typedef struct Setting {
    netc_compiler *compiler;
    const char *option;
    const char *value;
} Setting;

static void set(void *context) {
    Setting *setting = context;
    netc_compiler *compiler = setting->compiler;
    const char *value = setting->value;
    if (value)
        value = arena_copy_text(&compiler->arena, value, strlen(value));
    const char *wrong = options_set(&compiler->arena, &compiler->options, setting->option, value);
    compiler->message = wrong ? wrong : "";
}

netc_result netc_set(netc_compiler *compiler, const char *option, const char *value) {
    Setting setting = {compiler, option, value};
    Failure failure;
    if (!api_guard(set, &setting, &failure)) {
        compiler->message = "out of memory";
        return NETC_NO_MEMORY;
    }
    return compiler->message[0] ? NETC_MISUSE : NETC_DONE;
}

const char *netc_set_message(const netc_compiler *compiler) {
    return compiler->message;
}

/* ---- files ---------------------------------------------------------------------------------- */

typedef struct Addition {
    netc_compiler *compiler;
    MemoryFile file;
} Addition;

static void add_file(void *context) {
    Addition *addition = context;
    netc_compiler *compiler = addition->compiler;
    MemoryFile file = addition->file;
    MemoryFileList *files = &compiler->options.compile.files;
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->data[i].name, file.name) == 0) {
            files->data[i].bytes = file.bytes;
            files->data[i].size = file.size;
            return;
        }
    file.name = arena_copy_text(&compiler->arena, file.name, strlen(file.name));
    VEC_PUSH(&compiler->arena, files, file);
}

netc_result netc_add_file(netc_compiler *compiler, const char *name, const void *bytes,
                          size_t size) {
    Addition addition = {compiler, {name, size > 0 ? bytes : "", size}};
    Failure failure;
    return api_guard(add_file, &addition, &failure) ? NETC_DONE : NETC_NO_MEMORY;
}

void netc_read_files(netc_compiler *compiler, int allowed) {
    compiler->options.compile.only_memory = !allowed;
}
