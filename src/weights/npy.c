/* .npy: the header's dictionary, arrays for netc run, and writing.
 *
 * The header is a Python literal. numpy.lib.format evaluates it; here it is a fixed grammar with
 * three keys, one text, one boolean and one tuple of plain whole numbers, and nothing else. */
#include <assert.h>
#include <inttypes.h>

#include "support/checked.h"
#include "weights/formats.h"

#define MAGIC       "\x93NUMPY"
#define MAGIC_BYTES 6
#define NPY_ALIGN   64                /* data begins at a multiple, as NumPy writes it */
#define INPUT_LIMIT ((size_t)2 << 30) /* bytes of an input of netc run */

/* ---- the dictionary ------------------------------------------------------------------------- */

typedef struct Cursor {
    Arena *arena;
    const unsigned char *data; /* from the start of the file */
    size_t at;
    size_t end; /* of the header */
    const char *error;
} Cursor;

/* Notes the first mistake; always false. */
static bool cursor_fail(Cursor *cursor, const char *expected) {
    if (!cursor->error)
        cursor->error =
            arena_format(cursor->arena, "byte %zu of the header is not %s", cursor->at, expected);
    return false;
}

static bool cursor_is(const Cursor *cursor, char c) {
    return cursor->at < cursor->end && cursor->data[cursor->at] == (unsigned char)c;
}

static void skip_spaces(Cursor *cursor) {
    while (cursor_is(cursor, ' '))
        cursor->at++;
}

/* `c` and the spaces behind it. */
static bool take(Cursor *cursor, char c, const char *expected) {
    if (!cursor_is(cursor, c))
        return cursor_fail(cursor, expected);
    cursor->at++;
    skip_spaces(cursor);
    return true;
}

static bool take_word(Cursor *cursor, const char *word) {
    size_t length = strlen(word);
    if (cursor->end - cursor->at < length || memcmp(cursor->data + cursor->at, word, length) != 0)
        return false;
    cursor->at += length;
    skip_spaces(cursor);
    return true;
}

/* A text of printable ASCII in quotes of either kind, without escapes. */
static bool take_text(Cursor *cursor, const char **text) {
    if (!cursor_is(cursor, '\'') && !cursor_is(cursor, '"'))
        return cursor_fail(cursor, "a quoted text");
    unsigned char quote = cursor->data[cursor->at++];
    size_t begin = cursor->at;
    while (cursor->at < cursor->end && cursor->data[cursor->at] != quote) {
        unsigned char c = cursor->data[cursor->at];
        if (c < ' ' || c > '~' || c == '\\')
            return cursor_fail(cursor, "a plain character");
        cursor->at++;
    }
    *text = arena_copy_text(cursor->arena, (const char *)cursor->data + begin, cursor->at - begin);
    return take(cursor, (char)quote, "the end of a text");
}

/* Digits only: no sign, no `True`, no `3L`. */
static bool take_dim(Cursor *cursor, int64_t *dim) {
    size_t begin = cursor->at;
    int64_t value = 0;
    while (cursor->at < cursor->end && cursor->data[cursor->at] >= '0' &&
           cursor->data[cursor->at] <= '9') {
        value = value * 10 + (cursor->data[cursor->at] - '0');
        if (value > DIM_LIMIT)
            return cursor_fail(cursor, "part of a number up to 2^53");
        cursor->at++;
    }
    if (cursor->at == begin)
        return cursor_fail(cursor, "a whole number in plain digits");
    *dim = value;
    skip_spaces(cursor);
    return true;
}

/* (), (3,), (3, 4), (3, 4,) */
static bool take_shape(Cursor *cursor, Shape *shape) {
    *shape = (Shape){0};
    if (!take(cursor, '(', "the `(` of a shape"))
        return false;
    while (!cursor_is(cursor, ')')) {
        if (shape->rank == TENSOR_MAX_RANK)
            return cursor_fail(cursor, "the end of a shape of at most 8 dimensions");
        if (!take_dim(cursor, &shape->dims[shape->rank]))
            return false;
        shape->rank++;
        bool single = shape->rank == 1;
        if (cursor_is(cursor, ')') && !single)
            break;
        if (!take(cursor, ',',
                  single ? "the `,` behind a shape's first dimension"
                         : "the `,` or `)` of a shape"))
            return false;
    }
    return take(cursor, ')', "the `)` of a shape");
}

typedef enum NpyKey {
    KEY_DESCR,   /* element type */
    KEY_FORTRAN, /* order */
    KEY_SHAPE,   /* dims */
    KEY_COUNT,
} NpyKey;

static const char *const key_names[KEY_COUNT] = {"descr", "fortran_order", "shape"};

static NpyKey key_find(const char *name) {
    NpyKey key = KEY_DESCR;
    while (key < KEY_COUNT && strcmp(name, key_names[key]) != 0)
        key++;
    return key;
}

