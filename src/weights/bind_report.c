#include "weights/bind_report.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "support/suggest.h"

/* Name comparisons of one run: the nearest names of thousands of tensors that all miss their
 * partner would take minutes, and nobody reads them. */
#define SUGGEST_BUDGET 200000
#define CALL_SHOWN     60 /* bytes of a layer's call quoted in a note */

/* ---- texts ---------------------------------------------------------------------------------- */

static Arena *arena_of(const Binding *binding) {
    return binding->file->arena;
}

static const char *shown(const Binding *binding, const char *name) {
    return tensor_name_text(arena_of(binding), name);
}

static const char *shape_shown(const Binding *binding, const Shape *shape) {
    return shape_text(arena_of(binding), shape);
}

/* The shape that the tensor should have in the file. */
static const char *needed_shown(const Binding *binding, const Weight *weight) {
    Shape shape = binding->axes ? keras_shape(weight) : weight->shape;
    return shape_shown(binding, &shape);
}

/* "needs f32 [60, 1, 7, 7]" beside the layer, and what was read beside the file's name. */
static void label_both(const Binding *binding, Diagnostic *d, const Weight *weight,
                       const char *axes) {
    const TensorFile *file = binding->file;
    diag_here(file->diagnostics, d, "needs f32 %s%s", needed_shown(binding, weight), axes);
    uint64_t bytes = 0;
    for (size_t i = 0; i < file->tensors.count; i++)
        bytes += file->tensors.data[i].bytes;
    StrBuf text = {0};
    strbuf_add_count(&text, (int64_t)bytes, ',');
    diag_label(file->diagnostics, d, file->span, "read %zu tensor%s, %s bytes of data",
               file->tensors.count, file->tensors.count == 1 ? "" : "s", strbuf_text(&text));
    strbuf_free(&text);
}

/* Where the tensor stands in the file and what it is. */
static void note_tensor(const Binding *binding, Diagnostic *d, const FileTensor *tensor,
                        const char *axes) {
    const TensorFile *file = binding->file;
    const char *place = tensor->data
                            ? arena_format(arena_of(binding), ", bytes %" PRIu64 "..%" PRIu64,
                                           tensor->offset, tensor->offset + tensor->bytes)
                            : "";
    diag_note(file->diagnostics, d, "in `%s`, `%s`%s, has %s %s%s", file->path,
              shown(binding, tensor->name), place, tensor->type,
              shape_shown(binding, &tensor->shape), axes);
}

/* The text of the layer's call, or its path where that is long. */
static const char *call_shown(const Binding *binding, const Node *node) {
    const SourceMap *sources = binding->file->diagnostics->sources;
    const Source *source =
        sources && node->span.end > node->span.begin ? source_of(sources, node->span) : NULL;
    uint32_t length = node->span.end - node->span.begin;
    if (!source || length > CALL_SHOWN)
        return node->path;
    const char *text = source->text + (node->span.begin - source->base);
    if (memchr(text, '\n', length))
        return node->path;
    return arena_copy_text(arena_of(binding), text, length);
}

/* ---- where the numbers of a shape come from ------------------------------------------------- */

typedef enum DimOrigin {
    ORIGIN_CALL,   /* written in the layer's call */
    ORIGIN_INPUT,  /* the channels, or features, of the layer's input */
    ORIGIN_GROUPS, /* those, divided by the layer's groups */
} DimOrigin;

/* By PyTorch's layouts: [out, in / groups, kernel...] and a number a channel. */
static DimOrigin dim_origin(const Weight *weight, int axis) {
    const Node *owner = weight->owner;
    if (owner->input_count == 0 || owner->inputs[0]->type.shape.rank == 0)
        return ORIGIN_CALL;
    int64_t channels = owner->inputs[0]->type.shape.dims[0];
    int64_t dim = weight->shape.dims[axis];
    if (weight->shape.rank == 1) {
        for (size_t i = 0; i < owner->weights.count; i++) /* a bias beside its kernel */
            if (owner->weights.data[i]->shape.rank > 1)
                return dim_origin(owner->weights.data[i], 0);
        return dim == channels ? ORIGIN_INPUT : ORIGIN_CALL;
    }
    bool depthwise = weight->shape.rank > 2 && weight->shape.dims[1] == 1 && channels > 1;
    if (axis == 0)
        return depthwise && dim == channels ? ORIGIN_INPUT : ORIGIN_CALL;
    if (axis > 1)
        return ORIGIN_CALL;
    if (dim == channels)
        return ORIGIN_INPUT;
    return channels % dim == 0 ? ORIGIN_GROUPS : ORIGIN_CALL;
}

