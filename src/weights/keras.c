#include "weights/keras.h"

#include <string.h>

#include "layers/layer.h"

/* ---- names ----------------------------------------------------------------------------------- */

#define MOST_NAMES     7
#define DEPTHWISE_PART "depthwise.weight" /* of a separable convolution */

/* Of a recurrent layer, alone or in the Bidirectional that holds one for each direction. */
#define ONE_WAY(name)                                                                              \
    {name,                                                                                         \
     "lstm_cell/" name,                                                                            \
     "gru_cell/" name,                                                                             \
     "simple_rnn_cell/" name,                                                                      \
     "forward_lstm/lstm_cell/" name,                                                               \
     "forward_gru/gru_cell/" name,                                                                 \
     "forward_simple_rnn/simple_rnn_cell/" name}
#define BACKWARD(name)                                                                             \
    {"backward_lstm/lstm_cell/" name, "backward_gru/gru_cell/" name,                               \
     "backward_simple_rnn/simple_rnn_cell/" name}

const char *keras_name(const Weight *weight, size_t index) {
    static const struct {
        const char *name;
        const char *keras[MOST_NAMES + 1];
    } table[] = {
        {"weight", {"kernel", "depthwise_kernel", "gamma", "scale", "embeddings", "alpha"}},
        {"bias", {"beta", "bias"}},
        {"running_mean", {"moving_mean"}},
        {"running_var", {"moving_variance"}},
        {DEPTHWISE_PART, {"depthwise_kernel"}},
        {"pointwise.weight", {"pointwise_kernel"}},
        {"pointwise.bias", {"bias"}},
        {"weight_ih_l0", ONE_WAY("kernel")},
        {"weight_hh_l0", ONE_WAY("recurrent_kernel")},
        {"bias_ih_l0", ONE_WAY("bias")},
        {"bias_hh_l0", ONE_WAY("bias")},
        {"weight_ih_l0_reverse", BACKWARD("kernel")},
        {"weight_hh_l0_reverse", BACKWARD("recurrent_kernel")},
        {"bias_ih_l0_reverse", BACKWARD("bias")},
        {"bias_hh_l0_reverse", BACKWARD("bias")},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, weight->name) == 0)
            return index < MOST_NAMES ? table[i].keras[index] : NULL;
    return NULL;
}

bool keras_is_kernel(const Weight *weight) {
    return weight->role == WEIGHT_KERNEL && weight->shape.rank >= 2 &&
           (weight->owner->layer->traits & LAYER_HAS_KERNEL) != 0;
}

Shape keras_kernel_shape(const Shape *needed) {
    Shape shape = {.rank = needed->rank};
    for (int i = 2; i < needed->rank; i++)
        shape.dims[i - 2] = needed->dims[i];
    shape.dims[needed->rank - 2] = needed->dims[1];
    shape.dims[needed->rank - 1] = needed->dims[0];
    return shape;
}

/* A kernel with a group for each channel. */
static bool is_depthwise(const Weight *weight) {
    const Shape *shape = &weight->shape;
    int64_t channels = weight->owner->inputs[0]->type.shape.dims[0];
    int64_t filters = weight->owner->outputs[0]->type.shape.dims[0];
    if (strcmp(weight->name, DEPTHWISE_PART) == 0)
        return true;
    return shape->rank > 2 && shape->dims[1] == 1 && filters == shape->dims[0] &&
           filters % channels == 0;
}

/* ---- recurrent layers ----------------------------------------------------------------------- */

#define GRU_GATES 3

static bool is_recurrent(const Weight *weight) {
    return (weight->owner->layer->traits & LAYER_IS_RECURRENT) != 0;
}

static bool is_recurrent_bias(const Weight *weight) {
    return is_recurrent(weight) && weight->role == WEIGHT_BIAS;
}

/* Units of the state: the columns of weight_hh_l0. */
static int64_t hidden_of(const Weight *weight) {
    return weight->owner->weights.data[1]->shape.dims[1];
}

static bool is_of_gru(const Weight *weight) {
    return is_recurrent(weight) && weight->shape.dims[0] == GRU_GATES * hidden_of(weight);
}

/* Where Keras has row number `row`: a GRU's gates are r, z, n here and z, r, n there. */
static int64_t gate_place(const Weight *weight, int64_t row) {
    if (!is_of_gru(weight))
        return row;
    int64_t hidden = hidden_of(weight);
    return row < hidden ? row + hidden : row < 2 * hidden ? row - hidden : row;
}

