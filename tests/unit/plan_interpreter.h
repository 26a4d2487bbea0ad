/* Runs a finished plan element by element, exactly as plan.h describes views, packed orders, halos
 * and epilogues, with every access checked. Memory starts as NaN, and each step leaves NaN in the
 * lanes past its last channel, so that a read of anything never written shows in the result. */
#ifndef NETC_TESTS_PLAN_INTERPRETER_H
#define NETC_TESTS_PLAN_INTERPRETER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "plan_plain.h"

typedef struct Run {
    const Plan *plan;
    float *const *inputs;
    float *const *outputs;
    unsigned char *arena;
    const unsigned char *packed;
} Run;

static inline float *element_at(const Run *run, const View *view, int64_t c, int64_t h, int64_t w) {
    int64_t at = view->offset + c / view->block * view->block_stride + h * view->row_stride +
                 w * view->pixel_stride + c % view->block;
    const Buffer *buffer = view->buffer;
    assert(at >= 0 && at < buffer->elements);
    switch (buffer->place) {
    case PLACE_INPUT: return run->inputs[buffer->index] + at;
    case PLACE_OUTPUT: return run->outputs[buffer->index] + at;
    case PLACE_ARENA: break;
    }
    assert(buffer->offset % 64 == 0 && buffer->offset + 4 * at + 4 <= run->plan->arena_bytes);
    return (float *)(void *)(run->arena + buffer->offset) + at;
}

static inline double packed_at(const Run *run, const Packed *packed, int64_t index) {
    assert(index >= 0 && index < packed->floats && packed->offset % 64 == 0);
    assert(packed->offset + packed->floats * 4 <= run->plan->packed_bytes);
    return ((const float *)(const void *)(run->packed + packed->offset))[index];
}

static inline int64_t rounded_up(int64_t value, int64_t unit) {
    return (value + unit - 1) / unit * unit;
}

#include "plan_strassen.h"
#include "plan_winograd.h"

static inline int64_t conv_index(const Run *run, const Step *step, int64_t f, int64_t c, int64_t kh,
                                 int64_t kw) {
    int64_t V = run->plan->machine->lanes, T = step->tile.vectors * V;
    int64_t KH = step->conv.window.kernel[0], KW = step->conv.window.kernel[1];
    int64_t groups = step->conv.groups, F = step->output.channels, Fg = F / groups;
    int64_t Cg = step->inputs[0].channels / groups;
    if (step->output.block == 1)
        return ((c * KH + kh) * KW + kw) * F + f;
    if (step->kind == STEP_DEPTHWISE)
        return ((f / V * KH + kh) * KW + kw) * V + f % V;
    if (groups > 1 && Fg % V != 0) {
        assert(step->tile.vectors == 1);
        return (((f / V * Cg + c) * KH + kh) * KW + kw) * V + f % V;
    }
    int64_t g = f / Fg, n = Fg / T, i = f % Fg;
    if (i < n * T)
        return ((((g * n + i / T) * Cg + c) * KH + kh) * KW + kw) * T + i % T;
    int64_t rest = rounded_up(Fg % T, V);
    return groups * n * T * Cg * KH * KW + (((g * Cg + c) * KH + kh) * KW + kw) * rest + i - n * T;
}

static inline double run_conv(const Run *run, const Step *step, int64_t f, int64_t h, int64_t w) {
    const Window *g = &step->conv.window;
    int64_t Cg = step->inputs[0].channels / step->conv.groups;
    int64_t Fg = step->output.channels / step->conv.groups;
    double sum = step->bias ? packed_at(run, step->bias, f) : 0;
    for (int64_t c = 0; c < Cg; c++)
        for (int64_t kh = 0; kh < g->kernel[0]; kh++)
            for (int64_t kw = 0; kw < g->kernel[1]; kw++)
                sum += packed_at(run, step->weights, conv_index(run, step, f, c, kh, kw)) *
                       *element_at(run, &step->inputs[0], f / Fg * Cg + c,
                                   h * g->stride[0] - g->pad_begin[0] + kh * g->dilation[0],
                                   w * g->stride[1] - g->pad_begin[1] + kw * g->dilation[1]);
    return sum;
}

