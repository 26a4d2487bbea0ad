/* Constructors of the syntax tree, one for each action of grammar/net.y. They also bound the depth
 * of expressions, so that whoever reads the tree may recurse. */
#include "syntax/parser.h"

static Expr *expr_new(Parse *parse, ExprKind kind, Span span) {
    Expr *expr = ARENA_NEW(parse->arena, Expr);
    expr->kind = kind;
    expr->span = span;
    expr->depth = 1;
    return expr;
}

static int deeper(int depth, const Expr *child) {
    return child->depth > depth ? child->depth : depth;
}

static int deepest(const ExprList *children) {
    int depth = 0;
    for (size_t i = 0; i < children->count; i++)
        depth = deeper(depth, children->data[i]);
    return depth;
}

/* May a node stand over children of `depth` levels? Reports it if not. */
static bool depth_fits(Parse *parse, Span span, int depth) {
    if (depth < AST_MAX_DEPTH)
        return true;
    Diagnostic *diagnostic = parse_report(parse, DIAG_E0801, span,
                                          "this expression has more than %d levels", AST_MAX_DEPTH);
    if (diagnostic != NULL)
        diag_help(parse->diagnostics, diagnostic, "give a part of it a name of its own");
    return false;
}

/* A new node over children of at most `depth` levels; an EXPR_ERROR where that is too deep. */
static Expr *expr_over(Parse *parse, ExprKind kind, Span span, int depth) {
    if (!depth_fits(parse, span, depth))
        return expr_new(parse, EXPR_ERROR, span);
    Expr *expr = expr_new(parse, kind, span);
    expr->depth = depth + 1;
    return expr;
}

Expr *expr_error(Parse *parse, Span span) {
    return expr_new(parse, EXPR_ERROR, span);
}

Expr *expr_integer(Parse *parse, Span span, int64_t value) {
    Expr *expr = expr_new(parse, EXPR_INTEGER, span);
    expr->integer = value;
    return expr;
}

Expr *expr_float(Parse *parse, Span span, double value) {
    Expr *expr = expr_new(parse, EXPR_FLOAT, span);
    expr->number = value;
    return expr;
}

Expr *expr_boolean(Parse *parse, Span span, bool value) {
    Expr *expr = expr_new(parse, EXPR_BOOLEAN, span);
    expr->boolean = value;
    return expr;
}

Expr *expr_string(Parse *parse, Span span, const char *text) {
    Expr *expr = expr_new(parse, EXPR_STRING, span);
    expr->string = text;
    return expr;
}

Expr *expr_size(Parse *parse, Span span, int rank, const int64_t *dims) {
    Expr *expr = expr_new(parse, EXPR_SIZE, span);
    expr->size.rank = rank;
    for (int i = 0; i < rank; i++)
        expr->size.dims[i] = dims[i];
    return expr;
}

Expr *expr_name(Parse *parse, Name name) {
    Expr *expr = expr_new(parse, EXPR_NAME, name.span);
    expr->name = name;
    return expr;
}

Expr *expr_metric(Parse *parse, Span span) {
    return expr_name(parse, (Name){intern_text(parse->intern, "weights"), span});
}

Expr *expr_member(Parse *parse, Span span, Expr *object, Name field) {
    Expr *expr = expr_over(parse, EXPR_MEMBER, span, object->depth);
    if (expr->kind == EXPR_MEMBER) {
        expr->member.object = object;
        expr->member.field = field;
    }
    return expr;
}

Expr *expr_unary(Parse *parse, Span span, UnaryOperator kind, Expr *operand) {
    Expr *expr = expr_over(parse, EXPR_UNARY, span, operand->depth);
    if (expr->kind == EXPR_UNARY) {
        expr->unary.op = kind;
        expr->unary.operand = operand;
    }
    return expr;
}

