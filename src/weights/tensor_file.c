/* Opening by format, the parts that all formats share, and reading the numbers of a tensor. */
#include "weights/tensor_file.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/checked.h"
#include "support/unicode.h"
#include "weights/formats.h"

#define NAME_SHOWN 100 /* bytes of a tensor's name in a message */

typedef enum WeightsFormat {
    FORMAT_SAFETENSORS,
    FORMAT_NPZ,
    FORMAT_UNKNOWN,
} WeightsFormat;

/* ---- format by name ------------------------------------------------------------------------- */

static bool name_ends_with(const char *name, const char *ending) {
    size_t length = strlen(name);
    size_t tail = strlen(ending);
    return length > tail && strcasecmp(name + length - tail, ending) == 0;
}

static WeightsFormat format_of(const char *name) {
    if (name_ends_with(name, ".safetensors"))
        return FORMAT_SAFETENSORS;
    if (name_ends_with(name, ".npz"))
        return FORMAT_NPZ;
    return FORMAT_UNKNOWN;
}

static const char *format_name(WeightsFormat format) {
    switch (format) {
    case FORMAT_SAFETENSORS: return ".safetensors";
    case FORMAT_NPZ: return ".npz";
    case FORMAT_UNKNOWN: return "weights";
    }
    assert(false);
    return "";
}

/* What to do with files that people try: PyTorch's hold pickled code, which netc never reads. */
static const char *format_advice(const char *name) {
    if (name_ends_with(name, ".pt") || name_ends_with(name, ".pth") ||
        name_ends_with(name, ".bin") || name_ends_with(name, ".ckpt"))
        return "in Python: safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")";
    if (name_ends_with(name, ".npy"))
        return "a .npy file holds one array without a name: numpy.savez(\"model.npz\", "
               "**{\"dense1.weight\": array}) makes a .npz file";
    if (name_ends_with(name, ".h5") || name_ends_with(name, ".keras"))
        return "in Python: numpy.savez(\"model.npz\", **arrays), with each array under the name of "
               "its tensor in the network and in PyTorch's order";
    return "netc reads .safetensors and .npz; the ending of the name says which";
}

static WeightsFormat format_require(Diagnostics *diagnostics, Span span, const char *name) {
    WeightsFormat format = format_of(name);
    if (format == FORMAT_UNKNOWN) {
        Diagnostic *d = diag_report(diagnostics, DIAG_E0409, span,
                                    "`%s` is not a .safetensors or .npz file by its name", name);
        diag_help(diagnostics, d, "%s", format_advice(name));
    }
    return format;
}

/* ---- what the readers share ----------------------------------------------------------------- */

bool tensor_file_refuse(const TensorFile *file, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *what = arena_format_list(file->arena, format, arguments);
    va_end(arguments);
    diag_report(file->diagnostics, DIAG_E0401, file->span, "`%s` is not a valid %s file: %s",
                file->path, format_name(format_of(file->path)), what);
    return false;
}

bool tensor_bits(const Shape *shape, int64_t bits, int64_t *result) {
    bool empty = false;
    int64_t product = bits;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dims[i] == 0)
            empty = true;
        else if (!checked_mul(product, shape->dims[i], &product))
            return false;
    }
    *result = empty ? 0 : product;
    return true;
}

