/* The output of --emit=ast: one node a line, children indented by two blanks. */
#include <stdlib.h>
#include <string.h>

#include "syntax/ast.h"

static void print_expr(const Expr *expr, size_t indent, StrBuf *out);

/* "  " per level, then what printf makes of the rest, then a newline. */
__attribute__((format(printf, 3, 4))) static void print_line(StrBuf *out, size_t indent,
                                                             const char *format, ...) {
    strbuf_fill(out, ' ', 2 * indent);
    va_list arguments;
    va_start(arguments, format);
    strbuf_format_list(out, format, arguments);
    va_end(arguments);
    strbuf_add_char(out, '\n');
}

/* A text in quotes, as it would be written in the source. */
static void print_quoted(const char *text, StrBuf *out) {
    strbuf_add_char(out, '"');
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"' || byte == '\\')
            strbuf_format(out, "\\%c", byte);
        else if (byte == '\n')
            strbuf_add(out, "\\n");
        else if (byte == '\t')
            strbuf_add(out, "\\t");
        else if (byte < 0x20 || byte == 0x7f)
            strbuf_format(out, "\\u{%x}", byte);
        else
            strbuf_add_char(out, *at);
    }
    strbuf_add_char(out, '"');
}

/* The shortest decimal that reads back as the same number. */
static void print_float(double number, StrBuf *out) {
    StrBuf digits = {0};
    for (int precision = 1; precision <= 17; precision++) {
        digits.length = 0;
        strbuf_format(&digits, "%.*g", precision, number);
        if (strtod(strbuf_text(&digits), NULL) == number)
            break;
    }
    strbuf_add(out, strbuf_text(&digits));
    strbuf_free(&digits);
}

static void print_size(const Expr *expr, StrBuf *out) {
    for (int i = 0; i < expr->size.rank; i++)
        strbuf_format(out, "%s%lld", i == 0 ? "" : "x", (long long)expr->size.dims[i]);
}

static void print_list(const ExprList *list, size_t indent, StrBuf *out) {
    for (size_t i = 0; i < list->count; i++)
        print_expr(list->data[i], indent, out);
}

static void print_arguments(const ArgumentList *arguments, size_t indent, StrBuf *out) {
    for (size_t i = 0; i < arguments->count; i++) {
        const Argument *argument = &arguments->data[i];
        if (argument->name.text == NULL) {
            print_expr(argument->value, indent, out);
        } else {
            print_line(out, indent, "argument %s", argument->name.text);
            print_expr(argument->value, indent + 1, out);
        }
    }
}

/* A leaf: its kind and its value on one line. */
static void print_leaf(const Expr *expr, size_t indent, StrBuf *out) {
    strbuf_fill(out, ' ', 2 * indent);
    switch (expr->kind) {
    case EXPR_INTEGER: strbuf_format(out, "integer %lld", (long long)expr->integer); break;
    case EXPR_FLOAT:
        strbuf_add(out, "float ");
        print_float(expr->number, out);
        break;
    case EXPR_BOOLEAN: strbuf_format(out, "boolean %s", expr->boolean ? "on" : "off"); break;
    case EXPR_STRING:
        strbuf_add(out, "string ");
        print_quoted(expr->string, out);
        break;
    case EXPR_SIZE:
        strbuf_add(out, "size ");
        print_size(expr, out);
        break;
    case EXPR_NAME: strbuf_format(out, "name %s", expr->name.text); break;
    case EXPR_ERROR:
    case EXPR_MEMBER:
    case EXPR_UNARY:
    case EXPR_BINARY:
    case EXPR_CALL:
    case EXPR_TUPLE:
    case EXPR_PIPE:
    case EXPR_LABEL:
    case EXPR_CHAIN:
    case EXPR_TYPE:
    case EXPR_IF:
    case EXPR_REPEAT: strbuf_add(out, "error"); break;
    }
    strbuf_add_char(out, '\n');
}

static const char *unary_operator_text(UnaryOperator kind) {
    switch (kind) {
    case UNARY_NEGATE: return "-";
    case UNARY_NOT: return "not";
    }
    return "";
}

static void print_if(const Expr *expr, size_t indent, StrBuf *out) {
    print_line(out, indent, "if");
    print_expr(expr->choice.condition, indent + 1, out);
    print_expr(expr->choice.then, indent + 1, out);
    if (expr->choice.otherwise)
        print_expr(expr->choice.otherwise, indent + 1, out);
}

