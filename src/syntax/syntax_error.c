/* The wording of syntax errors. Given the tokens which the grammar could have taken, a message says
 * in a few words what is missing; for the mistakes that people make most it says what to write. */
#include <string.h>

#include "net_parser.h"

#define MAX_PHRASES 4  /* most alternatives a message lists */
#define MAX_SHOWN   40 /* longest token text, in bytes, that a message repeats */

#define ALL_OF(set, members) (((set) & (members)) == (members))

/* --- What was found ------------------------------------------------------------------------- */

/* "`conv`", or "the end of the line" for what has no text or too much of it. */
static const char *token_shown(const Parse *parse, const Token *token) {
    uint32_t length = token->span.end - token->span.begin;
    if (token->kind == TOKEN_NEWLINE || token->kind == TOKEN_END_OF_FILE || length == 0 ||
        length > MAX_SHOWN)
        return token_phrase(token->kind);
    return arena_format(parse->arena, "`%.*s`", (int)length, parse_text(parse, token->span));
}

/* --- What was expected ---------------------------------------------------------------------- */

typedef struct Phrases {
    const char *list[64];
    int count;
} Phrases;

static void phrase_add(Phrases *phrases, const char *phrase) {
    phrases->list[phrases->count++] = phrase;
}

static TokenSet value_starts(void) {
    return TOKEN_BIT(TOKEN_NUMBER) | TOKEN_BIT(TOKEN_SIZE) | TOKEN_BIT(TOKEN_TEXT) |
           TOKEN_BIT(TOKEN_ON) | TOKEN_BIT(TOKEN_OFF) | TOKEN_BIT(TOKEN_NAME) |
           TOKEN_BIT(TOKEN_WEIGHTS) | TOKEN_BIT(TOKEN_LEFT_PAREN) | TOKEN_BIT(TOKEN_MINUS) |
           TOKEN_BIT(TOKEN_NOT) | TOKEN_BIT(TOKEN_LEFT_BRACKET) | TOKEN_BIT(TOKEN_IF) |
           TOKEN_BIT(TOKEN_SKIPPED);
}

static TokenSet statement_starts(void) {
    return TOKEN_BIT(TOKEN_LET) | TOKEN_BIT(TOKEN_RETURN) | TOKEN_BIT(TOKEN_ASSERT) |
           TOKEN_BIT(TOKEN_WEIGHTS) | TOKEN_BIT(TOKEN_NAME) | TOKEN_BIT(TOKEN_LEFT_PAREN) |
           TOKEN_BIT(TOKEN_SKIPPED);
}

static TokenSet item_starts(void) {
    return TOKEN_BIT(TOKEN_NETWORK) | TOKEN_BIT(TOKEN_BLOCK) | TOKEN_BIT(TOKEN_USE);
}

static TokenSet statement_ends(void) {
    return TOKEN_BIT(TOKEN_NEWLINE) | TOKEN_BIT(TOKEN_SEMICOLON) | TOKEN_BIT(TOKEN_END_OF_FILE);
}

/* Names a whole family of tokens by what it begins, and leaves out what is already said. */
static TokenSet phrases_for_families(Phrases *phrases, TokenSet expected) {
    if (token_in(TOKEN_NETWORK, expected)) {
        phrase_add(phrases, "`network`");
        phrase_add(phrases, "`block`");
        phrase_add(phrases, "`let`");
        phrase_add(phrases, "`use`");
        expected &= ~(item_starts() | statement_starts() | statement_ends());
    } else if (token_in(TOKEN_RETURN, expected)) {
        phrase_add(phrases, "a statement");
        expected &= ~(statement_starts() | statement_ends());
    } else if (token_in(TOKEN_NUMBER, expected)) {
        phrase_add(phrases, "a value");
        expected &= ~value_starts();
    } else if (ALL_OF(expected, TOKEN_BIT(TOKEN_NAME) | TOKEN_BIT(TOKEN_LEFT_BRACE))) {
        phrase_add(phrases, "a layer");
        if (token_in(TOKEN_LEFT_BRACKET, expected)) {
            phrase_add(phrases, "a type");
            expected &= ~TOKEN_BIT(TOKEN_LEFT_BRACE);
        }
        expected &= ~(value_starts() | TOKEN_BIT(TOKEN_REPEAT));
    } else if (ALL_OF(expected, TOKEN_BIT(TOKEN_NAME) | TOKEN_BIT(TOKEN_LEFT_BRACKET))) {
        phrase_add(phrases, "a type");
        expected &= ~(TOKEN_BIT(TOKEN_NAME) | TOKEN_BIT(TOKEN_LEFT_BRACKET));
    }
    return expected;
}

