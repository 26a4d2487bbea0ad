/* How layers describe their work: each function appends one step, with values only, and decides
 * nothing; fusing, layouts and tiles are the plan's (plan/plan.h). */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "kernels/kernel.h"
#include "support/checked.h"

/* A step from any values to another; it has the name of what it makes. */
static Step *append_part(Lowering *lowering, const Node *node, StepKind kind, Value *const *inputs,
                         size_t input_count, Value *output) {
    Plan *plan = lowering->plan;
    Step *step = ARENA_NEW(plan->arena, Step);
    step->kind = kind;
    step->node = node;
    bool whole = node->output_count == 1 && output == node->outputs[0];
    step->path = step->name = whole ? node->path : output->name;
    step->input_count = (int)input_count;
    step->input_values = ARENA_ARRAY(plan->arena, input_count, Value *);
    memcpy(step->input_values, inputs, input_count * sizeof *step->input_values);
    step->output_value = output;
    VEC_PUSH(plan->arena, &plan->steps, step);
    return step;
}

static Step *append_step(Lowering *lowering, const Node *node, StepKind kind, size_t input_count) {
    assert(node->output_count == 1 && input_count >= 1 && input_count <= node->input_count);
    return append_part(lowering, node, kind, node->inputs, input_count, node->outputs[0]);
}

Value *kernel_value(Lowering *lowering, const Node *node, const char *part, Shape shape) {
    Plan *plan = lowering->plan;
    Value *value = ARENA_NEW(plan->arena, Value);
    *value = (Value){.type = {ELEMENT_F32, shape},
                     .producer = node->outputs[0]->producer,
                     .name = arena_format(plan->arena, "%s.%s", node->path, part),
                     .span = node->span,
                     .id = (int64_t)plan->values.count};
    VEC_PUSH(plan->arena, &plan->values, value);
    return value;
}

void kernel_gemm(Lowering *lowering, const Node *node, const Product *product, Value *left,
                 Value *right, Value *result) {
    Value *const inputs[] = {left, right};
    append_part(lowering, node, STEP_GEMM, inputs, 2, result)->gemm.product = *product;
}

void kernel_gemm_weight(Lowering *lowering, const Node *node, const Product *product, Value *left,
                        const Weight *weight, const Weight *bias, int64_t first, Value *result) {
    Step *step = append_part(lowering, node, STEP_GEMM, &left, 1, result);
    assert(!product->transposed && product->batches == 1);
    step->gemm.product = *product;
    step->gemm.weight = weight;
    step->gemm.bias = bias;
    step->gemm.first = first;
}

static Step *append_conv(Lowering *lowering, const Node *node, StepKind kind, const Window *window,
                         int64_t groups, const Weight *weight, const Weight *bias, Value *input,
                         Value *result) {
    Step *step = append_part(lowering, node, kind, &input, 1, result);
    step->conv.window = *window;
    step->conv.groups = groups;
    step->conv.weight = weight;
    step->conv.bias = bias;
    return step;
}

/* Whether a window along an axis is its own place and nothing else. */
static bool is_point(const Window *window, enum WindowAxis axis) {
    return window->kernel[axis] == 1 && window->stride[axis] == 1 && window->pad_begin[axis] == 0 &&
           window->pad_end[axis] == 0;
}

/* A volume whose lines are convolved each by itself is a plane of all its lines. */
static bool is_planar(const Window *window) {
    return is_point(window, WINDOW_DEPTH) &&
           (window->input_slices == 1 || is_point(window, WINDOW_HEIGHT));
}

/* A matrix-vector product; the vector is the input in row-major order. */
static void append_dense(Lowering *lowering, const Node *node, const Weight *weight,
                         const Weight *bias, Value *input, Value *result) {
    Step *step = append_part(lowering, node, STEP_DENSE, &input, 1, result);
    step->dense.weight = weight;
    step->dense.bias = bias;
}

/* Whether each filter is as large as its input, of which it sees all at its only place. */
static bool covers_input(const Window *window, const Weight *weight, const Value *input,
                         const Value *result) {
    for (int axis = 0; axis < MAX_SPATIAL; axis++)
        if (window->pad_begin[axis] != 0 || window->pad_end[axis] != 0)
            return false;
    int64_t filters = weight->shape.dims[0];
    return shape_elements(&result->type.shape) == filters &&
           weight->elements == filters * shape_elements(&input->type.shape);
}

