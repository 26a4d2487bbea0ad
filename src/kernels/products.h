/* Convolutions as matrix products of transformed tiles, a group of tiles at a time: Winograd's
 * method (conv_winograd.c), Strassen's (conv_strassen.c).
 *
 *   before    each tile of each block of channels becomes a vector at each position
 *   products  for each position [tiles x channels] by [channels x filters], by register tiles as in
 *             conv_direct.c: a few tiles by a few vectors of filters
 *   after     what the products have at all positions of a tile, in each block of filters, becomes
 *             output; or the products are output already
 *
 * What lies between stays in the caches if the group is small (Lavin, Gray 2015, section 4.2; Jia
 * et al., Optimizing N-dimensional, Winograd-based convolution for manycore CPUs, 2018). Scratch
 * memory of each part, T tiles in a group (Step.conv.group) and V lanes:
 *
 *     what a method has for itself
 *     transformed inputs   [positions][channel blocks][T][V], and V floats more for each position
 *     products             [positions][filter blocks][T][V], the same; none without `after`
 *
 * The V floats more keep the positions, which are written and read in turn, from all falling into
 * the same few places of a cache. */
#ifndef NETC_KERNELS_PRODUCTS_H
#define NETC_KERNELS_PRODUCTS_H

#include "kernels/prefetch.h"

/* Sums and vectors of a register tile at most. */
#define PRODUCT_MAX_SUMS    128
#define PRODUCT_MAX_VECTORS 8

typedef struct Products Products;

/* The transform of tile number `tile` of the group in block number `block`. */
typedef void (*TileTransform)(const Products *work, IrValue block, IrValue tile);

/* All products of the group. */
typedef void (*GroupProducts)(const Products *work);

struct Products {
    const Emitter *emitter;
    int64_t positions;
    int64_t channels, filters; /* of each product */
    int64_t tiles;             /* in all */
    int64_t own_floats;        /* of the method, a multiple of V */
    TileTransform before, after;
    GroupProducts multiply;

    /* Set by products_emit: */
    int64_t input_stride;   /* floats from a position of the transformed inputs to the next */
    int64_t product_stride; /* the same of the products */
    IrValue own, inputs, products;
    Portion blocks; /* of filters as wide as the register tile, the last maybe less */
    IrValue first;  /* tile of the group */
    IrValue count;  /* tiles in it */
};

/* The whole step. */
void products_emit(Products *work);

/* A place in an image. */
typedef struct Pixel {
    IrValue row, column;
} Pixel;

/* The float of the transformed inputs or products where a tile in a block has position 0. */
IrValue products_index(const Products *work, IrValue block, IrValue tile);

/* A register tile of one product. */
typedef struct ProductTile {
    int columns, vectors;
    IrValue inputs;  /* of a position, its first tile and channel */
    IrValue weights; /* [channels][vectors][V] */
    NextBlock next;  /* what comes after the block of weights */
    IrValue read;    /* floats of the block that lie before these weights */
} ProductTile;

/* Adds a product's terms to the tile's sums, [columns][vectors]. */
void product_add(const Products *work, const ProductTile *tile, IrValue *sums);

/* [positions][blocks of filters][channels][width], all products kept: a GroupProducts. */
void products_by_position(const Products *work);

#endif
