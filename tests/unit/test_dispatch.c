/* Several processors for one object: which may stand together, and which of them is chosen for what
 * a machine says of itself. */
#include "ir_fixture.h"

#include "codegen/dispatch.h"
#include "codegen/x86_features.h"

typedef struct Several {
    Arena arena;
    SourceMap sources;
    Diagnostics diagnostics;
    TargetList targets;
} Several;

static bool several_open(Several *s, const char *triple, const char *cpus) {
    *s = (Several){.sources.arena = &s->arena};
    s->diagnostics = (Diagnostics){.arena = &s->arena, .sources = &s->sources};
    return targets_open(&s->arena, &s->diagnostics, triple, cpus, 2, &s->targets);
}

static void several_close(Several *s) {
    targets_close(&s->targets);
    arena_free(&s->arena);
}

static const char x86[] = "x86_64-linux-gnu";

static void the_order_is_that_of_ability(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"x86-64-v2", "x86-64-v2"},
        {"x86-64-v4,x86-64-v2,x86-64-v3", "x86-64-v2,x86-64-v3,x86-64-v4"},
        {"x86-64-v2,x86-64-v3,x86-64-v4", "x86-64-v2,x86-64-v3,x86-64-v4"},
        {"znver4,haswell,x86-64", "x86-64,haswell,znver4"},
        {"alderlake,skylake-avx512",
         "alderlake,skylake-avx512"}, /* has more, but no wide vectors */
        {"sapphirerapids,x86-64-v4,znver4", "x86-64-v4,znver4,sapphirerapids"},
        {"sandybridge,ivybridge", "sandybridge,ivybridge"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Several s;
        assert_true(several_open(&s, x86, rows[i][0]));
        StrBuf cpus = {0};
        for (size_t k = 0; k < s.targets.count; k++)
            strbuf_format(&cpus, "%s%s", k > 0 ? "," : "", s.targets.data[k]->cpu);
        assert_string_equal(strbuf_text(&cpus), rows[i][1]);
        strbuf_free(&cpus);
        several_close(&s);
    }
}

