/* What the formats of a report have in common: titles, figures and cells of its columns. */
#ifndef NETC_OUTPUT_REPORT_CELLS_H
#define NETC_OUTPUT_REPORT_CELLS_H

#include "output/report.h"

/* The columns asked for, or those of `fallback`. */
ColumnList report_columns(const Report *report, const char *fallback);

/* "params": as --columns takes it. */
const char *column_name(ColumnKind kind);
/* "parameters": above a column. */
const char *column_title(ColumnKind kind);
/* Whether the cells are numbers, which stand to the right. */
bool column_is_number(ColumnKind kind);
/* Whether it is a figure that adds up over layers. */
bool column_is_figure(ColumnKind kind);

/* A figure of that kind. */
int64_t figure_of_kind(const NodeCount *figures, ColumnKind kind);
/* "99.6 %" of the network's total, "" of nothing. */
void share_print(const Report *report, const NodeCount *figures, ColumnKind kind, StrBuf *out);

/* Appends the cell for a reader: figures in groups of three digits and nothing for 0. */
void report_cell(const Report *report, const ReportRow *row, Column column, StrBuf *out);
/* The same as a text in the report's arena. */
const char *report_cell_text(const Report *report, const ReportRow *row, Column column);

/* Whether the row does nothing but in training. */
bool row_only_training(const ReportRow *row);

/* Appends the formula of a layer's cell; nothing where there is none, or for a group. */
void report_formula(const Report *report, const ReportRow *row, ColumnKind kind, StrBuf *out);

/* Appends "question(image: [1, 100, 100]) -> [1]". */
void report_signature(const Graph *graph, StrBuf *out);

/* A line of the totals. */
typedef struct ReportTotal {
    const char *name;
    int64_t number;
    const char *unit; /* "" or "bytes" */
    bool part;        /* of the figure before it */
} ReportTotal;

#define REPORT_MAX_TOTALS (2 + 2 * TARGETS_MAX)
/* The totals of the network as written; how many. */
int report_totals(const Report *report, ReportTotal totals[REPORT_MAX_TOTALS]);
/* What it is once compiled: of several processors for all, and its part for each. */
int report_compiled_totals(const Report *report, ReportTotal totals[REPORT_MAX_TOTALS]);
/* "avx2", or for several "x86-64-v2 (generic) and x86-64-v3 (avx2)". */
const char *report_machines_text(const Report *report);
/* "20 layers (9,600 parameters, 4,816,896 flops) fold into the weights before them"; "" if none
 * does. */
const char *report_folding_text(const Report *report);

#endif
