/* The kernels without weights against plain loops in double: windows, means, elementwise steps,
 * copies, halos, softmax. */
#include "kernel_run.h"

/* ---- windows, means ------------------------------------------------------------------------ */

typedef struct WindowCase {
    int64_t channels, height, width;
    Window window;
    bool average, count_padding;
    int64_t more; /* rows and columns of output beyond the floor (ceil mode) */
    int columns;
} WindowCase;

static double window_expected(const Run *run, int64_t c, int64_t h, int64_t w) {
    const Window *window = &run->step.window.window;
    const View *view = &run->inputs[0].view;
    double sum = 0, most = -INFINITY, count = 0;
    for (int64_t kh = 0; kh < window->kernel[0]; kh++) {
        for (int64_t kw = 0; kw < window->kernel[1]; kw++) {
            int64_t y = h * window->stride[0] - window->pad_begin[0] + kh * window->dilation[0];
            int64_t x = w * window->stride[1] - window->pad_begin[1] + kw * window->dilation[1];
            bool inside = y >= 0 && y < view->height && x >= 0 && x < view->width;
            bool padded =
                y < view->height + window->pad_end[0] && x < view->width + window->pad_end[1];
            if (inside) {
                double number = (double)*element(&run->inputs[0], c, y, x);
                sum += number;
                if (!(number <= most)) /* NaN is larger than all */
                    most = isnan(most) ? most : number;
            }
            if (inside || (padded && run->step.window.count_padding))
                count++;
        }
    }
    return run->step.window.op == WINDOW_AVERAGE ? sum / count : most;
}

static void check_window(const char *cpu, const void *what) {
    const WindowCase *window = what;
    Run run;
    run_open(&run, cpu);
    Tensor input = tensor_new(window->channels, window->height, window->width, run.lanes, 0);
    tensor_fill(&input, 0);
    *element(&input, 0, 0, 0) = NAN;
    *element(&input, window->channels - 1, window->height - 1, 1) = INFINITY;
    *element(&input, window->channels - 1, 1, window->width - 1) = -INFINITY;
    run_input(&run, input);
    run_output(&run, tensor_new(window->channels,
                                window_output(&window->window, 0, window->height) + window->more,
                                window_output(&window->window, 1, window->width) + window->more,
                                run.lanes, 1));
    run.step.kind = STEP_WINDOW;
    run.step.window.window = window->window;
    run.step.window.op = window->average ? WINDOW_AVERAGE : WINDOW_MAXIMUM;
    run.step.window.count_padding = window->count_padding;
    run.step.tile = (Tile){1, window->columns, 1, 1};
    run_step(&run);
    run_check(&run, window_expected, 0);
    run_close(&run);
}

