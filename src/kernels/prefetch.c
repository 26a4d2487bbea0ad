#include "kernels/prefetch.h"

bool view_is_far(const Emitter *emitter, const View *view) {
    int64_t most = emitter->machine->cache_bytes;
    int64_t bytes = view_elements(view) * (int64_t)sizeof(float);
    return bytes > most && buffer_bytes(view->buffer) > most;
}

void prefetch_lines(const Emitter *emitter, IrValue pointer, int64_t begin, int64_t floats) {
    for (int64_t at = 0; at < floats; at += MACHINE_LINE_FLOATS)
        ir_prefetch(emitter->ir, ir_at_const(emitter->ir, pointer, begin + at), IR_FIRST_CACHE);
}

/* Asks for what lies `bytes` behind `vectors` vectors of weights. */
static void prefetch_behind(const Emitter *emitter, IrValue weights, int64_t vectors,
                            int64_t bytes) {
    if (emitter->machine->prefetch_bytes > 0)
        prefetch_lines(emitter, weights, bytes / (int64_t)sizeof(float), vectors * emitter->lanes);
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
    for (int64_t at = 0; at * next->tiles < run; at += MACHINE_LINE_FLOATS)
        ir_prefetch(ir, ir_at_const(ir, from, at), IR_SECOND_CACHE);
}
