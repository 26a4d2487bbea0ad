/* A whole plan as code: run in this process on every kind of machine that the processor at hand can
 * be, and looked at as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan_plain.h"

#include "codegen/codegen.h"
#include "output/packed_file.h"

static const Geometry same3 = {3, 1, 1, 1, 1};
static const Geometry point = {1, 1, 1, 0, 0};

typedef struct Fixture {
    Arena arena;
    SourceMap sources;
    Diagnostics diagnostics;
    Target *target;
    Network net;
    void *packed;
    void *scratch;
    Variants variants;
    Codegen *codegen;
} Fixture;

static void fixture_open(Fixture *f, const char *cpu) {
    *f = (Fixture){.sources.arena = &f->arena};
    f->diagnostics = (Diagnostics){.arena = &f->arena, .sources = &f->sources};
    f->target = target_open(&f->arena, &f->diagnostics, NULL, cpu, 2);
    assert_non_null(f->target);
    network_begin(&f->net, f->target->machine->kind, 1);
    static const char text[] = "network test(...)\n";
    f->net.graph.source = source_add(&f->sources, "folder/test.net", text, strlen(text));
}

/* What plan_build does after lowering; then the weights. */
static void fixture_plan(Fixture *f) {
    Plan *plan = &f->net.plan;
    plan_fuse(plan);
    assert_true(plan_layout(plan, &f->diagnostics) && plan_tile(plan, &f->diagnostics) &&
                plan_memory(plan, &f->diagnostics));
    f->packed = aligned_alloc(64, (size_t)plan->packed_bytes + 64);
    f->scratch = aligned_alloc(64, (size_t)plan->arena_bytes + 64);
    assert_non_null(f->packed);
    assert_non_null(f->scratch);
    plan_pack(plan, f->packed);
}

static void fixture_build(Fixture *f, const CodegenOptions *options) {
    codegen_free(f->codegen);
    f->variants = (Variants){0};
    assert_true(variants_add(&f->variants, &f->diagnostics, f->target, &f->net.plan));
    f->codegen = codegen_build(&f->variants, &f->sources, options);
}

static void fixture_close(Fixture *f) {
    codegen_free(f->codegen);
    free(f->packed);
    free(f->scratch);
    target_close(f->target);
    network_end(&f->net);
    arena_free(&f->arena);
}

static void for_each_machine(void (*test)(Fixture *f)) {
    const char *cpus[4] = {NULL, "native"};
    int count = 2;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        cpus[count++] = "x86-64-v3";
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        cpus[count++] = "x86-64-v4";
#endif
    for (int i = 0; i < count; i++) {
        Fixture fixture;
        fixture_open(&fixture, cpus[i]);
        test(&fixture);
        fixture_close(&fixture);
    }
}

static const CodegenOptions in_process = {.weights_mode = WEIGHTS_NONE, .in_process = true};

static float *random_tensor(Fixture *f, const Value *value) {
    int64_t elements = shape_elements(&value->type.shape);
    float *data = ARENA_ARRAY(&f->arena, (size_t)elements, float);
    for (int64_t k = 0; k < elements; k++)
        data[k] = (float)random_normal(&f->net.random);
    return data;
}

/* Two inputs, a residual sum, a concat, three outputs, one of them an input as it is. */
static void make_branches(Network *net) {
    Value *x = net_input(net, "x", shape_make(3, 3, 9, 9));
    Value *y = net_input(net, "y", shape_make(3, 20, 9, 9));
    Value *stem = net_map(net, net_batchnorm(net, net_conv(net, x, 20, same3, 1, true)), MAP_RELU);
    Value *sum = net_map(net, net_add(net, net_conv(net, stem, 20, same3, 1, true), y), MAP_RELU);
    Value *both = net_concat(net, (Value *[]){sum, stem}, 2, 0);
    Value *deep = net_conv(net, both, 40, same3, 40, true);
    Value *logits = net_dense(net, net_mean(net, deep), 11, true);
    net_return(net, net_softmax(net, logits, 0));
    net_return(net, net_window(net, both, (Geometry){2, 2, 1, 0, 0}, false, false, false));
    net_return(net, y);
}

static void check_numbers(Fixture *f) {
    Network *net = &f->net;
    make_branches(net);
    const float *inputs[2] = {random_tensor(f, net->graph.inputs.data[0]),
                              random_tensor(f, net->graph.inputs.data[1])};
    double **expected = plain_run(net, inputs);
    float *outputs[3];
    for (int i = 0; i < 3; i++)
        outputs[i] = random_tensor(f, net->graph.outputs.data[i]);
    fixture_plan(f);
    fixture_build(f, &in_process);
    CompiledNetwork network = codegen_load(f->codegen);
    assert_non_null(network);
    for (int turn = 0; turn < 2; turn++) { /* what the arena holds does not matter */
        memset(f->scratch, turn ? 0xFF : 0, (size_t)net->plan.arena_bytes);
        network((const void *const *)inputs, outputs, f->packed, f->scratch, NULL);
        for (int i = 0; i < 3; i++) {
            const Value *value = net->graph.outputs.data[i];
            for (int64_t k = 0; k < shape_elements(&value->type.shape); k++) {
                double wanted = expected[value->id][k], got = (double)outputs[i][k];
                if (!(fabs(got - wanted) <= 1e-5 * (1 + fabs(wanted))))
                    fail_msg("output %d element %d: %g, not %g", i, (int)k, got, wanted);
            }
        }
    }
}

