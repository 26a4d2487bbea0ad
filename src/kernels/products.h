/* Convolutions as matrix products of transformed tiles, a group of tiles at a time: Winograd's
 * method (conv_winograd.c), Strassen's (conv_strassen.c).
 *
 *   before    each tile of each block of channels becomes a vector at each position
 *   products  for each position [tiles x channels] by [channels x filters], by register tiles as in
 *             conv_direct.c: a few tiles by a few vectors of filters
 *   after     what the products have at all positions of a tile, in each block of filters, becomes
 *             output
 *
 * What lies between the three stays in the caches if the group is small (Lavin, Gray 2015, section
 * 4.2; Jia et al., Optimizing N-dimensional, Winograd-based convolution for manycore CPUs, 2018).
 * Scratch memory of each part, T tiles in a group (Step.conv.group) and V lanes:
 *
 *     what the transforms have for themselves
 *     transformed inputs   [positions][channel blocks][T][V], and V floats more for each position
 *     products             [positions][filter blocks][T][V], the same
 *
 * The V floats more keep the positions, which are written and read in turn, from all falling into
 * the same few places of a cache. */
#ifndef NETC_KERNELS_PRODUCTS_H
#define NETC_KERNELS_PRODUCTS_H

#include "kernels/emitter.h"

typedef struct Products Products;

/* The transform of tile number `tile` of the group in block number `block`. */
typedef void (*TileTransform)(const Products *work, IrValue block, IrValue tile);

struct Products {
    const Emitter *emitter;
    int64_t positions;
    int64_t channels, filters; /* of each product */
    int64_t tiles;             /* in all */
    int64_t own_floats;        /* of the transforms, a multiple of V */
    TileTransform before, after;

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

/* The float of the transformed inputs or products where a tile in a block has position 0. */
IrValue products_index(const Products *work, IrValue block, IrValue tile);

#endif
