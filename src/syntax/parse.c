/* The entry points of the syntax stage, and what a text has to be before its tokens are looked at.
 */
#include <assert.h>
#include <limits.h>
#include <string.h>

#include "net_parser.h"
#include "support/unicode.h"
#include "syntax/parse.h"

Diagnostic *parse_report(Parse *parse, DiagCode code, Span span, const char *format, ...) {
    if (parse->quiet)
        return NULL;
    parse->quiet = true;
    va_list arguments;
    va_start(arguments, format);
    Diagnostic *diagnostic = diag_report_list(parse->diagnostics, code, span, format, arguments);
    va_end(arguments);
    return diagnostic;
}

const char *parse_text(const Parse *parse, Span span) {
    return parse->source->text + (span.begin - parse->source->base);
}

/* The first zero byte or ill-formed UTF-8 sequence, `length` if there is none. */
static size_t first_bad_byte(const char *text, size_t length, bool *is_zero) {
    for (size_t at = 0; at < length;) {
        uint32_t scalar;
        size_t width = unicode_decode(text + at, length - at, &scalar);
        *is_zero = scalar == 0;
        if (*is_zero || scalar == UNICODE_INVALID)
            return at;
        at += width;
    }
    return length;
}

/* Reports a source that is no text at all: nothing in it is looked at then. */
static bool source_is_text(Diagnostics *diagnostics, const Source *source) {
    Span start = {source->base, source->base};
    if (source->length > INT_MAX - 2) {
        diag_report(diagnostics, DIAG_E0803, start, "the file has %u bytes, the most is %d",
                    (unsigned)source->length, INT_MAX - 2);
        return false;
    }
    bool is_zero = false;
    size_t at = first_bad_byte(source->text, source->length, &is_zero);
    if (at == source->length)
        return true;
    uint32_t place = source->base + (uint32_t)at;
    Span span = {place, place + 1};
    unsigned byte = (unsigned char)source->text[at];
    bool utf16 =
        at == 0 && source->length > 1 &&
        (memcmp(source->text, "\xff\xfe", 2) == 0 || memcmp(source->text, "\xfe\xff", 2) == 0);
    if (utf16) {
        Diagnostic *diagnostic =
            diag_report(diagnostics, DIAG_E0105, span, "the file is UTF-16, not UTF-8");
        diag_help(diagnostics, diagnostic, "save it as UTF-8");
    } else if (is_zero) {
        diag_report(diagnostics, DIAG_E0101, span, "a zero byte in the text");
    } else {
        Diagnostic *diagnostic =
            diag_report(diagnostics, DIAG_E0105, span, "the byte 0x%02x is not UTF-8 here", byte);
        diag_help(diagnostics, diagnostic, "save the file as UTF-8");
    }
    return false;
}

void parse_begin(Parse *parse) {
    parse->offset = parse->source->base;
    parse->current.kind = parse->previous.kind = parse->statement.kind = parse->put_back.kind =
        parse->held.kind = -1;
    parse->closing_to = PARSE_MAX_BRACKETS;
    parse->c_locale = newlocale(LC_ALL_MASK, "C", NULL);
    if (parse->c_locale == NULL)
        out_of_memory();
    scanner_begin(parse);
}

void parse_end(Parse *parse) {
    scanner_end(parse);
    freelocale(parse->c_locale);
}

static void run(Parse *parse) {
    if (!source_is_text(parse->diagnostics, parse->source))
        return;
    parse_begin(parse);
    int status = net_parse(parse);
    /* The parser gives up only at the end of a file in which it reported something. */
    assert(status == 0 || diag_has_errors(parse->diagnostics));
    (void)status;
    parse_end(parse);
}

File *parse_file(Arena *arena, Intern *intern, Diagnostics *diagnostics, const Source *source) {
    File *file = ARENA_NEW(arena, File);
    file->source = source;
    Parse parse = {.arena = arena,
                   .intern = intern,
                   .diagnostics = diagnostics,
                   .source = source,
                   .file = file};
    run(&parse);
    return file;
}

StatementList parse_conditions(Arena *arena, Intern *intern, Diagnostics *diagnostics,
                               const Source *source) {
    StatementList conditions = {0};
    File *file = ARENA_NEW(arena, File); /* takes what is no condition, which was reported */
    Parse parse = {.arena = arena,
                   .intern = intern,
                   .diagnostics = diagnostics,
                   .source = source,
                   .file = file,
                   .conditions = &conditions};
    run(&parse);
    return conditions;
}

/* A place that moves on with the tokens, so that a long line is walked through once. */
typedef struct Cursor {
    uint32_t offset; /* in the text */
    uint32_t line;
    uint32_t column;
} Cursor;

static void cursor_move(Cursor *cursor, const Source *source, uint32_t offset) {
    while (cursor->offset < offset) {
        const char *at = source->text + cursor->offset;
        uint32_t scalar;
        cursor->offset += (uint32_t)unicode_decode(at, source->length - cursor->offset, &scalar);
        cursor->column++;
        if (scalar == '\n') {
            cursor->line++;
            cursor->column = 1;
        }
    }
}

static void print_token(const Parse *parse, Cursor *cursor, StrBuf *out) {
    const Token *token = &parse->current;
    cursor_move(cursor, parse->source, token->span.begin - parse->source->base);
    strbuf_format(out, "%u:%u  %s", (unsigned)cursor->line, (unsigned)cursor->column,
                  token_name(token->kind));
    if (token->kind != TOKEN_NEWLINE && token->span.begin < token->span.end) {
        strbuf_add(out, "  ");
        strbuf_add_bytes(out, parse_text(parse, token->span), token->span.end - token->span.begin);
    }
    strbuf_add_char(out, '\n');
}

void parse_print_tokens(Arena *arena, Intern *intern, Diagnostics *diagnostics,
                        const Source *source, StrBuf *out) {
    if (!source_is_text(diagnostics, source))
        return;
    Parse parse = {.arena = arena, .intern = intern, .diagnostics = diagnostics, .source = source};
    parse_begin(&parse);
    Cursor cursor = {.line = 1, .column = 1};
    NET_STYPE value;
    Span span;
    do {
        net_lex(&value, &span, &parse);
        print_token(&parse, &cursor, out);
    } while (parse.current.kind != TOKEN_END_OF_FILE);
    parse_end(&parse);
}
