/* The drawing as SVG: frames of groups, then wires, then boxes, then the shapes beside the wires.
 *
 * Colours are classes, so that a viewer which prefers dark gets dark ones. Every length is a whole
 * number: lines are sharp, and the same everywhere. */
#include <inttypes.h>
#include <math.h>

#include "output/drawing.h"
#include "output/drawing_colours.h"
#include "output/drawing_layout.h"
#include "output/drawing_text.h"

#define MARGIN        24.0
#define HEADER_HEIGHT 58.0 /* title and totals */
#define NAME_SIZE     18.0
#define CORNER        6
#define ARROW_HEIGHT  6.0

static const char light_style[] =
    "text{font-family:sans-serif;font-size:10px;fill:#57606a}\n"
    ".page{fill:#fff}\n"
    ".name{font-size:18px;font-weight:bold;fill:#1f2328}\n"
    ".title{font-size:12px;font-weight:bold;fill:#1f2328}\n"
    ".strip{fill:#1f2328}\n"
    ".shape{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}\n"
    ".group{fill:#818b98;fill-opacity:.07;stroke:#818b98;stroke-opacity:.6}\n"
    ".grouptitle{font-weight:bold}\n"
    ".wire{fill:none;stroke:#818b98;stroke-width:1.5}\n"
    ".arrow{fill:#818b98}\n"
    ".outline{fill:none;stroke:#59636e;stroke-opacity:.6}\n"
    ".tensor{fill:#fff}\n"
    ".collapsed{fill:#eaeef2}\n";
static const char dark_style[] = "text{fill:#9aa4af}\n"
                                 ".page,.tensor{fill:#0d1117}\n"
                                 ".name,.title,.strip{fill:#f0f3f6}\n"
                                 ".shape{stroke:#0d1117}\n"
                                 ".outline{stroke:#9aa4af}\n"
                                 ".collapsed{fill:#2a313a}\n";

/* Each family once: the table of layers keeps families together. */
static void add_family_style(bool dark, StrBuf *out) {
    size_t count;
    const LayerInfo *const *table = layer_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && table[i]->family == table[i - 1]->family)
            continue;
        FamilyColour colour = family_colour(table[i]->family);
        strbuf_format(out, ".%s{fill:%s}\n", colour.class, dark ? colour.dark : colour.light);
    }
}

static void add_style(StrBuf *out) {
    strbuf_add(out, "<style>\n");
    strbuf_add(out, light_style);
    add_family_style(false, out);
    strbuf_add(out, "@media(prefers-color-scheme:dark){\n");
    strbuf_add(out, dark_style);
    add_family_style(true, out);
    strbuf_add(out, "}\n</style>\n");
}

/* ---- elements ------------------------------------------------------------------------------- */

static void add_escaped(const char *text, StrBuf *out) {
    for (; *text; text++)
        switch (*text) {
        case '&': strbuf_add(out, "&amp;"); break;
        case '<': strbuf_add(out, "&lt;"); break;
        case '>': strbuf_add(out, "&gt;"); break;
        case '"': strbuf_add(out, "&quot;"); break;
        default: strbuf_add_char(out, *text);
        }
}

static long whole(double length) {
    return lround(length);
}

static void add_text(double x, double y, const char *class, const char *anchor, const char *text,
                     StrBuf *out) {
    strbuf_format(out, "<text x=\"%ld\" y=\"%ld\"", whole(x), whole(y));
    if (class[0])
        strbuf_format(out, " class=\"%s\"", class);
    if (anchor[0])
        strbuf_format(out, " text-anchor=\"%s\"", anchor);
    strbuf_add_char(out, '>');
    add_escaped(text, out);
    strbuf_add(out, "</text>\n");
}

static void add_rectangle(const Frame *frame, const char *class, int corner, StrBuf *out) {
    strbuf_format(out,
                  "<rect x=\"%ld\" y=\"%ld\" width=\"%ld\" height=\"%ld\" rx=\"%d\" "
                  "class=\"%s\"/>\n",
                  whole(frame->x), whole(frame->y), whole(frame->width), whole(frame->height),
                  corner, class);
}

/* ---- wires ---------------------------------------------------------------------------------- */

/* From the pen's place to another across the gap between two ranks: straight, or an S. */
static void add_crossing(double from_x, double from_y, double x, double y, StrBuf *out) {
    if (whole(from_x) == whole(x)) {
        strbuf_format(out, "V%ld", whole(y));
        return;
    }
    long middle = whole((from_y + y) / 2);
    strbuf_format(out, "C%ld %ld %ld %ld %ld %ld", whole(from_x), middle, whole(x), middle,
                  whole(x), whole(y));
}

