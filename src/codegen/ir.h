/* The few building blocks that kernels are made of: vectors of f32, indices, counted loops. Wraps
 * LLVM's IR builder; kernels/ sees nothing else of code generation and never includes llvm-c.
 *
 * Values: scalars f32, f64, i64, i32, i1, pointers, and vectors of f32/i32/i1 of a fixed number of
 * lanes. All index arithmetic is i64 in units of f32 elements. Constants fold as they are made. */
#ifndef NETC_CODEGEN_IR_H
#define NETC_CODEGEN_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Ir Ir;
typedef struct IrOpaqueValue *IrValue; /* an LLVMValueRef */

/* ---- functions: between begin and end all else is called ---- */
IrValue ir_parameter(Ir *ir, int index);

/* ---- constants ---- */
IrValue ir_i64(Ir *ir, int64_t value);
IrValue ir_f32(Ir *ir, double value);                   /* rounded once to f32 */
IrValue ir_f32_vector(Ir *ir, double value, int lanes); /* lanes 1: the scalar */
IrValue ir_i32_vector(Ir *ir, int32_t value, int lanes);

/* Pointer to read-only f32, `numbers` rounded once each and zeros up to `padded`. */
IrValue ir_f32_table(Ir *ir, const double *numbers, int64_t count, int64_t padded);

/* ---- i64 arithmetic ---- */
IrValue ir_add(Ir *ir, IrValue a, IrValue b);
IrValue ir_sub(Ir *ir, IrValue a, IrValue b);
IrValue ir_mul(Ir *ir, IrValue a, IrValue b);
IrValue ir_mul_const(Ir *ir, IrValue a, int64_t factor);  /* no instruction for 0 and 1 */
IrValue ir_add_const(Ir *ir, IrValue a, int64_t term);    /* none for 0 */
IrValue ir_div_const(Ir *ir, IrValue a, int64_t divisor); /* a >= 0, divisor > 0 */
IrValue ir_rem_const(Ir *ir, IrValue a, int64_t divisor); /* same */
IrValue ir_min(Ir *ir, IrValue a, IrValue b);             /* signed */
IrValue ir_max(Ir *ir, IrValue a, IrValue b);
IrValue ir_less(Ir *ir, IrValue a, IrValue b);  /* i1, signed */
IrValue ir_equal(Ir *ir, IrValue a, IrValue b); /* i1 */

/* ---- memory: `base` is a pointer to f32, `index` i64 in elements ---- */
IrValue ir_at(Ir *ir, IrValue base, IrValue index);
IrValue ir_at_const(Ir *ir, IrValue base, int64_t index);
/* `lanes` consecutive f32 (a scalar for 1), aligned to 4 bytes unless the pointer is known better.
 */
IrValue ir_load(Ir *ir, IrValue pointer, int lanes);
/* How near a cache line is brought. */
typedef enum IrCache { IR_FIRST_CACHE, IR_SECOND_CACHE } IrCache;
/* Asks for the cache line of `pointer`, which may be anywhere. */
void ir_prefetch(Ir *ir, IrValue pointer, IrCache cache);
void ir_store(Ir *ir, IrValue pointer, IrValue value, int lanes);
/* Memory of the function being built for so many f32, aligned to 64 bytes; it has no value yet. */
IrValue ir_stack(Ir *ir, int64_t floats);
/* The first `count` lanes only; the others load as 0 and are not touched in memory. */
IrValue ir_load_part(Ir *ir, IrValue pointer, int lanes, int count);
void ir_store_part(Ir *ir, IrValue pointer, IrValue value, int lanes, int count);
/* Lane i from / to pointer + i * stride. */
IrValue ir_load_strided(Ir *ir, IrValue pointer, int lanes, int count, int64_t stride);
void ir_store_strided(Ir *ir, IrValue pointer, IrValue value, int lanes, int count, int64_t stride);
/* Where `base` points to bytes; index and stride count these. Each byte becomes the f32 of the same
 * number, 0 to 255. */
IrValue ir_byte_at(Ir *ir, IrValue base, IrValue index);
IrValue ir_load_bytes(Ir *ir, IrValue pointer, int lanes, int count, int64_t stride);
IrValue ir_splat(Ir *ir, IrValue scalar, int lanes); /* lanes 1: the scalar itself */
IrValue ir_lane(Ir *ir, IrValue vector, int lane);
/* `lanes` lanes, of which number i is lane picks[i] of the vector. */
IrValue ir_shuffle(Ir *ir, IrValue vector, const int *picks, int lanes);
/* Of the first or the second half of a's and b's lanes, one of a and one of b in turn. */
IrValue ir_interleave(Ir *ir, IrValue a, IrValue b, int lanes, bool second);
IrValue ir_insert(Ir *ir, IrValue vector, IrValue scalar, int lane);
IrValue ir_widen(Ir *ir, IrValue vector, int from, int lanes); /* zeros behind its lanes */
/* Pointer number `index` of a table of pointers to f32. */
IrValue ir_load_pointer(Ir *ir, IrValue table, int64_t index);
/* Load and store with a double as the value: exact widening, rounding to nearest even. */
IrValue ir_load_f64(Ir *ir, IrValue pointer);
void ir_store_f64(Ir *ir, IrValue pointer, IrValue value);
IrValue ir_f64(Ir *ir, double value);
/* Constants in the object, and number `index` of them. */
IrValue ir_table_f64(Ir *ir, const double *numbers, size_t count);
IrValue ir_table_number(Ir *ir, IrValue table, IrValue index);
void ir_fill_zero(Ir *ir, IrValue pointer, IrValue count); /* a loop; never a call of memset */

