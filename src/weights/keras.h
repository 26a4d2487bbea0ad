/* Weights as Keras keeps them: names, shapes, and the order of their numbers.
 *
 * Keras has the channels of an image last, PyTorch and netc have them first. So kernels are
 * permuted, and what was flattened stands in another order: `keras_follow` finds out where. */
#ifndef NETC_WEIGHTS_KERAS_H
#define NETC_WEIGHTS_KERAS_H

#include "graph/graph.h"

typedef enum KerasKind {
    KERAS_SAME,   /* the same axes in the same order: vectors, sequences */
    KERAS_EITHER, /* [channels, length] or [steps, features]: nothing tells yet */
    KERAS_IMAGE,  /* [channels, spatial...] here, [spatial..., channels] in Keras */
    KERAS_FLAT,   /* a vector of all elements of an image */
} KerasKind;

/* How the elements of a value of the network stand in Keras. */
typedef struct KerasAxes {
    KerasKind kind;
    Shape image; /* FLAT: what was flattened, channels first */
} KerasAxes;

/* Of all values, by their id; NULL after reporting layers that it does not see through (E0411). */
const KerasAxes *keras_follow(Arena *arena, Diagnostics *diagnostics, const Graph *graph);

/* Whether `weight` is the kernel of a convolution or dense layer, which Keras has transposed. */
bool keras_is_kernel(const Weight *weight);

/* [spatial..., in, out] for [out, in, spatial...], and [spatial..., out, in] for the
 * [in, out, spatial...] of a transposed convolution. */
Shape keras_kernel_shape(const Shape *needed);

/* The shape that messages show: of depthwise kernels [spatial..., channels, multiplier]. */
Shape keras_shape(const Weight *weight);

/* Whether a tensor of shape `has` is that weight in Keras's order. */
bool keras_fits(const Weight *weight, const Shape *has);

/* The numbers in the order of the network: `data` itself where that is Keras's, too. */
const float *keras_permute(Arena *arena, const KerasAxes *axes, const Weight *weight,
                           const float *data);

/* Whether a tensor may have the weight's own name. Not of a recurrent layer's biases, for two of
 * which Keras has one tensor. */
bool keras_keeps_name(const Weight *weight);

/* Keras's name for the last part of a weight's path, number `index` of them: "kernel",
 * "lstm_cell/kernel"; NULL past the last. */
const char *keras_name(const Weight *weight, size_t index);

#endif
