#include "layers/edit.h"

#include "layers/layer.h"
#include "layers/window.h"
#include "support/unicode.h"

/* The text of the file that a node's call stands in, and where in it; false without a source (a
 * graph made by hand). */
typedef struct CallText {
    const char *text;
    uint32_t base; /* of the text in the common address space */
    uint32_t begin;
    uint32_t end;
} CallText;

static bool call_text(const Inference *inference, const Node *node, CallText *call) {
    const Source *source = inference->graph->source;
    Span span = node->span;
    if (source == NULL || span.begin < source->base || span.end <= span.begin ||
        span.end - source->base > source->length)
        return false;
    *call = (CallText){.text = source->text,
                       .base = source->base,
                       .begin = span.begin - source->base,
                       .end = span.end - source->base};
    return true;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The first blank of those that end at `end`. */
static uint32_t skip_blanks_back(const char *text, uint32_t end) {
    while (end > 0 && is_blank(text[end - 1]))
        end--;
    return end;
}

static bool follows_arrow(const char *text, uint32_t at) {
    uint32_t end = skip_blanks_back(text, at);
    return end >= 2 && text[end - 2] == '-' && text[end - 1] == '>';
}

/* Where the label before a call begins (`conv1:`, `"0":`); `at` itself if there is none. */
static uint32_t label_begin(const char *text, uint32_t at) {
    uint32_t end = skip_blanks_back(text, at);
    if (end == 0 || text[end - 1] != ':')
        return at;
    uint32_t begin = skip_blanks_back(text, end - 1);
    if (begin > 0 && text[begin - 1] == '"') {
        begin--;
        while (begin > 0 && text[begin - 1] != '"' && text[begin - 1] != '\n')
            begin--;
        return begin > 0 ? begin - 1 : at;
    }
    while (begin > 0 && is_name_character(text[begin - 1]))
        begin--;
    return begin;
}

void edit_argument(Inference *inference, Diagnostic *diagnostic, int attribute, const char *value,
                   bool applicable, const char *message) {
    edit_argument_of(inference, diagnostic, inference->node, attribute, value, applicable, message);
}

void edit_argument_of(Inference *inference, Diagnostic *diagnostic, const Node *node, int attribute,
                      const char *value, bool applicable, const char *message) {
    Diagnostics *diagnostics = inference->diagnostics;
    const Attribute *written = &node->attributes[attribute];
    if (written->given) {
        diag_fix(diagnostics, diagnostic, written->span, value, applicable, "%s", message);
        return;
    }
    CallText call;
    if (!call_text(inference, node, &call)) {
        diag_help(diagnostics, diagnostic, "%s", message);
        return;
    }
    const char *name = node->layer->attributes[attribute].name;
    if (call.text[call.end - 1] != ')') {
        uint32_t end = call.base + call.end;
        diag_fix(diagnostics, diagnostic, (Span){end, end},
                 arena_format(inference->arena, "(%s=%s)", name, value), applicable, "%s", message);
        return;
    }
    uint32_t last = skip_blanks_back(call.text, call.end - 1);
    bool first = last > 0 && (call.text[last - 1] == '(' || call.text[last - 1] == ',');
    uint32_t at = call.base + call.end - 1;
    diag_fix(diagnostics, diagnostic, (Span){at, at},
             arena_format(inference->arena, "%s%s=%s", first ? "" : ", ", name, value), applicable,
             "%s", message);
}

void edit_step_before(Inference *inference, Diagnostic *diagnostic, const char *step,
                      bool applicable, const char *message) {
    Diagnostics *diagnostics = inference->diagnostics;
    CallText call;
    if (call_text(inference, inference->node, &call)) {
        uint32_t begin = label_begin(call.text, call.begin);
        if (follows_arrow(call.text, begin)) {
            uint32_t at = call.base + begin;
            diag_fix(diagnostics, diagnostic, (Span){at, at},
                     arena_format(inference->arena, "%s -> ", step), applicable, "%s", message);
            return;
        }
    }
    diag_help(diagnostics, diagnostic, "%s", message);
}

/* ---- changes to the layers before ----------------------------------------------------------- */

/* A network may be long and have many mistakes: what is looked at for one message is bounded. */
#define MAX_STEPS  100
#define MAX_SHRUNK 4

static bool same_extents(const Shape *a, const Shape *b) {
    for (int i = 1; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return a->rank == b->rank;
}

/* The layers that changed the extents on the way to `value` from where they were those of `like`;
 * 0 if there is no such place, or too many or other layers than windows are on the way. */
static int find_shrunk(const Value *value, const Shape *like, const Node *shrunk[MAX_SHRUNK]) {
    int count = 0;
    for (int i = 0; i < MAX_STEPS && !same_extents(&value->type.shape, like); i++) {
        const Node *producer = value->producer;
        if (producer == NULL || value->poisoned || producer->input_count != 1)
            return 0;
        const Value *before = producer->inputs[0];
        if (before->type.shape.rank != like->rank)
            return 0;
        if (!same_extents(&before->type.shape, &value->type.shape)) {
            if (count == MAX_SHRUNK || node_attribute(producer, "pad") < 0)
                return 0;
            shrunk[count++] = producer;
        }
        value = before;
    }
    return same_extents(&value->type.shape, like) ? count : 0;
}

static bool has_stride(const Node *node) {
    const Attribute *stride = &node->attributes[node_attribute(node, "stride")];
    for (int i = 0; i < node->inputs[0]->type.shape.rank - 1; i++)
        if (stride->size[i] != 1)
            return true;
    return false;
}

bool edit_keep_size(Inference *inference, Diagnostic *diagnostic, const Value *value,
                    const Shape *like) {
    const Node *shrunk[MAX_SHRUNK];
    int count = like->rank >= 2 ? find_shrunk(value, like, shrunk) : 0;
    const char *names = "";
    bool strided = false;
    for (int i = count; i-- > 0;) {
        strided = strided || has_stride(shrunk[i]);
        names = arena_format(inference->arena, "%s%s`%s`", names,
                             i + 1 == count ? ""
                             : i == 0       ? " and "
                                            : ", ",
                             shrunk[i]->path);
    }
    if (count == 0 || (strided && count > 1))
        return false;
    Shape kept = *like;
    kept.dims[0] = value->type.shape.dims[0];
    const char *result = infer_shape_text(inference, &kept);
    if (count > 1) {
        diag_help(inference->diagnostics, diagnostic, "`pad=same` in %s would keep the size: %s",
                  names, result);
        return true;
    }
    const Node *node = shrunk[0];
    int pad = node_attribute(node, "pad");
    if (!strided)
        edit_argument_of(inference, diagnostic, node, pad, "same", false,
                         arena_format(inference->arena, "keep the size: %s", result));
    else if (!node->attributes[pad].given)
        edit_argument_of(inference, diagnostic, node, node_attribute(node, "stride"), "1, pad=same",
                         false, arena_format(inference->arena, "keep the size: %s", result));
    return !strided || !node->attributes[pad].given;
}

void edit_width(Inference *inference, Diagnostic *diagnostic, const Value *value, int64_t width) {
    for (int i = 0; i < MAX_STEPS && value->producer != NULL && !value->poisoned; i++) {
        const Node *node = value->producer;
        int attribute = node_attribute(node, "units");
        if (attribute < 0)
            attribute = node_attribute(node, "filters");
        if (attribute >= 0) {
            edit_argument_of(inference, diagnostic, node, attribute,
                             arena_format(inference->arena, "%lld", (long long)width), false,
                             arena_format(inference->arena, "give `%s` a width of %lld", node->path,
                                          (long long)width));
            return;
        }
        if (node->input_count != 1 ||
            node->inputs[0]->type.shape.dims[0] != value->type.shape.dims[0])
            return;
        value = node->inputs[0];
    }
}

/* ---- words ---------------------------------------------------------------------------------- */

int64_t edit_nearest_divisor(int64_t number, int64_t wanted) {
    for (int64_t off = 0; off < wanted; off++) {
        if (number % (wanted - off) == 0)
            return wanted - off;
        if (number % (wanted + off) == 0)
            return wanted + off;
    }
    return 1;
}

const char *edit_count(Inference *inference, int64_t number) {
    StrBuf text = {0};
    strbuf_add_count(&text, number, ',');
    const char *copy = arena_copy_text(inference->arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return copy;
}

const char *edit_divisors(Inference *inference, int64_t number) {
    const char *text = "1";
    int found = 1;
    for (int64_t divisor = 2; divisor <= number && divisor <= 4096; divisor++) {
        if (number % divisor != 0)
            continue;
        if (++found > 8)
            return arena_format(inference->arena, "%s, and more", text);
        text = arena_format(inference->arena, "%s, %lld", text, (long long)divisor);
    }
    return text;
}