static inline double run_dense(const Run *run, const Step *step, int64_t n) {
    const View *x = &step->inputs[0];
    int64_t V = run->plan->machine->lanes, T = step->tile.vectors * V, b = x->block;
    int64_t P = x->height * x->width, C = x->channels, N = step->output.channels;
    int64_t part1 = N / T * T;
    bool in_part1 = n < part1;
    int64_t columns = in_part1 ? T : rounded_up(N % T, V);
    int64_t start = in_part1 ? 0 : part1 * C * P;
    int64_t blocks = in_part1 ? N / T : 1, block = in_part1 ? n / T : 0;
    int64_t lane = in_part1 ? n % T : n - part1;
    int64_t whole = C / b * b, rest = C % b;
    double sum = step->bias ? packed_at(run, step->bias, n) : 0;
    for (int64_t c = 0; c < C; c++)
        for (int64_t p = 0; p < P; p++) {
            int64_t row = (block * (C / b) + c / b) * P * b + p * b + c % b;
            if (c >= whole)
                row = blocks * whole * P + (block * P + p) * rest + c - whole;
            sum += packed_at(run, step->weights, start + row * columns + lane) *
                   *element_at(run, x, c, p / x->width, p % x->width);
        }
    return sum;
}

static inline double run_window(const Run *run, const Step *step, int64_t c, int64_t oh,
                                int64_t ow) {
    const Window *g = &step->window.window;
    const View *x = &step->inputs[0];
    double sum = 0, most = -INFINITY, count = 0;
    for (int64_t k = 0; k < g->kernel[0] * g->kernel[1]; k++) {
        int64_t h = oh * g->stride[0] - g->pad_begin[0] + k / g->kernel[1] * g->dilation[0];
        int64_t w = ow * g->stride[1] - g->pad_begin[1] + k % g->kernel[1] * g->dilation[1];
        bool inside = h >= 0 && h < x->height && w >= 0 && w < x->width;
        count += inside || step->window.count_padding;
        double value = inside ? *element_at(run, x, c, h, w) : -INFINITY;
        sum += inside ? value : 0;
        most = value > most || isnan(value) ? value : most;
    }
    return step->window.op == WINDOW_AVERAGE ? sum / count : most;
}

static inline double run_adaptive(const Run *run, const Step *step, int64_t c, int64_t oh,
                                  int64_t ow) {
    const View *x = &step->inputs[0], *y = &step->output;
    double sum = 0, count = 0;
    for (int64_t h = oh * x->height / y->height; h * y->height < (oh + 1) * x->height; h++)
        for (int64_t w = ow * x->width / y->width; w * y->width < (ow + 1) * x->width; w++) {
            sum += *element_at(run, x, c, h, w);
            count++;
        }
    return sum / count;
}

static inline double run_mean(const Run *run, const Step *step, int64_t c) {
    const View *x = &step->inputs[0];
    double sum = 0;
    for (int64_t p = 0; p < x->height * x->width; p++)
        sum += *element_at(run, x, c, p / x->width, p % x->width);
    return sum / (double)(x->height * x->width);
}

static inline bool is_flat(StepKind kind) {
    return kind == STEP_SOFTMAX || kind == STEP_NORMALISE || kind == STEP_LRN ||
           kind == STEP_REDUCE;
}

