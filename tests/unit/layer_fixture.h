/* Graphs of a few nodes made by hand, so that layers can be tried without a source text. */
#ifndef NETC_TESTS_LAYER_FIXTURE_H
#define NETC_TESTS_LAYER_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "layers/layer.h"
#include "layers/window.h"
#include "reference/reference.h"

typedef struct Fixture {
    Arena arena;
    Graph graph;
    const float *inputs[4]; /* elements of each network input */
} Fixture;

static inline int fixture_begin(void **state) {
    Fixture *fixture = calloc(1, sizeof *fixture);
    fixture->graph.arena = &fixture->arena;
    *state = fixture;
    return 0;
}

static inline int fixture_end(void **state) {
    Fixture *fixture = *state;
    arena_free(&fixture->arena);
    free(fixture);
    return 0;
}

static inline Value *make_value(Fixture *fixture, Shape shape) {
    Value *value = ARENA_NEW(&fixture->arena, Value);
    value->type.shape = shape;
    value->id = (int64_t)fixture->graph.values.count;
    VEC_PUSH(&fixture->arena, &fixture->graph.values, value);
    return value;
}

/* An input of the network; `elements` must stay where they are. */
static inline Value *make_input(Fixture *fixture, Shape shape, const float *elements) {
    Value *value = make_value(fixture, shape);
    fixture->inputs[fixture->graph.inputs.count] = elements;
    VEC_PUSH(&fixture->arena, &fixture->graph.inputs, value);
    return value;
}

/* A node with a result of `shape`. Sizes and integers are 1, paddings 0, the rest off or 0. */
static inline Node *make_node(Fixture *fixture, const char *layer, Value *input, Shape shape) {
    Node *node = ARENA_NEW(&fixture->arena, Node);
    node->layer = layer_find(layer);
    node->path = layer;
    node->inputs = ARENA_ARRAY(&fixture->arena, LAYER_ANY_INPUTS, Value *);
    node->inputs[node->input_count++] = input;
    node->outputs = ARENA_ARRAY(&fixture->arena, 1, Value *);
    node->outputs[node->output_count++] = make_value(fixture, shape);
    node->outputs[0]->producer = node;
    node->attributes = ARENA_ARRAY(&fixture->arena, LAYER_MAX_ATTRIBUTES, Attribute);
    for (int i = 0; i < node->layer->attribute_count; i++) {
        Attribute *attribute = &node->attributes[i];
        attribute->kind = node->layer->attributes[i].kind;
        if (attribute->kind == ATTRIBUTE_INTEGER)
            attribute->integer = 1;
        if (attribute->kind == ATTRIBUTE_SIZE)
            for (int axis = 0; axis < MAX_SPATIAL; axis++)
                attribute->size[axis] = 1;
    }
    node->id = (int64_t)fixture->graph.nodes.count;
    VEC_PUSH(&fixture->arena, &fixture->graph.nodes, node);
    return node;
}

static inline Attribute *attribute_of(Node *node, const char *name) {
    return &node->attributes[node_attribute(node, name)];
}

static inline void set_size(Node *node, const char *name, int64_t first, int64_t second) {
    attribute_of(node, name)->size[0] = first;
    attribute_of(node, name)->size[1] = second;
}

/* The same padding on all sides. */
static inline void set_padding(Node *node, int64_t padding) {
    for (int axis = 0; axis < MAX_SPATIAL; axis++) {
        attribute_of(node, "pad")->padding.begin[axis] = padding;
        attribute_of(node, "pad")->padding.end[axis] = padding;
    }
}

static inline Weight *add_weight(Fixture *fixture, Node *node, Shape shape, const float *data) {
    Weight *weight = ARENA_NEW(&fixture->arena, Weight);
    *weight = (Weight){.shape = shape,
                       .elements = shape_elements(&shape),
                       .fan_in = shape_elements(&shape) / shape.dims[0],
                       .owner = node,
                       .data = data};
    VEC_PUSH(&fixture->arena, &node->weights, weight);
    return weight;
}

/* Runs the graph; the elements of the last node's result. */
static inline const Real *run(Fixture *fixture) {
    Real **values = reference_run(&fixture->arena, &fixture->graph, fixture->inputs, NULL);
    const Node *last = fixture->graph.nodes.data[fixture->graph.nodes.count - 1];
    return values[last->outputs[0]->id];
}

#endif