/* After a complete value or layer: what could go on with it matters less than what ends it. */
static TokenSet without_continuations(TokenSet expected, int found) {
    TokenSet more = TOKEN_BIT(TOKEN_LEFT_BRACKET) | TOKEN_BIT(TOKEN_DOT) | TOKEN_BIT(TOKEN_COLON);
    TokenSet arguments = TOKEN_BIT(TOKEN_NUMBER) | TOKEN_BIT(TOKEN_SIZE) | TOKEN_BIT(TOKEN_TEXT);
    bool after_value = token_in(TOKEN_PLUS, expected);
    bool after_layer = ALL_OF(expected, TOKEN_BIT(TOKEN_LEFT_PAREN) | TOKEN_BIT(TOKEN_ARROW));
    bool in_chain = token_in(TOKEN_ARROW, expected) && token_in(TOKEN_RIGHT_BRACE, expected) &&
                    !token_in(TOKEN_NEWLINE, expected);
    if (after_value)
        expected &= ~(token_operators() | TOKEN_BIT(TOKEN_DOT));
    if (after_value || after_layer)
        expected &= ~more;
    if ((after_value || after_layer) && !token_in(found, arguments))
        expected &= ~TOKEN_BIT(TOKEN_LEFT_PAREN);
    if ((after_value || token_in(TOKEN_ARROW, expected)) && !in_chain &&
        (expected & ~TOKEN_BIT(TOKEN_ARROW)) != 0 && !token_in(TOKEN_LEFT_BRACE, expected))
        expected &= ~TOKEN_BIT(TOKEN_ARROW);
    return expected;
}

static Phrases expected_phrases(TokenSet expected, int found) {
    Phrases phrases = {.count = 0};
    expected = phrases_for_families(&phrases, without_continuations(expected, found));
    bool ends = token_in(TOKEN_NEWLINE, expected);
    if (ends)
        expected &= ~(statement_ends() | TOKEN_BIT(TOKEN_RIGHT_BRACE));
    expected &= ~TOKEN_BIT(TOKEN_SKIPPED);
    for (int kind = 0; kind < 64; kind++)
        if (token_in(kind, expected))
            phrase_add(&phrases, token_phrase(kind));
    if (ends)
        phrase_add(&phrases, "the end of the statement");
    return phrases;
}

/* "a, b or c" */
static const char *phrases_join(const Parse *parse, const Phrases *phrases) {
    const char *text = phrases->list[0];
    for (int i = 1; i < phrases->count; i++)
        text = arena_format(parse->arena, "%s%s%s", text, i + 1 < phrases->count ? ", " : " or ",
                            phrases->list[i]);
    return text;
}

static Diagnostic *report_expected(Parse *parse, TokenSet expected) {
    Phrases phrases = expected_phrases(expected, parse->current.kind);
    const char *found = token_shown(parse, &parse->current);
    bool written = parse->previous.kind != TOKEN_ASSERT || /* not that of parse_conditions */
                   parse->previous.span.begin < parse->previous.span.end;
    bool follows = parse->previous.kind > 0 && parse->previous.kind != TOKEN_NEWLINE && written;
    const char *before = follows ? token_shown(parse, &parse->previous) : "";
    Span span = parse->current.span;
    if (phrases.count == 0 || phrases.count > MAX_PHRASES)
        return parse_report(parse, DIAG_E0104, span, "%s cannot stand here%s%s", found,
                            follows ? ", after " : "", before);
    return parse_report(parse, DIAG_E0104, span, "expected %s%s%s, found %s",
                        phrases_join(parse, &phrases), follows ? " after " : "", before, found);
}

