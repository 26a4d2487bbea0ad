/* Where a network may read weights from: below the folder of its .net file, unless told otherwise.
 *
 * A network is often somebody else's; without this rule reading its report would be enough to have
 * it open any file of the machine. */
#ifndef NETC_WEIGHTS_PATH_H
#define NETC_WEIGHTS_PATH_H

#include "support/diag.h"

/* The path to open for `written`, the text of `weights "..."` in the file `source` (`-`: the
 * current folder). Refused with E0410 at `span`, giving NULL, unless `allow_outside`: an absolute
 * path, a `..` in it, a symbolic link on the way. */
const char *weights_path_resolve(Arena *arena, Diagnostics *diagnostics, Span span,
                                 const char *source, const char *written, bool allow_outside);

#endif