/* Steps that work on values in their own order. */
static inline void run_flat(const Run *run, const Step *step) {
    const Shape *shape = &step->output_value->type.shape;
    int axis = step->softmax.axis;
    int64_t inputs = shape_elements(&step->input_values[0]->type.shape);
    int64_t elements = shape_elements(shape);
    double *in = calloc((size_t)inputs, sizeof *in), *out = calloc((size_t)elements, sizeof *out);
    const float *from = element_at(run, &step->inputs[0], 0, 0, 0);
    float *to = element_at(run, &step->output, 0, 0, 0);
    for (int64_t i = 0; i < inputs; i++)
        in[i] = from[i];
    if (step->kind == STEP_SOFTMAX)
        plain_softmax(in, out, dims_product(shape, 0, axis), shape->dims[axis],
                      dims_product(shape, axis + 1, shape->rank));
    else if (step->kind == STEP_NORMALISE)
        plain_normalise(&step->normalise, in, out);
    else if (step->kind == STEP_LRN)
        plain_lrn(step, in, out);
    else
        plain_reduce(step, in, out);
    for (int64_t i = 0; i < elements; i++) {
        for (size_t s = 0; s < step->epilogue.count; s++) {
            const MapStage *stage = &step->epilogue.data[s];
            double operand = stage->constants[0];
            assert(!stage_needs_channel(stage));
            if (stage->kind == OPERAND_ELEMENT)
                operand = element_at(run, &step->inputs[stage->operand], 0, 0, 0)[i];
            out[i] = apply_operation(stage, out[i], operand);
        }
        to[i] = (float)out[i];
    }
    free(in);
    free(out);
}

static inline void run_zero(const Run *run, const Step *step) {
    const View *y = &step->output;
    const int64_t *begin = step->zero.begin, *end = step->zero.end;
    assert(y->row_stride == (begin[1] + y->width + end[1]) * y->pixel_stride);
    assert(y->block_stride == (begin[0] + y->height + end[0]) * y->row_stride);
    for (int64_t c = 0; c < rounded_up(y->channels, y->block); c++)
        for (int64_t h = -begin[0]; h < y->height + end[0]; h++)
            for (int64_t w = -begin[1]; w < y->width + end[1]; w++)
                if (h < 0 || h >= y->height || w < 0 || w >= y->width)
                    *element_at(run, y, c, h, w) = 0;
}

static inline double gemm_weight(const Run *run, const Step *step, int64_t k, int64_t j) {
    const Product *p = &step->gemm.product;
    int64_t V = run->plan->machine->lanes, T = step->tile.vectors * V, whole = p->columns / T * T;
    if (j < whole)
        return packed_at(run, step->weights, (j / T * p->depth + k) * T + j % T);
    int64_t rest = rounded_up(p->columns - whole, V);
    return packed_at(run, step->weights, whole * p->depth + k * rest + j - whole);
}

/* Element `at`, in row-major order, of an output that the products fill. */
static inline double run_gemm(const Run *run, const Step *step, int64_t at) {
    const Product *p = &step->gemm.product;
    int64_t j = at % p->columns, i = at / p->columns % p->rows, b = at / p->columns / p->rows;
    const float *left = element_at(run, &step->inputs[0], 0, 0, 0) + p->left.offset +
                        b * p->left.batch_stride + i * p->left.row_stride;
    const float *right = step->weights ? NULL
                                       : element_at(run, &step->inputs[1], 0, 0, 0) +
                                             p->right.offset + b * p->right.batch_stride;
    int64_t k_stride = p->transposed ? 1 : p->right.row_stride;
    int64_t j_stride = p->transposed ? p->right.row_stride : 1;
    double sum = step->bias ? packed_at(run, step->bias, j) : 0;
    for (int64_t k = 0; k < p->depth; k++)
        sum +=
            left[k] * (right ? right[k * k_stride + j * j_stride] : gemm_weight(run, step, k, j));
    return sum;
}

static inline double run_rearrange(const Run *run, const Step *step, int64_t at) {
    int64_t from = rearranged_from(&step->rearrange, at);
    return from < 0 ? step->rearrange.value : element_at(run, &step->inputs[0], 0, 0, 0)[from];
}

typedef struct ChannelPixels {
    const Run *run;
    const View *view;
    int64_t channel;
} ChannelPixels;

static inline double channel_pixel(const void *context, int64_t index) {
    const ChannelPixels *pixels = context;
    int64_t width = pixels->view->width;
    return *element_at(pixels->run, pixels->view, pixels->channel, index / width, index % width);
}

static inline double run_table(const Run *run, const Step *step, int64_t at) {
    int64_t width = step->table.width, place = at / width;
    double row = (double)place;
    if (step->table.numbered)
        row = trunc((double)element_at(run, &step->inputs[0], 0, 0, 0)[place]);
    if (!(row >= 0 && row < (double)step->table.rows))
        return NAN;
    return packed_at(run, step->weights, (int64_t)row * width + at % width);
}