void kernel_conv(Lowering *lowering, const Node *node, const Window *window, int64_t groups,
                 const Weight *weight, const Weight *bias, Value *input, Value *result) {
    int64_t channels = input->type.shape.dims[0];
    int64_t filters = weight->shape.dims[0];
    if (covers_input(window, weight, input, result)) {
        append_dense(lowering, node, weight, bias, input, result);
        return;
    }
    bool depthwise = groups > 1 && groups == channels && groups == filters;
    StepKind kind = !is_planar(window) ? STEP_CONV_GENERAL : depthwise ? STEP_DEPTHWISE : STEP_CONV;
    append_conv(lowering, node, kind, window, groups, weight, bias, input, result);
}

void kernel_deconv(Lowering *lowering, const Node *node, const Window *window, int64_t groups,
                   const Weight *weight, const Weight *bias) {
    append_conv(lowering, node, STEP_CONV_GENERAL, window, groups, weight, bias, node->inputs[0],
                node->outputs[0])
        ->conv.transposed = true;
}

void kernel_softmax_rows(Lowering *lowering, const Node *node, bool causal, Value *input,
                         Value *result) {
    Step *step = append_part(lowering, node, STEP_SOFTMAX, &input, 1, result);
    step->softmax.axis = input->type.shape.rank - 1;
    step->softmax.causal = causal;
    step->softmax.drops = true;
}

/* The first rows of a table; the input is not looked at. */
static Step *append_rows(Lowering *lowering, const Node *node, const Weight *weight,
                         Value *result) {
    Step *step = append_part(lowering, node, STEP_TABLE, node->inputs, 1, result);
    step->table.weight = weight;
    step->table.width = weight->shape.dims[1];
    step->table.rows = shape_elements(&result->type.shape) / step->table.width;
    return step;
}

void kernel_rows(Lowering *lowering, const Node *node, const Weight *weight, Value *result) {
    append_rows(lowering, node, weight, result);
}

void kernel_table(Lowering *lowering, const Node *node, const Weight *weight, bool numbered) {
    Step *step = append_rows(lowering, node, weight, node->outputs[0]);
    step->table.numbered = numbered;
    if (numbered) {
        step->table.rows = weight->shape.dims[0];
        return;
    }
    MapStage stage = {.op = MAP_ADD, .kind = OPERAND_ELEMENT, .node = node};
    VEC_PUSH(lowering->plan->arena, &step->epilogue, stage);
}

void kernel_window_bias(Lowering *lowering, const Node *node, const Weight *weight,
                        const WindowGrid *grid, Value *scores, Value *result) {
    Step *step = append_part(lowering, node, STEP_WINDOW_BIAS, &scores, 1, result);
    step->window_bias.weight = weight;
    step->window_bias.grid = *grid;
    MapStage stage = {.op = MAP_ADD, .kind = OPERAND_ELEMENT, .node = node};
    VEC_PUSH(lowering->plan->arena, &step->epilogue, stage);
}

void kernel_recurrent(Lowering *lowering, const Node *node, RecurrentCell cell, int directions,
                      Value *const *inputs, const Weight *const *weights,
                      const Weight *const *biases, Value *result) {
    Step *step = append_part(lowering, node, STEP_RECURRENT, inputs, (size_t)directions, result);
    int64_t hidden = weights[0]->shape.dims[1], lanes = lowering->plan->machine->lanes;
    step->recurrent.cell = cell;
    step->recurrent.times = inputs[0]->type.shape.dims[0];
    step->recurrent.hidden = hidden;
    step->recurrent.directions = directions;
    step->recurrent.sequence = result->type.shape.rank == 2;
    for (int d = 0; d < directions; d++) {
        step->recurrent.weights[d] = weights[d];
        step->recurrent.biases[d] = biases[d];
    }
    int64_t states = cell == RECURRENT_LSTM ? 3 : 2;
    step->scratch_floats = directions * states * divide_up(hidden, lanes) * lanes;
}

