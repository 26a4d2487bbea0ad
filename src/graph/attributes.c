/* Arguments of a call against the layer's table: which is for which attribute, and defaults. Their
 * values are read by attribute_read.c. */
#include <assert.h>
#include <string.h>

#include "graph/attribute_reader.h"
#include "layers/foreign.h"
#include "support/suggest.h"

/* Whether an argument is for the attribute `name`, by its place or by its name. */
static bool is_given(const AttributeCall *call, const char *name) {
    int place = layer_attribute(call->layer, name), position = 0;
    for (size_t i = 0; i < call->count; i++) {
        const char *written = call->arguments[i].name.text;
        if (written ? strcmp(written, name) == 0 : position++ == place)
            return true;
    }
    return false;
}

static void report_unknown_argument(Elaborator *e, const AttributeCall *call,
                                    const Argument *argument) {
    const LayerInfo *layer = call->layer;
    const char *names[LAYER_MAX_ATTRIBUTES];
    for (int i = 0; i < layer->attribute_count; i++)
        names[i] = layer->attributes[i].name;
    const char *name = argument->name.text;
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0203, argument->name.span,
                                         "`%s` has no argument called `%s`", layer->name, name);
    const AttributeInfo *foreign = foreign_argument(layer, name);
    const char *nearest = suggest_name(name, names, (size_t)layer->attribute_count);
    if (foreign)
        diag_fix(e->diagnostics, diagnostic, argument->name.span, foreign->name,
                 !is_given(call, foreign->name), "netc calls it `%s`", foreign->name);
    else if (nearest)
        diag_fix(e->diagnostics, diagnostic, argument->name.span, nearest, !is_given(call, nearest),
                 "did you mean `%s`?", nearest);
    else if (layer->attribute_count == 0)
        diag_note(e->diagnostics, diagnostic, "`%s` has no arguments", layer->name);
    note_arguments(e, diagnostic, layer);
}

/* An argument beyond the last of the table. */
static void report_one_too_many(Elaborator *e, const AttributeCall *call, size_t index) {
    const LayerInfo *layer = call->layer;
    const Datum *datum = &call->data[index];
    Span span = call->arguments[index].span;
    if (datum_is_poisoned(datum))
        return;
    if (datum->kind == DATUM_WORD) {
        report_unknown_name(e, (Name){datum->text, span}, NULL, 0);
        return;
    }
    Diagnostic *diagnostic =
        layer->attribute_count == 0
            ? diag_report(e->diagnostics, DIAG_E0204, span, "`%s` takes no arguments", layer->name)
            : diag_report(e->diagnostics, DIAG_E0204, span,
                          "`%s` takes at most %d argument%s besides its inputs", layer->name,
                          layer->attribute_count, layer->attribute_count == 1 ? "" : "s");
    note_arguments(e, diagnostic, layer);
}

/* Argument `again` is for what argument `first` is for. */
static void report_given_twice(Elaborator *e, const AttributeCall *call, const AttributeInfo *info,
                               size_t first, size_t again) {
    Span span = call->arguments[again].span;
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0204, span,
                                         "the argument `%s` is given twice", info->name);
    diag_label(e->diagnostics, diagnostic, call->arguments[first].span, "`%s` is given here",
               info->name);
    span.begin = call->arguments[again - 1].span.end; /* with the comma before it */
    diag_fix(e->diagnostics, diagnostic, span, "", false, "remove one of the two");
}

/* Which attribute argument `index` is for; -1 after a mistake. */
static int place_argument(Elaborator *e, const AttributeCall *call, size_t index, int *position) {
    const Argument *argument = &call->arguments[index];
    if (argument->name.text) {
        int found = layer_attribute(call->layer, argument->name.text);
        if (found < 0)
            report_unknown_argument(e, call, argument);
        return found;
    }
    if (*position < call->layer->attribute_count)
        return (*position)++;
    if ((*position)++ == call->layer->attribute_count) /* the first only */
        report_one_too_many(e, call, index);
    return -1;
}

/* Which argument each attribute has, -1 for none. False if some argument has no place. */
static bool place_arguments(Elaborator *e, const AttributeCall *call,
                            int placed[LAYER_MAX_ATTRIBUTES]) {
    bool fine = true;
    int position = 0;
    for (int i = 0; i < call->layer->attribute_count; i++)
        placed[i] = -1;
    for (size_t i = 0; i < call->count; i++) {
        int place = place_argument(e, call, i, &position);
        if (place >= 0 && placed[place] < 0) {
            placed[place] = (int)i;
            continue;
        }
        if (place >= 0)
            report_given_twice(e, call, &call->layer->attributes[place], (size_t)placed[place], i);
        fine = false;
    }
    return fine;
}

/* An example of what the attribute takes; NULL where there is no usual one. */
static const char *usual_value(const AttributeCall *call, const AttributeInfo *info) {
    static const char *const kernels[] = {"3", "3x3", "3x3x3"};
    int axes = call->input ? call->input->type.shape.rank - 1 : 2;
    if (info->kind == ATTRIBUTE_SIZE)
        return kernels[axes >= 1 && axes <= MAX_SPATIAL ? axes - 1 : 1];
    return info->kind == ATTRIBUTE_INTEGER && info->minimum <= 16 && info->maximum >= 16 ? "16"
                                                                                         : NULL;
}

