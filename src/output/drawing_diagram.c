/* Stacks, groups and wires of a drawing: see drawing_diagram.h. */
#include "output/drawing_diagram.h"

#include <string.h>

#include "layers/layer.h"

/* What is known while a diagram is made. */
typedef struct Maker {
    Diagram diagram;
    uint64_t depth;
    size_t *uses;       /* by Value.id: nodes and outputs that take it */
    Item **made_by;     /* by Value.id: the input or stack that makes it */
    VEC(Item *) leaves; /* inputs, stacks, outputs, in the order of the program */
} Maker;

/* ---- leaves: inputs, stacks, outputs -------------------------------------------------------- */

static void count_uses(Maker *maker) {
    const Graph *graph = maker->diagram.graph;
    for (size_t i = 0; i < graph->nodes.count; i++)
        for (size_t k = 0; k < graph->nodes.data[i]->input_count; k++)
            maker->uses[graph->nodes.data[i]->inputs[k]->id]++;
    for (size_t i = 0; i < graph->outputs.count; i++)
        maker->uses[graph->outputs.data[i]->id]++;
}

/* Whether all but the last parts of two paths are the same. */
static bool same_group(const char *a, const char *b) {
    const char *dot = strrchr(a, '.');
    size_t length = dot ? (size_t)(dot - a) + 1 : 0;
    return strncmp(a, b, length) == 0 && !strchr(b + length, '.');
}

/* A layer goes into the box of the one before it if it follows nothing else and nothing else
 * follows that, and if it is of a kind that goes along with another. Weights stay in their group.
 */
static bool joins_stack(const Maker *maker, const Node *node, const Item *stack) {
    if (!stack || stack->kind != ITEM_STACK || node->input_count != 1 || node->output_count != 1)
        return false;
    LayerFamily family = node->layer->family;
    bool follows =
        family == FAMILY_ACTIVATION || family == FAMILY_NORMALISATION || family == FAMILY_TRAINING;
    return follows && maker->uses[node->inputs[0]->id] == 1 &&
           shape_equal(&node->inputs[0]->type.shape, &node->outputs[0]->type.shape) &&
           (node->weights.count == 0 || same_group(node->path, stack->path));
}

static Item *add_leaf(Maker *maker, ItemKind kind, const char *path, const Value *value) {
    Item *item = ARENA_NEW(maker->diagram.arena, Item);
    *item = (Item){.kind = kind, .path = path, .value = value};
    item->shown = item;
    VEC_PUSH(maker->diagram.arena, &maker->leaves, item);
    return item;
}

static void add_node(Maker *maker, const Node *node) {
    Item *stack = node->input_count > 0 ? maker->made_by[node->inputs[0]->id] : NULL;
    if (!joins_stack(maker, node, stack))
        stack = add_leaf(maker, ITEM_STACK, node->path, NULL);
    VEC_PUSH(maker->diagram.arena, &stack->nodes, node);
    for (size_t i = 0; i < node->output_count; i++)
        maker->made_by[node->outputs[i]->id] = stack;
}

static void make_leaves(Maker *maker) {
    const Graph *graph = maker->diagram.graph;
    for (size_t i = 0; i < graph->inputs.count; i++) {
        const Value *value = graph->inputs.data[i];
        maker->made_by[value->id] = add_leaf(maker, ITEM_INPUT, value->name, value);
    }
    for (size_t i = 0; i < graph->nodes.count; i++)
        add_node(maker, graph->nodes.data[i]);
    for (size_t i = 0; i < graph->outputs.count; i++)
        add_leaf(maker, ITEM_OUTPUT, graph->output_names.data[i], graph->outputs.data[i]);
}

/* ---- groups --------------------------------------------------------------------------------- */

/* The length of the first `parts` parts of the path of a leaf's group; 0 if it has fewer. */
static size_t group_length(const Item *leaf, size_t parts) {
    if (leaf->kind != ITEM_STACK)
        return 0;
    const char *dot = leaf->path;
    for (; parts > 0 && dot; parts--)
        dot = strchr(dot + (dot != leaf->path), '.');
    return dot ? (size_t)(dot - leaf->path) : 0;
}

