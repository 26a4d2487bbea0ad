/* Numbers, sizes and texts: from the bytes of a lexeme to its value. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/checked.h"
#include "syntax/parser.h"

/* Longest part of a number or size that a message repeats; digits beyond are not worth a screen. */
#define LITERAL_SHOWN 1000

/* k = 10^3 = 2^3 * 5^3 and so on; KiB = 2^10. */
typedef struct Unit {
    const char *name;
    int twos;
    int fives;
} Unit;

static const Unit units[] = {{"k", 3, 3},    {"M", 6, 6},    {"G", 9, 9},
                             {"KiB", 10, 0}, {"MiB", 20, 0}, {"GiB", 30, 0}};

/* A number taken apart: digits * 10^(exponent of the text) * unit. */
typedef struct Number {
    const char *text;
    size_t length;   /* of the whole lexeme */
    size_t mantissa; /* of digits, underscores and point */
    size_t number;   /* of the mantissa and the exponent: without the unit */
    Unit unit;       /* all zero: none */
    bool is_float;   /* has a point or an exponent */
    bool has_exponent;
} Number;

static int shown(size_t length) {
    return (int)(length < LITERAL_SHOWN ? length : LITERAL_SHOWN);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static Number number_split(const char *text, size_t length) {
    Number number = {.text = text, .length = length};
    size_t at = 0;
    while (at < length && (is_digit(text[at]) || text[at] == '_' || text[at] == '.')) {
        number.is_float = number.is_float || text[at] == '.';
        at++;
    }
    number.mantissa = at;
    if (at < length && (text[at] == 'e' || text[at] == 'E')) {
        number.has_exponent = number.is_float = true;
        at++;
        while (at < length && (is_digit(text[at]) || text[at] == '+' || text[at] == '-'))
            at++;
    }
    number.number = at;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == length - at &&
            memcmp(units[i].name, text + at, length - at) == 0)
            number.unit = units[i];
    return number;
}

/* value * factor^count */
static bool scale(int64_t *value, int64_t factor, int count) {
    for (int i = 0; i < count; i++)
        if (!checked_mul(*value, factor, value))
            return false;
    return true;
}

/* The digits as one integer, the point left out. */
static bool read_digits(const char *text, size_t length, int64_t *value) {
    *value = 0;
    for (size_t i = 0; i < length; i++)
        if (is_digit(text[i]) &&
            !(checked_mul(*value, 10, value) && checked_add(*value, text[i] - '0', value)))
            return false;
    return true;
}

/* Length of the mantissa without the zeros that end its fraction, and how many digits are left
 * after the point. */
static size_t trim_fraction(const Number *number, int *fraction) {
    const char *point = memchr(number->text, '.', number->mantissa);
    size_t length = number->mantissa;
    *fraction = 0;
    if (point == NULL)
        return length;
    while (number->text[length - 1] == '0' || number->text[length - 1] == '_')
        length--;
    for (const char *at = point + 1; at < number->text + length; at++)
        if (is_digit(*at) && ++*fraction > 18)
            break;
    return length;
}

typedef enum Exactness { EXACT, NOT_WHOLE, TOO_LARGE } Exactness;

/* The number as an integer, worked out without rounding: 1.9G is 19 * 2^9 * 5^9 / 10. */
static Exactness number_as_integer(const Number *number, int64_t *value) {
    int fraction;
    size_t length = trim_fraction(number, &fraction);
    if (fraction > 18)
        return NOT_WHOLE;
    if (!read_digits(number->text, length, value))
        return fraction > 0 ? NOT_WHOLE : TOO_LARGE;
    int twos = number->unit.twos;
    int fives = number->unit.fives;
    for (; fraction > 0; fraction--) {
        if (twos > 0)
            twos--;
        else if (*value % 2 == 0)
            *value /= 2;
        else
            return NOT_WHOLE;
        if (fives > 0)
            fives--;
        else if (*value % 5 == 0)
            *value /= 5;
        else
            return NOT_WHOLE;
    }
    return scale(value, 2, twos) && scale(value, 5, fives) ? EXACT : TOO_LARGE;
}

