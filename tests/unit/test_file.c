/* Reading files and writing outputs that are whole or not there. */
#include "file_fixture.h"

/* ---- reading ------------------------------------------------------------------------------ */

static void reads_whole_files(void **state) {
    Fixture *fixture = *state;
    StrBuf large = {0};
    strbuf_fill(&large, 'x', 300000);
    assert_file(fixture, make(fixture, "large", large.data), large.data);
    assert_file(fixture, make(fixture, "empty", ""), "");
    strbuf_free(&large);
    FileBytes bytes;
    const char *path = make(fixture, "map", "mapped");
    assert_true(file_map(&fixture->diagnostics, SPAN_NONE, path, &bytes));
    assert_true(bytes.mapped);
    assert_int_equal(bytes.size, 6);
    assert_memory_equal(bytes.data, "mapped", 6);
    file_release(&bytes);
    assert_true(file_map(&fixture->diagnostics, SPAN_NONE, path_of(fixture, "empty"), &bytes));
    assert_non_null(bytes.data);
    assert_int_equal(bytes.size, 0);
    file_release(&bytes);
    assert_null(bytes.data);
}

static void reads_a_fifo(void **state) {
    Fixture *fixture = *state;
    const char *path = path_of(fixture, "fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    int descriptor = open(path, O_RDWR | O_CLOEXEC); /* so that neither side waits for the other */
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, "abc", 3), 3);
    FileBytes bytes;
    /* The writer stays: only the limit ends the reading. */
    assert_false(file_read(&fixture->diagnostics, SPAN_NONE, path, 2, &bytes));
    assert_reported(fixture, DIAG_E0803, "`%s` has more than 2 bytes", path);
    close(descriptor);
}

