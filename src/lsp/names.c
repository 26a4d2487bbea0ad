#include "lsp/names.h"

#include <assert.h>
#include <string.h>

/* ---- definitions ---------------------------------------------------------------------------- */

static Definition *define(Names *names, DefinitionKind kind, Name name, Span seen) {
    Definition *definition = ARENA_NEW(names->arena, Definition);
    *definition = (Definition){.kind = kind, .name = name, .seen = seen};
    VEC_PUSH(names->arena, &names->definitions, definition);
    return definition;
}

static void use(Names *names, Span span, const Definition *definition) {
    if (definition)
        VEC_PUSH(names->arena, &names->occurrences, (Occurrence){span, definition});
}

/* Defines a name of this file, where it stands. */
static Definition *define_here(Names *names, DefinitionKind kind, Name name, Span seen) {
    Definition *definition = define(names, kind, name, seen);
    use(names, name.span, definition);
    return definition;
}

static bool is_within(Span span, uint32_t offset) {
    return span.begin <= offset && offset <= span.end;
}

/* Whether it is a value by its name alone, as an expression has it. */
static bool is_value(const Definition *definition) {
    return definition->kind <= DEFINE_INDEX;
}

const Definition *names_resolve(const Names *names, const char *name, uint32_t offset) {
    const Definition *found = NULL;
    for (size_t i = 0; i < names->definitions.count; i++) {
        const Definition *definition = names->definitions.data[i];
        if (definition->name.text == name && is_value(definition) &&
            is_within(definition->seen, offset) &&
            (!found || definition->seen.end <= found->seen.end))
            found = definition; /* the innermost ends first */
    }
    return found;
}

static const Definition *find_block(const Names *names, const char *name) {
    for (size_t i = 0; i < names->definitions.count; i++)
        if (names->definitions.data[i]->kind == DEFINE_BLOCK &&
            names->definitions.data[i]->name.text == name)
            return names->definitions.data[i];
    return NULL;
}

/* ---- uses ----------------------------------------------------------------------------------- */

static void visit(Names *names, const Expr *expr, bool is_step);

static void visit_all(Names *names, const ExprList *list, bool are_steps) {
    for (size_t i = 0; i < list->count; i++)
        visit(names, list->data[i], are_steps);
}

static void visit_name(Names *names, Name name) {
    const Definition *definition = names_resolve(names, name.text, name.span.begin);
    use(names, name.span, definition);
    if (!definition)
        VEC_PUSH(names->arena, &names->words, name.text);
}

/* `width` of `basic(width=64)`, a parameter of a block. */
static void visit_argument_name(Names *names, const Definition *block, Name name) {
    for (size_t i = 0; i < names->definitions.count; i++) {
        const Definition *parameter = names->definitions.data[i];
        if (parameter->name.text == name.text && parameter->item == block->item &&
            parameter != block)
            use(names, name.span, parameter);
    }
}

static void visit_call(Names *names, Name callee, const ArgumentList *arguments) {
    const Definition *block = find_block(names, callee.text);
    use(names, callee.span, block);
    for (size_t i = 0; arguments && i < arguments->count; i++) {
        const Argument *argument = &arguments->data[i];
        if (argument->name.text && block)
            visit_argument_name(names, block, argument->name);
        visit(names, argument->value, false);
    }
}

/* The names in braces within a label, `"denselayer{i}"`, where the text has them. */
static void visit_label(Names *names, Name label) {
    define_here(names, DEFINE_LABEL, label, label.span);
    const char *text = label.text;
    uint32_t at = label.span.begin + 1;
    bool plain = label.span.end - label.span.begin == strlen(text) + 2; /* without escapes */
    for (const char *open = strchr(text, '{'); plain && open; open = strchr(open + 1, '{')) {
        size_t length = strcspn(open + 1, "}");
        Span span = {at + (uint32_t)(open + 1 - text), at + (uint32_t)(open + 1 + length - text)};
        for (size_t i = 0; i < names->definitions.count; i++) {
            const char *name = names->definitions.data[i]->name.text;
            if (strlen(name) != length || memcmp(name, open + 1, length) != 0)
                continue;
            use(names, span, names_resolve(names, name, label.span.begin));
            break;
        }
    }
}

