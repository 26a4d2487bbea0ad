/* Networks for the unit tests of src/plan, built by calling the kernels' descriptions directly. */
#ifndef NETC_TESTS_PLAN_NETWORK_H
#define NETC_TESTS_PLAN_NETWORK_H

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apply_operation.h"
#include "kernels/kernel.h"
#include "support/random.h"

typedef struct Network {
    Arena arena;
    SourceMap sources;
    Diagnostics diagnostics;
    Random random;
    Graph graph;
    Plan plan;
    Lowering lowering;
    int tile_size; /* of every convolution that can be done so; 0: of none */
} Network;

static inline void network_begin(Network *net, MachineKind machine, uint64_t seed) {
    *net = (Network){.random = random_start(seed)};
    net->sources.arena = &net->arena;
    net->diagnostics.arena = &net->arena;
    net->diagnostics.sources = &net->sources;
    net->graph.arena = &net->arena;
    net->graph.name = "test";
    net->plan.arena = &net->arena;
    net->plan.graph = &net->graph;
    net->plan.machine = machine_of_kind(machine);
    net->lowering.plan = &net->plan;
}

static inline void network_end(Network *net) {
    arena_free(&net->arena);
}

static inline Value *new_value(Network *net, Node *producer, const char *name, Shape shape) {
    Value *value = ARENA_NEW(&net->arena, Value);
    value->type.shape = shape;
    value->producer = producer;
    value->name = name;
    value->id = (int64_t)net->graph.values.count;
    VEC_PUSH(&net->arena, &net->graph.values, value);
    VEC_PUSH(&net->arena, &net->plan.values, value);
    return value;
}

static inline Value *net_input(Network *net, const char *name, Shape shape) {
    Value *value = new_value(net, NULL, name, shape);
    VEC_PUSH(&net->arena, &net->graph.inputs, value);
    return value;
}

static inline void net_return(Network *net, Value *value) {
    const char *name = arena_format(&net->arena, "output%zu", net->graph.outputs.count);
    VEC_PUSH(&net->arena, &net->graph.outputs, value);
    VEC_PUSH(&net->arena, &net->graph.output_names, name);
}

/* Every producer below makes the node, its output, and the step. */
static inline Node *new_node(Network *net, const char *kind, Value **inputs, size_t count,
                             Shape shape) {
    Node *node = ARENA_NEW(&net->arena, Node);
    node->id = (int64_t)net->graph.nodes.count;
    node->path = arena_format(&net->arena, "%s%d", kind, (int)node->id);
    node->inputs = ARENA_ARRAY(&net->arena, count, Value *);
    memcpy(node->inputs, inputs, count * sizeof *inputs);
    node->input_count = count;
    node->outputs = ARENA_NEW(&net->arena, Value *);
    node->outputs[0] = new_value(net, node, node->path, shape);
    node->output_count = 1;
    VEC_PUSH(&net->arena, &net->graph.nodes, node);
    return node;
}

static inline Weight *new_weight(Network *net, Node *node, Shape shape, double mean,
                                 double deviation) {
    Weight *weight = ARENA_NEW(&net->arena, Weight);
    weight->path = weight->name = node->path;
    weight->shape = shape;
    weight->elements = shape_elements(&shape);
    weight->owner = node;
    float *data = ARENA_ARRAY(&net->arena, (size_t)weight->elements, float);
    for (int64_t i = 0; i < weight->elements; i++)
        data[i] = (float)(mean + deviation * random_normal(&net->random));
    weight->data = data;
    VEC_PUSH(&net->arena, &node->weights, weight);
    VEC_PUSH(&net->arena, &net->graph.weights, weight);
    return weight;
}

typedef struct Geometry { /* of a window: height and width alike */
    int64_t kernel, stride, dilation, begin, end;
} Geometry;

static inline int64_t window_result(int64_t input, Geometry g) {
    return (input + g.begin + g.end - (g.kernel - 1) * g.dilation - 1) / g.stride + 1;
}

/* Height and width of a shape; a signal [C, L] has height 1 and its windows are 1 high. */
static inline Window make_window(const Shape *shape, Geometry g) {
    int64_t is_image = shape->rank == 3;
    return (Window){.kernel = {is_image ? g.kernel : 1, g.kernel, 1},
                    .stride = {is_image ? g.stride : 1, g.stride, 1},
                    .dilation = {is_image ? g.dilation : 1, g.dilation, 1},
                    .pad_begin = {is_image * g.begin, g.begin, 0},
                    .pad_end = {is_image * g.end, g.end, 0},
                    .input_slices = 1,
                    .output_slices = 1};
}

