/* The layered layout: what it must do with small graphs, and what must hold for any. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "output/drawing_layered.h"
#include "output/drawing_text.h"
#include "support/random.h"

#define MAX_VERTICES 64
#define WIDTH        100.0
#define HEIGHT       40.0

/* A graph in which every vertex has one wire. */
typedef struct Picture {
    Arena arena;
    LayeredVertex vertices[MAX_VERTICES];
    LayeredWire wires[MAX_VERTICES];
    LayeredTarget targets[MAX_VERTICES][MAX_VERTICES];
    Layered layered;
} Picture;

static Picture *begin(size_t vertices) {
    Picture *picture = calloc(1, sizeof *picture);
    for (size_t v = 0; v < vertices; v++) {
        picture->vertices[v] = (LayeredVertex){.width = WIDTH, .height = HEIGHT};
        picture->wires[v] = (LayeredWire){.source = v, .targets = picture->targets[v]};
    }
    picture->layered = (Layered){.arena = &picture->arena,
                                 .vertices = picture->vertices,
                                 .vertex_count = vertices,
                                 .wires = picture->wires,
                                 .wire_count = vertices};
    return picture;
}

static void end(Picture *picture) {
    arena_free(&picture->arena);
    free(picture);
}

static LayeredTarget *join(Picture *picture, size_t from, size_t to) {
    LayeredWire *wire = &picture->wires[from];
    wire->targets[wire->target_count].vertex = to;
    return &wire->targets[wire->target_count++];
}

/* The same pixel: main lines give way to others by a tiny fraction of one. */
static bool same(double a, double b) {
    return a - b < 0.1 && b - a < 0.1;
}

/* One under the other, each in a rank of its own. */
static void test_chain(void **state) {
    (void)state;
    Picture *p = begin(5);
    for (size_t v = 0; v + 1 < 5; v++)
        join(p, v, v + 1);
    layered_place(&p->layered);
    for (size_t v = 0; v < 5; v++) {
        assert_int_equal(p->vertices[v].rank, v);
        assert_true(p->vertices[v].x == WIDTH / 2);
        assert_true(v == 0 || p->vertices[v].y > p->vertices[v - 1].y + HEIGHT);
    }
    assert_true(p->layered.width == WIDTH);
    assert_true(p->layered.height == p->vertices[4].y + HEIGHT);
    end(p);
}

/* The chain stays straight, and the wire round it is one straight line clear of all boxes. */
static void test_residual(void **state) {
    (void)state;
    Picture *p = begin(6);
    for (size_t v = 0; v + 1 < 6; v++)
        join(p, v, v + 1);
    const LayeredTarget *skip = join(p, 1, 5);
    p->vertices[3].width = 2 * WIDTH; /* pushes the wire out further than 2 and 4 do */
    layered_place(&p->layered);
    for (size_t v = 1; v < 6; v++)
        assert_true(same(p->vertices[v].x, p->vertices[0].x));
    const LayeredWire *wire = &p->wires[1];
    assert_int_equal(wire->waypoint_count, 4); /* at the source, and past 2, 3 and 4 */
    assert_int_equal(skip->branch, 3);
    for (size_t i = 1; i < 4; i++) {
        assert_true(wire->waypoints[i].x == wire->waypoints[1].x);
        assert_true(wire->waypoints[i].x < p->vertices[3].x - WIDTH ||
                    wire->waypoints[i].x > p->vertices[3].x + WIDTH);
    }
    assert_true(skip->arrival.x == p->vertices[5].x);
    assert_true(skip->arrival.bottom == p->vertices[5].y);
    end(p);
}

/* Where two branches of unequal length part and meet, the longer one goes straight on. */
static void test_main_branch(void **state) {
    (void)state;
    Picture *p = begin(5);
    join(p, 0, 1);
    join(p, 1, 2);
    join(p, 2, 4);
    join(p, 0, 3);
    join(p, 3, 4);
    layered_place(&p->layered);
    for (size_t v = 1; v < 5; v++)
        assert_true(same(p->vertices[v].x, p->vertices[0].x) == (v != 3));
    assert_int_equal(p->vertices[3].rank, 1);
    end(p);
}

