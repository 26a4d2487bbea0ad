/* Reading whole files and writing outputs so that nothing is ever half written.
 *
 * Every output goes to a temporary file `.NAME.XXXXXX` in the directory of its destination.
 * file_set_commit renames them all at the end, in the order they were added; file_set_abandon
 * removes them. Until the commit no destination is created or changed. A file that is replaced
 * keeps its mode. A symbolic link stays and what it points to is replaced; something that is not a
 * regular file (/dev/null, a fifo) is written straight through. Errors become diagnostics E07xx.
 * Temporaries are noted in support/cleanup.h, so that a program that installs it leaves none when a
 * signal ends it. */
#ifndef NETC_SUPPORT_FILE_H
#define NETC_SUPPORT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "support/diag.h"

typedef struct FileBytes {
    unsigned char *data;
    size_t size;
    bool mapped; /* private read-only mapping rather than heap memory */
} FileBytes;

/* Reads a regular file, fifo or `-` (standard input) whole. `limit` is the most bytes accepted.
 * On failure reports at `span` (SPAN_NONE when the name comes from the command line) and returns
 * false: E0803 for more than `limit` bytes, else E0701. */
bool file_read(Diagnostics *diagnostics, Span span, const char *path, size_t limit,
               FileBytes *bytes);

/* Maps a regular file read-only (weights files are large). Same errors as file_read; also E0701,
 * without waiting, for what is not a regular file. */
bool file_map(Diagnostics *diagnostics, Span span, const char *path, FileBytes *bytes);
void file_release(FileBytes *bytes);

/* What tells whether two paths are one file, also where the file does not exist yet. */
typedef struct FileIdentity {
    const char *path; /* as the user wrote it */
    const char *name; /* last part of the path behind all symbolic links */
    uint64_t directory_device;
    uint64_t directory_inode;
    uint64_t device;
    uint64_t inode; /* 0: the file does not exist */
    bool is_output; /* of a set before this one */
} FileIdentity;

typedef struct FileOutput {
    FileIdentity identity;
    const char *destination; /* path behind all symbolic links; for messages use identity.path */
    const char *temporary;   /* complete path of the temporary, NULL if written straight through */
    int descriptor;          /* of a temporary open for reading and writing, until the commit */
    StrBuf *memory;          /* takes the bytes; NULL: they go to a file */
} FileOutput;

typedef struct FileSet {
    Arena *arena;
    Diagnostics *diagnostics;
    VEC(FileOutput) outputs;
    VEC(FileIdentity) inputs; /* what no output may replace */
    bool keep_unchanged;      /* a file that would get the bytes it has stays, with its time */
    void (*written)(void *context, size_t bytes); /* told of each write; NULL: nobody */
    void *written_context;
} FileSet;

/* Opens the temporary for `path` and returns its index, or -1 after a diagnostic (also when two
 * outputs, or an output and one of `inputs`, are the same file). `-` is standard output. */
int file_set_open(FileSet *set, const char *path);

/* The same for an output that is not a file: what is written goes to `memory`, there at once. */
int file_set_open_memory(FileSet *set, StrBuf *memory);

/* Writes all bytes at the end of output `index`. False after a diagnostic. */
bool file_set_write(FileSet *set, int index, const void *data, size_t size);

/* Writes bytes that were written first, now known better. For an output that is written straight
 * through it is too late: file_set_can_rewrite says so. */
bool file_set_can_rewrite(const FileSet *set, int index);
bool file_set_rewrite(FileSet *set, int index, const void *data, size_t size);

/* Declares a file that was read, so that no output may replace it. */
bool file_set_guard_input(FileSet *set, const char *path);

/* Declares all that an earlier set read, wrote or would have written. */
void file_set_guard_files(FileSet *set, const FileSet *earlier);

/* Closes and renames all; on the first failure removes what is left and returns false. */
bool file_set_commit(FileSet *set);
void file_set_abandon(FileSet *set);

#endif
