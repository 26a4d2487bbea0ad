/* A report as JSON, as docs/report.schema.json says: always everything, in a fixed order, a layer a
 * line. */
#include <assert.h>
#include <jansson.h>

#include "output/json_value.h"
#include "output/report_cells.h"

static json_t *tensor_json(const char *name, const TensorType *type) {
    return json_pack("{s:s, s:s, s:o}", "name", name, "element", element_name(type->element),
                     "shape", json_shape(&type->shape));
}

static json_t *inputs_json(const Graph *graph) {
    json_t *list = json_array();
    for (size_t i = 0; i < graph->inputs.count; i++)
        json_array_append_new(
            list, tensor_json(graph->inputs.data[i]->name, &graph->inputs.data[i]->type));
    return list;
}

static json_t *outputs_json(const Graph *graph) {
    json_t *list = json_array();
    for (size_t i = 0; i < graph->outputs.count; i++)
        json_array_append_new(
            list, tensor_json(graph->output_names.data[i], &graph->outputs.data[i]->type));
    return list;
}

/* ---- layers and groups -------------------------------------------------------------------- */

static const struct {
    const char *name;
    ColumnKind kind;
} figure_names[] = {
    {"parameters", COLUMN_PARAMETERS}, {"trainable", COLUMN_TRAINABLE},
    {"frozen", COLUMN_FROZEN},         {"macs", COLUMN_MACS},
    {"operations", COLUMN_OPERATIONS}, {"flops", COLUMN_FLOPS},
    {"weight_bytes", COLUMN_WEIGHTS},  {"activation_bytes", COLUMN_ACTIVATION},
};
#define FIGURE_COUNT (sizeof figure_names / sizeof *figure_names)

static void add_figures(json_t *object, const NodeCount *figures) {
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        json_object_set_new(object, figure_names[i].name,
                            json_whole_number(figure_of_kind(figures, figure_names[i].kind)));
}

/* A number for each axis, "3/4" where it is none; "all"; null of a vector. */
static json_t *fractions_json(const Receptive *receptive, const Fraction *axes) {
    if (receptive->axes == 0)
        return json_null();
    if (receptive->everything)
        return json_string("all");
    json_t *list = json_array();
    for (int i = 0; i < receptive->axes; i++) {
        StrBuf text = {0};
        fraction_print(axes[i], &text);
        json_array_append_new(list, axes[i].denominator == 1 ? json_whole_number(axes[i].numerator)
                                                             : json_string(strbuf_text(&text)));
        strbuf_free(&text);
    }
    return list;
}

static json_t *weights_json(const Node *node) {
    json_t *list = json_array();
    for (size_t i = 0; i < node->weights.count; i++) {
        const Weight *weight = node->weights.data[i];
        json_array_append_new(list, json_pack("{s:s, s:o, s:b}", "name", weight->path, "shape",
                                              json_shape(&weight->shape), "trainable",
                                              weight->trainable));
    }
    return list;
}

static json_t *formulas_json(const Report *report, const ReportRow *row) {
    json_t *formulas = json_object();
    StrBuf formula = {0};
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        formula.length = 0;
        report_formula(report, row, figure_names[i].kind, &formula);
        if (formula.length > 0)
            json_object_set_new(formulas, figure_names[i].name, json_string(strbuf_text(&formula)));
    }
    strbuf_free(&formula);
    return formulas;
}