Expr *expr_binary(Parse *parse, Span span, BinaryOperator kind, Span at, Expr *left, Expr *right) {
    Expr *expr = expr_over(parse, EXPR_BINARY, span, deeper(left->depth, right));
    if (expr->kind == EXPR_BINARY) {
        expr->binary.op = kind;
        expr->binary.operator_span = at;
        expr->binary.left = left;
        expr->binary.right = right;
    }
    return expr;
}

Expr *expr_call(Parse *parse, Span span, Name callee, ArgumentList arguments) {
    int depth = 0;
    for (size_t i = 0; i < arguments.count; i++)
        depth = deeper(depth, arguments.data[i].value);
    Expr *expr = expr_over(parse, EXPR_CALL, span, depth);
    if (expr->kind == EXPR_CALL) {
        expr->call.callee = callee;
        expr->call.arguments = arguments;
    }
    return expr;
}

Expr *expr_tuple(Parse *parse, Span span, ExprList values) {
    Expr *expr = expr_over(parse, EXPR_TUPLE, span, deepest(&values));
    if (expr->kind == EXPR_TUPLE)
        expr->tuple = values;
    return expr;
}

/* A further step joins the pipe that is already there, so a long pipeline is a list. */
Expr *expr_pipe(Parse *parse, Span span, Expr *value, Expr *step) {
    Expr *pipe = value;
    if (value->kind != EXPR_PIPE) {
        pipe = expr_over(parse, EXPR_PIPE, span, deeper(value->depth, step));
        if (pipe->kind != EXPR_PIPE)
            return pipe;
        pipe->pipe.value = value;
    } else if (!depth_fits(parse, span, step->depth)) {
        return expr_error(parse, span);
    }
    pipe->span = span;
    pipe->depth = deeper(pipe->depth - 1, step) + 1;
    pipe->pipe.steps = exprs_add(parse, pipe->pipe.steps, step);
    return pipe;
}

Expr *expr_label(Parse *parse, Span span, Name label, Expr *step) {
    Expr *expr = expr_over(parse, EXPR_LABEL, span, step->depth);
    if (expr->kind == EXPR_LABEL) {
        expr->label.label = label;
        expr->label.step = step;
    }
    return expr;
}

Expr *expr_chain(Parse *parse, Span span, ExprList steps) {
    Expr *expr = expr_over(parse, EXPR_CHAIN, span, deepest(&steps));
    if (expr->kind == EXPR_CHAIN)
        expr->chain = steps;
    return expr;
}

Expr *expr_type(Parse *parse, Span span, Name element, ExprList dims) {
    Expr *expr = expr_over(parse, EXPR_TYPE, span, deepest(&dims));
    if (expr->kind == EXPR_TYPE) {
        expr->type.element = element;
        expr->type.dims = dims;
    }
    return expr;
}

Expr *expr_if(Parse *parse, Span span, Expr *condition, Expr *then, Expr *otherwise) {
    int depth = deeper(condition->depth, then);
    Expr *expr = expr_over(parse, EXPR_IF, span, otherwise ? deeper(depth, otherwise) : depth);
    if (expr->kind == EXPR_IF) {
        expr->choice.condition = condition;
        expr->choice.then = then;
        expr->choice.otherwise = otherwise;
    }
    return expr;
}

Expr *expr_repeat(Parse *parse, Span span, Name index, Expr *begin, Expr *end, Expr *body) {
    int depth = deeper(end->depth, body);
    Expr *expr = expr_over(parse, EXPR_REPEAT, span, begin ? deeper(depth, begin) : depth);
    if (expr->kind == EXPR_REPEAT) {
        expr->repeat.index = index;
        expr->repeat.begin = begin;
        expr->repeat.end = end;
        expr->repeat.body = body;
    }
    return expr;
}

ExprList exprs_add(Parse *parse, ExprList list, Expr *expr) {
    VEC_PUSH(parse->arena, &list, expr);
    return list;
}

ExprList exprs_pair(Parse *parse, Expr *first, Expr *second) {
    return exprs_add(parse, exprs_add(parse, (ExprList){0}, first), second);
}

