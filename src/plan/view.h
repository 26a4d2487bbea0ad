/* Where numbers live: buffers, and how a step sees them. */
#ifndef NETC_PLAN_VIEW_H
#define NETC_PLAN_VIEW_H

#include "graph/tensor.h"

typedef enum Place {
    PLACE_INPUT,  /* the caller's input `index`, plain and exact */
    PLACE_OUTPUT, /* the caller's output `index`, plain and exact */
    PLACE_ARENA,  /* scratch memory of this call */
} Place;

typedef struct Buffer {
    Place place;
    int index;             /* INPUT, OUTPUT: which; ARENA: its place in Plan.buffers */
    ElementType element;   /* f32 but for an INPUT of bytes */
    int64_t elements;      /* of one sample */
    int64_t samples;       /* that it holds, one after the other; below 2: one at a time */
    int64_t sample_stride; /* elements from one of them to the next */
    int64_t offset;        /* ARENA: bytes from its start, a multiple of 64; set by memory */
    int first_step;        /* ARENA: the steps that need it, set by memory */
    int last_step;
    const char *name; /* of the value it was made for */
} Buffer;

/* Whether it holds those of all samples of a call. */
static inline bool holds_samples(const Buffer *buffer) {
    return buffer->samples > 1;
}

/* Of all samples that it holds. */
static inline int64_t buffer_elements(const Buffer *buffer) {
    return holds_samples(buffer) ? buffer->samples * buffer->sample_stride : buffer->elements;
}

static inline int64_t buffer_bytes(const Buffer *buffer) {
    return buffer_elements(buffer) * element_size(buffer->element);
}

/* A channels x height x width box of a buffer's elements: of its first sample, if it holds several;
 * the others' are sample_stride further on each. Element (c, h, w) is number
 *     offset + (c / block) * block_stride + h * row_stride + w * pixel_stride + c % block.
 * block 1 is plain [C][H][W]; block = lanes is blocked [C/lanes][H][W][lanes]. In a blocked view
 * the last block is stored whole: channels past the end are written by any step and read by none.
 * A buffer may hold more around a view (a halo of zeros, the rest of a concat). A whole image
 * without a halo has pixel_stride = block, row_stride = width * block, block_stride = height *
 * row_stride; a vector of N is N x 1 x 1, so its block_stride is 1. Views of one buffer are the
 * same view, or share no element, or hold the same elements in the same order under other shapes.
 */
typedef struct View {
    Buffer *buffer;
    int64_t offset; /* elements, as all strides */
    int64_t channels;
    int64_t height;
    int64_t width;
    int64_t block; /* 1 or the machine's lanes */
    int64_t block_stride;
    int64_t row_stride;
    int64_t pixel_stride;
    /* Of a window of a band (plan/band.c), which has not all rows of the box: in turn t element
     * (0, 0, 0) is, or would be, t * turn_stride before `offset`, and for part number p of the band
     * everything is p * part_stride behind it. */
    int64_t turn_stride;
    int64_t part_stride;
} View;

/* As many as the layer has: without the lanes past the last channel. */
static inline int64_t view_elements(const View *view) {
    return view->channels * view->height * view->width;
}

static inline bool view_is_bytes(const View *view) {
    return view->buffer->element == ELEMENT_U8;
}

/* Whether the elements from the first to the last of each are apart, or in two buffers. */
bool views_apart(const View *a, const View *b);
/* Whether element (c, h, w) of one is that of the other, if their buffers are the same. */
bool views_coincide(const View *a, const View *b);

#endif
