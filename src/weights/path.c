#include "weights/path.h"

#include <string.h>
#include <sys/stat.h>

#define ALLOW_ADVICE "move it below that folder, or allow it with --allow-weights-outside"

/* The folder of `source`, with the slash; "" for the current one. */
static const char *folder_of(Arena *arena, const char *source) {
    const char *slash = strrchr(source, '/');
    if (strcmp(source, "-") == 0 || !slash)
        return "";
    return arena_copy_text(arena, source, (size_t)(slash - source) + 1);
}

static bool refuse(Diagnostics *diagnostics, Span span, const char *written, const char *reason) {
    Diagnostic *d =
        diag_report(diagnostics, DIAG_E0410, span,
                    "`%s` may lie outside the folder of the network: %s", written, reason);
    diag_help(diagnostics, d, ALLOW_ADVICE);
    return false;
}

/* Looks at `written` part by part. Whoever can make a link between this and the opening of the file
 * can write to the folder of the network, and is not whom the rule is about. */
static bool path_is_inside(Arena *arena, Diagnostics *diagnostics, Span span, const char *folder,
                           const char *written) {
    if (written[0] == '/')
        return refuse(diagnostics, span, written, "it is absolute");
    const char *part = written;
    while (*part) {
        size_t length = strcspn(part, "/");
        if (length == 2 && part[0] == '.' && part[1] == '.')
            return refuse(diagnostics, span, written, "it goes up with `..`");
        const char *end = part + length;
        const char *path = arena_format(arena, "%s%.*s", folder, (int)(end - written), written);
        struct stat status;
        if (length > 0 && lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
            return refuse(diagnostics, span, written,
                          arena_format(arena, "`%s` is a symbolic link", path));
        part = end + (*end == '/');
    }
    return true;
}

const char *weights_path_resolve(Arena *arena, Diagnostics *diagnostics, Span span,
                                 const char *source, const char *written, bool allow_outside) {
    const char *folder = folder_of(arena, source);
    if (!allow_outside && !path_is_inside(arena, diagnostics, span, folder, written))
        return NULL;
    if (written[0] == '/')
        folder = "";
    if (!folder[0] && strcmp(written, "-") == 0)
        folder = "./"; /* a source cannot ask for standard input */
    return arena_format(arena, "%s%s", folder, written);
}
