/* Sliding windows: sizes against counting windows one by one, `same` against TensorFlow's table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "layers/layer.h"
#include "layers/window.h"

extern const LayerInfo layer_conv;
extern const LayerInfo layer_maxpool;

static const int64_t STRIDES[] = {1, 2, 3, 4, 5};
#define STRIDE_COUNT 5

static int64_t reach_of(const Slide *slide) {
    int64_t reach = 0;
    assert_true(slide_reach(slide, &reach));
    return reach;
}

static int64_t output_of(const Slide *slide) {
    int64_t output = 0;
    assert_true(slide_output(slide, &output));
    return output;
}

/* Windows that lie wholly in the padded input, tried one after the other. */
static int64_t count_whole_windows(const Slide *slide) {
    int64_t count = 0;
    int64_t last = slide->input + slide->pad_end - 1;
    for (int64_t tap = reach_of(slide) - 1 - slide->pad_begin; tap <= last; tap += slide->stride)
        count++;
    return count;
}

/* Windows until one reaches the end of the padded input, but none that starts past the input. */
static int64_t count_until_covered(const Slide *slide) {
    int64_t count = 0;
    int64_t end = slide->input + slide->pad_end;
    for (int64_t begin = -slide->pad_begin; begin < slide->input; begin += slide->stride) {
        count++;
        if (begin + reach_of(slide) >= end)
            break;
    }
    return count;
}

typedef void SlideCheck(const Slide *slide);

/* All small windows whose padding is smaller than their reach, as a pooling layer has them. */
static void for_all_slides(bool ceil, SlideCheck *check) {
    for (int64_t input = 1; input <= 9; input++)
        for (int64_t kernel = 1; kernel <= 5; kernel++)
            for (int64_t dilation = 1; dilation <= 3; dilation++)
                for (int s = 0; s < STRIDE_COUNT; s++) {
                    Slide slide = {.input = input,
                                   .kernel = kernel,
                                   .stride = STRIDES[s],
                                   .dilation = dilation,
                                   .ceil = ceil};
                    int64_t reach = reach_of(&slide);
                    for (slide.pad_begin = 0; slide.pad_begin < reach; slide.pad_begin++)
                        for (slide.pad_end = 0; slide.pad_end < reach; slide.pad_end++)
                            check(&slide);
                }
}

static void check_floor(const Slide *slide) {
    int64_t output = output_of(slide);
    int64_t counted = count_whole_windows(slide);
    assert_int_equal(output < 0 ? 0 : output, counted);
}

static void floor_counts_whole_windows(void **state) {
    (void)state;
    for_all_slides(false, check_floor);
}

static void check_ceil(const Slide *slide) {
    int64_t room = slide->input + slide->pad_begin + slide->pad_end - reach_of(slide);
    if (room <= -slide->stride) /* not even the rest of one stride is there */
        assert_true(output_of(slide) < 1);
    else
        assert_int_equal(output_of(slide), count_until_covered(slide));
}

static void ceil_counts_until_covered(void **state) {
    (void)state;
    for_all_slides(true, check_ceil);
}

/* torch.nn.MaxPool1d(k, s, p, ceil_mode=True), and the two ONNX tests that pin the rule. */
static void ceil_as_pytorch(void **state) {
    (void)state;
    const struct {
        int64_t input, kernel, stride, padding, output;
    } cases[] =
        {
            {4, 3, 2, 0, 2},    {6, 2, 2, 0, 3}, {7, 2, 2, 0, 4}, {56, 3, 2, 0, 28},
            {112, 3, 2, 0, 56}, {2, 3, 2, 0, 1}, {1, 1, 2, 0, 1}, {4, 1, 3, 0, 2},
            {5, 3, 3, 1, 2}, /* a third window would start in the padding behind */
        };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Slide slide = {.input = cases[i].input,
                       .kernel = cases[i].kernel,
                       .stride = cases[i].stride,
                       .dilation = 1,
                       .pad_begin = cases[i].padding,
                       .pad_end = cases[i].padding,
                       .ceil = true};
        assert_int_equal(output_of(&slide), cases[i].output);
    }
}

