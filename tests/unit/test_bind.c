/* A network against a weights file: every kind of mistake, all of a file in one run; and the file
 * that netc itself writes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "weights_fixture.h"

/* ---- helpers -------------------------------------------------------------------------------- */

static int begin(void **state) {
    Fixture *fixture = malloc(sizeof *fixture);
    fixture_begin(fixture);
    *state = fixture;
    return 0;
}

static int end(void **state) {
    fixture_end(*state);
    free(*state);
    return 0;
}

/* A tensor of a file in the making. */
typedef struct Tensor {
    const char *name;
    const char *dtype;
    const char *shape;
    size_t bytes;
} Tensor;

static const Tensor right[] = {
    {"conv1.weight", "F32", "[2,1,3,3]", 72},
    {"conv1.bias", "F32", "[2]", 8},
    {"fc.weight", "F32", "[3,8]", 96},
    {"fc.bias", "F32", "[3]", 12},
};

/* Binds tiny_graph to a file of these tensors, all zeros but for `first`, the first bytes. */
static bool bind(Fixture *fixture, Graph *graph, const Tensor *tensors, size_t count,
                 const void *first, size_t first_bytes) {
    StrBuf header = {0};
    size_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        strbuf_format(&header,
                      "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
                      i ? "," : "{", tensors[i].name, tensors[i].dtype, tensors[i].shape, offset,
                      offset + tensors[i].bytes);
        offset += tensors[i].bytes;
    }
    strbuf_add(&header, count ? "}" : "{}");
    strbuf_fill(&header, ' ', 8 - header.length % 8);
    StrBuf bytes = {0};
    safetensors_build(&bytes, strbuf_text(&header), offset);
    if (first_bytes > 0)
        memcpy(bytes.data + bytes.length - offset, first, first_bytes);
    char *copy = arena_copy_text(&fixture->arena, bytes.data, bytes.length);
    TensorFile *file =
        tensor_file_open_bytes(&fixture->arena, &fixture->diagnostics, graph->weights_span,
                               "tiny.safetensors", copy, bytes.length);
    strbuf_free(&bytes);
    strbuf_free(&header);
    assert_non_null(file);
    bool bound = weights_bind_file(graph, file, WEIGHTS_PYTORCH);
    tensor_file_close(file);
    return bound;
}

/* The right tensors with number `index` in place of its own. */
static bool bind_with(Fixture *fixture, size_t index, Tensor tensor) {
    Tensor tensors[4];
    memcpy(tensors, right, sizeof right);
    tensors[index] = tensor;
    return bind(fixture, tiny_graph(fixture), tensors, 4, NULL, 0);
}

static const Diagnostic *only(const Fixture *fixture, DiagCode code) {
    assert_int_equal(fixture->diagnostics.list.count, 1);
    const Diagnostic *d = fixture->diagnostics.list.data[0];
    assert_string_equal(diag_code_name(d->code), diag_code_name(code));
    return d;
}

static bool says(const Diagnostic *d, const char *words) {
    if (strstr(d->message, words) || (d->label && strstr(d->label, words)))
        return true;
    for (size_t i = 0; i < d->notes.count; i++)
        if (strstr(d->notes.data[i], words))
            return true;
    for (size_t i = 0; i < d->fixes.count; i++)
        if (strstr(d->fixes.data[i].message, words))
            return true;
    for (size_t i = 0; i < d->labels.count; i++)
        if (strstr(d->labels.data[i].text, words))
            return true;
    return false;
}

static void assert_says(const Diagnostic *d, const char *words) {
    if (!says(d, words))
        fail_msg("`%s` does not say `%s`", d->message, words);
}

/* ---- a file that fits ----------------------------------------------------------------------- */

static void all_fits(void **state) {
    Fixture *fixture = *state;
    Graph *graph = tiny_graph(fixture);
    const float numbers[] = {1, -2};
    assert_true(bind(fixture, graph, right, 4, numbers, sizeof numbers));
    assert_int_equal(fixture->diagnostics.list.count, 0);
    for (size_t i = 0; i < 4; i++)
        assert_non_null(graph->weights.data[i]->data);
    assert_memory_equal(graph->weights.data[0]->data, numbers, sizeof numbers);
}

