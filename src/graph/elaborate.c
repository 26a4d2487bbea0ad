/* Items and statements: see elaborate.h. */
#include "graph/elaborate.h"

#include <assert.h>
#include <string.h>

#include "graph/elaborator.h"
#include "support/suggest.h"

/* ---- what the text stands for -------------------------------------------------------------- */

static void note(Elaborator *e, Meaning meaning) {
    if (!e->meanings || e->meanings->list.count == MEANINGS_MAX)
        return;
    meaning.order = e->meanings->list.count;
    meaning.graph = e->graph;
    VEC_PUSH(e->arena, &e->meanings->list, meaning);
}

void note_name(Elaborator *e, Name name, Datum datum) {
    note(e,
         (Meaning){
             .kind = MEANING_NAME, .span = name.span, .incoming = DATUM_NOTHING, .datum = datum});
}

void note_step(Elaborator *e, MeaningKind kind, Span span, Datum incoming, Datum datum,
               size_t node_begin) {
    note(e, (Meaning){.kind = kind,
                      .span = span,
                      .incoming = incoming,
                      .datum = datum,
                      .node_begin = node_begin,
                      .node_end = e->graph->nodes.count});
}

/* ---- names -------------------------------------------------------------------------------- */

static Diagnostic *report_defined_twice(Elaborator *e, Name name, Span first, const char *what) {
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0303, name.span, "`%s` is defined twice", name.text);
    diag_here(e->diagnostics, diagnostic, "%s", what);
    diag_label(e->diagnostics, diagnostic, first, "`%s` is defined here", name.text);
    return diagnostic;
}

/* Binds a name in `scope`, or reports E0303. */
static void bind(Elaborator *e, Scope *scope, Name name, Datum datum) {
    note_name(e, name, datum);
    const Binding *first = scope_find_here(scope, name.text);
    if (!first) {
        scope_add(e->arena, scope, name, datum);
        return;
    }
    Diagnostic *diagnostic = report_defined_twice(e, name, first->name.span, "defined again here");
    if (datum.kind == DATUM_TENSOR)
        diag_help(e->diagnostics, diagnostic,
                  "a name stands for one value: choose another, or go on with the first: `-> ...`");
}

void bind_name(Elaborator *e, Name name, Datum datum) {
    bind(e, e->scope, name, datum);
}

/* `let y = x -> relu`: tensors are named without `let`. */
static Datum refuse_tensor(Elaborator *e, Name name, uint32_t let_begin) {
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0206, name.span,
                    "`let` names a constant, but `%s` would be a tensor", name.text);
    diag_fix(e->diagnostics, diagnostic, (Span){let_begin, name.span.begin}, "", true,
             "a tensor is named without `let`");
    return DATUM_UNKNOWN;
}

static bool contains_tensor(const Datum *datum) {
    if (datum->kind == DATUM_TUPLE)
        for (size_t i = 0; i < datum->tuple.count; i++)
            if (contains_tensor(&datum->tuple.items[i]))
                return true;
    return datum->kind == DATUM_TENSOR;
}

/* ---- constants of the file ----------------------------------------------------------------- */

/* What -D sets a constant to: of the kind that the file gives it. False for another kind. */
static bool define_value(Elaborator *e, const char *text, const Datum *original, Datum *value) {
    Datum given = datum_read(e->arena, text);
    if (original->kind == DATUM_TEXT)
        given = (Datum){.kind = DATUM_TEXT, .text = intern_text(e->intern, text)};
    else if (original->kind == DATUM_NUMBER && given.kind == DATUM_INTEGER)
        given = datum_number((double)given.integer);
    *value = given;
    return given.kind == original->kind || original->kind == DATUM_POISON;
}

static Datum let_value(Elaborator *e, const Item *item, const Define *define) {
    Datum datum = evaluate(e, item->value);
    if (contains_tensor(&datum))
        return refuse_tensor(e, item->name, item->span.begin);
    if (!define)
        return datum;
    Datum given;
    if (define_value(e, define->value, &datum, &given))
        return given;
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0201, item->value->span,
                                         "`%s` is %s, which -D %s=%s is not", define->name,
                                         datum_kind_name(datum.kind), define->name, define->value);
    diag_here(e->diagnostics, diagnostic, "%s", datum_kind_name(datum.kind));
    return DATUM_UNKNOWN;
}

