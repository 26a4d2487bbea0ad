/* `use "blocks.net"`: reads the files that a file uses, and those that they use. */
#include <sys/stat.h>

#include "driver/compilation.h"
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

static UsedFile *find_used(const Compilation *c, const struct stat *status) {
    for (size_t i = 0; i < c->used.count; i++)
        if (c->used.data[i]->device == (uint64_t)status->st_dev &&
            c->used.data[i]->inode == (uint64_t)status->st_ino)
            return c->used.data[i];
    return NULL;
}

static UsedFile *note_used(Compilation *c, File *file, const struct stat *status) {
    UsedFile *used = ARENA_NEW(&c->arena, UsedFile);
    used->file = file;
    if (status) {
        used->device = (uint64_t)status->st_dev;
        used->inode = (uint64_t)status->st_ino;
    }
    VEC_PUSH(&c->arena, &c->used, used);
    return used;
}

const Source *compilation_read_unguarded(Compilation *c, const char *path, const char *name,
                                         Span span) {
    FileBytes bytes;
    if (!file_read(&c->diagnostics, span, path, SOURCE_LIMIT, &bytes))
        return NULL;
    const Source *source = source_add(&c->sources, name, (const char *)bytes.data, bytes.size);
    file_release(&bytes);
    return source;
}

const Source *compilation_read(Compilation *c, const char *path, const char *name, Span span) {
    const Source *source = compilation_read_unguarded(c, path, name, span);
    return source && file_set_guard_input(&c->files, path) ? source : NULL;
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
    struct stat status;
    bool known = stat(path, &status) == 0;
    UsedFile *used = known ? find_used(c, &status) : NULL;
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
    File *file = parse_file(&c->arena, &c->intern, &c->diagnostics, source);
    used = note_used(c, file, known ? &status : NULL);
    Reading reading = {outer, used, span, outer->depth + 1};
    return read_uses(c, &reading) ? file : NULL;
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
    struct stat status;
    bool known = stat(c->path, &status) == 0;
    Reading reading = {.used = note_used(c, c->file, known ? &status : NULL)};
    return read_uses(c, &reading);
}
