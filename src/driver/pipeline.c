#include "driver/pipeline.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "driver/verbs.h"
#include "lsp/lsp.h"
#include "output/diff.h"
#include "output/drawing.h"
#include "output/explain.h"
#include "output/layer_help.h"
#include "output/report.h"
#include "syntax/parse.h"
#include "weights/bind.h"

#define STATUS_DIFFERS 4 /* of diff, where 1 would be a mistake in a source */

static bool read_file(Compilation *c, const Options *options, const char *path) {
    const char *name = path;
    if (strcmp(path, "-") == 0)
        name = options->stdin_name ? options->stdin_name : "<stdin>";
    return compilation_read_source(c, path, name);
}

static bool read_source(Compilation *c, const Options *options) {
    return read_file(c, options, options->source);
}

/* Source text to the graph of the network that is asked for, counted. */
static bool make_graph(Compilation *c, const Options *options) {
    return read_source(c, options) && compilation_parse(c) && compilation_make_graph(c) &&
           compilation_count(c);
}

/* Weights must be there before they can be put into an object. */
static bool has_what_it_embeds(Compilation *c) {
    return c->options->weights_mode != WEIGHTS_EMBED || compilation_require_weights(c);
}

/* ---- verbs ---------------------------------------------------------------------------------- */

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
static bool compile_to(Compilation *c, const Options *options, StrBuf *text) {
    Stage last = options->emit;
    if (!read_source(c, options))
        return false;
    if (last == STAGE_TOKENS) {
        parse_print_tokens(&c->arena, &c->intern, &c->diagnostics, c->source, text);
        return true;
    }
    if (!compilation_parse(c))
        return false;
    if (last == STAGE_AST) {
        ast_print(c->file, text);
        return true;
    }
    if (!compilation_make_graph(c) || !compilation_count(c))
        return false;
    if (last == STAGE_GRAPH) {
        graph_print(c->graph, text);
        return true;
    }
    if (!compilation_make_plans(c))
        return false;
    if (last == STAGE_PLAN) {
        print_plans(c, text);
        return true;
    }
    if (!compilation_is_fine(c) || !compilation_bind_weights(c) ||
        (last == STAGE_OBJECT && !has_what_it_embeds(c)) || !compilation_is_fine(c))
        return false;
    compilation_generate(c, last != STAGE_OBJECT);
    if (last == STAGE_LLVM)
        codegen_print_llvm(c->codegen, text);
    else if (last == STAGE_ASM)
        codegen_print_asm(c->codegen, text);
    else
        return outputs_write_object(c, options);
    return true;
}

static bool compile(Compilation *c, const Options *options) {
    StrBuf text = {0};
    bool done = compile_to(c, options, &text) && compilation_is_fine(c);
    if (done && options->emit != STAGE_OBJECT)
        done = outputs_write_text(c, options, &text);
    strbuf_free(&text);
    return done;
}