/* A GRU's two biases are rows of one tensor; the others have one bias in Keras, so that the second
 * is zeros. */
static const float *recurrent_bias(Arena *arena, const Weight *weight, const float *data) {
    bool second = strncmp(weight->name, "bias_hh", strlen("bias_hh")) == 0;
    bool gru = is_of_gru(weight);
    if (!gru && !second)
        return data;
    float *result = ARENA_ARRAY(arena, (size_t)weight->elements, float);
    for (int64_t i = 0; gru && i < weight->elements; i++)
        result[i] = data[(second ? weight->elements : 0) + gate_place(weight, i)];
    return result;
}

bool keras_keeps_name(const Weight *weight) {
    return !is_recurrent_bias(weight);
}

/* ---- shapes --------------------------------------------------------------------------------- */

Shape keras_shape(const Weight *weight) {
    if (is_recurrent_bias(weight) && is_of_gru(weight))
        return shape_make(2, 2, weight->elements);
    if (!keras_is_kernel(weight))
        return weight->shape;
    Shape shape = keras_kernel_shape(&weight->shape);
    if (is_depthwise(weight)) {
        int64_t channels = weight->owner->inputs[0]->type.shape.dims[0];
        shape.dims[shape.rank - 2] = channels;
        shape.dims[shape.rank - 1] = weight->shape.dims[0] / channels;
    }
    return shape;
}

/* [1, 1, channels]: the slopes of a PReLU that shares its axes. */
static bool is_line_of(const Shape *has, int64_t elements) {
    return has->rank > 0 && has->dims[has->rank - 1] == elements && shape_elements(has) == elements;
}

/* A Conv2D with a group for each channel keeps [spatial..., 1, out], a DepthwiseConv2D [spatial...,
 * channels, multiplier]: the same numbers in the same order. */
bool keras_fits(const Weight *weight, const Shape *has) {
    Shape shown = keras_shape(weight);
    if (shape_equal(&shown, has))
        return true;
    if (!keras_is_kernel(weight))
        return shown.rank == 1 && is_line_of(has, weight->elements);
    Shape plain = keras_kernel_shape(&weight->shape);
    return shape_equal(&plain, has);
}

/* ---- numbers -------------------------------------------------------------------------------- */

/* Where Keras has the element that is number `at` here. */
static int64_t flat_place(const KerasAxes *axes, int64_t at) {
    if (axes->kind != KERAS_FLAT)
        return at;
    int64_t channels = axes->image.dims[0];
    int64_t places = shape_elements(&axes->image) / channels;
    return at % places * channels + at / places;
}

/* here[a, b, s] = keras[s, b, a]: transposed convolutions swap their first two axes in both
 * orders, and [s, channels, multiplier] lies in memory as [s, 1, channels * multiplier] does. */
static void permute_kernel(const KerasAxes *axes, const Weight *weight, const float *data,
                           float *result) {
    const Shape *shape = &weight->shape;
    int64_t first = shape->dims[0];
    int64_t second = shape->dims[1];
    int64_t places = shape_elements(shape) / (first * second);
    for (int64_t b = 0; b < second; b++) {
        int64_t row = flat_place(axes, b);
        for (int64_t s = 0; s < places; s++)
            for (int64_t a = 0; a < first; a++)
                result[(a * second + b) * places + s] =
                    data[(s * second + row) * first + gate_place(weight, a)];
    }
}

/* A batch norm, say, behind a flatten. */
static bool is_one_an_element(const KerasAxes *input, const Weight *weight) {
    return input->kind == KERAS_FLAT && (weight->owner->layer->traits & LAYER_HAS_KERNEL) == 0 &&
           weight->elements == shape_elements(&input->image);
}

const float *keras_permute(Arena *arena, const KerasAxes *axes, const Weight *weight,
                           const float *data) {
    const KerasAxes *input = &axes[weight->owner->inputs[0]->id];
    bool kernel = keras_is_kernel(weight);
    if (is_recurrent_bias(weight))
        return recurrent_bias(arena, weight, data);
    if (!kernel && !is_one_an_element(input, weight))
        return data;
    float *result = ARENA_ARRAY(arena, (size_t)weight->elements, float);
    if (kernel)
        permute_kernel(input, weight, data, result);
    else
        for (int64_t i = 0; i < weight->elements; i++)
            result[i] = data[flat_place(input, i)];
    return result;
}

