/* Shape rules of the layers: results, weights, and what is said of a mistake, with the edits
 * applied to the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "layer_fixture.h"

/* A layer's use in a text, about to be inferred. */
typedef struct Try {
    Fixture *fixture;
    SourceMap sources;
    Diagnostics diagnostics;
    Node *node;
    const char *text;
} Try;

static Span span_of(const Try *try, const char *part) {
    const char *at = strstr(try->text, part);
    assert_non_null(at);
    uint32_t begin = try->fixture->graph.source->base + (uint32_t)(at - try->text);
    return (Span){begin, begin + (uint32_t)strlen(part)};
}

/* `call` in `text` is a use of `layer` on an input called `image`. */
static Try try_layer(Fixture *fixture, const char *text, const char *call, const char *layer,
                     Shape input) {
    Try try = {.fixture = fixture, .text = text};
    try.sources.arena = &fixture->arena;
    try.diagnostics.arena = &fixture->arena;
    fixture->graph.source = source_add(&try.sources, "test.net", text, strlen(text));
    Value *value = make_input(fixture, input, NULL);
    value->name = "image";
    try.node = make_node(fixture, layer, value, (Shape){0});
    try.node->span = span_of(&try, call);
    try.node->name_span = span_of(&try, layer);
    return try;
}

static void given(Try *try, const char *attribute, const char *part) {
    attribute_of(try->node, attribute)->given = true;
    attribute_of(try->node, attribute)->span = span_of(try, part);
}

static bool infer(Try *try) {
    try->diagnostics.sources = &try->sources;
    Inference inference = {.arena = &try->fixture->arena,
                           .diagnostics = &try->diagnostics,
                           .graph = &try->fixture->graph,
                           .node = try->node};
    return try->node->layer->infer(&inference);
}

static void assert_shape(const Try *try, const Shape *shape, const char *expected) {
    assert_string_equal(shape_text(&try->fixture->arena, shape), expected);
}

static void assert_result(Try *try, const char *expected) {
    assert_true(infer(try));
    assert_int_equal(try->diagnostics.list.count, 0);
    assert_shape(try, &try->node->outputs[0]->type.shape, expected);
}

static void assert_weight(const Try *try, size_t index, const char *name, const char *shape,
                          bool trainable) {
    assert_true(index < try->node->weights.count);
    const Weight *weight = try->node->weights.data[index];
    assert_string_equal(weight->name, name);
    assert_shape(try, &weight->shape, shape);
    assert_int_equal(weight->trainable, trainable);
}

/* The only diagnostic of a layer that was refused. */
static const Diagnostic *refused(Try *try, DiagCode code, const char *message) {
    assert_false(infer(try));
    assert_int_equal(try->diagnostics.list.count, 1);
    const Diagnostic *diagnostic = try->diagnostics.list.data[0];
    assert_string_equal(diag_code_name(diagnostic->code), diag_code_name(code));
    assert_string_equal(diagnostic->message, message);
    return diagnostic;
}

/* The text after the edit that `fix` proposes. */
static void assert_fix(const Try *try, const Diagnostic *diagnostic, size_t index,
                       const char *message, bool applicable, const char *text) {
    assert_true(index < diagnostic->fixes.count);
    const DiagFix *fix = &diagnostic->fixes.data[index];
    assert_string_equal(fix->message, message);
    assert_int_equal(fix->applicable, applicable);
    assert_non_null(fix->replacement);
    uint32_t base = try->fixture->graph.source->base;
    const char *fixed =
        arena_format(&try->fixture->arena, "%.*s%s%s", (int)(fix->span.begin - base), try->text,
                     fix->replacement, try->text + (fix->span.end - base));
    assert_string_equal(fixed, text);
}

static void assert_advice(const Diagnostic *diagnostic, size_t index, const char *message) {
    assert_true(index < diagnostic->fixes.count);
    assert_null(diagnostic->fixes.data[index].replacement);
    assert_string_equal(diagnostic->fixes.data[index].message, message);
}

/* ---- convolution -------------------------------------------------------------------------- */

