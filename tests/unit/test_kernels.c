/* Convolutions and dense products against plain loops in double. Weights are packed as plan/plan.h
 * says, independently of src/plan. */
#include "kernel_run.h"

/* ---- convolution --------------------------------------------------------------------------- */

typedef struct ConvCase {
    int64_t channels, height, width, filters, groups;
    Window window;
    bool plain; /* the input */
    Tile tile;
    bool affine, add;
} ConvCase;

/* Weights of the case in progress, [F][Cg][KH][KW]. */
static const float *conv_weights;

static float conv_weight(const ConvCase *conv, int64_t f, int64_t c, int64_t kh, int64_t kw) {
    const int64_t *kernel = conv->window.kernel;
    int64_t channels = conv->channels / conv->groups;
    if (f >= conv->filters)
        return 0;
    return conv_weights[((f * channels + c) * kernel[0] + kh) * kernel[1] + kw];
}

/* [Cg][KH][KW][width] from filter `first` on; filters from `end` on are 0. Returns its end. */
static float *pack_filters(const ConvCase *conv, float *to, int64_t first, int64_t width) {
    for (int64_t c = 0; c < conv->channels / conv->groups; c++)
        for (int64_t kh = 0; kh < conv->window.kernel[0]; kh++)
            for (int64_t kw = 0; kw < conv->window.kernel[1]; kw++)
                for (int64_t f = 0; f < width; f++)
                    *to++ = conv_weight(conv, first + f, c, kh, kw);
    return to;
}

static float *pack_conv(const ConvCase *conv, int64_t lanes, bool depthwise) {
    int64_t taps = conv->window.kernel[0] * conv->window.kernel[1];
    int64_t group_filters = conv->filters / conv->groups, width = conv->tile.vectors * lanes;
    int64_t stored = (conv->filters + lanes - 1) / lanes * lanes; /* filters */
    float *packed = floats_new(stored * (conv->channels / conv->groups) * taps), *to = packed;
    if (depthwise || (conv->groups > 1 && group_filters % lanes != 0)) {
        for (int64_t f = 0; f < conv->filters; f += lanes)
            to = pack_filters(conv, to, f, lanes);
        return packed;
    }
    int64_t whole = group_filters / width * width;
    for (int64_t g = 0; g < conv->groups; g++)
        for (int64_t f = 0; f < whole; f += width)
            to = pack_filters(conv, to, g * group_filters + f, width);
    int64_t rest = (group_filters - whole + lanes - 1) / lanes * lanes;
    for (int64_t g = 0; g < conv->groups && rest > 0; g++)
        to = pack_filters(conv, to, g * group_filters + whole, rest);
    return packed;
}

static const ConvCase *conv_case;

static double conv_expected(const Run *run, int64_t f, int64_t h, int64_t w) {
    const ConvCase *conv = conv_case;
    const Window *window = &conv->window;
    int64_t channels = conv->channels / conv->groups;
    int64_t first = f / (conv->filters / conv->groups) * channels;
    double sum = run->step.bias ? (double)run->packed[1][f] : 0;
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t kh = 0; kh < window->kernel[0]; kh++) {
            for (int64_t kw = 0; kw < window->kernel[1]; kw++) {
                int64_t y = h * window->stride[0] - window->pad_begin[0] + kh * window->dilation[0];
                int64_t x = w * window->stride[1] - window->pad_begin[1] + kw * window->dilation[1];
                sum += (double)conv_weight(conv, f, c, kh, kw) *
                       (double)*element(&run->inputs[0], first + c, y, x);
            }
        }
    }
    return sum;
}

