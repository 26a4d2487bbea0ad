/* Layouts: where each value lives, in which order of elements, with how much of a halo.
 *
 * Each value that is no view has a natural storage, laid out as its producer writes it. A reader
 * that cannot use that gets a copy, made before its first reader and shared by all. In turn:
 *
 *   natural   plain or blocked, by the kind of the producer
 *   needs     what readers ask of a storage: row-major without gaps, a halo, f32, a copy
 *   places    storages become parts of a concat's storage, or the caller's outputs
 *   buffers   every root gets one
 *   emission  the steps with their views, COPY and ZERO where they are due */
#include <assert.h>

#include "plan/halo.h"
#include "plan/storage.h"
#include "support/checked.h"

/* What a reader can work with. */
typedef enum NeedKind {
    NEED_ANY,     /* the natural storage of the base, under the base's shape */
    NEED_IMAGE,   /* plain or blocked, with a halo */
    NEED_PLAIN,   /* plain, gaps allowed */
    NEED_FLAT,    /* plain without gaps */
    NEED_BLOCKED, /* blocked, with a halo */
} NeedKind;

typedef struct Need {
    NeedKind kind;
    Halo halo;  /* IMAGE, BLOCKED */
    bool bytes; /* u8 will do as well as f32 */
} Need;

/* The storages of a value. Only a base, a value that is no view of another, has the first two. */
typedef struct Home {
    Value *base;      /* the value whose elements these are */
    Storage *natural; /* where the producer writes */
    Storage *flat;    /* plain copy without gaps */
    Storage *blocked; /* blocked copy */
    Storage *padded;  /* plain copy with a halo */
} Home;

typedef struct Layout {
    Plan *plan;
    Home *homes; /* by Value.id */
    VEC(Storage *) storages;
    bool **placed;     /* by step: which inputs of a CONCAT are in place; NULL for others */
    Storage **outputs; /* of the network */
    VEC(Step *) steps; /* as they will run */
} Layout;

static Home *home_of(const Layout *layout, const Value *value) {
    return &layout->homes[value->id];
}

static Storage *natural_of(const Layout *layout, const Value *value) {
    return home_of(layout, home_of(layout, value)->base)->natural;
}

static Storage *storage_new(Layout *layout, const Value *value, int64_t block) {
    Storage *storage = ARENA_NEW(layout->plan->arena, Storage);
    storage->box = box_of_shape(&value->type.shape);
    storage->block = block;
    storage->name = value->name;
    VEC_PUSH(layout->plan->arena, &layout->storages, storage);
    return storage;
}

/* ---- natural storages --------------------------------------------------------------------- */

/* A value that is laid out blocked and is no view. */
static bool is_blocked(const Layout *layout, const Value *value) {
    return home_of(layout, value)->base == value && natural_of(layout, value)->block > 1;
}

static bool any_blocked(const Layout *layout, const Step *step) {
    for (int k = 0; k < step->input_count; k++)
        if (is_blocked(layout, step->input_values[k]) && !step_input_is_channels(step, k))
            return true;
    return false;
}

/* A concat along an axis that is neither channels, nor the first or the last spatial one, or along
 * a new one: no box within the result's box. */
static bool is_inner_concat(const Step *step) {
    if (step->concat.stacked)
        return true;
    return step->concat.axis > 1 && step->concat.axis < step->output_value->type.shape.rank - 1;
}

/* Whether every input of a concat begins at a whole block. */
static bool concat_fits_blocks(const Step *step, int64_t lanes) {
    if (is_inner_concat(step))
        return false;
    for (int k = 0; step->concat.axis == 0 && k < step->input_count - 1; k++)
        if (step->input_values[k]->type.shape.dims[0] % lanes != 0)
            return false;
    return true;
}

