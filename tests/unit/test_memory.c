/* Offsets in the arena: lifetimes that overlap never share bytes, the arena is close to the least
 * possible, and steps write in place where they may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "plan_network.h"

/* A plan of `step_count` steps that only name buffers, at most `most_inputs` each. */
static void add_steps(Network *net, int step_count, size_t most_inputs) {
    for (int i = 0; i < step_count; i++) {
        Step *step = ARENA_NEW(&net->arena, Step);
        step->kind = STEP_COPY;
        step->inputs = ARENA_ARRAY(&net->arena, most_inputs, View);
        step->output.buffer = ARENA_NEW(&net->arena, Buffer);
        step->output.buffer->place = PLACE_OUTPUT;
        VEC_PUSH(&net->arena, &net->plan.steps, step);
    }
}

static void read_at(Network *net, int step, Buffer *buffer) {
    Step *reader = net->plan.steps.data[step];
    reader->inputs[reader->input_count++].buffer = buffer;
}

static Buffer *add_buffer(Network *net, int64_t floats, int first, int last) {
    Buffer *buffer = ARENA_NEW(&net->arena, Buffer);
    buffer->place = PLACE_ARENA;
    buffer->elements = floats;
    VEC_PUSH(&net->arena, &net->plan.buffers, buffer);
    read_at(net, first, buffer);
    if (last != first)
        read_at(net, last, buffer);
    return buffer;
}

static void add_random(Network *net, int count, int step_count) {
    add_steps(net, step_count, (size_t)count);
    for (int i = 0; i < count; i++) {
        int first = (int)(random_bits(&net->random) % (unsigned)step_count);
        int most = random_bits(&net->random) % 4 == 0 ? step_count - first : 4;
        int last = first + (int)(random_bits(&net->random) % (unsigned)most);
        add_buffer(net, 1 + random_bits(&net->random) % 5000, first,
                   last < step_count ? last : step_count - 1);
    }
}

static int64_t bytes_of(const Buffer *buffer) {
    return (buffer->elements * 4 + 63) / 64 * 64;
}

static bool meet(const Buffer *a, const Buffer *b) {
    return a->first_step <= b->last_step && b->first_step <= a->last_step;
}

/* Bytes of the busiest step. */
static int64_t lower_bound(const Plan *plan) {
    int64_t bound = 0;
    for (size_t step = 0; step < plan->steps.count; step++) {
        int64_t bytes = 0;
        for (size_t i = 0; i < plan->buffers.count; i++) {
            const Buffer *buffer = plan->buffers.data[i];
            if (buffer->first_step <= (int)step && (int)step <= buffer->last_step)
                bytes += bytes_of(buffer);
        }
        bound = bytes > bound ? bytes : bound;
    }
    return bound;
}

static void check_placement(const Plan *plan) {
    int64_t end = 0;
    for (size_t i = 0; i < plan->buffers.count; i++) {
        const Buffer *a = plan->buffers.data[i];
        assert_int_equal(a->offset % 64, 0);
        assert_true(a->offset >= 0);
        end = a->offset + bytes_of(a) > end ? a->offset + bytes_of(a) : end;
        for (size_t k = 0; k < i; k++) {
            const Buffer *b = plan->buffers.data[k];
            assert_true(!meet(a, b) || a->offset + bytes_of(a) <= b->offset ||
                        b->offset + bytes_of(b) <= a->offset);
        }
    }
    assert_int_equal(plan->arena_bytes, end);
}

static void test_random_lifetimes(void **state) {
    (void)state;
    double ratios = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        Network net;
        network_begin(&net, MACHINE_AVX2, seed);
        add_random(&net, 1 + (int)(seed % 50), 1 + (int)(seed % 30));
        assert_true(plan_memory(&net.plan, &net.diagnostics));
        check_placement(&net.plan);
        double ratio = (double)net.plan.arena_bytes / (double)lower_bound(&net.plan);
        assert_true(ratio >= 1 && ratio < 1.5);
        ratios += ratio;
        network_end(&net);
    }
    assert_true(ratios / 200 < 1.05);
}

