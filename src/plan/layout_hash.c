/* plan_layout_hash: the recipes of all packed tensors as one text, hashed. */
#include "plan/plan.h"
#include "support/hash.h"

static void print_weight(const Weight *weight, StrBuf *out) {
    strbuf_format(out, "%s,", weight ? weight->path : "-");
}

static void print_recipe(const PackRecipe *recipe, StrBuf *out) {
    strbuf_format(out, "%d:%d:", (int)recipe->kind, recipe->channel_axis);
    print_weight(recipe->source, out);
    for (int a = 0; a < recipe->axis_count; a++)
        strbuf_format(out, "%lld,%lld,%lld;", (long long)recipe->axes[a].extent,
                      (long long)recipe->axes[a].stride, (long long)recipe->axes[a].base);
    for (int l = 0; l < recipe->loop_count; l++)
        strbuf_format(out, "%lld,%d,%lld;", (long long)recipe->loops[l].count,
                      recipe->loops[l].axis, (long long)recipe->loops[l].step);
    for (int i = 0; i < recipe->affine_count; i++) {
        const Affine *affine = &recipe->affines[i];
        print_weight(affine->gamma, out);
        print_weight(affine->beta, out);
        print_weight(affine->mean, out);
        print_weight(affine->variance, out);
        strbuf_format(out, "%a;", affine->epsilon);
    }
    strbuf_add_char(out, '\n');
}

uint64_t plan_layout_hash(const Plan *plan) {
    StrBuf text = {0};
    for (size_t i = 0; i < plan->packed.count; i++) {
        const Packed *packed = plan->packed.data[i];
        strbuf_format(&text, "%lld\n", (long long)packed->offset);
        for (size_t r = 0; r < packed->recipes.count; r++)
            print_recipe(&packed->recipes.data[r], &text);
    }
    uint64_t hash = hash_bytes(strbuf_text(&text), text.length);
    strbuf_free(&text);
    return hash;
}
