#include "output/json_value.h"

#include <inttypes.h>
#include <stdio.h>

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
