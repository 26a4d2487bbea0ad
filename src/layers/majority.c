#include "layers/majority.h"

size_t majority_input(const Node *node, ShapesAgree *agree, int axis) {
    size_t best = 0;
    size_t best_votes = 0;
    for (size_t i = 0; i < node->input_count; i++) {
        size_t votes = 0;
        for (size_t k = 0; k < node->input_count; k++)
            votes += agree(&node->inputs[i]->type.shape, &node->inputs[k]->type.shape, axis);
        if (votes > best_votes) {
            best = i;
            best_votes = votes;
        }
    }
    return best;
}
