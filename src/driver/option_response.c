/* Response files: an argument `@FILE` stands for the arguments in the file, which GNU tools quote
 * so: blanks separate, `'` and `"` keep blanks together, `\` takes the next character as it is. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "driver/option_table.h"
#include "support/file.h"

#define MAX_DEPTH 16                 /* most files that name one another in a row */
#define MAX_BYTES ((size_t)16 << 20) /* of all files */

typedef struct Expansion {
    Arena *arena;
    VEC(char *) arguments;
    size_t bytes; /* read so far */
} Expansion;

static int expand(Expansion *expansion, char *argument, int depth);

/* Takes the next argument off *text; NULL if its quote is not closed. */
static char *next_argument(Arena *arena, const char **text) {
    StrBuf argument = {0};
    char quote = '\0';
    const char *at = *text;
    for (; *at && (quote || !isspace((unsigned char)*at)); at++) {
        if (*at == '\\' && at[1])
            strbuf_add_char(&argument, *++at);
        else if (quote ? *at == quote : *at == '\'' || *at == '"')
            quote = quote ? '\0' : *at;
        else
            strbuf_add_char(&argument, *at);
    }
    *text = at;
    char *copy = quote ? NULL : arena_copy_text(arena, strbuf_text(&argument), argument.length);
    strbuf_free(&argument);
    return copy;
}

static int expand_text(Expansion *expansion, const char *path, const char *text, int depth) {
    int status = 0;
    while (status == 0) {
        while (isspace((unsigned char)*text))
            text++;
        if (!*text)
            break;
        char *argument = next_argument(expansion->arena, &text);
        if (!argument)
            return usage_error("a quote in `%s` is not closed", path);
        status = expand(expansion, argument, depth + 1);
    }
    return status;
}

/* Sets *text to a copy of the file. */
static int read_text(Expansion *expansion, const char *path, const char **text) {
    SourceMap sources = {.arena = expansion->arena};
    Diagnostics diagnostics = {.arena = expansion->arena, .sources = &sources};
    FileBytes bytes;
    if (!file_read(&diagnostics, SPAN_NONE, path, MAX_BYTES - expansion->bytes, &bytes)) {
        fprintf(stderr, "netc: %s\n", diagnostics.list.data[0]->message);
        return diag_exit_status(&diagnostics);
    }
    *text = arena_copy_text(expansion->arena, (const char *)bytes.data, bytes.size);
    expansion->bytes += bytes.size;
    bool is_text = strlen(*text) == bytes.size;
    file_release(&bytes);
    return is_text ? 0 : usage_error("`%s` has a NUL in it", path);
}

static int expand(Expansion *expansion, char *argument, int depth) {
    const char *path = argument + 1, *text = "";
    if (argument[0] != '@' || access(path, F_OK) != 0) {
        VEC_PUSH(expansion->arena, &expansion->arguments, argument);
        return 0;
    }
    if (depth == MAX_DEPTH)
        return usage_error("more than %d files name one another by `%s`", MAX_DEPTH, argument);
    int status = read_text(expansion, path, &text);
    return status == 0 ? expand_text(expansion, path, text, depth) : status;
}

int response_files_expand(Arena *arena, int *argc, char ***argv) {
    Expansion expansion = {.arena = arena};
    VEC_PUSH(arena, &expansion.arguments, (*argv)[0]);
    for (int i = 1; i < *argc; i++) {
        int status = expand(&expansion, (*argv)[i], 0);
        if (status != 0)
            return status;
    }
    *argc = (int)expansion.arguments.count;
    VEC_PUSH(arena, &expansion.arguments, NULL);
    *argv = expansion.arguments.data;
    return 0;
}