/* Correctly rounded: a decimal unit becomes part of the exponent, a binary one scales exactly. */
static double number_as_float(const Parse *parse, const Number *number) {
    char *digits = arena_alloc(parse->arena, number->number + sizeof "e9");
    size_t count = 0;
    for (size_t i = 0; i < number->number; i++)
        if (number->text[i] != '_')
            digits[count++] = number->text[i];
    if (number->unit.fives > 0) {
        digits[count++] = 'e';
        digits[count++] = (char)('0' + number->unit.fives);
    }
    double value = strtod_l(digits, NULL, parse->c_locale);
    return number->unit.fives > 0 ? value : ldexp(value, number->unit.twos);
}

Expr *literal_number(Parse *parse, Span span) {
    const char *text = parse_text(parse, span);
    Number number = number_split(text, span.end - span.begin);
    bool has_unit = number.unit.name != NULL;
    if (!number.is_float || (has_unit && !number.has_exponent)) {
        int64_t value;
        switch (number_as_integer(&number, &value)) {
        case EXACT: return expr_integer(parse, span, value);
        case NOT_WHOLE: break;
        case TOO_LARGE:
            parse_report(parse, DIAG_E0802, span, "the number %.*s does not fit 64 bits",
                         shown(number.length), text);
            return expr_error(parse, span);
        }
    }
    double value = number_as_float(parse, &number);
    if (isfinite(value))
        return expr_float(parse, span, value);
    parse_report(parse, DIAG_E0802, span, "the number %.*s does not fit a 64-bit float",
                 shown(number.length), text);
    return expr_error(parse, span);
}

Expr *literal_size(Parse *parse, Span span) {
    const char *text = parse_text(parse, span);
    const char *end = text + (span.end - span.begin);
    int64_t dims[AST_MAX_SIZE_RANK];
    int rank = 0;
    for (const char *at = text; at < end; rank++) {
        const char *cross = memchr(at, 'x', (size_t)(end - at));
        size_t length = (size_t)((cross != NULL ? cross : end) - at);
        if (rank == AST_MAX_SIZE_RANK) {
            parse_report(parse, DIAG_E0103, span, "a size has at most %d factors",
                         AST_MAX_SIZE_RANK);
            return expr_error(parse, span);
        }
        if (!read_digits(at, length, &dims[rank])) {
            parse_report(parse, DIAG_E0802, span, "%.*s does not fit 64 bits", shown(length), at);
            return expr_error(parse, span);
        }
        at += length + 1;
    }
    return expr_size(parse, span, rank, dims);
}

/* The unit that was most likely meant: `K`, `kb`, `mib`. */
static const char *nearest_unit(const char *text, size_t length) {
    static const char letters[] = "kmg";
    if (length == 0 || length > 3)
        return NULL;
    const char *letter = strchr(letters, text[0] | 0x20);
    if (letter == NULL || *letter == '\0')
        return NULL;
    bool bytes = length > 1 && (text[length - 1] | 0x20) == 'b';
    if ((length == 2 && !bytes) || (length == 3 && !(bytes && (text[1] | 0x20) == 'i')))
        return NULL;
    return units[(letter - letters) + (bytes ? 3 : 0)].name;
}

void literal_malformed(Parse *parse, Span span) {
    const char *text = parse_text(parse, span);
    size_t length = span.end - span.begin;
    Diagnostic *diagnostic =
        parse_report(parse, DIAG_E0103, span, "`%.*s` is not a number", shown(length), text);
    if (diagnostic == NULL)
        return;
    Diagnostics *diagnostics = parse->diagnostics;
    size_t digits = strspn(text, "0123456789_.");
    const char *unit = digits < length ? nearest_unit(text + digits, length - digits) : NULL;
    if (text[0] == '.') {
        diag_fix(diagnostics, diagnostic, (Span){span.begin, span.begin}, "0", true,
                 "a digit stands before the point");
    } else if (unit != NULL) {
        uint32_t at = span.begin + (uint32_t)digits;
        diag_fix(diagnostics, diagnostic, (Span){at, span.end}, unit, false,
                 "the unit is written `%s`", unit);
    } else if (memchr(text, '_', length) != NULL) {
        diag_help(diagnostics, diagnostic, "an underscore stands between two digits: 50_828_751");
    } else {
        diag_help(diagnostics, diagnostic,
                  "numbers are written 60, 60k, 1.9G, 256KiB or 1e-5, sizes 3x3");
    }
}

