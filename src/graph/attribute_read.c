/* The value of one argument, by the kind of its attribute. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "graph/attribute_reader.h"

#define MAX_LIMIT 3 /* digits of a limit that may be what was meant */

static bool in_range(const AttributeReader *reader, const Datum *datum) {
    Datum minimum = datum_number(reader->info->minimum);
    Datum maximum = datum_number(reader->info->maximum);
    bool low = datum_compare(datum, &minimum) < 0;
    if (!low && datum_compare(datum, &maximum) <= 0)
        return true;
    const Datum *bound = low ? &minimum : &maximum;
    StrBuf limit = {0}, got = {0};
    datum_print(bound, &limit);
    datum_print(datum, &got);
    Diagnostics *diagnostics = reader->e->diagnostics;
    Diagnostic *diagnostic =
        diag_report(diagnostics, DIAG_E0205, reader->span, "`%s` of `%s` must be at %s %s, got %s",
                    reader->info->name, reader->call->layer->name, low ? "least" : "most",
                    strbuf_text(&limit), strbuf_text(&got));
    diag_note(diagnostics, diagnostic, "`%s`: %s", reader->info->name, reader->info->help);
    if (reader->datum == datum && limit.length <= MAX_LIMIT)
        diag_fix(diagnostics, diagnostic, reader->span, strbuf_text(&limit), false, "the %s is %s",
                 low ? "least" : "most", strbuf_text(&limit));
    strbuf_free(&limit);
    strbuf_free(&got);
    return false;
}

static bool integer_in_range(const AttributeReader *reader, int64_t integer) {
    Datum datum = datum_integer(integer);
    return in_range(reader, &datum);
}

static bool read_number(const AttributeReader *reader, Attribute *attribute) {
    if (!datum_is_number(reader->datum))
        return wrong_kind(reader);
    attribute->number = reader->datum->kind == DATUM_INTEGER ? (double)reader->datum->integer
                                                             : reader->datum->number;
    return in_range(reader, reader->datum);
}

static bool read_integer(const AttributeReader *reader, Attribute *attribute) {
    if (reader->datum->kind != DATUM_INTEGER)
        return wrong_kind(reader);
    attribute->integer = reader->datum->integer;
    return in_range(reader, reader->datum);
}

/* Spatial axes of the first input; 0 where that is unknown, or not a shape that has any: then every
 * size is taken and the layer says what is wrong with the input. */
static int spatial_axes(const AttributeReader *reader) {
    int rank = reader->call->input ? reader->call->input->type.shape.rank : 0;
    return rank >= 2 && rank <= MAX_SPATIAL + 1 ? rank - 1 : 0;
}

