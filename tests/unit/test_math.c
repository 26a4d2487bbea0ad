/* The elementary functions in generated code against the C library in double. By default over every
 * 4099th f32; with the argument `all` over all 2^32 of them, and with a name behind it of that
 * function alone. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "codegen/module.h"
#include "kernels/math.h"

#define CHUNK    4096 /* numbers a call */
#define MOST_ULP 4.0

static uint32_t stride = 4099; /* a prime, so that low and high bits all vary */
static const char *only;       /* the function to look at; NULL: all */

typedef IrValue (*Emit)(Ir *ir, IrValue x, int lanes);
typedef void (*Compiled)(const float *x, float *y);

typedef struct Function {
    const char *name;
    Emit emit;
    double (*exact)(double x);
    double least; /* smaller results may be off by as much as this one */
} Function;

static double sigmoid(double x) {
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

/* The logarithm of x or, where math_log promises nothing, of the smallest normal number. */
static IrValue emit_log(Ir *ir, IrValue x, int lanes) {
    IrValue least = ir_f32_vector(ir, (double)FLT_MIN, lanes);
    IrValue below = ir_fcompare(ir, IR_LESS, x, least);
    return math_log(ir, ir_select(ir, below, least, x), lanes);
}

static double log_of_normal(double x) {
    return log(x < (double)FLT_MIN ? (double)FLT_MIN : x);
}

/* e^-|x| */
static IrValue emit_exp_below(Ir *ir, IrValue x, int lanes) {
    return math_exp_below(ir, ir_fneg(ir, ir_fabs(ir, x)), lanes);
}

static double exp_below(double x) {
    return exp(-fabs(x));
}

static double softplus(double x) {
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double tanh_softplus(double x) {
    return tanh(softplus(x));
}

static double normal_cdf(double x) {
    return erfc(-x / sqrt(2)) / 2;
}

static const Function functions[] = {
    {"exp", math_exp, exp, 0},
    {"sigmoid", math_sigmoid, sigmoid, 0},
    {"tanh", math_tanh, tanh, 0},
    {"expm1", math_expm1, expm1, 0},
    {"log", emit_log, log_of_normal, 0},
    {"softplus", math_softplus, softplus, 0},
    {"normal_cdf", math_normal_cdf, normal_cdf, 0.25},
    {"tanh_softplus", math_tanh_softplus, tanh_softplus, 0},
    {"exp_below", emit_exp_below, exp_below, 0},
};

#define FUNCTION_COUNT (sizeof functions / sizeof functions[0])

/* ---- code ---------------------------------------------------------------------------------- */

typedef struct Fixture {
    Arena arena;
    Target *target;
    Ir *ir;
    LoadedCode *code;
} Fixture;

static void fixture_open(Fixture *fixture, const char *cpu, int lanes) {
    SourceMap sources = {.arena = &fixture->arena};
    Diagnostics diagnostics = {.arena = &fixture->arena, .sources = &sources};
    fixture->target = target_open(&fixture->arena, &diagnostics, NULL, cpu, 2);
    assert_non_null(fixture->target);
    Ir *ir = fixture->ir = module_new(fixture->target, "math");
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        module_function_begin(ir, functions[i].name, 2, FUNCTION_GLOBAL);
        IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, CHUNK), lanes, NULL, 0);
        IrValue x = ir_load(ir, ir_at(ir, ir_parameter(ir, 0), loop.index), lanes);
        IrValue y = functions[i].emit(ir, x, lanes);
        ir_store(ir, ir_at(ir, ir_parameter(ir, 1), loop.index), y, lanes);
        ir_loop_end(ir, &loop);
        module_function_end(ir);
    }
    module_optimise(ir);
    fixture->code = module_load(ir);
}

static void fixture_close(Fixture *fixture) {
    loaded_free(fixture->code);
    module_free(fixture->ir);
    target_close(fixture->target);
    arena_free(&fixture->arena);
}

static Compiled compiled(const Fixture *fixture, const Function *function) {
    void *address = loaded_address(fixture->code, function->name);
    assert_non_null(address);
    Compiled result;
    memcpy(&result, &address, sizeof result);
    return result;
}

/* ---- errors -------------------------------------------------------------------------------- */

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Distance in units in the last place of the exact result, or of `least` if that is larger; an f32
 * infinity counts as 2^128. */
static double ulp_error(float actual, double exact, double least) {
    if (isnan(exact) || isnan(actual))
        return isnan(exact) && isnan(actual) ? 0 : INFINITY;
    if (isinf(exact) || fabs(exact) >= 0x1p128)
        return actual == (exact > 0 ? INFINITY : -INFINITY) ? 0 : INFINITY;
    double value = isinf(actual) ? copysign(0x1p128, (double)actual) : (double)actual;
    double unit = fmax(fabs(exact), least);
    int exponent = unit == 0 ? -126 : ilogb(unit);
    return fabs(value - exact) / ldexp(1, (exponent < -126 ? -126 : exponent) - 23);
}

