/* lstm (Hochreiter, Schmidhuber 1997), gru (Cho et al. 2014) and rnn (Elman 1990): a state that
 * each row of a sequence changes in turn. States begin as zeros. Names of weights and the order of
 * gates are PyTorch's; weights of layer k end in _lk, those of the direction back in time in
 * _reverse.
 *
 * With x the row and h, c the state before, U = weight_ih, W = weight_hh and all biases in place:
 *   lstm  i, f, o = sigmoid(U x + W h), g = tanh(U x + W h), c' = f c + i g, h' = o tanh(c')
 *   gru   r, z = sigmoid(U x + W h), n = tanh(U x + r (W h)), h' = (1 - z) n + z h
 *   rnn   h' = tanh(U x + W h), or relu */
#include <math.h>

#include "kernels/kernel.h"
#include "layers/evaluate.h"
#include "layers/layer.h"

extern const LayerInfo layer_lstm, layer_gru;

enum RecurrentAttribute {
    ARGUMENT_HIDDEN,
    ARGUMENT_LAYERS,
    ARGUMENT_BIDIRECTIONAL,
    ARGUMENT_SEQUENCE,
    ARGUMENT_BIAS,
    GATED_ATTRIBUTES,
    ARGUMENT_ACTIVATION = GATED_ATTRIBUTES, /* rnn only */
    RNN_ATTRIBUTES,
};

/* What a node's arguments say. */
typedef struct Recurrent {
    RecurrentCell cell;
    int64_t gates;
    int64_t times;
    int64_t hidden;
    int64_t layers;
    int directions;
    bool sequence;
    bool bias;
} Recurrent;

static RecurrentCell cell_of(const Node *node) {
    if (node->layer == &layer_lstm)
        return RECURRENT_LSTM;
    if (node->layer == &layer_gru)
        return RECURRENT_GRU;
    return node->attributes[ARGUMENT_ACTIVATION].integer == 0 ? RECURRENT_TANH : RECURRENT_RELU;
}

static Recurrent recurrent_of(const Node *node) {
    const Attribute *attributes = node->attributes;
    RecurrentCell cell = cell_of(node);
    return (Recurrent){.cell = cell,
                       .gates = recurrent_gates(cell),
                       .times = node->inputs[0]->type.shape.dims[0],
                       .hidden = attributes[ARGUMENT_HIDDEN].integer,
                       .layers = attributes[ARGUMENT_LAYERS].integer,
                       .directions = attributes[ARGUMENT_BIDIRECTIONAL].boolean ? 2 : 1,
                       .sequence = attributes[ARGUMENT_SEQUENCE].boolean,
                       .bias = attributes[ARGUMENT_BIAS].boolean};
}

/* The weights of one layer and direction. */
typedef struct DirectionWeights {
    const Weight *input; /* [gates * hidden, inputs] */
    const Weight *state; /* [gates * hidden, hidden] */
    const Weight *input_bias;
    const Weight *state_bias;
} DirectionWeights;

static DirectionWeights weights_of(const Node *node, int64_t layer, int direction) {
    Recurrent r = recurrent_of(node);
    int64_t each = r.bias ? 4 : 2;
    Weight *const *weights = node->weights.data + (layer * r.directions + direction) * each;
    return (DirectionWeights){weights[0], weights[1], r.bias ? weights[2] : NULL,
                              r.bias ? weights[3] : NULL};
}

/* ---- shapes, weights, counts -------------------------------------------------------------- */

/* He's variance 2 / fan_in is then the 1 / (3 hidden) of PyTorch's uniform weights. */
#define FAN_IN_OF_UNIFORM 6

