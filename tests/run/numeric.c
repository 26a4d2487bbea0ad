/* The numeric test: networks, compiled for a processor, against the float64 reference.
 *
 *     numeric --cpu NAME FILE.net...            compile in this process, run, compare; NAME may
 *                                               be several, of which that of this machine runs
 *     numeric --target T --write FOLDER FILE... write objects and data for another machine
 *     numeric --check FOLDER FILE...            compare what that machine computed (foreign.c)
 *     numeric --cpu NAME --threads N FILE...    the first, and then the same bits by N threads
 *     numeric --cpu NAME --batch N FILE...      the first, with N samples a call; with --threads
 *                                               too
 *
 * Every network of every file is run with random weights and inputs, twice: once with all buffers
 * ending at a guard page and the arena full of NaN, once beginning at one and the arena full of
 * zeros. Both runs must give the same bits, and each value must be within its derived bound.
 *
 * `--special` before the files strews numbers over the inputs, and at last over the weights, that
 * arithmetic treats in its own way (special_mixes): in this process each mix in turn, else the
 * first only. Results that are not finite must be of the reference's class: NaN, +Inf or -Inf.
 *
 * With --threads each step that can have parts has them, however small it is. A pool of N threads
 * must give the bits that one thread gives; so must, of some of the networks, one of more, one of
 * fewer and none. With --batch each sample is compared with the reference by itself. `--share K/N`
 * before the files leaves all of their networks out but those that share number K of N has. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthreadpool.h>

#include "codegen/codegen.h"
#include "foreign.h"
#include "graph/elaborate.h"
#include "guarded.h"
#include "reference/reference.h"
#include "support/clock.h"
#include "support/random.h"
#include "syntax/parse.h"
#include "weights/bind.h"

typedef enum Mode { MODE_RUN, MODE_WRITE, MODE_CHECK } Mode;

typedef struct Suite {
    Mode mode;
    const char *cpu;
    const char *triple;
    const char *folder;
    bool special;
    unsigned share, shares; /* which networks of a file */
    int threads;            /* 0: one */
    int64_t batch;          /* 1: no sample axis */
    int networks;
    int shared;   /* networks of which a step was done by several threads */
    int together; /* networks of which a step did all samples together */
    int banded;   /* networks that can be done in bands */
    int failures;
    int64_t classes; /* results that the reference says are NaN or infinite */
} Suite;

typedef enum Strewing {
    STREW_FEW,     /* over a few elements of each input */
    STREW_MANY,    /* over half of them */
    STREW_WEIGHTS, /* over a few of each kernel and bias, for good: stands last */
} Strewing;

typedef struct Mix {
    const char *name;
    Strewing where;
    uint32_t count;
    float numbers[10];
} Mix;

static const Mix special_mixes[] = {
    {"all",
     STREW_FEW,
     9,
     {NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, 0x1p-149F, -0x1p-127F, 0, -0.0F}},
    {"NaN", STREW_FEW, 2, {NAN, -NAN}},
    {"+Inf", STREW_FEW, 1, {INFINITY}},
    {"-Inf", STREW_FEW, 1, {-INFINITY}},
    {"largest", STREW_FEW, 2, {FLT_MAX, -FLT_MAX}},
    {"smallest",
     STREW_MANY,
     8,
     {0x1p-149F, -0x1p-149F, 0x1.8p-140F, -0x1p-127F, FLT_MIN, -FLT_MIN, 0, -0.0F}},
    {"weights", STREW_WEIGHTS, 3, {NAN, INFINITY, -INFINITY}},
};

/* Networks of which one is also run with pools that do not have one thread for each part: where
 * there are more threads than processors, a pool takes long. */
#define OTHER_POOLS_EVERY 10

/* A thread that is late, is so by this. */
#define LATE_SECONDS 20e-6

#define SPECIAL_MIXES (sizeof special_mixes / sizeof *special_mixes)

/* One network under test. */
typedef struct Case {
    Suite *suite;
    Arena *arena;
    Diagnostics *diagnostics;
    const SourceMap *sources;
    const TargetList *targets;
    Graph *graph;
    Variants variants;
    const Mix *mix; /* NULL: normal numbers only */
    uint64_t seed;
    Guarded packed;
    float **inputs;      /* random elements of each input, of all samples */
    float **outputs;     /* of the last run */
    PlanOptions options; /* of the plan */
} Case;

