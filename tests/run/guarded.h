/* Memory between two guard pages: any access outside it ends the program. */
#ifndef NETC_TESTS_GUARDED_H
#define NETC_TESTS_GUARDED_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Guarded {
    unsigned char *data; /* `size` bytes */
    size_t size;
    unsigned char *mapping; /* of the guard pages and what is between them */
    size_t mapping_size;
} Guarded;

/* `size` bytes whose end (at_end) or beginning touches a guard page. With at_end its address is as
 * aligned as `size` is. Exits when there is no memory. */
Guarded guarded_new(size_t size, bool at_end);

/* Lets nobody write to it any more. */
void guarded_protect(const Guarded *guarded);
void guarded_free(Guarded *guarded);

#endif
