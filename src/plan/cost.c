#include "plan/cost.h"

#include <assert.h>
#include <math.h>

#include "plan/tile_cost.h"
#include "support/checked.h"

/* To call a kernel, and what it does before its first loop. */
#define STEP_CYCLES 60

/* Numbers of a view, of a blocked one whole blocks. */
static double view_numbers(const View *view) {
    int64_t blocks = divide_up(view->channels, view->block);
    return (double)blocks * (double)view->block * (double)view->height * (double)view->width;
}

/* Multiply-adds of one output, or of one input of a transposed convolution. */
static double conv_taps(const Step *step) {
    const Weight *weight = step->conv.weight;
    return (double)weight->elements / (double)weight->shape.dims[0];
}

static double step_macs(const Step *step) {
    switch (step->kind) {
    case STEP_CONV:
    case STEP_WINOGRAD:
    case STEP_STRASSEN:
    case STEP_DEPTHWISE: return (double)view_elements(&step->output) * conv_taps(step);
    case STEP_CONV_GENERAL:
        return (double)view_elements(step->conv.transposed ? &step->inputs[0] : &step->output) *
               conv_taps(step);
    case STEP_DENSE: return (double)step->dense.weight->elements;
    case STEP_GEMM: {
        const Product *product = &step->gemm.product;
        double all = (double)product->batches * (double)product->rows * (double)product->depth *
                     (double)product->columns;
        return product->triangle == TRIANGLE_NONE ? all : all / 2;
    }
    case STEP_RECURRENT: return (double)step->recurrent.times * (double)step->weights->floats;
    default: return 0;
    }
}

static double window_taps(const Window *window) {
    return (double)window->kernel[WINDOW_HEIGHT] * (double)window->kernel[WINDOW_WIDTH] *
           (double)window->kernel[WINDOW_DEPTH];
}

/* Of an elementary function, and of all else that is done with a number before it is stored. */
static double stage_slots(const MapStage *stage) {
    switch (stage->op) {
    case MAP_GELU_TANH:
    case MAP_MISH:
    case MAP_SOFTPLUS: return 28;
    case MAP_SQRT:
    case MAP_DIVIDE: return 8;
    default: return map_op_is_elementary(stage->op) ? 18 : 2;
    }
}

/* Zeros around a view, in all blocks. */
static double halo_numbers(const Step *step) {
    const View *view = &step->output;
    const int64_t *begin = step->zero.begin, *end = step->zero.end;
    double rows = (double)(begin[0] + view->height + end[0]);
    double columns = (double)(begin[1] + view->width + end[1]);
    double inside = (double)view->height * (double)view->width;
    return view_numbers(view) / inside * (rows * columns - inside);
}

static bool is_transposing(const Rearrange *rearrange) {
    return rearrange->loop_count > 0 && rearrange->loops[rearrange->loop_count - 1].stride != 1;
}

/* Slots of the multiply-add units, or what takes as long, but for the epilogue. The numbers were
 * fitted to what `netc bench` measured on the networks of examples/. */
static double kernel_slots(const Machine *machine, const Step *step) {
    double lanes = machine->lanes, outputs = view_numbers(&step->output) / lanes;
    switch (step->kind) {
    case STEP_CONV: {
        if (step->output.block == 1)
            return 1.3 * step_macs(step) / lanes;
        TileProblem problem = tile_problem_of_conv(machine, step->conv.weight, step->conv.groups,
                                                   step->output.height, step->output.width);
        return tile_cost(&problem, &step->tile) * (double)problem.repeats;
    }
    case STEP_WINOGRAD:
    case STEP_STRASSEN: return step->conv.cycles * machine->fma_per_cycle;
    case STEP_DEPTHWISE: return 1.3 * outputs * conv_taps(step);
    case STEP_CONV_GENERAL: return 1.2 * step_macs(step) / lanes;
    case STEP_DENSE: return step_macs(step) / lanes;
    case STEP_GEMM:
        return (step->gemm.product.transposed && !step->gemm.transposes ? 2.5 : 1.05) *
               step_macs(step) / lanes;
    case STEP_RECURRENT: return 3 * step_macs(step) / lanes;
    case STEP_WINDOW: return 1.5 * outputs * window_taps(&step->window.window);
    case STEP_SOFTMAX: return 80 * outputs;
    case STEP_NORMALISE: return 15 * outputs;
    case STEP_LRN: return 60 * outputs;
    case STEP_RESIZE: return 8 * outputs;
    case STEP_WINDOW_BIAS: return 16 * outputs;
    case STEP_ADAPTIVE:
    case STEP_GLOBAL:
    case STEP_REDUCE: return view_numbers(&step->inputs[0]) / lanes;
    case STEP_TABLE:
    case STEP_MAP: return 2 * outputs;
    case STEP_COPY: return 0.5 * outputs * lanes;
    case STEP_REARRANGE: return (is_transposing(&step->rearrange) ? 1 : 0.1) * outputs * lanes;
    case STEP_ZERO: return halo_numbers(step) / 4;
    case STEP_VIEW:
    case STEP_CONCAT: break;
    }
    assert(false && "has no operations of its own");
    return 0;
}

static double weight_bytes(const Step *step) {
    bool reads_few = step->kind == STEP_TABLE || !step->weights;
    return reads_few ? 0 : (double)step->weights->floats * sizeof(float);
}

static double value_bytes(const Step *step) {
    double numbers = step->kind == STEP_ZERO ? halo_numbers(step) : view_numbers(&step->output);
    for (int k = 0; k < step->input_count; k++)
        numbers += view_numbers(&step->inputs[k]);
    return numbers * sizeof(float);
}

double cycles_of_slots(const Machine *machine, double slots) {
    return slots / machine->fma_per_cycle;
}

double memory_cycles(const Machine *machine, double bytes) {
    return bytes / machine->memory_bytes_per_cycle;
}

/* Of `bytes`, those that come from memory, if `all` are in use. */
static double far_bytes(const Machine *machine, double bytes, double all) {
    return all > (double)machine->shared_cache_bytes ? bytes : 0;
}

static double transfer_cycles(const Machine *machine, double bytes, double far) {
    return memory_cycles(machine, far) + (bytes - far) / machine->bytes_per_cycle;
}

double moving_cycles(const Machine *machine, double bytes, double all) {
    return transfer_cycles(machine, bytes, far_bytes(machine, bytes, all));
}

StepCost step_cost(const Plan *plan, const Step *step) {
    const Machine *machine = plan->machine;
    double samples = (double)plan_samples(plan);
    double times = step->together ? 1 : samples; /* that the kernel is called */
    double weights = times * weight_bytes(step), values = samples * value_bytes(step);
    /* Weights stay in the shared cache from call to call if there is room for all of them, values
     * from the step before if there is for those that a kernel works on. */
    double far = far_bytes(machine, weights, (double)plan->packed_bytes) +
                 far_bytes(machine, values, values / times);
    double slots = kernel_slots(machine, step);
    double vectors = view_numbers(&step->output) / machine->lanes;
    for (size_t i = 0; i < step->epilogue.count; i++)
        slots += stage_slots(&step->epilogue.data[i]) * vectors;
    StepCost cost = {
        .macs = samples * step_macs(step),
        .bytes = weights + values,
        .arithmetic = samples * cycles_of_slots(machine, slots),
        .memory = transfer_cycles(machine, weights + values, far),
    };
    cost.cycles = fmax(cost.arithmetic, cost.memory) + times * STEP_CYCLES;
    return cost;
}
