/* The building blocks of kernels: floating point and bits. */
#include "ir_fixture.h"

#include <float.h>
#include <math.h>

/* ---- floating point ------------------------------------------------------------------------- */

/* Doubles hold 1 + 2^-40 exactly; the store rounds halves to even. */
static void check_doubles(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    Ir *ir = f->ir;
    IrValue one = ir_load_f64(ir, in);
    IrValue tiny = ir_f64(ir, 0x1p-40);
    IrValue sum = ir_fsub(ir, ir_fadd(ir, one, tiny), one);
    ir_store_f64(ir, out, sum);
    ir_store_f64(ir, ir_at_const(ir, out, 1), ir_fadd(ir, one, ir_f64(ir, 0x1p-24)));
    ir_store_f64(ir, ir_at_const(ir, out, 2), ir_fadd(ir, one, ir_f64(ir, 0x3p-24)));
    ir_store_f64(ir, ir_at_const(ir, out, 3), ir_fdiv(ir, one, ir_fsqrt(ir, ir_f64(ir, 3))));
    Function function = function_end(f);
    f->in[0] = 1;
    function(f->in, f->out);
    assert_int_equal(bits_of(f->out[0]), bits_of(0x1p-40F));
    assert_int_equal(bits_of(f->out[1]), bits_of(1.0F));
    assert_int_equal(bits_of(f->out[2]), bits_of(1.0F + 0x1p-22F));
    assert_int_equal(bits_of(f->out[3]), bits_of((float)(1.0 / sqrt(3.0))));
}

static void doubles(void **state) {
    (void)state;
    for_each_target(check_doubles);
}

/* (1 + 2^-12)^2 - 1 needs 25 bits: one rounding keeps the last, two lose it. */
static void check_fma(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    IrValue a = ir_load(f->ir, in, f->lanes);
    IrValue minus_one = ir_f32_vector(f->ir, -1, f->lanes);
    ir_store(f->ir, out, ir_fma(f->ir, a, a, minus_one), f->lanes);
    Function function = function_end(f);
    for (int i = 0; i < f->lanes; i++)
        f->in[i] = 1.0F + 0x1p-12F;
    function(f->in, f->out);
    float expected = f->target->machine->fused ? 0x1p-11F + 0x1p-24F : 0x1p-11F;
    for (int i = 0; i < f->lanes; i++)
        assert_int_equal(bits_of(f->out[i]), bits_of(expected));
}

static void fused_where_the_machine_can(void **state) {
    (void)state;
    for_each_target(check_fma);
}

/* Sums stay in the order they were written in, products and sums apart. */
static void check_order(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    Ir *ir = f->ir;
    IrValue a = ir_load(ir, in, 1), b = ir_load(ir, ir_at_const(ir, in, 1), 1);
    store_at(f, out, 0, ir_fsub(ir, ir_fadd(ir, a, b), a));
    store_at(f, out, 1, ir_fadd(ir, ir_fmul(ir, b, b), ir_f32(ir, -1)));
    store_at(f, out, 2, ir_fdiv(ir, ir_fneg(ir, ir_f32(ir, 1)), ir_fabs(ir, a)));
    Function function = function_end(f);
    f->in[0] = -0x1p24F;
    f->in[1] = 1.0F + 0x1p-12F;
    function(f->in, f->out);
    assert_exactly(f->out[0], 1.0F);
    assert_int_equal(bits_of(f->out[1]), bits_of(0x1p-11F));
    assert_int_equal(bits_of(f->out[2]), bits_of(-0x1p-24F));
}

static void order_is_kept(void **state) {
    (void)state;
    for_each_target(check_order);
}

