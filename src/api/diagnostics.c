/* Diagnostics as the structures of netc.h. */
#include "api/network.h"

static netc_place show_place(const SourceMap *sources, uint32_t offset) {
    Location at = source_locate(sources, (Span){offset, offset});
    return (netc_place){.byte = at.byte, .line = at.line, .column = at.column};
}

static netc_span show_span(const SourceMap *sources, Span span) {
    if (span.begin == 0)
        return (netc_span){0};
    return (netc_span){.file = source_of(sources, span)->name,
                       .begin = show_place(sources, span.begin),
                       .end = show_place(sources, span.end)};
}

static const netc_label *show_labels(Compilation *c, const Diagnostic *diagnostic) {
    netc_label *labels = ARENA_ARRAY(&c->arena, diagnostic->labels.count, netc_label);
    for (size_t i = 0; i < diagnostic->labels.count; i++) {
        const DiagLabel *label = &diagnostic->labels.data[i];
        labels[i] = (netc_label){show_span(&c->sources, label->span), label->text};
    }
    return labels;
}

static const netc_fix *show_fixes(Compilation *c, const Diagnostic *diagnostic) {
    netc_fix *fixes = ARENA_ARRAY(&c->arena, diagnostic->fixes.count, netc_fix);
    for (size_t i = 0; i < diagnostic->fixes.count; i++) {
        const DiagFix *fix = &diagnostic->fixes.data[i];
        Span span = fix->replacement ? fix->span : SPAN_NONE;
        fixes[i] = (netc_fix){.message = fix->message,
                              .replacement = fix->replacement,
                              .span = show_span(&c->sources, span),
                              .applicable = fix->applicable};
    }
    return fixes;
}

static netc_diagnostic show(Compilation *c, const Diagnostic *diagnostic) {
    return (netc_diagnostic){
        .severity = diag_code_is_error(diagnostic->code) ? NETC_ERROR : NETC_WARNING,
        .code = diag_code_name(diagnostic->code),
        .message = diagnostic->message,
        .span = show_span(&c->sources, diagnostic->span),
        .label = diagnostic->label,
        .labels = show_labels(c, diagnostic),
        .label_count = diagnostic->labels.count,
        .notes = diagnostic->notes.data,
        .note_count = diagnostic->notes.count,
        .fixes = show_fixes(c, diagnostic),
        .fix_count = diagnostic->fixes.count,
    };
}

/* "model.net:3:5: MESSAGE" */
static const char *line_of(Arena *arena, const netc_diagnostic *diagnostic) {
    if (!diagnostic->span.file)
        return diagnostic->message;
    const netc_place *begin = &diagnostic->span.begin;
    return arena_format(arena, "%s:%zu:%zu: %s", diagnostic->span.file, begin->line, begin->column,
                        diagnostic->message);
}

void network_show_diagnostics(netc_network *network) {
    Compilation *c = &network->compilation;
    Diagnostics *diagnostics = &c->diagnostics;
    diag_sort(diagnostics);
    size_t count = diagnostics->list.count;
    netc_diagnostic *shown = ARENA_ARRAY(&c->arena, count, netc_diagnostic);
    for (size_t i = count; i > 0; i--) {
        shown[i - 1] = show(c, diagnostics->list.data[i - 1]);
        if (shown[i - 1].severity == NETC_ERROR)
            network->message = line_of(&c->arena, &shown[i - 1]);
    }
    network->diagnostics = shown;
    network->diagnostic_count = count;
}
