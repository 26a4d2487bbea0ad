#include "output/packed_file.h"

#include "netc_packed.h"
#include "support/hash.h"

typedef struct Sink {
    FileSet *files; /* NULL: only hashed */
    int index;
    Hash hash;
} Sink;

static bool take(void *context, const void *bytes, size_t size) {
    Sink *sink = context;
    hash_add(&sink->hash, bytes, size);
    return !sink->files || file_set_write(sink->files, sink->index, bytes, size);
}

uint64_t packed_hash(const Variants *variants) {
    Sink sink = {.hash = hash_start()};
    variants_pack_in_pieces(variants, take, &sink);
    return hash_end(&sink.hash);
}

/* The weights behind `front`, which has their hash in it at `hash_at`: known only when all of them
 * are packed, so that the front is written once more; where that cannot be done, they are packed
 * for the hash before. */
static bool write_behind(const Variants *variants, unsigned char *front, size_t size,
                         size_t hash_at, FileSet *files, int index, uint64_t *hash) {
    bool rewrites = file_set_can_rewrite(files, index);
    if (!rewrites)
        netc_packed_put(front + hash_at, packed_hash(variants), 8);
    Sink sink = {files, index, hash_start()};
    if (!file_set_write(files, index, front, size) ||
        !variants_pack_in_pieces(variants, take, &sink))
        return false;
    *hash = hash_end(&sink.hash);
    netc_packed_put(front + hash_at, *hash, 8);
    return !rewrites || file_set_rewrite(files, index, front, size);
}

bool packed_write_embedded(const Variants *variants, ObjectCode *object, FileSet *files, int index,
                           uint64_t *hash) {
    return write_behind(variants, object->bytes, object->size, object->hash_at, files, index, hash);
}

bool packed_write_file(const Variants *variants, ObjectCode *object, FileSet *files, int index,
                       uint64_t *hash) {
    unsigned char header[NETC_PACKED_HEADER_BYTES];
    netc_packed_header(header, (uint64_t)variants->packed_bytes, 0, variants->layout_hash);
    if (!write_behind(variants, header, sizeof header, NETC_PACKED_HASH, files, index, hash))
        return false;
    netc_packed_put(object->bytes + object->hash_at, *hash, 8);
    return true;
}
