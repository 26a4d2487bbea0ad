/* The library as another program uses it: through netc.h and the shared object alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netc/netc.h>

/* Memory that cannot be had gives NULL in the sanitizer too. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}

static netc_compiler *begin(const char *name, const char *text) {
    netc_compiler *compiler = netc_compiler_new();
    assert_non_null(compiler);
    netc_read_files(compiler, 0);
    assert_int_equal(netc_add_file(compiler, name, text, strlen(text)), NETC_DONE);
    return compiler;
}

static void set(netc_compiler *compiler, const char *option, const char *value) {
    assert_int_equal(netc_set(compiler, option, value), NETC_DONE);
    assert_string_equal(netc_set_message(compiler), "");
}

/* ---- objects -------------------------------------------------------------------------------- */

static const char TWO_LAYERS[] = "use \"parts/blocks.net\"\n"
                                 "let width = 4\n"
                                 "network other(x: [2]) -> [2] { return x -> relu }\n"
                                 "network tiny(image: u8[1, 8, 8]) -> (class: [3]) {\n"
                                 "    return image / 255 -> stem: part(width) -> flatten\n"
                                 "        -> fc: dense(3)\n"
                                 "}\n";
static const char BLOCKS[] = "use \"constants.net\"\n"
                             "block part(x: [C, H, W], n) -> [n, H / 2, W / 2] {\n"
                             "    return x -> conv: conv(n, 3x3, pad=EDGE) -> maxpool(2x2)\n"
                             "}\n";

static netc_compiler *begin_tiny(void) {
    netc_compiler *compiler = begin("tiny.net", TWO_LAYERS);
    netc_add_file(compiler, "parts/blocks.net", BLOCKS, strlen(BLOCKS));
    static const char constants[] = "let EDGE = 1\n";
    netc_add_file(compiler, "parts/constants.net", constants, strlen(constants));
    return compiler;
}

static void compiles_from_memory(void **state) {
    (void)state;
    netc_compiler *compiler = begin_tiny();
    set(compiler, "weights-mode", "none");
    netc_network *network = netc_compile(compiler, "tiny.net");
    assert_string_equal(netc_message(network), "");
    assert_int_equal(netc_result_of(network), NETC_DONE);
    netc_compiler_free(compiler); /* the network does not need it */

    size_t size;
    const char *object = netc_bytes(network, NETC_OBJECT, &size);
    assert_true(size > 64);
    assert_memory_equal(object,
                        "\x7f"
                        "ELF",
                        4);
    const char *header = netc_bytes(network, NETC_HEADER, &size);
    assert_int_equal(strlen(header), size);
    assert_non_null(strstr(header, "TINY_ARENA_BYTES"));
    assert_null(netc_bytes(network, NETC_WEIGHTS_FILE, NULL));
    assert_string_equal(netc_bytes(network, NETC_MESSAGES_TEXT, &size), "");
    assert_int_equal(netc_run(network, NULL, NULL, NULL), NETC_MISUSE);
    netc_network_free(network);
}

