/* Weights files built in memory, and a small network to bind them to. Shared by the unit tests of
 * src/weights and by tests/fuzz/fuzz_weights.c. */
#ifndef NETC_TESTS_WEIGHTS_FIXTURE_H
#define NETC_TESTS_WEIGHTS_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "layers/layer.h"
#include "support/diag.h"
#include "weights/bind.h"
#include "weights/tensor_file.h"

typedef struct Fixture {
    Arena arena;
    SourceMap sources;
    Diagnostics diagnostics;
} Fixture;

static inline void fixture_begin(Fixture *fixture) {
    *fixture = (Fixture){0};
    fixture->sources.arena = &fixture->arena;
    fixture->diagnostics.arena = &fixture->arena;
    fixture->diagnostics.sources = &fixture->sources;
}

static inline void fixture_end(Fixture *fixture) {
    arena_free(&fixture->arena);
}

/* ---- a network ------------------------------------------------------------------------------ */

/* What the order of Keras asks of the layers; the real ones would need all of netc. */
static const LayerInfo tiny_conv = {
    .name = "conv", .family = FAMILY_CONVOLUTION, .traits = LAYER_HAS_KERNEL};
static const LayerInfo tiny_flatten = {
    .name = "flatten", .family = FAMILY_SHAPE, .traits = LAYER_REORDERS_NOTHING};
static const LayerInfo tiny_dense = {
    .name = "dense", .family = FAMILY_DENSE, .traits = LAYER_HAS_KERNEL};

#define TINY_TEXT                                                                                  \
    "network tiny(x: [1, 4, 4]) -> [3] {\n"                                                        \
    "    weights \"tiny.safetensors\"\n"                                                           \
    "    return x -> conv1: conv(2, 3x3) -> flatten -> fc: dense(3)\n"                             \
    "}\n"
#define TINY_CONV_ELEMENTS 18 /* conv1.weight [2, 1, 3, 3], conv1.bias [2] */
#define TINY_FC_ELEMENTS   24 /* fc.weight [3, 8], fc.bias [3] */
#define TINY_ELEMENTS      (TINY_CONV_ELEMENTS + 2 + TINY_FC_ELEMENTS + 3)

static inline Span tiny_span(const Source *source, const char *words) {
    uint32_t at = source->base + (uint32_t)(strstr(source->text, words) - source->text);
    return (Span){at, at + (uint32_t)strlen(words)};
}

static inline Value *tiny_value(Fixture *fixture, const char *name, Shape shape, Span span) {
    Value *value = ARENA_NEW(&fixture->arena, Value);
    value->name = name;
    value->type.shape = shape;
    value->span = span;
    return value;
}

static inline Node *tiny_node(Fixture *fixture, const char *path, Span span, Value *input) {
    Node *node = ARENA_NEW(&fixture->arena, Node);
    node->path = path;
    node->span = span;
    node->layer = &tiny_dense;
    node->inputs = ARENA_ARRAY(&fixture->arena, 1, Value *);
    node->inputs[0] = input;
    node->input_count = 1;
    node->outputs = ARENA_ARRAY(&fixture->arena, 1, Value *);
    node->outputs[0] = tiny_value(fixture, path, shape_make(1, 1), span);
    node->output_count = 1;
    return node;
}

static inline Weight *tiny_weight(Fixture *fixture, Graph *graph, Node *node, const char *name,
                                  Shape shape, WeightRole role) {
    Weight *weight = ARENA_NEW(&fixture->arena, Weight);
    weight->path = arena_format(&fixture->arena, "%s.%s", node->path, name);
    weight->name = name;
    weight->shape = shape;
    weight->elements = shape_elements(&shape);
    weight->fan_in = weight->elements / shape.dims[0];
    weight->role = role;
    weight->trainable = true;
    weight->owner = node;
    VEC_PUSH(&fixture->arena, &node->weights, weight);
    VEC_PUSH(&fixture->arena, &graph->weights, weight);
    return weight;
}

