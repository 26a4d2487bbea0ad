/* What the JSON of reports and of diffs is made of. */
#ifndef NETC_OUTPUT_JSON_VALUE_H
#define NETC_OUTPUT_JSON_VALUE_H

#include <jansson.h>

#include "graph/tensor.h"

/* A reader that keeps numbers as doubles would round whole numbers above 2^53: these are written as
 * texts. */
json_t *json_whole_number(int64_t number);
/* Appends the value in the form that jansson's `flags` say, without a line end, and frees it. */
void json_print(json_t *value, size_t flags, StrBuf *out);

/* A text in JSON is UTF-8; the name of a file may be any bytes. */
json_t *json_text(const char *bytes);
/* [64, 56, 56] */
json_t *json_shape(const Shape *shape);

#endif