static void visit_repeat(Names *names, const Expr *expr) {
    if (expr->repeat.begin)
        visit(names, expr->repeat.begin, false);
    visit(names, expr->repeat.end, false);
    if (expr->repeat.index.text)
        define_here(names, DEFINE_INDEX, expr->repeat.index, expr->repeat.body->span);
    visit(names, expr->repeat.body, true);
}

static void visit(Names *names, const Expr *expr, bool is_step) {
    switch (expr->kind) {
    case EXPR_NAME:
        if (is_step)
            visit_call(names, expr->name, NULL);
        else
            visit_name(names, expr->name);
        return;
    case EXPR_MEMBER: visit(names, expr->member.object, false); return;
    case EXPR_UNARY: visit(names, expr->unary.operand, false); return;
    case EXPR_BINARY:
        visit(names, expr->binary.left, false);
        visit(names, expr->binary.right, false);
        return;
    case EXPR_CALL: visit_call(names, expr->call.callee, &expr->call.arguments); return;
    case EXPR_TUPLE: visit_all(names, &expr->tuple, false); return;
    case EXPR_PIPE:
        visit(names, expr->pipe.value, false);
        visit_all(names, &expr->pipe.steps, true);
        return;
    case EXPR_LABEL:
        visit_label(names, expr->label.label);
        visit(names, expr->label.step, true);
        return;
    case EXPR_CHAIN: visit_all(names, &expr->chain, true); return;
    case EXPR_TYPE: visit_all(names, &expr->type.dims, false); return;
    case EXPR_IF:
        visit(names, expr->choice.condition, false);
        visit(names, expr->choice.then, is_step);
        if (expr->choice.otherwise)
            visit(names, expr->choice.otherwise, is_step);
        return;
    case EXPR_REPEAT: visit_repeat(names, expr); return;
    case EXPR_ERROR:
    case EXPR_INTEGER:
    case EXPR_FLOAT:
    case EXPR_BOOLEAN:
    case EXPR_STRING:
    case EXPR_SIZE: return;
    }
    assert(false);
}

/* ---- bodies --------------------------------------------------------------------------------- */

static void visit_statement(Names *names, const Statement *statement, const Item *item) {
    visit(names, statement->value, false);
    if (statement->kind != STATEMENT_BIND && statement->kind != STATEMENT_LET)
        return;
    Span seen = {statement->span.end, item->span.end};
    DefinitionKind kind = statement->kind == STATEMENT_LET ? DEFINE_CONSTANT : DEFINE_VALUE;
    for (size_t i = 0; i < statement->names.count; i++)
        define_here(names, kind, statement->names.data[i], seen);
}

static void define_parameter(Names *names, const Item *item, const Parameter *parameter) {
    define_here(names, DEFINE_VALUE, parameter->name, item->span)->item = item;
}

/* Values come before dims, which come before tensors: as elaboration has it. A dim is a new name in
 * a tensor's type. */
static void visit_parameters(Names *names, const Item *item) {
    bool block = item->kind == ITEM_BLOCK;
    for (size_t i = 0; i < item->parameters.count; i++)
        if (!item->parameters.data[i].type)
            define_parameter(names, item, &item->parameters.data[i]);
    for (size_t i = 0; i < item->parameters.count; i++) {
        const Expr *type = item->parameters.data[i].type;
        for (size_t k = 0; block && type && type->kind == EXPR_TYPE && k < type->type.dims.count;
             k++) {
            const Expr *dim = type->type.dims.data[k];
            if (dim->kind == EXPR_NAME && !names_resolve(names, dim->name.text, dim->span.begin))
                define(names, DEFINE_DIM, dim->name, item->span);
        }
        if (type)
            visit(names, type, false);
        if (item->parameters.data[i].fallback)
            visit(names, item->parameters.data[i].fallback, false);
    }
    for (size_t i = 0; i < item->parameters.count; i++)
        if (item->parameters.data[i].type)
            define_parameter(names, item, &item->parameters.data[i]);
}

