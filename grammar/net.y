/* The grammar of the .net language: one constructor call (syntax/ast.c) in each action.
 *
 * Line ends are tokens only where they end a statement; syntax/layout.c drops the others and
 * closes forgotten brackets, so the grammar never meets one. The wording of errors is in
 * syntax/syntax_error.c. After an error the parser goes on at the end of the statement.
 *
 * From loose to tight: `->`, or, and, not, comparisons (they do not chain), + -, * / %, unary -.
 * So `return a + b -> relu` is (a + b) -> relu. Every list is left-recursive and no prefix operator
 * repeats: the stack grows with brackets only, and those are counted. */
%require "3.8"
%define api.pure full
%define api.prefix {net_}
%define api.token.raw
%define api.token.prefix {TOKEN_}
%define api.value.type union
%define api.location.type {Span}
%define parse.error custom
%define parse.lac full
/* No reduction without a look at the next token: what `error` stands for is complete before
 * yyerrok lets errors be reported again. */
%define lr.default-reduction accepting
%expect 0
%locations
%param {Parse *parse}
%initial-action { (void)yynerrs; } /* the skeleton counts errors, diagnostics do it better */

%code requires {
#include "syntax/parser.h"
}

%code provides {
/* The scanner proper; net_lex is in syntax/layout.c. */
#define YY_DECL int scan_token(NET_STYPE *yylval_param, NET_LTYPE *yylloc_param, void *yyscanner)
YY_DECL;
int net_lex(NET_STYPE *value, NET_LTYPE *span, Parse *parse);
}

%code {
#define YYMAXDEPTH PARSE_MAX_STACK

#define YYLLOC_DEFAULT(result, rhs, count)                                                         \
    ((result) = (count) > 0 ? (Span){YYRHSLOC(rhs, 1).begin, YYRHSLOC(rhs, count).end}             \
                            : (Span){YYRHSLOC(rhs, 0).end, YYRHSLOC(rhs, 0).end})

#define NAME_OF(text, span) ((Name){(text), (span)})
#define NO_NAME             ((Name){NULL, SPAN_NONE})
#define NO_NAMES            ((NameList){0})
#define NO_EXPRS            ((ExprList){0})
#define NO_ARGUMENTS        ((ArgumentList){0})
#define NO_PARAMETERS       ((ParameterList){0})

static void net_error(const Span *span, Parse *parse, const char *message);
}

%token END_OF_FILE 0  "end of the file"
%token NEWLINE        "end of the line"
       SEMICOLON      ";"
       ARROW          "->"
       ASSIGN         "="
       COMMA          ","
       COLON          ":"
       RANGE          ".."
       DOT            "."
       LEFT_PAREN     "("
       RIGHT_PAREN    ")"
       LEFT_BRACKET   "["
       RIGHT_BRACKET  "]"
       LEFT_BRACE     "{"
       RIGHT_BRACE    "}"
       PLUS           "+"
       MINUS          "-"
       STAR           "*"
       SLASH          "/"
       PERCENT        "%"
       EQUAL          "=="
       NOT_EQUAL      "!="
       LESS           "<"
       LESS_EQUAL     "<="
       GREATER        ">"
       GREATER_EQUAL  ">="
       AND            "and"
       OR             "or"
       NOT            "not"
       ON             "on"
       OFF            "off"
       NETWORK        "network"
       BLOCK          "block"
       USE            "use"
       LET            "let"
       RETURN         "return"
       WEIGHTS        "weights"
       ASSERT         "assert"
       IF             "if"
       ELSE           "else"
       REPEAT         "repeat"
       IN             "in"

%token <const char *> NAME    "name"
%token <const char *> TEXT    "text"
%token <Expr *>       NUMBER  "number"
%token <Expr *>       SIZE    "size"
%token <Expr *>       SKIPPED "part that was skipped"

%type <Parameter>      parameter block_parameter result
%type <ParameterList>  parameters parameter_list block_parameters block_parameter_list
%type <ParameterList>  results result_list
%type <StatementList>  statements
%type <Statement *>    line statement body_statement let
%type <NameList>       names name_list
%type <Expr *>         path bound value disjunction conjunction negation comparison sum product
%type <Expr *>         unary primary member call tuple type choice otherwise
%type <Expr *>         step labelled bare_step chain step_choice repetition
%type <BinaryOperator> comparator additive multiplicative
%type <ArgumentList>   arguments argument_list
%type <Argument>       argument
%type <ExprList>       value_list dims dim_list steps

