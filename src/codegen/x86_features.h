/* Which extensions of x86-64 a processor has (x86_features.def): by its name, as LLVM knows it, and
 * by the bits in which it tells of them itself. */
#ifndef NETC_CODEGEN_X86_FEATURES_H
#define NETC_CODEGEN_X86_FEATURES_H

#include "codegen/target.h"
#include "support/strbuf.h"

/* The words that tell: of CPUID by leaf, 0 where it has no such leaf, and XCR0, 0 without XGETBV.
 */
typedef enum X86Word {
    X86_LEAF_1_ECX,
    X86_LEAF_7_EBX,
    X86_LEAF_7_ECX,
    X86_LEAF_7_EDX,
    X86_LEAF_7_1_EAX,
    X86_EXTENDED_1_ECX, /* leaf 0x80000001 */
    X86_STATE,          /* XCR0 */
    X86_WORDS,
} X86Word;

/* The features of the target's processor, a bit for each line of x86_features.def. */
uint64_t x86_features(const Target *target);

/* Appends their names, "sse3,ssse3": each after `prefix`. */
void x86_features_print(uint64_t features, const char *prefix, StrBuf *out);

/* The bits that must be set in each word for the features to be there. */
void x86_feature_masks(uint64_t features, uint32_t masks[X86_WORDS]);

#endif
