/* What is wrong with a document, and the quick fixes for it. */
#include <string.h>

#include "lsp/server.h"
#include "output/json_value.h"

#define SEVERITY_ERROR   1
#define SEVERITY_WARNING 2

/* ---- a diagnostic --------------------------------------------------------------------------- */

/* Where it is shown in the document. A mistake in a file that it uses is shown where that is used:
 * at the first label that is in the document, at the `use`, or at its start. */
static Span place_of(const Analysis *analysis, const Diagnostic *diagnostic) {
    const Compilation *c = &analysis->compilation;
    const Source *source = source_of(&c->sources, diagnostic->span);
    if (!source || source == c->source)
        return diagnostic->span;
    for (size_t i = 0; i < diagnostic->labels.count; i++)
        if (source_of(&c->sources, diagnostic->labels.data[i].span) == c->source)
            return diagnostic->labels.data[i].span;
    for (size_t i = 0; c->file && i < c->file->items.count; i++) {
        const Item *item = &c->file->items.data[i];
        if (item->kind == ITEM_USE && item->used && item->used->source == source)
            return item->name.span;
    }
    return SPAN_NONE;
}

/* The message, and what has no place of its own in the protocol. */
static json_t *message_json(const Diagnostic *diagnostic) {
    StrBuf text = {0};
    strbuf_add(&text, diagnostic->message);
    if (diagnostic->label)
        strbuf_format(&text, "\n%s", diagnostic->label);
    for (size_t i = 0; i < diagnostic->notes.count; i++)
        strbuf_format(&text, "\nnote: %s", diagnostic->notes.data[i]);
    for (size_t i = 0; i < diagnostic->fixes.count; i++)
        strbuf_format(&text, "\nhelp: %s", diagnostic->fixes.data[i].message);
    json_t *json = json_text(strbuf_text(&text));
    strbuf_free(&text);
    return json;
}

static json_t *related_json(const Server *server, const Analysis *analysis, Span span,
                            const char *text) {
    return json_pack("{s:o, s:o}", "location", location_json(server, analysis, span), "message",
                     json_text(text));
}

static json_t *diagnostic_json(const Server *server, const Analysis *analysis,
                               const Diagnostic *diagnostic) {
    const SourceMap *sources = &analysis->compilation.sources;
    Span place = place_of(analysis, diagnostic);
    json_t *related = json_array();
    if (diagnostic->span.begin != place.begin)
        json_array_append_new(
            related, related_json(server, analysis, diagnostic->span, "the mistake is here"));
    for (size_t i = 0; i < diagnostic->labels.count; i++)
        json_array_append_new(related,
                              related_json(server, analysis, diagnostic->labels.data[i].span,
                                           diagnostic->labels.data[i].text));
    return json_pack("{s:o, s:i, s:s, s:s, s:o, s:o}", "range",
                     position_range(server->encoding, sources, place), "severity",
                     diagnostic->is_error ? SEVERITY_ERROR : SEVERITY_WARNING, "code",
                     diag_code_name(diagnostic->code), "source", "netc", "message",
                     message_json(diagnostic), "relatedInformation", related);
}

/* ---- publishing ----------------------------------------------------------------------------- */

static bool send_diagnostics(Server *server, const Document *document, json_t *list) {
    json_t *params = json_pack("{s:s, s:I, s:o}", "uri", document->uri, "version",
                               document->version, "diagnostics", list);
    return transport_send(&server->transport,
                          json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method",
                                    "textDocument/publishDiagnostics", "params", params));
}

/* A file of blocks for others has no network, and one that is being begun has none yet. */
static bool is_of_no_network(const Diagnostic *diagnostic) {
    return diagnostic->code == DIAG_E0308 && diagnostic->span.begin == 0;
}

bool publish_diagnostics(Server *server, Document *document) {
    const Analysis *analysis = document_analysis(&server->documents, document);
    const Diagnostics *diagnostics = &analysis->compilation.diagnostics;
    json_t *list = json_array();
    for (size_t i = 0; i < diagnostics->list.count; i++)
        if (!is_of_no_network(diagnostics->list.data[i]))
            json_array_append_new(list,
                                  diagnostic_json(server, analysis, diagnostics->list.data[i]));
    document->unpublished = false;
    return send_diagnostics(server, document, list);
}

bool withdraw_diagnostics(Server *server, const Document *document) {
    return send_diagnostics(server, document, json_array());
}

/* ---- quick fixes ---------------------------------------------------------------------------- */

/* Whether the client asks for a kind that quick fixes are; without `only` it asks for all. */
static bool wants_quick_fixes(const json_t *params) {
    const json_t *only = json_object_get(json_object_get(params, "context"), "only");
    bool wanted = !json_is_array(only);
    size_t index;
    json_t *kind;
    json_array_foreach(only, index, kind) {
        const char *name = json_string_value(kind);
        wanted = wanted || (name && (name[0] == '\0' || strcmp(name, "quickfix") == 0));
    }
    return wanted;
}

static bool touches(Span a, Span b) {
    return a.begin <= b.end && b.begin <= a.end;
}

static json_t *fix_json(const Server *server, const Analysis *analysis,
                        const Diagnostic *diagnostic, const DiagFix *fix, bool preferred) {
    const SourceMap *sources = &analysis->compilation.sources;
    json_t *changes = json_object();
    json_t *uri = document_uri(&server->documents, source_of(sources, fix->span)->name);
    json_object_set_new(changes, json_string_value(uri),
                        json_pack("[o]", edit_json(server, analysis, fix->span, fix->replacement)));
    json_decref(uri);
    return json_pack("{s:o, s:s, s:[o], s:b, s:{s:o}}", "title", json_text(fix->message), "kind",
                     "quickfix", "diagnostics", diagnostic_json(server, analysis, diagnostic),
                     "isPreferred", preferred, "edit", "changes", changes);
}

json_t *serve_code_actions(Server *server, const json_t *params, Refusal *refusal) {
    Document *document;
    Span range;
    const Analysis *analysis = request_document(server, params, &document, refusal);
    if (!analysis || !request_range(server, analysis, params, &range, refusal))
        return NULL;
    const Diagnostics *diagnostics = &analysis->compilation.diagnostics;
    json_t *list = json_array();
    for (size_t i = 0; wants_quick_fixes(params) && i < diagnostics->list.count; i++) {
        const Diagnostic *diagnostic = diagnostics->list.data[i];
        if (!touches(place_of(analysis, diagnostic), range))
            continue;
        bool preferred = true; /* the first that is applicable */
        for (size_t k = 0; k < diagnostic->fixes.count; k++) {
            const DiagFix *fix = &diagnostic->fixes.data[k];
            if (!fix->replacement || fix->span.begin == 0)
                continue; /* advice */
            json_array_append_new(
                list, fix_json(server, analysis, diagnostic, fix, preferred && fix->applicable));
            preferred = preferred && !fix->applicable;
        }
    }
    return list;
}
