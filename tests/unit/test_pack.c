/* Packing recipes against one float at a time, bit for bit. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "plan/strassen.h"
#include "plan_network.h"

static double scale_at(const PackRecipe *recipe, int64_t channel) {
    double scale = 1;
    for (int i = 0; i < recipe->affine_count; i++) {
        const Affine *a = &recipe->affines[i];
        double one = a->gamma ? a->gamma->data[channel] : 1;
        scale *= a->variance ? one / sqrt(a->variance->data[channel] + a->epsilon) : one;
    }
    return scale;
}

static double shift_at(const PackRecipe *recipe, int64_t channel) {
    double x = recipe->source ? recipe->source->data[channel] : 0;
    for (int i = 0; i < recipe->affine_count; i++) {
        const Affine *a = &recipe->affines[i];
        double one = a->gamma ? a->gamma->data[channel] : 1;
        if (a->variance)
            one = one / sqrt(a->variance->data[channel] + a->epsilon);
        x = (x - (a->mean ? a->mean->data[channel] : 0)) * one +
            (a->beta ? a->beta->data[channel] : 0);
    }
    return x;
}

/* (G g G') of the kernel at `kernel`, at a position of the tile. */
static double transformed(const Winograd *winograd, const float *kernel, int64_t position) {
    const double *row = winograd->weight[position / winograd->size];
    const double *column = winograd->weight[position % winograd->size];
    double sum = 0;
    for (int i = 0; i < winograd->taps; i++) {
        double line = 0;
        for (int j = 0; j < winograd->taps; j++)
            line += column[j] * (double)kernel[i * winograd->taps + j];
        sum += row[i] * line;
    }
    return sum;
}

/* Sum of the four quarters' numbers for a product of Strassen's method, `at` in the first. */
static double combined(const PackRecipe *recipe, int64_t at, int64_t channel, int64_t product) {
    int64_t filters = recipe->axes[0].extent / 2, channels = recipe->axes[1].extent / 2;
    double sum = 0;
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            double sign = strassen_weights[product][i][k];
            const float *quarter = recipe->source->data + i * filters * recipe->axes[0].stride +
                                   k * channels * recipe->axes[1].stride;
            sum += sign * (double)quarter[at] * scale_at(recipe, channel + i * filters);
        }
    return sum;
}

/* Float number `position` of a recipe, by the definition in plan.h. */
static float packed_float(const PackRecipe *recipe, int64_t position) {
    int64_t index[PACK_MAX_AXES];
    for (int axis = 0; axis < recipe->axis_count; axis++)
        index[axis] = recipe->axes[axis].base;
    for (int i = recipe->loop_count - 1; i >= 0; i--) {
        const PackLoop *loop = &recipe->loops[i];
        index[loop->axis] += position % loop->count * loop->step;
        position /= loop->count;
    }
    int64_t at = 0;
    for (int axis = 0; axis < recipe->axis_count; axis++) {
        if (index[axis] >= recipe->axes[axis].extent)
            return 0;
        at += index[axis] * recipe->axes[axis].stride;
    }
    int64_t channel = index[recipe->channel_axis];
    switch (recipe->kind) {
    case PACK_TENSOR:
        if (recipe->affine_count == 0)
            return recipe->source->data[at];
        return (float)(recipe->source->data[at] * scale_at(recipe, channel));
    case PACK_WINOGRAD:
        return (float)(transformed(recipe->winograd, recipe->source->data + at, index[2]) *
                       scale_at(recipe, channel));
    case PACK_STRASSEN: return (float)combined(recipe, at, channel, index[2]);
    case PACK_SCALE: return (float)scale_at(recipe, channel);
    case PACK_SHIFT: return (float)shift_at(recipe, channel);
    }
    return 0;
}

/* Packed bytes put together again. */
typedef struct Pieces {
    unsigned char *bytes;
    size_t size;
    int left; /* pieces that are taken before it ends */
} Pieces;

static bool take(void *context, const void *bytes, size_t size) {
    Pieces *pieces = context;
    assert_int_equal(pieces->size % 64, 0); /* of all but the last */
    memcpy(pieces->bytes + pieces->size, bytes, size);
    pieces->size += size;
    return --pieces->left > 0;
}

