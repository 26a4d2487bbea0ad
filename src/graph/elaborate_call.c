/* Calls of layers: what goes in, the node, its shape rule. */
#include <assert.h>

#include "graph/elaborator.h"
#include "layers/foreign.h"
#include "support/suggest.h"

/* ---- unknown layers ----------------------------------------------------------------------- */

static const char *nearest_layer(Elaborator *e, const char *name) {
    size_t count;
    const LayerInfo *const *table = layer_table(&count);
    const char **names = ARENA_ARRAY(e->arena, count, const char *);
    for (size_t i = 0; i < count; i++)
        names[i] = table[i]->name;
    return suggest_name(name, names, count);
}

static void report_unknown_layer(Elaborator *e, Name name) {
    Diagnostics *diagnostics = e->diagnostics;
    Diagnostic *diagnostic =
        diag_report(diagnostics, DIAG_E0301, name.span, "there is no layer called `%s`", name.text);
    const Binding *binding = scope_find(e->scope, name.text);
    if (binding) {
        diag_here(diagnostics, diagnostic, "a value, not a layer");
        diag_label(diagnostics, diagnostic, binding->name.span, "`%s` is %s", name.text,
                   datum_kind_name(binding->datum.kind));
        return;
    }
    const LayerInfo *foreign = foreign_layer(name.text);
    const char *nearest = foreign ? NULL : nearest_layer(e, name.text);
    if (foreign)
        diag_fix(diagnostics, diagnostic, name.span, foreign->name, true, "netc calls it `%s`",
                 foreign->name);
    else if (nearest)
        diag_fix(diagnostics, diagnostic, name.span, nearest, true, "did you mean `%s`?", nearest);
    diag_note(diagnostics, diagnostic, "`netc layers` lists every layer");
}

/* ---- inputs ------------------------------------------------------------------------------- */

/* A call on its way to a node. */
typedef struct Call {
    const LayerInfo *layer;
    Name callee;
    Span span;
    const ArgumentList *arguments;
    Datum *data;         /* what each argument stands for */
    size_t first;        /* of the arguments that is not an input */
    VEC(Value *) inputs; /* NULL where it is unknown */
    bool poisoned;
} Call;

static Datum *evaluate_arguments(Elaborator *e, const ArgumentList *arguments) {
    Datum *data = ARENA_ARRAY(e->arena, arguments->count, Datum);
    for (size_t i = 0; i < arguments->count; i++)
        data[i] = evaluate_argument(e, arguments->data[i].value);
    return data;
}

static void take_input(Elaborator *e, Call *call, const Datum *datum) {
    if (datum->kind == DATUM_TUPLE) {
        for (size_t i = 0; i < datum->tuple.count; i++)
            take_input(e, call, &datum->tuple.items[i]);
        return;
    }
    call->poisoned = call->poisoned || datum_is_poisoned(datum);
    VEC_PUSH(e->arena, &call->inputs, datum->kind == DATUM_TENSOR ? datum->tensor : NULL);
}

static const Value *known_input(const Call *call) {
    const Value *input = call->inputs.count > 0 ? call->inputs.data[0] : NULL;
    return input && !input->poisoned ? input : NULL;
}

/* Whether `value`, the first argument of a call that has all its inputs, consists of bare names
 * that mean something to the layer's first attribute: `squeeze((h, w))`, whatever else is called
 * `h`. */
static bool names_attribute(const Call *call, const Expr *value) {
    if (call->inputs.count < call->layer->max_inputs || call->layer->attribute_count == 0)
        return false;
    if (value->kind == EXPR_NAME)
        return attribute_takes_word(call->layer, 0, value->name.text, known_input(call));
    if (value->kind != EXPR_TUPLE)
        return false;
    for (size_t i = 0; i < value->tuple.count; i++)
        if (!names_attribute(call, value->tuple.data[i]))
            return false;
    return value->tuple.count > 0;
}

/* Whether argument `index`, all before it being inputs, is one more. A word or a mistake in the
 * place of an input that the layer needs was meant as one. */
static bool is_input(Elaborator *e, const Call *call, size_t index) {
    const Argument *argument = &call->arguments->data[index];
    const Datum *datum = &call->data[index];
    if (argument->name.text || names_attribute(call, argument->value))
        return false;
    switch (datum->kind) {
    case DATUM_TENSOR: return true;
    case DATUM_TUPLE: return datum->tuple.count > 0 && datum_is_tensors(datum);
    case DATUM_POISON: return call->inputs.count < call->layer->max_inputs;
    case DATUM_WORD:
        if (call->inputs.count >= call->layer->min_inputs)
            return false;
        report_unknown_name(e, (Name){datum->text, argument->value->span}, NULL, 0);
        call->data[index] = DATUM_UNKNOWN;
        return true;
    case DATUM_INTEGER:
    case DATUM_NUMBER:
    case DATUM_BOOLEAN:
    case DATUM_TEXT:
    case DATUM_SIZE:
    case DATUM_SHAPE: return false;
    }
    assert(false);
    return false;
}

static void take_inputs(Elaborator *e, Call *call, const Datum *incoming) {
    take_input(e, call, incoming);
    for (; call->first < call->arguments->count && is_input(e, call, call->first); call->first++)
        take_input(e, call, &call->data[call->first]);
}

