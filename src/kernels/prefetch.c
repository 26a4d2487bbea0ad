#include "kernels/prefetch.h"

/* Floats of a cache line. */
#define LINE (MACHINE_LINE_BYTES / (int64_t)sizeof(float))

bool view_is_far(const Emitter *emitter, const View *view) {
    const Machine *machine = emitter->machine;
    int64_t bytes = view_elements(view) * (int64_t)sizeof(float);
    return machine->prefetch_bytes > 0 && bytes > machine->cache_bytes &&
           buffer_bytes(view->buffer) > machine->cache_bytes;
}

/* Asks for what lies `bytes` behind `vectors` vectors of weights. */
static void prefetch_behind(const Emitter *emitter, IrValue weights, int64_t vectors,
                            int64_t bytes) {
    Ir *ir = emitter->ir;
    int64_t ahead = bytes / (int64_t)sizeof(float);
    if (emitter->machine->prefetch_bytes == 0)
        return;
    for (int64_t at = 0; at < vectors * emitter->lanes; at += LINE)
        ir_prefetch(ir, ir_at_const(ir, weights, ahead + at), IR_FIRST_CACHE);
}

void prefetch_stream(const Emitter *emitter, IrValue weights, int64_t vectors) {
    prefetch_behind(emitter, weights, vectors, emitter->machine->prefetch_bytes);
}

void prefetch_once(const Emitter *emitter, IrValue weights, int64_t vectors) {
    const Machine *machine = emitter->machine;
    const Step *step = emitter->step;
    int64_t bytes = step->weights->floats * (int64_t)sizeof(float);
    if (bytes >= machine->cache_bytes * (step->parts > 1 ? step->parts : 1))
        prefetch_behind(emitter, weights, vectors, machine->prefetch_once_bytes);
}

NextBlock next_block_begin(const Emitter *emitter, IrValue next, int64_t floats, IrValue done,
                           int64_t each, int64_t all) {
    Ir *ir = emitter->ir;
    if (emitter->machine->prefetch_bytes == 0)
        return (NextBlock){.emitter = emitter};
    IrValue share = ir_div_const(ir, ir_mul_const(ir, done, floats), all);
    return (NextBlock){
        .emitter = emitter, .share = ir_at(ir, next, share), .tiles = divide_up(all, each)};
}

void next_block_prefetch(const NextBlock *next, IrValue read, int64_t run) {
    if (!next->share)
        return;
    Ir *ir = next->emitter->ir;
    IrValue from = ir_at(ir, next->share, ir_div_const(ir, read, next->tiles));
    for (int64_t at = 0; at * next->tiles < run; at += LINE)
        ir_prefetch(ir, ir_at_const(ir, from, at), IR_SECOND_CACHE);
}
