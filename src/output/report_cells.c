/* Columns and cells of a report: see report_cells.h. */
#include "output/report_cells.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "layers/layer.h"
#include "support/suggest.h"

/* ---- columns ------------------------------------------------------------------------------ */

typedef struct ColumnInfo {
    const char *name;
    const char *title;
    bool figure; /* a number that adds up over layers */
    void (*formula)(const Node *node, StrBuf *out);
} ColumnInfo;

static const ColumnInfo column_table[COLUMN_KINDS] = {
    [COLUMN_CALL] = {"call", "call", false, NULL},
    [COLUMN_SHAPE] = {"shape", "output", false, NULL},
    [COLUMN_PARAMETERS] = {"params", "parameters", true, count_parameter_formula},
    [COLUMN_TRAINABLE] = {"trainable", "trainable", true, count_trainable_formula},
    [COLUMN_FROZEN] = {"frozen", "frozen", true, count_frozen_formula},
    [COLUMN_MACS] = {"macs", "macs", true, count_mac_formula},
    [COLUMN_OPERATIONS] = {"operations", "operations", true, count_operation_formula},
    [COLUMN_FLOPS] = {"flops", "flops", true, count_flop_formula},
    [COLUMN_WEIGHTS] = {"weights", "weight bytes", true, count_weight_formula},
    [COLUMN_ACTIVATION] = {"activation", "activation bytes", true, count_activation_formula},
    [COLUMN_RECEPTIVE] = {"receptive", "receptive field", false, NULL},
    [COLUMN_STRIDE] = {"stride", "stride", false, NULL},
    [COLUMN_SHARE] = {"share", "share", false, NULL},
};

const char *column_name(ColumnKind kind) {
    return column_table[kind].name;
}

const char *column_title(ColumnKind kind) {
    return column_table[kind].title;
}

bool column_is_figure(ColumnKind kind) {
    return column_table[kind].figure;
}

bool column_is_number(ColumnKind kind) {
    return kind != COLUMN_CALL && kind != COLUMN_SHAPE;
}

static const char *unknown_column(Arena *arena, const char *word) {
    const char *names[COLUMN_KINDS];
    StrBuf list = {0};
    for (int i = 0; i < COLUMN_KINDS; i++) {
        names[i] = column_table[i].name;
        strbuf_format(&list, "%s`%s`",
                      i == 0                  ? ""
                      : i + 1 == COLUMN_KINDS ? " and "
                                              : ", ",
                      names[i]);
    }
    const char *nearest = suggest_name(word, names, COLUMN_KINDS);
    const char *text =
        nearest ? arena_format(arena, "there is no column `%s`; did you mean `%s`?", word, nearest)
                : arena_format(arena, "there is no column `%s`; there are %s", word,
                               strbuf_text(&list));
    strbuf_free(&list);
    return text;
}

static const char *add_column(Arena *arena, const char *word, ColumnList *columns) {
    int kind = 0;
    while (kind < COLUMN_KINDS && strcmp(column_table[kind].name, word) != 0)
        kind++;
    if (kind == COLUMN_KINDS)
        return unknown_column(arena, word);
    if (columns->count == REPORT_MAX_COLUMNS)
        return arena_format(arena, "more than %d columns", REPORT_MAX_COLUMNS);
    Column column = {(ColumnKind)kind, (ColumnKind)kind};
    if (kind == COLUMN_SHARE) {
        const Column *before = columns->list + columns->count - 1;
        if (columns->count == 0 || !column_is_figure(before->kind))
            return "`share` is a part of the figure before it: write `params,share`";
        column.of = before->kind;
    }
    columns->list[columns->count++] = column;
    return NULL;
}

const char *report_columns_parse(Arena *arena, const char *text, ColumnList *columns) {
    columns->count = 0;
    for (;;) {
        size_t length = strcspn(text, ",");
        const char *wrong = add_column(arena, arena_copy_text(arena, text, length), columns);
        if (wrong || text[length] == '\0')
            return wrong;
        text += length + 1;
    }
}

ColumnList report_columns(const Report *report, const char *fallback) {
    ColumnList columns = report->options.columns;
    if (columns.count == 0) {
        const char *wrong = report_columns_parse(report->arena, fallback, &columns);
        assert(!wrong);
        (void)wrong;
    }
    return columns;
}

/* ---- cells -------------------------------------------------------------------------------- */

