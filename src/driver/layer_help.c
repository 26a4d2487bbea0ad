/* `netc layers`: the layer table as help text. */
#include <string.h>

#include "driver/compilation.h"
#include "layers/layer.h"

static void list_layers(StrBuf *out) {
    size_t count;
    const LayerInfo *const *table = layer_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || table[i]->family != table[i - 1]->family)
            strbuf_format(out, "%s%s\n", i == 0 ? "" : "\n", layer_family_name(table[i]->family));
        strbuf_format(out, "  %-14s %s\n", table[i]->name, table[i]->summary);
    }
}

static void describe_layer(const LayerInfo *layer, StrBuf *out) {
    strbuf_format(out, "%s: %s\n", layer->name, layer->summary);
    if (layer->attribute_count > 0)
        strbuf_add(out, "\narguments:\n");
    for (int i = 0; i < layer->attribute_count; i++) {
        const AttributeInfo *attribute = &layer->attributes[i];
        size_t start = out->length;
        strbuf_format(out, "  %s", attribute->name);
        if (attribute->fallback && attribute->fallback[0])
            strbuf_format(out, " = %s", attribute->fallback);
        size_t width = out->length - start;
        strbuf_fill(out, ' ', width < 20 ? 20 - width : 1);
        strbuf_format(out, "%s\n", attribute->help);
    }
    strbuf_format(out, "\nshape: %s\n", layer->shape_doc);
    if (layer->weights_doc)
        strbuf_format(out, "weights: %s\n", layer->weights_doc);
    strbuf_format(out, "\nexample:\n%s", layer->example);
}

bool layer_help(const char *name, StrBuf *out) {
    if (!name) {
        list_layers(out);
        return true;
    }
    const LayerInfo *layer = layer_find(name);
    if (layer)
        describe_layer(layer, out);
    return layer != NULL;
}
