/* The network function: a plan becomes a module. */
#include "codegen/codegen.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/codegen_internal.h"
#include "codegen/debug_info.h"
#include "codegen/dispatch.h"
#include "codegen/kernel_functions.h"
#include "codegen/module.h"
#include "codegen/parallel.h"

/* Of one variant. */
typedef struct Build {
    Ir *ir;
    const Plan *plan;
    const char *name;   /* NAME, or NAME.CPU if there are several */
    bool global;        /* the only one */
    LLVMValueRef block; /* all packed weights, NULL: a parameter */
    int64_t packed_offset;
    const CodegenOptions *options;
    DebugInfo *debug;
    Arena arena; /* of what is needed while building only */
    KernelFunctions functions;
    /* In the network function: */
    LLVMValueRef *inputs;
    LLVMValueRef *outputs;
    LLVMValueRef packed;
    LLVMValueRef scratch; /* the arena */
    LLVMValueRef own;     /* the same for what holds one sample: moved to this thread's copies */
    LLVMValueRef pool;    /* NULL: the plan is for one thread */
    IrValue turn;         /* of the band whose steps are done, */
    IrValue first_turn;   /* the first of the part of it that is done, */
    IrValue band_part;    /* and the number of that */
    IrValue sample;       /* that steps are done for, NULL: the only one, or all together */
} Build;

/* ---- the network function -------------------------------------------------------------------- */

static LLVMValueRef view_pointer(const Build *build, const View *view) {
    const Buffer *buffer = view->buffer;
    LLVMValueRef base = NULL;
    switch (buffer->place) {
    case PLACE_INPUT: base = build->inputs[buffer->index]; break;
    case PLACE_OUTPUT: base = build->outputs[buffer->index]; break;
    case PLACE_ARENA: base = holds_samples(buffer) ? build->scratch : build->own; break;
    }
    base = bytes_from(build->ir, base, view_bytes(view));
    if (view->turn_stride != 0 || view->part_stride != 0) {
        IrValue turns = ir_mul_const(build->ir, build->turn, -view->turn_stride);
        IrValue parts = ir_mul_const(build->ir, build->band_part, view->part_stride);
        base = ir_llvm(ir_at(build->ir, ir_value(base), ir_add(build->ir, turns, parts)));
    }
    if (!build->sample || !holds_samples(buffer))
        return base;
    int64_t stride = buffer->sample_stride * element_size(buffer->element);
    IrValue bytes = ir_mul_const(build->ir, build->sample, stride);
    return ir_llvm(ir_byte_at(build->ir, ir_value(base), bytes));
}

/* Sets the rows, from the first to the end, that a step does in a turn of its band. */
static void rows_in_turn(const Build *build, const Step *step, LLVMValueRef rows[2]) {
    const BandPart *band = &step->band;
    Ir *ir = build->ir;
    IrValue height = ir_i64(ir, step->output.height);
    IrValue row = ir_mul_const(ir, build->turn, band->rows);
    IrValue ahead = ir_add_const(ir, row, band->lead);
    IrValue above = ir_max(ir, ir_add_const(ir, row, -band->above), ir_i64(ir, 0));
    IrValue begin = ir_select(ir, ir_less(ir, build->first_turn, build->turn), ahead, above);
    rows[0] = ir_llvm(ir_min(ir, begin, height));
    rows[1] = ir_llvm(ir_min(ir, ir_add_const(ir, ahead, band->rows), height));
}

