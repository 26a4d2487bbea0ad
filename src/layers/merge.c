/* add, sub, mul, div, min, max: two tensors of one shape, or a tensor and a number, element by
 * element; also what operators mean. Nothing broadcasts: work by channel has names of its own,
 * scale and bias. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/elementwise.h"
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

/* Where one of two inputs has a number for each channel of the other, the layer that takes them so.
 */
static bool offer_channels(Inference *inference, Diagnostic *diagnostic) {
    const char *name = inference->node->layer->name;
    bool product = strcmp(name, "mul") == 0;
    if (inference->node->input_count != 2 || (!product && strcmp(name, "add") != 0))
        return false;
    const Shape *x = infer_input(inference, 0), *numbers = infer_input(inference, 1);
    if (is_one_a_channel(x, numbers)) {
        const Shape *swapped = x;
        x = numbers;
        numbers = swapped;
    }
    if (!is_one_a_channel(numbers, x))
        return false;
    const char *onto = infer_shape_text(inference, x), *from = infer_shape_text(inference, numbers);
    if (product)
        diag_help(inference->diagnostics, diagnostic,
                  "`scale(x, y)` multiplies each channel of %s by its number in %s", onto, from);
    else
        diag_help(inference->diagnostics, diagnostic,
                  "`bias(x, y)` adds to each channel of %s its number in %s", onto, from);
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
    if (!offer_channels(inference, diagnostic) &&
        !edit_keep_size(inference, diagnostic, node->inputs[odd_index], usual) &&
        !edit_keep_size(inference, diagnostic, node->inputs[usual_index], odd) &&
        !offer_projection(inference, diagnostic, odd_index, odd, usual))
        offer_projection(inference, diagnostic, usual_index, usual, odd);
}

/* ---- one input and a number, or inputs of equal shape -------------------------------------- */

enum ArithmeticAttribute {
    ARITHMETIC_NUMBER,
    ARITHMETIC_REVERSED, /* of sub and div only */
};

#define COMMUTATIVE_ATTRIBUTES 1
#define REVERSIBLE_ATTRIBUTES  2

static bool has_number(const Node *node) {
    return node->attributes[ARITHMETIC_NUMBER].given;
}

static bool is_reversed(const Node *node) {
    return node->layer->attribute_count > ARITHMETIC_REVERSED &&
           node->attributes[ARITHMETIC_REVERSED].boolean;
}

static bool report_alone(Inference *inference) {
    const char *name = inference->node->layer->name;
    const char *least = inference->node->layer->max_inputs == 2 ? "" : "at least ";
    Diagnostic *diagnostic = infer_error(inference, DIAG_E0213, -1,
                                         "`%s` takes %s2 inputs, or one and a number", name, least);
    diag_help(inference->diagnostics, diagnostic,
              "pass it several, `(a, b) -> %s`, or a number, `%s(2)`", name, name);
    return false;
}

static bool arithmetic_infer(Inference *inference) {
    const Node *node = inference->node;
    if (has_number(node) && node->input_count > 1) {
        infer_error(inference, DIAG_E0213, ARITHMETIC_NUMBER,
                    "`%s` takes a number in the place of a second input, not beside it",
                    node->layer->name);
        return false;
    }
    if (!has_number(node) && node->input_count == 1)
        return report_alone(inference);
    size_t usual = majority_input(node, shapes_agree, 0);
    for (size_t i = 0; i < node->input_count; i++) {
        if (!shape_equal(infer_input(inference, usual), infer_input(inference, i))) {
            report_unequal(inference, usual, i);
            return false;
        }
    }
    return same_shape_infer(inference);
}

static void arithmetic_operations(const Node *node, Factors *factors) {
    factors_add_elements(factors, node, has_number(node) ? 1 : (int64_t)node->input_count - 1);
}

typedef Real Combination(Real a, Real b);

/* Joins each element of all inputs, and the number, from left to right. */
static void combine_elements(Evaluation *evaluation, Combination *combine) {
    const Node *node = evaluation->node;
    Real number = {real_constant(node->attributes[ARITHMETIC_NUMBER].number), 0};
    bool reversed = is_reversed(node);
    int64_t elements = shape_elements(&node->outputs[0]->type.shape);
    for (int64_t i = 0; i < elements; i++) {
        Real x = evaluation->inputs[0][i];
        if (has_number(node))
            x = reversed ? combine(number, x) : combine(x, number);
        for (size_t k = 1; k < node->input_count; k++) {
            Real y = evaluation->inputs[k][i];
            x = reversed ? combine(y, x) : combine(x, y);
        }
        evaluation->output[i] = x;
    }
}