static void check_conv_kind(const char *cpu, const ConvCase *conv, bool depthwise) {
    Run run;
    run_open(&run, cpu);
    conv_case = conv;
    int64_t halo = conv->window.pad_begin[0];
    Tensor input =
        tensor_new(conv->channels, conv->height, conv->width, conv->plain ? 1 : run.lanes, halo);
    tensor_fill(&input, halo);
    run_input(&run, input);
    run_output(&run, tensor_new(conv->filters, window_output(&conv->window, 0, conv->height),
                                window_output(&conv->window, 1, conv->width), run.lanes, 2));
    float *weights = random_floats(conv->filters * conv->channels / conv->groups *
                                   conv->window.kernel[0] * conv->window.kernel[1]);
    conv_weights = weights;
    run.step.kind = depthwise ? STEP_DEPTHWISE : STEP_CONV;
    run.step.conv.window = conv->window;
    run.step.conv.groups = conv->groups;
    run.step.tile = conv->tile;
    run.step.weights = &run.present;
    run_packed(&run, pack_conv(conv, run.lanes, depthwise));
    if (conv->affine) {
        run.step.bias = &run.present;
        run_vector(&run);
        run_affine(&run);
    }
    if (conv->add)
        run_addend(&run, 1);
    run_stage(&run, MAP_RELU, OPERAND_NONE, 0, 0);
    run_step(&run);
    run_check(&run, conv_expected, 2);
    run_close(&run);
}

static void check_conv(const char *cpu, const void *what) {
    check_conv_kind(cpu, what, false);
}

static void check_depthwise(const char *cpu, const void *what) {
    check_conv_kind(cpu, what, true);
}