static bool infer_direction(Inference *inference, const Recurrent *r, int64_t layer, int direction,
                            int64_t inputs) {
    static const char *const kinds[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
    int64_t rows = r->gates * r->hidden, fan_in = r->hidden * FAN_IN_OF_UNIFORM;
    const Shape shapes[] = {shape_make(2, rows, inputs), shape_make(2, rows, r->hidden),
                            shape_make(1, rows), shape_make(1, rows)};
    for (int i = 0; i < (r->bias ? 4 : 2); i++) {
        const char *name = arena_format(inference->arena, "%s_l%lld%s", kinds[i], (long long)layer,
                                        direction == 1 ? "_reverse" : "");
        if (infer_weight(inference, name, shapes[i], i < 2 ? WEIGHT_KERNEL : WEIGHT_BIAS, fan_in,
                         true) == NULL)
            return false;
    }
    return true;
}

/* What the inputs contribute to the gates is a value between steps. */
static bool check_gates(Inference *inference, const Recurrent *r) {
    int64_t most =
        r->gates > r->directions ? r->gates : r->directions; /* rnn: states may be more */
    Shape gates = shape_make(2, r->times, most * r->hidden);
    if (shape_is_valid(&gates))
        return true;
    infer_error(inference, DIAG_E0802, -1, "the gates of `%s` would be %s, which is too large",
                inference->node->layer->name, infer_shape_text(inference, &gates));
    return false;
}

static bool recurrent_infer(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    if (input->rank != 2) {
        infer_error(inference, DIAG_E0212, -1, "`%s` takes a sequence [T, D], got %s",
                    inference->node->layer->name, infer_shape_text(inference, input));
        return false;
    }
    Recurrent r = recurrent_of(inference->node);
    int64_t width = r.directions * r.hidden;
    Shape result = r.sequence ? shape_make(2, r.times, width) : shape_make(1, width);
    if (!infer_result(inference, result) || !check_gates(inference, &r))
        return false;
    for (int64_t layer = 0; layer < r.layers; layer++)
        for (int d = 0; d < r.directions; d++)
            if (!infer_direction(inference, &r, layer, d, layer == 0 ? input->dims[1] : width))
                return false;
    return true;
}

static void recurrent_macs(const Node *node, Factors *factors) {
    Recurrent r = recurrent_of(node);
    int64_t inputs = node->inputs[0]->type.shape.dims[1];
    for (int deep = 0; deep <= (r.layers > 1); deep++) {
        if (deep)
            factors_next(factors);
        factors_add(factors, r.times);
        factors_add(factors, (deep ? r.layers - 1 : 1) * r.directions);
        factors_add(factors, r.gates * r.hidden);
        factors_add(factors, (deep ? r.directions * r.hidden : inputs) + r.hidden);
    }
}

/* Of one unit, once: functions, and arithmetic that is no multiply-accumulate. */
static int64_t unit_operations(const Recurrent *r) {
    int64_t biases = r->bias ? 2 * r->gates : 0;
    switch (r->cell) {
    case RECURRENT_LSTM: return biases + 5 + 4;
    case RECURRENT_GRU: return biases + 3 + 6;
    case RECURRENT_TANH:
    case RECURRENT_RELU: break;
    }
    return biases + 1;
}

static void recurrent_operations(const Node *node, Factors *factors) {
    Recurrent r = recurrent_of(node);
    factors_add(factors, r.times);
    factors_add(factors, r.layers * r.directions);
    factors_add(factors, r.hidden);
    factors_add(factors, unit_operations(&r));
}

/* ---- reference ---------------------------------------------------------------------------- */

/* Adds weight * x + bias for row `row`. */
static void add_row(RealSum *sum, const Weight *weight, const Weight *bias, int64_t row,
                    const Real *x) {
    int64_t inputs = weight->shape.dims[1];
    for (int64_t i = 0; i < inputs; i++)
        real_sum_product(sum, weight->data[row * inputs + i], x[i]);
    if (bias != NULL)
        real_sum_product(sum, 1, (Real){.value = bias->data[row]});
}

/* U x + W h of a row, collected as two sums or as one. */
static Real whole_row(const DirectionWeights *w, int64_t row, const Real *x, const Real *h) {
    RealSum sum = {0};
    add_row(&sum, w->input, w->input_bias, row, x);
    add_row(&sum, w->state, w->state_bias, row, h);
    return real_sum_finish(&sum, 2);
}

/* a b + c d */
static Real mixed(Real a, Real b, Real c, Real d) {
    RealSum sum = {0};
    real_sum_pair(&sum, a, b);
    real_sum_pair(&sum, c, d);
    return real_sum_finish(&sum, 0);
}

/* A number whose f32 evaluation is between -limit and limit, too, but for the last places of the
 * functions in it: bounds of errors that grow from time to time end there. */
static Real limited(Real x, double limit) {
    double most = fabs(x.value) + limit * (1 + 16 * UNIT_ROUNDOFF * FUNCTION_ULPS);
    if (x.error < INFINITY && x.error > most)
        x.error = most;
    return x;
}

static Real lstm_unit(const DirectionWeights *w, int64_t hidden, int64_t unit, const Real *x,
                      const Real *h, Real *cell, double limit) {
    Real in = real_sigmoid(whole_row(w, unit, x, h));
    Real forget = real_sigmoid(whole_row(w, hidden + unit, x, h));
    Real fresh = real_tanh(whole_row(w, 2 * hidden + unit, x, h));
    Real out = real_sigmoid(whole_row(w, 3 * hidden + unit, x, h));
    *cell = limited(mixed(forget, *cell, in, fresh), limit);
    RealSum sum = {0};
    real_sum_pair(&sum, out, real_tanh(*cell));
    return limited(real_sum_finish(&sum, 0), 1);
}

static Real gru_unit(const DirectionWeights *w, int64_t hidden, int64_t unit, const Real *x,
                     const Real *h) {
    const Real one = {.value = 1};
    Real reset = real_sigmoid(whole_row(w, unit, x, h));
    Real update = real_sigmoid(whole_row(w, hidden + unit, x, h));
    RealSum input = {0}, state = {0}, left = {0};
    add_row(&input, w->input, w->input_bias, 2 * hidden + unit, x);
    add_row(&state, w->state, w->state_bias, 2 * hidden + unit, h);
    Real fresh =
        real_tanh(mixed(reset, real_sum_finish(&state, 1), one, real_sum_finish(&input, 1)));
    real_sum_product(&left, 1, one);
    real_sum_product(&left, -1, update);
    return limited(mixed(real_sum_finish(&left, 0), fresh, update, h[unit]), 1);
}

static Real relu(Real x) {
    bool off = x.value + x.error <= 0; /* whatever the error was */
    return (Real){x.value < 0 ? 0 : x.value, off ? 0 : x.error};
}

/* The state of a unit at time number `step` of its direction, from 0. */
static Real next_state(const Recurrent *r, const DirectionWeights *w, int64_t unit, int64_t step,
                       const Real *x, const Real *h, Real *cell) {
    switch (r->cell) {
    case RECURRENT_LSTM: return lstm_unit(w, r->hidden, unit, x, h, cell, (double)step + 1);
    case RECURRENT_GRU: return gru_unit(w, r->hidden, unit, x, h);
    case RECURRENT_TANH: return limited(real_tanh(whole_row(w, unit, x, h)), 1);
    case RECURRENT_RELU: break;
    }
    return relu(whole_row(w, unit, x, h));
}

/* Writes each time's state to its row of `output`, `row` numbers apart. */
static void run_direction(Arena *arena, const Recurrent *r, const DirectionWeights *w, bool back,
                          const Real *input, Real *output, int64_t row) {
    int64_t inputs = w->input->shape.dims[1];
    Real *cell = ARENA_ARRAY(arena, (size_t)r->hidden, Real);
    const Real *before = ARENA_ARRAY(arena, (size_t)r->hidden, Real);
    for (int64_t step = 0; step < r->times; step++) {
        int64_t time = back ? r->times - 1 - step : step;
        Real *state = output + time * row;
        for (int64_t unit = 0; unit < r->hidden; unit++)
            state[unit] = next_state(r, w, unit, step, input + time * inputs, before, &cell[unit]);
        before = state;
    }
}

static void recurrent_evaluate(Evaluation *evaluation) {
    const Node *node = evaluation->node;
    Recurrent r = recurrent_of(node);
    Arena arena = {0};
    int64_t row = r.directions * r.hidden;
    const Real *input = evaluation->inputs[0];
    for (int64_t layer = 0; layer < r.layers; layer++) {
        Real *output = ARENA_ARRAY(&arena, (size_t)(r.times * row), Real);
        for (int d = 0; d < r.directions; d++) {
            DirectionWeights w = weights_of(node, layer, d);
            run_direction(&arena, &r, &w, d == 1, input, output + d * r.hidden, row);
        }
        input = output;
    }
    int64_t count = r.sequence ? r.times * row : row;
    for (int64_t i = 0; i < count; i++) {
        bool last = !r.sequence && i < r.hidden; /* the last time of the direction forward */
        evaluation->output[i] = input[last ? (r.times - 1) * row + i : i];
    }
    arena_free(&arena);
}

/* ---- lowering ----------------------------------------------------------------------------- */

/* U x of all times. */
static Value *lower_inputs(Lowering *lowering, const Node *node, const Recurrent *r, int64_t layer,
                           int direction, Value *input) {
    DirectionWeights w = weights_of(node, layer, direction);
    int64_t inputs = w.input->shape.dims[1], rows = w.input->shape.dims[0];
    const char *part = arena_format(lowering->plan->arena, "l%lld.gates%s", (long long)layer,
                                    direction == 1 ? "_reverse" : "");
    Value *gates = kernel_value(lowering, node, part, shape_make(2, r->times, rows));
    Product product = {.batches = 1,
                       .rows = r->times,
                       .depth = inputs,
                       .columns = rows,
                       .left = {.row_stride = inputs},
                       .result = {.row_stride = rows}};
    kernel_gemm_weight(lowering, node, &product, input, w.input, w.input_bias, 0, gates);
    return gates;
}

static void recurrent_lower(Lowering *lowering, const Node *node) {
    Recurrent r = recurrent_of(node);
    Value *input = node->inputs[0];
    for (int64_t layer = 0; layer < r.layers; layer++) {
        Value *gates[2] = {NULL, NULL}, *result = node->outputs[0];
        const Weight *weights[2] = {NULL, NULL}, *biases[2] = {NULL, NULL};
        for (int d = 0; d < r.directions; d++) {
            DirectionWeights w = weights_of(node, layer, d);
            gates[d] = lower_inputs(lowering, node, &r, layer, d, input);
            weights[d] = w.state;
            biases[d] = w.state_bias;
        }
        if (layer < r.layers - 1)
            result = kernel_value(lowering, node,
                                  arena_format(lowering->plan->arena, "l%lld", (long long)layer),
                                  shape_make(2, r.times, r.directions * r.hidden));
        kernel_recurrent(lowering, node, r.cell, r.directions, gates, weights, biases, result);
        input = result;
    }
}

/* ---- the layers --------------------------------------------------------------------------- */

#define MOST_LAYERS 64

#define GATED_ARGUMENTS                                                                            \
    [ARGUMENT_HIDDEN] = {"hidden", ATTRIBUTE_INTEGER, NULL, 1, INT32_MAX, "units of the state"},   \
    [ARGUMENT_LAYERS] = {"layers",    ATTRIBUTE_INTEGER,                                           \
                         "1",         1,                                                           \
                         MOST_LAYERS, "each but the first on the states of the one before"},       \
    [ARGUMENT_BIDIRECTIONAL] = {"bidirectional",                                                   \
                                ATTRIBUTE_BOOLEAN,                                                 \
                                "off",                                                             \
                                0,                                                                 \
                                0,                                                                 \
                                "also from the last row to the first; states side by side"},       \
    [ARGUMENT_SEQUENCE] = {"sequence",                                                             \
                           ATTRIBUTE_BOOLEAN,                                                      \
                           "on",                                                                   \
                           0,                                                                      \
                           0,                                                                      \
                           "on: the states of all rows; off: the last of each direction"},         \
    [ARGUMENT_BIAS] = {"bias", ATTRIBUTE_BOOLEAN,                                                  \
                       "on",   0,                                                                  \
                       0,      "add a number per gate, once for inputs and once for the state"}

#define RECURRENT_SHAPE_DOC                                                                        \
    "[T, D] -> [T, directions * hidden]; with sequence=off [directions * hidden]"
#define RECURRENT_WEIGHTS_DOC(rows)                                                                \
    "weight_ih_l0 [" rows ", D], weight_hh_l0 [" rows                                              \
    ", hidden], bias_ih_l0 and bias_hh_l0 [" rows                                                  \
    "]; of further layers _l1 on, with directions * hidden for D; of the direction back in time "  \
    "_l0_reverse"
#define RECURRENT_MACS_DOC(gates)                                                                  \
    "T * directions * (" gates "hidden) * (D + hidden); of further layers with directions * "      \
    "hidden for D"

const LayerInfo layer_lstm = {
    .name = "lstm",
    .summary = "long short-term memory: a state that each row of a sequence changes in turn",
    .family = FAMILY_SEQUENCE,
    .traits = LAYER_HAS_KERNEL | LAYER_IS_RECURRENT,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = GATED_ATTRIBUTES,
    .attributes = {GATED_ARGUMENTS},
    .shape_doc = RECURRENT_SHAPE_DOC,
    .weights_doc = RECURRENT_WEIGHTS_DOC("4 * hidden"),
    .macs_doc = RECURRENT_MACS_DOC("4 * "),
    .operations_doc = "17 for each unit, row, direction and layer: 8 biases, 5 functions, 4 "
                      "products and sums; 9 with bias=off",
    .example = "network example(text: [40, 64]) -> [5] {\n"
               "    return text -> lstm(128, sequence=off) -> dense(5)\n"
               "}\n",
    .infer = recurrent_infer,
    .macs = recurrent_macs,
    .operations = recurrent_operations,
    .footprint = footprint_everything,
    .evaluate = recurrent_evaluate,
    .lower = recurrent_lower,
};

const LayerInfo layer_gru = {
    .name = "gru",
    .summary = "gated recurrent unit, its reset gate applied after the product as in PyTorch",
    .family = FAMILY_SEQUENCE,
    .traits = LAYER_HAS_KERNEL | LAYER_IS_RECURRENT,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = GATED_ATTRIBUTES,
    .attributes = {GATED_ARGUMENTS},
    .shape_doc = RECURRENT_SHAPE_DOC,
    .weights_doc = RECURRENT_WEIGHTS_DOC("3 * hidden"),
    .macs_doc = RECURRENT_MACS_DOC("3 * "),
    .operations_doc = "15 for each unit, row, direction and layer: 6 biases, 3 functions, 6 "
                      "products, sums and differences; 9 with bias=off",
    .example = "network example(text: [40, 64]) -> [5] {\n"
               "    return text -> gru(64, bidirectional=on, sequence=off) -> dense(5)\n"
               "}\n",
    .infer = recurrent_infer,
    .macs = recurrent_macs,
    .operations = recurrent_operations,
    .footprint = footprint_everything,
    .evaluate = recurrent_evaluate,
    .lower = recurrent_lower,
};

const LayerInfo layer_rnn = {
    .name = "rnn",
    .summary = "plain recurrent layer: tanh or relu of row and state",
    .family = FAMILY_SEQUENCE,
    .traits = LAYER_HAS_KERNEL | LAYER_IS_RECURRENT,
    .min_inputs = 1,
    .max_inputs = 1,
    .attribute_count = RNN_ATTRIBUTES,
    .attributes = {GATED_ARGUMENTS, [ARGUMENT_ACTIVATION] = {"activation", ATTRIBUTE_WORD,
                                                             "tanh|relu", 0, 0,
                                                             "function of each unit"}},
    .shape_doc = RECURRENT_SHAPE_DOC,
    .weights_doc = RECURRENT_WEIGHTS_DOC("hidden"),
    .macs_doc = RECURRENT_MACS_DOC(""),
    .operations_doc =
        "3 for each unit, row, direction and layer: 2 biases and the function; 1 with "
        "bias=off",
    .example = "network example(text: [40, 64]) -> [40, 32] {\n"
               "    return text -> rnn(32)\n"
               "}\n",
    .infer = recurrent_infer,
    .macs = recurrent_macs,
    .operations = recurrent_operations,
    .footprint = footprint_everything,
    .evaluate = recurrent_evaluate,
    .lower = recurrent_lower,
};