static bool take_value(Cursor *cursor, NpyKey key, NpyHeader *header) {
    switch (key) {
    case KEY_DESCR: return take_text(cursor, &header->type);
    case KEY_FORTRAN:
        header->fortran = take_word(cursor, "True");
        return header->fortran || take_word(cursor, "False") ||
               cursor_fail(cursor, "`True` or `False`");
    case KEY_SHAPE: return take_shape(cursor, &header->shape);
    case KEY_COUNT: break;
    }
    assert(false);
    return false;
}

/* Each of the three keys once, in any order; then spaces and one line end. */
static bool take_dictionary(Cursor *cursor, NpyHeader *header) {
    bool seen[KEY_COUNT] = {false};
    if (!take(cursor, '{', "the `{` of a dictionary"))
        return false;
    for (int i = 0; i < KEY_COUNT; i++) {
        size_t begin = cursor->at;
        const char *name = "";
        if (!take_text(cursor, &name))
            return false;
        NpyKey key = key_find(name);
        if (key == KEY_COUNT || seen[key]) {
            cursor->at = begin;
            return cursor_fail(cursor, "one of the keys `descr`, `fortran_order` and `shape`, each "
                                       "once");
        }
        seen[key] = true;
        if (!take(cursor, ':', "the `:` behind a key") || !take_value(cursor, key, header))
            return false;
        if (i < KEY_COUNT - 1 && !take(cursor, ',', "the `,` behind a value"))
            return false;
    }
    if (cursor_is(cursor, ','))
        take(cursor, ',', "");
    if (!take(cursor, '}', "the `}` behind the three keys"))
        return false;
    if (!cursor_is(cursor, '\n') || cursor->at + 1 != cursor->end)
        return cursor_fail(cursor, "the line end that closes the header");
    return true;
}

/* ---- the header ----------------------------------------------------------------------------- */

/* `<f4`: byte order, kind, bytes. Objects (`|O`) are pickled code and structures are nested;
 * neither has this form. */
static bool type_parse(const char *type, NpyHeader *header) {
    static const char *const known[] = {"|b1", "|i1", "|u1", "<i2", "<i4", "<i8", "<u2",
                                        "<u4", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16"};
    if (type[0] == '\0')
        return false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        bool order =
            known[i][0] == '|' ? strchr("|<>", type[0]) != NULL : type[0] == '<' || type[0] == '>';
        if (!order || strcmp(type + 1, known[i] + 1) != 0)
            continue;
        header->kind = type[1];
        header->size = type[2] == '1' && type[3] == '6' ? 16 : type[2] - '0';
        header->little = header->size == 1 || type[0] == '<';
        return true;
    }
    return false;
}

/* Sets header_bytes from the prefix: magic, version, length of the dictionary (u16 in version 1.0,
 * u32 after it). */
static const char *prefix_parse(Arena *arena, const unsigned char *data, size_t size,
                                NpyHeader *header, size_t *dictionary) {
    if (size < 12)
        return arena_format(arena, "its %zu bytes are too few for a header", size);
    if (memcmp(data, MAGIC, MAGIC_BYTES) != 0)
        return "it does not begin with the bytes \\x93NUMPY";
    unsigned major = data[6];
    unsigned minor = data[7];
    if (major < 1 || major > 3 || minor != 0)
        return arena_format(arena, "the version at byte 6 is %u.%u, not 1.0, 2.0 or 3.0", major,
                            minor);
    *dictionary = major == 1 ? 10 : 12;
    uint32_t length = major == 1 ? load_u16(data + 8) : load_u32(data + 8);
    if (length > NPY_HEADER_LIMIT)
        return arena_format(arena, "the header length at byte 8 is %" PRIu32 "; the limit is %d",
                            length, NPY_HEADER_LIMIT);
    if (length > size - *dictionary)
        return arena_format(arena,
                            "the header length at byte 8 is %" PRIu32 ", but only %zu bytes follow",
                            length, size - *dictionary);
    header->header_bytes = *dictionary + length;
    return NULL;
}

const char *npy_parse_header(Arena *arena, const unsigned char *data, size_t size,
                             NpyHeader *header) {
    *header = (NpyHeader){0};
    size_t dictionary = 0;
    const char *error = prefix_parse(arena, data, size, header, &dictionary);
    if (error)
        return error;
    Cursor cursor = {arena, data, dictionary, header->header_bytes, NULL};
    if (!take_dictionary(&cursor, header))
        return cursor.error;
    if (!type_parse(header->type, header))
        return arena_format(arena, "`descr` is `%s`, which is not a plain number type",
                            tensor_name_text(arena, header->type));
    if (!tensor_bits(&header->shape, header->size, &header->data_bytes))
        return "the size of `shape` leaves 63 bits";
    return NULL;
}

/* ---- order ---------------------------------------------------------------------------------- */

/* out[i0, i1, ...] = in[i0 + d0 * (i1 + d1 * ...)]; the indices run row-major. */
void npy_from_fortran(const float *in, const Shape *shape, float *out) {
    int64_t stride[TENSOR_MAX_RANK] = {0};
    int64_t index[TENSOR_MAX_RANK] = {0};
    int64_t elements = 1;
    for (int axis = 0; axis < shape->rank; axis++) {
        stride[axis] = elements;
        elements *= shape->dims[axis];
    }
    int64_t from = 0;
    for (int64_t to = 0; to < elements; to++) {
        out[to] = in[from];
        for (int axis = shape->rank - 1; axis >= 0; axis--) {
            from += stride[axis];
            if (++index[axis] < shape->dims[axis])
                break;
            from -= stride[axis] * shape->dims[axis];
            index[axis] = 0;
        }
    }
}