/* --- Texts ---------------------------------------------------------------------------------- */

static void add_utf8(StrBuf *out, uint32_t scalar) {
    char bytes[4];
    size_t length;
    if (scalar < 0x80) {
        bytes[0] = (char)scalar;
        length = 1;
    } else if (scalar < 0x800) {
        bytes[0] = (char)(0xc0 | scalar >> 6);
        bytes[1] = (char)(0x80 | (scalar & 0x3f));
        length = 2;
    } else if (scalar < 0x10000) {
        bytes[0] = (char)(0xe0 | scalar >> 12);
        bytes[1] = (char)(0x80 | (scalar >> 6 & 0x3f));
        bytes[2] = (char)(0x80 | (scalar & 0x3f));
        length = 3;
    } else {
        bytes[0] = (char)(0xf0 | scalar >> 18);
        bytes[1] = (char)(0x80 | (scalar >> 12 & 0x3f));
        bytes[2] = (char)(0x80 | (scalar >> 6 & 0x3f));
        bytes[3] = (char)(0x80 | (scalar & 0x3f));
        length = 4;
    }
    strbuf_add_bytes(out, bytes, length);
}

/* The character of \u{...}, `text` being at the `u`; sets how many bytes it takes. 0 if it is none:
 * a zero byte would end the text early, surrogates are not characters. */
static uint32_t read_unicode_escape(const char *text, const char *end, size_t *length) {
    uint32_t scalar = 0;
    const char *at = text + 1;
    if (at < end && *at == '{')
        for (at++; at < end && *at != '}' && at - text <= 8; at++) {
            char lower = (char)(*at | 0x20);
            if (is_digit(*at))
                scalar = scalar * 16 + (uint32_t)(*at - '0');
            else if (lower >= 'a' && lower <= 'f')
                scalar = scalar * 16 + (uint32_t)(lower - 'a' + 10);
            else
                return 0;
        }
    if (at >= end || *at != '}' || scalar > 0x10ffff || (scalar >= 0xd800 && scalar < 0xe000))
        return 0;
    *length = (size_t)(at + 1 - text);
    return scalar;
}

/* Appends what the escape at `text` (after the backslash) means; its length, or 0 after saying that
 * there is no such escape. `offset` is the place of the backslash. */
static size_t add_escape(Parse *parse, StrBuf *out, const char *text, const char *end,
                         uint32_t offset) {
    size_t length = 1;
    uint32_t scalar = 0;
    switch (*text) {
    case '"':
    case '\\': scalar = (uint32_t)*text; break;
    case 'n': scalar = '\n'; break;
    case 't': scalar = '\t'; break;
    case 'u': scalar = read_unicode_escape(text, end, &length); break;
    }
    if (scalar != 0) {
        add_utf8(out, scalar);
        return length;
    }
    size_t width = 1; /* of the character after the backslash */
    while (text + width < end && ((unsigned char)text[width] & 0xc0) == 0x80)
        width++;
    Span span = {offset, offset + 1 + (uint32_t)width};
    Diagnostic *diagnostic = parse_report(parse, DIAG_E0107, span, "there is no escape `\\%.*s`%s",
                                          (int)width, text, *text == 'u' ? " like this" : "");
    if (diagnostic != NULL)
        diag_help(parse->diagnostics, diagnostic,
                  "the escapes are \\\" \\\\ \\n \\t and \\u{e9}; a backslash itself is \\\\");
    return 0;
}

const char *literal_string(Parse *parse, Span span, bool closed) {
    const char *text = parse_text(parse, span);
    const char *end = text + (span.end - span.begin) - (closed ? 1 : 0);
    StrBuf value = {0};
    for (const char *at = text + 1; at < end;) {
        if (*at != '\\') {
            strbuf_add_char(&value, *at++);
            continue;
        }
        uint32_t offset = span.begin + (uint32_t)(at - text);
        at++;
        at += at < end ? add_escape(parse, &value, at, end, offset) : 0;
    }
    const char *result = intern_bytes(parse->intern, strbuf_text(&value), value.length);
    strbuf_free(&value);
    return result;
}
