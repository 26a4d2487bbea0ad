/* What fusing, layout and tiling decide on small networks, and that the numbers stay right. */
#include "plan_interpreter.h"

static const Geometry point = {1, 1, 1, 0, 0};
static const Geometry same3 = {3, 1, 1, 1, 1};
static const Geometry valid3 = {3, 1, 1, 0, 0};
static const Geometry halve = {2, 2, 1, 0, 0};

static int count_kind(const Network *net, StepKind kind) {
    int count = 0;
    for (size_t i = 0; i < net->plan.steps.count; i++)
        count += net->plan.steps.data[i]->kind == kind;
    return count;
}

static const Step *step_at(const Network *net, size_t index) {
    assert_true(index < net->plan.steps.count);
    return net->plan.steps.data[index];
}

/* ---- fusing --------------------------------------------------------------------------------- */

static void test_fuse_batchnorm_and_relu(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 1);
    Value *x = net_input(&net, "x", shape_make(3, 3, 6, 6));
    x = net_map(&net, net_batchnorm(&net, net_conv(&net, x, 8, valid3, 1, false)), MAP_RELU);
    net_return(&net, net_batchnorm(&net, x));
    plan_check(&net);
    assert_int_equal(net.plan.steps.count, 2);
    const Step *conv = step_at(&net, 0);
    assert_string_equal(conv->name, "conv0 + bn1 + map2 + bn3");
    assert_int_equal(conv->affine_count, 1);
    assert_int_equal(conv->epilogue.count, 2);
    assert_int_equal(conv->epilogue.data[0].op, MAP_RELU);
    assert_int_equal(conv->epilogue.data[1].op, MAP_AFFINE);
    assert_non_null(conv->bias); /* the shift of the first batch norm */
    assert_int_equal(step_at(&net, 1)->kind, STEP_COPY);
    network_end(&net);
}

static void test_fuse_residual(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX512, 2);
    Value *x = net_input(&net, "x", shape_make(3, 4, 7, 7));
    Value *a = net_conv(&net, x, 20, point, 1, true);
    Value *b = net_conv(&net, a, 20, same3, 1, true);
    Value *sum = net_map(&net, net_add(&net, a, b), MAP_RELU);
    net_return(&net, sum);
    plan_check(&net);
    assert_int_equal(count_kind(&net, STEP_CONV), 2);
    assert_int_equal(count_kind(&net, STEP_MAP), 0);
    const Step *last = step_at(&net, net.plan.steps.count - 2);
    assert_string_equal(last->name, "conv1 + add2 + map3");
    assert_int_equal(last->input_count, 2);
    assert_int_equal(last->epilogue.data[0].op, MAP_ADD);
    assert_int_equal(last->epilogue.data[0].operand, 1);
    assert_ptr_equal(last->input_values[1], a);
    network_end(&net);
}

/* The operand made last takes the sum in, wherever it stands, and both are ready. */
static void test_fuse_operand_made_last(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 3);
    Value *x = net_input(&net, "x", shape_make(3, 3, 5, 5));
    Value *a = net_conv(&net, x, 8, point, 1, true);
    Value *b = net_conv(&net, x, 8, point, 1, true);
    net_return(&net, net_add(&net, b, a));
    Value *c = net_conv(&net, x, 8, point, 1, true);
    Value *d = net_conv(&net, x, 8, point, 1, true);
    Value *e = net_map(&net, d, MAP_TANH);
    net_return(&net, d); /* used twice: cannot take a step in */
    net_return(&net, net_add(&net, e, c));
    plan_check(&net);
    assert_string_equal(step_at(&net, 1)->name, "conv1 + add2");
    assert_string_equal(step_at(&net, 4)->name, "map5 + add6");
    network_end(&net);
}

static void test_fuse_moves_producer(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 4);
    Value *x = net_input(&net, "x", shape_make(3, 8, 5, 5));
    Value *a = net_conv(&net, x, 8, point, 1, true);
    Value *b = net_conv(&net, x, 8, point, 1, true);
    net_return(&net, b);
    net_return(&net, net_add(&net, a, b)); /* only a can take it in, and must wait for b */
    plan_check(&net);
    assert_string_equal(step_at(&net, 0)->name, "conv1");
    assert_string_equal(step_at(&net, 1)->name, "conv0 + add2");
    network_end(&net);
}