/* More pairs of neighbours than all orders are tried for: then in the order of time. */
static void test_many_at_once(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 7);
    add_random(&net, 6000, 200);
    assert_true(plan_memory(&net.plan, &net.diagnostics));
    int64_t pairs = 0;
    for (size_t i = 0; i < net.plan.buffers.count; i++)
        for (size_t k = 0; k < i; k++)
            pairs += meet(net.plan.buffers.data[i], net.plan.buffers.data[k]);
    assert_true(pairs > 1 << 20);
    check_placement(&net.plan);
    assert_true((double)net.plan.arena_bytes / (double)lower_bound(&net.plan) < 1.2);
    network_end(&net);
}

/* The least arena over all orders of placing, each buffer at its lowest possible offset. */
static int64_t least_arena(Buffer **buffers, int64_t *offsets, int placed, int count) {
    int64_t least = INT64_MAX;
    if (placed == count) {
        least = 0;
        for (int i = 0; i < count; i++)
            if (least < offsets[i] + bytes_of(buffers[i]))
                least = offsets[i] + bytes_of(buffers[i]);
        return least;
    }
    for (int next = placed; next < count; next++) {
        Buffer *buffer = buffers[next];
        buffers[next] = buffers[placed];
        buffers[placed] = buffer;
        int64_t offset = 0;
        for (int k = 0; k < placed; k++) /* until nothing moves it any further */
            if (meet(buffer, buffers[k]) && offset < offsets[k] + bytes_of(buffers[k]) &&
                offsets[k] < offset + bytes_of(buffer)) {
                offset = offsets[k] + bytes_of(buffers[k]);
                k = -1;
            }
        offsets[placed] = offset;
        int64_t arena = least_arena(buffers, offsets, placed + 1, count);
        least = arena < least ? arena : least;
        buffers[placed] = buffers[next];
        buffers[next] = buffer;
    }
    return least;
}

static void test_against_all_orders(void **state) {
    (void)state;
    int optimal = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        Network net;
        network_begin(&net, MACHINE_AVX2, seed);
        add_random(&net, 6, 6);
        assert_true(plan_memory(&net.plan, &net.diagnostics));
        check_placement(&net.plan);
        Buffer *buffers[6];
        int64_t offsets[6];
        memcpy(buffers, net.plan.buffers.data, sizeof buffers);
        int64_t least = least_arena(buffers, offsets, 0, 6);
        assert_true(net.plan.arena_bytes >= least);
        assert_true((double)net.plan.arena_bytes <= 1.3 * (double)least);
        optimal += net.plan.arena_bytes == least;
        network_end(&net);
    }
    assert_true(optimal >= 90);
}

/* A long chain: two buffers at a time, in time that does not grow with the square. */
static void test_chain(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 1);
    add_steps(&net, 50001, 2);
    for (int i = 0; i < 50000; i++)
        add_buffer(&net, i % 2 ? 160 : 320, i, i + 1);
    assert_true(plan_memory(&net.plan, &net.diagnostics));
    assert_int_equal(net.plan.arena_bytes, (160 + 320) * 4);
    network_end(&net);
}

/* Nothing takes the place of anything else. */
static void test_kept(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 1);
    net.plan.keeps = true;
    Value *value = net_input(&net, "x", shape_make(1, 64));
    for (int i = 0; i < 4; i++) {
        add_steps(&net, 1, 1);
        Step *step = net.plan.steps.data[i];
        step->kind = STEP_MAP;
        step->output.buffer = ARENA_NEW(&net.arena, Buffer);
        *step->output.buffer = (Buffer){.place = PLACE_ARENA, .elements = 64, .name = value->name};
        VEC_PUSH(&net.arena, &net.plan.buffers, step->output.buffer);
        if (i > 0)
            read_at(&net, i, net.plan.buffers.data[i - 1]);
    }
    assert_true(plan_memory(&net.plan, &net.diagnostics));
    check_placement(&net.plan);
    assert_int_equal(net.plan.buffers.count, 4);
    assert_int_equal(net.plan.arena_bytes, 4 * 64 * 4);
    network_end(&net);
}

