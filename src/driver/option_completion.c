/* Completions of bash, zsh and fish. Each script finds the verb on the command line (`compile` if
 * there is none), and offers what the table says of it. */
#include <string.h>

#include "driver/option_table.h"
#include "layers/layer.h"

static bool names_file(const OptionRow *row) {
    return row->argument && strncmp(row->argument, "FILE", 4) == 0;
}

/* The row of --format, whose choices are the verb's. */
static const OptionRow *format_row(void) {
    const OptionRow *row = option_table;
    while (row->offset != offsetof(Options, format))
        row++;
    return row;
}

/* The verbs whose bits are set. */
static void add_verbs(unsigned verbs, const char *separator, StrBuf *out) {
    const char *before = "";
    for (size_t i = 0; i < verb_count; i++) {
        if (!(verbs & VERB_BIT(i)))
            continue;
        strbuf_format(out, "%s%s", before, verb_table[i].name);
        before = separator;
    }
}

/* The choices whose bits are set. */
static void add_choices(const OptionRow *row, unsigned bits, StrBuf *out) {
    const char *before = "";
    for (int i = 0; i < MAX_CHOICES && row->choices[i]; i++) {
        if (!(bits & 1u << i))
            continue;
        strbuf_format(out, "%s%s", before, row->choices[i]);
        before = " ";
    }
}

static bool takes_no_file(size_t verb) {
    return WITHOUT_FILE & VERB_BIT(verb);
}

/* What a verb of MANUALS may be asked about; nothing of another one. */
static void add_subjects(size_t verb, StrBuf *out) {
    if (!(MANUALS & VERB_BIT(verb)))
        return;
    size_t count = DIAG_CODE_COUNT;
    const LayerInfo *const *layers = verb == VERB_LAYERS ? layer_table(&count) : NULL;
    for (size_t i = 0; i < count; i++)
        strbuf_format(out, "%s%s", i ? " " : "",
                      layers ? layers[i]->name : diag_code_name((DiagCode)i));
}

/* Sets the shell's variable `name` to the formats that $verb has. */
static void add_formats_by_verb(const char *name, const char *indent, StrBuf *out) {
    strbuf_format(out, "%scase $verb in\n", indent);
    for (size_t i = 0; i < verb_count; i++) {
        if (verb_table[i].formats == 0)
            continue;
        strbuf_format(out, "%s%s) %s='", indent, verb_table[i].name, name);
        add_choices(format_row(), verb_table[i].formats, out);
        strbuf_add(out, "' ;;\n");
    }
    strbuf_format(out, "%sesac\n", indent);
}

/* ---- bash ----------------------------------------------------------------------------------- */

/* The cases of `$before`: the option whose value is completed, with `=` if that stands between. */
static void add_bash_values(StrBuf *out) {
    for (size_t i = 0; i < option_count; i++) {
        const OptionRow *row = &option_table[i];
        if (row->kind == OPTION_FLAG)
            continue;
        strbuf_format(out, "    --%s=", row->name);
        if (value_is_required(row))
            strbuf_format(out, " | --%s", row->name);
        if (value_is_required(row) && row->letter)
            strbuf_format(out, " | -%c", row->letter);
        strbuf_add(out, ")\n        operand=value\n");
        if (row == format_row()) {
            add_formats_by_verb("words", "        ", out);
        } else if (row->choices[0]) {
            strbuf_add(out, "        words='");
            add_choices(row, ~0u, out);
            strbuf_add(out, "'\n");
        } else if (names_file(row)) {
            strbuf_add(out, "        files='*'\n");
        }
        strbuf_add(out, "        ;;\n");
    }
}

static void add_bash_options(StrBuf *out) {
    for (size_t i = 0; i < option_count; i++) {
        const OptionRow *row = &option_table[i];
        strbuf_add(out, "        case $verb in ");
        add_verbs(row->verbs, " | ", out);
        strbuf_format(out, ") words+=' --%s%s' ;; esac\n", row->name,
                      value_is_required(row) ? "=" : "");
    }
}

