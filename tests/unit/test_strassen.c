/* Strassen's products: in exact arithmetic they are those of the quarters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "plan/strassen.h"
#include "support/random.h"

/* The sum over all products for half `i` of the filters and pixel `n`. */
static double by_products(double w[2][2], double x[2][STRASSEN_PIXELS], int i, int n) {
    double sum = 0;
    for (int p = 0; p < STRASSEN_PRODUCTS; p++) {
        double weight = 0, input = 0;
        for (int a = 0; a < 2; a++)
            for (int b = 0; b < 2; b++) {
                weight += strassen_weights[p][a][b] * w[a][b];
                input += strassen_input[p][a][b] * x[a][b];
            }
        sum += strassen_output[i][n][p] * weight * input;
    }
    return sum;
}

static void products_are_those_of_quarters(void **state) {
    (void)state;
    Random random = random_start(7);
    for (int round = 0; round < 50; round++) {
        double w[2][2], x[2][STRASSEN_PIXELS];
        for (int a = 0; a < 2; a++)
            for (int b = 0; b < 2; b++) {
                w[a][b] = (double)(random_bits(&random) % 21) - 10;
                x[a][b] = (double)(random_bits(&random) % 21) - 10;
            }
        for (int i = 0; i < 2; i++)
            for (int n = 0; n < STRASSEN_PIXELS; n++)
                assert_true(by_products(w, x, i, n) == w[i][0] * x[0][n] + w[i][1] * x[1][n]);
    }
}

static void errors_grow(void **state) {
    (void)state;
    assert_true(strassen_error(64, true) < strassen_error(512, true));
    assert_true(strassen_error(64, true) < strassen_error(64, false));
    assert_true(strassen_error(8192, true) < 1e-5);
    assert_true(strassen_error(16384, true) > 1e-5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_those_of_quarters),
        cmocka_unit_test(errors_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
