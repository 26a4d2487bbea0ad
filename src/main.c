/* argv to exit status. What it does is in driver/pipeline.c. */
#include <stdio.h>
#include <string.h>

#include "driver/options.h"
#include "driver/pipeline.h"
#include "support/cleanup.h"
#include "support/failure.h"

/* In the place of what a broken assert calls in the C library, which would abort: it is an internal
 * error like any other. The shared library of netc still aborts. */
_Noreturn void on_broken_assert(const char *assertion, const char *file, unsigned line,
                                const char *function) __asm__("__assert_fail");

_Noreturn void on_broken_assert(const char *assertion, const char *file, unsigned line,
                                const char *function) {
    const char *slash = strrchr(file, '/');
    char reason[200];
    snprintf(reason, sizeof reason, "%s:%u: %s: %s", slash ? slash + 1 : file, line, function,
             assertion);
    internal_error("broken assert", reason);
}

int main(int argc, char **argv) {
    cleanup_install();
    Arena arena = {0};
    Options options = {0};
    int status = options_parse(&arena, argc, argv, &options);
    options.revision = NETC_REVISION;
    if (status == 0)
        status = pipeline_run(&options);
    arena_free(&arena);
    return status;
}
