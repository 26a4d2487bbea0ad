/* NAME_pack as made by kernel_emit_pack against plan_pack, bit for bit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codegen/module.h"
#include "kernels/kernel.h"
#include "support/random.h"

typedef struct Fixture {
    Arena arena;
    Random random;
    Graph graph;
    Plan plan;
} Fixture;

static void fixture_begin(Fixture *fixture) {
    *fixture = (Fixture){.random = random_start(7)};
    fixture->plan.arena = &fixture->arena;
    fixture->plan.graph = &fixture->graph;
}

/* A weight of normal numbers, positive if they shall be variances. */
static const Weight *add_weight(Fixture *fixture, int64_t elements, bool positive) {
    float *data = ARENA_ARRAY(&fixture->arena, (size_t)elements, float);
    for (int64_t i = 0; i < elements; i++) {
        data[i] = (float)random_normal(&fixture->random);
        if (positive)
            data[i] = fabsf(data[i]) + 0.01f;
    }
    Weight *weight = ARENA_NEW(&fixture->arena, Weight);
    *weight = (Weight){.shape = shape_make(1, (int)elements), .elements = elements, .data = data};
    VEC_PUSH(&fixture->arena, &fixture->graph.weights, weight);
    return weight;
}

static Affine *add_affines(Fixture *fixture, int count, int64_t channels) {
    Affine *affines = ARENA_ARRAY(&fixture->arena, (size_t)count, Affine);
    for (int i = 0; i < count; i++)
        affines[i] = (Affine){
            add_weight(fixture, channels, false), add_weight(fixture, channels, false),
            add_weight(fixture, channels, false), add_weight(fixture, channels, true), 1e-5};
    return affines;
}

/* A packed tensor of these recipes, at the next multiple of 64 bytes. */
static void add_packed(Fixture *fixture, const PackRecipe *recipes, size_t count) {
    Plan *plan = &fixture->plan;
    Packed *packed = ARENA_NEW(&fixture->arena, Packed);
    packed->offset = plan->packed_bytes;
    for (size_t i = 0; i < count; i++) {
        PackRecipe recipe = recipes[i];
        recipe.floats = 1;
        for (int k = 0; k < recipe.loop_count; k++)
            recipe.floats *= recipe.loops[k].count;
        VEC_PUSH(&fixture->arena, &packed->recipes, recipe);
        packed->floats += recipe.floats;
    }
    VEC_PUSH(&fixture->arena, &plan->packed, packed);
    plan->packed_bytes += (packed->floats * (int64_t)sizeof(float) + 63) / 64 * 64;
}

/* Runs both over memory that is not zero before, and compares. */
static void check_same(Fixture *fixture, const char *cpu) {
    const Plan *plan = &fixture->plan;
    SourceMap sources = {.arena = &fixture->arena};
    Diagnostics diagnostics = {.arena = &fixture->arena, .sources = &sources};
    Target *target = target_open(&fixture->arena, &diagnostics, NULL, cpu, 2);
    assert_non_null(target);
    Ir *ir = module_new(target, "pack");
    module_function_begin(ir, "pack", 2, FUNCTION_GLOBAL);
    kernel_emit_pack(ir, plan);
    module_function_end(ir);
    module_optimise(ir);
    LoadedCode *code = module_load(ir);
    void *address = loaded_address(code, "pack");
    void (*pack)(const float *const *, void *);
    memcpy(&pack, &address, sizeof pack);

    const float **table = malloc(fixture->graph.weights.count * sizeof *table);
    char *expected = malloc((size_t)plan->packed_bytes), *actual;
    actual = malloc((size_t)plan->packed_bytes);
    assert_true(table && expected && actual);
    for (size_t i = 0; i < fixture->graph.weights.count; i++)
        table[i] = fixture->graph.weights.data[i]->data;
    memset(expected, 1, (size_t)plan->packed_bytes);
    memset(actual, 2, (size_t)plan->packed_bytes);
    plan_pack(plan, expected);
    pack(table, actual);
    assert_memory_equal(expected, actual, (size_t)plan->packed_bytes);
    free(table);
    free(expected);
    free(actual);
    loaded_free(code);
    module_free(ir);
    target_close(target);
}

static void check_everywhere(Fixture *fixture) {
    check_same(fixture, "native");
#if defined __x86_64__
    check_same(fixture, "x86-64");
#endif
    arena_free(&fixture->arena);
}

