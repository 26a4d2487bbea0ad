// The network `first` twice, once with a prefix and in a namespace, beside `second`.
#include "first.h"
#include "one_first.h"
#include "one_second.h"

#include <cmath>
#include <cstdio>

int main() {
    const float x[ONE_FIRST_X_SIZE] = {-1, 2};
    float plain[2], relu[2], tangent[2];
    alignas(64) static char arena[FIRST_ARENA_BYTES + ONE_FIRST_ARENA_BYTES + ONE_SECOND_ARENA_BYTES + 64];
    first(x, plain, nullptr, arena);
    one::one_first(x, relu, nullptr, arena);
    one::two::one_second(x, tangent, nullptr, arena);
    bool right = plain[1] == 2 && relu[1] == 2 && std::fabs(tangent[1] - std::tanh(2.0f)) < 1e-5f;
    std::printf("%s\n", right ? "right" : "wrong");
    return 0;
}
