/* What netc writes: everything through the FileSet, so all of it or nothing. */
#include <stdlib.h>
#include <string.h>

#include "driver/compilation.h"
#include "output/depfile.h"
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

static bool write_header(Compilation *c, int index) {
    StrBuf text = {0};
    header_print(&c->variants, &c->count, &c->codegen_options, &text);
    bool done = file_set_write(&c->files, index, text.data, text.length);
    strbuf_free(&text);
    return done;
}

/* The outputs of an object by their indices in the FileSet; `packed` is negative without any. */
typedef struct ObjectOutputs {
    int header;
    int packed;
    int object;
} ObjectOutputs;

/* They are named after the object, or after the network if it has no name. */
static bool open_outputs(Compilation *c, ObjectOutputs *outputs) {
    const Options *options = c->options;
    const char *named = arena_format(&c->arena, "%s.o", c->graph->name);
    const char *object = options->outputs.count > 0 ? options->outputs.data[0] : named;
    if (strcmp(object, "-") != 0)
        named = object;
    const char *header = options->header ? options->header : with_ending(&c->arena, named, ".h");
    outputs->header = file_set_open(&c->files, header);
    if (outputs->header < 0)
        return false;
    outputs->packed = -1;
    if (options->weights_mode == WEIGHTS_EXTERN && c->weights_bound) {
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
static bool open_depfile(Compilation *c, int *index) {
    *index = -1;
    if (c->options->depfile)
        *index = file_set_open(&c->files, c->options->depfile);
    return !c->options->depfile || *index >= 0;
}

static bool write_depfile(Compilation *c, int index) {
    return index < 0 || depfile_write(&c->files, index);
}

bool outputs_write_object(Compilation *c) {
    int depfile;
    ObjectOutputs outputs;
    ObjectCode object;
    if (!open_depfile(c, &depfile) || !open_outputs(c, &outputs) ||
        !codegen_make_object(c->codegen, &c->diagnostics, &object))
        return false;
    uint64_t *hash = &c->codegen_options.weights_hash;
    bool embed = c->options->weights_mode == WEIGHTS_EMBED, done;
    if (embed)
        done = packed_write_embedded(&c->variants, &object, &c->files, outputs.object, hash);
    else
        done = (outputs.packed < 0 ||
                packed_write_file(&c->variants, &object, &c->files, outputs.packed, hash)) &&
               file_set_write(&c->files, outputs.object, object.bytes, object.size);
    free(object.bytes);
    return done && write_header(c, outputs.header) && write_depfile(c, depfile);
}

bool outputs_write_text(Compilation *c, const StrBuf *text) {
    const char *path = c->options->outputs.count > 0 ? c->options->outputs.data[0] : "-";
    int depfile;
    if (!open_depfile(c, &depfile))
        return false;
    int index = file_set_open(&c->files, path);
    return index >= 0 && file_set_write(&c->files, index, text->data, text->length) &&
           write_depfile(c, depfile);
}
