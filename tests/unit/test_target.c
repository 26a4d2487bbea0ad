/* Modules of several functions, and which targets there are. */
#include "ir_fixture.h"

static void check_two_functions(Fixture *f) {
    f->ir = module_new(f->target, "test");
    for (int i = 0; i < 2; i++) {
        module_function_begin(f->ir, i ? "second" : "first", 1, FUNCTION_GLOBAL);
        ir_store(f->ir, ir_parameter(f->ir, 0), ir_f32(f->ir, i + 1), 1);
        module_function_end(f->ir);
    }
    module_function_begin(f->ir, "hidden", 1, FUNCTION_INTERNAL);
    module_function_end(f->ir);
    module_optimise(f->ir);
    f->code = module_load(f->ir);
    typedef void (*Store)(float *);
    Store first = (Store)(uintptr_t)loaded_address(f->code, "first");
    Store second = (Store)(uintptr_t)loaded_address(f->code, "second");
    first(&f->out[0]);
    second(&f->out[1]);
    assert_exactly(f->out[0], 1);
    assert_exactly(f->out[1], 2);
    assert_null(loaded_address(f->code, "third"));
}

static void functions_of_a_module(void **state) {
    (void)state;
    for_each_target(check_two_functions);
}

static const Diagnostic *refused(Arena *arena, const char *triple, const char *cpu) {
    SourceMap *sources = ARENA_NEW(arena, SourceMap);
    sources->arena = arena;
    Diagnostics *diagnostics = ARENA_NEW(arena, Diagnostics);
    diagnostics->arena = arena;
    diagnostics->sources = sources;
    assert_null(target_open(arena, diagnostics, triple, cpu, 2));
    assert_int_equal(diagnostics->list.count, 1);
    return diagnostics->list.data[0];
}

static void unknown_targets_are_refused(void **state) {
    (void)state;
    Arena arena = {0};
    const Diagnostic *cpu = refused(&arena, "x86_64-linux-gnu", "haswel");
    assert_int_equal(cpu->code, DIAG_E0601);
    assert_string_equal(cpu->message, "unknown processor `haswel` for x86_64");
    assert_string_equal(cpu->fixes.data[0].message, "did you mean `haswell`?");
    assert_int_equal(refused(&arena, "x86_64-linux-gnu", "i386")->code, DIAG_E0601);
    assert_int_equal(refused(&arena, "x86_64-linux-gnu", "")->code, DIAG_E0601);
    assert_int_equal(refused(&arena, "aarch64-linux-gnu", "haswell")->code, DIAG_E0601);
    assert_int_equal(refused(&arena, "aarch65-linux-gnu", NULL)->code, DIAG_E0601);
    assert_int_equal(refused(&arena, "", NULL)->code, DIAG_E0601);
    assert_int_equal(refused(&arena, "x86_64-apple-darwin", NULL)->code, DIAG_E0602);
    assert_int_equal(refused(&arena, "x86_64-pc-windows-msvc", NULL)->code, DIAG_E0602);
    assert_int_equal(refused(&arena, "x86_64-linux-gnux32", NULL)->code, DIAG_E0602);
    arena_free(&arena);
}

static void machine_is_what_llvm_makes_of_the_processor(void **state) {
    (void)state;
    static const struct {
        const char *triple, *cpu;
        MachineKind kind;
    } rows[] = {
        {"x86_64-linux-gnu", NULL, MACHINE_GENERIC},
        {"x86_64-linux-gnu", "x86-64-v2", MACHINE_GENERIC},
        {"x86_64-linux-gnu", "sandybridge", MACHINE_GENERIC}, /* AVX without FMA */
        {"x86_64-linux-gnu", "x86-64-v3", MACHINE_AVX2},
        {"x86_64-linux-gnu", "alderlake", MACHINE_AVX2},
        {"x86_64-linux-gnu", "znver3", MACHINE_AVX2},
        {"x86_64-linux-gnu", "x86-64-v4", MACHINE_AVX512},
        {"x86_64-linux-gnu", "skylake-avx512", MACHINE_AVX512_DUAL}, /* LLVM prefers 256 bits */
        {"x86_64-linux-gnu", "znver5", MACHINE_AVX512_ZEN5},
        {"x86_64-linux-gnu", "knl", MACHINE_AVX512},
        {"x86_64-linux-gnu", "znver4", MACHINE_AVX512},
        {"aarch64-linux-gnu", NULL, MACHINE_NEON},
        {"aarch64-linux-gnu", "neoverse-v2", MACHINE_NEON},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Arena arena = {0};
        SourceMap sources = {.arena = &arena};
        Diagnostics diagnostics = {.arena = &arena, .sources = &sources};
        Target *target = target_open(&arena, &diagnostics, rows[i].triple, rows[i].cpu, 2);
        assert_non_null(target);
        assert_int_equal(target->machine->kind, rows[i].kind);
        target_close(target);
        arena_free(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_a_module),
        cmocka_unit_test(unknown_targets_are_refused),
        cmocka_unit_test(machine_is_what_llvm_makes_of_the_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
