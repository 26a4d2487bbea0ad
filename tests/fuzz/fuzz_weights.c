/* The readers of weights files against hostile bytes.
 *
 * Built with -fsanitize=fuzzer it is a libFuzzer target: the first byte chooses the format and the
 * order of the numbers, the rest is the file. With -DFUZZ_STANDALONE it is a program that needs no
 * fuzzer: `fuzz_weights N` runs N files a format, made from built-in seeds by mutations that know
 * the formats' structure, with a fixed seed, so that a failure repeats. `fuzz_weights 0 FILE...`
 * replays files of the first form.
 *
 * Wrong is a crash, a sanitizer's report, or a broken promise: see check_file. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../unit/weights_fixture.h"

/* Ends the process so that a fuzzer and a test both see it. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

typedef enum Format {
    FORMAT_SAFETENSORS,
    FORMAT_NPY,
    FORMAT_NPZ,
    FORMAT_COUNT,
} Format;

static const char *const format_names[FORMAT_COUNT] = {"a.safetensors", "a.npy", "a.npz"};

/* ---- one file ------------------------------------------------------------------------------- */

/* Tensors of a .safetensors file cover its data from end to end. */
static void check_layout(const TensorFile *file, Format format) {
    uint64_t end = 0;
    for (size_t i = 0; i < file->tensors.count; i++) {
        const FileTensor *tensor = &file->tensors.data[i];
        REQUIRE(tensor->name && tensor->type);
        REQUIRE(tensor->shape.rank >= 0 && tensor->shape.rank <= TENSOR_MAX_RANK);
        if (tensor->number != NUMBER_OTHER)
            REQUIRE(tensor->bytes == 4 * (uint64_t)shape_elements(&tensor->shape));
        if (format != FORMAT_SAFETENSORS)
            continue;
        REQUIRE(i == 0 || tensor->offset == end);
        end = tensor->offset + tensor->bytes;
        REQUIRE(end <= file->size && tensor->data == file->data + tensor->offset);
    }
    REQUIRE(format != FORMAT_SAFETENSORS || file->tensors.count == 0 || end == file->size);
}

/* A refused file gives one error; an accepted one binds, or gives errors. */
static void check_file(Fixture *fixture, Format format, WeightsOrder order, const void *data,
                       size_t size) {
    TensorFile *file = tensor_file_open_bytes(&fixture->arena, &fixture->diagnostics, SPAN_NONE,
                                              format_names[format], data, size);
    REQUIRE(fixture->diagnostics.list.count == (file ? 0 : 1));
    if (!file)
        return;
    check_layout(file, format);
    Graph *graph = tiny_graph(fixture);
    bool bound = weights_bind_file(graph, file, order);
    REQUIRE(bound != diag_has_errors(&fixture->diagnostics));
    volatile float sum = 0;
    for (size_t i = 0; bound && i < graph->weights.count; i++) {
        const Weight *weight = graph->weights.data[i];
        REQUIRE(weight->data);
        for (int64_t k = 0; k < weight->elements; k++)
            sum += weight->data[k];
    }
    tensor_file_close(file);
}