/* The parts of a total have been added up by graph_count. */
int64_t figure_of_kind(const NodeCount *figures, ColumnKind kind) {
    switch (kind) {
    case COLUMN_PARAMETERS: return figures->trainable + figures->frozen;
    case COLUMN_TRAINABLE: return figures->trainable;
    case COLUMN_FROZEN: return figures->frozen;
    case COLUMN_MACS: return figures->macs;
    case COLUMN_OPERATIONS: return figures->operations;
    case COLUMN_FLOPS: return figures->flops;
    case COLUMN_WEIGHTS: return (figures->trainable + figures->frozen) * element_size(ELEMENT_F32);
    case COLUMN_ACTIVATION: return figures->activation_bytes;
    case COLUMN_CALL:
    case COLUMN_SHAPE:
    case COLUMN_RECEPTIVE:
    case COLUMN_STRIDE:
    case COLUMN_SHARE: break;
    }
    assert(false);
    return 0;
}

void share_print(const Report *report, const NodeCount *figures, ColumnKind kind, StrBuf *out) {
    int64_t part = figure_of_kind(figures, kind);
    int64_t total = figure_of_kind(&report->root->figures, kind);
    if (part != 0)
        strbuf_format(out, "%.1f %%", 100.0 * (double)part / (double)total);
}

bool row_only_training(const ReportRow *row) {
    return row->node && (row->node->layer->traits & LAYER_TRAINING_ONLY) != 0;
}

static void call_print(const ReportRow *row, StrBuf *out) {
    if (row->node)
        graph_print_call(row->node, out);
    else
        strbuf_format(out, "%zu layer%s", row->layers, row->layers == 1 ? "" : "s");
}

static void shapes_print(const Node *node, StrBuf *out) {
    for (size_t i = 0; i < node->output_count; i++) {
        strbuf_add(out, i == 0 ? "" : ", ");
        shape_print(&node->outputs[i]->type.shape, out);
    }
}

/* "11x11", "all" where it depends on everything, "" of a vector. */
static void fractions_print(const Receptive *receptive, const Fraction *axes, StrBuf *out) {
    if (receptive->axes == 0)
        return;
    if (receptive->everything) {
        strbuf_add(out, "all");
        return;
    }
    for (int i = 0; i < receptive->axes; i++) {
        strbuf_add(out, i == 0 ? "" : "x");
        fraction_print(axes[i], out);
    }
}

void report_cell(const Report *report, const ReportRow *row, Column column, StrBuf *out) {
    const Receptive *receptive = &report->fields[row->last->outputs[0]->id];
    switch (column.kind) {
    case COLUMN_CALL: call_print(row, out); return;
    case COLUMN_SHAPE: shapes_print(row->last, out); return;
    case COLUMN_RECEPTIVE: fractions_print(receptive, receptive->field, out); return;
    case COLUMN_STRIDE: fractions_print(receptive, receptive->stride, out); return;
    case COLUMN_SHARE: share_print(report, &row->figures, column.of, out); return;
    case COLUMN_PARAMETERS:
    case COLUMN_TRAINABLE:
    case COLUMN_FROZEN:
    case COLUMN_MACS:
    case COLUMN_OPERATIONS:
    case COLUMN_FLOPS:
    case COLUMN_WEIGHTS:
    case COLUMN_ACTIVATION: break;
    }
    int64_t figure = figure_of_kind(&row->figures, column.kind);
    if (figure != 0) /* layers without weights stay quiet */
        strbuf_add_count(out, figure, ',');
}

