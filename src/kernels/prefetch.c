#include "kernels/prefetch.h"

/* Floats of a cache line. */
#define LINE (MACHINE_LINE_BYTES / (int64_t)sizeof(float))

void prefetch_stream(const Emitter *emitter, IrValue weights, int64_t vectors) {
    Ir *ir = emitter->ir;
    int64_t ahead = emitter->machine->prefetch_bytes / (int64_t)sizeof(float);
    for (int64_t at = 0; ahead > 0 && at < vectors * emitter->lanes; at += LINE)
        ir_prefetch(ir, ir_at_const(ir, weights, ahead + at), IR_FIRST_CACHE);
}

NextBlock next_block_begin(const Emitter *emitter, IrValue block, int64_t floats, IrValue done,
                           int64_t each, int64_t all) {
    Ir *ir = emitter->ir;
    if (emitter->machine->prefetch_bytes == 0)
        return (NextBlock){.emitter = emitter};
    IrValue share = ir_div_const(ir, ir_mul_const(ir, done, floats), all);
    return (NextBlock){.emitter = emitter,
                       .share = ir_at(ir, block, ir_add_const(ir, share, floats)),
                       .tiles = divide_up(all, each)};
}

void next_block_prefetch(const NextBlock *next, IrValue read, int64_t run) {
    if (!next->share)
        return;
    Ir *ir = next->emitter->ir;
    IrValue from = ir_at(ir, next->share, ir_div_const(ir, read, next->tiles));
    for (int64_t at = 0; at * next->tiles < run; at += LINE)
        ir_prefetch(ir, ir_at_const(ir, from, at), IR_SECOND_CACHE);
}
