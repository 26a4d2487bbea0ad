/* What other frameworks call the layers and arguments of netc: for suggestions only. */
#ifndef NETC_LAYERS_FOREIGN_H
#define NETC_LAYERS_FOREIGN_H

#include "layers/layer.h"

/* The layer that another framework calls `name`, ignoring case and underscores: `MaxPooling2D`,
 * `max_pool2d` -> maxpool. NULL if no other name is known. */
const LayerInfo *foreign_layer(const char *name);

/* The argument of `layer` that another framework calls `name`: `kernel_size` -> kernel. NULL if
 * there is none. */
const AttributeInfo *foreign_argument(const LayerInfo *layer, const char *name);

#endif
