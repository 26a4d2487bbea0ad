/* What an expression stands for: see datum.h. */
#include "graph/datum.h"

#include <assert.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/checked.h"

Datum datum_integer(int64_t integer) {
    return (Datum){.kind = DATUM_INTEGER, .integer = integer};
}

Datum datum_number(double number) {
    return (Datum){.kind = DATUM_NUMBER, .number = number};
}

Datum datum_boolean(bool boolean) {
    return (Datum){.kind = DATUM_BOOLEAN, .boolean = boolean};
}

Datum datum_tensor(Value *tensor) {
    return (Datum){.kind = DATUM_TENSOR, .tensor = tensor};
}

const char *datum_kind_name(DatumKind kind) {
    switch (kind) {
    case DATUM_POISON: return "an unknown value";
    case DATUM_INTEGER: return "an integer";
    case DATUM_NUMBER: return "a decimal number";
    case DATUM_BOOLEAN: return "on or off";
    case DATUM_TEXT: return "a text";
    case DATUM_SIZE: return "a size";
    case DATUM_SHAPE: return "a shape";
    case DATUM_WORD: return "a name";
    case DATUM_TENSOR: return "a tensor";
    case DATUM_TUPLE: return "a tuple";
    }
    assert(false);
    return "";
}

bool datum_is_poisoned(const Datum *datum) {
    if (datum->kind == DATUM_TENSOR)
        return datum->tensor->poisoned;
    if (datum->kind == DATUM_TUPLE)
        for (size_t i = 0; i < datum->tuple.count; i++)
            if (datum_is_poisoned(&datum->tuple.items[i]))
                return true;
    return datum->kind == DATUM_POISON;
}

bool datum_is_number(const Datum *datum) {
    return datum->kind == DATUM_INTEGER || datum->kind == DATUM_NUMBER;
}

bool datum_is_whole(const Datum *datum) {
    if (datum->kind != DATUM_NUMBER)
        return datum->kind == DATUM_INTEGER;
    return fabs(datum->number) <= 0x1p53 && floor(datum->number) == datum->number;
}

static bool is_tensor(const Datum *datum) {
    return datum->kind == DATUM_TENSOR || datum->kind == DATUM_POISON;
}

bool datum_is_tensors(const Datum *datum) {
    if (datum->kind != DATUM_TUPLE)
        return is_tensor(datum);
    for (size_t i = 0; i < datum->tuple.count; i++)
        if (!is_tensor(&datum->tuple.items[i]))
            return false;
    return true;
}

/* ---- comparison --------------------------------------------------------------------------- */

static int compare_doubles(double a, double b) {
    if (isnan(a) || isnan(b))
        return 2;
    return (a > b) - (a < b);
}

/* Exact, although most integers beyond 2^53 are not doubles. */
static int compare_mixed(int64_t a, double b) {
    if (isnan(b))
        return 2;
    if (b >= 0x1p63)
        return -1;
    if (b < -0x1p63)
        return 1;
    double whole = floor(b);
    int64_t integer = (int64_t)whole;
    if (a != integer)
        return a < integer ? -1 : 1;
    return b > whole ? -1 : 0;
}

int datum_compare(const Datum *a, const Datum *b) {
    assert(datum_is_number(a) && datum_is_number(b));
    if (a->kind == DATUM_INTEGER && b->kind == DATUM_INTEGER)
        return (a->integer > b->integer) - (a->integer < b->integer);
    if (a->kind == DATUM_INTEGER)
        return compare_mixed(a->integer, b->number);
    if (b->kind == DATUM_INTEGER) {
        int opposite = compare_mixed(b->integer, a->number);
        return opposite == 2 ? 2 : -opposite;
    }
    return compare_doubles(a->number, b->number);
}

/* ---- text --------------------------------------------------------------------------------- */

static void print_tuple(const Datum *datum, StrBuf *out) {
    strbuf_add_char(out, '(');
    for (size_t i = 0; i < datum->tuple.count; i++) {
        if (i > 0)
            strbuf_add(out, ", ");
        datum_print(&datum->tuple.items[i], out);
    }
    strbuf_add_char(out, ')');
}