static void fail(Case *c, const char *what) {
    printf("FAILED %s (%s%s%s): %s\n", c->graph->name, c->suite->cpu ? c->suite->cpu : "baseline",
           c->mix ? ", " : "", c->mix ? c->mix->name : "", what);
    c->suite->failures++;
}

/* Of all samples. */
static int64_t elements_of(const Case *c, const Value *value) {
    return c->suite->batch * shape_elements(&value->type.shape);
}

static size_t bytes_of(const Case *c, const Value *value) {
    return (size_t)(elements_of(c, value) * element_size(value->type.element));
}

static void pack(Case *c) {
    c->packed = guarded_new((size_t)c->variants.packed_bytes, true);
    variants_pack(&c->variants, c->packed.data);
    guarded_protect(&c->packed);
}

/* A plan for each target, by options of the case. */
static bool make_plans(Case *c) {
    c->variants = (Variants){0};
    for (size_t i = 0; i < c->targets->count; i++) {
        const Target *target = c->targets->data[i];
        Machine *machine = ARENA_NEW(c->arena, Machine);
        *machine = *target->machine;
        if (c->options.threads > 0) /* no step is too small */
            machine->wait_cycles = machine->wake_cycles = 0;
        const Plan *plan = plan_build(c->arena, c->diagnostics, c->graph, machine, &c->options);
        if (!plan || !variants_add(&c->variants, c->diagnostics, target, plan))
            return false;
    }
    return true;
}

/* Allocates what a run needs and packs the weights. */
static void make_data(Case *c) {
    const Graph *graph = c->graph;
    for (const char *letter = graph->name; *letter; letter++)
        c->seed = c->seed * 31 + (unsigned char)*letter;
    weights_random(c->arena, c->graph, c->seed);
    c->inputs = ARENA_ARRAY(c->arena, graph->inputs.count, float *);
    for (size_t i = 0; i < graph->inputs.count; i++)
        c->inputs[i] = ARENA_ARRAY(c->arena, (size_t)elements_of(c, graph->inputs.data[i]), float);
    c->outputs = ARENA_ARRAY(c->arena, graph->outputs.count, float *);
    for (size_t i = 0; i < graph->outputs.count; i++)
        c->outputs[i] = arena_alloc(c->arena, bytes_of(c, graph->outputs.data[i]));
    pack(c);
}

static void strew(const Mix *mix, Random *random, float *elements, int64_t count) {
    int64_t places = mix->where == STREW_MANY ? (count + 1) / 2 : 1 + random_bits(random) % 4;
    for (int64_t i = 0; i < places; i++) {
        int64_t at = (int64_t)(random_uniform(random) * (double)count);
        elements[at] = mix->numbers[random_bits(random) % mix->count];
    }
}

static void strew_weights(Case *c, Random *random) {
    for (size_t i = 0; i < c->graph->weights.count; i++) {
        Weight *weight = c->graph->weights.data[i];
        if (weight->role != WEIGHT_KERNEL && weight->role != WEIGHT_BIAS)
            continue;
        size_t bytes = (size_t)weight->elements * sizeof(float);
        float *numbers = arena_alloc(c->arena, bytes);
        memcpy(numbers, weight->data, bytes);
        strew(c->mix, random, numbers, weight->elements);
        weight->data = numbers;
    }
    guarded_free(&c->packed);
    pack(c);
}

static void make_inputs(Case *c) {
    Random random = random_start(c->seed);
    for (size_t i = 0; i < c->graph->inputs.count; i++) {
        const TensorType *type = &c->graph->inputs.data[i]->type;
        int64_t count = elements_of(c, c->graph->inputs.data[i]);
        elements_random(type->element, &random, count, c->inputs[i]);
        if (c->mix && c->mix->where != STREW_WEIGHTS && type->element == ELEMENT_F32)
            strew(c->mix, &random, c->inputs[i], count);
    }
    if (c->mix && c->mix->where == STREW_WEIGHTS)
        strew_weights(c, &random);
}

