/* A folder for each test, and outputs in it. */
#ifndef NETC_TESTS_FILE_FIXTURE_H
#define NETC_TESTS_FILE_FIXTURE_H

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
#include <sys/stat.h>
#include <unistd.h>

#include "diag_begin.h"
#include "support/file.h"

typedef struct Fixture {
    Arena arena;
    SourceMap sources;
    Diagnostics diagnostics;
    FileSet set;
    char folder[64];
} Fixture;

static inline int begin(void **state) {
    Fixture *fixture = calloc(1, sizeof *fixture);
    diag_begin(&fixture->arena, &fixture->sources, &fixture->diagnostics);
    fixture->set.arena = &fixture->arena;
    fixture->set.diagnostics = &fixture->diagnostics;
    strcpy(fixture->folder, "/tmp/netc-test-file-XXXXXX");
    *state = fixture;
    return mkdtemp(fixture->folder) ? 0 : -1;
}

static inline const char *path_of(Fixture *fixture, const char *name) {
    return arena_format(&fixture->arena, "%s/%s", fixture->folder, name);
}

/* Names in the folder but . and .. ; calls `visit` on each. */
static inline size_t each_entry(Fixture *fixture, int (*visit)(const char *path)) {
    DIR *folder = opendir(fixture->folder);
    assert_non_null(folder);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        count++;
        if (visit)
            visit(path_of(fixture, entry->d_name));
    }
    closedir(folder);
    return count;
}

static inline int end(void **state) {
    Fixture *fixture = *state;
    file_set_abandon(&fixture->set);
    each_entry(fixture, remove);
    rmdir(fixture->folder);
    arena_free(&fixture->arena);
    free(fixture);
    return 0;
}

static inline const char *make(Fixture *fixture, const char *name, const char *text) {
    const char *path = path_of(fixture, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline void assert_file(Fixture *fixture, const char *path, const char *expected) {
    FileBytes bytes;
    assert_true(file_read(&fixture->diagnostics, SPAN_NONE, path, SIZE_MAX, &bytes));
    assert_int_equal(bytes.size, strlen(expected));
    assert_memory_equal(bytes.data, expected, bytes.size);
    file_release(&bytes);
}

static inline void assert_missing(const char *path) {
    assert_int_equal(access(path, F_OK), -1);
}

/* Exactly one diagnostic was reported, with this code and message. */
static inline void assert_reported(Fixture *fixture, DiagCode code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *message = arena_format_list(&fixture->arena, format, arguments);
    va_end(arguments);
    assert_int_equal(fixture->diagnostics.list.count, 1);
    assert_int_equal(fixture->diagnostics.list.data[0]->code, code);
    assert_string_equal(fixture->diagnostics.list.data[0]->message, message);
}

static inline int open_output(Fixture *fixture, const char *path, const char *text) {
    int index = file_set_open(&fixture->set, path);
    assert_true(index >= 0);
    assert_true(file_set_write(&fixture->set, index, text, strlen(text)));
    return index;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
