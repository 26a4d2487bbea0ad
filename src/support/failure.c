#include "support/failure.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

/* Where a thread goes back to. */
typedef struct Catch {
    jmp_buf place;
    Failure *failure;
} Catch;

/* The innermost of this thread; NULL: the process ends. */
static _Thread_local Catch *innermost;

bool failure_catch(void (*work)(void *context), void *context, Failure *failure) {
    *failure = (Failure){.kind = FAILURE_NONE};
    Catch *outer = innermost;
    Catch catch = {.failure = failure};
    if (setjmp(catch.place) == 0) {
        innermost = &catch;
        work(context);
    }
    innermost = outer;
    return failure->kind == FAILURE_NONE;
}

/* Ends the work, or the process after saying why. */
static _Noreturn void fail(const Failure *failure) {
    if (innermost) {
        *innermost->failure = *failure;
        longjmp(innermost->place, 1);
    }
    fprintf(stderr, "netc: %s\n", failure->message);
    exit(failure->kind == FAILURE_MEMORY ? 3 : 70);
}

_Noreturn void out_of_memory(void) {
    fail(&(Failure){FAILURE_MEMORY, "out of memory"});
}

_Noreturn void internal_error(const char *what, const char *reason) {
    Failure failure = {.kind = FAILURE_INTERNAL};
    snprintf(failure.message, sizeof failure.message, "internal error: %s: %s", what,
             reason ? reason : "no reason given");
    fail(&failure);
}
