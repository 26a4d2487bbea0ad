/* The colours of the layer families, for every format of a drawing. */
#ifndef NETC_OUTPUT_DRAWING_COLOURS_H
#define NETC_OUTPUT_DRAWING_COLOURS_H

#include "layers/layer.h"

typedef struct FamilyColour {
    const char *class; /* what an SVG's style sheet calls it */
    const char *light; /* under dark text */
    const char *dark;  /* under light text */
} FamilyColour;

FamilyColour family_colour(LayerFamily family);

#endif
