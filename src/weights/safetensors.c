/* Reading .safetensors: an 8-byte header length, a JSON header, the data of all tensors.
 *
 * The specification is github.com/huggingface/safetensors. This reader is stricter where the
 * specification is silent or the reference reader lax; docs/weights.md has the table of rules. */
#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "weights/formats.h"

#define LENGTH_BYTES 8
#define HEADER_LIMIT ((uint64_t)16 << 20)
#define DEPTH_LIMIT  4  /* the format itself has 3: header, entry, shape */
#define ITEM_LIMIT   64 /* items of an array, so that a small header stays small in memory */

typedef struct ElementFormat {
    const char *name;
    int bits;
    FileNumber number;
} ElementFormat;

static const ElementFormat element_formats[] = {
    {"F32", 32, NUMBER_F32},          {"F16", 16, NUMBER_F16},
    {"BF16", 16, NUMBER_BF16},        {"BOOL", 8, NUMBER_OTHER},
    {"U8", 8, NUMBER_OTHER},          {"I8", 8, NUMBER_OTHER},
    {"F8_E5M2", 8, NUMBER_OTHER},     {"F8_E4M3", 8, NUMBER_OTHER},
    {"F8_E8M0", 8, NUMBER_OTHER},     {"F8_E4M3FNUZ", 8, NUMBER_OTHER},
    {"F8_E5M2FNUZ", 8, NUMBER_OTHER}, {"F4", 4, NUMBER_OTHER},
    {"F6_E2M3", 6, NUMBER_OTHER},     {"F6_E3M2", 6, NUMBER_OTHER},
    {"I16", 16, NUMBER_OTHER},        {"U16", 16, NUMBER_OTHER},
    {"I32", 32, NUMBER_OTHER},        {"U32", 32, NUMBER_OTHER},
    {"C64", 64, NUMBER_OTHER},        {"F64", 64, NUMBER_OTHER},
    {"I64", 64, NUMBER_OTHER},        {"U64", 64, NUMBER_OTHER},
};

/* The header's text and where it begins in the file. */
typedef struct Header {
    TensorFile *file;
    const char *text;
    size_t length;
} Header;

/* ---- what a JSON parser does not check ------------------------------------------------------ */

/* Index of the quote that ends the string opened at `at`, or the header's length. */
static size_t string_end(const Header *header, size_t at) {
    for (at++; at < header->length && header->text[at] != '"'; at++)
        if (header->text[at] == '\\')
            at++;
    return at < header->length ? at : header->length;
}

static bool is_number_byte(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.';
}

/* A number is digits only: no sign, fraction or exponent. */
static bool number_scan(const Header *header, size_t *at) {
    size_t i = *at;
    for (; i < header->length && (is_number_byte(header->text[i]) || (header->text[i] | 32) == 'e');
         i++)
        if (header->text[i] < '0' || header->text[i] > '9')
            return tensor_file_refuse(header->file,
                                      "the number at byte %zu is not written in plain digits",
                                      LENGTH_BYTES + *at);
    *at = i - 1;
    return true;
}

/* Only spaces may pad the header. */
static bool padding_scan(const Header *header, size_t at) {
    for (; at < header->length; at++)
        if (header->text[at] != ' ')
            return tensor_file_refuse(header->file,
                                      "byte %zu, behind the header's `}`, is 0x%02x where only "
                                      "spaces may stand",
                                      LENGTH_BYTES + at, (unsigned)(unsigned char)header->text[at]);
    return true;
}

/* First byte, depth, size of arrays, form of numbers, padding. The rest, down to the last quote, is
 * the parser's to refuse. */
static bool header_scan(const Header *header) {
    if (header->length == 0 || header->text[0] != '{')
        return tensor_file_refuse(header->file, "the header, at byte %d, does not begin with `{`",
                                  LENGTH_BYTES);
    int depth = 0;
    int items[DEPTH_LIMIT + 1] = {0};
    for (size_t at = 0; at < header->length; at++) {
        char c = header->text[at];
        if (c == '"') {
            at = string_end(header, at);
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH_LIMIT)
                return tensor_file_refuse(header->file, "nesting deeper than %d at byte %zu",
                                          DEPTH_LIMIT, LENGTH_BYTES + at);
            items[depth] = c == '[' ? 1 : INT32_MIN;
        } else if (c == '}' || c == ']') {
            if (--depth == 0)
                return padding_scan(header, at + 1);
        } else if (c == ',') {
            if (++items[depth] > ITEM_LIMIT)
                return tensor_file_refuse(header->file,
                                          "an array of more than %d items at byte %zu", ITEM_LIMIT,
                                          LENGTH_BYTES + at);
        } else if (is_number_byte(c) && !number_scan(header, &at)) {
            return false;
        }
    }
    return true;
}

/* ---- entries -------------------------------------------------------------------------------- */

/* "tensor `a.weight`" */
static const char *tensor_called(const Header *header, const char *name) {
    Arena *arena = header->file->arena;
    return arena_format(arena, "tensor `%s`", tensor_name_text(arena, name));
}

