/* What an edit of the source would give: see replay.h. */
#include "graph/replay.h"

#include <string.h>

#include "graph/infer.h"
#include "layers/layer.h"

/* A copy of the graph being inferred anew, all in an arena of its own. */
typedef struct Copy {
    const Replay *replay;
    Arena arena;
    SourceMap sources; /* none: what is reported here is not shown */
    Diagnostics diagnostics;
    Graph graph;
    Value *values; /* by Value.id */
} Copy;

static Attribute *copy_attributes(Copy *copy, const Node *node, int64_t value) {
    if (node != copy->replay->node)
        return node->attributes;
    size_t count = (size_t)node->layer->attribute_count;
    Attribute *attributes = ARENA_ARRAY(&copy->arena, count, Attribute);
    memcpy(attributes, node->attributes, count * sizeof *attributes);
    attributes[copy->replay->attribute].integer = value;
    return attributes;
}

static Value **copy_links(Copy *copy, Value *const *values, size_t count) {
    Value **links = ARENA_ARRAY(&copy->arena, count, Value *);
    for (size_t i = 0; i < count; i++)
        links[i] = &copy->values[values[i]->id];
    return links;
}

static bool infer_copy(Copy *copy, const Node *original, int64_t value) {
    Node *node = ARENA_NEW(&copy->arena, Node);
    *node = *original;
    node->attributes = copy_attributes(copy, original, value);
    node->inputs = copy_links(copy, original->inputs, original->input_count);
    node->outputs = copy_links(copy, original->outputs, original->output_count);
    memset(&node->weights, 0, sizeof node->weights);
    if (original->shares)
        node->shares = copy->graph.nodes.data[original->shares->id];
    for (size_t i = 0; i < node->output_count; i++)
        node->outputs[i]->producer = node;
    VEC_PUSH(&copy->arena, &copy->graph.nodes, node);
    Inference inference = {&copy->arena, &copy->diagnostics, &copy->graph, node};
    return node->layer->infer(&inference);
}

static bool results_agree(const Copy *copy) {
    const Graph *graph = copy->replay->graph;
    for (size_t i = 0; i < graph->outputs.count; i++) {
        const Value *original = graph->outputs.data[i];
        if (!shape_equal(&original->type.shape, &copy->values[original->id].type.shape))
            return false;
    }
    return true;
}

bool replay_count(const Replay *replay, int64_t value, GraphCount *count) {
    const Graph *graph = replay->graph;
    Copy copy = {.replay = replay};
    copy.sources.arena = &copy.arena;
    copy.diagnostics = (Diagnostics){.arena = &copy.arena, .sources = &copy.sources};
    copy.graph = (Graph){.arena = &copy.arena, .name = graph->name};
    copy.values = ARENA_ARRAY(&copy.arena, graph->values.count, Value);
    for (size_t i = 0; i < graph->values.count; i++)
        copy.values[i] = *graph->values.data[i];
    bool fine = true;
    for (size_t i = 0; i < graph->nodes.count && fine; i++)
        fine = infer_copy(&copy, graph->nodes.data[i], value);
    fine = fine && results_agree(&copy) && graph_count(&copy.graph, &copy.diagnostics, count);
    count->nodes = NULL;
    arena_free(&copy.arena);
    return fine;
}
