/* Slices of a flat tensor: the numbers along a set of its axes, one slice for each place on all
 * other axes. What normalises, reduces or searches slices is written once, as what to do with a
 * bundle of neighbours in memory.
 *
 * Where the innermost axis is one of the set, neighbours are of one slice: lanes lie along it, and
 * what they hold is folded at the end. Where it is not, lanes lie across slices, each with a slice
 * of its own. Private to kernels/. */
#ifndef NETC_KERNELS_SLICES_H
#define NETC_KERNELS_SLICES_H

#include "kernels/emitter.h"

/* Vectors that are worked on at once: independent chains of additions along a slice, whole cache
 * lines across slices. */
#define BUNDLE 4

/* One loop over a tensor. `beside` is what a turn moves in a vector that lies beside the tensor:
 * the parameters of a normalisation, the result of a reduction. */
typedef struct SliceLoop {
    int64_t count;
    int64_t stride; /* floats of the tensor */
    int64_t beside;
} SliceLoop;

/* Outermost first. Neighbouring axes that go on where the next one ends are one loop; those of
 * extent 1 are none, but a slice has one loop at least. */
typedef struct Slices {
    SliceLoop kept[TENSOR_MAX_RANK]; /* from slice to slice */
    int kept_count;
    SliceLoop along[TENSOR_MAX_RANK]; /* from number to number in a slice, in row-major order */
    int along_count;
    int64_t length; /* numbers in a slice */
    bool across;    /* lanes lie across slices: the last loop of `kept` has stride 1 */
} Slices;

/* What lies beside the tensor is indexed row-major by the axes in `beside_axes`. */
Slices slices_make(const Shape *shape, AxisSet axes, AxisSet beside_axes);

/* Neighbours in memory: BUNDLE whole vectors, or one of which `count` lanes exist. */
typedef struct Bundle {
    IrValue at;     /* index of the first in the tensor */
    IrValue beside; /* index in what lies beside, from that of the slice on */
    int vectors;
    int count;
} Bundle;

/* A slice that code is being made for; across slices, as many as its first bundle has lanes. */
typedef struct Slice {
    const Emitter *emitter;
    const Slices *slices;
    Bundle first;
} Slice;

/* Calls `each` inside the loops over all slices. */
typedef void (*SliceEmitter)(const Slice *slice);
void slices_emit(const Emitter *emitter, const Slices *slices, SliceEmitter each);

/* Calls `each` inside the loops over all numbers of a slice; `carried` as for ir_loop_begin. */
typedef void (*BundleEmitter)(const Slice *slice, const Bundle *bundle, void *context);
void slice_pass(const Slice *slice, BundleEmitter each, void *context, IrValue *carried,
                int carried_count);

/* Vector `k` of the bundle in input 0; `neutral` in the lanes past the end of a slice. Across
 * slices such lanes are 0 and go nowhere. */
IrValue bundle_load(const Slice *slice, const Bundle *bundle, int k, double neutral);
/* `vector` with `neutral` in the lanes past the end of a slice. */
IrValue bundle_masked(const Slice *slice, const Bundle *bundle, IrValue vector, double neutral);

/* Accumulators of a pass: vector k of every bundle went to number k. Along a slice they are folded
 * into one, which is left in all lanes of all of them; across slices they stay as they are. */
void slice_fold_add(const Slice *slice, IrValue vectors[BUNDLE]);
void slice_fold_max(const Slice *slice, IrValue vectors[BUNDLE]);

#endif
