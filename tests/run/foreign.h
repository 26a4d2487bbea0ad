/* The file that numeric.c writes for a machine it cannot run code of, and foreign.c reads there:
 * this header, the packed weights, then each input. The result file is each output. */
#ifndef NETC_TESTS_FOREIGN_H
#define NETC_TESTS_FOREIGN_H

#include <stdint.h>

#define FOREIGN_MAX_TENSORS 80

typedef struct ForeignCase {
    int64_t packed_bytes;
    int64_t arena_bytes;
    int64_t inputs;
    int64_t outputs;
    int64_t bytes[FOREIGN_MAX_TENSORS]; /* of each input, then each output */
} ForeignCase;

#endif
