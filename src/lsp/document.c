#include "lsp/document.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "output/json_value.h"

/* ---- URIs ----------------------------------------------------------------------------------- */

static int hex_digit(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return found ? (int)(found - digits) : -1;
}

static char *copy_text(const char *text) {
    char *copy = strdup(text);
    if (!copy)
        out_of_memory();
    return copy;
}

/* "/nets/a b.net" of "file:///nets/a%20b.net"; what is no file of this machine is its own path. */
static char *path_of_uri(const char *uri) {
    static const char scheme[] = "file://";
    if (strncasecmp(uri, scheme, sizeof scheme - 1) != 0 || uri[sizeof scheme - 1] != '/')
        return copy_text(uri);
    char *path = copy_text(uri + sizeof scheme - 1);
    char *end = path;
    for (const char *at = path; *at; at++) {
        int high = *at == '%' ? hex_digit(at[1]) : -1;
        int low = high >= 0 ? hex_digit(at[2]) : -1;
        int byte = low >= 0 ? high * 16 + low : 0;
        *end++ = byte ? (char)byte : *at;
        at += byte ? 2 : 0;
    }
    *end = '\0';
    return path;
}

json_t *document_uri(const Documents *documents, const char *path) {
    for (const Document *document = documents->first; document; document = document->next)
        if (strcmp(document->path, path) == 0)
            return json_string(document->uri);
    static const char plain[] =
        "-._~/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    StrBuf uri = {0};
    strbuf_add(&uri, "file://");
    for (; *path; path++)
        strbuf_format(&uri, strchr(plain, *path) ? "%c" : "%%%02X", (unsigned char)*path);
    json_t *json = json_string(strbuf_text(&uri));
    strbuf_free(&uri);
    return json;
}

/* ---- analysis ------------------------------------------------------------------------------- */

static void analysis_free(Analysis *analysis) {
    if (!analysis)
        return;
    compilation_end(&analysis->compilation);
    free(analysis);
}

/* A path that leads from the folder of one file to another by going up, as `use` has it:
 * "/nets/sub/../blocks.net". NULL where it need not go up. */
static const char *path_by_parents(Arena *arena, const char *from, const char *to) {
    size_t same = 0; /* with the slash behind the last folder of both */
    for (size_t i = 0; from[i] && from[i] == to[i]; i++)
        if (from[i] == '/')
            same = i + 1;
    const char *slash = strrchr(from, '/');
    if (same == 0 || from + same == slash + 1)
        return NULL;
    StrBuf path = {0};
    strbuf_add_bytes(&path, from, (size_t)(slash + 1 - from));
    for (const char *at = from + same; *at; at++)
        if (*at == '/')
            strbuf_add(&path, "../");
    strbuf_add(&path, to + same);
    const char *copy = arena_copy_text(arena, strbuf_text(&path), path.length);
    strbuf_free(&path);
    return copy;
}

/* The texts of the editor stand for the files of their paths. They may go before the analysis does:
 * the stages copy what they read. */
static void put_documents(Analysis *analysis, const Documents *documents, const Document *main) {
    Arena *arena = &analysis->compilation.arena;
    MemoryFileList *files = &analysis->options.files;
    for (const Document *other = documents->first; other; other = other->next) {
        MemoryFile file = {other->path, strbuf_text(&other->text), other->text.length};
        VEC_PUSH(arena, files, file);
        file.name = path_by_parents(arena, main->path, other->path);
        if (file.name)
            VEC_PUSH(arena, files, file);
    }
}

/* All that `netc check` does. After a mistake in the syntax the files that are used are read all
 * the same: they have names to complete. */
static void run_stages(Compilation *c, const char *path) {
    if (!compilation_read_source(c, path, path))
        return;
    if (!compilation_parse(c)) {
        compilation_read_used(c);
        return;
    }
    if (compilation_make_graph(c) && compilation_count(c) && compilation_bind_weights(c))
        compilation_make_plans(c);
}

/* Counting reports nothing: compilation_count has done it. */
static void count_graphs(Analysis *analysis) {
    Compilation *c = &analysis->compilation;
    if (!compilation_is_fine(c) || c->graphs.count == 0)
        return;
    analysis->counts = ARENA_ARRAY(&c->arena, c->graphs.count, GraphCount);
    for (size_t i = 0; i < c->graphs.count; i++)
        graph_count(c->graphs.data[i], &c->diagnostics, &analysis->counts[i]);
}

const GraphCount *analysis_count(const Analysis *analysis, const Graph *graph) {
    const GraphList *graphs = &analysis->compilation.graphs;
    for (size_t i = 0; analysis->counts && i < graphs->count; i++)
        if (graphs->data[i] == graph)
            return &analysis->counts[i];
    return NULL;
}

const Analysis *document_analysis(const Documents *documents, Document *document) {
    if (document->analysis)
        return document->analysis;
    Analysis *analysis = calloc(1, sizeof *analysis);
    if (!analysis)
        out_of_memory();
    analysis->options = COMPILE_OPTIONS_DEFAULT;
    Compilation *c = &analysis->compilation;
    compilation_begin(c, &analysis->options);
    c->meanings = &analysis->meanings;
    put_documents(analysis, documents, document);
    run_stages(c, document->path);
    count_graphs(analysis);
    meanings_sort(&analysis->meanings);
    diag_sort(&c->diagnostics);
    document->analysis = analysis;
    return analysis;
}

/* ---- documents ------------------------------------------------------------------------------ */

Document *document_find(const Documents *documents, const char *uri) {
    Document *document = documents->first;
    while (document && strcmp(document->uri, uri) != 0)
        document = document->next;
    return document;
}

/* What was made of it holds no longer. */
static void forget_analysis(Document *document) {
    Analysis *analysis = document->analysis;
    document->analysis = NULL;
    document->unpublished = true;
    analysis_free(analysis);
}

void document_set(Documents *documents, const char *uri, const char *text, size_t length,
                  json_int_t version) {
    Document *document = document_find(documents, uri);
    if (!document) {
        document = calloc(1, sizeof *document);
        if (!document)
            out_of_memory();
        document->uri = copy_text(uri);
        document->path = path_of_uri(uri);
        document->next = documents->first;
        documents->first = document;
    }
    forget_analysis(document);
    document->version = version;
    strbuf_free(&document->text);
    document->text = (StrBuf){0};
    strbuf_add_bytes(&document->text, text, length);
    documents_changed(documents);
}

/* Whether more was looked at than its own text. */
static bool reads_files(const Document *document) {
    if (!document->analysis)
        return false;
    const Compilation *c = &document->analysis->compilation;
    for (size_t i = 0; c->file && i < c->file->items.count; i++)
        if (c->file->items.data[i].kind == ITEM_USE)
            return true;
    return c->graph && c->graph->weights_path;
}

void documents_changed(Documents *documents) {
    for (Document *document = documents->first; document; document = document->next)
        if (reads_files(document))
            forget_analysis(document);
}

void document_close(Documents *documents, Document *document) {
    Document **link = &documents->first;
    while (*link != document)
        link = &(*link)->next;
    *link = document->next;
    forget_analysis(document);
    strbuf_free(&document->text);
    free(document->uri);
    free(document->path);
    free(document);
}

void documents_close(Documents *documents) {
    while (documents->first)
        document_close(documents, documents->first);
}
