/* What the files of elaborate share: the state of one elaboration and their calls of each other.
 *
 *   elaborate.c          files, networks, statements, results
 *   elaborate_step.c     pipelines, labels, braced chains, types as steps
 *   elaborate_flow.c     if, repeat
 *   elaborate_call.c     calls of layers: inputs, the node, its shape rule
 *   elaborate_block.c    uses of blocks: parameters, dims, the body
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

typedef struct Block Block;

/* What a file defines and uses, by name. */
typedef struct FileNames {
    const File *file;
    Scope values;   /* `let` */
    NameMap blocks; /* to Block */
    VEC(Block *) block_list;
} FileNames;

struct Block {
    const Item *item;
    const FileNames *home; /* what its body sees */
    bool used;
};

/* A use of a block that is being expanded. */
typedef struct BlockUse BlockUse;
struct BlockUse {
    BlockUse *outer;
    const Block *block;
    DiagContext context; /* its span is that of the call */
    bool reported;       /* a mistake about paths: the rest of them goes unsaid */
};

/* What a body has said so far besides names. */
typedef struct Body {
    const char *what;          /* "network", "block" */
    const Statement *returned; /* the first `return` */
    Datum result;
} Body;

/* Expansion multiplies: few lines can ask for more layers than memory holds. */
#define ELABORATE_MAX_STEPS ((int64_t)4 << 20) /* of all networks of a file */
/* Nested expressions and blocks: each level takes some hundred bytes of the stack. */
#define ELABORATE_MAX_LEVELS 1024

typedef struct Elaborator {
    Arena *arena;
    Intern *intern;
    Diagnostics *diagnostics;
    Meanings *meanings;     /* NULL: none are noted */
    Graph *graph;           /* the network being made; NULL for what stands outside of one */
    const FileNames *names; /* of the file whose text is being read */
    BlockUse *use;          /* the innermost; NULL in the network itself */
    int levels;             /* of recursion, against ELABORATE_MAX_LEVELS */
    int64_t steps;          /* so far, against ELABORATE_MAX_STEPS */
    bool exhausted;         /* too many, which was reported: nothing more is expanded */
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

/* ---- elaborate.c -------------------------------------------------------------------------- */

/* Runs a body in e->scope; body->result is what it returns, poison after a mistake. */
void elaborate_body(Elaborator *e, const Item *item, Body *body);
/* Binds a name in the innermost scope; reports E0303 if it has one. */
void bind_name(Elaborator *e, Name name, Datum datum);
/* Notes what a name stands for at its place. */
void note_name(Elaborator *e, Name name, Datum datum);
/* Notes what a step gives, which made the layers from `node_begin` on. */
void note_step(Elaborator *e, MeaningKind kind, Span span, Datum incoming, Datum datum,
               size_t node_begin);

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

/* The label with the values of the names that stand in braces in it. */
Name elaborate_label(Elaborator *e, Name label);

/* ---- elaborate_flow.c --------------------------------------------------------------------- */

/* Counts the names in an expression as used, whether or not it is evaluated here. */
void use_names(Elaborator *e, const Expr *expr);
Datum evaluate_if(Elaborator *e, const Expr *expr);
Datum elaborate_if_step(Elaborator *e, Datum incoming, const Expr *expr, StepName name);
Datum elaborate_repeat(Elaborator *e, Datum incoming, const Expr *expr, StepName name);

/* ---- elaborate_block.c -------------------------------------------------------------------- */

/* A call on its way to a layer or a block. */
typedef struct Call {
    Name callee;
    Span span;
    const ArgumentList *arguments;
    Datum *data; /* what each argument stands for */
    StepName name;
} Call;

/* The block of that name that the file sees, NULL if there is none. */
Block *block_find(const Elaborator *e, const char *name);
Datum elaborate_block(Elaborator *e, Datum incoming, Block *block, const Call *call);

/* ---- elaborate_call.c --------------------------------------------------------------------- */

Datum elaborate_call(Elaborator *e, Datum incoming, Name callee, const ArgumentList *arguments,
                     Span span, StepName name);
/* `a + b` of two tensors, or of a tensor and a number. */
Datum elaborate_operator(Elaborator *e, const Expr *binary, const Datum *left, const Datum *right);
/* `-a` of a tensor. */
Datum elaborate_negation(Elaborator *e, const Expr *unary, Value *operand);
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
/* Notes the layer that was made at its path, so that others can share its weights. */
void path_note_node(Elaborator *e, const Node *node);

typedef enum PathKind {
    PATH_NETWORK, /* no label */
    PATH_CHAIN,   /* a labelled chain or repetition: direct steps are called by their index */
    PATH_BLOCK,   /* a use of a block; without a label or an index the scope around stays */
} PathKind;

/* Opens the scope of paths of what stands at `span`, and returns the one around. */
PathScope *path_scope_enter(Elaborator *e, StepName name, PathKind kind, Span span);
void path_scope_leave(Elaborator *e, PathScope *outer);

/* The path that `share` names; NULL after reporting what is no text. */
const char *path_argument(Elaborator *e, const Datum *datum, Span span);
/* Sets node->shares as `name` says; NULL: as the scope does. False after reporting E0312. */
bool path_share(Elaborator *e, Node *node, const char *name, Span span);
/* Makes the layers of this scope read the weights of those of the scope `name`. */
bool path_scope_share(Elaborator *e, const char *name, Span span);

/* ---- type_check.c ------------------------------------------------------------------------- */

/* What the type of a network's input says; false after a mistake. */
bool type_of_input(Elaborator *e, const Expr *type, TensorType *result);
/* The shape that a type says, whose elements can only be of f32; false after a mistake. */
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
