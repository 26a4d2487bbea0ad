/* Between the scanner and the grammar: which line ends end a statement, and what to do about
 * brackets that do not match.
 *
 * A forgotten closing bracket would make every later line part of the same statement. It is noticed
 * where a line plainly begins something new, at a closing bracket of another kind and at the end of
 * the file; it is then reported at the opening bracket and handed to the grammar with no width, so
 * that nothing else has to be said about it. */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "net_parser.h"
#include "support/unicode.h"

static const Token no_token = {.kind = -1};

/* --- Reading -------------------------------------------------------------------------------- */

static Token scan(Parse *parse) {
    if (parse->put_back.kind >= 0) {
        Token token = parse->put_back;
        parse->put_back = no_token;
        return token;
    }
    NET_STYPE value = {0};
    Token token = no_token;
    token.kind = scan_token(&value, &token.span, parse->scanner);
    if (token.kind == TOKEN_NAME || token.kind == TOKEN_TEXT)
        token.text = value.TOKEN_NAME;
    else
        token.expr = value.TOKEN_NUMBER;
    return token;
}

/* The text of the token that is read next. After a line end that is the first of the next line
 * that has any. */
static const char *text_ahead(const Parse *parse) {
    return parse_text(parse, (Span){parse->offset, parse->offset});
}

static bool word_ahead(const Parse *parse, const char *word) {
    const char *text = text_ahead(parse);
    size_t length = strlen(word);
    return strncmp(text, word, length) == 0 && !is_name_character(text[length]);
}

/* `name = ...`, with blanks round the sign: a statement, not a named argument. */
static bool binding_ahead(const Parse *parse) {
    const char *text = text_ahead(parse);
    size_t name = 0;
    while (is_name_character(text[name]))
        name++;
    size_t blanks = strspn(text + name, " \t");
    const char *sign = text + name + blanks;
    return name > 0 && blanks > 0 && sign[0] == '=' && (sign[1] == ' ' || sign[1] == '\t');
}

/* `weights "file"`, not the metric. */
static bool weights_ahead(const Parse *parse) {
    const char *text = text_ahead(parse);
    size_t word = strlen("weights");
    return word_ahead(parse, "weights") && text[word + strspn(text + word, " \t")] == '"';
}

/* --- Brackets ------------------------------------------------------------------------------- */

static bool is_opening(int kind) {
    return kind == TOKEN_LEFT_PAREN || kind == TOKEN_LEFT_BRACKET || kind == TOKEN_LEFT_BRACE;
}

static bool is_closing(int kind) {
    return kind == TOKEN_RIGHT_PAREN || kind == TOKEN_RIGHT_BRACKET || kind == TOKEN_RIGHT_BRACE;
}

static int closing_of(int opening) {
    if (opening == TOKEN_LEFT_PAREN)
        return TOKEN_RIGHT_PAREN;
    return opening == TOKEN_LEFT_BRACKET ? TOKEN_RIGHT_BRACKET : TOKEN_RIGHT_BRACE;
}

static const char *closing_text(int opening) {
    if (opening == TOKEN_LEFT_PAREN)
        return ")";
    return opening == TOKEN_LEFT_BRACKET ? "]" : "}";
}

static bool innermost_is(const Parse *parse, int kind) {
    return parse->bracket_count > 0 && parse->brackets[parse->bracket_count - 1].kind == kind;
}

static bool within_parens(const Parse *parse) {
    return innermost_is(parse, TOKEN_LEFT_PAREN) || innermost_is(parse, TOKEN_LEFT_BRACKET);
}

/* Where statements stand: in the braces of a network or block, or outside of them. */
static int statement_level(const Parse *parse) {
    return parse->bracket_count > 0 && parse->brackets[0].body ? 1 : 0;
}

static bool in_header(const Parse *parse) {
    return (parse->statement.kind == TOKEN_NETWORK || parse->statement.kind == TOKEN_BLOCK) &&
           statement_level(parse) == 0;
}

static Bracket pop_bracket(Parse *parse) {
    Bracket open = parse->brackets[--parse->bracket_count];
    parse->body_closed = open.body;
    return open;
}

/* Which bracket a closing one closes, -1 for none. `)` and `]` do not reach out of braces. */
static int opening_of(const Parse *parse, int closing) {
    for (int i = parse->bracket_count - 1; i >= 0; i--) {
        if (closing_of(parse->brackets[i].kind) == closing)
            return i;
        if (parse->brackets[i].kind == TOKEN_LEFT_BRACE)
            return -1;
    }
    return -1;
}

/* Makes the grammar see the brackets above `level` closed before it sees `token` again. */
static void close_brackets(Parse *parse, int level, Token token, const char *reason) {
    const Bracket *open = &parse->brackets[parse->bracket_count - 1];
    if (parse->bracket_count == statement_level(parse))
        parse->quiet = false; /* the braces of a network are no part of its last statement */
    Diagnostic *diagnostic =
        parse_report(parse, DIAG_E0108, open->span, "%s is never closed", token_phrase(open->kind));
    if (diagnostic != NULL) {
        bool brace = open->kind == TOKEN_LEFT_BRACE;
        bool line_ended = parse->current.kind == TOKEN_NEWLINE;
        const Token *last = line_ended ? &parse->previous : &parse->current;
        uint32_t at = brace ? token.span.begin : last->span.end;
        diag_label(parse->diagnostics, diagnostic, token.span, "%s", reason);
        diag_fix(parse->diagnostics, diagnostic, (Span){at, at}, closing_text(open->kind), false,
                 "close it");
    }
    parse->closing_to = level;
    parse->put_back = token;
}

