/* The plan as text, for --emit=plan and its tests. Buffers are b0, b1, ... by their place in
 * Plan.buffers; offsets of buffers and of packed tensors are in bytes, of views in elements. */
#include <assert.h>
#include <inttypes.h>

#include "plan/cost.h"

static void print_bytes(StrBuf *out, const char *before, int64_t bytes) {
    strbuf_add(out, before);
    strbuf_add_count(out, bytes, '_');
    strbuf_add(out, bytes == 1 ? " byte" : " bytes");
}

const char *step_kind_name(StepKind kind) {
    switch (kind) {
    case STEP_CONV: return "conv";
    case STEP_WINOGRAD: return "winograd";
    case STEP_STRASSEN: return "strassen";
    case STEP_DEPTHWISE: return "depthwise";
    case STEP_CONV_GENERAL: return "general conv";
    case STEP_DENSE: return "dense";
    case STEP_WINDOW: return "window";
    case STEP_GEMM: return "gemm";
    case STEP_ADAPTIVE: return "adaptive";
    case STEP_GLOBAL: return "global";
    case STEP_TABLE: return "table";
    case STEP_WINDOW_BIAS: return "window bias";
    case STEP_RECURRENT: return "recurrent";
    case STEP_SOFTMAX: return "softmax";
    case STEP_NORMALISE: return "normalise";
    case STEP_LRN: return "lrn";
    case STEP_REDUCE: return "reduce";
    case STEP_REARRANGE: return "rearrange";
    case STEP_RESIZE: return "resize";
    case STEP_MAP: return "map";
    case STEP_COPY: return "copy";
    case STEP_ZERO: return "zero";
    case STEP_VIEW: return "view";
    case STEP_CONCAT: return "concat";
    }
    return "";
}

static const char *map_name(MapOp op) {
    switch (op) {
    case MAP_RELU: return "relu";
    case MAP_CLIP: return "clip";
    case MAP_LINES: return "lines";
    case MAP_ELU: return "elu";
    case MAP_SIGMOID: return "sigmoid";
    case MAP_HARD_SIGMOID: return "hardsigmoid";
    case MAP_TANH: return "tanh";
    case MAP_GELU: return "gelu";
    case MAP_GELU_TANH: return "gelu by tanh";
    case MAP_SILU: return "silu";
    case MAP_HARD_SWISH: return "hardswish";
    case MAP_MISH: return "mish";
    case MAP_SOFTPLUS: return "softplus";
    case MAP_SOFTSIGN: return "softsign";
    case MAP_EXP: return "exp";
    case MAP_SQRT: return "sqrt";
    case MAP_ABS: return "abs";
    case MAP_NEGATE: return "negate";
    case MAP_ADD: return "add";
    case MAP_SUBTRACT: return "subtract";
    case MAP_MULTIPLY: return "multiply";
    case MAP_DIVIDE: return "divide";
    case MAP_MINIMUM: return "minimum";
    case MAP_MAXIMUM: return "maximum";
    case MAP_LEAKY_RELU: return "leakyrelu";
    case MAP_AFFINE: return "affine";
    }
    return "";
}

static const char *reduce_name(ReduceOp op) {
    switch (op) {
    case REDUCE_SUM: return "sum";
    case REDUCE_MEAN: return "mean";
    case REDUCE_MAX: return "max";
    case REDUCE_ARGMAX: return "argmax";
    }
    return "";
}

static void print_buffer(const Buffer *buffer, size_t index, StrBuf *out) {
    strbuf_format(out, "  b%zu  ", index);
    switch (buffer->place) {
    case PLACE_INPUT:
        strbuf_format(out, "input %d", buffer->index);
        if (buffer->element != ELEMENT_F32)
            strbuf_format(out, " of %s", element_name(buffer->element));
        break;
    case PLACE_OUTPUT: strbuf_format(out, "output %d", buffer->index); break;
    case PLACE_ARENA:
        strbuf_format(out, "arena +%" PRId64 ", steps %d to %d", buffer->offset, buffer->first_step,
                      buffer->last_step);
        break;
    }
    print_bytes(out, ", ", buffer_bytes(buffer));
    if (holds_samples(buffer))
        strbuf_add(out, " of all samples");
    strbuf_format(out, "  %s\n", buffer->name);
}

