/* Sizes of boxes and places of everything: see drawing_layout.h. */
#include "output/drawing_layout.h"

#include <math.h>
#include <stdlib.h>

#include "output/drawing_text.h"

#define MIN_WIDTH     70.0
#define GROUP_PADDING 12.0
#define TITLE_HEIGHT  22.0 /* of a group, where no wire enters it */

/* ---- boxes ---------------------------------------------------------------------------------- */

/* A stack's first layer has its detail in a second line, the others have it at the right. */
static Frame stack_frame(const Diagram *diagram, const Item *stack) {
    Frame frame = {.width = text_width(item_title(diagram, stack), TITLE_SIZE, true),
                   .height = HEAD_HEIGHT};
    const char *detail = node_detail(diagram, stack, stack->nodes.data[0]);
    if (detail[0])
        frame.height += LINE_HEIGHT;
    frame.width = fmax(frame.width, text_width(detail, DETAIL_SIZE, false));
    for (size_t i = 1; i < stack->nodes.count; i++) {
        StrBuf call = {0};
        graph_print_call(stack->nodes.data[i], &call);
        detail = node_detail(diagram, stack, stack->nodes.data[i]);
        double gap = detail[0] ? 2 * BOX_PADDING : 0;
        frame.width = fmax(frame.width, text_width(strbuf_text(&call), DETAIL_SIZE, false) + gap +
                                            text_width(detail, DETAIL_SIZE, false));
        frame.height += STRIP_HEIGHT;
        strbuf_free(&call);
    }
    return frame;
}

/* The shape of the result is written at the wire that leaves the middle: room for it is half of
 * the width. */
static double shape_room(const Diagram *diagram, const Value *value) {
    const char *text = type_text(diagram->arena, &value->type);
    return 2 * text_width(text, DETAIL_SIZE, false);
}

static Frame box_frame(const Diagram *diagram, const Item *item) {
    Frame frame = {.width = text_width(item_title(diagram, item), TITLE_SIZE, true),
                   .height = HEAD_HEIGHT};
    if (item->kind == ITEM_STACK)
        frame = stack_frame(diagram, item);
    if (item->kind == ITEM_COLLAPSED) {
        frame.width =
            fmax(frame.width, text_width(collapsed_detail(diagram, item), DETAIL_SIZE, false));
        frame.height += LINE_HEIGHT;
    }
    double room = item->value ? shape_room(diagram, item->value) : 0;
    if (item->nodes.count > 0)
        room = shape_room(diagram, item->nodes.data[item->nodes.count - 1]->outputs[0]);
    frame.width = ceil(fmax(frame.width + 2 * BOX_PADDING, fmax(room, MIN_WIDTH)) / 2) * 2;
    return frame;
}

/* ---- groups --------------------------------------------------------------------------------- */

/* One group while it is laid out: pins where wires enter, the items, pins where they leave. */
typedef struct GroupLayout {
    const Diagram *diagram;
    const Item *group;
    Layout *layout;
    size_t *vertex_of; /* by Item.index: its vertex in the layout of its group */
    size_t *starts;    /* by Item.index: wires that start at it so far, of a box */
    Layered layered;
} GroupLayout;

/* Vertices in their order, and the number of each in `entry` and `exit` by the group's wires. */
static void add_vertices(GroupLayout *g, size_t *entry, size_t *exit) {
    const Item *group = g->group;
    Layered *layered = &g->layered;
    layered->vertices =
        ARENA_ARRAY(layered->arena, group->children.count + 2 * group->wires.count, LayeredVertex);
    for (size_t w = 0; w < group->wires.count; w++)
        if (!group->wires.data[w]->source) {
            entry[w] = layered->vertex_count;
            layered->vertices[layered->vertex_count++] = (LayeredVertex){.pin = PIN_FIRST};
        }
    for (size_t i = 0; i < group->children.count; i++) {
        const Frame *frame = &g->layout->frames[group->children.data[i]->index];
        g->vertex_of[group->children.data[i]->index] = layered->vertex_count;
        layered->vertices[layered->vertex_count++] =
            (LayeredVertex){.width = frame->width, .height = frame->height};
    }
    for (size_t w = 0; w < group->wires.count; w++)
        if (group->wires.data[w]->leaves) {
            exit[w] = layered->vertex_count;
            layered->vertices[layered->vertex_count++] = (LayeredVertex){.pin = PIN_LAST};
        }
}

