/* What may stand at a place. */
#include <string.h>

#include "lsp/names.h"
#include "lsp/server.h"
#include "lsp/text.h"
#include "output/json_value.h"

/* CompletionItemKind of the protocol. */
typedef enum ItemLook {
    LOOK_FUNCTION = 3,
    LOOK_VARIABLE = 6,
    LOOK_CLASS = 7,
    LOOK_PROPERTY = 10,
    LOOK_VALUE = 12,
    LOOK_KEYWORD = 14,
    LOOK_CONSTANT = 21,
} ItemLook;

/* What is offered at one place. */
typedef struct Offer {
    const Analysis *analysis;
    const Names *names;
    uint32_t offset;
    json_t *items;
} Offer;

/* Returns it, for more to be set. */
static json_t *offer(Offer *offered, const char *label, ItemLook look, const char *detail) {
    json_t *item = json_pack("{s:s, s:i}", "label", label, "kind", look);
    if (detail && detail[0])
        json_object_set_new(item, "detail", json_text(detail));
    json_array_append_new(offered->items, item);
    return item;
}

/* ---- layers, blocks, values ----------------------------------------------------------------- */

static void offer_layers(Offer *offered) {
    size_t count;
    const LayerInfo *const *table = layer_table(&count);
    for (size_t i = 0; i < count; i++)
        offer(offered, table[i]->name, LOOK_FUNCTION, table[i]->summary);
}

/* "(x: [C, H, W], width, stride = 1)", as the text has it. */
static void offer_block(Offer *offered, const Definition *block) {
    const ParameterList *parameters = &block->item->parameters;
    Span span = SPAN_NONE;
    for (size_t i = 0; i < parameters->count; i++) {
        const Parameter *parameter = &parameters->data[i];
        span = span_join(span, parameter->name.span);
        if (parameter->type)
            span = span_join(span, parameter->type->span);
        if (parameter->fallback)
            span = span_join(span, parameter->fallback->span);
    }
    size_t length;
    const char *text = source_text(&offered->analysis->compilation.sources, span, &length);
    StrBuf detail = {0};
    strbuf_format(&detail, "block (%.*s)", (int)length, text ? text : "");
    offer(offered, block->name.text, LOOK_CLASS, strbuf_text(&detail));
    strbuf_free(&detail);
}

static void offer_blocks(Offer *offered) {
    for (size_t i = 0; i < offered->names->definitions.count; i++)
        if (offered->names->definitions.data[i]->kind == DEFINE_BLOCK)
            offer_block(offered, offered->names->definitions.data[i]);
}

static void offer_values(Offer *offered) {
    for (size_t i = 0; i < offered->names->definitions.count; i++) {
        const Definition *definition = offered->names->definitions.data[i];
        if (names_resolve(offered->names, definition->name.text, offered->offset) != definition)
            continue;
        const Meaning *meaning =
            meanings_find(&offered->analysis->meanings, definition->name.span.begin);
        bool known =
            meaning && meaning->kind == MEANING_NAME && meaning->datum.kind != DATUM_POISON;
        StrBuf detail = {0};
        if (known)
            print_value(&meaning->datum, &detail);
        offer(offered, definition->name.text,
              definition->kind == DEFINE_VALUE ? LOOK_VARIABLE : LOOK_CONSTANT,
              strbuf_text(&detail));
        strbuf_free(&detail);
    }
}

static void offer_words(Offer *offered, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        offer(offered, words[i], LOOK_KEYWORD, NULL);
}

/* ---- arguments ------------------------------------------------------------------------------ */

/* `pad=`, with its help and default. */
static void offer_argument(Offer *offered, const char *name, const char *help,
                           const char *fallback) {
    StrBuf text = {0};
    strbuf_format(&text, "%s=", name);
    json_t *item = offer(offered, strbuf_text(&text), LOOK_PROPERTY, help);
    strbuf_free(&text);
    if (!fallback || fallback[0])
        strbuf_format(&text, fallback ? "default: %.*s" : "required",
                      fallback ? (int)strcspn(fallback, "|") : 0, fallback ? fallback : "");
    if (text.length > 0)
        json_object_set_new(item, "documentation", json_text(strbuf_text(&text)));
    strbuf_free(&text);
}

