/* The shape behind each step that changes it. */
#include "lsp/server.h"
#include "output/json_value.h"

#define HINT_TYPE 1 /* InlayHintKind.Type */

static const Shape *shape_of_datum(const Datum *datum) {
    return datum->kind == DATUM_TENSOR && !datum->tensor->poisoned ? &datum->tensor->type.shape
                                                                   : NULL;
}

static bool changes_shape(const Meaning *meaning) {
    const Shape *before = shape_of_datum(&meaning->incoming);
    const Shape *after = shape_of_datum(&meaning->datum);
    return after && !(before && shape_equal(before, after));
}

/* Whether all expansions of the text give one shape. */
static bool is_settled(const Meaning *first, size_t count) {
    const Shape *shape = shape_of_datum(&first->datum);
    for (size_t i = 1; i < count; i++) {
        const Shape *other = shape_of_datum(&first[i].datum);
        if (!other || !shape_equal(shape, other))
            return false;
    }
    return true;
}

static json_t *hint_json(const Server *server, const Analysis *analysis, const Meaning *meaning,
                         size_t uses) {
    StrBuf text = {0};
    shape_print(shape_of_datum(&meaning->datum), &text);
    bool settled = is_settled(meaning, uses);
    if (!settled)
        strbuf_add(&text, ", ...");
    json_t *hint =
        json_pack("{s:o, s:s, s:i, s:b}", "position",
                  position_end(server->encoding, &analysis->compilation.sources, meaning->span),
                  "label", strbuf_text(&text), "kind", HINT_TYPE, "paddingLeft", 1);
    if (!settled) {
        strbuf_free(&text);
        strbuf_format(&text, "the first of %zu expansions", uses);
        json_object_set_new(hint, "tooltip", json_string(strbuf_text(&text)));
    }
    strbuf_free(&text);
    return hint;
}

json_t *serve_inlay_hints(Server *server, const json_t *params, Refusal *refusal) {
    Document *document;
    Span range;
    const Analysis *analysis = request_document(server, params, &document, refusal);
    if (!analysis || !request_range(server, analysis, params, &range, refusal))
        return NULL;
    const Meanings *meanings = &analysis->meanings;
    json_t *hints = json_array();
    for (size_t i = 0; i < meanings->list.count;) {
        const Meaning *meaning = &meanings->list.data[i];
        size_t uses = meanings_of_text(meanings, meaning);
        i += uses;
        if (meaning->kind == MEANING_CALL && meaning->span.end >= range.begin &&
            meaning->span.end <= range.end && changes_shape(meaning))
            json_array_append_new(hints, hint_json(server, analysis, meaning, uses));
    }
    return hints;
}
