/* Asserts: conditions on compile-time values and on the figures of a network. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "graph/elaborator.h"
#include "graph/replay.h"
#include "support/checked.h"

/* ---- figures ------------------------------------------------------------------------------ */

typedef enum Figure {
    FIGURE_PARAMETERS,
    FIGURE_TRAINABLE,
    FIGURE_FROZEN,
    FIGURE_MACS,
    FIGURE_FLOPS,
    FIGURE_WEIGHT_BYTES,
    FIGURE_ARENA_BYTES,
} Figure;

static const struct {
    const char *name;
    const char *part; /* NULL: the whole */
    const char *unit;
} figures[] = {
    [FIGURE_PARAMETERS] = {"params", NULL, "parameters"},
    [FIGURE_TRAINABLE] = {"params", "trainable", "trainable parameters"},
    [FIGURE_FROZEN] = {"params", "frozen", "frozen parameters"},
    [FIGURE_MACS] = {"macs", NULL, "multiply-accumulates"},
    [FIGURE_FLOPS] = {"flops", NULL, "floating-point operations"},
    [FIGURE_WEIGHT_BYTES] = {"weights", NULL, "bytes of weights"},
    [FIGURE_ARENA_BYTES] = {"arena", NULL, "bytes of arena"},
};

#define FIGURE_COUNT (sizeof figures / sizeof *figures)

const char *const *metric_names(size_t *count) {
    static const char *const names[] = {"params", "macs", "flops", "weights", "arena"};
    *count = sizeof names / sizeof *names;
    return names;
}

/* The figure a name or member means, where no value has that name; false if it means none. */
static bool figure_of(const Scope *scope, const Expr *expr, Figure *figure) {
    const Expr *object = expr->kind == EXPR_MEMBER ? expr->member.object : expr;
    const char *part = expr->kind == EXPR_MEMBER ? expr->member.field.text : "";
    if (object->kind != EXPR_NAME || scope_find(scope, object->name.text))
        return false;
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        if (strcmp(figures[i].name, object->name.text) == 0 &&
            strcmp(figures[i].part ? figures[i].part : "", part) == 0) {
            *figure = (Figure)i;
            return true;
        }
    }
    return false;
}

static int64_t figure_value(const Metrics *metrics, Figure figure) {
    const GraphCount *count = metrics->count;
    switch (figure) {
    case FIGURE_PARAMETERS: return count->trainable + count->frozen; /* checked by graph_count */
    case FIGURE_TRAINABLE: return count->trainable;
    case FIGURE_FROZEN: return count->frozen;
    case FIGURE_MACS: return count->macs;
    case FIGURE_FLOPS: return count->flops;
    case FIGURE_WEIGHT_BYTES: return count->weight_bytes;
    case FIGURE_ARENA_BYTES: return metrics->arena_bytes;
    }
    assert(false);
    return 0;
}

/* What one node adds to a figure. */
static int64_t figure_of_node(const NodeCount *count, Figure figure) {
    switch (figure) {
    case FIGURE_PARAMETERS: return count->trainable + count->frozen;
    case FIGURE_TRAINABLE: return count->trainable;
    case FIGURE_FROZEN: return count->frozen;
    case FIGURE_MACS: return count->macs;
    case FIGURE_FLOPS: return count->flops;
    case FIGURE_WEIGHT_BYTES: return (count->trainable + count->frozen) * element_size(ELEMENT_F32);
    case FIGURE_ARENA_BYTES: return 0; /* shared by all */
    }
    assert(false);
    return 0;
}

bool metric_find(const Elaborator *e, const Expr *expr, Datum *datum) {
    Figure figure;
    if (!figure_of(e->scope, expr, &figure))
        return false;
    *datum = e->metrics ? datum_integer(figure_value(e->metrics, figure)) : DATUM_UNKNOWN;
    return true;
}