/* Where a wire leaves an item, from its middle: at the place where the way in a group ends; several
 * results of one box side by side. */
static double source_offset(GroupLayout *g, const Wire *wire) {
    const Frame *frame = &g->layout->frames[wire->source->index];
    if (wire->inner)
        return g->layout->routes[wire->inner->index].exit - frame->width / 2;
    size_t nth = g->starts[wire->source->index]++;
    double step = frame->width / 6;
    return nth == 0 ? 0 : step * (nth % 2 == 1 ? 1 : -1) * (double)((nth - 1) % 4 / 2 + 1);
}

static double target_offset(const GroupLayout *g, const WireTarget *target) {
    return target->inner ? g->layout->routes[target->inner->index].entry -
                               g->layout->frames[target->item->index].width / 2
                         : 0;
}

static LayeredWire make_wire(GroupLayout *g, const Wire *wire, size_t entry, size_t exit) {
    size_t count = wire->targets.count + wire->leaves;
    LayeredWire way = {.target_count = count};
    way.targets = ARENA_ARRAY(g->layered.arena, count, LayeredTarget);
    way.source = wire->source ? g->vertex_of[wire->source->index] : entry;
    way.offset = wire->source ? source_offset(g, wire) : 0;
    for (size_t t = 0; t < wire->targets.count; t++)
        way.targets[t] = (LayeredTarget){.vertex = g->vertex_of[wire->targets.data[t].item->index],
                                         .offset = target_offset(g, &wire->targets.data[t])};
    if (wire->leaves)
        way.targets[count - 1] = (LayeredTarget){.vertex = exit};
    return way;
}

/* Adds the wires in the order of their sources; `order` gets the group's number of each. */
static void add_wires(GroupLayout *g, const size_t *entry, const size_t *exit, size_t *order) {
    const Item *group = g->group;
    Layered *layered = &g->layered;
    LayeredWire *ways = ARENA_ARRAY(layered->arena, group->wires.count, LayeredWire);
    size_t *next = ARENA_ARRAY(layered->arena, layered->vertex_count + 1, size_t);
    for (size_t w = 0; w < group->wires.count; w++) {
        ways[w] = make_wire(g, group->wires.data[w], entry[w], exit[w]);
        next[ways[w].source + 1]++;
    }
    for (size_t v = 0; v < layered->vertex_count; v++)
        next[v + 1] += next[v];
    for (size_t w = 0; w < group->wires.count; w++)
        order[next[ways[w].source]++] = w;
    layered->wire_count = group->wires.count;
    layered->wires = ARENA_ARRAY(layered->arena, group->wires.count, LayeredWire);
    for (size_t i = 0; i < group->wires.count; i++)
        layered->wires[i] = ways[order[i]];
}

/* ---- from the group to the picture ---------------------------------------------------------- */

static void route_move(Route *route, double x, double y) {
    for (size_t i = 0; i < route->way.waypoint_count; i++) {
        route->way.waypoints[i].x += x;
        route->way.waypoints[i].top += y;
        route->way.waypoints[i].bottom += y;
    }
    for (size_t i = 0; i < route->way.target_count; i++) {
        LayeredTarget *target = &route->way.targets[i];
        target->leave_y += y;
        target->arrival.x += x;
        target->arrival.top += y;
        target->arrival.bottom += y;
    }
}

/* Space at the sides of a group's items: GROUP_PADDING, or more if its name at the left, or its
 * count at the right, would otherwise reach the wires that enter between them. */
typedef struct Sides {
    double left;
    double right;
} Sides;