static inline Shape windowed_shape(const Shape *shape, int64_t channels, Geometry g) {
    Shape result = *shape;
    result.dims[0] = channels;
    for (int axis = 1; axis < shape->rank; axis++)
        result.dims[axis] = window_result(shape->dims[axis], g);
    return result;
}

static inline Value *net_conv(Network *net, Value *x, int64_t filters, Geometry g, int64_t groups,
                              bool with_bias) {
    const Shape *shape = &x->type.shape;
    Node *node = new_node(net, "conv", &x, 1, windowed_shape(shape, filters, g));
    Window window = make_window(shape, g);
    int64_t channels = shape->dims[0] / groups;
    double fan_in = (double)(channels * window.kernel[0] * window.kernel[1]);
    Shape kernel = shape->rank == 3 ? shape_make(4, filters, channels, g.kernel, g.kernel)
                                    : shape_make(3, filters, channels, g.kernel);
    Weight *weight = new_weight(net, node, kernel, 0, 1 / sqrt(fan_in));
    Weight *bias = with_bias ? new_weight(net, node, shape_make(1, filters), 0, 0.5) : NULL;
    kernel_conv(&net->lowering, node, &window, groups, weight, bias, node->inputs[0],
                node->outputs[0]);
    return node->outputs[0];
}

static inline Value *net_dense(Network *net, Value *x, int64_t outputs, bool with_bias) {
    Node *node = new_node(net, "dense", &x, 1, shape_make(1, outputs));
    int64_t inputs = shape_elements(&x->type.shape);
    Weight *weight =
        new_weight(net, node, shape_make(2, outputs, inputs), 0, 1 / sqrt((double)inputs));
    Weight *bias = with_bias ? new_weight(net, node, shape_make(1, outputs), 0, 0.5) : NULL;
    kernel_dense(&net->lowering, node, weight, bias);
    return node->outputs[0];
}

/* A product of each row of a matrix. */
static inline Value *net_dense_rows(Network *net, Value *x, int64_t outputs, bool with_bias) {
    int64_t rows = x->type.shape.dims[0], inputs = x->type.shape.dims[1];
    Node *node = new_node(net, "dense", &x, 1, shape_make(2, rows, outputs));
    Weight *weight =
        new_weight(net, node, shape_make(2, outputs, inputs), 0, 1 / sqrt((double)inputs));
    Weight *bias = with_bias ? new_weight(net, node, shape_make(1, outputs), 0, 0.5) : NULL;
    const Product product = {.batches = 1,
                             .rows = rows,
                             .depth = inputs,
                             .columns = outputs,
                             .left = {.row_stride = inputs},
                             .result = {.row_stride = outputs}};
    kernel_gemm_weight(&net->lowering, node, &product, x, weight, bias, 0, node->outputs[0]);
    return node->outputs[0];
}

static inline Affine new_affine(Network *net, Node *node, bool with_mean) {
    Shape channels = shape_make(1, node->outputs[0]->type.shape.dims[0]);
    Affine affine = {.gamma = new_weight(net, node, channels, 1, 0.1),
                     .beta = new_weight(net, node, channels, 0, 0.3),
                     .epsilon = 1e-5};
    if (!with_mean)
        return affine;
    affine.mean = new_weight(net, node, channels, 0, 0.3);
    affine.variance = new_weight(net, node, channels, 2, 0.2);
    return affine;
}

/* `with_affine`: a coefficient and a bias for each channel, as pooling layers may have. */
static inline Value *net_window(Network *net, Value *x, Geometry g, bool average,
                                bool count_padding, bool with_affine) {
    const Shape *shape = &x->type.shape;
    Node *node = new_node(net, "pool", &x, 1, windowed_shape(shape, shape->dims[0], g));
    Window window = make_window(shape, g);
    kernel_window(&net->lowering, node, &window, average ? WINDOW_AVERAGE : WINDOW_MAXIMUM,
                  count_padding);
    if (with_affine) {
        Affine affine = new_affine(net, node, false);
        kernel_affine(&net->lowering, node, &affine);
    }
    return node->outputs[0];
}

static inline Value *net_batchnorm(Network *net, Value *x) {
    Node *node = new_node(net, "bn", &x, 1, x->type.shape);
    Affine affine = new_affine(net, node, true);
    kernel_affine(&net->lowering, node, &affine);
    return node->outputs[0];
}

