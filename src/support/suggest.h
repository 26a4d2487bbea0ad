/* "Did you mean": the nearest of some names. */
#ifndef NETC_SUPPORT_SUGGEST_H
#define NETC_SUPPORT_SUGGEST_H

#include <stddef.h>

/* The candidate nearest to `name`: one equal but for case first, else the smallest Damerau-
 * Levenshtein (optimal string alignment) distance of at most max(1, length / 3). NULL if none is
 * near. The first of equals wins. */
const char *suggest_name(const char *name, const char *const *candidates, size_t count);

#endif
