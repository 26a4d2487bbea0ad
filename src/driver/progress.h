/* A line on the terminal while outputs take longer than a second to be written, as the weights of a
 * large network do: "netc: 43 % of 553 MB written". Nothing where standard error is no terminal. */
#ifndef NETC_DRIVER_PROGRESS_H
#define NETC_DRIVER_PROGRESS_H

#include "support/file.h"

typedef struct Progress {
    FileSet *files; /* NULL: nothing is shown */
    uint64_t total; /* bytes, about */
    uint64_t written;
    double next;  /* when to show the line again */
    bool visible; /* the line is there */
} Progress;

/* Shows how much of `total` bytes has been written to `files`, until progress_end. */
void progress_begin(Progress *progress, FileSet *files, uint64_t total);
void progress_end(Progress *progress);

#endif
