/* Steps that go into the step that makes their input.
 *
 * First what no output needs is dropped and views that change nothing are seen through. Then each
 * MAP goes into the producer of one of its operands if nothing else uses that value: a leading
 * channel affine into the weights of a producer that has any (Jacob et al. 2018, section 3.2),
 * everything else into the epilogue. At last a MAP that is left reads its input in the order in
 * which a rearrangement before it would have written it. */
#include <assert.h>
#include <string.h>

#include "plan/plan.h"

/* What is known of a value, by Value.id. */
typedef struct Use {
    int producer; /* index of its step; -1: an input of the network */
    int readers;  /* inputs of steps that are this value */
    bool returned;
    Value *same; /* the value it is another name of, or itself */
} Use;

typedef VEC(const char *) NameList;

typedef struct Fusion {
    Plan *plan;
    Use *uses;
    NameList *names; /* of the layers in each step, by its index */
} Fusion;

static Use *use_of(const Fusion *fusion, const Value *value) {
    return &fusion->uses[value->id];
}

static void uses_init(Fusion *fusion) {
    const Plan *plan = fusion->plan;
    const Graph *graph = plan->graph;
    fusion->uses = ARENA_ARRAY(plan->arena, plan->values.count, Use);
    for (size_t i = 0; i < plan->values.count; i++)
        fusion->uses[i] = (Use){.producer = -1, .same = plan->values.data[i]};
    for (size_t i = 0; i < graph->outputs.count; i++)
        use_of(fusion, graph->outputs.data[i])->returned = true;
}

/* Counts readers of everything that leads to an output, and drops the other steps. */
static void drop_unused(Fusion *fusion) {
    Plan *plan = fusion->plan;
    size_t kept = plan->steps.count;
    for (size_t i = plan->steps.count; i-- > 0;) {
        Step *step = plan->steps.data[i];
        const Use *use = use_of(fusion, step->output_value);
        if (!use->returned && use->readers == 0)
            continue;
        for (int k = 0; k < step->input_count; k++)
            use_of(fusion, step->input_values[k])->readers++;
        plan->steps.data[--kept] = step;
    }
    plan->steps.count -= kept;
    if (plan->steps.count > 0)
        memmove(plan->steps.data, plan->steps.data + kept,
                plan->steps.count * sizeof *plan->steps.data);
}

/* Readers of a view of the same shape (dropout) read what it views. */
static void see_through_views(Fusion *fusion) {
    Plan *plan = fusion->plan;
    size_t kept = 0;
    for (size_t i = 0; i < plan->steps.count; i++) {
        Step *step = plan->steps.data[i];
        for (int k = 0; k < step->input_count; k++)
            step->input_values[k] = use_of(fusion, step->input_values[k])->same;
        Value *input = step->input_values[0];
        Use *use = use_of(fusion, step->output_value);
        if (step->kind == STEP_VIEW && !use->returned &&
            shape_equal(&input->type.shape, &step->output_value->type.shape)) {
            use->same = input;
            use_of(fusion, input)->readers += use->readers - 1;
            continue;
        }
        use->producer = (int)kept;
        plan->steps.data[kept++] = step;
    }
    plan->steps.count = kept;
}

static bool takes_epilogue(StepKind kind) {
    switch (kind) {
    case STEP_CONV:
    case STEP_WINOGRAD:
    case STEP_STRASSEN:
    case STEP_DEPTHWISE:
    case STEP_CONV_GENERAL:
    case STEP_DENSE:
    case STEP_GEMM:
    case STEP_TABLE:
    case STEP_WINDOW_BIAS:
    case STEP_WINDOW:
    case STEP_ADAPTIVE:
    case STEP_GLOBAL:
    case STEP_NORMALISE:
    case STEP_LRN:
    case STEP_REDUCE:
    case STEP_RESIZE:
    case STEP_MAP: return true;
    case STEP_RECURRENT:
    case STEP_SOFTMAX:
    case STEP_REARRANGE:
    case STEP_COPY:
    case STEP_ZERO:
    case STEP_VIEW:
    case STEP_CONCAT: return false;
    }
    return false;
}

/* Whether a scale of each channel can go into the step's weights. Those of a transposed convolution
 * in groups have no axis of all its filters, so no recipe could say which scale is meant. */
static bool folds_affine(const Step *step) {
    if (step->kind == STEP_CONV_GENERAL)
        return !step->conv.transposed || step->conv.groups == 1;
    return step->kind == STEP_CONV || step->kind == STEP_DEPTHWISE || step->kind == STEP_DENSE;
}

static int count_vectors(const Step *step) {
    int count = 0;
    for (size_t i = 0; i < step->epilogue.count; i++)
        count += stage_vectors(&step->epilogue.data[i]);
    return count;
}

/* Whether an epilogue of `producer` may have the stages of `map`. Steps that work on values in
 * their own order do not know the channel of a result. */