static void visit_body(Names *names, const Item *item) {
    for (size_t i = 0; i < item->results.count; i++) {
        const Parameter *result = &item->results.data[i];
        if (result->name.text)
            define_here(names, DEFINE_RESULT, result->name, SPAN_NONE);
        visit(names, result->type, false);
    }
    for (size_t i = 0; i < item->body.count; i++)
        visit_statement(names, &item->body.data[i], item);
}

/* ---- files ---------------------------------------------------------------------------------- */

static void define_block(Names *names, const Item *item, Span seen, bool here) {
    DefinitionKind kind = DEFINE_BLOCK;
    Definition *block =
        here ? define_here(names, kind, item->name, seen) : define(names, kind, item->name, seen);
    block->item = item;
}

static bool has_body(const Item *item) {
    return item->kind == ITEM_NETWORK || item->kind == ITEM_BLOCK;
}

/* A block of another file; the names of its parameters are seen as those of arguments only. */
static void define_used_block(Names *names, const Item *item, Span seen) {
    define_block(names, item, seen, false);
    for (size_t i = 0; i < item->parameters.count; i++)
        define(names, DEFINE_VALUE, item->parameters.data[i].name, SPAN_NONE)->item = item;
}

/* What the used file itself defines. */
static void visit_use(Names *names, const Item *use_item, Span seen) {
    const File *used = use_item->used;
    if (!used)
        return;
    Span start = {used->source->base, used->source->base};
    use(names, use_item->name.span,
        define(names, DEFINE_FILE, (Name){use_item->name.text, start}, SPAN_NONE));
    for (size_t i = 0; i < used->items.count; i++) {
        const Item *item = &used->items.data[i];
        if (item->kind == ITEM_LET)
            define(names, DEFINE_CONSTANT, item->name, seen);
        else if (item->kind == ITEM_BLOCK)
            define_used_block(names, item, seen);
    }
}

/* Constants are seen behind them, and in all bodies: those are looked at last. */
Names names_of(Arena *arena, const Analysis *analysis) {
    const File *file = analysis->compilation.file;
    Names names = {.arena = arena};
    if (!file)
        return names;
    Span whole = {file->source->base, file->source->base + file->source->length};
    for (size_t i = 0; i < file->items.count; i++) {
        const Item *item = &file->items.data[i];
        if (item->kind == ITEM_USE)
            visit_use(&names, item, whole);
        else if (item->kind == ITEM_BLOCK)
            define_block(&names, item, whole, true);
        else if (item->kind == ITEM_NETWORK)
            define_here(&names, DEFINE_NETWORK, item->name, SPAN_NONE);
    }
    for (size_t i = 0; i < file->items.count; i++) {
        const Item *item = &file->items.data[i];
        if (item->kind != ITEM_LET)
            continue;
        visit(&names, item->value, false);
        define_here(&names, DEFINE_CONSTANT, item->name, whole);
    }
    for (size_t i = 0; i < file->items.count; i++)
        if (has_body(&file->items.data[i]))
            visit_parameters(&names, &file->items.data[i]);
    for (size_t i = 0; i < file->items.count; i++)
        if (has_body(&file->items.data[i]))
            visit_body(&names, &file->items.data[i]);
    return names;
}

const Occurrence *names_find(const Names *names, uint32_t offset) {
    const Occurrence *found = NULL;
    for (size_t i = 0; i < names->occurrences.count; i++) {
        const Occurrence *occurrence = &names->occurrences.data[i];
        if (is_within(occurrence->span, offset) &&
            (!found ||
             occurrence->span.end - occurrence->span.begin < found->span.end - found->span.begin))
            found = occurrence;
    }
    return found;
}