static void report_has_every_figure(void **state) {
    (void)state;
    netc_compiler *compiler = begin_tiny();
    netc_network *network = netc_check(compiler, "tiny.net");
    netc_compiler_free(compiler);
    assert_int_equal(netc_result_of(network), NETC_DONE);
    const netc_report *report = netc_report_of(network);
    assert_string_equal(report->name, "tiny");
    assert_int_equal(report->network_count, 2);
    assert_string_equal(report->networks[0], "other");
    assert_int_equal(report->input_count, 1);
    assert_string_equal(report->inputs[0].name, "image");
    assert_int_equal(report->inputs[0].element, NETC_U8);
    assert_int_equal(report->inputs[0].bytes, 64);
    assert_string_equal(report->outputs[0].name, "class");
    assert_int_equal(report->outputs[0].rank, 1);
    assert_int_equal(report->outputs[0].dims[0], 3);
    assert_int_equal(report->outputs[0].bytes, 12);

    const netc_layer *conv = &report->layers[1];
    assert_string_equal(conv->path, "stem.conv");
    assert_string_equal(conv->call, "conv(4, 3x3, pad=1)");
    assert_int_equal(conv->outputs[0].rank, 3);
    assert_int_equal(conv->outputs[0].dims[0], 4);
    assert_int_equal(conv->weight_count, 2);
    assert_string_equal(conv->weights[0].name, "stem.conv.weight");
    assert_int_equal(conv->weights[0].bytes, 4 * 9 * 4);
    assert_int_equal(conv->figures.trainable, 4 * 9 + 4);
    assert_int_equal(conv->figures.frozen, 0);
    assert_int_equal(conv->figures.macs, 8 * 8 * 4 * 9);
    assert_string_equal(conv->formulas.parameters, "4 * (1 * 3 * 3) + 4 = 40");
    assert_string_equal(report->layers[2].formulas.parameters, "");
    assert_int_equal(report->totals.trainable, 40 + 3 * 64 + 3);
    assert_true(report->packed_bytes > report->totals.trainable * 4);
    assert_null(netc_bytes(network, NETC_OBJECT, NULL));

    assert_non_null(strstr(netc_bytes(network, NETC_REPORT_TEXT, NULL), "conv(4, 3x3, pad=1)"));
    const char *json = netc_bytes(network, NETC_REPORT_JSON, NULL);
    assert_non_null(strstr(json, "4 * (1 * 3 * 3) + 4 = 40"));
    assert_ptr_equal(json, netc_bytes(network, NETC_REPORT_JSON, NULL));
    assert_non_null(strstr(netc_bytes(network, NETC_REPORT_HTML, NULL), "<html"));
    assert_non_null(strstr(netc_bytes(network, NETC_REPORT_CSV, NULL), "stem.conv"));
    assert_non_null(strstr(netc_bytes(network, NETC_REPORT_MARKDOWN, NULL), "| "));
    netc_network_free(network);
}

static void options_choose(void **state) {
    (void)state;
    netc_compiler *compiler = begin_tiny();
    set(compiler, "define", "width=7");
    netc_network *network = netc_check(compiler, "tiny.net");
    assert_int_equal(netc_report_of(network)->layers[1].figures.trainable, 7 * 9 + 7);
    netc_network_free(network);
    set(compiler, "network", "other");
    network = netc_check(compiler, "tiny.net");
    assert_string_equal(netc_report_of(network)->name, "other");
    netc_network_free(network);
    netc_compiler_free(compiler);
}

static void names_may_have_more_before_them(void **state) {
    (void)state;
    netc_compiler *compiler = begin_tiny();
    set(compiler, "symbol-prefix", "old_");
    set(compiler, "namespace", "nets::old");
    set(compiler, "weights-mode", "none");
    netc_network *network = netc_compile(compiler, "tiny.net");
    const char *header = netc_bytes(network, NETC_HEADER, NULL);
    assert_non_null(strstr(header, "namespace nets {\nnamespace old {\n"));
    assert_non_null(strstr(header, "void old_tiny(const unsigned char *image"));
    netc_network_free(network);
    netc_compiler_free(compiler);
}

static void budgets_are_a_file_too(void **state) {
    (void)state;
    static const char budgets[] = "params <= 1k\nparams < 5 * width\n";
    netc_compiler *compiler = begin_tiny();
    set(compiler, "budgets", "device.txt");
    netc_network *network = netc_plan(compiler, "tiny.net");
    assert_int_equal(netc_result_of(network), NETC_UNREADABLE);
    netc_network_free(network);
    netc_add_file(compiler, "device.txt", budgets, strlen(budgets));
    network = netc_plan(compiler, "tiny.net");
    assert_int_equal(netc_result_of(network), NETC_MISTAKE);
    size_t count;
    const netc_diagnostic *diagnostics = netc_diagnostics(network, &count);
    assert_int_equal(count, 1);
    assert_string_equal(diagnostics[0].code, "E0501");
    assert_string_equal(diagnostics[0].span.file, "device.txt");
    assert_int_equal(diagnostics[0].span.begin.line, 2);
    netc_network_free(network);
    netc_compiler_free(compiler);
}

static void wrong_options_are_told(void **state) {
    (void)state;
    static const struct {
        const char *option, *value, *message;
    } wrong[] = {
        {"weight", "x", "there is no option `weight`; did you mean `weights`?"},
        {"output", "x.o", "there is no option `output`"},
        {"cpu", NULL, "cpu needs a value"},
        {"exact", "yes", "exact takes `on` or `off`, not `yes`"},
        {"threads", "1", "threads takes a number from 2 to 64, not 1"},
        {"batch", "1025", "batch takes a number from 1 to 1024, not 1025"},
        {"threads", "x", "threads takes a whole number, not `x`"},
        {"define", "width", "define takes NAME=VALUE, not `width`"},
        {"symbol-prefix", "1st",
         "symbol-prefix takes what an identifier of C can begin with, not `1st`"},
        {"weights-mode", "exter", "weights-mode takes `embed`, `extern` or `none`, not `exter`"},
    };
    netc_compiler *compiler = netc_compiler_new();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(netc_set(compiler, wrong[i].option, wrong[i].value), NETC_MISUSE);
        assert_non_null(strstr(netc_set_message(compiler), wrong[i].message));
    }
    set(compiler, "exact", NULL);
    set(compiler, "exact", "off");
    set(compiler, "threads", "2");
    netc_compiler_free(compiler);
}

