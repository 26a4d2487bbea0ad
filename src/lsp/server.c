/* Messages to requests and notifications, and the life of the server. */
#include "lsp/server.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/lsp.h"
#include "output/json_value.h"

json_t *refuse(Refusal *refusal, RefusalCode code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    refusal->code = code;
    vsnprintf(refusal->message, sizeof refusal->message, format, arguments);
    va_end(arguments);
    return NULL;
}

/* ---- what a request is about ---------------------------------------------------------------- */

static const char *uri_of(const json_t *params) {
    return json_string_value(json_object_get(json_object_get(params, "textDocument"), "uri"));
}

const Analysis *request_document(Server *server, const json_t *params, Document **document,
                                 Refusal *refusal) {
    const char *uri = uri_of(params);
    *document = uri ? document_find(&server->documents, uri) : NULL;
    const Analysis *analysis = NULL;
    if (*document)
        analysis = document_analysis(&server->documents, *document);
    else
        refuse(refusal, REFUSED_INVALID_PARAMS, "no such document is open");
    if (analysis && !analysis->compilation.source) {
        refuse(refusal, REFUSED_REQUEST_FAILED, "the document is too long");
        analysis = NULL;
    }
    return analysis;
}

bool request_place(Server *server, const json_t *params, RequestPlace *place, Refusal *refusal) {
    place->analysis = request_document(server, params, &place->document, refusal);
    if (!place->analysis)
        return false;
    if (position_read(server->encoding, place->analysis->compilation.source,
                      json_object_get(params, "position"), &place->offset))
        return true;
    refuse(refusal, REFUSED_INVALID_PARAMS, "`position` is none");
    return false;
}

bool request_range(const Server *server, const Analysis *analysis, const json_t *params,
                   Span *range, Refusal *refusal) {
    const Source *source = analysis->compilation.source;
    const json_t *given = json_object_get(params, "range");
    *range = (Span){source->base, source->base + source->length};
    if (!given ||
        (position_read(server->encoding, source, json_object_get(given, "start"), &range->begin) &&
         position_read(server->encoding, source, json_object_get(given, "end"), &range->end)))
        return true;
    refuse(refusal, REFUSED_INVALID_PARAMS, "`range` is none");
    return false;
}

json_t *location_json(const Server *server, const Analysis *analysis, Span span) {
    const SourceMap *sources = &analysis->compilation.sources;
    return json_pack("{s:o, s:o}", "uri",
                     document_uri(&server->documents, source_of(sources, span)->name), "range",
                     position_range(server->encoding, sources, span));
}

json_t *edit_json(const Server *server, const Analysis *analysis, Span span, const char *text) {
    return json_pack("{s:o, s:o}", "range",
                     position_range(server->encoding, &analysis->compilation.sources, span),
                     "newText", json_text(text));
}

/* ---- requests ------------------------------------------------------------------------------- */

static json_t *serve_initialize(Server *server, const json_t *params, Refusal *refusal) {
    if (server->state != SERVER_NEW)
        return refuse(refusal, REFUSED_INVALID_REQUEST, "the server is initialized already");
    const json_t *general = json_object_get(json_object_get(params, "capabilities"), "general");
    server->encoding = position_encoding_choose(json_object_get(general, "positionEncodings"));
    server->state = SERVER_READY;
    json_t *capabilities = json_pack(
        "{s:s, s:{s:b, s:i, s:b}, s:b, s:b, s:b, s:b, s:{s:[s, s, s]}, s:{s:b}, s:{s:[s]}}",
        "positionEncoding", position_encoding_name(server->encoding), "textDocumentSync",
        "openClose", 1, "change", 1, "save", 1, "hoverProvider", 1, "inlayHintProvider", 1,
        "definitionProvider", 1, "documentFormattingProvider", 1, "completionProvider",
        "triggerCharacters", ">", "(", ",", "renameProvider", "prepareProvider", 1,
        "codeActionProvider", "codeActionKinds", "quickfix");
    return json_pack("{s:o, s:{s:s, s:s}}", "capabilities", capabilities, "serverInfo", "name",
                     "netc", "version", NETC_VERSION);
}

static json_t *serve_shutdown(Server *server, const json_t *params, Refusal *refusal) {
    (void)params;
    (void)refusal;
    server->state = SERVER_SHUT_DOWN;
    return json_null();
}

typedef struct Request {
    const char *method;
    json_t *(*serve)(Server *server, const json_t *params, Refusal *refusal);
} Request;

static const Request requests[] = {
    {"initialize", serve_initialize},
    {"shutdown", serve_shutdown},
    {"textDocument/hover", serve_hover},
    {"textDocument/inlayHint", serve_inlay_hints},
    {"textDocument/completion", serve_completion},
    {"textDocument/definition", serve_definition},
    {"textDocument/prepareRename", serve_prepare_rename},
    {"textDocument/rename", serve_rename},
    {"textDocument/formatting", serve_formatting},
    {"textDocument/codeAction", serve_code_actions},
};

static json_t *serve_request(Server *server, const char *method, const json_t *params,
                             Refusal *refusal) {
    if (server->state == SERVER_SHUT_DOWN)
        return refuse(refusal, REFUSED_INVALID_REQUEST, "the server is shut down");
    if (server->state == SERVER_NEW && strcmp(method, "initialize") != 0)
        return refuse(refusal, REFUSED_NOT_INITIALIZED, "the server is not initialized");
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        if (strcmp(method, requests[i].method) == 0)
            return requests[i].serve(server, params, refusal);
    return refuse(refusal, REFUSED_METHOD_NOT_FOUND, "netc has no `%.100s`", method);
}

/* ---- notifications -------------------------------------------------------------------------- */

