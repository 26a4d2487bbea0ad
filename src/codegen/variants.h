/* One network for one processor or for several: a variant for each, which has a target and a plan
 * of its own. They share one arena, that of the one that needs most, and one block of packed
 * weights, in which each has a part; those that pack alike have the same. */
#ifndef NETC_CODEGEN_VARIANTS_H
#define NETC_CODEGEN_VARIANTS_H

#include "codegen/target.h"
#include "plan/plan.h"

typedef struct Variant {
    const Target *target;
    const Plan *plan;
    int64_t packed_offset; /* of its part of the packed weights, bytes */
    bool packs;            /* the first with this part */
} Variant;

typedef struct Variants {
    const char *symbol; /* what the names of all symbols begin with: the network's name, and what
                           --symbol-prefix puts before it */
    Variant list[TARGETS_MAX]; /* in the order of their targets */
    size_t count;
    int64_t arena_bytes;
    int64_t packed_bytes;
    uint64_t layout_hash; /* of all parts: plan_layout_hash for one */
    bool shared;          /* some plan has parts for several threads */
} Variants;

/* Appends a variant of the same network, whose name is the symbol unless one is set. E0802 and
 * false if the weights would not fit 64 bits. */
bool variants_add(Variants *variants, Diagnostics *diagnostics, const Target *target,
                  const Plan *plan);

/* Packs the bound weights for all variants: packed_bytes at `packed`, aligned to 64. */
void variants_pack(const Variants *variants, void *packed);

/* The same in pieces, as plan_pack_in_pieces. */
bool variants_pack_in_pieces(const Variants *variants, PackTake take, void *context);

/* Appends the processors, "x86-64-v2,x86-64-v4". */
void variants_print_cpus(const Variants *variants, StrBuf *out);

#endif