/* A step that works on values in their own row-major order. */
static bool is_flat(const Step *step) {
    bool is_product =
        step->kind == STEP_GEMM || (step->kind == STEP_STRASSEN && step->conv.rows > 0);
    return is_product || step->kind == STEP_TABLE || step->kind == STEP_RECURRENT ||
           step->kind == STEP_SOFTMAX || step->kind == STEP_NORMALISE || step->kind == STEP_LRN ||
           step->kind == STEP_REDUCE || step->kind == STEP_REARRANGE ||
           step->kind == STEP_WINDOW_BIAS;
}

/* A step that reads a value's own row-major order and writes it in another. */
static bool is_reordering(const Step *step) {
    return step->kind == STEP_MAP && step->reorder.wanted;
}

/* Whether a CONV or WINDOW computes along the columns of plain images: where its input is plain
 * anyway and there are so few channels that most lanes of a block would stand empty. */
static bool goes_by_columns(const Layout *layout, const Step *step) {
    int64_t lanes = layout->plan->machine->lanes;
    Box output = box_of_shape(&step->output_value->type.shape);
    const Value *input = step->input_values[0];
    if (home_of(layout, input)->base != input || natural_of(layout, input)->block > 1 ||
        output.channels > lanes / 2)
        return false;
    if (step->kind == STEP_WINDOW)
        return halo_is_none(step) && step->window.window.stride[1] <= 2;
    int64_t vectors = output.channels * divide_up(output.width, lanes);
    return step->conv.groups == 1 && step->conv.window.stride[1] == 1 && vectors < output.width;
}

static int64_t natural_block(const Layout *layout, const Step *step) {
    int64_t lanes = layout->plan->machine->lanes;
    bool is_image = step->output_value->type.shape.rank > 1;
    switch (step->kind) {
    case STEP_CONV:
    case STEP_WINDOW: return goes_by_columns(layout, step) ? 1 : lanes;
    case STEP_STRASSEN: return is_flat(step) ? 1 : lanes;
    case STEP_WINOGRAD:
    case STEP_DEPTHWISE:
    case STEP_CONV_GENERAL:
    case STEP_RESIZE:
    case STEP_ADAPTIVE: assert(is_image); return lanes;
    case STEP_DENSE:
    case STEP_GLOBAL:
    case STEP_GEMM:
    case STEP_TABLE:
    case STEP_WINDOW_BIAS:
    case STEP_RECURRENT:
    case STEP_SOFTMAX:
    case STEP_NORMALISE:
    case STEP_LRN:
    case STEP_REDUCE:
    case STEP_REARRANGE: return 1;
    case STEP_MAP: return is_image && !is_reordering(step) && any_blocked(layout, step) ? lanes : 1;
    case STEP_CONCAT:
        return is_image && any_blocked(layout, step) && concat_fits_blocks(step, lanes) ? lanes : 1;
    case STEP_COPY:
    case STEP_ZERO:
    case STEP_VIEW: break;
    }
    assert(false && "has no storage of its own");
    return 1;
}

static void choose_natural(Layout *layout) {
    const Graph *graph = layout->plan->graph;
    for (size_t i = 0; i < graph->inputs.count; i++) {
        Value *value = graph->inputs.data[i];
        Storage *storage = storage_new(layout, value, 1);
        storage->fixed = storage->gapless = true;
        storage->bytes = value->type.element == ELEMENT_U8;
        *home_of(layout, value) = (Home){.base = value, .natural = storage};
    }
    for (size_t i = 0; i < layout->plan->steps.count; i++) {
        const Step *step = layout->plan->steps.data[i];
        Value *value = step->output_value;
        if (step->kind == STEP_VIEW) {
            home_of(layout, value)->base = home_of(layout, step->input_values[0])->base;
            continue;
        }
        home_of(layout, value)->base = value;
        Storage *storage = storage_new(layout, value, natural_block(layout, step));
        storage->gapless = value->type.shape.rank <= 1 || step->kind == STEP_DENSE ||
                           (step->kind == STEP_CONCAT && is_inner_concat(step)) || is_flat(step);
        home_of(layout, value)->natural = storage;
    }
}

/* ---- needs -------------------------------------------------------------------------------- */

