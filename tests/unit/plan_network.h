/* Networks for the unit tests of src/plan, built by calling the kernels' descriptions directly, and
 * the plain evaluation of what they lowered to. */
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
    return (Window){.kernel = {is_image ? g.kernel : 1, g.kernel},
                    .stride = {is_image ? g.stride : 1, g.stride},
                    .dilation = {is_image ? g.dilation : 1, g.dilation},
                    .pad_begin = {is_image * g.begin, g.begin},
                    .pad_end = {is_image * g.end, g.end}};
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
    kernel_conv(&net->lowering, node, &window, groups, weight, bias);
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
    kernel_window(&net->lowering, node, &window, average, count_padding);
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
                       bias ? new_weight(net, node, shape_make(1, units), 0, 1) : NULL,
                       node->outputs[0]);
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

/* ---- plain evaluation of lowered steps: row-major values, weights as they are --------------- */

typedef struct Extent { /* a shape as channels, height, width */
    int64_t c, h, w;
} Extent;

static inline Extent extent_of(const Value *value) {
    const Shape *shape = &value->type.shape;
    Extent extent = {shape->dims[0], 1, 1};
    for (int axis = 1; axis < shape->rank - 1; axis++)
        extent.h *= shape->dims[axis];
    if (shape->rank > 1)
        extent.w = shape->dims[shape->rank - 1];
    return extent;
}

static inline void plain_conv(const Step *step, const double *in, double *out) {
    Extent x = extent_of(step->input_values[0]), y = extent_of(step->output_value);
    const Window *g = &step->conv.window;
    const float *weight = step->conv.weight->data;
    int64_t per_group = x.c / step->conv.groups;
    int64_t taps = g->kernel[0] * g->kernel[1];
    for (int64_t f = 0; f < y.c; f++)
        for (int64_t i = 0; i < y.h * y.w; i++) {
            double sum = step->conv.bias ? step->conv.bias->data[f] : 0;
            for (int64_t k = 0; k < per_group * taps; k++) {
                int64_t c = f / (y.c / step->conv.groups) * per_group + k / taps;
                int64_t h = i / y.w * g->stride[0] - g->pad_begin[0] +
                            k % taps / g->kernel[1] * g->dilation[0];
                int64_t w =
                    i % y.w * g->stride[1] - g->pad_begin[1] + k % g->kernel[1] * g->dilation[1];
                if (h >= 0 && h < x.h && w >= 0 && w < x.w)
                    sum += weight[f * per_group * taps + k] * in[(c * x.h + h) * x.w + w];
            }
            out[f * y.h * y.w + i] = sum;
        }
}

static inline void plain_window(const Step *step, const double *in, double *out) {
    Extent x = extent_of(step->input_values[0]), y = extent_of(step->output_value);
    const Window *g = &step->window.window;
    for (int64_t i = 0; i < y.c * y.h * y.w; i++) {
        double sum = 0, most = -INFINITY, count = 0;
        for (int64_t k = 0; k < g->kernel[0] * g->kernel[1]; k++) {
            int64_t h =
                i / y.w % y.h * g->stride[0] - g->pad_begin[0] + k / g->kernel[1] * g->dilation[0];
            int64_t w =
                i % y.w * g->stride[1] - g->pad_begin[1] + k % g->kernel[1] * g->dilation[1];
            bool inside = h >= 0 && h < x.h && w >= 0 && w < x.w;
            count += inside || step->window.count_padding;
            if (!inside)
                continue;
            double value = in[(i / (y.h * y.w) * x.h + h) * x.w + w];
            sum += value;
            most = value > most ? value : most;
        }
        out[i] = step->window.average ? sum / count : most;
    }
}

static inline void plain_dense(const Step *step, const double *in, double *out) {
    int64_t inputs = shape_elements(&step->input_values[0]->type.shape);
    for (int64_t n = 0; n < step->output_value->type.shape.dims[0]; n++) {
        out[n] = step->dense.bias ? step->dense.bias->data[n] : 0;
        for (int64_t k = 0; k < inputs; k++)
            out[n] += step->dense.weight->data[n * inputs + k] * in[k];
    }
}

/* in[outer][count][inner] */
static inline void plain_softmax(const double *in, double *out, int64_t outer, int64_t count,
                                 int64_t inner) {
    for (int64_t i = 0; i < outer * inner; i++) {
        int64_t at = i / inner * count * inner + i % inner;
        double most = -INFINITY, sum = 0;
        for (int64_t k = 0; k < count; k++)
            most = fmax(most, in[at + k * inner]);
        for (int64_t k = 0; k < count; k++)
            sum += exp(in[at + k * inner] - most);
        for (int64_t k = 0; k < count; k++)
            out[at + k * inner] = exp(in[at + k * inner] - most) / sum;
    }
}

