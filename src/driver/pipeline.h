/* The stages of netc as consecutive calls. */
#ifndef NETC_DRIVER_PIPELINE_H
#define NETC_DRIVER_PIPELINE_H

#include "driver/options.h"

/* Does what the options say. Returns the exit status: 0 done, 1 mistakes in source, weights or
 * budgets, 2 usage, 3 input/output, 70 internal error. */
int pipeline_run(const Options *options);

#endif
