/* Uses of blocks. A block is expanded where it is used, in the order
 *
 *   arguments   tensors go to the tensor parameters in turn, values to the others by place or name
 *   dims        names that are new in the parameters' types take the dims of the tensors
 *   defaults    of values that were not given; they may name dims and the values before them
 *   types       every dim of a type is then a number, and is checked
 *   body        statements, in a scope of their own inside the file that has the block */
#include <string.h>

#include "graph/elaborator.h"
#include "graph/trace.h"
#include "support/suggest.h"

/* ---- arguments ---------------------------------------------------------------------------- */

/* One parameter of a use. */
typedef struct Slot {
    bool given;
    Datum datum;
    Span span; /* the argument's text; SPAN_NONE for what a pipeline passes on */
} Slot;

/* The parameters of a block being matched with the arguments of a call. */
typedef struct Binder {
    const Block *block;
    const ParameterList *parameters;
    const Call *call;
    Slot *slots;       /* by parameter */
    size_t tensors;    /* passed so far */
    size_t values;     /* parameters before this one have a value by place */
    const char *share; /* `share="path"`; NULL: none */
    Span share_span;
    bool fine;
} Binder;

static size_t count_tensors(const ParameterList *parameters) {
    size_t count = 0;
    for (size_t i = 0; i < parameters->count; i++)
        count += parameters->data[i].type != NULL;
    return count;
}

static size_t find_parameter(const ParameterList *parameters, const char *name) {
    size_t i = 0;
    while (i < parameters->count && parameters->data[i].name.text != name)
        i++;
    return i;
}

static void label_block(Elaborator *e, Diagnostic *diagnostic, const Binder *binder) {
    diag_label(e->diagnostics, diagnostic, binder->block->item->name.span, "the block");
}

static void give(Elaborator *e, Binder *binder, size_t index, Datum datum, Span span) {
    Slot *slot = &binder->slots[index];
    if (!slot->given) {
        *slot = (Slot){true, datum, span};
        return;
    }
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0204, span, "the argument `%s` is given twice",
                    binder->parameters->data[index].name.text);
    diag_label(e->diagnostics, diagnostic, slot->span, "given here");
    binder->fine = false;
}

/* Gives a tensor, or each of a tuple, to the next tensor parameter; those past the last count. */
static void give_tensors(Elaborator *e, Binder *binder, const Datum *datum, Span span) {
    if (datum->kind == DATUM_TUPLE) {
        for (size_t i = 0; i < datum->tuple.count; i++)
            give_tensors(e, binder, &datum->tuple.items[i], span);
        return;
    }
    size_t place = 0;
    for (size_t i = 0; i < binder->parameters->count; i++)
        if (binder->parameters->data[i].type && place++ == binder->tensors)
            give(e, binder, i, *datum, span);
    binder->tensors++;
}

/* Whether the call gives this parameter, before or behind what is being read. */
static bool is_given(const Binder *binder, const char *name) {
    for (size_t i = 0; i < binder->call->arguments->count; i++)
        if (binder->call->arguments->data[i].name.text == name)
            return true;
    return binder->slots[find_parameter(binder->parameters, name)].given;
}

static void report_no_such_argument(Elaborator *e, Binder *binder, const Argument *argument) {
    const ParameterList *parameters = binder->parameters;
    VEC(const char *) names = {0};
    for (size_t i = 0; i < parameters->count; i++)
        VEC_PUSH(e->arena, &names, parameters->data[i].name.text);
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0203, argument->name.span,
                                         "the block `%s` has no parameter called `%s`",
                                         binder->call->callee.text, argument->name.text);
    const char *nearest = suggest_name(argument->name.text, names.data, names.count);
    if (nearest)
        diag_fix(e->diagnostics, diagnostic, argument->name.span, nearest,
                 !is_given(binder, nearest), "did you mean `%s`?", nearest);
    label_block(e, diagnostic, binder);
    binder->fine = false;
}

/* Layers that share are named by their own label: `right: encoder(share="left")`. */
static void take_share(Elaborator *e, Binder *binder, const Argument *argument, Datum datum) {
    const Call *call = binder->call;
    binder->share = path_argument(e, &datum, argument->value->span);
    binder->share_span = argument->value->span;
    binder->fine = binder->share != NULL && binder->fine;
    if (!binder->share || call->name.label.text)
        return;
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0312, argument->span,
                                         "a block that shares weights needs a label");
    diag_help(e->diagnostics, diagnostic, "name this use: `again: %s(...)`", call->callee.text);
    binder->fine = false;
}

static void give_by_name(Elaborator *e, Binder *binder, const Argument *argument, Datum datum) {
    size_t index = find_parameter(binder->parameters, argument->name.text);
    if (index < binder->parameters->count)
        give(e, binder, index, datum, argument->value->span);
    else if (strcmp(argument->name.text, "share") == 0)
        take_share(e, binder, argument, datum);
    else
        report_no_such_argument(e, binder, argument);
}