/* Whether the condition names a figure: `arena` alone, or any. */
static bool names_figure(const Scope *scope, const Expr *expr, bool arena_only) {
    Figure figure;
    switch (expr->kind) {
    case EXPR_NAME:
    case EXPR_MEMBER:
        return figure_of(scope, expr, &figure) && (!arena_only || figure == FIGURE_ARENA_BYTES);
    case EXPR_UNARY: return names_figure(scope, expr->unary.operand, arena_only);
    case EXPR_BINARY:
        return names_figure(scope, expr->binary.left, arena_only) ||
               names_figure(scope, expr->binary.right, arena_only);
    case EXPR_IF:
        return names_figure(scope, expr->choice.condition, arena_only) ||
               names_figure(scope, expr->choice.then, arena_only) ||
               names_figure(scope, expr->choice.otherwise, arena_only);
    case EXPR_ERROR:
    case EXPR_INTEGER:
    case EXPR_FLOAT:
    case EXPR_BOOLEAN:
    case EXPR_STRING:
    case EXPR_SIZE:
    case EXPR_CALL:
    case EXPR_TUPLE:
    case EXPR_PIPE:
    case EXPR_LABEL:
    case EXPR_CHAIN:
    case EXPR_TYPE:
    case EXPR_REPEAT: return false;
    }
    assert(false);
    return false;
}

/* ---- keeping them ------------------------------------------------------------------------- */

static void report_no_condition(Elaborator *e, const Expr *condition, const Datum *datum) {
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0502, condition->span,
                    "an assert needs a condition, not %s", datum_kind_name(datum->kind));
    diag_here(e->diagnostics, diagnostic, "%s", datum_kind_name(datum->kind));
    diag_help(e->diagnostics, diagnostic, "compare it with something: `params <= 60k`");
}

/* Figures are those of the network: a block has none of its own. */
static bool refuse_figures(Elaborator *e, const Statement *statement) {
    if (!e->use || !names_figure(e->scope, statement->value, false))
        return false;
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0502, statement->value->span,
                                         "an assert in a block compares compile-time values");
    diag_help(e->diagnostics, diagnostic,
              "parameters and other figures are known for a whole network: assert them there");
    return true;
}

void assertion_add(Elaborator *e, const Statement *statement) {
    if (refuse_figures(e, statement))
        return;
    e->in_assert = true;
    Datum datum = evaluate(e, statement->value);
    e->in_assert = false;
    if (datum.kind == DATUM_BOOLEAN || datum.kind == DATUM_POISON) {
        Assertion assertion = {statement->value, statement->span, e->scope,
                               e->diagnostics->context};
        VEC_PUSH(e->arena, &e->graph->assertions, assertion);
    } else {
        report_no_condition(e, statement->value, &datum);
    }
}

/* ---- failures ----------------------------------------------------------------------------- */

/* A comparison that does not hold, with the figure on the left. */
typedef struct FailedAssertion {
    const Graph *graph;
    const Expr *condition;
    Figure figure;
    int64_t actual;
    Datum bound;
    const Expr *bound_expr;
    BinaryOperator comparison; /* as if the figure stood on the left */
} FailedAssertion;