static inline Value *net_adaptive(Network *net, Value *x, int64_t size) {
    Shape shape = x->type.shape;
    for (int axis = 1; axis < shape.rank; axis++)
        shape.dims[axis] = size;
    Node *node = new_node(net, "adaptive", &x, 1, shape);
    kernel_adaptive(&net->lowering, node);
    return node->outputs[0];
}

static inline Value *net_mean(Network *net, Value *x) {
    Node *node = new_node(net, "mean", &x, 1, shape_make(1, x->type.shape.dims[0]));
    kernel_global(&net->lowering, node, REDUCE_MEAN);
    return node->outputs[0];
}

static inline Value *net_reduce(Network *net, Value *x, ReduceOp op, AxisSet axes) {
    Shape shape = x->type.shape;
    for (int axis = 0; axis < shape.rank; axis++)
        if (axes >> axis & 1)
            shape.dims[axis] = 1;
    Node *node = new_node(net, "reduce", &x, 1, shape);
    kernel_reduce(&net->lowering, node, op, axes);
    return node->outputs[0];
}

static inline Value *net_lrn(Network *net, Value *x, int64_t before, int64_t after) {
    Node *node = new_node(net, "lrn", &x, 1, x->type.shape);
    kernel_lrn(&net->lowering, node, &(ResponseNorm){before, after, 0.1, 1, 0.75});
    return node->outputs[0];
}

/* Over `axes`, with a weight and a bias for each place on them. */
static inline Value *net_normalise(Network *net, Value *x, AxisSet axes, bool centred) {
    Node *node = new_node(net, "normalise", &x, 1, x->type.shape);
    int64_t length = 1;
    for (int axis = 0; axis < x->type.shape.rank; axis++)
        length *= axes >> axis & 1 ? x->type.shape.dims[axis] : 1;
    Normalisation normalisation = {
        .shape = x->type.shape,
        .axes = axes,
        .parameter_axes = axes,
        .centred = centred,
        .epsilon = 0.1,
        .weight = new_weight(net, node, shape_make(1, length), 1, 0.1),
        .bias = new_weight(net, node, shape_make(1, length), 0, 0.3),
    };
    kernel_normalise(&net->lowering, node, &normalisation);
    return node->outputs[0];
}

static inline Value *net_softmax(Network *net, Value *x, int axis) {
    Node *node = new_node(net, "softmax", &x, 1, x->type.shape);
    kernel_softmax(&net->lowering, node, axis, false);
    return node->outputs[0];
}

static inline Value *net_map(Network *net, Value *x, MapOp op) {
    Node *node = new_node(net, "map", &x, 1, x->type.shape);
    OperandKind kind = op == MAP_LEAKY_RELU ? OPERAND_NUMBER : OPERAND_NONE;
    kernel_map(&net->lowering, node, (MapStage){.op = op, .kind = kind, .constants = {0.125, 6}});
    return node->outputs[0];
}

static inline Value *net_combine(Network *net, Value *a, Value *b, MapOp op) {
    const char *name = op == MAP_ADD ? "add" : op == MAP_SUBTRACT ? "sub" : "combine";
    Node *node = new_node(net, name, (Value *[]){a, b}, 2, a->type.shape);
    kernel_combine(&net->lowering, node, op);
    return node->outputs[0];
}

static inline Value *net_add(Network *net, Value *a, Value *b) {
    return net_combine(net, a, b, MAP_ADD);
}

/* x with its channels multiplied by those of `gate`, [C] or [C, 1, 1]. */
static inline Value *net_gate(Network *net, Value *x, Value *gate) {
    Node *node = new_node(net, "gate", (Value *[]){x, gate}, 2, x->type.shape);
    kernel_map(&net->lowering, node, (MapStage){.op = MAP_MULTIPLY, .kind = OPERAND_CHANNEL});
    return node->outputs[0];
}

/* A trained slope below 0 for each channel, or one for all. */
static inline Value *net_prelu(Network *net, Value *x, bool shared) {
    Node *node = new_node(net, "prelu", &x, 1, x->type.shape);
    int64_t slopes = shared ? 1 : x->type.shape.dims[0];
    Weight *weight = new_weight(net, node, shape_make(1, slopes), 0, 0.5);
    kernel_map(&net->lowering, node,
               (MapStage){.op = MAP_LEAKY_RELU, .kind = OPERAND_WEIGHT, .weight = weight});
    return node->outputs[0];
}

