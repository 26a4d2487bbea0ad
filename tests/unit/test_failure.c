/* Work that fails: caught it goes back to who began it, else it ends the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/arena.h"

static void run_out(void *context) {
    Arena *arena = context;
    arena_alloc(arena, 100);
    arena_array(arena, SIZE_MAX / 2, 4);
}

static void be_wrong(void *context) {
    internal_error("no such thing", context);
}

static void succeed(void *context) {
    *(int *)context = 1;
}

static void tells_how_it_failed(void **state) {
    (void)state;
    Arena arena = {0};
    Failure failure;
    assert_false(failure_catch(run_out, &arena, &failure));
    assert_int_equal(failure.kind, FAILURE_MEMORY);
    assert_string_equal(failure.message, "out of memory");
    arena_free(&arena);
    assert_false(failure_catch(be_wrong, "a reason", &failure));
    assert_int_equal(failure.kind, FAILURE_INTERNAL);
    assert_string_equal(failure.message, "internal error: no such thing: a reason");
    assert_false(failure_catch(be_wrong, NULL, &failure));
    assert_string_equal(failure.message, "internal error: no such thing: no reason given");
    int done = 0;
    assert_true(failure_catch(succeed, &done, &failure));
    assert_int_equal(failure.kind, FAILURE_NONE);
    assert_int_equal(done, 1);
}

/* Fails within, then itself. */
static void nest(void *context) {
    Failure inner;
    *(bool *)context = failure_catch(be_wrong, "inner", &inner);
    internal_error("outer", inner.message);
}

static void goes_back_to_the_innermost(void **state) {
    (void)state;
    Failure failure;
    bool inner_done = true;
    assert_false(failure_catch(nest, &inner_done, &failure));
    assert_false(inner_done);
    assert_string_equal(failure.message,
                        "internal error: outer: internal error: no such thing: inner");
}

static void *fail_often(void *context) {
    for (int i = 0; i < 1000; i++) {
        Failure failure;
        if (failure_catch(be_wrong, context, &failure) || !strstr(failure.message, context))
            return context;
    }
    return NULL;
}

static void threads_have_their_own(void **state) {
    (void)state;
    static char names[4][8] = {"first", "second", "third", "fourth"};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fail_often, names[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

/* How a process ends that does the work uncaught, and what it says. */
static int end_of(void (*work)(void *context), void *context, char *said, size_t size) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        work(context);
        _exit(0);
    }
    close(ends[1]);
    ssize_t length = read(ends[0], said, size - 1);
    said[length > 0 ? length : 0] = '\0';
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void uncaught_ends_the_process(void **state) {
    (void)state;
    char said[512];
    Arena arena = {0};
    assert_int_equal(end_of(run_out, &arena, said, sizeof said), 3);
    assert_string_equal(said, "netc: out of memory\n");
    assert_int_equal(end_of(be_wrong, "why", said, sizeof said), 70);
    assert_string_equal(said, "netc: internal error: no such thing: why\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_how_it_failed),
        cmocka_unit_test(goes_back_to_the_innermost),
        cmocka_unit_test(threads_have_their_own),
        cmocka_unit_test(uncaught_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
