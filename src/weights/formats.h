/* Between the files of src/weights: one reader a format, and what they share. */
#ifndef NETC_WEIGHTS_FORMATS_H
#define NETC_WEIGHTS_FORMATS_H

#include <string.h>

#include "weights/tensor_file.h"

/* Numbers in files are little-endian and mapped files are read in place. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "netc runs on little-endian machines");

#define TENSOR_NAME_LIMIT 4096                    /* bytes */
#define DIM_LIMIT         ((int64_t)1 << 53)      /* largest dim or offset; exact in a double too */
#define NPY_HEADER_LIMIT  10000                   /* bytes of the dictionary, as in NumPy */
#define NPY_PREFIX_LIMIT  (12 + NPY_HEADER_LIMIT) /* bytes from the start that hold the header */

static inline uint16_t load_u16(const unsigned char *bytes) {
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint32_t load_u32(const unsigned char *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint64_t load_u64(const unsigned char *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

/* Reports E0401 "`PATH` is not a valid .FORMAT file: ..." and returns false. */
bool tensor_file_refuse(const TensorFile *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Bytes of a tensor of `bits` an element, rounded up; false if they leave 63 bits. A dim of 0 hides
 * no overflow of the others. */
bool tensor_bits(const Shape *shape, int64_t bits, int64_t *result);

/* Validates file->data and fills file->tensors. False after one diagnostic. */
bool safetensors_open(TensorFile *file);
bool npz_open(TensorFile *file);
void npz_close(TensorFile *file);

/* Inflates the data of a member, exactly tensor->bytes, into `out` in the file's order. */
bool npz_read(TensorFile *file, const FileTensor *tensor, void *out);

/* The header of a .npy array. */
typedef struct NpyHeader {
    const char *type; /* "<f4" */
    char kind;        /* b i u f c: boolean, signed, unsigned, float, complex */
    int64_t size;     /* bytes of an element */
    bool little;      /* little-endian, or of one byte */
    bool fortran;
    Shape shape;
    size_t header_bytes; /* before the data */
    int64_t data_bytes;
} NpyHeader;

/* Reads the header at the start of `data`; the array may go on behind `size`. NULL if it is well
 * formed, else what is wrong with it, with the byte. */
const char *npy_parse_header(Arena *arena, const unsigned char *data, size_t size,
                             NpyHeader *header);

/* Column-major `in` to row-major `out`. */
void npy_from_fortran(const float *in, const Shape *shape, float *out);

/* One member of an archive as its central directory and its local header both describe it. */
typedef struct ZipMember {
    const char *name;
    uint64_t begin; /* of the local header */
    uint64_t end;   /* of the compressed data */
    uint64_t packed_bytes;
    uint64_t bytes;
} ZipMember;
typedef VEC(ZipMember) ZipMembers;

/* Walks the central directory. Refuses what the rules of docs/weights.md do not allow, so that only
 * inflating is left to libzip. False after one diagnostic. */
bool zip_directory_read(TensorFile *file, ZipMembers *members);

#endif
