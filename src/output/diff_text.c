/* A diff as a changelog. Signs: + added, - removed, ~ changed. */
#include <string.h>

#include "output/diff.h"

#define MAX_PATH_WIDTH 30 /* a longer path shifts the rest of its own line only */

/* Where the diff is written, and how wide the column of paths is. */
typedef struct Changelog {
    const Diff *diff;
    int path_width;
    StrBuf *out;
} Changelog;

/* ---- pieces --------------------------------------------------------------------------------- */

static void add_signed(int64_t number, StrBuf *out) {
    if (number >= 0)
        strbuf_add_char(out, '+');
    strbuf_add_count(out, number, ',');
}

/* "156 -> 208 (+52)". Counts are not negative, so their difference fits. */
static void add_count_change(int64_t old, int64_t new, StrBuf *out) {
    strbuf_add_count(out, old, ',');
    strbuf_add(out, " -> ");
    strbuf_add_count(out, new, ',');
    strbuf_add(out, " (");
    add_signed(new - old, out);
    strbuf_add(out, ")");
}

static void add_type_change(const TensorType *old, const TensorType *new, StrBuf *out) {
    type_print(old, out);
    if (type_equal(old, new))
        return;
    strbuf_add(out, " -> ");
    type_print(new, out);
}

static int64_t parameters_of(const DiffSide *side, const Node *node) {
    const NodeCount *count = &side->count->nodes[node->id];
    return count->trainable + count->frozen;
}

/* ---- interface ------------------------------------------------------------------------------ */

static void add_tensor(const TensorChange *change, StrBuf *out) {
    const char *role = change->output ? "output" : "input";
    if (!change->old || !change->new) {
        const Value *value = change->old ? change->old : change->new;
        strbuf_format(out, "  %c %s %s: ", change->old ? '-' : '+', role,
                      change->old ? change->old_name : change->new_name);
        type_print(&value->type, out);
        strbuf_add(out, "\n");
        return;
    }
    strbuf_format(out, "  ~ %s %s", role, change->old_name);
    if (strcmp(change->old_name, change->new_name) != 0)
        strbuf_format(out, " -> %s", change->new_name);
    strbuf_add(out, ": ");
    add_type_change(&change->old->type, &change->new->type, out);
    if (change->moved)
        strbuf_add(out, ", in another place");
    if (change->rewired)
        strbuf_format(out, ", now what %s gives", change->new->name);
    strbuf_add(out, "\n");
}

static void add_interface(const Diff *diff, StrBuf *out) {
    bool renamed = strcmp(diff->old.graph->name, diff->new.graph->name) != 0;
    if (!renamed && diff->tensors.count == 0)
        return;
    strbuf_add(out, "\ninterface\n");
    if (renamed)
        strbuf_format(out, "  ~ network %s -> %s\n", diff->old.graph->name, diff->new.graph->name);
    for (size_t i = 0; i < diff->tensors.count; i++)
        add_tensor(&diff->tensors.data[i], out);
}

/* ---- layers --------------------------------------------------------------------------------- */

/* "  + bn1  batchnorm, [8, 28, 28], 32 parameters" */
static void add_lone_layer(const Changelog *log, const DiffSide *side, const Node *node,
                           char sign) {
    StrBuf *out = log->out;
    strbuf_format(out, "  %c %-*s  ", sign, log->path_width, node->path);
    diff_call(node, out);
    strbuf_add(out, ", ");
    shape_print(&node->outputs[0]->type.shape, out);
    int64_t parameters = parameters_of(side, node);
    if (parameters > 0) {
        strbuf_add(out, ", ");
        strbuf_add_count(out, parameters, ',');
        strbuf_add(out, parameters == 1 ? " parameter" : " parameters");
    }
    strbuf_add(out, "\n");
}

/* Begins a line about a layer, under its call. */
static void begin_fact(const Changelog *log, const char *name) {
    strbuf_format(log->out, "%*s%-12s", log->path_width + 6, "", name);
}

static void add_sources(const Node *node, StrBuf *out) {
    for (size_t i = 0; i < node->input_count; i++)
        strbuf_format(out, "%s%s", i ? ", " : "", node->inputs[i]->name);
}

