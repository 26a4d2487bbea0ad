/* The recurrence of lstm, gru and rnn: one time step after the other, each from the state before.
 *
 * What the inputs contribute to the gates of all times is there already, as a product of matrices;
 * here follows, for each time, the matrix-vector product with the state before and the gates' own
 * functions. A block of V units is worked on at a time, a vector of sums for each of its gates;
 * consecutive numbers of the state go to `unroll` independent chains of sums, which hide the
 * latency of the multiply-adds. The state before and the one in the making take turns in two
 * buffers. (Appleyard et al., Optimizing Performance of Recurrent Neural Networks on GPUs, 2016,
 * has the same separation of inputs and recurrence.) */
#include <assert.h>

#include "kernels/emitter.h"
#include "kernels/math.h"

#define MAX_GATES 4
#define MAX_SUMS  32

/* One direction in time. */
typedef struct Recurrence {
    const Emitter *emitter;
    int64_t hidden;
    int64_t padded; /* hidden rounded up to whole vectors */
    int direction;  /* 1: from the last time to the first */
    int gates, chains;
    IrValue weights; /* pointer to the direction's [padded / V][hidden][gates][V] */
    IrValue bias;    /* pointer to its [gates][padded], or NULL */
    int64_t states;  /* floats of the direction's states in scratch memory, the cell state last */
    IrValue cell;    /* pointer to the cell state */
    /* One time: */
    IrValue inputs; /* pointer to its [gates][hidden] */
    IrValue before; /* pointer to the state before */
    IrValue after;  /* pointer to the state in the making */
} Recurrence;

int recurrent_gates(RecurrentCell cell) {
    switch (cell) {
    case RECURRENT_LSTM: return 4;
    case RECURRENT_GRU: return 3;
    case RECURRENT_TANH:
    case RECURRENT_RELU: return 1;
    }
    assert(0 && "no such cell");
    return 1;
}

/* ---- sums ---------------------------------------------------------------------------------- */

/* `count` consecutive numbers of the state, one for each chain. */
static void turn_emit(const Recurrence *r, IrValue *sums, IrValue state, IrValue weights,
                      int count) {
    Ir *ir = r->emitter->ir;
    int lanes = r->emitter->lanes;
    for (int k = 0; k < count; k++) {
        IrValue number = ir_splat(ir, ir_load(ir, ir_at_const(ir, state, k), 1), lanes);
        for (int g = 0; g < r->gates; g++) {
            int64_t at = ((int64_t)k * r->gates + g) * lanes;
            IrValue weight = ir_load(ir, ir_at_const(ir, weights, at), lanes);
            IrValue *sum = &sums[k * r->gates + g];
            *sum = ir_fma(ir, weight, number, *sum);
        }
    }
}

/* The bias and the state's products for each gate of the units from `unit` on: sums[0] to
 * sums[gates - 1]. */
static void sums_emit(const Recurrence *r, IrValue unit, IrValue *sums) {
    Ir *ir = r->emitter->ir;
    int lanes = r->emitter->lanes, count = r->chains * r->gates;
    assert(count <= MAX_SUMS);
    for (int s = 0; s < count; s++)
        sums[s] = ir_f32_vector(ir, 0, lanes);
    for (int g = 0; r->bias && g < r->gates; g++)
        sums[g] = ir_load(ir, ir_at(ir, r->bias, ir_add_const(ir, unit, g * r->padded)), lanes);

    IrValue weights = ir_at(ir, r->weights, ir_mul_const(ir, unit, r->hidden * r->gates));
    int64_t whole = r->hidden / r->chains * r->chains, width = (int64_t)r->gates * lanes;
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, whole), r->chains, sums, count);
    turn_emit(r, sums, ir_at(ir, r->before, loop.index),
              ir_at(ir, weights, ir_mul_const(ir, loop.index, width)), r->chains);
    ir_loop_end(ir, &loop);
    turn_emit(r, sums, ir_at_const(ir, r->before, whole), ir_at_const(ir, weights, whole * width),
              (int)(r->hidden - whole));
    for (int half = r->chains / 2; half >= 1; half /= 2)
        for (int s = 0; s < half * r->gates; s++)
            sums[s] = ir_fadd(ir, sums[s], sums[half * r->gates + s]);
}

