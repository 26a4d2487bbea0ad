/* The plan: what runs, in which order, on which bytes. Everything that is decided before a line of
 * code is made, as plain data.
 *
 *   lower   graph -> steps: each layer describes its work to a kernel (kernels/kernel.h)
 *   fuse    a channel affine (batch norm) goes into the weights of its producer; elementwise steps
 *           go into the epilogue of their producer
 *   choose  the algorithm of each convolution and of each product of matrices
 *   layout  each value gets a layout; copies are inserted where two layouts must meet; concat and
 *           reshape become places in another value's buffer
 *   batch   which steps do all samples of a call together
 *   tile    register tiles from the machine table
 *   band    convolutions and pools with much between them are done together, some rows at a time
 *   memory  buffers get offsets in one arena by lifetime; packed weights get offsets in one blob
 *   split   steps are cut into parts for the threads of a call, as far as that gains time */
#ifndef NETC_PLAN_PLAN_H
#define NETC_PLAN_PLAN_H

#include "plan/machine.h"
#include "plan/step.h"
#include "support/diag.h"

typedef struct Plan {
    Arena *arena;
    const Graph *graph;
    const Machine *machine;
    int threads;         /* that a call may run on; below 2: one, without a pool */
    int64_t batch;       /* samples of a call; below 2: one, and values have no sample axis */
    double weight_bytes; /* of all weights; packed, they are as many or a few more */
    bool keeps;          /* every value stays in the arena until the call ends */
    bool shared;         /* some step has parts: more than one thread is worth its while */
    VEC(Value *) values; /* the graph's, then those between the steps of one layer; by Value.id */
    VEC(Step *) steps;
    VEC(Buffer *) buffers;
    VEC(Packed *) packed; /* in the order in which the steps read them */
    int64_t arena_bytes;  /* a multiple of 64; 0 if none is needed */
    int64_t thread_bytes; /* of its end, that each thread has to itself: copies of the buffers that
                             hold one sample, if threads share the samples */
    int64_t packed_bytes; /* a multiple of 64 */
} Plan;

static inline int64_t plan_samples(const Plan *plan) {
    return plan->batch > 1 ? plan->batch : 1;
}

/* Whether each thread does samples of its own in the steps that are not together. */
static inline bool plan_shares_samples(const Plan *plan) {
    return plan->threads > 1 && plan->batch > 1;
}

/* Most parts of a step that works in scratch memory. */
static inline int plan_parts(const Plan *plan) {
    return plan->threads > 1 && !plan_shares_samples(plan) ? plan->threads : 1;
}

/* What a layer's `.lower` gets (layers/layer.h): kernel_conv ... append their step to the plan. */
typedef struct Lowering Lowering;
struct Lowering {
    Plan *plan;
};

/* Most threads that a call can be planned for. */
#define PLAN_MAX_THREADS 64
/* Most samples of a call. */
#define PLAN_MAX_BATCH 1024

/* What is asked of a plan. */
typedef struct PlanOptions {
    int threads;    /* that a call may run on; below 2: one, without a pool */
    int64_t batch;  /* samples of a call, at most PLAN_MAX_BATCH; below 2: one */
    bool exact;     /* every convolution and product by the direct method */
    bool keep;      /* values stay in the arena: for plan_read_kept. Not with several samples */
    int tile_size;  /* for tests: wherever it is possible Strassen's method (2) or Winograd's with
                       tiles of this size (4, 6, 8); 0: what is predicted to be fastest */
    int band_turns; /* for tests: bands of at least so many turns; 0: as the second cache needs */
} PlanOptions;

/* A call does the steps in runs: a step that is together by itself, those between two of them for
 * one sample after the other. Where the run that begins at step `first` ends, and whether step
 * `index` is done for each sample by itself. */
size_t plan_run_end(const Plan *plan, size_t first);
bool plan_repeats(const Plan *plan, size_t index);

