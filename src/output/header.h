/* The C header of a compiled network: clean as C89 to C23 and C++. */
#ifndef NETC_OUTPUT_HEADER_H
#define NETC_OUTPUT_HEADER_H

#include "codegen/codegen.h"
#include "graph/count.h"

void header_print(const Variants *variants, const GraphCount *count, const CodegenOptions *options,
                  StrBuf *out);

#endif