/* ---- cells --------------------------------------------------------------------------------- */

/* What the input contributes to gate `gate` of the units from `unit` on. */
static IrValue input_load(const Recurrence *r, IrValue unit, int gate, int count) {
    Ir *ir = r->emitter->ir;
    IrValue at = ir_add_const(ir, unit, gate * r->hidden);
    return ir_load_part(ir, ir_at(ir, r->inputs, at), r->emitter->lanes, count);
}

/* c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c') */
static IrValue lstm_emit(const Recurrence *r, IrValue unit, const IrValue gate[MAX_GATES]) {
    Ir *ir = r->emitter->ir;
    int lanes = r->emitter->lanes;
    IrValue cell = ir_at(ir, r->cell, unit);
    IrValue kept = ir_fmul(ir, math_sigmoid(ir, gate[1], lanes), ir_load(ir, cell, lanes));
    IrValue let_in = math_sigmoid(ir, gate[0], lanes);
    IrValue next = ir_fma(ir, let_in, math_tanh(ir, gate[2], lanes), kept);
    ir_store(ir, cell, next, lanes);
    return ir_fmul(ir, math_sigmoid(ir, gate[3], lanes), math_tanh(ir, next, lanes));
}

/* r = sigmoid(x_r + s_r), z = sigmoid(x_z + s_z), n = tanh(x_n + r s_n), h' = (1 - z) n + z h */
static IrValue gru_emit(const Recurrence *r, IrValue unit, const IrValue input[MAX_GATES],
                        const IrValue state[MAX_GATES]) {
    Ir *ir = r->emitter->ir;
    int lanes = r->emitter->lanes;
    IrValue reset = math_sigmoid(ir, ir_fadd(ir, input[0], state[0]), lanes);
    IrValue update = math_sigmoid(ir, ir_fadd(ir, input[1], state[1]), lanes);
    IrValue fresh = math_tanh(ir, ir_fma(ir, reset, state[2], input[2]), lanes);
    IrValue left = ir_fsub(ir, ir_f32_vector(ir, 1, lanes), update);
    IrValue before = ir_load(ir, ir_at(ir, r->before, unit), lanes);
    return ir_fma(ir, update, before, ir_fmul(ir, left, fresh));
}

/* The new state of the `count` units from `unit` on. */
static IrValue cell_emit(const Recurrence *r, IrValue unit, int count) {
    Ir *ir = r->emitter->ir;
    int lanes = r->emitter->lanes;
    IrValue sums[MAX_SUMS], input[MAX_GATES], gate[MAX_GATES];
    sums_emit(r, unit, sums);
    for (int g = 0; g < r->gates; g++) {
        input[g] = input_load(r, unit, g, count);
        gate[g] = ir_fadd(ir, input[g], sums[g]);
    }
    switch (r->emitter->step->recurrent.cell) {
    case RECURRENT_LSTM: return lstm_emit(r, unit, gate);
    case RECURRENT_GRU: return gru_emit(r, unit, input, sums);
    case RECURRENT_TANH: return math_tanh(ir, gate[0], lanes);
    case RECURRENT_RELU: {
        IrValue zero = ir_f32_vector(ir, 0, lanes);
        return ir_select(ir, ir_fcompare(ir, IR_LESS, gate[0], zero), zero, gate[0]);
    }
    }
    assert(0 && "no such cell");
    return NULL;
}

/* ---- time ---------------------------------------------------------------------------------- */

/* What is done with the units of a block. */
typedef void (*BlockEmitter)(const Recurrence *r, IrValue unit, int count, IrValue output);

/* Calls `block` for all units, in whole vectors and what is left. */
static void blocks_emit(const Recurrence *r, BlockEmitter block, IrValue output) {
    Ir *ir = r->emitter->ir;
    int lanes = r->emitter->lanes;
    int64_t whole = r->hidden / lanes * lanes;
    if (whole > 0) {
        IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, whole), lanes, NULL, 0);
        block(r, loop.index, lanes, output);
        ir_loop_end(ir, &loop);
    }
    if (whole < r->hidden)
        block(r, ir_i64(ir, whole), (int)(r->hidden - whole), output);
}

