#include "digits.h"

void second(void);

static unsigned char image[DIGITS_IMAGE_SIZE];
static float logits[DIGITS_OUTPUT_SIZE];
static _Alignas(DIGITS_ALIGNMENT) char arena[DIGITS_ARENA_BYTES];

int main(void) {
    digits(image, logits, arena);
    second();
    return 0;
}
