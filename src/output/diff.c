/* What corresponds to what, and what is not the same in it: see diff.h. */
#include "output/diff.h"

#include <string.h>

#include "layers/layer.h"
#include "output/alignment.h"

/* ---- what corresponds ----------------------------------------------------------------------- */

typedef struct Matcher {
    Diff diff;
    size_t *new_of; /* by Node.id of the old network: the new one, UNMATCHED if removed */
    size_t *old_of;
    size_t *aligned;          /* as new_of, of those in the same order on both sides */
    const Value **input_of;   /* by Value.id of a new input: the old one; NULL */
    const Value **origin_old; /* by Value.id: the value without what was put in or taken out */
    const Value **origin_new;
} Matcher;

static const Node *old_node(const Matcher *m, size_t id) {
    return m->diff.old.graph->nodes.data[id];
}

static const Node *new_node(const Matcher *m, size_t id) {
    return m->diff.new.graph->nodes.data[id];
}

static void pair(Matcher *m, size_t old, size_t new) {
    m->new_of[old] = new;
    m->old_of[new] = old;
}

/* What layers have in common that correspond: a label that is on both sides, or the scope and the
 * call. */
static const char *node_key(Arena *arena, const Node *node, bool by_label) {
    if (by_label)
        return arena_format(arena, "=%s", node->path);
    const char *dot = strrchr(node->path, '.');
    StrBuf text = {0};
    strbuf_format(&text, "%.*s ", dot ? (int)(dot - node->path) : 0, node->path);
    graph_print_call(node, &text);
    const char *key = arena_copy_text(arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return key;
}

static const char **node_paths(Arena *arena, const Graph *graph) {
    const char **paths = ARENA_ARRAY(arena, graph->nodes.count, const char *);
    for (size_t i = 0; i < graph->nodes.count; i++)
        paths[i] = graph->nodes.data[i]->path;
    return paths;
}

/* Pairs by label and by sequence. `same_path`: by new node the old one of the same path. */
static void match_sequences(Matcher *m, const size_t *same_path) {
    Arena *arena = m->diff.arena;
    size_t old_count = m->diff.old.graph->nodes.count;
    size_t new_count = m->diff.new.graph->nodes.count;
    bool *labelled = ARENA_ARRAY(arena, old_count, bool);
    const char **keys = ARENA_ARRAY(arena, old_count + new_count, const char *);
    for (size_t j = 0; j < new_count; j++) {
        bool by_label = same_path[j] != UNMATCHED && !node_path_is_automatic(new_node(m, j)) &&
                        !node_path_is_automatic(old_node(m, same_path[j]));
        if (by_label) {
            labelled[same_path[j]] = true;
            pair(m, same_path[j], j);
        }
        keys[old_count + j] = node_key(arena, new_node(m, j), by_label);
    }
    for (size_t i = 0; i < old_count; i++)
        keys[i] = node_key(arena, old_node(m, i), labelled[i]);
    const size_t *numbers = number_texts(arena, keys, old_count + new_count);
    align(arena, numbers, old_count, numbers + old_count, new_count, m->aligned);
    for (size_t i = 0; i < old_count; i++)
        if (m->aligned[i] != UNMATCHED)
            pair(m, i, m->aligned[i]);
}

/* ---- what is left between two that correspond ----------------------------------------------- */

typedef struct Gap {
    size_t old_begin;
    size_t old_end;
    size_t new_begin;
    size_t new_end;
} Gap;

static void match_gap_by_path(Matcher *m, const Gap *gap, const size_t *same_path) {
    for (size_t j = gap->new_begin; j < gap->new_end; j++) {
        size_t i = same_path[j];
        if (m->old_of[j] == UNMATCHED && i != UNMATCHED && i >= gap->old_begin &&
            i < gap->old_end && m->new_of[i] == UNMATCHED &&
            old_node(m, i)->layer == new_node(m, j)->layer)
            pair(m, i, j);
    }
}

static size_t kind_index(const LayerInfo *layer) {
    size_t count;
    const LayerInfo *const *table = layer_table(&count);
    size_t index = 0;
    while (index < count && table[index] != layer)
        index++;
    return index;
}

/* The first of a kind with the first of it, and so on. `cursors`: one a kind. */
static void match_gap_by_kind(Matcher *m, const Gap *gap, size_t *cursors, size_t kinds) {
    for (size_t k = 0; k < kinds; k++)
        cursors[k] = gap->new_begin;
    for (size_t i = gap->old_begin; i < gap->old_end; i++) {
        if (m->new_of[i] != UNMATCHED)
            continue;
        const LayerInfo *layer = old_node(m, i)->layer;
        size_t *at = &cursors[kind_index(layer)];
        while (*at < gap->new_end &&
               (m->old_of[*at] != UNMATCHED || new_node(m, *at)->layer != layer))
            ++*at;
        if (*at < gap->new_end)
            pair(m, i, (*at)++);
    }
}

static void match_gaps(Matcher *m, const size_t *same_path) {
    size_t old_count = m->diff.old.graph->nodes.count;
    size_t new_count = m->diff.new.graph->nodes.count;
    size_t kinds;
    layer_table(&kinds);
    size_t *cursors = ARENA_ARRAY(m->diff.arena, kinds, size_t);
    Gap gap = {0};
    for (size_t i = 0; i <= old_count; i++) {
        size_t j = i == old_count ? new_count : m->aligned[i];
        if (j == UNMATCHED)
            continue;
        gap.old_end = i;
        gap.new_end = j;
        if (gap.old_begin < gap.old_end && gap.new_begin < gap.new_end) {
            match_gap_by_path(m, &gap, same_path);
            match_gap_by_kind(m, &gap, cursors, kinds);
        }
        gap = (Gap){.old_begin = i + 1, .new_begin = j + 1};
    }
}

static void match_nodes(Matcher *m) {
    Arena *arena = m->diff.arena;
    const Graph *old = m->diff.old.graph;
    const Graph *new = m->diff.new.graph;
    m->new_of = ARENA_ARRAY(arena, old->nodes.count, size_t);
    m->aligned = ARENA_ARRAY(arena, old->nodes.count, size_t);
    m->old_of = ARENA_ARRAY(arena, new->nodes.count, size_t);
    for (size_t i = 0; i < old->nodes.count; i++)
        m->new_of[i] = UNMATCHED;
    for (size_t j = 0; j < new->nodes.count; j++)
        m->old_of[j] = UNMATCHED;
    const size_t *same_path = match_texts(arena, node_paths(arena, old), old->nodes.count,
                                          node_paths(arena, new), new->nodes.count);
    match_sequences(m, same_path);
    match_gaps(m, same_path);
}

/* ---- interface ------------------------------------------------------------------------------ */

typedef struct Tensors {
    const char **names;
    const Value *const *values;
    size_t count;
} Tensors;

static Tensors inputs_of(Arena *arena, const Graph *graph) {
    Tensors tensors = {ARENA_ARRAY(arena, graph->inputs.count, const char *),
                       (const Value *const *)graph->inputs.data, graph->inputs.count};
    for (size_t i = 0; i < graph->inputs.count; i++)
        tensors.names[i] = graph->inputs.data[i]->name;
    return tensors;
}

static Tensors outputs_of(const Graph *graph) {
    return (Tensors){graph->output_names.data, (const Value *const *)graph->outputs.data,
                     graph->outputs.count};
}

/* Pairs tensors by name, then those left in their order: by new place the old one. */
static size_t *match_tensors(Arena *arena, const Tensors *old, const Tensors *new) {
    size_t *match = match_texts(arena, old->names, old->count, new->names, new->count);
    bool *taken = ARENA_ARRAY(arena, old->count, bool);
    for (size_t j = 0; j < new->count; j++)
        if (match[j] != UNMATCHED)
            taken[match[j]] = true;
    size_t i = 0;
    for (size_t j = 0; j < new->count; j++) {
        while (i < old->count && taken[i])
            i++;
        if (match[j] == UNMATCHED && i < old->count)
            match[j] = i++;
    }
    return match;
}

/* Each value as what it comes from if layers of one input that are only on this side are left out.
 */
static const Value **find_origins(Arena *arena, const Graph *graph, const size_t *other) {
    const Value **origins = ARENA_ARRAY(arena, graph->values.count, const Value *);
    for (size_t i = 0; i < graph->values.count; i++)
        origins[i] = graph->values.data[i];
    for (size_t i = 0; i < graph->nodes.count; i++) {
        const Node *node = graph->nodes.data[i];
        if (other[i] == UNMATCHED && node->input_count == 1 && node->output_count == 1)
            origins[node->outputs[0]->id] = origins[node->inputs[0]->id];
    }
    return origins;
}

static size_t place_among_outputs(const Value *value) {
    size_t place = 0;
    while (value->producer->outputs[place] != value)
        place++;
    return place;
}

/* Whether two values come from what corresponds. */
static bool same_origin(const Matcher *m, const Value *old, const Value *new) {
    old = m->origin_old[old->id];
    new = m->origin_new[new->id];
    if (!new->producer)
        return m->input_of[new->id] == old;
    return old->producer && m->new_of[old->producer->id] ==
                                (size_t)new->producer->id &&place_among_outputs(old) ==
                                place_among_outputs(new);
}

static void add_tensor_change(Matcher *m, TensorChange change) {
    bool both = change.old && change.new;
    change.rewired = both && change.output && !same_origin(m, change.old, change.new);
    if (both && !change.moved && !change.rewired && strcmp(change.old_name, change.new_name) == 0 &&
        type_equal(&change.old->type, &change.new->type))
        return;
    VEC_PUSH(m->diff.arena, &m->diff.tensors, change);
}

/* A pair is moved if one before it has its old place behind this one's. */
static void compare_tensors(Matcher *m, bool output, const Tensors *old, const Tensors *new,
                            const size_t *match) {
    bool *taken = ARENA_ARRAY(m->diff.arena, old->count, bool);
    size_t behind = 0; /* the places from here on come after all pairs so far */
    for (size_t j = 0; j < new->count; j++) {
        TensorChange change = {.output = output, .new_name = new->names[j], .new = new->values[j]};
        size_t i = match[j];
        if (i != UNMATCHED) {
            change.old_name = old->names[i];
            change.old = old->values[i];
            change.moved = i < behind;
            behind = i >= behind ? i + 1 : behind;
            taken[i] = true;
        }
        add_tensor_change(m, change);
    }
    for (size_t i = 0; i < old->count; i++)
        if (!taken[i])
            add_tensor_change(
                m,
                (TensorChange){.output = output, .old_name = old->names[i], .old = old->values[i]});
}

static void compare_interfaces(Matcher *m) {
    Arena *arena = m->diff.arena;
    const Graph *new = m->diff.new.graph;
    Tensors old_inputs = inputs_of(arena, m->diff.old.graph);
    Tensors new_inputs = inputs_of(arena, new);
    const size_t *inputs = match_tensors(arena, &old_inputs, &new_inputs);
    m->input_of = ARENA_ARRAY(arena, new->values.count, const Value *);
    for (size_t j = 0; j < new_inputs.count; j++)
        if (inputs[j] != UNMATCHED)
            m->input_of[new_inputs.values[j]->id] = old_inputs.values[inputs[j]];
    m->origin_old = find_origins(arena, m->diff.old.graph, m->new_of);
    m->origin_new = find_origins(arena, new, m->old_of);
    compare_tensors(m, false, &old_inputs, &new_inputs, inputs);
    Tensors old_outputs = outputs_of(m->diff.old.graph);
    Tensors new_outputs = outputs_of(new);
    compare_tensors(m, true, &old_outputs, &new_outputs,
                    match_tensors(arena, &old_outputs, &new_outputs));
}

/* ---- layers --------------------------------------------------------------------------------- */

void diff_call(const Node *node, StrBuf *out) {
    graph_print_call(node, out);
    if (node->shares)
        strbuf_format(out, " with the weights of %s", node->shares->path);
}

static bool same_call(const Node *old, const Node *new) {
    StrBuf a = {0};
    StrBuf b = {0};
    diff_call(old, &a);
    diff_call(new, &b);
    bool same = strcmp(strbuf_text(&a), strbuf_text(&b)) == 0;
    strbuf_free(&a);
    strbuf_free(&b);
    return same;
}

static bool same_inputs(const Matcher *m, const Node *old, const Node *new) {
    bool same = old->input_count == new->input_count;
    for (size_t i = 0; same && i < new->input_count; i++)
        same = same_origin(m, old->inputs[i], new->inputs[i]);
    return same;
}

static bool same_shapes(const Node *old, const Node *new) {
    bool same = old->output_count == new->output_count;
    for (size_t i = 0; same && i < new->output_count; i++)
        same = shape_equal(&old->outputs[i]->type.shape, &new->outputs[i]->type.shape);
    return same;
}

static bool same_counts(const Matcher *m, const Node *old, const Node *new) {
    const NodeCount *a = &m->diff.old.count->nodes[old->id];
    const NodeCount *b = &m->diff.new.count->nodes[new->id];
    return a->trainable == b->trainable && a->frozen == b->frozen && a->macs == b->macs;
}

static bool name_matters(const Node *node) {
    return node->weights.count > 0 || !node_path_is_automatic(node);
}

static unsigned compare_nodes(const Matcher *m, const Node *old, const Node *new) {
    unsigned facts = 0;
    if (strcmp(old->path, new->path) != 0 && (name_matters(old) || name_matters(new)))
        facts |= FACT_PATH;
    if (!same_call(old, new))
        facts |= FACT_CALL;
    if (!same_inputs(m, old, new))
        facts |= FACT_INPUTS;
    if (!same_shapes(old, new))
        facts |= FACT_SHAPE;
    if (!same_counts(m, old, new))
        facts |= FACT_COUNT;
    return facts;
}

static void add_layer_change(Matcher *m, const Node *old, const Node *new, unsigned facts) {
    VEC_PUSH(m->diff.arena, &m->diff.layers, (LayerChange){old, new, facts});
}

/* Removed layers come before the first that corresponds to one behind them. */
static void compare_layers(Matcher *m) {
    size_t old_count = m->diff.old.graph->nodes.count;
    size_t i = 0;
    for (size_t j = 0; j < m->diff.new.graph->nodes.count; j++) {
        size_t match = m->old_of[j];
        if (match == UNMATCHED) {
            add_layer_change(m, NULL, new_node(m, j), 0);
            continue;
        }
        for (; i < match; i++)
            if (m->new_of[i] == UNMATCHED)
                add_layer_change(m, old_node(m, i), NULL, 0);
        unsigned facts = compare_nodes(m, old_node(m, match), new_node(m, j));
        if (facts)
            add_layer_change(m, old_node(m, match), new_node(m, j), facts);
    }
    for (; i < old_count; i++)
        if (m->new_of[i] == UNMATCHED)
            add_layer_change(m, old_node(m, i), NULL, 0);
}

/* ---- weights -------------------------------------------------------------------------------- */

static const char **weight_paths(Arena *arena, const Graph *graph) {
    const char **paths = ARENA_ARRAY(arena, graph->weights.count, const char *);
    for (size_t i = 0; i < graph->weights.count; i++)
        paths[i] = graph->weights.data[i]->path;
    return paths;
}

/* The weight of that name of a layer of `graph`, NULL if there is no such layer or weight. */
static const Weight *weight_of(const Graph *graph, size_t node, const char *name) {
    if (node == UNMATCHED)
        return NULL;
    const Node *owner = graph->nodes.data[node];
    for (size_t i = 0; i < owner->weights.count; i++)
        if (strcmp(owner->weights.data[i]->name, name) == 0)
            return owner->weights.data[i];
    return NULL;
}

/* One side's weights, and of each what it is on the other. */
typedef struct Counterparts {
    const size_t *same_path;   /* index of the weight of that path; UNMATCHED */
    const Weight **same_layer; /* the weight of that name of the layer that corresponds; NULL */
} Counterparts;

/* `other_node`: by node of `graph` the one that corresponds. */
static Counterparts find_counterparts(Arena *arena, const Graph *graph, const Graph *other,
                                      const size_t *other_node) {
    size_t count = graph->weights.count;
    const char **paths = weight_paths(arena, graph);
    Counterparts found = {
        match_texts(arena, weight_paths(arena, other), other->weights.count, paths, count),
        ARENA_ARRAY(arena, count, const Weight *)};
    for (size_t i = 0; i < count; i++) {
        const Weight *weight = graph->weights.data[i];
        found.same_layer[i] = weight_of(other, other_node[weight->owner->id], weight->name);
    }
    return found;
}

/* Whether weight i is on the other side under a path that this side has not, and its own path is
 * not on the other side. `taken`: where the other's path is on this side. */
static bool is_renamed(const Graph *graph, const Counterparts *found, size_t i,
                       const size_t *taken) {
    const Weight *other = found->same_layer[i];
    return found->same_path[i] == UNMATCHED && other && taken[i] == UNMATCHED &&
           shape_equal(&graph->weights.data[i]->shape, &other->shape);
}

/* By weight of `graph`: where the path of its counterpart is among the graph's own. */
static const size_t *counterparts_here(Arena *arena, const Graph *graph,
                                       const Counterparts *found) {
    const char **paths = ARENA_ARRAY(arena, graph->weights.count, const char *);
    for (size_t i = 0; i < graph->weights.count; i++)
        paths[i] = found->same_layer[i] ? found->same_layer[i]->path : "";
    return match_texts(arena, weight_paths(arena, graph), graph->weights.count, paths,
                       graph->weights.count);
}

static void add_weight_change(Matcher *m, const Weight *old, const Weight *new, bool mistaken) {
    VEC_PUSH(m->diff.arena, &m->diff.weights, (WeightChange){old, new, mistaken});
}

static void compare_weights(Matcher *m) {
    Arena *arena = m->diff.arena;
    const Graph *old = m->diff.old.graph;
    const Graph *new = m->diff.new.graph;
    Counterparts of_old = find_counterparts(arena, old, new, m->new_of);
    Counterparts of_new = find_counterparts(arena, new, old, m->old_of);
    const size_t *old_taken = counterparts_here(arena, old, &of_old);
    const size_t *new_taken = counterparts_here(arena, new, &of_new);
    for (size_t i = 0; i < old->weights.count; i++)
        if (of_old.same_path[i] == UNMATCHED && !is_renamed(old, &of_old, i, old_taken))
            add_weight_change(m, old->weights.data[i], NULL, false);
    for (size_t j = 0; j < new->weights.count; j++) {
        const Weight *weight = new->weights.data[j];
        const Weight *before = of_new.same_layer[j];
        if (of_new.same_path[j] == UNMATCHED) {
            add_weight_change(m, is_renamed(new, &of_new, j, new_taken) ? before : NULL, weight,
                              false);
            continue;
        }
        const Weight *same = old->weights.data[of_new.same_path[j]];
        bool reshaped = !shape_equal(&same->shape, &weight->shape);
        if (reshaped || before != same)
            add_weight_change(m, same, weight, !reshaped);
    }
}

/* ---- the whole ------------------------------------------------------------------------------ */

Diff diff_make(Arena *arena, const DiffSide *old, const DiffSide *new) {
    Matcher m = {.diff = {.arena = arena, .old = *old, .new = *new}};
    match_nodes(&m);
    compare_interfaces(&m);
    compare_layers(&m);
    compare_weights(&m);
    return m.diff;
}

bool diff_is_same(const Diff *diff) {
    return strcmp(diff->old.graph->name, diff->new.graph->name) == 0 && diff->tensors.count == 0 &&
           diff->layers.count == 0 && diff->weights.count == 0;
}

bool diff_weights_bind(const Diff *diff) {
    for (size_t i = 0; i < diff->weights.count; i++)
        if (!diff->weights.data[i].mistaken)
            return false;
    return true;
}
