/* A report as comma-separated values (RFC 4180, but lines end as on Unix): one line for each layer,
 * or for the group that `--depth` makes one of them, so that every column adds up to the network's
 * total. */
#include <inttypes.h>
#include <string.h>

#include "output/report_cells.h"

static void print_field(const char *text, StrBuf *out) {
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        strbuf_add(out, text);
        return;
    }
    strbuf_add_char(out, '"');
    for (const char *at = text; *at; at++) {
        if (*at == '"')
            strbuf_add_char(out, '"');
        strbuf_add_char(out, *at);
    }
    strbuf_add_char(out, '"');
}

static void print_cell(const Report *report, const ReportRow *row, Column column, StrBuf *out) {
    if (column_is_figure(column.kind))
        strbuf_format(out, "%" PRId64, figure_of_kind(&row->figures, column.kind));
    else
        print_field(report_cell_text(report, row, column), out);
}

/* Of each layer or collapsed group; a group whose parts have lines of their own has none. */
static bool has_line(const Report *report, size_t index) {
    const ReportRow *row = report->rows.data[index];
    return index + 1 == report->rows.count || report->rows.data[index + 1]->parent != row;
}

static void print_formula(const Report *report, const ReportRow *row, Column column, StrBuf *out) {
    StrBuf formula = {0};
    report_formula(report, row, column.kind, &formula);
    print_field(strbuf_text(&formula), out);
    strbuf_free(&formula);
}

/* Columns that --explain gives a formula. */
static bool is_explained(const Report *report, Column column) {
    return report->options.explain && column_is_number(column.kind) && column.kind != COLUMN_SHARE;
}

static void print_titles(const Report *report, const ColumnList *columns, StrBuf *out) {
    strbuf_add(out, "path");
    for (int i = 0; i < columns->count; i++) {
        Column column = columns->list[i];
        if (column.kind == COLUMN_SHARE)
            strbuf_format(out, ",%s share", column_name(column.of));
        else
            strbuf_format(out, ",%s", column_name(column.kind));
        if (is_explained(report, column))
            strbuf_format(out, ",%s formula", column_name(column.kind));
    }
    strbuf_add(out, "\n");
}

void report_csv(const Report *report, StrBuf *out) {
    ColumnList columns = report_columns(report, REPORT_ALL_COLUMNS);
    print_titles(report, &columns, out);
    for (size_t r = 0; r < report->rows.count; r++) {
        const ReportRow *row = report->rows.data[r];
        if (!has_line(report, r))
            continue;
        print_field(row->path, out);
        for (int i = 0; i < columns.count; i++) {
            strbuf_add_char(out, ',');
            print_cell(report, row, columns.list[i], out);
            if (is_explained(report, columns.list[i])) {
                strbuf_add_char(out, ',');
                print_formula(report, row, columns.list[i], out);
            }
        }
        strbuf_add(out, "\n");
    }
}