static void test_fuse_sees_through_views(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 5);
    Value *x = net_input(&net, "x", shape_make(1, 10));
    Value *y = net_dense(&net, x, 12, true);
    y = net_view(&net, y, y->type.shape); /* dropout */
    y = net_map(&net, y, MAP_SIGMOID);
    Value *unused = net_dense(&net, y, 5, true);
    net_return(&net, net_view(&net, y, y->type.shape));
    plan_check(&net);
    assert_non_null(unused);
    assert_int_equal(net.plan.steps.count, 1);
    assert_string_equal(step_at(&net, 0)->name, "dense0 + map2");
    assert_int_equal(net.plan.packed.count, 2);
    network_end(&net);
}

/* x - conv(x) begins with what the convolution makes: the difference is turned round. */
static void test_fuse_turns_difference(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 16);
    Value *x = net_input(&net, "x", shape_make(3, 8, 5, 5));
    Value *y = net_conv(&net, x, 8, same3, 1, true);
    net_return(&net, net_combine(&net, x, y, MAP_SUBTRACT));
    plan_check(&net);
    const Step *conv = step_at(&net, net.plan.steps.count - 2); /* a copy to the output follows */
    assert_string_equal(conv->name, "conv0 + sub1");
    assert_int_equal(conv->epilogue.count, 1);
    assert_true(conv->epilogue.data[0].reversed);
    network_end(&net);
}

/* A gate has another shape than what it multiplies: its producer does not take the product in. */
static void test_gate_is_not_exchanged(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 17);
    Value *x = net_input(&net, "x", shape_make(3, 20, 5, 5));
    Value *y = net_conv(&net, x, 20, same3, 1, true);
    Value *gate = net_map(&net, net_dense(&net, net_mean(&net, y), 20, true), MAP_SIGMOID);
    net_return(&net, net_prelu(&net, net_gate(&net, y, gate), false));
    plan_check(&net);
    const Step *product = step_at(&net, net.plan.steps.count - 2);
    assert_int_equal(product->kind, STEP_MAP);
    assert_string_equal(product->name, "gate4 + prelu5");
    network_end(&net);
}

static void test_fuse_limits(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 6);
    Value *x = net_input(&net, "x", shape_make(1, 10));
    Value *y = net_map(&net, x, MAP_TANH);
    for (int i = 0; i < 200; i++)
        y = i % 2 ? net_batchnorm(&net, y) : net_map(&net, y, MAP_LEAKY_RELU);
    for (int i = 0; i < 100; i++)
        y = net_add(&net, net_map(&net, y, MAP_TANH), x);
    net_return(&net, y);
    plan_check(&net);
    assert_true(net.plan.steps.count > 3);
    for (size_t i = 0; i < net.plan.steps.count; i++) {
        const Packed *packed[KERNEL_MAX_PACKED];
        const Step *step = step_at(&net, i);
        assert_true(kernel_packed(step, packed) <= STEP_MAX_VECTORS);
        assert_true(step->input_count <= STEP_MAX_INPUTS);
        assert_true(step->epilogue.count <= STEP_MAX_STAGES);
    }
    network_end(&net);
}

/* ---- layout --------------------------------------------------------------------------------- */

static void test_layout_halo(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 7);
    Value *x = net_input(&net, "x", shape_make(3, 3, 6, 6));
    Value *y = net_conv(&net, x, 8, same3, 1, true);
    Value *z = net_conv(&net, y, 8, (Geometry){3, 2, 1, 1, 1}, 1, true);
    net_return(&net, net_conv(&net, z, 8, point, 1, true));
    plan_check(&net);
    /* zero, copy x; zero, conv; conv; conv; copy */
    assert_int_equal(net.plan.steps.count, 7);
    const Step *zero = step_at(&net, 0);
    assert_int_equal(zero->kind, STEP_ZERO);
    assert_int_equal(zero->zero.begin[0], 1);
    assert_int_equal(zero->zero.end[1], 1);
    assert_int_equal(step_at(&net, 1)->kind, STEP_COPY);
    assert_int_equal(step_at(&net, 1)->output.block, 1); /* plain: few channels */
    assert_int_equal(step_at(&net, 1)->output.row_stride, 8);
    zero = step_at(&net, 2);
    assert_int_equal(zero->kind, STEP_ZERO);
    assert_int_equal(zero->zero.begin[0], 1);
    assert_int_equal(zero->zero.end[0], 0); /* stride 2 on 6 rows never reaches the last one */
    network_end(&net);
}

