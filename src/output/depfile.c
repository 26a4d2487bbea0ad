#include "output/depfile.h"

#include <string.h>

/* A name as GCC writes it: make reads `$` as `$$`, and ` ` and `#` behind a backslash, where it
 * also halves the backslashes before. */
static void add_name(const char *name, StrBuf *out) {
    size_t backslashes = 0;
    for (const char *at = name; *at; at++) {
        if (*at == ' ' || *at == '#')
            strbuf_fill(out, '\\', backslashes + 1);
        else if (*at == '$')
            strbuf_add_char(out, '$');
        backslashes = *at == '\\' ? backslashes + 1 : 0;
        strbuf_add_char(out, *at);
    }
}

static bool is_file(const FileSet *set, size_t output, int depfile) {
    return (int)output != depfile && strcmp(set->outputs.data[output].identity.path, "-") != 0;
}

static bool has_line_end(const FileSet *set, const char *name) {
    if (!strpbrk(name, "\r\n"))
        return false;
    diag_report(set->diagnostics, DIAG_E0702, SPAN_NONE,
                "`%s` has a line end in its name, which a depfile cannot say", name);
    return true;
}

static bool can_be_said(const FileSet *set) {
    for (size_t i = 0; i < set->outputs.count; i++)
        if (has_line_end(set, set->outputs.data[i].identity.path))
            return false;
    for (size_t i = 0; i < set->inputs.count; i++)
        if (has_line_end(set, set->inputs.data[i].path))
            return false;
    return true;
}

bool depfile_write(FileSet *set, int index) {
    if (!can_be_said(set))
        return false;
    StrBuf text = {0};
    /* The main output is opened last. Ninja wants it first, as in its rule. */
    for (size_t i = set->outputs.count; i-- > 0;) {
        if (!is_file(set, i, index))
            continue;
        strbuf_add(&text, text.length > 0 ? " " : "");
        add_name(set->outputs.data[i].identity.path, &text);
    }
    strbuf_add(&text, ":");
    for (size_t i = 0; i < set->inputs.count; i++) {
        strbuf_add(&text, " \\\n  ");
        add_name(set->inputs.data[i].path, &text);
    }
    strbuf_add(&text, "\n");
    for (size_t i = 0; i < set->inputs.count; i++) {
        add_name(set->inputs.data[i].path, &text);
        strbuf_add(&text, ":\n");
    }
    bool done = file_set_write(set, index, text.data, text.length);
    strbuf_free(&text);
    return done;
}