/* Place of a buffer in Plan.buffers; inputs and outputs come first, so this is a short search. */
static size_t buffer_index(const Plan *plan, const Buffer *buffer) {
    if (buffer->place == PLACE_ARENA)
        return (size_t)buffer->index;
    size_t index = 0;
    while (plan->buffers.data[index] != buffer)
        index++;
    return index;
}

static void print_view(const Plan *plan, const char *role, const View *view, StrBuf *out) {
    strbuf_format(out, "    %-8s b%zu", role, buffer_index(plan, view->buffer));
    if (view->offset != 0)
        strbuf_format(out, "+%" PRId64, view->offset);
    strbuf_format(out, " [%" PRId64 " x %" PRId64 " x %" PRId64 "] ", view->channels, view->height,
                  view->width);
    strbuf_add(out, view->block > 1 ? "blocked" : "plain");
    int64_t row = view->width * view->pixel_stride;
    if (view->pixel_stride != view->block || view->row_stride != row ||
        view->block_stride != view->height * row)
        strbuf_format(out, ", strides %" PRId64 " %" PRId64 " %" PRId64, view->block_stride,
                      view->row_stride, view->pixel_stride);
    strbuf_add(out, "\n");
}

static void print_pair(StrBuf *out, const char *before, const int64_t pair[2]) {
    strbuf_format(out, "%s%" PRId64 "x%" PRId64, before, pair[0], pair[1]);
}

/* "2x3x3", "3x3" of a plane. */
static void print_window_axes(const Window *window, const char *before,
                              const int64_t size[MAX_SPATIAL], StrBuf *out) {
    strbuf_add(out, before);
    if (window->input_slices > 1 || window->output_slices > 1 || window->kernel[WINDOW_DEPTH] > 1)
        strbuf_format(out, "%" PRId64 "x", size[WINDOW_DEPTH]);
    print_pair(out, "", size);
}

static void print_window(const Window *window, StrBuf *out) {
    print_window_axes(window, "    window   ", window->kernel, out);
    print_window_axes(window, ", stride ", window->stride, out);
    print_window_axes(window, ", dilation ", window->dilation, out);
    print_window_axes(window, ", pad ", window->pad_begin, out);
    print_window_axes(window, " and ", window->pad_end, out);
}

static void print_product(const Step *step, StrBuf *out) {
    const Product *product = &step->gemm.product;
    strbuf_format(out,
                  "    product  %" PRId64 " of [%" PRId64 " x %" PRId64 "] x [%" PRId64
                  " x %" PRId64 "]%s%s%s\n",
                  product->batches, product->rows, product->depth, product->depth, product->columns,
                  product->transposed ? " transposed" : "",
                  step->gemm.transposes ? " by panels" : "",
                  product->triangle != TRIANGLE_NONE ? ", lower triangle" : "");
}

static void print_axes(AxisSet axes, StrBuf *out) {
    for (int axis = 0; axis < TENSOR_MAX_RANK; axis++)
        if (axes >> axis & 1)
            strbuf_format(out, " %d", axis);
}

static void print_normalisation(const Normalisation *normalisation, StrBuf *out) {
    strbuf_add(out, "    over     ");
    shape_print(&normalisation->shape, out);
    strbuf_add(out, " along axes");
    print_axes(normalisation->axes, out);
    strbuf_format(out, ", %s, epsilon %g\n", normalisation->centred ? "centred" : "not centred",
                  normalisation->epsilon);
}

static void print_rearrange(const Rearrange *rearrange, StrBuf *out) {
    strbuf_add(out, "    loops   ");
    for (int i = 0; i < rearrange->loop_count; i++) {
        const RearrangeLoop *loop = &rearrange->loops[i];
        strbuf_format(out, "%s %" PRId64 " by %" PRId64, i ? "," : "", loop->count, loop->stride);
        if (loop->count != loop->extent || loop->begin != 0)
            strbuf_format(out, " (%" PRId64 " from %" PRId64 ")", loop->extent, loop->begin);
    }
    if (rearrange->first != 0)
        strbuf_format(out, ", first %" PRId64, rearrange->first);
    strbuf_add(out, "\n");
}

static void print_grid(const WindowGrid *grid, StrBuf *out) {
    print_pair(out, "    windows  ", grid->windows);
    print_pair(out, " of ", grid->places);
    print_pair(out, ", shift ", grid->shift);
    strbuf_format(out, ", %" PRId64 " heads\n", grid->heads);
}

