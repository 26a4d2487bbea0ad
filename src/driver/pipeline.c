#include "driver/pipeline.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver/compilation.h"
#include "output/diagnostics.h"
#include "output/diff.h"
#include "output/drawing.h"
#include "output/layer_help.h"
#include "output/packed_file.h"
#include "output/report.h"
#include "support/hash.h"
#include "syntax/parse.h"
#include "weights/bind.h"
#include "weights/path.h"

#define STATUS_DIFFERS 4 /* of diff, where 1 would be a mistake in a source */

/* ---- stages; each is false when the work cannot go on --------------------------------------- */

/* Puts the source text into the source map. */
static bool read_file(Compilation *c, const char *path) {
    const char *name = path;
    if (strcmp(path, "-") == 0)
        name = c->options->stdin_name ? c->options->stdin_name : "<stdin>";
    c->path = path;
    c->source = compilation_read(c, path, name, SPAN_NONE);
    return c->source != NULL;
}

static bool read_source(Compilation *c) {
    return read_file(c, c->options->source);
}

/* Source text to syntax tree. */
static bool parse(Compilation *c) {
    c->file = parse_file(&c->arena, &c->intern, &c->diagnostics, c->source);
    return !diag_has_errors(&c->diagnostics);
}

/* The trees of the files it uses. */
static bool parse_used(Compilation *c) {
    return compilation_read_used(c) && !diag_has_errors(&c->diagnostics);
}

