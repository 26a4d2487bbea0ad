/* Classifies 2,000 handwritten digits and compares with PyTorch. Usage: accuracy DATA-FOLDER */
#include "digits.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
enum { COUNT = 2000 };
static unsigned char images[COUNT][DIGITS_IMAGE_SIZE];
static long long labels[COUNT];
static float expected[COUNT][DIGITS_OUTPUT_SIZE];
static _Alignas(DIGITS_ALIGNMENT) char arena[DIGITS_ARENA_BYTES];

/* Reads the numbers of a .npy file: they stand at its end. */
static void load(const char *folder, const char *name, void *numbers, long bytes) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, -bytes, SEEK_END) || fread(numbers, (size_t)bytes, 1, file) != 1)
        exit((perror(path), 2));
    fclose(file);
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : ".";
    load(folder, "test_images_u8.npy", images, sizeof images);
    load(folder, "test_labels.npy", labels, sizeof labels);
    load(folder, "test_logits.npy", expected, sizeof expected);
    int right = 0, close = 0, all = COUNT * DIGITS_OUTPUT_SIZE;
    for (int d = 0, best = 0; d < COUNT; d++, best = 0) {
        float logits[DIGITS_OUTPUT_SIZE];
        digits(images[d], logits, arena);
        for (int i = 0; i < DIGITS_OUTPUT_SIZE; best = logits[best] < logits[i] ? i : best, i++)
            close += fabsf(logits[i] - expected[d][i]) < 1e-4f;
        right += best == labels[d];
    }
    printf("%d of %d right, %d of %d logits as PyTorch's\n", right, COUNT, close, all);
    return right == 1964 && close == all ? 0 : 1;
}