%%

/* --- Items ---------------------------------------------------------------------------------- */

file:
    item
  | file end item
  ;

end:
    "end of the line"
  | ";"
  ;

item:
    %empty
  | let                     { file_add_let(parse, $1); }
  | "network" NAME "(" parameters ")" open statements close
        { file_add_network(parse, @$, NAME_OF($2, @2), $4, NO_PARAMETERS, $7, @8); }
  | "network" NAME "(" parameters ")" "->" results open statements close
        { file_add_network(parse, @$, NAME_OF($2, @2), $4, $7, $9, @10); }
  | "network" error "{" statements close
                            { yyerrok; }
  | "block" NAME "(" block_parameters ")" open statements close
        { file_add_block(parse, @$, NAME_OF($2, @2), $4, NO_PARAMETERS, $7, @8); }
  | "block" NAME "(" block_parameters ")" "->" results open statements close
        { file_add_block(parse, @$, NAME_OF($2, @2), $4, $7, $9, @10); }
  | "block" error "{" statements close
                            { yyerrok; }
  | "use" TEXT              { file_add_use(parse, @$, NAME_OF($2, @2)); }
  | body_statement          { file_add_statement(parse, @1, $1); }
  | error                   { yyerrok; }
  ;

parameters:
    %empty                  { $$ = NO_PARAMETERS; }
  | parameter_list
  | parameter_list ","
  ;

parameter_list:
    parameter               { $$ = parameters_add(parse, NO_PARAMETERS, $1); }
  | parameter_list "," parameter
                            { $$ = parameters_add(parse, $1, $3); }
  ;

parameter:
    NAME ":" type           { $$ = (Parameter){.name = NAME_OF($1, @1), .type = $3}; }
  ;

block_parameters:
    %empty                  { $$ = NO_PARAMETERS; }
  | block_parameter_list
  | block_parameter_list ","
  ;

block_parameter_list:
    block_parameter         { $$ = parameters_add(parse, NO_PARAMETERS, $1); }
  | block_parameter_list "," block_parameter
                            { $$ = parameters_add(parse, $1, $3); }
  ;

/* A tensor, a value, or a value that has a default. */
block_parameter:
    parameter
  | NAME                    { $$ = (Parameter){.name = NAME_OF($1, @1)}; }
  | NAME "=" value          { $$ = (Parameter){.name = NAME_OF($1, @1), .fallback = $3}; }
  ;

results:
    type                    { $$ = parameters_add(parse, NO_PARAMETERS, (Parameter){.type = $1}); }
  | "(" result_list ")"     { $$ = $2; }
  | "(" result_list "," ")" { $$ = $2; }
  ;

result_list:
    result                  { $$ = parameters_add(parse, NO_PARAMETERS, $1); }
  | result_list "," result  { $$ = parameters_add(parse, $1, $3); }
  ;

result:
    parameter
  | type                    { $$ = (Parameter){.type = $1}; }
  ;

/* --- Statements ----------------------------------------------------------------------------- */

open:
    "{"
  | error                   { yyerrok; }
  ;

/* What follows in the same line is none of the braces' business: without its own rule the parser
 * would look for the end of a mistake there inside of them. */
close:
    "}"
  | "}" error               { @$ = @1; yyerrok; }
  ;

statements:
    line                    { $$ = statements_add(parse, (StatementList){0}, $1); }
  | statements end line     { $$ = statements_add(parse, $1, $3); }
  ;

line:
    %empty                  { $$ = NULL; }
  | statement
  | mistake                 { $$ = NULL; yyerrok; }
  ;

/* The rest of a statement that is skipped. A brace in it is skipped up to the one that closes it,
 * which would else close the network. */
mistake:
    error
  | mistake "{" statements close
  ;

statement:
    let
  | body_statement
  ;

let:
    "let" NAME "=" bound    { $$ = statement_let(parse, @$, NAME_OF($2, @2), $4); }
  ;