static Try try_conv(Fixture *fixture, const char *text, const char *call, Shape input,
                    int64_t filters, int64_t kernel) {
    Try try = try_layer(fixture, text, call, "conv", input);
    attribute_of(try.node, "filters")->integer = filters;
    set_size(try.node, "kernel", kernel, kernel);
    attribute_of(try.node, "bias")->boolean = true;
    return try;
}

static void conv_declares_its_weights(void **state) {
    Try try = try_conv(*state, "conv(64, 7x7)", "conv(64, 7x7)", shape_make(3, 3, 224, 224), 64, 7);
    set_size(try.node, "stride", 2, 2);
    set_padding(try.node, 3);
    assert_result(&try, "[64, 112, 112]");
    assert_weight(&try, 0, "weight", "[64, 3, 7, 7]", true);
    assert_weight(&try, 1, "bias", "[64]", true);
    assert_string_equal(try.node->weights.data[1]->path, "conv.bias");
    assert_int_equal(try.node->weights.data[0]->fan_in, 3 * 7 * 7);
}

static void conv_without_bias_in_one_dim(void **state) {
    Try try = try_conv(*state, "conv(8, 5)", "conv(8, 5)", shape_make(2, 6, 20), 8, 5);
    attribute_of(try.node, "bias")->boolean = false;
    attribute_of(try.node, "groups")->integer = 2;
    assert_result(&try, "[8, 16]");
    assert_weight(&try, 0, "weight", "[8, 3, 5]", true);
    assert_int_equal(try.node->weights.count, 1);
}

static void conv_kernel_too_large(void **state) {
    const char *text = "image -> conv(32, 5x5)";
    Try try = try_conv(*state, text, "conv(32, 5x5)", shape_make(3, 16, 3, 3), 32, 5);
    given(&try, "kernel", "5x5");
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0211, "a 5x5 kernel does not fit a 3x3 input");
    assert_memory_equal(&diagnostic->span, &attribute_of(try.node, "kernel")->span, sizeof(Span));
    assert_string_equal(diagnostic->label, "needs a height and width of at least 5, got 3");
    assert_int_equal(diagnostic->notes.count, 1);
    assert_string_equal(diagnostic->notes.data[0],
                        "output size = floor((input + padding - reach) / stride) + 1 = "
                        "floor((3 + 0 - 5) / 1) + 1 = -1");
    assert_fix(&try, diagnostic, 0, "pad the edges, giving [32, 3, 3]", true,
               "image -> conv(32, 5x5, pad=same)");
    assert_advice(diagnostic, 1, "`image` of at least [16, 5, 5] would fit");
}

static void conv_too_large_along_one_axis(void **state) {
    const char *text = "conv(8, 3x3, pad=1)";
    Try try = try_conv(*state, text, text, shape_make(3, 1, 9, 4), 8, 3);
    given(&try, "pad", "1");
    set_padding(try.node, 1);
    set_size(try.node, "dilation", 4, 4);
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0211, "a 3x3 kernel does not fit a 9x4 input");
    assert_string_equal(diagnostic->label, "needs a width of at least 7, got 4");
    assert_int_equal(diagnostic->notes.count, 2);
    assert_string_equal(diagnostic->notes.data[0],
                        "3 taps with dilation 4 reach over 4 * (3 - 1) + 1 = 9 elements");
    assert_fix(&try, diagnostic, 0, "pad the edges, giving [8, 9, 4]", true,
               "conv(8, 3x3, pad=same)");
}

static void conv_too_long_in_one_dim(void **state) {
    Try try = try_conv(*state, "conv(8, 5)", "conv(8, 5)", shape_make(2, 6, 4), 8, 5);
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0211, "a kernel of 5 does not fit an input of length 4");
    assert_string_equal(diagnostic->label, "needs a length of at least 5, got 4");
}