static void print_repeat(const Expr *expr, size_t indent, StrBuf *out) {
    const char *index = expr->repeat.index.text;
    print_line(out, indent, "repeat%s%s", index ? " " : "", index ? index : "");
    if (expr->repeat.begin)
        print_expr(expr->repeat.begin, indent + 1, out);
    print_expr(expr->repeat.end, indent + 1, out);
    print_expr(expr->repeat.body, indent + 1, out);
}

static void print_expr(const Expr *expr, size_t indent, StrBuf *out) {
    size_t inner = indent + 1;
    switch (expr->kind) {
    case EXPR_ERROR:
    case EXPR_INTEGER:
    case EXPR_FLOAT:
    case EXPR_BOOLEAN:
    case EXPR_STRING:
    case EXPR_SIZE:
    case EXPR_NAME: print_leaf(expr, indent, out); break;
    case EXPR_MEMBER:
        print_line(out, indent, "member %s", expr->member.field.text);
        print_expr(expr->member.object, inner, out);
        break;
    case EXPR_UNARY:
        print_line(out, indent, "unary %s", unary_operator_text(expr->unary.op));
        print_expr(expr->unary.operand, inner, out);
        break;
    case EXPR_BINARY:
        print_line(out, indent, "binary %s", binary_operator_text(expr->binary.op));
        print_expr(expr->binary.left, inner, out);
        print_expr(expr->binary.right, inner, out);
        break;
    case EXPR_CALL:
        print_line(out, indent, "call %s", expr->call.callee.text);
        print_arguments(&expr->call.arguments, inner, out);
        break;
    case EXPR_TUPLE:
        print_line(out, indent, "tuple");
        print_list(&expr->tuple, inner, out);
        break;
    case EXPR_PIPE:
        print_line(out, indent, "pipe");
        print_expr(expr->pipe.value, inner, out);
        print_list(&expr->pipe.steps, inner, out);
        break;
    case EXPR_LABEL:
        strbuf_fill(out, ' ', 2 * indent);
        strbuf_add(out, "label ");
        print_quoted(expr->label.label.text, out);
        strbuf_add_char(out, '\n');
        print_expr(expr->label.step, inner, out);
        break;
    case EXPR_CHAIN:
        print_line(out, indent, "chain");
        print_list(&expr->chain, inner, out);
        break;
    case EXPR_TYPE:
        print_line(out, indent, "type %s",
                   expr->type.element.text != NULL ? expr->type.element.text : "f32");
        print_list(&expr->type.dims, inner, out);
        break;
    case EXPR_IF: print_if(expr, indent, out); break;
    case EXPR_REPEAT: print_repeat(expr, indent, out); break;
    }
}

static void print_statement(const Statement *statement, size_t indent, StrBuf *out) {
    static const char *const kinds[] = {
        [STATEMENT_BIND] = "bind",       [STATEMENT_LET] = "let",
        [STATEMENT_RETURN] = "return",   [STATEMENT_ASSERT] = "assert",
        [STATEMENT_WEIGHTS] = "weights",
    };
    strbuf_fill(out, ' ', 2 * indent);
    strbuf_add(out, kinds[statement->kind]);
    for (size_t i = 0; i < statement->names.count; i++)
        strbuf_format(out, " %s", statement->names.data[i].text);
    strbuf_add_char(out, '\n');
    print_expr(statement->value, indent + 1, out);
}

static void print_parameters(const char *kind, const ParameterList *list, StrBuf *out) {
    for (size_t i = 0; i < list->count; i++) {
        const Parameter *parameter = &list->data[i];
        const char *name = parameter->name.text;
        print_line(out, 1, "%s%s%s", parameter->type ? kind : "value", name ? " " : "",
                   name ? name : "");
        if (parameter->type)
            print_expr(parameter->type, 2, out);
        if (parameter->fallback)
            print_expr(parameter->fallback, 2, out);
    }
}

static void print_item(const Item *item, StrBuf *out) {
    switch (item->kind) {
    case ITEM_LET:
        print_line(out, 0, "let %s", item->name.text);
        print_expr(item->value, 1, out);
        break;
    case ITEM_USE:
        strbuf_add(out, "use ");
        print_quoted(item->name.text, out);
        strbuf_add_char(out, '\n');
        break;
    case ITEM_NETWORK:
    case ITEM_BLOCK:
        print_line(out, 0, "%s %s", item->kind == ITEM_NETWORK ? "network" : "block",
                   item->name.text);
        print_parameters("input", &item->parameters, out);
        print_parameters("result", &item->results, out);
        for (size_t i = 0; i < item->body.count; i++)
            print_statement(&item->body.data[i], 1, out);
        break;
    }
}

void ast_print(const File *file, StrBuf *out) {
    for (size_t i = 0; i < file->items.count; i++)
        print_item(&file->items.data[i], out);
}
