/* Diagnostics for programs: editors, build tools, services that show them beside the code. For
 * people they are rendered by support/diag_render.c. All of them are written, whatever
 * --error-limit says, in the order of diag_sort. */
#ifndef NETC_OUTPUT_DIAGNOSTICS_H
#define NETC_OUTPUT_DIAGNOSTICS_H

#include "support/diag.h"

/* "FILE:LINE:COLUMN: error: MESSAGE [CODE]", a line each, as GCC and Clang begin theirs. */
void diagnostics_short(const Diagnostics *diagnostics, StrBuf *out);

/* A JSON object on a line of its own for each (docs/diagnostics.md). */
void diagnostics_json(const Diagnostics *diagnostics, StrBuf *out);

/* Commands of GitHub Actions, "::error file=..,line=..::MESSAGE", which annotate a change. */
void diagnostics_github(const Diagnostics *diagnostics, StrBuf *out);

/* A whole SARIF 2.1.0 log, also where there are none. What has no place is said of the first source
 * file, or of `file` if none was read; NULL: of no file. */
void diagnostics_sarif(const Diagnostics *diagnostics, const char *file, StrBuf *out);

#endif
