/* add: the sum of tensors of one shape; also what `+` between tensors means. Nothing broadcasts. */
#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/evaluate.h"
#include "layers/layer.h"
#include "layers/majority.h"
#include "support/checked.h"

static bool shapes_agree(const Shape *a, const Shape *b, int axis) {
    (void)axis;
    return shape_equal(a, b);
}

/* "dim 0 is 128 and 64, dim 1 is 8 and 16" */
static const char *difference_text(Arena *arena, const Shape *a, const Shape *b) {
    if (a->rank != b->rank)
        return arena_format(arena, "%d and %d dims", a->rank, b->rank);
    const char *text = NULL;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            text = arena_format(arena, "%s%sdim %d is %lld and %lld", text == NULL ? "" : text,
                                text == NULL ? "" : ", ", i, (long long)a->dims[i],
                                (long long)b->dims[i]);
    return text;
}

/* The stride at which a 1x1 convolution takes the spatial axes of `from` to those of `to`; 0 if
 * there is none. */
static int64_t projection_stride(const Shape *from, const Shape *to) {
    int64_t stride = 0;
    for (int i = 1; i < from->rank; i++) {
        int64_t step = (from->dims[i] - 1) / to->dims[i] + 1;
        if ((from->dims[i] - 1) / step + 1 != to->dims[i] || (stride != 0 && stride != step))
            return 0;
        stride = step;
    }
    return stride;
}

/* A 1x1 convolution as a residual network has it where the shapes of its branches differ. */
static bool offer_projection(Inference *inference, Diagnostic *diagnostic, size_t changed,
                             const Shape *from, const Shape *to) {
    if (from->rank != to->rank || (from->rank != 2 && from->rank != 3))
        return false;
    int64_t stride = projection_stride(from, to);
    int64_t parameters;
    if (stride == 0 || !checked_mul(from->dims[0], to->dims[0], &parameters) ||
        !checked_add(parameters, to->dims[0], &parameters))
        return false;
    const char *step =
        stride == 1 ? "" : arena_format(inference->arena, ", stride=%lld", (long long)stride);
    diag_help(inference->diagnostics, diagnostic,
              "project input %zu with `-> conv(%lld, %s%s)`, giving %s (adds %s parameters)",
              changed + 1, (long long)to->dims[0], from->rank == 2 ? "1" : "1x1", step,
              infer_shape_text(inference, to), edit_count(inference, parameters));
    return true;
}

static void report_unequal(Inference *inference, size_t usual_index, size_t odd_index) {
    const Node *node = inference->node;
    const Shape *usual = infer_input(inference, usual_index);
    const Shape *odd = infer_input(inference, odd_index);
    Diagnostic *diagnostic =
        infer_error(inference, DIAG_E0214, -1, "`%s` needs equal shapes, got %s and %s",
                    node->layer->name, infer_shape_text(inference, infer_input(inference, 0)),
                    infer_shape_text(inference, usual_index == 0 ? odd : usual));
    const Shape *left = usual_index < odd_index ? usual : odd;
    const Shape *right = usual_index < odd_index ? odd : usual;
    diag_here(inference->diagnostics, diagnostic, "%s",
              difference_text(inference->arena, left, right));
    for (size_t i = 0; i < node->input_count; i++)
        if (node->input_count > 2 && !shape_equal(usual, infer_input(inference, i)))
            diag_label(inference->diagnostics, diagnostic, node->inputs[i]->span,
                       "input %zu is %s, unlike %s", i + 1,
                       infer_shape_text(inference, infer_input(inference, i)),
                       infer_shape_text(inference, usual));
    diag_note(inference->diagnostics, diagnostic, "nothing broadcasts silently");
    if (!offer_projection(inference, diagnostic, odd_index, odd, usual))
        offer_projection(inference, diagnostic, usual_index, usual, odd);
}

static bool add_infer(Inference *inference) {
    const Node *node = inference->node;
    size_t usual = majority_input(node, shapes_agree, 0);
    for (size_t i = 0; i < node->input_count; i++) {
        if (!shape_equal(infer_input(inference, usual), infer_input(inference, i))) {
            report_unequal(inference, usual, i);
            return false;
        }
    }
    return infer_result(inference, *infer_input(inference, 0));
}

static void add_operations(const Node *node, Factors *factors) {
    factors_add_elements(factors, node, (int64_t)node->input_count - 1);
}

static void add_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    int64_t elements = shape_elements(&node->outputs[0]->type.shape);
    for (int64_t i = 0; i < elements; i++) {
        RealSum sum = {0};
        for (size_t k = 0; k < node->input_count; k++)
            real_sum_product(&sum, 1, evaluation->inputs[k][i]);
        evaluation->output[i] = real_sum_finish(&sum, 0);
    }
}

const LayerInfo layer_add = {
    .name = "add",
    .summary = "sum of its inputs, element by element; also written `a + b`",
    .family = FAMILY_MERGE,
    .min_inputs = 2,
    .max_inputs = LAYER_ANY_INPUTS,
    .shape_doc = "inputs of equal shape -> the same shape",
    .operations_doc = "1 for each element of every input but the first",
    .example = "network example(image: [8, 16, 16]) -> [8, 16, 16] {\n"
               "    main = image -> conv(8, 3x3, pad=1)\n"
               "    return relu(main + image)\n"
               "}\n",
    .infer = add_infer,
    .operations = add_operations,
    .evaluate = add_evaluate,
    .lower = kernel_add,
};
