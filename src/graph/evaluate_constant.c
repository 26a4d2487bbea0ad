/* Expressions: names, arithmetic, comparisons. The parser bounds their depth (AST_MAX_DEPTH). */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "graph/elaborator.h"
#include "layers/foreign.h"
#include "support/checked.h"
#include "support/suggest.h"

/* ---- names -------------------------------------------------------------------------------- */

/* Suggestions look at every name in scope; with as many mistakes as names that would be quadratic,
 * and nobody reads the hundredth. */
#define SUGGEST_MAX_ERRORS 100

static const char *nearest_name(Elaborator *e, const char *name, const char *const *words,
                                size_t word_count) {
    VEC(const char *) names = {0};
    for (const Scope *scope = e->scope; scope; scope = scope->parent)
        for (size_t i = 0; i < scope->bindings.count; i++)
            VEC_PUSH(e->arena, &names, scope->bindings.data[i]->name.text);
    for (size_t i = 0; i < word_count; i++)
        VEC_PUSH(e->arena, &names, words[i]);
    return suggest_name(name, names.data, names.count);
}

void report_unknown_name(Elaborator *e, Name name, const char *const *words, size_t word_count) {
    Diagnostics *diagnostics = e->diagnostics;
    Diagnostic *diagnostic =
        diag_report(diagnostics, DIAG_E0302, name.span, "there is no value called `%s`", name.text);
    if (diagnostics->error_count > SUGGEST_MAX_ERRORS)
        return;
    const LayerInfo *layer = foreign_layer(name.text);
    const char *nearest = nearest_name(e, name.text, words, word_count);
    if (nearest)
        diag_fix(diagnostics, diagnostic, name.span, nearest, strlen(name.text) > 2,
                 "did you mean `%s`?", nearest);
    else if (layer)
        diag_help(diagnostics, diagnostic, "`%s` is a layer: pass a value on to it, `x -> %s`",
                  layer->name, layer->name);
}

static Datum evaluate_name(Elaborator *e, const Expr *expr) {
    Binding *binding = scope_find(e->scope, expr->name.text);
    if (binding) {
        binding->used = true;
        note_name(e, expr->name, binding->datum);
        return binding->datum;
    }
    Datum figure;
    bool is_figure = metric_find(e, expr, &figure);
    if (is_figure && e->in_assert)
        return figure;
    if (is_figure) {
        diag_report(e->diagnostics, DIAG_E0302, expr->span,
                    "`%s` is known only to an assert: the network is not complete yet",
                    expr->name.text);
        return DATUM_UNKNOWN;
    }
    size_t count = 0;
    const char *const *names = e->in_assert ? metric_names(&count) : NULL;
    report_unknown_name(e, expr->name, names, count);
    return DATUM_UNKNOWN;
}

static Datum evaluate_member(Elaborator *e, const Expr *expr) {
    static const char *const parts[] = {"trainable", "frozen"};
    Datum figure;
    if (e->in_assert && metric_find(e, expr, &figure))
        return figure;
    Name field = expr->member.field;
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0302, field.span,
                                         "there is no value called `%s` here", field.text);
    if (!e->in_assert) {
        diag_note(e->diagnostics, diagnostic,
                  "values have no parts; only the figures that an "
                  "assert names have, as `params.trainable`");
        return DATUM_UNKNOWN;
    }
    const char *nearest = suggest_name(field.text, parts, sizeof parts / sizeof *parts);
    if (nearest)
        diag_fix(e->diagnostics, diagnostic, field.span, nearest, true, "did you mean `%s`?",
                 nearest);
    return DATUM_UNKNOWN;
}

/* ---- arithmetic --------------------------------------------------------------------------- */

static Datum report_overflow(Elaborator *e, Span span) {
    diag_report(e->diagnostics, DIAG_E0802, span, "the result does not fit 64 bits");
    return DATUM_UNKNOWN;
}

static Datum report_zero_division(Elaborator *e, const Expr *expr) {
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0207, expr->binary.operator_span, "division by zero");
    diag_label(e->diagnostics, diagnostic, expr->binary.right->span, "this is 0");
    return DATUM_UNKNOWN;
}

/* Quotient rounded down and the remainder that belongs to it, of the divisor's sign. */
static bool divide_down(int64_t a, int64_t b, int64_t *quotient, int64_t *remainder) {
    if (b == -1) { /* INT64_MIN / -1 overflows, and with it % */
        *remainder = 0;
        return checked_sub(0, a, quotient);
    }
    *quotient = a / b;
    *remainder = a % b;
    if (*remainder != 0 && (*remainder < 0) != (b < 0)) {
        *quotient -= 1;
        *remainder += b;
    }
    return true;
}