/* ---- comparison ----------------------------------------------------------------------------- */

static int64_t count_classes(const Real *values, int64_t count) {
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++)
        found += !isfinite(values[i].value) && values[i].error < INFINITY;
    return found;
}

static void compare_sample(Case *c, int64_t sample) {
    const Graph *graph = c->graph;
    Arena arena = {0};
    const float **inputs = ARENA_ARRAY(&arena, graph->inputs.count, const float *);
    for (size_t i = 0; i < graph->inputs.count; i++)
        inputs[i] = c->inputs[i] + sample * shape_elements(&graph->inputs.data[i]->type.shape);
    Real **values =
        reference_run(&arena, graph, inputs, plan_error_shares(c->variants.list[0].plan, &arena));
    for (size_t i = 0; i < graph->outputs.count; i++) {
        const Value *output = graph->outputs.data[i];
        int64_t count = shape_elements(&output->type.shape);
        const float *results = c->outputs[i] + sample * count;
        Comparison result = reference_compare(values[output->id], results, count);
        c->suite->classes += count_classes(values[output->id], count);
        if (!c->mix && result.unbounded > 0)
            fail(c, "the reference claims nothing, so nothing is tested");
        if (result.mismatched == 0)
            continue;
        const Real *expected = &values[output->id][result.worst];
        fail(c, arena_format(&arena,
                             "%lld of %lld values of sample %lld beyond the bound; output %zu "
                             "element %lld is %.9g, expected %.9g within %.3g",
                             (long long)result.mismatched, (long long)count, (long long)sample, i,
                             (long long)result.worst, (double)results[result.worst],
                             expected->value, expected->error));
    }
    arena_free(&arena);
}

static void compare(Case *c) {
    for (int64_t sample = 0; sample < c->suite->batch; sample++)
        compare_sample(c, sample);
}

/* ---- in this process ------------------------------------------------------------------------ */

/* Input `index` as compiled code reads it. */
static void store_input(const Case *c, size_t index, void *out) {
    const Value *input = c->graph->inputs.data[index];
    elements_store(input->type.element, c->inputs[index], elements_of(c, input), out);
}

/* Runs once between guard pages and copies the results to `results`. */
static void run_guarded(Case *c, CompiledNetwork network, pthreadpool_t pool, bool at_end,
                        float **results) {
    const Graph *graph = c->graph;
    size_t tensors = graph->inputs.count + graph->outputs.count;
    Guarded *buffers = ARENA_ARRAY(c->arena, tensors, Guarded);
    const void **inputs = ARENA_ARRAY(c->arena, graph->inputs.count, const void *);
    float **outputs = ARENA_ARRAY(c->arena, graph->outputs.count, float *);
    for (size_t i = 0; i < tensors; i++) {
        bool input = i < graph->inputs.count;
        size_t at = input ? i : i - graph->inputs.count;
        size_t bytes = bytes_of(c, input ? graph->inputs.data[at] : graph->outputs.data[at]);
        buffers[i] = guarded_new(bytes, at_end);
        if (input) {
            store_input(c, at, buffers[i].data);
            guarded_protect(&buffers[i]);
            inputs[at] = buffers[i].data;
        } else {
            memset(buffers[i].data, 0xff, bytes);
            outputs[at] = (float *)buffers[i].data;
        }
    }
    Guarded arena = guarded_new((size_t)c->variants.arena_bytes, at_end);
    memset(arena.data, at_end ? 0xff : 0, arena.size);
    network(inputs, outputs, c->packed.data, arena.data, pool);
    for (size_t i = 0; i < graph->outputs.count; i++)
        memcpy(results[i], outputs[i], bytes_of(c, graph->outputs.data[i]));
    for (size_t i = 0; i < tensors; i++)
        guarded_free(&buffers[i]);
    guarded_free(&arena);
}

/* NAME_pack must give the bytes that the compiler packs. */
static void check_pack(Case *c, Codegen *codegen) {
    const Graph *graph = c->graph;
    const float **sources = ARENA_ARRAY(c->arena, graph->weights.count, const float *);
    for (size_t i = 0; i < graph->weights.count; i++)
        sources[i] = graph->weights.data[i]->data;
    Guarded packed = guarded_new((size_t)c->variants.packed_bytes, true);
    memset(packed.data, 0xff, packed.size);
    codegen_load_pack(codegen)(sources, packed.data);
    if (memcmp(packed.data, c->packed.data, packed.size) != 0)
        fail(c, "NAME_pack differs from the compiler's packing");
    guarded_free(&packed);
}

