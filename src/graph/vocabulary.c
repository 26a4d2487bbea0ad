/* Which values are tokens: see vocabulary.h. */
#include "graph/vocabulary.h"

#include "layers/layer.h"

/* Resizing may give numbers between two tokens, but none that is no token. */
static bool moves_elements(const Node *node) {
    return node->layer->family == FAMILY_SHAPE ||
           (node->layer->traits & LAYER_REORDERS_NOTHING) != 0;
}

static void note_fewest(int64_t *vocabulary, int64_t tokens) {
    if (tokens > 0 && (*vocabulary == 0 || tokens < *vocabulary))
        *vocabulary = tokens;
}

const int64_t *graph_vocabularies(Arena *arena, const Graph *graph) {
    int64_t *vocabularies = ARENA_ARRAY(arena, graph->values.count, int64_t);
    for (size_t n = graph->nodes.count; n-- > 0;) {
        const Node *node = graph->nodes.data[n];
        int64_t tokens = node->layer->vocabulary ? node->layer->vocabulary(node) : 0;
        for (size_t i = 0; i < node->output_count && moves_elements(node); i++)
            note_fewest(&tokens, vocabularies[node->outputs[i]->id]);
        for (size_t i = 0; i < node->input_count; i++)
            note_fewest(&vocabularies[node->inputs[i]->id], tokens);
    }
    return vocabularies;
}