static Datum integer_arithmetic(Elaborator *e, const Expr *expr, int64_t a, int64_t b) {
    int64_t result = 0;
    int64_t other = 0;
    bool fits = false;
    switch (expr->binary.op) {
    case BINARY_ADD: fits = checked_add(a, b, &result); break;
    case BINARY_SUBTRACT: fits = checked_sub(a, b, &result); break;
    case BINARY_MULTIPLY: fits = checked_mul(a, b, &result); break;
    case BINARY_DIVIDE:
        if (b == 0)
            return report_zero_division(e, expr);
        fits = divide_down(a, b, &result, &other);
        break;
    case BINARY_REMAINDER:
        if (b == 0)
            return report_zero_division(e, expr);
        fits = divide_down(a, b, &other, &result) || b == -1;
        break;
    case BINARY_EQUAL:
    case BINARY_NOT_EQUAL:
    case BINARY_LESS:
    case BINARY_LESS_EQUAL:
    case BINARY_GREATER:
    case BINARY_GREATER_EQUAL:
    case BINARY_AND:
    case BINARY_OR: assert(false); break;
    }
    return fits ? datum_integer(result) : report_overflow(e, expr->binary.operator_span);
}

static Datum float_arithmetic(Elaborator *e, const Expr *expr, double a, double b) {
    double result = 0;
    switch (expr->binary.op) {
    case BINARY_ADD: result = a + b; break;
    case BINARY_SUBTRACT: result = a - b; break;
    case BINARY_MULTIPLY: result = a * b; break;
    case BINARY_DIVIDE:
        if (b == 0)
            return report_zero_division(e, expr);
        result = a / b;
        break;
    case BINARY_REMAINDER:
        if (b == 0)
            return report_zero_division(e, expr);
        result = a - b * floor(a / b);
        break;
    case BINARY_EQUAL:
    case BINARY_NOT_EQUAL:
    case BINARY_LESS:
    case BINARY_LESS_EQUAL:
    case BINARY_GREATER:
    case BINARY_GREATER_EQUAL:
    case BINARY_AND:
    case BINARY_OR: assert(false); break;
    }
    return isfinite(result) ? datum_number(result) : report_overflow(e, expr->binary.operator_span);
}

static double as_double(const Datum *datum) {
    return datum->kind == DATUM_INTEGER ? (double)datum->integer : datum->number;
}

/* "`+` takes tensors and numbers, not a tensor and a text" */
static Datum report_operands(Elaborator *e, const Expr *expr, const Datum *left, const Datum *right,
                             const char *wanted) {
    bool tensor = left->kind == DATUM_TENSOR || right->kind == DATUM_TENSOR;
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, tensor ? DIAG_E0206 : DIAG_E0207, expr->binary.operator_span,
                    "`%s` takes %s, not %s and %s", binary_operator_text(expr->binary.op), wanted,
                    datum_kind_name(left->kind), datum_kind_name(right->kind));
    diag_label(e->diagnostics, diagnostic, expr->binary.left->span, "%s",
               datum_kind_name(left->kind));
    diag_label(e->diagnostics, diagnostic, expr->binary.right->span, "%s",
               datum_kind_name(right->kind));
    return DATUM_UNKNOWN;
}

/* Tensors where a graph is being made, else numbers alone. */
static bool makes_layer(const Elaborator *e, const Datum *left, const Datum *right) {
    bool tensors = left->kind == DATUM_TENSOR || right->kind == DATUM_TENSOR;
    return e->graph && !e->in_assert && tensors &&
           (left->kind == DATUM_TENSOR || datum_is_number(left)) &&
           (right->kind == DATUM_TENSOR || datum_is_number(right));
}

static Datum arithmetic(Elaborator *e, const Expr *expr, const Datum *left, const Datum *right) {
    if (makes_layer(e, left, right))
        return elaborate_operator(e, expr, left, right);
    if (!datum_is_number(left) || !datum_is_number(right))
        return report_operands(e, expr, left, right,
                               e->in_assert ? "two numbers" : "tensors and numbers");
    if (left->kind == DATUM_INTEGER && right->kind == DATUM_INTEGER)
        return integer_arithmetic(e, expr, left->integer, right->integer);
    return float_arithmetic(e, expr, as_double(left), as_double(right));
}

