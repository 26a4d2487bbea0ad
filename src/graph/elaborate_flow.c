/* Compile-time choice and repetition: `if`, `repeat`. */
#include <inttypes.h>

#include "graph/elaborator.h"

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
    switch (evaluate_condition(e, expr->choice.condition)) {
    case CONDITION_TRUE: return evaluate(e, expr->choice.then);
    case CONDITION_FALSE: return evaluate(e, expr->choice.otherwise);
    case CONDITION_UNKNOWN: break;
    }
    return DATUM_UNKNOWN;
}

Datum elaborate_if_step(Elaborator *e, Datum incoming, const Expr *expr, StepName name) {
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
static Datum repeat_turn(Elaborator *e, Datum incoming, const Expr *expr, int64_t index,
                         StepName name) {
    if (!expr->repeat.index.text)
        return elaborate_step(e, incoming, expr->repeat.body, name);
    Scope *outer = e->scope;
    e->scope = ARENA_NEW(e->arena, Scope);
    e->scope->parent = outer;
    scope_add(e->arena, e->scope, expr->repeat.index, datum_integer(index));
    Datum result = elaborate_step(e, incoming, expr->repeat.body, name);
    e->scope = outer;
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
    PathScope *outer = e->paths;
    if (name.label.text)
        path_scope_enter(e, name, PATH_CHAIN, expr->span);
    StepName turn = {.direct = name.direct || name.label.text};
    for (int64_t i = begin; i < end && !e->exhausted; i++)
        incoming = repeat_turn(e, incoming, expr, i, turn);
    e->paths = outer;
    return incoming;
}
