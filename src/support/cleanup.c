#include "support/cleanup.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/arena.h"

/* A place for one path. Places are never freed, only used again, so that a handler may walk the
 * list at any time, whatever it interrupts. */
typedef struct Place {
    _Atomic(const char *) path; /* NULL: free */
    struct Place *next;         /* does not change once the place is in the list */
} Place;

static _Atomic(Place *) places;

/* A handler may only touch atomics that take no lock. */
static_assert(ATOMIC_POINTER_LOCK_FREE == 2, "pointers are atomic");

/* What users and systems end a process with; then an abort of LLVM or of
 * a library, and a mapped input that became shorter. */
static const int ending_signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGTERM,
                                     SIGXCPU, SIGXFSZ, SIGABRT, SIGBUS};

#define ENDING_SIGNALS (sizeof ending_signals / sizeof ending_signals[0])

static sigset_t ending_set(void) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < ENDING_SIGNALS; i++)
        sigaddset(&set, ending_signals[i]);
    return set;
}

/* Also called in a handler: nothing but unlink, which POSIX allows there. */
static void remove_all(void) {
    for (Place *place = atomic_load(&places); place; place = place->next) {
        const char *path = atomic_load(&place->path);
        if (path)
            unlink(path);
    }
}

/* SA_RESETHAND has put back the default action, and the signal is blocked until the handler
 * returns: raised again, it then ends the process as if it had not been caught. */
static void remove_and_die(int signal) {
    remove_all();
    raise(signal);
}

void cleanup_install(void) {
    struct sigaction action = {.sa_handler = remove_and_die, .sa_mask = ending_set()};
    action.sa_flags = (int)SA_RESETHAND;
    for (size_t i = 0; i < ENDING_SIGNALS; i++) {
        struct sigaction old;
        if (sigaction(ending_signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(ending_signals[i], &action, NULL);
    }
    if (atexit(remove_all) != 0)
        out_of_memory();
}

void cleanup_hold(sigset_t *before) {
    sigset_t set = ending_set();
    pthread_sigmask(SIG_BLOCK, &set, before);
}

void cleanup_resume(const sigset_t *before) {
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

void cleanup_add(const char *path) {
    for (Place *place = atomic_load(&places); place; place = place->next) {
        const char *none = NULL;
        if (atomic_compare_exchange_strong(&place->path, &none, path))
            return;
    }
    Place *place = malloc(sizeof *place);
    if (!place)
        out_of_memory();
    atomic_init(&place->path, path);
    place->next = atomic_load(&places);
    while (!atomic_compare_exchange_weak(&places, &place->next, place))
        ;
}

void cleanup_forget(const char *path) {
    for (Place *place = atomic_load(&places); place; place = place->next) {
        const char *noted = path;
        if (atomic_compare_exchange_strong(&place->path, &noted, NULL))
            return;
    }
    assert(false);
}
