/* Where values can live: boxes and storages, what layout works with before there are buffers.
 * Internal to src/plan/layout*.c. */
#ifndef NETC_PLAN_STORAGE_H
#define NETC_PLAN_STORAGE_H

#include "plan/halo.h"
#include "plan/plan.h"

/* A shape as channels x height x width. */
typedef struct Box {
    int64_t channels;
    int64_t height;
    int64_t width;
} Box;

Box box_of_shape(const Shape *shape);
bool box_equal(Box a, Box b);

/* Memory for the elements of one value in one layout: a buffer of its own (the root), or a part of
 * another storage (of a concat). */
typedef struct Storage Storage;
struct Storage {
    Box box;
    int64_t block;
    const char *name;
    Halo halo;        /* of zeros, that readers need */
    bool gapless;     /* plain, and read in row-major order without gaps */
    bool fixed;       /* an input of the network: nothing about it can be chosen */
    bool bytes;       /* such an input of u8; all else is f32 */
    Storage *parent;  /* NULL: a root */
    int64_t place[3]; /* channel, row, column in the parent */

    Storage *source;     /* a copy: of the same elements here, */
    Value *source_value; /* which are this value's */
    bool filled;         /* a copy: its COPY is in the plan */

    View view;   /* of a root; buffer NULL until storage_locate */
    bool zeroed; /* a root: its ZERO is in the plan, or it has no halo */
};

/* The storage at the end of the parents. */
Storage *storage_root(Storage *storage);
bool storage_has_halo(const Storage *storage);

/* Widens the halo to at least the given one. */
void storage_widen(Storage *storage, const Halo *halo);

/* Makes `part` the part of `whole` that begins at `place`, if what both are read as allows it. */
bool storage_place(Storage *part, Storage *whole, const int64_t place[3]);

/* Fills the root's view, but for its buffer, and says how many floats it needs. False if that is
 * out of bounds. */
bool storage_measure(Storage *root, int64_t *floats);

/* The storage's elements as `box`, which is its own box or, without gaps, any of that size. */
View storage_view(Storage *storage, Box box);
/* The part of the storage of size `box` that begins at `place`. */
View storage_part(Storage *storage, const int64_t place[3], Box box);

/* A plain view without gaps under another shape of the same size. */
View view_reshaped(View view, Box box);
/* The elements of such a view, in the order in which a MAP with an output of `box` wants them. */
View view_reordered(View view, const Reorder *reorder, Box box);

#endif