/* The way that all targets share, then a branch to each, with an arrow unless it leads on. */
static void add_wire(const Wire *wire, const Route *route, StrBuf *out) {
    const LayeredWire *way = &route->way;
    size_t last = 0; /* waypoint that the last branch leaves from */
    for (size_t t = 0; t < way->target_count; t++)
        last = way->targets[t].branch > last ? way->targets[t].branch : last;
    strbuf_format(out, "<path class=\"wire\" d=\"M%ld %ldV%ld", whole(way->waypoints[0].x),
                  whole(way->waypoints[0].top), whole(way->waypoints[0].bottom));
    for (size_t i = 1; i <= last; i++) {
        const LayeredWaypoint *before = &way->waypoints[i - 1];
        const LayeredWaypoint *point = &way->waypoints[i];
        add_crossing(before->x, before->bottom, point->x, point->top, out);
        strbuf_format(out, "V%ld", whole(point->bottom));
    }
    for (size_t t = 0; t < way->target_count; t++) {
        const LayeredTarget *target = &way->targets[t];
        double x = way->waypoints[target->branch].x;
        strbuf_format(out, "M%ld %ld", whole(x), whole(target->leave_y));
        add_crossing(x, target->leave_y, target->arrival.x, target->arrival.top, out);
        strbuf_format(out, "V%ld", whole(target->arrival.bottom));
    }
    strbuf_add(out, "\"/>\n");
    for (size_t t = 0; t < wire->targets.count; t++)
        if (!wire->targets.data[t].inner)
            strbuf_format(out, "<path class=\"arrow\" d=\"M%ld %ldh8l-4 6z\"/>\n",
                          whole(way->targets[t].arrival.x) - 4,
                          whole(way->targets[t].arrival.bottom - ARROW_HEIGHT));
}

/* ---- boxes ---------------------------------------------------------------------------------- */

/* The area of a strip: the first and the last have the round corners of the box. */
static void add_area(const Frame *area, const char *class, bool first, bool last, StrBuf *out) {
    int top = first ? CORNER : 0;
    int bottom = last ? CORNER : 0;
    long width = whole(area->width);
    strbuf_format(out, "<path class=\"%s\" d=\"M%ld %ldq0 %d %d %dh%ldq%d 0 %d %dv%ld", class,
                  whole(area->x), whole(area->y) + top, -top, top, -top, width - 2 * top, top, top,
                  top, whole(area->height) - top - bottom);
    strbuf_format(out, "q0 %d %d %dh%ldq%d 0 %d %dz\"/>\n", bottom, -bottom, bottom,
                  2 * bottom - width, -bottom, -bottom, -bottom);
}

/* One layer's part of a stack. */
static void add_strip(const Diagram *diagram, const Item *stack, size_t index, Frame *at,
                      StrBuf *out) {
    const Node *node = stack->nodes.data[index];
    const char *detail = node_detail(diagram, stack, node);
    at->height = index > 0 ? STRIP_HEIGHT : detail[0] ? HEAD_HEIGHT + LINE_HEIGHT : HEAD_HEIGHT;
    StrBuf text = {0};
    strbuf_add(out, "<g><title>");
    node_facts(node, &text);
    add_escaped(strbuf_text(&text), out);
    strbuf_add(out, "</title>\n");
    add_area(at, family_colour(node->layer->family).class, index == 0,
             index + 1 == stack->nodes.count, out);
    strbuf_free(&text);
    graph_print_call(node, &text);
    if (index > 0) {
        double y = at->y + STRIP_HEIGHT - 5;
        add_text(at->x + BOX_PADDING, y, "strip", "", strbuf_text(&text), out);
        if (detail[0])
            add_text(at->x + at->width - BOX_PADDING, y, "", "end", detail, out);
    } else if (stack->nodes.count == 1 && !detail[0]) {
        add_text(at->x + at->width / 2, at->y + 15, "title", "middle", strbuf_text(&text), out);
    } else {
        add_text(at->x + BOX_PADDING, at->y + 15, "title", "", strbuf_text(&text), out);
        if (detail[0])
            add_text(at->x + BOX_PADDING, at->y + HEAD_HEIGHT + 7, "", "", detail, out);
    }
    strbuf_add(out, "</g>\n");
    strbuf_free(&text);
    at->y += at->height;
}

static void add_stack(const Diagram *diagram, const Item *stack, const Frame *frame, StrBuf *out) {
    Frame at = *frame;
    for (size_t i = 0; i < stack->nodes.count; i++)
        add_strip(diagram, stack, i, &at, out);
    add_rectangle(frame, "outline", CORNER, out);
}

static void add_collapsed(const Diagram *diagram, const Item *group, const Frame *frame,
                          StrBuf *out) {
    add_rectangle(frame, "collapsed", CORNER, out);
    add_rectangle(frame, "outline", CORNER, out);
    add_text(frame->x + BOX_PADDING, frame->y + 15, "title", "", item_title(diagram, group), out);
    add_text(frame->x + BOX_PADDING, frame->y + HEAD_HEIGHT + 7, "", "",
             collapsed_detail(diagram, group), out);
}

static void add_tensor(const Diagram *diagram, const Item *item, const Frame *frame, StrBuf *out) {
    add_rectangle(frame, "tensor", (int)frame->height / 2, out);
    add_rectangle(frame, "outline", (int)frame->height / 2, out);
    add_text(frame->x + frame->width / 2, frame->y + 15, "title", "middle",
             item_title(diagram, item), out);
}

