/* The services of a layer's `.infer`: see infer.h. */
#include "graph/infer.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "graph/trace.h"
#include "layers/layer.h"

const Shape *infer_input(const Inference *inference, size_t index) {
    assert(index < inference->node->input_count);
    return &inference->node->inputs[index]->type.shape;
}

const char *infer_shape_text(Inference *inference, const Shape *shape) {
    return shape_text(inference->arena, shape);
}

bool infer_result(Inference *inference, Shape shape) {
    return infer_results(inference, &shape, 1);
}

/* A node begins with one result; `count` are wanted. */
static void make_outputs(Inference *inference, size_t count) {
    Node *node = inference->node;
    if (node->output_count == count)
        return;
    assert(node->output_count == 1);
    Value *first = node->outputs[0];
    first->name = arena_format(inference->arena, "%s.0", node->path);
    node->outputs = ARENA_ARRAY(inference->arena, count, Value *);
    node->outputs[0] = first;
    node->output_count = count;
    for (size_t i = 1; i < count; i++) {
        Value *value = ARENA_NEW(inference->arena, Value);
        *value = *first;
        value->name = arena_format(inference->arena, "%s.%zu", node->path, i);
        value->id = (int64_t)inference->graph->values.count;
        VEC_PUSH(inference->arena, &inference->graph->values, value);
        node->outputs[i] = value;
    }
}

bool infer_results(Inference *inference, const Shape *shapes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (shape_is_valid(&shapes[i]))
            continue;
        infer_error(inference, DIAG_E0802, -1, "the result of `%s` would be %s, which is too large",
                    inference->node->layer->name, infer_shape_text(inference, &shapes[i]));
        return false;
    }
    make_outputs(inference, count);
    for (size_t i = 0; i < count; i++)
        inference->node->outputs[i]->type = (TensorType){ELEMENT_F32, shapes[i]};
    return true;
}

/* The owner's weight of that name. */
static Weight *share_weight(Inference *inference, const char *name, const Shape *shape) {
    Node *node = inference->node;
    Weight *shared = NULL;
    for (size_t i = 0; i < node->shares->weights.count && !shared; i++)
        if (strcmp(node->shares->weights.data[i]->name, name) == 0)
            shared = node->shares->weights.data[i];
    if (shared && shape_equal(&shared->shape, shape)) {
        VEC_PUSH(inference->arena, &node->weights, shared);
        return shared;
    }
    Diagnostic *diagnostic =
        infer_error(inference, DIAG_E0312, -1, "the %s would be %s, but that of `%s` is %s", name,
                    infer_shape_text(inference, shape), node->shares->path,
                    shared ? infer_shape_text(inference, &shared->shape) : "not there");
    diag_label(inference->diagnostics, diagnostic, node->shares->span, "`%s` is made here",
               node->shares->path);
    return NULL;
}

Weight *infer_weight(Inference *inference, const char *name, Shape shape, WeightRole role,
                     int64_t fan_in, bool trainable) {
    Node *node = inference->node;
    if (!shape_is_valid(&shape)) {
        infer_error(inference, DIAG_E0802, -1, "the %s of `%s` would be %s, which is too large",
                    name, node->layer->name, infer_shape_text(inference, &shape));
        return NULL;
    }
    if (node->shares)
        return share_weight(inference, name, &shape);
    Weight *weight = ARENA_NEW(inference->arena, Weight);
    *weight = (Weight){.path = arena_format(inference->arena, "%s.%s", node->path, name),
                       .name = name,
                       .shape = shape,
                       .elements = shape_elements(&shape),
                       .fan_in = fan_in,
                       .role = role,
                       .trainable = trainable,
                       .owner = node};
    VEC_PUSH(inference->arena, &node->weights, weight);
    VEC_PUSH(inference->arena, &inference->graph->weights, weight);
    return weight;
}

/* ---- where a shape came from -------------------------------------------------------------- */

/* A file may have as many mistakes as lines, and a network as many steps: what is looked at for one
 * message is bounded, so that all messages together stay linear. */
#define TRACE_MAX_NODES  1000
#define TRACE_MAX_ERRORS 200

/* "[1, 8, 8] -> [16, 6, 6]" at the step that made `value`. */
static void trace_step(Diagnostics *diagnostics, Diagnostic *diagnostic, const Value *value) {
    const Node *producer = value->producer;
    const char *result = type_text(diagnostics->arena, &value->type);
    if (producer->input_count == 1)
        diag_label(diagnostics, diagnostic, value->span, "%s -> %s",
                   type_text(diagnostics->arena, &producer->inputs[0]->type), result);
    else
        diag_label(diagnostics, diagnostic, value->span, "gives %s", result);
}

void trace_shape(Diagnostics *diagnostics, Diagnostic *diagnostic, const Value *value, int steps) {
    if (diagnostics->error_count > TRACE_MAX_ERRORS)
        return;
    for (int visited = 0; !value->poisoned && visited < TRACE_MAX_NODES; visited++) {
        const Node *producer = value->producer;
        if (producer == NULL) {
            diag_label(diagnostics, diagnostic, value->span,
                       value->name ? "starts as %s" : "taken to be %s",
                       type_text(diagnostics->arena, &value->type));
            return;
        }
        const Value *before = producer->inputs[0];
        bool changes =
            producer->input_count > 1 || !shape_equal(&before->type.shape, &value->type.shape);
        if (changes && steps > 0) {
            trace_step(diagnostics, diagnostic, value);
            steps--;
        }
        value = before;
    }
}

/* The last steps shown for each input: the more inputs, the fewer. */
static int trace_steps(size_t inputs) {
    return inputs == 1 ? 4 : inputs <= 4 ? 2 : 1;
}

Diagnostic *infer_error(Inference *inference, DiagCode code, int attribute, const char *format,
                        ...) {
    const Node *node = inference->node;
    bool written = attribute >= 0 && node->attributes[attribute].given;
    va_list arguments;
    va_start(arguments, format);
    Diagnostic *diagnostic = diag_report_list(
        inference->diagnostics, code, written ? node->attributes[attribute].span : node->name_span,
        format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < node->input_count; i++)
        trace_shape(inference->diagnostics, diagnostic, node->inputs[i],
                    trace_steps(node->input_count));
    return diagnostic;
}
