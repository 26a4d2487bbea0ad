#include "output/report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "layers/layer.h"

/* ---- rows: what both formats show ----------------------------------------------------------- */

typedef struct Row {
    const Node *node;
    const char *call;  /* as written: "conv(60, 7x7)" */
    const char *shape; /* of output 0 */
    int64_t parameters;
    int64_t macs;
    const char *parameter_formula; /* "" without weights */
    const char *mac_formula;       /* "" without macs */
} Row;

/* The text of the call with each run of white space as one blank. */
static const char *call_text(Arena *arena, const Graph *graph, const Node *node) {
    StrBuf text = {0};
    size_t length;
    const char *written = source_text(graph->sources, node->span, &length);
    for (size_t i = 0; i < length; i++) {
        char c = written[i];
        bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!blank)
            strbuf_add_char(&text, c);
        else if (text.length > 0 && text.data[text.length - 1] != ' ')
            strbuf_add_char(&text, ' ');
    }
    const char *copy = arena_copy_text(arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return copy;
}

static const char *formula_text(Arena *arena, const Node *node,
                                void (*formula)(const Node *, StrBuf *)) {
    StrBuf text = {0};
    formula(node, &text);
    const char *copy = arena_copy_text(arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return copy;
}

static Row *make_rows(const Plan *plan, const GraphCount *count) {
    const Graph *graph = plan->graph;
    Row *rows = ARENA_ARRAY(plan->arena, graph->nodes.count, Row);
    for (size_t i = 0; i < graph->nodes.count; i++) {
        const Node *node = graph->nodes.data[i];
        const NodeCount *figures = &count->nodes[node->id];
        rows[i] = (Row){
            .node = node,
            .call = call_text(plan->arena, graph, node),
            .shape = shape_text(plan->arena, &node->outputs[0]->type.shape),
            .parameters = figures->trainable + figures->frozen,
            .macs = figures->macs,
            .parameter_formula = formula_text(plan->arena, node, count_parameter_formula),
            .mac_formula = formula_text(plan->arena, node, count_mac_formula),
        };
    }
    return rows;
}

/* ---- text ----------------------------------------------------------------------------------- */

/* "50,828,751", or "" for 0 so that layers without weights stay quiet. */
static void print_count(int64_t number, int width, StrBuf *out) {
    StrBuf digits = {0};
    if (number != 0)
        strbuf_add_count(&digits, number, ',');
    strbuf_format(out, "%*s", width, strbuf_text(&digits));
    strbuf_free(&digits);
}

/* Share of a total: "99.6 %"; blank where there is nothing. */
static void print_share(int64_t part, int64_t total, StrBuf *out) {
    if (part == 0)
        strbuf_format(out, "  %7s", "");
    else
        strbuf_format(out, "  %5.1f %%", 100.0 * (double)part / (double)total);
}

typedef struct Widths {
    int path;
    int call;
    int shape;
} Widths;

static int wider(int width, const char *text) {
    int length = (int)strlen(text);
    return length > width ? length : width;
}

static void print_row(const Row *row, const GraphCount *count, const Widths *widths,
                      const ReportOptions *options, StrBuf *out) {
    size_t start = out->length;
    strbuf_format(out, "%-*s  %-*s  %-*s  ", widths->path, row->node->path, widths->call, row->call,
                  widths->shape, row->shape);
    print_count(row->parameters, 14, out);
    print_share(row->parameters, count->trainable + count->frozen, out);
    print_count(row->macs, 17, out);
    print_share(row->macs, count->macs, out);
    if (row->node->layer->traits & LAYER_TRAINING_ONLY)
        strbuf_add(out, "  (only when training)");
    while (out->length > start && out->data[out->length - 1] == ' ')
        out->data[--out->length] = '\0';
    strbuf_add(out, "\n");
    if (options->explain && row->parameter_formula[0])
        strbuf_format(out, "%-*s    parameters: %s\n", widths->path, "", row->parameter_formula);
    if (options->explain && row->mac_formula[0])
        strbuf_format(out, "%-*s    macs:       %s\n", widths->path, "", row->mac_formula);
}

static void print_total(const char *name, int64_t number, const char *unit, StrBuf *out) {
    strbuf_format(out, "%-24s", name);
    StrBuf digits = {0};
    strbuf_add_count(&digits, number, ',');
    strbuf_format(out, "%16s%s\n", strbuf_text(&digits), unit);
    strbuf_free(&digits);
}

/* "question(image: [1, 100, 100]) -> (output: [1])" */
static void print_signature(const Graph *graph, StrBuf *out) {
    strbuf_format(out, "%s(", graph->name);
    for (size_t i = 0; i < graph->inputs.count; i++) {
        strbuf_format(out, "%s%s: ", i == 0 ? "" : ", ", graph->inputs.data[i]->name);
        shape_print(&graph->inputs.data[i]->type.shape, out);
    }
    strbuf_add(out, ") -> ");
    if (graph->outputs.count > 1)
        strbuf_add(out, "(");
    for (size_t i = 0; i < graph->outputs.count; i++) {
        if (graph->outputs.count > 1)
            strbuf_format(out, "%s%s: ", i == 0 ? "" : ", ", graph->output_names.data[i]);
        shape_print(&graph->outputs.data[i]->type.shape, out);
    }
    strbuf_add(out, graph->outputs.count > 1 ? ")\n\n" : "\n\n");
}

void report_text(const Plan *plan, const GraphCount *count, const ReportOptions *options,
                 StrBuf *out) {
    const Graph *graph = plan->graph;
    Row *rows = make_rows(plan, count);
    Widths widths = {5, 4, 6};
    for (size_t i = 0; i < graph->nodes.count; i++) {
        widths.path = wider(widths.path, rows[i].node->path);
        widths.call = wider(widths.call, rows[i].call);
        widths.shape = wider(widths.shape, rows[i].shape);
    }
    print_signature(graph, out);
    strbuf_format(out, "%-*s  %-*s  %-*s  %14s  %7s%17s  %7s\n", widths.path, "layer", widths.call,
                  "call", widths.shape, "output", "parameters", "share", "macs", "share");
    for (size_t i = 0; i < graph->nodes.count; i++)
        print_row(&rows[i], count, &widths, options, out);
    strbuf_add(out, "\n");
    print_total("parameters", count->trainable + count->frozen, "", out);
    if (count->frozen > 0) {
        print_total("  trainable", count->trainable, "", out);
        print_total("  frozen", count->frozen, "", out);
    }
    print_total("multiply-accumulates", count->macs, "", out);
    print_total("weights", count->weight_bytes, " bytes", out);
    print_total("arena", plan->arena_bytes, " bytes", out);
    strbuf_format(out, "%-24s%16s\n", "planned for", plan->machine->name);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static json_t *shape_json(const Shape *shape) {
    json_t *dims = json_array();
    for (int i = 0; i < shape->rank; i++)
        json_array_append_new(dims, json_integer(shape->dims[i]));
    return dims;
}

static json_t *tensors_json(Value *const *values, const char *const *names, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:o}", "name", names ? names[i] : values[i]->name,
                                        "shape", shape_json(&values[i]->type.shape)));
    return list;
}

