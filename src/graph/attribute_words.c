/* Bare words as values of arguments: names of axes, choices, `same`. */
#include <assert.h>
#include <string.h>

#include "graph/attribute_reader.h"
#include "support/suggest.h"

/* Most words that an attribute may choose from. */
#define MAX_CHOICES 16

/* Names of the axes of a tensor of `rank`, one letter each; "" where they have none. */
static const char *axis_letters(int rank) {
    static const char *const letters[] = {"", "c", "cl", "chw", "cdhw"};
    return rank >= 0 && rank <= 4 ? letters[rank] : "";
}

int axis_of_word(const char *word, int rank) {
    const char *letters = axis_letters(rank);
    const char *found = word[0] && !word[1] ? strchr(letters, word[0]) : NULL;
    return found ? (int)(found - letters) : -1;
}

static bool names_some_axis(const char *word) {
    return word[0] && !word[1] && strchr("cdhlw", word[0]);
}

int choice_of_word(const AttributeInfo *info, const char *word) {
    size_t length;
    const char *choice;
    for (int i = 0; (choice = attribute_choice(info, i, &length)) != NULL; i++)
        if (strlen(word) == length && memcmp(choice, word, length) == 0)
            return i;
    return -1;
}

bool attribute_takes_word(const LayerInfo *layer, int index, const char *word, const Value *input) {
    switch (layer->attributes[index].kind) {
    case ATTRIBUTE_PADDING: return strcmp(word, "same") == 0;
    case ATTRIBUTE_WORD: return choice_of_word(&layer->attributes[index], word) >= 0;
    case ATTRIBUTE_AXIS:
    case ATTRIBUTE_AXES:
        return input ? axis_of_word(word, input->type.shape.rank) >= 0 : names_some_axis(word);
    case ATTRIBUTE_INTEGER:
    case ATTRIBUTE_NUMBER:
    case ATTRIBUTE_BOOLEAN:
    case ATTRIBUTE_SIZE:
    case ATTRIBUTE_SHAPE:
    case ATTRIBUTE_INTEGERS:
    case ATTRIBUTE_NUMBERS: return false;
    }
    assert(false);
    return false;
}

/* ---- mistakes ----------------------------------------------------------------------------- */

/* What other languages write for `on`, `off` and no padding. */
static const char *foreign_word(AttributeKind kind, const char *word) {
    static const struct {
        AttributeKind kind;
        const char *foreign;
        const char *word;
    } words[] = {
        {ATTRIBUTE_BOOLEAN, "true", "on"},   {ATTRIBUTE_BOOLEAN, "True", "on"},
        {ATTRIBUTE_BOOLEAN, "yes", "on"},    {ATTRIBUTE_BOOLEAN, "false", "off"},
        {ATTRIBUTE_BOOLEAN, "False", "off"}, {ATTRIBUTE_BOOLEAN, "no", "off"},
        {ATTRIBUTE_BOOLEAN, "None", "off"},  {ATTRIBUTE_PADDING, "valid", "0"},
        {ATTRIBUTE_PADDING, "VALID", "0"},   {ATTRIBUTE_PADDING, "SAME", "same"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].kind == kind && strcmp(words[i].foreign, word) == 0)
            return words[i].word;
    return NULL;
}

/* Reports a word in place of one that netc has for the same. */
static void report_foreign(const AttributeReader *reader, Name word, const char *meant) {
    Diagnostics *diagnostics = reader->e->diagnostics;
    Diagnostic *diagnostic = diag_report(
        diagnostics, DIAG_E0201, word.span, "`%s` of `%s` is %s, not `%s`", reader->info->name,
        reader->call->layer->name, attribute_kind_text(reader->e->arena, reader->info), word.text);
    diag_fix(diagnostics, diagnostic, word.span, meant, true, "netc writes `%s`", meant);
}

static void report_choice(const AttributeReader *reader, Name word) {
    Elaborator *e = reader->e;
    const char *choices[MAX_CHOICES];
    size_t count = 0, length;
    const char *choice;
    while ((choice = attribute_choice(reader->info, (int64_t)count, &length)) != NULL) {
        assert(count < MAX_CHOICES);
        choices[count++] = arena_copy_text(e->arena, choice, length);
    }
    Diagnostic *diagnostic = diag_report(
        e->diagnostics, DIAG_E0201, word.span, "`%s` of `%s` is %s, not `%s`", reader->info->name,
        reader->call->layer->name, attribute_kind_text(e->arena, reader->info), word.text);
    const char *nearest = suggest_name(word.text, choices, count);
    if (nearest)
        diag_fix(e->diagnostics, diagnostic, word.span, nearest, true, "did you mean `%s`?",
                 nearest);
    else
        diag_fix(e->diagnostics, diagnostic, word.span, choices[0], false, "for example `%s`",
                 choices[0]);
    diag_note(e->diagnostics, diagnostic, "`%s`: %s", reader->info->name, reader->info->help);
}

static void report_axis_letter(const AttributeReader *reader, Name word) {
    Elaborator *e = reader->e;
    const Value *input = reader->call->input;
    const Shape *shape = &input->type.shape;
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0218, word.span, "%s has no axis `%s`",
                    shape_text(e->arena, shape), word.text);
    diag_here(e->diagnostics, diagnostic, "%d dimension%s", shape->rank,
              shape->rank == 1 ? "" : "s");
    diag_label(e->diagnostics, diagnostic, input->span, "%s", shape_text(e->arena, shape));
}

bool wrong_word(const AttributeReader *reader, Name word) {
    static const char *const padding_words[] = {"same"};
    AttributeKind kind = reader->info->kind;
    bool axes = kind == ATTRIBUTE_AXIS || kind == ATTRIBUTE_AXES;
    const char *meant = foreign_word(kind, word.text);
    if (meant)
        report_foreign(reader, word, meant);
    else if (kind == ATTRIBUTE_WORD)
        report_choice(reader, word);
    else if (axes && reader->call->input && names_some_axis(word.text))
        report_axis_letter(reader, word);
    else
        report_unknown_name(reader->e, word, padding_words, kind == ATTRIBUTE_PADDING ? 1 : 0);
    return false;
}