/* The last -D of that name. */
static const Define *find_define(const Elaboration *elaboration, const char *name) {
    const Define *found = NULL;
    for (size_t i = 0; i < elaboration->define_count; i++)
        if (strcmp(elaboration->defines[i].name, name) == 0)
            found = &elaboration->defines[i];
    return found;
}

static void report_unknown_define(Elaborator *e, const Define *define) {
    VEC(const char *) names = {0};
    for (size_t i = 0; i < e->scope->bindings.count; i++)
        VEC_PUSH(e->arena, &names, e->scope->bindings.data[i]->name.text);
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0306, SPAN_NONE,
                    "the file has no constant called `%s` for -D to set", define->name);
    const char *nearest = suggest_name(define->name, names.data, names.count);
    if (nearest)
        diag_help(e->diagnostics, diagnostic, "did you mean `%s`?", nearest);
    else
        diag_help(e->diagnostics, diagnostic,
                  "-D sets a `let` that stands outside of the networks");
}

/* Every -D must set a constant of the file itself. */
static void check_defines(Elaborator *e, const Elaboration *elaboration) {
    for (size_t i = 0; i < elaboration->define_count; i++) {
        const Define *define = &elaboration->defines[i];
        if (!scope_find_here(e->scope, intern_text(e->intern, define->name)))
            report_unknown_define(e, define);
    }
}

/* ---- statements --------------------------------------------------------------------------- */

static void name_value(Elaborator *e, Name name, Datum datum) {
    if (datum.kind == DATUM_TENSOR) {
        Value *value = datum.tensor;
        if (value->producer && value->name == value->producer->path)
            value->name = name.text;
    }
    bind(e, e->scope, name, datum);
}

/* `n = 3`: constants are named with `let`. */
static Datum refuse_constant(Elaborator *e, const Statement *statement, const Datum *datum) {
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0206, statement->value->span,
                                         "a name without `let` stands for a tensor, not for %s",
                                         datum_kind_name(datum->kind));
    diag_here(e->diagnostics, diagnostic, "%s", datum_kind_name(datum->kind));
    Span before = {statement->span.begin, statement->span.begin};
    if (statement->names.count == 1 && !contains_tensor(datum))
        diag_fix(e->diagnostics, diagnostic, before, "let ", true, "a constant is named by `let`");
    return DATUM_UNKNOWN;
}

static Datum unpack(Elaborator *e, const Statement *statement, const Datum *datum, size_t index) {
    const NameList *names = &statement->names;
    size_t count = datum->kind == DATUM_TUPLE ? datum->tuple.count : 1;
    if (datum->kind != DATUM_TUPLE && datum_is_poisoned(datum))
        return DATUM_UNKNOWN;
    if (count == names->count)
        return datum->tuple.items[index];
    if (index > 0)
        return DATUM_UNKNOWN; /* reported for the first */
    Span span = span_join(names->data[0].span, names->data[names->count - 1].span);
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0213, span, "%zu names for %zu value%s", names->count,
                    count, count == 1 ? "" : "s");
    diag_label(e->diagnostics, diagnostic, statement->value->span, "gives %zu value%s", count,
               count == 1 ? "" : "s");
    return DATUM_UNKNOWN;
}

static void elaborate_bind(Elaborator *e, const Statement *statement) {
    Datum datum = evaluate(e, statement->value);
    if (!datum_is_tensors(&datum))
        datum = refuse_constant(e, statement, &datum);
    const NameList *names = &statement->names;
    if (names->count == 1) {
        name_value(e, names->data[0], datum);
        return;
    }
    for (size_t i = 0; i < names->count; i++)
        name_value(e, names->data[i], unpack(e, statement, &datum, i));
}

static void elaborate_let(Elaborator *e, const Statement *statement) {
    Name name = statement->names.data[0];
    Datum datum = evaluate(e, statement->value);
    if (contains_tensor(&datum))
        datum = refuse_tensor(e, name, statement->span.begin);
    bind(e, e->scope, name, datum);
}

