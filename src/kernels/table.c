/* Rows of a table: those that the elements of input 0 number, or the first ones in turn.
 *
 * A number is rounded towards zero. One that is then no row of the table (negative, too large, NaN)
 * reads row 0 and gives NaN throughout: nothing outside the table is ever read. */
#include <math.h>

#include "kernels/epilogue.h"

/* Where a row of the result comes from. */
typedef struct TableRow {
    IrValue source; /* pointer to the row of the table */
    IrValue exists; /* i1; NULL: it does */
    IrValue first;  /* i64, element of the output where the row begins */
} TableRow;

static TableRow row_find(const Emitter *emitter, IrValue place) {
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    IrValue table = emitter_weights(emitter);
    TableRow row = {.first = ir_mul_const(ir, place, step->table.width)};
    IrValue index = place;
    if (step->table.numbered) {
        IrValue number = ir_load(ir, ir_at(ir, emitter_input(emitter, 0), place), 1);
        IrValue above = ir_fcompare(ir, IR_GREATER, number, ir_f32(ir, -1));
        IrValue below = ir_fcompare(ir, IR_LESS, number, ir_f32(ir, (double)step->table.rows));
        row.exists = ir_iand(ir, above, below);
        index = ir_f32_to_i64(ir, ir_select(ir, row.exists, number, ir_f32(ir, 0)));
    }
    row.source = ir_at(ir, table, ir_mul_const(ir, index, step->table.width));
    return row;
}

/* `count` elements from `column` on. */
static void vector_emit(const Emitter *emitter, const TableRow *row, IrValue column, int count) {
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    IrValue value = ir_load_part(ir, ir_at(ir, row->source, column), lanes, count);
    if (row->exists)
        value = ir_select(ir, row->exists, value, ir_f32_vector(ir, NAN, lanes));
    Spot spot = spot_in_order(emitter, ir_add(ir, row->first, column));
    spot_finish(emitter, &spot, value, count);
}

void table_emit(const Emitter *emitter) {
    const Step *step = emitter->step;
    Ir *ir = emitter->ir;
    int lanes = emitter->lanes;
    int64_t width = step->table.width, whole = width / lanes * lanes;
    int64_t places = shape_elements(&step->output_value->type.shape) / width;
    Portion portion = portion_of(emitter, places);
    IrLoop rows = ir_loop_begin(ir, portion.begin, portion.end, 1, NULL, 0);
    TableRow row = row_find(emitter, rows.index);
    if (whole > 0) {
        IrLoop loop = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, whole), lanes, NULL, 0);
        vector_emit(emitter, &row, loop.index, lanes);
        ir_loop_end(ir, &loop);
    }
    if (whole < width)
        vector_emit(emitter, &row, ir_i64(ir, whole), (int)(width - whole));
    ir_loop_end(ir, &rows);
}
