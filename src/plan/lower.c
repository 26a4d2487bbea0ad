/* Graph -> steps: each layer appends the steps that do its work (kernels/describe.c). */
#include "layers/layer.h"
#include "plan/plan.h"

void plan_lower(Plan *plan) {
    Lowering lowering = {.plan = plan};
    for (size_t i = 0; i < plan->graph->values.count; i++)
        VEC_PUSH(plan->arena, &plan->values, plan->graph->values.data[i]);
    for (size_t i = 0; i < plan->graph->nodes.count; i++) {
        const Node *node = plan->graph->nodes.data[i];
        node->layer->lower(&lowering, node);
    }
}