static void elaborate_return(Elaborator *e, const Statement *statement, Body *body) {
    Datum datum = evaluate(e, statement->value);
    if (body->returned) {
        Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0307, statement->span,
                                             "a %s returns once", body->what);
        diag_here(e->diagnostics, diagnostic, "returns again here");
        diag_label(e->diagnostics, diagnostic, body->returned->span, "returns here");
        diag_help(e->diagnostics, diagnostic,
                  "several results are returned together: `return (a, b)`");
        return;
    }
    if (!datum_is_tensors(&datum)) {
        Diagnostic *diagnostic =
            diag_report(e->diagnostics, DIAG_E0206, statement->value->span,
                        "a %s returns tensors, not %s", body->what, datum_kind_name(datum.kind));
        diag_here(e->diagnostics, diagnostic, "%s", datum_kind_name(datum.kind));
        datum = DATUM_UNKNOWN;
    }
    body->returned = statement;
    body->result = datum;
}

/* `order=keras`, if it is written. */
static WeightsOrder weights_order(Elaborator *e, const Statement *statement) {
    static const char *const words[] = {[WEIGHTS_PYTORCH] = "pytorch", [WEIGHTS_KERAS] = "keras"};
    if (statement->names.count == 0)
        return WEIGHTS_PYTORCH;
    const Name *argument = &statement->names.data[0];
    const Name *word = &statement->names.data[1];
    if (strcmp(argument->text, "order") != 0) {
        Diagnostic *d = diag_report(e->diagnostics, DIAG_E0203, argument->span,
                                    "`weights` has no argument `%s`", argument->text);
        diag_fix(e->diagnostics, d, argument->span, "order", false,
                 "it takes `order`, how the file orders its numbers");
        return WEIGHTS_PYTORCH;
    }
    for (int i = 0; i < WEIGHTS_ORDERS; i++)
        if (strcmp(word->text, words[i]) == 0)
            return (WeightsOrder)i;
    Diagnostic *d = diag_report(e->diagnostics, DIAG_E0201, word->span,
                                "`order` is `pytorch` or `keras`, not `%s`", word->text);
    const char *near = suggest_name(word->text, words, WEIGHTS_ORDERS);
    if (near)
        diag_fix(e->diagnostics, d, word->span, near, true, "did you mean `%s`?", near);
    return WEIGHTS_PYTORCH;
}

static void elaborate_weights(Elaborator *e, const Statement *statement) {
    Graph *graph = e->graph;
    if (e->use) {
        diag_report(e->diagnostics, DIAG_E0104, statement->span,
                    "a network names its weights file, a block cannot");
        return;
    }
    if (graph->weights_path) {
        Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0303, statement->span,
                                             "a network has one weights file");
        diag_label(e->diagnostics, diagnostic, graph->weights_span, "named here");
        return;
    }
    if (statement->value->kind == EXPR_STRING) {
        graph->weights_path = statement->value->string;
        graph->weights_span = statement->value->span;
        graph->weights_order = weights_order(e, statement);
    }
}

static void elaborate_statement(Elaborator *e, const Statement *statement, Body *body) {
    switch (statement->kind) {
    case STATEMENT_BIND: elaborate_bind(e, statement); break;
    case STATEMENT_LET: elaborate_let(e, statement); break;
    case STATEMENT_RETURN: elaborate_return(e, statement, body); break;
    case STATEMENT_ASSERT: assertion_add(e, statement); break;
    case STATEMENT_WEIGHTS: elaborate_weights(e, statement); break;
    }
}

/* ---- networks ----------------------------------------------------------------------------- */

static void elaborate_inputs(Elaborator *e, const Item *item) {
    for (size_t i = 0; i < item->parameters.count; i++) {
        const Parameter *parameter = &item->parameters.data[i];
        Value *value = value_new(e, NULL, parameter->name.text, parameter->type->span);
        value->poisoned = !type_of_input(e, parameter->type, &value->type);
        VEC_PUSH(e->arena, &e->graph->inputs, value);
        bind(e, e->scope, parameter->name, datum_tensor(value));
    }
}

