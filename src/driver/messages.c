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
    while (diag_code_is_error(diagnostics->list.data[first]->code) != is_error)
        first++;
    strbuf_format(text, "\nfor more about %s: netc explain %s\n",
                  is_error ? "an error" : "a warning",
                  diag_code_name(diagnostics->list.data[first]->code));
}

void messages_show(Compilation *c) {
    const Diagnostics *diagnostics = &c->diagnostics;
    StrBuf text = {0};
    diag_sort(&c->diagnostics);
    switch (c->options->messages) {
    case MESSAGES_TEXT:
        diag_render_text(diagnostics, (size_t)c->options->error_limit, wants_colour(c->options),
                         &text);
        add_explain(diagnostics, &text);
        break;
    case MESSAGES_SHORT: diagnostics_short(diagnostics, &text); break;
    case MESSAGES_JSON: diagnostics_json(diagnostics, &text); break;
    case MESSAGES_GITHUB: diagnostics_github(diagnostics, &text); break;
    }
    fputs(strbuf_text(&text), stderr);
    strbuf_free(&text);
}
