#include "output/header.h"

#include <ctype.h>
#include <string.h>

#include "netc_runtime.h"
#include "output/report.h"
#include "support/intern.h"

/* Words that C (up to C23) or C++ (up to C++23) keeps for itself and a network might use as a name.
 */
static const char *const reserved_words[] = {
    "alignas",   "alignof",  "and",      "asm",      "auto",     "bitand",  "bitor",     "bool",
    "break",     "case",     "catch",    "char",     "class",    "compl",   "concept",   "const",
    "constexpr", "continue", "decltype", "default",  "delete",   "do",      "double",    "else",
    "enum",      "explicit", "export",   "extern",   "false",    "float",   "for",       "friend",
    "goto",      "if",       "inline",   "int",      "long",     "mutable", "namespace", "new",
    "noexcept",  "not",      "nullptr",  "operator", "or",       "private", "protected", "public",
    "register",  "requires", "restrict", "return",   "short",    "signed",  "sizeof",    "static",
    "struct",    "switch",   "template", "this",     "throw",    "true",    "try",       "typedef",
    "typeid",    "typename", "typeof",   "union",    "unsigned", "using",   "virtual",   "void",
    "volatile",  "while",    "xor",
};

/* Everything the parts of the header share. */
typedef struct Header {
    const Variants *variants;
    const Target *target; /* of the lowest */
    const Graph *graph;
    const char *name; /* of the function: "digits" */
    const CodegenOptions *options;
    const char *namespace; /* NULL: none */
    Arena *arena;
    Intern intern;
    VEC(const char *) parameters; /* C names: arena, weights, [pool,] inputs, outputs */
    size_t first_tensor;          /* which of them is the first input */
    const char *macro;            /* "DIGITS" */
    StrBuf *out;
} Header;

/* ---- names ---------------------------------------------------------------------------------- */

bool header_reserves(const char *name) {
    for (size_t i = 0; i < sizeof reserved_words / sizeof reserved_words[0]; i++)
        if (strcmp(name, reserved_words[i]) == 0)
            return true;
    return false;
}

/* A C identifier like `text` that is neither reserved nor in `taken`; interned. */
static const char *unique_identifier(Header *h, const char *text, const char *const *taken,
                                     size_t taken_count) {
    StrBuf name = {0};
    if (!isalpha((unsigned char)text[0]))
        strbuf_add(&name, "t");
    for (const char *c = text; *c; c++)
        strbuf_add_char(&name, isalnum((unsigned char)*c) && (unsigned char)*c < 128 ? *c : '_');
    for (bool clash = true; clash;) {
        clash = header_reserves(strbuf_text(&name));
        for (size_t i = 0; i < taken_count && !clash; i++)
            clash = strcmp(taken[i], strbuf_text(&name)) == 0;
        if (clash)
            strbuf_add_char(&name, '_');
    }
    const char *identifier = intern_text(&h->intern, strbuf_text(&name));
    strbuf_free(&name);
    return identifier;
}

