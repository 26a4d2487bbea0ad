/* The header of a packed weights file, as netc_runtime.h describes it; shared by what writes one.
 */
#ifndef NETC_PACKED_H
#define NETC_PACKED_H

#include <string.h>

#include "netc_runtime.h"
#include "netc_xxh64.h"

#define NETC_PACKED_MAGIC        "NETCWTS\n"
#define NETC_PACKED_HEADER_BYTES 64 /* also the offset of the packed weights */
#define NETC_PACKED_HASH         24 /* where their hash is */

/* Little-endian on every machine. */
NETC_INLINE void netc_packed_put(unsigned char *at, netc_u64 number, int bytes) {
    int i;
    for (i = 0; i < bytes; i++)
        at[i] = (unsigned char)(number >> (8 * i) & 0xFF);
}

/* Fills the NETC_PACKED_HEADER_BYTES at `header`. */
NETC_INLINE void netc_packed_header(unsigned char *header, netc_u64 packed_bytes,
                                    netc_u64 weights_hash, netc_u64 layout_hash) {
    memset(header, 0, NETC_PACKED_HEADER_BYTES);
    memcpy(header, NETC_PACKED_MAGIC, 8);
    netc_packed_put(header + 8, NETC_WEIGHTS_VERSION, 4);
    netc_packed_put(header + 12, NETC_PACKED_HEADER_BYTES, 4);
    netc_packed_put(header + 16, packed_bytes, 8);
    netc_packed_put(header + NETC_PACKED_HASH, weights_hash, 8);
    netc_packed_put(header + 32, layout_hash, 8);
}

#endif