/* In pieces it is the same as in memory, and ends as soon as no more is taken. */
static void check_pieces(const Plan *plan, const void *packed) {
    Pieces pieces = {malloc((size_t)plan->packed_bytes), 0, INT_MAX};
    assert_true(plan_pack_in_pieces(plan, take, &pieces));
    assert_int_equal(pieces.size, plan->packed_bytes);
    assert_memory_equal(pieces.bytes, packed, pieces.size);
    pieces.size = 0;
    pieces.left = 1;
    assert_false(plan_pack_in_pieces(plan, take, &pieces));
    assert_int_equal(pieces.left, 0);
    free(pieces.bytes);
}

/* Packs everything and compares every float and every gap. */
static void check_packed(const Plan *plan) {
    float *packed = malloc((size_t)plan->packed_bytes);
    memset(packed, 0xff, (size_t)plan->packed_bytes);
    plan_pack(plan, packed);
    int64_t at = 0;
    for (size_t i = 0; i < plan->packed.count; i++) {
        const Packed *tensor = plan->packed.data[i];
        for (; at < tensor->offset / 4; at++)
            assert_true(packed[at] == 0);
        int64_t begin = at;
        for (size_t r = 0; r < tensor->recipes.count; r++) {
            const PackRecipe *recipe = &tensor->recipes.data[r];
            for (int64_t k = 0; k < recipe->floats; k++, at++) {
                float wanted = packed_float(recipe, k);
                if (memcmp(&packed[at], &wanted, sizeof wanted) != 0)
                    fail_msg("tensor %zu recipe %zu float %d: %a, not %a", i, r, (int)k, packed[at],
                             wanted);
            }
        }
        assert_int_equal(at - begin, tensor->floats);
    }
    for (; at < plan->packed_bytes / 4; at++)
        assert_true(packed[at] == 0);
    check_pieces(plan, packed);
    free(packed);
}

static Packed *add_packed(Network *net, const PackRecipe *recipe) {
    Packed *packed = ARENA_NEW(&net->arena, Packed);
    VEC_PUSH(&net->arena, &packed->recipes, *recipe);
    packed->floats = recipe->floats;
    packed->offset = net->plan.packed_bytes;
    net->plan.packed_bytes += (packed->floats * 4 + 63) / 64 * 64;
    VEC_PUSH(&net->arena, &net->plan.packed, packed);
    return packed;
}

static Affine random_affine(Network *net, Node *node) {
    Affine affine = new_affine(net, node, true);
    if (random_bits(&net->random) % 4 == 0)
        affine.mean = NULL;
    if (random_bits(&net->random) % 4 == 0)
        affine.variance = NULL;
    if (random_bits(&net->random) % 4 == 0)
        affine.gamma = NULL;
    if (random_bits(&net->random) % 4 == 0)
        affine.beta = NULL;
    return affine;
}

/* A recipe over a random tensor with random loops, some of which leave their axes. */
static void add_random_recipe(Network *net) {
    int64_t dims[PACK_MAX_AXES];
    PackRecipe recipe = {.kind = PACK_TENSOR, .floats = 1};
    recipe.axis_count = 1 + (int)(random_bits(&net->random) % PACK_MAX_AXES);
    for (int axis = 0; axis < recipe.axis_count; axis++)
        dims[axis] = 1 + random_bits(&net->random) % 7;
    int64_t stride = 1;
    for (int axis = recipe.axis_count - 1; axis >= 0; axis--) {
        recipe.axes[axis].extent = dims[axis];
        recipe.axes[axis].stride = stride;
        recipe.axes[axis].base = random_bits(&net->random) % 3 ? 0 : dims[axis] / 2;
        stride *= dims[axis];
    }
    recipe.channel_axis = (int)(random_bits(&net->random) % (unsigned)recipe.axis_count);
    Shape channels = shape_make(1, dims[recipe.channel_axis]);
    Value *input = new_value(net, NULL, "x", channels);
    Node *node = new_node(net, "w", &input, 1, channels);
    recipe.source = new_weight(net, node, shape_make(1, stride), 0, 1);
    recipe.affine_count = (int)(random_bits(&net->random) % 3);
    Affine *affines = ARENA_ARRAY(&net->arena, 2, Affine);
    for (int i = 0; i < recipe.affine_count; i++)
        affines[i] = random_affine(net, node);
    recipe.affines = affines;
    bool tame = random_bits(&net->random) % 2; /* the axes in turn, never left */
    recipe.loop_count = tame ? recipe.axis_count : 1 + (int)(random_bits(&net->random) % 6);
    for (int i = 0; i < recipe.loop_count; i++) {
        int axis = tame ? i : (int)(random_bits(&net->random) % (unsigned)recipe.axis_count);
        int64_t room = dims[axis] - recipe.axes[axis].base;
        int64_t most = tame ? room : random_bits(&net->random) % 2 ? 4 : 40;
        int64_t count = 1 + random_bits(&net->random) % most;
        int64_t step = tame ? 1 : 1 + random_bits(&net->random) % 3;
        if (recipe.floats * count > 20000)
            count = 1;
        recipe.loops[i] = (PackLoop){.count = count, .axis = axis, .step = step};
        recipe.floats *= count;
    }
    add_packed(net, &recipe);
}

