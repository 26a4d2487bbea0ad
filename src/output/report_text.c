/* A report as a table for a terminal, or, of one layer, as a list of all there is to say. */
#include <string.h>

#include "output/report_cells.h"

#define INDENT 2 /* blanks for each group that a row is in */

/* ---- the table ---------------------------------------------------------------------------- */

typedef struct Table {
    const Report *report;
    ColumnList columns;
    const char **cells; /* by row and column */
    int widths[REPORT_MAX_COLUMNS];
    int path_width;
} Table;

static int larger(int a, int b) {
    return a > b ? a : b;
}

static int indent_of(const Report *report, const ReportRow *row) {
    int above = report->top == report->root ? 1 : report->top->depth;
    return (row->depth - above) * INDENT;
}

/* The first row of a part of the network has its whole path; rows in it, what they add. */
static const char *label_of(const Report *report, const ReportRow *row) {
    return row == report->top ? row->path : row->name;
}

static Table make_table(const Report *report) {
    Table table = {.report = report, .columns = report_columns(report, REPORT_COLUMNS)};
    int count = table.columns.count;
    table.cells = ARENA_ARRAY(report->arena, report->rows.count * (size_t)count, const char *);
    table.path_width = (int)strlen("layer");
    for (int i = 0; i < count; i++)
        table.widths[i] = (int)strlen(column_title(table.columns.list[i].kind));
    for (size_t r = 0; r < report->rows.count; r++) {
        const ReportRow *row = report->rows.data[r];
        int width = indent_of(report, row) + (int)strlen(label_of(report, row));
        table.path_width = larger(table.path_width, width);
        for (int i = 0; i < count; i++) {
            const char *cell = report_cell_text(report, row, table.columns.list[i]);
            table.cells[r * (size_t)count + (size_t)i] = cell;
            table.widths[i] = larger(table.widths[i], (int)strlen(cell));
        }
    }
    return table;
}

static void print_cell(const Table *table, int column, const char *cell, StrBuf *out) {
    bool right = column_is_number(table->columns.list[column].kind);
    strbuf_format(out, right ? "  %*s" : "  %-*s", table->widths[column], cell);
}

/* Ends the line that began at `start` without blanks at its end. */
static void end_line(StrBuf *out, size_t start) {
    while (out->length > start && out->data[out->length - 1] == ' ')
        out->data[--out->length] = '\0';
    strbuf_add(out, "\n");
}

static void print_titles(const Table *table, StrBuf *out) {
    size_t start = out->length;
    strbuf_format(out, "%-*s", table->path_width, "layer");
    for (int i = 0; i < table->columns.count; i++)
        print_cell(table, i, column_title(table->columns.list[i].kind), out);
    end_line(out, start);
}

/* One line for each figure of the table. */
static void print_formulas(const Table *table, const ReportRow *row, StrBuf *out) {
    int width = 0;
    for (int i = 0; i < table->columns.count; i++)
        width = larger(width, (int)strlen(column_title(table->columns.list[i].kind)));
    StrBuf formula = {0};
    for (int i = 0; i < table->columns.count; i++) {
        ColumnKind kind = table->columns.list[i].kind;
        formula.length = 0;
        report_formula(table->report, row, kind, &formula);
        if (formula.length == 0)
            continue;
        strbuf_format(out, "%*s", table->path_width + 4, "");
        strbuf_format(out, "%s:%*s%s\n", column_title(kind),
                      width - (int)strlen(column_title(kind)) + 1, "", strbuf_text(&formula));
    }
    strbuf_free(&formula);
}

static void print_row(const Table *table, size_t index, StrBuf *out) {
    const Report *report = table->report;
    const ReportRow *row = report->rows.data[index];
    int indent = indent_of(report, row);
    size_t start = out->length;
    strbuf_format(out, "%*s%-*s", indent, "", table->path_width - indent, label_of(report, row));
    for (int i = 0; i < table->columns.count; i++)
        print_cell(table, i, table->cells[index * (size_t)table->columns.count + (size_t)i], out);
    if (row_only_training(row))
        strbuf_add(out, "  (only when training)");
    end_line(out, start);
    if (report->options.explain)
        print_formulas(table, row, out);
}

/* ---- totals ------------------------------------------------------------------------------- */

