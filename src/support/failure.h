/* The end of work that cannot go on and that no diagnostic can tell: memory ran out, or netc itself
 * is wrong.
 *
 * Within failure_catch, in which the program runs and the library is called, the thread goes back
 * to where that was called. What the work had allocated outside of an arena is then lost, as
 * nothing runs on the way. Elsewhere it is said on standard error and the process exits. */
#ifndef NETC_SUPPORT_FAILURE_H
#define NETC_SUPPORT_FAILURE_H

#include <stdbool.h>

typedef enum FailureKind {
    FAILURE_NONE,
    FAILURE_MEMORY,   /* exit status 3 */
    FAILURE_INTERNAL, /* exit status 70 */
} FailureKind;

typedef struct Failure {
    FailureKind kind;
    char message[256]; /* one line; cut where it is longer */
} Failure;

/* Calls work(context). False if it failed, and how. Calls may be nested; each thread has its own.
 */
bool failure_catch(void (*work)(void *context), void *context, Failure *failure);

/* Memory ran out. */
_Noreturn void out_of_memory(void);

/* A mistake of netc's own, or LLVM's: what was tried, and a reason, which may be NULL. */
_Noreturn void internal_error(const char *what, const char *reason);

#endif
