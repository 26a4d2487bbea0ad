/* The one canonical layout of a .net file (docs/language.md, "Layout"): the output of `netc
 * format`. It changes blanks, line ends, `;` and needless commas, nothing else. */
#ifndef NETC_SYNTAX_FORMAT_H
#define NETC_SYNTAX_FORMAT_H

#include "support/diag.h"
#include "support/intern.h"

/* Appends the text of `source`, which parse_file has read without a mistake. */
void format_source(Arena *arena, Intern *intern, Diagnostics *diagnostics, const Source *source,
                   StrBuf *out);

#endif
