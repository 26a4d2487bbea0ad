#include "layers/rearrange.h"

#include <assert.h>

int64_t shape_product(const Shape *shape, int begin, int end) {
    int64_t elements = 1;
    for (int i = begin; i < end; i++)
        elements *= shape->dims[i];
    return elements;
}

int64_t shape_stride(const Shape *shape, int axis) {
    return shape_product(shape, axis + 1, shape->rank);
}

bool rearrange_has_axes(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    if (input->rank >= 2 && input->rank <= MAX_SPATIAL + 1)
        return true;
    Diagnostic *diagnostic = infer_error(
        inference, DIAG_E0212, -1, "`%s` takes channels and 1 to %d spatial axes, got %s",
        inference->node->layer->name, MAX_SPATIAL, infer_shape_text(inference, input));
    diag_here(inference->diagnostics, diagnostic, "found %d dim%s", input->rank,
              input->rank == 1 ? "" : "s");
    return false;
}

void rearrange_add(Rearrange *rearrange, int64_t count, int64_t stride) {
    assert(rearrange->loop_count < REARRANGE_MAX_LOOPS);
    rearrange->loops[rearrange->loop_count++] =
        (RearrangeLoop){.count = count, .stride = stride, .extent = count};
}

void rearrange_add_axes(Rearrange *rearrange, const Shape *shape, int begin, int end) {
    for (int axis = begin; axis < end; axis++)
        rearrange_add(rearrange, shape->dims[axis], shape_stride(shape, axis));
}

/* ---- reference ---------------------------------------------------------------------------- */

/* The next element in row-major order. */
static void next_element(const Shape *shape, int64_t *at) {
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        if (++at[axis] < shape->dims[axis])
            return;
        at[axis] = 0;
    }
}

static int64_t element_index(const Shape *shape, const int64_t *at) {
    int64_t index = 0;
    for (int axis = 0; axis < shape->rank; axis++) {
        assert(at[axis] >= 0 && at[axis] < shape->dims[axis]);
        index = index * shape->dims[axis] + at[axis];
    }
    return index;
}

void rearrange_evaluate(Evaluation *evaluation, SourceOf *source, double edge) {
    const Node *node = evaluation->node;
    const Shape *input = &node->inputs[0]->type.shape;
    for (size_t output = 0; output < node->output_count; output++) {
        const Shape *shape = &node->outputs[output]->type.shape;
        int64_t elements = shape_elements(shape);
        int64_t at[TENSOR_MAX_RANK] = {0};
        for (int64_t i = 0; i < elements; i++) {
            int64_t from[TENSOR_MAX_RANK] = {0};
            Real *result = &evaluation->outputs[output][i];
            *result = source(node, output, at, from)
                          ? evaluation->inputs[0][element_index(input, from)]
                          : (Real){edge, 0};
            next_element(shape, at);
        }
    }
}
