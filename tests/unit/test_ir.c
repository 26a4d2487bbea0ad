/* The building blocks of kernels: indices, loops, memory. */
#include "ir_fixture.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- indices -------------------------------------------------------------------------------- */

/* in[i] = i turns an index into the number it is. `seven` is not known to be constant. */
static void check_index_arithmetic(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    Ir *ir = f->ir;
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 7), ir_i64(ir, 9), 1, NULL, 0);
    IrValue seven = loop.index; /* 7, then 8 */
    IrValue indices[] = {
        ir_add(ir, seven, ir_i64(ir, 3)),
        ir_sub(ir, seven, ir_i64(ir, 3)),
        ir_mul(ir, seven, seven),
        ir_mul_const(ir, seven, 0),
        ir_mul_const(ir, seven, 1),
        ir_mul_const(ir, seven, 5),
        ir_add_const(ir, seven, 0),
        ir_add_const(ir, seven, -4),
        ir_div_const(ir, ir_mul_const(ir, seven, 9), 4),
        ir_rem_const(ir, ir_mul_const(ir, seven, 9), 4),
        ir_div_const(ir, seven, 1),
        ir_min(ir, seven, ir_i64(ir, 8)),
        ir_max(ir, seven, ir_i64(ir, 8)),
        ir_min(ir, ir_i64(ir, -3), ir_add_const(ir, seven, 3)),
        ir_min(ir, ir_i64(ir, 4), ir_i64(ir, 5)),
        ir_max(ir, ir_i64(ir, 4), ir_i64(ir, 5)),
    };
    const int count = sizeof indices / sizeof *indices;
    IrValue row = ir_at(ir, out, ir_mul_const(ir, ir_add_const(ir, seven, -7), 16));
    for (int i = 0; i < count; i++) {
        IrValue number = ir_load(ir, ir_at(ir, ir_at_const(ir, in, 100), indices[i]), 1);
        store_at(f, row, i, number);
    }
    ir_loop_end(ir, &loop);
    Function function = function_end(f);
    for (int i = 0; i < MANY; i++)
        f->in[i] = (float)(i - 100);
    function(f->in, f->out);
    const float expected[2][16] = {
        {10, 4, 49, 0, 7, 35, 7, 3, 15, 3, 7, 7, 8, -3, 4, 5},
        {11, 5, 64, 0, 8, 40, 8, 4, 18, 0, 8, 8, 8, -3, 4, 5},
    };
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < count; i++)
            assert_exactly(f->out[turn * 16 + i], expected[turn][i]);
}

static void index_arithmetic(void **state) {
    (void)state;
    for_each_target(check_index_arithmetic);
}

/* ---- loops ---------------------------------------------------------------------------------- */

/* Sum of in[begin], in[begin + step], ... below end, into out[place]. */
static void sum_loop(Fixture *f, IrValue in, IrValue out, int64_t place, IrValue begin, IrValue end,
                     int64_t step) {
    IrValue sum[2] = {ir_f32(f->ir, 0.5), ir_f32(f->ir, 0)};
    IrLoop loop = ir_loop_begin(f->ir, begin, end, step, sum, 2);
    sum[0] = ir_fadd(f->ir, sum[0], ir_load(f->ir, ir_at(f->ir, in, loop.index), 1));
    sum[1] = ir_fadd(f->ir, sum[1], ir_f32(f->ir, 1));
    ir_loop_end(f->ir, &loop);
    store_at(f, out, place, sum[0]);
    store_at(f, out, place + 1, sum[1]);
}

static void check_constant_loops(Fixture *f) {
    const struct {
        int64_t begin, end, step;
        float sum, turns;
    } loops[] = {
        {0, 10, 1, 45.5F, 10}, {0, 0, 1, 0.5F, 0}, {5, 3, 1, 0.5F, 0}, {4, 5, 1, 4.5F, 1},
        {0, 10, 3, 18.5F, 4},  {0, 9, 3, 9.5F, 3}, {2, 4, 3, 2.5F, 1}, {0, 3, 3, 0.5F, 1},
    };
    const int count = sizeof loops / sizeof *loops;
    IrValue in, out;
    function_begin(f, &in, &out);
    for (int i = 0; i < count; i++)
        sum_loop(f, in, out, 2 * i, ir_i64(f->ir, loops[i].begin), ir_i64(f->ir, loops[i].end),
                 loops[i].step);
    Function function = function_end(f);
    count_up(f->in, MANY);
    function(f->in, f->out);
    for (int i = 0; i < count; i++) {
        assert_exactly(f->out[2 * i], loops[i].sum);
        assert_exactly(f->out[2 * i + 1], loops[i].turns);
    }
}

static void loops_with_constant_bounds(void **state) {
    (void)state;
    for_each_target(check_constant_loops);
}

