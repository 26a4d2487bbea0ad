/* A report as one HTML page that needs nothing else: light or dark as the reader prefers, groups
 * that fold away with a click (without scripts everything is shown), a bar behind each figure for
 * its share of the network. */
#include <string.h>

#include "output/report_cells.h"

static const char STYLE[] =
    ":root{color-scheme:light dark;--text:#1c2330;--muted:#667085;--line:#e3e7ee;--back:#fff;"
    "--card:#f6f8fb;--group:#eef2f8;--bar:#cfe0fb;--accent:#2459b3}\n"
    "@media(prefers-color-scheme:dark){:root{--text:#e4e8f0;--muted:#96a0b3;--line:#2c3444;"
    "--back:#12161e;--card:#1a202b;--group:#1e2635;--bar:#25437a;--accent:#8ab4ff}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:2rem auto;max-width:84rem;padding:0 1.5rem;background:var(--back);"
    "color:var(--text);font:15px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.6rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}\n"
    "code,.code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.92em}\n"
    ".signature{color:var(--muted);margin:.2rem 0 1.5rem;overflow-wrap:anywhere}\n"
    ".cards{display:flex;flex-wrap:wrap;gap:.75rem}\n"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;"
    "padding:.6rem 1rem;min-width:10rem}\n"
    ".card b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}\n"
    ".card span,.note,.formula{color:var(--muted)}\n"
    ".scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.5rem}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "th,td{padding:.3rem .8rem;text-align:left;white-space:nowrap;"
    "border-bottom:1px solid var(--line)}\n"
    "tbody tr:last-child td{border-bottom:0}\n"
    "th{background:var(--card);font-weight:600}\n"
    ".number{text-align:right;font-variant-numeric:tabular-nums}\n"
    "td.bar{background:linear-gradient(to left,var(--bar) var(--share),transparent 0)}\n"
    "td.bar{min-width:8rem}\n"
    "tr:has(+tr.formula) td{border-bottom:0}\n"
    "tr.group td{background-color:var(--group);font-weight:600}\n"
    "tr.group.folds{cursor:pointer}\n"
    "tr.folds td:first-child code::before{content:'\\25be\\a0';color:var(--accent)}\n"
    "tr.folded td:first-child code::before{content:'\\25b8\\a0'}\n"
    "tr.formula td{font-weight:400;padding-top:0;font-size:.88em;white-space:normal}\n"
    "@media print{body{max-width:none}.scroll{overflow:visible}}\n";

/* Each row knows how deep it is; a folded group hides what follows it as long as that is deeper. */
static const char SCRIPT[] =
    "for(const group of document.querySelectorAll('tr.folds'))"
    "group.addEventListener('click',()=>{group.classList.toggle('folded');let hidden=Infinity;"
    "for(const row of group.parentNode.rows){const depth=+row.dataset.depth;"
    "if(depth<=hidden)hidden=Infinity;row.hidden=depth>hidden;"
    "if(!row.hidden&&row.classList.contains('folded'))hidden=depth}})\n";

static void print_text(const char *text, StrBuf *out) {
    for (const char *at = text; *at; at++) {
        switch (*at) {
        case '&': strbuf_add(out, "&amp;"); break;
        case '<': strbuf_add(out, "&lt;"); break;
        case '>': strbuf_add(out, "&gt;"); break;
        default: strbuf_add_char(out, *at);
        }
    }
}

static void print_signature(const Graph *graph, StrBuf *out) {
    StrBuf signature = {0};
    report_signature(graph, &signature);
    print_text(strbuf_text(&signature), out);
    strbuf_free(&signature);
}

static void print_cards(const ReportTotal *totals, int count, StrBuf *out) {
    strbuf_add(out, "<div class=\"cards\">\n");
    for (int i = 0; i < count; i++) {
        strbuf_add(out, "<div class=\"card\"><b>");
        strbuf_add_count(out, totals[i].number, ',');
        strbuf_format(out, "</b><span>%s%s%s</span></div>\n", totals[i].unit,
                      totals[i].unit[0] ? " of " : "", totals[i].name);
    }
    strbuf_add(out, "</div>\n");
}

/* ---- the table ---------------------------------------------------------------------------- */

static void print_titles(const ColumnList *columns, StrBuf *out) {
    strbuf_add(out, "<thead><tr><th>layer</th>");
    for (int i = 0; i < columns->count; i++)
        strbuf_format(out, "<th%s>%s</th>",
                      column_is_number(columns->list[i].kind) ? " class=\"number\"" : "",
                      column_title(columns->list[i].kind));
    strbuf_add(out, "</tr></thead>\n");
}

static void print_cell(const Report *report, const ReportRow *row, Column column, StrBuf *out) {
    const char *cell = report_cell_text(report, row, column);
    if (column.kind == COLUMN_SHARE && cell[0])
        strbuf_format(out, "<td class=\"number bar\" style=\"--share:%.*s%%\">",
                      (int)strcspn(cell, " "), cell);
    else if (column_is_number(column.kind))
        strbuf_add(out, "<td class=\"number\">");
    else
        strbuf_add(out, row->node || column.kind == COLUMN_SHAPE ? "<td class=\"code\">" : "<td>");
    print_text(cell, out);
    strbuf_add(out, "</td>");
}

static void print_formulas(const Report *report, const ReportRow *row, const ColumnList *columns,
                           StrBuf *out) {
    int lines = 0;
    StrBuf formula = {0};
    for (int i = 0; i < columns->count; i++) {
        formula.length = 0;
        report_formula(report, row, columns->list[i].kind, &formula);
        if (formula.length == 0)
            continue;
        if (lines++ == 0)
            strbuf_format(out,
                          "<tr class=\"formula\" data-depth=\"%d\"><td></td><td colspan=\"%d\">",
                          row->depth, columns->count);
        else
            strbuf_add(out, "<br>");
        strbuf_format(out, "%s: <span class=\"code\">%s</span>",
                      column_title(columns->list[i].kind), strbuf_text(&formula));
    }
    if (lines > 0)
        strbuf_add(out, "</td></tr>\n");
    strbuf_free(&formula);
}

static void print_row(const Report *report, size_t index, const ColumnList *columns, StrBuf *out) {
    const ReportRow *row = report->rows.data[index];
    bool folds = index + 1 < report->rows.count && report->rows.data[index + 1]->parent == row;
    const char *class = row->node ? "" : folds ? " class=\"group folds\"" : " class=\"group\"";
    strbuf_format(out, "<tr%s data-depth=\"%d\">", class, row->depth);
    strbuf_format(out, "<td style=\"padding-left:%.1frem\"><code>",
                  0.8 + 1.2 * (row->depth - report->rows.data[0]->depth));
    print_text(row == report->top ? row->path : row->name, out);
    strbuf_add(out, "</code>");
    if (row_only_training(row))
        strbuf_add(out, " <span class=\"note\">only when training</span>");
    strbuf_add(out, "</td>");
    for (int i = 0; i < columns->count; i++)
        print_cell(report, row, columns->list[i], out);
    strbuf_add(out, "</tr>\n");
    if (report->options.explain)
        print_formulas(report, row, columns, out);
}

static void print_head(const Report *report, StrBuf *out) {
    strbuf_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
    strbuf_format(out, "<title>%s</title>\n<style>\n%s</style>\n</head>\n<body>\n",
                  report->graph->name, STYLE);
    strbuf_format(out, "<h1>%s</h1>\n<p class=\"signature code\">", report->graph->name);
    print_signature(report->graph, out);
    strbuf_add(out, "</p>\n");
}

static void print_compiled(const Report *report, StrBuf *out) {
    ReportTotal totals[REPORT_MAX_TOTALS];
    strbuf_format(out, "<h2>Compiled for %s</h2>\n", report_machines_text(report));
    print_cards(totals, report_compiled_totals(report, totals), out);
    const char *folding = report_folding_text(report);
    if (folding[0])
        strbuf_format(out, "<p class=\"note\">%s.</p>\n", folding);
}

void report_html(const Report *report, StrBuf *out) {
    ReportTotal totals[REPORT_MAX_TOTALS];
    ColumnList columns = report_columns(report, REPORT_COLUMNS);
    print_head(report, out);
    print_cards(totals, report_totals(report, totals), out);
    strbuf_add(out, "<h2>Layers as written</h2>\n<div class=\"scroll\"><table>\n");
    print_titles(&columns, out);
    strbuf_add(out, "<tbody>\n");
    for (size_t i = 0; i < report->rows.count; i++)
        print_row(report, i, &columns, out);
    strbuf_add(out, "</tbody>\n</table></div>\n");
    print_compiled(report, out);
    strbuf_format(out, "<script>\n%s</script>\n</body>\n</html>\n", SCRIPT);
}
