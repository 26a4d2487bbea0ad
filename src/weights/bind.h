/* Weights of a graph: bound from a file, drawn at random, or written to a file. */
#ifndef NETC_WEIGHTS_BIND_H
#define NETC_WEIGHTS_BIND_H

#include "graph/graph.h"
#include "support/diag.h"
#include "weights/tensor_file.h"

/* Finds every tensor of the network in the file `path` and sets Weight.data. All mistakes of a file
 * are reported in one run: missing and unused tensors with the nearest name, shapes with where each
 * number comes from, transposed tensors, types, non-finite values (a warning). In Keras's
 * order names may be Keras's, too, and numbers are permuted (weights/keras.h). `span` is the
 * `weights "..."` of the source or SPAN_NONE for --weights.
 *
 * Weight.data may point into the returned file: close it (tensor_file_close) after the last use of
 * the weights, and ask tensor_file_unchanged before outputs are committed. NULL after an error. */
TensorFile *weights_bind(Arena *arena, Diagnostics *diagnostics, Graph *graph, const char *path,
                         WeightsOrder order, Span span);

/* The same for a file that is in memory; `data` stays the caller's and must outlive the
 * TensorFile. `name` gives the format and is what messages call it. */
TensorFile *weights_bind_bytes(Arena *arena, Diagnostics *diagnostics, Graph *graph,
                               const char *name, const void *data, size_t size, WeightsOrder order,
                               Span span);

/* The second half of weights_bind, for a file that is open. False after an error. */
bool weights_bind_file(Graph *graph, TensorFile *file, WeightsOrder order);

/* Sets Weight.data of all weights to random numbers by their role, the same for a seed and a path
 * on every machine (PCG32 of O'Neill 2014, Box-Muller in double). */
void weights_random(Arena *arena, Graph *graph, uint64_t seed);

/* Appends a .safetensors file of all bound weights, tensors in the order of the graph. */
void weights_write_safetensors(const Graph *graph, StrBuf *out);

#endif