static bool same_results(const Case *c, float *const *again) {
    for (size_t i = 0; i < c->graph->outputs.count; i++)
        if (memcmp(c->outputs[i], again[i], bytes_of(c, c->graph->outputs.data[i])) != 0)
            return false;
    return true;
}

/* Runs the inputs of `mix` twice. `again` is room for the second results. */
static void run_mix(Case *c, CompiledNetwork network, const Mix *mix, float **again) {
    c->mix = mix;
    make_inputs(c);
    run_guarded(c, network, NULL, true, c->outputs);
    run_guarded(c, network, NULL, false, again);
    if (!same_results(c, again))
        fail(c, "another placement or arena content changes the result");
    compare(c);
}

static float **results_new(Case *c) {
    float **results = ARENA_ARRAY(c->arena, c->graph->outputs.count, float *);
    for (size_t i = 0; i < c->graph->outputs.count; i++)
        results[i] = arena_alloc(c->arena, bytes_of(c, c->graph->outputs.data[i]));
    return results;
}

/* Long enough for the other threads to come to where they wait. */
static void be_late(void *context) {
    (void)context;
    double end = clock_seconds() + LATE_SECONDS;
    while (clock_seconds() < end)
        ;
}

/* Runs the last inputs again with the code for several threads, of which one is late with each of
 * its steps: the others, if they do not wait where they must, read what it has not written yet, or
 * write what it has not read. */
static void run_shared(Case *c) {
    uint64_t layout = c->variants.layout_hash;
    c->options.threads = c->suite->threads;
    make_plans(c);
    if (c->variants.layout_hash != layout)
        fail(c, "threads change how the weights are packed");
    c->suite->shared += c->variants.shared;
    CodegenOptions codegen_options = {.weights_mode = WEIGHTS_NONE, .in_process = true};
    codegen_options.mark = (StepMark){
        .function = be_late, .thread = c->suite->networks % c->suite->threads, .begins = true};
    Codegen *codegen = codegen_build(&c->variants, c->sources, &codegen_options);
    CompiledNetwork network = codegen_load(codegen);
    float **again = results_new(c);
    const int sizes[] = {c->suite->threads, c->suite->threads + 1, c->suite->threads - 1, 0};
    for (int i = 0; i < (c->suite->networks % OTHER_POOLS_EVERY == 0 ? 4 : 1); i++) {
        pthreadpool_t pool = sizes[i] > 0 ? pthreadpool_create((size_t)sizes[i]) : NULL;
        run_guarded(c, network, pool, i % 2 != 0, again);
        if (!same_results(c, again))
            fail(c, arena_format(c->arena, "another result by %d threads", sizes[i]));
        pthreadpool_destroy(pool); /* its threads would keep the processors busy for a while */
    }
    codegen_free(codegen);
}

static void run_in_process(Case *c) {
    CodegenOptions options = {.weights_mode = WEIGHTS_NONE, .in_process = true};
    Codegen *codegen = codegen_build(&c->variants, c->sources, &options);
    CompiledNetwork network = codegen_load(codegen);
    float **again = results_new(c);
    if (!c->suite->special)
        run_mix(c, network, NULL, again);
    for (size_t i = 0; i < SPECIAL_MIXES && c->suite->special; i++)
        run_mix(c, network, &special_mixes[i], again);
    if (c->graph->weights.count > 0)
        check_pack(c, codegen);
    codegen_free(codegen);
    if (c->suite->threads > 0)
        run_shared(c);
}

/* ---- on another machine --------------------------------------------------------------------- */

static const char *case_path(Case *c, const char *ending) {
    return arena_format(c->arena, "%s/%s%s", c->suite->folder, c->graph->name, ending);
}

