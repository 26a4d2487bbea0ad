/* A diff as JSON, in a fixed order. What is only on one side has no "old" or no "new". */
#include <string.h>

#include "output/diff.h"
#include "output/json_value.h"

static void set_sides(json_t *object, json_t *old, json_t *new) {
    if (old)
        json_object_set_new(object, "old", old);
    if (new)
        json_object_set_new(object, "new", new);
}

static const char *change_name(bool old, bool new) {
    return !old ? "added" : !new ? "removed" : "changed";
}

/* ---- interface ------------------------------------------------------------------------------ */

static json_t *tensor_json(const char *name, const Value *value) {
    return value ? json_pack("{s:s, s:s, s:o}", "name", name, "element",
                             element_name(value->type.element), "shape",
                             json_shape(&value->type.shape))
                 : NULL;
}

static json_t *tensors_json(const Diff *diff, bool outputs) {
    json_t *list = json_array();
    for (size_t i = 0; i < diff->tensors.count; i++) {
        const TensorChange *change = &diff->tensors.data[i];
        if (change->output != outputs)
            continue;
        json_t *object =
            json_pack("{s:s, s:b, s:b}", "change", change_name(change->old, change->new), "moved",
                      change->moved, "rewired", change->rewired);
        set_sides(object, tensor_json(change->old_name, change->old),
                  tensor_json(change->new_name, change->new));
        json_array_append_new(list, object);
    }
    return list;
}

/* ---- layers --------------------------------------------------------------------------------- */

static json_t *facts_json(unsigned facts) {
    static const struct {
        LayerFact fact;
        const char *name;
    } names[] = {{FACT_PATH, "path"},
                 {FACT_CALL, "call"},
                 {FACT_INPUTS, "inputs"},
                 {FACT_SHAPE, "shape"},
                 {FACT_COUNT, "count"}};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (facts & names[i].fact)
            json_array_append_new(list, json_string(names[i].name));
    return list;
}

static json_t *layer_json(const DiffSide *side, const Node *node) {
    if (!node)
        return NULL;
    StrBuf call = {0};
    diff_call(node, &call);
    json_t *inputs = json_array();
    for (size_t i = 0; i < node->input_count; i++)
        json_array_append_new(inputs, json_string(node->inputs[i]->name));
    json_t *shapes = json_array();
    for (size_t i = 0; i < node->output_count; i++)
        json_array_append_new(shapes, json_shape(&node->outputs[i]->type.shape));
    const NodeCount *count = &side->count->nodes[node->id];
    json_t *layer = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "path", node->path, "call", strbuf_text(&call),
        "inputs", inputs, "shapes", shapes, "trainable", json_whole_number(count->trainable),
        "frozen", json_whole_number(count->frozen), "macs", json_whole_number(count->macs));
    strbuf_free(&call);
    return layer;
}

static json_t *layers_json(const Diff *diff) {
    json_t *list = json_array();
    for (size_t i = 0; i < diff->layers.count; i++) {
        const LayerChange *change = &diff->layers.data[i];
        json_t *object = json_pack("{s:s}", "change", change_name(change->old, change->new));
        if (change->old && change->new)
            json_object_set_new(object, "facts", facts_json(change->facts));
        set_sides(object, layer_json(&diff->old, change->old), layer_json(&diff->new, change->new));
        json_array_append_new(list, object);
    }
    return list;
}

/* ---- weights, counts ------------------------------------------------------------------------ */

static const char *weight_change_name(const WeightChange *change) {
    if (!change->old || !change->new)
        return change_name(change->old, change->new);
    if (change->mistaken)
        return "mistaken";
    return strcmp(change->old->path, change->new->path) == 0 ? "reshaped" : "renamed";
}

static json_t *weight_json(const Weight *weight) {
    return weight
               ? json_pack("{s:s, s:o}", "path", weight->path, "shape", json_shape(&weight->shape))
               : NULL;
}

static json_t *weights_json(const Diff *diff) {
    json_t *list = json_array();
    for (size_t i = 0; i < diff->weights.count; i++) {
        const WeightChange *change = &diff->weights.data[i];
        json_t *object = json_pack("{s:s}", "change", weight_change_name(change));
        set_sides(object, weight_json(change->old), weight_json(change->new));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *side_json(const DiffSide *side) {
    const GraphCount *count = side->count;
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "file", json_text(side->file), "network",
                     side->graph->name, "trainable", json_whole_number(count->trainable), "frozen",
                     json_whole_number(count->frozen), "macs", json_whole_number(count->macs),
                     "flops", json_whole_number(count->flops));
}

void diff_json(const Diff *diff, StrBuf *out) {
    json_t *object = json_pack(
        "{s:b, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "same", diff_is_same(diff), "old",
        side_json(&diff->old), "new", side_json(&diff->new), "inputs", tensors_json(diff, false),
        "outputs", tensors_json(diff, true), "layers", layers_json(diff), "weights_bind",
        diff_weights_bind(diff), "weights", weights_json(diff));
    json_print(object, JSON_INDENT(2), out);
    strbuf_add(out, "\n");
}