static void convolutions(void **state) {
    (void)state;
    static const ConvCase cases[] = {
        /* several blocks of filters and a part 2, tiles cut at both edges */
        {48, 7, 11, 112, 1, WINDOW(3, 3, 1, 1, 1), false, {2, 3, 3, 4}, true, true},
        {32, 5, 9, 64, 1, WINDOW(1, 1, 1, 1, 0), false, {1, 4, 2, 4}, false, true},
        /* few plain channels, strides, filters that fill no vector */
        {3, 13, 17, 10, 1, WINDOW(7, 7, 2, 1, 3), true, {1, 5, 1, 3}, true, false},
        {1, 9, 9, 3, 1, WINDOW(2, 4, 3, 2, 2), true, {3, 2, 1, 1}, false, false},
        /* a wide kernel, whose taps are a loop */
        {4, 4, 40, 33, 1, WINDOW(1, 33, 1, 1, 4), false, {1, 7, 2, 2}, true, false},
        {5, 12, 6, 16, 1, WINDOW(5, 2, 1, 2, 3), false, {2, 6, 1, 1}, true, false},
        /* groups of whole vectors */
        {32, 6, 6, 96, 2, WINDOW(3, 3, 2, 1, 1), false, {2, 2, 2, 4}, true, true},
        {6, 5, 5, 96, 3, WINDOW(3, 3, 1, 1, 1), true, {1, 3, 1, 2}, false, false},
        /* groups that share vectors */
        {32, 5, 6, 64, 16, WINDOW(3, 3, 1, 1, 1), false, {1, 4, 1, 1}, true, true},
        {12, 4, 5, 18, 3, WINDOW(3, 2, 1, 1, 1), false, {1, 4, 1, 1}, true, false},
        {10, 4, 3, 30, 10, WINDOW(3, 3, 2, 1, 1), true, {1, 2, 1, 1}, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for_each_cpu(check_conv, &cases[i]);
}

static void depthwise_convolutions(void **state) {
    (void)state;
    static const ConvCase cases[] = {
        {40, 7, 9, 40, 40, WINDOW(3, 3, 1, 1, 1), false, {1, 4, 1, 1}, true, true},
        {16, 9, 9, 16, 16, WINDOW(3, 3, 2, 1, 1), false, {2, 3, 1, 1}, false, false},
        {5, 8, 8, 5, 5, WINDOW(5, 3, 1, 2, 3), false, {3, 8, 1, 1}, true, false},
        {16, 9, 40, 16, 16, WINDOW(7, 7, 1, 1, 3), false, {1, 24, 1, 1}, true, false},
        {8, 2, 64, 8, 8, WINDOW(1, 41, 1, 1, 3), false, {1, 20, 1, 1}, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for_each_cpu(check_depthwise, &cases[i]);
}

/* ---- dense --------------------------------------------------------------------------------- */

typedef struct DenseCase {
    int64_t channels, height, width, outputs;
    bool plain;
    int64_t halo; /* around the input */
    int vectors, unroll;
    bool bias;
} DenseCase;

static const DenseCase *dense_case;
static const float *dense_weights; /* [outputs][channels * height * width] */

/* One part: `blocks` blocks of `width` outputs from `first` on, both segments of channels. */
static float *pack_outputs(const DenseCase *dense, int64_t block, float *to, int64_t first,
                           int64_t blocks, int64_t width) {
    int64_t pixels = dense->height * dense->width, whole = dense->channels / block * block;
    for (int segment = 0; segment < 2; segment++) {
        int64_t begin = segment == 0 ? 0 : whole, end = segment == 0 ? whole : dense->channels;
        for (int64_t o = 0; o < blocks; o++)
            for (int64_t c = begin; c < end; c += block)
                for (int64_t p = 0; p < pixels; p++)
                    for (int64_t k = c; k < c + block && k < end; k++)
                        for (int64_t n = first + o * width; n < first + (o + 1) * width; n++)
                            *to++ = n < dense->outputs
                                        ? dense_weights[(n * dense->channels + k) * pixels + p]
                                        : 0;
    }
    return to;
}

static double dense_expected(const Run *run, int64_t n, int64_t h, int64_t w) {
    (void)h;
    (void)w;
    const float *weight =
        dense_weights + n * dense_case->channels * dense_case->height * dense_case->width;
    double sum = run->step.bias ? (double)run->packed[1][n] : 0;
    for (int64_t c = 0; c < dense_case->channels; c++)
        for (int64_t y = 0; y < dense_case->height; y++)
            for (int64_t x = 0; x < dense_case->width; x++)
                sum += (double)*weight++ * (double)*element(&run->inputs[0], c, y, x);
    return sum;
}

static void check_dense(const char *cpu, const void *what) {
    const DenseCase *dense = dense_case = what;
    Run run;
    run_open(&run, cpu);
    int64_t block = dense->plain ? 1 : run.lanes;
    Tensor input = tensor_new(dense->channels, dense->height, dense->width, block, dense->halo);
    tensor_fill(&input, 0);
    run_input(&run, input);
    run_output(&run, tensor_new(dense->outputs, 1, 1, 1, 0));
    int64_t inputs = dense->channels * dense->height * dense->width;
    int64_t width = dense->vectors * run.lanes, whole = dense->outputs / width * width;
    float *weights = random_floats(inputs * dense->outputs);
    dense_weights = weights;
    int64_t rest = (dense->outputs - whole + run.lanes - 1) / run.lanes * run.lanes;
    float *packed = floats_new(inputs * (whole + rest));
    float *to = pack_outputs(dense, block, packed, 0, dense->outputs / width, width);
    if (rest > 0)
        pack_outputs(dense, block, to, whole, 1, rest);
    run.step.kind = STEP_DENSE;
    run.step.tile = (Tile){1, 1, dense->vectors, dense->unroll};
    run.step.weights = &run.present;
    run_packed(&run, packed);
    if (dense->bias) {
        run.step.bias = &run.present;
        run_vector(&run);
        run_affine(&run);
        run_addend(&run, 0);
    }
    run_stage(&run, MAP_LEAKY_RELU, OPERAND_NUMBER, 0.25, 0);
    run_step(&run);
    run_check(&run, dense_expected, 2);
    run_close(&run);
}

static void dense_products(void **state) {
    (void)state;
    static const DenseCase cases[] = {
        {100, 1, 1, 10, true, 0, 1, 8, true}, {37, 1, 1, 67, true, 0, 2, 4, false},
        {40, 3, 5, 50, false, 0, 3, 4, true}, {32, 2, 3, 1, false, 1, 1, 4, false},
        {7, 3, 5, 33, true, 1, 2, 2, true},   {35, 1, 1, 128, false, 0, 4, 2, true},
        {3, 1, 1, 4, false, 0, 1, 1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for_each_cpu(check_dense, &cases[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),
        cmocka_unit_test(depthwise_convolutions),
        cmocka_unit_test(dense_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