/* Appends "60, 7 and 7" of the dims with that origin; returns how many. */
static int dims_print(const Weight *weight, DimOrigin origin, StrBuf *out) {
    int count = 0;
    for (int axis = 0; axis < weight->shape.rank; axis++)
        count += dim_origin(weight, axis) == origin;
    int printed = 0;
    for (int axis = 0; axis < weight->shape.rank; axis++) {
        if (dim_origin(weight, axis) != origin)
            continue;
        if (printed > 0)
            strbuf_add(out, printed == count - 1 ? " and " : ", ");
        strbuf_format(out, "%" PRId64, weight->shape.dims[axis]);
        printed++;
    }
    return count;
}

/* "60, 7 and 7 come from `conv(60, 7x7)`; 1 comes from `image`, which is [1, 100, 100]" */
static void note_origins(const Binding *binding, Diagnostic *d, const Weight *weight) {
    const Node *owner = weight->owner;
    Diagnostics *diagnostics = binding->file->diagnostics;
    StrBuf text = {0};
    int count = dims_print(weight, ORIGIN_CALL, &text);
    if (count > 0)
        strbuf_format(&text, " come%s from `%s`", count == 1 ? "s" : "",
                      call_shown(binding, owner));
    const DimOrigin from_input[] = {ORIGIN_INPUT, ORIGIN_GROUPS};
    for (size_t i = 0; i < 2; i++) {
        StrBuf dims = {0};
        count = dims_print(weight, from_input[i], &dims);
        if (count > 0) {
            const Value *input = owner->inputs[0];
            strbuf_format(&text, "%s%s come%s from `%s`, which is %s", text.length ? "; " : "",
                          strbuf_text(&dims), count == 1 ? "s" : "", shown(binding, input->name),
                          shape_shown(binding, &input->type.shape));
            if (from_input[i] == ORIGIN_GROUPS)
                strbuf_add(&text, ", divided by the groups");
            diag_label(diagnostics, d, input->span, "gives %s",
                       shape_shown(binding, &input->type.shape));
        }
        strbuf_free(&dims);
    }
    if (text.length)
        diag_note(diagnostics, d, "%s", strbuf_text(&text));
    strbuf_free(&text);
}

/* ---- missing and unused --------------------------------------------------------------------- */

static bool ends_with_part(const char *name, const char *part) {
    size_t length = strlen(name);
    size_t tail = strlen(part);
    return length > tail && name[length - tail - 1] == '.' &&
           strcmp(name + length - tail, part) == 0;
}

/* The same name behind one prefix more or less ("model.fc.weight"), else the nearest spelling. */
static const char *nearest(const char *name, const char *const *candidates, size_t count,
                           size_t *budget) {
    if (count > *budget)
        return NULL;
    *budget -= count;
    for (size_t i = 0; i < count; i++)
        if (ends_with_part(candidates[i], name) || ends_with_part(name, candidates[i]))
            return candidates[i];
    return suggest_name(name, candidates, count);
}

/* The weight's own name, or Keras's where only that one is taken. */
static const char *needed_name(const Binding *binding, const Weight *weight) {
    if (!binding->axes || keras_keeps_name(weight))
        return weight->path;
    return arena_format(arena_of(binding), "%s/%s", weight->owner->path, keras_name(weight, 0));
}

static void report_missing(const Binding *binding, const Weight *weight, const char *name,
                           const char *candidate) {
    const TensorFile *file = binding->file;
    Diagnostic *d = diag_report(file->diagnostics, DIAG_E0402, weight->owner->span,
                                "`%s` has no tensor `%s`", file->path, shown(binding, name));
    label_both(binding, d, weight, "");
    if (candidate)
        diag_help(
            file->diagnostics, d,
            "the file has `%s`, which the network does not use: rename one of the two; a label "
            "gives a layer its name, `label: layer(...)`",
            shown(binding, candidate));
}

