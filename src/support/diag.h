/* Diagnostics: mistakes of the user, collected while work goes on and printed at the end.
 *
 * A stage reports with diag_report and adds labels, notes and fixes to what it gets back; nothing
 * is printed here and nothing exits. diag_render_text and output/diagnostics.h show all. The
 * wording belongs to the stage that knows the facts; codes and their severity stand in
 * diag_codes.def. */
#ifndef NETC_SUPPORT_DIAG_H
#define NETC_SUPPORT_DIAG_H

#include <stdbool.h>

#include "support/source.h"
#include "support/strbuf.h"

/* One enumerator a line of diag_codes.def: DIAG_E0211, ... */
typedef enum DiagCode {
#define DIAGNOSTIC(code, summary) DIAG_##code,
#include "support/diag_codes.def"
#undef DIAGNOSTIC
    DIAG_CODE_COUNT
} DiagCode;

typedef struct DiagLabel {
    Span span;
    const char *text; /* may be "" for a bare underline */
} DiagLabel;

/* A suggested change of the source: replace `span` (empty: insert there) by `replacement`. */
typedef struct DiagFix {
    const char *message; /* "pad the edges with zeros, giving [32, 3, 3]" */
    Span span;
    const char *replacement; /* NULL: advice without an edit */
    bool applicable;         /* compiles when applied, and means what the user most likely meant */
} DiagFix;

typedef struct Diagnostic {
    DiagCode code;
    bool is_error;
    Span span;             /* primary place; SPAN_NONE when no source text is concerned */
    const char *message;   /* one line, lower case, no full stop */
    const char *label;     /* text beside the primary carets, NULL for none */
    VEC(DiagLabel) labels; /* secondary places */
    VEC(const char *) notes;
    VEC(DiagFix) fixes;
} Diagnostic;

/* What the user wants of the warnings with a code. */
typedef enum DiagLevel {
    DIAG_LEVEL_WARNING,
    DIAG_LEVEL_OFF,
    DIAG_LEVEL_ERROR,
} DiagLevel;

/* What is being expanded where a mistake shows: a label on every diagnostic reported meanwhile. */
typedef struct DiagContext DiagContext;
struct DiagContext {
    const DiagContext *outer;
    Span span;
    const char *text; /* "in `basic`, used here" */
};

typedef struct Diagnostics {
    Arena *arena;
    const SourceMap *sources;
    VEC(Diagnostic *) list;
    size_t error_count;
    size_t warning_count;
    const DiagContext *context; /* innermost first; NULL: none. A mistake that shows in every
                                   expansion (same code, same place) is reported for the first. */
    uint64_t *shown;            /* hash set of the (code, place) reported within a context */
    size_t shown_capacity;
    size_t shown_count;
} Diagnostics;

/* "E0211", "W0203". */
const char *diag_code_name(DiagCode code);
/* What it is about, as diag_codes.def says. */
const char *diag_code_summary(DiagCode code);
/* The code of a name in upper or lower case; DIAG_CODE_COUNT if no diagnostic has it. */
DiagCode diag_code_find(const char *name);
bool diag_code_is_error(DiagCode code);
/* "error", "warning". */
const char *diag_severity(bool is_error);

/* Adds a diagnostic; never NULL. */
Diagnostic *diag_report(Diagnostics *diagnostics, DiagCode code, Span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
Diagnostic *diag_report_list(Diagnostics *diagnostics, DiagCode code, Span span, const char *format,
                             va_list arguments) __attribute__((format(printf, 4, 0)));

/* Sets the text beside the primary carets. */
void diag_here(Diagnostics *diagnostics, Diagnostic *diagnostic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds a secondary place; ignored for SPAN_NONE and for a span and text already there. */
void diag_label(Diagnostics *diagnostics, Diagnostic *diagnostic, Span span, const char *format,
                ...) __attribute__((format(printf, 4, 5)));
void diag_note(Diagnostics *diagnostics, Diagnostic *diagnostic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Advice in words. */
void diag_help(Diagnostics *diagnostics, Diagnostic *diagnostic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Advice with an edit. `replacement` is copied. */
void diag_fix(Diagnostics *diagnostics, Diagnostic *diagnostic, Span span, const char *replacement,
              bool applicable, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* When all is reported: drops the warnings that are off and makes errors of those that are to be.
 * Until then a warning changes nothing of what else is looked at. */
void diag_apply_levels(Diagnostics *diagnostics, const DiagLevel levels[DIAG_CODE_COUNT]);

/* True when any error was reported. */
bool diag_has_errors(const Diagnostics *diagnostics);

/* The first of the errors or, without any, of the warnings; NULL if there is neither. */
const Diagnostic *diag_first(const Diagnostics *diagnostics);

/* Exit status the diagnostics ask for: 0 none but warnings, 3 if an E07xx (input/output) is among
 * them, else 1. */
int diag_exit_status(const Diagnostics *diagnostics);

/* Sorts by place, stable; for who shows them. */
void diag_sort(Diagnostics *diagnostics);

/* Appends all as text: rustc's shape, `error[E0211]: ...`, arrow line,
 * gutter, carets, labels, notes, helps. At most `limit` errors and as many warnings (0: all), then
 * a line that says how many more there are. `colour` adds ANSI colours. A label, note or help may
 * have several lines; control and bidirectional characters in any text are escaped. */
void diag_render_text(const Diagnostics *diagnostics, size_t limit, bool colour, StrBuf *out);

#endif
