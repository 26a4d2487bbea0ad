/* The layer contract: all that is known about a layer stands in one LayerInfo, at the end of its
 * family's file; layers.def lists them; nothing outside names a layer.
 *
 * Generic code parses, defaults, checks, documents and suggests arguments from .attributes, counts
 * parameters from the weights that .infer declares, and runs .example as help text and as a test.
 */
#ifndef NETC_LAYERS_LAYER_H
#define NETC_LAYERS_LAYER_H

#include "graph/count.h"
#include "graph/graph.h"
#include "graph/infer.h"
#include "graph/receptive.h"

typedef struct Lowering Lowering;     /* kernels/kernel.h */
typedef struct Evaluation Evaluation; /* layers/evaluate.h */

typedef enum LayerFamily {
    FAMILY_CONVOLUTION,
    FAMILY_POOLING,
    FAMILY_DENSE,
    FAMILY_NORMALISATION,
    FAMILY_ACTIVATION,
    FAMILY_SEQUENCE,
    FAMILY_SHAPE,
    FAMILY_MERGE,
    FAMILY_REDUCTION,
    FAMILY_TRAINING,
} LayerFamily;

/* One argument. Positional arguments follow the order of the table.
 *
 * An optional attribute without a value unless it is given has the fallback "". Of a WORD attribute
 * the fallback is all the words it takes, "bilinear|nearest", the default first.
 *
 * A fallback that is the name of an earlier attribute of the same layer means that attribute's
 * value (a pooling layer's stride is its size unless written), with `given` false.
 *
 * Sizes and paddings are matched against the spatial axes of the first input (its rank less one).
 * Where it has none, or more than MAX_SPATIAL, they are taken as written, padded with the last
 * number: `.infer` then reports the rank, which is the mistake to show. */
typedef struct AttributeInfo {
    const char *name;
    AttributeKind kind;
    const char *fallback; /* default as one would write it ("1", "off", "same"); NULL: required */
    double minimum;       /* of each integer or number in it; ignored for booleans */
    double maximum;
    const char *help; /* one line, lower case, no full stop */
} AttributeInfo;

/* Facts that passes ask for instead of a layer's name. */
typedef enum LayerTrait {
    LAYER_TRAINING_ONLY = 1 << 0,      /* does nothing at inference; the report says so */
    LAYER_REORDERS_NOTHING = 1 << 1,   /* same elements in the same row-major order: a view */
    LAYER_GIVES_DISTRIBUTION = 1 << 2, /* its result are probabilities of classes */
    LAYER_CHANNEL_AFFINE = 1 << 3,     /* with one input, x * scale + shift, a channel each */
    LAYER_HAS_KERNEL = 1 << 4,         /* each WEIGHT_KERNEL is [out, in, spatial...], or [in, out,
                                          spatial...] */
    LAYER_MOVES_AXES = 1 << 5,         /* an axis of the result is another one of the input */
    LAYER_IS_RECURRENT = 1 << 6,       /* weight_ih_l0 and on: gates above each other, as PyTorch */
} LayerTrait;

#define LAYER_MAX_ATTRIBUTES 12
#define LAYER_ANY_INPUTS     64 /* most inputs of an n-ary layer */

struct LayerInfo {
    const char *name;    /* as written in a .net file */
    const char *summary; /* one line */
    LayerFamily family;
    unsigned traits; /* LayerTrait bits */
    size_t min_inputs;
    size_t max_inputs;
    int attribute_count;
    AttributeInfo attributes[LAYER_MAX_ATTRIBUTES];
    const char *shape_doc;      /* the shape rule in words and formula */
    const char *weights_doc;    /* names and shapes; NULL: none */
    const char *macs_doc;       /* what `.macs` counts, as a formula; NULL without it */
    const char *operations_doc; /* the same of `.operations` */
    const char *example;        /* a whole small network */

    /* Sets the result's type and declares the weights; false after reporting a mistake. */
    bool (*infer)(Inference *inference);
    /* Adds the factors of the multiply-accumulates of one sample; NULL: none. Dims of the output
     * but for the channels come first, so that the formula groups them. */
    void (*macs)(const Node *node, Factors *factors);
    /* Adds the factors of all other arithmetic of one sample; NULL: none. docs/language.md, "What a
     * count means", says what counts; dims of the output come first. */
    void (*operations)(const Node *node, Factors *factors);
    /* Says what an element of the result depends on along each spatial axis, beginning with
     * {1, 1, 1}: its own place; false: everything. NULL: its own place where the result has the
     * spatial axes of the first input, else everything. Layers with windows: window_footprint. */
    bool (*footprint)(const Node *node, Footprint axes[MAX_SPATIAL]);
    /* How many tokens the elements of the input number, from 0; NULL: they are any numbers. */
    int64_t (*vocabulary)(const Node *node);
    /* float64 reference with a bound of the f32 error; plain loops. */
    void (*evaluate)(Evaluation *evaluation);
    /* Describes the work to kernels (kernels/kernel.h). */
    void (*lower)(Lowering *lowering, const Node *node);
};

/* The layer of that name, or NULL. */
const LayerInfo *layer_find(const char *name);

/* All layers in the order of layers.def. */
const LayerInfo *const *layer_table(size_t *count);

/* The place of the attribute called `name` in the layer's table; -1 if it has none. */
int layer_attribute(const LayerInfo *layer, const char *name);

/* Word number `index` of those that a WORD attribute takes, `length` bytes long; NULL past the
 * last. */
const char *attribute_choice(const AttributeInfo *info, int64_t index, size_t *length);

/* "convolution" */
const char *layer_family_name(LayerFamily family);

#endif