void kernel_dense(Lowering *lowering, const Node *node, const Weight *weight, const Weight *bias) {
    append_dense(lowering, node, weight, bias, node->inputs[0], node->outputs[0]);
}

void kernel_window(Lowering *lowering, const Node *node, const Window *window, WindowOp op,
                   bool count_padding) {
    Step *step = append_step(lowering, node, STEP_WINDOW, 1);
    step->window.window = *window;
    step->window.op = op;
    step->window.count_padding = count_padding;
}

void kernel_adaptive(Lowering *lowering, const Node *node) {
    append_step(lowering, node, STEP_ADAPTIVE, 1);
}

void kernel_global(Lowering *lowering, const Node *node, ReduceOp op) {
    append_step(lowering, node, STEP_GLOBAL, 1)->reduce.op = op;
}

void kernel_reduce(Lowering *lowering, const Node *node, ReduceOp op, AxisSet axes) {
    Step *step = append_step(lowering, node, STEP_REDUCE, 1);
    step->reduce.op = op;
    step->reduce.axes = axes;
}

void kernel_normalise(Lowering *lowering, const Node *node, const Normalisation *normalisation) {
    assert(normalisation->weight || !normalisation->bias);
    append_step(lowering, node, STEP_NORMALISE, 1)->normalise = *normalisation;
}

void kernel_lrn(Lowering *lowering, const Node *node, const ResponseNorm *norm) {
    append_step(lowering, node, STEP_LRN, 1)->response = *norm;
}

void kernel_softmax(Lowering *lowering, const Node *node, int axis, bool logarithm) {
    Step *step = append_step(lowering, node, STEP_SOFTMAX, 1);
    step->softmax.axis = axis;
    step->softmax.logarithm = logarithm;
}

/* Puts the loop `outer` before the loop `inner` of which it is the next; true if both became one:
 * an outer place is then a whole run of the inner, edges included. */
static bool join_loops(const Rearrange *rearrange, const RearrangeLoop *outer,
                       RearrangeLoop *inner) {
    bool bounded = outer->extent != outer->count || outer->begin != 0;
    if (inner->extent != inner->count || inner->begin != 0 ||
        outer->stride != inner->count * inner->stride ||
        (bounded && rearrange->edge != REARRANGE_CONSTANT && rearrange->edge != REARRANGE_WRAP))
        return false;
    *inner = (RearrangeLoop){.count = outer->count * inner->count,
                             .stride = inner->stride,
                             .begin = outer->begin * inner->count,
                             .extent = outer->extent * inner->count};
    return true;
}

static Rearrange simplified(const Rearrange *rearrange) {
    Rearrange result = *rearrange;
    RearrangeLoop *last = &result.loops[REARRANGE_MAX_LOOPS];
    RearrangeLoop *outermost = last; /* of those kept; they go to the end of the array */
    for (int i = rearrange->loop_count - 1; i >= 0; i--) {
        RearrangeLoop loop = rearrange->loops[i];
        if ((loop.count == 1 && loop.begin == 0) ||
            (outermost < last && join_loops(rearrange, &loop, outermost)))
            continue;
        *--outermost = loop;
    }
    if (outermost == last)
        *--outermost = (RearrangeLoop){.count = 1, .stride = 1, .extent = 1};
    result.loop_count = (int)(last - outermost);
    memmove(result.loops, outermost, (size_t)result.loop_count * sizeof *outermost);
    return result;
}

/* All elements in the order in which they are. */
static bool is_identity(const Rearrange *rearrange, const Shape *input) {
    const RearrangeLoop *loop = &rearrange->loops[0];
    return rearrange->loop_count == 1 && loop->stride == 1 && loop->extent == loop->count &&
           loop->begin == 0 && loop->count == shape_elements(input);
}

void kernel_rearrange(Lowering *lowering, const Node *node, const Rearrange *rearrange,
                      Value *input, Value *output) {
    Rearrange simple = simplified(rearrange);
    bool view = is_identity(&simple, &input->type.shape);
    Step *step = append_part(lowering, node, view ? STEP_VIEW : STEP_REARRANGE, &input, 1, output);
    if (!view)
        step->rearrange = simple;
}

