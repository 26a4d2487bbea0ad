/* Compile-time choice and repetition: `if`, `repeat`. */
#include <assert.h>
#include <inttypes.h>

#include "graph/elaborator.h"

/* ---- what is not expanded ----------------------------------------------------------------- */

static void use_names_of(Elaborator *e, const ExprList *list) {
    for (size_t i = 0; i < list->count; i++)
        use_names(e, list->data[i]);
}

void use_names(Elaborator *e, const Expr *expr) {
    switch (expr->kind) {
    case EXPR_NAME: {
        Binding *binding = scope_find(e->scope, expr->name.text);
        if (binding)
            binding->used = true;
        return;
    }
    case EXPR_UNARY: use_names(e, expr->unary.operand); return;
    case EXPR_BINARY:
        use_names(e, expr->binary.left);
        use_names(e, expr->binary.right);
        return;
    case EXPR_CALL:
        for (size_t i = 0; i < expr->call.arguments.count; i++)
            use_names(e, expr->call.arguments.data[i].value);
        return;
    case EXPR_TUPLE: use_names_of(e, &expr->tuple); return;
    case EXPR_PIPE:
        use_names(e, expr->pipe.value);
        use_names_of(e, &expr->pipe.steps);
        return;
    case EXPR_LABEL: use_names(e, expr->label.step); return;
    case EXPR_CHAIN: use_names_of(e, &expr->chain); return;
    case EXPR_TYPE: use_names_of(e, &expr->type.dims); return;
    case EXPR_IF:
        use_names(e, expr->choice.condition);
        use_names(e, expr->choice.then);
        if (expr->choice.otherwise)
            use_names(e, expr->choice.otherwise);
        return;
    case EXPR_REPEAT:
        if (expr->repeat.begin)
            use_names(e, expr->repeat.begin);
        use_names(e, expr->repeat.end);
        use_names(e, expr->repeat.body);
        return;
    case EXPR_ERROR:
    case EXPR_INTEGER:
    case EXPR_FLOAT:
    case EXPR_BOOLEAN:
    case EXPR_STRING:
    case EXPR_SIZE:
    case EXPR_MEMBER: return;
    }
    assert(false);
}

/* ---- choice ------------------------------------------------------------------------------- */

typedef enum Condition {
    CONDITION_FALSE,
    CONDITION_TRUE,
    CONDITION_UNKNOWN, /* a mistake, reported */
} Condition;

static Condition evaluate_condition(Elaborator *e, const Expr *condition) {
    Datum datum = evaluate(e, condition);
    if (datum.kind == DATUM_BOOLEAN)
        return datum.boolean ? CONDITION_TRUE : CONDITION_FALSE;
    if (datum_is_poisoned(&datum))
        return CONDITION_UNKNOWN;
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0201, condition->span, "`if` needs a condition, not %s",
                    datum_kind_name(datum.kind));
    diag_here(e->diagnostics, diagnostic, "%s", datum_kind_name(datum.kind));
    return CONDITION_UNKNOWN;
}

Datum evaluate_if(Elaborator *e, const Expr *expr) {
    use_names(e, expr);
    switch (evaluate_condition(e, expr->choice.condition)) {
    case CONDITION_TRUE: return evaluate(e, expr->choice.then);
    case CONDITION_FALSE: return evaluate(e, expr->choice.otherwise);
    case CONDITION_UNKNOWN: break;
    }
    return DATUM_UNKNOWN;
}

Datum elaborate_if_step(Elaborator *e, Datum incoming, const Expr *expr, StepName name) {
    use_names(e, expr);
    switch (evaluate_condition(e, expr->choice.condition)) {
    case CONDITION_TRUE: return elaborate_step(e, incoming, expr->choice.then, name);
    case CONDITION_FALSE:
        return expr->choice.otherwise ? elaborate_step(e, incoming, expr->choice.otherwise, name)
                                      : incoming;
    case CONDITION_UNKNOWN: break;
    }
    return DATUM_UNKNOWN;
}

/* ---- repetition --------------------------------------------------------------------------- */

/* A bound of `repeat`; false after a mistake. */
static bool evaluate_bound(Elaborator *e, const Expr *expr, int64_t *bound) {
    *bound = 0;
    if (!expr)
        return true;
    Datum datum = evaluate(e, expr);
    if (datum_is_poisoned(&datum))
        return false;
    *bound = datum.integer;
    if (datum.kind == DATUM_INTEGER)
        return true;
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0201, expr->span, "`repeat` counts with integers, not %s",
                    datum_kind_name(datum.kind));
    diag_here(e->diagnostics, diagnostic, "%s", datum_kind_name(datum.kind));
    return false;
}

static bool check_range(Elaborator *e, const Expr *repeat, int64_t begin, int64_t end) {
    if (end >= begin)
        return true;
    Span span = repeat->repeat.end->span;
    if (!repeat->repeat.begin)
        diag_report(e->diagnostics, DIAG_E0205, span, "nothing is repeated %" PRId64 " times", end);
    else
        diag_report(e->diagnostics, DIAG_E0205, span_join(repeat->repeat.begin->span, span),
                    "the range %" PRId64 "..%" PRId64 " ends before it begins", begin, end);
    return false;
}

/* One turn, in a scope where the index has its value. */
static Datum index_turn(Elaborator *e, Datum incoming, const Expr *expr, int64_t index,
                        StepName name) {
    if (!expr->repeat.index.text)
        return elaborate_step(e, incoming, expr->repeat.body, name);
    Scope *outer = e->scope;
    e->scope = ARENA_NEW(e->arena, Scope);
    e->scope->parent = outer;
    scope_add(e->arena, e->scope, expr->repeat.index, datum_integer(index));
    note_name(e, expr->repeat.index, datum_integer(index));
    Datum result = elaborate_step(e, incoming, expr->repeat.body, name);
    e->scope = outer;
    return result;
}

/* A mistake says in which turn it is; one that shows in every turn is reported for the first. */
static Datum repeat_turn(Elaborator *e, Datum incoming, const Expr *expr, int64_t index,
                         StepName name) {
    Name counter = expr->repeat.index;
    DiagContext *context = ARENA_NEW(e->arena, DiagContext); /* asserts keep it */
    context->outer = e->diagnostics->context;
    context->span = counter.text ? counter.span : expr->repeat.end->span;
    context->text = counter.text
                        ? arena_format(e->arena, "where `%s` is %" PRId64, counter.text, index)
                        : arena_format(e->arena, "in turn %" PRId64, index + 1);
    e->diagnostics->context = context;
    Datum result = index_turn(e, incoming, expr, index, name);
    e->diagnostics->context = context->outer;
    return result;
}

/* The turns are steps of one chain: a label in front opens one scope of paths around all. */
Datum elaborate_repeat(Elaborator *e, Datum incoming, const Expr *expr, StepName name) {
    int64_t begin;
    int64_t end;
    bool fine = evaluate_bound(e, expr->repeat.begin, &begin);
    fine = evaluate_bound(e, expr->repeat.end, &end) && fine;
    if (!fine || !check_range(e, expr, begin, end))
        return DATUM_UNKNOWN;
    use_names(e, expr); /* of no turn at all, too */
    PathScope *outer = e->paths;
    if (name.label.text)
        path_scope_enter(e, name, PATH_CHAIN, expr->span);
    StepName turn = {.direct = name.direct || name.label.text};
    for (int64_t i = begin; i < end && !e->exhausted; i++)
        incoming = repeat_turn(e, incoming, expr, i, turn);
    e->paths = outer;
    return incoming;
}
