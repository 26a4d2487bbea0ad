/* The central directory of a .npz archive, checked against the local headers before libzip sees it.
 *
 * libzip 1.7 does not look for overlapping members, which let a small archive hold the same
 * compressed bytes many times over (Fifield 2019, "A better zip bomb"), nor for bytes in front of
 * the archive, which let it be another kind of file as well. Field offsets are those of PKWARE's
 * APPNOTE.TXT, sections 4.3 and 4.5.3. */
#include <inttypes.h>
#include <stdlib.h>

#include "weights/formats.h"

#define END_BYTES       22
#define END_MAGIC       0x06054B50u
#define END64_BYTES     56
#define END64_MAGIC     0x06064B50u
#define LOCATOR64_BYTES 20
#define LOCATOR64_MAGIC 0x07064B50u
#define CENTRAL_BYTES   46
#define CENTRAL_MAGIC   0x02014B50u
#define LOCAL_BYTES     30
#define LOCAL_MAGIC     0x04034B50u
#define WIDE_16         0xFFFFu     /* the true value stands in the zip64 field */
#define WIDE_32         0xFFFFFFFFu /* likewise */
#define EXTRA_ZIP64     1

#define FLAG_ENCRYPTED   (1u << 0 | 1u << 6 | 1u << 13)
#define FLAG_SIZES_AFTER (1u << 3) /* CRC and sizes follow the data; 0 in the local header */

#define METHOD_STORED  0
#define METHOD_DEFLATE 8

/* The part of a header that the central directory and the local header both have. */
typedef struct ZipFields {
    unsigned flags;
    unsigned method;
    uint32_t crc;
    uint64_t packed_bytes;
    uint64_t bytes;
    const unsigned char *name;
    size_t name_length;
    const unsigned char *extra;
    size_t extra_length;
} ZipFields;

typedef struct ZipDirectory {
    TensorFile *file;
    uint64_t begin; /* of the central directory */
    uint64_t end;
    uint64_t count;
} ZipDirectory;

/* ---- the end records ------------------------------------------------------------------------ */

/* Replaces begin, end and count by those of the zip64 record, which must stand right before its
 * locator, which stands right before the end record. */
static bool directory_find_wide(ZipDirectory *directory) {
    TensorFile *file = directory->file;
    if (file->size < END_BYTES + LOCATOR64_BYTES + END64_BYTES)
        return tensor_file_refuse(file, "there is no room for the zip64 record");
    uint64_t at = file->size - END_BYTES - LOCATOR64_BYTES - END64_BYTES;
    const unsigned char *record = file->data + at;
    const unsigned char *locator = record + END64_BYTES;
    if (load_u32(locator) != LOCATOR64_MAGIC || load_u64(locator + 8) != at ||
        load_u32(record) != END64_MAGIC || load_u64(record + 4) != END64_BYTES - 12)
        return tensor_file_refuse(file,
                                  "the zip64 record expected at byte %" PRIu64 " is not there", at);
    directory->count = load_u64(record + 32);
    directory->begin = load_u64(record + 48);
    directory->end = at;
    uint64_t length = load_u64(record + 40);
    if (directory->begin > at || at - directory->begin != length)
        return tensor_file_refuse(
            file, "the zip64 record at byte %" PRIu64 " places the directory wrongly", at);
    return true;
}

static bool directory_find(ZipDirectory *directory) {
    TensorFile *file = directory->file;
    if (file->size < END_BYTES)
        return tensor_file_refuse(file, "its %zu bytes are too few for an archive", file->size);
    uint64_t at = file->size - END_BYTES;
    const unsigned char *end = file->data + at;
    if (load_u32(end) != END_MAGIC || load_u16(end + 20) != 0)
        return tensor_file_refuse(file,
                                  "it does not end with an end record without a comment, at byte "
                                  "%" PRIu64 "; it may be cut off, or have bytes behind it",
                                  at);
    directory->count = load_u16(end + 10);
    uint32_t length = load_u32(end + 12);
    directory->begin = load_u32(end + 16);
    directory->end = at;
    if (directory->count == WIDE_16 || length == WIDE_32 || directory->begin == WIDE_32) {
        if (!directory_find_wide(directory))
            return false;
    } else if (directory->begin > at || at - directory->begin != length) {
        return tensor_file_refuse(
            file, "the end record at byte %" PRIu64 " places the directory wrongly", at);
    }
    if (directory->count > (directory->end - directory->begin) / CENTRAL_BYTES)
        return tensor_file_refuse(file, "its directory has no room for %" PRIu64 " members",
                                  directory->count);
    return true;
}