static bool takes_stages(const Step *producer, const Step *map) {
    bool by_order = producer->kind == STEP_GEMM || producer->kind == STEP_TABLE ||
                    producer->kind == STEP_NORMALISE || producer->kind == STEP_LRN ||
                    producer->kind == STEP_REDUCE || producer->kind == STEP_WINDOW_BIAS;
    return !by_order || !step_needs_channel(map);
}

/* Whether `map` may go into the producer of its input `operand`. */
static bool can_fuse(const Fusion *fusion, const Step *map, int operand) {
    const Use *use = use_of(fusion, map->input_values[operand]);
    if (use->producer < 0 || use->readers != 1 || use->returned)
        return false;
    const Step *producer = fusion->plan->steps.data[use->producer];
    return takes_epilogue(producer->kind) && takes_stages(producer, map) &&
           producer->input_count + map->input_count - 1 <= STEP_MAX_INPUTS &&
           producer->epilogue.count + map->epilogue.count <= STEP_MAX_STAGES &&
           count_vectors(producer) + count_vectors(map) <= STEP_MAX_VECTORS;
}

static bool is_commutative(MapOp op) {
    return op == MAP_ADD || op == MAP_MULTIPLY || op == MAP_MINIMUM || op == MAP_MAXIMUM;
}

/* How many leading stages may begin with their operand in the place of input 0. A sum, a product, a
 * minimum or maximum of several may begin with any of its terms. A difference or quotient of two
 * may begin with its second, as y - x or y / x. */
static size_t count_exchangeable(const Step *map) {
    const MapStage *stages = map->epilogue.data;
    size_t count = 0;
    while (count < map->epilogue.count && stages[count].kind == OPERAND_ELEMENT &&
           stages[count].op == stages[0].op && is_commutative(stages[0].op))
        count++;
    bool reversible = map->epilogue.count > 0 && stages[0].kind == OPERAND_ELEMENT &&
                      (stages[0].op == MAP_SUBTRACT || stages[0].op == MAP_DIVIDE);
    return reversible ? 1 : count;
}

/* The operand whose producer takes the step in: of input 0 and those it may be exchanged with the
 * one made last. -1: none. */
static int choose_operand(const Fusion *fusion, const Step *map) {
    int best = can_fuse(fusion, map, 0) ? 0 : -1;
    size_t count = count_exchangeable(map);
    for (size_t i = 0; i < count; i++) {
        int operand = map->epilogue.data[i].operand;
        if (!can_fuse(fusion, map, operand))
            continue;
        if (best < 0 || use_of(fusion, map->input_values[operand])->producer >
                            use_of(fusion, map->input_values[best])->producer)
            best = operand;
    }
    return best;
}

/* Makes input `operand` input 0. */
static void exchange_operand(Step *map, int operand) {
    if (operand == 0)
        return;
    Value *value = map->input_values[operand];
    map->input_values[operand] = map->input_values[0];
    map->input_values[0] = value;
    if (!is_commutative(map->epilogue.data[0].op))
        map->epilogue.data[0].reversed = !map->epilogue.data[0].reversed;
}

/* The array doubles where it is full: at each power of two. */
static void fold_affine(const Plan *plan, Step *step, const Affine *affine) {
    size_t count = (size_t)step->affine_count;
    if ((count & (count - 1)) == 0) {
        Affine *affines = ARENA_ARRAY(plan->arena, count == 0 ? 1 : 2 * count, Affine);
        if (count > 0)
            memcpy(affines, step->affines, count * sizeof *affines);
        step->affines = affines;
    }
    step->affines[step->affine_count++] = *affine;
}

/* Appends the stages of `map`, whose input 0 `producer` makes, and the operands they need. */
static void append_stages(const Plan *plan, Step *producer, const Step *map) {
    int first = producer->input_count - 1; /* operand k of the map becomes operand first + k */
    int count = producer->input_count + map->input_count - 1;
    Value **values = ARENA_ARRAY(plan->arena, (size_t)count, Value *);
    memcpy(values, producer->input_values, (size_t)producer->input_count * sizeof(Value *));
    for (int k = 1; k < map->input_count; k++)
        values[first + k] = map->input_values[k];
    producer->input_values = values;
    producer->input_count = count;
    for (size_t i = 0; i < map->epilogue.count; i++) {
        MapStage stage = map->epilogue.data[i];
        if (stage.op == MAP_AFFINE && producer->epilogue.count == 0 && folds_affine(producer)) {
            fold_affine(plan, producer, &stage.affine);
            continue;
        }
        if (stage_reads_input(&stage))
            stage.operand += first;
        VEC_PUSH(plan->arena, &producer->epilogue, stage);
    }
    producer->output_value = map->output_value;
}

/* Puts step `index`, a MAP, into the producer of input `operand`. The result stands in the
 * producer's place, or in its own if an operand is made between the two. */