/* The model message of the design: 12 -> 10 -> 5 -> 1. */
static void smallest_input_through_a_chain(void **state) {
    Fixture *fixture = *state;
    Try try = try_conv(fixture, "conv(32, 5x5)", "conv(32, 5x5)", shape_make(3, 3, 8, 8), 32, 5);
    Value *image = try.node->inputs[0];
    Node *conv = make_node(fixture, "conv", image, shape_make(3, 16, 6, 6));
    set_size(conv, "kernel", 3, 3);
    Node *relu = make_node(fixture, "relu", conv->outputs[0], shape_make(3, 16, 6, 6));
    Node *pool = make_node(fixture, "maxpool", relu->outputs[0], shape_make(3, 16, 3, 3));
    set_size(pool, "size", 2, 2);
    set_size(pool, "stride", 2, 2);
    try.node->inputs[0] = pool->outputs[0];
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0211, "a 5x5 kernel does not fit a 3x3 input");
    assert_advice(diagnostic, 1, "`image` of at least [3, 12, 12] would fit");
}

static void conv_of_a_vector(void **state) {
    Try try = try_conv(*state, "conv(8, 5)", "conv(8, 5)", shape_make(1, 784), 8, 5);
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0212,
                "`conv` takes [channels, length], [channels, height, width] or [channels, depth, "
                "height, width], got [784]");
    assert_string_equal(diagnostic->label, "needs two to four dims, found 1");
}

static void conv_in_four_dims(void **state) {
    Try try = try_conv(*state, "conv(8, 3)", "conv(8, 3)", shape_make(5, 1, 8, 8, 8, 8), 8, 3);
    refused(&try, DIAG_E0212,
            "`conv` takes [channels, length], [channels, height, width] or [channels, depth, "
            "height, width], got [1, 8, 8, 8, 8]");
}

static void groups_must_divide(void **state) {
    Try try = try_conv(*state, "conv(8, 1, groups=4)", "conv(8, 1, groups=4)", shape_make(2, 6, 20),
                       8, 1);
    given(&try, "groups", "4");
    attribute_of(try.node, "groups")->integer = 4;
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0215, "4 groups do not divide 6 input channels");
    assert_string_equal(diagnostic->label, "6 / 4 leaves 2 over");
    assert_fix(&try, diagnostic, 0, "groups that divide both 6 channels and 8 filters: 1, 2", false,
               "conv(8, 1, groups=2)");
}

static void groups_must_divide_filters(void **state) {
    Try try = try_conv(*state, "conv(9, 1)", "conv(9, 1)", shape_make(2, 6, 20), 9, 1);
    attribute_of(try.node, "groups")->integer = 6;
    const Diagnostic *diagnostic = refused(&try, DIAG_E0215, "6 groups do not divide 9 filters");
    assert_string_equal(diagnostic->label, "9 / 6 leaves 3 over");
}

static void depthwise_multiplies(void **state) {
    Try try =
        try_layer(*state, "depthwise(3x3)", "depthwise(3x3)", "depthwise", shape_make(3, 4, 8, 8));
    set_size(try.node, "kernel", 3, 3);
    attribute_of(try.node, "multiplier")->integer = 2;
    attribute_of(try.node, "pad")->padding.mode = PADDING_SAME;
    assert_result(&try, "[8, 8, 8]");
    assert_weight(&try, 0, "weight", "[8, 1, 3, 3]", true);
}

static void sizes_out_of_bounds(void **state) {
    Try try = try_layer(*state, "depthwise(1)", "depthwise(1)", "depthwise",
                        shape_make(2, INT64_C(1) << 40, 8));
    attribute_of(try.node, "multiplier")->integer = INT32_MAX;
    assert_false(infer(&try));
    assert_int_equal(try.diagnostics.list.count, 1);
    assert_int_equal(try.diagnostics.list.data[0]->code, DIAG_E0802);
}

static void weights_out_of_bounds(void **state) {
    Try try =
        try_conv(*state, "conv(8, 3)", "conv(8, 3)", shape_make(3, 8, 2, 2), INT32_MAX, INT32_MAX);
    attribute_of(try.node, "pad")->padding.mode = PADDING_SAME;
    assert_false(infer(&try));
    assert_int_equal(try.diagnostics.list.count, 1);
    assert_int_equal(try.diagnostics.list.data[0]->code, DIAG_E0802);
}

/* ---- pooling ------------------------------------------------------------------------------ */

static Try try_pool(Fixture *fixture, const char *text, const char *layer, Shape input,
                    int64_t size) {
    Try try = try_layer(fixture, text, text, layer, input);
    set_size(try.node, "size", size, size);
    set_size(try.node, "stride", size, size);
    return try;
}

