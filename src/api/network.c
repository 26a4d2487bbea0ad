/* The stages behind a network's handle, what they made, and calls of it. */
#include "api/network.h"

#include <stdlib.h>
#include <string.h>

#include "output/diagnostics.h"

/* ---- stages --------------------------------------------------------------------------------- */

typedef enum Goal {
    GOAL_PLAN,
    GOAL_CHECK,
    GOAL_OBJECT,
    GOAL_CODE,
} Goal;

typedef struct Request {
    netc_network *network;
    const char *source;
    Goal goal;
} Request;

/* Plans come before weights, so that there is a report of a network whose weights are missing. */
static bool make_plans(Compilation *c, const char *source) {
    return compilation_read_source(c, source, source) && compilation_parse(c) &&
           compilation_make_graph(c) && compilation_count(c) && compilation_make_plans(c);
}

static bool needs_weights(const netc_network *network, Goal goal) {
    return goal == GOAL_CODE ||
           (goal == GOAL_OBJECT && network->options.weights_mode == WEIGHTS_EMBED);
}

static void make_object(netc_network *network) {
    Compilation *c = &network->compilation;
    StrBuf *artefacts = network->artefacts;
    ObjectOutputs outputs = {
        .object = file_set_open_memory(&c->files, &artefacts[NETC_OBJECT]),
        .header = file_set_open_memory(&c->files, &artefacts[NETC_HEADER]),
        .packed = -1,
    };
    if (compilation_packs_beside(c))
        outputs.packed = file_set_open_memory(&c->files, &artefacts[NETC_WEIGHTS_FILE]);
    compilation_generate(c, false);
    compilation_write_object(c, &outputs);
}

static void make(Request *request) {
    netc_network *network = request->network;
    Compilation *c = &network->compilation;
    if (!make_plans(c, request->source))
        return;
    network_show_report(network);
    if (request->goal == GOAL_PLAN || !compilation_bind_weights(c) ||
        (needs_weights(network, request->goal) && !compilation_require_weights(c)) ||
        !compilation_is_fine(c))
        return;
    if (request->goal == GOAL_OBJECT)
        make_object(network);
    else if (request->goal == GOAL_CODE)
        execution_begin(&network->execution, c, (StepMark){0});
    compilation_inputs_unchanged(c); /* or reports that they are not */
}

static netc_result result_of(const Diagnostics *diagnostics) {
    switch (diag_exit_status(diagnostics)) {
    case 0: return NETC_DONE;
    case 3: return NETC_UNREADABLE;
    default: return NETC_MISTAKE;
    }
}

static void do_request(void *context) {
    Request *request = context;
    netc_network *network = request->network;
    make(request);
    network_show_diagnostics(network);
    network->result = result_of(&network->compilation.diagnostics);
}

/* What is not shown later, and files that the caller may then take away. */
static void release(netc_network *network) {
    Compilation *c = &network->compilation;
    codegen_free(c->codegen);
    c->codegen = NULL;
    tensor_file_close(c->weights_file);
    c->weights_file = NULL;
    for (int i = 0; i < ARTEFACTS && network->result != NETC_DONE; i++)
        strbuf_free(&network->artefacts[i]);
}

/* What is wrong with the options for code that is run here; NULL: nothing. */
static const char *refuse_to_load(const CompileOptions *options) {
    if (options->target)
        return "code in this process is for this machine: option target is for netc_compile";
    if (options->batch > 1)
        return "code in this process does one sample a call: option batch is for netc_compile";
    if (options->cpu && strchr(options->cpu, ','))
        return "code in this process is for one processor: several are for netc_compile";
    return NULL;
}

static netc_network *start(const netc_compiler *compiler, const char *source, Goal goal) {
    netc_network *network = calloc(1, sizeof *network);
    if (!network)
        return NULL;
    network->options = compiler->options.compile;
    network->message = "";
    compilation_begin(&network->compilation, &network->options);
    const char *refused = goal == GOAL_CODE ? refuse_to_load(&network->options) : NULL;
    if (refused) {
        network->result = NETC_MISUSE;
        network->message = refused;
        return network;
    }
    if (goal == GOAL_CODE && !network->options.cpu)
        network->options.cpu = "native";
    Request request = {network, source, goal};
    if (!api_guard(do_request, &request, &network->failure)) {
        network->result = network->failure.kind == FAILURE_MEMORY ? NETC_NO_MEMORY : NETC_INTERNAL;
        network->message = network->failure.message;
    }
    release(network);
    return network;
}

