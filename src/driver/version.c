/* What `netc --version` prints. */
#include "codegen/target.h"
#include "driver/verbs.h"
#include "output/json_value.h"

void version_text(Arena *arena, const Options *options, StrBuf *out) {
    strbuf_add(out, "netc " NETC_VERSION ", LLVM " NETC_LLVM_VERSION "\n");
    if (!options->verbose)
        return;
    if (options->revision[0])
        strbuf_format(out, "revision %s\n", options->revision);
    strbuf_format(out, "default target %s\n", target_default_triple(arena));
}

void version_json(Arena *arena, const Options *options, StrBuf *out) {
    json_t *object = json_object();
    json_object_set_new(object, "version", json_string(NETC_VERSION));
    json_object_set_new(object, "revision",
                        options->revision[0] ? json_string(options->revision) : json_null());
    json_object_set_new(object, "llvm", json_string(NETC_LLVM_VERSION));
    json_object_set_new(object, "target", json_string(target_default_triple(arena)));
    json_print(object, JSON_INDENT(2), out);
    strbuf_add_char(out, '\n');
}
