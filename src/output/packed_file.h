/* Packed weights as they are written, piece by piece while they are packed: behind an object, or in
 * the file of --weights-mode=extern, ready to be mapped, behind its header (runtime/netc_packed.h).
 */
#ifndef NETC_OUTPUT_PACKED_FILE_H
#define NETC_OUTPUT_PACKED_FILE_H

#include "codegen/codegen.h"
#include "support/file.h"

/* Both put the hash of the packed weights into the object and *hash. False after a diagnostic. */
bool packed_write_embedded(const Variants *variants, ObjectCode *object, FileSet *files, int index,
                           uint64_t *hash);
bool packed_write_file(const Variants *variants, ObjectCode *object, FileSet *files, int index,
                       uint64_t *hash);

/* The hash alone. */
uint64_t packed_hash(const Variants *variants);

#endif
