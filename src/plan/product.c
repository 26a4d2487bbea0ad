/* A product of matrices is made panel by panel of the right matrix, a few vectors of columns, each
 * with all tiles of rows.
 *
 * That the depth is not cut into blocks, nor the matrices copied into blocks for the caches (Goto,
 * van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008), is measured: a panel and
 * the rows pass by in order, at a few bytes a cycle, as any cache beyond the first delivers them.
 * What does cost time is a tile whose rows all want the same places of the first cache, since each
 * line is needed again for the next terms: such tiles have fewer rows.
 *
 * The rows of a transposed right matrix lie along the depth, as those of the left do. Where there
 * are rows enough to gain by it, each panel is first transposed into scratch memory; else the sums
 * are made of vectors of partial sums along the depth, which are then folded. */
#include "plan/product.h"

#include "support/checked.h"

#define GEMM_UNROLL 4 /* terms of each sum per turn */

static int halvings(int64_t lanes) {
    int count = 0;
    while (lanes >> (count + 1))
        count++;
    return count;
}

/* Rows by columns of single sums: a square needs the fewest loads. */
static Tile dot_tile(const Machine *machine, const Product *product) {
    int side = machine->registers >= 32 ? 4 : 3;
    return (Tile){.rows = smaller(product->rows, side),
                  .columns = smaller(product->columns, side),
                  .vectors = 1,
                  .unroll = 1};
}

/* Slots of all sums, each a vector that is folded by a shuffle and an addition for each half. */
static double dot_cost(const Machine *machine, const Product *product) {
    int64_t vectors = divide_up(product->depth, machine->lanes);
    return (double)product->rows * (double)product->columns *
           (double)(vectors + 2 * halvings(machine->lanes));
}

/* Slots to transpose the right matrix: for each vector a load, a shuffle for each half, a store. */
static double transposing_cost(const TileProblem *problem) {
    return (double)problem->taps * (double)problem->vectors *
           (2 + halvings(problem->machine->lanes));
}

/* Rows of the left matrix whose lines fit the first cache together. */
static int64_t most_rows(const Machine *machine, const Product *product) {
    int64_t stride = product->left.row_stride * (int64_t)sizeof(float);
    int64_t places = machine->way_bytes / common_divisor(stride, machine->way_bytes);
    return places * machine->ways;
}

TileProblem product_tiles(const Machine *machine, const Product *product) {
    int64_t vectors = divide_up(product->columns, machine->lanes);
    TileProblem problem = tile_problem_of_sums(machine, product->rows, 1, vectors, product->depth);
    problem.max_pixels = smaller(most_rows(machine, product), problem.max_pixels);
    return problem;
}

void product_choose(const Plan *plan, Step *step) {
    const Machine *machine = plan->machine;
    const Product *product = &step->gemm.product;
    TileProblem problem = product_tiles(machine, product);
    step->tile = tile_choose(&problem);
    step->tile.unroll = smaller(product->depth, GEMM_UNROLL);
    if (!product->transposed)
        return;
    double cost = tile_cost(&problem, &step->tile) + transposing_cost(&problem);
    int64_t width = (int64_t)step->tile.vectors * machine->lanes;
    /* each part has a panel of its own */
    step->gemm.transposes =
        cost < dot_cost(machine, product) &&
        checked_mul(product->depth, width * plan_parts(plan), &step->scratch_floats);
    if (!step->gemm.transposes)
        step->tile = dot_tile(machine, product);
}