void kernel_resize(Lowering *lowering, const Node *node, const Resize *resize) {
    if (shape_equal(&node->inputs[0]->type.shape, &node->outputs[0]->type.shape))
        kernel_view(lowering, node);
    else
        append_step(lowering, node, STEP_RESIZE, 1)->resize = *resize;
}

void kernel_map(Lowering *lowering, const Node *node, MapStage stage) {
    bool reads_input = stage_reads_input(&stage);
    Step *step = append_step(lowering, node, STEP_MAP, reads_input ? 2 : 1);
    stage.operand = reads_input ? 1 : 0;
    stage.node = node;
    VEC_PUSH(lowering->plan->arena, &step->epilogue, stage);
}

void kernel_combine(Lowering *lowering, const Node *node, MapOp op) {
    Step *step = append_step(lowering, node, STEP_MAP, node->input_count);
    for (int operand = 1; operand < step->input_count; operand++) {
        MapStage stage = {.op = op, .kind = OPERAND_ELEMENT, .operand = operand, .node = node};
        VEC_PUSH(lowering->plan->arena, &step->epilogue, stage);
    }
}

void kernel_then(Lowering *lowering, const Node *node, MapStage stage) {
    Plan *plan = lowering->plan;
    Step *last = plan->steps.count > 0 ? plan->steps.data[plan->steps.count - 1] : NULL;
    Step *step = last && last->node == node ? last : append_step(lowering, node, STEP_MAP, 1);
    stage.node = node;
    VEC_PUSH(plan->arena, &step->epilogue, stage);
}

void kernel_affine(Lowering *lowering, const Node *node, const Affine *affine) {
    kernel_then(lowering, node, (MapStage){.op = MAP_AFFINE, .affine = *affine});
}

void kernel_join(Lowering *lowering, const Node *node, Value *const *inputs, size_t count,
                 int axis) {
    append_part(lowering, node, STEP_CONCAT, inputs, count, node->outputs[0])->concat.axis = axis;
}

void kernel_concat(Lowering *lowering, const Node *node, int axis) {
    kernel_join(lowering, node, node->inputs, node->input_count, axis);
}

void kernel_stack(Lowering *lowering, const Node *node, int axis) {
    Step *step = append_step(lowering, node, STEP_CONCAT, node->input_count);
    step->concat.axis = axis;
    step->concat.stacked = true;
}

void kernel_view(Lowering *lowering, const Node *node) {
    append_step(lowering, node, STEP_VIEW, 1);
}

int kernel_packed(const Step *step, const Packed **packed) {
    int count = 0;
    if (step->weights)
        packed[count++] = step->weights;
    if (step->bias)
        packed[count++] = step->bias;
    for (size_t i = 0; i < step->epilogue.count; i++) {
        const MapStage *stage = &step->epilogue.data[i];
        for (int k = 0; k < stage_vectors(stage); k++)
            packed[count++] = stage->vectors[k];
    }
    assert(count <= KERNEL_MAX_PACKED);
    return count;
}

/* ---- signatures --------------------------------------------------------------------------- */

static void sign_numbers(StrBuf *out, const int64_t *numbers, size_t count) {
    for (size_t i = 0; i < count; i++)
        strbuf_format(out, " %" PRId64, numbers[i]);
}

/* Geometry of a view: all but where it starts. */
static void sign_view(const View *view, StrBuf *out) {
    const int64_t numbers[] = {view->channels,     view->height,     view->width,       view->block,
                               view->block_stride, view->row_stride, view->pixel_stride};
    strbuf_add(out, " |");
    sign_numbers(out, numbers, sizeof numbers / sizeof numbers[0]);
}

static void sign_window(const Window *window, StrBuf *out) {
    sign_numbers(out, window->kernel, MAX_SPATIAL);
    sign_numbers(out, window->stride, MAX_SPATIAL);
    sign_numbers(out, window->dilation, MAX_SPATIAL);
    sign_numbers(out, window->pad_begin, MAX_SPATIAL);
    sign_numbers(out, window->pad_end, MAX_SPATIAL);
    sign_numbers(out, &window->input_slices, 1);
    sign_numbers(out, &window->output_slices, 1);
}