/* `part` is NULL for a step that has none. */
static void emit_call(Build *build, const Step *step, const KernelFunction *kernel,
                      LLVMValueRef part) {
    LLVMValueRef arguments[KERNEL_MAX_PARAMETERS + 2];
    int count = 0;
    for (int i = 0; i < step->input_count; i++)
        arguments[count++] = view_pointer(build, &step->inputs[i]);
    arguments[count++] = view_pointer(build, &step->output);
    if (step->scratch)
        arguments[count++] = bytes_from(build->ir, build->own, step->scratch->offset);
    const Packed *packed[KERNEL_MAX_PACKED];
    int packed_count = kernel_packed(step, packed);
    for (int i = 0; i < packed_count; i++)
        arguments[count++] = bytes_from(build->ir, build->packed, packed[i]->offset);
    assert(count == kernel->parameter_count);
    if (part)
        arguments[count++] = part;
    if (step_takes_rows(step)) {
        rows_in_turn(build, step, &arguments[count]);
        count += 2;
    }
    debug_locate(build->debug, step_span(build->plan, step));
    LLVMBuildCall2(build->ir->builder, kernel->type, kernel->function, arguments, (unsigned)count,
                   "");
}

static LLVMValueRef next_parameter(Build *build, int *index, const char *name) {
    LLVMValueRef value = LLVMGetParam(build->ir->function, (unsigned)(*index)++);
    LLVMSetValueName2(value, name, strlen(name));
    return value;
}

/* The pointers of inputs or outputs: parameters, or in this process entries of a table. */
static LLVMValueRef *tensor_parameters(Build *build, int *index, const char *kind,
                                       const char *const *names, size_t count) {
    LLVMValueRef *tensors = ARENA_ARRAY(&build->arena, count, LLVMValueRef);
    if (build->options->in_process) {
        IrValue table = ir_value(next_parameter(build, index, kind));
        for (size_t i = 0; i < count; i++)
            tensors[i] = ir_llvm(ir_load_pointer(build->ir, table, (int64_t)i));
    } else {
        for (size_t i = 0; i < count; i++)
            tensors[i] = next_parameter(build, index, names[i]);
    }
    return tensors;
}

static void align_last_parameter(Build *build, int next) {
    ir_attribute(build->ir, build->ir->function, (unsigned)next, "align", BASE_ALIGNMENT);
}

/* Begins the function; its parameters become what the calls of kernels start from. */
static void begin_network(Build *build) {
    const Graph *graph = build->plan->graph;
    bool in_process = build->options->in_process, pool = in_process || build->plan->threads > 1;
    int tensors = in_process ? 2 : (int)(graph->inputs.count + graph->outputs.count);
    int pointers = tensors + (build->block ? 0 : 1) + 1 + (pool ? 1 : 0);
    module_function_begin(build->ir, build->name, pointers, FUNCTION_GLOBAL);
    if (!build->global) /* after what only depends on who may call */
        LLVMSetLinkage(build->ir->function, LLVMInternalLinkage);
    debug_function(build->debug, build->name, graph->name_span);

    const char **input_names = ARENA_ARRAY(&build->arena, graph->inputs.count, const char *);
    for (size_t i = 0; i < graph->inputs.count; i++)
        input_names[i] = graph->inputs.data[i]->name;
    int next = 0;
    build->inputs = tensor_parameters(build, &next, "inputs", input_names, graph->inputs.count);
    build->outputs =
        tensor_parameters(build, &next, "outputs", graph->output_names.data, graph->outputs.count);
    LLVMValueRef block = build->block;
    if (!block) {
        block = next_parameter(build, &next, "weights");
        align_last_parameter(build, next);
    }
    build->packed = bytes_from(build->ir, block, build->packed_offset);
    build->scratch = build->own = next_parameter(build, &next, "arena");
    align_last_parameter(build, next);
    if (pool)
        build->pool = next_parameter(build, &next, "pool");
}

/* An address of this process. */
static LLVMValueRef address(Ir *ir, uintptr_t place) {
    return LLVMConstIntToPtr(LLVMConstInt(ir->i64, place, false), ir->pointer);
}