static void add_box(const Diagram *diagram, const Item *item, const Frame *frame, StrBuf *out) {
    switch (item->kind) {
    case ITEM_INPUT:
    case ITEM_OUTPUT: add_tensor(diagram, item, frame, out); break;
    case ITEM_STACK: add_stack(diagram, item, frame, out); break;
    case ITEM_COLLAPSED: add_collapsed(diagram, item, frame, out); break;
    case ITEM_GROUP: break; /* a frame, drawn before the wires */
    }
}

/* By Item.index the value whose shape is written below a box: the only one that leaves it, or the
 * first of several if they have one shape; NULL where they have not. */
static const Value **written_values(const Diagram *diagram) {
    size_t count = diagram->items.count;
    const Value **values = ARENA_ARRAY(diagram->arena, count, const Value *);
    bool *differ = ARENA_ARRAY(diagram->arena, count, bool);
    for (size_t i = 0; i < count; i++)
        for (size_t w = 0; w < diagram->items.data[i]->wires.count; w++) {
            const Wire *wire = diagram->items.data[i]->wires.data[w];
            if (!wire->source || wire->inner)
                continue;
            const Value **value = &values[wire->source->index];
            if (!*value)
                *value = wire->value;
            else if (!shape_equal(&(*value)->type.shape, &wire->value->type.shape))
                differ[wire->source->index] = true;
        }
    for (size_t i = 0; i < count; i++)
        if (differ[i])
            values[i] = NULL;
    return values;
}

/* A shape stands right of where the value leaves the box. */
static void add_shapes(const Diagram *diagram, const Layout *layout, StrBuf *out) {
    const Value **written = written_values(diagram);
    for (size_t i = 0; i < diagram->items.count; i++)
        for (size_t w = 0; w < diagram->items.data[i]->wires.count; w++) {
            const Wire *wire = diagram->items.data[i]->wires.data[w];
            if (!wire->source || wire->inner || written[wire->source->index] != wire->value)
                continue;
            const LayeredWaypoint *end = &layout->routes[wire->index].way.waypoints[0];
            add_text(end->x + 6, end->top + 13, "shape", "",
                     type_text(diagram->arena, &wire->value->type), out);
        }
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void add_groups(const Diagram *diagram, const Layout *layout, StrBuf *out) {
    for (size_t i = 1; i < diagram->items.count; i++) { /* 0 is the network */
        const Item *item = diagram->items.data[i];
        if (item->kind != ITEM_GROUP)
            continue;
        const Frame *frame = &layout->frames[i];
        add_rectangle(frame, "group", CORNER, out);
        add_text(frame->x + BOX_PADDING, frame->y + 14, "grouptitle", "", group_name(diagram, item),
                 out);
        add_text(frame->x + frame->width - BOX_PADDING, frame->y + 14, "", "end",
                 group_count(diagram, item), out);
    }
}

static void add_wires(const Diagram *diagram, const Layout *layout, StrBuf *out) {
    for (size_t i = 0; i < diagram->items.count; i++)
        for (size_t w = 0; w < diagram->items.data[i]->wires.count; w++) {
            const Wire *wire = diagram->items.data[i]->wires.data[w];
            add_wire(wire, &layout->routes[wire->index], out);
        }
}

void drawing_svg(const Graph *graph, const GraphCount *count, const DrawingOptions *options,
                 StrBuf *out) {
    Arena arena = {0};
    Diagram diagram = diagram_make(&arena, graph, count, options->depth);
    Layout layout = layout_make(&diagram);
    const char *totals = totals_text(&diagram);
    const Frame *root = &layout.frames[0];
    double inside = fmax(root->width, fmax(text_width(graph->name, NAME_SIZE, true),
                                           text_width(totals, DETAIL_SIZE, false)));
    Frame page = {0, 0, inside + 2 * MARGIN, root->height + HEADER_HEIGHT + 2 * MARGIN};
    strbuf_format(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%ld\" height=\"%ld\" "
                  "viewBox=\"0 0 %ld %ld\">\n<title>%s</title>\n",
                  whole(page.width), whole(page.height), whole(page.width), whole(page.height),
                  graph->name);
    add_style(out);
    add_rectangle(&page, "page", 0, out);
    add_text(MARGIN, MARGIN + 16, "name", "", graph->name, out);
    add_text(MARGIN, MARGIN + 34, "", "", totals, out);
    strbuf_format(out, "<g transform=\"translate(%ld %ld)\">\n",
                  whole(MARGIN + (inside - root->width) / 2), whole(MARGIN + HEADER_HEIGHT));
    add_groups(&diagram, &layout, out);
    add_wires(&diagram, &layout, out);
    for (size_t i = 0; i < diagram.items.count; i++)
        add_box(&diagram, diagram.items.data[i], &layout.frames[i], out);
    add_shapes(&diagram, &layout, out);
    strbuf_add(out, "</g>\n</svg>\n");
    arena_free(&arena);
}
