/* What a step or a name is, and what follows from it. */
#include "graph/count.h"
#include "lsp/server.h"
#include "lsp/text.h"
#include "output/json_value.h"
#include "output/layer_help.h"
#include "output/report_cells.h"

/* ---- values --------------------------------------------------------------------------------- */

static void print_tensors(const Datum *datum, StrBuf *out) {
    if (datum->kind == DATUM_TENSOR && !datum->tensor->poisoned) {
        type_print(&datum->tensor->type, out);
    } else if (datum->kind == DATUM_TUPLE) {
        strbuf_add(out, "(");
        for (size_t i = 0; i < datum->tuple.count; i++) {
            strbuf_add(out, i > 0 ? ", " : "");
            print_tensors(&datum->tuple.items[i], out);
        }
        strbuf_add(out, ")");
    } else {
        strbuf_add(out, "?");
    }
}

void print_value(const Datum *datum, StrBuf *out) {
    if (datum_is_tensors(datum))
        print_tensors(datum, out);
    else
        datum_print(datum, out);
}

static bool is_nothing(const Datum *datum) {
    return datum->kind == DATUM_TUPLE && datum->tuple.count == 0;
}

/* "width = 64", "image: u8[1, 28, 28]" */
static void print_name(const char *name, size_t length, const Datum *datum, StrBuf *out) {
    strbuf_format(out, "```net\n%.*s%s", (int)length, name, datum_is_tensors(datum) ? ": " : " = ");
    print_value(datum, out);
    strbuf_add(out, "\n```\n");
}

/* ---- figures -------------------------------------------------------------------------------- */

/* The sums over layers; a formula where it is one. */
static void print_figure(const char *name, int64_t figure, const Meaning *meaning,
                         void (*formula)(const Node *node, StrBuf *out), StrBuf *out) {
    if (figure == 0)
        return;
    strbuf_format(out, "- %s: ", name);
    if (meaning->node_end - meaning->node_begin == 1) {
        strbuf_add(out, "`");
        formula(meaning->graph->nodes.data[meaning->node_begin], out);
        strbuf_add(out, "`\n");
    } else {
        strbuf_add_count(out, figure, ',');
        strbuf_add(out, "\n");
    }
}

/* Only of a graph without mistakes: it has been counted whole before, so no sum overflows. */
static void print_figures(const Meaning *meaning, const GraphCount *count, StrBuf *out) {
    NodeCount sum = {0};
    for (size_t i = meaning->node_begin; i < meaning->node_end; i++) {
        sum.trainable += count->nodes[i].trainable;
        sum.frozen += count->nodes[i].frozen;
        sum.macs += count->nodes[i].macs;
        sum.operations += count->nodes[i].operations;
    }
    print_figure("parameters", sum.trainable + sum.frozen, meaning, count_parameter_formula, out);
    print_figure("multiply-accumulates", sum.macs, meaning, count_mac_formula, out);
    print_figure("other operations", sum.operations, meaning, count_operation_formula, out);
}

/* The network whose name is at an offset, if it has no mistake; NULL: none. */
static const Graph *network_at(const Analysis *analysis, uint32_t offset) {
    const GraphList *graphs = &analysis->compilation.graphs;
    for (size_t i = 0; i < graphs->count; i++) {
        Span name = graphs->data[i]->name_span;
        if (name.begin <= offset && offset <= name.end)
            return analysis_count(analysis, graphs->data[i]) ? graphs->data[i] : NULL;
    }
    return NULL;
}

static void print_network(const Analysis *analysis, const Graph *graph, StrBuf *out) {
    Meaning all = {.graph = graph, .node_end = graph->nodes.count};
    strbuf_add(out, "```net\n");
    report_signature(graph, out);
    strbuf_add(out, "\n```\n");
    print_figures(&all, analysis_count(analysis, graph), out);
}

/* ---- steps ---------------------------------------------------------------------------------- */

static const Node *only_node(const Meaning *meaning) {
    return meaning->node_end - meaning->node_begin == 1
               ? meaning->graph->nodes.data[meaning->node_begin]
               : NULL;
}

/* What the argument under the cursor is for, if one is. */
static void print_argument(const LayerInfo *layer, Word word, StrBuf *out) {
    for (int i = 0; i < layer->attribute_count; i++)
        if (word_is(word, layer->attributes[i].name))
            strbuf_format(out, "`%s`: %s\n\n", layer->attributes[i].name,
                          layer->attributes[i].help);
}

