/* Bands: what band.c, which says why there are any, decides of a step. */
#ifndef NETC_PLAN_BAND_H
#define NETC_PLAN_BAND_H

#include <stdint.h>

/* Steps that are done together, some rows at a time: all of them, neighbours in the order of steps,
 * in each of `turns` turns. */
typedef struct Band {
    int64_t turns;
} Band;

typedef enum Turns {
    TURNS_ALL,
    TURNS_BUT_FIRST,
    TURNS_LAST,
} Turns;

/* What a step does in the turns of its band. Of turn t, in all turns: the tiles of the output whose
 * first row is at least t * rows + lead (0 in the first turn) and less than (t + 1) * rows + lead.
 */
typedef struct BandPart {
    const Band *band; /* NULL: it is in none */
    Turns when;
    int64_t rows;
    int64_t lead;
} BandPart;

#endif
