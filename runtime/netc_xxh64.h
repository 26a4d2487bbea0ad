/* XXH64 with seed 0 (Yann Collet, specification at https://xxhash.com), of bytes in memory or
 * that come one piece after the other. Plain C89 but for a 64-bit type; the same on machines of
 * either byte order. */
#ifndef NETC_XXH64_H
#define NETC_XXH64_H

#include <stddef.h>

#if defined(__GNUC__)
__extension__ typedef unsigned long long netc_u64;
#define NETC_INLINE static __inline__
#elif defined(_MSC_VER)
typedef unsigned __int64 netc_u64;
#define NETC_INLINE static __inline
#else
typedef unsigned long long netc_u64;
#define NETC_INLINE static
NETC_INLINE netc_u64 netc_xxh64(const void *data, size_t length) {
    const unsigned char *at = (const unsigned char *)data;
    struct netc_xxh_lanes lanes = netc_xxh_start();
    netc_xxh_stripes(&lanes, at, length / 32);
    return netc_xxh_end(&lanes, (netc_u64)length, at + length / 32 * 32);
}

#endif

/* C89 has no 64-bit constants: from the high and the low half. */
#define NETC_U64(high, low) (((netc_u64)(high) << 32) | (netc_u64)(low))

#define NETC_XXH_PRIME1 NETC_U64(0x9E3779B1u, 0x85EBCA87u)
#define NETC_XXH_PRIME2 NETC_U64(0xC2B2AE3Du, 0x27D4EB4Fu)
#define NETC_XXH_PRIME3 NETC_U64(0x165667B1u, 0x9E3779F9u)
#define NETC_XXH_PRIME4 NETC_U64(0x85EBCA77u, 0xC2B2AE63u)
#define NETC_XXH_PRIME5 NETC_U64(0x27D4EB2Fu, 0x165667C5u)

/* Little-endian numbers at any address; compilers make a single load of each. */
NETC_INLINE netc_u64 netc_read32(const unsigned char *at) {
    return (netc_u64)at[0] | (netc_u64)at[1] << 8 | (netc_u64)at[2] << 16 | (netc_u64)at[3] << 24;
}

NETC_INLINE netc_u64 netc_read64(const unsigned char *at) {
    return (netc_u64)at[0] | (netc_u64)at[1] << 8 | (netc_u64)at[2] << 16 | (netc_u64)at[3] << 24 |
           (netc_u64)at[4] << 32 | (netc_u64)at[5] << 40 | (netc_u64)at[6] << 48 |
           (netc_u64)at[7] << 56;
}

NETC_INLINE netc_u64 netc_xxh_rotate(netc_u64 value, int bits) {
    return value << bits | value >> (64 - bits);
}

NETC_INLINE netc_u64 netc_xxh_round(netc_u64 lane, netc_u64 input) {
    return netc_xxh_rotate(lane + input * NETC_XXH_PRIME2, 31) * NETC_XXH_PRIME1;
}

NETC_INLINE netc_u64 netc_xxh_merge(netc_u64 hash, netc_u64 lane) {
    return (hash ^ netc_xxh_round(0, lane)) * NETC_XXH_PRIME1 + NETC_XXH_PRIME4;
}

/* What steps 1 and 2 of the specification keep from a stripe of 32 bytes to the next. */
struct netc_xxh_lanes {
    netc_u64 a, b, c, d;
};

NETC_INLINE struct netc_xxh_lanes netc_xxh_start(void) {
    struct netc_xxh_lanes lanes;
    lanes.a = NETC_XXH_PRIME1 + NETC_XXH_PRIME2;
    lanes.b = NETC_XXH_PRIME2;
    lanes.c = 0;
    lanes.d = (netc_u64)0 - NETC_XXH_PRIME1;
    return lanes;
}

NETC_INLINE void netc_xxh_stripes(struct netc_xxh_lanes *lanes, const unsigned char *at,
                                  size_t stripes) {
    netc_u64 a = lanes->a, b = lanes->b, c = lanes->c, d = lanes->d;
    for (; stripes > 0; stripes--, at += 32) {
        a = netc_xxh_round(a, netc_read64(at));
        b = netc_xxh_round(b, netc_read64(at + 8));
        c = netc_xxh_round(c, netc_read64(at + 16));
        d = netc_xxh_round(d, netc_read64(at + 24));
    }
    lanes->a = a;
    lanes->b = b;
    lanes->c = c;
    lanes->d = d;
}

/* The other steps: `length` bytes in all, of which those that fill no stripe are at `at`. */
NETC_INLINE netc_u64 netc_xxh_end(const struct netc_xxh_lanes *lanes, netc_u64 length,
                                  const unsigned char *at) {
    int left = (int)(length % 32);
    netc_u64 hash = NETC_XXH_PRIME5;
    if (length >= 32) {
        hash = netc_xxh_rotate(lanes->a, 1) + netc_xxh_rotate(lanes->b, 7) +
               netc_xxh_rotate(lanes->c, 12) + netc_xxh_rotate(lanes->d, 18);
        hash = netc_xxh_merge(hash, lanes->a);
        hash = netc_xxh_merge(hash, lanes->b);
        hash = netc_xxh_merge(hash, lanes->c);
        hash = netc_xxh_merge(hash, lanes->d);
    }
    hash += length;
    for (; left >= 8; left -= 8, at += 8) {
        hash ^= netc_xxh_round(0, netc_read64(at));
        hash = netc_xxh_rotate(hash, 27) * NETC_XXH_PRIME1 + NETC_XXH_PRIME4;
    }
    if (left >= 4) {
        hash ^= netc_read32(at) * NETC_XXH_PRIME1;
        hash = netc_xxh_rotate(hash, 23) * NETC_XXH_PRIME2 + NETC_XXH_PRIME3;
        left -= 4;
        at += 4;
    }
    for (; left > 0; left--, at++) {
        hash ^= *at * NETC_XXH_PRIME5;
        hash = netc_xxh_rotate(hash, 11) * NETC_XXH_PRIME1;
    }
    hash = (hash ^ hash >> 33) * NETC_XXH_PRIME2;
    hash = (hash ^ hash >> 29) * NETC_XXH_PRIME3;
    return hash ^ hash >> 32;
}

NETC_INLINE netc_u64 netc_xxh64(const void *data, size_t length) {
    const unsigned char *at = (const unsigned char *)data;
    struct netc_xxh_lanes lanes = netc_xxh_start();
    netc_xxh_stripes(&lanes, at, length / 32);
    return netc_xxh_end(&lanes, (netc_u64)length, at + length / 32 * 32);
}

#endif