static void print_totals(const ReportTotal *totals, int count, StrBuf *out) {
    for (int i = 0; i < count; i++) {
        StrBuf digits = {0};
        strbuf_add_count(&digits, totals[i].number, ',');
        strbuf_format(out, "%s%-*s%16s%s%s\n", totals[i].part ? "  " : "", totals[i].part ? 22 : 24,
                      totals[i].name, strbuf_text(&digits), totals[i].unit[0] ? " " : "",
                      totals[i].unit);
        strbuf_free(&digits);
    }
}

static void print_summary(const Report *report, StrBuf *out) {
    ReportTotal totals[REPORT_MAX_TOTALS];
    strbuf_add(out, "\n");
    print_totals(totals, report_totals(report, totals), out);
    strbuf_format(out, "\ncompiled for %s\n", report_machines_text(report));
    print_totals(totals, report_compiled_totals(report, totals), out);
    const char *folding = report_folding_text(report);
    if (folding[0])
        strbuf_format(out, "%s\n", folding);
}

/* ---- one layer ---------------------------------------------------------------------------- */

#define FACT_WIDTH 18

static void print_fact(const char *name, const char *text, StrBuf *out) {
    if (text[0])
        strbuf_format(out, "  %-*s%s\n", FACT_WIDTH, name, text);
}

static void print_tensors(const Node *node, StrBuf *out) {
    for (size_t i = 0; i < node->input_count; i++) {
        const Value *input = node->inputs[i];
        strbuf_format(out, "  %-*s", FACT_WIDTH, i == 0 ? "input" : "");
        type_print(&input->type, out);
        strbuf_format(out, " of %s\n", input->name);
    }
    for (size_t i = 0; i < node->output_count; i++) {
        strbuf_format(out, "  %-*s", FACT_WIDTH, i == 0 ? "output" : "");
        shape_print(&node->outputs[i]->type.shape, out);
        strbuf_add(out, "\n");
    }
    for (size_t i = 0; i < node->weights.count; i++) {
        const Weight *weight = node->weights.data[i];
        strbuf_format(out, "  %-*s", FACT_WIDTH, weight->name);
        shape_print(&weight->shape, out);
        strbuf_add(out, weight->trainable ? "" : " frozen");
        if (weight->owner != node)
            strbuf_format(out, " of %s", weight->owner->path);
        strbuf_add(out, "\n");
    }
}

/* "250 * 202_500 + 250 = 50_625_250 (99.6 % of the network)" */
static void print_explained(const Report *report, const ReportRow *row, ColumnKind kind,
                            StrBuf *out) {
    StrBuf text = {0};
    report_formula(report, row, kind, &text);
    if (text.length == 0)
        report_cell(report, row, (Column){kind, kind}, &text);
    if (column_is_figure(kind) && figure_of_kind(&row->figures, kind) != 0) {
        strbuf_add(&text, " (");
        share_print(report, &row->figures, kind, &text);
        strbuf_add(&text, " of the network)");
    }
    print_fact(column_title(kind), strbuf_text(&text), out);
    strbuf_free(&text);
}

static void print_layer(const Report *report, const ReportRow *row, StrBuf *out) {
    strbuf_format(out, "%s: ", row->path);
    report_cell(report, row, (Column){COLUMN_CALL, COLUMN_CALL}, out);
    strbuf_add(out, row_only_training(row) ? " (only when training)\n" : "\n");
    print_tensors(row->node, out);
    for (int kind = COLUMN_PARAMETERS; kind < COLUMN_SHARE; kind++) {
        bool split = row->figures.frozen != 0; /* else all are trainable */
        if (split || (kind != COLUMN_TRAINABLE && kind != COLUMN_FROZEN))
            print_explained(report, row, (ColumnKind)kind, out);
    }
}

void report_text(const Report *report, StrBuf *out) {
    if (report->top->node && report->options.explain) {
        print_layer(report, report->top, out);
        return;
    }
    if (report->top == report->root) {
        report_signature(report->graph, out);
        strbuf_add(out, "\n\n");
    }
    Table table = make_table(report);
    print_titles(&table, out);
    for (size_t i = 0; i < report->rows.count; i++)
        print_row(&table, i, out);
    if (report->top == report->root)
        print_summary(report, out);
}