static void pool_declares_coefficients(void **state) {
    Try try = try_pool(*state, "avgpool(2x2)", "avgpool", shape_make(3, 6, 28, 28), 2);
    attribute_of(try.node, "bias")->boolean = true;
    assert_result(&try, "[6, 14, 14]");
    assert_weight(&try, 0, "bias", "[6]", true);
    assert_int_equal(try.node->weights.count, 1);
}

static void pool_leaves_rows_unused(void **state) {
    Try try = try_pool(*state, "maxpool(2x2)", "maxpool", shape_make(3, 16, 7, 6), 2);
    assert_true(infer(&try));
    assert_int_equal(try.diagnostics.error_count, 0);
    assert_int_equal(try.diagnostics.list.count, 1);
    const Diagnostic *diagnostic = try.diagnostics.list.data[0];
    assert_string_equal(diagnostic->message, "`maxpool` leaves the last row of [16, 7, 6] unused");
    assert_string_equal(diagnostic->label, "gives [16, 3, 3]");
    assert_fix(&try, diagnostic, 0, "round up to use them, giving [16, 4, 3]", false,
               "maxpool(2x2, ceil=on)");
}

static void pool_leaves_rows_and_columns_unused(void **state) {
    Try try = try_pool(*state, "maxpool(3x3)", "maxpool", shape_make(3, 1, 8, 7), 3);
    assert_true(infer(&try));
    assert_string_equal(try.diagnostics.list.data[0]->message,
                        "`maxpool` leaves the last 2 rows and the last column of [1, 8, 7] unused");
}

static void pool_padding_is_smaller_than_the_window(void **state) {
    Try try = try_pool(*state, "maxpool(2x2, pad=3)", "maxpool", shape_make(3, 1, 8, 8), 2);
    given(&try, "pad", "3");
    set_padding(try.node, 3);
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0205, "padding of 3 is not smaller than the window of 2");
    assert_string_equal(diagnostic->label, "at most 1 along the height");
}

static void pool_window_too_large(void **state) {
    Try try = try_pool(*state, "maxpool(4x4)", "maxpool", shape_make(3, 1, 3, 8), 4);
    refused(&try, DIAG_E0211, "a 4x4 window does not fit a 3x8 input");
}

static void globalavgpool_of_a_vector(void **state) {
    Try try =
        try_layer(*state, "globalavgpool", "globalavgpool", "globalavgpool", shape_make(1, 8));
    refused(&try, DIAG_E0212, "`globalavgpool` takes channels and spatial axes, got [8]");
}

/* ---- the others --------------------------------------------------------------------------- */

static Try try_dense(Fixture *fixture, const char *text, Shape input) {
    Try try = try_layer(fixture, text, "dense(10)", "dense", input);
    attribute_of(try.node, "units")->integer = 10;
    attribute_of(try.node, "bias")->boolean = true;
    return try;
}

static void dense_takes_a_vector(void **state) {
    Try try = try_dense(*state, "image -> dense(10)", shape_make(3, 32, 4, 4));
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0217, "`dense` takes a vector, but its input is [32, 4, 4]");
    assert_string_equal(diagnostic->label, "expected one dim, found 3");
    assert_fix(&try, diagnostic, 0, "flatten first: 512 inputs, 5,130 parameters", true,
               "image -> flatten -> dense(10)");
    assert_fix(&try, diagnostic, 1, "or average each channel first: 32 inputs, 330 parameters",
               false, "image -> globalavgpool -> dense(10)");
}

/* Of a sequence each row may be meant, so that no way is sure. */
static void dense_of_a_sequence(void **state) {
    Try try = try_dense(*state, "image -> dense(10)", shape_make(2, 16, 48));
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0217, "`dense` takes a vector, but its input is [16, 48]");
    assert_fix(&try, diagnostic, 0,
               "take each row of a sequence by itself: 48 inputs, 490 parameters", true,
               "image -> dense(10, axis=-1)");
    assert_fix(&try, diagnostic, 1, "or flatten: 768 inputs, 7,690 parameters", false,
               "image -> flatten -> dense(10)");
}

