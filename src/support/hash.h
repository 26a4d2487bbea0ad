/* XXH64 (Collet, https://xxhash.com specification, seed 0): fast, non-cryptographic. It ties an
 * object, its header and a packed weights file together; it is no defence against forgery. */
#ifndef NETC_SUPPORT_HASH_H
#define NETC_SUPPORT_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *data, size_t length);

#endif