/* --- Mistakes with an answer of their own ---------------------------------------------------- */

/* `assert params = 60k`, `skip == x -> relu` */
static bool report_equals_sign(Parse *parse, TokenSet expected) {
    Span span = parse->current.span;
    bool compares = token_in(TOKEN_EQUAL, expected);
    if (parse->current.kind == TOKEN_ASSIGN && compares) {
        Diagnostic *diagnostic =
            parse_report(parse, DIAG_E0104, span, "`=` gives a value a name; `==` compares");
        bool meant = parse->statement.kind == TOKEN_ASSERT;
        diag_fix(parse->diagnostics, diagnostic, span, "==", meant, "compare with `==`");
        return true;
    }
    if (parse->current.kind == TOKEN_EQUAL && !compares && token_in(TOKEN_ASSIGN, expected)) {
        Diagnostic *diagnostic =
            parse_report(parse, DIAG_E0104, span, "`==` compares; `=` gives a value a name");
        diag_fix(parse->diagnostics, diagnostic, span, "=", true, "name it with `=`");
        return true;
    }
    return false;
}

/* `let limit = 50k` where conditions are read */
static bool report_no_condition(Parse *parse) {
    bool begins = parse->current.span.begin == parse->statement.span.begin;
    if (!parse->conditions || !begins || !token_in(parse->current.kind, token_keywords()))
        return false;
    Diagnostic *diagnostic =
        parse_report(parse, DIAG_E0104, parse->current.span, "%s begins no condition",
                     token_phrase(parse->current.kind));
    diag_help(parse->diagnostics, diagnostic,
              "only conditions stand here, one a line, such as `params <= 50k`");
    return true;
}

/* `repeat 3 { ... }` as a statement */
static bool report_step_as_statement(Parse *parse) {
    bool begins = parse->current.span.begin == parse->statement.span.begin;
    bool repeats = parse->current.kind == TOKEN_REPEAT;
    if (!begins || (!repeats && parse->current.kind != TOKEN_IF))
        return false;
    Diagnostic *diagnostic =
        parse_report(parse, DIAG_E0104, parse->current.span, "%s is not a statement",
                     token_phrase(parse->current.kind));
    diag_help(parse->diagnostics, diagnostic, "it is a part of one: %s",
              repeats ? "y = x -> repeat 3 { relu }" : "y = if C == 3 { x } else { x -> relu }");
    return true;
}

/* Whether `=` follows the current token. */
static bool assigned(const Parse *parse) {
    const char *after = parse_text(parse, parse->current.span) +
                        (parse->current.span.end - parse->current.span.begin);
    after += strspn(after, " \t");
    return after[0] == '=' && after[1] != '=';
}

/* `let repeat = 3`, `block = 3` */
static bool report_reserved_word(Parse *parse, TokenSet expected) {
    int kind = parse->current.kind;
    Span span = parse->current.span;
    if (!token_in(kind, token_keywords()) || !token_in(TOKEN_NAME, expected))
        return false;
    if (token_in(kind, item_starts()) && token_in(TOKEN_RETURN, expected) && !assigned(parse)) {
        parse_report(parse, DIAG_E0104, span, "%s cannot stand inside of a network or block",
                     token_phrase(kind));
        return true;
    }
    bool defined = assigned(parse);
    if (!defined && token_in(kind, parse->misused)) { /* a use of what was reported */
        parse->quiet = true;
        return true;
    }
    parse->misused |= defined ? TOKEN_BIT(kind) : 0;
    Diagnostic *diagnostic = parse_report(
        parse, DIAG_E0104, span, "%s is a reserved word and cannot be a name", token_phrase(kind));
    diag_help(parse->diagnostics, diagnostic, "choose another, such as `%.*s1`",
              (int)(span.end - span.begin), parse_text(parse, span));
    return true;
}