static Sides side_padding(const GroupLayout *g) {
    const Layered *layered = &g->layered;
    double name = text_width(group_name(g->diagram, g->group), DETAIL_SIZE, true);
    double count = text_width(group_count(g->diagram, g->group), DETAIL_SIZE, false);
    double first = layered->width;
    double last = 0;
    for (size_t v = 0; v < layered->vertex_count; v++)
        if (layered->vertices[v].pin == PIN_FIRST) {
            first = fmin(first, layered->vertices[v].x);
            last = fmax(last, layered->vertices[v].x);
        }
    if (last == 0) /* no wire enters: they share the width */
        first = last = fmax(layered->width / 2, fmin(name, layered->width));
    return (Sides){ceil(fmax(GROUP_PADDING, name + 2 * BOX_PADDING - first)),
                   ceil(fmax(GROUP_PADDING, count + 2 * BOX_PADDING - (layered->width - last)))};
}

/* The frame of the group, and places in it of what it holds. */
static void take_places(GroupLayout *g, const size_t *entry, const size_t *exit,
                        const size_t *order) {
    const Item *group = g->group;
    const Layered *layered = &g->layered;
    bool root = group->parent == NULL;
    bool enters = layered->vertices[0].pin == PIN_FIRST;
    bool leaves = layered->vertices[layered->vertex_count - 1].pin == PIN_LAST;
    Sides sides = root ? (Sides){0} : side_padding(g);
    double left = sides.left;
    double top = root || enters ? 0 : TITLE_HEIGHT;
    double bottom = root || leaves ? 0 : GROUP_PADDING;
    Frame *frame = &g->layout->frames[group->index];
    frame->width = ceil((left + layered->width + sides.right) / 2) * 2;
    frame->height = ceil(top + layered->height + bottom);
    for (size_t i = 0; i < group->children.count; i++) {
        const Item *child = group->children.data[i];
        const LayeredVertex *vertex = &layered->vertices[g->vertex_of[child->index]];
        g->layout->frames[child->index].x = left + vertex->x - vertex->width / 2;
        g->layout->frames[child->index].y = top + vertex->y;
    }
    for (size_t i = 0; i < group->wires.count; i++) {
        const Wire *wire = group->wires.data[order[i]];
        Route *route = &g->layout->routes[wire->index];
        route->way = layered->wires[i];
        route_move(route, left, top);
        route->entry = wire->source ? 0 : left + layered->vertices[entry[order[i]]].x;
        route->exit = wire->leaves ? left + layered->vertices[exit[order[i]]].x : 0;
    }
}

static void layout_group(GroupLayout *g) {
    Arena *arena = g->diagram->arena;
    g->layered = (Layered){.arena = arena};
    size_t *entry = ARENA_ARRAY(arena, g->group->wires.count, size_t);
    size_t *exit = ARENA_ARRAY(arena, g->group->wires.count, size_t);
    size_t *order = ARENA_ARRAY(arena, g->group->wires.count, size_t);
    add_vertices(g, entry, exit);
    add_wires(g, entry, exit, order);
    layered_place(&g->layered);
    take_places(g, entry, exit, order);
}

/* Items stand after their group: backwards, a group comes after what it holds. */
Layout layout_make(const Diagram *diagram) {
    size_t items = diagram->items.count;
    Layout layout = {ARENA_ARRAY(diagram->arena, items, Frame),
                     ARENA_ARRAY(diagram->arena, diagram->wire_count, Route)};
    GroupLayout g = {.diagram = diagram,
                     .layout = &layout,
                     .vertex_of = ARENA_ARRAY(diagram->arena, items, size_t),
                     .starts = ARENA_ARRAY(diagram->arena, items, size_t)};
    for (size_t i = items; i-- > 0;) {
        g.group = diagram->items.data[i];
        if (g.group->kind == ITEM_GROUP)
            layout_group(&g);
        else
            layout.frames[i] = box_frame(diagram, g.group);
    }
    for (size_t i = 0; i < items; i++) {
        const Item *item = diagram->items.data[i];
        Frame *frame = &layout.frames[i];
        if (item->parent) {
            frame->x += layout.frames[item->parent->index].x;
            frame->y += layout.frames[item->parent->index].y;
        }
        for (size_t w = 0; w < item->wires.count; w++)
            route_move(&layout.routes[item->wires.data[w]->index], frame->x, frame->y);
    }
    return layout;
}
