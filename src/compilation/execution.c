#include "compilation/execution.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "graph/vocabulary.h"
#include "support/random.h"

static size_t input_bytes(const TensorType *type) {
    return (size_t)(shape_elements(&type->shape) * element_size(type->element));
}

/* The memory in which compiled code gets its inputs. */
static void **input_memory(Compilation *c) {
    size_t count = c->graph->inputs.count;
    void **memory = ARENA_ARRAY(&c->arena, count, void *);
    for (size_t i = 0; i < count; i++) {
        size_t sample = input_bytes(&c->graph->inputs.data[i]->type);
        memory[i] = arena_alloc(&c->arena, sample * c->options->batch);
    }
    return memory;
}

/* Aligned as compiled code asks, and in huge pages where it is much, as the runtime has it. */
static void *allocate(int64_t bytes) {
    size_t size = bytes == 0 ? 64 : (size_t)bytes; /* a multiple of 64 */
    bool large = size >= HUGE_PAGE;
    void *memory = large ? aligned_alloc(HUGE_PAGE, (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE)
                         : aligned_alloc(64, size);
    if (!memory)
        out_of_memory();
    if (large)
        madvise(memory, size, MADV_HUGEPAGE);
    return memory;
}

void execution_begin(Execution *execution, Compilation *c, StepMark mark) {
    CodegenOptions options = c->codegen_options;
    options.weights_mode = WEIGHTS_NONE;
    options.in_process = true;
    options.mark = mark;
    const Plan *plan = c->variants.list[0].plan;
    *execution = (Execution){.codegen = codegen_build(&c->variants, &c->sources, &options)};
    execution->network = codegen_load(execution->codegen);
    execution->packed = allocate(plan->packed_bytes);
    execution->arena = allocate(plan->arena_bytes);
    execution->inputs = input_memory(c);
    if (plan->shared)
        execution->pool = pthreadpool_create((size_t)plan->threads);
    plan_pack(plan, execution->packed);
}

void execution_draw_inputs(Compilation *c, uint64_t seed, const float **inputs) {
    Random random = random_start(seed);
    const int64_t *vocabularies = graph_vocabularies(&c->arena, c->graph);
    for (size_t i = 0; i < c->graph->inputs.count; i++) {
        const Value *input = c->graph->inputs.data[i];
        ElementType element = input->type.element;
        int64_t elements = shape_elements(&input->type.shape) * (int64_t)c->options->batch;
        int64_t vocabulary = vocabularies[input->id];
        float *numbers = ARENA_ARRAY(&c->arena, (size_t)elements, float);
        if (vocabulary > 0)
            tokens_random(element, vocabulary, &random, elements, numbers);
        else
            elements_random(element, &random, elements, numbers);
        inputs[i] = numbers;
    }
}

void execution_store_inputs(const Execution *execution, const Compilation *c, int64_t sample,
                            const float *const *inputs) {
    for (size_t i = 0; i < c->graph->inputs.count; i++) {
        const TensorType *type = &c->graph->inputs.data[i]->type;
        elements_store(type->element, inputs[i], shape_elements(&type->shape),
                       (char *)execution->inputs[i] + (size_t)sample * input_bytes(type));
    }
}

void execution_call(const Execution *execution, float *const *outputs) {
    execution->network((const void *const *)execution->inputs, outputs, execution->packed,
                       execution->arena, execution->pool);
}

void execution_end(Execution *execution) {
    pthreadpool_destroy(execution->pool);
    free(execution->arena);
    free(execution->packed);
    codegen_free(execution->codegen);
}
