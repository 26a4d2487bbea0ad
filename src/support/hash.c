#include "support/hash.h"

#include "../runtime/netc_xxh64.h"

uint64_t hash_bytes(const void *data, size_t length) {
    return netc_xxh64(data, length);
}
