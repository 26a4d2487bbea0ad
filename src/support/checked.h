/* Overflow-checked 64-bit arithmetic on sizes. Each returns false, and leaves *result alone, when
 * the exact result does not fit. Every product or sum of sizes that a user controls goes here. */
#ifndef NETC_SUPPORT_CHECKED_H
#define NETC_SUPPORT_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool checked_add(int64_t a, int64_t b, int64_t *result) {
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *result = sum;
    return true;
}

static inline bool checked_sub(int64_t a, int64_t b, int64_t *result) {
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference))
        return false;
    *result = difference;
    return true;
}

static inline bool checked_mul(int64_t a, int64_t b, int64_t *result) {
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *result = product;
    return true;
}

/* `value` rounded up to a multiple of `unit` (> 0); `value` >= 0. */
static inline bool checked_round_up(int64_t value, int64_t unit, int64_t *result) {
    int64_t raised;
    if (!checked_add(value, unit - 1, &raised))
        return false;
    *result = raised / unit * unit;
    return true;
}

/* a / b rounded up, b > 0. */
static inline int64_t divide_up(int64_t a, int64_t b) {
    return a / b + (a % b > 0);
}

/* The greatest common divisor of two numbers >= 0, not both 0. */
static inline int64_t common_divisor(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

#endif