/* A BlockEmitter: the new state, also to the output if there is one. */
static void state_emit(const Recurrence *r, IrValue unit, int count, IrValue output) {
    Ir *ir = r->emitter->ir;
    IrValue state = cell_emit(r, unit, count);
    ir_store(ir, ir_at(ir, r->after, unit), state, r->emitter->lanes);
    if (output)
        ir_store_part(ir, ir_at(ir, output, unit), state, r->emitter->lanes, count);
}

/* A BlockEmitter: the last state to the output. */
static void last_emit(const Recurrence *r, IrValue unit, int count, IrValue output) {
    Ir *ir = r->emitter->ir;
    int lanes = r->emitter->lanes;
    IrValue state = ir_load_part(ir, ir_at(ir, r->before, unit), lanes, count);
    ir_store_part(ir, ir_at(ir, output, unit), state, lanes, count);
}

/* All times. The states begin as zeros, and state number t is in buffer t % 2 of `scratch`. */
static void times_emit(Recurrence *r, IrValue scratch, IrValue output) {
    const Step *step = r->emitter->step;
    Ir *ir = r->emitter->ir;
    int64_t times = step->recurrent.times;
    int64_t row = r->hidden * step->recurrent.directions; /* of the output */
    IrValue inputs = emitter_input(r->emitter, r->direction);
    ir_fill_zero(ir, scratch, ir_i64(ir, r->states));
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, times), 1, NULL, 0);
    IrValue time = loop.index;
    if (r->direction == 1)
        time = ir_sub(ir, ir_i64(ir, times - 1), loop.index);
    IrValue odd = ir_mul_const(ir, ir_rem_const(ir, loop.index, 2), r->padded);
    r->before = ir_at(ir, scratch, odd);
    r->after = ir_at(ir, scratch, ir_sub(ir, ir_i64(ir, r->padded), odd));
    r->inputs = ir_at(ir, inputs, ir_mul_const(ir, time, r->hidden * r->gates));
    blocks_emit(r, state_emit,
                step->recurrent.sequence ? ir_at(ir, output, ir_mul_const(ir, time, row)) : NULL);
    ir_loop_end(ir, &loop);
    r->before = ir_at_const(ir, scratch, times % 2 * r->padded);
    if (!step->recurrent.sequence)
        blocks_emit(r, last_emit, output);
}

static void direction_emit(Recurrence *r) {
    const Emitter *emitter = r->emitter;
    Ir *ir = emitter->ir;
    int64_t weights = r->padded * r->hidden * r->gates, biases = r->gates * r->padded;
    IrValue scratch = ir_at_const(ir, emitter_scratch(emitter), r->direction * r->states);
    r->cell = ir_at_const(ir, scratch, 2 * r->padded);
    r->weights = ir_at_const(ir, emitter_weights(emitter), r->direction * weights);
    r->bias = emitter_bias(emitter);
    if (r->bias)
        r->bias = ir_at_const(ir, r->bias, r->direction * biases);
    times_emit(r, scratch, ir_at_const(ir, emitter_output(emitter), r->direction * r->hidden));
}

/* Parts, if there are any, are the directions. */
void recurrent_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    int64_t hidden = step->recurrent.hidden;
    Recurrence r = {.emitter = emitter,
                    .hidden = hidden,
                    .padded = divide_up(hidden, emitter->lanes) * emitter->lanes,
                    .gates = recurrent_gates(step->recurrent.cell),
                    .states = step->scratch_floats / step->recurrent.directions,
                    .chains = step->tile.unroll};
    bool shared = step->parts > 1;
    assert(!shared || step->parts == step->recurrent.directions);
    for (r.direction = 0; r.direction < step->recurrent.directions; r.direction++) {
        IrIf own = {0};
        if (shared)
            own = ir_if_begin(ir, ir_equal(ir, emitter->part, ir_i64(ir, r.direction)));
        direction_emit(&r);
        if (shared)
            ir_if_end(ir, &own);
    }
}