/* A layer whose shape alone is another is not worth a line of its own. */
static bool is_worth_saying(const LayerChange *change) {
    return !change->old || !change->new || change->facts & ~(unsigned)FACT_SHAPE;
}

static void add_figure(const Changelog *log, const char *name, int64_t old, int64_t new) {
    if (old == new)
        return;
    begin_fact(log, name);
    add_count_change(old, new, log->out);
    strbuf_add(log->out, "\n");
}

static void add_figures(const Changelog *log, const LayerChange *change) {
    const Node *old = change->old;
    const Node *new = change->new;
    if (change->facts & FACT_SHAPE) {
        begin_fact(log, "shape");
        add_type_change(&old->outputs[0]->type, &new->outputs[0]->type, log->out);
        strbuf_add(log->out, "\n");
    }
    const DiffSide *sides[] = {&log->diff->old, &log->diff->new};
    add_figure(log, "parameters", parameters_of(sides[0], old), parameters_of(sides[1], new));
    add_figure(log, "macs", sides[0]->count->nodes[old->id].macs,
               sides[1]->count->nodes[new->id].macs);
}

static void add_changed_layer(const Changelog *log, const LayerChange *change) {
    const Node *old = change->old;
    const Node *new = change->new;
    StrBuf *out = log->out;
    strbuf_format(out, "  ~ %-*s  ", log->path_width, new->path);
    diff_call(old, out);
    if (change->facts & FACT_CALL) {
        strbuf_add(out, " -> ");
        diff_call(new, out);
    }
    strbuf_add(out, "\n");
    if (change->facts & FACT_PATH) {
        begin_fact(log, "called");
        strbuf_format(out, "%s -> %s\n", old->path, new->path);
    }
    if (change->facts & FACT_INPUTS) {
        begin_fact(log, "takes");
        add_sources(old, out);
        strbuf_add(out, " -> ");
        add_sources(new, out);
        strbuf_add(out, "\n");
    }
    add_figures(log, change);
}

static int path_width(const Diff *diff) {
    size_t width = 0;
    for (size_t i = 0; i < diff->layers.count; i++) {
        const LayerChange *change = &diff->layers.data[i];
        size_t length = strlen((change->new ? change->new : change->old)->path);
        if (is_worth_saying(change) && length <= MAX_PATH_WIDTH && length > width)
            width = length;
    }
    return (int)width;
}

typedef struct LayerTally {
    size_t added;
    size_t removed;
    size_t changed;
    size_t followed; /* unchanged themselves, but with other shapes or counts */
    size_t silent;   /* of these, those with the shape alone */
} LayerTally;

static LayerTally tally_layers(const Diff *diff) {
    LayerTally tally = {0};
    for (size_t i = 0; i < diff->layers.count; i++) {
        const LayerChange *change = &diff->layers.data[i];
        tally.added += !change->old;
        tally.removed += !change->new;
        tally.changed += (change->facts & FACTS_OWN) != 0;
        tally.followed += change->facts && !(change->facts & FACTS_OWN);
        tally.silent += !is_worth_saying(change);
    }
    return tally;
}

static void add_tally(const LayerTally *tally, StrBuf *out) {
    const char *const names[] = {"added", "removed", "changed", "with other sizes that follow"};
    const size_t counts[] = {tally->added, tally->removed, tally->changed, tally->followed};
    const char *separator = "\nlayers: ";
    for (size_t i = 0; i < 4; i++)
        if (counts[i] > 0) {
            strbuf_add(out, separator);
            strbuf_add_count(out, (int64_t)counts[i], ',');
            strbuf_format(out, " %s", names[i]);
            separator = ", ";
        }
    strbuf_add(out, "\n");
}