static json_t *row_json(const Row *row, const GraphCount *count, const ReportOptions *options) {
    const Node *node = row->node;
    const NodeCount *figures = &count->nodes[node->id];
    json_t *weights = json_array();
    for (size_t i = 0; i < node->weights.count; i++) {
        const Weight *weight = node->weights.data[i];
        json_array_append_new(weights, json_pack("{s:s, s:o, s:b}", "name", weight->path, "shape",
                                                 shape_json(&weight->shape), "trainable",
                                                 weight->trainable));
    }
    json_t *inputs = json_array();
    for (size_t i = 0; i < node->input_count; i++)
        json_array_append_new(inputs, json_string(node->inputs[i]->name));
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:o}", "path", node->path, "layer",
                  node->layer->name, "call", row->call, "inputs", inputs, "shape",
                  shape_json(&node->outputs[0]->type.shape), "trainable",
                  (json_int_t)figures->trainable, "frozen", (json_int_t)figures->frozen, "macs",
                  (json_int_t)figures->macs, "weights", weights);
    if (options->explain && row->parameter_formula[0])
        json_object_set_new(object, "parameter_formula", json_string(row->parameter_formula));
    if (options->explain && row->mac_formula[0])
        json_object_set_new(object, "mac_formula", json_string(row->mac_formula));
    return object;
}

void report_json(const Plan *plan, const GraphCount *count, const ReportOptions *options,
                 StrBuf *out) {
    const Graph *graph = plan->graph;
    Row *rows = make_rows(plan, count);
    json_t *layers = json_array();
    for (size_t i = 0; i < graph->nodes.count; i++)
        json_array_append_new(layers, row_json(&rows[i], count, options));
    json_int_t parameters = count->trainable + count->frozen;
    json_t *report = json_pack(
        "{s:s, s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:s}}", "network", graph->name,
        "inputs", tensors_json(graph->inputs.data, NULL, graph->inputs.count), "outputs",
        tensors_json(graph->outputs.data, graph->output_names.data, graph->outputs.count), "layers",
        layers, "totals", "parameters", parameters, "trainable", (json_int_t)count->trainable,
        "frozen", (json_int_t)count->frozen, "macs", (json_int_t)count->macs, "weight_bytes",
        (json_int_t)count->weight_bytes, "arena_bytes", (json_int_t)plan->arena_bytes, "machine",
        plan->machine->name);
    char *text = json_dumps(report, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    if (!text)
        out_of_memory();
    strbuf_add(out, text);
    strbuf_add(out, "\n");
    free(text);
    json_decref(report);
}
