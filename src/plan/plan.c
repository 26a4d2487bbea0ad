#include "plan/plan.h"

Plan *plan_build(Arena *arena, Diagnostics *diagnostics, const Graph *graph,
                 const Machine *machine) {
    Plan *plan = ARENA_NEW(arena, Plan);
    plan->arena = arena;
    plan->graph = graph;
    plan->machine = machine;

    plan_lower(plan);
    plan_fuse(plan);
    if (!plan_layout(plan, diagnostics) || !plan_tile(plan, diagnostics) ||
        !plan_memory(plan, diagnostics))
        return NULL;
    return plan;
}
