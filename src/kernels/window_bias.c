/* What attention within windows adds to its scores: numbers by relative position, and the mask of
 * shifted windows.
 *
 * The table is packed with its last row first, so that of one query the numbers of neighbouring
 * keys in a row of the window stand beside each other: with the keys' (k, l), the query's (i, j)
 * and windows of M x N, at
 *     head * (2 M - 1) * (2 N - 1) + (M - 1 - i + k) * (2 N - 1) + N - 1 - j + l. */
#include "kernels/epilogue.h"

/* Loops over all heads of all windows, their queries, and the rows of the keys. */
typedef struct Queries {
    const Emitter *emitter;
    const WindowGrid *grid;
    IrValue window[2]; /* i64, where the loops stand: the window, */
    IrValue query[2];  /* the query and */
    IrValue key_row;   /* the row of the keys */
} Queries;

/* i1: whether of two places of the last window along an axis the first one is from the axis's end
 * and the second from its beginning. */
static IrValue is_end_and_beginning(const Queries *at, int axis, IrValue end, IrValue beginning) {
    Ir *ir = at->emitter->ir;
    int64_t turn = at->grid->places[axis] - at->grid->shift[axis];
    return ir_iand(ir, ir_less(ir, end, ir_i64(ir, turn)),
                   ir_less(ir, ir_i64(ir, turn - 1), beginning));
}

/* i1: whether the window is the last along an axis. */
static IrValue window_is_last(const Queries *at, int axis) {
    Ir *ir = at->emitter->ir;
    return ir_less(ir, ir_i64(ir, at->grid->windows[axis] - 2), at->window[axis]);
}

/* i1: whether the query and a key at `key` along the axis are apart; NULL: they never are. */
static IrValue are_apart(const Queries *at, int axis, IrValue key) {
    if (at->grid->shift[axis] == 0)
        return NULL;
    Ir *ir = at->emitter->ir;
    IrValue apart = ir_ior(ir, is_end_and_beginning(at, axis, at->query[axis], key),
                           is_end_and_beginning(at, axis, key, at->query[axis]));
    return ir_iand(ir, window_is_last(at, axis), apart);
}

/* The mask between the query and keys from `column` on that are all of one end; NULL: none. */
static IrValue mask_emit(const Queries *at, int64_t column) {
    Ir *ir = at->emitter->ir;
    IrValue down = are_apart(at, 0, at->key_row), across = are_apart(at, 1, ir_i64(ir, column));
    if (!down && !across)
        return NULL;
    IrValue apart = !down ? across : !across ? down : ir_ior(ir, down, across);
    return ir_select(ir, apart, ir_f32(ir, WINDOW_MASK), ir_f32(ir, 0));
}

/* Keys `begin` to before `end` of a row, whose first one reads the float at `numbers` and is float
 * number `first` of the output: whole vectors of ever fewer lanes, since what a vector of which
 * some lanes count is stored to, it seems to processors, the next one is read from, and waits for.
 */
static void keys_emit(const Queries *at, int64_t begin, int64_t end, IrValue numbers,
                      IrValue first) {
    Ir *ir = at->emitter->ir;
    IrValue mask = begin < end ? mask_emit(at, begin) : NULL;
    Emitter piece = *at->emitter;
    for (int64_t column = begin; column < end; column += piece.lanes) {
        while (piece.lanes > end - column)
            piece.lanes /= 2;
        IrValue value = ir_load(ir, ir_at_const(ir, numbers, column), piece.lanes);
        if (mask)
            value = ir_fadd(ir, value, ir_splat(ir, mask, piece.lanes));
        Spot spot = spot_in_order(&piece, ir_add_const(ir, first, column));
        spot_finish(&piece, &spot, value, piece.lanes);
    }
}

/* All keys of one query; `numbers` are the head's, `first` the float of the output of key 0. */
static void query_emit(Queries *at, IrValue numbers, IrValue first) {
    Ir *ir = at->emitter->ir;
    const WindowGrid *grid = at->grid;
    int64_t rows = grid->places[0], columns = grid->places[1], width = 2 * columns - 1;
    IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, rows), 1, NULL, 0);
    at->key_row = loop.index;
    IrValue row = ir_sub(ir, ir_add_const(ir, loop.index, rows - 1), at->query[0]);
    IrValue start =
        ir_add(ir, ir_mul_const(ir, row, width), ir_sub(ir, ir_i64(ir, columns - 1), at->query[1]));
    IrValue from = ir_at(ir, numbers, start);
    IrValue to = ir_add(ir, first, ir_mul_const(ir, loop.index, columns));
    int64_t turn = columns - grid->shift[1];
    keys_emit(at, 0, turn, from, to);
    keys_emit(at, turn, columns, from, to);
    ir_loop_end(ir, &loop);
}

/* All queries of the windows that `at` stands in. `head` is the number of the head, and `turn` that
 * of window and head among all of them. */
static void head_emit(Queries *at, IrValue head, IrValue turn) {
    Ir *ir = at->emitter->ir;
    const int64_t *places = at->grid->places;
    int64_t positions = (2 * places[0] - 1) * (2 * places[1] - 1), keys = places[0] * places[1];
    IrValue numbers = ir_at(ir, emitter_weights(at->emitter), ir_mul_const(ir, head, positions));
    IrLoop queries = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, keys), 1, NULL, 0);
    at->query[0] = ir_div_const(ir, queries.index, places[1]);
    at->query[1] = ir_rem_const(ir, queries.index, places[1]);
    IrValue number = ir_add(ir, ir_mul_const(ir, turn, keys), queries.index);
    query_emit(at, numbers, ir_mul_const(ir, number, keys));
    ir_loop_end(ir, &queries);
}

/* A turn is a head of a window; threads share them. */
void window_bias_emit(const Emitter *emitter) {
    Ir *ir = emitter->ir;
    const WindowGrid *grid = &emitter->step->window_bias.grid;
    Queries at = {.emitter = emitter, .grid = grid};
    Portion turns = portion_of(emitter, grid->windows[0] * grid->windows[1] * grid->heads);
    IrLoop loop = ir_loop_begin(ir, turns.begin, turns.end, 1, NULL, 0);
    IrValue window = ir_div_const(ir, loop.index, grid->heads);
    at.window[0] = ir_div_const(ir, window, grid->windows[1]);
    at.window[1] = ir_rem_const(ir, window, grid->windows[1]);
    head_emit(&at, ir_rem_const(ir, loop.index, grid->heads), loop.index);
    ir_loop_end(ir, &loop);
}