static void network_computes_what_the_layers_say(void **state) {
    (void)state;
    for_each_machine(check_numbers);
}

static void check_pack(Fixture *f) {
    Network *net = &f->net;
    make_branches(net);
    fixture_plan(f);
    fixture_build(f, &in_process);
    const float **sources = ARENA_ARRAY(&f->arena, net->graph.weights.count, const float *);
    for (size_t i = 0; i < net->graph.weights.count; i++)
        sources[i] = net->graph.weights.data[i]->data;
    size_t bytes = (size_t)net->plan.packed_bytes;
    void *packed = aligned_alloc(64, bytes);
    assert_non_null(packed);
    memset(packed, 0xFF, bytes);
    codegen_load_pack(f->codegen)(sources, packed);
    assert_memory_equal(packed, f->packed, bytes);
    free(packed);
}

static void pack_function_makes_the_same_bytes(void **state) {
    (void)state;
    for_each_machine(check_pack);
}

/* ---- looked at as text ---------------------------------------------------------------------- */

static int count_text(const char *text, const char *part) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

/* The parameters in the definition of a function, without what comes after. */
static const char *parameters_of(Arena *arena, const char *text, const char *function) {
    const char *found = strstr(text, arena_format(arena, "@%s(ptr", function));
    assert_non_null(found);
    return arena_copy_text(arena, found, strcspn(found, "#"));
}

static void steps_of_one_signature_share_a_function(void **state) {
    (void)state;
    Fixture f;
    fixture_open(&f, NULL);
    Network *net = &f.net;
    Value *x = net_input(net, "x", shape_make(3, 8, 8, 8));
    for (int i = 0; i < 4; i++)
        x = net_conv(net, x, 8, point, 1, true);
    net_return(net, x);
    fixture_plan(&f);
    fixture_build(&f, &(CodegenOptions){.weights_mode = WEIGHTS_NONE});
    StrBuf text = {0};
    codegen_print_llvm(f.codegen, &text);
    /* the first reads the caller's plain input, the others a blocked one */
    assert_int_equal(count_text(text.data, "define internal void @test.conv1("), 1);
    assert_int_equal(count_text(text.data, "call void @test.conv1("), 3);
    assert_int_equal(count_text(text.data, "call void @test.conv0("), 1);
    assert_null(strstr(text.data, "@test.conv2("));
    strbuf_free(&text);
    fixture_close(&f);
}

/* One elementwise step over two buffers of the arena, by hand: inputs at floats 0 and `second`, the
 * output at float `output` of the buffers given. */
typedef struct HandMade {
    Buffer buffers[2];
    View views[3];
    Step step;
    Node node;
    MapStage add;
} HandMade;

static void make_sum(Fixture *f, HandMade *hand, Buffer *output, int64_t offset) {
    *hand = (HandMade){.buffers = {{.place = PLACE_ARENA, .elements = 64},
                                   {.place = PLACE_ARENA, .elements = 64, .offset = 256}}};
    for (int i = 0; i < 3; i++)
        hand->views[i] = (View){i < 2 ? &hand->buffers[i] : output, 0, 16, 1, 1, 1, 1, 1, 1, 0, 0};
    hand->views[2].offset = offset;
    hand->node = (Node){.path = "sum"};
    hand->add =
        (MapStage){.op = MAP_ADD, .kind = OPERAND_ELEMENT, .operand = 1, .node = &hand->node};
    hand->step = (Step){.kind = STEP_MAP, .node = &hand->node, .name = "sum"};
    hand->step.inputs = hand->views;
    hand->step.input_count = 2;
    hand->step.output = hand->views[2];
    VEC_PUSH(&f->arena, &hand->step.epilogue, hand->add);
    Plan *plan = &f->net.plan;
    plan->arena_bytes = 512;
    plan->steps.count = 0;
    VEC_PUSH(&f->arena, &plan->steps, &hand->step);
}

static const char *sum_parameters(Fixture *f) {
    fixture_build(f, &(CodegenOptions){.weights_mode = WEIGHTS_EMBED});
    StrBuf text = {0};
    codegen_print_llvm(f->codegen, &text);
    const char *parameters = parameters_of(&f->arena, text.data, "test.sum");
    strbuf_free(&text);
    return parameters;
}