static void test_random_recipes(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        Network net;
        network_begin(&net, MACHINE_AVX2, seed);
        for (int i = 0; i < 5; i++)
            add_random_recipe(&net);
        check_packed(&net.plan);
        network_end(&net);
    }
}

/* A recipe over [blocks][outer][inner] in the order of `order`, which leaves the axes by `past`. */
static void add_large_recipe(Network *net, const int64_t dims[3], const int order[3],
                             int64_t past) {
    Shape shape = shape_make(3, dims[0], dims[1], dims[2]);
    Value *input = new_value(net, NULL, "x", shape_make(1, dims[2]));
    Node *node = new_node(net, "w", &input, 1, shape_make(1, dims[2]));
    PackRecipe recipe = {.source = new_weight(net, node, shape, 0, 1),
                         .axis_count = 3,
                         .loop_count = 3,
                         .channel_axis = 2,
                         .affine_count = past > 0,
                         .floats = 1};
    Affine *affine = ARENA_NEW(&net->arena, Affine);
    *affine = new_affine(net, node, true);
    recipe.affines = affine;
    int64_t stride = 1;
    for (int axis = 2; axis >= 0; axis--) {
        recipe.axes[axis].extent = dims[axis];
        recipe.axes[axis].stride = stride;
        stride *= dims[axis];
    }
    for (int i = 0; i < 3; i++) {
        recipe.loops[i] = (PackLoop){.count = dims[order[i]] + past, .axis = order[i], .step = 1};
        recipe.floats *= recipe.loops[i].count;
    }
    add_packed(net, &recipe);
}

/* Tensors that go on through several pieces, in every order. */
static void test_more_than_a_piece(void **state) {
    (void)state;
    const int64_t dims[][3] = {{2, 3, 40000}, {40000, 3, 2}, {37, 300, 11}, {2, 40000, 3}};
    const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++)
        for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
            Network net;
            network_begin(&net, MACHINE_AVX2, d);
            for (int64_t past = 0; past < 2; past++)
                add_large_recipe(&net, dims[d], orders[o], past);
            check_packed(&net.plan);
            network_end(&net);
        }
}

static void test_channels(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        Network net;
        network_begin(&net, MACHINE_AVX2, seed);
        Shape channels = shape_make(1, INT64_C(1) + (int64_t)seed % 20);
        Value *input = new_value(&net, NULL, "x", channels);
        Node *node = new_node(&net, "w", &input, 1, channels);
        Affine affines[2] = {random_affine(&net, node), random_affine(&net, node)};
        PackRecipe recipe = {.kind = seed % 2 ? PACK_SHIFT : PACK_SCALE,
                             .source =
                                 seed % 4 == 1 ? new_weight(&net, node, channels, 0, 1) : NULL,
                             .axis_count = 1,
                             .loop_count = 1,
                             .affines = affines,
                             .affine_count = (int)(seed % 3),
                             .floats = 24};
        recipe.axes[0].extent = channels.dims[0];
        recipe.axes[0].stride = 1;
        recipe.loops[0] = (PackLoop){.count = 24, .step = 1};
        add_packed(&net, &recipe);
        check_packed(&net.plan);
        network_end(&net);
    }
}

