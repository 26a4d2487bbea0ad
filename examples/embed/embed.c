/* A program with the compiler in it: compiles a network from a string, and shows what is wrong
 * with it or the table of its parameters. */
#include <netc/netc.h>

#include <stdio.h>
#include <string.h>

static const char with_a_mistake[] = "network digits(image: [1, 28, 28]) -> [10] {\n"
                                     "    return image -> conv(6, 5x5, pad=2) -> rellu\n"
                                     "}\n";

static const char correct[] = "network digits(image: [1, 28, 28]) -> [10] {\n"
                              "    return image\n"
                              "        -> conv1: conv(6, 5x5, pad=2) -> relu -> maxpool(2x2)\n"
                              "        -> conv2: conv(16, 5x5) -> relu -> maxpool(2x2)\n"
                              "        -> flatten -> fc: dense(10) -> softmax\n"
                              "}\n";

static void print_diagnostics(const netc_network *network) {
    size_t count, i, k;
    const netc_diagnostic *list = netc_diagnostics(network, &count);
    for (i = 0; i < count; i++) {
        const netc_diagnostic *d = &list[i];
        printf("%s %s", d->severity == NETC_ERROR ? "error" : "warning", d->code);
        if (d->span.file)
            printf(" at %s:%lu:%lu", d->span.file, (unsigned long)d->span.begin.line,
                   (unsigned long)d->span.begin.column);
        printf(": %s\n", d->message);
        for (k = 0; k < d->fix_count; k++)
            printf("    %s\n", d->fixes[k].message);
    }
}

static void print_shape(const netc_tensor *tensor) {
    int i;
    printf("[");
    for (i = 0; i < tensor->rank; i++)
        printf("%s%ld", i == 0 ? "" : ", ", (long)tensor->dims[i]);
    printf("]");
}

static void print_parameters(const netc_report *report) {
    size_t i;
    for (i = 0; i < report->layer_count; i++) {
        const netc_layer *layer = &report->layers[i];
        long parameters = (long)(layer->figures.trainable + layer->figures.frozen);
        printf("%-10s %-22s %8ld  ", layer->path, layer->call, parameters);
        print_shape(layer->outputs);
        printf("  %s\n", layer->formulas.parameters);
    }
    printf("%s has %ld parameters, and takes %ld bytes of memory to run\n", report->name,
           (long)report->totals.trainable, (long)report->arena_bytes);
}

/* Whether it could be compiled. The weights of an object may come later: weights-mode none. */
static int compile(netc_compiler *compiler, const char *text) {
    netc_network *network;
    netc_result result;
    netc_add_file(compiler, "digits.net", text, strlen(text));
    network = netc_compile(compiler, "digits.net");
    if (!network)
        return 0;
    result = netc_result_of(network);
    print_diagnostics(network);
    if (result == NETC_DONE) {
        size_t size;
        netc_bytes(network, NETC_OBJECT, &size);
        print_parameters(netc_report_of(network));
        printf("its object has %lu bytes\n", (unsigned long)size);
    }
    netc_network_free(network);
    return result == NETC_DONE;
}

int main(void) {
    netc_compiler *compiler = netc_compiler_new();
    int as_expected;
    if (!compiler || netc_set(compiler, "weights-mode", "none") != NETC_DONE)
        return 1;
    netc_read_files(compiler, 0); /* nothing but what is in memory */
    as_expected = !compile(compiler, with_a_mistake) && compile(compiler, correct);
    netc_compiler_free(compiler);
    return as_expected ? 0 : 1;
}
