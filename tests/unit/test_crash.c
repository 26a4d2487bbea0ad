/* A mistake of netc's own, from the command line to what --crash-dir writes of it. That a prefix is
 * an identifier is seen to where options are parsed; one that is not, put in behind that, gives
 * LLVM's assembler a line that it cannot read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/pipeline.h"

static char folder[64];

static void write_text(const char *name, const char *text) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static char *read_text(const char *name) {
    static char text[4096];
    FILE *file = fopen(name, "r");
    if (!file)
        fail_msg("no file %s", name);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static int begin(void **state) {
    (void)state;
    strcpy(folder, "/tmp/netc-test-crash-XXXXXX");
    if (!mkdtemp(folder) || chdir(folder) != 0 || mkdir("nets", 0777) != 0 ||
        mkdir("nets/a b", 0777) != 0)
        return -1;
    write_text("nets/part.net", "block part(x: [4]) -> [2] {\n    return x -> dense(2)\n}\n");
    write_text("nets/a b/n.net", "use \"../part.net\"\n"
                                 "network n(x: [4]) -> [2] {\n"
                                 "    weights \"n.safetensors\"\n"
                                 "    return x -> part\n"
                                 "}\n");
    write_text("nets/budgets", "params <= 10\n");
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int end(void **state) {
    (void)state;
    return chdir("/") != 0 || nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The exit status of netc, in a process of its own; what it says goes to the file `said`. */
static int netc(bool broken, char **arguments) {
    int count = 0;
    while (arguments[count])
        count++;
    pid_t child = fork();
    if (child == 0) {
        int said = open("said", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        Arena arena = {0};
        Options options;
        if (said < 0 || dup2(said, STDERR_FILENO) < 0 ||
            options_parse(&arena, count, arguments, &options) != 0)
            _exit(100);
        options.revision = "r1";
        if (broken)
            options.compile.symbol_prefix = "no prefix";
        _exit(pipeline_run(&options));
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define NETC(broken, ...) netc(broken, (char *[]){"netc", __VA_ARGS__, NULL})

static void make_weights(void) {
    assert_int_equal(NETC(false, "init", "nets/a b/n.net", "-o", "nets/a b/n.safetensors"), 0);
}

static void assert_says(const char *name, const char *part) {
    const char *text = read_text(name);
    if (!strstr(text, part))
        fail_msg("`%s` is not in %s:\n%s", part, name, text);
}

/* Enters the one folder in `crashes`. */
static void enter_crash(void) {
    assert_int_equal(chdir("crashes"), 0);
    DIR *crashes = opendir(".");
    assert_non_null(crashes);
    int found = 0;
    char name[256] = "";
    for (struct dirent *entry; (entry = readdir(crashes));)
        if (strncmp(entry->d_name, "netc-", 5) == 0) {
            found++;
            strcpy(name, entry->d_name);
        }
    closedir(crashes);
    assert_int_equal(found, 1);
    assert_int_equal(chdir(name), 0);
}

static void what_it_takes_is_written(void **state) {
    (void)state;
    make_weights();
    assert_int_equal(NETC(true, "--crash-dir", "crashes", "nets/a b/n.net", "-o", "nets/n.o",
                          "--budgets=nets/budgets", "--header=nets/n.h", "-O1"),
                     70);
    assert_says("said", "netc: internal error: LLVM: ");
    assert_says("said", "please report it with what is in `crashes/netc-");
    assert_int_not_equal(access("nets/n.o", F_OK), 0);
    enter_crash();
    assert_says("report.txt", "internal error: LLVM: ");
    assert_says("report.txt", "revision r1\n");
    assert_says("report.txt", "compiled for ");
    assert_string_equal(read_text("arguments"),
                        "--weights=weights.safetensors\n-o\nn.o\n--budgets=source/budgets\n"
                        "--header=n.h\n-O1\nsource/a\\ b/n.net\n");
    assert_says("source/a b/n.net", "use \"../part.net\"\n");
    assert_says("source/part.net", "block part");
    assert_string_equal(read_text("source/budgets"), "params <= 10\n");
}

/* What is written can be used: with a netc that does not have the mistake it compiles. */
static void it_is_seen_again(void **state) {
    (void)state;
    make_weights();
    assert_int_equal(NETC(true, "nets/a b/n.net", "--crash-dir=crashes", "-o", "n.o",
                          "--weights=nets/a b/n.safetensors"),
                     70);
    enter_crash();
    assert_string_equal(read_text("arguments"),
                        "--weights=weights.safetensors\n-o\nn.o\nsource/a\\ b/n.net\n");
    assert_says("report.txt", "`netc init --network=n source/a b/n.net -o weights.safetensors`");
    assert_int_equal(
        NETC(false, "init", "--network=n", "source/a b/n.net", "-o", "weights.safetensors"), 0);
    assert_int_equal(NETC(true, "@arguments"), 70);
    assert_says("said", "--crash-dir=FOLDER writes what that takes");
    assert_int_equal(NETC(false, "@arguments"), 0);
    assert_int_equal(access("n.o", F_OK), 0);
}

static void standard_input_is_kept(void **state) {
    (void)state;
    make_weights();
    write_text("input", "network n(x: [4]) {\n    return x -> dense(2)\n}\n");
    assert_non_null(freopen("input", "r", stdin));
    assert_int_equal(NETC(true, "-", "--crash-dir=crashes", "--stdin-name=nets/in.net",
                          "--weights=nets/a b/n.safetensors"),
                     70);
    enter_crash();
    assert_string_equal(read_text("arguments"),
                        "--weights=weights.safetensors\n--stdin-name=nets/in.net\nsource/in.net\n");
    assert_says("source/in.net", "return x -> dense(2)");
}

static void where_it_cannot_be_written_that_is_said(void **state) {
    (void)state;
    make_weights();
    assert_int_equal(NETC(true, "nets/a b/n.net", "--crash-dir=nets/budgets/x"), 70);
    assert_says("said", "netc: internal error: LLVM: ");
    assert_says("said", "netc: cannot write `nets/budgets/x`: Not a directory\n");
}

static void mistakes_of_others_leave_nothing(void **state) {
    (void)state;
    assert_int_equal(NETC(false, "check", "nets/a b/n.net", "--crash-dir=crashes"), 3);
    assert_int_not_equal(access("crashes", F_OK), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_it_takes_is_written, begin, end),
        cmocka_unit_test_setup_teardown(it_is_seen_again, begin, end),
        cmocka_unit_test_setup_teardown(standard_input_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(where_it_cannot_be_written_that_is_said, begin, end),
        cmocka_unit_test_setup_teardown(mistakes_of_others_leave_nothing, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