static void print_resize(const Resize *resize, StrBuf *out) {
    strbuf_add(out, "    resize   ");
    for (int i = 0; i < resize->axes; i++)
        strbuf_format(out, "%s%" PRId64 " to %" PRId64, i ? ", " : "", resize->input[i],
                      resize->output[i]);
    strbuf_add(out, !resize->linear   ? ", nearest\n"
                    : resize->corners ? ", linear between corners\n"
                                      : ", linear\n");
}

static const char *window_op_name(WindowOp op) {
    switch (op) {
    case WINDOW_MAXIMUM: return "maximum";
    case WINDOW_AVERAGE: return "average";
    case WINDOW_SUM_OF_SIZES: return "sum of sizes";
    case WINDOW_SUM_OF_SQUARES: return "sum of squares";
    }
    return "";
}

static void print_facts(const Step *step, StrBuf *out) {
    switch (step->kind) {
    case STEP_CONV:
        print_window(&step->conv.window, out);
        strbuf_format(out, ", groups %" PRId64 "\n", step->conv.groups);
        break;
    case STEP_STRASSEN:
        if (step->conv.rows == 0) {
            print_window(&step->conv.window, out);
            strbuf_add(out, "\n");
        }
        strbuf_format(out, "    method   %" PRId64 " pairs of %s, %" PRId64 " at a time\n",
                      step->conv.tiles[1], step->conv.rows > 0 ? "rows" : "pixels",
                      step->conv.group);
        break;
    case STEP_WINOGRAD:
        print_window(&step->conv.window, out);
        strbuf_format(out,
                      "\n    method   F(%dx%d), %" PRId64 " x %" PRId64 " tiles, %" PRId64
                      " at a time\n",
                      step->conv.winograd->outputs, step->conv.winograd->outputs,
                      step->conv.tiles[0], step->conv.tiles[1], step->conv.group);
        break;
    case STEP_DEPTHWISE:
        print_window(&step->conv.window, out);
        strbuf_add(out, "\n");
        break;
    case STEP_CONV_GENERAL:
        print_window(&step->conv.window, out);
        strbuf_format(out, ", groups %" PRId64 "%s\n", step->conv.groups,
                      step->conv.transposed ? ", transposed" : "");
        break;
    case STEP_WINDOW:
        print_window(&step->window.window, out);
        strbuf_format(out, ", %s%s\n", window_op_name(step->window.op),
                      step->window.count_padding ? " with padding" : "");
        break;
    case STEP_GEMM: print_product(step, out); break;
    case STEP_RECURRENT:
        strbuf_format(out, "    times    %" PRId64 " of %" PRId64 " units, %d direction%s\n",
                      step->recurrent.times, step->recurrent.hidden, step->recurrent.directions,
                      step->recurrent.directions == 1 ? "" : "s");
        break;
    case STEP_TABLE:
        strbuf_format(out, "    rows     %" PRId64 " of %" PRId64 "%s\n", step->table.rows,
                      step->table.width, step->table.numbered ? ", by number" : ", in order");
        break;
    case STEP_WINDOW_BIAS: print_grid(&step->window_bias.grid, out); break;
    case STEP_SOFTMAX:
        strbuf_format(out, "    axis     %d%s\n", step->softmax.axis,
                      step->softmax.logarithm ? ", logarithm" : "");
        break;
    case STEP_REARRANGE: print_rearrange(&step->rearrange, out); break;
    case STEP_RESIZE: print_resize(&step->resize, out); break;
    case STEP_ZERO:
        print_pair(out, "    halo     ", step->zero.begin);
        print_pair(out, " and ", step->zero.end);
        strbuf_add(out, "\n");
        break;
    case STEP_NORMALISE: print_normalisation(&step->normalise, out); break;
    case STEP_LRN:
        strbuf_format(out, "    channels -%" PRId64 " to +%" PRId64 ", (%g + %g * squares) ^ -%g\n",
                      step->response.before, step->response.after, step->response.offset,
                      step->response.factor, step->response.exponent);
        break;
    case STEP_GLOBAL: strbuf_format(out, "    op       %s\n", reduce_name(step->reduce.op)); break;
    case STEP_REDUCE:
        strbuf_format(out, "    op       %s over axes", reduce_name(step->reduce.op));
        print_axes(step->reduce.axes, out);
        strbuf_add(out, "\n");
        break;
    case STEP_DENSE:
    case STEP_ADAPTIVE:
    case STEP_MAP:
    case STEP_COPY:
    case STEP_VIEW:
    case STEP_CONCAT: break;
    }
}

