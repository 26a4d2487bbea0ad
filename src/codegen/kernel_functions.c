#include "codegen/kernel_functions.h"

#include <assert.h>
#include <string.h>

#include "codegen/codegen_internal.h"
#include "codegen/module.h"
#include "support/strbuf.h"

/* ---- facts about parameters ------------------------------------------------------------------ */

int64_t view_bytes(const View *view) {
    int64_t start = view->buffer->place == PLACE_ARENA ? view->buffer->offset : 0;
    return start + view->offset * element_size(view->buffer->element);
}

static uint64_t view_alignment(const View *view) {
    if (view->buffer->place != PLACE_ARENA)
        return (uint64_t)element_size(view->buffer->element);
    uint64_t bytes = (uint64_t)view_bytes(view) | BASE_ALIGNMENT;
    return bytes & (~bytes + 1); /* its lowest bit */
}

/* Facts of the parameters in the call that `step` makes. */
static int step_parameters(const Step *step, ParameterFacts *facts) {
    int count = 0;
    bool output_apart = true;
    for (int i = 0; i < step->input_count; i++) {
        bool apart = views_apart(&step->inputs[i], &step->output);
        output_apart = output_apart && apart;
        facts[count++] = (ParameterFacts){false, apart, view_alignment(&step->inputs[i])};
    }
    facts[count++] = (ParameterFacts){true, output_apart, view_alignment(&step->output)};
    if (step->scratch)
        facts[count++] = (ParameterFacts){true, true, BASE_ALIGNMENT};
    const Packed *packed[KERNEL_MAX_PACKED];
    int packed_count = kernel_packed(step, packed);
    for (int i = 0; i < packed_count; i++)
        facts[count++] = (ParameterFacts){false, true, BASE_ALIGNMENT};
    return count;
}

/* ---- where a step comes from --------------------------------------------------------------- */

/* A copy of an input that is returned as it is belongs to no layer. */
Span step_span(const Plan *plan, const Step *step) {
    return step->node ? step->node->span : plan->graph->name_span;
}

/* "conv1", but "conv1.copy" for what only serves it: symbols tell them apart. */
static const char *step_path(const KernelFunctions *functions, const Step *step) {
    const char *path = step->path   ? step->path
                       : step->node ? step->node->path
                                    : functions->plan->graph->output_names.data[0];
    if (step->kind == STEP_COPY)
        return arena_format(functions->arena, "%s.copy", path);
    return step->kind == STEP_ZERO ? arena_format(functions->arena, "%s.zero", path) : path;
}

/* What a debugger shows: the layers in the step, where it has any. */
static const char *step_title(const KernelFunctions *functions, const Step *step) {
    bool serves = step->kind == STEP_COPY || step->kind == STEP_ZERO;
    return serves ? step_path(functions, step) : step->name;
}

/* ---- kernels --------------------------------------------------------------------------------- */

static KernelFunction *kernel_of_signature(const KernelFunctions *functions,
                                           const char *signature) {
    for (size_t i = 0; i < functions->all.count; i++)
        if (functions->all.data[i]->signature == signature)
            return functions->all.data[i];
    return NULL;
}

/* Finds which steps share a function, and what holds in all calls of it. */
static void group_steps(KernelFunctions *functions) {
    functions->of = ARENA_ARRAY(functions->arena, functions->plan->steps.count, KernelFunction *);
    StrBuf text = {0};
    for (size_t i = 0; i < functions->plan->steps.count; i++) {
        const Step *step = functions->plan->steps.data[i];
        text.length = 0;
        kernel_signature(step, &text);
        const char *signature =
            intern_bytes(&functions->signatures, strbuf_text(&text), text.length);
        ParameterFacts facts[KERNEL_MAX_PARAMETERS];
        int count = step_parameters(step, facts);
        KernelFunction *kernel = kernel_of_signature(functions, signature);
        if (!kernel) {
            kernel = ARENA_NEW(functions->arena, KernelFunction);
            kernel->signature = signature;
            kernel->step = step;
            kernel->parameter_count = count;
            memcpy(kernel->parameters, facts, (size_t)count * sizeof *facts);
            VEC_PUSH(functions->arena, &functions->all, kernel);
        }
        assert(kernel->parameter_count == count);
        for (int k = 0; k < count; k++) {
            ParameterFacts *known = &kernel->parameters[k];
            known->apart = known->apart && facts[k].apart;
            if (facts[k].alignment < known->alignment)
                known->alignment = facts[k].alignment;
        }
        functions->of[i] = kernel;
    }
    strbuf_free(&text);
}

/* `noalias` speaks of memory that is written, so inputs may well be the same as one another. */
static void add_parameter_attributes(Ir *ir, const KernelFunction *kernel) {
    for (int i = 0; i < kernel->parameter_count; i++) {
        const ParameterFacts *facts = &kernel->parameters[i];
        unsigned place = (unsigned)i + 1;
        ir_attribute(ir, kernel->function, place, "nocapture", 0);
        ir_attribute(ir, kernel->function, place, "align", facts->alignment);
        if (facts->apart)
            ir_attribute(ir, kernel->function, place, "noalias", 0);
        if (!facts->written)
            ir_attribute(ir, kernel->function, place, "readonly", 0);
    }
}

/* The kernel's pointers and, where it has parts, which one to do, or which rows. */
static void begin_kernel(const KernelFunctions *functions, const KernelFunction *kernel,
                         const char *name) {
    Ir *ir = functions->ir;
    unsigned count = 0;
    LLVMTypeRef types[KERNEL_MAX_PARAMETERS + 2];
    while (count < (unsigned)kernel->parameter_count)
        types[count++] = ir->pointer;
    if (kernel->step->parts > 1)
        types[count++] = ir->i64;
    for (int i = 0; i < 2 && step_takes_rows(kernel->step); i++)
        types[count++] = ir->i64;
    module_function_of(ir, name, types, count, true);
}

/* Functions are named after the first layer that needs them: profilers show "resnet18.conv1". */
static void emit_functions(const KernelFunctions *functions) {
    for (size_t i = 0; i < functions->all.count; i++) {
        KernelFunction *kernel = functions->all.data[i];
        const char *name = arena_format(functions->arena, "%s.%s", functions->name,
                                        step_path(functions, kernel->step));
        begin_kernel(functions, kernel, name);
        kernel->function = functions->ir->function;
        kernel->type = LLVMGlobalGetValueType(kernel->function);
        add_parameter_attributes(functions->ir, kernel);
        debug_function(functions->debug, step_title(functions, kernel->step),
                       step_span(functions->plan, kernel->step));
        kernel_emit(functions->ir, kernel->step, functions->plan->machine);
        module_function_end(functions->ir);
    }
}

void kernel_functions_emit(KernelFunctions *functions) {
    group_steps(functions);
    emit_functions(functions);
}