void datum_print(const Datum *datum, StrBuf *out) {
    switch (datum->kind) {
    case DATUM_POISON: strbuf_add(out, "unknown"); break;
    case DATUM_INTEGER: strbuf_add_count(out, datum->integer, ','); break;
    case DATUM_NUMBER:
        if (datum_is_whole(datum))
            strbuf_add_count(out, (int64_t)datum->number, ',');
        else
            strbuf_format(out, "%.15g", datum->number);
        break;
    case DATUM_BOOLEAN: strbuf_add(out, datum->boolean ? "on" : "off"); break;
    case DATUM_TEXT: strbuf_format(out, "\"%s\"", datum->text); break;
    case DATUM_SIZE:
        for (int i = 0; i < datum->size->rank; i++)
            strbuf_format(out, i ? "x%" PRId64 : "%" PRId64, datum->size->dims[i]);
        break;
    case DATUM_SHAPE: shape_print(datum->shape, out); break;
    case DATUM_WORD: strbuf_add(out, datum->text); break;
    case DATUM_TENSOR: shape_print(&datum->tensor->type.shape, out); break;
    case DATUM_TUPLE: print_tuple(datum, out); break;
    }
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Decimal digits, with `_` between them, from *text on. */
static bool read_digits(const char **text, int64_t *number) {
    const char *at = *text;
    *number = 0;
    if (!is_digit(*at))
        return false;
    for (; is_digit(*at) || (*at == '_' && is_digit(at[1])); at++)
        if (*at != '_' &&
            (!checked_mul(*number, 10, number) || !checked_add(*number, *at - '0', number)))
            return false;
    *text = at;
    return true;
}

static bool read_unit(const char *text, int64_t *unit) {
    static const struct {
        const char *name;
        int64_t value;
    } units[] = {{"", 1},          {"k", 1000},      {"M", 1000000},  {"G", 1000000000},
                 {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(units[i].name, text) == 0) {
            *unit = units[i].value;
            return true;
        }
    }
    return false;
}

static bool read_integer(const char *text, bool negative, Datum *datum) {
    int64_t number;
    int64_t unit;
    if (!read_digits(&text, &number) || !read_unit(text, &unit) ||
        !checked_mul(number, negative ? -unit : unit, &number))
        return false;
    *datum = datum_integer(number);
    return true;
}

static bool read_size(Arena *arena, const char *text, Datum *datum) {
    Shape *size = ARENA_NEW(arena, Shape);
    *datum = (Datum){.kind = DATUM_SIZE, .size = size};
    while (size->rank < TENSOR_MAX_RANK && read_digits(&text, &size->dims[size->rank])) {
        size->rank++;
        if (*text == '\0')
            return size->rank > 1;
        if (*text++ != 'x')
            return false;
    }
    return false;
}

/* Decimal digits, a point, an exponent: never `inf`, `nan` or hexadecimal as strtod reads, and a
 * point in every locale. */
static bool read_number(const char *text, bool negative, Datum *datum) {
    if (!is_digit(*text) || text[strspn(text, "0123456789.eE+-")] != '\0')
        return false;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    char *end;
    double number = strtod_l(text, &end, c_locale);
    freelocale(c_locale);
    if (*end != '\0' || !isfinite(number))
        return false;
    *datum = datum_number(negative ? -number : number);
    return true;
}

Datum datum_read(Arena *arena, const char *text) {
    Datum datum;
    bool negative = text[0] == '-';
    const char *digits = text + negative;
    if (read_integer(digits, negative, &datum) || read_number(digits, negative, &datum) ||
        (!negative && read_size(arena, digits, &datum)))
        return datum;
    if (strcmp(text, "on") == 0 || strcmp(text, "off") == 0)
        return datum_boolean(strcmp(text, "on") == 0);
    return (Datum){.kind = DATUM_WORD, .text = arena_copy_text(arena, text, strlen(text))};
}
