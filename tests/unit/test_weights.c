/* Random weights, and where a weights file may lie. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "weights/path.h"
#include "weights_fixture.h"

static int begin(void **state) {
    Fixture *fixture = malloc(sizeof *fixture);
    fixture_begin(fixture);
    *state = fixture;
    return 0;
}

static int end(void **state) {
    fixture_end(*state);
    free(*state);
    return 0;
}

/* ---- random weights ------------------------------------------------------------------------- */

static void random_is_reproducible(void **state) {
    Fixture *fixture = *state;
    Graph *first = tiny_graph(fixture);
    Graph *second = tiny_graph(fixture);
    Graph *third = tiny_graph(fixture);
    weights_random(&fixture->arena, first, 1);
    weights_random(&fixture->arena, second, 1);
    weights_random(&fixture->arena, third, 2);
    for (size_t i = 0; i < 4; i++) {
        size_t bytes = (size_t)first->weights.data[i]->elements * sizeof(float);
        assert_memory_equal(first->weights.data[i]->data, second->weights.data[i]->data, bytes);
        assert_memory_not_equal(first->weights.data[i]->data, third->weights.data[i]->data, bytes);
    }
    assert_memory_not_equal(first->weights.data[1]->data, first->weights.data[3]->data, 8);
}

static void moments(const float *numbers, int64_t count, double *mean, double *variance) {
    *mean = 0;
    *variance = 0;
    for (int64_t i = 0; i < count; i++)
        *mean += numbers[i] / (double)count;
    for (int64_t i = 0; i < count; i++)
        *variance += (numbers[i] - *mean) * (numbers[i] - *mean) / (double)count;
}

/* Mean and variance by role, within five standard errors. */
static void random_by_role(void **state) {
    Fixture *fixture = *state;
    const struct {
        WeightRole role;
        double mean;
        double variance;
    } expected[] = {
        {WEIGHT_KERNEL, 0, 2.0 / 50}, {WEIGHT_BIAS, 0, 0.01},         {WEIGHT_SCALE, 1, 0.01},
        {WEIGHT_MEAN, 0, 0.01},       {WEIGHT_VARIANCE, 1, 1.0 / 12},
    };
    enum { COUNT = 20000 };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        Graph *graph = tiny_graph(fixture);
        Node *node = ARENA_NEW(&fixture->arena, Node);
        node->path = "many";
        graph->weights.count = 0;
        Weight *weight =
            tiny_weight(fixture, graph, node, "w", shape_make(1, COUNT), expected[i].role);
        weight->fan_in = 50;
        weights_random(&fixture->arena, graph, 3);
        double mean;
        double variance;
        moments(weight->data, COUNT, &mean, &variance);
        assert_true(fabs(mean - expected[i].mean) < 5 * sqrt(expected[i].variance / COUNT));
        assert_true(fabs(variance / expected[i].variance - 1) < 5 * sqrt(2.0 / COUNT));
        for (int k = 0; k < COUNT; k++)
            assert_true(isfinite(weight->data[k]) &&
                        (expected[i].role != WEIGHT_VARIANCE || weight->data[k] > 0));
    }
}

/* ---- paths ---------------------------------------------------------------------------------- */

static void assert_resolved(Fixture *fixture, const char *source, const char *written,
                            bool allow_outside, const char *expected) {
    const char *path = weights_path_resolve(&fixture->arena, &fixture->diagnostics, SPAN_NONE,
                                            source, written, allow_outside);
    if (expected) {
        assert_non_null(path);
        assert_string_equal(path, expected);
        assert_int_equal(fixture->diagnostics.list.count, 0);
        return;
    }
    assert_null(path);
    assert_int_equal(fixture->diagnostics.list.count, 1);
    const Diagnostic *d = fixture->diagnostics.list.data[0];
    assert_string_equal(diag_code_name(d->code), "E0410");
    assert_non_null(strstr(d->fixes.data[0].message, "--allow-weights-outside"));
    fixture->diagnostics.list.count = 0;
}

static void paths(void **state) {
    Fixture *fixture = *state;
    assert_resolved(fixture, "a.net", "w.npz", false, "w.npz");
    assert_resolved(fixture, "nets/a.net", "w.npz", false, "nets/w.npz");
    assert_resolved(fixture, "/nets/a.net", "sub/w.npz", false, "/nets/sub/w.npz");
    assert_resolved(fixture, "/a.net", "w.npz", false, "/w.npz");
    assert_resolved(fixture, "-", "w.npz", false, "w.npz");
    assert_resolved(fixture, "../a.net", "w.npz", false, "../w.npz");
    assert_resolved(fixture, "a.net", "./w..npz", false, "./w..npz");
    assert_resolved(fixture, "a.net", "...", false, "...");
    const char *const outside[] = {"..",     "../w.npz",        "sub/../w.npz",
                                   "sub/..", "sub/../../w.npz", "./../w.npz",
                                   "/w.npz", "//w.npz"};
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        assert_resolved(fixture, "nets/a.net", outside[i], false, NULL);
    assert_resolved(fixture, "nets/a.net", "../w.npz", true, "nets/../w.npz");
    assert_resolved(fixture, "nets/a.net", "/w.npz", true, "/w.npz");
}

static void symbolic_links(void **state) {
    Fixture *fixture = *state;
    char folder[] = "/tmp/netc-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    const char *source = arena_format(&fixture->arena, "%s/a.net", folder);
    const char *sub = arena_format(&fixture->arena, "%s/sub", folder);
    const char *link_of_file = arena_format(&fixture->arena, "%s/link.npz", sub);
    const char *link_of_folder = arena_format(&fixture->arena, "%s/far", folder);
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(symlink("/etc/passwd", link_of_file), 0);
    assert_int_equal(symlink("/etc", link_of_folder), 0);
    assert_resolved(fixture, source, "sub/link.npz", false, NULL);
    assert_resolved(fixture, source, "sub//link.npz", false, NULL);
    assert_resolved(fixture, source, "far/w.npz", false, NULL);
    assert_resolved(fixture, source, "far", false, NULL);
    assert_resolved(fixture, source, "sub/w.npz", false,
                    arena_format(&fixture->arena, "%s/w.npz", sub));
    assert_resolved(fixture, source, "sub/link.npz", true, link_of_file);
    assert_int_equal(unlink(link_of_file), 0);
    assert_int_equal(unlink(link_of_folder), 0);
    assert_int_equal(rmdir(sub), 0);
    assert_int_equal(rmdir(folder), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(random_is_reproducible),
        TEST(random_by_role),
        TEST(paths),
        TEST(symbolic_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
