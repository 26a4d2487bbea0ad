/* What may be linked beside a compiled network. Plain C89, no dependency but the C library (and
 * POSIX mmap where there is one). A network with embedded weights needs none of it.
 *
 * The packed weights file, all numbers little-endian:
 *   0   8 bytes   magic "NETCWTS\n"
 *   8   u32       format version, NETC_WEIGHTS_VERSION
 *   12  u32       offset of the packed weights from the start of the file, a multiple of 64
 *   16  u64       bytes of packed weights
 *   24  u64       XXH64 (seed 0) of the packed weights
 *   32  u64       layout hash: of how the network wants its weights packed
 *   40            zeros up to the offset, then the packed weights, then nothing more */
#ifndef NETC_RUNTIME_H
#define NETC_RUNTIME_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NETC_ABI_VERSION     1 /* of struct netc_info and the calling convention */
#define NETC_WEIGHTS_VERSION 1

/* Facts baked into a compiled network: `extern const struct netc_info NAME_info;`. */
struct netc_info {
    unsigned int abi_version;    /* NETC_ABI_VERSION */
    unsigned int alignment;      /* bytes: of the arena and of packed weights */
    unsigned int source_hash[2]; /* XXH64 of the .net text, low word first */
    unsigned int layout_hash[2]; /* of how weights are packed for it, low word first */
    /* XXH64 of the packed weights, low word first; 0 where they were not known when compiling */
    unsigned int weights_hash[2];
    size_t arena_bytes;
    size_t weights_bytes; /* packed */
};

/* A weights file, mapped or read. */
struct netc_weights {
    const void *data; /* what to pass as `weights`; aligned as the network asks */
    void *file;       /* private, and so is the rest */
    size_t file_bytes;
    int mapped;
};

enum netc_status {
    NETC_OK = 0,
    NETC_CANNOT_OPEN,   /* or not write; errno says why */
    NETC_NOT_WEIGHTS,   /* no packed weights file (magic) */
    NETC_WRONG_VERSION, /* of the format, or of struct netc_info */
    NETC_WRONG_SIZE,    /* truncated, too long, or packed for another network */
    NETC_WRONG_NETWORK, /* a hash in the file is not the one baked into the object */
    NETC_CORRUPT        /* the bytes do not have the hash they should */
};

/* Maps `path` read-only and checks it against the network: magic, version, size, the layout hash,
 * and the weights' hash against the one baked into the object, if there is one; then the hash of
 * all bytes, unless `trust` is nonzero (an mmap and nothing read: the fastest start). On success
 * fills *weights; release with netc_weights_free. On failure *weights is all zero. */
enum netc_status netc_weights_map(const char *path, const struct netc_info *info, int trust,
                                  struct netc_weights *weights);

/* The same, but the file is read into memory of the program's own, in huge pages if the system has
 * them (Linux, unless /sys/kernel/mm/transparent_hugepage/enabled says `never`). Dense layers of
 * many megabytes are then up to half as fast again, since a page of 4 KB is read before the
 * processor has found out where it is. A mapped file, on the other hand, is there at once, is
 * shared by all processes, and takes only memory that the system can have back. */
enum netc_status netc_weights_load(const char *path, const struct netc_info *info, int trust,
                                   struct netc_weights *weights);

/* Releases either; does nothing to what is all zero. */
void netc_weights_free(struct netc_weights *weights);

/* Writes what NAME_pack made (info->weights_bytes at `packed`) as a file for netc_weights_map:
 * first as `path`.new, which then takes the place of `path`. */
enum netc_status netc_weights_save(const char *path, const struct netc_info *info,
                                   const void *packed);

/* "the file is not a packed weights file" */
const char *netc_status_text(enum netc_status status);

/* Scratch memory as the network asks for it, in huge pages where there are any, or NULL. Release
 * with netc_arena_free. */
void *netc_arena_new(const struct netc_info *info);
void netc_arena_free(void *arena);

#ifdef __cplusplus
}
#endif

#endif