netc_network *netc_plan(const netc_compiler *compiler, const char *source) {
    return start(compiler, source, GOAL_PLAN);
}

netc_network *netc_check(const netc_compiler *compiler, const char *source) {
    return start(compiler, source, GOAL_CHECK);
}

netc_network *netc_compile(const netc_compiler *compiler, const char *source) {
    return start(compiler, source, GOAL_OBJECT);
}

netc_network *netc_load(const netc_compiler *compiler, const char *source) {
    return start(compiler, source, GOAL_CODE);
}

static void end(void *context) {
    netc_network *network = context;
    execution_end(&network->execution);
    compilation_end(&network->compilation);
}

void netc_network_free(netc_network *network) {
    if (!network)
        return;
    Failure unloading; /* of code, where LLVM cannot: then what is left of it stays */
    failure_catch(end, network, &unloading);
    for (int i = 0; i < ARTEFACTS; i++)
        strbuf_free(&network->artefacts[i]);
    free(network);
}

netc_result netc_result_of(const netc_network *network) {
    return network->result;
}

const char *netc_message(const netc_network *network) {
    return network->message;
}

const netc_diagnostic *netc_diagnostics(const netc_network *network, size_t *count) {
    *count = network->diagnostic_count;
    return network->diagnostics;
}

const netc_report *netc_report_of(const netc_network *network) {
    return network->report;
}

/* ---- artefacts ------------------------------------------------------------------------------ */

typedef struct Writing {
    netc_network *network;
    netc_artefact artefact;
} Writing;

static void write_artefact(void *context) {
    Writing *writing = context;
    netc_network *network = writing->network;
    const Diagnostics *diagnostics = &network->compilation.diagnostics;
    Report *report = network->made;
    StrBuf *text = &network->artefacts[writing->artefact];
    if (writing->artefact >= NETC_REPORT_TEXT && !report)
        return;
    strbuf_add(text, ""); /* is there, even if nothing is to be said */
    switch (writing->artefact) {
    case NETC_OBJECT:
    case NETC_HEADER:
    case NETC_WEIGHTS_FILE: break; /* made, or not, by the stages */
    case NETC_MESSAGES_TEXT: diag_render_text(diagnostics, 0, false, text); break;
    case NETC_MESSAGES_COLOUR: diag_render_text(diagnostics, 0, true, text); break;
    case NETC_MESSAGES_JSON: diagnostics_json(diagnostics, text); break;
    case NETC_REPORT_TEXT: report_text(report, text); break;
    case NETC_REPORT_JSON:
        report->options.explain = true;
        report_json(report, text);
        report->options.explain = false;
        break;
    case NETC_REPORT_CSV: report_csv(report, text); break;
    case NETC_REPORT_MARKDOWN: report_markdown(report, text); break;
    case NETC_REPORT_HTML: report_html(report, text); break;
    }
}

const void *netc_bytes(netc_network *network, netc_artefact artefact, size_t *size) {
    StrBuf *text = &network->artefacts[artefact];
    Writing writing = {network, artefact};
    Failure failure;
    if (!text->data && artefact > NETC_WEIGHTS_FILE &&
        !api_guard(write_artefact, &writing, &failure))
        strbuf_free(text);
    if (size)
        *size = text->length;
    return text->data;
}

/* ---- calls ---------------------------------------------------------------------------------- */

netc_result netc_run(const netc_network *network, const void *const *inputs, float *const *outputs,
                     void *arena) {
    const Execution *execution = &network->execution;
    if (network->result != NETC_DONE || !execution->network ||
        (uintptr_t)arena % NETC_ARENA_ALIGNMENT != 0)
        return NETC_MISUSE;
    execution->network(inputs, outputs, execution->packed, arena ? arena : execution->arena,
                       execution->pool);
    return NETC_DONE;
}