/* Gives a value to the next parameter that takes one. */
static void give_by_place(Elaborator *e, Binder *binder, const Argument *argument, Datum datum) {
    const ParameterList *parameters = binder->parameters;
    while (binder->values < parameters->count && parameters->data[binder->values].type)
        binder->values++;
    if (binder->values < parameters->count) {
        give(e, binder, binder->values++, datum, argument->value->span);
        return;
    }
    if (binder->fine && !datum_is_poisoned(&datum)) {
        size_t count = parameters->count - count_tensors(parameters);
        Diagnostic *diagnostic =
            diag_report(e->diagnostics, DIAG_E0204, argument->span,
                        "the block `%s` takes %zu value%s besides its tensors",
                        binder->call->callee.text, count, count == 1 ? "" : "s");
        label_block(e, diagnostic, binder);
    }
    binder->fine = false;
}

/* Poison is a tensor where one is missing, else a value. */
static bool is_tensor_argument(const Binder *binder, const Datum *datum) {
    if (datum->kind == DATUM_POISON)
        return binder->tensors < count_tensors(binder->parameters);
    return datum->kind == DATUM_TENSOR ||
           (datum->kind == DATUM_TUPLE && datum->tuple.count > 0 && datum_is_tensors(datum));
}

static void check_tensor_count(Elaborator *e, Binder *binder) {
    size_t wanted = count_tensors(binder->parameters);
    size_t given = 0;
    for (size_t i = 0; i < binder->parameters->count; i++)
        given += binder->parameters->data[i].type && binder->slots[i].given;
    if (binder->tensors > given)
        given = binder->tensors;
    if (given == wanted || !binder->fine)
        return;
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0213, binder->call->callee.span,
                    "the block `%s` takes %zu tensor%s, but gets %zu", binder->call->callee.text,
                    wanted, wanted == 1 ? "" : "s", given);
    label_block(e, diagnostic, binder);
    binder->fine = false;
}

/* One message for all values that are missing. */
static void check_values(Elaborator *e, Binder *binder) {
    const char *text = NULL;
    for (size_t i = 0; i < binder->parameters->count; i++) {
        const Parameter *parameter = &binder->parameters->data[i];
        if (!parameter->type && !parameter->fallback && !binder->slots[i].given)
            text = arena_format(e->arena, "%s%s`%s`", text ? text : "", text ? " and " : "",
                                parameter->name.text);
    }
    if (!text || !binder->fine)
        return;
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0202, binder->call->callee.span,
                    "the block `%s` needs %s", binder->call->callee.text, text);
    label_block(e, diagnostic, binder);
    binder->fine = false;
}

static void place_arguments(Elaborator *e, Binder *binder, const Datum *incoming) {
    give_tensors(e, binder, incoming, SPAN_NONE);
    for (size_t i = 0; i < binder->call->arguments->count; i++) {
        const Argument *argument = &binder->call->arguments->data[i];
        Datum datum = binder->call->data[i];
        if (argument->name.text)
            give_by_name(e, binder, argument, datum);
        else if (is_tensor_argument(binder, &datum))
            give_tensors(e, binder, &datum, argument->value->span);
        else
            give_by_place(e, binder, argument, datum);
    }
    check_tensor_count(e, binder);
    check_values(e, binder);
}

/* ---- names of the body -------------------------------------------------------------------- */

/* The tensor given for a parameter; NULL where it is unknown, or not one, which is reported. */
static const Value *tensor_given(Elaborator *e, Binder *binder, size_t index) {
    const Datum *datum = &binder->slots[index].datum;
    if (datum->kind == DATUM_TENSOR)
        return datum->tensor->poisoned ? NULL : datum->tensor;
    if (datum->kind != DATUM_POISON) {
        diag_report(e->diagnostics, DIAG_E0206, binder->slots[index].span,
                    "`%s` is a tensor, not %s", binder->parameters->data[index].name.text,
                    datum_kind_name(datum->kind));
        binder->fine = false;
    }
    return NULL;
}

/* Gives each name that is new in the type the dim at its place. Without a tensor of the right rank
 * the names are there all the same, unknown, so that nothing is said about them. */
static void bind_dims(Elaborator *e, Binder *binder, size_t index) {
    const Parameter *parameter = &binder->parameters->data[index];
    const Value *value = tensor_given(e, binder, index);
    if (parameter->type->kind == EXPR_ERROR)
        return;
    const ExprList *dims = &parameter->type->type.dims;
    bool fits = value && (size_t)value->type.shape.rank == dims->count;
    for (size_t i = 0; i < dims->count; i++) {
        const Expr *dim = dims->data[i];
        if (dim->kind == EXPR_NAME && !scope_find(e->scope, dim->name.text))
            scope_add(e->arena, e->scope, dim->name,
                      fits ? datum_integer(value->type.shape.dims[i]) : DATUM_UNKNOWN)
                ->used = true;
    }
    if (!value || fits)
        return;
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0212, parameter->type->span,
                    "`%s` of the block `%s` has %zu dimension%s, but gets %s", parameter->name.text,
                    binder->call->callee.text, dims->count, dims->count == 1 ? "" : "s",
                    shape_text(e->arena, &value->type.shape));
    trace_shape(e->diagnostics, diagnostic, value, 4);
    binder->fine = false;
}