static void report_unused(const Binding *binding, const FileTensor *tensor, const char *candidate) {
    const TensorFile *file = binding->file;
    Diagnostic *d = diag_report(file->diagnostics, DIAG_E0403, file->span,
                                "nothing in `%s` uses the tensor `%s` of `%s`, %s %s",
                                binding->graph->name, shown(binding, tensor->name), file->path,
                                tensor->type, shape_shown(binding, &tensor->shape));
    if (candidate)
        diag_help(file->diagnostics, d, "the network needs `%s`, which the file does not have",
                  shown(binding, candidate));
    else
        diag_help(file->diagnostics, d,
                  "a weights file holds the tensors of its network only: save "
                  "it without this one");
}

void report_unmatched(const Binding *binding) {
    size_t missing = binding->missing.count;
    size_t unused = binding->unused.count;
    const char **missing_names = ARENA_ARRAY(arena_of(binding), missing, const char *);
    const char **unused_names = ARENA_ARRAY(arena_of(binding), unused, const char *);
    for (size_t i = 0; i < missing; i++)
        missing_names[i] = needed_name(binding, binding->missing.data[i]);
    for (size_t i = 0; i < unused; i++)
        unused_names[i] = binding->unused.data[i]->name;
    size_t budget = SUGGEST_BUDGET;
    for (size_t i = 0; i < missing; i++)
        if (i == 0 || strcmp(missing_names[i - 1], missing_names[i]) != 0) /* Keras's one bias */
            report_missing(binding, binding->missing.data[i], missing_names[i],
                           nearest(missing_names[i], unused_names, unused, &budget));
    for (size_t i = 0; i < unused; i++)
        report_unused(binding, binding->unused.data[i],
                      nearest(unused_names[i], missing_names, missing, &budget));
}

/* ---- shapes, types, numbers ----------------------------------------------------------------- */

void report_shape(const Binding *binding, const Weight *weight, const FileTensor *tensor) {
    const TensorFile *file = binding->file;
    Diagnostic *d = diag_report(file->diagnostics, DIAG_E0404, weight->owner->span,
                                "tensor `%s` is %s in `%s`, but the network needs %s",
                                shown(binding, weight->path), shape_shown(binding, &tensor->shape),
                                file->path, needed_shown(binding, weight));
    label_both(binding, d, weight, "");
    note_tensor(binding, d, tensor, "");
    note_origins(binding, d, weight);
}

void report_two_names(const Binding *binding, const Weight *weight, const FileTensor *first,
                      const FileTensor *second) {
    const TensorFile *file = binding->file;
    Diagnostic *d = diag_report(file->diagnostics, DIAG_E0412, weight->owner->span,
                                "`%s` has two tensors for `%s`: `%s` and `%s`", file->path,
                                shown(binding, weight->path), shown(binding, first->name),
                                shown(binding, second->name));
    label_both(binding, d, weight, "");
    diag_help(file->diagnostics, d, "save the file without one of the two");
}

/* Names of the axes in PyTorch's order. */
static const char *axes_needed(int rank) {
    static const char *const names[] = {" (out, in)", " (out, in, length)",
                                        " (out, in, height, width)",
                                        " (out, in, depth, height, width)"};
    return rank >= 2 && rank <= 5 ? names[rank - 2] : "";
}

static const char *axes_found(int rank, TensorOrder order) {
    static const char *const keras[] = {" (in, out): the Keras order",
                                        " (length, in, out): the Keras order",
                                        " (height, width, in, out): the Keras order",
                                        " (depth, height, width, in, out): the Keras order"};
    if (order == ORDER_KERAS_DEPTHWISE)
        return " (kernel, channels, multiplier): the Keras order of a depthwise kernel";
    return rank >= 2 && rank <= 5 ? keras[rank - 2] : ": the Keras order";
}

/* NumPy code that brings the tensor into PyTorch's order. */
static const char *transposition(const Binding *binding, const Weight *weight, TensorOrder order) {
    int rank = weight->shape.rank;
    if (rank == 2)
        return "array.T.copy()";
    StrBuf text = {0};
    int first = order == ORDER_KERAS ? rank - 1 : rank - 2;
    strbuf_format(&text, "array.transpose(%d, %d", first, 2 * rank - 3 - first);
    for (int i = 0; i < rank - 2; i++)
        strbuf_format(&text, ", %d", i);
    strbuf_add(&text, ")");
    if (order == ORDER_KERAS_DEPTHWISE) {
        StrBuf shape = {0};
        shape_print(&weight->shape, &shape);
        strbuf_format(&text, ".reshape(%s)", strbuf_text(&shape));
        strbuf_free(&shape);
    } else {
        strbuf_add(&text, ".copy()");
    }
    const char *copy = arena_copy_text(arena_of(binding), strbuf_text(&text), text.length);
    strbuf_free(&text);
    return copy;
}

