#include "support/diag.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    const char *summary;
} codes[] = {
#define DIAGNOSTIC(code, summary) {#code, summary},
#include "support/diag_codes.def"
#undef DIAGNOSTIC
};

const char *diag_code_name(DiagCode code) {
    return codes[code].name;
}

const char *diag_code_summary(DiagCode code) {
    return codes[code].summary;
}

DiagCode diag_code_find(const char *name) {
    DiagCode code = 0;
    while (code < DIAG_CODE_COUNT && strcasecmp(codes[code].name, name) != 0)
        code++;
    return code;
}

bool diag_code_is_error(DiagCode code) {
    return diag_code_name(code)[0] == 'E';
}

const char *diag_severity(bool is_error) {
    return is_error ? "error" : "warning";
}

/* ---- contexts ------------------------------------------------------------------------------- */

#define CONTEXT_MAX_LABELS 8 /* of a deeper chain the innermost */

static size_t shown_slot(const Diagnostics *diagnostics, uint64_t key) {
    size_t mask = diagnostics->shown_capacity - 1;
    size_t slot = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
    while (diagnostics->shown[slot] && diagnostics->shown[slot] != key)
        slot = (slot + 1) & mask;
    return slot;
}

static void shown_grow(Diagnostics *diagnostics) {
    uint64_t *old = diagnostics->shown;
    size_t old_capacity = diagnostics->shown_capacity;
    diagnostics->shown_capacity = old_capacity ? 2 * old_capacity : 64;
    diagnostics->shown = ARENA_ARRAY(diagnostics->arena, diagnostics->shown_capacity, uint64_t);
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i])
            diagnostics->shown[shown_slot(diagnostics, old[i])] = old[i];
}

/* Whether the mistake was reported in an earlier expansion of the same text; notes it if not. */
static bool shown_before(Diagnostics *diagnostics, DiagCode code, Span span) {
    uint64_t key = (uint64_t)span.begin << 16 | ((uint64_t)code + 1);
    if (2 * diagnostics->shown_count >= diagnostics->shown_capacity)
        shown_grow(diagnostics);
    size_t slot = shown_slot(diagnostics, key);
    if (diagnostics->shown[slot])
        return true;
    diagnostics->shown[slot] = key;
    diagnostics->shown_count++;
    return false;
}

static void label_context(Diagnostics *diagnostics, Diagnostic *diagnostic) {
    const DiagContext *context = diagnostics->context;
    for (int i = 0; context && i < CONTEXT_MAX_LABELS; i++, context = context->outer)
        diag_label(diagnostics, diagnostic, context->span, "%s", context->text);
}

/* ---- reporting ------------------------------------------------------------------------------ */

Diagnostic *diag_report(Diagnostics *diagnostics, DiagCode code, Span span, const char *format,
                        ...) {
    va_list arguments;
    va_start(arguments, format);
    Diagnostic *diagnostic = diag_report_list(diagnostics, code, span, format, arguments);
    va_end(arguments);
    return diagnostic;
}

Diagnostic *diag_report_list(Diagnostics *diagnostics, DiagCode code, Span span, const char *format,
                             va_list arguments) {
    Diagnostic *diagnostic = ARENA_NEW(diagnostics->arena, Diagnostic);
    diagnostic->code = code;
    diagnostic->is_error = diag_code_is_error(code);
    diagnostic->span = span;
    diagnostic->message = arena_format_list(diagnostics->arena, format, arguments);
    if (diagnostics->context && shown_before(diagnostics, code, span))
        return diagnostic; /* to be filled in like any other, and forgotten */
    label_context(diagnostics, diagnostic);
    VEC_PUSH(diagnostics->arena, &diagnostics->list, diagnostic);
    if (diagnostic->is_error)
        diagnostics->error_count++;
    else
        diagnostics->warning_count++;
    return diagnostic;
}

void diag_here(Diagnostics *diagnostics, Diagnostic *diagnostic, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    diagnostic->label = arena_format_list(diagnostics->arena, format, arguments);
    va_end(arguments);
}

