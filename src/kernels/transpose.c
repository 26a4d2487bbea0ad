/* Transposition of a square in registers. With vector i and vector i + n / 2 interleaved, the
 * halves of which become vectors 2 i and 2 i + 1, the bits of a number's vector and lane, in a row,
 * have moved by one place; after log2 n times the two have changed places. */
#include <assert.h>

#include "kernels/emitter.h"

#define MAX_LANES 64

void vectors_transpose(Ir *ir, IrValue *vectors, int lanes) {
    IrValue before[MAX_LANES];
    assert(lanes <= MAX_LANES && (lanes & (lanes - 1)) == 0);
    for (int size = lanes; size > 1; size /= 2) {
        for (int i = 0; i < lanes; i++)
            before[i] = vectors[i];
        for (int i = 0; i < lanes; i++)
            vectors[i] = ir_interleave(ir, before[i / 2], before[i / 2 + lanes / 2], lanes, i % 2);
    }
}
