/* Transposition of a square in registers. With vector i and vector i + n / 2 interleaved, the
 * halves of which become vectors 2 i and 2 i + 1, the bits of a number's vector and lane, in a row,
 * have moved by one place; after log2 n times the two have changed places. */
#include <assert.h>

#include "kernels/emitter.h"

#define MAX_LANES 64

static void vectors_transpose(Ir *ir, IrValue *vectors, int lanes) {
    IrValue before[MAX_LANES];
    for (int size = lanes; size > 1; size /= 2) {
        for (int i = 0; i < lanes; i++)
            before[i] = vectors[i];
        for (int i = 0; i < lanes; i++)
            vectors[i] = ir_interleave(ir, before[i / 2], before[i / 2 + lanes / 2], lanes, i % 2);
    }
}

void transpose_emit(Ir *ir, int lanes, const Strips *from, const Strips *to) {
    IrValue square[MAX_LANES];
    assert(lanes <= MAX_LANES && (lanes & (lanes - 1)) == 0);
    assert(from->count <= lanes && to->count <= lanes);
    for (int i = 0; i < lanes; i++)
        square[i] = i < from->count
                        ? ir_load_part(ir, ir_at_const(ir, from->first, i * from->stride), lanes,
                                       from->length)
                        : ir_f32_vector(ir, 0, lanes);
    vectors_transpose(ir, square, lanes);
    for (int i = 0; i < to->count; i++)
        ir_store_part(ir, ir_at_const(ir, to->first, i * to->stride), square[i], lanes, to->length);
}
