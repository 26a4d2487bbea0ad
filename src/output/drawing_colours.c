#include "output/drawing_colours.h"

FamilyColour family_colour(LayerFamily family) {
    switch (family) {
    case FAMILY_CONVOLUTION: return (FamilyColour){"convolution", "#cfe3ff", "#12355f"};
    case FAMILY_POOLING: return (FamilyColour){"pooling", "#ffd9cc", "#5a2a1a"};
    case FAMILY_DENSE: return (FamilyColour){"dense", "#d9d2f9", "#382c66"};
    case FAMILY_NORMALISATION: return (FamilyColour){"normalisation", "#fbeeb8", "#4a3d0c"};
    case FAMILY_ACTIVATION: return (FamilyColour){"activation", "#d3f0d0", "#1c4520"};
    case FAMILY_SEQUENCE: return (FamilyColour){"sequence", "#f8d3e8", "#571a3e"};
    case FAMILY_SHAPE: return (FamilyColour){"reshaping", "#e6e8eb", "#30363d"};
    case FAMILY_MERGE: return (FamilyColour){"merge", "#c9efec", "#104643"};
    case FAMILY_REDUCTION: return (FamilyColour){"reduction", "#f6d3e6", "#551c3c"};
    case FAMILY_TRAINING: return (FamilyColour){"training", "#f3f3f3", "#22272e"};
    }
    return (FamilyColour){"", "", ""};
}