/* The graph of TINY_TEXT, as far as weights are concerned. */
static inline Graph *tiny_graph(Fixture *fixture) {
    Source *source = source_add(&fixture->sources, "tiny.net", TINY_TEXT, strlen(TINY_TEXT));
    Graph *graph = ARENA_NEW(&fixture->arena, Graph);
    graph->arena = &fixture->arena;
    graph->name = "tiny";
    graph->source = source;
    graph->weights_path = "tiny.safetensors";
    graph->weights_span = tiny_span(source, "\"tiny.safetensors\"");
    Value *x = tiny_value(fixture, "x", shape_make(3, 1, 4, 4), tiny_span(source, "x: [1, 4, 4]"));
    Value *image =
        tiny_value(fixture, "conv1", shape_make(3, 2, 2, 2), tiny_span(source, "conv(2, 3x3)"));
    Value *flat = tiny_value(fixture, "flatten1", shape_make(1, 8), tiny_span(source, "flatten"));
    Node *conv = tiny_node(fixture, "conv1", tiny_span(source, "conv(2, 3x3)"), x);
    conv->layer = &tiny_conv;
    conv->outputs[0] = image;
    Node *flatten = tiny_node(fixture, "flatten1", tiny_span(source, "flatten"), image);
    flatten->layer = &tiny_flatten;
    flatten->outputs[0] = flat;
    Node *fc = tiny_node(fixture, "fc", tiny_span(source, "dense(3)"), flat);
    fc->outputs[0]->type.shape = shape_make(1, 3);
    Value *const values[] = {x, image, flat, fc->outputs[0]};
    for (size_t i = 0; i < 4; i++) {
        values[i]->id = (int64_t)i;
        VEC_PUSH(&fixture->arena, &graph->values, values[i]);
    }
    Node *const nodes[] = {conv, flatten, fc};
    for (size_t i = 0; i < 3; i++)
        VEC_PUSH(&fixture->arena, &graph->nodes, nodes[i]);
    VEC_PUSH(&fixture->arena, &graph->inputs, x);
    tiny_weight(fixture, graph, conv, "weight", shape_make(4, 2, 1, 3, 3), WEIGHT_KERNEL);
    tiny_weight(fixture, graph, conv, "bias", shape_make(1, 2), WEIGHT_BIAS);
    tiny_weight(fixture, graph, fc, "weight", shape_make(2, 3, 8), WEIGHT_KERNEL);
    tiny_weight(fixture, graph, fc, "bias", shape_make(1, 3), WEIGHT_BIAS);
    return graph;
}

/* ---- .safetensors --------------------------------------------------------------------------- */

/* Appends the header length, the header, and `data_bytes` bytes of zeros. */
static inline void safetensors_build(StrBuf *out, const char *header, size_t data_bytes) {
    uint64_t length = strlen(header);
    strbuf_add_bytes(out, (const char *)&length, sizeof length);
    strbuf_add(out, header);
    strbuf_fill(out, '\0', data_bytes);
}

/* ---- .npy ----------------------------------------------------------------------------------- */

/* A dictionary as NumPy writes it, without its padding. */
#define NPY_DICTIONARY(descr, fortran, shape)                                                      \
    "{'descr': '" descr "', 'fortran_order': " fortran ", 'shape': " shape ", }\n"