/* Of several threads, one calls it; `parallel` is NULL if there is but one. */
static void emit_mark(const Build *build, const Parallel *parallel) {
    const StepMark *mark = &build->options->mark;
    Ir *ir = build->ir;
    if (!mark->function)
        return;
    IrIf passes = {0};
    if (parallel)
        passes = ir_if_begin(ir, parallel_does_part(parallel, mark->thread));
    LLVMTypeRef type = LLVMFunctionType(ir->nothing, &ir->pointer, 1, false);
    LLVMValueRef context = address(ir, (uintptr_t)mark->context);
    LLVMBuildCall2(ir->builder, type, address(ir, (uintptr_t)mark->function), &context, 1, "");
    if (parallel)
        ir_if_end(ir, &passes);
}

static void emit_call_alone(Build *build, size_t index) {
    emit_call(build, build->plan->steps.data[index], build->functions.of[index], NULL);
}

/* Whether a step is due in the turn; NULL: always. */
static IrValue is_due(const Build *build, const BandPart *band) {
    Ir *ir = build->ir;
    switch (band->when) {
    case TURNS_FIRST: return ir_less(ir, build->turn, ir_add_const(ir, build->first_turn, 1));
    case TURNS_BUT_FIRST: return ir_less(ir, build->first_turn, build->turn);
    case TURNS_LAST: return ir_less(ir, ir_i64(ir, band->band->turns - 2), build->turn);
    case TURNS_ALL: break;
    }
    return NULL;
}

/* The mark of a step, where it is due: as the step begins, or as it has ended. */
static void emit_step_mark(const Build *build, const Parallel *parallel, bool begins) {
    if (build->options->mark.begins == begins)
        emit_mark(build, parallel);
}

/* turns * part / parts */
static IrValue part_begin(Ir *ir, IrValue part, const Band *band) {
    return ir_div_const(ir, ir_mul_const(ir, part, band->turns), band->parts);
}

/* What part number `part` of a band does, whose steps are those from `begin` to before `end`. */
static void emit_band(Build *build, const Parallel *parallel, size_t begin, size_t end,
                      IrValue part) {
    Ir *ir = build->ir;
    const Band *band = build->plan->steps.data[begin]->band.band;
    build->band_part = part;
    build->first_turn = part_begin(ir, part, band);
    IrValue after = part_begin(ir, ir_add_const(ir, part, 1), band);
    IrLoop loop = ir_loop_begin(ir, build->first_turn, after, 1, NULL, 0);
    build->turn = loop.index;
    for (size_t i = begin; i < end; i++) {
        IrValue due = is_due(build, &build->plan->steps.data[i]->band);
        IrIf branch = {0};
        emit_step_mark(build, parallel, true);
        if (due)
            branch = ir_if_begin(ir, due);
        emit_call_alone(build, i);
        if (due)
            ir_if_end(ir, &branch);
        emit_step_mark(build, parallel, false);
    }
    ir_loop_end(ir, &loop);
}

/* The steps from `begin` to before `end`. */
static void emit_steps_alone(Build *build, size_t begin, size_t end) {
    for (size_t i = begin, next; i < end; i = next) {
        next = plan_band_end(build->plan, i);
        if (build->plan->steps.data[i]->band.band) {
            emit_band(build, NULL, i, next, ir_i64(build->ir, 0));
        } else {
            emit_step_mark(build, NULL, true);
            emit_call_alone(build, i);
            emit_step_mark(build, NULL, false);
        }
    }
}

static void emit_alone(Build *build) {
    const Plan *plan = build->plan;
    Ir *ir = build->ir;
    begin_network(build);
    emit_mark(build, NULL);
    for (size_t begin = 0, end; begin < plan->steps.count; begin = end) {
        end = plan_run_end(plan, begin);
        IrLoop loop = {0};
        if (plan_repeats(plan, begin)) {
            loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, plan->batch), 1, NULL, 0);
            build->sample = loop.index;
        }
        emit_steps_alone(build, begin, end);
        if (build->sample)
            ir_loop_end(ir, &loop);
        build->sample = NULL;
    }
    module_function_end(ir);
}

