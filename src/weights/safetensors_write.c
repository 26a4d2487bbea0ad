/* Writing .safetensors: a header padded with spaces to 8 bytes, then the data without holes. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "weights/bind.h"

#define HEADER_ALIGN 8

static void json_print_text(const char *text, StrBuf *out) {
    strbuf_add_char(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            strbuf_format(out, "\\%c", c);
        else if (c < ' ')
            strbuf_format(out, "\\u%04x", (unsigned)c);
        else
            strbuf_add_char(out, *text);
    }
    strbuf_add_char(out, '"');
}

/* "conv1.weight":{"dtype":"F32","shape":[60,1,7,7],"data_offsets":[0,11760]} */
static void entry_print(const Weight *weight, int64_t begin, int64_t end, StrBuf *out) {
    json_print_text(weight->path, out);
    strbuf_add(out, ":{\"dtype\":\"F32\",\"shape\":[");
    for (int i = 0; i < weight->shape.rank; i++)
        strbuf_format(out, i ? ",%" PRId64 : "%" PRId64, weight->shape.dims[i]);
    strbuf_format(out, "],\"data_offsets\":[%" PRId64 ",%" PRId64 "]}", begin, end);
}

void weights_write_safetensors(const Graph *graph, StrBuf *out) {
    StrBuf header = {0};
    /* transformers refuses a file that does not say which framework's layout it has. */
    strbuf_add(&header, "{\"__metadata__\":{\"format\":\"pt\"}");
    int64_t offset = 0;
    for (size_t i = 0; i < graph->weights.count; i++) {
        const Weight *weight = graph->weights.data[i];
        int64_t end = offset + weight->elements * (int64_t)sizeof(float);
        strbuf_add_char(&header, ',');
        entry_print(weight, offset, end, &header);
        offset = end;
    }
    strbuf_add_char(&header, '}');
    strbuf_fill(&header, ' ', (HEADER_ALIGN - header.length % HEADER_ALIGN) % HEADER_ALIGN);
    uint64_t length = header.length;
    strbuf_add_bytes(out, (const char *)&length, sizeof length);
    strbuf_add_bytes(out, header.data, header.length);
    strbuf_free(&header);
    for (size_t i = 0; i < graph->weights.count; i++) {
        const Weight *weight = graph->weights.data[i];
        assert(weight->data);
        strbuf_add_bytes(out, (const char *)weight->data, (size_t)weight->elements * sizeof(float));
    }
}