static inline double run_element(const Run *run, const Step *step, int64_t c, int64_t h,
                                 int64_t w) {
    switch (step->kind) {
    case STEP_CONV:
    case STEP_DEPTHWISE: return run_conv(run, step, c, h, w);
    case STEP_WINOGRAD: return run_winograd(run, step, c, h, w);
    case STEP_STRASSEN: return run_strassen(run, step, c, h, w);
    case STEP_DENSE: return run_dense(run, step, c);
    case STEP_GEMM:
        return run_gemm(run, step, (c * step->output.height + h) * step->output.width + w);
    case STEP_REARRANGE:
        return run_rearrange(run, step, (c * step->output.height + h) * step->output.width + w);
    case STEP_RESIZE: {
        ChannelPixels pixels = {run, &step->inputs[0], c};
        return resized_pixel(&step->resize, h * step->output.width + w, channel_pixel, &pixels);
    }
    case STEP_TABLE:
        return run_table(run, step, (c * step->output.height + h) * step->output.width + w);
    case STEP_WINDOW: return run_window(run, step, c, h, w);
    case STEP_ADAPTIVE: return run_adaptive(run, step, c, h, w);
    case STEP_GLOBAL: return run_mean(run, step, c);
    case STEP_MAP:
    case STEP_COPY: return *element_at(run, &step->inputs[0], c, h, w);
    case STEP_CONV_GENERAL: /* in none of the networks here; tests/run/cases has them */
    case STEP_SOFTMAX:
    case STEP_NORMALISE:
    case STEP_LRN:
    case STEP_REDUCE:
    case STEP_RECURRENT:
    case STEP_WINDOW_BIAS:
    case STEP_ZERO:
    case STEP_VIEW:
    case STEP_CONCAT: break;
    }
    assert(false);
    return NAN;
}

static inline void check_step(const Step *step) {
    bool blocked = step->output.block > 1;
    switch (step->kind) {
    case STEP_CONV: assert(blocked || step->inputs[0].block == 1); break;
    case STEP_WINDOW: assert(blocked == (step->inputs[0].block > 1)); break;
    case STEP_STRASSEN: assert(blocked == (step->conv.rows == 0)); break;
    case STEP_WINOGRAD:
    case STEP_DEPTHWISE:
    case STEP_RESIZE:
    case STEP_ADAPTIVE: assert(blocked && step->inputs[0].block > 1); break;
    case STEP_DENSE: assert(!blocked); break;
    case STEP_TABLE:
    case STEP_GEMM: assert(!blocked && step->inputs[0].block == 1); break;
    case STEP_GLOBAL: assert(!blocked && step->inputs[0].block > 1); break;
    case STEP_NORMALISE:
    case STEP_LRN:
    case STEP_REDUCE:
    case STEP_REARRANGE:
    case STEP_SOFTMAX: assert(!blocked && step->inputs[0].block == 1); break;
    case STEP_MAP:
    case STEP_COPY:
        assert(step->inputs[0].channels == step->output.channels &&
               step->inputs[0].height == step->output.height &&
               step->inputs[0].width == step->output.width);
        break;
    case STEP_ZERO: assert(step->input_count == 0); break;
    case STEP_RECURRENT:
    case STEP_WINDOW_BIAS:
    case STEP_CONV_GENERAL:
    case STEP_VIEW:
    case STEP_CONCAT: assert(false); break;
    }
    for (int i = step->kind == STEP_MAP ? 0 : 1; i < step->input_count; i++)
        assert(step->inputs[i].block == step->output.block);
}

