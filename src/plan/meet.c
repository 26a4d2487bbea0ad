#include "plan/meet.h"

#include "plan/tile_cost.h"
#include "support/checked.h"

/* ---- whole steps --------------------------------------------------------------------------- */

static bool buffers_meet(const Buffer *a, const Buffer *b) {
    if (a->place != b->place)
        return false;
    if (a->place != PLACE_ARENA)
        return a->index == b->index;
    int64_t a_end = a->offset + buffer_bytes(a), b_end = b->offset + buffer_bytes(b);
    return a->offset < b_end && b->offset < a_end;
}

/* Does `step` read anything that lies where `written` does? */
static bool reads(const Step *step, const Buffer *written) {
    for (int k = 0; k < step->input_count; k++)
        if (buffers_meet(step->inputs[k].buffer, written))
            return true;
    return false;
}

/* A halo lies beside everything else that is written into its buffer. */
static bool write_apart(const Step *a, const Step *b) {
    if (a->output.buffer != b->output.buffer)
        return !buffers_meet(a->output.buffer, b->output.buffer);
    bool one_is_halo = (a->kind == STEP_ZERO) != (b->kind == STEP_ZERO);
    return one_is_halo || views_apart(&a->output, &b->output);
}

static bool wholes_meet(const Step *later, const Step *earlier) {
    if (reads(later, earlier->output.buffer) || reads(earlier, later->output.buffer))
        return true;
    if (!write_apart(later, earlier))
        return true;
    if (later->scratch && earlier->scratch && buffers_meet(later->scratch, earlier->scratch))
        return true; /* each part has its own, but elsewhere in each step */
    return (later->scratch && (reads(earlier, later->scratch) ||
                               buffers_meet(later->scratch, earlier->output.buffer))) ||
           (earlier->scratch && (reads(later, earlier->scratch) ||
                                 buffers_meet(earlier->scratch, later->output.buffer)));
}

/* ---- parts --------------------------------------------------------------------------------- */

/* Rows of a view; beyond its edges is its halo. */
typedef struct Rows {
    int64_t begin, end;
} Rows;

static bool rows_meet(Rows a, Rows b) {
    return a.begin < b.end && b.begin < a.end;
}

int64_t part_end_row(const Step *step, int part, int parts) {
    int64_t height = step->output.height, tile = step->tile.rows > 0 ? step->tile.rows : 1;
    int64_t end = divide_up(height * (part + 1) / parts, tile) * tile;
    return end < height ? end : height;
}

/* The window of a step that is cut by rows, each part doing what part_end_row says; else NULL. */
static const Window *window_of_rows(const Step *step) {
    if (step->parts < 2 || step->split != SPLIT_ROWS || step->output.block == 1 || step->scratch ||
        step->band.band)
        return NULL;
    static const Window pixel = WINDOW_OF_PIXEL;
    if (step->kind == STEP_MAP)
        return &pixel;
    return tile_is_free(step) ? step_window(step) : NULL;
}

static Rows rows_done(const Step *step, int part) {
    return (Rows){step->output.height * part / step->parts, part_end_row(step, part, step->parts)};
}

/* Rows of input `k` that a part reads: those under its windows, or those it does. */
static Rows rows_read(const Step *step, const Window *window, int k, int part) {
    const View *input = &step->inputs[k];
    Rows done = rows_done(step, part);
    if (k > 0)
        return input->height == step->output.height ? done : (Rows){0, input->height};
    int64_t reach = (window->kernel[0] - 1) * window->dilation[0];
    return (Rows){done.begin * window->stride[0] - window->pad_begin[0],
                  (done.end - 1) * window->stride[0] - window->pad_begin[0] + reach + 1};
}

/* Whether part `r` of one step reads what part `w` of another writes. */
static bool part_reads(const Step *reader, const Window *window, int r, const Step *writer, int w) {
    Rows written = rows_done(writer, w);
    for (int k = 0; k < reader->input_count; k++) {
        const View *input = &reader->inputs[k];
        if (!buffers_meet(input->buffer, writer->output.buffer))
            continue;
        bool same =
            input->buffer == writer->output.buffer && views_coincide(input, &writer->output);
        if (!same || rows_meet(rows_read(reader, window, k, r), written))
            return true;
    }
    return false;
}

static bool parts_write_apart(const Step *a, int part_of_a, const Step *b, int part_of_b) {
    if (write_apart(a, b))
        return true;
    return a->output.buffer == b->output.buffer && views_coincide(&a->output, &b->output) &&
           !rows_meet(rows_done(a, part_of_a), rows_done(b, part_of_b));
}

bool steps_meet(const Step *later, const Step *earlier) {
    const Window *window = window_of_rows(later), *earlier_window = window_of_rows(earlier);
    if (!window || !earlier_window || later->parts != earlier->parts)
        return wholes_meet(later, earlier);
    for (int a = 0; a < later->parts; a++)
        for (int b = 0; b < later->parts; b++)
            if (a != b && (part_reads(later, window, a, earlier, b) ||
                           part_reads(earlier, earlier_window, b, later, a) ||
                           !parts_write_apart(later, a, earlier, b)))
                return true;
    return false;
}
