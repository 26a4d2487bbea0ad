/* `netc check --fix`: applies the fixes that diagnostics offer to the files they are in. */
#include <stdlib.h>
#include <string.h>

#include "driver/verbs.h"
#include "output/edited_source.h"

/* Whether a file is in the folder of the network or below: others may be shared with networks that
 * nobody looks at now. */
static bool is_own(const Compilation *c, const Source *source) {
    if (strcmp(c->path, "-") == 0)
        return source == c->source;
    char *network = realpath(c->path, NULL);
    char *file = realpath(source->name, NULL);
    size_t folder = network ? (size_t)(strrchr(network, '/') + 1 - network) : 0;
    bool own = network && file && strncmp(network, file, folder) == 0;
    free(network);
    free(file);
    return own;
}

/* What `netc check --fix` does, and says on standard output. */
typedef struct Fixing {
    Compilation *c;
    FileSet files; /* what is rewritten */
    StrBuf told;
    size_t applied;
    size_t waiting; /* in the place of another, or in a file that is not the network's */
    bool failed;
} Fixing;

static void rewrite(Fixing *fixing, const SourceEdits *edits) {
    for (size_t i = 0; i < edits->fixes.count; i++) {
        const DiagFix *fix = edits->fixes.data[i];
        Location at = source_locate(&fixing->c->sources, fix->span);
        strbuf_format(&fixing->told, "%s:%u:%u: %s\n", at.source->name, at.line, at.column,
                      fix->message);
    }
    StrBuf text = {0};
    edited_text(edits, &text);
    int index = file_set_open(&fixing->files, edits->source->name);
    if (index < 0 || !file_set_write(&fixing->files, index, text.data, text.length))
        fixing->failed = true;
    strbuf_free(&text);
}

static void tell_sum(Fixing *fixing) {
    strbuf_format(&fixing->told, "%zu fix%s applied", fixing->applied,
                  fixing->applied == 1 ? "" : "es");
    if (fixing->waiting > 0)
        strbuf_format(&fixing->told, ", %zu not: in the place of another, or outside the folder",
                      fixing->waiting);
    strbuf_add(&fixing->told, "\n");
}

bool fixes_apply(Compilation *c, const Options *options) {
    bool show = options->fix[0] != '\0';
    Fixing fixing = {.c = c, .files = {.arena = &c->arena, .diagnostics = &c->diagnostics}};
    SourceEditsList files = edits_of_diagnostics(&c->diagnostics, &fixing.waiting);
    for (size_t i = 0; i < files.count; i++) {
        const SourceEdits *edits = &files.data[i];
        if (!is_own(c, edits->source)) {
            fixing.waiting += edits->fixes.count;
            continue;
        }
        fixing.applied += edits->fixes.count;
        if (show)
            edited_diff(edits, &fixing.told);
        else
            rewrite(&fixing, edits);
    }
    if (!show && fixing.applied > 0)
        tell_sum(&fixing);
    bool done = false;
    if (fixing.failed)
        file_set_abandon(&fixing.files);
    else
        done = file_set_commit(&fixing.files) && outputs_write_text(c, options, &fixing.told);
    strbuf_free(&fixing.told);
    return done && !show && fixing.applied > 0;
}
