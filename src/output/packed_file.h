/* The packed weights file of --weights-mode=extern: a header (runtime/netc_packed.h) and the
 * packed bytes, ready to be mapped. */
#ifndef NETC_OUTPUT_PACKED_FILE_H
#define NETC_OUTPUT_PACKED_FILE_H

#include "codegen/variants.h"
#include "support/file.h"

bool packed_file_write(const Variants *variants, const void *packed, uint64_t weights_hash,
                       FileSet *files, int index);

#endif