/* ---- members -------------------------------------------------------------------------------- */

/* Replaces those of the `count` values that are WIDE_32 by what the zip64 extra field says. False
 * if it lacks one. */
static bool widen(const ZipFields *fields, uint64_t *const *values, int count) {
    const unsigned char *at = fields->extra;
    const unsigned char *end = at + fields->extra_length;
    const unsigned char *wide = NULL;
    const unsigned char *wide_end = NULL;
    while (!wide && end - at >= 4) {
        size_t length = load_u16(at + 2);
        if ((size_t)(end - at) < 4 + length)
            return false;
        if (load_u16(at) == EXTRA_ZIP64) {
            wide = at + 4;
            wide_end = wide + length;
        }
        at += 4 + length;
    }
    for (int i = 0; i < count; i++) {
        if (*values[i] != WIDE_32)
            continue;
        if (!wide || wide_end - wide < 8)
            return false;
        *values[i] = load_u64(wide);
        wide += 8;
    }
    return true;
}

/* The local header at member->begin must say the same as `central`. Sets member->end. */
static bool local_check(const ZipDirectory *directory, const ZipFields *central,
                        ZipMember *member) {
    TensorFile *file = directory->file;
    const char *shown = tensor_name_text(file->arena, member->name);
    if (member->begin > directory->begin || directory->begin - member->begin < LOCAL_BYTES)
        return tensor_file_refuse(file, "member `%s`: no local header at byte %" PRIu64, shown,
                                  member->begin);
    const unsigned char *header = file->data + member->begin;
    ZipFields local = {load_u16(header + 6),  load_u16(header + 8),
                       load_u32(header + 14), load_u32(header + 18),
                       load_u32(header + 22), header + LOCAL_BYTES,
                       load_u16(header + 26), header + LOCAL_BYTES + load_u16(header + 26),
                       load_u16(header + 28)};
    uint64_t room = directory->begin - member->begin - LOCAL_BYTES;
    if (load_u32(header) != LOCAL_MAGIC || room < local.name_length + local.extra_length)
        return tensor_file_refuse(file, "member `%s`: no local header at byte %" PRIu64, shown,
                                  member->begin);
    room -= local.name_length + local.extra_length;
    uint64_t *const values[] = {&local.bytes, &local.packed_bytes};
    bool after = (local.flags & FLAG_SIZES_AFTER) != 0;
    bool same = widen(&local, values, 2) && local.flags == central->flags &&
                local.method == central->method && local.name_length == central->name_length &&
                memcmp(local.name, central->name, local.name_length) == 0;
    if (!after)
        same = same && local.crc == central->crc && local.bytes == central->bytes &&
               local.packed_bytes == central->packed_bytes;
    if (!same)
        return tensor_file_refuse(
            file, "member `%s`: the local header at byte %" PRIu64 " differs from the directory",
            shown, member->begin);
    if (room < member->packed_bytes)
        return tensor_file_refuse(file,
                                  "member `%s`: its %" PRIu64 " compressed bytes from byte %" PRIu64
                                  " on reach into the directory",
                                  shown, member->packed_bytes, directory->begin - room);
    member->end = directory->begin - room + member->packed_bytes;
    return true;
}

