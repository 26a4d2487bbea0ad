/* What the outputs were made from, as a rule of make, which ninja reads as well. */
#ifndef NETC_OUTPUT_DEPFILE_H
#define NETC_OUTPUT_DEPFILE_H

#include "support/file.h"

/* Writes to output `index` of the set a rule that makes all its other files, the main output first,
 * depend on all that was read, and an empty rule for each of these, so that make goes on where one
 * is gone. False after a diagnostic: E0702 too for a name with a line end, which no rule can have.
 */
bool depfile_write(FileSet *set, int index);

#endif