static bool check(Compilation *c, const Options *options) {
    return make_graph(c, options) && compilation_bind_weights(c) && compilation_make_plans(c);
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
static bool show_report(Compilation *c, const Options *options) {
    if (!(make_graph(c, options) && compilation_make_plans(c)))
        return false;
    const char *path = options->explain;
    ReportOptions shown = {.columns = options->column_list,
                           .depth = options->depth,
                           .explain = path != NULL,
                           .path = path && path[0] ? path : NULL};
    const Report *report = report_make(&c->variants, &c->count, &shown, &c->diagnostics);
    if (!report)
        return false;
    StrBuf text = {0};
    write_report(report, options->format, &text);
    bool done = outputs_write_text(c, options, &text);
    strbuf_free(&text);
    return done;
}

/* Every stage up to a plan and weights, which are random where no file is named. */
static bool prepare_to_run(Compilation *c, const Options *options) {
    if (!(make_graph(c, options) && compilation_bind_weights(c) && compilation_make_plans(c) &&
          compilation_is_fine(c)))
        return false;
    if (!c->weights_bound) {
        if (options->messages == MESSAGES_TEXT)
            fprintf(stderr,
                    "netc: `%s` names no weights file: running with random ones, seed %llu\n",
                    c->graph->name, (unsigned long long)options->seed);
        weights_random(&c->arena, c->graph, options->seed);
        c->weights_bound = true;
    }
    return true;
}

static bool run(Compilation *c, const Options *options) {
    return prepare_to_run(c, options) && run_network(c, options);
}

static bool bench(Compilation *c, const Options *options) {
    return prepare_to_run(c, options) && bench_network(c, options);
}

static bool init(Compilation *c, const Options *options) {
    if (!(make_graph(c, options) && compilation_is_fine(c)))
        return false;
    weights_random(&c->arena, c->graph, options->seed);
    StrBuf text = {0};
    weights_write_safetensors(c->graph, &text);
    bool done = outputs_write_text(c, options, &text);
    strbuf_free(&text);
    return done;
}

/* A picture needs neither weights nor a plan. */
static bool draw(Compilation *c, const Options *options) {
    if (!make_graph(c, options))
        return false;
    StrBuf text = {0};
    DrawingOptions shown = {.depth = options->depth};
    (options->format == FORMAT_DOT ? drawing_dot : drawing_svg)(c->graph, &c->count, &shown, &text);
    bool done = outputs_write_text(c, options, &text);
    strbuf_free(&text);
    return done;
}

/* One of the networks that are compared; whether it keeps its own budgets is not asked. */
static bool read_side(Compilation *c, const Options *options, const char *path, DiffSide *side,
                      GraphCount *count) {
    if (!(read_file(c, options, path) && compilation_parse(c) && compilation_make_graph(c) &&
          graph_count(c->graph, &c->diagnostics, count)))
        return false;
    *side = (DiffSide){c->source->name, c->graph, count};
    return true;
}

static bool diff(Compilation *c, const Options *options, bool *differs) {
    DiffSide old, new;
    GraphCount old_count, new_count;
    if (!(read_side(c, options, options->source, &old, &old_count) &&
          read_side(c, options, options->other, &new, &new_count)))
        return false;
    Diff changes = diff_make(&c->arena, &old, &new);
    *differs = !diff_is_same(&changes);
    StrBuf text = {0};
    (options->format == FORMAT_JSON ? diff_json : diff_text)(&changes, &text);
    bool done = outputs_write_text(c, options, &text);
    strbuf_free(&text);
    return done;
}

/* All layers, or the one that stands where other verbs have a file. */
static bool layers(Compilation *c, const Options *options) {
    const char *name = options->source;
    const LayerInfo *layer = name ? layer_find(name) : NULL;
    bool markdown = options->format == FORMAT_MARKDOWN;
    if (name && !layer) {
        diag_report(&c->diagnostics, DIAG_E0301, SPAN_NONE, "there is no layer called `%s`", name);
        return false;
    }
    StrBuf text = {0};
    if (layer)
        (markdown ? layer_help_markdown : layer_help_text)(layer, &text);
    else
        (markdown ? layer_help_page : layer_help_list)(&text);
    bool done = outputs_write_text(c, options, &text);
    strbuf_free(&text);
    return done;
}

/* All codes, or the one that stands where other verbs have a file. */
static bool explain(Compilation *c, const Options *options) {
    DiagCode code = options->code;
    bool markdown = options->format == FORMAT_MARKDOWN;
    StrBuf text = {0};
    if (code < DIAG_CODE_COUNT)
        (markdown ? explain_markdown : explain_text)(code, &text);
    else
        (markdown ? explain_page : explain_list)(&text);
    bool done = outputs_write_text(c, options, &text);
    strbuf_free(&text);
    return done;
}

static bool help(Compilation *c, const Options *options) {
    StrBuf text = {0};
    if (options->help != HELP_FORMS)
        options_help(options->help, &text);
    else if (options->version == VERSION_JSON)
        version_json(&c->arena, options, &text);
    else
        version_text(&c->arena, options, &text);
    bool done = outputs_write_text(c, options, &text);
    strbuf_free(&text);
    return done;
}

/* `differs`: whether `netc diff` found the networks to be other ones. */
static bool dispatch(Compilation *c, const Options *options, bool *differs) {
    if (options_only_show(options))
        return help(c, options);
    switch (options->verb) {
    case VERB_COMPILE: return compile(c, options);
    case VERB_CHECK: return check(c, options);
    case VERB_REPORT: return show_report(c, options);
    case VERB_RUN: return run(c, options);
    case VERB_BENCH: return bench(c, options);
    case VERB_INIT: return init(c, options);
    case VERB_DRAW: return draw(c, options);
    case VERB_DIFF: return diff(c, options, differs);
    case VERB_FORMAT: return format_files(c, options);
    case VERB_SOLVE: return read_source(c, options) && solve(c, options);
    case VERB_LAYERS: return layers(c, options);
    case VERB_EXPLAIN: return explain(c, options);
    case VERB_LSP: break; /* it makes compilations of its own */
    }
    return false;
}

/* One run from argv to messages. */
typedef struct Run {
    const Options *options;
    Compilation compilation;
    bool fixed; /* --fix changed a file: nothing was shown, and the status says nothing */
    int status;
} Run;

static void run_all(void *context) {
    Run *run = context;
    const Options *options = run->options;
    Compilation *c = &run->compilation;
    compilation_begin(c, &options->compile);
    bool differs = false;
    bool done = dispatch(c, options, &differs) && compilation_inputs_unchanged(c);
    diag_apply_levels(&c->diagnostics, options->levels);
    if (done && compilation_is_fine(c))
        file_set_commit(&c->files);
    else
        file_set_abandon(&c->files);
    run->fixed = options->fix && fixes_apply(c, options);
    if (!run->fixed)
        messages_show(c, options);
    run->status = diag_exit_status(&c->diagnostics);
    if (run->status == 0 && differs)
        run->status = STATUS_DIFFERS;
    compilation_end(c);
}

/* After a failure the compilation is left as it is: who knows what state it is in. */
static int run_once(const Options *options, bool *fixed) {
    Run run = {.options = options,
               .compilation = {.keep_values = options->compare_layers,
                               .files.keep_unchanged = options->write_if_changed}};
    Failure failure;
    if (!failure_catch(run_all, &run, &failure))
        run.status = crash_report(&run.compilation, options, &failure);
    *fixed = run.fixed;
    return run.status;
}

/* The same, and again for what the changed files have to say. */
static int run_and_fix(const Options *options) {
    bool fixed;
    int status = run_once(options, &fixed);
    if (!fixed)
        return status;
    Options again = *options;
    again.fix = NULL;
    return run_once(&again, &fixed);
}

/* Each file by itself; the status is that of the worst. */
static int check_several(const Options *options) {
    int worst = 0;
    for (size_t i = 0; i < options->sources.count; i++) {
        Options one = *options;
        one.source = options->sources.data[i];
        int status = run_and_fix(&one);
        if (status > worst)
            worst = status;
    }
    return worst;
}

int pipeline_run(const Options *options) {
    if (options->verb == VERB_LSP && !options_only_show(options))
        return lsp_serve(STDIN_FILENO, STDOUT_FILENO);
    bool several = options->verb == VERB_CHECK && options->sources.count > 0;
    return several ? check_several(options) : run_and_fix(options);
}