/* ---- conditions --------------------------------------------------------------------------- */

/* Whether two data that are no numbers are equal; false if they cannot be compared. */
static bool equality(const Datum *a, const Datum *b, bool *equal) {
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case DATUM_BOOLEAN: *equal = a->boolean == b->boolean; return true;
    case DATUM_TEXT: *equal = strcmp(a->text, b->text) == 0; return true;
    case DATUM_SIZE: *equal = shape_equal(a->size, b->size); return true;
    case DATUM_SHAPE: *equal = shape_equal(a->shape, b->shape); return true;
    case DATUM_POISON:
    case DATUM_INTEGER:
    case DATUM_NUMBER:
    case DATUM_WORD:
    case DATUM_TENSOR:
    case DATUM_TUPLE: return false;
    }
    assert(false);
    return false;
}

static bool order_holds(BinaryOperator op, int order) {
    switch (op) {
    case BINARY_EQUAL: return order == 0;
    case BINARY_NOT_EQUAL: return order != 0;
    case BINARY_LESS: return order == -1;
    case BINARY_LESS_EQUAL: return order == -1 || order == 0;
    case BINARY_GREATER: return order == 1;
    case BINARY_GREATER_EQUAL: return order == 1 || order == 0;
    case BINARY_ADD:
    case BINARY_SUBTRACT:
    case BINARY_MULTIPLY:
    case BINARY_DIVIDE:
    case BINARY_REMAINDER:
    case BINARY_AND:
    case BINARY_OR: break;
    }
    assert(false);
    return false;
}

static Datum compare(Elaborator *e, const Expr *expr, const Datum *left, const Datum *right) {
    BinaryOperator comparison = expr->binary.op;
    if (datum_is_number(left) && datum_is_number(right))
        return datum_boolean(order_holds(comparison, datum_compare(left, right)));
    bool equal;
    bool unordered = comparison == BINARY_EQUAL || comparison == BINARY_NOT_EQUAL;
    if (unordered && equality(left, right, &equal))
        return datum_boolean(equal == (comparison == BINARY_EQUAL));
    return report_operands(e, expr, left, right,
                           unordered ? "two values of one kind" : "two numbers");
}

/* `and`, `or`. */
static Datum connect(Elaborator *e, const Expr *expr, const Datum *left, const Datum *right,
                     bool both) {
    if (left->kind != DATUM_BOOLEAN || right->kind != DATUM_BOOLEAN)
        return report_operands(e, expr, left, right, "two conditions");
    return datum_boolean(both ? left->boolean && right->boolean : left->boolean || right->boolean);
}

static Datum combine(Elaborator *e, const Expr *expr, const Datum *left, const Datum *right) {
    if (left->kind == DATUM_POISON || right->kind == DATUM_POISON)
        return DATUM_UNKNOWN;
    switch (expr->binary.op) {
    case BINARY_ADD:
    case BINARY_SUBTRACT:
    case BINARY_MULTIPLY:
    case BINARY_DIVIDE:
    case BINARY_REMAINDER: return arithmetic(e, expr, left, right);
    case BINARY_EQUAL:
    case BINARY_NOT_EQUAL:
    case BINARY_LESS:
    case BINARY_LESS_EQUAL:
    case BINARY_GREATER:
    case BINARY_GREATER_EQUAL: return compare(e, expr, left, right);
    case BINARY_AND: return connect(e, expr, left, right, true);
    case BINARY_OR: return connect(e, expr, left, right, false);
    }
    assert(false);
    return DATUM_UNKNOWN;
}

static Datum evaluate_binary(Elaborator *e, const Expr *expr) {
    Datum left = evaluate(e, expr->binary.left);
    Datum right = evaluate(e, expr->binary.right);
    return combine(e, expr, &left, &right);
}

static Datum evaluate_unary(Elaborator *e, const Expr *expr) {
    Datum operand = evaluate(e, expr->unary.operand);
    bool negate = expr->unary.op == UNARY_NEGATE;
    int64_t opposite;
    if (operand.kind == DATUM_POISON)
        return DATUM_UNKNOWN;
    if (!negate && operand.kind == DATUM_BOOLEAN)
        return datum_boolean(!operand.boolean);
    if (negate && operand.kind == DATUM_TENSOR && e->graph && !e->in_assert)
        return elaborate_negation(e, expr, operand.tensor);
    if (negate && operand.kind == DATUM_NUMBER)
        return datum_number(-operand.number);
    if (negate && operand.kind == DATUM_INTEGER)
        return checked_sub(0, operand.integer, &opposite) ? datum_integer(opposite)
                                                          : report_overflow(e, expr->span);
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, operand.kind == DATUM_TENSOR ? DIAG_E0206 : DIAG_E0207,
                    expr->unary.operand->span, "`%s` takes %s, not %s", negate ? "-" : "not",
                    negate ? "a number" : "a condition", datum_kind_name(operand.kind));
    diag_here(e->diagnostics, diagnostic, "%s", datum_kind_name(operand.kind));
    return DATUM_UNKNOWN;
}