NameList names_add(Parse *parse, NameList list, Name name) {
    VEC_PUSH(parse->arena, &list, name);
    return list;
}

ArgumentList arguments_add(Parse *parse, ArgumentList list, Argument argument) {
    VEC_PUSH(parse->arena, &list, argument);
    return list;
}

ParameterList parameters_add(Parse *parse, ParameterList list, Parameter parameter) {
    VEC_PUSH(parse->arena, &list, parameter);
    return list;
}

StatementList statements_add(Parse *parse, StatementList list, const Statement *statement) {
    if (statement != NULL)
        VEC_PUSH(parse->arena, &list, *statement);
    return list;
}

Statement *statement_new(Parse *parse, Span span, StatementKind kind, Expr *value) {
    Statement *statement = ARENA_NEW(parse->arena, Statement);
    statement->kind = kind;
    statement->span = span;
    statement->value = value;
    return statement;
}

Statement *statement_bind(Parse *parse, Span span, NameList names, Expr *value) {
    Statement *statement = statement_new(parse, span, STATEMENT_BIND, value);
    statement->names = names;
    return statement;
}

Statement *statement_weights(Parse *parse, Span span, Expr *path, Name argument, Name word) {
    Statement *statement = statement_new(parse, span, STATEMENT_WEIGHTS, path);
    statement->names = names_add(parse, names_add(parse, statement->names, argument), word);
    return statement;
}

Statement *statement_let(Parse *parse, Span span, Name name, Expr *value) {
    Statement *statement = statement_new(parse, span, STATEMENT_LET, value);
    statement->names = names_add(parse, statement->names, name);
    return statement;
}

void file_add_let(Parse *parse, const Statement *let) {
    Item item = {
        .kind = ITEM_LET, .span = let->span, .name = let->names.data[0], .value = let->value};
    VEC_PUSH(parse->arena, &parse->file->items, item);
}

static void add_definition(Parse *parse, ItemKind kind, Span span, Name name,
                           ParameterList parameters, ParameterList results, StatementList body,
                           Span body_end) {
    Item item = {.kind = kind,
                 .span = span,
                 .name = name,
                 .parameters = parameters,
                 .results = results,
                 .body = body,
                 .body_end = body_end};
    VEC_PUSH(parse->arena, &parse->file->items, item);
}

void file_add_network(Parse *parse, Span span, Name name, ParameterList parameters,
                      ParameterList results, StatementList body, Span body_end) {
    add_definition(parse, ITEM_NETWORK, span, name, parameters, results, body, body_end);
}

void file_add_block(Parse *parse, Span span, Name name, ParameterList parameters,
                    ParameterList results, StatementList body, Span body_end) {
    add_definition(parse, ITEM_BLOCK, span, name, parameters, results, body, body_end);
}

void file_add_use(Parse *parse, Span span, Name path) {
    Item item = {.kind = ITEM_USE, .span = span, .name = path};
    VEC_PUSH(parse->arena, &parse->file->items, item);
}

void file_add_statement(Parse *parse, Span span, const Statement *statement) {
    if (parse->conditions && (!statement || statement->kind == STATEMENT_ASSERT))
        *parse->conditions = statements_add(parse, *parse->conditions, statement);
    else
        syntax_error_stray_statement(parse, span);
}

const char *binary_operator_text(BinaryOperator op) {
    switch (op) {
    case BINARY_ADD: return "+";
    case BINARY_SUBTRACT: return "-";
    case BINARY_MULTIPLY: return "*";
    case BINARY_DIVIDE: return "/";
    case BINARY_REMAINDER: return "%";
    case BINARY_EQUAL: return "==";
    case BINARY_NOT_EQUAL: return "!=";
    case BINARY_LESS: return "<";
    case BINARY_LESS_EQUAL: return "<=";
    case BINARY_GREATER: return ">";
    case BINARY_GREATER_EQUAL: return ">=";
    case BINARY_AND: return "and";
    case BINARY_OR: return "or";
    }
    return "";
}
