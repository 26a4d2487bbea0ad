/* Tensor types: element type and shape, with overflow-checked sizes.
 *
 * Shapes are of one sample (no batch dim), row-major: [C, H, W] as PyTorch without its N. */
#ifndef NETC_GRAPH_TENSOR_H
#define NETC_GRAPH_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "support/arena.h"
#include "support/random.h"
#include "support/strbuf.h"

#define TENSOR_MAX_RANK 8

typedef enum ElementType {
    ELEMENT_F32, /* IEEE 754 binary32, the type of all computing */
    ELEMENT_U8,  /* whole numbers 0 to 255: only inputs of the network */
} ElementType;

typedef struct Shape {
    int rank;                      /* 0 to TENSOR_MAX_RANK */
    int64_t dims[TENSOR_MAX_RANK]; /* each >= 1; entries from `rank` on are 0 */
} Shape;

typedef struct TensorType {
    ElementType element;
    Shape shape;
} TensorType;

/* shape_make(3, 64, 56, 56); the dims convert to int64_t. */
#define shape_make(rank, ...) shape_of((rank), (const int64_t[]){__VA_ARGS__})
Shape shape_of(int rank, const int64_t *dims);
bool shape_equal(const Shape *a, const Shape *b);

/* Product of the dims. Shapes in a graph have passed shape_is_valid, so it cannot overflow there.
 */
int64_t shape_elements(const Shape *shape);

/* Every dim >= 1 and the bytes of all elements at 8 bytes each fit int64_t. */
bool shape_is_valid(const Shape *shape);

/* Appends "[64, 56, 56]". */
void shape_print(const Shape *shape, StrBuf *out);

/* Appends "[3, 5, 7]": element number `index`, in row-major order, by its coordinates. */
void shape_print_place(const Shape *shape, int64_t index, StrBuf *out);

/* The same as a text in `arena`. */
const char *shape_text(Arena *arena, const Shape *shape);

/* Appends "[64, 56, 56]", "u8[3, 224, 224]": f32 need not be written. */
void type_print(const TensorType *type, StrBuf *out);

/* The same as a text in `arena`. */
const char *type_text(Arena *arena, const TensorType *type);

bool type_equal(const TensorType *a, const TensorType *b);

const char *element_name(ElementType element); /* "f32" */
int64_t element_size(ElementType element);     /* bytes */

/* Whether a tensor of such elements can hold the number as it is. */
bool element_holds(ElementType element, float number);

/* Draws `count` numbers that it holds: normal ones of mean 0 and variance 1, or any byte. */
void elements_random(ElementType element, Random *random, int64_t count, float *numbers);

/* The same of tokens: any of 0 ... vocabulary - 1 that it holds. */
void tokens_random(ElementType element, int64_t vocabulary, Random *random, int64_t count,
                   float *numbers);

/* Writes `count` numbers that it holds as such elements to `out`, of element_size each. */
void elements_store(ElementType element, const float *numbers, int64_t count, void *out);

#endif
