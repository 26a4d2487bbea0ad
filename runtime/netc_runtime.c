/* The weights loader and the arena of netc_runtime.h. Everything in a file is checked against what
 * the network says before any of it is used. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* madvise, under -std=c11 too */
#endif

#include "netc_runtime.h"
#include "netc_packed.h"
#include "netc_xxh64.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NETC_NO_MMAP: read the file into memory even where it could be mapped, and ask for no huge pages.
 */
#if !defined(NETC_NO_MMAP) && (defined(__unix__) || defined(__APPLE__))
#define NETC_MMAP 1
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#define NETC_MMAP 0
#endif

#define HEADER_BYTES     40
#define OFFSET_ALIGNMENT 64
#define HUGE_PAGE        ((size_t)1 << 21) /* of x86-64, and of aarch64 with pages of 4 KB */

/* ---- memory ------------------------------------------------------------------------------- */

/* `bytes` bytes at a multiple of `alignment`; the block malloc gave stands right before them. */
static void *aligned_new(size_t bytes, size_t alignment) {
    size_t extra = alignment + sizeof(void *);
    char *block;
    char *aligned;
    if (alignment == 0 || bytes > (size_t)-1 - extra)
        return NULL;
    block = (char *)malloc(bytes + extra);
    if (!block)
        return NULL;
    aligned = block + sizeof(void *);
    aligned += (alignment - (size_t)aligned % alignment) % alignment;
    memcpy(aligned - sizeof(void *), &block, sizeof(void *));
    return aligned;
}

static void aligned_free(void *aligned) {
    void *block;
    if (!aligned)
        return;
    memcpy(&block, (char *)aligned - sizeof(void *), sizeof(void *));
    free(block);
}

