/* Diagnostics as JSON, one object on each line. */
#include "output/diagnostics.h"
#include "output/json_value.h"
#include "support/unicode.h"

#define TAB_CELLS 8

/* Cells to the left of the place on a terminal, and one. */
static unsigned display_column(const Location *at, uint32_t offset) {
    const Source *source = at->source;
    unsigned cells = 0;
    for (uint32_t byte = source->line_begin[at->line - 1]; byte < offset;) {
        uint32_t scalar;
        byte += (uint32_t)unicode_decode(source->text + byte, source->length - byte, &scalar);
        cells += scalar == '\t' ? TAB_CELLS - cells % TAB_CELLS : (unsigned)unicode_cells(scalar);
    }
    return cells + 1;
}

static json_t *place_json(const Diagnostics *diagnostics, uint32_t place) {
    Location at = source_locate(diagnostics->sources, (Span){place, place});
    uint32_t offset = place - at.source->base;
    return json_pack("{s:I, s:I, s:I, s:I}", "byte", (json_int_t)at.byte, "line",
                     (json_int_t)at.line, "column", (json_int_t)at.column, "display_column",
                     (json_int_t)display_column(&at, offset));
}

/* Adds where it is; nothing for no place. */
static json_t *with_place(json_t *object, const Diagnostics *diagnostics, Span span) {
    if (span.begin == 0)
        return object;
    json_object_set_new(object, "file", json_text(source_of(diagnostics->sources, span)->name));
    json_object_set_new(object, "begin", place_json(diagnostics, span.begin));
    json_object_set_new(object, "end", place_json(diagnostics, span.end));
    return object;
}

static json_t *labels_json(const Diagnostics *diagnostics, const Diagnostic *diagnostic) {
    json_t *list = json_array();
    for (size_t i = 0; i < diagnostic->labels.count; i++) {
        const DiagLabel *label = &diagnostic->labels.data[i];
        json_t *object = json_pack("{s:o}", "text", json_text(label->text));
        json_array_append_new(list, with_place(object, diagnostics, label->span));
    }
    return list;
}

/* Advice without an edit has neither a place nor a replacement. */
static json_t *fixes_json(const Diagnostics *diagnostics, const Diagnostic *diagnostic) {
    json_t *list = json_array();
    for (size_t i = 0; i < diagnostic->fixes.count; i++) {
        const DiagFix *fix = &diagnostic->fixes.data[i];
        json_t *object = json_pack("{s:o, s:b}", "message", json_text(fix->message), "applicable",
                                   fix->applicable);
        if (fix->replacement) {
            json_object_set_new(object, "replacement", json_text(fix->replacement));
            with_place(object, diagnostics, fix->span);
        }
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *diagnostic_json(const Diagnostics *diagnostics, const Diagnostic *diagnostic) {
    json_t *notes = json_array();
    for (size_t i = 0; i < diagnostic->notes.count; i++)
        json_array_append_new(notes, json_text(diagnostic->notes.data[i]));
    json_t *object =
        json_pack("{s:s, s:s, s:o}", "severity", diag_severity(diagnostic->is_error), "code",
                  diag_code_name(diagnostic->code), "message", json_text(diagnostic->message));
    with_place(object, diagnostics, diagnostic->span);
    if (diagnostic->label)
        json_object_set_new(object, "label", json_text(diagnostic->label));
    json_object_set_new(object, "labels", labels_json(diagnostics, diagnostic));
    json_object_set_new(object, "notes", notes);
    json_object_set_new(object, "fixes", fixes_json(diagnostics, diagnostic));
    return object;
}

void diagnostics_json(const Diagnostics *diagnostics, StrBuf *out) {
    for (size_t i = 0; i < diagnostics->list.count; i++) {
        json_print(diagnostic_json(diagnostics, diagnostics->list.data[i]), JSON_COMPACT, out);
        strbuf_add(out, "\n");
    }
}
