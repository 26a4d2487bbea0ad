/* Calls of layers: what goes in, the node, its shape rule. */
#include <assert.h>
#include <string.h>

#include "graph/elaborator.h"
#include "layers/foreign.h"
#include "support/suggest.h"

/* ---- unknown layers ----------------------------------------------------------------------- */

static const char *nearest_layer(Elaborator *e, const char *name) {
    size_t count;
    const LayerInfo *const *table = layer_table(&count);
    VEC(const char *) names = {0};
    for (size_t i = 0; i < count; i++)
        VEC_PUSH(e->arena, &names, table[i]->name);
    for (size_t i = 0; e->names && i < e->names->block_list.count; i++)
        VEC_PUSH(e->arena, &names, e->names->block_list.data[i]->item->name.text);
    return suggest_name(name, names.data, names.count);
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
typedef struct LayerCall {
    const LayerInfo *layer;
    const Call *call;
    size_t first;        /* of the arguments that is not an input */
    VEC(Value *) inputs; /* NULL where it is unknown */
    bool poisoned;
} LayerCall;

static Datum *evaluate_arguments(Elaborator *e, const ArgumentList *arguments) {
    Datum *data = ARENA_ARRAY(e->arena, arguments->count, Datum);
    for (size_t i = 0; i < arguments->count; i++)
        data[i] = evaluate_argument(e, arguments->data[i].value);
    return data;
}

static void take_input(Elaborator *e, LayerCall *call, const Datum *datum) {
    if (datum->kind == DATUM_TUPLE) {
        for (size_t i = 0; i < datum->tuple.count; i++)
            take_input(e, call, &datum->tuple.items[i]);
        return;
    }
    call->poisoned = call->poisoned || datum_is_poisoned(datum);
    VEC_PUSH(e->arena, &call->inputs, datum->kind == DATUM_TENSOR ? datum->tensor : NULL);
}

static const Value *known_input(const LayerCall *call) {
    const Value *input = call->inputs.count > 0 ? call->inputs.data[0] : NULL;
    return input && !input->poisoned ? input : NULL;
}

/* Whether `value`, the first argument of a call that has all its inputs, consists of bare names
 * that mean something to the layer's first attribute: `squeeze((h, w))`, whatever else is called
 * `h`. */
static bool names_attribute(const LayerCall *call, const Expr *value) {
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
static bool is_input(Elaborator *e, const LayerCall *call, size_t index) {
    const Argument *argument = &call->call->arguments->data[index];
    const Datum *datum = &call->call->data[index];
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
        call->call->data[index] = DATUM_UNKNOWN;
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

static void take_inputs(Elaborator *e, LayerCall *call, const Datum *incoming) {
    take_input(e, call, incoming);
    for (; call->first < call->call->arguments->count && is_input(e, call, call->first);
         call->first++)
        take_input(e, call, &call->call->data[call->first]);
}

/* More inputs than the layer takes. */
static void advise_too_many(Elaborator *e, const LayerCall *call, Diagnostic *diagnostic) {
    const LayerInfo *layer = call->layer;
    if (call->first > 0) {
        diag_here(e->diagnostics, diagnostic,
                  layer->attribute_count > 0 ? "a tensor, which is an input and not `%s`"
                                             : "one more input",
                  layer->attribute_count > 0 ? layer->attributes[0].name : "");
        diag_help(e->diagnostics, diagnostic,
                  "`%s` gets its input from `->`, and in parentheses what is known before it runs",
                  layer->name);
        return;
    }
    uint32_t begin = call->call->callee.span.begin;
    if (layer->max_inputs == 1 && begin == call->call->span.begin && !call->call->name.label.text)
        diag_fix(e->diagnostics, diagnostic, (Span){begin, begin}, "concat -> ", false,
                 "join them first, along their channels");
}

static bool check_input_count(Elaborator *e, const LayerCall *call) {
    const LayerInfo *layer = call->layer;
    size_t count = call->inputs.count;
    if (call->poisoned || (count >= layer->min_inputs && count <= layer->max_inputs))
        return true; /* a mistake before may have been several values */
    bool few = count < layer->min_inputs;
    size_t limit = few ? layer->min_inputs : layer->max_inputs;
    const char *bound = layer->min_inputs == layer->max_inputs ? ""
                        : few                                  ? "at least "
                                                               : "at most ";
    const Argument *last = call->first > 0 ? &call->call->arguments->data[call->first - 1] : NULL;
    Span span = !few && last ? last->span : call->call->callee.span;
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0213, span, "`%s` takes %s%zu input%s, but gets %zu",
                    layer->name, bound, limit, limit == 1 ? "" : "s", count);
    if (count == 0)
        diag_help(e->diagnostics, diagnostic, "pass a tensor on to it: `%s -> %s`",
                  e->graph->inputs.count > 0 ? e->graph->inputs.data[0]->name : "x", layer->name);
    else if (few)
        diag_help(e->diagnostics, diagnostic, "pass it several: `(a, b) -> %s`", layer->name);
    else
        advise_too_many(e, call, diagnostic);
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

/* Works the results' shapes out, unless something before is wrong: then the result is poisoned. */
static Datum node_infer(Elaborator *e, Node *node, bool fine) {
    Inference inference = {e->arena, e->diagnostics, e->graph, node};
    node->outputs[0]->poisoned = !fine || !node->layer->infer(&inference);
    if (node->outputs[0]->poisoned && node->shares && e->use)
        e->use->reported = true; /* the other layers of the block will not fit either */
    if (node->output_count == 1)
        return datum_tensor(node->outputs[0]);
    Datum tuple = {.kind = DATUM_TUPLE, .tuple.count = node->output_count};
    tuple.tuple.items = ARENA_ARRAY(e->arena, node->output_count, Datum);
    for (size_t i = 0; i < node->output_count; i++)
        tuple.tuple.items[i] = datum_tensor(node->outputs[i]);
    return tuple;
}

/* The path that `share="stem"` names, taken out of the arguments: no layer's table has it. */
static const char *take_share(Elaborator *e, AttributeCall *attributes, Span *span, bool *fine) {
    const char *path = NULL;
    VEC(Argument) arguments = {0};
    VEC(Datum) data = {0};
    for (size_t i = 0; i < attributes->count; i++) {
        const Argument *argument = &attributes->arguments[i];
        const Datum *datum = &attributes->data[i];
        if (!argument->name.text || strcmp(argument->name.text, "share") != 0) {
            VEC_PUSH(e->arena, &arguments, *argument);
            VEC_PUSH(e->arena, &data, *datum);
            continue;
        }
        *span = argument->value->span;
        path = path_argument(e, datum, *span);
        *fine = path != NULL;
    }
    attributes->arguments = arguments.data;
    attributes->data = data.data;
    attributes->count = arguments.count;
    return path;
}

static Datum elaborate_layer(Elaborator *e, Datum incoming, const LayerInfo *layer,
                             const Call *call) {
    LayerCall layer_call = {.layer = layer, .call = call};
    take_inputs(e, &layer_call, &incoming);
    const char *path = path_of_layer(e, layer, call->name, call->callee.span);
    Node *node = node_new(e, layer, path, call->span, call->callee.span);
    node->inputs = layer_call.inputs.data;
    node->input_count = layer_call.inputs.count;
    AttributeCall attributes = {.layer = layer,
                                .callee = call->callee,
                                .arguments = call->arguments->data + layer_call.first,
                                .data = call->data + layer_call.first,
                                .count = call->arguments->count - layer_call.first,
                                .input = known_input(&layer_call)};
    Span share_span = call->callee.span;
    bool fine = true;
    const char *share = take_share(e, &attributes, &share_span, &fine);
    bool counted = check_input_count(e, &layer_call);
    /* A tensor in the place of an argument moves all that follow: no message for them. */
    if (counted || layer_call.first == 0)
        fine = attributes_read(e, &attributes, node->attributes) && fine;
    fine = fine && counted;
    fine = fine && path_share(e, node, share, share_span);
    path_note_node(e, node);
    return node_infer(e, node, fine && !layer_call.poisoned);
}

Datum elaborate_call(Elaborator *e, Datum incoming, Name callee, const ArgumentList *arguments,
                     Span span, StepName name) {
    Call call = {.callee = callee,
                 .span = span,
                 .arguments = arguments,
                 .data = evaluate_arguments(e, arguments),
                 .name = name};
    Block *block = block_find(e, callee.text);
    if (block)
        return elaborate_block(e, incoming, block, &call);
    const LayerInfo *layer = layer_find(callee.text);
    if (layer)
        return elaborate_layer(e, incoming, layer, &call);
    report_unknown_layer(e, callee);
    return DATUM_UNKNOWN;
}

/* The layer that an operator on tensors stands for; NULL if there is none. */
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

static Datum report_operator(Elaborator *e, const Expr *binary, const Datum *left,
                             const Datum *right) {
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0206, binary->binary.operator_span,
                    "`%s` does not take tensors", binary_operator_text(binary->binary.op));
    diag_label(e->diagnostics, diagnostic, binary->binary.left->span, "%s",
               datum_kind_name(left->kind));
    diag_label(e->diagnostics, diagnostic, binary->binary.right->span, "%s",
               datum_kind_name(right->kind));
    diag_note(e->diagnostics, diagnostic, "the operators on tensors are `+`, `-`, `*` and `/`");
    return DATUM_UNKNOWN;
}

/* The node of an operator; its arguments have been placed in `attributes`. */
static Datum operator_node(Elaborator *e, AttributeCall attributes, Span span, Value **inputs,
                           size_t input_count) {
    Span place = attributes.callee.span;
    const char *path = path_of_layer(e, attributes.layer, STEP_UNNAMED, place);
    Node *node = node_new(e, attributes.layer, path, span, place);
    node->inputs = ARENA_ARRAY(e->arena, input_count, Value *);
    node->input_count = input_count;
    bool known = true;
    for (size_t i = 0; i < input_count; i++) {
        node->inputs[i] = inputs[i];
        known = known && !inputs[i]->poisoned;
    }
    attributes.input = inputs[0]->poisoned ? NULL : inputs[0];
    bool fine = attributes_read(e, &attributes, node->attributes);
    Datum result = node_infer(e, node, fine && known);
    note_step(e, MEANING_OPERATOR, place, DATUM_NOTHING, result, (size_t)node->id);
    return result;
}

Datum elaborate_operator(Elaborator *e, const Expr *binary, const Datum *left, const Datum *right) {
    const LayerInfo *layer = operator_layer(binary->binary.op);
    if (!layer)
        return report_operator(e, binary, left, right);
    AttributeCall call = {.layer = layer, .callee = {layer->name, binary->binary.operator_span}};
    if (left->kind == DATUM_TENSOR && right->kind == DATUM_TENSOR) {
        Value *inputs[] = {left->tensor, right->tensor};
        return operator_node(e, call, binary->span, inputs, 2);
    }
    /* number=, and where the order matters and the number comes first, reversed=on */
    bool first = left->kind != DATUM_TENSOR;
    Expr *number = first ? binary->binary.left : binary->binary.right;
    Argument arguments[] = {{{"number", number->span}, number, number->span},
                            {{"reversed", number->span}, number, number->span}};
    Datum data[] = {first ? *left : *right, datum_boolean(true)};
    bool ordered = binary->binary.op == BINARY_SUBTRACT || binary->binary.op == BINARY_DIVIDE;
    call.arguments = arguments;
    call.data = data;
    call.count = first && ordered ? 2 : 1;
    Value *input = first ? right->tensor : left->tensor;
    return operator_node(e, call, binary->span, &input, 1);
}

Datum elaborate_negation(Elaborator *e, const Expr *unary, Value *operand) {
    Span sign = {unary->span.begin, unary->span.begin + 1};
    const LayerInfo *layer = layer_find("neg");
    AttributeCall call = {.layer = layer, .callee = {layer->name, sign}};
    return operator_node(e, call, unary->span, &operand, 1);
}
