/* Draws some of the digits in the terminal, with the class that the compiled network gives and the
 * time it takes. Usage: show DATA-FOLDER */
#include "digits.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SIDE = 28, SHOWN = 4, ROUNDS = 2000 };

static unsigned char images[SHOWN][SIDE][SIDE];
static float logits[SHOWN][DIGITS_OUTPUT_SIZE];
static _Alignas(DIGITS_ALIGNMENT) char arena[DIGITS_ARENA_BYTES];

static void load_images(const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/test_images_u8.npy", folder);
    FILE *file = fopen(path, "rb");
    /* A .npy file's header is a multiple of 64 bytes; here it is 128. */
    if (!file || fseek(file, 128, SEEK_SET) != 0 || fread(images, sizeof images, 1, file) != 1) {
        perror(path);
        exit(2);
    }
    fclose(file);
}

/* Two image rows a line of text: an upper half block, a lower one, or both. */
static void draw(void) {
    for (int y = 0; y < SIDE; y += 2) {
        for (int d = 0; d < SHOWN; d++) {
            for (int x = 0; x < SIDE; x++) {
                int upper = images[d][y][x] > 100;
                int lower = images[d][y + 1][x] > 100;
                fputs(upper ? (lower ? "\u2588" : "\u2580") : (lower ? "\u2584" : " "), stdout);
            }
            fputs("   ", stdout);
        }
        putchar('\n');
    }
}

static int largest(const float *numbers, int count) {
    int best = 0;
    for (int i = 1; i < count; i++)
        best = numbers[i] > numbers[best] ? i : best;
    return best;
}

static double seconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int argc, char **argv) {
    load_images(argc > 1 ? argv[1] : ".");
    double start = seconds();
    for (int round = 0; round < ROUNDS; round++)
        for (int d = 0; d < SHOWN; d++)
            digits(images[d][0], logits[d], arena);
    double each = (seconds() - start) / (ROUNDS * SHOWN);
    draw();
    for (int d = 0; d < SHOWN; d++)
        printf("%14s%-17d", "", largest(logits[d], DIGITS_OUTPUT_SIZE));
    printf("\n%.1f microseconds a digit\n", each * 1e6);
    return 0;
}
