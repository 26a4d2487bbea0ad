/* NAME_pack: the recipes of the plan as code, the same numbers bit for bit as plan_pack.
 *
 * The loops over the axis that has the affines' channels are put outermost, so that each channel's
 * scale is computed once; the order of writing changes nothing. */
#include <assert.h>

#include "codegen/ir.h"
#include "kernels/kernel.h"
#include "plan/strassen.h"

typedef struct Packer {
    Ir *ir;
    const Plan *plan;
    size_t nearest; /* where the last weight was found in Graph.weights */
} Packer;

/* Pointer to a weight's numbers. Recipes use weights much in the order of the graph. */
static IrValue weight_pointer(Packer *packer, const Weight *weight) {
    const Graph *graph = packer->plan->graph;
    for (size_t tried = 0; tried < graph->weights.count; tried++) {
        size_t at = (packer->nearest + tried) % graph->weights.count;
        if (graph->weights.data[at] == weight) {
            packer->nearest = at;
            return ir_load_pointer(packer->ir, ir_parameter(packer->ir, 0), (int64_t)at);
        }
    }
    assert(0 && "a packed weight belongs to the graph");
    return NULL;
}

static IrValue weight_number(Packer *packer, const Weight *weight, IrValue index) {
    return ir_load_f64(packer->ir, ir_at(packer->ir, weight_pointer(packer, weight), index));
}

/* ---- affines ------------------------------------------------------------------------------- */

/* gamma / sqrt(variance + epsilon) */
static IrValue affine_scale(Packer *packer, const Affine *affine, IrValue channel) {
    Ir *ir = packer->ir;
    IrValue scale = affine->gamma ? weight_number(packer, affine->gamma, channel) : ir_f64(ir, 1);
    if (!affine->variance)
        return scale;
    IrValue variance = weight_number(packer, affine->variance, channel);
    IrValue deviation = ir_fsqrt(ir, ir_fadd(ir, variance, ir_f64(ir, affine->epsilon)));
    return ir_fdiv(ir, scale, deviation);
}

/* Product of the scales of all affines of a recipe. */
static IrValue recipe_scale(Packer *packer, const PackRecipe *recipe, IrValue channel) {
    IrValue scale = ir_f64(packer->ir, 1);
    for (int i = 0; i < recipe->affine_count; i++)
        scale = ir_fmul(packer->ir, scale, affine_scale(packer, &recipe->affines[i], channel));
    return scale;
}

/* The bias sent through all affines: (x - mean) * scale + beta. A beta of 0 is not added, for it
 * would change the sign of -0. */
static IrValue recipe_shift(Packer *packer, const PackRecipe *recipe, IrValue channel) {
    Ir *ir = packer->ir;
    IrValue x = recipe->source ? weight_number(packer, recipe->source, channel) : ir_f64(ir, 0);
    for (int i = 0; i < recipe->affine_count; i++) {
        const Affine *affine = &recipe->affines[i];
        if (affine->mean)
            x = ir_fsub(ir, x, weight_number(packer, affine->mean, channel));
        x = ir_fmul(ir, x, affine_scale(packer, affine, channel));
        if (affine->beta)
            x = ir_fadd(ir, x, weight_number(packer, affine->beta, channel));
    }
    return x;
}

/* ---- recipes ------------------------------------------------------------------------------- */

/* A recipe's loops as they are emitted. */
typedef struct RecipeLoops {
    IrLoop loops[PACK_MAX_LOOPS];
    int order[PACK_MAX_LOOPS]; /* emitted k-th: this one of the recipe's */
    int channel_loops;         /* the first of them go over the channel axis */
    IrValue index[PACK_MAX_AXES];
    IrValue position; /* in the packed run */
} RecipeLoops;

static RecipeLoops loops_order(const PackRecipe *recipe) {
    RecipeLoops loops = {0};
    int count = 0;
    for (int k = 0; k < recipe->loop_count; k++)
        if (recipe->loops[k].axis == recipe->channel_axis)
            loops.order[count++] = k;
    loops.channel_loops = count;
    for (int k = 0; k < recipe->loop_count; k++)
        if (recipe->loops[k].axis != recipe->channel_axis)
            loops.order[count++] = k;
    return loops;
}

/* Begins emitted loops first <= k < end. */
static void loops_begin(Ir *ir, const PackRecipe *recipe, RecipeLoops *loops, int first, int end) {
    for (int k = first; k < end; k++) {
        const PackLoop *loop = &recipe->loops[loops->order[k]];
        int64_t stride = 1; /* in the packed run */
        for (int inner = loops->order[k] + 1; inner < recipe->loop_count; inner++)
            stride *= recipe->loops[inner].count;
        loops->loops[k] = ir_loop_begin(ir, ir_i64(ir, 0), ir_i64(ir, loop->count), 1, NULL, 0);
        IrValue turn = loops->loops[k].index, *index = &loops->index[loop->axis];
        *index = ir_add(ir, *index, ir_mul_const(ir, turn, loop->step));
        loops->position = ir_add(ir, loops->position, ir_mul_const(ir, turn, stride));
    }
}

