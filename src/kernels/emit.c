/* From a step to the kernel that makes its function. */
#include <assert.h>

#include "kernels/emitter.h"

/* Whether each vector of filters belongs to one group. */
static bool groups_fill_vectors(const Step *step, int lanes) {
    int64_t filters = step->output.channels / step->conv.groups;
    return step->conv.groups == 1 || filters % lanes == 0;
}

void kernel_emit(Ir *ir, const Step *step, const Machine *machine) {
    const Packed *packed[KERNEL_MAX_PACKED];
    int pointers = step->input_count + 1 + (step->scratch ? 1 : 0) + kernel_packed(step, packed);
    IrValue part = step->parts > 1 ? ir_parameter(ir, pointers) : ir_i64(ir, 0);
    Emitter emitter = {ir, step, machine, machine->lanes, part, {NULL}};
    for (int i = 0; i < 2 && step_takes_rows(step); i++)
        emitter.rows[i] = ir_parameter(ir, pointers + i);
    switch (step->kind) {
    case STEP_CONV:
        if (step->output.block == 1)
            conv_columns_emit(&emitter);
        else if (groups_fill_vectors(step, machine->lanes))
            conv_direct_emit(&emitter);
        else if (conv_shuffles(step, machine))
            conv_shuffle_emit(&emitter);
        else
            conv_gather_emit(&emitter);
        return;
    case STEP_WINOGRAD: conv_winograd_emit(&emitter); return;
    case STEP_STRASSEN: conv_strassen_emit(&emitter); return;
    case STEP_DEPTHWISE: depthwise_emit(&emitter); return;
    case STEP_CONV_GENERAL: conv_general_emit(&emitter); return;
    case STEP_DENSE: gemv_emit(&emitter); return;
    case STEP_GEMM: gemm_emit(&emitter); return;
    case STEP_RECURRENT: recurrent_emit(&emitter); return;
    case STEP_TABLE: table_emit(&emitter); return;
    case STEP_WINDOW_BIAS: window_bias_emit(&emitter); return;
    case STEP_WINDOW:
        if (step->output.block == 1)
            window_columns_emit(&emitter);
        else
            window_emit(&emitter);
        return;
    case STEP_ADAPTIVE: adaptive_emit(&emitter); return;
    case STEP_GLOBAL: global_emit(&emitter); return;
    case STEP_SOFTMAX: softmax_emit(&emitter); return;
    case STEP_NORMALISE: normalise_emit(&emitter); return;
    case STEP_LRN: lrn_emit(&emitter); return;
    case STEP_REDUCE: reduce_emit(&emitter); return;
    case STEP_REARRANGE: rearrange_emit(&emitter); return;
    case STEP_RESIZE: resize_emit(&emitter); return;
    case STEP_MAP: map_emit(&emitter); return;
    case STEP_COPY: copy_emit(&emitter); return;
    case STEP_ZERO: zero_emit(&emitter); return;
    case STEP_VIEW:
    case STEP_CONCAT: break;
    }
    assert(0 && "the plan has no such steps after layout");
}