body_statement:
    names "=" bound         { $$ = statement_bind(parse, @$, $1, $3); }
  | "return" bound          { $$ = statement_new(parse, @$, STATEMENT_RETURN, $2); }
  | "assert" bound          { $$ = statement_new(parse, @$, STATEMENT_ASSERT, $2); }
  | "weights" path          { $$ = statement_new(parse, @$, STATEMENT_WEIGHTS, $2); }
  | "weights" path NAME "=" NAME
                            { $$ = statement_weights(parse, @$, $2, NAME_OF($3, @3),
                                                     NAME_OF($5, @5)); }
  | SKIPPED                 { $$ = NULL; }
  ;

path:
    TEXT                    { $$ = expr_string(parse, @$, $1); }
  ;

names:
    NAME                    { $$ = names_add(parse, NO_NAMES, NAME_OF($1, @1)); }
  | "(" name_list ")"       { $$ = $2; }
  | "(" name_list "," ")"   { $$ = $2; }
  ;

name_list:
    NAME                    { $$ = names_add(parse, NO_NAMES, NAME_OF($1, @1)); }
  | name_list "," NAME      { $$ = names_add(parse, $1, NAME_OF($3, @3)); }
  ;

/* What is named or returned. A mistake in it leaves the name known. */
bound:
    value
  | mistake                 { $$ = expr_error(parse, @1); yyerrok; }
  ;

/* --- Values --------------------------------------------------------------------------------- */

value:
    disjunction
  | value "->" step         { $$ = expr_pipe(parse, @$, $1, $3); }
  ;

disjunction:
    conjunction
  | disjunction "or" conjunction
                            { $$ = expr_binary(parse, @$, BINARY_OR, @2, $1, $3); }
  ;

conjunction:
    negation
  | conjunction "and" negation
                            { $$ = expr_binary(parse, @$, BINARY_AND, @2, $1, $3); }
  ;

negation:
    comparison
  | "not" comparison        { $$ = expr_unary(parse, @$, UNARY_NOT, $2); }
  ;

comparison:
    sum
  | sum comparator sum      { $$ = expr_binary(parse, @$, $2, @2, $1, $3); }
  ;

comparator:
    "=="                    { $$ = BINARY_EQUAL; }
  | "!="                    { $$ = BINARY_NOT_EQUAL; }
  | "<"                     { $$ = BINARY_LESS; }
  | "<="                    { $$ = BINARY_LESS_EQUAL; }
  | ">"                     { $$ = BINARY_GREATER; }
  | ">="                    { $$ = BINARY_GREATER_EQUAL; }
  ;

sum:
    product
  | sum additive product    { $$ = expr_binary(parse, @$, $2, @2, $1, $3); }
  ;

additive:
    "+"                     { $$ = BINARY_ADD; }
  | "-"                     { $$ = BINARY_SUBTRACT; }
  ;

product:
    unary
  | product multiplicative unary
                            { $$ = expr_binary(parse, @$, $2, @2, $1, $3); }
  ;

multiplicative:
    "*"                     { $$ = BINARY_MULTIPLY; }
  | "/"                     { $$ = BINARY_DIVIDE; }
  | "%"                     { $$ = BINARY_REMAINDER; }
  ;

unary:
    primary
  | "-" primary             { $$ = expr_unary(parse, @$, UNARY_NEGATE, $2); }
  ;

primary:
    NUMBER
  | SIZE
  | TEXT                    { $$ = expr_string(parse, @$, $1); }
  | "on"                    { $$ = expr_boolean(parse, @$, true); }
  | "off"                   { $$ = expr_boolean(parse, @$, false); }
  | member
  | call
  | tuple
  | type
  | choice
  | "(" value ")"           { $$ = $2; }
  | SKIPPED
  ;

/* The value of one branch or the other. */
choice:
    "if" disjunction "{" bound "}" "else" otherwise
                            { $$ = expr_if(parse, @$, $2, $4, $7); }
  | "if" disjunction "{" bound "}" error
                            { $$ = expr_error(parse, @$); yyerrok; }
  ;

otherwise:
    "{" bound close         { $$ = $2; }
  | choice
  ;

