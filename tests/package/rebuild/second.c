#include "other.h"

void second(void);

void second(void) {
    float x[OTHER_X_SIZE] = {0}, output[OTHER_OUTPUT_SIZE];
    other(x, output, 0);
}
