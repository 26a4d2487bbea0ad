#include "output/explain.h"

#include <string.h>

static const char *const pages[] = {
#include "explain_pages.def" /* made by CMake */
};

_Static_assert(sizeof pages / sizeof pages[0] == DIAG_CODE_COUNT, "a code without a page");

/* By the two digits after the letter of a code; the first is 01. */
static const char *const families[] = {
    "text and syntax",       "shapes and arguments", "names",  "weights", "asserts",
    "targets and compiling", "input and output",     "limits",
};

static int family_of(DiagCode code) {
    return diag_code_name(code)[2] - '1';
}

/* The name of the family that begins with this code, or NULL. */
static const char *family_begun(DiagCode code) {
    bool begins = code == 0 || family_of(code) != family_of(code - 1);
    return begins ? families[family_of(code)] : NULL;
}

void explain_list(StrBuf *out) {
    for (DiagCode code = 0; code < DIAG_CODE_COUNT; code++) {
        const char *family = family_begun(code);
        if (family)
            strbuf_format(out, "%s%s\n", code == 0 ? "" : "\n", family);
        strbuf_format(out, "  %s  %s\n", diag_code_name(code), diag_code_summary(code));
    }
}

void explain_meaning(DiagCode code, StrBuf *out) {
    const char *page = pages[code];
    const char *examples = strstr(page, "\n\nWrong:\n");
    strbuf_add_bytes(out, page, examples ? (size_t)(examples - page) : strlen(page) - 1);
}

/* Of a Markdown block its lines are left, set in. */
void explain_text(DiagCode code, StrBuf *out) {
    strbuf_format(out, "%s: %s\n\n", diag_code_name(code), diag_code_summary(code));
    bool in_block = false;
    for (const char *line = pages[code]; *line;) {
        size_t length = strcspn(line, "\n") + 1;
        bool fence = strncmp(line, "```", 3) == 0;
        in_block ^= fence;
        if (!fence) {
            strbuf_fill(out, ' ', in_block ? 4 : 0);
            strbuf_add_bytes(out, line, length);
        } else if (!in_block && line[length]) {
            strbuf_add(out, "\n");
        }
        line += length;
    }
}

void explain_markdown(DiagCode code, StrBuf *out) {
    strbuf_format(out, "### %s\n**%s.** %s", diag_code_name(code), diag_code_summary(code),
                  pages[code]);
}

void explain_page(StrBuf *out) {
    strbuf_add(out, "# Errors and warnings\n"
                    "<!-- Made by `netc explain --format=markdown` from src/output/explain; not to "
                    "be edited. -->\n"
                    "What `netc explain CODE` shows of each code. An example is a file "
                    "`example.net`, given to `netc check` unless other commands are shown; the "
                    "tests run all of them.\n");
    for (DiagCode code = 0; code < DIAG_CODE_COUNT; code++) {
        const char *family = family_begun(code);
        if (family)
            strbuf_format(out, "\n## Family: %s\n", family);
        strbuf_add(out, "\n");
        explain_markdown(code, out);
    }
}