static void sign_matrices(const Matrices *matrices, StrBuf *out) {
    const int64_t numbers[] = {matrices->offset, matrices->batch_stride, matrices->row_stride};
    sign_numbers(out, numbers, sizeof numbers / sizeof numbers[0]);
}

static void sign_product(const Product *product, StrBuf *out) {
    const int64_t numbers[] = {product->batches, product->rows, product->depth, product->columns};
    sign_numbers(out, numbers, sizeof numbers / sizeof numbers[0]);
    sign_matrices(&product->left, out);
    sign_matrices(&product->right, out);
    sign_matrices(&product->result, out);
    strbuf_format(out, " %d %a %d", product->transposed, product->factor, (int)product->triangle);
}

static void sign_normalisation(const Normalisation *normalisation, StrBuf *out) {
    strbuf_format(out, "normalise %x %x %d %a %d ", normalisation->axes,
                  normalisation->parameter_axes, normalisation->centred, normalisation->epsilon,
                  normalisation->weight != NULL);
    shape_print(&normalisation->shape, out);
}

static void sign_rearrange(const Rearrange *rearrange, StrBuf *out) {
    strbuf_format(out, "rearrange %d %a %" PRId64, (int)rearrange->edge, rearrange->value,
                  rearrange->first);
    for (int i = 0; i < rearrange->loop_count; i++) {
        const RearrangeLoop *loop = &rearrange->loops[i];
        strbuf_format(out, ", %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, loop->count,
                      loop->stride, loop->begin, loop->extent);
    }
}

static void sign_grid(const WindowGrid *grid, StrBuf *out) {
    strbuf_format(out, "window bias %" PRId64, grid->heads);
    sign_numbers(out, grid->windows, 2);
    sign_numbers(out, grid->places, 2);
    sign_numbers(out, grid->shift, 2);
}

static void sign_resize(const Resize *resize, StrBuf *out) {
    strbuf_format(out, "resize %d %d", resize->linear, resize->corners);
    sign_numbers(out, resize->input, (size_t)resize->axes);
    sign_numbers(out, resize->output, (size_t)resize->axes);
}

static void sign_kind(const Step *step, StrBuf *out) {
    switch (step->kind) {
    case STEP_CONV:
        strbuf_format(out, "conv %" PRId64, step->conv.groups);
        sign_window(&step->conv.window, out);
        break;
    case STEP_WINOGRAD:
        strbuf_format(out, "winograd %d %" PRId64 " %" PRId64, step->conv.winograd->outputs,
                      step->conv.group, step->inputs[0].channels);
        sign_window(&step->conv.window, out);
        break;
    case STEP_STRASSEN:
        strbuf_format(out, "strassen %" PRId64 " %" PRId64 " %" PRId64, step->conv.group,
                      step->conv.weight->shape.dims[1], step->conv.rows);
        sign_window(&step->conv.window, out);
        break;
    case STEP_DEPTHWISE:
        strbuf_add(out, "depthwise");
        sign_window(&step->conv.window, out);
        break;
    case STEP_CONV_GENERAL:
        strbuf_format(out, "general %d %" PRId64, step->conv.transposed, step->conv.groups);
        sign_window(&step->conv.window, out);
        break;
    case STEP_DENSE: strbuf_add(out, "dense"); break;
    case STEP_GEMM:
        strbuf_format(out, "gemm %d %d", step->weights != NULL, step->gemm.transposes);
        sign_product(&step->gemm.product, out);
        break;
    case STEP_RECURRENT:
        strbuf_format(out, "recurrent %d %" PRId64 " %" PRId64 " %d %d", (int)step->recurrent.cell,
                      step->recurrent.times, step->recurrent.hidden, step->recurrent.directions,
                      step->recurrent.sequence);
        break;
    case STEP_TABLE:
        strbuf_format(out, "table %" PRId64 " %" PRId64 " %d", step->table.rows, step->table.width,
                      step->table.numbered);
        break;
    case STEP_WINDOW_BIAS: sign_grid(&step->window_bias.grid, out); break;
    case STEP_WINDOW:
        strbuf_format(out, "window %d %d", step->window.op, step->window.count_padding);
        sign_window(&step->window.window, out);
        break;
    case STEP_ADAPTIVE: strbuf_add(out, "adaptive"); break;
    case STEP_GLOBAL: strbuf_format(out, "global %d", (int)step->reduce.op); break;
    case STEP_SOFTMAX:
        strbuf_format(out, "softmax %d %d %d %d ", step->softmax.axis, step->softmax.logarithm,
                      step->softmax.causal, step->softmax.drops);
        shape_print(&step->output_value->type.shape, out);
        break;
    case STEP_NORMALISE: sign_normalisation(&step->normalise, out); break;
    case STEP_LRN:
        strbuf_format(out, "lrn %" PRId64 " %" PRId64 " %a %a %a ", step->response.before,
                      step->response.after, step->response.factor, step->response.offset,
                      step->response.exponent);
        shape_print(&step->input_values[0]->type.shape, out);
        break;
    case STEP_REDUCE:
        strbuf_format(out, "reduce %d %x ", (int)step->reduce.op, step->reduce.axes);
        shape_print(&step->input_values[0]->type.shape, out);
        break;
    case STEP_REARRANGE: sign_rearrange(&step->rearrange, out); break;
    case STEP_RESIZE: sign_resize(&step->resize, out); break;
    case STEP_MAP: strbuf_add(out, "map"); break;
    case STEP_COPY: strbuf_add(out, "copy"); break;
    case STEP_ZERO:
        strbuf_add(out, "zero");
        sign_numbers(out, step->zero.begin, 2);
        sign_numbers(out, step->zero.end, 2);
        break;
    case STEP_VIEW:
    case STEP_CONCAT: assert(false && "lowering only"); break;
    }
}