/* The network's convolution by the method whose tiles are of that size. */
static void check_method(Network *net, Value *y, int tile_size, PackKind kind) {
    net_return(net, y);
    plan_fuse(&net->plan);
    plan_choose(&net->plan, &(PlanOptions){.tile_size = tile_size});
    assert_true(plan_layout(&net->plan, &net->diagnostics));
    assert_true(plan_tile(&net->plan, &net->diagnostics));
    assert_true(plan_memory(&net->plan, &net->diagnostics));
    assert_int_equal(net->plan.packed.data[0]->recipes.data[0].kind, kind);
    check_packed(&net->plan);
    network_end(net);
}

/* Kernels of every method, filters that are no multiple of the lanes, with and without affines. */
static void test_winograd(void **state) {
    (void)state;
    const int methods[][2] = {{2, 3}, {4, 3}, {6, 3}, {2, 5}, {4, 5}};
    for (unsigned seed = 0; seed < 20; seed++) {
        Network net;
        network_begin(&net, MACHINE_AVX2, seed);
        int outputs = methods[seed % 5][0], taps = methods[seed % 5][1];
        bool large = seed == 11 || seed == 16; /* more than a piece */
        int64_t channels = large ? 80 : 1 + random_bits(&net.random) % 9;
        Value *x = net_input(&net, "x", shape_make(3, channels, 9, 9));
        int64_t filters = large ? 50 : 1 + random_bits(&net.random) % 40;
        Value *y =
            net_conv(&net, x, filters, (Geometry){.kernel = taps, .stride = 1, .dilation = 1}, 1,
                     random_bits(&net.random) % 2);
        if (seed % 2)
            y = net_batchnorm(&net, y);
        check_method(&net, y, outputs + taps - 1, PACK_WINOGRAD);
    }
}

/* Products of half the filters and channels, of which some are no multiple of the register tile. */
static void test_strassen(void **state) {
    (void)state;
    for (unsigned seed = 0; seed < 20; seed++) {
        Network net;
        network_begin(&net, MACHINE_AVX2, seed);
        bool large = seed == 11 || seed == 16; /* more than a piece */
        int64_t channels = large ? 512 : 16 * (1 + random_bits(&net.random) % 5);
        int64_t filters = large ? 320 : 16 * (1 + random_bits(&net.random) % 20);
        Value *x = net_input(&net, "x", shape_make(3, channels, 3, 3));
        Value *y = net_conv(&net, x, filters, (Geometry){.kernel = 1, .stride = 1, .dilation = 1},
                            1, random_bits(&net.random) % 2);
        if (seed % 2)
            y = net_batchnorm(&net, y);
        check_method(&net, y, 2, PACK_STRASSEN);
    }
}

/* Weights that are not numbers stay what they are, to the bit. */
static void test_bits_are_kept(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 1);
    Value *x = net_input(&net, "x", shape_make(1, 2));
    Value *y = net_dense(&net, x, 3, true);
    net_return(&net, y);
    uint32_t bits[6] = {0x7fa00001, 0xffc12345, 0x80000000, 0x00000001, 0xff800000, 0x7f800000};
    memcpy((void *)(uintptr_t)net.graph.weights.data[0]->data, bits, sizeof bits);
    plan_fuse(&net.plan);
    assert_true(plan_layout(&net.plan, &net.diagnostics));
    assert_true(plan_tile(&net.plan, &net.diagnostics));
    assert_true(plan_memory(&net.plan, &net.diagnostics));
    uint32_t packed[64];
    assert_true(net.plan.packed_bytes <= (int64_t)sizeof packed);
    plan_pack(&net.plan, packed);
    for (int n = 0; n < 3; n++)
        for (int k = 0; k < 2; k++)
            assert_int_equal(packed[k * 8 + n], bits[n * 2 + k]);
    network_end(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_recipes), cmocka_unit_test(test_more_than_a_piece),
        cmocka_unit_test(test_channels),       cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_strassen),       cmocka_unit_test(test_bits_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
