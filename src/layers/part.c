/* slice, split, crop, pad: less of the input, or more than there is. */
#include <inttypes.h>
#include <string.h>

#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/layer.h"
#include "layers/rearrange.h"
#include "layers/window.h"
#include "support/checked.h"

/* A box of the input, `begin[axis]` on from its corner. */
static void lower_box(Lowering *lowering, const Node *node, size_t output, const int64_t *begin) {
    const Shape *input = &node->inputs[0]->type.shape;
    const Shape *result = &node->outputs[output]->type.shape;
    Rearrange rearrange = {0};
    for (int axis = 0; axis < input->rank; axis++) {
        rearrange.first += begin[axis] * shape_stride(input, axis);
        rearrange_add(&rearrange, result->dims[axis], shape_stride(input, axis));
    }
    kernel_rearrange(lowering, node, &rearrange, node->inputs[0], node->outputs[output]);
}

/* ---- slice -------------------------------------------------------------------------------- */

enum { SLICE_FROM, SLICE_TO, SLICE_AXIS, SLICE_STEP, SLICE_ATTRIBUTES };

typedef struct Slice {
    int axis;
    int64_t from; /* places from, from + step, ... below `to` */
    int64_t to;
    int64_t step;
} Slice;

static Slice slice_of(const Node *node) {
    const Attribute *attributes = node->attributes;
    Slice slice = {.axis = (int)attributes[SLICE_AXIS].integer,
                   .from = attributes[SLICE_FROM].integer,
                   .step = attributes[SLICE_STEP].integer};
    int64_t extent = node->inputs[0]->type.shape.dims[slice.axis];
    slice.to = attributes[SLICE_TO].given ? attributes[SLICE_TO].integer : extent;
    if (slice.from < 0)
        slice.from += extent;
    if (slice.to < 0)
        slice.to += extent;
    return slice;
}

static bool report_slice(Inference *inference, const Slice *slice, int attribute) {
    const Shape *input = infer_input(inference, 0);
    Diagnostic *diagnostic;
    if (attribute < 0)
        diagnostic = infer_error(inference, DIAG_E0231, SLICE_TO,
                                 "places %" PRId64 " to %" PRId64 " are none at all", slice->from,
                                 slice->to);
    else
        diagnostic = infer_error(
            inference, DIAG_E0231, attribute, "axis %d of %s has no place %" PRId64, slice->axis,
            infer_shape_text(inference, input), inference->node->attributes[attribute].integer);
    diag_here(inference->diagnostics, diagnostic, "the axis has %" PRId64 " places",
              input->dims[slice->axis]);
    diag_note(inference->diagnostics, diagnostic,
              "a slice begins at `from` and ends before `to`; negative numbers count from the end");
    if (attribute == SLICE_TO && slice->to > 0)
        edit_argument(inference, diagnostic, attribute,
                      arena_format(inference->arena, "%" PRId64, input->dims[slice->axis]), false,
                      "up to the last one");
    return false;
}

static bool slice_infer(Inference *inference) {
    Shape result = *infer_input(inference, 0);
    Slice slice = slice_of(inference->node);
    int64_t extent = result.dims[slice.axis];
    if (slice.from < 0 || slice.from >= extent)
        return report_slice(inference, &slice, SLICE_FROM);
    if (slice.to < 0 || slice.to > extent)
        return report_slice(inference, &slice, SLICE_TO);
    if (slice.to <= slice.from)
        return report_slice(inference, &slice, -1);
    result.dims[slice.axis] = (slice.to - slice.from - 1) / slice.step + 1;
    return infer_result(inference, result);
}

static bool slice_source(const Node *node, size_t output, const int64_t *at, int64_t *from) {
    (void)output;
    Slice slice = slice_of(node);
    memcpy(from, at, (size_t)node->inputs[0]->type.shape.rank * sizeof *from);
    from[slice.axis] = slice.from + at[slice.axis] * slice.step;
    return true;
}

static void slice_evaluate(Evaluation *evaluation) {
    rearrange_evaluate(evaluation, slice_source, 0);
}

static void slice_lower(Lowering *lowering, const Node *node) {
    const Shape *input = &node->inputs[0]->type.shape;
    Slice slice = slice_of(node);
    int64_t stride = shape_stride(input, slice.axis);
    Rearrange rearrange = {.first = slice.from * stride};
    rearrange_add_axes(&rearrange, input, 0, slice.axis);
    rearrange_add(&rearrange, node->outputs[0]->type.shape.dims[slice.axis], slice.step * stride);
    rearrange_add_axes(&rearrange, input, slice.axis + 1, input->rank);
    kernel_rearrange(lowering, node, &rearrange, node->inputs[0], node->outputs[0]);
}

