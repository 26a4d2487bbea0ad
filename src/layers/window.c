#include "layers/window.h"

#include <string.h>

#include "layers/edit.h"
#include "layers/layer.h"
#include "support/checked.h"

/* ---- one axis ----------------------------------------------------------------------------- */

/* a / b rounded down, b > 0. */
static int64_t divide_down(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

static int64_t at_least(int64_t a, int64_t b) {
    return a > b ? a : b;
}

bool slide_reach(const Slide *slide, int64_t *reach) {
    int64_t span;
    return checked_mul(slide->dilation, slide->kernel - 1, &span) && checked_add(span, 1, reach);
}

bool slide_pad_same(Slide *slide) {
    int64_t reach;
    int64_t needed; /* positions from the first tap of the first window to the last of the last */
    int64_t before_last = (divide_up(slide->input, slide->stride) - 1) * slide->stride;
    if (!slide_reach(slide, &reach) || !checked_add(before_last, reach, &needed))
        return false;
    int64_t total = at_least(needed - slide->input, 0);
    slide->pad_begin = total / 2;
    slide->pad_end = total - total / 2;
    slide->same = true;
    return true;
}

bool slide_output(const Slide *slide, int64_t *output) {
    int64_t reach;
    int64_t padded;
    int64_t room; /* positions that the first window can move by */
    if (!slide_reach(slide, &reach) || !checked_add(slide->input, slide->pad_begin, &padded) ||
        !checked_add(padded, slide->pad_end, &padded) || !checked_sub(padded, reach, &room))
        return false;
    if (!slide->ceil) {
        *output = divide_down(room, slide->stride) + 1;
        return true;
    }
    int64_t moves = divide_up(room, slide->stride);
    int64_t last_start;
    if (!checked_mul(moves, slide->stride, &last_start))
        return false;
    bool starts_past = moves > 0 && last_start >= slide->input + slide->pad_begin;
    *output = moves + (starts_past ? 0 : 1);
    return true;
}

int64_t slide_unused(const Slide *slide, int64_t output) {
    int64_t reach = slide->dilation * (slide->kernel - 1) + 1;
    int64_t covered = (output - 1) * slide->stride + reach - slide->pad_begin;
    int64_t unused = slide->input - covered;
    return unused > at_least(slide->stride - reach, 0) ? unused : 0;
}

bool slide_smallest_input(const Slide *slide, int64_t output, int64_t *input) {
    int64_t moved; /* from the first window to the last */
    int64_t last;  /* positions up to the end of the last window */
    int64_t reach;
    if (!checked_mul(output - 1, slide->stride, &moved) || !slide_reach(slide, &reach) ||
        !checked_add(moved, reach, &last))
        return false;
    if (slide->same) {
        *input = moved + 1;
        return true;
    }
    int64_t whole;
    if (!checked_sub(last, slide->pad_begin, &whole) || !checked_sub(whole, slide->pad_end, &whole))
        return false;
    if (slide->ceil) /* all but one of the last stride's positions may be missing, */
        whole = at_least(whole - slide->stride + 1, moved - slide->pad_begin + 1);
    *input = at_least(whole, 1); /* if the window starts inside or in the padding before */
    return true;
}

bool slide_crop_same(Slide *slide) {
    int64_t reach;
    if (!slide_reach(slide, &reach))
        return false;
    int64_t total = at_least(reach - slide->stride, 0);
    slide->pad_begin = total / 2;
    slide->pad_end = total - total / 2;
    slide->same = true;
    return true;
}

bool slide_transposed_output(const Slide *slide, int64_t output_pad, int64_t *output) {
    if (slide->same)
        return checked_mul(slide->input, slide->stride, output);
    int64_t moved, reach, whole;
    return checked_mul(slide->input - 1, slide->stride, &moved) && slide_reach(slide, &reach) &&
           checked_add(moved, reach, &whole) && checked_add(whole, output_pad, &whole) &&
           checked_sub(whole, slide->pad_begin, &whole) &&
           checked_sub(whole, slide->pad_end, output);
}

/* ---- of a node ---------------------------------------------------------------------------- */

int node_attribute(const Node *node, const char *name) {
    return layer_attribute(node->layer, name);
}

bool node_switch(const Node *node, const char *name) {
    int index = node_attribute(node, name);
    return index >= 0 && node->attributes[index].boolean;
}

static int kernel_attribute(const Node *node) {
    int index = node_attribute(node, "kernel");
    return index >= 0 ? index : node_attribute(node, "size");
}

static int64_t size_entry(const Node *node, const char *name, int axis) {
    int index = node_attribute(node, name);
    return index >= 0 ? node->attributes[index].size[axis] : 1;
}

int window_slides(const Node *node, Slide slides[MAX_SPATIAL]) {
    const Shape *shape = &node->inputs[0]->type.shape;
    const Attribute *kernel = &node->attributes[kernel_attribute(node)];
    int padding_index = node_attribute(node, "pad");
    int axes = shape->rank - 1;
    for (int i = 0; i < axes; i++) {
        slides[i] = (Slide){.input = shape->dims[i + 1],
                            .kernel = kernel->size[i],
                            .stride = size_entry(node, "stride", i),
                            .dilation = size_entry(node, "dilation", i),
                            .ceil = node_switch(node, "ceil")};
        if (padding_index < 0)
            continue;
        const Attribute *padding = &node->attributes[padding_index];
        switch (padding->padding.mode) {
        case PADDING_EXPLICIT:
            slides[i].pad_begin = padding->padding.begin[i];
            slides[i].pad_end = padding->padding.end[i];
            break;
        case PADDING_SAME: slides[i].same = slide_pad_same(&slides[i]); break;
        }
    }
    return axes;
}

bool window_footprint(const Node *node, Footprint axes[MAX_SPATIAL]) {
    Slide slides[MAX_SPATIAL];
    int count = window_slides(node, slides);
    for (int i = 0; i < count; i++) {
        if (!slide_reach(&slides[i], &axes[i].reach))
            return false;
        axes[i].step = slides[i].stride;
    }
    return true;
}

Window window_of(const Node *node) {
    Slide slides[MAX_SPATIAL];
    int axes = window_slides(node, slides);
    return window_from_slides(node, slides, axes);
}

/* The spatial axes as they follow each other in a shape. */
static const enum WindowAxis places[MAX_SPATIAL] = {WINDOW_DEPTH, WINDOW_HEIGHT, WINDOW_WIDTH};

void window_extents(const Shape *shape, int64_t extents[MAX_SPATIAL]) {
    int axes = shape->rank - 1;
    for (int i = 0; i < MAX_SPATIAL; i++)
        extents[i] = 1;
    for (int i = 0; i < axes; i++)
        extents[places[MAX_SPATIAL - axes + i]] = shape->dims[i + 1];
}

Window window_from_slides(const Node *node, const Slide *slides, int axes) {
    Window window = WINDOW_OF_PIXEL;
    if (axes == MAX_SPATIAL) {
        window.input_slices = node->inputs[0]->type.shape.dims[1];
        window.output_slices = node->outputs[0]->type.shape.dims[1];
    }
    for (int i = 0; i < axes; i++) {
        enum WindowAxis place = places[MAX_SPATIAL - axes + i];
        window.kernel[place] = slides[i].kernel;
        window.stride[place] = slides[i].stride;
        window.dilation[place] = slides[i].dilation;
        window.pad_begin[place] = slides[i].pad_begin;
        window.pad_end[place] = slides[i].pad_end;
    }
    return window;
}

const char *window_size_text(Arena *arena, const int64_t *size, int axes) {
    const char *text = "";
    for (int i = 0; i < axes; i++)
        text = arena_format(arena, "%s%s%lld", text, i > 0 ? "x" : "", (long long)size[i]);
    return text;
}

/* ---- the shape rule ----------------------------------------------------------------------- */

const char *window_axis_name(int axis, int axes) {
    static const char *const names[] = {"depth", "height", "width"};
    return axes == 1 ? "length" : names[MAX_SPATIAL - axes + axis];
}

bool window_check_rank(Inference *inference) {
    const Shape *input = infer_input(inference, 0);
    if (input->rank >= 2 && input->rank <= MAX_SPATIAL + 1)
        return true;
    Diagnostic *diagnostic =
        infer_error(inference, DIAG_E0212, -1,
                    "`%s` takes [channels, length], [channels, height, width] or [channels, depth, "
                    "height, width], got %s",
                    inference->node->layer->name, infer_shape_text(inference, input));
    diag_here(inference->diagnostics, diagnostic, "needs two to four dims, found %d", input->rank);
    if (input->rank == 1) {
        long long length = (long long)input->dims[0];
        edit_step_before(
            inference, diagnostic, arena_format(inference->arena, "reshape([1, %lld])", length),
            false,
            arena_format(inference->arena,
                         "`reshape` gives a vector channels and spatial axes, `reshape([1, %lld])` "
                         "a single channel of length %lld",
                         length, length));
    }
    return false;
}

static bool check_padding(Inference *inference, const Slide *slides, int axes) {
    for (int i = 0; i < axes; i++) {
        int64_t reach;
        if (!slide_reach(&slides[i], &reach))
            continue; /* cannot fit: reported as such */
        int64_t padding = at_least(slides[i].pad_begin, slides[i].pad_end);
        if (padding < reach)
            continue;
        Diagnostic *diagnostic =
            infer_error(inference, DIAG_E0205, node_attribute(inference->node, "pad"),
                        "padding of %lld is not smaller than the window of %lld",
                        (long long)padding, (long long)reach);
        diag_here(inference->diagnostics, diagnostic, "at most %lld along the %s",
                  (long long)(reach - 1), window_axis_name(i, axes));
        diag_note(inference->diagnostics, diagnostic,
                  "a window that lies wholly in the padding has nothing to pool");
        return false;
    }
    return true;
}

/* A network may be long and have many mistakes: what is looked at for one message is bounded. */
#define MAX_CHAIN 1000

/* Follows the chain of windows back from the node to an input of the network: the smallest shape of
 * it for which the node's windows fit. NULL where the chain is not that simple. */
static const Value *smallest_source(const Node *node, Shape *shape) {
    int64_t needed[MAX_SPATIAL];
    Slide slides[MAX_SPATIAL];
    int axes = window_slides(node, slides);
    for (int i = 0; i < axes; i++)
        if (!slide_smallest_input(&slides[i], 1, &needed[i]))
            return NULL;
    const Value *value = node->inputs[0];
    for (int steps = 0; value->producer != NULL; steps++) {
        const Node *producer = value->producer;
        if (steps == MAX_CHAIN || producer->input_count != 1 ||
            producer->inputs[0]->type.shape.rank != axes + 1)
            return NULL;
        if (producer->layer->footprint == window_footprint) {
            window_slides(producer, slides);
            for (int i = 0; i < axes; i++)
                if (!slide_smallest_input(&slides[i], needed[i], &needed[i]))
                    return NULL;
        } else if (!shape_equal(&producer->inputs[0]->type.shape, &value->type.shape)) {
            return NULL;
        }
        value = producer->inputs[0];
    }
    *shape = value->type.shape;
    for (int i = 0; i < axes; i++)
        shape->dims[i + 1] = at_least(shape->dims[i + 1], needed[i]);
    return value;
}

static bool all_equal(const int64_t *numbers, int count) {
    for (int i = 1; i < count; i++)
        if (numbers[i] != numbers[0])
            return false;
    return true;
}

/* "needs a height and width of at least 5, got 3" */
static void label_too_small(Inference *inference, Diagnostic *diagnostic, const Slide *slides,
                            const int64_t *needed, const int64_t *output, int axes) {
    const char *text = "";
    const int64_t *input = &infer_input(inference, 0)->dims[1];
    if (axes > 1 && all_equal(output, axes) && all_equal(needed, axes) && all_equal(input, axes)) {
        text = arena_format(inference->arena, "a %sheight and width of at least %lld, got %lld",
                            axes > 2 ? "depth, " : "", (long long)needed[0], (long long)input[0]);
    } else {
        for (int i = 0; i < axes; i++)
            if (output[i] < 1)
                text = arena_format(inference->arena, "%s%sa %s of at least %lld, got %lld", text,
                                    text[0] ? ", and " : "", window_axis_name(i, axes),
                                    (long long)needed[i], (long long)slides[i].input);
    }
    diag_here(inference->diagnostics, diagnostic, "needs %s", text);
}

static void note_formula(Inference *inference, Diagnostic *diagnostic, const Slide *slide,
                         int64_t output, const char *axis) {
    int64_t reach = slide->dilation * (slide->kernel - 1) + 1;
    const char *rounding = slide->ceil ? "ceil" : "floor";
    if (slide->dilation > 1)
        diag_note(inference->diagnostics, diagnostic,
                  "%lld taps with dilation %lld reach over %lld * (%lld - 1) + 1 = %lld elements",
                  (long long)slide->kernel, (long long)slide->dilation, (long long)slide->dilation,
                  (long long)slide->kernel, (long long)reach);
    diag_note(inference->diagnostics, diagnostic,
              "output %s = %s((input + padding - reach) / stride) + 1 = %s((%lld + %lld - %lld) / "
              "%lld) + 1 = %lld",
              axis, rounding, rounding, (long long)slide->input,
              (long long)(slide->pad_begin + slide->pad_end), (long long)reach,
              (long long)slide->stride, (long long)output);
}

static bool slides_alike(const Slide *a, const Slide *b) {
    return a->input == b->input && a->kernel == b->kernel && a->stride == b->stride &&
           a->dilation == b->dilation && a->pad_begin == b->pad_begin && a->pad_end == b->pad_end;
}

static void note_formulas(Inference *inference, Diagnostic *diagnostic, const Slide *slides,
                          const int64_t *output, int axes) {
    bool alike = axes > 1;
    for (int i = 1; i < axes; i++)
        alike = alike && slides_alike(&slides[0], &slides[i]);
    for (int i = 0; i < (alike ? 1 : axes); i++)
        if (output[i] < 1)
            note_formula(inference, diagnostic, &slides[i], output[i],
                         alike ? "size" : window_axis_name(i, axes));
}

/* `pad=same`, if the windows fit then. */
static void offer_same(Inference *inference, Diagnostic *diagnostic, const Slide *slides, int axes,
                       Shape shape) {
    int padding = node_attribute(inference->node, "pad");
    if (padding < 0)
        return;
    for (int i = 0; i < axes; i++) {
        Slide slide = slides[i];
        if (!slide_pad_same(&slide) || !slide_output(&slide, &shape.dims[i + 1]))
            return;
    }
    edit_argument(inference, diagnostic, padding, "same", true,
                  arena_format(inference->arena, "pad the edges, giving %s",
                               infer_shape_text(inference, &shape)));
}

static void report_too_small(Inference *inference, const Slide *slides, const int64_t *output,
                             int axes, const Shape *result) {
    const Node *node = inference->node;
    const Shape *input = infer_input(inference, 0);
    int kernel = kernel_attribute(node);
    const char *noun =
        strcmp(node->layer->attributes[kernel].name, "kernel") == 0 ? "kernel" : "window";
    const char *size = window_size_text(inference->arena, node->attributes[kernel].size, axes);
    Diagnostic *diagnostic =
        axes == 1
            ? infer_error(inference, DIAG_E0211, kernel,
                          "a %s of %s does not fit an input of length %lld", noun, size,
                          (long long)input->dims[1])
            : infer_error(inference, DIAG_E0211, kernel, "a %s %s does not fit a %s input", size,
                          noun, window_size_text(inference->arena, &input->dims[1], axes));
    int64_t needed[MAX_SPATIAL];
    for (int i = 0; i < axes; i++)
        if (!slide_smallest_input(&slides[i], 1, &needed[i]))
            needed[i] = INT64_MAX;
    label_too_small(inference, diagnostic, slides, needed, output, axes);
    note_formulas(inference, diagnostic, slides, output, axes);
    offer_same(inference, diagnostic, slides, axes, *result);
    Shape smallest;
    const Value *source = smallest_source(node, &smallest);
    if (source != NULL && source->name != NULL)
        diag_help(inference->diagnostics, diagnostic, "`%s` of at least %s would fit", source->name,
                  infer_shape_text(inference, &smallest));
}

/* A choice rather than a mistake, but one that is often not meant. */
static void warn_unused(Inference *inference, const Slide *slides, const Shape *result) {
    int axes = result->rank - 1;
    const char *text = NULL;
    for (int i = 0; i < axes; i++) {
        int64_t unused = slide_unused(&slides[i], result->dims[i + 1]);
        if (unused == 0)
            continue;
        static const char *const elements[] = {"slice", "row", "column"};
        const char *element = axes == 1 ? "element" : elements[MAX_SPATIAL - axes + i];
        const char *count =
            unused == 1 ? "the last"
                        : arena_format(inference->arena, "the last %lld", (long long)unused);
        text = arena_format(inference->arena, "%s%s%s %s%s", text == NULL ? "" : text,
                            text == NULL ? "" : " and ", count, element, unused == 1 ? "" : "s");
    }
    if (text == NULL)
        return;
    const Node *node = inference->node;
    Diagnostic *diagnostic = infer_error(inference, DIAG_W0221, kernel_attribute(node),
                                         "`%s` leaves %s of %s unused", node->layer->name, text,
                                         infer_shape_text(inference, infer_input(inference, 0)));
    diag_here(inference->diagnostics, diagnostic, "gives %s", infer_shape_text(inference, result));
    Shape whole = *result;
    for (int i = 0; i < axes; i++) {
        Slide slide = slides[i];
        slide.ceil = true;
        if (!slide_output(&slide, &whole.dims[i + 1]))
            return;
    }
    if (!shape_equal(&whole, result))
        edit_argument(inference, diagnostic, node_attribute(node, "ceil"), "on", false,
                      arena_format(inference->arena, "round up to use them, giving %s",
                                   infer_shape_text(inference, &whole)));
}

bool window_infer(Inference *inference, bool pooling, Shape *result) {
    if (!window_check_rank(inference))
        return false;
    Slide slides[MAX_SPATIAL];
    int64_t output[MAX_SPATIAL];
    int axes = window_slides(inference->node, slides);
    if (pooling && !check_padding(inference, slides, axes))
        return false;
    bool fits = true;
    result->rank = axes + 1;
    for (int i = 0; i < axes; i++) {
        if (!slide_output(&slides[i], &output[i]))
            output[i] = INT64_MAX; /* refused as out of bounds by infer_result */
        fits = fits && output[i] >= 1;
        result->dims[i + 1] = output[i];
    }
    if (!fits) {
        report_too_small(inference, slides, output, axes, result);
        return false;
    }
    if (pooling && shape_is_valid(result))
        warn_unused(inference, slides, result);
    return true;
}