static json_t *layer_json(const Report *report, const ReportRow *row) {
    const Node *node = row->node;
    const Receptive *receptive = &report->fields[node->outputs[0]->id];
    json_t *inputs = json_array();
    for (size_t i = 0; i < node->input_count; i++)
        json_array_append_new(inputs, json_string(node->inputs[i]->name));
    json_t *shapes = json_array();
    for (size_t i = 0; i < node->output_count; i++)
        json_array_append_new(shapes, json_shape(&node->outputs[i]->type.shape));
    json_t *object =
        json_pack("{s:s, s:s, s:o, s:o, s:b}", "path", row->path, "call",
                  report_cell_text(report, row, (Column){COLUMN_CALL, COLUMN_CALL}), "inputs",
                  inputs, "shapes", shapes, "only_training", row_only_training(row));
    add_figures(object, &row->figures);
    json_object_set_new(object, "receptive_field", fractions_json(receptive, receptive->field));
    json_object_set_new(object, "stride", fractions_json(receptive, receptive->stride));
    json_object_set_new(object, "weights", weights_json(node));
    if (report->options.explain)
        json_object_set_new(object, "formulas", formulas_json(report, row));
    return object;
}

static json_t *group_json(const ReportRow *row) {
    json_t *object = json_pack("{s:s, s:I}", "path", row->path, "layers", (json_int_t)row->layers);
    add_figures(object, &row->figures);
    return object;
}

static json_t *totals_json(const Report *report) {
    json_t *object = json_pack("{s:I}", "layers", (json_int_t)report->root->layers);
    add_figures(object, &report->root->figures);
    return object;
}

static json_t *processor_json(const Variant *variant) {
    return json_pack("{s:s, s:s, s:o, s:o}", "cpu", variant->target->cpu, "machine",
                     variant->plan->machine->name, "arena_bytes",
                     json_whole_number(variant->plan->arena_bytes), "packed_bytes",
                     json_whole_number(variant->plan->packed_bytes));
}

static json_t *compiled_json(const Report *report) {
    const Variants *variants = report->variants;
    json_t *folded = json_pack("{s:I}", "layers", (json_int_t)report->compiled.folded);
    add_figures(folded, &report->compiled.of_folded);
    json_t *processors = json_array();
    for (size_t i = 0; i < variants->count; i++)
        json_array_append_new(processors, processor_json(&variants->list[i]));
    return json_pack("{s:o, s:I, s:o, s:o, s:o}", "processors", processors, "batch",
                     (json_int_t)plan_samples(variants->list[0].plan), "arena_bytes",
                     json_whole_number(variants->arena_bytes), "packed_bytes",
                     json_whole_number(variants->packed_bytes), "folded", folded);
}

/* ---- the file ----------------------------------------------------------------------------- */

static void print_member(const char *name, json_t *value, StrBuf *out) {
    strbuf_format(out, ",\n  \"%s\": ", name);
    json_print(value, 0, out);
}

static void print_layers(const Report *report, StrBuf *out) {
    int printed = 0;
    strbuf_add(out, ",\n  \"layers\": [");
    for (size_t i = 0; i < report->rows.count; i++) {
        if (!report->rows.data[i]->node)
            continue;
        strbuf_add(out, printed++ == 0 ? "\n    " : ",\n    ");
        json_print(layer_json(report, report->rows.data[i]), 0, out);
    }
    strbuf_add(out, printed > 0 ? "\n  ]" : "]");
}

static void print_groups(const Report *report, StrBuf *out) {
    strbuf_add(out, ",\n  \"groups\": [");
    for (size_t i = 0; i < report->groups.count; i++) {
        strbuf_add(out, i == 0 ? "\n    " : ",\n    ");
        json_print(group_json(report->groups.data[i]), 0, out);
    }
    strbuf_add(out, report->groups.count > 0 ? "\n  ]" : "]");
}

void report_json(const Report *report, StrBuf *out) {
    assert(report->options.columns.count == 0 && report->options.depth == 0);
    strbuf_add(out, "{\n  \"network\": ");
    json_print(json_string(report->graph->name), 0, out);
    print_member("inputs", inputs_json(report->graph), out);
    print_member("outputs", outputs_json(report->graph), out);
    print_layers(report, out);
    print_groups(report, out);
    print_member("totals", totals_json(report), out);
    print_member("compiled", compiled_json(report), out);
    strbuf_add(out, "\n}\n");
}
