/* The typed graph of one network: nodes in the order they run, values between them, the weights
 * they own. Made by elaborate (graph/elaborate.h); read by everything after it; never changed
 * later except for Weight.data, which weights/bind.h fills in. */
#ifndef NETC_GRAPH_GRAPH_H
#define NETC_GRAPH_GRAPH_H

#include "graph/tensor.h"
#include "support/diag.h"
#include "support/source.h"
#include "support/vec.h"

typedef struct LayerInfo LayerInfo; /* layers/layer.h */
typedef struct Node Node;
typedef struct Weight Weight;
typedef struct Value Value;

/* A tensor that flows through the network. */
struct Value {
    TensorType type;
    bool poisoned;  /* its shape is unknown because of a mistake already reported */
    Node *producer; /* NULL: an input of the network */
    const char
        *name;  /* input or bound name, else the producer's path; for messages and --compare */
    Span span;  /* the text that made it: the step's call, or the type of the parameter */
    int64_t id; /* position in Graph.values */
};

/* How a fresh network's random weights are drawn (netc init). */
typedef enum WeightRole {
    WEIGHT_KERNEL,   /* normal, variance 2 / fan-in (He et al. 2015) */
    WEIGHT_BIAS,     /* small normal */
    WEIGHT_SCALE,    /* around 1 */
    WEIGHT_MEAN,     /* small normal */
    WEIGHT_VARIANCE, /* positive, around 1 */
} WeightRole;

/* A tensor of numbers that a layer owns, f32, in PyTorch's layout. */
struct Weight {
    const char *path; /* "conv1.weight": the name in a weights file */
    const char *name; /* the last part, "weight" */
    Shape shape;
    int64_t elements;
    int64_t fan_in; /* inputs that one output sums over; for random weights */
    WeightRole role;
    bool trainable; /* false: a batch norm's running mean and variance */
    const Node *owner;
    const float *data; /* `elements` numbers, row-major; NULL until bound */
};

/* What kind of argument a layer takes (layers/layer.h), and the value a node has for it. */
typedef enum AttributeKind {
    ATTRIBUTE_INTEGER,  /* 60 */
    ATTRIBUTE_NUMBER,   /* 0.01; an integer is taken too */
    ATTRIBUTE_BOOLEAN,  /* on, off */
    ATTRIBUTE_SIZE,     /* one integer per spatial axis: 3x3, or 3 for all */
    ATTRIBUTE_PADDING,  /* 1, 1x2, same, or (begin..., end...): (top, left, bottom, right) */
    ATTRIBUTE_AXIS,     /* 0, -1, or c h w by the rank */
    ATTRIBUTE_AXES,     /* one or several of these, each once: h, (h, w), (1, -1) */
    ATTRIBUTE_SHAPE,    /* [16, 7, 7], as reshape takes */
    ATTRIBUTE_WORD,     /* one of the words that its table row lists: bilinear */
    ATTRIBUTE_INTEGERS, /* 2, or several: (16, 48) */
    ATTRIBUTE_NUMBERS,  /* 0.5, or several: (0.485, 0.456, 0.406) */
} AttributeKind;

#define MAX_SPATIAL 3 /* most spatial axes of a layer */

typedef enum PaddingMode {
    PADDING_EXPLICIT, /* begin and end as written */
    PADDING_SAME, /* output = ceil(input / stride), the odd one at the end (TensorFlow's SAME) */
} PaddingMode;

typedef struct Attribute {
    AttributeKind kind;
    bool given; /* written in the source, not the default */
    Span span;  /* of the value as written; SPAN_NONE for a default */
    union {
        int64_t integer; /* INTEGER; AXIS: 0 <= axis < rank of the first input; WORD: its place in
                            the list */
        double number;   /* NUMBER */
        bool boolean;    /* BOOLEAN */
        int64_t size[MAX_SPATIAL]; /* SIZE: as many entries as the input has spatial axes */
        struct {
            PaddingMode mode;
            int64_t begin[MAX_SPATIAL]; /* EXPLICIT only */
            int64_t end[MAX_SPATIAL];
        } padding;
        struct {
            int count;                 /* at least one; 0 where an optional attribute is left out */
            int axis[TENSOR_MAX_RANK]; /* as written, each 0 <= axis < rank of the first input */
        } axes;
        Shape shape; /* SHAPE */
        struct {
            size_t count; /* as of axes */
            const int64_t *items;
        } integers;
        struct {
            size_t count;
            const double *items;
        } numbers;
    };
} Attribute;

/* One use of a layer. */
struct Node {
    const LayerInfo *layer;
    const char *path; /* label path, "conv1" or "layer1.0.conv2"; unique in the graph */
    Span span;        /* the call, `conv(60, 7x7)` */
    Span name_span;   /* the layer's name in it */
    Value **inputs;
    size_t input_count;
    Value **outputs; /* at least one */
    size_t output_count;
    Attribute *attributes; /* in the order of layer->attributes */
    VEC(Weight *) weights; /* in the order the layer declared them */
    const Node *shares;    /* whose weights it reads; NULL: its own */
    int64_t id;            /* position in Graph.nodes */
};

/* `assert`, kept with what it needs to be worked out once all figures are known. */
typedef struct Assertion {
    const struct Expr *condition;
    Span span;
    const struct Scope *scope;  /* the names visible where it stands (graph/scope.h) */
    const DiagContext *context; /* the uses of blocks it stands in */
} Assertion;

/* How a weights file orders the numbers of kernels, and of what reads a flattened image. */
typedef enum WeightsOrder {
    WEIGHTS_PYTORCH,
    WEIGHTS_KERAS,
    WEIGHTS_ORDERS,
} WeightsOrder;

typedef struct Graph {
    Arena *arena;
    const char *name; /* a C identifier by the grammar */
    Span name_span;
    const Source *source;     /* of the network; blocks may come from others */
    const SourceMap *sources; /* of all spans */
    VEC(Value *) inputs;      /* of the network, named by their parameter */
    VEC(Value *) outputs;     /* what `return` gives */
    VEC(const char *)
    output_names; /* as in the result type; "output" (or output0, ...) if unnamed */
    VEC(Value *) values;
    VEC(Node *) nodes;     /* each after the producers of its inputs */
    VEC(Weight *) weights; /* of all nodes, in their order */
    VEC(Assertion) assertions;
    const char *weights_path; /* as written in `weights "..."`, NULL without */
    Span weights_span;
    WeightsOrder weights_order;
} Graph;

/* Appends one line a node: path, layer, arguments, inputs, shape, parameters: --emit=graph. */
void graph_print(const Graph *graph, StrBuf *out);

/* Appends "conv(8, 3x3, pad=1)": what must be given by its place, all else that is not default by
 * name. The same text for the same layer, however it was written. */
void graph_print_call(const Node *node, StrBuf *out);

/* Whether a path says no more than the layer's kind and its place, as those do that layers without
 * a label get: `conv2`, `layer1.0`; also `layer1.add` of an `add`. */
bool node_path_is_automatic(const Node *node);

#endif
