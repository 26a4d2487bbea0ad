/* Text to syntax tree. Owns the scanner and the parser (grammar/net.l, grammar/net.y) and the
 * wording of every lexical and syntax error; never looks a name up. */
#ifndef NETC_SYNTAX_PARSE_H
#define NETC_SYNTAX_PARSE_H

#include "support/diag.h"
#include "support/intern.h"
#include "syntax/ast.h"

/* The tree of `source`. Mistakes are reported to `diagnostics`, with recovery at the end of the
 * statement, so the tree is never NULL; where a mistake was, it has EXPR_ERROR or nothing. */
File *parse_file(Arena *arena, Intern *intern, Diagnostics *diagnostics, const Source *source);

/* The same for a text that has what stands behind `assert`, a condition a statement, and nothing
 * else; the word itself may stand before it. They are asserts, to be put into a network. */
StatementList parse_conditions(Arena *arena, Intern *intern, Diagnostics *diagnostics,
                               const Source *source);

/* Appends the tokens, one a line with line:column, kind and text: the output of --emit=tokens. */
void parse_print_tokens(Arena *arena, Intern *intern, Diagnostics *diagnostics,
                        const Source *source, StrBuf *out);

#endif