void completion_bash(StrBuf *out) {
    strbuf_add(out,
               "# Completion for bash, made by `netc --help=bash`\n"
               "_netc() {\n"
               "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
               "    # bash takes `--format=json` apart: `--format`, `=`, `json`.\n"
               "    if [[ $word == = ]]; then\n"
               "        word='' before+='='\n"
               "    elif [[ $before == = ]]; then\n"
               "        before=${COMP_WORDS[COMP_CWORD - 2]}=\n"
               "    fi\n"
               "    local verb=compile operand=first words='' files='' i\n"
               "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
               "        case ${COMP_WORDS[i]} in\n"
               "        ");
    add_verbs(ALL_VERBS, " | ", out);
    strbuf_add(out, ")\n            verb=${COMP_WORDS[i]} operand=file\n            break\n"
                    "            ;;\n        esac\n    done\n"
                    "    case $before in\n");
    add_bash_values(out);
    strbuf_add(out, "    esac\n"
                    "    if [[ $operand == value ]]; then\n        :\n"
                    "    elif [[ $word == -* ]]; then\n");
    add_bash_options(out);
    for (size_t i = 0; i < verb_count; i++) {
        if (!takes_no_file(i))
            continue;
        strbuf_format(out, "    elif [[ $verb == %s ]]; then\n        words='", verb_table[i].name);
        add_subjects(i, out);
        strbuf_add(out, "'\n");
    }
    strbuf_add(out, "    else\n        files='*.net'\n"
                    "        [[ $operand == first ]] && words='");
    add_verbs(ALL_VERBS, " ", out);
    strbuf_add(
        out,
        "'\n    fi\n"
        "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
        "    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
        "    if [[ -n $files ]]; then\n"
        "        compopt -o filenames\n"
        "        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(\n"
        "            compgen -d -- \"$word\"\n"
        "            compgen -f -X \"!$files\" -- \"$word\" |\n"
        "                while IFS= read -r i; do [[ -d $i ]] || printf '%s\\n' \"$i\"; done)\n"
        "    fi\n"
        "}\n"
        "complete -F _netc netc\n");
}

/* ---- zsh ------------------------------------------------------------------------------------ */

/* Help within '...[HERE]'. */
static void add_zsh_help(const char *help, StrBuf *out) {
    for (; *help; help++)
        if (*help == '\'')
            strbuf_add(out, "'\\''");
        else if (*help == '[' || *help == ']')
            strbuf_format(out, "\\%c", *help);
        else
            strbuf_add_char(out, *help);
}

/* A line of _arguments: `--emit=[stop after a stage]:STAGE:(tokens ast)`. `ending` says how the
 * argument is joined, or is "" for none. */
static void add_zsh_option(const OptionRow *row, const char *dashes, const char *name,
                           const char *ending, StrBuf *out) {
    bool repeats =
        row->kind == OPTION_LIST || row->kind == OPTION_DEFINE || row->kind == OPTION_PREFIX_MAP;
    strbuf_format(out, " '%s%s%s%s[", repeats ? "*" : "", dashes, name, ending);
    add_zsh_help(row->help, out);
    strbuf_add_char(out, ']');
    if (ending[0]) {
        strbuf_format(out, "%s%s:", value_is_required(row) ? ":" : "::", row->argument);
        if (row == format_row()) {
            strbuf_add(out, "('$formats')");
        } else if (row->choices[0]) {
            strbuf_add_char(out, '(');
            add_choices(row, ~0u, out);
            strbuf_add_char(out, ')');
        } else {
            strbuf_add(out, names_file(row) ? "_files" : " ");
        }
    }
    strbuf_add_char(out, '\'');
}

