/* matmul: products of the matrices in two tensors. */
#include "kernels/kernel.h"
#include "layers/edit.h"
#include "layers/evaluate.h"
#include "layers/layer.h"

enum MatmulAttribute {
    MATMUL_TRANSPOSE,
    MATMUL_ATTRIBUTES,
};

/* The product that the node's shapes describe: [.., M, K] x [.., K, N]. */
static Product matmul_product(const Node *node) {
    const Shape *left = &node->inputs[0]->type.shape, *right = &node->inputs[1]->type.shape;
    int last = left->rank - 1;
    bool transposed = node->attributes[MATMUL_TRANSPOSE].boolean;
    Product product = {.batches = 1,
                       .rows = left->dims[last - 1],
                       .depth = left->dims[last],
                       .columns = right->dims[transposed ? last - 1 : last],
                       .transposed = transposed};
    for (int i = 0; i < last - 1; i++)
        product.batches *= left->dims[i];
    product.left =
        (Matrices){.batch_stride = product.rows * product.depth, .row_stride = product.depth};
    product.right = (Matrices){.batch_stride = product.depth * product.columns,
                               .row_stride = right->dims[last]};
    product.result =
        (Matrices){.batch_stride = product.rows * product.columns, .row_stride = product.columns};
    return product;
}

static bool check_ranks(Inference *inference) {
    const Shape *left = infer_input(inference, 0), *right = infer_input(inference, 1);
    if (left->rank >= 2 && left->rank == right->rank)
        return true;
    Diagnostic *diagnostic = infer_error(
        inference, DIAG_E0212, -1, "`matmul` takes two tensors of matrices, got %s and %s",
        infer_shape_text(inference, left), infer_shape_text(inference, right));
    if (left->rank != right->rank)
        diag_here(inference->diagnostics, diagnostic, "%d and %d dims", left->rank, right->rank);
    else
        diag_here(inference->diagnostics, diagnostic, "each needs two dims or more");
    return false;
}

static bool check_leading(Inference *inference) {
    const Shape *left = infer_input(inference, 0), *right = infer_input(inference, 1);
    for (int i = 0; i < left->rank - 2; i++) {
        if (left->dims[i] == right->dims[i])
            continue;
        Diagnostic *diagnostic = infer_error(
            inference, DIAG_E0260, -1, "`matmul` needs as many matrices on both sides: %s and %s",
            infer_shape_text(inference, left), infer_shape_text(inference, right));
        diag_here(inference->diagnostics, diagnostic, "dim %d is %lld and %lld", i,
                  (long long)left->dims[i], (long long)right->dims[i]);
        return false;
    }
    return true;
}

/* The columns of the left matrices are the rows of the right ones. */
static bool check_depth(Inference *inference) {
    const Shape *left = infer_input(inference, 0), *right = infer_input(inference, 1);
    int last = left->rank - 1;
    bool transposed = inference->node->attributes[MATMUL_TRANSPOSE].boolean;
    int64_t depth = left->dims[last];
    if (right->dims[transposed ? last : last - 1] == depth)
        return true;
    Diagnostic *diagnostic =
        infer_error(inference, DIAG_E0260, MATMUL_TRANSPOSE, "`matmul` cannot multiply %s by %s%s",
                    infer_shape_text(inference, left), infer_shape_text(inference, right),
                    transposed ? " transposed" : "");
    diag_here(inference->diagnostics, diagnostic, "rows of %lld by columns of %lld",
              (long long)depth, (long long)right->dims[transposed ? last : last - 1]);
    if (right->dims[transposed ? last - 1 : last] == depth)
        edit_argument(inference, diagnostic, MATMUL_TRANSPOSE, transposed ? "off" : "on", true,
                      transposed ? "the second input is not transposed"
                                 : "the second input is given transposed");
    else if (last == 1 && left->dims[0] == right->dims[transposed ? 1 : 0])
        diag_help(inference->diagnostics, diagnostic,
                  "the first input would fit transposed: `-> transpose((1, 0))` makes it "
                  "[%lld, %lld]",
                  (long long)left->dims[1], (long long)left->dims[0]);
    return false;
}

static bool matmul_infer(Inference *inference) {
    if (!check_ranks(inference) || !check_leading(inference) || !check_depth(inference))
        return false;
    Product product = matmul_product(inference->node);
    Shape result = *infer_input(inference, 0);
    result.dims[result.rank - 1] = product.columns;
    return infer_result(inference, result);
}

static void matmul_macs(const Node *node, Factors *factors) {
    Product product = matmul_product(node);
    if (product.batches > 1)
        factors_add(factors, product.batches);
    factors_add(factors, product.rows);
    factors_add(factors, product.columns);
    factors_add(factors, product.depth);
}

static void matmul_evaluate(Evaluation *evaluation) {
    Product product = matmul_product(evaluation->node);
    bool transposed = product.transposed;
    for (int64_t b = 0; b < product.batches; b++) {
        const Real *left = evaluation->inputs[0] + b * product.left.batch_stride;
        const Real *right = evaluation->inputs[1] + b * product.right.batch_stride;
        Real *result = evaluation->output + b * product.result.batch_stride;
        for (int64_t i = 0; i < product.rows; i++)
            for (int64_t j = 0; j < product.columns; j++) {
                RealSum sum = {0};
                for (int64_t k = 0; k < product.depth; k++)
                    real_sum_pair(
                        &sum, left[i * product.depth + k],
                        right[transposed ? j * product.depth + k : k * product.columns + j]);
                result[i * product.columns + j] = real_sum_finish(&sum, 0);
            }
    }
}

static void matmul_lower(Lowering *lowering, const Node *node) {
    Product product = matmul_product(node);
    kernel_gemm(lowering, node, &product, node->inputs[0], node->inputs[1], node->outputs[0]);
}

const LayerInfo layer_matmul = {
    .name = "matmul",
    .summary = "product of matrices: the last two axes of two tensors",
    .family = FAMILY_MERGE,
    .min_inputs = 2,
    .max_inputs = 2,
    .attribute_count = MATMUL_ATTRIBUTES,
    .attributes =
        {
            [MATMUL_TRANSPOSE] = {"transpose", ATTRIBUTE_BOOLEAN, "off", 0, 0,
                                  "the second input is [.., N, K]"},
        },
    .shape_doc = "[.., M, K], [.., K, N] -> [.., M, N]; the dims before them must be equal",
    .macs_doc = "matrices * (M * N * K)",
    .example = "network example(queries: [8, 20, 64], keys: [8, 30, 64]) -> [8, 20, 30] {\n"
               "    return (queries, keys) -> matmul(transpose=on)\n"
               "}\n",
    .infer = matmul_infer,
    .macs = matmul_macs,
    .footprint = footprint_everything,
    .evaluate = matmul_evaluate,
    .lower = matmul_lower,
};