/* Appends a version 1.0 file with this dictionary, which should end with a line end. */
static inline void npy_build(StrBuf *out, const char *dictionary, const void *data, size_t bytes) {
    size_t length = strlen(dictionary);
    const char prefix[] = {
        '\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, (char)(length & 255), (char)(length >> 8)};
    strbuf_add_bytes(out, prefix, sizeof prefix);
    strbuf_add(out, dictionary);
    if (bytes > 0)
        strbuf_add_bytes(out, data, bytes);
}

/* ---- .npz ----------------------------------------------------------------------------------- */

#define ZIP_LOCAL_MAGIC   0x04034B50u
#define ZIP_CENTRAL_MAGIC 0x02014B50u
#define ZIP_END_MAGIC     0x06054B50u
#define ZIP_MEMBERS_MAX   16

/* An archive in the making, and where its parts stand, so that a test can spoil one of them. */
typedef struct ZipBuilder {
    StrBuf out;
    size_t count;
    struct {
        const char *name;
        size_t local; /* offset of the local header */
        size_t data;  /* of the compressed data */
        size_t central;
        unsigned method;
        uint32_t crc;
        size_t packed_bytes;
        size_t bytes;
    } members[ZIP_MEMBERS_MAX];
    size_t directory;
    size_t end; /* offset of the end record */
} ZipBuilder;

static inline uint32_t zip_crc(const void *data, size_t size) {
    const unsigned char *bytes = data;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

/* The lowest `count` bytes of `value`. */
static inline void zip_number(StrBuf *out, uint64_t value, int count) {
    for (int i = 0; i < count; i++)
        strbuf_add_char(out, (char)(value >> 8 * i & 255));
}

/* Deflate in blocks that store (RFC 1951, 3.2.4), of at most 65535 bytes each. */
static inline void deflate_store(StrBuf *out, const char *data, size_t size) {
    do {
        size_t block = size < 65535 ? size : 65535;
        strbuf_add_char(out, block == size);
        zip_number(out, block, 2);
        zip_number(out, ~block, 2);
        strbuf_add_bytes(out, data, block);
        data += block;
        size -= block;
    } while (size > 0);
}

/* Bits of a deflate stream, lowest first. */
typedef struct Bits {
    StrBuf *out;
    unsigned pending;
    int count;
} Bits;

static inline void bits_add(Bits *bits, unsigned value, int count) {
    bits->pending |= value << bits->count;
    bits->count += count;
    while (bits->count >= 8) {
        strbuf_add_char(bits->out, (char)(bits->pending & 255));
        bits->pending >>= 8;
        bits->count -= 8;
    }
}

/* Appends one last block of fixed Huffman codes (RFC 1951, 3.2.6): a zero byte, then `repeats`
 * copies of 258 zeros: length symbol 285 (bits 11000101), distance symbol 0. */
static inline void deflate_zeros(StrBuf *out, size_t repeats) {
    Bits bits = {out, 0, 0};
    bits_add(&bits, 3, 3);    /* last block, fixed codes */
    bits_add(&bits, 0x0C, 8); /* literal 0 is 00110000, highest bit first */
    for (size_t i = 0; i < repeats; i++) {
        bits_add(&bits, 0xA3, 8); /* 11000101 reversed */
        bits_add(&bits, 0, 5);
    }
    bits_add(&bits, 0, 7);
    bits_add(&bits, 0, 7); /* fill the last byte */
}

/* Adds a member whose compressed data is given; `bytes` and `crc` are what it claims to hold. */
static inline void zip_add_packed(ZipBuilder *zip, const char *name, unsigned method,
                                  const StrBuf *packed, size_t bytes, uint32_t crc) {
    size_t i = zip->count++;
    zip->members[i].name = name;
    zip->members[i].method = method;
    zip->members[i].packed_bytes = packed->length;
    zip->members[i].bytes = bytes;
    zip->members[i].crc = crc;
    zip->members[i].local = zip->out.length;
    zip_number(&zip->out, ZIP_LOCAL_MAGIC, 4);
    zip_number(&zip->out, 20, 2); /* version needed */
    zip_number(&zip->out, 0, 2);  /* flags, at 6 */
    zip_number(&zip->out, method, 2);
    zip_number(&zip->out, 0x00210000, 4); /* 1980-01-01 */
    zip_number(&zip->out, crc, 4);        /* at 14 */
    zip_number(&zip->out, packed->length, 4);
    zip_number(&zip->out, bytes, 4);
    zip_number(&zip->out, strlen(name), 2); /* at 26 */
    zip_number(&zip->out, 0, 2);            /* extra */
    strbuf_add(&zip->out, name);
    zip->members[i].data = zip->out.length;
    if (packed->length > 0)
        strbuf_add_bytes(&zip->out, packed->data, packed->length);
}

/* Adds a member, stored (0) or deflated (8). */
static inline void zip_add_member(ZipBuilder *zip, const char *name, unsigned method,
                                  const char *data, size_t size) {
    StrBuf packed = {0};
    if (method == 8)
        deflate_store(&packed, data, size);
    else if (size > 0)
        strbuf_add_bytes(&packed, data, size);
    zip_add_packed(zip, name, method, &packed, size, zip_crc(data, size));
    strbuf_free(&packed);
}

static inline void zip_finish(ZipBuilder *zip) {
    zip->directory = zip->out.length;
    for (size_t i = 0; i < zip->count; i++) {
        zip->members[i].central = zip->out.length;
        zip_number(&zip->out, ZIP_CENTRAL_MAGIC, 4);
        zip_number(&zip->out, 20, 2); /* version made by */
        zip_number(&zip->out, 20, 2); /* version needed */
        zip_number(&zip->out, 0, 2);  /* flags, at 8 */
        zip_number(&zip->out, zip->members[i].method, 2);
        zip_number(&zip->out, 0x00210000, 4);
        zip_number(&zip->out, zip->members[i].crc, 4); /* at 16 */
        zip_number(&zip->out, zip->members[i].packed_bytes, 4);
        zip_number(&zip->out, zip->members[i].bytes, 4);
        zip_number(&zip->out, strlen(zip->members[i].name), 2); /* at 28 */
        zip_number(&zip->out, 0, 2);                            /* extra */
        zip_number(&zip->out, 0, 2);                            /* comment */
        zip_number(&zip->out, 0, 2);                            /* disk */
        zip_number(&zip->out, 0, 2);                            /* internal attributes */
        zip_number(&zip->out, 0, 4);                            /* external attributes */
        zip_number(&zip->out, zip->members[i].local, 4);        /* at 42 */
        strbuf_add(&zip->out, zip->members[i].name);
    }
    zip->end = zip->out.length;
    zip_number(&zip->out, ZIP_END_MAGIC, 4);
    zip_number(&zip->out, 0, 4); /* disks */
    zip_number(&zip->out, zip->count, 2);
    zip_number(&zip->out, zip->count, 2); /* at 10 */
    zip_number(&zip->out, zip->end - zip->directory, 4);
    zip_number(&zip->out, zip->directory, 4); /* at 16 */
    zip_number(&zip->out, 0, 2);              /* comment */
}

static inline void zip_free(ZipBuilder *zip) {
    strbuf_free(&zip->out);
}

/* Adds NAME.npy with zeros of that shape. */
static inline void zip_add_array(ZipBuilder *zip, const char *member, unsigned method,
                                 const float *data, Shape shape) {
    StrBuf array = {0};
    npy_write(data, &shape, &array);
    zip_add_member(zip, member, method, array.data, array.length);
    strbuf_free(&array);
}

/* An archive with the four tensors of tiny_graph, whose numbers are those of `data` in order. */
static inline void tiny_npz(ZipBuilder *zip, const float *data, unsigned method) {
    zip_add_array(zip, "conv1.weight.npy", method, data, shape_make(4, 2, 1, 3, 3));
    zip_add_array(zip, "conv1.bias.npy", method, data + TINY_CONV_ELEMENTS, shape_make(1, 2));
    zip_add_array(zip, "fc.weight.npy", method, data + TINY_CONV_ELEMENTS + 2, shape_make(2, 3, 8));
    zip_add_array(zip, "fc.bias.npy", method, data + TINY_CONV_ELEMENTS + 2 + TINY_FC_ELEMENTS,
                  shape_make(1, 3));
    zip_finish(zip);
}

#endif