/* The pointers that the steps need, out of the frame that the threads share. */
static void read_frame(Build *build, const Parallel *parallel) {
    size_t inputs = build->plan->graph->inputs.count, outputs = build->plan->graph->outputs.count;
    build->inputs = ARENA_ARRAY(&build->arena, inputs, LLVMValueRef);
    build->outputs = ARENA_ARRAY(&build->arena, outputs, LLVMValueRef);
    int next = 0;
    for (size_t i = 0; i < inputs; i++)
        build->inputs[i] = parallel_pointer(parallel, next++);
    for (size_t i = 0; i < outputs; i++)
        build->outputs[i] = parallel_pointer(parallel, next++);
    build->packed = parallel_pointer(parallel, next++);
    build->scratch = build->own = parallel_pointer(parallel, next++);
    if (build->plan->thread_bytes > 0) {
        IrValue part = parallel_first_part(parallel);
        IrValue bytes = ir_mul_const(build->ir, part, build->plan->thread_bytes);
        build->own = ir_llvm(ir_byte_at(build->ir, ir_value(build->scratch), bytes));
    }
}

/* Runs the steps with these pointers, in the order in which read_frame takes them. */
static void run_with_frame(Build *build, const Parallel *parallel) {
    size_t inputs = build->plan->graph->inputs.count, outputs = build->plan->graph->outputs.count;
    LLVMValueRef *pointers = ARENA_ARRAY(&build->arena, inputs + outputs + 2, LLVMValueRef);
    int count = 0;
    for (size_t i = 0; i < inputs; i++)
        pointers[count++] = build->inputs[i];
    for (size_t i = 0; i < outputs; i++)
        pointers[count++] = build->outputs[i];
    pointers[count++] = build->packed;
    pointers[count++] = build->scratch;
    parallel_run(parallel, pointers, count, build->pool);
}

static void locate_and_wait(Build *build, Parallel *parallel, const Step *step) {
    debug_locate(build->debug, step_span(build->plan, step));
    if (step->waits)
        parallel_wait(parallel);
}

/* The parts of step `index` that are to be done here. */
static void emit_parts(Build *build, Parallel *parallel, size_t index) {
    const Step *step = build->plan->steps.data[index];
    locate_and_wait(build, parallel, step);
    emit_step_mark(build, parallel, true);
    IrLoop loop = parallel_parts_begin(parallel, step->parts);
    emit_call(build, step, build->functions.of[index],
              step->parts > 1 ? ir_llvm(loop.index) : NULL);
    ir_loop_end(build->ir, &loop);
    emit_step_mark(build, parallel, false);
}

/* The parts of a band that are to be done here. */
static void emit_band_parts(Build *build, Parallel *parallel, size_t begin, size_t end) {
    const Step *first = build->plan->steps.data[begin];
    locate_and_wait(build, parallel, first);
    IrLoop loop = parallel_parts_begin(parallel, first->band.band->parts);
    emit_band(build, parallel, begin, end, loop.index);
    ir_loop_end(build->ir, &loop);
}

/* Of the steps from `begin` to before `end`, the parts that are to be done here. */
static void emit_steps_shared(Build *build, Parallel *parallel, size_t begin, size_t end) {
    for (size_t i = begin, next; i < end; i = next) {
        next = plan_band_end(build->plan, i);
        if (build->plan->steps.data[i]->band.band)
            emit_band_parts(build, parallel, i, next);
        else
            emit_parts(build, parallel, i);
    }
}

/* The steps from `begin` to before `end` for those samples that are to be done here. */
static void emit_samples(Build *build, Parallel *parallel, size_t begin, size_t end) {
    const Plan *plan = build->plan;
    locate_and_wait(build, parallel, plan->steps.data[begin]);
    IrLoop loop = parallel_share_begin(parallel, plan->batch);
    build->sample = loop.index;
    for (size_t i = begin; i < end; i++) {
        emit_step_mark(build, parallel, true);
        emit_call_alone(build, i);
        emit_step_mark(build, parallel, false);
    }
    ir_loop_end(build->ir, &loop);
    build->sample = NULL;
}

