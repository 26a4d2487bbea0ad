/* What the files of the server share. Each request of the protocol is a function that gets its
 * parameters and gives its result, or NULL after saying in *refusal why not. */
#ifndef NETC_LSP_SERVER_H
#define NETC_LSP_SERVER_H

#include "lsp/document.h"
#include "lsp/transport.h"

typedef enum ServerState {
    SERVER_NEW,
    SERVER_READY,
    SERVER_SHUT_DOWN,
} ServerState;

typedef struct Server {
    Transport transport;
    ServerState state;
    PositionEncoding encoding;
    Documents documents;
    bool ended; /* by `exit` */
} Server;

/* Codes of JSON-RPC and of the protocol. */
typedef enum RefusalCode {
    REFUSED_PARSE_ERROR = -32700,
    REFUSED_INVALID_REQUEST = -32600,
    REFUSED_METHOD_NOT_FOUND = -32601,
    REFUSED_INVALID_PARAMS = -32602,
    REFUSED_INTERNAL_ERROR = -32603,
    REFUSED_NOT_INITIALIZED = -32002,
    REFUSED_REQUEST_FAILED = -32803, /* well formed, but cannot be done */
} RefusalCode;

typedef struct Refusal {
    RefusalCode code;
    char message[256];
} Refusal;

/* Gives NULL, for the request to return. */
json_t *refuse(Refusal *refusal, RefusalCode code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- server.c: what a request is about ------------------------------------------------------ */

/* The place that a request names in a document. */
typedef struct RequestPlace {
    Document *document;
    const Analysis *analysis;
    uint32_t offset; /* in the common address space */
} RequestPlace;

/* The document of the request; NULL after refusing. */
const Analysis *request_document(Server *server, const json_t *params, Document **document,
                                 Refusal *refusal);
bool request_place(Server *server, const json_t *params, RequestPlace *place, Refusal *refusal);

/* The range of params, or the whole document without one; false after refusing. */
bool request_range(const Server *server, const Analysis *analysis, const json_t *params,
                   Span *range, Refusal *refusal);

/* {"uri": ..., "range": ...} */
json_t *location_json(const Server *server, const Analysis *analysis, Span span);

/* {"range": ..., "newText": ...} */
json_t *edit_json(const Server *server, const Analysis *analysis, Span span, const char *text);

/* ---- the requests --------------------------------------------------------------------------- */

json_t *serve_hover(Server *server, const json_t *params, Refusal *refusal);
json_t *serve_inlay_hints(Server *server, const json_t *params, Refusal *refusal);
json_t *serve_completion(Server *server, const json_t *params, Refusal *refusal);
json_t *serve_definition(Server *server, const json_t *params, Refusal *refusal);
json_t *serve_prepare_rename(Server *server, const json_t *params, Refusal *refusal);
json_t *serve_rename(Server *server, const json_t *params, Refusal *refusal);
json_t *serve_formatting(Server *server, const json_t *params, Refusal *refusal);
json_t *serve_code_actions(Server *server, const json_t *params, Refusal *refusal);

/* ---- hover.c -------------------------------------------------------------------------------- */

/* "[6, 28, 28]", "64"; "?" for what is not known. */
void print_value(const Datum *datum, StrBuf *out);

/* ---- diagnostics.c -------------------------------------------------------------------------- */

/* Sends what is wrong with a document. False if nobody reads any more. */
bool publish_diagnostics(Server *server, Document *document);
/* Takes back what was said of one. */
bool withdraw_diagnostics(Server *server, const Document *document);

#endif
