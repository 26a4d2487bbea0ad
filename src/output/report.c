/* The tree of groups and layers behind a report: see report.h. */
#include "output/report.h"

#include <assert.h>
#include <string.h>

#include "graph/scope.h"
#include "support/checked.h"
#include "support/intern.h"
#include "support/suggest.h"

/* ---- the tree ----------------------------------------------------------------------------- */

typedef struct Tree {
    Report *report;
    Intern intern;
    NameMap groups; /* by interned path */
} Tree;

static ReportRow *add_row(const Report *report, ReportRow *parent, const char *path) {
    ReportRow *row = ARENA_NEW(report->arena, ReportRow);
    const char *point = strrchr(path, '.');
    *row = (ReportRow){.path = path,
                       .name = point ? point + 1 : path,
                       .depth = parent->depth + 1,
                       .parent = parent};
    if (parent->last_child)
        parent->last_child->next = row;
    else
        parent->child = row;
    parent->last_child = row;
    return row;
}

/* The group that the layer of this path is in; made if need be, with those around it. */
static ReportRow *group_of(Tree *tree, const char *path) {
    ReportRow *group = tree->report->root;
    for (const char *point = strchr(path, '.'); point; point = strchr(point + 1, '.')) {
        const char *name = intern_bytes(&tree->intern, path, (size_t)(point - path));
        ReportRow *inner = name_map_find(&tree->groups, name);
        if (!inner) {
            inner = add_row(tree->report, group, name);
            name_map_add(tree->report->arena, &tree->groups, name, inner);
            VEC_PUSH(tree->report->arena, &tree->report->groups, inner);
        }
        group = inner;
    }
    return group;
}

static void add_figure(int64_t *sum, int64_t figure) {
    bool fits = checked_add(*sum, figure, sum);
    assert(fits); /* graph_count has added up all of them */
    (void)fits;
}

static void add_figures(NodeCount *sum, const NodeCount *figures) {
    add_figure(&sum->trainable, figures->trainable);
    add_figure(&sum->frozen, figures->frozen);
    add_figure(&sum->macs, figures->macs);
    add_figure(&sum->operations, figures->operations);
    add_figure(&sum->flops, figures->flops);
    add_figure(&sum->activation_bytes, figures->activation_bytes);
}

static void add_layer(Tree *tree, const Node *node) {
    ReportRow *row = add_row(tree->report, group_of(tree, node->path), node->path);
    row->node = node;
    for (ReportRow *around = row; around; around = around->parent) {
        around->last = node;
        around->layers++;
        add_figures(&around->figures, &tree->report->count->nodes[node->id]);
    }
}

static void make_tree(Report *report) {
    Tree tree = {.report = report, .intern = {.arena = report->arena}};
    report->root = ARENA_NEW(report->arena, ReportRow);
    report->root->path = report->root->name = "";
    for (size_t i = 0; i < report->graph->nodes.count; i++)
        add_layer(&tree, report->graph->nodes.data[i]);
}

/* ---- the rows that are shown -------------------------------------------------------------- */

/* The row after `row` in the order of the tree; NULL after the last one in `top`. */
static ReportRow *row_after(const ReportRow *row, const ReportRow *top, bool enter) {
    if (enter && row->child)
        return row->child;
    while (row != top && !row->next)
        row = row->parent;
    return row == top ? NULL : row->next;
}

static void choose_rows(Report *report) {
    uint64_t depth = report->options.depth;
    ReportRow *row = report->top == report->root ? report->root->child : report->top;
    while (row) {
        VEC_PUSH(report->arena, &report->rows, row);
        row = row_after(row, report->top, depth == 0 || (uint64_t)row->depth < depth);
    }
}

static void report_no_path(const Report *report, Diagnostics *diagnostics, const char *path) {
    VEC(const char *) names = {0};
    for (const ReportRow *row = report->root->child; row; row = row_after(row, report->root, true))
        VEC_PUSH(report->arena, &names, row->path);
    const char *nearest = suggest_name(path, names.data, names.count);
    Diagnostic *diagnostic =
        diag_report(diagnostics, DIAG_E0319, report->graph->name_span,
                    "`%s` has no layer or group called `%s`", report->graph->name, path);
    if (nearest)
        diag_help(diagnostics, diagnostic, "did you mean `%s`?", nearest);
}

static ReportRow *find_row(const Report *report, const char *path) {
    ReportRow *row = report->root->child;
    while (row && strcmp(row->path, path) != 0)
        row = row_after(row, report->root, true);
    return row;
}

/* ---- what compiling changes --------------------------------------------------------------- */

static const Node *affine_owner(const Affine *affine) {
    const Weight *parts[] = {affine->gamma, affine->beta, affine->mean, affine->variance};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i])
            return parts[i]->owner;
    return NULL;
}

static void find_folded(Report *report) {
    const Plan *plan = report->variants->list[0].plan; /* what folds is the same in all */
    bool *seen = ARENA_ARRAY(report->arena, report->graph->nodes.count, bool);
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.data[i];
        for (int k = 0; k < step->affine_count; k++) {
            const Node *node = affine_owner(&step->affines[k]);
            if (!node || seen[node->id])
                continue;
            seen[node->id] = true;
            report->compiled.folded++;
            add_figures(&report->compiled.of_folded, &report->count->nodes[node->id]);
        }
    }
}

Report *report_make(const Variants *variants, const GraphCount *count, const ReportOptions *options,
                    Diagnostics *diagnostics) {
    const Plan *plan = variants->list[0].plan;
    Report *report = ARENA_NEW(plan->arena, Report);
    report->arena = plan->arena;
    report->variants = variants;
    report->graph = plan->graph;
    report->count = count;
    report->options = *options;
    report->fields = receptive_fields(plan->arena, plan->graph);
    make_tree(report);
    report->top = options->path ? find_row(report, options->path) : report->root;
    if (!report->top) {
        report_no_path(report, diagnostics, options->path);
        return NULL;
    }
    choose_rows(report);
    find_folded(report);
    return report;
}
