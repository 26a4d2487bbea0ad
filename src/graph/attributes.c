/* Arguments of a call against the layer's table: names, kinds, ranges, defaults. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "graph/elaborator.h"
#include "layers/foreign.h"
#include "support/checked.h"
#include "support/suggest.h"

/* One argument being read. */
typedef struct Reader {
    Elaborator *e;
    const AttributeCall *call;
    const AttributeInfo *info;
    const Datum *datum;
    Span span;   /* of the value */
    bool placed; /* by its position, not by name */
} Reader;

/* ---- mistakes ----------------------------------------------------------------------------- */

static const char *kind_text(AttributeKind kind) {
    switch (kind) {
    case ATTRIBUTE_INTEGER: return "an integer";
    case ATTRIBUTE_NUMBER: return "a number";
    case ATTRIBUTE_BOOLEAN: return "`on` or `off`";
    case ATTRIBUTE_SIZE: return "an integer or a size such as 3x3";
    case ATTRIBUTE_PADDING: return "an integer, a size, `same`, or (top, left, bottom, right)";
    case ATTRIBUTE_AXIS: return "an integer or the name of an axis";
    case ATTRIBUTE_SHAPE: return "a shape such as [16, 7, 7]";
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

/* How the same is written in netc, where that is plain; NULL where it is not. */
static const char *rewritten(const Reader *reader) {
    const Datum *datum = reader->datum;
    switch (reader->info->kind) {
    case ATTRIBUTE_BOOLEAN:
        if (datum->kind == DATUM_INTEGER && (datum->integer == 0 || datum->integer == 1))
            return datum->integer ? "on" : "off";
        return NULL;
    case ATTRIBUTE_SIZE: return tuple_as_size(reader->e->arena, datum);
    case ATTRIBUTE_PADDING:
        return datum->kind == DATUM_TEXT && strcmp(datum->text, "same") == 0 ? "same" : NULL;
    case ATTRIBUTE_INTEGER:
    case ATTRIBUTE_NUMBER:
    case ATTRIBUTE_AXIS: return NULL;
    case ATTRIBUTE_SHAPE: return size_as_shape(reader->e->arena, datum);
    }
    assert(false);
    return NULL;
}

/* "conv(filters, kernel, stride=1, pad=0)" */
static void note_arguments(Elaborator *e, Diagnostic *diagnostic, const LayerInfo *layer) {
    if (layer->attribute_count == 0)
        return;
    const char *text = "";
    for (int i = 0; i < layer->attribute_count; i++) {
        const AttributeInfo *info = &layer->attributes[i];
        text = arena_format(e->arena, "%s%s%s%s%s", text, i ? ", " : "", info->name,
                            info->fallback ? "=" : "", info->fallback ? info->fallback : "");
    }
    diag_note(e->diagnostics, diagnostic, "the arguments are %s(%s)", layer->name, text);
}

static bool wrong_kind(const Reader *reader) {
    Diagnostics *diagnostics = reader->e->diagnostics;
    DiagCode code = reader->datum->kind == DATUM_TENSOR ? DIAG_E0206 : DIAG_E0201;
    Diagnostic *diagnostic =
        diag_report(diagnostics, code, reader->span, "`%s` of `%s` is %s, not %s",
                    reader->info->name, reader->call->layer->name, kind_text(reader->info->kind),
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

/* What other languages write for `on`, `off` and no padding. */
static const char *foreign_word(AttributeKind kind, const char *word) {
    static const struct {
        AttributeKind kind;
        const char *foreign;
        const char *word;
    } words[] = {
        {ATTRIBUTE_BOOLEAN, "true", "on"},   {ATTRIBUTE_BOOLEAN, "True", "on"},
        {ATTRIBUTE_BOOLEAN, "yes", "on"},    {ATTRIBUTE_BOOLEAN, "false", "off"},
        {ATTRIBUTE_BOOLEAN, "False", "off"}, {ATTRIBUTE_BOOLEAN, "no", "off"},
        {ATTRIBUTE_BOOLEAN, "None", "off"},  {ATTRIBUTE_PADDING, "valid", "0"},
        {ATTRIBUTE_PADDING, "VALID", "0"},   {ATTRIBUTE_PADDING, "SAME", "same"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].kind == kind && strcmp(words[i].foreign, word) == 0)
            return words[i].word;
    return NULL;
}

/* ---- words -------------------------------------------------------------------------------- */

/* Names of the axes of a tensor of `rank`, one letter each; "" where they have none. */
static const char *axis_letters(int rank) {
    static const char *const letters[] = {"", "c", "cl", "chw", "cdhw"};
    return rank >= 0 && rank <= 4 ? letters[rank] : "";
}

static int axis_of_word(const char *word, int rank) {
    const char *letters = axis_letters(rank);
    const char *found = word[0] && !word[1] ? strchr(letters, word[0]) : NULL;
    return found ? (int)(found - letters) : -1;
}

static bool names_some_axis(const char *word) {
    return word[0] && !word[1] && strchr("cdhlw", word[0]);
}

bool attribute_takes_word(const LayerInfo *layer, int index, const char *word, const Value *input) {
    switch (layer->attributes[index].kind) {
    case ATTRIBUTE_PADDING: return strcmp(word, "same") == 0;
    case ATTRIBUTE_AXIS:
        return input ? axis_of_word(word, input->type.shape.rank) >= 0 : names_some_axis(word);
    case ATTRIBUTE_INTEGER:
    case ATTRIBUTE_NUMBER:
    case ATTRIBUTE_BOOLEAN:
    case ATTRIBUTE_SIZE:
    case ATTRIBUTE_SHAPE: return false;
    }
    assert(false);
    return false;
}

static bool wrong_word(const Reader *reader) {
    static const char *const padding_words[] = {"same"};
    const char *word = reader->datum->text;
    AttributeKind kind = reader->info->kind;
    const char *meant = foreign_word(kind, word);
    if (meant) {
        Diagnostic *diagnostic = diag_report(reader->e->diagnostics, DIAG_E0201, reader->span,
                                             "`%s` of `%s` is %s, not `%s`", reader->info->name,
                                             reader->call->layer->name, kind_text(kind), word);
        diag_fix(reader->e->diagnostics, diagnostic, reader->span, meant, true, "netc writes `%s`",
                 meant);
    } else if (kind == ATTRIBUTE_AXIS && reader->call->input && names_some_axis(word)) {
        const Shape *shape = &reader->call->input->type.shape;
        Diagnostic *diagnostic =
            diag_report(reader->e->diagnostics, DIAG_E0218, reader->span, "%s has no axis `%s`",
                        shape_text(reader->e->arena, shape), word);
        diag_here(reader->e->diagnostics, diagnostic, "%d dimension%s", shape->rank,
                  shape->rank == 1 ? "" : "s");
        diag_label(reader->e->diagnostics, diagnostic, reader->call->input->span, "%s",
                   shape_text(reader->e->arena, shape));
    } else {
        report_unknown_name(reader->e, (Name){word, reader->span}, padding_words,
                            kind == ATTRIBUTE_PADDING ? 1 : 0);
    }
    return false;
}

/* ---- kinds -------------------------------------------------------------------------------- */

static bool in_range(const Reader *reader, const Datum *datum) {
    Datum minimum = datum_number(reader->info->minimum);
    Datum maximum = datum_number(reader->info->maximum);
    bool low = datum_compare(datum, &minimum) < 0;
    if (!low && datum_compare(datum, &maximum) <= 0)
        return true;
    StrBuf text = {0};
    strbuf_add(&text, low ? "at least " : "at most ");
    datum_print(low ? &minimum : &maximum, &text);
    strbuf_add(&text, ", got ");
    datum_print(datum, &text);
    Diagnostic *diagnostic =
        diag_report(reader->e->diagnostics, DIAG_E0205, reader->span, "`%s` of `%s` must be %s",
                    reader->info->name, reader->call->layer->name, strbuf_text(&text));
    diag_note(reader->e->diagnostics, diagnostic, "`%s`: %s", reader->info->name,
              reader->info->help);
    strbuf_free(&text);
    return false;
}

static bool integer_in_range(const Reader *reader, int64_t integer) {
    Datum datum = datum_integer(integer);
    return in_range(reader, &datum);
}

static bool read_number(const Reader *reader, Attribute *attribute) {
    if (!datum_is_number(reader->datum))
        return wrong_kind(reader);
    attribute->number = reader->datum->kind == DATUM_INTEGER ? (double)reader->datum->integer
                                                             : reader->datum->number;
    return in_range(reader, reader->datum);
}

static bool read_integer(const Reader *reader, Attribute *attribute) {
    if (reader->datum->kind != DATUM_INTEGER)
        return wrong_kind(reader);
    attribute->integer = reader->datum->integer;
    return in_range(reader, reader->datum);
}

/* Spatial axes of the first input; 0 where that is unknown, or not a shape that has any: then every
 * size is taken and the layer says what is wrong with the input. */
static int spatial_axes(const Reader *reader) {
    int rank = reader->call->input ? reader->call->input->type.shape.rank : 0;
    return rank >= 2 && rank <= MAX_SPATIAL + 1 ? rank - 1 : 0;
}

static bool wrong_rank(const Reader *reader, int factors, int axes) {
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

/* One integer per spatial axis, from an integer or a size. */
static bool read_size(const Reader *reader, int64_t size[MAX_SPATIAL]) {
    const Datum *datum = reader->datum;
    int axes = spatial_axes(reader);
    if (datum->kind == DATUM_INTEGER) {
        int filled = axes > 0 ? axes : reader->call->input ? 1 : MAX_SPATIAL;
        for (int i = 0; i < filled; i++)
            size[i] = datum->integer;
        return in_range(reader, datum);
    }
    if (datum->kind != DATUM_SIZE)
        return wrong_kind(reader);
    if (axes > 0 && datum->size->rank != axes)
        return wrong_rank(reader, datum->size->rank, axes);
    for (int i = 0; i < datum->size->rank; i++) {
        if (!integer_in_range(reader, datum->size->dims[i]))
            return false;
        if (i < MAX_SPATIAL)
            size[i] = datum->size->dims[i];
    }
    return true;
}

/* (top, left, bottom, right): the begin of each axis, then the end of each. */
static bool read_sides(const Reader *reader, Attribute *attribute) {
    const Datum *items = reader->datum->tuple.items;
    int sides = (int)reader->datum->tuple.count;
    int axes = spatial_axes(reader);
    for (int i = 0; i < sides; i++)
        if (items[i].kind != DATUM_INTEGER)
            return wrong_kind(reader);
    if (sides % 2 != 0 || sides > 2 * MAX_SPATIAL || (axes > 0 && sides != 2 * axes)) {
        Diagnostic *diagnostic =
            diag_report(reader->e->diagnostics, DIAG_E0201, reader->span,
                        "`%s` of `%s` has %d numbers, but there are %d sides", reader->info->name,
                        reader->call->layer->name, sides, axes > 0 ? 2 * axes : 2 * MAX_SPATIAL);
        diag_help(reader->e->diagnostics, diagnostic,
                  "the begin of each axis comes first, then the end of each: (top, left, bottom, "
                  "right)");
        return false;
    }
    for (int i = 0; i < sides; i++) {
        if (!in_range(reader, &items[i]))
            return false;
        int64_t *side =
            i < sides / 2 ? &attribute->padding.begin[i] : &attribute->padding.end[i - sides / 2];
        *side = items[i].integer;
    }
    return true;
}

static bool read_padding(const Reader *reader, Attribute *attribute) {
    attribute->padding.mode = PADDING_EXPLICIT;
    if (reader->datum->kind == DATUM_WORD) {
        attribute->padding.mode = PADDING_SAME;
        return true;
    }
    if (reader->datum->kind == DATUM_TUPLE)
        return read_sides(reader, attribute);
    if (!read_size(reader, attribute->padding.begin))
        return false;
    memcpy(attribute->padding.end, attribute->padding.begin, sizeof attribute->padding.end);
    return true;
}

static bool read_axis(const Reader *reader, Attribute *attribute) {
    const Value *input = reader->call->input;
    const Datum *datum = reader->datum;
    if (datum->kind != DATUM_INTEGER && datum->kind != DATUM_WORD)
        return wrong_kind(reader);
    if (!input)
        return true;
    int rank = input->type.shape.rank;
    if (datum->kind == DATUM_WORD) {
        attribute->integer = axis_of_word(datum->text, rank);
        return true;
    }
    attribute->integer = datum->integer < 0 ? datum->integer + rank : datum->integer;
    if (attribute->integer >= 0 && attribute->integer < rank)
        return true;
    Elaborator *e = reader->e;
    const char *shape = shape_text(e->arena, &input->type.shape);
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0218, reader->span,
                                         "%s has no axis %" PRId64, shape, datum->integer);
    diag_here(e->diagnostics, diagnostic, rank == 1 ? "the only axis is 0" : "from 0 to %d",
              rank - 1);
    diag_label(e->diagnostics, diagnostic, input->span, "%s", shape);
    return false;
}

static bool read_kind(const Reader *reader, Attribute *attribute) {
    const Datum *datum = reader->datum;
    switch (reader->info->kind) {
    case ATTRIBUTE_INTEGER: return read_integer(reader, attribute);
    case ATTRIBUTE_NUMBER: return read_number(reader, attribute);
    case ATTRIBUTE_BOOLEAN:
        attribute->boolean = datum->kind == DATUM_BOOLEAN && datum->boolean;
        return datum->kind == DATUM_BOOLEAN || wrong_kind(reader);
    case ATTRIBUTE_SIZE: return read_size(reader, attribute->size);
    case ATTRIBUTE_PADDING: return read_padding(reader, attribute);
    case ATTRIBUTE_AXIS: return read_axis(reader, attribute);
    case ATTRIBUTE_SHAPE:
        if (datum->kind == DATUM_SHAPE)
            attribute->shape = *datum->shape;
        return datum->kind == DATUM_SHAPE || wrong_kind(reader);
    }
    assert(false);
    return false;
}

static bool read_argument(const Reader *reader, Attribute *attribute) {
    int index = (int)(reader->info - reader->call->layer->attributes);
    if (datum_is_poisoned(reader->datum))
        return false;
    if (reader->datum->kind == DATUM_WORD &&
        !attribute_takes_word(reader->call->layer, index, reader->datum->text, reader->call->input))
        return wrong_word(reader);
    return read_kind(reader, attribute);
}

/* ---- calls -------------------------------------------------------------------------------- */

static void report_unknown_argument(Elaborator *e, const LayerInfo *layer,
                                    const Argument *argument) {
    const char *names[LAYER_MAX_ATTRIBUTES];
    for (int i = 0; i < layer->attribute_count; i++)
        names[i] = layer->attributes[i].name;
    const char *name = argument->name.text;
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0203, argument->name.span,
                                         "`%s` has no argument called `%s`", layer->name, name);
    const AttributeInfo *foreign = foreign_argument(layer, name);
    const char *nearest = suggest_name(name, names, (size_t)layer->attribute_count);
    if (foreign)
        diag_fix(e->diagnostics, diagnostic, argument->name.span, foreign->name, true,
                 "netc calls it `%s`", foreign->name);
    else if (nearest)
        diag_fix(e->diagnostics, diagnostic, argument->name.span, nearest, true,
                 "did you mean `%s`?", nearest);
    else if (layer->attribute_count == 0)
        diag_note(e->diagnostics, diagnostic, "`%s` has no arguments", layer->name);
    note_arguments(e, diagnostic, layer);
}

static int find_attribute(const LayerInfo *layer, const char *name) {
    for (int i = 0; i < layer->attribute_count; i++)
        if (strcmp(layer->attributes[i].name, name) == 0)
            return i;
    return -1;
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

static void report_given_twice(Elaborator *e, const AttributeInfo *info, const Argument *first,
                               const Argument *again) {
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0204, again->span,
                                         "the argument `%s` is given twice", info->name);
    diag_label(e->diagnostics, diagnostic, first->span, "`%s` is given here", info->name);
}

/* Which attribute argument `index` is for; -1 after a mistake. */
static int place_argument(Elaborator *e, const AttributeCall *call, size_t index, int *position) {
    const Argument *argument = &call->arguments[index];
    if (argument->name.text) {
        int found = find_attribute(call->layer, argument->name.text);
        if (found < 0)
            report_unknown_argument(e, call->layer, argument);
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
            report_given_twice(e, &call->layer->attributes[place], &call->arguments[placed[place]],
                               &call->arguments[i]);
        fine = false;
    }
    return fine;
}

/* One message for all that are missing. */
static bool check_required(Elaborator *e, const AttributeCall *call, const int *placed) {
    const LayerInfo *layer = call->layer;
    const char *text = NULL;
    for (int i = 0; i < layer->attribute_count; i++)
        if (placed[i] < 0 && !layer->attributes[i].fallback)
            text = arena_format(e->arena, "%s%s`%s`", text ? text : "", text ? " and " : "",
                                layer->attributes[i].name);
    if (!text)
        return true;
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0202, call->callee.span,
                                         "`%s` needs %s", layer->name, text);
    note_arguments(e, diagnostic, layer);
    return false;
}

/* The default of attribute `index`: a literal, or the value of an earlier attribute. */
static bool read_default(Elaborator *e, const AttributeCall *call, int index,
                         Attribute *attributes) {
    const AttributeInfo *info = &call->layer->attributes[index];
    int earlier = find_attribute(call->layer, info->fallback);
    if (earlier >= 0) {
        assert(earlier < index);
        attributes[index] = attributes[earlier];
        attributes[index].given = false;
        attributes[index].span = SPAN_NONE;
        return true;
    }
    Datum datum = datum_read(e->arena, info->fallback);
    Reader reader = {e, call, info, &datum, call->callee.span, false};
    return read_argument(&reader, &attributes[index]);
}

/* What argument `index` of the call stands for as the value of attribute `place`. A tensor is never
 * an attribute, so a bare name that means something to the attribute means that: `axis=c`. */
static Datum argument_datum(const AttributeCall *call, int index, int place) {
    const Expr *value = call->arguments[index].value;
    Datum datum = call->data[index];
    if (datum.kind == DATUM_TENSOR && value->kind == EXPR_NAME &&
        attribute_takes_word(call->layer, place, value->name.text, call->input))
        return (Datum){.kind = DATUM_WORD, .text = value->name.text};
    return datum;
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
        Datum datum = argument_datum(call, placed[i], i);
        Reader reader = {
            e, call, info, &datum, attributes[i].span, !call->arguments[placed[i]].name.text};
        fine = read_argument(&reader, &attributes[i]) && fine;
    }
    return fine;
}