static void same_as_tensorflow(void **state) {
    (void)state;
    const struct {
        int64_t input, kernel, stride, dilation, output, begin, end;
    } cases[] = {
        {13, 6, 5, 1, 3, 1, 2}, /* the example of TensorFlow's manual */
        {224, 3, 2, 1, 112, 0, 1}, {224, 7, 2, 1, 112, 2, 3}, {28, 5, 1, 1, 28, 2, 2},
        {5, 2, 1, 1, 5, 0, 1},     {5, 4, 1, 1, 5, 1, 2},     {7, 3, 2, 1, 4, 1, 1},
        {4, 1, 2, 1, 2, 0, 0},     {6, 2, 3, 1, 2, 0, 0},     {10, 3, 1, 2, 10, 2, 2},
        {10, 3, 1, 4, 10, 4, 4},   {3, 5, 1, 1, 3, 2, 2},     {1, 3, 2, 1, 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Slide slide = {.input = cases[i].input,
                       .kernel = cases[i].kernel,
                       .stride = cases[i].stride,
                       .dilation = cases[i].dilation};
        assert_true(slide_pad_same(&slide));
        assert_int_equal(slide.pad_begin, cases[i].begin);
        assert_int_equal(slide.pad_end, cases[i].end);
        assert_int_equal(output_of(&slide), cases[i].output);
    }
}

/* Places that the taps of all inputs land on, from the first to the last, but for what is cut off.
 */
static int64_t count_spread(const Slide *slide, int64_t output_pad) {
    int64_t last = 0;
    for (int64_t i = 0; i < slide->input; i++)
        for (int64_t k = 0; k < slide->kernel; k++) {
            int64_t place = i * slide->stride + k * slide->dilation;
            last = place > last ? place : last;
        }
    return last + 1 + output_pad - slide->pad_begin - slide->pad_end;
}

static void check_transposed(const Slide *slide) {
    for (int64_t output_pad = 0; output_pad < slide->stride; output_pad++) {
        int64_t output = 0;
        assert_true(slide_transposed_output(slide, output_pad, &output));
        assert_int_equal(output, count_spread(slide, output_pad));
        /* A convolution of the same arguments leads back, whichever of the sizes it came from. */
        Slide back = *slide;
        back.input = output;
        if (output >= 1)
            assert_int_equal(output_of(&back), slide->input);
    }
}

static void transposed_leads_back(void **state) {
    (void)state;
    for_all_slides(false, check_transposed);
}

/* tf.keras.layers.Conv2DTranspose(padding="same"): the gradient of a `same` convolution. */
static void same_transposed_is_cut_as_same_is_padded(void **state) {
    (void)state;
    for (int64_t stride = 1; stride <= 5; stride++)
        for (int64_t kernel = 1; kernel <= 7; kernel++)
            for (int64_t dilation = 1; dilation <= 3; dilation++) {
                Slide slide = {
                    .input = 6, .kernel = kernel, .stride = stride, .dilation = dilation};
                Slide forward = slide;
                forward.input = 6 * stride;
                int64_t output;
                assert_true(slide_crop_same(&slide) && slide_pad_same(&forward));
                assert_true(slide_transposed_output(&slide, 0, &output));
                assert_int_equal(output, 6 * stride);
                assert_int_equal(slide.pad_begin, forward.pad_begin);
                assert_int_equal(slide.pad_end, forward.pad_end);
            }
}

static void check_smallest(const Slide *slide) {
    for (int64_t output = 1; output <= 4; output++) {
        int64_t smallest = 0;
        assert_true(slide_smallest_input(slide, output, &smallest));
        Slide tried = *slide;
        tried.input = 1;
        while (output_of(&tried) < output)
            tried.input++;
        assert_int_equal(smallest, tried.input);
    }
}

static void smallest_input_is_the_first_that_fits(void **state) {
    (void)state;
    for_all_slides(false, check_smallest);
    for_all_slides(true, check_smallest);
}

static void smallest_input_of_same(void **state) {
    (void)state;
    for (int64_t output = 1; output <= 5; output++) {
        Slide slide = {.input = 100, .kernel = 3, .stride = 4, .dilation = 1};
        assert_true(slide_pad_same(&slide));
        assert_true(slide_smallest_input(&slide, output, &slide.input));
        assert_true(slide_pad_same(&slide));
        assert_int_equal(output_of(&slide), output);
        slide.input--;
        assert_true(slide.input == 0 || (slide_pad_same(&slide) && output_of(&slide) < output));
    }
}

static void unused_elements(void **state) {
    (void)state;
    const struct {
        int64_t input, kernel, stride, padding, unused;
    } cases[] = {
        {7, 2, 2, 0, 1},  {8, 2, 2, 0, 0},
        {8, 3, 3, 0, 2},  {112, 3, 2, 1, 0}, /* only padding is left over */
        {4, 1, 2, 0, 0},                     /* no more than the stride leaves out anyway */
        {10, 2, 5, 0, 0}, {11, 2, 5, 0, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Slide slide = {.input = cases[i].input,
                       .kernel = cases[i].kernel,
                       .stride = cases[i].stride,
                       .dilation = 1,
                       .pad_begin = cases[i].padding,
                       .pad_end = cases[i].padding};
        assert_int_equal(slide_unused(&slide, output_of(&slide)), cases[i].unused);
    }
}

static void overflow_is_reported(void **state) {
    (void)state;
    int64_t result = 42;
    Slide slide = {.input = 1, .kernel = INT64_MAX / 2, .stride = 1, .dilation = 3};
    assert_false(slide_reach(&slide, &result));
    assert_false(slide_output(&slide, &result));
    assert_false(slide_pad_same(&slide));
    assert_false(slide_smallest_input(&slide, 1, &result));
    assert_false(slide_crop_same(&slide));
    assert_false(slide_transposed_output(&slide, 0, &result));
    slide = (Slide){.input = INT64_MAX / 2, .kernel = 3, .stride = 3, .dilation = 1};
    assert_false(slide_transposed_output(&slide, 0, &result));
    slide.same = true;
    assert_false(slide_transposed_output(&slide, 0, &result));
    slide = (Slide){.input = INT64_MAX, .kernel = 1, .stride = 1, .dilation = 1, .pad_end = 1};
    assert_false(slide_output(&slide, &result));
    slide = (Slide){.input = 1, .kernel = 1, .stride = INT64_MAX, .dilation = 1};
    assert_false(slide_smallest_input(&slide, 3, &result));
    assert_int_equal(result, 42);
}

/* Attributes as the graph would have them: by name, all sizes 1 until set. */
static Attribute *attribute(Node *node, const char *name) {
    int index = node_attribute(node, name);
    assert_true(index >= 0);
    return &node->attributes[index];
}

static void one_axis_is_of_height_one(void **state) {
    (void)state;
    Value input = {.type.shape = shape_make(2, 4, 10)};
    Value *inputs[] = {&input};
    Attribute attributes[LAYER_MAX_ATTRIBUTES] = {0};
    Node node = {.layer = &layer_conv, .inputs = inputs, .input_count = 1};
    node.attributes = attributes;
    attribute(&node, "kernel")->size[0] = 3;
    attribute(&node, "stride")->size[0] = 2;
    attribute(&node, "dilation")->size[0] = 4;
    attribute(&node, "pad")->padding.begin[0] = 5;
    attribute(&node, "pad")->padding.end[0] = 6;
    Window window = window_of(&node);
    const Window expected = {.kernel = {1, 3, 1},
                             .stride = {1, 2, 1},
                             .dilation = {1, 4, 1},
                             .pad_begin = {0, 5, 0},
                             .pad_end = {0, 6, 0},
                             .input_slices = 1,
                             .output_slices = 1};
    assert_memory_equal(&window, &expected, sizeof window);
}

static void depth_comes_last(void **state) {
    (void)state;
    Value input = {.type.shape = shape_make(4, 2, 10, 11, 12)};
    Value output = {.type.shape = shape_make(4, 2, 9, 9, 9)};
    Value *inputs[] = {&input}, *outputs[] = {&output};
    Attribute attributes[LAYER_MAX_ATTRIBUTES] = {0};
    Node node = {.layer = &layer_conv, .inputs = inputs, .outputs = outputs};
    node.attributes = attributes;
    for (int i = 0; i < 3; i++) {
        attribute(&node, "kernel")->size[i] = 2 + i;
        attribute(&node, "stride")->size[i] = 1;
        attribute(&node, "dilation")->size[i] = 1;
    }
    Window window = window_of(&node);
    const Window expected = {.kernel = {3, 4, 2},
                             .stride = {1, 1, 1},
                             .dilation = {1, 1, 1},
                             .input_slices = 10,
                             .output_slices = 9};
    assert_memory_equal(&window, &expected, sizeof window);
    int64_t extents[MAX_SPATIAL];
    window_extents(&input.type.shape, extents);
    assert_int_equal(extents[WINDOW_HEIGHT], 11);
    assert_int_equal(extents[WINDOW_WIDTH], 12);
    assert_int_equal(extents[WINDOW_DEPTH], 10);
}

static void same_goes_by_axis(void **state) {
    (void)state;
    Value input = {.type.shape = shape_make(3, 4, 10, 7)};
    Value *inputs[] = {&input};
    Attribute attributes[LAYER_MAX_ATTRIBUTES] = {0};
    Node node = {.layer = &layer_maxpool, .inputs = inputs, .input_count = 1};
    node.attributes = attributes;
    for (int i = 0; i < 2; i++) {
        attribute(&node, "size")->size[i] = 3;
        attribute(&node, "stride")->size[i] = 2;
        attribute(&node, "dilation")->size[i] = 1;
    }
    attribute(&node, "pad")->padding.mode = PADDING_SAME;
    Window window = window_of(&node);
    const Window expected = {.kernel = {3, 3, 1},
                             .stride = {2, 2, 1},
                             .dilation = {1, 1, 1},
                             .pad_begin = {0, 1, 0},
                             .pad_end = {1, 1, 0},
                             .input_slices = 1,
                             .output_slices = 1};
    assert_memory_equal(&window, &expected, sizeof window);
    Slide slides[MAX_SPATIAL];
    assert_int_equal(window_slides(&node, slides), 2);
    assert_int_equal(output_of(&slides[0]), 5);
    assert_int_equal(output_of(&slides[1]), 4);
    assert_false(node_switch(&node, "ceil"));
    attribute(&node, "ceil")->boolean = true;
    assert_true(node_switch(&node, "ceil"));
    assert_false(node_switch(&node, "countpad")); /* maxpool has none */
}

static void size_text(void **state) {
    (void)state;
    Arena arena = {0};
    assert_string_equal(window_size_text(&arena, (const int64_t[]){5}, 1), "5");
    assert_string_equal(window_size_text(&arena, (const int64_t[]){5, 3}, 2), "5x3");
    arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floor_counts_whole_windows),
        cmocka_unit_test(ceil_counts_until_covered),
        cmocka_unit_test(ceil_as_pytorch),
        cmocka_unit_test(same_as_tensorflow),
        cmocka_unit_test(transposed_leads_back),
        cmocka_unit_test(same_transposed_is_cut_as_same_is_padded),
        cmocka_unit_test(smallest_input_is_the_first_that_fits),
        cmocka_unit_test(smallest_input_of_same),
        cmocka_unit_test(unused_elements),
        cmocka_unit_test(overflow_is_reported),
        cmocka_unit_test(one_axis_is_of_height_one),
        cmocka_unit_test(depth_comes_last),
        cmocka_unit_test(same_goes_by_axis),
        cmocka_unit_test(size_text),
    };
    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
