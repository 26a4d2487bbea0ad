#include "support/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cleanup.h"

#define READ_CHUNK       ((size_t)64 * 1024)
#define MAX_LINKS        40  /* symbolic links followed, as the kernel does */
#define MAX_NAME_IN_TEMP 200 /* a name of up to 255 bytes must have room for the affixes */

/* ---- reading ------------------------------------------------------------------------------ */

static bool report_unreadable(Diagnostics *diagnostics, Span span, const char *path,
                              const char *reason) {
    diag_report(diagnostics, DIAG_E0701, span, "cannot read `%s`: %s", path, reason);
    return false;
}

static bool is_standard_stream(const char *path) {
    return strcmp(path, "-") == 0;
}

/* Opens for reading; -1 with errno set. */
static int open_input(const char *path, int flags) {
    if (is_standard_stream(path))
        return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    int descriptor;
    do
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
    while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

/* Reads up to `wanted` bytes, fewer only at the end of the file. False with errno set. */
static bool read_up_to(int descriptor, unsigned char *data, size_t wanted, size_t *taken) {
    *taken = 0;
    while (*taken < wanted) {
        ssize_t size = read(descriptor, data + *taken, wanted - *taken);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return false;
        if (size == 0)
            break;
        *taken += (size_t)size;
    }
    return true;
}

/* Reads until the end of the file or one byte more than `limit`. `expected` is a guess at the
 * size. False with errno set. */
static bool read_all(int descriptor, size_t expected, size_t limit, FileBytes *bytes) {
    size_t most = limit < SIZE_MAX - 1 ? limit + 1 : limit;
    size_t capacity = expected < most ? expected + 1 : most;
    if (capacity < READ_CHUNK)
        capacity = READ_CHUNK;
    *bytes = (FileBytes){.data = malloc(capacity)};
    for (;;) {
        if (!bytes->data)
            out_of_memory();
        size_t room = (capacity < most ? capacity : most) - bytes->size;
        size_t taken;
        if (!read_up_to(descriptor, bytes->data + bytes->size, room, &taken))
            return false;
        bytes->size += taken;
        if (taken < room || bytes->size == most)
            return true;
        if (capacity > SIZE_MAX / 2)
            out_of_memory();
        capacity *= 2;
        unsigned char *grown = realloc(bytes->data, capacity);
        if (!grown)
            free(bytes->data);
        bytes->data = grown;
    }
}

bool file_read(Diagnostics *diagnostics, Span span, const char *path, size_t limit,
               FileBytes *bytes) {
    *bytes = (FileBytes){0};
    int descriptor = open_input(path, 0);
    if (descriptor < 0)
        return report_unreadable(diagnostics, span, path, strerror(errno));
    struct stat status;
    size_t expected = 0;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
        expected = (size_t)status.st_size;
    bool is_read = expected > limit || read_all(descriptor, expected, limit, bytes);
    int error = errno;
    close(descriptor);
    if (!is_read) {
        file_release(bytes);
        return report_unreadable(diagnostics, span, path, strerror(error));
    }
    if (expected > limit || bytes->size > limit) {
        file_release(bytes);
        diag_report(diagnostics, DIAG_E0803, span, "`%s` has more than %zu bytes", path, limit);
        return false;
    }
    return true;
}

bool file_map(Diagnostics *diagnostics, Span span, const char *path, FileBytes *bytes) {
    *bytes = (FileBytes){0};
    /* A fifo is refused at once; opened otherwise, it would wait for a writer. */
    int descriptor = open_input(path, O_NONBLOCK);
    if (descriptor < 0)
        return report_unreadable(diagnostics, span, path, strerror(errno));
    struct stat status;
    const char *problem = NULL;
    if (fstat(descriptor, &status) != 0)
        problem = strerror(errno);
    else if (S_ISDIR(status.st_mode))
        problem = strerror(EISDIR);
    else if (!S_ISREG(status.st_mode))
        problem = "not a regular file";
    else if ((uint64_t)status.st_size > SIZE_MAX)
        problem = strerror(EFBIG);
    size_t size = problem ? 0 : (size_t)status.st_size;
    if (!problem && size > 0) {
        void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (data == MAP_FAILED)
            problem = strerror(errno);
        else
            *bytes = (FileBytes){.data = data, .size = size, .mapped = true};
    }
    close(descriptor);
    if (problem)
        return report_unreadable(diagnostics, span, path, problem);
    if (size == 0 && !(bytes->data = malloc(1))) /* nothing to map, but never NULL */
        out_of_memory();
    return true;
}

void file_release(FileBytes *bytes) {
    if (bytes->mapped)
        munmap(bytes->data, bytes->size);
    else
        free(bytes->data);
    *bytes = (FileBytes){0};
}

/* ---- which file a path is ----------------------------------------------------------------- */

/* "a/b/" for "a/b/c", "" for "c". */
static const char *directory_part(Arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? arena_copy_text(arena, path, (size_t)(slash + 1 - path)) : "";
}

static const char *name_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Follows the symbolic links in the last part of a path. NULL with errno set. */
static const char *follow_links(Arena *arena, const char *path) {
    for (int links = 0; links < MAX_LINKS; links++) {
        struct stat status;
        if (lstat(path, &status) != 0)
            return errno == ENOENT ? path : NULL;
        if (!S_ISLNK(status.st_mode))
            return path;
        char target[4096];
        ssize_t length = readlink(path, target, sizeof target);
        if (length < 0)
            return NULL;
        if ((size_t)length == sizeof target) {
            errno = ENAMETOOLONG;
            return NULL;
        }
        const char *directory = target[0] == '/' ? "" : directory_part(arena, path);
        path = arena_format(arena, "%s%.*s", directory, (int)length, target);
    }
    errno = ELOOP;
    return NULL;
}

/* Fills in where `destination` is; false with errno set when its directory cannot be reached. */
static bool identify(Arena *arena, const char *path, const char *destination,
                     FileIdentity *identity) {
    struct stat directory;
    struct stat file;
    const char *parent = directory_part(arena, destination);
    if (stat(parent[0] ? parent : ".", &directory) != 0)
        return false;
    *identity = (FileIdentity){
        .path = path,
        .name = name_part(destination),
        .directory_device = directory.st_dev,
        .directory_inode = directory.st_ino,
    };
    if (stat(destination, &file) == 0) {
        identity->device = file.st_dev;
        identity->inode = file.st_ino;
    }
    return true;
}

static bool is_same_file(const FileIdentity *a, const FileIdentity *b) {
    if (a->inode != 0 && a->inode == b->inode && a->device == b->device)
        return true;
    return a->directory_inode == b->directory_inode && a->directory_device == b->directory_device &&
           strcmp(a->name, b->name) == 0;
}

/* Standard output and what is written straight through is no file that could be lost. */
static bool is_replaced(const FileOutput *output) {
    return output->temporary != NULL;
}

static bool report_conflict(FileSet *set, const char *output, const char *other, bool is_input) {
    diag_report(set->diagnostics, DIAG_E0703, SPAN_NONE, "output `%s` would overwrite %s `%s`",
                output, is_input ? "the input" : "another output,", other);
    return false;
}

bool file_set_guard_input(FileSet *set, const char *path) {
    FileIdentity input;
    path = arena_copy_text(set->arena, path, strlen(path));
    if (is_standard_stream(path))
        return true;
    const char *destination = follow_links(set->arena, path);
    if (!destination || !identify(set->arena, path, destination, &input))
        return true; /* whoever reads it will say so */
    VEC_PUSH(set->arena, &set->inputs, input);
    for (size_t i = 0; i < set->outputs.count; i++) {
        const FileOutput *output = &set->outputs.data[i];
        if (is_replaced(output) && is_same_file(&output->identity, &input))
            return report_conflict(set, output->identity.path, path, true);
    }
    return true;
}

void file_set_guard_files(FileSet *set, const FileSet *earlier) {
    for (size_t i = 0; i < earlier->inputs.count; i++)
        VEC_PUSH(set->arena, &set->inputs, earlier->inputs.data[i]);
    for (size_t i = 0; i < earlier->outputs.count; i++) {
        FileOutput output = earlier->outputs.data[i];
        output.identity.is_output = true;
        if (output.destination)
            VEC_PUSH(set->arena, &set->inputs, output.identity);
    }
}

static bool check_conflicts(FileSet *set, const FileIdentity *identity) {
    for (size_t i = 0; i < set->inputs.count; i++)
        if (is_same_file(identity, &set->inputs.data[i]))
            return report_conflict(set, identity->path, set->inputs.data[i].path,
                                   !set->inputs.data[i].is_output);
    for (size_t i = 0; i < set->outputs.count; i++) {
        const FileOutput *other = &set->outputs.data[i];
        if (is_replaced(other) && is_same_file(identity, &other->identity))
            return report_conflict(set, identity->path, other->identity.path, false);
    }
    return true;
}

/* ---- writing ------------------------------------------------------------------------------ */

static bool report_unwritable(FileSet *set, const char *path, int error) {
    diag_report(set->diagnostics, DIAG_E0702, SPAN_NONE, "cannot write `%s`: %s", path,
                strerror(error));
    return false;
}

/* The mode of the file that is replaced, or the one that a new file gets. */
static mode_t mode_for(const char *destination) {
    struct stat status;
    if (stat(destination, &status) == 0)
        return status.st_mode & 0777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* Makes an empty file of `path`, which ends in XXXXXX, and notes it for removal. -1 with errno
 * set. */
static int make_temporary(char *path, mode_t mode) {
    int descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor < 0)
        return -1;
    if (fchmod(descriptor, mode) != 0) {
        int error = errno;
        close(descriptor);
        unlink(path);
        errno = error;
        return -1;
    }
    cleanup_add(path);
    return descriptor;
}

/* The temporary `.NAME.XXXXXX` beside output->destination. False with errno set. */
static bool open_temporary(Arena *arena, FileOutput *output) {
    const char *destination = output->destination;
    char *path = arena_format(arena, "%s.%.*s.XXXXXX", directory_part(arena, destination),
                              MAX_NAME_IN_TEMP, name_part(destination));
    sigset_t before;
    cleanup_hold(&before);
    output->descriptor = make_temporary(path, mode_for(destination));
    int error = errno;
    cleanup_resume(&before);
    errno = error;
    if (output->descriptor < 0)
        return false;
    output->temporary = path;
    return true;
}

/* Standard output may be named once. */
static bool open_standard_output(FileSet *set, FileOutput *output) {
    for (size_t i = 0; i < set->outputs.count; i++)
        if (set->outputs.data[i].descriptor == STDOUT_FILENO)
            return report_conflict(set, output->identity.path, "-", false);
    output->descriptor = STDOUT_FILENO;
    return true;
}

/* Opens what is to be written for output->identity.path. False after a diagnostic. */
static bool open_destination(FileSet *set, FileOutput *output) {
    const char *path = output->identity.path;
    struct stat status;
    bool exists = stat(path, &status) == 0;
    if (exists && S_ISDIR(status.st_mode))
        return report_unwritable(set, path, EISDIR);
    if (exists && !S_ISREG(status.st_mode)) {
        do
            output->descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        while (output->descriptor < 0 && errno == EINTR);
        return output->descriptor >= 0 || report_unwritable(set, path, errno);
    }
    output->destination = follow_links(set->arena, path);
    if (!output->destination || !identify(set->arena, path, output->destination, &output->identity))
        return report_unwritable(set, path, errno);
    if (output->identity.name[0] == '\0') /* "", or a folder that does not exist */
        return report_unwritable(set, path, path[0] ? EISDIR : ENOENT);
    if (!check_conflicts(set, &output->identity))
        return false;
    /* A rename would replace even a file that may not be written. */
    if (exists && access(output->destination, W_OK) != 0)
        return report_unwritable(set, path, errno);
    return open_temporary(set->arena, output) || report_unwritable(set, path, errno);
}

int file_set_open(FileSet *set, const char *path) {
    FileOutput output = {
        .identity.path = arena_copy_text(set->arena, path, strlen(path)),
        .descriptor = -1,
    };
    bool is_open = is_standard_stream(path) ? open_standard_output(set, &output)
                                            : open_destination(set, &output);
    if (!is_open)
        return -1;
    VEC_PUSH(set->arena, &set->outputs, output);
    return (int)set->outputs.count - 1;
}

int file_set_open_memory(FileSet *set, StrBuf *memory) {
    FileOutput output = {.identity.path = "memory", .descriptor = -1, .memory = memory};
    VEC_PUSH(set->arena, &set->outputs, output);
    return (int)set->outputs.count - 1;
}

static bool write_memory(StrBuf *memory, off_t offset, const void *data, size_t size) {
    if (offset < 0)
        strbuf_add_bytes(memory, data, size);
    else
        memcpy(memory->data + offset, data, size);
    return true;
}

/* Writes at `offset`, or where the last write ended if it is negative. */
static bool write_at(FileSet *set, int index, off_t offset, const void *data, size_t size) {
    assert(index >= 0 && (size_t)index < set->outputs.count);
    const FileOutput *output = &set->outputs.data[index];
    if (output->memory)
        return write_memory(output->memory, offset, data, size);
    const unsigned char *at = data;
    while (size > 0) {
        ssize_t written = offset < 0 ? write(output->descriptor, at, size)
                                     : pwrite(output->descriptor, at, size, offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            int error = written < 0 ? errno : EIO;
            const char *path = output->identity.path;
            return report_unwritable(
                set, output->descriptor == STDOUT_FILENO ? "standard output" : path, error);
        }
        at += written;
        size -= (size_t)written;
        if (offset >= 0)
            offset += written;
    }
    return true;
}

bool file_set_write(FileSet *set, int index, const void *data, size_t size) {
    if (!write_at(set, index, -1, data, size))
        return false;
    if (set->written)
        set->written(set->written_context, size);
    return true;
}

bool file_set_can_rewrite(const FileSet *set, int index) {
    assert(index >= 0 && (size_t)index < set->outputs.count);
    const FileOutput *output = &set->outputs.data[index];
    return is_replaced(output) || output->memory;
}

bool file_set_rewrite(FileSet *set, int index, const void *data, size_t size) {
    assert(file_set_can_rewrite(set, index));
    return write_at(set, index, 0, data, size);
}

/* 0 or the error of closing; some file systems tell only here that a write failed. */
static int output_close(FileOutput *output) {
    int descriptor = output->descriptor;
    output->descriptor = -1;
    if (descriptor < 0 || descriptor == STDOUT_FILENO)
        return 0;
    return close(descriptor) != 0 && errno != EINTR ? errno : 0;
}

/* Renames in the order the outputs were added, up to the first that fails. */
static bool rename_all(FileSet *set) {
    for (size_t i = 0; i < set->outputs.count; i++) {
        FileOutput *output = &set->outputs.data[i];
        if (!output->temporary)
            continue;
        if (rename(output->temporary, output->destination) != 0)
            return report_unwritable(set, output->identity.path, errno);
        cleanup_forget(output->temporary);
        output->temporary = NULL;
    }
    return true;
}

/* Removes an output's temporary. */
static void drop_temporary(FileOutput *output) {
    unlink(output->temporary);
    cleanup_forget(output->temporary);
    output->temporary = NULL;
}

/* Whether the two files hold the same bytes; false if one cannot be read. */
static bool same_bytes(int a, int b) {
    unsigned char left[16384], right[sizeof left];
    off_t at = 0;
    for (;;) {
        ssize_t size = pread(a, left, sizeof left, at);
        if (size < 0 || pread(b, right, sizeof right, at) != size)
            return false;
        if (size == 0)
            return true;
        if (memcmp(left, right, (size_t)size) != 0)
            return false;
        at += size;
    }
}

/* Whether the destination holds what would replace it. */
static bool is_unchanged(const FileOutput *output) {
    struct stat old, made;
    int file = open(output->destination, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return false;
    bool same = fstat(file, &old) == 0 && fstat(output->descriptor, &made) == 0 &&
                S_ISREG(old.st_mode) && old.st_size == made.st_size &&
                same_bytes(file, output->descriptor);
    close(file);
    return same;
}

bool file_set_commit(FileSet *set) {
    bool is_done = true;
    for (size_t i = 0; i < set->outputs.count && is_done; i++) {
        FileOutput *output = &set->outputs.data[i];
        if (set->keep_unchanged && output->temporary && is_unchanged(output))
            drop_temporary(output);
        int error = output_close(output);
        if (error)
            is_done = report_unwritable(set, output->identity.path, error);
    }
    if (is_done) { /* a signal comes before all renames or after them */
        sigset_t before;
        cleanup_hold(&before);
        is_done = rename_all(set);
        cleanup_resume(&before);
    }
    file_set_abandon(set);
    return is_done;
}

void file_set_abandon(FileSet *set) {
    for (size_t i = 0; i < set->outputs.count; i++) {
        FileOutput *output = &set->outputs.data[i];
        output_close(output);
        if (output->temporary)
            drop_temporary(output);
    }
}
