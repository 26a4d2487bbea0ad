/* What a signal leaves behind. Each death is that of a child process, which raises the signal
 * itself while its outputs are half written. */
#include "file_fixture.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "support/cleanup.h"

/* Runs `work` in a child; the status it ends with. */
static int status_of(Fixture *fixture, int argument, void (*work)(Fixture *fixture, int argument)) {
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        work(fixture, argument);
        _exit(99);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void assert_died(int status, int signal) {
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), signal);
}

static void assert_exited(int status, int expected) {
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), expected);
}

/* More outputs than there are places at first, one of them over an old file. */
static void write_halves(Fixture *fixture) {
    open_output(fixture, path_of(fixture, "old.o"), "new");
    for (int i = 0; i < 4; i++)
        open_output(fixture, arena_format(&fixture->arena, "%s/%d.o", fixture->folder, i), "half");
}

static void assert_only_the_old(Fixture *fixture) {
    assert_file(fixture, path_of(fixture, "old.o"), "old");
    assert_int_equal(each_entry(fixture, NULL), 1);
}

static void raise_while_writing(Fixture *fixture, int signal) {
    cleanup_install();
    write_halves(fixture);
    raise(signal);
}

static void signals_remove_temporaries(void **state) {
    Fixture *fixture = *state;
    make(fixture, "old.o", "old");
    const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGTERM,
                           SIGXCPU, SIGXFSZ, SIGABRT, SIGBUS};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        assert_died(status_of(fixture, signals[i], raise_while_writing), signals[i]);
        assert_only_the_old(fixture);
    }
}

static void exit_while_writing(Fixture *fixture, int status) {
    cleanup_install();
    write_halves(fixture);
    exit(status);
}

/* As out_of_memory does. */
static void exit_removes_temporaries(void **state) {
    Fixture *fixture = *state;
    make(fixture, "old.o", "old");
    assert_exited(status_of(fixture, 3, exit_while_writing), 3);
    assert_only_the_old(fixture);
}

static void ignore_and_raise(Fixture *fixture, int ignored) {
    signal(ignored, SIG_IGN);
    raise_while_writing(fixture, ignored);
    if (file_set_commit(&fixture->set))
        _exit(7);
}

static void ignored_signals_stay_ignored(void **state) {
    Fixture *fixture = *state;
    assert_exited(status_of(fixture, SIGHUP, ignore_and_raise), 7);
    assert_file(fixture, path_of(fixture, "old.o"), "new");
}

static void commit_and_raise(Fixture *fixture, int signal) {
    cleanup_install();
    write_halves(fixture);
    if (file_set_commit(&fixture->set))
        raise(signal);
}

static void committed_outputs_stay(void **state) {
    Fixture *fixture = *state;
    assert_died(status_of(fixture, SIGTERM, commit_and_raise), SIGTERM);
    assert_file(fixture, path_of(fixture, "old.o"), "new");
    assert_int_equal(each_entry(fixture, NULL), 5);
}

static void abandon_write_and_raise(Fixture *fixture, int signal) {
    cleanup_install();
    for (int turn = 0; turn < 3; turn++) {
        write_halves(fixture);
        file_set_abandon(&fixture->set);
    }
    write_halves(fixture);
    raise(signal);
}

static void places_are_used_again(void **state) {
    Fixture *fixture = *state;
    assert_died(status_of(fixture, SIGTERM, abandon_write_and_raise), SIGTERM);
    assert_int_equal(each_entry(fixture, NULL), 0);
}

static void raise_while_held(Fixture *fixture, int signal) {
    sigset_t before;
    cleanup_install();
    cleanup_hold(&before);
    raise(signal);
    make(fixture, "held", "written in spite of the signal");
    cleanup_resume(&before);
}

static void held_signals_wait(void **state) {
    Fixture *fixture = *state;
    assert_died(status_of(fixture, SIGINT, raise_while_held), SIGINT);
    assert_file(fixture, path_of(fixture, "held"), "written in spite of the signal");
}

static void raise_without_install(Fixture *fixture, int signal) {
    write_halves(fixture);
    raise(signal);
}

static void library_leaves_signals_alone(void **state) {
    Fixture *fixture = *state;
    assert_died(status_of(fixture, SIGTERM, raise_without_install), SIGTERM);
    assert_int_equal(each_entry(fixture, NULL), 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(signals_remove_temporaries),   TEST(exit_removes_temporaries),
        TEST(ignored_signals_stay_ignored), TEST(committed_outputs_stay),
        TEST(places_are_used_again),        TEST(held_signals_wait),
        TEST(library_leaves_signals_alone),
    };
    return cmocka_run_group_tests_name("cleanup", tests, NULL, NULL);
}