static const char *datum_text(Elaborator *e, const Datum *datum) {
    StrBuf text = {0};
    datum_print(datum, &text);
    const char *copy = arena_copy_text(e->arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return copy;
}

static const char *count_text(Elaborator *e, int64_t number) {
    Datum datum = datum_integer(number);
    return datum_text(e, &datum);
}

/* "which is 828,751 over the budget of 50,000,000" */
static const char *distance_text(Elaborator *e, const FailedAssertion *failure) {
    const char *bound = datum_text(e, &failure->bound);
    int64_t distance;
    if (failure->bound.kind != DATUM_INTEGER ||
        !checked_sub(failure->actual, failure->bound.integer, &distance) || distance == INT64_MIN)
        return arena_format(e->arena, "which is not %s %s",
                            binary_operator_text(failure->comparison), bound);
    const char *by = count_text(e, distance < 0 ? -distance : distance);
    switch (failure->comparison) {
    case BINARY_LESS_EQUAL:
        return arena_format(e->arena, "which is %s over the budget of %s", by, bound);
    case BINARY_LESS:
        if (distance == 0)
            return arena_format(e->arena, "but fewer than %s are allowed", bound);
        return arena_format(e->arena, "which is %s over the limit of %s", by, bound);
    case BINARY_GREATER_EQUAL:
        return arena_format(e->arena, "which is %s under the minimum of %s", by, bound);
    case BINARY_GREATER:
        if (distance == 0)
            return arena_format(e->arena, "but more than %s are asked for", bound);
        return arena_format(e->arena, "which is %s under the limit of %s", by, bound);
    case BINARY_EQUAL:
        return arena_format(e->arena, "which is %s %s than the %s asserted", by,
                            distance < 0 ? "fewer" : "more", bound);
    case BINARY_NOT_EQUAL: return "which is what the assert rules out";
    case BINARY_ADD:
    case BINARY_SUBTRACT:
    case BINARY_MULTIPLY:
    case BINARY_DIVIDE:
    case BINARY_REMAINDER:
    case BINARY_AND:
    case BINARY_OR: break;
    }
    assert(false);
    return "";
}

#define MAX_CONTRIBUTORS 3

/* The nodes that add most to the figure, largest first; how many. */
static size_t find_contributors(const GraphCount *count, size_t node_count, Figure figure,
                                size_t largest[MAX_CONTRIBUTORS]) {
    size_t found = 0;
    for (size_t i = 0; i < node_count; i++) {
        int64_t value = figure_of_node(&count->nodes[i], figure);
        if (value == 0)
            continue;
        size_t place = found;
        while (place > 0 && value > figure_of_node(&count->nodes[largest[place - 1]], figure))
            place--;
        if (place == MAX_CONTRIBUTORS)
            continue;
        if (found < MAX_CONTRIBUTORS)
            found++;
        for (size_t k = found - 1; k > place; k--)
            largest[k] = largest[k - 1];
        largest[place] = i;
    }
    return found;
}

/* "50,625,250 parameters (99.6%) = 250 * 202_500 + 250" */
static void label_contributor(Elaborator *e, Diagnostic *diagnostic, const FailedAssertion *failure,
                              size_t index) {
    const Node *node = failure->graph->nodes.data[index];
    const NodeCount *count = &e->metrics->count->nodes[index];
    int64_t value = figure_of_node(count, failure->figure);
    StrBuf text = {0};
    strbuf_add_count(&text, value, ',');
    strbuf_format(&text, " %s (%.1f%%)", figures[failure->figure].unit,
                  100.0 * (double)value / (double)failure->actual);
    StrBuf formula = {0};
    if (failure->figure == FIGURE_MACS)
        count_mac_formula(node, &formula);
    else if (failure->figure == FIGURE_FLOPS)
        count_flop_formula(node, &formula);
    else if (failure->figure == FIGURE_TRAINABLE)
        count_trainable_formula(node, &formula);
    else if (failure->figure == FIGURE_FROZEN)
        count_frozen_formula(node, &formula);
    else
        count_parameter_formula(node, &formula);
    if (formula.length > 0) {
        const char *equals = strstr(strbuf_text(&formula), " = "); /* the total is said already */
        size_t length = equals ? (size_t)(equals - formula.data) : formula.length;
        strbuf_format(&text, failure->figure == FIGURE_WEIGHT_BYTES ? " = 4 * (%.*s)" : " = %.*s",
                      (int)length, formula.data);
    }
    diag_label(e->diagnostics, diagnostic, node->span, "%s", strbuf_text(&text));
    strbuf_free(&formula);
    strbuf_free(&text);
}

/* ---- the largest value that fits ----------------------------------------------------------- */

#define FIT_MAX_NODES  4096 /* a search infers the network some 30 times */
#define FIT_MAX_ERRORS 10   /* and nobody reads more of them */

/* The attribute that says how large a layer is, if the source has a plain number for it; -1 if it
 * has none. */
static int width_attribute(const Elaborator *e, const Node *node) {
    for (int i = 0; i < node->layer->attribute_count; i++) {
        const Attribute *attribute = &node->attributes[i];
        if (attribute->kind != ATTRIBUTE_INTEGER || node->layer->attributes[i].fallback)
            continue;
        size_t length;
        const char *text = source_text(e->diagnostics->sources, attribute->span, &length);
        return text && strspn(text, "0123456789_") >= length ? i : -1;
    }
    return -1;
}

static bool bound_holds(const FailedAssertion *failure, const GraphCount *count) {
    Metrics metrics = {.count = count, .arena_bytes = -1};
    Datum figure = datum_integer(figure_value(&metrics, failure->figure));
    int order = datum_compare(&figure, &failure->bound);
    return order < 0 || (order == 0 && failure->comparison == BINARY_LESS_EQUAL);
}

/* The largest value below the present one for which the bound holds; 0 if there is none or not
 * every value that was tried gives a network. Figures grow with it, so halving finds it. */
static int64_t largest_fit(const FailedAssertion *failure, const Replay *replay, int64_t present,
                           GraphCount *count) {
    int64_t fits = 0;
    int64_t fails = present;
    while (fails - fits > 1) {
        int64_t middle = fits + (fails - fits) / 2;
        GraphCount tried;
        if (!replay_count(replay, middle, &tried))
            return 0;
        if (bound_holds(failure, &tried)) {
            fits = middle;
            *count = tried;
        } else {
            fails = middle;
        }
    }
    return fits;
}

/* Proposes a smaller width for the node; false if none would do. */
static bool offer_fit(Elaborator *e, Diagnostic *diagnostic, const FailedAssertion *failure,
                      const Node *node) {
    int index = width_attribute(e, node);
    if (index < 0)
        return false;
    Replay replay = {failure->graph, node, index};
    GraphCount count = {0};
    int64_t fit = largest_fit(failure, &replay, node->attributes[index].integer, &count);
    if (fit == 0 || (double)fit < node->layer->attributes[index].minimum)
        return false;
    Metrics metrics = {.count = &count, .arena_bytes = -1};
    diag_fix(e->diagnostics, diagnostic, node->attributes[index].span,
             arena_format(e->arena, "%" PRId64, fit), false,
             "the largest `%s` that fits is %" PRId64 ", for %s %s in all",
             node->layer->attributes[index].name, fit,
             count_text(e, figure_value(&metrics, failure->figure)), figures[failure->figure].unit);
    return true;
}

static void offer_fits(Elaborator *e, Diagnostic *diagnostic, const FailedAssertion *failure,
                       const size_t *largest, size_t count) {
    bool budget = failure->comparison == BINARY_LESS || failure->comparison == BINARY_LESS_EQUAL;
    if (!budget || failure->graph->nodes.count > FIT_MAX_NODES ||
        e->diagnostics->error_count > FIT_MAX_ERRORS)
        return;
    for (size_t i = 0; i < count; i++)
        if (offer_fit(e, diagnostic, failure, failure->graph->nodes.data[largest[i]]))
            return;
}

/* What is in the arena where it is fullest, each where it is made. */
static void label_shares(Elaborator *e, Diagnostic *diagnostic, const FailedAssertion *failure) {
    const Metrics *metrics = e->metrics;
    for (int i = 0; i < metrics->share_count; i++)
        for (size_t k = 0; k < failure->graph->values.count; k++) {
            const Value *value = failure->graph->values.data[k];
            if (!value->name || strcmp(value->name, metrics->shares[i].value) != 0)
                continue;
            diag_label(e->diagnostics, diagnostic, value->span, "%s bytes (%.1f%%) for %s",
                       count_text(e, metrics->shares[i].bytes),
                       100.0 * (double)metrics->shares[i].bytes / (double)failure->actual,
                       shape_text(e->arena, &value->type.shape));
            break;
        }
}

/* ---- messages ------------------------------------------------------------------------------ */

static void report_figure(Elaborator *e, const FailedAssertion *failure) {
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0501, failure->condition->span,
                                         "%s %s, %s", count_text(e, failure->actual),
                                         figures[failure->figure].unit, distance_text(e, failure));
    bool budget = failure->comparison == BINARY_LESS || failure->comparison == BINARY_LESS_EQUAL;
    diag_here(e->diagnostics, diagnostic, budget ? "allowed here" : "asserted here");
    size_t largest[MAX_CONTRIBUTORS];
    size_t count =
        find_contributors(e->metrics->count, failure->graph->nodes.count, failure->figure, largest);
    for (size_t i = 0; i < count; i++)
        label_contributor(e, diagnostic, failure, largest[i]);
    offer_fits(e, diagnostic, failure, largest, count);
    if (failure->figure == FIGURE_ARENA_BYTES) {
        label_shares(e, diagnostic, failure);
        if (budget)
            diag_help(e->diagnostics, diagnostic,
                      "smaller or fewer channels there, or a pooling before it, need less");
    }
    if (failure->comparison == BINARY_EQUAL && failure->bound_expr->kind == EXPR_INTEGER) {
        StrBuf text = {0};
        strbuf_add_count(&text, failure->actual, '_');
        diag_fix(e->diagnostics, diagnostic, failure->bound_expr->span, strbuf_text(&text), false,
                 "if the network is right, assert %s", strbuf_text(&text));
        strbuf_free(&text);
    }
}