static void print_tile(const Step *step, StrBuf *out) {
    const Tile *tile = &step->tile;
    if (tile->rows == 0)
        return;
    strbuf_format(out, "    tile     %d x %d x %d", tile->rows, tile->columns, tile->vectors);
    if (step->kind == STEP_CONV || step->kind == STEP_WINOGRAD || step->kind == STEP_STRASSEN ||
        step->kind == STEP_CONV_GENERAL || step->kind == STEP_DENSE || step->kind == STEP_GEMM ||
        step->kind == STEP_RECURRENT)
        strbuf_format(out, ", unroll %d", tile->unroll);
    strbuf_add(out, "\n");
}

/* "    choice   direct 812, F(2x2) 420, F(4x4) 361 thousand cycles" */
static void print_choices(const Step *step, StrBuf *out) {
    for (int i = 0; i < step->choice_count; i++) {
        const Choice *choice = &step->choices[i];
        strbuf_add(out, i == 0 ? "    choice   " : ", ");
        if (choice->kind == STEP_WINOGRAD)
            strbuf_format(out, "F(%dx%d)", choice->outputs, choice->outputs);
        else
            strbuf_add(out, choice->kind == STEP_STRASSEN ? "Strassen" : "direct");
        strbuf_format(out, " %.0f", choice->cycles / 1000);
    }
    if (step->choice_count > 0)
        strbuf_add(out, " thousand cycles\n");
}

/* "    time     812.0 thousand cycles, bound by arithmetic; memory 112.0" */
static void print_cost(const Plan *plan, const Step *step, StrBuf *out) {
    StepCost cost = step_cost(plan, step);
    bool memory = cost.memory > cost.arithmetic;
    strbuf_format(out, "    time     %.1f thousand cycles, bound by %s; %s %.1f\n",
                  cost.cycles / 1000, memory ? "memory" : "arithmetic",
                  memory ? "arithmetic" : "memory",
                  (memory ? cost.arithmetic : cost.memory) / 1000);
}

/* Only of a plan for several samples. */
static void print_samples(const Plan *plan, const Step *step, StrBuf *out) {
    const char *ways[] = {"one by one", "together"};
    strbuf_format(out, "    samples  %s", ways[step->together]);
    if (step->kind == STEP_DENSE) {
        double cycles[] = {step->dense.apart_cycles, step->dense.together_cycles};
        strbuf_format(out, " in %.1f thousand cycles, %s in %.1f", cycles[step->together] / 1000,
                      ways[!step->together], cycles[!step->together] / 1000);
    }
    if (plan->shared && !step->together)
        strbuf_format(out, ", each thread its own%s", step->waits ? ", waits" : "");
    strbuf_add(out, "\n");
}

/* Only of a plan for several threads. */
static void print_parts(const Step *step, StrBuf *out) {
    strbuf_format(out, "    parts    %d%s%s\n", step->parts,
                  step->split == SPLIT_ROWS ? " by rows" : "", step->waits ? ", waits" : "");
}

/* Only of a step in a band. */
static void print_band(const Step *step, StrBuf *out) {
    static const char *const when[] = {"in each of", "in the first of", "in all but the first of",
                                       "in the last of"};
    const BandPart *band = &step->band;
    strbuf_format(out, "    band     %s %" PRId64 " turns", when[band->when], band->band->turns);
    if (step_takes_rows(step))
        strbuf_format(out, ", %" PRId64 " rows, %" PRId64 " ahead", band->rows, band->lead);
    if (band->band->parts > 1)
        strbuf_format(out, ", %d parts%s", band->band->parts, step->waits ? ", waits" : "");
    strbuf_add(out, "\n");
}

static void print_packed(const char *role, const Packed *packed, StrBuf *out) {
    if (packed)
        strbuf_format(out, "    %-8s +%" PRId64 ", %" PRId64 " floats in %zu recipe%s\n", role,
                      packed->offset, packed->floats, packed->recipes.count,
                      packed->recipes.count == 1 ? "" : "s");
}