static void add_outputs(Elaborator *e, const Datum *datum) {
    if (datum->kind == DATUM_TENSOR)
        VEC_PUSH(e->arena, &e->graph->outputs, datum->tensor);
    if (datum->kind == DATUM_TUPLE)
        for (size_t i = 0; i < datum->tuple.count; i++)
            add_outputs(e, &datum->tuple.items[i]);
}

/* Results are of f32: bytes become it where a step reads them. */
static void check_outputs(Elaborator *e, const Body *body) {
    for (size_t i = 0; i < e->graph->outputs.count; i++) {
        const Value *value = e->graph->outputs.data[i];
        if (value->poisoned || value->type.element == ELEMENT_F32)
            continue;
        Diagnostic *diagnostic =
            diag_report(e->diagnostics, DIAG_E0220, body->returned->value->span,
                        "`%s` is of `%s` and cannot be returned as it is", value->name,
                        element_name(value->type.element));
        diag_label(e->diagnostics, diagnostic, value->span, "the input's type");
        diag_help(e->diagnostics, diagnostic,
                  "results are of f32, which any step makes of it: `%s / 255`", value->name);
    }
}

static bool is_input_name(const Graph *graph, const char *name) {
    for (size_t i = 0; i < graph->inputs.count; i++)
        if (strcmp(graph->inputs.data[i]->name, name) == 0)
            return true;
    return false;
}

/* "output" or "output0", with a `_` where an input is called that: together they are the parameters
 * of one C function. */
static const char *default_output_name(Elaborator *e, size_t index) {
    const char *name =
        e->graph->outputs.count == 1 ? "output" : arena_format(e->arena, "output%zu", index);
    while (is_input_name(e->graph, name))
        name = arena_format(e->arena, "%s_", name);
    return name;
}

/* A result has a name of its own among results and inputs. */
static void check_result_name(Elaborator *e, const Item *item, size_t index) {
    Name name = item->results.data[index].name;
    const Name *first = NULL;
    for (size_t i = 0; i < item->parameters.count && !first; i++)
        if (item->parameters.data[i].name.text == name.text)
            first = &item->parameters.data[i].name;
    for (size_t i = 0; i < index && !first; i++)
        if (item->results.data[i].name.text == name.text)
            first = &item->results.data[i].name;
    if (!first)
        return;
    Diagnostic *diagnostic = diag_report(e->diagnostics, DIAG_E0303, name.span,
                                         "`%s` is used twice in this signature", name.text);
    diag_label(e->diagnostics, diagnostic, first->span, "used here");
}

static void name_outputs(Elaborator *e, const Item *item) {
    for (size_t i = 0; i < e->graph->outputs.count; i++) {
        bool named = i < item->results.count && item->results.data[i].name.text;
        if (named)
            check_result_name(e, item, i);
        VEC_PUSH(e->arena, &e->graph->output_names,
                 named ? item->results.data[i].name.text : default_output_name(e, i));
    }
}

static void check_results(Elaborator *e, const Item *item, const Body *body) {
    size_t count = body->result.kind == DATUM_TUPLE ? body->result.tuple.count : 1;
    const ParameterList *results = &item->results;
    bool known = body->result.kind == DATUM_TUPLE || !datum_is_poisoned(&body->result);
    if (results->count > 0 && known && count != results->count) {
        Span span =
            span_join(results->data[0].type->span, results->data[results->count - 1].type->span);
        Diagnostic *diagnostic =
            diag_report(e->diagnostics, DIAG_E0210, body->returned->value->span,
                        "returns %zu tensor%s, but the result type has %zu", count,
                        count == 1 ? "" : "s", results->count);
        diag_label(e->diagnostics, diagnostic, span, "%zu here", results->count);
        return;
    }
    Shape shape;
    for (size_t i = 0; i < results->count; i++) {
        const Datum *datum =
            body->result.kind == DATUM_TUPLE ? &body->result.tuple.items[i] : &body->result;
        if (datum->kind == DATUM_TENSOR && !datum->tensor->poisoned)
            type_check(e, results->data[i].type, datum->tensor);
        else
            type_shape(e, results->data[i].type, &shape);
    }
}