static void fuse_into(Fusion *fusion, int index, int operand) {
    const Plan *plan = fusion->plan;
    Step **steps = plan->steps.data;
    Step *map = steps[index];
    exchange_operand(map, operand);
    Value *value = map->input_values[0];

    int from = use_of(fusion, value)->producer;
    int place = from;
    for (int k = 1; k < map->input_count; k++)
        if (use_of(fusion, map->input_values[k])->producer > from)
            place = index;
    Step *producer = steps[from];
    append_stages(plan, producer, map);

    NameList names = fusion->names[from];
    for (size_t i = 0; i < fusion->names[index].count; i++)
        VEC_PUSH(plan->arena, &names, fusion->names[index].data[i]);
    steps[from] = steps[index] = NULL;
    steps[place] = producer;
    fusion->names[place] = names;
    use_of(fusion, map->output_value)->producer = place;
}

/* ---- rearrangements ------------------------------------------------------------------------ */

/* The stride at which the next axis outwards, of `extent`, goes through what the loops leave: the
 * innermost of them is its last turns. False if it is more than a loop or no whole part of one. */
static bool take_axis(Rearrange *left, int64_t extent, int64_t *stride) {
    *stride = 0;
    if (extent == 1)
        return true;
    if (left->loop_count == 0)
        return false;
    RearrangeLoop *loop = &left->loops[left->loop_count - 1];
    if (loop->extent != loop->count || loop->count % extent != 0)
        return false;
    *stride = loop->stride;
    loop->count = loop->extent = loop->count / extent;
    loop->stride *= extent;
    if (loop->count == 1)
        left->loop_count--;
    return true;
}

/* Whether a rearrangement into `shape` is a step from element to element along each axis of the
 * planes that steps see; how, in `reorder`. */
static bool reorder_of(const Rearrange *rearrange, const Shape *shape, Reorder *reorder) {
    Rearrange left = *rearrange;
    *reorder = (Reorder){.wanted = true, .first = rearrange->first};
    if (shape->rank > 3)
        return false;
    int64_t width = shape->rank >= 2 ? shape->dims[shape->rank - 1] : 1;
    int64_t height = shape->rank == 3 ? shape->dims[1] : 1;
    int64_t channels = shape->rank >= 1 ? shape->dims[0] : 1;
    return take_axis(&left, width, &reorder->column) && take_axis(&left, height, &reorder->row) &&
           take_axis(&left, channels, &reorder->channel);
}

/* Lets step `index`, a MAP of one input, read past the rearrangement that makes it. */
static void reorder_input(Fusion *fusion, int index) {
    Step **steps = fusion->plan->steps.data;
    Step *map = steps[index];
    const Use *use = use_of(fusion, map->input_values[0]);
    if (map->input_count > 1 || use->producer < 0 || use->readers != 1 || use->returned)
        return;
    Step *producer = steps[use->producer];
    Reorder reorder;
    if (producer->kind != STEP_REARRANGE ||
        !reorder_of(&producer->rearrange, &map->output_value->type.shape, &reorder))
        return;
    map->reorder = reorder;
    map->input_values = producer->input_values;
    NameList names = fusion->names[use->producer];
    for (size_t i = 0; i < fusion->names[index].count; i++)
        VEC_PUSH(fusion->plan->arena, &names, fusion->names[index].data[i]);
    fusion->names[index] = names;
    steps[use->producer] = NULL;
}

static void name_steps(Fusion *fusion) {
    const Plan *plan = fusion->plan;
    StrBuf text = {0};
    for (size_t i = 0; i < plan->steps.count; i++) {
        const NameList *names = &fusion->names[i];
        if (!plan->steps.data[i] || names->count == 1)
            continue;
        text.length = 0;
        for (size_t k = 0; k < names->count; k++)
            strbuf_format(&text, "%s%s", k == 0 ? "" : " + ", names->data[k]);
        plan->steps.data[i]->name = arena_copy_text(plan->arena, text.data, text.length);
    }
    strbuf_free(&text);
}

static void remove_empty(Plan *plan) {
    size_t kept = 0;
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.data[i])
            plan->steps.data[kept++] = plan->steps.data[i];
    plan->steps.count = kept;
}

void plan_fuse(Plan *plan) {
    Fusion fusion = {.plan = plan};
    uses_init(&fusion);
    drop_unused(&fusion);
    see_through_views(&fusion);

    fusion.names = ARENA_ARRAY(plan->arena, plan->steps.count, NameList);
    for (size_t i = 0; i < plan->steps.count; i++)
        VEC_PUSH(plan->arena, &fusion.names[i], plan->steps.data[i]->name);
    for (size_t i = 0; i < plan->steps.count; i++) {
        if (plan->steps.data[i]->kind != STEP_MAP)
            continue;
        int operand = choose_operand(&fusion, plan->steps.data[i]);
        if (operand >= 0)
            fuse_into(&fusion, (int)i, operand);
    }
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.data[i] && plan->steps.data[i]->kind == STEP_MAP)
            reorder_input(&fusion, (int)i);
    name_steps(&fusion);
    remove_empty(plan);
}
