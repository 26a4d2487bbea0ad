/* How the diagnostics of a compilation are shown. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "driver/compilation.h"
#include "output/diagnostics.h"

static bool wants_colour(const Options *options) {
    return options->colour == COLOUR_ALWAYS ||
           (options->colour == COLOUR_AUTO && isatty(STDERR_FILENO) && !getenv("NO_COLOR"));
}

/* "for more about an error: netc explain E0211", of the first that is shown. */
static void add_explain(const Diagnostics *diagnostics, StrBuf *text) {
    if (diagnostics->list.count == 0)
        return;
    bool is_error = diag_has_errors(diagnostics);
    size_t first = 0;
    while (diagnostics->list.data[first]->is_error != is_error)
        first++;
    strbuf_format(text, "\nfor more about %s: netc explain %s\n",
                  is_error ? "an error" : "a warning",
                  diag_code_name(diagnostics->list.data[first]->code));
}

static void write_sarif_file(Compilation *c) {
    FileSet set = {.arena = &c->arena, .diagnostics = &c->diagnostics};
    set.keep_unchanged = c->options->write_if_changed;
    file_set_guard_files(&set, &c->files);
    StrBuf text = {0};
    diagnostics_sarif(&c->diagnostics, c->path, &text);
    int index = file_set_open(&set, c->options->sarif);
    if (index >= 0 && file_set_write(&set, index, text.data, text.length))
        file_set_commit(&set);
    else
        file_set_abandon(&set);
    strbuf_free(&text);
}

void messages_show(Compilation *c) {
    const Diagnostics *diagnostics = &c->diagnostics;
    diag_sort(&c->diagnostics);
    if (c->options->sarif) {
        write_sarif_file(c);
        diag_sort(&c->diagnostics);
    }
    StrBuf text = {0};
    switch (c->options->messages) {
    case MESSAGES_TEXT:
        diag_render_text(diagnostics, (size_t)c->options->error_limit, wants_colour(c->options),
                         &text);
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
