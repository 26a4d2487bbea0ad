#include "layers/evaluate.h"

/* Products that take a few milliseconds: fewer are not worth waking threads for. */
#define WORTH_SHARING 1e7

void evaluation_share(const Evaluation *evaluation, double products, pthreadpool_task_1d_t task,
                      void *context, int64_t count) {
    pthreadpool_t *pool = evaluation->pool;
    bool shared = pool && products >= WORTH_SHARING;
    if (shared && !*pool)
        *pool = pthreadpool_create(0); /* NULL if that fails: then one thread does all */
    pthreadpool_parallelize_1d(shared ? *pool : NULL, task, context, (size_t)count, 0);
}
