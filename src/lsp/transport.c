#include "lsp/transport.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "output/json_value.h"

#define LINE_LIMIT   1024 /* bytes of a line of a header */
#define HEADER_LIMIT 32   /* lines of it */

/* Fills the buffer, which is empty; false at the end of the input. */
static bool fill(Transport *transport) {
    ssize_t count;
    do
        count = read(transport->input, transport->buffer, sizeof transport->buffer);
    while (count < 0 && errno == EINTR);
    transport->begin = 0;
    transport->end = count > 0 ? (size_t)count : 0;
    return count > 0;
}

/* The next byte, -1 at the end. */
static int take_byte(Transport *transport) {
    if (transport->begin == transport->end && !fill(transport))
        return -1;
    return (unsigned char)transport->buffer[transport->begin++];
}

/* Takes `length` bytes; without `body` they are lost. False if the input ends before. */
static bool take_bytes(Transport *transport, size_t length, StrBuf *body) {
    while (length > 0) {
        if (transport->begin == transport->end && !fill(transport))
            return false;
        size_t count = transport->end - transport->begin;
        if (count > length)
            count = length;
        if (body)
            strbuf_add_bytes(body, transport->buffer + transport->begin, count);
        transport->begin += count;
        length -= count;
    }
    return true;
}

/* A line without its end, CR LF or LF. False at the end of the input, with *length what came before
 * it, and for a line that is too long. */
static bool take_line(Transport *transport, char line[LINE_LIMIT], size_t *length) {
    *length = 0;
    for (;;) {
        int byte = take_byte(transport);
        if (byte < 0)
            return false;
        if (byte == '\n') {
            *length -= *length > 0 && line[*length - 1] == '\r';
            line[*length] = '\0';
            return true;
        }
        if (*length == LINE_LIMIT - 1)
            return false;
        line[(*length)++] = (char)byte;
    }
}

/* Digits alone; what is too large for a number is as large as one can be. */
static bool read_length(const char *text, size_t *length) {
    text += strspn(text, " \t");
    size_t digits = strspn(text, "0123456789");
    *length = 0;
    for (size_t i = 0; i < digits; i++)
        if (__builtin_mul_overflow(*length, 10, length) ||
            __builtin_add_overflow(*length, (size_t)(text[i] - '0'), length)) {
            *length = SIZE_MAX;
            break;
        }
    text += digits;
    return digits > 0 && text[strspn(text, " \t")] == '\0';
}

/* The lines up to the empty one, of which one says how long the message is. */
static Received receive_header(Transport *transport, size_t *length) {
    static const char name[] = "Content-Length:";
    bool known = false;
    for (int i = 0; i < HEADER_LIMIT; i++) {
        char line[LINE_LIMIT];
        size_t width;
        if (!take_line(transport, line, &width))
            return i == 0 && width == 0 ? RECEIVED_END : RECEIVED_BROKEN;
        if (width == 0)
            return known ? RECEIVED_MESSAGE : RECEIVED_BROKEN;
        if (strncasecmp(line, name, sizeof name - 1) != 0)
            continue;
        if (known || !read_length(line + sizeof name - 1, length))
            return RECEIVED_BROKEN;
        known = true;
    }
    return RECEIVED_BROKEN;
}

Received transport_receive(Transport *transport, StrBuf *body) {
    size_t length;
    Received header = receive_header(transport, &length);
    if (header != RECEIVED_MESSAGE)
        return header;
    bool fits = length <= MESSAGE_LIMIT;
    if (!take_bytes(transport, length, fits ? body : NULL))
        return RECEIVED_BROKEN;
    return fits ? RECEIVED_MESSAGE : RECEIVED_TOO_LONG;
}

bool transport_is_waiting(const Transport *transport) {
    struct pollfd input = {.fd = transport->input, .events = POLLIN};
    return transport->begin < transport->end || poll(&input, 1, 0) > 0;
}

static bool write_all(int output, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t count = write(output, bytes, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

bool transport_send(Transport *transport, json_t *message) {
    StrBuf body = {0};
    StrBuf text = {0};
    json_print(message, JSON_COMPACT, &body);
    strbuf_format(&text, "Content-Length: %zu\r\n\r\n", body.length);
    strbuf_add_bytes(&text, body.data, body.length);
    bool done = write_all(transport->output, text.data, text.length);
    strbuf_free(&text);
    strbuf_free(&body);
    return done;
}
