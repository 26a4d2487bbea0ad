/* Classifies 2,000 handwritten digits, DIGITS_BATCH a call, and counts which it gets right. The
 * network is made with --batch=N. Usage: batch DATA-FOLDER */
#include "digits_batch.h"
#include <stdio.h>
#include <stdlib.h>
enum { COUNT = 2000, IMAGE = DIGITS_IMAGE_SIZE / DIGITS_BATCH, CLASSES = 10 };
static unsigned char images[COUNT + DIGITS_BATCH][IMAGE]; /* the last call may go past the end */
static long long labels[COUNT];
static float logits[COUNT + DIGITS_BATCH][CLASSES];
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
    load(folder, "test_images_u8.npy", images, COUNT * (long)IMAGE);
    load(folder, "test_labels.npy", labels, sizeof labels);
    for (int d = 0; d < COUNT; d += DIGITS_BATCH)
        digits(images[d], logits[d], arena);
    int right = 0;
    for (int d = 0, best = 0; d < COUNT; d++, best = 0) {
        for (int i = 1; i < CLASSES; i++)
            best = logits[d][best] < logits[d][i] ? i : best;
        right += best == labels[d];
    }
    printf("%d of %d right, %d a call\n", right, COUNT, DIGITS_BATCH);
    return right == 1964 ? 0 : 1;
}
