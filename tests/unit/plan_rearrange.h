/* Plain forms of the steps that move and resize, as plan.h describes them, for plan_plain.h and
 * plan_interpreter.h. */
#ifndef NETC_TESTS_PLAN_REARRANGE_H
#define NETC_TESTS_PLAN_REARRANGE_H

#include <math.h>

#include "plan/plan.h"

/* The float of the input that float `at` of the output is; -1 past the edge. */
static inline int64_t rearranged_from(const Rearrange *rearrange, int64_t at) {
    int64_t from = rearrange->first;
    for (int i = rearrange->loop_count - 1; i >= 0; i--) {
        const RearrangeLoop *loop = &rearrange->loops[i];
        int64_t place = at % loop->count - loop->begin, last = loop->extent - 1;
        at /= loop->count;
        if (place < 0 || place > last) {
            if (rearrange->edge == REARRANGE_CONSTANT)
                return -1;
            if (rearrange->edge == REARRANGE_WRAP) {
                from += (place + loop->extent) % loop->extent * loop->stride;
                continue;
            }
            bool reflect = rearrange->edge == REARRANGE_REFLECT;
            place = place < 0 ? (reflect ? -place : 0) : reflect ? 2 * last - place : last;
        }
        from += place * loop->stride;
    }
    return from;
}

/* Where place `index` of the output of one axis lies in the input. */
static inline double resized_place(const Resize *resize, int axis, int64_t index) {
    double from = (double)resize->input[axis], to = (double)resize->output[axis];
    if (!resize->linear)
        return floor((double)index * from / to);
    if (resize->corners)
        return to > 1 ? (double)index * (from - 1) / (to - 1) : 0;
    return fmax(((double)index + 0.5) * from / to - 0.5, 0);
}

/* Pixel `at` (row-major over all axes) of an image of pixel(context, row-major index). */
static inline double resized_pixel(const Resize *resize, int64_t at,
                                   double (*pixel)(const void *context, int64_t index),
                                   const void *context) {
    double sum = 0;
    for (int corner = 0; corner < 1 << resize->axes; corner++) {
        int64_t rest = at, index = 0, stride = 1;
        double weight = 1;
        for (int axis = resize->axes - 1; axis >= 0; axis--) {
            double place = resized_place(resize, axis, rest % resize->output[axis]);
            rest /= resize->output[axis];
            bool high = corner >> axis & 1;
            double low = floor(place);
            int64_t extent = resize->input[axis], neighbour = (int64_t)low + high;
            weight *= high ? place - low : 1 - (place - low);
            index += (neighbour < extent ? neighbour : extent - 1) * stride;
            stride *= extent;
        }
        if (weight != 0)
            sum += weight * pixel(context, index);
    }
    return sum;
}

#endif