static void write_case(Case *c) {
    CodegenOptions options = {.weights_mode = WEIGHTS_NONE, .in_process = true};
    Codegen *codegen = codegen_build(&c->variants, c->sources, &options);
    FileSet files = {.arena = c->arena, .diagnostics = c->diagnostics};
    int index = file_set_open(&files, case_path(c, ".o"));
    ObjectCode object = {0};
    if (index < 0 || !codegen_make_object(codegen, c->diagnostics, &object) ||
        !file_set_write(&files, index, object.bytes, object.size) || !file_set_commit(&files))
        fail(c, "the object cannot be written");
    free(object.bytes);
    codegen_free(codegen);

    FILE *file = fopen(case_path(c, ".in"), "wb");
    ForeignCase header = {.packed_bytes = c->variants.packed_bytes,
                          .arena_bytes = c->variants.arena_bytes,
                          .inputs = (int64_t)c->graph->inputs.count,
                          .outputs = (int64_t)c->graph->outputs.count};
    for (int64_t i = 0; i < header.inputs; i++)
        header.bytes[i] = (int64_t)bytes_of(c, c->graph->inputs.data[i]);
    for (int64_t i = 0; i < header.outputs; i++)
        header.bytes[header.inputs + i] = (int64_t)bytes_of(c, c->graph->outputs.data[i]);
    bool done = file && fwrite(&header, sizeof header, 1, file) == 1 &&
                fwrite(c->packed.data, 1, c->packed.size, file) == c->packed.size;
    for (int64_t i = 0; i < header.inputs && done; i++) {
        void *bytes = arena_alloc(c->arena, (size_t)header.bytes[i]);
        store_input(c, (size_t)i, bytes);
        done = fwrite(bytes, (size_t)header.bytes[i], 1, file) == 1;
    }
    if (!file || fclose(file) != 0 || !done)
        fail(c, "the data cannot be written");
    printf("%s\n", c->graph->name);
}

static void read_results(Case *c) {
    FILE *file = fopen(case_path(c, ".out"), "rb");
    bool done = file != NULL;
    for (size_t i = 0; i < c->graph->outputs.count && done; i++)
        done = fread(c->outputs[i], bytes_of(c, c->graph->outputs.data[i]), 1, file) == 1;
    if (!done)
        fail(c, "no results from the other machine");
    if (file)
        fclose(file);
    compare(c);
}

/* ---- cases ---------------------------------------------------------------------------------- */

static void run_planned(Case *c) {
    make_data(c);
    if (c->suite->mode == MODE_RUN) {
        run_in_process(c);
    } else {
        c->mix = c->suite->special ? &special_mixes[0] : NULL;
        make_inputs(c);
        if (c->suite->mode == MODE_WRITE)
            write_case(c);
        else
            read_results(c);
    }
    guarded_free(&c->packed);
}

static bool has_together(const Plan *plan) {
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.data[i]->together)
            return true;
    return false;
}

static bool has_step(const Plan *plan, StepKind kind) {
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.data[i]->kind == kind)
            return true;
    return false;
}

static bool has_band(const Plan *plan) {
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.data[i]->band.band)
            return true;
    return false;
}

/* Whether a plan is what its options are there to try. */
static bool is_tried(const Plan *plan, const PlanOptions *options) {
    StepKind kind = options->tile_size == 2 ? STEP_STRASSEN : STEP_WINOGRAD;
    return (options->tile_size == 0 || has_step(plan, kind)) &&
           (options->band_turns == 0 || has_band(plan));
}

/* Convolutions once by the direct method, and in this process, where there are any, once with each
 * size of Winograd's tiles and of Strassen's, and once in bands of few and of many rows. What these
 * methods make of numbers that are not finite is not claimed. */
static void run_case(Case *c) {
    static const PlanOptions variants[] = {{.exact = true},
                                           {.exact = true, .band_turns = 2},
                                           {.exact = true, .band_turns = 4},
                                           {.tile_size = 2},
                                           {.tile_size = 4},
                                           {.tile_size = 6},
                                           {.tile_size = 8}};
    size_t count = c->suite->mode == MODE_WRITE || c->suite->mode == MODE_CHECK ? 1
                   : c->suite->special                                          ? 3
                                                                                : 7;
    c->suite->networks++;
    for (size_t i = 0; i < count; i++) {
        c->options = variants[i];
        c->options.batch = c->suite->batch;
        if (!make_plans(c)) {
            fail(c, "no plan");
            return;
        }
        c->suite->together += i == 0 && has_together(c->variants.list[0].plan);
        c->suite->banded += i == 1 && has_band(c->variants.list[0].plan);
        if (is_tried(c->variants.list[0].plan, &variants[i]))
            run_planned(c);
    }
}