const char *tensor_name_text(Arena *arena, const char *name) {
    StrBuf text = {0};
    size_t length = strlen(name);
    for (size_t at = 0; at < length;) {
        if (at >= NAME_SHOWN) {
            strbuf_add(&text, "...");
            break;
        }
        uint32_t scalar;
        size_t size = unicode_decode(name + at, length - at, &scalar);
        if (scalar == UNICODE_INVALID)
            strbuf_format(&text, "\\x%02X", (unsigned)(unsigned char)name[at]);
        else if (unicode_is_deceptive(scalar))
            strbuf_format(&text, "\\u{%X}", (unsigned)scalar);
        else
            strbuf_add_bytes(&text, name + at, size);
        at += size;
    }
    const char *copy = arena_copy_text(arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return copy;
}

/* ---- opening and closing -------------------------------------------------------------------- */

static bool file_stamp(const char *path, FileStamp *stamp) {
    struct stat status;
    if (stat(path, &status) != 0)
        return false;
    *stamp = (FileStamp){(uint64_t)status.st_dev, (uint64_t)status.st_ino, (int64_t)status.st_size,
                         (int64_t)status.st_mtim.tv_sec, (int64_t)status.st_mtim.tv_nsec};
    return true;
}

static bool file_validate(TensorFile *file) {
    switch (format_of(file->path)) {
    case FORMAT_SAFETENSORS: return safetensors_open(file);
    case FORMAT_NPZ: return npz_open(file);
    case FORMAT_UNKNOWN: break;
    }
    assert(false);
    return false;
}

static TensorFile *file_new(Arena *arena, Diagnostics *diagnostics, Span span, const char *name) {
    TensorFile *file = ARENA_NEW(arena, TensorFile);
    file->arena = arena;
    file->diagnostics = diagnostics;
    file->span = span;
    file->path = arena_copy_text(arena, name, strlen(name));
    return file;
}

TensorFile *tensor_file_open(Arena *arena, Diagnostics *diagnostics, Span span, const char *path) {
    if (format_require(diagnostics, span, path) == FORMAT_UNKNOWN)
        return NULL;
    TensorFile *file = file_new(arena, diagnostics, span, path);
    /* The stamp comes first: a file replaced between the two calls is noticed later. */
    bool stamped = file_stamp(path, &file->stamp);
    if (!file_map(diagnostics, span, path, &file->mapping)) {
        if (access(path, F_OK) != 0)
            diag_help(diagnostics, diagnostics->list.data[diagnostics->list.count - 1],
                      "`netc init` writes such a file, of random weights");
        return NULL;
    }
    file->data = file->mapping.data;
    file->size = file->mapping.size;
    bool valid;
    if (stamped && file->stamp.size == (int64_t)file->size)
        valid = file_validate(file);
    else
        valid = tensor_file_unchanged(file);
    if (!valid) {
        tensor_file_close(file);
        return NULL;
    }
    return file;
}

TensorFile *tensor_file_open_bytes(Arena *arena, Diagnostics *diagnostics, Span span,
                                   const char *name, const void *data, size_t size) {
    if (format_require(diagnostics, span, name) == FORMAT_UNKNOWN)
        return NULL;
    TensorFile *file = file_new(arena, diagnostics, span, name);
    file->data = data;
    file->size = size;
    if (!file_validate(file)) {
        tensor_file_close(file);
        return NULL;
    }
    return file;
}

bool tensor_file_unchanged(const TensorFile *file) {
    if (!file->mapping.data)
        return true; /* the caller's own memory */
    FileStamp now;
    if (file_stamp(file->path, &now) && now.device == file->stamp.device &&
        now.inode == file->stamp.inode && now.size == file->stamp.size &&
        now.seconds == file->stamp.seconds && now.nanoseconds == file->stamp.nanoseconds)
        return true;
    diag_report(file->diagnostics, DIAG_E0701, file->span, "`%s` changed while it was being read",
                file->path);
    return false;
}

void tensor_file_close(TensorFile *file) {
    if (!file)
        return;
    npz_close(file);
    if (file->mapping.data)
        file_release(&file->mapping);
    file->mapping = (FileBytes){0};
    file->data = NULL;
    file->tensors.count = 0;
}

/* ---- the numbers ---------------------------------------------------------------------------- */

static float float_of_bits(uint32_t bits) {
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* Sign, 5 bits of exponent, 10 of fraction. A denormal is fraction * 2^-24, which a float holds. */
static float widen_f16(uint16_t half) {
    uint32_t sign = (uint32_t)(half >> 15) << 31;
    uint32_t exponent = half >> 10 & 31;
    uint32_t fraction = half & 1023;
    if (exponent == 0)
        return fraction == 0 ? float_of_bits(sign)
                             : (sign ? -1.0F : 1.0F) * (float)fraction * 0x1p-24F;
    uint32_t biased = exponent == 31 ? 255 : exponent - 15 + 127;
    return float_of_bits(sign | biased << 23 | fraction << 13);
}

/* Numbers of the file's type to floats, in the same order. */
static void widen(FileNumber number, const unsigned char *bytes, size_t count, float *out) {
    switch (number) {
    case NUMBER_F32: memcpy(out, bytes, count * sizeof *out); return;
    case NUMBER_F16:
        for (size_t i = 0; i < count; i++)
            out[i] = widen_f16(load_u16(bytes + 2 * i));
        return;
    case NUMBER_BF16:
        for (size_t i = 0; i < count; i++)
            out[i] = float_of_bits((uint32_t)load_u16(bytes + 2 * i) << 16);
        return;
    case NUMBER_OTHER: break;
    }
    assert(false);
}

static void *allocate(size_t bytes) {
    void *memory = malloc(bytes > 0 ? bytes : 1);
    if (!memory)
        out_of_memory();
    return memory;
}

/* All floats of the tensor, in the file's order. */
static bool floats_read(TensorFile *file, const FileTensor *tensor, size_t count, float *out) {
    if (tensor->data) {
        widen(tensor->number, tensor->data, count, out);
        return true;
    }
    unsigned char *bytes = allocate(tensor->bytes);
    bool read = npz_read(file, tensor, bytes);
    if (read)
        widen(tensor->number, bytes, count, out);
    free(bytes);
    return read;
}

const float *file_tensor_floats(TensorFile *file, const FileTensor *tensor) {
    assert(tensor->number != NUMBER_OTHER);
    bool aligned = (uintptr_t)tensor->data % _Alignof(float) == 0;
    if (tensor->data && tensor->number == NUMBER_F32 && aligned && !tensor->fortran)
        return (const float *)(const void *)tensor->data;
    size_t count = (size_t)(tensor->bytes / (tensor->number == NUMBER_F32 ? 4 : 2));
    float *numbers = arena_alloc(file->arena, count * sizeof *numbers);
    if (!tensor->fortran)
        return floats_read(file, tensor, count, numbers) ? numbers : NULL;
    float *columns = allocate(count * sizeof *columns);
    bool read = floats_read(file, tensor, count, columns);
    if (read)
        npy_from_fortran(columns, &tensor->shape, numbers);
    free(columns);
    return read ? numbers : NULL;
}
