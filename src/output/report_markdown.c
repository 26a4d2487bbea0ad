/* A report as Markdown, for the comment of a pull request: the totals in a sentence, the table
 * folded away under it. */
#include "output/report_cells.h"

/* A text in a cell of a table: a bar would end it. */
static void print_code(const char *text, StrBuf *out) {
    if (!text[0])
        return;
    strbuf_add_char(out, '`');
    for (const char *at = text; *at; at++) {
        if (*at == '|')
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, *at);
    }
    strbuf_add_char(out, '`');
}

static bool is_code(ColumnKind kind) {
    return kind == COLUMN_CALL || kind == COLUMN_SHAPE;
}

static void print_titles(const ColumnList *columns, StrBuf *out) {
    strbuf_add(out, "| layer |");
    for (int i = 0; i < columns->count; i++)
        strbuf_format(out, " %s |", column_title(columns->list[i].kind));
    strbuf_add(out, "\n|---|");
    for (int i = 0; i < columns->count; i++)
        strbuf_add(out, column_is_number(columns->list[i].kind) ? "--:|" : "---|");
    strbuf_add(out, "\n");
}

static void print_formulas(const Report *report, const ReportRow *row, const ColumnList *columns,
                           StrBuf *out) {
    StrBuf formula = {0};
    for (int i = 0; i < columns->count; i++) {
        formula.length = 0;
        report_formula(report, row, columns->list[i].kind, &formula);
        if (formula.length > 0)
            strbuf_format(out, "<br>%s: `%s`", column_title(columns->list[i].kind),
                          strbuf_text(&formula));
    }
    strbuf_free(&formula);
}

static void print_row(const Report *report, const ReportRow *row, const ColumnList *columns,
                      StrBuf *out) {
    strbuf_format(out, row->node ? "| `%s`" : "| **`%s`**", row->path);
    if (report->options.explain)
        print_formulas(report, row, columns, out);
    strbuf_add(out, row_only_training(row) ? " (only when training) |" : " |");
    for (int i = 0; i < columns->count; i++) {
        Column column = columns->list[i];
        strbuf_add_char(out, ' ');
        if (is_code(column.kind) && row->node)
            print_code(report_cell_text(report, row, column), out);
        else
            report_cell(report, row, column, out);
        strbuf_add(out, " |");
    }
    strbuf_add(out, "\n");
}

/* "parameters 61,706 (trainable 61,000, frozen 706), weights 246,824 bytes" */
static void print_totals(const ReportTotal *totals, int count, StrBuf *out) {
    for (int i = 0; i < count; i++) {
        bool opens = totals[i].part && !totals[i - 1].part;
        bool closes = totals[i].part && (i + 1 == count || !totals[i + 1].part);
        strbuf_format(out, "%s%s ", i == 0 ? "" : opens ? " (" : ", ", totals[i].name);
        strbuf_add_count(out, totals[i].number, ',');
        strbuf_format(out, "%s%s%s", totals[i].unit[0] ? " " : "", totals[i].unit,
                      closes ? ")" : "");
    }
}

void report_markdown(const Report *report, StrBuf *out) {
    ReportTotal totals[REPORT_MAX_TOTALS];
    ColumnList columns = report_columns(report, REPORT_COLUMNS);
    strbuf_add(out, "**`");
    report_signature(report->graph, out);
    strbuf_add(out, "`**: ");
    print_totals(totals, report_totals(report, totals), out);
    strbuf_format(out, ".\n\nCompiled for %s: ", report_machines_text(report));
    print_totals(totals, report_compiled_totals(report, totals), out);
    const char *folding = report_folding_text(report);
    strbuf_format(out, "%s%s.\n\n", folding[0] ? "; " : "", folding);
    strbuf_format(out, "<details><summary>%zu layers</summary>\n\n", report->root->layers);
    print_titles(&columns, out);
    for (size_t i = 0; i < report->rows.count; i++)
        print_row(report, report->rows.data[i], &columns, out);
    strbuf_add(out, "\n</details>\n");
}