void completion_zsh(StrBuf *out) {
    strbuf_add(out, "#compdef netc\n"
                    "# Completion for zsh, made by `netc --help=zsh`\n"
                    "local verb=compile word formats\n"
                    "local -a options verbs\n"
                    "for word in ${words[2,CURRENT-1]}; do\n"
                    "    case $word in\n    ");
    add_verbs(ALL_VERBS, " | ", out);
    strbuf_add(out, ")\n        verb=$word\n        break\n        ;;\n    esac\ndone\n");
    add_formats_by_verb("formats", "", out);
    strbuf_add(out, "options=()\n");
    for (size_t i = 0; i < option_count; i++) {
        const OptionRow *row = &option_table[i];
        char letter[] = {row->letter, '\0'};
        strbuf_add(out, "case $verb in ");
        add_verbs(row->verbs, " | ", out);
        strbuf_add(out, ") options+=(");
        bool takes = value_is_required(row);
        add_zsh_option(row, "--", row->name, takes ? "=" : row->argument ? "=-" : "", out);
        if (row->letter)
            add_zsh_option(row, "-", letter, takes ? "+" : "", out);
        strbuf_add(out, ") ;; esac\n");
    }
    strbuf_add(out, "verbs=(\n");
    for (size_t i = 0; i < verb_count; i++) {
        strbuf_format(out, "    '%s:", verb_table[i].name);
        add_zsh_help(verb_table[i].help, out);
        strbuf_add(out, "'\n");
    }
    strbuf_add(out, ")\n"
                    "local state\n"
                    "_arguments -C -S $options '1: :->first' '*: :->rest' && return\n"
                    "case $state in\n"
                    "first)\n"
                    "    _describe verb verbs\n"
                    "    _files -g '*.net'\n"
                    "    ;;\n"
                    "rest)\n"
                    "    case $verb in\n");
    for (size_t i = 0; i < verb_count; i++) {
        if (!takes_no_file(i))
            continue;
        strbuf_format(out, "    %s) compadd ", verb_table[i].name);
        add_subjects(i, out);
        strbuf_add(out, " ;;\n");
    }
    strbuf_add(out, "    *) _files -g '*.net' ;;\n    esac\n    ;;\nesac\n");
}

/* ---- fish ----------------------------------------------------------------------------------- */

static void add_fish_quoted(const char *text, StrBuf *out) {
    strbuf_add_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, *text);
    }
    strbuf_add_char(out, '\'');
}

static void add_fish_option(const OptionRow *row, unsigned verbs, unsigned choices, StrBuf *out) {
    strbuf_add(out, "complete -c netc -n '__netc_verb_is ");
    add_verbs(verbs, " ", out);
    strbuf_format(out, "' -l %s", row->name);
    if (row->letter)
        strbuf_format(out, " -s %c", row->letter);
    if (value_is_required(row))
        strbuf_add(out, names_file(row) ? " -r -F" : " -x");
    if (row->choices[0]) {
        strbuf_add(out, " -a '");
        add_choices(row, choices, out);
        strbuf_add_char(out, '\'');
    }
    strbuf_add(out, " -d ");
    add_fish_quoted(row->help, out);
    strbuf_add_char(out, '\n');
}

void completion_fish(StrBuf *out) {
    strbuf_add(out, "# Completion for fish, made by `netc --help=fish`\n"
                    "function __netc_verb\n"
                    "    for word in (commandline -opc)[2..]\n"
                    "        if contains -- $word ");
    add_verbs(ALL_VERBS, " ", out);
    strbuf_add(out, "\n            echo $word\n            return\n        end\n    end\nend\n"
                    "function __netc_verb_is\n"
                    "    set -l verb (__netc_verb)\n"
                    "    test -n \"$verb\"; or set verb compile\n"
                    "    contains -- \"$verb\" $argv\n"
                    "end\n"
                    "complete -c netc -f\n"
                    "complete -c netc -n 'not __netc_verb_is ");
    add_verbs(WITHOUT_FILE, " ", out);
    strbuf_add(out, "' -k -a '(__fish_complete_suffix .net)'\n");
    for (size_t i = 0; i < verb_count; i++) {
        if (takes_no_file(i)) {
            strbuf_format(out, "complete -c netc -n '__netc_verb_is %s' -a '", verb_table[i].name);
            add_subjects(i, out);
            strbuf_add(out, "'\n");
        }
        strbuf_format(out, "complete -c netc -n 'test -z (__netc_verb)' -a %s -d ",
                      verb_table[i].name);
        add_fish_quoted(verb_table[i].help, out);
        strbuf_add_char(out, '\n');
    }
    for (size_t i = 0; i < option_count; i++) {
        const OptionRow *row = &option_table[i];
        for (size_t v = 0; v < verb_count && row == format_row(); v++)
            if (verb_table[v].formats)
                add_fish_option(row, VERB_BIT(v), verb_table[v].formats, out);
        if (row != format_row())
            add_fish_option(row, row->verbs, ~0u, out);
    }
}