static void add_layers(const Diff *diff, StrBuf *out) {
    if (diff->layers.count == 0)
        return;
    LayerTally tally = tally_layers(diff);
    Changelog log = {diff, path_width(diff), out};
    add_tally(&tally, out);
    for (size_t i = 0; i < diff->layers.count; i++) {
        const LayerChange *change = &diff->layers.data[i];
        if (!change->old)
            add_lone_layer(&log, &diff->new, change->new, '+');
        else if (!change->new)
            add_lone_layer(&log, &diff->old, change->old, '-');
        else if (is_worth_saying(change))
            add_changed_layer(&log, change);
    }
    if (tally.silent > 0) {
        strbuf_add(out, "  and ");
        strbuf_add_count(out, (int64_t)tally.silent, ',');
        strbuf_format(out, " with %s\n",
                      tally.silent == 1 ? "only another shape" : "only other shapes");
    }
}

/* ---- counts --------------------------------------------------------------------------------- */

static void add_number(int64_t number, bool with_sign, StrBuf *out) {
    StrBuf text = {0};
    if (with_sign)
        add_signed(number, &text);
    else
        strbuf_add_count(&text, number, ',');
    strbuf_format(out, "  %20s", strbuf_text(&text));
    strbuf_free(&text);
}

static void add_total(const char *name, int64_t old, int64_t new, StrBuf *out) {
    strbuf_format(out, "%-12s", name);
    add_number(old, false, out);
    add_number(new, false, out);
    if (old != new)
        add_number(new - old, true, out);
    if (old != new && old != 0)
        strbuf_format(out, "  %+6.1f %%", 100.0 * (double)(new - old) / (double)old);
    strbuf_add(out, "\n");
}

static void add_totals(const Diff *diff, StrBuf *out) {
    const GraphCount *old = diff->old.count;
    const GraphCount *new = diff->new.count;
    strbuf_format(out, "\n%-12s  %20s  %20s  %20s\n", "counts", "old", "new", "change");
    add_total("parameters", old->trainable + old->frozen, new->trainable + new->frozen, out);
    if (old->frozen > 0 || new->frozen > 0) {
        add_total("  trainable", old->trainable, new->trainable, out);
        add_total("  frozen", old->frozen, new->frozen, out);
    }
    add_total("macs", old->macs, new->macs, out);
    add_total("flops", old->flops, new->flops, out);
}

/* ---- weights -------------------------------------------------------------------------------- */

static void add_weight(const WeightChange *change, StrBuf *out) {
    const Weight *old = change->old;
    const Weight *new = change->new;
    strbuf_format(out, "  %c %s", !old ? '+' : !new ? '-' : '~', old ? old->path : new->path);
    if (change->mistaken) {
        strbuf_add(out, ": fits, but was another layer's\n");
        return;
    }
    if (old && new && strcmp(old->path, new->path) != 0)
        strbuf_format(out, " -> %s", new->path);
    strbuf_add(out, ": ");
    add_type_change(&(TensorType){ELEMENT_F32, (old ? old : new)->shape},
                    &(TensorType){ELEMENT_F32, (new ? new : old)->shape}, out);
    strbuf_add(out, "\n");
}

static void add_weights(const Diff *diff, StrBuf *out) {
    strbuf_format(out, "\nweights: the old network's file %s the new one\n",
                  diff_weights_bind(diff) ? "fits" : "does not fit");
    for (size_t i = 0; i < diff->weights.count; i++)
        add_weight(&diff->weights.data[i], out);
}

/* ---- the whole ------------------------------------------------------------------------------ */

void diff_text(const Diff *diff, StrBuf *out) {
    if (diff_is_same(diff)) {
        strbuf_format(out, "%s and %s are the same network, %s: ", diff->old.file, diff->new.file,
                      diff->new.graph->name);
        strbuf_add_count(out, diff->new.count->trainable + diff->new.count->frozen, ',');
        strbuf_add(out, " parameters, ");
        strbuf_add_count(out, diff->new.count->macs, ',');
        strbuf_add(out, " macs\n");
        return;
    }
    strbuf_format(out, "old  %s: %s\nnew  %s: %s\n", diff->old.file, diff->old.graph->name,
                  diff->new.file, diff->new.graph->name);
    add_interface(diff, out);
    add_layers(diff, out);
    add_totals(diff, out);
    add_weights(diff, out);
}