/* `a <= b` seen from b. */
static BinaryOperator mirrored(BinaryOperator op) {
    switch (op) {
    case BINARY_LESS: return BINARY_GREATER;
    case BINARY_LESS_EQUAL: return BINARY_GREATER_EQUAL;
    case BINARY_GREATER: return BINARY_LESS;
    case BINARY_GREATER_EQUAL: return BINARY_LESS_EQUAL;
    case BINARY_EQUAL:
    case BINARY_NOT_EQUAL:
    case BINARY_ADD:
    case BINARY_SUBTRACT:
    case BINARY_MULTIPLY:
    case BINARY_DIVIDE:
    case BINARY_REMAINDER:
    case BINARY_AND:
    case BINARY_OR: return op;
    }
    assert(false);
    return op;
}

static bool is_comparison(const Expr *expr) {
    if (expr->kind != EXPR_BINARY)
        return false;
    BinaryOperator comparison = expr->binary.op;
    return comparison >= BINARY_EQUAL && comparison <= BINARY_GREATER_EQUAL;
}

static bool is_conjunction(const Expr *expr) {
    return expr->kind == EXPR_BINARY && expr->binary.op == BINARY_AND;
}

/* A figure against a bound without one: the message can say by how much. */
static bool explain_figure(Elaborator *e, const Graph *graph, const Expr *condition) {
    const Expr *left = condition->binary.left;
    const Expr *right = condition->binary.right;
    FailedAssertion failure = {.graph = graph,
                               .condition = condition,
                               .bound_expr = right,
                               .comparison = condition->binary.op};
    const Expr *side = left;
    if (!figure_of(e->scope, left, &failure.figure)) {
        side = right;
        failure.bound_expr = left;
        failure.comparison = mirrored(failure.comparison);
    }
    if (!figure_of(e->scope, side, &failure.figure) ||
        names_figure(e->scope, failure.bound_expr, false))
        return false;
    failure.actual = figure_value(e->metrics, failure.figure);
    failure.bound = evaluate(e, failure.bound_expr);
    if (failure.bound.kind == DATUM_NUMBER && datum_is_whole(&failure.bound))
        failure.bound = datum_integer((int64_t)failure.bound.number);
    report_figure(e, &failure);
    return true;
}

