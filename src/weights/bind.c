/* A graph against a weights file: which tensor is which, and whether each is what is needed.
 *
 * The network says what every tensor's shape is; the file can only agree or be refused. */
#include "weights/bind.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "weights/bind_report.h"
#include "weights/keras.h"

/* Tensors of a state dict that may be left unused: what inference does not need, and what follows
 * from the shapes. */
typedef struct Unneeded {
    const char *ending; /* of its name */
    int min_rank;
    int max_rank;
} Unneeded;

static const Unneeded unneeded[] = {
    {".num_batches_tracked", 0, 0},     /* step counter of each of PyTorch's batch norms */
    {".relative_position_index", 1, 2}, /* row of Swin's table for each pair of places */
};

/* ---- names ---------------------------------------------------------------------------------- */

static int tensor_name_compare(const void *left, const void *right) {
    const FileTensor *const *a = left;
    const FileTensor *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

static int path_compare(const void *path, const void *tensor) {
    const FileTensor *const *element = tensor;
    return strcmp(path, (*element)->name);
}

static bool is_unneeded(const FileTensor *tensor) {
    size_t length = strlen(tensor->name);
    for (size_t i = 0; i < sizeof unneeded / sizeof *unneeded; i++) {
        const Unneeded *kind = &unneeded[i];
        size_t ending = strlen(kind->ending);
        if (tensor->shape.rank >= kind->min_rank && tensor->shape.rank <= kind->max_rank &&
            length > ending && strcmp(tensor->name + length - ending, kind->ending) == 0)
            return true;
    }
    return false;
}

/* The file's tensors by name. */
typedef struct NameTable {
    const FileTensor **sorted;
    size_t count;
} NameTable;

static NameTable name_table(const TensorFile *file) {
    NameTable table = {.count = file->tensors.count};
    table.sorted = ARENA_ARRAY(file->arena, table.count, const FileTensor *);
    for (size_t i = 0; i < table.count; i++)
        table.sorted[i] = &file->tensors.data[i];
    qsort(table.sorted, table.count, sizeof *table.sorted, tensor_name_compare);
    return table;
}

static const FileTensor *name_find(const NameTable *table, const char *name) {
    const FileTensor **found =
        bsearch(name, table->sorted, table->count, sizeof *table->sorted, path_compare);
    return found ? *found : NULL;
}

/* How the parts of a name may be divided; those of a path in the network are by points. */
typedef enum NameStyle {
    STYLE_MIXED,   /* block.lstm/lstm_cell/kernel */
    STYLE_POINTS,  /* block.lstm.lstm_cell.kernel */
    STYLE_SLASHES, /* block/lstm/lstm_cell/kernel, as Keras writes it */
    STYLES,
} NameStyle;

/* The last is the first where the layer's own path, `prefix` bytes long, has one part. */
static int name_styles(const Weight *weight, size_t prefix) {
    return memchr(weight->path, '.', prefix) ? STYLES : STYLE_SLASHES;
}

static const char *styled_name(Arena *arena, const Weight *weight, size_t prefix, const char *name,
                               int style) {
    char *text = arena_format(arena, "%.*s/%s", (int)prefix, weight->path, name);
    for (char *at = text; style != STYLE_MIXED && *at; at++)
        if (*at == '/' || *at == '.')
            *at = style == STYLE_POINTS ? '.' : '/';
    return text;
}

/* The tensor of a weight, by the weight's path or one of Keras's names for it; all tensors with
 * such a name count as used, and more than one is an error (E0412). */
static const FileTensor *keras_find(Binding *binding, const NameTable *table, const Weight *weight,
                                    bool *used) {
    Arena *arena = binding->file->arena;
    const FileTensor *found = keras_keeps_name(weight) ? name_find(table, weight->path) : NULL;
    size_t prefix = strlen(weight->path) - strlen(weight->name) - 1;
    const char *name;
    for (size_t i = 0; (name = keras_name(weight, i)) != NULL; i++)
        for (int style = 0; style < name_styles(weight, prefix); style++) {
            const FileTensor *other =
                name_find(table, styled_name(arena, weight, prefix, name, style));
            if (!other || other == found)
                continue;
            used[other - binding->file->tensors.data] = true;
            if (found) {
                report_two_names(binding, weight, found, other);
                binding->ambiguous = true;
            } else {
                found = other;
            }
        }
    return found;
}

/* Pairs weights with tensors by name. A tensor found is moved into binding->found, at the weight's
 * index; what has no partner goes into binding->missing and binding->unused, in file order. */
static void binding_match(Binding *binding) {
    const Graph *graph = binding->graph;
    TensorFile *file = binding->file;
    NameTable table = name_table(file);
    bool *used = ARENA_ARRAY(file->arena, table.count, bool);
    binding->found = ARENA_ARRAY(file->arena, graph->weights.count, const FileTensor *);
    for (size_t i = 0; i < graph->weights.count; i++) {
        const Weight *weight = graph->weights.data[i];
        const FileTensor *found = binding->axes ? keras_find(binding, &table, weight, used)
                                                : name_find(&table, weight->path);
        if (!found) {
            VEC_PUSH(file->arena, &binding->missing, weight);
            continue;
        }
        binding->found[i] = found;
        used[found - file->tensors.data] = true;
    }
    for (size_t i = 0; i < table.count; i++)
        if (!used[i] && !is_unneeded(&file->tensors.data[i]))
            VEC_PUSH(file->arena, &binding->unused, &file->tensors.data[i]);
}

/* ---- shapes and types ----------------------------------------------------------------------- */

/* [spatial..., channels, multiplier] where PyTorch has [channels * multiplier, 1, spatial...]. */
static bool is_keras_depthwise(const Shape *needed, const Shape *has) {
    int rank = needed->rank;
    if (rank < 3 || has->rank != rank || needed->dims[1] != 1)
        return false;
    for (int i = 2; i < rank; i++)
        if (has->dims[i - 2] != needed->dims[i])
            return false;
    int64_t multiplier = has->dims[rank - 1];
    return multiplier > 0 && needed->dims[0] % multiplier == 0 &&
           needed->dims[0] / multiplier == has->dims[rank - 2];
}

static TensorOrder order_of(const Shape *needed, const Shape *has) {
    if (needed->rank < 2)
        return ORDER_OTHER;
    Shape keras = keras_kernel_shape(needed);
    if (shape_equal(&keras, has))
        return ORDER_KERAS;
    return is_keras_depthwise(needed, has) ? ORDER_KERAS_DEPTHWISE : ORDER_OTHER;
}

/* Whether the dims are those that the network needs, in the order that the file is said to have. */
static bool shape_fits(const Binding *binding, const Weight *weight, const FileTensor *tensor) {
    return binding->axes ? keras_fits(weight, &tensor->shape)
                         : shape_equal(&weight->shape, &tensor->shape);
}

static TensorOrder tensor_order(const Binding *binding, const Weight *weight,
                                const FileTensor *tensor) {
    if (!binding->axes)
        return order_of(&weight->shape, &tensor->shape);
    return keras_is_kernel(weight) && shape_equal(&weight->shape, &tensor->shape) ? ORDER_PYTORCH
                                                                                  : ORDER_OTHER;
}

/* One error at most a tensor. */
static bool tensor_check(const Binding *binding, const Weight *weight, const FileTensor *tensor) {
    if (!shape_fits(binding, weight, tensor)) {
        TensorOrder order = tensor_order(binding, weight, tensor);
        if (order == ORDER_OTHER)
            report_shape(binding, weight, tensor);
        else
            report_transposed(binding, weight, tensor, order);
        return false;
    }
    if (tensor->number == NUMBER_OTHER) {
        report_type(binding, weight, tensor);
        return false;
    }
    return true;
}

/* Whether every tensor of another shape has the one that Keras would give it, so that the file is
 * most likely one of Keras. */
static bool only_keras_fits(const Binding *binding) {
    for (size_t i = 0; i < binding->graph->weights.count; i++) {
        const Weight *weight = binding->graph->weights.data[i];
        const FileTensor *tensor = binding->found[i];
        if (tensor && !shape_equal(&weight->shape, &tensor->shape) &&
            !keras_fits(weight, &tensor->shape))
            return false;
    }
    return true;
}

/* ---- numbers -------------------------------------------------------------------------------- */

#define FINITE_BLOCK 1024 /* numbers looked at without a branch between them */

static uint32_t number_bits(const float *numbers, int64_t at) {
    uint32_t bits;
    memcpy(&bits, numbers + at, sizeof bits);
    return bits;
}

/* NaN and infinity are the numbers whose exponent bits are all ones. */
static bool is_finite_bits(uint32_t bits) {
    return (bits & 0x7F800000u) != 0x7F800000u;
}

/* How many of the numbers from `begin` to `end` are not finite, how many of them are NaN, and the
 * first. */
static void non_finite_add(const float *numbers, int64_t begin, int64_t end, NonFinite *result) {
    for (int64_t i = begin; i < end; i++) {
        uint32_t bits = number_bits(numbers, i);
        if (is_finite_bits(bits))
            continue;
        if (result->count++ == 0)
            result->first = i;
        result->nans += (bits & 0x007FFFFFu) != 0;
    }
}

/* Weights can be hundreds of megabytes and are nearly always finite, so whole blocks are asked
 * first, in a loop of constant length that compilers turn into vector code. */
static NonFinite non_finite_find(const float *numbers, int64_t count) {
    NonFinite result = {0};
    int64_t begin = 0;
    for (; count - begin >= FINITE_BLOCK; begin += FINITE_BLOCK) {
        uint32_t any = 0;
        for (int64_t i = 0; i < FINITE_BLOCK; i++)
            any |= (uint32_t)!is_finite_bits(number_bits(numbers + begin, i));
        if (any)
            non_finite_add(numbers, begin, begin + FINITE_BLOCK, &result);
    }
    non_finite_add(numbers, begin, count, &result);
    return result;
}

static bool weight_fill(const Binding *binding, Weight *weight, const FileTensor *tensor) {
    weight->data = file_tensor_floats(binding->file, tensor);
    if (!weight->data)
        return false;
    if (binding->axes)
        weight->data = keras_permute(binding->file->arena, binding->axes, weight, weight->data);
    NonFinite found = non_finite_find(weight->data, weight->elements);
    if (found.count > 0)
        report_non_finite(binding, weight, &found);
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------ */

bool weights_bind_file(Graph *graph, TensorFile *file, WeightsOrder order) {
    Binding binding = {.graph = graph, .file = file};
    if (order == WEIGHTS_KERAS) {
        binding.axes = keras_follow(file->arena, file->diagnostics, graph);
        if (!binding.axes)
            return false;
    }
    binding_match(&binding);
    report_unmatched(&binding);
    binding.offers_keras = !binding.axes && only_keras_fits(&binding);
    bool good = binding.missing.count == 0 && binding.unused.count == 0 && !binding.ambiguous;
    for (size_t i = 0; i < graph->weights.count; i++) {
        Weight *weight = graph->weights.data[i];
        const FileTensor *tensor = binding.found[i];
        if (tensor &&
            !(tensor_check(&binding, weight, tensor) && weight_fill(&binding, weight, tensor)))
            good = false;
    }
    return good;
}

/* Binds a file that was opened, or closes it; NULL stays NULL. */
static TensorFile *bind_or_close(Graph *graph, TensorFile *file, WeightsOrder order) {
    if (!file)
        return NULL;
    if (weights_bind_file(graph, file, order) && tensor_file_unchanged(file))
        return file;
    for (size_t i = 0; i < graph->weights.count; i++)
        graph->weights.data[i]->data = NULL; /* may point into the file */
    tensor_file_close(file);
    return NULL;
}

TensorFile *weights_bind(Arena *arena, Diagnostics *diagnostics, Graph *graph, const char *path,
                         WeightsOrder order, Span span) {
    return bind_or_close(graph, tensor_file_open(arena, diagnostics, span, path), order);
}

TensorFile *weights_bind_bytes(Arena *arena, Diagnostics *diagnostics, Graph *graph,
                               const char *name, const void *data, size_t size, WeightsOrder order,
                               Span span) {
    TensorFile *file = tensor_file_open_bytes(arena, diagnostics, span, name, data, size);
    return bind_or_close(graph, file, order);
}