/* Can the index along `axis` reach its extent? */
static bool axis_overruns(const PackRecipe *recipe, int axis) {
    int64_t last = recipe->axes[axis].base;
    for (int k = 0; k < recipe->loop_count; k++)
        if (recipe->loops[k].axis == axis)
            last += (recipe->loops[k].count - 1) * recipe->loops[k].step;
    return last >= recipe->axes[axis].extent;
}

/* Pointer to the number of the source at the loops' indices; those that do not move it have stride
 * 0. */
static IrValue source_at(Packer *packer, const PackRecipe *recipe, const RecipeLoops *loops) {
    Ir *ir = packer->ir;
    IrValue index = ir_i64(ir, 0);
    for (int axis = 0; axis < recipe->axis_count; axis++)
        index = ir_add(ir, index, ir_mul_const(ir, loops->index[axis], recipe->axes[axis].stride));
    return ir_at(ir, weight_pointer(packer, recipe->source), index);
}

/* (G g G') at a position: the sum over i of G[row][i] times the sum over j of G[column][j] g[i][j].
 */
static void winograd_emit(Packer *packer, const PackRecipe *recipe, const RecipeLoops *loops,
                          IrValue scale, IrValue to) {
    Ir *ir = packer->ir;
    const Winograd *winograd = recipe->winograd;
    IrValue table =
        ir_table_f64(ir, &winograd->weight[0][0], sizeof winograd->weight / sizeof(double));
    IrValue position = loops->index[2];
    IrValue row = ir_mul_const(ir, ir_div_const(ir, position, winograd->size), WINOGRAD_MAX_TAPS);
    IrValue column =
        ir_mul_const(ir, ir_rem_const(ir, position, winograd->size), WINOGRAD_MAX_TAPS);
    IrValue kernel = source_at(packer, recipe, loops), sum = NULL;
    for (int i = 0; i < winograd->taps; i++) {
        IrValue line = NULL;
        for (int j = 0; j < winograd->taps; j++) {
            IrValue g = ir_load_f64(ir, ir_at_const(ir, kernel, i * winograd->taps + j));
            IrValue term = ir_fmul(ir, ir_table_number(ir, table, ir_add_const(ir, column, j)), g);
            line = line ? ir_fadd(ir, line, term) : term;
        }
        line = ir_fmul(ir, ir_table_number(ir, table, ir_add_const(ir, row, i)), line);
        sum = sum ? ir_fadd(ir, sum, line) : line;
    }
    ir_store_f64(ir, to, scale ? ir_fmul(ir, sum, scale) : sum);
}

/* The sum of a number of each quarter of the weights times the product's factor of it and the scale
 * of its filter: `scales` is that of both halves of the filters. What has factor 0 is left out. */
static void strassen_emit(Packer *packer, const PackRecipe *recipe, const RecipeLoops *loops,
                          const IrValue *scales, IrValue to) {
    Ir *ir = packer->ir;
    IrValue table =
        ir_table_f64(ir, &strassen_weights[0][0][0], sizeof strassen_weights / sizeof(double));
    IrValue first = ir_mul_const(ir, loops->index[2], 4);
    IrValue from = source_at(packer, recipe, loops);
    IrValue zero = ir_f64(ir, 0), sum = zero;
    for (int quarter = 0; quarter < 4; quarter++) {
        int64_t offset = quarter / 2 * (recipe->axes[0].extent / 2 * recipe->axes[0].stride) +
                         quarter % 2 * (recipe->axes[1].extent / 2 * recipe->axes[1].stride);
        IrValue factor = ir_table_number(ir, table, ir_add_const(ir, first, quarter));
        IrValue number = ir_load_f64(ir, ir_at_const(ir, from, offset)), term = factor;
        IrValue is_used = ir_fcompare(ir, IR_GREATER, ir_fabs(ir, factor), zero);
        if (scales[quarter / 2])
            term = ir_fmul(ir, term, scales[quarter / 2]);
        term = ir_fmul(ir, term, number);
        sum = ir_fadd(ir, sum, ir_select(ir, is_used, term, zero));
    }
    ir_store_f64(ir, to, sum);
}

/* The float at the loops' indices, which are all inside. */
static void number_emit(Packer *packer, const PackRecipe *recipe, const RecipeLoops *loops,
                        const IrValue *scales, IrValue to) {
    Ir *ir = packer->ir;
    IrValue channel = loops->index[recipe->channel_axis];
    switch (recipe->kind) {
    case PACK_SCALE: ir_store_f64(ir, to, scales[0]); return;
    case PACK_SHIFT: ir_store_f64(ir, to, recipe_shift(packer, recipe, channel)); return;
    case PACK_WINOGRAD: winograd_emit(packer, recipe, loops, scales[0], to); return;
    case PACK_STRASSEN: strassen_emit(packer, recipe, loops, scales, to); return;
    case PACK_TENSOR: break;
    }
    IrValue from = source_at(packer, recipe, loops);
    if (scales[0])
        ir_store_f64(ir, to, ir_fmul(ir, ir_load_f64(ir, from), scales[0]));
    else
        ir_store(ir, to, ir_load(ir, from, 1), 1);
}