/* Where the run of leaves ends that are, like the first, in a group of so many parts. */
static size_t run_end(const Maker *maker, size_t begin, size_t end, size_t parts) {
    const Item *first = maker->leaves.data[begin];
    size_t length = group_length(first, parts);
    size_t at = begin + 1;
    while (length > 0 && at < end && group_length(maker->leaves.data[at], parts) == length &&
           strncmp(first->path, maker->leaves.data[at]->path, length) == 0)
        at++;
    return at;
}

static void add_item(Maker *maker, Item *group, Item *item) {
    item->index = maker->diagram.items.count;
    item->parent = group;
    item->depth = group ? group->depth + 1 : 0;
    VEC_PUSH(maker->diagram.arena, &maker->diagram.items, item);
    if (group)
        VEC_PUSH(maker->diagram.arena, &group->children, item);
}

/* The sums fit: graph_count has added the same and more. */
static void item_add_nodes(Maker *maker, Item *item, const Item *leaf) {
    for (size_t i = 0; i < leaf->nodes.count; i++) {
        const NodeCount *count = &maker->diagram.count->nodes[leaf->nodes.data[i]->id];
        item->count.trainable += count->trainable;
        item->count.frozen += count->frozen;
        item->count.macs += count->macs;
        if (item != leaf)
            VEC_PUSH(maker->diagram.arena, &item->nodes, leaf->nodes.data[i]);
    }
}

static Item *add_group(Maker *maker, Item *around, ItemKind kind, size_t begin, size_t end,
                       size_t parts) {
    const Item *first = maker->leaves.data[begin];
    Item *group = ARENA_NEW(maker->diagram.arena, Item);
    *group = (Item){.kind = kind};
    group->path = arena_copy_text(maker->diagram.arena, first->path, group_length(first, parts));
    group->shown = group;
    add_item(maker, around, group);
    for (size_t i = begin; i < end; i++) {
        item_add_nodes(maker, group, maker->leaves.data[i]);
        if (kind == ITEM_COLLAPSED)
            maker->leaves.data[i]->shown = group;
    }
    return group;
}

static void add_leaves(Maker *maker, Item *group, size_t begin, size_t end, size_t parts);

/* A run of several leaves of one group of so many parts. */
static void add_run(Maker *maker, Item *around, size_t begin, size_t end, size_t parts) {
    while (parts != maker->depth && parts < DIAGRAM_MAX_DEPTH &&
           group_length(maker->leaves.data[begin], parts + 1) > 0 &&
           run_end(maker, begin, end, parts + 1) == end)
        parts++; /* the group's only item would be a group */
    bool collapsed = parts == maker->depth;
    Item *group =
        add_group(maker, around, collapsed ? ITEM_COLLAPSED : ITEM_GROUP, begin, end, parts);
    if (!collapsed)
        add_leaves(maker, group, begin, end, parts);
}

/* The items of `group`, whose path has so many parts. */
static void add_leaves(Maker *maker, Item *group, size_t begin, size_t end, size_t parts) {
    for (size_t i = begin; i < end;) {
        size_t next = parts < DIAGRAM_MAX_DEPTH ? run_end(maker, i, end, parts + 1) : i + 1;
        if (next > i + 1) {
            add_run(maker, group, i, next, parts + 1);
        } else {
            add_item(maker, group, maker->leaves.data[i]);
            item_add_nodes(maker, maker->leaves.data[i], maker->leaves.data[i]);
        }
        i = next;
    }
}

/* ---- wires ---------------------------------------------------------------------------------- */

/* The wire of `value` in `group`, a new one at its first use. Values are looked at one by one. */
static Wire *wire_in(Maker *maker, Item *group, const Value *value) {
    if (group->wired != value) {
        group->wired = value;
        group->wire = ARENA_NEW(maker->diagram.arena, Wire);
        *group->wire = (Wire){.index = maker->diagram.wire_count++, .value = value};
        VEC_PUSH(maker->diagram.arena, &group->wires, group->wire);
    }
    return group->wire;
}

/* Takers come in the order of the program, and so do the items that they are in: only the last
 * target can be the same. */
