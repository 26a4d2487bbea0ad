/* Any bytes as source: the syntax stage must end with a tree or diagnostics, and what it says must
 * be about places in the text; as a network and as conditions. A text without mistakes is then
 * formatted: that keeps the tree and the comments, and a second time changes nothing.
 *
 * With clang: -fsanitize=fuzzer,address,undefined. With -DFUZZ_STANDALONE it is a program that
 * replays each file of a corpus and COUNT mutations of it, the same ones every time:
 *     fuzz_parse COUNT FILE... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "syntax/format.h"
#include "syntax/parse.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void require(bool holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "fuzz_parse: %s\n", what);
    abort();
}

static void check_diagnostics(const Diagnostics *diagnostics, const Source *source) {
    for (size_t i = 0; i < diagnostics->list.count; i++) {
        Span span = diagnostics->list.data[i]->span;
        require(span.begin >= source->base && span.begin <= span.end &&
                    span.end <= source->base + source->length,
                "a diagnostic outside of the text");
    }
}

static void check_file(const File *file) {
    for (size_t i = 0; i < file->items.count; i++) {
        const Item *item = &file->items.data[i];
        require(item->name.text != NULL, "an item without a name");
        require(item->kind != ITEM_LET || item->value->depth <= AST_MAX_DEPTH, "too deep");
        for (size_t j = 0; j < item->body.count; j++)
            require(item->body.data[j].value->depth <= AST_MAX_DEPTH, "too deep");
    }
}

typedef struct Syntax {
    Arena arena;
    SourceMap sources;
    Intern intern;
    Diagnostics diagnostics;
} Syntax;

static void syntax_begin(Syntax *syntax) {
    *syntax = (Syntax){0};
    syntax->sources.arena = syntax->intern.arena = syntax->diagnostics.arena = &syntax->arena;
    syntax->diagnostics.sources = &syntax->sources;
}

static const File *syntax_parse(Syntax *syntax, const char *text, size_t size) {
    const Source *source = source_add(&syntax->sources, "fuzz.net", size > 0 ? text : "", size);
    return parse_file(&syntax->arena, &syntax->intern, &syntax->diagnostics, source);
}

/* The same bytes as a text of conditions. */
static void check_conditions(const unsigned char *data, size_t size) {
    Syntax syntax;
    syntax_begin(&syntax);
    const Source *source =
        source_add(&syntax.sources, "fuzz.txt", size > 0 ? (const char *)data : "", size);
    StatementList list =
        parse_conditions(&syntax.arena, &syntax.intern, &syntax.diagnostics, source);
    for (size_t i = 0; i < list.count; i++) {
        require(list.data[i].kind == STATEMENT_ASSERT, "a condition that is none");
        require(list.data[i].value->depth <= AST_MAX_DEPTH, "too deep");
    }
    check_diagnostics(&syntax.diagnostics, source);
    arena_free(&syntax.arena);
}

static bool same_text(const StrBuf *a, const StrBuf *b) {
    return a->length == b->length && memcmp(strbuf_text(a), strbuf_text(b), a->length) == 0;
}

/* Number signs, those in texts included: formatting changes none of either. */
static size_t count_signs(const char *text, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += text[i] == '#';
    return count;
}

/* `tree` is how the syntax tree of `file`, which has no mistake, is printed. */
static void check_format(Syntax *syntax, const File *file, const StrBuf *tree) {
    StrBuf once = {0};
    StrBuf twice = {0};
    StrBuf tree_again = {0};
    const Source *source = file->source;
    format_source(&syntax->arena, &syntax->intern, &syntax->diagnostics, source, &once);
    const File *again = syntax_parse(syntax, strbuf_text(&once), once.length);
    require(!diag_has_errors(&syntax->diagnostics), "the formatted text has mistakes");
    ast_print(again, &tree_again);
    require(same_text(tree, &tree_again), "formatting changes the tree");
    require(count_signs(source->text, source->length) == count_signs(once.data, once.length),
            "formatting loses a comment");
    format_source(&syntax->arena, &syntax->intern, &syntax->diagnostics, again->source, &twice);
    require(same_text(&once, &twice), "formatting twice is not formatting once");
    strbuf_free(&once);
    strbuf_free(&twice);
    strbuf_free(&tree_again);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    Syntax syntax;
    syntax_begin(&syntax);
    StrBuf out = {0};
    const File *file = syntax_parse(&syntax, (const char *)data, size);
    check_file(file);
    check_diagnostics(&syntax.diagnostics, file->source);
    ast_print(file, &out);
    if (!diag_has_errors(&syntax.diagnostics))
        check_format(&syntax, file, &out);
    parse_print_tokens(&syntax.arena, &syntax.intern, &syntax.diagnostics, file->source, &out);
    check_diagnostics(&syntax.diagnostics, file->source);
    diag_sort(&syntax.diagnostics);
    diag_render_text(&syntax.diagnostics, 20, false, &out);
    strbuf_free(&out);
    arena_free(&syntax.arena);
    check_conditions(data, size);
    return 0;
}