/* [Cg][KH][KW][T] of 19 filters in two blocks of 16. */
static PackRecipe conv_recipe(const Weight *weight, const Affine *affines, int affine_count) {
    return (PackRecipe){
        .kind = PACK_TENSOR,
        .source = weight,
        .axis_count = 4,
        .axes = {{19, 5 * 3 * 2, 0}, {5, 3 * 2, 0}, {3, 2, 0}, {2, 1, 0}},
        .channel_axis = 0,
        .loop_count = 5,
        .loops = {{2, 0, 16}, {5, 1, 1}, {3, 2, 1}, {2, 3, 1}, {16, 0, 1}},
        .affines = affines,
        .affine_count = affine_count,
    };
}

static void tensors(void **state) {
    (void)state;
    Fixture fixture;
    fixture_begin(&fixture);
    add_weight(&fixture, 3, false); /* used by nobody */
    const Weight *weight = add_weight(&fixture, 19 * 5 * 3 * 2, false);
    PackRecipe plain = conv_recipe(weight, NULL, 0);
    PackRecipe scaled = conv_recipe(weight, add_affines(&fixture, 1, 19), 1);
    PackRecipe twice = conv_recipe(weight, add_affines(&fixture, 2, 19), 2);
    /* From filter 7 on, and past the end of channels: an axis without affines that overruns. */
    PackRecipe part = scaled;
    part.axes[0].base = 7;
    part.loop_count = 3;
    part.loops[0] = (PackLoop){2, 1, 3};
    part.loops[1] = (PackLoop){3, 1, 1};
    part.loops[2] = (PackLoop){16, 0, 1};
    add_packed(&fixture, &plain, 1);
    add_packed(&fixture, (const PackRecipe[]){scaled, part, plain}, 3);
    add_packed(&fixture, &twice, 1);
    /* A table's columns one after the other, each from its last row to its first. */
    const PackRecipe reversed = {.kind = PACK_TENSOR,
                                 .source = weight,
                                 .axis_count = 2,
                                 .axes = {{19, 30, 18}, {30, 1, 0}},
                                 .loop_count = 2,
                                 .loops = {{30, 1, 1}, {19, 0, -1}}};
    add_packed(&fixture, &reversed, 1);
    check_everywhere(&fixture);
}

/* Without affines the bits are copied, whatever they are. */
static void bits_are_kept(void **state) {
    (void)state;
    Fixture fixture;
    fixture_begin(&fixture);
    static const uint32_t bits[] = {0x7F800001, 0xFFC12345, 0x80000000, 1, 0xFF800000};
    float numbers[5];
    memcpy(numbers, bits, sizeof numbers);
    Weight weight = {.shape = shape_make(1, 5), .elements = 5, .data = numbers};
    VEC_PUSH(&fixture.arena, &fixture.graph.weights, &weight);
    PackRecipe recipe = {.kind = PACK_TENSOR,
                         .source = &weight,
                         .axis_count = 1,
                         .axes = {{5, 1, 0}},
                         .loop_count = 1,
                         .loops = {{7, 0, 1}}};
    add_packed(&fixture, &recipe, 1);
    check_everywhere(&fixture);
}

static void scales_and_shifts(void **state) {
    (void)state;
    Fixture fixture;
    fixture_begin(&fixture);
    Affine *affines = add_affines(&fixture, 5, 21);
    affines[1].gamma = NULL;
    affines[2].variance = NULL;
    affines[3] = (Affine){.mean = affines[3].mean};
    affines[4] = (Affine){.variance = affines[4].variance, .epsilon = 0.25};
    const Weight *bias = add_weight(&fixture, 21, false);
    PackRecipe recipe = {
        .axis_count = 1, .axes = {{21, 1, 0}}, .loop_count = 1, .loops = {{32, 0, 1}}};
    for (int first = 0; first < 5; first++) {
        for (int count = 0; count <= 5 - first; count++) {
            recipe.affines = affines + first;
            recipe.affine_count = count;
            recipe.kind = PACK_SCALE;
            recipe.source = NULL;
            add_packed(&fixture, &recipe, 1);
            recipe.kind = PACK_SHIFT;
            add_packed(&fixture, &recipe, 1);
            recipe.source = bias;
            add_packed(&fixture, &recipe, 1);
        }
    }
    check_everywhere(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors),
        cmocka_unit_test(bits_are_kept),
        cmocka_unit_test(scales_and_shifts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