static Need concat_need(const Layout *layout, const Step *step, const Value *value) {
    bool is_view = home_of(layout, value)->base != value;
    bool is_vector = step->output_value->type.shape.rank <= 1;
    bool flat = is_inner_concat(step) || (is_view && !is_vector);
    return (Need){.kind = flat ? NEED_FLAT : NEED_ANY};
}

/* The order in which `step` needs its input `k`. */
static Need need_order(const Layout *layout, const Step *step, int k) {
    const Value *value = step->input_values[k];
    bool is_operand = k > 0 || step->kind == STEP_MAP;
    if (step->kind == STEP_CONCAT)
        return concat_need(layout, step, value);
    if (is_flat(step) || is_reordering(step))
        return (Need){.kind = NEED_FLAT};
    if (is_operand) {
        bool blocked = natural_of(layout, step->output_value)->block > 1;
        return (Need){.kind = blocked ? NEED_BLOCKED : NEED_PLAIN};
    }
    if (step->kind == STEP_DENSE)
        return (Need){.kind = NEED_ANY};
    bool any_block =
        step->kind == STEP_CONV || (step->kind == STEP_CONV_GENERAL &&
                                    conv_lanes(step, layout->plan->machine) != CONV_LANES_OWN);
    bool plain = step->kind == STEP_WINDOW && natural_of(layout, step->output_value)->block == 1;
    NeedKind kind = plain ? NEED_PLAIN : any_block ? NEED_IMAGE : NEED_BLOCKED;
    return (Need){.kind = kind, .halo = halo_of_step(step)};
}

/* What `step` needs of its input `k`. A concat copies what is not in place. */
static Need need_of(const Layout *layout, const Step *step, int k) {
    Need need = need_order(layout, step, k);
    need.bytes =
        step->kind == STEP_MAP || step->kind == STEP_REARRANGE || step->kind == STEP_CONCAT;
    return need;
}

/* Whether the natural storage does for this need, apart from the size of its halo. */
static bool natural_suits(const Layout *layout, const Value *value, const Need *need) {
    const Storage *natural = natural_of(layout, value);
    bool is_view = home_of(layout, value)->base != value;
    bool halo_possible = !halo_exists(&need->halo) || (!natural->gapless && !natural->fixed);
    if (natural->bytes && !need->bytes)
        return false;
    switch (need->kind) {
    case NEED_ANY: return true;
    case NEED_IMAGE: return halo_possible && (!is_view || natural->gapless);
    case NEED_PLAIN: return natural->block == 1 && (!is_view || natural->gapless);
    case NEED_FLAT: return natural->block == 1 && natural->gapless;
    case NEED_BLOCKED: return natural->block > 1 && !is_view;
    }
    return false;
}

/* The storage at `slot`, made as a copy of `source` if there is none yet. */
static Storage *copy_of(Layout *layout, Storage **slot, Value *value, int64_t block,
                        Storage *source) {
    if (!*slot) {
        *slot = storage_new(layout, value, block);
        (*slot)->source = source;
        (*slot)->source_value = value;
    }
    return *slot;
}

/* The value's elements as f32 in row-major order. */
static Storage *flat_of(Layout *layout, Value *value) {
    Home *home = home_of(layout, home_of(layout, value)->base);
    if (home->natural->block == 1 && home->natural->gapless && !home->natural->bytes)
        return home->natural;
    Storage *flat = copy_of(layout, &home->flat, home->base, 1, home->natural);
    flat->gapless = true;
    return flat;
}

/* The storage a reader with this need reads, widened to the halo it needs. */
static Storage *resolve(Layout *layout, Value *value, const Need *need) {
    Home *home = home_of(layout, value);
    Storage *storage;
    if (natural_suits(layout, value, need)) {
        storage = natural_of(layout, value);
    } else if (need->kind == NEED_ANY || need->kind == NEED_FLAT || need->kind == NEED_PLAIN ||
               (need->kind == NEED_IMAGE && !halo_exists(&need->halo))) {
        storage = flat_of(layout, value);
    } else {
        Storage *source = home->base == value ? home->natural : flat_of(layout, value);
        bool blocked = need->kind == NEED_BLOCKED;
        storage = copy_of(layout, blocked ? &home->blocked : &home->padded, value,
                          blocked ? layout->plan->machine->lanes : 1, source);
    }
    if (halo_exists(&need->halo))
        storage_widen(storage, &need->halo);
    return storage;
}

