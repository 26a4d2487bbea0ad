/* `use "blocks.net"`: reads the files that a file uses, and those that they use. */
#include <string.h>
#include <sys/stat.h>

#include "compilation/compilation.h"
#include "syntax/parse.h"
#include "weights/path.h"

#define SOURCE_LIMIT  ((size_t)64 << 20) /* bytes of a .net file */
#define USE_MAX_DEPTH 64                 /* most files that use one another in a row */

/* The chain of files that are being read, from the innermost out. */
typedef struct Reading Reading;
struct Reading {
    const Reading *outer;
    const UsedFile *used;
    Span span; /* of the path in the `use`; SPAN_NONE for the file on the command line */
    int depth;
};

/* What a path leads to, as far as it can be told. */
static UsedFile identify(const Compilation *c, const char *path) {
    UsedFile found = {.memory = compilation_memory_file(c, path)};
    struct stat status;
    if (!found.memory && stat(path, &status) == 0) {
        found.device = (uint64_t)status.st_dev;
        found.inode = (uint64_t)status.st_ino;
    }
    return found;
}

static bool is_same(const UsedFile *a, const UsedFile *b) {
    if (a->memory || b->memory)
        return a->memory == b->memory;
    return a->inode != 0 && a->device == b->device && a->inode == b->inode;
}

static UsedFile *find_used(const Compilation *c, const UsedFile *wanted) {
    for (size_t i = 0; i < c->used.count; i++)
        if (is_same(c->used.data[i], wanted))
            return c->used.data[i];
    return NULL;
}

static UsedFile *note_used(Compilation *c, UsedFile used) {
    UsedFile *noted = ARENA_NEW(&c->arena, UsedFile);
    *noted = used;
    VEC_PUSH(&c->arena, &c->used, noted);
    return noted;
}

const MemoryFile *compilation_memory_file(const Compilation *c, const char *path) {
    const MemoryFileList *files = &c->options->files;
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->data[i].name, path) == 0)
            return &files->data[i];
    return NULL;
}

bool compilation_may_read(Compilation *c, const char *path, Span span) {
    if (c->options->only_memory)
        diag_report(&c->diagnostics, DIAG_E0701, span,
                    "cannot read `%s`: it is not among the files in memory", path);
    return !c->options->only_memory;
}

static bool check_size(Compilation *c, const MemoryFile *file, Span span) {
    if (file->size <= SOURCE_LIMIT)
        return true;
    diag_report(&c->diagnostics, DIAG_E0803, span, "`%s` has more than %zu bytes", file->name,
                SOURCE_LIMIT);
    return false;
}

const Source *compilation_read_unguarded(Compilation *c, const char *path, const char *name,
                                         Span span) {
    const MemoryFile *memory = compilation_memory_file(c, path);
    if (memory)
        return check_size(c, memory, span)
                   ? source_add(&c->sources, name, memory->bytes, memory->size)
                   : NULL;
    FileBytes bytes;
    if (!compilation_may_read(c, path, span) ||
        !file_read(&c->diagnostics, span, path, SOURCE_LIMIT, &bytes))
        return NULL;
    const Source *source = source_add(&c->sources, name, (const char *)bytes.data, bytes.size);
    file_release(&bytes);
    return source;
}

const Source *compilation_read(Compilation *c, const char *path, const char *name, Span span) {
    const Source *source = compilation_read_unguarded(c, path, name, span);
    if (!source || compilation_memory_file(c, path))
        return source;
    return file_set_guard_input(&c->files, path) ? source : NULL;
}

static bool is_being_read(const Reading *reading, const UsedFile *used) {
    for (; reading; reading = reading->outer)
        if (reading->used == used)
            return true;
    return false;
}

/* `use` number n leads to a file that led to it. */
static void report_cycle(Compilation *c, const Reading *reading, const UsedFile *used, Span span) {
    Diagnostic *diagnostic = diag_report(&c->diagnostics, DIAG_E0310, span, "`%s` uses itself",
                                         used->file->source->name);
    for (; reading && reading->used != used; reading = reading->outer)
        diag_label(&c->diagnostics, diagnostic, reading->span, "by way of `%s`",
                   reading->used->file->source->name);
}

static bool read_uses(Compilation *c, const Reading *reading);

/* The file at `path`, with all that it uses; NULL after a mistake. */
static const File *read_used(Compilation *c, const Reading *outer, const char *path, Span span) {
    UsedFile found = identify(c, path);
    UsedFile *used = find_used(c, &found);
    if (used && is_being_read(outer, used)) {
        report_cycle(c, outer, used, span);
        return NULL;
    }
    if (used)
        return used->file;
    if (outer->depth == USE_MAX_DEPTH) {
        diag_report(&c->diagnostics, DIAG_E0801, span,
                    "more than %d files use one another in a row", USE_MAX_DEPTH);
        return NULL;
    }
    const Source *source = compilation_read(c, path, path, span);
    if (!source)
        return NULL;
    found.file = parse_file(&c->arena, &c->intern, &c->diagnostics, source);
    used = note_used(c, found);
    Reading reading = {outer, used, span, outer->depth + 1};
    return read_uses(c, &reading) ? used->file : NULL;
}

/* Reads what the innermost file uses. */
static bool read_uses(Compilation *c, const Reading *reading) {
    File *file = reading->used->file;
    bool fine = true;
    for (size_t i = 0; i < file->items.count; i++) {
        Item *item = &file->items.data[i];
        if (item->kind != ITEM_USE)
            continue;
        const char *path = weights_path_resolve(&c->arena, &c->diagnostics, item->name.span,
                                                file->source->name, item->name.text, true);
        item->used = read_used(c, reading, path, item->name.span);
        fine = item->used != NULL && fine;
    }
    return fine;
}

bool compilation_read_used(Compilation *c) {
    UsedFile first = identify(c, c->path);
    first.file = c->file;
    Reading reading = {.used = note_used(c, first)};
    return read_uses(c, &reading);
}
