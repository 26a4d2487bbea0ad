/* The table of layers, from layers.def. */
#include <assert.h>
#include <string.h>

#include "layers/layer.h"

#define LAYER(name) extern const LayerInfo layer_##name;
#include "layers/layers.def"
#undef LAYER

static const LayerInfo *const TABLE[] = {
#define LAYER(name) &layer_##name,
#include "layers/layers.def"
#undef LAYER
};

const LayerInfo *const *layer_table(size_t *count) {
    *count = sizeof TABLE / sizeof *TABLE;
    return TABLE;
}

const LayerInfo *layer_find(const char *name) {
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        if (strcmp(TABLE[i]->name, name) == 0)
            return TABLE[i];
    return NULL;
}

int layer_attribute(const LayerInfo *layer, const char *name) {
    for (int i = 0; i < layer->attribute_count; i++)
        if (strcmp(layer->attributes[i].name, name) == 0)
            return i;
    return -1;
}

const char *attribute_choice(const AttributeInfo *info, int64_t index, size_t *length) {
    assert(info->kind == ATTRIBUTE_WORD);
    const char *word = info->fallback;
    for (; index > 0 && word; index--) {
        word = strchr(word, '|');
        word = word ? word + 1 : NULL;
    }
    *length = word ? strcspn(word, "|") : 0;
    return word;
}

const char *layer_family_name(LayerFamily family) {
    switch (family) {
    case FAMILY_CONVOLUTION: return "convolution";
    case FAMILY_POOLING: return "pooling";
    case FAMILY_DENSE: return "dense";
    case FAMILY_NORMALISATION: return "normalisation";
    case FAMILY_ACTIVATION: return "activation";
    case FAMILY_SEQUENCE: return "sequence";
    case FAMILY_SHAPE: return "shape";
    case FAMILY_MERGE: return "merge";
    case FAMILY_REDUCTION: return "reduction";
    case FAMILY_TRAINING: return "training";
    }
    assert(false);
    return "";
}
