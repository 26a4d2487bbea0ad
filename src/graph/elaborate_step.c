/* Pipelines: values passed through steps. */
#include <assert.h>
#include <string.h>

#include "graph/elaborator.h"

static Datum pass_through(Elaborator *e, Datum value, const ExprList *steps, bool direct) {
    for (size_t i = 0; i < steps->count; i++)
        value = elaborate_step(e, value, steps->data[i], (StepName){.direct = direct});
    return value;
}

Datum elaborate_pipe(Elaborator *e, const Expr *pipe) {
    Datum value = evaluate(e, pipe->pipe.value);
    if (!datum_is_tensors(&value)) {
        Diagnostic *diagnostic =
            diag_report(e->diagnostics, DIAG_E0206, pipe->pipe.value->span,
                        "`->` passes tensors on, not %s", datum_kind_name(value.kind));
        diag_here(e->diagnostics, diagnostic, "%s", datum_kind_name(value.kind));
        value = DATUM_UNKNOWN;
    }
    return pass_through(e, value, &pipe->pipe.steps, false);
}

/* ---- labels ------------------------------------------------------------------------------- */

/* `"denselayer{i}"`: the value of the integer `i`. */
static void add_value(Elaborator *e, Name label, const char *name, size_t length, StrBuf *text) {
    const char *interned = intern_bytes(e->intern, name, length);
    Binding *binding = scope_find(e->scope, interned);
    if (!binding) {
        diag_report(e->diagnostics, DIAG_E0302, label.span,
                    "there is no value called `%s` for this label", interned);
        return;
    }
    binding->used = true;
    if (binding->datum.kind == DATUM_INTEGER)
        strbuf_format(text, "%lld", (long long)binding->datum.integer);
    else if (binding->datum.kind != DATUM_POISON)
        diag_report(e->diagnostics, DIAG_E0201, label.span,
                    "`{%s}` in a label stands for an integer, not for %s", interned,
                    datum_kind_name(binding->datum.kind));
}

Name elaborate_label(Elaborator *e, Name label) {
    if (!strchr(label.text, '{'))
        return label;
    StrBuf text = {0};
    for (const char *at = label.text; *at;) {
        const char *close = *at == '{' ? strchr(at, '}') : NULL;
        if (close) {
            add_value(e, label, at + 1, (size_t)(close - at - 1), &text);
            at = close + 1;
        } else {
            strbuf_add_char(&text, *at++);
        }
    }
    label.text = intern_text(e->intern, strbuf_text(&text));
    strbuf_free(&text);
    return label;
}

/* ---- steps -------------------------------------------------------------------------------- */

/* A type as a step: the value itself, if it has that shape. Behind a mistake the type is what is
 * known of the value, so what follows is checked again. */
static Datum check_step(Elaborator *e, Datum incoming, const Expr *type) {
    if (incoming.kind == DATUM_TUPLE) {
        diag_report(e->diagnostics, DIAG_E0206, type->span,
                    "a type as a step checks one tensor, but %zu arrive", incoming.tuple.count);
        return DATUM_UNKNOWN;
    }
    assert(datum_is_tensors(&incoming));
    if (!datum_is_poisoned(&incoming))
        return type_check(e, type, incoming.tensor) ? incoming : DATUM_UNKNOWN;
    Shape shape;
    if (!type_shape(e, type, &shape))
        return DATUM_UNKNOWN;
    Value *value = value_new(e, NULL, NULL, type->span);
    value->type = (TensorType){ELEMENT_F32, shape};
    return datum_tensor(value);
}

/* `layer1: { ... }` opens a scope of paths; without a label its steps belong to the scope around.
 */
static Datum chain_step(Elaborator *e, Datum incoming, const Expr *chain, StepName name) {
    if (!name.label.text)
        return pass_through(e, incoming, &chain->chain, name.direct);
    PathScope *outer = path_scope_enter(e, name, PATH_CHAIN, chain->span);
    Datum result = pass_through(e, incoming, &chain->chain, true);
    path_scope_leave(e, outer);
    return result;
}

/* Few lines can ask for more than any machine can do. */
static bool count_step(Elaborator *e, const Expr *step) {
    if (!e->exhausted && ++e->steps > ELABORATE_MAX_STEPS) {
        e->exhausted = true;
        diag_report(e->diagnostics, DIAG_E0802, step->span,
                    "the file expands to more than %lld steps", (long long)ELABORATE_MAX_STEPS);
    }
    return !e->exhausted;
}

static Datum elaborate_step_kind(Elaborator *e, Datum incoming, const Expr *step, StepName name) {
    const ArgumentList none = {0};
    switch (step->kind) {
    case EXPR_NAME: return elaborate_call(e, incoming, step->name, &none, step->span, name);
    case EXPR_CALL:
        return elaborate_call(e, incoming, step->call.callee, &step->call.arguments, step->span,
                              name);
    case EXPR_LABEL:
        return elaborate_step(
            e, incoming, step->label.step,
            (StepName){.label = elaborate_label(e, step->label.label), .direct = name.direct});
    case EXPR_CHAIN: return chain_step(e, incoming, step, name);
    case EXPR_TYPE: return check_step(e, incoming, step);
    case EXPR_IF: return elaborate_if_step(e, incoming, step, name);
    case EXPR_REPEAT: return elaborate_repeat(e, incoming, step, name);
    case EXPR_ERROR: return DATUM_UNKNOWN;
    case EXPR_INTEGER:
    case EXPR_FLOAT:
    case EXPR_BOOLEAN:
    case EXPR_STRING:
    case EXPR_SIZE:
    case EXPR_MEMBER:
    case EXPR_UNARY:
    case EXPR_BINARY:
    case EXPR_TUPLE:
    case EXPR_PIPE: break;
    }
    assert(false); /* the grammar has no other steps */
    return DATUM_UNKNOWN;
}

Datum elaborate_step(Elaborator *e, Datum incoming, const Expr *step, StepName name) {
    if (!count_step(e, step))
        return DATUM_UNKNOWN;
    size_t node_begin = e->graph->nodes.count;
    e->levels++;
    Datum result = elaborate_step_kind(e, incoming, step, name);
    e->levels--;
    bool is_call = step->kind == EXPR_CALL || step->kind == EXPR_NAME;
    note_step(e, is_call ? MEANING_CALL : MEANING_STEPS, step->span, incoming, result, node_begin);
    return result;
}
