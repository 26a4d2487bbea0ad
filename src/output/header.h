/* The C header of a compiled network: clean as C89 to C23 and C++. */
#ifndef NETC_OUTPUT_HEADER_H
#define NETC_OUTPUT_HEADER_H

#include "codegen/codegen.h"
#include "graph/count.h"

/* `namespace`: of C++, for all but the macros: names with `::` between; NULL for none. */
void header_print(const Variants *variants, const GraphCount *count, const CodegenOptions *options,
                  const char *namespace, StrBuf *out);

/* Whether C or C++ keeps the word for itself. */
bool header_reserves(const char *word);

#endif