static void steps_go_before_labels(void **state) {
    const char *const texts[][2] = {
        {"image\n  -> fc: dense(10)", "image\n  -> flatten -> fc: dense(10)"},
        {"image -> \"0\" : dense(10)", "image -> flatten -> \"0\" : dense(10)"},
    };
    for (int i = 0; i < 2; i++) {
        Try try = try_dense(*state, texts[i][0], shape_make(3, 1, 4, 4));
        const Diagnostic *diagnostic =
            refused(&try, DIAG_E0217, "`dense` takes a vector, but its input is [1, 4, 4]");
        assert_fix(&try, diagnostic, 0, "flatten first: 16 inputs, 170 parameters", true,
                   texts[i][1]);
        try.fixture->graph.inputs.count = 0;
    }
}

static void steps_only_in_pipelines(void **state) {
    const char *const texts[] = {"y = dense(10)", "{ fc: dense(10) }", "dense(10)"};
    for (int i = 0; i < 3; i++) {
        Try try = try_dense(*state, texts[i], shape_make(3, 1, 4, 4));
        const Diagnostic *diagnostic =
            refused(&try, DIAG_E0217, "`dense` takes a vector, but its input is [1, 4, 4]");
        assert_advice(diagnostic, 0, "flatten first: 16 inputs, 170 parameters");
    }
}

static void arguments_go_where_they_can(void **state) {
    const char *const texts[][2] = {
        {"conv", "conv(pad=same)"},
        {"conv()", "conv(pad=same)"},
        {"conv(8, 5x5 )", "conv(8, 5x5 , pad=same)"},
        {"conv(8, 5x5,)", "conv(8, 5x5,pad=same)"},
    };
    for (int i = 0; i < 4; i++) {
        Try try = try_conv(*state, texts[i][0], texts[i][0], shape_make(3, 1, 3, 3), 8, 5);
        const Diagnostic *diagnostic =
            refused(&try, DIAG_E0211, "a 5x5 kernel does not fit a 3x3 input");
        assert_fix(&try, diagnostic, 0, "pad the edges, giving [8, 3, 3]", true, texts[i][1]);
        try.fixture->graph.inputs.count = 0;
    }
}

static void batchnorm_has_frozen_weights(void **state) {
    Try try = try_layer(*state, "batchnorm", "batchnorm", "batchnorm", shape_make(3, 8, 4, 4));
    attribute_of(try.node, "affine")->boolean = true;
    assert_result(&try, "[8, 4, 4]");
    assert_weight(&try, 0, "weight", "[8]", true);
    assert_weight(&try, 1, "bias", "[8]", true);
    assert_weight(&try, 2, "running_mean", "[8]", false);
    assert_weight(&try, 3, "running_var", "[8]", false);
}

static void reshape_keeps_the_count(void **state) {
    Try try = try_layer(*state, "reshape([16, 7, 8])", "reshape([16, 7, 8])", "reshape",
                        shape_make(1, 784));
    given(&try, "shape", "[16, 7, 8]");
    attribute_of(try.node, "shape")->shape = shape_make(3, 16, 7, 8);
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0216, "[16, 7, 8] has 896 elements, but [784] has 784");
    assert_string_equal(diagnostic->label, "896 elements, 112 too many");
    assert_fix(&try, diagnostic, 0, "[16, 7, 7] has as many elements as the input", false,
               "reshape([16, 7, 7])"); /* and not [14, 7, 8], which would do too */
    attribute_of(try.node, "shape")->shape = shape_make(3, 16, 7, 7);
    try.diagnostics.list.count = 0;
    assert_result(&try, "[16, 7, 7]");
}

static void reshape_with_one_way_out(void **state) {
    Try try = try_layer(*state, "reshape([5, 9])", "reshape([5, 9])", "reshape", shape_make(1, 50));
    given(&try, "shape", "[5, 9]");
    attribute_of(try.node, "shape")->shape = shape_make(2, 5, 9);
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0216, "[5, 9] has 45 elements, but [50] has 50");
    assert_string_equal(diagnostic->label, "45 elements, 5 too few");
    assert_fix(&try, diagnostic, 0, "[5, 10] has as many elements as the input", false,
               "reshape([5, 10])");
}