const char *report_cell_text(const Report *report, const ReportRow *row, Column column) {
    StrBuf text = {0};
    report_cell(report, row, column, &text);
    const char *copy = arena_copy_text(report->arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return copy;
}

/* ---- formulas ----------------------------------------------------------------------------- */

typedef void AxisFormula(const Node *node, const Receptive *fields, int axis, StrBuf *out);

/* The formulas of all axes, once if they are the same. */
static void axes_formula(const Report *report, const Node *node, AxisFormula *formula,
                         StrBuf *out) {
    size_t start = out->length;
    StrBuf axis = {0};
    for (int i = 0; i < report->fields[node->outputs[0]->id].axes; i++) {
        axis.length = 0;
        formula(node, report->fields, i, &axis);
        if (i > 0 && strcmp(strbuf_text(out) + start, strbuf_text(&axis)) == 0)
            continue;
        strbuf_format(out, "%s%s", i == 0 || axis.length == 0 ? "" : ", ", strbuf_text(&axis));
    }
    strbuf_free(&axis);
}

void report_formula(const Report *report, const ReportRow *row, ColumnKind kind, StrBuf *out) {
    if (!row->node)
        return;
    if (kind == COLUMN_RECEPTIVE)
        axes_formula(report, row->node, receptive_field_formula, out);
    else if (kind == COLUMN_STRIDE)
        axes_formula(report, row->node, receptive_stride_formula, out);
    else if (column_table[kind].formula)
        column_table[kind].formula(row->node, out);
}

/* ---- totals ------------------------------------------------------------------------------- */

void report_signature(const Graph *graph, StrBuf *out) {
    strbuf_format(out, "%s(", graph->name);
    for (size_t i = 0; i < graph->inputs.count; i++) {
        strbuf_format(out, "%s%s: ", i == 0 ? "" : ", ", graph->inputs.data[i]->name);
        type_print(&graph->inputs.data[i]->type, out);
    }
    strbuf_add(out, ") -> ");
    if (graph->outputs.count > 1)
        strbuf_add(out, "(");
    for (size_t i = 0; i < graph->outputs.count; i++) {
        if (graph->outputs.count > 1)
            strbuf_format(out, "%s%s: ", i == 0 ? "" : ", ", graph->output_names.data[i]);
        shape_print(&graph->outputs.data[i]->type.shape, out);
    }
    strbuf_add(out, graph->outputs.count > 1 ? ")" : "");
}

int report_totals(const Report *report, ReportTotal totals[REPORT_MAX_TOTALS]) {
    const GraphCount *count = report->count;
    int lines = 0;
    totals[lines++] = (ReportTotal){"parameters", count->trainable + count->frozen, "", false};
    if (count->frozen > 0) {
        totals[lines++] = (ReportTotal){"trainable", count->trainable, "", true};
        totals[lines++] = (ReportTotal){"frozen", count->frozen, "", true};
    }
    totals[lines++] = (ReportTotal){"multiply-accumulates", count->macs, "", false};
    totals[lines++] = (ReportTotal){"flops", count->flops, "", false};
    totals[lines++] = (ReportTotal){"weights", count->weight_bytes, "bytes", false};
    totals[lines++] = (ReportTotal){"activations", count->activation_bytes, "bytes", false};
    return lines;
}

/* "bytes", or whose they are if they are another's. */
static const char *packed_unit(const Report *report, const Variant *variant) {
    const Variant *owner = report->variants->list;
    while (!owner->packs || owner->packed_offset != variant->packed_offset)
        owner++;
    return owner == variant ? "bytes"
                            : arena_format(report->arena, "bytes, those of %s", owner->target->cpu);
}

int report_compiled_totals(const Report *report, ReportTotal totals[REPORT_MAX_TOTALS]) {
    const Variants *variants = report->variants;
    size_t parts = variants->count > 1 ? variants->count : 0;
    int lines = 0;
    int64_t samples = plan_samples(variants->list[0].plan);
    const char *unit = samples == 1 ? "bytes"
                                    : arena_format(report->arena, "bytes, for %lld samples a call",
                                                   (long long)samples);
    totals[lines++] = (ReportTotal){"arena", variants->arena_bytes, unit, false};
    for (size_t i = 0; i < parts; i++) {
        const Variant *variant = &variants->list[i];
        totals[lines++] =
            (ReportTotal){variant->target->cpu, variant->plan->arena_bytes, "bytes", true};
    }
    totals[lines++] = (ReportTotal){"packed weights", variants->packed_bytes, "bytes", false};
    for (size_t i = 0; i < parts; i++) {
        const Variant *variant = &variants->list[i];
        totals[lines++] = (ReportTotal){variant->target->cpu, variant->plan->packed_bytes,
                                        packed_unit(report, variant), true};
    }
    return lines;
}

const char *report_machines_text(const Report *report) {
    const Variants *variants = report->variants;
    if (variants->count == 1)
        return variants->list[0].plan->machine->name;
    StrBuf text = {0};
    for (size_t i = 0; i < variants->count; i++)
        strbuf_format(&text, "%s%s (%s)",
                      i == 0                    ? ""
                      : i + 1 < variants->count ? ", "
                                                : " and ",
                      variants->list[i].target->cpu, variants->list[i].plan->machine->name);
    const char *copy = arena_copy_text(report->arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return copy;
}

const char *report_folding_text(const Report *report) {
    const ReportCompiled *compiled = &report->compiled;
    if (compiled->folded == 0)
        return "";
    StrBuf text = {0};
    bool one = compiled->folded == 1;
    strbuf_format(&text, "%zu layer%s (", compiled->folded, one ? "" : "s");
    strbuf_add_count(&text, figure_of_kind(&compiled->of_folded, COLUMN_PARAMETERS), ',');
    strbuf_add(&text, " parameters, ");
    strbuf_add_count(&text, compiled->of_folded.flops, ',');
    strbuf_format(&text, " flops) fold%s into the weights before %s", one ? "s" : "",
                  one ? "it" : "them");
    const char *copy = arena_copy_text(report->arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return copy;
}
