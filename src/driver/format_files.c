/* `netc format`: shows a file in the canonical layout, checks files for it, or rewrites them. */
#include <string.h>

#include "driver/verbs.h"
#include "syntax/format.h"
#include "syntax/parse.h"

/* The first byte in which a text and a file differ, or the end of the shorter one. */
static uint32_t first_difference(const Source *source, const StrBuf *text) {
    uint32_t at = 0;
    while (at < source->length && at < text->length && source->text[at] == text->data[at])
        at++;
    return at;
}

static bool is_same(const Source *source, const StrBuf *text) {
    return !source->has_mark && source->length == text->length &&
           first_difference(source, text) == source->length;
}

static void report_difference(Compilation *c, const Source *source, const StrBuf *text) {
    uint32_t at = source->base + first_difference(source, text);
    Diagnostic *diagnostic = diag_report(&c->diagnostics, DIAG_E0109, (Span){at, at},
                                         "`%s` is not in the canonical layout", source->name);
    diag_here(&c->diagnostics, diagnostic, "it differs from here on");
    diag_help(&c->diagnostics, diagnostic, "`netc format --in-place` rewrites it");
}

static bool rewrite(Compilation *c, const char *path, const StrBuf *text) {
    int index = file_set_open(&c->files, path);
    return index >= 0 && file_set_write(&c->files, index, text->data, text->length);
}

/* Does what was asked for with the text of one file. */
static bool deliver(Compilation *c, const Options *options, const char *path, const Source *source,
                    const StrBuf *text) {
    if (!options->check && !options->in_place)
        return outputs_write_text(c, options, text);
    if (is_same(source, text))
        return true;
    if (options->in_place)
        return rewrite(c, path, text);
    report_difference(c, source, text);
    return true;
}

static bool format_file(Compilation *c, const Options *options, const char *path) {
    const char *name = c->path = path;
    if (strcmp(path, "-") == 0)
        name = options->stdin_name ? options->stdin_name : "<stdin>";
    const Source *source = options->in_place ? compilation_read_unguarded(c, path, name, SPAN_NONE)
                                             : compilation_read(c, path, name, SPAN_NONE);
    if (!source)
        return false;
    size_t mistakes = c->diagnostics.error_count;
    parse_file(&c->arena, &c->intern, &c->diagnostics, source);
    if (c->diagnostics.error_count > mistakes)
        return false;
    StrBuf text = {0};
    format_source(&c->arena, &c->intern, &c->diagnostics, source, &text);
    bool done = deliver(c, options, path, source, &text);
    strbuf_free(&text);
    return done;
}

bool format_files(Compilation *c, const Options *options) {
    bool done = true;
    for (size_t i = 0; i < options->sources.count; i++)
        done = format_file(c, options, options->sources.data[i]) && done;
    return done;
}
