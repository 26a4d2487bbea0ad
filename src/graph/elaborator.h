/* What the files of elaborate share: the state of one elaboration and their calls of each other.
 *
 *   elaborate.c          items, statements, results
 *   elaborate_step.c     pipelines, labels, braced chains, types as steps
 *   elaborate_call.c     calls of layers: inputs, the node, its shape rule
 *   attributes.c         arguments against the layer's table
 *   evaluate_constant.c  expressions
 *   node_path.c          label paths
 *   type_check.c         types and shapes against them
 *   assertion.c          asserts */
#ifndef NETC_GRAPH_ELABORATOR_H
#define NETC_GRAPH_ELABORATOR_H

#include "graph/elaborate.h"
#include "graph/scope.h"
#include "layers/layer.h"

typedef struct PathScope PathScope; /* node_path.c */

typedef struct Elaborator {
    Arena *arena;
    Intern *intern;
    Diagnostics *diagnostics;
    Graph *graph;           /* the network being made; NULL for what stands outside of one */
    Scope *scope;           /* the innermost names */
    PathScope *paths;       /* where the path of the next layer goes */
    NameMap places;         /* paths of this network, each with the PathPlace it was made at */
    const Metrics *metrics; /* figures that asserts name; NULL while they are not known */
    bool in_assert;
} Elaborator;

/* How a step is to be called. */
typedef struct StepName {
    Name label;  /* text NULL: none */
    bool direct; /* a step of the innermost braced chain itself, not inside an argument of one */
} StepName;

#define STEP_UNNAMED ((StepName){.label = {.text = NULL}})

/* ---- evaluate_constant.c ------------------------------------------------------------------ */

/* What the expression stands for; DATUM_POISON after reporting a mistake, never a word. */
Datum evaluate(Elaborator *e, const Expr *expr);
/* The same for an argument of a call: a bare name that names no value is a word, also in a tuple.
 */
Datum evaluate_argument(Elaborator *e, const Expr *expr);
/* Reports E0302. `words` are more names that could have been meant. */
void report_unknown_name(Elaborator *e, Name name, const char *const *words, size_t word_count);

/* ---- elaborate_step.c --------------------------------------------------------------------- */

Datum elaborate_pipe(Elaborator *e, const Expr *pipe);
/* One step, which gets `incoming`: DATUM_NOTHING for a call that has all inputs as arguments. */
Datum elaborate_step(Elaborator *e, Datum incoming, const Expr *step, StepName name);

/* ---- elaborate_call.c --------------------------------------------------------------------- */

Datum elaborate_call(Elaborator *e, Datum incoming, Name callee, const ArgumentList *arguments,
                     Span span, StepName name);
/* `a + b` of two tensors. */
Datum elaborate_operator(Elaborator *e, const Expr *binary, Value *left, Value *right);
/* A new value of the graph. */
Value *value_new(Elaborator *e, Node *producer, const char *name, Span span);

/* ---- attributes.c ------------------------------------------------------------------------- */

/* The arguments of a call that are not inputs. */
typedef struct AttributeCall {
    const LayerInfo *layer;
    Name callee; /* as written */
    const Argument *arguments;
    const Datum *data; /* what each argument stands for */
    size_t count;
    const Value *input; /* the first; NULL if it is unknown or missing */
} AttributeCall;

/* Sets attributes[0 .. layer->attribute_count - 1]. False if one is wrong or poisoned. */
bool attributes_read(Elaborator *e, const AttributeCall *call, Attribute *attributes);
/* Whether a bare word means something to the attribute `index`, as `same` does to `pad`. */
bool attribute_takes_word(const LayerInfo *layer, int index, const char *word, const Value *input);

/* ---- node_path.c -------------------------------------------------------------------------- */

/* The path of a layer's next use. Reports E0304 if it was made before. */
const char *path_of_layer(Elaborator *e, const LayerInfo *layer, StepName name, Span span);
/* Opens the scope of paths of a labelled chain, or of a network (no label). */
PathScope *path_scope_enter(Elaborator *e, StepName name);
void path_scope_leave(Elaborator *e, PathScope *outer);

/* ---- type_check.c ------------------------------------------------------------------------- */

/* The shape that a type says; false after a mistake. */
bool type_shape(Elaborator *e, const Expr *type, Shape *shape);
/* Whether `value` has the shape of `type`. Reports E0210 if not; true for poison. */
bool type_check(Elaborator *e, const Expr *type, const Value *value);

/* ---- assertion.c -------------------------------------------------------------------------- */

/* Keeps an assert for elaborate_check_asserts; reports what is wrong with it by itself. */
void assertion_add(Elaborator *e, const Statement *statement);
/* The figure that a name or member of an assert means; poison while figures are unknown. */
bool metric_find(const Elaborator *e, const Expr *expr, Datum *datum);
/* Names of all figures that have no dot. */
const char *const *metric_names(size_t *count);

#endif
