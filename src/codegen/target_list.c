/* Several targets for one object: which of them may stand together, and in what order. */
#include "codegen/target.h"

#include <string.h>

#include "codegen/x86_features.h"

static const char *feature_names(Arena *arena, uint64_t features) {
    StrBuf text = {0};
    x86_features_print(features, "", &text);
    const char *names = arena_copy_text(arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return names;
}

/* ---- what is refused ------------------------------------------------------------------------ */

static bool can_be_one_of_several(Diagnostics *diagnostics, const char *cpus, const char *name,
                                  const Target *target) {
    if (strcmp(name, "native") == 0) {
        Diagnostic *error =
            diag_report(diagnostics, DIAG_E0601, SPAN_NONE,
                        "`native` cannot be one of several processors (`%s`)", cpus);
        diag_note(diagnostics, error,
                  "it has what this very machine has, which is not all looked for on others");
        diag_help(diagnostics, error, "name it: this machine is `%s`", target->cpu);
        return false;
    }
    if (strncmp(target->triple, "x86_64-", 7) != 0) {
        Diagnostic *error =
            diag_report(diagnostics, DIAG_E0601, SPAN_NONE,
                        "an object for several processors (`%s`) is one of x86_64, but the target "
                        "is %s",
                        cpus, target->triple);
        diag_note(diagnostics, error,
                  "the vectors of all others are of one kind; without --cpu the object runs on "
                  "every processor of the target");
        return false;
    }
    return true;
}

/* Two that nothing tells apart: one of them would never run. */
static void report_same(Diagnostics *diagnostics, const Target *a, const Target *b) {
    if (strcmp(a->cpu, b->cpu) == 0) {
        diag_report(diagnostics, DIAG_E0601, SPAN_NONE, "processor `%s` is named twice", a->cpu);
        return;
    }
    Diagnostic *error =
        diag_report(diagnostics, DIAG_E0601, SPAN_NONE,
                    "processors `%s` and `%s` cannot be told apart", a->cpu, b->cpu);
    diag_note(diagnostics, error, "all that code may use is in both: %s",
              a->x86 ? feature_names(diagnostics->arena, a->x86) : "nothing but the baseline");
    diag_help(diagnostics, error, "name one of them");
}

/* The first is what the object asks of a machine, so the others must have all of it. */
static void report_lacks(Diagnostics *diagnostics, const Target *first, const Target *other) {
    Diagnostic *error =
        diag_report(diagnostics, DIAG_E0601, SPAN_NONE,
                    "processor `%s` lacks what `%s`, the lowest named, has: %s", other->cpu,
                    first->cpu, feature_names(diagnostics->arena, first->x86 & ~other->x86));
    diag_help(diagnostics, error, "name one that is lower than both: `%s` is lower than any",
              first->baseline);
}

static bool fit_together(Diagnostics *diagnostics, const TargetList *targets) {
    bool fit = true;
    for (size_t i = 0; i < targets->count; i++)
        for (size_t k = i + 1; k < targets->count; k++)
            if (targets->data[i]->x86 == targets->data[k]->x86) {
                report_same(diagnostics, targets->data[i], targets->data[k]);
                fit = false;
            }
    for (size_t i = 1; i < targets->count; i++)
        if (targets->data[0]->x86 & ~targets->data[i]->x86) {
            report_lacks(diagnostics, targets->data[0], targets->data[i]);
            fit = false;
        }
    return fit;
}

/* ---- order ---------------------------------------------------------------------------------- */

/* Wider vectors are better, then more features; so what has all of another's comes after it. */
static bool is_lower(const Target *a, const Target *b) {
    if (a->machine->lanes != b->machine->lanes)
        return a->machine->lanes < b->machine->lanes;
    int a_features = __builtin_popcountll(a->x86), b_features = __builtin_popcountll(b->x86);
    if (a_features != b_features)
        return a_features < b_features;
    return strcmp(a->cpu, b->cpu) < 0;
}

static void sort(TargetList *targets) {
    for (size_t i = 1; i < targets->count; i++) {
        Target *target = targets->data[i];
        size_t place = i;
        for (; place > 0 && is_lower(target, targets->data[place - 1]); place--)
            targets->data[place] = targets->data[place - 1];
        targets->data[place] = target;
    }
}

/* ---- opening -------------------------------------------------------------------------------- */

static size_t count_names(const char *cpus) {
    size_t count = 1;
    for (; *cpus; cpus++)
        count += *cpus == ',';
    return count;
}

static bool open_all(Arena *arena, Diagnostics *diagnostics, const char *triple, const char *cpus,
                     int optimisation, TargetList *targets) {
    bool opened = true;
    if (count_names(cpus) > TARGETS_MAX) {
        diag_report(diagnostics, DIAG_E0601, SPAN_NONE,
                    "an object can be for %d processors at most, not for %zu", TARGETS_MAX,
                    count_names(cpus));
        return false;
    }
    for (const char *at = cpus; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        const char *name = arena_copy_text(arena, at, strcspn(at, ","));
        Target *target = target_open(arena, diagnostics, triple, name, optimisation);
        if (!target) {
            opened = false;
            continue;
        }
        VEC_PUSH(arena, targets, target);
        if (!can_be_one_of_several(diagnostics, cpus, name, target))
            return false;
        target_restrict(arena, target, x86_features(target));
    }
    return opened;
}

bool targets_open(Arena *arena, Diagnostics *diagnostics, const char *triple, const char *cpus,
                  int optimisation, TargetList *targets) {
    if (!cpus || !strchr(cpus, ',')) {
        Target *target = target_open(arena, diagnostics, triple, cpus, optimisation);
        if (target)
            VEC_PUSH(arena, targets, target);
        return target != NULL;
    }
    if (!open_all(arena, diagnostics, triple, cpus, optimisation, targets))
        return false;
    sort(targets);
    return fit_together(diagnostics, targets);
}

void targets_close(TargetList *targets) {
    for (size_t i = 0; i < targets->count; i++)
        target_close(targets->data[i]);
    targets->count = 0;
}
