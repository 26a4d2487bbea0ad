/* argv to exit status. What it does is in driver/pipeline.c. */
#include "driver/options.h"
#include "driver/pipeline.h"
#include "support/cleanup.h"

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
