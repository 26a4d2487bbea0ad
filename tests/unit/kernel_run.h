/* For the unit tests of kernels: steps made by hand, run as functions in this process.
 *
 * Whatever a kernel must not read is NaN, or lies on a page that cannot be read; whatever it must
 * not write is looked at afterwards. */
#ifndef NETC_TESTS_KERNEL_RUN_H
#define NETC_TESTS_KERNEL_RUN_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "apply_operation.h"
#include "codegen/module.h"
#include "kernels/kernel.h"

#define GUARD     64 /* floats before each tensor */
#define TOLERANCE 1e-4

/* ---- tensors ------------------------------------------------------------------------------- */

typedef struct Tensor {
    float *data;
    int64_t floats;
    Buffer buffer;
    View view;
} Tensor;

/* Pages of all floats_new since the last floats_release. */
#define PAGE      4096
#define MAX_PAGES 32

typedef struct Pages {
    void *start;
    size_t bytes;
} Pages;

static Pages all_pages[MAX_PAGES];
static int pages_count;

/* `count` floats, the last of which is followed by a page that cannot be touched. */
static inline float *floats_new(int64_t count) {
    size_t bytes = (size_t)count * sizeof(float), whole = (bytes + PAGE - 1) / PAGE * PAGE;
    assert_true(pages_count < MAX_PAGES);
    Pages *pages = &all_pages[pages_count++];
    pages->bytes = whole + PAGE;
    pages->start =
        mmap(NULL, pages->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages->start, MAP_FAILED);
    char *end = (char *)pages->start + whole;
    assert_int_equal(mprotect(end, PAGE, PROT_NONE), 0);
    return (float *)(void *)(end - bytes);
}

static inline void floats_release(void) {
    while (pages_count > 0) {
        pages_count--;
        munmap(all_pages[pages_count].start, all_pages[pages_count].bytes);
    }
}

static uint64_t random_state = 1;

/* In [-1, 1), from the upper bits of Knuth's linear congruential generator (MMIX). */
static inline float random_float(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(random_state >> 40) * 0x1p-23 - 1);
}

static inline float *random_floats(int64_t count) {
    float *numbers = floats_new(count);
    for (int64_t i = 0; i < count; i++)
        numbers[i] = random_float();
    return numbers;
}

static inline float *element(const Tensor *tensor, int64_t c, int64_t h, int64_t w) {
    const View *view = &tensor->view;
    return tensor->data + view->offset + c / view->block * view->block_stride +
           h * view->row_stride + w * view->pixel_stride + c % view->block;
}

/* All NaN, with `halo` pixels (all the same) on each side. */
static inline Tensor tensor_new(int64_t channels, int64_t height, int64_t width, int64_t block,
                                int64_t halo) {
    Tensor tensor = {.view = {.channels = channels,
                              .height = height,
                              .width = width,
                              .block = block,
                              .pixel_stride = block}};
    View *view = &tensor.view;
    view->row_stride = (width + 2 * halo) * block;
    view->block_stride = (height + 2 * halo) * view->row_stride;
    view->offset = GUARD + halo * (view->row_stride + view->pixel_stride);
    tensor.floats = (channels + block - 1) / block * view->block_stride + GUARD;
    tensor.data = floats_new(tensor.floats);
    memset(tensor.data, 0xFF, (size_t)tensor.floats * sizeof *tensor.data);
    return tensor;
}

/* Sets the halo of all blocks to 0 and the elements to random numbers. */
static inline void tensor_fill(Tensor *tensor, int64_t halo) {
    const View *view = &tensor->view;
    for (int64_t c = 0; c < view->channels; c++)
        for (int64_t h = -halo; h < view->height + halo; h++)
            for (int64_t w = -halo; w < view->width + halo; w++)
                *element(tensor, c, h, w) = 0;
    for (int64_t c = 0; c < view->channels; c++)
        for (int64_t h = 0; h < view->height; h++)
            for (int64_t w = 0; w < view->width; w++)
                *element(tensor, c, h, w) = random_float();
}