/* The float at the loops' indices, 0 where one is not below its extent. The channel is inside. */
static void place_emit(Packer *packer, const PackRecipe *recipe, const RecipeLoops *loops,
                       const IrValue *scales, IrValue to) {
    Ir *ir = packer->ir;
    IrIf inside[PACK_MAX_AXES];
    int tests = 0;
    for (int axis = 0; axis < recipe->axis_count; axis++) {
        if (axis == recipe->channel_axis || !axis_overruns(recipe, axis))
            continue;
        if (tests == 0)
            ir_store(ir, to, ir_f32(ir, 0), 1);
        IrValue extent = ir_i64(ir, recipe->axes[axis].extent);
        inside[tests++] = ir_if_begin(ir, ir_less(ir, loops->index[axis], extent));
    }
    number_emit(packer, recipe, loops, scales, to);
    while (tests > 0)
        ir_if_end(ir, &inside[--tests]);
}

/* The loops over everything but channels, at one channel. `exists`: else all is zero. */
static void channel_emit(Packer *packer, const PackRecipe *recipe, const RecipeLoops *at,
                         IrValue packed, bool exists) {
    Ir *ir = packer->ir;
    RecipeLoops loops = *at;
    IrValue channel = loops.index[recipe->channel_axis];
    IrValue scales[2] = {NULL, NULL}; /* of weights without affines, and of PACK_SHIFT */
    if (exists &&
        (recipe->kind == PACK_SCALE || (recipe->kind != PACK_SHIFT && recipe->affine_count > 0)))
        scales[0] = recipe_scale(packer, recipe, channel);
    if (scales[0] && recipe->kind == PACK_STRASSEN) {
        int64_t half = recipe->axes[recipe->channel_axis].extent / 2;
        scales[1] = recipe_scale(packer, recipe, ir_add_const(ir, channel, half));
    }
    loops_begin(ir, recipe, &loops, loops.channel_loops, recipe->loop_count);
    IrValue to = ir_at(ir, packed, loops.position);
    if (exists)
        place_emit(packer, recipe, &loops, scales, to);
    else
        ir_store(ir, to, ir_f32(ir, 0), 1);
    for (int k = recipe->loop_count - 1; k >= loops.channel_loops; k--)
        ir_loop_end(ir, &loops.loops[k]);
}

static void recipe_emit(Packer *packer, const PackRecipe *recipe, IrValue packed) {
    Ir *ir = packer->ir;
    RecipeLoops loops = loops_order(recipe);
    for (int axis = 0; axis < recipe->axis_count; axis++)
        loops.index[axis] = ir_i64(ir, recipe->axes[axis].base);
    loops.position = ir_i64(ir, 0);
    loops_begin(ir, recipe, &loops, 0, loops.channel_loops);
    if (axis_overruns(recipe, recipe->channel_axis)) {
        IrValue channel = loops.index[recipe->channel_axis];
        IrValue extent = ir_i64(ir, recipe->axes[recipe->channel_axis].extent);
        IrIf past = ir_if_begin(ir, ir_less(ir, ir_add_const(ir, extent, -1), channel));
        channel_emit(packer, recipe, &loops, packed, false);
        ir_if_end(ir, &past);
        IrIf inside = ir_if_begin(ir, ir_less(ir, channel, extent));
        channel_emit(packer, recipe, &loops, packed, true);
        ir_if_end(ir, &inside);
    } else {
        channel_emit(packer, recipe, &loops, packed, true);
    }
    for (int k = loops.channel_loops - 1; k >= 0; k--)
        ir_loop_end(ir, &loops.loops[k]);
}

/* ---- the whole plan ------------------------------------------------------------------------ */

/* Zeros from the end of packed tensor `i` to the next one. */
static void gap_emit(const Packer *packer, size_t i) {
    Ir *ir = packer->ir;
    const Plan *plan = packer->plan;
    const Packed *packed = plan->packed.data[i];
    int64_t end = packed->offset / (int64_t)sizeof(float) + packed->floats;
    int64_t next =
        i + 1 < plan->packed.count ? plan->packed.data[i + 1]->offset : plan->packed_bytes;
    int64_t gap = next / (int64_t)sizeof(float) - end;
    assert(gap >= 0);
    if (gap > 0)
        ir_fill_zero(ir, ir_at_const(ir, ir_parameter(ir, 1), end), ir_i64(ir, gap));
}

void kernel_emit_pack(Ir *ir, const Plan *plan) {
    Packer packer = {ir, plan, 0};
    for (size_t i = 0; i < plan->packed.count; i++) {
        const Packed *packed = plan->packed.data[i];
        int64_t at = packed->offset / (int64_t)sizeof(float);
        for (size_t k = 0; k < packed->recipes.count; k++) {
            const PackRecipe *recipe = &packed->recipes.data[k];
            recipe_emit(&packer, recipe, ir_at_const(ir, ir_parameter(ir, 1), at));
            at += recipe->floats;
        }
        gap_emit(&packer, i);
    }
}
