#include "layers/edit.h"

#include "layers/layer.h"

/* The text of the file that the node's call stands in, and where in it; false without a source (a
 * graph made by hand). */
typedef struct CallText {
    const char *text;
    uint32_t base; /* of the text in the common address space */
    uint32_t begin;
    uint32_t end;
} CallText;

static bool call_text(const Inference *inference, CallText *call) {
    const Source *source = inference->graph->source;
    Span span = inference->node->span;
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

static bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
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
    const Node *node = inference->node;
    Diagnostics *diagnostics = inference->diagnostics;
    const Attribute *written = &node->attributes[attribute];
    if (written->given) {
        diag_fix(diagnostics, diagnostic, written->span, value, applicable, "%s", message);
        return;
    }
    CallText call;
    if (!call_text(inference, &call)) {
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
    if (call_text(inference, &call)) {
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