/* ---- files ---------------------------------------------------------------------------------- */

static void show_diagnostics(Diagnostics *diagnostics) {
    StrBuf text = {0};
    diag_sort(diagnostics);
    diag_render_text(diagnostics, 0, STREW_FEW, &text);
    fputs(strbuf_text(&text), stdout);
    strbuf_free(&text);
}

/* Whether network number `index` of a file is of the suite's share: neighbours, which differ in one
 * word or two, are as often in one share as in two. */
static bool in_share(const Suite *suite, size_t index) {
    uint32_t mixed = (uint32_t)index * 2654435761U; /* 2^32 / the golden ratio */
    return (mixed >> 16) % suite->shares == suite->share;
}

static void run_file(Suite *suite, const char *path) {
    Arena arena = {0};
    Intern intern = {.arena = &arena};
    SourceMap sources = {.arena = &arena};
    Diagnostics diagnostics = {.arena = &arena, .sources = &sources};
    FileBytes bytes;
    GraphList graphs = {0};
    if (file_read(&diagnostics, SPAN_NONE, path, (size_t)1 << 24, &bytes)) {
        Source *source = source_add(&sources, path, (const char *)bytes.data, bytes.size);
        file_release(&bytes);
        Elaboration elaboration = {.arena = &arena, .intern = &intern, .diagnostics = &diagnostics};
        graphs = elaborate(&elaboration, parse_file(&arena, &intern, &diagnostics, source));
    }
    TargetList targets = {0};
    targets_open(&arena, &diagnostics, suite->triple, suite->cpu, 2, &targets);
    if (diag_has_errors(&diagnostics)) {
        show_diagnostics(&diagnostics);
        suite->failures++;
        graphs.count = 0;
    }
    for (size_t i = 0; i < graphs.count; i++) {
        if (!in_share(suite, i))
            continue;
        Arena case_arena = {0};
        Case c = {.suite = suite,
                  .arena = &case_arena,
                  .diagnostics = &diagnostics,
                  .sources = &sources,
                  .targets = &targets,
                  .graph = graphs.data[i]};
        run_case(&c);
        arena_free(&case_arena);
    }
    targets_close(&targets);
    arena_free(&arena);
}

int main(int argc, char **argv) {
    Suite suite = {.batch = 1, .shares = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--cpu") == 0 && i + 1 < argc) {
            suite.cpu = argv[++i];
        } else if (strcmp(argv[i], "--target") == 0 && i + 1 < argc) {
            suite.triple = argv[++i];
        } else if (strcmp(argv[i], "--write") == 0 && i + 1 < argc) {
            suite.mode = MODE_WRITE;
            suite.folder = argv[++i];
        } else if (strcmp(argv[i], "--check") == 0 && i + 1 < argc) {
            suite.mode = MODE_CHECK;
            suite.folder = argv[++i];
        } else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
            suite.threads = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--batch") == 0 && i + 1 < argc) {
            suite.batch = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--share") == 0 && i + 1 < argc &&
                   sscanf(argv[i + 1], "%u/%u", &suite.share, &suite.shares) == 2 &&
                   suite.share < suite.shares) {
            i++;
        } else if (strcmp(argv[i], "--special") == 0) {
            suite.special = true;
        } else {
            run_file(&suite, argv[i]);
        }
    }
    fprintf(stderr, "%d networks, %d in bands, %lld results of a class, %d failures\n",
            suite.networks, suite.banded, (long long)suite.classes, suite.failures);
    bool vacuous = (suite.special && suite.mode != MODE_WRITE && suite.classes == 0) ||
                   (suite.threads > 0 && suite.shared == 0) ||
                   (suite.batch > 1 && suite.together == 0);
    return suite.failures == 0 && suite.networks > 0 && !vacuous ? 0 : 1;
}
