#include "support/hash.h"

#include <string.h>

uint64_t hash_bytes(const void *data, size_t length) {
    return netc_xxh64(data, length);
}

Hash hash_start(void) {
    return (Hash){.lanes = netc_xxh_start()};
}

void hash_add(Hash *hash, const void *data, size_t length) {
    const unsigned char *at = data;
    size_t rest = hash->length % sizeof hash->rest;
    hash->length += length;
    if (rest > 0) {
        size_t room = sizeof hash->rest - rest, taken = length < room ? length : room;
        memcpy(hash->rest + rest, at, taken);
        if (taken < room)
            return;
        netc_xxh_stripes(&hash->lanes, hash->rest, 1);
        at += taken;
        length -= taken;
    }
    size_t stripes = length / sizeof hash->rest, whole = stripes * sizeof hash->rest;
    netc_xxh_stripes(&hash->lanes, at, stripes);
    memcpy(hash->rest, at + whole, length - whole);
}

uint64_t hash_end(const Hash *hash) {
    return netc_xxh_end(&hash->lanes, hash->length, hash->rest);
}