/* A step may write over what it reads; the compiler must not be told otherwise. */
static void shared_memory_is_not_noalias(void **state) {
    (void)state;
    Fixture f;
    HandMade hand;
    fixture_open(&f, NULL);

    Buffer apart = {.place = PLACE_ARENA, .elements = 64, .offset = 512};
    make_sum(&f, &hand, &apart, 4);
    assert_string_equal(sum_parameters(&f), "@test.sum(ptr noalias nocapture readonly align 64 %0, "
                                            "ptr noalias nocapture readonly align 64 %1, "
                                            "ptr noalias nocapture align 16 %2) ");

    /* in place over the operand */
    make_sum(&f, &hand, &hand.buffers[1], 0);
    assert_string_equal(sum_parameters(&f), "@test.sum(ptr noalias nocapture readonly align 64 %0, "
                                            "ptr nocapture readonly align 64 %1, "
                                            "ptr nocapture align 64 %2) ");

    /* in another part of its buffer, as a concat in place has it */
    make_sum(&f, &hand, &hand.buffers[0], 16);
    assert_string_equal(sum_parameters(&f), "@test.sum(ptr noalias nocapture readonly align 64 %0, "
                                            "ptr noalias nocapture readonly align 64 %1, "
                                            "ptr noalias nocapture align 64 %2) ");

    /* one float of both in common */
    make_sum(&f, &hand, &hand.buffers[0], 15);
    assert_string_equal(sum_parameters(&f), "@test.sum(ptr nocapture readonly align 64 %0, "
                                            "ptr noalias nocapture readonly align 64 %1, "
                                            "ptr nocapture align 4 %2) ");
    fixture_close(&f);
}

/* ---- machines ------------------------------------------------------------------------------- */

/* The table of processors says what LLVM would have to be asked for. */
static void processors_are_what_llvm_makes_of_them(void **state) {
    (void)state;
    static const struct {
        const char *triple;
        const char *cpu;
    } cpus[] = {
#define CPU_X86_64(name, kind) {"x86_64-linux-gnu", name},
#define CPU_AARCH64(name)      {"aarch64-linux-gnu", name},
#include "codegen/cpu_names.def"
#undef CPU_X86_64
#undef CPU_AARCH64
    };
    Arena arena = {0};
    Diagnostics diagnostics = {.arena = &arena};
    for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++) {
        Target *target = target_open(&arena, &diagnostics, cpus[i].triple, cpus[i].cpu, 2);
        assert_non_null(target);
        MachineKind kind = target->machine->kind;
        if (target_probe(target) != kind)
            fail_msg("%s is not machine %d", cpus[i].cpu, (int)kind);
        target_close(target);
    }
    arena_free(&arena);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void full_disk_is_reported(void **state) {
    (void)state;
    Fixture f;
    fixture_open(&f, NULL);
    Value *x = net_input(&f.net, "x", shape_make(1, 100));
    net_return(&f.net, net_dense(&f.net, x, 100, true));
    fixture_plan(&f);
    fixture_build(&f, &(CodegenOptions){.weights_mode = WEIGHTS_EMBED});
    FileSet files = {.arena = &f.arena, .diagnostics = &f.diagnostics};
    int index = file_set_open(&files, "/dev/full");
    assert_int_equal(index, 0);
    ObjectCode object;
    uint64_t hash;
    assert_true(codegen_make_object(f.codegen, &f.diagnostics, &object));
    assert_false(packed_write_embedded(&f.variants, &object, &files, index, &hash));
    free(object.bytes);
    assert_int_equal(f.diagnostics.error_count, 1);
    assert_int_equal(f.diagnostics.list.data[0]->code, DIAG_E0702);
    file_set_abandon(&files);
    fixture_close(&f);
}

static void weights_beyond_the_reach_of_code_are_refused(void **state) {
    (void)state;
    Fixture f;
    fixture_open(&f, NULL);
    Value *x = net_input(&f.net, "x", shape_make(1, 100));
    net_return(&f.net, net_dense(&f.net, x, 100, true));
    fixture_plan(&f);
    f.net.plan.packed_bytes = INT64_C(2) << 30;
    fixture_build(&f, &(CodegenOptions){.weights_mode = WEIGHTS_EMBED});
    ObjectCode object;
    assert_false(codegen_make_object(f.codegen, &f.diagnostics, &object));
    assert_int_equal(f.diagnostics.error_count, 1);
    assert_int_equal(f.diagnostics.list.data[0]->code, DIAG_E0802);
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_computes_what_the_layers_say),
        cmocka_unit_test(pack_function_makes_the_same_bytes),
        cmocka_unit_test(steps_of_one_signature_share_a_function),
        cmocka_unit_test(shared_memory_is_not_noalias),
        cmocka_unit_test(processors_are_what_llvm_makes_of_them),
        cmocka_unit_test(full_disk_is_reported),
        cmocka_unit_test(weights_beyond_the_reach_of_code_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