static inline double run_stage(const Run *run, const Step *step, const MapStage *stage, double x,
                               int64_t c, int64_t h, int64_t w) {
    double y = stage->constants[0];
    if (stage->op == MAP_AFFINE)
        return x * packed_at(run, stage->vectors[0], c) + packed_at(run, stage->vectors[1], c);
    if (stage->kind == OPERAND_ELEMENT)
        y = *element_at(run, &step->inputs[stage->operand], c, h, w);
    if (stage->kind == OPERAND_CHANNEL)
        y = *element_at(run, &step->inputs[stage->operand], c, 0, 0);
    if (stage->kind == OPERAND_WEIGHT)
        y = packed_at(run, stage->vectors[0], c);
    return apply_operation(stage, x, y);
}

static inline void run_step(const Run *run, const Step *step) {
    check_step(step);
    if (is_flat(step->kind)) {
        run_flat(run, step);
        return;
    }
    if (step->kind == STEP_ZERO) {
        run_zero(run, step);
        return;
    }
    const View *y = &step->output;
    for (int64_t c = 0; c < rounded_up(y->channels, y->block); c++)
        for (int64_t h = 0; h < y->height; h++)
            for (int64_t w = 0; w < y->width; w++) {
                if (c >= y->channels) {
                    *element_at(run, y, c, h, w) = NAN;
                    continue;
                }
                double x = run_element(run, step, c, h, w);
                for (size_t s = 0; s < step->epilogue.count; s++) {
                    const MapStage *stage = &step->epilogue.data[s];
                    x = run_stage(run, step, stage, x, c, h, w);
                }
                *element_at(run, y, c, h, w) = (float)x;
            }
}

/* Runs a finished plan. */
static inline void plan_run(const Plan *plan, float *const *inputs, float *const *outputs) {
    unsigned char *arena = malloc((size_t)plan->arena_bytes + 1);
    unsigned char *packed = malloc((size_t)plan->packed_bytes + 1);
    memset(arena, 0xff, (size_t)plan->arena_bytes);
    memset(packed, 0xff, (size_t)plan->packed_bytes);
    plan_pack(plan, packed);
    Run run = {plan, inputs, outputs, arena, packed};
    for (size_t i = 0; i < plan->steps.count; i++)
        run_step(&run, plan->steps.data[i]);
    free(arena);
    free(packed);
}

static inline void plan_finish(Network *net) {
    plan_fuse(&net->plan);
    plan_choose(&net->plan,
                &(PlanOptions){.exact = net->tile_size == 0, .tile_size = net->tile_size});
    assert_true(plan_layout(&net->plan, &net->diagnostics));
    assert_true(plan_tile(&net->plan, &net->diagnostics));
    assert_true(plan_memory(&net->plan, &net->diagnostics));
}

/* Makes the plan, runs it on random inputs, and compares every output of a run with the plain
 * evaluation. */
static inline void plan_check(Network *net) {
    size_t input_count = net->graph.inputs.count, output_count = net->graph.outputs.count;
    float **inputs = ARENA_ARRAY(&net->arena, input_count, float *);
    float **outputs = ARENA_ARRAY(&net->arena, output_count, float *);
    for (size_t i = 0; i < input_count; i++) {
        int64_t elements = shape_elements(&net->graph.inputs.data[i]->type.shape);
        inputs[i] = ARENA_ARRAY(&net->arena, (size_t)elements, float);
        for (int64_t k = 0; k < elements; k++)
            inputs[i][k] = (float)random_normal(&net->random);
    }
    double **expected = plain_run(net, (const float *const *)inputs);
    plan_finish(net);
    for (size_t i = 0; i < output_count; i++) {
        size_t bytes = (size_t)shape_elements(&net->graph.outputs.data[i]->type.shape) * 4;
        outputs[i] = arena_alloc(&net->arena, bytes);
        memset(outputs[i], 0xff, bytes);
    }
    plan_run(&net->plan, inputs, outputs);
    for (size_t i = 0; i < output_count; i++) {
        const Value *value = net->graph.outputs.data[i];
        for (int64_t k = 0; k < shape_elements(&value->type.shape); k++) {
            double wanted = expected[value->id][k];
            double error = fabs(outputs[i][k] - wanted);
            if (!(error <= 2e-4 * (1 + fabs(wanted))))
                fail_msg("output %zu element %d: %g, not %g", i, (int)k, outputs[i][k], wanted);
        }
    }
}

#endif
