/* The wording of lexical mistakes. Each message is about one lexeme; the scanner goes on with what
 * was most likely meant. */
#include <string.h>

#include "support/unicode.h"
#include "syntax/parser.h"

/* Characters that editors and other notations put where the language has a plain one. */
typedef struct LookAlike {
    uint32_t scalar;
    const char *plain;
} LookAlike;

static const LookAlike look_alikes[] = {
    {0x00a0, " "}, {0x00d7, "x"},   {0x2010, "-"},  {0x2011, "-"},   {0x2012, "-"},  {0x2013, "-"},
    {0x2014, "-"}, {0x2018, "\""},  {0x2019, "\""}, {0x201c, "\""},  {0x201d, "\""}, {0x2192, "->"},
    {0x2212, "-"}, {0x2227, "and"}, {0x2228, "or"}, {0x2260, "!="},  {0x2264, "<="}, {0x2265, ">="},
    {0x00b7, "*"}, {0x22c5, "*"},   {0x00f7, "/"},  {0x00ac, "not"}, {0x3000, " "},  {0xff08, "("},
    {0xff09, ")"}, {0xff0c, ","},   {0xff1a, ":"},  {0xff1b, ";"},   {0xff1d, "="},
};

/* NULL for a character that looks like none of the language. */
static const char *plain_character(uint32_t scalar) {
    for (size_t i = 0; i < sizeof look_alikes / sizeof *look_alikes; i++)
        if (look_alikes[i].scalar == scalar)
            return look_alikes[i].plain;
    return NULL;
}

static uint32_t scalar_at(const Parse *parse, Span span) {
    uint32_t scalar;
    unicode_decode(parse_text(parse, span), span.end - span.begin, &scalar);
    return scalar;
}

void scan_error_character(Parse *parse, Span span) {
    uint32_t scalar = scalar_at(parse, span);
    Diagnostic *diagnostic;
    if (unicode_is_deceptive(scalar))
        diagnostic = parse_report(parse, DIAG_E0101, span,
                                  "the character U+%04X, which cannot be seen, has no meaning here",
                                  (unsigned)scalar);
    else
        diagnostic =
            parse_report(parse, DIAG_E0101, span, "the character `%.*s` (U+%04X) has no meaning",
                         (int)(span.end - span.begin), parse_text(parse, span), (unsigned)scalar);
    if (diagnostic == NULL)
        return;
    const char *plain = plain_character(scalar);
    if (plain)
        diag_fix(parse->diagnostics, diagnostic, span, plain, true,
                 strcmp(plain, " ") == 0 ? "a plain blank stands here" : "it is written `%s`",
                 plain);
}

#define MAX_PLAIN 64 /* bytes that are looked at for plain characters */

/* `span` with a plain character in place of each that is none; NULL where there is none for one. */
static const char *all_plain(Parse *parse, Span span) {
    const char *fixed = "";
    if (span.end - span.begin > MAX_PLAIN)
        return NULL;
    while (span.begin < span.end) {
        uint32_t scalar = scalar_at(parse, span);
        bool wide = scalar >= 0xff01 && scalar <= 0xff5e; /* the plain ones, as wide as a Chinese */
        char same[2] = {(char)(wide ? scalar - 0xfee0 : scalar < 0x80 ? scalar : 0), '\0'};
        const char *plain = same[0] ? same : plain_character(scalar);
        if (!plain)
            return NULL;
        fixed = arena_format(parse->arena, "%s%s", fixed, plain);
        span.begin +=
            (uint32_t)unicode_decode(parse_text(parse, span), span.end - span.begin, &scalar);
    }
    return fixed;
}

void scan_error_name(Parse *parse, Span span) {
    Diagnostic *diagnostic =
        parse_report(parse, DIAG_E0101, span, "a name has only letters a to z, digits and `_`");
    if (diagnostic == NULL)
        return;
    const char *plain = all_plain(parse, span);
    if (plain)
        diag_fix(parse->diagnostics, diagnostic, span, plain, true, "it is written `%s`", plain);
    else
        diag_help(parse->diagnostics, diagnostic,
                  "a label may be any text: \"größe\": conv(8, 3x3)");
}

void scan_error_open_text(Parse *parse, Span span) {
    Diagnostic *diagnostic = parse_report(parse, DIAG_E0102, span, "this text is never closed");
    if (diagnostic == NULL)
        return;
    const char *text = parse_text(parse, span);
    size_t length = 1 + strcspn(text + 1, "#:\r\n"); /* not the step or comment behind it */
    if (length > span.end - span.begin)
        length = span.end - span.begin;
    while (length > 1 && strchr(" \t),]", text[length - 1]) != NULL)
        length--;
    uint32_t end = span.begin + (uint32_t)length;
    diag_fix(parse->diagnostics, diagnostic, (Span){end, end}, "\"", false, "close it");
}

void scan_error_comment(Parse *parse, Span span) {
    Span sign = {span.begin, span.begin + 2};
    Diagnostic *diagnostic = parse_report(parse, DIAG_E0101, sign, "a comment begins with `#`");
    if (diagnostic == NULL)
        return;
    if (parse_text(parse, span)[1] == '/')
        diag_fix(parse->diagnostics, diagnostic, sign, "#", true,
                 "write `#`, or `/` for the quotient of two integers, which is rounded down");
    else
        diag_help(parse->diagnostics, diagnostic, "and goes to the end of its line");
}

void scan_error_quotes(Parse *parse, Span span) {
    Diagnostic *diagnostic =
        parse_report(parse, DIAG_E0101, span, "a text stands in double quotes");
    const char *text = parse_text(parse, span);
    size_t length = span.end - span.begin;
    if (diagnostic == NULL || memchr(text, '"', length) != NULL)
        return;
    const char *fixed = arena_format(parse->arena, "\"%.*s\"", (int)(length - 2), text + 1);
    diag_fix(parse->diagnostics, diagnostic, span, fixed, true, "write %s", fixed);
}

void scan_error_foreign(Parse *parse, Span span, const char *spelling) {
    const char *text = parse_text(parse, span);
    int length = (int)(span.end - span.begin);
    int trimmed = (int)strcspn(spelling, " ");
    Diagnostic *diagnostic = parse_report(parse, DIAG_E0101, span, "`%.*s` is written `%.*s` here",
                                          length, text, trimmed, spelling);
    if (diagnostic != NULL)
        diag_fix(parse->diagnostics, diagnostic, span, spelling, true, "write `%.*s`", trimmed,
                 spelling);
}

void scan_error_if_deceptive(Parse *parse, Span span) {
    const char *text = parse_text(parse, span);
    size_t length = span.end - span.begin;
    for (size_t at = 0; at < length;) {
        uint32_t scalar;
        size_t width = unicode_decode(text + at, length - at, &scalar);
        bool line_or_tab = scalar == '\t' || scalar == '\n' || scalar == '\r';
        if (!line_or_tab && unicode_is_deceptive(scalar)) {
            uint32_t begin = span.begin + (uint32_t)at;
            Diagnostic *diagnostic = parse_report(
                parse, DIAG_E0101, (Span){begin, begin + (uint32_t)width},
                "the character U+%04X makes this line look other than it is", (unsigned)scalar);
            if (diagnostic != NULL)
                diag_help(parse->diagnostics, diagnostic, "in a text it is written \\u{%x}",
                          (unsigned)scalar);
            return;
        }
        at += width;
    }
}