static void test_layout_no_copy(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX512, 8);
    Value *x = net_input(&net, "x", shape_make(3, 1, 12, 12));
    Value *y = net_map(&net, net_conv(&net, x, 20, valid3, 1, true), MAP_RELU);
    y = net_window(&net, y, halve, false, false, true);
    y = net_dense(&net, net_flatten(&net, y), 30, true);
    y = net_softmax(&net, net_dense(&net, y, 10, true), 0);
    net_return(&net, y);
    plan_check(&net);
    assert_int_equal(count_kind(&net, STEP_COPY), 0);
    assert_int_equal(count_kind(&net, STEP_ZERO), 0);
    const Step *dense = step_at(&net, 2);
    assert_int_equal(dense->inputs[0].block, 16);
    assert_int_equal(dense->inputs[0].channels, 20);
    assert_int_equal(dense->weights->recipes.count, 2);
    assert_int_equal(step_at(&net, 4)->output.buffer->place, PLACE_OUTPUT);
    network_end(&net);
}

static void test_layout_concat_in_place(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 9);
    Value *x = net_input(&net, "x", shape_make(3, 3, 6, 6));
    Value *a = net_conv(&net, x, 8, valid3, 1, true);
    Value *b = net_conv(&net, x, 13, valid3, 1, true);
    Value *all = net_concat(&net, (Value *[]){a, b}, 2, 0);
    Value *c = net_conv(&net, all, 8, same3, 1, true); /* nested, with a halo */
    all = net_concat(&net, (Value *[]){c, all}, 2, 0);
    net_return(&net, net_mean(&net, net_conv(&net, all, 5, same3, 1, true)));
    plan_check(&net);
    assert_int_equal(count_kind(&net, STEP_COPY), 0);
    assert_int_equal(count_kind(&net, STEP_ZERO), 1);
    network_end(&net);
}

static void test_layout_concat_copies(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 10);
    Value *x = net_input(&net, "x", shape_make(3, 3, 6, 6));
    Value *a = net_conv(&net, x, 8, same3, 1, true);
    Value *b = net_conv(&net, x, 5, same3, 1, true);
    /* the input, one value twice, channels that are no whole block */
    Value *all = net_concat(&net, (Value *[]){a, x, b, a}, 4, 0);
    net_return(&net, all);
    net_return(&net,
               net_conv(&net, net_concat(&net, (Value *[]){a, a, b}, 3, 0), 3, same3, 1, true));
    Value *rows = net_concat(&net, (Value *[]){a, a}, 2, 1);
    net_return(&net, net_window(&net, rows, halve, true, true, false));
    net_return(&net, net_concat(&net, (Value *[]){a, rows}, 2, 1));
    plan_check(&net);
    network_end(&net);
}

/* A concat along the third of four axes, softmax along the second. */
static void test_layout_inner_axes(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_GENERIC, 11);
    Value *x = net_input(&net, "x", shape_make(4, 3, 2, 4, 5));
    Value *y = net_input(&net, "y", shape_make(4, 3, 2, 1, 5));
    Value *both = net_concat(&net, (Value *[]){x, net_map(&net, y, MAP_TANH), x}, 3, 2);
    net_return(&net, net_softmax(&net, both, 1));
    net_return(&net, net_concat(&net, (Value *[]){both, x}, 2, 2));
    net_return(&net, net_concat(&net, (Value *[]){both, both}, 2, 1));
    plan_check(&net);
    network_end(&net);
}

static void test_layout_outputs(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 12);
    Value *x = net_input(&net, "x", shape_make(3, 3, 4, 4));
    Value *conv = net_conv(&net, x, 8, valid3, 1, true);
    Value *vector = net_dense(&net, net_flatten(&net, conv), 9, true);
    net_return(&net, x);
    net_return(&net, net_flatten(&net, x));
    net_return(&net, conv);
    net_return(&net, net_flatten(&net, conv));
    net_return(&net, vector);
    net_return(&net, vector);
    net_return(&net, net_view(&net, vector, shape_make(2, 3, 3)));
    net_return(&net, net_map(&net, vector, MAP_TANH));
    plan_check(&net);
    network_end(&net);
}