static void add_target(Maker *maker, Wire *wire, Item *item, Wire *inner) {
    if (wire->targets.count == 0 || wire->targets.data[wire->targets.count - 1].item != item)
        VEC_PUSH(maker->diagram.arena, &wire->targets, (WireTarget){item, inner});
}

/* Leads a value from the item that makes it to one that takes it: out of the groups that only the
 * maker is in, into those that only the taker is in. */
static void connect(Maker *maker, Item *from, Item *to, const Value *value) {
    Wire *from_inner = NULL;
    Wire *to_inner = NULL;
    if (from == to)
        return;
    while (from->parent != to->parent) {
        bool leave = from->depth >= to->depth;
        Item *group = leave ? from->parent : to->parent;
        Wire *wire = wire_in(maker, group, value);
        if (leave) {
            wire->source = from;
            wire->inner = from_inner;
            wire->leaves = true;
            from = group;
            from_inner = wire;
        } else {
            add_target(maker, wire, to, to_inner);
            to = group;
            to_inner = wire;
        }
    }
    Wire *wire = wire_in(maker, from->parent, value);
    wire->source = from;
    wire->inner = from_inner;
    add_target(maker, wire, to, to_inner);
}

typedef struct Taker {
    const Value *value;
    Item *item;
} Taker;

/* Who takes each value, by Value.id, each in the order of the program. */
static Taker *list_takers(Maker *maker, size_t *begin) {
    const Graph *graph = maker->diagram.graph;
    for (size_t v = 0; v < graph->values.count; v++)
        begin[v + 1] = begin[v] + maker->uses[v];
    size_t *next = ARENA_ARRAY(maker->diagram.arena, graph->values.count, size_t);
    memcpy(next, begin, graph->values.count * sizeof *next);
    Taker *takers = ARENA_ARRAY(maker->diagram.arena, begin[graph->values.count], Taker);
    for (size_t l = 0; l < maker->leaves.count; l++) {
        Item *leaf = maker->leaves.data[l];
        for (size_t i = 0; i < leaf->nodes.count; i++)
            for (size_t k = 0; k < leaf->nodes.data[i]->input_count; k++) {
                const Value *value = leaf->nodes.data[i]->inputs[k];
                takers[next[value->id]++] = (Taker){value, leaf->shown};
            }
        if (leaf->kind == ITEM_OUTPUT)
            takers[next[leaf->value->id]++] = (Taker){leaf->value, leaf->shown};
    }
    return takers;
}

/* Makers come in the order of the program, and so do the wires of each group. */
static void make_wires(Maker *maker) {
    const Graph *graph = maker->diagram.graph;
    size_t *begin = ARENA_ARRAY(maker->diagram.arena, graph->values.count + 1, size_t);
    const Taker *takers = list_takers(maker, begin);
    for (size_t v = 0; v < graph->values.count; v++)
        for (size_t i = begin[v]; i < begin[v + 1]; i++)
            connect(maker, maker->made_by[v]->shown, takers[i].item, takers[i].value);
}

/* ---- the whole ------------------------------------------------------------------------------ */

Diagram diagram_make(Arena *arena, const Graph *graph, const GraphCount *count, uint64_t depth) {
    Maker maker = {.diagram = {.arena = arena, .graph = graph, .count = count}, .depth = depth};
    maker.uses = ARENA_ARRAY(arena, graph->values.count, size_t);
    maker.made_by = ARENA_ARRAY(arena, graph->values.count, Item *);
    count_uses(&maker);
    make_leaves(&maker);
    Item *root = ARENA_NEW(arena, Item);
    *root = (Item){.kind = ITEM_GROUP, .path = ""};
    root->shown = root;
    add_item(&maker, NULL, root);
    maker.diagram.root = root;
    add_leaves(&maker, root, 0, maker.leaves.count, 0);
    make_wires(&maker);
    return maker.diagram;
}

static bool is_number(const char *text) {
    return text[0] && text[strspn(text, "0123456789")] == '\0';
}

const char *diagram_path_in(const Item *group, const char *path) {
    size_t length = strlen(group->path);
    bool inside = length > 0 && strncmp(group->path, path, length) == 0 && path[length] == '.';
    return inside && !is_number(path + length + 1) ? path + length + 1 : path;
}
