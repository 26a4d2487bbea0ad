/* Messages about the values of arguments. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "graph/attribute_reader.h"
#include "graph/trace.h"

/* "one of `bilinear` and `nearest`" */
static const char *choices_text(Arena *arena, const AttributeInfo *info) {
    size_t length, next;
    const char *choice = attribute_choice(info, 0, &length);
    const char *text = "one of";
    for (int64_t i = 1; choice != NULL; i++) {
        const char *after = attribute_choice(info, i, &next);
        const char *separator = i == 1 ? " " : after ? ", " : " and ";
        text = arena_format(arena, "%s%s`%.*s`", text, separator, (int)length, choice);
        choice = after;
        length = next;
    }
    return text;
}

const char *attribute_kind_text(Arena *arena, const AttributeInfo *info) {
    switch (info->kind) {
    case ATTRIBUTE_INTEGER: return "an integer";
    case ATTRIBUTE_NUMBER: return "a number";
    case ATTRIBUTE_BOOLEAN: return "`on` or `off`";
    case ATTRIBUTE_SIZE: return "an integer or a size such as 3x3";
    case ATTRIBUTE_PADDING: return "an integer, a size, `same`, or (top, left, bottom, right)";
    case ATTRIBUTE_AXIS: return "an integer or the name of an axis";
    case ATTRIBUTE_AXES: return "an axis, or several such as (h, w)";
    case ATTRIBUTE_SHAPE: return "a shape such as [16, 7, 7]";
    case ATTRIBUTE_WORD: return choices_text(arena, info);
    case ATTRIBUTE_INTEGERS: return "an integer, or several such as (1, 2)";
    case ATTRIBUTE_NUMBERS: return "a number, or several such as (0.5, 1)";
    }
    assert(false);
    return "";
}

/* "[3, 3]" for the size 3x3, NULL for any other. */
static const char *size_as_shape(Arena *arena, const Datum *datum) {
    if (datum->kind != DATUM_SIZE)
        return NULL;
    return shape_is_valid(datum->size) ? shape_text(arena, datum->size) : NULL;
}

/* "3x3" for the tuple (3, 3), NULL for any other. */
static const char *tuple_as_size(Arena *arena, const Datum *datum) {
    if (datum->kind != DATUM_TUPLE)
        return NULL;
    const char *text = "";
    for (size_t i = 0; i < datum->tuple.count; i++) {
        if (datum->tuple.items[i].kind != DATUM_INTEGER || datum->tuple.items[i].integer < 0)
            return NULL;
        text =
            arena_format(arena, "%s%s%" PRId64, text, i ? "x" : "", datum->tuple.items[i].integer);
    }
    return text;
}

/* What stands in the text "50"; NULL for any other. */
static const char *text_as_integer(const Datum *datum) {
    if (datum->kind != DATUM_TEXT || datum->text[0] == '\0' || strlen(datum->text) > 18)
        return NULL;
    return datum->text[strspn(datum->text, "0123456789")] == '\0' ? datum->text : NULL;
}

/* How the same is written in netc, where that is plain; NULL where it is not. */
static const char *rewritten(const AttributeReader *reader) {
    const Datum *datum = reader->datum;
    switch (reader->info->kind) {
    case ATTRIBUTE_BOOLEAN:
        if (datum->kind == DATUM_INTEGER && (datum->integer == 0 || datum->integer == 1))
            return datum->integer ? "on" : "off";
        return NULL;
    case ATTRIBUTE_SIZE: return tuple_as_size(reader->e->arena, datum);
    case ATTRIBUTE_PADDING:
        return datum->kind == DATUM_TEXT && strcmp(datum->text, "same") == 0 ? "same" : NULL;
    case ATTRIBUTE_INTEGER: return text_as_integer(datum);
    case ATTRIBUTE_NUMBER:
    case ATTRIBUTE_AXIS:
    case ATTRIBUTE_AXES:
    case ATTRIBUTE_INTEGERS:
    case ATTRIBUTE_NUMBERS: return NULL;
    case ATTRIBUTE_WORD:
        return datum->kind == DATUM_TEXT && choice_of_word(reader->info, datum->text) >= 0
                   ? datum->text
                   : NULL;
    case ATTRIBUTE_SHAPE: return size_as_shape(reader->e->arena, datum);
    }
    assert(false);
    return NULL;
}