/* " 1*x+0.5 below -0.5, 0*x+0, 1*x-0.5 above 0.5" */
static void print_lines(const Lines *lines, StrBuf *out) {
    const Line *pieces = lines->pieces;
    strbuf_format(out, " %g*x%+g below %g, %g*x%+g, %g*x%+g above %g", pieces[0].slope,
                  pieces[0].offset, lines->corners[0], pieces[1].slope, pieces[1].offset,
                  pieces[2].slope, pieces[2].offset, lines->corners[1]);
}

#define SHOWN_NUMBERS 4 /* of a stage that has one for each channel */

static void print_numbers(const MapStage *stage, int64_t channels, StrBuf *out) {
    for (int64_t i = 0; i < channels && i < SHOWN_NUMBERS; i++)
        strbuf_format(out, "%s%g", i ? ", " : " by channel ", stage->numbers[i]);
    strbuf_add(out, channels > SHOWN_NUMBERS ? ", ..." : "");
}

static void print_operand(const MapStage *stage, int64_t channels, StrBuf *out) {
    switch (stage->kind) {
    case OPERAND_NONE:
        if (stage->op == MAP_LINES)
            print_lines(&stage->lines, out);
        if (stage->op == MAP_CLIP || stage->op == MAP_ELU)
            strbuf_format(out, " %g %g", stage->constants[0], stage->constants[1]);
        break;
    case OPERAND_NUMBER: strbuf_format(out, " %g", stage->constants[0]); break;
    case OPERAND_NUMBERS: print_numbers(stage, channels, out); break;
    case OPERAND_ELEMENT: strbuf_format(out, " input %d", stage->operand); break;
    case OPERAND_CHANNEL: strbuf_format(out, " channels of input %d", stage->operand); break;
    case OPERAND_WEIGHT: break; /* its vector follows */
    }
}

static void print_stage(const MapStage *stage, int64_t channels, StrBuf *out) {
    strbuf_format(out, "    then     %s%s", map_name(stage->op), stage->reversed ? " from" : "");
    print_operand(stage, channels, out);
    for (int i = 0; i < stage_vectors(stage); i++)
        strbuf_format(out, " +%" PRId64, stage->vectors[i]->offset);
    strbuf_add(out, "\n");
}

static void print_step(const Plan *plan, const Step *step, size_t index, StrBuf *out) {
    strbuf_format(out, "\n%zu  %s  %s\n", index, step_kind_name(step->kind), step->name);
    for (int i = 0; i < step->input_count; i++)
        print_view(plan, "input", &step->inputs[i], out);
    print_view(plan, "output", &step->output, out);
    if (step->scratch)
        strbuf_format(out, "    scratch  b%zu\n", buffer_index(plan, step->scratch));
    print_facts(step, out);
    print_choices(step, out);
    print_tile(step, out);
    if (plan->batch > 1)
        print_samples(plan, step, out);
    if (plan->shared && !plan_repeats(plan, index) && !step->band.band)
        print_parts(step, out);
    if (step->band.band)
        print_band(step, out);
    print_packed("weights", step->weights, out);
    print_packed("bias", step->bias, out);
    if (step->affine_count > 0)
        strbuf_format(out, "    folded   %d\n", step->affine_count);
    for (size_t i = 0; i < step->epilogue.count; i++)
        print_stage(&step->epilogue.data[i], step->output.channels, out);
    print_cost(plan, step, out);
}

void plan_print(const Plan *plan, StrBuf *out) {
    strbuf_format(out, "plan of %s for %s, %d lanes, %d registers\n", plan->graph->name,
                  plan->machine->name, plan->machine->lanes, plan->machine->registers);
    if (plan->batch > 1)
        strbuf_format(out, "%" PRId64 " samples a call\n", plan->batch);
    if (plan->threads > 1)
        strbuf_format(out, "%d threads%s\n", plan->threads,
                      plan->shared ? "" : ", of which one does it all");
    print_bytes(out, "arena ", plan->arena_bytes);
    if (plan->thread_bytes > 0)
        print_bytes(out, " with for each thread ", plan->thread_bytes);
    print_bytes(out, ", packed weights ", plan->packed_bytes);
    strbuf_add(out, "\n");
    for (size_t i = 0; i < plan->buffers.count; i++)
        print_buffer(plan->buffers.data[i], i, out);
    for (size_t i = 0; i < plan->steps.count; i++)
        print_step(plan, plan->steps.data[i], i, out);
}