/* A reader of a view, or of row-major order, keeps a plain storage free of gaps. */
static void forbid_gaps(Layout *layout, const Value *value, const Need *need) {
    Storage *natural = natural_of(layout, value);
    bool is_view = home_of(layout, value)->base != value;
    if (natural->block == 1 && (need->kind == NEED_FLAT || (is_view && need->kind != NEED_ANY)))
        natural->gapless = true;
}

static void collect_needs(Layout *layout) {
    const Plan *plan = layout->plan;
    const Need flat = {.kind = NEED_FLAT};
    for (int pass = 0; pass < 2; pass++) { /* gaps first: they decide who can have a halo */
        for (size_t i = 0; i < plan->steps.count; i++) {
            const Step *step = plan->steps.data[i];
            for (int k = 0; step->kind != STEP_VIEW && k < step->input_count; k++) {
                Need need = need_of(layout, step, k);
                if (pass == 0)
                    forbid_gaps(layout, step->input_values[k], &need);
                else
                    resolve(layout, step->input_values[k], &need);
            }
        }
        for (size_t i = 0; pass == 0 && i < plan->graph->outputs.count; i++)
            forbid_gaps(layout, plan->graph->outputs.data[i], &flat);
    }
}

/* ---- places ------------------------------------------------------------------------------- */

/* Index into a box of the axis along which a concat runs. */
static int concat_box_axis(const Step *step) {
    int axis = step->concat.axis;
    return axis == 0 ? 0 : axis == step->output_value->type.shape.rank - 1 ? 2 : 1;
}

static int64_t box_extent(Box box, int axis) {
    return axis == 0 ? box.channels : axis == 1 ? box.height : box.width;
}

/* Inputs of a concat live in its storage if they can; the others will be copied there. */
static void place_concat(Layout *layout, size_t index) {
    const Step *step = layout->plan->steps.data[index];
    Storage *whole = natural_of(layout, step->output_value);
    layout->placed[index] = ARENA_ARRAY(layout->plan->arena, (size_t)step->input_count, bool);
    if (is_inner_concat(step))
        return;
    int axis = concat_box_axis(step);
    int64_t place[3] = {0, 0, 0};
    for (int k = 0; k < step->input_count; k++) {
        const Value *value = step->input_values[k];
        layout->placed[index][k] = home_of(layout, value)->base == value &&
                                   storage_place(natural_of(layout, value), whole, place);
        place[axis] += box_extent(box_of_shape(&value->type.shape), axis);
    }
}

static Buffer *buffer_new(Layout *layout, Place place, size_t index, int64_t elements,
                          const char *name) {
    Plan *plan = layout->plan;
    Buffer *buffer = ARENA_NEW(plan->arena, Buffer);
    *buffer = (Buffer){.place = place, .index = (int)index, .elements = elements, .name = name};
    VEC_PUSH(plan->arena, &plan->buffers, buffer);
    return buffer;
}

/* An output of the network is the storage itself where its producer can write straight into it,
 * else a copy. */
static void place_output(Layout *layout, size_t index) {
    const Graph *graph = layout->plan->graph;
    Value *value = graph->outputs.data[index];
    Storage *storage = flat_of(layout, value);
    if (storage->fixed || storage->parent || storage->view.buffer) {
        Storage *copy = NULL;
        storage = copy_of(layout, &copy, value, 1, storage);
        storage->gapless = true;
    }
    storage->view.buffer =
        buffer_new(layout, PLACE_OUTPUT, index, shape_elements(&value->type.shape),
                   graph->output_names.data[index]);
    layout->outputs[index] = storage;
}