static void check_fmax(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    Ir *ir = f->ir;
    for (int lanes = 1; lanes <= f->lanes; lanes *= 2) { /* rows of 16: all widths */
        IrValue a = ir_load(ir, in, lanes);
        IrValue b = ir_load(ir, ir_at_const(ir, in, 16), lanes);
        ir_store(ir, ir_at_const(ir, out, 16 * lanes), ir_fmax(ir, a, b), lanes);
        ir_store(ir, ir_at_const(ir, out, 16 * lanes + 256), ir_fmax(ir, b, a), lanes);
    }
    Function function = function_end(f);
    const float a[4] = {NAN, 1, -INFINITY, -2}, b[4] = {1, NAN, -3, 5};
    for (int i = 0; i < 16; i++) {
        f->in[i] = a[i % 4];
        f->in[16 + i] = b[i % 4];
    }
    function(f->in, f->out);
    for (int lanes = 1; lanes <= f->lanes; lanes *= 2) {
        for (int i = 0; i < lanes; i++) {
            for (int swapped = 0; swapped < 2; swapped++) {
                float result = f->out[16 * lanes + 256 * swapped + i];
                if (i % 4 < 2)
                    assert_true(isnan(result));
                else
                    assert_exactly(result, (i % 4 == 2 ? -3.0F : 5.0F));
            }
        }
    }
}

static void maximum_keeps_nan(void **state) {
    (void)state;
    for_each_target(check_fmax);
}

static void check_reductions(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    Ir *ir = f->ir;
    IrValue vector = ir_load(ir, in, f->lanes);
    store_at(f, out, 0, ir_reduce_add(ir, vector, f->lanes));
    store_at(f, out, 1, ir_reduce_max(ir, vector, f->lanes));
    store_at(f, out, 2, ir_reduce_add(ir, ir_lane(ir, vector, 1), 1));
    Function function = function_end(f);
    for (int i = 0; i < f->lanes; i++)
        f->in[i] = (float)(i + 1);
    function(f->in, f->out);
    assert_exactly(f->out[0], (float)(f->lanes * (f->lanes + 1) / 2));
    assert_exactly(f->out[1], (float)f->lanes);
    assert_exactly(f->out[2], 2);
    for (int place = 0; place < f->lanes; place++) {
        f->in[place] = NAN;
        function(f->in, f->out);
        assert_true(isnan(f->out[0]));
        assert_true(isnan(f->out[1]));
        f->in[place] = 1;
    }
}

static void reductions(void **state) {
    (void)state;
    for_each_target(check_reductions);
}

/* Four comparisons and what a select makes of them: rows of 1 and 0. */
static void check_comparisons(Fixture *f) {
    static const IrCompare compares[4] = {IR_LESS, IR_GREATER, IR_LESS_EQUAL, IR_NOT_NUMBER};
    IrValue in, out;
    function_begin(f, &in, &out);
    Ir *ir = f->ir;
    IrValue one = ir_f32_vector(ir, 1, 4), zero = ir_f32_vector(ir, 0, 4);
    IrValue a = ir_load(ir, in, 4), b = ir_load(ir, ir_at_const(ir, in, 4), 4);
    for (int i = 0; i < 4; i++)
        ir_store(ir, ir_at_const(ir, out, 4 * i),
                 ir_select(ir, ir_fcompare(ir, compares[i], a, b), one, zero), 4);
    Function function = function_end(f);
    const float pairs[8] = {1, 2, 2, NAN, 2, 1, 2, 0};
    memcpy(f->in, pairs, sizeof pairs);
    function(f->in, f->out);
    const float expected[16] = {1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1};
    for (int i = 0; i < 16; i++)
        assert_exactly(f->out[i], expected[i]);
}

static void comparisons(void **state) {
    (void)state;
    for_each_target(check_comparisons);
}

/* ---- bits ----------------------------------------------------------------------------------- */

/* Scaling by powers of two, down to denormal numbers and up to infinity, and numbers from a table,
 * where there are instructions; quotients by 1 to 2. */
