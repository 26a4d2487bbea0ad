/* Inside of the syntax stage: the context which the scanner (grammar/net.l), the layout rules
 * (layout.c), the grammar (grammar/net.y), the constructors (ast.c) and the wording of errors
 * (syntax_error.c) share. No other stage includes this.
 *
 * Tokens flow  scan_token (lexemes) -> net_lex (line ends, bracket repair) -> net_parse (tree). */
#ifndef NETC_SYNTAX_PARSER_H
#define NETC_SYNTAX_PARSER_H

#include <locale.h>

#include "support/diag.h"
#include "support/intern.h"
#include "syntax/ast.h"

/* Most brackets open at once. Each holds fewer than 32 symbols on the parser's stack, so with
 * left-recursive lists PARSE_MAX_STACK is never reached. */
#define PARSE_MAX_BRACKETS 256
#define PARSE_MAX_STACK    (PARSE_MAX_BRACKETS * 32)

/* What net_lex handed out, for messages and for the layout rules. */
typedef struct Token {
    int kind;  /* TOKEN_..., 0 at the end of the file, -1 for "no token" */
    Span span; /* empty for a bracket that the user forgot */
    union {
        const char *text; /* TOKEN_NAME, TOKEN_TEXT: interned */
        Expr *expr;       /* TOKEN_NUMBER, TOKEN_SIZE, TOKEN_SKIPPED */
    };
} Token;

typedef struct Bracket {
    int kind; /* TOKEN_LEFT_PAREN, ..._BRACKET, ..._BRACE */
    Span span;
    bool body; /* the braces of a network or block, where statements stand */
} Bracket;

typedef struct Parse {
    Arena *arena;
    Intern *intern;
    Diagnostics *diagnostics;
    const Source *source;
    File *file;
    StatementList *conditions; /* asserts are read, into it, and not a file; NULL: a file */

    void *scanner;     /* flex's state */
    locale_t c_locale; /* numbers are read the same everywhere */
    uint32_t offset;   /* of the next byte to scan, in the common address space */
    bool quiet;        /* an error of this statement was reported: no second one */
    bool stray;        /* `current` is a closing bracket that closes nothing */
    bool body_closed;  /* `current` is the closing brace of a network or block */
    uint64_t misused;  /* reserved words that were defined as names, which was reported */
    bool choice;       /* this statement has an `if`: a brace may be that of a branch */
    Token current;     /* handed out last: the parser's look-ahead */
    Token previous;    /* the one before */
    Token statement;   /* the first one of the current statement */
    Token put_back;    /* to be looked at again; kind -1: none */
    Token held;        /* to be handed out next; kind -1: none */
    int closing_to;    /* hand out closing brackets until this many are open */
    int bracket_count;
    Bracket brackets[PARSE_MAX_BRACKETS];
} Parse;