static Token close_innermost(Parse *parse) {
    Bracket open = pop_bracket(parse);
    if (parse->bracket_count <= parse->closing_to)
        parse->closing_to = PARSE_MAX_BRACKETS;
    uint32_t at = parse->current.span.end;
    return (Token){.kind = closing_of(open.kind), .span = {at, at}};
}

/* --- Parts that are skipped ----------------------------------------------------------------- */

/* Skips tokens until `level` more brackets are closed than opened, or to the end of the file.
 * Where that ends. */
static uint32_t skip_brackets(Parse *parse, int level) {
    uint32_t end = parse->offset;
    while (level > 0) {
        Token token = scan(parse);
        if (token.kind == TOKEN_END_OF_FILE) {
            parse->put_back = token;
            break;
        }
        if (is_opening(token.kind))
            level++;
        else if (is_closing(token.kind))
            level--;
        end = token.span.end;
    }
    return end;
}

static Token skipped(Parse *parse, uint32_t begin, uint32_t end) {
    Span span = {begin, end};
    return (Token){.kind = TOKEN_SKIPPED, .span = span, .expr = expr_error(parse, span)};
}

/* One bracket too many: reports it and skips to where it is closed. */
static Token skip_too_deep(Parse *parse, Token opening) {
    Diagnostic *diagnostic = parse_report(
        parse, DIAG_E0801, opening.span, "more than %d brackets are open here", PARSE_MAX_BRACKETS);
    if (diagnostic != NULL)
        diag_label(parse->diagnostics, diagnostic, parse->brackets[0].span,
                   "the outermost is opened here");
    return skipped(parse, opening.span.begin, skip_brackets(parse, 1));
}

/* --- Line ends ------------------------------------------------------------------------------ */

/* After these a statement goes on in the next line. */
static bool goes_on_after(const Parse *parse) {
    return token_in(parse->current.kind,
                    token_operators() | TOKEN_BIT(TOKEN_ARROW) | TOKEN_BIT(TOKEN_COMMA) |
                        TOKEN_BIT(TOKEN_ASSIGN) | TOKEN_BIT(TOKEN_COLON) | TOKEN_BIT(TOKEN_NOT) |
                        TOKEN_BIT(TOKEN_LEFT_PAREN) | TOKEN_BIT(TOKEN_LEFT_BRACKET));
}

/* Does the next line plainly begin something, whatever is still open? These words and a named value
 * (not a named argument: those follow `(` and `,`) stand nowhere else. */
static bool statement_ahead(const Parse *parse) {
    bool argument = parse->current.kind == TOKEN_LEFT_PAREN || parse->current.kind == TOKEN_COMMA;
    return word_ahead(parse, "let") || word_ahead(parse, "return") || word_ahead(parse, "assert") ||
           weights_ahead(parse) || (!argument && binding_ahead(parse));
}

static bool item_ahead(const Parse *parse) {
    uint32_t offset = parse->offset - parse->source->base;
    bool indented = offset > 0 && text_ahead(parse)[-1] != '\n' && text_ahead(parse)[-1] != '\r';
    return word_ahead(parse, "network") ||
           (!indented && (word_ahead(parse, "block") || word_ahead(parse, "use")));
}

/* How many brackets are open where the next line begins. */
static int level_of_line(const Parse *parse) {
    if (item_ahead(parse))
        return 0;
    return statement_ahead(parse) ? statement_level(parse) : parse->bracket_count;
}

/* Is a line end dropped because the next line plainly belongs to the same statement? */
static bool line_goes_on(const Parse *parse) {
    const char *ahead = text_ahead(parse);
    if (parse->current.kind < 0) /* nothing began yet */
        return true;
    if (item_ahead(parse) || statement_ahead(parse))
        return false;
    if (strncmp(ahead, "->", 2) == 0 || word_ahead(parse, "else") || goes_on_after(parse) ||
        within_parens(parse))
        return true;
    if (ahead[0] == '{') /* the brace of a network on a line of its own */
        return parse->bracket_count == 0 && in_header(parse);
    bool in_chain = parse->bracket_count > statement_level(parse);
    return in_chain && (ahead[0] == '}' || parse->current.kind == TOKEN_LEFT_BRACE);
}

/* --- The parser's next token ---------------------------------------------------------------- */

static Token close_or_pass(Parse *parse, Token closing) {
    int opening = opening_of(parse, closing.kind);
    if (opening >= 0 && opening < parse->bracket_count - 1) {
        close_brackets(parse, opening + 1, closing, "something around it is closed here");
        return close_innermost(parse);
    }
    parse->stray = opening < 0;
    if (opening >= 0)
        pop_bracket(parse);
    return closing;
}

