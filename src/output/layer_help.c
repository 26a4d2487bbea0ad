#include "output/layer_help.h"

#include <assert.h>
#include <string.h>

/* ---- arguments ---------------------------------------------------------------------------- */

/* What to write for it. */
static const char *kind_text(AttributeKind kind) {
    switch (kind) {
    case ATTRIBUTE_INTEGER: return "integer";
    case ATTRIBUTE_NUMBER: return "number";
    case ATTRIBUTE_BOOLEAN: return "`on`, `off`";
    case ATTRIBUTE_SIZE: return "size";
    case ATTRIBUTE_PADDING: return "padding";
    case ATTRIBUTE_AXIS: return "axis";
    case ATTRIBUTE_AXES: return "axes";
    case ATTRIBUTE_SHAPE: return "shape";
    case ATTRIBUTE_WORD: return "word";
    case ATTRIBUTE_INTEGERS: return "integers";
    case ATTRIBUTE_NUMBERS: return "numbers";
    }
    assert(false);
    return "";
}

static void print_default(const LayerInfo *layer, int index, StrBuf *out) {
    const AttributeInfo *attribute = &layer->attributes[index];
    if (!attribute->fallback)
        strbuf_add(out, "required");
    else if (!attribute->fallback[0])
        strbuf_add(out, "none");
    else if (layer_attribute(layer, attribute->fallback) >= 0)
        strbuf_format(out, "as `%s`", attribute->fallback);
    else
        strbuf_format(out, "`%.*s`", (int)strcspn(attribute->fallback, "|"), attribute->fallback);
}

/* "`bilinear`, `nearest`" */
static void print_words(const AttributeInfo *attribute, StrBuf *out) {
    size_t length;
    for (int64_t i = 0;; i++) {
        const char *word = attribute_choice(attribute, i, &length);
        if (!word)
            return;
        strbuf_format(out, "%s`%.*s`", i == 0 ? "" : ", ", (int)length, word);
    }
}

static bool is_bound(double number) {
    return number > INT32_MIN && number < INT32_MAX;
}

/* "0 to 1", "at least 1", or nothing where any value will do. */
static void print_range(const AttributeInfo *attribute, StrBuf *out) {
    if (attribute->kind == ATTRIBUTE_WORD) {
        print_words(attribute, out);
        return;
    }
    bool none = attribute->minimum == 0 && attribute->maximum == 0; /* booleans and axes */
    bool above = is_bound(attribute->minimum) && !none;
    bool below = is_bound(attribute->maximum) && !none;
    if (above && below)
        strbuf_format(out, "%.15g to %.15g", attribute->minimum, attribute->maximum);
    else if (above)
        strbuf_format(out, "at least %.15g", attribute->minimum);
    else if (below)
        strbuf_format(out, "at most %.15g", attribute->maximum);
}

/* ---- text --------------------------------------------------------------------------------- */

void layer_help_list(StrBuf *out) {
    size_t count;
    const LayerInfo *const *table = layer_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || table[i]->family != table[i - 1]->family)
            strbuf_format(out, "%s%s\n", i == 0 ? "" : "\n", layer_family_name(table[i]->family));
        strbuf_format(out, "  %-14s %s\n", table[i]->name, table[i]->summary);
    }
}

static void print_argument(const AttributeInfo *attribute, StrBuf *out) {
    size_t start = out->length;
    strbuf_format(out, "  %s", attribute->name);
    if (attribute->fallback && attribute->fallback[0])
        strbuf_format(out, " = %s", attribute->fallback);
    size_t width = out->length - start;
    strbuf_fill(out, ' ', width < 20 ? 20 - width : 1);
    strbuf_format(out, "%s\n", attribute->help);
}

void layer_help_text(const LayerInfo *layer, StrBuf *out) {
    strbuf_format(out, "%s: %s\n", layer->name, layer->summary);
    if (layer->attribute_count > 0)
        strbuf_add(out, "\narguments:\n");
    for (int i = 0; i < layer->attribute_count; i++)
        print_argument(&layer->attributes[i], out);
    strbuf_format(out, "\nshape: %s\n", layer->shape_doc);
    if (layer->weights_doc)
        strbuf_format(out, "weights: %s\n", layer->weights_doc);
    if (layer->macs_doc)
        strbuf_format(out, "multiply-accumulates: %s\n", layer->macs_doc);
    if (layer->operations_doc)
        strbuf_format(out, "other operations: %s\n", layer->operations_doc);
    strbuf_format(out, "\nexample:\n%s", layer->example);
}

