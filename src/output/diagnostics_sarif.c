/* Diagnostics as a SARIF 2.1.0 log, the form in which services that show findings beside the code
 * take them. */
#include <ctype.h>
#include <string.h>

#include "output/diagnostics.h"
#include "output/explain.h"
#include "output/json_value.h"

#define SCHEMA                                                                                     \
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

/* The text of a StrBuf, which is freed. */
static json_t *taken_text(StrBuf *text) {
    json_t *json = json_text(strbuf_text(text));
    strbuf_free(text);
    return json;
}

/* ---- places --------------------------------------------------------------------------------- */

/* A path as a URI reference. */
static json_t *artifact(const char *path) {
    StrBuf uri = {0};
    if (path[0] == '/')
        strbuf_add(&uri, "file://");
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    for (const char *at = path; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte < 0x80 && (isalnum(byte) || strchr("/-._~", byte)))
            strbuf_add_char(&uri, *at);
        else
            strbuf_format(&uri, "%%%02X", (unsigned)byte);
    }
    return json_pack("{s:o}", "uri", taken_text(&uri));
}

static json_t *region(const Diagnostics *diagnostics, Span span) {
    Location begin = source_locate(diagnostics->sources, span);
    Location end = source_locate(diagnostics->sources, (Span){span.end, span.end});
    return json_pack("{s:I, s:I, s:I, s:I}", "startLine", (json_int_t)begin.line, "startColumn",
                     (json_int_t)begin.column, "endLine", (json_int_t)end.line, "endColumn",
                     (json_int_t)end.column);
}

static json_t *source_artifact(const Diagnostics *diagnostics, Span span) {
    return artifact(source_of(diagnostics->sources, span)->name);
}

static json_t *physical_location(const Diagnostics *diagnostics, Span span) {
    return json_pack("{s:o, s:o}", "artifactLocation", source_artifact(diagnostics, span), "region",
                     region(diagnostics, span));
}

/* ---- messages ------------------------------------------------------------------------------- */

/* In a message of SARIF a brace alone begins a placeholder. */
static void add_message(const char *text, StrBuf *out) {
    for (const char *at = text; *at; at++) {
        if (*at == '{' || *at == '}')
            strbuf_add_char(out, *at);
        strbuf_add_char(out, *at);
    }
}

static json_t *message(const char *text) {
    StrBuf escaped = {0};
    add_message(text, &escaped);
    return json_pack("{s:o}", "text", taken_text(&escaped));
}

static json_t *with_message(json_t *object, const char *text) {
    if (text && text[0])
        json_object_set_new(object, "message", message(text));
    return object;
}

/* The message with its notes and all advice: who shows a result may show nothing else of it. */
static json_t *whole_message(const Diagnostic *diagnostic) {
    StrBuf text = {0};
    add_message(diagnostic->message, &text);
    for (size_t i = 0; i < diagnostic->notes.count; i++) {
        strbuf_add(&text, "\nnote: ");
        add_message(diagnostic->notes.data[i], &text);
    }
    for (size_t i = 0; i < diagnostic->fixes.count; i++) {
        strbuf_add(&text, "\nhelp: ");
        add_message(diagnostic->fixes.data[i].message, &text);
    }
    return json_pack("{s:o}", "text", taken_text(&text));
}

/* ---- results -------------------------------------------------------------------------------- */

/* Where it is; of what is no place in a text, the file that was asked for, since services refuse a
 * result without any. */
static json_t *locations(const Diagnostics *diagnostics, const Diagnostic *diagnostic,
                         const char *file) {
    if (!diagnostic->span.begin)
        return file ? json_pack("[{s:{s:o}}]", "physicalLocation", "artifactLocation",
                                artifact(file))
                    : json_array();
    json_t *location =
        json_pack("{s:o}", "physicalLocation", physical_location(diagnostics, diagnostic->span));
    return json_pack("[o]", with_message(location, diagnostic->label));
}