/* A whole number of 0 to 2^53. */
static bool integer_read(const json_t *item, int64_t *value) {
    if (!json_is_integer(item) || json_integer_value(item) < 0 ||
        json_integer_value(item) > DIM_LIMIT)
        return false;
    *value = json_integer_value(item);
    return true;
}

static bool metadata_check(const Header *header, json_t *metadata) {
    if (!json_is_object(metadata))
        return tensor_file_refuse(header->file, "`__metadata__` is not an object");
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value) {
        if (!json_is_string(value))
            return tensor_file_refuse(header->file, "`%s` in `__metadata__` is not a text",
                                      tensor_name_text(header->file->arena, key));
    }
    return true;
}

static bool fields_check(const Header *header, const char *name, json_t *entry) {
    if (!json_is_object(entry))
        return tensor_file_refuse(header->file, "%s is not an object", tensor_called(header, name));
    const char *key;
    json_t *value;
    json_object_foreach(entry, key, value) {
        if (strcmp(key, "dtype") != 0 && strcmp(key, "shape") != 0 &&
            strcmp(key, "data_offsets") != 0)
            return tensor_file_refuse(header->file, "%s has the unknown field `%s`",
                                      tensor_called(header, name),
                                      tensor_name_text(header->file->arena, key));
    }
    static const char *const required[] = {"dtype", "shape", "data_offsets"};
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
        if (!json_object_get(entry, required[i]))
            return tensor_file_refuse(header->file, "%s has no `%s`", tensor_called(header, name),
                                      required[i]);
    return true;
}

static const ElementFormat *dtype_read(const Header *header, const char *name,
                                       const json_t *dtype) {
    const char *text = json_string_value(dtype);
    for (size_t i = 0; text && i < sizeof element_formats / sizeof element_formats[0]; i++)
        if (strcmp(text, element_formats[i].name) == 0)
            return &element_formats[i];
    if (text)
        tensor_file_refuse(header->file, "%s: `dtype` is `%s`, which the format does not have",
                           tensor_called(header, name),
                           tensor_name_text(header->file->arena, text));
    else
        tensor_file_refuse(header->file, "%s: `dtype` is not a text", tensor_called(header, name));
    return NULL;
}

static bool shape_read(const Header *header, const char *name, const json_t *items, Shape *shape) {
    if (!json_is_array(items))
        return tensor_file_refuse(header->file, "%s: `shape` is not an array",
                                  tensor_called(header, name));
    size_t rank = json_array_size(items);
    if (rank > TENSOR_MAX_RANK)
        return tensor_file_refuse(header->file,
                                  "%s: `shape` has %zu dimensions; netc has at most %d",
                                  tensor_called(header, name), rank, TENSOR_MAX_RANK);
    *shape = (Shape){.rank = (int)rank};
    for (size_t i = 0; i < rank; i++)
        if (!integer_read(json_array_get(items, i), &shape->dims[i]))
            return tensor_file_refuse(
                header->file,
                "%s: dimension %zu of `shape` is not a whole number from 0 to "
                "2^53",
                tensor_called(header, name), i);
    return true;
}

/* Sets offset (within the data for now) and bytes. */
static bool offsets_read(const Header *header, const char *name, const json_t *items,
                         FileTensor *tensor) {
    int64_t begin;
    int64_t end;
    if (!json_is_array(items) || json_array_size(items) != 2 ||
        !integer_read(json_array_get(items, 0), &begin) ||
        !integer_read(json_array_get(items, 1), &end))
        return tensor_file_refuse(header->file,
                                  "%s: `data_offsets` is not two whole numbers from 0 to 2^53",
                                  tensor_called(header, name));
    if (end < begin)
        return tensor_file_refuse(
            header->file, "%s: `data_offsets` [%" PRId64 ", %" PRId64 "] end before they begin",
            tensor_called(header, name), begin, end);
    tensor->offset = (uint64_t)begin;
    tensor->bytes = (uint64_t)(end - begin);
    return true;
}

static bool entry_read(const Header *header, const char *name, json_t *entry, FileTensor *tensor) {
    if (strlen(name) > TENSOR_NAME_LIMIT)
        return tensor_file_refuse(header->file, "%s has a name of %zu bytes; the limit is %d",
                                  tensor_called(header, name), strlen(name), TENSOR_NAME_LIMIT);
    if (!fields_check(header, name, entry))
        return false;
    const ElementFormat *element = dtype_read(header, name, json_object_get(entry, "dtype"));
    if (!element || !shape_read(header, name, json_object_get(entry, "shape"), &tensor->shape) ||
        !offsets_read(header, name, json_object_get(entry, "data_offsets"), tensor))
        return false;
    tensor->name = arena_copy_text(header->file->arena, name, strlen(name));
    tensor->type = element->name;
    tensor->number = element->number;
    int64_t bits;
    if (!tensor_bits(&tensor->shape, element->bits, &bits))
        return tensor_file_refuse(header->file, "%s: the size of `shape` leaves 63 bits",
                                  tensor_called(header, name));
    if (bits % 8 != 0)
        return tensor_file_refuse(header->file,
                                  "%s: %" PRId64 " bits of %s do not fill whole bytes",
                                  tensor_called(header, name), bits, element->name);
    if ((uint64_t)bits / 8 != tensor->bytes)
        return tensor_file_refuse(header->file,
                                  "%s: `data_offsets` span %" PRIu64
                                  " bytes, `shape` and `dtype` ask for %" PRId64,
                                  tensor_called(header, name), tensor->bytes, bits / 8);
    return true;
}

