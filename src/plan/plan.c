#include "plan/plan.h"

#include <assert.h>

#include "support/checked.h"

static double all_weight_bytes(const Graph *graph) {
    double elements = 0;
    for (size_t i = 0; i < graph->weights.count; i++)
        elements += (double)graph->weights.data[i]->elements;
    return elements * sizeof(float);
}

static Plan *build(Arena *arena, Diagnostics *diagnostics, const Graph *graph,
                   const Machine *machine, const PlanOptions *options) {
    Plan *plan = ARENA_NEW(arena, Plan);
    plan->arena = arena;
    plan->graph = graph;
    plan->machine = machine;
    plan->threads = options->threads;
    plan->batch = options->batch;
    plan->weight_bytes = all_weight_bytes(graph);
    plan->keeps = options->keep;
    assert(plan->batch <= PLAN_MAX_BATCH && !(plan->keeps && plan->batch > 1));

    plan_lower(plan);
    plan_fuse(plan);
    plan_choose(plan, options);
    if (!plan_layout(plan, diagnostics) || !plan_batch(plan, diagnostics) ||
        !plan_tile(plan, diagnostics))
        return NULL;
    plan_band(plan, options);
    if (!plan_memory(plan, diagnostics))
        return NULL;
    plan_split(plan);
    return plan;
}

Plan *plan_build(Arena *arena, Diagnostics *diagnostics, const Graph *graph, const Machine *machine,
                 const PlanOptions *options) {
    Plan *plan = build(arena, diagnostics, graph, machine, options);
    if (!plan || plan->threads < 2 || plan->shared)
        return plan;
    PlanOptions alone = *options; /* one thread does it all: then as it does best */
    alone.threads = 1;
    plan = build(arena, diagnostics, graph, machine, &alone);
    if (plan)
        plan->threads = options->threads; /* of the pool that the function takes */
    return plan;
}

bool conv_shuffles(const Step *step, const Machine *machine) {
    const View *input = &step->inputs[0];
    int64_t group_channels = input->channels / step->conv.groups;
    return step->conv.groups > 1 && input->channels == step->output.channels &&
           group_channels < machine->lanes && machine->lanes % group_channels == 0 &&
           input->block == machine->lanes;
}

ConvLanes conv_lanes(const Step *step, const Machine *machine) {
    const int64_t *dims = step->conv.weight->shape.dims;
    int64_t groups = step->conv.groups;
    int64_t filters = step->conv.transposed ? dims[1] : dims[0] / groups; /* of a group */
    if (groups == 1 || filters % machine->lanes == 0)
        return CONV_LANES_SHARE;
    return groups == dims[0] && dims[1] == 1 ? CONV_LANES_OWN : CONV_LANES_MIXED;
}

/* The floats of its buffer that a view lies in, first to past the last. */
static void view_range(const View *view, int64_t *begin, int64_t *end) {
    int64_t blocks = divide_up(view->channels, view->block);
    *begin = view->offset;
    *end = view->offset + (blocks - 1) * view->block_stride +
           (view->height - 1) * view->row_stride + (view->width - 1) * view->pixel_stride +
           view->block;
}

bool views_coincide(const View *a, const View *b) {
    return a->offset == b->offset && a->channels == b->channels && a->height == b->height &&
           a->width == b->width && a->block == b->block && a->block_stride == b->block_stride &&
           a->row_stride == b->row_stride && a->pixel_stride == b->pixel_stride;
}

bool views_apart(const View *a, const View *b) {
    int64_t a_begin, a_end, b_begin, b_end;
    view_range(a, &a_begin, &a_end);
    view_range(b, &b_begin, &b_end);
    return a->buffer != b->buffer || a_end <= b_begin || b_end <= a_begin;
}
