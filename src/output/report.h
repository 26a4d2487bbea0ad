/* The report: layers, shapes, parameters and multiply-accumulates of a network, as text or JSON. */
#ifndef NETC_OUTPUT_REPORT_H
#define NETC_OUTPUT_REPORT_H

#include "graph/count.h"
#include "plan/plan.h"

typedef struct ReportOptions {
    bool explain; /* add the formula with its numbers to every row */
} ReportOptions;

/* Table, totals, weights in bytes, arena in bytes. */
void report_text(const Plan *plan, const GraphCount *count, const ReportOptions *options,
                 StrBuf *out);
/* The same as JSON, in a fixed order: the same bytes every time. */
void report_json(const Plan *plan, const GraphCount *count, const ReportOptions *options,
                 StrBuf *out);

#endif