/* ---- the way through the network ------------------------------------------------------------ */

static bool axes_equal(const KerasAxes *a, const KerasAxes *b) {
    return a->kind == b->kind && (a->kind != KERAS_FLAT || shape_equal(&a->image, &b->image));
}

/* Whether all elements lie along one axis, so that no order of the axes moves them. */
static bool is_line(const Shape *shape) {
    int long_axes = 0;
    for (int i = 0; i < shape->rank; i++)
        long_axes += shape->dims[i] > 1;
    return long_axes <= 1;
}

/* What nothing more is known of than its rank. */
static KerasAxes axes_of_rank(int rank) {
    return (KerasAxes){.kind = rank < 2 ? KERAS_SAME : rank == 2 ? KERAS_EITHER : KERAS_IMAGE};
}

/* [1, spatial...]: a last axis of size 1 moves nothing. */
static bool has_one_channel(const Shape *shape) {
    return shape->rank > 1 && shape->dims[0] == 1;
}

static bool view_axes(const KerasAxes *from, const Shape *input, const Shape *output,
                      KerasAxes *result) {
    if (shape_equal(input, output)) {
        *result = *from;
        return true;
    }
    if (from->kind == KERAS_FLAT)
        return false;
    if (is_line(input)) {
        *result = axes_of_rank(output->rank);
        return is_line(output) || has_one_channel(output);
    }
    if (output->rank != 1 || from->kind == KERAS_EITHER)
        return false;
    *result = (KerasAxes){KERAS_SAME, {0}};
    if (from->kind == KERAS_IMAGE && !has_one_channel(input))
        *result = (KerasAxes){KERAS_FLAT, *input};
    return true;
}

/* An operand that every order fits: one number. */
static bool is_single(const Value *value) {
    return shape_elements(&value->type.shape) == 1;
}

/* Beside images, what has no order yet is an image, and a vector is one number a channel. */
static bool fits_images(const KerasAxes *axes, const Value *value) {
    return axes->kind != KERAS_FLAT && (axes->kind != KERAS_SAME || value->type.shape.rank == 1);
}

/* A layer that computes element by element. */
static bool elementwise_axes(const KerasAxes *axes, const Node *node, KerasAxes *result) {
    *result = axes_of_rank(node->outputs[0]->type.shape.rank);
    bool known = false;
    for (size_t i = 0; i < node->input_count; i++) {
        const KerasAxes *each = &axes[node->inputs[i]->id];
        if (is_single(node->inputs[i]) || (known && each->kind != KERAS_IMAGE))
            continue;
        *result = *each;
        known = true;
    }
    for (size_t i = 0; i < node->input_count; i++) {
        const Value *input = node->inputs[i];
        const KerasAxes *each = &axes[input->id];
        bool fits =
            result->kind == KERAS_IMAGE ? fits_images(each, input) : axes_equal(result, each);
        if (!fits && !is_single(input))
            return false;
    }
    bool product = node->layer->macs != NULL; /* matmul sums along an axis */
    return !product || result->kind == KERAS_SAME || result->kind == KERAS_EITHER;
}

/* Normalises each element or all of them by the same numbers; groups of neighbours are others in
 * Keras. */
static bool normalised_axes(const KerasAxes *from, const Node *node, KerasAxes *result) {
    *result = *from;
    if (from->kind == KERAS_FLAT)
        return (node->layer->traits & LAYER_CHANNEL_AFFINE) != 0;
    for (size_t i = 0; i < node->weights.count; i++)
        if (node->weights.data[i]->shape.rank > 1 && from->kind != KERAS_SAME)
            return false;
    return true;
}

/* Layers that move or join whole elements: of images where they keep them images. What has two axes
 * may be a sequence after they were exchanged, or the channels and places of one. */
static bool moved_axes(const KerasAxes *axes, const Node *node, KerasAxes *result) {
    const KerasAxes *from = &axes[node->inputs[0]->id];
    *result = *from;
    for (size_t i = 1; i < node->input_count; i++)
        if (!axes_equal(from, &axes[node->inputs[i]->id]))
            return false;
    bool moves_axes = (node->layer->traits & LAYER_MOVES_AXES) != 0;
    if (moves_axes && node->inputs[0]->type.shape.rank == 2) {
        result->kind = KERAS_EITHER;
        return true;
    }
    bool keeps_rank = node->inputs[0]->type.shape.rank == node->outputs[0]->type.shape.rank;
    bool keeps_axes = keeps_rank && !moves_axes;
    return from->kind == KERAS_SAME || (from->kind != KERAS_FLAT && keeps_axes);
}