/* Equal branches stand on both sides of what they come from. */
static void test_symmetry(void **state) {
    (void)state;
    Picture *p = begin(5);
    for (size_t v = 1; v < 4; v++) {
        join(p, 0, v);
        join(p, v, 4);
    }
    layered_place(&p->layered);
    assert_true(same(p->vertices[2].x, p->vertices[0].x));
    assert_true(same(p->vertices[4].x, p->vertices[0].x));
    assert_true(same(p->vertices[1].x + p->vertices[3].x, 2 * p->vertices[0].x));
    end(p);
}

/* 0 -> 5, 1 -> 4, 2 -> 3: crossed as they are numbered, not as they are drawn. */
static void test_uncrossed(void **state) {
    (void)state;
    Picture *p = begin(6);
    join(p, 0, 5);
    join(p, 1, 4);
    join(p, 2, 3);
    layered_place(&p->layered);
    for (size_t v = 0; v < 3; v++)
        assert_true(p->vertices[v].x == p->vertices[5 - v].x);
    end(p);
}

/* Pins have the first and the last rank to themselves, whatever the wires are. */
static void test_pins(void **state) {
    (void)state;
    Picture *p = begin(6);
    p->vertices[0].pin = PIN_FIRST;
    p->vertices[4].pin = PIN_LAST;
    p->vertices[5].pin = PIN_LAST;
    join(p, 0, 1);
    join(p, 1, 2);
    join(p, 2, 5);
    join(p, 0, 4);
    layered_place(&p->layered);
    const size_t expected[] = {0, 1, 2, 1, 3, 3};
    for (size_t v = 0; v < 6; v++)
        assert_int_equal(p->vertices[v].rank, expected[v]);
    end(p);
}

/* What nothing leads to stands just above what needs it. */
static void test_late_source(void **state) {
    (void)state;
    Picture *p = begin(5);
    join(p, 0, 2);
    join(p, 2, 3);
    join(p, 3, 4);
    join(p, 1, 4);
    layered_place(&p->layered);
    assert_int_equal(p->vertices[1].rank, 2);
    end(p);
}

/* A wire past more ranks than get waypoints runs in a lane at the right, one with the next that
 * begins where it ends. */
static void test_lanes(void **state) {
    (void)state;
    Picture *p = begin(MAX_VERTICES);
    for (size_t v = 0; v + 1 < MAX_VERTICES; v++)
        join(p, v, v + 1);
    const size_t span = LAYERED_MAX_SPAN + 2;
    const LayeredTarget *first = join(p, 0, span);
    join(p, 1, 1 + span);
    join(p, span, 2 * span);
    layered_place(&p->layered);
    double lane[3];
    const size_t sources[] = {0, 1, span};
    for (size_t i = 0; i < 3; i++) {
        const LayeredWire *wire = &p->wires[sources[i]];
        assert_int_equal(wire->waypoint_count, 2);
        lane[i] = wire->waypoints[1].x;
        assert_true(lane[i] > p->vertices[0].x + WIDTH / 2 && lane[i] <= p->layered.width);
    }
    assert_true(lane[0] != lane[1] && lane[0] == lane[2]);
    assert_true(first->leave_y < p->vertices[span].y && first->leave_y > p->vertices[span - 1].y);
    end(p);
}

/* ---- any graph ------------------------------------------------------------------------------ */

static void random_graph(Picture *p, Random *random) {
    for (size_t v = 0; v < p->layered.vertex_count; v++) {
        p->vertices[v].width = 20 + 2 * (double)(random_bits(random) % 100);
        p->vertices[v].height = (double)(random_bits(random) % 80);
        for (size_t to = v + 1; to < p->layered.vertex_count; to++)
            if (random_bits(random) % (2 + (to - v) * (to - v)) == 0)
                join(p, v, to)->offset = (double)(random_bits(random) % 9);
    }
}