/* "conv(filters, kernel, stride=1, pad=0)" */
void note_arguments(Elaborator *e, Diagnostic *diagnostic, const LayerInfo *layer) {
    if (layer->attribute_count == 0)
        return;
    const char *text = "";
    for (int i = 0; i < layer->attribute_count; i++) {
        const AttributeInfo *info = &layer->attributes[i];
        bool shown = info->fallback && info->fallback[0];
        text = arena_format(e->arena, "%s%s%s%s%s", text, i ? ", " : "", info->name,
                            shown ? "=" : "", shown ? info->fallback : "");
    }
    diag_note(e->diagnostics, diagnostic, "the arguments are %s(%s)", layer->name, text);
}

bool wrong_kind(const AttributeReader *reader) {
    Diagnostics *diagnostics = reader->e->diagnostics;
    DiagCode code = reader->datum->kind == DATUM_TENSOR ? DIAG_E0206 : DIAG_E0201;
    Diagnostic *diagnostic = diag_report(
        diagnostics, code, reader->span, "`%s` of `%s` is %s, not %s", reader->info->name,
        reader->call->layer->name, attribute_kind_text(reader->e->arena, reader->info),
        datum_kind_name(reader->datum->kind));
    diag_here(diagnostics, diagnostic, "%s", datum_kind_name(reader->datum->kind));
    if (code == DIAG_E0206)
        diag_note(diagnostics, diagnostic, "the inputs of a call come before its other arguments");
    const char *text = rewritten(reader);
    if (text)
        diag_fix(diagnostics, diagnostic, reader->span, text, true, "netc writes `%s`", text);
    else if (reader->placed)
        note_arguments(reader->e, diagnostic, reader->call->layer);
    return false;
}

bool wrong_rank(const AttributeReader *reader, int factors, int axes) {
    Elaborator *e = reader->e;
    const Value *input = reader->call->input;
    Diagnostic *diagnostic = diag_report(
        e->diagnostics, DIAG_E0201, reader->span,
        "`%s` of `%s` has %d factor%s, but the input has %d spatial ax%ss", reader->info->name,
        reader->call->layer->name, factors, factors == 1 ? "" : "s", axes, axes == 1 ? "i" : "e");
    diag_label(e->diagnostics, diagnostic, input->span, "%s",
               shape_text(e->arena, &input->type.shape));
    bool equal = true;
    for (int i = 1; i < reader->datum->size->rank; i++)
        equal = equal && reader->datum->size->dims[i] == reader->datum->size->dims[0];
    if (equal && reader->datum->size->rank > 1) {
        const char *text = arena_format(e->arena, "%" PRId64, reader->datum->size->dims[0]);
        diag_fix(e->diagnostics, diagnostic, reader->span, text, true,
                 "one integer stands for all axes");
    }
    return false;
}

bool wrong_axis(const AttributeReader *reader, int64_t axis) {
    const Value *input = reader->call->input;
    int rank = input->type.shape.rank;
    Elaborator *e = reader->e;
    const char *shape = shape_text(e->arena, &input->type.shape);
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0218, reader->span,
                                         "%s has no axis %" PRId64, shape, axis);
    diag_here(e->diagnostics, diagnostic, rank == 1 ? "the only axis is 0" : "from 0 to %d",
              rank - 1);
    trace_shape(e->diagnostics, diagnostic, input, 4);
    const char *nearest = axis < 0 ? "0" : "-1";
    diag_fix(e->diagnostics, diagnostic, reader->span, nearest, false, "%s is the %s axis", nearest,
             axis < 0 ? "first" : "last");
    return false;
}
