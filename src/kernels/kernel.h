/* Kernels: how layers describe their work, and the loop nests that do it.
 *
 * A layer's `.lower` calls some of kernel_conv ... kernel_view; these only append a step to the
 * plan. Most make the node's output from its inputs, and one call is the whole layer. A layer of
 * several steps names the values between them (kernel_value); each value is made by one step,
 * before it is read. kernel_emit makes the function of a finished step, through
 * codegen/ir.h; steps whose kernel_signature is equal share one function. */
#ifndef NETC_KERNELS_KERNEL_H
#define NETC_KERNELS_KERNEL_H

#include "plan/plan.h"

typedef struct Ir Ir; /* codegen/ir.h */

/* Convolution of `input`; `bias` may be NULL. */
void kernel_conv(Lowering *lowering, const Node *node, const Window *window, int64_t groups,
                 const Weight *weight, const Weight *bias, Value *input, Value *result);
/* Transposed convolution of input 0: each of its elements adds the kernel to the output where
 * kernel_conv would read for it. `weight` is [channels, filters / groups, kernel...]. */
void kernel_deconv(Lowering *lowering, const Node *node, const Window *window, int64_t groups,
                   const Weight *weight, const Weight *bias);
/* A value of the plan's own, from one step of the node to another; `part` says which one it is in
 * the names of steps and buffers. */
Value *kernel_value(Lowering *lowering, const Node *node, const char *part, Shape shape);

/* Products of matrices of `left` and `right`. */
void kernel_gemm(Lowering *lowering, const Node *node, const Product *product, Value *left,
                 Value *right, Value *result);
/* The same with the transposed of rows of a weight [.., depth] at the right, those from `first` on;
 * `bias` may be NULL. */
void kernel_gemm_weight(Lowering *lowering, const Node *node, const Product *product, Value *left,
                        const Weight *weight, const Weight *bias, int64_t first, Value *result);
/* Softmax over the last axis of `input`, for attention: shares that are next to nothing are 0
 * (SOFTMAX_DROPPED). `causal`: row i is of the first i + 1 numbers only. */
void kernel_softmax_rows(Lowering *lowering, const Node *node, bool causal, Value *input,
                         Value *result);
/* Rows of a weight [rows, width]: those that the elements of input 0 number, or the first ones in
 * turn, added to input 0. */
void kernel_table(Lowering *lowering, const Node *node, const Weight *weight, bool numbered);
/* The first rows of a table, as many as `result` has. */
void kernel_rows(Lowering *lowering, const Node *node, const Weight *weight, Value *result);
/* Scores within windows, [.., query, key] of all windows and heads as WINDOW_BIAS has them, and
 * what is added to them: `weight` by relative position, and the mask of shifted windows. */
void kernel_window_bias(Lowering *lowering, const Node *node, const Weight *weight,
                        const WindowGrid *grid, Value *scores, Value *result);
/* The recurrence of `cell` over what `inputs` has for its gates, one value for each direction,
 * [times, gates * hidden]; `weights` and `biases` are the state's own, a pair for each direction.
 * The result is of all times or of the last, by its rank. */
void kernel_recurrent(Lowering *lowering, const Node *node, RecurrentCell cell, int directions,
                      Value *const *inputs, const Weight *const *weights,
                      const Weight *const *biases, Value *result);
/* Matrix-vector product of input 0. */
void kernel_dense(Lowering *lowering, const Node *node, const Weight *weight, const Weight *bias);
/* One number from each window. */
void kernel_window(Lowering *lowering, const Node *node, const Window *window, WindowOp op,
                   bool count_padding);
/* Averages over windows that share the input's places evenly. */
void kernel_adaptive(Lowering *lowering, const Node *node);
/* One number for each channel: its sum, average or largest. */
void kernel_global(Lowering *lowering, const Node *node, ReduceOp op);
/* One number for each place on the axes that are not in `axes`. */
void kernel_reduce(Lowering *lowering, const Node *node, ReduceOp op, AxisSet axes);
void kernel_normalise(Lowering *lowering, const Node *node, const Normalisation *normalisation);
void kernel_lrn(Lowering *lowering, const Node *node, const ResponseNorm *norm);
/* Softmax along an axis, or its natural logarithm. */
void kernel_softmax(Lowering *lowering, const Node *node, int axis, bool logarithm);
/* `output` as a rearrangement of `input`; loops that go on where one another ends are joined,
 * and where nothing moves it is a view. */
void kernel_rearrange(Lowering *lowering, const Node *node, const Rearrange *rearrange,
                      Value *input, Value *output);
/* Every channel's image at another size. */
void kernel_resize(Lowering *lowering, const Node *node, const Resize *resize);
/* Elements of input 0 sent through `stage`, whose operand, where it is an input, is input 1. */
void kernel_map(Lowering *lowering, const Node *node, MapStage stage);
/* All inputs joined from left to right by an operation with an operand. */
void kernel_combine(Lowering *lowering, const Node *node, MapOp op);
/* What the node's last step made, or input 0 if it made none, sent through `stage`, which has no
 * operand. */
void kernel_then(Lowering *lowering, const Node *node, MapStage stage);
/* A channel affine of what the node's last step made, or of input 0 if it made none. */
void kernel_affine(Lowering *lowering, const Node *node, const Affine *affine);
/* Inputs side by side along `axis`. */
void kernel_concat(Lowering *lowering, const Node *node, int axis);
/* The same of these values. */
void kernel_join(Lowering *lowering, const Node *node, Value *const *inputs, size_t count,
                 int axis);
/* Inputs of one shape side by side along a new axis, `axis` of the result. */
void kernel_stack(Lowering *lowering, const Node *node, int axis);
/* Same elements in the same row-major order under the output's shape (flatten, reshape, dropout).
 */
void kernel_view(Lowering *lowering, const Node *node);

/* Appends everything about a step that its code depends on. Two steps with equal signatures have
 * the same function. */
void kernel_signature(const Step *step, StrBuf *out);

/* Emits the body of the step's function between ir_function_begin and ir_function_end. Parameters,
 * all pointers to f32: one for each of step->inputs (at its element (0, 0, 0), of the first sample
 * if the step does several together), the output (same), the scratch memory if the step has any,
 * then the packed tensors in the order of kernel_packed. With Step.parts > 1 there is one more, an
 * i64: which part to do. A step that takes rows has two, i64: the first of them, and their end. */
void kernel_emit(Ir *ir, const Step *step, const Machine *machine);

/* The packed tensors that a step reads: weights, bias, then those of each stage of the epilogue
 * (scale and shift of an AFFINE). At most KERNEL_MAX_PACKED; returns how many. */
#define KERNEL_MAX_PACKED 64
int kernel_packed(const Step *step, const Packed **packed);

/* Emits the body of NAME_pack for the plan: parameter 0 is the table of source tensor pointers (one
 * for each graph weight, in order), parameter 1 the packed destination. */
void kernel_emit_pack(Ir *ir, const Plan *plan);

#endif