/* Nothing but the elements, and lanes past the last channel, has been written. */
static inline void tensor_check_untouched(const Tensor *tensor) {
    const View *view = &tensor->view;
    int64_t lanes = (view->channels + view->block - 1) / view->block * view->block;
    char *allowed = calloc((size_t)tensor->floats, 1);
    assert_non_null(allowed);
    for (int64_t c = 0; c < lanes; c++)
        for (int64_t h = 0; h < view->height; h++)
            for (int64_t w = 0; w < view->width; w++)
                allowed[element(tensor, c, h, w) - tensor->data] = 1;
    for (int64_t i = 0; i < tensor->floats; i++) {
        uint32_t bits;
        memcpy(&bits, &tensor->data[i], sizeof bits);
        assert_true(allowed[i] || bits == UINT32_MAX);
    }
    free(allowed);
}

/* ---- running a step ------------------------------------------------------------------------ */

#define MAX_POINTERS 8

typedef struct Run {
    Arena arena;
    Target *target;
    int lanes;
    Step step;
    Tensor inputs[2];
    View views[2];
    Tensor output;
    const float *packed[6]; /* after the output, in kernel_packed's order */
    int packed_count;
    Packed present; /* stands for any packed tensor that the step has */
    MapStage stages[4];
} Run;

static inline void run_open(Run *run, const char *cpu) {
    *run = (Run){.lanes = 0};
    SourceMap sources = {.arena = &run->arena};
    Diagnostics diagnostics = {.arena = &run->arena, .sources = &sources};
    run->target = target_open(&run->arena, &diagnostics, NULL, cpu, 2);
    assert_non_null(run->target);
    run->lanes = run->target->machine->lanes;
    run->step.inputs = run->views;
    run->step.epilogue.data = run->stages;
}

static inline void run_input(Run *run, Tensor tensor) {
    int index = run->step.input_count++;
    run->inputs[index] = tensor;
    run->views[index] = tensor.view;
    run->views[index].buffer = &run->inputs[index].buffer;
}

static inline void run_output(Run *run, Tensor tensor) {
    run->output = tensor;
    run->step.output = tensor.view;
    run->step.output.buffer = &run->output.buffer;
}

static inline void run_packed(Run *run, const float *packed) {
    run->packed[run->packed_count++] = packed;
}

static inline MapStage *run_stage(Run *run, MapOp op, OperandKind kind, double a, double b) {
    MapStage *stage = &run->stages[run->step.epilogue.count++];
    *stage = (MapStage){.op = op, .kind = kind, .constants = {a, b}};
    return stage;
}

/* A random number for each channel of the output, and more up to whole vectors. */
static inline void run_vector(Run *run) {
    int64_t lanes = run->lanes;
    run_packed(run, random_floats((run->step.output.channels + lanes - 1) / lanes * lanes));
}

/* A MAP_AFFINE with its scale and shift. */
static inline void run_affine(Run *run) {
    run_stage(run, MAP_AFFINE, OPERAND_NONE, 0, 0);
    run_vector(run);
    run_vector(run);
}

/* Input 1: like the output, random. */
static inline void run_addend(Run *run, int64_t halo) {
    const View *like = &run->step.output;
    Tensor addend = tensor_new(like->channels, like->height, like->width, like->block, halo);
    tensor_fill(&addend, 0);
    run_stage(run, MAP_ADD, OPERAND_ELEMENT, 0, 0)->operand = 1;
    run_input(run, addend);
}

typedef void (*Compiled)(float *, float *, float *, float *, float *, float *, float *, float *);