/* ---- mistakes ------------------------------------------------------------------------------- */

static void mistakes_have_places_and_fixes(void **state) {
    (void)state;
    netc_compiler *compiler = begin("a.net", "# \xc3\xa9\n"
                                             "network a(x: [4]) -> [4] {\n"
                                             "    return x -> rellu -> dense(3)\n"
                                             "}\n");
    netc_network *network = netc_compile(compiler, "a.net");
    netc_compiler_free(compiler);
    assert_int_equal(netc_result_of(network), NETC_MISTAKE);
    assert_null(netc_report_of(network));
    assert_null(netc_bytes(network, NETC_OBJECT, NULL));
    assert_null(netc_bytes(network, NETC_REPORT_HTML, NULL));
    size_t count;
    const netc_diagnostic *diagnostic = netc_diagnostics(network, &count);
    assert_true(count >= 1);
    assert_int_equal(diagnostic->severity, NETC_ERROR);
    assert_string_equal(diagnostic->code, "E0301");
    assert_string_equal(diagnostic->span.file, "a.net");
    assert_int_equal(diagnostic->span.begin.line, 3);
    assert_int_equal(diagnostic->span.begin.column, 17);
    assert_int_equal(diagnostic->span.begin.byte, 5 + 27 + 16);
    assert_int_equal(diagnostic->span.end.byte - diagnostic->span.begin.byte, 5);
    assert_true(diagnostic->fix_count >= 1);
    const netc_fix *fix = &diagnostic->fixes[0];
    assert_string_equal(fix->replacement, "relu");
    assert_int_equal(fix->span.begin.byte, diagnostic->span.begin.byte);
    assert_int_equal(strncmp(netc_message(network), "a.net:3:17: ", 12), 0);
    assert_non_null(strstr(netc_bytes(network, NETC_MESSAGES_TEXT, NULL), "error[E0301]"));
    assert_non_null(strstr(netc_bytes(network, NETC_MESSAGES_COLOUR, NULL), "\x1b["));
    assert_non_null(strstr(netc_bytes(network, NETC_MESSAGES_JSON, NULL), "\"E0301\""));
    netc_network_free(network);
}

static netc_network *check_text(const char *text, size_t size) {
    netc_compiler *compiler = netc_compiler_new();
    netc_read_files(compiler, 0);
    netc_add_file(compiler, "hostile.net", text, size);
    netc_network *network = netc_load(compiler, "hostile.net");
    netc_compiler_free(compiler);
    assert_non_null(network);
    return network;
}

static void expect(const char *text, netc_result result, const char *message) {
    netc_network *network = check_text(text, strlen(text));
    if (!strstr(netc_message(network), message))
        fail_msg("`%s`, not `%s`", netc_message(network), message);
    assert_int_equal(netc_result_of(network), result);
    netc_network_free(network);
}

static void hostile_sources_are_refused(void **state) {
    (void)state;
    expect("", NETC_MISTAKE, "has no network");
    expect("use \"/etc/passwd\"\nnetwork a(x: [1]) { return x }", NETC_UNREADABLE,
           "cannot read `/etc/passwd`: it is not among the files in memory");
    expect("use \"-\"\nnetwork a(x: [1]) { return x }", NETC_UNREADABLE, "not among the files");
    expect("use \"hostile.net\"\nnetwork a(x: [1]) { return x }", NETC_MISTAKE, "uses itself");
    expect("network a(x: [1]) { weights \"/dev/zero\"\n return x -> dense(1) }", NETC_UNREADABLE,
           "not among the files");
    expect("network a(x: [9223372036854775807, 9]) { return x -> relu }", NETC_MISTAKE, "");
    expect("network a(x: [4]) { return x -> dense(4) }", NETC_MISTAKE, "has no weights");
    static const char zeros[16] = {0};
    netc_network *network = check_text(zeros, sizeof zeros);
    assert_int_equal(netc_result_of(network), NETC_MISTAKE);
    netc_network_free(network);
    netc_network_free(check_text(TWO_LAYERS, 0));
}