static void lower_arithmetic(Lowering *lowering, const Node *node, MapOp op) {
    if (node->input_count > 2) {
        kernel_combine(lowering, node, op);
        return;
    }
    kernel_map(lowering, node,
               (MapStage){.op = op,
                          .kind = has_number(node) ? OPERAND_NUMBER : OPERAND_ELEMENT,
                          .reversed = is_reversed(node),
                          .constants = {node->attributes[ARITHMETIC_NUMBER].number}});
}

/* ---- add, sub ------------------------------------------------------------------------------ */

static void add_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    Real number = {real_constant(node->attributes[ARITHMETIC_NUMBER].number), 0};
    int64_t elements = shape_elements(&node->outputs[0]->type.shape);
    for (int64_t i = 0; i < elements; i++) {
        RealSum sum = {0};
        for (size_t k = 0; k < node->input_count; k++)
            real_sum_product(&sum, 1, evaluation->inputs[k][i]);
        if (has_number(node))
            real_sum_product(&sum, 1, number);
        evaluation->output[i] = real_sum_finish(&sum, 0);
    }
}

static void add_lower(Lowering *lowering, const Node *node) {
    lower_arithmetic(lowering, node, MAP_ADD);
}

const LayerInfo layer_add = {
    .name = "add",
    .summary = "sum of its inputs, element by element; also written `a + b`",
    .family = FAMILY_MERGE,
    .min_inputs = 1,
    .max_inputs = LAYER_ANY_INPUTS,
    .attribute_count = COMMUTATIVE_ATTRIBUTES,
    .attributes = {[ARITHMETIC_NUMBER] = {"number", ATTRIBUTE_NUMBER, "", -FLT_MAX, FLT_MAX,
                                          "added to the only input"}},
    .shape_doc = "inputs of equal shape, or one and a number -> the same shape",
    .operations_doc = "1 for each element of every input but the first, or for the number",
    .example = "network example(image: [8, 16, 16]) -> [8, 16, 16] {\n"
               "    main = image -> conv(8, 3x3, pad=1)\n"
               "    return relu(main + image)\n"
               "}\n",
    .infer = arithmetic_infer,
    .operations = arithmetic_operations,
    .evaluate = add_evaluate,
    .lower = add_lower,
};

static Real difference(Real a, Real b) {
    RealSum sum = {0};
    real_sum_product(&sum, 1, a);
    real_sum_product(&sum, -1, b);
    return real_sum_finish(&sum, 0);
}

static void sub_evaluate(Evaluation *evaluation) {
    combine_elements(evaluation, difference);
}

static void sub_lower(Lowering *lowering, const Node *node) {
    lower_arithmetic(lowering, node, MAP_SUBTRACT);
}

const LayerInfo layer_sub = {
    .name = "sub",
    .summary = "difference of two, element by element; also written `a - b`",
    .family = FAMILY_MERGE,
    .min_inputs = 1,
    .max_inputs = 2,
    .attribute_count = REVERSIBLE_ATTRIBUTES,
    .attributes = {[ARITHMETIC_NUMBER] = {"number", ATTRIBUTE_NUMBER, "", -FLT_MAX, FLT_MAX,
                                          "subtracted from the only input"},
                   [ARITHMETIC_REVERSED] = {"reversed", ATTRIBUTE_BOOLEAN, "off", 0, 0,
                                            "the operands change places"}},
    .shape_doc = "inputs of equal shape, or one and a number -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(signal: [16, 50]) -> [16, 50] {\n"
               "    smooth = signal -> avgpool(3, stride=1, pad=1)\n"
               "    return signal - smooth\n"
               "}\n",
    .infer = arithmetic_infer,
    .operations = arithmetic_operations,
    .evaluate = sub_evaluate,
    .lower = sub_lower,
};

/* ---- mul, div ------------------------------------------------------------------------------ */

static void mul_evaluate(Evaluation *evaluation) {
    combine_elements(evaluation, real_product);
}

static void mul_lower(Lowering *lowering, const Node *node) {
    lower_arithmetic(lowering, node, MAP_MULTIPLY);
}

const LayerInfo layer_mul = {
    .name = "mul",
    .summary = "product of two, element by element; also written `a * b`",
    .family = FAMILY_MERGE,
    .min_inputs = 1,
    .max_inputs = 2,
    .attribute_count = COMMUTATIVE_ATTRIBUTES,
    .attributes = {[ARITHMETIC_NUMBER] = {"number", ATTRIBUTE_NUMBER, "", -FLT_MAX, FLT_MAX,
                                          "the other factor of the only input"}},
    .shape_doc = "inputs of equal shape, or one and a number -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(features: [64]) -> [32] {\n"
               "    gate = features -> dense(32) -> sigmoid\n"
               "    return (features -> dense(32)) * gate\n"
               "}\n",
    .infer = arithmetic_infer,
    .operations = arithmetic_operations,
    .evaluate = mul_evaluate,
    .lower = mul_lower,
};