/* The name of the last value that nothing reads; NULL if there is none. */
static const char *last_value(const Elaborator *e) {
    for (size_t i = e->scope->bindings.count; i-- > 0;) {
        const Binding *binding = e->scope->bindings.data[i];
        if (!binding->used && binding->datum.kind == DATUM_TENSOR)
            return binding->name.text;
    }
    return NULL;
}

static void report_no_return(Elaborator *e, const Item *item, const Body *body) {
    Location location = source_locate(e->diagnostics->sources, item->body_end);
    size_t length;
    Diagnostic *diagnostic =
        diag_report(e->diagnostics, DIAG_E0307, item->body_end, "the %s `%s` returns nothing",
                    body->what, item->name.text);
    diag_label(e->diagnostics, diagnostic, item->name.span, "this %s", body->what);
    const char *last = last_value(e);
    uint32_t indent = location.column - 1;
    if (last && indent == strspn(source_line(location.source, location.line, &length), " "))
        diag_fix(e->diagnostics, diagnostic, (Span){item->body_end.begin, item->body_end.begin},
                 arena_format(e->arena, "    return %s\n%*s", last, (int)indent, ""), false,
                 "end it with what it gives");
    else
        diag_help(e->diagnostics, diagnostic, "end it with `return` and what it gives");
}

/* Only where nothing else is wrong: a mistake may be what keeps a value from being used. */
static void warn_unused(Elaborator *e) {
    if (diag_has_errors(e->diagnostics))
        return;
    for (size_t i = 0; i < e->scope->bindings.count; i++) {
        const Binding *binding = e->scope->bindings.data[i];
        if (binding->used)
            continue;
        bool input = binding->datum.kind == DATUM_TENSOR && !binding->datum.tensor->producer &&
                     binding->datum.tensor->name == binding->name.text;
        Diagnostic *diagnostic =
            diag_report(e->diagnostics, DIAG_W0305, binding->name.span, "%s`%s` is never used",
                        input ? "the input " : "", binding->name.text);
        if (binding->datum.kind == DATUM_TENSOR && binding->datum.tensor->producer)
            diag_note(e->diagnostics, diagnostic, "its layers are still computed and counted");
    }
}

void elaborate_body(Elaborator *e, const Item *item, Body *body) {
    for (size_t i = 0; i < item->body.count; i++)
        elaborate_statement(e, &item->body.data[i], body);
    if (body->returned)
        check_results(e, item, body);
    else
        report_no_return(e, item, body);
    warn_unused(e);
}

static Graph *elaborate_network(Elaborator *e, const Item *item) {
    Scope *outer_scope = e->scope;
    Graph *graph = ARENA_NEW(e->arena, Graph);
    *graph = (Graph){.arena = e->arena,
                     .name = item->name.text,
                     .name_span = item->name.span,
                     .source = e->names->file->source,
                     .sources = e->diagnostics->sources};
    e->graph = graph;
    e->scope = ARENA_NEW(e->arena, Scope); /* outlives this: asserts are worked out later */
    e->scope->parent = outer_scope;
    e->places = (NameMap){0};
    PathScope *outer = path_scope_enter(e, STEP_UNNAMED, PATH_NETWORK, item->span);
    Body body = {.what = "network", .result = DATUM_UNKNOWN};
    elaborate_inputs(e, item);
    elaborate_body(e, item, &body);
    add_outputs(e, &body.result);
    check_outputs(e, &body);
    name_outputs(e, item);
    path_scope_leave(e, outer);
    e->scope = outer_scope;
    e->graph = NULL;
    return graph;
}

/* ---- files -------------------------------------------------------------------------------- */

/* Files whose names are known. */
typedef VEC(FileNames *) FileNamesList;

static FileNames *find_file(const FileNamesList *list, const File *file) {
    for (size_t i = 0; i < list->count; i++)
        if (list->data[i]->file == file)
            return list->data[i];
    return NULL;
}

