/* Reading .npz: a zip archive of .npy members, as numpy.savez and savez_compressed write it.
 *
 * zip_directory.c has checked the directory; libzip checks it once more, inflates and compares the
 * CRC. A member is inflated only as far as its .npy header to open the file, and beyond that only
 * when the network asks for a tensor of that very size, so an archive can claim any size it
 * likes. */
#include <inttypes.h>
#include <stdlib.h>
#include <zip.h>

#include "weights/formats.h"

#define NPY_ENDING ".npy"

/* ---- libzip --------------------------------------------------------------------------------- */

/* Opens file->data as an archive; libzip's verdict becomes the diagnostic. */
static bool archive_open(TensorFile *file) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(file->data, file->size, 0, &error);
    if (source) {
        file->archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
        if (!file->archive)
            zip_source_free(source);
    }
    if (!file->archive && zip_error_code_zip(&error) == ZIP_ER_MEMORY)
        out_of_memory();
    if (!file->archive)
        tensor_file_refuse(file, "libzip says: %s", zip_error_strerror(&error));
    zip_error_fini(&error);
    return file->archive != NULL;
}

/* Reads up to `size` bytes; less only at the end of the member. -1 when it does not inflate or its
 * CRC, known at its end, is wrong. */
static int64_t member_read(zip_file_t *member, unsigned char *out, uint64_t size) {
    uint64_t done = 0;
    while (done < size) {
        int64_t count = zip_fread(member, out + done, size - done);
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        done += (uint64_t)count;
    }
    return (int64_t)done;
}

/* ---- opening -------------------------------------------------------------------------------- */

/* Bytes of the array's data when the member has room for exactly them. */
static bool header_read(TensorFile *file, uint64_t index, const ZipMember *member,
                        NpyHeader *header) {
    const char *shown = tensor_name_text(file->arena, member->name);
    zip_file_t *stream = zip_fopen_index(file->archive, index, 0);
    if (!stream)
        return tensor_file_refuse(file, "member `%s`: %s", shown, zip_strerror(file->archive));
    unsigned char *start = malloc(NPY_PREFIX_LIMIT);
    if (!start)
        out_of_memory();
    int64_t count = member_read(stream, start, NPY_PREFIX_LIMIT);
    const char *error;
    if (count < 0)
        error = arena_format(file->arena, "%s", zip_file_strerror(stream));
    else
        error = npy_parse_header(file->arena, start, (size_t)count, header);
    if (!error && (member->bytes < header->header_bytes ||
                   member->bytes - header->header_bytes != (uint64_t)header->data_bytes))
        error =
            arena_format(file->arena,
                         "%s of type `%s` takes %" PRId64 " bytes behind the header of %zu, but "
                         "the member has %" PRIu64 " in all",
                         shape_text(file->arena, &header->shape), header->type, header->data_bytes,
                         header->header_bytes, member->bytes);
    free(start);
    zip_fclose(stream);
    return !error || tensor_file_refuse(file, "member `%s`: %s", shown, error);
}

static FileNumber number_of(const NpyHeader *header) {
    if (header->kind != 'f' || !header->little)
        return NUMBER_OTHER;
    return header->size == 4 ? NUMBER_F32 : header->size == 2 ? NUMBER_F16 : NUMBER_OTHER;
}

static bool tensor_add(TensorFile *file, uint64_t index, const ZipMember *member) {
    size_t length = strlen(member->name);
    size_t ending = strlen(NPY_ENDING);
    if (length <= ending || strcmp(member->name + length - ending, NPY_ENDING) != 0)
        return tensor_file_refuse(file, "member `%s` is not called NAME.npy",
                                  tensor_name_text(file->arena, member->name));
    NpyHeader header = {0};
    if (!header_read(file, index, member, &header))
        return false;
    FileTensor tensor = {
        .name = arena_copy_text(file->arena, member->name, length - ending),
        .type = header.type,
        .number = number_of(&header),
        .shape = header.shape,
        .fortran = header.fortran && header.shape.rank > 1,
        .offset = header.header_bytes,
        .bytes = (uint64_t)header.data_bytes,
        .member = index,
    };
    VEC_PUSH(file->arena, &file->tensors, tensor);
    return true;
}

static int name_compare(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool names_are_unique(TensorFile *file, const ZipMembers *members) {
    const char **names = ARENA_ARRAY(file->arena, members->count, const char *);
    for (size_t i = 0; i < members->count; i++)
        names[i] = members->data[i].name;
    qsort(names, members->count, sizeof *names, name_compare);
    for (size_t i = 1; i < members->count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return tensor_file_refuse(file, "there are two members called `%s`",
                                      tensor_name_text(file->arena, names[i]));
    return true;
}

bool npz_open(TensorFile *file) {
    ZipMembers members = {0};
    if (!zip_directory_read(file, &members) || !names_are_unique(file, &members))
        return false;
    if (members.count == 0)
        return true; /* libzip refuses to open an archive that is only an end record */
    if (!archive_open(file))
        return false;
    for (size_t i = 0; i < members.count; i++)
        if (!tensor_add(file, i, &members.data[i]))
            return false;
    return true;
}

void npz_close(TensorFile *file) {
    if (file->archive)
        zip_discard(file->archive);
    file->archive = NULL;
}

/* ---- reading -------------------------------------------------------------------------------- */

bool npz_read(TensorFile *file, const FileTensor *tensor, void *out) {
    const char *shown = tensor_name_text(file->arena, tensor->name);
    zip_file_t *stream = zip_fopen_index(file->archive, tensor->member, 0);
    if (!stream)
        return tensor_file_refuse(file, "member `%s.npy`: %s", shown, zip_strerror(file->archive));
    unsigned char *header = malloc(tensor->offset);
    if (!header)
        out_of_memory();
    /* One byte more than is needed is asked for: it must not be there, and only at its end does the
     * member's CRC come out. */
    unsigned char beyond;
    int64_t counts[3] = {member_read(stream, header, tensor->offset),
                         member_read(stream, out, tensor->bytes), member_read(stream, &beyond, 1)};
    free(header);
    const char *error = NULL;
    if (counts[0] < 0 || counts[1] < 0 || counts[2] < 0)
        error = arena_format(file->arena, "%s", zip_file_strerror(stream));
    else if (counts[2] > 0 || (uint64_t)counts[1] != tensor->bytes)
        error = "it inflates to another size than the directory says";
    zip_fclose(stream);
    return !error || tensor_file_refuse(file, "member `%s.npy`: %s", shown, error);
}
