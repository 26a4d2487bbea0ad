/* What a plan must compute: its lowered steps evaluated one after the other on row-major values,
 * with weights as they are, before anything is fused, laid out or packed. */
#ifndef NETC_TESTS_PLAN_PLAIN_H
#define NETC_TESTS_PLAN_PLAIN_H

#include "plan_network.h"
#include "plan_rearrange.h"

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
        out[i] = step->window.op == WINDOW_AVERAGE ? sum / count : most;
    }
}

static inline void plain_adaptive(const Step *step, const double *in, double *out) {
    Extent x = extent_of(step->input_values[0]), y = extent_of(step->output_value);
    for (int64_t i = 0; i < y.c * y.h * y.w; i++) {
        int64_t c = i / (y.h * y.w), oh = i / y.w % y.h, ow = i % y.w;
        double sum = 0, count = 0;
        for (int64_t h = oh * x.h / y.h; h * y.h < (oh + 1) * x.h; h++)
            for (int64_t w = ow * x.w / y.w; w * y.w < (ow + 1) * x.w; w++) {
                sum += in[(c * x.h + h) * x.w + w];
                count++;
            }
        out[i] = sum / count;
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
static inline double plain_pixel(const void *context, int64_t index) {
    return ((const double *)context)[index];
}

static inline void plain_resize(const Step *step, const double *in, double *out) {
    const Shape *from = &step->input_values[0]->type.shape;
    const Shape *to = &step->output_value->type.shape;
    int64_t pixels = shape_elements(to) / to->dims[0];
    for (int64_t k = 0; k < shape_elements(to); k++)
        out[k] = resized_pixel(&step->resize, k % pixels, plain_pixel,
                               in + k / pixels * (shape_elements(from) / from->dims[0]));
}

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

static inline void plain_lrn(const Step *step, const double *in, double *out) {
    const Shape *shape = &step->input_values[0]->type.shape;
    const ResponseNorm *norm = &step->response;
    int64_t places = shape_elements(shape) / shape->dims[0];
    for (int64_t i = 0; i < shape_elements(shape); i++) {
        double sum = 0;
        for (int64_t k = -norm->before; k <= norm->after; k++) {
            int64_t channel = i / places + k;
            if (channel >= 0 && channel < shape->dims[0])
                sum += in[i + k * places] * in[i + k * places];
        }
        out[i] = in[i] * pow(norm->offset + norm->factor * sum, -norm->exponent);
    }
}

static inline void plain_table(const Step *step, const double *in, double *out) {
    int64_t width = step->table.width;
    int64_t places = shape_elements(&step->output_value->type.shape) / width;
    for (int64_t t = 0; t < places; t++)
        for (int64_t i = 0; i < width; i++) {
            double row = step->table.numbered ? trunc(in[t]) : (double)t;
            bool exists = row >= 0 && row < (double)step->table.rows;
            out[t * width + i] =
                exists ? (double)step->table.weight->data[(int64_t)row * width + i] : NAN;
        }
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
        case STEP_ADAPTIVE: plain_adaptive(step, in, out); break;
        case STEP_LRN: plain_lrn(step, in, out); break;
        case STEP_TABLE: plain_table(step, in, out); break;
        case STEP_NORMALISE: plain_normalise(&step->normalise, in, out); break;
        case STEP_REDUCE: plain_reduce(step, in, out); break;
        case STEP_GLOBAL: {
            int64_t pixels = shape_elements(&input->type.shape) / elements;
            for (int64_t k = 0; k < elements * pixels; k++)
                out[k / pixels] += in[k] / (double)pixels;
            break;
        }
        case STEP_REARRANGE:
            for (int64_t k = 0; k < elements; k++) {
                int64_t from = rearranged_from(&step->rearrange, k);
                out[k] = from < 0 ? step->rearrange.value : in[from];
            }
            break;
        case STEP_RESIZE: plain_resize(step, in, out); break;
        case STEP_SOFTMAX:
            plain_softmax(in, out, dims_product(shape, 0, step->softmax.axis),
                          shape->dims[step->softmax.axis],
                          dims_product(shape, step->softmax.axis + 1, shape->rank));
            break;
        case STEP_MAP:
        case STEP_VIEW: memcpy(out, in, (size_t)elements * sizeof *out); break;
        case STEP_CONCAT: plain_concat(step, values, out); break;
        case STEP_CONV_GENERAL: /* in none of the networks here; tests/run/cases has them */
        case STEP_RECURRENT:
        case STEP_WINDOW_BIAS:
        case STEP_WINOGRAD:
        case STEP_STRASSEN:
        case STEP_COPY:
        case STEP_ZERO: assert(false); break;
        }
        plain_epilogue(step, values, out);
    }
    return values;
}

#endif
