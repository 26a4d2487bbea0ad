/* What is behind the handles of netc.h. */
#ifndef NETC_API_NETWORK_H
#define NETC_API_NETWORK_H

#include "compilation/execution.h"
#include "driver/options.h"
#include "netc/netc.h"
#include "output/report.h"

#define ARTEFACTS (NETC_REPORT_HTML + 1)

struct netc_compiler {
    Arena arena;
    Options options; /* of the command line; here only its `compile` */
    const char *message;
};

struct netc_network {
    CompileOptions options;
    Compilation compilation;
    Execution execution; /* of netc_load; all zero without code */
    netc_result result;
    const char *message;
    Failure failure;
    netc_diagnostic *diagnostics;
    size_t diagnostic_count;
    Report *made;        /* what texts of the report are written from; NULL: none */
    netc_report *report; /* NULL: none */
    StrBuf artefacts[ARTEFACTS];
};

/* failure_catch, in the locale in which numbers are written with a point. */
bool api_guard(void (*work)(void *context), void *context, Failure *failure);

/* diagnostics.c: fills in `diagnostics`, and `message` by the first error. */
void network_show_diagnostics(netc_network *network);

/* report.c: fills in `made` and `report`; there are plans. */
void network_show_report(netc_network *network);

#endif
