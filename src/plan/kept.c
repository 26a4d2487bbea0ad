/* The values that a call left in its memory, for who compares each layer's result. */
#include "plan/storage.h"

static const float *buffer_memory(const Buffer *buffer, float *const *outputs, const void *memory) {
    if (buffer->place == PLACE_OUTPUT)
        return outputs[buffer->index];
    return (const float *)((const char *)memory + buffer->offset);
}

static const float *read_view(Arena *arena, const View *view, const float *memory) {
    float *result = ARENA_ARRAY(arena, (size_t)view_elements(view), float);
    float *next = result;
    for (int64_t c = 0; c < view->channels; c++)
        for (int64_t h = 0; h < view->height; h++)
            for (int64_t w = 0; w < view->width; w++)
                *next++ = memory[view->offset + c / view->block * view->block_stride +
                                 c % view->block + h * view->row_stride + w * view->pixel_stride];
    return result;
}

/* Steps that only move what others stored. */
static bool moves(const Step *step) {
    return step->kind == STEP_COPY || step->kind == STEP_ZERO;
}

const float **plan_read_kept(const Plan *plan, Arena *arena, const float *const *inputs,
                             float *const *outputs, const void *memory) {
    const Graph *graph = plan->graph;
    const float **kept = ARENA_ARRAY(arena, graph->values.count, const float *);
    for (size_t i = 0; i < graph->inputs.count; i++)
        kept[graph->inputs.data[i]->id] = inputs[i];
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.data[i];
        size_t id = (size_t)step->output_value->id;
        if (id < graph->values.count && !moves(step)) /* none between the steps of one layer */
            kept[id] = read_view(arena, &step->output,
                                 buffer_memory(step->output.buffer, outputs, memory));
    }
    return kept;
}