static void check_array(Fixture *fixture, const void *data, size_t size) {
    Shape shape;
    float *numbers = npy_read_bytes(&fixture->arena, &fixture->diagnostics,
                                    format_names[FORMAT_NPY], data, size, &shape);
    REQUIRE(fixture->diagnostics.list.count == (numbers ? 0 : 1));
    if (!numbers)
        return;
    REQUIRE(shape_is_valid(&shape));
    REQUIRE((uint64_t)shape_elements(&shape) <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    Format format = (Format)(data[0] % FORMAT_COUNT);
    WeightsOrder order = (WeightsOrder)(data[0] / FORMAT_COUNT % WEIGHTS_ORDERS);
    /* A copy of exactly the file's size: a read behind it is seen. */
    size_t length = size - 1;
    void *copy = malloc(length > 0 ? length : 1);
    REQUIRE(copy);
    memcpy(copy, data + 1, length);
    Fixture fixture;
    fixture_begin(&fixture);
    if (format == FORMAT_NPY)
        check_array(&fixture, copy, length);
    else
        check_file(&fixture, format, order, copy, length);
    fixture_end(&fixture);
    free(copy);
    return 0;
}

#ifdef FUZZ_STANDALONE

#include "support/random.h"

/* ---- mutations ------------------------------------------------------------------------------ */

static size_t random_below(Random *random, size_t limit) {
    return limit == 0 ? 0 : random_bits(random) % limit;
}

static bool one_in(Random *random, size_t count) {
    return random_below(random, count) == 0;
}

/* Texts that mean something in a JSON or .npy header. */
static const char *const words[] = {
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ",",
    ":",
    "\"",
    "'",
    "\\",
    " ",
    "\n",
    "0",
    "1",
    "-1",
    "-0",
    "1e3",
    "2.0",
    "4",
    "8",
    "9007199254740992",
    "9007199254740993",
    "18446744073709551616",
    "4294967296",
    "true",
    "True",
    "null",
    "\"shape\"",
    "\"dtype\"",
    "\"data_offsets\"",
    "\"F32\"",
    "\"F4\"",
    "\"__metadata__\":{\"a\":\"b\"},",
    "\\u0000",
    "\\ud800",
    "\xFF",
    "'descr'",
    "'<f4'",
    "'>f4'",
    "'|O'",
    "'<f8'",
    "'|u1'",
    "'shape'",
    "(3,)",
    "fortran_order",
    "\"fc.bias\"",
    "[[[[[[[[",
    "\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},",
};

/* Replaces up to `removed` bytes at `at` by `added`. */
static void text_splice(StrBuf *text, size_t at, size_t removed, const char *added,
                        size_t added_length) {
    StrBuf result = {0};
    if (removed > text->length - at)
        removed = text->length - at;
    strbuf_add_bytes(&result, text->data, at);
    strbuf_add_bytes(&result, added, added_length);
    strbuf_add_bytes(&result, text->data + at + removed, text->length - at - removed);
    strbuf_free(text);
    *text = result;
}

/* One change of a header's text: a word put in, a stretch taken out or doubled, a byte or a digit
 * changed. */
static void text_mutate(Random *random, StrBuf *text) {
    size_t at = random_below(random, text->length + 1);
    size_t stretch = 1 + random_below(random, 12);
    const char *word = words[random_below(random, sizeof words / sizeof words[0])];
    switch (random_below(random, 6)) {
    case 0: text_splice(text, at, 0, word, strlen(word)); break;
    case 1: text_splice(text, at, stretch, word, strlen(word)); break;
    case 2: text_splice(text, at, stretch, "", 0); break;
    case 3: {
        if (stretch > text->length - at)
            stretch = text->length - at;
        char copy[16];
        memcpy(copy, text->data + at, stretch);
        text_splice(text, at, 0, copy, stretch);
        break;
    }
    case 4: {
        char byte = (char)random_bits(random);
        text_splice(text, at, 1, &byte, 1);
        break;
    }
    default:
        for (size_t i = 0; i < text->length; i++) {
            char *c = &text->data[(at + i) % text->length];
            if (*c >= '0' && *c <= '9') {
                *c = (char)('0' + random_below(random, 10));
                break;
            }
        }
    }
}

static void text_mutate_often(Random *random, StrBuf *text) {
    for (size_t i = random_below(random, 4); i > 0; i--)
        text_mutate(random, text);
}

/* Any bytes: one changed, a number of a header made extreme, the end cut off or added to. */
static void bytes_mutate(Random *random, StrBuf *bytes) {
    static const uint64_t extremes[] = {0,         1,          8,         0xFFFF,
                                        INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};
    size_t at = random_below(random, bytes->length + 1);
    uint64_t extreme = extremes[random_below(random, sizeof extremes / sizeof extremes[0])];
    switch (random_below(random, 4)) {
    case 0: {
        char byte = (char)random_bits(random);
        text_splice(bytes, at, 1, &byte, 1);
        break;
    }
    case 1: {
        size_t width = (size_t)2 << random_below(random, 3);
        text_splice(bytes, at, width, (const char *)&extreme, width);
        break;
    }
    case 2: text_splice(bytes, at, bytes->length, "", 0); break;
    default: strbuf_fill(bytes, (char)random_bits(random), 1 + random_below(random, 8));
    }
}

/* ---- files ---------------------------------------------------------------------------------- */

/* tiny_graph's tensors with random numbers, as netc init writes them. */
static void tiny_safetensors(Random *random, StrBuf *out) {
    Fixture fixture;
    fixture_begin(&fixture);
    Graph *graph = tiny_graph(&fixture);
    weights_random(&fixture.arena, graph, random_bits(random));
    weights_write_safetensors(graph, out);
    fixture_end(&fixture);
}

/* A header with changes, whose length is put right, and the data. */
static void make_safetensors(Random *random, StrBuf *out) {
    StrBuf seed = {0};
    tiny_safetensors(random, &seed);
    uint64_t length;
    memcpy(&length, seed.data, sizeof length);
    size_t header_end = 8 + (size_t)length;
    StrBuf header = {0};
    strbuf_add_bytes(&header, seed.data + 8, length);
    text_mutate_often(random, &header);
    length = header.length;
    strbuf_add_bytes(out, (const char *)&length, sizeof length);
    if (header.length > 0)
        strbuf_add_bytes(out, header.data, header.length);
    strbuf_add_bytes(out, seed.data + header_end, seed.length - header_end);
    strbuf_free(&header);
    strbuf_free(&seed);
}

/* An array of one of the shapes of tiny_graph, or another; its header changed or not, with the
 * length put right. */
static void make_npy(Random *random, int which, bool changed, StrBuf *out) {
    static const struct {
        const char *dictionary;
        size_t bytes;
    } seeds[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 3, 3), }  \n", 72},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 8},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (3, 8), }\n", 96},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n", 12},
        {"{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3, 4), }\n", 192},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (), }\n", 1},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3, 1, 2), }\n", 72},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (8, 3), }\n", 96},
    };
    StrBuf dictionary = {0};
    strbuf_add(&dictionary, seeds[which].dictionary);
    if (changed)
        text_mutate_often(random, &dictionary);
    char data[192];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)random_bits(random);
    strbuf_add(&dictionary, "");
    npy_build(out, strbuf_text(&dictionary), data, seeds[which].bytes);
    strbuf_free(&dictionary);
}

