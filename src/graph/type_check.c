/* Types, and values against them. */
#include <inttypes.h>
#include <string.h>

#include "graph/elaborator.h"
#include "graph/trace.h"
#include "support/suggest.h"

static void report_element(Elaborator *e, Name element, bool input) {
    static const char *const known[] = {"f32", "u8"};
    static const char *const planned[] = {"f16", "bf16", "i8"};
    const char *help = "all tensors are of f32, which need not be written; inputs may be of `u8`";
    for (size_t i = 0; i < sizeof planned / sizeof *planned; i++) {
        if (strcmp(element.text, planned[i]) == 0) {
            Diagnostic *diagnostic =
                diag_report(e->diagnostics, DIAG_E0220, element.span,
                            "elements of type `%s` are not supported", element.text);
            diag_fix(e->diagnostics, diagnostic, element.span, "", false, "%s", help);
            return;
        }
    }
    const char *near = suggest_name(element.text, known, sizeof known / sizeof *known);
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0220, element.span,
                                         "there is no element type called `%s`", element.text);
    bool bytes = input && near && strcmp(near, "u8") == 0;
    diag_fix(e->diagnostics, diagnostic, element.span, bytes ? "u8" : "", near != NULL, "%s", help);
}

/* The element type that a type names. `input`: the type is that of an input of a network. */
static ElementType element_of(Elaborator *e, Name element, bool input) {
    if (!element.text || strcmp(element.text, element_name(ELEMENT_F32)) == 0)
        return ELEMENT_F32;
    if (strcmp(element.text, element_name(ELEMENT_U8)) != 0) {
        report_element(e, element, input);
        return ELEMENT_F32;
    }
    if (input)
        return ELEMENT_U8;
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0220, element.span,
                                         "only an input of a network can be of `u8`");
    diag_note(e->diagnostics, diagnostic,
              "steps and blocks see the bytes of such an input as numbers of f32, 0 to 255");
    diag_fix(e->diagnostics, diagnostic, element.span, "", true,
             "here the elements are of f32, which need not be written");
    return ELEMENT_F32;
}

/* False for a mistake and for poison. */
static bool evaluate_dim(Elaborator *e, const Expr *expr, int64_t *dim) {
    Datum datum = evaluate(e, expr);
    if (datum.kind == DATUM_POISON)
        return false;
    if (datum.kind != DATUM_INTEGER) {
        Diagnostic *diagnostic = diag_report(
            e->diagnostics, datum_is_tensors(&datum) ? DIAG_E0206 : DIAG_E0201, expr->span,
            "a dimension is an integer, not %s", datum_kind_name(datum.kind));
        if (datum.kind == DATUM_SIZE)
            diag_help(e->diagnostics, diagnostic, "write the dims of a shape with commas");
        return false;
    }
    *dim = datum.integer;
    if (*dim >= 1)
        return true;
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0205, expr->span,
                                         "a dimension must be at least 1, got %" PRId64, *dim);
    if (*dim == -1)
        diag_note(e->diagnostics, diagnostic,
                  "no dimension is left open: the batch is not part of a shape, and sizes that can "
                  "be inferred are not written");
    return false;
}

/* The dims that a type says; false after a mistake. */
static bool evaluate_dims(Elaborator *e, const Expr *type, Shape *shape) {
    const ExprList *dims = &type->type.dims;
    *shape = (Shape){0};
    if (dims->count > TENSOR_MAX_RANK) {
        diag_report(e->diagnostics, DIAG_E0802, type->span,
                    "a tensor has at most %d dimensions, not %zu", TENSOR_MAX_RANK, dims->count);
        return false;
    }
    bool fine = true;
    for (size_t i = 0; i < dims->count; i++)
        fine = evaluate_dim(e, dims->data[i], &shape->dims[i]) && fine;
    shape->rank = (int)dims->count;
    if (fine && !shape_is_valid(shape)) {
        diag_report(e->diagnostics, DIAG_E0802, type->span, "a tensor of shape %s is too large",
                    shape_text(e->arena, shape));
        return false;
    }
    return fine;
}

bool type_shape(Elaborator *e, const Expr *type, Shape *shape) {
    if (type->kind == EXPR_ERROR)
        return false;
    element_of(e, type->type.element, false);
    return evaluate_dims(e, type, shape);
}

bool type_of_input(Elaborator *e, const Expr *type, TensorType *result) {
    if (type->kind == EXPR_ERROR)
        return false;
    result->element = element_of(e, type->type.element, true);
    return evaluate_dims(e, type, &result->shape);
}

/* The text from the first dim that differs to the last, and their number. */
static Span differing_dims(const Expr *type, const Shape *expected, const Shape *actual,
                           int *count) {
    Span span = SPAN_NONE;
    *count = 0;
    for (int i = 0; i < expected->rank; i++) {
        if (expected->dims[i] == actual->dims[i])
            continue;
        span = span_join(span, type->type.dims.data[i]->span);
        ++*count;
    }
    return span;
}

/* A name that a block could give to the dim at `place` of a type of channels and spatial axes; NULL
 * if it is known, or the dim is no literal. */
static const char *open_dim(const Elaborator *e, const Expr *type, Span place) {
    static const char *const names[] = {"C", "H", "W"};
    const ExprList *dims = &type->type.dims;
    for (size_t i = 0; i < dims->count && dims->count <= 3; i++)
        if (dims->data[i]->span.begin == place.begin && dims->data[i]->kind == EXPR_INTEGER)
            return scope_find(e->scope, intern_text(e->intern, names[i])) ? NULL : names[i];
    return NULL;
}

static void report_shape(Elaborator *e, const Expr *type, const Shape *expected,
                         const Value *value) {
    const Shape *actual = &value->type.shape;
    const char *actual_text = shape_text(e->arena, actual);
    int differing = 0;
    Span place = type->span;
    if (expected->rank == actual->rank)
        place = differing_dims(type, expected, actual, &differing);
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0210, place, "the shape is %s, but the type says %s",
                    actual_text, shape_text(e->arena, expected));
    if (expected->rank != actual->rank)
        diag_here(e->diagnostics, diagnostic, "%d dimension%s, but the tensor has %d",
                  expected->rank, expected->rank == 1 ? "" : "s", actual->rank);
    else if (differing == 1)
        for (int i = 0; i < actual->rank; i++) {
            if (actual->dims[i] != expected->dims[i])
                diag_here(e->diagnostics, diagnostic, "is %" PRId64, actual->dims[i]);
        }
    else
        diag_here(e->diagnostics, diagnostic, "%d of %d dimensions differ", differing,
                  actual->rank);
    trace_shape(e->diagnostics, diagnostic, value, 4);
    const char *open = differing == 1 ? open_dim(e, type, place) : NULL;
    if (!e->use) /* other uses of a block may have other shapes */
        diag_fix(e->diagnostics, diagnostic, type->span, actual_text, false,
                 "if the network is right, the type is %s", actual_text);
    else if (open)
        diag_fix(e->diagnostics, diagnostic, place, open, false,
                 "if the block takes any number here, a name stands for it");
}

bool type_check(Elaborator *e, const Expr *type, const Value *value) {
    Shape expected;
    if (!type_shape(e, type, &expected))
        return false;
    if (value->poisoned || shape_equal(&expected, &value->type.shape))
        return true;
    report_shape(e, type, &expected, value);
    return false;
}
