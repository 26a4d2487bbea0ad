/* A report as the structures of netc.h. */
#include "api/network.h"

_Static_assert(NETC_MAX_RANK == TENSOR_MAX_RANK, "a shape of the graph is one of the header");

static netc_tensor show_tensor(const char *name, const TensorType *type) {
    netc_tensor tensor = {
        .name = name,
        .element = type->element == ELEMENT_U8 ? NETC_U8 : NETC_F32,
        .rank = type->shape.rank,
        .bytes = shape_elements(&type->shape) * element_size(type->element),
    };
    for (int i = 0; i < type->shape.rank; i++)
        tensor.dims[i] = type->shape.dims[i];
    return tensor;
}

/* `names` NULL: the values' own. */
static const netc_tensor *show_values(Arena *arena, Value *const *values, size_t count,
                                      const char *const *names) {
    netc_tensor *tensors = ARENA_ARRAY(arena, count, netc_tensor);
    for (size_t i = 0; i < count; i++)
        tensors[i] = show_tensor(names ? names[i] : values[i]->name, &values[i]->type);
    return tensors;
}

static const netc_tensor *show_weights(Arena *arena, const Node *node) {
    netc_tensor *tensors = ARENA_ARRAY(arena, node->weights.count, netc_tensor);
    for (size_t i = 0; i < node->weights.count; i++) {
        const Weight *weight = node->weights.data[i];
        tensors[i] = show_tensor(weight->path, &(TensorType){ELEMENT_F32, weight->shape});
    }
    return tensors;
}

static netc_figures show_figures(const NodeCount *count) {
    return (netc_figures){
        .trainable = count->trainable,
        .frozen = count->frozen,
        .macs = count->macs,
        .operations = count->operations,
        .flops = count->flops,
        .activation_bytes = count->activation_bytes,
    };
}

/* What `print` makes of a node, as a text in the arena. */
static const char *printed(Arena *arena, void (*print)(const Node *node, StrBuf *out),
                           const Node *node) {
    StrBuf text = {0};
    print(node, &text);
    const char *copy = arena_copy_text(arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return copy;
}

static netc_formulas show_formulas(Arena *arena, const Node *node) {
    return (netc_formulas){
        .parameters = printed(arena, count_parameter_formula, node),
        .macs = printed(arena, count_mac_formula, node),
        .operations = printed(arena, count_operation_formula, node),
        .flops = printed(arena, count_flop_formula, node),
        .activation_bytes = printed(arena, count_activation_formula, node),
    };
}

static netc_layer show_layer(Arena *arena, const Node *node, const NodeCount *count) {
    return (netc_layer){
        .path = node->path,
        .call = printed(arena, graph_print_call, node),
        .outputs = show_values(arena, node->outputs, node->output_count, NULL),
        .output_count = node->output_count,
        .weights = show_weights(arena, node),
        .weight_count = node->weights.count,
        .figures = show_figures(count),
        .formulas = show_formulas(arena, node),
    };
}

static const netc_layer *show_layers(Compilation *c) {
    const Graph *graph = c->graph;
    netc_layer *layers = ARENA_ARRAY(&c->arena, graph->nodes.count, netc_layer);
    for (size_t i = 0; i < graph->nodes.count; i++) {
        const Node *node = graph->nodes.data[i];
        layers[i] = show_layer(&c->arena, node, &c->count.nodes[node->id]);
    }
    return layers;
}

static const char *const *show_networks(Compilation *c) {
    const char **names = ARENA_ARRAY(&c->arena, c->graphs.count, const char *);
    for (size_t i = 0; i < c->graphs.count; i++)
        names[i] = c->graphs.data[i]->name;
    return names;
}

void network_show_report(netc_network *network) {
    Compilation *c = &network->compilation;
    const Graph *graph = c->graph;
    ReportOptions everything = {0};
    network->made = report_make(&c->variants, &c->count, &everything, &c->diagnostics);
    netc_report *report = ARENA_NEW(&c->arena, netc_report);
    *report = (netc_report){
        .name = graph->name,
        .inputs = show_values(&c->arena, graph->inputs.data, graph->inputs.count, NULL),
        .input_count = graph->inputs.count,
        .outputs = show_values(&c->arena, graph->outputs.data, graph->outputs.count,
                               graph->output_names.data),
        .output_count = graph->outputs.count,
        .layers = show_layers(c),
        .layer_count = graph->nodes.count,
        .totals = show_figures(&network->made->root->figures),
        .arena_bytes = c->variants.arena_bytes,
        .packed_bytes = c->variants.packed_bytes,
        .networks = show_networks(c),
        .network_count = c->graphs.count,
    };
    network->report = report;
}