static void choose_places(Layout *layout) {
    Plan *plan = layout->plan;
    for (size_t i = plan->steps.count; i-- > 0;) /* outer concats before those within them */
        if (plan->steps.data[i]->kind == STEP_CONCAT)
            place_concat(layout, i);
    for (size_t i = 0; i < plan->graph->inputs.count; i++) {
        const Value *value = plan->graph->inputs.data[i];
        Buffer *buffer =
            buffer_new(layout, PLACE_INPUT, i, shape_elements(&value->type.shape), value->name);
        buffer->element = value->type.element;
        natural_of(layout, value)->view.buffer = buffer;
    }
    for (size_t i = 0; i < plan->graph->outputs.count; i++)
        place_output(layout, i);
}

static bool make_buffers(Layout *layout, Diagnostics *diagnostics) {
    for (size_t i = 0; i < layout->storages.count; i++) {
        Storage *storage = layout->storages.data[i];
        if (storage->parent)
            continue;
        int64_t floats;
        if (!storage_measure(storage, &floats)) {
            diag_report(diagnostics, DIAG_E0802, layout->plan->graph->name_span,
                        "the memory for `%s` with its padding does not fit 64 bits", storage->name);
            return false;
        }
        storage->zeroed = !storage_has_halo(storage);
        if (storage->view.buffer)
            assert(storage->view.buffer->elements == floats);
        else
            storage->view.buffer =
                buffer_new(layout, PLACE_ARENA, layout->plan->buffers.count, floats, storage->name);
    }
    return true;
}

/* ---- emission ----------------------------------------------------------------------------- */

static Step *emit(Layout *layout, StepKind kind, const Node *node, Value *value) {
    Arena *arena = layout->plan->arena;
    Step *step = ARENA_NEW(arena, Step);
    step->kind = kind;
    step->node = node;
    step->name = value->name;
    step->output_value = value;
    VEC_PUSH(arena, &layout->steps, step);
    return step;
}

/* Zeros the halo of the storage's root before anything is written there. */
static void begin_write(Layout *layout, Storage *storage, const Node *node, Value *value) {
    Storage *root = storage_root(storage);
    if (root->zeroed)
        return;
    root->zeroed = true;
    Step *step = emit(layout, STEP_ZERO, node, value);
    step->name = root->name;
    step->output = storage_view(root, root->box);
    for (int i = 0; i < 2; i++) {
        step->zero.begin[i] = root->halo.begin[i];
        step->zero.end[i] = root->halo.end[i];
    }
}

static void emit_copy(Layout *layout, const Node *node, Value *value, View from, View to) {
    Arena *arena = layout->plan->arena;
    Step *step = emit(layout, STEP_COPY, node, value);
    step->input_count = 1;
    step->input_values = ARENA_NEW(arena, Value *);
    step->input_values[0] = value;
    step->inputs = ARENA_NEW(arena, View);
    step->inputs[0] = from;
    step->output = to;
}

/* Makes a copy hold its elements. */
static void fill(Layout *layout, Storage *storage, const Node *node) {
    if (!storage->source || storage->filled)
        return;
    storage->filled = true;
    fill(layout, storage->source, node);
    begin_write(layout, storage, node, storage->source_value);
    emit_copy(layout, node, storage->source_value, storage_view(storage->source, storage->box),
              storage_view(storage, storage->box));
}

/* The view of input `k` that the step reads. */
static View read_input(Layout *layout, const Step *step, int k) {
    Value *value = step->input_values[k];
    Need need = need_of(layout, step, k);
    Storage *storage = resolve(layout, value, &need);
    fill(layout, storage, step->node);
    if (is_reordering(step))
        return view_reordered(storage_view(storage, storage->box), &step->reorder,
                              box_of_shape(&step->output_value->type.shape));
    return storage_view(storage,
                        need.kind == NEED_ANY ? storage->box : box_of_shape(&value->type.shape));
}