static void check_vertices(const Picture *p) {
    const Layered *layered = &p->layered;
    for (size_t v = 0; v < layered->vertex_count; v++) {
        const LayeredVertex *a = &p->vertices[v];
        assert_true(a->x - a->width / 2 > -0.01 && a->x + a->width / 2 < layered->width + 0.01);
        assert_true(a->y >= 0 && a->y + a->height <= layered->height);
        for (size_t w = 0; w < v; w++) {
            const LayeredVertex *b = &p->vertices[w];
            double distance = a->x > b->x ? a->x - b->x : b->x - a->x;
            if (a->rank == b->rank)
                assert_true(distance > (a->width + b->width) / 2 + 20);
            else
                assert_true(a->rank < b->rank ? a->y + a->height < b->y : b->y + b->height < a->y);
        }
    }
}

/* Every piece of a wire goes down, starts where the last one ended, and is clear of all boxes. */
static void check_wire(const Picture *p, const LayeredWire *wire) {
    for (size_t i = 1; i < wire->waypoint_count; i++) {
        const LayeredWaypoint *point = &wire->waypoints[i];
        assert_true(wire->waypoints[i - 1].bottom < point->bottom && point->top <= point->bottom);
        for (size_t v = 0; v < p->layered.vertex_count; v++) {
            const LayeredVertex *vertex = &p->vertices[v];
            bool beside = vertex->y <= point->bottom && vertex->y + vertex->height >= point->top;
            double distance = point->x > vertex->x ? point->x - vertex->x : vertex->x - point->x;
            if (beside)
                assert_true(distance > vertex->width / 2 + 5);
        }
    }
    for (size_t t = 0; t < wire->target_count; t++) {
        const LayeredTarget *target = &wire->targets[t];
        const LayeredVertex *vertex = &p->vertices[target->vertex];
        assert_true(p->vertices[wire->source].rank < vertex->rank);
        assert_true(target->branch < wire->waypoint_count);
        assert_true(target->leave_y < target->arrival.top);
        assert_true(target->arrival.x == vertex->x + target->offset);
        assert_true(target->arrival.bottom == vertex->y);
    }
}

static void test_any(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        Picture *pictures[2];
        for (size_t i = 0; i < 2; i++) {
            Random random = random_start(seed);
            pictures[i] = begin(1 + seed % MAX_VERTICES);
            random_graph(pictures[i], &random);
            layered_place(&pictures[i]->layered);
        }
        check_vertices(pictures[0]);
        for (size_t w = 0; w < pictures[0]->layered.wire_count; w++)
            check_wire(pictures[0], &pictures[0]->wires[w]);
        assert_memory_equal(pictures[0]->vertices, pictures[1]->vertices,
                            sizeof pictures[0]->vertices);
        end(pictures[0]);
        end(pictures[1]);
    }
}

/* Advances of DejaVu Sans at 1000 units an em, which none of our widths may be below. */
static void test_text_width(void **state) {
    (void)state;
    assert_true(text_width("mmmm", 10, false) >= 4 * 9.74);
    assert_true(text_width("WWWW", 10, false) >= 4 * 9.89);
    assert_true(text_width("0123456789", 10, false) >= 10 * 6.36);
    assert_true(text_width("conv(64, 3x3, pad=1)", 10, false) >= 109.4);
    assert_true(text_width("conv(64, 3x3, pad=1)", 10, true) >= 120.9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),       cmocka_unit_test(test_residual),
        cmocka_unit_test(test_main_branch), cmocka_unit_test(test_symmetry),
        cmocka_unit_test(test_uncrossed),   cmocka_unit_test(test_pins),
        cmocka_unit_test(test_late_source), cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_any),         cmocka_unit_test(test_text_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