static bool slice_footprint(const Node *node, Footprint axes[MAX_SPATIAL]) {
    Slice slice = slice_of(node);
    if (slice.axis > 0 && slice.axis <= MAX_SPATIAL)
        axes[slice.axis - 1].step = slice.step;
    return true;
}

const LayerInfo layer_slice = {
    .name = "slice",
    .summary = "some places of one axis",
    .family = FAMILY_SHAPE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = SLICE_ATTRIBUTES,
    .attributes =
        {
            [SLICE_FROM] = {"from", ATTRIBUTE_INTEGER, NULL, -(double)INT64_MAX, (double)INT64_MAX,
                            "the first place; negative: from the end"},
            [SLICE_TO] = {"to", ATTRIBUTE_INTEGER, "", -(double)INT64_MAX, (double)INT64_MAX,
                          "the place to end before, the end of the axis unless written; negative: "
                          "from the end"},
            [SLICE_AXIS] = {"axis", ATTRIBUTE_AXIS, "0", 0, 0, "the axis that gets shorter"},
            [SLICE_STEP] = {"step", ATTRIBUTE_INTEGER, "1", 1, (double)INT64_MAX,
                            "from one place to the next"},
        },
    .shape_doc = "the input's shape with ceil((to - from) / step) places along the axis",
    .example = "network example(image: [16, 8, 8]) -> [4, 8, 8] {\n"
               "    return image -> slice(0, 8, step=2)\n"
               "}\n",
    .infer = slice_infer,
    .footprint = slice_footprint,
    .evaluate = slice_evaluate,
    .lower = slice_lower,
};

/* ---- split -------------------------------------------------------------------------------- */

enum { SPLIT_PARTS, SPLIT_AXIS, SPLIT_ATTRIBUTES };

#define SPLIT_MAX_PARTS 1024

static int split_axis(const Node *node) {
    return (int)node->attributes[SPLIT_AXIS].integer;
}

/* Places along the axis before part `index`. */
static int64_t split_begin(const Node *node, size_t index) {
    int64_t begin = 0;
    for (size_t i = 0; i < index; i++)
        begin += node->outputs[i]->type.shape.dims[split_axis(node)];
    return begin;
}

static bool split_equally(Inference *inference, int64_t parts) {
    const Shape *input = infer_input(inference, 0);
    int axis = split_axis(inference->node);
    if (parts > SPLIT_MAX_PARTS) {
        infer_error(inference, DIAG_E0232, SPLIT_PARTS,
                    "`split` makes at most %d parts, not %" PRId64, SPLIT_MAX_PARTS, parts);
        return false;
    }
    if (input->dims[axis] % parts != 0) {
        Diagnostic *diagnostic =
            infer_error(inference, DIAG_E0232, SPLIT_PARTS,
                        "axis %d of %s cannot be split into %" PRId64 " equal parts", axis,
                        infer_shape_text(inference, input), parts);
        diag_here(inference->diagnostics, diagnostic, "%" PRId64 " is not a multiple of %" PRId64,
                  input->dims[axis], parts);
        if (input->dims[axis] > 1)
            diag_help(inference->diagnostics, diagnostic,
                      "parts of different sizes are written one by one: `split((%" PRId64
                      ", %" PRId64 "))`",
                      input->dims[axis] / 2, input->dims[axis] - input->dims[axis] / 2);
        return false;
    }
    Shape *shapes = ARENA_ARRAY(inference->arena, (size_t)parts, Shape);
    for (int64_t i = 0; i < parts; i++) {
        shapes[i] = *input;
        shapes[i].dims[axis] /= parts;
    }
    return infer_results(inference, shapes, (size_t)parts);
}

static bool report_sizes(Inference *inference, const int64_t *sizes, size_t count) {
    const Shape *input = infer_input(inference, 0);
    int axis = split_axis(inference->node);
    int64_t sum = 0;
    const char *text = "";
    for (size_t i = 0; i < count; i++) {
        if (!checked_add(sum, sizes[i], &sum))
            sum = INT64_MAX;
        text = arena_format(inference->arena, "%s%s%" PRId64, text, i ? " + " : "", sizes[i]);
    }
    Diagnostic *diagnostic =
        infer_error(inference, DIAG_E0232, SPLIT_PARTS, "axis %d of %s is not %" PRId64 " long",
                    axis, infer_shape_text(inference, input), sum);
    diag_here(inference->diagnostics, diagnostic, "%s = %" PRId64 ", but dim %d is %" PRId64, text,
              sum, axis, input->dims[axis]);
    return false;
}

