#include "compilation/compilation.h"

#include <stdlib.h>
#include <string.h>

#include "output/header.h"
#include "output/packed_file.h"
#include "support/hash.h"
#include "syntax/parse.h"
#include "weights/bind.h"
#include "weights/path.h"

void compilation_begin(Compilation *c, const CompileOptions *options) {
    c->options = options;
    c->intern.arena = c->sources.arena = c->diagnostics.arena = c->files.arena = &c->arena;
    c->diagnostics.sources = &c->sources;
    c->files.diagnostics = &c->diagnostics;
}

void compilation_end(Compilation *c) {
    file_set_abandon(&c->files);
    codegen_free(c->codegen);
    targets_close(&c->targets);
    tensor_file_close(c->weights_file);
    arena_free(&c->arena);
}

bool compilation_is_fine(const Compilation *c) {
    return !diag_has_errors(&c->diagnostics);
}

/* ---- text to graph -------------------------------------------------------------------------- */

bool compilation_read_source(Compilation *c, const char *path, const char *name) {
    c->path = path;
    c->source = compilation_read(c, path, name, SPAN_NONE);
    return c->source != NULL;
}

/* The network that is asked for: the last of the file unless it is named. */
static Item *find_network(const Compilation *c) {
    const char *name = c->options->network;
    for (size_t i = c->file->items.count; i-- > 0;) {
        Item *item = &c->file->items.data[i];
        if (item->kind == ITEM_NETWORK && (!name || strcmp(item->name.text, name) == 0))
            return item;
    }
    return NULL;
}

size_t compilation_add_conditions(Compilation *c, const Source *source) {
    StatementList list = parse_conditions(&c->arena, &c->intern, &c->diagnostics, source);
    Item *network = find_network(c);
    for (size_t i = 0; network && i < list.count; i++)
        VEC_PUSH(&c->arena, &network->body, list.data[i]);
    return list.count;
}

static bool add_budgets(Compilation *c) {
    const char *path = c->options->budgets;
    const Source *source = path ? compilation_read(c, path, path, SPAN_NONE) : NULL;
    if (source)
        compilation_add_conditions(c, source);
    return !path || source;
}

bool compilation_parse(Compilation *c) {
    c->file = parse_file(&c->arena, &c->intern, &c->diagnostics, c->source);
    return compilation_is_fine(c) && add_budgets(c) && compilation_is_fine(c);
}

bool compilation_make_graph(Compilation *c) {
    const CompileOptions *options = c->options;
    if (!compilation_read_used(c) || !compilation_is_fine(c))
        return false;
    c->elaboration = (Elaboration){
        &c->arena,  &c->intern, &c->diagnostics, options->defines.data, options->defines.count,
        c->meanings};
    c->graphs = elaborate(&c->elaboration, c->file);
    if (!compilation_is_fine(c))
        return false;
    c->graph = NULL;
    for (size_t i = 0; i < c->graphs.count; i++)
        if (!options->network || strcmp(c->graphs.data[i]->name, options->network) == 0)
            c->graph = c->graphs.data[i];
    if (!c->graph && options->network)
        diag_report(&c->diagnostics, DIAG_E0308, SPAN_NONE, "`%s` has no network called `%s`",
                    c->source->name, options->network);
    else if (!c->graph)
        diag_report(&c->diagnostics, DIAG_E0308, SPAN_NONE, "`%s` has no network%s",
                    c->source->name, c->file->items.count > 0 ? " of its own" : "");
    return c->graph != NULL;
}

bool compilation_count(Compilation *c) {
    for (size_t i = 0; i < c->graphs.count; i++) {
        GraphCount count;
        if (!graph_count(c->graphs.data[i], &c->diagnostics, &count))
            return false;
        if (c->graphs.data[i] == c->graph)
            c->count = count;
        Metrics metrics = {.count = &count, .arena_bytes = -1};
        elaborate_check_asserts(&c->elaboration, c->graphs.data[i], &metrics);
    }
    return true;
}

/* ---- weights -------------------------------------------------------------------------------- */

/* The weights file that the network names; NULL after a mistake. One in memory may have any name.
 */
static const char *named_weights(Compilation *c) {
    const char *written = c->graph->weights_path;
    Span span = c->graph->weights_span;
    const char *path =
        weights_path_resolve(&c->arena, &c->diagnostics, span, c->path, written, true);
    if (compilation_memory_file(c, path))
        return path;
    if (!compilation_may_read(c, path, span))
        return NULL;
    return weights_path_resolve(&c->arena, &c->diagnostics, span, c->path, written,
                                c->options->allow_weights_outside);
}

static bool read_weights(Compilation *c, const char *path, Span span) {
    WeightsOrder order = c->options->weights_order;
    if (order == WEIGHTS_ORDERS)
        order = c->graph->weights_order;
    const MemoryFile *memory = compilation_memory_file(c, path);
    if (memory) {
        c->weights_file = weights_bind_bytes(&c->arena, &c->diagnostics, c->graph, memory->name,
                                             memory->bytes, memory->size, order, span);
        return c->weights_file != NULL;
    }
    if (!compilation_may_read(c, path, span))
        return false;
    c->weights_file = weights_bind(&c->arena, &c->diagnostics, c->graph, path, order, span);
    return c->weights_file && file_set_guard_input(&c->files, path);
}

