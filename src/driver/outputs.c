/* What netc writes: everything through the FileSet, so all of it or nothing. */
#include <string.h>

#include "driver/compilation.h"
#include "output/header.h"
#include "output/packed_file.h"

/* `path` with its ending (after the last dot of its last part) replaced. */
static const char *with_ending(Arena *arena, const char *path, const char *ending) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    size_t length = dot && dot != name ? (size_t)(dot - path) : strlen(path);
    return arena_format(arena, "%.*s%s", (int)length, path, ending);
}

static bool write_header(Compilation *c, const char *path) {
    StrBuf text = {0};
    header_print(&c->variants, &c->count, &c->codegen_options, &text);
    int index = file_set_open(&c->files, path);
    bool done = index >= 0 && file_set_write(&c->files, index, text.data, text.length);
    strbuf_free(&text);
    return done;
}

/* The files beside the object are named after it, or after the network if it has no name. */
bool outputs_write_object(Compilation *c) {
    const Options *options = c->options;
    const char *named = arena_format(&c->arena, "%s.o", c->graph->name);
    const char *object = options->outputs.count > 0 ? options->outputs.data[0] : named;
    if (strcmp(object, "-") != 0)
        named = object;
    const char *header = options->header ? options->header : with_ending(&c->arena, named, ".h");
    if (!write_header(c, header))
        return false;
    if (options->weights_mode == WEIGHTS_EXTERN && c->packed) {
        const char *path =
            options->packed ? options->packed : with_ending(&c->arena, named, ".weights");
        int index = file_set_open(&c->files, path);
        if (index < 0 || !packed_file_write(&c->variants, c->packed,
                                            c->codegen_options.weights_hash, &c->files, index))
            return false;
    }
    int index = file_set_open(&c->files, object);
    return index >= 0 && codegen_write_object(c->codegen, c->packed, &c->files, index);
}

bool outputs_write_text(Compilation *c, const StrBuf *text) {
    const char *path = c->options->outputs.count > 0 ? c->options->outputs.data[0] : "-";
    int index = file_set_open(&c->files, path);
    return index >= 0 && file_set_write(&c->files, index, text->data, text->length);
}