/* `weights` alone is the metric, as in `assert weights <= 1MiB`. */
member:
    NAME                    { $$ = expr_name(parse, NAME_OF($1, @1)); }
  | "weights"               { $$ = expr_metric(parse, @$); }
  | member "." NAME         { $$ = expr_member(parse, @$, $1, NAME_OF($3, @3)); }
  ;

call:
    NAME "(" arguments ")"  { $$ = expr_call(parse, @$, NAME_OF($1, @1), $3); }
  ;

arguments:
    %empty                  { $$ = NO_ARGUMENTS; }
  | argument_list
  | argument_list ","
  ;

argument_list:
    argument                { $$ = arguments_add(parse, NO_ARGUMENTS, $1); }
  | argument_list "," argument
                            { $$ = arguments_add(parse, $1, $3); }
  ;

argument:
    value                   { $$ = (Argument){NO_NAME, $1, @$}; }
  | NAME "=" value          { $$ = (Argument){NAME_OF($1, @1), $3, @$}; }
  ;

tuple:
    "(" value_list ")"      { $$ = expr_tuple(parse, @$, $2); }
  | "(" value_list "," ")"  { $$ = expr_tuple(parse, @$, $2); }
  ;

/* Two or more. */
value_list:
    value "," value         { $$ = exprs_pair(parse, $1, $3); }
  | value_list "," value    { $$ = exprs_add(parse, $1, $3); }
  ;

type:
    "[" dims "]"            { $$ = expr_type(parse, @$, NO_NAME, $2); }
  | NAME "[" dims "]"       { $$ = expr_type(parse, @$, NAME_OF($1, @1), $3); }
  ;

dims:
    %empty                  { $$ = NO_EXPRS; }
  | dim_list
  | dim_list ","
  ;

dim_list:
    value                   { $$ = exprs_add(parse, NO_EXPRS, $1); }
  | dim_list "," value      { $$ = exprs_add(parse, $1, $3); }
  ;

/* --- Steps ---------------------------------------------------------------------------------- */

step:
    bare_step
  | labelled
  | type
  ;

labelled:
    NAME ":" bare_step      { $$ = expr_label(parse, @$, NAME_OF($1, @1), $3); }
  | TEXT ":" bare_step      { $$ = expr_label(parse, @$, NAME_OF($1, @1), $3); }
  ;

bare_step:
    NAME                    { $$ = expr_name(parse, NAME_OF($1, @1)); }
  | call
  | chain
  | step_choice
  | repetition
  | SKIPPED
  ;

chain:
    "{" steps close         { $$ = expr_chain(parse, @$, $2); }
  | "{" error close         { $$ = expr_error(parse, @$); yyerrok; }
  ;

/* Without `else` what arrives is passed on where the condition does not hold. */
step_choice:
    "if" disjunction chain  { $$ = expr_if(parse, @$, $2, $3, NULL); }
  | "if" disjunction chain "else" chain
                            { $$ = expr_if(parse, @$, $2, $3, $5); }
  | "if" disjunction chain "else" step_choice
                            { $$ = expr_if(parse, @$, $2, $3, $5); }
  ;

repetition:
    "repeat" sum chain      { $$ = expr_repeat(parse, @$, NO_NAME, NULL, $2, $3); }
  | "repeat" NAME "in" sum ".." sum chain
                            { $$ = expr_repeat(parse, @$, NAME_OF($2, @2), $4, $6, $7); }
  ;

steps:
    step                    { $$ = exprs_add(parse, NO_EXPRS, $1); }
  | steps "->" step         { $$ = exprs_add(parse, $1, $3); }
  ;

%%

/* Which tokens could stand here; the wording is in syntax/syntax_error.c. */
static int yyreport_syntax_error(const yypcontext_t *context, Parse *parse) {
    yysymbol_kind_t kinds[YYNTOKENS];
    int count = yypcontext_expected_tokens(context, kinds, YYNTOKENS);
    TokenSet expected = 0;
    for (int i = 0; i < count; i++)
        expected |= TOKEN_BIT(kinds[i]);
    syntax_error_report(parse, expected);
    return 0;
}

/* Reached only when the parser's stack cannot grow; syntax errors go the way above. */
static void net_error(const Span *span, Parse *parse, const char *message) {
    (void)span;
    (void)parse;
    (void)message;
    out_of_memory();
}