/* Row-major index over `axes` alone of the element at `position`. */
static inline int64_t index_over(const Shape *shape, AxisSet axes, int64_t position) {
    int64_t index = 0, stride = 1;
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        if (axes >> axis & 1) {
            index += position % shape->dims[axis] * stride;
            stride *= shape->dims[axis];
        }
        position /= shape->dims[axis];
    }
    return index;
}

static inline void plain_reduce(const Step *step, const double *in, double *out) {
    const Shape *shape = &step->input_values[0]->type.shape;
    int64_t elements = shape_elements(shape);
    int64_t results = shape_elements(&step->output_value->type.shape);
    double *most = calloc((size_t)results, sizeof *most);
    for (int64_t i = 0; i < results; i++) {
        most[i] = -INFINITY;
        out[i] = step->reduce.op == REDUCE_MAX ? -INFINITY : 0;
    }
    for (int64_t i = 0; i < elements; i++) {
        int64_t result = index_over(shape, ~step->reduce.axes, i);
        switch (step->reduce.op) {
        case REDUCE_SUM: out[result] += in[i]; break;
        case REDUCE_MEAN: out[result] += in[i] * (double)results / (double)elements; break;
        case REDUCE_MAX: out[result] = fmax(out[result], in[i]); break;
        case REDUCE_ARGMAX:
            if (in[i] > most[result])
                out[result] = (double)index_over(shape, step->reduce.axes, i);
            break;
        }
        most[result] = fmax(most[result], in[i]);
    }
    free(most);
}

static inline void plain_normalise(const Normalisation *n, const double *in, double *out) {
    int64_t elements = shape_elements(&n->shape);
    int64_t slices = 1;
    for (int axis = 0; axis < n->shape.rank; axis++)
        slices *= n->axes >> axis & 1 ? 1 : n->shape.dims[axis];
    double length = (double)(elements / slices);
    double *mean = calloc((size_t)slices, sizeof *mean);
    double *variance = calloc((size_t)slices, sizeof *variance);
    for (int64_t i = 0; i < elements && n->centred; i++)
        mean[index_over(&n->shape, ~n->axes, i)] += in[i] / length;
    for (int64_t i = 0; i < elements; i++) {
        int64_t slice = index_over(&n->shape, ~n->axes, i);
        variance[slice] += (in[i] - mean[slice]) * (in[i] - mean[slice]) / length;
    }
    for (int64_t i = 0; i < elements; i++) {
        int64_t slice = index_over(&n->shape, ~n->axes, i);
        int64_t place = index_over(&n->shape, n->parameter_axes, i);
        out[i] = (in[i] - mean[slice]) / sqrt(variance[slice] + n->epsilon);
        out[i] = out[i] * n->weight->data[place] + n->bias->data[place];
    }
    free(mean);
    free(variance);
}

static inline int64_t dims_product(const Shape *shape, int begin, int end) {
    int64_t product = 1;
    for (int axis = begin; axis < end; axis++)
        product *= shape->dims[axis];
    return product;
}

static inline void plain_concat(const Step *step, double *const *values, double *out) {
    int axis = step->concat.axis;
    const Shape *shape = &step->output_value->type.shape;
    int64_t outer = dims_product(shape, 0, axis);
    int64_t whole = dims_product(shape, axis, shape->rank);
    int64_t begin = 0;
    for (int k = 0; k < step->input_count; k++) {
        const Value *input = step->input_values[k];
        int64_t part = dims_product(&input->type.shape, axis, shape->rank);
        for (int64_t o = 0; o < outer; o++)
            memcpy(out + o * whole + begin, values[input->id] + o * part,
                   (size_t)part * sizeof *out);
        begin += part;
    }
}

/* The right matrix of a product, element (k, j) of batch b. */
static inline double gemm_right(const Step *step, const double *right, int64_t b, int64_t k,
                                int64_t j) {
    const Product *p = &step->gemm.product;
    if (step->gemm.weight)
        return step->gemm.weight->data[j * p->depth + k];
    int64_t row = p->transposed ? j : k, column = p->transposed ? k : j;
    return right[p->right.offset + b * p->right.batch_stride + row * p->right.row_stride + column];
}

