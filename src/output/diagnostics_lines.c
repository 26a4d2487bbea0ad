/* Diagnostics of one line each. */
#include <string.h>

#include "output/diagnostics.h"

void diagnostics_short(const Diagnostics *diagnostics, StrBuf *out) {
    for (size_t i = 0; i < diagnostics->list.count; i++) {
        const Diagnostic *diagnostic = diagnostics->list.data[i];
        if (diagnostic->span.begin) {
            Location at = source_locate(diagnostics->sources, diagnostic->span);
            strbuf_format(out, "%s:%u:%u: ", at.source->name, at.line, at.column);
        } else {
            strbuf_add(out, "netc: ");
        }
        strbuf_format(out, "%s: %s [%s]\n", diag_severity(diagnostic->is_error),
                      diagnostic->message, diag_code_name(diagnostic->code));
    }
}

/* Text of a workflow command with what would end it written as %0A and the like; `more` are further
 * bytes that are written so. */
static void add_escaped(const char *text, const char *more, StrBuf *out) {
    for (const char *at = text; *at; at++) {
        if (strchr("%\r\n", *at) || strchr(more, *at))
            strbuf_format(out, "%%%02X", (unsigned)(unsigned char)*at);
        else
            strbuf_add_char(out, *at);
    }
}

#define PROPERTY_BYTES ":,"

static void add_position(const Diagnostics *diagnostics, const Diagnostic *diagnostic,
                         StrBuf *out) {
    Span span = diagnostic->span;
    Location begin = source_locate(diagnostics->sources, span);
    Location end = source_locate(diagnostics->sources, (Span){span.end, span.end});
    strbuf_add(out, "file=");
    add_escaped(begin.source->name, PROPERTY_BYTES, out);
    strbuf_format(out, ",line=%u,endLine=%u", begin.line, end.line);
    if (begin.line == end.line) /* columns are shown of one line only */
        strbuf_format(out, ",col=%u,endColumn=%u", begin.column, end.column);
    strbuf_add(out, ",");
}

void diagnostics_github(const Diagnostics *diagnostics, StrBuf *out) {
    for (size_t i = 0; i < diagnostics->list.count; i++) {
        const Diagnostic *diagnostic = diagnostics->list.data[i];
        strbuf_format(out, "::%s ", diag_severity(diagnostic->is_error));
        if (diagnostic->span.begin)
            add_position(diagnostics, diagnostic, out);
        strbuf_format(out, "title=%s::", diag_code_name(diagnostic->code));
        add_escaped(diagnostic->message, "", out);
        for (size_t k = 0; k < diagnostic->notes.count; k++) {
            strbuf_add(out, "%0Anote: ");
            add_escaped(diagnostic->notes.data[k], "", out);
        }
        for (size_t k = 0; k < diagnostic->fixes.count; k++) {
            strbuf_add(out, "%0Ahelp: ");
            add_escaped(diagnostic->fixes.data[k].message, "", out);
        }
        strbuf_add(out, "\n");
    }
}
