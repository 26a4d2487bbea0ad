/* What netc writes: everything through the FileSet, so all of it or nothing. */
#include <string.h>

#include "driver/progress.h"
#include "driver/verbs.h"
#include "output/depfile.h"

/* `path` with its ending (after the last dot of its last part) replaced. */
static const char *with_ending(Arena *arena, const char *path, const char *ending) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    size_t length = dot && dot != name ? (size_t)(dot - path) : strlen(path);
    return arena_format(arena, "%.*s%s", (int)length, path, ending);
}

/* They are named after the object, or after the function if it has no name. */
static bool open_outputs(Compilation *c, const Options *options, ObjectOutputs *outputs) {
    const char *named = arena_format(&c->arena, "%s.o", c->variants.symbol);
    const char *object = options->outputs.count > 0 ? options->outputs.data[0] : named;
    if (strcmp(object, "-") != 0)
        named = object;
    const char *header = options->header ? options->header : with_ending(&c->arena, named, ".h");
    outputs->header = file_set_open(&c->files, header);
    if (outputs->header < 0)
        return false;
    outputs->packed = -1;
    if (compilation_packs_beside(c)) {
        const char *packed =
            options->packed ? options->packed : with_ending(&c->arena, named, ".weights");
        outputs->packed = file_set_open(&c->files, packed);
        if (outputs->packed < 0)
            return false;
    }
    outputs->object = file_set_open(&c->files, object);
    return outputs->object >= 0;
}

/* Before the other files, so that they are never newer than what is said of them. */
static bool open_depfile(Compilation *c, const Options *options, int *index) {
    *index = -1;
    if (options->depfile)
        *index = file_set_open(&c->files, options->depfile);
    return !options->depfile || *index >= 0;
}

static bool write_depfile(Compilation *c, int index) {
    return index < 0 || depfile_write(&c->files, index);
}

bool outputs_write_object(Compilation *c, const Options *options) {
    int depfile;
    ObjectOutputs outputs;
    if (!open_depfile(c, options, &depfile) || !open_outputs(c, options, &outputs))
        return false;
    Progress progress;
    progress_begin(&progress, &c->files, (uint64_t)c->variants.packed_bytes);
    bool done = compilation_write_object(c, &outputs);
    progress_end(&progress);
    return done && write_depfile(c, depfile);
}

bool outputs_write_text(Compilation *c, const Options *options, const StrBuf *text) {
    const char *path = options->outputs.count > 0 ? options->outputs.data[0] : "-";
    int depfile;
    if (!open_depfile(c, options, &depfile))
        return false;
    int index = file_set_open(&c->files, path);
    return index >= 0 && file_set_write(&c->files, index, text->data, text->length) &&
           write_depfile(c, depfile);
}
