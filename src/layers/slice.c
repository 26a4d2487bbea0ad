#include "layers/slice.h"

#include <assert.h>

AxisSet slice_axes(const Attribute *attribute) {
    assert(attribute->kind == ATTRIBUTE_AXES);
    AxisSet axes = 0;
    for (int i = 0; i < attribute->axes.count; i++)
        axes |= 1U << attribute->axes.axis[i];
    return axes;
}

int64_t slice_length(const Shape *shape, AxisSet axes) {
    int64_t length = 1;
    for (int axis = 0; axis < shape->rank; axis++)
        length *= axes >> axis & 1 ? shape->dims[axis] : 1;
    return length;
}

int64_t slice_position(const Shape *shape, AxisSet axes, int64_t slice, int64_t k) {
    int64_t position = 0;
    int64_t stride = 1;
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        int64_t *left = axes >> axis & 1 ? &k : &slice;
        position += *left % shape->dims[axis] * stride;
        *left /= shape->dims[axis];
        stride *= shape->dims[axis];
    }
    return position;
}

int64_t slice_index(const Shape *shape, AxisSet axes, int64_t position) {
    int64_t index = 0;
    int64_t stride = 1;
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        int64_t place = position % shape->dims[axis];
        position /= shape->dims[axis];
        if ((axes >> axis & 1) == 0)
            continue;
        index += place * stride;
        stride *= shape->dims[axis];
    }
    return index;
}
