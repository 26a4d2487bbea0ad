/* Usage: PROGRAM net.weights. Prints the sum of a softmax. */
#include "net.h"
#include "netc_runtime.h"

#include <stdio.h>

int main(int argc, char **argv) {
    struct netc_weights weights;
    float input[NET_X_SIZE] = {1, 2, 3}, output[NET_OUTPUT_SIZE], sum = 0;
    if (argc < 2 || netc_weights_map(argv[1], &net_info, 0, &weights) != NETC_OK)
        return 1;
    void *arena = netc_arena_new(&net_info);
    net(input, output, weights.data, arena);
    for (int i = 0; i < NET_OUTPUT_SIZE; i++)
        sum += output[i];
    printf("sum %.3f for %s\n", (double)sum, NET_TARGET);
    netc_arena_free(arena);
    netc_weights_free(&weights);
    return 0;
}
