#include "output/json_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unicode.h"

#define EXACT_IN_DOUBLE (INT64_C(1) << 53)

json_t *json_whole_number(int64_t number) {
    if (number <= EXACT_IN_DOUBLE)
        return json_integer(number);
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, number);
    return json_string(digits);
}

json_t *json_shape(const Shape *shape) {
    json_t *dims = json_array();
    for (int i = 0; i < shape->rank; i++)
        json_array_append_new(dims, json_whole_number(shape->dims[i]));
    return dims;
}

json_t *json_text(const char *bytes) {
    StrBuf text = {0};
    for (size_t length = strlen(bytes); length > 0;) {
        uint32_t scalar;
        size_t taken = unicode_decode(bytes, length, &scalar);
        if (scalar == UNICODE_INVALID)
            strbuf_add(&text, "\uFFFD");
        else
            strbuf_add_bytes(&text, bytes, taken);
        bytes += taken;
        length -= taken;
    }
    json_t *json = json_string(strbuf_text(&text));
    strbuf_free(&text);
    return json;
}

void json_print(json_t *value, size_t flags, StrBuf *out) {
    char *text = json_dumps(value, JSON_ENCODE_ANY | flags);
    if (!text)
        out_of_memory();
    strbuf_add(out, text);
    free(text);
    json_decref(value);
}