static void sign_lines(const Lines *lines, StrBuf *out) {
    strbuf_format(out, " lines %a %a", lines->corners[0], lines->corners[1]);
    for (int i = 0; i < 3; i++)
        strbuf_format(out, " %a %a", lines->pieces[i].slope, lines->pieces[i].offset);
}

static void sign_stage(const MapStage *stage, int64_t channels, StrBuf *out) {
    strbuf_format(out, " | %d %d%s %a %a %d", (int)stage->op, (int)stage->kind,
                  stage->reversed ? " reversed" : "", stage->constants[0], stage->constants[1],
                  stage->operand);
    if (stage->op == MAP_LINES)
        sign_lines(&stage->lines, out);
    for (int64_t i = 0; stage->kind == OPERAND_NUMBERS && i < channels; i++)
        strbuf_format(out, " %a", stage->numbers[i]);
}

/* Of samples that are together. */
static void sign_samples(const Step *step, StrBuf *out) {
    const Buffer *output = step->output.buffer;
    strbuf_format(out, " | samples %" PRId64 " %" PRId64, output->samples, output->sample_stride);
    for (int i = 0; i < step->input_count; i++)
        strbuf_format(out, " %" PRId64, step->inputs[i].buffer->sample_stride);
}

void kernel_signature(const Step *step, StrBuf *out) {
    sign_kind(step, out);
    const Tile *tile = &step->tile;
    strbuf_format(out, " | %d %d %d %d | %d", tile->rows, tile->columns, tile->vectors,
                  tile->unroll, step->bias != NULL);
    for (int i = 0; i < step->input_count; i++) {
        sign_view(&step->inputs[i], out);
        /* What may be assumed of aliasing is part of the code. */
        strbuf_add(out, step->inputs[i].buffer == step->output.buffer ? " shared" : "");
        strbuf_add(out, view_is_bytes(&step->inputs[i]) ? " bytes" : "");
    }
    sign_view(&step->output, out);
    for (size_t i = 0; i < step->epilogue.count; i++)
        sign_stage(&step->epilogue.data[i], step->output.channels, out);
    if (step->together)
        sign_samples(step, out);
    if (step_takes_rows(step))
        strbuf_add(out, " | rows");
    if (step->parts > 1)
        strbuf_format(out, " | parts %d %d", step->parts, (int)step->split);
}