/* Whatever is cut off or changed in a source, it ends with a result. */
static void damaged_sources_end(void **state) {
    (void)state;
    char text[sizeof TWO_LAYERS];
    for (size_t size = 0; size < sizeof text; size += 7)
        netc_network_free(check_text(TWO_LAYERS, size));
    uint32_t random = 1;
    for (int turn = 0; turn < 200; turn++) {
        memcpy(text, TWO_LAYERS, sizeof text);
        for (int change = 0; change < 3; change++) {
            random = random * 1664525 + 1013904223;
            text[(random >> 8) % (sizeof text - 1)] = (char)(random >> 24);
        }
        netc_network_free(check_text(text, sizeof text - 1));
    }
}

/* More memory than any machine has is refused; the process goes on. */
static void memory_that_is_not_there(void **state) {
    (void)state;
    static const char huge[] = "network a(x: [1048576, 1048576, 64]) {\n"
                               "    return x -> softmax(axis=0) -> softmax(axis=1) -> softmax\n"
                               "}\n";
    expect(huge, NETC_NO_MEMORY, "out of memory");
    expect("network a(x: [4]) { return x -> relu }", NETC_DONE, "");
}

static void files_are_read_where_allowed(void **state) {
    (void)state;
    netc_compiler *compiler = netc_compiler_new();
    netc_network *network = netc_check(compiler, SOURCE_DIR "/examples/digits/digits.net");
    assert_int_equal(netc_result_of(network), NETC_DONE);
    assert_int_equal(netc_report_of(network)->totals.trainable, 61706);
    netc_network_free(network);
    network = netc_check(compiler, "/nowhere.net");
    assert_int_equal(netc_result_of(network), NETC_UNREADABLE);
    netc_network_free(network);
    netc_read_files(compiler, 0);
    network = netc_check(compiler, SOURCE_DIR "/examples/digits/digits.net");
    assert_int_equal(netc_result_of(network), NETC_UNREADABLE);
    netc_network_free(network);
    netc_compiler_free(compiler);
}

/* ---- code in this process ------------------------------------------------------------------- */

static const char LINE[] = "network line(x: [2], y: u8[2]) -> (sum: [2], product: [1]) {\n"
                           "    weights \"line.safetensors\"\n"
                           "    return (x + y, x -> fc: dense(1))\n"
                           "}\n";

/* A weights file: fc.weight is 2, 3 and fc.bias 0.5. */
static size_t make_weights(char *file) {
    static const char head[] =
        "{\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
        "\"fc.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}";
    static const float numbers[] = {2, 3, 0.5F};
    uint64_t length = sizeof head - 1;
    memcpy(file, &length, 8);
    memcpy(file + 8, head, length);
    memcpy(file + 8 + length, numbers, sizeof numbers);
    return 8 + length + sizeof numbers;
}

static void expect_line(const netc_network *network, void *arena) {
    float x[2] = {1, 10}, sum[2], product[1];
    unsigned char y[2] = {100, 200};
    const void *inputs[] = {x, y};
    float *outputs[] = {sum, product};
    assert_int_equal(netc_run(network, inputs, outputs, arena), NETC_DONE);
    assert_true(sum[0] == 101 && sum[1] == 210);
    assert_true(product[0] == 2 * 1 + 3 * 10 + 0.5F);
}

static netc_network *load_line(netc_compiler *compiler) {
    char file[512];
    size_t size = make_weights(file);
    netc_add_file(compiler, "line.safetensors", file, size);
    netc_network *network = netc_load(compiler, "line.net");
    memset(file, 255, sizeof file); /* nothing reads it any more */
    return network;
}

static void runs_what_it_loads(void **state) {
    (void)state;
    netc_compiler *compiler = begin("line.net", LINE);
    netc_network *network = load_line(compiler);
    netc_compiler_free(compiler);
    assert_string_equal(netc_message(network), "");
    expect_line(network, NULL);
    size_t bytes = (size_t)netc_report_of(network)->arena_bytes;
    char *arena = aligned_alloc(NETC_ARENA_ALIGNMENT, bytes + NETC_ARENA_ALIGNMENT);
    expect_line(network, arena);
    assert_int_equal(netc_run(network, NULL, NULL, arena + 1), NETC_MISUSE);
    free(arena);
    netc_network_free(network);
}