/* One integer per spatial axis, from an integer or a size. */
static bool read_size(const AttributeReader *reader, int64_t size[MAX_SPATIAL]) {
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
static bool read_sides(const AttributeReader *reader, Attribute *attribute) {
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

static bool read_padding(const AttributeReader *reader, Attribute *attribute) {
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

/* Sets `axis` to what the datum of `reader` names. */
static bool read_one_axis(const AttributeReader *reader, int64_t *axis) {
    const Value *input = reader->call->input;
    const Datum *datum = reader->datum;
    if (datum->kind != DATUM_INTEGER && datum->kind != DATUM_WORD)
        return wrong_kind(reader);
    if (!input)
        return true;
    int rank = input->type.shape.rank;
    if (datum->kind == DATUM_WORD) {
        *axis = axis_of_word(datum->text, rank);
        return true;
    }
    *axis = datum->integer < 0 ? datum->integer + rank : datum->integer;
    return (*axis >= 0 && *axis < rank) || wrong_axis(reader, datum->integer);
}

/* ---- lists -------------------------------------------------------------------------------- */

/* How many items the value has: it is one itself unless it is a tuple. */
static size_t item_count(const AttributeReader *reader) {
    return reader->datum->kind == DATUM_TUPLE ? reader->datum->tuple.count : 1;
}

/* A reader of item `index` alone. */
static AttributeReader item_reader(const AttributeReader *reader, size_t index) {
    AttributeReader item = *reader;
    if (reader->datum->kind != DATUM_TUPLE)
        return item;
    bool written = reader->value && reader->value->kind == EXPR_TUPLE;
    item.datum = &reader->datum->tuple.items[index];
    item.value = written ? reader->value->tuple.data[index] : NULL;
    item.span = written ? item.value->span : reader->span;
    return item;
}

static bool report_twice(const AttributeReader *reader, int64_t axis) {
    Diagnostic *diagnostic = diag_report(reader->e->diagnostics, DIAG_E0204, reader->span,
                                         "`%s` of `%s` names axis %" PRId64 " twice",
                                         reader->info->name, reader->call->layer->name, axis);
    diag_note(reader->e->diagnostics, diagnostic, "`%s`: %s", reader->info->name,
              reader->info->help);
    return false;
}

static bool read_axes(const AttributeReader *reader, Attribute *attribute) {
    bool named[TENSOR_MAX_RANK] = {false};
    for (size_t i = 0; i < item_count(reader); i++) {
        AttributeReader item = item_reader(reader, i);
        int64_t axis = 0;
        if (!read_one_axis(&item, &axis))
            return false;
        if (!reader->call->input)
            continue;
        if (named[axis])
            return report_twice(&item, axis);
        named[axis] = true;
        attribute->axes.axis[attribute->axes.count++] = (int)axis;
    }
    return true;
}

static bool read_integers(const AttributeReader *reader, Attribute *attribute) {
    size_t count = item_count(reader);
    int64_t *items = ARENA_ARRAY(reader->e->arena, count, int64_t);
    for (size_t i = 0; i < count; i++) {
        AttributeReader item = item_reader(reader, i);
        if (item.datum->kind != DATUM_INTEGER)
            return wrong_kind(&item);
        if (!in_range(&item, item.datum))
            return false;
        items[i] = item.datum->integer;
    }
    attribute->integers.count = count;
    attribute->integers.items = items;
    return true;
}

static bool read_numbers(const AttributeReader *reader, Attribute *attribute) {
    size_t count = item_count(reader);
    double *items = ARENA_ARRAY(reader->e->arena, count, double);
    for (size_t i = 0; i < count; i++) {
        AttributeReader item = item_reader(reader, i);
        Attribute one;
        if (!read_number(&item, &one))
            return false;
        items[i] = one.number;
    }
    attribute->numbers.count = count;
    attribute->numbers.items = items;
    return true;
}

/* ---- all kinds ---------------------------------------------------------------------------- */

static bool read_choice(const AttributeReader *reader, Attribute *attribute) {
    if (reader->datum->kind != DATUM_WORD)
        return wrong_kind(reader);
    attribute->integer = choice_of_word(reader->info, reader->datum->text);
    return true;
}

static bool read_kind(const AttributeReader *reader, Attribute *attribute) {
    const Datum *datum = reader->datum;
    switch (reader->info->kind) {
    case ATTRIBUTE_INTEGER: return read_integer(reader, attribute);
    case ATTRIBUTE_NUMBER: return read_number(reader, attribute);
    case ATTRIBUTE_BOOLEAN:
        attribute->boolean = datum->kind == DATUM_BOOLEAN && datum->boolean;
        return datum->kind == DATUM_BOOLEAN || wrong_kind(reader);
    case ATTRIBUTE_SIZE: return read_size(reader, attribute->size);
    case ATTRIBUTE_PADDING: return read_padding(reader, attribute);
    case ATTRIBUTE_AXIS: return read_one_axis(reader, &attribute->integer);
    case ATTRIBUTE_AXES: return read_axes(reader, attribute);
    case ATTRIBUTE_INTEGERS: return read_integers(reader, attribute);
    case ATTRIBUTE_NUMBERS: return read_numbers(reader, attribute);
    case ATTRIBUTE_WORD: return read_choice(reader, attribute);
    case ATTRIBUTE_SHAPE:
        if (datum->kind == DATUM_SHAPE)
            attribute->shape = *datum->shape;
        return datum->kind == DATUM_SHAPE || wrong_kind(reader);
    }
    assert(false);
    return false;
}

/* Reports each word in the value that means nothing to the attribute. */
static bool words_known(const AttributeReader *reader) {
    int index = (int)(reader->info - reader->call->layer->attributes);
    bool fine = true;
    if (reader->datum->kind == DATUM_WORD)
        return attribute_takes_word(reader->call->layer, index, reader->datum->text,
                                    reader->call->input) ||
               wrong_word(reader, (Name){reader->datum->text, reader->span});
    if (reader->datum->kind == DATUM_TUPLE)
        for (size_t i = 0; i < reader->datum->tuple.count; i++) {
            AttributeReader item = item_reader(reader, i);
            fine = words_known(&item) && fine;
        }
    return fine;
}

bool attribute_read(const AttributeReader *reader, Attribute *attribute) {
    return !datum_is_poisoned(reader->datum) && words_known(reader) && read_kind(reader, attribute);
}