static inline void plain_gemm(const Step *step, double *const *values, double *out) {
    const Product *p = &step->gemm.product;
    const double *left = values[step->input_values[0]->id] + p->left.offset;
    const double *right = step->gemm.weight ? NULL : values[step->input_values[1]->id];
    for (int64_t b = 0; b < p->batches; b++)
        for (int64_t i = 0; i < p->rows; i++)
            for (int64_t j = 0; j < p->columns; j++) {
                double sum = step->gemm.bias ? step->gemm.bias->data[j] : 0;
                for (int64_t k = 0; k < p->depth; k++)
                    sum += left[b * p->left.batch_stride + i * p->left.row_stride + k] *
                           gemm_right(step, right, b, k, j);
                out[p->result.offset + b * p->result.batch_stride + i * p->result.row_stride + j] =
                    sum;
            }
}

static inline void plain_epilogue(const Step *step, double *const *values, double *out) {
    Extent y = extent_of(step->output_value);
    for (size_t s = 0; s < step->epilogue.count; s++) {
        const MapStage *stage = &step->epilogue.data[s];
        const Affine *a = &stage->affine;
        for (int64_t i = 0; i < y.c * y.h * y.w; i++) {
            int64_t c = i / (y.h * y.w);
            if (stage->op == MAP_AFFINE) {
                double scale = a->gamma ? a->gamma->data[c] : 1;
                if (a->variance)
                    scale /= sqrt(a->variance->data[c] + a->epsilon);
                double shift =
                    (a->beta ? a->beta->data[c] : 0) - scale * (a->mean ? a->mean->data[c] : 0);
                out[i] = out[i] * scale + shift;
                continue;
            }
            double operand = stage->constants[0];
            if (stage_reads_input(stage))
                operand = values[step->input_values[stage->operand]->id]
                                [stage->kind == OPERAND_CHANNEL ? c : i];
            if (stage->kind == OPERAND_WEIGHT)
                operand = stage->weight->data[stage->weight->elements == 1 ? 0 : c];
            out[i] = apply_operation(stage, out[i], operand);
        }
    }
}

/* All values by id, from lowered steps that nothing has changed yet. */
static inline double **plain_run(Network *net, const float *const *inputs) {
    double **values = ARENA_ARRAY(&net->arena, net->graph.values.count, double *);
    for (size_t i = 0; i < net->graph.values.count; i++)
        values[i] = ARENA_ARRAY(
            &net->arena, (size_t)shape_elements(&net->graph.values.data[i]->type.shape), double);
    for (size_t i = 0; i < net->graph.inputs.count; i++) {
        const Value *value = net->graph.inputs.data[i];
        for (int64_t k = 0; k < shape_elements(&value->type.shape); k++)
            values[value->id][k] = inputs[i][k];
    }
    for (size_t i = 0; i < net->plan.steps.count; i++) {
        const Step *step = net->plan.steps.data[i];
        const Value *input = step->input_values[0];
        const double *in = values[input->id];
        const Shape *shape = &step->output_value->type.shape;
        double *out = values[step->output_value->id];
        int64_t elements = shape_elements(shape);
        switch (step->kind) {
        case STEP_CONV:
        case STEP_DEPTHWISE: plain_conv(step, in, out); break;
        case STEP_DENSE: plain_dense(step, in, out); break;
        case STEP_GEMM: plain_gemm(step, values, out); break;
        case STEP_WINDOW: plain_window(step, in, out); break;
        case STEP_NORMALISE: plain_normalise(&step->normalise, in, out); break;
        case STEP_REDUCE: plain_reduce(step, in, out); break;
        case STEP_GLOBAL: {
            int64_t pixels = shape_elements(&input->type.shape) / elements;
            for (int64_t k = 0; k < elements * pixels; k++)
                out[k / pixels] += in[k] / (double)pixels;
            break;
        }
        case STEP_SOFTMAX:
            plain_softmax(in, out, dims_product(shape, 0, step->softmax.axis),
                          shape->dims[step->softmax.axis],
                          dims_product(shape, step->softmax.axis + 1, shape->rank));
            break;
        case STEP_MAP:
        case STEP_VIEW: memcpy(out, in, (size_t)elements * sizeof *out); break;
        case STEP_CONCAT: plain_concat(step, values, out); break;
        case STEP_COPY:
        case STEP_ZERO: assert(false); break;
        }
        plain_epilogue(step, values, out);
    }
    return values;
}

#endif
