/* The report: what every layer of a network gives, costs and owns.
 *
 * report_make computes it once from plans and counts: a tree of groups and layers by label
 * path (`layer1.0.conv1` is in the group `layer1.0`, that in `layer1`), each with its figures, and
 * the rows of it that are asked for. Each format is one file that writes these rows. All figures
 * are those of the network as written; what compiling makes of it is kept apart. */
#ifndef NETC_OUTPUT_REPORT_H
#define NETC_OUTPUT_REPORT_H

#include "codegen/variants.h"
#include "graph/count.h"
#include "graph/receptive.h"

/* ---- columns ------------------------------------------------------------------------------ */

typedef enum ColumnKind {
    COLUMN_CALL,  /* the layer as one would write it */
    COLUMN_SHAPE, /* of the result */
    COLUMN_PARAMETERS,
    COLUMN_TRAINABLE,
    COLUMN_FROZEN,
    COLUMN_MACS,
    COLUMN_OPERATIONS,
    COLUMN_FLOPS,
    COLUMN_WEIGHTS,    /* bytes */
    COLUMN_ACTIVATION, /* bytes */
    COLUMN_RECEPTIVE,
    COLUMN_STRIDE,
    COLUMN_SHARE, /* of the column before it in the network's total */
} ColumnKind;
#define COLUMN_KINDS 13

typedef struct Column {
    ColumnKind kind;
    ColumnKind of; /* SHARE: the figure; else the kind itself */
} Column;

#define REPORT_MAX_COLUMNS 32
typedef struct ColumnList {
    Column list[REPORT_MAX_COLUMNS];
    int count;
} ColumnList;

/* What is shown unless something else is asked for. */
#define REPORT_COLUMNS "call,shape,params,share,macs,share"
/* Everything that is no share of something else: what a CSV file holds. */
#define REPORT_ALL_COLUMNS                                                                         \
    "call,shape,params,trainable,frozen,macs,operations,flops,weights,activation,receptive,stride"

/* Reads "shape,params,share". NULL, or what is wrong with it, as a phrase in `arena`. */
const char *report_columns_parse(Arena *arena, const char *text, ColumnList *columns);

/* ---- the report --------------------------------------------------------------------------- */

typedef struct ReportOptions {
    ColumnList columns; /* none: the format's own */
    uint64_t depth;     /* groups of so many parts are one row; 0: every layer is one */
    bool explain;       /* add the formula with its numbers to every figure */
    const char *path;   /* show this layer or group alone; NULL: everything */
} ReportOptions;

/* A layer, a group of layers, or (the root) the network. */
typedef struct ReportRow ReportRow;
struct ReportRow {
    const char *path; /* "" for the root */
    const char *name; /* its last part */
    int depth;        /* parts of the path; 0 for the root */
    const Node *node; /* NULL: a group */
    const Node *last; /* the layer, or the last one of a group: its result is the group's */
    size_t layers;    /* how many it stands for */
    NodeCount figures;
    ReportRow *parent;
    ReportRow *child; /* the first; NULL for a layer */
    ReportRow *last_child;
    ReportRow *next; /* of the same group */
};

/* What compiling makes of the network, beyond the plans' own figures. */
typedef struct ReportCompiled {
    size_t folded;       /* layers that disappear in the weights of others */
    NodeCount of_folded; /* their figures as written */
} ReportCompiled;

typedef struct Report {
    Arena *arena;
    const Variants *variants;
    const Graph *graph;
    const GraphCount *count;
    ReportOptions options;
    const Receptive *fields; /* by Value.id */
    ReportRow *root;
    ReportRow *top;          /* what is shown: the root, or the row that options.path names */
    VEC(ReportRow *) rows;   /* that are shown, groups before what is in them; never the root */
    VEC(ReportRow *) groups; /* all, in the order of their first layer */
    ReportCompiled compiled;
} Report;

/* Reports E0319 and returns NULL if there is no layer or group called options->path; without a path
 * `diagnostics` is not used. */
Report *report_make(const Variants *variants, const GraphCount *count, const ReportOptions *options,
                    Diagnostics *diagnostics);

/* Each appends a whole file. The same report gives the same bytes every time. */
void report_text(const Report *report, StrBuf *out);
void report_json(const Report *report, StrBuf *out); /* as docs/report.schema.json says */
void report_csv(const Report *report, StrBuf *out);
void report_markdown(const Report *report, StrBuf *out);
void report_html(const Report *report, StrBuf *out);

#endif
