/* Label paths: "conv1", "layer1.0.bn".
 *
 * A labelled layer is called by its label. An unlabelled one directly inside a labelled chain is
 * called by its index among all layer steps of the chain, labelled or not, as in PyTorch's
 * Sequential. Any other is called after its kind and its ordinal among all layers of that kind in
 * its scope, labelled or not: the second convolution of a network is conv2 even if the first has a
 * label of its own. So a label never changes the name of another layer, and where an automatic name
 * meets a label that says the same, that is reported rather than resolved by a rule nobody knows.
 *
 * A block with a label, or directly inside a labelled chain, is a scope of that name; any other is
 * expanded as if its text stood where it is used, and its layers are named in the scope around.
 *
 * `share="enc"` on a block makes its layer `enc2.conv1` read the weights of `enc.conv1`: each scope
 * has a second prefix, under which the owners of its weights are found. */
#include <inttypes.h>
#include <string.h>

#include "graph/elaborator.h"
#include "support/suggest.h"

#define MAX_SUGGESTED 1000 /* layers that are looked at for the one that was meant */

typedef struct KindCount {
    const LayerInfo *layer;
    int64_t count;
} KindCount;

struct PathScope {
    const char *prefix; /* "layer1.", or "" in a network itself */
    const char *shared; /* the prefix of the layers whose weights are read here; NULL: own ones */
    bool indexed;       /* direct steps are called by their index */
    bool repeated; /* its own label was made twice: so are the paths in it, which goes unsaid */
    int64_t next_index;
    VEC(KindCount) kinds;
};

/* Where and how a path was made, for E0304. */
typedef struct PathPlace {
    Span span;
    bool labelled;
    const Node *node;    /* NULL: a scope */
    const BlockUse *use; /* it stands in; NULL: the network itself */
} PathPlace;

static int64_t next_ordinal(Elaborator *e, const LayerInfo *layer) {
    PathScope *paths = e->paths;
    for (size_t i = 0; i < paths->kinds.count; i++)
        if (paths->kinds.data[i].layer == layer)
            return ++paths->kinds.data[i].count;
    VEC_PUSH(e->arena, &paths->kinds, (KindCount){layer, 1});
    return 1;
}

/* The label of `path` with a number, `conv2` for `conv1`, that nothing has; NULL if that is hard to
 * find. */
static const char *free_label(Elaborator *e, const char *path) {
    const char *dot = strrchr(path, '.');
    const char *label = dot ? dot + 1 : path;
    size_t stem = strlen(label);
    while (stem > 0 && label[stem - 1] >= '0' && label[stem - 1] <= '9')
        stem--;
    for (int number = 2; number < 100 && stem > 0; number++) {
        const char *other = arena_format(e->arena, "%.*s%d", (int)stem, label, number);
        const char *whole = arena_format(e->arena, "%.*s%s", (int)(label - path), path, other);
        if (!name_map_find(&e->places, intern_text(e->intern, whole)))
            return other;
    }
    return NULL;
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
    const char *label = again->labelled && !e->use ? free_label(e, path) : NULL;
    size_t length;
    const char *written = source_text(diagnostics->sources, again->span, &length);
    if (label && length > 0 && memchr(written, '{', length) == NULL)
        diag_fix(diagnostics, diagnostic, again->span,
                 arena_format(e->arena, written[0] == '"' ? "\"%s\"" : "%s", label), false,
                 "give one of them another label");
    else
        diag_help(diagnostics, diagnostic, "give one of them another label");
}

/* Two uses of a block that have no labels make the same paths. */
static void report_block_again(Elaborator *e, const char *path, const PathPlace *first) {
    Diagnostics *diagnostics = e->diagnostics;
    const char *block = e->use->block->item->name.text;
    Span span = e->use->context.span;
    const DiagContext *context = diagnostics->context;
    diagnostics->context = e->use->context.outer;
    Diagnostic *diagnostic =
        diag_report(diagnostics, DIAG_E0304, span,
                    "`%s` is used again, so the path `%s` is made twice", block, path);
    diag_label(diagnostics, diagnostic, first->use->context.span, "used here before");
    diag_label(diagnostics, diagnostic, first->span, "makes `%s`", path);
    diag_help(diagnostics, diagnostic, "give each use a label: `a: %s(...)` makes `a.%s`", block,
              path);
    diagnostics->context = context;
    e->use->reported = true;
}

static bool same_span(Span a, Span b) {
    return a.begin == b.begin && a.end == b.end;
}

/* Of the uses of blocks around, whether one has had its message about paths. */
static bool was_reported(const Elaborator *e) {
    for (const BlockUse *use = e->use; use; use = use->outer)
        if (use->reported)
            return true;
    return false;
}