/* For n = 0 to 5, out[2n] is the sum of 0 to n - 1: bounds not known, no turn at first. */
static void check_dynamic_loops(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    IrLoop n = ir_loop_begin(f->ir, ir_i64(f->ir, 0), ir_i64(f->ir, 6), 1, NULL, 0);
    IrValue row = ir_at(f->ir, out, ir_mul_const(f->ir, n.index, 2));
    sum_loop(f, in, row, 0, ir_i64(f->ir, 0), n.index, 1);
    ir_loop_end(f->ir, &n);
    Function function = function_end(f);
    count_up(f->in, MANY);
    function(f->in, f->out);
    for (int i = 0; i < 6; i++) {
        assert_exactly(f->out[2 * i], 0.5F + (float)(i * (i - 1)) / 2);
        assert_exactly(f->out[2 * i + 1], (float)i);
    }
}

static void loops_with_dynamic_bounds(void **state) {
    (void)state;
    for_each_target(check_dynamic_loops);
}

/* A value carried through two levels; two values that change places every turn. */
static void check_carried_values(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    Ir *ir = f->ir;
    IrValue values[2] = {ir_load(ir, in, 1), ir_load(ir, ir_at_const(ir, in, 1), 1)};
    IrLoop outer = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, 3), 1, values, 2);
    IrLoop inner = ir_loop_begin(ir, ir_i64(ir, 0), outer.index, 1, values, 2);
    IrValue first = values[0];
    values[0] = ir_fadd(ir, values[1], ir_f32(ir, 1));
    values[1] = first;
    ir_loop_end(ir, &inner);
    ir_loop_end(ir, &outer);
    store_at(f, out, 0, values[0]);
    store_at(f, out, 1, values[1]);
    Function function = function_end(f);
    f->in[0] = 10;
    f->in[1] = 20;
    function(f->in, f->out); /* three turns in all: (21, 10), (11, 21), (22, 11) */
    assert_exactly(f->out[0], 22);
    assert_exactly(f->out[1], 11);
}

static void carried_values(void **state) {
    (void)state;
    for_each_target(check_carried_values);
}

/* out[i] = i where i is below 3 or is 5; branches in a loop. */
static void check_branches(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    Ir *ir = f->ir;
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, 8), 1, NULL, 0);
    IrValue value = ir_load(ir, ir_at(ir, in, loop.index), 1);
    IrIf low = ir_if_begin(ir, ir_less(ir, loop.index, ir_i64(ir, 3)));
    ir_store(ir, ir_at(ir, out, loop.index), value, 1);
    ir_if_end(ir, &low);
    IrIf high = ir_if_begin(ir, ir_less(ir, ir_i64(ir, 5), loop.index));
    ir_store(ir, ir_at(ir, out, loop.index), value, 1);
    ir_if_end(ir, &high);
    ir_loop_end(ir, &loop);
    Function function = function_end(f);
    count_up(f->in, MANY);
    memset(f->out, 0xFF, sizeof f->out);
    function(f->in, f->out);
    for (int i = 0; i < 8; i++) {
        if (i < 3 || i > 5)
            assert_exactly(f->out[i], (float)i);
        else
            assert_true(isnan(f->out[i]));
    }
}

static void branches(void **state) {
    (void)state;
    for_each_target(check_branches);
}

/* ---- memory --------------------------------------------------------------------------------- */

/* A page with an unreadable one on either side. */
typedef struct Guarded {
    char *mapping;
    size_t page;
} Guarded;

static Guarded guarded_new(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *mapping =
        mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(mapping, MAP_FAILED);
    assert_int_equal(mprotect(mapping, page, PROT_NONE), 0);
    assert_int_equal(mprotect(mapping + 2 * page, page, PROT_NONE), 0);
    return (Guarded){mapping, page};
}

/* `count` floats that end where the page does. */
static float *guarded_tail(const Guarded *guarded, size_t count) {
    return (float *)(void *)(guarded->mapping + 2 * guarded->page) - count;
}

static float *guarded_head(const Guarded *guarded) {
    return (float *)(void *)(guarded->mapping + guarded->page);
}

static void guarded_free(Guarded *guarded) {
    munmap(guarded->mapping, 3 * guarded->page);
}

/* Lanes `count` and up are 0 and neither read nor written: a fault would end the test. */
static void check_part(Fixture *f, const Guarded *from, const Guarded *to, int count) {
    IrValue in, out;
    function_begin(f, &in, &out);
    IrValue part = ir_load_part(f->ir, in, f->lanes, count);
    ir_store_part(f->ir, out, part, f->lanes, count);
    Function function = function_end(f);
    size_t size = (size_t)count;
    float *ends[2][2] = {{guarded_head(from), guarded_tail(to, size)},
                         {guarded_tail(from, size), guarded_head(to)}};
    for (int end = 0; end < 2; end++) {
        float *source = ends[end][0], *destination = ends[end][1];
        count_up(source, count);
        memset(guarded_head(to), 0xFF, to->page);
        function(source, destination);
        for (int i = 0; i < count; i++)
            assert_exactly(destination[i], (float)i);
        if (end == 1)
            assert_true(isnan(destination[count]));
        else
            assert_true(isnan(destination[-1]));
    }
}

