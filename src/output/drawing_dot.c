/* The drawing as text for Graphviz: groups are clusters, shapes are labels of edges. */
#include "output/drawing.h"
#include "output/drawing_colours.h"
#include "output/drawing_text.h"

/* Between quotes; a line break ends a line at the left. */
static void add_quoted(const char *text, StrBuf *out) {
    for (; *text; text++)
        switch (*text) {
        case '"':
        case '\\':
            strbuf_add_char(out, '\\');
            strbuf_add_char(out, *text);
            break;
        case '\n': strbuf_add(out, "\\l"); break;
        default: strbuf_add_char(out, *text);
        }
}

static void add_label(const Diagram *diagram, const Item *item, StrBuf *out) {
    add_quoted(item_title(diagram, item), out);
    if (item->kind == ITEM_COLLAPSED) {
        strbuf_add(out, "\\n");
        add_quoted(collapsed_detail(diagram, item), out);
    }
    for (size_t i = 0; item->kind == ITEM_STACK && i < item->nodes.count; i++) {
        if (i > 0) {
            strbuf_add(out, "\\n");
            StrBuf call = {0};
            graph_print_call(item->nodes.data[i], &call);
            add_quoted(strbuf_text(&call), out);
            strbuf_free(&call);
        }
        const char *detail = node_detail(diagram, item, item->nodes.data[i]);
        strbuf_add(out, detail[0] ? i > 0 ? "   " : "\\n" : "");
        add_quoted(detail, out);
    }
}

static const char *fill_of(const Item *item) {
    if (item->kind == ITEM_STACK)
        return family_colour(item->nodes.data[0]->layer->family).light;
    return item->kind == ITEM_COLLAPSED ? "#eaeef2" : "#ffffff";
}

static void add_node(const Diagram *diagram, const Item *item, StrBuf *out) {
    bool tensor = item->kind == ITEM_INPUT || item->kind == ITEM_OUTPUT;
    strbuf_format(out, "n%zu [label=\"", item->index);
    add_label(diagram, item, out);
    strbuf_format(out, "\", fillcolor=\"%s\"%s];\n", fill_of(item),
                  tensor ? ", style=\"filled,rounded\"" : "");
}

/* Items in the order of the program, each group round what it holds. */
static void add_items(const Diagram *diagram, StrBuf *out) {
    size_t depth = 1; /* groups open, the network among them */
    for (size_t i = 1; i < diagram->items.count; i++) {
        const Item *item = diagram->items.data[i];
        for (; depth > item->depth; depth--)
            strbuf_add(out, "}\n");
        if (item->kind != ITEM_GROUP) {
            add_node(diagram, item, out);
            continue;
        }
        strbuf_format(out, "subgraph cluster%zu {\nlabel=\"", i);
        add_quoted(group_name(diagram, item), out);
        strbuf_add(out, "   ");
        add_quoted(group_count(diagram, item), out);
        strbuf_add(out, "\";\n");
        depth++;
    }
    for (; depth > 1; depth--)
        strbuf_add(out, "}\n");
}

/* The box that a wire comes from, whatever groups it is in. */
static const Item *origin(const Wire *wire) {
    while (wire->inner)
        wire = wire->inner;
    return wire->source;
}

/* Edges go from box to box: from where the whole of the wire begins, inwards at each target. */
static void add_edges(const Item *from, const Wire *wire, StrBuf *out) {
    for (size_t t = 0; t < wire->targets.count; t++) {
        const WireTarget *target = &wire->targets.data[t];
        if (target->inner) {
            add_edges(from, target->inner, out);
            continue;
        }
        strbuf_format(out, "n%zu -> n%zu [label=\"", from->index, target->item->index);
        type_print(&wire->value->type, out);
        strbuf_add(out, "\"];\n");
    }
}

void drawing_dot(const Graph *graph, const GraphCount *count, const DrawingOptions *options,
                 StrBuf *out) {
    Arena arena = {0};
    Diagram diagram = diagram_make(&arena, graph, count, options->depth);
    strbuf_format(out,
                  "digraph \"%s\" {\nlabelloc=t;\nlabel=\"%s\\n%s\";\n"
                  "node [shape=box, style=filled, fontname=\"sans-serif\", fontsize=11];\n"
                  "edge [fontname=\"sans-serif\", fontsize=9];\n"
                  "graph [fontname=\"sans-serif\", fontsize=11, style=rounded];\n",
                  graph->name, graph->name, totals_text(&diagram));
    add_items(&diagram, out);
    for (size_t i = 0; i < diagram.items.count; i++)
        for (size_t w = 0; w < diagram.items.data[i]->wires.count; w++) {
            const Wire *wire = diagram.items.data[i]->wires.data[w];
            if (wire->source)
                add_edges(origin(wire), wire, out);
        }
    strbuf_add(out, "}\n");
    arena_free(&arena);
}
