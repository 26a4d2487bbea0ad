/* The table of options and verbs, and every form of help that is made from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "driver/option_table.h"
#include "layers/layer.h"

static StrBuf help[HELP_FORMS];

static int make_help(void **state) {
    (void)state;
    for (int form = 0; form < HELP_FORMS; form++)
        options_help((HelpForm)form, &help[form]);
    return 0;
}

static int free_help(void **state) {
    (void)state;
    for (int form = 0; form < HELP_FORMS; form++)
        strbuf_free(&help[form]);
    return 0;
}

/* `name` with each `-` as the man page has it. */
static const char *in_roff(Arena *arena, const char *name) {
    StrBuf text = {0};
    for (; *name; name++)
        strbuf_format(&text, *name == '-' ? "\\%c" : "%c", *name);
    const char *copy = arena_copy_text(arena, strbuf_text(&text), text.length);
    strbuf_free(&text);
    return copy;
}

static void assert_holds(HelpForm form, const char *text) {
    if (!strstr(strbuf_text(&help[form]), text))
        fail_msg("form %d of help has no `%s`", (int)form, text);
}

static void every_verb_is_in_every_help(void **state) {
    Arena arena = {0};
    (void)state;
    for (size_t i = 0; i < verb_count; i++) {
        const char *name = verb_table[i].name;
        assert_holds(HELP_TEXT, arena_format(&arena, "\n  %-8s %s", name, verb_table[i].operand));
        assert_holds(HELP_MAN, arena_format(&arena, ".BI \"%s \" \"", name));
        assert_holds(HELP_BASH, arena_format(&arena, i + 1 < verb_count ? "%s | " : "| %s)", name));
        assert_holds(HELP_ZSH, arena_format(&arena, "    '%s:", name));
        assert_holds(HELP_FISH, arena_format(&arena, " -a %s -d ", name));
    }
    arena_free(&arena);
}

static void every_option_is_in_every_help(void **state) {
    Arena arena = {0};
    (void)state;
    for (size_t i = 0; i < option_count; i++) {
        const OptionRow *row = &option_table[i];
        assert_holds(HELP_TEXT, arena_format(&arena, "--%s", row->name));
        assert_holds(HELP_TEXT, row->help);
        assert_holds(HELP_MAN,
                     arena_format(&arena, "\\fB\\-\\-%s\\fR", in_roff(&arena, row->name)));
        assert_holds(HELP_BASH, arena_format(&arena, ") words+=' --%s%s' ;;", row->name,
                                             value_is_required(row) ? "=" : ""));
        assert_holds(HELP_ZSH, arena_format(&arena, "--%s", row->name));
        assert_holds(HELP_FISH, arena_format(&arena, "' -l %s ", row->name));
        if (row->letter) {
            assert_holds(HELP_TEXT, arena_format(&arena, "  -%c, --%s", row->letter, row->name));
            assert_holds(HELP_MAN, arena_format(&arena, "\\fB\\-%c\\fR, ", row->letter));
            assert_holds(HELP_ZSH, arena_format(&arena, "-%c%s[", row->letter,
                                                value_is_required(row) ? "+" : ""));
            assert_holds(HELP_FISH, arena_format(&arena, " -l %s -s %c ", row->name, row->letter));
        }
        for (int c = 0; c < MAX_CHOICES && row->choices[c]; c++)
            for (int form = 0; form < HELP_FORMS; form++)
                assert_holds((HelpForm)form, row->choices[c]);
    }
    arena_free(&arena);
}

static void completions_know_layers_and_codes(void **state) {
    size_t count;
    const LayerInfo *const *table = layer_table(&count);
    Arena arena = {0};
    (void)state;
    for (size_t i = 0; i + 1 < count; i++) {
        const char *two = arena_format(&arena, "%s %s", table[i]->name, table[i + 1]->name);
        assert_holds(HELP_BASH, two);
        assert_holds(HELP_ZSH, two);
        assert_holds(HELP_FISH, two);
    }
    for (DiagCode code = 0; code < DIAG_CODE_COUNT; code++)
        for (int form = HELP_BASH; form < HELP_FORMS; form++)
            assert_holds((HelpForm)form, diag_code_name(code));
    arena_free(&arena);
}

static void names_and_letters_are_taken_once(void **state) {
    (void)state;
    for (size_t i = 0; i < option_count; i++)
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(option_table[i].name, option_table[k].name);
            assert_true(!option_table[i].letter ||
                        option_table[i].letter != option_table[k].letter);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_is_in_every_help),
        cmocka_unit_test(every_option_is_in_every_help),
        cmocka_unit_test(completions_know_layers_and_codes),
        cmocka_unit_test(names_and_letters_are_taken_once),
    };
    return cmocka_run_group_tests(tests, make_help, free_help);
}