static void print_shapes(const Meaning *meaning, StrBuf *out) {
    const Node *node = only_node(meaning);
    strbuf_add(out, "`");
    if (!is_nothing(&meaning->incoming)) {
        print_tensors(&meaning->incoming, out);
        strbuf_add(out, " -> ");
    } else if (node) {
        for (size_t i = 0; i < node->input_count; i++) {
            Datum input = node->inputs[i] ? datum_tensor(node->inputs[i]) : DATUM_UNKNOWN;
            strbuf_add(out, i > 0 ? ", " : "");
            print_tensors(&input, out);
        }
        strbuf_add(out, node->input_count > 0 ? " -> " : "");
    }
    print_tensors(&meaning->datum, out);
    strbuf_add(out, "`");
}

/* A text that is expanded several times shows the first of them. */
static void print_expansions(const Analysis *analysis, const Meaning *meaning, StrBuf *out) {
    size_t count = meanings_of_text(&analysis->meanings, meaning);
    if (count > 1)
        strbuf_format(out, " in the first of %zu expansions", count);
}

static void print_step(const Analysis *analysis, const Meaning *meaning, Word word, StrBuf *out) {
    const Node *node = only_node(meaning);
    bool is_layer = node && meaning->kind != MEANING_STEPS;
    if (is_layer)
        print_argument(node->layer, word, out);
    if (node && !node->outputs[0]->poisoned) {
        strbuf_format(out, "```net\n%s: ", node->path);
        graph_print_call(node, out);
        strbuf_add(out, "\n```\n");
    }
    print_shapes(meaning, out);
    print_expansions(analysis, meaning, out);
    strbuf_add(out, "\n\n");
    const GraphCount *count = analysis_count(analysis, meaning->graph);
    if (count)
        print_figures(meaning, count, out);
    if (is_layer)
        strbuf_format(out, "\n`%s`: %s\n", node->layer->name, node->layer->summary);
}

/* ---- the request ---------------------------------------------------------------------------- */

static json_t *hover_json(const Server *server, const Analysis *analysis, Span span, StrBuf *text) {
    json_t *hover =
        json_pack("{s:{s:s, s:o}, s:o}", "contents", "kind", "markdown", "value",
                  json_text(strbuf_text(text)), "range",
                  position_range(server->encoding, &analysis->compilation.sources, span));
    strbuf_free(text);
    return hover;
}

/* A layer is one where nothing else is known: behind a mistake, or in a block that nobody uses. */
static json_t *hover_layer(const Server *server, const Analysis *analysis, Word word) {
    const LayerInfo *layer = word_layer(word);
    if (!layer)
        return json_null();
    StrBuf text = {0};
    layer_help_markdown(layer, &text);
    return hover_json(server, analysis, word.span, &text);
}

json_t *serve_hover(Server *server, const json_t *params, Refusal *refusal) {
    RequestPlace place;
    if (!request_place(server, params, &place, refusal))
        return NULL;
    const Analysis *analysis = place.analysis;
    const Source *source = analysis->compilation.source;
    StrBuf text = {0};
    const Graph *network = network_at(analysis, place.offset);
    if (network) {
        print_network(analysis, network, &text);
        return hover_json(server, analysis, network->name_span, &text);
    }
    Word word = word_at(source, place.offset);
    const Meaning *meaning = meanings_find(&analysis->meanings, place.offset);
    bool within = meaning && meaning->kind == MEANING_STEPS && word.length > 0 &&
                  word.span.begin > meaning->span.begin + 1; /* not its label, quoted or not */
    if (!meaning || within)
        return hover_layer(server, analysis, word);
    if (meaning->kind == MEANING_NAME && meaning->datum.kind == DATUM_POISON)
        return json_null();
    if (meaning->kind == MEANING_NAME) {
        size_t length;
        const char *name = source_text(&analysis->compilation.sources, meaning->span, &length);
        print_name(name, length, &meaning->datum, &text);
        print_expansions(analysis, meaning, &text);
    } else {
        print_step(analysis, meaning, word, &text);
    }
    return hover_json(server, analysis, meaning->span, &text);
}
