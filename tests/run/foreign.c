/* Runs on another machine (or its emulator) what numeric.c wrote. Linked with the objects of all
 * the cases and with a table of them, `foreign_cases`, which foreign.py writes. */
#include "foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guarded.h"

typedef void (*Network)(const void *const *inputs, float *const *outputs, const void *packed,
                        void *arena, void *pool);

extern const struct {
    const char *name;
    Network network;
} foreign_cases[];

static void must(int done, const char *path) {
    if (!done) {
        perror(path);
        exit(2);
    }
}

static void run_case(const char *folder, const char *name, Network network) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.in", folder, name);
    FILE *file = fopen(path, "rb");
    ForeignCase c;
    must(file && fread(&c, sizeof c, 1, file) == 1, path);
    Guarded packed = guarded_new((size_t)c.packed_bytes, true);
    must(fread(packed.data, 1, packed.size, file) == packed.size, path);
    guarded_protect(&packed);
    Guarded tensors[FOREIGN_MAX_TENSORS];
    const void *inputs[FOREIGN_MAX_TENSORS];
    float *outputs[FOREIGN_MAX_TENSORS];
    for (int64_t i = 0; i < c.inputs + c.outputs; i++) {
        tensors[i] = guarded_new((size_t)c.bytes[i], true);
        memset(tensors[i].data, 0xff, tensors[i].size);
        if (i >= c.inputs) {
            outputs[i - c.inputs] = (float *)tensors[i].data;
            continue;
        }
        must(fread(tensors[i].data, tensors[i].size, 1, file) == 1, path);
        guarded_protect(&tensors[i]);
        inputs[i] = tensors[i].data;
    }
    fclose(file);
    Guarded arena = guarded_new((size_t)c.arena_bytes, true);
    memset(arena.data, 0xff, arena.size);
    network(inputs, outputs, packed.data, arena.data, NULL);

    snprintf(path, sizeof path, "%s/%s.out", folder, name);
    file = fopen(path, "wb");
    must(file != NULL, path);
    for (int64_t i = c.inputs; i < c.inputs + c.outputs; i++)
        must(fwrite(tensors[i].data, tensors[i].size, 1, file) == 1, path);
    must(fclose(file) == 0, path);
    for (int64_t i = 0; i < c.inputs + c.outputs; i++)
        guarded_free(&tensors[i]);
    guarded_free(&packed);
    guarded_free(&arena);
}

int main(int argc, char **argv) {
    must(argc == 2, "usage: foreign FOLDER");
    for (int i = 0; foreign_cases[i].name; i++)
        run_case(argv[1], foreign_cases[i].name, foreign_cases[i].network);
    return 0;
}