static void add_inputs(Try *try, int count, const Shape *shapes) {
    for (int i = 0; i < count; i++)
        try->node->inputs[try->node->input_count++] = make_value(try->fixture, shapes[i]);
}

static void concat_adds_up(void **state) {
    Try try = try_layer(*state, "concat", "concat", "concat", shape_make(3, 12, 8, 8));
    add_inputs(&try, 2, (const Shape[]){shape_make(3, 8, 8, 8), shape_make(3, 1, 8, 8)});
    assert_result(&try, "[21, 8, 8]");
}

static void concat_names_the_odd_one_out(void **state) {
    Try try = try_layer(*state, "concat", "concat", "concat", shape_make(3, 24, 7, 7));
    add_inputs(&try, 2, (const Shape[]){shape_make(3, 32, 14, 14), shape_make(3, 16, 14, 14)});
    try.node->inputs[0]->span = (Span){1, 2};
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0219, "`concat` joins channels, so height and width must agree");
    assert_string_equal(diagnostic->label, "input 2 is [32, 14, 14], input 1 is [24, 7, 7]");
    const DiagLabel *last = &diagnostic->labels.data[diagnostic->labels.count - 1];
    assert_string_equal(last->text, "input 1 is [24, 7, 7], unlike [32, 14, 14]");
}

/* The axis is checked against the first input only; the majority may not have it. */
static void concat_of_other_ranks(void **state) {
    Try try = try_layer(*state, "concat", "concat", "concat", shape_make(4, 1, 2, 3, 4));
    add_inputs(&try, 2, (const Shape[]){shape_make(3, 5, 6, 7), shape_make(3, 5, 6, 7)});
    attribute_of(try.node, "axis")->integer = 3;
    refused(&try, DIAG_E0219, "`concat` joins along axis 3, so the other dims must agree");
}

static void concat_out_of_bounds(void **state) {
    Try try = try_layer(*state, "concat", "concat", "concat", shape_make(1, INT64_C(1) << 60));
    Shape large = shape_make(1, INT64_MAX / 8);
    Shape shapes[20];
    for (int i = 0; i < 20; i++)
        shapes[i] = large;
    add_inputs(&try, 20, shapes);
    assert_false(infer(&try));
    assert_int_equal(try.diagnostics.list.data[0]->code, DIAG_E0802);
}

static void add_needs_equal_shapes(void **state) {
    Try try = try_layer(*state, "add", "add", "add", shape_make(3, 128, 8, 8));
    add_inputs(&try, 1, (const Shape[]){shape_make(3, 64, 16, 16)});
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0214, "`add` needs equal shapes, got [128, 8, 8] and [64, 16, 16]");
    assert_string_equal(diagnostic->label,
                        "dim 0 is 128 and 64, dim 1 is 8 and 16, dim 2 is 8 and 16");
    assert_advice(diagnostic, 0,
                  "project input 2 with `-> conv(128, 1x1, stride=2)`, giving [128, 8, 8] (adds "
                  "8,320 parameters)");
}

static void add_projects_either_side(void **state) {
    Try try = try_layer(*state, "add", "add", "add", shape_make(2, 4, 9));
    add_inputs(&try, 1, (const Shape[]){shape_make(2, 8, 3)});
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0214, "`add` needs equal shapes, got [4, 9] and [8, 3]");
    assert_advice(diagnostic, 0,
                  "project input 1 with `-> conv(8, 1, stride=3)`, giving [8, 3] "
                  "(adds 40 parameters)");
}

static void add_of_other_ranks(void **state) {
    Try try = try_layer(*state, "add", "add", "add", shape_make(2, 4, 9));
    add_inputs(&try, 2, (const Shape[]){shape_make(1, 36), shape_make(1, 36)});
    const Diagnostic *diagnostic =
        refused(&try, DIAG_E0214, "`add` needs equal shapes, got [4, 9] and [36]");
    assert_string_equal(diagnostic->label, "2 and 1 dims");
    assert_int_equal(diagnostic->fixes.count, 0);
}