/* ---- arrays for netc run -------------------------------------------------------------------- */

typedef enum NpyElement {
    NPY_F32,
    NPY_F64,
    NPY_U8,
    NPY_OTHER,
} NpyElement;

static NpyElement element_of(const NpyHeader *header) {
    if (header->kind == 'f' && header->size == 4 && header->little)
        return NPY_F32;
    if (header->kind == 'f' && header->size == 8 && header->little)
        return NPY_F64;
    return header->kind == 'u' && header->size == 1 ? NPY_U8 : NPY_OTHER;
}

/* `count` elements in the file's order, as floats. */
static void elements_widen(const unsigned char *data, NpyElement element, int64_t count,
                           float *out) {
    for (int64_t i = 0; i < count; i++) {
        double wide;
        switch (element) {
        case NPY_F32: memcpy(&out[i], data + 4 * i, 4); break;
        case NPY_F64:
            memcpy(&wide, data + 8 * i, 8);
            out[i] = (float)wide;
            break;
        case NPY_U8: out[i] = data[i]; break;
        case NPY_OTHER: assert(false);
        }
    }
}

/* What is wrong with the array as an input, NULL if nothing is. The size of the data is checked
 * before anything is allocated. */
static const char *input_check(Arena *arena, size_t size, const NpyHeader *header) {
    uint64_t present = size - header->header_bytes;
    if (present != (uint64_t)header->data_bytes)
        return arena_format(arena,
                            "%s of type `%s` takes %" PRId64 " bytes of data, but from byte %zu on "
                            "there are %" PRIu64,
                            shape_text(arena, &header->shape), header->type, header->data_bytes,
                            header->header_bytes, present);
    return NULL;
}

float *npy_read_bytes(Arena *arena, Diagnostics *diagnostics, const char *name, const void *data,
                      size_t size, Shape *shape) {
    NpyHeader header;
    const char *error = npy_parse_header(arena, data, size, &header);
    if (!error)
        error = input_check(arena, size, &header);
    if (error) {
        diag_report(diagnostics, DIAG_E0401, SPAN_NONE, "`%s` is not a valid .npy file: %s", name,
                    error);
        return NULL;
    }
    NpyElement element = element_of(&header);
    if (element == NPY_OTHER) {
        Diagnostic *d =
            diag_report(diagnostics, DIAG_E0405, SPAN_NONE, "`%s` holds elements of type `%s`%s",
                        name, header.type, header.little ? "" : ", which is big-endian");
        diag_help(diagnostics, d,
                  "netc reads `<f4`, `<f8` and `|u1`; in Python: array.astype(\"<f4\")");
        return NULL;
    }
    if (!shape_is_valid(&header.shape)) {
        diag_report(diagnostics, DIAG_E0704, SPAN_NONE, "`%s` holds %s, an array without elements",
                    name, shape_text(arena, &header.shape));
        return NULL;
    }
    int64_t count = shape_elements(&header.shape);
    float *floats = ARENA_ARRAY(arena, (size_t)count, float);
    elements_widen((const unsigned char *)data + header.header_bytes, element, count, floats);
    *shape = header.shape;
    if (!header.fortran)
        return floats;
    float *rows = ARENA_ARRAY(arena, (size_t)count, float);
    npy_from_fortran(floats, shape, rows);
    return rows;
}

float *npy_read(Arena *arena, Diagnostics *diagnostics, const char *path, Shape *shape) {
    FileBytes bytes;
    if (!file_read(diagnostics, SPAN_NONE, path, INPUT_LIMIT, &bytes))
        return NULL;
    float *floats = npy_read_bytes(arena, diagnostics, path, bytes.data, bytes.size, shape);
    file_release(&bytes);
    return floats;
}

void npy_write(const float *data, const Shape *shape, StrBuf *out) {
    StrBuf header = {0};
    strbuf_add(&header, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < shape->rank; i++)
        strbuf_format(&header, i ? ", %" PRId64 : "%" PRId64, shape->dims[i]);
    strbuf_add(&header, shape->rank == 1 ? ",), }" : "), }");
    size_t used = MAGIC_BYTES + 4 + header.length + 1; /* magic, version, length; the line end */
    strbuf_fill(&header, ' ', (NPY_ALIGN - used % NPY_ALIGN) % NPY_ALIGN);
    strbuf_add_char(&header, '\n');
    const char prefix[] = {1, 0, (char)(header.length & 255), (char)(header.length >> 8)};
    strbuf_add_bytes(out, MAGIC, MAGIC_BYTES);
    strbuf_add_bytes(out, prefix, sizeof prefix);
    strbuf_add_bytes(out, header.data, header.length);
    strbuf_free(&header);
    strbuf_add_bytes(out, (const char *)data, (size_t)shape_elements(shape) * sizeof *data);
}
