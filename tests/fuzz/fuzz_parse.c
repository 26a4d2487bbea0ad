/* Any bytes as source: the syntax stage must end with a tree or diagnostics, and what it says must
 * be about places in the text.
 *
 * With clang: -fsanitize=fuzzer,address,undefined. With -DFUZZ_STANDALONE it is a program that
 * replays each file of a corpus and COUNT mutations of it, the same ones every time:
 *     fuzz_parse COUNT FILE... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    Arena arena = {0};
    SourceMap sources = {.arena = &arena};
    Intern intern = {.arena = &arena};
    Diagnostics diagnostics = {.arena = &arena, .sources = &sources};
    const Source *source =
        source_add(&sources, "fuzz.net", size > 0 ? (const char *)data : "", size);
    StrBuf out = {0};
    const File *file = parse_file(&arena, &intern, &diagnostics, source);
    check_file(file);
    ast_print(file, &out);
    parse_print_tokens(&arena, &intern, &diagnostics, source, &out);
    check_diagnostics(&diagnostics, source);
    diag_render_text(&diagnostics, 20, false, &out);
    strbuf_free(&out);
    arena_free(&arena);
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
            for (size_t changes = 1 + below(&state, 6); changes > 0; changes--)
                mutate(&text, &state);
            LLVMFuzzerTestOneInput(text.bytes, text.size);
        }
    }
    printf("%d files, %ld mutations of each\n", argc - 2, count);
    return 0;
}

#endif