static json_t *related_locations(const Diagnostics *diagnostics, const Diagnostic *diagnostic) {
    json_t *list = json_array();
    for (size_t i = 0; i < diagnostic->labels.count; i++) {
        const DiagLabel *label = &diagnostic->labels.data[i];
        json_t *location = json_pack("{s:I, s:o}", "id", (json_int_t)i + 1, "physicalLocation",
                                     physical_location(diagnostics, label->span));
        json_array_append_new(list, with_message(location, label->text));
    }
    return list;
}

/* Those that are edits. */
static json_t *fixes(const Diagnostics *diagnostics, const Diagnostic *diagnostic) {
    json_t *list = json_array();
    for (size_t i = 0; i < diagnostic->fixes.count; i++) {
        const DiagFix *fix = &diagnostic->fixes.data[i];
        if (!fix->replacement)
            continue;
        json_t *replacement =
            json_pack("{s:o, s:{s:o}}", "deletedRegion", region(diagnostics, fix->span),
                      "insertedContent", "text", json_text(fix->replacement));
        json_t *change =
            json_pack("{s:o, s:[o]}", "artifactLocation", source_artifact(diagnostics, fix->span),
                      "replacements", replacement);
        json_array_append_new(list, json_pack("{s:o, s:[o], s:{s:b}}", "description",
                                              message(fix->message), "artifactChanges", change,
                                              "properties", "applicable", fix->applicable));
    }
    return list;
}

static json_t *result(const Diagnostics *diagnostics, const Diagnostic *diagnostic, size_t rule,
                      const char *file) {
    return json_pack("{s:s, s:I, s:s, s:o, s:o, s:o, s:o}", "ruleId",
                     diag_code_name(diagnostic->code), "ruleIndex", (json_int_t)rule, "level",
                     diag_severity(diagnostic->is_error), "message", whole_message(diagnostic),
                     "locations", locations(diagnostics, diagnostic, file), "relatedLocations",
                     related_locations(diagnostics, diagnostic), "fixes",
                     fixes(diagnostics, diagnostic));
}

/* ---- the log -------------------------------------------------------------------------------- */

static json_t *rule(DiagCode code) {
    StrBuf meaning = {0}, text = {0}, markdown = {0};
    explain_meaning(code, &meaning);
    explain_text(code, &text);
    explain_markdown(code, &markdown);
    return json_pack("{s:s, s:{s:s}, s:{s:o}, s:{s:o, s:o}, s:{s:s}}", "id", diag_code_name(code),
                     "shortDescription", "text", diag_code_summary(code), "fullDescription", "text",
                     taken_text(&meaning), "help", "text", taken_text(&text), "markdown",
                     taken_text(&markdown), "defaultConfiguration", "level",
                     diag_severity(diag_code_is_error(code)));
}

/* The place of a code among the rules, where it is put if it is not there. */
static size_t rule_index(json_t *rules, DiagCode code, size_t *places) {
    if (places[code] == 0) {
        json_array_append_new(rules, rule(code));
        places[code] = json_array_size(rules);
    }
    return places[code] - 1;
}

void diagnostics_sarif(const Diagnostics *diagnostics, const char *file, StrBuf *out) {
    const SourceMap *sources = diagnostics->sources;
    if (sources->sources.count > 0)
        file = sources->sources.data[0]->name;
    size_t places[DIAG_CODE_COUNT] = {0};
    json_t *rules = json_array();
    json_t *results = json_array();
    for (size_t i = 0; i < diagnostics->list.count; i++) {
        const Diagnostic *diagnostic = diagnostics->list.data[i];
        size_t index = rule_index(rules, diagnostic->code, places);
        json_array_append_new(results, result(diagnostics, diagnostic, index, file));
    }
    json_t *run =
        json_pack("{s:{s:{s:s, s:s, s:o}}, s:s, s:[s, s, s], s:o}", "tool", "driver", "name",
                  "netc", "version", NETC_VERSION, "rules", rules, "columnKind",
                  "unicodeCodePoints", "newlineSequences", "\r\n", "\n", "\r", "results", results);
    json_print(json_pack("{s:s, s:s, s:[o]}", "$schema", SCHEMA, "version", "2.1.0", "runs", run),
               JSON_INDENT(2), out);
    strbuf_add(out, "\n");
}