static void explain_comparison(Elaborator *e, const Graph *graph, const Expr *condition) {
    if (explain_figure(e, graph, condition))
        return;
    Datum left = evaluate(e, condition->binary.left);
    Datum right = evaluate(e, condition->binary.right);
    Diagnostic *diagnostic = diag_report(
        e->diagnostics, DIAG_E0501, condition->span, "this assert does not hold: %s %s %s",
        datum_text(e, &left), binary_operator_text(condition->binary.op), datum_text(e, &right));
    diag_label(e->diagnostics, diagnostic, condition->binary.left->span, "%s",
               datum_text(e, &left));
    diag_label(e->diagnostics, diagnostic, condition->binary.right->span, "%s",
               datum_text(e, &right));
}

/* Reports what makes the condition false: of `a and b` each side by itself. */
static void explain(Elaborator *e, const Graph *graph, const Expr *condition) {
    if (is_conjunction(condition)) {
        const Expr *sides[] = {condition->binary.left, condition->binary.right};
        for (size_t i = 0; i < 2; i++)
            if (!evaluate(e, sides[i]).boolean)
                explain(e, graph, sides[i]);
    } else if (is_comparison(condition)) {
        explain_comparison(e, graph, condition);
    } else {
        diag_report(e->diagnostics, DIAG_E0501, condition->span, "this assert does not hold");
    }
}

void elaborate_check_asserts(const Elaboration *elaboration, const Graph *graph,
                             const Metrics *metrics) {
    bool arena_known = metrics->arena_bytes >= 0;
    for (size_t i = 0; i < graph->assertions.count; i++) {
        const Assertion *assertion = &graph->assertions.data[i];
        Scope scope = *assertion->scope;
        if (names_figure(&scope, assertion->condition, true) != arena_known)
            continue;
        Elaborator e = {.arena = elaboration->arena,
                        .intern = elaboration->intern,
                        .diagnostics = elaboration->diagnostics,
                        .scope = &scope,
                        .metrics = metrics,
                        .in_assert = true};
        e.diagnostics->context = assertion->context;
        Datum datum = evaluate(&e, assertion->condition);
        if (datum.kind == DATUM_BOOLEAN && !datum.boolean)
            explain(&e, graph, assertion->condition);
        else if (datum.kind != DATUM_BOOLEAN && datum.kind != DATUM_POISON)
            report_no_condition(&e, assertion->condition, &datum);
        e.diagnostics->context = NULL;
    }
}
