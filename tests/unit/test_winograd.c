/* Winograd's matrices: in exact arithmetic they compute a convolution, for every method there is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "plan/winograd.h"
#include "support/random.h"

#define MAX_TAPS WINOGRAD_MAX_TAPS
#define MAX_SIZE WINOGRAD_MAX_SIZE

/* One dimension: A' [(G g) * (B' d)]. */
static double filtered(const Winograd *winograd, const double *d, const double *g, int output) {
    double sum = 0;
    for (int k = 0; k < winograd->size; k++) {
        double input = 0, weight = 0;
        for (int i = 0; i < winograd->size; i++)
            input += winograd->input[k][i] * d[i];
        for (int i = 0; i < winograd->taps; i++)
            weight += winograd->weight[k][i] * g[i];
        sum += winograd->output[output][k] * input * weight;
    }
    return sum;
}

static void check_method(Arena *arena, int outputs, int taps) {
    const Winograd *winograd = winograd_make(arena, outputs, taps);
    assert_int_equal(winograd->size, outputs + taps - 1);
    Random random = random_start(7);
    for (int round = 0; round < 50; round++) {
        double d[MAX_SIZE], g[MAX_TAPS];
        for (int i = 0; i < winograd->size; i++)
            d[i] = (double)(random_bits(&random) % 21) - 10;
        for (int i = 0; i < taps; i++)
            g[i] = (double)(random_bits(&random) % 21) - 10;
        for (int i = 0; i < outputs; i++) {
            double direct = 0;
            for (int k = 0; k < taps; k++)
                direct += d[i + k] * g[k];
            assert_true(fabs(filtered(winograd, d, g, i) - direct) < 1e-9);
        }
    }
}

static void methods_compute_convolutions(void **state) {
    (void)state;
    Arena arena = {0};
    check_method(&arena, 2, 3);
    check_method(&arena, 4, 3);
    check_method(&arena, 6, 3);
    check_method(&arena, 2, 5);
    check_method(&arena, 4, 5);
    arena_free(&arena);
}

/* The kernels take the matrices' form for granted. */
static void rows_of_opposite_points_mirror(void **state) {
    (void)state;
    Arena arena = {0};
    for (int outputs = 2; outputs <= 6; outputs += 2) {
        const Winograd *winograd = winograd_make(&arena, outputs, 3);
        int last = winograd->size - 1;
        for (int k = 0; k < winograd->size; k++) {
            for (int row = 1; row < last; row += 2) {
                double sign = k % 2 == 0 ? 1 : -1;
                assert_true(winograd->input[row + 1][k] == sign * winograd->input[row][k]);
            }
            if (k % 2 == 1)
                assert_true(winograd->input[0][k] == 0);
            else
                assert_true(winograd->input[last][k] == 0);
            if (k < last)
                assert_true((double)(float)winograd->input[k][k] == winograd->input[k][k]);
        }
    }
    arena_free(&arena);
}

/* More channels and larger tiles cost accuracy. */
static void errors_grow(void **state) {
    (void)state;
    Arena arena = {0};
    const Winograd *small = winograd_make(&arena, 2, 3), *large = winograd_make(&arena, 6, 3);
    assert_true(winograd_error(small, 64, true) < winograd_error(large, 64, true));
    assert_true(winograd_error(small, 64, true) < winograd_error(small, 512, true));
    assert_true(winograd_error(small, 64, true) < winograd_error(small, 64, false));
    assert_true(winograd_error(small, 4096, true) < WINOGRAD_ERROR);
    assert_true(winograd_error(large, 512, true) > WINOGRAD_ERROR);
    arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_compute_convolutions),
        cmocka_unit_test(rows_of_opposite_points_mirror),
        cmocka_unit_test(errors_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