static void file_order_does_not_matter(void **state) {
    Fixture *fixture = *state;
    Graph *graph = tiny_graph(fixture);
    const Tensor reversed[] = {right[3], right[2], right[1], right[0]};
    const float numbers[] = {7, 8, 9};
    assert_true(bind(fixture, graph, reversed, 4, numbers, sizeof numbers));
    assert_memory_equal(graph->weights.data[3]->data, numbers, sizeof numbers);
}

/* PyTorch's step counters of batch norms and Swin's indices of its tables, and nothing else, may be
 * left over. */
static void unneeded_are_tolerated(void **state) {
    static const Tensor tolerated[] = {{"bn1.num_batches_tracked", "I64", "[]", 8},
                                       {"attn.relative_position_index", "I64", "[1]", 8},
                                       {"attn.relative_position_index", "I64", "[1,1]", 8}};
    static const Tensor refused[] = {{"bn1.num_batches_tracked", "I64", "[1]", 8},
                                     {"attn.relative_position_index", "I64", "[]", 8},
                                     {"attn.relative_position_indices", "I64", "[1]", 8}};
    Fixture *fixture = *state;
    Tensor tensors[5];
    memcpy(tensors, right, sizeof right);
    for (size_t i = 0; i < sizeof tolerated / sizeof *tolerated; i++) {
        tensors[4] = tolerated[i];
        assert_true(bind(fixture, tiny_graph(fixture), tensors, 5, NULL, 0));
        assert_int_equal(fixture->diagnostics.list.count, 0);
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        tensors[4] = refused[i];
        fixture->diagnostics.list.count = 0;
        assert_false(bind(fixture, tiny_graph(fixture), tensors, 5, NULL, 0));
        only(fixture, DIAG_E0403);
    }
}

/* ---- mistakes ------------------------------------------------------------------------------- */

static void missing_and_unused(void **state) {
    Fixture *fixture = *state;
    assert_false(bind_with(fixture, 0, (Tensor){"conv_1.weight", "F32", "[2,1,3,3]", 72}));
    assert_int_equal(fixture->diagnostics.list.count, 2);
    const Diagnostic *missing = fixture->diagnostics.list.data[0];
    const Diagnostic *unused = fixture->diagnostics.list.data[1];
    assert_int_equal(missing->code, DIAG_E0402);
    assert_says(missing, "`tiny.safetensors` has no tensor `conv1.weight`");
    assert_says(missing, "needs f32 [2, 1, 3, 3]");
    assert_says(missing, "the file has `conv_1.weight`");
    assert_says(missing, "read 4 tensors, 188 bytes of data");
    assert_int_equal(unused->code, DIAG_E0403);
    assert_says(unused, "nothing in `tiny` uses the tensor `conv_1.weight`");
    assert_says(unused, "the network needs `conv1.weight`");
}

static void nothing_alike(void **state) {
    Fixture *fixture = *state;
    assert_false(bind_with(fixture, 3, (Tensor){"zz", "U8", "[0]", 0}));
    assert_int_equal(fixture->diagnostics.list.count, 2);
    assert_int_equal(fixture->diagnostics.list.data[0]->fixes.count, 0);
    assert_says(fixture->diagnostics.list.data[1], "`zz` of `tiny.safetensors`, U8 [0]");
    assert_says(fixture->diagnostics.list.data[1], "save it without this one");
}