static void add_block(Elaborator *e, FileNames *names, Name name, Block *block, const char *again) {
    const Block *first = name_map_find(&names->blocks, name.text);
    if (first) {
        report_defined_twice(e, name, first->item->name.span, again);
        return;
    }
    name_map_add(e->arena, &names->blocks, name.text, block);
    VEC_PUSH(e->arena, &names->block_list, block);
}

static void define_block(Elaborator *e, FileNames *names, const Item *item) {
    Block *block = ARENA_NEW(e->arena, Block);
    *block = (Block){.item = item, .home = names};
    add_block(e, names, item->name, block, "defined again here");
    if (layer_find(item->name.text))
        diag_report(e->diagnostics, DIAG_W0313, item->name.span, "this block hides the layer `%s`",
                    item->name.text);
}

/* Takes over what the used file itself defines, not what it uses. */
static void import(Elaborator *e, FileNames *names, const FileNames *used, Span place) {
    for (size_t i = 0; i < used->block_list.count; i++) {
        Block *block = used->block_list.data[i];
        if (block->home == used)
            add_block(e, names, (Name){block->item->name.text, place}, block, "also in this file");
    }
    for (size_t i = 0; i < used->file->items.count; i++) {
        const Item *item = &used->file->items.data[i];
        const Binding *binding =
            item->kind == ITEM_LET ? scope_find_here(&used->values, item->name.text) : NULL;
        const Binding *first = scope_find_here(&names->values, item->name.text);
        if (binding && first)
            report_defined_twice(e, (Name){item->name.text, place}, first->name.span,
                                 "also in this file");
        else if (binding)
            scope_add(e->arena, &names->values, item->name, binding->datum);
    }
}

/* What the file defines and uses. Files it uses come first: no file uses itself
 * (compilation/use.c). */
static FileNames *elaborate_file(Elaborator *e, FileNamesList *list, const File *file,
                                 const Elaboration *defines) {
    FileNames *names = find_file(list, file);
    if (names)
        return names;
    names = ARENA_NEW(e->arena, FileNames);
    names->file = file;
    for (size_t i = 0; i < file->items.count; i++) {
        const Item *item = &file->items.data[i];
        if (item->kind == ITEM_USE && item->used)
            import(e, names, elaborate_file(e, list, item->used, NULL), item->name.span);
    }
    e->names = names;
    e->scope = &names->values;
    for (size_t i = 0; i < file->items.count; i++) {
        const Item *item = &file->items.data[i];
        const Define *define = defines ? find_define(defines, item->name.text) : NULL;
        if (item->kind == ITEM_BLOCK)
            define_block(e, names, item);
        else if (item->kind == ITEM_LET)
            bind(e, e->scope, item->name, let_value(e, item, define));
    }
    VEC_PUSH(e->arena, list, names);
    return names;
}

/* Only where nothing else is wrong, and not in a file of blocks for others. */
static void warn_unused_blocks(Elaborator *e, const FileNames *names, const GraphList *graphs) {
    if (diag_has_errors(e->diagnostics) || graphs->count == 0)
        return;
    for (size_t i = 0; i < names->block_list.count; i++) {
        const Block *block = names->block_list.data[i];
        if (block->home == names && !block->used)
            diag_report(e->diagnostics, DIAG_W0305, block->item->name.span,
                        "the block `%s` is never used", block->item->name.text);
    }
}

GraphList elaborate(const Elaboration *elaboration, const File *file) {
    Elaborator e = {.arena = elaboration->arena,
                    .intern = elaboration->intern,
                    .diagnostics = elaboration->diagnostics,
                    .meanings = elaboration->meanings};
    GraphList graphs = {0};
    FileNamesList files = {0};
    Scope networks = {0}; /* their names are no values */
    const FileNames *names = elaborate_file(&e, &files, file, elaboration);
    check_defines(&e, elaboration);
    for (size_t i = 0; i < file->items.count; i++) {
        const Item *item = &file->items.data[i];
        if (item->kind != ITEM_NETWORK)
            continue;
        bind(&e, &networks, item->name, DATUM_UNKNOWN);
        VEC_PUSH(e.arena, &graphs, elaborate_network(&e, item));
    }
    warn_unused_blocks(&e, names, &graphs);
    return graphs;
}