static void windows(void **state) {
    (void)state;
    static const WindowCase cases[] = {
        {40, 8, 9, WINDOW(2, 2, 2, 1, 0), false, false, 0, 4},
        {16, 9, 7, WINDOW(3, 3, 2, 1, 1), false, false, 0, 3},
        {7, 12, 13, WINDOW(3, 3, 2, 1, 0), false, false, 0, 5},
        {16, 6, 8, WINDOW(3, 3, 2, 1, 0), false, false, 1, 2}, /* the last window is cut */
        {16, 12, 12, WINDOW(3, 2, 1, 3, 1), false, false, 0, 8},
        {20, 7, 9, WINDOW(3, 3, 1, 1, 1), true, false, 0, 4},
        {20, 7, 9, WINDOW(3, 3, 2, 1, 1), true, true, 0, 4},
        {16, 8, 8, WINDOW(3, 3, 2, 1, 1), true, true, 1, 4},
        {16, 3, 4, WINDOW(9, 9, 1, 1, 4), true, false, 0, 4}, /* no window lies inside */
        {16, 9, 30, WINDOW(1, 12, 1, 1, 0), false, false, 0, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for_each_cpu(check_window, &cases[i]);
}

static double mean_expected(const Run *run, int64_t c, int64_t h, int64_t w) {
    (void)h;
    (void)w;
    const View *view = &run->inputs[0].view;
    double sum = 0;
    for (int64_t y = 0; y < view->height; y++)
        for (int64_t x = 0; x < view->width; x++)
            sum += (double)*element(&run->inputs[0], c, y, x);
    return sum / (double)(view->height * view->width);
}

static void check_mean(const char *cpu, const void *what) {
    const int64_t *shape = what;
    Run run;
    run_open(&run, cpu);
    Tensor input = tensor_new(shape[0], shape[1], shape[2], run.lanes, shape[3]);
    tensor_fill(&input, 0);
    run_input(&run, input);
    run_output(&run, tensor_new(shape[0], 1, 1, 1, 0));
    run.step.kind = STEP_GLOBAL;
    run.step.reduce.op = REDUCE_MEAN;
    run_affine(&run);
    run_step(&run);
    run_check(&run, mean_expected, 0);
    run_close(&run);
}

static void means(void **state) {
    (void)state;
    static const int64_t shapes[][4] = {{40, 7, 7, 0}, {32, 3, 11, 1}, {5, 1, 1, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for_each_cpu(check_mean, shapes[i]);
}

/* ---- elementwise, copies, halos ------------------------------------------------------------ */

typedef struct MapCase {
    int64_t channels, height, width;
    bool plain;
    int64_t halo; /* of input and output */
    bool affine;
    MapOp op;
} MapCase;

static double input_expected(const Run *run, int64_t c, int64_t h, int64_t w) {
    return (double)*element(&run->inputs[0], c, h, w);
}

static void check_map(const char *cpu, const void *what) {
    const MapCase *map = what;
    Run run;
    run_open(&run, cpu);
    int64_t block = map->plain ? 1 : run.lanes;
    Tensor input = tensor_new(map->channels, map->height, map->width, block, map->halo);
    tensor_fill(&input, 0);
    *element(&input, map->channels - 1, 0, 0) = NAN;
    *element(&input, 0, map->height - 1, 0) = 7;
    run_input(&run, input);
    run_output(&run, tensor_new(map->channels, map->height, map->width, block, map->halo));
    run.step.kind = STEP_MAP;
    if (map->affine) {
        run_affine(&run);
        run_addend(&run, map->halo);
        run_affine(&run);
    }
    OperandKind kind = map->op == MAP_LEAKY_RELU ? OPERAND_NUMBER : OPERAND_NONE;
    run_stage(&run, map->op, kind, 0.5, 6);
    run_step(&run);
    run_check(&run, input_expected, 0);
    run_close(&run);
}

static void maps(void **state) {
    (void)state;
    static const MapCase cases[] = {
        {40, 5, 7, false, 0, false, MAP_RELU},     {40, 5, 7, false, 1, true, MAP_SIGMOID},
        {3, 5, 7, true, 0, false, MAP_CLIP},       {3, 5, 37, true, 0, true, MAP_TANH},
        {3, 5, 37, true, 1, true, MAP_RELU},       {37, 1, 1, true, 0, true, MAP_LEAKY_RELU},
        {37, 1, 1, true, 1, true, MAP_LEAKY_RELU}, {1, 1, 1, true, 0, false, MAP_SIGMOID},
        {5, 33, 1, true, 0, true, MAP_LEAKY_RELU},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for_each_cpu(check_map, &cases[i]);
}

/* NaN stays; infinities and corners among the numbers, which the second of 5 rows has. */
static void check_lines(const char *cpu, const void *lines) {
    static const float special[] = {INFINITY, -INFINITY, 0.5F, -0.5F, 0, 1e30F, NAN};
    Run run;
    run_open(&run, cpu);
    Tensor input = tensor_new(3, 5, 37, 1, 0);
    tensor_fill(&input, 0);
    for (int i = 0; i < 7; i++)
        *element(&input, 1, 1, 4 * i) = special[i];
    run_input(&run, input);
    run_output(&run, tensor_new(3, 5, 37, 1, 0));
    run.step.kind = STEP_MAP;
    run_stage(&run, MAP_LINES, OPERAND_NONE, 0, 0)->lines = *(const Lines *)lines;
    run_step(&run);
    run_check(&run, input_expected, 0);
    run_close(&run);
}

static void lines(void **state) {
    (void)state;
    static const Lines cases[] = {
        {{-0.25, 0.5}, {{2, 0.25}, {1, 0}, {0, 0.5}}},       /* every form of a piece */
        {{-0.5, 0.5}, {{1, 0}, {0, 0}, {1, 0}}},             /* jumps; a flat piece between */
        {{0, INFINITY}, {{-3, 0}, {0.5, 0}, {7, 7}}},        /* one corner */
        {{-INFINITY, 0.5}, {{7, 7}, {1, 0}, {-1, 1}}},       /* the other */
        {{-INFINITY, INFINITY}, {{7, 7}, {0.5, 1}, {7, 7}}}, /* none */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for_each_cpu(check_lines, &cases[i]);
}

/* A gate for each channel as input 1, a trained slope, and each operation with a number. */
static void check_operands(const char *cpu, const void *what) {
    const MapCase *map = what;
    Run run;
    run_open(&run, cpu);
    int64_t block = map->plain ? 1 : run.lanes;
    Tensor input = tensor_new(map->channels, map->height, map->width, block, map->halo);
    tensor_fill(&input, 0);
    Tensor gate = tensor_new(map->channels, 1, 1, block, map->halo);
    tensor_fill(&gate, 0);
    run_input(&run, input);
    run_input(&run, gate);
    run_output(&run, tensor_new(map->channels, map->height, map->width, block, map->halo));
    run.step.kind = STEP_MAP;
    run_stage(&run, MAP_MULTIPLY, OPERAND_CHANNEL, 0, 0)->operand = 1;
    run_stage(&run, MAP_LEAKY_RELU, OPERAND_WEIGHT, 0, 0);
    run_vector(&run);
    if (map->affine)
        run_affine(&run);
    run_stage(&run, map->op, OPERAND_NUMBER, 0.5, 0)->reversed = map->affine;
    run_step(&run);
    run_check(&run, input_expected, 0);
    run_close(&run);
}

static void operands(void **state) {
    (void)state;
    static const MapCase cases[] = {
        {40, 5, 7, false, 0, false, MAP_SUBTRACT}, {21, 5, 7, false, 1, true, MAP_SUBTRACT},
        {3, 5, 37, true, 0, true, MAP_DIVIDE},     {3, 5, 7, true, 1, false, MAP_DIVIDE},
        {37, 1, 1, true, 0, true, MAP_MAXIMUM},    {37, 1, 1, true, 1, false, MAP_MINIMUM},
        {1, 1, 1, true, 0, false, MAP_ADD},        {5, 33, 1, true, 0, false, MAP_MULTIPLY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for_each_cpu(check_operands, &cases[i]);
}

static void unary_operations(void **state) {
    (void)state;
    for (int op = MAP_RELU; op <= MAP_NEGATE; op++) {
        MapCase wide = {19, 3, 5, false, 0, false, (MapOp)op};
        MapCase plain = {2, 3, 19, true, 0, true, (MapOp)op};
        for_each_cpu(check_map, &wide);
        for_each_cpu(check_map, &plain);
    }
}

typedef struct CopyCase {
    int64_t channels, height, width;
    bool from_plain, to_plain;
    int64_t from_halo, to_halo;
} CopyCase;

static void check_copy(const char *cpu, const void *what) {
    const CopyCase *copy = what;
    Run run;
    run_open(&run, cpu);
    int64_t from = copy->from_plain ? 1 : run.lanes, to = copy->to_plain ? 1 : run.lanes;
    Tensor input = tensor_new(copy->channels, copy->height, copy->width, from, copy->from_halo);
    tensor_fill(&input, 0);
    run_input(&run, input);
    run_output(&run, tensor_new(copy->channels, copy->height, copy->width, to, copy->to_halo));
    run.step.kind = STEP_COPY;
    run_step(&run);
    run_check(&run, input_expected, 0);
    int64_t lanes = (copy->channels + run.lanes - 1) / run.lanes * run.lanes;
    for (int64_t c = copy->channels; c < lanes && from == 1 && to > 1; c++)
        assert_true(*element(&run.output, c, 0, 0) == 0);
    run_close(&run);
}

static void copies(void **state) {
    (void)state;
    static const CopyCase cases[] = {
        {40, 3, 5, true, false, 0, 0}, {3, 4, 5, true, false, 0, 2},
        {40, 3, 5, false, true, 0, 0}, {21, 3, 5, false, true, 1, 0},
        {3, 9, 20, true, true, 0, 1},  {20, 3, 4, false, false, 1, 0},
        {50, 1, 1, true, false, 0, 0}, {50, 1, 1, false, true, 0, 0},
        {50, 1, 1, true, true, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for_each_cpu(check_copy, &cases[i]);
}

/* The result may go where input 0 or an addend stands. */
static void check_in_place(const char *cpu, const void *what) {
    const MapCase *map = what;
    Run run;
    run_open(&run, cpu);
    int64_t block = map->plain ? 1 : run.lanes;
    Tensor tensor = tensor_new(map->channels, map->height, map->width, block, map->halo);
    tensor_fill(&tensor, 0);
    run_input(&run, tensor);
    run_output(&run, tensor);
    run_stage(&run, MAP_ADD, OPERAND_ELEMENT, 0, 0);
    run.step.kind = STEP_MAP;
    float *before = malloc((size_t)tensor.floats * sizeof *before);
    assert_non_null(before);
    memcpy(before, tensor.data, (size_t)tensor.floats * sizeof *before);
    run_step(&run);
    for (int64_t c = 0; c < map->channels; c++)
        for (int64_t h = 0; h < map->height; h++)
            for (int64_t w = 0; w < map->width; w++) {
                const float *at = element(&tensor, c, h, w);
                assert_true(*at == 2 * before[at - tensor.data]);
            }
    free(before);
    run_close(&run);
}

static void maps_in_place(void **state) {
    (void)state;
    static const MapCase cases[] = {{20, 5, 7, false, 1, false, MAP_RELU},
                                    {3, 5, 37, true, 0, false, MAP_RELU},
                                    {3, 5, 37, true, 1, false, MAP_RELU}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for_each_cpu(check_in_place, &cases[i]);
}

/* A halo around the view becomes 0 in all lanes, and the view stays. */
static void check_zero(const char *cpu, const void *what) {
    const int64_t *shape = what; /* channels, height, width, plain, begin, end */
    int64_t begin = shape[4], end = shape[5];
    Run run;
    run_open(&run, cpu);
    int64_t block = shape[3] ? 1 : run.lanes;
    Tensor whole = tensor_new(shape[0], shape[1] + begin + end, shape[2] + begin + end, block, 0);
    Tensor inside = whole;
    inside.view.offset += begin * (whole.view.row_stride + whole.view.pixel_stride);
    inside.view.height = shape[1];
    inside.view.width = shape[2];
    run_output(&run, inside);
    run.step.kind = STEP_ZERO;
    run.step.zero.begin[0] = run.step.zero.begin[1] = begin;
    run.step.zero.end[0] = run.step.zero.end[1] = end;
    run_call(&run);
    tensor_check_untouched(&whole);
    int64_t lanes = (shape[0] + block - 1) / block * block;
    for (int64_t c = 0; c < lanes; c++)
        for (int64_t h = -begin; h < shape[1] + end; h++)
            for (int64_t w = -begin; w < shape[2] + end; w++) {
                bool view = h >= 0 && h < shape[1] && w >= 0 && w < shape[2];
                float number = *element(&inside, c, h, w);
                assert_true(view ? isnan(number) : number == 0);
            }
    run_close(&run);
}

static void halos(void **state) {
    (void)state;
    static const int64_t shapes[][6] = {
        {20, 4, 5, 0, 1, 1}, {3, 4, 5, 1, 2, 1}, {20, 1, 1, 0, 3, 0}, {3, 6, 40, 1, 0, 2}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for_each_cpu(check_zero, shapes[i]);
}

/* ---- softmax ------------------------------------------------------------------------------- */

typedef struct SoftmaxCase {
    Shape shape;
    int axis;
    float special; /* put at the first element */
} SoftmaxCase;

static void check_softmax_kind(const char *cpu, const SoftmaxCase *softmax, bool logarithm) {
    const int64_t *dims = softmax->shape.dims;
    Run run;
    run_open(&run, cpu);
    int64_t count = shape_elements(&softmax->shape);
    Tensor input = tensor_new(1, 1, count, 1, 0);
    tensor_fill(&input, 0);
    float *x = element(&input, 0, 0, 0);
    for (int64_t i = 0; i < count; i++)
        x[i] *= 50;
    x[0] = softmax->special;
    run_input(&run, input);
    run_output(&run, tensor_new(1, 1, count, 1, 0));
    Value value = {.type.shape = softmax->shape};
    run.step.kind = STEP_SOFTMAX;
    run.step.output_value = &value;
    run.step.softmax.axis = softmax->axis;
    run.step.softmax.logarithm = logarithm;
    run_step(&run);

    const float *y = element(&run.output, 0, 0, 0);
    int64_t extent = dims[softmax->axis], inner = 1;
    for (int k = softmax->axis + 1; k < softmax->shape.rank; k++)
        inner *= dims[k];
    for (int64_t i = 0; i < count; i++) {
        const float *slice = x + i / (extent * inner) * extent * inner + i % inner;
        double most = -INFINITY, sum = 0;
        for (int64_t a = 0; a < extent; a++)
            most = fmax(most, (double)slice[a * inner]);
        for (int64_t a = 0; a < extent; a++)
            sum += exp((double)slice[a * inner] - most);
        double t = (double)x[i] - most;
        check_number((double)y[i], logarithm ? t - log(sum) : exp(t) / sum);
    }
    run_close(&run);
}

static void check_softmax(const char *cpu, const void *what) {
    check_softmax_kind(cpu, what, false);
    check_softmax_kind(cpu, what, true);
}

static void softmaxes(void **state) {
    (void)state;
    static const SoftmaxCase cases[] = {
        {{1, {10}}, 0, 1},          {{1, {1000}}, 0, -1000},    {{1, {32}}, 0, -INFINITY},
        {{1, {1}}, 0, -INFINITY},   {{1, {21}}, 0, INFINITY},   {{1, {21}}, 0, NAN},
        {{2, {7, 19}}, 0, 60},      {{2, {7, 19}}, 1, 60},      {{3, {5, 6, 7}}, 0, INFINITY},
        {{3, {5, 6, 7}}, 1, NAN},   {{3, {5, 6, 7}}, 2, -2000}, {{4, {3, 4, 5, 6}}, 1, 1},
        {{4, {2, 1, 40, 1}}, 2, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for_each_cpu(check_softmax, &cases[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows),
        cmocka_unit_test(means),
        cmocka_unit_test(maps),
        cmocka_unit_test(operands),
        cmocka_unit_test(unary_operations),
        cmocka_unit_test(maps_in_place),
        cmocka_unit_test(copies),
        cmocka_unit_test(halos),
        cmocka_unit_test(softmaxes),
        cmocka_unit_test(lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
