/* Label paths: "conv1", "layer1.0.bn".
 *
 * A labelled layer is called by its label. An unlabelled one directly inside a labelled chain is
 * called by its index among all layer steps of the chain, labelled or not, as in PyTorch's
 * Sequential. Any other is called after its kind and its ordinal among all layers of that kind in
 * its scope, labelled or not: the second convolution of a network is conv2 even if the first has a
 * label of its own. So a label never changes the name of another layer, and where an automatic name
 * meets a label that says the same, that is reported rather than resolved by a rule nobody knows.
 */
#include <inttypes.h>
#include <string.h>

#include "graph/elaborator.h"

typedef struct KindCount {
    const LayerInfo *layer;
    int64_t count;
} KindCount;

struct PathScope {
    const char *prefix; /* "layer1.", or "" in a network itself */
    bool indexed;       /* direct steps are called by their index */
    bool repeated; /* its own label was made twice: so are the paths in it, which goes unsaid */
    int64_t next_index;
    VEC(KindCount) kinds;
};

/* Where and how a path was made, for E0304. */
typedef struct PathPlace {
    Span span;
    bool labelled;
} PathPlace;

static int64_t next_ordinal(Elaborator *e, const LayerInfo *layer) {
    PathScope *paths = e->paths;
    for (size_t i = 0; i < paths->kinds.count; i++)
        if (paths->kinds.data[i].layer == layer)
            return ++paths->kinds.data[i].count;
    VEC_PUSH(e->arena, &paths->kinds, (KindCount){layer, 1});
    return 1;
}

static void report_made_twice(Elaborator *e, const char *path, const PathPlace *first,
                              const PathPlace *again) {
    Diagnostics *diagnostics = e->diagnostics;
    Diagnostic *diagnostic =
        diag_report(diagnostics, DIAG_E0304, again->span, "the path `%s` is made twice", path);
    diag_here(diagnostics, diagnostic, again->labelled ? "made again here" : "`%s` by its place",
              path);
    diag_label(diagnostics, diagnostic, first->span,
               first->labelled ? "`%s` is made here" : "`%s` by its place", path);
    if (!first->labelled || !again->labelled)
        diag_note(diagnostics, diagnostic,
                  "a layer without a label is named after its kind and its place among all layers "
                  "of that kind");
    diag_help(diagnostics, diagnostic, "give one of them another label");
}

/* False if the path was made before. */
static bool claim(Elaborator *e, const char *path, Span span, bool labelled) {
    if (e->paths->repeated)
        return true;
    PathPlace *place = ARENA_NEW(e->arena, PathPlace);
    *place = (PathPlace){span, labelled};
    const PathPlace *first = name_map_find(&e->places, path);
    if (first)
        report_made_twice(e, path, first, place);
    else
        name_map_add(e->arena, &e->places, path, place);
    return !first;
}

/* Letters, digits, `_` and `-`, in parts with a `.` between them: what stands in weights files and
 * can be printed anywhere. */
static bool label_is_valid(const char *label) {
    bool part = false; /* at least one character since the last point */
    for (const char *at = label; *at; at++) {
        bool point = *at == '.';
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                      (*at >= '0' && *at <= '9') || *at == '_' || *at == '-';
        if (!letter && !(point && part))
            return false;
        part = !point;
    }
    return part;
}

/* The path that a label gives here, NULL if it is no label. */
static const char *labelled_path(Elaborator *e, Name label, bool *claimed) {
    *claimed = false;
    if (label_is_valid(label.text)) {
        const char *path =
            intern_text(e->intern, arena_format(e->arena, "%s%s", e->paths->prefix, label.text));
        *claimed = claim(e, path, label.span, true);
        return path;
    }
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0309, label.span,
                                         "this label cannot be part of a weight's path");
    diag_help(e->diagnostics, diagnostic,
              "labels have letters, digits, `_` and `-`, and a `.` between parts");
    return NULL;
}

static const char *automatic_path(Elaborator *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static const char *automatic_path(Elaborator *e, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *path = intern_text(e->intern, arena_format_list(e->arena, format, arguments));
    va_end(arguments);
    return path;
}

/* The index of a direct step of a labelled chain; -1 for any other. */
static int64_t step_index(Elaborator *e, StepName name) {
    return e->paths->indexed && name.direct ? e->paths->next_index++ : -1;
}

const char *path_of_layer(Elaborator *e, const LayerInfo *layer, StepName name, Span span) {
    const char *prefix = e->paths->prefix;
    int64_t ordinal = next_ordinal(e, layer);
    int64_t index = step_index(e, name);
    bool claimed;
    const char *path = name.label.text ? labelled_path(e, name.label, &claimed) : NULL;
    if (path)
        return path;
    path = index >= 0 ? automatic_path(e, "%s%" PRId64, prefix, index)
                      : automatic_path(e, "%s%s%" PRId64, prefix, layer->name, ordinal);
    if (!name.label.text)
        claim(e, path, span, false);
    return path;
}

PathScope *path_scope_enter(Elaborator *e, StepName name) {
    PathScope *outer = e->paths;
    PathScope *inner = ARENA_NEW(e->arena, PathScope);
    inner->prefix = "";
    if (name.label.text) {
        step_index(e, name);
        bool claimed;
        const char *path = labelled_path(e, name.label, &claimed);
        inner->indexed = true;
        inner->repeated = !claimed || outer->repeated;
        inner->prefix = path ? arena_format(e->arena, "%s.", path) : outer->prefix;
    }
    e->paths = inner;
    return outer;
}

void path_scope_leave(Elaborator *e, PathScope *outer) {
    e->paths = outer;
}
