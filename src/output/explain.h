/* What each code of a diagnostic means, why netc asks for it, and an example with the same mended:
 * `netc explain`. The pages are the files src/output/explain/CODE.md, which the build puts into the
 * program; docs/errors.md has all of them. */
#ifndef NETC_OUTPUT_EXPLAIN_H
#define NETC_OUTPUT_EXPLAIN_H

#include "support/diag.h"

/* Every code and what it is about, by family. */
void explain_list(StrBuf *out);
/* What one code means, without the examples. */
void explain_meaning(DiagCode code, StrBuf *out);
/* All about it, for a terminal. */
void explain_text(DiagCode code, StrBuf *out);
/* The same as a section of a Markdown page, and the whole page docs/errors.md. */
void explain_markdown(DiagCode code, StrBuf *out);
void explain_page(StrBuf *out);

#endif