static void code_for_elsewhere_is_not_loaded(void **state) {
    (void)state;
    netc_compiler *compiler = begin("line.net", LINE);
    set(compiler, "cpu", "x86-64,x86-64-v3");
    netc_network *network = load_line(compiler);
    assert_int_equal(netc_result_of(network), NETC_MISUSE);
    assert_non_null(strstr(netc_message(network), "one processor"));
    netc_network_free(network);
    set(compiler, "batch", "8");
    network = load_line(compiler);
    assert_int_equal(netc_result_of(network), NETC_MISUSE);
    assert_non_null(strstr(netc_message(network), "one sample a call"));
    netc_network_free(network);
    set(compiler, "target", "aarch64-linux-gnu");
    network = load_line(compiler);
    assert_int_equal(netc_result_of(network), NETC_MISUSE);
    assert_non_null(strstr(netc_message(network), "this machine"));
    netc_network_free(network);
    netc_compiler_free(compiler);
}

static void damaged_weights_are_refused(void **state) {
    (void)state;
    char file[512];
    size_t size = make_weights(file);
    netc_compiler *compiler = begin("line.net", LINE);
    for (size_t cut = 0; cut < size; cut += 5) {
        netc_add_file(compiler, "line.safetensors", file, cut);
        netc_network *network = netc_load(compiler, "line.net");
        assert_int_equal(netc_result_of(network), NETC_MISTAKE);
        assert_non_null(netc_report_of(network)); /* it does not depend on them */
        netc_network_free(network);
        network = netc_check(compiler, "line.net");
        assert_int_equal(netc_result_of(network), NETC_MISTAKE);
        netc_network_free(network);
        network = netc_plan(compiler, "line.net");
        assert_int_equal(netc_result_of(network), NETC_DONE);
        netc_network_free(network);
    }
    netc_compiler_free(compiler);
}

/* ---- several threads ------------------------------------------------------------------------ */

#define THREADS 6

static const char *const bodies[THREADS] = {
    "conv(8, 3x3, pad=1) -> relu -> maxpool(2x2) -> flatten -> dense(4)",
    "conv(16, 5x5) -> batchnorm -> relu -> avgpool(2x2)",
    "flatten -> dense(64) -> tanh -> dense(10) -> softmax",
    "conv(8, 1x1) -> sigmoid",
    "maxpool(2x2) -> conv(12, 3x3, stride=2) -> gelu",
    "flatten -> dense(30) -> relu -> dense(20)",
};
static const char *const cpus[THREADS] = {"x86-64",    "x86-64-v3", "x86-64-v4",
                                          "x86-64-v3", "skylake",   "cortex-a72"};

typedef struct Job {
    int number;
    void *object;
    size_t size;
    pthread_t thread;
} Job;

static void *compile_job(void *context) {
    Job *job = context;
    char text[512];
    snprintf(text, sizeof text, "network n%d(x: [3, 16, 16]) {\n    return x -> %s\n}\n",
             job->number, bodies[job->number]);
    netc_compiler *compiler = netc_compiler_new();
    netc_add_file(compiler, "job.net", text, strlen(text));
    netc_set(compiler, "weights-mode", "none");
    netc_set(compiler, "cpu", cpus[job->number]);
    netc_set(compiler, "target",
             strcmp(cpus[job->number], "cortex-a72") == 0 ? "aarch64-linux-gnu"
                                                          : "x86_64-linux-gnu");
    netc_network *network = netc_compile(compiler, "job.net");
    if (netc_result_of(network) == NETC_DONE) {
        const void *bytes = netc_bytes(network, NETC_OBJECT, &job->size);
        job->object = malloc(job->size);
        memcpy(job->object, bytes, job->size);
    }
    netc_network_free(network);
    netc_compiler_free(compiler);
    return NULL;
}

