/* How the diagnostics of a compilation are shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver/verbs.h"
#include "output/diagnostics.h"

static bool is_set(const char *variable) {
    const char *value = getenv(variable);
    return value && value[0];
}

/* https://no-color.org, and CLICOLOR_FORCE of BSD for colour where there is no terminal. */
static bool wants_colour(const Options *options) {
    if (options->colour != COLOUR_AUTO)
        return options->colour == COLOUR_ALWAYS;
    if (is_set("NO_COLOR"))
        return false;
    const char *terminal = getenv("TERM");
    return is_set("CLICOLOR_FORCE")
               ? strcmp(getenv("CLICOLOR_FORCE"), "0") != 0
               : isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

/* "for more about an error: netc explain E0211", of the first that is shown. */
static void add_explain(const Diagnostics *diagnostics, StrBuf *text) {
    const Diagnostic *first = diag_first(diagnostics);
    if (first)
        strbuf_format(text, "\nfor more about %s: netc explain %s\n",
                      first->is_error ? "an error" : "a warning", diag_code_name(first->code));
}

static void write_sarif_file(Compilation *c, const Options *options) {
    FileSet set = {.arena = &c->arena, .diagnostics = &c->diagnostics};
    set.keep_unchanged = options->write_if_changed;
    file_set_guard_files(&set, &c->files);
    StrBuf text = {0};
    diagnostics_sarif(&c->diagnostics, c->path, &text);
    int index = file_set_open(&set, options->sarif);
    if (index >= 0 && file_set_write(&set, index, text.data, text.length))
        file_set_commit(&set);
    else
        file_set_abandon(&set);
    strbuf_free(&text);
}

void messages_show(Compilation *c, const Options *options) {
    const Diagnostics *diagnostics = &c->diagnostics;
    diag_sort(&c->diagnostics);
    if (options->sarif) {
        write_sarif_file(c, options);
        diag_sort(&c->diagnostics);
    }
    StrBuf text = {0};
    switch (options->messages) {
    case MESSAGES_TEXT:
        diag_render_text(diagnostics, (size_t)options->error_limit, wants_colour(options), &text);
        add_explain(diagnostics, &text);
        break;
    case MESSAGES_SHORT: diagnostics_short(diagnostics, &text); break;
    case MESSAGES_JSON: diagnostics_json(diagnostics, &text); break;
    case MESSAGES_GITHUB: diagnostics_github(diagnostics, &text); break;
    case MESSAGES_SARIF: diagnostics_sarif(diagnostics, c->path, &text); break;
    }
    fputs(strbuf_text(&text), stderr);
    strbuf_free(&text);
}
