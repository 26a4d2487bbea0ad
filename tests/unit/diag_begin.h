/* What every fixture that reports mistakes starts with. */
#ifndef NETC_TESTS_DIAG_BEGIN_H
#define NETC_TESTS_DIAG_BEGIN_H

#include "support/diag.h"

/* Ties the three together. All are zero before, and stay where they are. */
static inline void diag_begin(Arena *arena, SourceMap *sources, Diagnostics *diagnostics) {
    sources->arena = arena;
    diagnostics->arena = arena;
    diagnostics->sources = sources;
}

#endif