void diag_label(Diagnostics *diagnostics, Diagnostic *diagnostic, Span span, const char *format,
                ...) {
    if (span.begin == 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    const char *text = arena_format_list(diagnostics->arena, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < diagnostic->labels.count; i++) {
        const DiagLabel *label = &diagnostic->labels.data[i];
        if (label->span.begin == span.begin && label->span.end == span.end &&
            strcmp(label->text, text) == 0)
            return;
    }
    VEC_PUSH(diagnostics->arena, &diagnostic->labels, (DiagLabel){.span = span, .text = text});
}

void diag_note(Diagnostics *diagnostics, Diagnostic *diagnostic, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *text = arena_format_list(diagnostics->arena, format, arguments);
    va_end(arguments);
    VEC_PUSH(diagnostics->arena, &diagnostic->notes, text);
}

void diag_help(Diagnostics *diagnostics, Diagnostic *diagnostic, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *message = arena_format_list(diagnostics->arena, format, arguments);
    va_end(arguments);
    VEC_PUSH(diagnostics->arena, &diagnostic->fixes, (DiagFix){.message = message});
}

void diag_fix(Diagnostics *diagnostics, Diagnostic *diagnostic, Span span, const char *replacement,
              bool applicable, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    DiagFix fix = {
        .message = arena_format_list(diagnostics->arena, format, arguments),
        .span = span,
        .replacement = arena_copy_text(diagnostics->arena, replacement, strlen(replacement)),
        .applicable = applicable,
    };
    va_end(arguments);
    VEC_PUSH(diagnostics->arena, &diagnostic->fixes, fix);
}

typedef struct SortEntry {
    Diagnostic *diagnostic;
    size_t order;
} SortEntry;

static int compare_entries(const void *a, const void *b) {
    const SortEntry *left = a;
    const SortEntry *right = b;
    if (left->diagnostic->span.begin != right->diagnostic->span.begin)
        return left->diagnostic->span.begin < right->diagnostic->span.begin ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

void diag_sort(Diagnostics *diagnostics) {
    size_t count = diagnostics->list.count;
    SortEntry *entries = ARENA_ARRAY(diagnostics->arena, count, SortEntry);
    for (size_t i = 0; i < count; i++)
        entries[i] = (SortEntry){.diagnostic = diagnostics->list.data[i], .order = i};
    qsort(entries, count, sizeof *entries, compare_entries);
    for (size_t i = 0; i < count; i++)
        diagnostics->list.data[i] = entries[i].diagnostic;
}

void diag_apply_levels(Diagnostics *diagnostics, const DiagLevel levels[DIAG_CODE_COUNT]) {
    size_t kept = 0;
    for (size_t i = 0; i < diagnostics->list.count; i++) {
        Diagnostic *diagnostic = diagnostics->list.data[i];
        DiagLevel level = diagnostic->is_error ? DIAG_LEVEL_WARNING : levels[diagnostic->code];
        if (level != DIAG_LEVEL_WARNING)
            diagnostics->warning_count--;
        if (level == DIAG_LEVEL_OFF)
            continue;
        if (level == DIAG_LEVEL_ERROR) {
            diagnostic->is_error = true;
            diagnostics->error_count++;
            diag_note(diagnostics, diagnostic, "this warning is made an error by -W");
        }
        diagnostics->list.data[kept++] = diagnostic;
    }
    diagnostics->list.count = kept;
}

bool diag_has_errors(const Diagnostics *diagnostics) {
    return diagnostics->error_count > 0;
}

const Diagnostic *diag_first(const Diagnostics *diagnostics) {
    bool is_error = diag_has_errors(diagnostics);
    for (size_t i = 0; i < diagnostics->list.count; i++)
        if (diagnostics->list.data[i]->is_error == is_error)
            return diagnostics->list.data[i];
    return NULL;
}

int diag_exit_status(const Diagnostics *diagnostics) {
    for (size_t i = 0; i < diagnostics->list.count; i++)
        if (strncmp(diag_code_name(diagnostics->list.data[i]->code), "E07", 3) == 0)
            return 3;
    return diag_has_errors(diagnostics) ? 1 : 0;
}