/* Four arrays, each with changes or not, packed with right sizes and CRCs; then, sometimes, fields
 * of the archive changed in one header or in both. */
static void make_npz(Random *random, StrBuf *out) {
    static const char *const names[] = {"conv1.weight.npy", "conv1.bias.npy", "fc.weight.npy",
                                        "fc.bias.npy"};
    ZipBuilder zip = {0};
    bool keras = one_in(random, 2);
    for (int i = 0; i < 4; i++) {
        StrBuf array = {0};
        int right = keras && i % 2 == 0 ? 6 + i / 2 : i;
        int which = one_in(random, 10) ? (int)random_below(random, 8) : right;
        make_npy(random, which, one_in(random, 8), &array);
        zip_add_member(&zip, names[one_in(random, 40) ? 0 : i], one_in(random, 2) ? 8 : 0,
                       array.data, array.length);
        strbuf_free(&array);
    }
    zip_finish(&zip);
    static const size_t local_fields[] = {6, 8, 14, 18, 22, 26, 28};
    static const size_t central_fields[] = {8, 10, 16, 20, 24, 28, 30};
    for (size_t i = one_in(random, 2) ? random_below(random, 4) : 0; i > 0; i--) {
        size_t member = random_below(random, 4);
        size_t field = random_below(random, 7);
        char byte = (char)(one_in(random, 3) ? random_bits(random) : random_below(random, 9));
        zip.out.data[zip.members[member].local + local_fields[field]] = byte;
        if (one_in(random, 2))
            zip.out.data[zip.members[member].central + central_fields[field]] = byte;
        if (one_in(random, 4))
            zip.out.data[zip.members[member].central + 42] = byte;
        if (one_in(random, 4))
            zip.out.data[zip.end + 10 + random_below(random, 10)] = byte;
    }
    strbuf_add_bytes(out, zip.out.data, zip.out.length);
    zip_free(&zip);
}

static void make_file(Random *random, Format format, StrBuf *out) {
    size_t order = random_below(random, WEIGHTS_ORDERS);
    strbuf_add_char(out, (char)((size_t)format + order * FORMAT_COUNT));
    switch (format) {
    case FORMAT_SAFETENSORS: make_safetensors(random, out); break;
    case FORMAT_NPY: make_npy(random, (int)random_below(random, 8), true, out); break;
    case FORMAT_NPZ: make_npz(random, out); break;
    case FORMAT_COUNT: break;
    }
    if (!one_in(random, 3))
        return;
    StrBuf bytes = {0};
    strbuf_add_bytes(&bytes, out->data + 1, out->length - 1);
    bytes_mutate(random, &bytes);
    out->length = 1;
    strbuf_add_bytes(out, bytes.data, bytes.length);
    strbuf_free(&bytes);
}

static void replay(const char *path) {
    FILE *file = fopen(path, "rb");
    REQUIRE(file);
    StrBuf bytes = {0};
    char chunk[4096];
    for (size_t count; (count = fread(chunk, 1, sizeof chunk, file)) > 0;)
        strbuf_add_bytes(&bytes, chunk, count);
    fclose(file);
    LLVMFuzzerTestOneInput((const uint8_t *)bytes.data, bytes.length);
    strbuf_free(&bytes);
}

int main(int argc, char **argv) {
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
    Random random = random_start(20240229);
    for (int format = 0; format < FORMAT_COUNT; format++)
        for (long i = 0; i < count; i++) {
            StrBuf bytes = {0};
            make_file(&random, (Format)format, &bytes);
            LLVMFuzzerTestOneInput((const uint8_t *)bytes.data, bytes.length);
            strbuf_free(&bytes);
        }
    for (int i = 2; i < argc; i++)
        replay(argv[i]);
    printf("%ld files a format\n", count);
    return 0;
}

#endif