static void test_layout_reshaped_image(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 13);
    Value *x = net_input(&net, "x", shape_make(1, 12));
    Value *image = net_view(&net, net_dense(&net, x, 90, true), shape_make(3, 10, 3, 3));
    Value *y = net_conv(&net, image, 10, same3, 10, true); /* depthwise */
    Value *z = net_add(&net, net_window(&net, image, same3, true, false, false), y);
    Value *seen = net_view(&net, z, shape_make(3, 9, 2, 5));
    net_return(&net, net_conv(&net, seen, 4, same3, 1, false));
    net_return(&net, net_add(&net, seen, seen));
    net_return(&net, net_mean(&net, seen));
    plan_check(&net);
    assert_int_equal(count_kind(&net, STEP_DEPTHWISE), 1);
    network_end(&net);
}

static void test_layout_too_large(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 14);
    int64_t side = INT64_C(1) << 32;
    Value *x = net_input(&net, "x", shape_make(3, 1, 4, 4));
    /* one pixel of output, but a padding of 2^32 on each side */
    Geometry wide = {1, 2 * side + 4, 1, side, side};
    net_return(&net, net_conv(&net, x, 1, wide, 1, false));
    plan_fuse(&net.plan);
    assert_false(plan_layout(&net.plan, &net.diagnostics));
    assert_int_equal(net.diagnostics.error_count, 1);
    assert_int_equal(net.diagnostics.list.data[0]->code, DIAG_E0802);
    network_end(&net);
}

/* ---- tiles ---------------------------------------------------------------------------------- */

static Tile tile_of_conv(MachineKind machine, int64_t channels, int64_t size, int64_t filters,
                         Geometry g, int64_t groups) {
    Network net;
    network_begin(&net, machine, 15);
    Value *x = net_input(&net, "x", shape_make(3, channels, size, size));
    x = net_conv(&net, x, channels, point, 1, false);
    net_return(&net, net_conv(&net, x, filters, g, groups, false));
    plan_finish(&net);
    Tile tile = {0};
    for (size_t i = 0; i < net.plan.steps.count; i++)
        if (step_at(&net, i)->weights)
            tile = step_at(&net, i)->tile;
    network_end(&net);
    return tile;
}

static void check_tile(Tile tile, int rows, int columns, int vectors, int unroll) {
    assert_int_equal(tile.rows, rows);
    assert_int_equal(tile.columns, columns);
    assert_int_equal(tile.vectors, vectors);
    assert_int_equal(tile.unroll, unroll);
}

static void test_tiles(void **state) {
    (void)state;
    check_tile(tile_of_conv(MACHINE_AVX512, 64, 56, 64, same3, 1), 1, 14, 2, 4);
    check_tile(tile_of_conv(MACHINE_AVX512, 512, 7, 512, point, 1), 1, 7, 3, 4);
    check_tile(tile_of_conv(MACHINE_AVX2, 128, 28, 128, same3, 1), 1, 6, 2, 4);
    Tile groups = tile_of_conv(MACHINE_AVX512, 24, 8, 24, same3, 4);
    assert_int_equal(groups.vectors, 1); /* 6 filters a group */
    assert_int_equal(groups.unroll, 2);  /* 6 channels a group */
}

/* Tiles keep to the registers, the image and the filters, whatever the sizes. */
static void test_tiles_fit(void **state) {
    (void)state;
    Random random = random_start(16);
    for (int i = 0; i < 300; i++) {
        MachineKind kind = (MachineKind)(random_bits(&random) % 4);
        const Machine *machine = machine_of_kind(kind);
        int64_t size = 3 + random_bits(&random) % 40, channels = 1 + random_bits(&random) % 40;
        int64_t filters = machine->lanes / 2 + 1 + random_bits(&random) % 200;
        Tile tile = tile_of_conv(kind, channels, size, filters, i % 2 ? same3 : point, 1);
        int used = tile.rows * tile.columns * tile.vectors + tile.vectors;
        assert_true(used + !machine->broadcast_operand <= machine->registers);
        assert_true(tile.rows >= 1 && tile.rows <= size && tile.columns >= 1);
        assert_true(tile.columns <= size && tile.vectors >= 1);
        assert_true((tile.vectors - 1) * machine->lanes < filters);
        assert_int_equal(channels % tile.unroll, 0);
        if (channels > machine->lanes / 2) /* fewer come plain: there are no blocks to stay in */
            assert_int_equal(machine->lanes % tile.unroll, 0);
    }
}

/* ---- signatures and text -------------------------------------------------------------------- */

