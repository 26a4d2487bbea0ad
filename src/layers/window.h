/* Windows that slide over the spatial axes of an input: convolution kernels and pooling windows.
 *
 * The arithmetic of one axis (Slide) knows nothing of graphs. The rest reads a windowed layer's
 * arguments, which go by the same names in all of them: `kernel` or `size`, and where the layer has
 * them `stride`, `pad`, `dilation`, `ceil`. Nothing here names a layer. */
#ifndef NETC_LAYERS_WINDOW_H
#define NETC_LAYERS_WINDOW_H

#include "graph/infer.h"
#include "graph/receptive.h"
#include "plan/plan.h"

/* A window on one axis. It covers the positions o * stride - pad_begin + k * dilation of the input,
 * o = 0 ... output - 1, k = 0 ... kernel - 1; positions outside 0 ... input - 1 are padding. */
typedef struct Slide {
    int64_t input;     /* elements, >= 1 */
    int64_t kernel;    /* >= 1 */
    int64_t stride;    /* >= 1 */
    int64_t dilation;  /* >= 1 */
    int64_t pad_begin; /* >= 0 */
    int64_t pad_end;
    bool same; /* the padding was chosen by slide_pad_same */
    bool ceil; /* round the output size up: PyTorch's ceil_mode */
} Slide;

/* Positions from the first tap to the last: dilation * (kernel - 1) + 1. Every function that
 * returns bool is false when the result leaves 64 bits. */
bool slide_reach(const Slide *slide, int64_t *reach);

/* Sets the padding so that the output has ceil(input / stride) elements; of an odd total the larger
 * half goes to the end (TensorFlow's SAME, ONNX's SAME_UPPER). */
bool slide_pad_same(Slide *slide);

/* floor((input + pad_begin + pad_end - reach) / stride) + 1; not positive if the window does not
 * fit. With `ceil` the quotient is rounded up, but a last window that would start past the input
 * and its padding at the beginning is dropped, as in PyTorch. */
bool slide_output(const Slide *slide, int64_t *output);

/* Elements at the end of the input that no window reaches because the output size was rounded down;
 * not those between windows whose stride is larger than their reach. */
int64_t slide_unused(const Slide *slide, int64_t output);

/* The smallest input for which the output has at least `output` (>= 1) elements. */
bool slide_smallest_input(const Slide *slide, int64_t output, int64_t *input);

/* Transposed: position o * stride - pad_begin + k * dilation is of the result, o of the input, and
 * the padding is cut off it. */

/* Sets the padding so that the result has input * stride elements, of an odd total the larger half
 * at the end: what slide_pad_same takes to lead back (TensorFlow's SAME). */
bool slide_crop_same(Slide *slide);

/* (input - 1) * stride + reach - pad_begin - pad_end + output_pad, or with `same` input * stride;
 * not positive if the padding leaves nothing. */
bool slide_transposed_output(const Slide *slide, int64_t output_pad, int64_t *output);

/* ---- of a node ---------------------------------------------------------------------------- */

/* The place of the attribute called `name` in the table of the node's layer; -1 if it has none. */
int node_attribute(const Node *node, const char *name);

/* Whether the attribute called `name` exists and is on. */
bool node_switch(const Node *node, const char *name);

/* The window of a node on each spatial axis of its first input; returns how many axes. */
int window_slides(const Node *node, Slide slides[MAX_SPATIAL]);

/* The same for a kernel; the node's result has its shape. */
Window window_of(const Node *node);
Window window_from_slides(const Node *node, const Slide *slides, int axes);

/* Elements of a tensor along each spatial axis, by WindowAxis; 1 where it has none. */
void window_extents(const Shape *shape, int64_t extents[MAX_SPATIAL]);

/* `.footprint` of all windowed layers. */
bool window_footprint(const Node *node, Footprint axes[MAX_SPATIAL]);

/* Whether the first input has one to MAX_SPATIAL spatial axes; reports E0212. */
bool window_check_rank(Inference *inference);

/* Shape rule of all windowed layers: `result->dims[0]` is given, the rest is set. Reports E0212,
 * E0211, and of a pooling layer also E0205 (padding not smaller than the window, so that a window
 * could lie wholly in it) and W0221; false after an error. */
bool window_infer(Inference *inference, bool pooling, Shape *result);

/* "height"; of one axis "length", of three "depth" first. */
const char *window_axis_name(int axis, int axes);

/* "5x5" in `arena`. */
const char *window_size_text(Arena *arena, const int64_t *size, int axes);

#endif