/* The same for much memory that is gone through again and again. */
static void *large_new(size_t bytes, size_t alignment) {
    void *memory;
    if (bytes < HUGE_PAGE || alignment == 0 || HUGE_PAGE % alignment != 0)
        return aligned_new(bytes, alignment);
    memory = aligned_new(bytes, HUGE_PAGE);
#if NETC_MMAP && defined(MADV_HUGEPAGE)
    if (memory) /* if it is refused, pages stay small */
        madvise(memory, bytes - bytes % HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return memory;
}

void *netc_arena_new(const struct netc_info *info) {
    return large_new(info->arena_bytes, info->alignment);
}

void netc_arena_free(void *arena) {
    aligned_free(arena);
}

/* ---- files -------------------------------------------------------------------------------- */

/* Reads the whole file, if it is one of packed weights, into memory aligned as these must be. */
static enum netc_status read_stream(FILE *stream, struct netc_weights *weights) {
    char magic[8];
    long size;
    if (fread(magic, 1, sizeof magic, stream) != sizeof magic)
        return ferror(stream) ? NETC_CANNOT_OPEN : NETC_NOT_WEIGHTS;
    if (memcmp(magic, NETC_PACKED_MAGIC, sizeof magic) != 0)
        return NETC_NOT_WEIGHTS;
    if (fseek(stream, 0, SEEK_END) != 0)
        return NETC_CANNOT_OPEN;
    size = ftell(stream);
    if (size < 0 || fseek(stream, 0, SEEK_SET) != 0)
        return NETC_CANNOT_OPEN;
    weights->file = large_new((size_t)size, OFFSET_ALIGNMENT);
    if (!weights->file)
        return NETC_CANNOT_OPEN;
    weights->file_bytes = (size_t)size;
    if (fread(weights->file, 1, (size_t)size, stream) != (size_t)size)
        return NETC_CANNOT_OPEN;
    return NETC_OK;
}

static enum netc_status read_file(const char *path, struct netc_weights *weights) {
    enum netc_status status;
    int error;
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return NETC_CANNOT_OPEN;
    status = read_stream(stream, weights);
    error = errno;
    fclose(stream);
    errno = error;
    return status;
}

#if NETC_MMAP

/* Maps the whole file. An empty one cannot be mapped: NETC_NOT_WEIGHTS. */
static enum netc_status map_descriptor(int descriptor, struct netc_weights *weights) {
    struct stat status;
    void *mapping;
    if (fstat(descriptor, &status) != 0)
        return NETC_CANNOT_OPEN;
    if (!S_ISREG(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        return NETC_CANNOT_OPEN;
    }
    if (status.st_size <= 0)
        return NETC_NOT_WEIGHTS;
    if ((netc_u64)status.st_size > (size_t)-1)
        return NETC_WRONG_SIZE;
    mapping = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapping == MAP_FAILED)
        return NETC_CANNOT_OPEN;
    weights->file = mapping;
    weights->file_bytes = (size_t)status.st_size;
    weights->mapped = 1;
    return NETC_OK;
}

static enum netc_status map_file(const char *path, struct netc_weights *weights) {
    enum netc_status status;
    int error;
    int descriptor = open(path, O_RDONLY);
    if (descriptor < 0)
        return NETC_CANNOT_OPEN;
    status = map_descriptor(descriptor, weights);
    error = errno;
    close(descriptor);
    errno = error;
    return status;
}

#else
#define map_file read_file
#endif

/* ---- weights ------------------------------------------------------------------------------ */

static int is_all_zero(const unsigned char *bytes, size_t count) {
    for (; count > 0; count--)
        if (*bytes++ != 0)
            return 0;
    return 1;
}

/* Checks the file and finds the packed weights in it. */
static enum netc_status check_file(const struct netc_info *info, int trust,
                                   struct netc_weights *weights) {
    const unsigned char *file = (const unsigned char *)weights->file;
    netc_u64 baked = NETC_U64(info->weights_hash[1], info->weights_hash[0]);
    netc_u64 layout = NETC_U64(info->layout_hash[1], info->layout_hash[0]);
    netc_u64 offset, size, hash;
    if (weights->file_bytes < 8 || memcmp(file, NETC_PACKED_MAGIC, 8) != 0)
        return NETC_NOT_WEIGHTS;
    if (weights->file_bytes < HEADER_BYTES)
        return NETC_WRONG_SIZE;
    if (netc_read32(file + 8) != NETC_WEIGHTS_VERSION)
        return NETC_WRONG_VERSION;
    offset = netc_read32(file + 12);
    size = netc_read64(file + 16);
    if (size != info->weights_bytes || offset > weights->file_bytes ||
        size != weights->file_bytes - offset)
        return NETC_WRONG_SIZE;
    if (offset < HEADER_BYTES || offset % OFFSET_ALIGNMENT != 0 || info->alignment == 0 ||
        offset % info->alignment != 0 ||
        !is_all_zero(file + HEADER_BYTES, (size_t)offset - HEADER_BYTES))
        return NETC_CORRUPT;
    hash = netc_read64(file + 24);
    if (netc_read64(file + 32) != layout || (baked != 0 && hash != baked))
        return NETC_WRONG_NETWORK;
    if (!trust && netc_xxh64(file + offset, (size_t)size) != hash)
        return NETC_CORRUPT;
    weights->data = file + offset;
    return NETC_OK;
}

typedef enum netc_status bring_file(const char *path, struct netc_weights *weights);

/* Brings the file into memory and checks it. */
static enum netc_status weights_open(bring_file *bring, const char *path,
                                     const struct netc_info *info, int trust,
                                     struct netc_weights *weights) {
    enum netc_status status;
    int error;
    memset(weights, 0, sizeof *weights);
    if (info->abi_version != NETC_ABI_VERSION)
        return NETC_WRONG_VERSION;
    status = bring(path, weights);
    if (status == NETC_OK)
        status = check_file(info, trust, weights);
    if (status != NETC_OK) {
        error = errno;
        netc_weights_free(weights);
        errno = error;
    }
    return status;
}

enum netc_status netc_weights_map(const char *path, const struct netc_info *info, int trust,
                                  struct netc_weights *weights) {
    return weights_open(map_file, path, info, trust, weights);
}

enum netc_status netc_weights_load(const char *path, const struct netc_info *info, int trust,
                                   struct netc_weights *weights) {
    return weights_open(read_file, path, info, trust, weights);
}

void netc_weights_free(struct netc_weights *weights) {
#if NETC_MMAP
    if (weights->mapped)
        munmap(weights->file, weights->file_bytes);
    else
#endif
        aligned_free(weights->file);
    memset(weights, 0, sizeof *weights);
}

/* Writes header and weights to a new file. */
static int write_packed(const char *path, const struct netc_info *info, const void *packed) {
    unsigned char header[NETC_PACKED_HEADER_BYTES];
    int written;
    FILE *file = fopen(path, "wb");
    if (!file)
        return 0;
    netc_packed_header(header, info->weights_bytes, netc_xxh64(packed, info->weights_bytes),
                       NETC_U64(info->layout_hash[1], info->layout_hash[0]));
    written = fwrite(header, 1, sizeof header, file) == sizeof header &&
              fwrite(packed, 1, info->weights_bytes, file) == info->weights_bytes;
    return fclose(file) == 0 && written;
}

enum netc_status netc_weights_save(const char *path, const struct netc_info *info,
                                   const void *packed) {
    size_t length = strlen(path);
    char *temporary;
    int done, error;
    if (info->abi_version != NETC_ABI_VERSION)
        return NETC_WRONG_VERSION;
    temporary = (char *)malloc(length + sizeof ".new");
    if (!temporary)
        return NETC_CANNOT_OPEN;
    memcpy(temporary, path, length);
    memcpy(temporary + length, ".new", sizeof ".new");
    done = write_packed(temporary, info, packed) && rename(temporary, path) == 0;
    error = errno;
    if (!done)
        remove(temporary);
    free(temporary);
    errno = error;
    return done ? NETC_OK : NETC_CANNOT_OPEN;
}

const char *netc_status_text(enum netc_status status) {
    switch (status) {
    case NETC_OK: return "no error";
    case NETC_CANNOT_OPEN: return "the file cannot be opened";
    case NETC_NOT_WEIGHTS: return "the file is not a packed weights file";
    case NETC_WRONG_VERSION: return "the file or the network is of another version of netc";
    case NETC_WRONG_SIZE: return "the file does not have the size that the network needs";
    case NETC_WRONG_NETWORK: return "the file was packed for another network";
    case NETC_CORRUPT: return "the file is damaged";
    }
    return "unknown status";
}
