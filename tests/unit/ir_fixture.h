/* For the unit tests of codegen/ir.h: tiny functions, run in this process on every kind of machine
 * that the processor at hand can be, optimised and not. */
#ifndef NETC_TESTS_IR_FIXTURE_H
#define NETC_TESTS_IR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "codegen/module.h"

#define MANY 1024 /* floats in the buffers of a test */

typedef void (*Function)(const float *in, float *out);

/* One target at a time; the test runs once for each. */
typedef struct Fixture {
    Arena arena;
    SourceMap sources;
    Diagnostics diagnostics;
    Target *target;
    int lanes;
    Ir *ir;
    LoadedCode *code;
    float in[MANY];
    float out[MANY];
} Fixture;

static inline void fixture_open(Fixture *f, const char *cpu, int optimisation) {
    *f = (Fixture){.sources.arena = &f->arena};
    f->diagnostics = (Diagnostics){.arena = &f->arena, .sources = &f->sources};
    f->target = target_open(&f->arena, &f->diagnostics, NULL, cpu, optimisation);
    assert_non_null(f->target);
    f->lanes = f->target->machine->lanes;
}

static inline void fixture_close(Fixture *f) {
    loaded_free(f->code);
    module_free(f->ir);
    target_close(f->target);
    arena_free(&f->arena);
}

static inline void for_each_target(void (*test)(Fixture *f)) {
    const char *cpus[4] = {NULL, "native"};
    int count = 2;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        cpus[count++] = "x86-64-v3";
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        cpus[count++] = "x86-64-v4";
#endif
    for (int i = 0; i < count; i++) {
        for (int level = 0; level <= 3; level += 3) {
            Fixture fixture;
            fixture_open(&fixture, cpus[i], level);
            test(&fixture);
            fixture_close(&fixture);
        }
    }
}

/* Between begin and end stands what the function does: `in` and `out` are its parameters. */
static inline void function_begin(Fixture *f, IrValue *in, IrValue *out) {
    loaded_free(f->code);
    module_free(f->ir);
    f->code = NULL;
    f->ir = module_new(f->target, "test");
    module_function_begin(f->ir, "function", 2, FUNCTION_GLOBAL);
    *in = ir_parameter(f->ir, 0);
    *out = ir_parameter(f->ir, 1);
}

static inline Function function_end(Fixture *f) {
    module_function_end(f->ir);
    module_optimise(f->ir);
    f->code = module_load(f->ir);
    Function function = (Function)(uintptr_t)loaded_address(f->code, "function");
    assert_non_null(function);
    return function;
}

/* cmocka's assert_float_equal takes NaN for equal to everything. */
#define assert_exactly(actual, expected)                                                           \
    _assert_true((actual) == (expected), #actual " == " #expected, __FILE__, __LINE__)

static inline void count_up(float *data, int count) {
    for (int i = 0; i < count; i++)
        data[i] = (float)i;
}

static inline void store_at(Fixture *f, IrValue out, int64_t place, IrValue scalar) {
    ir_store(f->ir, ir_at_const(f->ir, out, place), scalar, 1);
}

static inline uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

#endif
