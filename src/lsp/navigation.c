/* Where a name comes from, and another name in all its places. */
#include <string.h>

#include "layers/layer.h"
#include "lsp/names.h"
#include "lsp/server.h"
#include "output/json_value.h"
#include "syntax/parse.h"

json_t *serve_definition(Server *server, const json_t *params, Refusal *refusal) {
    RequestPlace place;
    if (!request_place(server, params, &place, refusal))
        return NULL;
    Arena arena = {0};
    Names names = names_of(&arena, place.analysis);
    const Occurrence *occurrence = names_find(&names, place.offset);
    json_t *location =
        occurrence ? location_json(server, place.analysis, occurrence->definition->name.span)
                   : json_null();
    arena_free(&arena);
    return location;
}

/* ---- renaming ------------------------------------------------------------------------------- */

/* Whether a text is a name and no reserved word: whether it can be defined as one. */
static bool is_name(const char *text) {
    Arena arena = {0};
    Intern intern = {.arena = &arena};
    SourceMap sources = {.arena = &arena};
    Diagnostics diagnostics = {.arena = &arena, .sources = &sources};
    const char *line = arena_format(&arena, "let %s = 0", text);
    const Source *source = source_add(&sources, "", line, strlen(line));
    const File *file = parse_file(&arena, &intern, &diagnostics, source);
    bool is = !diag_has_errors(&diagnostics) && file->items.count == 1 &&
              strcmp(file->items.data[0].name.text, text) == 0;
    arena_free(&arena);
    return is;
}

static bool is_label_text(const char *text) {
    return text[0] && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789_")] == '\0';
}

/* Whether the file has this name anywhere, for whatever: to give it to something else may then mean
 * another thing. `text` need not be interned. */
static bool has_name(const Names *names, const char *text) {
    for (size_t i = 0; i < names->definitions.count; i++)
        if (names->definitions.data[i]->kind != DEFINE_LABEL &&
            names->definitions.data[i]->kind != DEFINE_FILE &&
            strcmp(names->definitions.data[i]->name.text, text) == 0)
            return true;
    for (size_t i = 0; i < names->words.count; i++)
        if (strcmp(names->words.data[i], text) == 0)
            return true;
    return false;
}

/* Whether a `share` argument may name the label: its text has it as a part of a path. */
static bool is_shared(const Source *source, const char *label) {
    size_t length = strlen(label);
    for (const char *at = strstr(source->text, "share"); at; at = strstr(at + 1, "share")) {
        const char *line_end = at + strcspn(at, "\r\n");
        for (const char *part = strstr(at + 5, label); part && part + length < line_end;
             part = strstr(part + 1, label))
            if (strchr("\".", part[-1]) && strchr("\".", part[length]))
                return true;
    }
    return false;
}

/* What is to be renamed. */
static const Occurrence *find_renamed(const Names *names, const RequestPlace *place,
                                      Refusal *refusal) {
    const Occurrence *occurrence = names_find(names, place->offset);
    const Definition *definition = occurrence ? occurrence->definition : NULL;
    const Source *source = place->analysis->compilation.source;
    if (!place->analysis->compilation.file ||
        diag_has_errors(&place->analysis->compilation.diagnostics))
        refuse(refusal, REFUSED_REQUEST_FAILED, "the document has mistakes");
    else if (!definition)
        refuse(refusal, REFUSED_REQUEST_FAILED, "nothing here has a name of its own");
    else if (definition->kind == DEFINE_FILE ||
             source_of(&place->analysis->compilation.sources, definition->name.span) != source)
        refuse(refusal, REFUSED_REQUEST_FAILED, "it is defined in another file");
    else if (definition->kind == DEFINE_LABEL && strchr(definition->name.text, '{'))
        refuse(refusal, REFUSED_REQUEST_FAILED, "the label is made of values");
    else if (definition->kind == DEFINE_LABEL && is_shared(source, definition->name.text))
        refuse(refusal, REFUSED_REQUEST_FAILED, "`share` names the label");
    else
        return occurrence;
    return NULL;
}

json_t *serve_prepare_rename(Server *server, const json_t *params, Refusal *refusal) {
    RequestPlace place;
    if (!request_place(server, params, &place, refusal))
        return NULL;
    Arena arena = {0};
    Names names = names_of(&arena, place.analysis);
    const Occurrence *occurrence = find_renamed(&names, &place, refusal);
    json_t *result = NULL;
    if (occurrence)
        result = json_pack("{s:o, s:s}", "range",
                           position_range(server->encoding, &place.analysis->compilation.sources,
                                          occurrence->span),
                           "placeholder", occurrence->definition->name.text);
    arena_free(&arena);
    return result;
}

/* The text of the new name; NULL after refusing. */
static const char *new_text(Arena *arena, const Names *names, const Definition *definition,
                            const char *name, Refusal *refusal) {
    bool label = definition->kind == DEFINE_LABEL;
    if (label && is_label_text(name) && !is_name(name))
        return arena_format(arena, "\"%s\"", name);
    if (!is_label_text(name) || !is_name(name))
        refuse(refusal, REFUSED_INVALID_PARAMS, "`%.100s` is not a name", name);
    else if (!label && (has_name(names, name) || layer_find(name)))
        refuse(refusal, REFUSED_INVALID_PARAMS, "`%.100s` is the name of something else", name);
    else
        return name;
    return NULL;
}

json_t *serve_rename(Server *server, const json_t *params, Refusal *refusal) {
    RequestPlace place;
    const char *name = json_string_value(json_object_get(params, "newName"));
    if (!name)
        return refuse(refusal, REFUSED_INVALID_PARAMS, "`newName` is missing");
    if (!request_place(server, params, &place, refusal))
        return NULL;
    Arena arena = {0};
    Names names = names_of(&arena, place.analysis);
    const Occurrence *renamed = find_renamed(&names, &place, refusal);
    const Definition *definition = renamed ? renamed->definition : NULL;
    const char *text = definition ? new_text(&arena, &names, definition, name, refusal) : NULL;
    json_t *edits = json_array();
    for (size_t i = 0; text && i < names.occurrences.count; i++)
        if (names.occurrences.data[i].definition == definition)
            json_array_append_new(
                edits, edit_json(server, place.analysis, names.occurrences.data[i].span, text));
    arena_free(&arena);
    if (text)
        return json_pack("{s:{s:o}}", "changes", place.document->uri, edits);
    json_decref(edits);
    return NULL;
}