/* ---- Markdown ----------------------------------------------------------------------------- */

/* Prose, in which a `*` would begin an emphasis and a `|` end a cell. */
static void print_prose(const char *text, StrBuf *out) {
    bool code = false; /* inside `...` all stands for itself */
    for (const char *at = text; *at; at++) {
        code ^= *at == '`';
        if (!code && strchr("*_|<", *at))
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, *at);
    }
}

static void print_item(const char *name, const char *text, StrBuf *out) {
    if (!text)
        return;
    strbuf_format(out, "- %s: ", name);
    print_prose(text, out);
    strbuf_add(out, "\n");
}

static void print_arguments(const LayerInfo *layer, StrBuf *out) {
    if (layer->attribute_count == 0)
        return;
    strbuf_add(out, "| argument | takes | default | range | |\n|---|---|---|---|---|\n");
    for (int i = 0; i < layer->attribute_count; i++) {
        const AttributeInfo *attribute = &layer->attributes[i];
        strbuf_format(out, "| `%s` | %s | ", attribute->name, kind_text(attribute->kind));
        print_default(layer, i, out);
        strbuf_add(out, " | ");
        print_range(attribute, out);
        strbuf_add(out, " | ");
        print_prose(attribute->help, out);
        strbuf_add(out, " |\n");
    }
    strbuf_add(out, "\n");
}

/* "2 tensors or more"; of one there is nothing to say. */
static void print_inputs(const LayerInfo *layer, StrBuf *out) {
    if (layer->max_inputs == 1)
        return;
    strbuf_format(out, "- inputs: %zu", layer->min_inputs);
    if (layer->max_inputs == LAYER_ANY_INPUTS)
        strbuf_add(out, " tensors or more\n");
    else if (layer->max_inputs > layer->min_inputs)
        strbuf_format(out, " to %zu tensors\n", layer->max_inputs);
    else
        strbuf_add(out, " tensors\n");
}

void layer_help_markdown(const LayerInfo *layer, StrBuf *out) {
    strbuf_format(out, "### %s\n", layer->name);
    print_prose(layer->summary, out);
    strbuf_add(out, "\n\n");
    print_arguments(layer, out);
    print_inputs(layer, out);
    print_item("shape", layer->shape_doc, out);
    print_item("weights", layer->weights_doc, out);
    print_item("multiply-accumulates", layer->macs_doc, out);
    print_item("other operations", layer->operations_doc, out);
    strbuf_format(out, "\n```net\n%s```\n", layer->example);
}

static void print_index(const LayerInfo *const *table, size_t count, StrBuf *out) {
    strbuf_add(out, "| family | layers |\n|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || table[i]->family != table[i - 1]->family)
            strbuf_format(out, "%s| %s |", i == 0 ? "" : " |\n",
                          layer_family_name(table[i]->family));
        strbuf_format(out, " [%s](#%s)", table[i]->name, table[i]->name);
    }
    strbuf_add(out, " |\n");
}

void layer_help_page(StrBuf *out) {
    size_t count;
    const LayerInfo *const *table = layer_table(&count);
    strbuf_add(
        out, "# Layers\n"
             "<!-- Made by `netc layers --format=markdown` from src/layers; not to be edited. -->\n"
             "All that netc knows of each layer. Shapes are of one sample; what the kinds of "
             "arguments are and what a count means is in [language.md](language.md). Every "
             "example is a whole network; all of them are compiled and compared with the float64 "
             "reference by the tests.\n\n");
    print_index(table, count, out);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || table[i]->family != table[i - 1]->family)
            strbuf_format(out, "\n## Family: %s\n", layer_family_name(table[i]->family));
        strbuf_add(out, "\n");
        layer_help_markdown(table[i], out);
    }
}