static bool entries_read(const Header *header, json_t *root) {
    const char *name;
    json_t *entry;
    json_object_foreach(root, name, entry) {
        if (strcmp(name, "__metadata__") == 0) {
            if (!metadata_check(header, entry))
                return false;
            continue;
        }
        FileTensor tensor = {0};
        if (!entry_read(header, name, entry, &tensor))
            return false;
        VEC_PUSH(header->file->arena, &header->file->tensors, tensor);
    }
    return true;
}

/* ---- layout of the data --------------------------------------------------------------------- */

/* By place in the data; empty tensors before the one that begins at the same byte. */
static int tensor_compare(const void *left, const void *right) {
    const FileTensor *a = left;
    const FileTensor *b = right;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* The tensors must cover the data from its first byte to its last, none twice, none missed: then
 * the file cannot hide anything, and what is read is never more than the file. */
static bool layout_check(const Header *header) {
    TensorFile *file = header->file;
    uint64_t data_begin = LENGTH_BYTES + header->length;
    uint64_t data_bytes = file->size - data_begin;
    if (file->tensors.count > 1)
        qsort(file->tensors.data, file->tensors.count, sizeof(FileTensor), tensor_compare);
    uint64_t expected = 0;
    for (size_t i = 0; i < file->tensors.count; i++) {
        FileTensor *tensor = &file->tensors.data[i];
        if (tensor->offset != expected)
            return tensor_file_refuse(
                file,
                "%s: `data_offsets` begin at %" PRIu64 " and %s; they must "
                "begin at %" PRIu64 ", where the tensor before them ends",
                tensor_called(header, tensor->name), tensor->offset,
                tensor->offset < expected ? "overlap another tensor" : "leave a hole", expected);
        expected += tensor->bytes;
        if (expected > data_bytes)
            return tensor_file_refuse(file,
                                      "%s: `data_offsets` end at %" PRIu64
                                      ", but the file has only %" PRIu64 " bytes of data",
                                      tensor_called(header, tensor->name), expected, data_bytes);
        tensor->offset += data_begin;
        tensor->data = file->data + tensor->offset;
    }
    if (expected != data_bytes)
        return tensor_file_refuse(file,
                                  "%" PRIu64 " bytes from byte %" PRIu64 " on belong to no tensor",
                                  data_bytes - expected, data_begin + expected);
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static bool json_refuse(const Header *header, const json_error_t *error) {
    size_t at = LENGTH_BYTES + (error->position > 0 ? (size_t)error->position : 0);
    const char *what;
    switch ((int)json_error_code(error)) {
    case json_error_out_of_memory: out_of_memory();
    case json_error_duplicate_key: what = "a name for the second time"; break;
    case json_error_invalid_utf8: what = "text that is not UTF-8"; break;
    case json_error_premature_end_of_input: what = "an early end"; break;
    case json_error_numeric_overflow: what = "a number beyond 63 bits"; break;
    case json_error_null_character:
    case json_error_null_byte_in_key: what = "a NUL character in a text"; break;
    default: what = "a mistake in the JSON"; break;
    }
    return tensor_file_refuse(header->file, "the header has %s, at or before byte %zu", what, at);
}

static bool header_find(TensorFile *file, Header *header) {
    if (file->size < LENGTH_BYTES)
        return tensor_file_refuse(file, "its %zu bytes are less than the %d of the header length",
                                  file->size, LENGTH_BYTES);
    uint64_t length = load_u64(file->data);
    if (length > HEADER_LIMIT)
        return tensor_file_refuse(
            file, "the header length at byte 0 is %" PRIu64 "; the limit is %" PRIu64 " bytes",
            length, HEADER_LIMIT);
    if (length > file->size - LENGTH_BYTES)
        return tensor_file_refuse(
            file, "the header length at byte 0 is %" PRIu64 ", but only %zu bytes follow", length,
            file->size - LENGTH_BYTES);
    *header = (Header){file, (const char *)file->data + LENGTH_BYTES, (size_t)length};
    return true;
}

bool safetensors_open(TensorFile *file) {
    Header header = {.file = file};
    if (!header_find(file, &header) || !header_scan(&header))
        return false;
    json_error_t error;
    json_t *root = json_loadb(header.text, header.length, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return json_refuse(&header, &error);
    bool valid = entries_read(&header, root) && layout_check(&header);
    json_decref(root);
    return valid;
}