static bool reduced_axes(const KerasAxes *from, const Node *node, KerasAxes *result) {
    const Shape *output = &node->outputs[0]->type.shape;
    *result = output->rank == 1 ? (KerasAxes){KERAS_SAME, {0}} : *from;
    bool keeps_rank = node->inputs[0]->type.shape.rank == output->rank;
    return from->kind != KERAS_FLAT &&
           (from->kind == KERAS_SAME || output->rank <= 1 || keeps_rank);
}

/* Keras keeps the weights of attention in other forms, and recurrent layers one by one. */
static bool has_keras_names(const Node *node) {
    for (size_t i = 0; i < node->weights.count; i++)
        if (keras_name(node->weights.data[i], 0) == NULL)
            return false;
    return true;
}

/* What the layer makes of its inputs' axes; false where that is not clear. */
static bool result_axes(const KerasAxes *axes, const Node *node, KerasAxes *result) {
    const KerasAxes *from = &axes[node->inputs[0]->id];
    const Shape *output = &node->outputs[0]->type.shape;
    if (node->layer->traits & LAYER_REORDERS_NOTHING)
        return view_axes(from, &node->inputs[0]->type.shape, output, result);
    *result = (KerasAxes){output->rank == 1 ? KERAS_SAME : KERAS_IMAGE, {0}};
    switch (node->layer->family) {
    case FAMILY_CONVOLUTION:
    case FAMILY_POOLING: return from->kind != KERAS_SAME;
    case FAMILY_DENSE:
        result->kind = from->kind == KERAS_EITHER ? KERAS_EITHER : KERAS_SAME;
        return from->kind != KERAS_IMAGE;
    case FAMILY_SEQUENCE:
        result->kind = KERAS_SAME;
        return has_keras_names(node) && (from->kind == KERAS_SAME || from->kind == KERAS_EITHER);
    case FAMILY_SHAPE: return moved_axes(axes, node, result);
    case FAMILY_REDUCTION: return reduced_axes(from, node, result);
    case FAMILY_NORMALISATION: return normalised_axes(from, node, result);
    case FAMILY_ACTIVATION:
    case FAMILY_MERGE:
    case FAMILY_TRAINING: return elementwise_axes(axes, node, result);
    }
    return false;
}

/* A shared weight can be put in one order only. */
static bool agrees_with_owner(const KerasAxes *axes, const Node *node) {
    return !node->shares ||
           axes_equal(&axes[node->inputs[0]->id], &axes[node->shares->inputs[0]->id]);
}

static void report_unclear(Diagnostics *diagnostics, const Graph *graph, const Node *node) {
    Diagnostic *d = diag_report(
        diagnostics, DIAG_E0411, node->span,
        "the weights of `%s` cannot be put in order: `%s` is not followed from Keras's order",
        graph->name, node->layer->name);
    bool weighs = node->weights.count > 0;
    diag_here(diagnostics, d,
              weighs ? "Keras keeps its weights, or what it reads, in another form"
                     : "Keras has these elements in another order");
    diag_label(diagnostics, d, graph->weights_span, "the file is in Keras's order");
    diag_help(diagnostics, d,
              "write the file in PyTorch's order, as `netc layers %s` shows it, and leave out "
              "`order=keras`",
              weighs ? node->layer->name : "dense");
}

const KerasAxes *keras_follow(Arena *arena, Diagnostics *diagnostics, const Graph *graph) {
    KerasAxes *axes = ARENA_ARRAY(arena, graph->values.count, KerasAxes);
    for (size_t i = 0; i < graph->inputs.count; i++) {
        const Value *input = graph->inputs.data[i];
        axes[input->id] = axes_of_rank(input->type.shape.rank);
    }
    bool good = true;
    for (size_t i = 0; i < graph->nodes.count; i++) {
        const Node *node = graph->nodes.data[i];
        KerasAxes result = {KERAS_SAME, {0}};
        if (!result_axes(axes, node, &result) || !agrees_with_owner(axes, node)) {
            report_unclear(diagnostics, graph, node);
            good = false;
            result = axes_of_rank(node->outputs[0]->type.shape.rank);
        }
        for (size_t k = 0; k < node->output_count; k++)
            axes[node->outputs[k]->id] = result;
    }
    return good ? axes : NULL;
}