/* Reports a mistake unless one of the same statement was reported; then NULL. */
Diagnostic *parse_report(Parse *parse, DiagCode code, Span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The source text of a span. */
const char *parse_text(const Parse *parse, Span span);

/* parse.c: between these, net_lex gives the tokens of parse->source one by one. */
void parse_begin(Parse *parse);
void parse_end(Parse *parse);

/* net.l: the scanner over parse->source. */
void scanner_begin(Parse *parse);
void scanner_end(Parse *parse);

/* token.c: "ARROW"; how messages call a token: "`->`", "a name", "the end of the line". */
const char *token_name(int kind);
const char *token_phrase(int kind);

/* A set of tokens as bits. */
typedef uint64_t TokenSet;
#define TOKEN_BIT(kind) ((TokenSet)1 << (kind))
static inline bool token_in(int kind, TokenSet set) {
    return kind >= 0 && (set >> kind & 1) != 0;
}
TokenSet token_comparisons(void);
TokenSet token_operators(void);  /* between two operands, comparisons included, `->` not */
TokenSet token_keywords(void);   /* reserved words but the operators and on/off */
TokenSet token_value_ends(void); /* a value may end with these */

/* literal.c: the text of a lexeme to its value; mistakes are reported and give EXPR_ERROR. */
Expr *literal_number(Parse *parse, Span span);
Expr *literal_size(Parse *parse, Span span);
const char *literal_string(Parse *parse, Span span, bool closed);
void literal_malformed(Parse *parse, Span span);

/* scan_error.c: what the scanner says about lexemes that the language does not have. */
void scan_error_character(Parse *parse, Span span);
void scan_error_name(Parse *parse, Span span);
void scan_error_comment(Parse *parse, Span span);
void scan_error_quotes(Parse *parse, Span span);
/* A text that the end of its line ends. */
void scan_error_open_text(Parse *parse, Span span);
/* Another language's spelling of a token. */
void scan_error_foreign(Parse *parse, Span span, const char *spelling);
/* Characters that make a comment or a text look other than it is. */
void scan_error_if_deceptive(Parse *parse, Span span);

/* syntax_error.c: says that the current token is not one of `expected`. */
void syntax_error_report(Parse *parse, TokenSet expected);
/* A statement outside of a network, or no condition where they are read. */
void syntax_error_stray_statement(Parse *parse, Span span);

/* ast.c: one constructor for each action of the grammar. */
Expr *expr_error(Parse *parse, Span span);
Expr *expr_integer(Parse *parse, Span span, int64_t value);
Expr *expr_float(Parse *parse, Span span, double value);
Expr *expr_boolean(Parse *parse, Span span, bool value);
Expr *expr_string(Parse *parse, Span span, const char *text);
Expr *expr_size(Parse *parse, Span span, int rank, const int64_t *dims);
Expr *expr_name(Parse *parse, Name name);
Expr *expr_metric(Parse *parse, Span span); /* the reserved word `weights` as a name */
Expr *expr_member(Parse *parse, Span span, Expr *object, Name field);
Expr *expr_unary(Parse *parse, Span span, UnaryOperator kind, Expr *operand);
Expr *expr_binary(Parse *parse, Span span, BinaryOperator kind, Span at, Expr *left, Expr *right);
Expr *expr_call(Parse *parse, Span span, Name callee, ArgumentList arguments);
Expr *expr_tuple(Parse *parse, Span span, ExprList values);
Expr *expr_pipe(Parse *parse, Span span, Expr *value, Expr *step);
Expr *expr_label(Parse *parse, Span span, Name label, Expr *step);
Expr *expr_chain(Parse *parse, Span span, ExprList steps);
Expr *expr_type(Parse *parse, Span span, Name element, ExprList dims);
Expr *expr_if(Parse *parse, Span span, Expr *condition, Expr *then, Expr *otherwise);
Expr *expr_repeat(Parse *parse, Span span, Name index, Expr *begin, Expr *end, Expr *body);

/* The list with one more at its end. */
ExprList exprs_add(Parse *parse, ExprList list, Expr *expr);
ExprList exprs_pair(Parse *parse, Expr *first, Expr *second);
NameList names_add(Parse *parse, NameList list, Name name);
ArgumentList arguments_add(Parse *parse, ArgumentList list, Argument argument);
ParameterList parameters_add(Parse *parse, ParameterList list, Parameter parameter);
/* `statement` may be NULL: nothing is added. */
StatementList statements_add(Parse *parse, StatementList list, const Statement *statement);

Statement *statement_new(Parse *parse, Span span, StatementKind kind, Expr *value);
Statement *statement_bind(Parse *parse, Span span, NameList names, Expr *value);
Statement *statement_weights(Parse *parse, Span span, Expr *path, Name argument, Name word);
Statement *statement_let(Parse *parse, Span span, Name name, Expr *value);

void file_add_let(Parse *parse, const Statement *let);
void file_add_network(Parse *parse, Span span, Name name, ParameterList parameters,
                      ParameterList results, StatementList body, Span body_end);
void file_add_block(Parse *parse, Span span, Name name, ParameterList parameters,
                    ParameterList results, StatementList body, Span body_end);
void file_add_use(Parse *parse, Span span, Name path);
/* One outside of a network: an assert where conditions are read, else a mistake. `statement` may be
 * NULL. */
void file_add_statement(Parse *parse, Span span, const Statement *statement);

#endif
