#include "guarded.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

Guarded guarded_new(size_t size, bool at_end) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inner = (size + page - 1) / page * page;
    Guarded guarded = {.size = size, .mapping_size = inner + 2 * page};
    guarded.mapping =
        mmap(NULL, guarded.mapping_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (guarded.mapping == MAP_FAILED ||
        (inner > 0 && mprotect(guarded.mapping + page, inner, PROT_READ | PROT_WRITE) != 0)) {
        perror("guarded_new");
        exit(2);
    }
    guarded.data = guarded.mapping + page + (at_end ? inner - size : 0);
    return guarded;
}

void guarded_protect(const Guarded *guarded) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inner = guarded->mapping_size - 2 * page;
    if (inner > 0 && mprotect(guarded->mapping + page, inner, PROT_READ) != 0) {
        perror("guarded_protect");
        exit(2);
    }
}

void guarded_free(Guarded *guarded) {
    munmap(guarded->mapping, guarded->mapping_size);
    *guarded = (Guarded){0};
}
