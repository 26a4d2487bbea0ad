/* Messages of JSON-RPC: a header with Content-Length, an empty line, that many bytes of JSON. */
#ifndef NETC_LSP_TRANSPORT_H
#define NETC_LSP_TRANSPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "support/strbuf.h"

/* Most bytes of a message: a source of the largest size, each of its characters escaped. */
#define MESSAGE_LIMIT ((size_t)160 << 20)

typedef struct Transport {
    int input;
    int output;
    size_t begin; /* of what is buffered and not yet taken */
    size_t end;
    char buffer[1 << 16];
} Transport;

typedef enum Received {
    RECEIVED_MESSAGE,
    RECEIVED_TOO_LONG, /* it was skipped */
    RECEIVED_END,      /* the input ended between two messages */
    RECEIVED_BROKEN,   /* it ended within one, or what came is no header: nothing more is read */
} Received;

/* Waits for the next message and puts its bytes into `body`. */
Received transport_receive(Transport *transport, StrBuf *body);

/* Whether something has come that was not received yet. */
bool transport_is_waiting(const Transport *transport);

/* Sends a message, and frees it. False if nobody reads any more. */
bool transport_send(Transport *transport, json_t *message);

#endif