static void check_parts(Fixture *f) {
    Guarded from = guarded_new(), to = guarded_new();
    for (int count = 1; count <= f->lanes; count++)
        check_part(f, &from, &to, count);
    guarded_free(&from);
    guarded_free(&to);
}

static void parts_touch_nothing_else(void **state) {
    (void)state;
    for_each_target(check_parts);
}

static void check_part_is_zero_filled(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    for (int count = 1; count <= f->lanes; count++)
        ir_store(f->ir, ir_at_const(f->ir, out, (count - 1) * f->lanes),
                 ir_load_part(f->ir, in, f->lanes, count), f->lanes);
    Function function = function_end(f);
    for (int i = 0; i < f->lanes; i++)
        f->in[i] = (float)(i + 1);
    memset(f->out, 0xFF, sizeof f->out);
    function(f->in, f->out);
    for (int count = 1; count <= f->lanes; count++)
        for (int i = 0; i < f->lanes; i++)
            assert_exactly(f->out[(count - 1) * f->lanes + i], (i < count ? (float)(i + 1) : 0.0F));
}

static void parts_are_filled_with_zeros(void **state) {
    (void)state;
    for_each_target(check_part_is_zero_filled);
}

/* The span of a strided access is exactly (count - 1) * stride + 1 floats. */
static void check_stride(Fixture *f, const Guarded *from, const Guarded *to, int count,
                         int64_t stride) {
    IrValue in, out;
    function_begin(f, &in, &out);
    IrValue vector = ir_load_strided(f->ir, in, f->lanes, count, stride);
    ir_store_strided(f->ir, out, vector, f->lanes, count, stride);
    for (int i = 0; i < f->lanes; i++)
        store_at(f, out, -64 + i, ir_lane(f->ir, vector, i));
    Function function = function_end(f);
    size_t span = (size_t)((count - 1) * stride + 1);
    float *source = guarded_tail(from, span), *destination = guarded_tail(to, span);
    count_up(source, (int)span);
    memset(guarded_head(to), 0xFF, to->page);
    function(source, destination);
    for (int i = 0; i < (int)span; i++) {
        if (stride == 0 || i % stride == 0)
            assert_exactly(destination[i], (float)i);
        else
            assert_true(isnan(destination[i]));
    }
    for (int i = 0; i < f->lanes; i++)
        assert_exactly(destination[-64 + i], (i < count ? (float)(i * stride) : 0.0F));
}

static void check_strides(Fixture *f) {
    Guarded from = guarded_new(), to = guarded_new();
    for (int64_t stride = 0; stride <= 3; stride++) {
        check_stride(f, &from, &to, f->lanes, stride);
        check_stride(f, &from, &to, f->lanes - 1, stride);
        check_stride(f, &from, &to, 1, stride);
    }
    guarded_free(&from);
    guarded_free(&to);
}

static void strided_loads_and_stores(void **state) {
    (void)state;
    for_each_target(check_strides);
}

/* Bytes up to the last before a page that cannot be touched, from an odd address. */
static void check_byte_stride(Fixture *f, const Guarded *from, int count, int64_t stride) {
    IrValue in, out;
    function_begin(f, &in, &out);
    IrValue begin = ir_byte_at(f->ir, in, ir_i64(f->ir, 1));
    ir_store(f->ir, out, ir_load_bytes(f->ir, begin, f->lanes, count, stride), f->lanes);
    Function function = function_end(f);
    size_t span = (size_t)((count - 1) * stride + 1), floats = (span + 1 + 3) / 4;
    unsigned char *end = (unsigned char *)(guarded_tail(from, floats) + floats);
    for (size_t i = 0; i < span; i++)
        end[i - span] = (unsigned char)(255 - i);
    function((const float *)(const void *)(end - span - 1), f->out);
    for (int i = 0; i < f->lanes; i++)
        assert_exactly(f->out[i], (i < count ? (float)(255 - i * stride) : 0.0F));
}

static void check_bytes(Fixture *f) {
    Guarded from = guarded_new();
    for (int64_t stride = 0; stride <= 3; stride++) {
        check_byte_stride(f, &from, f->lanes, stride);
        check_byte_stride(f, &from, f->lanes - 1, stride);
        check_byte_stride(f, &from, 1, stride);
    }
    guarded_free(&from);
}