/* `image.conv(8, 3x3)` */
static bool report_method(Parse *parse) {
    uint32_t name = parse->previous.span.begin;
    if (parse->current.kind != TOKEN_LEFT_PAREN || parse->previous.kind != TOKEN_NAME ||
        name == parse->source->base || parse_text(parse, parse->previous.span)[-1] != '.')
        return false;
    Span dot = {name - 1, name};
    Diagnostic *diagnostic = parse_report(
        parse, DIAG_E0104, dot, "a tensor is passed on to a layer with `->`, not with `.`");
    diag_fix(parse->diagnostics, diagnostic, dot, " -> ", true, "write `->`");
    return true;
}

/* `a)` */
static bool report_stray_bracket(Parse *parse) {
    if (!parse->stray)
        return false;
    Diagnostic *diagnostic = parse_report(parse, DIAG_E0104, parse->current.span,
                                          "%s closes nothing", token_phrase(parse->current.kind));
    diag_fix(parse->diagnostics, diagnostic, parse->current.span, "", false, "remove it");
    return true;
}

/* `0 < a < 3` */
static bool report_comparison_chain(Parse *parse, TokenSet expected) {
    if (!token_in(parse->current.kind, token_comparisons()) || !token_in(TOKEN_AND, expected))
        return false;
    Diagnostic *diagnostic = parse_report(parse, DIAG_E0104, parse->current.span,
                                          "a comparison cannot be compared again");
    diag_help(parse->diagnostics, diagnostic, "join two with `and`: 0 < a and a < 3");
    return true;
}

/* `x -> relu + y` */
static bool report_pipeline_operand(Parse *parse, TokenSet expected) {
    bool after_step = token_in(TOKEN_ARROW, expected) && !token_in(TOKEN_PLUS, expected);
    if (!token_in(parse->current.kind, token_operators()) || !after_step)
        return false;
    Diagnostic *diagnostic =
        parse_report(parse, DIAG_E0104, parse->current.span,
                     "%s cannot follow a step of a pipeline", token_shown(parse, &parse->current));
    diag_help(parse->diagnostics, diagnostic,
              "`->` binds loosest; put the pipeline in parentheses: (x -> relu) + y");
    return true;
}

/* --- Advice for the general message ----------------------------------------------------------- */

/* `3 x 3` */
static bool advise_size(Parse *parse, Diagnostic *diagnostic) {
    const Token *found = &parse->current;
    if (found->kind != TOKEN_NAME || parse->previous.kind != TOKEN_NUMBER || found->text[0] != 'x')
        return false;
    const char *text = parse_text(parse, found->span);
    size_t blanks = found->text[1] == '\0' ? strspn(text + 1, " ") : 0;
    size_t digits = strspn(text + 1 + blanks, "0123456789");
    if (digits == 0)
        return false;
    Span size = {parse->previous.span.begin, found->span.begin + (uint32_t)(1 + blanks + digits)};
    const char *fixed = arena_format(
        parse->arena, "%.*sx%.*s", (int)(parse->previous.span.end - parse->previous.span.begin),
        parse_text(parse, parse->previous.span), (int)digits, text + 1 + blanks);
    diag_fix(parse->diagnostics, diagnostic, size, fixed, true, "a size has no blanks in it");
    return true;
}

/* `conv 60`, `conv(3 3)`, `x relu`: a value right after another. */
static bool advise_between_values(Parse *parse, Diagnostic *diagnostic, TokenSet expected) {
    int found = parse->current.kind;
    Span gap = {parse->previous.span.end, parse->previous.span.end};
    if (!token_in(parse->previous.kind, token_value_ends()) || !token_in(found, value_starts()))
        return false;
    if (parse->previous.kind == TOKEN_NAME && token_in(TOKEN_LEFT_PAREN, expected) &&
        (found == TOKEN_NUMBER || found == TOKEN_SIZE))
        diag_help(parse->diagnostics, diagnostic, "arguments stand in parentheses: conv(60, 7x7)");
    else if (token_in(TOKEN_COMMA, expected))
        diag_fix(parse->diagnostics, diagnostic, gap, ",", false, "put a comma between the two");
    else if (found == TOKEN_NAME && token_in(TOKEN_ARROW, expected) &&
             token_in(TOKEN_NEWLINE, expected))
        diag_fix(parse->diagnostics, diagnostic, gap, " ->", false, "pass it on with `->`");
    else
        return false;
    return true;
}

