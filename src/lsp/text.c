#include "lsp/text.h"

#include <string.h>

#include "support/unicode.h"

/* ---- words ---------------------------------------------------------------------------------- */

static Word word_of(const Source *source, size_t begin, size_t end) {
    return (Word){source->text + begin,
                  end - begin,
                  {source->base + (uint32_t)begin, source->base + (uint32_t)end}};
}

Word word_at(const Source *source, uint32_t offset) {
    size_t begin = offset - source->base;
    size_t end = begin;
    while (begin > 0 && is_name_character(source->text[begin - 1]))
        begin--;
    while (end < source->length && is_name_character(source->text[end]))
        end++;
    return word_of(source, begin, end);
}

bool word_is(Word word, const char *text) {
    return strlen(text) == word.length && memcmp(text, word.text, word.length) == 0;
}

const LayerInfo *word_layer(Word word) {
    size_t count;
    const LayerInfo *const *table = layer_table(&count);
    for (size_t i = 0; i < count; i++)
        if (word_is(word, table[i]->name))
            return table[i];
    return NULL;
}

/* ---- the place of a cursor ------------------------------------------------------------------ */

#define MAX_BRACKETS 256 /* what is deeper counts as the deepest */

typedef struct OpenBracket {
    char bracket;
    bool body;   /* `{` of a network or block, behind which statements stand */
    bool chain;  /* `{` behind which steps stand */
    Word callee; /* `(` of a call */
} OpenBracket;

/* A reader of the text up to the cursor, token by token. */
typedef struct Reader {
    const Source *source;
    size_t at;
    size_t end;
    int depth;
    OpenBracket open[MAX_BRACKETS];
    char last;         /* the first byte of the last token; '>' for `->`, 'a' for a word, '"' for a
                          text, '\n' for a line end */
    char before;       /* the same of the token before it */
    Word word;         /* the last word */
    bool in_header;    /* of a network or block: a brace opens its body */
    bool in_step;      /* the statement has had a `->`: a brace opens a chain */
    bool inside_token; /* the end is in a comment or a text */
} Reader;

static void skip_text(Reader *reader) {
    const char *text = reader->source->text;
    size_t at = reader->at + 1;
    while (at < reader->end && text[at] != '"' && text[at] != '\n' && text[at] != '\r')
        at += text[at] == '\\' && at + 1 < reader->end ? 2 : 1;
    reader->inside_token = at == reader->end;
    reader->at = at < reader->end && text[at] == '"' ? at + 1 : at;
}

static void skip_comment(Reader *reader) {
    const char *text = reader->source->text;
    while (reader->at < reader->end && text[reader->at] != '\n' && text[reader->at] != '\r')
        reader->at++;
    reader->inside_token = reader->at == reader->end;
}

/* Words behind which a value stands. */
static bool comes_before_value(Word word) {
    static const char *const words[] = {"return", "assert", "if", "in",
                                        "repeat", "and",    "or", "not"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (word_is(word, words[i]))
            return true;
    return false;
}

static void open_bracket(Reader *reader, char bracket) {
    bool brace = bracket == '{';
    OpenBracket open = {.bracket = bracket,
                        .body = brace && reader->in_header,
                        .chain = brace && !reader->in_header && reader->in_step};
    bool call = bracket == '(' && reader->before == 'a' && !reader->in_header;
    if (call && !comes_before_value(reader->word))
        open.callee = reader->word;
    if (reader->depth < MAX_BRACKETS)
        reader->open[reader->depth++] = open;
    reader->in_header = reader->in_header && !brace;
    reader->in_step = reader->in_step && !open.body;
}

/* Whether a line end or `;` ends a statement here, and `=` names something. */
static bool is_between_statements(const Reader *reader) {
    return reader->depth == 0 || reader->open[reader->depth - 1].body;
}

static bool begins_statement(const Reader *reader) {
    return is_between_statements(reader) && (reader->last == '\0' || reader->last == '\n' ||
                                             reader->last == ';' || reader->last == '}');
}

static void take_word(Reader *reader) {
    bool first = begins_statement(reader);
    size_t begin = reader->at;
    while (reader->at < reader->end && is_name_character(reader->source->text[reader->at]))
        reader->at++;
    reader->word = word_of(reader->source, begin, reader->at);
    if (first)
        reader->in_header = word_is(reader->word, "network") || word_is(reader->word, "block");
    reader->last = 'a';
}

static void take_sign(Reader *reader, char c) {
    const char *next = reader->source->text + ++reader->at;
    if (c == '-' && reader->at < reader->end && *next == '>') {
        reader->at++;
        reader->last = '>';
        reader->in_step = true;
    } else if (c == '(' || c == '[' || c == '{') {
        open_bracket(reader, c);
    } else if ((c == ')' || c == ']' || c == '}') && reader->depth > 0) {
        reader->depth--;
    } else if ((c == '=' || c == ';' || c == '\n') && is_between_statements(reader)) {
        reader->in_step = false;
    }
}

/* Takes a token, or what is between two. */
static void take_token(Reader *reader) {
    char c = reader->source->text[reader->at];
    bool line_end = c == '\n' || c == '\r';
    if (c == ' ' || c == '\t' || (line_end && !is_between_statements(reader))) {
        reader->at++;
        return;
    }
    if (c == '#') {
        skip_comment(reader);
        return;
    }
    char last = reader->last;
    if (is_name_character(c)) {
        take_word(reader);
        reader->before = last;
        return;
    }
    reader->before = last;
    reader->last = line_end ? '\n' : c;
    if (c == '"')
        skip_text(reader);
    else
        take_sign(reader, reader->last);
}

static Situation situation_of(const Reader *reader) {
    const OpenBracket *open = reader->depth > 0 ? &reader->open[reader->depth - 1] : NULL;
    bool call = open && open->bracket == '(' && open->callee.length > 0;
    if (reader->inside_token)
        return SITUATION_NONE;
    switch (reader->last) {
    case '>': return reader->in_header ? SITUATION_NONE : SITUATION_STEP;
    case ':': return reader->in_step ? SITUATION_STEP : SITUATION_NONE;
    case '{':
        return open && open->body    ? SITUATION_STATEMENT
               : open && open->chain ? SITUATION_STEP
                                     : SITUATION_VALUE;
    case '}': return is_between_statements(reader) ? SITUATION_STATEMENT : SITUATION_NONE;
    case ';':
    case '\n':
    case '\0': return SITUATION_STATEMENT;
    case '(':
    case ',': return call ? SITUATION_ARGUMENT : SITUATION_VALUE;
    case 'a': return comes_before_value(reader->word) ? SITUATION_VALUE : SITUATION_NONE;
    case '"':
    case ')':
    case ']':
    case '.': return SITUATION_NONE;
    default: return SITUATION_VALUE;
    }
}

Cursor cursor_at(const Source *source, uint32_t offset) {
    Reader reader = {.source = source, .end = offset - source->base};
    while (reader.at < reader.end)
        take_token(&reader);
    Cursor cursor = {.situation = situation_of(&reader)};
    const OpenBracket *open = reader.depth > 0 ? &reader.open[reader.depth - 1] : NULL;
    if (open && open->bracket == '(')
        cursor.callee = open->callee;
    if (cursor.callee.length > 0 && reader.last == '=' && reader.before == 'a')
        cursor.argument = reader.word;
    for (int i = 0; i < reader.depth; i++)
        cursor.in_body = cursor.in_body || reader.open[i].body;
    return cursor;
}
