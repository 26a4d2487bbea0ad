/* Tensors in files: .safetensors, .npz and .npy, read as hostile input.
 *
 * Every rule of docs/weights.md is checked before a tensor is handed out; a file that breaks one is
 * one E0401, which names the byte or the field. Nothing here knows the network: bind.h compares the
 * two, and no memory is taken for the numbers of a tensor before that has been done. */
#ifndef NETC_WEIGHTS_TENSOR_FILE_H
#define NETC_WEIGHTS_TENSOR_FILE_H

#include "graph/tensor.h"
#include "support/file.h"

/* How a file keeps numbers that can be weights, little-endian. */
typedef enum FileNumber {
    NUMBER_OTHER, /* a type that is not read */
    NUMBER_F32,   /* IEEE 754 binary32 */
    NUMBER_F16,   /* IEEE 754 binary16; each is a binary32 too */
    NUMBER_BF16,  /* the upper half of a binary32 */
} FileNumber;

typedef struct FileTensor {
    const char *name; /* any text without NUL: show it with tensor_name_text */
    const char *type; /* as the file calls it: "F32", "<f4" */
    FileNumber number;
    Shape shape;     /* rank up to TENSOR_MAX_RANK; dims of 0 are possible here */
    bool fortran;    /* column-major (.npy); what file_tensor_floats gives is always row-major */
    uint64_t offset; /* of the data in the file (of the archive member for .npz); for messages */
    uint64_t bytes;  /* of the data: what shape and type ask for, checked against the file */
    const unsigned char
        *data;       /* not aligned; NULL for .npz, whose members are inflated on demand */
    uint64_t member; /* .npz: its index in the archive */
} FileTensor;

/* What tells that a file is still the one that was opened. */
typedef struct FileStamp {
    uint64_t device;
    uint64_t inode;
    int64_t size;
    int64_t seconds; /* of the last change of its contents, and nanoseconds */
    int64_t nanoseconds;
} FileStamp;

typedef struct TensorFile {
    Arena *arena;
    Diagnostics *diagnostics;
    Span span; /* where messages point: the `weights "..."`, or SPAN_NONE */
    const char *path;
    const unsigned char *data; /* the whole file */
    size_t size;
    VEC(FileTensor) tensors; /* in the order of the file's data */
    FileBytes mapping;       /* of `data`; empty after tensor_file_open_bytes */
    FileStamp stamp;
    void *archive; /* .npz: libzip's zip_t */
} TensorFile;

/* Maps and validates a weights file; the format goes by the name's ending. NULL after one
 * diagnostic at `span`.
 *
 * The mapping is private and read-only, so the numbers of a large file are never copied. What is
 * checked is read once. A later write to the file may still show through in the numbers, which any
 * bits may be; tensor_file_unchanged tells. A file made shorter while it is mapped ends netc by
 * SIGBUS, as it would a linker; outputs are renamed into place last, so none is harmed. */
TensorFile *tensor_file_open(Arena *arena, Diagnostics *diagnostics, Span span, const char *path);

/* The same for a file that is in memory already; `data` stays the caller's and must outlive the
 * TensorFile. `name` gives the format and is what messages call it. */
TensorFile *tensor_file_open_bytes(Arena *arena, Diagnostics *diagnostics, Span span,
                                   const char *name, const void *data, size_t size);

/* Whether the file on disk has the size and time it had when it was opened; E0701 if not. To be
 * asked after the last use of its numbers and before an output is committed. */
bool tensor_file_unchanged(const TensorFile *file);

/* Ends the mapping: what file_tensor_floats gave must not be used any more. NULL is ignored. */
void tensor_file_close(TensorFile *file);

/* The elements of a tensor whose number is not NUMBER_OTHER, as binary32, row-major: the file's own
 * bytes where type, alignment and order allow, else a copy in the arena. Ask only for a tensor
 * whose shape was found to be the one needed. NULL after a diagnostic (an archive member that does
 * not inflate). */
const float *file_tensor_floats(TensorFile *file, const FileTensor *tensor);

/* A tensor's name for messages: control and direction-changing characters as \u{...}, cut at 100
 * bytes. */
const char *tensor_name_text(Arena *arena, const char *name);

/* A .npy array for netc run: little-endian f32, f64 (rounded to f32), or u8 (0 to 255 as they are),
 * C or Fortran order, every dim >= 1. Row-major in the arena; NULL after a diagnostic. `path` may
 * be `-`. */
float *npy_read(Arena *arena, Diagnostics *diagnostics, const char *path, Shape *shape);

/* The same for a file that is in memory. */
float *npy_read_bytes(Arena *arena, Diagnostics *diagnostics, const char *name, const void *data,
                      size_t size, Shape *shape);

/* Appends a whole .npy file (version 1.0, <f4, C order). */
void npy_write(const float *data, const Shape *shape, StrBuf *out);

#endif
