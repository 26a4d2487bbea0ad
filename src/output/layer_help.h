/* The layer table for readers: `netc layers`, and docs/layers.md, which is made from it. */
#ifndef NETC_OUTPUT_LAYER_HELP_H
#define NETC_OUTPUT_LAYER_HELP_H

#include "layers/layer.h"

/* Names and summaries of all layers by family. */
void layer_help_list(StrBuf *out);
/* All about one layer. */
void layer_help_text(const LayerInfo *layer, StrBuf *out);
/* The same as a section of Markdown. */
void layer_help_markdown(const LayerInfo *layer, StrBuf *out);
/* The whole page: docs/layers.md. */
void layer_help_page(StrBuf *out);

#endif