/* Also where nobody will ever write to it. */
static void fifo_is_never_mapped(void **state) {
    Fixture *fixture = *state;
    const char *path = path_of(fixture, "fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    FileBytes bytes;
    alarm(20); /* ends the test if it waits */
    assert_false(file_map(&fixture->diagnostics, SPAN_NONE, path, &bytes));
    alarm(0);
    assert_reported(fixture, DIAG_E0701, "cannot read `%s`: not a regular file", path);
}

static void refuses_more_than_the_limit(void **state) {
    Fixture *fixture = *state;
    const char *path = make(fixture, "four", "abcd");
    FileBytes bytes;
    assert_true(file_read(&fixture->diagnostics, SPAN_NONE, path, 4, &bytes));
    file_release(&bytes);
    assert_false(file_read(&fixture->diagnostics, SPAN_NONE, path, 3, &bytes));
    assert_null(bytes.data);
    assert_reported(fixture, DIAG_E0803, "`%s` has more than 3 bytes", path);
}

static void endless_device_is_refused(void **state) {
    Fixture *fixture = *state;
    FileBytes bytes;
    assert_false(file_read(&fixture->diagnostics, SPAN_NONE, "/dev/zero", 1 << 20, &bytes));
    assert_reported(fixture, DIAG_E0803, "`/dev/zero` has more than 1048576 bytes");
    assert_false(file_map(&fixture->diagnostics, SPAN_NONE, "/dev/zero", &bytes));
    assert_string_equal(fixture->diagnostics.list.data[1]->message,
                        "cannot read `/dev/zero`: not a regular file");
}

static void missing_file_is_reported(void **state) {
    Fixture *fixture = *state;
    FileBytes bytes;
    assert_false(file_read(&fixture->diagnostics, SPAN_NONE, "/nowhere/x.net", 9, &bytes));
    assert_reported(fixture, DIAG_E0701, "cannot read `/nowhere/x.net`: No such file or directory");
}

static void folder_is_no_input(void **state) {
    Fixture *fixture = *state;
    FileBytes bytes;
    assert_false(file_read(&fixture->diagnostics, SPAN_NONE, fixture->folder, 9, &bytes));
    assert_reported(fixture, DIAG_E0701, "cannot read `%s`: Is a directory", fixture->folder);
    assert_false(file_map(&fixture->diagnostics, SPAN_NONE, fixture->folder, &bytes));
}

/* ---- writing ------------------------------------------------------------------------------ */

static void nothing_changes_before_the_commit(void **state) {
    Fixture *fixture = *state;
    const char *old = make(fixture, "old.h", "old");
    const char *fresh = path_of(fixture, "fresh.o");
    open_output(fixture, old, "new ");
    int index = open_output(fixture, fresh, "ob");
    assert_true(file_set_write(&fixture->set, 0, "header", 6));
    assert_true(file_set_write(&fixture->set, index, "ject", 4));
    assert_file(fixture, old, "old");
    assert_missing(fresh);
    assert_true(file_set_commit(&fixture->set));
    assert_file(fixture, old, "new header");
    assert_file(fixture, fresh, "object");
    assert_int_equal(each_entry(fixture, NULL), 2);
}

static ino_t inode_of(const char *path) {
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_ino;
}

/* A file that has its bytes already is not replaced; others are, also of the same length. */
static void unchanged_files_stay_if_asked(void **state) {
    Fixture *fixture = *state;
    const char *same = make(fixture, "same.h", "text");
    const char *other = make(fixture, "other.h", "texT");
    const char *longer = make(fixture, "longer.h", "text and more");
    const char *fresh = path_of(fixture, "fresh.h");
    ino_t before[] = {inode_of(same), inode_of(other), inode_of(longer)};
    fixture->set.keep_unchanged = true;
    open_output(fixture, same, "text");
    open_output(fixture, other, "text");
    open_output(fixture, longer, "text");
    open_output(fixture, fresh, "text");
    assert_true(file_set_commit(&fixture->set));
    assert_true(inode_of(same) == before[0]);
    assert_false(inode_of(other) == before[1]);
    assert_false(inode_of(longer) == before[2]);
    assert_file(fixture, other, "text");
    assert_file(fixture, longer, "text");
    assert_file(fixture, fresh, "text");
    assert_int_equal(each_entry(fixture, NULL), 4);
}

static void abandon_leaves_all_as_it_was(void **state) {
    Fixture *fixture = *state;
    const char *old = make(fixture, "old.h", "old");
    open_output(fixture, old, "new");
    open_output(fixture, path_of(fixture, "fresh.o"), "object");
    assert_int_equal(each_entry(fixture, NULL), 3);
    file_set_abandon(&fixture->set);
    assert_file(fixture, old, "old");
    assert_int_equal(each_entry(fixture, NULL), 1);
}

/* A destination that becomes a folder while we work: the rename fails. */
static void failing_commit_removes_temporaries(void **state) {
    Fixture *fixture = *state;
    const char *blocked = path_of(fixture, "blocked");
    const char *old = make(fixture, "old.h", "old");
    open_output(fixture, blocked, "one");
    open_output(fixture, old, "two");
    assert_int_equal(mkdir(blocked, 0700), 0);
    assert_false(file_set_commit(&fixture->set));
    assert_reported(fixture, DIAG_E0702, "cannot write `%s`: Is a directory", blocked);
    assert_file(fixture, old, "old");
    assert_int_equal(each_entry(fixture, NULL), 2);
}

/* A write to a temporary that cannot grow any more, as on a full disk. */
static void failing_write_leaves_the_old_file(void **state) {
    Fixture *fixture = *state;
    const char *old = make(fixture, "old.o", "old");
    int index = open_output(fixture, old, "begin");
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(dup2(full, fixture->set.outputs.data[index].descriptor) >= 0);
    close(full);
    assert_false(file_set_write(&fixture->set, index, "more", 4));
    assert_reported(fixture, DIAG_E0702, "cannot write `%s`: No space left on device", old);
    file_set_abandon(&fixture->set);
    assert_file(fixture, old, "old");
    assert_int_equal(each_entry(fixture, NULL), 1);
}

static void full_device(void **state) {
    Fixture *fixture = *state;
    int index = file_set_open(&fixture->set, "/dev/full");
    assert_true(index >= 0);
    assert_false(file_set_write(&fixture->set, index, "x", 1));
    assert_reported(fixture, DIAG_E0702, "cannot write `/dev/full`: No space left on device");
    file_set_abandon(&fixture->set);
}

static void devices_are_written_straight_through(void **state) {
    Fixture *fixture = *state;
    assert_true(file_set_guard_input(&fixture->set, "/dev/null"));
    int index = open_output(fixture, "/dev/null", "x");
    assert_null(fixture->set.outputs.data[index].temporary);
    open_output(fixture, "/dev/null", "x"); /* twice does no harm */
    assert_true(file_set_commit(&fixture->set));
    struct stat status;
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

static void fifo_gets_the_bytes(void **state) {
    Fixture *fixture = *state;
    const char *path = path_of(fixture, "fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDWR | O_CLOEXEC);
    open_output(fixture, path, "abc");
    assert_true(file_set_commit(&fixture->set));
    char taken[4] = {0};
    assert_int_equal(read(reader, taken, 3), 3);
    assert_string_equal(taken, "abc");
    close(reader);
}

static void mode_goes_by_the_umask(void **state) {
    Fixture *fixture = *state;
    mode_t mask = umask(027);
    const char *path = path_of(fixture, "a.o");
    open_output(fixture, path, "x");
    assert_true(file_set_commit(&fixture->set));
    assert_int_equal(umask(mask), 027);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
}

static void a_replaced_file_keeps_its_mode(void **state) {
    Fixture *fixture = *state;
    const char *path = make(fixture, "a.net", "old");
    assert_int_equal(chmod(path, 0751), 0);
    open_output(fixture, path, "new");
    assert_true(file_set_commit(&fixture->set));
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0751);
}

static void links_stay_and_their_targets_are_replaced(void **state) {
    Fixture *fixture = *state;
    const char *target = make(fixture, "target", "old");
    const char *middle = path_of(fixture, "middle");
    const char *link = path_of(fixture, "link");
    const char *dangling = path_of(fixture, "dangling");
    assert_int_equal(symlink("target", middle), 0);
    assert_int_equal(symlink(middle, link), 0);
    assert_int_equal(symlink("born", dangling), 0);
    open_output(fixture, link, "new");
    open_output(fixture, dangling, "fresh");
    assert_true(file_set_commit(&fixture->set));
    assert_file(fixture, target, "new");
    assert_file(fixture, path_of(fixture, "born"), "fresh");
    struct stat status;
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(lstat(dangling, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

static void link_loop(void **state) {
    Fixture *fixture = *state;
    const char *loop = path_of(fixture, "loop");
    assert_int_equal(symlink("loop", loop), 0);
    assert_int_equal(file_set_open(&fixture->set, loop), -1);
    assert_reported(fixture, DIAG_E0702, "cannot write `%s`: Too many levels of symbolic links",
                    loop);
}

static void longest_name_has_a_temporary(void **state) {
    Fixture *fixture = *state;
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    open_output(fixture, path_of(fixture, name), "x");
    assert_true(file_set_commit(&fixture->set));
    assert_file(fixture, path_of(fixture, name), "x");
}

static void missing_folder(void **state) {
    Fixture *fixture = *state;
    assert_int_equal(file_set_open(&fixture->set, "/nowhere/a.o"), -1);
    assert_reported(fixture, DIAG_E0702, "cannot write `/nowhere/a.o`: No such file or directory");
}

static void folder_is_no_output(void **state) {
    Fixture *fixture = *state;
    assert_int_equal(file_set_open(&fixture->set, fixture->folder), -1);
    assert_reported(fixture, DIAG_E0702, "cannot write `%s`: Is a directory", fixture->folder);
    assert_int_equal(file_set_open(&fixture->set, path_of(fixture, "new/")), -1);
    assert_int_equal(file_set_open(&fixture->set, ""), -1);
    assert_string_equal(fixture->diagnostics.list.data[2]->message,
                        "cannot write ``: No such file or directory");
}

/* ---- files that are the same -------------------------------------------------------------- */

static void output_may_not_replace_an_input(void **state) {
    Fixture *fixture = *state;
    const char *input = make(fixture, "a.net", "network");
    const char *link = path_of(fixture, "link");
    assert_int_equal(symlink("a.net", link), 0);
    assert_true(file_set_guard_input(&fixture->set, input));
    assert_int_equal(file_set_open(&fixture->set, link), -1);
    assert_reported(fixture, DIAG_E0703, "output `%s` would overwrite the input `%s`", link, input);
    assert_int_equal(file_set_open(&fixture->set, path_of(fixture, "./a.net")), -1);
    assert_file(fixture, input, "network");
    assert_int_equal(each_entry(fixture, NULL), 2);
}

static void hard_link_to_an_input_is_the_input(void **state) {
    Fixture *fixture = *state;
    const char *input = make(fixture, "a.net", "network");
    const char *other = path_of(fixture, "b.net");
    assert_int_equal(link(input, other), 0);
    assert_true(file_set_guard_input(&fixture->set, input));
    assert_int_equal(file_set_open(&fixture->set, other), -1);
    assert_reported(fixture, DIAG_E0703, "output `%s` would overwrite the input `%s`", other,
                    input);
}

static void input_declared_after_the_output(void **state) {
    Fixture *fixture = *state;
    const char *input = make(fixture, "w.npz", "weights");
    open_output(fixture, input, "x");
    assert_true(file_set_guard_input(&fixture->set, path_of(fixture, "missing")));
    assert_false(file_set_guard_input(&fixture->set, input));
    assert_reported(fixture, DIAG_E0703, "output `%s` would overwrite the input `%s`", input,
                    input);
}

static void outputs_must_differ(void **state) {
    Fixture *fixture = *state;
    const char *path = path_of(fixture, "a.o"); /* does not exist yet */
    const char *same = path_of(fixture, "./a.o");
    open_output(fixture, path, "x");
    assert_int_equal(file_set_open(&fixture->set, same), -1);
    assert_reported(fixture, DIAG_E0703, "output `%s` would overwrite another output, `%s`", same,
                    path);
    open_output(fixture, path_of(fixture, "b.o"), "x");
}

static void memory_takes_what_a_file_would(void **state) {
    Fixture *fixture = *state;
    StrBuf first = {0}, second = {0};
    int a = file_set_open_memory(&fixture->set, &first);
    int b = file_set_open_memory(&fixture->set, &second);
    assert_true(file_set_write(&fixture->set, a, "?????", 5));
    assert_true(file_set_write(&fixture->set, b, "other", 5));
    assert_true(file_set_write(&fixture->set, a, " world", 6));
    assert_true(file_set_can_rewrite(&fixture->set, a));
    assert_true(file_set_rewrite(&fixture->set, a, "hello", 5));
    assert_true(file_set_commit(&fixture->set));
    assert_string_equal(strbuf_text(&first), "hello world");
    assert_string_equal(strbuf_text(&second), "other");
    assert_int_equal(each_entry(fixture, NULL), 0);
    strbuf_free(&first);
    strbuf_free(&second);
}

static void standard_output_is_one_output(void **state) {
    Fixture *fixture = *state;
    assert_true(file_set_open(&fixture->set, "-") >= 0);
    assert_int_equal(file_set_open(&fixture->set, "-"), -1);
    assert_reported(fixture, DIAG_E0703, "output `-` would overwrite another output, `-`");
    assert_true(file_set_commit(&fixture->set));
    assert_int_equal(fcntl(STDOUT_FILENO, F_GETFD) < 0, 0); /* still open */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(reads_whole_files),
        TEST(reads_a_fifo),
        TEST(fifo_is_never_mapped),
        TEST(refuses_more_than_the_limit),
        TEST(endless_device_is_refused),
        TEST(missing_file_is_reported),
        TEST(folder_is_no_input),
        TEST(nothing_changes_before_the_commit),
        TEST(unchanged_files_stay_if_asked),
        TEST(abandon_leaves_all_as_it_was),
        TEST(failing_commit_removes_temporaries),
        TEST(failing_write_leaves_the_old_file),
        TEST(full_device),
        TEST(devices_are_written_straight_through),
        TEST(fifo_gets_the_bytes),
        TEST(mode_goes_by_the_umask),
        TEST(a_replaced_file_keeps_its_mode),
        TEST(links_stay_and_their_targets_are_replaced),
        TEST(link_loop),
        TEST(longest_name_has_a_temporary),
        TEST(missing_folder),
        TEST(folder_is_no_output),
        TEST(output_may_not_replace_an_input),
        TEST(hard_link_to_an_input_is_the_input),
        TEST(input_declared_after_the_output),
        TEST(outputs_must_differ),
        TEST(memory_takes_what_a_file_would),
        TEST(standard_output_is_one_output),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
