/* Bands: what band.c, which says why there are any, decides of a step. */
#ifndef NETC_PLAN_BAND_H
#define NETC_PLAN_BAND_H

#include <stdint.h>

/* Steps that are done together, some rows at a time: all of them, neighbours in the order of steps,
 * in each of `turns` turns. */
typedef struct Band {
    int64_t turns;
    int parts; /* threads that share the turns, turns * part / parts on for each; below 2: one does
                  all; set by split */
} Band;

typedef enum Turns {
    TURNS_ALL,
    TURNS_FIRST,     /* of each part */
    TURNS_BUT_FIRST, /* of each part */
    TURNS_LAST,      /* of all */
} Turns;

/* What a step does in the turns of its band. Of turn t, in all turns: the tiles of the output whose
 * first row is less than (t + 1) * rows + lead, and at least t * rows + lead or, in the first turn
 * of a part, t * rows - above. */
typedef struct BandPart {
    Band *band; /* NULL: it is in none */
    Turns when;
    int64_t rows;
    int64_t lead;
    int64_t above;
} BandPart;

#endif