/* ---- several samples ------------------------------------------------------------------------ */

/* A call of a random plan for several samples, which writes a number of its own over the bytes of
 * every buffer and sample as it is first needed, and looks for it where it is needed last. */
typedef struct Call {
    const Plan *plan;
    const Buffer *lives; /* the buffers as they were before plan_memory: with their own steps */
    int *owners;         /* of each 64 bytes of the arena */
} Call;

static int64_t unit_of(const Plan *plan, const Buffer *buffer, int64_t sample, int thread) {
    int64_t distance =
        holds_samples(buffer) ? sample * buffer->sample_stride * 4 : thread * plan->thread_bytes;
    return (buffer->offset + distance) / 64;
}

static void do_step(const Call *call, int step, int64_t sample, int thread) {
    for (int pass = 0; pass < 2; pass++) /* all of them are needed at the step together */
        for (size_t i = 0; i < call->plan->buffers.count; i++) {
            const Buffer *buffer = call->plan->buffers.data[i];
            int64_t begin = unit_of(call->plan, buffer, sample, thread);
            int64_t end = begin + (buffer->elements + 15) / 16;
            int owner = (int)(i * 64) + (int)sample + 1;
            bool writes = pass == 0 && call->lives[i].first_step == step;
            bool reads = pass == 1 && call->lives[i].last_step == step;
            assert_true(end <= call->plan->arena_bytes / 64);
            for (int64_t unit = begin; unit < end && (writes || reads); unit++) {
                if (writes)
                    call->owners[unit] = owner;
                assert_int_equal(call->owners[unit], owner);
            }
        }
}

/* Threads keep in step, each with a sample of its own. */
static void do_call(const Call *call) {
    const Plan *plan = call->plan;
    int threads = plan->threads > 1 ? plan->threads : 1;
    for (size_t begin = 0, end; begin < plan->steps.count; begin = end) {
        end = plan_run_end(plan, begin);
        for (int64_t sample = 0; sample < plan->batch; sample += threads)
            for (size_t i = begin; i < end; i++) /* one step, if it is together */
                for (int t = 0; t < threads && sample + t < plan->batch; t++)
                    do_step(call, (int)i, sample + t, t);
    }
}

static void test_samples(void **state) {
    (void)state;
    int several = 0, single = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        Network net;
        network_begin(&net, MACHINE_AVX2, seed);
        add_random(&net, 1 + (int)(seed % 40), 1 + (int)(seed % 20));
        Plan *plan = &net.plan;
        plan->batch = 2 + (int)(seed % 5);
        plan->threads = (int)(seed % 4);
        assert_true(plan_batch(plan, &net.diagnostics));
        for (size_t i = 0; i < plan->steps.count; i++)
            plan->steps.data[i]->together = random_bits(&net.random) % 4 == 0;
        Buffer *lives = ARENA_ARRAY(&net.arena, plan->buffers.count, Buffer);
        for (size_t i = 0; i < plan->buffers.count; i++)
            lives[i] = *plan->buffers.data[i];
        assert_true(plan_memory(plan, &net.diagnostics));
        for (size_t i = 0; i < plan->buffers.count; i++) {
            const Buffer *buffer = plan->buffers.data[i];
            assert_true(buffer->sample_stride >= buffer->elements);
            assert_int_equal(buffer->offset % 64, 0);
            assert_int_equal(buffer->sample_stride % 16, 0);
            *(buffer->samples > 1 ? &several : &single) += 1;
        }
        size_t units = (size_t)plan->arena_bytes / 64;
        Call call = {plan, lives, ARENA_ARRAY(&net.arena, units, int)};
        do_call(&call);
        network_end(&net);
    }
    assert_true(several > 100 && single > 100);
}

static void test_too_many_samples(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 1);
    add_steps(&net, 2, 1);
    add_buffer(&net, INT64_C(1) << 55, 0, 1);
    net.plan.batch = PLAN_MAX_BATCH;
    assert_false(plan_batch(&net.plan, &net.diagnostics));
    assert_int_equal(net.diagnostics.error_count, 1);
    assert_int_equal(net.diagnostics.list.data[0]->code, DIAG_E0802);
    network_end(&net);
}

