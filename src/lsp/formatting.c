/* The canonical layout of a whole document. */
#include <string.h>

#include "lsp/server.h"
#include "syntax/format.h"
#include "syntax/parse.h"

json_t *serve_formatting(Server *server, const json_t *params, Refusal *refusal) {
    Document *document;
    const Analysis *analysis = request_document(server, params, &document, refusal);
    if (!analysis)
        return NULL;
    const Source *source = analysis->compilation.source;
    Arena arena = {0};
    Intern intern = {.arena = &arena};
    Diagnostics diagnostics = {.arena = &arena, .sources = &analysis->compilation.sources};
    parse_file(&arena, &intern, &diagnostics, source);
    json_t *edits = NULL;
    if (diag_has_errors(&diagnostics)) {
        refuse(refusal, REFUSED_REQUEST_FAILED, "the document has mistakes in its syntax");
    } else {
        StrBuf text = {0};
        format_source(&arena, &intern, &diagnostics, source, &text);
        edits = json_array();
        Span whole = {source->base, source->base + source->length};
        if (strcmp(strbuf_text(&text), source->text) != 0)
            json_array_append_new(edits, edit_json(server, analysis, whole, strbuf_text(&text)));
        strbuf_free(&text);
    }
    arena_free(&arena);
    return edits;
}