/* First of all tests: so that what LLVM does once for a process is done by several at once. */
static void threads_compile_at_once(void **state) {
    (void)state;
    Job at_once[THREADS] = {0}, alone[THREADS] = {0};
    for (int i = 0; i < THREADS; i++) {
        at_once[i].number = alone[i].number = i;
        assert_int_equal(pthread_create(&at_once[i].thread, NULL, compile_job, &at_once[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(at_once[i].thread, NULL);
    for (int i = 0; i < THREADS; i++) {
        compile_job(&alone[i]);
        assert_non_null(alone[i].object);
        assert_int_equal(at_once[i].size, alone[i].size);
        assert_memory_equal(at_once[i].object, alone[i].object, alone[i].size);
        free(at_once[i].object);
        free(alone[i].object);
    }
}

static void *call_often(void *context) {
    const netc_network *network = context;
    size_t bytes = (size_t)netc_report_of(network)->arena_bytes;
    void *arena = aligned_alloc(NETC_ARENA_ALIGNMENT, bytes + NETC_ARENA_ALIGNMENT);
    for (int i = 0; i < 1000; i++)
        expect_line(network, arena);
    free(arena);
    return NULL;
}

static void threads_call_one_network(void **state) {
    (void)state;
    netc_compiler *compiler = begin("line.net", LINE);
    set(compiler, "threads", "2");
    netc_network *network = load_line(compiler);
    netc_compiler_free(compiler);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, call_often, network);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    netc_network_free(network);
}

#ifdef __SANITIZE_ADDRESS__
#define STACK_BYTES ((size_t)16 << 20) /* its frames are larger */
#else
#define STACK_BYTES ((size_t)1 << 20)
#endif

/* Blocks in blocks in blocks, beyond what netc takes. */
static void *nest_too_deeply(void *context) {
    (void)context;
    size_t size = 64 * 1024, length = 0;
    char *text = malloc(size);
    for (int i = 0; i < 500; i++)
        length += (size_t)snprintf(text + length, size - length,
                                   "block b%d(x: [C]) -> [C] { return x -> b%d }\n", i, i + 1);
    snprintf(text + length, size - length,
             "block b500(x: [C]) -> [C] { return x -> relu }\n"
             "network deep(x: [4]) -> [4] { return x -> b0 }\n");
    expect(text, NETC_MISTAKE, "nested too deeply");
    free(text);
    return NULL;
}

static void a_small_stack_is_enough(void **state) {
    (void)state;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstacksize(&attributes, STACK_BYTES), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, &attributes, nest_too_deeply, NULL), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
}

/* ---- the host's state ----------------------------------------------------------------------- */

/* In a locale with a comma, numbers are still read and written with a point. */
static void locale_of_the_host_stays(void **state) {
    (void)state;
    if (system("mkdir -p " BINARY_DIR "/locale && localedef -i de_DE -f UTF-8 " BINARY_DIR
               "/locale/de_DE.UTF-8 2>/dev/null") == -1)
        skip();
    setenv("LOCPATH", BINARY_DIR "/locale", 1);
    if (!setlocale(LC_ALL, "de_DE.UTF-8"))
        skip();
    netc_compiler *compiler =
        begin("a.net", "network a(x: [3]) { return x -> leakyrelu(slope=0.25) }");
    netc_network *network = netc_check(compiler, "a.net");
    assert_string_equal(netc_message(network), "");
    assert_string_equal(netc_report_of(network)->layers[0].call, "leakyrelu(0.25)");
    assert_non_null(strstr(netc_bytes(network, NETC_REPORT_TEXT, NULL), "leakyrelu(0.25)"));
    netc_network_free(network);
    netc_compiler_free(compiler);
    char number[8];
    snprintf(number, sizeof number, "%.1f", 0.5);
    assert_string_equal(number, "0,5");
    setlocale(LC_ALL, "C");
}

static void nothing_is_freed_twice(void **state) {
    (void)state;
    netc_network_free(NULL);
    netc_compiler_free(NULL);
    assert_string_equal(netc_version(), "0.1.0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_compile_at_once),
        cmocka_unit_test(compiles_from_memory),
        cmocka_unit_test(report_has_every_figure),
        cmocka_unit_test(options_choose),
        cmocka_unit_test(names_may_have_more_before_them),
        cmocka_unit_test(budgets_are_a_file_too),
        cmocka_unit_test(wrong_options_are_told),
        cmocka_unit_test(mistakes_have_places_and_fixes),
        cmocka_unit_test(hostile_sources_are_refused),
        cmocka_unit_test(damaged_sources_end),
        cmocka_unit_test(memory_that_is_not_there),
        cmocka_unit_test(files_are_read_where_allowed),
        cmocka_unit_test(runs_what_it_loads),
        cmocka_unit_test(code_for_elsewhere_is_not_loaded),
        cmocka_unit_test(damaged_weights_are_refused),
        cmocka_unit_test(threads_call_one_network),
        cmocka_unit_test(a_small_stack_is_enough),
        cmocka_unit_test(locale_of_the_host_stays),
        cmocka_unit_test(nothing_is_freed_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