/* The largest error over bit patterns 0, stride, 2 stride, ... */
static double worst_error(const Function *function, Compiled compute, float *worst_at) {
    static float x[CHUNK], y[CHUNK];
    double worst = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX;) {
        for (size_t i = 0; i < CHUNK; i++, bits += stride)
            x[i] = float_of_bits(bits <= UINT32_MAX ? (uint32_t)bits : UINT32_MAX);
        compute(x, y);
        for (size_t i = 0; i < CHUNK; i++) {
            double error = ulp_error(y[i], function->exact((double)x[i]), function->least);
            if (!(error <= worst)) {
                worst = error;
                *worst_at = x[i];
            }
        }
    }
    return worst;
}

static void check_errors(const char *cpu, int lanes) {
    Fixture fixture = {0};
    fixture_open(&fixture, cpu, lanes);
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        if (only && strcmp(only, functions[i].name) != 0)
            continue;
        float at = 0;
        double worst = worst_error(&functions[i], compiled(&fixture, &functions[i]), &at);
        printf("%s, %s, %d lanes: at most %.3f ulp, at %a\n", functions[i].name, cpu, lanes, worst,
               (double)at);
        assert_true(worst <= MOST_ULP);
    }
    fixture_close(&fixture);
}

static void errors_are_bounded_on_this_machine(void **state) {
    (void)state;
    check_errors("native", 16);
}

/* Without fused multiply-add the roundings are others. */
static void errors_are_bounded_without_fma(void **state) {
    (void)state;
#if defined __x86_64__
    check_errors("x86-64", 4);
#else
    skip();
#endif
}

static void scalars_work_as_well(void **state) {
    (void)state;
    check_errors("native", 1);
}

/* ---- special values ------------------------------------------------------------------------ */

typedef struct Special {
    int function;
    float x, y;
} Special;

static void special_values_are_exact(void **state) {
    (void)state;
    static const Special specials[] = {
        {0, 0, 1},
        {0, -0.0f, 1},
        {0, INFINITY, INFINITY},
        {0, -INFINITY, 0},
        {0, FLT_MAX, INFINITY},
        {0, -FLT_MAX, 0},
        {0, 88.8f, INFINITY},
        {0, -104, 0},
        {0, 0x1p-149f, 1},
        {1, 0, 0.5f},
        {1, INFINITY, 1},
        {1, -INFINITY, 0},
        {1, -FLT_MAX, 0},
        {1, FLT_MAX, 1},
        {1, 100, 1},
        {2, 0, 0},
        {2, INFINITY, 1},
        {2, -INFINITY, -1},
        {2, FLT_MAX, 1},
        {2, -20, -1},
        {2, 0x1p-149f, 0x1p-149f},
        {2, -0x1p-140f, -0x1p-140f},
        {3, 0, 0},
        {3, -INFINITY, -1},
        {3, -FLT_MAX, -1},
        {3, INFINITY, INFINITY},
        {3, 89, INFINITY},
        {3, 0x1p-140f, 0x1p-140f},
        {4, 1, 0},
        {4, INFINITY, INFINITY},
        {5, -INFINITY, 0},
        {5, INFINITY, INFINITY},
        {5, FLT_MAX, FLT_MAX},
        {5, -104, 0},
        {6, 0, 0.5f},
        {6, INFINITY, 1},
        {6, -INFINITY, 0},
        {6, FLT_MAX, 1},
        {6, -FLT_MAX, 0},
        {6, -20, 0},
        {6, 6, 1},
        {7, INFINITY, 1},
        {7, FLT_MAX, 1},
        {7, -INFINITY, 0},
        {8, 0, 1},
        {8, INFINITY, 0},
        {8, 104, 0},
        {8, FLT_MAX, 0},
    };
    static float x[CHUNK], y[CHUNK];
    Fixture fixture = {0};
    fixture_open(&fixture, "native", 16);
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++) {
        x[0] = specials[i].x;
        compiled(&fixture, &functions[specials[i].function])(x, y);
        assert_true(y[0] == specials[i].y);
    }
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        x[0] = NAN;
        x[1] = -NAN;
        compiled(&fixture, &functions[i])(x, y);
        assert_true(isnan(y[0]) && isnan(y[1]));
    }
    static const int odd[] = {2, 3}; /* these keep the sign of zero */
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        x[0] = -0.0f;
        compiled(&fixture, &functions[odd[i]])(x, y);
        assert_true(y[0] == 0 && signbit(y[0]));
    }
    fixture_close(&fixture);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "all") == 0)
        stride = 1;
    only = argc > 2 ? argv[2] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_bounded_on_this_machine),
        cmocka_unit_test(errors_are_bounded_without_fma),
        cmocka_unit_test(scalars_work_as_well),
        cmocka_unit_test(special_values_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
