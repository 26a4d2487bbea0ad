/* Receptive fields and effective strides: see receptive.h. */
#include "graph/receptive.h"

#include <inttypes.h>

#include "layers/layer.h"
#include "support/checked.h"

/* ---- fractions; false where a number leaves 64 bits ------------------------------------------ */

static Fraction fraction_reduced(int64_t numerator, int64_t denominator) {
    int64_t divisor = common_divisor(numerator, denominator);
    return (Fraction){numerator / divisor, denominator / divisor};
}

/* *result = a * numerator / denominator */
static bool fraction_scale(Fraction a, int64_t numerator, int64_t denominator, Fraction *result) {
    Fraction by = fraction_reduced(numerator, denominator);
    int64_t top, bottom;
    if (!checked_mul(a.numerator, by.numerator, &top) ||
        !checked_mul(a.denominator, by.denominator, &bottom))
        return false;
    *result = fraction_reduced(top, bottom);
    return true;
}

static bool fraction_add(Fraction a, Fraction b, Fraction *result) {
    int64_t left, right, top, bottom;
    if (!checked_mul(a.numerator, b.denominator, &left) ||
        !checked_mul(b.numerator, a.denominator, &right) || !checked_add(left, right, &top) ||
        !checked_mul(a.denominator, b.denominator, &bottom))
        return false;
    *result = fraction_reduced(top, bottom);
    return true;
}

static bool fraction_raise(Fraction *a, Fraction b) {
    int64_t left, right;
    if (!checked_mul(a->numerator, b.denominator, &left) ||
        !checked_mul(b.numerator, a->denominator, &right))
        return false;
    if (left < right)
        *a = b;
    return true;
}

/* ---- one node ----------------------------------------------------------------------------- */

bool footprint_everything(const Node *node, Footprint axes[MAX_SPATIAL]) {
    (void)node;
    (void)axes;
    return false;
}

static int spatial_axes(const Shape *shape) {
    int axes = shape->rank - 1;
    return axes < 0 ? 0 : axes > MAX_SPATIAL ? MAX_SPATIAL : axes;
}

static const Receptive EVERYTHING = {.everything = true};

/* An element sees what it is. */
static Receptive field_of_input(const Value *value) {
    Receptive receptive = {.axes = spatial_axes(&value->type.shape)};
    for (int i = 0; i < receptive.axes; i++)
        receptive.field[i] = receptive.stride[i] = (Fraction){1, 1};
    return receptive;
}

static Receptive largest_of_inputs(const Node *node, const Receptive *fields) {
    Receptive largest = fields[node->inputs[0]->id];
    for (size_t k = 1; k < node->input_count; k++) {
        const Receptive *other = &fields[node->inputs[k]->id];
        if (largest.everything || other->everything || other->axes != largest.axes)
            return EVERYTHING;
        for (int i = 0; i < largest.axes; i++)
            if (!fraction_raise(&largest.field[i], other->field[i]) ||
                !fraction_raise(&largest.stride[i], other->stride[i]))
                return EVERYTHING;
    }
    return largest;
}

/* Whether the spatial axes of the result are those of the first input. */
static bool keeps_places(const Node *node) {
    const Shape *input = &node->inputs[0]->type.shape;
    const Shape *output = &node->outputs[0]->type.shape;
    for (int i = 1; i < input->rank; i++)
        if (input->dims[i] != output->dims[i])
            return false;
    return input->rank == output->rank;
}

static bool node_footprint(const Node *node, Footprint axes[MAX_SPATIAL]) {
    for (int i = 0; i < MAX_SPATIAL; i++)
        axes[i] = (Footprint){1, 1, 1};
    return node->layer->footprint ? node->layer->footprint(node, axes) : keeps_places(node);
}

/* A field that leaves 64 bits is larger than any input. */
static Receptive field_of_result(const Node *node, const Receptive *fields) {
    Receptive receptive = largest_of_inputs(node, fields);
    Footprint footprint[MAX_SPATIAL];
    if (receptive.everything || !node_footprint(node, footprint) ||
        spatial_axes(&node->outputs[0]->type.shape) != receptive.axes)
        return EVERYTHING;
    for (int i = 0; i < receptive.axes; i++) {
        Fraction grown;
        if (!fraction_scale(receptive.stride[i], footprint[i].reach - 1, 1, &grown) ||
            !fraction_add(receptive.field[i], grown, &receptive.field[i]) ||
            !fraction_scale(receptive.stride[i], footprint[i].step, footprint[i].parts,
                            &receptive.stride[i]))
            return EVERYTHING;
    }
    return receptive;
}

Receptive *receptive_fields(Arena *arena, const Graph *graph) {
    Receptive *fields = ARENA_ARRAY(arena, graph->values.count, Receptive);
    for (size_t i = 0; i < graph->inputs.count; i++)
        fields[graph->inputs.data[i]->id] = field_of_input(graph->inputs.data[i]);
    for (size_t i = 0; i < graph->nodes.count; i++) {
        const Node *node = graph->nodes.data[i];
        Receptive receptive = field_of_result(node, fields);
        for (size_t k = 0; k < node->output_count; k++) {
            Receptive *field = &fields[node->outputs[k]->id];
            *field = receptive;
            field->axes = spatial_axes(&node->outputs[k]->type.shape);
        }
    }
    return fields;
}

/* ---- formulas ----------------------------------------------------------------------------- */

void fraction_print(Fraction fraction, StrBuf *out) {
    strbuf_format(out, "%" PRId64, fraction.numerator);
    if (fraction.denominator != 1)
        strbuf_format(out, "/%" PRId64, fraction.denominator);
}

/* The field of the inputs and the node's own part in that of the result; false for everything. */
static bool formula_parts(const Node *node, const Receptive *fields, int axis, Receptive *input,
                          Footprint *footprint) {
    Footprint axes[MAX_SPATIAL];
    const Receptive *result = &fields[node->outputs[0]->id];
    if (result->everything || axis >= result->axes || !node_footprint(node, axes))
        return false;
    *input = largest_of_inputs(node, fields);
    *footprint = axes[axis];
    return true;
}

void receptive_field_formula(const Node *node, const Receptive *fields, int axis, StrBuf *out) {
    Receptive input;
    Footprint footprint;
    if (!formula_parts(node, fields, axis, &input, &footprint))
        return;
    fraction_print(input.field[axis], out);
    strbuf_format(out, " + (%" PRId64 " - 1) * ", footprint.reach);
    fraction_print(input.stride[axis], out);
    strbuf_add(out, " = ");
    fraction_print(fields[node->outputs[0]->id].field[axis], out);
}

void receptive_stride_formula(const Node *node, const Receptive *fields, int axis, StrBuf *out) {
    Receptive input;
    Footprint footprint;
    if (!formula_parts(node, fields, axis, &input, &footprint))
        return;
    fraction_print(input.stride[axis], out);
    strbuf_format(out, " * %" PRId64, footprint.step);
    if (footprint.parts != 1)
        strbuf_format(out, " / %" PRId64, footprint.parts);
    strbuf_add(out, " = ");
    fraction_print(fields[node->outputs[0]->id].stride[axis], out);
}
