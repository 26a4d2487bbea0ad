/* --help as text and as the man page netc(1). */
#include <string.h>

#include "driver/option_table.h"

static const struct ExitStatus {
    int status;
    const char *meaning;
} exit_statuses[] = {
    {0, "done"},
    {1, "a mistake in source, weights or budgets"},
    {2, "wrong usage"},
    {3, "input or output failed"},
    {4, "diff: the networks differ"},
    {70, "internal error"},
};

#define EXIT_STATUS_COUNT (sizeof exit_statuses / sizeof exit_statuses[0])

/* "text|json", or what the argument is called, or "". */
static void add_argument(const OptionRow *row, StrBuf *out) {
    if (!row->choices[0])
        strbuf_add(out, row->argument ? row->argument : "");
    for (int i = 0; i < MAX_CHOICES && row->choices[i]; i++)
        strbuf_format(out, "%s%s", i ? "|" : "", row->choices[i]);
}

/* ---- text ----------------------------------------------------------------------------------- */

static void add_option_text(const OptionRow *row, StrBuf *out) {
    size_t start = out->length;
    if (row->letter)
        strbuf_format(out, "  -%c, --%s", row->letter, row->name);
    else
        strbuf_format(out, "      --%s", row->name);
    if (row->argument)
        strbuf_add(out, value_is_optional(row) ? "[=" : "=");
    add_argument(row, out);
    if (value_is_optional(row))
        strbuf_add_char(out, ']');
    size_t width = out->length - start;
    if (width < 30)
        strbuf_fill(out, ' ', 30 - width);
    else
        strbuf_format(out, "\n%*s", 30, "");
    strbuf_format(out, " %s\n", row->help);
}

static void help_text(StrBuf *out) {
    strbuf_add(out, "netc compiles neural networks to native code.\n\n"
                    "usage: netc [VERB] [OPTIONS] FILE.net\n\nverbs:\n");
    for (size_t i = 0; i < verb_count; i++)
        strbuf_format(out, "  %-8s %-16s %s\n", verb_table[i].name, verb_table[i].operand,
                      verb_table[i].help);
    strbuf_add(out, "\noptions:\n");
    for (size_t i = 0; i < option_count; i++)
        add_option_text(&option_table[i], out);
    strbuf_add(out, "\nexit status:\n");
    for (size_t i = 0; i < EXIT_STATUS_COUNT; i++)
        strbuf_format(out, "  %-3d %s\n", exit_statuses[i].status, exit_statuses[i].meaning);
}

/* ---- man page, in the macros of man(7) ------------------------------------------------------ */

/* `text` with what roff gives a meaning escaped, and what stands between backticks in bold. */
static void add_roff(const char *text, StrBuf *out) {
    bool bold = false;
    for (const char *at = text; *at; at++) {
        bool begins_line = out->length > 0 && out->data[out->length - 1] == '\n';
        if (begins_line && (*at == '.' || *at == '\''))
            strbuf_add(out, "\\&");
        if (*at == '`') {
            bold = !bold;
            strbuf_add(out, bold ? "\\fB" : "\\fR");
        } else if (*at == '-') {
            strbuf_add(out, "\\-");
        } else if (*at == '\\') {
            strbuf_add(out, "\\e");
        } else {
            strbuf_add_char(out, *at);
        }
    }
}

static void add_option_roff(const OptionRow *row, StrBuf *out) {
    strbuf_add(out, ".TP\n");
    if (row->letter)
        strbuf_format(out, "\\fB\\-%c\\fR, ", row->letter);
    strbuf_add(out, "\\fB\\-\\-");
    add_roff(row->name, out);
    strbuf_add(out, "\\fR");
    if (row->argument) {
        StrBuf argument = {0};
        add_argument(row, &argument);
        strbuf_add(out, value_is_optional(row) ? "[=\\fI" : "=\\fI");
        add_roff(strbuf_text(&argument), out);
        strbuf_add(out, value_is_optional(row) ? "\\fR]" : "\\fR");
        strbuf_free(&argument);
    }
    strbuf_add_char(out, '\n');
    add_roff(row->help, out);
    strbuf_add(out, ".\n");
    if (row->verbs == ALL_VERBS)
        return;
    const char *separator = "Of ";
    for (size_t i = 0; i < verb_count; i++) {
        if (!(row->verbs & VERB_BIT(i)))
            continue;
        strbuf_format(out, "%s\\fB%s\\fR", separator, verb_table[i].name);
        separator = ", ";
    }
    strbuf_add(out, ".\n");
}

static void help_man(StrBuf *out) {
    strbuf_add(out, ".TH NETC 1 \"\" \"netc " NETC_VERSION "\"\n"
                    ".SH NAME\nnetc \\- compile neural networks to native code\n"
                    ".SH SYNOPSIS\n.B netc\n.RI [ VERB ]\n.RI [ OPTIONS ]\n.I FILE.net\n"
                    ".SH DESCRIPTION\n"
                    "netc reads a network written in the language of\n.BR net (5),\n"
                    "proves the shape of every tensor, counts every parameter, and writes one "
                    "function: an object file and a C header.\n"
                    "Without a verb it compiles.\nA\n.I FILE.net\nof\n.B \\-\nis standard input.\n"
                    ".PP\nAn argument\n.BI @ FILE\n"
                    "stands for the arguments in a file, separated by blanks;"
                    " quotes and backslashes keep blanks as in a shell.\n"
                    "If there is no such file, the argument is what it says.\n"
                    ".SH VERBS\n");
    for (size_t i = 0; i < verb_count; i++) {
        strbuf_format(out, ".TP\n.BI \"%s \" \"", verb_table[i].name);
        add_roff(verb_table[i].operand, out);
        strbuf_add(out, "\"\n");
        add_roff(verb_table[i].help, out);
        strbuf_add(out, ".\n");
    }
    strbuf_add(out, ".SH OPTIONS\n");
    for (size_t i = 0; i < option_count; i++)
        add_option_roff(&option_table[i], out);
    strbuf_add(out, ".SH \"EXIT STATUS\"\n");
    for (size_t i = 0; i < EXIT_STATUS_COUNT; i++) {
        strbuf_format(out, ".TP\n.B %d\n", exit_statuses[i].status);
        add_roff(exit_statuses[i].meaning, out);
        strbuf_add(out, ".\n");
    }
    strbuf_add(out, ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nIf it is set, messages have no colour.\n"
                    ".TP\n.B CLICOLOR_FORCE\nIf it is set and not 0, they have, also in a pipe.\n"
                    ".TP\n.B TERM\nIf it is dumb, they have none.\n"
                    ".SH EXAMPLES\n.EX\n"
                    "netc digits.net \\-o digits.o\n"
                    "netc report \\-\\-explain digits.net\n"
                    "netc run digits.net \\-\\-input image.npy \\-\\-compare\n"
                    ".EE\n"
                    ".SH \"SEE ALSO\"\n.BR net (5)\n");
}

void options_help(HelpForm form, StrBuf *out) {
    switch (form) {
    case HELP_TEXT: help_text(out); break;
    case HELP_MAN: help_man(out); break;
    case HELP_BASH: completion_bash(out); break;
    case HELP_ZSH: completion_zsh(out); break;
    case HELP_FISH: completion_fish(out); break;
    case HELP_FORMS: break;
    }
}