static void test_out_of_bounds(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 1);
    add_steps(&net, 2, 5);
    for (int i = 0; i < 5; i++)
        add_buffer(&net, INT64_C(1) << 59, 0, 1); /* 2^61 bytes each */
    assert_false(plan_memory(&net.plan, &net.diagnostics));
    assert_int_equal(net.diagnostics.error_count, 1);
    assert_int_equal(net.diagnostics.list.data[0]->code, DIAG_E0802);
    network_end(&net);
}

/* ---- in place ------------------------------------------------------------------------------- */

static void finish(Network *net) {
    plan_fuse(&net->plan);
    assert_true(plan_layout(&net->plan, &net->diagnostics));
    assert_true(plan_tile(&net->plan, &net->diagnostics));
    assert_true(plan_memory(&net->plan, &net->diagnostics));
}

static const Geometry point = {1, 1, 1, 0, 0};
static const Geometry same3 = {3, 1, 1, 1, 1};

static const Step *last_of_kind(const Network *net, StepKind kind) {
    for (size_t i = net->plan.steps.count; i-- > 0;)
        if (net->plan.steps.data[i]->kind == kind)
            return net->plan.steps.data[i];
    fail();
    return NULL;
}

static void test_residual_in_place(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 1);
    Value *x = net_conv(&net, net_input(&net, "x", shape_make(3, 8, 6, 6)), 16, point, 1, true);
    Value *y = net_conv(&net, net_conv(&net, x, 8, point, 1, true), 16, point, 1, true);
    net_return(&net, net_mean(&net, net_add(&net, y, x)));
    finish(&net);
    const Step *conv = last_of_kind(&net, STEP_CONV);
    assert_int_equal(conv->input_count, 2);
    assert_ptr_equal(conv->output.buffer, conv->inputs[1].buffer);
    assert_int_equal(net.plan.arena_bytes, (16 + 8) * 36 * 4);
    network_end(&net);
}

/* Both sides of the sum have the same halo: the second needs no zeros of its own. */
static void test_residual_keeps_halo(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 1);
    Value *x = net_conv(&net, net_input(&net, "x", shape_make(3, 8, 6, 6)), 8, point, 1, true);
    for (int i = 0; i < 3; i++) {
        Value *y = net_conv(&net, net_conv(&net, x, 8, same3, 1, true), 8, same3, 1, true);
        x = net_add(&net, y, x);
    }
    net_return(&net, net_mean(&net, net_conv(&net, x, 8, same3, 1, true)));
    finish(&net);
    int zeros = 0;
    for (size_t i = 0; i < net.plan.steps.count; i++)
        zeros += net.plan.steps.data[i]->kind == STEP_ZERO;
    assert_int_equal(zeros, 4); /* the stem, and the middle of each block */
    assert_int_equal(net.plan.arena_bytes, 2 * 8 * 64 * 4);
    network_end(&net);
}

static void test_not_in_place(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 1);
    Value *x = net_conv(&net, net_input(&net, "x", shape_make(3, 8, 6, 6)), 8, point, 1, true);
    Value *y = net_add(&net, net_window(&net, x, same3, false, false, false), x);
    net_return(&net, net_mean(&net, y)); /* the window reads its neighbours */
    finish(&net);
    const Step *window = last_of_kind(&net, STEP_WINDOW);
    assert_ptr_equal(window->inputs[0].buffer, window->inputs[1].buffer);
    assert_ptr_not_equal(window->output.buffer, window->inputs[0].buffer);
    network_end(&net);

    network_begin(&net, MACHINE_AVX2, 1);
    x = net_conv(&net, net_input(&net, "x", shape_make(3, 8, 6, 6)), 8, point, 1, true);
    y = net_map(&net, x, MAP_RELU); /* x is still needed after it */
    net_return(&net, net_mean(&net, net_conv(&net, y, 8, point, 1, false)));
    net_return(&net, net_mean(&net, x));
    finish(&net);
    const Step *map = last_of_kind(&net, STEP_MAP);
    assert_ptr_not_equal(map->output.buffer, map->inputs[0].buffer);
    network_end(&net);
}