static bool split_by_sizes(Inference *inference, const int64_t *sizes, size_t count) {
    const Shape *input = infer_input(inference, 0);
    int axis = split_axis(inference->node);
    Shape *shapes = ARENA_ARRAY(inference->arena, count, Shape);
    int64_t left = input->dims[axis];
    for (size_t i = 0; i < count; i++) {
        if (sizes[i] > left)
            return report_sizes(inference, sizes, count);
        left -= sizes[i];
        shapes[i] = *input;
        shapes[i].dims[axis] = sizes[i];
    }
    return left == 0 ? infer_results(inference, shapes, count)
                     : report_sizes(inference, sizes, count);
}

static bool split_infer(Inference *inference) {
    const Attribute *parts = &inference->node->attributes[SPLIT_PARTS];
    if (parts->integers.count == 1)
        return split_equally(inference, parts->integers.items[0]);
    return split_by_sizes(inference, parts->integers.items, parts->integers.count);
}

static bool split_source(const Node *node, size_t output, const int64_t *at, int64_t *from) {
    int axis = split_axis(node);
    memcpy(from, at, (size_t)node->inputs[0]->type.shape.rank * sizeof *from);
    from[axis] = at[axis] + split_begin(node, output);
    return true;
}

static void split_evaluate(Evaluation *evaluation) {
    rearrange_evaluate(evaluation, split_source, 0);
}

static void split_lower(Lowering *lowering, const Node *node) {
    int64_t begin[TENSOR_MAX_RANK] = {0};
    for (size_t i = 0; i < node->output_count; i++) {
        begin[split_axis(node)] = split_begin(node, i);
        lower_box(lowering, node, i, begin);
    }
}

const LayerInfo layer_split = {
    .name = "split",
    .summary = "several tensors, each a part of one axis",
    .family = FAMILY_SHAPE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = SPLIT_ATTRIBUTES,
    .attributes =
        {
            [SPLIT_PARTS] = {"parts", ATTRIBUTE_INTEGERS, NULL, 1, (double)INT64_MAX,
                             "into how many equal parts, or the size of each: (16, 48)"},
            [SPLIT_AXIS] = {"axis", ATTRIBUTE_AXIS, "0", 0, 0, "the axis that is divided"},
        },
    .shape_doc = "as many results as parts, each of the input's shape but for its part of the axis",
    .example = "network example(image: [64, 8, 8]) -> [64, 8, 8] {\n"
               "    (a, b) = image -> split((16, 48))\n"
               "    return (b, relu(a)) -> concat\n"
               "}\n",
    .infer = split_infer,
    .evaluate = split_evaluate,
    .lower = split_lower,
};

/* ---- crop --------------------------------------------------------------------------------- */

enum { CROP_SIZE, CROP_AT, CROP_ATTRIBUTES };

/* Where along spatial axis `i` the part that is kept begins. */
static int64_t crop_begin(const Node *node, int i) {
    const Attribute *at = &node->attributes[CROP_AT];
    if (!at->given)
        return (node->inputs[0]->type.shape.dims[i + 1] - node->attributes[CROP_SIZE].size[i]) / 2;
    return at->integers.items[at->integers.count == 1 ? 0 : i];
}

static bool check_crop_place(Inference *inference, int axes) {
    const Attribute *at = &inference->node->attributes[CROP_AT];
    if (!at->given || at->integers.count == 1 || at->integers.count == (size_t)axes)
        return true;
    Diagnostic *diagnostic =
        infer_error(inference, DIAG_E0201, CROP_AT,
                    "`at` of `crop` has %zu numbers, but the input has %d spatial ax%ss",
                    at->integers.count, axes, axes == 1 ? "i" : "e");
    diag_help(inference->diagnostics, diagnostic,
              axes == 2 ? "the corner is written (top, left)" : "one number for each axis");
    return false;
}