/* Copies input `k` of an inner concat, from float `begin` of each run of the result on: both sides
 * are seen as [axes before][the rest]. Returns how many floats of a run that were. */
static int64_t copy_inner(Layout *layout, const Step *step, int k, int64_t begin) {
    const Shape *shape = &step->output_value->type.shape;
    int64_t outer = 1;
    for (int i = 0; i < step->concat.axis; i++)
        outer *= shape->dims[i];
    int64_t run = shape_elements(&step->input_values[k]->type.shape) / outer;
    Box box = {outer, 1, run};
    View from = view_reshaped(read_input(layout, step, k), box);
    Storage *whole = natural_of(layout, step->output_value);
    View to = view_reshaped(storage_view(whole, whole->box), box);
    to.block_stride = shape_elements(shape) / outer;
    to.offset += begin;
    begin_write(layout, whole, step->node, step->output_value);
    emit_copy(layout, step->node, step->input_values[k], from, to);
    return run;
}

/* Copies what is not in place. */
static void emit_concat(Layout *layout, size_t index) {
    const Step *step = layout->plan->steps.data[index];
    Storage *whole = natural_of(layout, step->output_value);
    int axis = concat_box_axis(step);
    int64_t place[3] = {0, 0, 0};
    int64_t begin = 0;
    for (int k = 0; k < step->input_count; k++) {
        Value *value = step->input_values[k];
        Box box = box_of_shape(&value->type.shape);
        if (is_inner_concat(step)) {
            begin += copy_inner(layout, step, k, begin);
            continue;
        }
        if (!layout->placed[index][k]) {
            View from = read_input(layout, step, k);
            begin_write(layout, whole, step->node, step->output_value);
            View to = storage_part(whole, place, box);
            Box seen = {from.channels, from.height, from.width};
            if (!box_equal(seen, box)) /* an image that is seen as a vector */
                to = view_reshaped(to, seen);
            emit_copy(layout, step->node, value, from, to);
        }
        place[axis] += box_extent(box, axis);
    }
}

static void emit_step(Layout *layout, Step *step) {
    Arena *arena = layout->plan->arena;
    step->inputs = ARENA_ARRAY(arena, (size_t)step->input_count, View);
    for (int k = 0; k < step->input_count; k++)
        step->inputs[k] = read_input(layout, step, k);
    Storage *storage = natural_of(layout, step->output_value);
    begin_write(layout, storage, step->node, step->output_value);
    step->output = storage_view(storage, storage->box);
    if (step->scratch_floats > 0)
        step->scratch = buffer_new(layout, PLACE_ARENA, layout->plan->buffers.count,
                                   step->scratch_floats, step->path);
    VEC_PUSH(arena, &layout->steps, step);
}

static void emit_all(Layout *layout) {
    Plan *plan = layout->plan;
    for (size_t i = 0; i < plan->steps.count; i++) {
        Step *step = plan->steps.data[i];
        if (step->kind == STEP_CONCAT)
            emit_concat(layout, i);
        else if (step->kind != STEP_VIEW)
            emit_step(layout, step);
    }
    for (size_t i = 0; i < plan->graph->outputs.count; i++)
        fill(layout, layout->outputs[i], plan->graph->outputs.data[i]->producer);
    plan->steps.count = 0;
    for (size_t i = 0; i < layout->steps.count; i++)
        VEC_PUSH(plan->arena, &plan->steps, layout->steps.data[i]);
}

bool plan_layout(Plan *plan, Diagnostics *diagnostics) {
    Layout layout = {.plan = plan};
    layout.homes = ARENA_ARRAY(plan->arena, plan->values.count, Home);
    layout.placed = ARENA_ARRAY(plan->arena, plan->steps.count, bool *);
    layout.outputs = ARENA_ARRAY(plan->arena, plan->graph->outputs.count, Storage *);
    choose_natural(&layout);
    collect_needs(&layout);
    choose_places(&layout);
    if (!make_buffers(&layout, diagnostics))
        return false;
    emit_all(&layout);
    return true;
}
