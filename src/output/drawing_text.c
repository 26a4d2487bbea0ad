/* What is written into a drawing: see drawing_text.h. */
#include "output/drawing_text.h"

#include <inttypes.h>
#include <string.h>

#include "layers/layer.h"

#define DOT        " \u00b7 " /* between facts of one line */
#define MAX_LENGTH 64         /* bytes of a name that are shown; the end of a longer one */

/* Width of a character, in ems. */
static double character_width(char c) {
    if ((unsigned char)c >= 0x80)
        return 0.5; /* of two bytes or more: all that netc writes itself are no wider than an em */
    if (strchr(" .,:;'|!()[]/-fijlrtI", c))
        return 0.42;
    if (strchr("mwMW@%+=<>&#^~", c))
        return 1.0;
    return c >= 'A' && c <= 'Z' ? 0.8 : 0.65;
}

double text_width(const char *text, double size, bool bold) {
    double ems = 0;
    for (; *text; text++)
        ems += character_width(*text);
    return ems * size * (bold ? 1.2 : 1.0);
}

/* A long name as its end, which tells it from others. */
static const char *shortened(const Diagram *diagram, const char *name) {
    size_t length = strlen(name);
    return length <= MAX_LENGTH
               ? name
               : arena_format(diagram->arena, "\u2026%s", name + length - MAX_LENGTH);
}

static const char *kept(const Diagram *diagram, StrBuf *text) {
    const char *copy = arena_copy_text(diagram->arena, strbuf_text(text), text->length);
    strbuf_free(text);
    return copy;
}

static void add_parameters(int64_t count, StrBuf *out) {
    strbuf_add_count(out, count, ',');
    strbuf_add(out, count == 1 ? " parameter" : " parameters");
}

const char *item_title(const Diagram *diagram, const Item *item) {
    if (item->kind != ITEM_STACK)
        return shortened(diagram, diagram_path_in(item->parent, item->path));
    StrBuf text = {0};
    graph_print_call(item->nodes.data[0], &text);
    return kept(diagram, &text);
}

const char *node_detail(const Diagram *diagram, const Item *stack, const Node *node) {
    StrBuf text = {0};
    const NodeCount *count = &diagram->count->nodes[node->id];
    if (node->weights.count > 0 || !node_path_is_automatic(node))
        strbuf_add(&text, shortened(diagram, diagram_path_in(stack->parent, node->path)));
    if (node->shares) {
        strbuf_format(&text, DOT "weights of %s", shortened(diagram, node->shares->path));
    } else if (node->weights.count > 0) {
        strbuf_add(&text, DOT);
        add_parameters(count->trainable + count->frozen, &text);
    }
    return kept(diagram, &text);
}

const char *group_name(const Diagram *diagram, const Item *group) {
    return shortened(diagram, group->path);
}

const char *group_count(const Diagram *diagram, const Item *group) {
    StrBuf text = {0};
    if (group->count.trainable + group->count.frozen > 0)
        add_parameters(group->count.trainable + group->count.frozen, &text);
    return kept(diagram, &text);
}

const char *collapsed_detail(const Diagram *diagram, const Item *group) {
    StrBuf text = {0};
    strbuf_add_count(&text, (int64_t)group->nodes.count, ',');
    strbuf_add(&text, " layers" DOT);
    add_parameters(group->count.trainable + group->count.frozen, &text);
    return kept(diagram, &text);
}

const char *totals_text(const Diagram *diagram) {
    const GraphCount *count = diagram->count;
    StrBuf text = {0};
    add_parameters(count->trainable + count->frozen, &text);
    if (count->frozen > 0) {
        strbuf_add(&text, " (");
        strbuf_add_count(&text, count->frozen, ',');
        strbuf_add(&text, " of them frozen)");
    }
    strbuf_add(&text, DOT);
    strbuf_add_count(&text, count->macs, ',');
    strbuf_add(&text, " macs");
    return kept(diagram, &text);
}

static void add_formula(const char *name, const Node *node, void (*formula)(const Node *, StrBuf *),
                        StrBuf *out) {
    StrBuf text = {0};
    formula(node, &text);
    if (text.length > 0)
        strbuf_format(out, "\n%s: %s", name, strbuf_text(&text));
    strbuf_free(&text);
}

void node_facts(const Node *node, StrBuf *out) {
    strbuf_format(out, "%s: ", node->path);
    graph_print_call(node, out);
    strbuf_add(out, " -> ");
    for (size_t i = 0; i < node->output_count; i++) {
        strbuf_add(out, i ? ", " : "");
        shape_print(&node->outputs[i]->type.shape, out);
    }
    add_formula("parameters", node, count_parameter_formula, out);
    add_formula("macs", node, count_mac_formula, out);
}
