#include "driver/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "support/clock.h"

#define FIRST_SECONDS 1.0
#define NEXT_SECONDS  0.2

static void show(void *context, size_t bytes) {
    Progress *progress = context;
    progress->written += bytes;
    double time = clock_seconds();
    if (time < progress->next)
        return;
    progress->next = time + NEXT_SECONDS;
    progress->visible = true;
    uint64_t share = progress->written < progress->total
                         ? (uint64_t)(100.0 * (double)progress->written / (double)progress->total)
                         : 100;
    fprintf(stderr, "\rnetc: %" PRIu64 " %% of %" PRIu64 " MB written ", share,
            progress->total / 1000000);
}

void progress_begin(Progress *progress, FileSet *files, uint64_t total) {
    *progress = (Progress){.total = total, .next = clock_seconds() + FIRST_SECONDS};
    if (!isatty(STDERR_FILENO))
        return;
    progress->files = files;
    files->written = show;
    files->written_context = progress;
}

void progress_end(Progress *progress) {
    if (!progress->files)
        return;
    progress->files->written = NULL;
    if (progress->visible)
        fputs("\r\033[K", stderr); /* the line goes */
}
