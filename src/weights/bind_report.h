/* What is said about tensors that do not fit: the wording of E0402 to E0407 and E0412. Decides
 * nothing. */
#ifndef NETC_WEIGHTS_BIND_REPORT_H
#define NETC_WEIGHTS_BIND_REPORT_H

#include "graph/graph.h"
#include "weights/keras.h"
#include "weights/tensor_file.h"

/* A graph and a file being compared. */
typedef struct Binding {
    Graph *graph;
    TensorFile *file;
    const KerasAxes *axes;    /* the file is in Keras's order; NULL: in PyTorch's */
    bool offers_keras;        /* Keras's order would fit all tensors that do not fit */
    bool ambiguous;           /* a weight has two tensors */
    const FileTensor **found; /* by index of the weight; NULL: missing */
    VEC(const Weight *) missing;
    VEC(const FileTensor *) unused; /* in the order of the file's data */
} Binding;

/* How the dims of a tensor relate to those needed. */
typedef enum TensorOrder {
    ORDER_KERAS,           /* [in, out], [height, width, in, out] */
    ORDER_KERAS_DEPTHWISE, /* [height, width, channels, multiplier] */
    ORDER_PYTORCH,         /* where Keras's order is needed */
    ORDER_OTHER,           /* not by a known order: another shape */
} TensorOrder;

typedef struct NonFinite {
    int64_t count;
    int64_t nans;  /* the others are infinite */
    int64_t first; /* row-major index */
} NonFinite;

/* E0402 and E0403, each with the nearest name of the other side. */
void report_unmatched(const Binding *binding);
/* E0404 */
void report_shape(const Binding *binding, const Weight *weight, const FileTensor *tensor);
/* E0407 */
void report_transposed(const Binding *binding, const Weight *weight, const FileTensor *tensor,
                       TensorOrder order);
/* E0412 */
void report_two_names(const Binding *binding, const Weight *weight, const FileTensor *first,
                      const FileTensor *second);
/* E0405 */
void report_type(const Binding *binding, const Weight *weight, const FileTensor *tensor);
/* W0406 */
void report_non_finite(const Binding *binding, const Weight *weight, const NonFinite *found);

#endif