/* Proposes `arguments`, "kernel=3x3", behind those that the call has. */
static void offer_arguments(Elaborator *e, Diagnostic *diagnostic, const AttributeCall *call,
                            const char *arguments) {
    const Source *source = source_of(e->diagnostics->sources, call->callee.span);
    if (call->count > 0) {
        uint32_t end = call->arguments[call->count - 1].span.end;
        diag_fix(e->diagnostics, diagnostic, (Span){end, end},
                 arena_format(e->arena, ", %s", arguments), false, "for example %s", arguments);
        return;
    }
    uint32_t end = call->callee.span.end;
    const char *after = source ? source->text + (end - source->base) : "";
    if (strncmp(after, "()", 2) == 0)
        diag_fix(e->diagnostics, diagnostic, (Span){end + 1, end + 1}, arguments, false,
                 "for example %s", arguments);
    else if (after[0] != '(')
        diag_fix(e->diagnostics, diagnostic, (Span){end, end},
                 arena_format(e->arena, "(%s)", arguments), false, "for example %s", arguments);
}

/* One message for all that are missing. */
static bool check_required(Elaborator *e, const AttributeCall *call, const int *placed) {
    const LayerInfo *layer = call->layer;
    const char *text = NULL, *example = "";
    for (int i = 0; i < layer->attribute_count; i++) {
        const AttributeInfo *info = &layer->attributes[i];
        if (placed[i] >= 0 || info->fallback)
            continue;
        const char *usual = example ? usual_value(call, info) : NULL;
        example = usual ? arena_format(e->arena, "%s%s%s=%s", example, text ? ", " : "", info->name,
                                       usual)
                        : NULL;
        text =
            arena_format(e->arena, "%s%s`%s`", text ? text : "", text ? " and " : "", info->name);
    }
    if (!text)
        return true;
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0202, call->callee.span,
                                         "`%s` needs %s", layer->name, text);
    if (example)
        offer_arguments(e, diagnostic, call, example);
    note_arguments(e, diagnostic, layer);
    return false;
}

/* The default of attribute `index`: a literal, or the value of an earlier attribute. */
static bool read_default(Elaborator *e, const AttributeCall *call, int index,
                         Attribute *attributes) {
    const AttributeInfo *info = &call->layer->attributes[index];
    if (!info->fallback[0])
        return true;
    int earlier = layer_attribute(call->layer, info->fallback);
    if (earlier >= 0) {
        assert(earlier < index);
        attributes[index] = attributes[earlier];
        attributes[index].given = false;
        attributes[index].span = SPAN_NONE;
        return true;
    }
    if (info->kind == ATTRIBUTE_WORD) {
        attributes[index].integer = 0;
        return true;
    }
    Datum datum = datum_read(e->arena, info->fallback);
    AttributeReader reader = {e, call, info, &datum, NULL, call->callee.span, false};
    return attribute_read(&reader, &attributes[index]);
}

/* What `value` stands for as the value of attribute `place`, or as an item of it. A tensor is never
 * an attribute, so a bare name that means something to the attribute means that: `axis=c`. */
static Datum attribute_datum(Elaborator *e, const AttributeCall *call, int place, const Expr *value,
                             const Datum *datum) {
    if (datum->kind == DATUM_TENSOR && value->kind == EXPR_NAME &&
        attribute_takes_word(call->layer, place, value->name.text, call->input))
        return (Datum){.kind = DATUM_WORD, .text = value->name.text};
    if (datum->kind != DATUM_TUPLE || value->kind != EXPR_TUPLE)
        return *datum;
    Datum tuple = {.kind = DATUM_TUPLE, .tuple.count = datum->tuple.count};
    tuple.tuple.items = ARENA_ARRAY(e->arena, datum->tuple.count, Datum);
    for (size_t i = 0; i < datum->tuple.count; i++)
        tuple.tuple.items[i] =
            attribute_datum(e, call, place, value->tuple.data[i], &datum->tuple.items[i]);
    return tuple;
}

bool attributes_read(Elaborator *e, const AttributeCall *call, Attribute *attributes) {
    int placed[LAYER_MAX_ATTRIBUTES];
    bool fine = place_arguments(e, call, placed) && check_required(e, call, placed);
    for (int i = 0; i < call->layer->attribute_count; i++) {
        const AttributeInfo *info = &call->layer->attributes[i];
        attributes[i] = (Attribute){.kind = info->kind, .span = SPAN_NONE};
        if (placed[i] < 0) {
            if (info->fallback)
                fine = read_default(e, call, i, attributes) && fine;
            continue;
        }
        attributes[i].given = true;
        attributes[i].span = call->arguments[placed[i]].value->span;
        Datum datum =
            attribute_datum(e, call, i, call->arguments[placed[i]].value, &call->data[placed[i]]);
        AttributeReader reader = {.e = e,
                                  .call = call,
                                  .info = info,
                                  .datum = &datum,
                                  .value = call->arguments[placed[i]].value,
                                  .span = attributes[i].span,
                                  .placed = !call->arguments[placed[i]].name.text};
        fine = attribute_read(&reader, &attributes[i]) && fine;
    }
    return fine;
}