#ifdef FUZZ_STANDALONE

#define MOST_BYTES 65536

typedef struct Text {
    unsigned char bytes[MOST_BYTES];
    size_t size;
} Text;

static uint32_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static size_t below(uint64_t *state, size_t limit) {
    return limit > 0 ? next_random(state) % limit : 0;
}

/* Puts `length` bytes in the place of `removed` bytes at `at`, if they fit. */
static void replace(Text *text, size_t at, size_t removed, const void *bytes, size_t length) {
    if (text->size - removed + length > MOST_BYTES)
        return;
    memmove(text->bytes + at + length, text->bytes + at + removed, text->size - at - removed);
    memcpy(text->bytes + at, bytes, length);
    text->size = text->size - removed + length;
}

/* Pieces that change the layout only, nearly everywhere. */
static const char *const blanks[] = {"\n", "\n\n", " ", "# c\n", "\n# c\n", " ;", "\r\n\t"};

/* Pieces that mean something to the scanner. */
static const char *const pieces[] = {
    "(",          ")",         "[",       "]",
    "{",          "}",         "->",      "=",
    "==",         ",",         ":",       ";",
    "\n",         "\r\n",      "\r",      "\"",
    "\\u{41}",    "#",         "+",       "-",
    "*",          "not ",      " and ",   ".",
    "3x3",        "1e9",       "1.9G",    "9999999999999999999",
    "x",          "conv",      "if ",     "else ",
    "repeat 3 {", "block b {", "use ",    "network f(x: [1]) {",
    "let ",       "return ",   "assert ", "weights ",
    "a = ",       "\xc3\xa9",  "\xff",    "//",
    "'",          "&&",        "$",       "!",
    "((((((((",   "[[[[[[[[",
};

static void mutate(Text *text, uint64_t *state) {
    size_t at = below(state, text->size + 1);
    size_t length = below(state, text->size - at + 1);
    switch (below(state, 5)) {
    case 0: { /* another byte */
        unsigned char byte = (unsigned char)next_random(state);
        replace(text, at, at < text->size ? 1 : 0, &byte, 1);
        break;
    }
    case 1: replace(text, at, length < 20 ? length : 20, "", 0); break;
    case 2: { /* a part twice */
        unsigned char copy[256];
        length = length < sizeof copy ? length : sizeof copy;
        memcpy(copy, text->bytes + at, length);
        replace(text, below(state, text->size + 1), 0, copy, length);
        break;
    }
    default: {
        const char *piece = pieces[below(state, sizeof pieces / sizeof *pieces)];
        replace(text, at, 0, piece, strlen(piece));
    }
    }
}

/* Another layout of the same text, most of the time. */
static void mutate_layout(Text *text, uint64_t *state) {
    size_t at = below(state, text->size + 1);
    while (at < text->size && strchr(" (,){}\n", text->bytes[at]) == NULL)
        at++;
    const char *blank = blanks[below(state, sizeof blanks / sizeof *blanks)];
    replace(text, at, 0, blank, strlen(blank));
}

static bool read_text(const char *path, Text *text) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    text->size = fread(text->bytes, 1, MOST_BYTES, file);
    bool fine = !ferror(file);
    fclose(file);
    return fine;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: %s COUNT FILE...\n", argv[0]);
        return 2;
    }
    long count = strtol(argv[1], NULL, 10);
    static Text original;
    static Text text;
    uint64_t state = 1;
    for (int i = 2; i < argc; i++) {
        if (!read_text(argv[i], &original)) {
            perror(argv[i]);
            return 1;
        }
        LLVMFuzzerTestOneInput(original.bytes, original.size);
        for (long round = 0; round < count; round++) {
            text = original;
            bool layout = below(&state, 2) == 0;
            for (size_t changes = 1 + below(&state, 6); changes > 0; changes--)
                (layout ? mutate_layout : mutate)(&text, &state);
            LLVMFuzzerTestOneInput(text.bytes, text.size);
        }
    }
    printf("%d files, %ld mutations of each\n", argc - 2, count);
    return 0;
}

#endif