static void bytes_become_numbers(void **state) {
    (void)state;
    for_each_target(check_bytes);
}

static void check_table(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    const double numbers[] = {0.1, -2, 3};
    IrValue table = ir_f32_table(f->ir, numbers, 3, 4);
    assert_ptr_equal(ir_f32_table(f->ir, numbers, 3, 4), table); /* one of equal numbers */
    assert_ptr_not_equal(ir_f32_table(f->ir, numbers, 3, 8), table);
    for (int i = 0; i < 4; i++)
        store_at(f, out, i, ir_load(f->ir, ir_at_const(f->ir, table, i), 1));
    Function function = function_end(f);
    function(f->in, f->out);
    for (int i = 0; i < 4; i++)
        assert_exactly(f->out[i], (i < 3 ? (float)numbers[i] : 0.0F));
}

static void tables_of_constants(void **state) {
    (void)state;
    for_each_target(check_table);
}

static void check_lanes(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    Ir *ir = f->ir;
    int lanes = f->lanes;
    IrValue vector = ir_load(ir, in, lanes);
    IrValue last = ir_lane(ir, vector, lanes - 1);
    ir_store(ir, out, ir_splat(ir, last, lanes), lanes);
    ir_store(ir, ir_at_const(ir, out, lanes), ir_insert(ir, vector, last, 0), lanes);
    store_at(f, out, 2 * lanes, ir_splat(ir, last, 1));
    int half = lanes / 2;
    if (half > 1)
        ir_store(ir, ir_at_const(ir, out, 3 * lanes),
                 ir_widen(ir, ir_load(ir, in, half), half, lanes), lanes);
    Function function = function_end(f);
    count_up(f->in, MANY);
    function(f->in, f->out);
    for (int i = 0; i < lanes; i++) {
        if (half > 1)
            assert_exactly(f->out[3 * lanes + i], (float)(i < half ? i : 0));
        assert_exactly(f->out[i], (float)(lanes - 1));
        assert_exactly(f->out[lanes + i], (i == 0 ? (float)(lanes - 1) : (float)i));
    }
    assert_exactly(f->out[2 * lanes], (float)(lanes - 1));
}

static void lanes_in_and_out(void **state) {
    (void)state;
    for_each_target(check_lanes);
}

/* Zeros in n floats at 32n for n = 0 to 15 and 16, 31 in constant number. */
static void check_fill_zero(Fixture *f) {
    IrValue in, out;
    function_begin(f, &in, &out);
    Ir *ir = f->ir;
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, 14), 1, NULL, 0);
    ir_fill_zero(ir, ir_at(ir, out, ir_mul_const(ir, loop.index, 32)), loop.index);
    ir_loop_end(ir, &loop);
    ir_fill_zero(ir, ir_at_const(ir, out, 14 * 32), ir_i64(ir, 16));
    ir_fill_zero(ir, ir_at_const(ir, out, 15 * 32), ir_i64(ir, 31));
    Function function = function_end(f);
    memset(f->out, 0xFF, sizeof f->out);
    function(f->in, f->out);
    for (int row = 0; row < 16; row++) {
        int zeros = row < 14 ? row : row == 14 ? 16 : 31;
        for (int i = 0; i < 32; i++) {
            if (i < zeros)
                assert_int_equal(bits_of(f->out[32 * row + i]), 0);
            else
                assert_true(isnan(f->out[32 * row + i]));
        }
    }
}

static void fill_zero(void **state) {
    (void)state;
    for_each_target(check_fill_zero);
}

/* Parameter 0 as a table of pointers. */
static void check_pointer_table(Fixture *f) {
    IrValue table, out;
    function_begin(f, &table, &out);
    IrValue third = ir_load_pointer(f->ir, table, 2);
    store_at(f, out, 0, ir_load(f->ir, ir_at_const(f->ir, third, 5), 1));
    Function function = function_end(f);
    count_up(f->in, MANY);
    const float *pointers[3] = {NULL, NULL, f->in};
    function((const float *)(const void *)pointers, f->out);
    assert_exactly(f->out[0], 5);
}

static void table_of_pointers(void **state) {
    (void)state;
    for_each_target(check_pointer_table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_arithmetic),
        cmocka_unit_test(loops_with_constant_bounds),
        cmocka_unit_test(loops_with_dynamic_bounds),
        cmocka_unit_test(carried_values),
        cmocka_unit_test(branches),
        cmocka_unit_test(parts_touch_nothing_else),
        cmocka_unit_test(parts_are_filled_with_zeros),
        cmocka_unit_test(strided_loads_and_stores),
        cmocka_unit_test(bytes_become_numbers),
        cmocka_unit_test(tables_of_constants),
        cmocka_unit_test(lanes_in_and_out),
        cmocka_unit_test(fill_zero),
        cmocka_unit_test(table_of_pointers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