/* Syntax trees to graphs, and the one network that is asked for. */
static bool make_graph(Compilation *c) {
    const Options *options = c->options;
    if (!parse_used(c))
        return false;
    c->elaboration = (Elaboration){&c->arena, &c->intern, &c->diagnostics, options->defines.data,
                                   options->defines.count};
    c->graphs = elaborate(&c->elaboration, c->file);
    if (diag_has_errors(&c->diagnostics))
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

/* Counts every network of the file and checks the asserts that need no plan. */
static bool count_and_check(Compilation *c) {
    for (size_t i = 0; i < c->graphs.count; i++) {
        GraphCount count;
        if (!graph_count(c->graphs.data[i], &c->diagnostics, &count))
            return false;
        if (c->graphs.data[i] == c->graph)
            c->count = count;
        Metrics metrics = {&count, -1};
        elaborate_check_asserts(&c->elaboration, c->graphs.data[i], &metrics);
    }
    return true;
}

/* Reads the weights file, if the network or the command line names one. */
static bool bind_weights(Compilation *c) {
    const Options *options = c->options;
    const char *path = options->weights;
    Span span = SPAN_NONE;
    if (!path && c->graph->weights_path) {
        span = c->graph->weights_span;
        path = weights_path_resolve(&c->arena, &c->diagnostics, span, c->path,
                                    c->graph->weights_path, options->allow_weights_outside);
        if (!path)
            return false;
    }
    c->weights_bound = path || c->graph->weights.count == 0;
    if (!path)
        return true;
    WeightsOrder order =
        options->weights_order < WEIGHTS_ORDERS ? options->weights_order : c->graph->weights_order;
    c->weights_file = weights_bind(&c->arena, &c->diagnostics, c->graph, path, order, span);
    return c->weights_file && file_set_guard_input(&c->files, path);
}

/* Weights must be there before they can be put into an object. */
static bool require_weights(Compilation *c) {
    if (c->weights_bound || c->options->weights_mode != WEIGHTS_EMBED)
        return true;
    Diagnostic *d = diag_report(&c->diagnostics, DIAG_E0408, c->graph->name_span,
                                "`%s` has no weights to put into the object", c->graph->name);
    diag_help(&c->diagnostics, d,
              "name a file with `weights \"FILE.safetensors\"` or --weights=FILE; `netc init` "
              "makes one of random numbers");
    diag_help(&c->diagnostics, d,
              "or compile with --weights-mode=none and pass the weights at run time");
    return false;
}

/* For each processor a target and a plan; and the asserts that need them. */
static bool make_plans(Compilation *c) {
    const Options *options = c->options;
    const char *cpus = options->verb == VERB_BENCH && !options->cpu ? "native" : options->cpu;
    if (!targets_open(&c->arena, &c->diagnostics, options->target, cpus, options->optimisation,
                      &c->targets))
        return false;
    PlanOptions plan_options = {
        .exact = options->exact, .keep = options->compare_layers, .threads = (int)options->threads};
    for (size_t i = 0; i < c->targets.count; i++) {
        const Target *target = c->targets.data[i];
        const Plan *plan =
            plan_build(&c->arena, &c->diagnostics, c->graph, target->machine, &plan_options);
        if (!plan || !variants_add(&c->variants, &c->diagnostics, target, plan))
            return false;
    }
    Metrics metrics = {&c->count, c->variants.arena_bytes};
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

/* Plans to LLVM module. The weights of an object are packed, and their hash put in, when it is
 * written. */
static void generate(Compilation *c) {
    bool is_object = c->options->emit == STAGE_OBJECT;
    CodegenOptions *codegen = &c->codegen_options;
    codegen->weights_mode = c->options->weights_mode;
    codegen->debug = c->options->debug;
    codegen->source_hash = hash_sources(c);
    if (c->weights_bound && codegen->weights_mode != WEIGHTS_NONE && !is_object)
        codegen->weights_hash = packed_hash(&c->variants);
    c->codegen = codegen_build(&c->variants, &c->sources, codegen);
}

/* ---- verbs ---------------------------------------------------------------------------------- */

static bool fine(const Compilation *c) {
    return !diag_has_errors(&c->diagnostics);
}

/* Each under the processor it is for, if there are several. */
static void print_plans(const Compilation *c, StrBuf *text) {
    for (size_t i = 0; i < c->variants.count; i++) {
        const Variant *variant = &c->variants.list[i];
        if (c->variants.count > 1)
            strbuf_format(text, "%sprocessor %s\n", i > 0 ? "\n" : "", variant->target->cpu);
        plan_print(variant->plan, text);
    }
}

/* Every stage up to `last`, which writes what it made into `text`; only the object goes to a file.
 */
static bool compile_to(Compilation *c, Stage last, StrBuf *text) {
    if (!read_source(c))
        return false;
    if (last == STAGE_TOKENS) {
        parse_print_tokens(&c->arena, &c->intern, &c->diagnostics, c->source, text);
        return true;
    }
    if (!parse(c))
        return false;
    if (last == STAGE_AST) {
        ast_print(c->file, text);
        return true;
    }
    if (!make_graph(c) || !count_and_check(c))
        return false;
    if (last == STAGE_GRAPH) {
        graph_print(c->graph, text);
        return true;
    }
    if (!make_plans(c))
        return false;
    if (last == STAGE_PLAN) {
        print_plans(c, text);
        return true;
    }
    if (!fine(c) || !bind_weights(c) || (last == STAGE_OBJECT && !require_weights(c)) || !fine(c))
        return false;
    generate(c);
    if (last == STAGE_LLVM)
        codegen_print_llvm(c->codegen, text);
    else if (last == STAGE_ASM)
        codegen_print_asm(c->codegen, text);
    else
        return outputs_write_object(c);
    return true;
}

static bool compile(Compilation *c) {
    StrBuf text = {0};
    bool done = compile_to(c, c->options->emit, &text) && fine(c);
    if (done && c->options->emit != STAGE_OBJECT)
        done = outputs_write_text(c, &text);
    strbuf_free(&text);
    return done;
}

static bool check(Compilation *c) {
    return read_source(c) && parse(c) && make_graph(c) && count_and_check(c) && bind_weights(c) &&
           make_plans(c);
}

static void write_report(const Report *report, Format format, StrBuf *text) {
    switch (format) {
    case FORMAT_TEXT: report_text(report, text); break;
    case FORMAT_JSON: report_json(report, text); break;
    case FORMAT_CSV: report_csv(report, text); break;
    case FORMAT_MARKDOWN: report_markdown(report, text); break;
    case FORMAT_HTML: report_html(report, text); break;
    case FORMAT_SVG:
    case FORMAT_DOT: assert(false); /* of other verbs; options_parse refuses them */
    }
}

/* A report is shown also where an assert fails: it says why. */
static bool show_report(Compilation *c) {
    if (!(read_source(c) && parse(c) && make_graph(c) && count_and_check(c) && make_plans(c)))
        return false;
    const char *path = c->options->explain;
    ReportOptions options = {.columns = c->options->column_list,
                             .depth = c->options->depth,
                             .explain = path != NULL,
                             .path = path && path[0] ? path : NULL};
    const Report *report = report_make(&c->variants, &c->count, &options, &c->diagnostics);
    if (!report)
        return false;
    StrBuf text = {0};
    write_report(report, c->options->format, &text);
    bool done = outputs_write_text(c, &text);
    strbuf_free(&text);
    return done;
}

/* Every stage up to a plan and weights, which are random where no file is named. */
static bool prepare_to_run(Compilation *c) {
    if (!(read_source(c) && parse(c) && make_graph(c) && count_and_check(c) && bind_weights(c) &&
          make_plans(c) && fine(c)))
        return false;
    if (!c->weights_bound) {
        if (c->options->messages == MESSAGES_TEXT)
            fprintf(stderr,
                    "netc: `%s` names no weights file: running with random ones, seed %llu\n",
                    c->graph->name, (unsigned long long)c->options->seed);
        weights_random(&c->arena, c->graph, c->options->seed);
        c->weights_bound = true;
    }
    return true;
}

static bool run(Compilation *c) {
    return prepare_to_run(c) && run_network(c);
}

static bool bench(Compilation *c) {
    return prepare_to_run(c) && bench_network(c);
}

static bool init(Compilation *c) {
    if (!(read_source(c) && parse(c) && make_graph(c) && count_and_check(c) && fine(c)))
        return false;
    weights_random(&c->arena, c->graph, c->options->seed);
    StrBuf text = {0};
    weights_write_safetensors(c->graph, &text);
    bool done = outputs_write_text(c, &text);
    strbuf_free(&text);
    return done;
}

/* A picture needs neither weights nor a plan. */
static bool draw(Compilation *c) {
    if (!(read_source(c) && parse(c) && make_graph(c) && count_and_check(c)))
        return false;
    StrBuf text = {0};
    DrawingOptions options = {.depth = c->options->depth};
    (c->options->format == FORMAT_DOT ? drawing_dot : drawing_svg)(c->graph, &c->count, &options,
                                                                   &text);
    bool done = outputs_write_text(c, &text);
    strbuf_free(&text);
    return done;
}

/* One of the networks that are compared; whether it keeps its own budgets is not asked. */
static bool read_side(Compilation *c, const char *path, DiffSide *side, GraphCount *count) {
    if (!(read_file(c, path) && parse(c) && make_graph(c) &&
          graph_count(c->graph, &c->diagnostics, count)))
        return false;
    *side = (DiffSide){c->source->name, c->graph, count};
    return true;
}

static bool diff(Compilation *c) {
    DiffSide old, new;
    GraphCount old_count, new_count;
    if (!(read_side(c, c->options->source, &old, &old_count) &&
          read_side(c, c->options->other, &new, &new_count)))
        return false;
    Diff changes = diff_make(&c->arena, &old, &new);
    c->differs = !diff_is_same(&changes);
    StrBuf text = {0};
    (c->options->format == FORMAT_JSON ? diff_json : diff_text)(&changes, &text);
    bool done = outputs_write_text(c, &text);
    strbuf_free(&text);
    return done;
}

/* All layers, or the one that stands where other verbs have a file. */
static bool layers(Compilation *c) {
    const char *name = c->options->source;
    const LayerInfo *layer = name ? layer_find(name) : NULL;
    bool markdown = c->options->format == FORMAT_MARKDOWN;
    if (name && !layer) {
        diag_report(&c->diagnostics, DIAG_E0301, SPAN_NONE, "there is no layer called `%s`", name);
        return false;
    }
    StrBuf text = {0};
    if (layer)
        (markdown ? layer_help_markdown : layer_help_text)(layer, &text);
    else
        (markdown ? layer_help_page : layer_help_list)(&text);
    bool done = outputs_write_text(c, &text);
    strbuf_free(&text);
    return done;
}

static bool help(Compilation *c) {
    StrBuf text = {0};
    if (c->options->help != HELP_FORMS)
        options_help(c->options->help, &text);
    else
        strbuf_add(&text, "netc " NETC_VERSION ", LLVM " NETC_LLVM_VERSION "\n");
    bool done = outputs_write_text(c, &text);
    strbuf_free(&text);
    return done;
}

static bool dispatch(Compilation *c) {
    if (options_only_show(c->options))
        return help(c);
    switch (c->options->verb) {
    case VERB_COMPILE: return compile(c);
    case VERB_CHECK: return check(c);
    case VERB_REPORT: return show_report(c);
    case VERB_RUN: return run(c);
    case VERB_BENCH: return bench(c);
    case VERB_INIT: return init(c);
    case VERB_DRAW: return draw(c);
    case VERB_DIFF: return diff(c);
    case VERB_FORMAT: return format_files(c);
    case VERB_LAYERS: return layers(c);
    }
    return false;
}

static void show_diagnostics(Compilation *c) {
    bool colour =
        c->options->colour == COLOUR_ALWAYS ||
        (c->options->colour == COLOUR_AUTO && isatty(STDERR_FILENO) && !getenv("NO_COLOR"));
    StrBuf text = {0};
    diag_sort(&c->diagnostics);
    switch (c->options->messages) {
    case MESSAGES_TEXT:
        diag_render_text(&c->diagnostics, (size_t)c->options->error_limit, colour, &text);
        break;
    case MESSAGES_SHORT: diagnostics_short(&c->diagnostics, &text); break;
    case MESSAGES_JSON: diagnostics_json(&c->diagnostics, &text); break;
    case MESSAGES_GITHUB: diagnostics_github(&c->diagnostics, &text); break;
    }
    fputs(strbuf_text(&text), stderr);
    strbuf_free(&text);
}

int pipeline_run(const Options *options) {
    Compilation c = {.options = options};
    c.intern.arena = c.sources.arena = c.diagnostics.arena = c.files.arena = &c.arena;
    c.diagnostics.sources = &c.sources;
    c.files.diagnostics = &c.diagnostics;
    c.files.keep_unchanged = options->write_if_changed;

    bool done =
        dispatch(&c) && fine(&c) && (!c.weights_file || tensor_file_unchanged(c.weights_file));
    if (done)
        file_set_commit(&c.files);
    else
        file_set_abandon(&c.files);
    show_diagnostics(&c);
    int status = diag_exit_status(&c.diagnostics);
    if (status == 0 && c.differs)
        status = STATUS_DIFFERS;

    codegen_free(c.codegen);
    targets_close(&c.targets);
    if (c.weights_file)
        tensor_file_close(c.weights_file);
    arena_free(&c.arena);
    return status;
}