/* Makes the step's function and calls it. */
static inline void run_call(Run *run) {
    const Step *step = &run->step;
    int count = step->input_count + 1 + run->packed_count;
    assert_true(count <= MAX_POINTERS);
    float *pointers[MAX_POINTERS] = {NULL};
    for (int i = 0; i < step->input_count; i++)
        pointers[i] = element(&run->inputs[i], 0, 0, 0);
    pointers[step->input_count] = element(&run->output, 0, 0, 0);
    for (int i = 0; i < run->packed_count; i++)
        memcpy(&pointers[step->input_count + 1 + i], &run->packed[i], sizeof(float *));

    Ir *ir = module_new(run->target, "test");
    module_function_begin(ir, "step", MAX_POINTERS, FUNCTION_GLOBAL);
    kernel_emit(ir, step, run->target->machine);
    module_function_end(ir);
    module_optimise(ir);
    LoadedCode *code = module_load(ir);
    void *address = loaded_address(code, "step");
    Compiled compiled;
    memcpy(&compiled, &address, sizeof compiled);
    compiled(pointers[0], pointers[1], pointers[2], pointers[3], pointers[4], pointers[5],
             pointers[6], pointers[7]);
    loaded_free(code);
    module_free(ir);
}

static inline void run_step(Run *run) {
    run_call(run);
    tensor_check_untouched(&run->output);
}

static inline void run_close(Run *run) {
    target_close(run->target);
    arena_free(&run->arena);
    floats_release();
}

/* What the epilogue makes of x at element (c, h, w). `first` is the first of its packed tensors. */
static inline double epilogue_expected(const Run *run, double x, int64_t c, int64_t h, int64_t w,
                                       int first) {
    for (size_t i = 0; i < run->step.epilogue.count; i++) {
        const MapStage *stage = &run->stages[i];
        double y = stage->constants[0];
        if (stage->op == MAP_AFFINE) {
            x = x * (double)run->packed[first][c] + (double)run->packed[first + 1][c];
            first += 2;
            continue;
        }
        if (stage->kind == OPERAND_ELEMENT)
            y = (double)*element(&run->inputs[stage->operand], c, h, w);
        if (stage->kind == OPERAND_CHANNEL)
            y = (double)*element(&run->inputs[stage->operand], c, 0, 0);
        if (stage->kind == OPERAND_WEIGHT)
            y = (double)run->packed[first++][c];
        x = apply_operation(stage, x, y);
    }
    return x;
}

static inline void check_number(double actual, double expected) {
    if (isnan(expected))
        assert_true(isnan(actual));
    else if (isinf(expected))
        assert_true(actual == expected);
    else
        assert_true(fabs(actual - expected) <= TOLERANCE * (1 + fabs(expected)));
}

/* `expected` gives the result before the epilogue. */
static inline void
run_check(const Run *run, double (*expected)(const Run *, int64_t, int64_t, int64_t), int first) {
    const View *view = &run->step.output;
    for (int64_t c = 0; c < view->channels; c++)
        for (int64_t h = 0; h < view->height; h++)
            for (int64_t w = 0; w < view->width; w++)
                check_number((double)*element(&run->output, c, h, w),
                             epilogue_expected(run, expected(run, c, h, w), c, h, w, first));
}

/* Calls `check` for each kind of machine that this one can stand for. */
static inline void for_each_cpu(void (*check)(const char *cpu, const void *what),
                                const void *what) {
    check("native", what);
#if defined __x86_64__
    check("x86-64", what);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        check("x86-64-v3", what);
#endif
}

/* ---- windows ------------------------------------------------------------------------------- */

#define WINDOW(kh, kw, s, d, p) {{kh, kw, 1}, {s, s, 1}, {d, d, 1}, {p, p, 0}, {p, p, 0}, 1, 1}

static inline int64_t window_output(const Window *window, int axis, int64_t extent) {
    int64_t span = (window->kernel[axis] - 1) * window->dilation[axis] + 1;
    int64_t padded = extent + window->pad_begin[axis] + window->pad_end[axis];
    return (padded - span) / window->stride[axis] + 1;
}

#endif