static void shapes_that_stay(void **state) {
    const char *const layers[] = {"relu",    "relu6",       "leakyrelu", "sigmoid",   "tanh",
                                  "softmax", "dropout",     "batchnorm", "clip",      "hardtanh",
                                  "prelu",   "abs",         "softsign",  "softplus",  "elu",
                                  "selu",    "hardsigmoid", "exp",       "sqrt",      "silu",
                                  "mish",    "gelu",        "hardswish", "logsoftmax"};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        Try try = try_layer(*state, layers[i], layers[i], layers[i], shape_make(3, 2, 3, 4));
        assert_result(&try, "[2, 3, 4]");
        try.fixture->graph.inputs.count = 0;
    }
}

static void flatten_and_globalavgpool(void **state) {
    Try flatten = try_layer(*state, "flatten", "flatten", "flatten", shape_make(3, 2, 3, 4));
    assert_result(&flatten, "[24]");
    Try pool = try_layer(*state, "globalavgpool", "globalavgpool", "globalavgpool",
                         shape_make(4, 2, 3, 4, 5));
    assert_result(&pool, "[2]");
}

/* The operator that stands for a layer, or its name. */
static const char *written_as(const char *name) {
    static const char *const operators[][2] = {
        {"add", " + "}, {"sub", " - "}, {"mul", " * "}, {"div", " / "}, {"neg", " -"}};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(operators[i][0], name) == 0)
            return operators[i][1];
    return name;
}

/* What every entry of the table must have. */
static void table_is_complete(void **state) {
    (void)state;
    size_t count;
    const LayerInfo *const *table = layer_table(&count);
    assert_true(count >= 18);
    for (size_t i = 0; i < count; i++) {
        const LayerInfo *layer = table[i];
        assert_ptr_equal(layer_find(layer->name), layer);
        assert_true(strlen(layer->summary) > 0 && strlen(layer->shape_doc) > 0);
        assert_non_null(strstr(layer->example, "network example("));
        assert_non_null(strstr(layer->example, written_as(layer->name)));
        assert_true(layer->infer && layer->evaluate && layer->lower);
        assert_true(1 <= layer->min_inputs && layer->min_inputs <= layer->max_inputs &&
                    layer->max_inputs <= LAYER_ANY_INPUTS);
        assert_int_equal(layer->macs != NULL, layer->macs_doc != NULL);
        assert_int_equal(layer->operations != NULL, layer->operations_doc != NULL);
        for (int k = 0; k < layer->attribute_count; k++) {
            const AttributeInfo *attribute = &layer->attributes[k];
            assert_true(strlen(attribute->name) > 0 && strlen(attribute->help) > 0);
            assert_true(attribute->minimum <= attribute->maximum);
        }
    }
    assert_null(layer_find("linear"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(conv_declares_its_weights),
        TEST(conv_without_bias_in_one_dim),
        TEST(conv_kernel_too_large),
        TEST(conv_too_large_along_one_axis),
        TEST(conv_too_long_in_one_dim),
        TEST(smallest_input_through_a_chain),
        TEST(conv_of_a_vector),
        TEST(conv_in_four_dims),
        TEST(groups_must_divide),
        TEST(groups_must_divide_filters),
        TEST(depthwise_multiplies),
        TEST(sizes_out_of_bounds),
        TEST(weights_out_of_bounds),
        TEST(pool_declares_coefficients),
        TEST(pool_leaves_rows_unused),
        TEST(pool_leaves_rows_and_columns_unused),
        TEST(pool_padding_is_smaller_than_the_window),
        TEST(pool_window_too_large),
        TEST(globalavgpool_of_a_vector),
        TEST(dense_takes_a_vector),
        TEST(dense_of_a_sequence),
        TEST(steps_go_before_labels),
        TEST(steps_only_in_pipelines),
        TEST(arguments_go_where_they_can),
        TEST(batchnorm_has_frozen_weights),
        TEST(reshape_keeps_the_count),
        TEST(reshape_with_one_way_out),
        TEST(concat_adds_up),
        TEST(concat_names_the_odd_one_out),
        TEST(concat_of_other_ranks),
        TEST(concat_out_of_bounds),
        TEST(add_needs_equal_shapes),
        TEST(add_projects_either_side),
        TEST(add_of_other_ranks),
        TEST(shapes_that_stay),
        TEST(flatten_and_globalavgpool),
        TEST(table_is_complete),
    };
    return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