/* The order in the source, or on the command line if the file is named there. */
static void offer_keras(const Binding *binding, Diagnostic *d) {
    const TensorFile *file = binding->file;
    Span end = {file->span.end, file->span.end};
    if (file->span.end > file->span.begin)
        diag_fix(file->diagnostics, d, end, " order=keras", false,
                 "say that the file is in Keras's order");
    else
        diag_help(file->diagnostics, d,
                  "say that the file is in Keras's order: --weights-order=keras");
}

static void report_order_pytorch(const Binding *binding, const Weight *weight,
                                 const FileTensor *tensor) {
    const TensorFile *file = binding->file;
    Diagnostic *d = diag_report(file->diagnostics, DIAG_E0407, weight->owner->span,
                                "tensor `%s` of `%s` is in PyTorch's order, not in Keras's",
                                shown(binding, tensor->name), file->path);
    label_both(binding, d, weight, "");
    note_tensor(binding, d, tensor, axes_needed(weight->shape.rank));
    diag_help(file->diagnostics, d,
              "if all of the file is, leave out `order=keras`, or say --weights-order=pytorch");
}

void report_transposed(const Binding *binding, const Weight *weight, const FileTensor *tensor,
                       TensorOrder order) {
    const TensorFile *file = binding->file;
    int rank = weight->shape.rank;
    if (order == ORDER_PYTORCH) {
        report_order_pytorch(binding, weight, tensor);
        return;
    }
    Diagnostic *d =
        diag_report(file->diagnostics, DIAG_E0407, weight->owner->span,
                    "tensor `%s` is transposed in `%s`", shown(binding, weight->path), file->path);
    label_both(binding, d, weight, axes_needed(rank));
    note_tensor(binding, d, tensor, axes_found(rank, order));
    note_origins(binding, d, weight);
    if (binding->offers_keras)
        offer_keras(binding, d);
    diag_help(file->diagnostics, d, "write the file in PyTorch's order; in NumPy: %s",
              transposition(binding, weight, order));
    diag_note(file->diagnostics, d,
              "netc does not transpose by guess, not even when only one reading fits");
}

void report_type(const Binding *binding, const Weight *weight, const FileTensor *tensor) {
    const TensorFile *file = binding->file;
    Diagnostic *d = diag_report(file->diagnostics, DIAG_E0405, weight->owner->span,
                                "tensor `%s` is of type %s in `%s`; netc reads f32, f16 and bf16, "
                                "little-endian",
                                shown(binding, weight->path), tensor->type, file->path);
    label_both(binding, d, weight, "");
    diag_help(file->diagnostics, d,
              "convert it where the file is written: tensor.float() in PyTorch, "
              "array.astype(\"<f4\") in NumPy");
}

/* Appends "[2, 0, 1]", the indices of element `at`. */
static void index_print(const Shape *shape, int64_t at, StrBuf *out) {
    Shape index = {.rank = shape->rank};
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        index.dims[axis] = at % shape->dims[axis];
        at /= shape->dims[axis];
    }
    shape_print(&index, out);
}

void report_non_finite(const Binding *binding, const Weight *weight, const NonFinite *found) {
    const TensorFile *file = binding->file;
    StrBuf text = {0};
    strbuf_add_count(&text, found->count, ',');
    strbuf_format(&text, " of %" PRId64 " numbers of tensor `%s` are not finite", weight->elements,
                  shown(binding, weight->path));
    Diagnostic *d =
        diag_report(file->diagnostics, DIAG_W0406, weight->owner->span, "%s", strbuf_text(&text));
    text.length = 0;
    index_print(&weight->shape, found->first, &text);
    diag_note(file->diagnostics, d,
              "in `%s`: %" PRId64 " NaN, %" PRId64 " infinite, the first at %s", file->path,
              found->nans, found->count - found->nans, strbuf_text(&text));
    strbuf_free(&text);
}