/* What netc allows of what the format can say. */
static bool fields_check(TensorFile *file, const ZipFields *fields, const char *shown) {
    if (memchr(fields->name, '\0', fields->name_length))
        return tensor_file_refuse(file, "member `%s` has a NUL in its name", shown);
    if (fields->name_length > TENSOR_NAME_LIMIT)
        return tensor_file_refuse(file, "member `%s` has a name of %zu bytes; the limit is %d",
                                  shown, fields->name_length, TENSOR_NAME_LIMIT);
    if (fields->flags & FLAG_ENCRYPTED)
        return tensor_file_refuse(file, "member `%s` is encrypted", shown);
    if (fields->method != METHOD_STORED && fields->method != METHOD_DEFLATE)
        return tensor_file_refuse(
            file,
            "member `%s` has compression method %u; netc reads stored (0) and "
            "deflated (8) ones",
            shown, fields->method);
    if (fields->method == METHOD_STORED && fields->packed_bytes != fields->bytes)
        return tensor_file_refuse(file, "member `%s` is stored, but in another size than its own",
                                  shown);
    return true;
}

/* The directory entry at *at and its member; moves *at behind it. */
static bool member_read(const ZipDirectory *directory, uint64_t *at, ZipMember *member) {
    TensorFile *file = directory->file;
    uint64_t room = directory->end - *at;
    const unsigned char *entry = file->data + *at;
    if (room < CENTRAL_BYTES || load_u32(entry) != CENTRAL_MAGIC)
        return tensor_file_refuse(file, "no directory entry at byte %" PRIu64, *at);
    ZipFields fields = {load_u16(entry + 8),  load_u16(entry + 10),
                        load_u32(entry + 16), load_u32(entry + 20),
                        load_u32(entry + 24), entry + CENTRAL_BYTES,
                        load_u16(entry + 28), entry + CENTRAL_BYTES + load_u16(entry + 28),
                        load_u16(entry + 30)};
    uint64_t length =
        CENTRAL_BYTES + fields.name_length + fields.extra_length + load_u16(entry + 32);
    if (room < length)
        return tensor_file_refuse(file, "the directory entry at byte %" PRIu64 " is cut off", *at);
    member->name = arena_copy_text(file->arena, (const char *)fields.name, fields.name_length);
    member->begin = load_u32(entry + 42);
    uint64_t *const values[] = {&fields.bytes, &fields.packed_bytes, &member->begin};
    if (!widen(&fields, values, 3))
        return tensor_file_refuse(
            file, "the directory entry at byte %" PRIu64 " lacks its zip64 sizes", *at);
    member->bytes = fields.bytes;
    member->packed_bytes = fields.packed_bytes;
    if (!fields_check(file, &fields, tensor_name_text(file->arena, member->name)) ||
        !local_check(directory, &fields, member))
        return false;
    *at += length;
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static int member_compare(const void *left, const void *right) {
    const ZipMember *a = left;
    const ZipMember *b = right;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

/* No byte in front of the first member, and none that belongs to two. */
static bool overlap_check(TensorFile *file, const ZipMembers *members) {
    ZipMember *sorted = ARENA_ARRAY(file->arena, members->count, ZipMember);
    if (members->count > 0)
        memcpy(sorted, members->data, members->count * sizeof *sorted);
    qsort(sorted, members->count, sizeof *sorted, member_compare);
    for (size_t i = 0; i < members->count; i++) {
        const char *shown = tensor_name_text(file->arena, sorted[i].name);
        if (i == 0 && sorted[0].begin != 0)
            return tensor_file_refuse(file, "%" PRIu64 " bytes stand before its first member, `%s`",
                                      sorted[0].begin, shown);
        if (i > 0 && sorted[i].begin < sorted[i - 1].end)
            return tensor_file_refuse(
                file, "member `%s`, at byte %" PRIu64 ", overlaps member `%s`", shown,
                sorted[i].begin, tensor_name_text(file->arena, sorted[i - 1].name));
    }
    return true;
}

bool zip_directory_read(TensorFile *file, ZipMembers *members) {
    ZipDirectory directory = {.file = file};
    if (!directory_find(&directory))
        return false;
    uint64_t at = directory.begin;
    for (uint64_t i = 0; i < directory.count; i++) {
        ZipMember member = {0};
        if (!member_read(&directory, &at, &member))
            return false;
        VEC_PUSH(file->arena, members, member);
    }
    if (at != directory.end)
        return tensor_file_refuse(file, "bytes from %" PRIu64 " on belong to no directory entry",
                                  at);
    return overlap_check(file, members);
}