static bool check_input_count(Elaborator *e, const Call *call) {
    const LayerInfo *layer = call->layer;
    size_t count = call->inputs.count;
    if (call->poisoned || (count >= layer->min_inputs && count <= layer->max_inputs))
        return true; /* a mistake before may have been several values */
    bool few = count < layer->min_inputs;
    size_t limit = few ? layer->min_inputs : layer->max_inputs;
    const char *bound = layer->min_inputs == layer->max_inputs ? ""
                        : few                                  ? "at least "
                                                               : "at most ";
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0213, call->callee.span,
                                         "`%s` takes %s%zu input%s, but gets %zu", layer->name,
                                         bound, limit, limit == 1 ? "" : "s", count);
    if (count == 0)
        diag_help(e->diagnostics, diagnostic, "pass a tensor on to it: `%s -> %s`",
                  e->graph->inputs.count > 0 ? e->graph->inputs.data[0]->name : "x", layer->name);
    else if (few)
        diag_help(e->diagnostics, diagnostic, "pass it several: `(a, b) -> %s`", layer->name);
    for (size_t i = 0; i < count && i < 4; i++)
        if (call->inputs.data[i] && !call->inputs.data[i]->poisoned)
            diag_label(e->diagnostics, diagnostic, call->inputs.data[i]->span, "input %zu is %s",
                       i + 1, shape_text(e->arena, &call->inputs.data[i]->type.shape));
    return false;
}

/* ---- the node ----------------------------------------------------------------------------- */

Value *value_new(Elaborator *e, Node *producer, const char *name, Span span) {
    Value *value = ARENA_NEW(e->arena, Value);
    *value = (Value){
        .producer = producer, .name = name, .span = span, .id = (int64_t)e->graph->values.count};
    VEC_PUSH(e->arena, &e->graph->values, value);
    return value;
}

static Node *node_new(Elaborator *e, const LayerInfo *layer, const char *path, Span span,
                      Span name_span) {
    Node *node = ARENA_NEW(e->arena, Node);
    *node = (Node){.layer = layer,
                   .path = path,
                   .span = span,
                   .name_span = name_span,
                   .attributes = ARENA_ARRAY(e->arena, (size_t)layer->attribute_count, Attribute),
                   .outputs = ARENA_NEW(e->arena, Value *),
                   .output_count = 1,
                   .id = (int64_t)e->graph->nodes.count};
    VEC_PUSH(e->arena, &e->graph->nodes, node);
    node->outputs[0] = value_new(e, node, path, span);
    return node;
}

/* Works the result's shape out, unless something before is wrong: then the result is poisoned. */
static Datum node_infer(Elaborator *e, Node *node, bool fine) {
    Inference inference = {e->arena, e->diagnostics, e->graph, node};
    node->outputs[0]->poisoned = !fine || !node->layer->infer(&inference);
    return datum_tensor(node->outputs[0]);
}

Datum elaborate_call(Elaborator *e, Datum incoming, Name callee, const ArgumentList *arguments,
                     Span span, StepName name) {
    Call call = {.layer = layer_find(callee.text),
                 .callee = callee,
                 .span = span,
                 .arguments = arguments,
                 .data = evaluate_arguments(e, arguments)};
    if (!call.layer) {
        report_unknown_layer(e, callee);
        return DATUM_UNKNOWN;
    }
    take_inputs(e, &call, &incoming);
    const char *path = path_of_layer(e, call.layer, name, callee.span);
    Node *node = node_new(e, call.layer, path, span, callee.span);
    node->inputs = call.inputs.data;
    node->input_count = call.inputs.count;
    AttributeCall attributes = {.layer = call.layer,
                                .callee = callee,
                                .arguments = arguments->data + call.first,
                                .data = call.data + call.first,
                                .count = arguments->count - call.first,
                                .input = known_input(&call)};
    bool fine = check_input_count(e, &call);
    fine = attributes_read(e, &attributes, node->attributes) && fine;
    return node_infer(e, node, fine && !call.poisoned);
}

/* The layer that an operator between two tensors stands for; NULL if there is none. */
static const LayerInfo *operator_layer(BinaryOperator op) {
    switch (op) {
    case BINARY_ADD: return layer_find("add");
    case BINARY_SUBTRACT: return layer_find("sub");
    case BINARY_MULTIPLY: return layer_find("mul");
    case BINARY_DIVIDE: return layer_find("div");
    case BINARY_REMAINDER:
    case BINARY_EQUAL:
    case BINARY_NOT_EQUAL:
    case BINARY_LESS:
    case BINARY_LESS_EQUAL:
    case BINARY_GREATER:
    case BINARY_GREATER_EQUAL:
    case BINARY_AND:
    case BINARY_OR: return NULL;
    }
    assert(false);
    return NULL;
}

Datum elaborate_operator(Elaborator *e, const Expr *binary, Value *left, Value *right) {
    const LayerInfo *layer = operator_layer(binary->binary.op);
    Span place = binary->binary.operator_span;
    if (!layer) {
        Diagnostic *diagnostic =
            diag_report(e->diagnostics, DIAG_E0206, place, "`%s` does not take tensors",
                        binary_operator_text(binary->binary.op));
        diag_label(e->diagnostics, diagnostic, binary->binary.left->span, "a tensor");
        diag_label(e->diagnostics, diagnostic, binary->binary.right->span, "a tensor");
        diag_note(e->diagnostics, diagnostic, "the only operator between tensors is `+`");
        return DATUM_UNKNOWN;
    }
    const char *path = path_of_layer(e, layer, STEP_UNNAMED, place);
    Node *node = node_new(e, layer, path, binary->span, place);
    node->inputs = ARENA_ARRAY(e->arena, 2, Value *);
    node->inputs[0] = left;
    node->inputs[1] = right;
    node->input_count = 2;
    AttributeCall attributes = {
        .layer = layer, .callee = {layer->name, place}, .input = left->poisoned ? NULL : left};
    bool fine = attributes_read(e, &attributes, node->attributes);
    return node_infer(e, node, fine && !left->poisoned && !right->poisoned);
}
