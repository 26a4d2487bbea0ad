#include "output/packed_file.h"

#include "netc_packed.h"

bool packed_file_write(const Variants *variants, const void *packed, uint64_t weights_hash,
                       FileSet *files, int index) {
    unsigned char header[NETC_PACKED_HEADER_BYTES];
    netc_packed_header(header, (uint64_t)variants->packed_bytes, weights_hash,
                       variants->layout_hash);
    return file_set_write(files, index, header, sizeof header) &&
           file_set_write(files, index, packed, (size_t)variants->packed_bytes);
}
