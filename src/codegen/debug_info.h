/* Line tables that point into the .net text, so that debuggers and profilers show layers. A NULL
 * DebugInfo stands for "none asked for": every function takes it and does nothing. */
#ifndef NETC_CODEGEN_DEBUG_INFO_H
#define NETC_CODEGEN_DEBUG_INFO_H

#include "codegen/codegen.h"
#include "codegen/ir_internal.h"
#include "support/source.h"

typedef struct DebugInfo DebugInfo;

/* The file name is the one the user gave, by way of `maps`; nothing of this machine goes into the
 * object. */
DebugInfo *debug_open(Ir *ir, const SourceMap *sources, const Source *file,
                      const PrefixMapList *maps);

/* The function being built comes from `span`: code made from here on is located there. `name` is
 * what a debugger shows. */
void debug_function(DebugInfo *debug, const char *name, Span span);

/* Code of the same function made from here on belongs to `span`. */
void debug_locate(DebugInfo *debug, Span span);

/* To be called after the last function and before the passes. */
void debug_close(DebugInfo *debug);

#endif