static void emit_shared(Build *build) {
    const Plan *plan = build->plan;
    Parallel parallel = {.ir = build->ir,
                         .debug = build->debug,
                         .name = build->name,
                         .span = plan->graph->name_span,
                         .threads = plan->threads};
    parallel_begin(&parallel);
    read_frame(build, &parallel);
    emit_mark(build, &parallel);
    for (size_t begin = 0, end; begin < plan->steps.count; begin = end) {
        end = plan_run_end(plan, begin);
        if (plan_repeats(plan, begin))
            emit_samples(build, &parallel, begin, end);
        else
            emit_steps_shared(build, &parallel, begin, end);
    }
    parallel_end(&parallel);

    begin_network(build);
    run_with_frame(build, &parallel);
    module_function_end(build->ir);
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* The part of a path after the last slash: what the object says it was made from. */
static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The network for variant number `index`. */
static LLVMValueRef emit_variant(const Codegen *codegen, size_t index,
                                 const CodegenOptions *options, DebugInfo *debug,
                                 LLVMValueRef block) {
    const Variant *variant = &codegen->variants->list[index];
    Build build = {.ir = codegen->ir,
                   .plan = variant->plan,
                   .name = codegen->variants->symbol,
                   .global = codegen->variants->count == 1,
                   .block = block,
                   .packed_offset = variant->packed_offset,
                   .options = options,
                   .debug = debug};
    if (!build.global)
        build.name = arena_format(&build.arena, "%s.%s", build.name, variant->target->cpu);
    module_retarget(codegen->ir, variant->target);
    build.functions = (KernelFunctions){.ir = build.ir,
                                        .plan = build.plan,
                                        .name = build.name,
                                        .debug = debug,
                                        .arena = &build.arena,
                                        .signatures.arena = &build.arena};
    kernel_functions_emit(&build.functions);
    (variant->plan->shared ? emit_shared : emit_alone)(&build);
    LLVMValueRef function = LLVMGetNamedFunction(codegen->ir->module, build.name);
    arena_free(&build.arena);
    return function;
}

Codegen *codegen_build(const Variants *variants, const SourceMap *sources,
                       const CodegenOptions *options) {
    assert(!options->in_process || options->weights_mode == WEIGHTS_NONE);
    Codegen *codegen = calloc(1, sizeof *codegen);
    if (!codegen)
        out_of_memory();
    const Target *lowest = variants->list[0].target;
    codegen->variants = variants;
    codegen->graph = variants->list[0].plan->graph;
    const Source *file = codegen->graph->source;
    Ir *ir = codegen->ir = module_new(lowest, base_name(file->name));

    bool embed = options->weights_mode == WEIGHTS_EMBED;
    DebugInfo *debug = options->debug ? debug_open(ir, sources, file, &options->prefix_maps) : NULL;
    LLVMValueRef block = embed ? embedded_declare(codegen) : NULL;
    LLVMValueRef functions[TARGETS_MAX];
    for (size_t i = 0; i < variants->count; i++)
        functions[i] = emit_variant(codegen, i, options, debug, block);
    module_retarget(ir, lowest);
    if (variants->count > 1)
        dispatch_emit(ir, debug, variants, functions);
    if (!embed && !options->in_process)
        emit_pack(ir, debug, variants);
    if (!options->in_process)
        emit_info(codegen, options);
    debug_close(debug);
    module_optimise(ir);
    return codegen;
}

void codegen_free(Codegen *codegen) {
    if (!codegen)
        return;
    loaded_free(codegen->loaded);
    loaded_free(codegen->loaded_pack);
    module_free(codegen->ir);
    free(codegen);
}