static Token open_bracket(Parse *parse, Token opening) {
    bool branch = parse->choice && parse->bracket_count > 0;
    bool body = opening.kind == TOKEN_LEFT_BRACE && in_header(parse) && !branch;
    if (body && parse->bracket_count > 0) {
        close_brackets(parse, 0, opening, "the network begins here");
        return close_innermost(parse);
    }
    if (parse->bracket_count == PARSE_MAX_BRACKETS)
        return skip_too_deep(parse, opening);
    parse->brackets[parse->bracket_count++] = (Bracket){opening.kind, opening.span, body};
    return opening;
}

/* A `;` does not end anything within parentheses; the grammar sees a comma there. */
static Token separate(Parse *parse, Token semicolon) {
    if (!within_parens(parse))
        return semicolon;
    Diagnostic *diagnostic =
        parse_report(parse, DIAG_E0104, semicolon.span, "`;` ends a statement, but %s is open",
                     token_phrase(parse->brackets[parse->bracket_count - 1].kind));
    if (diagnostic != NULL)
        diag_label(parse->diagnostics, diagnostic, parse->brackets[parse->bracket_count - 1].span,
                   "opened here");
    semicolon.kind = TOKEN_COMMA;
    return semicolon;
}

static Token next_token(Parse *parse) {
    for (;;) {
        if (parse->bracket_count > parse->closing_to)
            return close_innermost(parse);
        Token token = scan(parse);
        if (token.kind == TOKEN_NEWLINE) {
            int level = level_of_line(parse);
            if (level < parse->bracket_count) {
                close_brackets(parse, level, token, "something new begins after this line");
                continue;
            }
            if (line_goes_on(parse))
                continue;
        } else if (token.kind == TOKEN_END_OF_FILE && parse->bracket_count > 0) {
            close_brackets(parse, 0, token, "the file ends here");
            continue;
        }
        if (is_opening(token.kind))
            return open_bracket(parse, token);
        if (is_closing(token.kind))
            return close_or_pass(parse, token);
        return token.kind == TOKEN_SEMICOLON ? separate(parse, token) : token;
    }
}

/* `Network` for `network`, where a statement begins: says so and takes it for the reserved word. */
static void correct_case(Parse *parse, Token *token) {
    static const struct {
        const char *word;
        int kind;
    } words[] = {{"network", TOKEN_NETWORK}, {"block", TOKEN_BLOCK},   {"use", TOKEN_USE},
                 {"let", TOKEN_LET},         {"return", TOKEN_RETURN}, {"assert", TOKEN_ASSERT},
                 {"weights", TOKEN_WEIGHTS}};
    const char *ahead = text_ahead(parse);
    if (token->kind != TOKEN_NAME || ahead[strspn(ahead, " \t")] == '=')
        return;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(token->text, words[i].word) != 0)
            continue;
        Diagnostic *diagnostic = parse_report(parse, DIAG_E0104, token->span,
                                              "`%s` is written `%s`", token->text, words[i].word);
        if (diagnostic != NULL)
            diag_fix(parse->diagnostics, diagnostic, token->span, words[i].word, true,
                     "reserved words have no capitals");
        token->kind = words[i].kind;
    }
}

/* Has the statement that `current` belongs to been left behind? */
static bool statement_over(const Parse *parse) {
    int kind = parse->current.kind;
    if (kind == TOKEN_RIGHT_BRACE)
        return parse->body_closed;
    return parse->bracket_count <= statement_level(parse) &&
           (kind < 0 || kind == TOKEN_NEWLINE || kind == TOKEN_SEMICOLON ||
            kind == TOKEN_LEFT_BRACE);
}

/* Where conditions are read, each gets the word that stands before it in a network. */
static void add_assert(Parse *parse, Token *token) {
    if (!parse->conditions || token->kind == TOKEN_ASSERT || token->kind == TOKEN_NEWLINE ||
        token->kind == TOKEN_SEMICOLON || token->kind == TOKEN_END_OF_FILE)
        return;
    parse->held = *token;
    *token = (Token){.kind = TOKEN_ASSERT, .span = {token->span.begin, token->span.begin}};
}

int net_lex(NET_STYPE *value, NET_LTYPE *span, Parse *parse) {
    bool begins = statement_over(parse);
    if (begins)
        parse->quiet = false;
    Token token = parse->held;
    parse->held = no_token;
    if (token.kind < 0) {
        parse->stray = false;
        token = next_token(parse);
    }
    if (begins) {
        correct_case(parse, &token);
        add_assert(parse, &token);
    }
    parse->previous = parse->current;
    parse->current = token;
    if (begins)
        parse->statement = token;
    parse->choice = (parse->choice && !begins) || token.kind == TOKEN_IF;
    if (token.kind == TOKEN_NAME || token.kind == TOKEN_TEXT)
        value->TOKEN_NAME = token.text;
    else
        value->TOKEN_NUMBER = token.expr;
    *span = token.span;
    return token.kind;
}