/* The same bytes, but rows apart: writing there would spoil rows that are still to be read. */
static void test_not_in_another_place(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 1);
    Value *x = net_input(&net, "x", shape_make(3, 8, 4, 6));
    Value *z = net_input(&net, "z", shape_make(3, 8, 2, 6));
    Value *a = net_conv(&net, x, 8, point, 1, true);
    Value *p = net_conv(&net, z, 8, point, 1, true);
    net_return(&net, net_mean(&net, net_concat(&net, (Value *[]){a, p}, 2, 1)));
    Value *y = net_map(&net, a, MAP_TANH); /* row 0 of the one concat to row 2 of the other */
    Value *q = net_conv(&net, z, 8, point, 1, true);
    net_return(&net, net_mean(&net, net_concat(&net, (Value *[]){q, y}, 2, 1)));
    finish(&net);
    const Step *map = last_of_kind(&net, STEP_MAP);
    assert_int_equal(map->inputs[0].buffer->elements, map->output.buffer->elements);
    assert_ptr_not_equal(map->inputs[0].buffer, map->output.buffer);
    network_end(&net);
}

/* The same place in two concats: the second may take the buffer of the first unless it holds
 * something already. */
static void test_between_concats(void **state) {
    (void)state;
    for (int before = 0; before < 2; before++) {
        Network net;
        network_begin(&net, MACHINE_AVX2, 1);
        Value *x = net_input(&net, "x", shape_make(3, 8, 4, 6));
        Value *z = net_input(&net, "z", shape_make(3, 8, 2, 6));
        Value *a = net_conv(&net, x, 8, point, 1, true);
        Value *p = net_conv(&net, z, 8, point, 1, true);
        net_return(&net, net_mean(&net, net_concat(&net, (Value *[]){a, p}, 2, 1)));
        Value *q = before ? net_conv(&net, z, 8, point, 1, true) : NULL;
        Value *y = net_map(&net, a, MAP_TANH);
        q = q ? q : net_conv(&net, z, 8, point, 1, true);
        net_return(&net, net_mean(&net, net_concat(&net, (Value *[]){y, q}, 2, 1)));
        finish(&net);
        const Step *map = last_of_kind(&net, STEP_MAP);
        assert_int_equal(map->inputs[0].buffer == map->output.buffer, !before);
        network_end(&net);
    }
}

static void test_map_in_place(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 1);
    Value *x = net_conv(&net, net_input(&net, "x", shape_make(3, 8, 6, 6)), 8, point, 1, true);
    net_return(&net, net_mean(&net, x));
    net_return(&net, net_mean(&net, net_map(&net, x, MAP_TANH)));
    finish(&net);
    const Step *map = last_of_kind(&net, STEP_MAP);
    assert_ptr_equal(map->output.buffer, map->inputs[0].buffer);
    assert_int_equal(net.plan.arena_bytes, 8 * 36 * 4);
    network_end(&net);
}

static void test_packed_offsets(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX512, 1);
    Value *x = net_input(&net, "x", shape_make(1, 3));
    net_return(&net, net_dense(&net, net_dense(&net, x, 5, true), 7, true));
    finish(&net);
    int64_t end = 0;
    for (size_t i = 0; i < net.plan.packed.count; i++) {
        const Packed *packed = net.plan.packed.data[i];
        assert_int_equal(packed->offset, end);
        end = (packed->offset + packed->floats * 4 + 63) / 64 * 64;
    }
    assert_int_equal(net.plan.packed.count, 4);
    assert_int_equal(net.plan.packed_bytes, end);
    network_end(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_lifetimes),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_against_all_orders),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_too_many_samples),
        cmocka_unit_test(test_out_of_bounds),
        cmocka_unit_test(test_residual_in_place),
        cmocka_unit_test(test_residual_keeps_halo),
        cmocka_unit_test(test_not_in_place),
        cmocka_unit_test(test_not_in_another_place),
        cmocka_unit_test(test_between_concats),
        cmocka_unit_test(test_map_in_place),
        cmocka_unit_test(test_packed_offsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