bool compilation_bind_weights(Compilation *c) {
    const char *path = c->options->weights;
    Span span = SPAN_NONE;
    if (!path && c->graph->weights_path) {
        span = c->graph->weights_span;
        path = named_weights(c);
        if (!path)
            return false;
    }
    c->weights_bound = path || c->graph->weights.count == 0;
    return !path || read_weights(c, path, span);
}

bool compilation_require_weights(Compilation *c) {
    if (c->weights_bound)
        return true;
    Diagnostic *d = diag_report(&c->diagnostics, DIAG_E0408, c->graph->name_span,
                                "`%s` has no weights to put into its code", c->graph->name);
    diag_help(&c->diagnostics, d,
              "name a file with `weights \"FILE.safetensors\"` or --weights=FILE; `netc init` "
              "makes one of random numbers");
    diag_help(&c->diagnostics, d,
              "or compile with --weights-mode=none and pass the weights at run time");
    return false;
}

bool compilation_inputs_unchanged(const Compilation *c) {
    return !c->weights_file || tensor_file_unchanged(c->weights_file);
}

/* ---- plans to machine code ------------------------------------------------------------------ */

/* Adds what a buffer takes to the share of its value, of which it may be the scratch memory. */
static void add_share(const Buffer *buffer, Metrics *metrics) {
    for (int i = 0; i < metrics->share_count; i++)
        if (strcmp(metrics->shares[i].value, buffer->name) == 0) {
            metrics->shares[i].bytes += buffer_bytes(buffer);
            return;
        }
    if (metrics->share_count < ARENA_MAX_SHARES)
        metrics->shares[metrics->share_count++] = (ArenaShare){buffer->name, buffer_bytes(buffer)};
}

/* What is in the arena of the processor that needs the largest. */
static void find_shares(const Compilation *c, Metrics *metrics) {
    const Buffer *largest[2 * ARENA_MAX_SHARES];
    for (size_t i = 0; i < c->variants.count && metrics->share_count == 0; i++) {
        const Plan *plan = c->variants.list[i].plan;
        int count = plan->arena_bytes == metrics->arena_bytes
                        ? plan_fullest(plan, largest, 2 * ARENA_MAX_SHARES)
                        : 0;
        for (int k = 0; k < count; k++)
            add_share(largest[k], metrics);
    }
}

bool compilation_make_plans(Compilation *c) {
    const CompileOptions *options = c->options;
    if (!targets_open(&c->arena, &c->diagnostics, options->target, options->cpu,
                      options->optimisation, &c->targets))
        return false;
    PlanOptions plan_options = {.exact = options->exact,
                                .keep = c->keep_values,
                                .threads = (int)options->threads,
                                .batch = (int64_t)options->batch};
    if (options->symbol_prefix)
        c->variants.symbol =
            arena_format(&c->arena, "%s%s", options->symbol_prefix, c->graph->name);
    for (size_t i = 0; i < c->targets.count; i++) {
        const Target *target = c->targets.data[i];
        const Plan *plan =
            plan_build(&c->arena, &c->diagnostics, c->graph, target->machine, &plan_options);
        if (!plan || !variants_add(&c->variants, &c->diagnostics, target, plan))
            return false;
    }
    Metrics metrics = {.count = &c->count, .arena_bytes = c->variants.arena_bytes};
    find_shares(c, &metrics);
    elaborate_check_asserts(&c->elaboration, c->graph, &metrics);
    return true;
}

/* Of the text of the file and all that it uses. */
static uint64_t hash_sources(const Compilation *c) {
    Hash hash = hash_start();
    for (size_t i = 0; i < c->used.count; i++)
        hash_add(&hash, c->used.data[i]->file->source->text, c->used.data[i]->file->source->length);
    return hash_end(&hash);
}

void compilation_generate(Compilation *c, bool hashed) {
    CodegenOptions *codegen = &c->codegen_options;
    codegen->weights_mode = c->options->weights_mode;
    codegen->debug = c->options->debug;
    codegen->prefix_maps = c->options->prefix_maps;
    codegen->source_hash = hash_sources(c);
    if (hashed && c->weights_bound && codegen->weights_mode != WEIGHTS_NONE)
        codegen->weights_hash = packed_hash(&c->variants);
    c->codegen = codegen_build(&c->variants, &c->sources, codegen);
}

bool compilation_packs_beside(const Compilation *c) {
    return c->options->weights_mode == WEIGHTS_EXTERN && c->weights_bound;
}

static bool write_header(Compilation *c, int index) {
    StrBuf text = {0};
    header_print(&c->variants, &c->count, &c->codegen_options, c->options->namespace, &text);
    bool done = file_set_write(&c->files, index, text.data, text.length);
    strbuf_free(&text);
    return done;
}

bool compilation_write_object(Compilation *c, const ObjectOutputs *outputs) {
    ObjectCode object;
    if (!codegen_make_object(c->codegen, &c->diagnostics, &object))
        return false;
    uint64_t *hash = &c->codegen_options.weights_hash;
    bool done;
    if (c->options->weights_mode == WEIGHTS_EMBED)
        done = packed_write_embedded(&c->variants, &object, &c->files, outputs->object, hash);
    else
        done = (outputs->packed < 0 ||
                packed_write_file(&c->variants, &object, &c->files, outputs->packed, hash)) &&
               file_set_write(&c->files, outputs->object, object.bytes, object.size);
    free(object.bytes);
    return done && write_header(c, outputs->header);
}