static bool crop_infer(Inference *inference) {
    if (!rearrange_has_axes(inference))
        return false;
    const Node *node = inference->node;
    const Shape *input = infer_input(inference, 0);
    if (!check_crop_place(inference, input->rank - 1))
        return false;
    Shape result = *input;
    for (int i = 0; i < input->rank - 1; i++) {
        int64_t size = node->attributes[CROP_SIZE].size[i], begin = crop_begin(node, i);
        int64_t extent = input->dims[i + 1];
        if (size > extent || begin > extent - size) {
            Diagnostic *diagnostic = infer_error(
                inference, DIAG_E0231, size > extent ? CROP_SIZE : CROP_AT,
                "a part of %" PRId64 " from %" PRId64 " on does not lie within dim %d of %s", size,
                size > extent ? 0 : begin, i + 1, infer_shape_text(inference, input));
            diag_here(inference->diagnostics, diagnostic, "at most %" PRId64,
                      size > extent ? extent : extent - size);
            return false;
        }
        result.dims[i + 1] = size;
    }
    return infer_result(inference, result);
}

static bool crop_source(const Node *node, size_t output, const int64_t *at, int64_t *from) {
    (void)output;
    from[0] = at[0];
    for (int i = 0; i < node->inputs[0]->type.shape.rank - 1; i++)
        from[i + 1] = at[i + 1] + crop_begin(node, i);
    return true;
}

static void crop_evaluate(Evaluation *evaluation) {
    rearrange_evaluate(evaluation, crop_source, 0);
}

static void crop_lower(Lowering *lowering, const Node *node) {
    int64_t begin[TENSOR_MAX_RANK] = {0};
    for (int i = 0; i < node->inputs[0]->type.shape.rank - 1; i++)
        begin[i + 1] = crop_begin(node, i);
    lower_box(lowering, node, 0, begin);
}

const LayerInfo layer_crop = {
    .name = "crop",
    .summary = "a part of each channel's image",
    .family = FAMILY_SHAPE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = CROP_ATTRIBUTES,
    .attributes =
        {
            [CROP_SIZE] = {"size", ATTRIBUTE_SIZE, NULL, 1, (double)INT64_MAX,
                           "how much of each spatial axis to keep"},
            [CROP_AT] = {"at", ATTRIBUTE_INTEGERS, "", 0, (double)INT64_MAX,
                         "the corner (top, left) where it begins; unless written the middle is "
                         "kept, and of an odd rest the smaller half is cut off before it"},
        },
    .shape_doc = "[C, H, W] -> [C, the size]; also with 1 or 3 spatial axes",
    .example = "network example(image: [3, 32, 32]) -> [3, 24, 24] {\n"
               "    return image -> crop(24x24)\n"
               "}\n",
    .infer = crop_infer,
    .evaluate = crop_evaluate,
    .lower = crop_lower,
};

/* ---- pad ---------------------------------------------------------------------------------- */

enum { PAD_SIDES, PAD_VALUE, PAD_MODE, PAD_ATTRIBUTES };

static int64_t pad_begin(const Node *node, int i) {
    return node->attributes[PAD_SIDES].padding.begin[i];
}

/* In the order of the words of `mode`. */
static RearrangeEdge pad_edge(const Node *node) {
    return (RearrangeEdge)node->attributes[PAD_MODE].integer;
}

static bool check_pad_arguments(Inference *inference) {
    const Attribute *attributes = inference->node->attributes;
    if (attributes[PAD_SIDES].padding.mode == PADDING_SAME) {
        Diagnostic *diagnostic =
            infer_error(inference, DIAG_E0201, PAD_SIDES, "`pad` needs numbers, not `same`");
        diag_note(
            inference->diagnostics, diagnostic,
            "`same` is for layers with a window, which it makes give ceil(n / stride) places");
        return false;
    }
    if (attributes[PAD_VALUE].given && pad_edge(inference->node) != REARRANGE_CONSTANT) {
        Diagnostic *diagnostic = infer_error(inference, DIAG_E0233, PAD_VALUE,
                                             "`value` means something with mode=constant only");
        diag_label(inference->diagnostics, diagnostic, attributes[PAD_MODE].span,
                   "the padding is taken from the input");
        return false;
    }
    return true;
}

/* How many places there are at an edge to take the padding from. */
static int64_t most_padding(RearrangeEdge edge, int64_t extent) {
    switch (edge) {
    case REARRANGE_CONSTANT:
    case REARRANGE_REPLICATE: return INT64_MAX;
    case REARRANGE_REFLECT: return extent - 1;
    case REARRANGE_WRAP: return extent;
    }
    return 0;
}