static const char *upper_case(Arena *arena, const char *text) {
    char *copy = arena_copy_text(arena, text, strlen(text));
    for (char *c = copy; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return copy;
}

static void add_parameter(Header *h, const char *text) {
    const char *name = unique_identifier(h, text, h->parameters.data, h->parameters.count);
    VEC_PUSH(h->arena, &h->parameters, name);
}

static bool takes_weights(const Header *h) {
    return h->options->weights_mode != WEIGHTS_EMBED;
}

static bool takes_pool(const Header *h) {
    return h->variants->list[0].plan->threads > 1;
}

/* `arena`, `weights` and `pool` keep their names; a tensor of that name gets an underscore. */
static void name_parameters(Header *h) {
    add_parameter(h, "arena");
    add_parameter(h, "weights");
    if (takes_pool(h))
        add_parameter(h, "pool");
    h->first_tensor = h->parameters.count;
    for (size_t i = 0; i < h->graph->inputs.count; i++)
        add_parameter(h, h->graph->inputs.data[i]->name);
    for (size_t i = 0; i < h->graph->outputs.count; i++)
        add_parameter(h, h->graph->output_names.data[i]);
}

/* Tensor number `index`: inputs first, then outputs. */
static const char *tensor_name(const Header *h, size_t index) {
    return h->parameters.data[h->first_tensor + index];
}

static const Value *tensor_value(const Header *h, size_t index) {
    size_t inputs = h->graph->inputs.count;
    return index < inputs ? h->graph->inputs.data[index] : h->graph->outputs.data[index - inputs];
}

/* Samples of a call. */
static int64_t batch_of(const Header *h) {
    return plan_samples(h->variants->list[0].plan);
}

static size_t tensor_count(const Header *h) {
    return h->graph->inputs.count + h->graph->outputs.count;
}

/* ---- parts ---------------------------------------------------------------------------------- */

/* Lines of `text` as lines of a comment. */
static void print_commented(const char *text, StrBuf *out) {
    while (*text) {
        size_t length = strcspn(text, "\n");
        strbuf_add(out, length ? " * " : " *");
        for (size_t i = 0; i < length; i++) {
            strbuf_add_char(out, text[i]);
            if (text[i] == '*' && text[i + 1] == '/')
                strbuf_add_char(out, ' ');
        }
        strbuf_add_char(out, '\n');
        text += length + (text[length] == '\n');
    }
}

/* Of a tensor's elements, in any C. */
static const char *c_type(const Value *value) {
    switch (value->type.element) {
    case ELEMENT_F32: return "float";
    case ELEMENT_U8: return "unsigned char";
    }
    return "";
}

static const char *element_text(const Value *value) {
    switch (value->type.element) {
    case ELEMENT_F32: return "float32, aligned to 4 bytes";
    case ELEMENT_U8: return "unsigned bytes 0 to 255, at any address";
    }
    return "";
}

static bool same_element(const Header *h, size_t a, size_t b) {
    return tensor_value(h, a)->type.element == tensor_value(h, b)->type.element;
}

static void print_prototype(const Header *h, const char *indent, StrBuf *out) {
    const char *separator = "";
    strbuf_format(out, "%svoid %s(", indent, h->name);
    for (size_t i = 0; i < tensor_count(h); i++, separator = ", ")
        strbuf_format(out, "%s%s%s *%s", separator, i < h->graph->inputs.count ? "const " : "",
                      c_type(tensor_value(h, i)), tensor_name(h, i));
    if (takes_weights(h))
        strbuf_add(out, ", const void *weights");
    strbuf_format(out, ", void *arena%s);\n", takes_pool(h) ? ", pthreadpool_t pool" : "");
}

static void print_example(const Header *h, StrBuf *out) {
    strbuf_format(out, " *\n * Example:\n *\n *     #include \"%s.h\"\n", h->name);
    if (h->variants->arena_bytes > 0)
        strbuf_format(out, " *     static _Alignas(%s_ALIGNMENT) char arena[%s_ARENA_BYTES];\n",
                      h->macro, h->macro);
    for (size_t i = 0; i < tensor_count(h); i++) {
        bool goes_on = i > 0 && same_element(h, i - 1, i);
        bool ends = i + 1 == tensor_count(h) || !same_element(h, i, i + 1);
        if (!goes_on)
            strbuf_format(out, " *     static %s ", c_type(tensor_value(h, i)));
        strbuf_format(out, "%s%s[%s_%s_SIZE]%s", goes_on ? ", " : "", tensor_name(h, i), h->macro,
                      upper_case(h->arena, tensor_name(h, i)), ends ? ";\n" : "");
    }
    if (takes_pool(h))
        strbuf_format(out, " *     pthreadpool_t pool = pthreadpool_create(%s_THREADS);\n",
                      h->macro);
    strbuf_format(out, " *     %s(", h->name);
    for (size_t i = 0; i < tensor_count(h); i++)
        strbuf_format(out, "%s, ", tensor_name(h, i));
    strbuf_format(out, "%s%s%s);\n", takes_weights(h) ? "weights, " : "",
                  h->variants->arena_bytes > 0 ? "arena" : "0", takes_pool(h) ? ", pool" : "");
}

static void print_opening(const Header *h, const GraphCount *count) {
    StrBuf table = {0};
    report_text(report_make(h->variants, count, &(ReportOptions){0}, NULL), &table);
    strbuf_format(h->out,
                  "/* %s: a neural network compiled by netc. Generated, not to be edited.\n",
                  h->name);
    strbuf_format(h->out, " * Runs on %s, processor %s or one that has all its instructions.\n",
                  h->target->triple, h->target->cpu);
    for (size_t i = 1; i < h->variants->count; i++)
        strbuf_format(h->out, "%s%s%s", i > 1 ? ", " : " * Has better code for ",
                      h->variants->list[i].target->cpu,
                      i + 1 == h->variants->count ? ": the first call chooses.\n" : "");
    if (h->namespace)
        strbuf_format(h->out, " * In C++ all names but those of macros are in %s.\n", h->namespace);
    strbuf_add(h->out, " *\n");
    print_commented(strbuf_text(&table), h->out);
    print_example(h, h->out);
    strbuf_add(h->out, " */\n");
    strbuf_free(&table);
}

/* A whole number that C89 reads without a warning. */
static void print_number_macro(const Header *h, const char *name, int64_t number) {
    strbuf_format(h->out, "#define %s_%s %lld%s\n", h->macro, name, (long long)number,
                  number > INT32_MAX ? "ul" : "");
}

/* Of tensor number `index`, with the sample axis of several samples. */
static void print_shape_macros(const Header *h, size_t index) {
    const Shape *shape = &tensor_value(h, index)->type.shape;
    const char *name = upper_case(h->arena, tensor_name(h, index));
    bool batched = batch_of(h) > 1;
    print_number_macro(h, arena_format(h->arena, "%s_SIZE", name),
                       batch_of(h) * shape_elements(shape));
    print_number_macro(h, arena_format(h->arena, "%s_RANK", name), shape->rank + batched);
    strbuf_format(h->out, "#define %s_%s_SHAPE {", h->macro, name);
    if (batched)
        strbuf_format(h->out, "%lld%s", (long long)batch_of(h), shape->rank > 0 ? ", " : "");
    for (int d = 0; d < shape->rank; d++)
        strbuf_format(h->out, "%s%lld", d ? ", " : "", (long long)shape->dims[d]);
    strbuf_add(h->out, "}\n");
}

static void print_facts(const Header *h, const GraphCount *count) {
    strbuf_add(h->out, "\n/* Facts. Sizes are in elements unless they say bytes. */\n");
    print_number_macro(h, "ABI_VERSION", NETC_ABI_VERSION);
    print_number_macro(h, "ALIGNMENT", 64);
    print_number_macro(h, "ARENA_BYTES", h->variants->arena_bytes);
    print_number_macro(h, "WEIGHTS_BYTES", h->variants->packed_bytes);
    if (takes_pool(h))
        print_number_macro(h, "THREADS", h->variants->list[0].plan->threads);
    if (batch_of(h) > 1)
        print_number_macro(h, "BATCH", batch_of(h));
    print_number_macro(h, "PARAMETERS", count->trainable + count->frozen);
    print_number_macro(h, "MACS", count->macs);
    strbuf_format(h->out, "#define %s_TARGET \"%s\"\n", h->macro, h->target->triple);
    strbuf_format(h->out, "#define %s_CPU \"", h->macro);
    variants_print_cpus(h->variants, h->out);
    strbuf_add(h->out, "\"\n");
    for (size_t i = 0; i < tensor_count(h); i++)
        print_shape_macros(h, i);
}

/* "b::c" of "a::b::c"; NULL of "c". */
static const char *next_namespace(const char *names) {
    const char *colons = strstr(names, "::");
    return colons ? colons + 2 : NULL;
}

/* Of C++. What netc_runtime.h defines stays outside. */
static void print_scope_begin(const Header *h) {
    strbuf_add(h->out, "\nstruct netc_info; /* netc_runtime.h */\n\n#ifdef __cplusplus\n");
    for (const char *at = h->namespace; at; at = next_namespace(at))
        strbuf_format(h->out, "namespace %.*s {\n", (int)strcspn(at, ":"), at);
    strbuf_add(h->out, "extern \"C\" {\n#endif\n");
}

static void print_scope_end(const Header *h) {
    strbuf_add(h->out, "\n#ifdef __cplusplus\n}\n");
    for (const char *at = h->namespace; at; at = next_namespace(at))
        strbuf_add(h->out, "}\n");
    strbuf_add(h->out, "#endif\n");
}

static void print_checks(const Header *h) {
    strbuf_format(h->out,
                  "\n/* The object was made for a machine like this one. */\n"
                  "typedef char %s_float_has_4_bytes[sizeof(float) == 4 ? 1 : -1];\n"
                  "typedef char %s_pointer_has_8_bytes[sizeof(void *) == 8 ? 1 : -1];\n",
                  h->name, h->name);
    strbuf_format(h->out,
                  "#ifdef NETC_ABI_VERSION /* netc_runtime.h was included before */\n"
                  "typedef char %s_runtime_fits[NETC_ABI_VERSION == %s_ABI_VERSION ? 1 : -1];\n"
                  "#endif\n",
                  h->name, h->macro);
}

static void print_pool(const Header *h) {
    strbuf_format(h->out,
                  " *   %-10s threads to share the work between, or 0. Of libpthreadpool\n"
                  " *              (Debian: libpthreadpool-dev; link with -lpthreadpool)\n",
                  "pool");
    if (!h->variants->shared)
        strbuf_add(h->out, " *              It is not used: the work is too little to be shared\n");
    else
        strbuf_format(h->out,
                      " *              With fewer than %s_THREADS the calling thread does it all.\n"
                      " *              The results are the same bits in any case\n",
                      h->macro);
}

static void print_forward(const Header *h) {
    StrBuf *out = h->out;
    strbuf_add(out, "\n/* Runs the network once");
    if (batch_of(h) > 1)
        strbuf_format(out,
                      " for each of %s_BATCH samples, which follow one another in\n"
                      " * every input and output",
                      h->macro);
    strbuf_add(out, ".\n *\n");
    for (size_t i = 0; i < tensor_count(h); i++) {
        StrBuf shape = {0};
        shape_print(&tensor_value(h, i)->type.shape, &shape);
        strbuf_format(out, " *   %-10s %s, %s%s: row-major %s\n", tensor_name(h, i),
                      i < h->graph->inputs.count ? "read" : "written", strbuf_text(&shape),
                      batch_of(h) > 1 ? " a sample" : "", element_text(tensor_value(h, i)));
        strbuf_free(&shape);
    }
    if (takes_weights(h))
        strbuf_format(out,
                      " *   %-10s read, %s_WEIGHTS_BYTES packed bytes, aligned to %s_ALIGNMENT\n",
                      "weights", h->macro, h->macro);
    if (h->variants->arena_bytes > 0)
        strbuf_format(out,
                      " *   %-10s scratch, %s_ARENA_BYTES bytes aligned to %s_ALIGNMENT; its\n"
                      " *              contents before and after mean nothing\n",
                      "arena", h->macro, h->macro);
    else
        strbuf_format(out, " *   %-10s not used, may be 0\n", "arena");
    if (takes_pool(h))
        print_pool(h);
    bool several = h->variants->count > 1;
    strbuf_format(out,
                  " *\n"
                  " * No argument may overlap another. Cannot fail, allocates nothing, keeps no\n"
                  " * state%s: threads may call it at once, each with an arena\n"
                  " * of its own. NaN in the input is not an error and reaches the output. */\n",
                  several ? " but for which processor it runs on" : "");
    print_prototype(h, "", out);
}

/* Source tensors, their struct, and NAME_pack. */
static void print_pack(Header *h) {
    const Graph *graph = h->graph;
    VEC(const char *) names = {0};
    strbuf_format(h->out,
                  "\n/* The network's tensors, in PyTorch's layout: row-major float32. */\n"
                  "struct %s_tensors {\n",
                  h->name);
    for (size_t i = 0; i < graph->weights.count; i++) {
        const Weight *weight = graph->weights.data[i];
        const char *name = unique_identifier(h, weight->path, names.data, names.count);
        VEC_PUSH(h->arena, &names, name);
        StrBuf shape = {0};
        shape_print(&weight->shape, &shape);
        strbuf_format(h->out, "    const float *%s; /* %s */\n", name, strbuf_text(&shape));
        strbuf_free(&shape);
    }
    strbuf_format(h->out,
                  "};\n\n"
                  "/* Packs the tensors into `weights`: %s_WEIGHTS_BYTES bytes aligned to\n"
                  " * %s_ALIGNMENT, in the layout that %s reads on this target. */\n"
                  "void %s_pack(const struct %s_tensors *tensors, void *weights);\n",
                  h->macro, h->macro, h->name, h->name, h->name);
}

void header_print(const Variants *variants, const GraphCount *count, const CodegenOptions *options,
                  const char *namespace, StrBuf *out) {
    const Plan *plan = variants->list[0].plan;
    Header h = {.variants = variants,
                .target = variants->list[0].target,
                .graph = plan->graph,
                .name = variants->symbol,
                .options = options,
                .namespace = namespace,
                .arena = plan->arena,
                .intern = {.arena = plan->arena},
                .macro = upper_case(plan->arena, variants->symbol),
                .out = out};
    name_parameters(&h);
    print_opening(&h, count);
    strbuf_format(out, "#ifndef NETC_%s_H\n#define NETC_%s_H\n", h.macro, h.macro);
    if (takes_pool(&h))
        strbuf_add(out, "\n#include <pthreadpool.h>\n");
    print_facts(&h, count);
    print_scope_begin(&h);
    print_checks(&h);
    print_forward(&h);
    if (takes_weights(&h) && plan->graph->weights.count > 0)
        print_pack(&h);
    strbuf_format(out,
                  "\n/* The same facts for netc_runtime.h. */\n"
                  "extern const struct netc_info %s_info;\n",
                  h.name);
    print_scope_end(&h);
    strbuf_add(out, "\n#endif\n");
}