static void bind_values(Elaborator *e, Binder *binder, bool given) {
    for (size_t i = 0; i < binder->parameters->count; i++) {
        const Parameter *parameter = &binder->parameters->data[i];
        if (parameter->type || binder->slots[i].given != given)
            continue;
        if (given && parameter->fallback)
            use_names(e, parameter->fallback);
        bind_name(e, parameter->name,
                  given ? binder->slots[i].datum : evaluate_argument(e, parameter->fallback));
    }
}

static void bind_tensors(Elaborator *e, Binder *binder) {
    for (size_t i = 0; i < binder->parameters->count; i++) {
        const Parameter *parameter = &binder->parameters->data[i];
        if (!parameter->type)
            continue;
        Datum datum = binder->slots[i].datum;
        if (datum.kind == DATUM_TENSOR && !datum.tensor->poisoned)
            binder->fine = type_check(e, parameter->type, datum.tensor) && binder->fine;
        bind_name(e, parameter->name, datum);
    }
}

/* False after a mistake: then the body would only repeat it. */
static bool bind_parameters(Elaborator *e, Binder *binder) {
    bind_values(e, binder, true);
    for (size_t i = 0; i < binder->parameters->count; i++)
        if (binder->parameters->data[i].type)
            bind_dims(e, binder, i);
    bind_values(e, binder, false);
    if (binder->fine)
        bind_tensors(e, binder);
    return binder->fine;
}

/* ---- the use ------------------------------------------------------------------------------ */

Block *block_find(const Elaborator *e, const char *name) {
    return e->names ? name_map_find(&e->names->blocks, name) : NULL;
}

/* A block may not be expanded within itself, nor the expansion go deeper than the stack. */
static bool may_expand(Elaborator *e, const Block *block, const Call *call) {
    for (const BlockUse *use = e->use; use; use = use->outer)
        if (use->block == block) {
            Diagnostic *diagnostic =
                diag_report(e->diagnostics, DIAG_E0311, call->callee.span,
                            "the block `%s` uses itself", block->item->name.text);
            diag_label(e->diagnostics, diagnostic, block->item->name.span, "the block");
            diag_help(e->diagnostics, diagnostic,
                      "it would never end; `-> repeat 3 { ... }` passes a value through the same "
                      "steps three times");
            return false;
        }
    if (e->levels <= ELABORATE_MAX_LEVELS - AST_MAX_DEPTH)
        return true;
    diag_report(e->diagnostics, DIAG_E0801, call->callee.span,
                "blocks and expressions are nested too deeply here");
    return false;
}

static Datum expand(Elaborator *e, Binder *binder) {
    const Item *item = binder->block->item;
    const Call *call = binder->call;
    PathScope *outer = path_scope_enter(e, call->name, PATH_BLOCK, call->callee.span);
    Body body = {.what = "block", .result = DATUM_UNKNOWN};
    bool fine = !binder->share || path_scope_share(e, binder->share, binder->share_span);
    if (bind_parameters(e, binder) && fine)
        elaborate_body(e, item, &body);
    path_scope_leave(e, outer);
    return body.result;
}

Datum elaborate_block(Elaborator *e, Datum incoming, Block *block, const Call *call) {
    block->used = true;
    if (!may_expand(e, block, call))
        return DATUM_UNKNOWN;
    const ParameterList *parameters = &block->item->parameters;
    Binder binder = {.block = block,
                     .parameters = parameters,
                     .call = call,
                     .slots = ARENA_ARRAY(e->arena, parameters->count, Slot),
                     .fine = true};
    place_arguments(e, &binder, &incoming);
    if (!binder.fine)
        return DATUM_UNKNOWN;

    const FileNames *names = e->names;
    Scope *scope = e->scope;
    BlockUse *use = ARENA_NEW(e->arena, BlockUse); /* asserts keep it */
    const char *text = arena_format(e->arena, "in `%s`, used here", block->item->name.text);
    *use = (BlockUse){
        .outer = e->use, .block = block, .context = {e->diagnostics->context, call->span, text}};
    e->use = use;
    e->diagnostics->context = &use->context;
    e->names = block->home;
    e->scope = ARENA_NEW(e->arena, Scope);
    e->scope->parent = &block->home->values;
    Datum result = expand(e, &binder);
    e->diagnostics->context = use->context.outer;
    e->use = use->outer;
    e->names = names;
    e->scope = scope;
    return result;
}