static void test_signatures(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX512, 17);
    Value *x = net_input(&net, "x", shape_make(3, 32, 6, 6));
    Value *y = net_conv(&net, x, 32, point, 1, true);
    for (int i = 0; i < 2; i++)
        y = net_map(&net, net_conv(&net, y, 32, point, 1, true), MAP_RELU);
    y = net_map(&net, net_conv(&net, y, 32, point, 1, true), MAP_TANH);
    net_return(&net, y);
    plan_finish(&net);
    StrBuf signatures[4] = {0};
    for (size_t i = 0; i < 4; i++)
        kernel_signature(step_at(&net, i), &signatures[i]);
    assert_string_equal(strbuf_text(&signatures[1]), strbuf_text(&signatures[2]));
    assert_string_not_equal(strbuf_text(&signatures[0]), strbuf_text(&signatures[1]));
    assert_string_not_equal(strbuf_text(&signatures[2]), strbuf_text(&signatures[3]));
    for (size_t i = 0; i < 4; i++)
        strbuf_free(&signatures[i]);
    network_end(&net);
}

static void test_print(void **state) {
    (void)state;
    Network net;
    network_begin(&net, MACHINE_AVX2, 18);
    Value *x = net_input(&net, "x", shape_make(3, 1, 4, 4));
    Value *y = net_map(&net, net_conv(&net, x, 5, same3, 1, true), MAP_RELU);
    net_return(&net, net_dense(&net, net_flatten(&net, y), 2, false));
    plan_finish(&net);
    StrBuf text = {0};
    plan_print(&net.plan, &text);
    assert_string_equal(strbuf_text(&text),
                        "plan of test for avx2, 8 lanes, 16 registers\n"
                        "arena 704 bytes, packed weights 2_944 bytes\n"
                        "  b0  input 0, 64 bytes  x\n"
                        "  b1  output 0, 8 bytes  output0\n"
                        "  b2  arena +0, steps 2 to 3, 512 bytes  map1\n"
                        "  b3  arena +512, steps 0 to 2, 144 bytes  x\n"
                        "\n"
                        "0  zero  x\n"
                        "    output   b3+7 [1 x 4 x 4] plain, strides 36 6 1\n"
                        "    halo     1x1 and 1x1\n"
                        "    time     0.1 thousand cycles, bound by memory; arithmetic 0.0\n"
                        "\n"
                        "1  copy  x\n"
                        "    input    b0 [1 x 4 x 4] plain\n"
                        "    output   b3+7 [1 x 4 x 4] plain, strides 36 6 1\n"
                        "    time     0.1 thousand cycles, bound by memory; arithmetic 0.0\n"
                        "\n"
                        "2  conv  conv0 + map1\n"
                        "    input    b3+7 [1 x 4 x 4] plain, strides 36 6 1\n"
                        "    output   b2 [5 x 4 x 4] blocked\n"
                        "    window   3x3, stride 1x1, dilation 1x1, pad 1x1 and 1x1, groups 1\n"
                        "    tile     2 x 4 x 1, unroll 1\n"
                        "    weights  +0, 72 floats in 1 recipe\n"
                        "    bias     +320, 8 floats in 1 recipe\n"
                        "    then     relu\n"
                        "    time     0.2 thousand cycles, bound by arithmetic; memory 0.1\n"
                        "\n"
                        "3  dense  dense3\n"
                        "    input    b2 [5 x 4 x 4] blocked\n"
                        "    output   b1 [2 x 1 x 1] plain\n"
                        "    tile     1 x 1 x 1, unroll 8\n"
                        "    weights  +384, 640 floats in 1 recipe\n"
                        "    time     0.3 thousand cycles, bound by memory; arithmetic 0.0\n");
    strbuf_free(&text);
    network_end(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fuse_batchnorm_and_relu),
        cmocka_unit_test(test_fuse_residual),
        cmocka_unit_test(test_fuse_operand_made_last),
        cmocka_unit_test(test_fuse_moves_producer),
        cmocka_unit_test(test_fuse_sees_through_views),
        cmocka_unit_test(test_fuse_turns_difference),
        cmocka_unit_test(test_gate_is_not_exchanged),
        cmocka_unit_test(test_fuse_limits),
        cmocka_unit_test(test_layout_halo),
        cmocka_unit_test(test_layout_no_copy),
        cmocka_unit_test(test_layout_concat_in_place),
        cmocka_unit_test(test_layout_concat_copies),
        cmocka_unit_test(test_layout_inner_axes),
        cmocka_unit_test(test_layout_outputs),
        cmocka_unit_test(test_layout_reshaped_image),
        cmocka_unit_test(test_layout_too_large),
        cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_tiles_fit),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
