/* The syntax tree: what the text says, before anything is looked up or worked out.
 *
 * The parser makes it, ast_print shows it, elaborate (graph/) reads it. Nodes live in the arena of
 * the compilation and are never changed after parsing. Every node has the span of its text. */
#ifndef NETC_SYNTAX_AST_H
#define NETC_SYNTAX_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "support/source.h"
#include "support/strbuf.h"

typedef struct Expr Expr;
typedef VEC(Expr *) ExprList;

/* A name with its place. `text` is interned. */
typedef struct Name {
    const char *text;
    Span span;
} Name;
typedef VEC(Name) NameList;

typedef enum ExprKind {
    EXPR_ERROR,   /* stands where a mistake was reported; silences what follows from it */
    EXPR_INTEGER, /* 60, 50_828_751, 60k, 256KiB */
    EXPR_FLOAT,   /* 1e-5, 0.1, 1.9G */
    EXPR_BOOLEAN, /* on, off */
    EXPR_STRING,  /* "digits.safetensors" */
    EXPR_SIZE,    /* 3x3 */
    EXPR_NAME,    /* image, relu, same */
    EXPR_MEMBER,  /* params.trainable */
    EXPR_UNARY,   /* -x, not x */
    EXPR_BINARY,  /* a + b, a <= b, a and b */
    EXPR_CALL,    /* conv(60, 7x7, pad=same) */
    EXPR_TUPLE,   /* (a, b), also the values of `return (boxes, scores)` */
    EXPR_PIPE,    /* value -> step -> step */
    EXPR_LABEL,   /* conv1: conv(...), "0": batchnorm; only as a step */
    EXPR_CHAIN,   /* { conv(8, 3x3) -> relu }; only as a step */
    EXPR_TYPE,    /* [16, 14, 14], u8[3, 224, 224]; as a step it is a check */
    EXPR_IF,      /* if C == 3 { x } else { y }; as a step the branches are steps */
    EXPR_REPEAT,  /* repeat 3 { ... }, repeat i in 0..4 { ... }; only as a step */
} ExprKind;

typedef enum UnaryOperator { UNARY_NEGATE, UNARY_NOT } UnaryOperator;

typedef enum BinaryOperator {
    BINARY_ADD,
    BINARY_SUBTRACT,
    BINARY_MULTIPLY,
    BINARY_DIVIDE,    /* integers: floor division, as in H/2 */
    BINARY_REMAINDER, /* % */
    BINARY_EQUAL,
    BINARY_NOT_EQUAL,
    BINARY_LESS,
    BINARY_LESS_EQUAL,
    BINARY_GREATER,
    BINARY_GREATER_EQUAL,
    BINARY_AND,
    BINARY_OR,
} BinaryOperator;

#define AST_MAX_SIZE_RANK 8   /* most factors in 3x3x...; more is an error */
#define AST_MAX_DEPTH     256 /* most levels of an expression, so recursion over one is safe */

/* An argument of a call: `name` is NULL for a positional one. */
typedef struct Argument {
    Name name;
    Expr *value;
    Span span; /* of the whole `name=value` */
} Argument;
typedef VEC(Argument) ArgumentList;

struct Expr {
    ExprKind kind;
    int depth; /* levels from here down: 1 for a leaf, at most AST_MAX_DEPTH */
    Span span;
    union {
        int64_t integer;
        double number;
        bool boolean;
        const char *string; /* interned, escapes resolved */
        struct {
            int rank;
            int64_t dims[AST_MAX_SIZE_RANK];
        } size;
        Name name;
        struct {
            Expr *object;
            Name field;
        } member;
        struct {
            UnaryOperator op;
            Expr *operand;
        } unary;
        struct {
            BinaryOperator op;
            Span operator_span;
            Expr *left;
            Expr *right;
        } binary;
        struct {
            Name callee;
            ArgumentList arguments;
        } call;
        ExprList tuple;
        struct {
            Expr *value;    /* never itself an EXPR_PIPE: (a -> b) -> c is a -> b -> c */
            ExprList steps; /* one or more, in order */
        } pipe;
        struct {
            Name label;
            Expr *step;
        } label;
        ExprList chain; /* the steps inside the braces, one or more */
        struct {
            Expr *condition;
            Expr *then;      /* a value; as a step an EXPR_CHAIN or EXPR_ERROR */
            Expr *otherwise; /* the same, or the EXPR_IF after `else`; NULL: no `else`, a step */
        } choice;
        struct {
            Name index;  /* text NULL: not named */
            Expr *begin; /* NULL: 0 */
            Expr *end;   /* begin, ..., end - 1 */
            Expr *body;  /* EXPR_CHAIN or EXPR_ERROR */
        } repeat;
        struct {
            Name element; /* text NULL: f32 */
            ExprList dims;
        } type;
    };
};

/* `name: [1, 28, 28]` in a signature. In a result list the name may be absent (text NULL). A block
 * has values among its parameters too: `width`, `stride = 1`. */
typedef struct Parameter {
    Name name;
    Expr *type;     /* EXPR_TYPE or EXPR_ERROR; NULL: a value */
    Expr *fallback; /* of a value: its default, NULL: none */
} Parameter;
typedef VEC(Parameter) ParameterList;

typedef enum StatementKind {
    STATEMENT_BIND,    /* skip = x -> conv(8, 3x3); (a, b) = ... */
    STATEMENT_LET,     /* let width = 8 */
    STATEMENT_RETURN,  /* return x */
    STATEMENT_ASSERT,  /* assert params <= 60k */
    STATEMENT_WEIGHTS, /* weights "digits.safetensors" */
} StatementKind;

typedef struct Statement {
    StatementKind kind;
    Span span;
    NameList names; /* BIND: one or more; LET: one; WEIGHTS: none, or `order` and its word */
    Expr *value;    /* BIND, LET, RETURN, ASSERT; WEIGHTS: an EXPR_STRING */
} Statement;
typedef VEC(Statement) StatementList;

typedef enum ItemKind {
    ITEM_LET,     /* let classes = 10: a constant that -D can override */
    ITEM_NETWORK, /* network name(inputs) -> results { ... } */
    ITEM_BLOCK,   /* block name(inputs and values) -> results { ... } */
    ITEM_USE,     /* use "blocks.net": its blocks and constants, by their names */
} ItemKind;

typedef struct Item {
    ItemKind kind;
    Span span;
    Name name;                /* USE: the path as written */
    Expr *value;              /* LET */
    ParameterList parameters; /* NETWORK: the inputs; BLOCK */
    ParameterList results;    /* NETWORK, BLOCK: empty when no result type is written */
    StatementList body;       /* NETWORK, BLOCK */
    Span body_end;            /* NETWORK, BLOCK: the closing brace */
    const struct File *used;  /* USE: what stands there; set when read (compilation/use.c) */
} Item;

typedef struct File {
    const Source *source;
    VEC(Item) items;
} File;

/* Appends the tree, one node a line, indented by depth: the output of --emit=ast. */
void ast_print(const File *file, StrBuf *out);

/* "+", "<=", "and". */
const char *binary_operator_text(BinaryOperator op);

#endif