/* Where the band ends that step `index` is in; index + 1 if it is in none. */
size_t plan_band_end(const Plan *plan, size_t index);

/* Makes the whole plan. Reports E0802 and returns NULL if a size is out of bounds. */
Plan *plan_build(Arena *arena, Diagnostics *diagnostics, const Graph *graph, const Machine *machine,
                 const PlanOptions *options);

/* Of a plan that keeps its values: the elements of the graph's values that a step stored, by
 * Value.id, row-major; NULL where none did, as for what is fused or only a view. `inputs`,
 * `outputs` and `memory` (of the arena) are those of a call. */
const float **plan_read_kept(const Plan *plan, Arena *arena, const float *const *inputs,
                             float *const *outputs, const void *memory);

/* Appends the plan: buffers with offsets and lifetimes, steps with tile, layout, views, weights. */
void plan_print(const Plan *plan, StrBuf *out);

/* How the lanes of a vector of a CONV_GENERAL's filters see its input. */
typedef enum ConvLanes {
    CONV_LANES_SHARE, /* one channel for all: groups of whole vectors of filters, or one group */
    CONV_LANES_OWN,   /* each its own channel: groups = channels = filters */
    CONV_LANES_MIXED, /* any other groups */
} ConvLanes;
ConvLanes conv_lanes(const Step *step, const Machine *machine);

/* Whether a CONV's vector of filters needs just the channels of one block: small groups, as many
 * filters as channels in each, that fill a vector together. */
bool conv_shuffles(const Step *step, const Machine *machine);

/* ---- passes, in their order; each needs what the ones before it did ----------------------- */

void plan_lower(Plan *plan); /* fills steps, with values only */
void plan_fuse(Plan *plan);  /* removes steps that went into their producer */
/* Turns CONV into WINOGRAD or STRASSEN, GEMM into STRASSEN where faster; sets the tiles of GEMM. */
void plan_choose(Plan *plan, const PlanOptions *options);
/* Sets views; inserts COPY and ZERO; removes VIEW and CONCAT. */
bool plan_layout(Plan *plan, Diagnostics *diagnostics);
bool plan_batch(Plan *plan, Diagnostics *diagnostics); /* sets which steps are together */
bool plan_tile(Plan *plan, Diagnostics *diagnostics);  /* sets tiles and packed tensors */
/* Sets bands; inserts COPY and ZERO; moves ZERO. */
void plan_band(Plan *plan, const PlanOptions *options);
bool plan_memory(Plan *plan, Diagnostics *diagnostics); /* sets offsets */
/* The largest buffers that are in the arena where that is fullest, at most `most`; how many. */
int plan_fullest(const Plan *plan, const Buffer **largest, int most);
void plan_split(Plan *plan); /* sets parts and which steps wait, for Plan.threads */

/* By Node.id, the share of the largest number of the node's result by which the plan may be off
 * beside the error of a sum: WINOGRAD_ERROR of a WINOGRAD or STRASSEN step, else 0. NULL: of none.
 */
const double *plan_error_shares(const Plan *plan, Arena *arena);

/* ---- packing ------------------------------------------------------------------------------ */

/* Packs every tensor of the plan from the bound weights (Weight.data) into `packed`, packed_bytes
 * long; gaps are zeroed. The emitted NAME_pack does the same, bit for bit. */
void plan_pack(const Plan *plan, void *packed);

/* The same, in pieces: `take` gets the bytes in their order, multiples of 64 but for the last, and
 * ends it by returning false, which is then returned. Packed weights may be larger than all else.
 */
typedef bool (*PackTake)(void *context, const void *bytes, size_t size);
bool plan_pack_in_pieces(const Plan *plan, PackTake take, void *context);

/* Hash of how the weights are packed: equal for two plans of a network exactly when weights packed
 * for one serve the other. */
uint64_t plan_layout_hash(const Plan *plan);

#endif