static void features_are_what_llvm_says(void **state) {
    (void)state;
#define V2 "sse3,ssse3,sse4.1,sse4.2,popcnt"
#define V3 V2 ",movbe,lzcnt,bmi,bmi2,avx,f16c,fma,avx2"
    static const char *const rows[][2] = {
        {"x86-64", ""},
        {"generic", ""},
        {"nocona", "sse3"},
        {"x86-64-v2", V2},
        {"sandybridge", V2 ",avx"},
        {"x86-64-v3", V3},
        {"znver3", V3},
        {"knl", V3 ",avx512f,evex512,avx512cd"},
        {"x86-64-v4", V3 ",avx512f,evex512,avx512cd,avx512dq,avx512bw,avx512vl"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Several s;
        assert_true(several_open(&s, x86, rows[i][0]));
        StrBuf names = {0};
        x86_features_print(x86_features(s.targets.data[0]), "", &names);
        assert_string_equal(strbuf_text(&names), rows[i][1]);
        strbuf_free(&names);
        several_close(&s);
    }
}

static void assert_refused(const char *triple, const char *cpus, const char *message) {
    Several s;
    assert_false(several_open(&s, triple, cpus));
    assert_int_equal(s.diagnostics.list.count, 1);
    assert_int_equal(s.diagnostics.list.data[0]->code, DIAG_E0601);
    assert_string_equal(s.diagnostics.list.data[0]->message, message);
    several_close(&s);
}

static void what_cannot_stand_together_is_refused(void **state) {
    (void)state;
    assert_refused(x86, "haswell,x86-64,haswell", "processor `haswell` is named twice");
    assert_refused(x86, "x86-64-v3,haswell",
                   "processors `haswell` and `x86-64-v3` cannot be told apart");
    assert_refused(x86, "haswell,haswel", "unknown processor `haswel` for x86_64");
    assert_refused(x86, "haswell,", "unknown processor `` for x86_64");
    assert_refused(x86, "haswell,neoverse-n1", "unknown processor `neoverse-n1` for x86_64");
    assert_refused(x86, "cannonlake,cascadelake",
                   "processor `cannonlake` lacks what `cascadelake`, the lowest named, has: "
                   "avx512vnni");
    assert_refused(x86, "x86-64,x86-64,x86-64,x86-64,x86-64,x86-64,x86-64,x86-64,x86-64",
                   "an object can be for 8 processors at most, not for 9");
    assert_refused("aarch64-linux-gnu", "neoverse-n1,neoverse-v2",
                   "an object for several processors (`neoverse-n1,neoverse-v2`) is one of x86_64, "
                   "but the target is aarch64-unknown-linux-gnu");
#ifdef __x86_64__
    assert_refused(x86, "native,x86-64",
                   "`native` cannot be one of several processors (`native,x86-64`)");
#endif
}

/* ---- choosing ------------------------------------------------------------------------------- */

#ifdef __x86_64__

typedef void (*Pick)(const uint32_t words[X86_WORDS], uint32_t *chosen);

/* What a machine with all features of a processor says. */
static void words_of(const char *cpu, uint32_t words[X86_WORDS]) {
    Several s;
    assert_true(several_open(&s, x86, cpu));
    x86_feature_masks(x86_features(s.targets.data[0]), words);
    several_close(&s);
}

static void assert_picked(Pick pick, const uint32_t words[X86_WORDS], uint32_t expected) {
    uint32_t chosen = 0;
    pick(words, &chosen);
    assert_int_equal(chosen, expected);
}

static void check_picks(Pick pick) {
    uint32_t none[X86_WORDS] = {0}, all[X86_WORDS], v3[X86_WORDS], v4[X86_WORDS], words[X86_WORDS];
    memset(all, 0xff, sizeof all);
    words_of("x86-64-v3", v3);
    words_of("x86-64-v4", v4);
    assert_picked(pick, none, 1); /* without being asked */
    assert_picked(pick, v3, 2);
    assert_picked(pick, v4, 3);
    assert_picked(pick, all, 3);
    /* The processor has it, but the system does not save its registers. */
    memcpy(words, v4, sizeof words);
    words[X86_STATE] = 0x7;
    assert_picked(pick, words, 2);
    words[X86_STATE] = 0x3;
    assert_picked(pick, words, 1);
    words[X86_STATE] = 0xE0;
    assert_picked(pick, words, 1);
    /* One bit less, whichever. */
    for (int i = 0; i < X86_WORDS; i++)
        for (int bit = 0; bit < 32; bit++) {
            uint32_t one = UINT32_C(1) << bit;
            memcpy(words, v4, sizeof words);
            words[i] &= ~one;
            assert_picked(pick, words, v3[i] & one ? 1 : v4[i] & one ? 2 : 3);
        }
}

static void a_machine_gets_the_best_it_can_run(void **state) {
    (void)state;
    Several s;
    assert_true(several_open(&s, x86, "x86-64-v2,x86-64-v3,x86-64-v4"));
    Graph graph = {.name = "test"};
    Plan plan = {.graph = &graph};
    Variants variants = {0};
    for (size_t i = 0; i < s.targets.count; i++)
        assert_true(variants_add(&variants, &s.diagnostics, s.targets.data[i], &plan));
    Ir *ir = module_new(s.targets.data[0], "test");
    dispatch_emit_pick(ir, NULL, &variants, FUNCTION_GLOBAL);
    module_optimise(ir);
    LoadedCode *code = module_load(ir);
    check_picks((Pick)(uintptr_t)loaded_address(code, "test.pick"));
    loaded_free(code);
    module_free(ir);
    several_close(&s);
}

#include <cpuid.h>

/* The table beside the names that the system's own header has for the bits. */
static void bits_are_those_of_the_manual(void **state) {
    (void)state;
    static const struct {
        const char *cpu, *lower; /* that differ by: */
        X86Word word;
        uint32_t bits;
    } rows[] = {
        {"nocona", "x86-64", X86_LEAF_1_ECX, bit_SSE3},
        {"core2", "nocona", X86_LEAF_1_ECX, bit_SSSE3},
        {"penryn", "core2", X86_LEAF_1_ECX, bit_SSE4_1},
        {"nehalem", "penryn", X86_LEAF_1_ECX, bit_SSE4_2 | bit_POPCNT},
        {"sandybridge", "nehalem", X86_LEAF_1_ECX, bit_AVX},
        {"ivybridge", "sandybridge", X86_LEAF_1_ECX, bit_F16C},
        {"haswell", "ivybridge", X86_LEAF_1_ECX, bit_FMA | bit_MOVBE},
        {"haswell", "ivybridge", X86_LEAF_7_EBX, bit_AVX2 | bit_BMI | bit_BMI2},
        {"haswell", "ivybridge", X86_EXTENDED_1_ECX, bit_LZCNT},
        {"knl", "haswell", X86_LEAF_7_EBX, bit_AVX512F | bit_AVX512CD},
        {"x86-64-v4", "knl", X86_LEAF_7_EBX, bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL},
        {"cannonlake", "x86-64-v4", X86_LEAF_7_EBX, bit_AVX512IFMA},
        {"cannonlake", "x86-64-v4", X86_LEAF_7_ECX, bit_AVX512VBMI},
        {"icelake-server", "cannonlake", X86_LEAF_7_ECX,
         bit_AVX512VBMI2 | bit_AVX512VNNI | bit_AVX512BITALG | bit_AVX512VPOPCNTDQ},
        {"znver4", "icelake-server", X86_LEAF_7_1_EAX, bit_AVX512BF16},
        {"sapphirerapids", "znver4", X86_LEAF_7_EDX, bit_AVX512FP16},
        {"sandybridge", "nehalem", X86_STATE, 1 << 1 | 1 << 2},  /* SSE and AVX */
        {"knl", "haswell", X86_STATE, 1 << 5 | 1 << 6 | 1 << 7}, /* masks, ZMM, high ZMM */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t words[X86_WORDS], lower[X86_WORDS];
        words_of(rows[i].cpu, words);
        words_of(rows[i].lower, lower);
        assert_int_equal(words[rows[i].word] & ~lower[rows[i].word], rows[i].bits);
        assert_int_equal(lower[rows[i].word] & ~words[rows[i].word], 0);
    }
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_is_that_of_ability),
        cmocka_unit_test(features_are_what_llvm_says),
        cmocka_unit_test(what_cannot_stand_together_is_refused),
#ifdef __x86_64__
        cmocka_unit_test(a_machine_gets_the_best_it_can_run),
        cmocka_unit_test(bits_are_those_of_the_manual),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
