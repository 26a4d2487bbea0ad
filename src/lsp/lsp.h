/* `netc lsp`: a server of the Language Server Protocol 3.17 over two file descriptors. */
#ifndef NETC_LSP_LSP_H
#define NETC_LSP_LSP_H

/* Serves one editor until it says `exit` or the input ends. The exit status: 0 if it had asked for
 * `shutdown` before, else 1. */
int lsp_serve(int input, int output);

#endif