static bool is_only_type(TokenSet expected) {
    return (expected & ~TOKEN_BIT(TOKEN_LEFT_PAREN)) ==
           (TOKEN_BIT(TOKEN_NAME) | TOKEN_BIT(TOKEN_LEFT_BRACKET));
}

/* What most likely went wrong, for those who do not see it from what was expected. */
static void advise(Parse *parse, Diagnostic *diagnostic, TokenSet expected) {
    Diagnostics *diagnostics = parse->diagnostics;
    int found = parse->current.kind;
    Span gap = {parse->previous.span.end, parse->previous.span.end};
    if (found == TOKEN_LEFT_BRACKET && parse->statement.kind == TOKEN_BLOCK) {
        diag_fix(diagnostics, diagnostic, gap, ":", true, "a tensor has a type after a colon");
        return;
    }
    if (advise_size(parse, diagnostic) || advise_between_values(parse, diagnostic, expected))
        return;
    if (found == TOKEN_COMMA && parse->statement.kind == TOKEN_RETURN)
        diag_help(diagnostics, diagnostic,
                  "several results stand in parentheses: return (boxes, scores)");
    else if (expected == TOKEN_BIT(TOKEN_ASSIGN) && parse->statement.kind == TOKEN_NAME &&
             parse->previous.span.begin == parse->statement.span.begin)
        diag_help(diagnostics, diagnostic,
                  "a value is given a name (y = x -> relu) or returned (return x -> relu)");
    else if (expected == TOKEN_BIT(TOKEN_COLON) && parse->statement.kind == TOKEN_NETWORK)
        diag_help(diagnostics, diagnostic, "an input has a type: image: [1, 28, 28]");
    else if (is_only_type(expected))
        diag_help(diagnostics, diagnostic, "a type is written [1, 28, 28] or u8[3, 224, 224]");
    else if (found == TOKEN_NEWLINE && token_in(TOKEN_LEFT_BRACE, expected) &&
             parse->statement.kind == TOKEN_NETWORK)
        diag_fix(diagnostics, diagnostic, gap, " {", true, "open the network with `{`");
    else if (found == TOKEN_NEWLINE && token_in(TOKEN_RIGHT_BRACE, expected) &&
             token_in(TOKEN_ARROW, expected))
        diag_help(diagnostics, diagnostic, "the steps of a chain are joined by `->`");
    else if (found == TOKEN_COLON)
        diag_help(diagnostics, diagnostic, "a label stands before a layer: stem: conv(8, 3x3)");
}

void syntax_error_report(Parse *parse, TokenSet expected) {
    if (parse->quiet || report_stray_bracket(parse) || report_no_condition(parse) ||
        report_equals_sign(parse, expected) || report_step_as_statement(parse) ||
        report_reserved_word(parse, expected) || report_comparison_chain(parse, expected) ||
        report_pipeline_operand(parse, expected) || report_method(parse))
        return;
    Diagnostic *diagnostic = report_expected(parse, expected);
    advise(parse, diagnostic, expected);
}

void syntax_error_stray_statement(Parse *parse, Span span) {
    if (parse->conditions) {
        parse_report(parse, DIAG_E0104, span, "this statement is no condition");
        return;
    }
    Diagnostic *diagnostic = parse_report(parse, DIAG_E0104, span,
                                          "this statement stands outside of a network or block");
    if (diagnostic != NULL)
        diag_help(parse->diagnostics, diagnostic,
                  "statements stand in the braces of a network or block; "
                  "only `let` and `use` may stand outside");
}