static const Definition *find_block(const Names *names, Word word) {
    for (size_t i = 0; i < names->definitions.count; i++) {
        const Definition *definition = names->definitions.data[i];
        if (definition->kind == DEFINE_BLOCK && word_is(word, definition->name.text))
            return definition;
    }
    return NULL;
}

static void offer_block_arguments(Offer *offered, const Item *block) {
    for (size_t i = 0; i < block->parameters.count; i++) {
        const Parameter *parameter = &block->parameters.data[i];
        if (parameter->type)
            continue; /* tensors are passed by their place */
        size_t length = 0;
        const char *text = parameter->fallback
                               ? source_text(&offered->analysis->compilation.sources,
                                             parameter->fallback->span, &length)
                               : NULL;
        StrBuf fallback = {0};
        strbuf_add_bytes(&fallback, text ? text : "", length);
        offer_argument(offered, parameter->name.text, NULL,
                       parameter->fallback ? strbuf_text(&fallback) : NULL);
        strbuf_free(&fallback);
    }
}

static void offer_arguments(Offer *offered, Word callee) {
    const Definition *block = find_block(offered->names, callee);
    const LayerInfo *layer = block ? NULL : word_layer(callee);
    if (block)
        offer_block_arguments(offered, block->item);
    for (int i = 0; layer && i < layer->attribute_count; i++)
        offer_argument(offered, layer->attributes[i].name, layer->attributes[i].help,
                       layer->attributes[i].fallback);
    if (block || layer)
        offer_argument(offered, "share", "the path of a layer whose weights this one reads", "");
}

/* Words that the argument takes, behind `pad=`. */
static void offer_argument_words(Offer *offered, const Cursor *cursor) {
    static const char *const switches[] = {"on", "off"};
    const LayerInfo *layer =
        find_block(offered->names, cursor->callee) ? NULL : word_layer(cursor->callee);
    for (int i = 0; layer && i < layer->attribute_count; i++) {
        const AttributeInfo *attribute = &layer->attributes[i];
        if (!word_is(cursor->argument, attribute->name))
            continue;
        if (attribute->kind == ATTRIBUTE_BOOLEAN)
            offer_words(offered, switches, 2);
        else if (attribute->kind == ATTRIBUTE_PADDING)
            offer(offered, "same", LOOK_VALUE, NULL);
        size_t length;
        const char *word;
        for (int64_t k = 0;
             attribute->kind == ATTRIBUTE_WORD && (word = attribute_choice(attribute, k, &length));
             k++) {
            StrBuf text = {0};
            strbuf_add_bytes(&text, word, length);
            offer(offered, strbuf_text(&text), LOOK_VALUE, NULL);
            strbuf_free(&text);
        }
    }
}

/* ---- the request ---------------------------------------------------------------------------- */

static void offer_for(Offer *offered, const Cursor *cursor) {
    static const char *const statements[] = {"return", "let", "assert", "weights"};
    static const char *const items[] = {"network", "block", "let", "use"};
    static const char *const steps[] = {"repeat", "if"};
    switch (cursor->situation) {
    case SITUATION_NONE: return;
    case SITUATION_STEP:
        offer_blocks(offered);
        offer_layers(offered);
        offer_words(offered, steps, sizeof steps / sizeof *steps);
        return;
    case SITUATION_ARGUMENT:
        offer_arguments(offered, cursor->callee);
        offer_values(offered);
        return;
    case SITUATION_VALUE:
        offer_argument_words(offered, cursor);
        offer_values(offered);
        if (cursor->in_body && cursor->argument.length == 0) {
            offer_blocks(offered);
            offer_layers(offered);
        }
        return;
    case SITUATION_STATEMENT:
        if (cursor->in_body)
            offer_words(offered, statements, sizeof statements / sizeof *statements);
        else
            offer_words(offered, items, sizeof items / sizeof *items);
        return;
    }
}

json_t *serve_completion(Server *server, const json_t *params, Refusal *refusal) {
    RequestPlace place;
    if (!request_place(server, params, &place, refusal))
        return NULL;
    const Source *source = place.analysis->compilation.source;
    Cursor cursor = cursor_at(source, word_at(source, place.offset).span.begin);
    Arena arena = {0};
    Names names = names_of(&arena, place.analysis);
    Offer offered = {place.analysis, &names, place.offset, json_array()};
    offer_for(&offered, &cursor);
    arena_free(&arena);
    return json_pack("{s:b, s:o}", "isIncomplete", 0, "items", offered.items);
}