/* torch.nn.DataParallel puts `module.` before every name. */
static void names_behind_a_prefix(void **state) {
    Fixture *fixture = *state;
    Tensor tensors[4];
    memcpy(tensors, right, sizeof right);
    tensors[0].name = "module.conv1.weight";
    tensors[1].name = "module.conv1.bias";
    tensors[2].name = "module.fc.weight";
    tensors[3].name = "module.fc.bias";
    assert_false(bind(fixture, tiny_graph(fixture), tensors, 4, NULL, 0));
    assert_int_equal(fixture->diagnostics.list.count, 8);
    for (size_t i = 0; i < 4; i++) {
        assert_says(fixture->diagnostics.list.data[i], tensors[i].name);
        assert_says(fixture->diagnostics.list.data[4 + i], right[i].name);
    }
}

static void empty_file(void **state) {
    Fixture *fixture = *state;
    assert_false(bind(fixture, tiny_graph(fixture), NULL, 0, NULL, 0));
    assert_int_equal(fixture->diagnostics.list.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(fixture->diagnostics.list.data[i]->code, DIAG_E0402);
}

static void wrong_shape(void **state) {
    Fixture *fixture = *state;
    assert_false(bind_with(fixture, 2, (Tensor){"fc.weight", "F32", "[3,16]", 192}));
    const Diagnostic *d = only(fixture, DIAG_E0404);
    assert_says(
        d, "tensor `fc.weight` is [3, 16] in `tiny.safetensors`, but the network needs [3, 8]");
    assert_says(d, "3 comes from `dense(3)`; 8 comes from `flatten1`, which is [8]");
    assert_says(d, "gives [8]");
    assert_says(d, "F32 [3, 16]");
}

static void wrong_shape_of_a_kernel(void **state) {
    Fixture *fixture = *state;
    assert_false(bind_with(fixture, 0, (Tensor){"conv1.weight", "F32", "[2,3,3,3]", 216}));
    const Diagnostic *d = only(fixture, DIAG_E0404);
    assert_says(d, "2, 3 and 3 come from `conv(2, 3x3)`; 1 comes from `x`, which is [1, 4, 4]");
}

/* A batch norm's number a channel, a grouped kernel, and a layer without a short call to quote. */
static void where_other_numbers_come_from(void **state) {
    Fixture *fixture = *state;
    const struct {
        Shape input;
        Shape weight;
        const char *expected;
    } cases[] = {
        {shape_make(3, 6, 4, 4), shape_make(1, 6), "6 comes from `x`, which is [6, 4, 4]"},
        {shape_make(3, 6, 4, 4), shape_make(1, 5), "5 comes from `one`"},
        {shape_make(3, 6, 4, 4), shape_make(4, 8, 2, 5, 5),
         "8, 5 and 5 come from `one`; 2 comes from `x`, which is [6, 4, 4], divided by the groups"},
        {shape_make(3, 6, 4, 4), shape_make(4, 6, 1, 5, 5),
         "5 and 5 come from `one`; 6 comes from `x`"},
        {shape_make(3, 6, 4, 4), shape_make(2, 6, 4), "6 and 4 come from `one`"},
        {shape_make(0, 0), shape_make(2, 6, 4), "6 and 4 come from `one`"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Graph *graph = tiny_graph(fixture);
        graph->weights.count = 0;
        Value *x = tiny_value(fixture, "x", cases[i].input, SPAN_NONE);
        /* Several lines of source are not quoted; no place at all cannot be. */
        Span span = i == 0 ? SPAN_NONE : (Span){graph->source->base, graph->source->base + 40};
        Node *node = tiny_node(fixture, "one", span, x);
        tiny_weight(fixture, graph, node, "w", cases[i].weight, WEIGHT_KERNEL);
        const Tensor tensor = {"one.w", "F32", "[1,2,3]", 24};
        assert_false(bind(fixture, graph, &tensor, 1, NULL, 0));
        assert_says(only(fixture, DIAG_E0404), cases[i].expected);
        fixture->diagnostics.list.count = 0;
    }
}

static void shapes_that_are_never_guessed(void **state) {
    const char *const shapes[] = {"[3,8,1]", "[24]", "[1,24]", "[4,6]"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        Fixture *fixture = *state;
        assert_false(bind_with(fixture, 2, (Tensor){"fc.weight", "F32", shapes[i], 96}));
        only(fixture, DIAG_E0404);
        fixture_end(fixture);
        fixture_begin(fixture);
    }
}

static void without_elements(void **state) {
    Fixture *fixture = *state;
    assert_false(bind_with(fixture, 2, (Tensor){"fc.weight", "F32", "[3,0]", 0}));
    only(fixture, DIAG_E0404);
}

static void transposed_dense(void **state) {
    Fixture *fixture = *state;
    assert_false(bind_with(fixture, 2, (Tensor){"fc.weight", "F32", "[8,3]", 96}));
    const Diagnostic *d = only(fixture, DIAG_E0407);
    assert_says(d, "tensor `fc.weight` is transposed in `tiny.safetensors`");
    assert_says(d, "needs f32 [3, 8] (out, in)");
    assert_says(d, "has F32 [8, 3] (in, out): the Keras order");
    assert_says(d, "array.T.copy()");
    assert_says(d, "does not transpose by guess");
}

static void transposed_kernel(void **state) {
    Fixture *fixture = *state;
    assert_false(bind_with(fixture, 0, (Tensor){"conv1.weight", "F32", "[3,3,1,2]", 72}));
    const Diagnostic *d = only(fixture, DIAG_E0407);
    assert_says(d, "[2, 1, 3, 3] (out, in, height, width)");
    assert_says(d, "[3, 3, 1, 2] (height, width, in, out): the Keras order");
    assert_says(d, "array.transpose(3, 2, 0, 1).copy()");
}

static void transposed_depthwise_kernel(void **state) {
    Fixture *fixture = *state;
    assert_false(bind_with(fixture, 0, (Tensor){"conv1.weight", "F32", "[3,3,2,1]", 72}));
    const Diagnostic *d = only(fixture, DIAG_E0407);
    assert_says(d, "the Keras order of a depthwise kernel");
    assert_says(d, "array.transpose(2, 3, 0, 1).reshape([2, 1, 3, 3])");
}

static void wrong_type(void **state) {
    Fixture *fixture = *state;
    assert_false(bind_with(fixture, 3, (Tensor){"fc.bias", "F64", "[3]", 24}));
    const Diagnostic *d = only(fixture, DIAG_E0405);
    assert_says(d, "tensor `fc.bias` is of type F64 in `tiny.safetensors`");
}

static void all_mistakes_in_one_run(void **state) {
    Fixture *fixture = *state;
    const Tensor tensors[] = {
        {"conv1.weight", "F32", "[3,3,1,2]", 72},
        {"conv1.bias", "I16", "[2]", 4},
        {"fc.weight", "F32", "[3,9]", 108},
        {"fc_bias", "F32", "[3]", 12},
    };
    assert_false(bind(fixture, tiny_graph(fixture), tensors, 4, NULL, 0));
    const DiagCode expected[] = {DIAG_E0402, DIAG_E0403, DIAG_E0407, DIAG_E0405, DIAG_E0404};
    assert_int_equal(fixture->diagnostics.list.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(fixture->diagnostics.list.data[i]->code, expected[i]);
}

static void not_finite(void **state) {
    Fixture *fixture = *state;
    const float numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, -INFINITY, 1, NAN, -NAN};
    assert_true(bind(fixture, tiny_graph(fixture), right, 4, numbers, sizeof numbers));
    const Diagnostic *d = only(fixture, DIAG_W0406);
    assert_says(d, "3 of 18 numbers of tensor `conv1.weight` are not finite");
    assert_says(d, "2 NaN, 1 infinite, the first at [1, 0, 0, 0]");
    assert_false(diag_has_errors(&fixture->diagnostics));
}

/* Numbers are looked at in blocks; the first of a block, the last of one, the last of all. */
static void not_finite_in_blocks(void **state) {
    Fixture *fixture = *state;
    enum { COUNT = 3000 };
    const int places[] = {0, 1023, 1024, 2047, 2048, 2999};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        Graph *graph = tiny_graph(fixture);
        graph->weights.count = 0;
        Node *node =
            tiny_node(fixture, "many", SPAN_NONE, graph->weights.data[0]->owner->inputs[0]);
        tiny_weight(fixture, graph, node, "w", shape_make(2, 2, COUNT / 2), WEIGHT_KERNEL);
        float numbers[COUNT] = {0};
        numbers[places[i]] = INFINITY;
        numbers[COUNT - 1] = NAN;
        const Tensor tensor = {"many.w", "F32", "[2,1500]", sizeof numbers};
        assert_true(bind(fixture, graph, &tensor, 1, numbers, sizeof numbers));
        const Diagnostic *d = only(fixture, DIAG_W0406);
        assert_says(
            d, arena_format(&fixture->arena, "%d of 3000 numbers", places[i] == COUNT - 1 ? 1 : 2));
        assert_says(d, arena_format(&fixture->arena, "the first at [%d, %d]", places[i] / 1500,
                                    places[i] % 1500));
        fixture->diagnostics.list.count = 0;
    }
}

/* Hundreds of thousands of names that all miss must not take minutes. */
static void many_unused(void **state) {
    Fixture *fixture = *state;
    enum { MANY = 60000 };
    Tensor *tensors = calloc(MANY, sizeof *tensors);
    for (int i = 0; i < MANY; i++)
        tensors[i] = (Tensor){arena_format(&fixture->arena, "layer.%d.weight", i), "F32", "[0]", 0};
    assert_false(bind(fixture, tiny_graph(fixture), tensors, MANY, NULL, 0));
    assert_int_equal(fixture->diagnostics.list.count, MANY + 4);
    free(tensors);
}

/* ---- archives, files ------------------------------------------------------------------------ */

static void archive(void **state) {
    Fixture *fixture = *state;
    float numbers[TINY_ELEMENTS];
    for (int i = 0; i < TINY_ELEMENTS; i++)
        numbers[i] = (float)i;
    ZipBuilder zip = {0};
    tiny_npz(&zip, numbers, 8);
    TensorFile *file = tensor_file_open_bytes(&fixture->arena, &fixture->diagnostics, SPAN_NONE,
                                              "tiny.npz", zip.out.data, zip.out.length);
    assert_non_null(file);
    Graph *graph = tiny_graph(fixture);
    assert_true(weights_bind_file(graph, file, WEIGHTS_PYTORCH));
    tensor_file_close(file);
    zip_free(&zip); /* the numbers of an archive are copies */
    const float *expected = numbers;
    for (size_t i = 0; i < 4; i++) {
        const Weight *weight = graph->weights.data[i];
        assert_memory_equal(weight->data, expected, (size_t)weight->elements * sizeof(float));
        expected += weight->elements;
    }
}

static void big_endian_member(void **state) {
    Fixture *fixture = *state;
    StrBuf array = {0};
    npy_build(&array, "{'descr': '>f4', 'fortran_order': False, 'shape': (3,), }\n", "123412341234",
              12);
    ZipBuilder zip = {0};
    zip_add_member(&zip, "fc.bias.npy", 0, array.data, array.length);
    zip_finish(&zip);
    TensorFile *file = tensor_file_open_bytes(&fixture->arena, &fixture->diagnostics, SPAN_NONE,
                                              "tiny.npz", zip.out.data, zip.out.length);
    assert_non_null(file);
    assert_false(weights_bind_file(tiny_graph(fixture), file, WEIGHTS_PYTORCH));
    assert_int_equal(fixture->diagnostics.list.count, 4);
    assert_int_equal(fixture->diagnostics.list.data[3]->code, DIAG_E0405);
    assert_says(fixture->diagnostics.list.data[3], "of type >f4");
    tensor_file_close(file);
    zip_free(&zip);
    strbuf_free(&array);
}

static void random_written_and_bound(void **state) {
    Fixture *fixture = *state;
    char path[] = "/tmp/netc-test-XXXXXX.safetensors";
    int descriptor = mkstemps(path, (int)strlen(".safetensors"));
    assert_true(descriptor >= 0);
    Graph *drawn = tiny_graph(fixture);
    weights_random(&fixture->arena, drawn, 7);
    StrBuf bytes = {0};
    weights_write_safetensors(drawn, &bytes);
    assert_int_equal(write(descriptor, bytes.data, bytes.length), bytes.length);
    assert_int_equal(close(descriptor), 0);
    strbuf_free(&bytes);

    Graph *graph = tiny_graph(fixture);
    TensorFile *file = weights_bind(&fixture->arena, &fixture->diagnostics, graph, path,
                                    WEIGHTS_PYTORCH, SPAN_NONE);
    assert_non_null(file);
    for (size_t i = 0; i < 4; i++) {
        const Weight *weight = graph->weights.data[i];
        const unsigned char *data = (const unsigned char *)weight->data;
        assert_memory_equal(data, drawn->weights.data[i]->data, (size_t)weight->elements * 4);
        /* What netc writes is aligned: nothing was copied. */
        assert_true(data >= file->data && data < file->data + file->size);
    }
    assert_true(tensor_file_unchanged(file));
    tensor_file_close(file);
    assert_int_equal(fixture->diagnostics.list.count, 0);

    drawn->weights.data[0]->path = "a\"b\\c\n";
    strbuf_add(&bytes, "");
    weights_write_safetensors(drawn, &bytes);
    file = tensor_file_open_bytes(&fixture->arena, &fixture->diagnostics, SPAN_NONE,
                                  "a.safetensors", bytes.data, bytes.length);
    assert_non_null(file);
    assert_string_equal(file->tensors.data[0].name, "a\"b\\c\n");
    tensor_file_close(file);
    strbuf_free(&bytes);
    assert_int_equal(unlink(path), 0);
}

static void bind_refused_leaves_no_pointer(void **state) {
    Fixture *fixture = *state;
    char path[] = "/tmp/netc-test-XXXXXX.safetensors";
    int descriptor = mkstemps(path, (int)strlen(".safetensors"));
    assert_true(descriptor >= 0);
    Graph *graph = tiny_graph(fixture);
    weights_random(&fixture->arena, graph, 7);
    StrBuf bytes = {0};
    graph->weights.count = 3;
    weights_write_safetensors(graph, &bytes);
    graph->weights.count = 4;
    assert_int_equal(write(descriptor, bytes.data, bytes.length), bytes.length);
    assert_int_equal(close(descriptor), 0);
    tensor_file_close(weights_bind(&fixture->arena, &fixture->diagnostics, graph, path,
                                   WEIGHTS_PYTORCH, SPAN_NONE));
    only(fixture, DIAG_E0402);
    assert_null(weights_bind(&fixture->arena, &fixture->diagnostics, graph, "no.npz",
                             WEIGHTS_PYTORCH, SPAN_NONE));
    assert_int_equal(fixture->diagnostics.list.data[1]->code, DIAG_E0701);
    for (size_t i = 0; i < 4; i++)
        assert_null(graph->weights.data[i]->data);
    strbuf_free(&bytes);
    assert_int_equal(unlink(path), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(all_fits),
        TEST(file_order_does_not_matter),
        TEST(unneeded_are_tolerated),
        TEST(missing_and_unused),
        TEST(nothing_alike),
        TEST(names_behind_a_prefix),
        TEST(empty_file),
        TEST(wrong_shape),
        TEST(wrong_shape_of_a_kernel),
        TEST(where_other_numbers_come_from),
        TEST(shapes_that_are_never_guessed),
        TEST(without_elements),
        TEST(transposed_dense),
        TEST(transposed_kernel),
        TEST(transposed_depthwise_kernel),
        TEST(wrong_type),
        TEST(all_mistakes_in_one_run),
        TEST(not_finite),
        TEST(not_finite_in_blocks),
        TEST(many_unused),
        TEST(archive),
        TEST(big_endian_member),
        TEST(random_written_and_bound),
        TEST(bind_refused_leaves_no_pointer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
