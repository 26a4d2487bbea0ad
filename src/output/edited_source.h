/* A source file with fixes applied: whole, or as a unified diff. */
#ifndef NETC_OUTPUT_EDITED_SOURCE_H
#define NETC_OUTPUT_EDITED_SOURCE_H

#include "support/diag.h"

typedef VEC(const DiagFix *) FixList;

/* Edits in one file, in the order of their places, none over another. */
typedef struct SourceEdits {
    const Source *source;
    FixList fixes;
} SourceEdits;

typedef VEC(SourceEdits) SourceEditsList;

/* The applicable fixes, of each diagnostic the first, by file. Of two in one place the first in the
 * text is taken, and the other counted in *waiting. */
SourceEditsList edits_of_diagnostics(const Diagnostics *diagnostics, size_t *waiting);

/* The text as it is to be written, with the byte order mark if there was one. */
void edited_text(const SourceEdits *edits, StrBuf *out);

/* What patch(1) takes, with three lines around each change. */
void edited_diff(const SourceEdits *edits, StrBuf *out);

#endif