/* Rows of a tensor through one weight. */
static inline Value *net_rows(Network *net, Value *x, int64_t units, bool bias) {
    Shape shape = x->type.shape;
    int64_t inputs = shape.dims[shape.rank - 1];
    shape.dims[shape.rank - 1] = units;
    Node *node = new_node(net, "rows", &x, 1, shape);
    Product product = {.batches = 1,
                       .rows = shape_elements(&shape) / units,
                       .depth = inputs,
                       .columns = units,
                       .left = {.row_stride = inputs},
                       .result = {.row_stride = units}};
    const Weight *weight = new_weight(net, node, shape_make(2, units, inputs), 0, 0.3);
    kernel_gemm_weight(&net->lowering, node, &product, x, weight,
                       bias ? new_weight(net, node, shape_make(1, units), 0, 1) : NULL, 0,
                       node->outputs[0]);
    return node->outputs[0];
}

/* A learned vector added to each row. */
static inline Value *net_positions(Network *net, Value *x) {
    Node *node = new_node(net, "positions", &x, 1, x->type.shape);
    kernel_table(&net->lowering, node, new_weight(net, node, x->type.shape, 0, 1), false);
    return node->outputs[0];
}

/* Matrices of x [.., M, K] by the transposed ones of y, of the same shape. */
static inline Value *net_matmul(Network *net, Value *x, Value *y) {
    Shape shape = x->type.shape;
    int64_t depth = shape.dims[shape.rank - 1], rows = shape.dims[shape.rank - 2];
    shape.dims[shape.rank - 1] = rows;
    Value *inputs[] = {x, y};
    Node *node = new_node(net, "matmul", inputs, 2, shape);
    Matrices operand = {.batch_stride = rows * depth, .row_stride = depth};
    Product product = {.batches = shape_elements(&shape) / (rows * rows),
                       .rows = rows,
                       .depth = depth,
                       .columns = rows,
                       .left = operand,
                       .right = operand,
                       .result = {.batch_stride = rows * rows, .row_stride = rows},
                       .transposed = true};
    kernel_gemm(&net->lowering, node, &product, x, y, node->outputs[0]);
    return node->outputs[0];
}

static inline int64_t dims_product(const Shape *shape, int begin, int end) {
    int64_t product = 1;
    for (int axis = begin; axis < end; axis++)
        product *= shape->dims[axis];
    return product;
}

/* Axes of x in a new order; `pad`: with as many places around the last one, as `edge` says. */
static inline Value *net_rearrange(Network *net, Value *x, const int *order, int64_t pad,
                                   RearrangeEdge edge) {
    const Shape *input = &x->type.shape;
    Shape shape = *input;
    Rearrange rearrange = {.edge = edge, .value = 0.25, .loop_count = shape.rank};
    for (int i = 0; i < shape.rank; i++) {
        int64_t extent = input->dims[order[i]], begin = i == shape.rank - 1 ? pad : 0;
        shape.dims[i] = extent + 2 * begin;
        rearrange.loops[i] = (RearrangeLoop){
            shape.dims[i], dims_product(input, order[i] + 1, shape.rank), begin, extent};
    }
    Node *node = new_node(net, "rearrange", &x, 1, shape);
    kernel_rearrange(&net->lowering, node, &rearrange, x, node->outputs[0]);
    return node->outputs[0];
}

static inline Value *net_resize(Network *net, Value *x, bool linear, bool corners) {
    Shape shape = x->type.shape;
    Resize resize = {.linear = linear, .corners = corners, .axes = shape.rank - 1};
    for (int i = 1; i < shape.rank; i++) {
        resize.input[i - 1] = shape.dims[i];
        resize.output[i - 1] = shape.dims[i] = 1 + random_bits(&net->random) % 12;
    }
    Node *node = new_node(net, "resize", &x, 1, shape);
    kernel_resize(&net->lowering, node, &resize);
    return node->outputs[0];
}

static inline Value *net_concat(Network *net, Value **inputs, size_t count, int axis) {
    Shape shape = inputs[0]->type.shape;
    for (size_t i = 1; i < count; i++)
        shape.dims[axis] += inputs[i]->type.shape.dims[axis];
    Node *node = new_node(net, "concat", inputs, count, shape);
    kernel_concat(&net->lowering, node, axis);
    return node->outputs[0];
}

static inline Value *net_view(Network *net, Value *x, Shape shape) {
    Node *node = new_node(net, "view", &x, 1, shape);
    kernel_view(&net->lowering, node);
    return node->outputs[0];
}

static inline Value *net_flatten(Network *net, Value *x) {
    return net_view(net, x, shape_make(1, shape_elements(&x->type.shape)));
}

#endif
