#include "codegen/variants.h"

#include "support/checked.h"
#include "support/hash.h"

/* Finds the place of the last variant's weights. */
static bool place_packed(Variants *variants) {
    Variant *last = &variants->list[variants->count - 1];
    uint64_t hash = plan_layout_hash(last->plan);
    for (size_t i = 0; i + 1 < variants->count; i++)
        if (plan_layout_hash(variants->list[i].plan) == hash) {
            last->packed_offset = variants->list[i].packed_offset;
            return true;
        }
    uint64_t hashes[] = {variants->layout_hash, hash};
    variants->layout_hash = variants->count == 1 ? hash : hash_bytes(hashes, sizeof hashes);
    last->packs = true;
    last->packed_offset = variants->packed_bytes;
    return checked_add(variants->packed_bytes, last->plan->packed_bytes, &variants->packed_bytes);
}

bool variants_add(Variants *variants, Diagnostics *diagnostics, const Target *target,
                  const Plan *plan) {
    variants->list[variants->count++] = (Variant){.target = target, .plan = plan};
    if (!variants->symbol)
        variants->symbol = plan->graph->name;
    if (plan->arena_bytes > variants->arena_bytes)
        variants->arena_bytes = plan->arena_bytes;
    variants->shared = variants->shared || plan->shared;
    if (place_packed(variants))
        return true;
    diag_report(diagnostics, DIAG_E0802, plan->graph->name_span,
                "the packed weights of `%s` would not fit 64 bits", plan->graph->name);
    return false;
}

void variants_pack(const Variants *variants, void *packed) {
    for (size_t i = 0; i < variants->count; i++) {
        const Variant *variant = &variants->list[i];
        if (variant->packs)
            plan_pack(variant->plan, (char *)packed + variant->packed_offset);
    }
}

bool variants_pack_in_pieces(const Variants *variants, PackTake take, void *context) {
    for (size_t i = 0; i < variants->count; i++) {
        const Variant *variant = &variants->list[i];
        if (variant->packs && !plan_pack_in_pieces(variant->plan, take, context))
            return false;
    }
    return true;
}

void variants_print_cpus(const Variants *variants, StrBuf *out) {
    for (size_t i = 0; i < variants->count; i++)
        strbuf_format(out, "%s%s", i > 0 ? "," : "", variants->list[i].target->cpu);
}