static bool check_edge(Inference *inference, int i) {
    const Attribute *sides = &inference->node->attributes[PAD_SIDES];
    RearrangeEdge edge = pad_edge(inference->node);
    int64_t most = most_padding(edge, infer_input(inference, 0)->dims[i + 1]);
    int64_t wanted = sides->padding.begin[i] > sides->padding.end[i] ? sides->padding.begin[i]
                                                                     : sides->padding.end[i];
    if (wanted <= most)
        return true;
    bool reflect = edge == REARRANGE_REFLECT;
    Diagnostic *diagnostic = infer_error(inference, DIAG_E0231, PAD_SIDES,
                                         "%" PRId64 " places cannot be %s dim %d of %s", wanted,
                                         reflect ? "reflected from" : "taken round from", i + 1,
                                         infer_shape_text(inference, infer_input(inference, 0)));
    diag_here(inference->diagnostics, diagnostic, "at most %" PRId64, most);
    if (reflect)
        diag_note(inference->diagnostics, diagnostic, "the edge itself is not repeated");
    return false;
}

static bool pad_infer(Inference *inference) {
    if (!rearrange_has_axes(inference) || !check_pad_arguments(inference))
        return false;
    const Attribute *sides = &inference->node->attributes[PAD_SIDES];
    Shape result = *infer_input(inference, 0);
    for (int i = 0; i < result.rank - 1; i++) {
        if (!check_edge(inference, i))
            return false;
        int64_t *dim = &result.dims[i + 1];
        if (!checked_add(*dim, sides->padding.begin[i], dim) ||
            !checked_add(*dim, sides->padding.end[i], dim))
            *dim = INT64_MAX; /* refused by infer_result */
    }
    return infer_result(inference, result);
}

static bool pad_source(const Node *node, size_t output, const int64_t *at, int64_t *from) {
    (void)output;
    const Shape *input = &node->inputs[0]->type.shape;
    from[0] = at[0];
    for (int i = 0; i < input->rank - 1; i++) {
        int64_t place = at[i + 1] - pad_begin(node, i), last = input->dims[i + 1] - 1;
        bool inside = place >= 0 && place <= last;
        switch (pad_edge(node)) {
        case REARRANGE_CONSTANT:
            if (!inside)
                return false;
            break;
        case REARRANGE_REFLECT:
            place = place < 0 ? -place : place > last ? 2 * last - place : place;
            break;
        case REARRANGE_REPLICATE: place = place < 0 ? 0 : place > last ? last : place; break;
        case REARRANGE_WRAP: place += place < 0 ? last + 1 : place > last ? -last - 1 : 0; break;
        }
        from[i + 1] = place;
    }
    return true;
}

/* The constant as f32 has it. */
static double pad_value(const Node *node) {
    return (double)(float)node->attributes[PAD_VALUE].number;
}

static void pad_evaluate(Evaluation *evaluation) {
    rearrange_evaluate(evaluation, pad_source, pad_value(evaluation->node));
}

static void pad_lower(Lowering *lowering, const Node *node) {
    const Shape *input = &node->inputs[0]->type.shape;
    Rearrange rearrange = {.edge = pad_edge(node), .value = pad_value(node)};
    rearrange_add_axes(&rearrange, input, 0, input->rank);
    for (int i = 0; i < input->rank - 1; i++) {
        rearrange.loops[i + 1].begin = pad_begin(node, i);
        rearrange.loops[i + 1].count = node->outputs[0]->type.shape.dims[i + 1];
    }
    kernel_rearrange(lowering, node, &rearrange, node->inputs[0], node->outputs[0]);
}

const LayerInfo layer_pad = {
    .name = "pad",
    .summary = "puts places around each channel's image",
    .family = FAMILY_SHAPE,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = PAD_ATTRIBUTES,
    .attributes =
        {
            [PAD_SIDES] = {"pad", ATTRIBUTE_PADDING, NULL, 0, INT32_MAX,
                           "places at all sides, or at each: (top, left, bottom, right)"},
            [PAD_VALUE] = {"value", ATTRIBUTE_NUMBER, "0", -FLT_MAX, FLT_MAX,
                           "what stands there with mode=constant"},
            [PAD_MODE] = {"mode", ATTRIBUTE_WORD, "constant|reflect|replicate|circular", 0, 0,
                          "a constant, the places mirrored at the edge, the edge again, or those "
                          "of the other end"},
        },
    .shape_doc = "each spatial axis grows by the padding at its two ends",
    .example = "network example(image: [3, 8, 8]) -> [3, 10, 10] {\n"
               "    return image -> pad(1, mode=reflect)\n"
               "}\n",
    .infer = pad_infer,
    .evaluate = pad_evaluate,
    .lower = pad_lower,
};