static void check_scales(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    Ir *ir = f->ir;
    IrValue value = ir_load(ir, in, f->lanes),
            factor = ir_load(ir, ir_at_const(ir, in, 16), f->lanes);
    ir_store(ir, out, ir_quotient(ir, value, factor, f->lanes), f->lanes);
    bool scales = ir_has_lookup(ir, f->lanes);
    double table[16];
    for (int i = 0; i < 16; i++)
        table[i] = 100 + i;
    if (scales) {
        IrValue power = ir_load(ir, ir_at_const(ir, in, 32), f->lanes);
        ir_store(ir, ir_at_const(ir, out, 16), ir_scale(ir, factor, power), f->lanes);
        ir_store(ir, ir_at_const(ir, out, 32), ir_lookup(ir, table, ir_as_i32(ir, factor)),
                 f->lanes);
    }
    Function function = function_end(f);
    static const float powers[16] = {0,    1,    -1,   127, 128, -126, -127, -140,
                                     -149, -150, -151, 24,  -24, 64,   NAN,  3};
    for (int i = 0; i < 16; i++) {
        f->in[i] = i == 14 ? NAN : (float)(i - 8) / 8;
        f->in[16 + i] = 1 + (float)i / 15;
        f->in[32 + i] = powers[i];
    }
    function(f->in, f->out);
    for (int i = 0; i < f->lanes; i++) {
        float quotient = f->in[i] / f->in[16 + i];
        assert_true(isnan(quotient)
                        ? isnan(f->out[i])
                        : fabsf(f->out[i] - quotient) <= 1.5F * FLT_EPSILON * fabsf(quotient));
        if (scales && i != 14)
            assert_exactly(f->out[16 + i], ldexpf(f->in[16 + i], (int)powers[i]));
        uint32_t bits;
        memcpy(&bits, &f->in[16 + i], sizeof bits);
        if (scales)
            assert_exactly(f->out[32 + i], 100 + (float)(bits % 16));
    }
    assert_true(!scales || isnan(f->out[16 + 14]));
}

static void scales_and_quotients(void **state) {
    (void)state;
    for_each_target(check_scales);
}

/* 2^n built from its exponent; the magnitude by a mask; the sign put back; an arithmetic shift. */
static void check_bits(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    Ir *ir = f->ir;
    int lanes = f->lanes;
    IrValue value = ir_load(ir, in, lanes);
    IrValue biased = ir_fadd(ir, value, ir_f32_vector(ir, 3 * 0x1p22 + 127, lanes));
    IrValue power = ir_ishift_left(ir, ir_as_i32(ir, biased), 23);
    ir_store(ir, out, ir_as_f32(ir, power), lanes);
    IrValue magnitude = ir_iand(ir, ir_as_i32(ir, value), ir_i32_vector(ir, INT32_MAX, lanes));
    ir_store(ir, ir_at_const(ir, out, 16), ir_as_f32(ir, magnitude), lanes);
    IrValue negative = ir_ior(ir, magnitude, ir_i32_vector(ir, INT32_MIN, lanes));
    ir_store(ir, ir_at_const(ir, out, 32), ir_as_f32(ir, negative), lanes);
    IrValue minus_nine = ir_isub(ir, ir_i32_vector(ir, -9, lanes), ir_i32_vector(ir, 0, lanes));
    IrValue shifted = ir_ishift_right(ir, minus_nine, 2);
    ir_store(ir, ir_at_const(ir, out, 48), ir_i32_to_f32(ir, shifted), lanes);
    Function function = function_end(f);
    for (int i = 0; i < lanes; i++)
        f->in[i] = (float)(i - lanes / 2);
    function(f->in, f->out);
    for (int i = 0; i < lanes; i++) {
        assert_exactly(f->out[i], ldexpf(1, i - lanes / 2));
        assert_exactly(f->out[16 + i], fabsf(f->in[i]));
        assert_int_equal(bits_of(f->out[32 + i]), bits_of(-fabsf(f->in[i])));
        assert_exactly(f->out[48 + i], -3);
    }
}

static void bit_patterns(void **state) {
    (void)state;
    for_each_target(check_bits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles),
        cmocka_unit_test(fused_where_the_machine_can),
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(maximum_keeps_nan),
        cmocka_unit_test(reductions),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(scales_and_quotients),
        cmocka_unit_test(bit_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