/* False if the path was made before. */
static bool claim(Elaborator *e, const char *path, Span span, bool labelled) {
    if (e->paths->repeated)
        return true;
    PathPlace *place = ARENA_NEW(e->arena, PathPlace);
    *place = (PathPlace){.span = span, .labelled = labelled, .use = e->use};
    const PathPlace *first = name_map_find(&e->places, path);
    if (first && was_reported(e))
        return false;
    if (first && e->use && first->use && e->use != first->use && same_span(first->span, span))
        report_block_again(e, path, first);
    else if (first)
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

void path_note_node(Elaborator *e, const Node *node) {
    PathPlace *place = name_map_find(&e->places, node->path);
    if (place && !place->node)
        place->node = node;
}

/* ---- scopes ------------------------------------------------------------------------------- */

/* "layer1.0." */
static void set_prefix(Elaborator *e, PathScope *inner, const char *path) {
    const PathScope *outer = e->paths;
    inner->prefix = path ? arena_format(e->arena, "%s.", path) : outer->prefix;
    inner->shared = outer->shared;
    if (path && outer->shared)
        inner->shared =
            arena_format(e->arena, "%s%s.", outer->shared, path + strlen(outer->prefix));
}

PathScope *path_scope_enter(Elaborator *e, StepName name, PathKind kind, Span span) {
    PathScope *outer = e->paths;
    int64_t index = kind == PATH_NETWORK ? -1 : step_index(e, name);
    if (kind == PATH_BLOCK && !name.label.text && index < 0)
        return outer;
    PathScope *inner = ARENA_NEW(e->arena, PathScope);
    inner->prefix = "";
    inner->indexed = kind == PATH_CHAIN;
    if (name.label.text) {
        bool claimed;
        set_prefix(e, inner, labelled_path(e, name.label, &claimed));
        inner->repeated = !claimed || outer->repeated;
    } else if (index >= 0) {
        const char *path = automatic_path(e, "%s%" PRId64, outer->prefix, index);
        set_prefix(e, inner, path);
        inner->repeated = !claim(e, path, span, false) || outer->repeated;
    }
    e->paths = inner;
    return outer;
}

/* ---- shared weights ----------------------------------------------------------------------- */

/* The path that `name` means from here: in this scope, or in one around it. NULL if none. */
static const char *find_path(Elaborator *e, const char *name) {
    const char *prefix = e->paths->prefix;
    size_t length = strlen(prefix);
    for (;;) {
        const char *path =
            intern_text(e->intern, arena_format(e->arena, "%.*s%s", (int)length, prefix, name));
        if (name_map_find(&e->places, path))
            return path;
        if (length == 0)
            return NULL;
        for (length--; length > 0 && prefix[length - 1] != '.';)
            length--;
    }
}

static void report_no_owner(Elaborator *e, Span span, const char *path, const LayerInfo *layer) {
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0312, span,
                                         "there is nothing called `%s` before this", path);
    diag_help(e->diagnostics, diagnostic,
              layer ? "`share` names the path of an earlier `%s`"
                    : "`share` names the path of an earlier use of the block",
              layer ? layer->name : "");
    VEC(const char *) paths = {0};
    for (size_t i = 0; layer && i < e->graph->nodes.count && i < MAX_SUGGESTED; i++)
        if (e->graph->nodes.data[i]->weights.count > 0)
            VEC_PUSH(e->arena, &paths, e->graph->nodes.data[i]->path);
    const char *nearest = suggest_name(path, paths.data, paths.count);
    if (nearest)
        diag_fix(e->diagnostics, diagnostic, span, arena_format(e->arena, "\"%s\"", nearest), true,
                 "did you mean `%s`?", nearest);
}

/* The layer at `path`: of the same kind, or of any that owns weights, as a language model's last
 * layer reads the table of its first. NULL after a mistake; infer_weight looks at each weight. */
static const Node *owner_at(Elaborator *e, const char *path, const LayerInfo *layer, Span span) {
    const PathPlace *place = name_map_find(&e->places, intern_text(e->intern, path));
    const Node *node = place ? place->node : NULL;
    if (node && (node->layer == layer || node->weights.count > 0))
        return node->shares ? node->shares : node;
    if (was_reported(e))
        return NULL;
    if (e->use)
        e->use->reported = true;
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0312, span,
                    "`%s` is not a `%s` whose weights could be shared", path, layer->name);
    if (place)
        diag_label(e->diagnostics, diagnostic, place->span, "`%s` is made here", path);
    return NULL;
}

const char *path_argument(Elaborator *e, const Datum *datum, Span span) {
    if (datum->kind == DATUM_TEXT)
        return datum->text;
    if (!datum_is_poisoned(datum))
        diag_report(e->diagnostics, DIAG_E0201, span, "`share` is a path in quotes, not %s",
                    datum_kind_name(datum->kind));
    return NULL;
}

bool path_share(Elaborator *e, Node *node, const char *name, Span span) {
    const char *path = NULL;
    if (name)
        path = find_path(e, name);
    else if (e->paths->shared)
        path =
            arena_format(e->arena, "%s%s", e->paths->shared, node->path + strlen(e->paths->prefix));
    else
        return true;
    if (!path)
        report_no_owner(e, span, name, node->layer);
    else
        node->shares = owner_at(e, path, node->layer, span);
    return node->shares != NULL;
}

bool path_scope_share(Elaborator *e, const char *name, Span span) {
    const char *path = find_path(e, name);
    if (!path) {
        report_no_owner(e, span, name, NULL);
        return false;
    }
    e->paths->shared = arena_format(e->arena, "%s.", path);
    return true;
}

void path_scope_leave(Elaborator *e, PathScope *outer) {
    e->paths = outer;
}

bool node_path_is_automatic(const Node *node) {
    const char *dot = strrchr(node->path, '.');
    const char *name = dot ? dot + 1 : node->path;
    size_t length = strlen(node->layer->name);
    if (strncmp(name, node->layer->name, length) == 0)
        name += length;
    return name[strspn(name, "0123456789")] == '\0';
}