/* ---- f32 (and f64) arithmetic on scalars and vectors alike; never reassociated ---- */
IrValue ir_fadd(Ir *ir, IrValue a, IrValue b);
IrValue ir_fsub(Ir *ir, IrValue a, IrValue b);
IrValue ir_fmul(Ir *ir, IrValue a, IrValue b);
IrValue ir_fdiv(Ir *ir, IrValue a, IrValue b);
IrValue ir_fneg(Ir *ir, IrValue a);
IrValue ir_fabs(Ir *ir, IrValue a);
IrValue ir_fsqrt(Ir *ir, IrValue a); /* correctly rounded, an instruction */
/* a * b + c, fused where the machine can, else a product and a sum. */
IrValue ir_fma(Ir *ir, IrValue a, IrValue b, IrValue c);
/* Larger of the two; NaN if either is. */
IrValue ir_fmax(Ir *ir, IrValue a, IrValue b);
/* Smaller of the two; NaN if either is. */
IrValue ir_fmin(Ir *ir, IrValue a, IrValue b);
typedef enum IrCompare { IR_LESS, IR_GREATER, IR_LESS_EQUAL, IR_NOT_NUMBER } IrCompare;
IrValue ir_fcompare(Ir *ir, IrCompare compare, IrValue a, IrValue b); /* false for NaN */
IrValue ir_select(Ir *ir, IrValue condition, IrValue a, IrValue b);
/* Lanes folded pairwise. */
IrValue ir_reduce_add(Ir *ir, IrValue vector, int lanes);
IrValue ir_reduce_max(Ir *ir, IrValue vector, int lanes); /* NaN if any is */

/* ---- bits, for the elementary functions ---- */
/* Where vectors have AVX-512's instructions for them: of 16 numbers, in each lane number
 * `index` % 16; and x * 2^floor(n), rounded once. */
bool ir_has_lookup(const Ir *ir, int lanes);
IrValue ir_lookup(Ir *ir, const double numbers[16], IrValue index);
IrValue ir_scale(Ir *ir, IrValue x, IrValue n);
/* a / b for 1 <= b <= 2 and |a| <= 2, within 1.5 units in the last place; NaN if either is. */
IrValue ir_quotient(Ir *ir, IrValue a, IrValue b, int lanes);
IrValue ir_f32_to_i64(Ir *ir, IrValue a); /* towards zero, |a| < 2^31, a scalar */
IrValue ir_i32_to_f32(Ir *ir, IrValue a); /* i32 or i64, rounded to nearest */
IrValue ir_as_i32(Ir *ir, IrValue a);     /* bit pattern */
IrValue ir_as_f32(Ir *ir, IrValue a);
IrValue ir_iadd(Ir *ir, IrValue a, IrValue b); /* i32, scalars and vectors */
IrValue ir_isub(Ir *ir, IrValue a, IrValue b);
IrValue ir_iless(Ir *ir, IrValue a, IrValue b); /* signed */
IrValue ir_iand(Ir *ir, IrValue a, IrValue b);
IrValue ir_ior(Ir *ir, IrValue a, IrValue b);
IrValue ir_ishift_left(Ir *ir, IrValue a, int bits);
IrValue ir_ishift_right(Ir *ir, IrValue a, int bits); /* arithmetic */

/* ---- control ---- */

/* for (i = begin; i < end; i += step) with values carried from turn to turn:
 *
 *     IrLoop loop = ir_loop_begin(ir, begin, end, step, sums, n);
 *     ... loop.index; sums[k] now stands for the value of this turn; replace sums[k] ...
 *     ir_loop_end(ir, &loop);            // sums[k] is now the value after the loop
 *
 * `carried` must stay where it is until ir_loop_end. The test comes first: it may run 0 times. */
typedef struct IrLoop {
    IrValue index;
    IrValue *carried;
    int carried_count;
    void *state; /* of the implementation, in its arena */
} IrLoop;

IrLoop ir_loop_begin(Ir *ir, IrValue begin, IrValue end, int64_t step, IrValue *carried,
                     int carried_count);
void ir_loop_end(Ir *ir, IrLoop *loop);

/* if (condition) { ... }: no values come out of it. */
typedef struct IrIf {
    void *state;
} IrIf;
IrIf ir_if_begin(Ir *ir, IrValue condition);
void ir_if_end(Ir *ir, IrIf *branch);

#endif
