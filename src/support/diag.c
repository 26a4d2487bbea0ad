#include "support/diag.h"

#include <string.h>

const char *diag_code_name(DiagCode code) {
    static const char *const names[] = {
#define DIAGNOSTIC(code, summary) #code,
#include "support/diag_codes.def"
#undef DIAGNOSTIC
    };
    return names[code];
}

bool diag_code_is_error(DiagCode code) {
    return diag_code_name(code)[0] == 'E';
}

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
    diagnostic->span = span;
    diagnostic->message = arena_format_list(diagnostics->arena, format, arguments);
    VEC_PUSH(diagnostics->arena, &diagnostics->list, diagnostic);
    if (diag_code_is_error(code))
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

bool diag_has_errors(const Diagnostics *diagnostics) {
    return diagnostics->error_count > 0;
}

int diag_exit_status(const Diagnostics *diagnostics) {
    for (size_t i = 0; i < diagnostics->list.count; i++)
        if (strncmp(diag_code_name(diagnostics->list.data[i]->code), "E07", 3) == 0)
            return 3;
    return diag_has_errors(diagnostics) ? 1 : 0;
}