/* A number that is 0 in f32 divides nothing, as in an expression. */
static bool div_infer(Inference *inference) {
    const Node *node = inference->node;
    if (has_number(node) && !is_reversed(node) &&
        real_constant(node->attributes[ARITHMETIC_NUMBER].number) == 0) {
        infer_error(inference, DIAG_E0207, ARITHMETIC_NUMBER, "division by zero");
        return false;
    }
    return arithmetic_infer(inference);
}

static void div_evaluate(Evaluation *evaluation) {
    combine_elements(evaluation, real_quotient);
}

static void div_lower(Lowering *lowering, const Node *node) {
    lower_arithmetic(lowering, node, MAP_DIVIDE);
}

const LayerInfo layer_div = {
    .name = "div",
    .summary = "quotient of two, element by element; also written `a / b`",
    .family = FAMILY_MERGE,
    .min_inputs = 1,
    .max_inputs = 2,
    .attribute_count = REVERSIBLE_ATTRIBUTES,
    .attributes = {[ARITHMETIC_NUMBER] = {"number", ATTRIBUTE_NUMBER, "", -FLT_MAX, FLT_MAX,
                                          "divides the only input"},
                   [ARITHMETIC_REVERSED] = {"reversed", ATTRIBUTE_BOOLEAN, "off", 0, 0,
                                            "the operands change places"}},
    .shape_doc = "inputs of equal shape, or one and a number -> the same shape",
    .operations_doc = "1 for each element",
    .example = "network example(image: [3, 32, 32]) -> [8, 30, 30] {\n"
               "    return image / 255 -> conv(8, 3x3)\n"
               "}\n",
    .infer = div_infer,
    .operations = arithmetic_operations,
    .evaluate = div_evaluate,
    .lower = div_lower,
};

/* ---- min, max ------------------------------------------------------------------------------ */

/* One of the two, off by no more than either is. NaN and infinities are of their class. */
static Real chosen(Real a, Real b, double value) {
    double error = fmax(a.error, b.error);
    if (isnan(a.value) || isnan(b.value))
        value = (double)NAN;
    return (Real){value, isfinite(value) || !(error < INFINITY) ? error : 0};
}

static Real smaller(Real a, Real b) {
    return chosen(a, b, fmin(a.value, b.value));
}

static Real larger(Real a, Real b) {
    return chosen(a, b, fmax(a.value, b.value));
}

static void min_evaluate(Evaluation *evaluation) {
    combine_elements(evaluation, smaller);
}

static void min_lower(Lowering *lowering, const Node *node) {
    lower_arithmetic(lowering, node, MAP_MINIMUM);
}

const LayerInfo layer_min = {
    .name = "min",
    .summary = "smallest of its inputs, element by element",
    .family = FAMILY_MERGE,
    .min_inputs = 1,
    .max_inputs = LAYER_ANY_INPUTS,
    .attribute_count = COMMUTATIVE_ATTRIBUTES,
    .attributes = {[ARITHMETIC_NUMBER] = {"number", ATTRIBUTE_NUMBER, "", -FLT_MAX, FLT_MAX,
                                          "the most that the result can be"}},
    .shape_doc = "inputs of equal shape, or one and a number -> the same shape",
    .operations_doc = "1 for each element of every input but the first, or for the number",
    .example = "network example(features: [64]) -> [64] {\n"
               "    return features -> softplus -> min(10)\n"
               "}\n",
    .infer = arithmetic_infer,
    .operations = arithmetic_operations,
    .evaluate = min_evaluate,
    .lower = min_lower,
};

static void max_evaluate(Evaluation *evaluation) {
    combine_elements(evaluation, larger);
}

static void max_lower(Lowering *lowering, const Node *node) {
    lower_arithmetic(lowering, node, MAP_MAXIMUM);
}

const LayerInfo layer_max = {
    .name = "max",
    .summary = "largest of its inputs, element by element",
    .family = FAMILY_MERGE,
    .min_inputs = 1,
    .max_inputs = LAYER_ANY_INPUTS,
    .attribute_count = COMMUTATIVE_ATTRIBUTES,
    .attributes = {[ARITHMETIC_NUMBER] = {"number", ATTRIBUTE_NUMBER, "", -FLT_MAX, FLT_MAX,
                                          "the least that the result can be"}},
    .shape_doc = "inputs of equal shape, or one and a number -> the same shape",
    .operations_doc = "1 for each element of every input but the first, or for the number",
    .example = "network example(features: [64]) -> [32] {\n"
               "    return (features -> dense(32), features -> dense(32)) -> max\n"
               "}\n",
    .infer = arithmetic_infer,
    .operations = arithmetic_operations,
    .evaluate = max_evaluate,
    .lower = max_lower,
};
