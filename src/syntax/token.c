/* Names of tokens, and sets of them. */
#include "net_parser.h"

typedef struct TokenText {
    const char *name;   /* in --emit=tokens */
    const char *phrase; /* in messages */
} TokenText;

static const TokenText token_texts[] = {
    [TOKEN_END_OF_FILE] = {"END_OF_FILE", "the end of the file"},
    [TOKEN_NEWLINE] = {"NEWLINE", "the end of the line"},
    [TOKEN_SEMICOLON] = {"SEMICOLON", "`;`"},
    [TOKEN_ARROW] = {"ARROW", "`->`"},
    [TOKEN_ASSIGN] = {"ASSIGN", "`=`"},
    [TOKEN_COMMA] = {"COMMA", "`,`"},
    [TOKEN_COLON] = {"COLON", "`:`"},
    [TOKEN_RANGE] = {"RANGE", "`..`"},
    [TOKEN_DOT] = {"DOT", "`.`"},
    [TOKEN_LEFT_PAREN] = {"LEFT_PAREN", "`(`"},
    [TOKEN_RIGHT_PAREN] = {"RIGHT_PAREN", "`)`"},
    [TOKEN_LEFT_BRACKET] = {"LEFT_BRACKET", "`[`"},
    [TOKEN_RIGHT_BRACKET] = {"RIGHT_BRACKET", "`]`"},
    [TOKEN_LEFT_BRACE] = {"LEFT_BRACE", "`{`"},
    [TOKEN_RIGHT_BRACE] = {"RIGHT_BRACE", "`}`"},
    [TOKEN_PLUS] = {"PLUS", "`+`"},
    [TOKEN_MINUS] = {"MINUS", "`-`"},
    [TOKEN_STAR] = {"STAR", "`*`"},
    [TOKEN_SLASH] = {"SLASH", "`/`"},
    [TOKEN_PERCENT] = {"PERCENT", "`%`"},
    [TOKEN_EQUAL] = {"EQUAL", "`==`"},
    [TOKEN_NOT_EQUAL] = {"NOT_EQUAL", "`!=`"},
    [TOKEN_LESS] = {"LESS", "`<`"},
    [TOKEN_LESS_EQUAL] = {"LESS_EQUAL", "`<=`"},
    [TOKEN_GREATER] = {"GREATER", "`>`"},
    [TOKEN_GREATER_EQUAL] = {"GREATER_EQUAL", "`>=`"},
    [TOKEN_AND] = {"AND", "`and`"},
    [TOKEN_OR] = {"OR", "`or`"},
    [TOKEN_NOT] = {"NOT", "`not`"},
    [TOKEN_ON] = {"ON", "`on`"},
    [TOKEN_OFF] = {"OFF", "`off`"},
    [TOKEN_NETWORK] = {"NETWORK", "`network`"},
    [TOKEN_BLOCK] = {"BLOCK", "`block`"},
    [TOKEN_USE] = {"USE", "`use`"},
    [TOKEN_LET] = {"LET", "`let`"},
    [TOKEN_RETURN] = {"RETURN", "`return`"},
    [TOKEN_WEIGHTS] = {"WEIGHTS", "`weights`"},
    [TOKEN_ASSERT] = {"ASSERT", "`assert`"},
    [TOKEN_IF] = {"IF", "`if`"},
    [TOKEN_ELSE] = {"ELSE", "`else`"},
    [TOKEN_REPEAT] = {"REPEAT", "`repeat`"},
    [TOKEN_IN] = {"IN", "`in`"},
    [TOKEN_NAME] = {"NAME", "a name"},
    [TOKEN_TEXT] = {"TEXT", "a text"},
    [TOKEN_NUMBER] = {"NUMBER", "a number"},
    [TOKEN_SIZE] = {"SIZE", "a size"},
    [TOKEN_SKIPPED] = {"SKIPPED", "a part that was skipped"},
};

_Static_assert(sizeof token_texts / sizeof *token_texts <= 64, "a TokenSet has 64 bits");

const char *token_name(int kind) {
    return token_texts[kind].name;
}

const char *token_phrase(int kind) {
    return token_texts[kind].phrase;
}

TokenSet token_comparisons(void) {
    return TOKEN_BIT(TOKEN_EQUAL) | TOKEN_BIT(TOKEN_NOT_EQUAL) | TOKEN_BIT(TOKEN_LESS) |
           TOKEN_BIT(TOKEN_LESS_EQUAL) | TOKEN_BIT(TOKEN_GREATER) | TOKEN_BIT(TOKEN_GREATER_EQUAL);
}

TokenSet token_operators(void) {
    return token_comparisons() | TOKEN_BIT(TOKEN_PLUS) | TOKEN_BIT(TOKEN_MINUS) |
           TOKEN_BIT(TOKEN_STAR) | TOKEN_BIT(TOKEN_SLASH) | TOKEN_BIT(TOKEN_PERCENT) |
           TOKEN_BIT(TOKEN_AND) | TOKEN_BIT(TOKEN_OR);
}

TokenSet token_keywords(void) {
    return TOKEN_BIT(TOKEN_NETWORK) | TOKEN_BIT(TOKEN_BLOCK) | TOKEN_BIT(TOKEN_USE) |
           TOKEN_BIT(TOKEN_LET) | TOKEN_BIT(TOKEN_RETURN) | TOKEN_BIT(TOKEN_WEIGHTS) |
           TOKEN_BIT(TOKEN_ASSERT) | TOKEN_BIT(TOKEN_IF) | TOKEN_BIT(TOKEN_ELSE) |
           TOKEN_BIT(TOKEN_REPEAT) | TOKEN_BIT(TOKEN_IN);
}

TokenSet token_value_ends(void) {
    return TOKEN_BIT(TOKEN_NAME) | TOKEN_BIT(TOKEN_TEXT) | TOKEN_BIT(TOKEN_NUMBER) |
           TOKEN_BIT(TOKEN_SIZE) | TOKEN_BIT(TOKEN_SKIPPED) | TOKEN_BIT(TOKEN_ON) |
           TOKEN_BIT(TOKEN_OFF) | TOKEN_BIT(TOKEN_WEIGHTS) | TOKEN_BIT(TOKEN_RIGHT_PAREN) |
           TOKEN_BIT(TOKEN_RIGHT_BRACKET) | TOKEN_BIT(TOKEN_RIGHT_BRACE);
}
