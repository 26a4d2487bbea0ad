/* A call of the network on the threads of a pool (libpthreadpool), in one
 * pthreadpool_parallelize_1d(pool, NAME.part, frame, threads, 0):
 *
 *   NAME(.., pool)                  makes a frame on its stack, which the threads share, and starts
 *                                   them; without as many threads in the pool it does all parts
 *   NAME.part(frame, i)             what thread i does: NAME.steps(frame, i, i + 1)
 *   NAME.steps(frame, begin, end)   all steps, of each the parts begin <= i < end
 *   NAME.wait(frame, count, total)  adds `count` to the arrivals and returns when they are `total`
 *
 * The frame has the number of arrivals, alone in its cache lines, and then the pointers that the
 * steps need. Arrivals only grow: wait number k is over at k * threads of them, so nothing is reset
 * between waits. Who does all parts arrives for all and never waits.
 *
 * A wait cannot hang, because all parts come to be run at the same time. The pool's threads, the
 * caller's among them, each have an item of their own and begin with it; only a thread that has
 * none, or is done with its own, takes another's. A part is done only after the last wait, when all
 * have begun. So whatever part has not begun has a thread of its own on its way to it. */
#ifndef NETC_CODEGEN_PARALLEL_H
#define NETC_CODEGEN_PARALLEL_H

#include "codegen/debug_info.h"
#include "codegen/ir_internal.h"

typedef struct Parallel {
    Ir *ir;
    DebugInfo *debug;
    const char *name; /* NAME */
    Span span;        /* of the network */
    int threads;
    int waits; /* emitted so far */
    LLVMValueRef wait, steps, part;
} Parallel;

/* Begins NAME.steps. */
void parallel_begin(Parallel *parallel);
/* Within it: pointer number `index` of the frame; a wait; whether part number `part` is to be done
 * here; the loop over those of the first `parts` parts that are. */
LLVMValueRef parallel_pointer(const Parallel *parallel, int index);
void parallel_wait(Parallel *parallel);
IrValue parallel_does_part(const Parallel *parallel, int part);
IrLoop parallel_parts_begin(const Parallel *parallel, int parts);
/* The same over those of `count` turns that belong to the parts to be done here, an even share for
 * each; the first part's is the largest. And the number of the first of these parts. */
IrLoop parallel_share_begin(const Parallel *parallel, int64_t count);
IrValue parallel_first_part(const Parallel *parallel);
/* Ends it and makes NAME.part. */
void parallel_end(Parallel *parallel);

/* Within NAME: all of it, with `pool` or without. */
void parallel_run(const Parallel *parallel, const LLVMValueRef *pointers, int count,
                  LLVMValueRef pool);

#endif