/* ---- all kinds ---------------------------------------------------------------------------- */

static Datum evaluate_size(Elaborator *e, const Expr *expr) {
    static_assert(AST_MAX_SIZE_RANK <= TENSOR_MAX_RANK, "a size is kept as a shape");
    Shape *size = ARENA_NEW(e->arena, Shape);
    *size = shape_of(expr->size.rank, expr->size.dims);
    return (Datum){.kind = DATUM_SIZE, .size = size};
}

static Datum evaluate_tuple(Elaborator *e, const Expr *expr,
                            Datum (*evaluate_item)(Elaborator *e, const Expr *item)) {
    Datum datum = {.kind = DATUM_TUPLE};
    datum.tuple.count = expr->tuple.count;
    datum.tuple.items = ARENA_ARRAY(e->arena, expr->tuple.count, Datum);
    for (size_t i = 0; i < expr->tuple.count; i++)
        datum.tuple.items[i] = evaluate_item(e, expr->tuple.data[i]);
    return datum;
}

static Datum evaluate_type(Elaborator *e, const Expr *expr) {
    Shape *shape = ARENA_NEW(e->arena, Shape);
    return type_shape(e, expr, shape) ? (Datum){.kind = DATUM_SHAPE, .shape = shape}
                                      : DATUM_UNKNOWN;
}

/* What makes nodes of a graph: only inside a network, and not in an assert. */
static Datum evaluate_layers(Elaborator *e, const Expr *expr) {
    if (!e->graph || e->in_assert) {
        Diagnostic *diagnostic = diag_report(
            e->diagnostics, DIAG_E0206, expr->span,
            e->graph ? "an assert compares numbers, not what layers give"
                     : "a constant is a value known before anything runs, not what layers give");
        diag_here(e->diagnostics, diagnostic, "a tensor");
        return DATUM_UNKNOWN;
    }
    if (expr->kind == EXPR_PIPE)
        return elaborate_pipe(e, expr);
    return elaborate_step(e, DATUM_NOTHING, expr, STEP_UNNAMED);
}

static Datum evaluate_kind(Elaborator *e, const Expr *expr) {
    switch (expr->kind) {
    case EXPR_ERROR: return DATUM_UNKNOWN;
    case EXPR_INTEGER: return datum_integer(expr->integer);
    case EXPR_FLOAT: return datum_number(expr->number);
    case EXPR_BOOLEAN: return datum_boolean(expr->boolean);
    case EXPR_STRING: return (Datum){.kind = DATUM_TEXT, .text = expr->string};
    case EXPR_SIZE: return evaluate_size(e, expr);
    case EXPR_NAME: return evaluate_name(e, expr);
    case EXPR_MEMBER: return evaluate_member(e, expr);
    case EXPR_UNARY: return evaluate_unary(e, expr);
    case EXPR_BINARY: return evaluate_binary(e, expr);
    case EXPR_CALL:
    case EXPR_PIPE: return evaluate_layers(e, expr);
    case EXPR_TUPLE: return evaluate_tuple(e, expr, evaluate);
    case EXPR_TYPE: return evaluate_type(e, expr);
    case EXPR_IF: return evaluate_if(e, expr);
    case EXPR_LABEL:
    case EXPR_CHAIN:
    case EXPR_REPEAT: break;
    }
    assert(false); /* the grammar has these as steps only */
    return DATUM_UNKNOWN;
}

Datum evaluate(Elaborator *e, const Expr *expr) {
    e->levels++;
    Datum datum = evaluate_kind(e, expr);
    e->levels--;
    return datum;
}

Datum evaluate_argument(Elaborator *e, const Expr *expr) {
    if (expr->kind == EXPR_NAME && !scope_find(e->scope, expr->name.text))
        return (Datum){.kind = DATUM_WORD, .text = expr->name.text};
    if (expr->kind == EXPR_TUPLE)
        return evaluate_tuple(e, expr, evaluate_argument);
    return evaluate(e, expr);
}
