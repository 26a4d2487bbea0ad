/* XXH64 (Collet, https://xxhash.com specification, seed 0): fast, non-cryptographic. It ties an
 * object, its header and a packed weights file together; it is no defence against forgery. */
#ifndef NETC_SUPPORT_HASH_H
#define NETC_SUPPORT_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "../runtime/netc_xxh64.h"

uint64_t hash_bytes(const void *data, size_t length);

/* The same of pieces: hash_start, hash_add for each, hash_end. */
typedef struct Hash {
    struct netc_xxh_lanes lanes;
    uint64_t length;
    unsigned char rest[32]; /* length % 32 bytes that fill no stripe yet */
} Hash;

Hash hash_start(void);
void hash_add(Hash *hash, const void *data, size_t length);
uint64_t hash_end(const Hash *hash);

#endif