static void set_text(Server *server, const char *uri, const json_t *version, const json_t *text) {
    if (uri && json_is_string(text))
        document_set(&server->documents, uri, json_string_value(text), json_string_length(text),
                     json_integer_value(version));
}

static void did_open(Server *server, const json_t *params) {
    const json_t *document = json_object_get(params, "textDocument");
    set_text(server, uri_of(params), json_object_get(document, "version"),
             json_object_get(document, "text"));
}

/* Each change is the whole text: the last one counts. */
static void did_change(Server *server, const json_t *params) {
    const char *uri = uri_of(params);
    const json_t *changes = json_object_get(params, "contentChanges");
    size_t count = json_array_size(changes);
    const json_t *last = count > 0 ? json_array_get(changes, count - 1) : NULL;
    if (uri && document_find(&server->documents, uri) && !json_object_get(last, "range"))
        set_text(server, uri, json_object_get(json_object_get(params, "textDocument"), "version"),
                 json_object_get(last, "text"));
}

/* Files of weights and files that are used may have changed too. */
static void did_save(Server *server, const json_t *params) {
    (void)params;
    documents_changed(&server->documents);
}

static void did_close(Server *server, const json_t *params) {
    const char *uri = uri_of(params);
    Document *document = uri ? document_find(&server->documents, uri) : NULL;
    if (!document)
        return;
    withdraw_diagnostics(server, document);
    document_close(&server->documents, document);
    documents_changed(&server->documents);
}

typedef struct Notification {
    const char *method;
    void (*take)(Server *server, const json_t *params);
} Notification;

static const Notification notifications[] = {
    {"textDocument/didOpen", did_open},
    {"textDocument/didChange", did_change},
    {"textDocument/didSave", did_save},
    {"textDocument/didClose", did_close},
};

static void take_notification(Server *server, const char *method, const json_t *params) {
    if (strcmp(method, "exit") == 0)
        server->ended = true;
    for (size_t i = 0; i < sizeof notifications / sizeof *notifications; i++)
        if (server->state == SERVER_READY && strcmp(method, notifications[i].method) == 0)
            notifications[i].take(server, params);
}

/* ---- messages ------------------------------------------------------------------------------- */

static bool respond(Server *server, json_t *id, json_t *result, const Refusal *refusal) {
    json_t *response = json_pack("{s:s, s:O}", "jsonrpc", "2.0", "id", id);
    if (result)
        json_object_set_new(response, "result", result);
    else
        json_object_set_new(
            response, "error",
            json_pack("{s:i, s:o}", "code", refusal->code, "message", json_text(refusal->message)));
    return transport_send(&server->transport, response);
}

/* A message on its way through the server. */
typedef struct Work {
    Server *server;
    const char *method;
    const json_t *params;
    bool is_request;
    json_t *result;
    Refusal refusal;
} Work;

static void do_work(void *context) {
    Work *work = context;
    if (work->is_request)
        work->result = serve_request(work->server, work->method, work->params, &work->refusal);
    else
        take_notification(work->server, work->method, work->params);
}

/* False if nobody reads any more. */
static bool take_message(Server *server, const StrBuf *body) {
    json_error_t wrong;
    json_t *message = json_loadb(strbuf_text(body), body->length, 0, &wrong);
    json_t *id = json_object_get(message, "id");
    const char *method = json_string_value(json_object_get(message, "method"));
    Work work = {.server = server,
                 .method = method,
                 .params = json_object_get(message, "params"),
                 .is_request = json_is_string(id) || json_is_integer(id)};
    Failure failure;
    if (!message)
        refuse(&work.refusal, REFUSED_PARSE_ERROR, "%.150s", wrong.text);
    else if (!method && !json_object_get(message, "result") && !json_object_get(message, "error"))
        refuse(&work.refusal, REFUSED_INVALID_REQUEST, "a message has a `method`");
    else if (method && !failure_catch(do_work, &work, &failure))
        refuse(&work.refusal, REFUSED_INTERNAL_ERROR, "%s", failure.message);
    bool is_message = message && (method || work.refusal.code == 0);
    bool done = true;
    if (!is_message || (method && work.is_request))
        done = respond(server, work.is_request ? id : json_null(), work.result, &work.refusal);
    json_decref(message);
    return done;
}

static void publish_all(void *context) {
    Server *server = context;
    for (Document *document = server->documents.first; document; document = document->next)
        if (document->unpublished && !publish_diagnostics(server, document))
            return;
}

static bool receive(Server *server) {
    StrBuf body = {0};
    Refusal too_long = {.code = REFUSED_PARSE_ERROR, .message = "the message is too long"};
    bool done = false;
    switch (transport_receive(&server->transport, &body)) {
    case RECEIVED_MESSAGE: done = take_message(server, &body); break;
    case RECEIVED_TOO_LONG: done = respond(server, json_null(), NULL, &too_long); break;
    case RECEIVED_BROKEN:
        fputs("netc: what came is not a message of the protocol\n", stderr);
        break;
    case RECEIVED_END: break;
    }
    strbuf_free(&body);
    return done;
}

int lsp_serve(int input, int output) {
    Server *server = calloc(1, sizeof *server);
    if (!server)
        out_of_memory();
    server->transport.input = input;
    server->transport.output = output;
    while (!server->ended && receive(server)) {
        /* While the user types there is always another text: only the last is looked at. */
        Failure failure;
        if (!transport_is_waiting(&server->transport) &&
            !failure_catch(publish_all, server, &failure))
            fprintf(stderr, "netc: %s\n", failure.message);
    }
    int status = server->state == SERVER_SHUT_DOWN ? 0 : 1;
    documents_close(&server->documents);
    free(server);
    return status;
}
